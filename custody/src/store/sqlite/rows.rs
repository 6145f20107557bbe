//! Inserting what comes by the thousand, and what belongs to it: wallets, phrases, the vault itself.

use keyward_core::path::PathFamily;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::errors::ResultExt;
use crate::error::CustodyError;
use crate::store::{AuditKeyRow, NewMaster, NewVaultRow, NewWallet, stored_integer};

/// Wallets in one INSERT: enough that its preparation does not count, few enough for SQLite's limit of 32,766
/// parameters.
const ROWS_PER_INSERT: usize = 500;

/// Columns of a new wallet.
const WALLET_COLUMNS: usize = 14;

/// From so many wallets on, the database's own memory would be too small for the index of addresses, whose pages are hit in
/// no order: each would go to the journal and come back from it again and again.
const MANY: usize = 4_000;

pub(super) async fn vault(
    connection: &mut SqliteConnection,
    row: NewVaultRow,
    now: i64,
) -> Result<(), CustodyError> {
    let id = row.id.to_vec();
    sqlx::query("INSERT INTO vaults (vault_id, header, audit_key, created_at) VALUES (?1, ?2, ?3, ?4)")
        .bind(id.clone())
        .bind(row.header)
        .bind(row.audit_key.to_vec())
        .bind(now)
        .execute(&mut *connection)
        .await
        .storage()?;
    for new in row.masters {
        master(connection, new, now).await?;
    }
    for policy in row.policies {
        sqlx::query(
            "INSERT INTO policies (version, vault_id, body, signature, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(policy.version)
        .bind(id.clone())
        .bind(policy.body)
        .bind(policy.signature.as_bytes().to_vec())
        .bind(now)
        .execute(&mut *connection)
        .await
        .storage()?;
    }
    Ok(())
}

/// The new phrase's id.
pub(super) async fn master(
    connection: &mut SqliteConnection,
    new: NewMaster,
    now: i64,
) -> Result<i64, CustodyError> {
    let done = sqlx::query(
        "INSERT INTO master_wallets (vault_id, record_id, epoch, path_family, label, sealed, created_at) \
         SELECT vault_id, ?1, ?2, ?3, ?4, ?5, ?6 FROM vaults",
    )
    .bind(new.record.to_vec())
    .bind(new.epoch)
    .bind(new.family.id())
    .bind(new.label)
    .bind(new.sealed)
    .bind(now)
    .execute(&mut *connection)
    .await
    .storage()?;
    let id = done.last_insert_rowid();
    sqlx::query("INSERT INTO derivations (master_id, path_family) VALUES (?1, ?2)")
        .bind(id)
        .bind(new.family.id())
        .execute(connection)
        .await
        .storage()?;
    Ok(id)
}

/// The key in force, and all before it.
pub(super) async fn audit_keys(
    connection: &mut SqliteConnection,
    current: [u8; 32],
    retired: Vec<AuditKeyRow>,
) -> Result<(), CustodyError> {
    sqlx::query("UPDATE vaults SET audit_key = ?1")
        .bind(current.to_vec())
        .execute(&mut *connection)
        .await
        .storage()?;
    for row in retired {
        sqlx::query(
            "INSERT INTO audit_keys (until_sequence, audit_key, signature) VALUES (?1, ?2, ?3) \
             ON CONFLICT (until_sequence) DO UPDATE SET audit_key = excluded.audit_key, \
             signature = excluded.signature",
        )
        .bind(stored_integer("audit sequence", row.until)?)
        .bind(row.key.to_bytes().to_vec())
        .bind(row.signature.as_bytes().to_vec())
        .execute(&mut *connection)
        .await
        .storage()?;
    }
    Ok(())
}

/// Inserts wallets in statements of many rows, and says how many were new: the same wallet may be derived again, or the same
/// key come by another way (two of Ethereum's families share index 0).
pub(super) async fn wallets(
    connection: &mut SqliteConnection,
    from: Option<(i64, PathFamily)>,
    rows: Vec<NewWallet>,
    now: i64,
) -> Result<u64, CustodyError> {
    // The highest id and one more, as they would be by themselves: the seal counts on it.
    let mut id: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(wallet_id), 0) FROM wallets")
        .fetch_one(&mut *connection)
        .await
        .storage()?;
    let many = rows.len() >= MANY;
    if many {
        // 32 MiB for as long as it takes. Where this is cancelled half-way it stays so, and nothing comes of it.
        run(connection, "PRAGMA cache_size = -32768").await?;
    }
    let added = inserted(connection, &mut id, from, rows, now).await;
    if many {
        run(connection, "PRAGMA cache_size = -2000").await?;
    }
    added
}

async fn run(connection: &mut SqliteConnection, statement: &'static str) -> Result<(), CustodyError> {
    sqlx::query(statement).execute(connection).await.storage()?;
    Ok(())
}

async fn inserted(
    connection: &mut SqliteConnection,
    id: &mut i64,
    from: Option<(i64, PathFamily)>,
    rows: Vec<NewWallet>,
    now: i64,
) -> Result<u64, CustodyError> {
    let full = wallets_statement(ROWS_PER_INSERT);
    let mut rows = rows.into_iter().peekable();
    let mut added = 0;
    while rows.peek().is_some() {
        let chunk: Vec<NewWallet> = rows.by_ref().take(ROWS_PER_INSERT).collect();
        let rest;
        let statement = if chunk.len() == ROWS_PER_INSERT {
            &full
        } else {
            rest = wallets_statement(chunk.len());
            &rest
        };
        // The text is made of the row count alone: nothing of it comes from outside.
        let mut query = sqlx::query(AssertSqlSafe(statement.clone()));
        for row in chunk {
            *id += 1;
            query = query
                .bind(*id)
                .bind(from.map(|(master, _)| master))
                .bind(from.map(|(_, family)| family.id()))
                .bind(row.index)
                .bind(row.address.chain().id())
                .bind(row.path)
                .bind(row.address.to_string())
                .bind(row.public_key.map(|key| key.to_vec()))
                .bind(row.label)
                .bind(now)
                .bind(row.own_password)
                .bind(row.epoch)
                .bind(row.record.to_vec())
                .bind(row.sealed);
        }
        added += query.execute(&mut *connection).await.storage()?.rows_affected();
    }
    Ok(added)
}

/// Parameters without numbers: SQLite keeps numbered ones in a list, which the driver goes through for each of them.
fn wallets_statement(rows: usize) -> String {
    let row = format!("({})", ["?"; WALLET_COLUMNS].join(", "));
    format!(
        "INSERT INTO wallets (wallet_id, master_id, path_family, derivation_index, chain, path, address, public_key, label, \
         created_at, own_password, epoch, record_id, sealed) VALUES {} \
         ON CONFLICT DO NOTHING",
        vec![row; rows].join(", ")
    )
}
