//! The ids of one page along an order, whose rows without a value come last.
//!
//! Here is which rows are asked for, and how many; how a database is asked is the stores' matter.

use crate::error::CustodyError;
use crate::store::stored_integer;
use crate::wallets::{Key, Position, WalletQuery};

/// Which rows of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    WithValue,
    Without,
}

/// Which way an order is walked along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walk {
    On,
    Back,
}

/// How many rows are wanted, after so many that are skipped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) limit: i64,
    pub(super) offset: i64,
}

/// The rows that a query finds, in its order.
pub(super) trait Parts: Send {
    type Error: From<CustodyError>;

    /// Whether rows without a value are found too.
    fn has_rest(&self) -> bool;

    /// The ids of a part's rows, from where a page begins on.
    fn find(
        &mut self,
        part: Part,
        walk: Walk,
        after: Option<&Position>,
        span: Span,
    ) -> impl Future<Output = Result<Vec<i64>, Self::Error>> + Send;

    /// How many a part has: only asked where an offset leads beyond it.
    fn count(&mut self, part: Part) -> impl Future<Output = Result<i64, Self::Error>> + Send;
}

/// The ids of one page of `total` rows. One of the second half is walked to from the end: as many rows are walked over as
/// come after it, and not as come before it.
///
/// # Errors
/// A cursor of another order, an offset beyond what is stored, or the database's.
pub(super) async fn page<P: Parts>(
    parts: &mut P,
    query: &WalletQuery,
    total: i64,
) -> Result<Vec<i64>, P::Error> {
    let cursor = query.after.as_ref();
    let after = cursor
        .map(|cursor| cursor.of(query.sort, query.descending))
        .transpose()?;
    let limit = i64::from(query.limit);
    let offset = stored_integer("offset", query.offset)?;
    if after.is_some() || offset <= total / 2 {
        return along(parts, Walk::On, after, Span { limit, offset }).await;
    }
    let rest = total.saturating_sub(offset).max(0);
    let limit = limit.min(rest);
    let offset = rest - limit;
    let mut ids = along(parts, Walk::Back, None, Span { limit, offset }).await?;
    ids.reverse();
    Ok(ids)
}

async fn along<P: Parts>(
    parts: &mut P,
    walk: Walk,
    mut after: Option<&Position>,
    span: Span,
) -> Result<Vec<i64>, P::Error> {
    let order: &[Part] = match (parts.has_rest(), walk) {
        (false, _) => &[Part::WithValue],
        (true, Walk::On) => &[Part::WithValue, Part::Without],
        (true, Walk::Back) => &[Part::Without, Part::WithValue],
    };
    let (mut ids, mut offset) = (Vec::new(), span.offset);
    for &part in order {
        let limit = span.limit - i64::try_from(ids.len()).unwrap_or(span.limit);
        if limit <= 0 {
            break;
        }
        // A cursor among those without a value is past all that have one.
        if part == Part::WithValue && after.is_some_and(|position| position.key == Key::None) {
            continue;
        }
        let found = parts.find(part, walk, after, Span { limit, offset }).await?;
        // What is skipped may end in this part, or after all of it. Beside a cursor it is used up by this part's rows.
        if offset > 0 {
            offset = match (found.is_empty(), after) {
                (true, None) => (offset - parts.count(part).await?).max(0),
                _ => 0,
            };
        }
        after = None;
        ids.extend(found);
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// Rows in their order, those with a value first.
    struct Rows {
        with: Vec<i64>,
        without: Vec<i64>,
        walked: i64,
    }

    impl Rows {
        fn of(with: i64, without: i64) -> Self {
            Self {
                with: (0..with).collect(),
                without: (with..with + without).collect(),
                walked: 0,
            }
        }

        fn part(&self, part: Part) -> &[i64] {
            match part {
                Part::WithValue => &self.with,
                Part::Without => &self.without,
            }
        }
    }

    impl Parts for Rows {
        type Error = CustodyError;

        fn has_rest(&self) -> bool {
            !self.without.is_empty()
        }

        async fn find(
            &mut self,
            part: Part,
            walk: Walk,
            after: Option<&Position>,
            Span { limit, offset }: Span,
        ) -> Result<Vec<i64>, CustodyError> {
            let mut rows = self.part(part).to_vec();
            if walk == Walk::Back {
                rows.reverse();
            }
            let (skip, take) = (usize::try_from(offset).unwrap(), usize::try_from(limit).unwrap());
            let beyond = rows
                .into_iter()
                .filter(|row| after.is_none_or(|position| *row > position.id));
            let found: Vec<i64> = beyond.skip(skip).take(take).collect();
            self.walked += offset + limit;
            Ok(found)
        }

        async fn count(&mut self, part: Part) -> Result<i64, CustodyError> {
            Ok(i64::try_from(self.part(part).len()).unwrap())
        }
    }

    #[tokio::test]
    async fn every_page_is_that_part_of_the_whole() {
        for (with, without) in [(0, 0), (7, 0), (0, 7), (5, 4), (1, 9), (9, 1)] {
            let total = with + without;
            for offset in 0..=total + 2 {
                for limit in 0..=total + 1 {
                    let query = WalletQuery {
                        offset: u64::try_from(offset).unwrap(),
                        limit: u32::try_from(limit).unwrap(),
                        ..WalletQuery::default()
                    };
                    let mut rows = Rows::of(with, without);
                    let ids = page(&mut rows, &query, total).await.unwrap();
                    let expected: Vec<i64> = (offset..(offset + limit).min(total)).collect();
                    assert_eq!(ids, expected, "{with} {without}: {offset} {limit}");
                }
            }
        }
    }

    #[tokio::test]
    async fn the_last_page_is_walked_to_from_the_end() {
        let query = WalletQuery {
            offset: 990,
            limit: 10,
            ..WalletQuery::default()
        };
        let mut rows = Rows::of(500, 500);
        assert_eq!(page(&mut rows, &query, 1_000).await.unwrap().len(), 10);
        assert_eq!(rows.walked, 10);
    }
}
