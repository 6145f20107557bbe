//! Changes made so that the seal follows them: see [`crate::store::seal`].

use sqlx::{AssertSqlSafe, SqliteConnection};

use super::errors::ResultExt;
use super::{apply, dump};
use crate::audit::ledger::Ledger;
use crate::error::CustodyError;
use crate::store::rows::{INTENTS, Row, WALLETS};
use crate::store::seal::effect::{Effect, effect, ending, intent};
use crate::store::seal::{Changes, SEALED, SealKeys, Sums};
use crate::store::{Applied, Write, stored_integer};

/// Rows counted at a time.
const PAGE: u32 = 2_000;

/// Makes every change, and closes the seal over them.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    writes: Vec<Write>,
    ledger: &mut Ledger,
    now_ms: u64,
) -> Result<Applied, CustodyError> {
    if let Some(keys) = ledger.seal().counts_before() {
        let counted = count(connection, keys).await?;
        ledger.seal_mut().compare_before(&counted)?;
    }
    let mut applied = Applied::default();
    for write in writes {
        follow(connection, write, ledger, now_ms, &mut applied).await?;
    }
    if let Some(keys) = ledger.seal().counts_after() {
        let counted = count(connection, keys).await?;
        ledger.seal_mut().counted(counted);
        applied.sealed = Changes::default();
    }
    ledger.close_seal(&applied.sealed)?;
    Ok(applied)
}

/// Makes one change.
async fn follow(
    connection: &mut SqliteConnection,
    write: Write,
    ledger: &Ledger,
    now_ms: u64,
    applied: &mut Applied,
) -> Result<(), CustodyError> {
    let now = stored_integer("time", now_ms)?;
    let effect = effect(&write, now_ms)?;
    if !ledger.seal().follows() {
        let is_outside = matches!(effect, Effect::Outside);
        if !is_outside && ledger.is_sealed() && ledger.seal().counts_after().is_none() {
            return Err(CustodyError::Locked);
        }
        return apply::apply(connection, write, now, applied).await;
    }
    match effect {
        Effect::Outside | Effect::Told => apply::apply(connection, write, now, applied).await,
        Effect::Adds(table, row) => {
            apply::apply(connection, write, now, applied).await?;
            applied.sealed.add(table, row);
            Ok(())
        }
        Effect::NewWallets => {
            let highest = highest_wallet(connection).await?;
            // Counted from what is about to be written; read back only where some of them were there already.
            let counted = match &write {
                Write::Wallets { from, rows } => {
                    let sum = ledger.seal().count_new_wallets(*from, rows, highest, now_ms)?;
                    Some((sum, rows.len() as u64)) // usize has at most 64 bits
                }
                _ => None,
            };
            let before = applied.wallets_added;
            apply::apply(connection, write, now, applied).await?;
            match counted {
                Some((sum, all)) if applied.wallets_added - before == all => {
                    applied.sealed.add_counted(&WALLETS, sum);
                }
                _ => {
                    for row in wallets_above(connection, highest).await? {
                        applied.sealed.add(&WALLETS, row);
                    }
                }
            }
            Ok(())
        }
        Effect::Changes(places) => {
            let mut before = Vec::with_capacity(places.len());
            for place in &places {
                before.push(dump::at(connection, place).await?);
            }
            apply::apply(connection, write, now, applied).await?;
            for (place, before) in places.iter().zip(before) {
                let after = dump::at(connection, place).await?;
                applied.sealed.replace(place.table, before, after);
            }
            Ok(())
        }
    }
}

async fn highest_wallet(connection: &mut SqliteConnection) -> Result<i64, CustodyError> {
    sqlx::query_scalar("SELECT COALESCE(MAX(wallet_id), 0) FROM wallets")
        .fetch_one(connection)
        .await
        .storage()
}

async fn wallets_above(connection: &mut SqliteConnection, highest: i64) -> Result<Vec<Row>, CustodyError> {
    let text = format!(
        "SELECT {} FROM wallets WHERE wallet_id > ?1",
        dump::columns(&WALLETS)
    );
    let rows = sqlx::query(AssertSqlSafe(text))
        .bind(highest)
        .fetch_all(connection)
        .await
        .storage()?;
    rows.iter().map(|row| dump::decode(&WALLETS, row)).collect()
}

/// The sums of all rows that are there.
async fn count(connection: &mut SqliteConnection, keys: &SealKeys) -> Result<Sums, CustodyError> {
    let mut sums = Sums::default();
    for table in SEALED {
        let mut last: Option<Row> = None;
        loop {
            let page = dump::page(connection, table, last.as_ref(), PAGE).await?;
            page.iter().for_each(|row| keys.add(&mut sums, table, row));
            match page.into_iter().next_back() {
                Some(row) => last = Some(row),
                None => break,
            }
        }
    }
    Ok(sums)
}

/// Whether the log says that what is stored was sealed.
pub(super) async fn was_there(connection: &mut SqliteConnection) -> Result<bool, CustodyError> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM audit_entries WHERE operation = 'seal-state' \
         OR (sequence < 16 AND outcome = 'done' AND details LIKE '%, sealed'))",
    )
    .fetch_one(connection)
    .await
    .storage()
}

/// Puts an intent's signature there; whether it had none. Never out of `signed`: the first signature stands.
pub(super) async fn end_intent(
    connection: &mut SqliteConnection,
    hash: [u8; 32],
    signature: String,
    now: i64,
    changes: &mut Changes,
) -> Result<bool, CustodyError> {
    let ended: Option<i64> = sqlx::query_scalar(
        "UPDATE intents SET state = 'signed', signature = ?2, finished_at = MAX(authorised_at, ?3) \
         WHERE intent_hash = ?1 AND state = 'authorised' RETURNING finished_at",
    )
    .bind(hash.to_vec())
    .bind(signature.clone())
    .bind(now)
    .fetch_optional(&mut *connection)
    .await
    .storage()?;
    if let Some(finished) = ended {
        changes.add(&INTENTS, ending(hash, "signed", Some(signature), finished));
        return Ok(true);
    }
    // Rare: another process gave up on it meanwhile.
    let place = intent(hash);
    let before = dump::at(connection, &place).await?;
    let late = sqlx::query(
        "UPDATE intents SET state = 'signed', signature = ?2, finished_at = MAX(authorised_at, ?3) \
         WHERE intent_hash = ?1 AND state <> 'signed'",
    )
    .bind(hash.to_vec())
    .bind(signature)
    .bind(now)
    .execute(&mut *connection)
    .await
    .storage()?;
    let after = dump::at(connection, &place).await?;
    changes.replace(&INTENTS, before, after);
    Ok(late.rows_affected() > 0)
}
