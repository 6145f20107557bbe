//! A signature of either curve, and its text.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use crate::address::Signature;
use crate::secp256k1::RecoverableSignature;

/// A signature by a wallet's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalletSignature {
    /// By Solana's curve; 64 bytes, shown in base58.
    Ed25519(Signature),
    /// By the Ethereum family's curve; 65 bytes with 27 or 28 at the end, shown as `0x` and 130 digits.
    Secp256k1(RecoverableSignature),
}

/// A text that is no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no signature; give base58 of 64 bytes, or 0x and 130 hexadecimal digits")]
pub struct WalletSignatureError;

impl WalletSignature {
    /// The signature by Solana's curve, if it is one.
    #[must_use]
    pub const fn as_ed25519(&self) -> Option<&Signature> {
        match self {
            Self::Ed25519(signature) => Some(signature),
            Self::Secp256k1(_) => None,
        }
    }

    /// The signature by the Ethereum family's curve, if it is one.
    #[must_use]
    pub const fn as_secp256k1(&self) -> Option<&RecoverableSignature> {
        match self {
            Self::Secp256k1(signature) => Some(signature),
            Self::Ed25519(_) => None,
        }
    }
}

impl fmt::Display for WalletSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ed25519(signature) => signature.fmt(f),
            Self::Secp256k1(signature) => {
                let text: String = alloc::format!("0x{}", hex::encode(signature.to_bytes()));
                f.pad(&text)
            }
        }
    }
}

impl FromStr for WalletSignature {
    type Err = WalletSignatureError;

    fn from_str(text: &str) -> Result<Self, WalletSignatureError> {
        let Some(digits) = text.strip_prefix("0x") else {
            return text.parse().map(Self::Ed25519).map_err(|_| WalletSignatureError);
        };
        let mut bytes = [0; 65];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| WalletSignatureError)?;
        RecoverableSignature::from_bytes(&bytes)
            .map(Self::Secp256k1)
            .map_err(|_| WalletSignatureError)
    }
}
