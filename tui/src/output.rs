//! What commands print: a report as calm text for a person or as one JSON object for a script.
//!
//! Text that others wrote (labels, memos, names, a node's words) never reaches the terminal raw: [`printable`] takes out
//! whatever a terminal would act upon. A reader that goes away (`| head`) is no error.

use std::fmt::Write as _;
use std::io::{self, Write};

use keyward_core::amount::Lamports;
use keyward_core::policy::text::is_printable;
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use crate::exit::Exit;

/// What a command found or did.
pub(crate) struct Report {
    /// For a person; ends with a newline when not empty.
    pub(crate) text: String,
    /// For a script: always an object.
    pub(crate) json: Value,
    /// How the process ends.
    pub(crate) exit: Exit,
}

impl Report {
    pub(crate) fn new(text: impl Into<String>, json: Value) -> Self {
        Self {
            text: text.into(),
            json,
            exit: Exit::Ok,
        }
    }

    pub(crate) fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}

/// Which of the two shapes the person asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Writes to standard output; a closed pipe ends the writing quietly.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes to standard error. There is nowhere to report that this failed.
pub(crate) fn warn(text: &str) {
    let mut err = io::stderr().lock();
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Replaces control characters, line breaks and the marks that reorder or hide text by their escapes.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if !is_printable(c) {
            let _ = write!(out, "{}", c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// A SOL amount with its unit, exact; an amount that is not known is `?`.
pub(crate) fn sol(amount: Option<Lamports>) -> String {
    amount.map_or_else(|| "? SOL".to_owned(), |lamports| format!("{lamports} SOL"))
}

/// Where a column's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Aligned columns, two spaces apart, without lines around them.
pub(crate) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; its cells are made printable.
    pub(crate) fn row<I: IntoIterator<Item = String>>(&mut self, cells: I) {
        self.rows
            .push(cells.into_iter().map(|cell| printable(&cell)).collect());
    }

    pub(crate) fn render(&self) -> String {
        let widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(i, (title, _))| {
                let cells = self
                    .rows
                    .iter()
                    .filter_map(|row| row.get(i))
                    .map(|cell| cell.width());
                cells.chain([title.width()]).max().unwrap_or(0)
            })
            .collect();
        let titles: Vec<String> = self
            .columns
            .iter()
            .map(|(title, _)| (*title).to_owned())
            .collect();
        let mut out = String::new();
        for row in std::iter::once(&titles).chain(&self.rows) {
            let mut line = String::new();
            for ((cell, width), (_, align)) in row.iter().zip(&widths).zip(&self.columns) {
                if !line.is_empty() || !std::ptr::eq(cell, row.first().unwrap_or(cell)) {
                    line.push_str("  ");
                }
                let pad = " ".repeat(width.saturating_sub(cell.width()));
                match align {
                    Align::Left => line.extend([cell.as_str(), &pad]),
                    Align::Right => line.extend([&pad, cell.as_str()]),
                }
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

/// `name  value` lines with the values under each other.
pub(crate) fn fields(pairs: &[(&str, String)]) -> String {
    let width = pairs.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    let mut out = String::new();
    for (name, value) in pairs {
        let pad = " ".repeat(width.saturating_sub(name.width()));
        let _ = writeln!(out, "{name}{pad}  {}", printable(value));
    }
    out
}

/// A time in milliseconds since the Unix epoch as `2026-11-21 01:42:07Z`.
pub(crate) fn time(ms: u64) -> String {
    let seconds = ms / 1000;
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    // Howard Hinnant's days-to-civil method, https://howardhinnant.github.io/date_algorithms.html, for days since 1970.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}Z",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other() {
        let mut table = Table::new(&[("#", Align::Right), ("label", Align::Left), ("SOL", Align::Right)]);
        table.row(["0".into(), "münze".into(), "1,000.000000000".into()]);
        table.row(["12".into(), String::new(), "?".into()]);
        assert_eq!(
            table.render(),
            " #  label              SOL\n 0  münze  1,000.000000000\n12                       ?\n"
        );
    }

    #[test]
    fn nothing_a_terminal_acts_upon_is_printed() {
        let check = |input: &str, expected: &str| assert_eq!(printable(input), expected);
        check("plain ünïcode ✓", "plain ünïcode ✓");
        check("a\u{1b}[2Jb", "a\\u{1b}[2Jb");
        check("a\nb\tc", "a\\u{a}b\\u{9}c");
        check("evil\u{202e}txt", "evil\\u{202e}txt");
        check("zero\u{200b}width", "zero\\u{200b}width");
    }

    #[test]
    fn times_read_like_a_calendar() {
        let check = |ms: u64, expected: &str| assert_eq!(time(ms), expected);
        check(0, "1970-01-01 00:00:00Z");
        check(951_782_400_000, "2000-02-29 00:00:00Z");
        check(1_709_251_199_999, "2024-02-29 23:59:59Z");
        check(1_795_225_327_000, "2026-11-21 01:42:07Z");
    }
}
