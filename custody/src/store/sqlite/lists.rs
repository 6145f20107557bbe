//! Pages of wallets: which, in which order, from where on.
//!
//! A filter that finds few is asked first, and its rows are sorted; one that finds many is asked of each row while walking
//! along an index in the order wanted. Rows without the value sorted by come after those that have it. Only the page's own
//! rows are read whole.

mod filter;
mod pager;

use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Sqlite, SqliteConnection};

use super::errors::ResultExt;
use super::wallets::{WALLET_COLUMNS, wallet};
use crate::error::CustodyError;
use crate::store::columns::unsigned;
use crate::store::directory::{self, Addresses, Directory};
use crate::store::paging;
use crate::store::tally::Tally;
use crate::wallets::{Wallet, WalletCursor, WalletPage, WalletQuery};
use filter::Filter;
use pager::Pager;

type Asked<'q> = Query<'q, Sqlite, SqliteArguments>;

/// A filter that finds up to so many wallets finds few.
const FEW: usize = 2_000;

/// What a handle remembers of how many there are, and of their addresses.
#[derive(Debug, Default)]
pub(super) struct Counts {
    tally: Tally,
    directory: Directory,
}

impl Counts {
    /// How many wallets there are.
    pub(super) async fn all(&self, connection: &mut SqliteConnection) -> Result<i64, CustodyError> {
        filter::counted(connection, &self.tally).await
    }
}

impl Addresses for SqliteConnection {
    type Error = CustodyError;

    async fn after(&mut self, id: i64) -> Result<Option<(Vec<i64>, String)>, CustodyError> {
        let (ids, addresses): (Option<String>, Option<String>) = sqlx::query_as(
            "SELECT GROUP_CONCAT(p.wallet_id, CHAR(10)), GROUP_CONCAT(p.address, CHAR(10)) \
             FROM (SELECT wallet_id, address FROM wallets WHERE wallet_id > ?1 ORDER BY wallet_id LIMIT ?2) p",
        )
        .bind(id)
        .bind(directory::PAGE)
        .fetch_one(self)
        .await
        .storage()?;
        let Some((ids, addresses)) = ids.zip(addresses) else {
            return Ok(None);
        };
        let ids: Result<Vec<i64>, _> = ids.lines().map(str::parse).collect();
        let ids = ids.map_err(|_| CustodyError::damaged("a wallet's id is no number"))?;
        Ok(Some((ids, addresses)))
    }
}

/// A page of wallets.
pub(super) async fn wallets(
    connection: &mut SqliteConnection,
    query: &WalletQuery,
    counts: &Counts,
) -> Result<WalletPage, CustodyError> {
    let mut filter = Filter::of(query);
    filter.look_at_tags(connection).await?;
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
async fn whole(connection: &mut SqliteConnection, ids: &[i64]) -> Result<Vec<Wallet>, CustodyError> {
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {WALLET_COLUMNS} FROM json_each(?1) page CROSS JOIN wallets w ON w.wallet_id = page.value \
         ORDER BY page.key"
    )))
    .bind(json(ids))
    .fetch_all(connection)
    .await
    .storage()?;
    rows.iter().map(wallet).collect()
}

/// Ids as an array that the database can step through.
fn json(ids: &[i64]) -> String {
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    format!("[{}]", ids.join(","))
}
