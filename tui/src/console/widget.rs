//! Small drawn things that several screens share: fields, addresses, amounts, bars, headings.

use keyward_core::amount::Lamports;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use super::input::{Echo, TextInput};
use super::state::{Balance, Shared};
use super::text::{ago, fitted};
use super::theme::Palette;

/// Balances older than this show their age.
pub const FRESH_MS: u64 = 30_000;

/// Whether a field is the one being typed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// It is.
    Here,
    /// It is not.
    Elsewhere,
}

impl Focus {
    /// `Here` when the condition holds.
    #[must_use]
    pub fn when(here: bool) -> Self {
        if here { Self::Here } else { Self::Elsewhere }
    }
}

/// Draws one row of text at an offset within an area; nothing outside of it.
pub fn row(frame: &mut Frame<'_>, area: Rect, offset: u16, line: impl Into<Line<'static>>) {
    if offset < area.height {
        let target = Rect {
            y: area.y + offset,
            height: 1,
            ..area
        };
        frame.render_widget(Paragraph::new(line.into()), target);
    }
}

/// Draws several rows from an offset on and gives the next free offset.
pub fn rows(frame: &mut Frame<'_>, area: Rect, offset: u16, lines: Vec<Line<'static>>) -> u16 {
    let mut at = offset;
    for line in lines {
        row(frame, area, at, line);
        at = at.saturating_add(1);
    }
    at
}

/// Draws a one-row field and, when it has the focus, puts the cursor in it.
pub fn field(
    frame: &mut Frame<'_>,
    area: Rect,
    input: &TextInput,
    echo: Echo,
    focus: Focus,
    palette: &Palette,
) {
    if area.width == 0 || area.height == 0 {
        return;
    }
    let (shown, column) = input.visible(area.width, echo);
    let style = if focus == Focus::Here {
        palette.field
    } else {
        palette.text
    };
    let padding = usize::from(area.width).saturating_sub(shown.width());
    let filled = format!("{shown}{}", " ".repeat(padding));
    let line = if focus == Focus::Here { filled } else { shown };
    frame.render_widget(
        Paragraph::new(Line::styled(line, style)),
        Rect { height: 1, ..area },
    );
    if focus == Focus::Here {
        let column = column.min(area.width - 1);
        frame.set_cursor_position(Position::new(area.x + column, area.y));
    }
}

/// An address in short, its first and last characters stressed.
#[must_use]
pub fn short_address(address: &str, palette: &Palette) -> Vec<Span<'static>> {
    let head: String = address.chars().take(8).collect();
    let tail: String = address
        .chars()
        .skip(address.chars().count().saturating_sub(6))
        .collect();
    let mut spans = stressed_head(&head, palette);
    spans.push(Span::styled("…", palette.muted));
    spans.extend(stressed_tail(&tail, palette));
    spans
}

fn stressed_head(head: &str, palette: &Palette) -> Vec<Span<'static>> {
    let (stress, rest) = head.split_at(head.char_indices().nth(4).map_or(head.len(), |(at, _)| at));
    vec![
        Span::styled(stress.to_owned(), palette.strong),
        Span::styled(rest.to_owned(), palette.text),
    ]
}

fn stressed_tail(tail: &str, palette: &Palette) -> Vec<Span<'static>> {
    let from = tail.chars().count().saturating_sub(4);
    let (rest, stress) = tail.split_at(tail.char_indices().nth(from).map_or(0, |(at, _)| at));
    vec![
        Span::styled(rest.to_owned(), palette.text),
        Span::styled(stress.to_owned(), palette.strong),
    ]
}

/// An address in full, its first and last characters stressed.
#[must_use]
pub fn full_address(address: &str, palette: &Palette) -> Vec<Span<'static>> {
    let length = address.chars().count();
    let head: String = address.chars().take(4).collect();
    let middle: String = address.chars().skip(4).take(length.saturating_sub(8)).collect();
    let tail: String = address.chars().skip(length.saturating_sub(4).max(4)).collect();
    vec![
        Span::styled(head, palette.strong),
        Span::styled(middle, palette.text),
        Span::styled(tail, palette.strong),
    ]
}

/// A balance as a number, `?` when unknown; and its age when it is old.
#[must_use]
pub fn balance(balance: Option<Balance>, shared: &Shared) -> (String, Option<String>) {
    match balance {
        Some(Balance {
            lamports: Some(lamports),
            at_ms,
            ..
        }) => {
            let old = shared.now_ms.saturating_sub(at_ms) > FRESH_MS;
            (lamports.to_string(), old.then(|| ago(shared.now_ms, at_ms)))
        }
        _ => ("?".into(), None),
    }
}

/// A change of money with its sign.
#[must_use]
pub fn change(before: Lamports, after: Lamports) -> String {
    match (after.checked_sub(before), before.checked_sub(after)) {
        (Some(more), _) => format!("+{more}"),
        (None, Some(less)) => format!("-{less}"),
        (None, None) => "?".into(),
    }
}

/// A heading with a quiet remark at its right end.
#[must_use]
pub fn heading(title: &str, remark: &str, width: u16, palette: &Palette) -> Line<'static> {
    let title = format!(" {title}");
    let room = usize::from(width).saturating_sub(title.width() + 3);
    let remark = fitted(remark, room);
    let gap = usize::from(width).saturating_sub(title.width() + remark.width() + 1);
    Line::from(vec![
        Span::styled(title, palette.strong),
        Span::raw(" ".repeat(gap)),
        Span::styled(remark, palette.muted),
    ])
}

/// A horizontal line.
#[must_use]
pub fn rule(width: u16, palette: &Palette) -> Line<'static> {
    Line::styled("─".repeat(usize::from(width)), palette.line)
}

/// A bar that shows how far something is, with its numbers.
#[must_use]
pub fn progress_bar(done: u64, total: u64, width: u16, palette: &Palette) -> Line<'static> {
    let cells = u64::from(width);
    let filled = cells
        .saturating_mul(done.min(total))
        .checked_div(total)
        .unwrap_or(0);
    let filled = usize::try_from(filled).unwrap_or(0);
    let rest = usize::from(width).saturating_sub(filled);
    Line::from(vec![
        Span::styled("━".repeat(filled), palette.accent),
        Span::styled("─".repeat(rest), palette.line),
    ])
}

/// The sign of something under way; it changes with the time, four times a second.
#[must_use]
pub fn working(now_ms: u64) -> &'static str {
    match now_ms / 250 % 4 {
        0 => "◐",
        1 => "◓",
        2 => "◑",
        _ => "◒",
    }
}

/// Text broken into lines of at most `width` columns, at spaces where possible.
#[must_use]
pub fn wrapped(text: &str, width: u16, style: Style) -> Vec<Line<'static>> {
    let width = usize::from(width.max(8));
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let mut word = word;
        while word.width() > width {
            if !line.is_empty() {
                lines.push(Line::styled(std::mem::take(&mut line), style));
            }
            let mut used = 0;
            let cut = word
                .char_indices()
                .find(|(_, ch)| {
                    used += unicode_width::UnicodeWidthChar::width(*ch).unwrap_or(0);
                    used > width
                })
                .map_or(word.len(), |(at, _)| at);
            let (head, tail) = word.split_at(cut);
            lines.push(Line::styled(head.to_owned(), style));
            word = tail;
        }
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            lines.push(Line::styled(std::mem::take(&mut line), style));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(Line::styled(line, style));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::theme::{Background, Depth};

    fn plain(spans: &[Span<'_>]) -> String {
        spans.iter().map(|span| span.content.as_ref()).collect()
    }

    #[test]
    fn addresses_are_shown_whole_or_in_short() {
        let palette = Palette::new(Depth::None, Background::Dark);
        let address = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk";
        assert_eq!(plain(&short_address(address, &palette)), "HAgk14Jp…3DKpqk");
        assert_eq!(plain(&full_address(address, &palette)), address);
        assert_eq!(plain(&full_address("abc", &palette)), "abc");
    }

    #[test]
    fn changes_carry_their_sign() {
        let sol = Lamports::new;
        assert_eq!(change(sol(5), sol(7)), "+0.000000002");
        assert_eq!(change(sol(7), sol(5)), "-0.000000002");
        assert_eq!(change(sol(7), sol(7)), "+0.000000000");
    }

    #[test]
    fn long_words_are_broken() {
        let lines = wrapped("a 0123456789abcdef b", 10, Style::new());
        let texts: Vec<String> = lines.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["a", "0123456789", "abcdef b"]);
    }
}
