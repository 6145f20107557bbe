//! The one connection that writes: its open transaction, and how durable the commit of that will be.
//!
//! SQLite changes `synchronous` only between transactions. It is set with the beginning of one and never set back after
//! it: a caller may be cancelled at any point, and then nobody would. See
//! `docs/decisions/0005-record-a-signature-without-a-sync-of-its-own.md`. Many callers share a transaction, each behind a
//! savepoint: `docs/decisions/0013-one-commit-for-many.md`. <https://www.sqlite.org/lang_savepoint.html>

use std::sync::Arc;
use std::time::Instant;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Connection as _, SqliteConnection};

use super::checkpoints::Checkpoints;
use super::errors::ResultExt;
use crate::audit::ledger::LedgerRow;
use crate::error::{CustodyError, StorageError};
use crate::store::Commit;
use crate::store::batch::{self, Batch, Step};
use crate::witness::Witness;

/// The writing connection.
pub(in crate::store) struct Writer {
    connection: SqliteConnection,
    options: SqliteConnectOptions,
    checkpoints: Arc<Checkpoints>,
    witness: Witness,
    /// The least that the connection is known to do at a commit; it may do more, never less.
    commits: Commit,
    batch: Option<Batch>,
    /// Whether the connection may be in a transaction that nobody is in any more: one whose beginning, end or undoing was
    /// not waited for, or that SQLite ended by itself, as it does when the disk is full.
    is_unsettled: bool,
}

impl Writer {
    /// Connects. The options must say `synchronous=FULL`.
    pub(super) async fn open(
        options: SqliteConnectOptions,
        checkpoints: Arc<Checkpoints>,
        witness: Witness,
    ) -> Result<Self, CustodyError> {
        Ok(Self {
            connection: connect(&options).await?,
            options,
            checkpoints,
            witness,
            commits: Commit::Durable,
            batch: None,
            is_unsettled: false,
        })
    }

    /// The connection itself, for what is done while opening.
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// The connection, in a transaction that holds the write lock: one that others are in, behind a savepoint, or a new
    /// one that will be committed in this way.
    pub(super) async fn begin(&mut self, commit: Commit) -> Result<&mut SqliteConnection, CustodyError> {
        self.tidy().await;
        let Some(batch) = &mut self.batch else {
            self.begin_alone(commit).await?;
            return Ok(&mut self.connection);
        };
        // Cancelled on the way, the old one may be gone and the new one not there; then one more is made the next time.
        let savepoint = match std::mem::replace(&mut batch.has_savepoint, false) {
            true => "RELEASE joined; SAVEPOINT joined",
            false => "SAVEPOINT joined",
        };
        batch.step = Step::Starting;
        run(&mut self.connection, savepoint).await?;
        if let Some(batch) = &mut self.batch {
            batch.has_savepoint = true;
            batch.step = Step::Running;
        }
        Ok(&mut self.connection)
    }

    async fn begin_alone(&mut self, commit: Commit) -> Result<(), CustodyError> {
        self.settle().await?;
        // In one statement: each costs the way to the driver's thread and back.
        let begin = match (commit, self.commits) {
            (Commit::Durable, Commit::Ordered) => "PRAGMA synchronous = FULL; BEGIN IMMEDIATE",
            (Commit::Ordered, Commit::Durable) => "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE",
            (Commit::Durable, Commit::Durable) | (Commit::Ordered, Commit::Ordered) => "BEGIN IMMEDIATE",
        };
        // Known only once it is done; until then the weaker of the two is assumed.
        if commit != self.commits {
            self.commits = Commit::Ordered;
        }
        self.is_unsettled = true;
        if let Err(error) = run(&mut self.connection, begin).await {
            // It has not begun; nothing is left of it.
            self.is_unsettled = false;
            return Err(error);
        }
        self.is_unsettled = false;
        self.commits = commit;
        self.batch = Some(Batch::new(commit));
        Ok(())
    }

    /// All changes of the caller whose turn it is are there, with these entries of the log.
    pub(super) fn note(&mut self, entries: Vec<LedgerRow>) {
        if let Some(batch) = &mut self.batch {
            batch.entries.extend(entries);
        }
    }

    /// Takes back the changes of the caller whose turn it is.
    pub(super) async fn undo(&mut self) {
        self.tidy().await;
    }

    /// Takes back what the last caller left half-way. Where that cannot be done alone, all is undone and everyone told.
    async fn tidy(&mut self) {
        let Some(batch) = &mut self.batch else { return };
        if batch.is_empty() {
            if batch.step != Step::Done {
                self.batch = None;
                self.is_unsettled = true;
                // Whether that worked is seen before the next one is begun.
                let _ = self.settle().await;
            }
            return;
        }
        if batch.step == Step::Running {
            // SQLite ends a transaction by itself when the disk is full: then there is no savepoint any more.
            if let Err(error) = run(&mut self.connection, "ROLLBACK TO joined").await {
                self.lost(error).await;
                return;
            }
        }
        if let Some(batch) = &mut self.batch {
            batch.step = Step::Done;
        }
    }

    async fn lost(&mut self, error: CustodyError) {
        tracing::warn!(
            code = error.code(),
            "the database undid a transaction of several changes"
        );
        self.is_unsettled = true;
        if let Some(batch) = self.batch.take() {
            let detail = "the database undid the transaction that this change was in";
            batch.tell(&Err(CustodyError::Storage(StorageError::new(
                detail,
                Some(Box::new(error)),
            ))));
        }
        let _ = self.settle().await;
    }

    /// Makes sure that no transaction is open; connects anew if need be.
    async fn settle(&mut self) -> Result<(), CustodyError> {
        if !self.is_unsettled {
            return Ok(());
        }
        if run(&mut self.connection, "ROLLBACK").await.is_err() {
            let stuck = std::mem::replace(&mut self.connection, connect(&self.options).await?);
            self.commits = Commit::Durable;
            // Whatever it says to that, it is gone.
            let _ = stuck.close().await;
        }
        self.is_unsettled = false;
        Ok(())
    }

    /// Closes the connection, writing the WAL back if it is the last one.
    pub(super) async fn close(self) -> Result<(), CustodyError> {
        self.connection.close().await.storage()
    }
}

impl batch::Writer for Writer {
    fn batch(&mut self) -> Option<&mut Batch> {
        self.batch.as_mut()
    }

    async fn finish(&mut self) -> Result<(), CustodyError> {
        self.tidy().await;
        let Some(mut batch) = self.batch.take() else {
            return Ok(());
        };
        self.is_unsettled = true;
        let began = Instant::now();
        let outcome = run(&mut self.connection, "COMMIT").await;
        match &outcome {
            Ok(()) => {
                self.is_unsettled = false;
                let entries = std::mem::take(&mut batch.entries);
                self.witness
                    .committed(batch.callers().into(), began.elapsed(), entries);
                self.checkpoints.note_commit(batch.callers());
            }
            // A commit that failed may have left the transaction open.
            Err(_) => {
                let _ = self.settle().await;
            }
        }
        batch.tell(&outcome);
        outcome
    }
}

async fn run(connection: &mut SqliteConnection, statement: &'static str) -> Result<(), CustodyError> {
    sqlx::query(statement).execute(connection).await.storage()?;
    Ok(())
}

/// Through a pool, although it is one connection: the driver's own future for connecting is not `Send` in a task that
/// is spawned.
async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection, CustodyError> {
    let single = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options.clone())
        .await
        .storage()?;
    Ok(single.acquire().await.storage()?.detach())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use futures_util::FutureExt as _;
    use sqlx::sqlite::SqliteSynchronous;

    use super::batch::Writer as _;
    use super::*;

    async fn synchronous(transaction: &mut SqliteConnection) -> i64 {
        sqlx::query_scalar("PRAGMA synchronous")
            .fetch_one(transaction)
            .await
            .unwrap()
    }

    /// What SQLite calls FULL and NORMAL. <https://www.sqlite.org/pragma.html#pragma_synchronous>
    const FULL: i64 = 2;
    const NORMAL: i64 = 1;

    async fn writer() -> Writer {
        let options = SqliteConnectOptions::new().synchronous(SqliteSynchronous::Full);
        let checkpoints = Arc::new(Checkpoints::start(options.clone()));
        let witness = Witness::silent();
        Writer::open(options, checkpoints, witness).await.unwrap()
    }

    /// As the caller whose turn it is does, alone.
    async fn commit(writer: &mut Writer) -> Result<(), CustodyError> {
        writer.batch().unwrap().step = Step::Done;
        writer.finish().await
    }

    #[tokio::test]
    async fn each_transaction_commits_as_it_asked_whatever_the_one_before_it_did() {
        use Commit::{Durable, Ordered};
        let mut writer = writer().await;
        for (asked, expected) in [
            (Durable, FULL),
            (Ordered, NORMAL),
            (Ordered, NORMAL),
            (Durable, FULL),
            (Durable, FULL),
            (Ordered, NORMAL),
        ] {
            let connection = writer.begin(asked).await.unwrap();
            assert_eq!(synchronous(connection).await, expected, "{asked:?}");
            match asked {
                Durable => commit(&mut writer).await.unwrap(),
                // Left, as by a caller who was cancelled: rolled back before whatever comes next.
                Ordered => {}
            }
        }
    }

    #[tokio::test]
    async fn a_change_that_was_cancelled_half_way_is_made_again() {
        let mut writer = writer().await;
        for _ in 0..50 {
            // Polled once: the setting is on its way, and nobody waits for it any more. The driver answers from another
            // thread, so now and then it is quicker than the poll; what follows must hold either way.
            drop(writer.begin(Commit::Ordered).now_or_never());
            let connection = writer.begin(Commit::Durable).await.unwrap();
            assert_eq!(synchronous(connection).await, FULL);
            commit(&mut writer).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_transaction_that_sqlite_ended_by_itself_does_not_stand_in_the_way() {
        for leave in [Leave::Undo, Leave::Commit, Leave::Cancel] {
            let mut writer = writer().await;
            let connection = writer.begin(Commit::Durable).await.unwrap();
            // As SQLite does when the disk is full.
            sqlx::query("ROLLBACK").execute(connection).await.unwrap();
            match leave {
                Leave::Undo => writer.undo().await,
                Leave::Commit => assert!(commit(&mut writer).await.is_err()),
                Leave::Cancel => {}
            }
            for asked in [Commit::Ordered, Commit::Durable] {
                writer.begin(asked).await.unwrap();
                commit(&mut writer).await.unwrap();
            }
        }
    }

    #[tokio::test]
    async fn everyone_is_told_when_sqlite_ended_their_transaction() {
        for leave in [Leave::Undo, Leave::Commit, Leave::Cancel] {
            let mut writer = writer().await;
            writer.begin(Commit::Durable).await.unwrap();
            let batch = writer.batch().unwrap();
            batch.step = Step::Done;
            let told = batch.join();
            let connection = writer.begin(Commit::Durable).await.unwrap();
            sqlx::query("ROLLBACK").execute(connection).await.unwrap();
            match leave {
                Leave::Undo => writer.undo().await,
                Leave::Commit => assert!(commit(&mut writer).await.is_err()),
                Leave::Cancel => {}
            }
            writer.begin(Commit::Durable).await.unwrap();
            assert!(told.await.unwrap().is_err());
            commit(&mut writer).await.unwrap();
        }
    }

    enum Leave {
        Undo,
        Commit,
        Cancel,
    }
}
