//! The owners of wallets: how many each has, adding, renaming and removing them.

use keyward_custody::wallets::MAX_PAGE;
use keyward_custody::{Owner, OwnerPage, OwnerQuery};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::wallets::{WalletsAnswer, WalletsWork};
use crate::console::keymap::{Action, Context};
use crate::console::modal::{Confirm, Decision, Gravity, Modal, Purpose};
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::state::Shared;
use crate::console::text::{fitted, grouped, printable, sentence, utc};
use crate::console::widget::{heading, row, rows, rule, short_address, working, wrapped};

#[cfg(test)]
mod tests;

/// Rows above the first owner: heading, line, names of the columns.
const HEAD_ROWS: u16 = 3;
const NAME: usize = 26;

/// The list.
#[derive(Debug, Default)]
pub struct OwnersScreen {
    page: Option<OwnerPage>,
    failure: Option<Failure>,
    reading: Pending,
    selected: usize,
    top: usize,
}

impl OwnersScreen {
    fn owners(&self) -> &[Owner] {
        self.page.as_ref().map_or(&[], |page| &page.rows)
    }

    fn owner(&self) -> Option<&Owner> {
        self.owners().get(self.selected)
    }

    /// The first thousand by name; who has more names one in the list of wallets.
    fn read(&mut self, cx: &mut Cx<'_>) {
        let query = OwnerQuery {
            limit: MAX_PAGE,
            ..OwnerQuery::default()
        };
        cx.start_latest(&mut self.reading, Work::Wallets(WalletsWork::Owners(query)));
    }

    fn select(&mut self, at: usize, seen: usize) {
        self.selected = at.min(self.owners().len().saturating_sub(1));
        self.top = self
            .top
            .min(self.selected)
            .max((self.selected + 1).saturating_sub(seen.max(1)));
    }

    fn ask_to_remove(&self, cx: &mut Cx<'_>) {
        let Some(owner) = self.owner() else { return };
        if owner.wallets + owner.others > 0 {
            return cx.notice("it has wallets; give them to another owner first (w in the list of wallets)");
        }
        cx.modal(Modal::Confirm(Confirm {
            title: format!("Remove {}?", printable(&owner.name)),
            lines: vec!["It has no wallets.".into()],
            decision: Decision::RemoveOwner(owner.name.clone()),
            gravity: Gravity::Plain,
        }));
    }

    fn line(&self, at: usize, owner: &Owner, shared: &Shared) -> Line<'static> {
        let palette = &shared.palette;
        let here = at == self.selected;
        let base = if here { palette.selected } else { Style::new() };
        let name = fitted(&printable(&owner.name), NAME);
        let mut spans = vec![
            Span::styled(if here { "▌ " } else { "  " }, palette.accent),
            Span::styled(format!("{name:<NAME$}"), palette.text),
            Span::styled(
                format!("{:>9}{:>9}   ", grouped(owner.wallets), grouped(owner.others)),
                palette.text,
            ),
        ];
        match &owner.primary {
            Some(primary) => spans.extend(short_address(&primary.to_string(), palette)),
            None => spans.push(Span::styled(format!("{:<15}", "none"), palette.muted)),
        }
        let added = utc(owner.created_ms).chars().take(10).collect::<String>();
        spans.push(Span::styled(format!("   {added}"), palette.muted));
        Line::from(spans).style(base)
    }
}

fn seen_rows(shared: &Shared) -> usize {
    let body = crate::console::layout::areas(shared.size).body;
    usize::from(body.height.saturating_sub(HEAD_ROWS))
}

impl Page for OwnersScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Owners, Context::List]
    }

    fn available(&self, action: Action, _shared: &Shared) -> bool {
        match action {
            Action::Accept | Action::Edit => self.owner().is_some(),
            Action::Delete => self
                .owner()
                .is_some_and(|owner| owner.wallets + owner.others == 0),
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
                if let Some(name) = self.owner().map(|owner| owner.name.clone()) {
                    cx.go(Nav::Tell(Event::ShowOwner(name)));
                    cx.go(Nav::Home);
                }
            }
            Action::New => cx.modal(Modal::for_purpose(Purpose::NewOwner, "")),
            Action::Edit => {
                if let Some(owner) = self.owner() {
                    let purpose = Purpose::RenameOwner(owner.name.clone());
                    cx.modal(Modal::for_purpose(purpose, &owner.name));
                }
            }
            Action::Delete => self.ask_to_remove(cx),
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
            Answer::Wallets(WalletsAnswer::Owners(result)) if self.reading.settle(id) => match result {
                Ok(page) => {
                    (self.page, self.failure) = (Some(page), None);
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

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let remark = match &self.page {
            Some(page) if page.total > page.rows.len() as u64 => {
                format!(
                    "{}, the first {} shown",
                    grouped(page.total),
                    grouped(page.rows.len() as u64)
                )
            }
            Some(page) => grouped(page.total),
            None => String::new(),
        };
        row(frame, area, 0, heading("Owners", &remark, area.width, palette));
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
        } else if self.page.is_none() {
            let text = format!("{} reading the owners", working(shared.now_ms));
            row(frame, inner, 3, Line::styled(text, palette.muted));
        } else if self.owners().is_empty() {
            let text = "No owners yet. n adds one; w in the list of wallets gives wallets to it. How many one may have is \
                        a limit of the vault (4 settings).";
            rows(frame, inner, 3, wrapped(text, inner.width, palette.muted));
        } else {
            let names = format!(
                "  {:<NAME$}{:>9}{:>9}   {:<15}   {}",
                "owner", "wallets", "others", "primary", "added"
            );
            row(frame, area, 2, Line::styled(names, palette.muted));
            let shown = self.owners().iter().enumerate().skip(self.top);
            for (offset, (at, owner)) in (HEAD_ROWS..area.height).zip(shown) {
                row(frame, area, offset, self.line(at, owner, shared));
            }
        }
    }
}
