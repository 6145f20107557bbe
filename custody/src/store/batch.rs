//! Group commit: one transaction, and one wait for the disk, for many callers.
//!
//! Callers take turns in the order in which they came. Who finds no open transaction begins one; who finds one adds to it,
//! behind a savepoint of its own. Whoever adds to it first with others waiting starts a task that takes its turn behind
//! them, commits for all, and tells each. A caller that is alone commits by itself, as if there were no groups.
//!
//! Here is who waits for whom. What a transaction and a savepoint are is the stores' matter. See
//! `docs/decisions/0013-one-commit-for-many.md`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use crate::audit::ledger::LedgerRow;
use crate::error::{CustodyError, StorageError};
use crate::store::Commit;

/// The most callers whose changes share one commit.
pub(super) const MAX_JOINED: usize = 256;

/// How far the caller whose turn it is has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Its savepoint is being made: nothing of it is there yet.
    Starting,
    /// Some of its changes may be there. Found so by the next one, they are those of a caller who was cancelled.
    Running,
    /// Nobody's turn, or all of it is there.
    Done,
}

/// An open transaction, and those whose changes are in it.
#[derive(Debug)]
pub(super) struct Batch {
    /// How durable its commit will be.
    pub(super) commit: Commit,
    pub(super) step: Step,
    /// Whether there is a savepoint that the next one's replaces.
    pub(super) has_savepoint: bool,
    /// What its callers appended to the log, in order.
    pub(super) entries: Vec<LedgerRow>,
    joined: Vec<oneshot::Sender<Result<(), CustodyError>>>,
}

impl Batch {
    /// One that is being begun, by its first caller.
    pub(super) fn new(commit: Commit) -> Self {
        Self {
            commit,
            step: Step::Running,
            has_savepoint: false,
            entries: Vec::new(),
            joined: Vec::new(),
        }
    }

    /// Whether nobody waits for it, but perhaps the caller whose turn it is.
    pub(super) fn is_empty(&self) -> bool {
        self.joined.is_empty()
    }

    /// How many callers' changes it holds, when it is complete. One alone does not wait in it.
    pub(super) fn callers(&self) -> u32 {
        u32::try_from(self.joined.len().max(1)).unwrap_or(u32::MAX)
    }

    /// Tells everyone what became of it.
    pub(super) fn tell(self, outcome: &Result<(), CustodyError>) {
        for caller in self.joined {
            // Whoever was cancelled is not there any more.
            let _ = caller.send(outcome.clone());
        }
    }

    /// One more caller, who is told through this.
    pub(super) fn join(&mut self) -> oneshot::Receiver<Result<(), CustodyError>> {
        let (tell, told) = oneshot::channel();
        self.joined.push(tell);
        told
    }
}

/// What writes, one caller at a time.
pub(super) trait Writer: Send + 'static {
    /// The open transaction.
    fn batch(&mut self) -> Option<&mut Batch>;

    /// Ends the open transaction, if there is one: undoes what a cancelled caller left, commits the rest, tells everyone.
    /// Where this itself is cancelled nobody is in it but the one who asks; it counts as ended, and the next transaction
    /// is begun only when whatever is left of it was undone.
    ///
    /// # Errors
    /// What everyone was told. It is rolled back then, or what became of it is not known.
    fn finish(&mut self) -> impl Future<Output = Result<(), CustodyError>> + Send;
}

/// The writer of a store, and those who wait for it.
pub(super) struct Group<W> {
    /// `None` once closed.
    writer: Arc<Mutex<Option<W>>>,
    waiting: Waiting,
    /// How many transactions have had a first caller.
    #[cfg(test)]
    commits: AtomicUsize,
}

/// How many callers wait for their turn.
#[derive(Debug, Default)]
struct Waiting {
    all: AtomicUsize,
    durable: AtomicUsize,
}

/// A place among those who wait.
struct Place<'a> {
    waiting: &'a Waiting,
    commit: Commit,
}

impl Waiting {
    fn enter(&self, commit: Commit) -> Place<'_> {
        self.all.fetch_add(1, Ordering::SeqCst);
        if commit == Commit::Durable {
            self.durable.fetch_add(1, Ordering::SeqCst);
        }
        Place {
            waiting: self,
            commit,
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.waiting.all.fetch_sub(1, Ordering::SeqCst);
        if self.commit == Commit::Durable {
            self.waiting.durable.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// A caller's turn.
pub(super) struct Turn<W> {
    guard: OwnedMutexGuard<Option<W>>,
    /// How durable a transaction that is begun now has to be: as somebody asks who will be in it.
    pub(super) commit: Commit,
}

impl<W: Writer> Turn<W> {
    /// What writes.
    ///
    /// # Errors
    /// [`CustodyError::Storage`] once it is closed.
    pub(super) fn writer(&mut self) -> Result<&mut W, CustodyError> {
        self.guard.as_mut().ok_or_else(closed)
    }

    /// Commits what is open already, so that this caller begins anew.
    pub(super) async fn apart(mut self) -> Result<Self, CustodyError> {
        self.guard = finished(self.guard).await?;
        Ok(self)
    }
}

impl<W: Writer> Group<W> {
    pub(super) fn new(writer: W) -> Self {
        Self {
            writer: Arc::new(Mutex::new(Some(writer))),
            waiting: Waiting::default(),
            #[cfg(test)]
            commits: AtomicUsize::new(0),
        }
    }

    /// Waits for this caller's turn. A transaction that is open then is one that will be as durable as it asks.
    pub(super) async fn turn(&self, commit: Commit) -> Result<Turn<W>, CustodyError> {
        let place = self.waiting.enter(commit);
        let mut guard = Arc::clone(&self.writer).lock_owned().await;
        drop(place);
        let open = guard.as_mut().and_then(Writer::batch).map(|batch| batch.commit);
        if commit == Commit::Durable && open == Some(Commit::Ordered) {
            guard = finished(guard).await?;
        }
        let others = self.waiting.durable.load(Ordering::SeqCst);
        let commit = if others > 0 { Commit::Durable } else { commit };
        Ok(Turn { guard, commit })
    }

    /// Ends this caller's turn; all of its changes are there. Returns once they are committed.
    ///
    /// # Errors
    /// What became of the transaction that they are in.
    pub(super) async fn leave(&self, mut turn: Turn<W>) -> Result<(), CustodyError> {
        let writer = turn.writer()?;
        let Some(batch) = writer.batch() else {
            return Err(CustodyError::damaged(
                "a change was made outside of a transaction",
            ));
        };
        batch.step = Step::Done;
        let is_first = batch.is_empty();
        #[cfg(test)]
        self.commits.fetch_add(usize::from(is_first), Ordering::SeqCst);
        if is_first && self.waiting.all.load(Ordering::SeqCst) == 0 {
            return writer.finish().await;
        }
        let told = batch.join();
        let is_full = batch.joined.len() >= MAX_JOINED;
        // Neither of these tasks can be cancelled with a caller.
        if is_full {
            tokio::spawn(finish(turn.guard));
        } else {
            drop(turn);
            if is_first {
                let writer = Arc::clone(&self.writer);
                tokio::spawn(async move { finish(writer.lock_owned().await).await });
            }
        }
        // A task that does not answer was ended with the runtime.
        told.await.unwrap_or(Err(CustodyError::OutcomeUnknown))
    }

    /// Commits what is open and takes the writer out. Whoever comes later is told that it is closed.
    pub(super) async fn close(&self) -> Result<Option<W>, CustodyError> {
        let mut guard = finished(Arc::clone(&self.writer).lock_owned().await).await?;
        Ok(guard.take())
    }

    /// Holds everyone up for as long as the value lives.
    #[cfg(test)]
    pub(super) async fn hold(&self) -> OwnedMutexGuard<Option<W>> {
        Arc::clone(&self.writer).lock_owned().await
    }

    /// How many callers wait for their turn.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.waiting.all.load(Ordering::SeqCst)
    }

    /// How many transactions changes were committed in.
    #[cfg(test)]
    pub(super) fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }

    /// The writer, outside of any transaction.
    #[cfg(test)]
    #[expect(clippy::unwrap_used, reason = "tests")]
    pub(super) async fn idle(&self) -> OwnedMutexGuard<Option<W>> {
        finished(Arc::clone(&self.writer).lock_owned().await)
            .await
            .unwrap()
    }
}

/// Ends the open transaction, if there is one, in a task of its own: whoever asks for it may be cancelled, and others wait
/// for it.
async fn finished<W: Writer>(
    mut guard: OwnedMutexGuard<Option<W>>,
) -> Result<OwnedMutexGuard<Option<W>>, CustodyError> {
    if guard.as_mut().and_then(Writer::batch).is_none() {
        return Ok(guard);
    }
    tokio::spawn(finish(guard))
        .await
        .map_err(|_| CustodyError::Storage(StorageError::new("the task that commits was ended", None)))
}

async fn finish<W: Writer>(mut guard: OwnedMutexGuard<Option<W>>) -> OwnedMutexGuard<Option<W>> {
    if let Some(writer) = guard.as_mut() {
        // Everyone in it is told; whoever wants it ended has no part in it.
        let _ = writer.finish().await;
    }
    guard
}

/// Of a handle that was closed.
pub(super) fn closed() -> CustodyError {
    CustodyError::Storage(StorageError::new("this handle was closed", None))
}

#[cfg(test)]
mod tests;
