//! Chains of keys: what rotating reads and writes.

use keyward_core::account::AccountAddress;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Row};

use super::connect::Engine;
use super::errors::{Fault, ResultExt};
use super::rows;
use super::types::Millis;
use super::wallets::{WALLET_COLUMNS, page};
use crate::error::CustodyError;
use crate::store::columns::{parse_account, parse_family};
use crate::store::key_chain::{
    KeyChain, KeyChainAsk, KeyChange, KeyList, MAX_CHAIN, MAX_FORWARD, NextRotation, Predecessor,
    Replacement, Successor,
};
use crate::store::stored_integer;
use crate::wallets::{WalletPage, WalletStatus};

/// Where a wallet stands; `None` when it is none of the vault's. What is decided on is locked as one of the wallets
/// asked for.
pub(super) async fn read(connection: &mut PgConnection, ask: KeyChainAsk) -> Result<Option<KeyChain>, Fault> {
    let row = sqlx::query(
        "SELECT w.wallet_id, w.master_id, w.path_family, w.label, s.address, s.created_at \
         FROM wallets w LEFT JOIN wallets s ON s.previous_wallet_id = w.wallet_id \
         AND s.previous_wallet_id IS NOT NULL WHERE w.address = $1",
    )
    .bind(ask.wallet.to_string())
    .fetch_optional(&mut *connection)
    .await
    .storage()?;
    let Some(row) = row else {
        return Ok(None);
    };
    let family: Option<String> = row.try_get(2).storage()?;
    let successor: Option<String> = row.try_get(4).storage()?;
    let successor = successor
        .map(|address| -> Result<_, Fault> {
            let created: Millis = row.try_get(5).storage()?;
            Ok(Successor {
                address: parse_account("wallets.address", &address)?,
                created_ms: created.get("wallets.created_at")?,
            })
        })
        .transpose()?;
    let mut chain = KeyChain {
        master: row.try_get(1).storage()?,
        family: family.as_deref().map(parse_family).transpose()?,
        label: row.try_get(3).storage()?,
        successor,
        predecessors: Vec::new(),
    };
    if ask.depth > 0 {
        let rows = sqlx::query(
            "WITH RECURSIVE line (id, replaced, depth) AS ( \
               SELECT previous_wallet_id, created_at, CAST(1 AS BIGINT) FROM wallets \
               WHERE wallet_id = $1 AND previous_wallet_id IS NOT NULL \
               UNION ALL SELECT w.previous_wallet_id, w.created_at, line.depth + 1 FROM line \
               JOIN wallets w ON w.wallet_id = line.id \
               WHERE line.depth < $2 AND w.previous_wallet_id IS NOT NULL) \
             SELECT w.wallet_id, w.address, w.status, w.status_at, line.replaced \
             FROM line JOIN wallets w ON w.wallet_id = line.id ORDER BY line.depth",
        )
        .bind(row.try_get::<i64, _>(0).storage()?)
        .bind(i64::from(ask.depth.min(MAX_CHAIN)))
        .fetch_all(connection)
        .await
        .storage()?;
        chain.predecessors = rows.iter().map(predecessor).collect::<Result<_, _>>()?;
    }
    Ok(Some(chain))
}

fn predecessor(row: &PgRow) -> Result<Predecessor, Fault> {
    let status: String = row.try_get(2).storage()?;
    let since: Millis = row.try_get(3).storage()?;
    let replaced: Millis = row.try_get(4).storage()?;
    Ok(Predecessor {
        id: row.try_get(0).storage()?,
        address: parse_account("wallets.address", row.try_get(1).storage()?)?,
        status: WalletStatus::from_stored(&status)?,
        status_ms: since.get("wallets.status_at")?,
        replaced_ms: replaced.get("wallets.created_at")?,
    })
}

/// Makes one change; how many wallets are new. A wallet that is not what was decided on is not changed, and that is an
/// error.
pub(super) async fn apply(
    connection: &mut PgConnection,
    engine: Engine,
    change: KeyChange,
    now: Millis,
) -> Result<u64, Fault> {
    let query = match change {
        KeyChange::Replace(replacement) => return replace(connection, engine, *replacement, now).await,
        KeyChange::Retire { wallet } => sqlx::query(
            "UPDATE wallets SET status = 'retired', status_at = $2 WHERE wallet_id = $1 AND status = 'rotated'",
        )
        .bind(wallet)
        .bind(now),
        KeyChange::Extend {
            wallet,
            since_ms,
            grace_until_ms,
        } => sqlx::query(
            "UPDATE wallets SET status = 'rotated', status_at = $2, grace_until = $3 \
             WHERE wallet_id = $1 AND status IN ('rotated', 'retired')",
        )
        .bind(wallet)
        .bind(Millis::new("time", since_ms)?)
        .bind(Millis::new("grace period", grace_until_ms)?),
        KeyChange::Schedule { wallet, next } => {
            let (every, at) = scheduled(next)?;
            sqlx::query(
                "UPDATE wallets SET rotate_every = $2, rotate_at = $3 WHERE wallet_id = $1 AND status = 'active'",
            )
            .bind(wallet)
            .bind(every)
            .bind(at)
        }
    };
    one(connection, query).await?;
    Ok(0)
}

fn scheduled(next: Option<NextRotation>) -> Result<(Option<i64>, Option<Millis>), CustodyError> {
    next.map_or(Ok((None, None)), |next| {
        let every = stored_integer("interval", next.every_ms)?;
        Ok((Some(every), Some(Millis::new("time", next.at_ms)?)))
    })
}

/// Runs a statement that changes exactly one row.
async fn one(connection: &mut PgConnection, query: Query<'_, Postgres, PgArguments>) -> Result<(), Fault> {
    match query.execute(connection).await.storage()?.rows_affected() {
        1 => Ok(()),
        _ => Err(CustodyError::damaged("a wallet is not what was decided on").into()),
    }
}

/// The old key gives up its place first: what is unique of it can then be the new one's.
async fn replace(
    connection: &mut PgConnection,
    engine: Engine,
    replacement: Replacement,
    now: Millis,
) -> Result<u64, Fault> {
    let Replacement { old, from, new, .. } = replacement;
    let address = new.address.to_string();
    let query = sqlx::query(
        "UPDATE wallets SET status = 'rotated', status_at = $2, grace_until = $3, label = $4, owner_slot = NULL, \
         is_primary = FALSE, rotate_every = NULL, rotate_at = NULL WHERE wallet_id = $1 AND status = 'active'",
    )
    .bind(old)
    .bind(now)
    .bind(Millis::new("grace period", replacement.grace_until_ms)?)
    .bind(replacement.old_label);
    one(connection, query).await?;
    if rows::wallets(connection, engine, Some(from), vec![new], now).await? != 1 {
        return Err(CustodyError::damaged("the new key is a wallet already").into());
    }
    let (every, at) = scheduled(replacement.next)?;
    let query = sqlx::query(
        "UPDATE wallets SET previous_wallet_id = $2, owner_id = $3, owner_slot = $4, is_primary = $5, role = $6, \
         rotate_every = $7, rotate_at = $8, rotation_count = $9, \
         tags = (SELECT o.tags FROM wallets o WHERE o.wallet_id = $2) WHERE address = $1",
    )
    .bind(&address)
    .bind(old)
    .bind(replacement.owner)
    .bind(replacement.slot.map(i64::from))
    .bind(replacement.is_primary)
    .bind(replacement.role)
    .bind(every)
    .bind(at)
    .bind(i64::from(replacement.rotation_count));
    one(connection, query).await?;
    one(
        connection,
        sqlx::query("UPDATE wallets SET tags = '{}' WHERE wallet_id = $1").bind(old),
    )
    .await?;
    Ok(1)
}

/// A page of a list, and how many there are in all.
pub(super) async fn list(connection: &mut PgConnection, list: KeyList) -> Result<WalletPage, Fault> {
    match list {
        KeyList::Due {
            until_ms,
            after,
            limit,
        } => {
            let until = Millis::new("time", until_ms)?;
            let total: i64 = sqlx::query_scalar(
                "SELECT COUNT(*) FROM wallets WHERE rotate_at IS NOT NULL AND rotate_at <= $1",
            )
            .bind(until)
            .fetch_one(&mut *connection)
            .await
            .storage()?;
            let rows = sqlx::query(AssertSqlSafe(format!(
                "SELECT {WALLET_COLUMNS} FROM wallets w WHERE w.rotate_at IS NOT NULL AND w.rotate_at <= $1 \
                 AND ($2 IS NULL OR (w.rotate_at, w.wallet_id) > \
                 ($2, (SELECT a.wallet_id FROM wallets a WHERE a.address = $3))) \
                 ORDER BY w.rotate_at, w.wallet_id LIMIT $4"
            )))
            .bind(until)
            .bind(after.map(|(at, _)| Millis::new("time", at)).transpose()?)
            .bind(after.map(|(_, address)| address.to_string()))
            .bind(i64::from(limit))
            .fetch_all(connection)
            .await
            .storage()?;
            page(total, &rows)
        }
        KeyList::PastGrace {
            until_ms,
            after,
            limit,
        } => {
            let until = Millis::new("time", until_ms)?;
            let total: i64 = sqlx::query_scalar(
                "SELECT COUNT(*) FROM wallets WHERE status <> 'active' AND status = 'rotated' AND grace_until <= $1",
            )
            .bind(until)
            .fetch_one(&mut *connection)
            .await
            .storage()?;
            let rows = sqlx::query(AssertSqlSafe(format!(
                "SELECT {WALLET_COLUMNS} FROM wallets w WHERE w.status <> 'active' AND w.status = 'rotated' \
                 AND w.grace_until <= $1 AND w.wallet_id > COALESCE( \
                 (SELECT a.wallet_id FROM wallets a WHERE a.address = $2), 0) ORDER BY w.wallet_id LIMIT $3"
            )))
            .bind(until)
            .bind(after.map(|address| address.to_string()))
            .bind(i64::from(limit))
            .fetch_all(connection)
            .await
            .storage()?;
            page(total, &rows)
        }
        KeyList::Chain { wallet } => chain(connection, wallet).await,
    }
}

/// First to the newest key, then back from there.
async fn chain(connection: &mut PgConnection, wallet: AccountAddress) -> Result<WalletPage, Fault> {
    let newest: Option<i64> = sqlx::query_scalar(
        "WITH RECURSIVE line (id, depth) AS ( \
           SELECT wallet_id, CAST(0 AS BIGINT) FROM wallets WHERE address = $1 \
           UNION ALL SELECT w.wallet_id, line.depth + 1 FROM line JOIN wallets w \
           ON w.previous_wallet_id = line.id AND w.previous_wallet_id IS NOT NULL WHERE line.depth < $2) \
         SELECT id FROM line ORDER BY depth DESC LIMIT 1",
    )
    .bind(wallet.to_string())
    .bind(i64::from(MAX_FORWARD))
    .fetch_optional(&mut *connection)
    .await
    .storage()?;
    let rows = sqlx::query(AssertSqlSafe(format!(
        "WITH RECURSIVE line (id, depth) AS ( \
           SELECT CAST($1 AS BIGINT), CAST(1 AS BIGINT) UNION ALL SELECT w.previous_wallet_id, line.depth + 1 \
           FROM line JOIN wallets w ON w.wallet_id = line.id \
           WHERE line.depth < $2 AND w.previous_wallet_id IS NOT NULL) \
         SELECT {WALLET_COLUMNS} FROM line JOIN wallets w ON w.wallet_id = line.id ORDER BY line.depth"
    )))
    .bind(newest)
    .bind(i64::from(MAX_CHAIN))
    .fetch_all(connection)
    .await
    .storage()?;
    page(i64::try_from(rows.len()).unwrap_or(i64::MAX), &rows)
}
