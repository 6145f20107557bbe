//! A rotation of the vault key under way, as the stores keep it: the next header, and records sealed ahead of time.
//!
//! Nothing of it is in force before [`RotationWrite::Switch`]. What is staged is told from what was changed since by the
//! end of the record that it was made of ([`source_of`]).

use super::{AuditKeyRow, MasterRow, PolicyRow, SealedWallet};

/// Bytes of a sealed record's end: its tag and what comes before it. Each sealing has another.
pub(crate) const SOURCE_LEN: usize = 32;

/// What a decision needs to know of the rotation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RotationAsk {
    /// Nothing.
    #[default]
    No,
    /// Whether there is one.
    Row,
    /// All that the switch seals or signs itself, at most so many records.
    Switch {
        /// The most records.
        rest: u32,
    },
}

/// What was asked for of the rotation.
#[derive(Clone, Debug, Default)]
pub(crate) struct RotationFacts {
    /// The rotation under way.
    pub(crate) row: Option<RotationRow>,
    /// What is not staged, or changed since; only for the switch.
    pub(crate) rest: Unstaged,
    /// The policies; only for the switch.
    pub(crate) policies: Vec<PolicyRow>,
    /// The retired keys of the audit log; only for the switch.
    pub(crate) audit_keys: Vec<AuditKeyRow>,
    /// How many records the vault has; only for the switch.
    pub(crate) records: u64,
}

/// A row of `vault_key_rotations`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RotationRow {
    pub(crate) header: Vec<u8>,
    pub(crate) started_ms: u64,
}

/// How far a rotation is.
#[derive(Clone, Debug)]
pub(crate) struct RotationState {
    pub(crate) row: RotationRow,
    /// Records that are staged.
    pub(crate) done: u64,
    /// Records of the vault.
    pub(crate) total: u64,
}

/// Records that have no staged copy, or one of what they were before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unstaged {
    pub(crate) masters: Vec<MasterRow>,
    pub(crate) wallets: Vec<SealedWallet>,
}

impl Unstaged {
    pub(crate) fn len(&self) -> usize {
        self.masters.len() + self.wallets.len()
    }
}

/// Which record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RecordRef {
    Master(i64),
    Wallet(i64),
}

impl RecordRef {
    /// The columns' words.
    pub(crate) const fn parts(self) -> (&'static str, i64) {
        match self {
            Self::Master(id) => ("master", id),
            Self::Wallet(id) => ("wallet", id),
        }
    }

    pub(crate) fn from_parts(kind: &str, id: i64) -> Option<Self> {
        match kind {
            "master" => Some(Self::Master(id)),
            "wallet" => Some(Self::Wallet(id)),
            _ => None,
        }
    }
}

/// A row of `staged_records`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StagedRecord {
    pub(crate) at: RecordRef,
    pub(crate) epoch: u32,
    pub(crate) source: [u8; SOURCE_LEN],
    pub(crate) mac: [u8; 32],
    pub(crate) sealed: Vec<u8>,
}

/// What tells a sealed record from any other sealing, of the same secret too; nothing for what is no record.
pub(crate) fn source_of(sealed: &[u8]) -> Option<[u8; SOURCE_LEN]> {
    sealed.last_chunk().copied()
}

/// One change.
#[derive(Debug)]
pub(crate) enum RotationWrite {
    /// A rotation begins; whatever was staged before is thrown away.
    Begin { header: Vec<u8> },
    /// In place of what was staged for the same records.
    Stage(Vec<StagedRecord>),
    /// Every staged record that is up to date comes into force. Fails if any record is left behind.
    Switch { epoch: u32 },
    /// The rotation and all that is staged are gone.
    End,
}
