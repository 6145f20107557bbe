//! When keys are rotated, and how long old ones stay of use: what a person decides.

use keyward_core::account::AccountAddress;
use keyward_core::audit::{Operation, Outcome};

use super::interval::RotationInterval;
use crate::audit::ledger::Draft;
use crate::error::CustodyError;
use crate::store::key_chain::{KeyChainAsk, KeyChange, NextRotation};
use crate::store::{Ask, Facts, SealedWallet, Write, transact};
use crate::vault::Custody;
use crate::wallets::{MAX_TAGGED_WALLETS, WalletStatus, not_found};

/// The role whose wallets are rotated more often by default.
const TRADING: &str = "trading";

/// How often a wallet's key is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// By the vault's setting for the wallet's role as it is now: `trading_rotation_ms` for `trading`,
    /// `other_rotation_ms` for all others.
    ByRole,
    /// So often.
    Every(RotationInterval),
    /// Not at all.
    Never,
}

impl Custody {
    /// Sets how often wallets' keys are rotated, all or none; the first time is one interval from now. Gives each
    /// wallet's next time, in the order given.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for no wallet or over 1000, [`CustodyError::NotFound`], [`CustodyError::WalletRetired`] for
    /// one that was replaced, [`CustodyError::WalletDeleted`], [`CustodyError::WalletPurged`], [`CustodyError::Locked`],
    /// or the store's. Nothing is changed then.
    pub async fn schedule_rotation<A: Copy + Into<AccountAddress>>(
        &self,
        addresses: &[A],
        schedule: Schedule,
    ) -> Result<Vec<Option<u64>>, CustodyError> {
        let addresses: Vec<AccountAddress> = addresses.iter().map(|address| (*address).into()).collect();
        let session = self.current_session().await?;
        let ask = Ask {
            wallets: distinct(&addresses)?,
            unsigned_tail: true,
            ..Ask::default()
        };
        let (times, _) = transact(self.store(), ask, |ledger, facts| {
            if !session.is_open() {
                return Err(CustodyError::Locked);
            }
            all_there(&addresses, &facts)?;
            let mut writes = Vec::with_capacity(facts.wallets.len());
            let mut times = Vec::with_capacity(facts.wallets.len());
            for wallet in &facts.wallets {
                expect_in_use(wallet)?;
                let next = next_rotation(schedule, wallet, &facts)?;
                let details = next.map_or("never".to_owned(), |next| {
                    format!("every {}", super::interval::shown(next.every_ms))
                });
                let draft = Draft::new(Operation::ScheduleRotation, Outcome::Done)
                    .wallet(wallet.address)
                    .details(details);
                ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
                times.push((wallet.address, next.map(|next| next.at_ms)));
                writes.push(Write::Key(KeyChange::Schedule {
                    wallet: wallet.id,
                    next,
                }));
            }
            Ok((writes, times))
        })
        .await?;
        let time_of = |address| times.iter().find(|(of, _)| of == address);
        Ok(addresses
            .iter()
            .map(|address| time_of(address).and_then(|(_, time)| *time))
            .collect())
    }

    /// Gives a replaced key more time, also one that was retired: it signs and receives again until then, whatever newer
    /// keys come, and no less long than it would have. Gives the end of its grace period, in milliseconds since the Unix
    /// epoch.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for a key that was not replaced, [`CustodyError::WalletDeleted`],
    /// [`CustodyError::WalletPurged`], [`CustodyError::NotFound`], [`CustodyError::Locked`], or the store's.
    pub async fn extend_rotated(
        &self,
        address: impl Into<AccountAddress>,
        time: RotationInterval,
    ) -> Result<u64, CustodyError> {
        let address = address.into();
        let session = self.current_session().await?;
        let ask = Ask {
            wallets: vec![address],
            key_chain: Some(KeyChainAsk {
                wallet: address,
                depth: 0,
            }),
            unsigned_tail: true,
            ..Ask::default()
        };
        let (until, _) = transact(self.store(), ask, |ledger, facts| {
            if !session.is_open() {
                return Err(CustodyError::Locked);
            }
            let found = facts.wallets.first().zip(facts.key_chain.as_ref());
            let (wallet, chain) = found.ok_or_else(|| not_found(&address.to_string()))?;
            let mut grace_until_ms = facts.now_ms.saturating_add(time.ms());
            match wallet.state.status {
                WalletStatus::Rotated => {
                    grace_until_ms = grace_until_ms.max(wallet.state.grace_until_ms.unwrap_or(0));
                }
                WalletStatus::Retired => {}
                WalletStatus::Active => return Err(not_replaced()),
                gone @ (WalletStatus::Deleted | WalletStatus::Purged) => gone.expect_signing(address)?,
            }
            let successor = chain.successor.ok_or_else(not_replaced)?;
            let draft = Draft::new(Operation::ExtendGrace, Outcome::Done)
                .wallet(address)
                .details(format!("was {}; {time} from now", wallet.state.status));
            ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            let change = KeyChange::Extend {
                wallet: wallet.id,
                // Later than its successor, always: so a rotation tells it from one that nobody extended.
                since_ms: facts.now_ms.max(successor.created_ms.saturating_add(1)),
                grace_until_ms,
            };
            Ok((vec![Write::Key(change)], grace_until_ms))
        })
        .await?;
        Ok(until)
    }

    /// Retires replaced keys before their time, all or none: a key that may be known to others signs no more.
    ///
    /// # Errors
    /// As for [`Self::extend_rotated`]; one that is retired already stays so, and that is no error.
    pub async fn retire_rotated<A: Copy + Into<AccountAddress>>(
        &self,
        addresses: &[A],
    ) -> Result<(), CustodyError> {
        let addresses: Vec<AccountAddress> = addresses.iter().map(|address| (*address).into()).collect();
        let session = self.current_session().await?;
        let ask = Ask {
            wallets: distinct(&addresses)?,
            unsigned_tail: true,
            ..Ask::default()
        };
        transact(self.store(), ask, |ledger, facts| {
            if !session.is_open() {
                return Err(CustodyError::Locked);
            }
            all_there(&addresses, &facts)?;
            let mut writes = Vec::with_capacity(facts.wallets.len());
            for wallet in &facts.wallets {
                match wallet.state.status {
                    WalletStatus::Rotated => {}
                    WalletStatus::Retired => continue,
                    WalletStatus::Active => return Err(not_replaced()),
                    gone @ (WalletStatus::Deleted | WalletStatus::Purged) => {
                        gone.expect_signing(wallet.address)?;
                    }
                }
                let draft = Draft::new(Operation::RetireWallet, Outcome::Done)
                    .wallet(wallet.address)
                    .details("asked for");
                ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
                writes.push(Write::Key(KeyChange::Retire { wallet: wallet.id }));
            }
            Ok((writes, ()))
        })
        .await
        .map(|_| ())
    }
}

fn not_replaced() -> CustodyError {
    CustodyError::invalid(
        "wallet",
        "its key was not replaced; rotate it first, or name an old key of it by its address",
    )
}

/// Each once, in a number that one transaction takes.
fn distinct(addresses: &[AccountAddress]) -> Result<Vec<AccountAddress>, CustodyError> {
    if addresses.is_empty() || addresses.len() > MAX_TAGGED_WALLETS {
        return Err(CustodyError::invalid(
            "wallets",
            format!("1 to {MAX_TAGGED_WALLETS} at a time"),
        ));
    }
    let mut distinct = addresses.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    Ok(distinct)
}

fn all_there(addresses: &[AccountAddress], facts: &Facts) -> Result<(), CustodyError> {
    let there = |address: &&AccountAddress| facts.wallets.iter().any(|wallet| wallet.address == **address);
    match addresses.iter().find(|address| !there(address)) {
        Some(missing) => Err(not_found(&missing.to_string())),
        None => Ok(()),
    }
}

fn expect_in_use(wallet: &SealedWallet) -> Result<(), CustodyError> {
    match wallet.state.status {
        WalletStatus::Active => Ok(()),
        WalletStatus::Rotated | WalletStatus::Retired => Err(CustodyError::WalletRetired {
            wallet: wallet.address,
        }),
        gone => gone.expect_signing(wallet.address),
    }
}

fn next_rotation(
    schedule: Schedule,
    wallet: &SealedWallet,
    facts: &Facts,
) -> Result<Option<NextRotation>, CustodyError> {
    let every_ms = match schedule {
        Schedule::Never => return Ok(None),
        Schedule::Every(interval) => interval.ms(),
        Schedule::ByRole if wallet.state.role == TRADING => facts.settings()?.trading_rotation_ms,
        Schedule::ByRole => facts.settings()?.other_rotation_ms,
    };
    // A setting is held to the same bounds as what is typed.
    let every_ms = RotationInterval::from_ms(every_ms)?.ms();
    let at_ms = facts.now_ms.saturating_add(every_ms);
    Ok(Some(NextRotation { every_ms, at_ms }))
}
