//! Many processes on one vault, and processes killed again and again, in full and in release: see docs/testing.md.

use crate::process::{self, cargo};

/// `cargo xtask contend` and `cargo xtask crash`: `arguments` go to the program, which prints what it found.
pub(crate) fn run(chore: &str, arguments: &[String]) -> anyhow::Result<()> {
    let words = [
        "run",
        "--release",
        "--quiet",
        "--package",
        "keyward-tests",
        "--bin",
        "chaos",
        "--",
        chore,
    ];
    process::run(cargo(&words).args(arguments))
}
