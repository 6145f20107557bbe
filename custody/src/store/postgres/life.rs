//! A wallet's owner, status and schedule, as decisions need them.

use std::collections::HashMap;

use keyward_core::address::Address;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::errors::{Fault, ResultExt};
use super::types::Millis;
use crate::error::CustodyError;
use crate::store::columns::unsigned;
use crate::wallets::{WalletState, WalletStatus};

/// The columns that [`state`] reads, so many as [`STATE_COUNT`].
pub(super) const STATE_COLUMNS: &str = "w.owner_id, w.owner_slot, w.is_primary, w.role, w.status, w.status_at, \
     w.deleted_from, w.purge_after, w.grace_until, w.previous_wallet_id, w.rotate_every, w.rotate_at, w.rotation_count";
pub(super) const STATE_COUNT: usize = 13;

/// A wallet's state from [`STATE_COLUMNS`] at `at`.
pub(super) fn state(row: &PgRow, at: usize) -> Result<WalletState, Fault> {
    let slot: Option<i64> = row.try_get(at + 1).storage()?;
    let status: String = row.try_get(at + 4).storage()?;
    let since: Millis = row.try_get(at + 5).storage()?;
    let deleted_from: Option<String> = row.try_get(at + 6).storage()?;
    let every: Option<i64> = row.try_get(at + 10).storage()?;
    Ok(WalletState {
        owner: row.try_get(at).storage()?,
        slot: slot
            .map(|slot| unsigned("wallets.owner_slot", slot))
            .transpose()?,
        is_primary: row.try_get(at + 2).storage()?,
        role: row.try_get(at + 3).storage()?,
        status: WalletStatus::from_stored(&status)?,
        status_ms: since.get("wallets.status_at")?,
        deleted_from: deleted_from
            .as_deref()
            .map(WalletStatus::from_stored)
            .transpose()?,
        purge_after_ms: maybe(row, at + 7, "wallets.purge_after")?,
        grace_until_ms: maybe(row, at + 8, "wallets.grace_until")?,
        previous: row.try_get(at + 9).storage()?,
        rotate_every_ms: every
            .map(|every| unsigned("wallets.rotate_every", every))
            .transpose()?,
        rotate_at_ms: maybe(row, at + 11, "wallets.rotate_at")?,
        rotation_count: unsigned("wallets.rotation_count", row.try_get(at + 12).storage()?)?,
    })
}

/// A moment that may be missing.
pub(super) fn maybe(row: &PgRow, at: usize, column: &'static str) -> Result<Option<u64>, Fault> {
    let moment: Option<Millis> = row.try_get(at).storage()?;
    Ok(moment.map(|moment| moment.get(column)).transpose()?)
}

/// The volume, from its digits.
pub(super) fn volume(row: &PgRow, at: usize) -> Result<u128, Fault> {
    let digits: &str = row.try_get(at).storage()?;
    Ok(digits
        .parse()
        .map_err(|_| CustodyError::damaged("wallets.total_volume is no amount"))?)
}

/// Those of the addresses that are wallets in use, in the order asked.
pub(super) async fn in_use(
    connection: &mut PgConnection,
    addresses: &[Address],
) -> Result<Vec<Address>, Fault> {
    if addresses.is_empty() {
        return Ok(Vec::new());
    }
    let texts: Vec<String> = addresses.iter().map(Address::to_string).collect();
    let rows = sqlx::query("SELECT address, status FROM wallets WHERE address = ANY($1)")
        .bind(texts)
        .fetch_all(connection)
        .await
        .storage()?;
    let mut statuses = HashMap::with_capacity(rows.len());
    for row in rows {
        let (address, status): (String, String) = (row.try_get(0).storage()?, row.try_get(1).storage()?);
        statuses.insert(address, WalletStatus::from_stored(&status)?);
    }
    let in_use = |address: &&Address| {
        statuses
            .get(&address.to_string())
            .is_some_and(|status| status.is_in_use())
    };
    Ok(addresses.iter().filter(in_use).copied().collect())
}
