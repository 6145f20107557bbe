//! The vault service: open a store, create, unlock, lock, change the password.
//!
//! The vault key lives in memory from unlock to lock and nowhere else; wallets' keys are opened for one signature
//! each (see [`crate::signing`]). It does not lock by itself after a while: that is the console's.

mod file;
mod lockout;
mod merge;
mod recovery;
mod rotation;
mod session;
mod unlock;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use keyward_core::audit::{Operation, Outcome};
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::policy::{Policy, PolicyLimits};
use keyward_core::vault::{
    CreateVault, KdfParams, MasterSecret, RecordContext, RecordId, RecordKind, RecordPublicKey, SecondFactor,
    SlotKind, VaultHeader, VaultId, seal_record,
};
use zeroize::Zeroizing;

use crate::audit::ledger::{Draft, Scribe};
use crate::audit::sealing::SEALED_FROM_THE_START;
use crate::builder::{CustodyBuilder, actor_name};
use crate::chain::SolanaNode;
use crate::client::ClientIdentity;
use crate::clock::{Clock, SystemClock};
use crate::error::{CustodyError, StorageError};
use crate::location::StoreLocation;
use crate::memory::Protection;
pub(crate) use crate::memory::clearing_stack;
use crate::metrics::{Metrics, NoMetrics};
use crate::password::Password;
use crate::settings::{SettingKey, SettingsRow, VaultSettings};
use crate::signing::{NoObserver, SigningObserver, Turns};
use crate::sink::{AuditSink, DEFAULT_SINK_QUEUE};
use crate::store::{Ask, NewMaster, NewVaultRow, OpenStore, Store, VaultRow, Write, transact};
use crate::witness::Witness;
pub use file::{ImportedVault, PolicySource};
pub use lockout::Lockout;
pub use merge::{MergeConflict, MergeDifference, MergeField, MergeReport};
pub use rotation::{RotateOptions, Rotation, RotationStatus};
pub(crate) use session::{Session, read_policy};

/// How a store is opened.
#[derive(Clone)]
pub struct OpenOptions {
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Told about each step of each signature.
    pub observer: Arc<dyn SigningObserver>,
    /// Who acts, as the audit log names them: 1 to 200 bytes without control characters.
    pub actor: String,
    /// From where, as far as it is known. The audit log keeps keyed hashes of it, of what is done while the vault is
    /// unlocked.
    pub client: Option<ClientIdentity>,
    /// How long to wait for another process's write, in milliseconds.
    pub busy_timeout_ms: u64,
    /// The best memory to try for the vault key. [`Protection::SecretMemory`] unless the machine must be able to
    /// hibernate while the vault is unlocked, which secret memory prevents.
    pub key_protection: Protection,
    /// Who counts and times.
    pub metrics: Arc<dyn Metrics>,
    /// The policy of a vault that is made through this handle, in the place of the default one.
    pub policy: Option<Policy>,
    /// Settings that a vault made through this handle begins with, and that one which is there must have: see
    /// [`CustodyBuilder::setting`].
    pub settings: Vec<(SettingKey, u64)>,
    /// Who is told of every committed audit entry.
    pub audit_sink: Option<Arc<dyn AuditSink>>,
    /// How many entries wait for a slow sink before some are dropped, 1 to [`MAX_SINK_QUEUE`](crate::sink::MAX_SINK_QUEUE).
    pub audit_queue: usize,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            observer: Arc::new(NoObserver),
            actor: "owner".to_owned(),
            client: None,
            busy_timeout_ms: 5_000,
            key_protection: Protection::SecretMemory,
            metrics: Arc::new(NoMetrics),
            policy: None,
            settings: Vec::new(),
            audit_sink: None,
            audit_queue: DEFAULT_SINK_QUEUE,
        }
    }
}

impl fmt::Debug for OpenOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenOptions")
            .field("actor", &self.actor)
            .field("busy_timeout_ms", &self.busy_timeout_ms)
            .field("key_protection", &self.key_protection)
            .finish_non_exhaustive()
    }
}

/// What a new vault is made of. Holds secrets: wiped when dropped, never printed.
pub struct NewVault {
    /// The password; judged for strength.
    pub password: Password,
    /// Mixed in when given, and then needed at every unlock.
    pub second_factor: Option<SecondFactor>,
    /// The cost of a guess.
    pub kdf: KdfParams,
    /// The limits of the default policy. Of no effect where the handle was opened with a policy of its own.
    pub limits: PolicyLimits,
    /// The phrase that wallets are derived from.
    pub mnemonic: Mnemonic,
    /// Its BIP-39 passphrase; may be empty.
    pub passphrase: Zeroizing<String>,
    /// The path that wallets are derived at.
    pub family: PathFamily,
}

impl fmt::Debug for NewVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewVault(<redacted>)")
    }
}

/// What is known of a vault without its password.
#[derive(Clone, Debug)]
pub struct VaultSummary {
    /// The vault's id.
    pub id: VaultId,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// How many wallets it holds.
    pub wallet_count: u64,
    /// The cost of a guess.
    pub kdf: KdfParams,
    /// Whether unlocking needs the second factor.
    pub needs_second_factor: bool,
    /// The path that wallets are derived at where none is named; of a vault without a phrase, the usual one.
    pub family: PathFamily,
    /// Whether a recovery key opens it as well.
    pub has_recovery: bool,
    /// Which of the vault's keys is in force; counts up with each rotation, from 1.
    pub epoch: u32,
}

/// What the store holds.
#[derive(Clone, Debug)]
pub enum VaultStatus {
    /// No vault yet.
    Empty,
    /// A vault, locked.
    Locked(VaultSummary),
    /// A vault, unlocked in this handle.
    Unlocked(VaultSummary),
}

/// A handle on one store and the vault in it. Clones share the same session: unlocking one unlocks all. It is `Send` and
/// `Sync`, and any number of tasks may use it at once.
#[derive(Clone)]
pub struct Custody {
    inner: Arc<Inner>,
    /// Whom the audit log names.
    actor: Arc<str>,
    /// From where.
    client: Option<Arc<ClientIdentity>>,
    node: Option<SolanaNode>,
}

struct Inner {
    store: OpenStore,
    options: OpenOptions,
    session: RwLock<Option<Arc<Session>>>,
    turns: Turns,
}

impl fmt::Debug for Custody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custody")
            .field("unlocked", &self.is_unlocked())
            .finish_non_exhaustive()
    }
}

impl Custody {
    /// Opens a store; creates a file (mode 0600) and its folders (0700) when they are not there, and brings the
    /// schema up to date. A database of a server must be there; its tables need not.
    ///
    /// # Errors
    /// [`CustodyError::Damaged`], [`CustodyError::ReadOnly`], [`CustodyError::DiskFull`], [`CustodyError::Busy`],
    /// [`CustodyError::NewerSchema`], [`CustodyError::Unreachable`], [`CustodyError::AccessDenied`],
    /// [`CustodyError::Invalid`] or [`CustodyError::Storage`].
    pub async fn open(location: &StoreLocation, options: OpenOptions) -> Result<Self, CustodyError> {
        let actor = actor_name(&options.actor)?;
        if let Some(policy) = &options.policy {
            policy
                .check()
                .map_err(|error| CustodyError::invalid("policy", error.to_string()))?;
        }
        let wanted = VaultSettings::default().with(&options.settings)?;
        let witness = Witness::start(&options)?;
        let clock = Arc::clone(&options.clock);
        let store = OpenStore::open(location, clock, options.busy_timeout_ms, witness).await?;
        let custody = Self {
            actor,
            client: options.client.clone().map(Arc::new),
            node: None,
            inner: Arc::new(Inner {
                store,
                options,
                session: RwLock::new(None),
                turns: Turns::default(),
            }),
        };
        if let Err(error) = custody.expect_settings(&wanted).await {
            // What is wrong with the vault is the news, not how closing went.
            let _ = custody.close().await;
            return Err(error);
        }
        Ok(custody)
    }

    /// Whether a vault that is there has the settings that this handle was opened with.
    async fn expect_settings(&self, wanted: &VaultSettings) -> Result<(), CustodyError> {
        if self.options().settings.is_empty() {
            return Ok(());
        }
        let found = match self.settings().await {
            Err(CustodyError::NotInitialised) => return Ok(()),
            found => found?,
        };
        let differing = self.options().settings.iter().map(|(key, _)| *key);
        match differing
            .into_iter()
            .find(|key| key.get(&found) != key.get(wanted))
        {
            Some(setting) => Err(CustodyError::SettingDiffers {
                setting,
                wanted: setting.get(wanted),
                found: setting.get(&found),
            }),
            None => Ok(()),
        }
    }

    /// The settings that a vault made through this handle begins with, where they are not the defaults.
    fn first_settings(&self, session: &Session) -> Result<Option<Write>, CustodyError> {
        let settings = &self.options().settings;
        if settings.is_empty() {
            return Ok(None);
        }
        let settings = VaultSettings::default().with(settings)?;
        let row = SettingsRow::sign(session.signer(), &session.vault(), 1, &settings)?;
        Ok(Some(Write::Settings(row)))
    }

    /// Says how a store is to be opened, piece by piece.
    pub fn builder() -> CustodyBuilder {
        CustodyBuilder::default()
    }

    /// A handle whose doings the audit log puts under another name: 1 to 200 bytes without control characters. It shares
    /// store and session with this one. The name is this program's word; nothing proves it.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for a name that cannot be.
    pub fn acting_as(&self, actor: &str) -> Result<Self, CustodyError> {
        Ok(Self {
            actor: actor_name(actor)?,
            ..self.clone()
        })
    }

    /// The same vault and session, used from this client: the audit log keeps keyed hashes of it for what is done
    /// through this handle and its clones.
    #[must_use]
    pub fn for_client(&self, client: ClientIdentity) -> Self {
        Self {
            client: Some(Arc::new(client)),
            ..self.clone()
        }
    }

    /// Whom the audit log names for what is done through this handle.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// The node that the builder was given.
    #[must_use]
    pub fn node(&self) -> Option<&SolanaNode> {
        self.node.as_ref()
    }

    pub(crate) fn with_node(self, node: SolanaNode) -> Self {
        Self {
            node: Some(node),
            ..self
        }
    }

    /// Locks, and closes the database: its journal is written back into it. The audit sink is given a few seconds for what
    /// it has not taken yet. Every clone of this handle is of no use afterwards.
    ///
    /// # Errors
    /// The store's.
    pub async fn close(&self) -> Result<(), CustodyError> {
        self.lock().await;
        let closed = self.inner.store.close().await;
        self.store().witness().close().await;
        closed
    }

    /// What the store holds, and whether this handle has it unlocked.
    ///
    /// # Errors
    /// The store's.
    pub async fn status(&self) -> Result<VaultStatus, CustodyError> {
        let Some(overview) = self.store().overview().await? else {
            return Ok(VaultStatus::Empty);
        };
        let wallets = self.store().wallet_count().await?;
        let summary = summary(&overview.vault, &overview.family, wallets)?;
        Ok(if self.is_unlocked() {
            VaultStatus::Unlocked(summary)
        } else {
            VaultStatus::Locked(summary)
        })
    }

    /// Makes a vault and leaves it unlocked.
    ///
    /// # Errors
    /// [`CustodyError::AlreadyInitialised`], [`CustodyError::WeakPassword`], or the store's.
    pub async fn create_vault(&self, new: NewVault) -> Result<VaultSummary, CustodyError> {
        new.password.check_strength()?;
        // Before the key derivation, which is slow; decided again inside the transaction.
        if self.store().overview().await?.is_some() {
            return Err(CustodyError::AlreadyInitialised);
        }
        let (best, chosen) = (self.key_protection(), new.family.id());
        let policy = self.options().policy.clone();
        let (row, session) = blocking(move || seal_vault(&new, policy, best)).await??;
        let session = Arc::new(session);
        let settings = self.first_settings(&session)?;
        let vault_header = row.header.clone();
        let family = chosen;
        let (created_ms, _) = transact(self.store(), Ask::default(), |ledger, facts| {
            if facts.vault.is_some() {
                return Err(CustodyError::AlreadyInitialised);
            }
            let draft = Draft::new(Operation::CreateVault, Outcome::Done).details(format!(
                "path family {family}, policy version {}{SEALED_FROM_THE_START}",
                row.policies
                    .iter()
                    .map(|policy| policy.version)
                    .max()
                    .unwrap_or(0)
            ));
            ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            let vault = Write::Vault(Box::new(row));
            Ok(([vault].into_iter().chain(settings).collect(), facts.now_ms))
        })
        .await?;
        self.set_session(Some(Arc::clone(&session)));
        let header = VaultHeader::from_bytes(&vault_header)
            .map_err(|error| CustodyError::damaged(error.to_string()))?;
        header_summary(&header, created_ms, family, 0)
    }

    /// Forgets the vault key. Jobs under way stop at their next chunk.
    pub async fn lock(&self) {
        let Some(session) = self.set_session(None) else {
            return;
        };
        session.close();
        // The key that signs the audit log outlives the vault key by this one entry.
        let signer = session.share_signer();
        drop(session);
        let scribe = Scribe {
            actor: &self.actor,
            client: self.client.as_deref(),
            signer: Some(&signer),
        };
        let ask = Ask {
            unsigned_tail: true,
            ..Ask::default()
        };
        let written = transact(self.store(), ask, |ledger, facts| {
            ledger.append(facts.now_ms, scribe, Draft::new(Operation::Lock, Outcome::Done))?;
            Ok((Vec::new(), ()))
        })
        .await;
        if let Err(error) = written {
            // Locking must not fail: the key is gone whatever the log says.
            tracing::warn!(
                code = error.code(),
                "the lock could not be written to the audit log"
            );
        }
    }

    /// Whether this handle holds the vault key.
    #[must_use]
    pub fn is_unlocked(&self) -> bool {
        self.session().is_some()
    }

    pub(crate) fn store(&self) -> &dyn Store {
        self.inner.store.store()
    }

    /// The store itself, for tests that take its disk or its server away.
    #[cfg(test)]
    pub(crate) fn opened(&self) -> &OpenStore {
        &self.inner.store
    }

    pub(crate) fn turns(&self) -> &Turns {
        &self.inner.turns
    }

    pub(crate) fn options(&self) -> &OpenOptions {
        &self.inner.options
    }

    fn key_protection(&self) -> Protection {
        self.inner.options.key_protection
    }

    /// The session, for one operation. Whoever holds it long asks [`Session::is_open`] in between.
    ///
    /// One whose key another process has rotated away is none any more.
    pub(crate) fn session(&self) -> Option<Arc<Session>> {
        let session = self
            .inner
            .session
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()?;
        if session.signer().is_retired() {
            session.close();
            self.set_session(None);
            return None;
        }
        Some(session)
    }

    /// The session, if its key is still the vault's: for whatever reads sealed rows before it writes.
    ///
    /// # Errors
    /// [`CustodyError::Locked`], [`CustodyError::KeyRotated`], or the store's.
    pub(crate) async fn current_session(&self) -> Result<Arc<Session>, CustodyError> {
        let session = self.session().ok_or(CustodyError::Locked)?;
        let facts = self.store().look(Ask::default()).await?;
        let vault = facts.vault.ok_or(CustodyError::NotInitialised)?;
        session.expect_current(&vault)?;
        Ok(session)
    }

    /// Who appends to the audit log.
    pub(crate) fn scribe<'a>(&'a self, session: Option<&'a Session>) -> Scribe<'a> {
        Scribe {
            actor: &self.actor,
            client: self.client.as_deref(),
            signer: session.map(Session::signer),
        }
    }

    /// Puts a session in the place of the one that is open, if one is; gives back that one.
    fn renew_session(&self, session: Session) -> Option<Arc<Session>> {
        self.inner
            .session
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
            .map(|open| std::mem::replace(open, Arc::new(session)))
    }

    fn set_session(&self, session: Option<Arc<Session>>) -> Option<Arc<Session>> {
        std::mem::replace(
            &mut *self.inner.session.write().unwrap_or_else(PoisonError::into_inner),
            session,
        )
    }
}

/// Everything of a new vault that needs no database: the slow and the secret part.
fn seal_vault(
    new: &NewVault,
    policy: Option<Policy>,
    best: Protection,
) -> Result<(NewVaultRow, Session), CustodyError> {
    let id = VaultId::from_bytes(random()?);
    let (header, key) = VaultHeader::create(CreateVault {
        vault: id,
        kdf: new.kdf,
        password: new.password.expose_bytes(),
        second_factor: new.second_factor.as_ref(),
        key: random()?,
        slot_salt: random()?,
        wrap_salt: random()?,
    })
    .map_err(|error| CustodyError::invalid("vault", error.to_string()))?;
    let master = MasterSecret::new(&new.mnemonic, &new.passphrase)
        .map_err(|error| CustodyError::invalid("passphrase", error.to_string()))?;
    let record = RecordId::from_bytes(random()?);
    let context = master_context(id, record, header.epoch());
    let sealed = seal_record(&key, &context, &master.encode(), random()?)
        .map_err(|error| CustodyError::invalid("phrase", error.to_string()))?;
    let session = Session::new(key, &header, best);
    let policy = session.sign_policy(&policy.unwrap_or_else(|| Policy::default_for(new.limits)))?;
    let row = NewVaultRow {
        id: *id.as_bytes(),
        header: header.to_bytes(),
        audit_key: session.signer().address().to_bytes(),
        masters: vec![NewMaster {
            record: *record.as_bytes(),
            epoch: header.epoch(),
            label: String::new(),
            family: new.family,
            sealed,
        }],
        policies: vec![policy],
    };
    Ok((row, session))
}

/// What the sealed phrase is bound to.
pub(crate) fn master_context(vault: VaultId, record: RecordId, epoch: u32) -> RecordContext {
    RecordContext {
        vault,
        record,
        kind: RecordKind::Master,
        epoch,
        public_key: RecordPublicKey::None,
    }
}

fn summary(vault: &VaultRow, family: &str, wallet_count: u64) -> Result<VaultSummary, CustodyError> {
    // No phrase, no family: a web page's vault may have been imported before anything was put into it.
    let family = match family {
        "" => PathFamily::default().id(),
        family => family,
    };
    header_summary(&vault.read_header()?, vault.created_ms, family, wallet_count)
}

fn header_summary(
    header: &VaultHeader,
    created_ms: u64,
    family: &str,
    wallet_count: u64,
) -> Result<VaultSummary, CustodyError> {
    let slots = header.slots();
    let kdf = slots
        .iter()
        .find_map(|slot| slot.kdf)
        .ok_or_else(|| CustodyError::damaged("the vault has no password slot"))?;
    Ok(VaultSummary {
        id: header.vault_id(),
        created_ms,
        wallet_count,
        kdf,
        needs_second_factor: header.needs_second_factor(),
        family: PathFamily::from_id(family)
            .map_err(|_| CustodyError::damaged("the path family is unknown"))?,
        has_recovery: slots.iter().any(|slot| slot.kind == SlotKind::Recovery),
        epoch: header.epoch(),
    })
}

/// Fresh random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], CustodyError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| CustodyError::Randomness)?;
    Ok(bytes)
}

/// Runs what takes long, off the async threads.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CustodyError> {
    tokio::task::spawn_blocking(|| clearing_stack(work))
        .await
        .map_err(|_| CustodyError::Storage(StorageError::new("a worker thread failed", None)))
}
