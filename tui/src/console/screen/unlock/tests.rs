#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_custody::{CustodyError, VaultStatus};

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::state::State;
use crate::console::update::{start, update};
use crate::console::view::testing::*;

fn locked() -> State {
    let mut state = fresh();
    let effects = start(&mut state);
    open_with(&mut state, &effects, VaultStatus::Locked(summary(10_000)));
    state
}

fn submit(state: &mut State, password: &str) -> Vec<Effect> {
    type_text(state, password);
    press(state, KeyCode::Enter)
}

fn refuse(state: &mut State, effects: &[Effect], error: CustodyError) {
    let id = started(effects, |work| matches!(work, Work::Vault(VaultWork::Unlock(_))));
    let answer = Answer::Vault(VaultAnswer::Unlocked(Err(error.into())));
    update(state, Msg::Answer { id, answer });
}

#[test]
fn the_password_is_never_drawn_and_is_gone_once_sent() {
    let mut state = locked();
    type_text(&mut state, "canary-password");
    assert!(!screen(&mut state, 80, 24).contains("canary"));
    assert!(!format!("{state:?}").contains("canary"));
    press(&mut state, KeyCode::Enter);
    let Screen::Unlock(page) = &state.screen else {
        panic!("locked")
    };
    assert!(page.password.is_empty());
}

#[test]
fn the_right_password_opens_the_wallets() {
    let mut state = locked();
    let effects = submit(&mut state, "right");
    let id = started(&effects, |work| matches!(work, Work::Vault(VaultWork::Unlock(_))));
    let answer = Answer::Vault(VaultAnswer::Unlocked(Ok(summary(3))));
    update(&mut state, Msg::Answer { id, answer });
    assert!(matches!(state.screen, Screen::Wallets(_)) && state.shared.is_open());
}

#[test]
fn a_wrong_password_says_so_and_typing_clears_it() {
    let mut state = locked();
    snapshot("unlock_80x24", &screen(&mut state, 80, 24));
    snapshot("unlock_140x40", &screen(&mut state, 140, 40));
    let effects = submit(&mut state, "wrong");
    refuse(&mut state, &effects, CustodyError::WrongPassword);
    snapshot("unlock_wrong_80x24", &screen(&mut state, 80, 24));
    type_text(&mut state, "x");
    assert!(!screen(&mut state, 80, 24).contains("did not open"));
}

#[test]
fn a_lockout_counts_down_and_nothing_is_tried_meanwhile() {
    let mut state = locked();
    let effects = submit(&mut state, "wrong");
    refuse(
        &mut state,
        &effects,
        CustodyError::LockedOut {
            retry_after_ms: 90_000,
        },
    );
    assert!(screen(&mut state, 80, 24).contains("1:30"));
    wait(&mut state, 30_000);
    assert!(screen(&mut state, 80, 24).contains("1:00"));
    assert!(submit(&mut state, "again").is_empty());
    wait(&mut state, 60_000);
    assert!(!screen(&mut state, 80, 24).contains("Next try"));
    assert!(
        !press(&mut state, KeyCode::Enter).is_empty(),
        "what was typed meanwhile is still there"
    );
}

#[test]
fn a_missing_second_factor_is_named_before_anything_is_tried() {
    let mut state = fresh();
    let effects = start(&mut state);
    let mut needs = summary(1);
    needs.needs_second_factor = true;
    open_with(&mut state, &effects, VaultStatus::Locked(needs));
    assert!(screen(&mut state, 80, 24).contains("KEYWARD_ENCRYPTION_KEY"));
}

fn counted(state: &mut State, effects: &[Effect], lockout: Lockout) {
    let id = started(effects, |work| matches!(work, Work::Upkeep(UpkeepWork::Lockout)));
    let answer = Answer::Upkeep(UpkeepAnswer::Lockout(Ok(lockout)));
    update(state, Msg::Answer { id, answer });
}

#[test]
fn wrong_passwords_of_others_are_told_before_one_is_typed() {
    let mut state = fresh();
    let effects = start(&mut state);
    let effects = open_with(&mut state, &effects, VaultStatus::Locked(summary(3)));
    let tried = Lockout {
        failures: 3,
        allowed: 5,
        retry_after_ms: 0,
    };
    counted(&mut state, &effects, tried);
    snapshot("unlock_tries_80x24", &screen(&mut state, 80, 24));
    // Another program fails twice more.
    let effects = wait(&mut state, LOOK_MS);
    let shut = Lockout {
        failures: 5,
        retry_after_ms: 30_000,
        ..tried
    };
    counted(&mut state, &effects, shut);
    snapshot("unlock_locked_out_80x24", &screen(&mut state, 80, 24));
    assert!(submit(&mut state, "again").is_empty());
    let effects = wait(&mut state, 30_000);
    let over = Lockout {
        retry_after_ms: 0,
        ..shut
    };
    counted(&mut state, &effects, over);
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("Another one begins a wait"), "{text}");
}

#[test]
fn a_new_vault_key_made_elsewhere_is_told() {
    let mut state = locked();
    let effects = wait(&mut state, 1);
    let id = started(&effects, |work| {
        matches!(work, Work::Upkeep(UpkeepWork::RotationStatus))
    });
    let status = keyward_custody::RotationStatus {
        epoch: 2,
        started_ms: NOW_MS - 60_000,
        done: 50,
        total: 200,
    };
    let answer = Answer::Upkeep(UpkeepAnswer::RotationStatus(Ok(Some(status))));
    update(&mut state, Msg::Answer { id, answer });
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("vault key 2 at 25 %") && text.contains("50 of 200 records"),
        "{text}"
    );
}
