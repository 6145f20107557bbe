//! A wallet's chain of keys: what a decision about it needs to know, and the changes that it comes to.
//!
//! Each key names the one that it came in place of, and is replaced once at most; so the keys of one wallet are a list.

use keyward_core::account::AccountAddress;
use keyward_core::path::PathFamily;

use super::NewWallet;
use crate::wallets::WalletStatus;

/// The most keys of one chain that are read at a time.
pub(crate) const MAX_CHAIN: u32 = 1_000;

/// How far a chain is followed to its newest key: a key a minute for a week, a key a day for longer than anyone lives.
pub(crate) const MAX_FORWARD: u32 = 50_000;

/// Where a wallet stands in its chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyChainAsk {
    pub(crate) wallet: AccountAddress,
    /// How many of the keys before it, at most [`MAX_CHAIN`].
    pub(crate) depth: u32,
}

/// A wallet's place and name, the key after it and those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyChain {
    /// The phrase that it was derived from; none for an imported key.
    pub(crate) master: Option<i64>,
    pub(crate) family: Option<PathFamily>,
    pub(crate) label: String,
    /// The key that came in its place.
    pub(crate) successor: Option<Successor>,
    /// The keys before it, the newest first.
    pub(crate) predecessors: Vec<Predecessor>,
}

/// The key that replaced a wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Successor {
    pub(crate) address: AccountAddress,
    /// When it did, in milliseconds since the Unix epoch.
    pub(crate) created_ms: u64,
}

/// A key that was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Predecessor {
    pub(crate) id: i64,
    pub(crate) address: AccountAddress,
    pub(crate) status: WalletStatus,
    /// Since when it has that status.
    pub(crate) status_ms: u64,
    /// When the key after it was stored.
    pub(crate) replaced_ms: u64,
}

/// A change to a chain, or to what is due of it.
#[derive(Debug)]
pub(crate) enum KeyChange {
    /// A new key comes in place of an active one.
    Replace(Box<Replacement>),
    /// A rotated wallet is used no longer.
    Retire { wallet: i64 },
    /// A rotated or retired wallet is of use for a while.
    Extend {
        wallet: i64,
        since_ms: u64,
        grace_until_ms: u64,
    },
    /// When an active wallet's key is rotated; never, if neither is there.
    Schedule { wallet: i64, next: Option<NextRotation> },
}

/// How often, and when next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NextRotation {
    pub(crate) every_ms: u64,
    pub(crate) at_ms: u64,
}

/// A new key and what it takes over.
#[derive(Debug)]
pub(crate) struct Replacement {
    pub(crate) old: i64,
    pub(crate) old_label: String,
    pub(crate) grace_until_ms: u64,
    /// The phrase and the family that the new key was derived from.
    pub(crate) from: (i64, PathFamily),
    /// The new key; its label is the old one's.
    pub(crate) new: NewWallet,
    pub(crate) owner: Option<i64>,
    pub(crate) slot: Option<u32>,
    pub(crate) is_primary: bool,
    pub(crate) role: String,
    pub(crate) next: Option<NextRotation>,
    pub(crate) rotation_count: u32,
}

/// A list of wallets by their keys' age.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeyList {
    /// Active ones that are to be rotated by then, the longest due first.
    Due {
        until_ms: u64,
        after: Option<(u64, AccountAddress)>,
        limit: u32,
    },
    /// Rotated ones whose grace period is over by then, in the order stored.
    PastGrace {
        until_ms: u64,
        after: Option<AccountAddress>,
        limit: u32,
    },
    /// The chain of this wallet, the newest key first, at most [`MAX_CHAIN`] of it.
    Chain { wallet: AccountAddress },
}
