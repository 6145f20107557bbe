//! The vault's file: damaged, on a read-only or full disk, held by another process.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use keyward_tests::cli::keyward_binary;
use keyward_tests::pty::{DEFAULT_BOUND, Key, Pty, PtyCommand, SMALLEST};
use keyward_tests::wait;
use sqlx::Connection as _;

use super::{leave, nothing_is_lost, open_unlocked, unlock, wait_for_message};
use crate::vault::{FIRST_ADDRESS, TestVault};

/// Esc leaves the page that says why the vault did not open, with the exit code and the words for scripts and shells.
fn leave_from_trouble(mut console: Pty, words: &str) -> anyhow::Result<()> {
    console.press(Key::Esc)?;
    let status = console.wait_exit(DEFAULT_BOUND)?;
    assert_eq!(status.exit_code(), 8, "{}", console.screen());
    console.terminal_is_restored()?;
    let screen = console.screen();
    ensure!(
        screen.contains_wrapped(words),
        "the reason is not on the terminal\n{screen}"
    );
    Ok(())
}

#[test]
fn a_damaged_database_is_named_left_alone_and_opens_once_restored() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    let path = vault.sandbox.vault();
    let intact = fs::read(&path)?;
    let file = fs::OpenOptions::new().write(true).open(&path)?;
    file.write_all_at(&[0x5a; 64], 0)?;
    let damaged = fs::read(&path)?;
    let start = || {
        PtyCommand::keyward(&vault.sandbox)?
            .size(SMALLEST.0, SMALLEST.1)
            .spawn()
    };

    let console = start()?;
    console.wait_for_text("The vault cannot be opened")?;
    wait_for_message(&console, "The database is damaged")?;
    wait_for_message(&console, "restore a copy")?;
    console.wait_for_text("Nothing was changed.")?;
    console.wait_for_text("try again")?;
    leave_from_trouble(console, "the database is damaged")?;
    assert_eq!(fs::read(&path)?, damaged, "a damaged file must not be written to");

    let console = start()?;
    console.wait_for_text("The vault cannot be opened")?;
    file.write_all_at(&intact, 0)?;
    console.type_text("r")?;
    console.wait_for_text("The vault is locked")?;
    unlock(&console)?;
    leave(console)?;
    nothing_is_lost(&vault, 2)
}

/// A console inside a mount namespace of its own, and what happens to its disk meanwhile.
struct OwnMounts<'a> {
    vault: &'a TestVault,
    console: Pty,
}

impl<'a> OwnMounts<'a> {
    /// `prepare` arranges the disk before the console starts. Each of `acts` waits for its turn, see [`Self::act`].
    fn start(vault: &'a TestVault, prepare: &str, acts: &[&str]) -> anyhow::Result<Self> {
        let mut background = String::new();
        for (number, act) in acts.iter().enumerate() {
            // Bounded, so that nothing runs on when the test fails.
            write!(
                background,
                "tries=0; until [ -e \"$TMPDIR/go{number}\" ] || [ $tries -ge 3000 ]; \
                 do sleep 0.04; tries=$((tries + 1)); done; {act}; : > \"$TMPDIR/done{number}\"; "
            )?;
        }
        let script = format!(
            "{{ {prepare}; }} || exit 99; {{ {background} }} < /dev/null > /dev/null 2>&1 & exec \"$BINARY\""
        );
        let mut arguments = vec!["--mount"];
        if !rustix::process::getuid().is_root() {
            arguments.push("--map-root-user");
        }
        arguments.extend(["sh", "-c", &script]);
        let console = PtyCommand::new(&vault.sandbox, Path::new("unshare"))
            .args(arguments)
            .env("BINARY", keyward_binary()?)
            .env("FOLDER", vault.sandbox.vault().parent().context("no folder")?)
            .size(SMALLEST.0, SMALLEST.1)
            .spawn()
            .context("unshare (of util-linux) is needed to make a read-only and a full disk")?;
        Ok(Self { vault, console })
    }

    /// Lets one act happen and waits until it has.
    fn act(&self, number: usize) -> anyhow::Result<()> {
        let file = |name: &str| self.vault.sandbox.path("tmp").join(format!("{name}{number}"));
        fs::write(file("go"), "")?;
        let done = file("done");
        wait::until_blocking(&format!("act {number}"), DEFAULT_BOUND, || {
            done.exists().then_some(())
        })
    }
}

#[test]
fn a_read_only_disk_is_named_and_the_vault_opens_once_it_can_be_written() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    let disk = OwnMounts::start(
        &vault,
        "mount --bind \"$FOLDER\" \"$FOLDER\" && mount -o remount,ro,bind \"$FOLDER\"",
        &["mount -o remount,rw,bind \"$FOLDER\""],
    )?;
    disk.console.wait_for_text("The vault cannot be opened")?;
    wait_for_message(&disk.console, "read-only")?;
    wait_for_message(&disk.console, "Check the permissions")?;
    disk.act(0)?;
    disk.console.type_text("r")?;
    disk.console.wait_for_text("The vault is locked")?;
    unlock(&disk.console)?;
    leave(disk.console)?;
    nothing_is_lost(&vault, 2)
}

#[test]
fn a_disk_that_fills_up_is_named_and_room_on_it_mends_it() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    // The vault is copied to a small disk of its own, which is filled to the last byte while the console is open.
    let prepare = "mkdir -p \"$TMPDIR/keep\" && cp -a \"$FOLDER/.\" \"$TMPDIR/keep\" \
         && mount -t tmpfs -o size=8m tmpfs \"$FOLDER\" && cp -a \"$TMPDIR/keep/.\" \"$FOLDER\"";
    let acts = ["cat /dev/zero > \"$FOLDER/filler\"", "rm \"$FOLDER/filler\""];
    let disk = OwnMounts::start(&vault, prepare, &acts)?;
    let console = &disk.console;
    console.wait_for_text("The vault is locked")?;
    unlock(console)?;
    disk.act(0)?;
    derive(console, "3000")?;
    wait_for_message(console, "The disk is full")?;
    wait_for_message(console, "Free some space and try again")?;
    disk.act(1)?;
    console.press(Key::Enter)?;
    console.wait_until_gone("The disk is full")?;
    console.wait_for_text("Wallets 2 ")?;
    derive(console, "3000")?;
    console.wait_for_text("Wallets 3,002")?;
    console.type_text("2v")?;
    console.wait_for_text("intact")?;
    leave(disk.console)?;
    // The disk in front of the vault went with the console; the vault behind it never saw any of this.
    nothing_is_lost(&vault, 2)
}

/// Asks for so many more wallets, from the list.
fn derive(console: &Pty, count: &str) -> anyhow::Result<()> {
    console.type_text("d")?;
    console.wait_for_text("Derive wallets")?;
    console.type_text(count)?;
    console.press(Key::Enter)
}

/// The write lock of the vault's database, held by somebody else.
async fn hold(vault: &TestVault) -> anyhow::Result<sqlx::SqliteConnection> {
    let url = format!("sqlite://{}", vault.sandbox.vault().display());
    let mut holder = sqlx::SqliteConnection::connect(&url).await?;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut holder).await?;
    Ok(holder)
}

async fn release(mut holder: sqlx::SqliteConnection) -> anyhow::Result<()> {
    sqlx::query("ROLLBACK").execute(&mut holder).await?;
    holder.close().await?;
    Ok(())
}

/// Waits for the window that names the other process, and closes it.
fn told_of_the_other_process(console: &Pty) -> anyhow::Result<()> {
    wait_for_message(console, "held by another process")?;
    wait_for_message(console, "try again in a moment")?;
    console.press(Key::Enter)?;
    console.wait_until_gone("try again in a moment")?;
    Ok(())
}

#[tokio::test]
async fn deriving_while_another_process_holds_the_database_can_be_tried_again() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    let console = open_unlocked(&vault, &[])?;
    let holder = hold(&vault).await?;
    derive(&console, "5")?;
    told_of_the_other_process(&console)?;
    // Reading goes on.
    console.press_all([Key::Down, Key::Enter])?;
    console.wait_for_text("scan to pay")?;
    console.press(Key::Esc)?;
    console.wait_for_text("Wallets 2 ")?;
    release(holder).await?;
    derive(&console, "5")?;
    console.wait_for_text("Wallets 7 ")?;
    leave(console)?;
    nothing_is_lost(&vault, 7)
}

#[tokio::test]
async fn a_label_that_could_not_be_stored_is_not_typed_again() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    let console = open_unlocked(&vault, &[])?;
    let holder = hold(&vault).await?;
    console.type_text("e")?;
    console.wait_for_text("empty takes the label away")?;
    console.type_text("treasury of the house")?;
    console.press(Key::Enter)?;
    told_of_the_other_process(&console)?;
    // What was typed stands there again, ready to be stored.
    console.wait_for_text("treasury of the house")?;
    release(holder).await?;
    console.press(Key::Enter)?;
    console.wait_for_text("label saved")?;
    leave(console)?;
    let shown = vault
        .cli(&format!("wallets show {FIRST_ADDRESS} --json"))?
        .success()?;
    ensure!(shown.stdout.contains("treasury of the house"), "{shown}");
    nothing_is_lost(&vault, 2)
}

#[tokio::test]
async fn unlocking_while_another_process_holds_the_database_can_be_tried_again() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    let console = super::open(&vault, &[])?;
    let holder = hold(&vault).await?;
    console.type_text(crate::vault::PASSWORD)?;
    console.press(Key::Enter)?;
    wait_for_message(&console, "held by another process")?;
    wait_for_message(&console, "try again in a moment")?;
    release(holder).await?;
    unlock(&console)?;
    leave(console)?;
    nothing_is_lost(&vault, 2)
}
