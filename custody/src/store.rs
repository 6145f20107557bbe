//! What the services ask of a store, in words of their own: no SQL and no database types.
//!
//! Every change is one call of [`Store::transact`]: the store takes its write lock, gathers the facts that were
//! asked for, hands them to a pure closure, and applies what the closure decides, all in one database
//! transaction. So whatever a decision rests on (a limit, a counter, the edge of the audit tree) cannot change
//! under it, in this process or another. Audit entries are part of the same transaction as what they record.
//!
//! Specification: `docs/decisions` and DESIGN section 5. It does not judge anything: policy, limits and the
//! audit tree are the callers'.

mod audit_filter;
mod batch;
mod book;
mod columns;
#[cfg(test)]
mod contract;
mod directory;
pub(crate) mod holdings;
pub(crate) mod jobs;
pub(crate) mod key_chain;
mod open;
mod owners;
mod paging;
mod postgres;
pub(crate) mod rotation;
pub(crate) mod rows;
pub(crate) mod seal;
mod sqlite;
mod tally;
mod versions;

use std::sync::Arc;

use async_trait::async_trait;
use keyward_core::account::AccountAddress;
use keyward_core::address::{Address, Signature};
use keyward_core::audit::Operation;
use keyward_core::path::PathFamily;
use keyward_core::policy::{WalletSignature, Window};
use keyward_core::vault::{RecordPublicKey, VaultHeader};

use crate::attempts::{Attempt, AttemptId, AttemptQuery, AttemptState, NewAttempt};
use crate::audit::AuditQuery;
use crate::audit::ledger::{Ledger, LedgerState};
use crate::audit::stored::StoredEntry;
use crate::book::{Contact, ContactPage, ContactQuery};
use crate::error::CustodyError;
use crate::jobs::{Batch, ItemFilter, JobId, JobItem, JobQuery};
use crate::owners::{Owner, OwnerPage, OwnerQuery};
use crate::settings::{SettingsRow, VaultSettings};
use crate::transfer::TransferAmount;
use crate::wallets::{Wallet, WalletPage, WalletQuery, WalletState};
use crate::witness::Witness;
pub(crate) use book::{BookWrite, ContactFacts, KnownFrom, KnownRow};
pub(crate) use open::OpenStore;
pub(crate) use owners::{LifeWrite, OwnerFacts, OwnerPlace};
use rotation::{RecordRef, RotationAsk, RotationFacts, RotationState, RotationWrite, StagedRecord, Unstaged};
pub(crate) use versions::schema_state;
pub use versions::{SchemaState, SchemaStep};

/// The most wallets, intents or windows of one question; the services stay far below.
const MAX_ASKED: usize = 1_000;

/// The most checkpoints that one verification reads.
const MAX_CHECKPOINTS: i64 = 100_000;

/// A store of one vault.
#[async_trait]
pub(crate) trait Store: Send + Sync {
    /// Read, decide, write, in one transaction. An error from the closure changes nothing.
    async fn transact(&self, commit: Commit, ask: Ask, decide: Decide<'_>) -> Result<Applied, CustodyError>;

    /// The facts alone, from one consistent snapshot, without the write lock.
    async fn look(&self, ask: Ask) -> Result<Facts, CustodyError>;

    /// The vault, the policy in force and the number of wallets.
    async fn overview(&self) -> Result<Option<Overview>, CustodyError>;

    /// How many wallets there are. A handle that asks for the first time counts them all, which takes longer than all the rest
    /// of an unlock: it is for summaries.
    async fn wallet_count(&self) -> Result<u64, CustodyError>;

    /// A page of wallets; the query's bounds were checked by the caller.
    async fn wallets(&self, query: &WalletQuery) -> Result<WalletPage, CustodyError>;

    /// The wallet at this address.
    async fn wallet_by_address(&self, address: &AccountAddress) -> Result<Option<Wallet>, CustodyError>;

    /// The wallets with exactly this label, at most two, and their number.
    async fn wallets_by_label(&self, label: &str) -> Result<WalletPage, CustodyError>;

    /// The wallets at this place, at most two, and their number. The phrase is the vault's first where none is named,
    /// the family the phrase's own.
    async fn wallets_by_index(&self, at: WalletPlace) -> Result<WalletPage, CustodyError>;

    /// Wallets by their keys' age, and how many there are in all; the list's bounds were checked by the caller.
    async fn key_list(&self, list: key_chain::KeyList) -> Result<WalletPage, CustodyError>;

    /// The phrases, without what is sealed, each with how far its families were used and its number of wallets.
    async fn masters(&self) -> Result<Vec<MasterSummaryRow>, CustodyError>;

    /// The audit log's retired keys, in their order.
    async fn audit_keys(&self) -> Result<Vec<AuditKeyRow>, CustodyError>;

    /// Tags with their number of wallets, by name.
    async fn tags(&self) -> Result<Vec<(String, u64)>, CustodyError>;

    /// Entries that match, and their number, of those before the entry `below` if there is one; the rows are not
    /// verified.
    async fn audit_page(
        &self,
        query: &AuditQuery,
        below: Option<u64>,
    ) -> Result<(u64, Vec<StoredEntry>), CustodyError>;

    /// How many entries before `below` match, by operation and outcome.
    async fn audit_counts(&self, query: &AuditQuery, below: u64) -> Result<Vec<AuditCountRow>, CustodyError>;

    /// Where the log stands: its recorded edge and what rows there are.
    async fn audit_head(&self) -> Result<AuditHead, CustodyError>;

    /// Entries from this sequence on, in order.
    async fn audit_rows(&self, from: i64, limit: u32) -> Result<Vec<StoredEntry>, CustodyError>;

    /// The kept checkpoints, by size.
    async fn audit_checkpoints(&self) -> Result<Vec<StoredCheckpoint>, CustodyError>;

    /// Owners that match, by name, and their number; the query's bounds were checked by the caller.
    async fn owners(&self, query: &OwnerQuery) -> Result<OwnerPage, CustodyError>;

    /// The owner of exactly this name.
    async fn owner(&self, name: &str) -> Result<Option<Owner>, CustodyError>;

    /// Contacts that match, by label, and their number; the query's bounds were checked by the caller.
    async fn contacts(&self, query: &ContactQuery) -> Result<ContactPage, CustodyError>;

    /// The contact with this label or at this address.
    async fn contact(&self, name: &str) -> Result<Option<Contact>, CustodyError>;

    /// Every address that people here may mean, at most so many of each source: own Solana wallets, contacts, and whom
    /// transfers that landed went to.
    async fn known(&self, limit: u32) -> Result<Vec<KnownRow>, CustodyError>;

    /// Empties whatever the store keeps of what was overwritten, as far as it can: the journal. Whether it could.
    async fn scrub(&self) -> Result<bool, CustodyError>;

    /// Attempts, the newest first.
    async fn attempts(&self, query: &AttemptQuery) -> Result<Vec<Attempt>, CustodyError>;

    /// The networks of which balances are kept, by name, at most so many.
    async fn cached_networks(&self, limit: u32) -> Result<Vec<String>, CustodyError>;

    /// What is kept of balances; the page's bound was checked by the caller.
    async fn cached_balances(
        &self,
        page: &holdings::HoldingsPage,
    ) -> Result<Vec<holdings::BalanceRow>, CustodyError>;

    /// What is kept of token accounts.
    async fn cached_tokens(
        &self,
        page: &holdings::HoldingsPage,
    ) -> Result<Vec<holdings::TokenRow>, CustodyError>;

    /// What is kept of mints.
    async fn cached_mints(
        &self,
        page: &holdings::HoldingsPage,
    ) -> Result<Vec<holdings::MintRow>, CustodyError>;

    /// A page of jobs, the newest first; the query's bounds were checked by the caller.
    async fn jobs(&self, query: &JobQuery) -> Result<Vec<jobs::JobRow>, CustodyError>;

    /// A job, and what is counted of it.
    async fn job(&self, id: JobId) -> Result<Option<jobs::CountedJob>, CustodyError>;

    /// A job with all that a run of it begins with, from one snapshot.
    async fn job_run(&self, id: JobId) -> Result<Option<jobs::JobRun>, CustodyError>;

    /// Items of a job after this number, at most so many, in their order.
    async fn job_items(
        &self,
        id: JobId,
        filter: ItemFilter,
        after: Option<u32>,
        limit: u32,
    ) -> Result<Vec<JobItem>, CustodyError>;

    /// Transactions of a job after this number, at most so many, in their order.
    async fn job_batches(&self, id: JobId, after: u32, limit: u32) -> Result<Vec<Batch>, CustodyError>;

    /// The rotation of the vault key under way, and how far it is.
    async fn rotation(&self) -> Result<Option<RotationState>, CustodyError>;

    /// Records that are not staged as they are now: the wallets after this id, at most so many, in their order; and with
    /// 0 the phrases before them. Purged wallets have none.
    async fn unstaged(&self, after: i64, limit: u32) -> Result<Unstaged, CustodyError>;

    /// What is staged after this record, at most so many, in order.
    async fn staged(&self, after: Option<RecordRef>, limit: u32) -> Result<Vec<StagedRecord>, CustodyError>;

    /// Checks the database's own structure.
    async fn check_integrity(&self) -> Result<(), CustodyError>;

    /// The whole store as it stands, until it is released.
    async fn dump(&self, hold: rows::Hold) -> Result<Box<dyn rows::Source>, CustodyError>;

    /// The store, to be filled while nobody else writes to it.
    async fn fill(&self) -> Result<Box<dyn rows::Target>, CustodyError>;

    /// Who is told of every commit.
    fn witness(&self) -> &Witness;
}

/// How durable a transaction is when it returns. In either case it outlives the end of this process, and whatever is
/// committed after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commit {
    /// It outlives a power cut.
    Durable,
    /// A power cut may take it back, until the next durable one or until the store is closed.
    Ordered,
}

/// A pure decision: facts and the audit ledger in, changes out.
pub(crate) type Decide<'a> =
    Box<dyn FnOnce(&mut Ledger, Facts) -> Result<Vec<Write>, CustodyError> + Send + 'a>;

/// What a decision needs to know. The vault, the policy's version and the audit ledger always come with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    /// Sealed keys and counters of these wallets; those unknown are left out of the answer.
    pub(crate) wallets: Vec<AccountAddress>,
    /// Which of these addresses are wallets already.
    pub(crate) known: Vec<AccountAddress>,
    /// Which of these addresses are wallets in use.
    pub(crate) own: Vec<Address>,
    /// How far back the rate limit looks, in milliseconds; 0 counts nothing.
    pub(crate) rate_window_ms: u64,
    /// These intents, by hash.
    pub(crate) intents: Vec<[u8; 32]>,
    /// What is reserved in these sliding windows.
    pub(crate) windows: Vec<SpendWindow>,
    /// This sealed phrase, and how far this family of it was used.
    pub(crate) master: Option<MasterAsk>,
    /// Where this wallet stands in its chain of keys.
    pub(crate) key_chain: Option<key_chain::KeyChainAsk>,
    /// Every sealed phrase.
    pub(crate) masters: bool,
    /// The owners of these names.
    pub(crate) owners: Vec<String>,
    /// And those of the wallets asked for.
    pub(crate) owners_of_wallets: bool,
    /// The contacts with these labels or addresses.
    pub(crate) contacts: Vec<String>,
    /// Which of the wallets asked for have a transfer under way.
    pub(crate) in_flight: bool,
    /// Everything that is sealed or signed under the vault key.
    pub(crate) everything: bool,
    /// This attempt.
    pub(crate) attempt: Option<AttemptLookup>,
    /// Whether an unresolved attempt makes the same payment.
    pub(crate) same_payment: Option<Payment>,
    /// Audit entries whose retention is over.
    pub(crate) redact: Option<RedactAsk>,
    /// Whether the log says that there is a seal, where there is none.
    pub(crate) sealed_before: bool,
    /// Whether the unsigned end of the audit log is needed, to verify its edge.
    pub(crate) unsigned_tail: bool,
    /// What of the rotation of the vault key.
    pub(crate) rotation: RotationAsk,
    /// What of a job.
    pub(crate) job: Option<jobs::JobAsk>,
    /// These intents are about to end. A store that writes later what is decided now reads beforehand how they stand.
    pub(crate) ending: Vec<[u8; 32]>,
}

impl Ask {
    /// Whether it asks for nothing but what a signature goes by.
    pub(crate) fn is_for_signing(&self) -> bool {
        // Every question is named here, so that a new one does not compile before somebody has said whether it is one.
        let Self {
            wallets: _,
            known,
            own: _,
            rate_window_ms: _,
            intents: _,
            windows: _,
            master,
            key_chain,
            masters,
            owners,
            owners_of_wallets,
            contacts,
            in_flight,
            everything,
            attempt,
            same_payment,
            redact,
            sealed_before,
            unsigned_tail: _,
            rotation,
            job,
            ending: _,
        } = self;
        let flags = *masters || *owners_of_wallets || *in_flight || *everything || *sealed_before;
        let lists = !known.is_empty() || !owners.is_empty() || !contacts.is_empty();
        let rows = master.is_some()
            || key_chain.is_some()
            || attempt.is_some()
            || same_payment.is_some()
            || redact.is_some()
            || job.is_some();
        !flags && !lists && !rows && matches!(rotation, RotationAsk::No)
    }
}

/// Audit entries past their retention, the earliest first, of the signed part of the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct RedactAsk {
    /// Operations, and the time before which their entries are asked for, in milliseconds.
    pub(crate) classes: Vec<(Vec<Operation>, u64)>,
    /// The most of them.
    pub(crate) limit: u32,
}

/// A phrase and a family of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MasterAsk {
    /// The vault's first if none is named.
    pub(crate) id: Option<i64>,
    /// The phrase's own if none is named.
    pub(crate) family: Option<PathFamily>,
}

/// Where a derived wallet is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WalletPlace {
    pub(crate) master: Option<i64>,
    pub(crate) family: Option<PathFamily>,
    pub(crate) index: u32,
}

/// One sliding window to sum.
#[derive(Clone, Debug)]
pub(crate) struct SpendWindow {
    /// The asset, as policy writes it.
    pub(crate) asset: String,
    /// How far back, in milliseconds.
    pub(crate) duration_ms: u64,
}

impl SpendWindow {
    /// A window of a policy.
    pub(crate) fn of(window: &Window) -> Self {
        Self {
            asset: window.asset.to_string(),
            duration_ms: window.duration_ms,
        }
    }
}

/// How an attempt is found.
#[derive(Clone, Debug)]
pub(crate) enum AttemptLookup {
    /// By its id.
    Id(AttemptId),
    /// By its transaction's signature.
    Signature(Signature),
}

/// What makes two attempts the same payment.
#[derive(Clone, Debug)]
pub(crate) struct Payment {
    pub(crate) wallet: Address,
    pub(crate) recipient: Address,
    pub(crate) amount: TransferAmount,
    pub(crate) network: String,
}

/// What was asked for, as it stands inside the transaction.
#[derive(Debug)]
pub(crate) struct Facts {
    /// The clock, read after the write lock was had, so that no other writer's time can lie after it.
    pub(crate) now_ms: u64,
    /// The vault, if there is one.
    pub(crate) vault: Option<VaultRow>,
    /// The policy in force; 0 when there is none.
    pub(crate) policy_version: u32,
    /// The wallets asked for.
    pub(crate) wallets: Vec<SealedWallet>,
    /// The intents asked for.
    pub(crate) intents: Vec<IntentRow>,
    /// The windows asked for, in the order asked.
    pub(crate) spent: Vec<u128>,
    /// Those addresses that are wallets already.
    pub(crate) known: Vec<AccountAddress>,
    /// Those addresses that are wallets in use.
    pub(crate) own: Vec<Address>,
    /// The sealed phrase.
    pub(crate) master: Option<MasterRow>,
    /// Where the wallet asked about stands in its chain of keys.
    pub(crate) key_chain: Option<key_chain::KeyChain>,
    /// Every sealed phrase, with its own family, when asked for.
    pub(crate) masters: Vec<MasterRow>,
    /// The owners asked for, each once, by id.
    pub(crate) owners: Vec<OwnerFacts>,
    /// The contacts asked for, each once.
    pub(crate) contacts: Vec<ContactFacts>,
    /// The ids of those wallets that have a transfer under way.
    pub(crate) in_flight: Vec<i64>,
    /// Everything that is sealed or signed, when asked for.
    pub(crate) everything: Option<Everything>,
    /// The attempt asked for.
    pub(crate) attempt: Option<Attempt>,
    /// The entries to redact, unverified, in the order of the log.
    pub(crate) redactable: Vec<StoredEntry>,
    /// The oldest unresolved attempt that makes the payment asked about.
    pub(crate) same_payment: Option<Signature>,
    /// What was asked for of the rotation of the vault key.
    pub(crate) rotation: RotationFacts,
    /// The job asked for.
    pub(crate) job: Option<jobs::JobFacts>,
    /// Whether the log says that what is stored was sealed, when asked for.
    pub(crate) sealed_before: bool,
}

/// A row of `vaults`.
#[derive(Clone, Debug)]
pub(crate) struct VaultRow {
    pub(crate) id: [u8; 16],
    pub(crate) header: Vec<u8>,
    pub(crate) audit_key: [u8; 32],
    pub(crate) failed_unlocks: u32,
    pub(crate) locked_until_ms: u64,
    pub(crate) created_ms: u64,
    /// The settings as they stand there, unverified; none where they were never changed.
    pub(crate) settings: Option<SettingsRow>,
}

impl Facts {
    /// Facts that are still to be filled in.
    pub(crate) fn bare(now_ms: u64, vault: Option<VaultRow>, policy_version: u32) -> Self {
        Self {
            now_ms,
            vault,
            policy_version,
            wallets: Vec::new(),
            intents: Vec::new(),
            spent: Vec::new(),
            known: Vec::new(),
            own: Vec::new(),
            master: None,
            key_chain: None,
            masters: Vec::new(),
            owners: Vec::new(),
            contacts: Vec::new(),
            in_flight: Vec::new(),
            everything: None,
            attempt: None,
            redactable: Vec::new(),
            same_payment: None,
            rotation: RotationFacts::default(),
            job: None,
            sealed_before: false,
        }
    }

    /// The vault's settings; the defaults before there is a vault.
    ///
    /// # Errors
    /// [`CustodyError::Damaged`] for settings that the vault's key did not sign.
    pub(crate) fn settings(&self) -> Result<Arc<VaultSettings>, CustodyError> {
        self.vault
            .as_ref()
            .map_or_else(|| Ok(Arc::default()), VaultRow::settings)
    }
}

impl VaultRow {
    /// # Errors
    /// [`CustodyError::Damaged`]: a header that does not read says nothing about the key in force.
    pub(crate) fn read_header(&self) -> Result<VaultHeader, CustodyError> {
        VaultHeader::from_bytes(&self.header).map_err(|error| CustodyError::damaged(error.to_string()))
    }
}

/// A row of `master_wallets` with one of its derivations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MasterRow {
    pub(crate) id: i64,
    pub(crate) record: [u8; 16],
    pub(crate) epoch: u32,
    pub(crate) label: String,
    /// The family asked for, or the phrase's own.
    pub(crate) family: String,
    pub(crate) next_index: u32,
    pub(crate) sealed: Vec<u8>,
}

/// What a list of phrases shows of one.
#[derive(Clone, Debug)]
pub(crate) struct MasterSummaryRow {
    pub(crate) id: i64,
    pub(crate) label: String,
    pub(crate) family: String,
    pub(crate) created_ms: u64,
    pub(crate) wallets: u64,
    /// Families with their next index, by name.
    pub(crate) derivations: Vec<(String, u32)>,
}

/// What the vault key seals and signs: all of it changes when that key does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Everything {
    pub(crate) masters: Vec<MasterRow>,
    pub(crate) wallets: Vec<SealedWallet>,
    pub(crate) policies: Vec<PolicyRow>,
    pub(crate) audit_keys: Vec<AuditKeyRow>,
}

/// A row of `audit_keys`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuditKeyRow {
    pub(crate) until: u64,
    pub(crate) key: Address,
    pub(crate) signature: Signature,
}

/// A wallet with its sealed key and its counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SealedWallet {
    pub(crate) id: i64,
    pub(crate) address: AccountAddress,
    pub(crate) public_key: RecordPublicKey,
    pub(crate) own_password: bool,
    /// Wrong tries of its own password in a row.
    pub(crate) failed_passwords: u32,
    pub(crate) locked_until_ms: u64,
    pub(crate) record: [u8; 16],
    pub(crate) epoch: u32,
    pub(crate) sealed: Vec<u8>,
    /// Its owner, status and schedule.
    pub(crate) state: WalletState,
    /// Signatures authorised within the rate window.
    pub(crate) recent: u32,
    /// When the oldest of them was authorised.
    pub(crate) oldest_recent_ms: u64,
    /// When a signature was authorised last, however long ago.
    pub(crate) last_authorised_ms: Option<u64>,
    /// The native coin that its transactions were to move away from it, in base units.
    pub(crate) total_volume: u128,
}

/// A row of `intents`.
#[derive(Clone, Debug)]
pub(crate) struct IntentRow {
    pub(crate) hash: [u8; 32],
    /// The signature, when it was made.
    pub(crate) signature: Option<WalletSignature>,
    /// When it was authorised last.
    pub(crate) authorised_ms: u64,
}

/// The vault with what a summary shows.
#[derive(Clone, Debug)]
pub(crate) struct Overview {
    pub(crate) vault: VaultRow,
    pub(crate) family: String,
    pub(crate) policy: Option<PolicyRow>,
}

/// A row of `policies`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PolicyRow {
    pub(crate) version: u32,
    pub(crate) body: String,
    pub(crate) signature: Signature,
}

/// Where the audit log stands, unverified.
#[derive(Debug)]
pub(crate) struct AuditHead {
    /// The recorded edge, or what is wrong with its row.
    pub(crate) state: Result<LedgerState, String>,
    /// How many rows there are.
    pub(crate) rows: u64,
    /// The lowest sequence that is out of the log's range, if any.
    pub(crate) stray: Option<i64>,
    pub(crate) vault: VaultRow,
}

/// How many entries have this operation and outcome, unverified.
#[derive(Clone, Debug)]
pub(crate) struct AuditCountRow {
    pub(crate) operation: String,
    pub(crate) outcome: String,
    pub(crate) count: u64,
    /// The lowest sequence among them.
    pub(crate) first: u64,
}

/// A row of `audit_checkpoints`, unverified.
#[derive(Clone, Debug)]
pub(crate) struct StoredCheckpoint {
    pub(crate) size: i64,
    pub(crate) root: Vec<u8>,
    pub(crate) note: Vec<u8>,
}

/// One change.
#[derive(Debug)]
pub(crate) enum Write {
    Vault(Box<NewVaultRow>),
    Header(Vec<u8>),
    /// The settings from now on, in place of those before.
    Settings(SettingsRow),
    Lockout {
        failed_unlocks: u32,
        locked_until_ms: u64,
    },
    /// Where it is higher already, it stays: an index that was given out is never given out again.
    NextIndex {
        master: i64,
        family: PathFamily,
        next_index: u32,
    },
    /// A phrase without wallets; its id is told.
    Master(Box<NewMaster>),
    /// Wallets that are there already are left as they are.
    Wallets {
        /// The phrase and the family that they were derived from; none for imported ones.
        from: Option<(i64, PathFamily)>,
        rows: Vec<NewWallet>,
    },
    /// A tag for the wallet at an address.
    TagAddress {
        address: AccountAddress,
        tag: String,
    },
    /// A wallet's record sealed anew.
    WalletSealed {
        wallet: i64,
        epoch: u32,
        own_password: bool,
        sealed: Vec<u8>,
    },
    WalletLockout {
        wallet: i64,
        failed_passwords: u32,
        locked_until_ms: u64,
    },
    PolicySignature {
        version: u32,
        signature: Signature,
    },
    /// The key that signs the audit log from now on, and all that did before it.
    AuditKeys {
        current: [u8; 32],
        retired: Vec<AuditKeyRow>,
    },
    /// A key replaced, retired, given more time, or scheduled.
    Key(key_chain::KeyChange),
    /// Of an owner, a place, a role, or the end of a wallet.
    Life(LifeWrite),
    /// Of the address book.
    Book(BookWrite),
    Label {
        wallet: i64,
        label: String,
    },
    Tag {
        wallet: i64,
        tag: String,
    },
    Untag {
        wallet: i64,
        tag: String,
    },
    Intent(NewIntent),
    /// An intent without a signature is authorised anew.
    IntentRenewed {
        hash: [u8; 32],
    },
    /// An amount is spent from now on.
    Reservation {
        intent: [u8; 32],
        wallet: i64,
        asset: String,
        amount: u128,
        /// Intents that may have reserved the same amount before, and when they were authorised. What they reserved
        /// is moved, so that it counts once.
        earlier: Vec<([u8; 32], u64)>,
    },
    IntentSigned {
        hash: [u8; 32],
        wallet: i64,
        signature: WalletSignature,
        /// What counts as used, the first time that the intent is signed; none for a message.
        trade: Option<Trade>,
    },
    IntentFailed {
        hash: [u8; 32],
    },
    Attempt {
        wallet: i64,
        new: Box<NewAttempt>,
    },
    AttemptState {
        id: AttemptId,
        state: AttemptState,
        slot: Option<u64>,
        error: Option<String>,
    },
    Checkpoint {
        size: u64,
        root: [u8; 32],
        note: String,
    },
    /// A step of the vault key's rotation.
    Rotation(RotationWrite),
    /// What nodes said, to be kept.
    Holdings(holdings::HoldingsWrite),
    /// Of a job, its items or its transactions.
    Job(jobs::JobWrite),
    /// Audit entries are emptied to their leaf; the entry `by` of the same transaction says so.
    Redact {
        sequences: Vec<i64>,
        by: u64,
    },
}

/// A signed transaction, as a wallet's usage counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trade {
    /// The native coin that it moves away from the wallet, in base units.
    pub(crate) volume: u128,
    /// What had been moved before, when last looked at: where adding up 128 bits takes a look first, it can be saved
    /// while this still holds.
    pub(crate) before: u128,
}

/// Everything a new vault consists of.
#[derive(Debug)]
pub(crate) struct NewVaultRow {
    pub(crate) id: [u8; 16],
    pub(crate) header: Vec<u8>,
    pub(crate) audit_key: [u8; 32],
    pub(crate) masters: Vec<NewMaster>,
    pub(crate) policies: Vec<PolicyRow>,
}

/// A phrase, sealed.
#[derive(Debug)]
pub(crate) struct NewMaster {
    pub(crate) record: [u8; 16],
    pub(crate) epoch: u32,
    pub(crate) label: String,
    pub(crate) family: PathFamily,
    pub(crate) sealed: Vec<u8>,
}

/// A wallet, its key sealed.
#[derive(Debug)]
pub(crate) struct NewWallet {
    /// Its index in the family; none for an imported one.
    pub(crate) index: Option<u32>,
    pub(crate) path: String,
    pub(crate) address: AccountAddress,
    /// What an Ethereum address is a hash of.
    pub(crate) public_key: Option<[u8; 33]>,
    pub(crate) label: String,
    pub(crate) own_password: bool,
    pub(crate) record: [u8; 16],
    pub(crate) epoch: u32,
    pub(crate) sealed: Vec<u8>,
}

/// An intent about to be authorised.
#[derive(Debug)]
pub(crate) struct NewIntent {
    pub(crate) hash: [u8; 32],
    pub(crate) wallet: i64,
    pub(crate) kind: IntentKind,
    pub(crate) network: String,
    pub(crate) policy_version: u32,
    pub(crate) message_sha256: [u8; 32],
}

/// What an intent signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IntentKind {
    Transaction,
    Message,
    OffChainMessage,
    SignIn,
    EvmTransaction,
    EvmMessage,
    TypedData,
}

impl IntentKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Message => "message",
            Self::OffChainMessage => "off-chain-message",
            Self::SignIn => "sign-in",
            Self::EvmTransaction => "evm-transaction",
            Self::EvmMessage => "evm-message",
            Self::TypedData => "typed-data",
        }
    }
}

/// What a transaction left behind that only the store could know.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// How many of the wallets were new.
    pub(crate) wallets_added: u64,
    /// The id of the new attempt.
    pub(crate) attempt: Option<i64>,
    /// The id of the last new phrase.
    pub(crate) master: Option<i64>,
    /// What the store tells of the rows under the seal that came and went.
    pub(crate) sealed: seal::Changes,
}

/// Runs one durable transaction whose decision gives a value of its own.
///
/// # Errors
/// The store's, or the decision's; nothing is changed then.
pub(crate) async fn transact<T, F>(
    store: &dyn Store,
    ask: Ask,
    decide: F,
) -> Result<(T, Applied), CustodyError>
where
    T: Send,
    F: FnOnce(&mut Ledger, Facts) -> Result<(Vec<Write>, T), CustodyError> + Send,
{
    transact_as(store, Commit::Durable, ask, decide).await
}

/// As [`transact`], as durable as asked for.
///
/// # Errors
/// As for [`transact`].
pub(crate) async fn transact_as<T, F>(
    store: &dyn Store,
    commit: Commit,
    ask: Ask,
    decide: F,
) -> Result<(T, Applied), CustodyError>
where
    T: Send,
    F: FnOnce(&mut Ledger, Facts) -> Result<(Vec<Write>, T), CustodyError> + Send,
{
    let mut value = None;
    let slot = &mut value;
    let applied = store
        .transact(
            commit,
            ask,
            Box::new(move |ledger, facts| {
                let (writes, decided) = decide(ledger, facts)?;
                *slot = Some(decided);
                Ok(writes)
            }),
        )
        .await
        .inspect_err(|error| {
            if error.is_fault() {
                store.witness().failed(error.code());
            }
        })?;
    // The store commits only after the closure has run, so a success without a value is a store that broke its word.
    let value = value.ok_or_else(|| CustodyError::damaged("the store committed without a decision"))?;
    Ok((value, applied))
}

/// A count as SQLite and PostgreSQL store it.
///
/// # Errors
/// [`CustodyError::Invalid`] over 2^63-1.
pub(crate) fn stored_integer(what: &'static str, value: u64) -> Result<i64, CustodyError> {
    i64::try_from(value)
        .map_err(|_| CustodyError::invalid(what, "it is over 2^63-1, more than the store can count"))
}
