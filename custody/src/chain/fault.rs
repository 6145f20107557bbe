//! Why a transaction fails, and which part of it: what a batch of many is split by.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use solana_rpc_client_api::request::RpcRequest;

use super::explain::explain;
use super::transport::{AtSlot, call};
use super::{ChainError, Commitment, SolanaNode};

/// Why a transaction fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// In words for a person.
    pub text: String,
    /// The instruction that fails, by its place, if one does.
    pub instruction: Option<usize>,
    /// The account that is left in a state which the cluster does not allow, by its place, if one is.
    pub account: Option<usize>,
}

impl Fault {
    /// Reads the `err` of a status, a simulation or a landed transaction.
    pub(super) fn read(error: &Value) -> Self {
        let place = |value: Option<&Value>| value?.as_u64().and_then(|at| usize::try_from(at).ok());
        let fields = error.as_object();
        let named = |name: &str| fields.and_then(|fields| fields.get(name));
        Self {
            text: explain(error),
            instruction: place(named("InstructionError").and_then(|parts| parts.get(0))),
            account: place(named("InsufficientFundsForRent").and_then(|parts| parts.get("account_index"))),
        }
    }
}

/// What a transaction would do if it landed now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// The slot it was simulated at.
    pub slot: u64,
    /// Why it would fail, if it would.
    pub fault: Option<Fault>,
    /// Compute units consumed, if the node says.
    pub units: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    err: Option<Value>,
    units_consumed: Option<u64>,
}

pub(super) async fn trial(node: &SolanaNode, bytes: &[u8]) -> Result<Trial, ChainError> {
    let options = json!({
        "commitment": Commitment::Confirmed.as_str(),
        "encoding": "base64",
        "sigVerify": false,
        "replaceRecentBlockhash": false,
    });
    let params = json!([STANDARD.encode(bytes), options]);
    let answer: AtSlot<Raw> = call(node, RpcRequest::SimulateTransaction, params).await?;
    let raw = answer.value;
    if raw.err.as_ref() == Some(&json!("BlockhashNotFound")) {
        return Err(ChainError::BlockhashUnknown);
    }
    Ok(Trial {
        slot: answer.context.slot,
        fault: raw.err.as_ref().map(Fault::read),
        units: raw.units_consumed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_that_fails_is_named() {
        let read = |error: Value| {
            let fault = Fault::read(&error);
            (fault.instruction, fault.account)
        };
        assert_eq!(
            read(json!({"InstructionError": [3, {"Custom": 1}]})),
            (Some(3), None)
        );
        assert_eq!(
            read(json!({"InsufficientFundsForRent": {"account_index": 2}})),
            (None, Some(2))
        );
        for error in [
            json!("InsufficientFundsForFee"),
            json!({"InstructionError": "odd"}),
            json!({"InstructionError": [-1, "Custom"]}),
            json!(7),
        ] {
            assert_eq!(read(error.clone()), (None, None), "{error}");
        }
    }
}
