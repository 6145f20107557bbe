#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;

use super::*;
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

fn dialog() -> State {
    let mut state = opened(3);
    press(&mut state, KeyCode::Char('6'));
    assert!(matches!(state.screen, Screen::Inspect(_)));
    state
}

fn paste(state: &mut State, text: &str) {
    update(state, Msg::Paste(Zeroizing::new(text.to_owned())));
}

fn answered(result: Result<Inspected, Failure>) -> State {
    let mut state = dialog();
    paste(&mut state, "canary-canary");
    let effects = press(&mut state, KeyCode::Enter);
    let id = started(&effects, |work| {
        matches!(work, Work::Inspect(InspectWork::Text(_)))
    });
    let answer = Answer::Inspect(InspectAnswer::Read(result));
    update(&mut state, Msg::Answer { id, answer });
    state
}

fn shown() -> Inspected {
    let address = wallet(1).address;
    Inspected {
        kind: "Solana transaction",
        facts: vec![
            ("version", "0".into()),
            ("fee payer", address.to_string()),
            ("signer", format!("{address}  has not signed")),
            ("lookup tables", "1, resolved".into()),
        ],
        dangers: vec!["SetAuthority: control passes to another, or is given up for ever".into()],
        sentences: (1..40)
            .map(|number| format!("instruction {number} moves 0.5 SOL to {address}"))
            .collect(),
    }
}

#[test]
fn what_it_does_is_shown_with_its_dangers_first() {
    let mut state = answered(Ok(shown()));
    snapshot("inspect_80x24", &screen(&mut state, 80, 24));
    snapshot("inspect_120x40", &screen(&mut state, 120, 40));
    press(&mut state, KeyCode::End);
    assert!(
        screen(&mut state, 80, 24).contains("instruction 39")
            || !screen(&mut state, 80, 24).contains("version")
    );
    press(&mut state, KeyCode::Esc);
    press(&mut state, KeyCode::Esc);
    press(&mut state, KeyCode::Esc);
    assert!(matches!(state.screen, Screen::Wallets(_)));
}

#[test]
fn what_cannot_be_read_is_said_and_can_be_corrected() {
    let mut state = answered(Err(Failure::new(
        "this is nothing that can be shown",
        "copy all of it",
    )));
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("nothing that can be shown") && text.contains("•••"),
        "{text}"
    );
}

#[test]
fn a_key_pasted_by_mistake_is_not_drawn() {
    let mut state = dialog();
    press(&mut state, KeyCode::Tab);
    paste(&mut state, "canary-canary");
    let text = format!("{}{state:?}", screen(&mut state, 80, 24));
    assert!(!text.contains("canary"));
}

#[test]
fn nothing_is_asked_for_nothing() {
    let mut state = dialog();
    press(&mut state, KeyCode::Tab);
    assert!(press(&mut state, KeyCode::Enter).is_empty());
    assert!(screen(&mut state, 80, 24).contains("paste something"));
}
