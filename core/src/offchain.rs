//! Solana's signed off-chain messages: the bytes that a wallet signs for a text, in every published layout.
//!
//! Decoding is strict and canonical: what decodes encodes to the same bytes again. A text whose bytes could be
//! read as a transaction is refused whatever stands in front of it. This module does not ask anybody and signs
//! nothing; what a wallet may be asked to sign at all is sorted by [`classify`] and [`read`].
//!
//! Three layouts exist, all behind the signing domain `\xffsolana offchain`:
//!
//! - version 0 of the proposal, with application domain, format, signers and length:
//!   <https://github.com/anza-xyz/agave/blob/master/docs/src/proposals/off-chain-message-signing.md>;
//! - version 0 as `solana sign-offchain-message`, the Ledger app and the crate `solana-offchain-message` write
//!   it, with format and length only;
//! - version 1, with signers (sorted, distinct) and text: sRFC 3,
//!   <https://github.com/solana-foundation/SRFCs/discussions/3>, as `@solana/offchain-messages` writes it.
//!
//! ```
//! use keyward_core::ed25519::SecretKey;
//! use keyward_core::offchain::OffChainMessage;
//!
//! let key = SecretKey::from_seed(&[7; 32]);
//! let message = OffChainMessage::v1([key.address()], "I own this wallet")?;
//! let signature = key.sign(&message.encode());
//! let received = OffChainMessage::decode(&message.encode())?;
//! assert!(received.verify(&key.address(), &signature).is_ok());
//! # Ok::<(), keyward_core::offchain::OffChainError>(())
//! ```

mod classify;
mod envelope;

use alloc::string::String;
use alloc::vec::Vec;

use crate::address::{Address, Signature};
use crate::ed25519::{self, VerifyError};
use crate::solana::parses_as_transaction;

pub use classify::{MessageKind, MessageRefusal, SignableMessage, classify, read};
pub use envelope::{Envelope, EnvelopeError};

/// What every off-chain message begins with, 16 bytes.
pub const SIGNING_DOMAIN: &[u8; 16] = b"\xffsolana offchain";
/// Longest message that hardware wallets take, preamble and text together, in bytes.
pub const MAX_LIMITED_LEN: usize = 1232;
/// Longest message, preamble and text together, in bytes. Version 1 names no limit; it has this one here.
pub const MAX_LEN: usize = 65_535;

/// Signing domain and version.
const HEADER_LEN: usize = SIGNING_DOMAIN.len() + 1;

/// How a version 0 text is written, and so how long it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum MessageFormat {
    /// The characters `0x20..=0x7e`, at most [`MAX_LIMITED_LEN`] bytes with the preamble; hardware wallets show it.
    RestrictedAscii = 0,
    /// UTF-8, at most [`MAX_LIMITED_LEN`] bytes with the preamble; hardware wallets sign it blindly.
    LimitedUtf8 = 1,
    /// UTF-8, at most [`MAX_LEN`] bytes with the preamble; hardware wallets do not sign it.
    ExtendedUtf8 = 2,
}

impl MessageFormat {
    /// Every format, the narrowest first.
    pub const ALL: [Self; 3] = [Self::RestrictedAscii, Self::LimitedUtf8, Self::ExtendedUtf8];

    /// The narrowest format that a text of `total` bytes with its preamble fits.
    fn of(text: &str, total: usize) -> Result<Self, OffChainError> {
        Self::ALL
            .into_iter()
            .find(|format| format.check(text, total).is_ok())
            .ok_or(OffChainError::TooLong { max: MAX_LEN })
    }

    fn from_byte(byte: u8) -> Result<Self, OffChainError> {
        Self::ALL
            .into_iter()
            .find(|format| *format as u8 == byte) // the discriminants are the wire's
            .ok_or(OffChainError::UnknownFormat { found: byte })
    }

    fn check(self, text: &str, total: usize) -> Result<(), OffChainError> {
        let max = match self {
            Self::RestrictedAscii | Self::LimitedUtf8 => MAX_LIMITED_LEN,
            Self::ExtendedUtf8 => MAX_LEN,
        };
        if total > max {
            return Err(OffChainError::TooLong { max });
        }
        let printable = |byte: &u8| (0x20..=0x7e).contains(byte);
        match text.as_bytes().iter().position(|byte| !printable(byte)) {
            Some(offset) if self == Self::RestrictedAscii => Err(OffChainError::NotPrintable { offset }),
            _ => Ok(()),
        }
    }
}

/// Why bytes are no off-chain message, or cannot become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OffChainError {
    /// The bytes do not begin with the signing domain.
    #[error("the bytes do not begin with \\xff\"solana offchain\"; this is no off-chain message")]
    SigningDomain,
    /// The bytes end inside the preamble or the text.
    #[error("the message ends too early; take all of its bytes")]
    Truncated,
    /// Bytes follow the text.
    #[error("bytes follow the message's end; take its own bytes only")]
    TrailingBytes,
    /// The header's version is not known.
    #[error("version {found} of off-chain messages is not known; ask for version 0 or 1")]
    UnknownVersion {
        /// The version that the header names.
        found: u8,
    },
    /// The format is not known.
    #[error("format {found} of off-chain messages is not known; use 0, 1 or 2")]
    UnknownFormat {
        /// The format that the header names.
        found: u8,
    },
    /// There is no text.
    #[error("the message has no text; write one")]
    Empty,
    /// The text is not UTF-8.
    #[error("the text is not UTF-8; encode it as UTF-8")]
    NotUtf8,
    /// A character is outside restricted ASCII.
    #[error("the byte at {offset} of the text is not printable ASCII; use the format for UTF-8")]
    NotPrintable {
        /// Offset in the text, counted from 0.
        offset: usize,
    },
    /// Preamble and text are longer than the format allows.
    #[error("the message with its preamble is longer than {max} bytes; shorten it or use the longer format")]
    TooLong {
        /// The most bytes allowed.
        max: usize,
    },
    /// Nobody signs, or more than 255.
    #[error("an off-chain message has 1 to 255 signers and this has {found}; correct the list")]
    SignerCount {
        /// How many there are.
        found: usize,
    },
    /// A signer is named twice.
    #[error("signer {position} is named twice; name each once")]
    DuplicateSigner {
        /// Position of the second mention, counted from 1.
        position: usize,
    },
    /// Version 1's signers are not in ascending order of their bytes.
    #[error("signer {position} is out of order; version 1 sorts signers by their bytes")]
    UnsortedSigners {
        /// Position of the first signer below the one before it, counted from 1.
        position: usize,
    },
    /// The bytes are a message in both layouts of version 0.
    #[error("the bytes can be read as two different messages; refuse to sign them")]
    Ambiguous,
    /// The text could be a transaction.
    #[error("the text can be read as a transaction; refuse to sign it")]
    LooksLikeTransaction,
}

/// What stands before the text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Preamble {
    /// Version 0 without application domain and signers.
    Short { format: MessageFormat },
    /// Version 0 of the proposal.
    V0 {
        application_domain: [u8; 32],
        format: MessageFormat,
        signers: Vec<Address>,
    },
    /// Version 1.
    V1 { signers: Vec<Address> },
}

impl Preamble {
    fn len(&self) -> usize {
        HEADER_LEN
            + match self {
                Self::Short { .. } => 3,
                Self::V0 { signers, .. } => 32 + 1 + 1 + signers.len() * Address::LEN + 2,
                Self::V1 { signers } => 1 + signers.len() * Address::LEN,
            }
    }
}

/// Which layout a message is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Version 0 with format and length only, as the Solana command line writes it.
    Short,
    /// Version 0 of the proposal.
    V0,
    /// Version 1.
    V1,
}

/// A well-formed off-chain message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffChainMessage {
    preamble: Preamble,
    text: String,
}

impl OffChainMessage {
    /// Version 0 of the proposal, in the narrowest format. `application_domain` is any 32 bytes, such as a
    /// program's address; `signers` are 1 to 255 distinct keys, in the order of their signatures.
    ///
    /// # Errors
    /// [`OffChainError`]: no text, too long, no or repeated signers, or a text that could be a transaction.
    pub fn v0(
        application_domain: [u8; 32],
        signers: impl IntoIterator<Item = Address>,
        text: &str,
    ) -> Result<Self, OffChainError> {
        let signers: Vec<Address> = signers.into_iter().take(256).collect();
        let len = HEADER_LEN + 32 + 1 + 1 + signers.len() * Address::LEN + 2;
        let preamble = Preamble::V0 {
            application_domain,
            format: MessageFormat::of(text, len + text.len())?,
            signers,
        };
        Self::checked(preamble, text)
    }

    /// Version 0 as `solana sign-offchain-message` and the Ledger app write it, in the narrowest format.
    ///
    /// # Errors
    /// [`OffChainError`]: no text, too long, or a text that could be a transaction.
    pub fn short(text: &str) -> Result<Self, OffChainError> {
        let format = MessageFormat::of(text, HEADER_LEN + 3 + text.len())?;
        Self::checked(Preamble::Short { format }, text)
    }

    /// Version 1. The signers, 1 to 255 distinct keys, are sorted here.
    ///
    /// # Errors
    /// [`OffChainError`]: no text, too long, no or repeated signers, or a text that could be a transaction.
    pub fn v1(signers: impl IntoIterator<Item = Address>, text: &str) -> Result<Self, OffChainError> {
        let mut signers: Vec<Address> = signers.into_iter().take(256).collect();
        signers.sort_unstable();
        Self::checked(Preamble::V1 { signers }, text)
    }

    /// Reads exactly one message.
    ///
    /// # Errors
    /// [`OffChainError`]. Bytes that are a message in both layouts of version 0 are refused.
    pub fn decode(bytes: &[u8]) -> Result<Self, OffChainError> {
        if bytes.len() > MAX_LEN {
            return Err(OffChainError::TooLong { max: MAX_LEN });
        }
        let rest = bytes
            .strip_prefix(SIGNING_DOMAIN)
            .ok_or(OffChainError::SigningDomain)?;
        let (version, rest) = rest.split_first().ok_or(OffChainError::Truncated)?;
        match version {
            0 => match (decode_v0(rest), decode_short(rest)) {
                (Ok(_), Ok(_)) => Err(OffChainError::Ambiguous),
                (Ok(message), Err(_)) | (Err(_), Ok(message)) => Ok(message),
                // The layout that the bytes look like says what is wrong.
                (Err(error), Err(short)) => Err(if looks_short(rest) { short } else { error }),
            },
            1 => {
                let (signers, text) = take_signers(rest)?;
                Self::checked(Preamble::V1 { signers }, utf8(text)?)
            }
            found => Err(OffChainError::UnknownVersion { found: *found }),
        }
    }

    /// The bytes that are signed.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.preamble.len() + self.text.len());
        bytes.extend_from_slice(SIGNING_DOMAIN);
        let put_signers = |bytes: &mut Vec<u8>, signers: &[Address]| {
            bytes.push(signers.len() as u8); // at most 255, checked when made
            signers
                .iter()
                .for_each(|signer| bytes.extend_from_slice(signer.as_bytes()));
        };
        let length = (self.text.len() as u16).to_le_bytes(); // at most MAX_LEN, checked when made
        match &self.preamble {
            Preamble::Short { format } => {
                bytes.extend_from_slice(&[0, *format as u8]); // the discriminants are the wire's
                bytes.extend_from_slice(&length);
            }
            Preamble::V0 {
                application_domain,
                format,
                signers,
            } => {
                bytes.push(0);
                bytes.extend_from_slice(application_domain);
                bytes.push(*format as u8); // the discriminants are the wire's
                put_signers(&mut bytes, signers);
                bytes.extend_from_slice(&length);
            }
            Preamble::V1 { signers } => {
                bytes.push(1);
                put_signers(&mut bytes, signers);
            }
        }
        bytes.extend_from_slice(self.text.as_bytes());
        bytes
    }

    /// Which layout the message is written in.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        match self.preamble {
            Preamble::Short { .. } => Layout::Short,
            Preamble::V0 { .. } => Layout::V0,
            Preamble::V1 { .. } => Layout::V1,
        }
    }

    /// The text that the signers agree to.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The format; version 1 has none.
    #[must_use]
    pub const fn format(&self) -> Option<MessageFormat> {
        match self.preamble {
            Preamble::Short { format } | Preamble::V0 { format, .. } => Some(format),
            Preamble::V1 { .. } => None,
        }
    }

    /// The application that asks, shown in base58 as the proposal wants; only version 0 of the proposal has one.
    #[must_use]
    pub const fn application_domain(&self) -> Option<Address> {
        match self.preamble {
            Preamble::V0 {
                application_domain, ..
            } => Some(Address::new(application_domain)),
            _ => None,
        }
    }

    /// The keys that must sign, in the order of their signatures; empty in the short layout, which names none.
    #[must_use]
    pub fn signers(&self) -> &[Address] {
        match &self.preamble {
            Preamble::Short { .. } => &[],
            Preamble::V0 { signers, .. } | Preamble::V1 { signers } => signers,
        }
    }

    /// Whether `address` may sign: it is named, or the layout names nobody.
    #[must_use]
    pub fn may_be_signed_by(&self, address: &Address) -> bool {
        self.layout() == Layout::Short || self.signers().contains(address)
    }

    /// Verifies one signature, and that its key is one of the signers.
    ///
    /// # Errors
    /// [`VerifyError`], whatever the cause.
    pub fn verify(&self, address: &Address, signature: &Signature) -> Result<(), VerifyError> {
        if !self.may_be_signed_by(address) {
            return Err(VerifyError);
        }
        ed25519::verify(address, &self.encode(), signature)
    }

    fn checked(preamble: Preamble, text: &str) -> Result<Self, OffChainError> {
        if text.is_empty() {
            return Err(OffChainError::Empty);
        }
        let total = preamble.len() + text.len();
        match &preamble {
            Preamble::Short { format } => format.check(text, total)?,
            Preamble::V0 { format, signers, .. } => {
                check_signers(signers)?;
                format.check(text, total)?;
            }
            Preamble::V1 { signers } => {
                check_signers(signers)?;
                if let Some(before) = signers.windows(2).position(|pair| pair.first() > pair.last()) {
                    return Err(OffChainError::UnsortedSigners { position: before + 2 });
                }
                MessageFormat::ExtendedUtf8.check(text, total)?;
            }
        }
        // The domain in front keeps the signature from being a transaction's. A text that is one was still made
        // to deceive somebody, and other programs sign the text alone.
        if parses_as_transaction(text.as_bytes()) {
            return Err(OffChainError::LooksLikeTransaction);
        }
        Ok(Self {
            preamble,
            text: text.into(),
        })
    }
}

fn check_signers(signers: &[Address]) -> Result<(), OffChainError> {
    if signers.is_empty() || signers.len() > usize::from(u8::MAX) {
        return Err(OffChainError::SignerCount { found: signers.len() });
    }
    for (position, signer) in signers.iter().enumerate() {
        // At most 255 squared comparisons.
        if signers.iter().take(position).any(|earlier| earlier == signer) {
            return Err(OffChainError::DuplicateSigner {
                position: position + 1,
            });
        }
    }
    Ok(())
}

/// The proposal's version 0, after the version byte.
fn decode_v0(bytes: &[u8]) -> Result<OffChainMessage, OffChainError> {
    let (application_domain, rest) = bytes.split_first_chunk::<32>().ok_or(OffChainError::Truncated)?;
    let (format, rest) = rest.split_first().ok_or(OffChainError::Truncated)?;
    let format = MessageFormat::from_byte(*format)?;
    let (signers, rest) = take_signers(rest)?;
    let preamble = Preamble::V0 {
        application_domain: *application_domain,
        format,
        signers,
    };
    OffChainMessage::checked(preamble, take_text(rest)?)
}

/// The short version 0, after the version byte.
fn decode_short(bytes: &[u8]) -> Result<OffChainMessage, OffChainError> {
    let (format, rest) = bytes.split_first().ok_or(OffChainError::Truncated)?;
    let format = MessageFormat::from_byte(*format)?;
    OffChainMessage::checked(Preamble::Short { format }, take_text(rest)?)
}

/// Whether format and length are those of the short layout.
fn looks_short(bytes: &[u8]) -> bool {
    matches!(bytes, [0..=2, low, high, text @ ..] if usize::from(u16::from_le_bytes([*low, *high])) == text.len())
}

/// A count and so many keys.
fn take_signers(bytes: &[u8]) -> Result<(Vec<Address>, &[u8]), OffChainError> {
    let (count, rest) = bytes.split_first().ok_or(OffChainError::Truncated)?;
    let (keys, rest) = rest
        .split_at_checked(usize::from(*count) * Address::LEN)
        .ok_or(OffChainError::Truncated)?;
    let (keys, _) = keys.as_chunks::<32>();
    Ok((keys.iter().copied().map(Address::new).collect(), rest))
}

/// A length and exactly so many bytes of UTF-8.
fn take_text(bytes: &[u8]) -> Result<&str, OffChainError> {
    let (length, text) = bytes.split_first_chunk::<2>().ok_or(OffChainError::Truncated)?;
    match text.len().cmp(&usize::from(u16::from_le_bytes(*length))) {
        core::cmp::Ordering::Less => Err(OffChainError::Truncated),
        core::cmp::Ordering::Greater => Err(OffChainError::TrailingBytes),
        core::cmp::Ordering::Equal => utf8(text),
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, OffChainError> {
    core::str::from_utf8(bytes).map_err(|_| OffChainError::NotUtf8)
}

#[cfg(test)]
mod tests;
