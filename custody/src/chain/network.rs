//! Which network the endpoint serves, and how far it has come.

use std::time::Instant;

use serde::Deserialize;
use serde_json::json;
use solana_rpc_client_api::request::RpcRequest;

use super::error::clean;
use super::transport::{call, call_all};
use super::{ChainError, ChainTip, Commitment, NodeStatus, SolanaNode};

/// Genesis hashes of the public clusters, from <https://solana.com/docs/references/clusters>.
const CLUSTERS: [(&str, &str); 3] = [
    ("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d", "mainnet-beta"),
    ("EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG", "devnet"),
    ("4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY", "testnet"),
];

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "solana-core")]
    solana_core: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EpochInfo {
    absolute_slot: u64,
    block_height: u64,
}

pub(super) async fn status(node: &SolanaNode) -> Result<NodeStatus, ChainError> {
    let started = Instant::now();
    let network = verify(node).await?;
    let latency_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let version: Version = call(node, RpcRequest::GetVersion, json!([])).await?;
    let tip = tip(node, Commitment::Confirmed).await?;
    let cluster_name = CLUSTERS
        .iter()
        .find(|(genesis, _)| *genesis == network)
        .map(|(_, name)| *name);
    Ok(NodeStatus {
        version: clean(&version.solana_core),
        slot: tip.slot,
        block_height: tip.block_height,
        latency_ms,
        network,
        cluster_name,
    })
}

pub(super) async fn remembered(node: &SolanaNode) -> Result<String, ChainError> {
    match node.inner.genesis.get() {
        Some(genesis) => Ok(genesis.clone()),
        None => verify(node).await,
    }
}

/// Asks every endpoint. Those that do not answer say nothing of the network; one that serves another is a fault.
pub(super) async fn verify(node: &SolanaNode) -> Result<String, ChainError> {
    let mut genesis = Err(ChainError::nonsense("there is no endpoint to ask"));
    for answer in call_all::<String>(node, RpcRequest::GetGenesisHash, json!([])).await {
        match answer {
            Ok(found) => {
                hold(node, found.clone())?;
                genesis = Ok(found);
            }
            Err(error) if genesis.is_err() => genesis = Err(error),
            Err(_) => {}
        }
    }
    genesis
}

/// Compares a genesis hash with the one seen first.
pub(super) fn hold(node: &SolanaNode, found: String) -> Result<(), ChainError> {
    if found.parse::<keyward_core::address::Blockhash>().is_err() {
        return Err(ChainError::nonsense("the genesis hash is not 32 bytes of base58"));
    }
    let expected = node.inner.genesis.get_or_init(|| found.clone());
    if *expected != found {
        return Err(ChainError::WrongNetwork {
            expected: expected.clone(),
            found,
        });
    }
    Ok(())
}

/// Reads a slot and a height that it has certainly reached. The height is asked for twice and the lower one counts, since
/// the test node's `getEpochInfo` ignores the commitment, and since two nodes may answer behind one address.
pub(super) async fn tip(node: &SolanaNode, commitment: Commitment) -> Result<ChainTip, ChainError> {
    let height = block_height(node, commitment).await?;
    let params = json!([{ "commitment": commitment.as_str() }]);
    let info: EpochInfo = call(node, RpcRequest::GetEpochInfo, params).await?;
    if info.block_height > info.absolute_slot {
        return Err(ChainError::nonsense("a block height above its slot"));
    }
    Ok(ChainTip {
        slot: info.absolute_slot,
        block_height: info.block_height.min(height),
    })
}

pub(super) async fn block_height(node: &SolanaNode, commitment: Commitment) -> Result<u64, ChainError> {
    call(
        node,
        RpcRequest::GetBlockHeight,
        json!([{ "commitment": commitment.as_str() }]),
    )
    .await
}

impl Commitment {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Processed => "processed",
            Self::Confirmed => "confirmed",
            Self::Finalized => "finalized",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Processed, Self::Confirmed, Self::Finalized]
            .into_iter()
            .find(|level| level.as_str() == text)
    }
}
