//! The audit log's rows: appended with the edge of the tree, and read back as raw bytes for verification.
//!
//! Texts are read as blobs: a row that is no longer valid text must be named by the verification, not end it.

use keyward_core::account::AccountAddress;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::errors::ResultExt;
use super::facts::{VAULT_COLUMNS, VAULT_WIDTH, ledger_state, vault_row};
use crate::audit::AuditQuery;
use crate::audit::ledger::{Ledger, LedgerRow};
use crate::audit::stored::StoredEntry;
use crate::error::CustodyError;
use crate::store::audit_filter::{Condition, Dialect, Value};
use crate::store::columns::unsigned;
use crate::store::{AuditCountRow, AuditHead, MAX_CHECKPOINTS, RedactAsk, StoredCheckpoint, stored_integer};

macro_rules! entry_columns {
    () => {
        "sequence, recorded_at, CAST(actor AS BLOB), CAST(operation AS BLOB), CAST(wallet AS BLOB), \
         CAST(outcome AS BLOB), CAST(reason AS BLOB), subject, CAST(details AS BLOB), leaf_hash, head_signature, \
         client_address, client_fingerprint, redacted_by"
    };
}

macro_rules! insert_entry {
    () => {
        "INSERT INTO audit_entries (sequence, recorded_at, actor, operation, wallet, outcome, reason, subject, \
         details, leaf_hash, head_signature, client_address, client_fingerprint) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
    };
}

/// With the numbers of its seven values.
macro_rules! store_edge {
    ($values:literal) => {
        concat!(
            "INSERT INTO audit_state (singleton, size, frontier, signed_size, signed_frontier, head_signature, last_at, seal) \
             VALUES (1, ",
            $values,
            ") ON CONFLICT (singleton) DO UPDATE SET size = excluded.size, \
             frontier = excluded.frontier, signed_size = excluded.signed_size, \
             signed_frontier = excluded.signed_frontier, head_signature = excluded.head_signature, \
             last_at = excluded.last_at, seal = excluded.seal"
        )
    };
}

/// Writes the entries that the decision appended, and the edge after them. Nearly always there is one entry, and the two go
/// to the driver's thread together.
pub(super) async fn store(connection: &mut SqliteConnection, ledger: &Ledger) -> Result<(), CustodyError> {
    let Some(edge) = ledger.edge_to_store()? else {
        return Ok(());
    };
    let query = match ledger.appended().split_last() {
        None => sqlx::query(store_edge!("?1, ?2, ?3, ?4, ?5, ?6, ?7")),
        Some((last, others)) => {
            for row in others {
                with_entry(sqlx::query(insert_entry!()), row)?
                    .execute(&mut *connection)
                    .await
                    .storage()?;
            }
            let both = concat!(
                insert_entry!(),
                ";",
                store_edge!("?14, ?15, ?16, ?17, ?18, ?19, ?20")
            );
            with_entry(sqlx::query(both), last)?
        }
    };
    query
        .bind(stored_integer("audit size", edge.size)?)
        .bind(edge.frontier.to_bytes())
        .bind(stored_integer("audit size", edge.signed_size)?)
        .bind(edge.signed_frontier.to_bytes())
        .bind(edge.head_signature.as_bytes().to_vec())
        .bind(stored_integer("audit time", edge.last_ms)?)
        .bind(edge.seal.clone())
        .execute(connection)
        .await
        .storage()?;
    Ok(())
}

type Statement<'q> = sqlx::query::Query<'q, sqlx::Sqlite, <sqlx::Sqlite as sqlx::Database>::Arguments>;

/// The thirteen values of an entry.
fn with_entry<'q>(query: Statement<'q>, row: &'q LedgerRow) -> Result<Statement<'q>, CustodyError> {
    Ok(query
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
        .bind(row.entry.client_address.map(|hash| hash.to_vec()))
        .bind(row.entry.client_fingerprint.map(|hash| hash.to_vec())))
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
        "SELECT {VAULT_COLUMNS}, s.size, s.frontier, s.signed_size, s.signed_frontier, s.head_signature, s.last_at, s.seal, \
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
        rows: unsigned("audit entries", row.try_get(VAULT_WIDTH + 7).storage()?)?,
        stray: row.try_get(VAULT_WIDTH + 8).storage()?,
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

/// What the query finds before `below`: how many, and the page.
pub(super) async fn page(
    connection: &mut SqliteConnection,
    query: &AuditQuery,
    below: Option<u64>,
) -> Result<(u64, Vec<StoredEntry>), CustodyError> {
    let condition = Condition::of(Dialect::Sqlite, query, below)?;
    let counting = format!("SELECT COUNT(*) FROM audit_entries WHERE {}", condition.text());
    let page = condition.clone().on_page(query)?;
    let count: i64 = bound(sqlx::query(AssertSqlSafe(counting)), condition)
        .fetch_one(&mut *connection)
        .await
        .storage()?
        .try_get(0)
        .storage()?;
    let order = if query.newest_first { "DESC" } else { "ASC" };
    let columns = entry_columns!();
    let limit = query.limit;
    let reading = format!(
        "SELECT {columns} FROM audit_entries WHERE {} ORDER BY sequence {order} LIMIT {limit}",
        page.text()
    );
    let rows = bound(sqlx::query(AssertSqlSafe(reading)), page)
        .fetch_all(connection)
        .await
        .storage()?;
    let rows = rows.iter().map(entry).collect::<Result<_, _>>()?;
    Ok((unsigned("audit entries", count)?, rows))
}

/// How many entries match before `below`, by operation and outcome.
pub(super) async fn counts(
    connection: &mut SqliteConnection,
    query: &AuditQuery,
    below: u64,
) -> Result<Vec<AuditCountRow>, CustodyError> {
    let condition = Condition::of(Dialect::Sqlite, query, Some(below))?;
    let counting = format!(
        "SELECT operation, outcome, COUNT(*), MIN(sequence) FROM audit_entries WHERE {} \
         GROUP BY operation, outcome ORDER BY operation, outcome LIMIT {MAX_COUNTS}",
        condition.text()
    );
    let rows = bound(sqlx::query(AssertSqlSafe(counting)), condition)
        .fetch_all(connection)
        .await
        .storage()?;
    rows.iter()
        .map(|row| {
            Ok(AuditCountRow {
                operation: row.try_get(0).storage()?,
                outcome: row.try_get(1).storage()?,
                count: unsigned("audit entries", row.try_get(2).storage()?)?,
                first: u64::try_from(row.try_get::<i64, _>(3).storage()?).unwrap_or(0),
            })
        })
        .collect()
}

/// Entries past their retention, the earliest first.
pub(super) async fn redactable(
    connection: &mut SqliteConnection,
    ask: &RedactAsk,
) -> Result<Vec<StoredEntry>, CustodyError> {
    let mut found = Vec::new();
    for (operations, before_ms) in &ask.classes {
        for operation in operations {
            let rows = sqlx::query(concat!(
                "SELECT ",
                entry_columns!(),
                " FROM audit_entries WHERE redacted_by IS NULL AND operation = ?1 AND recorded_at < ?2 \
                 AND sequence < (SELECT signed_size FROM audit_state) \
                 AND sequence < COALESCE((SELECT sequence FROM audit_entries WHERE redacted_by IS NULL \
                 AND recorded_at >= ?2 ORDER BY recorded_at, sequence LIMIT 1), 9223372036854775807) \
                 ORDER BY sequence LIMIT ?3"
            ))
            .bind(operation.as_str())
            .bind(stored_integer("time", *before_ms)?)
            .bind(ask.limit)
            .fetch_all(&mut *connection)
            .await
            .storage()?;
            for row in &rows {
                found.push(entry(row)?);
            }
        }
    }
    // Those of each operation may be as many as there may be of all.
    found.sort_by_key(|row: &StoredEntry| row.sequence);
    found.truncate(ask.limit as usize); // 32 bits fit
    Ok(found)
}

/// Empties entries to their leaf; none of them may be redacted already.
pub(super) async fn redact(
    connection: &mut SqliteConnection,
    sequences: Vec<i64>,
    by: u64,
) -> Result<(), CustodyError> {
    let by = stored_integer("audit sequence", by)?;
    for sequence in sequences {
        let done = sqlx::query(
            "UPDATE audit_entries SET recorded_at = 0, actor = '', operation = '', wallet = NULL, outcome = '', \
             reason = '', subject = NULL, details = '', head_signature = NULL, client_address = NULL, \
             client_fingerprint = NULL, redacted_by = ?2 WHERE sequence = ?1 AND redacted_by IS NULL",
        )
        .bind(sequence)
        .bind(by)
        .execute(&mut *connection)
        .await
        .storage()?
        .rows_affected();
        if done != 1 {
            return Err(CustodyError::damaged(
                "an audit entry was gone before it was redacted",
            ));
        }
    }
    Ok(())
}

/// The most pairs of operation and outcome: more than there are.
const MAX_COUNTS: u32 = 1_000;

type Asked<'a> = sqlx::query::Query<'a, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

fn bound(mut query: Asked<'_>, condition: Condition) -> Asked<'_> {
    for value in condition.into_values() {
        query = match value {
            Value::Text(text) => query.bind(text),
            Value::Integer(integer) => query.bind(integer),
        };
    }
    query
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
        client_address: row.try_get(11).storage()?,
        client_fingerprint: row.try_get(12).storage()?,
        redacted_by: row.try_get(13).storage()?,
    })
}
