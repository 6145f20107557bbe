//! The jobs: what runs and what came of what ran.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::console::jobs::{Job, JobState, Stop};
use crate::console::keymap::{Action, Context};
use crate::console::page::{Cx, Handled, Nav, Page};
use crate::console::screen::Screen;
use crate::console::screen::bulk_job::BulkJobScreen;
use crate::console::state::Shared;
use crate::console::text::{ago, fitted, grouped, sentence};
use crate::console::widget::{heading, progress_bar, row, rows, rule, working, wrapped};

/// The list of jobs.
#[derive(Debug, Default)]
pub struct JobsScreen {
    selected: usize,
}

impl Page for JobsScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Jobs, Context::List]
    }

    fn available(&self, action: Action, shared: &Shared) -> bool {
        let job = shared.jobs.all().get(self.selected);
        match action {
            Action::Cancel => job.is_some_and(|job| job.is_running() && job.stop != Stop::Impossible),
            Action::Accept => {
                job.is_some_and(|job| job.stored.is_some() || shared.transfers.get(job.id).is_some())
            }
            _ => true,
        }
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        let last = cx.shared.jobs.all().len().saturating_sub(1);
        match action {
            Action::Up => self.selected = self.selected.saturating_sub(1),
            Action::Down => self.selected = (self.selected + 1).min(last),
            Action::PageUp | Action::First => self.selected = 0,
            Action::PageDown | Action::Last => self.selected = last,
            Action::Cancel => {
                if let Some(id) = cx.shared.jobs.all().get(self.selected).map(|job| job.id) {
                    cx.cancel_job(id);
                }
            }
            Action::Accept => {
                let job = cx.shared.jobs.all().get(self.selected);
                match job.map(|job| (job.id, job.stored)) {
                    Some((_, Some(stored))) => {
                        let page = BulkJobScreen::new(stored);
                        cx.go(Nav::Push(Screen::BulkJob(Box::new(page))));
                    }
                    Some((id, None)) if cx.shared.transfers.get(id).is_some() => {
                        cx.go(Nav::Push(Screen::transfer(id)));
                    }
                    _ => {}
                }
            }
            Action::Back => cx.go(Nav::Back),
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let jobs = shared.jobs.all();
        let remark = format!("{} under way", shared.jobs.running());
        row(frame, area, 0, heading("Jobs", &remark, area.width, palette));
        row(frame, area, 1, rule(area.width, palette));
        if jobs.is_empty() {
            rows(
                frame,
                area,
                3,
                vec![
                    Line::styled("  Nothing has run yet.", palette.text),
                    Line::styled(
                        "  Long work shows here: deriving wallets, transfers on their way.",
                        palette.muted,
                    ),
                ],
            );
            return;
        }
        let seen = usize::from(area.height.saturating_sub(6));
        let first = (self.selected + 1).saturating_sub(seen);
        for (offset, (at, job)) in (2_u16..).zip(jobs.iter().enumerate().skip(first).take(seen)) {
            row(
                frame,
                area,
                offset,
                line(job, at == self.selected, shared, area.width),
            );
        }
        if let Some(job) = jobs.get(self.selected) {
            let foot = Rect {
                y: area.y + area.height.saturating_sub(4),
                height: 4,
                ..area
            };
            detail(job, shared, frame, foot);
        }
    }
}

fn line(job: &Job, selected: bool, shared: &Shared, width: u16) -> Line<'static> {
    let palette = &shared.palette;
    let (sign, words, style) = match &job.state {
        JobState::Running { done, total, step } => {
            let far = if !step.is_empty() {
                step.clone()
            } else if *total > 0 {
                format!("{} of {}", grouped(*done), grouped(*total))
            } else {
                "running".into()
            };
            (working(shared.now_ms), far, palette.accent)
        }
        JobState::Done { ended_ms, .. } => (
            "✓",
            format!("done {}", ago(shared.now_ms, *ended_ms)),
            palette.good,
        ),
        JobState::Failed { ended_ms, .. } => (
            "!",
            format!("failed {}", ago(shared.now_ms, *ended_ms)),
            palette.warning,
        ),
        JobState::Cancelled { ended_ms } => (
            "–",
            format!("cancelled {}", ago(shared.now_ms, *ended_ms)),
            palette.muted,
        ),
    };
    let room = usize::from(width).saturating_sub(32);
    let title = fitted(&job.title, room);
    let base = if selected { palette.selected } else { palette.text };
    let mark = if selected { "▌" } else { " " };
    Line::from(vec![
        Span::styled(format!("{mark} {sign} "), base.patch(style)),
        Span::styled(format!("{title:<room$}"), base),
        Span::styled(format!("{words:>27} "), base.patch(style)),
    ])
}

fn detail(job: &Job, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    row(frame, area, 0, rule(area.width, palette));
    let inner = Rect {
        x: area.x + 2,
        width: area.width.saturating_sub(4),
        ..area
    };
    match &job.state {
        JobState::Running { done, total, .. } => {
            row(frame, inner, 1, progress_bar(*done, *total, inner.width, palette));
            let hint = match job.stop {
                Stop::Clean => "x cancels it and leaves nothing behind.",
                Stop::Resumable => {
                    "x stops it; what was sent may land, and running it again goes on from there."
                }
                Stop::Impossible => "It goes on even while the vault is locked.",
            };
            row(frame, inner, 2, Line::styled(hint, palette.muted));
        }
        JobState::Done { result, .. } => row(frame, inner, 1, Line::styled(result.clone(), palette.text)),
        JobState::Failed { failure, .. } => {
            let mut lines = wrapped(&sentence(&failure.cause), inner.width, palette.warning);
            lines.truncate(2);
            lines.extend(wrapped(&sentence(&failure.remedy), inner.width, palette.accent));
            rows(frame, inner, 1, lines);
        }
        JobState::Cancelled { .. } => {
            row(
                frame,
                inner,
                1,
                Line::styled(
                    match job.stop {
                        Stop::Resumable => "It goes on from there when it is run again (B).",
                        Stop::Clean | Stop::Impossible => "Nothing of it was stored.",
                    },
                    palette.muted,
                ),
            );
        }
    }
}
