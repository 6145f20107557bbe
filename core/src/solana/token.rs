//! What accounts of the token programs hold: token accounts and mints, of SPL Token and of Token-2022.
//!
//! An account's data is read as the program that owns it would read it; what that program would refuse is refused here.
//! Stricter than the programs: an extension twice, an extension of a mint in a token account (and the other way round),
//! and one whose value has another length than it always has. An extension that this release does not know is kept as its
//! number and never taken for "none". It does not ask the chain, and whether the account belongs to a program is the
//! caller's to have looked up: any program can write bytes that look like these.
//!
//! Layouts: <https://github.com/solana-program/token> `interface/src/state.rs` and
//! <https://github.com/solana-program/token-2022> `interface/src/extension`.

mod account;
mod cursor;
mod extension;
mod fee;
mod mint;
#[cfg(test)]
mod tests;

pub use account::{AccountExtension, TokenAccount, TokenAccountState};
pub use extension::MAX_EXTENSIONS;
pub use fee::{TransferFee, TransferFeeConfig};
pub use mint::{Mint, MintExtension, MintMetadata};

use crate::address::Address;
use crate::intent::programs;

/// Length of a token account without extensions, in bytes.
pub const ACCOUNT_LEN: usize = 165;
/// Length of a mint without extensions, in bytes.
pub const MINT_LEN: usize = 82;
/// Length of a multisignature account, which no token account or mint has.
const MULTISIG_LEN: usize = 355;
/// What stands behind the base of an account of Token-2022 that has extensions.
const ACCOUNT_TYPE_MINT: u8 = 1;
/// The same for a token account.
const ACCOUNT_TYPE_ACCOUNT: u8 = 2;

/// Which of the two token programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TokenProgram {
    /// SPL Token.
    Token,
    /// SPL Token-2022, with extensions.
    Token2022,
}

impl TokenProgram {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Token, Self::Token2022];

    /// The token program at this address, if it is one.
    #[must_use]
    pub fn of(address: &Address) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|program| program.address() == *address)
    }

    /// Where the program is.
    #[must_use]
    pub const fn address(self) -> Address {
        match self {
            Self::Token => programs::TOKEN,
            Self::Token2022 => programs::TOKEN_2022,
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "SPL Token",
            Self::Token2022 => "SPL Token-2022",
        }
    }
}

/// Why an account's data is no token account or mint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenDataError {
    /// It has a length that the program does not give it.
    #[error(
        "its data has {found} bytes, which is no length of {what}; check that it is the account you mean"
    )]
    Length {
        /// What it was read as.
        what: &'static str,
        /// How many bytes there are.
        found: usize,
    },
    /// It was made but not set up.
    #[error("it was never set up by the token program; ask whoever made it")]
    Uninitialised,
    /// It is the other kind of account.
    #[error("it is not {what} but another kind of account; check the address")]
    OtherKind {
        /// What it was read as.
        what: &'static str,
    },
    /// A field has a value that the program never writes.
    #[error("its {field} has a value that the token program never writes; do not use it")]
    Field {
        /// Which.
        field: &'static str,
    },
    /// The list of extensions breaks off.
    #[error("its extensions break off at byte {offset}; do not use it")]
    Extensions {
        /// Where in the data.
        offset: usize,
    },
    /// An extension is there twice, does not belong there, or has another length than it always has.
    #[error("its extension of kind {kind} is not as the token program writes it; do not use it")]
    Extension {
        /// The extension's number.
        kind: u16,
    },
}
