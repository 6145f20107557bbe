//! The audit log's rows: appended with the edge of the tree, and read back for verification.
//!
//! PostgreSQL lets no text in that is not valid UTF-8, so texts are read as texts, and verified as bytes.

use keyward_core::account::AccountAddress;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::errors::{Fault, ResultExt};
use super::facts::{EDGE_COLUMNS, VAULT_COLUMNS, VAULT_WIDTH, ledger_state, vault_row};
use crate::audit::AuditQuery;
use crate::audit::ledger::{Ledger, LedgerRow};
use crate::audit::stored::StoredEntry;
use crate::error::CustodyError;
use crate::store::columns::{pattern, unsigned};
use crate::store::{AuditHead, MAX_CHECKPOINTS, StoredCheckpoint, stored_integer};

macro_rules! entry_columns {
    () => {
        "sequence, recorded_at, actor, operation, wallet, outcome, reason, subject, details, leaf_hash, head_signature"
    };
}

/// Writes the entries that the decision appended, and the edge after them.
pub(super) async fn store(connection: &mut PgConnection, ledger: &Ledger) -> Result<(), Fault> {
    let Some(edge) = ledger.edge_to_store()? else {
        return Ok(());
    };
    for row in ledger.appended() {
        append(connection, row).await?;
    }
    sqlx::query(
        "INSERT INTO audit_state (singleton, size, frontier, signed_size, signed_frontier, head_signature, last_at) \
         VALUES (1, $1, $2, $3, $4, $5, $6) ON CONFLICT (singleton) DO UPDATE SET size = excluded.size, \
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

async fn append(connection: &mut PgConnection, row: &LedgerRow) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO audit_entries (sequence, recorded_at, actor, operation, wallet, outcome, reason, subject, \
         details, leaf_hash, head_signature) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
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
    .execute(connection)
    .await
    .storage()?;
    Ok(())
}

/// Whether the log holds this very entry, signature included.
pub(super) async fn holds(connection: &mut PgConnection, evidence: &Evidence) -> Result<bool, Fault> {
    let row = sqlx::query("SELECT leaf_hash, head_signature FROM audit_entries WHERE sequence = $1")
        .bind(evidence.sequence)
        .fetch_optional(connection)
        .await
        .storage()?;
    let Some(row) = row else { return Ok(false) };
    let leaf: Vec<u8> = row.try_get(0).storage()?;
    let signature: Option<Vec<u8>> = row.try_get(1).storage()?;
    Ok(leaf == evidence.leaf && signature == evidence.signature)
}

/// The last entry of a transaction, by which it is known again.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    sequence: i64,
    leaf: Vec<u8>,
    signature: Option<Vec<u8>>,
}

impl Evidence {
    /// Of what a decision appended; none if that was nothing.
    pub(super) fn of(ledger: &Ledger) -> Result<Option<Self>, CustodyError> {
        ledger
            .appended()
            .last()
            .map(|row| {
                Ok(Self {
                    sequence: stored_integer("audit sequence", row.entry.sequence)?,
                    leaf: row.leaf_hash.to_vec(),
                    signature: row.head_signature.map(|signature| signature.as_bytes().to_vec()),
                })
            })
            .transpose()
    }
}

pub(super) async fn rows(
    connection: &mut PgConnection,
    from: i64,
    limit: u32,
) -> Result<Vec<StoredEntry>, Fault> {
    let rows = sqlx::query(concat!(
        "SELECT ",
        entry_columns!(),
        " FROM audit_entries WHERE sequence >= $1 ORDER BY sequence LIMIT $2"
    ))
    .bind(from)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await
    .storage()?;
    rows.iter().map(entry).collect()
}

pub(super) async fn head(connection: &mut PgConnection) -> Result<AuditHead, Fault> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {VAULT_COLUMNS}, {EDGE_COLUMNS}, (SELECT COUNT(*) FROM audit_entries), \
         (SELECT MIN(sequence) FROM audit_entries WHERE sequence < 0 OR sequence >= COALESCE(s.size, 0)) \
         FROM vaults v LEFT JOIN audit_state s ON s.singleton = 1"
    )))
    .fetch_optional(connection)
    .await
    .storage()?
    .ok_or(CustodyError::NotInitialised)?;
    Ok(AuditHead {
        state: ledger_state(&row, VAULT_WIDTH)?.unwrap_or_else(|| Err("its state row is missing".to_owned())),
        rows: unsigned("audit entries", row.try_get(VAULT_WIDTH + 6).storage()?)?,
        stray: row.try_get(VAULT_WIDTH + 7).storage()?,
        vault: vault_row(&row)?,
    })
}

pub(super) async fn checkpoints(connection: &mut PgConnection) -> Result<Vec<StoredCheckpoint>, Fault> {
    let rows = sqlx::query("SELECT size, root, note FROM audit_checkpoints ORDER BY size LIMIT $1")
        .bind(MAX_CHECKPOINTS)
        .fetch_all(connection)
        .await
        .storage()?;
    rows.iter()
        .map(|row| {
            Ok(StoredCheckpoint {
                size: row.try_get(0).storage()?,
                root: row.try_get(1).storage()?,
                note: row.try_get::<String, _>(2).storage()?.into_bytes(),
            })
        })
        .collect()
}

pub(super) async fn page(
    connection: &mut PgConnection,
    query: &AuditQuery,
) -> Result<(u64, Vec<StoredEntry>), Fault> {
    const FILTER: &str = "($1 IS NULL OR operation = $1) AND ($2 IS NULL OR outcome = $2) \
         AND ($3 IS NULL OR wallet = $3) \
         AND ($4 IS NULL OR actor ILIKE $4 OR reason ILIKE $4 OR details ILIKE $4 OR operation ILIKE $4 \
              OR wallet ILIKE $4)";
    let operation = query.operation.map(|operation| operation.as_str().to_owned());
    let outcome = query.outcome.map(|outcome| outcome.as_str().to_owned());
    let wallet = query.wallet.map(|wallet| wallet.to_string());
    let text = (!query.text.is_empty()).then(|| pattern(&query.text));
    // With an equality that is always there, the wallet's index can be used.
    let by_wallet = if wallet.is_some() { "wallet = $3 AND " } else { "" };
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
        "SELECT {columns} FROM audit_entries WHERE {by_wallet}{FILTER} AND sequence > $5 AND sequence < $6 \
         ORDER BY sequence {order} LIMIT $7"
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
    .bind(i64::from(query.limit))
    .fetch_all(connection)
    .await
    .storage()?;
    let rows = rows.iter().map(entry).collect::<Result<_, _>>()?;
    Ok((unsigned("audit entries", count)?, rows))
}

fn entry(row: &PgRow) -> Result<StoredEntry, Fault> {
    let text = |at: usize| row.try_get::<String, _>(at).map(String::into_bytes).storage();
    Ok(StoredEntry {
        sequence: row.try_get(0).storage()?,
        recorded_at: row.try_get(1).storage()?,
        actor: text(2)?,
        operation: text(3)?,
        wallet: row
            .try_get::<Option<String>, _>(4)
            .storage()?
            .map(String::into_bytes),
        outcome: text(5)?,
        reason: text(6)?,
        subject: row.try_get(7).storage()?,
        details: text(8)?,
        leaf_hash: row.try_get(9).storage()?,
        head_signature: row.try_get(10).storage()?,
    })
}
