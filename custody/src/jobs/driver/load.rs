//! What a run knows of a job, from what is stored.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::CustodyError;
use crate::jobs::keeping::uncounted;
use crate::jobs::machine::{Loaded, LoadedBatch, LoadedItem, LoadedState};
use crate::jobs::{Batch, ItemState, Job, JobItem};
use crate::store::jobs::{ItemFacts, JobRun};

/// What transactions are built from.
pub(in crate::jobs) struct Known {
    pub(super) job: Job,
    pub(super) items: HashMap<u32, JobItem>,
    pub(super) batches: HashMap<u32, Arc<Batch>>,
}

/// A stored job, as the machine and the driver take it up.
pub(in crate::jobs) fn read(stored: JobRun) -> Result<(Loaded, Known), CustodyError> {
    let groups: HashMap<u32, u32> = stored
        .items
        .iter()
        .map(|item| (item.new.number, item.group))
        .collect();
    let items = stored
        .facts
        .iter()
        .map(|facts| LoadedItem {
            number: facts.number,
            group: groups.get(&facts.number).copied().unwrap_or(u32::MAX),
            state: state(facts),
            at_most: facts.at_most(),
        })
        .collect();
    let batches = stored
        .batches
        .iter()
        .map(|batch| LoadedBatch {
            number: batch.number,
            lifetime: batch.lifetime,
            items: open_items(batch, &stored.facts),
            state: batch.state,
        })
        .collect();
    let loaded = Loaded {
        state: stored.row.state,
        items,
        batches,
        last_batch: stored.last_batch,
    };
    let known = Known {
        job: uncounted(stored.row)?,
        items: stored
            .items
            .into_iter()
            .map(|item| (item.new.number, item))
            .collect(),
        batches: stored
            .batches
            .into_iter()
            .map(|batch| (batch.number, Arc::new(batch)))
            .collect(),
    };
    Ok((loaded, known))
}

fn state(facts: &ItemFacts) -> LoadedState {
    let under_way = || {
        let last = facts.last.as_ref().filter(|last| !last.state.is_final());
        last.map(|last| LoadedState::UnderWay(last.number))
    };
    match facts.state() {
        ItemState::Planned => LoadedState::Planned,
        ItemState::Signed | ItemState::Sent | ItemState::Confirmed => {
            under_way().unwrap_or(LoadedState::Done)
        }
        ItemState::Failed { .. } => LoadedState::Failed,
        ItemState::Cancelled | ItemState::Skipped { .. } => LoadedState::LeftOut,
    }
}

/// A transaction's items that it is the last one of and whose end is open.
fn open_items(batch: &Batch, facts: &[ItemFacts]) -> Vec<u32> {
    let is_open = |facts: &&ItemFacts| {
        let is_last = facts
            .last
            .as_ref()
            .is_some_and(|last| last.number == batch.number);
        is_last && (!batch.state.is_final() || facts.state() == ItemState::Planned)
    };
    facts.iter().filter(is_open).map(|facts| facts.number).collect()
}
