//! The part of a long log that is in memory: a bounded run of rows around the cursor. Pure.
//!
//! The store pages by sequence number, not by place, so the window grows at its ends and forgets at the other one.

use std::collections::VecDeque;

use keyward_custody::{AuditQuery, AuditRow, AuditRows};

/// How many rows are read at once.
const PAGE_ROWS: u32 = 100;
/// How many rows are kept.
const MAX_ROWS: usize = 500;
/// How near to an end of the window the cursor may come before more is read.
const NEAR: u64 = 40;

/// Which way the log is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    NewestFirst,
    OldestFirst,
}

impl Order {
    pub(super) fn turned(self) -> Self {
        match self {
            Self::NewestFirst => Self::OldestFirst,
            Self::OldestFirst => Self::NewestFirst,
        }
    }
}

/// What is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    /// The first rows in the order shown.
    Start,
    /// The last ones.
    End,
    /// Those after the window.
    Onwards {
        /// Its last row's sequence number.
        last: u64,
    },
    /// Those before it.
    Backwards {
        /// Its first row's sequence number.
        first: u64,
    },
}

/// The rows in memory and the cursor. Places count from 0 in the order shown.
#[derive(Debug)]
pub(super) struct Window {
    order: Order,
    rows: VecDeque<AuditRow>,
    first: u64,
    total: u64,
    cursor: u64,
    top: u64,
}

impl Window {
    pub(super) fn new(order: Order) -> Self {
        Self {
            order,
            rows: VecDeque::new(),
            first: 0,
            total: 0,
            cursor: 0,
            top: 0,
        }
    }

    pub(super) fn order(&self) -> Order {
        self.order
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn cursor(&self) -> u64 {
        self.cursor
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn at(&self, place: u64) -> Option<&AuditRow> {
        let at = place.checked_sub(self.first)?;
        self.rows.get(usize::try_from(at).ok()?)
    }

    pub(super) fn selected(&self) -> Option<&AuditRow> {
        self.at(self.cursor)
    }

    /// The place of the first visible row when `seen` rows are.
    pub(super) fn top(&self, seen: u64) -> u64 {
        let seen = seen.max(1);
        let least = (self.cursor + 1).saturating_sub(seen);
        let most = self.total.saturating_sub(seen).max(least);
        self.top.clamp(least, self.cursor).min(most)
    }

    /// Moves the cursor by so many rows within what is in memory.
    pub(super) fn step(&mut self, by: i64, seen: u64) {
        let end = (self.first + self.rows.len() as u64).saturating_sub(1);
        self.cursor = self
            .cursor
            .saturating_add_signed(by)
            .clamp(self.first.min(end), end);
        self.top = self.top(seen);
    }

    pub(super) fn put(&mut self, place: u64, seen: u64) {
        self.cursor = place.min(self.total.saturating_sub(1));
        self.top = self.top(seen);
    }

    /// What has to be read for the cursor to go on, if anything.
    pub(super) fn wants(&self) -> Option<Load> {
        let end = self.first + self.rows.len() as u64;
        if end < self.total && self.cursor + NEAR >= end {
            return self.rows.back().map(|row| Load::Onwards { last: row.sequence() });
        }
        if self.first > 0 && self.cursor < self.first + NEAR {
            return self.rows.front().map(|row| Load::Backwards {
                first: row.sequence(),
            });
        }
        None
    }

    /// The query for a load; `filter` has everything but order and bounds.
    pub(super) fn query(&self, load: Load, mut filter: AuditQuery) -> AuditQuery {
        let newest = self.order == Order::NewestFirst;
        let onwards = matches!(load, Load::Start | Load::Onwards { .. });
        filter.limit = PAGE_ROWS;
        filter.redacted = true;
        filter.newest_first = newest == onwards;
        match load {
            Load::Start | Load::End => {}
            Load::Onwards { last: bound } | Load::Backwards { first: bound } => {
                if filter.newest_first {
                    filter.before_sequence = Some(bound);
                } else {
                    filter.after_sequence = Some(bound);
                }
            }
        }
        filter
    }

    /// Takes in what was read.
    pub(super) fn take(&mut self, load: Load, page: AuditRows) {
        let read = page.rows.len();
        match load {
            Load::Start | Load::End => {
                self.rows = page.rows.into();
                self.total = page.total;
                self.first = 0;
                self.cursor = 0;
                if load == Load::End {
                    self.rows.make_contiguous().reverse();
                    self.first = self.total.saturating_sub(read as u64);
                    self.cursor = self.total.saturating_sub(1);
                }
                self.top = self.cursor;
            }
            Load::Onwards { .. } => {
                self.grown(page.total);
                self.rows.extend(page.rows);
                while self.rows.len() > MAX_ROWS && self.first + NEAR < self.cursor {
                    self.rows.pop_front();
                    self.first += 1;
                }
            }
            Load::Backwards { .. } => {
                self.grown(page.total);
                for row in page.rows {
                    self.rows.push_front(row);
                    self.first = self.first.saturating_sub(1);
                }
                while self.rows.len() > MAX_ROWS {
                    self.rows.pop_back();
                }
            }
        }
        if read == 0 {
            // The log says that there is nothing there: believe the rows rather than the count.
            match load {
                Load::Onwards { .. } => self.total = self.first + self.rows.len() as u64,
                Load::Backwards { .. } => self.first = 0,
                Load::Start | Load::End => self.total = 0,
            }
        }
    }

    /// Entries were written in the meantime: with the newest first, every place moves on.
    fn grown(&mut self, total: u64) {
        let more = total.saturating_sub(self.total);
        if self.order == Order::NewestFirst {
            self.first += more;
            self.cursor += more;
            self.top += more;
        }
        self.total = self.total.max(total);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use keyward_core::audit::{AuditEntry, Operation, Outcome};

    use super::*;

    fn entry(sequence: u64) -> AuditRow {
        AuditRow::Entry(Box::new(AuditEntry {
            sequence,
            time_ms: sequence,
            actor: "owner".into(),
            operation: Operation::Unlock,
            wallet: None,
            outcome: Outcome::Done,
            reason: String::new(),
            subject: None,
            details: String::new(),
            client_address: None,
            client_fingerprint: None,
        }))
    }

    /// A store of entries 0 to `count - 1`.
    fn read(count: u64, query: &AuditQuery) -> AuditRows {
        let within = |sequence: &u64| {
            query.after_sequence.is_none_or(|after| *sequence > after)
                && query.before_sequence.is_none_or(|before| *sequence < before)
        };
        let all: Vec<u64> = if query.newest_first {
            (0..count).rev().collect()
        } else {
            (0..count).collect()
        };
        let rows = all
            .into_iter()
            .filter(within)
            .take(query.limit as usize)
            .map(entry)
            .collect();
        AuditRows { total: count, rows }
    }

    fn load(window: &mut Window, load: Load, count: u64) {
        let query = window.query(load, AuditQuery::default());
        window.take(load, read(count, &query));
    }

    fn settle(window: &mut Window, count: u64) {
        for _ in 0..8 {
            match window.wants() {
                Some(wanted) => load(window, wanted, count),
                None => return,
            }
        }
        panic!("it never has enough");
    }

    #[test]
    fn walking_the_whole_log_sees_every_entry_once_and_stays_bounded() {
        for order in [Order::NewestFirst, Order::OldestFirst] {
            let count = 2_345;
            let mut window = Window::new(order);
            load(&mut window, Load::Start, count);
            let mut seen = Vec::new();
            for place in 0..count {
                settle(&mut window, count);
                assert_eq!(window.cursor(), place);
                seen.push(window.selected().unwrap().sequence());
                assert!(window.rows.len() <= MAX_ROWS + PAGE_ROWS as usize);
                window.step(1, 20);
            }
            let expected: Vec<u64> = if order == Order::NewestFirst {
                (0..count).rev().collect()
            } else {
                (0..count).collect()
            };
            assert_eq!(seen, expected);
            for place in (0..count).rev() {
                settle(&mut window, count);
                assert_eq!(window.cursor(), place);
                assert_eq!(window.selected().unwrap().sequence(), expected[place as usize]);
                window.step(-1, 20);
            }
        }
    }

    #[test]
    fn the_end_is_reached_at_once() {
        let mut window = Window::new(Order::NewestFirst);
        load(&mut window, Load::End, 1_000);
        assert_eq!((window.cursor(), window.selected().unwrap().sequence()), (999, 0));
        settle(&mut window, 1_000);
        assert_eq!(window.top(20), 980);
    }

    #[test]
    fn entries_written_meanwhile_move_the_places() {
        let mut window = Window::new(Order::NewestFirst);
        load(&mut window, Load::Start, 300);
        window.step(90, 20);
        let before = window.selected().unwrap().sequence();
        settle(&mut window, 310);
        assert_eq!(window.selected().unwrap().sequence(), before);
        assert_eq!(window.cursor(), 100);
    }

    #[test]
    fn an_empty_log() {
        let mut window = Window::new(Order::NewestFirst);
        load(&mut window, Load::Start, 0);
        window.step(1, 20);
        window.step(-1, 20);
        assert_eq!((window.cursor(), window.top(20), window.wants()), (0, 0, None));
        assert!(window.selected().is_none());
    }
}
