//! What became of many signatures, asked at once.

use keyward_core::address::Signature;
use serde::Deserialize;
use serde_json::{Value, json};
use solana_rpc_client_api::request::RpcRequest;

use super::explain::explain;
use super::transport::{AtSlot, call};
use super::{ChainError, Commitment, SearchScope, SignatureSearch, SignatureStatus, SolanaNode};

/// What `getSignatureStatuses` takes at most.
pub(super) const MAX_SIGNATURES: usize = 256;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawStatus {
    slot: u64,
    err: Option<Value>,
    confirmations: Option<u64>,
    confirmation_status: Option<String>,
}

/// One answer for each signature, in their order, all at the slot that the answering node had reached.
pub(super) async fn search(
    node: &SolanaNode,
    signatures: &[Signature],
    scope: SearchScope,
) -> Result<Vec<SignatureSearch>, ChainError> {
    if signatures.is_empty() {
        return Ok(Vec::new());
    }
    if signatures.len() > MAX_SIGNATURES {
        return Err(ChainError::OutOfBounds {
            what: format!("more than {MAX_SIGNATURES} signatures in one request"),
        });
    }
    let history = scope == SearchScope::History;
    let params = json!([signatures, { "searchTransactionHistory": history }]);
    let answer: AtSlot<Vec<Option<RawStatus>>> = call(node, RpcRequest::GetSignatureStatuses, params).await?;
    if answer.value.len() != signatures.len() {
        let (found, asked) = (answer.value.len(), signatures.len());
        return Err(ChainError::nonsense(format!(
            "{found} statuses for {asked} signatures"
        )));
    }
    let context_slot = answer.context.slot;
    let read = |status: Option<RawStatus>| {
        Ok(SignatureSearch {
            context_slot,
            status: status.map(read_status).transpose()?,
        })
    };
    answer.value.into_iter().map(read).collect()
}

fn read_status(status: RawStatus) -> Result<SignatureStatus, ChainError> {
    let commitment = match (&status.confirmation_status, status.confirmations) {
        (Some(text), _) => {
            Commitment::parse(text).ok_or_else(|| ChainError::nonsense("an unknown level of commitment"))?
        }
        // Old nodes: no confirmations left to count means rooted.
        (None, None) => Commitment::Finalized,
        (None, Some(_)) => Commitment::Processed,
    };
    Ok(SignatureStatus {
        slot: status.slot,
        commitment,
        error: status.err.as_ref().map(explain),
    })
}
