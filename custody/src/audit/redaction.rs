//! What one redaction took out of the log: a hash over the places and leaves of its entries, which the entry that
//! says so carries as its subject. So a row emptied by hand is told apart: no signed entry answers for it.

use keyward_core::audit::{AuditEntry, Hash, Operation, Outcome};
use sha2::{Digest, Sha256};

/// Separates this hash from all others.
const DOMAIN: &[u8] = b"keyward/audit-redaction/v1\0";

/// The entries of one redaction, in the order of the log.
#[derive(Clone, Debug)]
pub(crate) struct Redaction {
    hasher: Sha256,
    first: u64,
    last: u64,
    count: u64,
}

impl Redaction {
    /// Begins with its first entry.
    pub(crate) fn of(sequence: u64, leaf: &Hash) -> Self {
        let mut redaction = Self {
            hasher: Sha256::new_with_prefix(DOMAIN),
            first: sequence,
            last: sequence,
            count: 0,
        };
        redaction.push(sequence, leaf);
        redaction
    }

    /// The next entry.
    pub(crate) fn push(&mut self, sequence: u64, leaf: &Hash) {
        self.hasher.update(sequence.to_be_bytes());
        self.hasher.update(leaf);
        self.last = sequence;
        self.count += 1;
    }

    /// The lowest sequence.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// How many entries.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The highest sequence.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// SHA-256 over the domain, and of each entry its sequence (8 bytes, big-endian) and its leaf.
    pub(crate) fn subject(&self) -> [u8; 32] {
        self.hasher.clone().finalize().into()
    }

    /// Whether the entry says that just this was redacted.
    pub(crate) fn is_answered_by(&self, entry: &AuditEntry) -> bool {
        says_so(entry) && entry.subject == Some(self.subject())
    }
}

/// Whether the entry is one that redacted others.
pub(crate) fn says_so(entry: &AuditEntry) -> bool {
    entry.operation == Operation::RedactAudit && entry.outcome == Outcome::Done
}
