//! Seeds: what a phrase turns into and key trees grow from.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

/// A seed that key trees grow from, 16 to 64 bytes.
pub struct Seed {
    bytes: Zeroizing<Vec<u8>>,
}

/// Why bytes are no seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SeedError {
    /// The length is outside what BIP-32 allows.
    #[error("a seed has 16 to 64 bytes and this has {found}")]
    Length {
        /// How many bytes there are.
        found: usize,
    },
}

impl Seed {
    /// Shortest seed that BIP-32 allows, in bytes.
    pub const MIN_LEN: usize = 16;
    /// Longest seed that BIP-32 allows, and the length of BIP-39's, in bytes.
    pub const MAX_LEN: usize = 64;

    /// Copies a seed of 16 to 64 bytes.
    ///
    /// # Errors
    /// [`SeedError::Length`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SeedError> {
        if !(Self::MIN_LEN..=Self::MAX_LEN).contains(&bytes.len()) {
            return Err(SeedError::Length { found: bytes.len() });
        }
        Ok(Self {
            bytes: Zeroizing::new(bytes.to_vec()),
        })
    }

    /// Takes over 64 bytes just made.
    pub(super) fn from_wiped(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self { bytes }
    }

    /// The seed's bytes.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(<redacted>)")
    }
}
