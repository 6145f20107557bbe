//! Sweeps: collecting SOL and tokens from many wallets into one, and closing token accounts for their rent.
//!
//! A sweep is planned from what the chain says, shown, and agreed to; only then is it a job ([`crate::jobs`]), which carries
//! it out exactly once. What cannot be collected or closed is left out of the plan and told with its reason; it is never
//! tripped over. Nothing here signs or sends.
//!
//! SOL is drained to exactly zero: another wallet, the *sponsor*, pays the fee, so that the amount is the whole balance. It is
//! read when the transaction is built, and [`left()`] reads afterwards what is left.
//!
//! It does not burn, does not harvest fees that a token withholds, does not thaw, and knows no prices: a token is worth
//! collecting at any amount.
//!
//! Closing: <https://docs.rs/spl-token-interface>, and for what keeps an account open in Token-2022
//! <https://docs.rs/spl-token-2022-interface>.

mod build;
mod close;
mod collect;
mod error;
mod left;
mod plan;
mod recipient;
mod request;
mod skip;
mod survey;
#[cfg(test)]
mod tests;

pub(crate) use build::{Piece, Seen, TargetState, pieces};
pub(crate) use collect::{transfer_fee, transferable, unclosable};
pub use error::SweepError;
pub use left::{SweepLeft, left};
pub(crate) use plan::SweepOptions;
pub use plan::{SweepEstimate, SweepPlan, TokenTotal};
pub use request::{CloseRequest, Collect, ConsolidateRequest, Emptied, RentTo, WrappedSol};
pub use skip::{SkipReason, Skipped};
pub(crate) use survey::{Target, target_of};

/// The most wallets of one sweep.
pub const MAX_WALLETS: usize = 10_000;

/// The most items of one sweep: token accounts and balances.
pub const MAX_SWEPT: usize = crate::jobs::MAX_ITEMS;
