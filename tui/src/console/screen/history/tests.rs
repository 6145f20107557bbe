#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_core::amount::Lamports;
use keyward_custody::chain::{ChainError, Commitment, HistoryItem};
use keyward_custody::portfolio::TokenFlow;

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

fn entry(number: u8) -> HistoryEntry {
    let detail = match number % 4 {
        0 => Ok(HistoryDetail {
            error: None,
            fee: Lamports::new(5_000),
            paid_fee: true,
            sol: -1_500_005_000,
            tokens: Vec::new(),
            actions: vec!["pays 1.5 SOL to bot-0001\u{1b}[2J".into()],
        }),
        1 => Ok(HistoryDetail {
            error: Some("the program failed with code 0x1".into()),
            fee: Lamports::new(5_000),
            paid_fee: true,
            sol: -5_000,
            tokens: Vec::new(),
            actions: vec!["calls a program".into()],
        }),
        2 => Ok(HistoryDetail {
            error: None,
            fee: Lamports::new(5_000),
            paid_fee: false,
            sol: 0,
            tokens: vec![TokenFlow {
                mint: *wallet(9).solana().unwrap(),
                decimals: 6,
                amount: 12_345_678,
            }],
            actions: vec!["pays 12.345678 of a token".into()],
        }),
        _ => Err(ChainError::HistoryUnavailable),
    };
    HistoryEntry {
        item: HistoryItem {
            signature: Signature::new([number; 64]),
            slot: 1_000 + u64::from(number),
            time_ms: (number % 5 != 4).then(|| NOW_MS - 60_000 * u64::from(number)),
            error: None,
            memo: (number == 2).then(|| "invoice 4711".into()),
            commitment: Some(Commitment::Finalized),
        },
        detail,
    }
}

fn asked(effects: &[Effect]) -> Option<(RequestId, Option<Signature>)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Holdings(HoldingsWork::History { before, .. }),
            ..
        } => Some((*id, *before)),
        _ => None,
    })
}

fn answer(state: &mut State, id: RequestId, result: Result<Vec<HistoryEntry>, Failure>) {
    let answer = Answer::Holdings(HoldingsAnswer::History(result));
    update(state, Msg::Answer { id, answer });
}

fn history(result: Result<Vec<HistoryEntry>, Failure>) -> State {
    let mut state = opened(10);
    online(&mut state);
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Enter);
    let effects = press(&mut state, KeyCode::Char('v'));
    assert!(matches!(state.screen, Screen::History(_)));
    let (id, before) = asked(&effects).unwrap();
    assert_eq!(before, None);
    answer(&mut state, id, result);
    state
}

#[test]
fn outcomes_are_the_transactions_own() {
    let mut state = history(Ok((0..6).map(entry).collect()));
    snapshot("history_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::Down);
    assert!(screen(&mut state, 80, 24).contains("only the fee was paid"));
    press(&mut state, KeyCode::Down);
    snapshot("history_token_120x40", &screen(&mut state, 120, 40));
    press(&mut state, KeyCode::Down);
    assert!(screen(&mut state, 80, 24).contains("could not be read"));
}

#[test]
fn the_end_brings_the_next_page_and_keeps_the_first() {
    let page = |from: u8| (from..from + 20).map(entry).collect::<Vec<_>>();
    let mut state = history(Ok(page(0)));
    assert!(asked(&press(&mut state, KeyCode::Down)).is_none());
    let effects = press(&mut state, KeyCode::End);
    let (id, before) = asked(&effects).unwrap();
    assert_eq!(before, Some(Signature::new([19; 64])));
    answer(&mut state, id, Ok(page(20)));
    assert!(screen(&mut state, 80, 24).contains("the newest 40"));
    let effects = press(&mut state, KeyCode::End);
    let (id, before) = asked(&effects).unwrap();
    assert_eq!(before, Some(Signature::new([39; 64])));
    answer(&mut state, id, Ok(Vec::new()));
    assert!(screen(&mut state, 80, 24).contains("40 in all that the node knows"));
}

#[test]
fn what_went_wrong_is_said() {
    let mut state = history(Err(Failure::new("the node is gone", "choose another")));
    assert!(screen(&mut state, 80, 24).contains("The node is gone"));
}
