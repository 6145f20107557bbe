//! The terminal emulator behind a [`super::Pty`]: `vt100` and the answers that a real terminal gives.

use std::collections::VecDeque;

use vt100::{Callbacks, MouseProtocolMode};

use super::screen::Screen;

/// How much of what was drawn can be searched afterwards.
pub(super) const KEPT_BYTES: usize = 8 << 20;

/// The program's screen, fed with what it draws.
pub(super) struct Emulator {
    parser: vt100::Parser<Terminal>,
    drawn: VecDeque<u8>,
}

/// What happens beside the screen: answers to be sent, and the clipboard.
#[derive(Default)]
struct Terminal {
    replies: Vec<u8>,
    clipboard: Option<Vec<u8>>,
}

impl Emulator {
    pub(super) fn new(columns: u16, rows: u16) -> Self {
        Self {
            parser: vt100::Parser::new_with_callbacks(rows, columns, 0, Terminal::default()),
            drawn: VecDeque::new(),
        }
    }

    /// Draws, and returns what the terminal answers.
    pub(super) fn process(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.drawn.extend(bytes);
        let surplus = self.drawn.len().saturating_sub(KEPT_BYTES);
        self.drawn.drain(..surplus);
        self.parser.process(bytes);
        std::mem::take(&mut self.parser.callbacks_mut().replies)
    }

    pub(super) fn resize(&mut self, columns: u16, rows: u16) {
        self.parser.screen_mut().set_size(rows, columns);
    }

    pub(super) fn screen(&self) -> Screen {
        let screen = self.parser.screen();
        let (_, columns) = screen.size();
        let (row, column) = screen.cursor_position();
        Screen {
            columns,
            rows: screen
                .rows(0, columns)
                .map(|row| row.trim_end().to_owned())
                .collect(),
            cursor: (column, row),
            alternate: screen.alternate_screen(),
        }
    }

    pub(super) fn bracketed_paste(&self) -> bool {
        self.parser.screen().bracketed_paste()
    }

    pub(super) fn clipboard(&self) -> Option<Vec<u8>> {
        self.parser.callbacks().clipboard.clone()
    }

    pub(super) fn has_drawn(&mut self, bytes: &[u8]) -> bool {
        bytes.is_empty()
            || self
                .drawn
                .make_contiguous()
                .windows(bytes.len())
                .any(|window| window == bytes)
    }

    /// What a program that ended should have switched off.
    pub(super) fn left_behind(&self) -> Vec<&'static str> {
        let screen = self.parser.screen();
        [
            (screen.alternate_screen(), "the alternate screen"),
            (screen.hide_cursor(), "a hidden cursor"),
            (screen.bracketed_paste(), "bracketed paste"),
            (
                screen.mouse_protocol_mode() != MouseProtocolMode::None,
                "mouse reports",
            ),
        ]
        .into_iter()
        .filter_map(|(left, what)| left.then_some(what))
        .collect()
    }
}

impl Callbacks for Terminal {
    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _kind: &[u8], data: &[u8]) {
        use base64::Engine as _;
        self.clipboard = base64::engine::general_purpose::STANDARD.decode(data).ok();
    }

    fn unhandled_csi(
        &mut self,
        screen: &mut vt100::Screen,
        first: Option<u8>,
        _second: Option<u8>,
        parameters: &[&[u16]],
        action: char,
    ) {
        match (first, action, parameters) {
            // Where is the cursor? One-based row and column.
            (None, 'n', [[6]]) => {
                let (row, column) = screen.cursor_position();
                let reply = format!("\x1b[{};{}R", row + 1, column + 1);
                self.replies.extend_from_slice(reply.as_bytes());
            }
            // What are you? A VT220.
            (None, 'c', _) => self.replies.extend_from_slice(b"\x1b[?62c"),
            _ => {}
        }
    }

    fn unhandled_osc(&mut self, _: &mut vt100::Screen, parameters: &[&[u8]]) {
        // Which colours? Light grey on black, so that an automatic theme is the dark one.
        match parameters {
            [b"10", b"?"] => self
                .replies
                .extend_from_slice(b"\x1b]10;rgb:d0d0/d0d0/d0d0\x1b\\"),
            [b"11", b"?"] => self
                .replies
                .extend_from_slice(b"\x1b]11;rgb:0000/0000/0000\x1b\\"),
            _ => {}
        }
    }
}
