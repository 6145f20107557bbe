//! Unlocking and changing the password: both try a password, and every try is counted before it is made.

use std::sync::Arc;

use keyward_core::audit::{Operation, Outcome};
use keyward_core::vault::{NewPassword, OpenError, SecondFactor, VaultHeader, VaultKey};
use zeroize::Zeroizing;

use super::{Custody, Session, blocking, random};
use crate::audit::ledger::Draft;
use crate::audit::sealing::seal_at_unlock;
use crate::error::CustodyError;
use crate::password::{MAX_PASSWORD_BYTES, Password};
use crate::store::rotation::{RotationAsk, RotationWrite};
use crate::store::{Ask, Write, transact};

/// What a password is tried for, as the audit log tells it of a failure; empty for unlocking.
pub(super) type Purpose = &'static str;

/// A header in the place of another, which must be the vault's still.
pub(super) struct HeaderChange {
    pub(super) from: Vec<u8>,
    pub(super) to: Vec<u8>,
    pub(super) rotation: DuringRotation,
}

/// What becomes of a header's change while the next header waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DuringRotation {
    /// It is refused: the next header opens with the old password.
    Refused,
    /// It goes on: the next header gets that slot only at the end.
    Allowed,
    /// It goes on, and the rotation is thrown away: nobody has the password that could resume it.
    Abandoned,
}

/// What is tried. Owned, since key derivation runs on another thread; wiped with it.
pub(super) struct Credentials {
    pub(super) password: Zeroizing<Vec<u8>>,
    pub(super) second_factor: Option<SecondFactor>,
}

impl Credentials {
    pub(super) fn copy(password: &Password, factor: Option<&SecondFactor>) -> Result<Self, CustodyError> {
        Ok(Self {
            password: Zeroizing::new(password.expose_bytes().to_vec()),
            second_factor: factor.map(copy_factor).transpose()?,
        })
    }
}

fn copy_factor(factor: &SecondFactor) -> Result<SecondFactor, CustodyError> {
    let text = Zeroizing::new(hex::encode(factor.expose_bytes()));
    SecondFactor::parse(&text).map_err(|error| CustodyError::invalid("second factor", error.to_string()))
}

impl Custody {
    /// Unlocks the vault. Wrong attempts are counted in the database, across processes.
    ///
    /// # Errors
    /// [`CustodyError::WrongPassword`], [`CustodyError::SecondFactorMissing`], [`CustodyError::LockedOut`],
    /// [`CustodyError::AuditBroken`], or the store's.
    pub async fn unlock(
        &self,
        password: &Password,
        factor: Option<&SecondFactor>,
    ) -> Result<(), CustodyError> {
        let credentials = Credentials::copy(password, factor)?;
        let (header, key) = self.try_password(credentials, "").await?;
        let session = Arc::new(Session::new(key, &header, self.key_protection()));
        self.admit(&session, Draft::new(Operation::Unlock, Outcome::Done), None)
            .await?;
        if let Some(previous) = self.set_session(Some(session)) {
            previous.close();
        }
        Ok(())
    }

    /// Changes the password: one slot is rewritten, whatever the number of wallets. A locked vault stays locked.
    /// The cost of a guess and the second factor stay as they are.
    ///
    /// # Errors
    /// As [`Self::unlock`]; [`CustodyError::WeakPassword`] for the new one; [`CustodyError::RotationUnderWay`]: the next
    /// key is wrapped under the old password already, so a copy of the database and that password would give it away.
    pub async fn change_password(
        &self,
        old: &Password,
        new: &Password,
        factor: Option<&SecondFactor>,
    ) -> Result<(), CustodyError> {
        new.check_strength()?;
        // Before the key derivation, which is slow; decided again inside the transaction.
        if self.store().rotation().await?.is_some() {
            return Err(CustodyError::RotationUnderWay);
        }
        let credentials = Credentials::copy(old, factor)?;
        let (header, session) = self.try_owner(credentials, "when changing the password").await?;
        // A factor given to a vault that asks for none was ignored so far, and must not be asked for from now on.
        let next = Credentials::copy(new, factor.filter(|_| header.needs_second_factor()))?;
        let (old_bytes, changed, session) = blocking(move || -> Result<_, CustodyError> {
            let changed = header
                .with_password_changed(
                    session.expose_key(),
                    NewPassword {
                        kdf: session.kdf(),
                        password: &next.password,
                        second_factor: next.second_factor.as_ref(),
                        slot_salt: random()?,
                        wrap_salt: random()?,
                    },
                )
                .map_err(|error| CustodyError::damaged(error.to_string()))?;
            Ok((header.to_bytes(), changed.to_bytes(), session))
        })
        .await??;
        let draft = Draft::new(Operation::ChangePassword, Outcome::Done);
        let change = HeaderChange {
            from: old_bytes,
            to: changed,
            rotation: DuringRotation::Refused,
        };
        self.admit(&session, draft, Some(change)).await
    }

    /// Has the password typed again before something grave. It must open the vault of this session.
    pub(crate) async fn confirm_password(
        &self,
        session: &Session,
        password: &Password,
        factor: Option<&SecondFactor>,
        purpose: Purpose,
    ) -> Result<(), CustodyError> {
        let credentials = Credentials::copy(password, factor)?;
        let (header, key) = self.try_password(credentials, purpose).await?;
        let opened = Session::new(key, &header, self.key_protection());
        self.recognise(Some(session), &opened, CustodyError::WrongPassword, purpose)
            .await
    }

    /// Counts a try and makes it, for what a handle may do locked or unlocked. Where it is unlocked, the password must
    /// open the same vault. The budget of tries is whole again afterwards, whatever comes of the rest.
    pub(super) async fn try_owner(
        &self,
        credentials: Credentials,
        purpose: Purpose,
    ) -> Result<(VaultHeader, Session), CustodyError> {
        let (header, key) = self.try_password(credentials, purpose).await?;
        let opened = Session::new(key, &header, self.key_protection());
        let session = self.session();
        self.recognise(session.as_deref(), &opened, CustodyError::WrongPassword, purpose)
            .await?;
        Ok((header, opened))
    }

    /// What opened a header of the database must be the vault of the handle's session, if it has one: who can write to
    /// the file can put a header there that opens with a password of their own. It is `wrong` then.
    pub(super) async fn recognise(
        &self,
        session: Option<&Session>,
        opened: &Session,
        wrong: CustodyError,
        purpose: Purpose,
    ) -> Result<(), CustodyError> {
        if let Some(session) = session {
            if opened.epoch() > session.epoch() {
                session.signer().retire();
                return Err(CustodyError::KeyRotated);
            }
            if !session.is_same_as(opened) {
                self.note_failure(purpose, &wrong).await?;
                return Err(wrong);
            }
        }
        transact(self.store(), Ask::default(), |_, facts| {
            let vault = facts.vault.ok_or(CustodyError::NotInitialised)?;
            opened.expect_signing(&vault)?;
            let whole = Write::Lockout {
                failed_unlocks: 0,
                locked_until_ms: 0,
            };
            Ok((vec![whole], ()))
        })
        .await
        .map(|_| ())
    }

    /// Counts a try, then makes it.
    pub(super) async fn try_password(
        &self,
        credentials: Credentials,
        purpose: Purpose,
    ) -> Result<(VaultHeader, VaultKey), CustodyError> {
        let header = self.count_try(&credentials).await?;
        let (header, opened) = blocking(move || {
            // Nothing longer was ever accepted, and key derivation is not to be fed megabytes; it takes its time all the same.
            let (password, beyond) = credentials
                .password
                .split_at(credentials.password.len().min(MAX_PASSWORD_BYTES));
            let opened = header.open(password, credentials.second_factor.as_ref());
            let opened = if beyond.is_empty() {
                opened
            } else {
                Err(OpenError::Refused)
            };
            (header, opened)
        })
        .await?;
        match opened {
            Ok(key) => Ok((header, key)),
            Err(OpenError::SecondFactorMissing) => Err(CustodyError::SecondFactorMissing),
            Err(_) => {
                let wrong = CustodyError::WrongPassword;
                self.note_failure(purpose, &wrong).await?;
                Err(wrong)
            }
        }
    }

    /// Takes one try off the budget, durably, before the password is looked at. So guessing in parallel, or ending
    /// the process in the middle, gains nothing.
    async fn count_try(&self, credentials: &Credentials) -> Result<VaultHeader, CustodyError> {
        let (counted, _) = transact(self.store(), Ask::default(), |ledger, facts| {
            let vault = facts.vault.ok_or(CustodyError::NotInitialised)?;
            let header = vault.read_header()?;
            let retry_after_ms = vault.locked_until_ms.saturating_sub(facts.now_ms);
            let refusal = if retry_after_ms > 0 {
                Some((Operation::Lockout, CustodyError::LockedOut { retry_after_ms }))
            } else if header.needs_second_factor() && credentials.second_factor.is_none() {
                Some((Operation::UnlockFailed, CustodyError::SecondFactorMissing))
            } else {
                None
            };
            if let Some((operation, error)) = refusal {
                let draft = Draft::new(operation, Outcome::Refused).reason(error.code());
                ledger.append(facts.now_ms, self.scribe(None), draft)?;
                self.options().metrics.unlock_failed(error.code());
                return Ok((Vec::new(), Err(error)));
            }
            let failed_unlocks = vault.failed_unlocks.saturating_add(1);
            let locked_until_ms = match vault.settings()?.lockout_ms(failed_unlocks) {
                0 => 0,
                delay => facts.now_ms.saturating_add(delay),
            };
            Ok((
                vec![Write::Lockout {
                    failed_unlocks,
                    locked_until_ms,
                }],
                Ok(header),
            ))
        })
        .await?;
        counted
    }

    /// Writes a wrong password or recovery key to the audit log. The try itself was counted before.
    pub(super) async fn note_failure(
        &self,
        purpose: Purpose,
        wrong: &CustodyError,
    ) -> Result<(), CustodyError> {
        self.options().metrics.unlock_failed(wrong.code());
        transact(self.store(), Ask::default(), |ledger, facts| {
            let draft = Draft::new(Operation::UnlockFailed, Outcome::Refused)
                .reason(wrong.code())
                .details(purpose);
            ledger.append(facts.now_ms, self.scribe(None), draft)?;
            Ok((Vec::new(), ()))
        })
        .await
        .map(|_| ())
        .map_err(|error| CustodyError::AuditUnwritable(Box::new(error)))
    }

    /// After the password opened: the log must be the one that the vault's key signed, and the budget of tries is
    /// whole again.
    pub(super) async fn admit(
        &self,
        session: &Session,
        mut draft: Draft,
        header: Option<HeaderChange>,
    ) -> Result<(), CustodyError> {
        let ask = Ask {
            unsigned_tail: true,
            rotation: RotationAsk::Row,
            sealed_before: true,
            ..Ask::default()
        };
        transact(self.store(), ask, |ledger, mut facts| {
            let vault = facts.vault.take().ok_or(CustodyError::NotInitialised)?;
            session.expect_signing(&vault)?;
            let mut writes = vec![Write::Lockout {
                failed_unlocks: 0,
                locked_until_ms: 0,
            }];
            if let Some(change) = header {
                if vault.header != change.from {
                    return Err(CustodyError::Busy);
                }
                let is_rotating = facts.rotation.row.is_some();
                match change.rotation {
                    DuringRotation::Refused if is_rotating => return Err(CustodyError::RotationUnderWay),
                    DuringRotation::Abandoned if is_rotating => {
                        draft
                            .details
                            .push_str("; the rotation of the vault key that was under way is thrown away");
                        writes.push(Write::Rotation(RotationWrite::End));
                    }
                    _ => {}
                }
                writes.push(Write::Header(change.to));
            }
            ledger.append(facts.now_ms, self.scribe(Some(session)), draft)?;
            seal_at_unlock(ledger, &facts, self.scribe(Some(session)))?;
            Ok((writes, ()))
        })
        .await
        .map(|_| ())
    }
}
