//! `keyward owners`, and what becomes of wallets: assign, primary, role, delete, restore, purge.

use serde_json::{Value, json};

use crate::fixture::{FIRST_ADDRESS, SECOND_ADDRESS, Vault, fails};

#[test]
fn owners_have_wallets() {
    let vault = Vault::new(5);
    let added = vault.json("owners add ada");
    assert_eq!(added["owner"]["wallets"], 0);
    vault.json("owners add bob");
    fails(vault.run("owners add ada"), 10, "owner_exists");
    let assigned = vault.json("wallets assign #1 #0 --owner ada");
    assert_eq!(assigned["wallets"][0]["owner"], "ada");
    assert_eq!(assigned["wallets"][0]["primary"], true);
    assert_eq!(assigned["wallets"][1]["primary"], false);
    let error = fails(vault.run("wallets assign #2 #3 --owner ada"), 3, "owner_full");
    assert!(
        error["message"].as_str().unwrap().contains("limit is 3"),
        "{error}"
    );
    fails(
        vault.run("wallets assign #2 --owner nobody"),
        5,
        "owner_not_found",
    );
    let shown = vault.json("wallets primary #0");
    assert_eq!(shown["wallet"]["primary"], true);
    let list = vault.json("owners list");
    assert_eq!(list["total"], 2);
    assert_eq!(list["owners"][0]["primary"], FIRST_ADDRESS);
    assert_eq!(list["owners"][0]["wallets"], 2);
    assert_eq!(list["owners"][1]["primary"], Value::Null);
    assert_eq!(vault.json("wallets list --owner ada")["total"], 2);
    vault.json("wallets role #0 #4 --role trading");
    assert_eq!(vault.json("wallets list --role trading")["total"], 2);
    fails(vault.run("owners remove ada"), 10, "owner_has_wallets");
    vault.json("wallets assign #0 #1 --nobody");
    assert_eq!(vault.json("owners remove ada"), json!({ "removed": "ada" }));
    assert_eq!(vault.json("owners rename bob eve")["owner"]["name"], "eve");
    let first = vault.json("wallets list --sort owner --limit 2");
    let next = first["next"].as_str().unwrap().to_owned();
    let page = vault
        .run("wallets list --sort owner --limit 9 --json --after")
        .arg(next)
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(page["wallets"].as_array().unwrap().len(), 3);
    assert_eq!(page["next"], Value::Null);
    fails(vault.run("wallets list --after 7b7d"), 2, "usage");
}

#[test]
fn wallets_are_deleted_by_their_address_and_come_back() {
    let vault = Vault::new(2);
    fails(vault.run("wallets delete #0"), 2, "confirmation_needed");
    let other = format!("wallets delete #0 --yes --address {SECOND_ADDRESS}");
    fails(vault.run(&other), 130, "not_confirmed");
    let deleted = vault.json(&format!("wallets delete #0 --yes --address {FIRST_ADDRESS}"));
    assert_eq!(deleted["wallet"]["status"], "deleted");
    assert!(deleted["wallet"]["purge_after_ms"].is_u64(), "{deleted}");
    assert_eq!(vault.json("wallets list")["total"], 1);
    assert_eq!(vault.json("wallets list --status deleted")["total"], 1);
    assert_eq!(vault.json("wallets list --status all")["total"], 2);
    let early = format!("wallets purge #0 --yes --address {FIRST_ADDRESS}");
    fails(vault.run(&early), 10, "invalid");
    assert_eq!(
        vault.json("wallets purge --due --yes --count 3")["purged"],
        json!([])
    );
    let restored = vault.json("wallets restore #0");
    assert_eq!(restored["wallet"]["status"], "active");
    fails(vault.run("wallets restore #0"), 10, "invalid");
}
