//! What the wallets hold, as nodes said it, with the slot and the age of each reading.
//!
//! Readings are kept in the store, so that thousands of wallets need not be asked for again to be looked at, and a run that
//! was stopped goes on where it was: every request's answer is kept as it comes. What could not be read stays as it was
//! read last, with its age, or unknown; it is never taken for zero. Nothing is decided by what is kept here: whoever moves
//! money asks the node.

mod groups;
mod history;
mod patience;
mod refresh;
mod tokens;

use std::collections::HashMap;

use keyward_core::address::Address;
use keyward_core::amount::Lamports;

pub use groups::{Grouping, Portfolio, PortfolioGroup, TokenSum};
pub use history::{HistoryDetail, HistoryEntry, TokenFlow, wallet_history};
pub use refresh::{RefreshProgress, RefreshReport, RefreshRequest};
pub use tokens::TokenHolding;

use crate::chain::ChainError;
use crate::store::holdings::{BalanceRow, HoldingsPage, MAX_CACHED};
use crate::{Custody, CustodyError};

/// The most wallets of one run, and of one portfolio.
pub const MAX_WALLETS: usize = 100_000;
/// The longest name of a network.
const MAX_NETWORK_BYTES: usize = 128;

/// Why holdings were not read or shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PortfolioError {
    /// The node.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The vault or its store.
    #[error(transparent)]
    Custody(#[from] CustodyError),
}

/// A balance, and when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// Whose.
    pub address: Address,
    /// How much.
    pub lamports: Lamports,
    /// The slot of the reading.
    pub slot: u64,
    /// When it was read, in milliseconds since the Unix epoch.
    pub read_ms: u64,
    /// When the token accounts were read, if ever.
    pub tokens: Option<ReadAt>,
}

/// Where a reading stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadAt {
    /// The slot of the reading.
    pub slot: u64,
    /// When it was read, in milliseconds since the Unix epoch.
    pub read_ms: u64,
}

impl Holding {
    fn of(row: BalanceRow) -> Self {
        Self {
            address: row.address,
            lamports: row.lamports,
            slot: row.slot,
            read_ms: row.read_ms,
            tokens: row.tokens.map(|(slot, read_ms)| ReadAt { slot, read_ms }),
        }
    }
}

impl Custody {
    /// What is kept of the balances of these addresses on a network, in their order. `None`: never read.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for more than [`MAX_WALLETS`], or the store's.
    pub async fn holdings(
        &self,
        network: &str,
        addresses: &[Address],
    ) -> Result<Vec<Option<Holding>>, CustodyError> {
        check(network, addresses.len())?;
        let kept = self.kept_balances(network, addresses).await?;
        let find = |address: &Address| kept.get(address).copied().map(Holding::of);
        Ok(addresses.iter().map(find).collect())
    }

    /// The networks, by genesis hash, of which anything is kept: at most 16.
    ///
    /// # Errors
    /// The store's.
    pub async fn kept_networks(&self) -> Result<Vec<String>, CustodyError> {
        self.store().cached_networks(16).await
    }

    /// What is kept on a network, at least that of these addresses.
    async fn kept_balances(
        &self,
        network: &str,
        addresses: &[Address],
    ) -> Result<HashMap<Address, BalanceRow>, CustodyError> {
        let mut kept = HashMap::new();
        // A few are looked up one by one, many are read in pages.
        if addresses.len() <= 16 {
            for address in addresses {
                let page = self
                    .store()
                    .cached_balances(&page_of(network, Some(*address), None))
                    .await?;
                kept.extend(page.into_iter().map(|row| (row.address, row)));
            }
            return Ok(kept);
        }
        let mut after = None;
        // Ends with the rows; a store of a million others is read no further than that.
        for _ in 0..1_000 {
            let page = self
                .store()
                .cached_balances(&page_of(network, None, after))
                .await?;
            after = page.last().map(|row| row.address);
            let is_last = page.len() < MAX_CACHED;
            kept.extend(page.into_iter().map(|row| (row.address, row)));
            if is_last {
                break;
            }
        }
        Ok(kept)
    }
}

fn page_of(network: &str, of: Option<Address>, after: Option<Address>) -> HoldingsPage {
    HoldingsPage {
        network: network.to_owned(),
        of,
        after,
        limit: u32::try_from(MAX_CACHED).unwrap_or(u32::MAX),
    }
}

fn check(network: &str, count: usize) -> Result<(), CustodyError> {
    if network.is_empty() || network.len() > MAX_NETWORK_BYTES {
        return Err(CustodyError::invalid(
            "network",
            format!("1 to {MAX_NETWORK_BYTES} bytes"),
        ));
    }
    if count > MAX_WALLETS {
        return Err(CustodyError::invalid(
            "wallets",
            format!("at most {MAX_WALLETS} at once"),
        ));
    }
    Ok(())
}
