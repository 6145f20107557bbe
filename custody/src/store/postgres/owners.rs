//! Owners, their places, and the end of wallets.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::errors::{Fault, ResultExt};
use super::types::Millis;
use crate::owners::{Owner, OwnerPage, OwnerQuery};
use crate::store::columns::{parse_account, pattern, unsigned};
use crate::store::{LifeWrite, OwnerFacts, OwnerPlace, SealedWallet};

/// The owners of these names, and those of the wallets if asked for; by id.
pub(super) async fn facts(
    connection: &mut PgConnection,
    names: &[String],
    wallets: Option<&[SealedWallet]>,
) -> Result<Vec<OwnerFacts>, Fault> {
    let mut ids: Vec<i64> = wallets
        .unwrap_or_default()
        .iter()
        .filter_map(|wallet| wallet.state.owner)
        .collect();
    for name in names {
        let id: Option<i64> = sqlx::query_scalar("SELECT owner_id FROM owners WHERE name = $1")
            .bind(name)
            .fetch_optional(&mut *connection)
            .await
            .storage()?;
        ids.extend(id);
    }
    ids.sort_unstable();
    ids.dedup();
    let mut owners = Vec::with_capacity(ids.len());
    for id in ids {
        owners.extend(owner_facts(connection, id).await?);
    }
    Ok(owners)
}

async fn owner_facts(connection: &mut PgConnection, id: i64) -> Result<Option<OwnerFacts>, Fault> {
    let row = sqlx::query(
        "SELECT name, (SELECT COUNT(*) FROM wallets w WHERE w.owner_id = $1 AND w.owner_slot IS NULL) \
         FROM owners WHERE owner_id = $1",
    )
    .bind(id)
    .fetch_optional(&mut *connection)
    .await
    .storage()?;
    let Some(row) = row else {
        return Ok(None);
    };
    let places = sqlx::query(
        "SELECT owner_slot, wallet_id, is_primary FROM wallets WHERE owner_id = $1 AND owner_slot IS NOT NULL \
         ORDER BY owner_slot",
    )
    .bind(id)
    .fetch_all(connection)
    .await
    .storage()?;
    Ok(Some(OwnerFacts {
        id,
        name: row.try_get(0).storage()?,
        others: unsigned("wallets", row.try_get(1).storage()?)?,
        places: places
            .iter()
            .map(|row| {
                Ok(OwnerPlace {
                    slot: unsigned("wallets.owner_slot", row.try_get(0).storage()?)?,
                    wallet: row.try_get(1).storage()?,
                    is_primary: row.try_get(2).storage()?,
                })
            })
            .collect::<Result<_, Fault>>()?,
    }))
}

/// Those of the wallets that have a transfer under way, by id.
pub(super) async fn in_flight(
    connection: &mut PgConnection,
    wallets: &[SealedWallet],
) -> Result<Vec<i64>, Fault> {
    // Few are under way at a time, and an index holds just those.
    let found: Vec<i64> =
        sqlx::query_scalar("SELECT DISTINCT wallet_id FROM attempts WHERE state IN ('signed', 'sent')")
            .fetch_all(connection)
            .await
            .storage()?;
    let asked = |id: &i64| wallets.iter().any(|wallet| wallet.id == *id);
    Ok(found.into_iter().filter(asked).collect())
}

/// A page of owners, by name.
pub(super) async fn page(connection: &mut PgConnection, query: &OwnerQuery) -> Result<OwnerPage, Fault> {
    let text = (!query.text.is_empty()).then(|| pattern(&query.text));
    let total: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM owners WHERE CAST($1 AS TEXT) IS NULL OR name ILIKE $1")
            .bind(&text)
            .fetch_one(&mut *connection)
            .await
            .storage()?;
    let rows = sqlx::query(
        "SELECT o.name, o.created_at, \
         (SELECT COUNT(*) FROM wallets w WHERE w.owner_id = o.owner_id AND w.owner_slot IS NOT NULL), \
         (SELECT COUNT(*) FROM wallets w WHERE w.owner_id = o.owner_id AND w.owner_slot IS NULL), \
         (SELECT w.address FROM wallets w WHERE w.owner_id = o.owner_id AND w.is_primary) \
         FROM owners o WHERE (CAST($1 AS TEXT) IS NULL OR o.name ILIKE $1) AND o.name > COALESCE(CAST($2 AS TEXT), '') \
         ORDER BY o.name LIMIT $3",
    )
    .bind(&text)
    .bind(&query.after)
    .bind(i64::from(query.limit))
    .fetch_all(connection)
    .await
    .storage()?;
    Ok(OwnerPage {
        total: unsigned("owners", total)?,
        rows: rows.iter().map(owner).collect::<Result<_, _>>()?,
    })
}

/// The owner of exactly this name.
pub(super) async fn by_name(connection: &mut PgConnection, name: &str) -> Result<Option<Owner>, Fault> {
    let row = sqlx::query(
        "SELECT o.name, o.created_at, \
         (SELECT COUNT(*) FROM wallets w WHERE w.owner_id = o.owner_id AND w.owner_slot IS NOT NULL), \
         (SELECT COUNT(*) FROM wallets w WHERE w.owner_id = o.owner_id AND w.owner_slot IS NULL), \
         (SELECT w.address FROM wallets w WHERE w.owner_id = o.owner_id AND w.is_primary) \
         FROM owners o WHERE o.name = $1",
    )
    .bind(name)
    .fetch_optional(connection)
    .await
    .storage()?;
    row.as_ref().map(owner).transpose()
}

fn owner(row: &PgRow) -> Result<Owner, Fault> {
    let primary: Option<String> = row.try_get(4).storage()?;
    Ok(Owner {
        name: row.try_get(0).storage()?,
        created_ms: row.try_get::<Millis, _>(1).storage()?.get("owners.created_at")?,
        wallets: unsigned("wallets", row.try_get(2).storage()?)?,
        others: unsigned("wallets", row.try_get(3).storage()?)?,
        primary: primary
            .map(|address| parse_account("wallets.address", &address))
            .transpose()?,
    })
}

/// Makes one change.
pub(super) async fn apply(
    connection: &mut PgConnection,
    change: LifeWrite,
    now: Millis,
) -> Result<(), Fault> {
    let query = match change {
        LifeWrite::Owner { name } => sqlx::query(
            "INSERT INTO owners (owner_id, vault_id, name, created_at) \
             SELECT COALESCE((SELECT MAX(owner_id) FROM owners), 0) + 1, vault_id, $1, $2 FROM vaults",
        )
        .bind(name)
        .bind(now),
        LifeWrite::OwnerName { owner, name } => sqlx::query("UPDATE owners SET name = $2 WHERE owner_id = $1")
            .bind(owner)
            .bind(name),
        LifeWrite::OwnerGone { owner } => sqlx::query("DELETE FROM owners WHERE owner_id = $1").bind(owner),
        LifeWrite::Place {
            wallet,
            owner,
            slot,
            is_primary,
        } => sqlx::query(
            "UPDATE wallets SET owner_id = $2, owner_slot = $3, is_primary = $4 WHERE wallet_id = $1",
        )
        .bind(wallet)
        .bind(owner)
        .bind(slot.map(i64::from))
        .bind(is_primary),
        LifeWrite::Role { wallet, role } => sqlx::query("UPDATE wallets SET role = $2 WHERE wallet_id = $1")
            .bind(wallet)
            .bind(role),
        LifeWrite::Deleted {
            wallet,
            from,
            purge_after_ms,
        } => sqlx::query(
            "UPDATE wallets SET status = 'deleted', status_at = $2, deleted_from = $3, purge_after = $4, \
             owner_slot = NULL, is_primary = FALSE, rotate_at = NULL WHERE wallet_id = $1",
        )
        .bind(wallet)
        .bind(now)
        .bind(from.as_str())
        .bind(Millis::new("grace period", purge_after_ms)?),
        LifeWrite::Restored {
            wallet,
            to,
            rotate_at_ms,
        } => sqlx::query(
            "UPDATE wallets SET status = $3, status_at = $2, deleted_from = NULL, purge_after = NULL, rotate_at = $4 \
             WHERE wallet_id = $1",
        )
        .bind(wallet)
        .bind(now)
        .bind(to.as_str())
        .bind(
            rotate_at_ms
                .map(|at| Millis::new("rotation", at))
                .transpose()?,
        ),
        LifeWrite::IndicesBack {
            master,
            family,
            first,
            end,
        } => sqlx::query(
            "UPDATE derivations SET next_index = $3 WHERE master_id = $1 AND path_family = $2 AND next_index = $4",
        )
        .bind(master)
        .bind(family.id())
        .bind(i64::from(first))
        .bind(i64::from(end)),
        LifeWrite::Purged { wallet } => {
            // A rotation of the vault key under way has sealed it once more.
            sqlx::query("DELETE FROM staged_records WHERE kind = 'wallet' AND row_id = $1")
                .bind(wallet)
                .execute(&mut *connection)
                .await
                .storage()?;
            sqlx::query(
            "UPDATE wallets SET status = 'purged', status_at = $2, deleted_from = NULL, purge_after = NULL, \
             owner_id = NULL, sealed = CAST('\\x00' AS BYTEA) WHERE wallet_id = $1",
        )
        .bind(wallet)
        .bind(now)
        }
    };
    query.execute(connection).await.storage()?;
    Ok(())
}
