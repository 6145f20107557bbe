//! Pages of wallets: which, in which order, from where on.
//!
//! A filter that finds few is asked first, and its rows are sorted; one that finds many is asked of each row while walking
//! along an index in the order wanted. Rows without the value sorted by come after those that have it. Only the page's own
//! rows are read whole. How many wallets there are is carried on from the last time, and pieces of addresses are found in
//! memory: see [`crate::store::tally`] and [`crate::store::directory`].

mod filter;
mod pager;

use std::collections::HashMap;

use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Row};

use super::connect::Engine;
use super::errors::{Fault, ResultExt};
use super::wallets::{WALLET_COLUMNS, wallet};
use crate::store::columns::unsigned;
use crate::store::directory::{self, Addresses, Directory};
use crate::store::paging;
use crate::store::tally::Tally;
use crate::wallets::{Wallet, WalletCursor, WalletPage, WalletQuery};
use filter::Filter;
use pager::Pager;

type Asked<'q> = Query<'q, Postgres, PgArguments>;

/// A filter that finds up to so many wallets finds few.
const FEW: usize = 2_000;

/// What a handle remembers from list to list.
#[derive(Debug, Default)]
pub(super) struct Counts {
    tally: Tally,
    directory: Directory,
}

impl Counts {
    /// How many wallets there are.
    pub(super) async fn all(&self, connection: &mut PgConnection) -> Result<i64, Fault> {
        Ok(filter::counted(connection, &self.tally, false).await?.all)
    }
}

/// Addresses as they stand in the table.
struct Rows<'c>(&'c mut PgConnection);

impl Addresses for Rows<'_> {
    type Error = Fault;

    async fn after(&mut self, id: i64) -> Result<Option<(Vec<i64>, String)>, Fault> {
        let (ids, addresses): (Option<Vec<i64>>, Option<String>) = sqlx::query_as(
            "SELECT ARRAY_AGG(p.wallet_id), STRING_AGG(p.address, CHR(10)) \
             FROM (SELECT wallet_id, address FROM wallets WHERE wallet_id > $1 ORDER BY wallet_id LIMIT $2) p",
        )
        .bind(id)
        .bind(directory::PAGE)
        .fetch_one(&mut *self.0)
        .await
        .storage()?;
        Ok(ids.zip(addresses))
    }
}

/// A page of wallets.
pub(super) async fn wallets(
    connection: &mut PgConnection,
    query: &WalletQuery,
    engine: Engine,
    counts: &Counts,
) -> Result<WalletPage, Fault> {
    let filter = Filter::of(query, engine);
    let (few, total) = filter.found(connection, counts).await?;
    let mut pager = Pager {
        connection,
        query,
        filter: &filter,
        few: few.as_deref(),
    };
    let ids = paging::page(&mut pager, query, total).await?;
    let rows = whole(connection, &ids).await?;
    let more = query.limit > 0 && ids.len() >= query.limit as usize; // usize has at least 32 bits here
    let last = rows.last().zip(ids.last()).filter(|_| more);
    let next = last.map(|(wallet, id)| WalletCursor::at(query.sort, query.descending, wallet, *id));
    Ok(WalletPage {
        total: unsigned("wallets", total)?,
        rows,
        next,
    })
}

/// These wallets, in the order given.
async fn whole(connection: &mut PgConnection, ids: &[i64]) -> Result<Vec<Wallet>, Fault> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {WALLET_COLUMNS}, w.wallet_id FROM wallets w WHERE w.wallet_id = ANY($1)"
    )))
    .bind(ids)
    .fetch_all(connection)
    .await
    .storage()?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in &rows {
        let id: i64 = row.try_get("wallet_id").storage()?;
        found.insert(id, wallet(row)?);
    }
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}
