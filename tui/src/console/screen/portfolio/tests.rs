#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_custody::portfolio::{Portfolio, RefreshProgress};

use super::*;
use crate::console::effect::{Effect, Progress};
use crate::console::effects::wallets::WalletsWork;
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

fn group(name: Option<&str>, wallets: u64, unknown: u64) -> PortfolioGroup {
    let known = wallets - unknown;
    let token = |number: u32, symbol: Option<&str>, frozen: u128| TokenSum {
        mint: *wallet(number).solana().unwrap(),
        decimals: Some(6),
        symbol: symbol.map(str::to_owned),
        amount: 1_250_000_000,
        frozen,
        accounts: known,
    };
    PortfolioGroup {
        name: name.map(str::to_owned),
        wallets,
        unknown,
        tokens_unknown: unknown,
        lamports: u128::from(known) * 1_500_000_000,
        tokens: if known > 0 {
            vec![token(20, Some("USDC"), 0), token(21, None, 250_000)]
        } else {
            Vec::new()
        },
        oldest_ms: (known > 0).then_some(NOW_MS - 7_200_000),
        lowest_slot: (known > 0).then_some(1_000),
    }
}

fn answer(state: &mut State, effects: &[Effect]) {
    let id = started(effects, |work| {
        matches!(work, Work::Holdings(HoldingsWork::Portfolio { .. }))
    });
    let read = PortfolioRead {
        network: Some("EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG".into()),
        portfolio: Portfolio {
            groups: vec![
                group(Some("bots"), 99, 4),
                group(Some("cold"), 2, 2),
                group(None, 9_899, 0),
            ],
            total: group(None, 10_000, 6),
        },
    };
    let answer = Answer::Holdings(HoldingsAnswer::Portfolio(Ok(Box::new(read))));
    update(state, Msg::Answer { id, answer });
}

fn portfolio() -> State {
    let mut state = opened(10_000);
    online(&mut state);
    let effects = press(&mut state, KeyCode::Char('0'));
    assert!(matches!(state.screen, Screen::Portfolio(_)));
    answer(&mut state, &effects);
    state
}

#[test]
fn sums_say_what_they_leave_out() {
    let mut state = portfolio();
    snapshot("portfolio_80x24", &screen(&mut state, 80, 24));
    snapshot("portfolio_120x40", &screen(&mut state, 120, 40));
    press(&mut state, KeyCode::Down);
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("Tokens unknown: never read"), "{text}");
}

#[test]
fn a_group_leads_to_its_wallets_and_owners_are_a_key_away() {
    let mut state = portfolio();
    let effects = press(&mut state, KeyCode::Char('o'));
    let by_owner = effects.iter().any(|effect| {
        matches!(
            effect,
            Effect::Start {
                work: Work::Holdings(HoldingsWork::Portfolio {
                    grouping: Grouping::Owner,
                    ..
                }),
                ..
            }
        )
    });
    assert!(by_owner, "{effects:?}");
    let effects = press(&mut state, KeyCode::Char('o'));
    answer(&mut state, &effects);
    let effects = press(&mut state, KeyCode::Enter);
    assert!(matches!(state.screen, Screen::Wallets(_)));
    let asked = effects.iter().any(|effect| {
        matches!(effect, Effect::Start { work: Work::Wallets(WalletsWork::Page(query)), .. } if query.tag.as_deref() == Some("bots"))
    });
    assert!(asked, "{effects:?}");
}

#[test]
fn reading_everything_is_a_job_that_shows_how_far_it_is() {
    let mut state = portfolio();
    let effects = press(&mut state, KeyCode::Char('r'));
    let id = started(&effects, |work| {
        matches!(work, Work::Holdings(HoldingsWork::Refresh { .. }))
    });
    let progress = Progress::Reading(RefreshProgress {
        total: 20_000,
        done: 1_200,
        unknown: 34,
    });
    update(&mut state, Msg::Progress { id, progress });
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("reading: 1,234 of 20,000") && text.contains("1 job"),
        "{text}"
    );
    let answer = Answer::Holdings(HoldingsAnswer::Refreshed(Ok("19,966 read".into())));
    let effects = update(&mut state, Msg::Answer { id, answer });
    started(&effects, |work| {
        matches!(work, Work::Holdings(HoldingsWork::Portfolio { .. }))
    });
    assert_eq!(state.shared.jobs.running(), 0);
}
