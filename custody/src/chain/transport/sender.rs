//! One JSON-RPC question, one bounded answer.
//!
//! A sender for `solana_rpc_client`'s client in place of its own, which reads answers of any size, follows redirects, takes
//! a proxy from the environment, sleeps up to ten minutes on HTTP 429, and takes an answer with neither result nor error
//! for `null`. This one does none of that; every failure leaves it as a [`ChainError`].

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Deserialize;
use serde_json::Value;
use solana_rpc_client::rpc_sender::{RpcSender, RpcTransportStats};
use solana_rpc_client_api::client_error::reqwest::{self, Url, header};
use solana_rpc_client_api::client_error::{AnyhowError, Error as ClientError, ErrorKind};
use solana_rpc_client_api::custom_error as codes;
use solana_rpc_client_api::request::RpcRequest;

use crate::chain::ChainError;
use crate::chain::error::clean;

/// The largest answer that is read, in bytes after decompression. The largest honest one, a page of 1,000 history entries
/// with memos, stays below.
const MAX_ANSWER_BYTES: usize = 2 * 1024 * 1024;
/// The same for all token accounts of one owner: about 30,000 of them.
const MAX_LIST_BYTES: usize = 16 * 1024 * 1024;

pub(super) struct BoundedSender {
    pub(super) http: reqwest::Client,
    pub(super) url: Url,
    pub(super) name: String,
    pub(super) timeout_ms: u64,
    pub(super) next_id: AtomicU64,
}

#[derive(Deserialize)]
struct ErrorObject {
    code: i64,
    message: String,
}

impl BoundedSender {
    async fn ask(&self, request: RpcRequest, params: Value) -> Result<Value, ChainError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let body = request.build_request_json(id, params).to_string();
        let bytes = self.exchange(request, &body).await?;
        read_answer(request, id, &bytes)
    }

    async fn exchange(&self, request: RpcRequest, body: &str) -> Result<Vec<u8>, ChainError> {
        let mut response = self
            .http
            .post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.to_string())
            .send()
            .await
            .map_err(|error| self.broken(&error))?;
        let status = response.status();
        if status == reqwest::StatusCode::TOO_MANY_REQUESTS {
            let retry_after_ms = response
                .headers()
                .get(header::RETRY_AFTER)
                .and_then(|value| value.to_str().ok())
                .and_then(|value| value.parse::<u64>().ok())
                .and_then(|seconds| seconds.checked_mul(1_000));
            return Err(ChainError::RateLimited {
                endpoint: self.name.clone(),
                retry_after_ms,
            });
        }
        if !status.is_success() {
            return Err(ChainError::Http {
                endpoint: self.name.clone(),
                status: status.as_u16(),
            });
        }
        let limit_bytes = match request {
            RpcRequest::GetTokenAccountsByOwner => MAX_LIST_BYTES,
            _ => MAX_ANSWER_BYTES,
        };
        let too_large = || ChainError::TooLarge {
            method: request.to_string(),
            limit_bytes,
        };
        if response
            .content_length()
            .is_some_and(|length| length > limit_bytes as u64)
        {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(&error))? {
            if bytes.len() + chunk.len() > limit_bytes {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// Sorts a transport failure. Its own text is not used, since it holds the URL.
    fn broken(&self, error: &reqwest::Error) -> ChainError {
        let endpoint = self.name.clone();
        if error.is_timeout() {
            return ChainError::Timeout {
                endpoint,
                timeout_ms: self.timeout_ms,
            };
        }
        if error.is_decode() {
            return ChainError::nonsense("the body is cut short or cannot be decompressed");
        }
        let reason = if error.is_connect() {
            "no connection"
        } else {
            "the connection broke"
        };
        let reason = match innermost_io(error) {
            Some(cause) => format!("{reason} ({cause})"),
            None => reason.to_string(),
        };
        ChainError::Unreachable {
            endpoint,
            reason: clean(&reason),
        }
    }
}

fn innermost_io(error: &reqwest::Error) -> Option<String> {
    let mut source = std::error::Error::source(error);
    let mut found = None;
    // Bounded: an error chain is short, and a cyclic one must not hang.
    for _ in 0..16 {
        let Some(current) = source else { break };
        if let Some(io) = current.downcast_ref::<std::io::Error>() {
            found = Some(io.to_string());
        }
        source = current.source();
    }
    found
}

pub(super) fn read_answer(request: RpcRequest, id: u64, bytes: &[u8]) -> Result<Value, ChainError> {
    let not_json = || {
        ChainError::nonsense(format!(
            "the answer to {request} is not JSON, but begins with {:?}",
            beginning(bytes)
        ))
    };
    let answer: Value = serde_json::from_slice(bytes).map_err(|_| not_json())?;
    let Value::Object(mut fields) = answer else {
        return Err(ChainError::nonsense(format!(
            "the answer to {request} is not an object"
        )));
    };
    if fields.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(ChainError::nonsense(format!(
            "the answer to {request} is not JSON-RPC 2.0"
        )));
    }
    let error = fields.remove("error").filter(|error| !error.is_null());
    let answered_id = fields.get("id").cloned().unwrap_or(Value::Null);
    // A node that could not read the question answers with the id null, and only with an error.
    let id_fits = answered_id.as_u64() == Some(id) || (answered_id.is_null() && error.is_some());
    if !id_fits {
        return Err(ChainError::nonsense(format!(
            "the answer to {request} carries another question's id"
        )));
    }
    match (error, fields.remove("result")) {
        (Some(error), _) => Err(refusal(request, error)),
        (None, Some(result)) => Ok(result),
        (None, None) => Err(ChainError::nonsense(format!(
            "the answer to {request} has neither result nor error"
        ))),
    }
}

fn beginning(bytes: &[u8]) -> String {
    let head = bytes.get(..40).unwrap_or(bytes);
    String::from_utf8_lossy(head).into_owned()
}

fn refusal(request: RpcRequest, error: Value) -> ChainError {
    let Ok(ErrorObject { code, message }) = serde_json::from_value::<ErrorObject>(error) else {
        return ChainError::nonsense(format!(
            "the error in the answer to {request} has no code and message"
        ));
    };
    let message = clean(&message);
    match code {
        codes::JSON_RPC_SERVER_ERROR_NODE_UNHEALTHY
        | codes::JSON_RPC_SERVER_ERROR_MIN_CONTEXT_SLOT_NOT_REACHED
        | codes::JSON_RPC_SERVER_ERROR_BLOCK_STATUS_NOT_AVAILABLE_YET => ChainError::Behind { message },
        codes::JSON_RPC_SERVER_ERROR_TRANSACTION_HISTORY_NOT_AVAILABLE
        | codes::JSON_RPC_SERVER_ERROR_LONG_TERM_STORAGE_UNREACHABLE
        | codes::JSON_RPC_SERVER_ERROR_NO_SLOT_HISTORY => ChainError::HistoryUnavailable,
        _ => ChainError::Rejected { code, message },
    }
}

/// Written out instead of by `async_trait`, whose shape the trait has.
impl RpcSender for BoundedSender {
    fn send<'this, 'future>(
        &'this self,
        request: RpcRequest,
        params: Value,
    ) -> Pin<Box<dyn Future<Output = Result<Value, ClientError>> + Send + 'future>>
    where
        'this: 'future,
        Self: 'future,
    {
        Box::pin(async move {
            let kind = |error: ChainError| ErrorKind::Middleware(AnyhowError::new(error));
            self.ask(request, params)
                .await
                .map_err(|error| ClientError::new_with_request(kind(error), request))
        })
    }

    fn get_transport_stats(&self) -> RpcTransportStats {
        RpcTransportStats::default()
    }

    /// The name alone: the address may hold an access key.
    fn url(&self) -> String {
        self.name.clone()
    }
}
