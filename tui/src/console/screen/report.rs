//! A stored job held against the chain: of a distribution what was planned, recorded and paid, line by line; of a sweep what
//! is left.

use keyward_custody::jobs::JobId;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::console::effect::{Answer, RequestId, Work};
use crate::console::effects::bulk::report::{ReportPage, ReportRow, Stands};
use crate::console::effects::bulk::{BulkAnswer, BulkWork};
use crate::console::keymap::{Action, Context};
use crate::console::list::{Listing, Rows, Words};
use crate::console::page::{Cx, Handled, Nav, Page};
use crate::console::state::Shared;
use crate::console::text::{fitted, printable, sentence};
use crate::console::widget::{full_address, row, rows, rule, short_address, wrapped};

#[cfg(test)]
mod tests;

/// A line, and what is under the cursor in full.
const FOOT_ROWS: u16 = 6;
/// Columns of a fact's name.
const NAME: usize = 13;

/// The facts, and the lines below them.
impl Rows for Box<ReportPage> {
    fn count(&self) -> usize {
        self.facts.len() + self.rows.len()
    }
}

/// The page.
#[derive(Debug)]
pub struct ReportScreen {
    id: JobId,
    title: String,
    list: Listing<Box<ReportPage>>,
}

impl ReportScreen {
    /// Of this job, called so.
    #[must_use]
    pub fn new(id: JobId, title: String) -> Self {
        Self {
            id,
            title,
            list: Listing::above(FOOT_ROWS),
        }
    }

    fn read(&mut self, cx: &mut Cx<'_>) {
        self.list.read(Work::Bulk(BulkWork::Report(self.id)), cx);
    }

    fn line(&self, at: usize) -> Option<&ReportRow> {
        let page = self.list.content()?;
        page.rows.get(at.checked_sub(page.facts.len())?)
    }

    fn cells(&self, at: usize, shared: &Shared) -> Vec<Span<'static>> {
        let palette = &shared.palette;
        let fact = self.list.content().and_then(|page| page.facts.get(at));
        if let Some((name, words)) = fact {
            let room = usize::from(shared.size.0).saturating_sub(NAME + 4);
            return vec![
                Span::styled(format!("{name:<NAME$}"), palette.muted),
                Span::styled(fitted(words, room), palette.strong),
            ];
        }
        let Some(line) = self.line(at) else {
            return Vec::new();
        };
        let (sign, style) = match line.stands {
            Stands::Odd => ("!", palette.danger),
            Stands::Open => ("▸", palette.warning),
            Stands::Well => ("✓", palette.good),
        };
        let mut cells = vec![Span::styled(format!("{sign} "), style)];
        cells.extend(short_address(&line.address.to_string(), palette));
        cells.push(Span::styled(format!("{:>30}  ", line.amount), palette.strong));
        cells.push(Span::styled(line.word, style));
        cells
    }

    fn foot(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let Some(page) = self.list.content() else { return };
        let area = Rect {
            y: area.y + area.height.saturating_sub(FOOT_ROWS),
            height: FOOT_ROWS.min(area.height),
            ..area
        };
        row(frame, area, 0, rule(area.width, palette));
        let inner = Rect {
            x: area.x + 2,
            width: area.width.saturating_sub(4),
            ..area
        };
        let mut lines = Vec::new();
        if let Some(line) = self.line(self.list.selected()) {
            lines.push(Line::from(full_address(&line.address.to_string(), palette)));
            for words in &line.details {
                lines.extend(wrapped(&sentence(&printable(words)), inner.width, palette.text));
            }
        } else {
            let style = if page.agrees {
                palette.good
            } else {
                palette.warning
            };
            lines.extend(wrapped(page.words, inner.width, style));
        }
        lines.truncate(usize::from(FOOT_ROWS) - 1);
        rows(frame, inner, 1, lines);
    }
}

impl Page for ReportScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Report, Context::List]
    }

    fn available(&self, action: Action, _shared: &Shared) -> bool {
        action != Action::Copy || self.line(self.list.selected()).is_some()
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        self.read(cx);
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match action {
            Action::Refresh => self.read(cx),
            Action::Copy => {
                if let Some(line) = self.line(self.list.selected()) {
                    cx.copy(line.address.to_string(), "the address");
                }
            }
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
            Answer::Bulk(BulkAnswer::Reported(result)) if self.list.awaits(id) => {
                self.list.take(result, cx.shared);
            }
            Answer::Broken(failure) if self.list.awaits(id) => self.list.take(Err(failure), cx.shared),
            other => return Some(other),
        }
        None
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let remark = match self.list.content() {
            _ if self.list.is_reading() => "asking the chain",
            Some(page) if page.agrees => "it agrees",
            Some(_) => "it does not agree",
            None => "",
        };
        let words = Words {
            title: &format!("Report: {}", self.title),
            remark,
            names: "what it comes to, and whom it went to",
            reading: "the job's transactions from the chain",
            empty: "Nothing of it was done yet.",
        };
        self.list
            .view(&words, |at| self.cells(at, shared), shared, frame, area);
        self.foot(shared, frame, area);
    }
}
