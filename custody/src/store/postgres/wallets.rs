//! Wallets, one at a time.

use keyward_core::account::AccountAddress;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::errors::{Fault, ResultExt};
use super::life::{maybe, volume};
use super::types::Millis;
use crate::store::WalletPlace;
use crate::store::columns::{parse_account, parse_family, unsigned};
use crate::wallets::{MasterId, Wallet, WalletPage, WalletStatus};

/// A wallet's columns, in the order that [`wallet`] reads them.
pub(super) const WALLET_COLUMNS: &str = "w.derivation_index, w.address, w.path, w.label, w.created_at, w.last_used_at, w.tags, \
     w.master_id, w.path_family, w.own_password, \
     (SELECT o.name FROM owners o WHERE o.owner_id = w.owner_id), w.is_primary, \
     w.role, w.status, w.status_at, w.grace_until, w.purge_after, \
     (SELECT p.address FROM wallets p WHERE p.wallet_id = w.previous_wallet_id), w.rotate_every, w.rotate_at, \
     w.rotation_count, w.total_trades, CAST(w.total_volume AS TEXT)";

pub(super) async fn wallet_by_address(
    connection: &mut PgConnection,
    address: &AccountAddress,
) -> Result<Option<Wallet>, Fault> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {WALLET_COLUMNS} FROM wallets w WHERE w.address = $1"
    )))
    .bind(address.to_string())
    .fetch_optional(connection)
    .await
    .storage()?;
    row.as_ref().map(wallet).transpose()
}

pub(super) async fn wallets_by_label(
    connection: &mut PgConnection,
    label: &str,
) -> Result<WalletPage, Fault> {
    // The first condition is what lets the partial index be used.
    let total = sqlx::query_scalar("SELECT COUNT(*) FROM wallets WHERE label <> '' AND label = $1")
        .bind(label)
        .fetch_one(&mut *connection)
        .await
        .storage()?;
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {WALLET_COLUMNS} FROM wallets w WHERE w.label <> '' AND w.label = $1 ORDER BY w.wallet_id LIMIT 2"
    )))
    .bind(label)
    .fetch_all(connection)
    .await
    .storage()?;
    page(total, &rows)
}

pub(super) async fn wallets_by_index(
    connection: &mut PgConnection,
    at: WalletPlace,
) -> Result<WalletPage, Fault> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {WALLET_COLUMNS} FROM master_wallets m JOIN wallets w ON w.master_id = m.master_id \
         AND w.path_family = COALESCE($2, m.path_family) AND w.derivation_index = $3 \
         WHERE m.master_id = COALESCE($1, (SELECT MIN(master_id) FROM master_wallets)) LIMIT 2"
    )))
    .bind(at.master)
    .bind(at.family.map(|family| family.id()))
    .bind(i64::from(at.index))
    .fetch_all(connection)
    .await
    .storage()?;
    page(i64::try_from(rows.len()).unwrap_or(i64::MAX), &rows)
}

pub(super) fn page(total: i64, rows: &[PgRow]) -> Result<WalletPage, Fault> {
    Ok(WalletPage {
        total: unsigned("wallets", total)?,
        rows: rows.iter().map(wallet).collect::<Result<_, _>>()?,
        next: None,
    })
}

/// A wallet from [`WALLET_COLUMNS`].
pub(super) fn wallet(row: &PgRow) -> Result<Wallet, Fault> {
    let index: Option<i64> = row.try_get(0).storage()?;
    let created: Millis = row.try_get(4).storage()?;
    let last_used: Option<Millis> = row.try_get(5).storage()?;
    let mut tags: Vec<String> = row.try_get(6).storage()?;
    tags.sort();
    let family: Option<String> = row.try_get(8).storage()?;
    let previous: Option<String> = row.try_get(17).storage()?;
    let rotate_every: Option<i64> = row.try_get(18).storage()?;
    let status_since: Millis = row.try_get(14).storage()?;
    Ok(Wallet {
        index: index
            .map(|index| unsigned("wallets.derivation_index", index))
            .transpose()?,
        address: parse_account("wallets.address", row.try_get(1).storage()?)?,
        path: row.try_get(2).storage()?,
        label: row.try_get(3).storage()?,
        tags,
        created_ms: created.get("wallets.created_at")?,
        last_used_ms: last_used.map(|at| at.get("wallets.last_used_at")).transpose()?,
        master: row.try_get::<Option<i64>, _>(7).storage()?.map(MasterId),
        family: family.as_deref().map(parse_family).transpose()?,
        own_password: row.try_get(9).storage()?,
        owner: row.try_get(10).storage()?,
        is_primary: row.try_get(11).storage()?,
        role: row.try_get(12).storage()?,
        status: WalletStatus::from_stored(row.try_get(13).storage()?)?,
        status_ms: status_since.get("wallets.status_at")?,
        grace_until_ms: maybe(row, 15, "wallets.grace_until")?,
        purge_after_ms: maybe(row, 16, "wallets.purge_after")?,
        previous: previous
            .map(|address| parse_account("wallets.address", &address))
            .transpose()?,
        rotate_every_ms: rotate_every
            .map(|every| unsigned("wallets.rotate_every", every))
            .transpose()?,
        rotate_at_ms: maybe(row, 19, "wallets.rotate_at")?,
        rotation_count: unsigned("wallets.rotation_count", row.try_get(20).storage()?)?,
        total_trades: unsigned("wallets.total_trades", row.try_get(21).storage()?)?,
        total_volume: volume(row, 22)?,
    })
}
