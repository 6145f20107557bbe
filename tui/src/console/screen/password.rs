//! Changing the vault's password: the old one, the new one twice.
//!
//! One slot of the vault is rewritten, however many wallets there are. Nothing typed here is kept once it was sent.

use std::fmt;

use crossterm::event::KeyEvent;
use keyward_custody::password::{MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use zeroize::Zeroizing;

use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::settings::{SettingsAnswer, SettingsWork};
use crate::console::effects::vault::{VaultAnswer, VaultWork};
use crate::console::input::{Echo, Edit, TextInput};
use crate::console::keymap::{Action, Context};
use crate::console::modal::{Confirm, Decision, Gravity, Modal};
use crate::console::page::{Cx, Handled, Nav, Page};
use crate::console::state::Shared;
use crate::console::text::sentence;
use crate::console::widget::{self, Focus};

#[cfg(test)]
mod tests;

/// The three fields, from the top.
const NAMES: [&str; 3] = ["password now", "new password", "and again"];
const OLD: usize = 0;
const NEW: usize = 1;
const AGAIN: usize = 2;

/// The form.
pub struct PasswordScreen {
    fields: [TextInput; 3],
    focus: usize,
    judging: Pending,
    /// What is said of the new password, once it was judged.
    judged: Option<Result<(), String>>,
    changing: Pending,
    failure: Option<Failure>,
}

impl fmt::Debug for PasswordScreen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordScreen").finish_non_exhaustive()
    }
}

impl Default for PasswordScreen {
    fn default() -> Self {
        Self {
            fields: std::array::from_fn(|_| TextInput::masked(MAX_PASSWORD_BYTES)),
            focus: OLD,
            judging: Pending::default(),
            judged: None,
            changing: Pending::default(),
            failure: None,
        }
    }
}

impl PasswordScreen {
    fn text_of(&self, field: usize) -> &str {
        self.fields
            .get(field)
            .map(TextInput::expose_text)
            .unwrap_or_default()
    }

    fn edited(&mut self, edit: Edit, cx: &mut Cx<'_>) {
        if !matches!(edit, Edit::Changed | Edit::Full) {
            return;
        }
        self.failure = None;
        if self.focus == NEW {
            self.judged = None;
            let password = Zeroizing::new(self.text_of(NEW).to_owned());
            if password.is_empty() {
                cx.cancel(&mut self.judging);
            } else {
                cx.start_latest(&mut self.judging, Work::Vault(VaultWork::Judge(password)));
            }
        }
    }

    fn accept(&mut self, cx: &mut Cx<'_>) {
        let empty = (0..NAMES.len()).find(|field| self.text_of(*field).is_empty());
        if let Some(field) = empty {
            // Forwards to what is missing; the last field alone submits.
            self.focus = if self.focus < field { self.focus + 1 } else { field };
        } else if self.focus != AGAIN {
            self.focus += 1;
        } else if self.text_of(NEW) != self.text_of(AGAIN) {
            self.failure = Some(Failure::new(
                "the new password was not typed the same twice",
                "type it again",
            ));
        } else if self.text_of(NEW) == self.text_of(OLD) {
            self.failure = Some(Failure::new("the new password is the old one", "take another"));
            self.focus = NEW;
        } else if let Some(Err(reason)) = &self.judged {
            let remedy = "take a longer one: four or five random words make a good password";
            self.failure = Some(Failure::new(reason.clone(), remedy));
            self.focus = NEW;
        } else if !self.changing.is_waiting() {
            self.failure = None;
            let old = Zeroizing::new(self.text_of(OLD).to_owned());
            let new = Zeroizing::new(self.text_of(NEW).to_owned());
            cx.start_latest(
                &mut self.changing,
                Work::Settings(SettingsWork::ChangePassword { old, new }),
            );
        }
    }

    fn changed(&mut self, result: Result<(), Failure>, cx: &mut Cx<'_>) {
        match result {
            Ok(()) => {
                for field in &mut self.fields {
                    field.clear();
                }
                cx.notice("the vault's password was changed");
                cx.go(Nav::Back);
            }
            Err(failure) => {
                self.focus = OLD;
                if let Some(field) = self.fields.get_mut(OLD) {
                    field.clear();
                }
                self.failure = Some(failure);
            }
        }
    }

    fn remark(&self) -> (String, Remark) {
        let new = self.text_of(NEW);
        match &self.judged {
            _ if new.is_empty() => (format!("at least {MIN_PASSWORD_CHARS} characters"), Remark::Hint),
            Some(Ok(())) => ("✓ strong enough".into(), Remark::Good),
            Some(Err(reason)) => (format!("! {reason}"), Remark::Warning),
            None => ("judging".into(), Remark::Hint),
        }
    }
}

enum Remark {
    Hint,
    Good,
    Warning,
}

impl Page for PasswordScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Form]
    }

    fn typing(&self) -> bool {
        true
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match action {
            Action::Accept => self.accept(cx),
            Action::Next => self.focus = (self.focus + 1) % NAMES.len(),
            Action::Previous => self.focus = (self.focus + NAMES.len() - 1) % NAMES.len(),
            // A change under way is not called back: it either happened or did not, and the answer says which.
            Action::Back if self.changing.is_waiting() => {}
            Action::Back if self.unsaved() => cx.modal(Modal::Confirm(Confirm {
                title: "Leave the password as it is?".into(),
                lines: vec!["What you typed here is dropped.".into()],
                decision: Decision::Discard,
                gravity: Gravity::Plain,
            })),
            Action::Back => cx.go(Nav::Back),
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn text(&mut self, key: KeyEvent, cx: &mut Cx<'_>) {
        if self.changing.is_waiting() {
            return;
        }
        let edit = self
            .fields
            .get_mut(self.focus)
            .map_or(Edit::Ignored, |field| field.key(key));
        self.edited(edit, cx);
    }

    fn paste(&mut self, text: &str, cx: &mut Cx<'_>) {
        if self.changing.is_waiting() {
            return;
        }
        let text = text.trim_end_matches(['\n', '\r']);
        let edit = self
            .fields
            .get_mut(self.focus)
            .map_or(Edit::Ignored, |field| field.insert(text));
        self.edited(edit, cx);
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Vault(VaultAnswer::Judged(judged)) if self.judging.settle(id) => {
                self.judged = Some(judged)
            }
            Answer::Settings(SettingsAnswer::PasswordChanged(result)) if self.changing.settle(id) => {
                self.changed(result, cx);
            }
            Answer::Broken(failure) if self.changing.settle(id) => self.failure = Some(failure),
            other => return Some(other),
        }
        None
    }

    fn unsaved(&self) -> bool {
        self.changing.is_waiting() || self.fields.iter().any(|field| !field.is_empty())
    }

    fn confirmed(&mut self, decision: &Decision, cx: &mut Cx<'_>) {
        if *decision == Decision::Discard {
            cx.go(Nav::Back);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        widget::row(
            frame,
            area,
            0,
            widget::heading("Vault password", "", area.width, palette),
        );
        let intro = "  Wallets and their keys stay as they are; only what opens the vault changes.";
        widget::row(frame, area, 2, Line::styled(intro, palette.muted));
        for (at, (name, input)) in NAMES.iter().zip(&self.fields).enumerate() {
            let offset = 4 + 2 * u16::try_from(at).unwrap_or(0);
            let here = at == self.focus;
            let sign = if here { "▌" } else { " " };
            let style = if here { palette.accent } else { palette.muted };
            widget::row(
                frame,
                area,
                offset,
                Line::from(Span::styled(format!("{sign} {name}"), style)),
            );
            let target = Rect {
                x: area.x + 18,
                y: area.y + offset,
                width: 40,
                height: 1,
            };
            widget::field(
                frame,
                target.intersection(area),
                input,
                Echo::Masked,
                Focus::when(here),
                palette,
            );
            if at == NEW {
                let (text, remark) = self.remark();
                let style = match remark {
                    Remark::Hint => palette.muted,
                    Remark::Good => palette.good,
                    Remark::Warning => palette.warning,
                };
                widget::row(
                    frame,
                    area,
                    offset + 1,
                    Line::styled(format!("{:18}{text}", ""), style),
                );
            }
        }
        let width = area.width.saturating_sub(4);
        let inner = Rect {
            x: area.x + 2,
            width,
            ..area
        };
        if self.changing.is_waiting() {
            let sign = widget::working(shared.now_ms);
            widget::row(
                frame,
                inner,
                11,
                Line::styled(format!("{sign} changing it"), palette.accent),
            );
        } else if let Some(failure) = &self.failure {
            let mut lines =
                widget::wrapped(&format!("! {}", sentence(&failure.cause)), width, palette.warning);
            lines.extend(widget::wrapped(&sentence(&failure.remedy), width, palette.text));
            widget::rows(frame, inner, 11, lines);
        }
    }
}
