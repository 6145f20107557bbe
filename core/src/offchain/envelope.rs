//! An off-chain message together with its signatures, as it is passed around.
//!
//! Layout: a count, so many 64-byte signatures in the order of the message's signers, the message. A signature
//! that is still missing is all zeros. The short layout names no signers and has no envelope.
//!
//! Specification: section "Envelope" of
//! <https://github.com/anza-xyz/agave/blob/master/docs/src/proposals/off-chain-message-signing.md>.

use alloc::vec::Vec;

use super::{OffChainError, OffChainMessage};
use crate::address::{Address, Signature};

/// Why bytes are no envelope, or a signature does not go into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The message itself is not well-formed.
    #[error(transparent)]
    Message(#[from] OffChainError),
    /// The message names no signers, so signatures have no order.
    #[error("this layout names no signers and has no envelope; pass message and signature on their own")]
    NoSigners,
    /// The numbers of signatures and signers differ.
    #[error("the envelope holds {found} signatures for {signers} signers; take it again from its sender")]
    SignatureCount {
        /// How many signatures there are.
        found: usize,
        /// How many signers the message names.
        signers: usize,
    },
    /// A signature that is present does not verify.
    #[error("signature {position} does not belong to its signer and this message; reject the envelope")]
    BadSignature {
        /// Position of the signature, counted from 1.
        position: usize,
    },
    /// A signature is missing.
    #[error("signature {position} is missing; ask its signer for it")]
    Missing {
        /// Position of the signature, counted from 1.
        position: usize,
    },
    /// The key is not one of the message's signers.
    #[error("this address is not one of the message's signers; sign with one that is")]
    NotASigner,
}

/// A message and its signatures, each verified or still missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    message: OffChainMessage,
    signatures: Vec<Signature>,
}

impl Envelope {
    /// An envelope without signatures yet.
    ///
    /// # Errors
    /// [`EnvelopeError::NoSigners`] for the short layout.
    pub fn unsigned(message: OffChainMessage) -> Result<Self, EnvelopeError> {
        let count = message.signers().len();
        if count == 0 {
            return Err(EnvelopeError::NoSigners);
        }
        Ok(Self {
            message,
            signatures: alloc::vec![Signature::default(); count],
        })
    }

    /// Reads an envelope and verifies every signature that is present.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let (count, rest) = bytes.split_first().ok_or(OffChainError::Truncated)?;
        let (signatures, message) = rest
            .split_at_checked(usize::from(*count) * Signature::LEN)
            .ok_or(OffChainError::Truncated)?;
        let message = OffChainMessage::decode(message)?;
        let (signatures, _) = signatures.as_chunks::<64>();
        let mut envelope = Self::unsigned(message)?;
        if signatures.len() != envelope.signatures.len() {
            return Err(EnvelopeError::SignatureCount {
                found: signatures.len(),
                signers: envelope.signatures.len(),
            });
        }
        envelope.signatures = signatures.iter().copied().map(Signature::new).collect();
        match envelope.first(|signature, holds| !signature.is_default() && !holds) {
            Some(position) => Err(EnvelopeError::BadSignature { position }),
            None => Ok(envelope),
        }
    }

    /// The envelope's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.push(self.signatures.len() as u8); // as many as signers, at most 255
        self.signatures
            .iter()
            .for_each(|signature| bytes.extend_from_slice(signature.as_bytes()));
        bytes.extend_from_slice(&self.message.encode());
        bytes
    }

    /// The message.
    #[must_use]
    pub const fn message(&self) -> &OffChainMessage {
        &self.message
    }

    /// The signers with their signatures, in the message's order; all zeros where one is missing.
    pub fn signatures(&self) -> impl Iterator<Item = (&Address, &Signature)> {
        self.message.signers().iter().zip(&self.signatures)
    }

    /// Adds one signature; the others are kept.
    ///
    /// # Errors
    /// [`EnvelopeError::NotASigner`], [`EnvelopeError::BadSignature`].
    pub fn with_signature(mut self, address: &Address, signature: Signature) -> Result<Self, EnvelopeError> {
        let position = self
            .message
            .signers()
            .iter()
            .position(|signer| signer == address)
            .ok_or(EnvelopeError::NotASigner)?;
        if self.message.verify(address, &signature).is_err() {
            return Err(EnvelopeError::BadSignature {
                position: position + 1,
            });
        }
        if let Some(slot) = self.signatures.get_mut(position) {
            *slot = signature;
        }
        Ok(self)
    }

    /// Checks that every signer has signed.
    ///
    /// # Errors
    /// [`EnvelopeError::Missing`] for the first signature that is not there.
    pub fn check_complete(&self) -> Result<(), EnvelopeError> {
        match self.first(|signature, _| signature.is_default()) {
            Some(position) => Err(EnvelopeError::Missing { position }),
            None => Ok(()),
        }
    }

    /// Position, counted from 1, of the first signature of which `is` holds, told whether it verifies.
    fn first(&self, is: impl Fn(&Signature, bool) -> bool) -> Option<usize> {
        let bytes = self.message.encode();
        self.signatures()
            .position(|(signer, signature)| {
                is(
                    signature,
                    crate::ed25519::verify(signer, &bytes, signature).is_ok(),
                )
            })
            .map(|before| before + 1)
    }
}
