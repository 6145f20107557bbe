//! Key rotation for hot wallets: a wallet gets a new key at the next free path, and the old one steps back by degrees.
//!
//! A rotation is one transaction: the index is taken, the new key is stored, whatever names the wallet (label, tags,
//! role, owner's place, schedule) is the new key's, and the old one becomes `rotated`. It then still signs what names it
//! and receives, until its grace period is over or too many newer keys came after it; after that it is `retired`. No key
//! is ever taken away here, and nothing is moved on chain: see `docs/rotation.md` and decision 0015.

mod due;
mod interval;
mod keys;
mod plan;
mod schedule;

use std::sync::Arc;

use keyward_core::account::AccountAddress;
use keyward_core::audit::Operation;
use keyward_core::path::{ChildIndex, PathFamily};

use crate::error::CustodyError;
use crate::password::Password;
use crate::store::key_chain::{KeyChain, KeyChainAsk, KeyList};
use crate::store::{Ask, MasterAsk, MasterRow, SealedWallet, transact};
use crate::vault::{Custody, Session, blocking};
use crate::wallets::secrets::open_key;
use crate::wallets::{MasterId, Wallet, not_found};
pub use due::{
    DueCursor, DuePage, DueQuery, DueReport, FailedRotation, MAX_DUE, SkipReason, SkippedRotation,
};
pub use interval::{MAX_INTERVAL_MS, MIN_INTERVAL_MS, RotationInterval};
use keys::{Candidates, Line};
use plan::{Case, Trigger, Verdict, expect_active};
pub use schedule::Schedule;

/// How often a rotation is taken anew because others took the indices that it had made keys for.
const TRIES: u32 = 16;

/// Keys made at once: at first, and from the second try on, when others are taking indices as well. One that signs only
/// with a password of its own takes long to seal, so of these one is made at a time.
const FEW_KEYS: u32 = 2;
const MORE_KEYS: u32 = 32;

/// One rotation, as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRotation {
    /// The key that was replaced.
    pub from: AccountAddress,
    /// The key that came in its place.
    pub to: AccountAddress,
    /// The phrase that the new key was derived from.
    pub master: MasterId,
    /// The path family that it was derived by.
    pub family: PathFamily,
    /// Its index in that family.
    pub index: u32,
    /// Until when the old key still signs and receives, in milliseconds since the Unix epoch.
    pub grace_until_ms: u64,
    /// When the new key is to be rotated, in milliseconds since the Unix epoch; never if none.
    pub rotate_at_ms: Option<u64>,
    /// Older keys of the wallet that were retired with it.
    pub retired: Vec<AccountAddress>,
}

/// What is there to rotate, read before anything is made.
struct Before {
    wallet: SealedWallet,
    chain: KeyChain,
}

impl Custody {
    /// Gives a wallet a new key, in one database transaction; `password` is the wallet's own, if it has one, and becomes
    /// the new key's.
    ///
    /// The new key is at the next free index of the phrase and family that the old one came from. An imported key is
    /// followed by one of the vault's first phrase whose family is of the key's chain (else the first phrase at all), and
    /// a key of a family with a single address by one of its phrase's usual family.
    ///
    /// Of two calls for one wallet at once, in this process or another, one rotates and the other is told what to.
    ///
    /// # Errors
    /// [`CustodyError::AlreadyRotated`] with the key that is there already, [`CustodyError::WalletRetired`] or
    /// [`CustodyError::WalletDeleted`] by the wallet's status, [`CustodyError::WalletPasswordNeeded`],
    /// [`CustodyError::WrongWalletPassword`], [`CustodyError::WalletLockedOut`], [`CustodyError::Invalid`] where there is
    /// no phrase or no path left, [`CustodyError::ClockBehind`], [`CustodyError::Locked`], [`CustodyError::NotFound`],
    /// [`CustodyError::Busy`], or the store's. Nothing is changed then.
    pub async fn rotate_wallet(
        &self,
        address: impl Into<AccountAddress>,
        password: Option<&Password>,
    ) -> Result<KeyRotation, CustodyError> {
        self.rotate(address.into(), password, Trigger::Asked).await
    }

    /// Every key that a wallet has had, named by any of them: the newest first, at most a thousand.
    ///
    /// # Errors
    /// [`CustodyError::NotFound`], or the store's.
    pub async fn rotation_chain(
        &self,
        address: impl Into<AccountAddress>,
    ) -> Result<Vec<Wallet>, CustodyError> {
        let wallet = address.into();
        let chain = self.store().key_list(KeyList::Chain { wallet }).await?.rows;
        if chain.is_empty() {
            return Err(not_found(&wallet.to_string()));
        }
        Ok(chain)
    }

    async fn rotate(
        &self,
        address: AccountAddress,
        password: Option<&Password>,
        trigger: Trigger,
    ) -> Result<KeyRotation, CustodyError> {
        let session = self.current_session().await?;
        let Before { mut wallet, chain } = self.before(address).await?;
        expect_active(&wallet, &chain)?;
        if wallet.own_password {
            wallet = self.checked_password(&session, wallet, password).await?;
        }
        let own = password.filter(|_| wallet.own_password).map(Password::copy);
        let wanted = self.line_of(address, &chain).await?;
        let mut line: Option<Arc<Line>> = None;
        for tried in 0..TRIES {
            let ask = Ask {
                master: Some(wanted),
                ..Ask::default()
            };
            let master = self.store().look(ask).await?.master.ok_or_else(no_phrase)?;
            let next_index = master.next_index;
            let opened = match &line {
                Some(line) => Arc::clone(line),
                None => open_line(&session, master, wanted).await?,
            };
            line = Some(Arc::clone(&opened));
            let candidates = self
                .candidates(&session, &opened, next_index, own.as_ref(), tried)
                .await?;
            let ask = Ask {
                wallets: vec![address],
                key_chain: Some(KeyChainAsk {
                    wallet: address,
                    depth: plan::CHAIN_DEPTH,
                }),
                master: Some(wanted),
                known: candidates.addresses(),
                unsigned_tail: true,
                ..Ask::default()
            };
            let case = Case {
                session: &session,
                scribe: self.scribe(Some(&session)),
                opened: &wallet,
                trigger,
                line: &opened,
                candidates,
            };
            let (verdict, _) =
                transact(self.store(), ask, |ledger, facts| case.decide(ledger, facts)).await?;
            match verdict {
                Verdict::Rotated(rotation) => return Ok(rotation),
                Verdict::IndexTaken => {}
            }
        }
        Err(CustodyError::Busy)
    }

    async fn before(&self, address: AccountAddress) -> Result<Before, CustodyError> {
        let ask = Ask {
            wallets: vec![address],
            key_chain: Some(KeyChainAsk {
                wallet: address,
                depth: 0,
            }),
            ..Ask::default()
        };
        let facts = self.store().look(ask).await?;
        let found = facts.wallets.into_iter().next().zip(facts.key_chain);
        let (wallet, chain) = found.ok_or_else(|| not_found(&address.to_string()))?;
        Ok(Before { wallet, chain })
    }

    /// The wallet, once its own password has opened it. A wrong one counts, as everywhere.
    async fn checked_password(
        &self,
        session: &Arc<Session>,
        wallet: SealedWallet,
        password: Option<&Password>,
    ) -> Result<SealedWallet, CustodyError> {
        const OPERATION: Operation = Operation::RotateWallet;
        let address = wallet.address;
        let wallet = self
            .count_wallet_try(session, address, password, OPERATION)
            .await?;
        let opened = {
            let (session, wallet) = (Arc::clone(session), wallet.clone());
            let password = password.map(Password::copy);
            blocking(move || open_key(&session, &wallet, password.as_ref()).map(drop)).await?
        };
        self.judged(session, address, OPERATION, opened).await?;
        Ok(wallet)
    }

    /// The phrase and the family that a wallet's next key comes from.
    async fn line_of(&self, address: AccountAddress, chain: &KeyChain) -> Result<MasterAsk, CustodyError> {
        let of = address.chain();
        let usual = || PathFamily::of(of).first().copied();
        let several = |family: &PathFamily| family.chain() == of && !family.is_single();
        if let (Some(master), Some(family)) = (chain.master, chain.family) {
            return Ok(MasterAsk {
                id: Some(master),
                family: Some(family).filter(several).or_else(usual),
            });
        }
        let masters = self.masters().await?;
        let of_this_chain = masters.iter().find(|master| master.family.chain() == of);
        let master = of_this_chain.or(masters.first()).ok_or_else(no_phrase)?;
        Ok(MasterAsk {
            id: Some(master.id.get()),
            family: Some(master.family).filter(several).or_else(usual),
        })
    }

    /// Keys for the next indices, sealed; those that are wallets already are left to be stepped over.
    async fn candidates(
        &self,
        session: &Arc<Session>,
        line: &Arc<Line>,
        first: u32,
        own: Option<&Password>,
        tried: u32,
    ) -> Result<Candidates, CustodyError> {
        let wanted = if tried == 0 { FEW_KEYS } else { MORE_KEYS };
        // The last index is 2^31-1, so the sum below fits.
        let count = wanted.min((ChildIndex::MAX.get() + 1).saturating_sub(first));
        if count == 0 {
            return Err(CustodyError::invalid(
                "wallet",
                "the last path of its family is taken: there is no next one",
            ));
        }
        let made = {
            let (session, line) = (Arc::clone(session), Arc::clone(line));
            let protected = own.is_some();
            blocking(move || Candidates::make(&session, &line, first, count, protected)).await??
        };
        let Some(password) = own else {
            return Ok(made);
        };
        let ask = Ask {
            known: made.addresses(),
            ..Ask::default()
        };
        let known = self.store().look(ask).await?.known;
        let (session, line, password) = (Arc::clone(session), Arc::clone(line), Password::copy(password));
        blocking(move || made.sealed_first(&session, &line, &known, &password)).await?
    }
}

async fn open_line(
    session: &Arc<Session>,
    master: MasterRow,
    wanted: MasterAsk,
) -> Result<Arc<Line>, CustodyError> {
    let session = Arc::clone(session);
    let line = blocking(move || Line::open(&session, &master, wanted)).await??;
    Ok(Arc::new(line))
}

fn no_phrase() -> CustodyError {
    CustodyError::invalid(
        "wallet",
        "its key was imported, and the vault has no phrase to derive a new one from; import a phrase first",
    )
}
