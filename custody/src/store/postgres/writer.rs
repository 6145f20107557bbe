//! The transaction that writes, for one caller or many, and how it ends.
//!
//! Many callers share a transaction, each behind a savepoint: see `docs/decisions/0013-one-commit-for-many.md`. A COMMIT
//! whose answer is lost is looked up afterwards, for all who were in it, and never taken for a failure. What signing writes
//! waits until the end: see [`super::pending`].
//! <https://www.postgresql.org/docs/current/sql-savepoint.html>

use std::time::{Duration, Instant};

use sqlx::{Executor as _, PgConnection, PgPool, Postgres, Transaction};

use super::audit_log::{self, Evidence};
use super::connect::Engine;
use super::errors::{self, Fault, FaultKind, ResultExt};
use super::facts::{self, Locks};
use super::pending::{Known, Pending};
use crate::audit::ledger::LedgerRow;
use crate::error::CustodyError;
use crate::store::Commit;
use crate::store::batch::{self, Batch, Step};
use crate::witness::Witness;

/// How often a transaction is begun that another one, or a broken connection, ends before its decision.
pub(super) const TRIES: u32 = 6;

/// The first pause between them; each next one is twice as long.
pub(super) const PAUSE: Duration = Duration::from_millis(5);

/// What writes, with the transaction that is open.
pub(in crate::store) struct Writer {
    pool: PgPool,
    engine: Engine,
    witness: Witness,
    open: Option<Open>,
}

struct Open {
    transaction: Transaction<'static, Postgres>,
    batch: Batch,
    /// The last entry in the log that was made in it.
    evidence: Option<Evidence>,
    /// What its callers write at its end.
    pending: Pending,
    /// The vault and the log's edge, for whoever comes next; none where they have to be read.
    known: Option<Known>,
    /// Whether anything was written since its savepoint.
    is_touched: bool,
}

/// What became of a transaction.
enum Found {
    Committed,
    NotCommitted,
    Unknown,
}

impl Writer {
    pub(super) fn new(pool: PgPool, engine: Engine, witness: Witness) -> Self {
        Self {
            pool,
            engine,
            witness,
            open: None,
        }
    }

    /// The connection, in a transaction: one that others are in, behind a savepoint, or a new one that will be committed
    /// in this way. The lock is taken by the caller.
    pub(super) async fn begin(&mut self, commit: Commit) -> Result<&mut PgConnection, Fault> {
        self.tidy().await;
        if let Some(open) = &mut self.open {
            if open.batch.has_savepoint && !open.is_touched {
                open.batch.step = Step::Running;
            } else {
                self.savepoint().await?;
            }
        } else {
            let transaction = self.pool.begin_with(begin(commit, self.engine)).await.storage()?;
            self.open = Some(Open {
                transaction,
                batch: Batch::new(commit),
                evidence: None,
                pending: Pending::default(),
                known: None,
                is_touched: false,
            });
        }
        self.connection()
    }

    /// Makes the savepoint that the caller whose turn it is goes back to.
    async fn savepoint(&mut self) -> Result<(), Fault> {
        let Some(open) = &mut self.open else { return Ok(()) };
        // Cancelled on the way, the old one may be gone and the new one not there; then one more is made the next time.
        let savepoint = match std::mem::replace(&mut open.batch.has_savepoint, false) {
            true => "RELEASE SAVEPOINT joined; SAVEPOINT joined",
            false => "SAVEPOINT joined",
        };
        open.batch.step = Step::Starting;
        match open.transaction.execute(savepoint).await.storage() {
            Ok(_) => {
                open.batch.has_savepoint = true;
                open.batch.step = Step::Running;
                open.is_touched = false;
                Ok(())
            }
            Err(fault) => {
                self.lost(&fault.error);
                Err(fault)
            }
        }
    }

    /// The vault and the log's edge, where an earlier caller of this transaction has read them.
    pub(super) fn known(&self) -> Option<&Known> {
        self.open.as_ref().and_then(|open| open.known.as_ref())
    }

    /// Keeps what was read of them under the lock.
    pub(super) fn know(&mut self, known: Option<Known>) {
        if let Some(open) = &mut self.open {
            open.known = known;
        }
    }

    /// What waits to be written.
    pub(super) fn pending(&self) -> Option<&Pending> {
        self.open.as_ref().map(|open| &open.pending)
    }

    /// Where what a caller writes may wait, beside what is known; none where it has to be written at once.
    pub(super) fn keeping(&mut self) -> Option<(&mut Pending, &mut Known)> {
        let open = self.open.as_mut()?;
        Some((&mut open.pending, open.known.as_mut()?))
    }

    /// Writes what waits, and makes a savepoint after it, for a caller who writes at once or asks about it. Where that fails
    /// or is cancelled it waits on: the savepoint before it is gone back to.
    pub(super) async fn flush(&mut self) -> Result<(), Fault> {
        let Some(open) = &mut self.open else { return Ok(()) };
        if open.pending.is_empty() {
            return Ok(());
        }
        open.is_touched = true;
        let first = open.batch.entries.len().saturating_sub(open.pending.entries);
        let entries = open.batch.entries.get(first..).unwrap_or_default();
        open.pending.store(&mut open.transaction, entries).await?;
        // From here on it is written, whatever becomes of this caller.
        open.pending = Pending::default();
        self.savepoint().await
    }

    /// The caller whose turn it is writes at once: what is known of the vault and the log may not be so any more.
    pub(super) fn touch(&mut self) {
        if let Some(open) = &mut self.open {
            open.is_touched = true;
            open.known = None;
        }
    }

    /// The connection of the open transaction.
    pub(super) fn connection(&mut self) -> Result<&mut PgConnection, Fault> {
        match &mut self.open {
            Some(open) => Ok(&mut open.transaction),
            None => Err(CustodyError::damaged("there is no transaction").into()),
        }
    }

    /// All changes of the caller whose turn it is are there, with these entries of the log and the last of them.
    pub(super) fn note(&mut self, evidence: Option<Evidence>, entries: Vec<LedgerRow>) {
        if let Some(open) = &mut self.open {
            open.evidence = evidence.or(open.evidence.take());
            open.batch.entries.extend(entries);
        }
    }

    /// Takes back the changes of the caller whose turn it is, who met this fault.
    pub(super) async fn undo(&mut self, kind: FaultKind, error: &CustodyError) {
        match &mut self.open {
            Some(open) if open.batch.is_empty() => {
                if let Some(open) = self.open.take() {
                    // A connection that is gone has rolled back already.
                    let _ = open.transaction.rollback().await;
                }
            }
            Some(_) if kind == FaultKind::Connection => self.lost(error),
            _ => self.tidy().await,
        }
    }

    /// Takes back what the last caller left half-way. Where that cannot be done alone, all is undone and everyone told.
    async fn tidy(&mut self) {
        let Some(open) = &mut self.open else { return };
        if open.batch.step == Step::Done {
            return;
        }
        if open.batch.is_empty() {
            // Rolled back on its way into the pool.
            self.open = None;
            return;
        }
        if open.batch.step == Step::Running {
            let undone = open.transaction.execute("ROLLBACK TO SAVEPOINT joined").await;
            if let Err(fault) = undone.storage() {
                self.lost(&fault.error);
                return;
            }
            open.is_touched = false;
        }
        open.batch.step = Step::Done;
    }

    /// The transaction is gone before its COMMIT was sent, so nothing of it was stored.
    fn lost(&mut self, error: &CustodyError) {
        tracing::warn!(code = error.code(), "a transaction of several changes was lost");
        if let Some(open) = self.open.take() {
            open.batch.tell(&Err(error.clone()));
        }
    }

    /// Commits. A lost answer is looked for in the log.
    async fn commit(
        &self,
        transaction: Transaction<'static, Postgres>,
        evidence: Option<Evidence>,
    ) -> Result<(), CustodyError> {
        let Err(error) = transaction.commit().await else {
            return Ok(());
        };
        if errors::surely_not_committed(&error) {
            return Err(errors::storage(error).error);
        }
        tracing::warn!("the answer to a commit was lost; looking for what it did");
        let Some(evidence) = evidence else {
            return Err(CustodyError::OutcomeUnknown);
        };
        let mut pause = PAUSE;
        for _ in 0..TRIES {
            match self.find(&evidence).await {
                Ok(Found::Committed) => return Ok(()),
                Ok(Found::NotCommitted) => return Err(errors::storage(error).error),
                Ok(Found::Unknown) => break,
                // It has waited as long as one waits, and others do for their turn.
                Err(fault) if fault.kind == FaultKind::Absent => break,
                Err(fault) => tracing::debug!(code = fault.error.code(), "not found out yet"),
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Err(CustodyError::OutcomeUnknown)
    }

    /// Looks for what a transaction wrote, once the server has ended it one way or the other: until then it holds the
    /// lock that is waited for here.
    async fn find(&self, evidence: &Evidence) -> Result<Found, Fault> {
        let begin = begin(Commit::Durable, self.engine);
        let mut transaction = self.pool.begin_with(begin).await.storage()?;
        let edge = facts::edge(&mut transaction, Locks::Taken).await?;
        let found = audit_log::holds(&mut transaction, evidence).await?;
        transaction.rollback().await.storage()?;
        Ok(match (found, edge) {
            (true, _) => Found::Committed,
            (false, Some(_)) => Found::NotCommitted,
            // There is no row to lock before there is a vault: it may be on its way still.
            (false, None) => Found::Unknown,
        })
    }
}

impl batch::Writer for Writer {
    fn batch(&mut self) -> Option<&mut Batch> {
        self.open.as_mut().map(|open| &mut open.batch)
    }

    async fn finish(&mut self) -> Result<(), CustodyError> {
        self.tidy().await;
        let Some(Open {
            mut transaction,
            mut batch,
            evidence,
            pending,
            ..
        }) = self.open.take()
        else {
            return Ok(());
        };
        let began = Instant::now();
        let first = batch.entries.len().saturating_sub(pending.entries);
        let entries = batch.entries.get(first..).unwrap_or_default();
        let outcome = match pending.store(&mut transaction, entries).await {
            Ok(()) => self.commit(transaction, evidence).await,
            Err(fault) => {
                // Nothing was committed, and nobody was told anything yet.
                let _ = transaction.rollback().await;
                Err(fault.error)
            }
        };
        if outcome.is_ok() {
            let entries = std::mem::take(&mut batch.entries);
            self.witness
                .committed(batch.callers().into(), began.elapsed(), entries);
        }
        batch.tell(&outcome);
        outcome
    }
}

/// `synchronous_commit = off` is what [`Commit::Ordered`] means: a server that loses its power may lose the last of
/// these commits, never one before another, and any durable commit makes those before it durable too.
fn begin(commit: Commit, engine: Engine) -> &'static str {
    match (commit, engine) {
        (Commit::Ordered, Engine::Postgres) => {
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL synchronous_commit TO off"
        }
        (Commit::Durable, _) | (_, Engine::Compatible) => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
    }
}
