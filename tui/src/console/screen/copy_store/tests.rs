#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_custody::ProgressState;

use super::*;
use crate::console::effect::{Effect, Progress};
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

fn form() -> State {
    let mut state = opened(10);
    press(&mut state, KeyCode::Char('5'));
    for _ in 0..4 {
        press(&mut state, KeyCode::Down);
    }
    press(&mut state, KeyCode::Enter);
    assert!(matches!(state.screen, Screen::CopyStore(_)), "{:?}", state.screen);
    state
}

fn copying(effects: &[Effect]) -> Option<RequestId> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Upkeep(UpkeepWork::CopyStore(_)),
            ..
        } => Some(*id),
        _ => None,
    })
}

fn started_copy(to: &str) -> (State, RequestId) {
    let mut state = form();
    type_text(&mut state, to);
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, WORD);
    let effects = press(&mut state, KeyCode::Enter);
    let id = copying(&effects).unwrap();
    (state, id)
}

#[test]
fn it_takes_a_place_and_a_word() {
    let mut state = form();
    snapshot("copy_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, WORD);
    assert!(copying(&press(&mut state, KeyCode::Enter)).is_none());
    type_text(&mut state, "mysql://host/vault");
    press(&mut state, KeyCode::Enter);
    assert!(copying(&press(&mut state, KeyCode::Enter)).is_none());
    let mut state = form();
    type_text(&mut state, "/tmp/copy.db");
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, "cop");
    assert!(copying(&press(&mut state, KeyCode::Enter)).is_none());
    assert!(screen(&mut state, 80, 24).contains("type copy to confirm"));
}

#[test]
fn how_far_it_is_and_what_was_compared_are_shown() {
    let (mut state, id) = started_copy("postgres://keyward:canary@db.example/vault");
    let progress = Progress::Count(ProgressState {
        done: 1_200,
        total: 4_000,
    });
    update(&mut state, Msg::Progress { id, progress });
    let text = screen(&mut state, 80, 24);
    snapshot("copy_running_80x24", &text);
    assert!(!text.contains("canary") && !format!("{state:?}").contains("canary"));
    press(&mut state, KeyCode::Char('3'));
    assert!(!screen(&mut state, 80, 24).contains("canary"));
    press(&mut state, KeyCode::Esc);
    let report = CopyReport {
        tables: vec![("vaults", 1), ("wallets", 10), ("policies", 0)],
        audit_entries: 42,
        audit_root: [0xab; 32],
    };
    let answer = Answer::Upkeep(UpkeepAnswer::Copied(Ok(Box::new(report))));
    update(&mut state, Msg::Answer { id, answer });
    assert_eq!(state.shared.jobs.running(), 0);
    let (mut state, id) = started_copy("/tmp/copy.db");
    let report = CopyReport {
        tables: vec![("vaults", 1), ("wallets", 10), ("policies", 0)],
        audit_entries: 42,
        audit_root: [0xab; 32],
    };
    let answer = Answer::Upkeep(UpkeepAnswer::Copied(Ok(Box::new(report))));
    update(&mut state, Msg::Answer { id, answer });
    snapshot("copy_done_80x24", &screen(&mut state, 80, 24));
}

#[test]
fn cancelling_and_failing_lead_back_to_the_form() {
    let (mut state, id) = started_copy("/tmp/copy.db");
    let effects = press(&mut state, KeyCode::Char('x'));
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Cancel(cancelled) if *cancelled == id))
    );
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("Cancelled") && text.contains("/tmp/copy.db"),
        "{text}"
    );

    let (mut state, id) = started_copy("/tmp/copy.db");
    let failure = Failure::new("the target holds something already", "name an empty one");
    let answer = Answer::Upkeep(UpkeepAnswer::Copied(Err(failure)));
    update(&mut state, Msg::Answer { id, answer });
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("holds something") && text.contains("/tmp/copy.db"),
        "{text}"
    );
}
