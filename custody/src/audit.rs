//! The audit log: list, verify, checkpoint.
//!
//! Appending is nobody's choice: it happens inside the transaction of whatever is recorded. Entries are never
//! changed and never taken away here.

pub(crate) mod ledger;
pub(crate) mod stored;
mod verify;

use keyward_core::account::AccountAddress;
use keyward_core::address::Address;
use keyward_core::audit::{AuditEntry, Checkpoint, Operation, Outcome, SignedCheckpoint};
use keyward_core::vault::VaultId;

use crate::error::CustodyError;
use crate::memory::clearing_stack;
use crate::store::{Ask, Write, stored_integer, transact};
use crate::vault::Custody;
use ledger::Draft;
use stored::StoredEntry;
use verify::Verifier;

/// The most entries of one page.
pub const MAX_AUDIT_PAGE: u32 = 1_000;

/// Rows read at a time while verifying.
const VERIFY_ROWS: u32 = 2_048;

/// Which page of which entries.
#[derive(Clone, Debug)]
pub struct AuditQuery {
    /// A piece of the actor, reason or details, without regard to ASCII case; empty finds all.
    pub text: String,
    /// Only this operation.
    pub operation: Option<Operation>,
    /// Only this outcome.
    pub outcome: Option<Outcome>,
    /// Only this wallet.
    pub wallet: Option<AccountAddress>,
    /// Only entries after this one.
    pub after_sequence: Option<u64>,
    /// Only entries before this one.
    pub before_sequence: Option<u64>,
    /// How many rows, at most [`MAX_AUDIT_PAGE`].
    pub limit: u32,
    /// Whether the newest entry comes first.
    pub newest_first: bool,
}

impl Default for AuditQuery {
    fn default() -> Self {
        Self {
            text: String::new(),
            operation: None,
            outcome: None,
            wallet: None,
            after_sequence: None,
            before_sequence: None,
            limit: 100,
            newest_first: true,
        }
    }
}

/// One page of entries.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// How many entries the query finds, the page's bounds aside.
    pub total: u64,
    /// The page's rows.
    pub rows: Vec<AuditEntry>,
}

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
    },
    /// The log was changed.
    Broken {
        /// The first bad entry.
        sequence: u64,
        /// What is wrong with it.
        reason: String,
    },
}

impl Custody {
    /// A page of entries. They are listed as stored, not verified.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for a page over [`MAX_AUDIT_PAGE`], [`CustodyError::AuditBroken`] for an entry that
    /// does not read, or the store's.
    pub async fn audit_entries(&self, query: &AuditQuery) -> Result<AuditPage, CustodyError> {
        if query.limit > MAX_AUDIT_PAGE {
            return Err(CustodyError::invalid(
                "page",
                format!("at most {MAX_AUDIT_PAGE} entries"),
            ));
        }
        let (total, rows) = self.store().audit_page(query).await?;
        let rows = rows.iter().map(readable).collect::<Result<_, _>>()?;
        Ok(AuditPage { total, rows })
    }

    /// Recomputes the whole log and names the first bad entry, if any. Unlocked, it verifies by the vault's own key;
    /// locked, by the public key in the file, which unlocking compares.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] when `against` is not a checkpoint of this vault, [`CustodyError::Damaged`] when the
    /// log is intact but the database is not, or the store's. A log that was changed is not an error but
    /// [`AuditReport::Broken`].
    pub async fn audit_verify(
        &self,
        against: Option<&SignedCheckpoint>,
    ) -> Result<AuditReport, CustodyError> {
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
            return Ok(AuditReport::Broken { sequence: 0, reason });
        }
        let retired = self.store().audit_keys().await?;
        if let Some(row) = retired
            .iter()
            .find(|row| !ledger::retired_verifies(&key, &origin, row))
        {
            return Ok(AuditReport::Broken {
                sequence: row.until.saturating_sub(1),
                reason: "the key that signed the log up to it was changed".to_owned(),
            });
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
        let report = self.verify_rows(verifier, size).await?.finish(&head);
        if matches!(report, AuditReport::Intact { .. }) {
            self.store().check_integrity().await?;
        }
        Ok(report)
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

    /// Signs the log as it stands, and keeps the checkpoint in the store as well. Its own entry is the last that it
    /// covers.
    ///
    /// # Errors
    /// [`CustodyError::Locked`], [`CustodyError::AuditBroken`], or the store's.
    pub async fn audit_checkpoint(&self) -> Result<SignedCheckpoint, CustodyError> {
        let session = self.session().ok_or(CustodyError::Locked)?;
        let ask = Ask {
            unsigned_tail: true,
            ..Ask::default()
        };
        let (signed, _) = transact(self.store(), ask, |ledger, facts| {
            let signer = session.signer();
            ledger.append(
                facts.now_ms,
                self.scribe(Some(&session)),
                Draft::new(Operation::Checkpoint, Outcome::Done),
            )?;
            let checkpoint = Checkpoint {
                origin: signer.origin().to_owned(),
                size: ledger.size(),
                root: ledger.root(),
            };
            let signed = clearing_stack(|| checkpoint.sign(&signer.expose_key()));
            let write = Write::Checkpoint {
                size: checkpoint.size,
                root: checkpoint.root,
                note: signed.to_string(),
            };
            Ok((vec![write], signed))
        })
        .await?;
        Ok(signed)
    }
}

/// The entry, or the sequence of the one that does not read.
fn readable(row: &StoredEntry) -> Result<AuditEntry, CustodyError> {
    row.entry().map_err(|reason| CustodyError::AuditBroken {
        sequence: u64::try_from(row.sequence).unwrap_or(0),
        reason,
    })
}
