//! A row of stages: each is run and timed, none stops the next, and a table at the end says how each went.

use std::time::{Duration, Instant};

use anyhow::bail;

/// What could not run because something is not on this machine; told apart from a failure in the closing table.
#[derive(Debug)]
pub(crate) struct Missing(pub(crate) String);

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Missing {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Missing,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Failed => "FAILED",
            Self::Missing => "MISSING",
        }
    }
}

struct Stage {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
    remark: String,
}

/// The stages run so far.
#[derive(Default)]
pub(crate) struct Stages {
    done: Vec<Stage>,
}

impl Stages {
    /// Runs a stage; the text it returns stands beside it in the closing table. Returns whether it passed.
    pub(crate) fn run(&mut self, name: &'static str, stage: impl FnOnce() -> anyhow::Result<String>) -> bool {
        println!("\n== {name}");
        let started = Instant::now();
        let result = stage();
        let took = started.elapsed();
        let (outcome, remark) = match result {
            Ok(remark) => (Outcome::Passed, remark),
            Err(error) if error.is::<Missing>() => (Outcome::Missing, format!("{error:#}")),
            Err(error) => (Outcome::Failed, format!("{error:#}")),
        };
        println!("== {name}: {} in {} {remark}", outcome.word(), seconds(took));
        self.done.push(Stage {
            name,
            outcome,
            took,
            remark,
        });
        outcome == Outcome::Passed
    }

    /// Prints the table.
    ///
    /// # Errors
    /// When any stage failed or something for it was missing, naming them.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        println!("\n{}", self.table());
        let bad: Vec<&str> = self
            .done
            .iter()
            .filter(|stage| stage.outcome != Outcome::Passed)
            .map(|stage| stage.name)
            .collect();
        if bad.is_empty() {
            return Ok(());
        }
        bail!(
            "{} of {} stages did not pass: {}",
            bad.len(),
            self.done.len(),
            bad.join(", ")
        )
    }

    fn table(&self) -> String {
        let width = self.done.iter().map(|stage| stage.name.len()).max().unwrap_or(0);
        let mut lines: Vec<String> = self
            .done
            .iter()
            .map(|stage| {
                format!(
                    "{:<width$}  {:<7}  {:>8}  {}",
                    stage.name,
                    stage.outcome.word(),
                    seconds(stage.took),
                    stage.remark
                )
                .trim_end()
                .to_owned()
            })
            .collect();
        let total = self.done.iter().map(|stage| stage.took).sum();
        lines.push(format!("{:<width$}  {:<7}  {:>8}", "total", "", seconds(total)));
        lines.join("\n")
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_failure_does_not_stop_the_next_stage_but_the_whole() {
        let mut stages = Stages::default();
        assert!(!stages.run("one", || bail!("broken")));
        assert!(!stages.run("two", || Err(Missing("a browser".into()).into())));
        assert!(stages.run("three", || Ok("fine".into())));
        let table = stages.table();
        for part in ["FAILED", "broken", "MISSING", "a browser", "fine", "total"] {
            assert!(table.contains(part), "{table}");
        }
        let error = stages.finish().unwrap_err().to_string();
        assert_eq!(error, "2 of 3 stages did not pass: one, two");
    }

    #[test]
    fn all_passed_is_success() {
        let mut stages = Stages::default();
        stages.run("one", || Ok(String::new()));
        stages.finish().unwrap();
    }
}
