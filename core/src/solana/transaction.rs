//! The transaction: signatures before the message they are for.

use alloc::vec::Vec;

use super::error::DecodeError;
use super::message::{Message, MessageVersion, OFF_CHAIN_PREFIX, V1_PREFIX, VERSION_PREFIX, push_items};
use super::reader::Reader;
use super::{MAX_TRANSACTION_BYTES, MAX_V1_TRANSACTION_BYTES};
use crate::address::{Address, Signature};
use crate::ed25519;

/// A transaction in wire format; a missing signature is [`Signature::default`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Transaction {
    /// One for each required signer, in the same order.
    pub signatures: Vec<Signature>,
    /// What they sign.
    pub message: Message,
}

/// Why a signature could not be put into a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionError {
    /// The address is not among the required signers.
    #[error("{0} is not among the required signers; sign with one that is")]
    NotASigner(Address),
}

/// What stands in a required signer's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureState {
    /// Nothing yet.
    Missing,
    /// The signer's signature over exactly this message.
    Valid,
    /// Something that is no signature of this signer over this message; the network would refuse it.
    Invalid,
}

impl Transaction {
    /// A transaction with a place for every required signature, none of them given.
    #[must_use]
    pub fn unsigned(message: Message) -> Self {
        Self {
            signatures: message
                .required_signers()
                .iter()
                .map(|_| Signature::default())
                .collect(),
            message,
        }
    }

    /// Decodes wire bytes: re-encoding what this gives yields the very same bytes.
    ///
    /// # Errors
    /// Everything in [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let first = *bytes.first().ok_or(DecodeError::Empty)?;
        // A version 1 transaction begins with its message. No transaction of the older formats can
        // begin with a byte this high: 128 signatures alone are longer than the limit.
        if first & VERSION_PREFIX != 0 && first != V1_PREFIX {
            return Err(match first {
                OFF_CHAIN_PREFIX => DecodeError::OffChainMessage,
                VERSION_PREFIX => DecodeError::SignatureCount {
                    found: 0,
                    required: 1,
                },
                versioned => DecodeError::UnsupportedVersion(versioned & !VERSION_PREFIX),
            });
        }
        let limit = match first {
            V1_PREFIX => MAX_V1_TRANSACTION_BYTES,
            _ => MAX_TRANSACTION_BYTES,
        };
        if bytes.len() > limit {
            return Err(DecodeError::TooLong {
                found: bytes.len(),
                limit,
            });
        }
        let mut reader = Reader::new(bytes);
        let transaction = if first == V1_PREFIX {
            Self::read_v1(&mut reader)?
        } else {
            Self::read(&mut reader)?
        };
        reader.finish()?;
        transaction.message.check()?;
        let required = usize::from(transaction.message.header.num_required_signatures);
        if transaction.signatures.len() != required {
            return Err(DecodeError::SignatureCount {
                found: transaction.signatures.len(),
                required,
            });
        }
        // The reader admits one spelling only; this holds it to that, whatever changes there.
        if transaction.encode() != bytes {
            return Err(DecodeError::NonCanonical { offset: 0 });
        }
        Ok(transaction)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let signatures = reader.compact_items(Signature::LEN, |r| r.array().map(Signature::new))?;
        let message = Message::read(reader)?;
        match message.version {
            // Its signatures follow; before it they mean nothing to the network.
            MessageVersion::V1(_) => Err(DecodeError::UnsupportedVersion(1)),
            MessageVersion::Legacy | MessageVersion::V0 => Ok(Self { signatures, message }),
        }
    }

    /// In version 1 the message comes first and says how many signatures follow.
    fn read_v1(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let message = Message::read(reader)?;
        let count = usize::from(message.header.num_required_signatures);
        let signatures = reader.items(count, Signature::LEN, |r| r.array().map(Signature::new))?;
        Ok(Self { signatures, message })
    }

    /// Encodes wire bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.message.version.max_transaction_bytes());
        if let MessageVersion::V1(_) = self.message.version {
            out.extend_from_slice(&self.message.encode());
            for signature in &self.signatures {
                out.extend_from_slice(signature.as_bytes());
            }
            return out;
        }
        push_items(&mut out, &self.signatures, |out, signature| {
            out.extend_from_slice(signature.as_bytes());
        });
        out.extend_from_slice(&self.message.encode());
        out
    }

    /// The bytes that signers sign.
    #[must_use]
    pub fn message_bytes(&self) -> Vec<u8> {
        self.message.encode()
    }

    /// Verifies what stands in each required signer's place, in their order.
    ///
    /// A signer without a place (too few signatures, which no decoded transaction has) is missing.
    #[must_use]
    pub fn verify_signatures(&self) -> Vec<(Address, SignatureState)> {
        let message = self.message_bytes();
        let signers = self.message.required_signers().iter().enumerate();
        signers
            .map(|(at, signer)| {
                let state = match self.signatures.get(at) {
                    Some(signature) if !signature.is_default() => {
                        match ed25519::verify(signer, &message, signature) {
                            Ok(()) => SignatureState::Valid,
                            Err(_) => SignatureState::Invalid,
                        }
                    }
                    _ => SignatureState::Missing,
                };
                (*signer, state)
            })
            .collect()
    }

    /// Puts a signature into its signer's place and leaves the others as they are. It is not verified.
    ///
    /// # Errors
    /// [`TransactionError::NotASigner`] when the message does not require this signer.
    pub fn with_signature(
        mut self,
        signer: &Address,
        signature: Signature,
    ) -> Result<Self, TransactionError> {
        let position = self
            .message
            .required_signers()
            .iter()
            .position(|key| key == signer);
        match position.and_then(|at| self.signatures.get_mut(at)) {
            Some(place) => *place = signature,
            None => return Err(TransactionError::NotASigner(*signer)),
        }
        Ok(self)
    }

    /// Whether every required signature is given (none of them verified).
    #[must_use]
    pub fn is_fully_signed(&self) -> bool {
        !self.signatures.iter().any(Signature::is_default)
    }
}

/// Whether somebody could read the bytes as a transaction or as a message that a transaction carries.
///
/// Wider than decoding on purpose: bytes may trail, the header may be unsound and a version may be
/// unknown. Whatever gives `true` must never be signed as plain text, since the same signature might
/// then move money.
///
/// Printable text is told from it by two bounds. What begins with a letter outside ASCII (`0xc2..=0xf4`) would
/// be of a version from 66 to 116; versions are given out one after the other, and counts, which every layout
/// begins with, are control characters while they are small, so printable UTF-8 is no such message. Other bytes
/// of an unknown version count as one. And no network takes more than [`MAX_V1_TRANSACTION_BYTES`], so that
/// longer text is not one of the known versions, whatever its beginning seems to announce.
#[must_use]
pub fn parses_as_transaction(bytes: &[u8]) -> bool {
    match bytes.first() {
        None | Some(&OFF_CHAIN_PREFIX) => false,
        // Versions that are not decoded here cannot be told apart from other bytes but by being text.
        Some(first) if *first > VERSION_PREFIX => !is_text(bytes),
        Some(_) if bytes.len() > MAX_V1_TRANSACTION_BYTES && is_text(bytes) => false,
        Some(_) => {
            Message::read(&mut Reader::new(bytes)).is_ok()
                || Transaction::read(&mut Reader::new(bytes)).is_ok()
        }
    }
}

/// Whether the bytes are UTF-8 without control characters but tab and line ends.
fn is_text(bytes: &[u8]) -> bool {
    let hidden = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    core::str::from_utf8(bytes).is_ok_and(|text| !text.contains(hidden))
}

#[cfg(test)]
mod tests;
