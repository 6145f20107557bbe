//! What lists and pages show besides wallets: tags, attempts, the vault's summary.

use keyward_core::address::Signature;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::errors::{Fault, ResultExt};
use super::facts::{VAULT_COLUMNS, VAULT_WIDTH, vault_row};
use super::types::Millis;
use crate::attempts::{Attempt, AttemptId, AttemptQuery, AttemptState, NewAttempt};
use crate::error::CustodyError;
use crate::store::columns::{fixed, nonce_use, parse_address, parse_signature, transfer_amount, unsigned};
use crate::store::{Overview, Payment, PolicyRow, stored_integer};

const ATTEMPT_COLUMNS: &str = "a.attempt_id, w.address, a.recipient, a.lamports, a.signature, a.wire_bytes, \
     a.last_valid_block_height, a.network, a.state, a.slot, a.error, a.created_at, a.updated_at, \
     a.mint, a.decimals, a.nonce_account, a.nonce_value \
     FROM attempts a JOIN wallets w ON w.wallet_id = a.wallet_id";

pub(super) async fn overview(connection: &mut PgConnection) -> Result<Option<Overview>, Fault> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {VAULT_COLUMNS}, \
         (SELECT path_family FROM master_wallets ORDER BY master_id LIMIT 1), \
         p.version, p.body, p.signature FROM vaults v LEFT JOIN policies p ON p.vault_id = v.vault_id \
         ORDER BY p.version DESC NULLS LAST LIMIT 1"
    )))
    .fetch_optional(connection)
    .await
    .storage()?;
    row.map(|row| {
        let version: Option<i64> = row.try_get(VAULT_WIDTH + 1).storage()?;
        let policy = version.map(|version| -> Result<PolicyRow, Fault> {
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

pub(super) async fn tags(connection: &mut PgConnection) -> Result<Vec<(String, u64)>, Fault> {
    let rows = sqlx::query(
        // The condition is the index's own: most wallets have no tag.
        "SELECT t.tag, COUNT(*) FROM wallets w, UNNEST(w.tags) AS t (tag) WHERE w.tags <> ARRAY[]::TEXT[] GROUP BY t.tag",
    )
        .fetch_all(connection)
        .await
        .storage()?;
    let mut tags = rows
        .iter()
        .map(|row| {
            Ok((
                row.try_get(0).storage()?,
                unsigned("tags", row.try_get(1).storage()?)?,
            ))
        })
        .collect::<Result<Vec<(String, u64)>, Fault>>()?;
    // By bytes, whatever the database's collation.
    tags.sort();
    Ok(tags)
}

pub(super) async fn attempts(
    connection: &mut PgConnection,
    query: &AttemptQuery,
) -> Result<Vec<Attempt>, Fault> {
    let unresolved = if query.unresolved_only {
        " AND a.state IN ('signed', 'sent')"
    } else {
        ""
    };
    let by_wallet = if query.wallet.is_some() {
        " AND w.address = $1"
    } else {
        ""
    };
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {ATTEMPT_COLUMNS} WHERE TRUE{unresolved}{by_wallet} ORDER BY a.attempt_id DESC LIMIT $2"
    )))
    .bind(query.wallet.map(|wallet| wallet.to_string()))
    .bind(i64::from(query.limit))
    .fetch_all(connection)
    .await
    .storage()?;
    rows.iter().map(attempt).collect()
}

/// The oldest unresolved attempt that makes this payment.
pub(super) async fn unresolved_payment(
    connection: &mut PgConnection,
    payment: &Payment,
) -> Result<Option<Signature>, Fault> {
    let signature: Option<String> = sqlx::query_scalar(
        "SELECT a.signature FROM attempts a JOIN wallets w ON w.wallet_id = a.wallet_id \
         WHERE a.state IN ('signed', 'sent') \
         AND w.address = $1 AND a.recipient = $2 AND a.lamports = $3 AND a.network = $4 \
         AND COALESCE(a.mint, '') = COALESCE(CAST($5 AS TEXT), '') \
         ORDER BY a.attempt_id LIMIT 1",
    )
    .bind(payment.wallet.to_string())
    .bind(payment.recipient.to_string())
    .bind(stored_integer("amount", payment.amount.base_units())?)
    .bind(&payment.network)
    .bind(payment.amount.mint().map(|mint| mint.to_string()))
    .fetch_optional(connection)
    .await
    .storage()?;
    Ok(signature
        .map(|text| parse_signature("attempts.signature", &text))
        .transpose()?)
}

pub(super) async fn attempt_by_id(
    connection: &mut PgConnection,
    id: AttemptId,
) -> Result<Option<Attempt>, Fault> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {ATTEMPT_COLUMNS} WHERE a.attempt_id = $1"
    )))
    .bind(id.0)
    .fetch_optional(connection)
    .await
    .storage()?;
    row.as_ref().map(attempt).transpose()
}

pub(super) async fn attempt_by_signature(
    connection: &mut PgConnection,
    signature: &Signature,
) -> Result<Option<Attempt>, Fault> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {ATTEMPT_COLUMNS} WHERE a.signature = $1"
    )))
    .bind(signature.to_string())
    .fetch_optional(connection)
    .await
    .storage()?;
    row.as_ref().map(attempt).transpose()
}

/// Reads every row that others refer to, and looks for references to nothing: the server checks its pages as they are
/// read, where it was made with checksums.
pub(super) async fn check_integrity(connection: &mut PgConnection) -> Result<(), Fault> {
    let orphans: i64 = sqlx::query_scalar(
        "SELECT (SELECT COUNT(*) FROM wallets w LEFT JOIN master_wallets m ON m.master_id = w.master_id \
                 WHERE w.master_id IS NOT NULL AND m.master_id IS NULL) \
              + (SELECT COUNT(*) FROM intents i LEFT JOIN wallets w ON w.wallet_id = i.wallet_id \
                 LEFT JOIN policies p ON p.version = i.policy_version \
                 WHERE w.wallet_id IS NULL OR p.version IS NULL) \
              + (SELECT COUNT(*) FROM spend_reservations r LEFT JOIN intents i ON i.intent_hash = r.intent_hash \
                 WHERE i.intent_hash IS NULL) \
              + (SELECT COUNT(*) FROM attempts a LEFT JOIN wallets w ON w.wallet_id = a.wallet_id \
                 WHERE w.wallet_id IS NULL) \
              + (SELECT COUNT(*) FROM derivations d LEFT JOIN master_wallets m ON m.master_id = d.master_id \
                 WHERE m.master_id IS NULL)",
    )
    .fetch_one(&mut *connection)
    .await
    .storage()?;
    if orphans != 0 {
        return Err(CustodyError::damaged(format!("{orphans} rows refer to rows that are not there")).into());
    }
    // The sealed records and the wire bytes are what nothing else of this reads.
    let _: Option<i64> = sqlx::query_scalar(
        "SELECT (SELECT MAX(length(sealed)) FROM wallets)::BIGINT + (SELECT MAX(length(sealed)) FROM master_wallets) \
         + COALESCE((SELECT MAX(length(wire_bytes)) FROM attempts), 0)",
    )
    .fetch_one(connection)
    .await
    .storage()?;
    Ok(())
}

fn attempt(row: &PgRow) -> Result<Attempt, Fault> {
    let slot: Option<i64> = row.try_get(9).storage()?;
    let (created, updated): (Millis, Millis) = (row.try_get(11).storage()?, row.try_get(12).storage()?);
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
        created_ms: created.get("attempts.created_at")?,
        updated_ms: updated.get("attempts.updated_at")?,
    })
}
