//! What opens a vault and what is in it: recovery key, rotation, wallets' own passwords, the whole vault as a file.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::thread;

use keyward_tests::sandbox::Sandbox;
use serde_json::{Value, json};

use crate::fixture::{FIRST_ADDRESS, OTHER_PASSWORD, PASSWORD, PHRASE, Vault, fails, keyward};

fn is_private(path: &Path) -> bool {
    fs::metadata(path).unwrap().permissions().mode() & 0o777 == 0o600
}

#[test]
fn a_recovery_key_sets_a_new_password() {
    let vault = Vault::new(1);
    assert_eq!(vault.json("vault status")["recovery"], false);
    let recovery = vault.sandbox.path("recovery.txt");
    let add = format!("vault recovery add --out {}", recovery.display());
    fails(vault.run("vault recovery add"), 2, "recovery_out_missing");
    let wrong = vault.sandbox.write("wrong", OTHER_PASSWORD).unwrap();
    let run = keyward(&vault.sandbox, &add).arg("--password-file").arg(&wrong);
    fails(run, 4, "wrong_password");
    assert!(!recovery.exists(), "what failed left a file");
    let answer = vault.json(&add);
    assert!(answer.get("recovery_key").is_none(), "{answer}");
    assert!(is_private(&recovery));
    assert_eq!(vault.json("vault status")["recovery"], true);
    fails(vault.run(&add), 8, "file_exists");

    let recover = format!(
        "vault recover --recovery-key-file {} --new-password-file {}",
        recovery.display(),
        wrong.display()
    );
    let answer = vault
        .locked(&recover)
        .arg("--json")
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(answer["changed"], true);
    fails(vault.run("wallets label #0 treasury"), 4, "wrong_password");
    let run = keyward(&vault.sandbox, "wallets label #0 treasury --password-file").arg(&wrong);
    run.success().unwrap();

    let text = fs::read_to_string(&recovery).unwrap();
    let run = |text: &str| {
        let run = keyward(
            &vault.sandbox,
            "vault recover --recovery-key-file - --new-password-file",
        );
        run.arg(&vault.password_file).stdin(text)
    };
    let first = text.chars().next().unwrap();
    let mistyped = text.replacen(first, if first == '0' { "1" } else { "0" }, 1);
    for typed in [mistyped.as_str(), "", "hello"] {
        let output = run(typed).run().unwrap();
        assert_eq!(output.code(), Some(10), "{output}");
    }
    // Groups and case are the person's own.
    run(&text.replace('-', " ").to_lowercase()).success().unwrap();
    vault.json("vault recovery remove");
    fails(run(&text), 4, "wrong_recovery_key");
    fails(vault.run("vault recovery remove"), 10, "invalid");
}

#[test]
fn a_rotation_keeps_everything_and_replaces_the_recovery_key() {
    let vault = Vault::new(3);
    assert_eq!(vault.json("vault status")["epoch"], 1);
    let answer = vault.json("vault rotate");
    assert_eq!((&answer["epoch"], &answer["records"]), (&2.into(), &4.into()));
    assert!(answer["recovery_file"].is_null());
    let old = vault.sandbox.path("old.txt");
    vault.json(&format!("vault recovery add --out {}", old.display()));
    fails(vault.run("vault rotate"), 2, "recovery_out_missing");
    assert_eq!(vault.json("vault status")["epoch"], 2);
    let new = vault.sandbox.path("new.txt");
    let answer = vault.json(&format!("vault rotate --out {}", new.display()));
    assert_eq!(answer["epoch"], 3);
    assert!(is_private(&new));
    let recover = |file: &Path| {
        keyward(&vault.sandbox, "vault recover --new-password-file")
            .arg(&vault.password_file)
            .arg("--recovery-key-file")
            .arg(file)
    };
    fails(recover(&old), 4, "wrong_recovery_key");
    recover(&new).success().unwrap();
    assert_eq!(vault.json("sign-message #2 --message hello")["length"], 5);
    assert_eq!(vault.json("audit verify")["intact"], true);
}

#[test]
fn a_wallets_own_password_is_set_changed_and_removed() {
    let vault = Vault::new(1);
    let file = |name: &str, content: &str| vault.sandbox.write(name, content).unwrap().display().to_string();
    let (one, two) = (
        file("one", "hazel-orbit-candle-57"),
        file("two", "walnut-meadow-spark-38"),
    );
    let set = format!("wallets password set #0 --new-wallet-password-file {one}");
    assert_eq!(vault.json(&set)["wallet"]["own_password"], true);
    fails(vault.run(&set), 10, "wallet_password_there");
    let change = |old: &str| {
        let words = format!(
            "wallets password change #0 --wallet-password-file {old} --new-wallet-password-file {two}"
        );
        vault.run(&words)
    };
    fails(change(&two), 4, "wrong_wallet_password");
    change(&one).success().unwrap();
    let remove = |old: &str| {
        vault.run(&format!(
            "wallets password remove #0 --wallet-password-file {old}"
        ))
    };
    fails(remove(&one), 4, "wrong_wallet_password");
    remove(&two).success().unwrap();
    assert_eq!(vault.json("wallets show #0")["wallet"]["own_password"], false);
    fails(remove(&two), 10, "wallet_password_none");
    let weak = file("weak", "short");
    let run = vault.run(&format!(
        "wallets password set #0 --new-wallet-password-file {weak}"
    ));
    fails(run, 10, "weak_password");
}

#[test]
fn an_import_that_comes_second_leaves_the_vault_alone() {
    let vault = Vault::new(1);
    let out = vault.sandbox.path("backup.keyward");
    vault.json(&format!("vault export --out {}", out.display()));

    let other = Sandbox::new().unwrap();
    let pipe = other.path("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let import = keyward(&other, "vault import").arg(&out);
    let import = import.arg("--password-file").arg(&pipe);
    let import = thread::spawn(move || fails(import, 10, "already_initialised"));
    // It opens once the import does, which then waits for its password.
    let mut waiting = fs::File::options().write(true).open(&pipe).unwrap();
    let password = other.write("password", OTHER_PASSWORD).unwrap();
    let init = keyward(&other, "init --import - --kdf scrypt-16384 --password-file").arg(&password);
    init.stdin(PHRASE).success().unwrap();
    // It may have looked late and be gone by now.
    let _ = waiting.write_all(PASSWORD.as_bytes());
    drop(waiting);
    import.join().unwrap();
    let sign = keyward(&other, "sign-message #0 --message hello --password-file").arg(&password);
    sign.success().unwrap();
}

#[test]
fn a_vault_leaves_as_one_file_and_comes_back() {
    let vault = Vault::new(2);
    vault.json("wallets label #1 treasury");
    let out = vault.sandbox.path("backup.keyward");
    let export = format!("vault export --out {}", out.display());
    vault.json(&export);
    assert!(is_private(&out));
    fails(vault.run(&export), 8, "file_exists");
    // Nothing of it can be read without the password.
    let bytes = fs::read(&out).unwrap();
    assert!(!bytes.windows(8).any(|window| window == b"treasury"));

    let other = Sandbox::new().unwrap();
    let right = other.write("right", PASSWORD).unwrap();
    let wrong = other.write("wrong", OTHER_PASSWORD).unwrap();
    let import = |password: &Path, file: &Path| {
        keyward(&other, "vault import")
            .arg(file)
            .arg("--password-file")
            .arg(password)
    };
    fails(import(&wrong, &out), 4, "wrong_password");
    assert!(!other.vault().exists(), "what failed left a database");
    let cut = other.write("cut.keyward", &bytes[..bytes.len() - 1]).unwrap();
    fails(import(&right, &cut), 4, "wrong_password");
    let none = other.write("none.keyward", "hello").unwrap();
    fails(import(&right, &none), 10, "vault_file_invalid");
    assert!(!other.vault().exists(), "what failed left a database");
    let answer = import(&right, &out)
        .arg("--json")
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(answer["wallet_count"], 2);
    fails(import(&right, &out), 10, "already_initialised");
    let show = keyward(&other, "wallets show #0 --json")
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(show["wallet"]["address"], FIRST_ADDRESS);
    let signed = |sandbox: &Sandbox| {
        let run = keyward(sandbox, "sign-message treasury --message hello --password-file");
        run.arg(&vault.password_file).success().unwrap().stdout
    };
    assert_eq!(signed(&other), signed(&vault.sandbox));

    // A file with a password of its own opens with that one alone.
    let password = vault.sandbox.write("own", OTHER_PASSWORD).unwrap();
    let own = vault.sandbox.path("own.keyward");
    let words = format!(
        "vault export --out {} --new-password-file {}",
        own.display(),
        password.display()
    );
    vault.json(&words);
    let third = Sandbox::new().unwrap();
    let run = keyward(&third, "vault import").arg(&own).arg("--password-file");
    run.arg(&password).success().unwrap();
    // As a key file it is refused, with the way to bring it in.
    fails(vault.run("import").arg(&own), 10, "keyward_vault_file");
}

/// Made by the core alone, as the browser package makes them.
const WITHOUT_POLICY: &[u8] = include_bytes!("../../../wasm/tests/fixtures/native.keyward");
const WITH_POLICY: &[u8] = include_bytes!("../../../wasm/tests/fixtures/policy.keyward");
const FIXTURE_PASSWORD: &str = "correct horse battery staple";

/// What the rule of this name holds to.
fn limits_of(sandbox: &Sandbox, rule: &str) -> Value {
    let run = keyward(sandbox, "policy show --json").success().unwrap();
    let policy = run.json().unwrap();
    let rules = policy["policy"]["rules"].as_array().unwrap();
    rules
        .iter()
        .find(|own| own["name"] == rule)
        .map_or(Value::Null, |own| own["limits"].clone())
}

#[test]
fn a_vault_without_a_policy_gets_the_one_that_init_writes() {
    for (options, sol, evm) in [
        ("", "1.000000000", Value::Null),
        (
            "--max-sol 0.25 --max-coin 2 --max-coin-fee 0.5",
            "0.250000000",
            json!({"evm_units_per_transaction": "2000000000000000000", "max_fee_wei": "500000000000000000"}),
        ),
    ] {
        let sandbox = Sandbox::new().unwrap();
        let password = sandbox.write("password", FIXTURE_PASSWORD).unwrap();
        let file = sandbox.write("web.keyward", WITHOUT_POLICY).unwrap();
        let import = || {
            let run = keyward(&sandbox, &format!("vault import {options}")).arg(&file);
            run.arg("--password-file").arg(&password)
        };
        let text = import().success().unwrap().stdout;
        assert!(text.contains("the file had none"), "{text}");
        assert!(
            text.contains(&format!(" {sol} SOL a transaction at most")),
            "{text}"
        );
        let evm_text = if evm.is_null() {
            "no transactions are signed"
        } else {
            "2 of a chain's coin"
        };
        assert!(text.contains(evm_text), "{text}");
        fails(import(), 10, "already_initialised");

        // It is the policy of a new vault with these options.
        let fresh = Sandbox::new().unwrap();
        let init = keyward(
            &fresh,
            &format!("init --import - --kdf scrypt-16384 {options} --password-file"),
        );
        init.arg(&password).stdin(PHRASE).success().unwrap();
        let policy = |sandbox: &Sandbox| keyward(sandbox, "policy show --json").success().unwrap().stdout;
        assert_eq!(policy(&sandbox), policy(&fresh));
        assert_eq!(limits_of(&sandbox, "evm-transfers"), evm);
        assert_ne!(limits_of(&sandbox, "sol-transfers"), Value::Null);

        let run = keyward(&sandbox, "audit list --json --password-file").arg(&password);
        let log: Value = run.success().unwrap().json().unwrap();
        let entry = log["entries"]
            .as_array()
            .unwrap()
            .iter()
            .find(|own| own["operation"] == "restore");
        let details = entry.unwrap()["details"].as_str().unwrap();
        assert!(details.contains("had no policy"), "{details}");
        // The policy's signature is verified before anything is signed.
        let sign = keyward(&sandbox, "sign-message #0 --message hello --password-file");
        sign.arg(&password).success().unwrap();
    }
}

#[test]
fn limits_for_a_file_with_a_policy_are_refused_before_anything_is_written() {
    let sandbox = Sandbox::new().unwrap();
    let password = sandbox.write("password", FIXTURE_PASSWORD).unwrap();
    let with = sandbox.write("policy.keyward", WITH_POLICY).unwrap();
    let without = sandbox.write("web.keyward", WITHOUT_POLICY).unwrap();
    let import = |file: &Path, options: &str| {
        let run = keyward(&sandbox, &format!("vault import {options}")).arg(file);
        run.arg("--password-file").arg(&password)
    };
    for option in [
        "--max-sol 1",
        "--max-tokens 1000",
        "--max-priority-fee 0.001",
        "--max-coin 1 --max-coin-fee 1",
    ] {
        let error = fails(import(&with, option), 2, "policy_in_file");
        let remedy = error["remedy"].as_str().unwrap();
        assert!(remedy.contains(option.split(' ').next().unwrap()), "{remedy}");
    }
    for file in [&with, &without] {
        fails(import(file, "--max-sol much"), 10, "amount_invalid");
        import(file, "--max-coin 1").exits(2).unwrap();
    }
    assert!(!sandbox.vault().exists(), "what failed left a database");

    let answer: Value = import(&with, "--json").success().unwrap().json().unwrap();
    assert_eq!(
        (&answer["policy"], &answer["wallet_count"]),
        (&json!("file"), &json!(3))
    );
    // The fixture's own, not the thousand of a new one.
    assert_eq!(
        limits_of(&sandbox, "token-transfers"),
        json!({"whole_tokens_per_transaction": 100})
    );
}

#[test]
fn settings_are_shown_set_with_the_password_and_held_to_their_range() {
    let vault = Vault::new(1);
    let shown = vault
        .locked("vault settings show --json")
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(shown["settings"]["max_wallets_per_owner"], 3);
    let set = vault.json("vault settings set max_wallets_per_owner=5 lockout_first_ms=1m");
    assert_eq!(set["settings"]["max_wallets_per_owner"], 5);
    assert_eq!(set["settings"]["lockout_first_ms"], 60_000);
    assert_eq!(vault.json("vault settings show"), set);
    fails(vault.run("vault settings set kept_keys=101"), 10, "invalid");
    for words in ["kept_keys", "kept_keys=many", "purge_grace_ms=30", "colour=3"] {
        fails(vault.run("vault settings set").arg(words), 2, "usage");
    }
    let wrong = vault.sandbox.write("wrong", "not the password 77").unwrap();
    let run = keyward(&vault.sandbox, "vault settings set kept_keys=1 --password-file");
    fails(run.arg(wrong), 4, "wrong_password");
    assert_eq!(vault.json("vault settings show"), set);
}
