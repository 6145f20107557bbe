//! Personal messages of EVM wallets: `personal_sign`, EIP-191 version `0x45`.
//!
//! The signature is over `0x19 "Ethereum Signed Message:\n" length message`, so it can never be one of a
//! transaction. Messages that could be taken for one are refused all the same, and so is the hash of
//! something that nobody sees.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::keccak256;
use super::transaction::parses_as_transaction;

/// What every personal message begins with when it is hashed.
const PREFIX: &[u8] = b"\x19Ethereum Signed Message:\n";

/// How the first line of a sign-in ends, in lower case.
const SIGN_IN: &[u8] = b"wants you to sign in with your ethereum account:";

/// Why a message is not signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PersonalError {
    /// It can be read as a transaction.
    #[error("the message can be read as a transaction; sign it as a transaction instead")]
    LooksLikeTransaction,
    /// It is 32 bytes, raw or as hex: a hash of something that is not shown.
    #[error("the message is the hash of something that is not shown; sign the thing itself")]
    LooksLikeHash,
    /// It is a sign-in with Ethereum (EIP-4361), raw or as hex: whether it names the page that asks is not
    /// checked.
    #[error(
        "the message is a sign-in with Ethereum, and the page that asks for it is not known; sign in where the page is checked"
    )]
    SignIn,
}

/// What is hashed: EIP-191's prefix, the message's length in decimal digits, and the message.
#[must_use]
pub fn signing_payload(message: &[u8]) -> Vec<u8> {
    [PREFIX, message.len().to_string().as_bytes(), message].concat()
}

/// Keccak-256 of [`signing_payload`]: what is signed.
#[must_use]
pub fn signing_hash(message: &[u8]) -> [u8; 32] {
    keccak256(&signing_payload(message))
}

/// Refuses what should not be signed as a text: transactions, signed or not, of every type, in bytes or as
/// hex digits, hashes, and sign-ins.
///
/// # Errors
/// See [`PersonalError`].
pub fn check(message: &[u8]) -> Result<(), PersonalError> {
    let unwrapped = hex_bytes(message);
    for bytes in [Some(message), unwrapped.as_deref()].into_iter().flatten() {
        if bytes.len() == 32 && (unwrapped.is_some() || !is_sentence(bytes)) {
            return Err(PersonalError::LooksLikeHash);
        }
        if parses_as_transaction(bytes) {
            return Err(PersonalError::LooksLikeTransaction);
        }
        if is_sign_in(bytes) {
            return Err(PersonalError::SignIn);
        }
    }
    Ok(())
}

/// Whether the first line is that of a sign-in: EIP-4361, "Message Format". Case and white space do not
/// matter, since a lax reader may take what a strict one does not.
fn is_sign_in(message: &[u8]) -> bool {
    let start = message.trim_ascii_start();
    let first = start
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    first.trim_ascii_end().ends_with(SIGN_IN)
}

/// The bytes that hex digits stand for, with or without `0x`.
fn hex_bytes(message: &[u8]) -> Option<Vec<u8>> {
    let digits = message.strip_prefix(b"0x").unwrap_or(message);
    hex::decode(digits).ok().filter(|bytes| !bytes.is_empty())
}

/// Whether 32 bytes are plainly a text: a random hash is one in about a billion times.
fn is_sentence(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t'))
}

#[cfg(test)]
mod tests;
