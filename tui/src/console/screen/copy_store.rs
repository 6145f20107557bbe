//! Copying the whole vault into an empty database: where to, a word to confirm, how far, what was compared.

use std::fmt;

use crossterm::event::KeyEvent;
use keyward_custody::StoreLocation;
use keyward_custody::relocate::CopyReport;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::console::effect::{Answer, Failure, RequestId, Work};
use crate::console::effects::upkeep::{UpkeepAnswer, UpkeepWork};
use crate::console::form::{Field, Form, FormAct};
use crate::console::input::Edit;
use crate::console::jobs::{JobState, Stop};
use crate::console::keymap::{Action, Context};
use crate::console::modal::Decision;
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::sheet::{self, Foot, ask_to_discard};
use crate::console::state::Shared;
use crate::console::text::{count, grouped};
use crate::console::widget::{progress_bar, row, rows, wrapped};

#[cfg(test)]
mod tests;

const TO: usize = 0;
const CONFIRM: usize = 1;
const LOCATION_BYTES: usize = 1_024;
/// The word that confirms it.
const WORD: &str = "copy";

/// Where one is.
enum Step {
    Ask,
    Copying(RequestId),
    Done(Box<CopyReport>),
}

/// The screen.
pub struct CopyStoreScreen {
    step: Step,
    form: Form,
    /// The target for people, without what opens it.
    to: String,
    problem: Option<String>,
    failure: Option<Failure>,
}

impl fmt::Debug for CopyStoreScreen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A location may carry a password.
        f.debug_struct("CopyStoreScreen").finish_non_exhaustive()
    }
}

impl Default for CopyStoreScreen {
    fn default() -> Self {
        Self {
            step: Step::Ask,
            form: Form::new(vec![
                Field::plain("copy to", LOCATION_BYTES).hint(
                    "a file that is not there yet, or postgres://user@host/database that is empty. A password in it can be \
                     seen here: keep it in ~/.pgpass, or set PGPASSWORD before starting.",
                ),
                Field::plain("to confirm", 16).hint(format!("type {WORD}")),
            ]),
            to: String::new(),
            problem: None,
            failure: None,
        }
    }
}

impl CopyStoreScreen {
    fn submit(&mut self, cx: &mut Cx<'_>) {
        let to = match StoreLocation::parse(self.form.expose_text(TO).trim()) {
            Ok(to) => to,
            Err(error) => {
                self.failure = Some(error.into());
                return self.form.set_focus(TO);
            }
        };
        if self.form.expose_text(CONFIRM).trim() != WORD {
            self.problem = Some(format!("type {WORD} to confirm"));
            return self.form.set_focus(CONFIRM);
        }
        (self.problem, self.failure) = (None, None);
        self.to = to.to_string();
        let title = format!("copy the vault to {}", self.to);
        let work = Work::Upkeep(UpkeepWork::CopyStore(to));
        self.step = Step::Copying(cx.start_job(title, work, Stop::Clean));
    }

    fn ended(&mut self, result: Result<Box<CopyReport>, Failure>) {
        self.form.clear(CONFIRM);
        match result {
            Ok(report) => {
                self.form.clear(TO);
                self.step = Step::Done(report);
            }
            Err(failure) => {
                self.step = Step::Ask;
                self.form.set_focus(TO);
                self.failure = Some(failure);
            }
        }
    }

    fn is_mine(&self, id: RequestId) -> bool {
        matches!(self.step, Step::Copying(job) if job == id)
    }
}

impl Page for CopyStoreScreen {
    fn contexts(&self) -> Vec<Context> {
        match self.step {
            Step::Ask => vec![Context::Form],
            Step::Copying(_) => vec![Context::Copying],
            Step::Done(_) => vec![Context::Done],
        }
    }

    fn typing(&self) -> bool {
        matches!(self.step, Step::Ask)
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match (&self.step, action) {
            (Step::Ask, Action::Back) if self.unsaved() => cx.modal(ask_to_discard("Leave the copy?")),
            (_, Action::Back) => cx.go(Nav::Back),
            (Step::Copying(id), Action::Cancel) => cx.cancel_job(*id),
            (Step::Ask, _) => match self.form.act(action) {
                FormAct::Submit => self.submit(cx),
                FormAct::Other => return Handled::No,
                FormAct::Done | FormAct::Back => {}
            },
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn text(&mut self, key: KeyEvent, _cx: &mut Cx<'_>) {
        if self.form.key(key) == Edit::Changed {
            (self.problem, self.failure) = (None, None);
        }
    }

    fn paste(&mut self, text: &str, _cx: &mut Cx<'_>) {
        if self.typing() {
            self.form.paste(text);
        }
    }

    fn answer(&mut self, id: RequestId, answer: Answer, _cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Upkeep(UpkeepAnswer::Copied(result)) if self.is_mine(id) => self.ended(result),
            other => return Some(other),
        }
        None
    }

    fn event(&mut self, event: &Event, cx: &mut Cx<'_>) {
        // Cancelled, or broken off; an end of its own has been answered by now.
        if let Event::JobEnded(id) = event
            && self.is_mine(*id)
        {
            let failure = match cx.shared.jobs.get(*id).map(|job| &job.state) {
                Some(JobState::Failed { failure, .. }) => failure.clone(),
                _ => Failure::new("cancelled; the target holds nothing of it", ""),
            };
            self.ended(Err(failure));
        }
    }

    fn unsaved(&self) -> bool {
        matches!(self.step, Step::Ask) && !self.form.is_empty()
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
        let mut lines = wrapped(
            "Every row goes into an empty database, is read back and compared, and the audit log's root is computed anew \
             before any of it is kept. Nobody can change the vault meanwhile.",
            width,
            palette.text,
        );
        lines.extend(wrapped(
            "! The copy opens with the same password and has the same limits once more: only one of the two should go on \
             signing.",
            width,
            palette.warning,
        ));
        match &self.step {
            Step::Ask => {
                let at = sheet::head("Copy the vault", "", lines, shared, frame, area);
                let at = self.form.view(frame, area, at, palette);
                let foot = match (&self.problem, &self.failure) {
                    (Some(problem), _) => Foot::Problem(problem),
                    (None, Some(failure)) => Foot::Failed(failure),
                    (None, None) => Foot::Quiet,
                };
                sheet::foot(foot, shared, frame, area, at + 1);
            }
            Step::Copying(id) => {
                let at = sheet::head("Copy the vault", "", lines, shared, frame, area);
                self.view_progress(*id, shared, frame, area, at);
            }
            Step::Done(report) => {
                let lines = self.report_lines(report, shared, width);
                sheet::head("The vault was copied", "", lines, shared, frame, area);
            }
        }
    }
}

impl CopyStoreScreen {
    fn view_progress(&self, id: RequestId, shared: &Shared, frame: &mut Frame<'_>, area: Rect, at: u16) {
        let palette = &shared.palette;
        let inner = sheet::inner(area);
        let (done, total) = match shared.jobs.get(id).map(|job| &job.state) {
            Some(JobState::Running { done, total, .. }) => (*done, *total),
            _ => (0, 0),
        };
        row(frame, inner, at, progress_bar(done, total, inner.width, palette));
        let words = format!("{} of {} rows", grouped(done), grouped(total));
        row(frame, inner, at + 1, Line::styled(words, palette.text));
        rows(
            frame,
            inner,
            at + 3,
            wrapped(
                &format!("To {}. It goes on when this screen is left.", self.to),
                inner.width,
                palette.muted,
            ),
        );
    }

    fn report_lines(&self, report: &CopyReport, shared: &Shared, width: u16) -> Vec<Line<'static>> {
        let palette = &shared.palette;
        let summary = format!(
            "✓ {} copied to {}, read back and found equal; {} with the same root.",
            count(report.rows(), "row", "rows"),
            self.to,
            count(report.audit_entries, "audit entry", "audit entries"),
        );
        let mut lines = wrapped(&summary, width, palette.good);
        lines.push(Line::styled(
            format!("root {}", hex::encode(report.audit_root)),
            palette.muted,
        ));
        lines.push(Line::default());
        let filled = report.tables.iter().filter(|(_, rows)| *rows > 0);
        lines.extend(
            filled
                .map(|(name, rows)| Line::styled(format!("{name:<24}{:>12}", grouped(*rows)), palette.text)),
        );
        lines
    }
}
