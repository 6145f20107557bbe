#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_core::address::Blockhash;
use keyward_core::amount::Lamports;

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

fn nonce(number: u32) -> NonceAccount {
    NonceAccount {
        address: *wallet(number + 10).solana().unwrap(),
        number,
        authority: *wallet(0).solana().unwrap(),
        value: Blockhash::new([9; 32]),
        lamports: Lamports::new(1_447_680),
    }
}

fn answer(state: &mut State, id: RequestId, answer: SendAnswer) -> Vec<Effect> {
    let answer = Answer::Send(answer);
    update(state, Msg::Answer { id, answer })
}

/// The page of wallet 0, above its page.
fn page(nonces: Vec<NonceAccount>) -> State {
    let mut state = opened(10);
    online(&mut state);
    press(&mut state, KeyCode::Enter);
    let effects = press(&mut state, KeyCode::Char('n'));
    assert!(matches!(state.screen, Screen::Nonces(_)));
    let id = started(&effects, |work| matches!(work, Work::Send(SendWork::Nonces(_))));
    answer(&mut state, id, SendAnswer::Nonces(Ok(nonces)));
    state
}

fn prepared(effects: &[Effect], wanted: NonceAction) -> RequestId {
    let found = effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Send(SendWork::PrepareNonce(_, action)),
            ..
        } if *action == wanted => Some(*id),
        _ => None,
    });
    found.unwrap()
}

#[test]
fn they_are_listed_with_what_they_hold() {
    let mut state = page(vec![nonce(0), nonce(3)]);
    snapshot("nonces_80x24", &screen(&mut state, 80, 24));
    let mut state = page(Vec::new());
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("n makes one"), "{text}");
}

#[test]
fn each_key_prepares_its_own_step_and_signs_nothing() {
    let mut state = page(vec![nonce(0), nonce(3)]);
    press(&mut state, KeyCode::Down);
    let account = nonce(3).address;
    for (key, action) in [
        ('n', NonceAction::Create),
        ('v', NonceAction::Advance(account)),
        ('D', NonceAction::Close(account)),
    ] {
        let effects = press(&mut state, KeyCode::Char(key));
        let id = prepared(&effects, action);
        assert_eq!(state.shared.jobs.running(), 0, "{key}");
        let failure = Failure::new("the policy refuses it", "name it in the policy");
        answer(&mut state, id, SendAnswer::NoncePrepared(Err(failure)));
        let text = screen(&mut state, 80, 24);
        assert!(text.contains("policy refuses it"), "{text}");
        press(&mut state, KeyCode::Esc);
    }
}

#[test]
fn where_there_is_none_only_making_one_is_offered() {
    let mut state = page(Vec::new());
    for key in ['v', 'D', 'y', 's'] {
        let effects = press(&mut state, KeyCode::Char(key));
        assert!(
            effects.is_empty() && matches!(state.screen, Screen::Nonces(_)),
            "{key}"
        );
    }
    prepared(&press(&mut state, KeyCode::Char('n')), NonceAction::Create);
}

#[test]
fn a_transfer_by_a_nonce_is_begun_here() {
    let mut state = page(vec![nonce(0)]);
    press(&mut state, KeyCode::Char('s'));
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("Send by a durable nonce"), "{text}");
    let to = wallet(1).address.to_string();
    update(&mut state, Msg::Paste(to.into()));
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, "1");
    let effects = press(&mut state, KeyCode::Enter);
    let by = effects.iter().find_map(|effect| match effect {
        Effect::Start {
            work: Work::Send(SendWork::Prepare(draft)),
            ..
        } => Some(draft.nonce),
        _ => None,
    });
    assert_eq!(by, Some(Some(nonce(0).address)));
}
