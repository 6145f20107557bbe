//! Pages of wallets: which, in which order, from where on.
//!
//! A filter that finds few is asked first, and its rows are sorted; one that finds many is asked of each row while walking
//! along an index in the order wanted. Rows without the value sorted by come after those that have it. Only the page's own
//! rows are read whole.

use std::collections::HashMap;

use keyward_core::account::Chain;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Row};

use super::connect::Engine;
use super::errors::{Fault, ResultExt};
use super::types::Millis;
use super::wallets::{WALLET_COLUMNS, wallet};
use crate::store::columns::{pattern, unsigned};
use crate::store::stored_integer;
use crate::wallets::{
    Key, Position, StatusFilter, Wallet, WalletCursor, WalletPage, WalletQuery, WalletSort,
};

type Asked<'q> = Query<'q, Postgres, PgArguments>;

/// A filter that finds up to so many wallets finds few.
const FEW: usize = 2_000;

/// A page of wallets.
pub(super) async fn wallets(
    connection: &mut PgConnection,
    query: &WalletQuery,
    engine: Engine,
) -> Result<WalletPage, Fault> {
    let filter = Filter::of(query, engine);
    let mut few = None;
    if filter.narrows() {
        let found = filter.ids(connection).await?;
        few = (found.len() <= FEW).then_some(found);
    }
    let total = match &few {
        Some(found) => i64::try_from(found.len()).unwrap_or(i64::MAX),
        None => filter.count(connection).await?,
    };
    let pager = Pager {
        query,
        filter: &filter,
        few: few.as_deref(),
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

/// What a query asks of each wallet. Every piece of text is one of those here: nothing of them comes from outside.
struct Filter<'q> {
    query: &'q WalletQuery,
    text: String,
    /// What `#7` asks for.
    index: Option<i64>,
    engine: Engine,
}

impl<'q> Filter<'q> {
    fn of(query: &'q WalletQuery, engine: Engine) -> Self {
        let index = query
            .text
            .strip_prefix('#')
            .and_then(|text| text.parse::<u32>().ok());
        Self {
            query,
            text: pattern(&query.text),
            index: index.map(i64::from),
            engine,
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

    fn status(&self) -> String {
        match self.query.status {
            StatusFilter::All => String::new(),
            StatusFilter::InUse => " AND w.status IN ('active', 'rotated')".to_owned(),
            StatusFilter::Only(status) => format!(" AND w.status = '{status}'"),
        }
    }

    /// The conditions. Which of them shows the way is the planner's choice.
    fn conditions(&self) -> String {
        let query = self.query;
        let text = match (query.text.is_empty(), self.index) {
            (true, _) => "",
            (false, Some(_)) => " AND w.derivation_index = $2",
            (false, None) => match self.engine {
                // Capitals of ASCII alone count for nothing, which is four times as quick to see as those of a language.
                Engine::Postgres => {
                    " AND (w.address COLLATE \"C\" ILIKE $1 OR w.label COLLATE \"C\" ILIKE $1 OR (w.tags <> ARRAY[]::TEXT[] \
                     AND ARRAY_TO_STRING(w.tags, CHR(10)) COLLATE \"C\" ILIKE $1))"
                }
                Engine::Compatible => {
                    " AND (w.address ILIKE $1 OR w.label ILIKE $1 OR (w.tags <> ARRAY[]::TEXT[] \
                     AND ARRAY_TO_STRING(w.tags, CHR(10)) ILIKE $1))"
                }
            },
        };
        let tag = match query.tag {
            Some(_) => " AND w.tags @> ARRAY[$3]",
            None => "",
        };
        let owner = match query.owner {
            Some(_) => " AND w.owner_id = (SELECT owner_id FROM owners WHERE name = $4)",
            None => "",
        };
        let role = match query.role.as_deref() {
            None => "",
            Some("") => " AND w.role = ''",
            Some(_) => " AND w.role <> '' AND w.role = $5",
        };
        let chain = match query.chain {
            None => "",
            Some(Chain::Solana) => " AND w.chain = 'solana'",
            Some(Chain::Evm) => " AND w.chain = 'evm'",
        };
        format!("{}{text}{tag}{owner}{role}{chain}", self.status())
    }

    /// Each with its type, since a condition that is not asked leaves its value unused.
    fn bind<'b>(&'b self, asked: Asked<'b>) -> Asked<'b> {
        asked
            .bind(&self.text)
            .bind(self.index)
            .bind(&self.query.tag)
            .bind(&self.query.owner)
            .bind(&self.query.role)
    }

    /// The ids of the wallets that it finds, one more than few at most.
    async fn ids(&self, connection: &mut PgConnection) -> Result<Vec<i64>, Fault> {
        let sql = format!(
            "SELECT w.wallet_id FROM wallets w WHERE TRUE{} LIMIT {}",
            self.conditions(),
            FEW + 1
        );
        let rows = self
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .fetch_all(connection)
            .await
            .storage()?;
        rows.iter().map(|row| row.try_get(0).storage()).collect()
    }

    async fn count(&self, connection: &mut PgConnection) -> Result<i64, Fault> {
        let sql = match (self.narrows(), self.query.status) {
            (false, StatusFilter::All) => "SELECT COUNT(*) FROM wallets".to_owned(),
            // The few that are left out have an index.
            (false, _) => "SELECT (SELECT COUNT(*) FROM wallets) - (SELECT COUNT(*) FROM wallets \
                 WHERE status <> 'active' AND status IN ('retired', 'deleted', 'purged'))"
                .to_owned(),
            (true, _) => format!("SELECT COUNT(*) FROM wallets w WHERE TRUE{}", self.conditions()),
        };
        let row = self
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .fetch_one(connection)
            .await
            .storage()?;
        row.try_get(0).storage()
    }
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
            ..plain("LOWER(w.label)")
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
            from: "owners o JOIN wallets w ON w.owner_id = o.owner_id",
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

/// Finds the ids of one page.
struct Pager<'p> {
    query: &'p WalletQuery,
    filter: &'p Filter<'p>,
    few: Option<&'p [i64]>,
}

impl Pager<'_> {
    async fn ids(&self, connection: &mut PgConnection) -> Result<Vec<i64>, Fault> {
        let (query, order) = (self.query, order(self.query.sort));
        let after = query
            .after
            .as_ref()
            .map(|cursor| cursor.of(query.sort, query.descending))
            .transpose()?;
        let limit = i64::from(query.limit);
        let mut offset = stored_integer("offset", query.offset)?;
        let mut ids = Vec::new();
        let mut after_rest = after;
        if after.is_none_or(|position| position.key != Key::None) {
            ids = self
                .part(connection, &order, Part::WithValue, after, limit, offset)
                .await?;
            after_rest = None;
        }
        let left = limit - i64::try_from(ids.len()).unwrap_or(limit);
        if left > 0 && order.has_not.is_some() {
            // What is skipped may end among those with a value, or after all of them.
            if offset > 0 && after_rest.is_none() {
                offset = if ids.is_empty() {
                    let with = self.count_with(connection, &order, after).await?;
                    (offset - with).max(0)
                } else {
                    0
                };
            }
            ids.extend(
                self.part(connection, &order, Part::Without, after_rest, left, offset)
                    .await?,
            );
        }
        Ok(ids)
    }

    fn source(&self, order: &Order, part: Part) -> String {
        let from = match (self.query.sort, part) {
            (WalletSort::Owner, Part::Without) => "wallets w",
            _ => order.from,
        };
        let part = match part {
            Part::WithValue => order.has,
            Part::Without => order.has_not.unwrap_or(" AND FALSE"),
        };
        match self.few {
            None => format!("{from} WHERE TRUE{}{part}", self.filter.conditions()),
            // Those first, whatever the planner thinks of it.
            Some(_) => format!(
                "{} WHERE TRUE{part}",
                from.replace(
                    "wallets w",
                    "(SELECT * FROM wallets WHERE wallet_id = ANY($6) OFFSET 0) w"
                )
            ),
        }
    }

    async fn part(
        &self,
        connection: &mut PgConnection,
        order: &Order,
        part: Part,
        after: Option<&Position>,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<i64>, Fault> {
        let down = self.query.descending && part == Part::WithValue;
        let (direction, than) = if down { ("DESC", "<") } else { ("ASC", ">") };
        let value = order.value;
        let (beyond, by) = match (part, self.query.sort) {
            (Part::Without, _) => ("w.wallet_id > $10".to_owned(), "w.wallet_id".to_owned()),
            (Part::WithValue, WalletSort::Index) => (
                format!("(w.master_id, w.path_family, w.derivation_index) {than} ($7, $8, $9)"),
                format!("w.master_id {direction}, w.path_family {direction}, w.derivation_index {direction}"),
            ),
            (Part::WithValue, sort) => {
                let key = key(sort);
                (
                    format!("{value} {than}= {key} AND ({value} {than} {key} OR w.wallet_id {than} $10)"),
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
            "SELECT w.wallet_id FROM {}{beyond} ORDER BY {by} LIMIT $11 OFFSET $12",
            self.source(order, part)
        );
        let asked = self
            .filter
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .bind(self.few.unwrap_or_default());
        let rows = bind_after(asked, after, limit, offset)?
            .fetch_all(connection)
            .await
            .storage()?;
        rows.iter().map(|row| row.try_get(0).storage()).collect()
    }

    /// How many have a value, from the cursor on: only asked where an offset leads beyond them.
    async fn count_with(
        &self,
        connection: &mut PgConnection,
        order: &Order,
        after: Option<&Position>,
    ) -> Result<i64, Fault> {
        if after.is_some() {
            // An offset beside a cursor counts from the cursor on, and was used up by the rows that were skipped.
            return Ok(i64::MAX);
        }
        let sql = format!("SELECT COUNT(*) FROM {}", self.source(order, Part::WithValue));
        let asked = self
            .filter
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .bind(self.few.unwrap_or_default());
        let row = asked.fetch_one(connection).await.storage()?;
        row.try_get(0).storage()
    }
}

/// The cursor's value, as it is compared: see [`bind_after`].
fn key(sort: WalletSort) -> &'static str {
    match sort {
        WalletSort::Label => "LOWER($8)",
        WalletSort::Owner => "$8",
        WalletSort::Trades | WalletSort::Index => "$9",
        WalletSort::Created => "$10",
        WalletSort::Volume => "CAST($13 AS NUMERIC)",
        WalletSort::LastUsed => "$14",
    }
}

/// Where the page begins, in each of the forms that this may have, from the seventh value on: phrase, text, number, id,
/// limit, offset, a number of 128 bits, and a moment. What is not asked for is not looked at.
fn bind_after<'q>(
    asked: Asked<'q>,
    after: Option<&'q Position>,
    limit: i64,
    offset: i64,
) -> Result<Asked<'q>, Fault> {
    let (mut master, mut text, mut number, mut moment) = (None, None, None, None);
    match after.map(|position| (&position.key, position.sort)) {
        Some((
            Key::Place {
                master: id,
                family,
                index,
            },
            _,
        )) => {
            (master, text, number) = (Some(*id), Some(family.as_str()), Some(i64::from(*index)));
        }
        Some((Key::Text(value), _)) => text = Some(value.as_str()),
        Some((Key::Number(_), sort)) => {
            number = after.and_then(|at| i64::try_from(at.number()).ok());
            moment = number
                .filter(|_| sort == WalletSort::LastUsed)
                .and_then(|ms| u64::try_from(ms).ok())
                .map(|ms| Millis::new("cursor", ms))
                .transpose()?;
        }
        Some((Key::None, _)) | None => {}
    }
    Ok(asked
        .bind(master)
        .bind(text)
        .bind(number)
        .bind(after.map(|at| at.id))
        .bind(limit)
        .bind(offset)
        .bind(after.map(|at| at.number().to_string()))
        .bind(moment))
}
