//! Keys that come in and go out by the console: import, export, the recovery key, a file of the vault.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Context as _, ensure};
use keyward_tests::pty::{DEFAULT_BOUND, Key, Pty};

use crate::console_trouble::{leave, nothing_is_lost, open, open_unlocked};
use crate::vault::{PASSWORD, TestVault};

/// The second account of the phrase "test … junk", as Hardhat publishes it: key and address.
const KEY: &str = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
const ADDRESS: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const LABEL: &str = "hardhat-1";
const NEXT_PASSWORD: &str = "copper-lantern-orchid-6630";
const WRONG: &str = "meadow-falcon-tonic-9914";

/// Imports the key from pasted text and stands at the list again.
fn import(console: &Pty) -> anyhow::Result<()> {
    console.type_text("i")?;
    console.wait_for_text("1 where it is")?;
    console.paste(KEY)?;
    console.wait_for_text("••••")?;
    console.press(Key::Enter)?;
    console.wait_for_text("a key on either chain")?;
    console.press(Key::Right)?;
    console.wait_for_text("EVM (Ethereum")?;
    console.press(Key::Enter)?;
    console.wait_for_text(ADDRESS)?;
    console.type_text(LABEL)?;
    console.press_all([Key::Enter; 4])?;
    Ok(())
}

#[test]
fn a_pasted_key_is_imported_once_and_exported_into_a_file_of_its_own() -> anyhow::Result<()> {
    let vault = TestVault::new(1)?;
    let console = open_unlocked(&vault, &[])?;
    import(&console)?;
    console.wait_for_text("✓ added")?;
    console.press(Key::Enter)?;
    console.wait_for_text(LABEL)?;
    import(&console)?;
    console.wait_for_text("was there already")?;
    console.press(Key::Enter)?;
    console.wait_for_text("imported")?;

    // Out again, to a file that is not there yet; a wrong password first.
    let path = vault.sandbox.path("key.hex");
    let taken = vault.sandbox.write("taken", "not to be written over")?;
    console.press_all([Key::End, Key::Enter])?;
    console.wait_for_text("imported key")?;
    console.type_text("x")?;
    console.wait_for_text("Export the key")?;
    console.press(Key::Right)?;
    console.wait_for_text("hexadecimal text")?;
    console.press(Key::Enter)?;
    console.type_text(&taken.display().to_string())?;
    console.press(Key::Enter)?;
    console.type_text(PASSWORD)?;
    console.press_all([Key::Enter; 3])?;
    console.type_text(LABEL)?;
    console.press(Key::Enter)?;
    console.wait_for_text("is there already")?;
    for (file, password, expected) in [(&path, WRONG, "did not open"), (&path, PASSWORD, "written to")] {
        // The focus is on the vault's password, above it the file.
        console.press(Key::BackTab)?;
        console.press(Key::Ctrl('u'))?;
        console.press(Key::Ctrl('k'))?;
        console.type_text(&file.display().to_string())?;
        console.press(Key::Enter)?;
        console.type_text(password)?;
        console.press_all([Key::Enter; 4])?;
        console.wait_for_text(expected)?;
    }
    let written = fs::read_to_string(&path)?;
    ensure!(
        written.trim().trim_start_matches("0x") == KEY.trim_start_matches("0x"),
        "another key"
    );
    ensure!(fs::metadata(&path)?.permissions().mode() & 0o777 == 0o600);
    ensure!(fs::read_to_string(&taken)? == "not to be written over");
    leave(console)?;
    nothing_is_lost(&vault, 2)
}

/// The groups of the recovery key on the screen.
fn groups(console: &Pty) -> anyhow::Result<Vec<String>> {
    let screen = console.wait_for_text("Shown.")?;
    let rows = screen.rows();
    let shown = rows.iter().filter(|row| {
        let number = row.split_whitespace().next().unwrap_or_default();
        matches!(number, "1" | "8") && row.split_whitespace().count() == 8
    });
    let groups: Vec<String> = shown
        .flat_map(|row| {
            row.split_whitespace()
                .skip(1)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    ensure!(groups.len() == 14, "{screen}");
    Ok(groups)
}

#[test]
fn a_recovery_key_is_made_checked_and_opens_the_vault() -> anyhow::Result<()> {
    let vault = TestVault::new(1)?;
    let console = open_unlocked(&vault, &[])?;
    console.type_text("5")?;
    console.wait_for_text("no recovery key")?;
    console.press(Key::Enter)?;
    console.wait_for_text("14 groups")?;
    console.type_text(PASSWORD)?;
    console.press(Key::Enter)?;
    console.wait_for_text("Hidden. v shows it")?;
    console.type_text("v")?;
    let key = groups(&console)?;
    console.press(Key::Enter)?;
    let screen = console.wait_for_text("Two of its groups")?;
    for row in screen.rows() {
        let Some((_, after)) = row.split_once("group ") else {
            continue;
        };
        let number: usize = after.split_whitespace().next().context("no number")?.parse()?;
        console.type_text(key.get(number - 1).context("no such group")?)?;
        console.press(Key::Enter)?;
    }
    console.wait_for_text("✓ a recovery key opens this vault")?;
    leave(console)?;

    let console = open(&vault, &[])?;
    console.press(Key::Ctrl('r'))?;
    console.wait_for_text("The recovery key opens the vault once")?;
    console.type_text(&key.join("-"))?;
    console.press(Key::Enter)?;
    console.type_text(NEXT_PASSWORD)?;
    console.press(Key::Enter)?;
    console.type_text(NEXT_PASSWORD)?;
    console.press(Key::Enter)?;
    console.wait_for("the list of wallets", DEFAULT_BOUND, |screen| {
        screen.contains("HAgk14Jp")
    })?;
    console.press(Key::Ctrl('l'))?;
    console.wait_for_text("The vault is locked")?;
    console.type_text(PASSWORD)?;
    console.press(Key::Enter)?;
    console.wait_for_text("The vault did not open")?;
    leave(console)
}

#[test]
fn the_vault_gets_a_new_key_and_is_saved_to_a_file() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    let console = open_unlocked(&vault, &[])?;
    let path = vault.sandbox.path("copy.keyward");
    console.type_text("5")?;
    console.wait_for_text("vault key number 1")?;
    console.press_all([Key::Down, Key::Enter])?;
    console.wait_for_text("one encrypted file")?;
    console.type_text(PASSWORD)?;
    console.press(Key::Enter)?;
    console.type_text(&path.display().to_string())?;
    console.press_all([Key::Enter; 3])?;
    console.wait_for_text("the vault is in")?;
    ensure!(fs::metadata(&path)?.permissions().mode() & 0o777 == 0o600);
    console.press_all([Key::Down, Key::Enter])?;
    console.wait_for_text("sealed again under a new key")?;
    console.type_text(PASSWORD)?;
    console.press(Key::Enter)?;
    console.type_text("rotate")?;
    console.press(Key::Enter)?;
    console.wait_for_text("vault key number 2")?;
    leave(console)?;
    nothing_is_lost(&vault, 2)
}
