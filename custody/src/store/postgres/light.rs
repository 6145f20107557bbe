//! The facts of a signature, in one question for its authorisation and one for its record.

use std::collections::HashMap;
use std::fmt::Write as _;

use keyward_core::address::Address;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::errors::{Fault, ResultExt};
use super::facts::{self, COUNTER_COLUMNS, COUNTER_COUNT, COUNTERS, Locks};
use super::life;
use super::pending::Grounds;
use super::types::Millis;
use crate::store::columns::{fixed, since};
use crate::store::{Ask, Facts, VaultRow};
use crate::wallets::WalletStatus;

/// Reads what a signature goes by, of what [`Ask::is_for_signing`] allows.
pub(super) async fn facts(
    connection: &mut PgConnection,
    ask: &Ask,
    vault: Option<VaultRow>,
    policy_version: u32,
    now_ms: u64,
) -> Result<(Facts, Grounds), Fault> {
    facts::within_bounds(ask)?;
    let mut facts = Facts::bare(now_ms, vault, policy_version);
    if !together(connection, ask, &mut facts).await? {
        facts.intents = facts::intents(connection, &ask.intents, Locks::Taken).await?;
        facts.own = life::in_use(connection, &ask.own).await?;
        for window in &ask.windows {
            let spent = facts::spent(connection, window, now_ms, &ask.intents).await?;
            facts.spent.push(spent);
        }
    }
    let is_there = |hash: &[u8; 32]| facts.intents.iter().any(|intent| intent.hash == *hash);
    let grounds = Grounds {
        wallets: facts.wallets.iter().map(|wallet| wallet.id).collect(),
        free: ask
            .intents
            .iter()
            .filter(|hash| !is_there(hash))
            .copied()
            .collect(),
        policy_version,
        open: open(connection, &ask.ending).await?,
    };
    Ok((facts, grounds))
}

/// All of it beside the wallets' rows; false where none of them is there, and so no row to say it in.
async fn together(connection: &mut PgConnection, ask: &Ask, facts: &mut Facts) -> Result<bool, Fault> {
    if ask.wallets.is_empty() {
        return Ok(false);
    }
    let mut text = format!(
        "SELECT {}, {COUNTER_COLUMNS}, (SELECT COUNT(*) FROM intents k WHERE k.intent_hash = ANY($3)), \
         ARRAY(SELECT o.address || ' ' || o.status FROM wallets o WHERE o.address = ANY($4))",
        facts::wallet_columns()
    );
    for at in 0..ask.windows.len() {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            ", (SELECT CAST(COALESCE(SUM(r.amount), 0) AS TEXT) FROM spend_reservations r WHERE r.asset = ${} \
             AND r.reserved_at > ${} AND NOT r.intent_hash = ANY($3))",
            5 + 2 * at,
            6 + 2 * at
        );
    }
    text.push_str(" FROM wallets w WHERE w.address = ANY($1) ORDER BY w.wallet_id FOR UPDATE OF w");
    // The text is made of the number of windows alone: nothing of it comes from outside.
    let mut asked = sqlx::query(AssertSqlSafe(text))
        .bind(facts::texts(&ask.wallets))
        .bind(Millis::bound(since(facts.now_ms, ask.rate_window_ms)))
        .bind(facts::own(&ask.intents))
        .bind(ask.own.iter().map(Address::to_string).collect::<Vec<String>>());
    for window in &ask.windows {
        asked = asked
            .bind(window.asset.clone())
            .bind(Millis::bound(since(facts.now_ms, window.duration_ms)));
    }
    let rows = asked.fetch_all(&mut *connection).await.storage()?;
    let Some(first) = rows.first() else {
        return Ok(false);
    };
    let after = COUNTERS + COUNTER_COUNT;
    let known: i64 = first.try_get(after).storage()?;
    let own: Vec<String> = first.try_get(after + 1).storage()?;
    for at in 0..ask.windows.len() {
        let sum: String = first.try_get(after + 2 + at).storage()?;
        facts.spent.push(facts::amount(&sum)?);
    }
    facts.own = in_use(&own, &ask.own)?;
    facts.wallets = facts::in_order(&rows, &ask.wallets)?;
    if known > 0 {
        facts.intents = facts::intents(connection, &ask.intents, Locks::Taken).await?;
    }
    Ok(true)
}

/// As [`life::in_use`], of addresses with their status.
fn in_use(found: &[String], asked: &[Address]) -> Result<Vec<Address>, Fault> {
    let mut statuses = HashMap::with_capacity(found.len());
    for one in found {
        let (address, status) = one.split_once(' ').unwrap_or((one, ""));
        statuses.insert(address, WalletStatus::from_stored(status)?);
    }
    let in_use = |address: &&Address| {
        statuses
            .get(address.to_string().as_str())
            .is_some_and(|status| status.is_in_use())
    };
    Ok(asked.iter().filter(in_use).copied().collect())
}

/// Those of the intents that are authorised and have not ended, and when they were.
async fn open(connection: &mut PgConnection, hashes: &[[u8; 32]]) -> Result<Vec<([u8; 32], u64)>, Fault> {
    if hashes.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(
        "SELECT i.intent_hash, i.authorised_at FROM intents i WHERE i.intent_hash = ANY($1) AND i.state = 'authorised' \
         FOR UPDATE OF i",
    )
    .bind(facts::own(hashes))
    .fetch_all(connection)
    .await
    .storage()?;
    rows.iter()
        .map(|row| {
            let hash = fixed("intents.intent_hash", row.try_get(0).storage()?)?;
            let at: Millis = row.try_get(1).storage()?;
            Ok((hash, at.get("intents.authorised_at")?))
        })
        .collect()
}
