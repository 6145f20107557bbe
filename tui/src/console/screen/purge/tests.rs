#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

const SECRET: &str = "canary-Wicker-9041-omen";

fn deleted(index: u32, purge_after_ms: u64) -> Wallet {
    Wallet {
        status: WalletStatus::Deleted,
        status_ms: NOW_MS - 1,
        purge_after_ms: Some(purge_after_ms),
        ..wallet(index)
    }
}

fn work(effects: &[Effect]) -> Option<(RequestId, &UpkeepWork)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Upkeep(work @ (UpkeepWork::Purge { .. } | UpkeepWork::PurgeDue { .. })),
            lifetime: Lifetime::Console,
        } => Some((*id, work)),
        _ => None,
    })
}

fn one(wallet: Wallet) -> State {
    let mut state = opened(10);
    state.below.push(std::mem::replace(
        &mut state.screen,
        Screen::Purge(Box::new(PurgeScreen::new(Some(wallet)))),
    ));
    state
}

/// All that are due, from the list of wallets.
fn due(count: u32) -> State {
    let mut state = opened(10);
    let effects = press(&mut state, KeyCode::Char('P'));
    let id = started(&effects, |work| {
        matches!(work, Work::Upkeep(UpkeepWork::DueToPurge))
    });
    let rows = (0..count).map(|at| deleted(at, NOW_MS - 1)).collect();
    let answer = Answer::Upkeep(UpkeepAnswer::DueToPurge(Ok(rows)));
    update(&mut state, Msg::Answer { id, answer });
    state
}

#[test]
fn one_key_takes_the_whole_address_and_the_password() {
    let wallet = deleted(1, NOW_MS);
    let mut state = one(wallet.clone());
    snapshot("purge_80x24", &screen(&mut state, 80, 24));
    type_text(&mut state, &wallet.address.abbreviated());
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, SECRET);
    assert!(work(&press(&mut state, KeyCode::Enter)).is_none());
    control(&mut state, 'u');
    type_text(&mut state, &wallet.address.to_string());
    press(&mut state, KeyCode::Enter);
    let effects = press(&mut state, KeyCode::Enter);
    let Some((id, UpkeepWork::Purge { address, .. })) = work(&effects) else {
        panic!("{effects:?}")
    };
    assert_eq!(*address, wallet.address);
    assert!(!format!("{state:?}").contains("Wicker"));
    let answer = Answer::Upkeep(UpkeepAnswer::Purged(Ok(Purged {
        wallets: vec![wallet.address],
        scrubbed: false,
    })));
    let effects = update(&mut state, Msg::Answer { id, answer });
    started(&effects, |work| matches!(work, Work::Wallets(_)));
    snapshot("purge_done_80x24", &screen(&mut state, 80, 24));
}

#[test]
fn nothing_is_destroyed_before_its_time() {
    let wallet = deleted(1, NOW_MS + 86_400_000);
    let mut state = one(wallet.clone());
    assert!(screen(&mut state, 80, 24).contains("restored for another 1 d"));
    type_text(&mut state, &wallet.address.to_string());
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, SECRET);
    assert!(work(&press(&mut state, KeyCode::Enter)).is_none());
}

#[test]
fn all_that_are_due_take_their_number() {
    let mut state = due(7);
    snapshot("purge_due_80x24", &screen(&mut state, 80, 24));
    snapshot("purge_due_120x40", &screen(&mut state, 120, 40));
    type_text(&mut state, "6");
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, SECRET);
    assert!(work(&press(&mut state, KeyCode::Enter)).is_none());
    control(&mut state, 'u');
    type_text(&mut state, "7");
    press(&mut state, KeyCode::Enter);
    let effects = press(&mut state, KeyCode::Enter);
    let Some((id, UpkeepWork::PurgeDue { expected: 7, .. })) = work(&effects) else {
        panic!("{effects:?}")
    };
    let answer = Answer::Upkeep(UpkeepAnswer::Purged(Err(Failure::new(
        "the vault did not open",
        "try again",
    ))));
    let effects = update(&mut state, Msg::Answer { id, answer });
    started(&effects, |work| {
        matches!(work, Work::Upkeep(UpkeepWork::DueToPurge))
    });
    assert!(screen(&mut state, 80, 24).contains("did not open"));
}

#[test]
fn none_is_due() {
    let mut state = due(0);
    assert!(screen(&mut state, 80, 24).contains("none whose time is over"));
    type_text(&mut state, "0");
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, SECRET);
    assert!(work(&press(&mut state, KeyCode::Enter)).is_none());
}
