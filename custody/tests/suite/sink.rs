//! The audit sink on a real vault: everything that was committed, in order, exactly so, and only that.

use std::sync::{Arc, Mutex};

use keyward_custody::{
    AuditSink, CommittedEntry, Custody, CustodyError, MissedEntries, OpenOptions, PrometheusMetrics,
    SigningStep, SinkError, WalletQuery,
};

use crate::exposition::parse;
use crate::fixture::{Fixture, password, transfer, transfer_from};

/// Keeps everything.
#[derive(Default)]
struct Keeper(Mutex<Vec<CommittedEntry>>);

impl AuditSink for Keeper {
    fn write(&self, entries: &[CommittedEntry]) -> Result<(), SinkError> {
        self.0.lock().unwrap().extend_from_slice(entries);
        Ok(())
    }

    fn missed(&self, missed: MissedEntries) -> Result<(), SinkError> {
        panic!("nothing is missed here: {missed:?}");
    }
}

async fn followed(fixture: &Fixture) -> (Custody, Arc<Keeper>) {
    let keeper = Arc::new(Keeper::default());
    let options = OpenOptions {
        audit_sink: Some(keeper.clone()),
        ..fixture.options()
    };
    (Custody::open(&fixture.location(), options).await.unwrap(), keeper)
}

/// Hashes of the log's leaves, by sequence.
async fn leaves(fixture: &Fixture) -> Vec<Vec<u8>> {
    let mut leaves = Vec::new();
    for sequence in 0..fixture.number("SELECT COUNT(*) FROM audit_entries").await {
        let query = format!("SELECT leaf_hash FROM audit_entries WHERE sequence = {sequence}");
        leaves.push(fixture.blob(&query).await);
    }
    leaves
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_sign_and_the_sink_sees_the_log_as_it_is() {
    let fixture = Fixture::new();
    fixture.vault(4).await.close().await.unwrap();
    let before = leaves(&fixture).await.len();
    let (custody, keeper) = followed(&fixture).await;
    custody.unlock(&password(), None).await.unwrap();
    let query = WalletQuery {
        limit: 4,
        ..WalletQuery::default()
    };
    let wallets = custody.wallets(&query).await.unwrap().rows;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..24_u8 {
        let custody = custody.clone();
        let payer = *wallets[usize::from(task) % 4].solana().unwrap();
        tasks.spawn(async move {
            for lamports in 1..=3 {
                custody
                    .sign_transaction(transfer_from(payer, lamports, task))
                    .await
                    .unwrap();
            }
            custody
                .sign_transaction(transfer_from(payer, u64::MAX / 2, task))
                .await
                .unwrap_err();
        });
    }
    tasks.join_all().await;
    custody.close().await.unwrap();
    let kept = keeper.0.lock().unwrap().clone();
    // Unlocked, 24 times three signatures of two entries each and one refusal, locked.
    assert_eq!(kept.len(), 1 + 24 * 7 + 1);
    let leaves = leaves(&fixture).await;
    assert_eq!(before + kept.len(), leaves.len());
    for (committed, (sequence, leaf)) in kept.iter().zip(leaves.iter().enumerate().skip(before)) {
        assert_eq!(committed.entry.sequence, u64::try_from(sequence).unwrap());
        assert_eq!(committed.entry.leaf_hash(), committed.leaf_hash);
        assert_eq!(&committed.leaf_hash[..], leaf);
    }
}

#[tokio::test]
async fn what_was_not_committed_is_not_told() {
    let fixture = Fixture::new();
    fixture.vault(1).await.close().await.unwrap();
    let (custody, keeper) = followed(&fixture).await;
    custody.unlock(&password(), None).await.unwrap();
    let count = || keeper.0.lock().unwrap().len();
    // The log cannot be written: nothing happens, and nothing is told.
    fixture.sql("UPDATE audit_state SET size = size + 1").await;
    let error = custody.sign_transaction(transfer(5, 1)).await.unwrap_err();
    assert_eq!(error.code(), "audit-broken", "{error}");
    fixture.sql("UPDATE audit_state SET size = size - 1").await;
    // The task ends between deciding and committing.
    *fixture.steps.end_after.lock().unwrap() = Some(SigningStep::Evaluated);
    let signing = custody.clone();
    let ended = tokio::spawn(async move { signing.sign_transaction(transfer(5, 2)).await });
    assert!(ended.await.unwrap_err().is_panic());
    *fixture.steps.end_after.lock().unwrap() = None;
    custody.sign_transaction(transfer(5, 3)).await.unwrap();
    custody.close().await.unwrap();
    assert_eq!(count(), 1 + 2 + 1, "unlocked, authorised, signed, locked");
}

/// Never takes anything.
struct Broken;

impl AuditSink for Broken {
    fn write(&self, _: &[CommittedEntry]) -> Result<(), SinkError> {
        Err("no".into())
    }

    fn missed(&self, _: MissedEntries) -> Result<(), SinkError> {
        Err("no".into())
    }
}

#[tokio::test]
async fn a_broken_sink_neither_stops_signing_nor_loses_the_log() {
    let fixture = Fixture::new();
    fixture.vault(1).await.close().await.unwrap();
    let metrics = Arc::new(PrometheusMetrics::new());
    let custody = Custody::builder()
        .storage(fixture.location())
        .clock(fixture.clock.clone())
        .metrics(metrics.clone())
        .audit_sink(Arc::new(Broken))
        .audit_queue(1)
        .open()
        .await
        .unwrap();
    custody.unlock(&password(), None).await.unwrap();
    for nonce in 0..20 {
        custody.sign_transaction(transfer(5, nonce)).await.unwrap();
    }
    custody.close().await.unwrap();
    let read = parse(&metrics.render()).unwrap();
    let fate = |fate| read.value("keyward_audit_entries_total", &[("fate", fate)]);
    assert_eq!(fate("committed"), 42.0);
    assert_eq!(fate("delivered"), 0.0);
    assert_eq!(fate("dropped") + fate("failed"), 42.0);
    // As many as the vault's making wrote, and these.
    assert_eq!(
        fixture
            .number("SELECT COUNT(*) FROM audit_entries WHERE operation LIKE 'sign%'")
            .await,
        40
    );
}

#[tokio::test]
async fn a_queue_that_cannot_be_is_refused() {
    let fixture = Fixture::new();
    for entries in [0, 1_000_001] {
        let opened = Custody::builder()
            .storage(fixture.location())
            .audit_sink(Arc::new(Broken))
            .audit_queue(entries)
            .open();
        assert!(
            matches!(opened.await, Err(CustodyError::Invalid { .. })),
            "{entries}"
        );
    }
}
