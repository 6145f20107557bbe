//! The growing end of the audit log: appends entries, signs the tree's head, and trusts nothing it was handed.
//!
//! Pure: rows come from the store and go back to it. The recorded edge of the tree is only a shortcut, and
//! anyone with the file can write there; so before an unlocked handle builds on it, the signed edge is held
//! against its signature and the unsigned entries after it are hashed again.
//!
//! Entries made while the vault is locked cannot be signed, for want of the key: wrong passwords, refusals to work
//! while locked, looks at the log, and nothing else. Whoever writes to the file could invent or drop these until the next
//! signed entry covers them; the refusal to count on them is why they never authorise anything.

use keyward_core::account::AccountAddress;
use keyward_core::address::{Address, Signature};
use keyward_core::audit::{AuditEntry, ClientField, Frontier, Hash, Operation, Outcome, client_hash};
use keyward_core::ed25519::{SecretKey, verify};
use keyward_core::vault::{VaultHeader, VaultId, VaultKey};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::stored::{StoredEntry, stands_unsigned};
use crate::builder::MAX_ACTOR_BYTES;
use crate::client::ClientIdentity;
use crate::error::CustodyError;
use crate::memory::{LockedKey, Protection, clearing_stack};
use crate::store::AuditKeyRow;
use crate::store::seal::keeping::Sealing;
use crate::store::seal::{Changes, SealKeys};

/// The longest texts of an entry, in bytes.
const MAX_REASON_BYTES: usize = 400;
const MAX_DETAILS_BYTES: usize = 4_000;

/// Separates head signatures from everything else that the key signs: a checkpoint's text has no NUL.
const HEAD_DOMAIN: &[u8] = b"keyward/audit-head/v1\0";

/// Separates what vouches for retired keys from head signatures and checkpoints.
const RETIRED_DOMAIN: &[u8] = b"keyward/audit-key/v1\0";

/// Label of the signing key's seed below the vault key.
const KEY_LABEL: &str = "audit-log";

/// Label of the key that clients are hashed with.
const CLIENT_LABEL: &str = "audit-client";

/// The name of a vault's log in checkpoints.
pub(crate) fn origin(vault: &VaultId) -> String {
    format!("keyward/{vault}")
}

/// What an entry says; sequence, time and actor are added when it is appended.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) operation: Operation,
    pub(crate) outcome: Outcome,
    pub(crate) wallet: Option<AccountAddress>,
    /// The stable code of a refusal or failure; empty otherwise.
    pub(crate) reason: String,
    /// The intent's hash.
    pub(crate) subject: Option<[u8; 32]>,
    /// More, for people.
    pub(crate) details: String,
}

impl Draft {
    /// An entry about no wallet in particular.
    pub(crate) fn new(operation: Operation, outcome: Outcome) -> Self {
        Self {
            operation,
            outcome,
            wallet: None,
            reason: String::new(),
            subject: None,
            details: String::new(),
        }
    }

    pub(crate) fn wallet(mut self, wallet: impl Into<AccountAddress>) -> Self {
        self.wallet = Some(wallet.into());
        self
    }

    pub(crate) fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = reason.into();
        self
    }

    pub(crate) fn subject(mut self, subject: [u8; 32]) -> Self {
        self.subject = Some(subject);
        self
    }

    pub(crate) fn details(mut self, details: impl Into<String>) -> Self {
        self.details = details.into();
        self
    }
}

/// Signs the tree's head. Made of the vault key; wiped with the session.
pub(crate) struct HeadSigner {
    /// In locked memory, as the vault key: the key itself is made for each signature and wiped after it.
    seed: LockedKey,
    /// Hashes where requests come from, in memory of the same kind.
    client_key: LockedKey,
    address: Address,
    origin: String,
    /// Of the vault key that it was made of.
    epoch: u32,
    /// Whether that key was seen to be rotated away.
    retired: AtomicBool,
    /// The head that was signed or verified last: nearly always the one that is verified next.
    known: Mutex<Option<KnownHead>>,
}

/// A head, as [`head_message`] writes it, whose signature is this signer's.
struct KnownHead {
    message: Vec<u8>,
    signature: Signature,
}

impl HeadSigner {
    pub(crate) fn new(key: &VaultKey, header: &VaultHeader, best: Protection) -> Self {
        let seed = key.derive_subkey(KEY_LABEL);
        Self {
            address: SecretKey::from_seed(&seed).address(),
            seed: LockedKey::new(&seed, best),
            client_key: LockedKey::new(&key.derive_subkey(CLIENT_LABEL), best),
            origin: origin(&header.vault_id()),
            epoch: header.epoch(),
            retired: AtomicBool::new(false),
            known: Mutex::new(None),
        }
    }

    /// The public half, as the vault's row keeps it.
    pub(crate) fn address(&self) -> Address {
        self.address
    }

    /// The key for checkpoints, made for the occasion.
    pub(crate) fn expose_key(&self) -> SecretKey {
        SecretKey::from_seed(self.seed.expose_key())
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// A client's address and fingerprint, as entries keep them.
    pub(crate) fn client_hashes(&self, client: &ClientIdentity) -> [[u8; 32]; 2] {
        let key = self.client_key.expose_key();
        [
            client_hash(key, ClientField::Address, client.address()),
            client_hash(key, ClientField::Fingerprint, client.fingerprint()),
        ]
    }

    /// The keys of the seal over what is stored, made for the occasion.
    pub(crate) fn seal_keys(&self) -> SealKeys {
        SealKeys::new(self.seed.expose_key())
    }

    /// The vault key was seen to be rotated away.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    /// Whether the vault key was seen to be rotated away.
    pub(crate) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// Says that `key` signed the entries below `until`, and not since.
    pub(crate) fn sign_retired(&self, key: &Address, until: u64) -> Signature {
        clearing_stack(|| self.expose_key().sign(&retired_message(&self.origin, key, until)))
    }

    /// Signs the vault's settings; the message begins with a domain of its own.
    pub(crate) fn sign_settings(&self, message: &[u8]) -> Signature {
        clearing_stack(|| self.expose_key().sign(message))
    }

    fn sign(&self, frontier: &Frontier) -> Signature {
        let message = head_message(&self.origin, frontier);
        let signature = clearing_stack(|| self.expose_key().sign(&message));
        self.know(message, signature);
        signature
    }

    /// Whether this edge's signature is this signer's. Whether the same bytes verify does not change, so those of the last
    /// head are not verified again.
    fn verifies(&self, frontier: &Frontier, signature: &Signature) -> bool {
        let message = head_message(&self.origin, frontier);
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = known
            .as_ref()
            .is_some_and(|head| head.signature == *signature && head.message == message);
        drop(known);
        if is_known {
            return true;
        }
        let is_own = verify(&self.address, &message, signature).is_ok();
        if is_own {
            self.know(message, *signature);
        }
        is_own
    }

    fn know(&self, message: Vec<u8>, signature: Signature) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(KnownHead { message, signature });
    }
}

/// The bytes of a signed head: domain, length of the origin and the origin, size, root.
fn head_message(origin: &str, frontier: &Frontier) -> Vec<u8> {
    let mut message = Vec::with_capacity(HEAD_DOMAIN.len() + origin.len() + 48);
    message.extend_from_slice(HEAD_DOMAIN);
    message.extend_from_slice(&u64::try_from(origin.len()).unwrap_or(u64::MAX).to_be_bytes());
    message.extend_from_slice(origin.as_bytes());
    message.extend_from_slice(&frontier.size().to_be_bytes());
    message.extend_from_slice(&frontier.root());
    message
}

/// The bytes of a retired key's statement: domain, length of the origin and the origin, end, key.
fn retired_message(origin: &str, key: &Address, until: u64) -> Vec<u8> {
    let mut message = Vec::with_capacity(RETIRED_DOMAIN.len() + origin.len() + 48);
    message.extend_from_slice(RETIRED_DOMAIN);
    message.extend_from_slice(&u64::try_from(origin.len()).unwrap_or(u64::MAX).to_be_bytes());
    message.extend_from_slice(origin.as_bytes());
    message.extend_from_slice(&until.to_be_bytes());
    message.extend_from_slice(key.as_bytes());
    message
}

/// Whether the key in force vouches for a retired one.
pub(crate) fn retired_verifies(current: &Address, origin: &str, row: &AuditKeyRow) -> bool {
    verify(
        current,
        &retired_message(origin, &row.key, row.until),
        &row.signature,
    )
    .is_ok()
}

/// Whether a head signature is by this key over this edge.
pub(crate) fn head_verifies(key: &Address, origin: &str, frontier: &Frontier, signature: &Signature) -> bool {
    verify(key, &head_message(origin, frontier), signature).is_ok()
}

/// The recorded edge of the log.
#[derive(Clone, Debug)]
pub(crate) struct LedgerState {
    pub(crate) size: u64,
    pub(crate) frontier: Frontier,
    /// The size at the last entry with a signed head.
    pub(crate) signed_size: u64,
    pub(crate) signed_frontier: Frontier,
    /// Over the signed edge.
    pub(crate) head_signature: Signature,
    /// The time of the last entry, in milliseconds since the Unix epoch.
    pub(crate) last_ms: u64,
    /// The seal over what is stored, bound to the signed edge; none of a vault that was never sealed.
    pub(crate) seal: Option<Vec<u8>>,
}

impl LedgerState {
    /// Reads the stored row; the error is for people.
    pub(crate) fn from_stored(
        size: i64,
        frontier: &[u8],
        signed_size: i64,
        signed_frontier: &[u8],
        head_signature: &[u8],
        last_at: i64,
        seal: Option<Vec<u8>>,
    ) -> Result<Self, String> {
        let bad = |_| "its state row does not read".to_owned();
        let state = Self {
            size: u64::try_from(size).map_err(|error| bad(error.to_string()))?,
            frontier: Frontier::from_bytes(frontier).map_err(|error| bad(error.to_string()))?,
            signed_size: u64::try_from(signed_size).map_err(|error| bad(error.to_string()))?,
            signed_frontier: Frontier::from_bytes(signed_frontier).map_err(|error| bad(error.to_string()))?,
            head_signature: Signature::try_from(head_signature).map_err(|error| bad(error.to_string()))?,
            last_ms: u64::try_from(last_at).map_err(|error| bad(error.to_string()))?,
            seal,
        };
        let fits = state.frontier.size() == state.size
            && state.signed_frontier.size() == state.signed_size
            && state.signed_size <= state.size;
        if fits {
            Ok(state)
        } else {
            Err("its state row contradicts itself".to_owned())
        }
    }
}

/// An entry ready to be stored.
#[derive(Debug)]
pub(crate) struct LedgerRow {
    pub(crate) entry: AuditEntry,
    pub(crate) leaf_hash: Hash,
    pub(crate) head_signature: Option<Signature>,
}

/// Who appends, and with what key.
#[derive(Clone, Copy)]
pub(crate) struct Scribe<'a> {
    pub(crate) actor: &'a str,
    /// From where, if that is known.
    pub(crate) client: Option<&'a ClientIdentity>,
    /// `None` while the vault is locked.
    pub(crate) signer: Option<&'a HeadSigner>,
}

/// The end of the log inside one database transaction.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// `None` before the first entry of a new vault.
    state: Option<LedgerState>,
    /// Sequence of the newest row there is.
    newest: Option<i64>,
    /// The entries after the signed edge.
    tail: Vec<StoredEntry>,
    /// Of the vault key in force; `None` before there is a vault.
    epoch: Option<u32>,
    verified: bool,
    appended: Vec<LedgerRow>,
    seal: Sealing,
}

impl Ledger {
    /// The most entries that may wait for a signature. Beyond it, nothing more is written until the vault is
    /// unlocked, so that a locked vault cannot be made to fill the disk.
    pub(crate) const MAX_UNSIGNED: u32 = 10_000;

    /// The log of a vault about to be made.
    pub(crate) fn empty() -> Self {
        Self {
            state: None,
            newest: None,
            tail: Vec::new(),
            epoch: None,
            verified: true,
            appended: Vec::new(),
            seal: Sealing::default(),
        }
    }

    /// The log as the store has it.
    pub(crate) fn resume(
        state: LedgerState,
        newest: Option<i64>,
        tail: Vec<StoredEntry>,
        epoch: u32,
    ) -> Self {
        Self {
            state: Some(state),
            newest,
            tail,
            epoch: Some(epoch),
            verified: false,
            appended: Vec::new(),
            seal: Sealing::default(),
        }
    }

    /// Number of entries, those appended included.
    pub(crate) fn size(&self) -> u64 {
        self.state.as_ref().map_or(0, |state| state.size)
    }

    /// Number of entries up to and with the last signed one.
    pub(crate) fn signed_size(&self) -> u64 {
        self.state.as_ref().map_or(0, |state| state.signed_size)
    }

    /// Number of entries that wait for a signature.
    pub(crate) fn unsigned(&self) -> u64 {
        self.size() - self.signed_size()
    }

    /// The tree's root, entries appended included.
    pub(crate) fn root(&self) -> Hash {
        self.state
            .as_ref()
            .map_or_else(|| Frontier::new().root(), |state| state.frontier.root())
    }

    /// The time of the last entry, in milliseconds since the Unix epoch.
    pub(crate) fn last_ms(&self) -> u64 {
        self.state.as_ref().map_or(0, |state| state.last_ms)
    }

    /// The edge as it is now, whether it is stored or not; none before the first entry of a new vault.
    pub(crate) fn edge(&self) -> Option<&LedgerState> {
        self.state.as_ref()
    }

    pub(crate) fn appended(&self) -> &[LedgerRow] {
        &self.appended
    }

    /// The entries that were appended, once they are stored.
    pub(crate) fn into_appended(self) -> Vec<LedgerRow> {
        self.appended
    }

    /// The edge to store, when anything was appended.
    ///
    /// # Errors
    /// [`CustodyError::AuditBroken`] when the log has no signed edge at all, which only a new vault could, and its
    /// first entry is signed.
    pub(crate) fn edge_to_store(&self) -> Result<Option<&LedgerState>, CustodyError> {
        if self.appended.is_empty() && !self.seal.is_closed() {
            return Ok(None);
        }
        self.state
            .as_ref()
            .map(Some)
            .ok_or_else(|| broken(0, "it has no signed beginning"))
    }

    /// Verifies that the log ends as its signed edge says, by a key that is in force.
    ///
    /// # Errors
    /// [`CustodyError::AuditBroken`], naming the first entry known to be bad; [`CustodyError::KeyRotated`] where the
    /// signer's vault key is no longer the vault's, and the signer is marked as retired then.
    pub(crate) fn verify_edge(&mut self, signer: &HeadSigner) -> Result<(), CustodyError> {
        match self.epoch {
            Some(epoch) if epoch > signer.epoch => {
                signer.retire();
                return Err(CustodyError::KeyRotated);
            }
            Some(epoch) if epoch < signer.epoch => {
                return Err(broken(self.size(), "the vault header is of an older key"));
            }
            _ => {}
        }
        self.check_newest()?;
        let Some(state) = self.state.as_ref().filter(|_| !self.verified) else {
            return self.seal.begin(signer, self.state.as_ref());
        };
        if !signer.verifies(&state.signed_frontier, &state.head_signature) {
            return Err(broken(
                state.signed_size.saturating_sub(1),
                "its signed edge does not verify",
            ));
        }
        let mut frontier = state.signed_frontier.clone();
        let mut sequence = state.signed_size;
        for row in &self.tail {
            frontier.push(row.leaf(sequence).map_err(|reason| broken(sequence, &reason))?);
            sequence += 1;
        }
        if frontier != state.frontier {
            return Err(broken(
                sequence.min(state.size),
                "the recorded edge of the tree does not match its entries",
            ));
        }
        self.seal.begin(signer, self.state.as_ref())?;
        self.verified = true;
        Ok(())
    }

    /// The seal over what is stored, as this transaction keeps it.
    pub(crate) fn seal(&self) -> &Sealing {
        &self.seal
    }

    pub(crate) fn seal_mut(&mut self) -> &mut Sealing {
        &mut self.seal
    }

    /// Whether there is a seal that a change must be put under.
    pub(crate) fn is_sealed(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.seal.is_some())
    }

    /// Puts what the transaction changed under the seal, after everything was appended.
    ///
    /// # Errors
    /// [`CustodyError::Locked`] where there is a seal and no key to keep it with.
    pub(crate) fn close_seal(&mut self, changes: &Changes) -> Result<(), CustodyError> {
        let moved = self.appended.iter().any(|row| row.head_signature.is_some());
        match &mut self.state {
            Some(state) => self.seal.close(changes, state, moved),
            None => Ok(()),
        }
    }

    /// From here on the log is signed by the next vault key's signer. The edge must have been verified by the old.
    pub(crate) fn rekeyed(&mut self, next: &HeadSigner) -> Result<(), CustodyError> {
        if !self.verified {
            return Err(broken(
                self.size(),
                "its edge was not verified before the key was rotated",
            ));
        }
        self.epoch = Some(next.epoch);
        self.seal.rekey(next);
        Ok(())
    }

    /// The rows must end where the recorded edge does: a row cut off, or one too many, stops everything.
    fn check_newest(&self) -> Result<(), CustodyError> {
        let stored = self.newest.map_or(Some(0), |newest| {
            u64::try_from(newest).ok().map(|newest| newest + 1)
        });
        let recorded = self.size() - count(&self.appended);
        if self.state.is_none() || stored == Some(recorded) {
            return Ok(());
        }
        Err(broken(
            stored.unwrap_or(0).min(recorded),
            "entries were cut off or put in",
        ))
    }

    /// Appends an entry. Its time is never before the last one's, so that the log stays in order even when the
    /// clock does not; what must not happen under a clock that is behind is refused by the caller.
    ///
    /// # Errors
    /// [`CustodyError::AuditBroken`] when the log does not end as it should, [`CustodyError::AuditUnwritable`] when
    /// too many entries wait for a signature.
    pub(crate) fn append(
        &mut self,
        now_ms: u64,
        scribe: Scribe<'_>,
        draft: Draft,
    ) -> Result<u64, CustodyError> {
        match scribe.signer {
            Some(signer) => self.verify_edge(signer)?,
            None => self.check_newest()?,
        }
        let sequence = self.size();
        // Without a key there is no keyed hash: entries made while locked say nothing of the client.
        let hashes = scribe
            .signer
            .zip(scribe.client)
            .map(|(signer, client)| signer.client_hashes(client));
        let entry = AuditEntry {
            sequence,
            time_ms: now_ms.max(self.last_ms()),
            actor: bounded(scribe.actor, MAX_ACTOR_BYTES),
            operation: draft.operation,
            wallet: draft.wallet,
            outcome: draft.outcome,
            reason: bounded(&draft.reason, MAX_REASON_BYTES),
            subject: draft.subject,
            details: bounded(&draft.details, MAX_DETAILS_BYTES),
            client_address: hashes.map(|[address, _]| address),
            client_fingerprint: hashes.map(|[_, fingerprint]| fingerprint),
        };
        let leaf_hash = entry.leaf_hash();
        let mut frontier = self
            .state
            .as_ref()
            .map_or_else(Frontier::new, |state| state.frontier.clone());
        frontier.push(leaf_hash);
        let signer = scribe.signer.filter(|_| !stands_unsigned(&entry));
        let head_signature = signer.map(|signer| signer.sign(&frontier));
        let seal = self.state.as_ref().and_then(|state| state.seal.clone());
        match (&mut self.state, head_signature) {
            (state, Some(signature)) => {
                *state = Some(LedgerState {
                    size: sequence + 1,
                    frontier: frontier.clone(),
                    signed_size: sequence + 1,
                    signed_frontier: frontier,
                    head_signature: signature,
                    last_ms: entry.time_ms,
                    seal,
                });
            }
            (Some(state), None) => {
                if !stands_unsigned(&entry) {
                    return Err(CustodyError::Locked);
                }
                if state.size - state.signed_size >= u64::from(Self::MAX_UNSIGNED) {
                    return Err(CustodyError::AuditUnwritable(Box::new(CustodyError::Locked)));
                }
                state.size = sequence + 1;
                state.frontier = frontier;
                state.last_ms = entry.time_ms;
            }
            (None, None) => return Err(CustodyError::Locked),
        }
        self.appended.push(LedgerRow {
            entry,
            leaf_hash,
            head_signature,
        });
        Ok(sequence)
    }
}

fn count<T>(items: &[T]) -> u64 {
    items.len() as u64 // usize has at most 64 bits
}

fn broken(sequence: u64, reason: &str) -> CustodyError {
    CustodyError::AuditBroken {
        sequence,
        reason: reason.to_owned(),
    }
}

/// The beginning of a text, cut at a character, control characters replaced: entries are shown in terminals.
fn bounded(text: &str, max_bytes: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max_bytes));
    for c in text.chars() {
        let c = if c.is_control() { ' ' } else { c };
        if out.len() + c.len_utf8() > max_bytes {
            break;
        }
        out.push(c);
    }
    out
}
