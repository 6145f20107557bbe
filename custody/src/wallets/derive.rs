//! Deriving many wallets: on every core, sealed as they come, stored in one database transaction.
//!
//! The indices are those after the last one. Where another process takes them while they are derived, the next ones are
//! reserved in a transaction of their own before they are derived again, so no number of processes keeps one waiting.
//!
//! The phrase's seed is opened once for the whole range; each wallet's key exists unsealed only inside the worker
//! that derived it, for as long as sealing takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use keyward_core::account::Chain;
use keyward_core::audit::{Operation, Outcome};
use keyward_core::derive::{BatchTable, Blinding, SolanaDeriver};
use keyward_core::evm::EvmDeriver;
use keyward_core::key::WalletKey;
use keyward_core::mnemonic::Seed;
use keyward_core::path::{ChildIndex, PathFamily};
use keyward_core::vault::{RecordContext, RecordId, RecordKind, RecordPublicKey, seal_record};
use zeroize::Zeroizing;

use super::masters::open_master;
use super::{DeriveRequest, DerivedRange, MAX_DERIVE};
use crate::audit::ledger::Draft;
use crate::error::CustodyError;
use crate::memory::clearing_stack;
use crate::progress::Progress;
use crate::store::{Ask, LifeWrite, MasterAsk, MasterRow, NewWallet, SealedWallet, Write, transact};
use crate::vault::{Custody, Session, blocking, random};

/// Wallets per chunk: a few milliseconds of work, so that cancelling and locking are felt at once.
const CHUNK: u32 = 128;

/// From so many wallets on a table makes up for the time that making it takes.
const WORTH_A_TABLE: u32 = 256;

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
        let session = self.current_session().await?;
        let found = self.find_range(request).await?;
        if let Some(range) = self
            .derive_range(&found, Hold::Expected, &session, progress)
            .await?
        {
            return Ok(range);
        }
        // Somebody else took those indices in the meantime: now they are taken first, and derived at leisure.
        let reserved = self.reserve_range(&found, &session, progress).await?;
        let outcome = self
            .derive_range(&reserved, Hold::Reserved, &session, progress)
            .await;
        match outcome {
            Ok(Some(range)) => Ok(range),
            Ok(None) => Err(CustodyError::Busy),
            Err(error) => {
                self.give_back(&reserved, &session).await;
                Err(error)
            }
        }
    }

    /// The phrase and where its next range begins.
    async fn find_range(&self, request: DeriveRequest) -> Result<Range, CustodyError> {
        let ask = Ask {
            master: Some(wanted(request)),
            ..Ask::default()
        };
        let facts = self.store().look(ask).await?;
        if facts.vault.is_none() {
            return Err(CustodyError::NotInitialised);
        }
        let master = facts.master.ok_or_else(|| CustodyError::NotFound {
            what: "phrase".to_owned(),
        })?;
        let family = PathFamily::from_id(&master.family)
            .map_err(|_| CustodyError::damaged("the path family is unknown"))?;
        let first = request.start.unwrap_or(master.next_index);
        let end = end_of(first, request.count)?;
        Ok(Range {
            request,
            master,
            family,
            first,
            end,
        })
    }

    /// Takes the next indices, whichever they are by now. A process that ends before it stores their wallets leaves a gap:
    /// nothing is lost by it, and the indices can be derived by their numbers. Searching for used addresses elsewhere, as
    /// wallets do after a restore, commonly goes on over 20 unused ones.
    async fn reserve_range(
        &self,
        found: &Range,
        session: &Session,
        progress: &Progress,
    ) -> Result<Range, CustodyError> {
        let ask = Ask {
            master: Some(found.asked()),
            unsigned_tail: true,
            ..Ask::default()
        };
        let (first, _) = transact(self.store(), ask, |ledger, facts| {
            stopped(session, progress)?;
            let first = facts.master.map_or(0, |master| master.next_index);
            let end = end_of(first, found.request.count)?;
            let draft = Draft::new(Operation::DeriveWallets, Outcome::Authorised).details(found.details(
                "reserved: ",
                first,
                end,
            ));
            ledger.append(facts.now_ms, self.scribe(Some(session)), draft)?;
            Ok((vec![found.next_index(end)], first))
        })
        .await?;
        Ok(Range {
            master: found.master.clone(),
            first,
            end: end_of(first, found.request.count)?,
            ..*found
        })
    }

    /// Gives reserved indices back, if nobody took the ones after them. What comes of it changes nothing for the caller.
    async fn give_back(&self, reserved: &Range, session: &Session) {
        let ask = Ask {
            master: Some(reserved.asked()),
            unsigned_tail: true,
            ..Ask::default()
        };
        let given = transact(self.store(), ask, |ledger, facts| {
            let next_index = facts.master.map_or(0, |master| master.next_index);
            let (details, writes) = if next_index == reserved.end {
                let back = LifeWrite::IndicesBack {
                    master: reserved.master.id,
                    family: reserved.family,
                    first: reserved.first,
                    end: reserved.end,
                };
                ("given back: ", vec![Write::Life(back)])
            } else {
                ("left out: ", Vec::new())
            };
            let draft = Draft::new(Operation::DeriveWallets, Outcome::Failed)
                .reason("not-derived")
                .details(reserved.details(details, reserved.first, reserved.end));
            ledger.append(facts.now_ms, self.scribe(Some(session)), draft)?;
            Ok((writes, ()))
        })
        .await;
        if let Err(error) = given {
            tracing::warn!(code = error.code(), "reserved indices were not given back");
        }
    }

    /// Derives and stores; `None` when somebody else took indices that were merely expected.
    async fn derive_range(
        &self,
        range: &Range,
        hold: Hold,
        session: &Arc<Session>,
        progress: &Progress,
    ) -> Result<Option<DerivedRange>, CustodyError> {
        let Range {
            request,
            family,
            first,
            end,
            ..
        } = *range;
        progress.report(0, u64::from(request.count));
        let rows = {
            let (session, progress, master) = (Arc::clone(session), progress.clone(), range.master.clone());
            blocking(move || derive_and_seal(&session, &master, family, first, request.count, &progress))
                .await??
        };
        let ask = Ask {
            master: Some(range.asked()),
            unsigned_tail: true,
            ..Ask::default()
        };
        let (taken, applied) = transact(self.store(), ask, |ledger, facts| {
            // The last moment at which cancelling or locking still leaves nothing behind.
            stopped(session, progress)?;
            let next_index = facts.master.map_or(0, |master| master.next_index);
            if hold == Hold::Expected && request.start.is_none() && next_index != range.master.next_index {
                return Ok((Vec::new(), false));
            }
            let draft =
                Draft::new(Operation::DeriveWallets, Outcome::Done).details(range.details("", first, end));
            ledger.append(facts.now_ms, self.scribe(Some(session)), draft)?;
            Ok((
                vec![
                    Write::Wallets {
                        from: Some((range.master.id, family)),
                        rows,
                    },
                    range.next_index(next_index.max(end)),
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

/// A range of indices of one family of one phrase.
struct Range {
    request: DeriveRequest,
    master: MasterRow,
    family: PathFamily,
    first: u32,
    /// The index after the last one.
    end: u32,
}

/// How sure a range is while it is derived.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// As long as nobody else takes it first.
    Expected,
    /// Nobody else can.
    Reserved,
}

impl Range {
    fn asked(&self) -> MasterAsk {
        wanted(self.request)
    }

    fn next_index(&self, next_index: u32) -> Write {
        Write::NextIndex {
            master: self.master.id,
            family: self.family,
            next_index,
        }
    }

    fn details(&self, what: &str, first: u32, end: u32) -> String {
        let last = end.saturating_sub(1);
        format!(
            "{what}phrase {}, {}, indices {first} to {last}",
            self.master.id, self.family
        )
    }
}

fn wanted(request: DeriveRequest) -> MasterAsk {
    MasterAsk {
        id: request.master.map(|master| master.get()),
        family: request.family,
    }
}

fn end_of(first: u32, count: u32) -> Result<u32, CustodyError> {
    first
        .checked_add(count)
        .filter(|end| *end <= ChildIndex::MAX.get() + 1)
        .ok_or_else(|| CustodyError::invalid("range", "indices end at 2147483647"))
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
    family: PathFamily,
    first: u32,
    count: u32,
    progress: &Progress,
) -> Result<Vec<NewWallet>, CustodyError> {
    let deriver = Deriver::new(&open_master(session, master)?.to_seed(), family, count)?;
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
        let workers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| clearing_stack(work)))
            .collect();
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

/// Derives the keys of one family, on either chain.
pub(crate) enum Deriver {
    /// Beside it, what makes many public keys cheaper.
    Solana(SolanaDeriver, Option<BatchTable>),
    Evm(Box<EvmDeriver>),
}

/// A key with its place.
pub(crate) struct Derived {
    pub(crate) index: ChildIndex,
    pub(crate) path: String,
    pub(crate) key: WalletKey,
}

impl Deriver {
    pub(crate) fn new(seed: &Seed, family: PathFamily, count: u32) -> Result<Self, CustodyError> {
        let made = match family.chain() {
            Chain::Solana => SolanaDeriver::new(seed, family).map(|deriver| {
                let table = (count >= WORTH_A_TABLE).then(BatchTable::new);
                Self::Solana(deriver, table)
            }),
            Chain::Evm => EvmDeriver::new(seed, family).map(|deriver| Self::Evm(Box::new(deriver))),
        };
        made.map_err(|error| CustodyError::invalid("phrase", error.to_string()))
    }

    pub(crate) fn chunk(&self, start: u32, count: u32) -> Result<Vec<Derived>, CustodyError> {
        let invalid =
            |error: keyward_core::derive::DeriveError| CustodyError::invalid("range", error.to_string());
        match self {
            Self::Solana(deriver, table) => {
                let keys = match table {
                    Some(table) => deriver.derive_chunk_with(table, &Blinding::new(random()?), start, count),
                    None => deriver.derive_chunk(start, count),
                };
                let derived = keys.map_err(invalid)?.into_iter().map(|key| Derived {
                    index: key.index,
                    path: key.path,
                    key: key.secret.into(),
                });
                Ok(derived.collect())
            }
            Self::Evm(deriver) => {
                let keys = deriver.derive_chunk(start, count).map_err(invalid)?;
                let derived = keys.into_iter().map(|key| Derived {
                    index: key.index,
                    path: key.path,
                    key: key.secret.into(),
                });
                Ok(derived.collect())
            }
        }
    }
}

fn seal_chunk(
    session: &Session,
    deriver: &Deriver,
    start: u32,
    count: u32,
) -> Result<Vec<NewWallet>, CustodyError> {
    let keys = deriver.chunk(start, count)?;
    // One call of the system for all of the chunk.
    let mut random = Zeroizing::new(vec![0; keys.len() * (SALT_LEN + RECORD_LEN)]);
    getrandom::fill(&mut random).map_err(|_| CustodyError::Randomness)?;
    let (random, _) = random.as_chunks::<{ SALT_LEN + RECORD_LEN }>();
    keys.into_iter()
        .zip(random)
        .map(|(key, random)| seal_derived(session, key, random))
        .collect()
}

fn seal_derived(
    session: &Session,
    derived: Derived,
    random: &[u8; SALT_LEN + RECORD_LEN],
) -> Result<NewWallet, CustodyError> {
    let mut salt = [0; SALT_LEN];
    let mut record = [0; RECORD_LEN];
    let (first, second) = random.split_at(SALT_LEN);
    salt.copy_from_slice(first);
    record.copy_from_slice(second);
    let public_key = RecordPublicKey::of(&derived.key);
    let context = RecordContext {
        vault: session.vault(),
        record: RecordId::from_bytes(record),
        kind: RecordKind::of(&derived.key),
        epoch: session.epoch(),
        public_key,
    };
    let sealed = seal_record(session.expose_key(), &context, derived.key.expose_secret(), salt)
        .map_err(|error| CustodyError::invalid("key", error.to_string()))?;
    Ok(NewWallet {
        index: Some(derived.index.get()),
        path: derived.path,
        address: derived.key.address(),
        public_key: stored_public_key(&public_key),
        label: String::new(),
        own_password: false,
        record,
        epoch: session.epoch(),
        sealed,
    })
}

/// The public key where the address does not hold it already.
pub(crate) fn stored_public_key(key: &RecordPublicKey) -> Option<[u8; 33]> {
    match key {
        RecordPublicKey::Secp256k1(bytes) => Some(*bytes),
        _ => None,
    }
}

/// What a wallet's sealed key is bound to.
pub(crate) fn wallet_context(session: &Session, wallet: &SealedWallet) -> RecordContext {
    RecordContext {
        vault: session.vault(),
        record: RecordId::from_bytes(wallet.record),
        kind: match wallet.public_key {
            RecordPublicKey::Secp256k1(_) => RecordKind::EvmKey,
            _ => RecordKind::SolanaKey,
        },
        epoch: wallet.epoch,
        public_key: wallet.public_key,
    }
}
