//! Sliding windows.
//!
//! A window of length `d` ending now covers the spends of the last `d` milliseconds, whatever the
//! clock's hour: counting by calendar would let twice the limit through around midnight.

use super::asset::Asset;

/// What to count: one asset over one length of time, over all wallets of the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// The asset counted.
    pub asset: Asset,
    /// Length in milliseconds.
    pub duration_ms: u64,
}

impl Window {
    /// Whether a spend at `spent_ms` counts at `now_ms`: younger than the duration. One that seems to
    /// lie in the future counts as well, since a clock that was set back must not free anything.
    #[must_use]
    pub const fn covers(&self, spent_ms: u64, now_ms: u64) -> bool {
        match now_ms.checked_sub(spent_ms) {
            Some(age_ms) => age_ms < self.duration_ms,
            None => true,
        }
    }

    /// Adds up what counts of these `(time in milliseconds, spend)` pairs; `None` when the sum cannot
    /// exist.
    pub fn total<'a>(&self, spends: impl IntoIterator<Item = &'a (u64, Spend)>, now_ms: u64) -> Option<u128> {
        spends
            .into_iter()
            .filter(|(at, spend)| spend.asset == self.asset && self.covers(*at, now_ms))
            .try_fold(0_u128, |sum, (_, spend)| sum.checked_add(spend.amount))
    }
}

/// What was counted for a window: reserved and spent, in smallest units. A sum above `u128::MAX` is
/// handed over as `u128::MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSpend {
    /// The window.
    pub window: Window,
    /// The amount.
    pub amount: u128,
}

/// What an approval reserves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spend {
    /// The asset.
    pub asset: Asset,
    /// The amount in smallest units.
    pub amount: u128,
}
