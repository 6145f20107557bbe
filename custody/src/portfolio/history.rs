//! What happened to a wallet, with the real outcome of each transaction.

use std::collections::BTreeMap;

use futures_util::{FutureExt, StreamExt};
use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::intent::Intent;

use super::patience::patiently;
use crate::chain::{ChainError, Commitment, HistoryItem, HistoryQuery, LandedTransaction, SolanaNode};

/// How many transactions are read at once.
const PARALLEL: usize = 4;
/// The most entries of a page with details: each is a request.
const MAX_DETAILED: usize = 200;

/// One transaction of a wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// What the list says.
    pub item: HistoryItem,
    /// What the transaction itself says; an error where it could not be read.
    pub detail: Result<HistoryDetail, ChainError>,
}

/// What a transaction did, as the wallet sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryDetail {
    /// Why it failed, if it did: then its fee was paid and nothing else happened.
    pub error: Option<String>,
    /// What it cost in all, as the node says.
    pub fee: Lamports,
    /// Whether this wallet paid that.
    pub paid_fee: bool,
    /// By how much the wallet's SOL changed, in lamports, the fee included.
    pub sol: i128,
    /// By how much its tokens changed.
    pub tokens: Vec<TokenFlow>,
    /// What it was to do, in sentences.
    pub actions: Vec<String>,
}

/// By how much a wallet's holding of a token changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenFlow {
    /// Which.
    pub mint: Address,
    /// Its digits behind the point.
    pub decimals: u8,
    /// Base units.
    pub amount: i128,
}

/// Reads a page of a wallet's history and each of its transactions, newest first.
///
/// # Errors
/// [`ChainError`] when the page itself cannot be read, or has more than 200 entries.
pub async fn wallet_history(
    node: &SolanaNode,
    address: &Address,
    query: &HistoryQuery,
) -> Result<Vec<HistoryEntry>, ChainError> {
    if query.limit > MAX_DETAILED {
        return Err(ChainError::OutOfBounds {
            what: format!("a page of history with details has 1 to {MAX_DETAILED} entries"),
        });
    }
    let items = patiently(|| node.history_page(address, query)).await?;
    let mut reading = Vec::with_capacity(items.len());
    for item in items {
        reading.push(entry(node.clone(), *address, query.commitment, item).boxed());
    }
    Ok(futures_util::stream::iter(reading)
        .buffered(PARALLEL)
        .collect()
        .await)
}

async fn entry(
    node: SolanaNode,
    address: Address,
    commitment: Commitment,
    item: HistoryItem,
) -> HistoryEntry {
    let landed = patiently(|| node.transaction(&item.signature, commitment)).await;
    let detail = match landed {
        Ok(Some(landed)) => Ok(detail(&address, &landed)),
        Ok(None) => Err(ChainError::HistoryUnavailable),
        Err(error) => Err(error),
    };
    HistoryEntry { item, detail }
}

fn detail(wallet: &Address, landed: &LandedTransaction) -> HistoryDetail {
    let own = landed.sol.iter().find(|change| change.address == *wallet);
    let sol = own.map_or(0, |change| {
        i128::from(change.after.get()) - i128::from(change.before.get())
    });
    let mut tokens: BTreeMap<Address, TokenFlow> = BTreeMap::new();
    for change in landed
        .tokens
        .iter()
        .filter(|change| change.owner == Some(*wallet))
    {
        let flow = tokens.entry(change.mint).or_insert(TokenFlow {
            mint: change.mint,
            decimals: change.decimals,
            amount: 0,
        });
        // At most 255 differences of 64 bits.
        flow.amount += i128::from(change.after) - i128::from(change.before);
    }
    HistoryDetail {
        error: landed.error.clone(),
        fee: landed.fee,
        paid_fee: landed.transaction.message.fee_payer() == wallet,
        sol,
        tokens: tokens.into_values().filter(|flow| flow.amount != 0).collect(),
        actions: Intent::from_message(&landed.transaction.message).sentences(),
    }
}
