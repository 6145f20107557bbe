//! What is read from a node.

use std::time::Duration;

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_custody::chain::{Commitment, NodeConfig, SolanaNode};
use keyward_tests::node::TestNode;
use keyward_tests::wait;
use serde_json::json;

use crate::faults::{FaultServer, Reply};
use crate::scene::fresh_address;

const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_node_says_what_it_is_and_how_far_it_has_come() {
    let test_node = TestNode::start().unwrap();
    let node = test_node.client().unwrap();
    let status = node.status().await.unwrap();
    assert!(!status.version.is_empty());
    assert!(status.network.len() >= 32);
    assert_eq!(status.cluster_name, None);
    assert_eq!(node.network().await.unwrap(), status.network);
    assert!(node.rent_minimum(0).await.unwrap() > Lamports::new(0));
    assert!(node.rent_minimum(165).await.unwrap() > node.rent_minimum(0).await.unwrap());
    let finalized = node.tip(Commitment::Finalized).await.unwrap();
    assert!(finalized.block_height <= finalized.slot);
    // A node that has only just begun may not have its first block yet.
    let start = wait::until("the first block", LIMIT, async || node.history_start().await.ok())
        .await
        .unwrap();
    assert!(start <= node.block_height(Commitment::Confirmed).await.unwrap());
}

#[tokio::test]
async fn balances_of_250_addresses_come_back_in_their_order() {
    let test_node = TestNode::start().unwrap();
    let counting = FaultServer::start(Some(&test_node.rpc_url), |_| Reply::Forward)
        .await
        .unwrap();
    let node = SolanaNode::connect(&NodeConfig::new(&counting.url)).unwrap();
    let addresses: Vec<Address> = (0..250).map(|_| fresh_address()).collect();
    let funded = [
        (0, 1_000_000_001),
        (99, 2_000_000_000),
        (100, 3_000_000_000),
        (249, 4_000_000_000),
    ];
    for (index, lamports) in funded {
        test_node
            .fund(&addresses[index], Lamports::new(lamports))
            .await
            .unwrap();
    }
    let balances = node.balances(&addresses).await.unwrap();
    let mut expected = vec![Some(Lamports::new(0)); 250];
    for (index, lamports) in funded {
        expected[index] = Some(Lamports::new(lamports));
    }
    assert_eq!(balances.values, expected);
    assert_eq!(balances.failure, None);
    assert!(balances.slot > 0);
    let batches = counting.params_of("getMultipleAccounts");
    let mut sizes: Vec<usize> = batches
        .iter()
        .map(|params| params[0].as_array().unwrap().len())
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [50, 100, 100]);
    assert!(node.balances(&[]).await.unwrap().values.is_empty());
}

#[tokio::test]
async fn balances_that_could_not_be_read_are_unknown_and_not_zero() {
    let server = FaultServer::start(None, |question| {
        let asked = question["params"][0].as_array().unwrap().len();
        match asked {
            100 => Reply::Result(json!({ "context": { "slot": 5 }, "value": vec![json!(null); 100] })),
            _ => Reply::Raw(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n".to_vec()),
        }
    });
    let server = server.await.unwrap();
    let node = SolanaNode::connect(&NodeConfig::new(&server.url)).unwrap();
    let addresses: Vec<Address> = (0..150).map(|_| fresh_address()).collect();
    let balances = node.balances(&addresses).await.unwrap();
    assert!(
        balances.values[..100]
            .iter()
            .all(|value| *value == Some(Lamports::new(0)))
    );
    assert!(balances.values[100..].iter().all(Option::is_none));
    assert_eq!(balances.values.len(), 150);
    assert_eq!(balances.failure.unwrap().code(), "node-http-status");
    assert!(node.balances(&addresses[..50]).await.is_err());
}

#[tokio::test]
async fn callers_at_the_same_time_share_one_blockhash_request() {
    let test_node = TestNode::start().unwrap();
    let counting = FaultServer::start(Some(&test_node.rpc_url), |_| Reply::Forward)
        .await
        .unwrap();
    let node = SolanaNode::connect(&NodeConfig::new(&counting.url)).unwrap();
    let asking: Vec<_> = (0..20)
        .map(|_| {
            let node = node.clone();
            tokio::spawn(async move { node.latest_blockhash().await.unwrap() })
        })
        .collect();
    let mut answers = Vec::new();
    for task in asking {
        answers.push(task.await.unwrap());
    }
    assert!(
        answers
            .iter()
            .all(|answer| answer.blockhash == answers[0].blockhash)
    );
    assert!(answers[0].last_valid_block_height > 0);
    assert_eq!(counting.params_of("getLatestBlockhash").len(), 1);
}

#[tokio::test]
async fn history_lists_what_happened_to_an_address() {
    let test_node = TestNode::start().unwrap();
    let node = test_node.client().unwrap();
    let address = fresh_address();
    assert!(node.history(&address, 10, None).await.unwrap().is_empty());
    test_node
        .fund(&address, Lamports::new(5_000_000_000))
        .await
        .unwrap();
    let history = node.history(&address, 10, None).await.unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].error, None);
    assert!(history[0].slot > 0);
    assert!(
        node.history(&address, 10, Some(&history[0].signature))
            .await
            .unwrap()
            .is_empty()
    );
    assert!(node.history(&address, 0, None).await.is_err());
    assert!(node.history(&address, 1_001, None).await.is_err());
}

async fn follows_an_account(config: NodeConfig, test_node: &TestNode) {
    let node = SolanaNode::connect(&config).unwrap();
    let address = fresh_address();
    let mut watch = node.subscribe_account(&address);
    let empty = tokio::time::timeout(LIMIT, watch.next()).await.unwrap();
    assert_eq!(empty.lamports, Lamports::new(0));
    test_node
        .fund(&address, Lamports::new(2_000_000_000))
        .await
        .unwrap();
    let funded = tokio::time::timeout(LIMIT, watch.next()).await.unwrap();
    assert_eq!(funded.lamports, Lamports::new(2_000_000_000));
    assert!(funded.slot >= empty.slot);
}

#[tokio::test]
async fn an_account_is_followed_over_websocket() {
    let test_node = TestNode::start().unwrap();
    follows_an_account(test_node.config(), &test_node).await;
}

#[tokio::test]
async fn an_account_is_polled_where_there_is_no_websocket() {
    let test_node = TestNode::start().unwrap();
    let nobody = "ws://127.0.0.1:9".to_string();
    follows_an_account(
        NodeConfig {
            ws_url: Some(nobody),
            ..test_node.config()
        },
        &test_node,
    )
    .await;
    follows_an_account(
        NodeConfig {
            ws_url: None,
            ..test_node.config()
        },
        &test_node,
    )
    .await;
    // A server that speaks no TLS.
    let no_tls = test_node.rpc_url.replace("http://", "wss://");
    follows_an_account(
        NodeConfig {
            ws_url: Some(no_tls),
            ..test_node.config()
        },
        &test_node,
    )
    .await;
}

#[tokio::test]
async fn a_confirmed_signature_is_announced_over_websocket() {
    let test_node = TestNode::start().unwrap();
    let node = test_node.client().unwrap();
    let signature = node
        .request_airdrop(&fresh_address(), Lamports::new(1_000_000_000))
        .await
        .unwrap();
    let mut watch = node.subscribe_signature(&signature);
    tokio::time::timeout(LIMIT, watch.confirmed()).await.unwrap();
}
