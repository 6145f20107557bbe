//! Draws the review.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::expiry::Left;
use super::{Review, Verdict, lines};
use crate::console::input::Echo;
use crate::console::layout;
use crate::console::state::Shared;
use crate::console::text::{countdown, fitted};
use crate::console::widget::{self, Focus};

/// Rows at the foot: a line, what the keys do or what stands in the way, and the field.
const FOOT: u16 = 3;
/// Rows at the head: the title.
const HEAD: u16 = 2;

/// How far it can be scrolled.
pub(super) fn furthest(review: &Review, shared: &Shared) -> u16 {
    let body = layout::areas(shared.size).body;
    let lines = lines::lines(review, shared, body.width).len();
    u16::try_from(lines)
        .unwrap_or(u16::MAX)
        .saturating_sub(body.height.saturating_sub(HEAD + FOOT))
}

pub(super) fn view(review: &Review, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    let (remark, style) = expires(review, shared);
    let gap = usize::from(area.width).saturating_sub(14 + remark.width() + 1);
    let title = Line::from(vec![
        Span::styled(" Review: send ", palette.strong),
        Span::raw(" ".repeat(gap)),
        Span::styled(remark, style),
    ]);
    widget::row(frame, area, 0, title);
    let middle = Rect {
        y: area.y + HEAD.min(area.height),
        height: area.height.saturating_sub(HEAD + FOOT),
        ..area
    };
    let lines = lines::lines(review, shared, area.width);
    let total = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let scroll = review.scroll.min(total.saturating_sub(middle.height));
    let shown: Vec<Line<'static>> = lines.into_iter().skip(usize::from(scroll)).collect();
    widget::rows(frame, middle, 0, shown);
    let hidden = total.saturating_sub(scroll + middle.height);
    foot(review, shared, frame, area, hidden);
}

fn expires(review: &Review, shared: &Shared) -> (String, ratatui::style::Style) {
    let palette = &shared.palette;
    if review.prepared.plan.details.nonce.is_some() {
        return ("can land until its nonce is advanced ".into(), palette.muted);
    }
    match review.expiry.left(shared.now_ms) {
        Left::Unknown => ("expires in ? ".into(), palette.warning),
        Left::Nothing => ("expired ".into(), palette.warning),
        Left::About { ms: 0, .. } => ("expires any moment ".into(), palette.warning),
        Left::About { ms, blocks } => {
            let text = format!("expires in about {} ({blocks} blocks) ", countdown(ms));
            (
                text,
                if ms < 15_000 {
                    palette.warning
                } else {
                    palette.muted
                },
            )
        }
    }
}

fn foot(review: &Review, shared: &Shared, frame: &mut Frame<'_>, area: Rect, hidden: u16) {
    let palette = &shared.palette;
    let top = area.height.saturating_sub(FOOT);
    let rule = if hidden > 0 {
        let text = format!("─ ↓ {hidden} more ");
        let rest = "─".repeat(usize::from(area.width).saturating_sub(text.width()));
        Line::from(vec![
            Span::styled(text, palette.warning),
            Span::styled(rest, palette.line),
        ])
    } else {
        widget::rule(area.width, palette)
    };
    widget::row(frame, area, top, rule);
    if let Some(typing) = &review.typing {
        let ask = typing.step.question();
        widget::row(frame, area, top + 1, Line::styled(ask, palette.warning));
        let x = u16::try_from(ask.width()).unwrap_or(0);
        let target = Rect {
            x: area.x + x,
            y: area.y + top + 1,
            width: 28,
            height: 1,
        };
        widget::field(
            frame,
            target.intersection(area),
            &typing.text,
            Echo::Plain,
            Focus::Here,
            palette,
        );
        if let Some(problem) = &review.problem {
            let text = fitted(&format!("  ! {problem}"), usize::from(area.width));
            widget::row(frame, area, top + 2, Line::styled(text, palette.warning));
        }
        return;
    }
    let lines = said(review, shared, area.width);
    widget::rows(frame, area, top + 1, lines.into_iter().take(2).collect());
}

/// The two lines at the foot.
fn said(review: &Review, shared: &Shared, width: u16) -> Vec<Line<'static>> {
    let palette = &shared.palette;
    let room = usize::from(width).saturating_sub(2);
    if review.again.is_waiting() {
        let sign = widget::working(shared.now_ms);
        return vec![Line::styled(
            format!("  {sign} preparing it again"),
            palette.accent,
        )];
    }
    if let Some(obstacle) = &review.obstacle {
        return vec![
            Line::styled(
                fitted(&format!("  ! {}", obstacle.failure.cause), room),
                palette.warning,
            ),
            Line::styled(
                fitted(&format!("    {}", obstacle.failure.remedy), room),
                palette.text,
            ),
        ];
    }
    match review.verdict(shared.now_ms) {
        Verdict::Ready => vec![Line::from(vec![
            Span::styled("  y ", palette.accent),
            Span::styled(
                "signs exactly these bytes and sends them. This cannot be undone.",
                palette.text,
            ),
        ])],
        Verdict::Asks(step) => vec![Line::from(vec![
            Span::styled("  y ", palette.accent),
            Span::styled(step.promise(), palette.text),
        ])],
        Verdict::Blocked(reason) => {
            vec![Line::styled(
                format!("  ✗ cannot be signed: {reason}"),
                palette.warning,
            )]
        }
    }
}
