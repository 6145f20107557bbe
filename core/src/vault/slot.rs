//! Key slots: each wraps the vault key under a password of its own, as LUKS does.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::envelope::{self, OVERHEAD, SALT_LEN};
use super::header::{HeaderError, MAGIC, Reader, VERSION};
use super::{KdfError, KdfParams, OpenError, SecondFactor, VaultId, VaultKey};

/// Bytes of a slot: kind, flags, KDF (1 + 1 + 4 + 4), scrypt salt, wrapped vault key.
pub(super) const SLOT_LEN: usize = 2 + 10 + 32 + OVERHEAD + VaultKey::LEN;
/// The number of scrypt among key derivations, the only one that slots use.
const SCRYPT: u8 = 1;
/// The flag of a slot that needs the second factor.
const NEEDS_SECOND_FACTOR: u8 = 1;

/// Keeps slot keys apart from all other derived keys.
const SLOT_DOMAIN: &[u8] = b"keyward/slot/v1\0";

/// What opens a slot. The discriminants are part of the stored format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum SlotKind {
    /// A password.
    Password = 1,
}

/// What may be said of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlotSummary {
    /// What opens it.
    pub kind: SlotKind,
    /// How its password is stretched.
    pub kdf: KdfParams,
    /// Whether the second factor is needed as well.
    pub needs_second_factor: bool,
}

/// The vault and the epoch that a slot belongs to: both are bound into its envelope.
#[derive(Clone, Copy)]
pub(super) struct SlotPlace {
    pub(super) vault: VaultId,
    pub(super) epoch: u32,
}

/// A slot as it is stored. It holds nothing that needs hiding.
pub(super) struct Slot {
    kind: SlotKind,
    kdf: KdfParams,
    needs_second_factor: bool,
    salt: [u8; 32],
    wrapped: [u8; OVERHEAD + VaultKey::LEN],
}

/// What makes a slot.
pub(super) struct NewSlot<'a> {
    pub(super) kdf: KdfParams,
    pub(super) password: &'a [u8],
    pub(super) second_factor: Option<&'a SecondFactor>,
    /// scrypt's salt.
    pub(super) salt: [u8; 32],
    /// The envelope's salt.
    pub(super) wrap_salt: [u8; SALT_LEN],
}

impl Slot {
    pub(super) fn seal(place: SlotPlace, new: &NewSlot<'_>, key: &VaultKey) -> Result<Self, KdfError> {
        let mut slot = Self {
            kind: SlotKind::Password,
            kdf: new.kdf,
            needs_second_factor: new.second_factor.is_some(),
            salt: new.salt,
            wrapped: [0; OVERHEAD + VaultKey::LEN],
        };
        let stretched = new.kdf.stretch(new.password, &new.salt)?;
        let slot_key = slot.slot_key(place, &stretched, new.second_factor);
        let mut wrapped = Vec::new();
        envelope::seal(
            &*slot_key,
            &new.wrap_salt,
            &[SLOT_DOMAIN, place.vault.as_bytes(), &place.epoch.to_be_bytes()],
            &slot.associated(place),
            key.expose_bytes(),
            &mut wrapped,
        );
        slot.wrapped.copy_from_slice(&wrapped);
        Ok(slot)
    }

    /// Opens the slot with a password already stretched by its parameters.
    pub(super) fn open(
        &self,
        place: SlotPlace,
        stretched: &[u8; 32],
        second_factor: Option<&SecondFactor>,
    ) -> Result<VaultKey, OpenError> {
        let second_factor = match self.needs_second_factor {
            true => Some(second_factor.ok_or(OpenError::SecondFactorMissing)?),
            // Given but not asked for: other vaults on the machine may need it.
            false => None,
        };
        let slot_key = self.slot_key(place, stretched, second_factor);
        let opened = envelope::open(
            &*slot_key,
            &[SLOT_DOMAIN, place.vault.as_bytes(), &place.epoch.to_be_bytes()],
            &self.associated(place),
            &self.wrapped,
        )?;
        let key = opened.as_slice().try_into().map_err(|_| OpenError::Refused)?;
        Ok(VaultKey::from_slice(key))
    }

    pub(super) const fn summary(&self) -> SlotSummary {
        SlotSummary {
            kind: self.kind,
            kdf: self.kdf,
            needs_second_factor: self.needs_second_factor,
        }
    }

    pub(super) const fn salt(&self) -> &[u8; 32] {
        &self.salt
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.write_parameters(out);
        out.extend_from_slice(&self.wrapped);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, HeaderError> {
        let [kind] = reader.array()?;
        if kind != SlotKind::Password as u8 {
            return Err(HeaderError::UnknownSlot);
        }
        let [flags, kdf, log_n] = reader.array()?;
        if flags & !NEEDS_SECOND_FACTOR != 0 || kdf != SCRYPT {
            return Err(HeaderError::UnknownSlot);
        }
        let (r, p) = (reader.u32()?, reader.u32()?);
        Ok(Self {
            kind: SlotKind::Password,
            kdf: KdfParams::new(log_n, r, p)?,
            needs_second_factor: flags == NEEDS_SECOND_FACTOR,
            salt: reader.array()?,
            wrapped: reader.array()?,
        })
    }

    /// The stretched password, with the second factor mixed in if the slot takes one.
    fn slot_key(
        &self,
        place: SlotPlace,
        stretched: &[u8; 32],
        second_factor: Option<&SecondFactor>,
    ) -> Zeroizing<[u8; 32]> {
        let mut slot_key = Zeroizing::new([0; 32]);
        let Some(factor) = second_factor else {
            slot_key.copy_from_slice(stretched);
            return slot_key;
        };
        let mut both = Zeroizing::new([0; 64]);
        let (left, right) = both.split_at_mut(32);
        left.copy_from_slice(stretched);
        right.copy_from_slice(factor.expose_bytes());
        envelope::hkdf(
            &*both,
            &self.salt,
            &[b"keyward/second-factor/v1\0", place.vault.as_bytes()],
            &mut *slot_key,
        );
        slot_key
    }

    /// Everything before the wrapped key.
    fn write_parameters(&self, out: &mut Vec<u8>) {
        let flags = if self.needs_second_factor {
            NEEDS_SECOND_FACTOR
        } else {
            0
        };
        out.extend_from_slice(&[self.kind as u8, flags, SCRYPT, self.kdf.log_n()]);
        out.extend_from_slice(&self.kdf.r().to_be_bytes());
        out.extend_from_slice(&self.kdf.p().to_be_bytes());
        out.extend_from_slice(&self.salt);
    }

    fn associated(&self, place: SlotPlace) -> Vec<u8> {
        let mut associated = Vec::with_capacity(MAGIC.len() + 2 + 16 + 4 + SLOT_LEN);
        associated.extend_from_slice(MAGIC);
        associated.extend_from_slice(&VERSION.to_be_bytes());
        associated.extend_from_slice(place.vault.as_bytes());
        associated.extend_from_slice(&place.epoch.to_be_bytes());
        self.write_parameters(&mut associated);
        associated
    }
}
