//! Applying what a decision decided, audit entries included, in the transaction that it was decided in.

use sqlx::SqliteConnection;

use super::errors::ResultExt;
use super::key_chain;
use super::{audit_log, book, facts, holdings, jobs, owners, rotation, rows, seal, usage};
use crate::attempts::NewAttempt;
use crate::audit::ledger::LedgerRow;
use crate::clock::Clock;
use crate::error::CustodyError;
use crate::store::columns::token_of;
use crate::store::{Applied, Ask, Decide, NewIntent, Write, stored_integer};

/// Gathers, decides, writes. The caller commits or rolls back. The audit entries come with it.
pub(super) async fn decide_and_apply(
    connection: &mut SqliteConnection,
    clock: &dyn Clock,
    ask: &Ask,
    decide: Decide<'_>,
) -> Result<(Applied, Vec<LedgerRow>), CustodyError> {
    // Read only now, under the write lock: see `Facts::now_ms`.
    let now_ms = clock.now_ms();
    let (facts, mut ledger) = facts::gather(connection, ask, now_ms).await?;
    let writes = decide(&mut ledger, facts)?;
    let applied = seal::write(connection, writes, &mut ledger, now_ms).await?;
    audit_log::store(connection, &ledger).await?;
    Ok((applied, ledger.into_appended()))
}

pub(super) async fn apply(
    connection: &mut SqliteConnection,
    write: Write,
    now: i64,
    applied: &mut Applied,
) -> Result<(), CustodyError> {
    let query = match write {
        Write::Vault(row) => return rows::vault(connection, *row, now).await,
        Write::Master(new) => {
            applied.master = Some(rows::master(connection, *new, now).await?);
            return Ok(());
        }
        Write::Wallets { from, rows } => {
            applied.wallets_added += rows::wallets(connection, from, rows, now).await?;
            return Ok(());
        }
        Write::Key(change) => {
            applied.wallets_added += key_chain::apply(connection, change, now).await?;
            return Ok(());
        }
        Write::AuditKeys { current, retired } => return rows::audit_keys(connection, current, retired).await,
        Write::Redact { sequences, by } => return audit_log::redact(connection, sequences, by).await,
        Write::Life(change) => return owners::apply(connection, change, now).await,
        Write::Book(change) => return book::apply(connection, change, now).await,
        Write::Intent(new) => return intent(connection, new, now).await,
        Write::Rotation(step) => return rotation::apply(connection, step, now).await,
        Write::Holdings(read) => return holdings::apply(connection, read, now).await,
        Write::Job(change) => return jobs::apply(connection, change, now).await,
        Write::IntentSigned {
            hash,
            wallet,
            signature,
            trade,
        } => {
            return usage::intent_signed(connection, hash, wallet, signature, trade, now, applied).await;
        }
        Write::Attempt { wallet, new } => {
            applied.attempt = Some(attempt(connection, wallet, *new, now).await?);
            return Ok(());
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
                moved += moved_reservation(connection, held, intent, wallet, &asset, amount, now).await?;
            }
            if moved == 0 {
                reservation(connection, intent, wallet, asset, amount, now).await?;
            }
            return Ok(());
        }
        Write::Settings(row) => sqlx::query(
            "INSERT INTO vault_settings (singleton, version, body, signature, updated_at) VALUES (1, ?1, ?2, ?3, ?4) \
             ON CONFLICT (singleton) DO UPDATE SET version = excluded.version, body = excluded.body, \
             signature = excluded.signature, updated_at = excluded.updated_at",
        )
        .bind(row.version)
        .bind(row.body)
        .bind(row.signature.as_bytes().to_vec())
        .bind(now),
        Write::Header(header) => sqlx::query("UPDATE vaults SET header = ?1").bind(header),
        Write::Lockout {
            failed_unlocks,
            locked_until_ms,
        } => sqlx::query("UPDATE vaults SET failed_unlocks = ?1, locked_until = ?2")
            .bind(failed_unlocks)
            .bind(stored_integer("lockout", locked_until_ms)?),
        Write::NextIndex {
            master,
            family,
            next_index,
        } => sqlx::query(
            "INSERT INTO derivations (master_id, path_family, next_index) VALUES (?1, ?2, ?3) \
             ON CONFLICT (master_id, path_family) DO UPDATE \
             SET next_index = MAX(next_index, excluded.next_index)",
        )
        .bind(master)
        .bind(family.id())
        .bind(next_index),
        Write::TagAddress { address, tag } => sqlx::query(
            "INSERT INTO tags (wallet_id, tag) SELECT wallet_id, ?2 FROM wallets WHERE address = ?1 \
             ON CONFLICT DO NOTHING",
        )
        .bind(address.to_string())
        .bind(tag),
        Write::WalletSealed {
            wallet,
            epoch,
            own_password,
            sealed,
        } => {
            sqlx::query("UPDATE wallets SET epoch = ?2, own_password = ?3, sealed = ?4 WHERE wallet_id = ?1")
                .bind(wallet)
                .bind(epoch)
                .bind(own_password)
                .bind(sealed)
        }
        Write::WalletLockout {
            wallet,
            failed_passwords,
            locked_until_ms,
        } => sqlx::query("UPDATE wallets SET failed_passwords = ?2, locked_until = ?3 WHERE wallet_id = ?1")
            .bind(wallet)
            .bind(failed_passwords)
            .bind(stored_integer("lockout", locked_until_ms)?),
        Write::PolicySignature { version, signature } => {
            sqlx::query("UPDATE policies SET signature = ?2 WHERE version = ?1")
                .bind(version)
                .bind(signature.as_bytes().to_vec())
        }
        Write::Label { wallet, label } => sqlx::query("UPDATE wallets SET label = ?2 WHERE wallet_id = ?1")
            .bind(wallet)
            .bind(label),
        Write::Tag { wallet, tag } => {
            sqlx::query("INSERT INTO tags (wallet_id, tag) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
                .bind(wallet)
                .bind(tag)
        }
        Write::Untag { wallet, tag } => sqlx::query("DELETE FROM tags WHERE wallet_id = ?1 AND tag = ?2")
            .bind(wallet)
            .bind(tag),
        // Never out of `signed`: see `seal::end_intent`.
        Write::IntentRenewed { hash } => sqlx::query(
            "UPDATE intents SET state = 'authorised', authorised_at = MAX(authorised_at, ?2), finished_at = NULL \
             WHERE intent_hash = ?1 AND state <> 'signed'",
        )
        .bind(hash.to_vec())
        .bind(now),
        Write::IntentFailed { hash } => sqlx::query(
            "UPDATE intents SET state = 'failed', finished_at = MAX(authorised_at, ?2) \
             WHERE intent_hash = ?1 AND state = 'authorised'",
        )
        .bind(hash.to_vec())
        .bind(now),
        Write::AttemptState {
            id,
            state,
            slot,
            error,
        } => sqlx::query(
            "UPDATE attempts SET state = ?2, slot = ?3, error = ?4, updated_at = MAX(created_at, ?5) \
             WHERE attempt_id = ?1",
        )
        .bind(id.0)
        .bind(state.as_str())
        .bind(slot.map(|slot| stored_integer("slot", slot)).transpose()?)
        .bind(error)
        .bind(now),
        Write::Checkpoint { size, root, note } => sqlx::query(
            "INSERT INTO audit_checkpoints (size, root, note, created_at) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT DO NOTHING",
        )
        .bind(stored_integer("checkpoint size", size)?)
        .bind(root.to_vec())
        .bind(note)
        .bind(now),
    };
    query.execute(connection).await.storage()?;
    Ok(())
}

async fn reservation(
    connection: &mut SqliteConnection,
    intent: [u8; 32],
    wallet: i64,
    asset: String,
    amount: u128,
    now: i64,
) -> Result<(), CustodyError> {
    let [top, upper, high, low] = limbs(amount);
    sqlx::query(
        "INSERT INTO spend_reservations (intent_hash, asset, wallet_id, amount_top, amount_upper, amount_high, \
         amount_low, reserved_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .bind(intent.to_vec())
    .bind(asset)
    .bind(wallet)
    .bind(top)
    .bind(upper)
    .bind(high)
    .bind(low)
    .bind(now)
    .execute(connection)
    .await
    .storage()?;
    Ok(())
}

/// Moves what an intent reserved to now, and to another intent for the same bytes; how many rows that were.
async fn moved_reservation(
    connection: &mut SqliteConnection,
    (held_by, held_since_ms): ([u8; 32], u64),
    intent: [u8; 32],
    wallet: i64,
    asset: &str,
    amount: u128,
    now: i64,
) -> Result<u64, CustodyError> {
    let [top, upper, high, low] = limbs(amount);
    // By the whole primary key: a vault may hold millions of rows.
    let done = sqlx::query(
        "UPDATE spend_reservations SET intent_hash = ?4, wallet_id = ?5, amount_top = ?6, amount_upper = ?7, \
         amount_high = ?8, amount_low = ?9, reserved_at = MAX(reserved_at, ?10) \
         WHERE asset = ?1 AND reserved_at = ?2 AND intent_hash = ?3",
    )
    .bind(asset)
    .bind(stored_integer("time", held_since_ms)?)
    .bind(held_by.to_vec())
    .bind(intent.to_vec())
    .bind(wallet)
    .bind(top)
    .bind(upper)
    .bind(high)
    .bind(low)
    .bind(now)
    .execute(connection)
    .await
    .storage()?;
    Ok(done.rows_affected())
}

/// The four pieces of 32 bits of an amount, the highest first; truncation is the point.
pub(super) fn limbs(amount: u128) -> [u32; 4] {
    [96, 64, 32, 0].map(|shift| (amount >> shift) as u32)
}

/// The new attempt's id.
async fn attempt(
    connection: &mut SqliteConnection,
    wallet: i64,
    new: NewAttempt,
    now: i64,
) -> Result<i64, CustodyError> {
    let (mint, decimals) = token_of(&new.amount);
    let done = sqlx::query(
        "INSERT INTO attempts (wallet_id, recipient, lamports, signature, wire_bytes, \
         last_valid_block_height, network, state, created_at, updated_at, mint, decimals, nonce_account, nonce_value) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'signed', ?8, ?8, ?9, ?10, ?11, ?12)",
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
    .bind(now)
    .bind(mint)
    .bind(decimals)
    .bind(new.nonce.map(|nonce| nonce.account.to_string()))
    .bind(new.nonce.map(|nonce| nonce.value.to_string()))
    .execute(connection)
    .await
    .storage()?;
    Ok(done.last_insert_rowid())
}

async fn intent(connection: &mut SqliteConnection, new: NewIntent, now: i64) -> Result<(), CustodyError> {
    sqlx::query(
        "INSERT INTO intents (intent_hash, wallet_id, kind, network, policy_version, message_sha256, state, \
         authorised_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'authorised', ?7)",
    )
    .bind(new.hash.to_vec())
    .bind(new.wallet)
    .bind(new.kind.as_str())
    .bind(new.network)
    .bind(new.policy_version)
    .bind(new.message_sha256.to_vec())
    .bind(now)
    .execute(connection)
    .await
    .storage()?;
    Ok(())
}
