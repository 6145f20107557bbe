//! Rules: what they match and how much they allow.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use serde::de::{Deserializer, Error as _};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::PolicyError;
use super::window::Window;
use crate::address::{Address, AddressError};
use crate::amount::Lamports;

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
    pub wallets: Vec<Address>,
    /// Kinds of operation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<OperationKind>,
    /// What is transferred.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<AssetMatch>,
    /// Who receives: an account for SOL, a token account for tokens.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<Address>,
    /// Programs called.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<Address>,
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
    /// A call that is not decoded. An allow rule must list the programs.
    ProgramCall,
    /// A text signed outside any transaction.
    TextMessage,
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
            Self::TextMessage => "text-message",
        }
    }
}

/// Something that can be transferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asset {
    /// SOL, in lamports.
    Sol,
    /// The token of a mint, in smallest units.
    Token(Address),
}

/// Which assets a rule matches: `sol`, `token:*` or `token:<mint>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AssetMatch {
    /// This one.
    Asset(Asset),
    /// Any token, but not SOL.
    AnyToken,
}

impl AssetMatch {
    pub(super) fn covers(&self, asset: &Asset) -> bool {
        match self {
            Self::Asset(own) => own == asset,
            Self::AnyToken => matches!(asset, Asset::Token(_)),
        }
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sol => f.write_str("sol"),
            Self::Token(mint) => write!(f, "token:{mint}"),
        }
    }
}

impl fmt::Display for AssetMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asset(asset) => asset.fmt(f),
            Self::AnyToken => f.write_str("token:*"),
        }
    }
}

/// Why a text names no asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AssetError {
    /// Neither SOL nor a token.
    #[error("an asset is written 'sol' or 'token:' and the mint's address")]
    Kind,
    /// The mint's address is wrong.
    #[error("the mint's address is wrong: {0}")]
    Mint(#[from] AddressError),
}

impl FromStr for Asset {
    type Err = AssetError;

    fn from_str(text: &str) -> Result<Self, AssetError> {
        match text.split_once(':') {
            None if text == "sol" => Ok(Self::Sol),
            Some(("token", mint)) => Ok(Self::Token(mint.parse()?)),
            _ => Err(AssetError::Kind),
        }
    }
}

impl FromStr for AssetMatch {
    type Err = AssetError;

    fn from_str(text: &str) -> Result<Self, AssetError> {
        if text == "token:*" {
            return Ok(Self::AnyToken);
        }
        text.parse().map(Self::Asset)
    }
}

macro_rules! serde_as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    };
}

serde_as_text!(Asset);
serde_as_text!(AssetMatch);

/// How much an allow rule allows. Amounts of all actions that the rule matches are added up.
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
    /// The most within any window of that length, in smallest units.
    #[serde(rename = "maximum_units")]
    pub maximum: u64,
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
        let calls = self.matches.operations.contains(&OperationKind::ProgramCall);
        if self.effect == Effect::Allow && calls && self.matches.programs.is_empty() {
            return Err(PolicyError::AnyProgram(name()));
        }
        if self.effect != Effect::Allow && self.limits != Limits::default() {
            return Err(PolicyError::PointlessLimits(name()));
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
