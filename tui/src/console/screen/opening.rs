//! While the store is being opened, and when it does not open.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::console::effect::{Effect, Failure, Lifetime, Work};
use crate::console::effects::vault::VaultWork;
use crate::console::keymap::{Action, Context};
use crate::console::page::{Cx, Handled, Nav, Page};
use crate::console::screen::Screen;
use crate::console::state::Shared;
use crate::console::text::sentence;
use crate::console::widget::{rows, wrapped};

/// The store is being opened.
#[derive(Debug)]
pub struct Starting;

impl Page for Starting {
    fn contexts(&self) -> Vec<Context> {
        Vec::new()
    }

    fn act(&mut self, _action: Action, _cx: &mut Cx<'_>) -> Handled {
        Handled::No
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        rows(
            frame,
            area,
            2,
            vec![Line::styled("  Opening the vault …", shared.palette.muted)],
        );
    }
}

/// The store did not open: the cause, the remedy, and trying again.
impl Page for Failure {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Trouble]
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match action {
            Action::Refresh => {
                cx.start_for(Work::Vault(VaultWork::Open), Lifetime::Console);
                // Until it is known how that ended there is nothing to try again: the answer to a second try would
                // come over whatever is typed by then.
                cx.go(Nav::Reset(Screen::Starting(Starting)));
                cx.effect(Effect::Redraw);
                Handled::Yes
            }
            _ => Handled::No,
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let inner = Rect {
            x: area.x + 2,
            width: area.width.saturating_sub(4),
            ..area
        };
        let mut lines = vec![
            Line::styled("! The vault cannot be opened", palette.warning),
            Line::default(),
        ];
        lines.extend(wrapped(&sentence(&self.cause), inner.width, palette.text));
        lines.push(Line::default());
        lines.extend(wrapped(&sentence(&self.remedy), inner.width, palette.accent));
        lines.push(Line::default());
        lines.push(Line::styled(format!("vault  {}", shared.location), palette.muted));
        lines.push(Line::styled("Nothing was changed.", palette.muted));
        rows(frame, inner, 1, lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::effects::vault::VaultAnswer;
    use crate::console::msg::Msg;
    use crate::console::update::{start, update};
    use crate::console::view::testing::*;
    use crate::console::{effect::Answer, screen::Screen};
    use crossterm::event::KeyCode;
    use keyward_custody::CustodyError;

    #[test]
    fn a_damaged_database_is_told_with_its_remedy_and_can_be_tried_again() {
        let mut state = fresh();
        let effects = start(&mut state);
        let id = started(&effects, |work| matches!(work, Work::Vault(VaultWork::Open)));
        let damaged = CustodyError::Damaged {
            detail: "file is not a database".into(),
        };
        let answer = Answer::Vault(VaultAnswer::Opened(Err(damaged.into())));
        update(&mut state, Msg::Answer { id, answer });
        assert!(matches!(state.screen, Screen::Trouble(_)));
        snapshot("trouble_80x24", &screen(&mut state, 80, 24));
        let effects = press(&mut state, KeyCode::Char('r'));
        started(&effects, |work| matches!(work, Work::Vault(VaultWork::Open)));
    }
}
