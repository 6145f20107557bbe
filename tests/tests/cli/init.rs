//! `keyward init` and `keyward vault`: new words, imported ones, passwords, and what lands in files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use keyward_tests::sandbox::Sandbox;
use serde_json::Value;

use crate::fixture::{FIRST_ADDRESS, OTHER_PASSWORD, PASSWORD, PHRASE, Vault, fails, keyward};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn an_imported_phrase_gives_its_wallets() {
    let sandbox = Sandbox::new().unwrap();
    // The password on the first line, the phrase on the lines after it.
    let input = format!("{PASSWORD}\n{}\n", PHRASE.replace(' ', "\n"));
    let answer: Value = keyward(
        &sandbox,
        "init --password-file - --import - --kdf scrypt-16384 --wallets 3 --json",
    )
    .stdin(input)
    .success()
    .unwrap()
    .json()
    .unwrap();
    assert_eq!(answer["wallets"][0]["address"], FIRST_ADDRESS);
    assert_eq!(answer["wallet_count"], 3);
    assert_eq!(answer["words"], 12);
    assert_eq!(answer["kdf"], "scrypt-16384");
    assert_eq!(answer["family"], "bip44-change");
    assert_eq!(answer["second_factor"], false);
    assert_eq!(answer["phrase_file"], Value::Null);
    assert_eq!(mode(&sandbox.vault()), 0o600);
    assert_eq!(mode(sandbox.vault().parent().unwrap()), 0o700);
    let status = keyward(&sandbox, "vault status --json")
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(status["state"], "locked");
    assert_eq!(status["vault_id"], answer["vault_id"]);
    assert_eq!(status["wallet_count"], 3);
}

#[test]
fn new_words_go_into_a_private_file_that_gives_the_same_wallets() {
    for words in [12, 15, 18, 21, 24] {
        let sandbox = Sandbox::new().unwrap();
        let answer = keyward(
            &sandbox,
            "init --kdf scrypt-16384 --phrase-out phrase.txt --json --words",
        )
        .arg(words.to_string())
        .env("KEYWARD_MASTER_PASSWORD", PASSWORD)
        .success()
        .unwrap()
        .json()
        .unwrap();
        let file = sandbox.home().join("phrase.txt");
        assert_eq!(mode(&file), 0o600);
        let phrase = fs::read_to_string(&file).unwrap();
        assert_eq!(phrase.split(' ').count(), words);
        let derived = keyward(&sandbox, "derive --json")
            .stdin(phrase)
            .success()
            .unwrap()
            .json()
            .unwrap();
        assert_eq!(
            derived["addresses"][0]["address"],
            answer["wallets"][0]["address"]
        );
    }
}

#[test]
fn no_phrase_file_is_ever_overwritten() {
    let sandbox = Sandbox::new().unwrap();
    let existing = sandbox.write("phrase.txt", "somebody's words").unwrap();
    let init = |path: &Path| {
        keyward(&sandbox, "init --kdf scrypt-16384 --phrase-out")
            .arg(path)
            .env("KEYWARD_MASTER_PASSWORD", PASSWORD)
    };
    fails(init(&existing), 8, "file_exists");
    assert_eq!(fs::read_to_string(&existing).unwrap(), "somebody's words");
    // Nor is a file elsewhere, through a link.
    let link = sandbox.path("link");
    std::os::unix::fs::symlink(sandbox.path("elsewhere"), &link).unwrap();
    fails(init(&link), 8, "file_exists");
    assert!(!sandbox.path("elsewhere").exists());
    fails(init(&sandbox.path("no/such/folder")), 8, "file_unwritable");
    let status = keyward(&sandbox, "vault status --json")
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(status["state"], "empty", "no vault exists whose words nobody has");
}

#[test]
fn nothing_is_made_from_a_bad_beginning() {
    let sandbox = Sandbox::new().unwrap();
    let init = |words: &str| keyward(&sandbox, "init --kdf scrypt-16384").args(words.split_whitespace());
    let with = |words: &str| init(words).env("KEYWARD_MASTER_PASSWORD", PASSWORD);
    fails(with(""), 2, "phrase_out_missing");
    fails(with("--phrase-out p --words 13"), 10, "word_count");
    fails(with("--phrase-out p --family x"), 10, "family_unknown");
    fails(with("--phrase-out p --max-sol -1"), 2, "usage");
    fails(with("--phrase-out p --max-sol=-1"), 10, "amount_invalid");
    fails(
        with("--phrase-out p --max-sol 0.0000000001"),
        10,
        "amount_invalid",
    );
    fails(with("--phrase-out p --wallets 100001"), 2, "usage");
    fails(with("--import - --phrase-out p"), 2, "usage");
    fails(with("--import - --words 24"), 2, "usage");
    fails(with("--import -").stdin("abandon"), 10, "phrase_word_count");
    fails(with("--import missing"), 5, "file_unreadable");
    fails(
        with("--phrase-out p").env("KEYWARD_ENCRYPTION_KEY", "short"),
        4,
        "second_factor_invalid",
    );
    fails(init("--phrase-out p"), 4, "password_missing");
    fails(
        init("--phrase-out p").env("KEYWARD_MASTER_PASSWORD", "short"),
        10,
        "weak_password",
    );
    fails(
        init("--phrase-out p").env("KEYWARD_MASTER_PASSWORD", "password1234"),
        10,
        "weak_password",
    );
    fails(
        keyward(&sandbox, "init --kdf scrypt-1024 --phrase-out p").env("KEYWARD_MASTER_PASSWORD", PASSWORD),
        10,
        "kdf_invalid",
    );
    assert!(!sandbox.home().join("p").exists());
    let status = keyward(&sandbox, "vault status --json")
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(status["state"], "empty");
}

#[test]
fn a_vault_that_exists_is_left_alone() {
    let vault = Vault::new(1);
    let before = vault.json("vault status");
    fails(
        vault.run("init --import -").stdin(PHRASE),
        10,
        "already_initialised",
    );
    fails(
        vault.run("init --phrase-out other.txt"),
        10,
        "already_initialised",
    );
    assert!(!vault.sandbox.home().join("other.txt").exists());
    assert_eq!(vault.json("vault status"), before);
}

#[test]
fn the_password_can_be_changed_and_the_old_one_no_longer_opens() {
    let vault = Vault::new(1);
    let new = vault.sandbox.write("new", OTHER_PASSWORD).unwrap();
    let label = |name: &str| vault.locked("wallets label #0").arg(name);
    fails(
        label("a").env("KEYWARD_MASTER_PASSWORD", OTHER_PASSWORD),
        4,
        "wrong_password",
    );
    vault
        .run("vault password --new-password-file")
        .arg(&new)
        .success()
        .unwrap();
    fails(
        label("b").env("KEYWARD_MASTER_PASSWORD", PASSWORD),
        4,
        "wrong_password",
    );
    label("c")
        .env("KEYWARD_MASTER_PASSWORD", OTHER_PASSWORD)
        .success()
        .unwrap();
    // Both on standard input, one line each.
    vault
        .locked("vault password --password-file - --new-password-file -")
        .stdin(format!("{OTHER_PASSWORD}\n{PASSWORD}\n"))
        .success()
        .unwrap();
    label("d")
        .env("KEYWARD_MASTER_PASSWORD", PASSWORD)
        .success()
        .unwrap();
    let weak = vault.sandbox.write("weak", "password").unwrap();
    fails(
        vault.run("vault password --new-password-file").arg(weak),
        10,
        "weak_password",
    );
    vault.run("audit verify").success().unwrap();
}

#[test]
fn the_second_factor_is_asked_for_once_it_was_given() {
    let sandbox = Sandbox::new().unwrap();
    let factor = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    let run = |words: &str| keyward(&sandbox, words).env("KEYWARD_MASTER_PASSWORD", PASSWORD);
    let answer = run("init --import - --kdf scrypt-16384 --json")
        .env("KEYWARD_ENCRYPTION_KEY", factor)
        .stdin(PHRASE)
        .success()
        .unwrap();
    assert_eq!(answer.json().unwrap()["second_factor"], true);
    run("wallets label #0 x")
        .env("KEYWARD_ENCRYPTION_KEY", factor)
        .success()
        .unwrap();
    fails(run("wallets label #0 x"), 4, "second_factor_missing");
    fails(
        run("wallets label #0 x").env("KEYWARD_ENCRYPTION_KEY", factor.replace('f', "e")),
        4,
        "wrong_password",
    );
}

#[test]
fn the_vault_is_where_it_was_said_to_be() {
    let sandbox = Sandbox::new().unwrap();
    let at = |name: &str| sandbox.path(name).display().to_string();
    let init = || {
        keyward(&sandbox, "init --import - --kdf scrypt-16384")
            .env("KEYWARD_MASTER_PASSWORD", PASSWORD)
            .stdin(PHRASE)
    };
    init()
        .env("DATABASE_URL", format!("sqlite://{}", at("url.db")))
        .success()
        .unwrap();
    init()
        .env("DATABASE_URL", format!("sqlite://{}", at("url.db")))
        .env("KEYWARD_VAULT", at("env.db"))
        .success()
        .unwrap();
    init()
        .env("KEYWARD_VAULT", at("env.db"))
        .args(["--vault", &at("option.db")])
        .success()
        .unwrap();
    for name in ["url.db", "env.db", "option.db"] {
        assert!(sandbox.path(name).exists(), "{name}");
    }
    assert!(!sandbox.vault().exists());
    // Nobody listens on the first port.
    for (url, exit, code) in [
        (
            "postgres://keyward:canary-in-url@127.0.0.1:1/keyward",
            6,
            "database_unreachable",
        ),
        (
            "postgres://keyward:canary-in-url@host:port/keyward",
            10,
            "invalid",
        ),
        (
            "mysql://keyward:canary-in-url@db.example/keyward",
            10,
            "unsupported_store",
        ),
    ] {
        let error = fails(
            keyward(&sandbox, "vault status").env("DATABASE_URL", url),
            exit,
            code,
        );
        assert!(!error.to_string().contains("canary-in-url"), "{error}");
    }
}
