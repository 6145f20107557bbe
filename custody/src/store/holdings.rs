//! What is kept of what nodes said: balances, token accounts and mints. A cache that no decision rests on.
//!
//! A reading at an earlier slot never takes the place of a later one, so two processes that read at once cannot turn the
//! clock back.

use keyward_core::address::Address;
use keyward_core::amount::Lamports;

use crate::error::CustodyError;

/// The most rows of one page, and of one change.
pub(crate) const MAX_CACHED: usize = 1_000;

/// What was read, to be kept.
#[derive(Clone, Debug)]
pub(crate) enum HoldingsWrite {
    /// Balances, all read at this slot.
    Balances {
        network: String,
        slot: u64,
        rows: Vec<(Address, Lamports)>,
    },
    /// All token accounts of an owner whose balance is kept already.
    Tokens {
        network: String,
        owner: Address,
        slot: u64,
        rows: Vec<TokenRow>,
    },
    /// Mints, all read at this slot.
    Mints {
        network: String,
        slot: u64,
        rows: Vec<(Address, Address, Vec<u8>)>,
    },
}

/// A page of what is kept, by address.
#[derive(Clone, Debug)]
pub(crate) struct HoldingsPage {
    pub(crate) network: String,
    /// Only that of this wallet.
    pub(crate) of: Option<Address>,
    /// Only what comes after this address, as text.
    pub(crate) after: Option<Address>,
    pub(crate) limit: u32,
}

impl HoldingsPage {
    /// What the addresses are compared with: nothing comes before the empty text.
    pub(crate) fn after(&self) -> String {
        self.after.map(|address| address.to_string()).unwrap_or_default()
    }
}

/// A balance as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BalanceRow {
    pub(crate) address: Address,
    pub(crate) lamports: Lamports,
    pub(crate) slot: u64,
    pub(crate) read_ms: u64,
    /// Slot and time at which the token accounts were read.
    pub(crate) tokens: Option<(u64, u64)>,
}

/// A token account as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenRow {
    pub(crate) account: Address,
    pub(crate) owner: Address,
    pub(crate) program: Address,
    pub(crate) lamports: Lamports,
    pub(crate) data: Vec<u8>,
}

/// A mint as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MintRow {
    pub(crate) mint: Address,
    pub(crate) program: Address,
    pub(crate) data: Vec<u8>,
    pub(crate) slot: u64,
    pub(crate) read_ms: u64,
}

/// A stored amount.
pub(super) fn lamports(column: &'static str, text: &str) -> Result<Lamports, CustodyError> {
    text.parse::<u64>()
        .map(Lamports::new)
        .map_err(|_| CustodyError::damaged(format!("{column} is not an amount")))
}
