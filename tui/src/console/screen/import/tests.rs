#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_core::account::AccountAddress;
use keyward_core::keyfile::Format;
use keyward_core::mnemonic::WordCount;
use keyward_custody::ImportReport;

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

const CANARY: &str = "canary-secret-canary";

fn dialog() -> State {
    let mut state = opened(10);
    press(&mut state, KeyCode::Char('i'));
    assert!(matches!(state.screen, Screen::Import(_)));
    state
}

fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    update(state, Msg::Paste(Zeroizing::new(text.to_owned())))
}

fn look(state: &mut State, effects: &[Effect], looked: Result<Looked, Failure>) -> Vec<Effect> {
    let wanted = |work: &Work| matches!(work, Work::Keys(KeysWork::Look { .. }));
    let id = started(effects, wanted);
    let answer = Answer::Keys(KeysAnswer::Looked(looked));
    update(state, Msg::Answer { id, answer })
}

fn evm() -> AccountAddress {
    "0x9858EfFD232B4033E47d90003D41EC34EcaEda94".parse().unwrap()
}

fn key(known: Option<u32>) -> Looked {
    Looked::Key {
        format: Format::Hex,
        address: evm(),
        known: known.map(|index| Box::new(wallet(index))),
    }
}

/// The page of a key that was found.
fn found() -> State {
    let mut state = dialog();
    paste(&mut state, CANARY);
    let effects = press(&mut state, KeyCode::Enter);
    look(&mut state, &effects, Ok(key(None)));
    state
}

fn importing(effects: &[Effect]) -> Option<(RequestId, String, Vec<String>)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Keys(KeysWork::Import(request)),
            ..
        } => {
            let Source::Text(text) = &request.given.source else {
                panic!("a text was given")
            };
            assert_eq!(text.as_str(), CANARY);
            Some((*id, request.label.clone(), request.tags.clone()))
        }
        _ => None,
    })
}

#[test]
fn a_key_is_looked_at_named_and_kept() {
    let mut state = found();
    snapshot("import_key_80x24", &screen(&mut state, 80, 24));
    snapshot("import_key_120x40", &screen(&mut state, 120, 40));
    type_text(&mut state, "hot");
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, "bots, eth");
    press(&mut state, KeyCode::Enter);
    press(&mut state, KeyCode::Enter);
    let (id, label, tags) = importing(&press(&mut state, KeyCode::Enter)).unwrap();
    assert_eq!((label.as_str(), tags.len()), ("hot", 2));
    press(&mut state, KeyCode::Esc);
    assert!(
        matches!(state.screen, Screen::Import(_)),
        "its answer is waited for"
    );
    let report = ImportReport {
        added: vec![evm()],
        known: Vec::new(),
    };
    let answer = Answer::Keys(KeysAnswer::Imported(Ok(Kept::Keys(report))));
    update(&mut state, Msg::Answer { id, answer });
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("added") && text.contains(&evm().to_string()),
        "{text}"
    );
    assert!(!state.screen.page().unsaved(), "nothing typed is kept");
    press(&mut state, KeyCode::Enter);
    assert!(matches!(state.screen, Screen::Wallets(_)));
    assert_eq!(state.shared.session.as_ref().unwrap().summary.wallet_count, 11);
}

#[test]
fn what_is_there_already_is_said_before_and_after() {
    let mut state = dialog();
    paste(&mut state, CANARY);
    let effects = press(&mut state, KeyCode::Enter);
    look(&mut state, &effects, Ok(key(Some(3))));
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("here already, as bot-0003"), "{text}");
    for _ in 0..3 {
        press(&mut state, KeyCode::Enter);
    }
    let (id, ..) = importing(&press(&mut state, KeyCode::Enter)).unwrap();
    let report = ImportReport {
        added: Vec::new(),
        known: vec![evm()],
    };
    let answer = Answer::Keys(KeysAnswer::Imported(Ok(Kept::Keys(report))));
    update(&mut state, Msg::Answer { id, answer });
    assert!(screen(&mut state, 80, 24).contains("was there already"));
}

#[test]
fn what_the_bytes_do_not_tell_is_asked() {
    let mut state = dialog();
    paste(&mut state, CANARY);
    let effects = press(&mut state, KeyCode::Enter);
    let question = Question::Chain {
        format: Format::Hex,
        choices: Chain::ALL.to_vec(),
    };
    look(&mut state, &effects, Ok(Looked::Ask(question)));
    snapshot("import_chain_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::Right);
    let effects = press(&mut state, KeyCode::Enter);
    let chain = effects.iter().find_map(|effect| match effect {
        Effect::Start {
            work: Work::Keys(KeysWork::Look { given, .. }),
            ..
        } => given.chain,
        _ => None,
    });
    assert_eq!(chain, Some(Chain::Evm));
    let question = Question::Password(Format::KeystoreV3);
    look(&mut state, &effects, Ok(Looked::Ask(question)));
    type_text(&mut state, "wrong-canary");
    let effects = press(&mut state, KeyCode::Enter);
    let failure = Failure::new("the password is wrong or the file is damaged", "check both");
    look(&mut state, &effects, Err(failure));
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("password is wrong") && text.contains("file's password"),
        "{text}"
    );
}

#[test]
fn a_phrase_shows_the_addresses_of_every_path_and_derives() {
    let mut state = dialog();
    paste(&mut state, CANARY);
    let effects = press(&mut state, KeyCode::Enter);
    let looked = || Looked::Phrase {
        words: WordCount::Words12,
        language: Wordlist::English,
        addresses: PathFamily::ALL
            .into_iter()
            .map(|family| match family.chain() {
                Chain::Solana => (family, wallet(7).address),
                Chain::Evm => (family, evm()),
            })
            .collect(),
    };
    look(&mut state, &effects, Ok(looked()));
    snapshot("import_phrase_80x24", &screen(&mut state, 80, 24));
    let effects = type_text(&mut state, "x");
    look(&mut state, &effects, Ok(looked()));
    press(&mut state, KeyCode::Tab);
    for _ in 0..5 {
        press(&mut state, KeyCode::Right);
    }
    press(&mut state, KeyCode::Enter);
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, "0");
    let (id, ..) = importing(&press(&mut state, KeyCode::Enter)).unwrap();
    let phrase = keyward_custody::ImportedPhrase {
        id: "2".parse().unwrap(),
        known: false,
    };
    let answer = Answer::Keys(KeysAnswer::Imported(Ok(Kept::Phrase(phrase))));
    update(&mut state, Msg::Answer { id, answer });
    assert_eq!(state.shared.jobs.running(), 1, "ten wallets are being derived");
    assert!(screen(&mut state, 80, 24).contains("deriving 10 wallets by evm-bip44"));
}

#[test]
fn a_pasted_key_never_lands_where_it_would_be_seen() {
    let mut state = dialog();
    press(&mut state, KeyCode::Tab);
    paste(&mut state, CANARY);
    assert!(!screen(&mut state, 80, 24).contains("canary"));
    let mut state = dialog();
    paste(&mut state, "/keys/key.json");
    assert!(screen(&mut state, 80, 24).contains("/keys/key.json"));
}

#[test]
fn nothing_secret_is_drawn_or_printed_and_leaving_asks() {
    let mut state = found();
    let text = format!("{}{state:?}", screen(&mut state, 80, 24));
    assert!(!text.contains("canary"), "{text}");
    press(&mut state, KeyCode::Esc);
    assert!(
        screen(&mut state, 80, 24).contains("•••"),
        "what was pasted is still there"
    );
    press(&mut state, KeyCode::Esc);
    assert!(screen(&mut state, 80, 24).contains("Leave the import?"));
    press(&mut state, KeyCode::Char('y'));
    assert!(matches!(state.screen, Screen::Wallets(_)));
}

#[test]
fn nothing_or_both_is_refused_before_anything_is_read() {
    let mut state = dialog();
    press(&mut state, KeyCode::Tab);
    assert!(press(&mut state, KeyCode::Enter).is_empty());
    assert!(screen(&mut state, 80, 24).contains("give a key or a phrase"));
    paste(&mut state, CANARY);
    paste(&mut state, "/a/b");
    assert!(press(&mut state, KeyCode::Enter).is_empty());
    assert!(screen(&mut state, 80, 24).contains("one of the two"));
}

#[test]
fn names_of_files_are_completed() {
    let mut state = dialog();
    press(&mut state, KeyCode::Tab);
    type_text(&mut state, "/ke");
    let effects = press(&mut state, KeyCode::Tab);
    let id = started(
        &effects,
        |work| matches!(work, Work::Keys(KeysWork::Complete(text)) if text == "/ke"),
    );
    let answer = Answer::Keys(KeysAnswer::Completed(Some("/keys/".into())));
    update(&mut state, Msg::Answer { id, answer });
    assert!(screen(&mut state, 80, 24).contains("/keys/"));
}

#[test]
fn the_first_step_as_it_looks() {
    let mut state = dialog();
    snapshot("import_80x24", &screen(&mut state, 80, 24));
}
