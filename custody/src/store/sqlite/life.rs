//! A wallet's owner, status and schedule, as decisions need them.

use keyward_core::address::Address;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::errors::ResultExt;
use crate::error::CustodyError;
use crate::store::columns::{fixed, unsigned};
use crate::wallets::{WalletState, WalletStatus};

/// The columns that [`state`] reads, so many as [`STATE_COUNT`].
pub(super) const STATE_COLUMNS: &str = "w.owner_id, w.owner_slot, w.is_primary, w.role, w.status, w.status_at, \
     w.deleted_from, w.purge_after, w.grace_until, w.previous_wallet_id, w.rotate_every, w.rotate_at, w.rotation_count";
pub(super) const STATE_COUNT: usize = 13;

/// A wallet's state from [`STATE_COLUMNS`] at `at`.
pub(super) fn state(row: &SqliteRow, at: usize) -> Result<WalletState, CustodyError> {
    let slot: Option<i64> = row.try_get(at + 1).storage()?;
    let deleted_from: Option<String> = row.try_get(at + 6).storage()?;
    Ok(WalletState {
        owner: row.try_get(at).storage()?,
        slot: slot
            .map(|slot| unsigned("wallets.owner_slot", slot))
            .transpose()?,
        is_primary: row.try_get::<i64, _>(at + 2).storage()? != 0,
        role: row.try_get(at + 3).storage()?,
        status: WalletStatus::from_stored(row.try_get(at + 4).storage()?)?,
        status_ms: unsigned("wallets.status_at", row.try_get(at + 5).storage()?)?,
        deleted_from: deleted_from
            .as_deref()
            .map(WalletStatus::from_stored)
            .transpose()?,
        purge_after_ms: maybe(row, at + 7, "wallets.purge_after")?,
        grace_until_ms: maybe(row, at + 8, "wallets.grace_until")?,
        previous: row.try_get(at + 9).storage()?,
        rotate_every_ms: maybe(row, at + 10, "wallets.rotate_every")?,
        rotate_at_ms: maybe(row, at + 11, "wallets.rotate_at")?,
        rotation_count: unsigned("wallets.rotation_count", row.try_get(at + 12).storage()?)?,
    })
}

/// A number that may be missing.
pub(super) fn maybe(row: &SqliteRow, at: usize, column: &'static str) -> Result<Option<u64>, CustodyError> {
    let value: Option<i64> = row.try_get(at).storage()?;
    value.map(|value| unsigned(column, value)).transpose()
}

/// The volume, from its 16 bytes.
pub(super) fn volume(row: &SqliteRow, at: usize) -> Result<u128, CustodyError> {
    let bytes = fixed("wallets.total_volume", row.try_get(at).storage()?)?;
    Ok(u128::from_be_bytes(bytes))
}

/// Those of the addresses that are wallets in use, in the order asked.
pub(super) async fn in_use(
    connection: &mut SqliteConnection,
    addresses: &[Address],
) -> Result<Vec<Address>, CustodyError> {
    let mut found = Vec::new();
    for address in addresses {
        let status: Option<String> = sqlx::query_scalar("SELECT status FROM wallets WHERE address = ?1")
            .bind(address.to_string())
            .fetch_optional(&mut *connection)
            .await
            .storage()?;
        let status = status.as_deref().map(WalletStatus::from_stored).transpose()?;
        found.extend(status.filter(|status| status.is_in_use()).map(|_| *address));
    }
    Ok(found)
}
