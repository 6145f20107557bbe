//! What wallets hold and what happened to them: kept readings first, then the node's.

use keyward_core::address::{Address, Signature};
use keyward_custody::chain::{HistoryQuery, SolanaNode};
use keyward_custody::portfolio::{
    Grouping, HistoryEntry, Holding, Portfolio, PortfolioError, RefreshProgress, RefreshReport,
    RefreshRequest, TokenHolding, wallet_history,
};
use keyward_custody::{Custody, WalletQuery};
use tokio::sync::watch;

use super::{Reporter, Services};
use crate::console::effect::{Failure, FailureKind, Progress};

/// Transactions of one page of history, each read by itself.
pub const HISTORY_PAGE: usize = 20;
/// Wallets read in one page while a portfolio's members are collected.
const WALLETS_PAGE: u32 = 1_000;
/// The most wallets that one portfolio reads.
const MAX_WALLETS: usize = keyward_custody::portfolio::MAX_WALLETS;

/// Whether the node is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Only what is kept.
    Kept,
    /// The node first.
    Node,
}

/// What to do.
#[derive(Debug)]
pub enum HoldingsWork {
    /// The token accounts of a wallet.
    Tokens {
        /// Whose.
        address: Address,
        /// Whether the node is asked first.
        source: Source,
    },
    /// A page of a wallet's history, decoded.
    History {
        /// Whose.
        address: Address,
        /// Only what is older than this one.
        before: Option<Signature>,
    },
    /// What groups of wallets hold, as it is kept.
    Portfolio {
        /// By what.
        grouping: Grouping,
        /// The network shown, by its genesis hash; without it the one that is kept.
        network: Option<String>,
    },
    /// Read balances and tokens of all wallets from the node.
    Refresh {
        /// What was read at most so long ago is left, in milliseconds.
        max_age_ms: u64,
    },
}

/// The token accounts of one wallet.
#[derive(Debug)]
pub struct TokensRead {
    /// The balance, and when all of it was read; none if never.
    pub holding: Option<Holding>,
    /// The accounts, those that hold something first.
    pub accounts: Vec<TokenHolding>,
    /// Why the node's answer is not in it.
    pub failure: Option<Failure>,
}

/// What groups hold, and on which network.
#[derive(Debug)]
pub struct PortfolioRead {
    /// The genesis hash; none where nothing was ever kept.
    pub network: Option<String>,
    /// The sums.
    pub portfolio: Portfolio,
}

/// What came of it.
#[derive(Debug)]
pub enum HoldingsAnswer {
    /// Token accounts.
    Tokens(Result<Box<TokensRead>, Failure>),
    /// History, newest first.
    History(Result<Vec<HistoryEntry>, Failure>),
    /// A portfolio.
    Portfolio(Result<Box<PortfolioRead>, Failure>),
    /// What a reading of everything did, in words.
    Refreshed(Result<String, Failure>),
}

impl From<PortfolioError> for Failure {
    fn from(error: PortfolioError) -> Self {
        match error {
            PortfolioError::Chain(error) => error.into(),
            PortfolioError::Custody(error) => error.into(),
            other => Self::new(other.to_string(), "try again"),
        }
    }
}

pub(super) async fn perform(services: &Services, work: HoldingsWork, reporter: &Reporter) -> HoldingsAnswer {
    match work {
        HoldingsWork::Tokens { address, source } => {
            HoldingsAnswer::Tokens(tokens(services, address, source).await)
        }
        HoldingsWork::History { address, before } => {
            HoldingsAnswer::History(history(services, &address, before).await)
        }
        HoldingsWork::Portfolio { grouping, network } => {
            HoldingsAnswer::Portfolio(portfolio(services, grouping, network).await)
        }
        HoldingsWork::Refresh { max_age_ms } => {
            HoldingsAnswer::Refreshed(refresh(services, max_age_ms, reporter).await)
        }
    }
}

/// The network to look at: the node's, or where it does not say, the only one that is kept.
async fn network(custody: &Custody, node: Option<&SolanaNode>) -> Result<Option<String>, Failure> {
    if let Some(node) = node
        && let Ok(network) = node.network().await
    {
        return Ok(Some(network));
    }
    Ok(custody.kept_networks().await?.into_iter().next())
}

async fn tokens(services: &Services, address: Address, source: Source) -> Result<Box<TokensRead>, Failure> {
    let custody = services.custody()?;
    let node = services.node().ok();
    let mut failure = None;
    if source == Source::Node {
        let read = match &node {
            Some(node) => read_all(&custody, node, vec![address], 0, None).await,
            None => Err(services
                .node()
                .err()
                .unwrap_or_else(|| Failure::new("no node", ""))),
        };
        failure = match read {
            Ok(report) => report.failure.map(Failure::from),
            Err(failure) => Some(failure),
        };
    }
    let Some(network) = network(&custody, node.as_ref()).await? else {
        return Ok(Box::new(TokensRead {
            holding: None,
            accounts: Vec::new(),
            failure,
        }));
    };
    let holding = custody.holdings(&network, &[address]).await?.into_iter().next();
    let mut accounts = custody.token_holdings(&network, Some(&address)).await?;
    let is_empty = |one: &TokenHolding| one.state.as_ref().is_ok_and(|state| state.amount == 0);
    accounts.sort_by_key(|one| (is_empty(one), one.account));
    Ok(Box::new(TokensRead {
        holding: holding.flatten(),
        accounts,
        failure,
    }))
}

async fn read_all(
    custody: &Custody,
    node: &SolanaNode,
    addresses: Vec<Address>,
    max_age_ms: u64,
    reporter: Option<&Reporter>,
) -> Result<RefreshReport, Failure> {
    let request = RefreshRequest {
        addresses,
        max_age_ms,
        tokens: true,
    };
    let progress = watch::Sender::new(RefreshProgress::default());
    let reading = custody.refresh_holdings(node, request, &progress);
    Ok(match reporter {
        Some(reporter) => {
            reporter
                .follow(progress.subscribe(), Progress::Reading, reading)
                .await?
        }
        None => reading.await?,
    })
}

async fn history(
    services: &Services,
    address: &Address,
    before: Option<Signature>,
) -> Result<Vec<HistoryEntry>, Failure> {
    let query = HistoryQuery {
        before,
        ..HistoryQuery::newest(HISTORY_PAGE)
    };
    Ok(wallet_history(&services.node()?, address, &query).await?)
}

async fn portfolio(
    services: &Services,
    grouping: Grouping,
    shown: Option<String>,
) -> Result<Box<PortfolioRead>, Failure> {
    let custody = services.custody()?;
    let network = match shown {
        Some(network) => Some(network),
        None => network(&custody, services.node().ok().as_ref()).await?,
    };
    // Of a network that nothing is kept of, everything is unknown: that is what is shown, too.
    let of = network.clone().unwrap_or_else(|| "-".to_owned());
    let portfolio = custody.portfolio(&of, &WalletQuery::default(), grouping).await?;
    Ok(Box::new(PortfolioRead { network, portfolio }))
}

async fn refresh(services: &Services, max_age_ms: u64, reporter: &Reporter) -> Result<String, Failure> {
    let (custody, node) = (services.custody()?, services.node()?);
    let addresses = solana_wallets(&custody).await?;
    let report = read_all(&custody, &node, addresses, max_age_ms, Some(reporter)).await?;
    let words = format!(
        "{} read, {} fresh enough, {} not answered",
        report.read, report.fresh, report.unknown
    );
    match report.failure {
        None => Ok(words),
        Some(error) => {
            let mut failure = Failure::from(error);
            failure.cause = format!("{words}: {}", failure.cause);
            failure.kind = FailureKind::Other;
            Err(failure)
        }
    }
}

async fn solana_wallets(custody: &Custody) -> Result<Vec<Address>, Failure> {
    let mut query = WalletQuery {
        limit: WALLETS_PAGE,
        ..WalletQuery::default()
    };
    let mut addresses = Vec::new();
    loop {
        let page = custody.wallets(&query).await?;
        addresses.extend(page.rows.iter().filter_map(|wallet| wallet.solana().copied()));
        // Each cursor lies after the one before it, so this ends.
        match page.next {
            Some(next) if addresses.len() < MAX_WALLETS => query.after = Some(next),
            _ => return Ok(addresses),
        }
    }
}
