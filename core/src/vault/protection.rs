//! A wallet's own password: an inner envelope that the vault key alone does not open.
//!
//! The inner envelope lies inside the record's, so both are needed, and the record can be sealed again
//! under another vault key without the wallet's password. Its parameters are authenticated by the outer
//! envelope before any stretching.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::envelope::{self, OVERHEAD};
use super::kdf::ENCODED_LEN;
use super::{KdfError, KdfParams, OpenError, VaultError};

/// Longest password of a wallet, in bytes.
pub const MAX_WALLET_PASSWORD_LEN: usize = 1024;
/// Bytes of the stored parameters: the stretching's and scrypt's salt.
pub(super) const PROTECTION_LEN: usize = ENCODED_LEN + 32;
/// Keeps these keys apart from all other derived keys.
const DOMAIN: &[u8] = b"keyward/wallet-password/v1\0";

/// A wallet's own password.
pub struct WalletPassword {
    bytes: Zeroizing<Vec<u8>>,
}

impl WalletPassword {
    /// Copies a password of 1 to [`MAX_WALLET_PASSWORD_LEN`] bytes.
    ///
    /// # Errors
    /// [`VaultError::WalletPasswordLength`].
    pub fn new(password: &[u8]) -> Result<Self, VaultError> {
        if password.is_empty() || password.len() > MAX_WALLET_PASSWORD_LEN {
            return Err(VaultError::WalletPasswordLength {
                found: password.len(),
            });
        }
        Ok(Self {
            bytes: Zeroizing::new(password.to_vec()),
        })
    }

    /// The password's bytes.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for WalletPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WalletPassword(<redacted>)")
    }
}

/// What puts a password of its own on a wallet's record.
pub struct NewWalletPassword<'a> {
    /// The password.
    pub password: &'a WalletPassword,
    /// How it is stretched.
    pub kdf: KdfParams,
    /// scrypt's salt: 32 fresh random bytes.
    pub kdf_salt: [u8; 32],
    /// The inner envelope's salt: 32 fresh random bytes.
    pub inner_salt: [u8; 32],
}

impl fmt::Debug for NewWalletPassword<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewWalletPassword")
            .field("kdf", &self.kdf)
            .finish_non_exhaustive()
    }
}

/// How a record's own password is stretched. Public, and bound to the record.
#[derive(Clone, Copy)]
pub(super) struct Protection {
    pub(super) kdf: KdfParams,
    pub(super) salt: [u8; 32],
}

impl Protection {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.kdf.encode());
        out.extend_from_slice(&self.salt);
    }

    /// Takes the parameters off the front and checks their bounds; does no work.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (kdf, rest) = bytes.split_first_chunk::<ENCODED_LEN>()?;
        let (salt, rest) = rest.split_first_chunk()?;
        let kdf = KdfParams::decode(*kdf).ok()?;
        Some((Self { kdf, salt: *salt }, rest))
    }

    pub(super) fn stretch(&self, password: &WalletPassword) -> Result<Zeroizing<[u8; 32]>, KdfError> {
        self.kdf.stretch(password.expose_bytes(), &self.salt)
    }

    /// The inner envelope. `identity` says whose secret it is, and nothing that changes when the record
    /// is sealed again.
    pub(super) fn seal(
        &self,
        stretched: &[u8; 32],
        inner_salt: &[u8; 32],
        identity: &[u8],
        secret: &[u8],
    ) -> Zeroizing<Vec<u8>> {
        let mut inner = Zeroizing::new(Vec::with_capacity(OVERHEAD + secret.len()));
        let associated = self.associated(identity);
        envelope::seal(stretched, inner_salt, &[DOMAIN], &associated, secret, &mut inner);
        inner
    }

    pub(super) fn open(
        &self,
        stretched: &[u8; 32],
        identity: &[u8],
        inner: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        envelope::open(stretched, &[DOMAIN], &self.associated(identity), inner)
    }

    fn associated(&self, identity: &[u8]) -> Vec<u8> {
        let mut associated = Vec::with_capacity(PROTECTION_LEN + identity.len());
        self.write(&mut associated);
        associated.extend_from_slice(identity);
        associated
    }
}
