//! `keyward book`: contacts by label, as CSV, and what only looks like one of them.

use serde_json::json;

use crate::fixture::{FIRST_ADDRESS, Vault, fails};

const SHOP: &str = "9n8nR1dSJGiFUDYMuHVVHkDQRU3wtZRDuWbJtDgXqyvJ";
/// The vault's first address with another character in the middle.
const FAKE: &str = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk";

fn fake() -> String {
    let mut text = FAKE.to_owned();
    text.replace_range(20..21, "2");
    text
}

#[test]
fn contacts_are_kept_by_label() {
    let vault = Vault::new(1);
    let added = vault
        .run("book add --json --note rent")
        .args(["corner shop", SHOP])
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(added["contact"]["label"], "corner shop");
    assert_eq!(added["contact"]["paid"], 0);
    fails(vault.run(&format!("book add other {SHOP}")), 10, "contact_exists");
    fails(vault.run("book add x nonsense"), 10, "address_invalid");
    fails(vault.run(&format!("book add #1 {FIRST_ADDRESS}")), 10, "invalid");
    let shown = vault.json(&format!("book show {SHOP}"));
    assert_eq!(shown["contact"]["note"], "rent");
    fails(vault.run("book show nobody"), 5, "not_found");
    let renamed = vault.json(&format!("book rename {SHOP} shop"));
    assert_eq!(renamed["contact"]["label"], "shop");
    assert_eq!(vault.json("book list --filter RENT")["total"], 1);
    assert_eq!(vault.json("book list --filter sent")["total"], 0);
    let plain = vault.locked("book list").success().unwrap();
    assert!(plain.stdout.contains(SHOP), "{plain}");
    assert_eq!(
        vault.json("book remove shop"),
        json!({ "removed": "shop", "address": SHOP })
    );
    assert_eq!(vault.json("book list")["total"], 0);
    assert_eq!(vault.json("audit list --operation change-book")["total"], 3);
}

#[test]
fn what_only_looks_like_a_wallet_is_refused_until_it_was_compared() {
    let vault = Vault::new(1);
    let fake = fake();
    let error = fails(vault.run(&format!("book add shop {fake}")), 3, "lookalike");
    assert!(
        error["message"].as_str().unwrap().contains(FIRST_ADDRESS),
        "{error}"
    );
    vault.json(&format!("book add shop {fake} --address-checked"));
    assert_eq!(vault.json("book list")["total"], 1);
}

#[test]
fn a_book_leaves_and_comes_back_as_csv() {
    let vault = Vault::new(1);
    let lines = format!("address,label,note\n{SHOP},\"Smith, \"\"Jo\"\"\",rent\n{FIRST_ADDRESS},till\n");
    let file = vault.sandbox.write("contacts.csv", &lines).unwrap();
    let run = |words: &str, file: &std::path::Path| vault.run(words).arg(file).arg("--json");
    let sum = run("book import", &file).success().unwrap().json().unwrap();
    assert_eq!(sum, json!({ "added": 2, "same": 0 }));
    let sum = run("book import", &file).success().unwrap().json().unwrap();
    assert_eq!(sum, json!({ "added": 0, "same": 2 }));
    let out = file.with_file_name("out.csv");
    run("book export", &out).success().unwrap();
    fails(vault.run("book export").arg(&out), 8, "file_unwritable");
    let written = std::fs::read_to_string(&out).unwrap();
    assert_eq!(
        written,
        format!("address,label,note\n{SHOP},\"Smith, \"\"Jo\"\"\",rent\n{FIRST_ADDRESS},till,\n")
    );
    let bad = vault
        .sandbox
        .write("bad.csv", format!("{SHOP},a\nnonsense,b\n"))
        .unwrap();
    let error = fails(vault.run("book import").arg(&bad), 10, "csv_invalid");
    assert!(error["message"].as_str().unwrap().contains("line 2"), "{error}");
    let alike = vault
        .sandbox
        .write("alike.csv", format!("{},b\n", fake()))
        .unwrap();
    fails(vault.run("book import").arg(&alike), 3, "lookalike");
    assert_eq!(vault.json("book list")["total"], 2);
}
