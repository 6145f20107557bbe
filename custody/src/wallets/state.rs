//! What becomes of a wallet over time, and where it stands among its owner's.

use std::fmt;

use keyward_core::account::AccountAddress;

use crate::error::CustodyError;

/// What may be done with a wallet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WalletStatus {
    /// In use.
    #[default]
    Active,
    /// Replaced by a newer key. It still signs what names it, and receives until its grace period is over.
    Rotated,
    /// Replaced, and no longer used.
    Retired,
    /// Taken away; it can be restored until it is purged.
    Deleted,
    /// Its key is gone for ever. The row stays, since what it signed refers to it.
    Purged,
}

impl WalletStatus {
    /// Every status, in the order of a wallet's life.
    pub const ALL: [Self; 5] = [
        Self::Active,
        Self::Rotated,
        Self::Retired,
        Self::Deleted,
        Self::Purged,
    ];

    /// The word for it, in the database, in JSON and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Rotated => "rotated",
            Self::Retired => "retired",
            Self::Deleted => "deleted",
            Self::Purged => "purged",
        }
    }

    /// The status of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether a wallet of this status is in use: it may sign, and lists show it unless they are asked for others.
    #[must_use]
    pub const fn is_in_use(self) -> bool {
        matches!(self, Self::Active | Self::Rotated)
    }

    /// Whether a wallet of this status may sign.
    ///
    /// # Errors
    /// [`CustodyError::WalletRetired`], [`CustodyError::WalletDeleted`] or [`CustodyError::WalletPurged`].
    pub(crate) fn expect_signing(self, wallet: AccountAddress) -> Result<(), CustodyError> {
        match self {
            Self::Active | Self::Rotated => Ok(()),
            Self::Retired => Err(CustodyError::WalletRetired { wallet }),
            Self::Deleted => Err(CustodyError::WalletDeleted { wallet }),
            Self::Purged => Err(CustodyError::WalletPurged { wallet }),
        }
    }

    /// Whether a wallet of this status may be exported, if policy allows it: also one that signs no more.
    ///
    /// # Errors
    /// [`CustodyError::WalletDeleted`] or [`CustodyError::WalletPurged`].
    pub(crate) fn expect_exportable(self, wallet: AccountAddress) -> Result<(), CustodyError> {
        match self {
            Self::Retired => Ok(()),
            other => other.expect_signing(wallet),
        }
    }

    /// As it is stored.
    ///
    /// # Errors
    /// [`CustodyError::Damaged`] for a word that is none.
    pub(crate) fn from_stored(word: &str) -> Result<Self, CustodyError> {
        Self::from_word(word).ok_or_else(|| CustodyError::damaged("wallets.status is unknown"))
    }
}

impl fmt::Display for WalletStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What decisions need to know of a wallet's life, with ids in place of names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WalletState {
    /// Its owner, also of a wallet that no longer counts among the owner's.
    pub(crate) owner: Option<i64>,
    /// Which of its owner's places it has, from 1; none unless it is active and owned.
    pub(crate) slot: Option<u32>,
    pub(crate) is_primary: bool,
    /// Empty for none.
    pub(crate) role: String,
    pub(crate) status: WalletStatus,
    /// Since when it has that status, in milliseconds since the Unix epoch; 0 since it was stored.
    pub(crate) status_ms: u64,
    /// What a deleted wallet was before.
    pub(crate) deleted_from: Option<WalletStatus>,
    pub(crate) purge_after_ms: Option<u64>,
    pub(crate) grace_until_ms: Option<u64>,
    /// The id of the wallet that it came in place of.
    pub(crate) previous: Option<i64>,
    pub(crate) rotate_every_ms: Option<u64>,
    pub(crate) rotate_at_ms: Option<u64>,
    pub(crate) rotation_count: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for status in WalletStatus::ALL {
            assert_eq!(WalletStatus::from_word(status.as_str()), Some(status));
            assert_eq!(WalletStatus::from_stored(status.as_str()).ok(), Some(status));
        }
        for word in ["", "Active", "gone"] {
            assert_eq!(WalletStatus::from_word(word), None);
            assert!(WalletStatus::from_stored(word).is_err());
        }
    }
}
