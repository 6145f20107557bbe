//! What a message does, read from the very bytes to be signed.
//!
//! An intent is derived from the message alone, never from what a caller says about it. Whatever is not
//! understood completely is [`Action::Unknown`] with a reason; nothing is guessed. It does not ask the
//! chain: looked-up addresses stay unresolved unless what the tables hold is handed in
//! ([`Intent::from_resolved`]), and a token's decimals are those that the instruction claims (which the
//! program checks on chain).
//!
//! Instruction formats: the System, Compute Budget, Memo, SPL Token and Token-2022 interfaces under
//! <https://github.com/solana-program>.

mod decode;
mod decoded;
mod hash;
mod outflow;
pub mod programs;
mod sentences;
mod table;
mod tables;

use alloc::string::String;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use crate::address::Address;
use crate::amount::Lamports;
use crate::solana::{LookedUpAccount, Message, MessageVersion, ResolvedMessage, TransactionConfig};

pub use decoded::{Danger, Field, FieldValue, field};
pub use hash::{IntentHash, intent_hash};

/// Compute units that a transaction may use at most when it sets no limit of its own.
const UNITS_WITHOUT_LIMIT: u32 = 1_400_000;

/// What a message does. Only [`Intent::from_message`] and [`Intent::from_resolved`] make one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Intent {
    /// SHA-256 of the message's bytes.
    pub message_sha256: [u8; 32],
    /// Format of the message.
    pub version: MessageVersion,
    /// Who pays the fee.
    pub fee_payer: Address,
    /// Who must sign, fee payer first.
    pub signers: Vec<Address>,
    /// One action for each instruction, in order.
    pub actions: Vec<Action>,
    /// The whole priority fee that a version 1 message sets; older versions have a price instead.
    pub priority_fee: Option<Lamports>,
    /// The limit of compute units, if set; the highest if set more than once.
    pub compute_unit_limit: Option<u32>,
    /// The priority fee per compute unit in millionths of a lamport, if set; the highest if set more
    /// than once.
    pub compute_unit_price_micro_lamports: Option<u64>,
    /// How many address lookup tables the message refers to that are not resolved: all or none.
    pub unresolved_lookups: usize,
    /// What the lookup tables were said to hold, where the intent relies on it.
    pub lookups: Vec<LookedUpAccount>,
    /// The nonce that the message lives by instead of a blockhash, so that it does not expire.
    pub durable_nonce: Option<DurableNonce>,
    /// Whether compute-budget settings are given once each, as the network demands.
    pub budget_settings: BudgetSettings,
}

/// Whether each compute-budget setting is given at most once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetSettings {
    /// At most once each.
    Distinct,
    /// One is given again: the network refuses the transaction.
    Duplicate,
}

/// A nonce account in a blockhash's place: until it is advanced the signed transaction stays valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DurableNonce {
    /// The nonce account; `None` if it comes from an unresolved lookup table or is missing.
    pub account: Option<Address>,
    /// Who may advance it.
    pub authority: Option<Address>,
}

/// What one instruction does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// The System program moves lamports.
    SolTransfer {
        /// Who pays.
        from: Address,
        /// Who receives.
        to: Address,
        /// How much.
        lamports: Lamports,
    },
    /// A token program moves tokens between token accounts.
    TokenTransfer {
        /// SPL Token or Token-2022.
        program: Address,
        /// The token account debited.
        source: Address,
        /// The token account credited.
        destination: Address,
        /// The owner or delegate who allows it.
        authority: Address,
        /// The token, if the instruction names it: the old `Transfer` does not.
        mint: Option<Address>,
        /// Smallest units of the token.
        amount: u64,
        /// Decimals of the token as the instruction claims; the program checks them.
        decimals: Option<u8>,
        /// The transfer fee that `TransferCheckedWithFee` agrees to, in smallest units.
        fee: Option<u64>,
        /// Accounts after the authority: signers of a multisig authority, references, or the accounts
        /// of a Token-2022 transfer hook.
        extra_accounts: Vec<Address>,
    },
    /// A text in the transaction's log.
    Memo {
        /// Memo or its first version.
        program: Address,
        /// The text, if it is one.
        text: Option<String>,
        /// Length in bytes.
        bytes_len: usize,
        /// Who must have signed for it.
        signers: Vec<Address>,
    },
    /// A setting of the transaction's resources and priority fee.
    ComputeBudget {
        /// Which setting, and its value.
        setting: ComputeBudgetSetting,
    },
    /// An instruction told field by field, for reading: policy treats it as a call of its program.
    Decoded {
        /// The program called.
        program: Address,
        /// Its well-known name.
        program_name: &'static str,
        /// The instruction's name in the program's interface.
        instruction: &'static str,
        /// Its accounts and data, in order.
        fields: Vec<Field>,
        /// What a person must know before agreeing to it.
        dangers: Vec<Danger>,
    },
    /// Anything that is not understood completely.
    Unknown {
        /// The program called.
        program: Address,
        /// Its well-known name.
        program_name: Option<&'static str>,
        /// Listed accounts passed to it; looked-up ones are missing.
        accounts: Vec<Address>,
        /// Length of its data in bytes.
        data_len: usize,
        /// The first bytes of its data, 32 at most.
        data_start: Vec<u8>,
        /// Why it is not understood.
        reason: UnknownReason,
    },
}

/// A compute-budget instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ComputeBudgetSetting {
    /// Bytes of heap for each program.
    HeapFrame(u32),
    /// The most compute units.
    UnitLimit(u32),
    /// Priority fee per compute unit, in millionths of a lamport.
    UnitPrice(u64),
    /// The most bytes of loaded accounts.
    LoadedAccountsDataSize(u32),
    /// The whole priority fee, as version 1 sets it. No instruction does.
    PriorityFee(Lamports),
}

/// Why an instruction is not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownReason {
    /// The program's instructions are not decoded by Keyward.
    #[error("this program's instructions are not decoded")]
    Program,
    /// The program is known, this instruction of it is not.
    #[error("this instruction of the program is not decoded")]
    Instruction,
    /// The data is too short or too long for the instruction it names.
    #[error("its data has the wrong length")]
    DataLength,
    /// The instruction has fewer accounts than it needs.
    #[error("it has too few accounts")]
    TooFewAccounts,
    /// An account comes from a lookup table, so its address is not in the message.
    #[error("an account comes from a lookup table")]
    LookupAccount,
}

impl Intent {
    /// Reads what a message does.
    #[must_use]
    pub fn from_message(message: &Message) -> Self {
        let known = |index: usize| message.account_keys.get(index).copied();
        Self::read(message, &known, message.lookups.len(), Vec::new())
    }

    /// Reads what a message does with its lookup tables resolved. What the tables were said to hold is
    /// kept in [`Intent::lookups`] and enters [`Intent::hash`].
    ///
    /// # Security
    /// Only the network knows what a table holds: whoever handed it in is trusted with it.
    #[must_use]
    pub fn from_resolved(resolved: &ResolvedMessage) -> Self {
        let known = |index: usize| resolved.account(index);
        Self::read(resolved.message(), &known, 0, resolved.looked_up().to_vec())
    }

    fn read(
        message: &Message,
        known: decode::Accounts<'_>,
        unresolved_lookups: usize,
        lookups: Vec<LookedUpAccount>,
    ) -> Self {
        let actions: Vec<Action> = message
            .instructions
            .iter()
            .map(|instruction| decode::action(message, known, instruction))
            .collect();
        let budget = decode::budget(&actions);
        let config = match message.version {
            MessageVersion::V1(config) => config,
            MessageVersion::Legacy | MessageVersion::V0 => TransactionConfig::default(),
        };
        Self {
            message_sha256: Sha256::digest(message.encode()).into(),
            version: message.version,
            fee_payer: *message.fee_payer(),
            signers: message.required_signers().to_vec(),
            priority_fee: config.priority_fee,
            compute_unit_limit: budget.unit_limit.max(config.compute_unit_limit),
            compute_unit_price_micro_lamports: budget.unit_price,
            unresolved_lookups,
            lookups,
            durable_nonce: decode::durable_nonce(message, known),
            budget_settings: budget.settings,
            actions,
        }
    }

    /// The most that the priority fee can be: price times limit, rounded up. Without a limit 1.4
    /// million units are assumed, the most that the network ever granted. `u64::MAX` stands for more.
    ///
    /// What a version 1 message sets is added, so that a price given beside it cannot be overlooked.
    #[must_use]
    pub fn max_priority_fee(&self) -> Lamports {
        let price = u128::from(self.compute_unit_price_micro_lamports.unwrap_or(0));
        let limit = u128::from(self.compute_unit_limit.unwrap_or(UNITS_WITHOUT_LIMIT));
        // 64 bits times 32 bits fit in 128.
        let fee = (price * limit).div_ceil(1_000_000);
        let priced = u64::try_from(fee).unwrap_or(u64::MAX);
        let set = self.priority_fee.map_or(0, Lamports::get);
        Lamports::new(priced.saturating_add(set))
    }

    /// That a version 1 message sets its fee or limits itself, as the setting of the whole fee.
    pub(crate) fn inline_setting(&self) -> Option<ComputeBudgetSetting> {
        match self.version {
            MessageVersion::V1(config) if config != TransactionConfig::default() => Some(
                ComputeBudgetSetting::PriorityFee(config.priority_fee.unwrap_or(Lamports::ZERO)),
            ),
            _ => None,
        }
    }

    /// The sum of all SOL transfers; `None` if it cannot exist.
    #[must_use]
    pub fn sol_total(&self) -> Option<Lamports> {
        self.actions
            .iter()
            .filter_map(|action| match action {
                Action::SolTransfer { lamports, .. } => Some(*lamports),
                _ => None,
            })
            .try_fold(Lamports::ZERO, Lamports::checked_add)
    }

    /// One sentence for each action, and one for whatever else a person must know before deciding.
    /// Text taken from the message is escaped, so that it cannot steer a terminal.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        sentences::describe(self)
    }
}

#[cfg(test)]
mod tests;
