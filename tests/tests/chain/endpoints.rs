//! Several endpoints: one stands in for another, none proves anything alone, and what they disagree about is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use keyward_core::address::Signature;
use keyward_core::amount::Lamports;
use keyward_custody::chain::{ChainError, Commitment, NodeConfig, SearchScope, SolanaNode};
use keyward_tests::node::TestNode;
use keyward_tests::wait;
use serde_json::{Value, json};

use crate::faults::{FaultServer, Reply};
use crate::scene::{SOL, fresh_address};

const LIMIT: Duration = Duration::from_secs(60);

fn http(status: &str) -> Reply {
    Reply::Raw(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes())
}

fn node_of(servers: &[&FaultServer]) -> SolanaNode {
    let mut urls = servers.iter().map(|server| server.url.clone());
    let config = NodeConfig {
        ws_url: Some("ws://127.0.0.1:9".into()),
        timeout_ms: 5_000,
        ..NodeConfig::new(urls.next().unwrap())
    };
    SolanaNode::connect(&NodeConfig {
        more_rpc_urls: urls.collect(),
        ..config
    })
    .unwrap()
}

/// Forwards to the node, or does what the number says.
async fn faulty(test_node: &TestNode, reply: fn(&Value) -> Reply) -> (FaultServer, Arc<AtomicBool>) {
    let is_faulty = Arc::new(AtomicBool::new(false));
    let flag = is_faulty.clone();
    let server = FaultServer::start(Some(&test_node.rpc_url), move |question| {
        if flag.load(Ordering::SeqCst) {
            reply(question)
        } else {
            Reply::Forward
        }
    });
    (server.await.unwrap(), is_faulty)
}

#[tokio::test]
async fn another_endpoint_stands_in_for_one_that_fails() {
    let test_node = TestNode::start().unwrap();
    let kind = Arc::new(AtomicU8::new(0));
    let flag = kind.clone();
    let first = FaultServer::start(Some(&test_node.rpc_url), move |_| {
        match flag.load(Ordering::SeqCst) {
            0 => Reply::Forward,
            1 => Reply::Close,
            2 => http("503 Service Unavailable"),
            3 => http("429 Too Many Requests"),
            4 => Reply::Body("<html>".into()),
            _ => Reply::Result(json!({ "of another": "shape" })),
        }
    });
    let first = first.await.unwrap();
    let (second, _) = faulty(&test_node, |_| Reply::Close).await;
    for fault in 0..=5 {
        kind.store(0, Ordering::SeqCst);
        let node = node_of(&[&first, &second]);
        node.block_height(Commitment::Confirmed).await.unwrap();
        let asked = second.params_of("getBlockHeight").len();
        kind.store(fault, Ordering::SeqCst);
        node.block_height(Commitment::Confirmed).await.unwrap();
        let stood_in = second.params_of("getBlockHeight").len() - asked;
        assert_eq!(stood_in, usize::from(fault > 0), "fault {fault}");
        if fault > 0 {
            // It rests: the next question does not go to it first.
            let before = first.params_of("getBlockHeight").len();
            node.block_height(Commitment::Confirmed).await.unwrap();
            assert_eq!(first.params_of("getBlockHeight").len(), before, "fault {fault}");
            assert_eq!(node.traffic()[0].failures, 1, "fault {fault}");
        }
    }
    // A refusal is an answer: nobody else is asked.
    kind.store(0, Ordering::SeqCst);
    let node = node_of(&[&first, &second]);
    let before = second.params_of("requestAirdrop").len();
    assert!(
        node.request_airdrop(&fresh_address(), Lamports::new(u64::MAX))
            .await
            .is_err()
    );
    assert_eq!(second.params_of("requestAirdrop").len(), before);
}

#[tokio::test]
async fn an_endpoint_of_another_network_is_a_fault_and_not_a_stand_in() {
    let test_node = TestNode::start().unwrap();
    let (first, is_down) = faulty(&test_node, |_| Reply::Close).await;
    let elsewhere = FaultServer::start(Some(&test_node.rpc_url), |question| {
        if question["method"] == "getGenesisHash" {
            Reply::Result(json!("EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG"))
        } else {
            Reply::Forward
        }
    });
    let elsewhere = elsewhere.await.unwrap();
    let node = node_of(&[&first, &elsewhere]);
    node.block_height(Commitment::Confirmed).await.unwrap();
    is_down.store(true, Ordering::SeqCst);
    let error = node.block_height(Commitment::Confirmed).await.unwrap_err();
    assert!(matches!(error, ChainError::WrongNetwork { .. }), "{error:?}");
    assert!(elsewhere.params_of("getBlockHeight").is_empty());
    is_down.store(false, Ordering::SeqCst);
    assert!(matches!(
        node.verify_network().await.unwrap_err(),
        ChainError::WrongNetwork { .. }
    ));
}

#[tokio::test]
async fn nothing_found_is_proved_by_all_endpoints_only() {
    let test_node = TestNode::start().unwrap();
    let (first, is_down) = faulty(&test_node, |_| Reply::Close).await;
    let (second, is_blind) = faulty(&test_node, |question| {
        if question["method"] != "getSignatureStatuses" {
            return Reply::Forward;
        }
        let asked = question["params"][0].as_array().unwrap().len();
        Reply::Result(json!({ "context": { "slot": 1 }, "value": vec![json!(null); asked] }))
    })
    .await;
    let node = node_of(&[&first, &second]);
    let landed = node
        .request_airdrop(&fresh_address(), Lamports::new(SOL))
        .await
        .unwrap();
    let unknown = Signature::new([7; 64]);
    let search = async || {
        node.signature_statuses(&[landed, unknown], SearchScope::History)
            .await
            .unwrap()
    };
    let found = wait::until("the airdrop", LIMIT, async || {
        Some(search().await).filter(|found| found[0].status.is_some())
    });
    let found = found.await.unwrap();
    assert!(found[1].status.is_none() && found[1].context_slot > 1);
    // One that has seen nothing takes nothing away, and lowers how far "nothing" is proved.
    is_blind.store(true, Ordering::SeqCst);
    let found = search().await;
    assert!(found[0].status.is_some());
    assert_eq!((found[1].context_slot, &found[1].status), (1, &None));
    // One that does not answer leaves nothing proved at all.
    is_blind.store(false, Ordering::SeqCst);
    is_down.store(true, Ordering::SeqCst);
    let found = search().await;
    assert!(found[0].status.is_some());
    assert_eq!((found[1].context_slot, &found[1].status), (0, &None));
    assert!(node.history_start().await.is_err());
    assert!(node.block_height(Commitment::Confirmed).await.is_ok());
    let too_many = vec![unknown; 257];
    assert!(
        node.signature_statuses(&too_many, SearchScope::History)
            .await
            .is_err()
    );
    assert!(
        node.signature_statuses(&[], SearchScope::Recent)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn what_endpoints_disagree_about_is_told_and_not_averaged() {
    let test_node = TestNode::start().unwrap();
    let addresses: Vec<_> = (0..130).map(|_| fresh_address()).collect();
    test_node
        .fund(&addresses[120], Lamports::new(3 * SOL))
        .await
        .unwrap();
    let (honest, _) = faulty(&test_node, |_| Reply::Close).await;
    let (also_honest, is_down) = faulty(&test_node, |_| Reply::Close).await;
    let (liar, lies) = faulty(&test_node, |question| {
        if question["method"] != "getMultipleAccounts" {
            return Reply::Forward;
        }
        let asked = question["params"][0].as_array().unwrap().len();
        Reply::Result(json!({ "context": { "slot": 9_999 }, "value": vec![json!(null); asked] }))
    })
    .await;
    let node = node_of(&[&honest, &also_honest, &liar]);
    let comparison = node.compare_balances(&addresses).await.unwrap();
    assert_eq!(comparison.endpoints.len(), 3);
    assert!(comparison.disagreements.is_empty() && comparison.failures.is_empty());
    lies.store(true, Ordering::SeqCst);
    is_down.store(true, Ordering::SeqCst);
    // That the liar claims to be far ahead does not silence the honest one.
    let comparison = node.compare_balances(&addresses).await.unwrap();
    assert_eq!(comparison.failures.len(), 1);
    assert_eq!(comparison.failures[0].0, also_honest.url);
    let [disagreement] = comparison.disagreements.as_slice() else {
        panic!("{comparison:?}");
    };
    assert_eq!(disagreement.address, addresses[120]);
    assert_eq!(disagreement.answers[0].unwrap().1, Lamports::new(3 * SOL));
    assert_eq!(disagreement.answers[1], None);
    assert_eq!(disagreement.answers[2], Some((9_999, Lamports::new(0))));
    assert_eq!(
        node.balances(&addresses).await.unwrap().values[120],
        Some(Lamports::new(3 * SOL))
    );
}
