//! What the services count and time, told to whoever embeds them: signatures, refusals by reason, latencies, commits.
//!
//! [`Metrics`] is a small trait whose methods all do nothing by default. [`PrometheusMetrics`] collects in atomics and
//! renders the Prometheus text format. No HTTP server is here: the text is handed out.
//!
//! Whatever is handed to a method is a number or a word of a fixed list, the codes of [`CustodyError`] and [`SignError`]
//! among them: never an address, a name or anything that a request carries, so the series that a monitoring system keeps
//! are bounded, and nobody reads in them who signed for whom.

mod histogram;
mod prometheus;
mod words;

use std::time::Duration;

pub use prometheus::PrometheusMetrics;

use crate::error::{CustodyError, SignError};
use crate::signing::SigningStep;

/// How a request for signatures ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SigningOutcome {
    /// Every wallet of the vault that was asked for has signed, now or for an earlier request of the same bytes.
    Signed,
    /// Refused: by policy, a limit, a lock or a lockout, or since the bytes do not read.
    Refused,
    /// Authorised, and no valid signature came of it.
    Failed,
    /// The store or the audit log did not do its part.
    Error,
}

impl SigningOutcome {
    /// Every outcome, in the order of its declaration.
    pub const ALL: [Self; 4] = [Self::Signed, Self::Refused, Self::Failed, Self::Error];

    /// A stable word: `signed`, `refused`, `failed` or `error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Error => "error",
        }
    }

    pub(crate) fn of(error: &SignError) -> Self {
        match error {
            SignError::Failed { .. } => Self::Failed,
            SignError::Custody(error) if error.is_fault() => Self::Error,
            _ => Self::Refused,
        }
    }
}

/// What became of audit entries on their way to an [`AuditSink`](crate::AuditSink).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryFate {
    /// Committed by this handle's store; counted with and without a sink.
    Committed,
    /// The sink took them.
    Delivered,
    /// The queue was full: the sink is told of the gap.
    Dropped,
    /// The sink said that it failed, or panicked: it is told of the gap.
    Failed,
}

impl EntryFate {
    /// Every fate, in the order of its declaration.
    pub const ALL: [Self; 4] = [Self::Committed, Self::Delivered, Self::Dropped, Self::Failed];

    /// A stable word: `committed`, `delivered`, `dropped` or `failed`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Delivered => "delivered",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
        }
    }
}

/// Told what happens, as it happens, by the tasks that do it. No method may block or panic; each does nothing unless
/// overridden.
pub trait Metrics: Send + Sync {
    /// One request for signatures ended. `kind` is what was to be signed: `transaction`, `message`, `off-chain-message`,
    /// `sign-in`, `evm-transaction`, `evm-message` or `typed-data`. `took` is from the first look to the answer.
    fn signing_finished(&self, kind: &'static str, outcome: SigningOutcome, took: Duration) {
        let _ = (kind, outcome, took);
    }

    /// So many keys were used for a request that ended [`SigningOutcome::Signed`]; 0 where it was a repetition.
    fn signatures_made(&self, kind: &'static str, count: u64) {
        let _ = (kind, count);
    }

    /// One step of a request was completed, so long after the step before it. The first begins with the request; step
    /// [`SigningStep::Checked`] includes the wait for the write lock, [`SigningStep::Authorised`] the durable commit.
    fn signing_step(&self, step: SigningStep, took: Duration) {
        let _ = (step, took);
    }

    /// A request was not signed, for this reason: the error's code. Where policy has several, each is told once.
    fn signing_refused(&self, reason: &'static str) {
        let _ = reason;
    }

    /// A password or recovery key did not open the vault, or was not tried for a lockout: the error's code.
    fn unlock_failed(&self, reason: &'static str) {
        let _ = reason;
    }

    /// One commit of the store, of so many transactions at once. `took` is the COMMIT itself, in which durability is paid.
    fn committed(&self, transactions: u64, took: Duration) {
        let _ = (transactions, took);
    }

    /// A change could not be stored, for a reason of the store's own (see [`CustodyError::is_fault`]): its code.
    fn store_failed(&self, code: &'static str) {
        let _ = code;
    }

    /// What became of so many audit entries.
    fn audit_entries(&self, fate: EntryFate, count: u64) {
        let _ = (fate, count);
    }
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMetrics;

impl Metrics for NoMetrics {}

impl CustodyError {
    /// Whether it tells of trouble with the store, its log or the machine, which someone has to look after, and not of a
    /// request that was refused.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        matches!(
            self,
            Self::Damaged { .. }
                | Self::ReadOnly
                | Self::DiskFull
                | Self::Busy
                | Self::NewerSchema { .. }
                | Self::UnsupportedStore { .. }
                | Self::Unreachable { .. }
                | Self::AccessDenied { .. }
                | Self::OutcomeUnknown
                | Self::AuditUnwritable(_)
                | Self::AuditBroken { .. }
                | Self::Randomness
                | Self::Storage(_)
        )
    }
}
