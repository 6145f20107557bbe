#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_core::amount::Lamports;

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

fn settings() -> State {
    let mut state = opened(10);
    press(&mut state, KeyCode::Char('4'));
    state
}

fn saved(effects: &[Effect]) -> Option<(RequestId, Key, String)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Settings(SettingsWork::Save { key, value }),
            ..
        } => Some((*id, *key, value.clone())),
        _ => None,
    })
}

fn choose(state: &mut State, url: &str) -> Vec<Effect> {
    press(state, KeyCode::Enter);
    control(state, 'u');
    type_text(state, url);
    press(state, KeyCode::Enter)
}

#[test]
fn an_endpoint_is_contacted_only_once_it_is_chosen() {
    let mut state = settings();
    assert!(
        press(&mut state, KeyCode::Char('t')).is_empty(),
        "there is nothing to try"
    );
    press(&mut state, KeyCode::Enter);
    assert!(type_text(&mut state, "http://127.0.0.1:8899").is_empty());
    let effects = press(&mut state, KeyCode::Enter);
    assert_eq!(saved(&effects).unwrap().1, Key::RpcUrl);
    let id = started(&effects, |work| matches!(work, Work::Node(NodeWork::Choose(_))));
    assert!(matches!(state.shared.node, Node::Asking));
    let answer = Answer::Node(crate::console::effects::node::NodeAnswer::Status(Err(
        Failure::new("no answer", "start it"),
    )));
    update(&mut state, Msg::Answer { id, answer });
    assert!(matches!(state.shared.node, Node::Offline { .. }));
}

#[test]
fn a_wrong_endpoint_is_refused_where_it_is_typed() {
    let mut state = settings();
    assert!(choose(&mut state, "ftp://example").is_empty());
    assert!(screen(&mut state, 80, 24).contains("must begin with https://"));
    assert_eq!(state.shared.config.rpc_url, None);
}

#[test]
fn no_endpoint_means_nothing_is_contacted() {
    let mut state = settings();
    online(&mut state);
    let effects = choose(&mut state, "");
    assert!(matches!(state.shared.node, Node::NotChosen));
    assert_eq!(saved(&effects).unwrap().2, "");
}

#[test]
fn another_node_makes_old_balances_unknown() {
    let mut state = settings();
    online(&mut state);
    let now_ms = state.shared.now_ms;
    let session = state.shared.session.as_mut().unwrap();
    session
        .balances
        .learn(wallet(0).address, Some(Lamports::ONE_SOL), now_ms);
    choose(&mut state, "https://node.example");
    assert!(state.shared.balance(wallet(0).address).is_none());
}

#[test]
fn plain_text_over_a_network_is_warned_of_and_paths_are_not_shown() {
    let mut state = settings();
    choose(&mut state, "http://node.example:8899/secret-token");
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("not encrypted") && !text.contains("secret-token"),
        "{text}"
    );
    choose(&mut state, "http://127.0.0.1:8899");
    assert!(!screen(&mut state, 80, 24).contains("not encrypted"));
}

#[test]
fn colours_and_lock_time_change_at_once() {
    let mut state = settings();
    for _ in 0..2 {
        press(&mut state, KeyCode::Down);
    }
    let effects = press(&mut state, KeyCode::Char(' '));
    assert_eq!(state.shared.config.lock_after_minutes, 15);
    assert_eq!(saved(&effects).unwrap().2, "15");
    press(&mut state, KeyCode::Down);
    state.shared.hints.no_color = false;
    state.shared.hints.colorterm = Some("truecolor".into());
    let before = state.shared.palette;
    for _ in 0..2 {
        press(&mut state, KeyCode::Char(' '));
    }
    assert_eq!(state.shared.config.theme, Theme::Light);
    assert_ne!(state.shared.palette, before);
}

#[test]
fn a_setting_that_cannot_be_written_holds_for_this_run_and_says_so() {
    let mut state = settings();
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Down);
    let effects = press(&mut state, KeyCode::Char(' '));
    let (id, key, _) = saved(&effects).unwrap();
    let failure = Failure::new("cannot write the settings", "check the folder's permissions");
    let answer = Answer::Settings(SettingsAnswer::Saved {
        key,
        result: Err(failure),
    });
    update(&mut state, Msg::Answer { id, answer });
    assert!(screen(&mut state, 80, 24).contains("change holds until"));
    assert_eq!(state.shared.config.lock_after_minutes, 15);
}

#[test]
fn the_settings_as_they_look() {
    let mut state = settings();
    snapshot("settings_80x24", &screen(&mut state, 80, 24));
    online(&mut state);
    let effects = press(&mut state, KeyCode::Char('t'));
    let id = started(&effects, |work| {
        matches!(work, Work::Settings(SettingsWork::Try(_)))
    });
    let Node::Online { status, .. } = state.shared.node.clone() else {
        panic!("online")
    };
    let answer = Answer::Settings(SettingsAnswer::Tried(Ok(status)));
    update(&mut state, Msg::Answer { id, answer });
    snapshot("settings_tried_80x24", &screen(&mut state, 80, 24));
    snapshot("settings_tried_140x40", &screen(&mut state, 140, 40));
}
