//! Sets many processes on one vault, or kills one again and again: the full versions of what the tests do small.
//!
//! `contend` and `crash` are for people, through `cargo xtask`; the other roles are the processes that these start.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it tells a person what it found")]

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use keyward_tests::chaos::contend::{self, Plan};
use keyward_tests::chaos::place::{Place, Store};
use keyward_tests::postgres::PostgresServer;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let role = arguments.next().context("contend or crash?")?;
    let rest: Vec<String> = arguments.collect();
    match role.as_str() {
        "contender" => contend::worker::run().await,
        "contend" => contend_in_full(&Options::read(&rest)?).await,
        other => bail!("there is no role {other:?}"),
    }
}

/// What both chores take.
struct Options {
    stores: Vec<Store>,
    processes: usize,
    operations: u64,
    seed: u64,
}

impl Options {
    fn read(words: &[String]) -> anyhow::Result<Self> {
        let mut options = Self {
            stores: vec![Store::Sqlite, Store::Postgres],
            processes: 8,
            operations: 100_000,
            seed: u64::from(std::process::id()),
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--operations" => options.operations = value()?.parse()?,
                "--processes" => options.processes = value()?.parse()?,
                "--seed" => options.seed = value()?.parse()?,
                "--store" => {
                    options.stores = match value()?.as_str() {
                        "sqlite" => vec![Store::Sqlite],
                        "postgres" => vec![Store::Postgres],
                        "both" => options.stores,
                        other => bail!("--store takes sqlite, postgres or both, not {other:?}"),
                    };
                }
                other => bail!("unknown option {other:?}"),
            }
        }
        anyhow::ensure!(options.processes > 0, "at least one process");
        Ok(options)
    }
}

fn program() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("where this program is")
}

async fn contend_in_full(options: &Options) -> anyhow::Result<()> {
    for &store in &options.stores {
        // Durable: its figures are those of a server that keeps what it was told.
        let server = match store {
            Store::Postgres => Some(PostgresServer::start(true)?),
            Store::Sqlite => None,
        };
        let place = match &server {
            Some(server) => Place::on_server(server.url())?,
            None => Place::new(Store::Sqlite)?,
        };
        let plan = Plan {
            program: program()?,
            processes: options.processes,
            tasks: 2,
            operations: options.operations,
            seed: options.seed,
        };
        println!(
            "{}: {} operations by {} processes, seed {}",
            store.name(),
            plan.operations,
            plan.processes,
            plan.seed
        );
        let outcome = contend::run(&place, &plan).await?;
        table(&outcome.findings, plan.operations, outcome.took);
    }
    Ok(())
}

fn table(findings: &contend::Findings, done: u64, took: Duration) {
    for (what, count) in findings {
        println!("  {count:>9}  {what}");
    }
    println!("  {:>9}  violations", 0);
    println!(
        "  {:>9.0}  operations a second, {:.1} s in all",
        done as f64 / took.as_secs_f64(),
        took.as_secs_f64()
    );
}
