//! A new vault key: a new epoch, and the old key at hand until every record is sealed again.

use alloc::vec::Vec;
use core::fmt;

use subtle::ConstantTimeEq;

use super::super::slot::{Slot, SlotPlace, WRAPPED_LEN};
use super::super::{OpenError, VaultError, VaultKey, envelope};
use super::{MAGIC, NewPassword, NewRecovery, VERSION, VaultHeader};

/// Keeps the previous key's envelope apart from all others.
const PREVIOUS_DOMAIN: &[u8] = b"keyward/previous-key/v1\0";

/// What rotates a vault's key.
pub struct RotateVault<'a> {
    /// The new vault key: 32 random bytes, used for nothing else.
    pub key: [u8; 32],
    /// The password that opens the new epoch: the one that opened the old, or another.
    pub password: NewPassword<'a>,
    /// The recovery key of the new epoch, if it is to have one.
    pub recovery: Option<NewRecovery<'a>>,
    /// The salt of the old key's envelope: 32 fresh random bytes.
    pub previous_salt: [u8; 32],
}

impl fmt::Debug for RotateVault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RotateVault").finish_non_exhaustive()
    }
}

impl Drop for RotateVault<'_> {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.key);
    }
}

impl VaultHeader {
    /// The header of the next epoch, with a new key. It has the slots named in `new` and no other: a
    /// slot cannot follow without its password, and whoever knew only the old vault key must not learn
    /// the new one. Further passwords are added to the new header.
    ///
    /// The old key stays within reach ([`VaultHeader::previous_key`]) until
    /// [`VaultHeader::rotation_finished`], so that records can be sealed again
    /// ([`super::super::reseal_record`]) in any order and with interruptions: each names its epoch.
    ///
    /// # Errors
    /// [`VaultError::KeyMismatch`]; [`VaultError::RotationUnfinished`] if one is under way;
    /// [`VaultError::NotRotated`] if the new key is the old one.
    pub fn rotated(&self, key: &VaultKey, new: RotateVault<'_>) -> Result<(Self, VaultKey), VaultError> {
        self.verify(key)?;
        if self.is_rotating() {
            return Err(VaultError::RotationUnfinished);
        }
        let place = SlotPlace {
            vault: self.vault,
            epoch: self.epoch.checked_add(1).ok_or(VaultError::NotRotated)?,
        };
        let next = VaultKey::from_slice(&new.key);
        if bool::from(next.expose_bytes().ct_eq(key.expose_bytes())) {
            return Err(VaultError::NotRotated);
        }
        let mut slots = alloc::vec![Slot::seal_password(place, &new.password, &next)?];
        slots.extend(
            new.recovery
                .iter()
                .map(|recovery| Slot::seal_recovery(place, recovery, &next)),
        );
        let mut wrapped = Vec::new();
        envelope::seal(
            next.expose_bytes(),
            &new.previous_salt,
            &[PREVIOUS_DOMAIN],
            &associated(place),
            key.expose_bytes(),
            &mut wrapped,
        );
        let mut previous = [0; WRAPPED_LEN];
        previous.copy_from_slice(&wrapped);
        Ok((Self::sealed(place, slots, Some(previous), &next)?, next))
    }

    /// Whether records of the previous epoch may still be there.
    #[must_use]
    pub const fn is_rotating(&self) -> bool {
        self.previous.is_some()
    }

    /// The key of the epoch before, while a rotation goes on.
    ///
    /// # Errors
    /// [`OpenError::Refused`] if `key` is not this header's, or the header was changed.
    pub fn previous_key(&self, key: &VaultKey) -> Result<Option<VaultKey>, OpenError> {
        self.verify(key).map_err(|_| OpenError::Refused)?;
        let Some(wrapped) = &self.previous else {
            return Ok(None);
        };
        let associated = associated(self.place());
        let opened = envelope::open(key.expose_bytes(), &[PREVIOUS_DOMAIN], &associated, wrapped)?;
        let previous = opened.as_slice().try_into().map_err(|_| OpenError::Refused)?;
        Ok(Some(VaultKey::from_slice(previous)))
    }

    /// The header without the previous key, once every record is sealed under this epoch's: a record of
    /// an older epoch opens no more after that.
    ///
    /// # Errors
    /// [`VaultError::KeyMismatch`].
    pub fn rotation_finished(&self, key: &VaultKey) -> Result<Self, VaultError> {
        self.verify(key)?;
        Self::sealed(self.place(), self.slots.clone(), None, key)
    }
}

fn associated(place: SlotPlace) -> Vec<u8> {
    let mut associated = Vec::with_capacity(4 + 2 + 16 + 4);
    associated.extend_from_slice(MAGIC);
    associated.extend_from_slice(&VERSION.to_be_bytes());
    associated.extend_from_slice(place.vault.as_bytes());
    associated.extend_from_slice(&place.epoch.to_be_bytes());
    associated
}
