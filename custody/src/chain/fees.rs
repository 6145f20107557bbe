//! What others paid for priority, and which epoch it is.

use keyward_core::address::Address;
use serde::Deserialize;
use serde_json::json;
use solana_rpc_client_api::request::RpcRequest;

use super::transport::call;
use super::{ChainError, Commitment, RecentFee, SolanaNode};

/// What `getRecentPrioritizationFees` takes at most.
const MAX_ACCOUNTS: usize = 128;
/// Far above the 150 blocks that a node answers with.
const MAX_BLOCKS: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawFee {
    slot: u64,
    prioritization_fee: u64,
}

pub(super) async fn recent(node: &SolanaNode, writable: &[Address]) -> Result<Vec<RecentFee>, ChainError> {
    if writable.len() > MAX_ACCOUNTS {
        return Err(ChainError::OutOfBounds {
            what: format!("recent fees of more than {MAX_ACCOUNTS} accounts"),
        });
    }
    let fees: Vec<RawFee> = call(node, RpcRequest::GetRecentPrioritizationFees, json!([writable])).await?;
    if fees.len() > MAX_BLOCKS {
        return Err(ChainError::nonsense(format!("fees of {} blocks", fees.len())));
    }
    let mut fees: Vec<RecentFee> = fees
        .into_iter()
        .map(|fee| RecentFee {
            slot: fee.slot,
            micro_lamports: fee.prioritization_fee,
        })
        .collect();
    fees.sort_unstable_by_key(|fee| fee.slot);
    Ok(fees)
}

#[derive(Deserialize)]
struct EpochInfo {
    epoch: u64,
}

pub(super) async fn epoch(node: &SolanaNode) -> Result<u64, ChainError> {
    let params = json!([{ "commitment": Commitment::Confirmed.as_str() }]);
    let info: EpochInfo = call(node, RpcRequest::GetEpochInfo, params).await?;
    Ok(info.epoch)
}
