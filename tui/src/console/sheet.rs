//! What every page with a form has around it: a heading, words before, and at the foot what is under way or went wrong.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::effect::Failure;
use super::modal::{Confirm, Decision, Gravity, Modal};
use super::state::Shared;
use super::text::sentence;
use super::widget::{heading, row, rows, rule, working, wrapped};

/// What is said at the foot.
#[derive(Debug, Clone, Copy)]
pub enum Foot<'a> {
    /// Nothing.
    Quiet,
    /// Something is under way.
    Working(&'a str),
    /// Something did not work.
    Failed(&'a Failure),
    /// Something typed is not right.
    Problem(&'a str),
}

/// The room for text, within the margins.
#[must_use]
pub fn inner(area: Rect) -> Rect {
    Rect {
        x: area.x + 2,
        width: area.width.saturating_sub(4),
        ..area
    }
}

/// Draws the heading and the words before the form; gives the first free row.
pub fn head(
    title: &str,
    remark: &str,
    words: Vec<Line<'static>>,
    shared: &Shared,
    frame: &mut Frame<'_>,
    area: Rect,
) -> u16 {
    let palette = &shared.palette;
    row(frame, area, 0, heading(title, remark, area.width, palette));
    row(frame, area, 1, rule(area.width, palette));
    if words.is_empty() {
        return 3;
    }
    rows(frame, inner(area), 2, words).saturating_add(1)
}

/// Draws the foot; gives the first free row.
pub fn foot(foot: Foot<'_>, shared: &Shared, frame: &mut Frame<'_>, area: Rect, at: u16) -> u16 {
    let palette = &shared.palette;
    let area = inner(area);
    let lines = match foot {
        Foot::Quiet => return at,
        Foot::Working(words) => vec![Line::styled(
            format!("{} {words}", working(shared.now_ms)),
            palette.accent,
        )],
        Foot::Problem(words) => wrapped(&format!("! {words}"), area.width, palette.warning),
        Foot::Failed(failure) => {
            let cause = format!("! {}", sentence(&failure.cause));
            let mut lines = wrapped(&cause, area.width, palette.warning);
            if !failure.remedy.is_empty() {
                lines.extend(wrapped(&sentence(&failure.remedy), area.width, palette.text));
            }
            lines
        }
    };
    rows(frame, area, at, lines)
}

/// Asks before what was typed is dropped.
#[must_use]
pub fn ask_to_discard(title: &str) -> Modal {
    Modal::Confirm(Confirm {
        title: title.into(),
        lines: vec!["What you typed here is dropped.".into()],
        decision: Decision::Discard,
        gravity: Gravity::Plain,
    })
}
