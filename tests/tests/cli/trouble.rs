//! Files that are damaged, missing, foreign or closed: a clear message, its own exit code, nothing lost.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use keyward_tests::sandbox::Sandbox;

use crate::fixture::{PASSWORD, Vault, fails, keyward};

#[test]
fn looking_for_a_vault_makes_none() {
    let sandbox = Sandbox::new().unwrap();
    for words in [
        "wallets list",
        "wallets show #0",
        "audit verify",
        "policy show",
        "transfers list",
        "vault password",
    ] {
        let error = fails(keyward(&sandbox, words), 5, "not_initialised");
        assert!(
            error["remedy"].as_str().unwrap().contains("keyward init"),
            "{words}: {error}"
        );
    }
    assert_eq!(
        keyward(&sandbox, "vault status --json")
            .success()
            .unwrap()
            .json()
            .unwrap()["state"],
        "empty"
    );
    assert!(!sandbox.vault().exists());
}

#[test]
fn a_damaged_database_is_named_and_left_as_it_is() {
    let vault = Vault::new(50);
    let path = vault.sandbox.vault();
    let beside = |name: &str| path.with_file_name(name);
    assert!(
        !beside("keyward.db-wal").exists(),
        "a command leaves its database in one file"
    );
    let sound = fs::read(&path).unwrap();
    let check = |what: &str, content: &[u8]| {
        for companion in ["keyward.db-wal", "keyward.db-shm"] {
            fs::remove_file(beside(companion)).ok();
        }
        fs::write(&path, content).unwrap();
        for words in [
            "wallets list",
            "vault status",
            "audit verify",
            "wallets label #0 x",
        ] {
            let output = vault.run(words).arg("--json").run().unwrap();
            assert_eq!(output.code(), Some(8), "{what}, {words}: {output}");
            let error = crate::fixture::error_of(&output);
            assert_eq!(error["code"], "damaged", "{what}, {words}: {output}");
        }
        assert_eq!(fs::read(&path).unwrap(), content, "{what}: left for repair");
    };
    check(
        "not a database",
        b"this is a letter to my bank, not a database at all",
    );
    check("cut short", &sound[..sound.len() / 2]);
    let mut scribbled = sound.clone();
    scribbled[..4096].fill(0xa5);
    check("its first page overwritten", &scribbled);
    fs::write(&path, &sound).unwrap();
    assert_eq!(
        vault.json("wallets list")["total"],
        50,
        "the sound copy still opens"
    );
}

#[test]
fn wrong_passwords_are_counted_and_then_wait() {
    let vault = Vault::new(1);
    let attempt = |password: &str| {
        vault
            .locked("wallets label #0 x --json")
            .env("KEYWARD_MASTER_PASSWORD", password)
            .run()
            .unwrap()
    };
    let mut codes = Vec::new();
    for _ in 0..12 {
        let output = attempt("not-the-password-1");
        assert_eq!(output.code(), Some(4), "{output}");
        codes.push(
            crate::fixture::error_of(&output)["code"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
        if codes.last().is_some_and(|code| code == "locked_out") {
            break;
        }
    }
    assert_eq!(codes.first().map(String::as_str), Some("wrong_password"));
    assert_eq!(codes.last().map(String::as_str), Some("locked_out"), "{codes:?}");
    // The right one has to wait as well, in another process, and nothing tells it from a wrong one.
    let right = attempt(PASSWORD);
    assert_eq!(crate::fixture::error_of(&right)["code"], "locked_out");
}

#[test]
fn secrets_that_are_not_there_are_named() {
    let vault = Vault::new(1);
    let label = |source: &str| vault.locked("wallets label #0 x --password-file").arg(source);
    fails(label("missing"), 5, "file_unreadable");
    fails(label("-").stdin(""), 10, "secret_missing");
    fails(label("-").stdin("\n"), 10, "secret_missing");
    let two = vault
        .sandbox
        .write("two", format!("{PASSWORD}\n{PASSWORD}\n"))
        .unwrap();
    fails(label(two.to_str().unwrap()), 10, "secret_several_lines");
    let long = vault.sandbox.write("long", "x".repeat(5000)).unwrap();
    fails(label(long.to_str().unwrap()), 10, "too_long");
    let windows = vault.sandbox.write("windows", format!("{PASSWORD}\r\n")).unwrap();
    label(windows.to_str().unwrap()).success().unwrap();
    // A file wins over the environment.
    fails(
        label("missing").env("KEYWARD_MASTER_PASSWORD", PASSWORD),
        5,
        "file_unreadable",
    );
}

#[test]
fn a_shells_substitution_can_be_read_although_the_process_is_closed() {
    let vault = Vault::new(1);
    let keyward = keyward_tests::cli::keyward_binary().unwrap();
    let script = format!(
        "exec '{}' wallets label '#0' x --json --password-file <(printf %s '{PASSWORD}')",
        keyward.display()
    );
    let output = std::process::Command::new("bash")
        .arg("-c")
        .arg(script)
        .env_clear()
        .envs(vault.sandbox.environment())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn the_log_goes_to_a_private_file_and_nowhere_else() {
    let vault = Vault::new(1);
    let log = vault.sandbox.path("keyward.log");
    let quiet = vault
        .run("wallets label #0 x")
        .env("KEYWARD_LOG", &log)
        .success()
        .unwrap();
    assert_eq!(quiet.stderr, "");
    assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!fs::read_to_string(&log).unwrap().is_empty());
    let run = vault
        .run("wallets list")
        .env("KEYWARD_LOG", vault.sandbox.path("no/such/folder"));
    fails(run, 8, "log_unwritable");
    let run = vault
        .run("wallets list")
        .env("KEYWARD_LOG", &log)
        .env("KEYWARD_LOG_LEVEL", "loud");
    fails(run, 10, "log_level");
}
