#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_core::amount::Lamports;
use zeroize::Zeroizing;

use keyward_custody::Contact;

use super::*;
use crate::console::effect::Effect;
use crate::console::effect::{Answer, RequestId};
use crate::console::effects::send::SendAnswer;
use crate::console::effects::send::Wish;
use crate::console::msg::Msg;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

/// The form of the first wallet, a node answering.
fn form() -> State {
    let mut state = opened(100);
    online(&mut state);
    let now_ms = state.shared.now_ms;
    if let Some(session) = &mut state.shared.session {
        let sol = Some(Lamports::new(1_000_000_000_000));
        session.balances.learn(*wallet(0).solana().unwrap(), sol, now_ms);
    }
    press(&mut state, KeyCode::Char('s'));
    state
}

fn of(state: &State) -> &SendForm {
    match &state.screen {
        Screen::Send(form) => form,
        other => panic!("not the form but {other:?}"),
    }
}

fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    update(state, Msg::Paste(Zeroizing::new(text.to_owned())))
}

fn answer(state: &mut State, id: RequestId, answer: SendAnswer) -> Vec<Effect> {
    let answer = Answer::Send(answer);
    update(state, Msg::Answer { id, answer })
}

fn ours(number: u32) -> Party {
    Party::Wallet(Box::new(wallet(number)))
}

fn shop() -> Party {
    Party::Contact(Contact {
        address: *wallet(7).solana().unwrap(),
        label: "bottle shop".into(),
        note: String::new(),
        created_ms: 0,
        paid: 3,
    })
}

/// Types the recipient as an address that is ours and goes on to the amount.
fn to_wallet_1(state: &mut State) {
    let effects = paste(state, &wallet(1).address.to_string());
    let id = started(&effects, |work| matches!(work, Work::Send(SendWork::Lookup(_))));
    answer(state, id, SendAnswer::Known(Ok(Some(ours(1)))));
    press(state, KeyCode::Enter);
}

fn drafted(effects: &[Effect]) -> Option<(RequestId, &Draft)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Send(SendWork::Prepare(draft)),
            ..
        } => Some((*id, &**draft)),
        _ => None,
    })
}

#[test]
fn a_form_becomes_a_draft() {
    let mut state = form();
    to_wallet_1(&mut state);
    type_text(&mut state, "1.5");
    press(&mut state, KeyCode::Tab);
    type_text(&mut state, "44000");
    press(&mut state, KeyCode::Tab);
    type_text(&mut state, "rent");
    let effects = press(&mut state, KeyCode::Enter);
    let expected = Draft {
        from: *wallet(0).solana().unwrap(),
        to: *wallet(1).solana().unwrap(),
        amount: Wish::Exactly(Lamports::new(1_500_000_000).into()),
        fee: FeePolicy::Fixed {
            micro_lamports: 44_000,
        },
        memo: Some("rent".into()),
        nonce: None,
        repeat: Repeat::Refuse,
    };
    assert_eq!(drafted(&effects).unwrap().1, &expected);
}

#[test]
fn a_label_is_completed_to_its_address() {
    let mut state = form();
    let effects = type_text(&mut state, "bot");
    let (id, _) = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Start {
                id,
                work: Work::Send(SendWork::Suggest(text)),
                ..
            } => Some((*id, text.clone())),
            _ => None,
        })
        .next_back()
        .unwrap();
    let found = SendAnswer::Suggested(Ok(vec![shop(), ours(1), ours(2)]));
    answer(&mut state, id, found);
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Down);
    snapshot("send_suggestions_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::Enter);
    assert_eq!(of(&state).to.expose_text(), wallet(2).address.to_string());
    assert_eq!(of(&state).focus, Field::Amount);
}

#[test]
fn somebody_of_the_address_book_is_paid_by_label_and_known_by_address() {
    let mut state = form();
    let effects = type_text(&mut state, "shop");
    let last = effects.len() - 1;
    let id = started(&effects[last..], |work| {
        matches!(work, Work::Send(SendWork::Suggest(_)))
    });
    answer(&mut state, id, SendAnswer::Suggested(Ok(vec![shop()])));
    press(&mut state, KeyCode::Enter);
    assert_eq!(of(&state).to.expose_text(), wallet(7).address.to_string());
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("in the address book: bottle shop · 3 transfers landed"),
        "{text}"
    );
    let mut state = form();
    let effects = paste(&mut state, &wallet(7).address.to_string());
    let id = started(&effects, |work| matches!(work, Work::Send(SendWork::Lookup(_))));
    answer(&mut state, id, SendAnswer::Known(Ok(Some(shop()))));
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("in the address book: bottle shop"), "{text}");
}

#[test]
fn a_name_that_may_be_several_is_not_settled_unseen() {
    let mut state = form();
    let effects = type_text(&mut state, "b");
    let id = started(&effects, |work| matches!(work, Work::Send(SendWork::Suggest(_))));
    press(&mut state, KeyCode::Tab);
    type_text(&mut state, "1");
    answer(
        &mut state,
        id,
        SendAnswer::Suggested(Ok(vec![ours(1), ours(2), shop()])),
    );
    assert_eq!(of(&state).to.expose_text(), "b");
    let effects = press(&mut state, KeyCode::Enter);
    assert!(drafted(&effects).is_none());
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("may be several: choose one"), "{text}");
    // Whose whole label it is, is meant.
    let mut state = form();
    let effects = type_text(&mut state, "x");
    let id = started(&effects, |work| matches!(work, Work::Send(SendWork::Suggest(_))));
    press(&mut state, KeyCode::Tab);
    let mut exact = wallet(2);
    exact.label = "x".into();
    let found = vec![Party::Wallet(Box::new(exact)), shop()];
    answer(&mut state, id, SendAnswer::Suggested(Ok(found)));
    assert_eq!(of(&state).to.expose_text(), wallet(2).address.to_string());
}

#[test]
fn a_name_that_was_left_before_it_was_found_is_settled_when_it_is() {
    let found = |state: &mut State, effects: &[Effect]| {
        let id = started(effects, |work| matches!(work, Work::Send(SendWork::Suggest(_))));
        answer(state, id, SendAnswer::Suggested(Ok(vec![ours(1)])))
    };
    let mut state = form();
    let asked = type_text(&mut state, "b");
    press(&mut state, KeyCode::Tab);
    type_text(&mut state, "0.25");
    found(&mut state, &asked);
    assert_eq!(of(&state).to.expose_text(), wallet(1).address.to_string());
    assert_eq!(of(&state).focus, Field::Amount);

    // Whoever asked for the review already is taken there.
    let mut state = form();
    let asked = type_text(&mut state, "b");
    press(&mut state, KeyCode::Tab);
    type_text(&mut state, "0.25");
    assert!(drafted(&press(&mut state, KeyCode::Enter)).is_none());
    assert!(drafted(&found(&mut state, &asked)).is_some());
}

#[test]
fn a_payment_link_fills_the_form_wherever_it_is_pasted() {
    let mut state = form();
    press(&mut state, KeyCode::Tab);
    let link = format!(
        "solana:{}?amount=0.25&label=Caf%C3%A9&memo=table%204\n",
        *wallet(7).solana().unwrap()
    );
    paste(&mut state, &link);
    assert_eq!(of(&state).to.expose_text(), wallet(7).address.to_string());
    assert_eq!(of(&state).amount.expose_text(), "0.25");
    assert_eq!(of(&state).memo.expose_text(), "table 4");
    assert!(screen(&mut state, 80, 24).contains("Café"));
}

#[test]
fn what_is_wrong_is_said_and_nothing_is_asked() {
    let check = |amount: &str, expected: &str| {
        let mut state = form();
        to_wallet_1(&mut state);
        type_text(&mut state, amount);
        assert!(drafted(&press(&mut state, KeyCode::Enter)).is_none(), "{amount}");
        let text = screen(&mut state, 80, 24);
        assert!(text.contains(expected), "{amount}: {text}");
    };
    check("", "No amount was given");
    check("0", "zero");
    check("1,5", "comma");
    check("1 eth", "not known");

    let mut state = form();
    press(&mut state, KeyCode::Enter);
    assert!(screen(&mut state, 80, 24).contains("Who is paid?"));
    paste(&mut state, "0x71C7656EC7ab88b098defB751B7401B5f6d8976F");
    press(&mut state, KeyCode::Enter);
    assert!(screen(&mut state, 80, 24).contains("No address"));
    assert_eq!(of(&state).focus, Field::To);
}

#[test]
fn without_a_node_nothing_is_contacted_and_the_way_is_shown() {
    let mut state = opened(100);
    press(&mut state, KeyCode::Char('s'));
    to_wallet_1(&mut state);
    type_text(&mut state, "1.5");
    assert!(drafted(&press(&mut state, KeyCode::Enter)).is_none());
    snapshot("send_no_node_80x24", &screen(&mut state, 80, 24));
    control(&mut state, 'o');
    assert!(matches!(state.screen, Screen::Settings(_)));
    press(&mut state, KeyCode::Esc);
    assert_eq!(of(&state).amount.expose_text(), "1.5", "what was typed stays");
}

#[test]
fn editing_while_it_is_prepared_takes_the_question_back() {
    let mut state = form();
    to_wallet_1(&mut state);
    type_text(&mut state, "1.5");
    let effects = press(&mut state, KeyCode::Enter);
    let (asked, _) = drafted(&effects).unwrap();
    let effects = type_text(&mut state, "5");
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Cancel(id) if *id == asked))
    );
    let late = crate::console::screen::review::tests::prepared();
    answer(&mut state, asked, SendAnswer::Prepared(Ok(Box::new(late))));
    assert!(
        matches!(state.screen, Screen::Send(_)),
        "a late answer opens nothing"
    );
}

#[test]
fn an_unresolved_equal_transfer_is_followed_or_declared_separate() {
    let mut state = form();
    to_wallet_1(&mut state);
    type_text(&mut state, "1.5");
    let effects = press(&mut state, KeyCode::Enter);
    let (id, _) = drafted(&effects).unwrap();
    let signature = Signature::new([3; 64]);
    let obstacle = Obstacle {
        failure: Failure::new(
            format!("an equal transfer is still unresolved: {signature}"),
            "resume it first",
        ),
        about: About::Unresolved(signature),
    };
    answer(&mut state, id, SendAnswer::Prepared(Err(obstacle)));
    snapshot("send_unresolved_80x24", &screen(&mut state, 80, 24));

    // That the list could not be read does not mean that it is empty.
    let id = RequestId::new(9_000);
    let Screen::Send(page) = &mut state.screen else {
        panic!("the form")
    };
    page.listing.replace(id);
    let failure = Failure::new("the database is busy", "try again");
    answer(&mut state, id, SendAnswer::Unresolved(Err(failure)));
    assert!(screen(&mut state, 80, 24).contains("qual transfer is still"));

    let effects = control(&mut state, 's');
    assert_eq!(drafted(&effects).unwrap().1.repeat, Repeat::Separate);
    let (id, _) = drafted(&effects).unwrap();
    let failure = Failure::new("no answer", "try again");
    answer(
        &mut state,
        id,
        SendAnswer::Prepared(Err(Obstacle {
            failure,
            about: About::Node,
        })),
    );
    assert!(
        drafted(&control(&mut state, 's')).is_none(),
        "only when it was refused for that"
    );
}

#[test]
fn unresolved_transfers_are_listed_and_followed() {
    let mut state = opened(100);
    online(&mut state);
    let effects = press(&mut state, KeyCode::Char('s'));
    let id = started(&effects, |work| {
        matches!(work, Work::Send(SendWork::Unresolved(Some(_))))
    });
    assert!(control(&mut state, 'r').is_empty(), "nothing to follow yet");
    answer(
        &mut state,
        id,
        SendAnswer::Unresolved(Ok(vec![Signature::new([3; 64])])),
    );
    assert!(screen(&mut state, 80, 24).contains("1 earlier transfer"));
    let effects = control(&mut state, 'r');
    started(&effects, |work| matches!(work, Work::Send(SendWork::Resume)));
    assert!(matches!(state.screen, Screen::Transfer(_)));
}

#[test]
fn leaving_asks_when_something_was_typed() {
    let mut state = form();
    press(&mut state, KeyCode::Esc);
    assert!(matches!(state.screen, Screen::Wallets(_)));
    press(&mut state, KeyCode::Char('s'));
    type_text(&mut state, "x");
    press(&mut state, KeyCode::Esc);
    assert!(state.modal.is_some() && matches!(state.screen, Screen::Send(_)));
    press(&mut state, KeyCode::Char('n'));
    assert!(matches!(state.screen, Screen::Send(_)));
    press(&mut state, KeyCode::Esc);
    press(&mut state, KeyCode::Char('y'));
    assert!(matches!(state.screen, Screen::Wallets(_)));
}

/// The form of the first wallet for a token with two decimals.
fn token_form() -> State {
    let mut state = form();
    let token = SentToken {
        mint: *wallet(77).solana().unwrap(),
        decimals: 2,
        symbol: "USD\u{202e}C".into(),
        held: Some(100_000),
    };
    state.screen = Screen::Send(Box::new(SendForm::of_token(wallet(0), token)));
    state
}

#[test]
fn a_token_is_drafted_in_its_own_decimals() {
    let mut state = token_form();
    to_wallet_1(&mut state);
    type_text(&mut state, "12.505");
    assert!(drafted(&press(&mut state, KeyCode::Enter)).is_none());
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("decimal"), "{text}");
    press(&mut state, KeyCode::Backspace);
    press(&mut state, KeyCode::Tab);
    type_text(&mut state, "p75:20000");
    let effects = press(&mut state, KeyCode::Enter);
    let (_, draft) = drafted(&effects).unwrap();
    let units = keyward_core::amount::TokenUnits {
        amount: 1_250,
        decimals: 2,
    };
    let mint = *wallet(77).solana().unwrap();
    assert_eq!(draft.amount, Wish::Exactly(TransferAmount::Token { mint, units }));
    assert_eq!(draft.fee.to_string(), "p75:20000");
}

#[test]
fn a_link_that_asks_for_sol_does_not_fill_a_token_s_form() {
    let mut state = token_form();
    let link = format!("solana:{}?amount=0.25", *wallet(7).solana().unwrap());
    paste(&mut state, &link);
    assert!(of(&state).amount.is_empty());
    press(&mut state, KeyCode::Enter);
    assert!(of(&state).amount.is_empty());
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("he link asks for SOL"), "{text}");
}

#[test]
fn a_token_s_form_opens_again_as_it_was() {
    let units = keyward_core::amount::TokenUnits {
        amount: 1_250,
        decimals: 2,
    };
    let mint = *wallet(77).solana().unwrap();
    let (from, to) = (*wallet(0).solana().unwrap(), *wallet(1).solana().unwrap());
    let mut request = TransferRequest::new(from, to, TransferAmount::Token { mint, units });
    request.fee = "p75:20000".parse().unwrap();
    let form = SendForm::again(wallet(0), &request);
    assert_eq!(form.amount.expose_text(), "12.5");
    assert_eq!(form.priority.expose_text(), "p75:20000");
    assert_eq!(
        form.token.map(|token| (token.mint, token.decimals)),
        Some((mint, 2))
    );
}

#[test]
fn a_token_is_chosen_from_the_wallet_s_list() {
    let mut state = form();
    control(&mut state, 't');
    assert!(matches!(state.screen, Screen::Tokens(_)));
    press(&mut state, KeyCode::Esc);
    assert!(matches!(state.screen, Screen::Send(_)));
    let mut state = token_form();
    control(&mut state, 't');
    assert!(matches!(state.screen, Screen::Send(_)), "it has its token");
}

#[test]
fn a_token_s_form_as_it_looks() {
    let mut state = token_form();
    to_wallet_1(&mut state);
    type_text(&mut state, "12.5");
    let text = screen(&mut state, 80, 24);
    assert!(!text.contains('\u{202e}'));
    snapshot("send_token_80x24", &text);
    snapshot("send_token_120x40", &screen(&mut state, 120, 40));
}

#[test]
fn the_form_as_it_looks() {
    let mut state = form();
    snapshot("send_empty_80x24", &screen(&mut state, 80, 24));
    to_wallet_1(&mut state);
    type_text(&mut state, "1.5");
    snapshot("send_80x24", &screen(&mut state, 80, 24));
    snapshot("send_140x40", &screen(&mut state, 140, 40));
    press(&mut state, KeyCode::Enter);
    wait(&mut state, 2_000);
    assert!(screen(&mut state, 80, 24).contains("simulating · 2 s"));
}
