//! Keys, and the bytes that an xterm sends for them.

/// A key press.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A character, typed.
    Char(char),
    /// Control and a letter.
    Ctrl(char),
    /// Alt and a character.
    Alt(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
}

impl Key {
    /// The bytes that the program reads.
    #[must_use]
    pub(super) fn bytes(self) -> Vec<u8> {
        let fixed: &[u8] = match self {
            Self::Char(character) => return character.to_string().into_bytes(),
            // Control clears the upper three bits of the letter's code.
            Self::Ctrl(letter) => return letter.to_string().bytes().map(|b| b & 0x1f).collect(),
            Self::Alt(character) => return format!("\x1b{character}").into_bytes(),
            Self::Enter => b"\r",
            Self::Esc => b"\x1b",
            Self::Tab => b"\t",
            Self::BackTab => b"\x1b[Z",
            Self::Backspace => b"\x7f",
            Self::Delete => b"\x1b[3~",
            Self::Up => b"\x1b[A",
            Self::Down => b"\x1b[B",
            Self::Right => b"\x1b[C",
            Self::Left => b"\x1b[D",
            Self::Home => b"\x1b[H",
            Self::End => b"\x1b[F",
            Self::PageUp => b"\x1b[5~",
            Self::PageDown => b"\x1b[6~",
        };
        fixed.to_vec()
    }
}
