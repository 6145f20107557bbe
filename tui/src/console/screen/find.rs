//! Finding the path and passphrase by which a phrase gives an address. The search is a job and goes on elsewhere.

use std::fmt;

use crossterm::event::KeyEvent;
use keyward_core::account::AccountAddress;
use keyward_core::discovery::SearchReport;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use zeroize::Zeroizing;

use crate::console::effect::{Answer, Failure, RequestId, Work};
use crate::console::effects::find::{FindAnswer, FindWork, summary};
use crate::console::form::{Field, Form, FormAct};
use crate::console::input::Edit;
use crate::console::jobs::{JobState, Stop};
use crate::console::keymap::{Action, Context};
use crate::console::modal::{Decision, parse_count};
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::sheet::{self, Foot, ask_to_discard};
use crate::console::state::Shared;
use crate::console::text::grouped;
use crate::console::widget::{progress_bar, row, rows, wrapped};

#[cfg(test)]
mod tests;

const ADDRESS: usize = 0;
const PHRASE: usize = 1;
const PASSPHRASE: usize = 2;
const INDICES: usize = 3;

/// The screen.
pub struct FindScreen {
    form: Form,
    job: Option<RequestId>,
    report: Option<SearchReport>,
    failure: Option<Failure>,
    problem: Option<String>,
}

impl fmt::Debug for FindScreen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FindScreen").finish_non_exhaustive()
    }
}

impl Default for FindScreen {
    fn default() -> Self {
        Self {
            form: Form::new(vec![
                Field::plain("address", 128).hint("of Solana or of an EVM chain"),
                Field::masked("phrase", 1_024).hint("in any language; it is not kept"),
                Field::masked("passphrase", 1_024).hint("tried beside none; may stay empty"),
                Field::plain("indices", 16)
                    .with_text("100")
                    .hint("how many of each path, 1 to 100,000"),
            ]),
            job: None,
            report: None,
            failure: None,
            problem: None,
        }
    }
}

impl FindScreen {
    fn submit(&mut self, cx: &mut Cx<'_>) {
        let wrong = |screen: &mut Self, field: usize, problem: String| {
            screen.problem = Some(problem);
            screen.form.set_focus(field);
        };
        let target = match self.form.expose_text(ADDRESS).trim().parse::<AccountAddress>() {
            Ok(target) => target,
            Err(error) => return wrong(self, ADDRESS, error.to_string()),
        };
        if self.form.expose_text(PHRASE).trim().is_empty() {
            return wrong(self, PHRASE, "type the phrase".into());
        }
        let indices = match parse_count(self.form.expose_text(INDICES).trim()) {
            Ok(indices) => indices,
            Err(problem) => return wrong(self, INDICES, problem),
        };
        let work = FindWork {
            target,
            phrase: Zeroizing::new(self.form.expose_text(PHRASE).trim().to_owned()),
            passphrase: self.form.expose_copy(PASSPHRASE),
            indices,
        };
        (self.report, self.failure) = (None, None);
        let title = format!("find the path of {}", target.abbreviated());
        self.job = Some(cx.start_job(title, Work::Find(work), Stop::Clean));
    }

    fn is_searching(&self, shared: &Shared) -> bool {
        self.job
            .and_then(|id| shared.jobs.get(id))
            .is_some_and(|job| job.is_running())
    }

    fn result(&self, width: u16, shared: &Shared) -> Vec<Line<'static>> {
        let palette = &shared.palette;
        let Some(report) = &self.report else {
            return Vec::new();
        };
        let style = if report.matches.is_empty() {
            palette.warning
        } else {
            palette.good
        };
        let sign = if report.matches.is_empty() { "!" } else { "✓" };
        let mut lines = wrapped(&format!("{sign} {}", summary(report)), width, style);
        if report.matches.is_empty() {
            let tried = if report.passphrases > 1 {
                "without and with the passphrase"
            } else {
                "without a passphrase"
            };
            lines.push(Line::styled(format!("searched {tried}:"), palette.muted));
            lines.extend(report.searched.iter().map(|one| {
                let text = format!(
                    "  {:<16} {:<26} {}",
                    one.scheme.id(),
                    one.scheme.template(),
                    one.indices
                );
                Line::styled(text, palette.muted)
            }));
        }
        lines
    }
}

impl Page for FindScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Find, Context::Form]
    }

    fn typing(&self) -> bool {
        true
    }

    fn available(&self, action: Action, shared: &Shared) -> bool {
        action != Action::Cancel || self.is_searching(shared)
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        if action == Action::Cancel {
            if let Some(id) = self.job {
                cx.cancel_job(id);
            }
            return Handled::Yes;
        }
        match self.form.act(action) {
            FormAct::Submit if self.is_searching(cx.shared) => {}
            FormAct::Submit => self.submit(cx),
            // The search goes on among the jobs; the phrase typed here is dropped with the form.
            FormAct::Back if self.unsaved() && !self.is_searching(cx.shared) => {
                cx.modal(ask_to_discard("Leave the search?"));
            }
            FormAct::Back => cx.go(Nav::Back),
            FormAct::Other => return Handled::No,
            FormAct::Done => {}
        }
        Handled::Yes
    }

    fn text(&mut self, key: KeyEvent, _cx: &mut Cx<'_>) {
        if self.form.key(key) == Edit::Changed {
            (self.problem, self.failure) = (None, None);
        }
    }

    fn paste(&mut self, text: &str, _cx: &mut Cx<'_>) {
        // A phrase has spaces and an address has none: it never lands where it would be seen.
        if self.form.focus() == ADDRESS && text.trim().contains(char::is_whitespace) {
            self.form.set_focus(PHRASE);
        }
        self.form.paste(text);
        (self.problem, self.failure) = (None, None);
    }

    fn answer(&mut self, id: RequestId, answer: Answer, _cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Find(FindAnswer::Searched(result)) if self.job == Some(id) => {
                match result {
                    Ok(report) => {
                        // It is found or it is not: the phrase is of no more use here.
                        self.form.clear_secrets();
                        self.report = Some(report);
                    }
                    Err(failure) => self.failure = Some(failure),
                }
                None
            }
            other => Some(other),
        }
    }

    fn event(&mut self, event: &Event, cx: &mut Cx<'_>) {
        if let Event::JobEnded(id) = event
            && self.job == Some(*id)
            && let Some(JobState::Failed { failure, .. }) = cx.shared.jobs.get(*id).map(|job| &job.state)
        {
            self.failure = Some(failure.clone());
        }
    }

    fn unsaved(&self) -> bool {
        [PHRASE, PASSPHRASE]
            .iter()
            .any(|field| !self.form.expose_text(*field).is_empty())
    }

    fn confirmed(&mut self, decision: &Decision, cx: &mut Cx<'_>) {
        if *decision == Decision::Discard {
            cx.go(Nav::Back);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let inner = sheet::inner(area);
        let words = wrapped(
            "Tries every path of the address's chain, without and with the passphrase. Nothing is kept.",
            inner.width,
            palette.muted,
        );
        let at = sheet::head("Find a path", "", words, shared, frame, area);
        let at = self.form.view(frame, area, at, palette) + 1;
        let job = self.job.and_then(|id| shared.jobs.get(id));
        if let Some(JobState::Running { done, total, .. }) = job.map(|job| &job.state) {
            let text = format!("searched {} of {} addresses", grouped(*done), grouped(*total));
            let next = sheet::foot(Foot::Working(&text), shared, frame, area, at);
            row(
                frame,
                inner,
                next,
                progress_bar(*done, *total, inner.width, palette),
            );
        } else if let Some(problem) = &self.problem {
            sheet::foot(Foot::Problem(problem), shared, frame, area, at);
        } else if let Some(failure) = &self.failure {
            sheet::foot(Foot::Failed(failure), shared, frame, area, at);
        } else {
            rows(frame, inner, at, self.result(inner.width, shared));
        }
    }
}
