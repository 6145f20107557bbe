//! Adding somebody to the address book. What looks like an address that is known is compared by the person first.

use crossterm::event::KeyEvent;
use keyward_core::address::Address;
use keyward_custody::book::{MAX_CONTACT_CHARS, MAX_NOTE_CHARS, NewContact};
use keyward_custody::lookalike::Resemblance;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::book::{Added, BookAnswer, BookWork, Compared, known_as};
use crate::console::form::{Field, Form, FormAct};
use crate::console::input::Edit;
use crate::console::keymap::{Action, Context};
use crate::console::modal::Decision;
use crate::console::page::{Cx, Handled, Nav, Page};
use crate::console::sheet::{self, Foot, ask_to_discard};
use crate::console::state::Shared;
use crate::console::text::{count, printable};
use crate::console::widget::{full_address, wrapped};

#[cfg(test)]
mod tests;

const LABEL: usize = 0;
const ADDRESS: usize = 1;
const NOTE: usize = 2;
/// Only there once something is to be compared.
const SAME: usize = 3;
/// The word that says that it was.
const WORD: &str = "different";

/// The form.
#[derive(Debug)]
pub struct ContactScreen {
    form: Form,
    working: Pending,
    resembles: Option<Box<Resemblance>>,
    problem: Option<String>,
    failure: Option<Failure>,
}

fn fields() -> Vec<Field> {
    vec![
        Field::plain("label", MAX_CONTACT_CHARS * 4).hint("what you call it; no other contact's"),
        Field::plain("address", 64).hint("the whole address, 32 to 44 characters"),
        Field::plain("note", MAX_NOTE_CHARS * 4).hint("optional"),
    ]
}

impl Default for ContactScreen {
    fn default() -> Self {
        Self {
            form: Form::new(fields()),
            working: Pending::default(),
            resembles: None,
            problem: None,
            failure: None,
        }
    }
}

impl ContactScreen {
    fn submit(&mut self, cx: &mut Cx<'_>) {
        if self.working.is_waiting() {
            return;
        }
        (self.problem, self.failure) = (None, None);
        let label = self.form.expose_text(LABEL).trim().to_owned();
        if label.is_empty() {
            self.problem = Some("give it a label".into());
            return self.form.set_focus(LABEL);
        }
        let address = match self.form.expose_text(ADDRESS).trim().parse::<Address>() {
            Ok(address) => address,
            Err(error) => {
                self.problem = Some(format!("the address: {error}"));
                return self.form.set_focus(ADDRESS);
            }
        };
        let compared = if self.resembles.is_none() {
            Compared::No
        } else if self.form.expose_text(SAME).trim() == WORD {
            Compared::ByPerson
        } else {
            self.problem = Some(format!("compare them, then type {WORD}; or correct the address"));
            return self.form.set_focus(SAME);
        };
        let contact = NewContact {
            address,
            label,
            note: self.form.expose_text(NOTE).trim().to_owned(),
        };
        let work = BookWork::Add { contact, compared };
        cx.start_latest(&mut self.working, Work::Book(work));
    }

    fn added(&mut self, result: Result<Added, Failure>, cx: &mut Cx<'_>) {
        match result {
            Ok(Added::Done(contact)) => {
                self.form = Form::default();
                cx.notice(format!("{} is in the address book", printable(&contact.label)));
                cx.go(Nav::Back);
            }
            Ok(Added::LooksLike(resemblance)) => {
                self.rebuild(true);
                self.form.set_focus(SAME);
                self.resembles = Some(resemblance);
            }
            Err(failure) => self.failure = Some(failure),
        }
    }

    /// The same texts, with or without the field for what was compared.
    fn rebuild(&mut self, to_compare: bool) {
        let texts: Vec<String> = (LABEL..=NOTE)
            .map(|at| self.form.expose_text(at).to_owned())
            .collect();
        let focus = self.form.focus();
        let mut fields = fields();
        if to_compare {
            fields.push(
                Field::plain("to confirm", 16)
                    .hint(format!("type {WORD}, once you compared every character")),
            );
        }
        self.form = Form::new(fields);
        for (at, text) in texts.iter().enumerate() {
            self.form.set_text(at, text);
        }
        self.form.set_focus(focus);
    }
}

impl Page for ContactScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Form]
    }

    fn typing(&self) -> bool {
        true
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match self.form.act(action) {
            FormAct::Submit => self.submit(cx),
            FormAct::Back if self.unsaved() => cx.modal(ask_to_discard("Leave without adding it?")),
            FormAct::Back => cx.go(Nav::Back),
            FormAct::Other => return Handled::No,
            FormAct::Done => {}
        }
        Handled::Yes
    }

    fn text(&mut self, key: KeyEvent, _cx: &mut Cx<'_>) {
        if self.working.is_waiting() {
            return;
        }
        let on_address = self.form.focus() == ADDRESS;
        if self.form.key(key) == Edit::Changed {
            (self.problem, self.failure) = (None, None);
            // What was compared was another address.
            if on_address && self.resembles.take().is_some() {
                self.rebuild(false);
            }
        }
    }

    fn paste(&mut self, text: &str, _cx: &mut Cx<'_>) {
        if self.working.is_waiting() {
            return;
        }
        let on_address = self.form.focus() == ADDRESS;
        self.form.paste(text.trim());
        if on_address && self.resembles.take().is_some() {
            self.rebuild(false);
        }
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Book(BookAnswer::Added(result)) if self.working.settle(id) => self.added(result, cx),
            Answer::Broken(failure) if self.working.settle(id) => self.failure = Some(failure),
            other => return Some(other),
        }
        None
    }

    fn unsaved(&self) -> bool {
        !self.form.is_empty()
    }

    fn confirmed(&mut self, decision: &Decision, cx: &mut Cx<'_>) {
        if *decision == Decision::Discard {
            self.form = Form::default();
            cx.go(Nav::Back);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let width = sheet::inner(area).width;
        let lines = match &self.resembles {
            None => wrapped(
                "A name for an address that is paid from here. It is compared with your wallets, the address book and whom \
                 you paid before.",
                width,
                palette.text,
            ),
            Some(resemblance) => {
                let known = &resemblance.known;
                let label = match known.label.as_str() {
                    "" => String::new(),
                    label => format!("{}, ", printable(label)),
                };
                let words = format!(
                    "! It looks like, but is not, {label}{}, used {}:",
                    known_as(resemblance),
                    count(known.uses, "time", "times")
                );
                let mut lines = wrapped(&words, width, palette.danger);
                lines.push(Line::from(full_address(&known.address.to_string(), palette)));
                lines.push(Line::from(full_address(
                    self.form.expose_text(ADDRESS).trim(),
                    palette,
                )));
                lines.extend(wrapped(
                    "People who want your money make addresses whose ends are those of one you know.",
                    width,
                    palette.muted,
                ));
                lines
            }
        };
        let at = sheet::head("New contact", "", lines, shared, frame, area);
        let at = self.form.view(frame, area, at, palette);
        let foot = if self.working.is_waiting() {
            Foot::Working("comparing it with the addresses you know")
        } else if let Some(problem) = &self.problem {
            Foot::Problem(problem)
        } else if let Some(failure) = &self.failure {
            Foot::Failed(failure)
        } else {
            Foot::Quiet
        };
        sheet::foot(foot, shared, frame, area, at + 1);
    }
}
