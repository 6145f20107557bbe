//! What of the log is asked for, and how it is answered.

use keyward_core::account::AccountAddress;
use keyward_core::audit::{AuditEntry, Hash, Operation, Outcome};

/// The most entries of one page.
pub const MAX_AUDIT_PAGE: u32 = 1_000;

/// A day, for the failures of the last one.
const DAY_MS: u64 = 86_400_000;

/// Which page of which entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditQuery {
    /// A piece of the actor, reason or details, without regard to ASCII case; empty finds all.
    pub text: String,
    /// Only this operation.
    pub operation: Option<Operation>,
    /// Only this outcome.
    pub outcome: Option<Outcome>,
    /// Only what was refused or failed.
    pub failures: bool,
    /// Only this wallet.
    pub wallet: Option<AccountAddress>,
    /// Only the wallets that belong to the owner of this name now.
    pub owner: Option<String>,
    /// Only entries of this time or later, in milliseconds since the Unix epoch.
    pub from_ms: Option<u64>,
    /// Only entries of this time or earlier.
    pub until_ms: Option<u64>,
    /// Whether redacted entries are listed too, where nothing is asked for that they no longer tell.
    pub redacted: bool,
    /// Only entries after this one.
    pub after_sequence: Option<u64>,
    /// Only entries before this one.
    pub before_sequence: Option<u64>,
    /// How many rows, at most [`MAX_AUDIT_PAGE`].
    pub limit: u32,
    /// Whether the newest entry comes first.
    pub newest_first: bool,
}

impl Default for AuditQuery {
    fn default() -> Self {
        Self {
            text: String::new(),
            operation: None,
            outcome: None,
            failures: false,
            wallet: None,
            owner: None,
            from_ms: None,
            until_ms: None,
            redacted: false,
            after_sequence: None,
            before_sequence: None,
            limit: 100,
            newest_first: true,
        }
    }
}

impl AuditQuery {
    /// What was refused or failed in the 24 hours before `now_ms`.
    #[must_use]
    pub fn failures_of_the_last_day(now_ms: u64) -> Self {
        Self {
            failures: true,
            from_ms: Some(now_ms.saturating_sub(DAY_MS)),
            ..Self::default()
        }
    }

    /// The query without its page: what it finds, in whatever order and pieces.
    #[must_use]
    pub fn filter(&self) -> Self {
        Self {
            redacted: false,
            after_sequence: None,
            before_sequence: None,
            limit: Self::default().limit,
            newest_first: true,
            ..self.clone()
        }
    }

    /// Whether anything is asked for that a redacted entry no longer tells.
    pub(crate) fn needs_content(&self) -> bool {
        !self.text.is_empty()
            || self.operation.is_some()
            || self.outcome.is_some()
            || self.failures
            || self.wallet.is_some()
            || self.owner.is_some()
    }

    /// The filter for people, in the entry that says that it was asked.
    pub(crate) fn described(&self) -> String {
        let mut words = Vec::new();
        let mut say = |name: &str, value: Option<String>| {
            words.extend(value.map(|value| format!("{name}={value}")));
        };
        say("operation", self.operation.map(|one| one.as_str().to_owned()));
        say("outcome", self.outcome.map(|one| one.as_str().to_owned()));
        say("failures", self.failures.then(|| "only".to_owned()));
        say("wallet", self.wallet.map(|wallet| wallet.to_string()));
        say("owner", self.owner.as_ref().map(|owner| format!("{owner:?}")));
        say("from_ms", self.from_ms.map(|ms| ms.to_string()));
        say("until_ms", self.until_ms.map(|ms| ms.to_string()));
        say(
            "text",
            (!self.text.is_empty()).then(|| format!("{:?}", self.text)),
        );
        if words.is_empty() {
            "everything".to_owned()
        } else {
            words.join(" ")
        }
    }
}

/// One page of entries, without those redacted.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// How many entries the query finds, the page's bounds aside.
    pub total: u64,
    /// The page's rows.
    pub rows: Vec<AuditEntry>,
}

/// One page of entries, those redacted included where the query asks for them.
#[derive(Clone, Debug)]
pub struct AuditRows {
    /// How many the query finds, the page's bounds aside.
    pub total: u64,
    /// The page's rows.
    pub rows: Vec<AuditRow>,
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditRow {
    /// A whole entry.
    Entry(Box<AuditEntry>),
    /// What is left of an entry whose retention is over.
    Redacted {
        /// Its place.
        sequence: u64,
        /// Its leaf in the tree.
        leaf_hash: Hash,
        /// The entry that says that it was redacted.
        redacted_by: u64,
    },
}

impl AuditRow {
    /// Its place in the log.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        match self {
            Self::Entry(entry) => entry.sequence,
            Self::Redacted { sequence, .. } => *sequence,
        }
    }

    /// Its leaf in the tree.
    #[must_use]
    pub fn leaf_hash(&self) -> Hash {
        match self {
            Self::Entry(entry) => entry.leaf_hash(),
            Self::Redacted { leaf_hash, .. } => *leaf_hash,
        }
    }
}

/// How many entries there are of one operation and outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditCount {
    /// The operation.
    pub operation: Operation,
    /// What came of it.
    pub outcome: Outcome,
    /// How many.
    pub count: u64,
}
