//! Transfers on a real node, from preview to confirmed, and the refusals before anything is signed.

use keyward_core::address::Blockhash;
use keyward_core::amount::Lamports;
use keyward_core::solana::Transaction;
use keyward_custody::chain::{NodeConfig, SolanaNode};
use keyward_custody::transfer::{
    BalanceChange, TransferError, TransferProgress, TransferRequest, TransferResult, prepare, submit,
};
use keyward_custody::{AttemptQuery, AttemptState, AuditReport, PreviewDecision};
use serde_json::{Value, json};

use crate::faults::{FaultServer, Reply};
use crate::scene::{SOL, Scene, fresh_address, progress};

#[tokio::test]
async fn a_transfer_does_exactly_what_its_preview_says() {
    let scene = Scene::new().await;
    let [from, _] = scene.wallets;
    let to = fresh_address();
    scene.fund(&from, 5 * SOL).await;
    let mut request = TransferRequest::new(from, to, Lamports::new(SOL + 1));
    request.fee = keyward_custody::FeePolicy::Fixed {
        micro_lamports: 1_000_000,
    };
    request.memo = Some("for the tests".into());
    let plan = prepare(&scene.custody, &scene.node, &request).await.unwrap();

    assert_eq!(plan.simulation_error, None);
    assert!(
        matches!(plan.decision.decision, PreviewDecision::Allowed { .. }),
        "{:?}",
        plan.decision
    );
    assert_eq!(plan.decision.signers, [from]);
    assert_eq!(plan.intent.sol_total(), Some(Lamports::new(SOL + 1)));
    // One lamport a unit.
    assert_eq!(plan.priority_fee.get(), u64::from(plan.compute_unit_limit));
    assert_eq!(plan.warnings.len(), 1, "{:?}", plan.warnings);
    let fees = plan.total_fee().unwrap().get();
    assert!(plan.fee.get() > 0 && fees > plan.fee.get());
    let [sender, recipient] = <[BalanceChange; 2]>::try_from(plan.changes.clone()).unwrap();
    assert_eq!((sender.address, sender.before.get()), (from, 5 * SOL));
    assert_eq!(
        (recipient.address, recipient.before.get(), recipient.after.get()),
        (to, 0, SOL + 1)
    );
    assert_eq!(sender.after.get(), 5 * SOL - (SOL + 1) - fees);

    let (sender_channel, mut seen) = progress();
    let outcome = submit(&scene.custody, &scene.node, plan.clone(), sender_channel)
        .await
        .unwrap();
    assert!(
        matches!(outcome.result, TransferResult::Confirmed { slot } if slot > 0),
        "{outcome:?}"
    );
    assert!(matches!(
        *seen.borrow_and_update(),
        TransferProgress::Confirmed { .. } | TransferProgress::Finalized { .. }
    ));
    assert_eq!(scene.balance(&from).await, sender.after.get());
    assert_eq!(scene.balance(&to).await, recipient.after.get());

    let attempts = scene
        .custody
        .attempts(&AttemptQuery {
            limit: 10,
            ..AttemptQuery::default()
        })
        .await
        .unwrap();
    assert_eq!(attempts.len(), 1);
    assert!(matches!(
        attempts[0].state,
        AttemptState::Confirmed | AttemptState::Finalized
    ));
    assert_eq!(attempts[0].new.signature, outcome.signature);
    let message = |bytes: &[u8]| Transaction::decode(bytes).unwrap().message_bytes();
    assert_eq!(message(&attempts[0].new.transaction), message(&plan.transaction));
    let history = scene.node.history(&to, 10, None).await.unwrap();
    assert_eq!(
        history.iter().map(|item| item.signature).collect::<Vec<_>>(),
        [outcome.signature]
    );
    assert!(matches!(
        scene.custody.audit_verify(None).await.unwrap(),
        AuditReport::Intact { .. }
    ));

    // Confirmed is resolved: the same may be paid again.
    prepare(&scene.custody, &scene.node, &request).await.unwrap();
}

#[tokio::test]
async fn a_plain_transfer_asks_for_a_few_hundred_units_and_no_priority_fee() {
    let scene = Scene::new().await;
    let [from, to] = scene.wallets;
    scene.fund(&from, SOL).await;
    scene.fund(&to, SOL).await;
    let plan = prepare(
        &scene.custody,
        &scene.node,
        &TransferRequest::new(from, to, Lamports::new(1)),
    )
    .await
    .unwrap();
    assert!(
        (200..2_000).contains(&plan.compute_unit_limit),
        "{}",
        plan.compute_unit_limit
    );
    assert_eq!(plan.priority_fee.get(), 0);
    assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
    let outcome = submit(&scene.custody, &scene.node, plan.clone(), progress().0)
        .await
        .unwrap();
    assert!(matches!(outcome.result, TransferResult::Confirmed { .. }));
    assert_eq!(scene.balance(&from).await, SOL - 1 - plan.fee.get());
    assert_eq!(scene.balance(&to).await, SOL + 1);
}

#[tokio::test]
async fn the_whole_balance_can_be_sent() {
    let scene = Scene::new().await;
    let [from, to] = scene.wallets;
    scene.fund(&from, SOL).await;
    let ask = |lamports| TransferRequest::new(from, to, Lamports::new(lamports));
    let most = match prepare(&scene.custody, &scene.node, &ask(SOL)).await {
        Err(TransferError::InsufficientFunds { most, .. }) => most,
        other => panic!("{other:?}"),
    };
    let plan = prepare(&scene.custody, &scene.node, &ask(most.get()))
        .await
        .unwrap();
    submit(&scene.custody, &scene.node, plan, progress().0)
        .await
        .unwrap();
    assert_eq!(scene.balance(&from).await, 0);
    assert_eq!(scene.balance(&to).await, most.get());
}

#[tokio::test]
async fn what_cannot_work_is_refused_with_exact_amounts_and_nothing_signed() {
    let scene = Scene::new().await;
    let [from, to] = scene.wallets;
    let ask = async |lamports: u64, to| {
        let request = TransferRequest::new(from, to, Lamports::new(lamports));
        prepare(&scene.custody, &scene.node, &request).await.unwrap_err()
    };
    let minimum = scene.node.rent_minimum(0).await.unwrap().get();
    match ask(7, to).await {
        TransferError::InsufficientFunds { available, short, .. } => {
            assert_eq!(available.get(), 0);
            assert!(short.get() > 7);
        }
        other => panic!("{other:?}"),
    }
    scene.fund(&from, SOL).await;
    match ask(2 * SOL, to).await {
        TransferError::InsufficientFunds {
            available,
            needed,
            short,
            fees,
            most,
            ..
        } => {
            assert_eq!(available.get(), SOL);
            assert_eq!(needed.get(), 2 * SOL + fees.get());
            assert_eq!(short.get(), SOL + fees.get());
            assert_eq!(most.get(), SOL - fees.get());
        }
        other => panic!("{other:?}"),
    }
    match ask(minimum - 1, to).await {
        TransferError::RecipientBelowRent {
            after,
            minimum: found,
        } => {
            assert_eq!((after.get(), found.get()), (minimum - 1, minimum));
        }
        other => panic!("{other:?}"),
    }
    match ask(SOL - minimum, to).await {
        TransferError::SenderBelowRent {
            remaining,
            minimum: found,
            ..
        } => {
            assert!(remaining.get() < minimum);
            assert_eq!(found.get(), minimum);
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(ask(1, from).await, TransferError::SameAccount));
    assert!(matches!(ask(0, to).await, TransferError::ZeroAmount));
    assert!(
        scene
            .custody
            .attempts(&AttemptQuery {
                limit: 10,
                ..AttemptQuery::default()
            })
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_transfer_over_the_policy_s_limit_is_previewed_as_refused_and_not_sent() {
    let scene = Scene::new().await;
    let [from, to] = scene.wallets;
    scene.fund(&from, 30 * SOL).await;
    let request = TransferRequest::new(from, to, Lamports::new(10 * SOL + 1));
    let plan = prepare(&scene.custody, &scene.node, &request).await.unwrap();
    assert!(matches!(plan.decision.decision, PreviewDecision::Refused { .. }));
    let error = submit(&scene.custody, &scene.node, plan, progress().0)
        .await
        .unwrap_err();
    assert!(matches!(error, TransferError::Sign(_)), "{error:?}");
    assert!(
        scene
            .custody
            .attempts(&AttemptQuery {
                limit: 10,
                ..AttemptQuery::default()
            })
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(scene.balance(&from).await, 30 * SOL);
}

#[tokio::test]
async fn a_plan_whose_bytes_were_exchanged_is_refused() {
    let scene = Scene::new().await;
    let [from, to] = scene.wallets;
    scene.fund(&from, 5 * SOL).await;
    let plan = async |lamports: u64| {
        let request = TransferRequest::new(from, to, Lamports::new(lamports));
        prepare(&scene.custody, &scene.node, &request).await.unwrap()
    };
    let mut wrong = plan(SOL).await;
    wrong.transaction = plan(2 * SOL).await.transaction;
    let error = submit(&scene.custody, &scene.node, wrong, progress().0)
        .await
        .unwrap_err();
    assert!(matches!(error, TransferError::Build { .. }), "{error:?}");
    assert_eq!(scene.balance(&from).await, 5 * SOL);
}

#[tokio::test]
async fn a_plan_for_another_network_is_not_signed() {
    let scene = Scene::new().await;
    let [from, to] = scene.wallets;
    scene.fund(&from, 5 * SOL).await;
    let request = TransferRequest::new(from, to, Lamports::new(SOL));
    let plan = prepare(&scene.custody, &scene.node, &request).await.unwrap();
    // Two engines can have the same genesis hash, so this one is made up.
    let genesis = Blockhash::new([5; 32]).to_string();
    let script = move |question: &Value| match question["method"] == "getGenesisHash" {
        true => Reply::Result(json!(genesis)),
        false => Reply::Forward,
    };
    let server = FaultServer::start(Some(&scene.test_node.rpc_url), script)
        .await
        .unwrap();
    let other = SolanaNode::connect(&NodeConfig::new(&server.url)).unwrap();
    let error = submit(&scene.custody, &other, plan, progress().0)
        .await
        .unwrap_err();
    assert!(matches!(error, TransferError::OtherNetwork { .. }), "{error:?}");
    assert!(
        scene
            .custody
            .attempts(&AttemptQuery {
                limit: 10,
                ..AttemptQuery::default()
            })
            .await
            .unwrap()
            .is_empty()
    );
}
