//! Wrong passwords, and the lockout that follows them.

use anyhow::ensure;
use keyward_tests::pty::{DEFAULT_BOUND, Key};

use super::{leave, nothing_is_lost, open, unlock, wait_for_message};
use crate::vault::{PASSWORD, TestVault};

const WRONG: &str = "not-the-right-one-77";

#[test]
fn a_wrong_password_is_named_cleared_and_followed_by_the_right_one() -> anyhow::Result<()> {
    let vault = TestVault::new(3)?;
    let console = open(&vault, &[])?;
    console.type_text(WRONG)?;
    console.wait_for_text("••••")?;
    console.press(Key::Enter)?;
    wait_for_message(&console, "wrong password or second factor")?;
    let screen = wait_for_message(&console, "Try again")?;
    ensure!(!screen.contains("•"), "the field was not cleared\n{screen}");
    unlock(&console)?;
    ensure!(!console.has_drawn(WRONG.as_bytes()) && !console.has_drawn(PASSWORD.as_bytes()));
    leave(console)?;
    let audit = vault.cli("audit list --json")?.success()?;
    ensure!(
        audit.stdout.contains("wrong-password"),
        "the wrong password left no trace\n{audit}"
    );
    nothing_is_lost(&vault, 3)
}

#[test]
fn five_wrong_passwords_lock_out_for_a_while_that_is_counted_down() -> anyhow::Result<()> {
    let vault = TestVault::new(1)?;
    let console = open(&vault, &[])?;
    for _ in 0..5 {
        console.type_text(WRONG)?;
        console.wait_for_text("••••")?;
        console.press(Key::Enter)?;
        // Typing takes the old message away, so this is the new one.
        wait_for_message(&console, "wrong password or second factor")?;
    }
    console.type_text(PASSWORD)?;
    console.press(Key::Enter)?;
    // Of half a minute; how much of it is left depends on the machine.
    console.wait_for_text("Next try in 0:")?;
    console.wait_for_text("survives a restart")?;
    leave(console)?;

    // Leaving and coming back gains nothing, and one is told so before anything is typed.
    let console = open(&vault, &[])?;
    console.wait_for_text("Next try in 0:")?;
    // What is typed meanwhile stays, and counts when the time is over.
    console.type_text(PASSWORD)?;
    console.press(Key::Enter)?;
    console.wait_for_text("••••")?;
    let screen = console.wait_until_gone("Next try in")?;
    ensure!(screen.contains("••••"), "what was typed is gone\n{screen}");
    console.press(Key::Enter)?;
    console.wait_for("the list of wallets", DEFAULT_BOUND, |screen| {
        screen.contains("HAgk14Jp")
    })?;
    leave(console)?;
    nothing_is_lost(&vault, 1)
}
