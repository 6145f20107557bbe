//! Phrases with their derivations, and everything else that the vault key seals or signs.

use keyward_core::address::{Address, Signature};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::errors::{Fault, ResultExt};
use super::facts::{Locks, sealed_wallet, wallet_columns};
use super::types::{Id, Millis};
use crate::store::columns::{fixed, unsigned};
use crate::store::{AuditKeyRow, Everything, MasterAsk, MasterRow, MasterSummaryRow, PolicyRow};

/// The columns that [`master_row`] reads. How far a family was used is 0 until it was.
const MASTER_COLUMNS: &str = "m.master_id, m.record_id, m.epoch, m.label, COALESCE($2, m.path_family), m.sealed, \
     COALESCE((SELECT d.next_index FROM derivations d WHERE d.master_id = m.master_id \
     AND d.path_family = COALESCE($2, m.path_family)), 0)";

/// One phrase and one family of it.
pub(super) async fn master(
    connection: &mut PgConnection,
    wanted: MasterAsk,
    locks: Locks,
) -> Result<Option<MasterRow>, Fault> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {MASTER_COLUMNS} FROM master_wallets m \
         WHERE m.master_id = COALESCE($1, (SELECT MIN(master_id) FROM master_wallets)){}",
        locks.of("m")
    )))
    .bind(wanted.id)
    .bind(wanted.family.map(|family| family.id()))
    .fetch_optional(connection)
    .await
    .storage()?;
    row.as_ref().map(master_row).transpose()
}

fn master_row(row: &PgRow) -> Result<MasterRow, Fault> {
    let record: Id = row.try_get(1).storage()?;
    Ok(MasterRow {
        id: row.try_get(0).storage()?,
        record: record.0,
        epoch: unsigned("master_wallets.epoch", row.try_get(2).storage()?)?,
        label: row.try_get(3).storage()?,
        family: row.try_get(4).storage()?,
        sealed: row.try_get(5).storage()?,
        next_index: unsigned("derivations.next_index", row.try_get(6).storage()?)?,
    })
}

/// Every phrase, with its own family.
pub(super) async fn all_masters(connection: &mut PgConnection) -> Result<Vec<MasterRow>, Fault> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {MASTER_COLUMNS} FROM master_wallets m WHERE $1 IS NULL ORDER BY m.master_id"
    )))
    .bind(None::<i64>)
    .bind(None::<String>)
    .fetch_all(connection)
    .await
    .storage()?;
    rows.iter().map(master_row).collect()
}

/// What lists show of the phrases.
pub(super) async fn summaries(connection: &mut PgConnection) -> Result<Vec<MasterSummaryRow>, Fault> {
    let rows = sqlx::query(
        "SELECT m.master_id, m.label, m.path_family, m.created_at, \
         (SELECT COUNT(*) FROM wallets w WHERE w.master_id = m.master_id) \
         FROM master_wallets m ORDER BY m.master_id",
    )
    .fetch_all(&mut *connection)
    .await
    .storage()?;
    let families = sqlx::query("SELECT master_id, path_family, next_index FROM derivations")
        .fetch_all(connection)
        .await
        .storage()?;
    let mut summaries = Vec::with_capacity(rows.len());
    for row in &rows {
        let id: i64 = row.try_get(0).storage()?;
        let created: Millis = row.try_get(3).storage()?;
        let mut derivations: Vec<(String, u32)> = Vec::new();
        for family in &families {
            if family.try_get::<i64, _>(0).storage()? == id {
                let next = unsigned("derivations.next_index", family.try_get(2).storage()?)?;
                derivations.push((family.try_get(1).storage()?, next));
            }
        }
        // By bytes, whatever the database's collation.
        derivations.sort();
        summaries.push(MasterSummaryRow {
            id,
            label: row.try_get(1).storage()?,
            family: row.try_get(2).storage()?,
            created_ms: created.get("master_wallets.created_at")?,
            wallets: unsigned("wallets", row.try_get(4).storage()?)?,
            derivations,
        });
    }
    Ok(summaries)
}

/// Everything that the vault key seals or signs.
pub(super) async fn everything(connection: &mut PgConnection) -> Result<Everything, Fault> {
    let masters = all_masters(connection).await?;
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {} FROM wallets w ORDER BY w.wallet_id",
        wallet_columns()
    )))
    .fetch_all(&mut *connection)
    .await
    .storage()?;
    let wallets = rows.iter().map(sealed_wallet).collect::<Result<_, _>>()?;
    let policies = policies(connection).await?;
    Ok(Everything {
        masters,
        wallets,
        policies,
        audit_keys: audit_keys(connection).await?,
    })
}

/// Every policy, by version.
pub(super) async fn policies(connection: &mut PgConnection) -> Result<Vec<PolicyRow>, Fault> {
    let rows = sqlx::query("SELECT version, body, signature FROM policies ORDER BY version")
        .fetch_all(connection)
        .await
        .storage()?;
    rows.iter()
        .map(|row| {
            Ok(PolicyRow {
                version: unsigned("policies.version", row.try_get(0).storage()?)?,
                body: row.try_get(1).storage()?,
                signature: Signature::new(fixed("policies.signature", row.try_get(2).storage()?)?),
            })
        })
        .collect()
}

/// The retired keys of the audit log.
pub(super) async fn audit_keys(connection: &mut PgConnection) -> Result<Vec<AuditKeyRow>, Fault> {
    let rows =
        sqlx::query("SELECT until_sequence, audit_key, signature FROM audit_keys ORDER BY until_sequence")
            .fetch_all(connection)
            .await
            .storage()?;
    rows.iter()
        .map(|row| {
            Ok(AuditKeyRow {
                until: unsigned("audit_keys.until_sequence", row.try_get(0).storage()?)?,
                key: Address::new(fixed("audit_keys.audit_key", row.try_get(1).storage()?)?),
                signature: Signature::new(fixed("audit_keys.signature", row.try_get(2).storage()?)?),
            })
        })
        .collect()
}
