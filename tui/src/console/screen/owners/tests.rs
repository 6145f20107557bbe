#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;

use super::*;
use crate::console::effect::{Effect, Failure};
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

fn owner(name: &str, wallets: u64) -> Owner {
    Owner {
        name: name.into(),
        created_ms: NOW_MS,
        wallets,
        others: 0,
        primary: (wallets > 0).then(|| wallet(1).address),
    }
}

fn answer(state: &mut State, effects: &[Effect], rows: Vec<Owner>) {
    let id = started(effects, |work| {
        matches!(work, Work::Wallets(WalletsWork::Owners(_)))
    });
    let total = rows.len() as u64;
    let answer = Answer::Wallets(WalletsAnswer::Owners(Ok(OwnerPage { total, rows })));
    update(state, Msg::Answer { id, answer });
}

fn list(rows: Vec<Owner>) -> State {
    let mut state = opened(200);
    let effects = press(&mut state, KeyCode::Char('9'));
    answer(&mut state, &effects, rows);
    state
}

#[test]
fn owners_are_listed_and_enter_shows_the_wallets_of_one() {
    let mut state = list(vec![owner("alice", 3), owner("north desk", 1), owner("zoe", 0)]);
    snapshot("owners_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::Down);
    let effects = press(&mut state, KeyCode::Enter);
    assert!(matches!(state.screen, Screen::Wallets(_)));
    let asked = effects.iter().find_map(|effect| match effect {
        Effect::Start {
            work: Work::Wallets(WalletsWork::Page(query)),
            ..
        } => query.owner.clone(),
        _ => None,
    });
    assert_eq!(asked.as_deref(), Some("north desk"));
}

#[test]
fn an_owner_is_added_renamed_and_removed() {
    let mut state = list(vec![owner("alice", 0)]);
    press(&mut state, KeyCode::Char('n'));
    type_text(&mut state, "bob");
    let effects = press(&mut state, KeyCode::Enter);
    let id = started(
        &effects,
        |work| matches!(work, Work::Wallets(WalletsWork::CreateOwner(name)) if name == "bob"),
    );
    let answer = Answer::Wallets(WalletsAnswer::Changed(Ok(())));
    let effects = update(&mut state, Msg::Answer { id, answer });
    started(&effects, |work| {
        matches!(work, Work::Wallets(WalletsWork::Owners(_)))
    });
    press(&mut state, KeyCode::Char('e'));
    control(&mut state, 'u');
    type_text(&mut state, "carol");
    let effects = press(&mut state, KeyCode::Enter);
    started(
        &effects,
        |work| matches!(work, Work::Wallets(WalletsWork::RenameOwner { name, new }) if name == "alice" && new == "carol"),
    );
    press(&mut state, KeyCode::Char('D'));
    let effects = press(&mut state, KeyCode::Char('y'));
    started(
        &effects,
        |work| matches!(work, Work::Wallets(WalletsWork::RemoveOwner(name)) if name == "alice"),
    );
}

#[test]
fn one_with_wallets_is_not_removed() {
    let mut state = list(vec![owner("alice", 2)]);
    assert!(press(&mut state, KeyCode::Char('D')).is_empty());
    assert!(state.modal.is_none() && state.shared.notice.is_some());
}

#[test]
fn a_change_that_fails_is_said_and_a_prompt_comes_back_with_its_text() {
    let mut state = list(Vec::new());
    press(&mut state, KeyCode::Char('n'));
    type_text(&mut state, "bob");
    let effects = press(&mut state, KeyCode::Enter);
    let id = started(&effects, |work| {
        matches!(work, Work::Wallets(WalletsWork::CreateOwner(_)))
    });
    let failure = Failure::new("there is an owner bob already", "choose another name");
    let answer = Answer::Wallets(WalletsAnswer::Changed(Err(failure)));
    update(&mut state, Msg::Answer { id, answer });
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("already"), "{text}");
    press(&mut state, KeyCode::Esc);
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("New owner") && text.contains("bob"), "{text}");
}
