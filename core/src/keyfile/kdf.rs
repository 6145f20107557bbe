//! Key stretching as foreign files ask for it, bounded before any work.

use sha2::Sha256;
use zeroize::Zeroizing;

use super::KeyfileError;

/// Most PBKDF2 iterations: some seconds of work.
pub(super) const MAX_ITERATIONS: u64 = 10_000_000;
/// Most memory that scrypt may take, in bytes.
const MAX_SCRYPT_MEMORY: u64 = 1 << 30;
/// Largest N x r x p: eight times geth's standard (2^18 x 8 x 1).
const MAX_SCRYPT_WORK: u64 = 1 << 24;
/// Longest salt in bytes.
pub(super) const MAX_SALT: usize = 256;

/// scrypt's parameters within the bounds.
pub(super) struct Scrypt(scrypt::Params);

impl Scrypt {
    /// Checks; computes nothing.
    pub(super) fn new(n: u64, r: u64, p: u64) -> Result<Self, KeyfileError> {
        let refused = |what| KeyfileError::Kdf { what };
        if n < 2 || !n.is_power_of_two() {
            return Err(refused("scrypt's n is no power of two above one"));
        }
        if r == 0 || p == 0 {
            return Err(refused("scrypt's r or p is zero"));
        }
        let memory = n
            .checked_mul(128)
            .and_then(|blocks| blocks.checked_mul(r))
            .filter(|memory| *memory <= MAX_SCRYPT_MEMORY);
        if memory.is_none() {
            return Err(refused("scrypt above 1 GiB of memory"));
        }
        let work = n
            .checked_mul(r)
            .and_then(|work| work.checked_mul(p))
            .filter(|work| *work <= MAX_SCRYPT_WORK);
        if work.is_none() {
            return Err(refused("scrypt's n, r and p are too large together"));
        }
        let small = |value: u64| u32::try_from(value).map_err(|_| refused("scrypt's r or p is too large"));
        // At most 22.
        let log_n = n.trailing_zeros() as u8;
        scrypt::Params::new(log_n, small(r)?, small(p)?)
            .map(Self)
            .map_err(|_| refused("scrypt's n, r and p do not fit together"))
    }

    /// The 32-byte derived key.
    pub(super) fn stretch(&self, password: &[u8], salt: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeyfileError> {
        let mut key = Zeroizing::new([0; 32]);
        scrypt::scrypt(password, salt, &self.0, key.as_mut_slice()).map_err(|_| KeyfileError::Kdf {
            what: "scrypt's output",
        })?;
        Ok(key)
    }
}

/// A number of PBKDF2 iterations within the bounds.
#[derive(Clone, Copy)]
pub(super) struct Iterations(u32);

impl Iterations {
    /// What `.wallet` files use.
    pub(super) const WALLET: Self = Self(100_000);

    pub(super) fn new(iterations: u64) -> Result<Self, KeyfileError> {
        let refused = KeyfileError::Kdf {
            what: "PBKDF2 with zero or more than 10 million iterations",
        };
        match u32::try_from(iterations) {
            Ok(count) if count > 0 && iterations <= MAX_ITERATIONS => Ok(Self(count)),
            _ => Err(refused),
        }
    }

    /// The 32-byte derived key of PBKDF2-HMAC-SHA256.
    pub(super) fn stretch(self, password: &[u8], salt: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, self.0, key.as_mut_slice());
        key
    }
}
