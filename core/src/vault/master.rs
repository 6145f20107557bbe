//! A phrase and its passphrase, as one record holds them.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::{OpenError, VaultError};
use crate::mnemonic::{Mnemonic, Seed, Wordlist, to_nfkd};

/// Longest passphrase kept, in bytes of its NFKD form.
pub const MAX_PASSPHRASE_LEN: usize = 1024;
/// The version this code reads and writes.
const VERSION: u8 = 1;
/// The encoding is filled up to a multiple of this, so that a record's length does not tell how many
/// words the phrase has or how long the passphrase is.
const BLOCK: usize = 256;
/// Bytes besides entropy and passphrase: version, wordlist, their two lengths.
const FIXED_LEN: usize = 1 + 1 + 1 + 2;

/// The secret that a vault's wallets are derived from.
pub struct MasterSecret {
    mnemonic: Mnemonic,
    /// In NFKD, as it enters the seed.
    passphrase: Zeroizing<String>,
}

impl fmt::Debug for MasterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterSecret(<redacted>)")
    }
}

impl MasterSecret {
    /// Copies a phrase and its passphrase (empty for none).
    ///
    /// # Errors
    /// [`VaultError::PassphraseTooLong`].
    pub fn new(mnemonic: &Mnemonic, passphrase: &str) -> Result<Self, VaultError> {
        // NFKD never makes a text shorter than a third of it (three bytes to one), so that this bounds
        // the work as well; the exact limit is on the result.
        if passphrase.len() > 4 * MAX_PASSPHRASE_LEN {
            return Err(VaultError::PassphraseTooLong {
                found: passphrase.len(),
            });
        }
        let passphrase = to_nfkd(passphrase);
        if passphrase.len() > MAX_PASSPHRASE_LEN {
            return Err(VaultError::PassphraseTooLong {
                found: passphrase.len(),
            });
        }
        Ok(Self {
            mnemonic: mnemonic.duplicate(),
            passphrase,
        })
    }

    /// The bytes to seal in a record of kind [`super::RecordKind::Master`].
    ///
    /// # Layout
    /// ```text
    /// version u8 = 1 | wordlist u8 | entropy length u8 | passphrase length u16, big-endian
    /// | entropy | passphrase in NFKD | zeros up to a multiple of 256
    /// ```
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let entropy = self.mnemonic.expose_entropy();
        let len = FIXED_LEN + entropy.len() + self.passphrase.len();
        let mut bytes = Zeroizing::new(Vec::with_capacity(len.next_multiple_of(BLOCK)));
        // At most 32 and at most 1024.
        bytes.extend_from_slice(&[VERSION, self.mnemonic.wordlist().code(), entropy.len() as u8]);
        bytes.extend_from_slice(&(self.passphrase.len() as u16).to_be_bytes());
        bytes.extend_from_slice(entropy);
        bytes.extend_from_slice(self.passphrase.as_bytes());
        bytes.resize(len.next_multiple_of(BLOCK), 0);
        bytes
    }

    /// Reads what [`MasterSecret::encode`] wrote; nothing else is accepted.
    ///
    /// # Errors
    /// [`OpenError::Refused`].
    pub fn decode(bytes: &[u8]) -> Result<Self, OpenError> {
        Self::read(bytes).ok_or(OpenError::Refused)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let ([version, wordlist, entropy_len], rest) = bytes.split_first_chunk()?;
        let (passphrase_len, rest) = rest.split_first_chunk()?;
        let passphrase_len = usize::from(u16::from_be_bytes(*passphrase_len));
        let (entropy, rest) = rest.split_at_checked(usize::from(*entropy_len))?;
        let (passphrase, padding) = rest.split_at_checked(passphrase_len)?;
        let canonical = *version == VERSION
            && passphrase_len <= MAX_PASSPHRASE_LEN
            && bytes.len().is_multiple_of(BLOCK)
            && padding.len() < BLOCK
            && padding.iter().all(|byte| *byte == 0);
        if !canonical {
            return None;
        }
        let passphrase = core::str::from_utf8(passphrase).ok()?;
        let normalized = to_nfkd(passphrase);
        if *normalized != *passphrase {
            return None;
        }
        Some(Self {
            mnemonic: Mnemonic::from_entropy_in(Wordlist::from_code(*wordlist)?, entropy).ok()?,
            passphrase: normalized,
        })
    }

    /// The seed of phrase and passphrase. Takes 2048 rounds of PBKDF2, about a millisecond.
    #[must_use]
    pub fn to_seed(&self) -> Seed {
        self.mnemonic.to_seed(&self.passphrase)
    }

    /// The phrase.
    #[must_use]
    pub const fn expose_mnemonic(&self) -> &Mnemonic {
        &self.mnemonic
    }

    /// The passphrase in NFKD; empty if there is none.
    #[must_use]
    pub fn expose_passphrase(&self) -> &str {
        &self.passphrase
    }
}

#[cfg(test)]
mod tests;
