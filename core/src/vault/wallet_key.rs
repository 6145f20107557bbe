//! Wallets' keys in records: opened only where the public key derived again is the one named.

use alloc::vec::Vec;

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
    let RecordPublicKey::Secp256k1(named) = &context.public_key else {
        return open_solana_wallet(key, context, sealed, password).map(WalletKey::from);
    };
    let opened = open_secret(key, context, RecordKind::EvmKey, sealed, password)?;
    let secret = opened.as_slice().try_into().map_err(|_| OpenError::Refused)?;
    let opened = secp256k1::SecretKey::from_bytes(secret).map_err(|_| OpenError::Refused)?;
    if bool::from(opened.public_key().as_bytes().ct_eq(named)) {
        Ok(opened.into())
    } else {
        Err(OpenError::Refused)
    }
}

fn open_secret(
    key: &VaultKey,
    context: &RecordContext,
    expected: RecordKind,
    sealed: &[u8],
    password: Option<&WalletPassword>,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    if context.kind != expected {
        return Err(OpenError::Refused);
    }
    match password {
        Some(password) => open_protected_record(key, context, sealed, password),
        None => open_record(key, context, sealed),
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
    open_solana_wallet(key, context, sealed, None)
}

/// As [`open_wallet_key`], for a Solana wallet: needs nothing of the other curve.
///
/// # Errors
/// As [`open_wallet_key`].
pub fn open_solana_wallet(
    key: &VaultKey,
    context: &RecordContext,
    sealed: &[u8],
    password: Option<&WalletPassword>,
) -> Result<ed25519::SecretKey, OpenError> {
    let RecordPublicKey::Ed25519(named) = &context.public_key else {
        return Err(OpenError::Refused);
    };
    let opened = open_secret(key, context, RecordKind::SolanaKey, sealed, password)?;
    let seed = opened.as_slice().try_into().map_err(|_| OpenError::Refused)?;
    let opened = ed25519::SecretKey::from_seed(seed);
    if bool::from(opened.address().as_bytes().ct_eq(named)) {
        Ok(opened)
    } else {
        Err(OpenError::Refused)
    }
}

#[cfg(test)]
mod tests;
