//! Esc goes back one step and never loses what was typed without asking.

use anyhow::ensure;
use keyward_tests::pty::{Key, PtyCommand, SMALLEST};
use keyward_tests::sandbox::Sandbox;

use super::{leave, nothing_is_lost, open_unlocked};
use crate::vault::TestVault;

#[test]
fn a_half_typed_phrase_survives_going_back_and_is_not_left_unasked() -> anyhow::Result<()> {
    let sandbox = Sandbox::new()?;
    let console = PtyCommand::keyward(&sandbox)?
        .size(SMALLEST.0, SMALLEST.1)
        .spawn()?;
    console.wait_for_text("Import a phrase")?;
    console.press_all([Key::Down, Key::Enter])?;
    console.wait_for_text("step 1 of 5")?;
    console.type_text("zebra quantum lef")?;
    console.wait_for_text("3 words")?;
    console.press(Key::Esc)?;
    console.wait_for_text("Welcome to keyward")?;
    console.press(Key::Enter)?;
    console.wait_for_text("3 words")?;
    console.type_text("t")?;
    console.wait_for_text("left▏")?;

    console.press(Key::Ctrl('c'))?;
    console.wait_for_text("What you typed here is lost.")?;
    console.type_text("n")?;
    console.wait_until_gone("What you typed here is lost.")?;
    console.wait_for_text("3 words")?;
    ensure!(!console.has_drawn(b"quantum\x20left"));
    leave(console)?;
    ensure!(!sandbox.vault().exists() || std::fs::metadata(sandbox.vault())?.len() < 1 << 20);
    Ok(())
}

#[test]
fn a_half_typed_transfer_is_not_left_unasked() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    let console = open_unlocked(&vault, &[])?;
    console.type_text("s#1\t0.25")?;
    console.wait_for_text("= 0.250000000 SOL")?;
    console.press(Key::Esc)?;
    console.wait_for_text("Leave this transfer?")?;
    console.type_text("n")?;
    console.wait_until_gone("Leave this transfer?")?;
    console.wait_for_text("= 0.250000000 SOL")?;
    // Nor by going to another screen and back.
    console.press(Key::Ctrl('o'))?;
    console.wait_for_text("RPC endpoint")?;
    console.press(Key::Esc)?;
    console.wait_for_text("= 0.250000000 SOL")?;
    console.press(Key::Esc)?;
    console.wait_for_text("Leave this transfer?")?;
    console.type_text("y")?;
    console.wait_for_text("Wallets 2 ")?;
    leave(console)?;
    nothing_is_lost(&vault, 2)
}

#[test]
fn a_half_typed_new_password_is_not_left_unasked() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    let console = open_unlocked(&vault, &[])?;
    console.type_text("4")?;
    console.press_all([Key::End, Key::Enter])?;
    console.wait_for_text("Vault password")?;
    console.type_text("half a password")?;
    console.wait_for_text("••••")?;
    console.press(Key::Esc)?;
    console.wait_for_text("What you typed here is dropped.")?;
    console.type_text("n")?;
    console.wait_until_gone("What you typed here is dropped.")?;
    console.wait_for_text("••••")?;
    console.press(Key::Esc)?;
    console.wait_for_text("What you typed here is dropped.")?;
    console.type_text("y")?;
    console.wait_for_text("RPC endpoint")?;
    leave(console)?;
    nothing_is_lost(&vault, 2)
}
