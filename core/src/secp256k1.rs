//! secp256k1 keys and ECDSA signatures, as the Ethereum family uses them.
//!
//! Signs 32-byte hashes: what may be signed is decided by [`crate::policy`]. Signatures are deterministic
//! (RFC 6979) and have the lower `s` of the two possible (EIP-2). It makes no keys from nothing.
//!
//! Specifications: SEC 1 version 2.0 sections 2.3.3 and 4.1, SEC 2 version 2.0 section 2.4.1, RFC 6979
//! <https://www.rfc-editor.org/rfc/rfc6979>, EIP-2 <https://eips.ethereum.org/EIPS/eip-2>.

use alloc::boxed::Box;
use core::fmt;

use k256::ecdsa::{RecoveryId, Signature, SigningKey, VerifyingKey};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::evm::{EvmAddress, keccak256};

/// The scalar is 0 or not below the group's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no secp256k1 key: the number is 0 or too large; check what was imported")]
pub struct KeyError;

/// The bytes are no point of the curve in its compressed form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no compressed secp256k1 public key; check that all 33 bytes were copied")]
pub struct PublicKeyError;

/// The signature does not belong to the key and the hash, or is not in its canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify: it belongs to another key or other data, or was changed")]
pub struct VerifyError;

/// A private key: a number from 1 to the group's order minus 1.
pub struct SecretKey {
    /// Boxed, so that moving the key leaves no copy behind.
    bytes: Box<Zeroizing<[u8; 32]>>,
    public: PublicKey,
}

impl SecretKey {
    /// Takes a private key, big-endian.
    ///
    /// # Errors
    /// [`KeyError`] for 0 and for what is not below the group's order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        // Wipes itself when dropped.
        let key = SigningKey::from_slice(bytes).map_err(|_| KeyError)?;
        let public = PublicKey::of(key.verifying_key());
        let mut boxed = Box::new(Zeroizing::new([0; 32]));
        boxed.copy_from_slice(bytes);
        Ok(Self { bytes: boxed, public })
    }

    /// The public key.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The address of its account.
    #[must_use]
    pub fn address(&self) -> EvmAddress {
        self.public.address()
    }

    /// Signs a 32-byte hash. The same hash always gives the same signature.
    ///
    /// # Errors
    /// [`KeyError`] never for a key that [`SecretKey::from_bytes`] made.
    ///
    /// # Security
    /// Whoever chooses the hash chooses what is signed: give it hashes that were computed here only.
    pub fn sign_prehash(&self, hash: &[u8; 32]) -> Result<RecoverableSignature, KeyError> {
        let key = SigningKey::from_slice(&**self.bytes).map_err(|_| KeyError)?;
        // k256 takes the lower s and turns the recovery number with it.
        let (signature, recovery) = key.sign_prehash_recoverable(hash);
        let (r, s) = signature.split_bytes();
        Ok(RecoverableSignature {
            r: r.into(),
            s: s.into(),
            y_odd: recovery.is_y_odd(),
        })
    }

    /// The private key, big-endian.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Compares in constant time.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.expose_bytes().ct_eq(other.expose_bytes()).into()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

/// A public key in its compressed form: 33 bytes, 2 or 3 in front.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 33]);

impl PublicKey {
    /// Length in bytes.
    pub const LEN: usize = 33;

    /// Takes a compressed point.
    ///
    /// # Errors
    /// [`PublicKeyError`] for what is no point of the curve.
    pub fn from_bytes(bytes: &[u8; 33]) -> Result<Self, PublicKeyError> {
        VerifyingKey::from_sec1_bytes(bytes)
            .map(|key| Self::of(&key))
            .map_err(|_| PublicKeyError)
    }

    fn of(key: &VerifyingKey) -> Self {
        let mut bytes = [0; 33];
        for (to, from) in bytes.iter_mut().zip(key.to_sec1_point(true).as_bytes()) {
            *to = *from;
        }
        Self(bytes)
    }

    /// The 33 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 33] {
        &self.0
    }

    /// The address of its account: the last 20 bytes of the Keccak-256 of the point's two coordinates (Yellow
    /// Paper, appendix F).
    #[must_use]
    pub fn address(&self) -> EvmAddress {
        let point = self.key().to_sec1_point(false);
        let (_, coordinates) = point
            .as_bytes()
            .split_first()
            .expect("an uncompressed point is 0x04 and 64 bytes (SEC 1, section 2.3.3)");
        let hash = keccak256(coordinates);
        let mut address = [0; 20];
        for (to, from) in address.iter_mut().zip(hash.iter().skip(12)) {
            *to = *from;
        }
        EvmAddress::new(address)
    }

    fn key(&self) -> VerifyingKey {
        #[expect(clippy::expect_used, reason = "the proof is in the message")]
        VerifyingKey::from_sec1_bytes(&self.0).expect("every PublicKey was made from a point of the curve")
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", hex::encode(self.0))
    }
}

/// An ECDSA signature that also tells which of two points made it, so that the public key can be recovered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecoverableSignature {
    /// `r`, big-endian.
    pub r: [u8; 32],
    /// `s`, big-endian, at most half of the group's order.
    pub s: [u8; 32],
    /// Whether the point's `y` is odd: 0 or 1 in EIP-2718 transactions, plus 27 elsewhere.
    pub y_odd: bool,
}

impl RecoverableSignature {
    /// `r`, `s` and 27 or 28: the 65 bytes that wallets give for messages.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 65] {
        let mut bytes = [0; 65];
        let all = self
            .r
            .iter()
            .chain(&self.s)
            .copied()
            .chain([27 + u8::from(self.y_odd)]);
        for (to, from) in bytes.iter_mut().zip(all) {
            *to = from;
        }
        bytes
    }

    /// Reads 65 bytes whose last is 0, 1, 27 or 28.
    ///
    /// # Errors
    /// [`VerifyError`] for another last byte.
    pub fn from_bytes(bytes: &[u8; 65]) -> Result<Self, VerifyError> {
        let (r, rest) = bytes.split_first_chunk::<32>().ok_or(VerifyError)?;
        let (s, last) = rest.split_first_chunk::<32>().ok_or(VerifyError)?;
        let y_odd = match last {
            [0 | 27] => false,
            [1 | 28] => true,
            _ => return Err(VerifyError),
        };
        Ok(Self { r: *r, s: *s, y_odd })
    }

    /// The signature, unless its numbers are out of range or `s` is the higher of the two possible.
    fn checked(&self) -> Result<Signature, VerifyError> {
        let signature = Signature::from_scalars(self.r, self.s).map_err(|_| VerifyError)?;
        if signature.normalize_s() != signature {
            return Err(VerifyError);
        }
        Ok(signature)
    }
}

/// Verifies a signature of a 32-byte hash.
///
/// # Errors
/// [`VerifyError`]; also for the higher `s`, which anybody can make of the lower one (EIP-2).
pub fn verify_prehash(
    key: &PublicKey,
    hash: &[u8; 32],
    signature: &RecoverableSignature,
) -> Result<(), VerifyError> {
    if recover(hash, signature)? == *key {
        Ok(())
    } else {
        Err(VerifyError)
    }
}

/// The public key that made a signature of a 32-byte hash.
///
/// # Errors
/// [`VerifyError`] where there is none, or for the higher `s`.
pub fn recover(hash: &[u8; 32], signature: &RecoverableSignature) -> Result<PublicKey, VerifyError> {
    let recovery = RecoveryId::new(signature.y_odd, false);
    // Verifies as well.
    VerifyingKey::recover_from_prehash(hash, &signature.checked()?, recovery)
        .map(|key| PublicKey::of(&key))
        .map_err(|_| VerifyError)
}

#[cfg(test)]
mod tests;
