//! The time of one request and of each of its steps, told to the metrics and to the observer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use keyward_core::policy::Refusal;

use super::SigningStep;
use crate::error::SignError;
use crate::metrics::SigningOutcome;
use crate::store::IntentKind;
use crate::vault::OpenOptions;

/// Started with a request.
pub(super) struct Stopwatch<'a> {
    options: &'a OpenOptions,
    kind: IntentKind,
    began: Instant,
    /// When the last step was complete, in nanoseconds after the beginning.
    last_ns: AtomicU64,
}

impl<'a> Stopwatch<'a> {
    pub(super) fn start(options: &'a OpenOptions, kind: IntentKind) -> Self {
        Self {
            options,
            kind,
            began: Instant::now(),
            last_ns: AtomicU64::new(0),
        }
    }

    /// A step is complete.
    pub(super) fn step(&self, step: SigningStep) {
        let now = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let before = self.last_ns.swap(now, Ordering::Relaxed);
        let took = Duration::from_nanos(now.saturating_sub(before));
        self.options.metrics.signing_step(step, took);
        self.options.observer.step(step);
    }

    /// So many keys were used.
    pub(super) fn signed(&self, signatures: usize) {
        let count = u64::try_from(signatures).unwrap_or(u64::MAX);
        self.options.metrics.signatures_made(self.kind.as_str(), count);
    }

    /// The request is answered.
    pub(super) fn finish<T>(self, answer: Result<T, &SignError>) {
        let metrics = &self.options.metrics;
        let outcome = match answer {
            Ok(_) => SigningOutcome::Signed,
            Err(error) => {
                for reason in reasons(error) {
                    metrics.signing_refused(reason);
                }
                SigningOutcome::of(error)
            }
        };
        metrics.signing_finished(self.kind.as_str(), outcome, self.began.elapsed());
    }
}

/// The codes of an error, each once.
fn reasons(error: &SignError) -> Vec<&'static str> {
    match error {
        SignError::Refused { reasons } if !reasons.is_empty() => {
            let mut codes: Vec<_> = reasons.iter().map(Refusal::code).collect();
            codes.sort_unstable();
            codes.dedup();
            codes
        }
        other => vec![other.code()],
    }
}
