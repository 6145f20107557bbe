//! What decisions about jobs rest on and come to, and the questions that both databases are asked alike.
//!
//! How far an item has come is not stored: it follows from its decision and from the last transaction that it was in. The
//! same rule stands here twice, in [`ItemFacts::state`] and in [`STATE`](state_sql); the contract suite holds one to the other.

use keyward_core::address::{Address, Blockhash, Signature};
use keyward_core::amount::Lamports;

use crate::error::CustodyError;
use crate::fees::FeePolicy;
use crate::jobs::{
    BatchItem, BatchState, ItemFilter, ItemState, JobFormat, JobId, JobItem, JobKind, JobState, Lifetime,
    NewItem, NewJob,
};
use crate::store::columns::{parse_address, parse_signature, unsigned};

/// What is asked about a job.
#[derive(Clone, Debug)]
pub(crate) struct JobAsk {
    pub(crate) id: JobId,
    pub(crate) items: ItemsAsk,
    /// These transactions of it.
    pub(crate) batches: Vec<u32>,
    /// Whether a transaction of this signature is recorded, by any job.
    pub(crate) signature: Option<Signature>,
}

/// Which of a job's items.
#[derive(Clone, Debug)]
pub(crate) enum ItemsAsk {
    None,
    These(Vec<u32>),
    All,
}

/// A job, as a decision sees it.
#[derive(Clone, Debug)]
pub(crate) struct JobFacts {
    pub(crate) row: JobRow,
    pub(crate) items: Vec<ItemFacts>,
    /// The number of its last transaction; 0 before the first.
    pub(crate) last_batch: u32,
    /// The transactions asked for, as far as they are there.
    pub(crate) batches: Vec<BatchFacts>,
    /// Whether the signature asked for is recorded.
    pub(crate) has_signature: bool,
}

/// A row of `distributions`.
#[derive(Clone, Debug)]
pub(crate) struct JobRow {
    pub(crate) id: JobId,
    pub(crate) kind: JobKind,
    pub(crate) label: String,
    pub(crate) network: String,
    pub(crate) fee_payer: Address,
    pub(crate) format: JobFormat,
    pub(crate) fee: FeePolicy,
    pub(crate) options: String,
    pub(crate) state: JobState,
    pub(crate) created_ms: u64,
}

/// How a transaction of a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BatchFacts {
    pub(crate) number: u32,
    pub(crate) signature: Signature,
    pub(crate) state: BatchState,
    pub(crate) slot: Option<u64>,
    /// How many items are in it.
    pub(crate) items: usize,
}

/// An item, as a decision sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ItemFacts {
    pub(crate) number: u32,
    pub(crate) decision: Decision,
    pub(crate) reason: Option<String>,
    pub(crate) released: u32,
    /// The last transaction that it was in.
    pub(crate) last: Option<LastBatch>,
}

/// The last transaction of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastBatch {
    pub(crate) number: u32,
    pub(crate) signature: Signature,
    pub(crate) state: BatchState,
    pub(crate) slot: Option<u64>,
    pub(crate) error: Option<String>,
    pub(crate) culprit: Option<u32>,
    /// How many items are in it.
    pub(crate) size: u32,
}

/// What was decided about an item apart from transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Open,
    Failed,
    Cancelled,
    Skipped,
}

impl Decision {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
        }
    }

    fn from_stored(text: &str) -> Option<Self> {
        [Self::Open, Self::Failed, Self::Cancelled, Self::Skipped]
            .into_iter()
            .find(|decision| decision.as_str() == text)
    }
}

impl ItemFacts {
    /// How far it has come.
    pub(crate) fn state(&self) -> ItemState {
        let reason = || self.reason.clone().unwrap_or_default();
        match self.decision {
            Decision::Failed => return ItemState::Failed { reason: reason() },
            Decision::Cancelled => return ItemState::Cancelled,
            Decision::Skipped => return ItemState::Skipped { reason: reason() },
            Decision::Open => {}
        }
        let Some(last) = &self.last else {
            return ItemState::Planned;
        };
        match last.state {
            BatchState::Signed => ItemState::Signed,
            BatchState::Sent => ItemState::Sent,
            BatchState::Confirmed | BatchState::Finalized => ItemState::Confirmed,
            BatchState::Failed if last.number > self.released && self.is_blamed(last) => ItemState::Failed {
                reason: last.error.clone().unwrap_or_default(),
            },
            BatchState::Failed | BatchState::Expired => ItemState::Planned,
        }
    }

    /// Whether it is the one that a failed transaction failed because of.
    fn is_blamed(&self, last: &LastBatch) -> bool {
        match last.culprit {
            Some(culprit) => culprit == self.number,
            None => last.size == 1,
        }
    }

    /// The most items that it may be together with in its next transaction: fewer than in one that failed without a culprit.
    pub(crate) fn at_most(&self) -> Option<u32> {
        let last = self.last.as_ref()?;
        (last.state == BatchState::Failed && last.culprit.is_none()).then(|| last.size.div_ceil(2))
    }
}

/// A change of a job.
#[derive(Debug)]
pub(crate) enum JobWrite {
    New(Box<NewJob>),
    State {
        job: JobId,
        state: JobState,
    },
    Batch(Box<NewBatch>),
    BatchState {
        job: JobId,
        batch: u32,
        state: BatchState,
        slot: Option<u64>,
        error: Option<String>,
        culprit: Option<u32>,
    },
    /// The items are decided on.
    Decide {
        job: JobId,
        items: Vec<(u32, Option<String>)>,
        decision: Decision,
    },
    /// The items are tried again: transactions up to and with this one are not held against them.
    Release {
        job: JobId,
        items: Vec<u32>,
        through: u32,
    },
}

/// A signed transaction about to be recorded.
#[derive(Clone, Debug)]
pub(crate) struct NewBatch {
    pub(crate) job: JobId,
    pub(crate) number: u32,
    pub(crate) signature: Signature,
    pub(crate) transaction: Vec<u8>,
    pub(crate) lifetime: Lifetime,
    pub(crate) fee: Lamports,
    /// Its items, in their order.
    pub(crate) items: Vec<BatchItem>,
}

/// What a list of jobs and a job's own page count, from one group of items.
#[derive(Clone, Debug)]
pub(crate) struct StateCount {
    pub(crate) state: String,
    pub(crate) settling: bool,
    pub(crate) count: u64,
    /// Lamports of those that move SOL.
    pub(crate) lamports: u128,
}

/// All that is counted of a job's transactions.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BatchCount {
    pub(crate) all: u64,
    /// What those that landed cost, in lamports.
    pub(crate) fees: u128,
}

/// A job with its counts.
#[derive(Clone, Debug)]
pub(crate) struct CountedJob {
    pub(crate) row: JobRow,
    pub(crate) states: Vec<StateCount>,
    pub(crate) batches: BatchCount,
}

/// A job as a run begins with it.
#[derive(Clone, Debug)]
pub(crate) struct JobRun {
    pub(crate) row: JobRow,
    pub(crate) items: Vec<JobItem>,
    pub(crate) facts: Vec<ItemFacts>,
    /// The last transactions of items that are not at their end.
    pub(crate) batches: Vec<crate::jobs::Batch>,
    pub(crate) last_batch: u32,
}

impl JobRun {
    /// The transactions that a run has to know: unfinished ones, and those whose items are to be done again.
    pub(crate) fn wanted(facts: &[ItemFacts]) -> std::collections::BTreeSet<u32> {
        let open = |facts: &&ItemFacts| {
            let last = facts.last.as_ref();
            last.is_some_and(|last| !last.state.is_final()) || facts.state() == ItemState::Planned
        };
        let last = |facts: &ItemFacts| facts.last.as_ref().map(|last| last.number);
        facts.iter().filter(open).filter_map(last).collect()
    }
}

/// How far an item `t` has come whose last transaction is `b`.
macro_rules! state_sql {
    () => {
        "CASE WHEN t.decision <> 'open' THEN t.decision \
         WHEN b.batch IS NULL OR b.state = 'expired' THEN 'planned' \
         WHEN b.state IN ('signed', 'sent') THEN b.state \
         WHEN b.state IN ('confirmed', 'finalized') THEN 'confirmed' \
         WHEN b.batch <= t.released THEN 'planned' \
         WHEN b.culprit = t.item THEN 'failed' \
         WHEN b.culprit IS NULL AND \
              (SELECT COUNT(*) FROM batch_items s WHERE s.job_id = b.job_id AND s.batch = b.batch) = 1 THEN 'failed' \
         ELSE 'planned' END"
    };
}

/// Items with their last transactions.
macro_rules! items_sql {
    () => {
        "FROM transfers t \
         LEFT JOIN batch_items i ON i.job_id = t.job_id AND i.item = t.item AND i.batch = \
             (SELECT MAX(m.batch) FROM batch_items m WHERE m.job_id = t.job_id AND m.item = t.item) \
         LEFT JOIN batches b ON b.job_id = i.job_id AND b.batch = i.batch"
    };
}

macro_rules! facts_sql {
    () => {
        "t.item, t.decision, t.reason, t.released, b.batch, b.signature, b.state, b.slot, b.error, b.culprit, \
         (SELECT COUNT(*) FROM batch_items s WHERE s.job_id = b.job_id AND s.batch = b.batch)"
    };
}

macro_rules! batch_sql {
    () => {
        "SELECT batch, signature, wire_bytes, last_valid_block_height, nonce_account, nonce, fee, state, slot, error, \
         culprit, created_at FROM batches "
    };
}

/// Columns of a job, as [`JobRow`] has them.
pub(super) const JOB: &str = "SELECT job_id, kind, label, network, fee_payer, format, fee, options, state, created_at \
                              FROM distributions WHERE job_id = $1";
pub(super) const JOBS: &str = "SELECT job_id, kind, label, network, fee_payer, format, fee, options, state, created_at \
     FROM distributions WHERE ($1 = '' OR kind = $1) AND (CAST($2 AS INTEGER) = 0 OR (created_at, job_id) < \
     (SELECT p.created_at, p.job_id FROM distributions p WHERE p.job_id = $3)) ORDER BY created_at DESC, job_id DESC LIMIT $4";
/// By job and item; [`RawFacts`].
pub(super) const ITEM_FACTS: &str = concat!(
    "SELECT ",
    facts_sql!(),
    " ",
    items_sql!(),
    " WHERE t.job_id = $1 AND t.item = $2"
);
/// By job.
pub(super) const ALL_FACTS: &str = concat!(
    "SELECT ",
    facts_sql!(),
    " ",
    items_sql!(),
    " WHERE t.job_id = $1 ORDER BY t.item"
);
/// By job, item before, state (or `''`, or `'under-way'`, or `'left-out'`) and limit.
pub(super) const ITEMS: &str = concat!(
    "SELECT ",
    facts_sql!(),
    ", t.source, t.recipient, COALESCE(i.amount, t.amount), t.action, t.memo, t.group_number ",
    items_sql!(),
    " WHERE t.job_id = $1 AND t.item > $2 AND ($3 = '' OR ",
    state_sql!(),
    " = $3 OR ($3 = 'under-way' AND ",
    state_sql!(),
    " IN ('signed', 'sent')) OR ($3 = 'left-out' AND ",
    state_sql!(),
    " IN ('cancelled', 'skipped'))) ORDER BY t.item LIMIT $4"
);
/// By job: states, whether they settle, how many, lamports.
pub(super) const COUNTS: &str = concat!(
    "SELECT x.state, x.settling, COUNT(*), CAST(COALESCE(SUM(x.lamports), 0) AS TEXT) FROM (SELECT ",
    state_sql!(),
    " AS state, CASE WHEN b.state = 'confirmed' THEN 1 ELSE 0 END AS settling, \
     CASE WHEN t.action LIKE '{\"do\":\"pay-sol\"%' OR t.action LIKE '{\"do\":\"drain-sol\"%' \
          THEN CAST(COALESCE(i.amount, t.amount) AS BIGINT) ELSE 0 END AS lamports ",
    items_sql!(),
    " WHERE t.job_id = $1) x GROUP BY x.state, x.settling"
);
/// By job: how many transactions, and what those that landed cost.
pub(super) const BATCH_COUNT: &str = "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN state IN ('confirmed', 'finalized', 'failed') \
                                      THEN fee ELSE 0 END), 0) AS TEXT) FROM batches WHERE job_id = $1";
/// By job, transaction before, and limit.
pub(super) const BATCHES: &str = concat!(
    batch_sql!(),
    "WHERE job_id = $1 AND batch > $2 ORDER BY batch LIMIT $3"
);
/// By job and transaction.
pub(super) const BATCH: &str = concat!(batch_sql!(), "WHERE job_id = $1 AND batch = $2");
pub(super) const BATCH_ITEMS: &str =
    "SELECT item, amount, instructions FROM batch_items WHERE job_id = $1 AND batch = $2 ORDER BY item";
pub(super) const LAST_BATCH: &str = "SELECT COALESCE(MAX(batch), 0) FROM batches WHERE job_id = $1";
pub(super) const HAS_SIGNATURE: &str = "SELECT COUNT(*) FROM batches WHERE signature = $1";

pub(super) const INSERT_JOB: &str = "INSERT INTO distributions (job_id, kind, label, network, fee_payer, format, fee, \
     options, items, state, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', $10, $10)";
pub(super) const INSERT_ITEM: &str = "INSERT INTO transfers (job_id, item, source, recipient, amount, action, memo, \
     group_number, decision, reason, released) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', NULL, 0)";
pub(super) const INSERT_BATCH: &str = "INSERT INTO batches (job_id, batch, signature, wire_bytes, last_valid_block_height, \
     nonce_account, nonce, fee, state, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'signed', $9, $9)";
pub(super) const INSERT_BATCH_ITEM: &str =
    "INSERT INTO batch_items (job_id, batch, item, amount, instructions) VALUES ($1, $2, $3, $4, $5)";
pub(super) const DECIDE: &str =
    "UPDATE transfers SET decision = $3, reason = $4 WHERE job_id = $1 AND item = $2";
pub(super) const RELEASE: &str =
    "UPDATE transfers SET decision = 'open', reason = NULL, released = $3 WHERE job_id = $1 AND item = $2";

/// A filter as [`ITEMS`] takes it.
pub(super) fn filter_word(filter: ItemFilter) -> &'static str {
    match filter {
        ItemFilter::All => "",
        ItemFilter::Planned => "planned",
        ItemFilter::UnderWay => "under-way",
        ItemFilter::Done => "confirmed",
        ItemFilter::Failed => "failed",
        ItemFilter::LeftOut => "left-out",
    }
}

/// The packing, as each item's group.
pub(super) fn group_of(job: &NewJob) -> std::collections::HashMap<u32, u32> {
    let groups = (0_u32..).zip(&job.groups);
    groups
        .flat_map(|(group, items)| items.iter().map(move |item| (*item, group)))
        .collect()
}

/// An action as it is stored.
pub(super) fn action_text(item: &NewItem) -> Result<String, CustodyError> {
    serde_json::to_string(&item.action)
        .map_err(|error| CustodyError::invalid("action", format!("it cannot be stored: {error}")))
}

fn word<T>(column: &'static str, found: Option<T>) -> Result<T, CustodyError> {
    found.ok_or_else(|| CustodyError::damaged(format!("{column} holds an unknown word")))
}

fn number(column: &'static str, text: &str) -> Result<u64, CustodyError> {
    text.parse()
        .map_err(|_| CustodyError::damaged(format!("{column} is no amount")))
}

/// A job's columns as they come.
pub(super) struct RawJob {
    pub(super) id: [u8; 16],
    /// kind, label, network, fee payer, format, fee, options, state
    pub(super) texts: [String; 8],
    pub(super) created_ms: u64,
}

impl RawJob {
    pub(super) fn read(self) -> Result<JobRow, CustodyError> {
        let [kind, label, network, fee_payer, format, fee, options, state] = self.texts;
        Ok(JobRow {
            id: JobId(self.id),
            kind: word("distributions.kind", JobKind::from_stored(&kind))?,
            label,
            network,
            fee_payer: parse_address("distributions.fee_payer", &fee_payer)?,
            format: word("distributions.format", JobFormat::from_stored(&format))?,
            fee: fee
                .parse()
                .map_err(|_| CustodyError::damaged("distributions.fee is no fee policy"))?,
            options,
            state: word("distributions.state", JobState::from_stored(&state))?,
            created_ms: self.created_ms,
        })
    }
}

/// What [`ITEM_FACTS`] gives, as it comes.
pub(super) struct RawFacts {
    pub(super) item: i64,
    pub(super) decision: String,
    pub(super) reason: Option<String>,
    pub(super) released: i64,
    pub(super) batch: Option<i64>,
    pub(super) signature: Option<String>,
    pub(super) state: Option<String>,
    pub(super) slot: Option<i64>,
    pub(super) error: Option<String>,
    pub(super) culprit: Option<i64>,
    pub(super) size: i64,
}

impl RawFacts {
    pub(super) fn read(self) -> Result<ItemFacts, CustodyError> {
        let last = match (self.batch, self.signature, self.state) {
            (Some(batch), Some(signature), Some(state)) => Some(LastBatch {
                number: unsigned("batches.batch", batch)?,
                signature: parse_signature("batches.signature", &signature)?,
                state: word("batches.state", BatchState::from_stored(&state))?,
                slot: self.slot.map(|slot| unsigned("batches.slot", slot)).transpose()?,
                error: self.error,
                culprit: self
                    .culprit
                    .map(|culprit| unsigned("batches.culprit", culprit))
                    .transpose()?,
                size: unsigned("batch_items", self.size)?,
            }),
            _ => None,
        };
        Ok(ItemFacts {
            number: unsigned("transfers.item", self.item)?,
            decision: word("transfers.decision", Decision::from_stored(&self.decision))?,
            reason: self.reason,
            released: unsigned("transfers.released", self.released)?,
            last,
        })
    }
}

/// What [`ITEMS`] gives after the facts, as it comes.
pub(super) struct RawItem {
    pub(super) facts: RawFacts,
    /// source, recipient, amount, action
    pub(super) texts: [String; 4],
    pub(super) memo: Option<String>,
    pub(super) group: i64,
}

impl RawItem {
    pub(super) fn read(self) -> Result<JobItem, CustodyError> {
        let facts = self.facts.read()?;
        let [source, recipient, amount, action] = self.texts;
        Ok(JobItem {
            state: facts.state(),
            batch: facts.last.as_ref().map(|last| (last.number, last.signature)),
            slot: facts.last.as_ref().and_then(|last| last.slot),
            new: NewItem {
                number: facts.number,
                source: parse_address("transfers.source", &source)?,
                recipient: parse_address("transfers.recipient", &recipient)?,
                amount: number("transfers.amount", &amount)?,
                action: serde_json::from_str(&action)
                    .map_err(|_| CustodyError::damaged("transfers.action is no known action"))?,
                memo: self.memo,
            },
            group: unsigned("transfers.group_number", self.group)?,
        })
    }
}

/// What [`BATCHES`] gives, as it comes.
pub(super) struct RawBatch {
    pub(super) number: i64,
    pub(super) signature: String,
    pub(super) transaction: Vec<u8>,
    pub(super) last_valid: Option<i64>,
    pub(super) nonce_account: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) fee: i64,
    pub(super) state: String,
    pub(super) slot: Option<i64>,
    pub(super) error: Option<String>,
    pub(super) culprit: Option<i64>,
    pub(super) created_ms: u64,
}

impl RawBatch {
    /// Its items come apart.
    pub(super) fn read(self, items: Vec<(i64, String, i64)>) -> Result<crate::jobs::Batch, CustodyError> {
        let lifetime = match (self.last_valid, &self.nonce_account, &self.nonce) {
            (Some(last), None, None) => Lifetime::Blockhash {
                last_valid_block_height: unsigned("batches.last_valid_block_height", last)?,
            },
            (None, Some(account), Some(nonce)) => Lifetime::Nonce {
                account: parse_address("batches.nonce_account", account)?,
                nonce: Blockhash::new(*parse_address("batches.nonce", nonce)?.as_bytes()),
            },
            _ => return Err(CustodyError::damaged("a transaction of a job has no lifetime")),
        };
        Ok(crate::jobs::Batch {
            number: unsigned("batches.batch", self.number)?,
            signature: parse_signature("batches.signature", &self.signature)?,
            transaction: self.transaction,
            lifetime,
            fee: Lamports::new(unsigned("batches.fee", self.fee)?),
            items: items
                .iter()
                .map(|(item, amount, instructions)| {
                    Ok(BatchItem {
                        item: unsigned("batch_items.item", *item)?,
                        amount: number("batch_items.amount", amount)?,
                        instructions: unsigned("batch_items.instructions", *instructions)?,
                    })
                })
                .collect::<Result<_, CustodyError>>()?,
            state: word("batches.state", BatchState::from_stored(&self.state))?,
            slot: self.slot.map(|slot| unsigned("batches.slot", slot)).transpose()?,
            error: self.error,
            culprit: self
                .culprit
                .map(|culprit| unsigned("batches.culprit", culprit))
                .transpose()?,
            created_ms: self.created_ms,
        })
    }
}

/// A sum as the databases spell it.
pub(super) fn sum(column: &'static str, text: &str) -> Result<u128, CustodyError> {
    text.parse()
        .map_err(|_| CustodyError::damaged(format!("the sum over {column} is no number")))
}
