//! What decisions about owners, and about the beginning and the end of a wallet, rest on and come to.

use keyward_core::path::PathFamily;

use crate::wallets::WalletStatus;

/// An owner, with the places that its active wallets have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnerFacts {
    pub(crate) id: i64,
    pub(crate) name: String,
    /// By slot.
    pub(crate) places: Vec<OwnerPlace>,
    /// Its wallets without a place: replaced, retired, or deleted ones.
    pub(crate) others: u64,
}

/// One of an owner's places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnerPlace {
    pub(crate) slot: u32,
    /// The id of the wallet that has it.
    pub(crate) wallet: i64,
    pub(crate) is_primary: bool,
}

/// A change of one owner, of one wallet's place, role or end, or of one range of indices. Each names the row that it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LifeWrite {
    Owner {
        name: String,
    },
    OwnerName {
        owner: i64,
        name: String,
    },
    /// Only of an owner without wallets.
    OwnerGone {
        owner: i64,
    },
    /// Whose a wallet is from now on, and at which place. Two wallets cannot have one place, so what is given up comes
    /// before what is given.
    Place {
        wallet: i64,
        owner: Option<i64>,
        slot: Option<u32>,
        is_primary: bool,
    },
    Role {
        wallet: i64,
        role: String,
    },
    /// Its place is given up, its owner remembered.
    Deleted {
        wallet: i64,
        from: WalletStatus,
        purge_after_ms: u64,
    },
    /// Back to what it was; a place is given apart from it.
    Restored {
        wallet: i64,
        to: WalletStatus,
        rotate_at_ms: Option<u64>,
    },
    /// Reserved indices, given back where they are still the last ones.
    IndicesBack {
        master: i64,
        family: PathFamily,
        first: u32,
        end: u32,
    },
    /// One zero byte in place of its sealed key; no owner.
    Purged {
        wallet: i64,
    },
}
