//! Processes that pay on a real node, killed with signal 9 at random moments: everybody is paid exactly once.

use keyward_tests::chaos::pay::{self, Findings, Plan};
use keyward_tests::chaos::place::{Place, Store};
use keyward_tests::node::{NodeOptions, TestNode};

async fn killed(store: Store, bad_road: bool, kills: u32) -> anyhow::Result<Findings> {
    let plan = Plan {
        program: env!("CARGO_BIN_EXE_chaos").into(),
        kills,
        recipients: 60,
        together: 3,
        bad_road,
        seed: u64::from(std::process::id()),
    };
    let node = TestNode::start_engine(NodeOptions { slot_ms: 50 })?;
    let findings = pay::run(&Place::new(store)?, &node, &plan).await?;
    anyhow::ensure!(findings.kills >= u64::from(kills), "{findings:?}");
    anyhow::ensure!(findings.paid == findings.jobs * 60, "{findings:?}");
    Ok(findings)
}

#[tokio::test]
async fn paying_from_a_file() -> anyhow::Result<()> {
    killed(Store::Sqlite, false, 6).await.map(|_| ())
}

#[tokio::test]
async fn paying_from_a_database() -> anyhow::Result<()> {
    killed(Store::Postgres, false, 4).await.map(|_| ())
}

#[tokio::test]
async fn paying_over_a_bad_road() -> anyhow::Result<()> {
    let findings = killed(Store::Sqlite, true, 4).await?;
    anyhow::ensure!(findings.mischief.len() > 5, "{findings:?}");
    Ok(())
}
