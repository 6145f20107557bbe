//! The audit log's rows: appended with the edge of the tree, and read back for verification.
//!
//! PostgreSQL lets no text in that is not valid UTF-8, so texts are read as texts, and verified as bytes.

use keyward_core::account::AccountAddress;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::errors::{Fault, ResultExt};
use super::facts::{EDGE_COLUMNS, VAULT_COLUMNS, VAULT_WIDTH, ledger_state, vault_row};
use crate::audit::AuditQuery;
use crate::audit::ledger::{Ledger, LedgerRow, LedgerState};
use crate::audit::stored::StoredEntry;
use crate::error::CustodyError;
use crate::store::audit_filter::{Condition, Dialect, Value};
use crate::store::columns::unsigned;
use crate::store::{AuditCountRow, AuditHead, MAX_CHECKPOINTS, RedactAsk, StoredCheckpoint, stored_integer};

macro_rules! entry_columns {
    () => {
        "sequence, recorded_at, actor, operation, wallet, outcome, reason, subject, details, leaf_hash, head_signature, \
         client_address, client_fingerprint, redacted_by"
    };
}

/// Writes the entries that the decision appended, and the edge after them.
pub(super) async fn store(connection: &mut PgConnection, ledger: &Ledger) -> Result<(), Fault> {
    let Some(edge) = ledger.edge_to_store()? else {
        return Ok(());
    };
    append_all(connection, ledger.appended()).await?;
    store_edge(connection, edge).await
}

/// Writes the edge.
pub(super) async fn store_edge(connection: &mut PgConnection, edge: &LedgerState) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO audit_state (singleton, size, frontier, signed_size, signed_frontier, head_signature, last_at, seal) \
         VALUES (1, $1, $2, $3, $4, $5, $6, $7) ON CONFLICT (singleton) DO UPDATE SET size = excluded.size, \
         frontier = excluded.frontier, signed_size = excluded.signed_size, \
         signed_frontier = excluded.signed_frontier, head_signature = excluded.head_signature, \
         last_at = excluded.last_at, seal = excluded.seal",
    )
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

/// Writes entries, many of them in one statement.
pub(super) async fn append_all(connection: &mut PgConnection, rows: &[LedgerRow]) -> Result<(), Fault> {
    match rows {
        [] => return Ok(()),
        [row] => return append(connection, row).await,
        _ => {}
    }
    let texts = |of: fn(&LedgerRow) -> &str| rows.iter().map(of).collect::<Vec<&str>>();
    let hashes = |of: fn(&LedgerRow) -> Option<[u8; 32]>| {
        let found = rows.iter().map(|row| of(row).map(|hash| hash.to_vec()));
        found.collect::<Vec<Option<Vec<u8>>>>()
    };
    let numbers = |what, of: fn(&LedgerRow) -> u64| {
        let found = rows.iter().map(|row| stored_integer(what, of(row)));
        found.collect::<Result<Vec<i64>, CustodyError>>()
    };
    let wallets = rows
        .iter()
        .map(|row| row.entry.wallet.as_ref().map(AccountAddress::to_string));
    let signatures = rows
        .iter()
        .map(|row| row.head_signature.map(|signature| signature.as_bytes().to_vec()));
    sqlx::query(
        "INSERT INTO audit_entries (sequence, recorded_at, actor, operation, wallet, outcome, reason, subject, \
         details, leaf_hash, head_signature, client_address, client_fingerprint) \
         SELECT n.sequence, n.recorded_at, n.actor, n.operation, n.wallet, n.outcome, n.reason, n.subject, n.details, \
         n.leaf_hash, n.head_signature, n.client_address, n.client_fingerprint \
         FROM UNNEST($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) AS n (sequence, recorded_at, actor, \
         operation, wallet, outcome, reason, subject, details, leaf_hash, head_signature, client_address, \
         client_fingerprint) ORDER BY n.sequence",
    )
    .bind(numbers("audit sequence", |row| row.entry.sequence)?)
    .bind(numbers("audit time", |row| row.entry.time_ms)?)
    .bind(texts(|row| &row.entry.actor))
    .bind(texts(|row| row.entry.operation.as_str()))
    .bind(wallets.collect::<Vec<Option<String>>>())
    .bind(texts(|row| row.entry.outcome.as_str()))
    .bind(texts(|row| &row.entry.reason))
    .bind(hashes(|row| row.entry.subject))
    .bind(texts(|row| &row.entry.details))
    .bind(hashes(|row| Some(row.leaf_hash)))
    .bind(signatures.collect::<Vec<Option<Vec<u8>>>>())
    .bind(hashes(|row| row.entry.client_address))
    .bind(hashes(|row| row.entry.client_fingerprint))
    .execute(connection)
    .await
    .storage()?;
    Ok(())
}

async fn append(connection: &mut PgConnection, row: &LedgerRow) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO audit_entries (sequence, recorded_at, actor, operation, wallet, outcome, reason, subject, \
         details, leaf_hash, head_signature, client_address, client_fingerprint) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
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
    .bind(row.entry.client_address.map(|hash| hash.to_vec()))
    .bind(row.entry.client_fingerprint.map(|hash| hash.to_vec()))
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
        rows: unsigned("audit entries", row.try_get(VAULT_WIDTH + 7).storage()?)?,
        stray: row.try_get(VAULT_WIDTH + 8).storage()?,
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

/// What the query finds before `below`: how many, and the page.
pub(super) async fn page(
    connection: &mut PgConnection,
    query: &AuditQuery,
    below: Option<u64>,
) -> Result<(u64, Vec<StoredEntry>), Fault> {
    let condition = Condition::of(Dialect::Postgres, query, below)?;
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
    connection: &mut PgConnection,
    query: &AuditQuery,
    below: u64,
) -> Result<Vec<AuditCountRow>, Fault> {
    let condition = Condition::of(Dialect::Postgres, query, Some(below))?;
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
    connection: &mut PgConnection,
    ask: &RedactAsk,
) -> Result<Vec<StoredEntry>, Fault> {
    let mut found = Vec::new();
    for (operations, before_ms) in &ask.classes {
        for operation in operations {
            let rows = sqlx::query(concat!(
                "SELECT ",
                entry_columns!(),
                " FROM audit_entries WHERE redacted_by IS NULL AND operation = $1 AND recorded_at < $2 \
                 AND sequence < (SELECT signed_size FROM audit_state) \
                 AND sequence < COALESCE((SELECT sequence FROM audit_entries WHERE redacted_by IS NULL \
                 AND recorded_at >= $2 ORDER BY recorded_at, sequence LIMIT 1), 9223372036854775807) \
                 ORDER BY sequence LIMIT $3"
            ))
            .bind(operation.as_str())
            .bind(stored_integer("time", *before_ms)?)
            .bind(i64::from(ask.limit))
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
pub(super) async fn redact(connection: &mut PgConnection, sequences: Vec<i64>, by: u64) -> Result<(), Fault> {
    let wanted = sequences.len() as u64; // usize has at most 64 bits
    let done = sqlx::query(
        "UPDATE audit_entries SET recorded_at = 0, actor = '', operation = '', wallet = NULL, outcome = '', \
         reason = '', subject = NULL, details = '', head_signature = NULL, client_address = NULL, \
         client_fingerprint = NULL, redacted_by = $2 WHERE sequence = ANY($1) AND redacted_by IS NULL",
    )
    .bind(sequences)
    .bind(stored_integer("audit sequence", by)?)
    .execute(connection)
    .await
    .storage()?
    .rows_affected();
    if done == wanted {
        Ok(())
    } else {
        Err(CustodyError::damaged("an audit entry was gone before it was redacted").into())
    }
}

/// The most pairs of operation and outcome: more than there are.
const MAX_COUNTS: u32 = 1_000;

type Asked<'a> = sqlx::query::Query<'a, sqlx::Postgres, sqlx::postgres::PgArguments>;

fn bound(mut query: Asked<'_>, condition: Condition) -> Asked<'_> {
    for value in condition.into_values() {
        query = match value {
            Value::Text(text) => query.bind(text),
            Value::Integer(integer) => query.bind(integer),
        };
    }
    query
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
        client_address: row.try_get(11).storage()?,
        client_fingerprint: row.try_get(12).storage()?,
        redacted_by: row.try_get(13).storage()?,
    })
}
