//! Reading what many wallets hold, and keeping it as it comes.

use std::collections::{BTreeSet, HashMap, HashSet};

use futures_util::{FutureExt, StreamExt};
use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::solana::token::TokenProgram;
use tokio::sync::watch;

use super::patience::patiently;
use super::{PortfolioError, check};
use crate::chain::{ChainError, Commitment, SolanaNode};
use crate::store::holdings::{BalanceRow, HoldingsWrite, TokenRow};
use crate::store::{Ask, Commit, Write, transact_as};
use crate::{Custody, CustodyError};

/// Accounts of one request.
const BATCH: usize = 100;
/// How many requests are under way at once.
const PARALLEL: usize = 4;
/// What of an account's data is kept; token accounts and mints stay far below.
const MAX_DATA_BYTES: usize = 65_536;

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct RefreshRequest {
    /// Whose holdings; each counts once.
    pub addresses: Vec<Address>,
    /// What was read at most so long ago is left as it is, in milliseconds; 0 reads everything.
    pub max_age_ms: u64,
    /// Whether token accounts are read as well: two requests for each wallet.
    pub tokens: bool,
}

/// How far a run is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RefreshProgress {
    /// How many readings there are to make, without those that are new enough.
    pub total: u64,
    /// How many are made.
    pub done: u64,
    /// How many failed.
    pub unknown: u64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshReport {
    /// The genesis hash of the network.
    pub network: String,
    /// Readings that were new enough.
    pub fresh: u64,
    /// Readings that were made and kept.
    pub read: u64,
    /// Readings that could not be made. Done again, the run goes on with these.
    pub unknown: u64,
    /// Why.
    pub failure: Option<ChainError>,
}

struct Run<'a> {
    custody: &'a Custody,
    node: &'a SolanaNode,
    network: String,
    progress: &'a watch::Sender<RefreshProgress>,
    report: RefreshReport,
}

impl Custody {
    /// Reads balances, and token accounts if asked for, and keeps each answer as it comes, so that a run that was stopped
    /// goes on where it was. Waits for a node that is busy; when one answer stays away the rest is not asked for any more.
    ///
    /// # Errors
    /// [`PortfolioError::Chain`] when the network is not known; [`PortfolioError::Custody`] for too many addresses, or the
    /// store's. What could not be read is no error: see [`RefreshReport::failure`].
    pub async fn refresh_holdings(
        &self,
        node: &SolanaNode,
        request: RefreshRequest,
        progress: &watch::Sender<RefreshProgress>,
    ) -> Result<RefreshReport, PortfolioError> {
        check("-", request.addresses.len())?;
        let network = patiently(|| node.network()).await?;
        let mut seen = HashSet::new();
        let addresses: Vec<Address> = request
            .addresses
            .into_iter()
            .filter(|address| seen.insert(*address))
            .collect();
        let kept = self.kept_balances(&network, &addresses).await?;
        let now_ms = self.options().clock.now_ms();
        let is_new =
            |read_ms: u64| request.max_age_ms > 0 && now_ms.saturating_sub(read_ms) <= request.max_age_ms;
        let is_old = |read: Option<u64>| !read.is_some_and(is_new);
        let balances: Vec<Address> = select(&addresses, &kept, |row| is_old(row.map(|row| row.read_ms)));
        let owners: Vec<Address> = if request.tokens {
            select(&addresses, &kept, |row| {
                is_old(row.and_then(|row| row.tokens).map(|(_, read_ms)| read_ms))
            })
        } else {
            Vec::new()
        };
        let asked = addresses.len() * (1 + usize::from(request.tokens));
        let total = balances.len() + owners.len();
        progress.send_replace(RefreshProgress {
            total: count(total),
            ..RefreshProgress::default()
        });
        let mut run = Run {
            custody: self,
            node,
            progress,
            report: RefreshReport {
                network: network.clone(),
                fresh: count(asked.saturating_sub(total)),
                read: 0,
                unknown: 0,
                failure: None,
            },
            network,
        };
        run.balances(&balances).await?;
        run.tokens(&owners).await?;
        Ok(run.report)
    }
}

fn select(
    addresses: &[Address],
    kept: &HashMap<Address, BalanceRow>,
    is_old: impl Fn(Option<&BalanceRow>) -> bool,
) -> Vec<Address> {
    let wanted = addresses.iter().filter(|address| is_old(kept.get(address)));
    wanted.copied().collect()
}

fn count(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

impl Run<'_> {
    async fn balances(&mut self, addresses: &[Address]) -> Result<(), PortfolioError> {
        let mut asked = Vec::with_capacity(addresses.len().div_ceil(BATCH));
        for batch in addresses.chunks(BATCH) {
            asked.push(balances_of(self.node.clone(), batch.to_vec()).boxed());
        }
        let mut answers = futures_util::stream::iter(asked).buffer_unordered(PARALLEL);
        while let Some((size, answer)) = answers.next().await {
            match answer {
                Ok((slot, rows)) => {
                    let network = self.network.clone();
                    self.keep(vec![HoldingsWrite::Balances { network, slot, rows }])
                        .await?;
                    self.made(size);
                }
                Err(error) => {
                    self.report.failure.get_or_insert(error);
                    break;
                }
            }
        }
        self.missed(addresses.len());
        Ok(())
    }

    async fn tokens(&mut self, owners: &[Address]) -> Result<(), PortfolioError> {
        if owners.is_empty() {
            return Ok(());
        }
        let done_before = self.report.read + self.report.unknown;
        let mut mints = BTreeSet::new();
        if self.report.failure.is_none() {
            let mut asked = Vec::with_capacity(owners.len());
            for owner in owners {
                asked.push(tokens_of(self.node.clone(), *owner).boxed());
            }
            let mut answers = futures_util::stream::iter(asked).buffer_unordered(PARALLEL);
            while let Some((owner, answer)) = answers.next().await {
                match answer {
                    Ok((slot, rows)) => {
                        mints.extend(rows.iter().filter_map(mint_of));
                        let network = self.network.clone();
                        let write = HoldingsWrite::Tokens {
                            network,
                            owner,
                            slot,
                            rows,
                        };
                        self.keep(vec![write]).await?;
                        self.made(1);
                    }
                    Err(error) => {
                        self.report.failure.get_or_insert(error);
                        break;
                    }
                }
            }
        }
        let done = self.report.read + self.report.unknown - done_before;
        self.report.unknown += count(owners.len()).saturating_sub(done);
        self.tell();
        self.mints(mints.into_iter().collect()).await
    }

    /// The mints of what was found. There are few, and fees and pauses of Token-2022 change, so they are read again.
    async fn mints(&mut self, mints: Vec<Address>) -> Result<(), PortfolioError> {
        for batch in mints.chunks(BATCH) {
            let asked = patiently(|| self.node.account_data(batch, Commitment::Confirmed));
            match asked.await {
                Ok((slot, found)) => {
                    let rows = batch.iter().zip(found).filter_map(|(mint, account)| {
                        let account = account?;
                        TokenProgram::of(&account.owner)?;
                        (account.data.len() <= MAX_DATA_BYTES).then_some((*mint, account.owner, account.data))
                    });
                    let network = self.network.clone();
                    let rows = rows.collect();
                    self.keep(vec![HoldingsWrite::Mints { network, slot, rows }])
                        .await?;
                }
                Err(error) => {
                    self.report.failure.get_or_insert(error);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Kept at once, but not forced to the disk: it can be read again.
    async fn keep(&self, writes: Vec<HoldingsWrite>) -> Result<(), CustodyError> {
        let writes = writes.into_iter().map(Write::Holdings).collect();
        let store = self.custody.store();
        transact_as(store, Commit::Ordered, Ask::default(), |_, _| Ok((writes, ()))).await?;
        Ok(())
    }

    fn made(&mut self, readings: usize) {
        self.report.read += count(readings);
        self.tell();
    }

    /// What of so many was not made.
    fn missed(&mut self, of: usize) {
        self.report.unknown = count(of).saturating_sub(self.report.read);
        self.tell();
    }

    fn tell(&self) {
        let report = &self.report;
        self.progress.send_modify(|progress| {
            progress.done = report.read;
            progress.unknown = report.unknown;
        });
    }
}

/// Addresses with their balances, and the slot of the reading.
type BalancesRead = (u64, Vec<(Address, Lamports)>);

/// The balances of one batch, and how many were asked for.
async fn balances_of(node: SolanaNode, batch: Vec<Address>) -> (usize, Result<BalancesRead, ChainError>) {
    (batch.len(), patiently(|| balances_once(&node, &batch)).await)
}

async fn balances_once(node: &SolanaNode, batch: &[Address]) -> Result<BalancesRead, ChainError> {
    let balances = node.balances(batch).await?;
    let rows: Option<Vec<_>> = batch
        .iter()
        .zip(balances.values)
        .map(|(address, value)| Some((*address, value?)))
        .collect();
    match (rows, balances.failure) {
        (Some(rows), _) => Ok((balances.slot, rows)),
        (None, Some(error)) => Err(error),
        (None, None) => Err(ChainError::nonsense("a balance is missing")),
    }
}

/// The token accounts of an owner in both programs, as of the earlier of the two slots.
async fn tokens_of(node: SolanaNode, owner: Address) -> (Address, Result<(u64, Vec<TokenRow>), ChainError>) {
    (owner, patiently(|| tokens_once(&node, &owner)).await)
}

async fn tokens_once(node: &SolanaNode, owner: &Address) -> Result<(u64, Vec<TokenRow>), ChainError> {
    let mut rows = Vec::new();
    let mut earliest = u64::MAX;
    for program in TokenProgram::ALL {
        let (slot, accounts) = node.token_account_data(owner, program).await?;
        earliest = earliest.min(slot);
        for (account, found) in accounts {
            if found.data.len() <= MAX_DATA_BYTES {
                rows.push(TokenRow {
                    account,
                    owner: *owner,
                    program: found.owner,
                    lamports: found.lamports,
                    data: found.data,
                });
            }
        }
    }
    Ok((earliest, rows))
}

fn mint_of(row: &TokenRow) -> Option<Address> {
    // Every token account begins with its mint.
    row.data.first_chunk::<32>().copied().map(Address::new)
}
