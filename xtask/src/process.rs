//! Starting other programs: shown before they run, watched, and ended by their own handle.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::workspace;

/// The cargo that runs this chore, in the root of the work tree.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(workspace::root());
    command
}

/// A program by name, in the root of the work tree.
pub(crate) fn program(name: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments).current_dir(workspace::root());
    command
}

/// Runs to the end with everything it prints shown.
///
/// # Errors
/// When it cannot be started or does not exit with 0.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let shown = announce(command);
    let status = command
        .status()
        .with_context(|| format!("could not start `{shown}`"))?;
    ensure!(status.success(), "`{shown}` ended with {status}");
    Ok(())
}

/// Runs to the end and returns its standard output; its standard error is shown.
///
/// # Errors
/// When it cannot be started or does not exit with 0.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let shown = describe(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("could not start `{shown}`"))?;
    ensure!(output.status.success(), "`{shown}` ended with {}", output.status);
    String::from_utf8(output.stdout).with_context(|| format!("`{shown}` printed no text"))
}

/// Runs to the end, at most for `bound`, with nothing shown.
///
/// # Errors
/// When it cannot be started, takes longer (it is killed then) or does not exit with 0; with its last line.
pub(crate) fn run_bounded(command: &mut Command, bound: Duration) -> anyhow::Result<()> {
    let shown = announce(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start `{shown}`"))?;
    let errors = child.stderr.take().context("its standard error is a pipe")?;
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let last = BufReader::new(errors)
            .lines()
            .map_while(Result::ok)
            .filter(|line| !line.trim().is_empty())
            .last();
        sender.send(last.unwrap_or_default()).ok();
    });
    let last = receiver.recv_timeout(bound);
    if last.is_err() {
        child.kill().ok();
    }
    let status = child.wait()?;
    match last {
        Ok(_) if status.success() => Ok(()),
        Ok(line) => bail!("`{shown}` ended with {status}: {}", line.trim()),
        Err(_) => bail!("`{shown}` took longer than {} s", bound.as_secs()),
    }
}

/// How long a program in the background has to end by itself.
const END_BOUND: Duration = Duration::from_secs(5);

/// What test runners said in their closing lines.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TestCounts {
    pub(crate) runners: u32,
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) ignored: u32,
}

impl TestCounts {
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; …`, or one of Node's closing lines, such
    /// as `# pass 3`; other lines change nothing.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.split_once("test result: ") else {
            self.add_of_node(line);
            return;
        };
        self.runners += 1;
        for part in counts.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(count), Some(word)) = (words.next(), words.next()) else {
                continue;
            };
            let Ok(count) = count.parse::<u32>() else {
                continue;
            };
            match word {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }
}

impl TestCounts {
    /// `# tests 4`, `# pass 3`, `# fail 1`, `# skipped 0`, `# todo 0`, `# cancelled 0`: Node's reporter `tap`.
    fn add_of_node(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let (Some("#"), Some(word), Some(count), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return;
        };
        let Ok(count) = count.parse::<u32>() else {
            return;
        };
        match word {
            "tests" => self.runners += 1,
            "pass" => self.passed += count,
            "fail" | "cancelled" => self.failed += count,
            "skipped" | "todo" => self.ignored += count,
            _ => {}
        }
    }
}

impl std::fmt::Display for TestCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.ignored > 0 {
            write!(f, ", {} ignored", self.ignored)?;
        }
        write!(f, " in {} runners", self.runners)
    }
}

/// Runs tests with everything they print shown, and counts what their runners say.
///
/// # Errors
/// When they cannot be started, one fails, one was left out, or no runner reported at all.
pub(crate) fn run_tests(command: &mut Command) -> anyhow::Result<TestCounts> {
    run_tests_into(command, &mut std::io::stdout())
}

fn run_tests_into(command: &mut Command, out: &mut impl Write) -> anyhow::Result<TestCounts> {
    let shown = announce(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start `{shown}`"))?;
    let lines = child.stdout.take().context("its standard output is a pipe")?;
    let mut counts = TestCounts::default();
    for line in BufReader::new(lines).split(b'\n') {
        let line = line.with_context(|| format!("could not read from `{shown}`"))?;
        let line = String::from_utf8_lossy(&line);
        writeln!(out, "{line}").and_then(|()| out.flush())?;
        counts.add(&line);
    }
    let status = child.wait()?;
    ensure!(status.success(), "`{shown}` ended with {status}: {counts}");
    ensure!(counts.passed > 0, "`{shown}` reported no test run");
    ensure!(counts.ignored == 0, "`{shown}` left tests out: {counts}");
    Ok(counts)
}

/// A program of ours in the background, ended by its own handle when dropped.
#[derive(Debug)]
pub(crate) struct Background {
    child: Child,
}

impl Background {
    /// Takes over a started program.
    pub(crate) fn new(child: Child) -> Self {
        Self { child }
    }

    /// The started program.
    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // Programs that end with their input do so by themselves; one that does not is killed.
        drop(self.child.stdin.take());
        let deadline = Instant::now() + END_BOUND;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn announce(command: &Command) -> String {
    let shown = describe(command);
    eprintln!("$ {shown}");
    shown
}

fn describe(command: &Command) -> String {
    let name = std::path::Path::new(command.get_program())
        .file_stem()
        .unwrap_or(command.get_program());
    std::iter::once(name)
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// Counts without showing: what is shown here would be taken for results by whoever counts this very test run.
    fn counted(name: &str, arguments: &[&str]) -> anyhow::Result<TestCounts> {
        let mut shown = Vec::new();
        let counts = run_tests_into(&mut program(name, arguments), &mut shown);
        let expected: String = arguments.iter().map(|line| format!("{line}\n")).collect();
        assert_eq!(String::from_utf8(shown).unwrap(), expected);
        counts
    }

    #[test]
    fn closing_lines_of_both_runners_are_counted() {
        let mut counts = TestCounts::default();
        counts.add("running 4 tests");
        counts.add(
            "test result: ok. 18 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.07s",
        );
        counts.add("    test result: FAILED. 1 passed; 2 failed; 3 ignored; 0 filtered out");
        assert_eq!(
            counts,
            TestCounts {
                runners: 2,
                passed: 19,
                failed: 2,
                ignored: 3
            }
        );
    }

    #[test]
    fn closing_lines_of_node_are_counted() {
        let mut counts = TestCounts::default();
        for line in [
            "# Subtest: # pass 7",
            "# tests 6",
            "# suites 0",
            "# pass 3",
            "# fail 1",
            "# cancelled 1",
            "# skipped 1",
            "# todo 0",
            "# duration_ms 12.5",
        ] {
            counts.add(line);
        }
        assert_eq!(
            counts,
            TestCounts {
                runners: 1,
                passed: 3,
                failed: 2,
                ignored: 1
            }
        );
    }

    #[test]
    fn a_run_without_any_runner_or_with_left_out_tests_is_no_success() {
        let silent = counted("true", &[]).unwrap_err();
        assert!(silent.to_string().contains("no test run"), "{silent}");
        let line = "test result: ok. 1 passed; 0 failed; 1 ignored;";
        let left_out = counted("echo", &[line]).unwrap_err();
        assert!(left_out.to_string().contains("left tests out"), "{left_out}");
        let line = "test result: ok. 1 passed; 0 failed; 0 ignored;";
        assert_eq!(counted("echo", &[line]).unwrap().passed, 1);
    }

    #[test]
    fn what_takes_too_long_is_ended() {
        let error = run_bounded(&mut program("sleep", &["600"]), Duration::from_millis(20));
        assert!(error.unwrap_err().to_string().contains("longer than"));
        let error = run_bounded(
            &mut program("sh", &["-c", "echo one >&2; echo why >&2; exit 3"]),
            Duration::from_secs(60),
        );
        assert!(error.unwrap_err().to_string().contains("why"));
    }
}
