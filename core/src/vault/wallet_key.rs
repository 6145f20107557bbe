//! Wallets' keys in records: opened only where the public key derived again is the one named.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{
    OpenError, RecordContext, RecordKind, RecordPublicKey, VaultKey, WalletPassword, open_protected_record,
    open_record,
};
use crate::ed25519;
use crate::key::WalletKey;
use crate::secp256k1;

impl RecordKind {
    /// The kind of record that keeps this key.
    #[must_use]
    pub const fn of(key: &WalletKey) -> Self {
        match key {
            WalletKey::Ed25519(_) => Self::SolanaKey,
            WalletKey::Secp256k1(_) => Self::EvmKey,
        }
    }
}

impl RecordPublicKey {
    /// The public key that belongs to this key.
    #[must_use]
    pub fn of(key: &WalletKey) -> Self {
        match key {
            WalletKey::Ed25519(key) => Self::Ed25519(key.address().to_bytes()),
            WalletKey::Secp256k1(key) => Self::Secp256k1(*key.public_key().as_bytes()),
        }
    }
}

/// Opens a wallet's key, derives its public key again and compares. A record with a password of its own
/// needs it, and takes as long as its stretching; a password that is not asked for does no harm.
///
/// # Errors
/// [`OpenError::WalletPasswordMissing`] if the record needs a password and none is given;
/// [`OpenError::Refused`], whatever else is wrong: the password, the vault key, the place or the bytes.
pub fn open_wallet_key(
    key: &VaultKey,
    context: &RecordContext,
    sealed: &[u8],
    password: Option<&WalletPassword>,
) -> Result<WalletKey, OpenError> {
    let expected = match context.public_key {
        RecordPublicKey::Ed25519(_) => RecordKind::SolanaKey,
        RecordPublicKey::Secp256k1(_) => RecordKind::EvmKey,
        RecordPublicKey::None => return Err(OpenError::Refused),
    };
    if context.kind != expected {
        return Err(OpenError::Refused);
    }
    let opened = match password {
        Some(password) => open_protected_record(key, context, sealed, password)?,
        None => open_record(key, context, sealed)?,
    };
    let opened = wallet_key(context, &opened)?;
    let same = RecordPublicKey::of(&opened)
        .as_bytes()
        .ct_eq(context.public_key.as_bytes());
    if !bool::from(same) {
        return Err(OpenError::Refused);
    }
    Ok(opened)
}

fn wallet_key(
    context: &RecordContext,
    opened: &Zeroizing<alloc::vec::Vec<u8>>,
) -> Result<WalletKey, OpenError> {
    let bytes = opened.as_slice().try_into().map_err(|_| OpenError::Refused)?;
    match context.kind {
        RecordKind::SolanaKey => Ok(ed25519::SecretKey::from_seed(bytes).into()),
        RecordKind::EvmKey => secp256k1::SecretKey::from_bytes(bytes)
            .map(WalletKey::from)
            .map_err(|_| OpenError::Refused),
        RecordKind::Master => Err(OpenError::Refused),
    }
}

/// As [`open_wallet_key`], for a Solana wallet without a password of its own.
///
/// # Errors
/// As [`open_wallet_key`].
pub fn open_solana_key(
    key: &VaultKey,
    context: &RecordContext,
    sealed: &[u8],
) -> Result<ed25519::SecretKey, OpenError> {
    match open_wallet_key(key, context, sealed, None)? {
        WalletKey::Ed25519(key) => Ok(key),
        WalletKey::Secp256k1(_) => Err(OpenError::Refused),
    }
}

#[cfg(test)]
mod tests;
