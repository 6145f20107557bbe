//! The seal inside one database transaction: opened when the log's edge was verified, closed over the log as it came to be.

use keyward_core::audit::Frontier;
use keyward_core::path::PathFamily;

use super::effect::new_wallet;
use super::{Bond, Changes, SealKeys, Sum, Sums};
use crate::audit::ledger::{HeadSigner, LedgerState};
use crate::error::CustodyError;
use crate::memory::clearing_stack;
use crate::store::{NewWallet, rows, stored_integer};
use crate::vault::random;

/// What a transaction does to the seal.
#[derive(Debug, Default)]
pub(crate) struct Sealing {
    /// Of the vault key in force, once an unlocked handle has verified the log's edge. Boxed, so that moving leaves no copy.
    keys: Option<Box<SealKeys>>,
    origin: String,
    /// As stored; none of a vault that was never sealed.
    sums: Option<Sums>,
    /// Those of the vault key that was in force before, to be counted before anything is written.
    before: Option<(Box<SealKeys>, Sums)>,
    /// Whether all rows are to be counted once everything is written.
    counts: bool,
    closed: bool,
}

impl Sealing {
    /// Takes the signer's keys and opens what is stored. Once in a transaction.
    ///
    /// # Errors
    /// [`CustodyError::AuditBroken`] where it does not belong to this log as it stands.
    pub(crate) fn begin(
        &mut self,
        signer: &HeadSigner,
        state: Option<&LedgerState>,
    ) -> Result<(), CustodyError> {
        if self.keys.is_some() {
            return Ok(());
        }
        let keys = clearing_stack(|| Box::new(signer.seal_keys()));
        self.sums = match state {
            // A new vault: whatever it is made of is about to be written.
            None => Some(Sums::default()),
            Some(state) => match &state.seal {
                None => None,
                Some(stored) => {
                    let bond = bond(signer.origin(), &state.signed_frontier);
                    Some(keys.open(stored, bond).ok_or_else(|| CustodyError::AuditBroken {
                        sequence: state.signed_size.saturating_sub(1),
                        reason: "the seal over what is stored does not belong to the log up to it".to_owned(),
                    })?)
                }
            },
        };
        signer.origin().clone_into(&mut self.origin);
        self.keys = Some(keys);
        Ok(())
    }

    /// The vault key is rotated: all rows are counted under the old one before, and under the next one after.
    pub(crate) fn rekey(&mut self, next: &HeadSigner) {
        let next = clearing_stack(|| Box::new(next.seal_keys()));
        let old = self.keys.replace(next);
        // What was never sealed is sealed when it is next unlocked.
        if let (Some(old), Some(sums)) = (old, self.sums.take()) {
            self.before = Some((old, sums));
            self.counts = true;
        }
    }

    /// Whether the vault is open and has no seal yet.
    pub(crate) fn is_missing(&self) -> bool {
        self.keys.is_some() && self.sums.is_none() && !self.counts
    }

    /// Counts all rows at the end of this transaction, and seals them.
    pub(crate) fn begin_first(&mut self) {
        self.counts = true;
    }

    /// The old keys, when all rows are to be counted by them before anything is written.
    pub(crate) fn counts_before(&self) -> Option<&SealKeys> {
        self.before.as_ref().map(|(keys, _)| &**keys)
    }

    /// The keys, when all rows are to be counted by them after everything was written.
    pub(crate) fn counts_after(&self) -> Option<&SealKeys> {
        self.keys.as_deref().filter(|_| self.counts)
    }

    /// Whether each change is to be followed, since there is a seal and all is not counted anyway.
    pub(crate) fn follows(&self) -> bool {
        self.keys.is_some() && self.sums.is_some() && !self.counts
    }

    /// The sum of new wallets that get the ids after this one, where changes are followed.
    pub(crate) fn count_new_wallets(
        &self,
        from: Option<(i64, PathFamily)>,
        wallets: &[NewWallet],
        highest: i64,
        now_ms: u64,
    ) -> Result<Sum, CustodyError> {
        let Some(keys) = &self.keys else {
            return Err(CustodyError::Locked);
        };
        let now = stored_integer("time", now_ms)?;
        let last = highest.checked_add(stored_integer("wallets", wallets.len() as u64)?); // usize has at most 64 bits
        if last.is_none() {
            return Err(CustodyError::invalid(
                "wallets",
                "there are no ids left for so many",
            ));
        }
        let family = from.map(|(master, family)| (master, family.id()));
        Ok(keys.count(&rows::WALLETS, wallets, |at, wallet| {
            let after = i64::try_from(at).unwrap_or(i64::MAX).saturating_add(1);
            new_wallet(wallet, highest.saturating_add(after), family, now)
        }))
    }

    /// Holds what was counted against what was sealed.
    pub(crate) fn compare_before(&mut self, counted: &Sums) -> Result<(), CustodyError> {
        match self.before.take() {
            Some((_, sealed)) if sealed != *counted => Err(CustodyError::damaged(differs(&sealed, counted))),
            _ => Ok(()),
        }
    }

    /// Takes what was counted for what is to be sealed.
    pub(crate) fn counted(&mut self, sums: Sums) {
        self.sums = Some(sums);
        self.counts = false;
    }

    /// Puts the changes under the seal, and binds it to the log as it is now.
    ///
    /// # Errors
    /// [`CustodyError::Locked`] where there is a seal and no key to keep it with, and [`CustodyError::Randomness`].
    pub(crate) fn close(
        &mut self,
        changes: &Changes,
        state: &mut LedgerState,
        moved: bool,
    ) -> Result<(), CustodyError> {
        let (Some(keys), Some(sums)) = (&self.keys, &mut self.sums) else {
            return match (&state.seal, changes.is_empty()) {
                (Some(_), false) => Err(CustodyError::Locked),
                _ => Ok(()),
            };
        };
        if moved || !changes.is_empty() || state.seal.is_none() {
            keys.apply(sums, changes);
            let nonce = random()?;
            let bond = bond(&self.origin, &state.signed_frontier);
            state.seal = Some(clearing_stack(|| keys.close(sums, bond, nonce)));
            self.closed = true;
        }
        Ok(())
    }

    /// Whether there is something to be stored.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }
}

/// What the seal of a log at this edge is bound to.
pub(crate) fn bond<'a>(origin: &'a str, signed: &Frontier) -> Bond<'a> {
    Bond {
        origin,
        size: signed.size(),
        root: signed.root(),
    }
}

/// What is wrong, in words.
pub(crate) fn differs(sealed: &Sums, counted: &Sums) -> String {
    let tables = sealed.differing(counted).join(", ");
    format!("rows were changed past the program: what is in {tables} is not what was sealed")
}
