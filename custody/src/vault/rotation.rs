//! Rotating the vault key: a new key, every record sealed again under it, policies and the audit log signed by it.
//!
//! In three stages. The next header is written down, its key wrapped under the password alone; records are sealed under
//! that key beside the old ones, some at a time, while everybody goes on working with the old key; and one short
//! transaction puts all of it into force. A process that ends before that one leaves the vault as it was, and the next
//! [`Custody::rotate_vault_key`] goes on where it was. See `docs/decisions/0017-rotate-the-vault-key-in-stages.md`.

use std::fmt;
use std::sync::Arc;

use keyward_core::audit::{Operation, Outcome};
use keyward_core::vault::{NewPassword, RecoveryKey, RotateVault, SecondFactor, SlotKind, VaultHeader};

use super::unlock::Credentials;
use super::{Custody, Session, blocking, random};
use crate::audit::ledger::Draft;
use crate::error::CustodyError;
use crate::memory::Protection;
use crate::password::Password;
use crate::progress::Progress;
use crate::store::rotation::{RotationAsk, RotationRow, RotationWrite};
use crate::store::{Ask, VaultRow, Write, transact};

mod stage;
mod switch;

/// How often a rotation is begun, or brought to its end, anew when the vault was changed at the same moment.
const TRIES: u32 = 20;

/// How many records are staged in one transaction unless told otherwise: others wait for the write lock for about as long
/// as a few hundredths of a second.
const CHUNK: u32 = 1_000;

/// The most records of one chunk.
const MAX_CHUNK: u32 = 10_000;

/// What a rotation came to.
pub struct Rotation {
    /// Which of the vault's keys is in force now.
    pub epoch: u32,
    /// How many records were sealed again.
    pub records: usize,
    /// Whether it was begun before, and brought to its end now.
    pub resumed: bool,
    /// The new recovery key, if the vault had one: the old one opens it no more.
    pub recovery: Option<RecoveryKey>,
}

impl fmt::Debug for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotation")
            .field("epoch", &self.epoch)
            .field("records", &self.records)
            .field("resumed", &self.resumed)
            .finish_non_exhaustive()
    }
}

/// A rotation that is under way, in this process or another, or that was left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationStatus {
    /// The number that the next key will have.
    pub epoch: u32,
    /// When it was begun, in milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// Records that are sealed under the next key.
    pub done: u64,
    /// Records of the vault: phrases, and wallets that are not purged.
    pub total: u64,
}

/// How a rotation is done.
#[derive(Clone, Debug)]
pub struct RotateOptions {
    /// Told how many records are staged; cancelling it stops the rotation, which can be resumed.
    pub progress: Progress,
    /// Records of one transaction, 1 to 10,000.
    pub chunk: u32,
}

impl Default for RotateOptions {
    fn default() -> Self {
        Self {
            progress: Progress::new(),
            chunk: CHUNK,
        }
    }
}

/// The next key, opened.
struct Next {
    /// As it is staged: with the password's slot alone.
    header: VaultHeader,
    session: Session,
    resumed: bool,
}

impl Custody {
    /// Gives the vault a new key. Password and second factor stay; the recovery key is replaced if there is one. This
    /// handle stays locked or unlocked as it was; other handles lock themselves at their next operation. A rotation that
    /// was begun before and did not come to its end is resumed.
    ///
    /// # Errors
    /// As [`Self::unlock`]; [`CustodyError::Damaged`] if a record does not open, [`CustodyError::Busy`] if the vault
    /// keeps being changed meanwhile, [`CustodyError::RotationUnfit`] if what was staged is not this password's or was
    /// changed, [`CustodyError::RotationAbandoned`]. The old key is in force then, and what was staged is kept.
    pub async fn rotate_vault_key(
        &self,
        password: &Password,
        factor: Option<&SecondFactor>,
    ) -> Result<Rotation, CustodyError> {
        self.rotate_vault_key_with(password, factor, &RotateOptions::default())
            .await
    }

    /// As [`Self::rotate_vault_key`], with its progress told, and so that it can be stopped.
    ///
    /// # Errors
    /// As [`Self::rotate_vault_key`]; [`CustodyError::RotationStopped`]; [`CustodyError::Invalid`] for a chunk of no
    /// records or over 10,000.
    pub async fn rotate_vault_key_with(
        &self,
        password: &Password,
        factor: Option<&SecondFactor>,
        options: &RotateOptions,
    ) -> Result<Rotation, CustodyError> {
        if !(1..=MAX_CHUNK).contains(&options.chunk) {
            let reason = format!("1 to {MAX_CHUNK} records are staged at a time");
            return Err(CustodyError::invalid("chunk", reason));
        }
        let credentials = Credentials::copy(password, factor)?;
        let (header, old) = self.try_owner(credentials, "when rotating the vault key").await?;
        let factor = factor.filter(|_| header.needs_second_factor());
        if passwords(&header) != 1 {
            return Err(CustodyError::invalid(
                "rotation",
                "several passwords open this vault, and only one can be carried over",
            ));
        }
        let old = Arc::new(old);
        let next = Arc::new(self.next_key(header, &old, password, factor).await?);
        self.stage(&old, &next, options).await?;
        self.check_staged(&next, options).await?;
        for _ in 0..TRIES {
            if let Some(rotation) = self.switch(&old, &next, options).await? {
                let session = self.reopened(next);
                // Locked meanwhile, it stays locked.
                if let Some(session) = session
                    && let Some(previous) = self.renew_session(session)
                {
                    previous.close();
                }
                return Ok(rotation);
            }
            self.stage(&old, &next, options).await?;
        }
        Err(CustodyError::Busy)
    }

    /// Throws away what a rotation staged that did not come to its end. The vault is as it was before. Whether there was
    /// anything.
    ///
    /// # Errors
    /// As [`Self::unlock`].
    pub async fn abandon_rotation(
        &self,
        password: &Password,
        factor: Option<&SecondFactor>,
    ) -> Result<bool, CustodyError> {
        let credentials = Credentials::copy(password, factor)?;
        let (_, session) = self
            .try_owner(credentials, "when throwing a rotation away")
            .await?;
        let ask = Ask {
            unsigned_tail: true,
            rotation: RotationAsk::Row,
            ..Ask::default()
        };
        let (was_there, _) = transact(self.store(), ask, |ledger, facts| {
            session.expect_signing(&vault(facts.vault)?)?;
            let Some(row) = facts.rotation.row else {
                return Ok((Vec::new(), false));
            };
            let draft = Draft::new(Operation::AbandonRotation, Outcome::Done)
                .details(format!("begun at {} ms", row.started_ms));
            ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            Ok((vec![Write::Rotation(RotationWrite::End)], true))
        })
        .await?;
        Ok(was_there)
    }

    /// The rotation of the vault key that is under way or was left behind, if there is one. Needs no password.
    ///
    /// # Errors
    /// [`CustodyError::Damaged`], or the store's.
    pub async fn rotation_status(&self) -> Result<Option<RotationStatus>, CustodyError> {
        let Some(state) = self.store().rotation().await? else {
            return Ok(None);
        };
        Ok(Some(RotationStatus {
            epoch: read(&state.row)?.epoch(),
            started_ms: state.row.started_ms,
            done: state.done.min(state.total),
            total: state.total,
        }))
    }

    /// The next key: the one that is staged, or a new one, which then is.
    async fn next_key(
        &self,
        header: VaultHeader,
        old: &Arc<Session>,
        password: &Password,
        factor: Option<&SecondFactor>,
    ) -> Result<Next, CustodyError> {
        let best = self.key_protection();
        let header = Arc::new(header);
        for _ in 0..TRIES {
            let ask = Ask {
                rotation: RotationAsk::Row,
                ..Ask::default()
            };
            let staged = self.store().look(ask).await?.rotation.row;
            let credentials = Credentials::copy(password, factor)?;
            let (current, shared) = (Arc::clone(&header), Arc::clone(old));
            if let Some(row) = staged {
                return blocking(move || resume(&row, &shared, &credentials, best)).await?;
            }
            let next = blocking(move || begin(&current, &shared, &credentials, best)).await??;
            if self.begin_rotation(old, &header, &next).await? {
                return Ok(next);
            }
        }
        Err(CustodyError::Busy)
    }

    /// Writes the next header down; not if there is one already.
    async fn begin_rotation(
        &self,
        old: &Session,
        current: &VaultHeader,
        next: &Next,
    ) -> Result<bool, CustodyError> {
        let ask = Ask {
            unsigned_tail: true,
            rotation: RotationAsk::Row,
            ..Ask::default()
        };
        let expected = current.to_bytes();
        let (begun, _) = transact(self.store(), ask, |ledger, facts| {
            let vault = vault(facts.vault)?;
            old.expect_signing(&vault)?;
            if facts.rotation.row.is_some() {
                return Ok((Vec::new(), false));
            }
            // The password was changed since it opened this header.
            if vault.header != expected {
                return Err(CustodyError::Busy);
            }
            let draft = Draft::new(Operation::BeginRotation, Outcome::Done)
                .details(format!("to epoch {}", next.session.epoch()));
            ledger.append(facts.now_ms, self.scribe(Some(old)), draft)?;
            let header = next.header.to_bytes();
            Ok((vec![Write::Rotation(RotationWrite::Begin { header })], true))
        })
        .await?;
        Ok(begun)
    }

    /// The next session for this handle, unless the handle was locked.
    fn reopened(&self, next: Arc<Next>) -> Option<Session> {
        // Nobody else holds it by now: whatever worked with it has come to its end.
        let next = Arc::into_inner(next)?;
        self.is_unlocked().then_some(next.session)
    }
}

fn passwords(header: &VaultHeader) -> usize {
    header
        .slots()
        .iter()
        .filter(|slot| slot.kind == SlotKind::Password)
        .count()
}

fn vault(found: Option<VaultRow>) -> Result<VaultRow, CustodyError> {
    found.ok_or(CustodyError::NotInitialised)
}

fn unfit(reason: &str) -> CustodyError {
    CustodyError::RotationUnfit {
        reason: reason.to_owned(),
    }
}

fn damaged(error: keyward_core::vault::VaultError) -> CustodyError {
    CustodyError::damaged(error.to_string())
}

fn read(row: &RotationRow) -> Result<VaultHeader, CustodyError> {
    VaultHeader::from_bytes(&row.header).map_err(|error| unfit(&format!("the next header: {error}")))
}

/// Makes the next key and its header, with one slot: the password's. The recovery key's is made at the switch, since
/// nobody would know it if this process ended before.
fn begin(
    header: &VaultHeader,
    old: &Session,
    password: &Credentials,
    best: Protection,
) -> Result<Next, CustodyError> {
    let rotate = RotateVault {
        key: random()?,
        password: NewPassword {
            kdf: old.kdf(),
            password: &password.password,
            second_factor: password.second_factor.as_ref(),
            slot_salt: random()?,
            wrap_salt: random()?,
        },
        recovery: None,
        previous_salt: random()?,
    };
    let (rotating, key) = header.rotated(old.expose_key(), rotate).map_err(damaged)?;
    // The old key stays in the vault's own header until the switch; in the next one it has no use.
    let header = rotating.rotation_finished(&key).map_err(damaged)?;
    Ok(Next {
        session: Session::new(key, &header, best),
        header,
        resumed: false,
    })
}

/// Opens the staged header. Whoever writes to the database can put any there, so all that follows rests on the password
/// that opens it: none but its owner could have made one that it opens.
fn resume(
    row: &RotationRow,
    old: &Session,
    password: &Credentials,
    best: Protection,
) -> Result<Next, CustodyError> {
    let header = read(row)?;
    if header.vault_id() != old.vault() || Some(header.epoch()) != old.epoch().checked_add(1) {
        return Err(unfit("what is staged is of another vault or another key"));
    }
    if passwords(&header) != 1 || header.slots().len() != 1 {
        return Err(unfit("the next header has other slots than the password's"));
    }
    let key = header
        .open(&password.password, password.second_factor.as_ref())
        .map_err(|_| unfit("the next key does not open with what opens the vault"))?;
    Ok(Next {
        session: Session::new(key, &header, best),
        header,
        resumed: true,
    })
}
