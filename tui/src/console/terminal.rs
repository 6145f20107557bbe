//! The terminal, taken and given back: raw mode, the alternate screen, bracketed paste, the mouse.
//!
//! Whatever ends the console (return, error, panic, signal) the terminal is as it was before. It
//! does not draw; see `view`.

use std::io::{self, Stdout};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossterm::cursor::{Hide, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode,
};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

/// Whether the terminal is ours at the moment; the panic hook and the guard both give it back, once.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Holds the terminal for as long as it lives.
pub struct TerminalGuard {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl std::fmt::Debug for TerminalGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The buffers hold what is on the screen, a phrase perhaps.
        f.write_str("TerminalGuard(<redacted>)")
    }
}

impl TerminalGuard {
    /// Takes the terminal and installs the panic hook that gives it back.
    ///
    /// # Errors
    /// When standard output is not a terminal or it cannot be switched.
    pub fn take() -> io::Result<Self> {
        install_panic_hook();
        enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        let entered = execute!(
            io::stdout(),
            EnterAlternateScreen,
            EnableBracketedPaste,
            EnableMouseCapture,
            Hide,
            SetTitle("keyward")
        )
        .and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        match entered {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    /// The terminal to draw on.
    pub(super) fn terminal(&mut self) -> &mut Terminal<CrosstermBackend<Stdout>> {
        &mut self.terminal
    }

    /// Wipes the screen and what is remembered of it: the next frame is drawn whole.
    ///
    /// `Terminal::clear` would first ask the terminal where its cursor is, and a slow answer would end the console, in the
    /// middle of a lock even. Taking on the size that it has anyway clears without a question.
    ///
    /// # Errors
    /// When the terminal cannot be written.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        let size = self.terminal.size()?;
        self.terminal.resize(size.into())
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back if it is ours. Failures are ignored: there is nowhere left to tell them.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(
            io::stdout(),
            DisableMouseCapture,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            Show
        );
        let _ = disable_raw_mode();
    }
}

fn install_panic_hook() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let previous = std::panic::take_hook();
        let console_thread = thread::current().id();
        std::panic::set_hook(Box::new(move |info| {
            if thread::current().id() == console_thread {
                give_back();
                previous(info);
            } else if !TAKEN.load(Ordering::SeqCst) {
                previous(info);
            }
            // A panic in a background task while the console is up becomes a message there; writing
            // its text here would only damage the screen.
        }));
    });
}
