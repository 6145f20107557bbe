//! Changes of slots. The vault key stays in each, so no record is written again.

use alloc::vec::Vec;

use super::super::slot::Slot;
use super::super::{SlotKind, VaultError, VaultKey};
use super::{NewPassword, NewRecovery, VaultHeader};

impl VaultHeader {
    /// The header with its password replaced; a recovery slot stays. Takes as long as the key
    /// stretching.
    ///
    /// # Errors
    /// [`VaultError::KeyMismatch`]; [`VaultError::WhichSlot`] if several passwords open the vault, which
    /// [`VaultHeader::with_password_changed_in`] tells apart.
    pub fn with_password_changed(&self, key: &VaultKey, new: NewPassword<'_>) -> Result<Self, VaultError> {
        let mut passwords = self.passwords();
        match (passwords.next(), passwords.next()) {
            (Some(index), None) => self.with_password_changed_in(key, index, new),
            (None, _) => self.with_password_added(key, new),
            _ => Err(VaultError::WhichSlot),
        }
    }

    /// The header with the password of slot `index` (from 0) replaced; all other slots stay.
    ///
    /// # Errors
    /// [`VaultError::KeyMismatch`]; [`VaultError::NoSuchSlot`] if it is no password's.
    pub fn with_password_changed_in(
        &self,
        key: &VaultKey,
        index: usize,
        new: NewPassword<'_>,
    ) -> Result<Self, VaultError> {
        self.verify(key)?;
        let mut slots = self.slots.clone();
        let slot = slots
            .get_mut(index)
            .filter(|slot| slot.kind() == SlotKind::Password)
            .ok_or(VaultError::NoSuchSlot)?;
        *slot = Slot::seal_password(self.place(), &new, key)?;
        self.with_slots(key, slots)
    }

    /// The header with one more password, each of which opens the vault.
    ///
    /// # Errors
    /// [`VaultError::KeyMismatch`], [`VaultError::TooManySlots`], [`VaultError::TooMuchStretching`].
    pub fn with_password_added(&self, key: &VaultKey, new: NewPassword<'_>) -> Result<Self, VaultError> {
        self.verify(key)?;
        let mut slots = self.slots.clone();
        slots.push(Slot::seal_password(self.place(), &new, key)?);
        self.with_slots(key, slots)
    }

    /// The header with this recovery key, in place of one that it had.
    ///
    /// # Errors
    /// [`VaultError::KeyMismatch`], [`VaultError::TooManySlots`].
    pub fn with_recovery_slot(&self, key: &VaultKey, new: NewRecovery<'_>) -> Result<Self, VaultError> {
        self.verify(key)?;
        let mut slots = self.slots.clone();
        slots.retain(|slot| slot.kind() != SlotKind::Recovery);
        slots.push(Slot::seal_recovery(self.place(), &new, key));
        self.with_slots(key, slots)
    }

    /// The header without slot `index` (from 0). A copy of the header of before still opens with what
    /// the slot opened with.
    ///
    /// # Errors
    /// [`VaultError::KeyMismatch`], [`VaultError::NoSuchSlot`]; [`VaultError::LastPassword`] if no
    /// password would be left.
    pub fn without_slot(&self, key: &VaultKey, index: usize) -> Result<Self, VaultError> {
        self.verify(key)?;
        let mut slots = self.slots.clone();
        if index >= slots.len() {
            return Err(VaultError::NoSuchSlot);
        }
        slots.remove(index);
        if slots.iter().all(|slot| slot.kind() != SlotKind::Password) {
            return Err(VaultError::LastPassword);
        }
        self.with_slots(key, slots)
    }

    fn with_slots(&self, key: &VaultKey, slots: Vec<Slot>) -> Result<Self, VaultError> {
        Self::sealed(self.place(), slots, self.previous, key)
    }

    /// The indices of the password slots.
    fn passwords(&self) -> impl Iterator<Item = usize> {
        let slots = self.slots.iter().enumerate();
        slots
            .filter(|(_, slot)| slot.kind() == SlotKind::Password)
            .map(|(index, _)| index)
    }
}
