//! Everything that can happen to the console: the only input of `update`.

use std::fmt;

use crossterm::event::{KeyEvent, MouseEvent};
use zeroize::Zeroizing;

use super::effect::{Answer, Progress, RequestId};

/// One event.
pub enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(Zeroizing<String>),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// The terminal has a new size.
    Resize {
        /// Its width, in columns.
        columns: u16,
        /// Its height, in rows.
        rows: u16,
    },
    /// Time has passed. The console's only clock.
    Tick {
        /// Milliseconds since the Unix epoch.
        now_ms: u64,
    },
    /// Work has ended.
    Answer {
        /// Which.
        id: RequestId,
        /// With what.
        answer: Answer,
    },
    /// Work has come further.
    Progress {
        /// Which.
        id: RequestId,
        /// How far.
        progress: Progress,
    },
    /// The system asks the console to end (SIGTERM, SIGHUP).
    Terminate,
}

impl fmt::Debug for Msg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Keys and pasted text may be a password's or a phrase's.
        f.write_str(match self {
            Self::Key(_) => "Key(<redacted>)",
            Self::Paste(_) => "Paste(<redacted>)",
            Self::Mouse(_) => "Mouse",
            Self::Resize { .. } => "Resize",
            Self::Tick { .. } => "Tick",
            Self::Answer { .. } => "Answer(<redacted>)",
            Self::Progress { .. } => "Progress",
            Self::Terminate => "Terminate",
        })
    }
}
