//! The one connection that writes, and how durable its next commit is.
//!
//! SQLite changes `synchronous` only between transactions. It is set before a transaction and never set back after
//! one: a caller may be cancelled at any point, and then nobody would. See
//! `docs/decisions/0005-record-a-signature-without-a-sync-of-its-own.md`.

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Connection as _, Sqlite, SqliteConnection, Transaction};

use super::errors::ResultExt;
use crate::error::CustodyError;
use crate::store::Commit;

/// The writing connection.
pub(super) struct Writer {
    connection: SqliteConnection,
    options: SqliteConnectOptions,
    /// The least that the connection is known to do at a commit; it may do more, never less.
    commits: Commit,
}

impl Writer {
    /// Connects. The options must say `synchronous=FULL`.
    pub(super) async fn open(options: SqliteConnectOptions) -> Result<Self, CustodyError> {
        Ok(Self {
            connection: connect(&options).await?,
            options,
            commits: Commit::Durable,
        })
    }

    /// The connection itself, for what is done while opening.
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Takes the write lock; the transaction will be committed in this way.
    pub(super) async fn begin(&mut self, commit: Commit) -> Result<Transaction<'_, Sqlite>, CustodyError> {
        self.mend().await?;
        if self.commits == commit {
            return self.connection.begin_with("BEGIN IMMEDIATE").await.storage();
        }
        // In one statement: each costs the way to the driver's thread and back.
        let begin = match commit {
            Commit::Durable => "PRAGMA synchronous = FULL; BEGIN IMMEDIATE",
            Commit::Ordered => "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE",
        };
        // Known only once it is done; until then the weaker of the two is assumed.
        self.commits = Commit::Ordered;
        let transaction = self.connection.begin_with(begin).await.storage()?;
        self.commits = commit;
        Ok(transaction)
    }

    /// Connects anew where the driver believes that a transaction is open.
    ///
    /// SQLite ends one by itself when the disk is full; the driver's own rollback then fails, and the driver would
    /// refuse every transaction from there on, with room on the disk or without.
    async fn mend(&mut self) -> Result<(), CustodyError> {
        if !self.connection.is_in_transaction() {
            return Ok(());
        }
        // The rollback of a dropped transaction may be on its way still; it comes before the answer to this.
        self.connection.ping().await.storage()?;
        if !self.connection.is_in_transaction() {
            return Ok(());
        }
        let stuck = std::mem::replace(&mut self.connection, connect(&self.options).await?);
        self.commits = Commit::Durable;
        // Whatever it says to that, it is gone.
        let _ = stuck.close().await;
        Ok(())
    }

    /// Closes the connection, writing the WAL back if it is the last one.
    pub(super) async fn close(self) -> Result<(), CustodyError> {
        self.connection.close().await.storage()
    }
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
        Writer::open(options).await.unwrap()
    }

    #[tokio::test]
    async fn each_transaction_commits_as_it_asked_whatever_the_one_before_it_did() {
        use Commit::{Durable, Ordered};
        let mut writer = writer().await;
        for (commit, expected) in [
            (Durable, FULL),
            (Ordered, NORMAL),
            (Ordered, NORMAL),
            (Durable, FULL),
            (Durable, FULL),
            (Ordered, NORMAL),
        ] {
            let mut transaction = writer.begin(commit).await.unwrap();
            assert_eq!(synchronous(&mut transaction).await, expected, "{commit:?}");
            match commit {
                Durable => transaction.commit().await.unwrap(),
                // Dropped, as by a caller who was cancelled: rolled back before whatever comes next.
                Ordered => drop(transaction),
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
            let mut transaction = writer.begin(Commit::Durable).await.unwrap();
            assert_eq!(synchronous(&mut transaction).await, FULL);
            transaction.commit().await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_transaction_that_sqlite_ended_by_itself_does_not_stand_in_the_way() {
        for leave in [Leave::RollBack, Leave::Commit, Leave::Drop] {
            let mut writer = writer().await;
            let mut transaction = writer.begin(Commit::Durable).await.unwrap();
            // As SQLite does when the disk is full.
            sqlx::query("ROLLBACK").execute(&mut *transaction).await.unwrap();
            match leave {
                Leave::RollBack => assert!(transaction.rollback().await.is_err()),
                Leave::Commit => assert!(transaction.commit().await.is_err()),
                Leave::Drop => drop(transaction),
            }
            for commit in [Commit::Ordered, Commit::Durable] {
                let transaction = writer.begin(commit).await.unwrap();
                transaction.commit().await.unwrap();
            }
        }
    }

    enum Leave {
        RollBack,
        Commit,
        Drop,
    }
}
