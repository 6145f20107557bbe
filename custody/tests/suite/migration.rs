//! A vault of the first schema is brought up to the present one: every row is there, and its wallets sign.

use std::borrow::Cow;

use keyward_core::address::Signature;
use keyward_core::amount::Lamports;
use keyward_custody::transfer::Repeat;
use keyward_custody::{
    AttemptState, AuditReport, Custody, DeriveRequest, NewAttempt, Progress, VaultStatus, WalletQuery,
};
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use crate::fixture::{Fixture, NETWORK, first, password, recipient, transfer, transfer_from};

static ALL: Migrator = sqlx::migrate!("../migrations/sqlite");

/// The tables of the first schema with the columns that they had then, those that refer to others last.
const TABLES: [(&str, &str); 11] = [
    (
        "vaults",
        "vault_id, singleton, header, audit_key, failed_unlocks, locked_until, created_at",
    ),
    (
        "master_wallets",
        "master_id, vault_id, record_id, epoch, path_family, sealed, created_at",
    ),
    (
        "wallets",
        "wallet_id, master_id, derivation_index, path, address, label, last_used_at, created_at, epoch, record_id, \
         sealed",
    ),
    ("tags", "wallet_id, tag"),
    ("policies", "version, vault_id, body, signature, created_at"),
    (
        "intents",
        "intent_hash, wallet_id, kind, network, policy_version, message_sha256, state, signature, authorised_at, \
         finished_at",
    ),
    (
        "spend_reservations",
        "intent_hash, asset, wallet_id, amount_high, amount_low, reserved_at",
    ),
    (
        "attempts",
        "attempt_id, wallet_id, recipient, lamports, signature, wire_bytes, last_valid_block_height, network, state, \
         slot, error, created_at, updated_at",
    ),
    (
        "audit_entries",
        "sequence, recorded_at, actor, operation, wallet, outcome, reason, subject, details, leaf_hash, \
         head_signature",
    ),
    (
        "audit_state",
        "singleton, size, frontier, signed_size, signed_frontier, head_signature, last_at",
    ),
    ("audit_checkpoints", "size, root, note, created_at"),
];

/// A place whose entries are of the log's first format, as they were with the first schema: without clients.
fn first_source() -> Fixture {
    Fixture {
        client: None,
        ..Fixture::new()
    }
}

/// A vault that has done everything the first schema knew.
async fn used(fixture: &Fixture) -> Custody {
    let custody = fixture.vault(5).await;
    custody.set_label(first(), "treasury").await.unwrap();
    custody
        .add_tags(&[first()], &["cold".to_owned(), "eu".to_owned()])
        .await
        .unwrap();
    custody.sign_transaction(transfer(5, 1)).await.unwrap();
    custody.sign_message(first(), b"hello").await.unwrap();
    // A refusal, in the log alone.
    assert!(custody.sign_transaction(transfer(u64::MAX, 2)).await.is_err());
    for nonce in [1, 2] {
        let attempt = NewAttempt {
            wallet: first(),
            recipient: recipient(),
            amount: Lamports::new(5).into(),
            signature: Signature::new([nonce; 64]),
            transaction: vec![nonce; 300],
            last_valid_block_height: 77,
            network: NETWORK.to_owned(),
            nonce: None,
        };
        let id = custody.record_attempt(attempt, Repeat::Separate).await.unwrap();
        if nonce == 2 {
            custody
                .update_attempt(id, AttemptState::Failed, Some(9), Some("no funds".to_owned()))
                .await
                .unwrap();
        }
    }
    custody.audit_checkpoint().await.unwrap();
    custody
}

/// A database of the first schema alone, with the rows of `from`.
async fn old_database(from: &Fixture, into: &Fixture) {
    std::fs::create_dir_all(into.path().parent().unwrap()).unwrap();
    std::fs::File::create_new(into.path()).unwrap();
    let mut database = SqliteConnection::connect(&format!("sqlite://{}", into.path().display()))
        .await
        .unwrap();
    let first = ALL.iter().filter(|migration| migration.version == 1).cloned();
    let only_first = Migrator {
        migrations: Cow::Owned(first.collect()),
        ..Migrator::DEFAULT
    };
    only_first.run_direct(None, &mut database, false).await.unwrap();
    let attach = format!("ATTACH '{}' AS new", from.path().display());
    sqlx::raw_sql(AssertSqlSafe(attach))
        .execute(&mut database)
        .await
        .unwrap();
    for (table, columns) in TABLES {
        let copy = if table == "master_wallets" {
            // The next index was a column of its phrase.
            format!(
                "INSERT INTO main.master_wallets ({columns}, next_index) SELECT {columns}, \
                 (SELECT next_index FROM new.derivations) FROM new.master_wallets"
            )
        } else {
            format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}")
        };
        let copied = sqlx::raw_sql(AssertSqlSafe(copy))
            .execute(&mut database)
            .await
            .unwrap();
        assert!(copied.rows_affected() > 0, "nothing to try {table} with");
    }
    database.close().await.unwrap();
}

/// The log of these vaults says that they were sealed, as no log of their time does: so they get their seal back, which
/// also shows that the rows are the same under every schema.
async fn put_seal_back(from: &Fixture, into: &Fixture) {
    let seal = from.blob("SELECT seal FROM audit_state").await;
    let seal: String = seal.iter().map(|byte| format!("{byte:02x}")).collect();
    into.sql(&format!("UPDATE audit_state SET seal = x'{seal}'"))
        .await;
}

/// Every value of the first schema's columns, as SQL writes it.
async fn rows(fixture: &Fixture) -> Vec<(String, Vec<String>)> {
    let mut database = fixture.database().await;
    let mut all = Vec::new();
    for (table, columns) in TABLES {
        let quoted = columns.split(',').map(|column| format!("quote({column})"));
        let query = format!(
            "SELECT {} FROM {table} ORDER BY 1",
            quoted.collect::<Vec<_>>().join(" || ',' || ")
        );
        let found = sqlx::query_scalar(AssertSqlSafe(query))
            .fetch_all(&mut database)
            .await;
        all.push((table.to_owned(), found.unwrap()));
    }
    database.close().await.unwrap();
    all
}

#[tokio::test]
async fn a_vault_of_the_first_schema_is_kept_whole_and_signs() {
    let source = first_source();
    let custody = used(&source).await;
    let signed = custody.sign_transaction(transfer(5, 1)).await.unwrap();
    custody.close().await.unwrap();
    let fixture = Fixture::new();
    old_database(&source, &fixture).await;
    let before = rows(&fixture).await;
    let next = fixture.number("SELECT next_index FROM master_wallets").await;
    assert_eq!((before, next), (rows(&source).await, 5));
    let before = rows(&fixture).await;

    let custody = fixture.open().await;
    assert_eq!(rows(&fixture).await, before);
    let broken = "SELECT COUNT(*) FROM pragma_foreign_key_check";
    assert_eq!(fixture.number(broken).await, 0);
    let left = "SELECT COUNT(*) FROM sqlite_schema WHERE name LIKE 'old\\_%' ESCAPE '\\' OR sql LIKE '%old\\_%' ESCAPE '\\'";
    assert_eq!(fixture.number(left).await, 0);
    // The reference is there, and holds: a wallet of no phrase is refused.
    let references =
        "SELECT COUNT(*) FROM sqlite_schema s JOIN pragma_foreign_key_list(s.name) WHERE s.type = 'table'";
    assert_eq!(fixture.number(references).await, source.number(references).await);
    let schema = "SELECT COUNT(*) FROM sqlite_schema";
    assert_eq!(fixture.number(schema).await, source.number(schema).await);
    let chains = "SELECT COUNT(*) FROM wallets WHERE chain = 'solana' AND path_family = 'bip44-change' \
                  AND public_key IS NULL AND own_password = 0";
    assert_eq!(fixture.number(chains).await, 5);

    let VaultStatus::Locked(summary) = custody.status().await.unwrap() else {
        panic!("not there")
    };
    assert_eq!((summary.wallet_count, summary.epoch), (5, 1));
    put_seal_back(&source, &fixture).await;
    custody.unlock(&password(), None).await.unwrap();
    let intact = async || {
        let report = custody.audit_verify(None).await.unwrap();
        assert!(
            matches!(report, AuditReport::Intact { checkpoints: 1.., .. }),
            "{report:?}"
        );
    };
    intact().await;
    // What was signed before is not signed twice, and what was reserved is still counted.
    let again = custody.sign_transaction(transfer(5, 1)).await.unwrap();
    assert_eq!(again.bytes, signed.bytes);
    assert_eq!(fixture.number("SELECT COUNT(*) FROM spend_reservations").await, 1);
    for wallet in custody.wallets(&WalletQuery::default()).await.unwrap().rows {
        let from = *wallet.solana().unwrap();
        custody.sign_transaction(transfer_from(from, 6, 3)).await.unwrap();
    }
    let wallet = custody.wallet("treasury").await.unwrap();
    assert_eq!(
        (wallet.address.to_string(), wallet.tags.len()),
        (first().to_string(), 2)
    );
    let more = DeriveRequest {
        count: 1,
        ..DeriveRequest::default()
    };
    assert_eq!(
        custody
            .derive_wallets(more, &Progress::new())
            .await
            .unwrap()
            .first,
        5
    );
    custody.rotate_vault_key(&password(), None).await.unwrap();
    custody.sign_transaction(transfer(5, 4)).await.unwrap();
    intact().await;
}

/// What happens to a row in a transaction that ends in the middle is SQLite's business; that it is one transaction is ours.
#[tokio::test]
async fn a_migration_that_fails_leaves_the_first_schema_as_it_was() {
    let source = first_source();
    used(&source).await.close().await.unwrap();
    let fixture = Fixture::new();
    old_database(&source, &fixture).await;
    // A wallet of no phrase, which no version ever wrote: the copy would lose it.
    fixture
        .sql("UPDATE tags SET wallet_id = 99 WHERE tag = 'cold'")
        .await;
    let before = rows(&fixture).await;
    assert!(
        Custody::open(&fixture.location(), fixture.options())
            .await
            .is_err()
    );
    assert_eq!(rows(&fixture).await, before);
    fixture
        .sql("UPDATE tags SET wallet_id = 1 WHERE tag = 'cold'")
        .await;
    fixture.open().await.close().await.unwrap();
    put_seal_back(&source, &fixture).await;
    let custody = fixture.unlocked().await;
    custody.sign_transaction(transfer(5, 4)).await.unwrap();
}
