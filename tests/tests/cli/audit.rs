//! `keyward audit`: list, verify, checkpoint.

use std::fs;

use crate::fixture::{FIRST_ADDRESS, Vault, fails};

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
    assert_eq!(verified["entries"], total);
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
