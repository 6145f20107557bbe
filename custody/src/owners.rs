//! Owners: whose wallets are whose, at most so many each, one of them the primary one; and what wallets are for.
//!
//! How many an owner may have is decided where every other process decides it, under the database's write lock, and kept
//! there by unique places. It does not judge who may sign: that is policy.

mod places;

use std::collections::BTreeSet;

use keyward_core::account::AccountAddress;
use keyward_core::audit::{Operation, Outcome};

use crate::audit::ledger::Draft;
use crate::error::CustodyError;
use crate::store::{Ask, Facts, LifeWrite, SealedWallet, Write, transact};
use crate::vault::Custody;
use crate::wallets::{MAX_PAGE, WalletStatus, check_name, not_found};
pub(crate) use places::{Full, Places};

/// The longest name of an owner, in characters.
pub const MAX_OWNER_CHARS: usize = 64;

/// The longest role, in characters.
pub const MAX_ROLE_CHARS: usize = 32;

/// The most wallets of one call.
pub const MAX_ASSIGNED: usize = 1_000;

/// Somebody whom wallets belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its name, which no other has.
    pub name: String,
    /// When it was added, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// Its active wallets, which are at most as many as the vault's settings say.
    pub wallets: u64,
    /// Its other ones: replaced, retired and deleted, which do not count.
    pub others: u64,
    /// Its primary wallet; there is one exactly as long as there are active ones.
    pub primary: Option<AccountAddress>,
}

/// Which owners, by name.
#[derive(Clone, Debug)]
pub struct OwnerQuery {
    /// A piece of the name, without regard to ASCII case; empty finds all.
    pub text: String,
    /// Only those after this name, in the order of names.
    pub after: Option<String>,
    /// How many rows to give, at most [`MAX_PAGE`].
    pub limit: u32,
}

impl Default for OwnerQuery {
    fn default() -> Self {
        Self {
            text: String::new(),
            after: None,
            limit: 100,
        }
    }
}

/// One page of owners.
#[derive(Clone, Debug)]
pub struct OwnerPage {
    /// How many owners the text finds in all.
    pub total: u64,
    /// The page's rows; the next page comes after the name of the last one.
    pub rows: Vec<Owner>,
}

/// What an assignment came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// How many of the wallets are the owner's now that were not before.
    pub changed: usize,
    /// How many active wallets the owner has now.
    pub wallets: u64,
    /// How many it may have.
    pub limit: u64,
}

impl Custody {
    /// A page of owners.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for a page over [`MAX_PAGE`] or a longer text than names are, or the store's.
    pub async fn owners(&self, query: &OwnerQuery) -> Result<OwnerPage, CustodyError> {
        if query.limit > MAX_PAGE {
            return Err(CustodyError::invalid(
                "page",
                format!("at most {MAX_PAGE} owners"),
            ));
        }
        for text in query.after.iter().chain([&query.text]) {
            if text.chars().count() > MAX_OWNER_CHARS {
                return Err(CustodyError::invalid(
                    "search text",
                    format!("at most {MAX_OWNER_CHARS} characters"),
                ));
            }
        }
        self.store().owners(query).await
    }

    /// The owner of exactly this name.
    ///
    /// # Errors
    /// [`CustodyError::NotFound`], or the store's.
    pub async fn owner(&self, name: &str) -> Result<Owner, CustodyError> {
        let name = name.trim();
        self.store().owner(name).await?.ok_or_else(|| no_owner(name))
    }

    /// Adds an owner, without wallets.
    ///
    /// # Errors
    /// [`CustodyError::OwnerExists`], [`CustodyError::Invalid`] for a name that is none, [`CustodyError::Locked`], or the
    /// store's.
    pub async fn create_owner(&self, name: &str) -> Result<(), CustodyError> {
        let name = check_owner(name)?.to_owned();
        let details = format!("added {name:?}");
        self.change_owners(vec![name.clone()], &details, |places| {
            if places.named(&name).is_some() {
                return Err(CustodyError::OwnerExists { name: name.clone() });
            }
            Ok(LifeWrite::Owner { name: name.clone() })
        })
        .await
    }

    /// Gives an owner another name.
    ///
    /// # Errors
    /// As [`Self::create_owner`]; [`CustodyError::NotFound`].
    pub async fn rename_owner(&self, name: &str, new: &str) -> Result<(), CustodyError> {
        let (name, new) = (name.trim().to_owned(), check_owner(new)?.to_owned());
        let details = format!("renamed {name:?} to {new:?}");
        self.change_owners(vec![name.clone(), new.clone()], &details, |places| {
            let owner = places.named(&name).ok_or_else(|| no_owner(&name))?;
            if places.named(&new).is_some_and(|other| other != owner) {
                return Err(CustodyError::OwnerExists { name: new.clone() });
            }
            Ok(LifeWrite::OwnerName {
                owner,
                name: new.clone(),
            })
        })
        .await
    }

    /// Removes an owner that has no wallets, neither active nor others.
    ///
    /// # Errors
    /// [`CustodyError::OwnerHasWallets`], [`CustodyError::NotFound`], [`CustodyError::Locked`], or the store's.
    pub async fn remove_owner(&self, name: &str) -> Result<(), CustodyError> {
        let name = name.trim().to_owned();
        let details = format!("removed {name:?}");
        self.change_owners(vec![name.clone()], &details, |places| {
            let owner = places.named(&name).ok_or_else(|| no_owner(&name))?;
            let (wallets, others) = places.counts(owner);
            if wallets + others > 0 {
                return Err(CustodyError::OwnerHasWallets {
                    name: name.clone(),
                    wallets,
                    others,
                });
            }
            Ok(LifeWrite::OwnerGone { owner })
        })
        .await
    }

    async fn change_owners<F>(
        &self,
        owners: Vec<String>,
        details: &str,
        change: F,
    ) -> Result<(), CustodyError>
    where
        F: FnOnce(&Places) -> Result<LifeWrite, CustodyError> + Send,
    {
        let session = self.session().ok_or(CustodyError::Locked)?;
        let ask = Ask {
            owners,
            unsigned_tail: true,
            ..Ask::default()
        };
        transact(self.store(), ask, |ledger, facts| {
            let change = change(&Places::new(facts.owners))?;
            let draft = Draft::new(Operation::ChangeOwner, Outcome::Done).details(details);
            ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            Ok((vec![Write::Life(change)], ()))
        })
        .await
        .map(|_| ())
    }

    /// Gives wallets to an owner, all or none: each takes the lowest place that is free, and leaves the owner that it had.
    /// The first wallet of an owner becomes its primary one. A wallet that is the owner's already stays as it is.
    ///
    /// # Errors
    /// [`CustodyError::OwnerFull`] where there are not as many places as wallets; [`CustodyError::NotFound`] for the owner
    /// or a wallet; [`CustodyError::Invalid`] for a wallet that was replaced, those of signing for one that is retired,
    /// deleted or purged; [`CustodyError::Locked`], or the store's.
    pub async fn assign_wallets<A: Copy + Into<AccountAddress>>(
        &self,
        owner: &str,
        addresses: &[A],
    ) -> Result<Assigned, CustodyError> {
        let owner = owner.trim().to_owned();
        let wanted = several(addresses)?;
        self.place_wallets(wanted, vec![owner.clone()], |places, wallets, limit| {
            let id = places.named(&owner).ok_or_else(|| no_owner(&owner))?;
            let mut changed = 0;
            for wallet in wallets {
                expect_active(wallet)?;
                changed += usize::from(wallet.state.owner != Some(id));
                places
                    .enter(wallet, id, limit)
                    .map_err(|full| owner_full(full, limit))?;
            }
            let assigned = Assigned {
                changed,
                wallets: places.counts(id).0,
                limit,
            };
            Ok((format!("to owner {owner:?}"), assigned))
        })
        .await
    }

    /// Takes wallets away from whoever owns them, all or none; how many had an owner. Where a primary wallet goes, the
    /// owner's lowest place becomes it.
    ///
    /// # Errors
    /// [`CustodyError::NotFound`], [`CustodyError::Invalid`], [`CustodyError::Locked`], or the store's.
    pub async fn unassign_wallets<A: Copy + Into<AccountAddress>>(
        &self,
        addresses: &[A],
    ) -> Result<usize, CustodyError> {
        let wanted = several(addresses)?;
        self.place_wallets(wanted, Vec::new(), |places, wallets, _| {
            let mut changed = 0;
            for wallet in wallets.iter().filter(|wallet| wallet.state.owner.is_some()) {
                places.leave(wallet, None);
                changed += 1;
            }
            Ok(("to no owner".to_owned(), changed))
        })
        .await
    }

    async fn place_wallets<T, F>(
        &self,
        wanted: Vec<AccountAddress>,
        owners: Vec<String>,
        change: F,
    ) -> Result<T, CustodyError>
    where
        T: Send,
        F: FnOnce(&mut Places, &[SealedWallet], u64) -> Result<(String, T), CustodyError> + Send,
    {
        let session = self.session().ok_or(CustodyError::Locked)?;
        let ask = Ask {
            wallets: wanted.clone(),
            owners,
            owners_of_wallets: true,
            unsigned_tail: true,
            ..Ask::default()
        };
        let (value, _) = transact(self.store(), ask, |ledger, facts| {
            let limit = facts.settings()?.max_wallets_per_owner;
            all_there(&wanted, &facts)?;
            let mut places = Places::new(facts.owners);
            let (details, value) = change(&mut places, &facts.wallets, limit)?;
            ledger.append(
                facts.now_ms,
                self.scribe(Some(&session)),
                about(Operation::AssignOwner, &wanted, &details),
            )?;
            Ok((places.into_writes(), value))
        })
        .await?;
        Ok(value)
    }

    /// Makes a wallet its owner's primary one, in the place of the one that was: both at once, or neither.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for a wallet that nobody owns, or that does not count among its owner's;
    /// [`CustodyError::NotFound`], [`CustodyError::Locked`], or the store's.
    pub async fn set_primary(&self, address: impl Into<AccountAddress>) -> Result<(), CustodyError> {
        let address = address.into();
        let session = self.session().ok_or(CustodyError::Locked)?;
        let ask = Ask {
            wallets: vec![address],
            owners_of_wallets: true,
            unsigned_tail: true,
            ..Ask::default()
        };
        transact(self.store(), ask, |ledger, facts| {
            let wallet = facts
                .wallets
                .first()
                .ok_or_else(|| not_found(&address.to_string()))?;
            expect_active(wallet)?;
            let (Some(owner), Some(_)) = (wallet.state.owner, wallet.state.slot) else {
                return Err(CustodyError::invalid(
                    "primary wallet",
                    "it has no owner; assign it to one first",
                ));
            };
            let name = facts.owners.iter().find(|facts| facts.id == owner);
            let name = name.map_or("", |facts| facts.name.as_str());
            let draft = Draft::new(Operation::SetPrimary, Outcome::Done)
                .wallet(address)
                .details(format!("of owner {name:?}"));
            ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            let id = wallet.id;
            Ok((Places::new(facts.owners).lead(id, owner), ()))
        })
        .await
        .map(|_| ())
    }

    /// Says what wallets are for, all or none; an empty role takes it away.
    ///
    /// # Errors
    /// [`CustodyError::NotFound`], [`CustodyError::Invalid`], [`CustodyError::Locked`], or the store's.
    pub async fn set_role<A: Copy + Into<AccountAddress>>(
        &self,
        addresses: &[A],
        role: &str,
    ) -> Result<(), CustodyError> {
        let role = role.trim();
        check_name("role", role, MAX_ROLE_CHARS)?;
        let wanted = several(addresses)?;
        let details = if role.is_empty() {
            "role taken away".to_owned()
        } else {
            format!("role {role:?}")
        };
        let session = self.session().ok_or(CustodyError::Locked)?;
        let ask = Ask {
            wallets: wanted.clone(),
            unsigned_tail: true,
            ..Ask::default()
        };
        transact(self.store(), ask, |ledger, facts| {
            all_there(&wanted, &facts)?;
            ledger.append(
                facts.now_ms,
                self.scribe(Some(&session)),
                about(Operation::SetRole, &wanted, &details),
            )?;
            let writes = facts.wallets.iter().map(|wallet| {
                Write::Life(LifeWrite::Role {
                    wallet: wallet.id,
                    role: role.to_owned(),
                })
            });
            Ok((writes.collect(), ()))
        })
        .await
        .map(|_| ())
    }
}

/// Each wallet once, in the order given.
fn several<A: Copy + Into<AccountAddress>>(addresses: &[A]) -> Result<Vec<AccountAddress>, CustodyError> {
    if addresses.is_empty() || addresses.len() > MAX_ASSIGNED {
        return Err(CustodyError::invalid(
            "wallets",
            format!("1 to {MAX_ASSIGNED} at a time"),
        ));
    }
    let mut seen = BTreeSet::new();
    let each = addresses.iter().map(|address| (*address).into());
    Ok(each.filter(|address| seen.insert(*address)).collect())
}

fn all_there(wanted: &[AccountAddress], facts: &Facts) -> Result<(), CustodyError> {
    let known: BTreeSet<AccountAddress> = facts.wallets.iter().map(|wallet| wallet.address).collect();
    match wanted.iter().find(|address| !known.contains(address)) {
        Some(missing) => Err(not_found(&missing.to_string())),
        None => Ok(()),
    }
}

/// An entry that names its wallet, or says how many there are.
fn about(operation: Operation, wallets: &[AccountAddress], details: &str) -> Draft {
    let draft = Draft::new(operation, Outcome::Done);
    match wallets {
        [only] => draft.wallet(*only).details(details),
        many => draft.details(format!("{details}; {} wallets", many.len())),
    }
}

/// Only an active wallet has a place.
fn expect_active(wallet: &SealedWallet) -> Result<(), CustodyError> {
    wallet.state.status.expect_signing(wallet.address)?;
    if wallet.state.status == WalletStatus::Active {
        return Ok(());
    }
    Err(CustodyError::invalid(
        "wallet",
        format!(
            "{} was replaced by a newer key; name that one",
            wallet.address.abbreviated()
        ),
    ))
}

pub(crate) fn owner_full(full: Full, limit: u64) -> CustodyError {
    CustodyError::OwnerFull {
        owner: full.owner,
        wallets: full.taken,
        limit,
    }
}

fn no_owner(name: &str) -> CustodyError {
    CustodyError::OwnerNotFound {
        name: name
            .chars()
            .filter(|c| !c.is_control())
            .take(MAX_OWNER_CHARS)
            .collect(),
    }
}

/// A name as it is stored.
fn check_owner(name: &str) -> Result<&str, CustodyError> {
    let name = name.trim();
    check_name("owner", name, MAX_OWNER_CHARS)?;
    if name.is_empty() {
        return Err(CustodyError::invalid("owner", "the name is empty"));
    }
    Ok(name)
}
