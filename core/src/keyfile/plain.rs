//! Keys that are not encrypted: number arrays, base58, hexadecimal, raw bytes.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::json::{self, BytesError};
use super::{Detected, Format, KeyfileError};
use crate::account::Chain;
use crate::key::WalletKey;
use crate::{ed25519, secp256k1};

/// Bytes of a seed and its public key together.
const PAIR_LEN: usize = 64;
/// Bytes of a seed or a secp256k1 key.
const SEED_LEN: usize = 32;
/// Longest base58 text that is decoded; 64 bytes need at most 88.
const MAX_BASE58: usize = 100;
/// The lengths of a key, in words.
const LENGTHS: &str = "32 or 64";

/// The bytes as trimmed text, if they are text: UTF-8 without control characters but white space.
pub(super) fn as_text(bytes: &[u8]) -> Option<&str> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let text = core::str::from_utf8(bytes).ok()?;
    let control = |c: char| c.is_control() && !c.is_whitespace();
    (!text.contains(control)).then(|| text.trim())
}

/// Whether the bytes are a Keyward vault file, which `crate::vault::VaultFile` opens.
pub(super) fn is_keyward(bytes: &[u8]) -> bool {
    bytes.starts_with(b"KEYWARD\0")
}

/// Bytes that are no text.
pub(super) fn detect_raw(bytes: &[u8]) -> Result<Detected, KeyfileError> {
    match bytes.len() {
        PAIR_LEN => Ok(Detected::Certain(Format::Raw)),
        SEED_LEN => Ok(Detected::EitherCurve(Format::Raw)),
        _ => Err(KeyfileError::Unknown),
    }
}

/// Text that is no JSON.
pub(super) fn detect_text(text: &str) -> Result<Detected, KeyfileError> {
    if text.contains(char::is_whitespace) {
        return Ok(Detected::Certain(Format::Phrase));
    }
    let digits = strip_0x(text);
    let hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if digits.len() != text.len() || (hex && matches!(digits.len(), 64 | 128)) {
        return match digits.len() {
            128 => Ok(Detected::Certain(Format::Hex)),
            64 => Ok(Detected::EitherCurve(Format::Hex)),
            found => Err(wrong_length(Format::Hex, found.div_ceil(2))),
        };
    }
    if !text.bytes().all(|c| c.is_ascii_alphanumeric()) {
        return Err(KeyfileError::Unknown);
    }
    let (_, len) = decode_base58(text)?;
    match len {
        PAIR_LEN => Ok(Detected::Certain(Format::Base58)),
        SEED_LEN => Ok(Detected::SeedOrAddress),
        found => Err(wrong_length(Format::Base58, found)),
    }
}

pub(super) fn read_array(text: &str, chain: Option<Chain>) -> Result<WalletKey, KeyfileError> {
    let mut bytes = Zeroizing::new([0; PAIR_LEN]);
    let format = Format::SolanaKeygen;
    let len = json::bytes_into(text, bytes.as_mut_slice()).map_err(|error| match error {
        BytesError::NotNumbers => KeyfileError::NotNumbers,
        BytesError::TooLarge(position) => KeyfileError::NumberTooLarge { position },
        BytesError::TooMany => wrong_length(format, PAIR_LEN + 1),
    })?;
    only(format, Chain::Solana, chain)?;
    let bytes = bytes.get(..len).ok_or_else(|| wrong_length(format, len))?;
    read_secret(format, bytes, Some(Chain::Solana))
}

pub(super) fn read_base58(text: &str, chain: Option<Chain>) -> Result<WalletKey, KeyfileError> {
    let (bytes, len) = decode_base58(text)?;
    only(Format::Base58, Chain::Solana, chain)?;
    if len == SEED_LEN && chain.is_none() {
        return Err(KeyfileError::SeedOrAddress);
    }
    let bytes = bytes
        .get(..len)
        .ok_or_else(|| wrong_length(Format::Base58, len))?;
    read_secret(Format::Base58, bytes, Some(Chain::Solana))
}

pub(super) fn read_hex(text: &str, chain: Option<Chain>) -> Result<WalletKey, KeyfileError> {
    let digits = strip_0x(text);
    let prefix = text.len() - digits.len();
    if let Some(at) = digits.bytes().position(|digit| !digit.is_ascii_hexdigit()) {
        return Err(KeyfileError::Character {
            format: Format::Hex,
            position: prefix + at + 1,
        });
    }
    let mut bytes = Zeroizing::new([0; PAIR_LEN]);
    let len = digits.len().div_ceil(2);
    let out = match digits.len() {
        64 | 128 => bytes.get_mut(..len),
        _ => None,
    }
    .ok_or_else(|| wrong_length(Format::Hex, len))?;
    // The characters and the length are right, as just checked.
    hex::decode_to_slice(digits, out).map_err(|_| wrong_length(Format::Hex, len))?;
    read_secret(Format::Hex, out, chain)
}

/// The key of 64 bytes (seed and public key) or 32 (of either curve, as the caller says).
pub(super) fn read_secret(
    format: Format,
    bytes: &[u8],
    chain: Option<Chain>,
) -> Result<WalletKey, KeyfileError> {
    if !matches!(bytes.len(), SEED_LEN | PAIR_LEN) {
        return Err(wrong_length(format, bytes.len()));
    }
    let (secret, public) = bytes
        .split_first_chunk::<SEED_LEN>()
        .ok_or_else(|| wrong_length(format, bytes.len()))?;
    if bool::from(secret.ct_eq(&[0; SEED_LEN])) {
        return Err(KeyfileError::ZeroKey);
    }
    if !public.is_empty() {
        only(format, Chain::Solana, chain)?;
        let key = ed25519::SecretKey::from_seed(secret);
        if !bool::from(key.address().as_bytes().as_slice().ct_eq(public)) {
            return Err(KeyfileError::PublicKeyMismatch);
        }
        return Ok(WalletKey::Ed25519(key));
    }
    match chain {
        Some(Chain::Solana) => Ok(WalletKey::Ed25519(ed25519::SecretKey::from_seed(secret))),
        Some(Chain::Evm) => secp256k1_key(secret),
        None => Err(KeyfileError::EitherCurve { format }),
    }
}

pub(super) fn secp256k1_key(secret: &[u8; SEED_LEN]) -> Result<WalletKey, KeyfileError> {
    secp256k1::SecretKey::from_bytes(secret)
        .map(WalletKey::Secp256k1)
        .map_err(|_| KeyfileError::NotASecp256k1Key)
}

/// Refuses the caller's chain if the format allows only another.
pub(super) fn only(format: Format, reads: Chain, asked: Option<Chain>) -> Result<(), KeyfileError> {
    match asked {
        Some(chain) if chain != reads => Err(KeyfileError::WrongChain { format, chain }),
        _ => Ok(()),
    }
}

/// At most [`MAX_BASE58`] bytes, and how many they are.
fn decode_base58(text: &str) -> Result<(Zeroizing<[u8; MAX_BASE58]>, usize), KeyfileError> {
    let mut bytes = Zeroizing::new([0; MAX_BASE58]);
    let alphabet = |c: u8| c.is_ascii_alphanumeric() && !matches!(c, b'0' | b'O' | b'I' | b'l');
    if let Some(at) = text.bytes().position(|c| !alphabet(c)) {
        return Err(KeyfileError::Character {
            format: Format::Base58,
            position: at + 1,
        });
    }
    if text.len() > MAX_BASE58 {
        // 58^4 is below 2^24 and above 2^23: about three bytes in four characters.
        return Err(wrong_length(Format::Base58, text.len() / 4 * 3));
    }
    let len = bs58::decode(text)
        .onto(bytes.as_mut_slice())
        .map_err(|_| wrong_length(Format::Base58, MAX_BASE58))?;
    Ok((bytes, len))
}

fn strip_0x(text: &str) -> &str {
    text.strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))
        .unwrap_or(text)
}

const fn wrong_length(format: Format, found: usize) -> KeyfileError {
    KeyfileError::Length {
        format,
        expected: LENGTHS,
        found,
    }
}
