//! The vault header: which vault, which epoch of its key, the slots, and a MAC over all of it.

use alloc::vec::Vec;
use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::slot::{SLOT_LEN, Slot, SlotPlace, WRAPPED_LEN};
use super::{
    KdfError, KdfParams, OpenError, RecoveryKey, SecondFactor, SlotKind, SlotSummary, VaultError, VaultId,
    VaultKey, envelope,
};

mod change;
mod rotate;

pub use rotate::RotateVault;

/// What a header begins with.
pub(super) const MAGIC: &[u8; 4] = b"KWVH";
/// The version this code reads and writes.
pub(super) const VERSION: u16 = 1;
/// Most slots a header may have. Opening tries each, so this bounds the work that a file can ask for.
pub const MAX_SLOTS: usize = 8;
/// Most scrypt work of all slots together, as the sum of their N: twice the dearest slot.
const MAX_TOTAL_N: u64 = 1 << 21;
/// Bytes before the first slot: magic, version, vault, epoch, number of slots, of previous keys.
const PREFIX_LEN: usize = 4 + 2 + 16 + 4 + 1 + 1;
/// Most bytes of a header.
pub(super) const MAX_HEADER_LEN: usize = PREFIX_LEN + MAX_SLOTS * SLOT_LEN + WRAPPED_LEN + MAC_LEN;
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
    /// The slots together ask for more work than is accepted.
    #[error("the vault header asks for too much key stretching in all; restore it from a backup")]
    TooMuchStretching,
}

/// Opening tells damage of the bytes from a wrong password as little as it tells the rest apart.
impl From<HeaderError> for OpenError {
    fn from(_: HeaderError) -> Self {
        Self::Refused
    }
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

/// A password for a slot, new or in place of another.
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

/// A recovery key for a slot.
pub struct NewRecovery<'a> {
    /// The key: random, drawn for this vault and this slot alone.
    pub key: &'a RecoveryKey,
    /// The slot key's salt: 32 fresh random bytes.
    pub slot_salt: [u8; 32],
    /// The envelope's salt: 32 fresh random bytes.
    pub wrap_salt: [u8; 32],
}

impl fmt::Debug for NewRecovery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewRecovery").finish_non_exhaustive()
    }
}

/// A vault's header. It holds nothing that needs hiding; who has it may guess passwords at scrypt's
/// speed.
///
/// # Layout
/// Integers are big-endian.
///
/// ```text
/// magic "KWVH" | version u16 = 1 | vault [16] | epoch u32 | slots u8 (1 to 8) | previous keys u8 (0 or 1)
/// per slot: kind u8 (1 password, 2 recovery key) | flags u8 (1 needs the second factor)
///           | kdf u8 (1 scrypt, 2 HKDF) | log2 N u8 | r u32 | p u32 (zeros for HKDF) | salt [32]
///           | envelope salt [32] | commitment [32] | wrapped vault key [32] | tag [16]
/// previous key, while a rotation goes on: an envelope as in a slot, by the vault key
/// HMAC-SHA256 [32] over all of the above, by a key derived from the vault key
/// ```
///
/// # Security
/// A header put back whole is not noticed here: after a change of password, the header of before still
/// opens with the old password and gives the same vault key, so a password that became known calls for
/// [`VaultHeader::rotated`]. A header of an older epoch opens with what it opened with then, and its key
/// opens no record sealed since. Only a record of what was there (the audit log) shows a rollback of
/// header and records together.
pub struct VaultHeader {
    vault: VaultId,
    epoch: u32,
    slots: Vec<Slot>,
    /// The key of the epoch before, wrapped under this one's.
    previous: Option<[u8; WRAPPED_LEN]>,
    mac: [u8; MAC_LEN],
}

impl fmt::Debug for VaultHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultHeader")
            .field("vault", &self.vault)
            .field("epoch", &self.epoch)
            .field("slots", &self.slots())
            .field("is_rotating", &self.is_rotating())
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
        let password = NewPassword {
            kdf: new.kdf,
            password: new.password,
            second_factor: new.second_factor,
            slot_salt: new.slot_salt,
            wrap_salt: new.wrap_salt,
        };
        let slots = alloc::vec![Slot::seal_password(place, &password, &key)?];
        let header = Self::sealed(place, slots, None, &key)?;
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
        let [count, previous] = reader.array()?.map(usize::from);
        // Before anything is allocated or read by it.
        let bounded = (1..=MAX_SLOTS).contains(&count) && previous <= 1;
        if !bounded || reader.rest.len() != count * SLOT_LEN + previous * WRAPPED_LEN + MAC_LEN {
            return Err(HeaderError::Length);
        }
        let mut slots = Vec::with_capacity(count);
        for _ in 0..count {
            slots.push(Slot::read(&mut reader)?);
        }
        if total_n(&slots) > MAX_TOTAL_N {
            return Err(HeaderError::TooMuchStretching);
        }
        let previous = match previous {
            0 => None,
            _ => Some(reader.array()?),
        };
        Ok(Self {
            vault,
            epoch,
            slots,
            previous,
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

    /// Whether no password opens the vault without the second factor. The recovery key always does.
    #[must_use]
    pub fn needs_second_factor(&self) -> bool {
        let mut passwords = self.slots.iter().filter(|slot| slot.kind() == SlotKind::Password);
        passwords.clone().next().is_some() && passwords.all(|slot| slot.summary().needs_second_factor)
    }

    /// Opens the vault. Takes as long as the key stretching of its slots.
    ///
    /// # Errors
    /// [`OpenError::SecondFactorMissing`], before any key stretching; [`OpenError::Refused`] for all
    /// else.
    pub fn open(&self, password: &[u8], second_factor: Option<&SecondFactor>) -> Result<VaultKey, OpenError> {
        self.open_slot(password, second_factor).map(|(_, key)| key)
    }

    /// As [`VaultHeader::open`], and which slot the password opened, counted from 0.
    ///
    /// # Errors
    /// As [`VaultHeader::open`].
    pub fn open_slot(
        &self,
        password: &[u8],
        second_factor: Option<&SecondFactor>,
    ) -> Result<(usize, VaultKey), OpenError> {
        self.open_by(second_factor, |kdf, salt| kdf.stretch(password, salt))
    }

    /// As [`VaultHeader::open_slot`], with the key stretching given: it dominates the time.
    pub(super) fn open_by(
        &self,
        second_factor: Option<&SecondFactor>,
        mut stretch: impl FnMut(KdfParams, &[u8; 32]) -> Result<Zeroizing<[u8; 32]>, KdfError>,
    ) -> Result<(usize, VaultKey), OpenError> {
        if second_factor.is_none() && self.needs_second_factor() {
            return Err(OpenError::SecondFactorMissing);
        }
        for (index, slot) in self.slots.iter().enumerate() {
            let summary = slot.summary();
            let Some(kdf) = summary.kdf else { continue };
            if second_factor.is_none() && summary.needs_second_factor {
                continue;
            }
            let stretched = stretch(kdf, slot.salt()).map_err(|_| OpenError::Refused)?;
            if let Ok(key) = slot.open_password(self.place(), &stretched, second_factor) {
                self.verify(&key).map_err(|_| OpenError::Refused)?;
                return Ok((index, key));
            }
        }
        Err(OpenError::Refused)
    }

    /// Opens the vault with its recovery key, which needs neither password nor second factor. What was
    /// lost is set anew with [`VaultHeader::with_password_changed`].
    ///
    /// # Errors
    /// [`OpenError::Refused`], whatever is wrong, also if the vault has no recovery slot.
    pub fn open_with_recovery(&self, recovery: &RecoveryKey) -> Result<VaultKey, OpenError> {
        let recovery_slots = self.slots.iter().filter(|slot| slot.kind() == SlotKind::Recovery);
        for slot in recovery_slots {
            if let Ok(key) = slot.open_recovery(self.place(), recovery) {
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

    /// Puts a header together and signs it with the key.
    fn sealed(
        place: SlotPlace,
        slots: Vec<Slot>,
        previous: Option<[u8; WRAPPED_LEN]>,
        key: &VaultKey,
    ) -> Result<Self, VaultError> {
        if slots.len() > MAX_SLOTS {
            return Err(VaultError::TooManySlots);
        }
        if total_n(&slots) > MAX_TOTAL_N {
            return Err(VaultError::TooMuchStretching);
        }
        let mut header = Self {
            vault: place.vault,
            epoch: place.epoch,
            slots,
            previous,
            mac: [0; MAC_LEN],
        };
        header.mac = mac(key, place, &header.authenticated_bytes())
            .finalize()
            .into_bytes()
            .into();
        Ok(header)
    }

    const fn place(&self) -> SlotPlace {
        SlotPlace {
            vault: self.vault,
            epoch: self.epoch,
        }
    }

    /// Everything before the MAC.
    fn authenticated_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(MAX_HEADER_LEN);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(self.vault.as_bytes());
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        // At most MAX_SLOTS.
        bytes.extend_from_slice(&[self.slots.len() as u8, u8::from(self.previous.is_some())]);
        for slot in &self.slots {
            slot.write(&mut bytes);
        }
        bytes.extend_from_slice(self.previous.as_ref().map_or(&[], |wrapped| wrapped.as_slice()));
        bytes
    }
}

/// The key stretching of all slots together, as the sum of their N. At most 8 times 2^20.
fn total_n(slots: &[Slot]) -> u64 {
    let stretched = slots.iter().filter_map(|slot| slot.summary().kdf);
    stretched.map(|kdf| 1_u64 << kdf.log_n()).sum()
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
