//! One wallet's key: give it a new one now, or change how often that happens.

use std::fmt;

use crossterm::event::KeyEvent;
use keyward_custody::password::MAX_PASSWORD_BYTES;
use keyward_custody::{KeyRotation, RotationInterval, Schedule, Wallet};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::wallet::facts::{fate, rotation, title};
use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::rotation::{RotationAnswer, RotationWork};
use crate::console::form::{Field, Form, FormAct};
use crate::console::input::Edit;
use crate::console::keymap::{Action, Context};
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::sheet::{self, Foot};
use crate::console::state::Shared;
use crate::console::text::{count, utc};
use crate::console::widget::{full_address, wrapped};
use crate::duration;

#[cfg(test)]
mod tests;

const DO: usize = 0;
const EVERY: usize = 1;
const PASSWORD: usize = 2;
/// What the first choice stands at.
const NOW: usize = 0;
const EVERY_BYTES: usize = 24;
/// Older keys that are told of.
const TOLD: usize = 3;

/// The form.
pub struct RotateScreen {
    wallet: Wallet,
    /// Keys before this one, the newest first; none while they are not read.
    older: Vec<Wallet>,
    form: Form,
    reading: Pending,
    working: Pending,
    problem: Option<String>,
    failure: Option<Failure>,
    done: Option<Box<KeyRotation>>,
}

impl fmt::Debug for RotateScreen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RotateScreen").finish_non_exhaustive()
    }
}

/// A schedule as typed.
fn read_schedule(text: &str) -> Result<Schedule, String> {
    match text.trim() {
        "never" | "" => Ok(Schedule::Never),
        "default" => Ok(Schedule::ByRole),
        time => RotationInterval::from_ms(duration::parse(time)?)
            .map(Schedule::Every)
            .map_err(|_| "one minute to ten years".to_owned()),
    }
}

impl RotateScreen {
    /// The key of this wallet.
    #[must_use]
    pub fn new(wallet: Wallet) -> Self {
        let every = wallet
            .rotate_every_ms
            .map_or_else(|| "never".to_owned(), duration::show);
        let mut fields = vec![
            Field::choice(
                "do",
                vec!["give it a new key now".into(), "change the schedule".into()],
            )
            .hint("← → choose"),
            Field::plain("every", EVERY_BYTES)
                .with_text(&every)
                .hint("30d, 12h, 15m; default goes by the wallet's role; never for none"),
        ];
        if wallet.own_password {
            let why = "the wallet's own; the new key gets the same";
            fields.push(Field::masked("wallet's password", MAX_PASSWORD_BYTES).hint(why));
        }
        Self {
            wallet,
            older: Vec::new(),
            form: Form::new(fields),
            reading: Pending::default(),
            working: Pending::default(),
            problem: None,
            failure: None,
            done: None,
        }
    }

    fn submit(&mut self, cx: &mut Cx<'_>) {
        if self.working.is_waiting() {
            return;
        }
        (self.problem, self.failure) = (None, None);
        let address = self.wallet.address;
        let work = if self.form.chosen(DO) == NOW {
            let password = self.wallet.own_password.then(|| self.form.expose_copy(PASSWORD));
            if password.as_ref().is_some_and(|password| password.is_empty()) {
                self.form.set_focus(PASSWORD);
                self.problem = Some("type the wallet's own password".into());
                return;
            }
            RotationWork::Rotate { address, password }
        } else {
            match read_schedule(self.form.expose_text(EVERY)) {
                Ok(schedule) => RotationWork::Schedule { address, schedule },
                Err(problem) => {
                    self.form.set_focus(EVERY);
                    self.problem = Some(problem);
                    return;
                }
            }
        };
        cx.start_latest(&mut self.working, Work::Rotation(work));
    }

    fn failed(&mut self, failure: Failure) {
        self.form.clear_secrets();
        self.failure = Some(failure);
    }

    fn words(&self, shared: &Shared, width: u16) -> Vec<Line<'static>> {
        let palette = &shared.palette;
        if let Some(done) = &self.done {
            let mut lines = wrapped(
                "✓ It has a new key. Have payments made to it from now on:",
                width,
                palette.good,
            );
            lines.push(Line::from(full_address(&done.to.to_string(), palette)));
            let until = format!(
                "The old one still signs what names it, and is looked after until {} UTC:",
                utc(done.grace_until_ms)
            );
            lines.extend(wrapped(&until, width, palette.text));
            lines.push(Line::from(full_address(&done.from.to_string(), palette)));
            if !done.retired.is_empty() {
                let retired = count(done.retired.len() as u64, "older key was", "older keys were");
                lines.extend(wrapped(&format!("{retired} retired."), width, palette.muted));
            }
            let rest = "What the old address holds stays there until you send it on.";
            lines.extend(wrapped(rest, width, palette.warning));
            return lines;
        }
        let mut lines = vec![Line::from(full_address(
            &self.wallet.address.to_string(),
            palette,
        ))];
        let schedule = rotation(&self.wallet, shared.now_ms).unwrap_or_else(|| "no schedule".into());
        lines.extend(wrapped(&schedule, width, palette.text));
        for older in self.older.iter().take(TOLD) {
            let fate = fate(older, shared.now_ms).unwrap_or_default();
            let text = format!("before: {}  {fate}", older.address.abbreviated());
            lines.extend(wrapped(&text, width, palette.muted));
        }
        lines
    }
}

impl Page for RotateScreen {
    fn contexts(&self) -> Vec<Context> {
        match &self.done {
            Some(_) => vec![Context::Done],
            None => vec![Context::Form],
        }
    }

    fn typing(&self) -> bool {
        self.done.is_none()
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        let work = RotationWork::Chain(self.wallet.address);
        cx.start_latest(&mut self.reading, Work::Rotation(work));
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        if action == Action::Back {
            // A rotation under way is not called back: it either happened or did not, and the answer says which.
            if !self.working.is_waiting() {
                cx.go(Nav::Back);
            }
            return Handled::Yes;
        }
        if self.done.is_some() {
            return Handled::No;
        }
        match self.form.act(action) {
            FormAct::Submit => self.submit(cx),
            FormAct::Other => return Handled::No,
            FormAct::Done | FormAct::Back => {}
        }
        Handled::Yes
    }

    fn text(&mut self, key: KeyEvent, _cx: &mut Cx<'_>) {
        if !self.working.is_waiting() && self.form.key(key) == Edit::Changed {
            (self.problem, self.failure) = (None, None);
        }
    }

    fn paste(&mut self, text: &str, _cx: &mut Cx<'_>) {
        if !self.working.is_waiting() && self.form.paste(text) == Edit::Changed {
            (self.problem, self.failure) = (None, None);
        }
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Rotation(RotationAnswer::Chain(result)) if self.reading.settle(id) => {
                let own = self.wallet.address;
                self.older = result.unwrap_or_default();
                self.older.retain(|wallet| wallet.address != own);
            }
            Answer::Rotation(RotationAnswer::Rotated(result)) if self.working.settle(id) => match result {
                Ok(done) => {
                    self.form = Form::default();
                    self.done = Some(done);
                    cx.go(Nav::Tell(Event::WalletsChanged));
                }
                Err(failure) => self.failed(failure),
            },
            Answer::Rotation(RotationAnswer::Scheduled(result)) if self.working.settle(id) => match result {
                Ok(_) => {
                    cx.notice("the schedule was changed");
                    cx.go(Nav::Tell(Event::WalletsChanged));
                    cx.go(Nav::Back);
                }
                Err(failure) => self.failed(failure),
            },
            Answer::Broken(failure) if self.working.settle(id) => self.failed(failure),
            other => return Some(other),
        }
        None
    }

    fn unsaved(&self) -> bool {
        self.working.is_waiting()
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let words = self.words(shared, sheet::inner(area).width);
        let heading = format!("Key of {}", title(&self.wallet));
        let at = sheet::head(&heading, "", words, shared, frame, area);
        let at = self.form.view(frame, area, at, palette);
        let foot = if self.working.is_waiting() {
            Foot::Working("storing it")
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
