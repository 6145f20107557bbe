//! A transaction with its signature.

use alloc::vec::Vec;

use super::decode::{self, RawSignature};
use super::{Transaction, TransactionError};
use crate::evm::EvmAddress;
use crate::evm::keccak256;
use crate::secp256k1::{RecoverableSignature, recover};

/// What bytes turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// A payload that is yet to be signed.
    Unsigned(Transaction),
    /// A signed transaction, its signature valid for some sender.
    Signed(SignedTransaction),
}

/// A transaction whose signature belongs to somebody: the sender is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedTransaction {
    transaction: Transaction,
    signature: RecoverableSignature,
    sender: EvmAddress,
}

impl Transaction {
    /// Reads the payload of a transaction, signed or not.
    ///
    /// # Errors
    /// See [`TransactionError`].
    pub fn decode_any(bytes: &[u8]) -> Result<Decoded, TransactionError> {
        decode::decode(bytes)
    }

    /// Reads the payload of a transaction that is yet to be signed.
    ///
    /// # Errors
    /// See [`TransactionError`].
    pub fn decode_unsigned(bytes: &[u8]) -> Result<Self, TransactionError> {
        match decode::decode(bytes)? {
            Decoded::Unsigned(transaction) => Ok(transaction),
            Decoded::Signed(_) => Err(TransactionError::Signed),
        }
    }

    /// Joins the transaction with the signature that `sender` made over it.
    ///
    /// # Errors
    /// [`TransactionError::Signature`] when the signature is no signature over it,
    /// [`TransactionError::WrongSender`] when it is somebody else's, and what [`Transaction::check`] refuses.
    pub fn into_signed(
        self,
        signature: RecoverableSignature,
        sender: &EvmAddress,
    ) -> Result<SignedTransaction, TransactionError> {
        self.check()?;
        let signed = SignedTransaction::new(self, signature)?;
        if signed.sender == *sender {
            Ok(signed)
        } else {
            Err(TransactionError::WrongSender {
                expected: *sender,
                found: signed.sender,
            })
        }
    }
}

impl SignedTransaction {
    /// Reads a signed transaction, and finds who sent it.
    ///
    /// # Errors
    /// See [`TransactionError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, TransactionError> {
        match decode::decode(bytes)? {
            Decoded::Signed(signed) => Ok(signed),
            Decoded::Unsigned(_) => Err(TransactionError::Unsigned),
        }
    }

    pub(super) fn from_raw(transaction: Transaction, raw: &RawSignature) -> Result<Self, TransactionError> {
        let signature = RecoverableSignature {
            r: *raw.r.as_be_bytes(),
            s: *raw.s.as_be_bytes(),
            y_odd: raw.y_odd,
        };
        Self::new(transaction, signature)
    }

    fn new(transaction: Transaction, signature: RecoverableSignature) -> Result<Self, TransactionError> {
        // Refuses high s (EIP-2) and whatever is outside the curve's order.
        let key =
            recover(&transaction.signing_hash(), &signature).map_err(|_| TransactionError::Signature)?;
        Ok(Self {
            sender: key.address(),
            transaction,
            signature,
        })
    }

    /// The bytes to send.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.transaction.encode(Some(&self.signature))
    }

    /// Keccak-256 of [`SignedTransaction::encode`], by which networks name it.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        keccak256(&self.encode())
    }

    /// Who sent it, recovered from the signature.
    #[must_use]
    pub const fn sender(&self) -> &EvmAddress {
        &self.sender
    }

    /// What was signed.
    #[must_use]
    pub const fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// The signature.
    #[must_use]
    pub const fn signature(&self) -> &RecoverableSignature {
        &self.signature
    }
}
