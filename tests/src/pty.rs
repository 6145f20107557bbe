//! Runs a program in a pseudo-terminal, types at it, and reads its screen.
//!
//! A thread feeds what the program draws to a terminal emulator and wakes whoever waits; [`Pty::wait_for`] looks at the
//! screen again on each wake-up, so nothing here sleeps and a slow machine only takes longer. It answers the few
//! questions that a real terminal answers (cursor position, device attributes, background colour) and keeps what the
//! program puts on the clipboard (OSC 52). It draws no pictures and knows nothing of Keyward's screens.

mod emulator;
mod keys;
mod screen;

use std::ffi::{OsStr, OsString};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail, ensure};
use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize};
use rustix::process::{Pid, Signal};

pub use self::keys::Key;
pub use self::screen::Screen;

use self::emulator::Emulator;
use crate::sandbox::Sandbox;

/// How long a screen may take to appear before the test fails. Generous: two busy cores build and test at once.
pub const DEFAULT_BOUND: Duration = Duration::from_secs(60);

/// The smallest terminal that the console promises to work in, as columns and rows.
pub const SMALLEST: (u16, u16) = (80, 24);

/// A program to be started in a terminal.
#[derive(Debug)]
pub struct PtyCommand {
    builder: CommandBuilder,
    columns: u16,
    rows: u16,
}

impl PtyCommand {
    /// Prepares `program` with the environment of `sandbox` and nothing else.
    #[must_use]
    pub fn new(sandbox: &Sandbox, program: &Path) -> Self {
        let mut builder = CommandBuilder::new(program);
        builder.env_clear();
        for (name, value) in sandbox.environment() {
            builder.env(name, value);
        }
        builder.cwd(sandbox.home());
        Self {
            builder,
            columns: SMALLEST.0,
            rows: SMALLEST.1,
        }
    }

    /// Prepares the `keyward` binary.
    ///
    /// # Errors
    /// When it was not built.
    pub fn keyward(sandbox: &Sandbox) -> anyhow::Result<Self> {
        Ok(Self::new(sandbox, &crate::cli::keyward_binary()?))
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.builder.args(arguments);
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.builder.env(name, value);
        self
    }

    /// The size of the terminal; [`SMALLEST`] unless set.
    #[must_use]
    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        self.columns = columns;
        self.rows = rows;
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// When no pseudo-terminal can be had or the program cannot be started.
    pub fn spawn(self) -> anyhow::Result<Pty> {
        Pty::start(self)
    }
}

/// A running program and its terminal. Dropping it kills the program.
pub struct Pty {
    arguments: Vec<OsString>,
    child: Box<dyn Child + Send + Sync>,
    exited: Option<ExitStatus>,
    master: Box<dyn MasterPty + Send>,
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
    modes_at_start: Option<TerminalModes>,
}

/// What the reading thread and the test both hold.
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    emulator: Emulator,
    writer: Box<dyn std::io::Write + Send>,
    closed: bool,
}

impl Shared {
    /// A panicking test must still be able to show the screen, so a poisoned lock is taken as it is.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pty {
    fn start(command: PtyCommand) -> anyhow::Result<Self> {
        let arguments = command.builder.get_argv().clone();
        let pair = portable_pty::native_pty_system()
            .openpty(pty_size(command.columns, command.rows))
            .context("could not open a pseudo-terminal")?;
        let mut output = pair.master.try_clone_reader()?;
        let writer = pair.master.take_writer()?;
        let modes_at_start = TerminalModes::of(pair.master.as_ref());
        let child = pair
            .slave
            .spawn_command(command.builder)
            .with_context(|| format!("could not start {arguments:?}"))?;
        // Held open by us, the program's side would never report the end of what it draws.
        drop(pair.slave);

        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                emulator: Emulator::new(command.columns, command.rows),
                writer,
                closed: false,
            }),
            changed: Condvar::new(),
        });
        let reading = Arc::clone(&shared);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 8192];
            // Linux reports the end of a terminal as an error (EIO), other systems as zero bytes.
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                let mut state = reading.lock();
                let replies = state.emulator.process(buffer.get(..count).unwrap_or_default());
                if !replies.is_empty() {
                    state.writer.write_all(&replies).ok();
                    state.writer.flush().ok();
                }
                drop(state);
                reading.changed.notify_all();
            }
            reading.lock().closed = true;
            reading.changed.notify_all();
        });
        Ok(Self {
            arguments,
            child,
            exited: None,
            master: pair.master,
            shared,
            reader: Some(reader),
            modes_at_start,
        })
    }

    /// The process id of the program, as long as it was not waited for.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.child.process_id()
    }

    /// What the terminal shows now.
    #[must_use]
    pub fn screen(&self) -> Screen {
        self.shared.lock().emulator.screen()
    }

    /// The text last put on the clipboard by OSC 52, if any; an empty text means that it was cleared.
    #[must_use]
    pub fn clipboard(&self) -> Option<Vec<u8>> {
        self.shared.lock().emulator.clipboard()
    }

    /// Whether `bytes` ever stood in what the program sent to its terminal, visible or not. Only the last
    /// 8 MiB are searched.
    #[must_use]
    pub fn has_drawn(&self, bytes: &[u8]) -> bool {
        self.shared.lock().emulator.has_drawn(bytes)
    }

    /// Types text, character by character as a keyboard would.
    ///
    /// # Errors
    /// When the program has ended.
    pub fn type_text(&self, text: &str) -> anyhow::Result<()> {
        self.send_bytes(text.as_bytes())
    }

    /// Pastes text as a terminal does: bracketed when the program has asked for it.
    ///
    /// # Errors
    /// When the program has ended.
    pub fn paste(&self, text: &str) -> anyhow::Result<()> {
        if self.shared.lock().emulator.bracketed_paste() {
            self.send_bytes(format!("\x1b[200~{text}\x1b[201~").as_bytes())
        } else {
            self.send_bytes(text.as_bytes())
        }
    }

    /// Presses a key. After [`Key::Esc`], wait for the screen to change before sending anything else: Escape followed
    /// at once by a letter is what a terminal sends for Alt and that letter.
    ///
    /// # Errors
    /// When the program has ended.
    pub fn press(&self, key: Key) -> anyhow::Result<()> {
        self.send_bytes(&key.bytes())
    }

    /// Presses several keys.
    ///
    /// # Errors
    /// When the program has ended.
    pub fn press_all(&self, keys: impl IntoIterator<Item = Key>) -> anyhow::Result<()> {
        keys.into_iter().try_for_each(|key| self.press(key))
    }

    /// Sends bytes as they are, for mouse reports and malformed input.
    ///
    /// # Errors
    /// When the program has ended.
    pub fn send_bytes(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let mut state = self.shared.lock();
        state
            .writer
            .write_all(bytes)
            .and_then(|()| state.writer.flush())
            .map_err(|error| anyhow!("could not type: {error}\n{}", self.dump(&state)))
    }

    /// Changes the size of the terminal and tells the program (SIGWINCH).
    ///
    /// # Errors
    /// When the terminal refuses.
    pub fn resize(&self, columns: u16, rows: u16) -> anyhow::Result<()> {
        // The emulator first: what the program draws for the new size must meet a screen of that size.
        self.shared.lock().emulator.resize(columns, rows);
        self.master.resize(pty_size(columns, rows))
    }

    /// Waits until `condition` holds of the screen and returns that screen.
    ///
    /// # Errors
    /// When it does not hold within `bound`, or the program ends first; the error shows `what` was awaited and the
    /// screen as it was.
    pub fn wait_for(
        &self,
        what: &str,
        bound: Duration,
        mut condition: impl FnMut(&Screen) -> bool,
    ) -> anyhow::Result<Screen> {
        let deadline = Instant::now() + bound;
        let mut state = self.shared.lock();
        loop {
            let screen = state.emulator.screen();
            if condition(&screen) {
                return Ok(screen);
            }
            ensure!(
                !state.closed,
                "the program ended while the test waited for {what}\n{}",
                self.dump(&state)
            );
            let left = deadline.saturating_duration_since(Instant::now());
            ensure!(
                !left.is_zero(),
                "{what} did not come within {bound:?}\n{}",
                self.dump(&state)
            );
            state = self
                .shared
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Waits until the screen shows `text`, within [`DEFAULT_BOUND`].
    ///
    /// # Errors
    /// As [`Pty::wait_for`].
    pub fn wait_for_text(&self, text: &str) -> anyhow::Result<Screen> {
        self.wait_for(&format!("the text {text:?}"), DEFAULT_BOUND, |screen| {
            screen.contains(text)
        })
    }

    /// Waits until the screen no longer shows `text`, within [`DEFAULT_BOUND`].
    ///
    /// # Errors
    /// As [`Pty::wait_for`].
    pub fn wait_until_gone(&self, text: &str) -> anyhow::Result<Screen> {
        self.wait_for(
            &format!("the end of the text {text:?}"),
            DEFAULT_BOUND,
            |screen| !screen.contains(text),
        )
    }

    /// Waits until the program has ended by itself.
    ///
    /// # Errors
    /// When it runs on past `bound`; the error shows the screen.
    pub fn wait_exit(&mut self, bound: Duration) -> anyhow::Result<ExitStatus> {
        let deadline = Instant::now() + bound;
        let mut state = self.shared.lock();
        while !state.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!("it did not end within {bound:?}\n{}", self.dump(&state));
            }
            state = self
                .shared
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        drop(state);
        self.reap()
    }

    /// Kills the program at once (SIGKILL), as a power cut would.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn kill(&mut self) -> anyhow::Result<ExitStatus> {
        // Not `Child::kill`, which asks politely first (SIGHUP). Not waited for yet, so the id is still its own.
        if self.exited.is_none()
            && let Some(id) = self.process_id()
            && let Some(id) = i32::try_from(id).ok().and_then(Pid::from_raw)
        {
            rustix::process::kill_process(id, Signal::KILL).ok();
        }
        self.reap()
    }

    /// Says whether the terminal is as it was before the program started: main screen, visible cursor, no mouse
    /// reports, no bracketed paste, echo and line mode back.
    ///
    /// # Errors
    /// Names each thing that is not.
    pub fn terminal_is_restored(&self) -> anyhow::Result<()> {
        let state = self.shared.lock();
        let mut left: Vec<String> = state
            .emulator
            .left_behind()
            .into_iter()
            .map(String::from)
            .collect();
        let modes = TerminalModes::of(self.master.as_ref());
        if modes != self.modes_at_start {
            left.push(format!("modes {modes:?} instead of {:?}", self.modes_at_start));
        }
        ensure!(
            left.is_empty(),
            "the terminal was left with: {}\n{}",
            left.join(", "),
            self.dump(&state)
        );
        Ok(())
    }

    fn reap(&mut self) -> anyhow::Result<ExitStatus> {
        if let Some(status) = &self.exited {
            return Ok(status.clone());
        }
        let status = self.child.wait().context("could not wait for the program")?;
        self.exited = Some(status.clone());
        Ok(status)
    }

    fn dump(&self, state: &State) -> String {
        format!("{:?}\n{}", self.arguments, state.emulator.screen())
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        self.kill().ok();
        // A grandchild could hold the terminal open; then the thread ends with the test process instead.
        if self.shared.lock().closed
            && let Some(reader) = self.reader.take()
        {
            reader.join().ok();
        }
    }
}

impl std::fmt::Debug for Pty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pty")
            .field("arguments", &self.arguments)
            .field("exited", &self.exited)
            .finish_non_exhaustive()
    }
}

fn pty_size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

/// The line discipline's flags, compared as numbers: input, output and local modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct TerminalModes {
    input: u32,
    output: u32,
    local: u32,
}

impl TerminalModes {
    fn of(master: &dyn MasterPty) -> Option<Self> {
        let modes = master.get_termios()?;
        Some(Self {
            input: modes.input_flags.bits(),
            output: modes.output_flags.bits(),
            local: modes.local_flags.bits(),
        })
    }
}

#[cfg(test)]
mod tests;
