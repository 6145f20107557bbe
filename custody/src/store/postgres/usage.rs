//! What signing leaves behind: the signature, and what counts as used.

use keyward_core::policy::WalletSignature;
use sqlx::PgConnection;

use super::errors::{Fault, ResultExt};
use super::seal;
use super::types::Millis;
use crate::store::{Applied, Trade};

/// Marks an intent as signed, and its wallet as used; a transaction counts the first time alone.
pub(super) async fn intent_signed(
    connection: &mut PgConnection,
    hash: [u8; 32],
    wallet: i64,
    signature: WalletSignature,
    trade: Option<Trade>,
    now: Millis,
    applied: &mut Applied,
) -> Result<(), Fault> {
    let changes = &mut applied.sealed;
    let signed = seal::end_intent(connection, hash, signature.to_string(), now, changes).await?;
    let (trades, volume) = match trade.filter(|_| signed) {
        Some(trade) => (1_i64, trade.volume),
        None => (0, 0),
    };
    used(connection, wallet, now, trades, volume).await
}

/// Counts what a wallet was used for.
pub(super) async fn used(
    connection: &mut PgConnection,
    wallet: i64,
    now: Millis,
    trades: i64,
    volume: u128,
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE wallets SET last_used_at = GREATEST(COALESCE(last_used_at, $2), $2), \
         total_trades = LEAST(total_trades, 9223372036854775807 - $3) + $3, \
         total_volume = LEAST(total_volume + CAST($4 AS NUMERIC), 340282366920938463463374607431768211455) \
         WHERE wallet_id = $1",
    )
    .bind(wallet)
    .bind(now)
    .bind(trades)
    .bind(volume.to_string())
    .execute(connection)
    .await
    .storage()?;
    Ok(())
}
