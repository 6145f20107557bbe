//! Distributions: SOL or a token from few wallets to many recipients, planned as one job.
//!
//! A plan is made from a request and from what the chain says, shown, and agreed to; only then is it a job, which
//! [`crate::jobs`] carries out. Nothing here signs or sends.

pub mod csv;
pub mod pack;
pub mod split;

/// The most payments of one distribution.
pub const MAX_RECIPIENTS: usize = 50_000;

/// The longest memo of a payment, in bytes.
pub const MAX_MEMO_BYTES: usize = crate::transfer::MAX_MEMO_BYTES;
