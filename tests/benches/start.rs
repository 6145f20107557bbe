//! How long a person waits: from the start of the program to the unlock screen, and from the password to the wallets; and
//! how much memory the console holds over a vault of 100,000 wallets.
//!
//! `cargo bench -p keyward-tests --bench start`. It runs the binary that `KEYWARD_TEST_BINARY` names, which should be a
//! release build, in a pseudo-terminal, on a vault of 10,000 wallets. A time ends when the terminal emulator has taken
//! in the last of the screen, so the emulator's own work is in it.
#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![allow(missing_docs, reason = "a program, not a library")]

use std::time::{Duration, Instant};

use anyhow::Context as _;
use keyward_tests::cli::Cli;
use keyward_tests::pty::{DEFAULT_BOUND, Key, PtyCommand};
use keyward_tests::sandbox::Sandbox;

const PHRASE: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
const FIRST_ADDRESS: &str = "HAgk14Jp";
const PASSWORD: &str = "quartz-lantern-ferry-81";
const ROUNDS: usize = 25;
const AIM: Duration = Duration::from_millis(150);
/// In bytes.
const MEMORY_AIM: u64 = 60_000_000;

fn main() -> anyhow::Result<()> {
    // `cargo test --benches` only wants to see it start.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let sandbox = vault("10000")?;
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
    memory()
}

/// A vault of so many wallets.
fn vault(wallets: &str) -> anyhow::Result<Sandbox> {
    let sandbox = Sandbox::new()?;
    let password_file = sandbox.write("password", PASSWORD)?;
    Cli::new(&sandbox)?
        .args([
            "init",
            "--import",
            "-",
            "--max-sol",
            "5",
            "--json",
            "--wallets",
            wallets,
        ])
        .arg("--password-file")
        .arg(&password_file)
        .stdin(PHRASE)
        .success()?;
    Ok(sandbox)
}

/// What the console's process holds once the list of 100,000 wallets is there and was moved through. The scrypt of
/// unlocking takes 128 MiB for a moment, which the highest mark shows and the figure must not.
fn memory() -> anyhow::Result<()> {
    let sandbox = vault("100000")?;
    let mut console = PtyCommand::keyward(&sandbox)?.spawn()?;
    console.wait_for_text("The vault is locked")?;
    console.type_text(PASSWORD)?;
    console.press(Key::Enter)?;
    console.wait_for("100,000 wallets", DEFAULT_BOUND, |screen| {
        screen.contains("Wallets 100,000") && screen.contains(FIRST_ADDRESS)
    })?;
    for key in [Key::End, Key::Home] {
        console.press(key)?;
    }
    console.wait_for("the first page again", DEFAULT_BOUND, |screen| {
        screen.contains(FIRST_ADDRESS)
    })?;
    let process = console.process_id().context("the console runs")?;
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let bytes = |name: &str| -> anyhow::Result<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|rest| rest.split_whitespace().next());
        Ok(kilobytes.context("a line of /proc")?.parse::<u64>()? * 1024)
    };
    let (held, highest) = (bytes("VmRSS:")?, bytes("VmHWM:")?);
    console.press(Key::Ctrl('c'))?;
    console.wait_exit(DEFAULT_BOUND)?;
    println!("size; memory of the console over 100,000 wallets; {held}; {MEMORY_AIM}");
    println!("size;   its highest mark, with the scrypt of unlocking; {highest}; -");
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
