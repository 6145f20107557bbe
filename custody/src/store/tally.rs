//! How many wallets there are, counted once by a handle and carried on from there.
//!
//! No wallet's row is ever taken away and ids only grow, given out under the lock that every writer takes: so the number
//! up to an id stays what it was, and only the rows after it are counted again. A list shows this number beside its page,
//! and counting 100,000 rows would take as long as the page. Nothing but lists goes by it.

use std::sync::{Mutex, PoisonError};

/// The number of wallets up to an id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// The highest id there was; 0 before the first.
    pub(super) highest: i64,
    /// How many there are up to it.
    pub(super) all: i64,
    /// How many of them are of Ethereum, once somebody has asked.
    pub(super) evm: Option<i64>,
}

/// What a handle knows of it.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Counted>);

impl Tally {
    /// What was counted before.
    pub(super) fn known(&self) -> Counted {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what was counted since, unless somebody has counted further.
    pub(super) fn keep(&self, counted: Counted) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.highest > known.highest || (counted.highest == known.highest && counted.evm.is_some()) {
            *known = counted;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_further_stays() {
        let tally = Tally::default();
        let counted = |highest, all, evm| Counted { highest, all, evm };
        for (kept, known) in [
            (counted(10, 9, None), counted(10, 9, None)),
            // An older snapshot.
            (counted(5, 5, Some(1)), counted(10, 9, None)),
            (counted(10, 9, Some(2)), counted(10, 9, Some(2))),
            (counted(10, 9, None), counted(10, 9, Some(2))),
            (counted(11, 10, None), counted(11, 10, None)),
        ] {
            tally.keep(kept);
            assert_eq!(tally.known(), known);
        }
    }
}
