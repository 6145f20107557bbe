//! Why something is refused.

use alloc::string::String;

use super::asset::Asset;
use super::text::TextError;
use crate::account::AccountAddress;
use crate::address::Address;
use crate::amount::Lamports;
use crate::evm::intent::chain_name;
use crate::evm::personal::PersonalError;
use crate::evm::{EvmAddress, U256};
use crate::intent::UnknownReason;
use crate::offchain::MessageRefusal;

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
    /// No rule names an operation that new vaults have a rule for.
    #[error(
        "instruction {instruction} is {call} ({operation}), and no rule of this vault's policy names it; the policy is signed with the vault and stays as it is: import the vault's exported file anew, which gives it the policy of this release, or leave the instruction out"
    )]
    Unruled {
        /// Which instruction, counted from 1.
        instruction: usize,
        /// The kind of operation, as policies write it.
        operation: &'static str,
        /// The instruction's name.
        call: &'static str,
    },
    /// A rule names the operation and does not allow it here.
    #[error(
        "instruction {instruction} is {call} ({operation}), which rule '{rule}' does not allow here: for this wallet, this program, or somebody who is no wallet of this vault; choose a wallet of this vault that is in use"
    )]
    OutsideRule {
        /// Which instruction, counted from 1.
        instruction: usize,
        /// The kind of operation, as policies write it.
        operation: &'static str,
        /// The instruction's name.
        call: &'static str,
        /// A rule that names the operation.
        rule: String,
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
        shown(asset, amount, *decimals), shown(asset, limit, *decimals)
    )]
    OverLimit {
        /// The rule.
        rule: String,
        /// What is transferred.
        asset: Asset,
        /// How much, in smallest units.
        amount: U256,
        /// How much is allowed, in smallest units.
        limit: U256,
        /// Decimals to show both by.
        decimals: u8,
    },
    /// More than a rule allows over time.
    #[error(
        "it transfers {} after {} within {} s, and rule '{rule}' allows at most {} in that time; wait, or send less",
        shown(asset, amount, *decimals), shown(asset, spent, *decimals), duration_ms / 1000, shown(asset, limit, *decimals)
    )]
    OverWindow {
        /// The rule.
        rule: String,
        /// What is transferred.
        asset: Asset,
        /// How much, in smallest units.
        amount: U256,
        /// What already counts in the window, in smallest units.
        spent: U256,
        /// How much is allowed, in smallest units.
        limit: U256,
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
        wallet: AccountAddress,
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
    /// Bytes that are no message as wallets sign them.
    #[error("{0}")]
    NotMessage(MessageRefusal),
    /// A sign-in, or what claims to be one, is the text of an off-chain message: whether it names the page that asks
    /// is not checked there.
    #[error(
        "the off-chain message is a sign-in, and whether it names the page that asks is not checked in one; sign in without the off-chain message around it"
    )]
    WrappedSignIn,
    /// A personal message that is a trap.
    #[error("{0}")]
    Trap(PersonalError),
    /// An EVM contract is called that no rule names, or in a way that is not understood.
    #[error(
        "it calls contract {contract}{}, which the policy does not name, and the call is not decoded; leave it out, or name the contract in the policy",
        selector.map_or_else(String::new, |selector| alloc::format!(", function 0x{}", hex::encode(selector)))
    )]
    UnknownContract {
        /// The contract.
        contract: EvmAddress,
        /// The function, by the first four bytes of the call.
        selector: Option<[u8; 4]>,
    },
    /// An account would hand its code over.
    #[error(
        "it hands control of an account to the code of {delegate}; leave the authorisation out, or name the operation and the contract in the policy"
    )]
    Delegation {
        /// The contract whose code the account gets.
        delegate: EvmAddress,
    },
    /// The fee of an EVM transaction may be higher than allowed.
    #[error(
        "its fee may reach {} and rule '{rule}' allows at most {}; lower the price or the gas limit",
        shown(&Asset::EvmNative { chain_id: *chain_id }, fee, COIN_DECIMALS),
        shown(&Asset::EvmNative { chain_id: *chain_id }, limit, COIN_DECIMALS)
    )]
    EvmFeeCap {
        /// The rule.
        rule: String,
        /// The chain.
        chain_id: u64,
        /// What the fee may reach, in wei.
        fee: U256,
        /// What is allowed, in wei.
        limit: U256,
    },
    /// An amount has more than 128 bits.
    #[error("it moves more of {asset} than can be counted, or a token by a number that looks so; send less")]
    Uncountable {
        /// What is moved.
        asset: Asset,
    },
    /// A rule's limit is in whole tokens, of which an EVM transaction does not tell the size.
    #[error(
        "rule '{rule}' limits whole tokens, and how many units make one of {asset} is not known; set evm_units_per_transaction in the rule"
    )]
    UnknownDecimals {
        /// The rule.
        rule: String,
        /// What is moved.
        asset: Asset,
    },
    /// A rule limits amounts, and typed data does not say how much it moves.
    #[error(
        "rule '{rule}' limits amounts, and what typed data moves is not known; allow it by a rule of its own without such limits"
    )]
    UnlimitableTypedData {
        /// The rule.
        rule: String,
    },
    /// A call of a program that is decoded, in a form that is not.
    #[error(
        "instruction {instruction} calls program {program} ({name}) in a form that is not understood, which no policy allows: {reason}; build it in the usual form"
    )]
    UndecodedCall {
        /// Which instruction, counted from 1.
        instruction: usize,
        /// The program.
        program: Address,
        /// Its well-known name.
        name: &'static str,
        /// Why the call is not understood.
        reason: UnknownReason,
    },
    /// A call of an EVM function that is decoded, in a form that is not.
    #[error(
        "it calls function 0x{} of contract {contract} in an unusual form, which no policy allows; build it in the usual form",
        hex::encode(selector)
    )]
    MalformedCall {
        /// The contract.
        contract: EvmAddress,
        /// The function, by the first four bytes of the call.
        selector: [u8; 4],
    },
    /// A rule limits units, and the contract may give a single token of a collection by its number.
    #[error(
        "rule '{rule}' limits units, and whether {asset} has units or numbered tokens is not known; list it in the rule's assets or programs"
    )]
    UnlistedToken {
        /// The rule.
        rule: String,
        /// What an allowance is given for.
        asset: Asset,
    },
    /// A rule limits what Solana moves and nothing of an EVM asset that it matches as well.
    #[error(
        "rule '{rule}' limits amounts on Solana and not those of {asset}; set evm_units_per_transaction in the rule"
    )]
    NoEvmLimit {
        /// The rule.
        rule: String,
        /// What is moved.
        asset: Asset,
    },
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
            Self::Unruled { .. } => "unruled-operation",
            Self::OutsideRule { .. } => "outside-rule",
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
            Self::NotMessage(MessageRefusal::Empty) => "not-text",
            Self::NotMessage(MessageRefusal::Transaction) => "looks-like-transaction",
            Self::NotMessage(_) => "malformed-message",
            Self::Trap(PersonalError::LooksLikeHash) => "looks-like-hash",
            Self::Trap(PersonalError::LooksLikeTransaction) => "looks-like-transaction",
            Self::WrappedSignIn | Self::Trap(PersonalError::SignIn) => "sign-in-unchecked",
            Self::UnknownContract { .. } => "unknown-contract",
            Self::Delegation { .. } => "delegation",
            Self::EvmFeeCap { .. } => "fee-cap",
            Self::Uncountable { .. } => "uncountable",
            Self::UnknownDecimals { .. } => "unknown-decimals",
            Self::UnlimitableTypedData { .. } => "unlimitable-typed-data",
            Self::UndecodedCall { .. } => "undecoded-call",
            Self::MalformedCall { .. } => "malformed-call",
            Self::UnlistedToken { .. } => "unlisted-token",
            Self::NoEvmLimit { .. } => "no-evm-limit",
            Self::UnsoundPolicy(_) => "unsound-policy",
        }
    }
}

/// Decimals of the coin of every EVM chain.
const COIN_DECIMALS: u8 = 18;

fn shown(asset: &Asset, amount: &U256, decimals: u8) -> String {
    let number = amount.format_units(decimals);
    match asset {
        Asset::Sol => alloc::format!("{number} SOL"),
        Asset::Token(mint) => alloc::format!("{number} of token {mint}"),
        Asset::EvmNative { chain_id } => {
            let number = amount.format_units_short(decimals);
            let coin = chain_name(*chain_id).map_or("coins", |chain| chain.coin);
            alloc::format!("{number} {coin} of chain {chain_id}")
        }
        Asset::Erc20 { chain_id, contract } => {
            alloc::format!("{number} smallest units of token {contract} of chain {chain_id}")
        }
    }
}
