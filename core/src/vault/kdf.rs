//! scrypt's parameters, bounded before any work, and the stretching itself.
//!
//! Overwritten after each stretching: the stack below it, where PBKDF2 and SHA-256 leave their states and
//! HMAC's key, which is the password's. That is the best that safe code can do, and not a promise of the
//! language: a register that the compiler spills in a caller's frame stays until that frame is used again.
//! Not wiped here: scrypt's own working memory, which its crate frees as it is. The binary's zeroizing
//! allocator wipes that; in the browser it stays in the module's memory until it is used again.

use core::fmt;
use core::str::FromStr;

use zeroize::Zeroizing;

/// Block size, the only one this version reads or writes.
const R: u32 = 8;
/// Parallelism, the only one this version reads or writes.
const P: u32 = 1;
/// How much of the stack is overwritten, in bytes: scrypt and all below it take less than half of it without
/// optimisation, and it fits a quarter of a small thread's stack.
const CLEARED_STACK: usize = 32 * 1024;
/// The number of scrypt among key derivations, the only one that stretches passwords.
const SCRYPT: u8 = 1;
/// Bytes of the stored parameters.
pub(super) const ENCODED_LEN: usize = 10;
/// 2^14 x 128 x 8 bytes: 16 MiB.
const MIN_LOG_N: u8 = 14;
/// 2^20 x 128 x 8 bytes: 1 GiB.
const MAX_LOG_N: u8 = 20;

/// Why key stretching parameters are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KdfError {
    /// The name is not `scrypt-` and a power of two.
    #[error("there is no such key stretching; use scrypt-131072, or scrypt-16384 on small machines")]
    UnknownName,
    /// Cheaper than the floor: guessing passwords would be too easy.
    #[error("scrypt below N=16384, r=8, p=1 is too weak; use scrypt-131072")]
    TooWeak,
    /// Dearer than the ceiling of 1 GiB, or of a shape that this version does not use.
    #[error("scrypt above 1 GiB of memory, or with other than r=8, p=1, is not accepted; use scrypt-131072")]
    TooCostly,
}

/// scrypt's parameters (RFC 7914): N from 2^14 to 2^20, r=8, p=1, so 16 MiB to 1 GiB of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KdfParams {
    log_n: u8,
}

impl KdfParams {
    /// N=2^17, r=8, p=1: 128 MiB, the least that OWASP recommends.
    pub const DEFAULT: Self = Self { log_n: 17 };
    /// N=2^14, r=8, p=1: 16 MiB, the least accepted, for when it is asked for by name.
    pub const MINIMUM: Self = Self { log_n: MIN_LOG_N };

    /// Checks parameters read from elsewhere; does no other work.
    ///
    /// # Errors
    /// [`KdfError::TooWeak`], [`KdfError::TooCostly`].
    pub const fn new(log_n: u8, r: u32, p: u32) -> Result<Self, KdfError> {
        if log_n < MIN_LOG_N || r < R || p < P {
            return Err(KdfError::TooWeak);
        }
        if log_n > MAX_LOG_N || r > R || p > P {
            return Err(KdfError::TooCostly);
        }
        Ok(Self { log_n })
    }

    /// The binary logarithm of N.
    #[must_use]
    pub const fn log_n(self) -> u8 {
        self.log_n
    }

    /// Block size.
    #[must_use]
    pub const fn r(self) -> u32 {
        R
    }

    /// Parallelism.
    #[must_use]
    pub const fn p(self) -> u32 {
        P
    }

    /// Memory needed, in bytes.
    #[must_use]
    pub const fn memory_bytes(self) -> u64 {
        (128 * R as u64) << self.log_n
    }

    /// As it is stored: scrypt's number, log2 N, r, p.
    pub(super) fn encode(self) -> [u8; ENCODED_LEN] {
        let mut bytes = [0; ENCODED_LEN];
        bytes[..2].copy_from_slice(&[SCRYPT, self.log_n]);
        bytes[2..6].copy_from_slice(&R.to_be_bytes());
        bytes[6..].copy_from_slice(&P.to_be_bytes());
        bytes
    }

    /// Reads what [`KdfParams::encode`] wrote and checks its bounds.
    pub(super) fn decode(bytes: [u8; ENCODED_LEN]) -> Result<Self, KdfError> {
        let [kdf, log_n, r0, r1, r2, r3, p0, p1, p2, p3] = bytes;
        if kdf != SCRYPT {
            return Err(KdfError::UnknownName);
        }
        Self::new(
            log_n,
            u32::from_be_bytes([r0, r1, r2, r3]),
            u32::from_be_bytes([p0, p1, p2, p3]),
        )
    }

    /// Stretches a password to 32 bytes, then overwrites the stack that this used.
    pub(super) fn stretch(self, password: &[u8], salt: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, KdfError> {
        let stretched = self.stretch_below(password, salt);
        zeroize::zeroize_stack::<CLEARED_STACK>();
        stretched
    }

    /// In a frame of its own, below the one that clears.
    #[inline(never)]
    fn stretch_below(self, password: &[u8], salt: &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, KdfError> {
        // Neither fails within the bounds above, unless a target's addresses are too short for them.
        let params = scrypt::Params::new(self.log_n, R, P).map_err(|_| KdfError::TooCostly)?;
        let mut stretched = Zeroizing::new([0; 32]);
        scrypt::scrypt(password, salt, &params, &mut *stretched).map_err(|_| KdfError::TooCostly)?;
        Ok(stretched)
    }
}

impl Default for KdfParams {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for KdfParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scrypt-{}", 1_u64 << self.log_n)
    }
}

impl FromStr for KdfParams {
    type Err = KdfError;

    fn from_str(name: &str) -> Result<Self, KdfError> {
        let digits = name.strip_prefix("scrypt-").ok_or(KdfError::UnknownName)?;
        if digits.starts_with(['0', '+']) {
            return Err(KdfError::UnknownName);
        }
        let n: u64 = digits.parse().map_err(|_| KdfError::UnknownName)?;
        if !n.is_power_of_two() {
            return Err(KdfError::UnknownName);
        }
        // At most 63.
        Self::new(n.trailing_zeros() as u8, R, P)
    }
}

#[cfg(test)]
mod tests;
