//! Rules: what they match and how much they allow.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::PolicyError;
use super::asset::{Asset, AssetMatch, ChainMatch};
use super::window::Window;
use crate::account::AccountAddress;
use crate::amount::Lamports;
use crate::evm::U256;

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, which refusals and audit entries show.
    pub name: String,
    /// What a match leads to.
    pub effect: Effect,
    /// What it matches; without any condition it matches everything.
    #[serde(default, rename = "match", skip_serializing_if = "is_default")]
    pub matches: RuleMatch,
    /// How much it allows; only for allow rules.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: Limits,
}

/// What a match leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Refused, whatever other rules say.
    Deny,
    /// Allowed within the limits, unless another rule denies or requires more.
    Allow,
    /// Needs approvals of other people. This release has no way of giving them, so a match is refused.
    Require,
}

/// Conditions of a rule: all that are given must hold, and of each list one entry suffices.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleMatch {
    /// Wallets that sign.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wallets: Vec<AccountAddress>,
    /// Chains. An allow rule covers EVM chains only if it names a chain, an operation or an asset, so that
    /// no rule from before Keyward knew them allows anything there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chains: Vec<ChainMatch>,
    /// Kinds of operation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<OperationKind>,
    /// What is transferred.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<AssetMatch>,
    /// Who receives: an account for SOL, a token account for tokens; on EVM chains the recipient, or whoever
    /// is given an allowance.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<AccountAddress>,
    /// Programs or contracts called; of typed data the contract that checks it, of a delegation the code.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<AccountAddress>,
    /// Who must be the better off for it. Only for allow rules, since what is not known to stay in the vault would escape
    /// the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beneficiary: Option<Beneficiary>,
}

/// Who must be the better off for an operation: whoever receives its SOL, keeps what it creates, signs for what it closes,
/// or holds the authority over its nonce. Of operations where that cannot be told it never holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Beneficiary {
    /// A wallet of this vault that is in use.
    OwnWallet,
}

impl Beneficiary {
    /// The name used in policies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OwnWallet => "own-wallet",
        }
    }
}

/// Kinds of operation that rules tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OperationKind {
    /// The System program moves SOL.
    SolTransfer,
    /// A token program moves tokens.
    TokenTransfer,
    /// A memo.
    Memo,
    /// A compute-budget setting.
    ComputeBudget,
    /// A call that is not decoded, or has no name of its own here. An allow rule must list the programs.
    ProgramCall,
    /// An associated token account is created. What its rent may be counts as SOL.
    CreateTokenAccount,
    /// A token account is closed, and its lamports paid out.
    CloseTokenAccount,
    /// A token program pays out what an account holds above its rent.
    WithdrawExcessLamports,
    /// An account for a durable nonce is created, or made one.
    CreateNonceAccount,
    /// A durable nonce gets its next value.
    AdvanceNonce,
    /// Lamports leave the account of a durable nonce.
    WithdrawNonce,
    /// A text signed outside any transaction.
    TextMessage,
    /// A Solana off-chain message.
    OffChainMessage,
    /// A sign-in with Solana. It is a text message as well: rules that name those match it.
    SignIn,
    /// An EVM chain's coin is sent, alone or along with a call.
    EvmTransfer,
    /// `transfer` or `transferFrom` of an EVM token.
    EvmTokenTransfer,
    /// `safeTransferFrom` of a collection.
    EvmNftTransfer,
    /// Somebody else is given, or loses, power over tokens.
    EvmApproval,
    /// An EVM call that is not decoded. An allow rule must list the contracts.
    EvmCall,
    /// The creation of a contract.
    EvmCreate,
    /// An account hands its code over (EIP-7702). An allow rule must list the contracts.
    EvmDelegation,
    /// Typed data (EIP-712) without a known risk. An allow rule must list the contracts that check it, and
    /// data that names none is not allowed.
    TypedData,
    /// Typed data (EIP-712) that is known to move money: allowances, orders, meta-transactions. An allow
    /// rule must list the contracts that check it.
    TypedDataApproval,
    /// A private key leaves in plain text.
    ExportKey,
}

impl OperationKind {
    /// The name used in policies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SolTransfer => "sol-transfer",
            Self::TokenTransfer => "token-transfer",
            Self::Memo => "memo",
            Self::ComputeBudget => "compute-budget",
            Self::ProgramCall => "program-call",
            Self::CreateTokenAccount => "create-token-account",
            Self::CloseTokenAccount => "close-token-account",
            Self::WithdrawExcessLamports => "withdraw-excess-lamports",
            Self::CreateNonceAccount => "create-nonce-account",
            Self::AdvanceNonce => "advance-nonce",
            Self::WithdrawNonce => "withdraw-nonce",
            Self::TextMessage => "text-message",
            Self::OffChainMessage => "off-chain-message",
            Self::SignIn => "sign-in",
            Self::EvmTransfer => "evm-transfer",
            Self::EvmTokenTransfer => "evm-token-transfer",
            Self::EvmNftTransfer => "evm-nft-transfer",
            Self::EvmApproval => "evm-approval",
            Self::EvmCall => "evm-call",
            Self::EvmCreate => "evm-create",
            Self::EvmDelegation => "evm-delegation",
            Self::TypedData => "typed-data",
            Self::TypedDataApproval => "typed-data-approval",
            Self::ExportKey => "export-key",
        }
    }

    /// Whether only a rule that names it can allow it.
    pub(super) const fn must_be_named(self) -> bool {
        matches!(
            self,
            Self::OffChainMessage
                | Self::CreateTokenAccount
                | Self::CloseTokenAccount
                | Self::WithdrawExcessLamports
                | Self::CreateNonceAccount
                | Self::AdvanceNonce
                | Self::WithdrawNonce
                | Self::EvmNftTransfer
                | Self::EvmApproval
                | Self::EvmCall
                | Self::EvmCreate
                | Self::EvmDelegation
                | Self::TypedData
                | Self::TypedDataApproval
                | Self::ExportKey
        )
    }

    /// Whether an allow rule must list the programs or contracts.
    pub(super) const fn needs_programs(self) -> bool {
        matches!(
            self,
            Self::ProgramCall
                | Self::EvmCall
                | Self::EvmDelegation
                | Self::TypedData
                | Self::TypedDataApproval
        )
    }

    /// Whether it is typed data, of which nobody can say how much it moves.
    pub(super) const fn is_typed_data(self) -> bool {
        matches!(self, Self::TypedData | Self::TypedDataApproval)
    }

    /// Whether a rule that names `named` means this one too.
    pub(super) fn is_kind_of(self, named: Self) -> bool {
        self == named || (self == Self::SignIn && named == Self::TextMessage)
    }
}

/// How much an allow rule allows. Amounts of all actions that the rule matches are added up.
///
/// What cannot be held to a limit is not allowed by a rule that has one: typed data by a rule that limits
/// amounts, an EVM asset by a rule that limits only what Solana moves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The most SOL in one transaction, in lamports.
    #[serde(rename = "lamports_per_transaction", skip_serializing_if = "Option::is_none")]
    pub sol_per_transaction: Option<Lamports>,
    /// The most of each token in one transaction, in whole tokens.
    #[serde(
        rename = "whole_tokens_per_transaction",
        skip_serializing_if = "Option::is_none"
    )]
    pub tokens_per_transaction: Option<u64>,
    /// The most that the transaction may offer as priority fee, in lamports.
    #[serde(rename = "max_priority_fee_lamports", skip_serializing_if = "Option::is_none")]
    pub max_priority_fee: Option<Lamports>,
    /// The most of each EVM asset in one transaction, in smallest units (wei for a chain's coin), allowances
    /// given included; decimal digits as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evm_units_per_transaction: Option<U256>,
    /// The most that an EVM transaction may cost in fees, in wei; decimal digits as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_fee_wei: Option<U256>,
    /// Limits over time, over all wallets of the vault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<WindowLimit>,
}

/// A limit over a sliding window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowLimit {
    /// What is counted.
    pub asset: Asset,
    /// Length of the window in milliseconds.
    pub duration_ms: u64,
    /// The most within any window of that length, in smallest units. A JSON number up to 64 bits, else
    /// decimal digits as text; both are read.
    #[serde(rename = "maximum_units", with = "super::units")]
    pub maximum: u128,
}

impl Limits {
    /// Whether amounts are limited, of whatever and however.
    pub(super) const fn limit_amounts(&self) -> bool {
        self.sol_per_transaction.is_some()
            || self.tokens_per_transaction.is_some()
            || self.evm_units_per_transaction.is_some()
            || !self.windows.is_empty()
    }
}

impl WindowLimit {
    /// The window to count.
    #[must_use]
    pub const fn window(&self) -> Window {
        Window {
            asset: self.asset,
            duration_ms: self.duration_ms,
        }
    }
}

impl Rule {
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let name = || self.name.clone();
        let calls = self.matches.operations.iter().any(|kind| kind.needs_programs());
        if self.effect == Effect::Allow && calls && self.matches.programs.is_empty() {
            return Err(PolicyError::AnyProgram(name()));
        }
        if self.effect != Effect::Allow && self.limits != Limits::default() {
            return Err(PolicyError::PointlessLimits(name()));
        }
        if self.effect != Effect::Allow && self.matches.beneficiary.is_some() {
            return Err(PolicyError::PointlessBeneficiary(name()));
        }
        if self.limits.windows.iter().any(|w| w.duration_ms == 0) {
            return Err(PolicyError::EmptyWindow(name()));
        }
        Ok(())
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
