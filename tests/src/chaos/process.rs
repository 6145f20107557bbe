//! A process of ours that says what it does line by line, and is killed at the latest when nobody holds it any more.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::SyncSender;

use anyhow::Context as _;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Something that a process said, or its end.
#[derive(Debug)]
pub enum Said<T> {
    /// A line.
    Line(T),
    /// A line that does not read, which a process that was killed while writing leaves.
    Unreadable(String),
    /// Its standard output is closed: it has ended, or was killed.
    Gone,
}

/// The process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Process {
    /// Starts `program` in a role, hands it its task, and sends whatever it says to `said`, with its number.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start<Task, T>(
        program: &Path,
        role: &str,
        number: usize,
        task: &Task,
        said: SyncSender<(usize, Said<T>)>,
    ) -> anyhow::Result<Self>
    where
        Task: Serialize,
        T: DeserializeOwned + Send + 'static,
    {
        let mut child = Command::new(program)
            .arg(role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start {}", program.display()))?;
        let stdout = child.stdout.take().context("its standard output is a pipe")?;
        let stdin = child.stdin.take();
        let mut process = Self { child, stdin };
        process.tell(&serde_json::to_string(task)?)?;
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).map_or(Said::Unreadable(line), Said::Line);
                if said.send((number, line)).is_err() {
                    return;
                }
            }
            // Nobody listens any more where this fails.
            let _ = said.send((number, Said::Gone));
        });
        Ok(process)
    }

    /// Writes a line to it.
    ///
    /// # Errors
    /// When it has ended.
    pub fn tell(&mut self, line: &str) -> anyhow::Result<()> {
        let stdin = self.stdin.as_mut().context("its standard input is a pipe")?;
        writeln!(stdin, "{line}")?;
        stdin.flush()?;
        Ok(())
    }

    /// SIGKILL to our own child, which is not waited for yet. Gives whether it was still there.
    ///
    /// # Errors
    /// The system's.
    pub fn kill(mut self) -> anyhow::Result<bool> {
        let was_there = self.child.try_wait()?.is_none();
        self.child.kill()?;
        self.child.wait()?;
        Ok(was_there)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it ends badly.
    pub fn wait(mut self) -> anyhow::Result<()> {
        // Its standard input stays open so long: a process whose starter is gone ends at once.
        let status = self.child.wait()?;
        anyhow::ensure!(status.success(), "a process ended with {status}");
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// For the process itself: its task, from its standard input. From then on it ends when its starter does.
///
/// # Errors
/// When there is none.
pub fn task<T: DeserializeOwned>() -> anyhow::Result<T> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    serde_json::from_str(&line).context("the task does not read")
}

/// For the process itself: waits for a line, then ends this process when its starter has.
///
/// # Errors
/// When the starter is gone already.
pub fn wait_for_go() -> anyhow::Result<()> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    anyhow::ensure!(line.trim() == "go", "told {line:?}");
    std::thread::spawn(|| {
        let mut rest = String::new();
        while matches!(std::io::stdin().lock().read_line(&mut rest), Ok(1..)) {}
        std::process::exit(1);
    });
    Ok(())
}

/// For the process itself: says something.
///
/// # Errors
/// When nobody listens.
pub fn say<T: Serialize>(said: &T) -> anyhow::Result<()> {
    let mut line = serde_json::to_string(said)?;
    line.push('\n');
    let mut stdout = std::io::stdout().lock();
    // In one piece, so that a kill leaves whole lines.
    stdout.write_all(line.as_bytes())?;
    stdout.flush()?;
    Ok(())
}
