//! Files that were signed elsewhere do not tell their own expiry.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyward_core::amount::Lamports;
use keyward_core::solana::Transaction;
use keyward_custody::chain::{NodeConfig, SolanaNode};
use keyward_custody::transfer::offline::{OfflineTransfer, submit_signed};
use keyward_custody::transfer::{
    Repeat, TransferError, TransferOutcome, TransferRequest, TransferResult, prepare,
};
use keyward_custody::{AttemptQuery, SignRequest};
use serde_json::{Value, json};

use crate::faults::{FaultServer, Reply};
use crate::scene::{SOL, Scene, fresh_address, progress};

/// A transfer that is prepared, as it goes out, and its signed bytes.
async fn signed(scene: &Scene) -> (OfflineTransfer, Vec<u8>) {
    let [from, _] = scene.wallets;
    scene.fund(&from, 3 * SOL).await;
    let request = TransferRequest::new(from, fresh_address(), Lamports::new(SOL));
    let plan = prepare(&scene.custody, &scene.node, &request).await.unwrap();
    let offline = OfflineTransfer::of(&plan);
    let sign = SignRequest::new(offline.transaction.clone(), offline.network.clone());
    let signed = scene.custody.sign_transaction(sign).await.unwrap();
    (offline, signed.bytes)
}

/// The file with another height in it.
fn told(offline: &OfflineTransfer, height: u64) -> OfflineTransfer {
    OfflineTransfer {
        last_valid_block_height: height,
        ..offline.clone()
    }
}

async fn sent(
    scene: &Scene,
    node: &SolanaNode,
    offline: &OfflineTransfer,
    bytes: Vec<u8>,
) -> Result<TransferOutcome, TransferError> {
    submit_signed(&scene.custody, node, offline, bytes, Repeat::Refuse, progress().0).await
}

/// The first times it is sent the node loses it. By the file's word it would have ended long ago, and might be paid again,
/// while its bytes could still land.
#[tokio::test]
async fn what_a_file_calls_over_is_followed_for_as_long_as_it_can_land() {
    let scene = Scene::new().await;
    let (offline, bytes) = signed(&scene).await;
    let times = Arc::new(AtomicU32::new(0));
    let counted = times.clone();
    let server = FaultServer::start(Some(&scene.test_node.rpc_url), move |question: &Value| {
        if question["method"] != "sendTransaction" || counted.fetch_add(1, Ordering::SeqCst) >= 3 {
            return Reply::Forward;
        }
        let bytes = STANDARD.decode(question["params"][0].as_str().unwrap()).unwrap();
        Reply::Result(json!(Transaction::decode(&bytes).unwrap().signatures[0]))
    });
    let server = server.await.unwrap();
    let node = SolanaNode::connect(&NodeConfig::new(&server.url)).unwrap();
    let outcome = sent(&scene, &node, &told(&offline, 1), bytes).await.unwrap();
    assert!(
        matches!(outcome.result, TransferResult::Confirmed { .. }),
        "{outcome:?}"
    );
    assert!(times.load(Ordering::SeqCst) > 3);
    let attempts = scene.custody.attempts(&AttemptQuery::default()).await.unwrap();
    assert!(
        attempts[0].new.last_valid_block_height >= offline.last_valid_block_height,
        "what is recorded is the node's word, not the file's: {}",
        attempts[0].new.last_valid_block_height
    );
    assert_eq!(scene.balance(&offline.to).await, SOL);
}

/// It would be unresolved for good, and nothing equal could be paid meanwhile.
#[tokio::test]
async fn a_file_that_says_it_never_ends_is_refused() {
    let scene = Scene::new().await;
    let (offline, bytes) = signed(&scene).await;
    for height in [u64::MAX, offline.last_valid_block_height + 1_000] {
        let error = sent(&scene, &scene.node, &told(&offline, height), bytes.clone())
            .await
            .unwrap_err();
        assert!(matches!(error, TransferError::Signed { .. }), "{error}");
    }
    assert!(
        scene
            .custody
            .attempts(&AttemptQuery::default())
            .await
            .unwrap()
            .is_empty()
    );
    // A node that is a little ahead of this one may have told a little more.
    let ahead = told(&offline, offline.last_valid_block_height + 20);
    let outcome = sent(&scene, &scene.node, &ahead, bytes).await.unwrap();
    assert!(matches!(outcome.result, TransferResult::Confirmed { .. }));
}
