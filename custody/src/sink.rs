//! Whoever wants every audit entry as it is committed: a log shipper, an alarm, a second copy.
//!
//! The database's log is the record; a sink is told of it and cannot hold it up. An entry is handed on after the commit that
//! it is part of, never before, from a queue with a bound and on a thread of its own. What the queue has no room for, or the
//! sink fails to take, is counted ([`EntryFate`]) and told to the sink as a gap, with its sequences, in
//! its place; it can be read from the database ([`Custody::audit_entries`](crate::Custody::audit_entries)).
//!
//! The sink sees what was committed through one opened store, its handles and their clones together, in the order of the
//! sequence. Entries of other processes on the same vault are not among them: their sequences are missing in between. When
//! the process ends without [`Custody::close`](crate::Custody::close), what is queued is lost to the sink. So is what was stored
//! by a commit that nobody heard the end of: its caller was cancelled in the middle of it, or a database server's answer
//! never came ([`CustodyError::OutcomeUnknown`]). So a sink that
//! must have everything compares sequences, and begins by reading on from the last one that it has.
//!
//! [`CustodyError::OutcomeUnknown`]: crate::CustodyError::OutcomeUnknown

mod queue;

use std::error::Error as StdError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use keyward_core::audit::AuditEntry;
use tokio::sync::watch;

use crate::audit::ledger::LedgerRow;
use crate::error::{CustodyError, StorageError};
use crate::metrics::{EntryFate, Metrics};
use queue::{Next, Queue};

/// How many entries wait for a slow sink unless the builder says otherwise.
pub const DEFAULT_SINK_QUEUE: usize = 10_000;

/// The longest queue that can be asked for.
pub const MAX_SINK_QUEUE: usize = 1_000_000;

/// How long [`Custody::close`](crate::Custody::close) waits for the sink to take what is queued.
const CLOSING: Duration = Duration::from_secs(5);

/// Why a sink did not take what it was given; it is written to the program's log.
pub type SinkError = Box<dyn StdError + Send + Sync>;

/// An audit entry exactly as it was committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedEntry {
    /// The entry.
    pub entry: AuditEntry,
    /// Its leaf in the log's tree, by which it can be held against a checkpoint.
    pub leaf_hash: [u8; 32],
}

/// Entries that were committed and that the sink was not given, or did not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissedEntries {
    /// How many; between the first and the last there may be entries of other processes.
    pub count: u64,
    /// Sequence of the first.
    pub first: u64,
    /// Sequence of the last.
    pub last: u64,
}

impl MissedEntries {
    fn one(sequence: u64) -> Self {
        Self {
            count: 1,
            first: sequence,
            last: sequence,
        }
    }

    /// This gap and one that comes after it.
    fn and(self, later: Self) -> Self {
        Self {
            count: self.count.saturating_add(later.count),
            first: self.first,
            last: later.last,
        }
    }
}

/// Told of every committed audit entry, by one thread of its own, one call at a time. It may block: nothing waits for it but
/// its own queue. A panic counts as an error.
pub trait AuditSink: Send + Sync {
    /// Some entries, at least one, in the order of their sequence.
    ///
    /// # Errors
    /// Whatever kept it from taking them, all of them: they are not given again, but told as missed.
    fn write(&self, entries: &[CommittedEntry]) -> Result<(), SinkError>;

    /// Entries that were missed, told before any that come after them.
    ///
    /// # Errors
    /// As [`Self::write`]; the gap is told again then, grown by what was not given meanwhile.
    fn missed(&self, missed: MissedEntries) -> Result<(), SinkError>;
}

/// The store's end of the queue. Dropped, or closed, the sink's thread ends when it has emptied the queue.
pub(crate) struct Feed {
    queue: Arc<Queue>,
    metrics: Arc<dyn Metrics>,
    ended: watch::Receiver<bool>,
}

impl Feed {
    /// Starts the sink's thread.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for a queue of none or of more than [`MAX_SINK_QUEUE`]; [`CustodyError::Storage`] where
    /// the system has no thread to give.
    pub(crate) fn start(
        sink: Arc<dyn AuditSink>,
        metrics: Arc<dyn Metrics>,
        capacity: usize,
    ) -> Result<Self, CustodyError> {
        if !(1..=MAX_SINK_QUEUE).contains(&capacity) {
            return Err(CustodyError::invalid(
                "audit sink's queue",
                format!("1 to {MAX_SINK_QUEUE} entries"),
            ));
        }
        let queue = Arc::new(Queue::new(capacity));
        let (ending, ended) = watch::channel(false);
        let pump = Pump {
            sink,
            metrics: Arc::clone(&metrics),
            owed: None,
        };
        let source = Arc::clone(&queue);
        std::thread::Builder::new()
            .name("keyward-sink".to_owned())
            .spawn(move || {
                pump.run(&source);
                ending.send_replace(true);
            })
            .map_err(|error| {
                let text = "the audit sink's thread could not be started";
                CustodyError::Storage(StorageError::new(text, Some(Box::new(error))))
            })?;
        Ok(Self {
            queue,
            metrics,
            ended,
        })
    }

    /// Queues what was committed. Never waits for the sink.
    pub(crate) fn push(&self, entries: Vec<LedgerRow>) {
        let entries = entries.into_iter().map(|row| CommittedEntry {
            entry: row.entry,
            leaf_hash: row.leaf_hash,
        });
        let dropped = self.queue.push(entries);
        if dropped > 0 {
            self.metrics.audit_entries(EntryFate::Dropped, dropped);
        }
    }

    /// Lets the sink take what is queued, for a while, and ends its thread.
    pub(crate) async fn close(&self) {
        self.queue.close();
        let mut ended = self.ended.clone();
        if tokio::time::timeout(CLOSING, ended.wait_for(|ended| *ended))
            .await
            .is_err()
        {
            tracing::warn!("the audit sink did not take everything before the store was closed");
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// The sink's end of the queue.
struct Pump {
    sink: Arc<dyn AuditSink>,
    metrics: Arc<dyn Metrics>,
    /// What the sink is yet to be told of.
    owed: Option<MissedEntries>,
}

impl Pump {
    fn run(mut self, queue: &Queue) {
        while let Some(next) = queue.next() {
            match next {
                Next::Missed(missed) => {
                    self.owe(missed);
                    self.confess();
                }
                Next::Entries(entries) => self.hand(&entries),
            }
        }
        self.confess();
    }

    fn owe(&mut self, missed: MissedEntries) {
        self.owed = Some(self.owed.map_or(missed, |owed| owed.and(missed)));
    }

    fn hand(&mut self, entries: &[CommittedEntry]) {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return;
        };
        let count = entries.len() as u64; // usize has at most 64 bits
        // Whoever does not hear of a gap is not given what comes after it.
        let taken = self.confess() && self.call(|sink| sink.write(entries));
        let fate = if taken {
            EntryFate::Delivered
        } else {
            self.owe(MissedEntries {
                count,
                first: first.entry.sequence,
                last: last.entry.sequence,
            });
            EntryFate::Failed
        };
        self.metrics.audit_entries(fate, count);
    }

    /// Tells of what was missed, if anything was; whether there is nothing left to tell.
    fn confess(&mut self) -> bool {
        let Some(missed) = self.owed else {
            return true;
        };
        let told = self.call(|sink| sink.missed(missed));
        if told {
            self.owed = None;
        }
        told
    }

    fn call(&self, tell: impl FnOnce(&dyn AuditSink) -> Result<(), SinkError>) -> bool {
        // A sink that panicked half-way is as it is; it is asked again as after an error.
        match catch_unwind(AssertUnwindSafe(|| tell(&*self.sink))) {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the audit sink failed");
                false
            }
            Err(_) => {
                tracing::warn!("the audit sink panicked");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
