#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_custody::DuePage;

use super::*;
use crate::console::effect::Effect;
use crate::console::effect::Failure;
use crate::console::msg::Msg;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

fn due(index: u32, at_ms: u64) -> Wallet {
    let mut wallet = wallet(index);
    wallet.role = "trading".into();
    wallet.rotate_every_ms = Some(86_400_000);
    wallet.rotate_at_ms = Some(at_ms);
    wallet
}

fn answer(state: &mut State, effects: &[Effect], rows: Vec<Wallet>) {
    let id = started(effects, |work| {
        matches!(work, Work::Rotation(RotationWork::Due { .. }))
    });
    let list = DueList {
        page: DuePage {
            total: rows.len() as u64,
            rows,
            next: None,
        },
        retirements: 2,
    };
    let answer = Answer::Rotation(RotationAnswer::Due(Ok(list)));
    update(state, Msg::Answer { id, answer });
}

fn list(rows: Vec<Wallet>) -> State {
    let mut state = opened(200);
    let effects = press(&mut state, KeyCode::Char('8'));
    answer(&mut state, &effects, rows);
    state
}

#[test]
fn what_is_due_is_listed_and_rotated_after_a_question() {
    let rows = vec![due(1, NOW_MS - 7_200_000), due(2, NOW_MS + 3_600_000)];
    let mut state = list(rows);
    snapshot("rotations_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::Char('R'));
    snapshot("rotations_question_80x24", &screen(&mut state, 80, 24));
    let effects = press(&mut state, KeyCode::Char('y'));
    let id = started(&effects, |work| {
        matches!(work, Work::Rotation(RotationWork::RunDue))
    });
    assert_eq!(state.shared.jobs.running(), 1);
    let answer = Answer::Rotation(RotationAnswer::Ran(Ok("1 wallet rotated".into())));
    let effects = update(&mut state, Msg::Answer { id, answer });
    assert_eq!(state.shared.jobs.running(), 0);
    started(&effects, |work| {
        matches!(work, Work::Rotation(RotationWork::Due { .. }))
    });
}

#[test]
fn no_schedule_says_where_to_set_one() {
    let mut state = list(Vec::new());
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("No key is to be replaced"), "{text}");
}

#[test]
fn a_failure_is_shown_with_its_remedy() {
    let mut state = opened(10);
    let effects = press(&mut state, KeyCode::Char('8'));
    let id = started(&effects, |work| {
        matches!(work, Work::Rotation(RotationWork::Due { .. }))
    });
    let failure = Failure::new("the database cannot be reached", "start it");
    let answer = Answer::Rotation(RotationAnswer::Due(Err(failure)));
    update(&mut state, Msg::Answer { id, answer });
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("cannot be reached") && text.contains("Start it"),
        "{text}"
    );
}
