//! Eight processes at once: what one may not exceed, they may not together, and nothing of what one was told is lost.

use keyward_tests::chaos::contend::{self, Plan};
use keyward_tests::chaos::place::{Place, Store};

/// Enough for every limit to bind, and little enough for a busy machine.
const OPERATIONS: u64 = 600;

async fn contended(store: Store) -> anyhow::Result<()> {
    let plan = Plan {
        program: env!("CARGO_BIN_EXE_chaos").into(),
        processes: 8,
        tasks: 2,
        operations: OPERATIONS,
        seed: u64::from(std::process::id()),
    };
    let outcome = contend::run(&Place::new(store)?, &plan).await?;
    let found = |what: &str| outcome.findings.get(what).copied().unwrap_or(0);
    // Every limit was reached, and every kind of success too: what is held against them is not empty.
    for (what, least) in [
        ("indices: ranges taken", 60),
        ("payments: signed", 40),
        ("payments asked for by all: signed", 20),
        ("owners: wallets given or taken", 20),
        ("owners: primary wallets switched", 10),
        ("refused: owner-full", 1),
        ("refused: rate-limited", 5),
        ("refused: over-window", 5),
    ] {
        anyhow::ensure!(
            found(what) >= least,
            "{what}: {}, seed {}",
            found(what),
            plan.seed
        );
    }
    Ok(())
}

#[tokio::test]
async fn eight_processes_on_one_file() -> anyhow::Result<()> {
    contended(Store::Sqlite).await
}

#[tokio::test]
async fn eight_processes_on_one_database() -> anyhow::Result<()> {
    contended(Store::Postgres).await
}
