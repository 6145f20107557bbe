//! The stored jobs: distributions, consolidations and closings, how far each is, and what it needs.

use keyward_custody::jobs::{Job, JobKind, JobQuery, JobState};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::Screen;
use super::bulk_job::BulkJobScreen;
use super::wallets::acting::open_form;
use crate::console::effect::{Answer, RequestId, Work};
use crate::console::effects::bulk::{BulkAnswer, BulkWork};
use crate::console::keymap::{Action, Context};
use crate::console::list::{Listing, Words};
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::state::Shared;
use crate::console::text::{ago, fitted, grouped, printable};

#[cfg(test)]
pub(super) mod tests;

const LABEL: usize = 18;
/// How many are listed, the newest.
const LISTED: u32 = 500;

/// The list.
#[derive(Debug, Default)]
pub struct BulkScreen {
    list: Listing<Vec<Job>>,
}

/// What a job is called.
#[must_use]
pub fn kind_name(kind: JobKind) -> &'static str {
    match kind {
        JobKind::Distribution => "distribute",
        JobKind::Consolidation => "consolidate",
        JobKind::Closing => "close",
    }
}

/// The label, or else the id's beginning.
#[must_use]
pub fn job_title(job: &Job) -> String {
    if job.label.is_empty() {
        job.id.to_string().chars().take(8).collect()
    } else {
        printable(&job.label)
    }
}

/// How it stands, in a word or two, and whether somebody has to do something.
#[must_use]
pub fn standing(job: &Job) -> (&'static str, Standing) {
    let counts = &job.counts;
    match job.state {
        _ if job.is_done() && counts.failed > 0 => ("failures", Standing::Wants),
        _ if job.is_done() && counts.settling > 0 => ("settling", Standing::Runs),
        JobState::Cancelled if job.is_done() => ("cancelled", Standing::Ended),
        _ if job.is_done() => ("done", Standing::Ended),
        JobState::Cancelled => ("ending", Standing::Wants),
        JobState::Paused => ("paused", Standing::Wants),
        JobState::Open if counts.in_flight > 0 => ("under way", Standing::Runs),
        JobState::Open if counts.done + counts.failed > 0 => ("unfinished", Standing::Wants),
        JobState::Open => ("planned", Standing::Wants),
    }
}

/// Whether somebody has to do something about a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has its end.
    Ended,
    /// Transactions of it are under way.
    Runs,
    /// Somebody has to go on with it.
    Wants,
}

impl BulkScreen {
    fn jobs(&self) -> &[Job] {
        self.list.content().map_or(&[], Vec::as_slice)
    }

    fn read(&mut self, cx: &mut Cx<'_>) {
        let query = JobQuery {
            limit: LISTED,
            ..JobQuery::default()
        };
        self.list.read(Work::Bulk(BulkWork::Jobs(query)), cx);
    }

    fn cells(&self, at: usize, shared: &Shared) -> Vec<Span<'static>> {
        let palette = &shared.palette;
        let Some(job) = self.jobs().get(at) else {
            return Vec::new();
        };
        let (word, wants) = standing(job);
        let style = match wants {
            Standing::Ended => palette.good,
            Standing::Runs => palette.accent,
            Standing::Wants => palette.warning,
        };
        let counts = &job.counts;
        let failed = match counts.failed {
            0 => String::new(),
            failed => format!("! {}", grouped(failed)),
        };
        let label = fitted(&job_title(job), LABEL);
        vec![
            Span::styled(format!("{:<12}", kind_name(job.kind)), palette.text),
            Span::styled(format!("{label:<LABEL$}  "), palette.strong),
            Span::styled(
                format!("{:>7} of {:>7}  ", grouped(counts.done), grouped(counts.total)),
                palette.text,
            ),
            Span::styled(format!("{failed:<7}"), palette.warning),
            Span::styled(format!("{word:<11}"), style),
            Span::styled(ago(shared.now_ms, job.created_ms), palette.muted),
        ]
    }
}

impl Page for BulkScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Bulk, Context::List]
    }

    fn available(&self, action: Action, _shared: &Shared) -> bool {
        action != Action::Accept || !self.jobs().is_empty()
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        self.read(cx);
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match action {
            Action::Accept => {
                if let Some(id) = self.jobs().get(self.list.selected()).map(|job| job.id) {
                    cx.go(Nav::Push(Screen::BulkJob(Box::new(BulkJobScreen::new(id)))));
                }
            }
            Action::Distribute | Action::Consolidate | Action::CloseAccounts => {
                open_form(action, "", Vec::new(), cx);
            }
            Action::Refresh => self.read(cx),
            Action::Back => cx.go(Nav::Back),
            _ => return self.list.act(action, cx.shared),
        }
        Handled::Yes
    }

    fn click(&mut self, _column: u16, row: u16, cx: &mut Cx<'_>) {
        self.list.click(row, cx.shared);
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Bulk(BulkAnswer::Jobs(result)) if self.list.awaits(id) => {
                self.list.take(result, cx.shared);
            }
            Answer::Broken(failure) if self.list.awaits(id) => self.list.take(Err(failure), cx.shared),
            other => return Some(other),
        }
        None
    }

    fn event(&mut self, event: &Event, cx: &mut Cx<'_>) {
        if matches!(event, Event::Shown | Event::JobEnded(_)) {
            self.read(cx);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let wanting = self
            .jobs()
            .iter()
            .filter(|job| standing(job).1 == Standing::Wants)
            .count();
        let remark = match (self.jobs().len(), wanting) {
            (0, _) => String::new(),
            (all, 0) => grouped(all as u64),
            (all, wanting) => format!(
                "{} · {} to be gone on with",
                grouped(all as u64),
                grouped(wanting as u64)
            ),
        };
        let names = format!(
            "{:<12}{:<LABEL$}  {:>18}  {:<7}{:<11}{}",
            "what", "label", "done", "failed", "", "made"
        );
        let words = Words {
            title: "Jobs in bulk",
            remark: &remark,
            names: &names,
            reading: "the jobs",
            empty: "No distribution, consolidation or closing was stored yet. S pays many, C collects from many, X closes empty token accounts.",
        };
        self.list
            .view(&words, |at| self.cells(at, shared), shared, frame, area);
    }
}
