//! What only the writer's own connection can show: a full disk and a read-only one.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;
use keyward_core::amount::Lamports;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::policy::PolicyLimits;
use sqlx::AssertSqlSafe;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::SqliteStore;
use crate::store::OpenStore;
use crate::{
    AuditReport, Clock, Custody, CustodyError, DeriveRequest, NewVault, OpenOptions, Password, Progress,
    SignError, StoreLocation, WalletQuery,
};

struct StillClock(AtomicU64);

impl Clock for StillClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

async fn vault() -> (TempDir, Arc<StillClock>, Custody) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(StillClock(AtomicU64::new(1_000_000)));
    let options = OpenOptions {
        clock: clock.clone(),
        ..OpenOptions::default()
    };
    let location = StoreLocation::from_path(folder.path().join("vault.db"));
    let custody = Custody::open(&location, options).await.unwrap();
    let new = NewVault {
        password: Password::new("tidal wicker omen 9041".to_owned()),
        second_factor: None,
        kdf: "scrypt-16384".parse().unwrap(),
        limits: PolicyLimits {
            sol_per_transaction: Lamports::ONE_SOL,
            tokens_per_transaction: 1,
            max_priority_fee: Lamports::ONE_SOL,
            evm: None,
        },
        mnemonic: Mnemonic::from_entropy(&[7; 16]).unwrap(),
        passphrase: Zeroizing::new(String::new()),
        family: PathFamily::Bip44Change,
    };
    custody.create_vault(new).await.unwrap();
    derive(&custody, 1).await.unwrap();
    (folder, clock, custody)
}

async fn derive(custody: &Custody, count: u32) -> Result<u32, CustodyError> {
    derive_from(custody, None, count).await
}

async fn derive_from(custody: &Custody, start: Option<u32>, count: u32) -> Result<u32, CustodyError> {
    let request = DeriveRequest {
        start,
        count,
        ..DeriveRequest::default()
    };
    custody
        .derive_wallets(request, &Progress::new())
        .await
        .map(|range| range.added)
}

fn sqlite(custody: &Custody) -> &SqliteStore {
    match custody.opened() {
        OpenStore::Sqlite(store) => store,
        OpenStore::Postgres(_) => panic!("not a file"),
    }
}

async fn pragma(store: &SqliteStore, text: &str) -> i64 {
    let mut writer = store.writers.idle().await;
    let query = sqlx::query_scalar(AssertSqlSafe(format!("PRAGMA {text}")));
    query
        .fetch_optional(writer.as_mut().unwrap().connection())
        .await
        .unwrap()
        .unwrap_or(0)
}

#[tokio::test]
async fn a_full_disk_is_said_and_loses_nothing() {
    let (_folder, _clock, custody) = vault().await;
    let pages = pragma(sqlite(&custody), "page_count").await;
    pragma(sqlite(&custody), &format!("max_page_count = {pages}")).await;
    let error = derive(&custody, 2_000).await.unwrap_err();
    assert!(matches!(error, CustodyError::DiskFull), "{error}");
    assert_eq!(custody.wallets(&WalletQuery::default()).await.unwrap().total, 1);
    assert!(matches!(
        custody.audit_verify(None).await.unwrap(),
        AuditReport::Intact { entries: 2, .. }
    ));
    // Room again: as if nothing had happened.
    pragma(sqlite(&custody), "max_page_count = 1000000").await;
    assert_eq!(derive(&custody, 2_000).await.unwrap(), 2_000);
    assert!(matches!(
        custody.audit_verify(None).await.unwrap(),
        AuditReport::Intact { entries: 3.., .. }
    ));
}

#[tokio::test]
async fn a_read_only_database_is_said_and_signs_nothing() {
    let (_folder, _clock, custody) = vault().await;
    let wallet = custody.wallet("#0").await.unwrap().address;
    pragma(sqlite(&custody), "query_only = ON").await;
    assert!(matches!(derive(&custody, 1).await, Err(CustodyError::ReadOnly)));
    let error = custody.sign_message(&wallet, b"hello").await.unwrap_err();
    assert!(
        matches!(error, SignError::Custody(CustodyError::ReadOnly)),
        "{error}"
    );
    // A refusal that cannot be written says that, whatever it was for.
    let error = custody.sign_message(&wallet, &[b'x'; 65_537]).await.unwrap_err();
    assert!(
        matches!(error, SignError::Custody(CustodyError::AuditUnwritable(_))),
        "{error}"
    );
    pragma(sqlite(&custody), "query_only = OFF").await;
    custody.sign_message(&wallet, b"hello").await.unwrap();
}

#[tokio::test]
async fn everyone_in_a_commit_that_fails_is_told() {
    let (_folder, _clock, custody) = vault().await;
    let store = sqlite(&custody);
    let mut writer = store.writers.idle().await;
    let connection = writer.as_mut().unwrap().connection();
    connection.lock_handle().await.unwrap().set_commit_hook(|| false);
    // All of them wait while it is held, and so share the first commit.
    let mut all = pin!(join_all((0..9).map(|_| derive(&custody, 1))));
    assert!(futures_util::poll!(all.as_mut()).is_pending());
    while store.writers.waiting() < 9 {
        assert!(futures_util::poll!(all.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    drop(writer);
    let told = all.await;
    assert!(told.iter().all(Result::is_err), "{told:?}");
    assert_eq!(custody.wallets(&WalletQuery::default()).await.unwrap().total, 1);
    // As if nothing had happened.
    assert_eq!(derive(&custody, 3).await.unwrap(), 3);
    assert!(matches!(
        custody.audit_verify(None).await.unwrap(),
        AuditReport::Intact { entries: 3, .. }
    ));
}

#[tokio::test]
async fn a_disk_that_is_full_for_one_leaves_everyone_with_the_truth() {
    let (_folder, _clock, custody) = vault().await;
    let store = sqlite(&custody);
    let pages = pragma(store, "page_count").await;
    pragma(store, &format!("max_page_count = {}", pages + 2)).await;
    let held = store.writers.hold().await;
    let asked = [1, 1, 2_000, 1];
    let imports = asked.map(|count| {
        let start = if count == 1 { None } else { Some(500) };
        derive_from(&custody, start, count)
    });
    let mut all = pin!(join_all(imports));
    while store.writers.waiting() < asked.len() {
        assert!(futures_util::poll!(all.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    drop(held);
    let told = all.await;
    assert!(told[2].is_err(), "{told:?}");
    let added: u64 = told.iter().flatten().map(|added| u64::from(*added)).sum();
    let there = custody.wallets(&WalletQuery::default()).await.unwrap().total;
    assert_eq!(there, 1 + added, "{told:?}");
    pragma(store, "max_page_count = 1000000").await;
    assert_eq!(derive(&custody, 2_000).await.unwrap(), 2_000);
    assert!(matches!(
        custody.audit_verify(None).await.unwrap(),
        AuditReport::Intact { .. }
    ));
}
