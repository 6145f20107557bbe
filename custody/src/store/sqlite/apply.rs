//! Applying what a decision decided, audit entries included, in the transaction that it was decided in.

use std::fmt::Write as _;

use keyward_core::address::Signature;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::errors::ResultExt;
use super::{audit_log, facts};
use crate::attempts::NewAttempt;
use crate::clock::Clock;
use crate::error::CustodyError;
use crate::store::{
    Applied, Ask, Decide, NewIntent, NewVaultRow, NewWallet, Write, stored_integer, stored_lamports,
};

/// Wallets in one INSERT: enough that its preparation does not count, few enough for SQLite's limit of 32,766
/// parameters.
const ROWS_PER_INSERT: usize = 500;

/// Columns of a wallet that differ between rows.
const WALLET_COLUMNS: usize = 5;

/// Gathers, decides, writes. The caller commits or rolls back.
pub(super) async fn decide_and_apply(
    connection: &mut SqliteConnection,
    clock: &dyn Clock,
    ask: &Ask,
    decide: Decide<'_>,
) -> Result<Applied, CustodyError> {
    // Read only now, under the write lock: see `Facts::now_ms`.
    let now_ms = clock.now_ms();
    let (facts, mut ledger) = facts::gather(connection, ask, now_ms).await?;
    let writes = decide(&mut ledger, facts)?;
    let now = stored_integer("time", now_ms)?;
    let mut applied = Applied::default();
    for write in writes {
        apply(connection, write, now, &mut applied).await?;
    }
    audit_log::store(connection, &ledger).await?;
    Ok(applied)
}

async fn apply(
    connection: &mut SqliteConnection,
    write: Write,
    now: i64,
    applied: &mut Applied,
) -> Result<(), CustodyError> {
    let query = match write {
        Write::Vault(row) => return vault(connection, *row, now).await,
        Write::Wallets { master, rows } => {
            applied.wallets_added += wallets(connection, master, rows, now).await?;
            return Ok(());
        }
        Write::Intent(new) => return intent(connection, new, now).await,
        Write::IntentSigned {
            hash,
            wallet,
            signature,
        } => {
            return intent_signed(connection, hash, wallet, signature, now).await;
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
        } => {
            return reservation(connection, intent, wallet, asset, amount, now).await;
        }
        Write::Header(header) => sqlx::query("UPDATE vaults SET header = ?1").bind(header),
        Write::Lockout {
            failed_unlocks,
            locked_until_ms,
        } => sqlx::query("UPDATE vaults SET failed_unlocks = ?1, locked_until = ?2")
            .bind(failed_unlocks)
            .bind(stored_integer("lockout", locked_until_ms)?),
        Write::NextIndex { master, next_index } => {
            sqlx::query("UPDATE master_wallets SET next_index = ?2 WHERE master_id = ?1")
                .bind(master)
                .bind(next_index)
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
    // The columns hold 64 bits; refused rather than cut.
    let amount = u64::try_from(amount)
        .map_err(|_| CustodyError::invalid("amount", "it has more than 64 bits, the most that is counted"))?;
    sqlx::query(
        "INSERT INTO spend_reservations (intent_hash, asset, wallet_id, amount_high, amount_low, reserved_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .bind(intent.to_vec())
    .bind(asset)
    .bind(wallet)
    .bind((amount >> 32) as u32) // the upper half
    .bind(amount as u32) // the lower half; truncation is the point
    .bind(now)
    .execute(connection)
    .await
    .storage()?;
    Ok(())
}

async fn intent_signed(
    connection: &mut SqliteConnection,
    hash: [u8; 32],
    wallet: i64,
    signature: Signature,
    now: i64,
) -> Result<(), CustodyError> {
    sqlx::query("UPDATE wallets SET last_used_at = MAX(COALESCE(last_used_at, 0), ?2) WHERE wallet_id = ?1")
        .bind(wallet)
        .bind(now)
        .execute(&mut *connection)
        .await
        .storage()?;
    // Never out of `signed`: the first signature stands.
    sqlx::query(
        "UPDATE intents SET state = 'signed', signature = ?2, finished_at = MAX(authorised_at, ?3) \
         WHERE intent_hash = ?1 AND state <> 'signed'",
    )
    .bind(hash.to_vec())
    .bind(signature.to_string())
    .bind(now)
    .execute(connection)
    .await
    .storage()?;
    Ok(())
}

/// The new attempt's id.
async fn attempt(
    connection: &mut SqliteConnection,
    wallet: i64,
    new: NewAttempt,
    now: i64,
) -> Result<i64, CustodyError> {
    let done = sqlx::query(
        "INSERT INTO attempts (wallet_id, recipient, lamports, signature, wire_bytes, \
         last_valid_block_height, network, state, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'signed', ?8, ?8)",
    )
    .bind(wallet)
    .bind(new.recipient.to_string())
    .bind(stored_lamports(new.lamports)?)
    .bind(new.signature.to_string())
    .bind(new.transaction)
    .bind(stored_integer(
        "last valid block height",
        new.last_valid_block_height,
    )?)
    .bind(new.network)
    .bind(now)
    .execute(connection)
    .await
    .storage()?;
    Ok(done.last_insert_rowid())
}

async fn vault(connection: &mut SqliteConnection, row: NewVaultRow, now: i64) -> Result<(), CustodyError> {
    let id = row.id.to_vec();
    sqlx::query("INSERT INTO vaults (vault_id, header, audit_key, created_at) VALUES (?1, ?2, ?3, ?4)")
        .bind(id.clone())
        .bind(row.header)
        .bind(row.audit_key.to_vec())
        .bind(now)
        .execute(&mut *connection)
        .await
        .storage()?;
    sqlx::query(
        "INSERT INTO master_wallets (vault_id, record_id, epoch, path_family, sealed, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .bind(id.clone())
    .bind(row.master_record.to_vec())
    .bind(row.epoch)
    .bind(row.family)
    .bind(row.master_sealed)
    .bind(now)
    .execute(&mut *connection)
    .await
    .storage()?;
    sqlx::query(
        "INSERT INTO policies (version, vault_id, body, signature, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )
    .bind(row.policy.version)
    .bind(id)
    .bind(row.policy.body)
    .bind(row.policy.signature.as_bytes().to_vec())
    .bind(now)
    .execute(connection)
    .await
    .storage()?;
    Ok(())
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

/// Inserts wallets in statements of many rows, and says how many were new.
async fn wallets(
    connection: &mut SqliteConnection,
    master: i64,
    rows: Vec<NewWallet>,
    now: i64,
) -> Result<u64, CustodyError> {
    let full = wallets_statement(ROWS_PER_INSERT);
    let mut rows = rows.into_iter().peekable();
    let mut added = 0;
    while rows.peek().is_some() {
        let chunk: Vec<NewWallet> = rows.by_ref().take(ROWS_PER_INSERT).collect();
        let rest;
        let statement = if chunk.len() == ROWS_PER_INSERT {
            &full
        } else {
            rest = wallets_statement(chunk.len());
            &rest
        };
        // All rows of one derivation are of one epoch.
        let epoch = chunk.first().map_or(0, |row| row.epoch);
        // The text is made of the row count alone: nothing of it comes from outside.
        let mut query = sqlx::query(AssertSqlSafe(statement.clone()))
            .bind(master)
            .bind(now)
            .bind(epoch);
        for row in chunk {
            query = query
                .bind(row.index)
                .bind(row.path)
                .bind(row.address.to_string())
                .bind(row.record.to_vec())
                .bind(row.sealed);
        }
        added += query.execute(&mut *connection).await.storage()?.rows_affected();
    }
    Ok(added)
}

fn wallets_statement(rows: usize) -> String {
    let mut text = String::from(
        "INSERT INTO wallets (master_id, created_at, epoch, derivation_index, path, address, record_id, sealed) VALUES ",
    );
    for row in 0..rows {
        let at = 4 + row * WALLET_COLUMNS;
        let comma = if row == 0 { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "{comma}(?1, ?2, ?3, ?{at}, ?{}, ?{}, ?{}, ?{})",
            at + 1,
            at + 2,
            at + 3,
            at + 4
        );
    }
    // The same wallet derived again; anything else that clashes is an error.
    text.push_str(" ON CONFLICT (master_id, derivation_index) DO NOTHING");
    text
}
