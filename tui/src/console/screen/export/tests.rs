#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

/// The vault's password.
const PASSWORD_TEXT: &str = "canary-Wicker-9041-omen";

fn dialog(index: usize) -> State {
    let mut state = opened(200);
    for _ in 0..index {
        let effects = press(&mut state, KeyCode::Down);
        answer_pages(&mut state, effects, 200);
    }
    press(&mut state, KeyCode::Enter);
    press(&mut state, KeyCode::Char('x'));
    assert!(matches!(state.screen, Screen::Export(_)));
    state
}

fn fill(state: &mut State, path: &str, password: &str, word: &str) -> Vec<Effect> {
    press(state, KeyCode::Tab);
    for text in [path, password, word] {
        type_text(state, text);
        if text != word {
            press(state, KeyCode::Enter);
        }
    }
    press(state, KeyCode::Enter)
}

fn exporting(effects: &[Effect]) -> Option<RequestId> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Keys(KeysWork::Export(request)),
            ..
        } => {
            assert_eq!(request.password.as_str(), PASSWORD_TEXT);
            assert_eq!(request.path, "/tmp/key.json");
            assert_eq!(request.format, ExportFormat::SolanaKeygen);
            Some(*id)
        }
        _ => None,
    })
}

#[test]
fn a_key_leaves_once_everything_was_typed() {
    let mut state = dialog(0);
    let effects = fill(&mut state, "/tmp/key.json", PASSWORD_TEXT, "treasury");
    let id = exporting(&effects).unwrap();
    press(&mut state, KeyCode::Esc);
    assert!(
        matches!(state.screen, Screen::Export(_)),
        "its answer is waited for"
    );
    let answer = Answer::Keys(KeysAnswer::Exported(Ok("/tmp/key.json".into())));
    update(&mut state, Msg::Answer { id, answer });
    assert!(!state.screen.page().unsaved());
    snapshot("export_done_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::Enter);
    assert!(matches!(state.screen, Screen::Wallet(_)));
}

#[test]
fn what_is_missing_is_said_and_nothing_leaves() {
    let check = |path: &str, password: &str, word: &str, expected: &str| {
        let mut state = dialog(0);
        assert!(exporting(&fill(&mut state, path, password, word)).is_none());
        let text = screen(&mut state, 80, 24);
        assert!(text.contains(expected), "{text}");
    };
    check("", PASSWORD_TEXT, "treasury", "name the new file");
    check("/tmp/key.json", "", "treasury", "type the vault's password");
    check(
        "/tmp/key.json",
        PASSWORD_TEXT,
        "tresury",
        "type treasury to confirm",
    );
    check("/tmp/key.json", PASSWORD_TEXT, "", "type treasury to confirm");
}

#[test]
fn a_wallet_without_a_label_takes_a_word() {
    let mut state = dialog(150);
    let effects = fill(&mut state, "/tmp/key.json", PASSWORD_TEXT, "export");
    assert!(exporting(&effects).is_some());
}

#[test]
fn a_refusal_is_shown_and_the_rest_stays() {
    let mut state = dialog(0);
    let id = exporting(&fill(&mut state, "/tmp/key.json", PASSWORD_TEXT, "treasury")).unwrap();
    let failure = Failure::new("refused by policy: no rule allows it", "change the policy");
    let answer = Answer::Keys(KeysAnswer::Exported(Err(failure)));
    update(&mut state, Msg::Answer { id, answer });
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("Refused by policy") && text.contains("/tmp/key.json"),
        "{text}"
    );
}

#[test]
fn an_own_password_and_a_keystores_are_asked_for() {
    let mut with_own = wallet(1);
    with_own.own_password = true;
    with_own.address = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94".parse().unwrap();
    let screen = ExportScreen::new(with_own);
    assert_eq!(
        (screen.own(), screen.file_password(), screen.confirming()),
        (Some(3), Some(4), 6)
    );
    let screen = ExportScreen::new(wallet(1));
    assert_eq!(
        (screen.own(), screen.file_password(), screen.confirming()),
        (None, None, 3)
    );
}

#[test]
fn a_keystore_takes_no_weak_password() {
    let mut evm = wallet(1);
    evm.address = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94".parse().unwrap();
    evm.label = String::new();
    let problem = |password: &str| {
        let mut screen = ExportScreen::new(evm.clone());
        assert_eq!(screen.format(), ExportFormat::Keystore);
        for (field, text) in [
            (FILE, "/tmp/key.json"),
            (PASSWORD, PASSWORD_TEXT),
            (PASSWORD + 1, password),
            (PASSWORD + 2, password),
            (PASSWORD + 3, WORD),
        ] {
            screen.form.set_text(field, text);
        }
        screen.problem()
    };
    assert_eq!(problem(PASSWORD_TEXT), None);
    for weak in ["a", "password1234", "aaaaaaaaaaaaaaaa"] {
        let (field, words) = problem(weak).unwrap();
        assert_eq!(field, PASSWORD + 1, "{words}");
        assert!(!words.contains(weak) || weak == "a", "{words}");
    }
}

#[test]
fn nothing_secret_is_drawn_and_leaving_asks() {
    let mut state = dialog(0);
    press(&mut state, KeyCode::Tab);
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, PASSWORD_TEXT);
    snapshot("export_80x24", &screen(&mut state, 80, 24));
    snapshot("export_120x40", &screen(&mut state, 120, 40));
    let text = format!("{}{state:?}", screen(&mut state, 80, 24));
    assert!(!text.contains("Wicker"));
    press(&mut state, KeyCode::Esc);
    assert!(screen_of(&mut state).contains("Leave the export?"));
}

fn screen_of(state: &mut State) -> String {
    screen(state, 80, 24)
}
