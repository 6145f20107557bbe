//! Tokens, durable nonces, what a simulation tells, and signing elsewhere, on a real node.

use keyward_core::address::Address;
use keyward_core::amount::{Lamports, TokenUnits};
use keyward_core::solana::token::TokenProgram;
use keyward_custody::chain::SearchScope;
use keyward_custody::changes::{Control, simulate_changes};
use keyward_custody::transfer::nonce::{NonceAction, nonces, prepare_nonce, submit_nonce};
use keyward_custody::transfer::offline::{OfflineTransfer, submit_signed};
use keyward_custody::transfer::{
    Repeat, TransferAmount, TransferError, TransferRequest, TransferResult, prepare, resume, submit,
};
use keyward_custody::{AttemptQuery, AttemptState, FeePolicy, NewContact, SignRequest, WalletPasswords};
use keyward_tests::mint::{MintOptions, TestMint};
use keyward_tests::wait;

use crate::scene::{SOL, Scene, fresh_address, progress};

const LIMIT: std::time::Duration = std::time::Duration::from_secs(60);

fn tokens(mint: &TestMint, amount: u64, decimals: u8) -> TransferAmount {
    TransferAmount::Token {
        mint: mint.address,
        units: TokenUnits { amount, decimals },
    }
}

async fn mint(scene: &Scene, program: TokenProgram, options: MintOptions) -> TestMint {
    let seed = *fresh_address().as_bytes();
    TestMint::new(&scene.test_node, program, options, seed)
        .await
        .unwrap()
}

async fn no_fee(scene: &Scene, wallet: &Address, program: TokenProgram) {
    let options = MintOptions {
        decimals: 6,
        ..MintOptions::default()
    };
    let (mint, to) = (mint(scene, program, options).await, fresh_address());
    mint.give(wallet, 1_000).await.unwrap();
    let request = TransferRequest::new(*wallet, to, tokens(&mint, 400, 6));
    let plan = prepare(&scene.custody, &scene.node, &request).await.unwrap();
    assert_eq!(plan.simulation_error, None);
    assert!(plan.details.creates_account);
    let moved: Vec<(Address, u64, u64)> = plan
        .details
        .changes
        .tokens
        .iter()
        .map(|change| (change.owner, change.before, change.after))
        .collect();
    assert!(
        moved.contains(&(*wallet, 1_000, 600)) && moved.contains(&(to, 0, 400)),
        "{moved:?}"
    );
    let expected = plan.changes.clone();
    let outcome = submit(&scene.custody, &scene.node, plan, progress().0)
        .await
        .unwrap();
    assert!(
        matches!(outcome.result, TransferResult::Confirmed { .. }),
        "{outcome:?}"
    );
    assert_eq!(mint.held_by(wallet).await.unwrap(), Some(600));
    assert_eq!(mint.held_by(&to).await.unwrap(), Some(400));
    // To the lamport: the fee and the new account's rent.
    for change in expected {
        assert_eq!(scene.balance(&change.address).await, change.after.get());
    }
    // A second one finds the account.
    let again = prepare(&scene.custody, &scene.node, &request).await.unwrap();
    assert!(!again.details.creates_account);
    let attempts = scene.custody.attempts(&AttemptQuery::default()).await.unwrap();
    assert_eq!(attempts[0].new.amount, request.amount);
    assert_eq!(attempts[0].new.recipient, to);
}

#[tokio::test]
async fn tokens_of_both_programs_arrive_and_their_accounts_are_created() {
    let scene = Scene::new().await;
    let [from, _] = scene.wallets;
    scene.fund(&from, SOL).await;
    for program in TokenProgram::ALL {
        no_fee(&scene, &from, program).await;
    }
}

#[tokio::test]
async fn a_transfer_fee_is_told_and_kept() {
    let scene = Scene::new().await;
    let [from, _] = scene.wallets;
    let to = fresh_address();
    scene.fund(&from, SOL).await;
    let options = MintOptions {
        decimals: 0,
        transfer_fee: Some((250, 1_000)),
        ..MintOptions::default()
    };
    let mint = mint(&scene, TokenProgram::Token2022, options).await;
    mint.give(&from, 1_000).await.unwrap();
    let request = TransferRequest::new(from, to, tokens(&mint, 401, 0));
    let plan = prepare(&scene.custody, &scene.node, &request).await.unwrap();
    // 401 at 2.5 in 100 are 10.025, rounded up.
    assert!(
        plan.warnings
            .iter()
            .any(|warning| warning.contains("fee of 11: 390 arrive")),
        "{:?}",
        plan.warnings
    );
    submit(&scene.custody, &scene.node, plan, progress().0)
        .await
        .unwrap();
    assert_eq!(mint.held_by(&from).await.unwrap(), Some(599));
    assert_eq!(mint.held_by(&to).await.unwrap(), Some(390));
}

#[tokio::test]
async fn tokens_that_cannot_be_sent_are_refused_with_the_reason() {
    let scene = Scene::new().await;
    let [from, to] = scene.wallets;
    scene.fund(&from, SOL).await;
    let options = MintOptions {
        decimals: 2,
        freezes: true,
        ..MintOptions::default()
    };
    let mint = mint(&scene, TokenProgram::Token, options).await;
    let refused = async |to: Address, amount: TransferAmount| {
        let request = TransferRequest::new(from, to, amount);
        prepare(&scene.custody, &scene.node, &request)
            .await
            .unwrap_err()
            .to_string()
    };
    let short = refused(to, tokens(&mint, 1, 2)).await;
    assert!(
        short.contains("0.00") && short.contains("0.01 is needed"),
        "{short}"
    );
    mint.give(&from, 500).await.unwrap();
    let short = refused(to, tokens(&mint, 501, 2)).await;
    assert!(short.contains("5.00"), "{short}");
    let wrong = refused(to, tokens(&mint, 1, 3)).await;
    assert!(wrong.contains("2 decimals"), "{wrong}");
    let account = refused(mint.account_of(&from), tokens(&mint, 1, 2)).await;
    assert!(account.contains(&from.to_string()), "{account}");
    let none = TransferAmount::Token {
        mint: fresh_address(),
        units: TokenUnits {
            amount: 1,
            decimals: 0,
        },
    };
    let none = refused(to, none).await;
    assert!(none.contains("no token"), "{none}");
    mint.give(&to, 1).await.unwrap();
    mint.freeze(&to).await.unwrap();
    let frozen = refused(to, tokens(&mint, 1, 2)).await;
    assert!(frozen.contains("frozen"), "{frozen}");
    mint.freeze(&from).await.unwrap();
    let frozen = refused(fresh_address(), tokens(&mint, 1, 2)).await;
    assert!(frozen.contains("frozen"), "{frozen}");
}

/// Failing on chain costs the fee, so it takes a decision of its own.
#[tokio::test]
async fn what_would_fail_is_sent_only_when_that_was_decided() {
    let scene = Scene::new().await;
    let [from, to] = scene.wallets;
    scene.fund(&from, SOL).await;
    let options = MintOptions {
        freezes: true,
        ..MintOptions::default()
    };
    let mint = mint(&scene, TokenProgram::Token, options).await;
    mint.give(&from, 5).await.unwrap();
    mint.give(&to, 1).await.unwrap();
    let request = TransferRequest::new(from, to, tokens(&mint, 2, 0));
    let plan = prepare(&scene.custody, &scene.node, &request).await.unwrap();
    mint.freeze(&to).await.unwrap();
    // The last look before signing sees it.
    let error = submit(&scene.custody, &scene.node, plan.clone(), progress().0)
        .await
        .unwrap_err();
    assert!(matches!(error, TransferError::WouldFail { .. }), "{error}");
    let mut known = plan;
    known.simulation_error = Some("frozen".into());
    let error = submit(&scene.custody, &scene.node, known.clone(), progress().0)
        .await
        .unwrap_err();
    assert!(matches!(error, TransferError::WouldFail { .. }), "{error}");
    let before = scene.balance(&from).await;
    let outcome = submit(&scene.custody, &scene.node, known.send_anyway(), progress().0)
        .await
        .unwrap();
    assert!(
        matches!(outcome.result, TransferResult::Failed { .. }),
        "{outcome:?}"
    );
    assert!(scene.balance(&from).await < before);
    assert_eq!(mint.held_by(&from).await.unwrap(), Some(5));
}

#[tokio::test]
async fn a_fee_policy_pays_what_the_market_asks_and_no_more_than_its_cap() {
    let scene = Scene::new().await;
    let [from, to] = scene.wallets;
    scene.fund(&from, SOL).await;
    scene.fund(&to, SOL).await;
    for (policy, most) in [("p50:7", 7), ("5000", 5_000), ("none", 0)] {
        let mut request = TransferRequest::new(from, to, Lamports::new(1));
        request.fee = policy.parse::<FeePolicy>().unwrap();
        let plan = prepare(&scene.custody, &scene.node, &request).await.unwrap();
        let price = plan.details.price.unwrap();
        assert!(price.micro_lamports <= most, "{policy}: {price:?}");
        if policy == "5000" {
            assert_eq!(price.micro_lamports, 5_000);
            assert!(plan.priority_fee.get() > 0);
        }
    }
}

/// The nonce's value is finalized, so that it can be used.
async fn usable_nonce(scene: &Scene, wallet: &Address) -> Address {
    let plan = prepare_nonce(&scene.custody, &scene.node, *wallet, NonceAction::Create)
        .await
        .unwrap();
    let outcome = submit_nonce(
        &scene.custody,
        &scene.node,
        plan.clone(),
        WalletPasswords::none(),
        progress().0,
    )
    .await
    .unwrap();
    assert!(
        matches!(outcome.result, TransferResult::Confirmed { .. }),
        "{outcome:?}"
    );
    finalized(scene, wallet, &plan.account).await;
    plan.account
}

/// Waits until a transfer can be prepared with it.
async fn finalized(scene: &Scene, wallet: &Address, account: &Address) {
    wait::until("the nonce is finalized", LIMIT, async || {
        let mut request = TransferRequest::new(*wallet, fresh_address(), Lamports::new(SOL / 100));
        request.nonce = Some(*account);
        match prepare(&scene.custody, &scene.node, &request).await {
            Ok(_) => Some(()),
            Err(error) => {
                assert!(error.to_string().contains("finalized"), "{error}");
                None
            }
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_transfer_with_a_nonce_outlives_blockhashes_and_lands_once() {
    let scene = Scene::with_quick_slots().await;
    let [from, to] = scene.wallets;
    scene.fund(&from, 3 * SOL).await;
    scene.fund(&to, SOL).await;
    let account = usable_nonce(&scene, &from).await;
    let listed = nonces(&scene.node, &from).await.unwrap();
    assert_eq!(
        (listed.len(), listed[0].address, listed[0].number),
        (1, account, 0)
    );
    let mut request = TransferRequest::new(from, to, Lamports::new(SOL));
    request.nonce = Some(account);
    let plan = prepare(&scene.custody, &scene.node, &request).await.unwrap();
    assert_eq!(plan.simulation_error, None);
    assert_eq!(plan.details.nonce.unwrap().account, account);
    // Every blockhash of when it was prepared is gone.
    let end = scene
        .node
        .latest_blockhash()
        .await
        .unwrap()
        .last_valid_block_height;
    wait::until("the blockhash expires", LIMIT, async || {
        let height = scene
            .node
            .block_height(keyward_custody::chain::Commitment::Finalized)
            .await;
        height.ok().filter(|height| *height > end)
    })
    .await
    .unwrap();
    let expected = plan.changes.clone();
    let outcome = submit(&scene.custody, &scene.node, plan.clone(), progress().0)
        .await
        .unwrap();
    assert!(
        matches!(outcome.result, TransferResult::Confirmed { .. }),
        "{outcome:?}"
    );
    for change in expected {
        assert_eq!(scene.balance(&change.address).await, change.after.get());
    }
    // Its value is another one now, so the same plan can never land again.
    let error = submit(&scene.custody, &scene.node, plan, progress().0)
        .await
        .unwrap_err();
    assert!(matches!(error, TransferError::PlanExpired), "{error}");
    finalized(&scene, &from, &account).await;
    let close = prepare_nonce(&scene.custody, &scene.node, from, NonceAction::Close(account))
        .await
        .unwrap();
    submit_nonce(
        &scene.custody,
        &scene.node,
        close,
        WalletPasswords::none(),
        progress().0,
    )
    .await
    .unwrap();
    assert!(nonces(&scene.node, &from).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_transfer_is_signed_elsewhere_and_sent_here() {
    let scene = Scene::new().await;
    let [from, to] = scene.wallets;
    scene.fund(&from, 3 * SOL).await;
    scene.fund(&to, SOL).await;
    let request = TransferRequest::new(from, to, Lamports::new(SOL));
    let plan = prepare(&scene.custody, &scene.node, &request).await.unwrap();
    let offline = OfflineTransfer::of(&plan);
    let sign = SignRequest::new(offline.transaction.clone(), offline.network.clone());
    let signed = scene.custody.sign_transaction(sign).await.unwrap();
    let bytes = offline.with_signature(signed.signature).unwrap();
    assert_eq!(bytes, signed.bytes);
    // Another transaction, another signature, or none.
    let other = prepare(
        &scene.custody,
        &scene.node,
        &TransferRequest::new(from, to, Lamports::new(2)),
    )
    .await
    .unwrap();
    let wrong = OfflineTransfer::of(&other);
    let error = wrong.with_signature(signed.signature).unwrap_err();
    assert!(matches!(error, TransferError::Signed { .. }), "{error}");
    for bytes in [other.transaction.clone(), plan.transaction.clone()] {
        let sent = submit_signed(
            &scene.custody,
            &scene.node,
            &offline,
            bytes,
            Repeat::Refuse,
            progress().0,
        );
        let error = sent.await.unwrap_err();
        assert!(matches!(error, TransferError::Signed { .. }), "{error}");
    }
    let before = scene.balance(&to).await;
    for _ in 0..2 {
        // The second time finds that it has landed.
        let sent = submit_signed(
            &scene.custody,
            &scene.node,
            &offline,
            bytes.clone(),
            Repeat::Refuse,
            progress().0,
        );
        let outcome = sent.await.unwrap();
        assert!(
            matches!(outcome.result, TransferResult::Confirmed { .. }),
            "{outcome:?}"
        );
        assert!(outcome.attempt.is_some());
    }
    assert_eq!(scene.balance(&to).await, before + SOL);
    let parts = OfflineTransfer::from_parts(
        (from, fresh_address()),
        (SOL, None),
        offline.transaction.clone(),
        1,
        offline.network.clone(),
    );
    assert!(parts.is_err());
}

/// Nothing moves, and the tokens are somebody else's to move: the change is told before anybody signs.
#[tokio::test]
async fn a_delegate_and_a_new_owner_are_told_before_signing() {
    let scene = Scene::new().await;
    let [from, _] = scene.wallets;
    let thief = fresh_address();
    scene.fund(&from, SOL).await;
    let mint = mint(&scene, TokenProgram::Token, MintOptions::default()).await;
    mint.give(&from, 5).await.unwrap();
    let account = mint.account_of(&from);
    let meta = |address: Address, is_signer: bool, is_writable: bool| keyward_core::solana::AccountMeta {
        address,
        is_signer,
        is_writable,
    };
    let mut approve = vec![4];
    approve.extend_from_slice(&5_u64.to_le_bytes());
    let mut set_owner = vec![6, 2, 1];
    set_owner.extend_from_slice(thief.as_bytes());
    for (accounts, data, control) in [
        (
            vec![
                meta(account, false, true),
                meta(thief, false, false),
                meta(from, true, false),
            ],
            approve,
            Control::Delegate,
        ),
        (
            vec![meta(account, false, true), meta(from, true, false)],
            set_owner,
            Control::TokenOwner,
        ),
    ] {
        let instruction = keyward_core::solana::Instruction {
            program: mint.program.address(),
            accounts,
            data,
        };
        let latest = scene.node.latest_blockhash().await.unwrap();
        let message = keyward_core::solana::compile_message(
            keyward_core::solana::MessageVersion::Legacy,
            from,
            &[instruction],
            latest.blockhash,
        )
        .unwrap();
        let bytes = keyward_core::solana::Transaction::unsigned(message).encode();
        let changes = simulate_changes(&scene.node, &bytes).await.unwrap();
        assert_eq!(changes.error, None);
        assert!(changes.tokens.is_empty(), "{changes:?}");
        let told = changes
            .control
            .iter()
            .find(|change| change.control == control)
            .unwrap();
        assert_eq!(told.account, account);
        assert!(
            told.after.as_ref().unwrap().contains(&thief.to_string()),
            "{told}"
        );
    }
}

#[tokio::test]
async fn a_recipient_that_looks_like_a_contact_is_told_in_the_plan() {
    let scene = Scene::new().await;
    let [from, _] = scene.wallets;
    scene.fund(&from, SOL).await;
    let real: Address = "9n8nR1dSJGiFUDYMuHVVHkDQRU3wtZRDuWbJtDgXqyvJ".parse().unwrap();
    let fake: Address = "9n8nR1dSJGiFUDYMuHVVHkDQRU4wtZRDuWbJtDgXqyvJ".parse().unwrap();
    scene
        .custody
        .add_contacts(vec![NewContact {
            address: real,
            label: "shop".into(),
            note: String::new(),
        }])
        .await
        .unwrap();
    for (to, told) in [(real, 0), (fake, 1)] {
        let request = TransferRequest::new(from, to, Lamports::new(SOL / 100));
        let plan = prepare(&scene.custody, &scene.node, &request).await.unwrap();
        assert_eq!(plan.details.lookalikes.len(), told);
    }
}

/// A transaction that was signed, recorded and never sent is proven dead by advancing its nonce, and by nothing else.
#[tokio::test]
async fn advancing_a_nonce_ends_what_was_signed_with_it() {
    let scene = Scene::with_quick_slots().await;
    let [from, _] = scene.wallets;
    let to = fresh_address();
    scene.fund(&from, 3 * SOL).await;
    let account = usable_nonce(&scene, &from).await;
    let mut request = TransferRequest::new(from, to, Lamports::new(SOL));
    request.nonce = Some(account);
    let plan = prepare(&scene.custody, &scene.node, &request).await.unwrap();
    let sign = SignRequest::new(plan.transaction.clone(), plan.network.clone());
    let signed = scene.custody.sign_transaction(sign).await.unwrap();
    let attempt = keyward_custody::NewAttempt {
        wallet: from,
        recipient: to,
        amount: request.amount,
        signature: signed.signature,
        transaction: signed.bytes,
        last_valid_block_height: plan.last_valid_block_height,
        network: plan.network.clone(),
        nonce: plan.details.nonce,
    };
    scene
        .custody
        .record_attempt(attempt, Repeat::Refuse)
        .await
        .unwrap();
    let advance = prepare_nonce(&scene.custody, &scene.node, from, NonceAction::Advance(account))
        .await
        .unwrap();
    submit_nonce(
        &scene.custody,
        &scene.node,
        advance,
        WalletPasswords::none(),
        progress().0,
    )
    .await
    .unwrap();
    let outcomes = resume(&scene.custody, &scene.node, progress().0).await.unwrap();
    assert_eq!(outcomes.len(), 1);
    assert_eq!(outcomes[0].result, TransferResult::Expired);
    assert_eq!(scene.balance(&to).await, 0);
    let attempts = scene.custody.attempts(&AttemptQuery::default()).await.unwrap();
    assert_eq!(attempts[0].state, AttemptState::Expired);
    assert_eq!(attempts[0].new.nonce, plan.details.nonce);
    let status = scene
        .node
        .signature_status(&signed.signature, SearchScope::History)
        .await
        .unwrap();
    assert_eq!(status.status, None);
}
