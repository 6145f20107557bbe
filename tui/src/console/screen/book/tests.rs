#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

fn contact(index: u32, label: &str, note: &str) -> Contact {
    Contact {
        address: *wallet(index).solana().unwrap(),
        label: label.into(),
        note: note.into(),
        created_ms: NOW_MS - 86_400_000,
        paid: u64::from(index) * 7,
    }
}

fn answer(state: &mut State, effects: &[Effect], rows: Vec<Contact>) {
    let id = started(effects, |work| matches!(work, Work::Book(BookWork::Page(_))));
    let total = rows.len() as u64;
    let answer = Answer::Book(BookAnswer::Page(Ok(ContactPage { total, rows })));
    update(state, Msg::Answer { id, answer });
}

fn book() -> State {
    let mut state = opened(10);
    let effects = press(&mut state, KeyCode::Char('b'));
    let rows = vec![
        contact(0, "accountant", ""),
        contact(1, "exchange deposit", "memo needed: 4711\u{1b}[2J"),
        contact(2, "zoe", "the cold one"),
    ];
    answer(&mut state, &effects, rows);
    state
}

#[test]
fn contacts_are_listed_with_the_whole_address_of_one() {
    let mut state = book();
    press(&mut state, KeyCode::Down);
    snapshot("book_80x24", &screen(&mut state, 80, 24));
    snapshot("book_120x40", &screen(&mut state, 120, 40));
    let effects = press(&mut state, KeyCode::Char('y'));
    let copied = effects
        .iter()
        .any(|effect| matches!(effect, Effect::Copy(text) if *text == wallet(1).address.to_string()));
    assert!(copied, "{effects:?}");
}

#[test]
fn the_filter_asks_as_one_types_and_esc_clears_it() {
    let mut state = book();
    press(&mut state, KeyCode::Char('/'));
    let effects = press(&mut state, KeyCode::Char('q'));
    let asked = effects.iter().any(|effect| {
        matches!(effect, Effect::Start { work: Work::Book(BookWork::Page(query)), .. } if query.text == "q")
    });
    assert!(asked, "{effects:?}");
    answer(&mut state, &effects, Vec::new());
    snapshot("book_no_match_80x24", &screen(&mut state, 80, 24));
    let effects = press(&mut state, KeyCode::Esc);
    let asked = effects.iter().any(|effect| {
        matches!(effect, Effect::Start { work: Work::Book(BookWork::Page(query)), .. } if query.text.is_empty())
    });
    assert!(asked, "{effects:?}");
}

#[test]
fn a_label_is_changed_and_somebody_removed() {
    let mut state = book();
    press(&mut state, KeyCode::Char('e'));
    control(&mut state, 'u');
    type_text(&mut state, "auditor");
    let effects = press(&mut state, KeyCode::Enter);
    let id = started(
        &effects,
        |work| matches!(work, Work::Book(BookWork::Rename { label, .. }) if label == "auditor"),
    );
    let failure = Failure::new("there is a contact auditor already", "choose another label");
    let answer = Answer::Book(BookAnswer::Changed(Err(failure)));
    update(&mut state, Msg::Answer { id, answer });
    assert!(screen(&mut state, 80, 24).contains("auditor already"));
    press(&mut state, KeyCode::Esc);
    press(&mut state, KeyCode::Char('D'));
    assert!(screen(&mut state, 80, 24).contains("Remove accountant?"));
    let effects = press(&mut state, KeyCode::Char('y'));
    let id = started(&effects, |work| matches!(work, Work::Book(BookWork::Remove(_))));
    let answer = Answer::Book(BookAnswer::Changed(Ok(())));
    let effects = update(&mut state, Msg::Answer { id, answer });
    started(&effects, |work| matches!(work, Work::Book(BookWork::Page(_))));
    assert!(screen(&mut state, 80, 24).contains("removed from the address book"));
}
