//! The audit log's rows: appended with the edge of the tree, and read back as raw bytes for verification.
//!
//! Texts are read as blobs: a row that is no longer valid text must be named by the verification, not end it.

use keyward_core::account::AccountAddress;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::errors::ResultExt;
use super::facts::{VAULT_COLUMNS, VAULT_WIDTH, ledger_state, vault_row};
use crate::audit::AuditQuery;
use crate::audit::ledger::Ledger;
use crate::audit::stored::StoredEntry;
use crate::error::CustodyError;
use crate::store::columns::{pattern, unsigned};
use crate::store::{AuditHead, MAX_CHECKPOINTS, StoredCheckpoint, stored_integer};

macro_rules! entry_columns {
    () => {
        "sequence, recorded_at, CAST(actor AS BLOB), CAST(operation AS BLOB), CAST(wallet AS BLOB), \
         CAST(outcome AS BLOB), CAST(reason AS BLOB), subject, CAST(details AS BLOB), leaf_hash, head_signature"
    };
}

/// Writes the entries that the decision appended, and the edge after them.
pub(super) async fn store(connection: &mut SqliteConnection, ledger: &Ledger) -> Result<(), CustodyError> {
    let Some(edge) = ledger.edge_to_store()? else {
        return Ok(());
    };
    for row in ledger.appended() {
        sqlx::query(
            "INSERT INTO audit_entries (sequence, recorded_at, actor, operation, wallet, outcome, reason, subject, \
             details, leaf_hash, head_signature) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )
        .bind(stored_integer("audit sequence", row.entry.sequence)?)
        .bind(stored_integer("audit time", row.entry.time_ms)?)
        .bind(&row.entry.actor)
        .bind(row.entry.operation.as_str())
        .bind(row.entry.wallet.as_ref().map(AccountAddress::to_string))
        .bind(row.entry.outcome.as_str())
        .bind(&row.entry.reason)
        .bind(row.entry.subject.map(|subject| subject.to_vec()))
        .bind(&row.entry.details)
        .bind(row.leaf_hash.to_vec())
        .bind(row.head_signature.map(|signature| signature.as_bytes().to_vec()))
        .execute(&mut *connection)
        .await
        .storage()?;
    }
    sqlx::query(
        "INSERT INTO audit_state (singleton, size, frontier, signed_size, signed_frontier, head_signature, last_at) \
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (singleton) DO UPDATE SET size = excluded.size, \
         frontier = excluded.frontier, signed_size = excluded.signed_size, \
         signed_frontier = excluded.signed_frontier, head_signature = excluded.head_signature, \
         last_at = excluded.last_at",
    )
    .bind(stored_integer("audit size", edge.size)?)
    .bind(edge.frontier.to_bytes())
    .bind(stored_integer("audit size", edge.signed_size)?)
    .bind(edge.signed_frontier.to_bytes())
    .bind(edge.head_signature.as_bytes().to_vec())
    .bind(stored_integer("audit time", edge.last_ms)?)
    .execute(connection)
    .await
    .storage()?;
    Ok(())
}

pub(super) async fn rows(
    connection: &mut SqliteConnection,
    from: i64,
    limit: u32,
) -> Result<Vec<StoredEntry>, CustodyError> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        entry_columns!(),
        " FROM audit_entries WHERE sequence >= ?1 ORDER BY sequence LIMIT ?2"
    ))
    .bind(from)
    .bind(limit)
    .fetch_all(connection)
    .await
    .storage()?;
    rows.iter().map(entry).collect()
}

pub(super) async fn head(connection: &mut SqliteConnection) -> Result<AuditHead, CustodyError> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {VAULT_COLUMNS}, s.size, s.frontier, s.signed_size, s.signed_frontier, s.head_signature, s.last_at, \
         (SELECT COUNT(*) FROM audit_entries), \
         (SELECT MIN(sequence) FROM audit_entries WHERE sequence < 0 OR sequence >= COALESCE(s.size, 0)) \
         FROM vaults v LEFT JOIN audit_state s ON s.singleton = 1"
    )))
    .fetch_optional(connection)
    .await
    .storage()?
    .ok_or(CustodyError::NotInitialised)?;
    Ok(AuditHead {
        state: ledger_state(&row, VAULT_WIDTH)?,
        rows: unsigned("audit entries", row.try_get(VAULT_WIDTH + 6).storage()?)?,
        stray: row.try_get(VAULT_WIDTH + 7).storage()?,
        vault: vault_row(&row)?,
    })
}

pub(super) async fn checkpoints(
    connection: &mut SqliteConnection,
) -> Result<Vec<StoredCheckpoint>, CustodyError> {
    let rows =
        sqlx::query("SELECT size, root, CAST(note AS BLOB) FROM audit_checkpoints ORDER BY size LIMIT ?1")
            .bind(MAX_CHECKPOINTS)
            .fetch_all(connection)
            .await
            .storage()?;
    rows.iter()
        .map(|row| {
            Ok(StoredCheckpoint {
                size: row.try_get(0).storage()?,
                root: row.try_get(1).storage()?,
                note: row.try_get(2).storage()?,
            })
        })
        .collect()
}

pub(super) async fn page(
    connection: &mut SqliteConnection,
    query: &AuditQuery,
) -> Result<(u64, Vec<StoredEntry>), CustodyError> {
    const FILTER: &str = "(?1 IS NULL OR operation = ?1) AND (?2 IS NULL OR outcome = ?2) \
         AND (?3 IS NULL OR wallet = ?3) \
         AND (?4 IS NULL OR actor LIKE ?4 ESCAPE '\\' OR reason LIKE ?4 ESCAPE '\\' OR details LIKE ?4 ESCAPE '\\' \
              OR operation LIKE ?4 ESCAPE '\\' OR wallet LIKE ?4 ESCAPE '\\')";
    let operation = query.operation.map(|operation| operation.as_str().to_owned());
    let outcome = query.outcome.map(|outcome| outcome.as_str().to_owned());
    let wallet = query.wallet.map(|wallet| wallet.to_string());
    let text = (!query.text.is_empty()).then(|| pattern(&query.text));
    // With an equality that is always there, SQLite can use the wallet's index.
    let by_wallet = if wallet.is_some() { "wallet = ?3 AND " } else { "" };
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT COUNT(*) FROM audit_entries WHERE {by_wallet}{FILTER}"
    )))
    .bind(operation.clone())
    .bind(outcome.clone())
    .bind(wallet.clone())
    .bind(text.clone())
    .fetch_one(&mut *connection)
    .await
    .storage()?;
    let order = if query.newest_first { "DESC" } else { "ASC" };
    let columns = entry_columns!();
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {columns} FROM audit_entries WHERE {by_wallet}{FILTER} AND sequence > ?5 AND sequence < ?6 \
         ORDER BY sequence {order} LIMIT ?7"
    )))
    .bind(operation)
    .bind(outcome)
    .bind(wallet)
    .bind(text)
    .bind(
        query
            .after_sequence
            .map_or(Ok(-1), |after| stored_integer("sequence", after))?,
    )
    .bind(
        query
            .before_sequence
            .map_or(Ok(i64::MAX), |before| stored_integer("sequence", before))?,
    )
    .bind(query.limit)
    .fetch_all(connection)
    .await
    .storage()?;
    let rows = rows.iter().map(entry).collect::<Result<_, _>>()?;
    Ok((unsigned("audit entries", count)?, rows))
}

fn entry(row: &SqliteRow) -> Result<StoredEntry, CustodyError> {
    Ok(StoredEntry {
        sequence: row.try_get(0).storage()?,
        recorded_at: row.try_get(1).storage()?,
        actor: row.try_get(2).storage()?,
        operation: row.try_get(3).storage()?,
        wallet: row.try_get(4).storage()?,
        outcome: row.try_get(5).storage()?,
        reason: row.try_get(6).storage()?,
        subject: row.try_get(7).storage()?,
        details: row.try_get(8).storage()?,
        leaf_hash: row.try_get(9).storage()?,
        head_signature: row.try_get(10).storage()?,
    })
}
