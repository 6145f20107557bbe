#![allow(clippy::unwrap_used, reason = "tests")]

use super::endpoint::{customary_ws_url, parse_url};
use super::sender::read_answer;
use super::*;
use crate::chain::NodeConfig;

fn ws_of(rpc: &str) -> Option<String> {
    customary_ws_url(&parse_url(rpc, &["http", "https"]).unwrap())
}

#[test]
fn websocket_addresses_are_derived_only_where_customary() {
    assert_eq!(
        ws_of("http://127.0.0.1:8899").as_deref(),
        Some("ws://127.0.0.1:8900/")
    );
    assert_eq!(
        ws_of("https://node.example/key").as_deref(),
        Some("wss://node.example/key")
    );
    assert_eq!(ws_of("http://127.0.0.1:4000"), None);
}

#[test]
fn addresses_without_scheme_or_host_are_refused() {
    for text in [
        "",
        "localhost:8899",
        "ftp://host",
        "ws://host",
        "http://",
        "/path",
        "file:///etc/passwd",
    ] {
        let config = NodeConfig::new(text);
        assert!(
            matches!(open(&config), Err(ChainError::InvalidUrl { .. })),
            "{text:?}"
        );
    }
    let config = NodeConfig {
        timeout_ms: 0,
        ..NodeConfig::new("http://host")
    };
    assert!(matches!(open(&config), Err(ChainError::OutOfBounds { .. })));
}

#[test]
fn the_endpoint_is_named_without_its_key() {
    let config = NodeConfig::new("https://user:hunter2@node.example:444/KEYKEY?api-key=KEYKEY");
    let node = SolanaNode::connect(&config).unwrap();
    assert_eq!(node.endpoint(), "https://node.example:444");
    for text in [format!("{node:?}"), format!("{config:?}")] {
        assert!(!text.contains("KEYKEY") && !text.contains("hunter2"), "{text}");
    }
}

#[test]
fn only_a_well_formed_answer_to_this_question_is_read() {
    let check = |text: &str, good: bool| {
        let answer = read_answer(RpcRequest::GetSlot, 7, text.as_bytes());
        assert_eq!(answer.is_ok(), good, "{text}: {answer:?}");
    };
    check(r#"{"jsonrpc":"2.0","id":7,"result":1}"#, true);
    check(r#"{"jsonrpc":"2.0","id":7,"result":null}"#, true);
    check(r#"{"jsonrpc":"2.0","id":7,"result":1,"error":null}"#, true);
    check(r#"{"jsonrpc":"2.0","id":8,"result":1}"#, false);
    check(r#"{"jsonrpc":"2.0","id":"7","result":1}"#, false);
    check(r#"{"jsonrpc":"2.0","result":1}"#, false);
    check(r#"{"jsonrpc":"1.0","id":7,"result":1}"#, false);
    check(r#"{"id":7,"result":1}"#, false);
    check(r#"{"jsonrpc":"2.0","id":7}"#, false);
    check(
        r#"{"jsonrpc":"2.0","id":7,"result":1,"error":{"code":1,"message":"m"}}"#,
        false,
    );
    check(r#"[{"jsonrpc":"2.0","id":7,"result":1}]"#, false);
    check(r#""Service Unavailable""#, false);
    check("<html><body>hello</body></html>", false);
    check("", false);
    check(&"[".repeat(100_000), false);
}

#[test]
fn a_refusal_keeps_its_code_and_loses_its_control_characters() {
    let text =
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32002,\"message\":\"no\\u001b[31mway\"}}";
    let error = read_answer(RpcRequest::SendTransaction, 7, text.as_bytes()).unwrap_err();
    assert_eq!(
        error,
        ChainError::Rejected {
            code: -32002,
            message: "no [31mway".into()
        }
    );
    let behind = r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32005,"message":"Node is behind by 42 slots"}}"#;
    assert!(matches!(
        read_answer(RpcRequest::GetHealth, 7, behind.as_bytes()),
        Err(ChainError::Behind { .. })
    ));
}

#[test]
fn several_endpoints_are_told_apart() {
    let config = |more: &[&str]| NodeConfig {
        more_rpc_urls: more.iter().map(|url| (*url).to_owned()).collect(),
        ..NodeConfig::new("https://one.example/KEYKEY")
    };
    let node = SolanaNode::connect(&config(&["https://two.example"])).unwrap();
    let names: Vec<_> = node.traffic().into_iter().map(|one| one.endpoint).collect();
    assert_eq!(names, ["https://one.example", "https://two.example"]);
    for bad in [
        &["https://one.example/KEYKEY"][..],
        &["https://two.example", "https://two.example"],
        &["ws://two.example"],
        &[""],
        &[
            "https://a",
            "https://b",
            "https://c",
            "https://d",
            "https://e",
            "https://f",
            "https://g",
            "https://h",
        ],
    ] {
        let text = match open(&config(bad)) {
            Ok(_) => panic!("{bad:?}"),
            Err(error) => error.to_string(),
        };
        assert!(!text.contains("KEYKEY"), "{text}");
    }
    let none = NodeConfig {
        max_requests_per_second: Some(0),
        ..config(&[])
    };
    assert!(open(&none).is_err());
}

#[test]
fn an_endpoint_that_failed_comes_last_for_a_while() {
    let config = NodeConfig {
        more_rpc_urls: vec!["http://two".into(), "http://three".into()],
        ..NodeConfig::new("http://one")
    };
    let endpoints = open(&config).unwrap();
    let now = Instant::now();
    let down = ChainError::HistoryUnavailable;
    assert_eq!(endpoint::order(&endpoints, now), [0, 1, 2]);
    endpoints[0].failed(now, &down);
    assert_eq!(endpoint::order(&endpoints, now), [1, 2, 0]);
    endpoints[0].failed(now, &down);
    let later = |ms| now + std::time::Duration::from_millis(ms);
    assert_eq!(endpoint::order(&endpoints, later(1_900)), [1, 2, 0]);
    assert_eq!(endpoint::order(&endpoints, later(2_100)), [0, 1, 2]);
    endpoints[1].failed(now, &down);
    endpoints[1].succeeded();
    assert_eq!(endpoint::order(&endpoints, now), [1, 2, 0]);
}
