//! What a person asks for.

use keyward_core::address::Address;

use super::finding::FindingCode;
use super::split::{Division, SplitError, divide};
use crate::fees::FeePolicy;
use crate::jobs::JobFormat;

/// A distribution as it is asked for, every name resolved to an address.
#[derive(Clone, Debug)]
pub struct DistributionRequest {
    /// A name for people. Two distributions of one name that pay the same to the same are one: the second is refused.
    pub label: String,
    /// The wallets that pay, in the order in which they are emptied; at most [`super::MAX_SOURCES`].
    pub sources: Vec<Address>,
    /// The wallet that pays fees and the rent of new accounts.
    pub fee_payer: Address,
    /// What is paid.
    pub asset: Asset,
    /// Who is paid, in the order of payment.
    pub recipients: Vec<Recipient>,
    /// How much each.
    pub amounts: Amounts,
    /// Who bears what a Token-2022 mint withholds of transfers.
    pub transfer_fee: FeeBearer,
    /// The version of the transactions.
    pub format: JobFormat,
    /// What is offered above the cluster's fee.
    pub fee: FeePolicy,
    /// What a person was asked about and agreed to.
    pub accepted: Vec<FindingCode>,
}

/// What is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asset {
    /// SOL; amounts are lamports.
    Sol,
    /// A token of either program; amounts are its base units.
    Token {
        /// Its mint.
        mint: Address,
    },
}

/// One who is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The wallet; of tokens it is the owner of the account.
    pub address: Address,
    /// How it was named, for showing; empty for its address.
    pub name: String,
    /// The line of the list that named it, from 1.
    pub line: Option<u32>,
    /// A public text on chain.
    pub memo: Option<String>,
}

/// How much each recipient is paid, in base units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amounts {
    /// So much each, in the order of the recipients.
    Explicit(Vec<u64>),
    /// Parts of a total.
    Divided {
        /// What is divided.
        total: u64,
        /// How.
        division: Division,
    },
}

/// Who bears the transfer fee of a Token-2022 mint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FeeBearer {
    /// The amount is what leaves the source; less arrives.
    #[default]
    Recipient,
    /// The amount is what arrives; more leaves the source.
    Sender,
}

impl Amounts {
    /// The amounts, none below what its recipient must at least get where there is a choice.
    ///
    /// # Errors
    /// [`SplitError`].
    pub(super) fn resolve(&self, least: &[u64]) -> Result<Vec<u64>, SplitError> {
        match self {
            Self::Explicit(amounts) if amounts.len() == least.len() => Ok(amounts.clone()),
            Self::Explicit(amounts) => Err(SplitError::WeightCount {
                found: amounts.len(),
                expected: least.len(),
            }),
            Self::Divided { total, division } => divide(*total, division, least),
        }
    }
}
