//! Runs the `keyward` binary in a sandbox and collects what it says.
//!
//! It builds nothing: `cargo xtask test` and `cargo test --workspace` build the binary beforehand.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail, ensure};

use crate::sandbox::Sandbox;

/// How long a subcommand may take before it is killed and the test fails.
pub const DEFAULT_BOUND: Duration = Duration::from_secs(60);

/// Names another binary to test, such as a release build.
pub const BINARY_VARIABLE: &str = "KEYWARD_TEST_BINARY";

/// Finds the `keyward` binary of the build that this test executable belongs to.
///
/// # Errors
/// When it was not built.
pub fn keyward_binary() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os(BINARY_VARIABLE) {
        return Ok(PathBuf::from(path));
    }
    let executable = std::env::current_exe().context("the test executable has no path")?;
    let binary = binary_beside(&executable)
        .with_context(|| format!("no target folder above {}", executable.display()))?;
    ensure!(
        binary.is_file(),
        "{} is missing: run `cargo build -p keyward` first",
        binary.display()
    );
    Ok(binary)
}

/// `…/debug/deps/e2e-0123` and `…/debug/e2e` both give `…/debug/keyward`.
fn binary_beside(executable: &Path) -> Option<PathBuf> {
    let folder = executable.parent()?;
    let profile = if matches!(folder.file_name(), Some(name) if name == "deps" || name == "examples") {
        folder.parent()?
    } else {
        folder
    };
    Some(profile.join(format!("keyward{}", std::env::consts::EXE_SUFFIX)))
}

/// One run of `keyward`, to be set up and then started.
#[derive(Debug)]
pub struct Cli {
    command: Command,
    stdin: Vec<u8>,
    bound: Duration,
}

impl Cli {
    /// Prepares a run in `sandbox`, with the sandbox's environment and nothing else.
    ///
    /// # Errors
    /// When the binary was not built.
    pub fn new(sandbox: &Sandbox) -> anyhow::Result<Self> {
        let mut command = Command::new(keyward_binary()?);
        command
            .env_clear()
            .envs(sandbox.environment())
            .current_dir(sandbox.home());
        Ok(Self {
            command,
            stdin: Vec::new(),
            bound: DEFAULT_BOUND,
        })
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// What the program reads from its standard input, which is a pipe and ends there.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// How long it may take.
    #[must_use]
    pub fn bound(mut self, bound: Duration) -> Self {
        self.bound = bound;
        self
    }

    /// Gives the prepared command, for a test that kills it or watches it from outside.
    #[must_use]
    pub fn into_command(self) -> Command {
        self.command
    }

    /// Runs it to its end, whatever its exit code.
    ///
    /// # Errors
    /// When it cannot be started, or does not end in time (it is killed then).
    pub fn run(mut self) -> anyhow::Result<CliOutput> {
        let arguments: Vec<OsString> = self.command.get_args().map(OsStr::to_owned).collect();
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("could not start keyward {arguments:?}"))?;
        let collected = collect(&mut child, self.stdin, self.bound);
        let (stdout, stderr) = match collected {
            Ok(streams) => streams,
            Err(error) => {
                // Our own child, not yet waited for, so its id cannot have been reused.
                child.kill().ok();
                child.wait().ok();
                return Err(error.context(format!("keyward {arguments:?}")));
            }
        };
        let status = child.wait().context("could not wait for keyward")?;
        Ok(CliOutput {
            arguments,
            status,
            stdout: into_text(stdout),
            stderr: into_text(stderr),
        })
    }

    /// Runs it and gives its output when it exits with 0.
    ///
    /// # Errors
    /// As [`Cli::run`], and for any other exit code, with everything it printed.
    pub fn success(self) -> anyhow::Result<CliOutput> {
        self.exits(0)
    }

    /// Runs it and gives its output when it exits with `code`.
    ///
    /// # Errors
    /// As [`Cli::run`], and for any other exit code, with everything it printed.
    pub fn exits(self, code: i32) -> anyhow::Result<CliOutput> {
        let output = self.run()?;
        ensure!(
            output.code() == Some(code),
            "expected exit code {code}, got {}\n{output}",
            output.status
        );
        Ok(output)
    }
}

/// Reads both streams to their ends while the input is written, so that no full pipe can stop either side.
fn collect(child: &mut Child, stdin: Vec<u8>, bound: Duration) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let deadline = Instant::now() + bound;
    let (mut input, output, errors) = child
        .stdin
        .take()
        .zip(child.stdout.take())
        .zip(child.stderr.take())
        .map(|((input, output), errors)| (input, output, errors))
        .context("a stream is not a pipe")?;
    // A program that ends without reading its input closes the pipe, which is its right.
    thread::spawn(move || input.write_all(&stdin).ok());
    let output = read_all(output);
    let errors = read_all(errors);
    let wait = |stream: mpsc::Receiver<std::io::Result<Vec<u8>>>| {
        let left = deadline.saturating_duration_since(Instant::now());
        match stream.recv_timeout(left) {
            Ok(bytes) => bytes.context("could not read what it printed"),
            Err(RecvTimeoutError::Timeout) => bail!("did not end within {bound:?}"),
            Err(RecvTimeoutError::Disconnected) => Err(anyhow!("the reader ended early")),
        }
    };
    Ok((wait(output)?, wait(errors)?))
}

fn read_all(mut stream: impl Read + Send + 'static) -> mpsc::Receiver<std::io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let result = stream.read_to_end(&mut bytes).map(|_| bytes);
        sender.send(result).ok();
    });
    receiver
}

fn into_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// What a run left behind. `Display` shows all of it, for a failing test.
#[derive(Debug)]
pub struct CliOutput {
    arguments: Vec<OsString>,
    /// How it ended.
    pub status: ExitStatus,
    /// Everything on its standard output.
    pub stdout: String,
    /// Everything on its standard error.
    pub stderr: String,
}

impl CliOutput {
    /// The exit code, or nothing when a signal ended it.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The standard output read as one JSON value.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::from_str(&self.stdout)
            .with_context(|| format!("the standard output is not one JSON value\n{self}"))
    }

    /// The standard output read as one JSON value a line.
    ///
    /// # Errors
    /// When a line is anything else.
    pub fn json_lines(&self) -> anyhow::Result<Vec<serde_json::Value>> {
        self.stdout
            .lines()
            .map(|line| {
                serde_json::from_str(line).with_context(|| format!("a line is not JSON: {line}\n{self}"))
            })
            .collect()
    }
}

impl std::fmt::Display for CliOutput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "keyward {:?}: {}", self.arguments, self.status)?;
        writeln!(f, "--- standard output\n{}", self.stdout)?;
        write!(f, "--- standard error\n{}", self.stderr)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// A `Cli` over a program that every system has, for what the harness itself does.
    fn shell(script: &str) -> Cli {
        let mut command = Command::new("sh");
        command.arg("-c").arg(script);
        Cli {
            command,
            stdin: Vec::new(),
            bound: DEFAULT_BOUND,
        }
    }

    #[test]
    fn the_binary_is_beside_the_test_executables_profile_folder() {
        for executable in ["/t/debug/deps/e2e-01ab", "/t/debug/e2e", "/t/debug/examples/e2e"] {
            assert_eq!(
                binary_beside(Path::new(executable)).unwrap(),
                Path::new("/t/debug/keyward"),
                "{executable}"
            );
        }
    }

    #[test]
    fn streams_input_and_exit_code_are_collected() {
        let output = shell("cat; echo oops >&2; exit 3")
            .stdin("in".repeat(100_000))
            .exits(3)
            .unwrap();
        assert_eq!(output.stdout, "in".repeat(100_000));
        assert_eq!(output.stderr, "oops\n");
    }

    #[test]
    fn a_wrong_exit_code_shows_what_was_printed() {
        let error = shell("echo seen; echo why >&2; exit 4").success().unwrap_err();
        let text = error.to_string();
        assert!(text.contains("seen") && text.contains("why"), "{text}");
    }

    #[test]
    fn what_does_not_end_is_killed() {
        let started = Instant::now();
        let error = shell("exec sleep 600")
            .bound(Duration::from_millis(50))
            .run()
            .unwrap_err();
        assert!(format!("{error:#}").contains("did not end"), "{error:#}");
        assert!(started.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn json_must_be_the_whole_output() {
        assert_eq!(shell("echo '{\"a\":1}'").run().unwrap().json().unwrap()["a"], 1);
        assert!(shell("echo '{} trailing'").run().unwrap().json().is_err());
        let lines = shell("echo 1; echo 2").run().unwrap().json_lines().unwrap();
        assert_eq!(lines, [1, 2]);
    }
}
