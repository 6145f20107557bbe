//! Phrases, passphrases, passwords, factors and keys: in no file, no column, no log at trace level, and nowhere on the
//! screen but where the person asked to see them.

use std::fs;

use anyhow::{Context as _, ensure};
use keyward_core::amount::Lamports;
use keyward_core::derive::SolanaDeriver;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_tests::cli::Cli;
use keyward_tests::node::TestNode;
use keyward_tests::pty::{DEFAULT_BOUND, Key, Pty, PtyCommand, SMALLEST};
use keyward_tests::sandbox::Sandbox;

use secrets::{Secrets, holds, values};

#[path = "console_canary/secrets.rs"]
mod secrets;

/// Words that no screen uses for anything else.
const PHRASE: &str =
    "zebra quantum velvet walnut oxygen jaguar kangaroo umbrella dinosaur ginger lobster hamster";
const PASSPHRASE: &str = "Grüße-canary-5127";
const PASSWORD: &str = "tundra-violet-magnet-5082";
const NEXT_PASSWORD: &str = "copper-lantern-orchid-6630";
/// Refused for weakness.
const WEAK: &str = "canary-1234";
/// Typed once by mistake.
const MISTYPED: &str = "tundra-violet-magmet-5028";
const WRONG: &str = "meadow-falcon-tonic-9914";
/// The second factor, in hex.
const FACTOR: &str = "5ca1ab1e0ddba11fee1deadc0de5afe15ca1ab1e0ddba11fee1deadc0de5afe1";
/// No secret: the search must find it wherever labels are.
const LABEL: &str = "plain-sight-label";

fn start(sandbox: &Sandbox, factor: Option<&str>, arguments: &[&str]) -> anyhow::Result<Pty> {
    let mut command = PtyCommand::keyward(sandbox)?
        .args(arguments)
        .size(SMALLEST.0, SMALLEST.1)
        .env("KEYWARD_LOG", sandbox.path("log"))
        .env("KEYWARD_LOG_LEVEL", "trace");
    if let Some(factor) = factor {
        command = command.env("KEYWARD_ENCRYPTION_KEY", factor);
    }
    command.spawn()
}

fn leave(mut console: Pty) -> anyhow::Result<Pty> {
    console.press(Key::Ctrl('c'))?;
    console.press(Key::Ctrl('c')).ok();
    ensure!(
        console.wait_exit(DEFAULT_BOUND)?.success(),
        "{}",
        console.screen()
    );
    console.terminal_is_restored()?;
    Ok(console)
}

/// From the limits to the list, with every mistake that can be made on the way.
fn finish_first_run(console: &Pty) -> anyhow::Result<()> {
    console.wait_for_text("SOL in one transaction")?;
    console.press_all([Key::Enter; 3])?;
    console.wait_for_text("Nobody can reset it")?;
    console.type_text(WEAK)?;
    console.wait_for_text(" ! ")?;
    console.press_all(WEAK.chars().map(|_| Key::Backspace))?;
    console.type_text(PASSWORD)?;
    console.wait_for_text("Strong enough")?;
    console.press(Key::Enter)?;
    console.type_text(MISTYPED)?;
    console.press(Key::Enter)?;
    console.wait_for_text("The two differ")?;
    console.type_text(PASSWORD)?;
    console.press(Key::Enter)?;
    console.wait_for("the number of wallets", DEFAULT_BOUND, |screen| {
        screen.contains("step 5 of 5") || screen.contains("step 6 of 6")
    })?;
    console.press_all([Key::Backspace; 8])?;
    console.type_text("3")?;
    console.press(Key::Enter)?;
    listed(console)
}

/// Waits for the list with its rows.
fn listed(console: &Pty) -> anyhow::Result<()> {
    console.wait_for("the three wallets", DEFAULT_BOUND, |screen| {
        screen.contains("Wallets 3 ") && screen.rows().iter().filter(|row| row.contains("never")).count() == 3
    })?;
    Ok(())
}

/// Gives the first wallet its label.
fn label(console: &Pty) -> anyhow::Result<()> {
    console.type_text("e")?;
    console.wait_for_text("empty takes the label away")?;
    console.type_text(LABEL)?;
    console.press(Key::Enter)?;
    console.wait_for_text("label saved")?;
    Ok(())
}

/// Locks, is wrong twice, and unlocks.
fn lock_and_unlock(console: &Pty, password: &str) -> anyhow::Result<()> {
    console.press(Key::Ctrl('l'))?;
    console.wait_for_text("The vault is locked")?;
    for wrong in [WRONG, WEAK] {
        console.type_text(wrong)?;
        console.wait_for_text("••••")?;
        console.press(Key::Enter)?;
        console.wait_for_text("The vault did not open")?;
    }
    console.type_text(password)?;
    console.press(Key::Enter)?;
    listed(console)
}

/// Changes the password, after giving a wrong old one.
fn change_the_password(console: &Pty) -> anyhow::Result<()> {
    console.type_text("4")?;
    console.press_all([Key::End, Key::Enter])?;
    console.wait_for_text("Vault password")?;
    console.type_text(WRONG)?;
    console.press(Key::Enter)?;
    console.type_text(NEXT_PASSWORD)?;
    console.press(Key::Enter)?;
    console.wait_for_text("strong enough")?;
    console.type_text(NEXT_PASSWORD)?;
    console.press(Key::Enter)?;
    console.wait_for_text("The vault did not open")?;
    console.type_text(PASSWORD)?;
    console.press_all([Key::Enter; 3])?;
    console.wait_for_text("password was changed")?;
    console.type_text("1")?;
    listed(console)
}

/// Prepares a transfer that the policy refuses, and tries to sign it.
fn send_too_much(console: &Pty) -> anyhow::Result<()> {
    console.type_text("s#1\t")?;
    console.wait_for_text("✓ yours")?;
    console.type_text("20")?;
    console.press(Key::Enter)?;
    console.wait_for_text("Review: send")?;
    console.wait_for_text("refuse")?;
    console.type_text("y")?;
    console.wait_for_text("not signed: the policy refuses it")?;
    console.press(Key::Esc)?;
    console.wait_for_text("= 20.000000000 SOL")?;
    Ok(())
}

/// The secrets of the imported vault.
fn imported_secrets() -> anyhow::Result<Secrets> {
    let mut secrets = Secrets::default();
    secrets.phrase(PHRASE, PASSPHRASE)?;
    secrets.text("the passphrase", PASSPHRASE);
    secrets.text("the passphrase, normalised", "Gru\u{308}ße-canary-5127");
    secrets.text("the password", PASSWORD);
    secrets.text("the new password", NEXT_PASSWORD);
    secrets.text("a weak password", WEAK);
    secrets.text("a mistyped password", MISTYPED);
    secrets.text("a wrong password", WRONG);
    secrets.bytes("the second factor", &hex::decode(FACTOR)?);
    Ok(secrets)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_an_imported_phrase_is_stored_logged_or_drawn() -> anyhow::Result<()> {
    let secrets = imported_secrets()?;
    let seed = Mnemonic::parse(PHRASE)?.to_seed(PASSPHRASE);
    let first = SolanaDeriver::new(&seed, PathFamily::Bip44Change)?.derive_chunk(0, 1)?[0].address;
    let node = TestNode::start()?;
    node.fund(&first, Lamports::new(30_000_000_000)).await?;
    let sandbox = Sandbox::new()?;

    let console = start(&sandbox, Some(FACTOR), &["--rpc", &node.rpc_url])?;
    console.wait_for_text("Import a phrase")?;
    console.press_all([Key::Down, Key::Enter])?;
    console.wait_for_text("step 1 of 5")?;
    console.paste(PHRASE)?;
    console.wait_for_text("12 words")?;
    console.press(Key::Enter)?;
    console.wait_for_text("Its first addresses")?;
    console.type_text(PASSPHRASE)?;
    console.wait_for_text(&first.to_string())?;
    console.press(Key::Enter)?;
    finish_first_run(&console)?;
    label(&console)?;
    lock_and_unlock(&console, PASSWORD)?;
    change_the_password(&console)?;
    lock_and_unlock(&console, NEXT_PASSWORD)?;
    send_too_much(&console)?;

    // While it runs, the journal holds what is not in the database's own file yet.
    secrets.are_not_stored(&sandbox).await?;
    let console = leave(console)?;
    secrets.are_not_stored(&sandbox).await?;
    secrets.were_not_drawn_by(&console)?;
    // Not even one word by itself, but the last one, behind which the cursor stood.
    for word in PHRASE.split(' ').take(11) {
        ensure!(!console.has_drawn(word.as_bytes()), "the word {word} was drawn");
    }
    from_outside(&sandbox, &secrets).await?;

    // The same searches find what is no secret.
    ensure!(console.has_drawn(LABEL.as_bytes()), "the label was never drawn");
    let stored = fs::read(sandbox.vault())?;
    ensure!(
        holds(&stored, LABEL.as_bytes()),
        "the label is not in the database's file"
    );
    let mut plain = Secrets::default();
    plain.text("label", LABEL);
    ensure!(plain.are_not_stored(&sandbox).await.is_err() && plain.were_not_drawn_by(&console).is_err());
    ensure!(
        values(&sandbox.vault())
            .await?
            .iter()
            .any(|(place, value)| { place == "wallets.label" && value == LABEL.as_bytes() })
    );
    let log = fs::read_to_string(sandbox.path("log"))?;
    ensure!(log.contains("done"), "nothing was logged: {log:?}");
    Ok(())
}

/// The same vault by the command line: what it prints, stores and logs.
async fn from_outside(sandbox: &Sandbox, secrets: &Secrets) -> anyhow::Result<()> {
    let run = |words: &str, password: &str, code: i32| -> anyhow::Result<()> {
        let output = Cli::new(sandbox)?
            .args(words.split(' '))
            .args(["--password-file", "-"])
            .stdin(password)
            .env("KEYWARD_ENCRYPTION_KEY", FACTOR)
            .env("KEYWARD_LOG", sandbox.path("log"))
            .env("KEYWARD_LOG_LEVEL", "trace")
            .env("RUST_BACKTRACE", "full")
            .exits(code)?;
        secrets.are_not_in(&format!("what {words:?} printed"), output.to_string().as_bytes())
    };
    run("wallets list --json", NEXT_PASSWORD, 0)?;
    run("wallets show #0", NEXT_PASSWORD, 0)?;
    run("wallets derive --count 2", NEXT_PASSWORD, 0)?;
    run("sign-message #0 --message hello", NEXT_PASSWORD, 0)?;
    run("audit list --json", NEXT_PASSWORD, 0)?;
    run("audit checkpoint", NEXT_PASSWORD, 0)?;
    run("wallets derive --count 2 --json", WRONG, 4)?;
    run("wallets derive --count 2", WEAK, 4)?;
    secrets.are_not_stored(sandbox).await
}

/// The words as they stand on the screen, each behind its number.
fn shown_words(console: &Pty) -> anyhow::Result<Vec<String>> {
    let screen = console.wait_for("all twelve words", DEFAULT_BOUND, |screen| {
        screen.contains("Shown.") && words_of(&screen.text()).len() == 12
    })?;
    Ok(words_of(&screen.text()))
}

fn words_of(text: &str) -> Vec<String> {
    let mut found = std::collections::BTreeMap::new();
    let mut number = None;
    for piece in text.split_whitespace() {
        match (piece.parse::<usize>(), number) {
            (Ok(next), _) => number = Some(next),
            (Err(_), Some(at)) if keyward_core::mnemonic::is_word(piece) => {
                found.insert(at, piece.to_owned());
                number = None;
            }
            (Err(_), _) => number = None,
        }
    }
    found.into_values().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_phrase_is_shown_when_asked_for_and_nowhere_else() -> anyhow::Result<()> {
    let sandbox = Sandbox::new()?;
    let console = start(&sandbox, None, &[])?;
    console.wait_for_text("Create a new phrase")?;
    console.press(Key::Enter)?;
    console.wait_for_text("step 1 of 6")?;
    console.press(Key::Enter)?;
    console.wait_for_text("Hidden.")?;
    assert_eq!(
        words_of(&console.screen().text()).len(),
        0,
        "{}",
        console.screen()
    );
    console.type_text("v")?;
    let words = shown_words(&console)?;
    let mut secrets = Secrets::default();
    secrets.phrase(&words.join(" "), "")?;
    secrets.text("the password", PASSWORD);
    secrets.text("a weak password", WEAK);
    secrets.text("a mistyped password", MISTYPED);
    secrets.text("a wrong password", WRONG);
    // Shown because it was asked for: the search for drawn words finds each of them.
    for word in &words {
        ensure!(console.has_drawn(word.as_bytes()), "{word} was not drawn");
    }
    console.type_text("v")?;
    console.wait_for_text("Hidden.")?;
    console.wait_for("hidden words", DEFAULT_BOUND, |screen| {
        words_of(&screen.text()).is_empty()
    })?;
    console.press(Key::Enter)?;
    answer_the_questions(&console, &words)?;
    finish_first_run(&console)?;
    label(&console)?;
    secrets.are_not_stored(&sandbox).await?;
    leave(console)?;
    secrets.are_not_stored(&sandbox).await?;

    // In a run of its own nothing of it is drawn again, wherever one goes.
    let console = start(&sandbox, None, &[])?;
    console.wait_for_text("The vault is locked")?;
    console.type_text(PASSWORD)?;
    console.press(Key::Enter)?;
    console.wait_for_text(LABEL)?;
    lock_and_unlock(&console, PASSWORD)?;
    for (keys, shows) in [
        ("\r", "scan to pay"),
        ("2v", "intact"),
        ("4", "RPC endpoint"),
        ("3", "Jobs"),
        ("1", LABEL),
    ] {
        console.type_text(keys)?;
        console.wait_for_text(shows)?;
    }
    let console = leave(console)?;
    secrets.were_not_drawn_by(&console)?;
    ensure!(console.has_drawn(LABEL.as_bytes()), "the label was never drawn");
    secrets.are_not_stored(&sandbox).await
}

/// Types the words that are asked back.
fn answer_the_questions(console: &Pty, words: &[String]) -> anyhow::Result<()> {
    let screen = console.wait_for_text("Three words, to be sure")?;
    for row in screen.rows() {
        let mut pieces = row.split_whitespace();
        if pieces.next() != Some("word") {
            continue;
        }
        let number: usize = pieces.next().context("no number")?.parse()?;
        console.type_text(words.get(number - 1).context("no such word")?)?;
        console.press(Key::Enter)?;
    }
    Ok(())
}

/// A key from elsewhere: the second account of the phrase "test … junk", as Hardhat publishes it.
const KEY: &str = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
const KEY_ADDRESS: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const OWN_PASSWORD: &str = "walnut-glacier-piano-3316";
const FILE_PASSWORD: &str = "saddle-comet-ribbon-7740";

/// Imports the key with a password of its own, and writes it into an encrypted file.
fn import_and_export(console: &Pty, sandbox: &Sandbox) -> anyhow::Result<()> {
    console.type_text("i")?;
    console.wait_for_text("1 where it is")?;
    console.paste(KEY)?;
    console.wait_for_text("••••")?;
    console.press(Key::Enter)?;
    console.wait_for_text("a key on either chain")?;
    console.press_all([Key::Right, Key::Enter])?;
    console.wait_for_text(KEY_ADDRESS)?;
    console.press_all([Key::Enter; 2])?;
    for _ in 0..2 {
        console.type_text(OWN_PASSWORD)?;
        console.press(Key::Enter)?;
    }
    console.wait_for_text("✓ added")?;
    console.press(Key::Enter)?;
    console.wait_for_text("imported")?;
    console.press_all([Key::End, Key::Enter])?;
    console.wait_for_text("its own, asked for to sign")?;
    console.type_text("x")?;
    console.wait_for_text("Ethereum keystore v3")?;
    console.press(Key::Enter)?;
    let path = sandbox.path("keystore.json").display().to_string();
    for text in [
        &path,
        PASSWORD,
        OWN_PASSWORD,
        FILE_PASSWORD,
        FILE_PASSWORD,
        "export",
    ] {
        console.type_text(text)?;
        console.press(Key::Enter)?;
    }
    console.wait_for_text("written to")?;
    console.press(Key::Enter)?;
    console.wait_for_text("its own, asked for to sign")?;
    console.press(Key::Esc)?;
    console.wait_for_text("Wallets 4")?;
    Ok(())
}

/// Makes a recovery key and looks at it; gives its groups.
fn make_a_recovery_key(console: &Pty) -> anyhow::Result<Vec<String>> {
    console.type_text("5")?;
    console.wait_for_text("no recovery key")?;
    console.press(Key::Enter)?;
    console.wait_for_text("14 groups")?;
    console.type_text(PASSWORD)?;
    console.press(Key::Enter)?;
    console.wait_for_text("Hidden. v shows it")?;
    console.type_text("v")?;
    let screen = console.wait_for_text("Shown.")?;
    let groups: Vec<String> = screen
        .rows()
        .iter()
        .filter(|row| row.split_whitespace().count() == 8)
        .flat_map(|row| {
            row.split_whitespace()
                .skip(1)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    ensure!(groups.len() == 14, "{screen}");
    console.type_text("v")?;
    console.wait_for_text("Hidden. v shows it")?;
    console.press(Key::Esc)?;
    console.wait_for_text("Leave without the recovery key?")?;
    console.type_text("y")?;
    console.wait_for_text("Take the recovery key away")?;
    Ok(groups)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_come_in_and_go_out_are_stored_and_drawn_nowhere() -> anyhow::Result<()> {
    let mut secrets = Secrets::default();
    secrets.phrase(PHRASE, "")?;
    secrets.bytes("the imported key", &hex::decode(KEY)?);
    for (name, text) in [
        ("the password", PASSWORD),
        ("the wallet's own password", OWN_PASSWORD),
        ("the file's password", FILE_PASSWORD),
    ] {
        secrets.text(name, text);
    }
    let sandbox = Sandbox::new()?;
    let console = start(&sandbox, None, &[])?;
    console.wait_for_text("Import a phrase")?;
    console.press_all([Key::Down, Key::Enter])?;
    console.wait_for_text("step 1 of 5")?;
    console.paste(PHRASE)?;
    console.wait_for_text("12 words")?;
    console.press(Key::Enter)?;
    console.wait_for_text("Its first addresses")?;
    console.press(Key::Enter)?;
    finish_first_run(&console)?;
    import_and_export(&console, &sandbox)?;
    // By mistake a key is pasted where transactions are read.
    console.type_text("6")?;
    console.wait_for_text("Shows what it does")?;
    console.paste(KEY)?;
    console.press(Key::Enter)?;
    console.wait_for_text("looks like a key or a phrase")?;
    console.press(Key::Esc)?;
    console.wait_for("the empty form", DEFAULT_BOUND, |screen| {
        !screen.contains("looks like a key")
    })?;
    console.press(Key::Esc)?;
    console.wait_for_text("Wallets 4")?;
    console.type_text("7")?;
    console.wait_for_text("Find a path")?;
    console.type_text(KEY_ADDRESS)?;
    console.press(Key::Enter)?;
    console.paste(PHRASE)?;
    console.press_all([Key::Enter; 3])?;
    console.wait_for_text("not found among")?;
    console.press(Key::Esc)?;
    console.wait_for_text("Wallets 4")?;
    secrets.were_not_drawn_by(&console)?;
    let groups = make_a_recovery_key(&console)?;
    ensure!(
        console.has_drawn(groups[3].as_bytes()),
        "it was shown because it was asked for"
    );
    secrets.text("the recovery key", &groups.join("-"));
    secrets.text("the recovery key, in one", &groups.concat());
    secrets.are_not_stored(&sandbox).await?;
    let console = leave(console)?;
    secrets.were_not_drawn_by(&console)?;
    secrets.are_not_stored(&sandbox).await?;
    // The same searches find what is no secret.
    ensure!(
        console.has_drawn(KEY_ADDRESS.as_bytes()),
        "the address was never drawn"
    );
    let keystore = fs::read(sandbox.path("keystore.json"))?;
    ensure!(holds(&keystore, b"aes-128-ctr"), "no keystore was written");
    Ok(())
}
