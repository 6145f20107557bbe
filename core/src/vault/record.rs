//! Records: secrets sealed under the vault key, each bound to what it is and whose it is.

use alloc::vec::Vec;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::envelope::{self, OVERHEAD};
use super::{OpenError, RecordId, VaultError, VaultId, VaultKey};
use crate::ed25519::SecretKey;

/// What a sealed record, and the header bound to it, begins with.
const MAGIC: &[u8; 4] = b"KWRC";
/// The version this code reads and writes.
const VERSION: u16 = 1;
/// Bytes of the canonical header.
const CONTEXT_LEN: usize = 4 + 2 + 16 + 16 + 1 + 4 + 1 + 32;
/// Keeps record keys apart from all other derived keys.
const RECORD_DOMAIN: &[u8] = b"keyward/record/v1\0";
/// Longest secret that a record holds, in bytes.
pub const MAX_SECRET_LEN: usize = 4096;

/// A stored number that stands for nothing this version knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored code {0} is unknown; install a newer version")]
pub struct UnknownCode(pub u8);

/// What a record holds. The discriminants are part of the stored format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RecordKind {
    /// A phrase and its passphrase ([`super::MasterSecret`]).
    Master = 1,
    /// A Solana wallet's 32-byte ed25519 seed.
    SolanaKey = 2,
}

impl RecordKind {
    /// The number that stands for the kind in stored data.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl TryFrom<u8> for RecordKind {
    type Error = UnknownCode;

    fn try_from(code: u8) -> Result<Self, UnknownCode> {
        match code {
            1 => Ok(Self::Master),
            2 => Ok(Self::SolanaKey),
            _ => Err(UnknownCode(code)),
        }
    }
}

/// The curve of a record's public key. The discriminants are part of the stored format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Curve {
    /// No key, as for a phrase; the public key is all zeros.
    None = 0,
    /// Ed25519.
    Ed25519 = 1,
}

impl Curve {
    /// The number that stands for the curve in stored data.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl TryFrom<u8> for Curve {
    type Error = UnknownCode;

    fn try_from(code: u8) -> Result<Self, UnknownCode> {
        match code {
            0 => Ok(Self::None),
            1 => Ok(Self::Ed25519),
            _ => Err(UnknownCode(code)),
        }
    }
}

/// What a record is. All of it is bound to the sealed bytes: they open in no other place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordContext {
    /// The vault it belongs to.
    pub vault: VaultId,
    /// Its name in the vault.
    pub record: RecordId,
    /// What it holds.
    pub kind: RecordKind,
    /// Which of the vault's keys it is sealed under.
    pub epoch: u32,
    /// The curve of the public key.
    pub curve: Curve,
    /// The public key of the secret inside, or zeros.
    pub public_key: [u8; 32],
}

impl RecordContext {
    /// The canonical header: magic, version, vault, record, kind, epoch, curve, public key.
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(CONTEXT_LEN);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(self.vault.as_bytes());
        bytes.extend_from_slice(self.record.as_bytes());
        bytes.push(self.kind.code());
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes.push(self.curve.code());
        bytes.extend_from_slice(&self.public_key);
        bytes
    }
}

/// Seals a secret of 1 to [`MAX_SECRET_LEN`] bytes. `salt` must be 32 fresh random bytes.
///
/// # Layout
/// ```text
/// magic "KWRC" | version u16 = 1 | salt [32] | commitment [32] | ciphertext | tag [16]
/// ```
///
/// # Errors
/// [`VaultError::SecretLength`].
///
/// # Security
/// The length of the secret shows. A salt used twice in one place with two secrets reveals both.
pub fn seal_record(
    key: &VaultKey,
    context: &RecordContext,
    secret: &[u8],
    salt: [u8; 32],
) -> Result<Vec<u8>, VaultError> {
    if secret.is_empty() || secret.len() > MAX_SECRET_LEN {
        return Err(VaultError::SecretLength { found: secret.len() });
    }
    let mut sealed = Vec::with_capacity(MAGIC.len() + 2 + OVERHEAD + secret.len());
    sealed.extend_from_slice(MAGIC);
    sealed.extend_from_slice(&VERSION.to_be_bytes());
    envelope::seal(
        key.expose_bytes(),
        &salt,
        &[&info(context)],
        &context.to_bytes(),
        secret,
        &mut sealed,
    );
    Ok(sealed)
}

/// Opens a record in the place that `context` says it has.
///
/// # Errors
/// [`OpenError::Refused`], whatever is wrong.
pub fn open_record(
    key: &VaultKey,
    context: &RecordContext,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let sealed = sealed
        .strip_prefix(MAGIC)
        .and_then(|rest| rest.strip_prefix(&VERSION.to_be_bytes()))
        .filter(|rest| (OVERHEAD + 1..=OVERHEAD + MAX_SECRET_LEN).contains(&rest.len()))
        .ok_or(OpenError::Refused)?;
    envelope::open(key.expose_bytes(), &[&info(context)], &context.to_bytes(), sealed)
}

/// Opens a Solana wallet's key, derives its public key again and compares.
///
/// # Errors
/// [`OpenError::Refused`], whatever is wrong.
pub fn open_solana_key(
    key: &VaultKey,
    context: &RecordContext,
    sealed: &[u8],
) -> Result<SecretKey, OpenError> {
    if context.kind != RecordKind::SolanaKey || context.curve != Curve::Ed25519 {
        return Err(OpenError::Refused);
    }
    let opened = open_record(key, context, sealed)?;
    let seed = opened.as_slice().try_into().map_err(|_| OpenError::Refused)?;
    let secret = SecretKey::from_seed(seed);
    if !bool::from(secret.address().as_bytes().ct_eq(&context.public_key)) {
        return Err(OpenError::Refused);
    }
    Ok(secret)
}

/// What a record's one-time key is derived for. Every part has a fixed length.
fn info(context: &RecordContext) -> Vec<u8> {
    let mut info = Vec::with_capacity(RECORD_DOMAIN.len() + 16 + 16 + 1 + 4);
    info.extend_from_slice(RECORD_DOMAIN);
    info.extend_from_slice(context.vault.as_bytes());
    info.extend_from_slice(context.record.as_bytes());
    info.push(context.kind.code());
    info.extend_from_slice(&context.epoch.to_be_bytes());
    info
}

#[cfg(test)]
mod tests;
