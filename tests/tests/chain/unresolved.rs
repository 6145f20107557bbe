//! What happens when the end is not known at once: expiry, crashes, cancelled calls, and the payment that must not be made
//! twice.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyward_core::address::{Address, Signature};
use keyward_core::amount::Lamports;
use keyward_custody::chain::{Commitment, NodeConfig, SearchScope, SolanaNode};
use keyward_custody::transfer::{
    Repeat, TransferError, TransferPlan, TransferProgress, TransferRequest, TransferResult, prepare, resume,
    submit,
};
use keyward_custody::{AttemptQuery, AttemptState};
use keyward_tests::wait;
use serde_json::{Value, json};

use crate::faults::{FaultServer, Reply};
use crate::scene::{SOL, Scene, database, fresh_address, open, progress, unlock};

const LIMIT: Duration = Duration::from_secs(120);

fn signature_of(question: &Value) -> Signature {
    let bytes = STANDARD.decode(question["params"][0].as_str().unwrap()).unwrap();
    keyward_core::solana::Transaction::decode(&bytes)
        .unwrap()
        .signatures[0]
}

/// A node that says yes to every transaction and keeps it to itself, while `swallow` holds.
async fn lossy(scene: &Scene, swallow: Arc<AtomicBool>) -> (FaultServer, SolanaNode) {
    let server = FaultServer::start(Some(&scene.test_node.rpc_url), move |question| {
        match question["method"] == "sendTransaction" && swallow.load(Ordering::SeqCst) {
            true => Reply::Result(json!(signature_of(question))),
            false => Reply::Forward,
        }
    });
    let server = server.await.unwrap();
    let node = SolanaNode::connect(&NodeConfig::new(&server.url)).unwrap();
    (server, node)
}

async fn states(scene: &Scene) -> Vec<AttemptState> {
    let attempts = scene
        .custody
        .attempts(&AttemptQuery {
            limit: 10,
            ..AttemptQuery::default()
        })
        .await
        .unwrap();
    attempts.into_iter().map(|attempt| attempt.state).collect()
}

#[tokio::test]
async fn a_lost_transaction_expires_only_with_proof_and_may_then_be_paid_again() {
    let scene = Scene::with_quick_slots().await;
    let [from, to] = scene.wallets;
    scene.fund(&from, 5 * SOL).await;
    let (server, node) = lossy(&scene, Arc::new(AtomicBool::new(true))).await;
    let request = TransferRequest::new(from, to, Lamports::new(SOL));
    let plan = prepare(&scene.custody, &node, &request).await.unwrap();
    let last_valid = plan.last_valid_block_height;
    let outcome = tokio::time::timeout(LIMIT, submit(&scene.custody, &node, plan, progress().0))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(outcome.result, TransferResult::Expired);
    assert!(scene.node.block_height(Commitment::Finalized).await.unwrap() > last_valid);
    assert_eq!(states(&scene).await, [AttemptState::Expired]);
    let sent = server.params_of("sendTransaction");
    assert!(sent.len() > 1, "sent again while it could land");
    assert!(
        sent.iter().all(|params| params[0] == sent[0][0]),
        "always the same bytes"
    );
    assert_eq!(scene.balance(&from).await, 5 * SOL);

    let plan = prepare(&scene.custody, &scene.node, &request).await.unwrap();
    let outcome = submit(&scene.custody, &scene.node, plan, progress().0)
        .await
        .unwrap();
    assert!(matches!(outcome.result, TransferResult::Confirmed { .. }));
    assert_eq!(scene.balance(&to).await, SOL);
}

/// Submits, and drops the call as soon as the node took the bytes.
async fn submit_until_sent(scene: &Scene, node: &SolanaNode, plan: TransferPlan) -> Signature {
    let (sender, mut seen) = progress();
    let submitting = submit(&scene.custody, node, plan, sender);
    tokio::pin!(submitting);
    let sent = seen.wait_for(|progress| matches!(progress, TransferProgress::Sent { .. }));
    let reached = tokio::select! {
        ended = &mut submitting => panic!("{ended:?}"),
        progress = sent => progress.unwrap().clone(),
    };
    match reached {
        TransferProgress::Sent { signature, .. } => signature,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_attempt_taken_up_long_after_is_expired_by_a_history_that_reaches_back() {
    let scene = Scene::with_quick_slots().await;
    let [from, to] = scene.wallets;
    scene.fund(&from, 5 * SOL).await;
    let (_server, node) = lossy(&scene, Arc::new(AtomicBool::new(true))).await;
    let plan = prepare(
        &scene.custody,
        &node,
        &TransferRequest::new(from, to, Lamports::new(SOL)),
    )
    .await
    .unwrap();
    let last_valid = plan.last_valid_block_height;
    let signature = submit_until_sent(&scene, &node, plan).await;
    // Longer than a node's cache of recent signatures is counted on.
    wait_for_height(&scene.node, Commitment::Finalized, last_valid + 110).await;
    let outcomes = resume(&scene.custody, &node, progress().0).await.unwrap();
    assert_eq!(outcomes.len(), 1);
    assert_eq!(
        (outcomes[0].signature, &outcomes[0].result),
        (signature, &TransferResult::Expired)
    );
    assert_eq!(scene.balance(&from).await, 5 * SOL);
}

#[tokio::test]
async fn a_cancelled_call_loses_nothing_and_the_same_payment_is_refused_until_it_is_resolved() {
    let scene = Scene::new().await;
    let [from, _] = scene.wallets;
    let to = fresh_address();
    scene.fund(&from, 5 * SOL).await;
    let (_server, node) = lossy(&scene, Arc::new(AtomicBool::new(true))).await;
    let request = TransferRequest::new(from, to, Lamports::new(SOL));
    let plan = prepare(&scene.custody, &node, &request).await.unwrap();
    let signature = submit_until_sent(&scene, &node, plan.clone()).await;
    // Nothing landed, and nothing may be paid twice.
    for refused in [
        prepare(&scene.custody, &scene.node, &request).await.unwrap_err(),
        submit(&scene.custody, &scene.node, plan, progress().0)
            .await
            .unwrap_err(),
    ] {
        assert!(
            matches!(refused, TransferError::Unresolved { signature: found } if found == signature),
            "{refused:?}"
        );
    }
    let separate = TransferRequest {
        repeat: Repeat::Separate,
        ..request.clone()
    };
    prepare(&scene.custody, &scene.node, &separate).await.unwrap();
    let other_amount = TransferRequest::new(from, to, Lamports::new(SOL + 1));
    prepare(&scene.custody, &scene.node, &other_amount).await.unwrap();

    // Resuming needs no key.
    scene.custody.lock().await;
    let outcomes = resume(&scene.custody, &scene.node, progress().0).await.unwrap();
    assert_eq!(outcomes.len(), 1);
    assert_eq!(outcomes[0].signature, signature);
    assert!(matches!(outcomes[0].result, TransferResult::Confirmed { .. }));
    assert_eq!(scene.balance(&to).await, SOL);
    assert!(
        resume(&scene.custody, &scene.node, progress().0)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_plan_that_grew_too_old_is_not_signed() {
    let scene = Scene::with_quick_slots().await;
    let [from, to] = scene.wallets;
    scene.fund(&from, 5 * SOL).await;
    let request = TransferRequest::new(from, to, Lamports::new(SOL));
    let plan = prepare(&scene.custody, &scene.node, &request).await.unwrap();
    wait_for_height(&scene.node, Commitment::Confirmed, plan.last_valid_block_height).await;
    let error = submit(&scene.custody, &scene.node, plan, progress().0)
        .await
        .unwrap_err();
    assert!(matches!(error, TransferError::PlanExpired), "{error:?}");
    assert!(states(&scene).await.is_empty());
}

#[tokio::test]
async fn funds_that_went_away_after_the_preview_are_noticed_before_signing() {
    let scene = Scene::new().await;
    let [from, to] = scene.wallets;
    scene.fund(&from, 3 * SOL).await;
    let ask = |lamports| TransferRequest::new(from, to, Lamports::new(lamports));
    let first = prepare(&scene.custody, &scene.node, &ask(2 * SOL)).await.unwrap();
    let second = prepare(&scene.custody, &scene.node, &ask(2 * SOL + 1))
        .await
        .unwrap();
    submit(&scene.custody, &scene.node, first, progress().0)
        .await
        .unwrap();
    let error = submit(&scene.custody, &scene.node, second, progress().0)
        .await
        .unwrap_err();
    assert!(matches!(error, TransferError::WouldFail { .. }), "{error:?}");
    assert_eq!(states(&scene).await.len(), 1);
}

#[tokio::test]
async fn equal_transfers_at_the_same_moment_are_paid_once() {
    let scene = Scene::new().await;
    let [from, _] = scene.wallets;
    let to = fresh_address();
    scene.fund(&from, 9 * SOL).await;
    let swallow = Arc::new(AtomicBool::new(true));
    let (_server, node) = lossy(&scene, swallow.clone()).await;
    let mut plans = Vec::new();
    for memo in ["one", "two", "three"] {
        let mut request = TransferRequest::new(from, to, Lamports::new(SOL));
        // Other bytes, so another signature, but the same payment.
        request.memo = Some(memo.into());
        plans.push(prepare(&scene.custody, &node, &request).await.unwrap());
    }
    let mut submitting = tokio::task::JoinSet::new();
    for plan in plans {
        let (custody, node) = (scene.custody.clone(), node.clone());
        submitting.spawn(async move { submit(&custody, &node, plan, progress().0).await });
    }
    // While none can land, all but one must find the other's record.
    for _ in 0..2 {
        let refused = submitting.join_next().await.unwrap().unwrap().unwrap_err();
        assert!(matches!(refused, TransferError::Unresolved { .. }), "{refused:?}");
    }
    swallow.store(false, Ordering::SeqCst);
    let outcome = submitting.join_next().await.unwrap().unwrap().unwrap();
    assert!(
        matches!(outcome.result, TransferResult::Confirmed { .. }),
        "{outcome:?}"
    );
    assert_eq!(scene.balance(&to).await, SOL);
}

/// What the tests below run as processes of their own: not a test itself, it does nothing unless told so.
#[tokio::test]
async fn helper_process_that_submits() {
    let Ok(job) = std::env::var("KEYWARD_CHAIN_TEST_JOB") else {
        return;
    };
    let job: Value = serde_json::from_str(&job).unwrap();
    let text = |name: &str| job[name].as_str().unwrap().to_string();
    let custody = open(Path::new(&text("database"))).await;
    unlock(&custody).await;
    let node = SolanaNode::connect(&NodeConfig::new(text("url"))).unwrap();
    let address = |name: &str| text(name).parse::<Address>().unwrap();
    let mut request = TransferRequest::new(address("from"), address("to"), Lamports::new(SOL));
    // Other bytes for each process, so another signature, but the same payment.
    request.memo = Some(text("result"));
    let plan = prepare(&custody, &node, &request).await.unwrap();
    let result_file = text("result");
    std::fs::write(format!("{result_file}.ready"), "").unwrap();
    wait_until(|| Path::new(&text("go")).exists()).await;
    let word = match submit(&custody, &node, plan, progress().0).await {
        Ok(outcome) if matches!(outcome.result, TransferResult::Confirmed { .. }) => "confirmed".to_string(),
        Err(TransferError::Unresolved { .. }) => "refused".to_string(),
        other => format!("{other:?}"),
    };
    std::fs::write(format!("{result_file}.part"), word).unwrap();
    std::fs::rename(format!("{result_file}.part"), result_file).unwrap();
}

async fn wait_until(condition: impl Fn() -> bool) {
    wait::until("the other process's file", LIMIT, async || {
        condition().then_some(())
    })
    .await
    .unwrap();
}

/// Until the chain is beyond this height.
async fn wait_for_height(node: &SolanaNode, commitment: Commitment, height: u64) {
    wait::until("the next block height", LIMIT, async || {
        let reached = node.block_height(commitment).await.unwrap();
        (reached > height).then_some(())
    })
    .await
    .unwrap();
}

/// A process that prepares a transfer of 1 SOL, waits for the file `go`, and submits it. Ended when dropped.
struct Submitter {
    child: Child,
    result: PathBuf,
}

impl Submitter {
    fn start(scene: &Scene, name: &str, url: &str, to: &Address) -> Self {
        let result = scene.folder.path().join(name);
        let job = json!({
            "database": database(scene.folder.path()),
            "url": url,
            "from": scene.wallets[0],
            "to": to,
            "go": scene.folder.path().join("go"),
            "result": result,
        });
        let child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "unresolved::helper_process_that_submits",
                "--nocapture",
            ])
            .env("KEYWARD_CHAIN_TEST_JOB", job.to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, result }
    }

    fn is_ready(&self) -> bool {
        self.result.with_added_extension("ready").exists()
    }

    fn result(&self) -> Option<String> {
        std::fs::read_to_string(&self.result).ok()
    }

    /// Signal 9: nothing of the process can react.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Submitter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn equal_transfers_of_several_processes_are_paid_once() {
    let scene = Scene::new().await;
    let to = fresh_address();
    scene.fund(&scene.wallets[0], 9 * SOL).await;
    let swallow = Arc::new(AtomicBool::new(true));
    let (server, _) = lossy(&scene, swallow.clone()).await;
    let names = ["first", "second", "third", "fourth"];
    let submitters: Vec<_> = names
        .iter()
        .map(|name| Submitter::start(&scene, name, &server.url, &to))
        .collect();
    wait_until(|| submitters.iter().all(Submitter::is_ready)).await;
    std::fs::write(scene.folder.path().join("go"), "").unwrap();
    let results = || {
        submitters
            .iter()
            .filter_map(Submitter::result)
            .collect::<Vec<_>>()
    };
    wait_until(|| results().len() == 3).await;
    assert_eq!(results(), ["refused"; 3]);
    swallow.store(false, Ordering::SeqCst);
    wait_until(|| results().len() == 4).await;
    assert_eq!(
        results().iter().filter(|word| *word == "confirmed").count(),
        1,
        "{:?}",
        results()
    );
    assert_eq!(scene.balance(&to).await, SOL);
    let distinct: std::collections::BTreeSet<String> = server
        .params_of("sendTransaction")
        .iter()
        .map(|params| params[0].to_string())
        .collect();
    assert_eq!(distinct.len(), 1, "only one signature was ever sent");
}

#[tokio::test]
async fn killed_after_sending_and_started_again_everyone_is_paid_exactly_once() {
    let scene = Scene::new().await;
    std::fs::write(scene.folder.path().join("go"), "").unwrap();
    let [from, _] = scene.wallets;
    // Whether the bytes were lost, or had landed before the process was killed.
    for name in ["lost", "landed"] {
        let to = fresh_address();
        scene.fund(&from, 2 * SOL).await;
        let (server, _) = match name {
            "lost" => lossy(&scene, Arc::new(AtomicBool::new(true))).await,
            _ => mute(&scene).await,
        };
        let mut process = Submitter::start(&scene, name, &server.url, &to);
        wait_until(|| !server.params_of("sendTransaction").is_empty()).await;
        let bytes = STANDARD
            .decode(server.params_of("sendTransaction")[0][0].as_str().unwrap())
            .unwrap();
        let signature = keyward_core::solana::Transaction::decode(&bytes)
            .unwrap()
            .signatures[0];
        if name == "landed" {
            wait_for_status(&scene.node, &signature).await;
        }
        process.kill();
        assert_eq!(process.result(), None);

        let request = TransferRequest::new(from, to, Lamports::new(SOL));
        let refused = prepare(&scene.custody, &scene.node, &request).await.unwrap_err();
        assert!(
            matches!(refused, TransferError::Unresolved { signature: found } if found == signature),
            "{refused:?}"
        );
        let outcomes = resume(&scene.custody, &scene.node, progress().0).await.unwrap();
        assert_eq!(outcomes.len(), 1);
        assert_eq!(
            outcomes[0].signature, signature,
            "the same bytes, never a second signature"
        );
        assert!(
            matches!(outcomes[0].result, TransferResult::Confirmed { .. }),
            "{outcomes:?}"
        );
        assert_eq!(scene.balance(&to).await, SOL);
    }
}

async fn wait_for_status(node: &SolanaNode, signature: &Signature) {
    wait::until("a status", LIMIT, async || {
        let search = node
            .signature_status(signature, SearchScope::History)
            .await
            .unwrap();
        search.status
    })
    .await
    .unwrap();
}

/// A node that forwards everything, but never says what became of a signature.
async fn mute(scene: &Scene) -> (FaultServer, SolanaNode) {
    let server = FaultServer::start(Some(&scene.test_node.rpc_url), |question| {
        match question["method"] == "getSignatureStatuses" {
            true => Reply::Close,
            false => Reply::Forward,
        }
    });
    let server = server.await.unwrap();
    let node = SolanaNode::connect(&NodeConfig::new(&server.url)).unwrap();
    (server, node)
}
