//! The vault envelope: a password opens a vault key, and the vault key opens records.
//!
//! ```text
//! password --scrypt--> slot key --unwraps--> vault key (256 random bits)
//! vault key --HKDF-SHA256(fresh salt, what the record is)--> key || nonce || commitment
//! AES-256-GCM(key, nonce, secret, the record's canonical header as associated data)
//! ```
//!
//! Every write takes a fresh 32-byte salt and so has a one-time key and nonce of its own: nonces cannot
//! repeat, whatever is restored from a backup. GCM does not commit to its key, so a commitment is
//! compared, in constant time, before anything is decrypted. The header carries a MAC over all its slots
//! and parameters, so that nothing in it can be swapped or weakened.
//!
//! A vault opens by any of its slots: passwords, each with the second factor if its slot says so, and one
//! [`RecoveryKey`], which needs neither, since it is for the day when they are lost. A record may have a
//! [`WalletPassword`] of its own: an inner envelope, so that the vault key alone does not open it. A new
//! vault key ([`VaultHeader::rotated`]) begins a new epoch, and each record names its own. [`VaultFile`]
//! is all of it as one file.
//!
//! ```
//! use keyward_core::vault::{
//!     CreateVault, KdfParams, RecordContext, RecordId, RecordKind, RecordPublicKey, VaultHeader, VaultId,
//!     open_record, seal_record,
//! };
//!
//! // Every array here stands for fresh bytes from the operating system's random generator.
//! let (header, key) = VaultHeader::create(CreateVault {
//!     vault: VaultId::from_bytes([1; 16]),
//!     kdf: KdfParams::MINIMUM,
//!     password: b"correct horse battery staple",
//!     second_factor: None,
//!     key: [2; 32],
//!     slot_salt: [3; 32],
//!     wrap_salt: [4; 32],
//! })?;
//! let place = RecordContext {
//!     vault: header.vault_id(),
//!     record: RecordId::from_bytes([5; 16]),
//!     kind: RecordKind::Master,
//!     epoch: header.epoch(),
//!     public_key: RecordPublicKey::None,
//! };
//! let sealed = seal_record(&key, &place, b"a secret", [6; 32])?;
//! drop(key);
//!
//! let header = VaultHeader::from_bytes(&header.to_bytes())?;
//! let key = header.open(b"correct horse battery staple", None)?;
//! assert_eq!(*open_record(&key, &place, &sealed)?, b"a secret");
//! assert!(header.open(b"wrong", None).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Does not make randomness, keep state or count attempts; salts and keys are parameters. The stored
//! formats are versioned and pinned by snapshot tests: [`VaultHeader`], [`seal_record`] and
//! [`VaultFile::seal`] say their layout.
//!
//! Specifications: scrypt <https://www.rfc-editor.org/rfc/rfc7914>, HKDF
//! <https://www.rfc-editor.org/rfc/rfc5869>, AES-GCM
//! <https://nvlpubs.nist.gov/nistpubs/Legacy/SP/nistspecialpublication800-38d.pdf>; why to commit:
//! <https://eprint.iacr.org/2020/1491>.

use alloc::boxed::Box;
use core::fmt;
use core::str::FromStr;

use zeroize::Zeroizing;

mod envelope;
mod factor;
mod file;
mod header;
mod kdf;
mod master;
mod protection;
mod record;
mod recovery;
mod slot;
mod wallet_key;

pub use factor::{SecondFactor, SecondFactorError};
pub use file::{
    FileContents, FileError, FileMaster, FilePolicy, FileWallet, MAX_FILE_FAMILY_LEN, MAX_FILE_LABEL_LEN,
    MAX_FILE_LEN, MAX_FILE_MASTERS, MAX_FILE_POLICY_LEN, MAX_FILE_SIGNATURE_LEN, MAX_FILE_TAGS,
    MAX_FILE_WALLETS, VaultFile,
};
pub use header::{CreateVault, HeaderError, MAX_SLOTS, NewPassword, NewRecovery, RotateVault, VaultHeader};
pub use kdf::{KdfError, KdfParams};
pub use master::{MAX_PASSPHRASE_LEN, MasterSecret};
pub use protection::{MAX_WALLET_PASSWORD_LEN, NewWalletPassword, WalletPassword};
pub use record::{
    Curve, MAX_SECRET_LEN, RecordContext, RecordKind, RecordPublicKey, UnknownCode, open_protected_record,
    open_record, reseal_record, seal_protected_record, seal_record, wallet_password_kdf,
};
pub use recovery::{RecoveryKey, RecoveryKeyError};
pub use slot::{SlotKind, SlotSummary};
pub use wallet_key::{open_solana_key, open_solana_wallet, open_wallet_key};

/// Why something cannot be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// A secret that is empty or too long for a record.
    #[error("a record holds 1 to 4096 bytes and this is {found}; store less in one record")]
    SecretLength {
        /// How many bytes there are.
        found: usize,
    },
    /// A passphrase longer than [`MAX_PASSPHRASE_LEN`].
    #[error("the passphrase has {found} bytes and at most 1024 can be kept; use a shorter one")]
    PassphraseTooLong {
        /// How many bytes it has in NFKD.
        found: usize,
    },
    /// A wallet's own password that is empty or too long.
    #[error("a wallet's own password has 1 to 1024 bytes and this has {found}; choose another one")]
    WalletPasswordLength {
        /// How many bytes there are.
        found: usize,
    },
    /// The vault key given is not this header's, or the header was changed.
    #[error(
        "the vault key does not belong to this vault header; unlock the vault again, and restore the header from a backup if that fails"
    )]
    KeyMismatch,
    /// More slots than [`MAX_SLOTS`].
    #[error("a vault has at most 8 key slots; remove one first")]
    TooManySlots,
    /// The slots together would ask for more work than a header may.
    #[error(
        "the key slots together would take too much key stretching; choose a cheaper one, or remove a slot"
    )]
    TooMuchStretching,
    /// There is no such slot, or it is no password's.
    #[error("there is no such password slot; list the vault's slots and choose one of them")]
    NoSuchSlot,
    /// Several passwords open the vault and it was not said which one is meant.
    #[error("several passwords open this vault; say which slot is to be changed")]
    WhichSlot,
    /// Without this slot no password would open the vault.
    #[error("this is the vault's last password; add another one first")]
    LastPassword,
    /// Records of the previous epoch may still be there.
    #[error("the rotation before is not finished; finish it first")]
    RotationUnfinished,
    /// The new vault key is the old one, or the epochs are used up.
    #[error("the vault key cannot be rotated to this one; draw a new random key")]
    NotRotated,
    /// The password cannot be stretched with these parameters here.
    #[error(transparent)]
    Kdf(#[from] KdfError),
}

/// Why something cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The vault was made with a second factor and none was given.
    #[error("this vault needs its second factor as well; set KEYWARD_ENCRYPTION_KEY")]
    SecondFactorMissing,
    /// The wallet has a password of its own and none was given.
    #[error("this wallet has a password of its own; enter it as well")]
    WalletPasswordMissing,
    /// Wrong password, wrong second factor or damaged data: deliberately not told apart.
    #[error("wrong password, wrong second factor or damaged data; check what you typed, then try a backup")]
    Refused,
}

/// A text that is not 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 32 hexadecimal digits; copy the whole id")]
pub struct IdError;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Wraps 16 bytes, which the caller draws at random.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let mut bytes = [0; 16];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| IdError)?;
                Ok(Self(bytes))
            }
        }
    };
}

id! {
    /// Names a vault. Public.
    VaultId
}
id! {
    /// Names a record within a vault. Public.
    RecordId
}

/// Where a vault key lies. The core knows the heap alone; a program may keep the key in locked memory.
///
/// # Security
/// Whoever implements this wipes the key when dropped.
pub trait KeyMemory: Send + Sync {
    /// The 32 bytes.
    fn expose_key(&self) -> &[u8; 32];
}

/// On the heap, wiped when dropped.
struct HeapKey(Zeroizing<[u8; 32]>);

impl KeyMemory for HeapKey {
    fn expose_key(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The key that all of a vault's records are sealed under.
pub struct VaultKey {
    /// Boxed, so that moving the key leaves no copy behind.
    memory: Box<dyn KeyMemory>,
}

impl VaultKey {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// Takes 32 random bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self::from_slice(&Zeroizing::new(bytes))
    }

    fn from_slice(bytes: &[u8; 32]) -> Self {
        let mut key = Box::new(HeapKey(Zeroizing::new([0; 32])));
        key.0.copy_from_slice(bytes);
        Self { memory: key }
    }

    /// Moves the key to other memory, as into locked pages; the memory it leaves is wiped.
    #[must_use]
    pub fn relocated(self, to: impl FnOnce(&[u8; 32]) -> Box<dyn KeyMemory>) -> Self {
        Self {
            memory: to(self.expose_bytes()),
        }
    }

    /// A key for another purpose, named by `label`: for authenticating rows, signing checkpoints and
    /// the like. Depends on this key and the label alone; no label gives a key that records, headers or
    /// another label use.
    #[must_use]
    pub fn derive_subkey(&self, label: &str) -> Zeroizing<[u8; 32]> {
        let mut subkey = Zeroizing::new([0; 32]);
        // The label comes last, so that its length needs no prefix.
        envelope::hkdf(
            self.expose_bytes(),
            &[],
            &[b"keyward/subkey/v1\0", label.as_bytes()],
            &mut *subkey,
        );
        subkey
    }

    /// The 32 bytes.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8; 32] {
        self.memory.expose_key()
    }
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultKey(<redacted>)")
    }
}

#[cfg(test)]
mod tests;
