//! Deriving many wallets: on every core, sealed as they come, stored in one database transaction.
//!
//! The phrase's seed is opened once for the whole range; each wallet's key exists unsealed only inside the worker
//! that derived it, for as long as sealing takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use keyward_core::audit::{Operation, Outcome};
use keyward_core::derive::{DerivedKey, SolanaDeriver};
use keyward_core::path::{ChildIndex, PathFamily};
use keyward_core::vault::{
    MasterSecret, RecordContext, RecordId, RecordKind, RecordPublicKey, open_record, seal_record,
};
use zeroize::Zeroizing;

use super::{DeriveRequest, DerivedRange, MAX_DERIVE};
use crate::audit::ledger::Draft;
use crate::error::CustodyError;
use crate::progress::Progress;
use crate::store::{Ask, MasterRow, NewWallet, Write, transact};
use crate::vault::{Custody, Session, blocking, master_context};

/// Wallets per chunk: a few milliseconds of work, so that cancelling and locking are felt at once.
const CHUNK: u32 = 128;

/// How often the range is taken anew when another process derived the same indices at the same moment.
const TRIES: u32 = 3;

/// Random bytes of one wallet: the envelope's salt, then the record's id.
const SALT_LEN: usize = 32;
const RECORD_LEN: usize = 16;

impl Custody {
    /// Derives, seals and stores a range of wallets in one database transaction, on every core.
    ///
    /// Indices that are there already are left as they are. A phrase whose family has a single address takes index 0
    /// alone.
    ///
    /// # Errors
    /// [`CustodyError::Locked`], [`CustodyError::Invalid`], [`CustodyError::Cancelled`] (nothing is stored then), or
    /// the store's.
    pub async fn derive_wallets(
        &self,
        request: DeriveRequest,
        progress: &Progress,
    ) -> Result<DerivedRange, CustodyError> {
        if request.count == 0 || request.count > MAX_DERIVE {
            return Err(CustodyError::invalid(
                "count",
                format!("1 to {MAX_DERIVE} wallets at a time"),
            ));
        }
        let session = self.session().ok_or(CustodyError::Locked)?;
        for _ in 0..TRIES {
            if let Some(range) = self.derive_range(request, &session, progress).await? {
                return Ok(range);
            }
        }
        Err(CustodyError::Busy)
    }

    /// One try; `None` when somebody else took the indices in the meantime.
    async fn derive_range(
        &self,
        request: DeriveRequest,
        session: &Arc<Session>,
        progress: &Progress,
    ) -> Result<Option<DerivedRange>, CustodyError> {
        let facts = self
            .store()
            .look(Ask {
                master: true,
                ..Ask::default()
            })
            .await?;
        let master = facts.master.ok_or(CustodyError::NotInitialised)?;
        let (master_id, expected_next) = (master.id, master.next_index);
        let first = request.start.unwrap_or(expected_next);
        let end = first
            .checked_add(request.count)
            .filter(|end| *end <= ChildIndex::MAX.get() + 1)
            .ok_or_else(|| CustodyError::invalid("range", "indices end at 2147483647"))?;
        progress.report(0, u64::from(request.count));
        let rows = {
            let (session, progress) = (Arc::clone(session), progress.clone());
            blocking(move || derive_and_seal(&session, &master, first, request.count, &progress)).await??
        };
        let ask = Ask {
            master: true,
            unsigned_tail: true,
            ..Ask::default()
        };
        let (taken, applied) = transact(self.store(), ask, |ledger, facts| {
            // The last moment at which cancelling or locking still leaves nothing behind.
            stopped(session, progress)?;
            let next_index = facts.master.map_or(0, |master| master.next_index);
            if request.start.is_none() && next_index != expected_next {
                return Ok((Vec::new(), false));
            }
            let draft = Draft::new(Operation::DeriveWallets, Outcome::Done)
                .details(format!("indices {first} to {}", end - 1));
            ledger.append(facts.now_ms, self.scribe(Some(session)), draft)?;
            let next_index = next_index.max(end);
            Ok((
                vec![
                    Write::Wallets {
                        master: master_id,
                        rows,
                    },
                    Write::NextIndex {
                        master: master_id,
                        next_index,
                    },
                ],
                true,
            ))
        })
        .await?;
        let added = u32::try_from(applied.wallets_added).unwrap_or(request.count);
        Ok(taken.then_some(DerivedRange {
            first,
            count: request.count,
            added,
        }))
    }
}

fn stopped(session: &Session, progress: &Progress) -> Result<(), CustodyError> {
    if !session.is_open() {
        return Err(CustodyError::Locked);
    }
    if progress.is_cancelled() {
        return Err(CustodyError::Cancelled);
    }
    Ok(())
}

/// The CPU's part, on every core.
fn derive_and_seal(
    session: &Session,
    master: &MasterRow,
    first: u32,
    count: u32,
    progress: &Progress,
) -> Result<Vec<NewWallet>, CustodyError> {
    let deriver = open_master(session, master)?;
    let chunks = count.div_ceil(CHUNK);
    let next = AtomicU32::new(0);
    let work = || -> Result<Vec<(u32, Vec<NewWallet>)>, CustodyError> {
        let mut done = Vec::new();
        loop {
            let chunk = next.fetch_add(1, Ordering::Relaxed);
            if chunk >= chunks {
                return Ok(done);
            }
            stopped(session, progress)?;
            let offset = chunk * CHUNK;
            let length = CHUNK.min(count - offset);
            done.push((chunk, seal_chunk(session, &deriver, first + offset, length)?));
            progress.advance(u64::from(length));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut sealed = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut sealed = Vec::new();
        for worker in workers {
            // A panic in a worker is one here: nothing is stored, and the caller sees a failed job.
            match worker.join() {
                Ok(done) => sealed.extend(done?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok::<_, CustodyError>(sealed)
    })?;
    // In the order of indices, so that the table's tree grows at its end.
    sealed.sort_unstable_by_key(|(chunk, _)| *chunk);
    Ok(sealed.into_iter().flat_map(|(_, rows)| rows).collect())
}

fn open_master(session: &Session, master: &MasterRow) -> Result<SolanaDeriver, CustodyError> {
    let damaged = || CustodyError::damaged("the sealed phrase does not open");
    let family = PathFamily::from_id(&master.family)
        .map_err(|_| CustodyError::damaged("the path family is unknown"))?;
    let context = master_context(session.vault(), RecordId::from_bytes(master.record), master.epoch);
    let encoded = open_record(session.expose_key(), &context, &master.sealed).map_err(|_| damaged())?;
    let secret = MasterSecret::decode(&encoded).map_err(|_| damaged())?;
    SolanaDeriver::new(&secret.to_seed(), family)
        .map_err(|error| CustodyError::invalid("phrase", error.to_string()))
}

fn seal_chunk(
    session: &Session,
    deriver: &SolanaDeriver,
    start: u32,
    count: u32,
) -> Result<Vec<NewWallet>, CustodyError> {
    let keys = deriver
        .derive_chunk(start, count)
        .map_err(|error| CustodyError::invalid("range", error.to_string()))?;
    // One call of the system for all of the chunk.
    let mut random = Zeroizing::new(vec![0; keys.len() * (SALT_LEN + RECORD_LEN)]);
    getrandom::fill(&mut random).map_err(|_| CustodyError::Randomness)?;
    let (random, _) = random.as_chunks::<{ SALT_LEN + RECORD_LEN }>();
    keys.into_iter()
        .zip(random)
        .map(|(key, random)| seal_key(session, key, random))
        .collect()
}

fn seal_key(
    session: &Session,
    key: DerivedKey,
    random: &[u8; SALT_LEN + RECORD_LEN],
) -> Result<NewWallet, CustodyError> {
    let mut salt = [0; SALT_LEN];
    let mut record = [0; RECORD_LEN];
    let (first, second) = random.split_at(SALT_LEN);
    salt.copy_from_slice(first);
    record.copy_from_slice(second);
    let context = wallet_context(session, record, session.epoch(), key.address.to_bytes());
    let sealed = seal_record(session.expose_key(), &context, key.secret.expose_seed(), salt)
        .map_err(|error| CustodyError::invalid("key", error.to_string()))?;
    Ok(NewWallet {
        index: key.index.get(),
        path: key.path,
        address: key.address,
        record,
        epoch: session.epoch(),
        sealed,
    })
}

/// What a wallet's sealed key is bound to.
pub(crate) fn wallet_context(
    session: &Session,
    record: [u8; 16],
    epoch: u32,
    public_key: [u8; 32],
) -> RecordContext {
    RecordContext {
        vault: session.vault(),
        record: RecordId::from_bytes(record),
        kind: RecordKind::SolanaKey,
        epoch,
        public_key: RecordPublicKey::Ed25519(public_key),
    }
}
