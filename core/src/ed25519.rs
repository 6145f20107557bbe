//! Ed25519 keys and signatures (RFC 8032), as Solana uses them.
//!
//! Signs whatever bytes it is given: what may be signed is decided by [`crate::policy`], and
//! [`crate::policy::ApprovedMessage`] is the way to sign there. It makes no keys from nothing.
//!
//! Specification: <https://www.rfc-editor.org/rfc/rfc8032#section-5.1>.

mod base;
mod prepared;

use alloc::boxed::Box;
use core::fmt;

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::address::{Address, Signature};

pub use prepared::{FaultError, PreparedKey};

/// A signature that does not hold, or an address that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the signature does not belong to this address and message; check that all three are complete and unchanged"
)]
pub struct VerifyError;

/// An ed25519 secret key and the address that belongs to it.
pub struct SecretKey {
    /// Boxed, so that moving the key leaves no copy of the seed behind.
    seed: Box<Zeroizing<[u8; 32]>>,
    address: Address,
}

impl SecretKey {
    /// The key of a 32-byte seed (RFC 8032's private key).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let seed = boxed(seed);
        let address = Address::new(public_point(&seed).compress().to_bytes());
        Self { seed, address }
    }

    /// Puts together a seed and the address that [`public_point`] gave for it.
    pub(crate) fn from_parts(seed: &[u8; 32], address: Address) -> Self {
        Self {
            seed: boxed(seed),
            address,
        }
    }

    /// The public key.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Signs `message` with pure Ed25519, deterministically.
    ///
    /// The public key is computed again from the seed each time: a signature made with a public key
    /// that is not the seed's own would reveal the seed.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        let key = SigningKey::from_bytes(&self.seed);
        Signature::new(key.sign(message).to_bytes())
    }

    /// The 32-byte seed.
    #[must_use]
    pub fn expose_seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// Whether both hold the same seed, in constant time.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.seed.as_slice().ct_eq(other.seed.as_slice()).into()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey")
            .field("address", &self.address)
            .field("seed", &format_args!("<redacted>"))
            .finish()
    }
}

/// Verifies strictly: small-order keys, non-canonical encodings and signatures that only some
/// implementations accept are refused.
///
/// # Errors
/// [`VerifyError`], whatever the cause.
pub fn verify(address: &Address, message: &[u8], signature: &Signature) -> Result<(), VerifyError> {
    let key = VerifyingKey::from_bytes(address.as_bytes()).map_err(|_| VerifyError)?;
    let signature = ed25519_dalek::Signature::from_bytes(signature.as_bytes());
    key.verify_strict(message, &signature).map_err(|_| VerifyError)
}

/// The public key's point, not yet compressed: RFC 8032 section 5.1.5, steps 1 to 3.
///
/// # Security
/// Constant time.
pub(crate) fn public_point(seed: &[u8; 32]) -> EdwardsPoint {
    // Reducing the clamped number by the group's order changes no multiple of the base point.
    let scalar = Zeroizing::new(clamp_integer(*secret_scalar(seed)));
    base::multiply(&Zeroizing::new(Scalar::from_bytes_mod_order(*scalar)))
}

/// The secret scalar before clamping: the first half of the seed's SHA-512.
pub(crate) fn secret_scalar(seed: &[u8; 32]) -> Zeroizing<[u8; 32]> {
    let hash: Zeroizing<[u8; 64]> = Zeroizing::new(Sha512::digest(seed).into());
    let mut scalar = Zeroizing::new([0; 32]);
    for (to, from) in scalar.iter_mut().zip(hash.iter()) {
        *to = *from;
    }
    scalar
}

fn boxed(seed: &[u8; 32]) -> Box<Zeroizing<[u8; 32]>> {
    let mut boxed = Box::new(Zeroizing::new([0; 32]));
    boxed.copy_from_slice(seed);
    boxed
}

#[cfg(test)]
mod tests;
