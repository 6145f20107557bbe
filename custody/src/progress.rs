//! Progress and cancellation of one long job.
//!
//! Progress is coalesced: a watcher sees the newest state, never a queue of old ones, so a slow screen cannot
//! slow the job down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

/// How far a job has come, in units of its own (wallets, entries).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgressState {
    /// Units finished so far.
    pub done: u64,
    /// Units in all; 0 until the job knows.
    pub total: u64,
}

/// A handle that a job reports to, and that anyone holding a clone can cancel the job by.
#[derive(Clone, Debug)]
pub struct Progress {
    sender: watch::Sender<ProgressState>,
    cancelled: Arc<AtomicBool>,
}

impl Progress {
    /// A handle at 0 of 0, not cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self {
            sender: watch::Sender::new(ProgressState::default()),
            cancelled: Arc::new(AtomicBool::new(false)),
        }
    }

    /// A receiver of the newest state.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<ProgressState> {
        self.sender.subscribe()
    }

    /// The newest state.
    #[must_use]
    pub fn state(&self) -> ProgressState {
        *self.sender.borrow()
    }

    /// Asks the job to stop at its next chunk; it then ends with an error and leaves nothing behind.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether [`Self::cancel`] was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Publishes a new state.
    pub fn report(&self, done: u64, total: u64) {
        self.sender.send_replace(ProgressState { done, total });
    }

    /// Adds to what is done, for several workers that report to one handle.
    pub(crate) fn advance(&self, by: u64) {
        self.sender
            .send_modify(|state| state.done = state.done.saturating_add(by));
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}
