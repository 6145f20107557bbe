#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;

use super::*;
use crate::console::effect::{Effect, FailureKind};
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

const OLD_WORDS: &str = "tidal-Wicker-9041-omen";
const NEW_WORDS: &str = "canary correct horse battery";

fn form() -> State {
    let mut state = opened(10);
    press(&mut state, KeyCode::Char('4'));
    press(&mut state, KeyCode::End);
    press(&mut state, KeyCode::Enter);
    assert!(matches!(state.screen, Screen::Password(_)));
    state
}

/// Fills the three fields; what is said of the new password's strength is `judged`.
fn fill(state: &mut State, new: &str, again: &str, judged: Result<(), String>) -> Vec<Effect> {
    type_text(state, OLD_WORDS);
    press(state, KeyCode::Enter);
    let effects = type_text(state, new);
    let asked = effects.iter().rev().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Vault(VaultWork::Judge(_)),
            ..
        } => Some(*id),
        _ => None,
    });
    let answer = Answer::Vault(VaultAnswer::Judged(judged));
    update(
        state,
        Msg::Answer {
            id: asked.unwrap(),
            answer,
        },
    );
    press(state, KeyCode::Enter);
    type_text(state, again);
    press(state, KeyCode::Enter)
}

fn changing(effects: &[Effect]) -> Option<RequestId> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Settings(SettingsWork::ChangePassword { old, new }),
            ..
        } => {
            assert_eq!((old.as_str(), new.as_str()), (OLD_WORDS, NEW_WORDS));
            Some(*id)
        }
        _ => None,
    })
}

#[test]
fn a_change_is_asked_for_once_everything_fits() {
    let mut state = form();
    let effects = fill(&mut state, NEW_WORDS, NEW_WORDS, Ok(()));
    let id = changing(&effects).unwrap();
    press(&mut state, KeyCode::Esc);
    assert!(
        matches!(state.screen, Screen::Password(_)),
        "its answer is waited for"
    );
    let answer = Answer::Settings(SettingsAnswer::PasswordChanged(Ok(())));
    update(&mut state, Msg::Answer { id, answer });
    assert!(matches!(state.screen, Screen::Settings(_)));
    assert!(screen(&mut state, 80, 24).contains("password was changed"));
}

#[test]
fn what_does_not_fit_is_said() {
    let check = |new: &str, again: &str, judged: Result<(), String>, expected: &str| {
        let mut state = form();
        assert!(changing(&fill(&mut state, new, again, judged)).is_none());
        let text = screen(&mut state, 80, 24);
        assert!(text.contains(expected), "{text}");
    };
    check(NEW_WORDS, "another", Ok(()), "same twice");
    check(OLD_WORDS, OLD_WORDS, Ok(()), "is the old one");
    check(
        "short",
        "short",
        Err("the password has 5 characters".into()),
        "has 5 characters",
    );
}

#[test]
fn a_wrong_password_can_be_typed_again() {
    let mut state = form();
    let effects = fill(&mut state, NEW_WORDS, NEW_WORDS, Ok(()));
    let id = changing(&effects).unwrap();
    let failure = Failure {
        cause: "the vault did not open".into(),
        remedy: "try again".into(),
        kind: FailureKind::WrongPassword,
    };
    let answer = Answer::Settings(SettingsAnswer::PasswordChanged(Err(failure)));
    update(&mut state, Msg::Answer { id, answer });
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("did not open"), "{text}");
    type_text(&mut state, OLD_WORDS);
    press(&mut state, KeyCode::Enter);
    press(&mut state, KeyCode::Enter);
    assert!(changing(&press(&mut state, KeyCode::Enter)).is_some());
}

#[test]
fn nothing_typed_is_ever_shown() {
    let mut state = form();
    fill(&mut state, NEW_WORDS, NEW_WORDS, Ok(()));
    let text = format!("{}{state:?}", screen(&mut state, 80, 24));
    assert!(!text.contains("canary") && !text.contains("Wicker"));
}

#[test]
fn the_form_as_it_looks() {
    let mut state = form();
    type_text(&mut state, OLD_WORDS);
    press(&mut state, KeyCode::Tab);
    snapshot("password_80x24", &screen(&mut state, 80, 24));
}
