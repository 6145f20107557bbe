//! What `update` asks the outside world to do, as data.
//!
//! Work that takes time is started under a [`RequestId`] and answered by a message with the same id;
//! an answer whose id nobody waits for any more is dropped. Doing the work is the business of
//! `effects`.

use std::fmt;

use keyward_custody::chain::ChainError;
use keyward_custody::jobs::JobProgress;
use keyward_custody::portfolio::RefreshProgress;
use keyward_custody::transfer::TransferProgress;
use keyward_custody::{CustodyError, ProgressState};

use super::effects::audit::{AuditAnswer, AuditWork};
use super::effects::backup::{BackupAnswer, BackupWork};
use super::effects::book::{BookAnswer, BookWork};
use super::effects::bulk::{BulkAnswer, BulkWork};
use super::effects::find::{FindAnswer, FindWork};
use super::effects::holdings::{HoldingsAnswer, HoldingsWork};
use super::effects::inspect::{InspectAnswer, InspectWork};
use super::effects::keys::{KeysAnswer, KeysWork};
use super::effects::node::{NodeAnswer, NodeWork};
use super::effects::plans::{PlanAnswer, PlanWork};
use super::effects::rotation::{RotationAnswer, RotationWork};
use super::effects::send::{SendAnswer, SendWork};
use super::effects::settings::{SettingsAnswer, SettingsWork};
use super::effects::upkeep::{UpkeepAnswer, UpkeepWork};
use super::effects::vault::{VaultAnswer, VaultWork};
use super::effects::wallets::{WalletsAnswer, WalletsWork};

/// Names one piece of work, unique within a run of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(u64);

impl RequestId {
    /// The id with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }
}

/// The newest request of a kind: starting another one cancels it, and answers to older ones are stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pending(Option<RequestId>);

impl Pending {
    /// Whether an answer is awaited.
    #[must_use]
    pub fn is_waiting(self) -> bool {
        self.0.is_some()
    }

    /// Takes note of a new request and gives back the one it replaces.
    pub fn replace(&mut self, id: RequestId) -> Option<RequestId> {
        self.0.replace(id)
    }

    /// Forgets the request and gives it back.
    pub fn take(&mut self) -> Option<RequestId> {
        self.0.take()
    }

    /// Whether `id` is the one awaited.
    #[must_use]
    pub fn awaits(self, id: RequestId) -> bool {
        self.0 == Some(id)
    }

    /// Whether `id` is the answer awaited; if so nothing is awaited any more.
    pub fn settle(&mut self, id: RequestId) -> bool {
        let awaited = self.0 == Some(id);
        if awaited {
            self.0 = None;
        }
        awaited
    }
}

/// How long a piece of work may live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// Stopped when the vault is locked.
    Session,
    /// Goes on while the vault is locked: it needs no key (a signed transfer on its way).
    Console,
}

/// One thing for the runner to do.
#[derive(Debug)]
pub enum Effect {
    /// Starts work and answers under `id`.
    Start {
        /// The id of the answer.
        id: RequestId,
        /// What to do.
        work: Work,
        /// Whether locking stops it.
        lifetime: Lifetime,
    },
    /// Stops the work; nothing will be answered.
    Cancel(RequestId),
    /// Stops all work of the session, at a lock.
    EndSession,
    /// Puts public text on the clipboard, through the terminal (OSC 52).
    Copy(String),
    /// Clears the terminal and what is remembered of its contents, then draws everything anew.
    Redraw,
    /// Leaves the console.
    Leave,
}

/// Work by area. The enums live beside the code that does it, in `effects`.
#[derive(Debug)]
pub enum Work {
    /// The vault itself.
    Vault(VaultWork),
    /// Its wallets.
    Wallets(WalletsWork),
    /// The node.
    Node(NodeWork),
    /// A transfer.
    Send(SendWork),
    /// The audit log.
    Audit(AuditWork),
    /// The settings.
    Settings(SettingsWork),
    /// Keys that come in and go out.
    Keys(KeysWork),
    /// What opens the vault beside its password.
    Backup(BackupWork),
    /// What keeps a vault in order.
    Upkeep(UpkeepWork),
    /// What wallets hold.
    Holdings(HoldingsWork),
    /// Stored jobs.
    Bulk(BulkWork),
    /// Plans of stored jobs.
    Plan(PlanWork),
    /// The address book.
    Book(BookWork),
    /// Reading what is to be signed.
    Inspect(InspectWork),
    /// The search for a path.
    Find(FindWork),
    /// Keys that are replaced.
    Rotation(RotationWork),
}

/// What work answers.
#[derive(Debug)]
pub enum Answer {
    /// From the vault.
    Vault(VaultAnswer),
    /// From the wallets.
    Wallets(WalletsAnswer),
    /// From the node.
    Node(NodeAnswer),
    /// From a transfer.
    Send(SendAnswer),
    /// From the audit log.
    Audit(AuditAnswer),
    /// From the settings.
    Settings(SettingsAnswer),
    /// From keys that come in and go out.
    Keys(KeysAnswer),
    /// From what opens the vault beside its password.
    Backup(BackupAnswer),
    /// From what keeps a vault in order.
    Upkeep(UpkeepAnswer),
    /// From what wallets hold.
    Holdings(HoldingsAnswer),
    /// From stored jobs.
    Bulk(BulkAnswer),
    /// From plans of stored jobs.
    Plan(PlanAnswer),
    /// From the address book.
    Book(BookAnswer),
    /// From reading what is to be signed.
    Inspect(InspectAnswer),
    /// From the search for a path.
    Find(FindAnswer),
    /// From keys that are replaced.
    Rotation(RotationAnswer),
    /// The task came to nothing (a defect: it panicked).
    Broken(Failure),
}

/// How far a piece of work has come.
#[derive(Debug, Clone)]
pub enum Progress {
    /// So many of so many.
    Count(ProgressState),
    /// A transfer's step.
    Transfer(TransferProgress),
    /// A stored job's run.
    Bulk(JobProgress),
    /// Readings of what wallets hold.
    Reading(RefreshProgress),
}

/// Something that did not work: what happened and why, and what mends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What happened and why.
    pub cause: String,
    /// What mends it.
    pub remedy: String,
    /// What the console itself must know about it.
    pub kind: FailureKind,
}

/// The kinds of failure that the console treats apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The vault did not open.
    WrongPassword,
    /// Too many tries.
    LockedOut {
        /// How long to wait, in milliseconds.
        retry_after_ms: u64,
    },
    /// `KEYWARD_ENCRYPTION_KEY` is missing.
    SecondFactorMissing,
    /// The vault is locked.
    Locked,
    /// No node is chosen, or it does not answer.
    NoNode,
    /// The person stopped it.
    Cancelled,
    /// Anything else.
    Other,
}

impl Failure {
    /// A failure of no special kind.
    #[must_use]
    pub fn new(cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            cause: cause.into(),
            remedy: remedy.into(),
            kind: FailureKind::Other,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}

impl From<CustodyError> for Failure {
    fn from(error: CustodyError) -> Self {
        let kind = match &error {
            CustodyError::WrongPassword => FailureKind::WrongPassword,
            CustodyError::LockedOut { retry_after_ms } => FailureKind::LockedOut {
                retry_after_ms: *retry_after_ms,
            },
            CustodyError::SecondFactorMissing => FailureKind::SecondFactorMissing,
            CustodyError::Locked => FailureKind::Locked,
            CustodyError::Cancelled => FailureKind::Cancelled,
            _ => FailureKind::Other,
        };
        Self {
            cause: error.to_string(),
            remedy: error.remedy().to_owned(),
            kind,
        }
    }
}

impl From<ChainError> for Failure {
    fn from(error: ChainError) -> Self {
        Self {
            cause: error.to_string(),
            remedy: error.remedy().to_owned(),
            kind: FailureKind::NoNode,
        }
    }
}
