//! Entries on their way to the sink: bounded, and with what did not fit in its place.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::{CommittedEntry, MissedEntries};

/// The most entries that a sink is given at once.
const MAX_AT_ONCE: usize = 256;

/// What comes next.
pub(super) enum Next {
    /// One to [`MAX_AT_ONCE`] entries.
    Entries(Vec<CommittedEntry>),
    /// Entries that there was no room for.
    Missed(MissedEntries),
}

pub(super) struct Queue {
    capacity: usize,
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Default)]
struct State {
    /// A gap stands only at the end or before an entry, so that there are at most as many as entries, and one.
    items: VecDeque<Item>,
    /// How many of the items are entries.
    entries: usize,
    closed: bool,
}

enum Item {
    Entry(Box<CommittedEntry>),
    Gap(MissedEntries),
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            state: Mutex::default(),
            ready: Condvar::new(),
        }
    }

    /// Queues what there is room for, and the rest as a gap; gives back how many there was no room for. After closing,
    /// there is none.
    pub(super) fn push(&self, entries: impl Iterator<Item = CommittedEntry>) -> u64 {
        let mut state = self.state();
        let mut dropped = 0;
        for entry in entries {
            if state.entries < self.capacity && !state.closed {
                state.entries += 1;
                state.items.push_back(Item::Entry(Box::new(entry)));
                continue;
            }
            dropped += 1;
            let missed = MissedEntries::one(entry.entry.sequence);
            match state.items.back_mut() {
                Some(Item::Gap(gap)) => *gap = gap.and(missed),
                _ => state.items.push_back(Item::Gap(missed)),
            }
        }
        drop(state);
        self.ready.notify_one();
        dropped
    }

    /// Waits for what comes next; `None` once closed and empty.
    pub(super) fn next(&self) -> Option<Next> {
        let mut state = self.state();
        loop {
            match state.items.pop_front() {
                Some(Item::Gap(gap)) => return Some(Next::Missed(gap)),
                Some(Item::Entry(entry)) => {
                    let mut entries = vec![*entry];
                    while entries.len() < MAX_AT_ONCE
                        && let Some(Item::Entry(_)) = state.items.front()
                        && let Some(Item::Entry(entry)) = state.items.pop_front()
                    {
                        entries.push(*entry);
                    }
                    state.entries = state.entries.saturating_sub(entries.len());
                    return Some(Next::Entries(entries));
                }
                None if state.closed => return None,
                None => state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Nothing more will come.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.ready.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
