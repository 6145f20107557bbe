//! Addresses of nodes: what is accepted, what is private, and how much of one may be shown.
//!
//! It judges the text alone and resolves no name. Generic syntax: RFC 3986.

use super::{ConfigError, Key};

/// Whether an endpoint's traffic can be read on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointPrivacy {
    /// TLS, or this machine alone.
    Private,
    /// Plain text over a network: the node's answers can be read and changed on the way.
    PlainText,
}

/// Checks a JSON-RPC address: `http://` or `https://` with a host.
///
/// # Errors
///
/// [`ConfigError::Value`] with what is wrong.
pub fn check_rpc_url(url: &str) -> Result<EndpointPrivacy, ConfigError> {
    check_url(
        Key::RpcUrl,
        url,
        "https",
        "http",
        "must begin with https:// or http://",
    )
}

/// Checks a WebSocket address: `ws://` or `wss://` with a host.
///
/// # Errors
///
/// [`ConfigError::Value`] with what is wrong.
pub fn check_ws_url(url: &str) -> Result<EndpointPrivacy, ConfigError> {
    check_url(Key::WsUrl, url, "wss", "ws", "must begin with wss:// or ws://")
}

/// Shortens an address to scheme, host and port: paths, queries and user parts of providers often hold access tokens.
pub fn endpoint_host(url: &str) -> String {
    match split_url(url) {
        Some((scheme, authority)) => {
            format!("{scheme}://{}", authority.rsplit('@').next().unwrap_or_default())
        }
        None => "?".to_owned(),
    }
}

fn check_url(
    key: Key,
    url: &str,
    secure: &str,
    plain: &str,
    scheme_reason: &'static str,
) -> Result<EndpointPrivacy, ConfigError> {
    let refuse = |reason| ConfigError::Value { key, reason };
    if url.len() > 2048 || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(refuse("is too long or holds white space"));
    }
    let (scheme, authority) = split_url(url).ok_or_else(|| refuse(scheme_reason))?;
    let host = host_of(authority);
    if host.is_empty() {
        return Err(refuse("has no host"));
    }
    if scheme.eq_ignore_ascii_case(secure) {
        Ok(EndpointPrivacy::Private)
    } else if !scheme.eq_ignore_ascii_case(plain) {
        Err(refuse(scheme_reason))
    } else if is_loopback(host) {
        Ok(EndpointPrivacy::Private)
    } else {
        Ok(EndpointPrivacy::PlainText)
    }
}

/// `(scheme, authority)` of an address.
fn split_url(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    Some((scheme, rest.split(['/', '?', '#']).next().unwrap_or_default()))
}

fn host_of(authority: &str) -> &str {
    let host_port = authority.rsplit('@').next().unwrap_or_default();
    match host_port.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((v6, _)) => v6,
        None => host_port.split(':').next().unwrap_or_default(),
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
