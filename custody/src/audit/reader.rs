//! Reading the log, which is itself in the log: one entry for each look, and as many pages as it takes.
//!
//! An entry says what was asked for, not what was found. While the vault is locked nothing can sign it, so these looks
//! are bounded: they may not use up the room that wrong passwords need.

use keyward_core::audit::{Operation, Outcome};

use super::ledger::{Draft, Ledger};
use super::query::{AuditCount, AuditPage, AuditQuery, AuditRow, AuditRows, MAX_AUDIT_PAGE};
use super::stored::{LOCKED_REASON, StoredEntry};
use crate::error::CustodyError;
use crate::store::{Ask, transact};
use crate::vault::Custody;

/// The most unsigned entries in whose presence a locked vault's log may still be read: half of all there may be.
pub(crate) const MAX_UNSIGNED_READS: u32 = Ledger::MAX_UNSIGNED / 2;

/// A look at the log: what it finds, page by page, as the log grows. The log has one entry for it.
#[derive(Clone, Debug)]
pub struct AuditReader {
    custody: Custody,
    filter: AuditQuery,
    /// The sequence of the entry that says so.
    opened_at: u64,
    /// Whether that entry is signed.
    unlocked: bool,
}

impl AuditReader {
    /// Whether pages of this query are pages of this look: the same filter, asked of the vault in the same state. If
    /// not, it takes a look of its own.
    #[must_use]
    pub fn covers(&self, query: &AuditQuery) -> bool {
        self.filter == query.filter() && self.unlocked == self.custody.is_unlocked()
    }

    /// The sequence of the entry that says that the log was looked at.
    #[must_use]
    pub fn opened_at(&self) -> u64 {
        self.opened_at
    }

    /// A page of entries, those redacted left out. They are listed as stored, not verified.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for a page over [`MAX_AUDIT_PAGE`] or of another filter,
    /// [`CustodyError::AuditBroken`] for an entry that does not read, or the store's.
    pub async fn entries(&self, query: &AuditQuery) -> Result<AuditPage, CustodyError> {
        self.whole(query, None).await
    }

    /// A page of rows, those redacted among them if the query says so. They are listed as stored, not verified.
    ///
    /// # Errors
    /// As for [`Self::entries`].
    pub async fn rows(&self, query: &AuditQuery) -> Result<AuditRows, CustodyError> {
        self.page(query, None).await
    }

    /// As [`Self::rows`], of the log as it was when the look began.
    ///
    /// # Errors
    /// As for [`Self::entries`].
    pub async fn rows_then(&self, query: &AuditQuery) -> Result<AuditRows, CustodyError> {
        self.page(query, Some(self.opened_at)).await
    }

    async fn whole(&self, query: &AuditQuery, below: Option<u64>) -> Result<AuditPage, CustodyError> {
        let query = AuditQuery {
            redacted: false,
            ..query.clone()
        };
        let AuditRows { total, rows } = self.page(&query, below).await?;
        let whole = |row| match row {
            AuditRow::Entry(entry) => Some(*entry),
            AuditRow::Redacted { .. } => None,
        };
        Ok(AuditPage {
            total,
            rows: rows.into_iter().filter_map(whole).collect(),
        })
    }

    async fn page(&self, query: &AuditQuery, below: Option<u64>) -> Result<AuditRows, CustodyError> {
        check_page(query)?;
        if query.filter() != self.filter {
            return Err(CustodyError::invalid(
                "page",
                "it is of another filter; another look needs an entry of its own",
            ));
        }
        let (total, rows) = self.custody.store().audit_page(query, below).await?;
        let rows = rows.iter().map(readable).collect::<Result<_, _>>()?;
        Ok(AuditRows { total, rows })
    }
}

impl Custody {
    /// A look at the log with this filter; the query's page is of no interest here. Appends one `read-audit` entry,
    /// unsigned if the vault is locked.
    ///
    /// # Errors
    /// [`CustodyError::NotInitialised`], [`CustodyError::UnsignedReads`], [`CustodyError::KeyRotated`],
    /// [`CustodyError::AuditBroken`], or the store's; nothing is read then.
    pub async fn audit_reader(&self, filter: &AuditQuery) -> Result<AuditReader, CustodyError> {
        let filter = filter.filter();
        let details = format!("list: {}", filter.described());
        let (opened_at, unlocked) = self.note_read(Operation::ReadAudit, details).await?;
        Ok(AuditReader {
            custody: self.clone(),
            filter,
            opened_at,
            unlocked,
        })
    }

    /// One page of entries, those redacted left out, and an entry for having looked, which is not among them. For
    /// several pages open one [`Self::audit_reader`].
    ///
    /// # Errors
    /// As for [`Self::audit_reader`] and [`AuditReader::entries`].
    pub async fn audit_entries(&self, query: &AuditQuery) -> Result<AuditPage, CustodyError> {
        check_page(query)?;
        let reader = self.audit_reader(query).await?;
        reader.whole(query, Some(reader.opened_at)).await
    }

    /// How many entries the filter finds of each operation and outcome, by their names; those redacted are in none. Its
    /// own entry is not counted.
    ///
    /// # Errors
    /// As for [`Self::audit_reader`]; [`CustodyError::AuditBroken`] for entries that do not read.
    pub async fn audit_counts(&self, filter: &AuditQuery) -> Result<Vec<AuditCount>, CustodyError> {
        let filter = filter.filter();
        let details = format!("count: {}", filter.described());
        let (own, _) = self.note_read(Operation::ReadAudit, details).await?;
        let rows = self.store().audit_counts(&filter, own).await?;
        rows.into_iter()
            .map(|row| {
                let unreadable = || CustodyError::AuditBroken {
                    sequence: row.first,
                    reason: "its operation or outcome is unknown".to_owned(),
                };
                Ok(AuditCount {
                    operation: row.operation.parse().map_err(|_| unreadable())?,
                    outcome: row.outcome.parse().map_err(|_| unreadable())?,
                    count: row.count,
                })
            })
            .collect()
    }

    /// Appends the entry of a look at the log; gives its sequence, and whether it is signed.
    pub(super) async fn note_read(
        &self,
        operation: Operation,
        details: String,
    ) -> Result<(u64, bool), CustodyError> {
        let session = self.session();
        let ask = Ask {
            unsigned_tail: session.is_some(),
            ..Ask::default()
        };
        let draft = Draft::new(operation, Outcome::Done).details(details);
        let (sequence, _) = transact(self.store(), ask, |ledger, facts| {
            facts.vault.as_ref().ok_or(CustodyError::NotInitialised)?;
            let draft = match &session {
                Some(_) => draft,
                None if ledger.unsigned() >= u64::from(MAX_UNSIGNED_READS) => {
                    return Err(CustodyError::UnsignedReads);
                }
                None => draft.reason(LOCKED_REASON),
            };
            let sequence = ledger.append(facts.now_ms, self.scribe(session.as_deref()), draft)?;
            Ok((Vec::new(), sequence))
        })
        .await?;
        Ok((sequence, session.is_some()))
    }
}

fn check_page(query: &AuditQuery) -> Result<(), CustodyError> {
    if query.limit <= MAX_AUDIT_PAGE {
        return Ok(());
    }
    let reason = format!("at most {MAX_AUDIT_PAGE} entries");
    Err(CustodyError::invalid("page", reason))
}

/// The row as it is exported: verified against its leaf.
pub(super) fn exported(row: &StoredEntry) -> Result<AuditRow, CustodyError> {
    let sequence = u64::try_from(row.sequence).unwrap_or(0);
    if row.redacted_by.is_none() {
        row.leaf(sequence)
            .map_err(|reason| CustodyError::AuditBroken { sequence, reason })?;
    }
    readable(row)
}

/// The row as it is listed, or the sequence of the one that does not read.
fn readable(row: &StoredEntry) -> Result<AuditRow, CustodyError> {
    let sequence = u64::try_from(row.sequence).unwrap_or(0);
    let broken = |reason| CustodyError::AuditBroken { sequence, reason };
    match row.redacted_by {
        None => row
            .entry()
            .map(|entry| AuditRow::Entry(Box::new(entry)))
            .map_err(broken),
        Some(by) => Ok(AuditRow::Redacted {
            sequence,
            leaf_hash: row.redacted_leaf(sequence).map_err(broken)?,
            redacted_by: u64::try_from(by).unwrap_or(0),
        }),
    }
}
