#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_core::address::Blockhash;
use keyward_core::amount::Lamports;
use keyward_core::intent::Intent;
use keyward_core::solana::{MessageVersion, Transaction, compile_message, instructions};
use keyward_custody::lookalike::{Known, KnownAs};
use keyward_custody::transfer::{BalanceChange, TransferPlan, TransferRequest};
use keyward_custody::{RefusalText, SigningPreview};

use super::*;
use crate::console::effect::{Effect, Lifetime};
use crate::console::msg::Msg;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

mod doubts;

/// A transfer of 1.5 SOL from wallet 0 to wallet 1, as custody prepares it.
pub(in crate::console) fn prepared() -> Prepared {
    let (from, to) = (*wallet(0).solana().unwrap(), *wallet(1).solana().unwrap());
    let lamports = Lamports::new(1_500_000_000);
    let message = compile_message(
        MessageVersion::V0,
        from,
        &[
            instructions::compute_unit_limit(450),
            instructions::compute_unit_price(44_000),
            instructions::sol_transfer(from, to, lamports),
        ],
        Blockhash::new([9; 32]),
    )
    .unwrap();
    let intent = Intent::from_message(&message);
    let sol = Lamports::new;
    let plan = TransferPlan {
        request: TransferRequest::new(from, to, lamports),
        transaction: Transaction::unsigned(message).encode(),
        intent: intent.clone(),
        fee: sol(5_000),
        priority_fee: sol(20),
        compute_unit_limit: 450,
        changes: vec![
            BalanceChange {
                address: from,
                before: sol(1_000_000_000_000),
                after: sol(998_499_994_980),
            },
            BalanceChange {
                address: to,
                before: sol(102_400_000),
                after: sol(1_602_400_000),
            },
        ],
        simulation_error: None,
        warnings: Vec::new(),
        decision: SigningPreview {
            intent,
            decision: PreviewDecision::Allowed {
                rules: vec!["compute-budget".into(), "sol-transfers".into()],
            },
            signers: vec![from],
        },
        last_valid_block_height: 1_350,
        network: "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG".into(),
        details: keyward_custody::transfer::PlanDetails::default(),
    };
    Prepared {
        plan,
        recipient: Some(wallet(1)),
        known: Some(Known {
            address: to,
            label: "bot-0001".into(),
            known_as: KnownAs::OwnWallet,
            uses: 40,
        }),
        paid_before: 12,
        block_height: Some(1_290),
    }
}

/// The review above the form above the wallets.
fn reviewing(prepared: Prepared) -> State {
    let mut state = opened(100);
    online(&mut state);
    press(&mut state, KeyCode::Char('s'));
    let review = Review::new(wallet(0), prepared, state.shared.now_ms);
    let form = std::mem::replace(&mut state.screen, Screen::Review(Box::new(review)));
    state.below.push(form);
    state
}

fn stranger() -> Prepared {
    let mut prepared = prepared();
    prepared.recipient = None;
    prepared.known = None;
    prepared.paid_before = 0;
    prepared.plan.warnings = vec!["the recipient has no account yet: compare the address with care".into()];
    prepared
}

fn submitted(effects: &[Effect]) -> Option<(RequestId, &TransferPlan)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Send(SendWork::Submit(plan, _)),
            lifetime,
        } => {
            assert_eq!(*lifetime, Lifetime::Console, "a lock does not stop it");
            Some((*id, &**plan))
        }
        _ => None,
    })
}

#[test]
fn y_signs_exactly_what_was_reviewed_once_and_enter_does_not() {
    let mut state = reviewing(prepared());
    assert!(submitted(&press(&mut state, KeyCode::Enter)).is_none());
    let effects = press(&mut state, KeyCode::Char('y'));
    let (id, plan) = submitted(&effects).unwrap();
    assert_eq!(plan.transaction, prepared().plan.transaction);
    assert!(matches!(state.screen, Screen::Transfer(_)));
    assert!(
        !state
            .below
            .iter()
            .any(|screen| matches!(screen, Screen::Review(_) | Screen::Send(_))),
        "neither review nor form can be gone back to"
    );
    assert!(submitted(&press(&mut state, KeyCode::Char('y'))).is_none());
    assert!(state.shared.transfers.get(id).is_some());
    assert_eq!(state.shared.jobs.running(), 1);
}

#[test]
fn what_lives_by_a_durable_nonce_does_not_grow_old() {
    let mut durable = prepared();
    durable.plan.details.nonce = Some(keyward_custody::transfer::NonceUse {
        account: *wallet(9).solana().unwrap(),
        value: Blockhash::new([9; 32]),
    });
    durable.block_height = Some(durable.plan.last_valid_block_height + 100);
    let mut state = reviewing(durable);
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("until its nonce is advanced"), "{text}");
    assert!(submitted(&press(&mut state, KeyCode::Char('y'))).is_some());
}

#[test]
fn what_the_policy_refuses_cannot_be_signed() {
    let mut refused = prepared();
    refused.plan.decision.decision = PreviewDecision::Refused { reasons: Vec::new() };
    let mut state = reviewing(refused);
    assert!(submitted(&press(&mut state, KeyCode::Char('y'))).is_none());
    assert!(matches!(state.screen, Screen::Review(_)));
    assert!(!screen(&mut state, 80, 24).contains("sign and send"));
}

#[test]
fn a_warning_about_a_stranger_asks_for_the_amount() {
    let mut state = reviewing(stranger());
    assert!(submitted(&press(&mut state, KeyCode::Char('y'))).is_none());
    type_text(&mut state, "1.4");
    assert!(submitted(&press(&mut state, KeyCode::Enter)).is_none());
    assert!(screen(&mut state, 80, 24).contains("not the amount"));
    press(&mut state, KeyCode::Backspace);
    update(&mut state, Msg::Paste(zeroize::Zeroizing::new("5".into())));
    assert!(
        submitted(&press(&mut state, KeyCode::Enter)).is_none(),
        "pasting does not count"
    );
    type_text(&mut state, "5");
    assert!(submitted(&press(&mut state, KeyCode::Enter)).is_some());
}

#[test]
fn a_warning_about_ones_own_wallet_does_not() {
    let mut own = stranger();
    own.recipient = Some(wallet(1));
    let mut state = reviewing(own);
    assert!(submitted(&press(&mut state, KeyCode::Char('y'))).is_some());
}

fn heights(effects: &[Effect]) -> RequestId {
    started(effects, |work| matches!(work, Work::Send(SendWork::Height)))
}

#[test]
fn an_expired_transfer_is_prepared_again_before_it_can_be_signed() {
    let mut state = reviewing(prepared());
    let id = heights(&wait(&mut state, 2_000));
    let answer = Answer::Send(SendAnswer::Height(Ok(1_351)));
    update(&mut state, Msg::Answer { id, answer });
    assert!(screen(&mut state, 80, 24).contains("expired"));
    assert!(submitted(&press(&mut state, KeyCode::Char('y'))).is_none());
    let effects = press(&mut state, KeyCode::Char('r'));
    let id = started(&effects, |work| matches!(work, Work::Send(SendWork::Prepare(_))));
    assert!(
        submitted(&press(&mut state, KeyCode::Char('y'))).is_none(),
        "not while it is prepared"
    );
    let mut fresh = prepared();
    fresh.plan.last_valid_block_height = 1_501;
    fresh.block_height = Some(1_352);
    let answer = Answer::Send(SendAnswer::Prepared(Ok(Box::new(fresh))));
    update(&mut state, Msg::Answer { id, answer });
    let effects = press(&mut state, KeyCode::Char('y'));
    assert_eq!(submitted(&effects).unwrap().1.last_valid_block_height, 1_501);
}

#[test]
fn escape_goes_back_to_the_form_and_signs_nothing() {
    let mut state = reviewing(prepared());
    assert!(submitted(&press(&mut state, KeyCode::Esc)).is_none());
    assert!(matches!(state.screen, Screen::Send(_)));
}

#[test]
fn locking_drops_the_review() {
    let mut state = reviewing(prepared());
    control(&mut state, 'l');
    assert!(matches!(state.screen, Screen::Unlock(_)));
    assert!(state.below.is_empty());
}

#[test]
fn the_review_as_it_looks() {
    let mut state = reviewing(prepared());
    snapshot("review_80x24", &screen(&mut state, 80, 24));
    snapshot("review_140x40", &screen(&mut state, 140, 40));
    press(&mut state, KeyCode::Char('x'));
    snapshot("review_instructions_80x24", &screen(&mut state, 80, 24));
}

#[test]
fn a_refusal_as_it_looks() {
    let mut refused = prepared();
    refused.plan.decision.decision = PreviewDecision::Refused {
        reasons: vec![RefusalText {
            code: "over-limit".into(),
            text:
                "it transfers 1.500000000 SOL and rule 'sol-transfers' allows at most 1.000000000 SOL in one \
                   transaction; send less, or ask whoever keeps the policy to raise the limit"
                    .into(),
        }],
    };
    snapshot("review_refused_80x24", &screen(&mut reviewing(refused), 80, 24));
}

#[test]
fn a_second_look_as_it_looks() {
    let mut prepared = stranger();
    prepared.plan.request.memo = Some("rent for november\u{202e}\u{1b}[2J".into());
    let mut state = reviewing(prepared);
    press(&mut state, KeyCode::Char('y'));
    type_text(&mut state, "1.4");
    press(&mut state, KeyCode::Enter);
    let text = screen(&mut state, 80, 24);
    assert!(!text.contains('\u{202e}') && !text.contains('\u{1b}'));
    snapshot("review_second_look_80x24", &text);
}
