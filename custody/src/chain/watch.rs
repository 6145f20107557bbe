//! Subscriptions over WebSocket, with polling where there is none.
//!
//! The connection lives in a task of its own that ends when its handle is dropped. What it hands on goes through a
//! bounded channel that keeps only the latest state, so a slow reader costs nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::SelectAll;
use keyward_core::address::{Address, Signature};
use keyward_core::amount::Lamports;
use solana_account_decoder_client_types::{UiAccountEncoding, UiDataSliceConfig};
use solana_commitment_config::CommitmentConfig;
use solana_pubsub_client::nonblocking::pubsub_client::PubsubClient;
use solana_rpc_client_api::config::{RpcAccountInfoConfig, RpcSignatureSubscribeConfig};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::SolanaNode;

/// How often an account is read while there is no WebSocket.
const POLL_EVERY: Duration = Duration::from_secs(2);
/// How long to poll before the WebSocket is tried again, in polls.
const POLLS_BEFORE_RECONNECT: u32 = 15;

/// A task that ends when dropped.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits for a signature to be confirmed. Dropping it ends the subscription.
pub struct SignatureWatch {
    seen: watch::Receiver<bool>,
    _task: Task,
}

impl SignatureWatch {
    /// Returns when the node says that the signature is confirmed; never, if it cannot say so.
    pub async fn confirmed(&mut self) {
        if self.seen.wait_for(|seen| *seen).await.is_err() {
            // The subscription is gone; asking is the caller's other way.
            std::future::pending::<()>().await;
        }
    }
}

/// What an account holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountUpdate {
    /// The slot of the reading.
    pub slot: u64,
    /// The balance.
    pub lamports: Lamports,
}

/// Follows an account's balance. Dropping it ends the subscription.
pub struct AccountWatch {
    latest: watch::Receiver<Option<AccountUpdate>>,
    _task: Task,
}

impl AccountWatch {
    /// Returns the next reading; in between, older ones are skipped.
    pub async fn next(&mut self) -> AccountUpdate {
        loop {
            if self.latest.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            if let Some(update) = *self.latest.borrow_and_update() {
                return update;
            }
        }
    }
}

pub(super) fn signature(node: &SolanaNode, signature: &Signature) -> SignatureWatch {
    let (sender, seen) = watch::channel(false);
    let (node, signature) = (
        node.clone(),
        solana_signature::Signature::from(*signature.as_bytes()),
    );
    let task = tokio::spawn(async move {
        if wait_for_signature(&node, &signature).await.is_some() {
            sender.send_replace(true);
        }
        // Kept until the handle is dropped, so that the waiter sees "pending" and not "gone".
        sender.closed().await;
    });
    SignatureWatch {
        seen,
        _task: Task(task),
    }
}

/// A WebSocket of the first endpoint that has one and takes the connection, and how long it may take to answer.
async fn open(node: &SolanaNode) -> Option<(PubsubClient, Duration)> {
    for endpoint in &node.inner.endpoints {
        let Some(url) = endpoint.ws_url.as_deref() else {
            continue;
        };
        match tokio::time::timeout(endpoint.timeout, PubsubClient::new(url)).await {
            Ok(Ok(client)) => return Some((client, endpoint.timeout)),
            Ok(Err(_)) | Err(_) => {
                tracing::debug!(endpoint = %endpoint.name, "no WebSocket");
            }
        }
    }
    None
}

async fn wait_for_signature(node: &SolanaNode, signature: &solana_signature::Signature) -> Option<()> {
    let (client, timeout) = open(node).await?;
    let config = RpcSignatureSubscribeConfig {
        commitment: Some(CommitmentConfig::confirmed()),
        enable_received_notification: Some(false),
    };
    let subscribing = client.signature_subscribe(signature, Some(config));
    let (mut notifications, _) = tokio::time::timeout(timeout, subscribing).await.ok()?.ok()?;
    notifications.next().await.map(drop)
}

pub(super) fn account(node: &SolanaNode, address: &Address) -> AccountWatch {
    let (sender, latest) = watch::channel(None);
    let (node, address) = (node.clone(), *address);
    let task = tokio::spawn(async move {
        while !sender.is_closed() {
            // One reading first: a subscription tells changes only.
            poll(&node, &address, &sender).await;
            let _ = follow_account(&node, &address, &sender).await;
            for _ in 0..POLLS_BEFORE_RECONNECT {
                tokio::time::sleep(POLL_EVERY).await;
                poll(&node, &address, &sender).await;
            }
        }
    });
    AccountWatch {
        latest,
        _task: Task(task),
    }
}

/// Publishes a reading unless it is older than, or the same as, what is known.
fn publish(sender: &watch::Sender<Option<AccountUpdate>>, update: AccountUpdate) {
    sender.send_if_modified(|known| {
        let news = known.is_none_or(|known| update.slot >= known.slot && update.lamports != known.lamports);
        if news {
            *known = Some(update);
        }
        news
    });
}

async fn poll(node: &SolanaNode, address: &Address, sender: &watch::Sender<Option<AccountUpdate>>) {
    if let Ok(balances) = node.balances(&[*address]).await
        && let Some(Some(lamports)) = balances.values.first()
    {
        publish(
            sender,
            AccountUpdate {
                slot: balances.slot,
                lamports: *lamports,
            },
        );
    }
}

async fn follow_account(
    node: &SolanaNode,
    address: &Address,
    sender: &watch::Sender<Option<AccountUpdate>>,
) -> Option<()> {
    let (client, timeout) = open(node).await?;
    let pubkey = solana_pubkey::Pubkey::from(*address.as_bytes());
    let subscribing = client.account_subscribe(&pubkey, Some(account_config()));
    let (mut updates, _) = tokio::time::timeout(timeout, subscribing).await.ok()?.ok()?;
    // What changed between the first reading and the subscription.
    poll(node, address, sender).await;
    while let Some(update) = updates.next().await {
        let lamports = Lamports::new(update.value.lamports);
        publish(
            sender,
            AccountUpdate {
                slot: update.context.slot,
                lamports,
            },
        );
    }
    Some(())
}

/// Follows the balances of several accounts over one connection. Dropping it ends the subscriptions.
pub struct AccountsWatch {
    latest: watch::Receiver<BTreeMap<Address, AccountUpdate>>,
    told: BTreeMap<Address, AccountUpdate>,
    _task: Task,
}

impl AccountsWatch {
    /// Returns the accounts that changed since the last call, each as it is now; at the first call all that were read.
    pub async fn next(&mut self) -> Vec<(Address, AccountUpdate)> {
        loop {
            if self.latest.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            let latest = self.latest.borrow_and_update().clone();
            let is_new =
                |(address, update): &(&Address, &AccountUpdate)| self.told.get(address) != Some(*update);
            let news: Vec<_> = latest
                .iter()
                .filter(is_new)
                .map(|(address, update)| (*address, *update))
                .collect();
            self.told = latest;
            if !news.is_empty() {
                return news;
            }
        }
    }
}

pub(super) fn accounts(node: &SolanaNode, addresses: &[Address]) -> AccountsWatch {
    let (sender, latest) = watch::channel(BTreeMap::new());
    let (node, addresses) = (node.clone(), addresses.to_vec());
    let task = tokio::spawn(async move {
        while !sender.is_closed() {
            // One reading first: a subscription tells changes only.
            poll_all(&node, &addresses, &sender).await;
            let _ = follow_all(&node, &addresses, &sender).await;
            for _ in 0..POLLS_BEFORE_RECONNECT {
                tokio::time::sleep(POLL_EVERY).await;
                poll_all(&node, &addresses, &sender).await;
            }
        }
    });
    AccountsWatch {
        latest,
        told: BTreeMap::new(),
        _task: Task(task),
    }
}

type Latest = watch::Sender<BTreeMap<Address, AccountUpdate>>;

/// Publishes readings that are neither older than, nor the same as, what is known.
fn publish_all(sender: &Latest, updates: impl IntoIterator<Item = (Address, AccountUpdate)>) {
    sender.send_if_modified(|known| {
        let mut news = false;
        for (address, update) in updates {
            let is_new = known
                .get(&address)
                .is_none_or(|known| update.slot >= known.slot && update.lamports != known.lamports);
            if is_new {
                known.insert(address, update);
                news = true;
            }
        }
        news
    });
}

async fn poll_all(node: &SolanaNode, addresses: &[Address], sender: &Latest) {
    let Ok(balances) = node.balances(addresses).await else {
        return;
    };
    let slot = balances.slot;
    let updates = addresses.iter().zip(balances.values);
    publish_all(
        sender,
        updates.filter_map(|(address, lamports)| {
            let lamports = lamports?;
            Some((*address, AccountUpdate { slot, lamports }))
        }),
    );
}

async fn follow_all(node: &SolanaNode, addresses: &[Address], sender: &Latest) -> Option<()> {
    let (client, timeout) = open(node).await?;
    let mut updates = SelectAll::new();
    for address in addresses {
        let pubkey = solana_pubkey::Pubkey::from(*address.as_bytes());
        let subscribing = client.account_subscribe(&pubkey, Some(account_config()));
        let (own, _) = tokio::time::timeout(timeout, subscribing).await.ok()?.ok()?;
        let address = *address;
        updates.push(own.map(move |update| (address, update)).boxed());
    }
    // What changed between the first reading and the subscriptions.
    poll_all(node, addresses, sender).await;
    while let Some((address, update)) = updates.next().await {
        let update = AccountUpdate {
            slot: update.context.slot,
            lamports: Lamports::new(update.value.lamports),
        };
        publish_all(sender, [(address, update)]);
    }
    Some(())
}

/// The balance alone, when it is confirmed.
fn account_config() -> RpcAccountInfoConfig {
    RpcAccountInfoConfig {
        encoding: Some(UiAccountEncoding::Base64),
        data_slice: Some(UiDataSliceConfig { offset: 0, length: 0 }),
        commitment: Some(CommitmentConfig::confirmed()),
        min_context_slot: None,
    }
}
