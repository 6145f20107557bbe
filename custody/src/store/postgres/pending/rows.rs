//! Writing what waited, many rows in a statement.

use sqlx::PgConnection;

use super::{Kept, Pending};
use crate::audit::ledger::LedgerRow;
use crate::error::CustodyError;
use crate::store::postgres::errors::{Fault, ResultExt};
use crate::store::postgres::types::Millis;
use crate::store::postgres::{audit_log, usage};

impl Pending {
    /// Writes all of it, with these entries of the log.
    ///
    /// # Errors
    /// The database's: nothing of it may stay then.
    pub(in crate::store::postgres) async fn store(
        &self,
        connection: &mut PgConnection,
        entries: &[LedgerRow],
    ) -> Result<(), Fault> {
        self.store_intents(connection).await?;
        self.store_reservations(connection).await?;
        self.store_endings(connection).await?;
        self.store_usage(connection).await?;
        audit_log::append_all(connection, entries).await?;
        match &self.edge {
            Some(edge) => audit_log::store_edge(connection, edge).await,
            None => Ok(()),
        }
    }

    async fn store_intents(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        let mut columns: (Vec<_>, Vec<_>, Vec<_>, Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
        for (kept, at_ms) in &self.rows {
            if let Kept::Intent(new) = kept {
                columns.0.push(new.hash.to_vec());
                columns.1.push(new.wallet);
                columns.2.push(new.kind.as_str());
                columns.3.push(new.network.as_str());
                columns.4.push(i64::from(new.policy_version));
                columns.5.push(new.message_sha256.to_vec());
                columns.6.push(Millis::new("time", *at_ms)?);
            }
        }
        if columns.0.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO intents (intent_hash, wallet_id, kind, network, policy_version, message_sha256, state, \
             authorised_at) SELECT n.intent_hash, n.wallet_id, n.kind, n.network, n.policy_version, n.message_sha256, \
             'authorised', n.authorised_at FROM UNNEST($1, $2, $3, $4, $5, $6, $7) AS n (intent_hash, wallet_id, kind, \
             network, policy_version, message_sha256, authorised_at)",
        )
        .bind(columns.0)
        .bind(columns.1)
        .bind(columns.2)
        .bind(columns.3)
        .bind(columns.4)
        .bind(columns.5)
        .bind(columns.6)
        .execute(connection)
        .await
        .storage()?;
        Ok(())
    }

    async fn store_reservations(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        let mut columns: (Vec<_>, Vec<_>, Vec<_>, Vec<_>, Vec<_>) = Default::default();
        for (kept, at_ms) in &self.rows {
            if let Kept::Reservation {
                intent,
                wallet,
                asset,
                amount,
            } = kept
            {
                columns.0.push(intent.to_vec());
                columns.1.push(asset.as_str());
                columns.2.push(*wallet);
                columns.3.push(amount.to_string());
                columns.4.push(Millis::new("time", *at_ms)?);
            }
        }
        if columns.0.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO spend_reservations (intent_hash, asset, wallet_id, amount, reserved_at) \
             SELECT n.intent_hash, n.asset, n.wallet_id, CAST(n.amount AS NUMERIC), n.reserved_at \
             FROM UNNEST($1, $2, $3, $4, $5) AS n (intent_hash, asset, wallet_id, amount, reserved_at)",
        )
        .bind(columns.0)
        .bind(columns.1)
        .bind(columns.2)
        .bind(columns.3)
        .bind(columns.4)
        .execute(connection)
        .await
        .storage()?;
        Ok(())
    }

    async fn store_endings(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        let mut columns: (Vec<_>, Vec<_>, Vec<_>) = Default::default();
        for (kept, _) in &self.rows {
            if let Kept::Ending {
                hash,
                signature,
                finished_ms,
                ..
            } = kept
            {
                columns.0.push(hash.to_vec());
                columns.1.push(signature.to_string());
                columns.2.push(Millis::new("time", *finished_ms)?);
            }
        }
        let all = columns.0.len() as u64; // usize has at most 64 bits
        let asked = match (columns.0.as_slice(), columns.1.as_slice(), columns.2.as_slice()) {
            ([], ..) => return Ok(()),
            ([hash], [signature], [finished]) => sqlx::query(
                "UPDATE intents SET state = 'signed', signature = $2, finished_at = $3 \
                 WHERE intent_hash = $1 AND state = 'authorised'",
            )
            .bind(hash)
            .bind(signature)
            .bind(finished),
            // Planned each time: the table grows from nothing to millions while a plan is kept.
            (hashes, signatures, finished) => sqlx::query(
                "UPDATE intents SET state = 'signed', signature = n.signature, finished_at = n.finished_at \
                 FROM UNNEST($1, $2, $3) AS n (intent_hash, signature, finished_at) \
                 WHERE intents.intent_hash = n.intent_hash AND intents.state = 'authorised'",
            )
            .bind(hashes)
            .bind(signatures)
            .bind(finished)
            .persistent(false),
        };
        let ended = asked.execute(connection).await.storage()?.rows_affected();
        if ended == all {
            Ok(())
        } else {
            Err(CustodyError::damaged("an intent was changed past the lock that holds it").into())
        }
    }

    /// What counts as used, each wallet once.
    async fn store_usage(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        let mut used: Vec<(i64, u64, i64, u128)> = Vec::new();
        for (kept, at_ms) in &self.rows {
            let Kept::Ending { wallet, trade, .. } = kept else {
                continue;
            };
            let volume = trade.map_or(0, |trade| trade.volume);
            let trades = i64::from(trade.is_some());
            match used.iter_mut().find(|(id, ..)| id == wallet) {
                Some((_, last, count, sum)) => {
                    *last = (*last).max(*at_ms);
                    *count = count.saturating_add(trades);
                    *sum = sum.saturating_add(volume);
                }
                None => used.push((*wallet, *at_ms, trades, volume)),
            }
        }
        if let [] | [_] = used.as_slice() {
            return match used.first() {
                Some((wallet, at_ms, trades, volume)) => {
                    let now = Millis::new("time", *at_ms)?;
                    usage::used(connection, *wallet, now, *trades, *volume).await
                }
                None => Ok(()),
            };
        }
        let times: Vec<Millis> = used
            .iter()
            .map(|(_, at_ms, ..)| Millis::new("time", *at_ms))
            .collect::<Result<_, _>>()?;
        sqlx::query(
            "UPDATE wallets SET last_used_at = GREATEST(COALESCE(wallets.last_used_at, n.used_at), n.used_at), \
             total_trades = LEAST(wallets.total_trades, 9223372036854775807 - n.trades) + n.trades, \
             total_volume = LEAST(wallets.total_volume + CAST(n.volume AS NUMERIC), \
             340282366920938463463374607431768211455) \
             FROM UNNEST($1, $2, $3, $4) AS n (wallet_id, used_at, trades, volume) WHERE wallets.wallet_id = n.wallet_id",
        )
        .bind(used.iter().map(|(id, ..)| *id).collect::<Vec<i64>>())
        .bind(times)
        .bind(used.iter().map(|(_, _, trades, _)| *trades).collect::<Vec<i64>>())
        .bind(
            used.iter()
                .map(|(_, _, _, volume)| volume.to_string())
                .collect::<Vec<String>>(),
        )
        .persistent(false)
        .execute(connection)
        .await
        .storage()?;
        Ok(())
    }
}
