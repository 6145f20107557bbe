//! The latest blockhash, shared by everyone who needs one at about the same time.
//!
//! Holding the lock while asking is what keeps it to one request in flight: whoever waits finds the fresh answer.

use std::time::{Duration, Instant};

use keyward_core::address::Blockhash;
use serde::Deserialize;
use serde_json::json;
use solana_rpc_client_api::request::RpcRequest;
use tokio::sync::Mutex;

use super::transport::{AtSlot, call};
use super::{Blockhashes, ChainError, Commitment, SolanaNode};

/// A blockhash lives around half a minute on today's cluster; this much of it may be spent before use.
const MAX_AGE: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(super) struct Cache {
    last: Mutex<Option<(Instant, Blockhashes)>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Latest {
    blockhash: Blockhash,
    last_valid_block_height: u64,
}

pub(super) async fn latest(node: &SolanaNode) -> Result<Blockhashes, ChainError> {
    let mut last = node.inner.blockhash.last.lock().await;
    if let Some((read_at, cached)) = *last {
        let age = read_at.elapsed();
        if age < MAX_AGE {
            return Ok(Blockhashes {
                age_ms: u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
                ..cached
            });
        }
    }
    // The age counts from before the question, so that a slow answer is not taken for a fresh one.
    let asked_at = Instant::now();
    let params = json!([{ "commitment": Commitment::Confirmed.as_str() }]);
    let answer: AtSlot<Latest> = call(node, RpcRequest::GetLatestBlockhash, params).await?;
    let fresh = Blockhashes {
        blockhash: answer.value.blockhash,
        last_valid_block_height: answer.value.last_valid_block_height,
        slot: answer.context.slot,
        age_ms: 0,
    };
    *last = Some((asked_at, fresh));
    Ok(fresh)
}
