#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::{KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use keyward_core::amount::Lamports;
use keyward_custody::{DerivedRange, ProgressState, VaultStatus};

use super::*;
use crate::console::effect::Answer;
use crate::console::effects::node::NodeAnswer;
use crate::console::effects::node::NodeWork;
use crate::console::effects::wallets::{WalletsAnswer, WalletsWork};
use crate::console::jobs::JobState;
use crate::console::view::testing::*;

#[test]
fn an_empty_store_begins_the_first_run_and_a_locked_one_asks_for_the_password() {
    let mut state = fresh();
    let effects = start(&mut state);
    open_with(&mut state, &effects, VaultStatus::Empty);
    assert!(matches!(state.screen, Screen::FirstRun(_)));

    let mut state = fresh();
    let effects = start(&mut state);
    open_with(&mut state, &effects, VaultStatus::Locked(summary(3)));
    assert!(matches!(state.screen, Screen::Unlock(_)));
    assert!(state.shared.session.is_none());
}

#[test]
fn no_node_is_asked_before_one_is_chosen() {
    let mut state = fresh();
    let mut effects = start(&mut state);
    let more = open_with(&mut state, &effects, VaultStatus::Empty);
    effects.extend(more);
    for _ in 0..100 {
        effects.extend(wait(&mut state, 1_000));
    }
    let asked = effects.iter().any(|effect| {
        matches!(
            effect,
            Effect::Start {
                work: Work::Node(_),
                ..
            }
        )
    });
    assert!(!asked);
}

#[test]
fn locking_drops_everything_at_once_even_under_a_window() {
    let mut state = opened(50);
    press(&mut state, KeyCode::Enter);
    press(&mut state, KeyCode::Char('?'));
    assert!(state.modal.is_some() && !state.below.is_empty());
    let effects = control(&mut state, 'l');
    assert!(matches!(state.screen, Screen::Unlock(_)));
    assert!(state.below.is_empty() && state.modal.is_none() && state.shared.session.is_none());
    assert!(matches!(effects.first(), Some(Effect::EndSession)));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Redraw)));
    started(&effects, |work| matches!(work, Work::Vault(VaultWork::Lock)));
}

#[test]
fn the_vault_locks_after_the_idle_time_and_not_before() {
    let mut state = opened(5);
    let limit_ms = u64::from(state.shared.config.lock_after_minutes) * 60_000;
    wait(&mut state, limit_ms - 1);
    assert!(state.shared.is_open());
    press(&mut state, KeyCode::Down);
    wait(&mut state, limit_ms - 1);
    assert!(state.shared.is_open(), "a key starts the time anew");
    wait(&mut state, 1);
    assert!(!state.shared.is_open());
    assert!(screen(&mut state, 80, 24).contains("Locked after 10 idle minutes."));
}

#[test]
fn an_answer_from_before_the_lock_changes_nothing() {
    let mut state = opened(50);
    let effects = press(&mut state, KeyCode::Char('r'));
    control(&mut state, 'l');
    answer_pages(&mut state, effects, 50);
    assert!(state.shared.session.is_none());
    assert!(matches!(state.screen, Screen::Unlock(_)));
}

#[test]
fn balances_are_asked_for_what_is_seen_only_and_not_twice() {
    let mut state = opened(10_000);
    online(&mut state);
    let effects = wait(&mut state, 250);
    let asked: Vec<_> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Start {
                id,
                work: Work::Node(NodeWork::Balances(addresses)),
                ..
            } => Some((*id, addresses.clone())),
            _ => None,
        })
        .collect();
    let [(id, addresses)] = asked.as_slice() else {
        panic!("one request, not {}", asked.len())
    };
    assert_eq!(addresses.len(), 19);
    let again = wait(&mut state, 250);
    assert!(again.is_empty(), "one request at a time");

    let values = vec![Some(Lamports::new(1_500_000_000)); addresses.len()];
    let answer = Answer::Node(NodeAnswer::Balances {
        addresses: addresses.clone(),
        result: Ok(values),
    });
    update(&mut state, Msg::Answer { id: *id, answer });
    assert!(screen(&mut state, 80, 24).contains("1.500000000"));
    assert!(
        wait(&mut state, 250).is_empty(),
        "fresh balances are not asked for again"
    );
}

#[test]
fn what_is_seen_is_followed_as_long_as_it_is_seen() {
    let followed = |effects: &[Effect]| {
        let all = effects.iter().filter_map(|effect| match effect {
            Effect::Start {
                id,
                work: Work::Node(NodeWork::Follow(addresses)),
                ..
            } => Some((*id, addresses.clone())),
            _ => None,
        });
        all.collect::<Vec<_>>()
    };
    let mut state = opened(10_000);
    assert!(followed(&wait(&mut state, 250)).is_empty(), "there is no node");
    online(&mut state);
    let begun = followed(&wait(&mut state, 250));
    let [(id, addresses)] = begun.as_slice() else {
        panic!("{begun:?}")
    };
    assert_eq!(addresses.len(), 19);
    assert!(followed(&wait(&mut state, 250)).is_empty(), "one is under way");

    let news = vec![(addresses[3], Lamports::new(7_250_000_000))];
    let answer = Answer::Node(NodeAnswer::Followed(Ok(news)));
    update(&mut state, Msg::Answer { id: *id, answer });
    assert!(screen(&mut state, 80, 24).contains("7.250000000"));
    let again = followed(&wait(&mut state, 250));
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].1, *addresses);

    // Of other rows, and then of none: what was followed before is let go.
    press(&mut state, KeyCode::End);
    let effects = wait(&mut state, 250);
    let moved = followed(&effects);
    assert!(!moved.iter().any(|(_, followed)| followed == addresses));
    let is_let_go = |effect: &Effect| matches!(effect, Effect::Cancel(old) if *old == again[0].0);
    assert!(effects.iter().any(is_let_go));
    let late = Answer::Node(NodeAnswer::Followed(Ok(vec![(addresses[3], Lamports::new(1))])));
    update(
        &mut state,
        Msg::Answer {
            id: *id,
            answer: late,
        },
    );
    assert!(
        state.shared.balance(addresses[3]).unwrap().lamports == Some(Lamports::new(7_250_000_000)),
        "an answer that nobody waits for any more"
    );
}

#[test]
fn a_balance_that_the_node_did_not_say_is_not_asked_for_at_every_tick() {
    let mut state = opened(1);
    online(&mut state);
    let balances = |work: &Work| matches!(work, Work::Node(NodeWork::Balances(_)));
    let answer = |state: &mut State, effects: &[Effect], lamports: Option<u64>| {
        let id = started(effects, balances);
        let answer = Answer::Node(NodeAnswer::Balances {
            addresses: vec![*wallet(0).solana().unwrap()],
            result: Ok(vec![lamports.map(Lamports::new)]),
        });
        update(state, Msg::Answer { id, answer });
    };
    let effects = wait(&mut state, 250);
    answer(&mut state, &effects, Some(7));
    wait(&mut state, 250);
    press(&mut state, KeyCode::Char('r'));
    let effects = wait(&mut state, 250);
    answer(&mut state, &effects, None);
    assert!(
        wait(&mut state, 250)
            .iter()
            .all(|effect| !matches!(effect, Effect::Start { .. }))
    );
    assert!(
        screen(&mut state, 80, 24).contains("0.000000007"),
        "the older amount stays"
    );
    wait(&mut state, 40_000);
    assert!(
        screen(&mut state, 140, 40).contains("(40 s ago)"),
        "and shows its age"
    );
}

#[test]
fn a_balance_that_is_not_known_is_a_question_mark() {
    let mut state = opened(3);
    let text = screen(&mut state, 80, 24);
    assert!(text.contains(" ? ") && text.contains("no node"), "{text}");
    assert!(!text.contains("0.000000000"));
}

#[test]
fn a_derivation_is_a_job_that_can_be_cancelled_and_reports() {
    let mut state = opened(5);
    press(&mut state, KeyCode::Char('d'));
    type_text(&mut state, "100");
    let effects = press(&mut state, KeyCode::Enter);
    let id = started(&effects, |work| {
        matches!(work, Work::Wallets(WalletsWork::Derive { count: 100, .. }))
    });
    assert_eq!(state.shared.jobs.running(), 1);
    let progress = Progress::Count(ProgressState { done: 40, total: 100 });
    update(&mut state, Msg::Progress { id, progress });
    press(&mut state, KeyCode::Char('3'));
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("40 of 100") && text.contains("▸ 1 job"), "{text}");
    let effects = press(&mut state, KeyCode::Char('x'));
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Cancel(cancelled) if *cancelled == id))
    );
    assert!(matches!(
        state.shared.jobs.get(id).unwrap().state,
        JobState::Cancelled { .. }
    ));
}

#[test]
fn derived_wallets_are_counted_and_read() {
    let mut state = opened(5);
    press(&mut state, KeyCode::Char('d'));
    type_text(&mut state, "3");
    let effects = press(&mut state, KeyCode::Enter);
    let id = started(&effects, |work| {
        matches!(work, Work::Wallets(WalletsWork::Derive { .. }))
    });
    let range = DerivedRange {
        first: 5,
        count: 3,
        added: 3,
    };
    let answer = Answer::Wallets(WalletsAnswer::Derived(Ok(range)));
    let effects = update(&mut state, Msg::Answer { id, answer });
    assert_eq!(state.shared.session.as_ref().unwrap().summary.wallet_count, 8);
    started(&effects, |work| {
        matches!(work, Work::Wallets(WalletsWork::Page(_)))
    });
    assert_eq!(state.shared.jobs.running(), 0);
}

#[test]
fn leaving_asks_while_something_runs_and_not_otherwise() {
    let mut state = opened(5);
    assert!(matches!(
        press(&mut state, KeyCode::Char('q')).as_slice(),
        [Effect::Leave]
    ));
    press(&mut state, KeyCode::Char('d'));
    type_text(&mut state, "3");
    press(&mut state, KeyCode::Enter);
    assert!(press(&mut state, KeyCode::Char('q')).is_empty());
    assert!(matches!(state.modal, Some(Modal::Confirm(_))));
    press(&mut state, KeyCode::Esc);
    assert!(state.modal.is_none());
    press(&mut state, KeyCode::Char('q'));
    assert!(matches!(
        press(&mut state, KeyCode::Char('y')).as_slice(),
        [Effect::Leave]
    ));
}

#[test]
fn the_palette_runs_what_it_finds() {
    let mut state = opened(5);
    press(&mut state, KeyCode::Char(':'));
    type_text(&mut state, "lock the vault");
    press(&mut state, KeyCode::Enter);
    assert!(matches!(state.screen, Screen::Unlock(_)));
}

#[test]
fn a_task_that_broke_is_told_and_leaves_nothing_waiting() {
    let mut state = opened(5);
    press(&mut state, KeyCode::Char('d'));
    type_text(&mut state, "3");
    let effects = press(&mut state, KeyCode::Enter);
    let id = started(&effects, |work| {
        matches!(work, Work::Wallets(WalletsWork::Derive { .. }))
    });
    let answer = Answer::Broken(Failure::new("something broke", "try again"));
    update(&mut state, Msg::Answer { id, answer });
    assert!(matches!(state.modal, Some(Modal::Error(_))));
    assert_eq!(state.shared.jobs.running(), 0);
}

#[test]
fn a_resize_draws_anew_and_a_small_terminal_says_so() {
    let mut state = opened(5);
    let effects = update(
        &mut state,
        Msg::Resize {
            columns: 60,
            rows: 20,
        },
    );
    assert!(matches!(effects.as_slice(), [Effect::Redraw]));
    let text = screen(&mut state, 60, 20);
    assert!(
        text.contains("terminal too small") && text.contains("80x24"),
        "{text}"
    );
    for (columns, rows) in [(1, 1), (0, 0), (79, 24), (80, 23), (300, 100)] {
        screen(&mut state, columns, rows);
    }
}

#[test]
fn every_key_everywhere_is_survived() {
    // Not what they do, but that no key and no order of keys panics or loses the screen.
    let keys = [
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::Delete,
        KeyCode::Backspace,
        KeyCode::Char(' '),
        KeyCode::Char('/'),
        KeyCode::Char('?'),
        KeyCode::Char(':'),
        KeyCode::Char('a'),
        KeyCode::Char('e'),
        KeyCode::Char('t'),
        KeyCode::Char('1'),
        KeyCode::Char('2'),
        KeyCode::Char('3'),
        KeyCode::Char('4'),
        KeyCode::Char('v'),
        KeyCode::Char('x'),
        KeyCode::Char('s'),
        KeyCode::Char('n'),
        KeyCode::Char('*'),
        KeyCode::Char('o'),
        KeyCode::Char('G'),
        KeyCode::F(1),
    ];
    let mut state = opened(200);
    let mut seed = 12_345_u64;
    for _ in 0..4_000 {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let key = keys[usize::try_from(seed >> 33).unwrap() % keys.len()];
        let effects = press(&mut state, key);
        answer_pages(&mut state, effects, 200);
        wait(&mut state, 20);
        if seed.is_multiple_of(16) {
            screen(&mut state, 80, 24);
            screen(&mut state, 140, 40);
        }
    }
}

fn mouse(state: &mut State, kind: MouseEventKind, column: u16, row: u16) -> Vec<Effect> {
    let modifiers = KeyModifiers::NONE;
    update(
        state,
        Msg::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers,
        }),
    )
}

#[test]
fn the_mouse_selects_opens_scrolls_and_presses_the_keys_of_the_bottom_bar() {
    let mut state = opened(100);
    let click = MouseEventKind::Down(MouseButton::Left);
    mouse(&mut state, click, 20, 5);
    assert!(screen(&mut state, 80, 24).contains("▌        2"));
    mouse(&mut state, MouseEventKind::ScrollDown, 20, 5);
    assert!(screen(&mut state, 80, 24).contains("▌        3"));
    mouse(&mut state, click, 20, 6);
    assert!(matches!(state.screen, Screen::Wallet(_)));
    press(&mut state, KeyCode::Esc);
    let text = screen(&mut state, 80, 24);
    let bar = text.lines().last().unwrap();
    let column = u16::try_from(bar.find("? help").unwrap()).unwrap();
    mouse(&mut state, click, column, 23);
    assert!(matches!(state.modal, Some(Modal::Help(_))));
    for (column, row) in [(0, 0), (79, 0), (79, 22), (200, 200)] {
        mouse(&mut state, click, column, row);
    }
}

#[test]
fn nothing_but_locking_and_leaving_works_while_nothing_can_be_seen() {
    let mut state = opened(50);
    update(
        &mut state,
        Msg::Resize {
            columns: 79,
            rows: 24,
        },
    );
    for code in [
        KeyCode::Enter,
        KeyCode::Char('y'),
        KeyCode::Char(' '),
        KeyCode::Char('d'),
        KeyCode::Down,
    ] {
        assert!(press(&mut state, code).is_empty());
    }
    mouse(&mut state, MouseEventKind::Down(MouseButton::Left), 20, 5);
    update(&mut state, Msg::Paste(zeroize::Zeroizing::new("pasted".into())));
    update(
        &mut state,
        Msg::Resize {
            columns: 80,
            rows: 24,
        },
    );
    assert!(state.modal.is_none() && state.below.is_empty());
    assert!(screen(&mut state, 80, 24).contains("▌        0"));
    update(
        &mut state,
        Msg::Resize {
            columns: 80,
            rows: 10,
        },
    );
    control(&mut state, 'l');
    assert!(!state.shared.is_open());
    assert!(matches!(control(&mut state, 'c').as_slice(), [Effect::Leave]));
}

#[test]
fn a_failed_change_gives_the_typed_text_back() {
    let mut state = opened(5);
    press(&mut state, KeyCode::Char('e'));
    for _ in 0..10 {
        press(&mut state, KeyCode::Backspace);
    }
    type_text(&mut state, "cold store");
    let effects = press(&mut state, KeyCode::Enter);
    let id = started(&effects, |work| {
        matches!(work, Work::Wallets(WalletsWork::SetLabel { .. }))
    });
    assert!(state.modal.is_none());
    let failure = Failure::new("the database is held by another process", "try again in a moment");
    let answer = Answer::Wallets(WalletsAnswer::Changed(Err(failure)));
    update(&mut state, Msg::Answer { id, answer });
    assert!(screen(&mut state, 80, 24).contains("held by another process"));
    press(&mut state, KeyCode::Enter);
    assert!(screen(&mut state, 80, 24).contains("cold store"));
    let effects = press(&mut state, KeyCode::Enter);
    started(&effects, |work| {
        matches!(work, Work::Wallets(WalletsWork::SetLabel { .. }))
    });
}

#[test]
fn a_message_does_not_swallow_the_prompt_being_typed() {
    let mut state = opened(5);
    press(&mut state, KeyCode::Char('d'));
    type_text(&mut state, "3");
    let effects = press(&mut state, KeyCode::Enter);
    let id = started(&effects, |work| {
        matches!(work, Work::Wallets(WalletsWork::Derive { .. }))
    });
    press(&mut state, KeyCode::Char('e'));
    type_text(&mut state, " and more");
    let failure = Failure::new(
        "the disk is full; nothing was changed",
        "free some space and try again",
    );
    let answer = Answer::Wallets(WalletsAnswer::Derived(Err(failure)));
    update(&mut state, Msg::Answer { id, answer });
    assert!(screen(&mut state, 80, 24).contains("disk is full"));
    press(&mut state, KeyCode::Esc);
    assert!(screen(&mut state, 80, 24).contains("treasury and more"));
}

#[test]
fn a_prompt_asks_before_it_drops_what_was_typed() {
    let mut state = opened(5);
    press(&mut state, KeyCode::Char('e'));
    press(&mut state, KeyCode::Esc);
    assert!(state.modal.is_none(), "nothing was typed");
    press(&mut state, KeyCode::Char('e'));
    type_text(&mut state, "x");
    press(&mut state, KeyCode::Esc);
    assert!(screen(&mut state, 80, 24).contains("Esc once more drops"));
    type_text(&mut state, "y");
    press(&mut state, KeyCode::Esc);
    assert!(state.modal.is_some(), "typing on takes the first Esc back");
    press(&mut state, KeyCode::Esc);
    assert!(state.modal.is_none());
}

#[test]
fn a_locked_screen_tells_nothing_of_what_happens_inside() {
    let mut state = opened(5);
    press(&mut state, KeyCode::Enter);
    press(&mut state, KeyCode::Char('y'));
    assert!(screen(&mut state, 80, 24).contains("address copied"));
    control(&mut state, 'l');
    assert!(!screen(&mut state, 80, 24).contains("copied"));
    with_cx(&mut state, |_, cx| cx.notice("1.500000000 SOL sent"));
    assert!(!screen(&mut state, 80, 24).contains("1.5"));
}
