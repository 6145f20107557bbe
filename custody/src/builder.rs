//! How an embedding program says what it wants of a store before opening it.

use std::fmt;
use std::sync::Arc;

use keyward_core::policy::{Policy, PolicyLimits};

use crate::chain::{NodeConfig, SolanaNode};
use crate::client::ClientIdentity;
use crate::clock::Clock;
use crate::error::CustodyError;
use crate::location::StoreLocation;
use crate::memory::Protection;
use crate::metrics::Metrics;
use crate::settings::SettingKey;
use crate::signing::SigningObserver;
use crate::sink::AuditSink;
use crate::vault::{Custody, OpenOptions};

/// The longest name of an actor, in bytes.
pub(crate) const MAX_ACTOR_BYTES: usize = 200;

/// Collects what a [`Custody`] is opened with. Everything but the storage has a default.
///
/// ```no_run
/// use keyward_custody::{Custody, StoreLocation};
///
/// # async fn opened() -> Result<Custody, keyward_custody::CustodyError> {
/// let custody = Custody::builder()
///     .storage(StoreLocation::parse("postgres://trader@db.example/vault")?)
///     .actor("market-maker")
///     .busy_timeout_ms(2_000)
///     .open()
///     .await?;
/// # Ok(custody)
/// # }
/// ```
#[derive(Clone, Default)]
#[must_use = "nothing is opened before `open`"]
pub struct CustodyBuilder {
    storage: Option<StoreLocation>,
    chain: Option<NodeConfig>,
    options: OpenOptions,
}

impl CustodyBuilder {
    /// Where the vault is kept: a SQLite file, or a database of a PostgreSQL server. There is no default.
    pub fn storage(mut self, location: StoreLocation) -> Self {
        self.storage = Some(location);
        self
    }

    /// Where the time comes from; the operating system's clock by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.options.clock = clock;
        self
    }

    /// Who acts, as the audit log names them: 1 to 200 bytes without control characters; `owner` by default. See
    /// [`Custody::acting_as`] for several in one process.
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.options.actor = actor.into();
        self
    }

    /// Who asks, where the service acts for others: the audit log holds keyed hashes of it. See [`Custody::for_client`] for
    /// several in one process.
    pub fn client(mut self, client: ClientIdentity) -> Self {
        self.options.client = Some(client);
        self
    }

    /// How long to wait for another process's write, in milliseconds; 5,000 by default.
    pub fn busy_timeout_ms(mut self, timeout_ms: u64) -> Self {
        self.options.busy_timeout_ms = timeout_ms;
        self
    }

    /// The best memory to try for the vault key; [`Protection::SecretMemory`] by default.
    pub fn key_protection(mut self, best: Protection) -> Self {
        self.options.key_protection = best;
        self
    }

    /// Who is told of each step of each signature, for programs that want more than [`Self::metrics`] tells.
    pub fn observer(mut self, observer: Arc<dyn SigningObserver>) -> Self {
        self.options.observer = observer;
        self
    }

    /// Who counts and times; nobody by default.
    pub fn metrics(mut self, metrics: Arc<dyn Metrics>) -> Self {
        self.options.metrics = metrics;
        self
    }

    /// The policy of a vault that is made through this handle, in the place of the default one with
    /// [`NewVault::limits`](crate::NewVault::limits). A vault that is there keeps its own: [`Self::open`] neither
    /// compares nor changes it.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.options.policy = Some(policy);
        self
    }

    /// The default policy with these limits, as [`Self::policy`].
    pub fn limits(self, limits: PolicyLimits) -> Self {
        self.policy(Policy::default_for(limits))
    }

    /// A setting that a vault made (or restored from a file) through this handle begins with. A vault that is there must have
    /// it: a program that relies on a limit does not run with another. Given twice, the last one counts.
    pub fn setting(mut self, setting: SettingKey, value: u64) -> Self {
        self.options.settings.retain(|(key, _)| *key != setting);
        self.options.settings.push((setting, value));
        self
    }

    /// How often keys of wallets with the role `trading` are rotated by default, in milliseconds: the setting
    /// [`SettingKey::TradingRotation`], as [`Self::setting`].
    pub fn rotation_interval_ms(self, interval_ms: u64) -> Self {
        self.setting(SettingKey::TradingRotation, interval_ms)
    }

    /// Wrong passwords in a row that cost nothing but key derivation: the setting [`SettingKey::MaxFailedAttempts`], as
    /// [`Self::setting`].
    pub fn max_failed_attempts(self, attempts: u64) -> Self {
        self.setting(SettingKey::MaxFailedAttempts, attempts)
    }

    /// Who is told of every audit entry after it was committed; nobody by default. See [`sink`](crate::sink).
    pub fn audit_sink(mut self, sink: Arc<dyn AuditSink>) -> Self {
        self.options.audit_sink = Some(sink);
        self
    }

    /// How many entries wait for a slow sink before some are dropped: 1 to 1,000,000, 10,000 by default.
    pub fn audit_queue(mut self, entries: usize) -> Self {
        self.options.audit_queue = entries;
        self
    }

    /// The node that [`Custody::node`] reaches; none by default. It is not contacted before it is asked something.
    pub fn chain(mut self, node: NodeConfig) -> Self {
        self.chain = Some(node);
        self
    }

    /// Opens the store, making and migrating it as needed. The vault in it is locked, or is yet to be made.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] where no storage was named, or the actor, the policy, a setting, the sink's queue or the
    /// node's address cannot be; [`CustodyError::SettingDiffers`] where the vault that is there has another setting; else as [`Custody::open`].
    pub async fn open(self) -> Result<Custody, CustodyError> {
        let storage = self
            .storage
            .ok_or_else(|| CustodyError::invalid("storage", "none was named: give the builder one"))?;
        let node = self
            .chain
            .map(|config| SolanaNode::connect(&config))
            .transpose()
            .map_err(|error| CustodyError::invalid("chain", error.to_string()))?;
        let custody = Custody::open(&storage, self.options).await?;
        Ok(match node {
            Some(node) => custody.with_node(node),
            None => custody,
        })
    }
}

impl fmt::Debug for CustodyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustodyBuilder")
            .field("storage", &self.storage)
            .field("chain", &self.chain)
            .field("options", &self.options)
            .finish()
    }
}

/// What the audit log can name an actor by.
///
/// # Errors
/// [`CustodyError::Invalid`]. A name is not cut to fit: cut, two could read alike.
pub(crate) fn actor_name(actor: &str) -> Result<Arc<str>, CustodyError> {
    if actor.trim().is_empty() || actor.len() > MAX_ACTOR_BYTES {
        return Err(CustodyError::invalid(
            "actor",
            format!("a name of 1 to {MAX_ACTOR_BYTES} bytes"),
        ));
    }
    if actor.chars().any(char::is_control) {
        return Err(CustodyError::invalid("actor", "it holds a control character"));
    }
    Ok(actor.into())
}
