//! The `.keyward` file: a vault, or one phrase, as one file that opens natively and in the browser.
//!
//! Wallets, labels, tags and paths are encrypted with the rest: who has the file learns how many bytes it
//! holds, and no address. All of it is one envelope: nothing in it can be dropped, added, put in another
//! order or taken from another file, and nothing is shown before all of it is authentic. The keys inside
//! are records sealed once more under the same vault key, so that they stay closed when the file is open.
//!
//! Does not count attempts and makes no randomness.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::envelope::{self, OVERHEAD};
use super::header::{HeaderError, MAX_HEADER_LEN};
use super::record::Parts;
use super::{
    OpenError, RecordContext, RecordId, RecordKind, RecordPublicKey, RecoveryKey, SecondFactor, VaultHeader,
    VaultKey, reseal_record,
};
use crate::path::DerivationPath;

mod body;

/// What a vault file begins with.
const MAGIC: &[u8; 8] = b"KEYWARD\0";
/// The version this code reads and writes.
const VERSION: u16 = 1;
/// Keeps the file's key apart from all other derived keys.
const FILE_DOMAIN: &[u8] = b"keyward/file/v1\0";

/// Most bytes of a vault file, 64 MiB; nothing longer is looked at.
pub const MAX_FILE_LEN: usize = 64 << 20;
/// Most wallets in a vault file.
pub const MAX_FILE_WALLETS: usize = 100_000;
/// Most phrases in a vault file.
pub const MAX_FILE_MASTERS: usize = 1_000;
/// Longest label and tag, in bytes of UTF-8.
pub const MAX_FILE_LABEL_LEN: usize = 256;
/// Longest name of a path family, in bytes.
pub const MAX_FILE_FAMILY_LEN: usize = 32;
/// Most tags of a wallet.
pub const MAX_FILE_TAGS: usize = 32;
/// Longest policy, in bytes.
pub const MAX_FILE_POLICY_LEN: usize = 1 << 20;
/// Longest signature of a policy, in bytes.
pub const MAX_FILE_SIGNATURE_LEN: usize = 128;

/// Why bytes are no vault file, or contents cannot become one. None of it depends on a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The bytes do not begin as a vault file does.
    #[error("this is not a Keyward vault file; choose a file that ends in .keyward")]
    NotAVaultFile,
    /// Written by a later version.
    #[error("the vault file has version {0} and this program reads 1; install a newer one")]
    UnsupportedVersion(u16),
    /// Shorter than any vault file, or longer than [`MAX_FILE_LEN`].
    #[error("the vault file is cut off or longer than 64 MiB; copy it again, or choose another backup")]
    Length,
    /// The vault header inside is none.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The vault key given is not the header's.
    #[error("the vault key does not belong to this vault header; unlock the vault again")]
    KeyMismatch,
    /// Records of two epochs would come together.
    #[error("the vault's key is being rotated; finish that first and export then")]
    RotationUnfinished,
    /// Something is more or longer than a file holds, named twice, or refers to nothing.
    #[error("the vault file cannot hold this: {0}; correct it, or export fewer wallets at once")]
    Contents(&'static str),
    /// A record that does not open under the vault key.
    #[error("record {0} does not open under the vault's key; verify the vault before exporting it")]
    Record(RecordId),
}

/// A phrase in a vault file.
pub struct FileMaster {
    /// The record's name.
    pub record: RecordId,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: u64,
    /// Its label, empty for none.
    pub label: String,
    /// The name of the path family of its own, by which wallets are derived where none is named: 1 to
    /// [`MAX_FILE_FAMILY_LEN`] bytes of `a` to `z`, digits and `-`. Not interpreted here, as families may
    /// be added.
    pub family: String,
    /// The sealed record, of kind [`RecordKind::Master`].
    pub sealed: Vec<u8>,
}

/// A wallet in a vault file.
pub struct FileWallet {
    /// The record's name.
    pub record: RecordId,
    /// When it was made, in milliseconds since 1970.
    pub created_at_ms: u64,
    /// The phrase that it was derived from; none if its key was imported.
    pub master: Option<RecordId>,
    /// The path that it was derived by; none if imported, or derived without one.
    pub path: Option<DerivationPath>,
    /// The name of the path family that it was derived by, as [`FileMaster::family`]; empty if imported.
    /// Two families may share a path, so that the path does not tell.
    pub family: String,
    /// Its public key; the curve tells the chain.
    pub public_key: RecordPublicKey,
    /// Its label, empty for none.
    pub label: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// The sealed record, of the kind that the curve tells.
    pub sealed: Vec<u8>,
}

/// A policy in a vault file, as its signer signed it. Not interpreted here.
pub struct FilePolicy {
    /// Its JSON.
    pub json: String,
    /// The signature over it.
    pub signature: Vec<u8>,
}

/// What a vault file holds besides its header.
#[derive(Default)]
pub struct FileContents {
    /// When the file was written, in milliseconds since 1970.
    pub created_at_ms: u64,
    /// The phrases.
    pub masters: Vec<FileMaster>,
    /// The wallets.
    pub wallets: Vec<FileWallet>,
    /// The policy in force.
    pub policy: Option<FilePolicy>,
}

/// Labels and addresses are nobody's business: only how many there are is shown.
impl fmt::Debug for FileContents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileContents")
            .field("masters", &self.masters.len())
            .field("wallets", &self.wallets.len())
            .finish_non_exhaustive()
    }
}

impl FileMaster {
    /// Where its record lies in the vault of this header.
    #[must_use]
    pub const fn context(&self, header: &VaultHeader) -> RecordContext {
        RecordContext {
            vault: header.vault_id(),
            record: self.record,
            kind: RecordKind::Master,
            epoch: header.epoch(),
            public_key: RecordPublicKey::None,
        }
    }
}

impl FileWallet {
    /// Where its record lies in the vault of this header.
    #[must_use]
    pub const fn context(&self, header: &VaultHeader) -> RecordContext {
        RecordContext {
            vault: header.vault_id(),
            record: self.record,
            kind: match self.public_key {
                RecordPublicKey::Ed25519(_) => RecordKind::SolanaKey,
                RecordPublicKey::Secp256k1(_) => RecordKind::EvmKey,
                // Refused by every file; a phrase is no wallet.
                RecordPublicKey::None => RecordKind::Master,
            },
            epoch: header.epoch(),
            public_key: self.public_key,
        }
    }
}

impl FileContents {
    /// The same contents with every record sealed again for another vault's header and key: for an
    /// export under a password of its own, or an import of one. Passwords of single wallets stay and
    /// are not needed. `salt` draws 32 fresh random bytes for each record. The policy goes along as it
    /// is, although its signature may not hold in another vault.
    ///
    /// # Errors
    /// [`OpenError::Refused`] for a record that does not open, and what `salt` gives.
    pub fn resealed<E: From<OpenError>>(
        mut self,
        (from, old): (&VaultHeader, &VaultKey),
        (to, new): (&VaultHeader, &VaultKey),
        mut salt: impl FnMut() -> Result<[u8; 32], E>,
    ) -> Result<Self, E> {
        for master in &mut self.masters {
            let places = (master.context(from), master.context(to));
            master.sealed = reseal_record((old, &places.0), (new, &places.1), &master.sealed, salt()?)?;
        }
        for wallet in &mut self.wallets {
            let places = (wallet.context(from), wallet.context(to));
            wallet.sealed = reseal_record((old, &places.0), (new, &places.1), &wallet.sealed, salt()?)?;
        }
        Ok(self)
    }

    /// Every record, with its place.
    fn records(&self, header: &VaultHeader) -> impl Iterator<Item = (RecordContext, &[u8])> {
        let masters = self
            .masters
            .iter()
            .map(|m| (m.context(header), m.sealed.as_slice()));
        let wallets = self
            .wallets
            .iter()
            .map(|w| (w.context(header), w.sealed.as_slice()));
        masters.chain(wallets)
    }
}

/// An opened vault file.
///
/// ```
/// use keyward_core::vault::{CreateVault, FileContents, KdfParams, VaultFile, VaultHeader, VaultId};
///
/// # let vault = CreateVault {
/// #     vault: VaultId::from_bytes([1; 16]),
/// #     kdf: KdfParams::MINIMUM,
/// #     password: b"correct horse battery staple",
/// #     second_factor: None,
/// #     key: [2; 32],
/// #     slot_salt: [3; 32],
/// #     wrap_salt: [4; 32],
/// # };
/// let (header, key) = VaultHeader::create(vault)?;
/// let file = VaultFile::seal(&header, &key, &FileContents::default(), [7; 32])?;
/// let opened = VaultFile::open(&file, b"correct horse battery staple", None)?;
/// assert_eq!(opened.header.vault_id(), header.vault_id());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct VaultFile {
    /// The vault's header: slots may be changed, and the file sealed again.
    pub header: VaultHeader,
    /// The vault key, which opens the records.
    pub key: VaultKey,
    /// What the file holds.
    pub contents: FileContents,
}

impl fmt::Debug for VaultFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultFile")
            .field("header", &self.header)
            .field("contents", &self.contents)
            .finish_non_exhaustive()
    }
}

impl VaultFile {
    /// Writes a vault file. Every record is opened once (not what a wallet's own password keeps), so
    /// that no backup is written that could not be read. `salt` must be 32 fresh random bytes.
    ///
    /// # Layout
    /// Integers are big-endian; a text is its length (u16) and UTF-8, a record its length (u16) and
    /// bytes.
    ///
    /// ```text
    /// magic "KEYWARD\0" | version u16 = 1 | header length u16 | vault header
    /// salt [32] | commitment [32] | ciphertext of the body | tag [16]
    ///
    /// body: created at u64 | number of phrases u32 | phrases | number of wallets u32 | wallets
    ///       | policies u8 (0 or 1) | if so: length u32, JSON, length u16, signature
    /// phrase: record id [16] | created at u64 | label | family | record
    /// wallet: record id [16] | created at u64 | derived u8 (0 or 1) | if so: record id of the phrase [16]
    ///         | path (empty for none) | family (empty if not derived) | curve u8 (1 ed25519, 2 secp256k1) | public key [32 or 33]
    ///         | label | number of tags u8 | tags | record
    /// ```
    ///
    /// The envelope's key is derived from the vault key, for this vault and epoch; everything before it
    /// is its associated data.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn seal(
        header: &VaultHeader,
        key: &VaultKey,
        contents: &FileContents,
        salt: [u8; 32],
    ) -> Result<Vec<u8>, FileError> {
        header.verify(key).map_err(|_| FileError::KeyMismatch)?;
        if header.is_rotating() {
            return Err(FileError::RotationUnfinished);
        }
        body::check(contents)?;
        for (context, sealed) in contents.records(header) {
            Parts::read(sealed)
                .ok_or(OpenError::Refused)
                .and_then(|parts| parts.open(key, &context))
                .map_err(|_| FileError::Record(context.record))?;
        }
        let header_bytes = header.to_bytes();
        let body = body::encode(contents);
        let mut bytes = Vec::with_capacity(MAGIC.len() + 4 + header_bytes.len() + OVERHEAD + body.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        // At most MAX_HEADER_LEN, two kilobytes.
        bytes.extend_from_slice(&(header_bytes.len() as u16).to_be_bytes());
        bytes.extend_from_slice(&header_bytes);
        let associated = bytes.clone();
        envelope::seal(
            key.expose_bytes(),
            &salt,
            &info(header).each_ref().map(Vec::as_slice),
            &associated,
            &body,
            &mut bytes,
        );
        if bytes.len() > MAX_FILE_LEN {
            return Err(FileError::Contents("more than 64 MiB"));
        }
        Ok(bytes)
    }

    /// Reads the header of a vault file: which vault it is, and what opens it. Says nothing about its
    /// authenticity, and does no key stretching.
    ///
    /// # Errors
    /// [`FileError`], which says more about damage than opening does.
    pub fn inspect(bytes: &[u8]) -> Result<VaultHeader, FileError> {
        Sealed::read(bytes).map(|sealed| sealed.header)
    }

    /// Opens a vault file. Takes as long as the key stretching of its slots.
    ///
    /// # Errors
    /// [`OpenError::SecondFactorMissing`], before any key stretching; [`OpenError::Refused`] for all
    /// else, whatever is wrong with password, second factor or file. [`VaultFile::inspect`] says what
    /// can be said without a secret.
    pub fn open(
        bytes: &[u8],
        password: &[u8],
        second_factor: Option<&SecondFactor>,
    ) -> Result<Self, OpenError> {
        Sealed::read(bytes)
            .map_err(|_| OpenError::Refused)?
            .open(|header| header.open(password, second_factor))
    }

    /// Opens a vault file with the vault's recovery key.
    ///
    /// # Errors
    /// [`OpenError::Refused`], whatever is wrong.
    pub fn open_with_recovery(bytes: &[u8], recovery: &RecoveryKey) -> Result<Self, OpenError> {
        Sealed::read(bytes)
            .map_err(|_| OpenError::Refused)?
            .open(|header| header.open_with_recovery(recovery))
    }

    /// Opens a vault file with the vault key at hand; no key stretching.
    ///
    /// # Errors
    /// [`OpenError::Refused`], whatever is wrong.
    pub fn open_with_key(bytes: &[u8], key: VaultKey) -> Result<Self, OpenError> {
        Sealed::read(bytes)
            .map_err(|_| OpenError::Refused)?
            .open(|header| match header.verify(&key) {
                Ok(()) => Ok(key),
                Err(_) => Err(OpenError::Refused),
            })
    }
}

/// A vault file taken apart; nothing of it is authentic yet.
struct Sealed<'a> {
    header: VaultHeader,
    associated: &'a [u8],
    envelope: &'a [u8],
}

impl<'a> Sealed<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, FileError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(FileError::NotAVaultFile)?;
        let (version, rest) = rest.split_first_chunk().ok_or(FileError::Length)?;
        let version = u16::from_be_bytes(*version);
        if version != VERSION {
            return Err(FileError::UnsupportedVersion(version));
        }
        let (header_len, rest) = rest.split_first_chunk().ok_or(FileError::Length)?;
        let header_len = usize::from(u16::from_be_bytes(*header_len));
        if bytes.len() > MAX_FILE_LEN || header_len > MAX_HEADER_LEN {
            return Err(FileError::Length);
        }
        let (header, envelope) = rest.split_at_checked(header_len).ok_or(FileError::Length)?;
        if envelope.len() < OVERHEAD {
            return Err(FileError::Length);
        }
        let (associated, _) = bytes
            .split_at_checked(bytes.len() - envelope.len())
            .ok_or(FileError::Length)?;
        Ok(Self {
            header: VaultHeader::from_bytes(header)?,
            associated,
            envelope,
        })
    }

    fn open(
        self,
        unlock: impl FnOnce(&VaultHeader) -> Result<VaultKey, OpenError>,
    ) -> Result<VaultFile, OpenError> {
        if self.header.is_rotating() {
            return Err(OpenError::Refused);
        }
        let key = unlock(&self.header)?;
        let info = info(&self.header);
        let body = envelope::open(
            key.expose_bytes(),
            &info.each_ref().map(Vec::as_slice),
            self.associated,
            self.envelope,
        )?;
        Ok(VaultFile {
            contents: body::decode(&body).ok_or(OpenError::Refused)?,
            header: self.header,
            key,
        })
    }
}

fn info(header: &VaultHeader) -> [Vec<u8>; 3] {
    [
        FILE_DOMAIN.to_vec(),
        header.vault_id().as_bytes().to_vec(),
        header.epoch().to_be_bytes().to_vec(),
    ]
}

#[cfg(test)]
mod tests;
