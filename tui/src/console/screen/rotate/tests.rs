#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_core::path::PathFamily;
use keyward_custody::MasterId;

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

const WORDS: &str = "canary-Wicker-9041-omen";

fn page_of(wallet: Wallet) -> State {
    let mut state = opened(200);
    let screen = Screen::Rotate(Box::new(RotateScreen::new(wallet)));
    state.below.push(std::mem::replace(&mut state.screen, screen));
    state
}

fn page(state: &State) -> &RotateScreen {
    match &state.screen {
        Screen::Rotate(page) => page,
        other => panic!("{other:?}"),
    }
}

fn work(effects: &[Effect]) -> Option<(RequestId, &RotationWork)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Rotation(work),
            ..
        } => Some((*id, work)),
        _ => None,
    })
}

#[test]
fn a_new_key_is_made_and_both_addresses_are_shown() {
    let mut state = page_of(wallet(1));
    snapshot("rotate_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::Enter);
    let effects = press(&mut state, KeyCode::Enter);
    let (id, asked) = work(&effects).unwrap();
    assert!(matches!(asked, RotationWork::Rotate { password: None, .. }));
    press(&mut state, KeyCode::Esc);
    assert!(page(&state).working.is_waiting(), "its answer is waited for");
    let done = KeyRotation {
        from: wallet(1).address,
        to: wallet(2).address,
        master: MasterId::FIRST,
        family: PathFamily::Bip44Change,
        index: 2,
        grace_until_ms: NOW_MS + 30 * 86_400_000,
        rotate_at_ms: None,
        retired: Vec::new(),
    };
    let answer = Answer::Rotation(RotationAnswer::Rotated(Ok(Box::new(done))));
    update(&mut state, Msg::Answer { id, answer });
    snapshot("rotate_done_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::Enter);
    assert!(matches!(state.screen, Screen::Wallets(_)));
}

#[test]
fn a_schedule_is_read_before_it_is_asked_for() {
    for (typed, expected) in [
        ("never", Ok(Schedule::Never)),
        ("default", Ok(Schedule::ByRole)),
        (
            "12h",
            Ok(Schedule::Every(RotationInterval::from_ms(43_200_000).unwrap())),
        ),
        ("5s", Err("one minute to ten years")),
        ("often", Err("a whole number with its unit")),
    ] {
        let mut state = page_of(wallet(1));
        press(&mut state, KeyCode::Right);
        press(&mut state, KeyCode::Enter);
        control(&mut state, 'u');
        type_text(&mut state, typed);
        let effects = press(&mut state, KeyCode::Enter);
        match (work(&effects), expected) {
            (Some((_, RotationWork::Schedule { schedule, .. })), Ok(expected)) => {
                assert_eq!(*schedule, expected);
            }
            (None, Err(problem)) => {
                let text = screen(&mut state, 80, 24);
                assert!(text.contains(problem), "{typed}: {text}");
            }
            other => panic!("{typed}: {other:?}"),
        }
    }
}

#[test]
fn a_wallet_with_its_own_password_needs_it_and_it_is_wiped_after_a_failure() {
    let mut own = wallet(1);
    own.own_password = true;
    let mut state = page_of(own);
    press(&mut state, KeyCode::Enter);
    press(&mut state, KeyCode::Enter);
    let effects = press(&mut state, KeyCode::Enter);
    assert!(work(&effects).is_none());
    type_text(&mut state, WORDS);
    let effects = press(&mut state, KeyCode::Enter);
    let (id, asked) = work(&effects).unwrap();
    assert!(
        matches!(asked, RotationWork::Rotate { password: Some(password), .. } if password.as_str() == WORDS)
    );
    assert!(!format!("{state:?} {effects:?}").contains(WORDS));
    let failure = Failure::new("that is not its password", "try again");
    let answer = Answer::Rotation(RotationAnswer::Rotated(Err(failure)));
    update(&mut state, Msg::Answer { id, answer });
    assert_eq!(page(&state).form.expose_text(PASSWORD), "");
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("That is not its password"), "{text}");
}
