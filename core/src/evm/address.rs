//! Ethereum addresses: the last 20 bytes of the Keccak-256 of a public key, shown with a checksum in its case.
//!
//! Checks shape and checksum only; it does not say whether an address is a contract or holds anything.
//!
//! Specification: EIP-55 <https://eips.ethereum.org/EIPS/eip-55>.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::keccak256;

/// Why a text is no Ethereum address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvmAddressError {
    /// It does not begin with `0x`.
    #[error("an Ethereum address begins with 0x; copy the whole address")]
    Prefix,
    /// It does not have 40 digits after the prefix.
    #[error(
        "an Ethereum address has 40 hexadecimal digits after 0x and this has {found}; copy the whole address"
    )]
    Length {
        /// Characters after the prefix.
        found: usize,
    },
    /// A character is no hexadecimal digit.
    #[error("character {position} of the address is no hexadecimal digit; copy the address again")]
    Digit {
        /// Counted from 1, the prefix included.
        position: usize,
    },
    /// Upper and lower case are mixed, and not as EIP-55's checksum has them.
    #[error(
        "the address's mix of upper and lower case is not its checksum, so it was mistyped; copy the address again"
    )]
    Checksum,
}

/// An Ethereum address: 20 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EvmAddress([u8; 20]);

impl EvmAddress {
    /// Length in bytes.
    pub const LEN: usize = 20;

    /// Wraps the bytes as they are.
    #[must_use]
    pub const fn new(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The bytes, by value.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 20] {
        self.0
    }

    /// Prefix, first six and last six digits with an ellipsis between, for narrow columns.
    ///
    /// # Security
    /// Look-alike addresses with the same ends are cheap to make: show the whole text wherever somebody decides
    /// on it.
    #[must_use]
    pub fn abbreviated(&self) -> String {
        let text = self.checksummed();
        match (text.get(..6), text.get(34..)) {
            (Some(head), Some(tail)) => alloc::format!("0x{head}…{tail}"),
            _ => text,
        }
    }

    /// The 40 digits, cased by EIP-55: a letter is upper case where the hash of the lower-case digits has a
    /// nibble of 8 or more.
    fn checksummed(&self) -> String {
        let digits = hex::encode(self.0);
        let hash = keccak256(digits.as_bytes());
        let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
        let cased = digits.chars().zip(nibbles).map(|(mut digit, nibble)| {
            if nibble >= 8 {
                digit.make_ascii_uppercase();
            }
            digit
        });
        cased.collect()
    }
}

impl fmt::Display for EvmAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&alloc::format!("0x{}", self.checksummed()))
    }
}

impl fmt::Debug for EvmAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EvmAddress({self})")
    }
}

impl FromStr for EvmAddress {
    type Err = EvmAddressError;

    /// `0x` and 40 digits: all lower case, all upper case, or mixed as the checksum says.
    fn from_str(text: &str) -> Result<Self, EvmAddressError> {
        let digits = text.strip_prefix("0x").ok_or(EvmAddressError::Prefix)?;
        if let Some(position) = digits.chars().position(|digit| !digit.is_ascii_hexdigit()) {
            return Err(EvmAddressError::Digit {
                position: position + 3,
            });
        }
        let mut bytes = [0; 20];
        hex::decode_to_slice(digits, &mut bytes)
            .map_err(|_| EvmAddressError::Length { found: digits.len() })?;
        let address = Self(bytes);
        let lower = digits.bytes().any(|digit| digit.is_ascii_lowercase());
        let upper = digits.bytes().any(|digit| digit.is_ascii_uppercase());
        if lower && upper && digits != address.checksummed() {
            return Err(EvmAddressError::Checksum);
        }
        Ok(address)
    }
}

impl From<[u8; 20]> for EvmAddress {
    fn from(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for EvmAddress {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Serialize for EvmAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EvmAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
