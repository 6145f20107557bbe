//! The store on PostgreSQL, for many processes at once: row locks, one chain of writers, snapshots for reading.
//!
//! A transaction that decides runs at READ COMMITTED and takes the row of the audit log's edge before anything else,
//! so whatever it reads after that stands still until it ends: the log is one chain, and so its writers are one row. What
//! goes wrong before the decision (a deadlock, a lost connection) is begun anew, a bounded number of times; the
//! decision itself runs once. Those who write at the same time share a transaction, and wait for one COMMIT.
//! Everything is plain SQL that engines with PostgreSQL's protocol know; see
//! `docs/decisions/0012-postgresql-beside-sqlite.md`. <https://www.postgresql.org/docs/current/mvcc.html>

mod absence;
mod apply;
mod audit_log;
mod book;
mod connect;
mod copy;
mod dump;
mod errors;
mod facts;
mod holdings;
mod jobs;
mod key_chain;
mod life;
mod light;
mod lists;
mod masters;
mod owners;
mod pending;
mod reads;
mod rotation;
mod rows;
mod seal;
mod types;
mod usage;
mod versions;
mod wallets;
mod writer;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use keyward_core::account::AccountAddress;
use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, PgConnection, PgPool, Postgres, Transaction};

use crate::attempts::{Attempt, AttemptQuery};
use crate::audit::AuditQuery;
use crate::audit::ledger::Ledger;
use crate::audit::stored::StoredEntry;
use crate::book::{Contact, ContactPage, ContactQuery};
use crate::clock::Clock;
use crate::error::CustodyError;
use crate::jobs::{Batch, ItemFilter, JobId, JobItem, JobQuery};
use crate::owners::{Owner, OwnerPage, OwnerQuery};
use crate::store::batch::{Group, Turn};
use crate::store::columns::unsigned;
use crate::store::holdings::{BalanceRow, HoldingsPage, MintRow, TokenRow};
use crate::store::jobs::{CountedJob, JobRow, JobRun};
use crate::store::rotation::{RecordRef, RotationState, StagedRecord, Unstaged};
use crate::store::rows::{Hold, Source, Target};
use crate::store::{
    Applied, Ask, AuditCountRow, AuditHead, AuditKeyRow, Commit, Decide, Facts, KnownRow, MasterSummaryRow,
    Overview, Store, StoredCheckpoint, WalletPlace, Write, stored_integer,
};
use crate::wallets::{Wallet, WalletPage, WalletQuery};
use crate::witness::Witness;
use absence::Absence;
use apply::Applier;
use audit_log::Evidence;
use connect::{Access, Engine};
use errors::{Fault, FaultKind, ResultExt};
use facts::Locks;
use pending::{Grounds, Known};
use types::Millis;
pub(super) use versions::schema_state;
use writer::{PAUSE, TRIES, Writer};

/// Without the driver's own lock, an advisory one, which distributed engines lack: whoever loses the race to bring the
/// schema up to date begins anew and finds it done. Each migration and its entry in the list are one transaction.
static MIGRATIONS: Migrator = Migrator {
    locking: false,
    ..sqlx::migrate!("../migrations/postgres")
};

/// Connections that write: one for the open transaction, one to look for another's outcome.
const WRITERS: u32 = 2;

/// Connections that only read.
const READERS: u32 = 4;

/// How often the schema is tried to be brought up to date.
const MIGRATION_TRIES: u32 = 20;
const MIGRATION_PAUSE: Duration = Duration::from_millis(25);

/// A vault's PostgreSQL database.
pub(crate) struct PostgresStore {
    clock: Arc<dyn Clock>,
    /// A connection is waited for with a bound; one's turn is not.
    pub(in crate::store) writers: Group<Writer>,
    writing: PgPool,
    readers: PgPool,
    engine: Engine,
    witness: Witness,
    absence: Absence,
    counts: lists::Counts,
}

/// What was asked for, as it stands under the lock.
struct Prepared {
    facts: Facts,
    ledger: Ledger,
    now_ms: u64,
    /// What lets a signature's changes wait; none where they have to be made at once.
    grounds: Option<Grounds>,
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
        let writing = connect::pool(&options, Access::Write, WRITERS, wait);
        let readers = connect::pool(&options, Access::Read, READERS, wait);
        // Not from a pool, which tries again and again where nobody listens.
        let mut connection = connect::once(&options, wait).await?;
        let engine = connect::examine(&mut connection).await?;
        migrate(&mut connection).await?;
        // Whatever it says to that, it is done with.
        let _ = connection.close().await;
        Ok(Self {
            clock,
            writers: Group::new(Writer::new(writing.clone(), engine, witness.clone())),
            writing,
            readers,
            engine,
            witness,
            absence: Absence::default(),
            counts: lists::Counts::default(),
        })
    }

    /// The whole database, on a connection of its own that holds it as it is.
    async fn held(&self, hold: Hold) -> Result<dump::Dump, CustodyError> {
        let wait = self.writing.options().get_acquire_timeout();
        Ok(dump::Dump::begin(&self.writing.connect_options(), wait, hold).await?)
    }

    /// Closes every connection. Whatever is asked afterwards is an error.
    pub(crate) async fn close(&self) -> Result<(), CustodyError> {
        self.readers.close().await;
        drop(self.writers.close().await?);
        self.writing.close().await;
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

    /// Takes the lock and reads what was asked for; anew, and apart from others, when something was in the way.
    async fn prepare(
        &self,
        mut turn: Turn<Writer>,
        ask: &Ask,
    ) -> Result<(Turn<Writer>, Prepared), CustodyError> {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match self.prepare_once(&mut turn, ask).await {
                Err(fault) if matches!(fault.kind, FaultKind::Conflict | FaultKind::Connection) => {
                    tracing::debug!(code = fault.error.code(), "a transaction is begun anew");
                    turn = turn.apart().await?;
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                other => return Ok((turn, other?)),
            }
        }
        let prepared = self.prepare_once(&mut turn, ask).await?;
        Ok((turn, prepared))
    }

    async fn prepare_once(&self, turn: &mut Turn<Writer>, ask: &Ask) -> Result<Prepared, Fault> {
        let commit = turn.commit;
        let writer = turn.writer()?;
        match writer.begin(commit).await {
            Err(fault) if fault.kind == FaultKind::Absent => {
                self.absence.note(&fault.error);
                return Err(fault);
            }
            begun => begun?,
        };
        match self.gather(writer, ask).await {
            Ok(prepared) => Ok(prepared),
            Err(fault) => {
                writer.undo(fault.kind, &fault.error).await;
                Err(fault)
            }
        }
    }

    async fn gather(&self, writer: &mut Writer, ask: &Ask) -> Result<Prepared, Fault> {
        let signs = ask.is_for_signing();
        if writer
            .pending()
            .is_some_and(|waits| !signs || waits.is_in_the_way(ask))
        {
            writer.flush().await?;
        }
        if signs {
            return self.gather_to_sign(writer, ask).await;
        }
        let connection = writer.connection()?;
        let edge = facts::edge(connection, Locks::Taken).await?;
        // Read only now, under the lock: see `Facts::now_ms`.
        let now_ms = self.clock.now_ms();
        let (facts, ledger) = facts::gather(connection, ask, edge, now_ms, Locks::Taken).await?;
        Ok(Prepared {
            facts,
            ledger,
            now_ms,
            grounds: None,
        })
    }

    /// The vault and the edge of the log are those that the caller before left, where one of this transaction did: the lock
    /// is held since.
    async fn gather_to_sign(&self, writer: &mut Writer, ask: &Ask) -> Result<Prepared, Fault> {
        let (vault, version, ledger, now_ms) = match writer.known() {
            Some(known) => {
                let now_ms = self.clock.now_ms();
                (
                    Some(known.vault.clone()),
                    known.policy_version,
                    known.ledger()?,
                    now_ms,
                )
            }
            None => {
                let connection = writer.connection()?;
                let edge = facts::edge(connection, Locks::Taken).await?;
                let now_ms = self.clock.now_ms();
                let (vault, version, ledger) =
                    facts::vault_and_ledger(connection, ask, edge, Locks::Taken).await?;
                writer.know(Known::of(vault.clone(), version, &ledger)?);
                (vault, version, ledger, now_ms)
            }
        };
        let connection = writer.connection()?;
        let (mut facts, grounds) = light::facts(connection, ask, vault, version, now_ms).await?;
        if let Some(pending) = writer.pending() {
            pending.overlay(&mut facts, ask);
        }
        Ok(Prepared {
            facts,
            ledger,
            now_ms,
            grounds: Some(grounds),
        })
    }

    async fn apply(
        &self,
        writer: &mut Writer,
        mut writes: Vec<Write>,
        ledger: &mut Ledger,
        now_ms: u64,
        grounds: Option<Grounds>,
    ) -> Result<Applied, Fault> {
        if let Some((grounds, (pending, known))) = grounds.zip(writer.keeping()) {
            match grounds.keep(writes, ledger, now_ms, pending, known)? {
                None => return Ok(Applied::default()),
                Some(back) => writes = back,
            }
        }
        stored_integer("time", now_ms)?;
        writer.flush().await?;
        writer.touch();
        let connection = writer.connection()?;
        let applier = Applier {
            connection: &mut *connection,
            engine: self.engine,
            now: Millis::new("time", now_ms)?,
        };
        let applied = seal::write(applier, writes, ledger, now_ms).await?;
        audit_log::store(connection, ledger).await?;
        Ok(applied)
    }
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
        let asked = Instant::now();
        let turn = self.writers.turn(commit).await?;
        self.absence.found_since(asked)?;
        let (mut turn, prepared) = self.prepare(turn, &ask).await?;
        let Prepared {
            facts,
            mut ledger,
            now_ms,
            grounds,
        } = prepared;
        let writer = turn.writer()?;
        let decided = match decide(&mut ledger, facts) {
            Ok(writes) => self.apply(writer, writes, &mut ledger, now_ms, grounds).await,
            Err(error) => Err(error.into()),
        };
        match decided.and_then(|applied| Ok((applied, Evidence::of(&ledger)?))) {
            Ok((applied, evidence)) => {
                writer.note(evidence, ledger.into_appended());
                self.writers.leave(turn).await?;
                Ok(applied)
            }
            Err(fault) => {
                writer.undo(fault.kind, &fault.error).await;
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

    async fn wallet_count(&self) -> Result<u64, CustodyError> {
        let mut snapshot = self.snapshot().await?;
        let all = self.counts.all(&mut snapshot).await?;
        snapshot.rollback().await.storage()?;
        unsigned("wallets", all)
    }

    async fn wallets(&self, query: &WalletQuery) -> Result<WalletPage, CustodyError> {
        let mut snapshot = self.snapshot().await?;
        let page = lists::wallets(&mut snapshot, query, self.engine, &self.counts).await?;
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

    async fn key_list(&self, list: super::key_chain::KeyList) -> Result<WalletPage, CustodyError> {
        let mut snapshot = self.snapshot().await?;
        let page = key_chain::list(&mut snapshot, list).await?;
        snapshot.rollback().await.storage()?;
        Ok(page)
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

    async fn audit_page(
        &self,
        query: &AuditQuery,
        below: Option<u64>,
    ) -> Result<(u64, Vec<StoredEntry>), CustodyError> {
        let mut snapshot = self.snapshot().await?;
        let page = audit_log::page(&mut snapshot, query, below).await?;
        snapshot.rollback().await.storage()?;
        Ok(page)
    }

    async fn audit_counts(&self, query: &AuditQuery, below: u64) -> Result<Vec<AuditCountRow>, CustodyError> {
        Ok(audit_log::counts(&mut *self.reader().await?, query, below).await?)
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

    async fn owners(&self, query: &OwnerQuery) -> Result<OwnerPage, CustodyError> {
        let mut snapshot = self.snapshot().await?;
        let page = owners::page(&mut snapshot, query).await?;
        snapshot.rollback().await.storage()?;
        Ok(page)
    }

    async fn owner(&self, name: &str) -> Result<Option<Owner>, CustodyError> {
        Ok(owners::by_name(&mut *self.reader().await?, name).await?)
    }

    async fn contacts(&self, query: &ContactQuery) -> Result<ContactPage, CustodyError> {
        let mut snapshot = self.snapshot().await?;
        let page = book::page(&mut snapshot, query).await?;
        snapshot.rollback().await.storage()?;
        Ok(page)
    }

    async fn contact(&self, name: &str) -> Result<Option<Contact>, CustodyError> {
        Ok(book::one(&mut *self.reader().await?, name).await?)
    }

    async fn known(&self, limit: u32) -> Result<Vec<KnownRow>, CustodyError> {
        let mut snapshot = self.snapshot().await?;
        let known = book::known(&mut snapshot, limit).await?;
        snapshot.rollback().await.storage()?;
        Ok(known)
    }

    /// Rows that were overwritten stay in the server's files until it vacuums: that is for who runs the server.
    async fn scrub(&self) -> Result<bool, CustodyError> {
        Ok(false)
    }

    async fn attempts(&self, query: &AttemptQuery) -> Result<Vec<Attempt>, CustodyError> {
        Ok(reads::attempts(&mut *self.reader().await?, query).await?)
    }

    async fn cached_networks(&self, limit: u32) -> Result<Vec<String>, CustodyError> {
        Ok(holdings::networks(&mut *self.reader().await?, limit).await?)
    }

    async fn cached_balances(&self, page: &HoldingsPage) -> Result<Vec<BalanceRow>, CustodyError> {
        Ok(holdings::balances(&mut *self.reader().await?, page).await?)
    }

    async fn cached_tokens(&self, page: &HoldingsPage) -> Result<Vec<TokenRow>, CustodyError> {
        Ok(holdings::token_accounts(&mut *self.reader().await?, page).await?)
    }

    async fn cached_mints(&self, page: &HoldingsPage) -> Result<Vec<MintRow>, CustodyError> {
        Ok(holdings::mints(&mut *self.reader().await?, page).await?)
    }

    async fn jobs(&self, query: &JobQuery) -> Result<Vec<JobRow>, CustodyError> {
        Ok(jobs::list(&mut *self.reader().await?, query).await?)
    }

    async fn job(&self, id: JobId) -> Result<Option<CountedJob>, CustodyError> {
        let mut snapshot = self.snapshot().await?;
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
        let mut snapshot = self.snapshot().await?;
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
        Ok(jobs::items(&mut *self.reader().await?, id, filter, after, limit).await?)
    }

    async fn job_batches(&self, id: JobId, after: u32, limit: u32) -> Result<Vec<Batch>, CustodyError> {
        let mut snapshot = self.snapshot().await?;
        let batches = jobs::batches(&mut snapshot, id, after, limit).await?;
        snapshot.rollback().await.storage()?;
        Ok(batches)
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

    async fn dump(&self, hold: Hold) -> Result<Box<dyn Source>, CustodyError> {
        Ok(Box::new(self.held(hold).await?))
    }

    async fn fill(&self) -> Result<Box<dyn Target>, CustodyError> {
        Ok(Box::new(self.held(Hold::Store).await?))
    }

    fn witness(&self) -> &Witness {
        &self.witness
    }
}
