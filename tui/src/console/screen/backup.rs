//! Backup and recovery: the recovery key (made, shown once, asked back, taken away), a new vault key, and the ways to
//! other files and databases.

use std::fmt;

use crossterm::event::KeyEvent;
use keyward_core::vault::RecoveryKey;
use keyward_custody::password::MAX_PASSWORD_BYTES;
use keyward_custody::{Rotation, VaultSummary};
use ratatui::Frame;
use ratatui::layout::Rect;

use super::Screen;
use crate::console::effect::{Answer, Effect, Failure, Lifetime, Pending, RequestId, Work};
use crate::console::effects::backup::{BackupAnswer, BackupWork};
use crate::console::effects::upkeep::UpkeepAnswer;
use crate::console::form::{Field, Form, FormAct};
use crate::console::input::Edit;
use crate::console::keymap::{Action, Context};
use crate::console::modal::Decision;
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::sheet::ask_to_discard;
use crate::console::state::Shared;
use crate::console::text::count;

mod rotating;
#[cfg(test)]
mod tests;
mod view;

/// How long the recovery key is shown.
const SHOWN_MS: u64 = 30_000;
/// The groups of a recovery key.
const GROUPS: usize = 14;
const PATH_BYTES: usize = 1_024;
/// What is said when a new recovery key was made and nobody showed that it is written down.
pub const UNCHECKED: &str = "the new recovery key was not checked: make another one in Backup";
/// The word that confirms a rotation.
const WORD: &str = "rotate";

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Make,
    Remove,
    Rotate,
    Abandon,
    Save,
    Merge,
    Copy,
    Password,
}

/// Where one is.
enum Step {
    /// The choices.
    Menu,
    /// The vault's password is asked for.
    Ask(Choice),
    /// The new recovery key, to be written down.
    Show(RecoveryKey),
    /// Two of its groups are asked back.
    AskBack(RecoveryKey),
}

/// The screen.
pub struct BackupScreen {
    step: Step,
    selected: usize,
    form: Form,
    shown_until_ms: Option<u64>,
    /// The groups that are asked back, counted from 0.
    asked: [usize; 2],
    working: Pending,
    failure: Option<Failure>,
    problem: Option<String>,
}

impl fmt::Debug for BackupScreen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackupScreen").finish_non_exhaustive()
    }
}

impl Default for BackupScreen {
    fn default() -> Self {
        Self {
            step: Step::Menu,
            selected: 0,
            form: Form::default(),
            shown_until_ms: None,
            asked: [0, 1],
            working: Pending::default(),
            failure: None,
            problem: None,
        }
    }
}

/// What can be done with this vault.
fn choices(shared: &Shared) -> Vec<Choice> {
    let recovery = if summary(shared).is_some_and(|summary| summary.has_recovery) {
        Choice::Remove
    } else {
        Choice::Make
    };
    let mut choices = vec![recovery, Choice::Save, Choice::Rotate];
    if shared.vault_key.elsewhere(&shared.jobs).is_some() {
        choices.push(Choice::Abandon);
    }
    choices.extend([Choice::Merge, Choice::Copy, Choice::Password]);
    choices
}

fn summary(shared: &Shared) -> Option<&VaultSummary> {
    shared.session.as_ref().map(|session| &session.summary)
}

impl BackupScreen {
    fn choice(&self, shared: &Shared) -> Option<Choice> {
        choices(shared).get(self.selected).copied()
    }

    fn choose(&mut self, cx: &mut Cx<'_>) {
        let Some(choice) = self.choice(cx.shared) else {
            return;
        };
        match choice {
            Choice::Password => return cx.go(Nav::Push(Screen::Password(Box::default()))),
            Choice::Merge => return cx.go(Nav::Push(Screen::Merge(Box::default()))),
            Choice::Copy => return cx.go(Nav::Push(Screen::CopyStore(Box::default()))),
            Choice::Rotate if cx.shared.vault_key.job(&cx.shared.jobs).is_some() => {
                return cx.notice("the new vault key is being made already (3 jobs)");
            }
            Choice::Make | Choice::Remove | Choice::Rotate | Choice::Abandon | Choice::Save => {}
        }
        let mut fields = vec![Field::masked("vault password", MAX_PASSWORD_BYTES).hint("typed again")];
        if choice == Choice::Rotate {
            fields.push(Field::plain("to confirm", 16).hint(format!("type {WORD}")));
        }
        if choice == Choice::Save {
            fields.push(
                Field::plain("new file", PATH_BYTES)
                    .hint("vault.keyward for example; no file is ever written over"),
            );
            fields.push(
                Field::masked("file's password", MAX_PASSWORD_BYTES)
                    .hint("optional; without it the vault's own opens it"),
            );
            fields.push(Field::masked("and again", MAX_PASSWORD_BYTES));
        }
        self.form = Form::new(fields);
        (self.failure, self.problem) = (None, None);
        self.step = Step::Ask(choice);
    }

    fn submit(&mut self, choice: Choice, cx: &mut Cx<'_>) {
        if self.working.is_waiting() {
            return;
        }
        if self.form.expose_text(0).is_empty() {
            self.problem = Some("type the vault's password".into());
            return self.form.set_focus(0);
        }
        if choice == Choice::Rotate && self.form.expose_text(1).trim() != WORD {
            self.problem = Some(format!("type {WORD} to confirm"));
            return self.form.set_focus(1);
        }
        if choice == Choice::Save && self.form.expose_text(1).trim().is_empty() {
            self.problem = Some("name the new file".into());
            return self.form.set_focus(1);
        }
        if choice == Choice::Save && self.form.expose_text(2) != self.form.expose_text(3) {
            self.problem = Some("the file's password was not typed the same twice".into());
            self.form.clear(3);
            return self.form.set_focus(3);
        }
        let password = self.form.expose_copy(0);
        self.form.clear(0);
        self.failure = None;
        let work = match choice {
            Choice::Make => BackupWork::AddRecovery(password),
            Choice::Remove => BackupWork::RemoveRecovery(password),
            Choice::Rotate => return self.start_rotating(password, cx),
            Choice::Abandon => return self.start_abandoning(password, cx),
            Choice::Save => {
                let own = self.form.expose_copy(2);
                BackupWork::Save {
                    password,
                    path: self.form.expose_text(1).trim().to_owned(),
                    own: (!own.is_empty()).then_some(own),
                }
            }
            Choice::Merge | Choice::Copy | Choice::Password => return,
        };
        // A lock must not stop what has changed the vault already: the old recovery key may be dead by then.
        let lifetime = match choice {
            Choice::Make => Lifetime::Console,
            _ => Lifetime::Session,
        };
        let id = cx.start_for(Work::Backup(work), lifetime);
        self.working.replace(id);
        if lifetime == Lifetime::Console {
            cx.shared.waiting.recovery.replace(id);
        }
    }

    fn failed(&mut self, failure: Failure) {
        self.form.set_focus(0);
        self.failure = Some(failure);
    }

    fn finish(&mut self, words: impl Into<String>, cx: &mut Cx<'_>) {
        self.form = Form::default();
        self.step = Step::Menu;
        cx.notice(words);
    }

    fn show(&mut self, recovery: RecoveryKey, cx: &mut Cx<'_>) {
        // Which groups are asked back is no secret; the clock's choice will do.
        let first = usize::try_from(cx.shared.now_ms / 7 % (GROUPS as u64 - 1)).unwrap_or(0);
        self.asked = [first, GROUPS - 1];
        self.form = Form::default();
        self.shown_until_ms = None;
        self.step = Step::Show(recovery);
        if let Some(session) = &mut cx.shared.session {
            session.summary.has_recovery = true;
        }
    }

    fn rotated(&mut self, rotation: Rotation, cx: &mut Cx<'_>) {
        cx.shared.vault_key.look_again();
        if let Some(session) = &mut cx.shared.session {
            session.summary.epoch = rotation.epoch;
        }
        let records = count(rotation.records as u64, "record", "records");
        let words = format!(
            "the vault has key number {}; {records} sealed again",
            rotation.epoch
        );
        match rotation.recovery {
            Some(recovery) => {
                cx.notice(words);
                self.show(recovery, cx);
            }
            None => self.finish(words, cx),
        }
    }

    /// Takes the key off the screen, and out of what the terminal remembers.
    fn hide(&mut self, cx: &mut Cx<'_>) {
        if self.shown_until_ms.take().is_some() {
            cx.effect(Effect::Redraw);
        }
    }

    fn ask_back(&mut self, cx: &mut Cx<'_>) {
        self.hide(cx);
        self.step = match std::mem::replace(&mut self.step, Step::Menu) {
            Step::Show(recovery) => {
                const NAMES: [&str; GROUPS] = [
                    "group 1", "group 2", "group 3", "group 4", "group 5", "group 6", "group 7", "group 8",
                    "group 9", "group 10", "group 11", "group 12", "group 13", "group 14",
                ];
                let field = |at: &usize| Field::masked(NAMES.get(*at).copied().unwrap_or_default(), 16);
                self.form = Form::new(self.asked.iter().map(field).collect());
                self.problem = None;
                Step::AskBack(recovery)
            }
            other => other,
        };
    }

    fn check_back(&mut self, cx: &mut Cx<'_>) {
        let Step::AskBack(recovery) = &self.step else {
            return;
        };
        let text = recovery.expose_text();
        let right = self.asked.iter().enumerate().all(|(field, group)| {
            let typed = self.form.expose_text(field).trim();
            text.split('-')
                .nth(*group)
                .is_some_and(|group| group.eq_ignore_ascii_case(typed))
        });
        if right {
            self.finish(
                "the recovery key is in force; keep it apart from this machine",
                cx,
            );
        } else {
            self.form.clear_secrets();
            self.form.set_focus(0);
            self.problem = Some("that is not what the key says; Esc shows it again".into());
        }
    }

    fn back(&mut self, cx: &mut Cx<'_>) {
        match &self.step {
            // It either happens or does not, and the answer says which.
            _ if self.working.is_waiting() => {}
            Step::Menu => cx.go(Nav::Back),
            Step::Ask(_) => {
                self.form = Form::default();
                (self.failure, self.problem) = (None, None);
                self.step = Step::Menu;
            }
            Step::Show(_) => cx.modal(ask_to_discard("Leave without the recovery key?")),
            Step::AskBack(_) => {
                self.form = Form::default();
                self.problem = None;
                self.step = match std::mem::replace(&mut self.step, Step::Menu) {
                    Step::AskBack(recovery) => Step::Show(recovery),
                    other => other,
                };
            }
        }
    }

    fn act_in_form(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match (self.form.act(action), &self.step) {
            (FormAct::Submit, Step::Ask(choice)) => self.submit(*choice, cx),
            (FormAct::Submit, _) => self.check_back(cx),
            (FormAct::Other, _) => return Handled::No,
            (FormAct::Done | FormAct::Back, _) => {}
        }
        Handled::Yes
    }
}

impl Page for BackupScreen {
    fn contexts(&self) -> Vec<Context> {
        match self.step {
            Step::Menu => vec![Context::Backup, Context::List],
            Step::Show(_) => vec![Context::Phrase],
            Step::Ask(Choice::Rotate) if self.working.is_waiting() => vec![Context::Rotating],
            Step::Ask(_) | Step::AskBack(_) => vec![Context::Form],
        }
    }

    fn typing(&self) -> bool {
        matches!(self.step, Step::Ask(_) | Step::AskBack(_)) && !self.is_rotating()
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        if action == Action::Back {
            self.back(cx);
            return Handled::Yes;
        }
        match &self.step {
            Step::Menu => {
                let last = choices(cx.shared).len().saturating_sub(1);
                match action {
                    Action::Up => self.selected = self.selected.saturating_sub(1),
                    Action::Down => self.selected = (self.selected + 1).min(last),
                    Action::First | Action::PageUp => self.selected = 0,
                    Action::Last | Action::PageDown => self.selected = last,
                    Action::Accept => self.choose(cx),
                    _ => return Handled::No,
                }
            }
            Step::Show(_) => match action {
                Action::Reveal if self.shown_until_ms.is_some() => self.hide(cx),
                Action::Reveal => self.shown_until_ms = Some(cx.shared.now_ms.saturating_add(SHOWN_MS)),
                Action::Accept => self.ask_back(cx),
                // Elsewhere it would be lost.
                Action::Help | Action::Redraw | Action::Palette => return Handled::No,
                _ => {}
            },
            Step::Ask(_) if self.is_rotating() => return self.act_while_rotating(action, cx),
            Step::Ask(_) | Step::AskBack(_) => return self.act_in_form(action, cx),
        }
        Handled::Yes
    }

    fn text(&mut self, key: KeyEvent, _cx: &mut Cx<'_>) {
        if !self.working.is_waiting() && self.form.key(key) == Edit::Changed {
            (self.problem, self.failure) = (None, None);
        }
    }

    fn paste(&mut self, text: &str, _cx: &mut Cx<'_>) {
        if !self.working.is_waiting() {
            self.form.paste(text);
        }
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Backup(BackupAnswer::Added(result)) if self.working.settle(id) => match result {
                Ok(recovery) => self.show(recovery, cx),
                Err(failure) => self.failed(failure),
            },
            Answer::Backup(BackupAnswer::Removed(result)) if self.working.settle(id) => match result {
                Ok(()) => {
                    if let Some(session) = &mut cx.shared.session {
                        session.summary.has_recovery = false;
                    }
                    self.finish("the recovery key opens this vault no more", cx);
                }
                Err(failure) => self.failed(failure),
            },
            Answer::Backup(BackupAnswer::Rotated(result)) if self.working.settle(id) => match result {
                Ok(rotation) => self.rotated(rotation, cx),
                Err(failure) => self.failed(failure),
            },
            Answer::Upkeep(UpkeepAnswer::Abandoned(result)) if self.working.settle(id) => {
                self.abandoned(result, cx);
            }
            Answer::Backup(BackupAnswer::Saved(result)) if self.working.settle(id) => match result {
                Ok(path) => self.finish(format!("the vault is in {path}"), cx),
                Err(failure) => self.failed(failure),
            },
            Answer::Broken(failure) if self.working.settle(id) => self.failed(failure),
            other => return Some(other),
        }
        None
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        if self
            .shown_until_ms
            .is_some_and(|until_ms| until_ms <= cx.shared.now_ms)
        {
            self.hide(cx);
        }
    }

    fn event(&mut self, event: &Event, _cx: &mut Cx<'_>) {
        // A job that broke off answers nobody; the console has said so.
        if let Event::JobEnded(id) = event
            && self.working.settle(*id)
        {
            self.form.set_focus(0);
        }
    }

    fn unsaved(&self) -> bool {
        self.working.is_waiting() || !matches!(self.step, Step::Menu)
    }

    fn lost_by_lock(&self) -> Option<&'static str> {
        matches!(self.step, Step::Show(_) | Step::AskBack(_)).then_some(UNCHECKED)
    }

    fn confirmed(&mut self, decision: &Decision, cx: &mut Cx<'_>) {
        if *decision == Decision::Discard {
            self.hide(cx);
            self.finish(
                "the recovery key was not checked; take it away if it was not written down",
                cx,
            );
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        view::view(self, shared, frame, area);
    }
}
