#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_custody::ProgressState;

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

/// The form for the second wallet.
fn form(key: char) -> State {
    let mut state = opened(10);
    online(&mut state);
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Char(key));
    assert!(matches!(state.screen, Screen::Sweep(_)));
    state
}

fn asked(effects: &[Effect]) -> Option<(RequestId, SweepAsk)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Plan(PlanWork::Make(ask)),
            ..
        } => match &**ask {
            Ask::Sweep(ask) => Some((*id, ask.clone())),
            Ask::Distribution(_) => None,
        },
        _ => None,
    })
}

/// Goes to a field by the key for that; it must be one that is seen.
fn go_to(state: &mut State, field: usize) {
    for _ in 0..20 {
        if matches!(&state.screen, Screen::Sweep(page) if page.form.focus() == field) {
            return;
        }
        press(state, KeyCode::Tab);
    }
    panic!("field {field} is hidden");
}

#[test]
fn a_consolidation_needs_to_know_where_it_goes() {
    let mut state = form('C');
    snapshot("consolidate_80x24", &screen(&mut state, 80, 24));
    assert!(asked(&control(&mut state, 's')).is_none());
    assert!(screen(&mut state, 80, 24).contains("say where it goes"));
    type_text(&mut state, "treasury");
    go_to(&mut state, WHAT);
    press(&mut state, KeyCode::Right);
    let (id, ask) = asked(&control(&mut state, 's')).unwrap();
    assert_eq!(
        (ask.wallets, ask.to.as_str()),
        (Who::Names("bot-0001".into()), "treasury")
    );
    assert_eq!(
        (ask.what, ask.collect, ask.closing),
        (SweepKind::Consolidate, Collect::Sol, Closing::Yes)
    );
    let progress = Progress::Count(ProgressState { done: 40, total: 200 });
    update(&mut state, Msg::Progress { id, progress });
    assert!(screen(&mut state, 80, 24).contains("40 of 200 lists"));
}

#[test]
fn the_marked_or_all_are_collected_and_tokens_by_their_mints() {
    let mut state = opened(10);
    online(&mut state);
    press(&mut state, KeyCode::Char(' '));
    press(&mut state, KeyCode::Char('C'));
    snapshot("consolidate_marked_120x40", &screen(&mut state, 120, 40));
    go_to(&mut state, TO);
    type_text(&mut state, "treasury");
    let (_, ask) = asked(&control(&mut state, 's')).unwrap();
    assert_eq!(ask.wallets, Who::These(vec![*wallet(0).solana().unwrap()]));
    press(&mut state, KeyCode::Esc);
    go_to(&mut state, WHOSE);
    press(&mut state, KeyCode::Left);
    go_to(&mut state, WHAT);
    press(&mut state, KeyCode::Left);
    go_to(&mut state, MINTS);
    type_text(&mut state, "nonsense");
    assert!(asked(&control(&mut state, 's')).is_none());
    control(&mut state, 'u');
    let mint = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";
    type_text(&mut state, mint);
    let (_, ask) = asked(&control(&mut state, 's')).unwrap();
    assert_eq!(ask.wallets, Who::All);
    assert_eq!(ask.collect, Collect::Mints(vec![mint.parse().unwrap()]));
}

#[test]
fn a_closing_leaves_wrapped_sol_unless_told_otherwise() {
    let mut state = form('X');
    snapshot("close_80x24", &screen(&mut state, 80, 24));
    let (_, ask) = asked(&control(&mut state, 's')).unwrap();
    assert_eq!(
        (ask.what, ask.closing, ask.to.as_str()),
        (SweepKind::Close, Closing::No, "")
    );
    press(&mut state, KeyCode::Esc);
    go_to(&mut state, CLOSING);
    press(&mut state, KeyCode::Right);
    let (_, ask) = asked(&control(&mut state, 's')).unwrap();
    assert_eq!(ask.closing, Closing::Yes);
}
