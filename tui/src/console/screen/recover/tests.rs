#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_custody::VaultStatus;

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::state::State;
use crate::console::update::{start, update};
use crate::console::view::testing::*;

const KEY: &str = "canary-recovery-key";
const NEW: &str = "canary-Wicker-9041-omen";

fn locked(has_recovery: bool) -> State {
    let mut state = fresh();
    let effects = start(&mut state);
    let mut vault = summary(3);
    vault.has_recovery = has_recovery;
    open_with(&mut state, &effects, VaultStatus::Locked(vault));
    control(&mut state, 'r');
    state
}

fn fill(state: &mut State, again: &str) -> Vec<Effect> {
    for text in [KEY, NEW] {
        type_text(state, text);
        press(state, KeyCode::Enter);
    }
    type_text(state, again);
    press(state, KeyCode::Enter)
}

fn recovering(effects: &[Effect]) -> Option<RequestId> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Backup(BackupWork::Recover { recovery, new }),
            ..
        } => {
            assert_eq!((recovery.as_str(), new.as_str()), (KEY, NEW));
            Some(*id)
        }
        _ => None,
    })
}

#[test]
fn it_is_offered_where_there_is_a_recovery_key() {
    assert!(matches!(locked(true).screen, Screen::Recover(_)));
    assert!(matches!(locked(false).screen, Screen::Unlock(_)));
}

#[test]
fn the_key_and_a_new_password_open_the_vault() {
    let mut state = locked(true);
    let id = recovering(&fill(&mut state, NEW)).unwrap();
    press(&mut state, KeyCode::Esc);
    let answer = Answer::Backup(BackupAnswer::Recovered(Ok(summary(3))));
    update(&mut state, Msg::Answer { id, answer });
    assert!(matches!(state.screen, Screen::Wallets(_)) && state.shared.is_open());
}

#[test]
fn a_wrong_key_stays_where_it_can_be_corrected() {
    let mut state = locked(true);
    let id = recovering(&fill(&mut state, NEW)).unwrap();
    let failure = Failure::new("the recovery key does not open this vault", "compare it");
    let answer = Answer::Backup(BackupAnswer::Recovered(Err(failure)));
    update(&mut state, Msg::Answer { id, answer });
    assert!(screen(&mut state, 80, 24).contains("does not open this vault"));
    assert!(recovering(&press(&mut state, KeyCode::Enter)).is_some());
}

#[test]
fn a_new_password_is_typed_twice() {
    let mut state = locked(true);
    assert!(recovering(&fill(&mut state, "another")).is_none());
    assert!(screen(&mut state, 80, 24).contains("not typed the same twice"));
}

#[test]
fn nothing_typed_is_drawn() {
    let mut state = locked(true);
    fill(&mut state, NEW);
    snapshot("recover_80x24", &screen(&mut state, 80, 24));
    snapshot("recover_120x40", &screen(&mut state, 120, 40));
    let text = format!("{}{state:?}", screen(&mut state, 80, 24));
    assert!(!text.contains("canary") && !text.contains("Wicker"));
}
