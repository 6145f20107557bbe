#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_custody::book::Contact;
use keyward_custody::lookalike::{Known, KnownAs};

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

fn form() -> State {
    let mut state = opened(10);
    press(&mut state, KeyCode::Char('b'));
    press(&mut state, KeyCode::Char('n'));
    assert!(matches!(state.screen, Screen::Contact(_)));
    state
}

fn adding(effects: &[Effect]) -> Option<(RequestId, &NewContact, Compared)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Book(BookWork::Add { contact, compared }),
            ..
        } => Some((*id, contact, *compared)),
        _ => None,
    })
}

fn address() -> Address {
    *wallet(5).solana().unwrap()
}

/// The form filled in and sent.
fn sent() -> (State, RequestId) {
    let mut state = form();
    type_text(&mut state, "exchange");
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, &address().to_string());
    press(&mut state, KeyCode::Enter);
    let effects = press(&mut state, KeyCode::Enter);
    let (id, contact, compared) = adding(&effects).unwrap();
    assert_eq!((contact.label.as_str(), contact.address), ("exchange", address()));
    assert_eq!(compared, Compared::No);
    (state, id)
}

#[test]
fn somebody_is_added() {
    let (mut state, id) = sent();
    let contact = Contact {
        address: address(),
        label: "exchange".into(),
        note: String::new(),
        created_ms: NOW_MS,
        paid: 0,
    };
    let answer = Answer::Book(BookAnswer::Added(Ok(Added::Done(contact))));
    update(&mut state, Msg::Answer { id, answer });
    assert!(matches!(state.screen, Screen::Book(_)));
    assert!(screen(&mut state, 80, 24).contains("exchange is in the address book"));
}

#[test]
fn what_resembles_a_known_one_takes_a_word_and_another_address_begins_anew() {
    let (mut state, id) = sent();
    let resemblance = Resemblance {
        known: Known {
            address: *wallet(1).solana().unwrap(),
            label: "bot-0001".into(),
            known_as: KnownAs::OwnWallet,
            uses: 12,
        },
        head: 4,
        tail: 4,
        bits: 46,
    };
    let answer = Answer::Book(BookAnswer::Added(Ok(Added::LooksLike(Box::new(resemblance)))));
    update(&mut state, Msg::Answer { id, answer });
    snapshot("contact_lookalike_80x24", &screen(&mut state, 80, 24));
    snapshot("contact_lookalike_120x40", &screen(&mut state, 120, 40));
    assert!(adding(&press(&mut state, KeyCode::Enter)).is_none());
    type_text(&mut state, WORD);
    let effects = press(&mut state, KeyCode::Enter);
    let (id, _, compared) = adding(&effects).unwrap();
    assert_eq!(compared, Compared::ByPerson);
    let failure = Failure::new("the vault is locked", "unlock it");
    let answer = Answer::Book(BookAnswer::Added(Err(failure)));
    update(&mut state, Msg::Answer { id, answer });
    // Another address was not compared.
    for _ in 0..2 {
        press(&mut state, KeyCode::Up);
    }
    control(&mut state, 'u');
    type_text(&mut state, &wallet(6).address.to_string());
    press(&mut state, KeyCode::Enter);
    let effects = press(&mut state, KeyCode::Enter);
    let (_, _, compared) = adding(&effects).unwrap();
    assert_eq!(compared, Compared::No);
}

#[test]
fn a_form_that_is_not_right_is_not_sent() {
    let mut state = form();
    snapshot("contact_80x24", &screen(&mut state, 80, 24));
    type_text(&mut state, "exchange");
    press(&mut state, KeyCode::Enter);
    type_text(&mut state, "not an address");
    press(&mut state, KeyCode::Enter);
    assert!(adding(&press(&mut state, KeyCode::Enter)).is_none());
    assert!(screen(&mut state, 80, 24).contains("! the address:"));
    press(&mut state, KeyCode::Esc);
    assert!(screen(&mut state, 80, 24).contains("Leave without adding it?"));
}
