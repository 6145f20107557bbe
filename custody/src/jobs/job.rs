//! A job, its transactions, and how far it has come.

use std::fmt;
use std::str::FromStr;

use keyward_core::address::{Address, Blockhash, Signature};
use keyward_core::amount::Lamports;
use keyward_core::solana::Transaction;

use super::item::NewItem;
use crate::error::CustodyError;
use crate::fees::FeePolicy;
use crate::vault::random;

/// The id of one job: random, shown as 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub(crate) [u8; 16]);

impl JobId {
    /// A new one.
    ///
    /// # Errors
    /// [`CustodyError::Randomness`].
    pub fn random() -> Result<Self, CustodyError> {
        random().map(Self)
    }

    /// The id of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::encode(self.0))
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JobId({self})")
    }
}

impl FromStr for JobId {
    type Err = CustodyError;

    fn from_str(text: &str) -> Result<Self, CustodyError> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes)
            .map(|()| Self(bytes))
            .map_err(|_| CustodyError::invalid("job", "an id has 32 hex digits"))
    }
}

macro_rules! words {
    ($name:ident { $($one:ident = $word:literal,)* }) => {
        impl $name {
            /// Its stable word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$one => $word,)*
                }
            }

            pub(crate) fn from_stored(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$one),)*
                    _ => None,
                }
            }
        }
    };
}

/// What a job is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// Paying many.
    Distribution,
    /// Collecting from many.
    Consolidation,
    /// Closing accounts.
    Closing,
}
words!(JobKind { Distribution = "distribution", Consolidation = "consolidation", Closing = "closing", });

/// The version of the transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobFormat {
    /// Legacy transactions.
    Legacy,
    /// Version 1, where the cluster takes it.
    V1,
}
words!(JobFormat { Legacy = "legacy", V1 = "v1", });

/// Whether a job goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// It may be run.
    Open,
    /// Nothing new is signed until it is resumed; what was sent is followed.
    Paused,
    /// What was not signed was given up.
    Cancelled,
}
words!(JobState { Open = "open", Paused = "paused", Cancelled = "cancelled", });

/// A job about to be stored.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Its id.
    pub id: JobId,
    /// What it is for.
    pub kind: JobKind,
    /// A name for people, at most [`super::MAX_JOB_LABEL_CHARS`].
    pub label: String,
    /// The genesis hash of its network.
    pub network: String,
    /// The wallet that pays the fees.
    pub fee_payer: Address,
    /// The version of its transactions.
    pub format: JobFormat,
    /// What is offered above the cluster's fee.
    pub fee: FeePolicy,
    /// How the plan came about, as JSON; at most [`super::MAX_JOB_OPTIONS_BYTES`].
    pub options_json: String,
    /// What it does, in the order of their numbers.
    pub items: Vec<NewItem>,
    /// How items are packed: each item's number in exactly one group.
    pub groups: Vec<Vec<u32>>,
}

/// A stored job.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What it is for.
    pub kind: JobKind,
    /// A name for people.
    pub label: String,
    /// The genesis hash of its network.
    pub network: String,
    /// The wallet that pays the fees.
    pub fee_payer: Address,
    /// The version of its transactions.
    pub format: JobFormat,
    /// What is offered above the cluster's fee.
    pub fee: FeePolicy,
    /// How the plan came about, as JSON.
    pub options_json: String,
    /// Whether it goes on.
    pub state: JobState,
    /// How many items are in which state.
    pub counts: JobCounts,
    /// When it was stored, in milliseconds since the Unix epoch.
    pub created_ms: u64,
}

impl Job {
    /// Whether every item has its end.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.counts.planned == 0 && self.counts.in_flight == 0
    }
}

/// How many items are in which state. Together they are all items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// All of them.
    pub total: u64,
    /// To be done.
    pub planned: u64,
    /// Recorded, and perhaps sent: they may land.
    pub in_flight: u64,
    /// Landed.
    pub done: u64,
    /// Of those, in transactions that are not final yet.
    pub settling: u64,
    /// Failed.
    pub failed: u64,
    /// Given up.
    pub cancelled: u64,
    /// Nothing to do.
    pub skipped: u64,
    /// Lamports of landed items that move SOL.
    pub lamports_done: u128,
    /// Transactions recorded.
    pub batches: u64,
    /// Fees of the transactions that landed, in lamports, as they were computed when built.
    pub fees: u128,
}

/// Which jobs; the newest first.
#[derive(Clone, Debug)]
pub struct JobQuery {
    /// Only of this kind.
    pub kind: Option<JobKind>,
    /// Only those older than this one.
    pub before: Option<JobId>,
    /// How many, at most [`super::MAX_JOB_PAGE`].
    pub limit: u32,
}

impl Default for JobQuery {
    fn default() -> Self {
        Self {
            kind: None,
            before: None,
            limit: 100,
        }
    }
}

/// How long a transaction can land.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// Until this block height.
    Blockhash {
        /// The last block height at which it can land.
        last_valid_block_height: u64,
    },
    /// Until its nonce is used: never by height.
    Nonce {
        /// The nonce account.
        account: Address,
        /// The nonce that it is bound to.
        nonce: Blockhash,
    },
}

/// How far a transaction has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchState {
    /// Signed and recorded; perhaps not sent.
    Signed,
    /// Sent at least once.
    Sent,
    /// Landed, and not final yet.
    Confirmed,
    /// Landed for good: the end.
    Finalized,
    /// Failed on chain for good: the end.
    Failed,
    /// Proven not to have landed and unable to: the end.
    Expired,
}
words!(BatchState {
    Signed = "signed",
    Sent = "sent",
    Confirmed = "confirmed",
    Finalized = "finalized",
    Failed = "failed",
    Expired = "expired",
});

impl BatchState {
    /// Whether nothing can follow.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Finalized | Self::Failed | Self::Expired)
    }
}

/// A recorded transaction of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its number in the job, from 1 on.
    pub number: u32,
    /// Its signature.
    pub signature: Signature,
    /// Its signed wire bytes.
    pub transaction: Vec<u8>,
    /// How long it can land.
    pub lifetime: Lifetime,
    /// What the cluster charges for it, with the priority fee.
    pub fee: Lamports,
    /// The items in it, in their order.
    pub items: Vec<BatchItem>,
    /// How far it has come.
    pub state: BatchState,
    /// The slot that it landed in.
    pub slot: Option<u64>,
    /// Why it failed.
    pub error: Option<String>,
    /// The item whose instruction failed, if the cluster says.
    pub culprit: Option<u32>,
    /// When it was recorded, in milliseconds since the Unix epoch.
    pub created_ms: u64,
}

/// An item of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchItem {
    /// Its number.
    pub item: u32,
    /// How much it moves, in base units.
    pub amount: u64,
    /// How many of the transaction's instructions are its own. They follow one another in the order of items, at the
    /// transaction's end.
    pub instructions: u32,
}

impl Batch {
    /// The item that an instruction of the transaction belongs to, by the instruction's place.
    #[must_use]
    pub fn item_of(&self, instruction: usize) -> Option<u32> {
        let all = Transaction::decode(&self.transaction)
            .ok()?
            .message
            .instructions
            .len();
        item_of(&self.items, all, instruction)
    }
}

/// The item that an instruction belongs to, of so many.
pub(crate) fn item_of(items: &[BatchItem], all: usize, instruction: usize) -> Option<u32> {
    let own = |item: &BatchItem| usize::try_from(item.instructions).unwrap_or(usize::MAX);
    let mut end = all.checked_sub(items.iter().map(own).sum())?;
    if instruction < end {
        return None;
    }
    items.iter().find_map(|item| {
        end = end.saturating_add(own(item));
        (instruction < end).then_some(item.item)
    })
}

/// How a running job is doing. Meant for a screen: steps in between may be missed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobProgress {
    /// Items in all.
    pub total: u64,
    /// Landed.
    pub done: u64,
    /// Signed or sent, and answered for.
    pub in_flight: u64,
    /// Signed or sent, and nobody can say at the moment what became of them.
    pub unknown: u64,
    /// Failed.
    pub failed: u64,
    /// Given up, or with nothing to do.
    pub left_out: u64,
    /// Items that landed in the last minute of this run.
    pub rate_per_minute: u64,
    /// How long it will take at this rate, in milliseconds, if that can be said.
    pub left_ms: Option<u64>,
    /// What it waits for, in words for the person; empty while it does not wait.
    pub waiting: String,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    /// Every item has its end.
    Done,
    /// The job is paused or cancelled, and everything that was sent has its end.
    Stopped,
    /// Nothing more can be signed now, and everything that was sent has its end.
    Held {
        /// Why: the vault is locked, or policy refuses.
        reason: String,
    },
    /// The end of some transactions is unknown for now: nobody gave a usable answer for long.
    Unknown {
        /// What the last question failed with.
        cause: String,
    },
}
