//! A key made ready for many signatures: one multiplication each instead of two, and a check against faults that costs
//! a fifth of a verification.
//!
//! Ed25519 signs deterministically, so two answers to one message of which a single one is wrong give the key away: from
//! `S = r + k·a` and `S' = r + k'·a` follows `a`. A wrong signature must therefore not leave, and this is how one is
//! noticed here (decision 0021 has the reasoning and what it leaves open):
//!
//! - [`PreparedKey::new`] signs once and verifies that in full, so that what is wrong each time never signs.
//! - The commitment `R` is read back as a verifier reads it and must be the very point that was computed. Wrong
//!   arithmetic on coordinates leaves the curve, and no point read back is off the curve.
//! - Both hashes and `S` are computed a second time, from the key's bytes on, and must be the same.
//!
//! A wrong commitment that lies on the curve is not noticed: if what was multiplied is the point of another number than
//! the nonce, the signature leaves, and with a right one of the same message it gives the key away. Only a verification
//! sees that. It is accepted in pages, where whoever can place such a fault can read the key, and not in the console,
//! which signs with [`SecretKey`] and verifies every signature.
//!
//! Specification: <https://www.rfc-editor.org/rfc/rfc8032#section-5.1.6>.

use alloc::boxed::Box;
use core::fmt;
use core::hint::black_box;

use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use sha2::{Digest, Sha512};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::base::multiply;
use super::{SecretKey, verify};
use crate::address::{Address, Signature};

/// The machine computed something wrong, so nothing is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature did not pass its check; this machine miscalculates, do not sign on it")]
pub struct FaultError;

/// An ed25519 secret key, expanded once, with the public key that was computed from it.
///
/// # Security
/// The public key is never a caller's: a signature made with another's would reveal the secret key.
pub struct PreparedKey {
    /// Boxed, so that moving the key leaves no copy behind.
    expanded: Box<Expanded>,
    address: Address,
}

/// RFC 8032 section 5.1.5, step 1: the two halves of the seed's SHA-512.
struct Expanded {
    scalar: Scalar,
    prefix: [u8; 32],
}

impl Drop for Expanded {
    fn drop(&mut self) {
        self.scalar.zeroize();
        self.prefix.zeroize();
    }
}

impl PreparedKey {
    /// Expands a key, computes its public key again, and signs something once to see that it verifies.
    ///
    /// # Errors
    /// [`FaultError`] when the public key is not the key's, or the signature does not verify.
    pub fn new(key: &SecretKey) -> Result<Self, FaultError> {
        let hash: Zeroizing<[u8; 64]> = Zeroizing::new(Sha512::digest(key.expose_seed()).into());
        let mut expanded = Box::new(Expanded {
            scalar: Scalar::ZERO,
            prefix: [0; 32],
        });
        let (scalar, prefix) = hash.split_at(32);
        let mut low = Zeroizing::new([0; 32]);
        low.copy_from_slice(scalar);
        expanded.prefix.copy_from_slice(prefix);
        expanded.scalar = Scalar::from_bytes_mod_order(*Zeroizing::new(clamp_integer(*low)));
        let address = Address::new(multiply(&expanded.scalar).compress().to_bytes());
        let prepared = Self { expanded, address };
        // No message that anybody wants signed: it begins like no transaction and no text.
        let message = b"\xffkeyward/ed25519/pairwise-check/v1";
        let signature = prepared.sign(message)?;
        let holds = address == key.address() && verify(&address, message, &signature).is_ok();
        holds.then_some(prepared).ok_or(FaultError)
    }

    /// The public key.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Signs `message` with pure Ed25519, deterministically: the same bytes as [`SecretKey::sign`] gives.
    ///
    /// # Errors
    /// [`FaultError`] when a check failed; see the module.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, FaultError> {
        let nonce = self.nonce(message);
        let commitment = multiply(&nonce);
        self.finish(message, &nonce, commitment, commitment.compress())
    }

    /// From the commitment on, checks included: `encoded` is what a verifier gets of `commitment`.
    fn finish(
        &self,
        message: &[u8],
        nonce: &Scalar,
        commitment: EdwardsPoint,
        encoded: CompressedEdwardsY,
    ) -> Result<Signature, FaultError> {
        let response = self.response(nonce, &encoded, message);
        let read_back = encoded.decompress().ok_or(FaultError)?;
        // The compiler must not take the second computation for the first.
        let (again, message) = (black_box(self), black_box(message));
        let second = again.response(&again.nonce(message), black_box(&encoded), message);
        let sound = read_back.ct_eq(&commitment) & response.ct_eq(&second);
        if !bool::from(sound) {
            return Err(FaultError);
        }
        let mut signature = [0; 64];
        let (r, s) = signature.split_at_mut(32);
        r.copy_from_slice(encoded.as_bytes());
        s.copy_from_slice(response.as_bytes());
        Ok(Signature::new(signature))
    }

    /// `r` of RFC 8032 section 5.1.6, step 2.
    fn nonce(&self, message: &[u8]) -> Zeroizing<Scalar> {
        let hash = Sha512::new()
            .chain_update(self.expanded.prefix)
            .chain_update(message);
        let hash: Zeroizing<[u8; 64]> = Zeroizing::new(hash.finalize().into());
        Zeroizing::new(Scalar::from_bytes_mod_order_wide(&hash))
    }

    /// `S` of RFC 8032 section 5.1.6, steps 4 and 5.
    fn response(&self, nonce: &Scalar, encoded: &CompressedEdwardsY, message: &[u8]) -> Scalar {
        let hash = Sha512::new()
            .chain_update(encoded.as_bytes())
            .chain_update(self.address.as_bytes())
            .chain_update(message);
        let challenge = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        challenge * self.expanded.scalar + nonce
    }
}

impl fmt::Debug for PreparedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedKey")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
    use proptest::prelude::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn prepared(seed: [u8; 32]) -> PreparedKey {
        PreparedKey::new(&SecretKey::from_seed(&seed)).unwrap()
    }

    #[test]
    fn a_public_key_that_is_anothers_is_refused() {
        let other = SecretKey::from_seed(&[2; 32]).address();
        let mismatched = SecretKey::from_parts(&[1; 32], other);
        assert_eq!(PreparedKey::new(&mismatched).unwrap_err(), FaultError);
    }

    #[test]
    fn debug_shows_the_address_alone() {
        let shown = alloc::format!("{:?}", prepared([0xa7; 32]));
        let address = SecretKey::from_seed(&[0xa7; 32]).address();
        assert!(
            shown.contains(&alloc::format!("{address}")) && !shown.contains("a7a7") && !shown.contains("167")
        );
    }

    #[test]
    fn a_wrong_step_leaves_no_signature() {
        let key = prepared([3; 32]);
        let message = b"message";
        let nonce = key.nonce(message);
        let right = multiply(&nonce);
        let encoded = right.compress();
        assert!(key.finish(message, &nonce, right, encoded).is_ok());

        // A commitment computed wrong, and one encoded wrong: every bit of it.
        let wrong = right + ED25519_BASEPOINT_POINT;
        assert_eq!(key.finish(message, &nonce, wrong, encoded), Err(FaultError));
        for bit in 0..256 {
            let mut flipped = encoded;
            flipped.0[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                key.finish(message, &nonce, right, flipped),
                Err(FaultError),
                "bit {bit}"
            );
        }
        // A nonce that changed between its two uses.
        let changed = *nonce + Scalar::ONE;
        let moved = multiply(&changed);
        assert_eq!(
            key.finish(message, &changed, moved, moved.compress()),
            Err(FaultError)
        );
    }

    /// The gap that decision 0021 accepts in pages and not in the console, so that nobody takes the checks for more.
    #[test]
    fn a_wrong_commitment_on_the_curve_leaves_and_tells_the_key() {
        let key = prepared([3; 32]);
        let message = b"message";
        let right = key.sign(message).unwrap();
        let nonce = key.nonce(message);
        let moved = multiply(&(*nonce + Scalar::ONE));
        let wrong = key.finish(message, &nonce, moved, moved.compress()).unwrap();
        assert!(verify(&key.address(), message, &wrong).is_err());

        // S = r + k·a and S' = r + k'·a.
        let parts = |signature: &Signature| {
            let (r, s) = signature.as_bytes().split_at(32);
            let challenge = Sha512::new()
                .chain_update(r)
                .chain_update(key.address().as_bytes())
                .chain_update(message);
            let s = Scalar::from_canonical_bytes(s.try_into().unwrap()).unwrap();
            (s, Scalar::from_bytes_mod_order_wide(&challenge.finalize().into()))
        };
        let ((s, k), (other_s, other_k)) = (parts(&right), parts(&wrong));
        assert_eq!((s - other_s) * (k - other_k).invert(), key.expanded.scalar);
    }

    proptest! {
        #[test]
        fn signs_as_the_key_itself(seed: [u8; 32], message in prop::collection::vec(any::<u8>(), 0..300)) {
            let key = SecretKey::from_seed(&seed);
            let prepared = PreparedKey::new(&key).unwrap();
            prop_assert_eq!(prepared.address(), key.address());
            prop_assert_eq!(prepared.sign(&message).unwrap(), key.sign(&message));
        }
    }
}
