//! Retention: entries whose time is over are emptied to their leaf, and the tree stays what it was.
//!
//! Unlocking and locking is kept for 90 days, what concerns wallets for two years and more, what was signed and sent
//! for ever (the vault's settings say how long). Each step is one transaction with the entry that answers for it; see
//! [`super::redaction`]. It does not look at the rest of the log: that is `audit_verify`'s.

use keyward_core::audit::{AuditEntry, Operation, Outcome};

use super::ledger::{Draft, Ledger};
use super::redaction::Redaction;
use crate::error::CustodyError;
use crate::settings::VaultSettings;
use crate::store::{Ask, Facts, RedactAsk, Write, transact};
use crate::vault::{Custody, Session};

/// The most entries that one transaction redacts.
const BATCH: u32 = 2_000;

/// How long entries of an operation are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RetentionClass {
    /// Opening and closing the vault.
    Login,
    /// Whatever is not in another class.
    Wallet,
    /// For ever: what was signed and sent, and what the log needs to verify itself.
    Permanent,
}

impl RetentionClass {
    /// The class of an operation.
    #[must_use]
    pub const fn of(operation: Operation) -> Self {
        match operation {
            Operation::Unlock | Operation::UnlockFailed | Operation::Lockout | Operation::Lock => Self::Login,
            Operation::SignTransaction
            | Operation::SignMessage
            | Operation::Send
            // The log says by these where the vault came from, what is sealed, and what was redacted.
            | Operation::CreateVault
            | Operation::Restore
            | Operation::MergeVault
            | Operation::CopyStore
            | Operation::SealState
            | Operation::RedactAudit => Self::Permanent,
            _ => Self::Wallet,
        }
    }

    /// For how long, in milliseconds; `None` for ever.
    #[must_use]
    pub fn retention_ms(self, settings: &VaultSettings) -> Option<u64> {
        match self {
            Self::Login => Some(settings.audit_login_retention_ms),
            Self::Wallet => Some(settings.audit_wallet_retention_ms),
            Self::Permanent => None,
        }
    }

    fn operations(self) -> Vec<Operation> {
        let of = |operation: &Operation| Self::of(*operation) == self;
        Operation::ALL.iter().copied().filter(of).collect()
    }
}

/// What a redaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RedactReport {
    /// How many entries it emptied.
    pub redacted: u64,
    /// How many entries say so.
    pub steps: u64,
}

impl Custody {
    /// Redacts every entry whose retention is over, in steps of one transaction each. Done again at once it does
    /// nothing, and leaves no entry. Entries that are yet to be covered by a signature are left alone.
    ///
    /// # Errors
    /// [`CustodyError::Locked`], [`CustodyError::AuditBroken`] where an entry is not what was written, or the store's.
    /// What was redacted by earlier steps stays so.
    pub async fn audit_redact(&self) -> Result<RedactReport, CustodyError> {
        let session = self.session().ok_or(CustodyError::Locked)?;
        let mut report = RedactReport::default();
        loop {
            if !session.is_open() {
                return Err(CustodyError::Locked);
            }
            let settings = self.settings().await?;
            let now_ms = self.options().clock.now_ms();
            let class = |class: RetentionClass| {
                let retention_ms = class.retention_ms(&settings)?;
                Some((class.operations(), now_ms.checked_sub(retention_ms)?))
            };
            let classes = [RetentionClass::Login, RetentionClass::Wallet];
            let ask = Ask {
                unsigned_tail: true,
                redact: Some(RedactAsk {
                    classes: classes.into_iter().filter_map(class).collect(),
                    limit: BATCH,
                }),
                ..Ask::default()
            };
            let (redacted, _) = transact(self.store(), ask, |ledger, facts| {
                self.redact_step(&session, ledger, &facts)
            })
            .await?;
            if redacted == 0 {
                return Ok(report);
            }
            report.redacted += redacted;
            report.steps += 1;
        }
    }

    /// One step, under the write lock.
    fn redact_step(
        &self,
        session: &Session,
        ledger: &mut Ledger,
        facts: &Facts,
    ) -> Result<(Vec<Write>, u64), CustodyError> {
        let vault = facts.vault.as_ref().ok_or(CustodyError::NotInitialised)?;
        session.expect_current(vault)?;
        // The settings in force now, not those that the rows were looked for with.
        let settings = facts.settings()?;
        ledger.verify_edge(session.signer())?;
        let mut redaction: Option<Redaction> = None;
        let mut sequences = Vec::new();
        for row in &facts.redactable {
            let sequence = u64::try_from(row.sequence).unwrap_or(u64::MAX);
            // A row that was changed is evidence: it is not emptied on the word of what it says now.
            let (entry, leaf) = row
                .verified(sequence)
                .map_err(|reason| CustodyError::AuditBroken { sequence, reason })?;
            if sequence >= ledger.signed_size() || !is_over(&entry, &settings, facts.now_ms) {
                continue;
            }
            match &mut redaction {
                Some(redaction) => redaction.push(sequence, &leaf),
                None => redaction = Some(Redaction::of(sequence, &leaf)),
            }
            sequences.push(row.sequence);
        }
        let Some(redaction) = redaction else {
            return Ok((Vec::new(), 0));
        };
        let details = format!(
            "{} entries from {} to {} redacted",
            redaction.count(),
            redaction.first(),
            redaction.last()
        );
        let draft = Draft::new(Operation::RedactAudit, Outcome::Done)
            .subject(redaction.subject())
            .details(details);
        let by = ledger.append(facts.now_ms, self.scribe(Some(session)), draft)?;
        Ok((vec![Write::Redact { sequences, by }], redaction.count()))
    }
}

/// Whether an entry's retention is over.
fn is_over(entry: &AuditEntry, settings: &VaultSettings, now_ms: u64) -> bool {
    RetentionClass::of(entry.operation)
        .retention_ms(settings)
        .is_some_and(|retention_ms| entry.time_ms.saturating_add(retention_ms) < now_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_is_kept_for_ever_and_logins_for_ninety_days() {
        let settings = VaultSettings::default();
        let day = 86_400_000;
        for (operation, days) in [
            (Operation::Unlock, Some(90)),
            (Operation::UnlockFailed, Some(90)),
            (Operation::Lockout, Some(90)),
            (Operation::Lock, Some(90)),
            (Operation::DeriveWallets, Some(730)),
            (Operation::ReadAudit, Some(730)),
            (Operation::ChangePolicy, Some(730)),
            (Operation::SignTransaction, None),
            (Operation::SignMessage, None),
            (Operation::Send, None),
            (Operation::CreateVault, None),
            (Operation::SealState, None),
            (Operation::RedactAudit, None),
        ] {
            let kept = RetentionClass::of(operation).retention_ms(&settings);
            assert_eq!(kept, days.map(|days: u64| days * day), "{operation}");
        }
    }
}
