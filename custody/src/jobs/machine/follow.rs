//! Following recorded transactions to their proven ends, with as few questions as that takes.

use super::{Effect, Event, Machine, Place};
use crate::chain::{ChainTip, Commitment, FIRST_BLOCKS, SearchScope};
use crate::jobs::job::{BatchState, Lifetime};

/// How many blocks a blockhash is valid for. Used only to know how far back a history must reach; the cluster says when a
/// blockhash expires.
const BLOCKHASH_LIFE_BLOCKS: u64 = 151;
/// A node's recent cache holds about 300 slots. Proof this soon after expiry needs no look at how far its history reaches.
const RECENT_BLOCKS: u64 = 100;
/// The most signatures of one search.
const MAX_SEARCH: usize = 256;

/// What a node says about a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The slot the transaction landed in.
    pub slot: u64,
    /// How settled that is.
    pub commitment: Commitment,
    /// Whether it failed there.
    pub has_failed: bool,
}

/// A final transaction, as the node shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landing {
    /// The slot it landed in.
    pub slot: u64,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// The item whose instruction failed, if that is known.
    pub culprit: Option<u32>,
}

/// How far a transaction has come, to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its number in the job.
    pub batch: u32,
    /// The new state.
    pub state: BatchState,
    /// The slot it landed in.
    pub slot: Option<u64>,
    /// Why it failed.
    pub error: Option<String>,
    /// The item whose instruction failed.
    pub culprit: Option<u32>,
}

impl Change {
    fn new(batch: u32, state: BatchState) -> Self {
        Self {
            batch,
            state,
            slot: None,
            error: None,
            culprit: None,
        }
    }
}

/// One recorded transaction.
#[derive(Debug, Clone)]
pub(super) struct Follower {
    pub(super) lifetime: Lifetime,
    pub(super) items: Vec<u32>,
    /// As the store has it.
    pub(super) stored: BatchState,
    /// It ended, by what is stored, without a success; before its items are built again, the node is asked once more.
    pub(super) recheck: bool,
    /// It may have landed long ago.
    pub(super) needs_history: bool,
    pub(super) sent_ms: Option<u64>,
    /// Whether an answer about it came since the last question.
    pub(super) is_known: bool,
    landed: Option<Status>,
    /// The first finalized tip past its last valid height.
    past_end: Option<ChainTip>,
    /// As high as the chain may have been when it was last looked for and not found.
    searched_at: u64,
    /// A search that could have found it did not.
    absent: bool,
    looking: bool,
    looked_ms: Option<u64>,
    /// What is to be stored, and what is on its way there.
    change: Option<Change>,
    storing: Option<Change>,
}

impl Follower {
    pub(super) fn new(lifetime: Lifetime, items: Vec<u32>) -> Self {
        Self {
            lifetime,
            items,
            stored: BatchState::Signed,
            recheck: false,
            needs_history: false,
            sent_ms: None,
            is_known: true,
            landed: None,
            past_end: None,
            searched_at: 0,
            absent: false,
            looking: false,
            looked_ms: None,
            change: None,
            storing: None,
        }
    }

    /// Whether it is known to have landed well.
    pub(super) fn is_confirmed(&self) -> bool {
        self.landed
            .is_some_and(|status| !status.has_failed && status.commitment >= Commitment::Confirmed)
    }

    /// Whether its end is known and only being stored.
    fn is_concluded(&self) -> bool {
        let changes = [&self.change, &self.storing];
        changes
            .into_iter()
            .flatten()
            .any(|change| change.state.is_final())
    }

    /// Whether it is stored, or about to be, that it came so far.
    fn says(&self, state: BatchState) -> bool {
        let changes = [&self.change, &self.storing];
        self.stored == state || changes.into_iter().flatten().any(|change| change.state == state)
    }

    /// Whether the node is to be asked to show it.
    fn is_to_be_shown(&self) -> bool {
        let is_final = self
            .landed
            .is_some_and(|status| status.commitment == Commitment::Finalized);
        let is_over = self.past_end.is_some() || self.last_valid().is_none();
        !self.is_concluded() && (is_final || self.absent || (self.recheck && is_over))
    }

    fn last_valid(&self) -> Option<u64> {
        match self.lifetime {
            Lifetime::Blockhash {
                last_valid_block_height,
            } => Some(last_valid_block_height),
            Lifetime::Nonce { .. } => None,
        }
    }

    /// Whether it may have landed so long ago that a history could begin after it.
    fn needs_history_start(&self) -> bool {
        let recent = self.last_valid().map(|last| last.saturating_add(RECENT_BLOCKS));
        let reached = self.past_end.map(|tip| tip.block_height.max(self.searched_at));
        recent.is_some_and(|recent| reached.is_some_and(|reached| reached > recent))
    }

    fn history_reaches(&self, start: Option<u64>) -> bool {
        match (start, self.last_valid()) {
            _ if !self.needs_history_start() => true,
            (Some(start), _) if start <= FIRST_BLOCKS => true,
            (Some(start), Some(last)) => start <= last.saturating_sub(BLOCKHASH_LIFE_BLOCKS),
            _ => false,
        }
    }
}

impl Machine {
    pub(super) fn unconfirmed(&self) -> usize {
        let open = |follower: &&Follower| !follower.is_confirmed() && !follower.recheck;
        self.followers.values().filter(open).count()
    }

    /// Asks what is due about everything that is followed.
    pub(super) fn ask(&mut self, effects: &mut Vec<Effect>) {
        if self.followers.is_empty() {
            return;
        }
        self.send_again(effects);
        self.look_again(effects);
        self.store(effects);
        if self.searches_out == 0 && self.is_due(self.polled_ms, self.pace.poll_ms) {
            self.search(effects);
        }
        let waits = |follower: &Follower| {
            !follower.is_confirmed() && !follower.is_concluded() && follower.past_end.is_none()
        };
        if self.followers.values().any(waits) && self.is_due(self.tip_ms, self.pace.tip_ms) {
            self.tip_ms = Some(self.now_ms);
            effects.push(Effect::AskTip);
        }
        let start = self.history_start;
        let reaches = |follower: &Follower| follower.history_reaches(start);
        if !self.followers.values().all(reaches) && self.is_due(self.history_asked_ms, self.pace.tip_ms) {
            self.history_asked_ms = Some(self.now_ms);
            effects.push(Effect::AskHistoryStart);
        }
    }

    fn search(&mut self, effects: &mut Vec<Effect>) {
        self.polled_ms = Some(self.now_ms);
        let (mut recent, mut history) = (Vec::new(), Vec::new());
        for (batch, follower) in &mut self.followers {
            if follower.recheck || follower.is_concluded() {
                continue;
            }
            match follower.needs_history || follower.past_end.is_some() {
                true => history.push(*batch),
                false => recent.push(*batch),
            }
        }
        for (scope, batches) in [(SearchScope::Recent, recent), (SearchScope::History, history)] {
            for part in batches.chunks(MAX_SEARCH) {
                self.searches_out += 1;
                effects.push(Effect::Search {
                    scope,
                    batches: part.to_vec(),
                });
            }
        }
    }

    fn send_again(&mut self, effects: &mut Vec<Effect>) {
        let (now_ms, resend_ms) = (self.now_ms, self.pace.resend_ms);
        for (batch, follower) in &mut self.followers {
            let may_land =
                follower.landed.is_none() && follower.past_end.is_none() && !follower.is_concluded();
            // What was loaded is looked for first: it may have landed long ago.
            let is_due = follower
                .sent_ms
                .is_none_or(|at| now_ms.saturating_sub(at) >= resend_ms);
            if may_land && is_due && !follower.recheck && !follower.needs_history {
                follower.sent_ms = Some(now_ms);
                effects.push(Effect::Send { batch: *batch });
            }
        }
    }

    /// Asks to be shown what has an end by its status, or what is to be asked once more before its items are built again.
    fn look_again(&mut self, effects: &mut Vec<Effect>) {
        let (now_ms, again_ms) = (self.now_ms, self.pace.again_ms);
        for (batch, follower) in &mut self.followers {
            let is_due = follower
                .looked_ms
                .is_none_or(|at| now_ms.saturating_sub(at) >= again_ms);
            if follower.is_to_be_shown() && is_due && !follower.looking {
                follower.looking = true;
                follower.looked_ms = Some(now_ms);
                effects.push(Effect::Look { batch: *batch });
            }
        }
    }

    /// Stores what is to be stored. Of one transaction one change after the other, so that they come in their order.
    fn store(&mut self, effects: &mut Vec<Effect>) {
        let mut changes = Vec::new();
        for follower in self.followers.values_mut() {
            if follower.storing.is_none() && follower.change.is_some() {
                follower.storing = follower.change.take();
                changes.extend(follower.storing.clone());
            }
        }
        if !changes.is_empty() {
            effects.push(Effect::Store(changes));
        }
    }

    pub(super) fn follow(&mut self, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Accepted { batch } => {
                if let Some(follower) = self.followers.get_mut(&batch) {
                    let is_news = follower.stored == BatchState::Signed && follower.storing.is_none();
                    if is_news && follower.change.is_none() {
                        follower.change = Some(Change::new(batch, BatchState::Sent));
                    }
                }
            }
            // A refusal proves nothing: another node, or this one earlier, may have taken it.
            Event::NotAccepted { cause, .. } => self.last_cause = cause,
            Event::Found {
                scope,
                context_slot,
                found,
            } => {
                self.searches_out = self.searches_out.saturating_sub(1);
                for (batch, status) in found {
                    match status {
                        Some(status) => self.found(batch, status),
                        None => self.absent(batch, scope, context_slot),
                    }
                }
                self.look_again(effects);
                self.store(effects);
            }
            Event::NotFound { cause } => {
                self.searches_out = self.searches_out.saturating_sub(1);
                self.followers
                    .values_mut()
                    .for_each(|follower| follower.is_known = false);
                self.last_cause = cause;
            }
            Event::Looked { batch, landing } => {
                self.looked(batch, landing);
                self.store(effects);
            }
            Event::NotLooked { batch, cause } => {
                if let Some(follower) = self.followers.get_mut(&batch) {
                    follower.looking = false;
                }
                self.last_cause = cause;
            }
            Event::Tip(tip) => self.tip(tip, effects),
            Event::NoTip { cause } => self.last_cause = cause,
            Event::HistoryStart { block_height } => {
                self.answered_ms = self.now_ms;
                self.history_start = Some(block_height);
            }
            Event::Stored(changes) => {
                changes.into_iter().for_each(|change| self.stored(&change));
                self.store(effects);
            }
            Event::NotStored { batches, cause } => {
                for batch in batches {
                    if let Some(follower) = self.followers.get_mut(&batch) {
                        let again = follower.storing.take();
                        follower.change = follower.change.take().or(again);
                    }
                }
                self.last_cause = cause;
            }
            Event::Hint if self.searches_out == 0 => self.search(effects),
            _ => {}
        }
    }

    fn found(&mut self, batch: u32, status: Status) {
        self.answered_ms = self.now_ms;
        let Some(follower) = self.followers.get_mut(&batch) else {
            return;
        };
        follower.is_known = true;
        follower.absent = false;
        follower.needs_history = false;
        // Seen, but a fork without it may still win; a failure there is no end either.
        if status.commitment == Commitment::Processed || follower.is_concluded() {
            return;
        }
        if follower.landed.is_none() {
            self.moved_ms = self.now_ms;
        }
        follower.landed = Some(status);
        if !status.has_failed && !follower.says(BatchState::Confirmed) {
            follower.change = Some(Change {
                slot: Some(status.slot),
                ..Change::new(batch, BatchState::Confirmed)
            });
        }
    }

    /// A search found nothing. That is an end only past the last valid height, by a node that has reached that tip, in a
    /// history that reaches back far enough.
    fn absent(&mut self, batch: u32, scope: SearchScope, context_slot: u64) {
        let now_ms = self.now_ms;
        let Some(follower) = self.followers.get_mut(&batch) else {
            return;
        };
        follower.is_known = true;
        follower.absent = false;
        // A fork took it back; a node behind its slot cannot say so.
        if follower.landed.is_some_and(|status| status.slot <= context_slot) {
            follower.landed = None;
        }
        if scope == SearchScope::History {
            follower.needs_history = false;
        }
        let Some(tip) = follower.past_end else {
            self.answered_ms = now_ms;
            return;
        };
        // No block without a slot: so long after the tip was told, the history may have been cut meanwhile.
        let (was_recent, since) = (
            !follower.needs_history_start(),
            context_slot.saturating_sub(tip.slot),
        );
        follower.searched_at = follower.searched_at.max(tip.block_height.saturating_add(since));
        if was_recent && follower.needs_history_start() {
            self.history_start = None;
        }
        let start = self.history_start;
        if context_slot < tip.slot {
            self.last_cause =
                "the node that searched lags behind the one that told the block height".to_owned();
        } else if scope == SearchScope::History && !follower.history_reaches(start) {
            self.last_cause =
                "the node's history does not reach back to when the transaction could have landed".to_owned();
        } else if scope == SearchScope::History {
            follower.absent = follower.landed.is_none();
        }
    }

    /// The node showed it, or did not have it.
    fn looked(&mut self, batch: u32, landing: Option<Landing>) {
        let Some(follower) = self.followers.get_mut(&batch) else {
            return;
        };
        follower.looking = false;
        if follower.is_concluded() {
            return;
        }
        let is_success = landing.as_ref().is_some_and(|landing| landing.error.is_none());
        if follower.recheck && !is_success {
            // As is stored: its items go on.
            if let Some(follower) = self.followers.remove(&batch) {
                self.release(batch, &follower.items, usize::MAX);
            }
            self.answered_ms = self.now_ms;
            return;
        }
        follower.change = Some(match landing {
            Some(landing) => Change {
                state: match is_success {
                    true => BatchState::Finalized,
                    false => BatchState::Failed,
                },
                batch,
                slot: Some(landing.slot),
                error: landing.error,
                culprit: landing.culprit,
            },
            None if follower.absent => Change::new(batch, BatchState::Expired),
            None => {
                self.last_cause = "the node says that a transaction is final, and cannot show it".to_owned();
                return;
            }
        });
        self.answered_ms = self.now_ms;
        self.moved_ms = self.now_ms;
    }

    fn tip(&mut self, tip: ChainTip, effects: &mut Vec<Effect>) {
        self.answered_ms = self.now_ms;
        self.tip = Some(tip);
        let mut is_past = false;
        for follower in self.followers.values_mut() {
            let is_over = follower.last_valid().is_some_and(|last| tip.block_height > last);
            if is_over && follower.past_end.is_none() {
                follower.past_end = Some(tip);
                is_past = true;
            }
        }
        if is_past && self.searches_out == 0 {
            self.search(effects);
        }
    }

    /// The store has it: now what follows from it may be done.
    fn stored(&mut self, change: &Change) {
        let Some(follower) = self.followers.get_mut(&change.batch) else {
            return;
        };
        follower.stored = change.state;
        follower.storing = None;
        if !change.state.is_final() {
            return;
        }
        let Some(follower) = self.followers.remove(&change.batch) else {
            return;
        };
        self.moved_ms = self.now_ms;
        self.concluded(&follower.items, change);
    }

    /// What the end of a transaction means for its items.
    fn concluded(&mut self, items: &[u32], change: &Change) {
        let items = self.all_in(items, Place::Batch(change.batch));
        match change.state {
            BatchState::Finalized => {
                self.place(&items, Place::Done);
                let done = u64::try_from(items.len()).unwrap_or(u64::MAX);
                self.done_at_ms.push_back((self.now_ms, done));
            }
            BatchState::Failed => {
                match (change.culprit.filter(|one| items.contains(one)), items.as_slice()) {
                    (Some(culprit), _) => {
                        self.place(&[culprit], Place::Failed);
                        self.release(change.batch, &items, usize::MAX);
                    }
                    (None, [only]) => self.place(&[*only], Place::Failed),
                    (None, many) => self.release(change.batch, many, many.len().div_ceil(2)),
                }
            }
            BatchState::Expired => self.release(change.batch, &items, usize::MAX),
            BatchState::Signed | BatchState::Sent | BatchState::Confirmed => {}
        }
    }

    /// Puts those items of a transaction back to be built that are in it still.
    fn release(&mut self, batch: u32, items: &[u32], at_most: usize) {
        let items = self.all_in(items, Place::Batch(batch));
        if !items.is_empty() {
            self.requeue(&items, at_most.min(items.len()), 0);
        }
    }
}
