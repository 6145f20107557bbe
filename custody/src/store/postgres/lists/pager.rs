//! The ids of one page, in an order.

use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::Asked;
use super::filter::Filter;
use crate::store::paging::{Part, Parts, Span, Walk};
use crate::store::postgres::errors::{Fault, ResultExt};
use crate::store::postgres::types::Millis;
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

/// Finds the ids of one page.
pub(super) struct Pager<'p> {
    pub(super) connection: &'p mut PgConnection,
    pub(super) query: &'p WalletQuery,
    pub(super) filter: &'p Filter<'p>,
    pub(super) few: Option<&'p [i64]>,
}

impl Pager<'_> {
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
}

impl Parts for Pager<'_> {
    type Error = Fault;

    fn has_rest(&self) -> bool {
        order(self.query.sort).has_not.is_some()
    }

    async fn find(
        &mut self,
        part: Part,
        walk: Walk,
        after: Option<&Position>,
        Span { limit, offset }: Span,
    ) -> Result<Vec<i64>, Fault> {
        let order = order(self.query.sort);
        let is_turned = self.query.descending && part == Part::WithValue;
        let down = is_turned != (walk == Walk::Back);
        let (direction, than) = if down { ("DESC", "<") } else { ("ASC", ">") };
        let value = order.value;
        let (beyond, by) = match (part, self.query.sort) {
            (Part::Without, _) => ("w.wallet_id > $10".to_owned(), format!("w.wallet_id {direction}")),
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
            self.source(&order, part)
        );
        let asked = self
            .filter
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .bind(self.few.unwrap_or_default());
        let rows = bind_after(asked, after, limit, offset)?
            .fetch_all(&mut *self.connection)
            .await
            .storage()?;
        rows.iter().map(|row| row.try_get(0).storage()).collect()
    }

    async fn count(&mut self, part: Part) -> Result<i64, Fault> {
        let sql = format!(
            "SELECT COUNT(*) FROM {}",
            self.source(&order(self.query.sort), part)
        );
        let asked = self
            .filter
            .bind(sqlx::query(AssertSqlSafe(sql)))
            .bind(self.few.unwrap_or_default());
        let row = asked.fetch_one(&mut *self.connection).await.storage()?;
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
