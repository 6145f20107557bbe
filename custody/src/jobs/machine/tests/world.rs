//! A chain, a store and a network around the machine, all of them made of a few maps.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use keyward_core::address::{Address, Signature};
use keyward_core::amount::Lamports;

use crate::chain::{ChainTip, Commitment, SearchScope};
use crate::fees::FeePolicy;
use crate::jobs::driver::load;
use crate::jobs::keeping::follows;
use crate::jobs::machine::*;
use crate::jobs::{
    Batch, BatchItem, BatchState, ItemAction, ItemState, JobFormat, JobId, JobItem, JobKind, JobOutcome,
    JobState, Lifetime, NewItem,
};
use crate::store::jobs::{Decision, ItemFacts, JobRow, JobRun, LastBatch};

/// How many blocks a blockhash lives in this world.
pub(super) const LIFE_BLOCKS: u64 = 6;
/// How many blocks it takes until one is final.
const FINAL_BLOCKS: u64 = 3;
const BLOCK_MS: u64 = 400;

pub(super) fn pace() -> Pace {
    Pace {
        in_flight: 8,
        ..Pace::default()
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    pub(super) groups: Vec<Vec<u32>>,
    pub(super) fails_to_simulate: Vec<u32>,
    pub(super) fails_on_chain: Vec<u32>,
    /// Whether the node says which instruction failed.
    pub(super) names_culprit: bool,
}

/// What goes wrong. Chances are in percent.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    /// These batches are never taken by the cluster.
    pub(super) lost_batches: Vec<u32>,
    /// These land, and a fork takes that back once and for all.
    pub(super) forked_batches: Vec<u32>,
    /// How many blocks a transaction takes to land.
    pub(super) landing_blocks: u64,
    /// No status of what landed is ever told.
    pub(super) hides_status: bool,
    /// Everything is called final.
    pub(super) invents_finality: bool,
    /// How many slots after the tip was told histories are searched.
    pub(super) searched_later: u64,
    /// Where the node's history begins by then.
    pub(super) history_start: u64,
    pub(super) lost: u64,
    pub(super) unanswered: u64,
    pub(super) lags: u64,
    pub(super) forks: u64,
    pub(super) hides: u64,
    pub(super) shuffles: bool,
}

impl Faults {
    pub(super) fn random(seed: u64) -> Self {
        let mut random = Random(seed);
        Self {
            landing_blocks: random.below(LIFE_BLOCKS),
            lost: random.below(60),
            unanswered: random.below(40),
            lags: random.below(40),
            forks: random.below(20),
            hides: random.below(30),
            shuffles: random.below(2) == 1,
            ..Self::default()
        }
    }
}

/// SplitMix64.
#[derive(Debug, Clone)]
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end.max(1)
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

#[derive(Debug, Clone, Copy)]
struct Landed {
    height: u64,
    culprit: Option<u32>,
}

/// What outlives every process: the chain, and the store.
#[derive(Debug)]
pub(super) struct World {
    plan: Plan,
    faults: Faults,
    random: Random,
    now_ms: u64,
    height: u64,
    /// What the cluster has and has not put into a block, by batch, with the height at which it will.
    pool: BTreeMap<u32, u64>,
    landed: BTreeMap<u32, Landed>,
    gone: BTreeSet<u32>,
    state: JobState,
    decisions: BTreeMap<u32, Decision>,
    batches: Vec<Batch>,
    is_locked: bool,
    most_under_way: usize,
}

/// One process.
struct Process {
    machine: Machine,
    todo: VecDeque<Effect>,
    tasks: BTreeMap<u64, Vec<u32>>,
}

impl World {
    pub(super) fn new(plan: Plan, faults: Faults, seed: u64) -> Self {
        Self {
            plan,
            faults,
            random: Random(seed ^ 0x1234_5678),
            now_ms: 0,
            height: 100,
            pool: BTreeMap::new(),
            landed: BTreeMap::new(),
            gone: BTreeSet::new(),
            state: JobState::Open,
            decisions: BTreeMap::new(),
            batches: Vec::new(),
            is_locked: false,
            most_under_way: 0,
        }
    }

    /// One process from its start to its end, or to its death after so many steps; how many it took.
    pub(super) fn live(&mut self, death: Option<usize>) -> (usize, Option<JobOutcome>) {
        let mut process = self.start();
        let mut steps = 0;
        loop {
            if death.is_some_and(|death| steps >= death) {
                return (steps, None);
            }
            steps += 1;
            assert!(steps < 200_000, "it never ends: {self:#?}");
            if let Some(outcome) = self.step(&mut process) {
                return (steps, Some(outcome));
            }
        }
    }

    /// Two processes that take turns, until both have ended.
    pub(super) fn live_together(&mut self) {
        let mut processes = [Some(self.start()), Some(self.start())];
        for _ in 0..400_000 {
            let at = self.random.below(2) as usize;
            if let Some(process) = &mut processes[at]
                && self.step(process).is_some()
            {
                processes[at] = None;
            }
            if processes.iter().all(Option::is_none) {
                return;
            }
        }
        panic!("they never end");
    }

    fn start(&mut self) -> Process {
        let mut machine = Machine::new(&self.load(), pace());
        let todo = machine.handle(Event::Start { now_ms: self.now_ms });
        Process {
            machine,
            todo: todo.into(),
            tasks: BTreeMap::new(),
        }
    }

    /// One effect performed and its event handled; or, with nothing to do, some time.
    fn step(&mut self, process: &mut Process) -> Option<JobOutcome> {
        let at = match self.faults.shuffles {
            true => self.random.below(process.todo.len() as u64) as usize,
            false => 0,
        };
        // What ends a run comes after what it ends.
        let at = match process.todo.get(at) {
            Some(Effect::Finish(_)) => 0,
            _ => at,
        };
        let event = match process.todo.remove(at) {
            Some(Effect::Finish(outcome)) => return Some(outcome),
            Some(effect) => self.perform(process, effect),
            None => {
                self.pass(200);
                Some(Event::Tick { now_ms: self.now_ms })
            }
        };
        if let Some(event) = event {
            process.todo.extend(process.machine.handle(event));
        }
        let open = self
            .batches
            .iter()
            .filter(|batch| matches!(batch.state, BatchState::Signed | BatchState::Sent));
        self.most_under_way = self.most_under_way.max(open.count());
        self.check();
        None
    }

    fn pass(&mut self, ms: u64) {
        let before = self.now_ms / BLOCK_MS;
        self.now_ms += ms;
        for _ in before..self.now_ms / BLOCK_MS {
            self.height += 1;
            self.fork();
            let height = self.height;
            let due: Vec<u32> = self
                .pool
                .iter()
                .filter(|(_, at)| **at <= height)
                .map(|(one, _)| *one)
                .collect();
            for number in due {
                self.pool.remove(&number);
                if height <= self.last_valid(number) && !self.landed.contains_key(&number) {
                    let culprit = self.culprit(number);
                    self.landed.insert(number, Landed { height, culprit });
                }
            }
        }
    }

    /// Takes back what is not final.
    fn fork(&mut self) {
        let final_height = self.final_height();
        let open: Vec<u32> = self
            .landed
            .iter()
            .filter(|(_, landed)| landed.height > final_height)
            .map(|(number, _)| *number)
            .collect();
        for number in open {
            let is_named =
                self.faults.forked_batches.contains(&number) && self.landed[&number].height < self.height;
            if is_named || self.random.chance(self.faults.forks) {
                self.landed.remove(&number);
                if is_named || self.random.chance(50) {
                    self.gone.insert(number);
                } else {
                    self.pool.insert(number, self.height + 1);
                }
            }
        }
    }

    fn final_height(&self) -> u64 {
        self.height - FINAL_BLOCKS
    }

    fn batch(&self, number: u32) -> &Batch {
        &self.batches[number as usize - 1]
    }

    fn last_valid(&self, number: u32) -> u64 {
        match self.batch(number).lifetime {
            Lifetime::Blockhash {
                last_valid_block_height,
            } => last_valid_block_height,
            Lifetime::Nonce { .. } => u64::MAX,
        }
    }

    fn culprit(&self, number: u32) -> Option<u32> {
        let items = self.batch(number).items.iter().map(|item| item.item);
        items
            .into_iter()
            .find(|item| self.plan.fails_on_chain.contains(item))
    }

    fn perform(&mut self, process: &mut Process, effect: Effect) -> Option<Event> {
        Some(match effect {
            Effect::Build { task, items } => match self.simulate(&items) {
                Ok(()) => {
                    process.tasks.insert(task, items);
                    Event::Built { task }
                }
                Err(why) => Event::NotBuilt { task, why },
            },
            Effect::Sign { task } => match self.is_locked {
                true => Event::NotSigned {
                    task,
                    why: NotSigned::Hold {
                        reason: "locked".to_owned(),
                    },
                },
                false => Event::Signed { task },
            },
            Effect::Record { task } => self.record(task, process.tasks.remove(&task).unwrap()),
            Effect::Forget { task } => {
                process.tasks.remove(&task);
                return None;
            }
            Effect::Send { batch } => self.send(batch),
            Effect::Search { scope, batches } => self.search(scope, &batches),
            Effect::Look { batch } => self.look(batch),
            Effect::AskTip => match self.answers() {
                false => Event::NoTip {
                    cause: "no answer".to_owned(),
                },
                true => Event::Tip(self.tip()),
            },
            Effect::AskHistoryStart => Event::HistoryStart {
                block_height: self.faults.history_start,
            },
            Effect::Store(changes) => {
                Event::Stored(changes.into_iter().map(|change| self.store(change)).collect())
            }
            Effect::Decide { verdict, items } => self.decide(verdict, &items),
            Effect::Pause { .. } => {
                self.state = JobState::Paused;
                return None;
            }
            Effect::Check => Event::Checked {
                state: self.state,
                last_batch: self.batches.len() as u32,
            },
            Effect::Reload => Event::Reloaded(Box::new(self.load())),
            Effect::Report(_) => return None,
            Effect::Finish(_) => unreachable!(),
        })
    }

    fn answers(&mut self) -> bool {
        let unanswered = self.faults.unanswered;
        !self.random.chance(unanswered)
    }

    fn simulate(&mut self, items: &[u32]) -> Result<(), NotBuilt> {
        if !self.answers() {
            let cause = "no answer".to_owned();
            return Err(NotBuilt::Unknown { cause });
        }
        let bad = items
            .iter()
            .find(|item| self.plan.fails_to_simulate.contains(item));
        match bad {
            None => Ok(()),
            Some(bad) => Err(NotBuilt::WouldFail {
                item: self.plan.names_culprit.then_some(*bad),
                reason: "bad".to_owned(),
            }),
        }
    }

    fn record(&mut self, task: u64, items: Vec<u32>) -> Event {
        let facts = self.facts();
        let is_planned = |item: &u32| facts[*item as usize].state() == ItemState::Planned;
        if self.state != JobState::Open || !items.iter().all(is_planned) {
            return Event::NotRecorded {
                task,
                why: NotRecorded::Moved,
            };
        }
        let number = self.batches.len() as u32 + 1;
        let lifetime = Lifetime::Blockhash {
            last_valid_block_height: self.height + LIFE_BLOCKS,
        };
        self.batches.push(Batch {
            number,
            signature: Signature::new([number as u8; 64]),
            transaction: Vec::new(),
            lifetime,
            fee: Lamports::new(5_000),
            items: items
                .into_iter()
                .map(|item| BatchItem {
                    item,
                    amount: 1,
                    instructions: 1,
                })
                .collect(),
            state: BatchState::Signed,
            slot: None,
            error: None,
            culprit: None,
            created_ms: 0,
        });
        // The commit may be done and nobody told so.
        if self.random.chance(self.faults.unanswered / 4) {
            return Event::NotRecorded {
                task,
                why: NotRecorded::Moved,
            };
        }
        Event::Recorded {
            task,
            batch: number,
            lifetime,
        }
    }

    fn send(&mut self, number: u32) -> Event {
        assert!((number as usize) <= self.batches.len(), "sent without a record");
        let is_lost = self.faults.lost_batches.contains(&number)
            || self.gone.contains(&number)
            || self.random.chance(self.faults.lost);
        if !is_lost && !self.landed.contains_key(&number) {
            let at = self.height
                + 1
                + self
                    .random
                    .below(self.faults.landing_blocks + 1)
                    .max(self.faults.landing_blocks / 2);
            let at = at.min(self.last_valid(number).max(self.height + 1));
            self.pool.entry(number).or_insert(at);
        }
        // An error says nothing about what became of it.
        match self.answers() {
            true => Event::Accepted { batch: number },
            false => Event::NotAccepted {
                batch: number,
                cause: "no answer".to_owned(),
            },
        }
    }

    /// The height that the answering node is at.
    fn view(&mut self) -> u64 {
        let lags = self.faults.lags;
        match self.random.chance(lags) {
            true => self.height - 1 - self.random.below(20),
            false => self.height,
        }
    }

    fn search(&mut self, scope: SearchScope, numbers: &[u32]) -> Event {
        if !self.answers() {
            return Event::NotFound {
                cause: "no answer".to_owned(),
            };
        }
        let view = self.view();
        let mut found = Vec::new();
        for number in numbers {
            let hides = self.faults.hides;
            let is_hidden = self.faults.hides_status || self.random.chance(hides);
            let landed = self
                .landed
                .get(number)
                .filter(|landed| landed.height <= view && !is_hidden);
            let is_forgotten = |landed: &&Landed| scope == SearchScope::History || landed.height + 60 > view;
            let status = landed.filter(is_forgotten).map(|landed| Status {
                slot: landed.height,
                commitment: match view - landed.height {
                    0 => Commitment::Processed,
                    depth if depth < FINAL_BLOCKS => Commitment::Confirmed,
                    _ => Commitment::Finalized,
                },
                has_failed: landed.culprit.is_some(),
            });
            let invented = Status {
                slot: view,
                commitment: Commitment::Finalized,
                has_failed: false,
            };
            found.push((
                *number,
                status.or(self.faults.invents_finality.then_some(invented)),
            ));
        }
        Event::Found {
            scope,
            context_slot: match scope {
                SearchScope::History => view + self.faults.searched_later,
                SearchScope::Recent => view,
            },
            found,
        }
    }

    fn look(&mut self, number: u32) -> Event {
        if !self.answers() {
            return Event::NotLooked {
                batch: number,
                cause: "no answer".to_owned(),
            };
        }
        let final_height = self.final_height();
        let landed = self
            .landed
            .get(&number)
            .filter(|landed| landed.height <= final_height);
        Event::Looked {
            batch: number,
            landing: landed.map(|landed| Landing {
                slot: landed.height,
                error: landed.culprit.map(|_| "failed".to_owned()),
                culprit: landed.culprit.filter(|_| self.plan.names_culprit),
            }),
        }
    }

    fn tip(&mut self) -> ChainTip {
        let view = self.view();
        ChainTip {
            slot: view - FINAL_BLOCKS,
            block_height: view - FINAL_BLOCKS,
        }
    }

    fn store(&mut self, mut change: Change) -> Change {
        let batch = &mut self.batches[change.batch as usize - 1];
        if follows(batch.state, change.state) {
            batch.state = change.state;
            batch.slot = change.slot;
            batch.error.clone_from(&change.error);
            batch.culprit = change.culprit;
        }
        change.state = batch.state;
        change
    }

    fn decide(&mut self, verdict: Verdict, items: &[(u32, String)]) -> Event {
        let facts = self.facts();
        let is_planned = |item: &u32| facts[*item as usize].state() == ItemState::Planned;
        let (items, moved): (Vec<u32>, Vec<u32>) = items.iter().map(|(item, _)| *item).partition(is_planned);
        let decision = match verdict {
            Verdict::Failed => Decision::Failed,
            Verdict::Skipped => Decision::Skipped,
        };
        self.decisions.extend(items.iter().map(|item| (*item, decision)));
        Event::Decided { items, moved }
    }

    fn facts(&self) -> Vec<ItemFacts> {
        let total = self.plan.groups.iter().flatten().count() as u32;
        let last = |item: u32| {
            let holds = |batch: &&Batch| batch.items.iter().any(|one| one.item == item);
            self.batches.iter().rev().find(holds).map(|batch| LastBatch {
                number: batch.number,
                signature: batch.signature,
                state: batch.state,
                slot: batch.slot,
                error: batch.error.clone(),
                culprit: batch.culprit,
                size: batch.items.len() as u32,
            })
        };
        (0..total)
            .map(|number| ItemFacts {
                number,
                decision: self.decisions.get(&number).copied().unwrap_or(Decision::Open),
                reason: None,
                released: 0,
                last: last(number),
            })
            .collect()
    }

    fn load(&self) -> Loaded {
        let facts = self.facts();
        let group_of = |item: u32| {
            self.plan
                .groups
                .iter()
                .position(|group| group.contains(&item))
                .unwrap() as u32
        };
        let items = facts
            .iter()
            .map(|facts| JobItem {
                new: NewItem {
                    number: facts.number,
                    source: Address::new([1; 32]),
                    recipient: Address::new([2; 32]),
                    amount: 1,
                    action: ItemAction::PaySol,
                    memo: None,
                },
                group: group_of(facts.number),
                state: facts.state(),
                batch: None,
                slot: None,
            })
            .collect();
        let wanted = JobRun::wanted(&facts);
        let run = JobRun {
            row: JobRow {
                id: JobId::new([0; 16]),
                kind: JobKind::Distribution,
                label: String::new(),
                network: String::new(),
                fee_payer: Address::new([1; 32]),
                format: JobFormat::Legacy,
                fee: FeePolicy::None,
                options: "{}".to_owned(),
                state: self.state,
                created_ms: 0,
            },
            items,
            batches: wanted
                .into_iter()
                .map(|number| self.batch(number).clone())
                .collect(),
            facts,
            last_batch: self.batches.len() as u32,
        };
        load::read(run).unwrap().0
    }

    /// How often each item is paid, by the chain as it stands.
    fn payments(&self) -> BTreeMap<u32, u32> {
        let mut payments = BTreeMap::new();
        for (number, landed) in &self.landed {
            if landed.culprit.is_none() {
                for item in &self.batch(*number).items {
                    *payments.entry(item.item).or_insert(0) += 1;
                }
            }
        }
        payments
    }

    fn check(&self) {
        for (item, times) in self.payments() {
            assert_eq!(times, 1, "item {item} is paid {times} times: {self:#?}");
        }
    }

    /// Every item paid once and stored so, or failed and stored so.
    pub(super) fn check_end(&self) {
        self.check();
        let payments = self.payments();
        for facts in self.facts() {
            let item = facts.number;
            let fails =
                self.plan.fails_to_simulate.contains(&item) || self.plan.fails_on_chain.contains(&item);
            let is_paid = payments.contains_key(&item);
            assert_eq!(is_paid, !fails, "item {item}: {self:#?}");
            match facts.state() {
                ItemState::Confirmed => assert!(is_paid, "item {item}: {self:#?}"),
                ItemState::Failed { .. } => assert!(fails, "item {item}: {self:#?}"),
                other => panic!("item {item} ended as {other:?}: {self:#?}"),
            }
        }
        assert_eq!(self.unfinished(), 0);
    }

    pub(super) fn unfinished(&self) -> usize {
        self.batches
            .iter()
            .filter(|batch| !batch.state.is_final())
            .count()
    }

    pub(super) fn recorded(&self) -> usize {
        self.batches.len()
    }

    pub(super) fn most_under_way(&self) -> usize {
        self.most_under_way
    }

    pub(super) fn stop_lying(&mut self) {
        self.faults.invents_finality = false;
        self.faults.lost_batches.clear();
    }

    pub(super) fn remember_all(&mut self) {
        self.faults.history_start = 0;
    }

    /// As somebody could who writes to the file.
    pub(super) fn call_expired(&mut self, number: u32) {
        let batch = &mut self.batches[number as usize - 1];
        batch.state = BatchState::Expired;
        batch.slot = None;
    }

    pub(super) fn pause(&mut self) {
        self.state = JobState::Paused;
    }

    pub(super) fn resume(&mut self) {
        self.state = JobState::Open;
    }

    pub(super) fn lock(&mut self, is_locked: bool) {
        self.is_locked = is_locked;
    }
}
