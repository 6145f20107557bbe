//! The envelope that slots and records share: a one-time key by HKDF, a commitment, AES-256-GCM.
//!
//! Knows nothing of what it seals: the callers bring the salt, the info and the associated data.

use alloc::vec::Vec;

use aes_gcm::aead::{AeadInOut, KeyInit, Nonce};
use aes_gcm::{Aes256Gcm, Key, Tag};
use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

use super::OpenError;

/// Bytes of the salt that each write draws anew.
pub(super) const SALT_LEN: usize = 32;
/// Bytes of the commitment to the key.
pub(super) const COMMITMENT_LEN: usize = 32;
/// Bytes of GCM's tag.
pub(super) const TAG_LEN: usize = 16;
/// Bytes that sealing adds: salt, commitment, tag.
pub(super) const OVERHEAD: usize = SALT_LEN + COMMITMENT_LEN + TAG_LEN;

/// HKDF-SHA256 (RFC 5869): `info` is the concatenation of its parts, `okm` at most 8160 bytes.
pub(super) fn hkdf(ikm: &[u8], salt: &[u8], info: &[&[u8]], okm: &mut [u8]) {
    let (mut prk, expander) = Hkdf::<Sha256>::extract(Some(salt), ikm);
    prk.as_mut_slice().zeroize();
    #[expect(clippy::expect_used, reason = "the proof is in the message")]
    expander
        .expand_multi_info(info, okm)
        .expect("every caller asks for at most 76 bytes, and HKDF-SHA256 gives 8160");
}

/// The one-time values of one write.
struct OneTime {
    bytes: Zeroizing<[u8; 32 + 12 + COMMITMENT_LEN]>,
}

impl OneTime {
    fn derive(ikm: &[u8], salt: &[u8; SALT_LEN], info: &[&[u8]]) -> Self {
        let mut bytes = Zeroizing::new([0; 76]);
        hkdf(ikm, salt, info, &mut *bytes);
        Self { bytes }
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&Key::<Aes256Gcm>::from(self.array::<0, 32>()))
    }

    fn nonce(&self) -> Nonce<Aes256Gcm> {
        self.array::<32, 12>().into()
    }

    fn commitment(&self) -> [u8; COMMITMENT_LEN] {
        self.array::<44, COMMITMENT_LEN>()
    }

    fn array<const AT: usize, const LEN: usize>(&self) -> [u8; LEN] {
        const { assert!(AT + LEN <= 76) };
        core::array::from_fn(|i| self.bytes[AT + i])
    }
}

/// Seals `secret` and appends salt, commitment, ciphertext and tag to `out`.
pub(super) fn seal(
    ikm: &[u8],
    salt: &[u8; SALT_LEN],
    info: &[&[u8]],
    associated: &[u8],
    secret: &[u8],
    out: &mut Vec<u8>,
) {
    let one_time = OneTime::derive(ikm, salt, info);
    // Reserved at once: the secret lies in `out` for a moment and must not be left in a smaller copy.
    out.reserve_exact(OVERHEAD + secret.len());
    out.extend_from_slice(salt);
    out.extend_from_slice(&one_time.commitment());
    let start = out.len();
    out.extend_from_slice(secret);
    let (_, body) = out.split_at_mut(start);
    #[expect(clippy::expect_used, reason = "the proof is in the message")]
    let tag = one_time
        .cipher()
        .encrypt_inout_detached(&one_time.nonce(), associated, body.into())
        .expect("GCM seals up to 64 GiB, and what is sealed here fits in a vault file of 64 MiB");
    out.extend_from_slice(&tag);
}

/// Opens what [`seal`] appended.
///
/// # Errors
/// [`OpenError::Refused`], whatever is wrong.
pub(super) fn open(
    ikm: &[u8],
    info: &[&[u8]],
    associated: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (salt, rest) = sealed.split_first_chunk().ok_or(OpenError::Refused)?;
    let (commitment, rest) = rest
        .split_first_chunk::<COMMITMENT_LEN>()
        .ok_or(OpenError::Refused)?;
    let (ciphertext, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or(OpenError::Refused)?;
    let one_time = OneTime::derive(ikm, salt, info);
    // Before decryption: a ciphertext made to open under several keys never gets that far.
    if !bool::from(one_time.commitment().ct_eq(commitment)) {
        return Err(OpenError::Refused);
    }
    let mut secret = Zeroizing::new(ciphertext.to_vec());
    one_time
        .cipher()
        .decrypt_inout_detached(
            &one_time.nonce(),
            associated,
            secret.as_mut_slice().into(),
            &Tag::from(*tag),
        )
        .map_err(|_| OpenError::Refused)?;
    Ok(secret)
}

#[cfg(test)]
mod tests;
