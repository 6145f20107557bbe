#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::solana::token::{Mint, TokenAccount, TokenAccountState, TokenDataError, TokenProgram};
use keyward_custody::portfolio::{Holding, ReadAt};

use super::*;
use crate::console::effect::{Effect, Failure};
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

fn address(index: u32) -> Address {
    *wallet(index).solana().unwrap()
}

fn holding(number: u32, amount: u64, state: TokenAccountState) -> TokenHolding {
    TokenHolding {
        account: address(100 + number),
        owner: address(1),
        program: TokenProgram::Token,
        lamports: Lamports::new(2_039_280),
        state: Ok(TokenAccount {
            mint: address(200 + number),
            owner: address(1),
            amount,
            delegate: (number == 2).then(|| address(300)),
            delegated_amount: 500,
            state,
            native_reserve: None,
            close_authority: None,
            extensions: Vec::new(),
        }),
        mint: (number < 3).then(|| Mint {
            mint_authority: None,
            supply: 1_000_000_000,
            decimals: 6,
            freeze_authority: None,
            extensions: Vec::new(),
        }),
    }
}

fn read(failure: Option<Failure>) -> Box<TokensRead> {
    Box::new(TokensRead {
        holding: Some(Holding {
            address: address(1),
            lamports: Lamports::new(1_000_000_000),
            slot: 1_200,
            read_ms: NOW_MS - 90_000,
            tokens: Some(ReadAt {
                slot: 1_200,
                read_ms: NOW_MS - 90_000,
            }),
        }),
        accounts: vec![
            holding(0, 1_234_567_890, TokenAccountState::Initialized),
            holding(1, 42, TokenAccountState::Frozen),
            holding(2, 7_000_000, TokenAccountState::Initialized),
            holding(3, 5, TokenAccountState::Initialized),
            TokenHolding {
                state: Err(TokenDataError::Uninitialised),
                ..holding(4, 0, TokenAccountState::Initialized)
            },
        ],
        failure,
    })
}

fn asked(effects: &[Effect], wanted: Source) -> Option<RequestId> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Holdings(HoldingsWork::Tokens { source, .. }),
            ..
        } if *source == wanted => Some(*id),
        _ => None,
    })
}

/// The tokens of wallet 1, as they were answered.
fn tokens(result: Result<Box<TokensRead>, Failure>) -> State {
    let mut state = opened(10);
    online(&mut state);
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Enter);
    let effects = press(&mut state, KeyCode::Char('o'));
    assert!(matches!(state.screen, Screen::Tokens(_)));
    let id = asked(&effects, Source::Node).unwrap();
    let answer = Answer::Holdings(HoldingsAnswer::Tokens(result));
    update(&mut state, Msg::Answer { id, answer });
    state
}

#[test]
fn amounts_are_exact_and_what_cannot_move_is_marked() {
    let mut state = tokens(Ok(read(None)));
    snapshot("tokens_80x24", &screen(&mut state, 80, 24));
    snapshot("tokens_120x40", &screen(&mut state, 120, 40));
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Down);
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("may take 0.000500"), "{text}");
    press(&mut state, KeyCode::Down);
    assert!(screen(&mut state, 80, 24).contains("5 base units"));
}

#[test]
fn a_node_that_does_not_answer_leaves_what_is_kept() {
    let failure = Failure::new("the node does not answer", "try later");
    let mut state = tokens(Ok(read(Some(failure))));
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("1,234.567890") || text.contains("1234.567890"),
        "{text}"
    );
    assert!(text.contains("did not answer"), "{text}");
    assert!(asked(&press(&mut state, KeyCode::Char('r')), Source::Node).is_some());
}

#[test]
fn never_read_is_not_none() {
    let mut nothing = read(None);
    (nothing.holding, nothing.accounts) = (None, Vec::new());
    let mut state = tokens(Ok(nothing));
    assert!(screen(&mut state, 80, 24).contains("Unknown: they were never read"));
    let mut empty = read(None);
    empty.accounts = Vec::new();
    let mut state = tokens(Ok(empty));
    assert!(screen(&mut state, 80, 24).contains("It has no token accounts"));
}

#[test]
fn without_a_node_only_what_is_kept_is_read() {
    let mut state = opened(10);
    press(&mut state, KeyCode::Enter);
    let effects = press(&mut state, KeyCode::Char('o'));
    assert!(asked(&effects, Source::Kept).is_some());
}

#[test]
fn a_line_opens_the_form_of_its_token_unless_it_cannot_be_sent() {
    for (line, says) in [
        (0, None),
        (1, Some("frozen")),
        (3, Some("decimals")),
        (4, Some("cannot be read")),
    ] {
        let mut state = tokens(Ok(read(None)));
        for _ in 0..line {
            press(&mut state, KeyCode::Down);
        }
        press(&mut state, KeyCode::Char('s'));
        let text = screen(&mut state, 80, 24);
        match says {
            None => {
                assert!(matches!(state.screen, Screen::Send(_)));
                assert!(text.contains(&address(200).to_string()), "{text}");
                assert!(text.contains("of 1,234.567890"), "{text}");
            }
            Some(reason) => {
                assert!(matches!(state.screen, Screen::Tokens(_)), "{line}");
                assert!(text.contains(reason), "{text}");
            }
        }
    }
}
