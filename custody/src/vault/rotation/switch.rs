//! The one transaction in which the next key comes into force.

use keyward_core::audit::{Operation, Outcome};
use keyward_core::vault::{NewRecovery, RecoveryKey, SlotKind, VaultHeader};

use super::stage::{expect, seal};
use super::{Next, RotateOptions, Rotation, damaged, vault};
use crate::audit::ledger::{Draft, Ledger, Scribe, retired_verifies};
use crate::error::CustodyError;
use crate::store::rotation::{RotationAsk, RotationFacts, RotationWrite};
use crate::store::{Ask, AuditKeyRow, Facts, Write, transact};
use crate::vault::{Custody, Session, random};

/// The most records that the switch seals itself; where more were added or changed, they are staged first. So many take
/// some thousandths of a second.
const MAX_REST: u32 = 200;

impl Custody {
    /// Puts the next key into force; nothing if too much was changed since, or the vault's header was: more is staged
    /// then, and it is tried again.
    pub(super) async fn switch(
        &self,
        old: &Session,
        next: &Next,
        options: &RotateOptions,
    ) -> Result<Option<Rotation>, CustodyError> {
        let found = vault(self.store().look(Ask::default()).await?.vault)?;
        old.expect_signing(&found)?;
        let (header, recovery) = with_recovery(&found.read_header()?, next)?;
        let ask = Ask {
            unsigned_tail: true,
            rotation: RotationAsk::Switch { rest: MAX_REST + 1 },
            ..Ask::default()
        };
        let (records, _) = transact(self.store(), ask, |ledger, mut facts| {
            let vault = vault(facts.vault.take())?;
            old.expect_signing(&vault)?;
            expect(&facts.rotation, next)?;
            // usize has at least 32 bits here
            if vault.header != found.header || facts.rotation.rest.wallets.len() > MAX_REST as usize {
                return Ok((Vec::new(), None));
            }
            let records = facts.rotation.records;
            // What was changed past the program is not signed into force here.
            vault.settings()?;
            let mut writes = resealed(old, next, &mut facts.rotation)?;
            writes.push(Write::Rotation(RotationWrite::Switch {
                epoch: next.session.epoch(),
            }));
            writes.extend(signed_again(old, next, &facts.rotation)?);
            if let Some(row) = &vault.settings {
                let row = row.resigned(next.session.signer(), &next.session.vault());
                writes.push(Write::Settings(row));
            }
            writes.push(self.rekeyed(ledger, old, next, &facts)?);
            writes.push(Write::Header(header));
            writes.push(Write::Lockout {
                failed_unlocks: 0,
                locked_until_ms: 0,
            });
            writes.push(Write::Rotation(RotationWrite::End));
            Ok((writes, Some(records)))
        })
        .await?;
        Ok(records.map(|records| {
            options.progress.report(records, records);
            Rotation {
                epoch: next.session.epoch(),
                // usize has 64 bits wherever a vault has that many records.
                records: usize::try_from(records).unwrap_or(usize::MAX),
                resumed: next.resumed,
                recovery,
            }
        }))
    }

    /// The log goes on under the next key; the keys before it are retired, by its word.
    fn rekeyed(
        &self,
        ledger: &mut Ledger,
        old: &Session,
        next: &Next,
        facts: &Facts,
    ) -> Result<Write, CustodyError> {
        let next = &next.session;
        ledger.verify_edge(old.signer())?;
        ledger.rekeyed(next.signer())?;
        let until = ledger.size();
        let records = facts.rotation.records;
        let draft = Draft::new(Operation::RotateKey, Outcome::Done)
            .details(format!("epoch {}, {records} records", next.epoch()));
        let scribe = Scribe {
            signer: Some(next.signer()),
            ..self.scribe(None)
        };
        ledger.append(facts.now_ms, scribe, draft)?;
        let keys = facts.rotation.audit_keys.iter().map(|row| (row.key, row.until));
        let retired = keys
            .chain([(old.signer().address(), until)])
            .map(|(key, until)| AuditKeyRow {
                signature: next.signer().sign_retired(&key, until),
                key,
                until,
            });
        Ok(Write::AuditKeys {
            current: next.signer().address().to_bytes(),
            retired: retired.collect(),
        })
    }
}

/// The next header as it comes into force: with a new recovery key if the vault has one now.
fn with_recovery(current: &VaultHeader, next: &Next) -> Result<(Vec<u8>, Option<RecoveryKey>), CustodyError> {
    if current.slots().iter().all(|slot| slot.kind != SlotKind::Recovery) {
        return Ok((next.header.to_bytes(), None));
    }
    let recovery = RecoveryKey::from_bytes(random()?);
    let new = NewRecovery {
        key: &recovery,
        slot_salt: random()?,
        wrap_salt: random()?,
    };
    let header = next
        .header
        .with_recovery_slot(next.session.expose_key(), new)
        .map_err(damaged)?;
    Ok((header.to_bytes(), Some(recovery)))
}

/// What was added or changed since it was staged.
fn resealed(old: &Session, next: &Next, facts: &mut RotationFacts) -> Result<Vec<Write>, CustodyError> {
    let rest = std::mem::take(&mut facts.rest);
    if rest.len() == 0 {
        return Ok(Vec::new());
    }
    let records = seal(old, &next.session, rest)?;
    Ok(vec![Write::Rotation(RotationWrite::Stage(records))])
}

/// Policies by the next key. What was changed past the program is not signed into force here.
fn signed_again(old: &Session, next: &Next, facts: &RotationFacts) -> Result<Vec<Write>, CustodyError> {
    let mut writes = Vec::with_capacity(facts.policies.len());
    for row in &facts.policies {
        old.verified_policy(row)?;
        writes.push(Write::PolicySignature {
            version: row.version,
            signature: next.session.resign_policy(row),
        });
    }
    let origin = old.signer().origin();
    let stranger = facts
        .audit_keys
        .iter()
        .find(|row| !retired_verifies(&old.signer().address(), origin, row));
    if let Some(row) = stranger {
        return Err(CustodyError::AuditBroken {
            sequence: row.until.saturating_sub(1),
            reason: "the key that signed the log up to it was changed".to_owned(),
        });
    }
    Ok(writes)
}
