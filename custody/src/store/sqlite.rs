//! The store on SQLite: one writer connection, a few readers, WAL, `synchronous=FULL` but where a caller asks for less.
//!
//! All writes of this process go through one connection, in transactions that begin with `BEGIN IMMEDIATE`: what is read
//! before a write is read under the write lock, here and across processes. Those who write at the same time share one. Readers see consistent snapshots and
//! never wait for the writer. <https://www.sqlite.org/wal.html>

mod apply;
mod audit_log;
mod book;
mod checkpoints;
mod dump;
mod errors;
mod facts;
mod file;
mod holdings;
mod jobs;
mod key_chain;
mod life;
mod lists;
mod masters;
mod owners;
mod reads;
mod rotation;
mod rows;
mod seal;
mod usage;
mod versions;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use keyward_core::account::AccountAddress;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, SqliteConnection, SqlitePool};

use crate::attempts::{Attempt, AttemptQuery};
use crate::audit::AuditQuery;
use crate::audit::stored::StoredEntry;
use crate::book::{Contact, ContactPage, ContactQuery};
use crate::clock::Clock;
use crate::error::CustodyError;
use crate::jobs::{Batch, ItemFilter, JobId, JobItem, JobQuery};
use crate::owners::{Owner, OwnerPage, OwnerQuery};
use crate::store::batch::Group;
use crate::store::columns::{bounded, unsigned};
use crate::store::holdings::{BalanceRow, HoldingsPage, MintRow, TokenRow};
use crate::store::jobs::{CountedJob, JobRow, JobRun};
use crate::store::rotation::{RecordRef, RotationState, StagedRecord, Unstaged};
use crate::store::rows::{Hold, Source, Target};
use crate::store::{
    Applied, Ask, AuditCountRow, AuditHead, AuditKeyRow, Commit, Decide, Facts, KnownRow, MasterSummaryRow,
    Overview, Store, StoredCheckpoint, WalletPlace,
};
use crate::wallets::{Wallet, WalletPage, WalletQuery};
use crate::witness::Witness;
use checkpoints::Checkpoints;
use errors::{ResultExt, storage};
pub(super) use versions::schema_state;
use writer::Writer;

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");

/// Connections that only read.
const READERS: u32 = 3;

/// A database up to this many pages (32 MiB) is checked whole when it is opened; a larger one when the audit log
/// is verified.
const CHECKED_PAGES: i64 = 8_192;

/// How often opening is tried at least when other processes bring the schema up to date at the same moment; and again
/// after so long, until the time for waiting has passed: a step that another one overtakes fails at once, unwaited for.
const MIGRATION_TRIES: u32 = 3;
const MIGRATION_PAUSE: Duration = Duration::from_millis(10);

/// A vault's SQLite database.
pub(crate) struct SqliteStore {
    clock: Arc<dyn Clock>,
    pub(in crate::store) writers: Group<Writer>,
    readers: SqlitePool,
    checkpoints: Arc<Checkpoints>,
    witness: Witness,
    counts: lists::Counts,
}

impl SqliteStore {
    /// Opens the database, creating and migrating it as needed.
    pub(crate) async fn open(
        path: &Path,
        clock: Arc<dyn Clock>,
        busy_timeout_ms: u64,
        witness: Witness,
    ) -> Result<Self, CustodyError> {
        file::prepare(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .foreign_keys(true)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_millis(busy_timeout_ms))
            .pragma("wal_autocheckpoint", checkpoints::BACKSTOP_PAGES)
            .pragma("trusted_schema", "OFF")
            // What is overwritten or taken away is gone from the file: keys that are purged above all.
            .pragma("secure_delete", "ON")
            .pragma("cell_size_check", "ON")
            .disable_statement_logging();
        let checkpoints = Arc::new(Checkpoints::start(options.clone()));
        let wal = options.clone().journal_mode(SqliteJournalMode::Wal);
        let mut writer = Writer::open(wal, Arc::clone(&checkpoints), witness.clone()).await?;
        Self::migrate(writer.connection(), Duration::from_millis(busy_timeout_ms)).await?;
        check_pages(writer.connection()).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_millis(busy_timeout_ms.max(1_000)))
            .connect_lazy_with(options.pragma("query_only", "ON"));
        Ok(Self {
            clock,
            writers: Group::new(writer),
            readers,
            checkpoints,
            witness,
            counts: lists::Counts::default(),
        })
    }

    async fn migrate(writer: &mut SqliteConnection, patience: Duration) -> Result<(), CustodyError> {
        let deadline = tokio::time::Instant::now() + patience;
        let mut tries = 0;
        loop {
            tries += 1;
            match MIGRATIONS.run_direct(None, &mut *writer, false).await {
                Ok(()) => return Ok(()),
                // Two processes that both found an empty file: one of them fails, and finds the tables next time.
                Err(error)
                    if errors::is_migration_race(&error)
                        && (tries < MIGRATION_TRIES || tokio::time::Instant::now() < deadline) =>
                {
                    tokio::time::sleep(MIGRATION_PAUSE).await;
                }
                Err(error) => return Err(errors::migration(writer, &MIGRATIONS, error).await),
            }
        }
    }

    /// Closes every connection, writing the WAL back. Whatever is asked afterwards is an error.
    pub(crate) async fn close(&self) -> Result<(), CustodyError> {
        self.checkpoints.close().await;
        self.readers.close().await;
        match self.writers.close().await? {
            Some(writer) => writer.close().await,
            None => Ok(()),
        }
    }

    async fn reader(&self) -> Result<sqlx::pool::PoolConnection<sqlx::Sqlite>, CustodyError> {
        self.readers.acquire().await.storage()
    }
}

/// A quick structural check of a database of ordinary size.
async fn check_pages(connection: &mut SqliteConnection) -> Result<(), CustodyError> {
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count")
        .fetch_one(&mut *connection)
        .await
        .storage()?;
    if pages > CHECKED_PAGES {
        return Ok(());
    }
    let answer: String = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(&mut *connection)
        .await
        .storage()?;
    if answer == "ok" {
        Ok(())
    } else {
        Err(CustodyError::damaged(bounded(&answer)))
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn transact(&self, commit: Commit, ask: Ask, decide: Decide<'_>) -> Result<Applied, CustodyError> {
        let mut turn = self.writers.turn(commit).await?;
        let commit = turn.commit;
        let writer = turn.writer()?;
        let connection = writer.begin(commit).await?;
        match apply::decide_and_apply(connection, &*self.clock, &ask, decide).await {
            Ok((applied, entries)) => {
                writer.note(entries);
                self.writers.leave(turn).await?;
                Ok(applied)
            }
            Err(error) => {
                writer.undo().await;
                Err(error)
            }
        }
    }

    async fn look(&self, ask: Ask) -> Result<Facts, CustodyError> {
        let mut reader = self.reader().await?;
        let mut snapshot = reader.begin().await.storage()?;
        let (facts, _) = facts::gather(&mut snapshot, &ask, self.clock.now_ms()).await?;
        snapshot.rollback().await.storage()?;
        Ok(facts)
    }

    async fn overview(&self) -> Result<Option<Overview>, CustodyError> {
        reads::overview(&mut *self.reader().await?).await
    }

    async fn wallet_count(&self) -> Result<u64, CustodyError> {
        let mut reader = self.reader().await?;
        let mut snapshot = reader.begin().await.storage()?;
        let all = self.counts.all(&mut snapshot).await?;
        snapshot.rollback().await.storage()?;
        unsigned("wallets", all)
    }

    async fn wallets(&self, query: &WalletQuery) -> Result<WalletPage, CustodyError> {
        let mut reader = self.reader().await?;
        let mut snapshot = reader.begin().await.storage()?;
        let page = lists::wallets(&mut snapshot, query, &self.counts).await?;
        snapshot.rollback().await.storage()?;
        Ok(page)
    }

    async fn wallet_by_address(&self, address: &AccountAddress) -> Result<Option<Wallet>, CustodyError> {
        wallets::wallet_by_address(&mut *self.reader().await?, address).await
    }

    async fn wallets_by_label(&self, label: &str) -> Result<WalletPage, CustodyError> {
        wallets::wallets_by_label(&mut *self.reader().await?, label).await
    }

    async fn wallets_by_index(&self, at: WalletPlace) -> Result<WalletPage, CustodyError> {
        wallets::wallets_by_index(&mut *self.reader().await?, at).await
    }

    async fn key_list(&self, list: super::key_chain::KeyList) -> Result<WalletPage, CustodyError> {
        let mut reader = self.reader().await?;
        let mut snapshot = reader.begin().await.storage()?;
        let page = key_chain::list(&mut snapshot, list).await?;
        snapshot.rollback().await.storage()?;
        Ok(page)
    }

    async fn masters(&self) -> Result<Vec<MasterSummaryRow>, CustodyError> {
        let mut reader = self.reader().await?;
        let mut snapshot = reader.begin().await.storage()?;
        let masters = masters::summaries(&mut snapshot).await?;
        snapshot.rollback().await.storage()?;
        Ok(masters)
    }

    async fn audit_keys(&self) -> Result<Vec<AuditKeyRow>, CustodyError> {
        masters::audit_keys(&mut *self.reader().await?).await
    }

    async fn tags(&self) -> Result<Vec<(String, u64)>, CustodyError> {
        reads::tags(&mut *self.reader().await?).await
    }

    async fn audit_page(
        &self,
        query: &AuditQuery,
        below: Option<u64>,
    ) -> Result<(u64, Vec<StoredEntry>), CustodyError> {
        let mut reader = self.reader().await?;
        let mut snapshot = reader.begin().await.storage()?;
        let page = audit_log::page(&mut snapshot, query, below).await?;
        snapshot.rollback().await.storage()?;
        Ok(page)
    }

    async fn audit_counts(&self, query: &AuditQuery, below: u64) -> Result<Vec<AuditCountRow>, CustodyError> {
        audit_log::counts(&mut *self.reader().await?, query, below).await
    }

    async fn audit_head(&self) -> Result<AuditHead, CustodyError> {
        audit_log::head(&mut *self.reader().await?).await
    }

    async fn audit_rows(&self, from: i64, limit: u32) -> Result<Vec<StoredEntry>, CustodyError> {
        audit_log::rows(&mut *self.reader().await?, from, limit).await
    }

    async fn audit_checkpoints(&self) -> Result<Vec<StoredCheckpoint>, CustodyError> {
        audit_log::checkpoints(&mut *self.reader().await?).await
    }

    async fn owners(&self, query: &OwnerQuery) -> Result<OwnerPage, CustodyError> {
        let mut reader = self.reader().await?;
        let mut snapshot = reader.begin().await.storage()?;
        let page = owners::page(&mut snapshot, query).await?;
        snapshot.rollback().await.storage()?;
        Ok(page)
    }

    async fn owner(&self, name: &str) -> Result<Option<Owner>, CustodyError> {
        owners::by_name(&mut *self.reader().await?, name).await
    }

    async fn contacts(&self, query: &ContactQuery) -> Result<ContactPage, CustodyError> {
        let mut reader = self.reader().await?;
        let mut snapshot = reader.begin().await.storage()?;
        let page = book::page(&mut snapshot, query).await?;
        snapshot.rollback().await.storage()?;
        Ok(page)
    }

    async fn contact(&self, name: &str) -> Result<Option<Contact>, CustodyError> {
        book::one(&mut *self.reader().await?, name).await
    }

    async fn known(&self, limit: u32) -> Result<Vec<KnownRow>, CustodyError> {
        let mut reader = self.reader().await?;
        let mut snapshot = reader.begin().await.storage()?;
        let known = book::known(&mut snapshot, limit).await?;
        snapshot.rollback().await.storage()?;
        Ok(known)
    }

    async fn scrub(&self) -> Result<bool, CustodyError> {
        self.checkpoints.empty_journal().await
    }

    async fn attempts(&self, query: &AttemptQuery) -> Result<Vec<Attempt>, CustodyError> {
        reads::attempts(&mut *self.reader().await?, query).await
    }

    async fn cached_networks(&self, limit: u32) -> Result<Vec<String>, CustodyError> {
        holdings::networks(&mut *self.reader().await?, limit).await
    }

    async fn cached_balances(&self, page: &HoldingsPage) -> Result<Vec<BalanceRow>, CustodyError> {
        holdings::balances(&mut *self.reader().await?, page).await
    }

    async fn cached_tokens(&self, page: &HoldingsPage) -> Result<Vec<TokenRow>, CustodyError> {
        holdings::token_accounts(&mut *self.reader().await?, page).await
    }

    async fn cached_mints(&self, page: &HoldingsPage) -> Result<Vec<MintRow>, CustodyError> {
        holdings::mints(&mut *self.reader().await?, page).await
    }

    async fn jobs(&self, query: &JobQuery) -> Result<Vec<JobRow>, CustodyError> {
        jobs::list(&mut *self.reader().await?, query).await
    }

    async fn job(&self, id: JobId) -> Result<Option<CountedJob>, CustodyError> {
        let mut reader = self.reader().await?;
        let mut snapshot = reader.begin().await.storage()?;
        let counted = match jobs::row(&mut snapshot, id).await? {
            None => None,
            Some(row) => {
                let (states, batches) = jobs::counts(&mut snapshot, id).await?;
                Some(CountedJob { row, states, batches })
            }
        };
        snapshot.rollback().await.storage()?;
        Ok(counted)
    }

    async fn job_run(&self, id: JobId) -> Result<Option<JobRun>, CustodyError> {
        let mut reader = self.reader().await?;
        let mut snapshot = reader.begin().await.storage()?;
        let run = jobs::run(&mut snapshot, id).await?;
        snapshot.rollback().await.storage()?;
        Ok(run)
    }

    async fn job_items(
        &self,
        id: JobId,
        filter: ItemFilter,
        after: Option<u32>,
        limit: u32,
    ) -> Result<Vec<JobItem>, CustodyError> {
        let after = after.map_or(-1, i64::from);
        jobs::items(&mut *self.reader().await?, id, filter, after, limit).await
    }

    async fn job_batches(&self, id: JobId, after: u32, limit: u32) -> Result<Vec<Batch>, CustodyError> {
        let mut reader = self.reader().await?;
        let mut snapshot = reader.begin().await.storage()?;
        let batches = jobs::batches(&mut snapshot, id, after, limit).await?;
        snapshot.rollback().await.storage()?;
        Ok(batches)
    }

    async fn rotation(&self) -> Result<Option<RotationState>, CustodyError> {
        let mut reader = self.reader().await?;
        let mut snapshot = reader.begin().await.storage()?;
        let state = rotation::state(&mut snapshot).await?;
        snapshot.rollback().await.storage()?;
        Ok(state)
    }

    async fn unstaged(&self, after: i64, limit: u32) -> Result<Unstaged, CustodyError> {
        rotation::unstaged(&mut *self.reader().await?, after, limit).await
    }

    async fn staged(&self, after: Option<RecordRef>, limit: u32) -> Result<Vec<StagedRecord>, CustodyError> {
        rotation::staged(&mut *self.reader().await?, after, limit).await
    }

    async fn check_integrity(&self) -> Result<(), CustodyError> {
        let answer: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
            .fetch_one(&mut *self.reader().await?)
            .await
            .map_err(storage)?;
        if answer == "ok" {
            Ok(())
        } else {
            Err(CustodyError::damaged(bounded(&answer)))
        }
    }

    async fn dump(&self, hold: Hold) -> Result<Box<dyn Source>, CustodyError> {
        Ok(Box::new(
            dump::Dump::begin((*self.readers.connect_options()).clone(), hold).await?,
        ))
    }

    async fn fill(&self) -> Result<Box<dyn Target>, CustodyError> {
        Ok(Box::new(
            dump::Dump::begin((*self.readers.connect_options()).clone(), Hold::Store).await?,
        ))
    }

    fn witness(&self) -> &Witness {
        &self.witness
    }
}

#[cfg(test)]
mod tests;
mod wallets;
