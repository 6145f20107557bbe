//! Past transactions of an address, and how far back the node remembers.

use keyward_core::address::{Address, Signature};
use serde::Deserialize;
use serde_json::{Value, json};
use solana_rpc_client_api::request::RpcRequest;

use super::error::clean;
use super::explain::explain;
use super::transport::{ask, call};
use super::{ChainError, Commitment, HistoryItem, HistoryQuery, SolanaNode};

/// A history that begins at this height or before is whole: clusters count their first block as 0, 1 or 2, and in the first
/// ones there is nobody yet who could pay.
pub(crate) const FIRST_BLOCKS: u64 = 8;

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

/// The height of the first block that every endpoint still has: whichever is asked afterwards remembers that much.
pub(super) async fn first_block_height(node: &SolanaNode) -> Result<u64, ChainError> {
    let mut highest = 0;
    for endpoint in &node.inner.endpoints {
        let ask_first = ask(node, endpoint, RpcRequest::GetFirstAvailableBlock, json!([]), 1);
        let slot: u64 = ask_first.await?;
        if slot > 0 {
            let params = block_params(slot, Commitment::Confirmed);
            let block: Option<Block> = ask(node, endpoint, RpcRequest::GetBlock, params, 1).await?;
            highest = highest.max(height(block)?);
        }
    }
    Ok(highest)
}

fn height(block: Option<Block>) -> Result<u64, ChainError> {
    block
        .and_then(|block| block.block_height)
        .ok_or(ChainError::HistoryUnavailable)
}

fn block_params(slot: u64, commitment: Commitment) -> Value {
    let options = json!({
        "commitment": commitment.as_str(),
        "transactionDetails": "none",
        "rewards": false,
        "maxSupportedTransactionVersion": 1,
    });
    json!([slot, options])
}
