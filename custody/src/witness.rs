//! Told of every commit by the store that made it: counts it, and hands its audit entries to the sink.
//!
//! A store calls [`Witness::committed`] once for each successful COMMIT, before it lets go of its write lock. So the entries
//! of one process come in the order of their sequence, and those of a caller that was cancelled meanwhile come as well.

use std::sync::Arc;
use std::time::Duration;

use crate::audit::ledger::LedgerRow;
use crate::error::CustodyError;
use crate::metrics::{EntryFate, Metrics, NoMetrics};
use crate::sink::Feed;
use crate::vault::OpenOptions;

/// Cheap to clone; never blocks.
#[derive(Clone)]
pub(crate) struct Witness {
    metrics: Arc<dyn Metrics>,
    feed: Option<Arc<Feed>>,
}

impl Witness {
    /// Starts the thread of the sink, if there is one.
    ///
    /// # Errors
    /// As [`Feed::start`].
    pub(crate) fn start(options: &OpenOptions) -> Result<Self, CustodyError> {
        let metrics = Arc::clone(&options.metrics);
        let feed = options
            .audit_sink
            .as_ref()
            .map(|sink| Feed::start(Arc::clone(sink), Arc::clone(&metrics), options.audit_queue))
            .transpose()?
            .map(Arc::new);
        Ok(Self { metrics, feed })
    }

    /// One that tells nobody: of a store that is only filled or brought up to date.
    pub(crate) fn silent() -> Self {
        Self {
            metrics: Arc::new(NoMetrics),
            feed: None,
        }
    }

    /// So many transactions were committed together, and these are their audit entries, by sequence.
    pub(crate) fn committed(&self, transactions: u64, took: Duration, entries: Vec<LedgerRow>) {
        self.metrics.committed(transactions, took);
        let count = entries.len() as u64; // usize has at most 64 bits
        if count > 0 {
            self.metrics.audit_entries(EntryFate::Committed, count);
        }
        if let Some(feed) = &self.feed {
            feed.push(entries);
        }
    }

    /// Lets the sink take what it was not given yet, for a while.
    pub(crate) async fn close(&self) {
        if let Some(feed) = &self.feed {
            feed.close().await;
        }
    }

    /// A change could not be stored.
    pub(crate) fn failed(&self, code: &'static str) {
        self.metrics.store_failed(code);
    }
}
