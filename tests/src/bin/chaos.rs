//! Sets many processes on one vault, or kills one again and again: the full versions of what the tests do small.
//!
//! `contend`, `crash`, `pay` and `round` are for people, through `cargo xtask`; the other roles are the processes that these start.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it tells a person what it found")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use keyward_custody::jobs::JobFormat;
use keyward_tests::chaos::contend;
use keyward_tests::chaos::crash;
use keyward_tests::chaos::pay;
use keyward_tests::chaos::place::{Place, Store};
use keyward_tests::chaos::round;
use keyward_tests::node::{NodeOptions, TestNode};
use keyward_tests::postgres::PostgresServer;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let role = arguments.next().context("contend, crash, pay or round?")?;
    let rest: Vec<String> = arguments.collect();
    match role.as_str() {
        "contender" => contend::worker::run().await,
        "worker" => crash::worker::run().await,
        "contend" => contend_in_full(&Options::read(&rest)?).await,
        "payer" => pay::payer::run().await,
        "pay" => pay_in_full(&Options::read(&rest)?).await,
        "round" => round_in_full(&Options::read(&rest)?).await,
        "crash" => crash_in_full(&Options::read(&rest)?).await,
        other => bail!("there is no role {other:?}"),
    }
}

/// What both chores take.
struct Options {
    stores: Vec<Store>,
    processes: usize,
    operations: u64,
    kills: u32,
    seed: u64,
    /// Fair and bad ones, to the node.
    roads: Vec<bool>,
    wallets: u32,
    tokens: u32,
    formats: Vec<JobFormat>,
}

impl Options {
    fn read(words: &[String]) -> anyhow::Result<Self> {
        let mut options = Self {
            stores: vec![Store::Sqlite, Store::Postgres],
            processes: 8,
            operations: 100_000,
            kills: 1_000,
            seed: u64::from(std::process::id()),
            roads: vec![false, true],
            wallets: 1_000,
            tokens: 500,
            formats: vec![JobFormat::Legacy, JobFormat::V1],
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--operations" => options.operations = value()?.parse()?,
                "--processes" => options.processes = value()?.parse()?,
                "--kills" => options.kills = value()?.parse()?,
                "--seed" => options.seed = value()?.parse()?,
                "--wallets" => options.wallets = value()?.parse()?,
                "--tokens" => options.tokens = value()?.parse()?,
                "--format" => {
                    options.formats = match value()?.as_str() {
                        "legacy" => vec![JobFormat::Legacy],
                        "v1" => vec![JobFormat::V1],
                        "both" => options.formats,
                        other => bail!("--format takes legacy, v1 or both, not {other:?}"),
                    };
                }
                "--road" => {
                    options.roads = match value()?.as_str() {
                        "fair" => vec![false],
                        "bad" => vec![true],
                        "both" => options.roads,
                        other => bail!("--road takes fair, bad or both, not {other:?}"),
                    };
                }
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

/// Durable: its figures are those of a server that keeps what it was told.
fn server(store: Store) -> anyhow::Result<Option<PostgresServer>> {
    match store {
        Store::Postgres => PostgresServer::start(true).map(Some),
        Store::Sqlite => Ok(None),
    }
}

fn place(server: Option<&PostgresServer>) -> anyhow::Result<Place> {
    match server {
        Some(server) => Place::on_server(server.url()),
        None => Place::new(Store::Sqlite),
    }
}

async fn contend_in_full(options: &Options) -> anyhow::Result<()> {
    for &store in &options.stores {
        let server = server(store)?;
        let place = place(server.as_ref())?;
        let plan = contend::Plan {
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
    // A violation would have ended the run as an error.
    println!("  every check held");
    println!(
        "  {:>9.0}  operations a second, {:.1} s in all",
        done as f64 / took.as_secs_f64(),
        took.as_secs_f64()
    );
}

/// Kills of one vault, after which the next one begins: so that what is looked at after each stays small.
const KILLS_OF_ONE_VAULT: u32 = 25;

async fn crash_in_full(options: &Options) -> anyhow::Result<()> {
    for &store in &options.stores {
        let server = server(store)?;
        println!("{}: {} kills, seed {}", store.name(), options.kills, options.seed);
        let started = Instant::now();
        let mut by_kind: Vec<(crash::worker::Kind, crash::Findings)> = Vec::new();
        let (mut left, mut seed) = (options.kills, options.seed);
        for kind in crash::worker::Kind::ALL.iter().cycle() {
            if left == 0 {
                break;
            }
            let kills = left.min(KILLS_OF_ONE_VAULT);
            left -= kills;
            seed += 1;
            let plan = crash::Plan {
                program: program()?,
                kills,
                seed,
            };
            let findings = crash::run(&place(server.as_ref())?, *kind, &plan).await?;
            match by_kind.iter_mut().find(|(other, _)| other == kind) {
                Some((_, sums)) => {
                    for (what, times) in findings {
                        crash::count(sums, what, times);
                    }
                }
                None => by_kind.push((*kind, findings)),
            }
        }
        for (kind, findings) in by_kind {
            println!("  {}", kind.name());
            for (what, times) in findings {
                println!("  {times:>9}  {what}");
            }
        }
        // What is lost, doubled or does not open would have ended the run as an error.
        println!("  every check held after every kill");
        println!("  {:>9.0}  seconds in all", started.elapsed().as_secs_f64());
    }
    Ok(())
}

/// The length of the node's slots: a blockhash lives 150 of them.
const SLOT_MS: u32 = 50;

/// Kills on one node; the next ones are on a new one with a new vault.
const KILLS_OF_ONE_NODE: u32 = 50;

async fn pay_in_full(options: &Options) -> anyhow::Result<()> {
    for &store in &options.stores {
        let server = server(store)?;
        for &bad_road in &options.roads {
            let road = if bad_road { "a bad road" } else { "a fair road" };
            println!(
                "{}, {road}: {} kills, seed {}",
                store.name(),
                options.kills,
                options.seed
            );
            let started = Instant::now();
            let (mut left, mut seed) = (options.kills, options.seed);
            let mut sums = pay::Findings::default();
            while left > 0 {
                let kills = left.min(KILLS_OF_ONE_NODE);
                left -= kills;
                seed += 1;
                let plan = pay::Plan {
                    program: program()?,
                    kills,
                    recipients: 300,
                    together: 3,
                    bad_road,
                    seed,
                };
                let node = TestNode::start_engine(NodeOptions { slot_ms: SLOT_MS })?;
                sums.add(pay::run(&place(server.as_ref())?, &node, &plan).await?);
            }
            for (what, count) in sums.table() {
                println!("  {count:>9}  {what}");
            }
            // Whoever is paid twice or not at all would have ended the run as an error.
            println!("  every recipient was paid exactly once");
            println!("  {:>9.0}  seconds in all", started.elapsed().as_secs_f64());
        }
    }
    Ok(())
}

async fn round_in_full(options: &Options) -> anyhow::Result<()> {
    for &store in &options.stores {
        let server = server(store)?;
        for &format in &options.formats {
            let plan = round::Plan {
                wallets: options.wallets,
                tokens: options.tokens,
                format,
                seed: options.seed,
            };
            println!(
                "{}, {}: SOL to {} wallets, a token to {}, and back, seed {}",
                store.name(),
                format.as_str(),
                plan.wallets,
                plan.tokens,
                plan.seed
            );
            let node = TestNode::start_engine(NodeOptions::default())?;
            let legs = round::run(&place(server.as_ref())?, &node, &plan).await?;
            for leg in legs {
                println!(
                    "  {:>6} items in {:>4} transactions, fees {} SOL, {:>6.1} s, {:>5.0} items a minute: {}",
                    leg.items,
                    leg.transactions,
                    leg.fees,
                    leg.took.as_secs_f64(),
                    leg.items as f64 * 60.0 / leg.took.as_secs_f64(),
                    leg.what
                );
            }
            // A lamport that is nowhere would have ended the run as an error.
            println!("  every lamport and every unit is where it must be");
        }
    }
    Ok(())
}
