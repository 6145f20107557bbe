//! Why a transfer was not prepared, not sent, or is not known to have happened.

use keyward_core::address::{Address, Signature};
use keyward_core::amount::Lamports;

use crate::chain::ChainError;
use crate::{CustodyError, SignError};

/// A transfer that could not be prepared or carried through.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// Sender and recipient are the same address.
    #[error("sender and recipient are the same address")]
    SameAccount,
    /// The amount is zero.
    #[error("the amount is zero")]
    ZeroAmount,
    /// The memo is longer than the bound.
    #[error("the memo has {found} bytes, more than {limit}")]
    MemoTooLong {
        /// Its length in bytes.
        found: usize,
        /// The bound in bytes.
        limit: usize,
    },
    /// The sender has less than amount and fees.
    #[error(
        "the sender has {available} SOL, but {needed} SOL is needed: {amount} and {fees} of fees; {short} is missing"
    )]
    InsufficientFunds {
        /// The sender's balance.
        available: Lamports,
        /// Amount and fees.
        needed: Lamports,
        /// The amount to be sent.
        amount: Lamports,
        /// All fees.
        fees: Lamports,
        /// What is missing.
        short: Lamports,
        /// The most that could be sent, leaving the sender empty.
        most: Lamports,
    },
    /// The token cannot be sent so.
    #[error("the token {mint} cannot be sent: {reason}")]
    Token {
        /// Its mint.
        mint: Address,
        /// Why.
        reason: String,
    },
    /// No account of the sender holds so many tokens.
    #[error("the sender has an account with {available} of the token {mint}, but {needed} is needed{frozen}")]
    InsufficientTokens {
        /// The token's mint.
        mint: Address,
        /// The most that one account holds.
        available: String,
        /// What is to be sent.
        needed: String,
        /// Whether there are more, frozen.
        frozen: &'static str,
    },
    /// The durable nonce cannot be used.
    #[error("the durable nonce {account} cannot be used: {reason}")]
    Nonce {
        /// Its account.
        account: Address,
        /// Why.
        reason: String,
    },
    /// What came back signed is not what was sent out to be signed. Nothing was sent.
    #[error("what was signed cannot be sent: {reason}")]
    Signed {
        /// Why.
        reason: String,
    },
    /// The recipient would hold less than the cluster requires of an account.
    #[error(
        "the recipient would hold {after} SOL, below the cluster's minimum of {minimum} SOL for an account"
    )]
    RecipientBelowRent {
        /// Its balance after the transfer.
        after: Lamports,
        /// The cluster's minimum.
        minimum: Lamports,
    },
    /// The sender would be left with something, but less than the cluster requires of an account.
    #[error(
        "the sender would be left with {remaining} SOL, below the cluster's minimum of {minimum} SOL for an account"
    )]
    SenderBelowRent {
        /// What would be left.
        remaining: Lamports,
        /// The cluster's minimum.
        minimum: Lamports,
        /// The most that could be sent, leaving the sender exactly empty.
        most: Lamports,
    },
    /// An earlier transfer of the same amount between the same addresses is neither confirmed nor proven expired.
    #[error("an equal transfer is still unresolved: {signature}")]
    Unresolved {
        /// Its signature.
        signature: Signature,
    },
    /// The simulation says that the transaction would fail. Nothing was signed.
    #[error("the transaction would fail: {reason}")]
    WouldFail {
        /// The translated reason.
        reason: String,
    },
    /// The prepared transaction is too old to be signed. Nothing was signed.
    #[error("the prepared transaction has grown too old to be signed")]
    PlanExpired,
    /// The endpoint serves another network than the one the transfer was prepared for. Nothing was sent to it.
    #[error("the transfer was prepared for network {expected}, but the endpoint serves {found}")]
    OtherNetwork {
        /// The genesis hash at preparation.
        expected: String,
        /// The genesis hash now.
        found: String,
    },
    /// The transaction is signed and recorded, but whether it landed could not be learnt for a long while.
    #[error("whether {signature} landed is unknown: {cause}")]
    Unknown {
        /// Its signature.
        signature: Signature,
        /// What the last question failed with.
        cause: String,
    },
    /// The message could not be built.
    #[error("the transaction cannot be built: {reason}")]
    Build {
        /// Why.
        reason: String,
    },
    /// The node gave no usable answer. Nothing was signed.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// Signing was refused or failed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The vault or its store refused or failed.
    #[error(transparent)]
    Custody(#[from] CustodyError),
}

impl TransferError {
    /// Returns what a person can do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::SameAccount => "choose another recipient".into(),
            Self::ZeroAmount => "give an amount above zero".into(),
            Self::MemoTooLong { limit, .. } => format!("shorten the memo to {limit} bytes"),
            Self::InsufficientFunds { most, .. } => format!("send at most {most} SOL, or fund the sender"),
            Self::Token { .. } => "check the mint and the recipient".into(),
            Self::InsufficientTokens { available, .. } => {
                format!(
                    "send at most {available}, or bring the sender's accounts of this token together first"
                )
            }
            Self::Nonce { .. } => "look at `keyward nonce list`, or leave the nonce out".into(),
            Self::Signed { .. } => {
                "sign exactly what `keyward send --offline-out` wrote, and bring that back".into()
            }
            Self::RecipientBelowRent { minimum, .. } => {
                format!("send enough that the recipient holds at least {minimum} SOL")
            }
            Self::SenderBelowRent { minimum, most, .. } => {
                format!("leave at least {minimum} SOL, or send exactly {most} SOL to empty the sender")
            }
            Self::Unresolved { .. } => "resume it first; if this is a separate payment, say so".into(),
            Self::WouldFail { .. } => "change the transfer and prepare it again; nothing was signed".into(),
            Self::PlanExpired => "prepare it again; nothing was signed".into(),
            Self::OtherNetwork { .. } => {
                "choose the endpoint it was prepared for, or prepare it again".into()
            }
            Self::Unknown { .. } => {
                "resume later: the same bytes are sent again and nothing is signed anew".into()
            }
            Self::Build { .. } => "change the transfer and prepare it again".into(),
            Self::Chain(error) => error.remedy().into(),
            Self::Sign(error) => error.remedy().to_string(),
            Self::Custody(error) => error.remedy().to_string(),
        }
    }
}
