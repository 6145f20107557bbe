//! `keyward book`: contacts by label, as CSV, and what only looks like one of them.

use keyward_core::amount::Lamports;
use keyward_tests::node::{NodeOptions, TestNode};
use serde_json::{Value, json};

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

/// The same address with another character in its middle.
fn with_other_middle(address: &str) -> String {
    let mut text = address.to_owned();
    let other = if text.get(26..27) == Some("4") { "5" } else { "4" };
    text.replace_range(26..27, other);
    text
}

/// Contacts and whoever was paid are what a recipient is compared with, and nothing is signed before a person compared.
#[test]
fn a_payment_to_what_only_looks_like_a_contact_or_a_past_recipient_needs_a_word_of_its_own() {
    let node = TestNode::start_engine(NodeOptions::default()).unwrap();
    let vault = Vault::new(1);
    node.fund_blocking(&FIRST_ADDRESS.parse().unwrap(), Lamports::new(5_000_000_000))
        .unwrap();
    let run = |words: &str| vault.run(words).env("KEYWARD_RPC_URL", &node.rpc_url);
    let json = |words: &str| -> Value { run(words).arg("--json").success().unwrap().json().unwrap() };
    let stranger = "7WktogJEd2wQ9eH2oWusmcoFTgeYi6rS632UviTBJ2jm";
    let send = |to: &str| format!("send --from #0 --to {to} --amount 0.25");
    let (fake_shop, fake_stranger) = (with_other_middle(SHOP), with_other_middle(stranger));
    // Nobody is known yet, so nobody is resembled.
    for fake in [&fake_shop, &fake_stranger] {
        assert_eq!(
            json(&format!("{} --dry-run", send(fake)))["lookalikes"],
            json!([])
        );
    }
    run(&format!("book add shop {SHOP}")).success().unwrap();
    assert_eq!(json(&format!("{} --yes", send(stranger)))["status"], "confirmed");

    for (fake, real, known_as, label) in [
        (&fake_shop, SHOP, "contact", "shop"),
        (&fake_stranger, stranger, "past-recipient", ""),
    ] {
        let preview = json(&format!("{} --dry-run", send(fake)));
        let told = &preview["lookalikes"][0];
        assert_eq!(
            (&told["address"], &told["known_as"], &told["label"]),
            (&real.into(), &known_as.into(), &label.into()),
            "{preview}"
        );
        // Agreeing beforehand is not comparing.
        let error = fails(run(&format!("{} --yes", send(fake))), 3, "lookalike");
        assert!(error["message"].as_str().unwrap().contains(real), "{error}");
        let text = run(&format!("{} --dry-run", send(fake)))
            .success()
            .unwrap()
            .stdout;
        assert!(text.contains("CAREFUL") && text.contains(real), "{text}");
        assert_eq!(node.balance_blocking(&fake.parse().unwrap()).unwrap().get(), 0);
    }
    // By its label it is the real one.
    assert_eq!(
        json(&format!("{} --dry-run", send("shop")))["lookalikes"],
        json!([])
    );
    assert_eq!(
        json(&format!("{} --yes --recipient-checked", send(&fake_shop)))["status"],
        "confirmed"
    );
    assert_eq!(
        json("book show shop")["contact"]["paid"],
        0,
        "the real one got nothing"
    );
    vault.run("audit verify").success().unwrap();
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
