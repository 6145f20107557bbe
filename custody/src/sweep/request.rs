//! What a person asks for.

use keyward_core::address::Address;

use crate::fees::FeePolicy;
use crate::jobs::JobFormat;

/// Everything of many wallets into one, every name resolved to an address.
#[derive(Clone, Debug)]
pub struct ConsolidateRequest {
    /// A name for people.
    pub label: String,
    /// The wallets that are emptied, all of this vault; at most [`super::MAX_WALLETS`].
    pub sources: Vec<Address>,
    /// The wallet that gets it all, of this vault or another's.
    pub to: Address,
    /// The wallet of this vault that pays fees, and the rent of token accounts that have to be made; without one it is `to`.
    pub sponsor: Option<Address>,
    /// What is collected.
    pub collect: Collect,
    /// What becomes of token accounts that were emptied.
    pub emptied: Emptied,
    /// The version of the transactions.
    pub format: JobFormat,
    /// What is offered above the cluster's fee.
    pub fee: FeePolicy,
}

/// What is collected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Collect {
    /// SOL and every token.
    #[default]
    Everything,
    /// SOL alone.
    Sol,
    /// Every token, and no SOL but the rent of closed accounts.
    Tokens,
    /// These tokens alone.
    Mints(Vec<Address>),
}

impl Collect {
    /// Whether SOL is.
    #[must_use]
    pub const fn takes_sol(&self) -> bool {
        matches!(self, Self::Everything | Self::Sol)
    }

    /// Whether any token is.
    #[must_use]
    pub const fn takes_tokens(&self) -> bool {
        !matches!(self, Self::Sol)
    }

    /// Whether this token is.
    #[must_use]
    pub fn takes(&self, mint: &Address) -> bool {
        match self {
            Self::Everything | Self::Tokens => true,
            Self::Sol => false,
            Self::Mints(mints) => mints.contains(mint),
        }
    }
}

/// What becomes of token accounts that a consolidation emptied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Emptied {
    /// They are closed, and their rent is collected.
    #[default]
    Close,
    /// They stay.
    Keep,
}

/// The empty token accounts of wallets closed, every name resolved to an address.
#[derive(Clone, Debug)]
pub struct CloseRequest {
    /// A name for people.
    pub label: String,
    /// The wallets whose accounts are looked at, all of this vault; at most [`super::MAX_WALLETS`].
    pub wallets: Vec<Address>,
    /// Who gets the rent.
    pub rent_to: RentTo,
    /// The wallet of this vault that pays fees; without one whoever gets the rent, or the wallet if it is only one.
    pub sponsor: Option<Address>,
    /// What becomes of wrapped SOL.
    pub wrapped: WrappedSol,
    /// The version of the transactions.
    pub format: JobFormat,
    /// What is offered above the cluster's fee.
    pub fee: FeePolicy,
}

/// Who gets the rent of closed accounts: always a wallet of this vault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RentTo {
    /// The wallet whose account it was.
    #[default]
    Owner,
    /// This wallet.
    Wallet(Address),
}

/// What becomes of accounts of wrapped SOL with a balance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WrappedSol {
    /// They stay as they are.
    #[default]
    Keep,
    /// They are closed, and all of their SOL goes where the rent goes.
    Unwrap,
}
