//! `view`: draws the state. Pure; it changes nothing and asks nothing.

use ratatui::Frame;
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph};

use super::state::{SMALLEST, State};
use super::{bars, layout, modal};

/// Draws everything.
pub fn view(state: &State, frame: &mut Frame<'_>) {
    let area = frame.area();
    let size = (area.width, area.height);
    if size.0 < SMALLEST.0 || size.1 < SMALLEST.1 || state.shared.is_too_small() {
        return too_small(state, frame);
    }
    let areas = layout::areas(size);
    frame.render_widget(Block::new().style(state.shared.palette.text), area);
    bars::top(state, frame, areas.top);
    state.screen.page().view(&state.shared, frame, areas.body);
    bars::notice(&state.shared, frame, areas.notice);
    bars::bottom(state, frame, areas.bottom);
    if let Some(modal) = &state.modal {
        modal::view::view(modal, &state.shared, frame, areas.body);
    }
}

fn too_small(state: &State, frame: &mut Frame<'_>) {
    let area = frame.area();
    let lines = vec![
        Line::from("terminal too small"),
        Line::from(format!(
            "needs {}x{}, has {}x{}",
            SMALLEST.0, SMALLEST.1, area.width, area.height
        )),
        Line::from("make it larger to go on"),
        Line::from("Ctrl-L locks, Ctrl-C leaves"),
    ];
    frame.render_widget(Paragraph::new(lines).style(state.shared.palette.text), area);
}

#[cfg(test)]
pub(super) mod testing;
