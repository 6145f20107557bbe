//! Pages of wallets: which, in which order, from where on.
//!
//! A filter that finds few is asked first, and its rows are sorted; one that finds many is asked of each row while walking
//! along an index in the order wanted. Rows without the value sorted by come after those that have it. Only the page's own
//! rows are read whole.

use keyward_core::account::Chain;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Row, Sqlite, SqliteConnection};

use super::errors::ResultExt;
use super::wallets::{WALLET_COLUMNS, wallet};
use crate::error::CustodyError;
use crate::store::columns::{pattern, unsigned};
use crate::store::stored_integer;
use crate::store::tally::{Counted, Tally};
use crate::wallets::{
    Key, Position, StatusFilter, Wallet, WalletCursor, WalletPage, WalletQuery, WalletSort,
};

type Asked<'q> = Query<'q, Sqlite, SqliteArguments>;

/// A filter that finds up to so many wallets finds few.
const FEW: usize = 2_000;

/// The wallets that lists leave out unless asked for them: the first condition is the index's own.
const OUT_OF_USE: &str = "SELECT wallet_id FROM wallets WHERE status <> 'active' \
     AND status IN ('retired', 'deleted', 'purged')";

/// A page of wallets.
pub(super) async fn wallets(
    connection: &mut SqliteConnection,
    query: &WalletQuery,
    tally: &Tally,
) -> Result<WalletPage, CustodyError> {
    let filter = Filter::of(query);
    let mut few = None;
    if filter.narrows() {
        let found = filter.ids(connection).await?;
        few = (found.len() <= FEW).then_some(found);
    }
    let total = match &few {
        Some(found) => i64::try_from(found.len()).unwrap_or(i64::MAX),
        None => filter.count(connection, tally).await?,
    };
    let pager = Pager {
        query,
        filter: &filter,
        few: few.as_deref(),
        total,
    };
    let ids = pager.ids(connection).await?;
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

/// What a query asks of each wallet. Every piece of text is one of those here: nothing of them comes from outside.
struct Filter<'q> {
    query: &'q WalletQuery,
    text: String,
    /// What `#7` asks for.
    index: Option<u32>,
}

impl<'q> Filter<'q> {
    fn of(query: &'q WalletQuery) -> Self {
        let index = query
            .text
            .strip_prefix('#')
            .and_then(|text| text.parse::<u32>().ok());
        Self {
            query,
            text: pattern(&query.text),
            index,
        }
    }

    /// Whether it may leave out most wallets.
    fn narrows(&self) -> bool {
        let query = self.query;
        !query.text.is_empty()
            || query.tag.is_some()
            || query.owner.is_some()
            || query.role.is_some()
            || matches!(query.status, StatusFilter::Only(_))
            || query.chain.is_some()
    }

    /// Whether something else than the status or the chain leads to few wallets, by an index of its own.
    fn leads(&self) -> bool {
        let query = self.query;
        query.tag.is_some() || query.owner.is_some() || query.role.is_some() || self.index.is_some()
    }

    fn status(&self) -> String {
        match self.query.status {
            StatusFilter::All => String::new(),
            // Those left out are few and have an index: no row of those found need be looked at for its status.
            StatusFilter::InUse if self.leads() => format!(" AND w.wallet_id NOT IN ({OUT_OF_USE})"),
            StatusFilter::InUse => " AND w.status IN ('active', 'rotated')".to_owned(),
            StatusFilter::Only(status) => format!(" AND w.status = '{status}'"),
        }
    }

    /// The conditions, for finding wallets by them.
    fn finding(&self) -> String {
        let query = self.query;
        let text = match (query.text.is_empty(), self.index) {
            (true, _) => "",
            (false, Some(_)) => " AND w.derivation_index = ?2",
            // The few names of tags are stepped through, not the many rows.
            (false, None) => {
                " AND (w.address LIKE ?1 ESCAPE '\\' OR (w.label <> '' AND w.label LIKE ?1 ESCAPE '\\') \
                 OR w.wallet_id IN ( \
                 SELECT wallet_id FROM tags WHERE tag IN (WITH RECURSIVE names (tag) AS (SELECT MIN(tag) FROM tags \
                 UNION ALL SELECT (SELECT MIN(t.tag) FROM tags t WHERE t.tag > names.tag) FROM names \
                 WHERE names.tag IS NOT NULL) SELECT tag FROM names WHERE tag LIKE ?1 ESCAPE '\\')))"
            }
        };
        let tag = match query.tag {
            Some(_) => " AND w.wallet_id IN (SELECT wallet_id FROM tags WHERE tag = ?3)",
            None => "",
        };
        format!("{}{text}{tag}{}", self.status(), self.others())
    }

    /// The same, for asking it of wallets on the way: nothing here is to be taken as a way by itself.
    fn walking(&self) -> String {
        let tag = match self.query.tag {
            Some(_) => " AND EXISTS (SELECT 1 FROM tags t WHERE t.wallet_id = w.wallet_id AND t.tag = ?3)",
            None => "",
        };
        let text = match (self.query.text.is_empty(), self.index) {
            (true, _) => "",
            (false, Some(_)) => " AND +w.derivation_index = ?2",
            (false, None) => {
                " AND (w.address LIKE ?1 ESCAPE '\\' OR w.label LIKE ?1 ESCAPE '\\' OR EXISTS ( \
                 SELECT 1 FROM tags t WHERE t.wallet_id = w.wallet_id AND t.tag LIKE ?1 ESCAPE '\\'))"
            }
        };
        let others = self.status() + self.others().as_str();
        format!("{}{text}{tag}", others.replace(" AND w.", " AND +w."))
    }

    /// Whether it is a tag that is asked for, and nothing else that is not answered by ids.
    fn is_tag_alone(&self) -> bool {
        let query = self.query;
        query.tag.is_some()
            && query.text.is_empty()
            && query.owner.is_none()
            && query.role.is_none()
            && query.chain.is_none()
            && !matches!(query.status, StatusFilter::Only(_))
    }

    fn others(&self) -> String {
        let query = self.query;
        let owner = match query.owner {
            Some(_) => " AND w.owner_id = (SELECT owner_id FROM owners WHERE name = ?4)",
            None => "",
        };
        let role = match query.role.as_deref() {
            None => "",
            Some("") => " AND w.role = ''",
            Some(_) => " AND w.role <> '' AND w.role = ?5",
        };
        let chain = match query.chain {
            None => "",
            Some(Chain::Solana) => " AND w.chain = 'solana'",
            Some(Chain::Evm) => " AND w.chain = 'evm'",
        };
        format!("{owner}{role}{chain}")
    }

    fn bind<'b>(&'b self, asked: Asked<'b>) -> Asked<'b> {
        asked
            .bind(&self.text)
            .bind(self.index)
            .bind(&self.query.tag)
            .bind(&self.query.owner)
            .bind(&self.query.role)
    }

    /// The ids of the wallets that it finds, one more than few at most.
    async fn ids(&self, connection: &mut SqliteConnection) -> Result<Vec<i64>, CustodyError> {
        let sql = format!(
            "SELECT w.wallet_id FROM wallets w WHERE 1{} LIMIT {}",
            self.finding(),
            FEW + 1
        );
        let rows = self
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .fetch_all(connection)
            .await
            .storage()?;
        rows.iter().map(|row| row.try_get(0).storage()).collect()
    }

    async fn count(&self, connection: &mut SqliteConnection, tally: &Tally) -> Result<i64, CustodyError> {
        let sql = match (self.narrows(), self.query.status) {
            (false, status) => {
                let all = counted(connection, tally).await?;
                if status == StatusFilter::All {
                    return Ok(all);
                }
                // The few that are left out have an index.
                let out: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT COUNT(*) FROM ({OUT_OF_USE})")))
                    .fetch_one(connection)
                    .await
                    .storage()?;
                return Ok(all - out);
            }
            (true, _) if self.is_tag_alone() => {
                format!("SELECT COUNT(*) FROM tags w WHERE w.tag = ?3{}", self.status())
            }
            (true, _) => format!("SELECT COUNT(*) FROM wallets w WHERE 1{}", self.finding()),
        };
        let row = self
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .fetch_one(connection)
            .await
            .storage()?;
        row.try_get(0).storage()
    }
}

/// How many wallets there are in this snapshot. The first time a whole table, which is counted by its pages.
async fn counted(connection: &mut SqliteConnection, tally: &Tally) -> Result<i64, CustodyError> {
    let known = tally.known();
    let highest: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(wallet_id), 0) FROM wallets")
        .fetch_one(&mut *connection)
        .await
        .storage()?;
    if highest == known.highest {
        return Ok(known.all);
    }
    let all = if known.highest == 0 || highest < known.highest {
        sqlx::query_scalar("SELECT COUNT(*) FROM wallets")
            .fetch_one(connection)
            .await
            .storage()?
    } else {
        let since: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM wallets WHERE wallet_id > ?1")
            .bind(known.highest)
            .fetch_one(connection)
            .await
            .storage()?;
        known.all + since
    };
    tally.keep(Counted {
        highest,
        all,
        evm: None,
    });
    Ok(all)
}

/// An order: what is sorted by, and who has it.
struct Order {
    from: &'static str,
    /// One expression; the index's own order has three.
    value: &'static str,
    has: &'static str,
    has_not: Option<&'static str>,
}

fn order(sort: WalletSort) -> Order {
    let plain = |value| Order {
        from: "wallets w",
        value,
        has: "",
        has_not: None,
    };
    match sort {
        WalletSort::Index => Order {
            has: " AND w.master_id IS NOT NULL",
            has_not: Some(" AND w.master_id IS NULL"),
            ..plain("w.master_id")
        },
        WalletSort::Label => Order {
            has: " AND w.label <> ''",
            has_not: Some(" AND w.label = ''"),
            ..plain("w.label COLLATE NOCASE")
        },
        WalletSort::LastUsed => Order {
            has: " AND w.last_used_at IS NOT NULL",
            has_not: Some(" AND w.last_used_at IS NULL"),
            ..plain("w.last_used_at")
        },
        WalletSort::Created => plain("w.wallet_id"),
        WalletSort::Trades => plain("w.total_trades"),
        WalletSort::Volume => plain("w.total_volume"),
        WalletSort::Owner => Order {
            from: "owners o CROSS JOIN wallets w ON w.owner_id = o.owner_id",
            has_not: Some(" AND w.owner_id IS NULL"),
            ..plain("o.name")
        },
    }
}

/// Which rows of an order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    WithValue,
    Without,
}

/// Which way an order is walked along.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Walk {
    On,
    Back,
}

/// Finds the ids of one page.
struct Pager<'p> {
    query: &'p WalletQuery,
    filter: &'p Filter<'p>,
    few: Option<&'p [i64]>,
    /// How many there are in all.
    total: i64,
}

impl Pager<'_> {
    async fn ids(&self, connection: &mut SqliteConnection) -> Result<Vec<i64>, CustodyError> {
        let (query, order) = (self.query, order(self.query.sort));
        let after = query
            .after
            .as_ref()
            .map(|cursor| cursor.of(query.sort, query.descending))
            .transpose()?;
        let limit = i64::from(query.limit);
        let mut offset = stored_integer("offset", query.offset)?;
        if after.is_none() && offset > self.total / 2 {
            return self.ids_from_the_end(connection, &order, limit, offset).await;
        }
        let mut ids = Vec::new();
        let mut after_rest = after;
        if after.is_none_or(|position| position.key != Key::None) {
            ids = self
                .part(connection, &order, Part::WithValue, Walk::On, after, limit, offset)
                .await?;
            after_rest = None;
        }
        let left = limit - i64::try_from(ids.len()).unwrap_or(limit);
        if left > 0 && order.has_not.is_some() {
            // What is skipped may end among those with a value, or after all of them.
            if offset > 0 && after_rest.is_none() {
                offset = if ids.is_empty() {
                    let with = match after {
                        // An offset beside a cursor counts from the cursor on, and was used up by the rows that were skipped.
                        Some(_) => i64::MAX,
                        None => self.count_of(connection, &order, Part::WithValue).await?,
                    };
                    (offset - with).max(0)
                } else {
                    0
                };
            }
            ids.extend(
                self.part(connection, &order, Part::Without, Walk::On, after_rest, left, offset)
                    .await?,
            );
        }
        Ok(ids)
    }

    /// A page of the second half: as many rows are walked over as come after it, and not as come before it.
    async fn ids_from_the_end(
        &self,
        connection: &mut SqliteConnection,
        order: &Order,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<i64>, CustodyError> {
        let rest = self.total.saturating_sub(offset);
        let take = limit.min(rest);
        let mut skip = rest.saturating_sub(take);
        let mut ids = Vec::new();
        if take <= 0 {
            return Ok(ids);
        }
        if order.has_not.is_some() {
            ids = self
                .part(connection, order, Part::Without, Walk::Back, None, take, skip)
                .await?;
            if skip > 0 {
                skip = if ids.is_empty() {
                    let without = self.count_of(connection, order, Part::Without).await?;
                    (skip - without).max(0)
                } else {
                    0
                };
            }
        }
        let left = take - i64::try_from(ids.len()).unwrap_or(take);
        if left > 0 {
            ids.extend(
                self.part(connection, order, Part::WithValue, Walk::Back, None, left, skip)
                    .await?,
            );
        }
        ids.reverse();
        Ok(ids)
    }

    fn source(&self, order: &Order, part: Part) -> String {
        let from = match (self.query.sort, part) {
            (WalletSort::Owner, Part::Without) => "wallets w",
            _ => order.from,
        };
        let owned = part == Part::WithValue;
        let part = match part {
            Part::WithValue => order.has,
            Part::Without => order.has_not.unwrap_or(" AND 0"),
        };
        match (self.few, self.query.sort) {
            (None, _) => format!("{from} WHERE 1{}{part}", self.filter.walking()),
            // In this order, whatever the planner thinks of it.
            (Some(_), WalletSort::Owner) => format!(
                "json_each(?6) few CROSS JOIN wallets w ON w.wallet_id = few.value \
                 LEFT JOIN owners o ON o.owner_id = w.owner_id WHERE 1 AND w.owner_id IS {}",
                if owned { "NOT NULL" } else { "NULL" }
            ),
            (Some(_), _) => {
                format!("json_each(?6) few CROSS JOIN wallets w ON w.wallet_id = few.value WHERE 1{part}")
            }
        }
    }

    async fn part(
        &self,
        connection: &mut SqliteConnection,
        order: &Order,
        part: Part,
        walk: Walk,
        after: Option<&Position>,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<i64>, CustodyError> {
        let is_turned = self.query.descending && part == Part::WithValue;
        let down = is_turned != (walk == Walk::Back);
        let (direction, than) = if down { ("DESC", "<") } else { ("ASC", ">") };
        let value = order.value;
        let (beyond, by) = match (part, self.query.sort) {
            (Part::Without, _) => (
                "w.wallet_id > ?10".to_owned(),
                format!("w.wallet_id {direction}"),
            ),
            (Part::WithValue, WalletSort::Index) => (
                format!("(w.master_id, w.path_family, w.derivation_index) {than} (?7, ?8, ?9)"),
                format!("w.master_id {direction}, w.path_family {direction}, w.derivation_index {direction}"),
            ),
            (Part::WithValue, sort) => {
                let key = key(sort);
                (
                    format!("{value} {than}= {key} AND ({value} {than} {key} OR w.wallet_id {than} ?10)"),
                    format!("{value} {direction}, w.wallet_id {direction}"),
                )
            }
        };
        let beyond = if after.is_some() {
            format!(" AND {beyond}")
        } else {
            String::new()
        };
        let sql = format!(
            "SELECT w.wallet_id FROM {}{beyond} ORDER BY {by} LIMIT ?11 OFFSET ?12",
            self.source(order, part)
        );
        let asked = self
            .filter
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .bind(json(self.few.unwrap_or_default()));
        let rows = bind_after(asked, after, limit, offset)?
            .fetch_all(connection)
            .await
            .storage()?;
        rows.iter().map(|row| row.try_get(0).storage()).collect()
    }

    /// How many there are of a part: only asked where an offset leads beyond them.
    async fn count_of(
        &self,
        connection: &mut SqliteConnection,
        order: &Order,
        part: Part,
    ) -> Result<i64, CustodyError> {
        let sql = format!("SELECT COUNT(*) FROM {}", self.source(order, part));
        let asked = self
            .filter
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .bind(json(self.few.unwrap_or_default()));
        let row = asked.fetch_one(connection).await.storage()?;
        row.try_get(0).storage()
    }
}

/// The cursor's value, as it is compared: see [`bind_after`].
fn key(sort: WalletSort) -> &'static str {
    match sort {
        WalletSort::Label | WalletSort::Owner => "?8",
        WalletSort::LastUsed | WalletSort::Trades | WalletSort::Index => "?9",
        WalletSort::Created => "?10",
        WalletSort::Volume => "?13",
    }
}

/// Where the page begins, in each of the forms that this may have, from the seventh value on: phrase, text, number, id,
/// limit, offset, and a number of 128 bits. What is not asked for is not looked at.
fn bind_after<'q>(
    asked: Asked<'q>,
    after: Option<&'q Position>,
    limit: i64,
    offset: i64,
) -> Result<Asked<'q>, CustodyError> {
    let (mut master, mut text, mut number) = (None, None, None);
    match after.map(|position| &position.key) {
        Some(Key::Place {
            master: id,
            family,
            index,
        }) => {
            (master, text, number) = (Some(*id), Some(family.as_str()), Some(i64::from(*index)));
        }
        Some(Key::Text(value)) => text = Some(value),
        Some(Key::Number(_)) => number = after.and_then(|at| i64::try_from(at.number()).ok()),
        Some(Key::None) | None => {}
    }
    Ok(asked
        .bind(master)
        .bind(text)
        .bind(number)
        .bind(after.map(|at| at.id))
        .bind(limit)
        .bind(offset)
        .bind(after.map(|at| at.number().to_be_bytes().to_vec())))
}
