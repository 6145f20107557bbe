//! Servers that answer wrongly, hugely, slowly or not at all. Each gets its own error, and none is taken for "no".

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use keyward_core::address::Signature;
use keyward_custody::chain::{ChainError, Commitment, NodeConfig, SearchScope, SolanaNode};
use serde_json::json;

use crate::faults::{FaultServer, Reply};
use crate::scene::fresh_address;

fn client(url: &str) -> SolanaNode {
    SolanaNode::connect(&NodeConfig {
        timeout_ms: 1_500,
        ..NodeConfig::new(url)
    })
    .unwrap()
}

type MakeReply = fn() -> Reply;

/// Asks for a height and returns the word of the error.
async fn verdict(reply: MakeReply) -> &'static str {
    let server = FaultServer::always(reply).await.unwrap();
    match client(&server.url).block_height(Commitment::Confirmed).await {
        Ok(_) => "ok",
        Err(error) => {
            assert!(!error.to_string().is_empty() && !error.remedy().is_empty());
            error.code()
        }
    }
}

fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[tokio::test]
async fn each_wrong_answer_has_its_own_error() {
    let cases: [(&str, MakeReply); 18] = [
        ("ok", || Reply::Result(json!(7))),
        ("node-answer-nonsense", || Reply::Result(json!("seven"))),
        ("node-answer-nonsense", || Reply::Result(json!(-1))),
        ("node-answer-nonsense", || Reply::Result(json!(null))),
        ("node-answer-nonsense", || {
            Reply::Result(json!({ "context": { "slot": 1 }, "value": 7 }))
        }),
        ("node-answer-nonsense", || {
            Reply::Body(r#"{"jsonrpc":"2.0","id":999,"result":7}"#.into())
        }),
        ("node-answer-nonsense", || {
            Reply::Body("<html>please log in</html>".into())
        }),
        ("node-answer-nonsense", || Reply::Body(String::new())),
        ("node-answer-nonsense", || Reply::Body("[".repeat(200_000))),
        ("node-answer-nonsense", || {
            Reply::Raw(http("200 OK", "Content-Encoding: gzip\r\n", "not gzip"))
        }),
        ("node-answer-too-large", || {
            Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{".to_vec())
        }),
        ("node-answer-too-large", || {
            Reply::Endless(b"HTTP/1.1 200 OK\r\n\r\n{\"jsonrpc\":\"2.0\",".to_vec())
        }),
        ("node-http-status", || {
            Reply::Raw(http("500 Internal Server Error", "", "{}"))
        }),
        ("node-http-status", || Reply::Raw(http("403 Forbidden", "", "{}"))),
        ("node-rate-limited", || {
            Reply::Raw(http("429 Too Many Requests", "Retry-After: 3600\r\n", ""))
        }),
        ("node-unreachable", || Reply::Close),
        ("node-answer-nonsense", || {
            Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"json".to_vec())
        }),
        ("node-timeout", || Reply::Hang),
    ];
    for (index, (expected, reply)) in cases.into_iter().enumerate() {
        assert_eq!(verdict(reply).await, expected, "case {index}");
    }
}

#[tokio::test]
async fn a_refusal_keeps_its_words_but_not_its_control_characters() {
    let body =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601,\"message\":\"no\\u001b[2Jsuch method\"}}";
    let server = FaultServer::start(None, move |_| Reply::Body(body.into()))
        .await
        .unwrap();
    let error = client(&server.url)
        .block_height(Commitment::Confirmed)
        .await
        .unwrap_err();
    assert_eq!(
        error,
        ChainError::Rejected {
            code: -32601,
            message: "no [2Jsuch method".into()
        }
    );
}

#[tokio::test]
async fn nobody_listening_is_unreachable_and_the_key_stays_out_of_the_error() {
    let error = client("http://127.0.0.1:9/SECRETKEY")
        .block_height(Commitment::Confirmed)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "node-unreachable");
    assert!(!format!("{error} {error:?}").contains("SECRETKEY"), "{error:?}");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_does_not_answer_over_https() {
    let server = FaultServer::always(|| Reply::Result(json!(7))).await.unwrap();
    let url = server.url.replace("http://", "https://");
    let error = client(&url)
        .block_height(Commitment::Confirmed)
        .await
        .unwrap_err();
    assert!(
        ["node-unreachable", "node-timeout"].contains(&error.code()),
        "{error:?}"
    );
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = FaultServer::always(|| Reply::Result(json!(7))).await.unwrap();
    let location = format!("Location: {}\r\n", elsewhere.url);
    let server = FaultServer::start(None, move |_| {
        Reply::Raw(http("307 Temporary Redirect", &location, ""))
    })
    .await
    .unwrap();
    let error = client(&server.url)
        .block_height(Commitment::Confirmed)
        .await
        .unwrap_err();
    assert!(matches!(error, ChainError::Http { status: 307, .. }), "{error:?}");
    assert!(elsewhere.params_of("getBlockHeight").is_empty());
}

#[tokio::test]
async fn a_short_rate_limit_is_waited_out_and_a_long_one_is_told() {
    let count = AtomicU32::new(0);
    let server = FaultServer::start(None, move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::Raw(http("429 Too Many Requests", "Retry-After: 1\r\n", "")),
        1 => Reply::Raw(http("429 Too Many Requests", "", "")),
        _ => Reply::Result(json!(7)),
    });
    let server = server.await.unwrap();
    let node = SolanaNode::connect(&NodeConfig::new(&server.url)).unwrap();
    assert_eq!(node.block_height(Commitment::Confirmed).await, Ok(7));

    let server = FaultServer::always(|| Reply::Raw(http("429 Too Many Requests", "Retry-After: 90\r\n", "")));
    let server = server.await.unwrap();
    let error = client(&server.url)
        .block_height(Commitment::Confirmed)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            ChainError::RateLimited {
                retry_after_ms: Some(90_000),
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(server.params_of("getBlockHeight").len(), 1);
}

#[tokio::test]
async fn a_slow_drip_ends_at_the_timeout() {
    let server =
        FaultServer::always(|| Reply::Drip(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{".to_vec()));
    let server = server.await.unwrap();
    let started = Instant::now();
    let error = client(&server.url)
        .block_height(Commitment::Confirmed)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "node-timeout", "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn an_unusable_answer_about_a_signature_is_never_not_found() {
    let signature = Signature::new([9; 64]);
    let status = |value: serde_json::Value| json!({ "context": { "slot": 5 }, "value": value });
    let known = json!({ "slot": 4, "err": null, "confirmations": 1, "confirmationStatus": "confirmed" });
    let unknown_level = json!({ "slot": 4, "err": null, "confirmations": 1, "confirmationStatus": "surely" });
    let wrong = [
        json!(null),
        json!({}),
        status(json!(null)),
        status(json!([])),
        status(json!([null, null])),
        status(json!([{}])),
        status(json!([unknown_level])),
        json!({ "value": [null] }),
    ];
    for answer in wrong {
        let reply = answer.clone();
        let server = FaultServer::start(None, move |_| Reply::Result(reply.clone()))
            .await
            .unwrap();
        let found = client(&server.url)
            .signature_status(&signature, SearchScope::History)
            .await;
        assert!(
            matches!(found, Err(ChainError::Nonsense { .. })),
            "{answer}: {found:?}"
        );
    }
    for (answer, expected) in [(status(json!([null])), false), (status(json!([known])), true)] {
        let server = FaultServer::start(None, move |_| Reply::Result(answer.clone()))
            .await
            .unwrap();
        let found = client(&server.url)
            .signature_status(&signature, SearchScope::History)
            .await
            .unwrap();
        assert_eq!((found.context_slot, found.status.is_some()), (5, expected));
    }
    let body = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32011,"message":"Transaction history is not available"}}"#;
    let server = FaultServer::start(None, move |_| Reply::Body(body.into()))
        .await
        .unwrap();
    let found = client(&server.url)
        .signature_status(&signature, SearchScope::History)
        .await;
    assert_eq!(found, Err(ChainError::HistoryUnavailable));
}

#[tokio::test]
async fn accounts_that_are_not_one_for_one_are_refused() {
    let server = FaultServer::always(|| Reply::Result(json!({ "context": { "slot": 5 }, "value": [null] })));
    let server = server.await.unwrap();
    let found = client(&server.url)
        .balances(&[fresh_address(), fresh_address()])
        .await;
    assert!(matches!(found, Err(ChainError::Nonsense { .. })), "{found:?}");
}

#[tokio::test]
async fn another_genesis_than_before_is_noticed() {
    let count = AtomicU32::new(0);
    let server = FaultServer::start(None, move |_| {
        let fill = if count.fetch_add(1, Ordering::SeqCst) == 0 {
            1
        } else {
            2
        };
        Reply::Result(json!(fresh_hash(fill)))
    });
    let server = server.await.unwrap();
    let node = client(&server.url);
    let first = node.verify_network().await.unwrap();
    let error = node.verify_network().await.unwrap_err();
    assert_eq!(
        error,
        ChainError::WrongNetwork {
            expected: first.clone(),
            found: fresh_hash(2)
        }
    );
    assert_eq!(node.network().await.unwrap(), first);

    let server = FaultServer::always(|| Reply::Result(json!("mainnet")))
        .await
        .unwrap();
    assert!(matches!(
        client(&server.url).network().await,
        Err(ChainError::Nonsense { .. })
    ));
}

fn fresh_hash(fill: u8) -> String {
    keyward_core::address::Blockhash::new([fill; 32]).to_string()
}
