//! A list that is read whole: its cursor, what its keys do, and what stands in the place of its rows.
//!
//! Long lists (wallets, the audit log) have windows of their own; this one holds at most what one read gives.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::effect::{Failure, Pending, RequestId, Work};
use super::keymap::Action;
use super::layout;
use super::page::{Cx, Handled};
use super::state::Shared;
use super::text::sentence;
use super::widget::{heading, row, rows, rule, working, wrapped};

/// Rows above the first row of a list: heading, line, names of the columns.
pub const HEAD_ROWS: u16 = 3;

/// What a list is of.
pub trait Rows {
    /// How many rows there are.
    fn count(&self) -> usize;
}

impl<T> Rows for Vec<T> {
    fn count(&self) -> usize {
        self.len()
    }
}

/// A list: what was read, or why not, and the cursor.
#[derive(Debug)]
pub struct Listing<T> {
    content: Option<T>,
    failure: Option<Failure>,
    reading: Pending,
    selected: usize,
    top: usize,
    /// Rows at the foot of the body that are not the list's.
    foot_rows: u16,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self {
            content: None,
            failure: None,
            reading: Pending::default(),
            selected: 0,
            top: 0,
            foot_rows: 0,
        }
    }
}

/// The words around a list.
#[derive(Debug)]
pub struct Words<'a> {
    /// What it is a list of.
    pub title: &'a str,
    /// A quiet remark on all of it.
    pub remark: &'a str,
    /// The names of the columns, the sign of the cursor left out.
    pub names: &'a str,
    /// What is being read.
    pub reading: &'a str,
    /// What to do where there is nothing.
    pub empty: &'a str,
}

impl<T: Rows> Listing<T> {
    /// A list above so many rows of something else.
    #[must_use]
    pub fn above(foot_rows: u16) -> Self {
        Self {
            foot_rows,
            ..Self::default()
        }
    }

    /// What was read.
    #[must_use]
    pub fn content(&self) -> Option<&T> {
        self.content.as_ref()
    }

    /// The place of the cursor.
    #[must_use]
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// Whether an answer is awaited.
    #[must_use]
    pub fn is_reading(&self) -> bool {
        self.reading.is_waiting()
    }

    /// Reads it, anew perhaps; what was read before is shown until then.
    pub fn read(&mut self, work: Work, cx: &mut Cx<'_>) {
        cx.start_latest(&mut self.reading, work);
    }

    /// Whether this is the answer that is awaited; if so none is any more.
    pub fn awaits(&mut self, id: RequestId) -> bool {
        self.reading.settle(id)
    }

    /// Takes what was read. What was read before a failure is still shown, under it.
    pub fn take(&mut self, result: Result<T, Failure>, shared: &Shared) {
        match result {
            Ok(content) => {
                (self.content, self.failure) = (Some(content), None);
                self.put(self.selected, shared);
            }
            Err(failure) => self.failure = Some(failure),
        }
    }

    fn len(&self) -> usize {
        self.content.as_ref().map_or(0, Rows::count)
    }

    fn seen(&self, shared: &Shared) -> usize {
        let body = layout::areas(shared.size).body.height;
        usize::from(body.saturating_sub(HEAD_ROWS).saturating_sub(self.foot_rows)).max(1)
    }

    /// Puts the cursor on a row, or on the last one.
    pub fn put(&mut self, at: usize, shared: &Shared) {
        self.selected = at.min(self.len().saturating_sub(1));
        let seen = self.seen(shared);
        let least = (self.selected + 1).saturating_sub(seen);
        let most = self.selected.min(self.len().saturating_sub(seen));
        self.top = self.top.clamp(least.min(most), most);
    }

    /// Moves the cursor, if that is what the key asks for.
    pub fn act(&mut self, action: Action, shared: &Shared) -> Handled {
        let seen = self.seen(shared);
        let at = match action {
            Action::Up => self.selected.saturating_sub(1),
            Action::Down => self.selected.saturating_add(1),
            Action::PageUp => self.selected.saturating_sub(seen),
            Action::PageDown => self.selected.saturating_add(seen),
            Action::First => 0,
            Action::Last => usize::MAX,
            _ => return Handled::No,
        };
        self.put(at, shared);
        Handled::Yes
    }

    /// Puts the cursor on the row at this row of the body.
    pub fn click(&mut self, row: u16, shared: &Shared) {
        if let Some(offset) = row.checked_sub(HEAD_ROWS).map(usize::from)
            && offset < self.seen(shared)
        {
            self.put(self.top + offset, shared);
        }
    }

    /// Draws it. `line` gives the cells of a row; it is asked for those that are seen.
    pub fn view(
        &self,
        words: &Words<'_>,
        line: impl Fn(usize) -> Vec<Span<'static>>,
        shared: &Shared,
        frame: &mut Frame<'_>,
        area: Rect,
    ) {
        let palette = &shared.palette;
        let area = Rect {
            height: area.height.saturating_sub(self.foot_rows),
            ..area
        };
        row(
            frame,
            area,
            0,
            heading(words.title, words.remark, area.width, palette),
        );
        row(frame, area, 1, rule(area.width, palette));
        let inner = Rect {
            x: area.x + 3,
            width: area.width.saturating_sub(6),
            ..area
        };
        if let Some(failure) = &self.failure {
            let cause = format!("! {}", sentence(&failure.cause));
            let mut lines = wrapped(&cause, inner.width, palette.warning);
            lines.extend(wrapped(&sentence(&failure.remedy), inner.width, palette.accent));
            rows(frame, inner, HEAD_ROWS, lines);
        } else if self.content.is_none() {
            let text = format!("{} reading {}", working(shared.now_ms), words.reading);
            row(frame, inner, HEAD_ROWS, Line::styled(text, palette.muted));
        } else if self.len() == 0 {
            rows(
                frame,
                inner,
                HEAD_ROWS,
                wrapped(words.empty, inner.width, palette.muted),
            );
        } else {
            let names = format!("  {}", words.names);
            row(frame, area, 2, Line::styled(names, palette.muted));
            for (offset, at) in (HEAD_ROWS..area.height).zip(self.top..self.len()) {
                let here = at == self.selected;
                let base = if here { palette.selected } else { Style::new() };
                let mut cells = vec![Span::styled(if here { "▌ " } else { "  " }, palette.accent)];
                cells.extend(line(at));
                row(frame, area, offset, Line::from(cells).style(base));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::console::view::testing::fresh;

    fn list(rows: usize) -> (Listing<Vec<usize>>, crate::console::state::State) {
        let state = fresh();
        let mut list = Listing::above(2);
        list.take(Ok((0..rows).collect()), &state.shared);
        (list, state)
    }

    #[test]
    fn the_cursor_stays_within_the_rows_and_the_rows_within_sight() {
        let (mut list, state) = list(100);
        let seen = list.seen(&state.shared);
        let steps = [
            Action::Last,
            Action::Up,
            Action::PageUp,
            Action::PageDown,
            Action::Down,
            Action::Down,
            Action::First,
            Action::Up,
            Action::PageDown,
        ];
        for step in steps {
            assert_eq!(list.act(step, &state.shared), Handled::Yes, "{step:?}");
            assert!(list.selected() < 100, "{step:?}");
            assert!((list.top..list.top + seen).contains(&list.selected()), "{step:?}");
        }
        assert_eq!(list.act(Action::Accept, &state.shared), Handled::No);
    }

    #[test]
    fn a_list_that_shrinks_keeps_its_cursor_on_a_row() {
        let (mut list, state) = list(100);
        list.act(Action::Last, &state.shared);
        list.take(Ok(vec![1, 2]), &state.shared);
        assert_eq!((list.selected(), list.top), (1, 0));
        list.take(Ok(Vec::new()), &state.shared);
        assert_eq!((list.selected(), list.top), (0, 0));
    }

    #[test]
    fn a_click_below_the_rows_or_in_the_foot_is_not_one_on_a_row_out_of_sight() {
        let (mut list, state) = list(100);
        list.click(HEAD_ROWS + 2, &state.shared);
        assert_eq!(list.selected(), 2);
        list.click(0, &state.shared);
        let below = HEAD_ROWS + u16::try_from(list.seen(&state.shared)).unwrap();
        list.click(below, &state.shared);
        assert_eq!(list.selected(), 2);
    }
}
