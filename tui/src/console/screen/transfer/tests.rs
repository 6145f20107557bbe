#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_core::amount::Lamports;
use keyward_custody::transfer::TransferRequest;

use super::*;
use crate::console::effect::{Answer, Effect, FailureKind, Progress, Work};
use crate::console::effects::send::{SendAnswer, SendWork};
use crate::console::msg::Msg;
use crate::console::screen::review::Review;
use crate::console::screen::review::tests::prepared;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

/// A transfer just handed over.
fn sending() -> (State, RequestId) {
    let mut state = opened(100);
    online(&mut state);
    press(&mut state, KeyCode::Char('s'));
    let review = Review::new(wallet(0), prepared(), state.shared.now_ms);
    let form = std::mem::replace(&mut state.screen, Screen::Review(Box::new(review)));
    state.below.push(form);
    let effects = press(&mut state, KeyCode::Char('y'));
    let id = started(&effects, |work| matches!(work, Work::Send(SendWork::Submit(..))));
    (state, id)
}

fn step(state: &mut State, id: RequestId, step: TransferProgress) {
    let progress = Progress::Transfer(step);
    update(state, Msg::Progress { id, progress });
}

fn sent(times: u32) -> TransferProgress {
    TransferProgress::Sent {
        signature: Signature::new([5; 64]),
        times,
    }
}

fn end(state: &mut State, id: RequestId, result: Result<TransferResult, Failure>) -> Vec<Effect> {
    let result = result.map(|result| Ending {
        signature: Signature::new([5; 64]),
        to: *wallet(1).solana().unwrap(),
        amount: Lamports::new(1_500_000_000).into(),
        result,
    });
    let answer = Answer::Send(SendAnswer::Submitted(result));
    update(state, Msg::Answer { id, answer })
}

#[test]
fn it_goes_on_when_its_screen_is_left_and_while_locked() {
    let (mut state, id) = sending();
    press(&mut state, KeyCode::Esc);
    assert!(matches!(state.screen, Screen::Wallets(_)));
    control(&mut state, 'l');
    assert!(matches!(state.screen, Screen::Unlock(_)));
    step(&mut state, id, sent(2));
    end(&mut state, id, Ok(TransferResult::Confirmed { slot: 482 }));
    let transfer = state.shared.transfers.get(id).unwrap();
    assert_eq!((transfer.sent, transfer.end.is_some()), (2, true));
    assert_eq!(state.shared.jobs.running(), 0);
}

#[test]
fn the_jobs_lead_back_to_it() {
    let (mut state, _) = sending();
    press(&mut state, KeyCode::Esc);
    press(&mut state, KeyCode::Char('3'));
    assert!(screen(&mut state, 80, 24).contains("send 1.500000000 SOL to bot-0001"));
    press(&mut state, KeyCode::Char('x'));
    assert_eq!(state.shared.jobs.running(), 1, "it cannot be called back");
    press(&mut state, KeyCode::Enter);
    assert!(matches!(state.screen, Screen::Transfer(_)));
}

#[test]
fn a_transfer_that_came_to_nothing_can_be_edited() {
    let (mut state, id) = sending();
    assert!(
        press(&mut state, KeyCode::Char('e')).is_empty(),
        "not while it runs"
    );
    end(&mut state, id, Err(Failure::new("no answer", "try again")));
    snapshot("transfer_not_sent_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::Char('e'));
    assert!(matches!(state.screen, Screen::Send(_)));
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains(&wallet(1).address.to_string()) && text.contains("1.5 "),
        "{text}"
    );
}

#[test]
fn one_that_may_have_landed_can_only_be_followed() {
    let (mut state, id) = sending();
    step(&mut state, id, sent(7));
    let failure = Failure {
        cause: format!("whether {} landed is unknown: no answer", Signature::new([5; 64])),
        remedy: "resume later: the same bytes are sent again and nothing is signed anew".into(),
        kind: FailureKind::NoNode,
    };
    end(&mut state, id, Err(failure));
    snapshot("transfer_unknown_80x24", &screen(&mut state, 80, 24));
    assert!(press(&mut state, KeyCode::Char('e')).is_empty());
    let effects = press(&mut state, KeyCode::Char('r'));
    started(&effects, |work| matches!(work, Work::Send(SendWork::Resume)));
    assert!(matches!(state.screen, Screen::Transfer(_)));
}

#[test]
fn the_steps_as_they_look() {
    let (mut state, id) = sending();
    snapshot("transfer_signing_80x24", &screen(&mut state, 80, 24));
    step(&mut state, id, sent(3));
    wait(&mut state, 4_000);
    snapshot("transfer_sent_80x24", &screen(&mut state, 80, 24));
    end(&mut state, id, Ok(TransferResult::Confirmed { slot: 482 }));
    snapshot("transfer_confirmed_80x24", &screen(&mut state, 80, 24));
    snapshot("transfer_confirmed_140x40", &screen(&mut state, 140, 40));
    let effects = press(&mut state, KeyCode::Char('y'));
    let copied = Signature::new([5; 64]).to_string();
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Copy(text) if *text == copied))
    );
}

#[test]
fn bad_ends_are_plain() {
    let check = |result: TransferResult, expected: &str| {
        let (mut state, id) = sending();
        step(&mut state, id, sent(1));
        end(&mut state, id, Ok(result));
        let text = screen(&mut state, 80, 24);
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("✓ confirmed"), "{text}");
    };
    check(TransferResult::Expired, "Paying again is safe");
    let error = "the program says no\u{1b}[31m".to_owned();
    check(TransferResult::Failed { slot: 9, error }, "The fee is spent");
}

#[test]
fn several_followed_transfers_are_listed() {
    let mut state = opened(10);
    let id = crate::console::update::with_cx(&mut state, |_, cx| {
        crate::console::screen::send::start_resuming(cx)
    })
    .into_iter()
    .find_map(|effect| match effect {
        Effect::Start { id, .. } => Some(id),
        _ => None,
    })
    .unwrap();
    let ending = |index: u32, result: TransferResult| Ending {
        signature: Signature::new([5; 64]),
        to: *wallet(index).solana().unwrap(),
        amount: TransferRequest::new(
            *wallet(0).solana().unwrap(),
            *wallet(1).solana().unwrap(),
            Lamports::ONE_SOL,
        )
        .amount,
        result,
    };
    let endings = vec![
        ending(1, TransferResult::Confirmed { slot: 7 }),
        ending(2, TransferResult::Expired),
    ];
    let answer = Answer::Send(SendAnswer::Resumed(Ok(endings)));
    update(&mut state, Msg::Answer { id, answer });
    snapshot("transfers_followed_80x24", &screen(&mut state, 80, 24));
}

#[test]
fn what_a_crash_left_behind_is_offered_from_everywhere() {
    let mut state = fresh();
    let effects = crate::console::update::start(&mut state);
    let status = keyward_custody::VaultStatus::Unlocked(summary(10));
    let effects = open_with(&mut state, &effects, status);
    let id = started(&effects, |work| {
        matches!(work, Work::Send(SendWork::Unresolved(None)))
    });
    assert!(
        !control(&mut state, 'r').iter().any(is_resumption),
        "nothing is known to be left"
    );
    let answer = Answer::Send(SendAnswer::Unresolved(Ok(vec![Signature::new([5; 64])])));
    update(&mut state, Msg::Answer { id, answer });
    assert!(screen(&mut state, 80, 24).contains("! 1 unresolved, Ctrl-R"));
    let effects = control(&mut state, 'r');
    let id = started(&effects, |work| matches!(work, Work::Send(SendWork::Resume)));
    assert!(
        !control(&mut state, 'r').iter().any(is_resumption),
        "once is enough"
    );
    let answer = Answer::Send(SendAnswer::Resumed(Ok(Vec::new())));
    let effects = update(&mut state, Msg::Answer { id, answer });
    let id = started(&effects, |work| {
        matches!(work, Work::Send(SendWork::Unresolved(None)))
    });
    let answer = Answer::Send(SendAnswer::Unresolved(Ok(Vec::new())));
    update(&mut state, Msg::Answer { id, answer });
    assert!(!screen(&mut state, 80, 24).contains("Ctrl-R"));
}

fn is_resumption(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Start {
            work: Work::Send(SendWork::Resume),
            ..
        }
    )
}
