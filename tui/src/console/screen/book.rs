//! The address book: whom people here pay, by a name of their own choosing.

use crossterm::event::KeyEvent;
use keyward_custody::book::{Contact, ContactPage, ContactQuery};
use keyward_custody::wallets::MAX_PAGE;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Screen;
use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::book::{BookAnswer, BookWork};
use crate::console::input::{Echo, Edit, TextInput};
use crate::console::keymap::{Action, Context};
use crate::console::list::{Listing, Rows, Words};
use crate::console::modal::{Confirm, Decision, Gravity, Modal, Purpose};
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::state::Shared;
use crate::console::text::{count, fitted, grouped, printable, utc};
use crate::console::widget::{Focus, field, full_address, row, rows, rule, short_address};

#[cfg(test)]
mod tests;

const LABEL: usize = 24;
/// A line, the whole address, and what else there is to say.
const FOOT_ROWS: u16 = 4;

impl Rows for ContactPage {
    fn count(&self) -> usize {
        self.rows.len()
    }
}

/// The list.
#[derive(Debug)]
pub struct BookScreen {
    list: Listing<ContactPage>,
    filter: TextInput,
    filtering: bool,
    changing: Pending,
    /// What to say once a change is done.
    done: &'static str,
}

impl Default for BookScreen {
    fn default() -> Self {
        Self {
            list: Listing::above(FOOT_ROWS),
            filter: TextInput::plain(128),
            filtering: false,
            changing: Pending::default(),
            done: "",
        }
    }
}

impl BookScreen {
    fn at(&self, at: usize) -> Option<&Contact> {
        self.list.content()?.rows.get(at)
    }

    fn contact(&self) -> Option<&Contact> {
        self.at(self.list.selected())
    }

    /// The first thousand by label; who has more narrows the list.
    fn read(&mut self, cx: &mut Cx<'_>) {
        let query = ContactQuery {
            text: self.filter.expose_text().trim().to_owned(),
            after: None,
            limit: MAX_PAGE,
        };
        self.list.read(Work::Book(BookWork::Page(query)), cx);
    }

    fn change(&mut self, work: BookWork, done: &'static str, cx: &mut Cx<'_>) {
        self.done = done;
        cx.start_latest(&mut self.changing, Work::Book(work));
    }

    fn changed(&mut self, result: Result<(), Failure>, cx: &mut Cx<'_>) {
        match result {
            Ok(()) => cx.notice(self.done),
            Err(failure) => cx.modal(Modal::Error(failure)),
        }
        self.read(cx);
    }

    fn clear_filter(&mut self, cx: &mut Cx<'_>) {
        self.filtering = false;
        if !self.filter.is_empty() {
            self.filter.clear();
            self.read(cx);
        }
    }

    fn act_on_contact(&self, action: Action, cx: &mut Cx<'_>) {
        let Some(contact) = self.contact() else { return };
        match action {
            Action::Copy => cx.copy(contact.address.to_string(), "address"),
            Action::Edit => cx.modal(Modal::prompt(
                format!("Another label for {}", printable(&contact.label)),
                "1 to 64 characters, and no other contact's",
                &contact.label,
                Purpose::ContactLabel(contact.address),
            )),
            _ => cx.modal(Modal::Confirm(Confirm {
                title: format!("Remove {}?", printable(&contact.label)),
                lines: vec![
                    contact.address.to_string(),
                    "Past payments stay in the log; the address is still compared with new ones once it was paid.".into(),
                ],
                decision: Decision::RemoveContact(contact.address),
                gravity: Gravity::Plain,
            })),
        }
    }

    fn cells(&self, at: usize, shared: &Shared) -> Vec<Span<'static>> {
        let palette = &shared.palette;
        let Some(contact) = self.at(at) else {
            return Vec::new();
        };
        let label = fitted(&printable(&contact.label), LABEL);
        let mut cells = vec![Span::styled(format!("{label:<LABEL$}  "), palette.text)];
        cells.extend(short_address(&contact.address.to_string(), palette));
        cells.push(Span::styled(
            format!("{:>9}  ", grouped(contact.paid)),
            palette.text,
        ));
        let room = usize::from(shared.size.0).saturating_sub(LABEL + 34);
        cells.push(Span::styled(
            fitted(&printable(&contact.note), room),
            palette.muted,
        ));
        cells
    }

    fn foot(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let Some(contact) = self.contact() else { return };
        let palette = &shared.palette;
        let area = Rect {
            y: area.y + area.height.saturating_sub(FOOT_ROWS),
            height: FOOT_ROWS,
            ..area
        };
        row(frame, area, 0, rule(area.width, palette));
        let inner = Rect {
            x: area.x + 2,
            width: area.width.saturating_sub(4),
            ..area
        };
        let paid = match contact.paid {
            0 => "never paid from here".to_owned(),
            times => format!("paid {}", count(times, "time", "times")),
        };
        let lines = vec![
            Line::from(full_address(&contact.address.to_string(), palette)),
            Line::styled(
                format!("{paid} · added {} UTC", utc(contact.created_ms)),
                palette.muted,
            ),
            Line::styled(
                fitted(&printable(&contact.note), usize::from(inner.width)),
                palette.text,
            ),
        ];
        rows(frame, inner, 1, lines);
    }
}

impl Page for BookScreen {
    fn contexts(&self) -> Vec<Context> {
        if self.filtering {
            vec![Context::Filter]
        } else {
            vec![Context::Book, Context::List]
        }
    }

    fn typing(&self) -> bool {
        self.filtering
    }

    fn available(&self, action: Action, _shared: &Shared) -> bool {
        match action {
            Action::Copy | Action::Edit | Action::Delete => self.contact().is_some(),
            _ => true,
        }
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        self.read(cx);
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match action {
            Action::Accept if self.filtering => self.filtering = false,
            Action::New => cx.go(Nav::Push(Screen::Contact(Box::default()))),
            Action::Copy | Action::Edit | Action::Delete => self.act_on_contact(action, cx),
            Action::Filter => self.filtering = true,
            Action::ClearFilter => self.clear_filter(cx),
            Action::Refresh => self.read(cx),
            Action::Back if !self.filter.is_empty() => self.clear_filter(cx),
            Action::Back => cx.go(Nav::Back),
            _ => return self.list.act(action, cx.shared),
        }
        Handled::Yes
    }

    fn text(&mut self, key: KeyEvent, cx: &mut Cx<'_>) {
        if self.filter.key(key) == Edit::Changed {
            self.read(cx);
        }
    }

    fn paste(&mut self, text: &str, cx: &mut Cx<'_>) {
        if self.filter.insert(text.trim()) == Edit::Changed {
            self.read(cx);
        }
    }

    fn click(&mut self, _column: u16, row: u16, cx: &mut Cx<'_>) {
        self.list.click(row, cx.shared);
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Book(BookAnswer::Page(result)) if self.list.awaits(id) => {
                self.list.take(result, cx.shared);
            }
            Answer::Book(BookAnswer::Changed(result)) if self.changing.settle(id) => {
                self.changed(result, cx);
            }
            Answer::Broken(failure) if self.list.awaits(id) => self.list.take(Err(failure), cx.shared),
            Answer::Broken(failure) if self.changing.settle(id) => self.changed(Err(failure), cx),
            other => return Some(other),
        }
        None
    }

    fn event(&mut self, event: &Event, cx: &mut Cx<'_>) {
        // A payment that landed is counted.
        if matches!(event, Event::Shown | Event::JobEnded(_)) {
            self.read(cx);
        }
    }

    fn confirmed(&mut self, decision: &Decision, cx: &mut Cx<'_>) {
        if let Decision::RemoveContact(address) = decision {
            self.change(BookWork::Remove(*address), "removed from the address book", cx);
        }
    }

    fn prompted(&mut self, purpose: &Purpose, text: &str, cx: &mut Cx<'_>) {
        if let Purpose::ContactLabel(address) = purpose {
            let work = BookWork::Rename {
                address: *address,
                label: text.to_owned(),
            };
            self.change(work, "the label is changed", cx);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let remark = match self.list.content() {
            Some(page) if page.total > page.rows.len() as u64 => format!(
                "{}, the first {} shown",
                grouped(page.total),
                grouped(page.rows.len() as u64)
            ),
            Some(page) => grouped(page.total),
            None => String::new(),
        };
        let names = format!("{:<LABEL$}  {:<15}{:>9}  {}", "label", "address", "paid", "note");
        let words = Words {
            title: "Address book",
            remark: &remark,
            names: &names,
            reading: "the address book",
            empty: if self.filter.is_empty() {
                "Nobody is in it yet. n adds somebody; what resembles an address that you know is told before."
            } else {
                "Nobody fits the filter. Esc clears it."
            },
        };
        self.list
            .view(&words, |at| self.cells(at, shared), shared, frame, area);
        if self.filtering || !self.filter.is_empty() {
            let sign = Rect {
                x: area.x + 15,
                width: 2,
                ..area
            };
            row(frame, sign, 0, Line::styled("/ ", palette.accent));
            let target = Rect {
                x: area.x + 17,
                width: (area.width / 2).saturating_sub(17),
                height: 1,
                ..area
            };
            let focus = Focus::when(self.filtering);
            field(frame, target, &self.filter, Echo::Plain, focus, palette);
        }
        self.foot(shared, frame, area);
    }
}
