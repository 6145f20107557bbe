#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

const WORDS: &str = "canary-Wicker-9041-omen";

fn limits() -> State {
    let mut state = opened(10);
    press(&mut state, KeyCode::Char('4'));
    press(&mut state, KeyCode::End);
    press(&mut state, KeyCode::Up);
    let effects = press(&mut state, KeyCode::Enter);
    assert!(matches!(state.screen, Screen::Limits(_)));
    let id = started(&effects, |work| {
        matches!(work, Work::Settings(SettingsWork::LoadLimits))
    });
    answer(&mut state, id, Ok(Box::default()));
    state
}

fn answer(state: &mut State, id: RequestId, result: Result<Box<VaultSettings>, Failure>) {
    let answer = Answer::Settings(SettingsAnswer::Limits(result));
    update(state, Msg::Answer { id, answer });
}

fn changing(effects: &[Effect]) -> Option<(RequestId, Vec<(SettingKey, u64)>)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Settings(SettingsWork::ChangeLimits { changes, password }),
            ..
        } => {
            assert_eq!(password.as_str(), WORDS);
            Some((*id, changes.clone()))
        }
        _ => None,
    })
}

/// Types into the first field, then the password, and submits.
fn change(state: &mut State, value: &str, password: &str) -> Vec<Effect> {
    control(state, 'u');
    type_text(state, value);
    press(state, KeyCode::BackTab);
    type_text(state, password);
    press(state, KeyCode::Enter)
}

#[test]
fn the_form_shows_what_is_in_force_and_sends_what_differs() {
    let mut state = limits();
    snapshot("limits_80x24", &screen(&mut state, 80, 24));
    let effects = change(&mut state, "5", WORDS);
    let (id, changes) = changing(&effects).unwrap();
    assert_eq!(changes, [(SettingKey::MaxWalletsPerOwner, 5)]);
    press(&mut state, KeyCode::Esc);
    assert!(
        matches!(state.screen, Screen::Limits(_)),
        "its answer is waited for"
    );
    answer(&mut state, id, Ok(Box::default()));
    assert!(matches!(state.screen, Screen::Settings(_)));
}

#[test]
fn what_is_wrong_or_missing_is_said_and_nothing_is_asked_for() {
    for (value, password, expected) in [
        ("3", WORDS, "nothing is changed yet"),
        ("0", WORDS, "wallets per owner: 1 to 1000000"),
        ("many", WORDS, "a whole number"),
        ("5", "", "type the vault's password"),
    ] {
        let mut state = limits();
        let effects = change(&mut state, value, password);
        assert!(changing(&effects).is_none());
        let text = screen(&mut state, 80, 24);
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[test]
fn a_wrong_password_is_wiped_and_the_values_stay() {
    let mut state = limits();
    let effects = change(&mut state, "7", WORDS);
    let (id, _) = changing(&effects).unwrap();
    answer(&mut state, id, Err(Failure::new("it did not open", "try again")));
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("did not open"), "{text}");
    let Screen::Limits(page) = &state.screen else {
        panic!("left")
    };
    assert_eq!(page.form.expose_text(0), "7");
    assert_eq!(page.form.expose_text(LimitsScreen::PASSWORD), "");
    assert!(!format!("{state:?}").contains(WORDS));
    press(&mut state, KeyCode::Esc);
    assert!(state.modal.is_some(), "what was typed is not dropped unasked");
}
