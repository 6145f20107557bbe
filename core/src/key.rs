//! A wallet's private key on either curve.

use core::fmt;

use crate::account::AccountAddress;
use crate::{ed25519, secp256k1};

/// A private key.
pub enum WalletKey {
    /// Solana's curve.
    Ed25519(ed25519::SecretKey),
    /// The Ethereum family's curve.
    Secp256k1(secp256k1::SecretKey),
}

impl WalletKey {
    /// The address of its account.
    #[must_use]
    pub fn address(&self) -> AccountAddress {
        match self {
            Self::Ed25519(key) => key.address().into(),
            Self::Secp256k1(key) => key.address().into(),
        }
    }

    /// The 32 bytes that make the key: ed25519's seed, secp256k1's number in big-endian order.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8; 32] {
        match self {
            Self::Ed25519(key) => key.expose_seed(),
            Self::Secp256k1(key) => key.expose_bytes(),
        }
    }

    /// Whether both are the same key on the same curve, in constant time for keys of one curve.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ed25519(key), Self::Ed25519(other)) => key.is_same_as(other),
            (Self::Secp256k1(key), Self::Secp256k1(other)) => key.is_same_as(other),
            _ => false,
        }
    }
}

impl From<ed25519::SecretKey> for WalletKey {
    fn from(key: ed25519::SecretKey) -> Self {
        Self::Ed25519(key)
    }
}

impl From<secp256k1::SecretKey> for WalletKey {
    fn from(key: secp256k1::SecretKey) -> Self {
        Self::Secp256k1(key)
    }
}

impl fmt::Debug for WalletKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WalletKey({})", self.address())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn keys_of_two_curves_are_never_the_same() {
        let bytes = [7; 32];
        let solana = WalletKey::from(ed25519::SecretKey::from_seed(&bytes));
        let evm = WalletKey::from(secp256k1::SecretKey::from_bytes(&bytes).unwrap());
        assert!(solana.is_same_as(&solana) && evm.is_same_as(&evm) && !solana.is_same_as(&evm));
        assert_eq!((solana.expose_secret(), evm.expose_secret()), (&bytes, &bytes));
        let shown = alloc::format!("{solana:?} {evm:?}");
        assert!(shown.contains("0x") && !shown.contains("0707"), "{shown}");
    }
}
