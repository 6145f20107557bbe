//! Rotating the vault key: a new key, every record sealed again under it, policies and the audit log signed by it.
//!
//! All of it is one database transaction: a process that ends anywhere leaves the vault as it was, or as it will be.
//! See `docs/decisions/0008-rotate-the-vault-key-in-one-transaction.md`.

use std::fmt;
use std::sync::Arc;

use keyward_core::audit::{Operation, Outcome};
use keyward_core::vault::{
    NewPassword, NewRecovery, RecordContext, RecordId, RecoveryKey, RotateVault, SecondFactor, SlotKind,
    VaultHeader, reseal_record,
};

use super::unlock::Credentials;
use super::{Custody, Session, blocking, master_context, random};
use crate::audit::ledger::{Draft, Scribe, retired_verifies};
use crate::error::CustodyError;
use crate::memory::Protection;
use crate::password::Password;
use crate::store::{Ask, AuditKeyRow, Everything, Write, transact};
use crate::wallets::WalletStatus;
use crate::wallets::derive::wallet_context;

/// How often a rotation is taken anew when the vault was changed at the same moment.
const TRIES: u32 = 3;

/// What a rotation came to.
pub struct Rotation {
    /// Which of the vault's keys is in force now.
    pub epoch: u32,
    /// How many records were sealed again.
    pub records: usize,
    /// The new recovery key, if the vault had one: the old one opens it no more.
    pub recovery: Option<RecoveryKey>,
}

impl fmt::Debug for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotation")
            .field("epoch", &self.epoch)
            .field("records", &self.records)
            .finish_non_exhaustive()
    }
}

/// All that is written, but for what the log's size decides.
struct Prepared {
    header: Vec<u8>,
    session: Session,
    writes: Vec<Write>,
    records: usize,
    recovery: Option<RecoveryKey>,
}

impl Custody {
    /// Gives the vault a new key. Password and second factor stay; the recovery key is replaced if there is one. This
    /// handle stays locked or unlocked as it was; other handles lock themselves at their next operation.
    ///
    /// # Errors
    /// As [`Self::unlock`]; [`CustodyError::Damaged`] if a record does not open, [`CustodyError::Busy`] if the vault
    /// keeps being changed meanwhile. Nothing is changed then.
    pub async fn rotate_vault_key(
        &self,
        password: &Password,
        factor: Option<&SecondFactor>,
    ) -> Result<Rotation, CustodyError> {
        let credentials = Credentials::copy(password, factor)?;
        let (header, old) = self.try_owner(credentials, "when rotating the vault key").await?;
        let factor = factor.filter(|_| header.needs_second_factor());
        if header
            .slots()
            .iter()
            .filter(|slot| slot.kind == SlotKind::Password)
            .count()
            != 1
        {
            return Err(CustodyError::invalid(
                "rotation",
                "several passwords open this vault, and only one can be carried over",
            ));
        }
        let best = self.key_protection();
        let header = Arc::new(header);
        let old = Arc::new(old);
        for _ in 0..TRIES {
            let ask = Ask {
                everything: true,
                ..Ask::default()
            };
            let found = self.store().look(ask).await?.everything;
            let found = Arc::new(found.ok_or(CustodyError::NotInitialised)?);
            let prepared = {
                let next = Credentials::copy(password, factor)?;
                let (header, old, found) = (Arc::clone(&header), Arc::clone(&old), Arc::clone(&found));
                blocking(move || prepare(&header, &old, &next, &found, best)).await??
            };
            let expected = header.to_bytes();
            if let Some((session, mut rotation)) = self.apply(&old, &expected, &found, prepared).await? {
                rotation.epoch = session.epoch();
                // Locked meanwhile, it stays locked.
                if let Some(previous) = self.renew_session(session) {
                    previous.close();
                }
                return Ok(rotation);
            }
        }
        Err(CustodyError::Busy)
    }

    /// The one transaction; nothing if the vault is not what was prepared for.
    async fn apply(
        &self,
        old: &Session,
        expected: &[u8],
        found: &Everything,
        prepared: Prepared,
    ) -> Result<Option<(Session, Rotation)>, CustodyError> {
        let Prepared {
            header,
            session,
            mut writes,
            records,
            recovery,
        } = prepared;
        let ask = Ask {
            everything: true,
            unsigned_tail: true,
            ..Ask::default()
        };
        let next = &session;
        let (applied, _) = transact(self.store(), ask, |ledger, facts| {
            let vault = facts.vault.ok_or(CustodyError::NotInitialised)?;
            old.expect_signing(&vault)?;
            if vault.header != expected || facts.everything.as_ref() != Some(found) {
                return Ok((Vec::new(), false));
            }
            ledger.verify_edge(old.signer())?;
            ledger.rekeyed(next.signer())?;
            let until = ledger.size();
            let draft = Draft::new(Operation::RotateKey, Outcome::Done)
                .details(format!("epoch {}, {records} records", next.epoch()));
            let scribe = Scribe {
                signer: Some(next.signer()),
                ..self.scribe(None)
            };
            ledger.append(facts.now_ms, scribe, draft)?;
            let keys = found.audit_keys.iter().map(|row| (row.key, row.until));
            let retired = keys
                .chain([(old.signer().address(), until)])
                .map(|(key, until)| AuditKeyRow {
                    signature: next.signer().sign_retired(&key, until),
                    key,
                    until,
                });
            writes.push(Write::AuditKeys {
                current: next.signer().address().to_bytes(),
                retired: retired.collect(),
            });
            // What was changed past the program is not signed into force here.
            vault.settings()?;
            if let Some(row) = &vault.settings {
                writes.push(Write::Settings(row.resigned(next.signer(), &next.vault())));
            }
            writes.push(Write::Header(header));
            writes.push(Write::Lockout {
                failed_unlocks: 0,
                locked_until_ms: 0,
            });
            Ok((writes, true))
        })
        .await?;
        let rotation = Rotation {
            epoch: 0,
            records,
            recovery,
        };
        Ok(applied.then_some((session, rotation)))
    }
}

/// The slow part: the new key's slots, and every record.
fn prepare(
    header: &VaultHeader,
    old: &Session,
    password: &Credentials,
    found: &Everything,
    best: Protection,
) -> Result<Prepared, CustodyError> {
    let damaged = |error: keyward_core::vault::VaultError| CustodyError::damaged(error.to_string());
    let slots = header.slots();
    let recovery = slots
        .iter()
        .any(|slot| slot.kind == SlotKind::Recovery)
        .then(|| random().map(RecoveryKey::from_bytes))
        .transpose()?;
    let new_recovery = match &recovery {
        Some(key) => Some(NewRecovery {
            key,
            slot_salt: random()?,
            wrap_salt: random()?,
        }),
        None => None,
    };
    let rotate = RotateVault {
        key: random()?,
        password: NewPassword {
            kdf: slots.iter().find_map(|slot| slot.kdf).unwrap_or_default(),
            password: &password.password,
            second_factor: password.second_factor.as_ref(),
            slot_salt: random()?,
            wrap_salt: random()?,
        },
        recovery: new_recovery,
        previous_salt: random()?,
    };
    let (rotating, key) = header.rotated(old.expose_key(), rotate).map_err(damaged)?;
    // Every record follows in the same transaction, so the old key need not stay within reach.
    let next_header = rotating.rotation_finished(&key).map_err(damaged)?;
    let session = Session::new(key, &next_header, best);
    let reseal = |from: RecordContext, sealed: &[u8]| {
        let to = RecordContext {
            epoch: session.epoch(),
            ..from
        };
        reseal_record(
            (old.expose_key(), &from),
            (session.expose_key(), &to),
            sealed,
            random()?,
        )
        .map_err(|_| CustodyError::damaged(format!("the record {} does not open", from.record)))
    };
    let epoch = session.epoch();
    let mut writes = Vec::with_capacity(found.masters.len() + found.wallets.len() + found.policies.len() + 3);
    for row in &found.masters {
        let from = master_context(old.vault(), RecordId::from_bytes(row.record), row.epoch);
        writes.push(Write::MasterSealed {
            master: row.id,
            epoch,
            sealed: reseal(from, &row.sealed)?,
        });
    }
    // What was purged has no key to seal.
    let sealed = found
        .wallets
        .iter()
        .filter(|row| row.state.status != WalletStatus::Purged);
    for row in sealed {
        writes.push(Write::WalletSealed {
            wallet: row.id,
            epoch,
            own_password: row.own_password,
            sealed: reseal(wallet_context(old, row), &row.sealed)?,
        });
    }
    let records = writes.len();
    for row in &found.policies {
        // What was changed past the program is not signed into force here.
        old.verified_policy(row)?;
        writes.push(Write::PolicySignature {
            version: row.version,
            signature: session.resign_policy(row),
        });
    }
    let origin = old.signer().origin();
    if let Some(row) = found
        .audit_keys
        .iter()
        .find(|row| !retired_verifies(&old.signer().address(), origin, row))
    {
        return Err(CustodyError::AuditBroken {
            sequence: row.until.saturating_sub(1),
            reason: "the key that signed the log up to it was changed".to_owned(),
        });
    }
    Ok(Prepared {
        header: next_header.to_bytes(),
        session,
        writes,
        records,
        recovery,
    })
}
