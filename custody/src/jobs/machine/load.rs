//! A job as it stands in the store, and taking it up.

use std::collections::{BTreeMap, BTreeSet};

use super::follow::Follower;
use super::{Cell, Course, Entry, Machine, Place};
use crate::jobs::job::{BatchState, JobState, Lifetime};

/// An item, as far as a run needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedItem {
    /// Its number.
    pub number: u32,
    /// The group that it is packed in.
    pub group: u32,
    /// How far it has come.
    pub state: LoadedState,
    /// The most items that may be together with it: fewer than in a transaction that failed without a culprit.
    pub at_most: Option<u32>,
}

/// How far an item has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadedState {
    /// To be done.
    Planned,
    /// In this unfinished transaction.
    UnderWay(u32),
    /// Done.
    Done,
    /// Failed.
    Failed,
    /// Given up, or with nothing to do.
    LeftOut,
}

/// A transaction that is not at its end, or whose items are to be done again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedBatch {
    /// Its number.
    pub number: u32,
    /// How long it can land.
    pub lifetime: Lifetime,
    /// Its items; of one at its end, those to be done again.
    pub items: Vec<u32>,
    /// How far it has come.
    pub state: BatchState,
}

/// A job as it stands in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Whether it goes on.
    pub state: JobState,
    /// Its items.
    pub items: Vec<LoadedItem>,
    /// Its unfinished transactions, and the last ones of items that are to be done again.
    pub batches: Vec<LoadedBatch>,
    /// The number of its last transaction; 0 before the first.
    pub last_batch: u32,
}

impl Machine {
    /// Takes up what is stored. What this run is in the middle of stays as it is.
    pub(super) fn take(&mut self, loaded: &Loaded) {
        self.last_batch = self.last_batch.max(loaded.last_batch);
        if loaded.state != JobState::Open && self.course == Course::Going {
            self.course = Course::Stopped;
        }
        let listed: BTreeSet<u32> = loaded.batches.iter().map(|batch| batch.number).collect();
        // What is not listed any more has an end that another process found, and stored with the same proof.
        self.followers
            .retain(|number, _| listed.contains(number) || *number > loaded.last_batch);
        for batch in &loaded.batches {
            let is_open = !batch.state.is_final();
            if is_open && !self.followers.contains_key(&batch.number) {
                let mut follower = Follower::new(batch.lifetime, batch.items.clone());
                follower.stored = batch.state;
                follower.needs_history = true;
                self.followers.insert(batch.number, follower);
            }
        }
        self.take_items(loaded);
        self.recheck(loaded);
        self.fill_queue(loaded);
    }

    fn take_items(&mut self, loaded: &Loaded) {
        for item in &loaded.items {
            let place = match item.state {
                LoadedState::Planned => Place::Waiting,
                LoadedState::UnderWay(batch) => Place::Batch(batch),
                LoadedState::Done => Place::Done,
                LoadedState::Failed => Place::Failed,
                LoadedState::LeftOut => Place::LeftOut,
            };
            let cell = self.items.entry(item.number).or_insert(Cell {
                group: item.group,
                place,
                doubts: 0,
            });
            let is_ours = match cell.place {
                Place::Task | Place::Deciding => true,
                // Recorded by this run after the job was read.
                Place::Batch(batch) => batch > loaded.last_batch,
                Place::Waiting | Place::Done | Place::Failed | Place::LeftOut => false,
            };
            if !is_ours {
                cell.place = place;
            }
        }
    }

    /// Transactions that ended without a success are looked for once more before their items are built again: the end may
    /// have been stored by a program that was told wrong, or changed in the file.
    fn recheck(&mut self, loaded: &Loaded) {
        for batch in loaded.batches.iter().filter(|batch| batch.state.is_final()) {
            let items = self.all_in(&batch.items, Place::Waiting);
            if items.is_empty() {
                continue;
            }
            self.place(&items, Place::Batch(batch.number));
            let follower = self.followers.entry(batch.number).or_insert_with(|| {
                let mut follower = Follower::new(batch.lifetime, Vec::new());
                follower.stored = batch.state;
                follower.recheck = true;
                follower
            });
            follower.items = items;
        }
    }

    /// What waits, by its group; no more together than may be.
    fn fill_queue(&mut self, loaded: &Loaded) {
        let waits: BTreeMap<u32, u64> = self
            .queue
            .drain(..)
            .flat_map(|entry| {
                entry
                    .items
                    .into_iter()
                    .map(move |item| (item, entry.not_before_ms))
            })
            .collect();
        let limits: BTreeMap<u32, u32> = loaded
            .items
            .iter()
            .filter_map(|item| Some((item.number, item.at_most?)))
            .collect();
        let mut groups: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (number, cell) in &self.items {
            if cell.place == Place::Waiting {
                groups.entry(cell.group).or_default().push(*number);
            }
        }
        for items in groups.into_values() {
            let at_most = items.iter().filter_map(|item| limits.get(item)).min();
            let at_most = at_most.map_or(items.len(), |limit| usize::try_from(*limit).unwrap_or(1));
            for part in items.chunks(at_most.max(1)) {
                let not_before_ms = part.iter().filter_map(|item| waits.get(item)).max().copied();
                self.queue.push_back(Entry {
                    items: part.to_vec(),
                    not_before_ms: not_before_ms.unwrap_or(0),
                });
            }
        }
    }
}
