//! The ids of one page, in an order.

use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::filter::Filter;
use super::{Asked, json};
use crate::error::CustodyError;
use crate::store::paging::{Part, Parts, Span, Walk};
use crate::store::sqlite::errors::ResultExt;
use crate::wallets::{Key, Position, WalletQuery, WalletSort};

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

/// Finds the ids of one page.
pub(super) struct Pager<'p> {
    pub(super) connection: &'p mut SqliteConnection,
    pub(super) query: &'p WalletQuery,
    pub(super) filter: &'p Filter<'p>,
    pub(super) few: Option<&'p [i64]>,
}

impl Pager<'_> {
    /// As [`Self::source`] of those with a value, the newest first. Of many equal values the greatest ids are wanted then, and
    /// met in the order of ids each would go through the sorter: half of the time.
    fn source_from_the_newest(&self, order: &Order) -> String {
        let Order { from, value, has, .. } = order;
        let conditions = self.filter.walking();
        format!(
            "(SELECT w.wallet_id, {value} FROM {from} WHERE 1{conditions}{has} ORDER BY w.wallet_id DESC LIMIT -1) w WHERE 1"
        )
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
}

impl Parts for Pager<'_> {
    type Error = CustodyError;

    fn has_rest(&self) -> bool {
        order(self.query.sort).has_not.is_some()
    }

    async fn find(
        &mut self,
        part: Part,
        walk: Walk,
        after: Option<&Position>,
        Span { limit, offset }: Span,
    ) -> Result<Vec<i64>, CustodyError> {
        let order = order(self.query.sort);
        let is_turned = self.query.descending && part == Part::WithValue;
        let down = is_turned != (walk == Walk::Back);
        let (direction, than) = if down { ("DESC", "<") } else { ("ASC", ">") };
        let value = order.value;
        let (beyond, by) = match (part, self.query.sort) {
            (Part::Without, _) => ("w.wallet_id > ?10".to_owned(), format!("w.wallet_id {direction}")),
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
        let is_counted = matches!(
            self.query.sort,
            WalletSort::LastUsed | WalletSort::Trades | WalletSort::Volume
        );
        let source = match self.few {
            None if down && is_counted && part == Part::WithValue => self.source_from_the_newest(&order),
            _ => self.source(&order, part),
        };
        let sql = format!("SELECT w.wallet_id FROM {source}{beyond} ORDER BY {by} LIMIT ?11 OFFSET ?12");
        let asked = self
            .filter
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .bind(json(self.few.unwrap_or_default()));
        let rows = bind_after(asked, after, limit, offset)?
            .fetch_all(&mut *self.connection)
            .await
            .storage()?;
        rows.iter().map(|row| row.try_get(0).storage()).collect()
    }

    async fn count(&mut self, part: Part) -> Result<i64, CustodyError> {
        let sql = format!(
            "SELECT COUNT(*) FROM {}",
            self.source(&order(self.query.sort), part)
        );
        let asked = self
            .filter
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .bind(json(self.few.unwrap_or_default()));
        let row = asked.fetch_one(&mut *self.connection).await.storage()?;
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
