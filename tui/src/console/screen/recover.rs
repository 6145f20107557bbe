//! Opening the vault by its recovery key: the key, then a new password.

use std::fmt;

use crossterm::event::KeyEvent;
use keyward_custody::VaultSummary;
use keyward_custody::password::{MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS};
use ratatui::Frame;
use ratatui::layout::Rect;

use super::Screen;
use crate::console::effect::{Answer, Failure, Lifetime, Pending, RequestId, Work};
use crate::console::effects::backup::{BackupAnswer, BackupWork};
use crate::console::form::{Field, Form, FormAct};
use crate::console::input::Edit;
use crate::console::keymap::{Action, Context};
use crate::console::modal::Decision;
use crate::console::page::{Cx, Handled, Nav, Page};
use crate::console::sheet::{self, Foot, ask_to_discard};
use crate::console::state::Shared;
use crate::console::update::begin_session;
use crate::console::widget::wrapped;

#[cfg(test)]
mod tests;

const KEY: usize = 0;
const NEW: usize = 1;
const AGAIN: usize = 2;
/// Longer than a recovery key with any spaces between its groups.
const KEY_BYTES: usize = 256;

/// The form.
pub struct RecoverScreen {
    form: Form,
    working: Pending,
    failure: Option<Failure>,
}

impl fmt::Debug for RecoverScreen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecoverScreen").finish_non_exhaustive()
    }
}

impl Default for RecoverScreen {
    fn default() -> Self {
        Self {
            form: Form::new(vec![
                Field::masked("recovery key", KEY_BYTES)
                    .hint("14 groups of four, as written down; case and dashes do not matter"),
                Field::masked("new password", MAX_PASSWORD_BYTES).hint(format!(
                    "at least {MIN_PASSWORD_CHARS} characters; the old one opens nothing any more"
                )),
                Field::masked("and again", MAX_PASSWORD_BYTES),
            ]),
            working: Pending::default(),
            failure: None,
        }
    }
}

impl RecoverScreen {
    fn submit(&mut self, cx: &mut Cx<'_>) {
        if self.working.is_waiting() {
            return;
        }
        self.failure = None;
        for field in [KEY, NEW, AGAIN] {
            if self.form.expose_text(field).is_empty() {
                return self.form.set_focus(field);
            }
        }
        if self.form.expose_text(NEW) != self.form.expose_text(AGAIN) {
            self.form.clear(AGAIN);
            let cause = "the new password was not typed the same twice";
            self.failure = Some(Failure::new(cause, "type it again"));
            return;
        }
        let work = BackupWork::Recover {
            recovery: self.form.expose_copy(KEY),
            new: self.form.expose_copy(NEW),
        };
        let id = cx.start_for(Work::Backup(work), Lifetime::Console);
        self.working.replace(id);
    }

    fn recovered(&mut self, result: Result<VaultSummary, Failure>, cx: &mut Cx<'_>) {
        match result {
            Ok(summary) => {
                self.form.clear_secrets();
                begin_session(summary, cx);
                cx.notice("the vault has its new password");
                cx.go(Nav::Reset(Screen::wallets()));
            }
            Err(failure) => self.failure = Some(failure),
        }
    }
}

impl Page for RecoverScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Form]
    }

    fn typing(&self) -> bool {
        true
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match self.form.act(action) {
            FormAct::Submit => self.submit(cx),
            FormAct::Back if self.working.is_waiting() => {}
            FormAct::Back if self.unsaved() => cx.modal(ask_to_discard("Leave the recovery?")),
            FormAct::Back => cx.go(Nav::Back),
            FormAct::Other => return Handled::No,
            FormAct::Done => {}
        }
        Handled::Yes
    }

    fn text(&mut self, key: KeyEvent, _cx: &mut Cx<'_>) {
        if !self.working.is_waiting() && self.form.key(key) == Edit::Changed {
            self.failure = None;
        }
    }

    fn paste(&mut self, text: &str, _cx: &mut Cx<'_>) {
        if !self.working.is_waiting() {
            self.form.paste(text);
        }
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Backup(BackupAnswer::Recovered(result)) if self.working.settle(id) => {
                self.recovered(result, cx);
            }
            Answer::Broken(failure) if self.working.settle(id) => self.failure = Some(failure),
            other => return Some(other),
        }
        None
    }

    fn unsaved(&self) -> bool {
        self.working.is_waiting() || !self.form.is_empty()
    }

    fn confirmed(&mut self, decision: &Decision, cx: &mut Cx<'_>) {
        if *decision == Decision::Discard {
            cx.go(Nav::Back);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let words = wrapped(
            "The recovery key opens the vault once and gives it a new password. The second factor, if \
             KEYWARD_ENCRYPTION_KEY is set now, goes with it.",
            sheet::inner(area).width,
            shared.palette.muted,
        );
        let at = sheet::head("Recovery key", "", words, shared, frame, area);
        let at = self.form.view(frame, area, at, &shared.palette);
        let foot = if self.working.is_waiting() {
            Foot::Working("opening the vault and setting the new password")
        } else if let Some(failure) = &self.failure {
            Foot::Failed(failure)
        } else {
            Foot::Quiet
        };
        sheet::foot(foot, shared, frame, area, at + 1);
    }
}
