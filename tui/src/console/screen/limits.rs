//! The limits that hold for every process on the vault: shown, changed together, confirmed by the password.

use std::fmt;

use crossterm::event::KeyEvent;
use keyward_custody::password::MAX_PASSWORD_BYTES;
use keyward_custody::{SettingKey, SettingKind, VaultSettings};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::settings::{SettingsAnswer, SettingsWork};
use crate::console::form::{Field, Form, FormAct};
use crate::console::input::Edit;
use crate::console::keymap::{Action, Context};
use crate::console::modal::Decision;
use crate::console::page::{Cx, Handled, Nav, Page};
use crate::console::sheet::{self, Foot, ask_to_discard};
use crate::console::state::Shared;
use crate::duration;

#[cfg(test)]
mod tests;

/// The longest number or time, in bytes.
const VALUE_BYTES: usize = 24;

/// The form.
#[derive(Default)]
pub struct LimitsScreen {
    /// As they were read last; nothing before that.
    before: Option<VaultSettings>,
    form: Form,
    loading: Pending,
    changing: Pending,
    failure: Option<Failure>,
    problem: Option<String>,
}

impl fmt::Debug for LimitsScreen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitsScreen").finish_non_exhaustive()
    }
}

/// A setting's name for people, short enough for the form.
const fn name(key: SettingKey) -> &'static str {
    match key {
        SettingKey::MaxWalletsPerOwner => "wallets per owner",
        SettingKey::MaxFailedAttempts => "wrong passwords",
        SettingKey::LockoutFirst => "then locked for",
        SettingKey::LockoutMax => "and at most",
        SettingKey::SignaturesPerMinute => "signatures a minute",
        SettingKey::MinSignatureInterval => "pause between them",
        SettingKey::PurgeGrace => "deleted are kept",
        SettingKey::TradingRotation => "rotate trading keys",
        SettingKey::OtherRotation => "rotate other keys",
        SettingKey::KeptKeys => "old keys that sign",
        SettingKey::DepositGrace => "old addresses for",
        SettingKey::AuditLoginRetention => "audit of logins",
        SettingKey::AuditWalletRetention => "audit of wallets",
        _ => "another limit",
    }
}

/// What it means, with its range.
fn hint(key: SettingKey) -> String {
    let meaning = match key {
        SettingKey::MaxWalletsPerOwner => "the most active wallets of one owner",
        SettingKey::MaxFailedAttempts => "in a row before delays begin, of the vault and of a wallet",
        SettingKey::LockoutFirst => "the first delay; each further wrong password doubles it",
        SettingKey::LockoutMax => "the longest delay",
        SettingKey::SignaturesPerMinute => "of one wallet, within any 60 seconds",
        SettingKey::MinSignatureInterval => "of one wallet; 0 for none",
        SettingKey::PurgeGrace => "how long a deleted wallet can be restored",
        SettingKey::TradingRotation => "the usual schedule of wallets with the role trading",
        SettingKey::OtherRotation => "the usual schedule of other wallets",
        SettingKey::KeptKeys => "of each wallet, counted back from the present one",
        SettingKey::DepositGrace => "how long a replaced address is still looked after",
        SettingKey::AuditLoginRetention => "entries of unlocking and locking",
        SettingKey::AuditWalletRetention => "entries about wallets; transactions are kept for ever",
        _ => "",
    };
    let (least, most) = key.range();
    format!("{meaning}: {} to {}", shown(key, least), shown(key, most))
}

fn shown(key: SettingKey, value: u64) -> String {
    match key.kind() {
        SettingKind::Count => value.to_string(),
        SettingKind::DurationMs => duration::show(value),
    }
}

fn read(key: SettingKey, text: &str) -> Result<u64, String> {
    let value = match key.kind() {
        SettingKind::Count => text.trim().parse().map_err(|_| "a whole number".to_owned()),
        SettingKind::DurationMs => duration::parse(text),
    };
    let value = value.map_err(|what| format!("{}: {what}", name(key)))?;
    let (least, most) = key.range();
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(format!(
            "{}: {} to {}",
            name(key),
            shown(key, least),
            shown(key, most)
        ))
    }
}

impl LimitsScreen {
    /// The password comes after the settings.
    const PASSWORD: usize = SettingKey::ALL.len();

    fn loaded(&mut self, result: Result<Box<VaultSettings>, Failure>) {
        match result {
            Ok(settings) => {
                let mut fields: Vec<Field> = SettingKey::ALL
                    .iter()
                    .map(|key| {
                        Field::plain(name(*key), VALUE_BYTES)
                            .with_text(&shown(*key, key.get(&settings)))
                            .hint(hint(*key))
                    })
                    .collect();
                let why = "typed again, because these limits guard money";
                fields.push(Field::masked("vault password", MAX_PASSWORD_BYTES).hint(why));
                self.form = Form::new(fields);
                self.before = Some(*settings);
            }
            Err(failure) => self.failure = Some(failure),
        }
    }

    /// What differs from before, or which field is wrong and why.
    fn changes(&self) -> Result<Vec<(SettingKey, u64)>, (usize, String)> {
        let Some(before) = &self.before else {
            return Ok(Vec::new());
        };
        let mut changes = Vec::new();
        for (at, key) in SettingKey::ALL.iter().enumerate() {
            let value = read(*key, self.form.expose_text(at)).map_err(|problem| (at, problem))?;
            if value != key.get(before) {
                changes.push((*key, value));
            }
        }
        Ok(changes)
    }

    fn submit(&mut self, cx: &mut Cx<'_>) {
        if self.changing.is_waiting() || self.before.is_none() {
            return;
        }
        (self.problem, self.failure) = (None, None);
        let changes = match self.changes() {
            Ok(changes) if changes.is_empty() => {
                self.problem = Some("nothing is changed yet".into());
                return;
            }
            Ok(changes) => changes,
            Err((at, problem)) => {
                self.form.set_focus(at);
                self.problem = Some(problem);
                return;
            }
        };
        if self.form.expose_text(Self::PASSWORD).is_empty() {
            self.form.set_focus(Self::PASSWORD);
            self.problem = Some("type the vault's password".into());
            return;
        }
        let password = self.form.expose_copy(Self::PASSWORD);
        let work = SettingsWork::ChangeLimits { changes, password };
        cx.start_latest(&mut self.changing, Work::Settings(work));
    }

    fn changed(&mut self, result: Result<Box<VaultSettings>, Failure>, cx: &mut Cx<'_>) {
        match result {
            Ok(_) => {
                self.form = Form::default();
                self.before = None;
                cx.notice("the vault's limits were changed");
                cx.go(Nav::Back);
            }
            Err(failure) => {
                self.form.clear(Self::PASSWORD);
                self.form.set_focus(Self::PASSWORD);
                self.failure = Some(failure);
            }
        }
    }
}

impl Page for LimitsScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Form]
    }

    fn typing(&self) -> bool {
        true
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        cx.start_latest(&mut self.loading, Work::Settings(SettingsWork::LoadLimits));
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        if action == Action::Back {
            match (self.changing.is_waiting(), self.unsaved()) {
                // A change under way is not called back: it either happened or did not, and the answer says which.
                (true, _) => {}
                (false, true) => cx.modal(ask_to_discard("Leave the limits as they are?")),
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
        if !self.changing.is_waiting() && self.form.key(key) == Edit::Changed {
            (self.problem, self.failure) = (None, None);
        }
    }

    fn paste(&mut self, text: &str, _cx: &mut Cx<'_>) {
        if !self.changing.is_waiting() && self.form.paste(text) == Edit::Changed {
            (self.problem, self.failure) = (None, None);
        }
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Settings(SettingsAnswer::Limits(result)) if self.loading.settle(id) => {
                self.loaded(result)
            }
            Answer::Settings(SettingsAnswer::Limits(result)) if self.changing.settle(id) => {
                self.changed(result, cx);
            }
            Answer::Broken(failure) if self.loading.settle(id) || self.changing.settle(id) => {
                self.failure = Some(failure);
            }
            other => return Some(other),
        }
        None
    }

    fn unsaved(&self) -> bool {
        // What does not read was typed as well.
        self.changing.is_waiting()
            || self.changes().map_or(true, |changes| !changes.is_empty())
            || !self.form.expose_text(Self::PASSWORD).is_empty()
    }

    fn confirmed(&mut self, decision: &Decision, cx: &mut Cx<'_>) {
        if *decision == Decision::Discard {
            cx.go(Nav::Back);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let words = vec![Line::styled(
            "For every console and service on this vault. Times as 30d, 12h, 15m, 90s.",
            palette.muted,
        )];
        let at = sheet::head("Limits of the vault", "", words, shared, frame, area);
        let at = self.form.view(frame, area, at.saturating_sub(1), palette);
        let foot = if self.loading.is_waiting() {
            Foot::Working("reading them")
        } else if self.changing.is_waiting() {
            Foot::Working("checking the password, then changing them")
        } else if let Some(problem) = &self.problem {
            Foot::Problem(problem)
        } else if let Some(failure) = &self.failure {
            Foot::Failed(failure)
        } else {
            Foot::Quiet
        };
        sheet::foot(foot, shared, frame, area, at);
    }
}
