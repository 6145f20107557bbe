//! The keys that are to be replaced: what is due, what will be within a month, and a run over all that is due.

use keyward_custody::Wallet;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::Screen;
use super::rotate::RotateScreen;
use super::wallet::facts::title;
use crate::console::effect::{Answer, RequestId, Work};
use crate::console::effects::rotation::{DueList, RotationAnswer, RotationWork};
use crate::console::jobs::Stop;
use crate::console::keymap::{Action, Context};
use crate::console::list::{Listing, Rows, Words};
use crate::console::modal::{Confirm, Decision, Gravity, Modal};
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::state::Shared;
use crate::console::text::{count, fitted, grouped, span};
use crate::console::widget::short_address;
use crate::duration;

#[cfg(test)]
mod tests;

/// How far ahead is looked: 30 days.
const AHEAD_MS: u64 = 30 * 86_400_000;
const LABEL: usize = 22;

impl Rows for DueList {
    fn count(&self) -> usize {
        self.page.rows.len()
    }
}

/// The list.
#[derive(Debug, Default)]
pub struct RotationsScreen {
    list: Listing<DueList>,
}

impl RotationsScreen {
    fn wallets(&self) -> &[Wallet] {
        self.list.content().map_or(&[], |list| &list.page.rows)
    }

    fn due_now(&self, now_ms: u64) -> usize {
        let is_due = |wallet: &&Wallet| wallet.rotate_at_ms.is_some_and(|at_ms| at_ms <= now_ms);
        self.wallets().iter().filter(is_due).count()
    }

    fn has_work(&self, now_ms: u64) -> bool {
        self.due_now(now_ms) > 0 || self.list.content().is_some_and(|list| list.retirements > 0)
    }

    fn read(&mut self, cx: &mut Cx<'_>) {
        let work = Work::Rotation(RotationWork::Due { within_ms: AHEAD_MS });
        self.list.read(work, cx);
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
        match action {
            Action::Accept => {
                if let Some(wallet) = self.wallets().get(self.list.selected()).cloned() {
                    cx.go(Nav::Push(Screen::Rotate(Box::new(RotateScreen::new(wallet)))));
                }
            }
            Action::Rotate if self.has_work(cx.shared.now_ms) => self.ask_to_run(cx),
            Action::Rotate => cx.notice("nothing is due"),
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
            Answer::Rotation(RotationAnswer::Due(result)) if self.list.awaits(id) => {
                self.list.take(result, cx.shared);
            }
            Answer::Broken(failure) if self.list.awaits(id) => self.list.take(Err(failure), cx.shared),
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
        let remark = match self.list.content() {
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
        let names = format!(
            "{:<16}{:<LABEL$}  {:<15}  {:<8}  {}",
            "when", "wallet", "address", "every", "role"
        );
        let words = Words {
            title: "Key rotation",
            remark: &remark,
            names: &names,
            reading: "the schedules",
            empty: "No key is to be replaced within 30 days. A wallet's page sets a schedule (R), and the vault's \
                    limits say how often by default (4 settings).",
        };
        self.list
            .view(&words, |at| self.cells(at, shared), shared, frame, area);
    }
}

impl RotationsScreen {
    fn cells(&self, at: usize, shared: &Shared) -> Vec<Span<'static>> {
        let palette = &shared.palette;
        let Some(wallet) = self.wallets().get(at) else {
            return Vec::new();
        };
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
        let mut cells = vec![
            Span::styled(format!("{when:<16}"), style),
            Span::styled(
                format!("{:<LABEL$}  ", fitted(&title(wallet), LABEL)),
                palette.text,
            ),
        ];
        cells.extend(short_address(&wallet.address.to_string(), palette));
        let every = wallet
            .rotate_every_ms
            .map_or_else(|| "?".to_owned(), duration::show);
        let own = if wallet.own_password { " own password" } else { "" };
        cells.push(Span::styled(format!("  {every:<8}  "), palette.text));
        cells.push(Span::styled(
            format!("{}{own}", fitted(&wallet.role, 12)),
            palette.muted,
        ));
        cells
    }
}
