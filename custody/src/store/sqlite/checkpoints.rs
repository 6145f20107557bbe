//! Writing the WAL back into the database, beside the writer and not in its way.
//!
//! Left to itself, SQLite does so inside a commit, once in about a hundred signatures, and that signature then waits
//! for it. A passive checkpoint on a connection of its own blocks neither readers nor the writer, and loses nothing
//! when it is interrupted: commits are durable in the WAL. <https://www.sqlite.org/wal.html#ckpt>

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use tokio::sync::mpsc;

use super::errors::ResultExt;
use crate::error::CustodyError;

/// Changes between two checkpoints: about half of what SQLite itself would wait for.
const EVERY_COMMITS: u32 = 64;

/// Pages at which the writer writes back by itself after all, should the task fall behind: 40 MiB.
pub(super) const BACKSTOP_PAGES: &str = "10000";

/// The task that writes back.
pub(super) struct Checkpoints {
    commits: AtomicU32,
    wake: mpsc::Sender<()>,
    connection: SqlitePool,
}

impl Checkpoints {
    /// Starts the task; it ends with this value.
    pub(super) fn start(options: SqliteConnectOptions) -> Self {
        let connection = SqlitePoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .connect_lazy_with(options);
        // One place: a second wake-up while one waits would say nothing new.
        let (wake, mut woken) = mpsc::channel(1);
        let pool = connection.clone();
        tokio::spawn(async move {
            while woken.recv().await.is_some() {
                if let Err(error) = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").execute(&pool).await {
                    // Nothing is lost: the writer's backstop and the next opening do the same.
                    tracing::debug!(%error, "the journal was not written back");
                }
            }
        });
        Self {
            commits: AtomicU32::new(0),
            wake,
            connection,
        }
    }

    /// Counts a commit that so many callers shared, and wakes the task when it is time.
    pub(super) fn note_commit(&self, callers: u32) {
        let before = self.commits.fetch_add(callers, Ordering::Relaxed);
        if before % EVERY_COMMITS >= EVERY_COMMITS.saturating_sub(callers) {
            // Full means that the task has been told already.
            let _ = self.wake.try_send(());
        }
    }

    /// Writes the whole journal back and cuts it to nothing; false where a reader of another process held on to it.
    pub(super) async fn empty_journal(&self) -> Result<bool, CustodyError> {
        let busy: i64 = sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&self.connection)
            .await
            .storage()?;
        Ok(busy == 0)
    }

    /// Closes the connection; later wake-ups find it closed.
    pub(super) async fn close(&self) {
        self.connection.close().await;
    }
}
