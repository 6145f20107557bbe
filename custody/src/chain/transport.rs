//! Questions to endpoints: one after another until one answers, or all of them.
//!
//! With several endpoints the first in the given order that is up is asked; when it gives no usable answer the next one is.
//! Each is held to the same genesis hash before its first answer counts, and again after it was away. Answers are never
//! mixed or averaged. Where "nothing found" proves something, [`call_all`] asks all of them, since an endpoint that has
//! just come into play may know less than the one before it. Each endpoint has a pace of its own.
//!
//! JSON-RPC 2.0: <https://www.jsonrpc.org/specification>.

mod endpoint;
mod pace;
mod sender;

use std::time::Instant;

use futures_util::future::join_all;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use solana_rpc_client_api::client_error::ErrorKind;
use solana_rpc_client_api::request::RpcRequest;

use super::{ChainError, SolanaNode};
pub(super) use endpoint::{Endpoint, open};

/// How often a rate-limited question is asked again where there is no other endpoint.
const RATE_LIMIT_RETRIES: u32 = 2;
/// JSON-RPC's own codes for a method that an endpoint does not have, and for a fault of its own.
const OF_THE_ENDPOINT: [i64; 2] = [-32_601, -32_603];

/// Asks one question and reads the answer as `T`.
pub(super) async fn call<T: DeserializeOwned>(
    node: &SolanaNode,
    request: RpcRequest,
    params: Value,
) -> Result<T, ChainError> {
    let endpoints = &node.inner.endpoints;
    let order = endpoint::order(endpoints, Instant::now());
    let mut first = None;
    for (tried, index) in order.iter().enumerate() {
        let Some(endpoint) = endpoints.get(*index) else {
            continue;
        };
        let is_last = tried + 1 == order.len();
        let retries = if is_last { RATE_LIMIT_RETRIES } else { 0 };
        match ask(node, endpoint, request, params.clone(), retries).await {
            Err(error) if !is_last && is_of_the_endpoint(&error) => {
                tracing::debug!(endpoint = %endpoint.name, code = error.code(), "asking the next endpoint");
                first.get_or_insert(error);
            }
            // The one that was asked first is the one that people know.
            Err(error) if is_of_the_endpoint(&error) => return Err(first.unwrap_or(error)),
            other => return other,
        }
    }
    Err(first.unwrap_or_else(|| ChainError::nonsense("there is no endpoint to ask")))
}

/// Asks every endpoint the same, at the same time. One answer each, in the endpoints' order.
pub(super) async fn call_all<T: DeserializeOwned>(
    node: &SolanaNode,
    request: RpcRequest,
    params: Value,
) -> Vec<Result<T, ChainError>> {
    let asked = node
        .inner
        .endpoints
        .iter()
        .map(|endpoint| ask(node, endpoint, request, params.clone(), RATE_LIMIT_RETRIES));
    join_all(asked).await
}

/// Asks one endpoint, which is held to the network first, and remembers how it went.
pub(super) async fn ask<T: DeserializeOwned>(
    node: &SolanaNode,
    endpoint: &Endpoint,
    request: RpcRequest,
    params: Value,
    retries: u32,
) -> Result<T, ChainError> {
    let answer = match vet(node, endpoint, request).await {
        Ok(()) => ask_unvetted(endpoint, request, params, retries).await,
        Err(error) => Err(error),
    };
    match &answer {
        Err(error) if is_of_the_endpoint(error) => endpoint.failed(Instant::now(), error),
        _ => endpoint.succeeded(),
    }
    answer
}

/// Whether another endpoint may do better. What a node understood and refused, it would be refused elsewhere.
fn is_of_the_endpoint(error: &ChainError) -> bool {
    match error {
        ChainError::Unreachable { .. }
        | ChainError::Timeout { .. }
        | ChainError::RateLimited { .. }
        | ChainError::Http { .. }
        | ChainError::TooLarge { .. }
        | ChainError::Nonsense { .. }
        | ChainError::Behind { .. }
        | ChainError::HistoryUnavailable => true,
        ChainError::Rejected { code, .. } => OF_THE_ENDPOINT.contains(code),
        _ => false,
    }
}

/// Holds an endpoint to the network of the others before its first answer counts. A single one is held to it by those who
/// ask for the network.
async fn vet(node: &SolanaNode, endpoint: &Endpoint, request: RpcRequest) -> Result<(), ChainError> {
    let is_single = node.inner.endpoints.len() == 1;
    if is_single || request == RpcRequest::GetGenesisHash || endpoint.is_vetted() {
        return Ok(());
    }
    let found: String = ask_unvetted(
        endpoint,
        RpcRequest::GetGenesisHash,
        json!([]),
        RATE_LIMIT_RETRIES,
    )
    .await?;
    super::network::hold(node, found)?;
    endpoint.vetted();
    Ok(())
}

async fn ask_unvetted<T: DeserializeOwned>(
    endpoint: &Endpoint,
    request: RpcRequest,
    params: Value,
    mut retries: u32,
) -> Result<T, ChainError> {
    loop {
        let wait = endpoint
            .pace
            .turn(Instant::now())
            .map_err(|wait| ChainError::RateLimited {
                endpoint: endpoint.name.clone(),
                retry_after_ms: Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            })?;
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        let asked_at = Instant::now();
        endpoint.count_request();
        match exchange(endpoint, request, params.clone()).await {
            Err(ChainError::RateLimited {
                endpoint: name,
                retry_after_ms,
            }) => {
                let is_short = endpoint.pace.limited(asked_at, Instant::now(), retry_after_ms);
                endpoint.count_limited();
                if retries == 0 || !is_short {
                    return Err(ChainError::RateLimited {
                        endpoint: name,
                        retry_after_ms,
                    });
                }
                retries -= 1;
            }
            other => {
                endpoint.pace.answered();
                return other;
            }
        }
    }
}

async fn exchange<T: DeserializeOwned>(
    endpoint: &Endpoint,
    request: RpcRequest,
    params: Value,
) -> Result<T, ChainError> {
    endpoint
        .rpc
        .send::<T>(request, params)
        .await
        .map_err(|error| match *error.kind {
            ErrorKind::Middleware(inner) => match inner.downcast::<ChainError>() {
                Ok(chain) => chain,
                Err(other) => ChainError::nonsense(other.to_string()),
            },
            ErrorKind::SerdeJson(inner) => {
                ChainError::nonsense(format!("the answer to {request} has another shape: {inner}"))
            }
            _ => ChainError::nonsense(format!("the answer to {request} could not be read")),
        })
}

/// A result that says at which slot it was read.
#[derive(Deserialize)]
pub(super) struct AtSlot<T> {
    pub(super) context: Context,
    pub(super) value: T,
}

#[derive(Deserialize)]
pub(super) struct Context {
    pub(super) slot: u64,
}

#[cfg(test)]
mod tests;
