//! The audit log: read, verify, checkpoint, prove, export, and redact what is kept no longer.
//!
//! Appending is nobody's choice: it happens inside the transaction of whatever is recorded, and reading is recorded
//! too. Entries are never changed and never taken away; of those whose retention is over the leaf is left. See
//! `docs/decisions/0016-an-audit-worth-its-name.md`.

mod export;
pub(crate) mod ledger;
mod prove;
mod query;
mod reader;
mod redaction;
mod retention;
pub(crate) mod sealing;
pub(crate) mod stored;
mod verify;

use keyward_core::address::Address;
use keyward_core::audit::{Operation, SignedCheckpoint};
use keyward_core::vault::VaultId;

use crate::error::CustodyError;
use crate::store::stored_integer;
use crate::vault::Custody;
pub use export::AuditExport;
pub use query::{AuditCount, AuditPage, AuditQuery, AuditRow, AuditRows, MAX_AUDIT_PAGE};
pub use reader::AuditReader;
pub use retention::{RedactReport, RetentionClass};
use verify::Verifier;

/// Rows read at a time while verifying.
const VERIFY_ROWS: u32 = 2_048;

/// How often a log is verified anew that is redacted meanwhile.
const VERIFY_TRIES: u32 = 3;

/// What verifying the audit log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditReport {
    /// Every entry is what was written.
    Intact {
        /// How many entries.
        entries: u64,
        /// The tree's root.
        root: [u8; 32],
        /// How many kept checkpoints agree with it.
        checkpoints: u64,
        /// How many of the entries are only hashes any more, each redacted by an entry that says so.
        redacted: u64,
    },
    /// The log was changed.
    Broken {
        /// The first bad entry.
        sequence: u64,
        /// What is wrong with it.
        reason: String,
    },
}

/// A verdict, and whether entries were redacted while it was found, so that it must be found again.
struct Verified {
    report: AuditReport,
    overtaken: bool,
}

impl Verified {
    fn broken(sequence: u64, reason: String) -> Self {
        Self {
            report: AuditReport::Broken { sequence, reason },
            overtaken: false,
        }
    }
}

impl Custody {
    /// Recomputes the whole log and names the first bad entry, if any. Unlocked, it verifies by the vault's own key;
    /// locked, by the public key in the file, which unlocking compares. A log found intact gets one `verify` entry,
    /// unsigned if the vault is locked; one found broken is left as it is, as evidence.
    ///
    /// # Errors
    /// [`CustodyError::UnsignedReads`] where too many looks at the locked vault's log wait for a signature.
    /// [`CustodyError::Invalid`] when `against` is not a checkpoint of this vault, [`CustodyError::Damaged`] when the
    /// log is intact but the database is not, or the store's. A log that was changed is not an error but
    /// [`AuditReport::Broken`].
    pub async fn audit_verify(
        &self,
        against: Option<&SignedCheckpoint>,
    ) -> Result<AuditReport, CustodyError> {
        let mut verified = self.verify_once(against).await?;
        for _ in 1..VERIFY_TRIES {
            if !verified.overtaken {
                break;
            }
            verified = self.verify_once(against).await?;
        }
        if let AuditReport::Intact {
            entries, redacted, ..
        } = &verified.report
        {
            self.store().check_integrity().await?;
            if let Some(session) = self.session()
                && let Some(reason) = self.verify_seal(&session).await?
            {
                let sequence = entries.saturating_sub(1);
                return Ok(AuditReport::Broken { sequence, reason });
            }
            let details = format!("{entries} entries, {redacted} of them redacted");
            self.note_read(Operation::Verify, details).await?;
        }
        Ok(verified.report)
    }

    async fn verify_once(&self, against: Option<&SignedCheckpoint>) -> Result<Verified, CustodyError> {
        // Before the head: a checkpoint made in between would promise more than the head has.
        let checkpoints = self.store().audit_checkpoints().await?;
        let head = self.store().audit_head().await?;
        let vault = VaultId::from_bytes(head.vault.id);
        let origin = ledger::origin(&vault);
        let stored_key = Address::new(head.vault.audit_key);
        let key = match self.session() {
            Some(session) => {
                session.expect_current(&head.vault)?;
                session.signer().address()
            }
            None => stored_key,
        };
        if key != stored_key {
            let reason = "the vault's audit key was changed".to_owned();
            return Ok(Verified::broken(0, reason));
        }
        let retired = self.store().audit_keys().await?;
        if let Some(row) = retired
            .iter()
            .find(|row| !ledger::retired_verifies(&key, &origin, row))
        {
            let reason = "the key that signed the log up to it was changed".to_owned();
            return Ok(Verified::broken(row.until.saturating_sub(1), reason));
        }
        let mut verifier = Verifier::new(key, retired, origin);
        for checkpoint in &checkpoints {
            verifier.expect_stored(checkpoint);
        }
        if let Some(signed) = against {
            let checkpoint = verifier
                .read(signed)
                .map_err(|error| CustodyError::invalid("checkpoint", error.to_string()))?;
            verifier.expect(
                checkpoint.size,
                checkpoint.root,
                "the log up to it does not match the checkpoint given",
            );
        }
        let size = head.state.as_ref().map_or(u64::MAX, |state| state.size);
        let verifier = self.verify_rows(verifier, size).await?;
        Ok(Verified {
            overtaken: verifier.was_overtaken(size),
            report: verifier.finish(&head),
        })
    }

    /// Feeds every row below `size` to the verifier, page by page, off the async threads.
    async fn verify_rows(&self, mut verifier: Verifier, size: u64) -> Result<Verifier, CustodyError> {
        loop {
            let next = verifier.next_sequence();
            let wanted = size.saturating_sub(next).min(u64::from(VERIFY_ROWS));
            let wanted = u32::try_from(wanted).unwrap_or(VERIFY_ROWS);
            if wanted == 0 || verifier.has_failed() {
                return Ok(verifier);
            }
            let rows = self
                .store()
                .audit_rows(stored_integer("sequence", next)?, wanted)
                .await?;
            let full = u32::try_from(rows.len()).is_ok_and(|found| found == wanted);
            verifier = crate::vault::blocking(move || {
                verifier.feed(&rows);
                verifier
            })
            .await?;
            if !full || verifier.next_sequence() == next {
                return Ok(verifier);
            }
        }
    }
}
