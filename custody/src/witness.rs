//! Told of every commit by the store that made it: counts it, and hands its audit entries to the sink.
//!
//! A store calls [`Witness::committed`] once for each successful COMMIT, before it lets go of its write lock. So the entries
//! of one process come in the order of their sequence, and those of a caller that was cancelled meanwhile come as well.

use std::sync::Arc;
use std::time::Duration;

use crate::audit::ledger::LedgerRow;
use crate::metrics::{EntryFate, Metrics};

/// Cheap to clone; never blocks.
#[derive(Clone)]
pub(crate) struct Witness {
    metrics: Arc<dyn Metrics>,
}

impl Witness {
    pub(crate) fn new(metrics: Arc<dyn Metrics>) -> Self {
        Self { metrics }
    }

    /// So many transactions were committed together, and these are their audit entries, by sequence.
    pub(crate) fn committed(&self, transactions: u64, took: Duration, entries: Vec<LedgerRow>) {
        self.metrics.committed(transactions, took);
        let count = entries.len() as u64; // usize has at most 64 bits
        if count > 0 {
            self.metrics.audit_entries(EntryFate::Committed, count);
        }
    }

    /// A change could not be stored.
    pub(crate) fn failed(&self, code: &'static str) {
        self.metrics.store_failed(code);
    }
}
