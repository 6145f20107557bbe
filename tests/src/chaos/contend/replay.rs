//! What the audit log says happened, gone through in its order: the limits must have held after each entry.

use std::collections::{HashMap, VecDeque};

/// What counts within a sliding window: each thing once, at the last time that it came.
#[derive(Debug, Default)]
pub(super) struct Sliding {
    came: VecDeque<(u64, String)>,
    /// When last, and how much.
    last: HashMap<String, (u64, u128)>,
    sum: u128,
}

impl Sliding {
    /// Leaves out what came `duration_ms` ago or earlier.
    pub(super) fn slide(&mut self, now_ms: u64, duration_ms: u64) {
        while let Some((at, thing)) = self.came.front() {
            if at + duration_ms > now_ms {
                return;
            }
            if let Some((last, amount)) = self.last.get(thing).copied()
                && last == *at
            {
                self.last.remove(thing);
                self.sum -= amount;
            }
            self.came.pop_front();
        }
    }

    /// A thing comes, anew perhaps.
    pub(super) fn add(&mut self, now_ms: u64, thing: &str, amount: u128) {
        if let Some((_, before)) = self.last.insert(thing.to_owned(), (now_ms, amount)) {
            self.sum -= before;
        }
        self.sum += amount;
        self.came.push_back((now_ms, thing.to_owned()));
    }

    /// How many things.
    pub(super) fn count(&self) -> usize {
        self.last.len()
    }

    /// How much in all.
    pub(super) const fn sum(&self) -> u128 {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_counts_once_and_until_its_last_time_is_a_window_ago() {
        let mut window = Sliding::default();
        for (now, thing, count, sum) in [
            (0, "a", 1, 5),
            (10, "b", 2, 10),
            (20, "a", 2, 10),
            (99, "c", 3, 15),
            // The first coming of a is out of the window, its second is not.
            (109, "c", 3, 15),
            (110, "d", 3, 15),
            (120, "e", 3, 15),
            (300, "a", 1, 5),
        ] {
            window.slide(now, 100);
            window.add(now, thing, 5);
            assert_eq!((window.count(), window.sum()), (count, sum), "{now}");
        }
    }
}
