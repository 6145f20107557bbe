//! The decision of one rotation: pure, on facts read under the write lock.

use keyward_core::account::AccountAddress;
use keyward_core::audit::{Operation, Outcome};

use super::KeyRotation;
use super::interval::shown;
use super::keys::{Candidates, Line};
use crate::audit::ledger::{Draft, Ledger, Scribe};
use crate::error::CustodyError;
use crate::store::key_chain::{KeyChain, KeyChange, NextRotation, Predecessor, Replacement};
use crate::store::{Facts, SealedWallet, Write};
use crate::vault::Session;
use crate::wallets::secrets::whole_again;
use crate::wallets::{MAX_LABEL_CHARS, MasterId, WalletStatus, not_found};

/// How far back a rotation looks for keys to retire.
pub(super) const CHAIN_DEPTH: u32 = 256;

/// Who wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trigger {
    /// A person, whatever the schedule says.
    Asked,
    /// The schedule, if it still does.
    Due,
}

impl Trigger {
    const fn word(self) -> &'static str {
        match self {
            Self::Asked => "asked for",
            Self::Due => "due",
        }
    }
}

/// How the decision ends.
pub(super) enum Verdict {
    Rotated(KeyRotation),
    /// Others took the indices that keys were made for.
    IndexTaken,
}

/// A rotation before its judge. Errors change nothing.
pub(super) struct Case<'a> {
    pub(super) session: &'a Session,
    pub(super) scribe: Scribe<'a>,
    /// The wallet as it was when its own password was checked, if it has one.
    pub(super) opened: &'a SealedWallet,
    pub(super) trigger: Trigger,
    pub(super) line: &'a Line,
    pub(super) candidates: Candidates,
}

/// Only a key in use is replaced, and once.
///
/// # Errors
/// [`CustodyError::AlreadyRotated`], or what the wallet's status says.
pub(super) fn expect_active(wallet: &SealedWallet, chain: &KeyChain) -> Result<(), CustodyError> {
    if let Some(successor) = chain.successor {
        return Err(CustodyError::AlreadyRotated {
            wallet: wallet.address,
            replacement: successor.address,
        });
    }
    match wallet.state.status {
        WalletStatus::Active => Ok(()),
        WalletStatus::Rotated | WalletStatus::Retired => Err(CustodyError::WalletRetired {
            wallet: wallet.address,
        }),
        gone => gone.expect_signing(wallet.address),
    }
}

impl Case<'_> {
    pub(super) fn decide(
        self,
        ledger: &mut Ledger,
        facts: Facts,
    ) -> Result<(Vec<Write>, Verdict), CustodyError> {
        if !self.session.is_open() {
            return Err(CustodyError::Locked);
        }
        let address = self.opened.address;
        let found = facts.wallets.first().zip(facts.key_chain.as_ref());
        let (wallet, chain) = found.ok_or_else(|| not_found(&address.to_string()))?;
        expect_active(wallet, chain)?;
        // The grace period is counted from now, so now must be right.
        if facts.now_ms < ledger.last_ms() {
            let behind_ms = ledger.last_ms() - facts.now_ms;
            return Err(CustodyError::ClockBehind { behind_ms });
        }
        // Its own password was set, changed or taken away since it was checked.
        if wallet.own_password != self.opened.own_password
            || wallet.own_password && wallet.sealed != self.opened.sealed
        {
            return Err(CustodyError::Busy);
        }
        let due_ms = wallet.state.rotate_at_ms;
        if self.trigger == Trigger::Due && due_ms.is_none_or(|due_ms| due_ms > facts.now_ms) {
            return Err(CustodyError::NotDue { wallet: address });
        }
        let next_index = facts.master.as_ref().map_or(0, |master| master.next_index);
        let Some((index, mut new)) = self.candidates.take(next_index, &facts.known) else {
            return Ok((Vec::new(), Verdict::IndexTaken));
        };
        new.label.clone_from(&chain.label);
        let rules = facts.settings()?;
        let state = &wallet.state;
        let rotation = KeyRotation {
            from: address,
            to: new.address,
            master: MasterId(self.line.master),
            family: self.line.family,
            index,
            grace_until_ms: facts.now_ms.saturating_add(rules.deposit_grace_ms),
            rotate_at_ms: state
                .rotate_every_ms
                .map(|every| facts.now_ms.saturating_add(every)),
            retired: retiring(wallet, chain, rules.kept_keys)
                .map(|(_, old)| old)
                .collect(),
        };
        let written = format!(
            "replaced by {}: phrase {}, {}, index {index}; {}; signs and receives for another {}",
            rotation.to,
            rotation.master,
            rotation.family,
            self.trigger.word(),
            shown(rules.deposit_grace_ms)
        );
        let draft = Draft::new(Operation::RotateWallet, Outcome::Done)
            .wallet(address)
            .details(written);
        ledger.append(facts.now_ms, self.scribe, draft)?;
        let draft = Draft::new(Operation::RotateWallet, Outcome::Done)
            .wallet(rotation.to)
            .details(format!("in place of {address}"));
        ledger.append(facts.now_ms, self.scribe, draft)?;
        let mut writes = vec![
            Write::Key(KeyChange::Replace(Box::new(Replacement {
                old: wallet.id,
                old_label: old_label(&chain.label, state.rotation_count),
                grace_until_ms: rotation.grace_until_ms,
                from: (self.line.master, self.line.family),
                new,
                owner: state.owner,
                slot: state.slot,
                is_primary: state.is_primary,
                role: state.role.clone(),
                next: state
                    .rotate_every_ms
                    .zip(rotation.rotate_at_ms)
                    .map(|(every_ms, at_ms)| NextRotation { every_ms, at_ms }),
                rotation_count: state.rotation_count.saturating_add(1),
            }))),
            Write::NextIndex {
                master: self.line.master,
                family: self.line.family,
                next_index: index.saturating_add(1),
            },
        ];
        if wallet.own_password {
            writes.push(whole_again(wallet.id));
        }
        for (id, old) in retiring(wallet, chain, rules.kept_keys) {
            let draft = Draft::new(Operation::RetireWallet, Outcome::Done)
                .wallet(old)
                .details(format!(
                    "newer keys of the wallet that still sign: {}",
                    rules.kept_keys
                ));
            ledger.append(facts.now_ms, self.scribe, draft)?;
            writes.push(Write::Key(KeyChange::Retire { wallet: id }));
        }
        Ok((writes, Verdict::Rotated(rotation)))
    }
}

/// What the newest `kept` replaced keys leave over, the one that is being replaced among them. A key that was given more
/// time by hand stays until that is over.
fn retiring<'a>(
    wallet: &'a SealedWallet,
    chain: &'a KeyChain,
    kept: u64,
) -> impl Iterator<Item = (i64, AccountAddress)> + 'a {
    let own = (wallet.id, wallet.address, true);
    let before = chain.predecessors.iter().map(|key| {
        (
            key.id,
            key.address,
            key.status == WalletStatus::Rotated && !is_extended(key),
        )
    });
    std::iter::once(own)
        .chain(before)
        .skip(usize::try_from(kept).unwrap_or(usize::MAX))
        .filter(|(.., retires)| *retires)
        .map(|(id, address, _)| (id, address))
}

/// Whether its status is newer than the key that replaced it: then somebody gave it more time since, or restored it.
const fn is_extended(key: &Predecessor) -> bool {
    key.status_ms > key.replaced_ms
}

/// What a replaced key is called: the wallet's name, and which of its keys it was, from 1.
fn old_label(label: &str, rotation_count: u32) -> String {
    if label.is_empty() {
        return String::new();
    }
    let suffix = format!(" (old key {})", u64::from(rotation_count) + 1);
    let kept = MAX_LABEL_CHARS.saturating_sub(suffix.chars().count());
    let mut name: String = label.chars().take(kept).collect();
    name.truncate(name.trim_end().len());
    name.push_str(&suffix);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_keys_label_says_so_within_its_bounds() {
        assert_eq!(old_label("", 3), "");
        assert_eq!(old_label("hot", 0), "hot (old key 1)");
        assert_eq!(old_label("hot", u32::MAX), "hot (old key 4294967296)");
        let long = "é".repeat(MAX_LABEL_CHARS);
        let label = old_label(&long, 41);
        assert_eq!(label.chars().count(), MAX_LABEL_CHARS);
        assert!(label.ends_with("éé (old key 42)"), "{label}");
        assert_eq!(
            old_label(&format!("{}  x", "a".repeat(50)), 0),
            format!("{} (old key 1)", "a".repeat(50))
        );
    }

    #[test]
    fn a_key_whose_status_is_newer_than_its_successor_was_given_more_time() {
        let key = |status_ms| Predecessor {
            id: 1,
            address: keyward_core::address::Address::new([1; 32]).into(),
            status: WalletStatus::Rotated,
            status_ms,
            replaced_ms: 1_000,
        };
        for (status_ms, extended) in [(0, false), (999, false), (1_000, false), (1_001, true)] {
            assert_eq!(is_extended(&key(status_ms)), extended, "{status_ms}");
        }
    }
}
