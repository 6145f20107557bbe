//! What the mouse does. Nothing needs it.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::{act, with_cx};
use crate::console::effect::Effect;
use crate::console::keymap::Action;
use crate::console::state::State;
use crate::console::{bars, layout};

pub(super) fn on_mouse(state: &mut State, mouse: MouseEvent) -> Vec<Effect> {
    match mouse.kind {
        MouseEventKind::ScrollUp => act(state, Action::Up),
        MouseEventKind::ScrollDown => act(state, Action::Down),
        MouseEventKind::Down(MouseButton::Left) if state.modal.is_none() => {
            let areas = layout::areas(state.shared.size);
            let body = areas.body;
            let inside = body.contains((mouse.column, mouse.row).into());
            if inside {
                return with_cx(state, |parts, cx| {
                    parts
                        .screen
                        .page_mut()
                        .click(mouse.column - body.x, mouse.row - body.y, cx);
                });
            }
            match bars::action_at(state, mouse.column, mouse.row) {
                Some(action) => act(state, action),
                None => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}
