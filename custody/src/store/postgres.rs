//! The store on PostgreSQL, for many processes at once: row locks, one chain of writers, snapshots for reading.
//!
//! A transaction that decides runs at READ COMMITTED and takes the row of the audit log's edge before anything else,
//! so whatever it reads after that stands still until it ends: the log is one chain, and so its writers are one row. What
//! goes wrong before the decision (a deadlock, a lost connection) is begun anew, a bounded number of times; the
//! decision itself runs once. A COMMIT whose answer is lost is looked up afterwards, and never taken for a failure.
//! Everything is plain SQL that engines with PostgreSQL's protocol know; see
//! `docs/decisions/0012-postgresql-beside-sqlite.md`. <https://www.postgresql.org/docs/current/mvcc.html>

mod apply;
mod audit_log;
mod connect;
mod copy;
mod dump;
mod errors;
mod facts;
mod life;
mod masters;
mod reads;
mod rotation;
mod rows;
mod types;
mod usage;
mod versions;
mod wallets;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use keyward_core::account::AccountAddress;
use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, PgConnection, PgPool, Postgres, Transaction};
use tokio::sync::{Mutex, Semaphore};

use crate::attempts::{Attempt, AttemptQuery};
use crate::audit::AuditQuery;
use crate::audit::ledger::Ledger;
use crate::audit::stored::StoredEntry;
use crate::clock::Clock;
use crate::error::CustodyError;
use crate::store::rotation::{RecordRef, RotationState, StagedRecord, Unstaged};
use crate::store::rows::{Source, Target};
use crate::store::{
    Applied, Ask, AuditHead, AuditKeyRow, Commit, Decide, Facts, MasterSummaryRow, Overview, Store,
    StoredCheckpoint, WalletPlace, Write, stored_integer,
};
use crate::wallets::{Wallet, WalletPage, WalletQuery};
use crate::witness::Witness;
use apply::Applier;
use audit_log::Evidence;
use connect::{Access, Engine};
use errors::{Fault, FaultKind, ResultExt};
use facts::Locks;
use types::Millis;
pub(super) use versions::schema_state;

/// Without the driver's own lock, an advisory one, which distributed engines lack: whoever loses the race to bring the
/// schema up to date begins anew and finds it done. Each migration and its entry in the list are one transaction.
static MIGRATIONS: Migrator = Migrator {
    locking: false,
    ..sqlx::migrate!("../migrations/postgres")
};

/// Connections that write. They wait for each other's lock anyway; the second one saves its way to the server.
const WRITERS: u32 = 2;

/// Connections that only read.
const READERS: u32 = 4;

/// How often a transaction is begun that another one, or a broken connection, ends before its decision.
const TRIES: u32 = 6;

/// The first pause between them; each next one is twice as long.
const PAUSE: Duration = Duration::from_millis(5);

/// How often the schema is tried to be brought up to date.
const MIGRATION_TRIES: u32 = 20;
const MIGRATION_PAUSE: Duration = Duration::from_millis(25);

/// A vault's PostgreSQL database.
pub(crate) struct PostgresStore {
    clock: Arc<dyn Clock>,
    writers: PgPool,
    /// Writers of this process, in their order. A connection is waited for with a bound; one's turn is not.
    turns: Semaphore,
    readers: PgPool,
    engine: Engine,
    witness: Witness,
    /// Held from before a COMMIT until its audit entries are told.
    telling: Mutex<()>,
}

/// A transaction that holds the lock, with what was asked for.
struct Prepared {
    transaction: Transaction<'static, Postgres>,
    facts: Facts,
    ledger: Ledger,
    now_ms: u64,
}

impl PostgresStore {
    /// Connects, checks the server, and brings the schema up to date.
    pub(crate) async fn open(
        url: &str,
        clock: Arc<dyn Clock>,
        busy_timeout_ms: u64,
        witness: Witness,
    ) -> Result<Self, CustodyError> {
        let options = connect::options(url)?;
        let wait = Duration::from_millis(busy_timeout_ms);
        let writers = connect::pool(&options, Access::Write, WRITERS, wait);
        let readers = connect::pool(&options, Access::Read, READERS, wait);
        // Not from a pool, which tries again and again where nobody listens.
        let mut connection = connect::once(&options, wait).await?;
        let engine = connect::examine(&mut connection).await?;
        migrate(&mut connection).await?;
        // Whatever it says to that, it is done with.
        let _ = connection.close().await;
        Ok(Self {
            clock,
            writers,
            turns: Semaphore::new(WRITERS as usize), // two
            readers,
            engine,
            witness,
            telling: Mutex::new(()),
        })
    }

    /// The whole database, on a connection of its own that holds it as it is.
    async fn held(&self) -> Result<dump::Dump, CustodyError> {
        let wait = self.writers.options().get_acquire_timeout();
        Ok(dump::Dump::begin(&self.writers.connect_options(), wait).await?)
    }

    /// Closes every connection. Whatever is asked afterwards is an error.
    pub(crate) async fn close(&self) -> Result<(), CustodyError> {
        self.turns.close();
        self.readers.close().await;
        self.writers.close().await;
        Ok(())
    }

    async fn reader(&self) -> Result<PoolConnection<Postgres>, CustodyError> {
        Ok(self.readers.acquire().await.storage()?)
    }

    /// One consistent snapshot.
    async fn snapshot(&self) -> Result<Transaction<'static, Postgres>, CustodyError> {
        Ok(self
            .readers
            .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await
            .storage()?)
    }

    /// Begins a transaction, takes the lock and reads what was asked for; anew when something was in the way.
    async fn prepare(&self, commit: Commit, ask: &Ask) -> Result<Prepared, CustodyError> {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match self.prepare_once(commit, ask).await {
                Err(fault) if fault.kind != FaultKind::Final => {
                    tracing::debug!(code = fault.error.code(), "a transaction is begun anew");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                other => return Ok(other?),
            }
        }
        Ok(self.prepare_once(commit, ask).await?)
    }

    async fn prepare_once(&self, commit: Commit, ask: &Ask) -> Result<Prepared, Fault> {
        let mut transaction = self.writers.begin_with(self.begin(commit)).await.storage()?;
        let edge = facts::edge(&mut transaction, Locks::Taken).await?;
        // Read only now, under the lock: see `Facts::now_ms`.
        let now_ms = self.clock.now_ms();
        let (facts, ledger) = facts::gather(&mut transaction, ask, edge, now_ms, Locks::Taken).await?;
        Ok(Prepared {
            transaction,
            facts,
            ledger,
            now_ms,
        })
    }

    /// `synchronous_commit = off` is what [`Commit::Ordered`] means: a server that loses its power may lose the last of
    /// these commits, never one before another, and any durable commit makes those before it durable too.
    fn begin(&self, commit: Commit) -> &'static str {
        match (commit, self.engine) {
            (Commit::Ordered, Engine::Postgres) => {
                "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL synchronous_commit TO off"
            }
            (Commit::Durable, _) | (_, Engine::Compatible) => {
                "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
            }
        }
    }

    async fn apply(
        &self,
        transaction: &mut PgConnection,
        writes: Vec<Write>,
        ledger: &Ledger,
        now_ms: u64,
    ) -> Result<Applied, Fault> {
        stored_integer("time", now_ms)?;
        let mut applied = Applied::default();
        let mut applier = Applier {
            connection: transaction,
            engine: self.engine,
            now: Millis::new("time", now_ms)?,
        };
        for write in writes {
            applier.apply(write, &mut applied).await?;
        }
        audit_log::store(transaction, ledger).await?;
        Ok(applied)
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
        let mut transaction = self
            .writers
            .begin_with(self.begin(Commit::Durable))
            .await
            .storage()?;
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

/// What became of a transaction.
enum Found {
    Committed,
    NotCommitted,
    Unknown,
}

/// Brings the schema up to date, at the same moment as others perhaps.
async fn migrate(connection: &mut PgConnection) -> Result<(), CustodyError> {
    let mut tries = 1;
    loop {
        match MIGRATIONS.run_direct(None, &mut *connection, false).await {
            Ok(()) => return Ok(()),
            Err(error) if errors::is_migration_race(&error) && tries < MIGRATION_TRIES => {
                tries += 1;
                tokio::time::sleep(MIGRATION_PAUSE).await;
            }
            Err(error) => return Err(errors::migration(connection, &MIGRATIONS, error).await),
        }
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn transact(&self, commit: Commit, ask: Ask, decide: Decide<'_>) -> Result<Applied, CustodyError> {
        let _turn = self.turns.acquire().await.map_err(|_| errors::closed())?;
        let Prepared {
            mut transaction,
            facts,
            mut ledger,
            now_ms,
        } = self.prepare(commit, &ask).await?;
        let decided = match decide(&mut ledger, facts) {
            Ok(writes) => self.apply(&mut transaction, writes, &ledger, now_ms).await,
            Err(error) => Err(error.into()),
        };
        match decided {
            Ok(applied) => {
                let evidence = Evidence::of(&ledger)?;
                let began = Instant::now();
                // The next one's COMMIT waits until this one's entries are told: they are told in their order.
                let _order = self.telling.lock().await;
                self.commit(transaction, evidence).await?;
                self.witness.committed(1, began.elapsed(), ledger.into_appended());
                Ok(applied)
            }
            Err(fault) => {
                // A connection that is gone has rolled back already.
                let _ = transaction.rollback().await;
                Err(fault.error)
            }
        }
    }

    async fn look(&self, ask: Ask) -> Result<Facts, CustodyError> {
        let mut snapshot = self.snapshot().await?;
        let edge = facts::edge(&mut snapshot, Locks::None).await?;
        let (facts, _) = facts::gather(&mut snapshot, &ask, edge, self.clock.now_ms(), Locks::None).await?;
        snapshot.rollback().await.storage()?;
        Ok(facts)
    }

    async fn overview(&self) -> Result<Option<Overview>, CustodyError> {
        Ok(reads::overview(&mut *self.reader().await?).await?)
    }

    async fn wallets(&self, query: &WalletQuery) -> Result<WalletPage, CustodyError> {
        let mut snapshot = self.snapshot().await?;
        let page = wallets::wallets(&mut snapshot, query).await?;
        snapshot.rollback().await.storage()?;
        Ok(page)
    }

    async fn wallet_by_address(&self, address: &AccountAddress) -> Result<Option<Wallet>, CustodyError> {
        Ok(wallets::wallet_by_address(&mut *self.reader().await?, address).await?)
    }

    async fn wallets_by_label(&self, label: &str) -> Result<WalletPage, CustodyError> {
        let mut snapshot = self.snapshot().await?;
        let page = wallets::wallets_by_label(&mut snapshot, label).await?;
        snapshot.rollback().await.storage()?;
        Ok(page)
    }

    async fn wallets_by_index(&self, at: WalletPlace) -> Result<WalletPage, CustodyError> {
        Ok(wallets::wallets_by_index(&mut *self.reader().await?, at).await?)
    }

    async fn masters(&self) -> Result<Vec<MasterSummaryRow>, CustodyError> {
        let mut snapshot = self.snapshot().await?;
        let masters = masters::summaries(&mut snapshot).await?;
        snapshot.rollback().await.storage()?;
        Ok(masters)
    }

    async fn audit_keys(&self) -> Result<Vec<AuditKeyRow>, CustodyError> {
        Ok(masters::audit_keys(&mut *self.reader().await?).await?)
    }

    async fn tags(&self) -> Result<Vec<(String, u64)>, CustodyError> {
        Ok(reads::tags(&mut *self.reader().await?).await?)
    }

    async fn audit_page(&self, query: &AuditQuery) -> Result<(u64, Vec<StoredEntry>), CustodyError> {
        let mut snapshot = self.snapshot().await?;
        let page = audit_log::page(&mut snapshot, query).await?;
        snapshot.rollback().await.storage()?;
        Ok(page)
    }

    async fn audit_head(&self) -> Result<AuditHead, CustodyError> {
        Ok(audit_log::head(&mut *self.reader().await?).await?)
    }

    async fn audit_rows(&self, from: i64, limit: u32) -> Result<Vec<StoredEntry>, CustodyError> {
        Ok(audit_log::rows(&mut *self.reader().await?, from, limit).await?)
    }

    async fn audit_checkpoints(&self) -> Result<Vec<StoredCheckpoint>, CustodyError> {
        Ok(audit_log::checkpoints(&mut *self.reader().await?).await?)
    }

    async fn attempts(&self, query: &AttemptQuery) -> Result<Vec<Attempt>, CustodyError> {
        Ok(reads::attempts(&mut *self.reader().await?, query).await?)
    }

    async fn rotation(&self) -> Result<Option<RotationState>, CustodyError> {
        let mut snapshot = self.snapshot().await?;
        let state = rotation::state(&mut snapshot).await?;
        snapshot.rollback().await.storage()?;
        Ok(state)
    }

    async fn unstaged(&self, after: i64, limit: u32) -> Result<Unstaged, CustodyError> {
        let mut snapshot = self.snapshot().await?;
        let found = rotation::unstaged(&mut snapshot, after, limit).await?;
        snapshot.rollback().await.storage()?;
        Ok(found)
    }

    async fn staged(&self, after: Option<RecordRef>, limit: u32) -> Result<Vec<StagedRecord>, CustodyError> {
        Ok(rotation::staged(&mut *self.reader().await?, after, limit).await?)
    }

    async fn check_integrity(&self) -> Result<(), CustodyError> {
        let mut snapshot = self.snapshot().await?;
        reads::check_integrity(&mut snapshot).await?;
        snapshot.rollback().await.storage()?;
        Ok(())
    }

    async fn dump(&self) -> Result<Box<dyn Source>, CustodyError> {
        Ok(Box::new(self.held().await?))
    }

    async fn fill(&self) -> Result<Box<dyn Target>, CustodyError> {
        Ok(Box::new(self.held().await?))
    }

    fn witness(&self) -> &Witness {
        &self.witness
    }
}
