//! Questions to the node.

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_custody::chain::{AccountsWatch, HistoryItem, NodeStatus};

use super::Services;
use crate::config::Config;
use crate::console::effect::Failure;

/// How many past transactions are asked for.
const HISTORY_ITEMS: usize = 25;

/// What to ask.
#[derive(Debug)]
pub enum NodeWork {
    /// How it is.
    Status,
    /// Talk to another endpoint from now on, and ask how it is.
    Choose(Box<Config>),
    /// Balances.
    Balances(Vec<Address>),
    /// Wait until one of these balances changes, by subscription where the endpoint has it; of none to follow none any more.
    Follow(Vec<Address>),
    /// The newest transactions of an address.
    History(Address),
}

/// What it said.
#[derive(Debug)]
pub enum NodeAnswer {
    /// How it is.
    Status(Result<NodeStatus, Failure>),
    /// Balances, in the order of the addresses.
    Balances {
        /// Whose.
        addresses: Vec<Address>,
        /// `None` for one that it did not say.
        result: Result<Vec<Option<Lamports>>, Failure>,
    },
    /// Balances that are new since the last time; the first time all of them.
    Followed(Result<Vec<(Address, Lamports)>, Failure>),
    /// Transactions, newest first.
    History(Result<Vec<HistoryItem>, Failure>),
}

pub(super) async fn perform(services: &Services, work: NodeWork) -> NodeAnswer {
    match work {
        NodeWork::Status => NodeAnswer::Status(status(services).await),
        NodeWork::Choose(config) => {
            services.use_node(&config);
            NodeAnswer::Status(status(services).await)
        }
        NodeWork::Balances(addresses) => {
            let result = balances(services, &addresses).await;
            NodeAnswer::Balances { addresses, result }
        }
        NodeWork::Follow(addresses) => NodeAnswer::Followed(follow(services, addresses).await),
        NodeWork::History(address) => NodeAnswer::History(history(services, &address).await),
    }
}

async fn status(services: &Services) -> Result<NodeStatus, Failure> {
    Ok(services.node()?.status().await?)
}

async fn balances(services: &Services, addresses: &[Address]) -> Result<Vec<Option<Lamports>>, Failure> {
    Ok(services.node()?.balances(addresses).await?.values)
}

/// Addresses with their subscription, which lives from one question to the next.
pub(super) struct Following {
    addresses: Vec<Address>,
    watch: AccountsWatch,
}

/// The subscription is taken out while it is waited for: who is cancelled then ends it, as leaving and locking do.
async fn follow(services: &Services, addresses: Vec<Address>) -> Result<Vec<(Address, Lamports)>, Failure> {
    let kept = services
        .take_following()
        .filter(|kept| kept.addresses == addresses);
    if addresses.is_empty() {
        return Ok(Vec::new());
    }
    let mut following = match kept {
        Some(kept) => kept,
        None => Following {
            watch: services.node()?.subscribe_accounts(&addresses)?,
            addresses,
        },
    };
    let news = following.watch.next().await;
    services.keep_following(following);
    let news = news
        .into_iter()
        .map(|(address, update)| (address, update.lamports));
    Ok(news.collect())
}

async fn history(services: &Services, address: &Address) -> Result<Vec<HistoryItem>, Failure> {
    Ok(services.node()?.history(address, HISTORY_ITEMS, None).await?)
}
