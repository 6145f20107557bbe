//! Who owned what after each entry of the audit log: the places of owners, given out again as the vault gives them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Context as _;
use keyward_core::audit::{AuditEntry, Operation};

use crate::chaos::place::Place;

/// The most active wallets of an owner: the default of the vault's setting.
const MOST: u32 = 3;

/// One owner's wallets, by place from 1 on.
#[derive(Clone, Debug, Default)]
struct Desk {
    wallets: BTreeMap<u32, String>,
    primary: Option<String>,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Owners {
    desks: BTreeMap<String, Desk>,
    /// By wallet: the owner and the place.
    owned: HashMap<String, (String, u32)>,
    assigned: u64,
    led: u64,
}

impl Owners {
    /// How many changes were recorded.
    pub(super) const fn recorded(&self) -> (u64, u64) {
        (self.assigned, self.led)
    }

    /// What an entry says happened.
    pub(super) fn take(&mut self, entry: &AuditEntry, violations: &mut Vec<String>) {
        let Some(wallet) = entry.wallet.map(|wallet| wallet.to_string()) else {
            return;
        };
        let named = entry.details.split('"').nth(1);
        match (entry.operation, named) {
            (Operation::AssignOwner, Some(owner)) => {
                self.assigned += 1;
                self.enter(&wallet, owner, entry.sequence, violations);
            }
            (Operation::AssignOwner, None) => {
                self.assigned += 1;
                self.leave(&wallet);
            }
            (Operation::SetPrimary, Some(owner)) => {
                self.led += 1;
                let desk = self.desks.entry(owner.to_owned()).or_default();
                if !desk.wallets.values().any(|other| *other == wallet) {
                    violations.push(format!(
                        "entry {} lets a wallet lead that {owner} does not own",
                        entry.sequence
                    ));
                }
                desk.primary = Some(wallet);
            }
            _ => {}
        }
    }

    fn enter(&mut self, wallet: &str, owner: &str, sequence: u64, violations: &mut Vec<String>) {
        if self.owned.get(wallet).is_some_and(|(other, _)| other == owner) {
            return;
        }
        self.leave(wallet);
        let desk = self.desks.entry(owner.to_owned()).or_default();
        let Some(free) = (1..=MOST).find(|place| !desk.wallets.contains_key(place)) else {
            violations.push(format!("entry {sequence} gives {owner} one wallet too many"));
            return;
        };
        desk.wallets.insert(free, wallet.to_owned());
        desk.primary.get_or_insert_with(|| wallet.to_owned());
        self.owned.insert(wallet.to_owned(), (owner.to_owned(), free));
    }

    fn leave(&mut self, wallet: &str) {
        let Some((owner, place)) = self.owned.remove(wallet) else {
            return;
        };
        let desk = self.desks.entry(owner).or_default();
        desk.wallets.remove(&place);
        if desk.primary.as_deref() == Some(wallet) {
            desk.primary = desk.wallets.values().next().cloned();
        }
    }

    /// Holds the table against what must have come of all that.
    pub(super) async fn compare(&self, place: &Place, violations: &mut Vec<String>) -> anyhow::Result<()> {
        let rows = place
            .rows(
                &[
                    "o.name",
                    "w.owner_slot",
                    "w.address",
                    "CASE WHEN w.is_primary THEN 'primary' ELSE '' END",
                ],
                "wallets w JOIN owners o ON o.owner_id = w.owner_id",
            )
            .await?;
        let found: BTreeSet<Vec<String>> = rows.into_iter().collect();
        let mut expected = BTreeSet::new();
        for (owner, desk) in &self.desks {
            for (slot, wallet) in &desk.wallets {
                let leads = desk.primary.as_ref() == Some(wallet);
                let leads = if leads { "primary" } else { "" };
                expected.insert(vec![
                    owner.clone(),
                    slot.to_string(),
                    wallet.clone(),
                    leads.to_owned(),
                ]);
            }
            let primaries = found
                .iter()
                .filter(|row| {
                    row.first() == Some(owner) && row.last().is_some_and(|leads| leads == "primary")
                })
                .count();
            if primaries != usize::from(!desk.wallets.is_empty()) {
                violations.push(format!("{owner} has {primaries} primary wallets"));
            }
        }
        for row in found.symmetric_difference(&expected) {
            let whose = if found.contains(row) { "stored" } else { "recorded" };
            let row = row.first().map(|_| row.join(", ")).context("no columns")?;
            violations.push(format!("only {whose}: {row}"));
        }
        Ok(())
    }
}
