//! The console opens on whatever terminal there is, and leaves it as it found it.

use keyward_tests::cli::Cli;
use keyward_tests::pty::{DEFAULT_BOUND, Key, Pty, PtyCommand};
use keyward_tests::sandbox::Sandbox;

fn open(sandbox: &Sandbox, columns: u16, rows: u16) -> anyhow::Result<Pty> {
    let console = PtyCommand::keyward(sandbox)?.size(columns, rows).spawn()?;
    console.wait_for("the first frame", DEFAULT_BOUND, |screen| {
        screen.is_alternate() && screen.contains("keyward")
    })?;
    Ok(console)
}

/// Leaves by the key that works on every screen.
fn leave(mut console: Pty) -> anyhow::Result<()> {
    console.press(Key::Ctrl('c'))?;
    let status = console.wait_exit(DEFAULT_BOUND)?;
    anyhow::ensure!(status.success(), "it ended with {status}\n{}", console.screen());
    console.terminal_is_restored()
}

#[test]
fn the_binary_says_its_version() -> anyhow::Result<()> {
    let output = Cli::new(&Sandbox::new()?)?.arg("--version").success()?;
    assert_eq!(output.stdout, format!("keyward {}\n", env!("CARGO_PKG_VERSION")));
    Ok(())
}

#[test]
fn it_opens_at_the_smallest_size_and_restores_the_terminal() -> anyhow::Result<()> {
    let sandbox = Sandbox::new()?;
    leave(open(&sandbox, 80, 24)?)
}

#[test]
fn it_leaves_no_vault_behind_when_nothing_was_made() -> anyhow::Result<()> {
    let sandbox = Sandbox::new()?;
    leave(open(&sandbox, 80, 24)?)?;
    let output = Cli::new(&sandbox)?
        .args(["wallets", "list", "--json"])
        .env("KEYWARD_MASTER_PASSWORD", "quartz-lantern-ferry-81")
        .run()?;
    anyhow::ensure!(output.code() != Some(0), "a vault came from nowhere\n{output}");
    Ok(())
}

#[test]
fn a_terminal_that_is_too_small_is_told_so_and_works_once_it_grows() -> anyhow::Result<()> {
    let sandbox = Sandbox::new()?;
    let console = PtyCommand::keyward(&sandbox)?.size(60, 15).spawn()?;
    console.wait_for_text("80")?;
    console.resize(120, 40)?;
    console.wait_for("the console at its new size", DEFAULT_BOUND, |screen| {
        screen.columns() == 120
            && screen.contains("keyward")
            && screen.rows().iter().any(|row| row.len() > 80)
    })?;
    leave(console)
}
