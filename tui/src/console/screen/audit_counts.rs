//! The audit log's entries counted by operation and outcome; a line leads to its entries.

use keyward_core::audit::Outcome;
use keyward_custody::{AuditCount, AuditQuery};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::console::effect::{Answer, RequestId, Work};
use crate::console::effects::audit::{AuditAnswer, AuditWork};
use crate::console::keymap::{Action, Context};
use crate::console::list::{Listing, Words};
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::state::Shared;
use crate::console::text::{count, grouped, printable};

#[cfg(test)]
mod tests;

/// The counts.
#[derive(Debug)]
pub struct AuditCountsScreen {
    list: Listing<Vec<AuditCount>>,
    query: AuditQuery,
    filter: String,
}

impl AuditCountsScreen {
    /// The counts of what this filter finds; `filter` is how it was typed.
    #[must_use]
    pub fn new(query: AuditQuery, filter: &str) -> Self {
        Self {
            list: Listing::default(),
            query,
            filter: filter.trim().to_owned(),
        }
    }

    fn counts(&self) -> &[AuditCount] {
        self.list.content().map_or(&[], Vec::as_slice)
    }

    fn read(&mut self, cx: &mut Cx<'_>) {
        let work = Work::Audit(AuditWork::Counts(self.query.clone()));
        self.list.read(work, cx);
    }

    fn remark(&self) -> String {
        if self.counts().is_empty() {
            return String::new();
        }
        let total = self
            .counts()
            .iter()
            .fold(0_u64, |total, one| total.saturating_add(one.count));
        let entries = count(total, "entry", "entries");
        if self.filter.is_empty() {
            format!("{entries}, those redacted left out")
        } else {
            format!("{entries} of {}", printable(&self.filter))
        }
    }
}

impl Page for AuditCountsScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::AuditCounts, Context::List]
    }

    fn available(&self, action: Action, _shared: &Shared) -> bool {
        action != Action::Accept || !self.counts().is_empty()
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        self.read(cx);
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match action {
            Action::Accept => {
                if let Some(one) = self.counts().get(self.list.selected()) {
                    let word = format!("op:{} outcome:{}", one.operation, one.outcome);
                    cx.go(Nav::Back);
                    cx.go(Nav::Tell(Event::ShowAudit(word)));
                }
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
            Answer::Audit(AuditAnswer::Counts(result)) if self.list.awaits(id) => {
                self.list.take(result, cx.shared);
            }
            Answer::Broken(failure) if self.list.awaits(id) => self.list.take(Err(failure), cx.shared),
            other => return Some(other),
        }
        None
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let remark = self.remark();
        let names = format!("{:<24}{:<14}{:>12}", "operation", "outcome", "entries");
        let words = Words {
            title: "Audit: entries by operation",
            remark: &remark,
            names: &names,
            reading: "the log",
            empty: "No entry fits the filter.",
        };
        let cells = |at: usize| {
            let Some(one) = self.counts().get(at) else {
                return Vec::new();
            };
            let style = match one.outcome {
                Outcome::Refused | Outcome::Failed => palette.warning,
                _ => palette.text,
            };
            vec![
                Span::styled(format!("{:<24}", one.operation.as_str()), palette.text),
                Span::styled(format!("{:<14}", one.outcome.as_str()), style),
                Span::styled(format!("{:>12}", grouped(one.count)), palette.strong),
            ]
        };
        self.list.view(&words, cells, shared, frame, area);
    }
}
