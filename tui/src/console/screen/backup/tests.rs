#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_custody::{ProgressState, RotationStatus};

use super::*;
use crate::console::effect::Progress;
use crate::console::effects::upkeep::UpkeepWork;
use crate::console::effects::vault::{VaultAnswer, VaultWork};
use crate::console::msg::Msg;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

const PASSWORD: &str = "canary-Wicker-9041-omen";

fn menu() -> State {
    let mut state = opened(10);
    press(&mut state, KeyCode::Char('5'));
    assert!(matches!(state.screen, Screen::Backup(_)));
    state
}

fn working(effects: &[Effect]) -> Option<(RequestId, &BackupWork)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Backup(work),
            ..
        } => Some((*id, work)),
        _ => None,
    })
}

/// A recovery key was made.
fn made() -> State {
    let mut state = menu();
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, PASSWORD);
    let effects = press(&mut state, KeyCode::Enter);
    let Some((id, BackupWork::AddRecovery(password))) = working(&effects) else {
        panic!("a recovery key is made")
    };
    assert_eq!(password.as_str(), PASSWORD);
    let answer = Answer::Backup(BackupAnswer::Added(Ok(RecoveryKey::from_bytes([0x5a; 32]))));
    update(&mut state, Msg::Answer { id, answer });
    state
}

fn group(at: usize) -> String {
    let text = RecoveryKey::from_bytes([0x5a; 32]).expose_text();
    text.split('-').nth(at).unwrap().to_owned()
}

fn asked(state: &State) -> [usize; 2] {
    match &state.screen {
        Screen::Backup(page) => page.asked,
        _ => panic!("the screen"),
    }
}

#[test]
fn the_key_is_hidden_until_asked_for_and_hides_itself() {
    let mut state = made();
    let secret = group(4);
    assert!(!screen(&mut state, 80, 24).contains(&secret));
    snapshot("backup_hidden_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::Char('v'));
    assert!(screen(&mut state, 80, 24).contains(&secret));
    assert!(!format!("{state:?}").contains(&secret));
    let effects = wait(&mut state, SHOWN_MS);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Redraw)));
    assert!(!screen(&mut state, 80, 24).contains(&secret));
}

#[test]
fn two_groups_are_asked_back() {
    let mut state = made();
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, "ZZZZ");
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, "ZZZZ");
    press(&mut state, KeyCode::Enter);
    assert!(screen(&mut state, 80, 24).contains("not what the key says"));
    let asked = asked(&state);
    type_text(&mut state, &group(asked[0]).to_lowercase());
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, &group(asked[1]));
    press(&mut state, KeyCode::Enter);
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("a recovery key opens this vault") && text.contains("in force"),
        "{text}"
    );
    assert!(text.contains("Take the recovery key away"));
}

#[test]
fn it_is_not_left_by_mistake_and_going_elsewhere_waits() {
    let mut state = made();
    press(&mut state, KeyCode::Char('1'));
    assert!(matches!(state.screen, Screen::Backup(_)));
    press(&mut state, KeyCode::Esc);
    assert!(screen(&mut state, 80, 24).contains("Leave without the recovery key?"));
    press(&mut state, KeyCode::Char('y'));
    assert!(screen(&mut state, 80, 24).contains("was not checked"));
}

#[test]
fn a_rotation_says_what_it_does_and_takes_a_word() {
    let mut state = menu();
    state.shared.session.as_mut().unwrap().summary.has_recovery = true;
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Enter);
    snapshot("backup_rotate_80x24", &screen(&mut state, 80, 24));
    type_text(&mut state, PASSWORD);
    press(&mut state, KeyCode::Enter);
    assert!(working(&press(&mut state, KeyCode::Enter)).is_none());
    type_text(&mut state, "rotate");
    let effects = press(&mut state, KeyCode::Enter);
    let Some((id, BackupWork::Rotate(_))) = working(&effects) else {
        panic!("it is rotated")
    };
    press(&mut state, KeyCode::Esc);
    assert!(screen(&mut state, 80, 24).contains("sealing every record again"));
    let rotation = Rotation {
        epoch: 2,
        records: 11,
        resumed: false,
        recovery: Some(RecoveryKey::from_bytes([0x5a; 32])),
    };
    let answer = Answer::Backup(BackupAnswer::Rotated(Ok(rotation)));
    update(&mut state, Msg::Answer { id, answer });
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("The recovery key") && text.contains("key number 2"),
        "{text}"
    );
}

#[test]
fn a_file_of_the_vault_is_written_where_it_was_said() {
    let mut state = menu();
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Enter);
    for text in [PASSWORD, "/tmp/vault.keyward", "", ""] {
        type_text(&mut state, text);
        if !text.is_empty() || !matches!(&state.screen, Screen::Backup(page) if page.form.focus() == 3) {
            press(&mut state, KeyCode::Enter);
        }
    }
    let effects = press(&mut state, KeyCode::Enter);
    let Some((id, BackupWork::Save { path, own: None, .. })) = working(&effects) else {
        panic!("it is saved: {}", screen(&mut state, 80, 24))
    };
    assert_eq!(path, "/tmp/vault.keyward");
    let answer = Answer::Backup(BackupAnswer::Saved(Ok("/tmp/vault.keyward".into())));
    update(&mut state, Msg::Answer { id, answer });
    assert!(screen(&mut state, 80, 24).contains("the vault is in /tmp/vault.keyward"));
}

#[test]
fn a_wrong_password_can_be_typed_again() {
    let mut state = menu();
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, PASSWORD);
    let effects = press(&mut state, KeyCode::Enter);
    let (id, _) = working(&effects).unwrap();
    let answer = Answer::Backup(BackupAnswer::Added(Err(Failure::new(
        "the vault did not open",
        "try again",
    ))));
    update(&mut state, Msg::Answer { id, answer });
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("did not open"), "{text}");
    type_text(&mut state, PASSWORD);
    assert!(working(&press(&mut state, KeyCode::Enter)).is_some());
    assert!(!format!("{}{state:?}", screen(&mut state, 80, 24)).contains("Wicker"));
}

#[test]
fn locking_drops_the_key() {
    let mut state = made();
    press(&mut state, KeyCode::Char('v'));
    control(&mut state, 'l');
    assert!(!screen(&mut state, 80, 24).contains(&group(0)));
}

fn unlock(state: &mut State) {
    type_text(state, "right");
    let effects = press(state, KeyCode::Enter);
    let id = started(&effects, |work| matches!(work, Work::Vault(VaultWork::Unlock(_))));
    let answer = Answer::Vault(VaultAnswer::Unlocked(Ok(crate::console::view::testing::summary(
        3,
    ))));
    update(state, Msg::Answer { id, answer });
    assert!(state.shared.is_open());
}

#[test]
fn a_lock_before_the_check_is_said_until_the_vault_is_open() {
    for steps in [&[][..], &[KeyCode::Char('v')], &[KeyCode::Enter]] {
        for idle in [false, true] {
            let mut state = made();
            for code in steps {
                press(&mut state, *code);
            }
            if idle {
                wait(&mut state, 24 * 3_600_000);
            } else {
                control(&mut state, 'l');
            }
            assert!(!state.shared.is_open());
            let text = screen(&mut state, 80, 24);
            assert!(text.contains("The new recovery key was not checked"), "{text}");
            assert!(!text.contains(&group(0)));
            wait(&mut state, 60_000);
            assert!(screen(&mut state, 80, 24).contains("was not checked"));
            unlock(&mut state);
            assert!(screen(&mut state, 120, 24).contains("was not checked"));
            control(&mut state, 'l');
            assert!(!screen(&mut state, 80, 24).contains("was not checked"));
        }
    }
}

#[test]
fn a_lock_does_not_stop_a_key_that_is_being_made() {
    let key = || RecoveryKey::from_bytes([0x5a; 32]);
    let rotation = || Rotation {
        epoch: 2,
        records: 11,
        resumed: false,
        recovery: Some(key()),
    };
    for rotated in [false, true] {
        for open_again in [false, true] {
            let mut state = menu();
            if rotated {
                press(&mut state, KeyCode::Down);
                press(&mut state, KeyCode::Down);
            }
            press(&mut state, KeyCode::Enter);
            type_text(&mut state, PASSWORD);
            if rotated {
                press(&mut state, KeyCode::Enter);
                type_text(&mut state, WORD);
            }
            let effects = press(&mut state, KeyCode::Enter);
            let (id, _) = working(&effects).unwrap();
            let lives = |effect: &Effect| matches!(effect, Effect::Start { id: started, lifetime: Lifetime::Console, .. } if *started == id);
            assert!(effects.iter().any(lives), "{effects:?}");
            control(&mut state, 'l');
            assert!(!screen(&mut state, 80, 24).contains("was not checked"));
            if open_again {
                unlock(&mut state);
            }
            let answer = Answer::Backup(if rotated {
                BackupAnswer::Rotated(Ok(rotation()))
            } else {
                BackupAnswer::Added(Ok(key()))
            });
            update(&mut state, Msg::Answer { id, answer });
            let text = screen(&mut state, 80, 24);
            assert!(text.contains("ew recovery key"), "{text}");
            assert!(text.contains("ake another one in"), "{text}");
            assert!(!text.contains(&group(0)));
        }
    }
}

/// A rotation of a vault that has a recovery key is under way.
fn rotating() -> (State, RequestId) {
    let mut state = menu();
    state.shared.session.as_mut().unwrap().summary.has_recovery = true;
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, PASSWORD);
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, WORD);
    let effects = press(&mut state, KeyCode::Enter);
    let (id, _) = working(&effects).unwrap();
    (state, id)
}

fn leaves(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Leave))
}

#[test]
fn leaving_in_the_middle_of_a_rotation_takes_a_yes_of_its_own() {
    let rotation = || Rotation {
        epoch: 2,
        records: 11,
        resumed: false,
        recovery: Some(RecoveryKey::from_bytes([0x5a; 32])),
    };
    for locked in [false, true] {
        let (mut state, id) = rotating();
        if locked {
            control(&mut state, 'l');
        }
        // However often it is asked for.
        for _ in 0..3 {
            assert!(!leaves(&control(&mut state, 'c')), "locked: {locked}");
        }
        let text = screen(&mut state, 80, 24);
        assert!(text.contains("Leave without the recovery key?"), "{text}");
        if !locked {
            snapshot("backup_leave_rotating_80x24", &text);
        }
        // A yes to what was asked before the key came is no yes to leaving without it.
        let answer = Answer::Backup(BackupAnswer::Rotated(Ok(rotation())));
        update(&mut state, Msg::Answer { id, answer });
        assert!(state.modal.is_none());
        assert!(!leaves(&press(&mut state, KeyCode::Char('y'))));
    }
    let (mut state, _) = rotating();
    control(&mut state, 'c');
    assert!(leaves(&press(&mut state, KeyCode::Char('y'))));
}

#[test]
fn leaving_before_the_key_was_checked_takes_a_yes_of_its_own() {
    let mut state = made();
    for asked_back in [false, true] {
        if asked_back {
            press(&mut state, KeyCode::Enter);
        }
        for _ in 0..2 {
            assert!(!leaves(&control(&mut state, 'c')), "asked back: {asked_back}");
        }
        let text = screen(&mut state, 80, 24);
        assert!(text.contains("was not checked yet"), "{text}");
        press(&mut state, KeyCode::Char('n'));
        assert!(state.modal.is_none());
    }
    for at in asked(&state) {
        type_text(&mut state, &group(at));
        press(&mut state, KeyCode::Enter);
    }
    assert!(leaves(&control(&mut state, 'c')));
}

#[test]
fn a_rotation_that_fails_keeps_nobody() {
    let (mut state, id) = rotating();
    control(&mut state, 'l');
    let answer = Answer::Broken(Failure::new("something broke", "try again"));
    update(&mut state, Msg::Answer { id, answer });
    press(&mut state, KeyCode::Esc);
    assert!(leaves(&control(&mut state, 'c')));
}

#[test]
fn the_menu_as_it_looks() {
    let mut state = menu();
    snapshot("backup_80x24", &screen(&mut state, 80, 24));
    snapshot("backup_120x40", &screen(&mut state, 120, 40));
}

fn seen(state: &mut State, status: Option<RotationStatus>) {
    let effects = wait(state, 60_000 / 6);
    let id = started(&effects, |work| {
        matches!(work, Work::Upkeep(UpkeepWork::RotationStatus))
    });
    let answer = Answer::Upkeep(UpkeepAnswer::RotationStatus(Ok(status)));
    update(state, Msg::Answer { id, answer });
}

const UNFINISHED: RotationStatus = RotationStatus {
    epoch: 2,
    started_ms: NOW_MS - 3_600_000,
    done: 12_400,
    total: 100_000,
};

#[test]
fn one_that_others_make_is_seen_and_can_be_gone_on_with_or_thrown_away() {
    let mut state = menu();
    seen(&mut state, Some(UNFINISHED));
    snapshot("backup_unfinished_80x24", &screen(&mut state, 80, 24));
    snapshot("backup_unfinished_120x40", &screen(&mut state, 120, 40));
    for _ in 0..3 {
        press(&mut state, KeyCode::Down);
    }
    press(&mut state, KeyCode::Enter);
    assert!(screen(&mut state, 80, 24).contains("thrown away"));
    type_text(&mut state, PASSWORD);
    let effects = press(&mut state, KeyCode::Enter);
    let id = started(&effects, |work| {
        matches!(work, Work::Upkeep(UpkeepWork::AbandonRotation(_)))
    });
    assert!(!format!("{effects:?}{state:?}").contains("Wicker"));
    let answer = Answer::Upkeep(UpkeepAnswer::Abandoned(Ok(true)));
    update(&mut state, Msg::Answer { id, answer });
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("is gone") && !text.contains("vault key 2"),
        "{text}"
    );
}

#[test]
fn how_far_it_is_shows_and_stopping_keeps_it() {
    let (mut state, id) = rotating();
    let progress = Progress::Count(ProgressState {
        done: 12_400,
        total: 100_000,
    });
    update(&mut state, Msg::Progress { id, progress });
    snapshot("backup_rotating_80x24", &screen(&mut state, 80, 24));
    // It goes on below another screen, and is there again.
    press(&mut state, KeyCode::Char('2'));
    assert!(matches!(state.screen, Screen::Audit(_)));
    press(&mut state, KeyCode::Char('5'));
    assert!(screen(&mut state, 80, 24).contains("12,400 of 100,000"));
    let effects = press(&mut state, KeyCode::Char('x'));
    started(&effects, |work| {
        matches!(work, Work::Upkeep(UpkeepWork::StopRotation))
    });
    let stopped = Failure::new("stopped after 12,800 of 100,000 records", "go on with it here");
    let answer = Answer::Backup(BackupAnswer::Rotated(Err(stopped)));
    update(&mut state, Msg::Answer { id, answer });
    assert_eq!(state.shared.jobs.running(), 0);
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("Stopped after") && text.contains("Go on with it"),
        "{text}"
    );
    seen(&mut state, Some(UNFINISHED));
    press(&mut state, KeyCode::Esc);
    assert!(screen(&mut state, 80, 24).contains("Go on with the unfinished vault key"));
}

#[test]
fn the_key_that_comes_while_elsewhere_waits_to_be_seen() {
    let (mut state, id) = rotating();
    press(&mut state, KeyCode::Char('2'));
    let rotation = Rotation {
        epoch: 2,
        records: 11,
        resumed: false,
        recovery: Some(RecoveryKey::from_bytes([0x5a; 32])),
    };
    let answer = Answer::Backup(BackupAnswer::Rotated(Ok(rotation)));
    update(&mut state, Msg::Answer { id, answer });
    assert!(matches!(state.screen, Screen::Audit(_)));
    press(&mut state, KeyCode::Char('5'));
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("Hidden. v shows it"), "{text}");
}

#[test]
fn one_that_broke_off_keeps_nobody_waiting() {
    let (mut state, id) = rotating();
    let answer = Answer::Broken(Failure::new("something broke", "try again"));
    update(&mut state, Msg::Answer { id, answer });
    press(&mut state, KeyCode::Esc);
    type_text(&mut state, "x");
    press(&mut state, KeyCode::Esc);
    assert!(screen(&mut state, 80, 24).contains("Copy the vault to another database"));
}
