//! Draws the audit log.

use keyward_core::audit::{AuditEntry, Outcome};
use keyward_custody::{AuditReport, AuditRow};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::window::Order;
use super::{AuditScreen, Mode, place};
use crate::console::input::Echo;
use crate::console::layout;
use crate::console::state::Shared;
use crate::console::text::{ago, count, fitted, grouped, printable, utc};
use crate::console::theme::Palette;
use crate::console::verification::Verdict;
use crate::console::widget::{self, Focus};

/// Rows above the list: title, verdict (two rows), column names.
pub(super) const HEAD: u16 = 4;

pub(super) fn view(screen: &AuditScreen, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    head(screen, shared, frame, area);
    widget::rows(frame, area, 1, verdict(shared, area.width));
    let below = Rect {
        y: area.y + 3,
        height: area.height.saturating_sub(3),
        ..area
    };
    let (list, detail) = layout::panes(below);
    if screen.mode == Mode::Entry && detail.is_none() {
        widget::row(frame, below, 0, widget::rule(below.width, palette));
        if let Some(entry) = screen.window.selected() {
            widget::rows(frame, below, 1, row_lines(entry, palette, below.width));
        }
        return;
    }
    rows(screen, shared, frame, list);
    if let Some(detail) = detail {
        pane(screen, palette, frame, detail);
    }
}

fn head(screen: &AuditScreen, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    let order = match screen.window.order() {
        Order::NewestFirst => "newest first",
        Order::OldestFirst => "oldest first",
    };
    let remark = match place(&screen.window) {
        place if place.is_empty() => order.to_owned(),
        place => format!("{place} · {order}"),
    };
    widget::row(
        frame,
        area,
        0,
        widget::heading("Audit", &remark, area.width, palette),
    );
    if screen.mode == Mode::Filter || !screen.input.is_empty() {
        let width = (area.width / 2).saturating_sub(10);
        widget::row(
            frame,
            Rect {
                x: area.x + 8,
                width: 2,
                ..area
            },
            0,
            Line::styled("/ ", palette.accent),
        );
        let target = Rect {
            x: area.x + 10,
            width,
            height: 1,
            ..area
        };
        let focus = Focus::when(screen.mode == Mode::Filter);
        widget::field(
            frame,
            target.intersection(area),
            &screen.input,
            Echo::Plain,
            focus,
            palette,
        );
    }
}

/// Two rows: what is known of the log's integrity.
fn verdict(shared: &Shared, width: u16) -> Vec<Line<'static>> {
    let palette = &shared.palette;
    let room = usize::from(width).saturating_sub(2);
    if let Some(since_ms) = shared.verification.running_since(&shared.jobs) {
        let seconds = shared.now_ms.saturating_sub(since_ms) / 1_000;
        let sign = widget::working(shared.now_ms);
        return vec![Line::styled(
            format!(" {sign} recomputing every entry · {seconds} s"),
            palette.accent,
        )];
    }
    let Some(Verdict { result, at_ms }) = shared.verification.verdict() else {
        return vec![Line::styled(
            " Not verified in this run: v recomputes the whole log.",
            palette.muted,
        )];
    };
    let when = ago(shared.now_ms, *at_ms);
    match result {
        Ok(AuditReport::Intact {
            entries,
            root,
            checkpoints,
            redacted,
        }) => {
            let kept = match checkpoints {
                0 => "no checkpoint was kept yet".to_owned(),
                1 => "1 checkpoint agrees".to_owned(),
                many => format!("{} checkpoints agree", grouped(*many)),
            };
            let gone = match redacted {
                0 => String::new(),
                some => format!(", {} redacted", grouped(*some)),
            };
            let first = format!(
                " ✓ intact: {}{gone}, {kept} · verified {when}",
                count(*entries, "entry", "entries")
            );
            vec![
                Line::styled(fitted(&first, room), palette.good),
                Line::styled(
                    fitted(&format!("   root {}", hex::encode(root)), room),
                    palette.muted,
                ),
            ]
        }
        Ok(AuditReport::Broken { sequence, reason }) => vec![
            Line::styled(
                fitted(
                    &format!(" ✗ BROKEN at entry {sequence}: {}", printable(reason)),
                    room,
                ),
                palette.danger,
            ),
            Line::styled(
                fitted(
                    "   Stop signing, keep the file, compare with a backup and kept checkpoints.",
                    room,
                ),
                palette.danger,
            ),
        ],
        Err(failure) => vec![
            Line::styled(
                fitted(&format!(" ! not verified: {}", failure.cause), room),
                palette.warning,
            ),
            Line::styled(fitted(&format!("   {}", failure.remedy), room), palette.text),
        ],
    }
}

fn rows(screen: &AuditScreen, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    let names = format!(
        "  {:>6}  {:<19}  {:<17}{:<13}{}",
        "#", "time (UTC)", "operation", "outcome", "wallet, reason"
    );
    widget::row(
        frame,
        area,
        0,
        Line::styled(fitted(&names, usize::from(area.width)), palette.muted),
    );
    let list = Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1),
        ..area
    };
    if screen.window.is_empty() {
        widget::rows(frame, list, 1, empty(screen, palette));
        return;
    }
    let seen = u64::from(list.height);
    let top = screen.window.top(seen);
    for (offset, place) in (0..list.height).zip(top..) {
        let Some(entry) = screen.window.at(place) else {
            if place < screen.window.total() {
                widget::row(frame, list, offset, Line::styled("  …", palette.muted));
            }
            continue;
        };
        let selected = place == screen.window.cursor();
        widget::row(
            frame,
            list,
            offset,
            row_line(entry, selected, palette, area.width),
        );
    }
}

fn empty(screen: &AuditScreen, palette: &Palette) -> Vec<Line<'static>> {
    if let Some(failure) = &screen.failure {
        return vec![
            Line::styled(format!("  ! {}", failure.cause), palette.warning),
            Line::styled(format!("    {}", failure.remedy), palette.text),
        ];
    }
    if screen.loading.is_waiting() {
        return vec![Line::styled("  reading", palette.muted)];
    }
    if screen.input.is_empty() {
        return vec![Line::styled("  Nothing is recorded yet.", palette.text)];
    }
    let mut lines = vec![Line::styled(
        "  No entry fits the filter. Esc clears it.",
        palette.text,
    )];
    let hint = screen.filter.problem.clone().unwrap_or_else(|| {
        "text in actor, reason or details; outcome:refused op:sign wallet:<address> owner:alice since:24h failures".into()
    });
    lines.push(Line::styled(format!("  {hint}"), palette.muted));
    lines
}

fn outcome_look(outcome: Outcome, palette: &Palette) -> (&'static str, Style) {
    match outcome {
        Outcome::Authorised => ("▸", palette.muted),
        Outcome::Signed => ("✓", palette.good),
        Outcome::Done => ("✓", palette.text),
        Outcome::Refused => ("✗", palette.warning),
        Outcome::Failed => ("!", palette.warning),
        _ => ("?", palette.text),
    }
}

fn row_line(row: &AuditRow, selected: bool, palette: &Palette, width: u16) -> Line<'static> {
    let (sequence, by) = match row {
        AuditRow::Entry(entry) => return entry_row(entry, selected, palette, width),
        AuditRow::Redacted {
            sequence,
            redacted_by,
            ..
        } => (sequence, redacted_by),
    };
    let base = if selected { palette.selected } else { Style::new() };
    let mark = if selected { "▌" } else { " " };
    let words = format!(" {sequence:>6}  redacted: its time was over; entry {by} says so");
    let room = usize::from(width).saturating_sub(2);
    let words = fitted(&words, room);
    Line::from(vec![
        Span::styled(mark, base.patch(palette.accent)),
        Span::styled(format!("{words:<room$} "), base.patch(palette.muted)),
    ])
}

fn entry_row(entry: &AuditEntry, selected: bool, palette: &Palette, width: u16) -> Line<'static> {
    let base = if selected { palette.selected } else { Style::new() };
    let (sign, style) = outcome_look(entry.outcome, palette);
    let mark = if selected { "▌" } else { " " };
    let wallet = entry
        .wallet
        .map(|wallet| wallet.abbreviated())
        .unwrap_or_default();
    let mut about = wallet;
    for more in [&entry.reason, &entry.details] {
        if !more.is_empty() {
            if !about.is_empty() {
                about.push(' ');
            }
            about.push_str(&printable(more));
        }
    }
    let left = format!(
        " {:>6}  {}  {:<17}",
        entry.sequence,
        utc(entry.time_ms),
        fitted(entry.operation.as_str(), 16)
    );
    let outcome = format!("{sign} {:<11}", entry.outcome.as_str());
    let room = usize::from(width).saturating_sub(1 + left.width() + outcome.width() + 1);
    let about = fitted(&about, room);
    let padding = room.saturating_sub(about.width()) + 1;
    Line::from(vec![
        Span::styled(mark, base.patch(palette.accent)),
        Span::styled(left, base.patch(palette.text)),
        Span::styled(outcome, base.patch(style)),
        Span::styled(
            format!("{about}{}", " ".repeat(padding)),
            base.patch(palette.muted),
        ),
    ])
}

fn pane(screen: &AuditScreen, palette: &Palette, frame: &mut Frame<'_>, area: Rect) {
    for offset in 0..area.height {
        widget::row(
            frame,
            Rect { width: 1, ..area },
            offset,
            Line::styled("│", palette.line),
        );
    }
    let inner = Rect {
        x: area.x + 2,
        width: area.width.saturating_sub(3),
        ..area
    };
    if let Some(entry) = screen.window.selected() {
        widget::rows(frame, inner, 0, row_lines(entry, palette, inner.width));
    }
}

/// A row in full.
fn row_lines(row: &AuditRow, palette: &Palette, width: u16) -> Vec<Line<'static>> {
    let AuditRow::Redacted {
        sequence,
        redacted_by,
        ..
    } = row
    else {
        return match row {
            AuditRow::Entry(entry) => entry_lines(entry, palette, width),
            _ => Vec::new(),
        };
    };
    let mut lines = vec![
        Line::styled(format!(" entry {sequence}  redacted"), palette.strong),
        Line::default(),
    ];
    let words = format!(
        "What it said is gone, since its retention was over; entry {redacted_by} says so. Its leaf in the tree stays:"
    );
    lines.extend(widget::wrapped(&words, width.saturating_sub(1), palette.text));
    lines.extend(widget::wrapped(
        &hex::encode(row.leaf_hash()),
        width.saturating_sub(1),
        palette.muted,
    ));
    lines
}

/// An entry in full.
fn entry_lines(entry: &AuditEntry, palette: &Palette, width: u16) -> Vec<Line<'static>> {
    let (sign, style) = outcome_look(entry.outcome, palette);
    let mut lines = vec![
        Line::from(vec![
            Span::styled(format!(" entry {}  ", entry.sequence), palette.strong),
            Span::styled(format!("{} ", entry.operation), palette.text),
            Span::styled(format!("{sign} {}", entry.outcome), style),
        ]),
        Line::default(),
    ];
    let mut named = |name: &str, text: &str| {
        if text.is_empty() {
            return;
        }
        let room = width.saturating_sub(12);
        if text.width() > usize::from(room) && text.width() < usize::from(width) {
            // An address is easier to compare in one piece.
            lines.push(Line::styled(format!(" {name}"), palette.muted));
            lines.push(Line::styled(format!(" {text}"), palette.text));
            return;
        }
        for (at, line) in widget::wrapped(text, room, palette.text).into_iter().enumerate() {
            let name = if at == 0 { name } else { "" };
            let mut spans = vec![Span::styled(format!(" {name:<9} "), palette.muted)];
            spans.extend(line.spans.into_iter().map(|span| span.style(palette.text)));
            lines.push(Line::from(spans));
        }
    };
    named("time", &format!("{} UTC", utc(entry.time_ms)));
    named("actor", &printable(&entry.actor));
    named(
        "wallet",
        &entry.wallet.map(|wallet| wallet.to_string()).unwrap_or_default(),
    );
    named("reason", &printable(&entry.reason));
    named("details", &printable(&entry.details));
    named("subject", &entry.subject.map(hex::encode).unwrap_or_default());
    lines
}
