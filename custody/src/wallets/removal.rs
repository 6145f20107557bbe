//! The end of a wallet: deleted, and restored or, after a grace period, purged.
//!
//! A deleted wallet keeps its key and does nothing with it. Purging destroys the key, for ever as far as this store goes:
//! copies of the database, and phrases and files that the key came from, are not its to reach.

use keyward_core::account::AccountAddress;
use keyward_core::audit::{Operation, Outcome};
use keyward_core::vault::SecondFactor;

use super::{MAX_PAGE, StatusFilter, Wallet, WalletQuery, WalletStatus, not_found};
use crate::audit::ledger::Draft;
use crate::error::CustodyError;
use crate::owners::Places;
use crate::password::Password;
use crate::store::{Ask, LifeWrite, SealedWallet, Write, transact};
use crate::vault::Custody;

/// The most wallets whose keys one transaction destroys.
const PURGED_AT_ONCE: usize = 500;

/// What became of a wallet that was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What it is again.
    pub status: WalletStatus,
    /// Whose it is.
    pub owner: Option<String>,
    /// Whose it was, where that owner has no place for it any more: it has none now.
    pub owner_without_room: Option<String>,
}

/// What a purge destroyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purged {
    /// The wallets whose keys are gone.
    pub wallets: Vec<AccountAddress>,
    /// Whether nothing of them is left in the database's journal either. PostgreSQL keeps rows that were overwritten
    /// until it vacuums; on SQLite a reader in another process may have held on to the journal.
    pub scrubbed: bool,
}

impl Custody {
    /// Deletes a wallet: it signs no more, counts no more among its owner's, and can be restored until it is purged, which
    /// it can be once the grace period of the settings is over. When that is, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// [`CustodyError::TransferUnderWay`] while a transfer of it is unresolved; [`CustodyError::WalletDeleted`] and
    /// [`CustodyError::WalletPurged`] for one that is gone already; [`CustodyError::NotFound`],
    /// [`CustodyError::Locked`], or the store's.
    pub async fn delete_wallet(&self, address: impl Into<AccountAddress>) -> Result<u64, CustodyError> {
        let address = address.into();
        let session = self.session().ok_or(CustodyError::Locked)?;
        let ask = Ask {
            wallets: vec![address],
            owners_of_wallets: true,
            in_flight: true,
            unsigned_tail: true,
            ..Ask::default()
        };
        let (until_ms, _) = transact(self.store(), ask, |ledger, facts| {
            let grace_ms = facts.settings()?.purge_grace_ms;
            let wallet = only(&facts.wallets, address)?;
            let from = wallet.state.status;
            if from == WalletStatus::Deleted || from == WalletStatus::Purged {
                from.expect_signing(address)?;
            }
            if facts.in_flight.contains(&wallet.id) {
                return Err(CustodyError::TransferUnderWay { wallet: address });
            }
            let purge_after_ms = facts.now_ms.saturating_add(grace_ms);
            let draft = Draft::new(Operation::DeleteWallet, Outcome::Done)
                .wallet(address)
                .details(format!("can be restored for {} s", grace_ms / 1_000));
            ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            let mut places = Places::new(facts.owners);
            places.leave(wallet, wallet.state.owner);
            let mut writes = vec![Write::Life(LifeWrite::Deleted {
                wallet: wallet.id,
                from,
                purge_after_ms,
            })];
            // It gave up its place just now; what is left to do is for the others.
            writes.extend(places.into_writes());
            Ok((writes, purge_after_ms))
        })
        .await?;
        Ok(until_ms)
    }

    /// Makes a deleted wallet what it was. An active one gets a place at its owner's again; where that owner has none left,
    /// it comes back without an owner.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for a wallet that is not deleted, [`CustodyError::WalletPurged`],
    /// [`CustodyError::NotFound`], [`CustodyError::Locked`], or the store's.
    pub async fn restore_wallet(&self, address: impl Into<AccountAddress>) -> Result<Restored, CustodyError> {
        let address = address.into();
        let session = self.session().ok_or(CustodyError::Locked)?;
        let ask = Ask {
            wallets: vec![address],
            owners_of_wallets: true,
            unsigned_tail: true,
            ..Ask::default()
        };
        let (restored, _) = transact(self.store(), ask, |ledger, facts| {
            let limit = facts.settings()?.max_wallets_per_owner;
            let wallet = only(&facts.wallets, address)?;
            let to = deleted_from(wallet)?;
            let owner = wallet.state.owner;
            let owner = owner.and_then(|id| facts.owners.iter().find(|owner| owner.id == id));
            let owner = owner.map(|owner| (owner.id, owner.name.clone()));
            let mut places = Places::new(facts.owners);
            let mut restored = Restored {
                status: to,
                owner: owner.as_ref().map(|(_, name)| name.clone()),
                owner_without_room: None,
            };
            if let (WalletStatus::Active, Some((id, _))) = (to, &owner)
                && places.enter(wallet, *id, limit).is_err()
            {
                places.leave(wallet, None);
                restored.owner_without_room = restored.owner.take();
            }
            let details = match (&restored.owner, &restored.owner_without_room) {
                (_, Some(name)) => format!("{to}, without owner: {name:?} has no place left"),
                (Some(name), None) => format!("{to}, of owner {name:?}"),
                (None, None) => to.to_string(),
            };
            let draft = Draft::new(Operation::RestoreWallet, Outcome::Done)
                .wallet(address)
                .details(details);
            ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            let every_ms = wallet
                .state
                .rotate_every_ms
                .filter(|_| to == WalletStatus::Active);
            let mut writes = vec![Write::Life(LifeWrite::Restored {
                wallet: wallet.id,
                to,
                rotate_at_ms: every_ms.map(|every| facts.now_ms.saturating_add(every)),
            })];
            writes.extend(places.into_writes());
            Ok((writes, restored))
        })
        .await?;
        Ok(restored)
    }

    /// Destroys the key of a deleted wallet whose grace period is over. It asks twice: the wallet's whole address, as
    /// somebody typed it, and the vault's password.
    ///
    /// # Security
    /// The sealed key is overwritten and, on SQLite, taken out of the file and its journal. Copies of the database, the
    /// phrase that it was derived from and files that it came from still hold it.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for another address, a wallet that is not deleted, or a grace period that is not over;
    /// as [`Self::unlock`] for the password; [`CustodyError::NotFound`], [`CustodyError::Locked`], or the store's.
    pub async fn purge_wallet(
        &self,
        address: impl Into<AccountAddress>,
        typed: &str,
        password: &Password,
        factor: Option<&SecondFactor>,
    ) -> Result<Purged, CustodyError> {
        let address = address.into();
        if typed.trim() != address.to_string() {
            return Err(CustodyError::invalid(
                "confirmation",
                "it is not the whole address of the wallet",
            ));
        }
        // What cannot be purged is no reason to stretch a password; it is looked at again under the lock.
        let facts = self.store().look(self.purge_ask(vec![address])).await?;
        may_purge(only(&facts.wallets, address)?, facts.now_ms)?;
        let session = self.current_session().await?;
        self.confirm_password(&session, password, factor, "when purging a wallet")
            .await?;
        self.purge(vec![address]).await?;
        Ok(Purged {
            wallets: vec![address],
            scrubbed: self.scrubbed().await,
        })
    }

    /// The deleted wallets whose grace period is over, by place.
    ///
    /// # Errors
    /// The store's.
    pub async fn due_to_purge(&self) -> Result<Vec<Wallet>, CustodyError> {
        let now_ms = self.options().clock.now_ms();
        let mut query = WalletQuery {
            status: StatusFilter::Only(WalletStatus::Deleted),
            limit: MAX_PAGE,
            ..WalletQuery::default()
        };
        let mut due = Vec::new();
        loop {
            let page = self.wallets(&query).await?;
            let is_due = |wallet: &Wallet| wallet.purge_after_ms.is_some_and(|after| after <= now_ms);
            due.extend(page.rows.into_iter().filter(is_due));
            // Each cursor lies after the one before it, so this ends.
            let Some(next) = page.next else {
                return Ok(due);
            };
            query.after = Some(next);
        }
    }

    /// Destroys the keys of all deleted wallets whose grace period is over. It asks twice: how many there are, as
    /// somebody typed it, and the vault's password. Those purged before an error stay so, and the log names each.
    ///
    /// # Security
    /// As [`Self::purge_wallet`].
    ///
    /// # Errors
    /// As [`Self::purge_wallet`]; [`CustodyError::Invalid`] for another number.
    pub async fn purge_due(
        &self,
        expected: usize,
        password: &Password,
        factor: Option<&SecondFactor>,
    ) -> Result<Purged, CustodyError> {
        let due: Vec<AccountAddress> = self
            .due_to_purge()
            .await?
            .iter()
            .map(|wallet| wallet.address)
            .collect();
        if due.len() != expected {
            return Err(CustodyError::invalid(
                "confirmation",
                format!("{} wallets are due, and not {expected}", due.len()),
            ));
        }
        let session = self.current_session().await?;
        self.confirm_password(&session, password, factor, "when purging wallets")
            .await?;
        for some in due.chunks(PURGED_AT_ONCE) {
            self.purge(some.to_vec()).await?;
        }
        Ok(Purged {
            wallets: due,
            scrubbed: self.scrubbed().await,
        })
    }

    fn purge_ask(&self, wallets: Vec<AccountAddress>) -> Ask {
        Ask {
            wallets,
            unsigned_tail: true,
            ..Ask::default()
        }
    }

    async fn purge(&self, addresses: Vec<AccountAddress>) -> Result<(), CustodyError> {
        let session = self.session().ok_or(CustodyError::Locked)?;
        transact(
            self.store(),
            self.purge_ask(addresses.clone()),
            |ledger, facts| {
                let mut writes = Vec::with_capacity(addresses.len());
                for address in &addresses {
                    let wallet = facts.wallets.iter().find(|wallet| wallet.address == *address);
                    let wallet = wallet.ok_or_else(|| not_found(&address.to_string()))?;
                    may_purge(wallet, facts.now_ms)?;
                    let draft = Draft::new(Operation::PurgeWallet, Outcome::Done)
                        .wallet(*address)
                        .details("key destroyed");
                    ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
                    writes.push(Write::Life(LifeWrite::Purged { wallet: wallet.id }));
                }
                Ok((writes, ()))
            },
        )
        .await
        .map(|_| ())
    }

    /// The keys are gone whatever comes of it.
    async fn scrubbed(&self) -> bool {
        match self.store().scrub().await {
            Ok(scrubbed) => scrubbed,
            Err(error) => {
                tracing::warn!(code = error.code(), "the journal was not emptied after a purge");
                false
            }
        }
    }
}

fn only(wallets: &[SealedWallet], address: AccountAddress) -> Result<&SealedWallet, CustodyError> {
    wallets.first().ok_or_else(|| not_found(&address.to_string()))
}

/// What a deleted wallet was.
fn deleted_from(wallet: &SealedWallet) -> Result<WalletStatus, CustodyError> {
    match (wallet.state.status, wallet.state.deleted_from) {
        (WalletStatus::Deleted, Some(from)) => Ok(from),
        (WalletStatus::Purged, _) => Err(CustodyError::WalletPurged {
            wallet: wallet.address,
        }),
        _ => Err(CustodyError::invalid(
            "wallet",
            format!("{} is not deleted", wallet.address.abbreviated()),
        )),
    }
}

fn may_purge(wallet: &SealedWallet, now_ms: u64) -> Result<(), CustodyError> {
    deleted_from(wallet)?;
    let wait_ms = wallet
        .state
        .purge_after_ms
        .unwrap_or(u64::MAX)
        .saturating_sub(now_ms);
    if wait_ms > 0 {
        return Err(CustodyError::invalid(
            "wallet",
            format!(
                "{} can be restored for another {} s, and is not purged before",
                wallet.address.abbreviated(),
                wait_ms.div_ceil(1_000)
            ),
        ));
    }
    Ok(())
}
