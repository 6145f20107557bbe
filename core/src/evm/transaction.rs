//! Transactions of EVM chains: decoded, encoded, hashed and joined with their signature.
//!
//! Legacy with replay protection (EIP-155), with access list (EIP-2930), with dynamic fee (EIP-1559) and
//! with code delegation (EIP-7702). Blob transactions (EIP-4844) are recognised and refused. A
//! transaction without a chain id is refused: it would be valid on every chain.
//!
//! What is decoded encodes to the same bytes again. It does not sign: only
//! [`crate::policy::ApprovedMessage`] does, over [`Transaction::encode_unsigned`].

mod decode;
mod encode;
mod signed;

use alloc::vec::Vec;

use super::EvmAddress;
use super::authorization::SignedAuthorization;
use super::keccak256;
use super::rlp::RlpError;
use super::u256::U256;

pub use signed::{Decoded, SignedTransaction};

/// The most bytes of a transaction: what nodes pass on (go-ethereum's `txMaxSize`).
pub const MAX_TRANSACTION_BYTES: usize = 131_072;

/// The largest chain id that EIP-155's `v` can carry in 64 bits.
pub const MAX_CHAIN_ID: u64 = (u64::MAX - 36) / 2;

/// A transaction without its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The chain that it is for; from 1 to [`MAX_CHAIN_ID`].
    pub chain_id: u64,
    /// How many transactions its sender made before it.
    pub nonce: u64,
    /// The most gas that it may use.
    pub gas_limit: u64,
    /// Who is paid or called; nobody for the creation of a contract.
    pub to: Option<EvmAddress>,
    /// Wei that go along.
    pub value: U256,
    /// What the recipient is called with, or the new contract's init code.
    pub data: Vec<u8>,
    /// What depends on its type.
    pub kind: TransactionKind,
}

/// What depends on the type of a transaction. Prices are in wei for each unit of gas.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransactionKind {
    /// Without a type, with EIP-155's chain id.
    Legacy {
        /// The price.
        gas_price: U256,
    },
    /// Type 1, EIP-2930.
    AccessList {
        /// The price.
        gas_price: U256,
        /// What it announces to touch.
        access_list: Vec<AccessListEntry>,
    },
    /// Type 2, EIP-1559.
    DynamicFee {
        /// The most of the price that goes to the block's producer.
        max_priority_fee_per_gas: U256,
        /// The most of the whole price.
        max_fee_per_gas: U256,
        /// What it announces to touch.
        access_list: Vec<AccessListEntry>,
    },
    /// Type 4, EIP-7702: accounts hand their code over.
    SetCode {
        /// The most of the price that goes to the block's producer.
        max_priority_fee_per_gas: U256,
        /// The most of the whole price.
        max_fee_per_gas: U256,
        /// What it announces to touch.
        access_list: Vec<AccessListEntry>,
        /// Who hands over to what; at least one.
        authorizations: Vec<SignedAuthorization>,
    },
}

/// An account and storage slots that a transaction announces to touch, EIP-2930.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessListEntry {
    /// The account.
    pub address: EvmAddress,
    /// Slots of its storage.
    pub storage_keys: Vec<[u8; 32]>,
}

/// Why bytes are no transaction that could be signed or sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionError {
    /// There is nothing.
    #[error("there are no bytes; give a transaction")]
    Empty,
    /// More bytes than nodes accept.
    #[error("it has {found} bytes and nodes accept 131072; make it shorter")]
    TooLong {
        /// How many there are.
        found: usize,
    },
    /// Not canonical RLP.
    #[error("it is not encoded as a transaction: {0}")]
    Rlp(#[from] RlpError),
    /// It carries blobs.
    #[error("it is a blob transaction (EIP-4844), which wallets do not need; send the data another way")]
    Blob,
    /// A type that is not known.
    #[error("its type {0} is not known; update Keyward, or build it with another type")]
    UnknownType(u8),
    /// It has no chain id.
    #[error("it names no chain and would be valid on every one; build it with a chain id (EIP-155)")]
    NoChainId,
    /// The chain id is beyond what a signature can carry.
    #[error("its chain id is zero or too large to exist; build it with the right one")]
    ChainId,
    /// The highest nonce, with which no transaction is valid (EIP-2681).
    #[error("its nonce is the highest number, which no network accepts; ask the node for the right one")]
    Nonce,
    /// The priority fee is above the whole fee.
    #[error("its priority fee is higher than its whole fee, which no network accepts; set the fees again")]
    PriorityFee,
    /// Value and fees are beyond 256 bits.
    #[error("its value and fees add up to more than can exist; build it again")]
    Overflow,
    /// Type 4 without authorisations, or without a recipient.
    #[error("it delegates code and lacks {0}; build it again")]
    Delegation(&'static str),
    /// A transaction was expected that is yet to be signed.
    #[error("it is signed already; give the unsigned transaction")]
    Signed,
    /// A signed transaction was expected.
    #[error("it is not signed; sign it first")]
    Unsigned,
    /// `v` or the parity does not exist.
    #[error("its signature's parity or v does not exist; have it signed again")]
    Parity,
    /// The signature is malformed, high-s, or belongs to no key.
    #[error("its signature is not valid; have it signed again")]
    Signature,
    /// The signature is somebody else's.
    #[error("its signature is by {found} and {expected} was to sign; sign it with the right key")]
    WrongSender {
        /// Who was to sign.
        expected: EvmAddress,
        /// Who signed.
        found: EvmAddress,
    },
}

impl Transaction {
    /// The number that its encoding begins with; none for a legacy one.
    #[must_use]
    pub const fn type_byte(&self) -> Option<u8> {
        match self.kind {
            TransactionKind::Legacy { .. } => None,
            TransactionKind::AccessList { .. } => Some(1),
            TransactionKind::DynamicFee { .. } => Some(2),
            TransactionKind::SetCode { .. } => Some(4),
        }
    }

    /// The most that a unit of gas may cost, in wei.
    #[must_use]
    pub const fn max_fee_per_gas(&self) -> &U256 {
        match &self.kind {
            TransactionKind::Legacy { gas_price } | TransactionKind::AccessList { gas_price, .. } => {
                gas_price
            }
            TransactionKind::DynamicFee { max_fee_per_gas, .. }
            | TransactionKind::SetCode { max_fee_per_gas, .. } => max_fee_per_gas,
        }
    }

    /// The most that the transaction may cost beside its value, in wei; `None` beyond 256 bits, which
    /// [`Transaction::check`] refuses.
    #[must_use]
    pub fn max_fee(&self) -> Option<U256> {
        U256::from(self.gas_limit).checked_mul(*self.max_fee_per_gas())
    }

    /// What it announces to touch.
    #[must_use]
    pub fn access_list(&self) -> &[AccessListEntry] {
        match &self.kind {
            TransactionKind::Legacy { .. } => &[],
            TransactionKind::AccessList { access_list, .. }
            | TransactionKind::DynamicFee { access_list, .. }
            | TransactionKind::SetCode { access_list, .. } => access_list,
        }
    }

    /// Who hands code over; empty for all types but 4.
    #[must_use]
    pub fn authorizations(&self) -> &[SignedAuthorization] {
        match &self.kind {
            TransactionKind::SetCode { authorizations, .. } => authorizations,
            _ => &[],
        }
    }

    /// Keccak-256 of [`Transaction::encode_unsigned`]: what is signed.
    #[must_use]
    pub fn signing_hash(&self) -> [u8; 32] {
        keccak256(&self.encode_unsigned())
    }

    /// Holds it to what every network demands; decoding does so already.
    ///
    /// # Errors
    /// See [`TransactionError`].
    pub fn check(&self) -> Result<(), TransactionError> {
        if self.chain_id == 0 || self.chain_id > MAX_CHAIN_ID {
            return Err(TransactionError::ChainId);
        }
        if self.nonce == u64::MAX {
            return Err(TransactionError::Nonce);
        }
        self.max_fee()
            .and_then(|fee| fee.checked_add(self.value))
            .ok_or(TransactionError::Overflow)?;
        match &self.kind {
            TransactionKind::DynamicFee {
                max_priority_fee_per_gas: priority,
                max_fee_per_gas: whole,
                ..
            }
            | TransactionKind::SetCode {
                max_priority_fee_per_gas: priority,
                max_fee_per_gas: whole,
                ..
            } if priority > whole => return Err(TransactionError::PriorityFee),
            TransactionKind::SetCode { authorizations, .. } if authorizations.is_empty() => {
                return Err(TransactionError::Delegation("an authorisation"));
            }
            TransactionKind::SetCode { .. } if self.to.is_none() => {
                return Err(TransactionError::Delegation("a recipient"));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Whether bytes are a transaction of any type, signed or not, valid or not, or the beginning of a typed
/// payload that could be one: what must not be signed as anything else.
#[must_use]
pub fn parses_as_transaction(bytes: &[u8]) -> bool {
    use super::rlp::Item;
    match bytes {
        // Types 1 to 4, and the magic byte of an EIP-7702 authorisation.
        [1..=5, payload @ ..] => matches!(Item::decode(payload), Ok(Item::List(_))),
        [0xc0..=0xff, ..] => matches!(Item::decode(bytes), Ok(Item::List(_))),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
