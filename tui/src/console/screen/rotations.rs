//! The keys that are to be replaced: what is due, what will be within a month, and a run over all that is due.

use keyward_custody::Wallet;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Screen;
use super::rotate::RotateScreen;
use super::wallet::facts::title;
use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::rotation::{DueList, RotationAnswer, RotationWork};
use crate::console::jobs::Stop;
use crate::console::keymap::{Action, Context};
use crate::console::modal::{Confirm, Decision, Gravity, Modal};
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::state::Shared;
use crate::console::text::{count, fitted, grouped, sentence, span};
use crate::console::widget::{heading, row, rows, rule, short_address, working, wrapped};
use crate::duration;

#[cfg(test)]
mod tests;

/// How far ahead is looked: 30 days.
const AHEAD_MS: u64 = 30 * 86_400_000;
/// Rows above the first wallet: heading, line, names of the columns.
const HEAD_ROWS: u16 = 3;
const LABEL: usize = 22;

/// The list.
#[derive(Debug, Default)]
pub struct RotationsScreen {
    list: Option<DueList>,
    failure: Option<Failure>,
    reading: Pending,
    selected: usize,
    top: usize,
}

impl RotationsScreen {
    fn wallets(&self) -> &[Wallet] {
        self.list.as_ref().map_or(&[], |list| &list.page.rows)
    }

    fn due_now(&self, now_ms: u64) -> usize {
        let is_due = |wallet: &&Wallet| wallet.rotate_at_ms.is_some_and(|at_ms| at_ms <= now_ms);
        self.wallets().iter().filter(is_due).count()
    }

    fn has_work(&self, now_ms: u64) -> bool {
        self.due_now(now_ms) > 0 || self.list.as_ref().is_some_and(|list| list.retirements > 0)
    }

    fn read(&mut self, cx: &mut Cx<'_>) {
        let work = Work::Rotation(RotationWork::Due { within_ms: AHEAD_MS });
        cx.start_latest(&mut self.reading, work);
    }

    fn select(&mut self, at: usize, seen: usize) {
        self.selected = at.min(self.wallets().len().saturating_sub(1));
        self.top = self
            .top
            .min(self.selected)
            .max((self.selected + 1).saturating_sub(seen.max(1)));
    }

    fn ask_to_run(&self, cx: &mut Cx<'_>) {
        let due = self.due_now(cx.shared.now_ms) as u64;
        cx.modal(Modal::Confirm(Confirm {
            title: format!("Rotate {}?", count(due, "due key", "due keys")),
            lines: vec![
                "Each gets a new address; the old one still signs and receives for its grace period.".into(),
                "Old keys past theirs are retired.".into(),
            ],
            decision: Decision::RotateDue,
            gravity: Gravity::Plain,
        }));
    }
}

fn seen_rows(shared: &Shared) -> usize {
    usize::from(
        crate::console::layout::areas(shared.size)
            .body
            .height
            .saturating_sub(HEAD_ROWS),
    )
}

impl Page for RotationsScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Rotations, Context::List]
    }

    fn available(&self, action: Action, shared: &Shared) -> bool {
        match action {
            Action::Accept => !self.wallets().is_empty(),
            Action::Rotate => self.has_work(shared.now_ms),
            _ => true,
        }
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        self.read(cx);
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        let seen = seen_rows(cx.shared);
        match action {
            Action::Up => self.select(self.selected.saturating_sub(1), seen),
            Action::Down => self.select(self.selected + 1, seen),
            Action::PageUp => self.select(self.selected.saturating_sub(seen), seen),
            Action::PageDown => self.select(self.selected + seen, seen),
            Action::First => self.select(0, seen),
            Action::Last => self.select(usize::MAX, seen),
            Action::Accept => {
                if let Some(wallet) = self.wallets().get(self.selected).cloned() {
                    cx.go(Nav::Push(Screen::Rotate(Box::new(RotateScreen::new(wallet)))));
                }
            }
            Action::Rotate if self.has_work(cx.shared.now_ms) => self.ask_to_run(cx),
            Action::Rotate => cx.notice("nothing is due"),
            Action::Refresh => self.read(cx),
            Action::Back => cx.go(Nav::Back),
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn click(&mut self, _column: u16, row: u16, cx: &mut Cx<'_>) {
        if let Some(offset) = row.checked_sub(HEAD_ROWS) {
            self.select(self.top + usize::from(offset), seen_rows(cx.shared));
        }
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Rotation(RotationAnswer::Due(result)) if self.reading.settle(id) => match result {
                Ok(list) => {
                    (self.list, self.failure) = (Some(list), None);
                    self.select(self.selected, seen_rows(cx.shared));
                }
                Err(failure) => self.failure = Some(failure),
            },
            Answer::Broken(failure) if self.reading.settle(id) => self.failure = Some(failure),
            other => return Some(other),
        }
        None
    }

    fn event(&mut self, event: &Event, cx: &mut Cx<'_>) {
        if matches!(event, Event::WalletsChanged | Event::Shown) {
            self.read(cx);
        }
    }

    fn confirmed(&mut self, decision: &Decision, cx: &mut Cx<'_>) {
        if *decision == Decision::RotateDue {
            cx.start_job(
                "rotate due keys",
                Work::Rotation(RotationWork::RunDue),
                Stop::Clean,
            );
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let remark = match &self.list {
            None => String::new(),
            Some(list) => {
                let mut parts = vec![format!("{} due now", self.due_now(shared.now_ms))];
                parts.push(format!("{} within 30 days", grouped(list.page.total)));
                if list.retirements > 0 {
                    parts.push(format!("{} to retire", grouped(list.retirements)));
                }
                parts.join(" · ")
            }
        };
        row(
            frame,
            area,
            0,
            heading("Key rotation", &remark, area.width, palette),
        );
        row(frame, area, 1, rule(area.width, palette));
        let inner = Rect {
            x: area.x + 3,
            width: area.width.saturating_sub(6),
            ..area
        };
        if let Some(failure) = &self.failure {
            let mut lines = wrapped(
                &format!("! {}", sentence(&failure.cause)),
                inner.width,
                palette.warning,
            );
            lines.extend(wrapped(&sentence(&failure.remedy), inner.width, palette.accent));
            rows(frame, inner, 3, lines);
        } else if self.list.is_none() {
            let text = format!("{} reading the schedules", working(shared.now_ms));
            row(frame, inner, 3, Line::styled(text, palette.muted));
        } else if self.wallets().is_empty() {
            let text = "No key is to be replaced within 30 days. A wallet's page sets a schedule (R), and the vault's \
                        limits say how often by default (4 settings).";
            rows(frame, inner, 3, wrapped(text, inner.width, palette.muted));
        } else {
            self.list_view(shared, frame, area);
        }
    }
}

impl RotationsScreen {
    fn list_view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let names = format!(
            "  {:<16}{:<LABEL$}  {:<15}  {:<8}  {}",
            "when", "wallet", "address", "every", "role"
        );
        row(frame, area, 2, Line::styled(names, palette.muted));
        let seen = usize::from(area.height.saturating_sub(HEAD_ROWS));
        let shown = self.wallets().iter().enumerate().skip(self.top).take(seen);
        for (offset, (at, wallet)) in (HEAD_ROWS..).zip(shown) {
            let here = at == self.selected;
            let base = if here { palette.selected } else { Style::new() };
            let (when, style) = match wallet.rotate_at_ms {
                Some(at_ms) if at_ms > shared.now_ms => (
                    format!("in {}", span((at_ms - shared.now_ms) / 1_000)),
                    palette.text,
                ),
                Some(at_ms) => {
                    let late = span(shared.now_ms.saturating_sub(at_ms) / 1_000);
                    (format!("! due for {late}"), palette.warning)
                }
                None => ("?".into(), palette.muted),
            };
            let mut spans = vec![
                Span::styled(if here { "▌ " } else { "  " }, palette.accent),
                Span::styled(format!("{when:<16}"), style),
                Span::styled(
                    format!("{:<LABEL$}  ", fitted(&title(wallet), LABEL)),
                    palette.text,
                ),
            ];
            spans.extend(short_address(&wallet.address.to_string(), palette));
            let every = wallet
                .rotate_every_ms
                .map_or_else(|| "?".to_owned(), duration::show);
            let own = if wallet.own_password { " own password" } else { "" };
            spans.push(Span::styled(format!("  {every:<8}  "), palette.text));
            spans.push(Span::styled(
                format!("{}{own}", fitted(&wallet.role, 12)),
                palette.muted,
            ));
            row(frame, area, offset, Line::from(spans).style(base));
        }
    }
}
