//! What goes wrong around the open console: passwords, disks, other processes, nodes, the terminal itself. Each time a
//! clear message and a way on, nothing lost, and the terminal as it was.

use anyhow::ensure;
use keyward_tests::pty::{DEFAULT_BOUND, Key, Pty, PtyCommand, SMALLEST, Screen};

use crate::vault::{PASSWORD, TestVault};

#[path = "console_trouble/ending.rs"]
mod ending;
#[path = "console_trouble/locking.rs"]
mod locking;
#[path = "console_trouble/node.rs"]
mod node;
#[path = "console_trouble/size.rs"]
mod size;
#[path = "console_trouble/storage.rs"]
mod storage;
#[path = "console_trouble/typed.rs"]
mod typed;
#[path = "console_trouble/unlocking.rs"]
mod unlocking;

/// Opens the console on a vault, which is locked then.
pub(crate) fn open(vault: &TestVault, arguments: &[&str]) -> anyhow::Result<Pty> {
    let console = PtyCommand::keyward(&vault.sandbox)?
        .args(arguments)
        .size(SMALLEST.0, SMALLEST.1)
        .spawn()?;
    console.wait_for_text("The vault is locked")?;
    Ok(console)
}

/// Types the password and waits for the list.
pub(crate) fn unlock(console: &Pty) -> anyhow::Result<()> {
    console.type_text(PASSWORD)?;
    console.press(Key::Enter)?;
    console.wait_for("the list of wallets", DEFAULT_BOUND, |screen| {
        screen.contains("Wallets") && screen.contains("HAgk14Jp")
    })?;
    Ok(())
}

/// Opens the console and unlocks.
pub(crate) fn open_unlocked(vault: &TestVault, arguments: &[&str]) -> anyhow::Result<Pty> {
    let console = open(vault, arguments)?;
    unlock(&console)?;
    Ok(console)
}

/// Leaves by the key that works everywhere, saying yes where it asks, and looks at what is left of the terminal.
pub(crate) fn leave(mut console: Pty) -> anyhow::Result<()> {
    console.press(Key::Ctrl('c'))?;
    // A screen with something typed asks; the same key again is a yes.
    console.press(Key::Ctrl('c')).ok();
    let status = console.wait_exit(DEFAULT_BOUND)?;
    ensure!(status.success(), "it ended with {status}\n{}", console.screen());
    console.terminal_is_restored()
}

/// Every wallet is still there and the audit log verifies.
pub(crate) fn nothing_is_lost(vault: &TestVault, wallets: u64) -> anyhow::Result<()> {
    let listed = vault.cli("wallets list --json")?.success()?.json()?;
    assert_eq!(listed["total"], wallets);
    vault.cli("audit verify")?.success()?;
    Ok(())
}

/// Waits for a message that may be wrapped over rows.
fn wait_for_message(console: &Pty, message: &str) -> anyhow::Result<Screen> {
    console.wait_for(&format!("the message {message:?}"), DEFAULT_BOUND, |screen| {
        squeezed(screen).contains(&squeeze(message))
    })
}

/// The screen without blanks and without the borders of windows, in which long texts are wrapped.
fn squeezed(screen: &Screen) -> String {
    squeeze(&screen.text())
}

fn squeeze(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_whitespace() && *letter != '│')
        .collect()
}
