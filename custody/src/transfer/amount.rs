//! How much of what is transferred.

use std::fmt;

use keyward_core::address::{Address, Blockhash};
use keyward_core::amount::{Lamports, TokenUnits};

/// An amount of SOL or of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferAmount {
    /// SOL.
    Sol(Lamports),
    /// A token of either token program.
    Token {
        /// The token's mint.
        mint: Address,
        /// How much, in its smallest units, with the mint's decimals.
        units: TokenUnits,
    },
}

impl TransferAmount {
    /// Returns the number of the smallest units: lamports, or the token's.
    #[must_use]
    pub fn base_units(&self) -> u64 {
        match self {
            Self::Sol(lamports) => lamports.get(),
            Self::Token { units, .. } => units.amount,
        }
    }

    /// Returns the amount of SOL; `None` for a token.
    #[must_use]
    pub fn lamports(&self) -> Option<Lamports> {
        match self {
            Self::Sol(lamports) => Some(*lamports),
            Self::Token { .. } => None,
        }
    }

    /// Returns the token's mint; `None` for SOL.
    #[must_use]
    pub fn mint(&self) -> Option<Address> {
        match self {
            Self::Sol(_) => None,
            Self::Token { mint, .. } => Some(*mint),
        }
    }
}

impl From<Lamports> for TransferAmount {
    fn from(lamports: Lamports) -> Self {
        Self::Sol(lamports)
    }
}

/// The amount with its unit: `1.500000000 SOL`, or `2.50 of the token MINT`.
impl fmt::Display for TransferAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sol(lamports) => write!(f, "{lamports} SOL"),
            Self::Token { mint, units } => write!(f, "{units} of the token {mint}"),
        }
    }
}

/// The durable nonce that a transaction lives by in place of a recent blockhash: it can land for as long as the account
/// holds this value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NonceUse {
    /// The nonce account.
    pub account: Address,
    /// The value that it holds until it is advanced.
    pub value: Blockhash,
}
