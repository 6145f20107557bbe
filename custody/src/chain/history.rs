//! Past transactions of an address, and how far back the node remembers.

use keyward_core::address::{Address, Signature};
use serde::Deserialize;
use serde_json::{Value, json};
use solana_rpc_client_api::request::RpcRequest;

use super::error::clean;
use super::explain::explain;
use super::transport::call;
use super::{ChainError, Commitment, HistoryItem, HistoryQuery, SolanaNode};

/// What `getSignaturesForAddress` takes at most.
const MAX_ITEMS: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawItem {
    signature: Signature,
    slot: u64,
    err: Option<Value>,
    memo: Option<String>,
    block_time: Option<i64>,
    confirmation_status: Option<String>,
}

pub(super) async fn list(
    node: &SolanaNode,
    address: &Address,
    query: &HistoryQuery,
) -> Result<Vec<HistoryItem>, ChainError> {
    let limit = query.limit;
    if limit == 0 || limit > MAX_ITEMS {
        return Err(ChainError::OutOfBounds {
            what: format!("a page of history has 1 to {MAX_ITEMS} entries"),
        });
    }
    let mut options = json!({ "commitment": query.commitment.as_str(), "limit": limit });
    if let Some(fields) = options.as_object_mut() {
        if let Some(before) = &query.before {
            fields.insert("before".into(), json!(before));
        }
        if let Some(until) = &query.until {
            fields.insert("until".into(), json!(until));
        }
    }
    let items: Vec<RawItem> = call(
        node,
        RpcRequest::GetSignaturesForAddress,
        json!([address, options]),
    )
    .await?;
    if items.len() > limit {
        return Err(ChainError::nonsense(format!(
            "{} entries of history instead of at most {limit}",
            items.len()
        )));
    }
    Ok(items.into_iter().map(read_item).collect())
}

fn read_item(item: RawItem) -> HistoryItem {
    HistoryItem {
        signature: item.signature,
        slot: item.slot,
        time_ms: item
            .block_time
            .and_then(|seconds| u64::try_from(seconds).ok()?.checked_mul(1_000)),
        error: item.err.as_ref().map(explain),
        memo: item.memo.as_deref().map(clean),
        commitment: item.confirmation_status.as_deref().and_then(Commitment::parse),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    block_height: Option<u64>,
}

pub(super) async fn first_block_height(node: &SolanaNode) -> Result<u64, ChainError> {
    let slot: u64 = call(node, RpcRequest::GetFirstAvailableBlock, json!([])).await?;
    if slot == 0 {
        return Ok(0);
    }
    height_of(node, slot, Commitment::Confirmed).await
}

/// The height of the block in a slot.
pub(super) async fn height_of(
    node: &SolanaNode,
    slot: u64,
    commitment: Commitment,
) -> Result<u64, ChainError> {
    let options = json!({
        "commitment": commitment.as_str(),
        "transactionDetails": "none",
        "rewards": false,
        "maxSupportedTransactionVersion": 1,
    });
    let block: Option<Block> = call(node, RpcRequest::GetBlock, json!([slot, options])).await?;
    block
        .and_then(|block| block.block_height)
        .ok_or(ChainError::HistoryUnavailable)
}
