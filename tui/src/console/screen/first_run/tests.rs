#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_core::mnemonic::Mnemonic;
use keyward_custody::{DerivedRange, VaultStatus};

use super::step::REVEAL_MS;
use super::*;
use crate::console::effect::Effect;
use crate::console::effects::vault::{FamilyPreview, NewPhrase};
use crate::console::effects::wallets::{WalletsAnswer, WalletsWork};
use crate::console::msg::Msg;
use crate::console::state::State;
use crate::console::update::{start, update};
use crate::console::view::testing::*;

/// BIP-39's own test phrase.
const PHRASE: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

fn begun() -> State {
    let mut state = fresh();
    let effects = start(&mut state);
    open_with(&mut state, &effects, VaultStatus::Empty);
    state
}

fn wizard(state: &State) -> &FirstRun {
    match &state.screen {
        Screen::FirstRun(wizard) => wizard,
        other => panic!("not the wizard but {other:?}"),
    }
}

fn answer(
    state: &mut State,
    effects: &[Effect],
    wanted: fn(&Work) -> bool,
    answer: VaultAnswer,
) -> Vec<Effect> {
    let id = started(effects, wanted);
    update(
        state,
        Msg::Answer {
            id,
            answer: Answer::Vault(answer),
        },
    )
}

/// Up to the phrase, which is the one above with words 1, 2 and 12 asked back.
fn with_phrase() -> State {
    let mut state = begun();
    press(&mut state, KeyCode::Enter);
    let effects = press(&mut state, KeyCode::Enter);
    let made = NewPhrase {
        mnemonic: Mnemonic::parse(PHRASE).unwrap(),
        asked: [0, 1, 11],
    };
    answer(
        &mut state,
        &effects,
        |work| matches!(work, Work::Vault(VaultWork::NewPhrase(_))),
        VaultAnswer::NewPhrase(Ok(made)),
    );
    state
}

/// Up to the import field.
fn importing() -> State {
    let mut state = begun();
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Enter);
    state
}

fn previews() -> Vec<FamilyPreview> {
    let address = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk".to_owned();
    PathFamily::SOLANA
        .into_iter()
        .map(|family| FamilyPreview {
            family,
            addresses: vec![address.clone(); if family.is_single() { 1 } else { 3 }],
        })
        .collect()
}

fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    update(state, Msg::Paste(Zeroizing::new(text.to_owned())))
}

#[test]
fn the_phrase_is_masked_until_asked_and_hides_by_itself() {
    let mut state = with_phrase();
    assert!(!screen(&mut state, 80, 24).contains("abandon"));
    press(&mut state, KeyCode::Char('v'));
    assert!(screen(&mut state, 80, 24).contains("abandon"));
    wait(&mut state, REVEAL_MS - 1);
    assert!(screen(&mut state, 80, 24).contains("abandon"));
    wait(&mut state, 1);
    assert!(!screen(&mut state, 80, 24).contains("abandon"));
    press(&mut state, KeyCode::Char('v'));
    control(&mut state, 'l');
    assert!(
        !screen(&mut state, 80, 24).contains("abandon"),
        "the locking key hides it"
    );
}

#[test]
fn three_words_are_asked_back() {
    let mut state = with_phrase();
    press(&mut state, KeyCode::Enter);
    for word in ["abandon", "Abandon ", "abandon"] {
        type_text(&mut state, word);
        press(&mut state, KeyCode::Enter);
    }
    assert_eq!(wizard(&state).step, Step::Quiz);
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("That is not word 12"), "{text}");
    for _ in 0..7 {
        press(&mut state, KeyCode::Backspace);
    }
    type_text(&mut state, "about");
    press(&mut state, KeyCode::Enter);
    assert_eq!(wizard(&state).step, Step::Limits);
}

#[test]
fn going_back_keeps_what_was_typed() {
    let mut state = importing();
    type_text(&mut state, "abandon ab");
    press(&mut state, KeyCode::Esc);
    assert_eq!(wizard(&state).step, Step::Welcome);
    press(&mut state, KeyCode::Enter);
    assert_eq!(wizard(&state).import.phrase(), "abandon ab");
    press(&mut state, KeyCode::Esc);
    assert!(press(&mut state, KeyCode::Esc).is_empty(), "leaving asks first");
    assert!(matches!(state.modal, Some(Modal::Confirm(_))));
}

#[test]
fn another_phrase_is_made_only_after_asking() {
    let mut state = with_phrase();
    press(&mut state, KeyCode::Esc);
    let effects = press(&mut state, KeyCode::Enter);
    assert!(effects.is_empty());
    assert_eq!(
        wizard(&state).step,
        Step::Phrase,
        "the same length keeps the phrase"
    );
    press(&mut state, KeyCode::Esc);
    press(&mut state, KeyCode::Down);
    assert!(press(&mut state, KeyCode::Enter).is_empty());
    let effects = press(&mut state, KeyCode::Char('y'));
    started(&effects, |work| {
        matches!(work, Work::Vault(VaultWork::NewPhrase(WordCount::Words24)))
    });
    assert!(!wizard(&state).phrase.is_made());
}

#[test]
fn words_are_completed_and_errors_name_the_word() {
    let mut state = importing();
    type_text(&mut state, "abou");
    press(&mut state, KeyCode::Tab);
    assert_eq!(wizard(&state).import.phrase(), "about ");
    for _ in 0..6 {
        press(&mut state, KeyCode::Backspace);
    }
    paste(&mut state, &PHRASE.replace("abandon about", "abandn about"));
    press(&mut state, KeyCode::Enter);
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("word 11 is not") || text.contains("Word 11 is not"),
        "{text}"
    );
    assert!(text.contains("Tab abandon"), "{text}");
    press(&mut state, KeyCode::Tab);
    press(&mut state, KeyCode::Enter);
    assert_eq!(wizard(&state).step, Step::Paths, "the suggestion mended it");
}

#[test]
fn a_pasted_phrase_is_not_shown() {
    let mut state = importing();
    paste(&mut state, &format!("{PHRASE}\n"));
    let text = screen(&mut state, 80, 24);
    assert!(!text.contains("abandon") && text.contains("12 words"), "{text}");
}

#[test]
fn importing_creates_a_vault_and_forgets_the_secrets() {
    let mut state = importing();
    paste(&mut state, PHRASE);
    let effects = press(&mut state, KeyCode::Enter);
    answer(
        &mut state,
        &effects,
        |work| matches!(work, Work::Vault(VaultWork::Preview { .. })),
        VaultAnswer::Preview(Ok(previews())),
    );
    snapshot("first_run_paths_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::Enter);
    for _ in 0..3 {
        press(&mut state, KeyCode::Enter);
    }
    assert_eq!(wizard(&state).step, Step::Password);
    let mut effects = Vec::new();
    for ch in "tidal wicker omen 41".chars() {
        effects = press(&mut state, KeyCode::Char(ch));
    }
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, "tidal wicker omen 41");
    assert!(press(&mut state, KeyCode::Enter).is_empty(), "still being judged");
    let effects = answer(
        &mut state,
        &effects,
        |work| matches!(work, Work::Vault(VaultWork::Judge(_))),
        VaultAnswer::Judged(Ok(())),
    );
    let effects = answer(
        &mut state,
        &effects,
        |work| matches!(work, Work::Vault(VaultWork::Create(_))),
        VaultAnswer::Created(Ok(summary(0))),
    );
    drop(effects);
    assert_eq!(wizard(&state).step, Step::Many);
    assert!(wizard(&state).import.is_empty() && wizard(&state).password.expose_password().is_empty());
    assert!(state.shared.is_open());
    snapshot("first_run_many_80x24", &screen(&mut state, 80, 24));
}

#[test]
fn the_end_of_the_derivation_opens_the_list_but_not_from_under_another_screen() {
    let mut state = begun();
    crate::console::update::with_cx(&mut state, |parts, cx| match parts.screen {
        Screen::FirstRun(wizard) => wizard.created(Ok(summary(0)), cx),
        _ => panic!("the wizard"),
    });
    let effects = press(&mut state, KeyCode::Enter);
    let id = started(&effects, |work| {
        matches!(work, Work::Wallets(WalletsWork::Derive { .. }))
    });
    snapshot("first_run_deriving_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::Char('3'));
    let range = DerivedRange {
        first: 0,
        count: 10,
        added: 10,
    };
    let answer = Answer::Wallets(WalletsAnswer::Derived(Ok(range)));
    update(&mut state, Msg::Answer { id, answer });
    assert!(matches!(state.screen, Screen::Jobs(_)));
    press(&mut state, KeyCode::Esc);
    assert!(matches!(state.screen, Screen::Wallets(_)));
}

#[test]
fn a_weak_password_is_refused_with_its_reason() {
    let mut state = with_phrase();
    press(&mut state, KeyCode::Enter);
    for word in ["abandon", "abandon", "about"] {
        type_text(&mut state, word);
        press(&mut state, KeyCode::Enter);
    }
    snapshot("first_run_limits_80x24", &screen(&mut state, 80, 24));
    for _ in 0..3 {
        press(&mut state, KeyCode::Enter);
    }
    let effects = type_text(&mut state, "p");
    let judged = "the password has 1 characters, and at least 12 are needed".to_owned();
    answer(
        &mut state,
        &effects,
        |work| matches!(work, Work::Vault(VaultWork::Judge(_))),
        VaultAnswer::Judged(Err(judged)),
    );
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, "p");
    assert!(press(&mut state, KeyCode::Enter).is_empty());
    snapshot("first_run_password_80x24", &screen(&mut state, 80, 24));
}

#[test]
fn limits_are_read_before_going_on() {
    let mut form = LimitsForm::default();
    form.paste("x");
    assert!(!form.accept());
    assert!(form.limits().is_none());
    let form = LimitsForm::default();
    let limits = form.limits().unwrap();
    assert_eq!(limits.sol_per_transaction.get(), 1_000_000_000);
    assert_eq!(limits.max_priority_fee.get(), 1_000_000);
}

#[test]
fn debug_of_the_wizard_and_its_messages_shows_no_secret() {
    let mut state = importing();
    let effects = paste(&mut state, PHRASE);
    let more = press(&mut state, KeyCode::Enter);
    let text = format!(
        "{state:?} {effects:?} {more:?} {:?}",
        Msg::Paste(Zeroizing::new(PHRASE.into()))
    );
    assert!(!text.contains("abandon") && !text.contains("about"), "{text}");
}

#[test]
fn screens() {
    let mut state = begun();
    snapshot("first_run_welcome_80x24", &screen(&mut state, 80, 24));
    snapshot("first_run_welcome_140x40", &screen(&mut state, 140, 40));
    let mut state = with_phrase();
    snapshot("first_run_phrase_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::Char('v'));
    wait(&mut state, 6_000);
    snapshot("first_run_phrase_shown_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::Enter);
    snapshot("first_run_quiz_80x24", &screen(&mut state, 80, 24));
    let mut state = importing();
    type_text(&mut state, "abandon abandon ab");
    snapshot("first_run_import_80x24", &screen(&mut state, 80, 24));
}
