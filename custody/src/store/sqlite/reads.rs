//! What lists and pages show: wallets, tags, attempts, the vault's summary.

use keyward_core::account::{AccountAddress, Chain};
use keyward_core::address::Signature;
use keyward_core::amount::Lamports;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::errors::ResultExt;
use super::facts::{VAULT_COLUMNS, vault_row};
use crate::attempts::{Attempt, AttemptId, AttemptQuery, AttemptState, NewAttempt};
use crate::error::CustodyError;
use crate::store::columns::{
    fixed, parse_account, parse_address, parse_family, parse_signature, pattern, unsigned,
};
use crate::store::{Overview, Payment, PolicyRow, WalletPlace, stored_integer};
use crate::wallets::{MasterId, Wallet, WalletPage, WalletQuery, WalletSort};

/// A wallet's columns, in the order that [`wallet`] reads them. The tags of one row are one JSON array.
const WALLET_COLUMNS: &str = "w.derivation_index, w.address, w.path, w.label, w.created_at, w.last_used_at, \
     (SELECT json_group_array(t.tag) FROM (SELECT tag FROM tags WHERE wallet_id = w.wallet_id ORDER BY tag) t), \
     w.master_id, w.path_family, w.own_password";

const ATTEMPT_COLUMNS: &str = "a.attempt_id, w.address, a.recipient, a.lamports, a.signature, a.wire_bytes, \
     a.last_valid_block_height, a.network, a.state, a.slot, a.error, a.created_at, a.updated_at \
     FROM attempts a JOIN wallets w ON w.wallet_id = a.wallet_id";

pub(super) async fn overview(connection: &mut SqliteConnection) -> Result<Option<Overview>, CustodyError> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {VAULT_COLUMNS}, \
         (SELECT path_family FROM master_wallets ORDER BY master_id LIMIT 1), (SELECT COUNT(*) FROM wallets), \
         p.version, p.body, p.signature FROM vaults v LEFT JOIN policies p ON p.vault_id = v.vault_id \
         ORDER BY p.version DESC LIMIT 1"
    )))
    .fetch_optional(connection)
    .await
    .storage()?;
    row.map(|row| {
        let version: Option<i64> = row.try_get(8).storage()?;
        let policy = version.map(|version| -> Result<PolicyRow, CustodyError> {
            Ok(PolicyRow {
                version: unsigned("policies.version", version)?,
                body: row.try_get(9).storage()?,
                signature: Signature::new(fixed("policies.signature", row.try_get(10).storage()?)?),
            })
        });
        Ok(Overview {
            vault: vault_row(&row)?,
            family: row.try_get::<Option<String>, _>(6).storage()?.unwrap_or_default(),
            wallet_count: unsigned("wallets", row.try_get(7).storage()?)?,
            policy: policy.transpose()?,
        })
    })
    .transpose()
}

pub(super) async fn wallets(
    connection: &mut SqliteConnection,
    query: &WalletQuery,
) -> Result<WalletPage, CustodyError> {
    let index = query
        .text
        .strip_prefix('#')
        .and_then(|text| text.parse::<u32>().ok());
    let by_text = match (query.text.is_empty(), index) {
        (true, _) => "",
        (false, Some(_)) => " AND w.derivation_index = ?2",
        (false, None) => {
            " AND (w.address LIKE ?1 ESCAPE '\\' OR w.label LIKE ?1 ESCAPE '\\' \
              OR w.wallet_id IN (SELECT wallet_id FROM tags WHERE tag LIKE ?1 ESCAPE '\\'))"
        }
    };
    let by_tag = if query.tag.is_some() {
        " AND w.wallet_id IN (SELECT wallet_id FROM tags WHERE tag = ?3)"
    } else {
        ""
    };
    let by_chain = match query.chain {
        None => "",
        Some(Chain::Solana) => " AND w.chain = 'solana'",
        Some(Chain::Evm) => " AND w.chain = 'evm'",
    };
    let order = order(query.sort, query.descending);
    let text = pattern(&query.text);
    // Every piece of the texts is one of those above: nothing of them comes from outside.
    let total: i64 = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT COUNT(*) FROM wallets w WHERE 1{by_text}{by_tag}{by_chain}"
    )))
    .bind(&text)
    .bind(index)
    .bind(&query.tag)
    .fetch_one(&mut *connection)
    .await
    .storage()?;
    // The page is cut out of narrow rows first; only its own rows are then fetched whole.
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {WALLET_COLUMNS} FROM (SELECT w.wallet_id AS id FROM wallets w WHERE 1{by_text}{by_tag}{by_chain} \
         ORDER BY {order} LIMIT ?4 OFFSET ?5) page JOIN wallets w ON w.wallet_id = page.id ORDER BY {order}"
    )))
    .bind(&text)
    .bind(index)
    .bind(&query.tag)
    .bind(query.limit)
    .bind(stored_integer("offset", query.offset)?)
    .fetch_all(connection)
    .await
    .storage()?;
    page(total, &rows)
}

/// Where a wallet stands among those that are otherwise equal: imported ones, which have no place, at the end.
const PLACE: &str = "w.master_id NULLS LAST, w.path_family, w.derivation_index, w.wallet_id";

/// Wallets without the value sorted by come last, whichever way round.
fn order(sort: WalletSort, descending: bool) -> String {
    let direction = if descending { "DESC" } else { "ASC" };
    match sort {
        WalletSort::Index => format!(
            "w.master_id {direction} NULLS LAST, w.path_family {direction}, w.derivation_index {direction}, \
             w.wallet_id {direction}"
        ),
        WalletSort::Label => {
            format!("(w.label = ''), w.label COLLATE NOCASE {direction}, {PLACE}")
        }
        WalletSort::LastUsed => {
            format!("(w.last_used_at IS NULL), w.last_used_at {direction}, {PLACE}")
        }
    }
}

pub(super) async fn wallet_by_address(
    connection: &mut SqliteConnection,
    address: &AccountAddress,
) -> Result<Option<Wallet>, CustodyError> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {WALLET_COLUMNS} FROM wallets w WHERE w.address = ?1"
    )))
    .bind(address.to_string())
    .fetch_optional(connection)
    .await
    .storage()?;
    row.as_ref().map(wallet).transpose()
}

pub(super) async fn wallets_by_label(
    connection: &mut SqliteConnection,
    label: &str,
) -> Result<WalletPage, CustodyError> {
    // The first condition is what lets SQLite use the partial index.
    let total = sqlx::query_scalar("SELECT COUNT(*) FROM wallets WHERE label <> '' AND label = ?1")
        .bind(label)
        .fetch_one(&mut *connection)
        .await
        .storage()?;
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {WALLET_COLUMNS} FROM wallets w WHERE w.label <> '' AND w.label = ?1 LIMIT 2"
    )))
    .bind(label)
    .fetch_all(connection)
    .await
    .storage()?;
    page(total, &rows)
}

pub(super) async fn wallets_by_index(
    connection: &mut SqliteConnection,
    at: WalletPlace,
) -> Result<WalletPage, CustodyError> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {WALLET_COLUMNS} FROM master_wallets m JOIN wallets w ON w.master_id = m.master_id \
         AND w.path_family = COALESCE(?2, m.path_family) AND w.derivation_index = ?3 \
         WHERE m.master_id = COALESCE(?1, (SELECT MIN(master_id) FROM master_wallets)) LIMIT 2"
    )))
    .bind(at.master)
    .bind(at.family.map(|family| family.id()))
    .bind(at.index)
    .fetch_all(connection)
    .await
    .storage()?;
    page(i64::try_from(rows.len()).unwrap_or(i64::MAX), &rows)
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
         AND w.address = ?1 AND a.recipient = ?2 AND a.lamports = ?3 AND a.network = ?4 \
         ORDER BY a.attempt_id LIMIT 1"
    )))
    .bind(payment.wallet.to_string())
    .bind(payment.recipient.to_string())
    .bind(stored_integer("lamports", payment.lamports.get())?)
    .bind(&payment.network)
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

fn page(total: i64, rows: &[SqliteRow]) -> Result<WalletPage, CustodyError> {
    Ok(WalletPage {
        total: unsigned("wallets", total)?,
        rows: rows.iter().map(wallet).collect::<Result<_, _>>()?,
    })
}

fn wallet(row: &SqliteRow) -> Result<Wallet, CustodyError> {
    let index: Option<i64> = row.try_get(0).storage()?;
    let last_used: Option<i64> = row.try_get(5).storage()?;
    let tags: String = row.try_get(6).storage()?;
    let family: Option<String> = row.try_get(8).storage()?;
    Ok(Wallet {
        index: index
            .map(|index| unsigned("wallets.derivation_index", index))
            .transpose()?,
        address: parse_account("wallets.address", row.try_get(1).storage()?)?,
        path: row.try_get(2).storage()?,
        label: row.try_get(3).storage()?,
        tags: serde_json::from_str(&tags).map_err(|_| CustodyError::damaged("tags.tag is not text"))?,
        created_ms: unsigned("wallets.created_at", row.try_get(4).storage()?)?,
        last_used_ms: last_used
            .map(|at| unsigned("wallets.last_used_at", at))
            .transpose()?,
        master: row.try_get::<Option<i64>, _>(7).storage()?.map(MasterId),
        family: family.as_deref().map(parse_family).transpose()?,
        own_password: row.try_get::<i64, _>(9).storage()? != 0,
    })
}

fn attempt(row: &SqliteRow) -> Result<Attempt, CustodyError> {
    let slot: Option<i64> = row.try_get(9).storage()?;
    Ok(Attempt {
        id: AttemptId(row.try_get(0).storage()?),
        new: NewAttempt {
            wallet: parse_address("wallets.address", row.try_get(1).storage()?)?,
            recipient: parse_address("attempts.recipient", row.try_get(2).storage()?)?,
            lamports: Lamports::new(unsigned("attempts.lamports", row.try_get(3).storage()?)?),
            signature: parse_signature("attempts.signature", row.try_get(4).storage()?)?,
            transaction: row.try_get(5).storage()?,
            last_valid_block_height: unsigned("attempts.last_valid_block_height", row.try_get(6).storage()?)?,
            network: row.try_get(7).storage()?,
        },
        state: AttemptState::from_stored(row.try_get(8).storage()?)
            .ok_or_else(|| CustodyError::damaged("attempts.state is unknown"))?,
        slot: slot.map(|slot| unsigned("attempts.slot", slot)).transpose()?,
        error: row.try_get(10).storage()?,
        created_ms: unsigned("attempts.created_at", row.try_get(11).storage()?)?,
        updated_ms: unsigned("attempts.updated_at", row.try_get(12).storage()?)?,
    })
}
