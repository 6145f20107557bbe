//! A whole job from its plan to its proven end, as a pure state machine.
//!
//! Events go in, effects come out; the driver performs them, many at once, and answers with events in any order. It has no
//! clock, no node, no store and no key. What it guarantees, whatever the order of events:
//!
//! - an item is in one task or one unfinished transaction at a time;
//! - nothing is sent before it is recorded, and what is sent is what was recorded;
//! - an end is said only with proof by two different questions: a success or a failure that is final by its status and that
//!   the node can show, an expiry as the tracker of single transfers knows it and whose transaction the node cannot show;
//! - an item is built again only after the end of its last transaction is stored;
//! - a failed question, a lagging node or an answer without history is *unknown*: it waits and asks again.

mod follow;
mod load;
mod progress;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use follow::Follower;
pub use follow::{Change, Landing, Status};
pub use load::{Loaded, LoadedBatch, LoadedItem, LoadedState};

use super::job::{JobOutcome, JobProgress, JobState, Lifetime};
use crate::chain::{ChainTip, SearchScope};

/// How often to ask, in milliseconds, and how much at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Between two questions for the states of what was sent.
    pub poll_ms: u64,
    /// Between two sendings of the same bytes.
    pub resend_ms: u64,
    /// Between two questions for the finalized tip.
    pub tip_ms: u64,
    /// Between two looks at what other processes did to the job.
    pub check_ms: u64,
    /// Before something is tried again that could not be done just now.
    pub again_ms: u64,
    /// How long to go on without one usable answer before giving up for now.
    pub patience_ms: u64,
    /// How long to go on while answers come and nothing moves.
    pub stall_ms: u64,
    /// How many transactions are built or signed at once: 1 and more.
    pub parallel: usize,
    /// How many transactions may be under way without being confirmed.
    pub in_flight: usize,
    /// How many may be followed in all, those included that are confirmed and not final.
    pub followed: usize,
    /// After how many items in a row that cannot be paid the job holds.
    pub failures: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll_ms: 500,
            resend_ms: 2_000,
            tip_ms: 2_000,
            check_ms: 3_000,
            again_ms: 1_000,
            patience_ms: 90_000,
            stall_ms: 600_000,
            parallel: 4,
            in_flight: 32,
            followed: 256,
            failures: 20,
        }
    }
}

/// How many times in a row no transaction can be made at all before the run ends.
const MAX_HOLDS: u32 = 3;

/// Why a transaction was not built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotBuilt {
    /// It is larger than a transaction may be.
    TooLarge,
    /// These items can never be done.
    Impossible(Vec<(u32, String)>),
    /// These items have nothing to do.
    Nothing(Vec<(u32, String)>),
    /// The simulation fails, and says because of which item if it knows.
    WouldFail {
        /// The item.
        item: Option<u32>,
        /// Why.
        reason: String,
    },
    /// No transaction of the job can be made now, for instance since the fee payer has nothing.
    Hold {
        /// Why.
        reason: String,
    },
    /// Nobody gave a usable answer.
    Unknown {
        /// Why.
        cause: String,
    },
}

/// Why a transaction was not signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSigned {
    /// Not now: a rate limit, for instance.
    Later {
        /// When to try again, in milliseconds from now.
        after_ms: u64,
        /// Why.
        cause: String,
    },
    /// Not while the vault is as it is: locked, or a wallet's password is missing.
    Hold {
        /// Why.
        reason: String,
    },
    /// Policy refuses these bytes.
    Refused {
        /// Its reasons.
        reason: String,
    },
}

/// Why a signed transaction was not recorded. Its bytes have never left the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRecorded {
    /// Another process took up one of its items, or the job is not as it was.
    Moved,
    /// The store could not.
    Trouble {
        /// Why.
        cause: String,
    },
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Begin. `now_ms` counts from anywhere, but never backwards.
    Start {
        /// The present.
        now_ms: u64,
    },
    /// Time has passed.
    Tick {
        /// The present.
        now_ms: u64,
    },
    /// The unsigned bytes are there, and their simulation succeeds.
    Built {
        /// Of this task.
        task: u64,
    },
    /// They are not.
    NotBuilt {
        /// Of this task.
        task: u64,
        /// Why.
        why: NotBuilt,
    },
    /// The bytes are signed.
    Signed {
        /// Of this task.
        task: u64,
    },
    /// They are not.
    NotSigned {
        /// Of this task.
        task: u64,
        /// Why.
        why: NotSigned,
    },
    /// The signed bytes are durably recorded.
    Recorded {
        /// Of this task.
        task: u64,
        /// As this transaction of the job.
        batch: u32,
        /// How long it can land.
        lifetime: Lifetime,
    },
    /// They are not.
    NotRecorded {
        /// Of this task.
        task: u64,
        /// Why.
        why: NotRecorded,
    },
    /// The node took the bytes.
    Accepted {
        /// Of this transaction.
        batch: u32,
    },
    /// The node did not take the bytes, or nobody knows whether it did.
    NotAccepted {
        /// Of this transaction.
        batch: u32,
        /// Why.
        cause: String,
    },
    /// A search was answered.
    Found {
        /// How far it looked.
        scope: SearchScope,
        /// The slot that the answering node had reached.
        context_slot: u64,
        /// What it found of each.
        found: Vec<(u32, Option<Status>)>,
    },
    /// A search was not answered.
    NotFound {
        /// Why.
        cause: String,
    },
    /// The node was asked to show a final transaction.
    Looked {
        /// This one.
        batch: u32,
        /// What it showed; none where it has none.
        landing: Option<Landing>,
    },
    /// It could not be asked.
    NotLooked {
        /// For this one.
        batch: u32,
        /// Why.
        cause: String,
    },
    /// The finalized tip was answered.
    Tip(ChainTip),
    /// It was not.
    NoTip {
        /// Why.
        cause: String,
    },
    /// How far back the history reaches was answered, as a block height.
    HistoryStart {
        /// The height of the first block in it.
        block_height: u64,
    },
    /// Changes were stored.
    Stored(Vec<Change>),
    /// They were not.
    NotStored {
        /// Of these transactions.
        batches: Vec<u32>,
        /// Why.
        cause: String,
    },
    /// What was decided about items is stored.
    Decided {
        /// These items ended so.
        items: Vec<u32>,
        /// These were not to be done any more.
        moved: Vec<u32>,
    },
    /// It is not.
    NotDecided {
        /// Of these items.
        items: Vec<u32>,
        /// Why.
        cause: String,
    },
    /// How the job stands in the store.
    Checked {
        /// Whether it goes on.
        state: JobState,
        /// The number of its last transaction.
        last_batch: u32,
    },
    /// The job was read again.
    Reloaded(Box<Loaded>),
    /// The job could not be looked at or read.
    NotChecked {
        /// Why.
        cause: String,
    },
    /// A subscription says that there is news.
    Hint,
}

/// What is decided about items without a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They fail.
    Failed,
    /// There is nothing to do.
    Skipped,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Build and simulate a transaction.
    Build {
        /// As this task.
        task: u64,
        /// For these items.
        items: Vec<u32>,
    },
    /// Sign what was built.
    Sign {
        /// By this task.
        task: u64,
    },
    /// Commit what was signed to the store.
    Record {
        /// By this task.
        task: u64,
    },
    /// Forget what a task built.
    Forget {
        /// This task.
        task: u64,
    },
    /// Hand recorded bytes to the node.
    Send {
        /// Of this transaction.
        batch: u32,
    },
    /// Look signatures up.
    Search {
        /// How far.
        scope: SearchScope,
        /// Of these transactions, at most 256.
        batches: Vec<u32>,
    },
    /// Ask the node to show a final transaction.
    Look {
        /// This one.
        batch: u32,
    },
    /// Read the finalized tip.
    AskTip,
    /// Ask how far back the history reaches.
    AskHistoryStart,
    /// Store how far transactions have come.
    Store(Vec<Change>),
    /// Store what is decided about items.
    Decide {
        /// How they end.
        verdict: Verdict,
        /// Which, each with the reason.
        items: Vec<(u32, String)>,
    },
    /// Pause the job: a person has to see to it.
    Pause {
        /// Why.
        reason: String,
    },
    /// Look whether the job goes on, and whether others recorded transactions.
    Check,
    /// Read the job again.
    Reload,
    /// Tell the person.
    Report(JobProgress),
    /// The end of this run.
    Finish(JobOutcome),
}

/// Where an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// To be built, or waiting for a look at what became of its last transaction.
    Waiting,
    /// Being built, signed or recorded.
    Task,
    /// In a transaction that is followed.
    Batch(u32),
    /// Its end is being stored.
    Deciding,
    Done,
    Failed,
    LeftOut,
}

#[derive(Debug, Clone)]
struct Cell {
    group: u32,
    place: Place,
    /// How many times a simulation failed because of it.
    doubts: u32,
}

/// Items to be built together.
#[derive(Debug, Clone)]
struct Entry {
    items: Vec<u32>,
    not_before_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Building,
    Signing,
    Recording,
}

#[derive(Debug, Clone)]
struct Task {
    items: Vec<u32>,
    phase: Phase,
}

/// A decision that is not stored yet.
#[derive(Debug, Clone)]
struct Undecided {
    verdict: Verdict,
    items: Vec<u32>,
}

/// Whether new transactions are made.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Course {
    Going,
    /// The job was paused or cancelled.
    Stopped,
    /// Something has to be seen to first.
    Held(String),
}

/// The state of one run of a job.
#[derive(Debug, Clone)]
pub struct Machine {
    pace: Pace,
    course: Course,
    ended: bool,
    items: BTreeMap<u32, Cell>,
    queue: VecDeque<Entry>,
    tasks: BTreeMap<u64, Task>,
    next_task: u64,
    followers: BTreeMap<u32, Follower>,
    undecided: Vec<Undecided>,
    last_batch: u32,
    /// Begin at the other end, since another process begins at this one.
    from_end: bool,
    failures_in_a_row: u32,
    /// How many times in a row no transaction could be made at all.
    holds_in_a_row: u32,
    history_start: Option<u64>,
    tip: Option<ChainTip>,
    now_ms: u64,
    answered_ms: u64,
    moved_ms: u64,
    polled_ms: Option<u64>,
    tip_ms: Option<u64>,
    checked_ms: u64,
    history_asked_ms: Option<u64>,
    searches_out: u32,
    last_cause: String,
    done_at_ms: VecDeque<(u64, u64)>,
    reported: JobProgress,
}

impl Machine {
    /// A run of a job as it stands in the store.
    #[must_use]
    pub fn new(loaded: &Loaded, pace: Pace) -> Self {
        let mut machine = Self {
            pace,
            course: Course::Going,
            ended: false,
            items: BTreeMap::new(),
            queue: VecDeque::new(),
            tasks: BTreeMap::new(),
            next_task: 0,
            followers: BTreeMap::new(),
            undecided: Vec::new(),
            last_batch: 0,
            from_end: false,
            failures_in_a_row: 0,
            holds_in_a_row: 0,
            history_start: None,
            tip: None,
            now_ms: 0,
            answered_ms: 0,
            moved_ms: 0,
            polled_ms: None,
            tip_ms: None,
            checked_ms: 0,
            history_asked_ms: None,
            searches_out: 0,
            last_cause: "no question was answered yet".to_owned(),
            done_at_ms: VecDeque::new(),
            reported: JobProgress::default(),
        };
        machine.take(loaded);
        machine
    }

    /// Whether nothing can follow.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Takes one event and says what to do. Events that no longer fit change nothing.
    pub fn handle(&mut self, event: Event) -> Vec<Effect> {
        if self.ended {
            return Vec::new();
        }
        let mut effects = Vec::new();
        match event {
            Event::Start { now_ms } => {
                self.now_ms = now_ms;
                self.answered_ms = now_ms;
                self.moved_ms = now_ms;
                self.checked_ms = now_ms;
                self.tick(&mut effects);
            }
            Event::Tick { now_ms } => {
                self.now_ms = self.now_ms.max(now_ms);
                if self.give_up(&mut effects) {
                    return effects;
                }
                self.tick(&mut effects);
            }
            Event::Built { task } => self.built(task, &mut effects),
            Event::NotBuilt { task, why } => self.not_built(task, why, &mut effects),
            Event::Signed { task } => self.signed(task, &mut effects),
            Event::NotSigned { task, why } => self.not_signed(task, why, &mut effects),
            Event::Recorded {
                task,
                batch,
                lifetime,
            } => self.recorded(task, batch, lifetime, &mut effects),
            Event::NotRecorded { task, why } => self.not_recorded(task, why, &mut effects),
            Event::Decided { items, moved } => {
                self.decided(&items);
                self.undecide(&moved);
                if !moved.is_empty() {
                    effects.push(Effect::Reload);
                }
            }
            Event::NotDecided { items, cause } => {
                self.undecide(&items);
                self.hold(cause);
            }
            Event::Checked { state, last_batch } => self.checked(state, last_batch, &mut effects),
            Event::Reloaded(loaded) => self.take(&loaded),
            Event::NotChecked { cause } => self.last_cause = cause,
            followed => self.follow(followed, &mut effects),
        }
        self.schedule(&mut effects);
        self.finish(&mut effects);
        effects
    }

    fn since(&self, at_ms: u64) -> u64 {
        self.now_ms.saturating_sub(at_ms)
    }

    fn is_due(&self, at_ms: Option<u64>, every_ms: u64) -> bool {
        at_ms.is_none_or(|at| self.since(at) >= every_ms)
    }

    fn tick(&mut self, effects: &mut Vec<Effect>) {
        self.ask(effects);
        if self.since(self.checked_ms) >= self.pace.check_ms {
            self.checked_ms = self.now_ms;
            effects.push(Effect::Check);
        }
        self.report(effects);
    }

    fn give_up(&mut self, effects: &mut Vec<Effect>) -> bool {
        let is_silent = self.since(self.answered_ms) >= self.pace.patience_ms;
        let is_still = self.since(self.moved_ms) >= self.pace.stall_ms;
        if !is_silent && !is_still {
            return false;
        }
        // What is being recorded must not be left alone: it would be followed by nobody until the next run.
        if self.tasks.values().any(|task| task.phase == Phase::Recording) {
            return false;
        }
        self.ended = true;
        let cause = match is_silent {
            true => self.last_cause.clone(),
            false => format!(
                "answers come and nothing moves; the last trouble: {}",
                self.last_cause
            ),
        };
        effects.push(Effect::Finish(JobOutcome::Unknown { cause }));
        true
    }

    /// Begins what may begin.
    fn schedule(&mut self, effects: &mut Vec<Effect>) {
        while self.course == Course::Going
            && self.tasks.len() < self.pace.parallel
            && self.tasks.len() + self.unconfirmed() < self.pace.in_flight
            && self.tasks.len() + self.followers.len() < self.pace.followed
        {
            let now_ms = self.now_ms;
            let is_ready = |entry: &Entry| entry.not_before_ms <= now_ms;
            let at = match self.from_end {
                false => self.queue.iter().position(is_ready),
                true => self.queue.iter().rposition(is_ready),
            };
            let Some(entry) = at.and_then(|at| self.queue.remove(at)) else {
                return;
            };
            let items = self.all_in(&entry.items, Place::Waiting);
            if items.is_empty() {
                continue;
            }
            self.place(&items, Place::Task);
            let task = self.next_task;
            self.next_task += 1;
            self.tasks.insert(
                task,
                Task {
                    items: items.clone(),
                    phase: Phase::Building,
                },
            );
            effects.push(Effect::Build { task, items });
        }
    }

    fn finish(&mut self, effects: &mut Vec<Effect>) {
        let is_busy = !self.tasks.is_empty() || !self.followers.is_empty() || !self.undecided.is_empty();
        let is_deciding = || self.items.values().any(|cell| cell.place == Place::Deciding);
        if self.ended || is_busy || is_deciding() {
            return;
        }
        let outcome = match &self.course {
            Course::Going if !self.queue.is_empty() => return,
            // Never so with what a store gives; and if it were, it would not be done.
            Course::Going | Course::Stopped if self.has_lost() => JobOutcome::Unknown {
                cause: "items are recorded in transactions that are not there".to_owned(),
            },
            Course::Going => JobOutcome::Done,
            Course::Stopped if !self.has_waiting() => JobOutcome::Done,
            Course::Stopped => JobOutcome::Stopped,
            Course::Held(reason) => JobOutcome::Held {
                reason: reason.clone(),
            },
        };
        self.ended = true;
        self.report(effects);
        effects.push(Effect::Finish(outcome));
    }

    fn has_lost(&self) -> bool {
        self.items
            .values()
            .any(|cell| matches!(cell.place, Place::Batch(_)))
    }

    fn has_waiting(&self) -> bool {
        self.items.values().any(|cell| cell.place == Place::Waiting)
    }

    fn all_in(&self, items: &[u32], place: Place) -> Vec<u32> {
        let is_there = |item: &&u32| self.items.get(item).is_some_and(|cell| cell.place == place);
        items.iter().filter(is_there).copied().collect()
    }

    fn place(&mut self, items: &[u32], place: Place) {
        for item in items {
            if let Some(cell) = self.items.get_mut(item) {
                cell.place = place;
            }
        }
    }

    /// Puts items back into the queue, at most so many together.
    fn requeue(&mut self, items: &[u32], at_most: usize, after_ms: u64) {
        self.place(items, Place::Waiting);
        for part in items.chunks(at_most.max(1)) {
            self.queue.push_back(Entry {
                items: part.to_vec(),
                not_before_ms: self.now_ms.saturating_add(after_ms),
            });
        }
    }

    /// A task, if it is in this phase.
    fn in_phase(&mut self, task: u64, phase: Phase) -> Option<&mut Task> {
        self.tasks.get_mut(&task).filter(|found| found.phase == phase)
    }

    /// Takes a task away, if it is in this phase.
    fn end_task(&mut self, task: u64, phase: Phase, effects: &mut Vec<Effect>) -> Option<Vec<u32>> {
        self.in_phase(task, phase)?;
        effects.push(Effect::Forget { task });
        self.tasks.remove(&task).map(|task| task.items)
    }

    fn built(&mut self, task: u64, effects: &mut Vec<Effect>) {
        self.answered_ms = self.now_ms;
        if self.course != Course::Going {
            if let Some(items) = self.end_task(task, Phase::Building, effects) {
                self.requeue(&items, items.len(), 0);
            }
        } else if let Some(found) = self.in_phase(task, Phase::Building) {
            found.phase = Phase::Signing;
            effects.push(Effect::Sign { task });
        }
    }

    fn not_built(&mut self, task: u64, why: NotBuilt, effects: &mut Vec<Effect>) {
        let Some(items) = self.end_task(task, Phase::Building, effects) else {
            return;
        };
        let again_ms = self.pace.again_ms;
        if !matches!(why, NotBuilt::Unknown { .. }) {
            self.answered_ms = self.now_ms;
        }
        match why {
            NotBuilt::Unknown { cause } => {
                self.last_cause = cause;
                self.requeue(&items, items.len(), again_ms);
            }
            NotBuilt::Hold { reason } => {
                self.requeue(&items, items.len(), again_ms);
                self.holds_in_a_row += 1;
                // Once may be a node that lags.
                match self.holds_in_a_row {
                    0..MAX_HOLDS => self.last_cause = reason,
                    _ => self.hold(reason),
                }
            }
            NotBuilt::TooLarge => match items.as_slice() {
                [only] => {
                    let reason = "it alone is larger than a transaction may be".to_owned();
                    self.decide(Verdict::Failed, vec![(*only, reason)], effects);
                }
                many => self.requeue(many, many.len().div_ceil(2), 0),
            },
            NotBuilt::Impossible(which) => self.without(&items, which, Verdict::Failed, effects),
            NotBuilt::Nothing(which) => self.without(&items, which, Verdict::Skipped, effects),
            NotBuilt::WouldFail { item, reason } => self.would_fail(&items, item, reason, effects),
        }
    }

    /// Decides some of a task's items, and puts back the others.
    fn without(
        &mut self,
        items: &[u32],
        which: Vec<(u32, String)>,
        verdict: Verdict,
        effects: &mut Vec<Effect>,
    ) {
        let (which, strange): (Vec<_>, Vec<_>) =
            which.into_iter().partition(|(item, _)| items.contains(item));
        let is_left = |item: &&u32| !which.iter().any(|(one, _)| one == *item);
        let left: Vec<u32> = items.iter().filter(is_left).copied().collect();
        // A composer that names nothing of what it was asked for would be asked for ever.
        if which.is_empty() || !strange.is_empty() {
            self.requeue(items, items.len(), 0);
            self.hold("a transaction's composer named items that are not in it".to_owned());
            return;
        }
        self.requeue(&left, left.len(), 0);
        self.decide(verdict, which, effects);
    }

    /// The simulation fails. Once may be a node that lags; twice because of the same item is the item's end.
    fn would_fail(&mut self, items: &[u32], item: Option<u32>, reason: String, effects: &mut Vec<Effect>) {
        let again_ms = self.pace.again_ms;
        let item = item.filter(|item| items.contains(item)).or(match items {
            [only] => Some(*only),
            _ => None,
        });
        self.last_cause.clone_from(&reason);
        let Some(item) = item else {
            self.requeue(items, items.len().div_ceil(2), again_ms);
            return;
        };
        let Some(cell) = self.items.get_mut(&item) else {
            return;
        };
        cell.doubts += 1;
        if cell.doubts < 2 {
            self.requeue(items, items.len(), again_ms);
            return;
        }
        self.failures_in_a_row += 1;
        if self.failures_in_a_row > self.pace.failures {
            self.requeue(items, items.len(), 0);
            self.hold(format!(
                "{} items in a row would fail, the last one with: {reason}",
                self.failures_in_a_row
            ));
            return;
        }
        let others: Vec<u32> = items.iter().filter(|one| **one != item).copied().collect();
        self.requeue(&others, others.len(), 0);
        self.decide(Verdict::Failed, vec![(item, reason)], effects);
    }

    fn decide(&mut self, verdict: Verdict, items: Vec<(u32, String)>, effects: &mut Vec<Effect>) {
        let numbers: Vec<u32> = items.iter().map(|(item, _)| *item).collect();
        self.place(&numbers, Place::Deciding);
        self.undecided.push(Undecided {
            verdict,
            items: numbers,
        });
        effects.push(Effect::Decide { verdict, items });
    }

    fn decided(&mut self, items: &[u32]) {
        self.moved_ms = self.now_ms;
        let is_stored = |item: &u32| items.contains(item);
        let mut ended = Vec::new();
        for one in &mut self.undecided {
            let place = match one.verdict {
                Verdict::Failed => Place::Failed,
                Verdict::Skipped => Place::LeftOut,
            };
            let stored = one.items.iter().filter(|item| is_stored(item));
            ended.extend(stored.map(|item| (*item, place)));
            one.items.retain(|item| !is_stored(item));
        }
        self.undecided.retain(|one| !one.items.is_empty());
        for (item, place) in ended {
            self.place(&[item], place);
        }
    }

    /// Puts items back whose decision was not stored.
    fn undecide(&mut self, items: &[u32]) {
        for one in &mut self.undecided {
            one.items.retain(|item| !items.contains(item));
        }
        self.undecided.retain(|one| !one.items.is_empty());
        let items = self.all_in(items, Place::Deciding);
        if !items.is_empty() {
            self.requeue(&items, items.len(), self.pace.again_ms);
        }
    }

    fn signed(&mut self, task: u64, effects: &mut Vec<Effect>) {
        if self.course != Course::Going {
            if let Some(items) = self.end_task(task, Phase::Signing, effects) {
                self.requeue(&items, items.len(), 0);
            }
        } else if let Some(found) = self.in_phase(task, Phase::Signing) {
            found.phase = Phase::Recording;
            effects.push(Effect::Record { task });
        }
    }

    fn not_signed(&mut self, task: u64, why: NotSigned, effects: &mut Vec<Effect>) {
        let Some(items) = self.end_task(task, Phase::Signing, effects) else {
            return;
        };
        match why {
            NotSigned::Later { after_ms, cause } => {
                self.last_cause = cause;
                // Waiting for a limit of this vault is no silence of the node's.
                self.answered_ms = self.now_ms.saturating_add(after_ms);
                self.moved_ms = self.now_ms.saturating_add(after_ms);
                self.requeue(&items, items.len(), after_ms.max(self.pace.again_ms));
            }
            NotSigned::Hold { reason } => {
                self.requeue(&items, items.len(), 0);
                self.hold(reason);
            }
            NotSigned::Refused { reason } => {
                let failed = items.iter().map(|item| (*item, reason.clone())).collect();
                self.decide(Verdict::Failed, failed, effects);
                effects.push(Effect::Pause {
                    reason: reason.clone(),
                });
                self.hold(reason);
            }
        }
    }

    fn recorded(&mut self, task: u64, batch: u32, lifetime: Lifetime, effects: &mut Vec<Effect>) {
        // Recorded is recorded, whatever else happened meanwhile.
        let Some(items) = self.end_task(task, Phase::Recording, effects) else {
            return;
        };
        self.moved_ms = self.now_ms;
        self.failures_in_a_row = 0;
        self.holds_in_a_row = 0;
        self.last_batch = self.last_batch.max(batch);
        self.place(&items, Place::Batch(batch));
        let mut follower = Follower::new(lifetime, items);
        follower.sent_ms = Some(self.now_ms);
        self.followers.insert(batch, follower);
        effects.push(Effect::Send { batch });
    }

    fn not_recorded(&mut self, task: u64, why: NotRecorded, effects: &mut Vec<Effect>) {
        let Some(items) = self.end_task(task, Phase::Recording, effects) else {
            return;
        };
        let again_ms = self.pace.again_ms;
        self.requeue(&items, items.len(), again_ms);
        match why {
            NotRecorded::Moved => {
                self.from_end = !self.from_end;
                effects.push(Effect::Reload);
            }
            NotRecorded::Trouble { cause } => self.last_cause = cause,
        }
    }

    fn checked(&mut self, state: JobState, last_batch: u32, effects: &mut Vec<Effect>) {
        match state {
            JobState::Open => {}
            JobState::Paused | JobState::Cancelled => {
                if self.course == Course::Going {
                    self.course = Course::Stopped;
                    effects.push(Effect::Reload);
                }
            }
        }
        if last_batch > self.last_batch {
            effects.push(Effect::Reload);
        }
    }

    /// Makes nothing new any more in this run; what was sent is followed.
    fn hold(&mut self, reason: String) {
        self.last_cause.clone_from(&reason);
        if self.course == Course::Going {
            self.course = Course::Held(reason);
        }
    }
}
