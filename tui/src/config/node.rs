//! The node that the settings name: its endpoints, and how fast each may be asked.

use keyward_custody::chain::NodeConfig;

use super::{Config, ConfigError, Key, check_rpc_url};

/// The most further endpoints.
const MAX_MORE: usize = 7;
/// The most requests in a second that can be allowed.
const MAX_RATE: u32 = 10_000;

impl Config {
    /// The node that these settings name, if they name one.
    #[must_use]
    pub fn node(&self) -> Option<NodeConfig> {
        let rpc_url = self.rpc_url.as_ref()?;
        Some(NodeConfig {
            ws_url: self.ws_url.clone(),
            more_rpc_urls: self.more_rpc_urls.clone(),
            max_requests_per_second: self.max_requests_per_second,
            ..NodeConfig::new(rpc_url)
        })
    }
}

/// Reads addresses with spaces between.
pub(super) fn parse_urls(text: &str) -> Result<Vec<String>, ConfigError> {
    let urls: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    check_urls(&urls)?;
    Ok(urls)
}

pub(super) fn check_urls(urls: &[String]) -> Result<(), ConfigError> {
    let refuse = |reason| ConfigError::Value {
        key: Key::MoreRpcUrls,
        reason,
    };
    if urls.len() > MAX_MORE {
        return Err(refuse("at most 7 further endpoints"));
    }
    for url in urls {
        if check_rpc_url(url).is_err() {
            return Err(refuse("not http:// or https:// addresses with spaces between"));
        }
    }
    Ok(())
}

pub(super) fn parse_rate(text: &str) -> Result<u32, ConfigError> {
    let rate = text.parse().map_err(|_| ConfigError::Value {
        key: Key::MaxRequestsPerSecond,
        reason: "not a whole number",
    })?;
    check_rate(rate)?;
    Ok(rate)
}

pub(super) fn check_rate(rate: u32) -> Result<(), ConfigError> {
    if (1..=MAX_RATE).contains(&rate) {
        return Ok(());
    }
    Err(ConfigError::Value {
        key: Key::MaxRequestsPerSecond,
        reason: "must be 1 to 10000",
    })
}
