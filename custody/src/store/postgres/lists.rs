//! Pages of wallets: which, in which order, from where on.
//!
//! A filter that finds few is asked first, and its rows are sorted; one that finds many is asked of each row while walking
//! along an index in the order wanted. Rows without the value sorted by come after those that have it. Only the page's own
//! rows are read whole. How many wallets there are is carried on from the last time, and pieces of addresses are found in
//! memory: see [`crate::store::tally`] and [`super::directory`].

use std::collections::HashMap;

use keyward_core::account::Chain;
use keyward_core::path::PathFamily;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Row};

use super::connect::Engine;
use super::directory::Directory;
use super::errors::{Fault, ResultExt};
use super::types::Millis;
use super::wallets::{WALLET_COLUMNS, wallet};
use crate::store::columns::{pattern, unsigned};
use crate::store::stored_integer;
use crate::store::tally::{Counted, Tally};
use crate::wallets::{
    Key, Position, StatusFilter, Wallet, WalletCursor, WalletPage, WalletQuery, WalletSort, WalletStatus,
};

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
        Ok(counted(connection, &self.tally, false).await?.all)
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

    /// Whether nothing but the status and the chain is asked for.
    fn is_broad(&self) -> bool {
        let query = self.query;
        query.text.is_empty() && query.tag.is_none() && query.owner.is_none() && query.role.is_none()
    }

    /// Whether a piece of text is looked for among all, or all in use, and nothing else is asked for.
    fn is_text_alone(&self) -> bool {
        let query = self.query;
        !query.text.is_empty()
            && self.index.is_none()
            && query.tag.is_none()
            && query.owner.is_none()
            && query.role.is_none()
            && query.chain.is_none()
            && !matches!(query.status, StatusFilter::Only(_))
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
            // Families are those that there are, so that the index of places leads there.
            (false, Some(_)) => &of_an_index(),
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

    /// The ids of what is found, if they are few, and how many there are.
    async fn found(
        &self,
        connection: &mut PgConnection,
        counts: &Counts,
    ) -> Result<(Option<Vec<i64>>, i64), Fault> {
        let many = |found: &[i64]| i64::try_from(found.len()).unwrap_or(i64::MAX);
        if self.is_text_alone()
            && let Some(found) = self.with_text(connection, counts).await?
        {
            let total = many(&found);
            return Ok(((found.len() <= FEW).then_some(found), total));
        }
        if self.narrows() {
            let found = self.ids(connection).await?;
            if found.len() <= FEW {
                let total = many(&found);
                return Ok((Some(found), total));
            }
        }
        let total = match self.is_broad() {
            true => self.count_broad(connection, &counts.tally).await?,
            false => self.count(connection).await?,
        };
        Ok((None, total))
    }

    /// The ids of the wallets with the piece of text; none where the directory cannot tell.
    async fn with_text(
        &self,
        connection: &mut PgConnection,
        counts: &Counts,
    ) -> Result<Option<Vec<i64>>, Fault> {
        let highest: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(wallet_id), 0) FROM wallets")
            .fetch_one(&mut *connection)
            .await
            .storage()?;
        let directory = &counts.directory;
        let Some(mut found) = directory.find(connection, &self.query.text, highest).await? else {
            return Ok(None);
        };
        let like = match self.engine {
            Engine::Postgres => "COLLATE \"C\" ILIKE $1",
            Engine::Compatible => "ILIKE $1",
        };
        // Each part by the index of those that have one at all.
        let sql = format!(
            "SELECT wallet_id FROM wallets WHERE label <> '' AND label {like} UNION ALL \
             SELECT wallet_id FROM wallets WHERE tags <> ARRAY[]::TEXT[] AND ARRAY_TO_STRING(tags, CHR(10)) {like}"
        );
        let named: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(&self.text)
            .fetch_all(&mut *connection)
            .await
            .storage()?;
        found.extend(named);
        found.sort_unstable();
        found.dedup();
        if self.query.status == StatusFilter::InUse && !found.is_empty() {
            let unused: Vec<i64> = sqlx::query_scalar(
                "SELECT wallet_id FROM wallets WHERE status <> 'active' AND status IN ('retired', 'deleted', 'purged') \
                 ORDER BY wallet_id",
            )
            .fetch_all(connection)
            .await
            .storage()?;
            found.retain(|id| unused.binary_search(id).is_err());
        }
        Ok(Some(found))
    }

    /// How many are of the status and the chain: of all those there are, without the few that are left out.
    async fn count_broad(&self, connection: &mut PgConnection, tally: &Tally) -> Result<i64, Fault> {
        let left_out = match self.query.status {
            StatusFilter::All => None,
            StatusFilter::InUse => Some("status IN ('retired', 'deleted', 'purged')"),
            StatusFilter::Only(WalletStatus::Active) => Some("TRUE"),
            StatusFilter::Only(_) => return self.count(connection).await,
        };
        let counted = counted(connection, tally, self.query.chain.is_some()).await?;
        let (all, chain) = match self.query.chain {
            None => (counted.all, ""),
            Some(Chain::Evm) => (counted.evm.unwrap_or(0), " AND chain = 'evm'"),
            Some(Chain::Solana) => (counted.all - counted.evm.unwrap_or(0), " AND chain = 'solana'"),
        };
        let Some(left_out) = left_out else {
            return Ok(all);
        };
        // They have an index.
        let sql = format!("SELECT COUNT(*) FROM wallets WHERE status <> 'active' AND {left_out}{chain}");
        let out: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(connection)
            .await
            .storage()?;
        Ok(all - out)
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
        let sql = format!("SELECT COUNT(*) FROM wallets w WHERE TRUE{}", self.conditions());
        let row = self
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .fetch_one(connection)
            .await
            .storage()?;
        row.try_get(0).storage()
    }
}

fn of_an_index() -> String {
    let families: Vec<String> = PathFamily::ALL
        .iter()
        .map(|family| format!("'{}'", family.id()))
        .collect();
    format!(
        " AND w.derivation_index = $2 AND w.path_family IN ({}) \
         AND w.master_id = ANY(ARRAY(SELECT master_id FROM master_wallets))",
        families.join(", ")
    )
}

/// How many wallets there are in this snapshot.
async fn counted(connection: &mut PgConnection, tally: &Tally, by_chain: bool) -> Result<Counted, Fault> {
    let highest: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(wallet_id), 0) FROM wallets")
        .fetch_one(&mut *connection)
        .await
        .storage()?;
    // A snapshot older than what was counted last is counted whole.
    let known = Some(tally.known())
        .filter(|known| known.highest <= highest)
        .unwrap_or_default();
    let all = match highest > known.highest {
        true => count_after(connection, "", known.highest).await? + known.all,
        false => known.all,
    };
    let evm = match (by_chain, known.evm) {
        (_, Some(evm)) if known.highest == highest => Some(evm),
        (false, None) => None,
        (_, evm) => {
            let after = evm.map_or(0, |_| known.highest);
            // By the index that searches go along, which begins with these two.
            let of_chain = " AND chain = 'evm' AND status IN ('active', 'rotated', 'retired', 'deleted', 'purged')";
            Some(count_after(connection, of_chain, after).await? + evm.unwrap_or(0))
        }
    };
    let counted = Counted { highest, all, evm };
    tally.keep(counted);
    Ok(counted)
}

async fn count_after(
    connection: &mut PgConnection,
    condition: &'static str,
    after: i64,
) -> Result<i64, Fault> {
    let sql = format!("SELECT COUNT(*) FROM wallets WHERE wallet_id > $1{condition}");
    sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(after)
        .fetch_one(connection)
        .await
        .storage()
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
            has: " AND w.owner_id IS NOT NULL",
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
    async fn ids(&self, connection: &mut PgConnection) -> Result<Vec<i64>, Fault> {
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
        connection: &mut PgConnection,
        order: &Order,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<i64>, Fault> {
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
        walk: Walk,
        after: Option<&Position>,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<i64>, Fault> {
        let is_turned = self.query.descending && part == Part::WithValue;
        let down = is_turned != (walk == Walk::Back);
        let (direction, than) = if down { ("DESC", "<") } else { ("ASC", ">") };
        let value = order.value;
        let (beyond, by) = match (part, self.query.sort) {
            (Part::Without, _) => (
                "w.wallet_id > $10".to_owned(),
                format!("w.wallet_id {direction}"),
            ),
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

    /// How many there are of a part: only asked where an offset leads beyond them.
    async fn count_of(
        &self,
        connection: &mut PgConnection,
        order: &Order,
        part: Part,
    ) -> Result<i64, Fault> {
        let sql = format!("SELECT COUNT(*) FROM {}", self.source(order, part));
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
