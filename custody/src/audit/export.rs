//! The log as others can read it: rows in their order, each verified against its leaf, and a signed checkpoint over the
//! tree of which they are the leaves.

use keyward_core::audit::{Checkpoint, Operation, Outcome, SignedCheckpoint};

use super::ledger::Draft;
use super::query::{AuditQuery, AuditRow, MAX_AUDIT_PAGE};
use super::reader::exported;
use crate::error::CustodyError;
use crate::memory::clearing_stack;
use crate::store::{Ask, Write, transact};
use crate::vault::Custody;

/// An export under way. One page is in memory at a time.
#[derive(Debug)]
pub struct AuditExport {
    custody: Custody,
    query: AuditQuery,
    checkpoint: SignedCheckpoint,
    ended: bool,
}

impl AuditExport {
    /// The next rows, the oldest first; `None` when all were read.
    ///
    /// # Errors
    /// [`CustodyError::AuditBroken`] for a row that is not what its leaf says, or the store's.
    pub async fn next_rows(&mut self) -> Result<Option<Vec<AuditRow>>, CustodyError> {
        if self.ended {
            return Ok(None);
        }
        let size = self.checkpoint.unverified().size;
        let (_, rows) = self.custody.store().audit_page(&self.query, Some(size)).await?;
        self.ended = u32::try_from(rows.len()).is_ok_and(|read| read < self.query.limit);
        let rows = rows.iter().map(exported).collect::<Result<Vec<_>, _>>()?;
        if let Some(last) = rows.last() {
            self.query.after_sequence = Some(last.sequence());
        }
        Ok((!rows.is_empty()).then_some(rows))
    }

    /// Over the log up to and with the entry that says that it was exported: without a filter, the root is that of the
    /// exported leaves.
    #[must_use]
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }
}

impl Custody {
    /// Begins an export of what the filter finds, redacted entries included where it asks for nothing that they no
    /// longer tell. Appends a `read-audit` and a `checkpoint` entry.
    ///
    /// # Errors
    /// [`CustodyError::Locked`], [`CustodyError::AuditBroken`], or the store's.
    pub async fn audit_export(&self, filter: &AuditQuery) -> Result<AuditExport, CustodyError> {
        let filter = filter.filter();
        let details = format!("export: {}", filter.described());
        let checkpoint = self.sign_checkpoint(Some(details)).await?;
        let query = AuditQuery {
            redacted: true,
            newest_first: false,
            limit: MAX_AUDIT_PAGE,
            ..filter
        };
        Ok(AuditExport {
            custody: self.clone(),
            query,
            checkpoint,
            ended: false,
        })
    }

    /// Signs the log as it stands, and keeps the checkpoint in the store as well. Its own entry is the last that it
    /// covers.
    ///
    /// # Errors
    /// [`CustodyError::Locked`], [`CustodyError::AuditBroken`], or the store's.
    pub async fn audit_checkpoint(&self) -> Result<SignedCheckpoint, CustodyError> {
        self.sign_checkpoint(None).await
    }

    async fn sign_checkpoint(&self, read: Option<String>) -> Result<SignedCheckpoint, CustodyError> {
        let session = self.session().ok_or(CustodyError::Locked)?;
        let ask = Ask {
            unsigned_tail: true,
            ..Ask::default()
        };
        let (signed, _) = transact(self.store(), ask, |ledger, facts| {
            let signer = session.signer();
            let read = read.map(|details| Draft::new(Operation::ReadAudit, Outcome::Done).details(details));
            let drafts = read
                .into_iter()
                .chain([Draft::new(Operation::Checkpoint, Outcome::Done)]);
            for draft in drafts {
                ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            }
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
