#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_custody::MergeDifference;

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

const SECRET: &str = "canary-Wicker-9041-omen";

fn form() -> State {
    let mut state = opened(10);
    press(&mut state, KeyCode::Char('5'));
    for _ in 0..3 {
        press(&mut state, KeyCode::Down);
    }
    press(&mut state, KeyCode::Enter);
    assert!(matches!(state.screen, Screen::Merge(_)), "{:?}", state.screen);
    state
}

fn asked(effects: &[Effect]) -> Option<(RequestId, Trial, &str)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Upkeep(UpkeepWork::Merge { path, trial, .. }),
            ..
        } => Some((*id, *trial, path.as_str())),
        _ => None,
    })
}

fn report(new: u32) -> MergeReport {
    let difference = |what, here: &str, file: &str| MergeDifference {
        what,
        here: here.into(),
        file: file.into(),
    };
    MergeReport {
        phrases_added: u64::from(new > 0),
        phrases_known: 1,
        added: (100..100 + new).map(|at| wallet(at).address).collect(),
        same: (3..9).map(|at| wallet(at).address).collect(),
        conflicts: vec![
            MergeConflict {
                address: wallet(1).address,
                differences: vec![
                    difference(MergeField::Label, "bot-0001", "old\u{1b}[2Jbot"),
                    difference(MergeField::Tags, "bots", ""),
                ],
            },
            MergeConflict {
                address: wallet(2).address,
                differences: vec![difference(MergeField::Place, "Hy5…", "bip44-change #7")],
            },
        ],
        has_policy: true,
    }
}

fn fill(state: &mut State) -> RequestId {
    type_text(state, "/tmp/other.keyward");
    press(state, KeyCode::Enter);
    type_text(state, SECRET);
    let effects = press(state, KeyCode::Enter);
    let (id, trial, path) = asked(&effects).unwrap();
    assert_eq!((trial, path), (Trial::Dry, "/tmp/other.keyward"));
    id
}

fn answer(state: &mut State, id: RequestId, result: Result<MergeReport, Failure>) -> Vec<Effect> {
    let answer = Answer::Upkeep(UpkeepAnswer::Merged(result.map(Box::new)));
    update(state, Msg::Answer { id, answer })
}

#[test]
fn what_would_be_done_is_shown_before_it_is() {
    let mut state = form();
    snapshot("merge_form_80x24", &screen(&mut state, 80, 24));
    let id = fill(&mut state);
    assert!(!format!("{}{state:?}", screen(&mut state, 80, 24)).contains("Wicker"));
    answer(&mut state, id, Ok(report(12)));
    snapshot("merge_plan_80x24", &screen(&mut state, 80, 24));
    snapshot("merge_plan_120x40", &screen(&mut state, 120, 40));
    let effects = press(&mut state, KeyCode::Enter);
    let (id, trial, _) = asked(&effects).unwrap();
    assert_eq!(trial, Trial::Real);
    let effects = answer(&mut state, id, Ok(report(12)));
    assert!(effects.iter().any(|effect| matches!(
        effect,
        Effect::Start {
            work: Work::Wallets(_),
            ..
        }
    )));
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("12 new wallets brought in"), "{text}");
    assert_eq!(state.shared.session.as_ref().unwrap().summary.wallet_count, 22);
    assert!(!format!("{state:?}").contains("Wicker"));
}

#[test]
fn a_file_with_nothing_new_is_not_brought_in() {
    let mut state = form();
    let id = fill(&mut state);
    answer(&mut state, id, Ok(report(0)));
    assert!(asked(&press(&mut state, KeyCode::Enter)).is_none());
    press(&mut state, KeyCode::Esc);
    assert!(screen(&mut state, 80, 24).contains("/tmp/other.keyward"));
}

#[test]
fn a_wrong_password_is_typed_again_and_the_file_stays_named() {
    let mut state = form();
    let id = fill(&mut state);
    answer(
        &mut state,
        id,
        Err(Failure::new("the file did not open", "type it again")),
    );
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("did not open") && text.contains("/tmp/other.keyward"),
        "{text}"
    );
    assert!(asked(&press(&mut state, KeyCode::Enter)).is_none());
    type_text(&mut state, SECRET);
    assert!(asked(&press(&mut state, KeyCode::Enter)).is_some());
}

#[test]
fn what_was_typed_is_not_dropped_unasked() {
    let mut state = form();
    type_text(&mut state, "x");
    press(&mut state, KeyCode::Esc);
    assert!(screen(&mut state, 80, 24).contains("Leave the merge?"));
    press(&mut state, KeyCode::Char('y'));
    assert!(matches!(state.screen, Screen::Backup(_)));
}
