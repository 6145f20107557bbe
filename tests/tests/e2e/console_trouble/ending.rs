//! However the console ends, the terminal is given back: panics and signals.

use std::path::Path;

use anyhow::{Context as _, ensure};
use keyward_tests::pty::{DEFAULT_BOUND, Key, Pty, PtyCommand};
use keyward_tests::sandbox::Sandbox;
use rustix::process::{Pid, Signal, kill_process};

use super::{nothing_is_lost, open, open_unlocked};
use crate::vault::TestVault;

/// What the panicker panics with.
const PAYLOAD: &[u8] = b"canary-payload-4711";

fn panicker(sandbox: &Sandbox, place: &str) -> anyhow::Result<Pty> {
    let pty = PtyCommand::new(sandbox, Path::new(env!("CARGO_BIN_EXE_panicker")))
        .args([place])
        .env("RUST_BACKTRACE", "full")
        .spawn()?;
    pty.wait_for("the taken terminal", DEFAULT_BOUND, |screen| {
        screen.is_alternate() && screen.contains("taken")
    })?;
    // Nothing would be proved by a terminal that was never taken.
    ensure!(pty.terminal_is_restored().is_err(), "the terminal was not taken");
    Ok(pty)
}

#[test]
fn a_panic_gives_the_terminal_back_and_keeps_its_payload() -> anyhow::Result<()> {
    let sandbox = Sandbox::new()?;
    let mut pty = panicker(&sandbox, "here")?;
    pty.press(Key::Enter)?;
    let status = pty.wait_exit(DEFAULT_BOUND)?;
    ensure!(!status.success(), "a panic is not a success");
    pty.terminal_is_restored()?;
    let screen = pty.screen();
    ensure!(
        screen.contains_wrapped("a mistake of its own at"),
        "no message\n{screen}"
    );
    ensure!(
        screen.contains_wrapped("panicker.rs"),
        "it does not say where\n{screen}"
    );
    ensure!(
        screen.contains_wrapped("what was stored is safe"),
        "no way on\n{screen}"
    );
    ensure!(!pty.has_drawn(PAYLOAD), "the payload was printed\n{screen}");
    Ok(())
}

#[test]
fn a_panic_in_the_background_leaves_the_screen_alone() -> anyhow::Result<()> {
    let sandbox = Sandbox::new()?;
    let mut pty = panicker(&sandbox, "elsewhere")?;
    pty.press(Key::Enter)?;
    let screen = pty.wait_for_text("still here")?;
    ensure!(
        screen.is_alternate() && !screen.contains("mistake"),
        "the panic wrote over the screen\n{screen}"
    );
    pty.press(Key::Enter)?;
    ensure!(pty.wait_exit(DEFAULT_BOUND)?.success(), "{}", pty.screen());
    pty.terminal_is_restored()?;
    ensure!(!pty.has_drawn(PAYLOAD), "the payload was printed");
    Ok(())
}

fn ends_tidily_on(signal: Signal, mut console: Pty, vault: &TestVault) -> anyhow::Result<()> {
    let id = console.process_id().context("it has ended")?;
    // Our own child, not yet waited for.
    kill_process(Pid::from_raw(i32::try_from(id)?).context("no process")?, signal)?;
    console.wait_exit(DEFAULT_BOUND)?;
    console.terminal_is_restored()?;
    nothing_is_lost(vault, 2)
}

#[test]
fn a_request_to_end_gives_the_terminal_back() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        ends_tidily_on(signal, open(&vault, &[])?, &vault)?;
        let console = open_unlocked(&vault, &[])?;
        // With something half typed and a window open there is nobody to ask.
        console.type_text("ehalf a label")?;
        console.wait_for_text("half a label")?;
        ends_tidily_on(signal, console, &vault)?;
    }
    Ok(())
}
