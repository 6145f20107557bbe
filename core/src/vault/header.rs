//! The vault header: which vault, which epoch of its key, the slots, and a MAC over all of it.

use alloc::vec::Vec;
use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::slot::{NewSlot, SLOT_LEN, Slot, SlotPlace};
use super::{
    KdfError, KdfParams, OpenError, SecondFactor, SlotSummary, VaultError, VaultId, VaultKey, envelope,
};

/// What a header begins with.
pub(super) const MAGIC: &[u8; 4] = b"KWVH";
/// The version this code reads and writes.
pub(super) const VERSION: u16 = 1;
/// Most slots a header may have. Opening tries each, so this bounds the work that a file can ask for.
const MAX_SLOTS: usize = 4;
/// Bytes before the first slot: magic, version, vault, epoch, number of slots.
const PREFIX_LEN: usize = 4 + 2 + 16 + 4 + 1;
/// Bytes of the MAC.
const MAC_LEN: usize = 32;
/// The epoch of a new vault's key.
const FIRST_EPOCH: u32 = 1;

/// Why bytes are no header. None of it depends on a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The bytes do not begin as a header does.
    #[error("this is not a vault header; check that the file is a Keyward vault")]
    NotAHeader,
    /// Written by a later version.
    #[error("the vault header has version {0} and this program reads 1; install a newer one")]
    UnsupportedVersion(u16),
    /// Shorter or longer than it says it is, or without slots.
    #[error("the vault header is damaged: its length does not fit; restore it from a backup")]
    Length,
    /// A slot of unknown kind, with unknown flags or key derivation.
    #[error(
        "the vault header has a key slot of an unknown kind; install a newer version or restore it from a backup"
    )]
    UnknownSlot,
    /// A slot's scrypt parameters are outside the bounds.
    #[error("the vault header asks for unacceptable key stretching; restore it from a backup")]
    Kdf(#[from] KdfError),
}

/// What makes a vault.
pub struct CreateVault<'a> {
    /// Its name, random.
    pub vault: VaultId,
    /// How the password is stretched.
    pub kdf: KdfParams,
    /// The password's bytes.
    pub password: &'a [u8],
    /// Needed besides the password, if given.
    pub second_factor: Option<&'a SecondFactor>,
    /// The vault key: 32 random bytes, used for nothing else.
    pub key: [u8; 32],
    /// scrypt's salt: 32 random bytes.
    pub slot_salt: [u8; 32],
    /// The envelope's salt: 32 random bytes.
    pub wrap_salt: [u8; 32],
}

impl fmt::Debug for CreateVault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateVault")
            .field("vault", &self.vault)
            .field("kdf", &self.kdf)
            .finish_non_exhaustive()
    }
}

impl Drop for CreateVault<'_> {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.key);
    }
}

/// What replaces a vault's password.
pub struct NewPassword<'a> {
    /// How the password is stretched.
    pub kdf: KdfParams,
    /// The password's bytes.
    pub password: &'a [u8],
    /// Needed besides the password, if given.
    pub second_factor: Option<&'a SecondFactor>,
    /// scrypt's salt: 32 fresh random bytes.
    pub slot_salt: [u8; 32],
    /// The envelope's salt: 32 fresh random bytes.
    pub wrap_salt: [u8; 32],
}

impl fmt::Debug for NewPassword<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewPassword")
            .field("kdf", &self.kdf)
            .finish_non_exhaustive()
    }
}

/// A vault's header. It holds nothing that needs hiding; who has it may guess passwords at scrypt's
/// speed.
///
/// # Layout
/// Integers are big-endian.
///
/// ```text
/// magic "KWVH" | version u16 = 1 | vault [16] | epoch u32 | slots u8 (1 to 4)
/// per slot: kind u8 (1 password) | flags u8 (1 needs the second factor) | kdf u8 (1 scrypt)
///           | log2 N u8 | r u32 | p u32 | scrypt salt [32]
///           | envelope salt [32] | commitment [32] | wrapped vault key [32] | tag [16]
/// HMAC-SHA256 [32] over all of the above, by a key derived from the vault key
/// ```
pub struct VaultHeader {
    vault: VaultId,
    epoch: u32,
    slots: Vec<Slot>,
    mac: [u8; MAC_LEN],
}

impl fmt::Debug for VaultHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultHeader")
            .field("vault", &self.vault)
            .field("epoch", &self.epoch)
            .field("slots", &self.slots())
            .finish_non_exhaustive()
    }
}

impl VaultHeader {
    /// Makes a vault with one password slot. Takes as long as the key stretching.
    ///
    /// # Errors
    /// [`VaultError`]; none within the documented bounds.
    pub fn create(new: CreateVault<'_>) -> Result<(Self, VaultKey), VaultError> {
        let key = VaultKey::from_slice(&new.key);
        let place = SlotPlace {
            vault: new.vault,
            epoch: FIRST_EPOCH,
        };
        let slot = NewSlot {
            kdf: new.kdf,
            password: new.password,
            second_factor: new.second_factor,
            salt: new.slot_salt,
            wrap_salt: new.wrap_salt,
        };
        let header = Self::sealed(place, alloc::vec![Slot::seal(place, &slot, &key)?], &key);
        Ok((header, key))
    }

    /// Reads a header. Says nothing about its authenticity, which takes the password; does no key
    /// stretching.
    ///
    /// # Errors
    /// [`HeaderError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HeaderError> {
        let mut reader = Reader { rest: bytes };
        if reader.array::<4>().map_err(|_| HeaderError::NotAHeader)? != *MAGIC {
            return Err(HeaderError::NotAHeader);
        }
        let version = u16::from_be_bytes(reader.array()?);
        if version != VERSION {
            return Err(HeaderError::UnsupportedVersion(version));
        }
        let vault = VaultId::from_bytes(reader.array()?);
        let epoch = reader.u32()?;
        let [count] = reader.array()?;
        let count = usize::from(count);
        // Before anything is allocated or read by it.
        if !(1..=MAX_SLOTS).contains(&count) || reader.rest.len() != count * SLOT_LEN + MAC_LEN {
            return Err(HeaderError::Length);
        }
        let mut slots = Vec::with_capacity(count);
        for _ in 0..count {
            slots.push(Slot::read(&mut reader)?);
        }
        Ok(Self {
            vault,
            epoch,
            slots,
            mac: reader.array()?,
        })
    }

    /// The canonical bytes, as the type's documentation lays them out.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.authenticated_bytes();
        bytes.extend_from_slice(&self.mac);
        bytes
    }

    /// The vault's name.
    #[must_use]
    pub const fn vault_id(&self) -> VaultId {
        self.vault
    }

    /// Which of the vault's keys this is; counts up with each rotation, from 1.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// What may be said of the slots, in order.
    #[must_use]
    pub fn slots(&self) -> Vec<SlotSummary> {
        self.slots.iter().map(Slot::summary).collect()
    }

    /// Whether no slot opens without the second factor.
    #[must_use]
    pub fn needs_second_factor(&self) -> bool {
        self.slots.iter().all(|s| s.summary().needs_second_factor)
    }

    /// Opens the vault. Takes as long as the key stretching of its slots.
    ///
    /// # Errors
    /// [`OpenError::SecondFactorMissing`], before any key stretching; [`OpenError::Refused`] for all
    /// else.
    pub fn open(&self, password: &[u8], second_factor: Option<&SecondFactor>) -> Result<VaultKey, OpenError> {
        self.open_by(second_factor, |kdf, salt| kdf.stretch(password, salt))
    }

    /// As [`VaultHeader::open`], with the key stretching given: it dominates the time.
    fn open_by(
        &self,
        second_factor: Option<&SecondFactor>,
        mut stretch: impl FnMut(KdfParams, &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, KdfError>,
    ) -> Result<VaultKey, OpenError> {
        if second_factor.is_none() && self.needs_second_factor() {
            return Err(OpenError::SecondFactorMissing);
        }
        for slot in &self.slots {
            if second_factor.is_none() && slot.summary().needs_second_factor {
                continue;
            }
            let stretched = stretch(slot.summary().kdf, slot.salt()).map_err(|_| OpenError::Refused)?;
            if let Ok(key) = slot.open(self.place(), &stretched, second_factor) {
                self.verify(&key).map_err(|_| OpenError::Refused)?;
                return Ok(key);
            }
        }
        Err(OpenError::Refused)
    }

    /// Verifies the MAC over all slots and parameters, in constant time.
    ///
    /// # Errors
    /// [`VaultError::KeyMismatch`] if the key is another vault's or epoch's, or the header was changed.
    pub fn verify(&self, key: &VaultKey) -> Result<(), VaultError> {
        mac(key, self.place(), &self.authenticated_bytes())
            .verify_slice(&self.mac)
            .map_err(|_| VaultError::KeyMismatch)
    }

    /// The header with its password slot replaced; other slots stay. The vault key stays as well, so
    /// no record is written again.
    ///
    /// # Errors
    /// [`VaultError::KeyMismatch`].
    pub fn with_password_changed(&self, key: &VaultKey, new: NewPassword<'_>) -> Result<Self, VaultError> {
        self.verify(key)?;
        let place = self.place();
        let slot = NewSlot {
            kdf: new.kdf,
            password: new.password,
            second_factor: new.second_factor,
            salt: new.slot_salt,
            wrap_salt: new.wrap_salt,
        };
        // Every slot of this version is a password slot and a vault has one.
        Ok(Self::sealed(
            place,
            alloc::vec![Slot::seal(place, &slot, key)?],
            key,
        ))
    }

    fn sealed(place: SlotPlace, slots: Vec<Slot>, key: &VaultKey) -> Self {
        let mut header = Self {
            vault: place.vault,
            epoch: place.epoch,
            slots,
            mac: [0; MAC_LEN],
        };
        header.mac = mac(key, place, &header.authenticated_bytes())
            .finalize()
            .into_bytes()
            .into();
        header
    }

    const fn place(&self) -> SlotPlace {
        SlotPlace {
            vault: self.vault,
            epoch: self.epoch,
        }
    }

    /// Everything before the MAC.
    fn authenticated_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(PREFIX_LEN + self.slots.len() * SLOT_LEN + MAC_LEN);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(self.vault.as_bytes());
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        // At most MAX_SLOTS.
        bytes.push(self.slots.len() as u8);
        for slot in &self.slots {
            slot.write(&mut bytes);
        }
        bytes
    }
}

/// The MAC over a header's bytes, under a key that only the vault key gives.
fn mac(key: &VaultKey, place: SlotPlace, bytes: &[u8]) -> Hmac<Sha256> {
    let mut mac_key = Zeroizing::new([0; 32]);
    envelope::hkdf(
        key.expose_bytes(),
        &[],
        &[b"keyward/header-mac/v1\0", place.vault.as_bytes()],
        &mut *mac_key,
    );
    #[expect(clippy::expect_used, reason = "the proof is in the message")]
    let mut mac = Hmac::new_from_slice(&*mac_key).expect("HMAC takes a key of any length (RFC 2104)");
    mac.update(bytes);
    mac
}

/// Takes fields off the front of a header.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], HeaderError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(HeaderError::Length)?;
        self.rest = rest;
        Ok(*array)
    }

    pub(super) fn u32(&mut self) -> Result<u32, HeaderError> {
        self.array().map(u32::from_be_bytes)
    }
}

#[cfg(test)]
mod tests;
