//! One transaction from its plan to its proven end, as a pure state machine.
//!
//! Events go in, effects come out; the driver performs them and answers with events. It has no clock, no node and no
//! key. What it guarantees, whatever the order of events:
//!
//! - it asks for a signature at most once, and never when resuming;
//! - it asks for nothing to be sent before the signed bytes are recorded;
//! - it says [`TransferResult::Expired`] only with proof: the finalized block height is past the last valid one (or the
//!   durable nonce that it lives by was finalized with another value), and after that a node that had reached that same tip
//!   searched its history, which reaches back to before the transaction could land, and found nothing;
//! - a failed question, a lagging node or an answer without history is *unknown*: it waits and asks again.

use keyward_core::address::Signature;

use super::{TransferProgress, TransferResult};
use crate::AttemptState;
use crate::chain::{ChainTip, Commitment, FIRST_BLOCKS, SearchScope, SignatureSearch};

/// How many blocks a blockhash is valid for. Used only to know how far back a history must reach; the cluster says when a
/// blockhash expires.
const BLOCKHASH_LIFE_BLOCKS: u64 = 151;
/// A node's recent cache holds about 300 slots. Proof this soon after expiry needs no look at how far its history reaches.
const RECENT_BLOCKS: u64 = 100;

/// How often to ask, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Between two questions for the status.
    pub poll_ms: u64,
    /// Between two sendings of the same bytes.
    pub resend_ms: u64,
    /// Between two questions for the finalized tip.
    pub tip_ms: u64,
    /// How long to go on without one usable answer before giving up for now.
    pub patience_ms: u64,
    /// How long to go on at all: a cluster that stands still neither confirms nor expires anything.
    pub total_ms: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll_ms: 500,
            resend_ms: 2_000,
            tip_ms: 2_000,
            patience_ms: 90_000,
            total_ms: 600_000,
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Begin. `now_ms` counts from anywhere, but never backwards.
    Start {
        /// The present.
        now_ms: u64,
    },
    /// The bytes are signed.
    Signed {
        /// Their signature.
        signature: Signature,
    },
    /// The signed bytes are durably recorded.
    Recorded,
    /// Time has passed.
    Tick {
        /// The present.
        now_ms: u64,
    },
    /// The node took the bytes.
    Accepted,
    /// The node did not take the bytes, or nobody knows whether it did.
    NotAccepted {
        /// Why.
        cause: String,
    },
    /// A subscription says that there is news.
    Hint,
    /// A search was answered.
    Found {
        /// How far it looked.
        scope: SearchScope,
        /// The answer.
        search: SignatureSearch,
    },
    /// The finalized tip was answered.
    Tip(ChainTip),
    /// The durable nonce still holds the value that the transaction lives by.
    NonceHeld,
    /// The durable nonce, as finalized at this slot, holds another value, or is gone.
    NonceGone {
        /// The height of the block in that slot.
        block_height: u64,
        /// The slot at which it was read.
        slot: u64,
    },
    /// How far back the history reaches was answered, as a block height.
    HistoryStart {
        /// The height of the first block in it.
        block_height: u64,
    },
    /// A question went unanswered.
    Unknown {
        /// Why.
        cause: String,
    },
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Sign the plan's bytes.
    Sign,
    /// Commit the signed bytes to the store.
    Record,
    /// Hand the recorded bytes to the node.
    Send,
    /// Look the signature up.
    Search(SearchScope),
    /// Read the finalized tip; of a transaction with a durable nonce, the finalized nonce.
    AskTip,
    /// Ask how far back the history reaches.
    AskHistoryStart,
    /// Store how far it has come.
    Store {
        /// The new state.
        state: AttemptState,
        /// The slot it landed in.
        slot: Option<u64>,
        /// Why it failed.
        error: Option<String>,
    },
    /// Tell the person.
    Report(TransferProgress),
    /// The end, proven.
    Finish(TransferResult),
    /// Give up for now; the end is unknown.
    GiveUp {
        /// What the last question failed with.
        cause: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing is signed.
    Planned,
    /// The signature was asked for.
    Signing,
    /// The record was asked for.
    Recording,
    /// Recorded: it may be sent, and may have been.
    Following,
    Ended,
}

/// The state of one transaction.
#[derive(Debug, Clone)]
pub struct Tracker {
    phase: Phase,
    pace: Pace,
    last_valid_block_height: u64,
    /// It lives by a durable nonce: the height above is the one at which it was prepared.
    durable: bool,
    signature: Option<Signature>,
    /// Whether the store knows that it was sent.
    stored_sent: bool,
    times_sent: u32,
    started_ms: u64,
    now_ms: u64,
    answered_ms: u64,
    polled_ms: u64,
    sent_ms: Option<u64>,
    tip_asked_ms: Option<u64>,
    /// The first finalized tip past the last valid height.
    past_end: Option<ChainTip>,
    history_start: Option<u64>,
    /// As high as the chain may have been when it was last searched for in vain.
    searched_at: u64,
    last_cause: String,
}

impl Tracker {
    /// Begins with a plan: nothing is signed yet.
    #[must_use]
    pub fn new(last_valid_block_height: u64, pace: Pace) -> Self {
        Self {
            phase: Phase::Planned,
            pace,
            last_valid_block_height,
            durable: false,
            signature: None,
            stored_sent: false,
            times_sent: 0,
            started_ms: 0,
            now_ms: 0,
            answered_ms: 0,
            polled_ms: 0,
            sent_ms: None,
            tip_asked_ms: None,
            past_end: None,
            history_start: None,
            searched_at: 0,
            last_cause: "no question was answered yet".into(),
        }
    }

    /// Goes on with a recorded attempt: never signs.
    #[must_use]
    pub fn resume(
        signature: Signature,
        state: AttemptState,
        last_valid_block_height: u64,
        pace: Pace,
    ) -> Self {
        let phase = if state.is_final() {
            Phase::Ended
        } else {
            Phase::Following
        };
        Self {
            phase,
            signature: Some(signature),
            stored_sent: state != AttemptState::Signed,
            ..Self::new(last_valid_block_height, pace)
        }
    }

    /// The same for a transaction that lives by a durable nonce: no block height ends it, and
    /// `last_valid_block_height` is the finalized one at which it was prepared, before which it cannot have landed.
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// Whether nothing can follow.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// Takes one event and says what to do. Events that do not fit the phase change nothing.
    pub fn handle(&mut self, event: Event) -> Vec<Effect> {
        match (self.phase, event) {
            (Phase::Ended, _) => Vec::new(),
            (Phase::Planned, Event::Start { now_ms }) => {
                self.begin(now_ms);
                self.phase = Phase::Signing;
                vec![Effect::Report(TransferProgress::Signing), Effect::Sign]
            }
            (Phase::Signing, Event::Signed { signature }) => {
                self.signature = Some(signature);
                self.phase = Phase::Recording;
                vec![Effect::Record]
            }
            (Phase::Recording, Event::Recorded) => {
                self.phase = Phase::Following;
                let mut effects = self.report(|signature| TransferProgress::Recorded { signature });
                effects.extend(self.send());
                effects
            }
            (Phase::Following, Event::Start { now_ms }) => {
                self.begin(now_ms);
                // Resuming: look first. It may have landed long ago.
                vec![Effect::Search(SearchScope::History), Effect::AskTip]
            }
            (Phase::Following, event) => self.follow(event),
            (_, Event::Tick { now_ms }) => {
                self.advance(now_ms);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn begin(&mut self, now_ms: u64) {
        self.started_ms = now_ms;
        self.now_ms = now_ms;
        self.answered_ms = now_ms;
        self.polled_ms = now_ms;
    }

    fn advance(&mut self, now_ms: u64) {
        self.now_ms = self.now_ms.max(now_ms);
    }

    fn follow(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Tick { now_ms } => self.tick(now_ms),
            Event::Accepted => {
                self.times_sent = self.times_sent.saturating_add(1);
                let times = self.times_sent;
                let mut effects = self.report(|signature| TransferProgress::Sent { signature, times });
                if !self.stored_sent {
                    self.stored_sent = true;
                    effects.push(Effect::Store {
                        state: AttemptState::Sent,
                        slot: None,
                        error: None,
                    });
                }
                effects
            }
            // A refusal proves nothing: another node, or this one earlier, may have taken it.
            Event::NotAccepted { cause } | Event::Unknown { cause } => {
                self.last_cause = cause;
                Vec::new()
            }
            Event::Hint => vec![Effect::Search(SearchScope::Recent)],
            Event::Found { scope, search } => self.found(scope, &search),
            Event::Tip(tip) => self.tip(tip),
            Event::NonceHeld => {
                self.answered_ms = self.now_ms;
                Vec::new()
            }
            Event::NonceGone { slot, block_height } => self.nonce_gone(slot, block_height),
            Event::HistoryStart { block_height } => {
                self.answered_ms = self.now_ms;
                self.history_start = Some(block_height);
                Vec::new()
            }
            Event::Start { .. } | Event::Signed { .. } | Event::Recorded => Vec::new(),
        }
    }

    fn tick(&mut self, now_ms: u64) -> Vec<Effect> {
        self.advance(now_ms);
        if self.since(self.answered_ms) >= self.pace.patience_ms
            || self.since(self.started_ms) >= self.pace.total_ms
        {
            self.phase = Phase::Ended;
            return vec![Effect::GiveUp {
                cause: self.last_cause.clone(),
            }];
        }
        let mut effects = Vec::new();
        if self.since(self.polled_ms) >= self.pace.poll_ms {
            self.polled_ms = self.now_ms;
            match self.past_end {
                Some(_) => effects.push(Effect::Search(SearchScope::History)),
                None => effects.push(Effect::Search(SearchScope::Recent)),
            }
        }
        if self.past_end.is_none() {
            if self
                .sent_ms
                .is_none_or(|at| self.since(at) >= self.pace.resend_ms)
            {
                effects.extend(self.send());
            }
            if self
                .tip_asked_ms
                .is_none_or(|at| self.since(at) >= self.pace.tip_ms)
            {
                self.tip_asked_ms = Some(self.now_ms);
                effects.push(Effect::AskTip);
            }
        } else if self.needs_history_start()
            && self
                .tip_asked_ms
                .is_none_or(|at| self.since(at) >= self.pace.tip_ms)
        {
            self.tip_asked_ms = Some(self.now_ms);
            effects.push(Effect::AskHistoryStart);
        }
        effects
    }

    fn since(&self, at_ms: u64) -> u64 {
        self.now_ms.saturating_sub(at_ms)
    }

    fn send(&mut self) -> Vec<Effect> {
        self.sent_ms = Some(self.now_ms);
        vec![Effect::Send]
    }

    fn tip(&mut self, tip: ChainTip) -> Vec<Effect> {
        self.answered_ms = self.now_ms;
        let is_past = !self.durable && tip.block_height > self.last_valid_block_height;
        if !is_past || self.past_end.is_some() {
            return Vec::new();
        }
        self.begin_proof(tip)
    }

    /// What a finalized nonce no longer holds can land in no later block; whether it has landed, the history tells.
    fn nonce_gone(&mut self, slot: u64, block_height: u64) -> Vec<Effect> {
        if !self.durable || self.past_end.is_some() {
            return Vec::new();
        }
        // Of a node that has not come to where the nonce was seen to hold the value, it is an earlier one.
        if block_height <= self.last_valid_block_height {
            self.last_cause =
                "the node that was asked for the nonce lags behind the one that it was read from".into();
            return Vec::new();
        }
        self.answered_ms = self.now_ms;
        // Of any age: so how far back the history reaches is always asked.
        self.begin_proof(ChainTip {
            slot,
            block_height: u64::MAX,
        })
    }

    fn begin_proof(&mut self, tip: ChainTip) -> Vec<Effect> {
        self.past_end = Some(tip);
        let mut effects = vec![Effect::Search(SearchScope::History)];
        if self.needs_history_start() {
            effects.insert(0, Effect::AskHistoryStart);
        }
        effects
    }

    /// Whether the transaction may have landed so long ago that a history could begin after it.
    fn needs_history_start(&self) -> bool {
        let recent = self.last_valid_block_height.saturating_add(RECENT_BLOCKS);
        let reached = self.past_end.map(|tip| tip.block_height.max(self.searched_at));
        self.history_start.is_none() && reached.is_some_and(|reached| reached > recent)
    }

    fn history_reaches(&self) -> bool {
        match self.history_start {
            None => !self.needs_history_start(),
            Some(start) if start <= FIRST_BLOCKS => true,
            // With a nonce it cannot have landed before that height.
            Some(start) if self.durable => start <= self.last_valid_block_height,
            Some(start) => start <= self.last_valid_block_height.saturating_sub(BLOCKHASH_LIFE_BLOCKS),
        }
    }

    fn found(&mut self, scope: SearchScope, search: &SignatureSearch) -> Vec<Effect> {
        self.polled_ms = self.now_ms;
        let Some(status) = &search.status else {
            return self.not_found(scope, search.context_slot);
        };
        self.answered_ms = self.now_ms;
        // Seen, but a fork without it may still win; a failure there is no end either.
        if status.commitment == Commitment::Processed {
            return Vec::new();
        }
        self.phase = Phase::Ended;
        let slot = status.slot;
        if let Some(error) = status.error.clone() {
            return vec![
                Effect::Store {
                    state: AttemptState::Failed,
                    slot: Some(slot),
                    error: Some(error.clone()),
                },
                Effect::Report(TransferProgress::Failed { error: error.clone() }),
                Effect::Finish(TransferResult::Failed { slot, error }),
            ];
        }
        let (state, progress) = match status.commitment {
            Commitment::Finalized => (AttemptState::Finalized, TransferProgress::Finalized { slot }),
            Commitment::Confirmed | Commitment::Processed => {
                (AttemptState::Confirmed, TransferProgress::Confirmed { slot })
            }
        };
        vec![
            Effect::Store {
                state,
                slot: Some(slot),
                error: None,
            },
            Effect::Report(progress),
            Effect::Finish(TransferResult::Confirmed { slot }),
        ]
    }

    fn not_found(&mut self, scope: SearchScope, context_slot: u64) -> Vec<Effect> {
        let Some(tip) = self.past_end else {
            self.answered_ms = self.now_ms;
            return Vec::new();
        };
        // No block without a slot: so long after the tip was told, the history may have been cut meanwhile.
        let since = context_slot.saturating_sub(tip.slot);
        self.searched_at = self.searched_at.max(tip.block_height.saturating_add(since));
        // This node may not have seen yet what the tip's node has.
        if context_slot < tip.slot {
            self.last_cause = "the node that searched lags behind the one that told the block height".into();
            return Vec::new();
        }
        if scope != SearchScope::History {
            return Vec::new();
        }
        if !self.history_reaches() {
            self.last_cause =
                "the node's history does not reach back to when the transaction could have landed".into();
            return Vec::new();
        }
        self.phase = Phase::Ended;
        vec![
            Effect::Store {
                state: AttemptState::Expired,
                slot: None,
                error: None,
            },
            Effect::Report(TransferProgress::Expired),
            Effect::Finish(TransferResult::Expired),
        ]
    }

    fn report(&self, make: impl Fn(Signature) -> TransferProgress) -> Vec<Effect> {
        self.signature
            .map(|signature| Effect::Report(make(signature)))
            .into_iter()
            .collect()
    }
}

#[cfg(test)]
mod tests;
