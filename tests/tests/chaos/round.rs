//! There and back, small, on both stores and in both versions of transactions.

use keyward_custody::jobs::JobFormat;
use keyward_tests::chaos::place::{Place, Store};
use keyward_tests::chaos::round::{Plan, run};
use keyward_tests::node::{NodeOptions, TestNode};

async fn round(store: Store, format: JobFormat) {
    let node = TestNode::start_engine(NodeOptions { slot_ms: 100 }).unwrap();
    let plan = Plan {
        wallets: 24,
        tokens: 9,
        format,
        seed: 7,
    };
    let legs = run(&Place::new(store).unwrap(), &node, &plan).await.unwrap();
    let items: Vec<u64> = legs.iter().map(|leg| leg.items).collect();
    // The wallets' SOL and the holders' tokens come back; then the holders' accounts are closed.
    assert_eq!(items, [24, 9, 33, 9]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_comes_back_to_the_lamport_on_sqlite_in_legacy_transactions() {
    round(Store::Sqlite, JobFormat::Legacy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_comes_back_to_the_lamport_on_postgresql_in_version_1() {
    round(Store::Postgres, JobFormat::V1).await;
}
