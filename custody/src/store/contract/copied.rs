//! A store with everything in it, copied from a file to a server and back.

use std::collections::BTreeSet;

use keyward_core::address::{Address, Signature};
use keyward_core::amount::Lamports;
use keyward_core::ed25519;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use super::scene::{Place, Scene, intent, open, reservation};
use crate::SettingKey;
use crate::store::rows::tests::{ADVICE, on_postgres, on_sqlite};
use crate::store::rows::{Hold, Row, TABLES};
use crate::store::{Store, Write};
use crate::transfer::Repeat;
use crate::{AuditReport, Custody, CustodyError, DeriveRequest, KeyImport, NewAttempt, Password, Progress};

type Contents = Vec<(&'static str, Vec<Row>)>;

/// Every row of every table.
async fn contents(store: &dyn Store) -> Contents {
    let mut dump = store.dump(Hold::Snapshot).await.unwrap();
    let mut contents = Vec::new();
    for table in TABLES {
        let mut rows: Vec<Row> = Vec::new();
        loop {
            // A small and odd number, so that pages end in the middle of things.
            let page = dump.page(table, rows.last(), 3).await.unwrap();
            if page.is_empty() {
                break;
            }
            rows.extend(page);
        }
        contents.push((table.name, rows));
    }
    dump.release().await.unwrap();
    contents
}

fn password() -> Password {
    Password::new("tidal wicker omen 9041".to_owned())
}

/// A vault that has something in every table and in every column.
async fn full() -> Scene {
    let scene = Scene::new(Place::file()).await;
    let custody = &scene.custody;
    let other = Mnemonic::from_entropy(&[8; 32]).unwrap();
    let phrase = custody
        .import_phrase(&other, "x", "zweite", PathFamily::Bip44)
        .await
        .unwrap();
    for (master, family) in [(None, PathFamily::EvmBip44), (Some(phrase.id), PathFamily::Bip44)] {
        let request = DeriveRequest {
            master,
            family: Some(family),
            count: 5,
            ..DeriveRequest::default()
        };
        custody.derive_wallets(request, &Progress::new()).await.unwrap();
    }
    let imported = custody
        .import_keys(vec![KeyImport {
            key: ed25519::SecretKey::from_seed(&[9; 32]).into(),
            label: "κλειδί".to_owned(),
            tags: ["zebra", "Ärger", "hot"].map(str::to_owned).to_vec(),
            password: Some(Password::new("wicker omen tidal 7733".to_owned())),
        }])
        .await
        .unwrap();
    custody
        .add_tags(&imported.added, &["cold".to_owned()])
        .await
        .unwrap();
    let changes = [(SettingKey::MaxWalletsPerOwner, 7)];
    custody
        .change_settings(&changes, &password(), None)
        .await
        .unwrap();
    custody.rotate_vault_key(&password(), None).await.unwrap();
    custody.audit_checkpoint().await.unwrap();
    let wallet = scene.id().await;
    scene
        .write(vec![
            Write::Intent(intent([1; 32], wallet)),
            Write::Intent(intent([2; 32], wallet)),
            Write::IntentFailed { hash: [2; 32] },
            reservation([1; 32], wallet, "sol", u128::MAX, Vec::new()),
            reservation([2; 32], wallet, "a-token", 1 << 64, Vec::new()),
            Write::WalletLockout {
                wallet,
                failed_passwords: 3,
                locked_until_ms: 2_000_000,
            },
        ])
        .await
        .unwrap();
    scene.write(super::holdings::everything()).await.unwrap();
    let attempt = NewAttempt {
        wallet: scene.wallet.to_string().parse().unwrap(),
        recipient: Address::new([7; 32]),
        amount: Lamports::new(5).into(),
        signature: Signature::new([3; 64]),
        transaction: vec![0, 255, 10, 92, 9],
        last_valid_block_height: u64::from(u32::MAX) * 1_000,
        network: "a\\network\twith\nall".to_owned(),
        nonce: None,
    };
    custody.record_attempt(attempt, Repeat::Refuse).await.unwrap();
    super::jobs::fill(&scene).await;
    scene
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_with_everything_comes_back_equal() {
    let scene = full().await;
    let (server, back) = (Place::database(), Place::file());
    let report = scene
        .custody
        .copy_store(&server.location(), &Progress::new())
        .await
        .unwrap();
    let first = contents(scene.store()).await;
    let held: Vec<&str> = first
        .iter()
        .filter(|(_, rows)| !rows.is_empty())
        .map(|(name, _)| *name)
        .collect();
    assert!(held.len() >= 18, "only {held:?} hold anything");
    let counted: Vec<(&str, u64)> = first
        .iter()
        .map(|(name, rows)| (*name, rows.len() as u64))
        .collect();
    assert_eq!(report.tables, counted);

    let copy = open(&server, &scene.clock).await;
    assert_eq!(contents(copy.store()).await, first);
    assert_intact(&copy, report.audit_root).await;
    copy.unlock(&password(), None).await.unwrap();
    let second = copy.copy_store(&back.location(), &Progress::new()).await.unwrap();
    let on_server = contents(copy.store()).await;
    let again = open(&back, &scene.clock).await;
    assert_eq!(contents(again.store()).await, on_server);
    assert_intact(&again, second.audit_root).await;
    // What came back differs from what left by the log of what was done on the way, and by nothing else.
    for ((name, left), (_, came)) in first.iter().zip(&on_server) {
        match *name {
            "audit_entries" => assert_eq!(left[..], came[..left.len()]),
            "audit_state" => {}
            _ => assert_eq!(left, came, "{name}"),
        }
    }
    // Its keys open and go on: ids and indices are where they were.
    again.unlock(&password(), None).await.unwrap();
    assert_eq!(super::derive(&again).await.unwrap(), 1);
    let wallet = again.wallet("κλειδί").await.unwrap();
    assert_eq!(wallet.tags.len(), 4);
}

async fn assert_intact(custody: &Custody, expected: [u8; 32]) {
    match custody.audit_verify(None).await.unwrap() {
        AuditReport::Intact { root, .. } => assert_eq!(root, expected),
        AuditReport::Broken { sequence, reason } => panic!("{sequence}: {reason}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_an_empty_store_is_filled_and_a_failure_leaves_it_empty() {
    let scene = Scene::new(Place::file()).await;
    for taken in [
        Scene::new(Place::file()).await,
        Scene::new(Place::database()).await,
    ] {
        let before = contents(taken.store()).await;
        let error = scene
            .custody
            .copy_store(&taken.place.location(), &Progress::new())
            .await
            .unwrap_err();
        assert!(
            matches!(error, CustodyError::Invalid { what: "target", .. }),
            "{error:?}"
        );
        assert_eq!(contents(taken.store()).await, before);
    }
    for place in [Place::file(), Place::database()] {
        let cancelled = Progress::new();
        cancelled.cancel();
        let error = scene
            .custody
            .copy_store(&place.location(), &cancelled)
            .await
            .unwrap_err();
        assert!(matches!(error, CustodyError::Cancelled), "{error:?}");
        let target = open(&place, &scene.clock).await;
        assert!(
            contents(target.store())
                .await
                .iter()
                .all(|(_, rows)| rows.is_empty())
        );
        // And the next try is not in its way.
        scene
            .custody
            .copy_store(&place.location(), &Progress::new())
            .await
            .unwrap();
    }
    scene.custody.lock().await;
    let error = scene
        .custody
        .copy_store(&Place::file().location(), &Progress::new())
        .await
        .unwrap_err();
    assert!(matches!(error, CustodyError::Locked), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_in_the_source_is_not_copied() {
    for (statement, word) in [
        (
            "UPDATE audit_entries SET details = 'other' WHERE sequence = 1",
            "hash",
        ),
        (
            "UPDATE audit_state SET signed_size = 1, signed_frontier = frontier",
            "edge",
        ),
    ] {
        let scene = Scene::new(Place::file()).await;
        on_file(&scene.place, statement).await;
        let target = Place::file();
        let error = scene
            .custody
            .copy_store(&target.location(), &Progress::new())
            .await
            .unwrap_err();
        assert!(format!("{error}").contains(word) || matches!(error, CustodyError::AuditBroken { .. }));
        let target = open(&target, &scene.clock).await;
        assert!(
            contents(target.store())
                .await
                .iter()
                .all(|(_, rows)| rows.is_empty())
        );
    }
}

/// A statement past the store.
async fn on_file(place: &Place, statement: &str) {
    let mut database = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(place.location().file().unwrap())
        .connect()
        .await
        .unwrap();
    database
        .execute(AssertSqlSafe(statement.to_owned()))
        .await
        .unwrap();
    database.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_column_of_both_databases_is_known() {
    let scene = Scene::new(Place::file()).await;
    let mut file = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(scene.place.location().file().unwrap())
        .connect()
        .await
        .unwrap();
    let live: Vec<(String, String)> = sqlx::query_as(
        "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name <> '_sqlx_migrations'",
    )
    .fetch_all(&mut file)
    .await
    .unwrap();
    assert_eq!(BTreeSet::from_iter(live), on_sqlite(), "{ADVICE}");
    let scene = Scene::new(Place::database()).await;
    let Place::Database(url) = &scene.place else {
        unreachable!()
    };
    let mut server = sqlx::PgConnection::connect(url).await.unwrap();
    let live: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_name::TEXT, column_name::TEXT FROM information_schema.columns \
         WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'",
    )
    .fetch_all(&mut server)
    .await
    .unwrap();
    assert_eq!(BTreeSet::from_iter(live), on_postgres(), "{ADVICE}");
    // A nullable column is one there: its NULL has bytes of its own.
    let nullable: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_name::TEXT, column_name::TEXT FROM information_schema.columns \
         WHERE table_schema = 'public' AND is_nullable = 'YES' AND table_name <> '_sqlx_migrations'",
    )
    .fetch_all(&mut server)
    .await
    .unwrap();
    let known = TABLES.iter().flat_map(|table| {
        let nullable = table.columns.iter().filter(|column| column.nullable);
        nullable.map(|column| (table.name.to_owned(), column.name.to_owned()))
    });
    assert_eq!(BTreeSet::from_iter(nullable), BTreeSet::from_iter(known));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_is_looked_at_without_making_one() {
    for place in [Place::file(), Place::database()] {
        let location = place.location();
        if let Some(path) = location.file() {
            let error = crate::relocate::schema_state(&location).await.unwrap_err();
            assert!(matches!(error, CustodyError::NotInitialised), "{error:?}");
            assert!(!path.exists());
            std::fs::write(path, "").unwrap();
        }
        for _ in 0..2 {
            let state = crate::relocate::schema_state(&location).await.unwrap();
            assert_eq!(state.version, 0);
            assert_eq!(state.missing.last().unwrap().version, state.newest);
        }
        let before = crate::relocate::migrate(&location).await.unwrap();
        assert_eq!(before.version, 0);
        let after = crate::relocate::schema_state(&location).await.unwrap();
        assert_eq!((after.version, after.missing), (before.newest, Vec::new()));
    }
}
