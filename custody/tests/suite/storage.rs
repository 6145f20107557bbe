//! The file and what may be wrong with it: a clear error each, and nothing lost.

use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;

use keyward_custody::{Custody, CustodyError, OpenOptions, StoreLocation, VaultStatus};

use crate::fixture::{Fixture, password, transfer};

async fn open(fixture: &Fixture) -> Result<Custody, CustodyError> {
    Custody::open(&fixture.location(), fixture.options()).await
}

/// A vault with a few hundred wallets, closed.
async fn closed() -> Fixture {
    let fixture = Fixture::new();
    fixture.vault(400).await.close().await.unwrap();
    fixture
}

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn files_and_folders_are_the_owners_alone() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    assert_eq!(mode(fixture.path().parent().unwrap()), 0o700);
    let mut seen = 0;
    for file in std::fs::read_dir(fixture.path().parent().unwrap()).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
        seen += 1;
    }
    assert_eq!(seen, 3, "the database, its journal and the journal's index");
    custody.close().await.unwrap();
    std::fs::set_permissions(fixture.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    fixture.open().await;
    assert_eq!(mode(&fixture.path()), 0o600, "too open a file is closed");
}

#[tokio::test]
async fn the_durability_that_signing_relies_on_is_set() {
    let fixture = Fixture::new();
    let _custody = fixture.vault(0).await;
    let mut database = fixture.database().await;
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&mut database)
        .await
        .unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn what_is_no_database_is_left_alone() {
    let long = [b"This is a letter, not a vault. ".repeat(200)].concat();
    for content in [&b"x"[..], &b"SQLite format 2\0"[..], &long[..]] {
        let fixture = Fixture::new();
        std::fs::create_dir_all(fixture.path().parent().unwrap()).unwrap();
        std::fs::write(fixture.path(), content).unwrap();
        let error = open(&fixture).await.unwrap_err();
        assert!(matches!(error, CustodyError::Damaged { .. }), "{error}");
        assert_eq!(std::fs::read(fixture.path()).unwrap(), content);
    }
    let fixture = Fixture::new();
    std::fs::create_dir_all(fixture.path()).unwrap();
    assert!(open(&fixture).await.is_err(), "a folder");
}

#[tokio::test]
async fn a_file_cut_short_or_overwritten_is_damaged() {
    for keep in [17, 100, 512, 4096, 5000, 8192, 65_536] {
        let fixture = closed().await;
        std::fs::OpenOptions::new()
            .write(true)
            .open(fixture.path())
            .unwrap()
            .set_len(keep)
            .unwrap();
        let error = open(&fixture).await.unwrap_err();
        assert!(
            matches!(error, CustodyError::Damaged { .. }),
            "cut to {keep}: {error:?}"
        );
    }
    for at in [100, 4096, 12_288, 40_960] {
        let fixture = closed().await;
        let mut file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(fixture.path())
            .unwrap();
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(&[0xa5; 2048]).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        let mut before = Vec::new();
        file.read_to_end(&mut before).unwrap();
        let error = open(&fixture).await.unwrap_err();
        assert!(
            matches!(error, CustodyError::Damaged { .. }),
            "overwritten at {at}: {error:?}"
        );
        assert!(!error.remedy().is_empty());
        assert_eq!(
            std::fs::read(fixture.path()).unwrap(),
            before,
            "the evidence stays"
        );
    }
}

#[tokio::test]
async fn a_database_held_by_another_process_is_waited_for_and_then_busy() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let options = OpenOptions {
        busy_timeout_ms: 20,
        ..fixture.options()
    };
    let hurried = Custody::open(&fixture.location(), options).await.unwrap();
    hurried.unlock(&password(), None).await.unwrap();
    let mut database = fixture.database().await;
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut database)
        .await
        .unwrap();
    let error = hurried.sign_transaction(transfer(5, 1)).await.unwrap_err();
    assert_eq!(error.code(), "busy", "{error}");
    // Reading goes on.
    assert!(matches!(
        hurried.status().await.unwrap(),
        VaultStatus::Unlocked(_)
    ));
    // One with patience gets its turn.
    let patient = tokio::spawn(async move { custody.sign_transaction(transfer(6, 1)).await });
    sqlx::query("COMMIT").execute(&mut database).await.unwrap();
    patient.await.unwrap().unwrap();
    hurried.sign_transaction(transfer(5, 1)).await.unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_not_touched() {
    let fixture = closed().await;
    fixture
        .sql("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9001, 'later', 1, x'00', 0)")
        .await;
    let newest = fixture
        .number("SELECT MAX(version) FROM _sqlx_migrations WHERE version < 9001")
        .await;
    let error = open(&fixture).await.unwrap_err();
    assert!(
        matches!(error, CustodyError::NewerSchema { found: 9001, known } if known == newest),
        "{error:?}"
    );
    fixture
        .sql("DELETE FROM _sqlx_migrations WHERE version = 9001")
        .await;
    fixture.unlocked().await;
}

#[tokio::test]
async fn a_schema_that_is_not_ours_is_refused() {
    let fixture = closed().await;
    fixture.sql("UPDATE _sqlx_migrations SET checksum = x'00'").await;
    assert!(matches!(open(&fixture).await, Err(CustodyError::Damaged { .. })));
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_an_error_of_its_own() {
    let location = StoreLocation::from_path("/proc/keyward-no-such-place/vault.db");
    let error = Custody::open(&location, OpenOptions::default())
        .await
        .unwrap_err();
    assert!(
        matches!(error, CustodyError::ReadOnly | CustodyError::Storage(_)),
        "{error:?}"
    );
    assert!(!error.to_string().is_empty());
}

#[tokio::test]
async fn the_tables_make_wrong_states_impossible() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    custody.sign_transaction(transfer(5, 1)).await.unwrap();
    let mut database = fixture.database().await;
    for pragma in [
        "PRAGMA ignore_check_constraints = OFF",
        "PRAGMA foreign_keys = ON",
    ] {
        sqlx::query(pragma).execute(&mut database).await.unwrap();
    }
    for statement in [
        "INSERT INTO vaults (vault_id, header, audit_key, created_at) VALUES (zeroblob(16), x'00', zeroblob(32), 0)",
        "UPDATE vaults SET singleton = 2",
        "UPDATE intents SET signature = NULL",
        "UPDATE intents SET state = 'authorised'",
        "UPDATE intents SET finished_at = NULL",
        "UPDATE intents SET state = 'sent'",
        "UPDATE intents SET wallet_id = 99",
        "DELETE FROM intents",
        "UPDATE spend_reservations SET amount_low = -1",
        "UPDATE wallets SET derivation_index = 2147483648",
        "UPDATE wallets SET derivation_index = 'x'",
        "INSERT INTO tags (wallet_id, tag) VALUES (99, 't')",
        "INSERT INTO audit_state SELECT 2, size, frontier, signed_size, signed_frontier, head_signature, last_at FROM audit_state",
        "INSERT INTO audit_entries SELECT * FROM audit_entries",
    ] {
        assert!(
            sqlx::query(statement).execute(&mut database).await.is_err(),
            "{statement}"
        );
    }
}
