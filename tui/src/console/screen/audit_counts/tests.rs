#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_core::audit::Operation;

use super::*;
use crate::console::effect::{Effect, Failure};
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

fn counts() -> Vec<AuditCount> {
    [
        (Operation::SignTransaction, Outcome::Signed, 12_345),
        (Operation::SignTransaction, Outcome::Refused, 7),
        (Operation::Unlock, Outcome::Done, 40),
    ]
    .into_iter()
    .map(|(operation, outcome, count)| AuditCount {
        operation,
        outcome,
        count,
    })
    .collect()
}

/// The counts, from the log.
fn counted(result: Result<Vec<AuditCount>, Failure>) -> State {
    let mut state = opened(10);
    press(&mut state, KeyCode::Char('2'));
    let effects = press(&mut state, KeyCode::Char('n'));
    let id = started(&effects, |work| matches!(work, Work::Audit(AuditWork::Counts(_))));
    update(
        &mut state,
        Msg::Answer {
            id,
            answer: Answer::Audit(AuditAnswer::Counts(result)),
        },
    );
    state
}

fn asked(effects: &[Effect]) -> Option<AuditQuery> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            work: Work::Audit(AuditWork::Page(query) | AuditWork::Open(query)),
            ..
        } => Some(query.clone()),
        _ => None,
    })
}

#[test]
fn a_line_leads_to_its_entries() {
    let mut state = counted(Ok(counts()));
    snapshot("audit_counts_80x24", &screen(&mut state, 80, 24));
    snapshot("audit_counts_120x40", &screen(&mut state, 120, 40));
    press(&mut state, KeyCode::Down);
    let effects = press(&mut state, KeyCode::Enter);
    assert!(matches!(state.screen, Screen::Audit(_)));
    let query = effects
        .iter()
        .rev()
        .find_map(|effect| asked(std::slice::from_ref(effect)))
        .unwrap();
    assert_eq!(query.operation, Some(Operation::SignTransaction));
    assert_eq!(query.outcome, Some(Outcome::Refused));
}

#[test]
fn what_went_wrong_is_said() {
    let mut state = counted(Err(Failure::new("the database is gone", "start it")));
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("The database is gone") && text.contains("Start it"),
        "{text}"
    );
    let mut state = counted(Ok(Vec::new()));
    assert!(screen(&mut state, 80, 24).contains("No entry fits"));
}
