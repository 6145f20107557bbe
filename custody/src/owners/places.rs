//! Who has which place: pure, on facts read under the write lock.

use std::collections::{BTreeMap, BTreeSet};

use crate::store::{LifeWrite, OwnerFacts, OwnerPlace, SealedWallet, Write};

/// The places of some owners, and what a decision changed of them.
pub(crate) struct Places {
    owners: BTreeMap<i64, OwnerFacts>,
    /// Wallets that gave up what they had, and whose they are from now on, if anybody's.
    left: BTreeMap<i64, Option<i64>>,
    /// Wallets with a new place.
    entered: BTreeMap<i64, (i64, u32)>,
    /// Owners of whom any place changed.
    touched: BTreeSet<i64>,
}

/// Why a wallet got no place.
pub(crate) struct Full {
    /// The owner's name.
    pub(crate) owner: String,
    /// How many places it has taken.
    pub(crate) taken: u64,
}

impl Places {
    pub(crate) fn new(owners: Vec<OwnerFacts>) -> Self {
        Self {
            owners: owners.into_iter().map(|owner| (owner.id, owner)).collect(),
            left: BTreeMap::new(),
            entered: BTreeMap::new(),
            touched: BTreeSet::new(),
        }
    }

    /// The owner of this name.
    pub(crate) fn named(&self, name: &str) -> Option<i64> {
        self.owners
            .values()
            .find(|owner| owner.name == name)
            .map(|owner| owner.id)
    }

    /// How many wallets of an owner have a place, and how many have none.
    pub(crate) fn counts(&self, owner: i64) -> (u64, u64) {
        // usize has at most 64 bits
        self.owners
            .get(&owner)
            .map_or((0, 0), |owner| (owner.places.len() as u64, owner.others))
    }

    /// Takes a wallet's place away, if it has one, and remembers `owner` as whose it is without one.
    pub(crate) fn leave(&mut self, wallet: &SealedWallet, owner: Option<i64>) {
        if let Some(before) = wallet.state.owner.and_then(|id| self.owners.get_mut(&id)) {
            let had = before.places.len();
            before.places.retain(|place| place.wallet != wallet.id);
            if before.places.len() != had {
                self.touched.insert(before.id);
            }
        }
        self.left.insert(wallet.id, owner);
    }

    /// Gives a wallet the lowest free place among the first `limit` of an owner; the one that it has, if it has.
    pub(crate) fn enter(&mut self, wallet: &SealedWallet, owner: i64, limit: u64) -> Result<(), Full> {
        if wallet.state.owner == Some(owner) && wallet.state.slot.is_some() {
            return Ok(());
        }
        let full = |owner: Option<&OwnerFacts>| Full {
            owner: owner.map_or_else(String::new, |owner| owner.name.clone()),
            taken: owner.map_or(0, |owner| owner.places.len() as u64), // usize has at most 64 bits
        };
        let Some(places) = self.owners.get(&owner) else {
            return Err(full(None));
        };
        // Places above a limit that was lowered count as well: there is room only below it.
        let slot = lowest_free(&places.places).filter(|slot| u64::from(*slot) <= limit);
        let crowded = places.places.len() as u64 >= limit; // usize has at most 64 bits
        let Some(slot) = slot.filter(|_| !crowded) else {
            return Err(full(Some(places)));
        };
        if wallet.state.owner.is_some() {
            self.leave(wallet, None);
        }
        if let Some(places) = self.owners.get_mut(&owner) {
            let at = places.places.partition_point(|place| place.slot < slot);
            places.places.insert(
                at,
                OwnerPlace {
                    slot,
                    wallet: wallet.id,
                    is_primary: false,
                },
            );
        }
        self.left.remove(&wallet.id);
        self.entered.insert(wallet.id, (owner, slot));
        self.touched.insert(owner);
        Ok(())
    }

    /// Makes a wallet its owner's primary one.
    pub(crate) fn lead(&mut self, wallet: i64, owner: i64) -> Vec<Write> {
        let Some(owner) = self.owners.get(&owner) else {
            return Vec::new();
        };
        let change = |place: &OwnerPlace, is_primary| {
            Write::Life(LifeWrite::Place {
                wallet: place.wallet,
                owner: Some(owner.id),
                slot: Some(place.slot),
                is_primary,
            })
        };
        let old = owner.places.iter().filter(|place| place.is_primary);
        let new = owner.places.iter().filter(|place| place.wallet == wallet);
        // Two at once are impossible, so the old one goes first.
        old.map(|place| change(place, false))
            .chain(new.map(|place| change(place, true)))
            .collect()
    }

    /// What is to be written: what is given up, what is given, and a primary wallet for whoever has places and none of
    /// them is.
    pub(crate) fn into_writes(self) -> Vec<Write> {
        let place = |wallet, owner, slot, is_primary| {
            Write::Life(LifeWrite::Place {
                wallet,
                owner,
                slot,
                is_primary,
            })
        };
        let mut writes: Vec<Write> = self
            .left
            .iter()
            .map(|(wallet, owner)| place(*wallet, *owner, None, false))
            .collect();
        writes.extend(
            self.entered
                .iter()
                .map(|(wallet, (owner, slot))| place(*wallet, Some(*owner), Some(*slot), false)),
        );
        for owner in self.touched.iter().filter_map(|id| self.owners.get(id)) {
            if owner.places.iter().any(|place| place.is_primary) {
                continue;
            }
            if let Some(lowest) = owner.places.first() {
                writes.push(place(lowest.wallet, Some(owner.id), Some(lowest.slot), true));
            }
        }
        writes
    }
}

/// The lowest number from 1 that none of the places, which are in order, has.
fn lowest_free(places: &[OwnerPlace]) -> Option<u32> {
    let mut slot = 1_u32;
    for place in places {
        if place.slot > slot {
            break;
        }
        slot = place.slot.checked_add(1)?;
    }
    Some(slot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_free_slot_is_found() {
        for (taken, expected) in [
            (&[][..], 1),
            (&[1], 2),
            (&[2], 1),
            (&[1, 2, 3], 4),
            (&[1, 3], 2),
            (&[1, 2, 4, 5], 3),
        ] {
            let places: Vec<OwnerPlace> = taken
                .iter()
                .map(|slot| OwnerPlace {
                    slot: *slot,
                    wallet: i64::from(*slot),
                    is_primary: false,
                })
                .collect();
            assert_eq!(lowest_free(&places), Some(expected), "{taken:?}");
        }
        let last = OwnerPlace {
            slot: u32::MAX,
            wallet: 1,
            is_primary: false,
        };
        assert_eq!(lowest_free(&[last]), Some(1));
    }
}
