//! The recovery key: made, taken away, and used when the password is lost.
//!
//! Its 256 random bits cannot be guessed, so tries of it are not counted and a lockout does not hold it up: it is for
//! the owner whom somebody else has locked out as well. Failures are in the audit log all the same.

use std::sync::Arc;

use keyward_core::audit::{Operation, Outcome};
use keyward_core::vault::{
    NewPassword, NewRecovery, RecoveryKey, SecondFactor, SlotKind, VaultError, VaultHeader, VaultKey,
};

use super::unlock::{Credentials, DuringRotation, HeaderChange};
use super::{Custody, Session, blocking, random};
use crate::audit::ledger::Draft;
use crate::error::CustodyError;
use crate::password::Password;
use crate::store::Ask;

impl Custody {
    /// Makes a recovery key, which opens the vault without password and second factor, in place of one that it had.
    /// It is shown once and kept nowhere.
    ///
    /// # Errors
    /// As [`Self::unlock`].
    pub async fn add_recovery(
        &self,
        password: &Password,
        factor: Option<&SecondFactor>,
    ) -> Result<RecoveryKey, CustodyError> {
        let credentials = Credentials::copy(password, factor)?;
        let (header, session) = self.try_owner(credentials, "when making a recovery key").await?;
        let recovery = RecoveryKey::from_bytes(random()?);
        let new = NewRecovery {
            key: &recovery,
            slot_salt: random()?,
            wrap_salt: random()?,
        };
        let changed = header
            .with_recovery_slot(session.expose_key(), new)
            .map_err(|error| match error {
                VaultError::TooManySlots => CustodyError::invalid("recovery key", error.to_string()),
                other => CustodyError::damaged(other.to_string()),
            })?;
        self.admit_changed(header, session, changed, Operation::ChangeRecovery, "made")
            .await?;
        Ok(recovery)
    }

    /// Takes the recovery key away.
    ///
    /// # Errors
    /// As [`Self::unlock`]; [`CustodyError::Invalid`] if there is none.
    ///
    /// # Security
    /// A copy of the file made before still opens with it, and has the same vault key: a recovery key that became
    /// known calls for [`Self::rotate_vault_key`].
    pub async fn remove_recovery(
        &self,
        password: &Password,
        factor: Option<&SecondFactor>,
    ) -> Result<(), CustodyError> {
        let credentials = Credentials::copy(password, factor)?;
        let (header, session) = self
            .try_owner(credentials, "when removing the recovery key")
            .await?;
        let index = header
            .slots()
            .iter()
            .position(|slot| slot.kind == SlotKind::Recovery)
            .ok_or_else(|| CustodyError::invalid("recovery key", "the vault has none"))?;
        let changed = header
            .without_slot(session.expose_key(), index)
            .map_err(|error| CustodyError::damaged(error.to_string()))?;
        self.admit_changed(header, session, changed, Operation::ChangeRecovery, "taken away")
            .await
    }

    /// Unlocks the vault with its recovery key.
    ///
    /// # Errors
    /// [`CustodyError::WrongRecoveryKey`], [`CustodyError::AuditBroken`], or the store's.
    pub async fn unlock_with_recovery(&self, recovery: &RecoveryKey) -> Result<(), CustodyError> {
        let (header, key) = self.try_recovery(recovery).await?;
        let session = Arc::new(Session::new(key, &header, self.key_protection()));
        let draft = Draft::new(Operation::Unlock, Outcome::Done).details("with the recovery key");
        self.admit(&session, draft, None).await?;
        if let Some(previous) = self.set_session(Some(session)) {
            previous.close();
        }
        Ok(())
    }

    /// Sets a new password, and the second factor that goes with it from now on, by the recovery key. A rotation of the
    /// vault key that is under way is thrown away: what could resume it is lost.
    ///
    /// # Errors
    /// As [`Self::unlock_with_recovery`], and [`CustodyError::WeakPassword`].
    pub async fn set_password_with_recovery(
        &self,
        recovery: &RecoveryKey,
        new: &Password,
        factor: Option<&SecondFactor>,
    ) -> Result<(), CustodyError> {
        new.check_strength()?;
        let (header, key) = self.try_recovery(recovery).await?;
        let opened = Session::new(key, &header, self.key_protection());
        let purpose = "when setting a password";
        self.recognise(
            self.session().as_deref(),
            &opened,
            CustodyError::WrongRecoveryKey,
            purpose,
        )
        .await?;
        let next = Credentials::copy(new, factor)?;
        let (header, opened, changed) = blocking(move || -> Result<_, CustodyError> {
            let password = NewPassword {
                kdf: opened.kdf(),
                password: &next.password,
                second_factor: next.second_factor.as_ref(),
                slot_salt: random()?,
                wrap_salt: random()?,
            };
            let changed = header
                .with_password_changed(opened.expose_key(), password)
                .map_err(|error| CustodyError::damaged(error.to_string()))?;
            Ok((header, opened, changed))
        })
        .await??;
        self.admit_changed(
            header,
            opened,
            changed,
            Operation::ChangePassword,
            "with the recovery key",
        )
        .await
    }

    async fn admit_changed(
        &self,
        header: VaultHeader,
        session: Session,
        changed: VaultHeader,
        operation: Operation,
        details: &str,
    ) -> Result<(), CustodyError> {
        let draft = Draft::new(operation, Outcome::Done).details(details);
        let change = HeaderChange {
            from: header.to_bytes(),
            to: changed.to_bytes(),
            rotation: match operation {
                Operation::ChangePassword => DuringRotation::Abandoned,
                _ => DuringRotation::Allowed,
            },
        };
        self.admit(&session, draft, Some(change)).await
    }

    async fn try_recovery(&self, recovery: &RecoveryKey) -> Result<(VaultHeader, VaultKey), CustodyError> {
        let facts = self.store().look(Ask::default()).await?;
        let vault = facts.vault.ok_or(CustodyError::NotInitialised)?;
        let header = vault.read_header()?;
        if let Ok(key) = header.open_with_recovery(recovery) {
            return Ok((header, key));
        }
        self.note_failure("", &CustodyError::WrongRecoveryKey).await?;
        Err(CustodyError::WrongRecoveryKey)
    }
}
