//! The rows around what is seen: a cache of one stretch of the list.

use keyward_custody::{Wallet, WalletPage};

/// The most rows read at once.
const MOST_ROWS: u64 = 512;

/// One stretch of rows and the size of the whole list.
#[derive(Debug, Default)]
pub(super) struct Window {
    offset: u64,
    rows: Vec<Wallet>,
    total: Option<u64>,
    /// The stretch that was asked for and has not come yet.
    asked: Option<(u64, u64)>,
    /// Whether the rows answer an older question; they stay on the screen until the new ones come.
    outdated: bool,
}

impl Window {
    /// How many rows the whole list has, once known.
    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    /// One row, if it has been read.
    pub(super) fn row(&self, at: u64) -> Option<&Wallet> {
        let index = at.checked_sub(self.offset)?;
        self.rows.get(usize::try_from(index).ok()?)
    }

    /// The rows from `top` on that have been read, with their places.
    pub(super) fn rows(&self, top: u64, count: u64) -> impl Iterator<Item = (u64, &Wallet)> {
        (top..top.saturating_add(count)).filter_map(|at| self.row(at).map(|wallet| (at, wallet)))
    }

    /// What to ask for so that `count` rows from `top` on can be shown: offset and limit. Nothing when
    /// they are there or on their way.
    pub(super) fn missing(&self, top: u64, count: u64) -> Option<(u64, u32)> {
        let end = top.saturating_add(count).min(self.total.unwrap_or(u64::MAX));
        let covers = |(offset, limit): (u64, u64)| offset <= top && end <= offset.saturating_add(limit);
        let here = !self.outdated && self.total.is_some() && covers((self.offset, self.rows.len() as u64));
        if here || self.asked.is_some_and(covers) {
            return None;
        }
        // A screen before and one after, so that moving on finds its rows.
        let offset = top.saturating_sub(count);
        let limit = count.saturating_mul(3).clamp(1, MOST_ROWS);
        Some((offset, u32::try_from(limit).unwrap_or(u32::MAX)))
    }

    /// Takes note of what was asked for.
    pub(super) fn asked(&mut self, offset: u64, limit: u32) {
        self.asked = Some((offset, u64::from(limit)));
    }

    /// The rows answer an older question.
    pub(super) fn outdate(&mut self) {
        self.outdated = true;
        self.asked = None;
    }

    /// Takes the rows that were asked for.
    pub(super) fn fill(&mut self, page: WalletPage) {
        let (offset, _) = self.asked.take().unwrap_or_default();
        self.offset = offset;
        self.rows = page.rows;
        self.total = Some(page.total);
        self.outdated = false;
    }

    /// What was asked for will not come.
    pub(super) fn give_up(&mut self) {
        self.asked = None;
    }
}
