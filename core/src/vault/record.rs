//! Records: secrets sealed under the vault key, each bound to what it is and whose it is.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::envelope::{self, OVERHEAD};
use super::protection::{PROTECTION_LEN, Protection};
use super::{
    KdfError, KdfParams, NewWalletPassword, OpenError, RecordId, VaultError, VaultId, VaultKey,
    WalletPassword,
};

/// What a sealed record, and the header bound to it, begins with.
const MAGIC: &[u8; 4] = b"KWRC";
/// The version this code reads and writes.
const VERSION: u16 = 1;
/// Most bytes of the canonical header.
const CONTEXT_LEN: usize = 4 + 2 + 16 + 16 + 1 + 4 + 1 + 33 + 1 + PROTECTION_LEN;
/// The flag of a record that needs a password of its own besides the vault key.
const NEEDS_WALLET_PASSWORD: u8 = 1;
/// Keeps record keys apart from all other derived keys.
const RECORD_DOMAIN: &[u8] = b"keyward/record/v1\0";
/// Longest secret that a record holds, in bytes.
pub const MAX_SECRET_LEN: usize = 4096;
/// Most bytes of a sealed record.
pub(super) const MAX_SEALED_LEN: usize = MAGIC.len() + 3 + PROTECTION_LEN + 2 * OVERHEAD + MAX_SECRET_LEN;

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
    /// An EVM wallet's 32-byte secp256k1 scalar, big-endian.
    EvmKey = 3,
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
            3 => Ok(Self::EvmKey),
            _ => Err(UnknownCode(code)),
        }
    }
}

/// The curve of a record's public key. The discriminants are part of the stored format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Curve {
    /// No key, as for a phrase.
    None = 0,
    /// Ed25519 (RFC 8032).
    Ed25519 = 1,
    /// secp256k1 (SEC 2).
    Secp256k1 = 2,
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
            2 => Ok(Self::Secp256k1),
            _ => Err(UnknownCode(code)),
        }
    }
}

/// The public key of the secret inside a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordPublicKey {
    /// None, as for a phrase.
    None,
    /// An ed25519 public key: the bytes of a Solana address.
    Ed25519([u8; 32]),
    /// A secp256k1 public key, compressed (SEC 1, section 2.3.3).
    Secp256k1([u8; 33]),
}

impl RecordPublicKey {
    /// The key's curve.
    #[must_use]
    pub const fn curve(&self) -> Curve {
        match self {
            Self::None => Curve::None,
            Self::Ed25519(_) => Curve::Ed25519,
            Self::Secp256k1(_) => Curve::Secp256k1,
        }
    }

    /// The key's bytes: none, 32 or 33.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        match self {
            Self::None => &[],
            Self::Ed25519(bytes) => bytes,
            Self::Secp256k1(bytes) => bytes,
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
    /// The public key of the secret inside.
    pub public_key: RecordPublicKey,
}

impl RecordContext {
    /// The canonical header: magic, version, vault, record, kind, epoch, curve, public key, flags, and
    /// how the record's own password is stretched if it has one. The curve tells the key's length.
    fn to_bytes(self, protection: Option<&Protection>) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(CONTEXT_LEN);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(self.vault.as_bytes());
        bytes.extend_from_slice(self.record.as_bytes());
        bytes.push(self.kind.code());
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes.push(self.public_key.curve().code());
        bytes.extend_from_slice(self.public_key.as_bytes());
        write_protection(protection, &mut bytes);
        bytes
    }

    /// Whose secret it is, wherever and under whichever vault key the record lies.
    fn identity(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(2 + 33);
        bytes.extend_from_slice(&[self.kind.code(), self.public_key.curve().code()]);
        bytes.extend_from_slice(self.public_key.as_bytes());
        bytes
    }
}

/// A sealed record taken apart; nothing of it is authentic yet.
pub(super) struct Parts<'a> {
    protection: Option<Protection>,
    envelope: &'a [u8],
}

impl<'a> Parts<'a> {
    pub(super) fn read(sealed: &'a [u8]) -> Option<Self> {
        let rest = sealed.strip_prefix(MAGIC)?;
        let rest = rest.strip_prefix(&VERSION.to_be_bytes())?;
        let (flags, rest) = rest.split_first()?;
        let (protection, envelope) = match *flags {
            0 => (None, rest),
            NEEDS_WALLET_PASSWORD => {
                let (protection, rest) = Protection::read(rest)?;
                (Some(protection), rest)
            }
            _ => return None,
        };
        let added = if protection.is_some() {
            2 * OVERHEAD
        } else {
            OVERHEAD
        };
        // Before anything is allocated by it.
        (added + 1..=added + MAX_SECRET_LEN)
            .contains(&envelope.len())
            .then_some(Self { protection, envelope })
    }

    /// Opens the vault key's envelope: the secret, or the inner envelope of one with its own password.
    pub(super) fn open(
        &self,
        key: &VaultKey,
        context: &RecordContext,
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let associated = context.to_bytes(self.protection.as_ref());
        envelope::open(key.expose_bytes(), &[&info(context)], &associated, self.envelope)
    }
}

fn write_protection(protection: Option<&Protection>, out: &mut Vec<u8>) {
    match protection {
        None => out.push(0),
        Some(protection) => {
            out.push(NEEDS_WALLET_PASSWORD);
            protection.write(out);
        }
    }
}

/// Seals a secret of 1 to [`MAX_SECRET_LEN`] bytes. `salt` must be 32 fresh random bytes.
///
/// # Layout
/// Integers are big-endian.
///
/// ```text
/// magic "KWRC" | version u16 = 1 | flags u8 (1 needs the wallet's own password)
/// if so: kdf u8 (1 scrypt) | log2 N u8 | r u32 | p u32 | scrypt salt [32]
/// salt [32] | commitment [32] | ciphertext | tag [16]
/// ```
///
/// The ciphertext holds the secret, or of a record with its own password another
/// `salt | commitment | ciphertext | tag` by a key of that password, which holds the secret.
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
    check_length(secret)?;
    Ok(seal_parts(key, context, None, secret, salt))
}

/// As [`seal_record`], with a password of the record's own besides the vault key: both are needed to
/// open it. Takes as long as the password's stretching. Sealing a secret again, with another password
/// or with [`seal_record`], changes or removes it.
///
/// # Errors
/// [`VaultError::SecretLength`], [`VaultError::Kdf`].
pub fn seal_protected_record(
    key: &VaultKey,
    context: &RecordContext,
    secret: &[u8],
    salt: [u8; 32],
    new: &NewWalletPassword<'_>,
) -> Result<Vec<u8>, VaultError> {
    check_length(secret)?;
    let protection = Protection {
        kdf: new.kdf,
        salt: new.kdf_salt,
    };
    let stretched = protection.stretch(new.password)?;
    let inner = protection.seal(&stretched, &new.inner_salt, &context.identity(), secret);
    Ok(seal_parts(key, context, Some(&protection), &inner, salt))
}

fn check_length(secret: &[u8]) -> Result<(), VaultError> {
    if secret.is_empty() || secret.len() > MAX_SECRET_LEN {
        return Err(VaultError::SecretLength { found: secret.len() });
    }
    Ok(())
}

fn seal_parts(
    key: &VaultKey,
    context: &RecordContext,
    protection: Option<&Protection>,
    content: &[u8],
    salt: [u8; 32],
) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(MAGIC.len() + 3 + PROTECTION_LEN + OVERHEAD + content.len());
    sealed.extend_from_slice(MAGIC);
    sealed.extend_from_slice(&VERSION.to_be_bytes());
    write_protection(protection, &mut sealed);
    let associated = context.to_bytes(protection);
    envelope::seal(
        key.expose_bytes(),
        &salt,
        &[&info(context)],
        &associated,
        content,
        &mut sealed,
    );
    sealed
}

/// Whether a record needs a password of its own, and how that is stretched. What it says is authentic
/// only once the record has opened.
///
/// # Errors
/// [`OpenError::Refused`] if the bytes are no record.
pub fn wallet_password_kdf(sealed: &[u8]) -> Result<Option<KdfParams>, OpenError> {
    let parts = Parts::read(sealed).ok_or(OpenError::Refused)?;
    Ok(parts.protection.map(|protection| protection.kdf))
}

/// Opens a record in the place that `context` says it has.
///
/// # Errors
/// [`OpenError::WalletPasswordMissing`] if the record needs a password of its own;
/// [`OpenError::Refused`], whatever else is wrong.
pub fn open_record(
    key: &VaultKey,
    context: &RecordContext,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    open_with(key, context, sealed, None)
}

/// Opens a record that may need a password of its own; takes as long as its stretching if it does. A
/// password that is not asked for does no harm.
///
/// # Errors
/// [`OpenError::Refused`], whatever is wrong: the password, the vault key, the place or the bytes.
pub fn open_protected_record(
    key: &VaultKey,
    context: &RecordContext,
    sealed: &[u8],
    password: &WalletPassword,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    open_with(key, context, sealed, Some(password))
}

fn open_with(
    key: &VaultKey,
    context: &RecordContext,
    sealed: &[u8],
    password: Option<&WalletPassword>,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    open_by(key, context, sealed, |protection| {
        password.map(|password| protection.stretch(password))
    })
}

/// As [`open_with`], with the key stretching given: it dominates the time.
fn open_by(
    key: &VaultKey,
    context: &RecordContext,
    sealed: &[u8],
    stretch: impl FnOnce(&Protection) -> Option<Result<Zeroizing<[u8; 32]>, KdfError>>,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let parts = Parts::read(sealed).ok_or(OpenError::Refused)?;
    // First, so that the parameters below are authentic before any work is done by them.
    let content = parts.open(key, context)?;
    let Some(protection) = &parts.protection else {
        return Ok(content);
    };
    let stretched = stretch(protection)
        .ok_or(OpenError::WalletPasswordMissing)?
        .map_err(|_| OpenError::Refused)?;
    protection.open(&stretched, &context.identity(), &content)
}

/// Opens a record under `old` and seals what it holds under `new`, in the place `to`: another epoch, as
/// when the vault's key is rotated, or another vault, as when it is exported. A record's own password
/// stays and is not needed. `salt` must be 32 fresh random bytes.
///
/// # Errors
/// [`OpenError::Refused`] if the record does not open, or `to` says that it is another secret.
pub fn reseal_record(
    (old, from): (&VaultKey, &RecordContext),
    (new, to): (&VaultKey, &RecordContext),
    sealed: &[u8],
    salt: [u8; 32],
) -> Result<Vec<u8>, OpenError> {
    if from.identity() != to.identity() {
        return Err(OpenError::Refused);
    }
    let parts = Parts::read(sealed).ok_or(OpenError::Refused)?;
    let content = parts.open(old, from)?;
    Ok(seal_parts(new, to, parts.protection.as_ref(), &content, salt))
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
