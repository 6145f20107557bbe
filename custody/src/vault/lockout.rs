//! How near wrong passwords are to keeping a vault or a wallet shut, for whoever is to type the next one.
//!
//! It only reads: what counts and what refuses is [`Custody::unlock`] and the opening of a wallet's own key. A wrong count
//! shown here would let nobody in.

use keyward_core::account::AccountAddress;

use super::Custody;
use crate::error::CustodyError;
use crate::store::{Ask, SealedWallet};

/// Wrong passwords in a row, and what follows from them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lockout {
    /// Wrong passwords since the last right one. One that is being tried counts until it has opened.
    pub failures: u32,
    /// How many of them cost no wait; the last of these begins the delays.
    pub allowed: u32,
    /// How long until the next one is tried, in milliseconds; 0 for at once.
    pub retry_after_ms: u64,
}

impl Lockout {
    /// How many more wrong passwords begin a delay, this one included; 0 where one is already in force or every further
    /// one brings one.
    #[must_use]
    pub const fn left(&self) -> u32 {
        self.allowed.saturating_sub(self.failures)
    }
}

impl Custody {
    /// How it stands with wrong passwords of the vault. Needs no password.
    ///
    /// # Errors
    /// [`CustodyError::NotInitialised`], [`CustodyError::Damaged`], or the store's.
    pub async fn lockout(&self) -> Result<Lockout, CustodyError> {
        let facts = self.store().look(Ask::default()).await?;
        let vault = facts.vault.ok_or(CustodyError::NotInitialised)?;
        Ok(Lockout {
            failures: vault.failed_unlocks,
            allowed: allowed(vault.settings()?.max_failed_attempts),
            retry_after_ms: vault.locked_until_ms.saturating_sub(facts.now_ms),
        })
    }

    /// How it stands with wrong passwords of a wallet's own; `None` for one that has none of its own.
    ///
    /// # Errors
    /// [`CustodyError::NotFound`], [`CustodyError::NotInitialised`], [`CustodyError::Damaged`], or the store's.
    pub async fn wallet_lockout(
        &self,
        address: impl Into<AccountAddress>,
    ) -> Result<Option<Lockout>, CustodyError> {
        let ask = Ask {
            wallets: vec![address.into()],
            ..Ask::default()
        };
        let facts = self.store().look(ask).await?;
        let vault = facts.vault.as_ref().ok_or(CustodyError::NotInitialised)?;
        let settings = vault.settings()?;
        let of = |wallet: &SealedWallet| Lockout {
            failures: wallet.failed_passwords,
            allowed: allowed(settings.max_failed_attempts),
            retry_after_ms: wallet.locked_until_ms.saturating_sub(facts.now_ms),
        };
        match facts.wallets.first() {
            None => Err(CustodyError::NotFound {
                what: "wallet".into(),
            }),
            Some(wallet) => Ok(wallet.own_password.then(|| of(wallet))),
        }
    }
}

/// The setting's range ends far below.
fn allowed(setting: u64) -> u32 {
    u32::try_from(setting).unwrap_or(u32::MAX)
}
