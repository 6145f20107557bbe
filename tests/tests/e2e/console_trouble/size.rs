//! Terminals that are too small, that grow, and that change their size on every screen.

use anyhow::{Context as _, ensure};
use keyward_core::amount::Lamports;
use keyward_tests::node::TestNode;
use keyward_tests::pty::{DEFAULT_BOUND, Key, Pty, PtyCommand, SMALLEST, Screen};
use keyward_tests::sandbox::Sandbox;

use super::locking::PLACES;
use super::{leave, nothing_is_lost, open, open_unlocked};
use crate::vault::{FIRST_ADDRESS, PASSWORD, TestVault};

/// The sizes that are tried, the last one the smallest.
const SIZES: [(u16, u16); 4] = [(120, 40), (97, 31), (200, 60), SMALLEST];
const TOO_SMALL: (u16, u16) = (60, 12);
/// A screen that is caught half drawn is looked at again; one with garbage on it is the same each time.
const LOOKS: usize = 3;

/// The rows without what passes with time: every number is 0, every gap one blank.
fn settled(screen: &Screen) -> Vec<String> {
    let mut rows = Vec::new();
    for row in screen.rows() {
        let mut text = String::new();
        for letter in row.chars() {
            let letter = if letter.is_ascii_digit() { '0' } else { letter };
            if !(text.ends_with(letter) && matches!(letter, '0' | ' ')) {
                text.push(letter);
            }
        }
        rows.push(text);
    }
    rows
}

fn too_small(console: &Pty) -> anyhow::Result<Screen> {
    console.resize(TOO_SMALL.0, TOO_SMALL.1)?;
    let told = console.wait_for("what is told of a small terminal", DEFAULT_BOUND, |screen| {
        screen.contains("terminal too small")
            && screen.contains("needs 80x24, has 60x12")
            && screen.contains("make it larger to go on")
            && screen.contains("Ctrl-L locks, Ctrl-C leaves")
    })?;
    ensure!(
        told.rows().iter().skip(4).all(String::is_empty),
        "more than that is shown\n{told}"
    );
    Ok(told)
}

/// Waits until the whole screen stands at this size.
fn at_size(console: &Pty, size: (u16, u16), shows: &str) -> anyhow::Result<Screen> {
    console.resize(size.0, size.1)?;
    console.wait_for(&format!("{shows:?} at {size:?}"), DEFAULT_BOUND, |screen| {
        screen.columns() == size.0
            && screen.rows().len() == usize::from(size.1)
            && screen
                .rows()
                .first()
                .is_some_and(|row| row.starts_with(" keyward  "))
            && screen.rows().last().is_some_and(|row| !row.is_empty())
            && screen.contains(shows)
    })
}

/// Whatever was on the screen before, at this size the same is drawn: nothing old shines through.
fn is_clean(console: &Pty, size: (u16, u16), shows: &str) -> anyhow::Result<()> {
    let mut looks = 0;
    loop {
        looks += 1;
        let from_another = settled(&at_size(console, size, shows)?);
        too_small(console)?;
        at_size(console, size, shows)?;
        let same = console.wait_for("the same screen", DEFAULT_BOUND / 20, |screen| {
            settled(screen) == from_another
        });
        match same {
            Ok(screen) => {
                let bars = screen
                    .rows()
                    .iter()
                    .filter(|row| row.starts_with(" keyward  "))
                    .count();
                ensure!(bars == 1, "{bars} top bars\n{screen}");
                return Ok(());
            }
            Err(error) if looks == LOOKS => {
                return Err(error.context(format!("before:\n{}", from_another.join("\n"))));
            }
            Err(_) => {
                console.resize(131, 37)?;
            }
        }
    }
}

fn every_size_is_clean(console: &Pty, place: &str, shows: &str) -> anyhow::Result<()> {
    for size in SIZES {
        is_clean(console, size, shows).with_context(|| format!("{place} at {size:?}"))?;
    }
    Ok(())
}

#[test]
fn every_screen_of_an_open_vault_survives_any_size() -> anyhow::Result<()> {
    let vault = TestVault::new(25)?;
    for place in PLACES {
        let console = open_unlocked(&vault, &[])?;
        place.reach(&console)?;
        every_size_is_clean(&console, place.name, place.shows())?;
        leave(console)?;
    }
    nothing_is_lost(&vault, 25)
}

#[test]
fn every_step_of_the_first_run_survives_any_size() -> anyhow::Result<()> {
    let sandbox = Sandbox::new()?;
    let steps: [(&[&str], &str); 6] = [
        (&[], "Import a phrase"),
        (&["\r"], "12 words"),
        (&["\r", "\r"], "Whoever has these words"),
        (&["\x1b[B\r", "zebra quantum"], "2 words"),
        (&["\x1b[B\r", crate::vault::PHRASE, "\r"], "Its first addresses"),
        (
            &["\x1b[B\r", crate::vault::PHRASE, "\r", "\r", "\r\r\r", PASSWORD],
            "Strong enough",
        ),
    ];
    for (keys, shows) in steps {
        let console = PtyCommand::keyward(&sandbox)?
            .size(SMALLEST.0, SMALLEST.1)
            .spawn()?;
        console.wait_for_text("Import a phrase")?;
        for key in keys {
            console.type_text(key)?;
        }
        console.wait_for_text(shows)?;
        every_size_is_clean(&console, shows, shows)?;
        leave(console)?;
    }
    Ok(())
}

#[test]
fn a_locked_vault_in_a_small_terminal_opens_once_it_grows() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    let console = open(&vault, &[])?;
    console.type_text(&PASSWORD[..5])?;
    console.wait_for_text("•••••")?;
    every_size_is_clean(&console, "the locked vault", "•••••")?;
    console.type_text(&PASSWORD[5..])?;
    console.press(Key::Enter)?;
    console.wait_for_text("HAgk14Jp")?;
    leave(console)?;
    nothing_is_lost(&vault, 2)
}

#[test]
fn a_console_started_too_small_can_still_be_left() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    let console = PtyCommand::keyward(&vault.sandbox)?.size(20, 5).spawn()?;
    console.wait_for_text("too small")?;
    leave(console)?;
    nothing_is_lost(&vault, 2)
}

#[test]
fn nothing_is_signed_that_cannot_be_seen() -> anyhow::Result<()> {
    let node = TestNode::start()?;
    let vault = TestVault::new(2)?;
    node.fund_blocking(&FIRST_ADDRESS.parse()?, Lamports::new(3_000_000_000))?;
    let console = open_unlocked(&vault, &["--rpc", &node.rpc_url])?;
    console.type_text("s#1\t")?;
    console.wait_for_text("✓ yours")?;
    console.type_text("0.25\r")?;
    console.wait_for_text("Review: send")?;
    console.wait_for_text("y signs exactly these bytes")?;
    too_small(&console)?;
    console.type_text("y")?;
    // The key was read by the time that a few more sizes were noticed.
    for columns in 61..66 {
        console.resize(columns, TOO_SMALL.1)?;
        console.wait_for_text(&format!("has {columns}x12"))?;
    }
    for size in SIZES {
        at_size(&console, size, "Review: send")?;
        console.wait_for_text("0.250000000 SOL")?;
        console.wait_for_text("y signs exactly these bytes")?;
    }
    console.press(Key::Esc)?;
    console.wait_for_text("= 0.250000000 SOL")?;
    leave(console)?;
    let audit = vault.cli("audit list --json")?.success()?;
    ensure!(
        !audit.stdout.contains("sign-transaction"),
        "something was signed\n{audit}"
    );
    nothing_is_lost(&vault, 2)
}
