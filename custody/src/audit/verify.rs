//! Verifying the whole log: every row from its columns to its leaf, every signed head, every kept checkpoint.
//!
//! Pure: pages of rows in, a verdict out. It proves that the log is one that the vault's key signed, entry by
//! entry; that nothing was cut off its end needs a checkpoint kept elsewhere, which it holds the log to as well.

use std::collections::BTreeMap;

use keyward_core::address::{Address, Signature};
use keyward_core::audit::{Checkpoint, CheckpointError, Frontier, Hash, SignedCheckpoint};

use super::AuditReport;
use super::ledger::{LedgerState, head_verifies};
use super::redaction::{Redaction, says_so};
use super::stored::StoredEntry;
use crate::store::{AuditHead, AuditKeyRow, StoredCheckpoint};

/// The most redactions that may wait for the entry that says so: far more than a log has of them at once, since each
/// redacts thousands.
const MAX_OPEN_REDACTIONS: usize = 100_000;

/// A bad entry and what is wrong with it.
struct Flaw {
    sequence: u64,
    reason: String,
}

/// A root that the log must have had at some size.
struct Promise {
    root: Hash,
    broken: String,
}

/// A verification under way.
pub(super) struct Verifier {
    /// The key in force.
    key: Address,
    /// Those before it, in their order.
    retired: Vec<AuditKeyRow>,
    origin: String,
    frontier: Frontier,
    promises: BTreeMap<u64, Vec<Promise>>,
    checkpoints: u64,
    /// The edge at the last signed head, and the signature.
    signed: Option<(Frontier, Signature)>,
    last_ms: u64,
    /// What was redacted by entries that are yet to come, by their sequence.
    redactions: BTreeMap<u64, Redaction>,
    redacted: u64,
    flaw: Option<Flaw>,
}

impl Verifier {
    /// Begins at an empty tree.
    pub(super) fn new(key: Address, retired: Vec<AuditKeyRow>, origin: String) -> Self {
        Self {
            key,
            retired,
            origin,
            frontier: Frontier::new(),
            promises: BTreeMap::new(),
            checkpoints: 0,
            signed: None,
            last_ms: 0,
            redactions: BTreeMap::new(),
            redacted: 0,
            flaw: None,
        }
    }

    /// The key that signed this entry.
    fn key_at(&self, sequence: u64) -> &Address {
        self.retired
            .iter()
            .find(|row| sequence < row.until)
            .map_or(&self.key, |row| &row.key)
    }

    /// The log's name in checkpoints.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// The key in force, then those before it, the latest first.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Address> {
        let retired = self.retired.iter().rev().map(|row| &row.key);
        std::iter::once(&self.key).chain(retired)
    }

    /// Reads a checkpoint signed by the key that was in force at its size.
    pub(super) fn read(&self, signed: &SignedCheckpoint) -> Result<Checkpoint, CheckpointError> {
        let first = signed.verify(&self.key, &self.origin);
        let keys = self
            .retired
            .iter()
            .map(|row| signed.verify(&row.key, &self.origin));
        let mut read = first;
        for next in keys {
            read = read.or(next);
        }
        let checkpoint = read?;
        // By the key of its time, whichever verified it above.
        signed.verify(self.key_at(checkpoint.size.saturating_sub(1)), &self.origin)
    }

    /// Holds the log to a checkpoint that the store kept. One that does not verify is a flaw of the entry it ends at.
    pub(super) fn expect_stored(&mut self, stored: &StoredCheckpoint) {
        let Ok(size) = u64::try_from(stored.size) else {
            return self.fail(0, "a kept checkpoint has a negative size");
        };
        let checkpoint = std::str::from_utf8(&stored.note)
            .ok()
            .and_then(|note| {
                note.parse::<SignedCheckpoint>()
                    .ok()
                    .filter(|parsed| parsed.to_string() == note)
            })
            .and_then(|signed| self.read(&signed).ok())
            .filter(|checkpoint| checkpoint.size == size && stored.root == checkpoint.root);
        match checkpoint {
            Some(checkpoint) => self.expect(
                size,
                checkpoint.root,
                "the checkpoint kept after it does not match",
            ),
            None => self.fail(size.saturating_sub(1), "the checkpoint kept after it was changed"),
        }
    }

    /// Holds the log to a root that it had at this size.
    pub(super) fn expect(&mut self, size: u64, root: Hash, broken: &str) {
        self.checkpoints += 1;
        self.promises.entry(size).or_default().push(Promise {
            root,
            broken: broken.to_owned(),
        });
    }

    /// The sequence that the next row must have.
    pub(super) fn next_sequence(&self) -> u64 {
        self.frontier.size()
    }

    /// Whether an entry up to here is known to be bad, so that reading on cannot find an earlier one.
    pub(super) fn has_failed(&self) -> bool {
        self.flaw
            .as_ref()
            .is_some_and(|flaw| flaw.sequence < self.next_sequence())
    }

    /// Takes the next rows, in order.
    pub(super) fn feed(&mut self, rows: &[StoredEntry]) {
        let mut heads = Vec::with_capacity(rows.len());
        for row in rows {
            let sequence = self.next_sequence();
            match self.leaf_of(row, sequence) {
                Ok(leaf) => self.frontier.push(leaf),
                Err(reason) => {
                    self.fail(sequence, &reason);
                    break;
                }
            }
            if let Some(bytes) = &row.head_signature {
                match Signature::try_from(bytes.as_slice()) {
                    Ok(signature) => heads.push((sequence, self.frontier.clone(), signature)),
                    Err(_) => self.fail(sequence, "its signature has the wrong length"),
                }
            }
            self.keep_promises();
        }
        if let Some(sequence) = self.first_bad_head(&heads) {
            self.fail(sequence, "the signature over the log up to it does not verify");
        }
        if let Some((_, frontier, signature)) = heads.pop() {
            self.signed = Some((frontier, signature));
        }
    }

    /// The leaf of the next row, whole or redacted.
    fn leaf_of(&mut self, row: &StoredEntry, sequence: u64) -> Result<Hash, String> {
        if let Some(by) = row.redacted_by {
            let leaf = row.redacted_leaf(sequence)?;
            // What was redacted answers for nothing.
            if let Some(redaction) = self.redactions.remove(&sequence) {
                self.fail(redaction.first(), "no entry says that it was redacted");
            }
            let by = u64::try_from(by).unwrap_or(0);
            if by <= sequence || self.redactions.len() >= MAX_OPEN_REDACTIONS {
                return Err("no entry says that it was redacted".to_owned());
            }
            self.redactions
                .entry(by)
                .and_modify(|redaction| redaction.push(sequence, &leaf))
                .or_insert_with(|| Redaction::of(sequence, &leaf));
            self.redacted += 1;
            return Ok(leaf);
        }
        let (entry, leaf) = row.verified(sequence)?;
        match self.redactions.remove(&sequence) {
            Some(redaction) if !redaction.is_answered_by(&entry) => self.fail(
                redaction.first(),
                "it, or another entry redacted with it, is not what was redacted",
            ),
            None if says_so(&entry) => self.fail(sequence, "what it redacted is not as it left it"),
            _ => {}
        }
        self.last_ms = entry.time_ms;
        Ok(leaf)
    }

    /// Whether entries seem to have been redacted while they were read: what says so lies beyond the log's size then.
    pub(super) fn was_overtaken(&self, size: u64) -> bool {
        self.redactions
            .last_key_value()
            .is_some_and(|(by, _)| *by >= size)
    }

    /// Verifies the heads on every core: their signatures are nearly all of the work.
    fn first_bad_head(&self, heads: &[(u64, Frontier, Signature)]) -> Option<u64> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let each = heads.len().div_ceil(threads).max(1);
        let bad = |part: &[(u64, Frontier, Signature)]| {
            part.iter()
                .find(|(sequence, frontier, signature)| {
                    !head_verifies(self.key_at(*sequence), &self.origin, frontier, signature)
                })
                .map(|(sequence, ..)| *sequence)
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = heads
                .chunks(each)
                .map(|part| scope.spawn(move || bad(part)))
                .collect();
            workers
                .into_iter()
                // A worker that panicked has verified nothing: its whole part counts as bad.
                .zip(heads.chunks(each))
                .filter_map(|(worker, part)| {
                    worker
                        .join()
                        .unwrap_or_else(|_| part.first().map(|(sequence, ..)| *sequence))
                })
                .min()
        })
    }

    fn keep_promises(&mut self) {
        let size = self.frontier.size();
        let Some(promises) = self.promises.remove(&size) else {
            return;
        };
        let root = self.frontier.root();
        for promise in promises.iter().filter(|promise| promise.root != root) {
            self.fail(size - 1, &promise.broken);
        }
    }

    /// The verdict, with what the store recorded of the log's end.
    pub(super) fn finish(mut self, head: &AuditHead) -> AuditReport {
        let size = self.next_sequence();
        if self.flaw.is_none()
            && let Some(first) = self.redactions.values().map(Redaction::first).min()
        {
            self.fail(first, "no entry says that it was redacted");
        }
        if self.flaw.is_none() {
            match &head.state {
                Ok(state) => self.compare_edge(state),
                Err(reason) => self.fail(size, reason),
            }
        }
        if let Some(stray) = head.stray {
            self.fail(
                u64::try_from(stray).unwrap_or(0),
                "it lies outside the log's range",
            );
        } else if head.rows != size {
            self.fail(size, "the number of entries is not the recorded one");
        }
        if let Some((promised, promises)) = self.promises.pop_first() {
            let cut = format!(
                "the log has {size} entries and a checkpoint promises {promised}: the end was cut off"
            );
            if !promises.is_empty() {
                self.fail(size, &cut);
            }
        }
        match self.flaw {
            Some(Flaw { sequence, reason }) => AuditReport::Broken { sequence, reason },
            None => AuditReport::Intact {
                entries: size,
                root: self.frontier.root(),
                checkpoints: self.checkpoints,
                redacted: self.redacted,
            },
        }
    }

    fn compare_edge(&mut self, state: &LedgerState) {
        let size = self.next_sequence();
        if state.size > size {
            return self.fail(size, "it is missing");
        }
        let signed = self.signed.as_ref().is_some_and(|(frontier, signature)| {
            *frontier == state.signed_frontier && *signature == state.head_signature
        });
        if state.frontier != self.frontier || !signed || state.last_ms != self.last_ms {
            self.fail(
                size.saturating_sub(1),
                "the recorded edge of the tree does not match the log up to it",
            );
        }
    }

    /// Keeps the flaw of the earliest entry.
    fn fail(&mut self, sequence: u64, reason: &str) {
        if self.flaw.as_ref().is_none_or(|flaw| sequence < flaw.sequence) {
            self.flaw = Some(Flaw {
                sequence,
                reason: reason.to_owned(),
            });
        }
    }
}
