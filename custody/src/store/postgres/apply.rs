//! Applying what a decision decided, audit entries included, in the transaction that it was decided in.

use sqlx::PgConnection;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;

use super::connect::Engine;
use super::errors::{Fault, ResultExt};
use super::key_chain;
use super::types::Millis;
use super::{audit_log, book, holdings, jobs, owners, rotation, rows, usage};
use crate::attempts::NewAttempt;
use crate::error::CustodyError;
use crate::store::columns::token_of;
use crate::store::{Applied, NewIntent, Write, stored_integer};

type Statement = Query<'static, sqlx::Postgres, PgArguments>;

/// Where the changes go, and when they happen.
pub(super) struct Applier<'c> {
    pub(super) connection: &'c mut PgConnection,
    pub(super) engine: Engine,
    pub(super) now: Millis,
}

impl Applier<'_> {
    /// Makes one change.
    pub(super) async fn apply(&mut self, write: Write, applied: &mut Applied) -> Result<(), Fault> {
        let now = self.now;
        match write {
            Write::Vault(row) => rows::vault(self.connection, *row, now).await,
            Write::Master(new) => {
                applied.master = Some(rows::master(self.connection, *new, now).await?);
                Ok(())
            }
            Write::Wallets { from, rows } => {
                applied.wallets_added += rows::wallets(self.connection, self.engine, from, rows, now).await?;
                Ok(())
            }
            Write::Key(change) => {
                applied.wallets_added += key_chain::apply(self.connection, self.engine, change, now).await?;
                Ok(())
            }
            Write::AuditKeys { current, retired } => {
                rows::audit_keys(self.connection, current, retired).await
            }
            Write::Rotation(step) => rotation::apply(self.connection, step, now).await,
            Write::Holdings(read) => holdings::apply(self.connection, read, now).await,
            Write::Job(change) => jobs::apply(self.connection, change, now).await,
            Write::Redact { sequences, by } => audit_log::redact(self.connection, sequences, by).await,
            Write::Life(change) => owners::apply(self.connection, change, now).await,
            Write::Book(change) => book::apply(self.connection, change, now).await,
            Write::IntentSigned {
                hash,
                wallet,
                signature,
                trade,
            } => usage::intent_signed(self.connection, hash, wallet, signature, trade, now, applied).await,
            Write::Attempt { wallet, new } => {
                applied.attempt = Some(self.attempt(wallet, *new).await?);
                Ok(())
            }
            Write::Reservation {
                intent,
                wallet,
                asset,
                amount,
                earlier,
            } => {
                let mut moved = 0;
                for held in earlier {
                    moved += self
                        .moved_reservation(held, intent, wallet, &asset, amount)
                        .await?;
                }
                if moved == 0 {
                    self.reservation(intent, wallet, asset, amount).await?;
                }
                Ok(())
            }
            other => self.run(statement(other, now)?).await.map(|_| ()),
        }
    }

    async fn run(&mut self, statement: Statement) -> Result<u64, Fault> {
        let done = statement.execute(&mut *self.connection).await.storage()?;
        Ok(done.rows_affected())
    }

    async fn reservation(
        &mut self,
        intent: [u8; 32],
        wallet: i64,
        asset: String,
        amount: u128,
    ) -> Result<(), Fault> {
        let statement = sqlx::query(
            "INSERT INTO spend_reservations (intent_hash, asset, wallet_id, amount, reserved_at) \
             VALUES ($1, $2, $3, CAST($4 AS NUMERIC), $5)",
        )
        .bind(intent.to_vec())
        .bind(asset)
        .bind(wallet)
        .bind(amount.to_string())
        .bind(self.now);
        self.run(statement).await.map(|_| ())
    }

    /// Moves what an intent reserved to now, and to another intent for the same bytes; how many rows that were.
    async fn moved_reservation(
        &mut self,
        (held_by, held_since_ms): ([u8; 32], u64),
        intent: [u8; 32],
        wallet: i64,
        asset: &str,
        amount: u128,
    ) -> Result<u64, Fault> {
        // By the whole primary key: a vault may hold millions of rows.
        let statement = sqlx::query(
            "UPDATE spend_reservations SET intent_hash = $4, wallet_id = $5, amount = CAST($6 AS NUMERIC), \
             reserved_at = GREATEST(reserved_at, $7) WHERE asset = $1 AND reserved_at = $2 AND intent_hash = $3",
        )
        .bind(asset.to_owned())
        .bind(Millis::new("time", held_since_ms)?)
        .bind(held_by.to_vec())
        .bind(intent.to_vec())
        .bind(wallet)
        .bind(amount.to_string())
        .bind(self.now);
        self.run(statement).await
    }

    /// The new attempt's id: see [`rows`].
    async fn attempt(&mut self, wallet: i64, new: NewAttempt) -> Result<i64, Fault> {
        let (mint, decimals) = token_of(&new.amount);
        sqlx::query_scalar(
            "INSERT INTO attempts (attempt_id, wallet_id, recipient, lamports, signature, wire_bytes, \
             last_valid_block_height, network, state, created_at, updated_at, mint, decimals, nonce_account, nonce_value) \
             VALUES (COALESCE((SELECT MAX(attempt_id) FROM attempts), 0) + 1, $1, $2, $3, $4, $5, $6, $7, 'signed', \
             $8, $8, $9, $10, $11, $12) RETURNING attempt_id",
        )
        .bind(wallet)
        .bind(new.recipient.to_string())
        .bind(stored_integer("amount", new.amount.base_units())?)
        .bind(new.signature.to_string())
        .bind(new.transaction)
        .bind(stored_integer(
            "last valid block height",
            new.last_valid_block_height,
        )?)
        .bind(new.network)
        .bind(self.now)
        .bind(mint)
        .bind(decimals)
        .bind(new.nonce.map(|nonce| nonce.account.to_string()))
        .bind(new.nonce.map(|nonce| nonce.value.to_string()))
        .fetch_one(&mut *self.connection)
        .await
        .storage()
    }
}

/// A change that is one statement.
fn statement(write: Write, now: Millis) -> Result<Statement, CustodyError> {
    Ok(match write {
        Write::Settings(row) => sqlx::query(
            "INSERT INTO vault_settings (singleton, version, body, signature, updated_at) VALUES (1, $1, $2, $3, $4) \
             ON CONFLICT (singleton) DO UPDATE SET version = excluded.version, body = excluded.body, \
             signature = excluded.signature, updated_at = excluded.updated_at",
        )
        .bind(i64::from(row.version))
        .bind(row.body)
        .bind(row.signature.as_bytes().to_vec())
        .bind(now),
        Write::Header(header) => sqlx::query("UPDATE vaults SET header = $1").bind(header),
        Write::Lockout {
            failed_unlocks,
            locked_until_ms,
        } => sqlx::query("UPDATE vaults SET failed_unlocks = $1, locked_until = $2")
            .bind(i64::from(failed_unlocks))
            .bind(Millis::new("lockout", locked_until_ms)?),
        Write::NextIndex {
            master,
            family,
            next_index,
        } => sqlx::query(
            "INSERT INTO derivations (master_id, path_family, next_index) VALUES ($1, $2, $3) \
             ON CONFLICT (master_id, path_family) DO UPDATE \
             SET next_index = GREATEST(derivations.next_index, excluded.next_index)",
        )
        .bind(master)
        .bind(family.id())
        .bind(i64::from(next_index)),
        Write::TagAddress { address, tag } => sqlx::query(
            "UPDATE wallets SET tags = ARRAY_APPEND(tags, $2) WHERE address = $1 AND NOT $2 = ANY(tags)",
        )
        .bind(address.to_string())
        .bind(tag),
        Write::Tag { wallet, tag } => sqlx::query(
            "UPDATE wallets SET tags = ARRAY_APPEND(tags, $2) WHERE wallet_id = $1 AND NOT $2 = ANY(tags)",
        )
        .bind(wallet)
        .bind(tag),
        Write::Untag { wallet, tag } => sqlx::query(
            "UPDATE wallets SET tags = ARRAY_REMOVE(tags, $2) WHERE wallet_id = $1 AND $2 = ANY(tags)",
        )
        .bind(wallet)
        .bind(tag),
        Write::Label { wallet, label } => sqlx::query("UPDATE wallets SET label = $2 WHERE wallet_id = $1")
            .bind(wallet)
            .bind(label),
        Write::WalletSealed {
            wallet,
            epoch,
            own_password,
            sealed,
        } => {
            sqlx::query("UPDATE wallets SET epoch = $2, own_password = $3, sealed = $4 WHERE wallet_id = $1")
                .bind(wallet)
                .bind(i64::from(epoch))
                .bind(own_password)
                .bind(sealed)
        }
        Write::WalletLockout {
            wallet,
            failed_passwords,
            locked_until_ms,
        } => sqlx::query("UPDATE wallets SET failed_passwords = $2, locked_until = $3 WHERE wallet_id = $1")
            .bind(wallet)
            .bind(i64::from(failed_passwords))
            .bind(Millis::new("lockout", locked_until_ms)?),
        Write::PolicySignature { version, signature } => {
            sqlx::query("UPDATE policies SET signature = $2 WHERE version = $1")
                .bind(i64::from(version))
                .bind(signature.as_bytes().to_vec())
        }
        Write::Intent(new) => intent(new, now),
        // Never out of `signed`: see `seal::end_intent`.
        Write::IntentRenewed { hash } => sqlx::query(
            "UPDATE intents SET state = 'authorised', authorised_at = GREATEST(authorised_at, $2), \
             finished_at = NULL WHERE intent_hash = $1 AND state <> 'signed'",
        )
        .bind(hash.to_vec())
        .bind(now),
        Write::IntentFailed { hash } => sqlx::query(
            "UPDATE intents SET state = 'failed', finished_at = GREATEST(authorised_at, $2) \
             WHERE intent_hash = $1 AND state = 'authorised'",
        )
        .bind(hash.to_vec())
        .bind(now),
        Write::AttemptState {
            id,
            state,
            slot,
            error,
        } => sqlx::query(
            "UPDATE attempts SET state = $2, slot = $3, error = $4, updated_at = GREATEST(created_at, $5) \
             WHERE attempt_id = $1",
        )
        .bind(id.0)
        .bind(state.as_str())
        .bind(slot.map(|slot| stored_integer("slot", slot)).transpose()?)
        .bind(error)
        .bind(now),
        Write::Checkpoint { size, root, note } => sqlx::query(
            "INSERT INTO audit_checkpoints (size, root, note, created_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT DO NOTHING",
        )
        .bind(stored_integer("checkpoint size", size)?)
        .bind(root.to_vec())
        .bind(note)
        .bind(now),
        Write::Vault(_)
        | Write::Master(_)
        | Write::Wallets { .. }
        | Write::Key(_)
        | Write::AuditKeys { .. }
        | Write::Redact { .. }
        | Write::Life(_)
        | Write::Book(_)
        | Write::Reservation { .. }
        | Write::IntentSigned { .. }
        | Write::Attempt { .. }
        | Write::Rotation(_)
        | Write::Holdings(_)
        | Write::Job(_) => {
            return Err(CustodyError::damaged("a change of many statements came as one"));
        }
    })
}

fn intent(new: NewIntent, now: Millis) -> Statement {
    sqlx::query(
        "INSERT INTO intents (intent_hash, wallet_id, kind, network, policy_version, message_sha256, state, \
         authorised_at) VALUES ($1, $2, $3, $4, $5, $6, 'authorised', $7)",
    )
    .bind(new.hash.to_vec())
    .bind(new.wallet)
    .bind(new.kind.as_str())
    .bind(new.network)
    .bind(i64::from(new.policy_version))
    .bind(new.message_sha256.to_vec())
    .bind(now)
}
