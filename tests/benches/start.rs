//! How long a person waits: from the start of the program to the unlock screen, and from the password to the wallets.
//!
//! `cargo bench -p keyward-tests --bench start`. It runs the binary that `KEYWARD_TEST_BINARY` names, which should be a
//! release build, in a pseudo-terminal, on a vault of 10,000 wallets. A time ends when the terminal emulator has taken
//! in the last of the screen, so the emulator's own work is in it.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![allow(missing_docs, reason = "a program, not a library")]

use std::time::{Duration, Instant};

use keyward_tests::cli::Cli;
use keyward_tests::pty::{DEFAULT_BOUND, Key, PtyCommand};
use keyward_tests::sandbox::Sandbox;

const PHRASE: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
const FIRST_ADDRESS: &str = "HAgk14Jp";
const PASSWORD: &str = "quartz-lantern-ferry-81";
const ROUNDS: usize = 25;
const AIM: Duration = Duration::from_millis(150);

fn main() -> anyhow::Result<()> {
    // `cargo test --benches` only wants to see it start.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let sandbox = Sandbox::new()?;
    let password_file = sandbox.write("password", PASSWORD)?;
    Cli::new(&sandbox)?
        .args([
            "init",
            "--import",
            "-",
            "--max-sol",
            "5",
            "--wallets",
            "10000",
            "--json",
        ])
        .arg("--password-file")
        .arg(&password_file)
        .stdin(PHRASE)
        .success()?;

    let (mut bare, mut starts, mut unlocks) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        Cli::new(&sandbox)?.arg("--version").success()?;
        bare.push(start.elapsed());

        let start = Instant::now();
        let mut console = PtyCommand::keyward(&sandbox)?.spawn()?;
        console.wait_for("the unlock screen", DEFAULT_BOUND, |screen| {
            screen.contains("The vault is locked") && screen.contains("Password")
        })?;
        starts.push(start.elapsed());

        console.type_text(PASSWORD)?;
        let start = Instant::now();
        console.press(Key::Enter)?;
        console.wait_for("10,000 wallets", DEFAULT_BOUND, |screen| {
            screen.contains("Wallets 10,000") && screen.contains(FIRST_ADDRESS)
        })?;
        unlocks.push(start.elapsed());
        console.press(Key::Ctrl('c'))?;
        console.wait_exit(DEFAULT_BOUND)?;
    }
    report("the bare process (--version)", &mut bare);
    let median = report("console start to the unlock screen", &mut starts);
    report("password to the list of wallets, scrypt included", &mut unlocks);
    // For `cargo xtask bench`: what, nanoseconds taken, nanoseconds aimed at.
    println!(
        "figure; console start to its first frame, 10,000 wallets (median); {}; {}",
        median.as_nanos(),
        AIM.as_nanos()
    );
    Ok(())
}

/// Prints the spread of these times and gives their median.
fn report(name: &str, times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    let at = |percent: usize| {
        let place = times.len().saturating_sub(1) * percent / 100;
        times.get(place).copied().unwrap_or_default()
    };
    println!(
        "{name:<58} min {:>9.2?}  median {:>9.2?}  p99 {:>9.2?}  ({} times)",
        at(0),
        at(50),
        at(99),
        times.len()
    );
    at(50)
}
