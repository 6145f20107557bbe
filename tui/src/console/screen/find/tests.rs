#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_core::discovery::{IndexRange, Match, Scheme, Searched};
use keyward_core::path::{ChildIndex, PathFamily};
use keyward_custody::ProgressState;

use super::*;
use crate::console::effect::{Effect, Progress};
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

const TARGET: &str = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94";
const PHRASE_TEXT: &str = "canary words of a phrase";

fn dialog() -> State {
    let mut state = opened(3);
    press(&mut state, KeyCode::Char('7'));
    assert!(matches!(state.screen, Screen::Find(_)));
    state
}

fn search(state: &mut State, address: &str) -> Vec<Effect> {
    for text in [address, PHRASE_TEXT, ""] {
        type_text(state, text);
        press(state, KeyCode::Enter);
    }
    press(state, KeyCode::Enter)
}

fn searching() -> (State, RequestId) {
    let mut state = dialog();
    let effects = search(&mut state, TARGET);
    let id = started(&effects, |work| matches!(work, Work::Find(_)));
    (state, id)
}

fn report(matches: Vec<Match>) -> SearchReport {
    let target: AccountAddress = TARGET.parse().unwrap();
    SearchReport {
        searched: vec![Searched {
            scheme: Scheme::Family(PathFamily::EvmBip44),
            accounts: None,
            indices: IndexRange::new(0, 100).unwrap(),
        }],
        passphrases: 1,
        derived: 100,
        total: 100,
        missing: if matches.is_empty() {
            vec![target]
        } else {
            Vec::new()
        },
        matches,
    }
}

fn answer(state: &mut State, id: RequestId, result: Result<SearchReport, Failure>) {
    let answer = Answer::Find(FindAnswer::Searched(result));
    update(state, Msg::Answer { id, answer });
}

#[test]
fn a_search_shows_how_far_it_is_and_what_it_found() {
    let (mut state, id) = searching();
    let progress = Progress::Count(ProgressState {
        done: 400,
        total: 1_300,
    });
    update(&mut state, Msg::Progress { id, progress });
    snapshot("find_searching_80x24", &screen(&mut state, 80, 24));
    let found = Match {
        target: TARGET.parse().unwrap(),
        scheme: Scheme::Family(PathFamily::EvmBip44),
        account: ChildIndex::ZERO,
        index: ChildIndex::ZERO,
        path: "m/44'/60'/0'/0/0".into(),
        passphrase: 0,
    };
    answer(&mut state, id, Ok(report(vec![found])));
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("found at m/44'/60'/0'/0/0 (evm-bip44), with no passphrase"),
        "{text}"
    );
    assert_eq!(state.shared.jobs.running(), 0);
    assert!(!state.screen.page().unsaved(), "the phrase is gone");
}

#[test]
fn what_was_searched_is_named_when_nothing_was_found() {
    let (mut state, id) = searching();
    answer(&mut state, id, Ok(report(Vec::new())));
    snapshot("find_nothing_80x24", &screen(&mut state, 80, 24));
    snapshot("find_nothing_120x40", &screen(&mut state, 120, 40));
}

#[test]
fn it_goes_on_when_the_screen_is_left_and_the_jobs_say_what_came() {
    let (mut state, id) = searching();
    press(&mut state, KeyCode::Esc);
    assert!(matches!(state.screen, Screen::Wallets(_)));
    answer(&mut state, id, Ok(report(Vec::new())));
    press(&mut state, KeyCode::Char('3'));
    let text = screen(&mut state, 80, 24);
    assert!(
        text.to_lowercase().contains("not found among 100 addresses"),
        "{text}"
    );
}

#[test]
fn a_search_can_be_stopped() {
    let (mut state, id) = searching();
    let effects = control(&mut state, 'x');
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Cancel(stopped) if *stopped == id))
    );
    assert_eq!(state.shared.jobs.running(), 0);
}

#[test]
fn what_is_wrong_is_said_before_anything_is_searched() {
    let mut state = dialog();
    assert!(search(&mut state, "nonsense").is_empty());
    assert!(screen(&mut state, 80, 24).contains(" ! "));
    let (mut state, id) = searching();
    answer(
        &mut state,
        id,
        Err(Failure::new("word 1 is in no list", "correct the phrase")),
    );
    assert!(
        screen(&mut state, 80, 24)
            .to_lowercase()
            .contains("word 1 is in no list")
    );
}

#[test]
fn nothing_secret_is_drawn() {
    let (mut state, _) = searching();
    let text = format!("{}{state:?}", screen(&mut state, 80, 24));
    assert!(!text.contains("canary"));
    let mut state = dialog();
    update(&mut state, Msg::Paste(Zeroizing::new(PHRASE_TEXT.into())));
    assert!(!screen(&mut state, 80, 24).contains("canary"));
}
