//! What signing leaves behind: the signature, and what counts as used.

use keyward_core::policy::WalletSignature;
use sqlx::SqliteConnection;

use super::errors::ResultExt;
use super::life::volume;
use super::seal;
use crate::error::CustodyError;
use crate::store::{Applied, Trade};

/// Marks an intent as signed, and its wallet as used; a transaction counts the first time alone.
pub(super) async fn intent_signed(
    connection: &mut SqliteConnection,
    hash: [u8; 32],
    wallet: i64,
    signature: WalletSignature,
    trade: Option<Trade>,
    now: i64,
    applied: &mut Applied,
) -> Result<(), CustodyError> {
    let changes = &mut applied.sealed;
    let signed = seal::end_intent(connection, hash, signature.to_string(), now, changes).await?;
    match trade.filter(|_| signed) {
        Some(trade) => traded(connection, wallet, trade, now).await,
        None => used(connection, wallet, now).await,
    }
}

async fn used(connection: &mut SqliteConnection, wallet: i64, now: i64) -> Result<(), CustodyError> {
    sqlx::query("UPDATE wallets SET last_used_at = MAX(COALESCE(last_used_at, 0), ?2) WHERE wallet_id = ?1")
        .bind(wallet)
        .bind(now)
        .execute(connection)
        .await
        .storage()?;
    Ok(())
}

/// SQLite cannot add 128 bits: the sum is made here, of what is there or of what was there a moment ago and still is.
async fn traded(
    connection: &mut SqliteConnection,
    wallet: i64,
    trade: Trade,
    now: i64,
) -> Result<(), CustodyError> {
    let mut before = trade.before;
    loop {
        let counted = sqlx::query(
            "UPDATE wallets SET last_used_at = MAX(COALESCE(last_used_at, 0), ?2), \
             total_trades = total_trades + (total_trades < 9223372036854775807), total_volume = ?4 \
             WHERE wallet_id = ?1 AND total_volume = ?3",
        )
        .bind(wallet)
        .bind(now)
        .bind(before.to_be_bytes().to_vec())
        .bind(before.saturating_add(trade.volume).to_be_bytes().to_vec())
        .execute(&mut *connection)
        .await
        .storage()?;
        if counted.rows_affected() > 0 {
            return Ok(());
        }
        let row = sqlx::query("SELECT total_volume FROM wallets WHERE wallet_id = ?1")
            .bind(wallet)
            .fetch_one(&mut *connection)
            .await
            .storage()?;
        let now_there = volume(&row, 0)?;
        if now_there == before {
            return Err(CustodyError::damaged("a wallet's usage cannot be counted"));
        }
        // Under the write lock it is the same again when it is written, so this ends.
        before = now_there;
    }
}
