//! What lists and pages show besides wallets: tags, attempts, the vault's summary.

use keyward_core::address::Signature;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::errors::ResultExt;
use super::facts::{VAULT_COLUMNS, VAULT_WIDTH, vault_row};
use crate::attempts::{Attempt, AttemptId, AttemptQuery, AttemptState, NewAttempt};
use crate::error::CustodyError;
use crate::store::columns::{fixed, nonce_use, parse_address, parse_signature, transfer_amount, unsigned};
use crate::store::{Overview, Payment, PolicyRow, stored_integer};

const ATTEMPT_COLUMNS: &str = "a.attempt_id, w.address, a.recipient, a.lamports, a.signature, a.wire_bytes, \
     a.last_valid_block_height, a.network, a.state, a.slot, a.error, a.created_at, a.updated_at, \
     a.mint, a.decimals, a.nonce_account, a.nonce_value \
     FROM attempts a JOIN wallets w ON w.wallet_id = a.wallet_id";

pub(super) async fn overview(connection: &mut SqliteConnection) -> Result<Option<Overview>, CustodyError> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {VAULT_COLUMNS}, \
         (SELECT path_family FROM master_wallets ORDER BY master_id LIMIT 1), \
         p.version, p.body, p.signature FROM vaults v LEFT JOIN policies p ON p.vault_id = v.vault_id \
         ORDER BY p.version DESC LIMIT 1"
    )))
    .fetch_optional(connection)
    .await
    .storage()?;
    row.map(|row| {
        let version: Option<i64> = row.try_get(VAULT_WIDTH + 1).storage()?;
        let policy = version.map(|version| -> Result<PolicyRow, CustodyError> {
            Ok(PolicyRow {
                version: unsigned("policies.version", version)?,
                body: row.try_get(VAULT_WIDTH + 2).storage()?,
                signature: Signature::new(fixed(
                    "policies.signature",
                    row.try_get(VAULT_WIDTH + 3).storage()?,
                )?),
            })
        });
        Ok(Overview {
            vault: vault_row(&row)?,
            family: row
                .try_get::<Option<String>, _>(VAULT_WIDTH)
                .storage()?
                .unwrap_or_default(),
            policy: policy.transpose()?,
        })
    })
    .transpose()
}

pub(super) async fn tags(connection: &mut SqliteConnection) -> Result<Vec<(String, u64)>, CustodyError> {
    let rows = sqlx::query("SELECT tag, COUNT(*) FROM tags GROUP BY tag ORDER BY tag")
        .fetch_all(connection)
        .await
        .storage()?;
    rows.iter()
        .map(|row| {
            Ok((
                row.try_get(0).storage()?,
                unsigned("tags", row.try_get(1).storage()?)?,
            ))
        })
        .collect()
}

pub(super) async fn attempts(
    connection: &mut SqliteConnection,
    query: &AttemptQuery,
) -> Result<Vec<Attempt>, CustodyError> {
    let unresolved = if query.unresolved_only {
        " AND a.state IN ('signed', 'sent')"
    } else {
        ""
    };
    let by_wallet = if query.wallet.is_some() {
        " AND w.address = ?1"
    } else {
        ""
    };
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {ATTEMPT_COLUMNS} WHERE 1{unresolved}{by_wallet} ORDER BY a.attempt_id DESC LIMIT ?2"
    )))
    .bind(query.wallet.map(|wallet| wallet.to_string()))
    .bind(query.limit)
    .fetch_all(connection)
    .await
    .storage()?;
    rows.iter().map(attempt).collect()
}

/// The oldest unresolved attempt that makes this payment.
pub(super) async fn unresolved_payment(
    connection: &mut SqliteConnection,
    payment: &Payment,
) -> Result<Option<Signature>, CustodyError> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {ATTEMPT_COLUMNS} WHERE a.state IN ('signed', 'sent') \
         AND w.address = ?1 AND a.recipient = ?2 AND a.lamports = ?3 AND a.network = ?4 AND a.mint IS ?5 \
         ORDER BY a.attempt_id LIMIT 1"
    )))
    .bind(payment.wallet.to_string())
    .bind(payment.recipient.to_string())
    .bind(stored_integer("amount", payment.amount.base_units())?)
    .bind(&payment.network)
    .bind(payment.amount.mint().map(|mint| mint.to_string()))
    .fetch_optional(connection)
    .await
    .storage()?;
    Ok(row
        .as_ref()
        .map(attempt)
        .transpose()?
        .map(|found| found.new.signature))
}

pub(super) async fn attempt_by_id(
    connection: &mut SqliteConnection,
    id: AttemptId,
) -> Result<Option<Attempt>, CustodyError> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {ATTEMPT_COLUMNS} WHERE a.attempt_id = ?1"
    )))
    .bind(id.0)
    .fetch_optional(connection)
    .await
    .storage()?;
    row.as_ref().map(attempt).transpose()
}

pub(super) async fn attempt_by_signature(
    connection: &mut SqliteConnection,
    signature: &Signature,
) -> Result<Option<Attempt>, CustodyError> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {ATTEMPT_COLUMNS} WHERE a.signature = ?1"
    )))
    .bind(signature.to_string())
    .fetch_optional(connection)
    .await
    .storage()?;
    row.as_ref().map(attempt).transpose()
}

fn attempt(row: &SqliteRow) -> Result<Attempt, CustodyError> {
    let slot: Option<i64> = row.try_get(9).storage()?;
    Ok(Attempt {
        id: AttemptId(row.try_get(0).storage()?),
        new: NewAttempt {
            wallet: parse_address("wallets.address", row.try_get(1).storage()?)?,
            recipient: parse_address("attempts.recipient", row.try_get(2).storage()?)?,
            amount: transfer_amount(
                unsigned("attempts.lamports", row.try_get(3).storage()?)?,
                row.try_get(13).storage()?,
                row.try_get(14).storage()?,
            )?,
            signature: parse_signature("attempts.signature", row.try_get(4).storage()?)?,
            transaction: row.try_get(5).storage()?,
            last_valid_block_height: unsigned("attempts.last_valid_block_height", row.try_get(6).storage()?)?,
            network: row.try_get(7).storage()?,
            nonce: nonce_use(row.try_get(15).storage()?, row.try_get(16).storage()?)?,
        },
        state: AttemptState::from_stored(row.try_get(8).storage()?)
            .ok_or_else(|| CustodyError::damaged("attempts.state is unknown"))?,
        slot: slot.map(|slot| unsigned("attempts.slot", slot)).transpose()?,
        error: row.try_get(10).storage()?,
        created_ms: unsigned("attempts.created_at", row.try_get(11).storage()?)?,
        updated_ms: unsigned("attempts.updated_at", row.try_get(12).storage()?)?,
    })
}
