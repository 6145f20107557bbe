//! What may be signed, and what not.
//!
//! Pure: the evaluator sees an intent, a policy and facts that the caller counted, and gives a decision.
//! It has no clock and no storage, and it does not count by itself: [`Policy::windows`] says what the
//! caller must count and hand over in [`Facts`].
//!
//! - A deny rule wins, wherever it stands; what no rule allows is refused.
//! - Limits are per transaction and over *sliding* windows.
//! - What is not understood completely is refused, whatever the rules say: unresolved lookup tables,
//!   token transfers that do not name their token, counters that are missing, calls of decoded programs and
//!   functions in a form that is not decoded, sign-ins without the page that asks.
//!
//! Only an allowed decision carries an [`Approval`], and only an approval makes an [`ApprovedMessage`],
//! the one thing that signs.
//!
//! ```
//! use keyward_core::amount::Lamports;
//! use keyward_core::evm::intent::EvmIntent;
//! use keyward_core::evm::transaction::Transaction;
//! use keyward_core::evm::U256;
//! use keyward_core::key::WalletKey;
//! use keyward_core::policy::*;
//! use keyward_core::secp256k1::SecretKey;
//!
//! let policy = Policy::default_for(PolicyLimits {
//!     sol_per_transaction: Lamports::ONE_SOL,
//!     tokens_per_transaction: 100,
//!     max_priority_fee: Lamports::new(1_000_000),
//!     evm: Some(EvmLimits {
//!         wei_per_transaction: U256::from(1_000_000_000_000_000_000_u64),
//!         max_fee_wei: U256::from(1_000_000_000_000_000_u64),
//!     }),
//! });
//! // The example of EIP-155: one ether on chain 1.
//! let payload = hex::decode(
//!     "ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080",
//! )
//! .unwrap();
//! let key = SecretKey::from_bytes(&[0x46; 32])?;
//! let wallet = key.address();
//! let transaction = Transaction::decode_unsigned(&payload)?;
//! let intent = EvmIntent::from_transaction(&transaction, wallet);
//! let request = Request::EvmTransaction { wallet: &wallet, intent: &intent };
//! let Decision::Allowed(approval) = evaluate(&policy, &request, &Facts::default()) else {
//!     panic!("refused");
//! };
//! let signature = ApprovedMessage::new(approval, payload)?.sign(&WalletKey::from(key))?;
//! let signature = *signature.as_secp256k1().ok_or("another curve")?;
//! let signed = transaction.into_signed(signature, &wallet)?;
//! assert!(hex::encode(signed.encode()).starts_with("f86c09"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod approval;
mod asset;
mod evaluate;
mod evm;
mod party;
mod refusal;
mod rule;
mod signature;
pub mod text;
mod transaction;
mod units;
mod window;

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::account::AccountAddress;
use crate::address::Address;
use crate::amount::Lamports;
use crate::evm::intent::EvmIntent;
use crate::evm::typed_data::TypedData;
use crate::evm::{EvmAddress, U256};
use crate::intent::Intent;

pub use approval::{Approval, ApprovalMismatch, ApprovedExport, ApprovedMessage, SignError};
pub use asset::{Asset, AssetError, AssetMatch, ChainMatch};
pub use evaluate::evaluate;
pub use refusal::Refusal;
pub use rule::{Beneficiary, Effect, Limits, OperationKind, Rule, RuleMatch, WindowLimit};
pub use signature::{WalletSignature, WalletSignatureError};
pub use window::{Spend, Window, WindowSpend};

/// The most rules of a policy.
const MAX_RULES: usize = 1_000;

/// The rule of a new vault that lets keys leave in plain text, for which the shell asks for the password again.
const EXPORT_RULE: &str = "the owner exports keys";

/// Rules in force, with the version that approvals are bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Grows by one with every change; from 1.
    pub version: u32,
    /// The rules; their order has no meaning.
    pub rules: Vec<Rule>,
}

/// What the owner chooses when creating a vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyLimits {
    /// The most SOL that one transaction may transfer, fees not included.
    pub sol_per_transaction: Lamports,
    /// The most of any one token that one transaction may transfer, in whole tokens.
    pub tokens_per_transaction: u64,
    /// The most that a transaction may offer as priority fee.
    pub max_priority_fee: Lamports,
    /// What EVM transactions may move; without it they are all refused until a rule names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evm: Option<EvmLimits>,
}

/// What the owner chooses for EVM chains. It holds on each chain, whatever its coin is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvmLimits {
    /// The most of a chain's coin that one transaction may transfer, in wei, fees not included.
    pub wei_per_transaction: U256,
    /// The most that one transaction may cost in fees, in wei.
    pub max_fee_wei: U256,
}

/// Why a text is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Not the JSON of a policy.
    #[error("this is no policy: {0}; correct the file there")]
    Json(String),
    /// The version is zero.
    #[error("the version is 0; versions begin at 1")]
    Version,
    /// There are too many rules.
    #[error("there are {found} rules and 1000 are the most; merge some")]
    TooManyRules {
        /// How many there are.
        found: usize,
    },
    /// A rule has no name.
    #[error("rule {position} has no name; name it, refusals refer to it")]
    Unnamed {
        /// Which rule, counted from 1.
        position: usize,
    },
    /// Two rules share a name.
    #[error("two rules are named '{0}'; rename one")]
    SameName(String),
    /// A rule allows calls of programs without naming them.
    #[error("rule '{0}' allows calls and names no program or contract; list them")]
    AnyProgram(String),
    /// A window has no duration.
    #[error("rule '{0}' has a window of no duration; give its length in milliseconds")]
    EmptyWindow(String),
    /// Limits on a rule that does not allow anything.
    #[error("rule '{0}' has limits and does not allow anything; limits belong to allow rules")]
    PointlessLimits(String),
    /// A beneficiary on a rule that does not allow anything.
    #[error(
        "rule '{0}' has a beneficiary and does not allow anything; what is not known to stay in the vault would escape it, so name the operations alone"
    )]
    PointlessBeneficiary(String),
}

impl Policy {
    /// The policy of a new vault: SOL and token transfers up to the limits, memos, compute-budget
    /// settings, messages, and the export of keys by their owner; with limits for EVM chains also transfers
    /// of their coins. Associated token accounts and accounts for nonces may be created, within the limit of SOL
    /// transfers and counted with them; and wallets may close their token accounts, advance their nonces and empty them
    /// as long as all of it stays with wallets of the vault. Everything else is refused.
    #[must_use]
    pub fn default_for(limits: PolicyLimits) -> Self {
        let allow = |name: &str, operation, limits| Rule {
            name: name.into(),
            effect: Effect::Allow,
            matches: RuleMatch {
                operations: alloc::vec![operation],
                ..RuleMatch::default()
            },
            limits,
        };
        let mut sol = allow(
            "sol-transfers",
            OperationKind::SolTransfer,
            Limits {
                sol_per_transaction: Some(limits.sol_per_transaction),
                ..Limits::default()
            },
        );
        // One rule, so that what they move is added up.
        let creations = [
            OperationKind::CreateTokenAccount,
            OperationKind::CreateNonceAccount,
        ];
        sol.matches.operations.extend(creations);
        let mut own = allow(
            "own-accounts",
            OperationKind::CloseTokenAccount,
            Limits::default(),
        );
        own.matches.operations.extend([
            OperationKind::WithdrawExcessLamports,
            OperationKind::AdvanceNonce,
            OperationKind::WithdrawNonce,
        ]);
        own.matches.beneficiary = Some(Beneficiary::OwnWallet);
        let mut policy = Self {
            version: 1,
            rules: alloc::vec![
                sol,
                own,
                allow(
                    "token-transfers",
                    OperationKind::TokenTransfer,
                    Limits {
                        tokens_per_transaction: Some(limits.tokens_per_transaction),
                        ..Limits::default()
                    },
                ),
                allow("memos", OperationKind::Memo, Limits::default()),
                allow(
                    "compute-budget",
                    OperationKind::ComputeBudget,
                    Limits {
                        max_priority_fee: Some(limits.max_priority_fee),
                        ..Limits::default()
                    },
                ),
                allow("text-messages", OperationKind::TextMessage, Limits::default()),
                allow(
                    "off-chain-messages",
                    OperationKind::OffChainMessage,
                    Limits::default()
                ),
                allow(EXPORT_RULE, OperationKind::ExportKey, Limits::default()),
            ],
        };
        if let Some(evm) = limits.evm {
            policy.rules.push(allow(
                "evm-transfers",
                OperationKind::EvmTransfer,
                Limits {
                    evm_units_per_transaction: Some(evm.wei_per_transaction),
                    max_fee_wei: Some(evm.max_fee_wei),
                    ..Limits::default()
                },
            ));
        }
        policy
    }

    /// Reads a policy from JSON; unknown fields are refused, and so is what [`Policy::check`] refuses.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub fn from_json(json: &str) -> Result<Self, PolicyError> {
        let policy: Self =
            serde_json::from_str(json).map_err(|error| PolicyError::Json(alloc::format!("{error}")))?;
        policy.check()?;
        Ok(policy)
    }

    /// The policy as JSON, the same text for the same policy.
    ///
    /// # Errors
    /// [`PolicyError::Json`] when the policy cannot be written, which the types rule out.
    pub fn to_json(&self) -> Result<String, PolicyError> {
        serde_json::to_string_pretty(self).map_err(|error| PolicyError::Json(alloc::format!("{error}")))
    }

    /// Holds the policy to what the evaluator relies on.
    ///
    /// # Errors
    /// See [`PolicyError`].
    pub fn check(&self) -> Result<(), PolicyError> {
        if self.version == 0 {
            return Err(PolicyError::Version);
        }
        if self.rules.len() > MAX_RULES {
            return Err(PolicyError::TooManyRules {
                found: self.rules.len(),
            });
        }
        let mut names = BTreeSet::new();
        for (at, rule) in self.rules.iter().enumerate() {
            if rule.name.trim().is_empty() {
                return Err(PolicyError::Unnamed { position: at + 1 });
            }
            if !names.insert(rule.name.as_str()) {
                return Err(PolicyError::SameName(rule.name.clone()));
            }
            rule.check()?;
        }
        Ok(())
    }

    /// What the caller must count before asking for a decision, each window once.
    #[must_use]
    pub fn windows(&self) -> Vec<Window> {
        let windows: BTreeSet<Window> = self
            .rules
            .iter()
            .flat_map(|rule| &rule.limits.windows)
            .map(WindowLimit::window)
            .collect();
        windows.into_iter().collect()
    }
}

/// What somebody wants signed.
#[derive(Debug, Clone, Copy)]
pub enum Request<'a> {
    /// A transaction, by the intent read from its message.
    Transaction {
        /// The wallet that would sign.
        wallet: &'a Address,
        /// What the message does.
        intent: &'a Intent,
    },
    /// A Solana message: text, a sign-in or an off-chain message.
    Message {
        /// The wallet that would sign.
        wallet: &'a Address,
        /// The exact bytes.
        message: &'a [u8],
    },
    /// An EVM transaction, by the intent read from its payload.
    EvmTransaction {
        /// The wallet that would sign.
        wallet: &'a EvmAddress,
        /// What the transaction does.
        intent: &'a EvmIntent,
    },
    /// A personal message of an EVM wallet (EIP-191).
    EvmMessage {
        /// The wallet that would sign.
        wallet: &'a EvmAddress,
        /// The message, without the prefix that is hashed with it.
        message: &'a [u8],
    },
    /// Typed data (EIP-712).
    TypedData {
        /// The wallet that would sign.
        wallet: &'a EvmAddress,
        /// The document.
        typed_data: &'a TypedData,
    },
    /// The export of a private key in plain text.
    ExportKey {
        /// The wallet whose key would leave.
        wallet: &'a AccountAddress,
    },
}

impl Request<'_> {
    /// The wallet that would sign, or whose key would leave.
    #[must_use]
    pub fn wallet(&self) -> AccountAddress {
        match *self {
            Self::Transaction { wallet, .. } | Self::Message { wallet, .. } => (*wallet).into(),
            Self::EvmTransaction { wallet, .. }
            | Self::EvmMessage { wallet, .. }
            | Self::TypedData { wallet, .. } => (*wallet).into(),
            Self::ExportKey { wallet } => *wallet,
        }
    }
}

/// What the caller counted, in the same database transaction that will record the decision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Now, in milliseconds since 1970.
    pub now_ms: u64,
    /// What is reserved or spent in every window of [`Policy::windows`], over all wallets of the vault.
    pub spent: Vec<WindowSpend>,
    /// Those of [`Policy::parties`] that are wallets of this vault and in use. Whoever is not among them counts as a stranger.
    pub own_wallets: Vec<Address>,
}

/// Whether a request may be signed.
#[derive(Debug)]
#[must_use]
pub enum Decision {
    /// It may, under this approval.
    Allowed(Approval),
    /// It may not, for every one of these reasons; never empty.
    Refused(Vec<Refusal>),
}

#[cfg(test)]
mod tests;
