//! How many wallets to begin with, and their derivation.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::console::effect::RequestId;
use crate::console::input::{Echo, Edit, TextInput};
use crate::console::jobs::JobState;
use crate::console::modal::parse_count;
use crate::console::page::Cx;
use crate::console::state::Shared;
use crate::console::text::{grouped, sentence};
use crate::console::update::start_derivation;
use crate::console::widget::{Focus, field, progress_bar, row, rows, working, wrapped};

/// The number of wallets and the job that derives them.
pub(super) struct Many {
    count: TextInput,
    problem: Option<String>,
    job: Option<RequestId>,
}

impl Default for Many {
    fn default() -> Self {
        Self {
            count: TextInput::plain(16).with_text("10"),
            problem: None,
            job: None,
        }
    }
}

impl Many {
    pub(super) fn only_one(&mut self) {
        self.count.clear();
        self.count.insert("1");
    }

    pub(super) fn text(&mut self, key: KeyEvent) {
        if self.count.key(key) == Edit::Changed {
            self.problem = None;
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        self.count.insert(text.trim());
        self.problem = None;
    }

    /// Starts the derivation, if the number can be read.
    pub(super) fn start(&mut self, cx: &mut Cx<'_>) -> bool {
        match parse_count(self.count.expose_text().trim()) {
            Ok(count) => {
                self.job = Some(start_derivation(count, cx));
                true
            }
            Err(problem) => {
                self.problem = Some(problem);
                false
            }
        }
    }

    pub(super) fn cancel(&self, cx: &mut Cx<'_>) {
        if let Some(id) = self.job {
            cx.cancel_job(id);
        }
    }

    pub(super) fn is_job(&self, id: RequestId) -> bool {
        self.job == Some(id)
    }

    fn state<'a>(&self, shared: &'a Shared) -> Option<&'a JobState> {
        self.job.and_then(|id| shared.jobs.get(id)).map(|job| &job.state)
    }

    pub(super) fn is_running(&self, shared: &Shared) -> bool {
        matches!(self.state(shared), Some(JobState::Running { .. }))
    }

    pub(super) fn ended_well(&self, shared: &Shared) -> bool {
        matches!(self.state(shared), Some(JobState::Done { .. }))
    }

    pub(super) fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let lines = vec![
            Line::styled("✓ The vault is made and open.", palette.good),
            Line::default(),
            Line::styled(
                "How many wallets do you want to begin with? More can follow at any time;",
                palette.text,
            ),
            Line::styled("10,000 take a few seconds.", palette.text),
        ];
        let at = rows(frame, area, 0, lines) + 1;
        row(frame, area, at, Line::styled("wallets", palette.muted));
        let input = Rect {
            x: area.x + 10,
            y: area.y + at,
            width: 16,
            height: 1,
        };
        field(frame, input, &self.count, Echo::Plain, Focus::Here, palette);
        if let Some(problem) = &self.problem {
            row(
                frame,
                area,
                at + 2,
                Line::styled(format!("! {problem}"), palette.warning),
            );
        }
    }

    pub(super) fn view_deriving(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let lines = match self.state(shared) {
            Some(JobState::Running { done, total, .. }) => vec![
                Line::styled(
                    format!("{} Deriving and sealing wallets …", working(shared.now_ms)),
                    palette.text,
                ),
                Line::default(),
                progress_bar(*done, *total, area.width.min(60), palette),
                Line::styled(
                    format!("{} of {}", grouped(*done), grouped(*total)),
                    palette.muted,
                ),
                Line::default(),
                Line::styled(
                    "All of them are stored at once, at the end. It goes on if you leave.",
                    palette.muted,
                ),
            ],
            Some(JobState::Failed { failure, .. }) => {
                let mut lines = wrapped(
                    &format!("! {}", sentence(&failure.cause)),
                    area.width,
                    palette.warning,
                );
                lines.extend(wrapped(&sentence(&failure.remedy), area.width, palette.accent));
                lines
            }
            Some(JobState::Cancelled { .. }) => {
                vec![Line::styled("Cancelled. No wallet was stored.", palette.text)]
            }
            Some(JobState::Done { result, .. }) => {
                vec![Line::styled(format!("✓ {}", sentence(result)), palette.good)]
            }
            None => Vec::new(),
        };
        rows(frame, area, 0, lines);
    }
}
