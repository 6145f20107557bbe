//! Where the bars and the body are. Shared by drawing and by what reacts to the mouse or needs to know
//! how many rows are seen.

use ratatui::layout::Rect;

/// From this width on a detail pane stands at the right.
pub const WIDE: u16 = 120;

/// The areas of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// The top bar, one row.
    pub top: Rect,
    /// The body.
    pub body: Rect,
    /// The line above the bottom bar, with the notice.
    pub notice: Rect,
    /// The bottom bar, one row.
    pub bottom: Rect,
}

/// Divides a terminal of this size.
#[must_use]
pub fn areas(size: (u16, u16)) -> Areas {
    let (columns, rows) = size;
    let row = |y: u16, height: u16| Rect::new(0, y.min(rows), columns, height.min(rows.saturating_sub(y)));
    let body = rows.saturating_sub(3);
    Areas {
        top: row(0, 1),
        body: row(1, body),
        notice: row(body + 1, 1),
        bottom: row(body + 2, 1),
    }
}

/// The list and, from 120 columns on, the detail pane at its right.
#[must_use]
pub fn panes(body: Rect) -> (Rect, Option<Rect>) {
    if body.width < WIDE {
        return (body, None);
    }
    // Wide enough for an address in full, 44 characters.
    let detail = (body.width / 3).clamp(48, 64);
    let list = Rect {
        width: body.width - detail,
        ..body
    };
    (
        list,
        Some(Rect {
            x: body.x + list.width,
            width: detail,
            ..body
        }),
    )
}

/// A centred area within another, at most as large.
#[must_use]
pub fn centred(within: Rect, width: u16, height: u16) -> Rect {
    let width = width.min(within.width);
    let height = height.min(within.height);
    Rect {
        x: within.x + (within.width - width) / 2,
        y: within.y + (within.height - height) / 2,
        width,
        height,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_areas_fill_the_screen_and_never_leave_it() {
        for size in [(0, 0), (1, 1), (10, 2), (80, 24), (200, 60)] {
            let areas = areas(size);
            let screen = Rect::new(0, 0, size.0, size.1);
            for area in [areas.top, areas.body, areas.notice, areas.bottom] {
                assert_eq!(area.intersection(screen).area(), area.area(), "{size:?}");
            }
        }
        assert_eq!(areas((80, 24)).body, Rect::new(0, 1, 80, 21));
    }
}
