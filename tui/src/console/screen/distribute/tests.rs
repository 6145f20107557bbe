#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_core::amount::Lamports;
use keyward_custody::FeePolicy;
use keyward_custody::jobs::{JobKind, JobState};

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::screen::bulk::tests::{counts, job};
use crate::console::screen::plan::tests::made;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

fn form() -> State {
    let mut state = opened(10);
    online(&mut state);
    press(&mut state, KeyCode::Char('S'));
    assert!(matches!(state.screen, Screen::Distribute(_)));
    state
}

/// The form with the second and third wallet marked, paid by the first one.
fn marked() -> State {
    let mut state = opened(10);
    online(&mut state);
    for key in [
        KeyCode::Down,
        KeyCode::Char(' '),
        KeyCode::Char(' '),
        KeyCode::Home,
    ] {
        press(&mut state, key);
    }
    press(&mut state, KeyCode::Char('S'));
    state
}

fn asked(effects: &[Effect]) -> Option<(RequestId, DistributionAsk)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Plan(PlanWork::Make(ask)),
            ..
        } => match &**ask {
            Ask::Distribution(ask) => Some((*id, ask.clone())),
            Ask::Sweep(_) => None,
        },
        _ => None,
    })
}

/// Goes to a field by the key for that; it must be one that is seen.
fn go_to(state: &mut State, field: usize) {
    for _ in 0..20 {
        if matches!(&state.screen, Screen::Distribute(page) if page.form.focus() == field) {
            return;
        }
        press(state, KeyCode::BackTab);
    }
    panic!("field {field} is hidden");
}

fn choose(state: &mut State, field: usize, steps: usize) {
    go_to(state, field);
    for _ in 0..steps {
        press(state, KeyCode::Right);
    }
}

#[test]
fn a_file_is_planned_from_the_wallet_under_the_cursor() {
    let mut state = form();
    snapshot("distribute_80x24", &screen(&mut state, 80, 24));
    type_text(&mut state, "payroll.csv");
    let (id, ask) = asked(&control(&mut state, 's')).unwrap();
    assert_eq!(ask.sources, "treasury");
    assert_eq!(ask.recipients, Who::File("payroll.csv".into()));
    assert_eq!((ask.amounts, ask.mint.as_str()), (AmountsAsk::InFile, "SOL"));
    assert_eq!((ask.label.as_str(), ask.accepted.len(), ask.edits), ("", 0, None));
    assert!(screen(&mut state, 80, 24).contains("asking the chain"));
    let answer = Answer::Plan(PlanAnswer::Made(Ok(made(Vec::new(), Vec::new()))));
    update(&mut state, Msg::Answer { id, answer });
    assert!(matches!(state.screen, Screen::Plan(_)));
    // What was typed is there again.
    press(&mut state, KeyCode::Char('e'));
    assert!(screen(&mut state, 80, 24).contains("payroll.csv"));
}

#[test]
fn the_marked_are_paid_by_the_one_under_the_cursor() {
    let mut state = marked();
    snapshot("distribute_marked_120x40", &screen(&mut state, 120, 40));
    go_to(&mut state, AMOUNT);
    type_text(&mut state, "0.5");
    go_to(&mut state, MEMO);
    type_text(&mut state, "march");
    let (_, ask) = asked(&control(&mut state, 's')).unwrap();
    let both = [1, 2].map(|number| *wallet(number).solana().unwrap());
    let Who::These(found) = &ask.recipients else {
        panic!("{ask:?}")
    };
    assert!(found.len() == 2 && both.iter().all(|one| found.contains(one)));
    assert_eq!(
        (ask.sources.as_str(), ask.amounts, ask.memo.as_str()),
        ("treasury", AmountsAsk::Each("0.5".into()), "march")
    );
}

#[test]
fn an_empty_wallet_below_the_marked_is_not_taken_for_the_one_that_pays() {
    let mut state = opened(10);
    online(&mut state);
    let now_ms = state.shared.now_ms;
    let balances = &mut state.shared.session.as_mut().unwrap().balances;
    balances.learn(wallet(1).address, Some(Lamports::ZERO), now_ms);
    balances.learn(wallet(2).address, Some(Lamports::new(1)), now_ms);
    press(&mut state, KeyCode::Char(' '));
    press(&mut state, KeyCode::Char('S'));
    let Screen::Distribute(page) = &state.screen else {
        panic!("not the form")
    };
    assert_eq!((page.form.expose_text(FROM), page.form.focus()), ("", FROM));
    press(&mut state, KeyCode::Esc);
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Char('S'));
    let Screen::Distribute(page) = &state.screen else {
        panic!("not the form")
    };
    assert_eq!(
        (page.form.expose_text(FROM), page.form.focus()),
        ("bot-0002", AMOUNT)
    );
}

#[test]
fn a_random_division_keeps_its_seed_when_it_is_planned_again() {
    let mut state = marked();
    choose(&mut state, HOW, RANDOM);
    go_to(&mut state, AMOUNT);
    type_text(&mut state, "100");
    go_to(&mut state, BOUNDS);
    type_text(&mut state, "1..60");
    go_to(&mut state, TOKEN);
    control(&mut state, 'u');
    type_text(&mut state, "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v");
    choose(&mut state, BEARER, 1);
    let (_, first) = asked(&control(&mut state, 's')).unwrap();
    press(&mut state, KeyCode::Esc);
    assert!(
        matches!(state.screen, Screen::Distribute(_)),
        "Esc stops the planning only"
    );
    let (_, second) = asked(&control(&mut state, 's')).unwrap();
    assert_eq!(first, second);
    assert_eq!(first.bearer, FeeBearer::Sender);
    let AmountsAsk::Random { seed, bounds, .. } = first.amounts else {
        panic!("not at random")
    };
    assert!(seed.parse::<SplitSeed>().is_ok() && bounds == "1..60");
    // The seed is chance: it is left out of the picture.
    press(&mut state, KeyCode::Esc);
    go_to(&mut state, SEED);
    control(&mut state, 'u');
    type_text(&mut state, "000102030405060708090a0b0c0d0e0f");
    snapshot("distribute_random_80x24", &screen(&mut state, 80, 24));
}

#[test]
fn what_is_missing_is_named_and_a_failure_is_said() {
    let mut state = form();
    assert!(asked(&control(&mut state, 's')).is_none());
    assert!(screen(&mut state, 80, 24).contains("name the file"));
    // What only a file says is not taken from names.
    go_to(&mut state, WHO);
    press(&mut state, KeyCode::Right);
    go_to(&mut state, NAMES);
    type_text(&mut state, "tag:bots");
    assert!(asked(&control(&mut state, 's')).is_none());
    assert!(screen(&mut state, 80, 24).contains("only a file says that"));
    choose(&mut state, HOW, 1);
    assert!(asked(&control(&mut state, 's')).is_none());
    assert!(screen(&mut state, 80, 24).contains("say how much"));
    type_text(&mut state, "1");
    let (id, ask) = asked(&control(&mut state, 's')).unwrap();
    assert_eq!(ask.recipients, Who::Names("tag:bots".into()));
    let failure = Failure::new("line 1: no Solana wallet has this tag", "correct the names");
    let answer = Answer::Plan(PlanAnswer::Made(Err(failure)));
    update(&mut state, Msg::Answer { id, answer });
    snapshot("distribute_failed_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::Esc);
    assert!(screen(&mut state, 80, 24).contains("Leave the distribution?"));
    press(&mut state, KeyCode::Char('y'));
    assert!(matches!(state.screen, Screen::Wallets(_)));
}

#[test]
fn without_a_node_nothing_is_planned() {
    let mut state = opened(10);
    press(&mut state, KeyCode::Char('S'));
    assert!(asked(&control(&mut state, 's')).is_none());
    assert!(screen(&mut state, 80, 24).contains("choose a node first"));
}

#[test]
fn an_edit_names_the_one_that_it_takes_the_place_of() {
    let mut first = job(1, JobKind::Distribution, JobState::Open, counts(10, 4, 0, 6, 0));
    first.format = JobFormat::V1;
    first.fee = FeePolicy::Fixed {
        micro_lamports: 5_000,
    };
    let mut state = opened(10);
    online(&mut state);
    let page = DistributeScreen::edit(&first);
    state.below.push(std::mem::replace(
        &mut state.screen,
        Screen::Distribute(Box::new(page)),
    ));
    snapshot("distribute_edit_80x24", &screen(&mut state, 80, 24));
    type_text(&mut state, "march-2.csv");
    let (_, ask) = asked(&control(&mut state, 's')).unwrap();
    assert_eq!((ask.edits, ask.format), (Some(first.id), JobFormat::V1));
    assert_eq!((ask.label, ask.fee), (first.label, first.fee.to_string()));
    assert_eq!(ask.sources, first.fee_payer.to_string());
}
