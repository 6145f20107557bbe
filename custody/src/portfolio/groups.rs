//! What groups of wallets hold together: by tag, by owner.
//!
//! A wallet with several tags counts in each of their groups, so groups by tag do not add up to the whole; the whole is
//! counted for itself. A sum says how many of its wallets were never read: it is a lower bound then.

use std::collections::{BTreeMap, HashMap};

use keyward_core::address::Address;

use super::{Holding, MAX_WALLETS, TokenHolding, check};
use crate::{Custody, CustodyError, WalletCursor, WalletQuery};

/// Rows of one page of wallets.
const PAGE: u32 = 1_000;

/// What makes a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// A tag; wallets without one are a group of their own.
    Tag,
    /// An owner; wallets without one are a group of their own.
    Owner,
}

/// What groups of wallets hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portfolio {
    /// By name; the one without a name last.
    pub groups: Vec<PortfolioGroup>,
    /// All wallets, each once.
    pub total: PortfolioGroup,
}

/// What some wallets hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortfolioGroup {
    /// The tag or the owner. `None`: those without, and the whole.
    pub name: Option<String>,
    /// How many wallets.
    pub wallets: u64,
    /// How many of them were never read.
    pub unknown: u64,
    /// How many of them had their tokens never read.
    pub tokens_unknown: u64,
    /// The SOL of those that were, in lamports.
    pub lamports: u128,
    /// The tokens, by mint.
    pub tokens: Vec<TokenSum>,
    /// When the oldest of the balances was read, in milliseconds since the Unix epoch.
    pub oldest_ms: Option<u64>,
    /// The lowest slot of a reading.
    pub lowest_slot: Option<u64>,
}

/// How much there is of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSum {
    /// Which.
    pub mint: Address,
    /// Its digits behind the point, if known.
    pub decimals: Option<u8>,
    /// Its symbol, as its mint says of itself: anybody can mint a token of any name.
    pub symbol: Option<String>,
    /// Base units in all.
    pub amount: u128,
    /// Of these, base units in frozen accounts.
    pub frozen: u128,
    /// In how many accounts.
    pub accounts: u64,
}

impl Custody {
    /// What the wallets that a query finds hold on a network, as it is kept, in groups. The query's page is not regarded.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for more than [`MAX_WALLETS`] wallets or a senseless network, or the store's.
    pub async fn portfolio(
        &self,
        network: &str,
        query: &WalletQuery,
        grouping: Grouping,
    ) -> Result<Portfolio, CustodyError> {
        check(network, 0)?;
        let wallets = self.members(query, grouping).await?;
        let addresses: Vec<Address> = wallets.iter().map(|(address, _)| *address).collect();
        let holdings = self.holdings(network, &addresses).await?;
        let mut tokens: HashMap<Address, Vec<TokenHolding>> = HashMap::new();
        for token in self.token_holdings(network, None).await? {
            tokens.entry(token.owner).or_default().push(token);
        }
        let mut groups: BTreeMap<Option<String>, Sums> = BTreeMap::new();
        let mut total = Sums::default();
        for ((address, names), holding) in wallets.into_iter().zip(holdings) {
            let tokens = tokens.get(&address).map_or(&[][..], Vec::as_slice);
            total.add(holding.as_ref(), tokens);
            for name in names {
                groups.entry(name).or_default().add(holding.as_ref(), tokens);
            }
        }
        let mut groups: Vec<_> = groups.into_iter().map(|(name, sums)| sums.group(name)).collect();
        // Those without a name come first in a map.
        if groups.first().is_some_and(|first| first.name.is_none()) {
            groups.rotate_left(1);
        }
        Ok(Portfolio {
            groups,
            total: total.group(None),
        })
    }

    /// The wallets of Solana, each with the names of its groups.
    async fn members(
        &self,
        query: &WalletQuery,
        grouping: Grouping,
    ) -> Result<Vec<(Address, Vec<Option<String>>)>, CustodyError> {
        let mut members = Vec::new();
        let mut after: Option<WalletCursor> = None;
        loop {
            let page = WalletQuery {
                after: after.take(),
                offset: 0,
                limit: PAGE,
                ..query.clone()
            };
            let page = self.wallets(&page).await?;
            for wallet in &page.rows {
                let Some(address) = wallet.solana() else {
                    continue;
                };
                let names: Vec<Option<String>> = match grouping {
                    Grouping::Owner => vec![wallet.owner.clone()],
                    Grouping::Tag if wallet.tags.is_empty() => vec![None],
                    Grouping::Tag => wallet.tags.iter().cloned().map(Some).collect(),
                };
                members.push((*address, names));
            }
            if members.len() > MAX_WALLETS {
                return Err(CustodyError::invalid(
                    "wallets",
                    format!("at most {MAX_WALLETS} in one portfolio"),
                ));
            }
            after = page.next;
            if after.is_none() {
                return Ok(members);
            }
        }
    }
}

#[derive(Default)]
struct Sums {
    group: PortfolioGroup,
    tokens: BTreeMap<Address, TokenSum>,
}

impl Sums {
    fn add(&mut self, holding: Option<&Holding>, tokens: &[TokenHolding]) {
        let group = &mut self.group;
        group.wallets += 1;
        let Some(holding) = holding else {
            group.unknown += 1;
            group.tokens_unknown += 1;
            return;
        };
        // 100,000 amounts of 64 bits fit.
        group.lamports += u128::from(holding.lamports.get());
        group.oldest_ms = Some(
            group
                .oldest_ms
                .map_or(holding.read_ms, |oldest| oldest.min(holding.read_ms)),
        );
        group.lowest_slot = Some(
            group
                .lowest_slot
                .map_or(holding.slot, |lowest| lowest.min(holding.slot)),
        );
        if holding.tokens.is_none() {
            group.tokens_unknown += 1;
        }
        for token in tokens {
            let Ok(state) = &token.state else {
                continue;
            };
            let sum = self.tokens.entry(state.mint).or_insert_with(|| TokenSum {
                mint: state.mint,
                decimals: token.decimals(),
                symbol: token.symbol(),
                amount: 0,
                frozen: 0,
                accounts: 0,
            });
            sum.accounts += 1;
            sum.amount += u128::from(state.amount);
            if state.is_frozen() {
                sum.frozen += u128::from(state.amount);
            }
        }
    }

    fn group(self, name: Option<String>) -> PortfolioGroup {
        PortfolioGroup {
            name,
            tokens: self.tokens.into_values().collect(),
            ..self.group
        }
    }
}
