//! What a person at a terminal meets: hidden passwords, the words shown once and asked back, confirmations.

use std::time::Duration;

use keyward_core::amount::Lamports;
use keyward_tests::node::TestNode;
use keyward_tests::pty::{Key, PtyCommand};
use keyward_tests::sandbox::Sandbox;

use crate::fixture::{FIRST_ADDRESS, PASSWORD, PHRASE, SECOND_ADDRESS, Vault, keyward};

const BOUND: Duration = Duration::from_secs(60);

#[test]
fn a_typed_password_is_not_shown_and_may_be_mistyped() {
    let vault = Vault::new(1);
    let mut terminal = PtyCommand::keyward(&vault.sandbox)
        .unwrap()
        .args(["wallets", "label", "#0", "typed"])
        .spawn()
        .unwrap();
    terminal.wait_for_text("Password:").unwrap();
    terminal.type_text("not-the-password-1").unwrap();
    terminal.press(Key::Enter).unwrap();
    terminal.wait_for_text("Try again").unwrap();
    // A slip taken back with the backspace key, a multi-byte character at that.
    terminal.type_text(PASSWORD).unwrap();
    terminal.type_text("é").unwrap();
    terminal.press(Key::Backspace).unwrap();
    terminal.press(Key::Enter).unwrap();
    assert!(terminal.wait_exit(BOUND).unwrap().success());
    assert!(!terminal.has_drawn(PASSWORD.as_bytes()) && !terminal.has_drawn(b"not-the-password"));
    terminal.terminal_is_restored().unwrap();
    assert_eq!(vault.json("wallets show typed")["wallet"]["index"], 0);
}

#[test]
fn ctrl_c_at_a_password_leaves_the_terminal_as_it_was() {
    let vault = Vault::new(1);
    let mut terminal = PtyCommand::keyward(&vault.sandbox)
        .unwrap()
        .args(["wallets", "label", "#0", "x"])
        .spawn()
        .unwrap();
    terminal.wait_for_text("Password:").unwrap();
    terminal.press(Key::Ctrl('c')).unwrap();
    assert_eq!(terminal.wait_exit(BOUND).unwrap().exit_code(), 130);
    terminal.terminal_is_restored().unwrap();
}

#[test]
fn a_phrase_is_typed_unseen() {
    let sandbox = Sandbox::new().unwrap();
    let mut terminal = PtyCommand::keyward(&sandbox)
        .unwrap()
        .args(["derive"])
        .spawn()
        .unwrap();
    terminal.wait_for_text("Recovery phrase:").unwrap();
    terminal.type_text(PHRASE).unwrap();
    terminal.press(Key::Enter).unwrap();
    terminal.wait_for_text(FIRST_ADDRESS).unwrap();
    assert!(terminal.wait_exit(BOUND).unwrap().success());
    assert!(!terminal.has_drawn(b"abandon"));
}

#[test]
fn new_words_are_shown_once_and_asked_back() {
    let sandbox = Sandbox::new().unwrap();
    let password = sandbox.write("password", PASSWORD).unwrap();
    let mut terminal = PtyCommand::keyward(&sandbox)
        .unwrap()
        .args([
            "init",
            "--kdf",
            "scrypt-16384",
            "--password-file",
            password.to_str().unwrap(),
        ])
        .spawn()
        .unwrap();
    let shown = terminal
        .wait_for_text("Press Enter when they are written down")
        .unwrap();
    let words = words_on(&shown.text());
    assert_eq!(words.len(), 12, "{words:?}");
    assert!(!sandbox.vault().exists() || keyward(&sandbox, "vault status").success().is_ok());
    terminal.press(Key::Enter).unwrap();
    for asked in 0..3 {
        let screen = terminal
            .wait_for("a question for another word", BOUND, |screen| {
                screen.text().matches("Word ").count() == asked + 1
            })
            .unwrap();
        let position = asked_position(&screen.text());
        terminal.type_text(&words[position - 1]).unwrap();
        terminal.press(Key::Enter).unwrap();
    }
    assert!(terminal.wait_exit(BOUND).unwrap().success());
    terminal.terminal_is_restored().unwrap();
    let left = terminal.screen().text();
    assert!(
        !left.contains(&words[..3].join(" ")),
        "the words stay on no screen: {left}"
    );
    // They are this vault's words.
    let derived = keyward(&sandbox, "derive --json")
        .stdin(words.join(" "))
        .success()
        .unwrap()
        .json()
        .unwrap();
    let listed = keyward(&sandbox, "wallets list --json")
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(
        derived["addresses"][0]["address"],
        listed["wallets"][0]["address"]
    );
}

#[test]
fn words_that_are_not_given_back_make_no_vault() {
    let sandbox = Sandbox::new().unwrap();
    let password = sandbox.write("password", PASSWORD).unwrap();
    let mut terminal = PtyCommand::keyward(&sandbox)
        .unwrap()
        .args([
            "init",
            "--kdf",
            "scrypt-16384",
            "--password-file",
            password.to_str().unwrap(),
        ])
        .spawn()
        .unwrap();
    terminal
        .wait_for_text("Press Enter when they are written down")
        .unwrap();
    terminal.press(Key::Ctrl('c')).unwrap();
    assert_eq!(terminal.wait_exit(BOUND).unwrap().exit_code(), 130);
    terminal.terminal_is_restored().unwrap();
    let status = keyward(&sandbox, "vault status --json")
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(status["state"], "empty");
}

#[test]
fn a_derivation_shows_its_progress_and_stops_without_a_trace() {
    // On a quick machine the key may come after the last wallet; then all are there, and it is pressed in another one.
    assert!((0..TRIES).any(|_| was_stopped()), "it was never stopped in time");
}

const TRIES: u32 = 8;

/// Derives as many wallets as may be at once and presses Ctrl-C as soon as there is progress to see.
fn was_stopped() -> bool {
    let vault = Vault::new(1);
    let password = vault.password_file.to_str().unwrap();
    let mut terminal = PtyCommand::keyward(&vault.sandbox)
        .unwrap()
        .args([
            "wallets",
            "derive",
            "--count",
            "100000",
            "--password-file",
            password,
        ])
        .spawn()
        .unwrap();
    terminal.wait_for_text("of 100000 wallets").unwrap();
    terminal.press(Key::Ctrl('c')).unwrap();
    let code = terminal.wait_exit(BOUND).unwrap().exit_code();
    terminal.terminal_is_restored().unwrap();
    let stopped = code == 130;
    assert!(stopped || code == 0, "exit code {code}");
    assert_eq!(
        vault.json("wallets list")["total"],
        if stopped { 1 } else { 100_001 }
    );
    vault.run("audit verify").success().unwrap();
    stopped
}

#[test]
fn a_transfer_is_shown_before_it_is_agreed_to() {
    let node = TestNode::start().unwrap();
    let vault = Vault::new(2);
    node.fund_blocking(&FIRST_ADDRESS.parse().unwrap(), Lamports::new(10_000_000_000))
        .unwrap();
    let send = || {
        PtyCommand::keyward(&vault.sandbox)
            .unwrap()
            .args([
                "send",
                "--from",
                "#0",
                "--to",
                "#1",
                "--amount",
                "1.25",
                "--rpc",
                &node.rpc_url,
            ])
            .size(120, 40)
            .spawn()
            .unwrap()
    };
    let mut terminal = send();
    let screen = terminal.wait_for_text("Type yes to sign and send").unwrap();
    for expected in [
        "1.250000000 SOL",
        FIRST_ADDRESS,
        SECOND_ADDRESS,
        "+1.250000000 SOL",
        "allowed by",
        "fee",
    ] {
        assert!(screen.contains(expected), "{expected} is missing:\n{screen}");
    }
    terminal.type_text("y").unwrap();
    terminal.press(Key::Enter).unwrap();
    assert_eq!(
        terminal.wait_exit(BOUND).unwrap().exit_code(),
        130,
        "only yes is yes"
    );
    assert!(vault.audit("authorised").is_empty());

    let mut terminal = send();
    terminal.wait_for_text("Type yes to sign and send").unwrap();
    terminal.type_text("yes").unwrap();
    terminal.press(Key::Enter).unwrap();
    terminal.wait_for_text("Password:").unwrap();
    terminal.type_text(PASSWORD).unwrap();
    terminal.press(Key::Enter).unwrap();
    terminal
        .wait_for("the end of the transfer", BOUND, |screen| {
            screen.contains("confirmed in slot")
        })
        .unwrap();
    assert!(terminal.wait_exit(BOUND).unwrap().success());
    assert!(!terminal.has_drawn(PASSWORD.as_bytes()));
    assert_eq!(
        node.balance_blocking(&SECOND_ADDRESS.parse().unwrap()).unwrap(),
        Lamports::new(1_250_000_000)
    );
}

/// The words of the numbered columns, in their order.
fn words_on(screen: &str) -> Vec<String> {
    let cells: Vec<&str> = screen.split_whitespace().collect();
    let mut words = Vec::new();
    for pair in cells.windows(2) {
        if pair[0] == (words.len() + 1).to_string() {
            words.push(pair[1].to_owned());
        }
    }
    words
}

/// The number in the last "Word N:" on the screen.
fn asked_position(screen: &str) -> usize {
    let (_, after) = screen.rsplit_once("Word ").unwrap();
    after.split(':').next().unwrap().trim().parse().unwrap()
}
