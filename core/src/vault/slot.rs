//! Key slots: each wraps the vault key under a password or the recovery key, as LUKS does.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::envelope::{self, OVERHEAD};
use super::header::{HeaderError, MAGIC, Reader, VERSION};
use super::kdf::ENCODED_LEN;
use super::{
    KdfError, KdfParams, NewPassword, NewRecovery, OpenError, RecoveryKey, SecondFactor, VaultId, VaultKey,
};

/// Bytes of a wrapped vault key.
pub(super) const WRAPPED_LEN: usize = OVERHEAD + VaultKey::LEN;
/// Bytes of a slot: kind, flags, KDF, the slot key's salt, wrapped vault key.
pub(super) const SLOT_LEN: usize = 2 + ENCODED_LEN + 32 + WRAPPED_LEN;
/// The flag of a slot that needs the second factor.
const NEEDS_SECOND_FACTOR: u8 = 1;
/// How a recovery slot's key is derived, in place of scrypt's parameters: HKDF, which has none.
const HKDF: [u8; ENCODED_LEN] = [2, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// Keeps slot keys apart from all other derived keys.
const SLOT_DOMAIN: &[u8] = b"keyward/slot/v1\0";

/// What opens a slot. The discriminants are part of the stored format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum SlotKind {
    /// A password, and the second factor if the slot says so.
    Password = 1,
    /// The recovery key, alone.
    Recovery = 2,
}

/// What may be said of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlotSummary {
    /// What opens it.
    pub kind: SlotKind,
    /// How its password is stretched; a recovery key is not.
    pub kdf: Option<KdfParams>,
    /// Whether the second factor is needed as well.
    pub needs_second_factor: bool,
}

/// The vault and the epoch that a slot belongs to: both are bound into its envelope.
#[derive(Clone, Copy)]
pub(super) struct SlotPlace {
    pub(super) vault: VaultId,
    pub(super) epoch: u32,
}

/// What a slot's key is made from. Public.
#[derive(Clone, Copy)]
enum Lock {
    Password {
        kdf: KdfParams,
        needs_second_factor: bool,
    },
    Recovery,
}

/// A slot as it is stored. It holds nothing that needs hiding.
#[derive(Clone)]
pub(super) struct Slot {
    lock: Lock,
    salt: [u8; 32],
    wrapped: [u8; WRAPPED_LEN],
}

impl Slot {
    pub(super) fn seal_password(
        place: SlotPlace,
        new: &NewPassword<'_>,
        key: &VaultKey,
    ) -> Result<Self, KdfError> {
        let stretched = new.kdf.stretch(new.password, &new.slot_salt)?;
        let lock = Lock::Password {
            kdf: new.kdf,
            needs_second_factor: new.second_factor.is_some(),
        };
        let slot = Self {
            lock,
            salt: new.slot_salt,
            wrapped: [0; WRAPPED_LEN],
        };
        let slot_key = slot.password_key(place, &stretched, new.second_factor);
        Ok(slot.wrapping(place, &slot_key, &new.wrap_salt, key))
    }

    pub(super) fn seal_recovery(place: SlotPlace, new: &NewRecovery<'_>, key: &VaultKey) -> Self {
        let slot = Self {
            lock: Lock::Recovery,
            salt: new.slot_salt,
            wrapped: [0; WRAPPED_LEN],
        };
        let slot_key = slot.recovery_key(place, new.key);
        slot.wrapping(place, &slot_key, &new.wrap_salt, key)
    }

    fn wrapping(
        mut self,
        place: SlotPlace,
        slot_key: &[u8; 32],
        wrap_salt: &[u8; 32],
        key: &VaultKey,
    ) -> Self {
        let mut wrapped = Vec::new();
        envelope::seal(
            slot_key,
            wrap_salt,
            &[SLOT_DOMAIN, place.vault.as_bytes(), &place.epoch.to_be_bytes()],
            &self.associated(place),
            key.expose_bytes(),
            &mut wrapped,
        );
        self.wrapped.copy_from_slice(&wrapped);
        self
    }

    /// Opens a password slot with the password already stretched by its parameters.
    pub(super) fn open_password(
        &self,
        place: SlotPlace,
        stretched: &[u8; 32],
        second_factor: Option<&SecondFactor>,
    ) -> Result<VaultKey, OpenError> {
        let second_factor = match self.summary().needs_second_factor {
            true => Some(second_factor.ok_or(OpenError::SecondFactorMissing)?),
            // Given but not asked for: other vaults on the machine may need it.
            false => None,
        };
        self.unwrap_key(place, &self.password_key(place, stretched, second_factor))
    }

    /// Opens a recovery slot. No other slot's key is derived so, and none opens.
    pub(super) fn open_recovery(&self, place: SlotPlace, key: &RecoveryKey) -> Result<VaultKey, OpenError> {
        self.unwrap_key(place, &self.recovery_key(place, key))
    }

    fn unwrap_key(&self, place: SlotPlace, slot_key: &[u8; 32]) -> Result<VaultKey, OpenError> {
        let opened = envelope::open(
            slot_key,
            &[SLOT_DOMAIN, place.vault.as_bytes(), &place.epoch.to_be_bytes()],
            &self.associated(place),
            &self.wrapped,
        )?;
        let key = opened.as_slice().try_into().map_err(|_| OpenError::Refused)?;
        Ok(VaultKey::from_slice(key))
    }

    pub(super) const fn kind(&self) -> SlotKind {
        match self.lock {
            Lock::Password { .. } => SlotKind::Password,
            Lock::Recovery => SlotKind::Recovery,
        }
    }

    pub(super) const fn summary(&self) -> SlotSummary {
        match self.lock {
            Lock::Password {
                kdf,
                needs_second_factor,
            } => SlotSummary {
                kind: SlotKind::Password,
                kdf: Some(kdf),
                needs_second_factor,
            },
            Lock::Recovery => SlotSummary {
                kind: SlotKind::Recovery,
                kdf: None,
                needs_second_factor: false,
            },
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
        let [kind, flags] = reader.array()?;
        let kdf = reader.array()?;
        let lock = if kind == SlotKind::Recovery as u8 {
            if flags != 0 || kdf != HKDF {
                return Err(HeaderError::UnknownSlot);
            }
            Lock::Recovery
        } else if kind == SlotKind::Password as u8 && flags & !NEEDS_SECOND_FACTOR == 0 {
            Lock::Password {
                kdf: KdfParams::decode(kdf).map_err(|error| match error {
                    KdfError::UnknownName => HeaderError::UnknownSlot,
                    bounds => HeaderError::Kdf(bounds),
                })?,
                needs_second_factor: flags == NEEDS_SECOND_FACTOR,
            }
        } else {
            return Err(HeaderError::UnknownSlot);
        };
        Ok(Self {
            lock,
            salt: reader.array()?,
            wrapped: reader.array()?,
        })
    }

    /// The stretched password, with the second factor mixed in if the slot takes one.
    fn password_key(
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

    /// 256 random bits need no stretching.
    fn recovery_key(&self, place: SlotPlace, key: &RecoveryKey) -> Zeroizing<[u8; 32]> {
        let mut slot_key = Zeroizing::new([0; 32]);
        envelope::hkdf(
            key.expose_bytes(),
            &self.salt,
            &[b"keyward/recovery/v1\0", place.vault.as_bytes()],
            &mut *slot_key,
        );
        slot_key
    }

    /// Everything before the wrapped key.
    fn write_parameters(&self, out: &mut Vec<u8>) {
        let (flags, kdf) = match self.lock {
            Lock::Password {
                kdf,
                needs_second_factor,
            } => (u8::from(needs_second_factor) * NEEDS_SECOND_FACTOR, kdf.encode()),
            Lock::Recovery => (0, HKDF),
        };
        out.extend_from_slice(&[self.kind() as u8, flags]);
        out.extend_from_slice(&kdf);
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
