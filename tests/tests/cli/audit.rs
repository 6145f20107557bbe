//! `keyward audit`: list, verify, checkpoint.

use std::fs;

use serde_json::Value;

use crate::fixture::{FIRST_ADDRESS, Vault, fails};

/// The lists below, each an entry; those refused for a wrong filter read nothing.
const LOOKS: u64 = 4;

#[test]
fn the_log_lists_filters_and_verifies() {
    let vault = Vault::new(2);
    vault.run("wallets label #0 one").success().unwrap();
    vault.run("sign-message #0 --message hello").success().unwrap();
    let all = vault.json("audit list");
    let total = all["total"].as_u64().unwrap();
    assert_eq!(all["entries"].as_array().unwrap().len() as u64, total);
    let sequences: Vec<u64> = all["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["sequence"].as_u64().unwrap())
        .collect();
    assert!(
        sequences.windows(2).all(|pair| pair[0] > pair[1]),
        "the newest first: {sequences:?}"
    );
    let oldest = vault.json("audit list --oldest-first --limit 1");
    assert_eq!(oldest["entries"][0]["sequence"], *sequences.last().unwrap());
    let signed = vault.json("audit list --outcome signed --wallet #0");
    assert_eq!(signed["total"], 1);
    assert_eq!(signed["entries"][0]["wallet"], FIRST_ADDRESS);
    assert_eq!(vault.json("audit list --wallet #1 --outcome signed")["total"], 0);
    fails(
        vault.locked("audit list --outcome nonsense"),
        10,
        "filter_unknown",
    );
    fails(
        vault.locked("audit list --operation nonsense"),
        10,
        "filter_unknown",
    );
    // No password is needed to look, nor to verify.
    let verified = vault
        .locked("audit verify --json")
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(verified["intact"], true);
    // Each look is in the log, the first one's page aside.
    assert_eq!(verified["entries"].as_u64().unwrap() - total, LOOKS, "{verified}");
    let looks = vault.json("audit list --operation read-audit --oldest-first --limit 1");
    assert_eq!(looks["entries"][0]["details"], "list: everything");
    assert_eq!(verified["root"].as_str().unwrap().len(), 64);
}

#[test]
fn a_kept_checkpoint_holds_the_log_to_its_past() {
    let vault = Vault::new(1);
    vault
        .run("audit checkpoint --out checkpoint.txt")
        .success()
        .unwrap();
    let file = vault.sandbox.home().join("checkpoint.txt");
    let note = fs::read_to_string(&file).unwrap();
    fails(
        vault.run("audit checkpoint --out checkpoint.txt"),
        8,
        "file_exists",
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), note);
    vault.run("wallets derive --count 3").success().unwrap();
    let verified = vault.json("audit verify --against checkpoint.txt");
    assert_eq!(verified["against_checkpoint"], true);
    assert!(verified["checkpoints"].as_u64().unwrap() >= 1, "{verified}");
    assert_eq!(verified["rows_counted"], false);
    // Counting the rows takes the key.
    assert_eq!(vault.json("audit verify --rows")["rows_counted"], true);
    fails(vault.locked("audit verify --rows"), 4, "password_missing");
    let printed = vault.run("audit checkpoint").success().unwrap();
    vault
        .locked("audit verify --against -")
        .stdin(printed.stdout)
        .success()
        .unwrap();
    fails(vault.locked("audit checkpoint"), 4, "password_missing");

    fails(
        vault.locked("audit verify --against -").stdin("nonsense"),
        10,
        "checkpoint_invalid",
    );
    // Another vault's checkpoint, though well made, is not this log's past.
    let other = Vault::new(1);
    let foreign = other.run("audit checkpoint").success().unwrap();
    fails(
        vault.locked("audit verify --against -").stdin(foreign.stdout),
        7,
        "checkpoint_mismatch",
    );
}

#[test]
fn filters_by_time_owner_and_failure_and_counts() {
    let vault = Vault::new(2);
    vault.run("sign-message #0 --message hello").success().unwrap();
    vault
        .run("wallets label #0")
        .arg("x".repeat(65))
        .exits(10)
        .unwrap();
    // Without a password these read the locked vault's log, which says so.
    let of = |words: &str| {
        vault
            .locked(words)
            .arg("--json")
            .success()
            .unwrap()
            .json()
            .unwrap()
    };
    assert_eq!(of("audit list --operation sign-message --from 24h")["total"], 2);
    assert_eq!(of("audit list --operation sign-message --until 24h")["total"], 0);
    assert_eq!(
        of("audit list --operation sign-message --owner nobody")["total"],
        0
    );
    let looks = of("audit list --operation read-audit");
    assert_eq!(looks["total"], 3);
    for entry in looks["entries"].as_array().unwrap() {
        assert_eq!(
            (&entry["reason"], &entry["client_address"]),
            (&Value::from("locked"), &Value::Null)
        );
    }
    let unlocks = of("audit list --operation unlock --limit 1");
    assert_eq!(
        unlocks["entries"][0]["client_address"].as_str().unwrap().len(),
        64
    );
    let failures = of("audit list --failures --from 24h");
    for entry in failures["entries"].as_array().unwrap() {
        assert!(
            ["refused", "failed"].contains(&entry["outcome"].as_str().unwrap()),
            "{entry}"
        );
    }
    let counts = of("audit counts --operation sign-message --from 1h");
    assert_eq!(counts["total"], 2);
    assert_eq!(
        counts["counts"],
        serde_json::json!([
            { "operation": "sign-message", "outcome": "authorised", "count": 1 },
            { "operation": "sign-message", "outcome": "signed", "count": 1 },
        ])
    );
    fails(vault.locked("audit list --from yesterday"), 10, "time_invalid");
}

#[test]
fn a_proof_is_checked_without_any_vault() {
    let vault = Vault::new(1);
    let keys = vault.locked("audit keys").success().unwrap().stdout;
    vault.run("audit checkpoint --out may.txt").success().unwrap();
    vault.run("sign-message #0 --message hello").success().unwrap();
    vault.run("audit checkpoint --out june.txt").success().unwrap();
    vault
        .locked("audit prove --from may.txt --to june.txt --out growth.txt")
        .success()
        .unwrap();
    vault
        .locked("audit prove --entry 2 --to may.txt --out entry.txt")
        .success()
        .unwrap();
    // Somewhere else, where there is no vault.
    let elsewhere = keyward_tests::sandbox::Sandbox::new().unwrap();
    for name in ["may.txt", "june.txt", "growth.txt", "entry.txt"] {
        let text = fs::read_to_string(vault.sandbox.home().join(name)).unwrap();
        elsewhere.write(&format!("home/{name}"), &text).unwrap();
    }
    let check = |words: &str| {
        crate::fixture::keyward(&elsewhere, words)
            .arg("--key")
            .arg(keys.trim())
    };
    let home = elsewhere.home();
    let at = |name: &str| home.join(name).display().to_string();
    let (may, june, growth, entry) = (at("may.txt"), at("june.txt"), at("growth.txt"), at("entry.txt"));
    let held = check(&format!(
        "audit check-proof --proof {growth} --from {may} --to {june} --json"
    ));
    let held = held.success().unwrap().json().unwrap();
    assert_eq!(
        (&held["holds"], &held["kind"]),
        (&Value::from(true), &Value::from("growth"))
    );
    let held = check(&format!("audit check-proof --proof {entry} --to {may} --json"));
    let held = held.success().unwrap().json().unwrap();
    assert_eq!(
        (&held["sequence"], &held["kind"]),
        (&Value::from(2), &Value::from("entry"))
    );
    for words in [
        format!("audit check-proof --proof {growth} --from {june} --to {june}"),
        format!("audit check-proof --proof {growth} --from {may} --to {may}"),
        format!("audit check-proof --proof {entry} --to {june}"),
        format!("audit check-proof --proof {entry} --from {may} --to {june}"),
    ] {
        fails(check(&words), 7, "proof_mismatch");
    }
    let other = Vault::new(0);
    let foreign = other.locked("audit keys").success().unwrap().stdout;
    let words = format!("audit check-proof --proof {entry} --to {may}");
    let run = crate::fixture::keyward(&elsewhere, &words)
        .arg("--key")
        .arg(foreign.trim());
    fails(run, 7, "checkpoint_mismatch");
    fails(
        crate::fixture::keyward(&elsewhere, &words).args(["--key", "keyward/x"]),
        10,
        "key_invalid",
    );
    fails(
        check(&format!("audit check-proof --proof {may} --to {may}")),
        10,
        "proof_invalid",
    );
}

#[test]
fn an_export_has_every_leaf_and_ends_with_the_checkpoint_over_them() {
    let vault = Vault::new(1);
    vault.run("audit export --out audit.jsonl").success().unwrap();
    let file = vault.sandbox.home().join("audit.jsonl");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let text = fs::read_to_string(&file).unwrap();
    let mut lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let note = lines.pop().unwrap()["checkpoint"].as_str().unwrap().to_owned();
    let signed: keyward_core::audit::SignedCheckpoint = note.parse().unwrap();
    let mut tree = keyward_core::audit::Frontier::new();
    for line in &lines {
        assert_eq!(line["sequence"], tree.size());
        let leaf = hex::decode(line["leaf_hash"].as_str().unwrap()).unwrap();
        tree.push(leaf.try_into().unwrap());
    }
    assert_eq!(
        (signed.unverified().size, signed.unverified().root),
        (tree.size(), tree.root())
    );
    fails(vault.run("audit export --out audit.jsonl"), 8, "file_exists");
    fails(
        vault.locked("audit export --out other.jsonl"),
        4,
        "password_missing",
    );
    assert!(!vault.sandbox.home().join("other.jsonl").exists());
    let printed = vault
        .run("audit export --operation create-vault --out -")
        .success()
        .unwrap();
    assert_eq!(printed.stdout.lines().count(), 2, "{printed}");
    // Nothing is old enough yet.
    assert_eq!(vault.json("audit redact")["redacted"], 0);
}
