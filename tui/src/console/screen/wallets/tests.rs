#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_core::amount::Lamports;

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

fn list(state: &State) -> &Wallets {
    match &state.screen {
        Screen::Wallets(list) => list,
        other => panic!("not the list but {other:?}"),
    }
}

fn key(state: &mut State, code: KeyCode, total: u32) {
    let effects = press(state, code);
    answer_pages(state, effects, total);
}

fn with_balances(state: &mut State) {
    online(state);
    let now_ms = state.shared.now_ms;
    let session = state.shared.session.as_mut().unwrap();
    let sol = |lamports| Some(Lamports::new(lamports));
    session
        .balances
        .learn(wallet(0).address, sol(1_000_000_000_000), now_ms - 1_000);
    session
        .balances
        .learn(wallet(1).address, sol(102_400_000), now_ms - 90_000);
    session.balances.learn(wallet(3).address, sol(0), now_ms - 1_000);
}

#[test]
fn only_what_is_seen_and_its_neighbours_is_read() {
    let mut state = opened(10_000);
    assert!(list(&state).window.row(56).is_some());
    assert!(list(&state).window.row(57).is_none(), "three screens of 19 rows");
    key(&mut state, KeyCode::End, 10_000);
    assert_eq!(list(&state).cursor, 9_999);
    assert_eq!(list(&state).selected().unwrap().index, Some(9_999));
    assert!(list(&state).window.row(0).is_none());
    key(&mut state, KeyCode::Home, 10_000);
    assert_eq!(list(&state).selected().unwrap().index, Some(0));
}

#[test]
fn moving_within_what_was_read_asks_nothing() {
    let mut state = opened(10_000);
    assert!(press(&mut state, KeyCode::Down).is_empty());
    assert!(press(&mut state, KeyCode::Up).is_empty());
}

#[test]
fn typing_filters_and_older_answers_are_stale() {
    let mut state = opened(100);
    press(&mut state, KeyCode::Char('/'));
    let first = press(&mut state, KeyCode::Char('b'));
    let second = press(&mut state, KeyCode::Char('o'));
    assert!(second.iter().any(|effect| matches!(effect, Effect::Cancel(_))));
    let Some(Effect::Start {
        work: Work::Wallets(WalletsWork::Page(query)),
        ..
    }) = second.first()
    else {
        panic!("{second:?}")
    };
    assert_eq!((query.text.as_str(), query.offset), ("bo", 0));
    answer_pages(&mut state, first, 7);
    assert_eq!(
        list(&state).window.total(),
        Some(100),
        "the first answer came too late"
    );
    answer_pages(&mut state, second, 9);
    assert_eq!(list(&state).window.total(), Some(9));
}

#[test]
fn a_tag_in_the_filter_is_a_tag_in_the_query() {
    let mut state = opened(100);
    press(&mut state, KeyCode::Char('/'));
    type_text(&mut state, "tag:bots 00");
    let query = list(&state).query();
    assert_eq!((query.text.as_str(), query.tag.as_deref()), ("00", Some("bots")));
}

#[test]
fn marks_survive_filtering_and_are_what_acting_means() {
    let mut state = opened(100);
    key(&mut state, KeyCode::Char(' '), 100);
    key(&mut state, KeyCode::Char(' '), 100);
    assert_eq!(list(&state).marks.len(), 2);
    key(&mut state, KeyCode::Char('/'), 100);
    let effects = type_text(&mut state, "zzz");
    answer_pages(&mut state, effects, 0);
    key(&mut state, KeyCode::Enter, 0);
    assert_eq!(list(&state).marks.len(), 2);
    assert_eq!(list(&state).targets().len(), 2);
    assert!(screen(&mut state, 80, 24).contains("2 marked"));
}

#[test]
fn tags_go_to_all_marked() {
    let mut state = opened(100);
    key(&mut state, KeyCode::Char(' '), 100);
    key(&mut state, KeyCode::Char(' '), 100);
    press(&mut state, KeyCode::Char('t'));
    type_text(&mut state, "hot, eu");
    let effects = press(&mut state, KeyCode::Enter);
    let Some(Effect::Start {
        id,
        work: Work::Wallets(WalletsWork::AddTags { addresses, tags }),
        ..
    }) = effects.first()
    else {
        panic!("{effects:?}")
    };
    assert_eq!(
        (addresses.len(), tags.as_slice()),
        (2, ["hot".to_owned(), "eu".to_owned()].as_slice())
    );
    let answer = Answer::Wallets(WalletsAnswer::Changed(Ok(())));
    let effects = update(&mut state, Msg::Answer { id: *id, answer });
    started(&effects, |work| {
        matches!(work, Work::Wallets(WalletsWork::Page(_)))
    });
    assert!(screen(&mut state, 80, 24).contains("tagged 2 wallets"));
}

#[test]
fn a_failed_change_says_why() {
    let mut state = opened(3);
    press(&mut state, KeyCode::Char('e'));
    let effects = press(&mut state, KeyCode::Enter);
    let id = started(&effects, |work| {
        matches!(work, Work::Wallets(WalletsWork::SetLabel { .. }))
    });
    let failure = Failure::new(
        "the disk is full; nothing was changed",
        "free some space and try again",
    );
    update(
        &mut state,
        Msg::Answer {
            id,
            answer: Answer::Wallets(WalletsAnswer::Changed(Err(failure))),
        },
    );
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("The disk is full") && text.contains("Free some space"),
        "{text}"
    );
}

#[test]
fn pasting_an_address_looks_for_it() {
    let mut state = opened(100);
    let text = zeroize::Zeroizing::new(format!(" {}\n", wallet(42).address));
    update(&mut state, Msg::Paste(text));
    assert_eq!(list(&state).query().text, wallet(42).address.to_string());
}

#[test]
fn the_cursor_stays_in_a_list_that_shrinks() {
    let mut state = opened(100);
    key(&mut state, KeyCode::End, 100);
    key(&mut state, KeyCode::Char('r'), 3);
    assert_eq!(list(&state).cursor, 2);
    assert!(screen(&mut state, 80, 24).contains("treasury"));
}

#[test]
fn old_balances_say_how_old_they_are() {
    let mut state = opened(10);
    with_balances(&mut state);
    assert!(screen(&mut state, 80, 24).contains("SOL, 1 min ago"));
}

#[test]
fn the_address_in_the_detail_pane_is_whole_at_every_width() {
    for columns in 120..=200 {
        let mut state = opened(10);
        assert!(
            screen(&mut state, columns, 30).contains(&wallet(0).address.to_string()),
            "{columns}"
        );
    }
}

#[test]
fn screens() {
    let mut state = opened(10_000);
    with_balances(&mut state);
    key(&mut state, KeyCode::Char(' '), 10_000);
    key(&mut state, KeyCode::Char(' '), 10_000);
    snapshot("wallets_80x24", &screen(&mut state, 80, 24));
    snapshot("wallets_140x40", &screen(&mut state, 140, 40));
    press(&mut state, KeyCode::Char('a'));
    snapshot("wallets_act_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::Esc);
    press(&mut state, KeyCode::Char('/'));
    let effects = type_text(&mut state, "nothing");
    answer_pages(&mut state, effects, 0);
    snapshot("wallets_no_match_80x24", &screen(&mut state, 80, 24));
    let mut state = opened(0);
    snapshot("wallets_empty_80x24", &screen(&mut state, 80, 24));
}

#[test]
fn the_help_and_the_palette_come_from_the_keymap() {
    let mut state = opened(3);
    press(&mut state, KeyCode::Char('?'));
    snapshot("help_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::Esc);
    press(&mut state, KeyCode::Char(':'));
    snapshot("palette_80x24", &screen(&mut state, 80, 24));
}

#[test]
fn both_chains_and_imported_keys_as_they_look() {
    let mut state = opened(0);
    let effects = update(
        &mut state,
        Msg::Key(crossterm::event::KeyEvent::new(
            KeyCode::Char('r'),
            crossterm::event::KeyModifiers::NONE,
        )),
    );
    let id = started(&effects, |work| {
        matches!(work, Work::Wallets(WalletsWork::Page(_)))
    });
    let mut derived = wallet(4);
    derived.address = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94".parse().unwrap();
    derived.family = Some(keyward_core::path::PathFamily::EvmBip44);
    derived.path = "m/44'/60'/0'/0/4".into();
    let mut imported = wallet(5);
    (imported.master, imported.family, imported.index) = (None, None, None);
    (imported.path, imported.own_password) = (String::new(), true);
    imported.address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".parse().unwrap();
    let page = WalletPage {
        total: 3,
        rows: vec![wallet(0), derived, imported],
        next: None,
    };
    let answer = Answer::Wallets(WalletsAnswer::Page(Ok(page)));
    update(&mut state, Msg::Answer { id, answer });
    snapshot("wallets_chains_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::End);
    snapshot("wallets_chains_140x40", &screen(&mut state, 140, 40));
    press(&mut state, KeyCode::Enter);
    snapshot("wallet_evm_80x24", &screen(&mut state, 80, 24));
}

#[test]
fn a_key_steps_through_the_chains() {
    let mut state = opened(10);
    for expected in [Some(Chain::Solana), Some(Chain::Evm), None] {
        let effects = press(&mut state, KeyCode::Char('c'));
        let asked = effects.iter().find_map(|effect| match effect {
            Effect::Start {
                work: Work::Wallets(WalletsWork::Page(query)),
                ..
            } => Some(query.chain),
            _ => None,
        });
        assert_eq!(asked, Some(expected));
    }
}
