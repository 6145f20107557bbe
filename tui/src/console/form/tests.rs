use super::*;
use crossterm::event::KeyModifiers;

fn press(form: &mut Form, code: KeyCode) -> Edit {
    form.key(KeyEvent::new(code, KeyModifiers::NONE))
}

fn form() -> Form {
    Form::new(vec![
        Field::plain("label", 16),
        Field::masked("password", 16),
        Field::choice("chain", vec!["solana".into(), "evm".into()]),
    ])
}

#[test]
fn enter_goes_on_and_submits_at_the_end() {
    let mut form = form();
    assert_eq!(form.act(Action::Accept), FormAct::Done);
    assert_eq!(form.act(Action::Accept), FormAct::Done);
    assert_eq!(form.act(Action::Accept), FormAct::Submit);
    assert_eq!(form.act(Action::Next), FormAct::Done);
    assert_eq!(form.focus(), 0);
    assert_eq!(form.act(Action::Previous), FormAct::Done);
    assert_eq!(form.focus(), 2);
    assert_eq!(form.act(Action::Back), FormAct::Back);
    assert_eq!(form.act(Action::Help), FormAct::Other);
}

#[test]
fn choices_are_stepped_through_and_never_typed_into() {
    let mut form = form();
    form.set_focus(2);
    assert_eq!(press(&mut form, KeyCode::Char('x')), Edit::Ignored);
    assert_eq!(press(&mut form, KeyCode::Right), Edit::Changed);
    assert_eq!(form.chosen(2), 1);
    press(&mut form, KeyCode::Char(' '));
    assert_eq!(form.chosen(2), 0);
    press(&mut form, KeyCode::Left);
    assert_eq!((form.chosen(2), form.expose_text(2)), (1, ""));
    assert_eq!(form.paste("text"), Edit::Ignored);
}

#[test]
fn hidden_fields_are_passed_over_and_keep_what_they_hold() {
    let mut form = form();
    form.paste("bots");
    form.hide(&[0, 2]);
    assert_eq!((form.focus(), form.expose_text(0)), (1, "bots"));
    assert_eq!(form.act(Action::Next), FormAct::Done);
    assert_eq!(form.act(Action::Previous), FormAct::Done);
    assert_eq!(form.focus(), 1);
    assert_eq!(form.act(Action::Accept), FormAct::Submit);
    form.hide(&[1]);
    assert_eq!(form.focus(), 2);
    form.act(Action::Next);
    assert_eq!(form.focus(), 0);
    form.act(Action::Previous);
    assert_eq!(form.focus(), 2);
}

#[test]
fn secrets_are_wiped_and_nothing_else() {
    let mut form = form();
    form.paste("bots\n");
    form.set_focus(1);
    form.paste("canary");
    assert_eq!(form.expose_copy(1).as_str(), "canary");
    assert!(!format!("{form:?}").contains("canary"));
    form.clear_secrets();
    assert_eq!((form.expose_text(0), form.expose_text(1)), ("bots", ""));
    assert!(!form.is_empty());
}
