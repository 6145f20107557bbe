//! Taking a wallet's key out, into a new file: the format, the passwords, and a word typed to confirm.

use std::fmt;

use crossterm::event::KeyEvent;
use keyward_custody::password::MAX_PASSWORD_BYTES;
use keyward_custody::{Password, Wallet};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::wallet::facts::title;
use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::keys::{ExportFormat, ExportRequest, KeysAnswer, KeysWork};
use crate::console::form::{Field, Form, FormAct};
use crate::console::input::Edit;
use crate::console::keymap::{Action, Context};
use crate::console::modal::Decision;
use crate::console::page::{Cx, Handled, Nav, Page};
use crate::console::sheet::{self, Foot, ask_to_discard};
use crate::console::state::Shared;
use crate::console::widget::{full_address, wrapped};

#[cfg(test)]
mod tests;

const FORMAT: usize = 0;
const FILE: usize = 1;
const PASSWORD: usize = 2;
/// What is typed to confirm when the wallet has no label.
const WORD: &str = "export";
const PATH_BYTES: usize = 1_024;

/// The form.
pub struct ExportScreen {
    wallet: Wallet,
    form: Form,
    completing: Pending,
    exporting: Pending,
    failure: Option<Failure>,
    problem: Option<String>,
    written: Option<String>,
}

impl fmt::Debug for ExportScreen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExportScreen").finish_non_exhaustive()
    }
}

impl ExportScreen {
    /// The export of this wallet's key.
    #[must_use]
    pub fn new(wallet: Wallet) -> Self {
        let mut screen = Self {
            wallet,
            form: Form::default(),
            completing: Pending::default(),
            exporting: Pending::default(),
            failure: None,
            problem: None,
            written: None,
        };
        screen.form = screen.make_form();
        screen
    }

    fn formats(&self) -> &'static [ExportFormat] {
        ExportFormat::of(self.wallet.address.chain())
    }

    fn format(&self) -> ExportFormat {
        let formats = self.formats();
        formats
            .get(self.form.chosen(FORMAT))
            .copied()
            .unwrap_or(ExportFormat::Hex)
    }

    fn make_form(&self) -> Form {
        let formats = self.formats().iter().map(|format| format.name().to_owned());
        let mut fields = vec![
            Field::choice("format", formats.collect()).hint("← → choose"),
            Field::plain("new file", PATH_BYTES)
                .hint("readable by you alone; no file is ever written over. Tab completes names."),
            Field::masked("vault password", MAX_PASSWORD_BYTES).hint("typed again, because a key leaves"),
        ];
        if self.wallet.own_password {
            fields.push(
                Field::masked("wallet's password", MAX_PASSWORD_BYTES)
                    .hint("the wallet's own, which it signs with"),
            );
        }
        if self.formats().iter().any(|format| !format.is_plain()) {
            fields.push(
                Field::masked("file's password", MAX_PASSWORD_BYTES)
                    .hint("opens the keystore wherever it is read; a plain format has none"),
            );
            fields.push(Field::masked("and again", MAX_PASSWORD_BYTES));
        }
        fields.push(Field::plain("to confirm", 128).hint(format!("type {} to export the key", self.word())));
        Form::new(fields)
    }

    fn own(&self) -> Option<usize> {
        self.wallet.own_password.then_some(PASSWORD + 1)
    }

    fn file_password(&self) -> Option<usize> {
        let encrypted = self.formats().iter().any(|format| !format.is_plain());
        encrypted.then_some(PASSWORD + 1 + usize::from(self.wallet.own_password))
    }

    fn confirming(&self) -> usize {
        let before = PASSWORD + 1 + usize::from(self.wallet.own_password);
        before + if self.file_password().is_some() { 2 } else { 0 }
    }

    fn word(&self) -> &str {
        if self.wallet.label.is_empty() {
            WORD
        } else {
            &self.wallet.label
        }
    }

    /// What is missing or wrong, and where.
    fn problem(&self) -> Option<(usize, String)> {
        if self.form.expose_text(FILE).trim().is_empty() {
            return Some((FILE, "name the new file".into()));
        }
        if self.form.expose_text(PASSWORD).is_empty() {
            return Some((PASSWORD, "type the vault's password".into()));
        }
        if let Some(own) = self.own().filter(|own| self.form.expose_text(*own).is_empty()) {
            return Some((own, "type the wallet's own password".into()));
        }
        if let Some(at) = self.file_password() {
            let (first, second) = (self.form.expose_text(at), self.form.expose_text(at + 1));
            if self.format().is_plain() && !first.is_empty() {
                return Some((
                    at,
                    "this format is not encrypted; clear the file's password".into(),
                ));
            }
            if !self.format().is_plain() && first.is_empty() {
                return Some((at, "give the file a password".into()));
            }
            if first != second {
                return Some((at + 1, "the file's password was not typed the same twice".into()));
            }
            if !self.format().is_plain()
                && let Err(error) = Password::new(first.to_owned()).check_strength()
            {
                return Some((at, error.to_string()));
            }
        }
        let confirming = self.confirming();
        if self.form.expose_text(confirming).trim() != self.word() {
            return Some((confirming, format!("type {} to confirm", self.word())));
        }
        None
    }

    fn submit(&mut self, cx: &mut Cx<'_>) {
        if self.exporting.is_waiting() {
            return;
        }
        self.failure = None;
        if let Some((field, problem)) = self.problem() {
            self.form.set_focus(field);
            self.problem = Some(problem);
            return;
        }
        let request = ExportRequest {
            address: self.wallet.address,
            format: self.format(),
            path: self.form.expose_text(FILE).trim().to_owned(),
            password: self.form.expose_copy(PASSWORD),
            wallet_password: self.own().map(|own| self.form.expose_copy(own)),
            file_password: self
                .file_password()
                .map(|at| self.form.expose_copy(at))
                .unwrap_or_default(),
        };
        let work = Work::Keys(KeysWork::Export(Box::new(request)));
        cx.start_latest(&mut self.exporting, work);
    }

    fn exported(&mut self, result: Result<String, Failure>) {
        match result {
            Ok(path) => {
                self.form = Form::default();
                self.written = Some(path);
            }
            Err(failure) => {
                // The vault's password may be the wrong one; what else was typed stays.
                self.form.clear(PASSWORD);
                self.form.set_focus(PASSWORD);
                self.failure = Some(failure);
            }
        }
    }
}

impl Page for ExportScreen {
    fn contexts(&self) -> Vec<Context> {
        match &self.written {
            Some(_) => vec![Context::Done],
            None if self.form.focus() == FILE => vec![Context::File, Context::Form],
            None => vec![Context::Form],
        }
    }

    fn typing(&self) -> bool {
        self.written.is_none()
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        if action == Action::Complete {
            let text = self.form.expose_text(FILE).to_owned();
            cx.start_latest(&mut self.completing, Work::Keys(KeysWork::Complete(text)));
            return Handled::Yes;
        }
        if action == Action::Back {
            match (self.exporting.is_waiting(), self.unsaved()) {
                // A key that is leaving is not called back.
                (true, _) => {}
                (false, true) => cx.modal(ask_to_discard("Leave the export?")),
                (false, false) => cx.go(Nav::Back),
            }
            return Handled::Yes;
        }
        match self.form.act(action) {
            FormAct::Submit => self.submit(cx),
            FormAct::Other => return Handled::No,
            FormAct::Done | FormAct::Back => {}
        }
        Handled::Yes
    }

    fn text(&mut self, key: KeyEvent, _cx: &mut Cx<'_>) {
        if !self.exporting.is_waiting() && self.form.key(key) == Edit::Changed {
            (self.problem, self.failure) = (None, None);
        }
    }

    fn paste(&mut self, text: &str, _cx: &mut Cx<'_>) {
        if !self.exporting.is_waiting() && self.form.paste(text) == Edit::Changed {
            (self.problem, self.failure) = (None, None);
        }
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Keys(KeysAnswer::Completed(found)) if self.completing.settle(id) => match found {
                Some(text) => self.form.set_text(FILE, &text),
                None => cx.notice("no file begins like this"),
            },
            Answer::Keys(KeysAnswer::Exported(result)) if self.exporting.settle(id) => self.exported(result),
            Answer::Broken(failure) if self.exporting.settle(id) => self.exported(Err(failure)),
            other => return Some(other),
        }
        None
    }

    fn unsaved(&self) -> bool {
        self.exporting.is_waiting() || !self.form.is_empty()
    }

    fn confirmed(&mut self, decision: &Decision, cx: &mut Cx<'_>) {
        if *decision == Decision::Discard {
            cx.go(Nav::Back);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let width = sheet::inner(area).width;
        let mut words = vec![Line::from(full_address(
            &self.wallet.address.to_string(),
            palette,
        ))];
        match &self.written {
            Some(path) => {
                words.extend(wrapped(&format!("✓ written to {path}"), width, palette.good));
                let next = "Move it where it belongs, and wipe the file when it is no longer needed. The audit log says \
                            that this key left the vault.";
                words.extend(wrapped(next, width, palette.text));
            }
            None if self.format().is_plain() => {
                let danger = "! Whoever reads the file can spend everything this wallet holds, now and later. The vault's \
                              policy and limits do not bind them.";
                words.extend(wrapped(danger, width, palette.danger));
            }
            None => {
                let note = "! Whoever has the file can try passwords on it for ever. Give it a good one.";
                words.extend(wrapped(note, width, palette.warning));
            }
        }
        let heading = format!("Export the key of {}", title(&self.wallet));
        let at = sheet::head(&heading, "", words, shared, frame, area);
        let at = self.form.view(frame, area, at, palette);
        let foot = if self.exporting.is_waiting() {
            Foot::Working("checking the passwords and the policy, then writing the file")
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
