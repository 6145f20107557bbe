//! What can go wrong between this machine and a node, each with its cause and its remedy.
//!
//! Every variant but [`ChainError::Rejected`] and its refinements means *unknown*: the question was asked and no usable
//! answer came. Callers never read one of these as "no". Text that a node sent is shortened and stripped of control
//! characters before it is kept, since it ends on terminals.

use keyward_core::address::Address;

/// A call to a node that gave no usable answer, or that the node refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The endpoint's address cannot be used.
    #[error("the node's address cannot be used: {reason}")]
    InvalidUrl {
        /// What is wrong with it.
        reason: String,
    },
    /// No connection, or the connection broke.
    #[error("no answer from {endpoint}: {reason}")]
    Unreachable {
        /// Scheme, host and port; never the path, which may hold an access key.
        endpoint: String,
        /// What the connection failed with.
        reason: String,
    },
    /// Nothing came within the time allowed.
    #[error("{endpoint} did not answer within {timeout_ms} ms")]
    Timeout {
        /// Scheme, host and port.
        endpoint: String,
        /// The time that was allowed, in milliseconds.
        timeout_ms: u64,
    },
    /// HTTP 429, after a few polite repetitions.
    #[error("{endpoint} limits the rate of requests")]
    RateLimited {
        /// Scheme, host and port.
        endpoint: String,
        /// How long the node asks to wait, in milliseconds, if it says so.
        retry_after_ms: Option<u64>,
    },
    /// An HTTP status that is no success.
    #[error("{endpoint} answered with HTTP status {status}")]
    Http {
        /// Scheme, host and port.
        endpoint: String,
        /// The status code.
        status: u16,
    },
    /// The answer is larger than any honest one.
    #[error("the answer to {method} is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The JSON-RPC method.
        method: String,
        /// The bound that was exceeded, in bytes.
        limit_bytes: usize,
    },
    /// The answer is not what this question's answer looks like.
    #[error("the node's answer makes no sense: {what}")]
    Nonsense {
        /// What was wrong with it.
        what: String,
    },
    /// The node understood and refused.
    #[error("the node refused: {message} (code {code})")]
    Rejected {
        /// The JSON-RPC error code.
        code: i64,
        /// The node's words, shortened.
        message: String,
    },
    /// The node says that it lags behind the cluster, or has not reached the slot that was asked for.
    #[error("the node lags behind the cluster: {message}")]
    Behind {
        /// The node's words, shortened.
        message: String,
    },
    /// The node keeps no transaction history, so it cannot say that something never happened.
    #[error("the node keeps no transaction history")]
    HistoryUnavailable,
    /// The blockhash is no longer, or not yet, known to the node.
    #[error("the node does not know the transaction's blockhash")]
    BlockhashUnknown,
    /// The endpoint now serves another cluster than it did before.
    #[error("the endpoint serves another network: genesis {found} instead of {expected}")]
    WrongNetwork {
        /// The genesis hash that was seen first.
        expected: String,
        /// The genesis hash seen now.
        found: String,
    },
    /// A lookup table cannot be used.
    #[error("lookup table {table} cannot be used: {reason}")]
    LookupTable {
        /// The table.
        table: Address,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The question itself is out of bounds; nothing was asked.
    #[error("{what}")]
    OutOfBounds {
        /// Which bound was broken.
        what: String,
    },
}

impl ChainError {
    /// Returns what a person can do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::InvalidUrl { .. } => "give an address like http://127.0.0.1:8899 or https://host/path",
            Self::Unreachable { .. } => {
                "check that the node runs and that the address and port are right, then try again"
            }
            Self::Timeout { .. } => "try again; if it stays slow, choose a nearer node or a longer timeout",
            Self::RateLimited { .. } => "wait a little and try again, or use an endpoint with a higher limit",
            Self::Http { .. } => {
                "check the address and its access key; it must be a Solana JSON-RPC endpoint"
            }
            Self::TooLarge { .. } | Self::Nonsense { .. } => {
                "check that the address is a Solana JSON-RPC endpoint; nothing was concluded from the answer"
            }
            Self::Rejected { .. } => "read the node's reason; nothing else was changed",
            Self::Behind { .. } => "wait until the node has caught up, or choose another one",
            Self::HistoryUnavailable => "use a node that keeps transaction history for this question",
            Self::BlockhashUnknown => "prepare the transaction again with a fresh blockhash",
            Self::WrongNetwork { .. } => "check which network the endpoint serves before sending anything",
            Self::LookupTable { .. } => {
                "wait until the table is final and try again, or have the transaction built without it"
            }
            Self::OutOfBounds { .. } => "ask for less at once",
        }
    }

    /// Returns the stable word for this error that scripts can match.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidUrl { .. } => "invalid-url",
            Self::Unreachable { .. } => "node-unreachable",
            Self::Timeout { .. } => "node-timeout",
            Self::RateLimited { .. } => "node-rate-limited",
            Self::Http { .. } => "node-http-status",
            Self::TooLarge { .. } => "node-answer-too-large",
            Self::Nonsense { .. } => "node-answer-nonsense",
            Self::Rejected { .. } => "node-rejected",
            Self::Behind { .. } => "node-behind",
            Self::HistoryUnavailable => "node-history-unavailable",
            Self::BlockhashUnknown => "blockhash-unknown",
            Self::WrongNetwork { .. } => "wrong-network",
            Self::LookupTable { .. } => "lookup-table",
            Self::OutOfBounds { .. } => "out-of-bounds",
        }
    }

    pub(crate) fn nonsense(what: impl Into<String>) -> Self {
        Self::Nonsense {
            what: clean(&what.into()),
        }
    }
}

/// The longest text of a node that is kept, in characters.
const MAX_TEXT_CHARS: usize = 300;

/// Shortens a node's text and replaces what a terminal would interpret: control characters and the marks that reorder
/// text.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == MAX_TEXT_CHARS {
            out.push('…');
            break;
        }
        let hidden = character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        out.push(if hidden { ' ' } else { character });
    }
    out
}
