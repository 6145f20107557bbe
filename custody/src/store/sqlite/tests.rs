//! What only the writer's own connection can show: a full disk, a read-only one, and sums of reservations.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use keyward_core::account::AccountAddress;
use keyward_core::amount::Lamports;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::policy::PolicyLimits;
use sqlx::AssertSqlSafe;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::SqliteStore;
use crate::store::OpenStore;
use crate::store::{Ask, IntentKind, NewIntent, SpendWindow, Write, transact};
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
    let request = DeriveRequest {
        start: None,
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
    let mut writer = store.writer.lock().await;
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
        AuditReport::Intact { entries: 3, .. }
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
async fn a_closed_handle_says_so() {
    let (_folder, _clock, custody) = vault().await;
    custody.close().await.unwrap();
    assert!(matches!(derive(&custody, 1).await, Err(CustodyError::Locked)));
    assert!(matches!(custody.status().await, Err(CustodyError::Storage(_))));
    assert!(matches!(
        custody.unlock(&Password::new(String::new()), None).await,
        Err(CustodyError::Storage(_))
    ));
}

/// Reserves amounts at times, then sums the last 1000 ms of `sol` at each moment asked for.
async fn check_windows(reserved: &[(u64, &str, u128)], asked: &[(u64, u128)]) {
    let (_folder, clock, custody) = vault().await;
    let wallet = custody.wallet("#0").await.unwrap().address;
    for (at, (time, asset, amount)) in reserved.iter().enumerate() {
        clock.0.store(*time, Ordering::SeqCst);
        let hash = [u8::try_from(at).unwrap(); 32];
        reserve(&custody, wallet, hash, asset, *amount).await;
    }
    for (now, expected) in asked {
        clock.0.store(*now, Ordering::SeqCst);
        assert_eq!(spent(&custody, Vec::new()).await, *expected, "at {now}");
    }
    // An intent's own reservation does not stand in its way.
    if let [(now, everything), ..] = asked {
        clock.0.store(*now, Ordering::SeqCst);
        let (_, _, own) = reserved[0];
        assert_eq!(spent(&custody, vec![[0; 32]]).await, everything - own);
    }
}

async fn reserve(custody: &Custody, wallet: AccountAddress, hash: [u8; 32], asset: &str, amount: u128) {
    let ask = Ask {
        wallets: vec![wallet],
        ..Ask::default()
    };
    let decide = |_: &mut _, facts: crate::store::Facts| {
        let wallet = facts.wallets[0].id;
        let intent = NewIntent {
            hash,
            wallet,
            kind: IntentKind::Transaction,
            network: "test".to_owned(),
            policy_version: 1,
            message_sha256: hash,
        };
        let reservation = Write::Reservation {
            intent: hash,
            wallet,
            asset: asset.to_owned(),
            amount,
            earlier: Vec::new(),
        };
        Ok((vec![Write::Intent(intent), reservation], ()))
    };
    transact(custody.store(), ask, decide).await.unwrap();
}

async fn spent(custody: &Custody, intents: Vec<[u8; 32]>) -> u128 {
    let window = SpendWindow {
        asset: "sol".to_owned(),
        duration_ms: 1_000,
    };
    let ask = Ask {
        windows: vec![window],
        intents,
        ..Ask::default()
    };
    custody.store().look(ask).await.unwrap().spent[0]
}

#[tokio::test]
async fn windows_slide() {
    let reserved = [
        (5_000, "sol", 1),
        (5_400, "token:x", 64),
        (5_500, "sol", 10),
        (5_999, "sol", 100),
    ];
    let asked = [
        (5_999, 111),
        (6_000, 110),
        (6_499, 110),
        (6_500, 100),
        (6_998, 100),
        (6_999, 0),
        (100, 111),
    ];
    check_windows(&reserved, &asked).await;
}

#[tokio::test]
async fn sums_are_exact_beyond_64_bits() {
    let largest = u128::from(u64::MAX);
    let high = largest - 10;
    check_windows(&[(5_000, "sol", high), (5_000, "sol", 10)], &[(5_000, largest)]).await;
    let (_folder, clock, custody) = vault().await;
    let wallet = custody.wallet("#0").await.unwrap().address;
    clock.0.store(5_000_000, Ordering::SeqCst);
    for hash in 1..=3 {
        reserve(&custody, wallet, [hash; 32], "sol", largest).await;
    }
    assert_eq!(spent(&custody, Vec::new()).await, 3 * largest);
    assert_eq!(spent(&custody, vec![[1; 32], [2; 32], [3; 32]]).await, 0);
}
