//! The recovery key: 256 random bits on paper, which open a vault when password or second factor are lost.
//!
//! Shown in base32 with a checksum, not as words of BIP-39: 24 words are what a wallet's phrase looks like,
//! and would sooner or later be typed into a wallet, or the phrase here.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Crockford's base32: no I, L, O or U (<https://www.crockford.com/base32.html>).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Bytes of the checksum.
const CHECKSUM_LEN: usize = 3;
/// Key and checksum: 280 bits.
const BYTES: usize = 32 + CHECKSUM_LEN;
/// Characters without separators: exactly five bits for each.
const SYMBOLS: usize = BYTES * 8 / 5;
/// Characters of a group.
const GROUP: usize = 4;
/// Longest text that is looked at, in bytes: room for any separators between the characters.
const MAX_TEXT_LEN: usize = 256;
/// Keeps the checksum apart from all other hashes of the key.
const CHECKSUM_DOMAIN: &[u8] = b"keyward/recovery-checksum/v1\0";

/// A text that is no recovery key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecoveryKeyError {
    /// Too short or too long.
    #[error("a recovery key has 56 letters and digits in 14 groups; copy it whole")]
    Length,
    /// A character that is in no recovery key.
    #[error("a recovery key has digits and letters without U; compare each group with your copy")]
    Character,
    /// The checksum does not fit the rest.
    #[error("the recovery key has a typing mistake; compare each group with your copy")]
    Checksum,
}

/// 32 random bytes that open a vault without password and second factor.
pub struct RecoveryKey {
    bytes: Box<Zeroizing<[u8; 32]>>,
}

impl RecoveryKey {
    /// Takes 32 random bytes, used for nothing else.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        let mut key = Box::new(Zeroizing::new([0; 32]));
        key.copy_from_slice(&*bytes);
        Self { bytes: key }
    }

    /// Reads what [`RecoveryKey::expose_text`] wrote. Case, hyphens and white space do not matter; O is
    /// read as 0, I and L as 1.
    ///
    /// # Errors
    /// [`RecoveryKeyError`]. A wrong character escapes the checksum once in 2^24 times, and then opens
    /// nothing.
    pub fn parse(text: &str) -> Result<Self, RecoveryKeyError> {
        if text.len() > MAX_TEXT_LEN {
            return Err(RecoveryKeyError::Length);
        }
        let mut bytes = Zeroizing::new([0_u8; BYTES]);
        let mut symbols = 0;
        for character in text.chars().filter(|c| *c != '-' && !c.is_whitespace()) {
            let value = value_of(character).ok_or(RecoveryKeyError::Character)?;
            for bit in 0..5 {
                let at = symbols * 5 + bit;
                let byte = bytes.get_mut(at / 8).ok_or(RecoveryKeyError::Length)?;
                *byte |= (value >> (4 - bit) & 1) << (7 - at % 8);
            }
            symbols += 1;
        }
        if symbols != SYMBOLS {
            return Err(RecoveryKeyError::Length);
        }
        let mut key = Self {
            bytes: Box::new(Zeroizing::new([0; 32])),
        };
        let (left, right) = bytes.split_at(32);
        key.bytes.copy_from_slice(left);
        if !bool::from(key.checksum().ct_eq(right)) {
            return Err(RecoveryKeyError::Checksum);
        }
        Ok(key)
    }

    /// The key as its owner writes it down: 14 groups of four, the last ones holding a checksum of 24
    /// bits.
    #[must_use]
    pub fn expose_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0_u8; BYTES]);
        let (left, right) = bytes.split_at_mut(32);
        left.copy_from_slice(self.expose_bytes());
        right.copy_from_slice(&self.checksum());
        let mut text = Zeroizing::new(String::with_capacity(SYMBOLS + SYMBOLS / GROUP));
        for symbol in 0..SYMBOLS {
            if symbol > 0 && symbol % GROUP == 0 {
                text.push('-');
            }
            let value = (symbol * 5..symbol * 5 + 5)
                .fold(0, |value, at| value << 1 | bytes[at / 8] >> (7 - at % 8) & 1);
            text.push(char::from(ALPHABET[usize::from(value)]));
        }
        text
    }

    /// The 32 bytes.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    fn checksum(&self) -> [u8; CHECKSUM_LEN] {
        let hash = Sha256::new()
            .chain_update(CHECKSUM_DOMAIN)
            .chain_update(self.expose_bytes())
            .finalize();
        core::array::from_fn(|i| hash[i])
    }
}

fn value_of(character: char) -> Option<u8> {
    let character = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let at = ALPHABET
        .iter()
        .position(|known| char::from(*known) == character)?;
    // At most 31.
    Some(at as u8)
}

impl fmt::Debug for RecoveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryKey(<redacted>)")
    }
}

#[cfg(test)]
mod tests;
