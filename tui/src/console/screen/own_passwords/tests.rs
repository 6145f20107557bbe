#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;

use super::*;
use crate::console::effect::Effect;
use crate::console::screen::bulk_job::tests::{locked_by, run_started};
use crate::console::screen::review::Review;
use crate::console::screen::review::tests::prepared;
use crate::console::state::State;
use crate::console::view::testing::*;

const WORDS: &str = "canary own wicker 5581";

fn locked(count: u32) -> Vec<Wallet> {
    let wallets = (1..=count).map(wallet);
    wallets
        .map(|wallet| Wallet {
            own_password: true,
            ..wallet
        })
        .collect()
}

/// The page of a job that these wallets sign, a tick after that was found out.
fn asked(wallets: Vec<Wallet>) -> State {
    let mut state = locked_by(wallets);
    wait(&mut state, 250);
    state
}

fn starts_nothing(state: &State, effects: &[Effect]) -> bool {
    !effects
        .iter()
        .any(|effect| matches!(effect, Effect::Start { .. }))
        && state.shared.jobs.running() == 0
}

#[test]
fn each_wallet_of_a_job_is_asked_about_before_it_runs() {
    let mut state = asked(locked(2));
    assert!(matches!(state.screen, Screen::OwnPasswords(_)));
    snapshot("own_passwords_80x24", &screen(&mut state, 80, 24));
    let effects = press(&mut state, KeyCode::Enter);
    assert!(starts_nothing(&state, &effects));
    assert!(screen(&mut state, 80, 24).contains("type the wallet's own"));
    type_text(&mut state, WORDS);
    let effects = press(&mut state, KeyCode::Enter);
    assert!(starts_nothing(&state, &effects));
    let second = screen(&mut state, 80, 24);
    assert!(second.contains("2 of 2") && !second.contains('•'), "{second}");
    type_text(&mut state, WORDS);
    let effects = press(&mut state, KeyCode::Enter);
    run_started(&effects);
    assert!(!format!("{state:?} {effects:?}").contains(WORDS));
    assert!(matches!(state.screen, Screen::BulkJob(_)));
    assert_eq!(state.shared.jobs.running(), 1);
    // The job's page knows of its run.
    let text = screen(&mut state, 80, 24);
    assert!(!text.contains("r run"), "{text}");
}

#[test]
fn who_goes_back_has_signed_nothing() {
    let mut state = asked(locked(2));
    type_text(&mut state, WORDS);
    press(&mut state, KeyCode::Enter);
    press(&mut state, KeyCode::Esc);
    assert!(matches!(state.screen, Screen::BulkJob(_)));
    assert_eq!(state.shared.jobs.running(), 0);
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("nothing was signed"), "{text}");
}

#[test]
fn more_than_can_be_asked_about_are_left_to_a_command() {
    let mut state = asked(locked(21));
    assert!(matches!(state.screen, Screen::BulkJob(_)));
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("21 wallets") && text.contains("--password-of"),
        "{text}"
    );
}

#[test]
fn a_transfer_of_such_a_wallet_is_signed_with_its_password() {
    let mut state = opened(100);
    online(&mut state);
    press(&mut state, KeyCode::Char('s'));
    let from = Wallet {
        own_password: true,
        ..wallet(0)
    };
    let review = Review::new(from, prepared(), state.shared.now_ms);
    let form = std::mem::replace(&mut state.screen, Screen::Review(Box::new(review)));
    state.below.push(form);
    let effects = press(&mut state, KeyCode::Char('y'));
    assert!(starts_nothing(&state, &effects));
    // Back at the review it can still be signed.
    press(&mut state, KeyCode::Esc);
    assert!(matches!(state.screen, Screen::Review(_)));
    press(&mut state, KeyCode::Char('y'));
    type_text(&mut state, WORDS);
    let effects = press(&mut state, KeyCode::Enter);
    let id = started(&effects, |work| matches!(work, Work::Send(SendWork::Submit(..))));
    assert!(!format!("{state:?} {effects:?}").contains(WORDS));
    assert!(state.shared.transfers.get(id).is_some());
    assert!(matches!(state.screen, Screen::Transfer(_)));
    let left = |screen: &Screen| {
        matches!(
            screen,
            Screen::Review(_) | Screen::Send(_) | Screen::OwnPasswords(_)
        )
    };
    assert!(!state.below.iter().any(left));
}

#[test]
fn nobody_is_asked_through_a_window_or_on_another_page() {
    let mut state = locked_by(locked(1));
    press(&mut state, KeyCode::Char('?'));
    wait(&mut state, 250);
    assert!(matches!(state.screen, Screen::BulkJob(_)), "a window is open");
    press(&mut state, KeyCode::Esc);
    wait(&mut state, 250);
    assert!(matches!(state.screen, Screen::OwnPasswords(_)));

    let mut state = locked_by(locked(1));
    press(&mut state, KeyCode::Char('v'));
    assert!(matches!(state.screen, Screen::Report(_)));
    wait(&mut state, 250);
    assert!(matches!(state.screen, Screen::Report(_)));
    press(&mut state, KeyCode::Esc);
    wait(&mut state, 250);
    assert!(matches!(state.screen, Screen::OwnPasswords(_)));
}
