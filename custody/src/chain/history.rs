//! Past transactions of an address, and how far back the node remembers.

use keyward_core::address::{Address, Signature};
use serde::Deserialize;
use serde_json::{Value, json};
use solana_rpc_client_api::request::RpcRequest;

use super::error::clean;
use super::explain::explain;
use super::transport::call;
use super::{ChainError, Commitment, HistoryItem, SolanaNode};

const MAX_ITEMS: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawItem {
    signature: Signature,
    slot: u64,
    err: Option<Value>,
    memo: Option<String>,
    block_time: Option<i64>,
}

pub(super) async fn list(
    node: &SolanaNode,
    address: &Address,
    limit: usize,
    before: Option<&Signature>,
) -> Result<Vec<HistoryItem>, ChainError> {
    if limit == 0 || limit > MAX_ITEMS {
        return Err(ChainError::OutOfBounds {
            what: format!("a page of history has 1 to {MAX_ITEMS} entries"),
        });
    }
    let mut options = json!({ "commitment": Commitment::Confirmed.as_str(), "limit": limit });
    if let (Some(before), Some(fields)) = (before, options.as_object_mut()) {
        fields.insert("before".into(), json!(before));
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
    let options = json!({
        "commitment": Commitment::Confirmed.as_str(),
        "transactionDetails": "none",
        "rewards": false,
        "maxSupportedTransactionVersion": 1,
    });
    let block: Option<Block> = call(node, RpcRequest::GetBlock, json!([slot, options])).await?;
    block
        .and_then(|block| block.block_height)
        .ok_or(ChainError::HistoryUnavailable)
}
