//! Jobs: many payments, sweeps or closings, each to be done exactly once, whatever dies on the way.
//!
//! A [`NewJob`] is a list of items and how they are packed into transactions. [`create_job`](crate::Custody::create_job) stores it;
//! [`run_job`](crate::Custody::run_job) builds, simulates, signs, records, sends and follows one transaction (a *batch*) for each group of
//! items until every item has a proven end. Dropping it, or killing the process, loses nothing: running the job again goes
//! on where it stood. Two processes may run one job at once.
//!
//! What holds:
//!
//! - signed bytes are committed to the store before they are sent, and only if every item of theirs is still to be done,
//!   which the store looks at under its write lock;
//! - an item is signed anew only after its last transaction is *proven* not to have landed and unable to: the finalized height
//!   is past its last valid one, and then a node that has reached that tip finds it neither by its status nor by itself;
//! - a failure counts once it is final; its items but the one that failed are paid in other transactions;
//! - a question without a usable answer is *unknown*, and nothing follows from it.
//!
//! See `docs/decisions/0023-one-engine-for-what-pays-many.md`.

mod adopt;
pub(crate) mod assemble;
pub mod compose;
mod driver;
mod error;
mod item;
mod job;
mod keeping;
pub mod machine;
pub mod reference;
mod signers;

pub(crate) use adopt::Adopted;
pub use error::JobError;
pub use item::{ItemAction, ItemCursor, ItemFilter, ItemState, JobItem, NewItem};
pub use job::{
    Batch, BatchItem, BatchState, Job, JobCounts, JobFormat, JobId, JobKind, JobOutcome, JobProgress,
    JobQuery, JobState, Lifetime, NewJob,
};
pub use signers::JobSigners;

/// The most items of one job.
pub const MAX_ITEMS: usize = 100_000;

/// The most items of one transaction.
pub const MAX_BATCH_ITEMS: usize = 255;

/// The most jobs, items or batches of one page.
pub const MAX_JOB_PAGE: u32 = 1_000;

/// The longest label of a job, in characters.
pub const MAX_JOB_LABEL_CHARS: usize = 100;

/// The longest options of a job, in bytes.
pub const MAX_JOB_OPTIONS_BYTES: usize = 65_536;
