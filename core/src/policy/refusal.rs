//! Why something is refused.

use alloc::string::String;

use super::rule::Asset;
use super::text::TextError;
use crate::address::Address;
use crate::amount::{Lamports, format_units};
use crate::intent::UnknownReason;

/// One reason for which a request is refused: a stable code for programs, a sentence with cause and
/// remedy for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A deny rule matches.
    #[error("rule '{rule}' denies it; ask whoever keeps the policy")]
    Denied {
        /// The rule.
        rule: String,
    },
    /// A rule requires approvals, which this release cannot collect.
    #[error(
        "rule '{rule}' requires approvals, which this release cannot collect; change the rule or the transaction"
    )]
    ApprovalRequired {
        /// The rule.
        rule: String,
    },
    /// No rule allows it.
    #[error("no rule allows this {operation}; name it in the policy if it is wanted")]
    NotAllowed {
        /// The kind of operation, as policies write it.
        operation: &'static str,
    },
    /// A program is called that no rule names, or in a way that is not understood.
    #[error(
        "instruction {instruction} calls program {program}{}, which the policy does not name: {reason}; leave it out, or name the program in the policy",
        name.map_or_else(String::new, |name| alloc::format!(" ({name})"))
    )]
    UnknownProgram {
        /// Which instruction, counted from 1.
        instruction: usize,
        /// The program.
        program: Address,
        /// Its well-known name.
        name: Option<&'static str>,
        /// Why the call is not understood.
        reason: UnknownReason,
    },
    /// An instruction that is decoded, of a program that no rule names.
    #[error(
        "instruction {instruction} is {call} of program {program} ({name}), which the policy does not name; leave it out, or name the program in the policy"
    )]
    UnnamedCall {
        /// Which instruction, counted from 1.
        instruction: usize,
        /// The program.
        program: Address,
        /// Its well-known name.
        name: &'static str,
        /// The instruction's name.
        call: &'static str,
    },
    /// A token transfer does not say which token it moves.
    #[error(
        "instruction {instruction} moves tokens without naming the token, so no limit can be held; build it with TransferChecked"
    )]
    UnnamedMint {
        /// Which instruction, counted from 1.
        instruction: usize,
    },
    /// A Token-2022 transfer hands further accounts to a program that the token's maker chose.
    #[error(
        "instruction {instruction} hands {accounts} further accounts to a transfer hook, which is not decoded; use a token without a hook"
    )]
    TransferHook {
        /// Which instruction, counted from 1.
        instruction: usize,
        /// How many accounts.
        accounts: usize,
    },
    /// Accounts come from lookup tables.
    #[error(
        "it refers to {tables} lookup table(s), so what it touches cannot be read from it; build it without lookup tables"
    )]
    UnresolvedLookup {
        /// How many tables.
        tables: usize,
    },
    /// More than a rule allows in one transaction.
    #[error(
        "it transfers {} and rule '{rule}' allows at most {} in one transaction; send less, or ask whoever keeps the policy to raise the limit",
        shown(asset, *amount, *decimals), shown(asset, *limit, *decimals)
    )]
    OverLimit {
        /// The rule.
        rule: String,
        /// What is transferred.
        asset: Asset,
        /// How much, in smallest units.
        amount: u64,
        /// How much is allowed, in smallest units.
        limit: u64,
        /// Decimals to show both by.
        decimals: u8,
    },
    /// More than a rule allows over time.
    #[error(
        "it transfers {} after {} within {} s, and rule '{rule}' allows at most {} in that time; wait, or send less",
        shown(asset, *amount, *decimals), shown(asset, *spent, *decimals), duration_ms / 1000, shown(asset, *limit, *decimals)
    )]
    OverWindow {
        /// The rule.
        rule: String,
        /// What is transferred.
        asset: Asset,
        /// How much, in smallest units.
        amount: u64,
        /// What already counts in the window, in smallest units.
        spent: u64,
        /// How much is allowed, in smallest units.
        limit: u64,
        /// Length of the window in milliseconds.
        duration_ms: u64,
        /// Decimals to show the amounts by.
        decimals: u8,
    },
    /// Amounts add up to more than can exist.
    #[error("its transfers of {asset} add up to more than can exist; build it again")]
    SumOverflow {
        /// What is transferred.
        asset: Asset,
    },
    /// The priority fee may be higher than allowed.
    #[error(
        "its priority fee may reach {fee} SOL and rule '{rule}' allows at most {limit}; lower the price or the compute unit limit"
    )]
    FeeCap {
        /// The rule.
        rule: String,
        /// What the fee may reach.
        fee: Lamports,
        /// What is allowed.
        limit: Lamports,
    },
    /// The compute budget is set twice.
    #[error("it sets the compute budget twice, which the network refuses; set each value once")]
    DuplicateComputeBudget,
    /// The transaction has no instruction.
    #[error("it has no instruction and would only cost the fee; add what it should do")]
    NothingToDo,
    /// The wallet is not among the signers.
    #[error("wallet {wallet} is not among its signers; choose one that is")]
    NotASigner {
        /// The wallet.
        wallet: Address,
    },
    /// A counter that the policy needs was not handed over.
    #[error("what was spent of {asset} within {} s is not known, so rule '{rule}' cannot be held; check the vault's integrity", duration_ms / 1000)]
    MissingCounter {
        /// The rule.
        rule: String,
        /// What is counted.
        asset: Asset,
        /// Length of the window in milliseconds.
        duration_ms: u64,
    },
    /// A message could be read as a transaction.
    #[error(
        "the message can be read as a transaction, and its signature could move money; sign it as a transaction instead"
    )]
    LooksLikeTransaction,
    /// A message is not plain text.
    #[error("{0}")]
    NotText(TextError),
    /// The policy itself is unsound.
    #[error("the policy in force is unsound: {0}; restore a sound one")]
    UnsoundPolicy(super::PolicyError),
}

impl Refusal {
    /// The stable code, for scripts, tests and the audit.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Denied { .. } => "denied",
            Self::ApprovalRequired { .. } => "approval-required",
            Self::NotAllowed { .. } => "not-allowed",
            Self::UnknownProgram { .. } | Self::UnnamedCall { .. } => "unknown-program",
            Self::UnnamedMint { .. } => "unnamed-mint",
            Self::TransferHook { .. } => "transfer-hook",
            Self::UnresolvedLookup { .. } => "unresolved-lookup",
            Self::OverLimit { .. } => "over-limit",
            Self::OverWindow { .. } => "over-window",
            Self::SumOverflow { .. } => "sum-overflow",
            Self::FeeCap { .. } => "fee-cap",
            Self::DuplicateComputeBudget => "duplicate-compute-budget",
            Self::NothingToDo => "nothing-to-do",
            Self::NotASigner { .. } => "not-a-signer",
            Self::MissingCounter { .. } => "missing-counter",
            Self::LooksLikeTransaction => "looks-like-transaction",
            Self::NotText(_) => "not-text",
            Self::UnsoundPolicy(_) => "unsound-policy",
        }
    }
}

fn shown(asset: &Asset, amount: u64, decimals: u8) -> String {
    let number = format_units(amount, decimals);
    match asset {
        Asset::Sol => alloc::format!("{number} SOL"),
        Asset::Token(mint) => alloc::format!("{number} of token {mint}"),
    }
}
