//! An endpoint: where it is, how it is doing, and which of several to ask.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client::rpc_client::RpcClientConfig;
use solana_rpc_client_api::client_error::reqwest::{self, Url, redirect};

use super::pace::Pace;
use super::sender::BoundedSender;
use crate::chain::error::clean;
use crate::chain::{ChainError, EndpointTraffic, NodeConfig};

const MAX_TIMEOUT_MS: u64 = 600_000;
/// The most endpoints of one node.
const MAX_ENDPOINTS: usize = 8;
/// How long an endpoint that failed comes last: twice as long with every further failure, up to the longest.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(60);

/// Where a node is. The addresses stay private to this layer, since their paths may hold access keys.
pub(in crate::chain) struct Endpoint {
    pub(super) rpc: RpcClient,
    /// Scheme, host and port.
    pub(in crate::chain) name: String,
    /// The WebSocket address, if there is one.
    pub(in crate::chain) ws_url: Option<String>,
    pub(in crate::chain) timeout: Duration,
    pub(super) pace: Pace,
    health: Mutex<Health>,
    requests: AtomicU64,
    limited: AtomicU64,
    failures: AtomicU64,
}

#[derive(Default)]
struct Health {
    /// Failures in a row.
    strikes: u32,
    down_until: Option<Instant>,
    is_vetted: bool,
}

impl Endpoint {
    pub(super) fn is_vetted(&self) -> bool {
        self.health().is_vetted
    }

    pub(super) fn vetted(&self) {
        self.health().is_vetted = true;
    }

    pub(super) fn succeeded(&self) {
        let mut health = self.health();
        health.strikes = 0;
        health.down_until = None;
    }

    pub(super) fn failed(&self, now: Instant, error: &ChainError) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        let mut health = self.health();
        health.strikes = health.strikes.saturating_add(1);
        let factor = 2_u32.saturating_pow(health.strikes.saturating_sub(1).min(16));
        let rest = FIRST_REST.saturating_mul(factor).min(LONGEST_REST);
        health.down_until = now.checked_add(rest);
        // Who was away may come back as somebody else.
        if matches!(error, ChainError::Unreachable { .. } | ChainError::Timeout { .. }) {
            health.is_vetted = false;
        }
    }

    pub(super) fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_limited(&self) {
        self.limited.fetch_add(1, Ordering::Relaxed);
    }

    /// What was asked of it so far, and how it went.
    pub(in crate::chain) fn traffic(&self) -> EndpointTraffic {
        EndpointTraffic {
            endpoint: self.name.clone(),
            requests: self.requests.load(Ordering::Relaxed),
            rate_limited: self.limited.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
        }
    }

    fn is_down(&self, now: Instant) -> bool {
        self.health().down_until.is_some_and(|until| until > now)
    }

    fn health(&self) -> std::sync::MutexGuard<'_, Health> {
        // Nothing is left half done under this lock.
        self.health
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The endpoints in the order in which they are asked: those that rest after a failure come last.
pub(super) fn order(endpoints: &[Endpoint], now: Instant) -> Vec<usize> {
    let is_down = |(_, endpoint): &(usize, &Endpoint)| endpoint.is_down(now);
    let (down, up): (Vec<_>, Vec<_>) = endpoints.iter().enumerate().partition(is_down);
    up.into_iter().chain(down).map(|(index, _)| index).collect()
}

/// Prepares the endpoints of a node. Contacts none of them.
pub(in crate::chain) fn open(config: &NodeConfig) -> Result<Vec<Endpoint>, ChainError> {
    if config.timeout_ms == 0 || config.timeout_ms > MAX_TIMEOUT_MS {
        let what = format!("a timeout is between 1 and {MAX_TIMEOUT_MS} ms");
        return Err(ChainError::OutOfBounds { what });
    }
    if config.more_rpc_urls.len() >= MAX_ENDPOINTS {
        let what = format!("more than {MAX_ENDPOINTS} endpoints");
        return Err(ChainError::OutOfBounds { what });
    }
    if config.max_requests_per_second == Some(0) {
        let what = "no requests at all".to_owned();
        return Err(ChainError::OutOfBounds { what });
    }
    let mut urls = vec![parse_url(&config.rpc_url, &["http", "https"])?];
    for text in &config.more_rpc_urls {
        let url = parse_url(text, &["http", "https"])?;
        if urls.contains(&url) {
            return Err(ChainError::InvalidUrl {
                reason: format!("{} is given twice, and would agree with itself", name_of(&url)),
            });
        }
        urls.push(url);
    }
    let mut endpoints = Vec::with_capacity(urls.len());
    for (index, url) in urls.into_iter().enumerate() {
        // A WebSocket address that was given belongs to the first.
        let ws_url = match &config.ws_url {
            Some(given) if index == 0 => Some(parse_url(given, &["ws", "wss"])?.to_string()),
            _ => customary_ws_url(&url),
        };
        endpoints.push(endpoint(config, url, ws_url)?);
    }
    Ok(endpoints)
}

fn endpoint(config: &NodeConfig, url: Url, ws_url: Option<String>) -> Result<Endpoint, ChainError> {
    let timeout = Duration::from_millis(config.timeout_ms);
    let http = reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(timeout)
        .timeout(timeout)
        .build()
        .map_err(|error| ChainError::InvalidUrl {
            reason: clean(&error.to_string()),
        })?;
    let name = name_of(&url);
    let sender = BoundedSender {
        http,
        url,
        name: name.clone(),
        timeout_ms: config.timeout_ms,
        next_id: AtomicU64::new(1),
    };
    Ok(Endpoint {
        rpc: RpcClient::new_sender(sender, RpcClientConfig::default()),
        name,
        ws_url,
        timeout,
        pace: Pace::new(config.max_requests_per_second),
        health: Mutex::default(),
        requests: AtomicU64::new(0),
        limited: AtomicU64::new(0),
        failures: AtomicU64::new(0),
    })
}

pub(super) fn parse_url(text: &str, schemes: &[&str]) -> Result<Url, ChainError> {
    let invalid = |reason: &str| ChainError::InvalidUrl {
        reason: reason.to_string(),
    };
    let url = Url::parse(text.trim()).map_err(|error| invalid(&error.to_string()))?;
    if !schemes.contains(&url.scheme()) {
        return Err(invalid(&format!(
            "it must begin with {}://",
            schemes.join(":// or ")
        )));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(invalid("it names no host"));
    }
    Ok(url)
}

fn name_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    }
}

/// Returns the address where the WebSocket of a JSON-RPC endpoint customarily is. Another port is never guessed beyond the
/// validator's own pair 8899/8900: it could be anything.
pub(super) fn customary_ws_url(rpc: &Url) -> Option<String> {
    let mut url = rpc.clone();
    let scheme = if rpc.scheme() == "https" { "wss" } else { "ws" };
    match rpc.port() {
        None => {}
        Some(8899) => url.set_port(Some(8900)).ok()?,
        Some(_) => return None,
    }
    url.set_scheme(scheme).ok()?;
    Some(url.to_string())
}
