//! What an EVM transaction does, read from the very bytes to be signed.
//!
//! Calldata is decoded only when it is exactly the ABI encoding of a call that is known; anything else is
//! [`EvmAction::Call`] with its selector, which no policy allows if the selector is one that is known. Nothing asks the chain: whether a contract keeps to the
//! standard whose selector is called, and how many decimals a token has, is not known here.
//!
//! Calls: EIP-20, EIP-721, EIP-1155, EIP-2612 and the `permit` of the DAI token.

mod calldata;
mod chains;
mod sentences;

use alloc::string::String;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::EvmAddress;
use super::authorization::SignedAuthorization;
use super::transaction::Transaction;
use super::u256::U256;

pub(crate) use calldata::decodes;
pub use chains::{ChainName, chain_name};
pub(in crate::evm) use sentences::shown_chain;

/// What a transaction does. Only [`EvmIntent::from_transaction`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EvmIntent {
    /// SHA-256 of the unsigned payload.
    pub payload_sha256: [u8; 32],
    /// The chain that it is for.
    pub chain_id: u64,
    /// The type byte; none for a legacy one.
    pub type_byte: Option<u8>,
    /// Who would sign and pay.
    pub from: EvmAddress,
    /// How many transactions `from` made before it.
    pub nonce: u64,
    /// Wei that go along.
    pub value: U256,
    /// The most gas that it may use.
    pub gas_limit: u64,
    /// The most that gas may cost in all, in wei; value not included.
    pub max_fee: U256,
    /// What it does beside moving `value`.
    pub action: EvmAction,
    /// Code that accounts hand over (EIP-7702).
    pub authorizations: Vec<SignedAuthorization>,
    /// How many accounts and slots it announces to touch.
    pub access_list_entries: usize,
}

/// What a transaction does beside moving its value. Amounts are in smallest units.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EvmAction {
    /// Nothing: the value alone goes to `to`.
    NativeTransfer {
        /// Who receives.
        to: EvmAddress,
    },
    /// A contract is created.
    Create {
        /// Length of the init code in bytes.
        code_len: usize,
    },
    /// `transfer`: own tokens move.
    Erc20Transfer {
        /// The token's contract.
        token: EvmAddress,
        /// Who receives.
        to: EvmAddress,
        /// How much.
        amount: U256,
    },
    /// `transferFrom`, of EIP-20 an amount and of EIP-721 a token's number: the calls look the same.
    TransferFrom {
        /// The token's contract.
        token: EvmAddress,
        /// Whose tokens move.
        from: EvmAddress,
        /// Who receives.
        to: EvmAddress,
        /// How much, or which one.
        amount_or_id: U256,
    },
    /// `approve` or `increaseAllowance`: somebody may move tokens later.
    Approve {
        /// The token's contract.
        token: EvmAddress,
        /// Who may.
        spender: EvmAddress,
        /// How much; of EIP-721 the token's number.
        amount: U256,
        /// Whether it replaces an allowance or adds to it.
        change: AllowanceChange,
    },
    /// `permit`: hands in an allowance that an owner signed.
    Permit {
        /// The token's contract.
        token: EvmAddress,
        /// Whose tokens.
        owner: EvmAddress,
        /// Who may move them.
        spender: EvmAddress,
        /// How much; the maximum for a `permit` of DAI's kind.
        amount: U256,
    },
    /// `safeTransferFrom` of EIP-721 or EIP-1155.
    NftTransfer {
        /// The collection's contract.
        collection: EvmAddress,
        /// Whose token moves.
        from: EvmAddress,
        /// Who receives.
        to: EvmAddress,
        /// Which tokens, and how many of each.
        items: Vec<NftItem>,
        /// Length of the data handed to the recipient, in bytes.
        data_len: usize,
    },
    /// `setApprovalForAll`: somebody may, or may no longer, move every token of a collection.
    ApprovalForAll {
        /// The collection's contract.
        collection: EvmAddress,
        /// Who may.
        operator: EvmAddress,
        /// Whether it is given or taken away.
        grant: Grant,
    },
    /// Any other call.
    Call {
        /// The contract.
        contract: EvmAddress,
        /// The first four bytes of the data, if there are as many.
        selector: Option<[u8; 4]>,
        /// Length of the whole data in bytes.
        data_len: usize,
    },
}

/// One token of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NftItem {
    /// Its number.
    pub id: U256,
    /// How many of it; one of an EIP-721 token.
    pub amount: U256,
}

/// What `approve` and its relatives do to an allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowanceChange {
    /// The amount is the new allowance.
    Set,
    /// The amount is added.
    Increase,
    /// The amount is taken off.
    Decrease,
}

/// Whether a permission is given or taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// Given.
    Given,
    /// Taken away.
    Revoked,
}

impl EvmIntent {
    /// Reads what a transaction does when `from` signs it.
    #[must_use]
    pub fn from_transaction(transaction: &Transaction, from: EvmAddress) -> Self {
        Self {
            payload_sha256: Sha256::digest(transaction.encode_unsigned()).into(),
            chain_id: transaction.chain_id,
            type_byte: transaction.type_byte(),
            from,
            nonce: transaction.nonce,
            value: transaction.value,
            gas_limit: transaction.gas_limit,
            // Decoding has refused what does not fit; the largest number fails every limit.
            max_fee: transaction.max_fee().unwrap_or(U256::MAX),
            action: calldata::action(transaction),
            authorizations: transaction.authorizations().to_vec(),
            access_list_entries: transaction.access_list().len(),
        }
    }

    /// The wei that go from `wallet` to somebody else, gas not included; the largest number of 128 bits for more.
    ///
    /// It is for people who look at how much a wallet moves: limits go by what policy counts.
    #[must_use]
    pub fn outflow(&self, wallet: &EvmAddress) -> u128 {
        if self.from == *wallet && self.contract() != Some(wallet) {
            self.value.to_u128().unwrap_or(u128::MAX)
        } else {
            0
        }
    }

    /// Sentences that say everything a person must know before deciding. They hold no text from the
    /// transaction but numbers and addresses.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        sentences::describe(self)
    }

    /// Who is called or paid; nobody for the creation of a contract.
    #[must_use]
    pub const fn contract(&self) -> Option<&EvmAddress> {
        match &self.action {
            EvmAction::NativeTransfer { to } => Some(to),
            EvmAction::Create { .. } => None,
            EvmAction::Erc20Transfer { token, .. }
            | EvmAction::TransferFrom { token, .. }
            | EvmAction::Approve { token, .. }
            | EvmAction::Permit { token, .. } => Some(token),
            EvmAction::NftTransfer { collection, .. } | EvmAction::ApprovalForAll { collection, .. } => {
                Some(collection)
            }
            EvmAction::Call { contract, .. } => Some(contract),
        }
    }
}

/// Whether an allowance is as good as endless: 2^96 - 1, the most that some tokens count, or from
/// 2^128 on, which is more than any supply.
#[must_use]
pub fn is_unlimited(amount: &U256) -> bool {
    const MAX_96_BITS: u128 = (1 << 96) - 1;
    amount
        .to_u128()
        .is_none_or(|amount| amount == MAX_96_BITS || amount == u128::MAX)
}

#[cfg(test)]
mod tests;
