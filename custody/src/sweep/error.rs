//! Why a sweep could not be planned.

use keyward_core::address::Address;

use crate::chain::ChainError;
use crate::error::{CustodyError, SignError};

/// Why a sweep could not be planned. Nothing was signed or stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The vault's.
    #[error(transparent)]
    Custody(#[from] CustodyError),
    /// The node's.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// Policy could not be asked.
    #[error("policy could not be asked: {0}")]
    Policy(Box<SignError>),
    /// Nobody is named.
    #[error("no wallet is named")]
    NoWallets,
    /// Too many are.
    #[error("{found} wallets are too many at once")]
    TooManyWallets {
        /// How many.
        found: usize,
    },
    /// More accounts than a job holds.
    #[error("there are {found} accounts to sweep, and {limit} are the most", limit = super::MAX_SWEPT)]
    TooManyAccounts {
        /// How many.
        found: usize,
    },
    /// An address is no wallet of this vault that may sign.
    #[error("{address} is no wallet of this vault that is in use, and {role}")]
    NotOurs {
        /// The address.
        address: Address,
        /// What it would have to do.
        role: &'static str,
    },
    /// What is to receive everything is no wallet.
    #[error("{address} is no wallet: {reason}")]
    NotAWallet {
        /// The address.
        address: Address,
        /// What it is instead.
        reason: &'static str,
    },
    /// What is to receive everything resembles another address.
    #[error("{address} looks like {known}, which is known here, and is another address")]
    Lookalike {
        /// What was named.
        address: Address,
        /// What it looks like.
        known: Address,
    },
    /// It cannot be said who pays.
    #[error("nobody is named who pays the fees")]
    NoSponsor,
    /// The balance of some wallets is unknown.
    #[error("the balances of {unknown} wallets could not be read: {cause}")]
    Unknown {
        /// How many.
        unknown: usize,
        /// Why not.
        cause: String,
    },
    /// An item does not fit a transaction.
    #[error("{cause}")]
    Pack {
        /// Which and why.
        cause: String,
    },
}

impl From<SignError> for SweepError {
    fn from(error: SignError) -> Self {
        Self::Policy(Box::new(error))
    }
}

impl SweepError {
    /// A stable word.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Custody(error) => error.code(),
            Self::Chain(error) => error.code(),
            Self::Policy(error) => error.code(),
            Self::NoWallets => "no-wallets",
            Self::TooManyWallets { .. } | Self::TooManyAccounts { .. } => "too-many",
            Self::NotOurs { .. } => "not-ours",
            Self::NotAWallet { .. } => "not-a-wallet",
            Self::Lookalike { .. } => "lookalike",
            Self::NoSponsor => "no-sponsor",
            Self::Unknown { .. } => "balances-unknown",
            Self::Pack { .. } => "unpackable",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Custody(error) => error.remedy().to_string(),
            Self::Chain(error) => error.remedy().to_owned(),
            Self::Policy(error) => error.remedy().to_string(),
            Self::NoWallets => "name wallets, a tag, or all of them".to_owned(),
            Self::TooManyWallets { .. } => format!("name at most {} at a time", super::MAX_WALLETS),
            Self::TooManyAccounts { .. } => "name fewer wallets at a time".to_owned(),
            Self::NotOurs { .. } => "name a wallet of this vault that is active".to_owned(),
            Self::NotAWallet { .. } => "name the address of a wallet".to_owned(),
            Self::Lookalike { .. } => {
                "compare the whole addresses; if this very one is meant, put it into the address book first"
                    .to_owned()
            }
            Self::NoSponsor => "name a wallet of this vault with --sponsor".to_owned(),
            Self::Unknown { .. } => "try again; nothing was planned".to_owned(),
            Self::Pack { .. } => "report this".to_owned(),
        }
    }
}
