//! `keyward find-path`: published addresses are found, and what was searched is named either way.

use keyward_tests::sandbox::Sandbox;

use crate::fixture::{FIRST_ADDRESS, PHRASE, SECOND_ADDRESS, fails, keyward};

/// The phrase's first Ethereum address, as MetaMask and hardware wallets show it.
const EVM_ADDRESS: &str = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94";

#[test]
fn published_addresses_are_found_on_both_chains() {
    let sandbox = Sandbox::new().unwrap();
    let run = keyward(
        &sandbox,
        "find-path --json --indices 0..2 --accounts 0..1 --address",
    )
    .arg(SECOND_ADDRESS)
    .args(["--address", EVM_ADDRESS])
    .stdin(PHRASE)
    .success()
    .unwrap();
    let answer = run.json().unwrap();
    let found = answer["found"].as_array().unwrap();
    let solana = found.iter().find(|one| one["address"] == SECOND_ADDRESS).unwrap();
    assert_eq!(solana["path"], "m/44'/501'/1'/0'");
    assert_eq!(
        (&solana["family"], &solana["index"]),
        (&"bip44-change".into(), &1.into())
    );
    let evm = found.iter().find(|one| one["address"] == EVM_ADDRESS).unwrap();
    assert_eq!(evm["path"], "m/44'/60'/0'/0/0");
    assert_eq!(evm["chain"], "evm");
    assert_eq!(answer["not_found"], serde_json::json!([]));
    assert!(!sandbox.vault().exists(), "no vault is made");
}

#[test]
fn a_passphrase_is_found_and_not_shown() {
    let sandbox = Sandbox::new().unwrap();
    let passphrase = sandbox.write("passphrase", "TREZOR\n").unwrap();
    let derived = keyward(
        &sandbox,
        "derive --family bip44 --start 3 --json --passphrase-file",
    )
    .arg(passphrase)
    .stdin(PHRASE)
    .success()
    .unwrap();
    let address = derived.json().unwrap()["addresses"][0]["address"]
        .as_str()
        .unwrap()
        .to_owned();
    let candidates = sandbox.write("candidates", "Trezor\r\n\nTREZOR\n").unwrap();
    let run = keyward(&sandbox, "find-path --indices 0..4 --json --address")
        .arg(&address)
        .arg("--passphrases-file")
        .arg(candidates)
        .stdin(PHRASE)
        .success()
        .unwrap();
    let answer = run.json().unwrap();
    assert_eq!(answer["found"][0]["passphrase"], 2);
    assert_eq!(answer["found"][0]["path"], "m/44'/501'/3'");
    assert_eq!(answer["passphrases"], 3);
    let shown = run.to_string();
    assert!(!shown.to_lowercase().contains("trezor"), "{shown}");
    assert!(run.stderr.contains("searched"), "{run}");
}

#[test]
fn nothing_found_names_what_was_searched() {
    let sandbox = Sandbox::new().unwrap();
    let words = format!("find-path --json --indices 1..3 --accounts 0..1 --address {FIRST_ADDRESS}");
    let run = keyward(&sandbox, &words).stdin(PHRASE).exits(5).unwrap();
    let answer = run.json().unwrap();
    assert_eq!(answer["not_found"], serde_json::json!([FIRST_ADDRESS]));
    assert_eq!(answer["complete"], true);
    let families: Vec<&str> = answer["searched"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["family"].as_str().unwrap())
        .collect();
    assert_eq!(
        families,
        [
            "bip44-change",
            "bip44",
            "bip44-root",
            "sollet",
            "raw",
            "solana-grid"
        ]
    );
    // Two indices in each of four, one address in each of two.
    assert_eq!(answer["addresses_searched"], 2 * 4 + 2);
    let text = keyward(&sandbox, &words.replace(" --json", ""))
        .stdin(PHRASE)
        .exits(5)
        .unwrap();
    assert!(text.stdout.contains("not found: "), "{text}");
    assert!(text.stdout.contains("m/501'/{i}'/0/0  indices 1..3"), "{text}");
}

#[test]
fn what_is_wrong_is_named() {
    let sandbox = Sandbox::new().unwrap();
    let check = |words: &str, phrase: &str, exit: i32, code: &str| {
        fails(keyward(&sandbox, words).stdin(phrase), exit, code);
    };
    let find = |more: &str| format!("find-path --address {FIRST_ADDRESS} {more}");
    check("find-path --address nonsense", PHRASE, 10, "address_invalid");
    check("find-path", PHRASE, 2, "usage");
    check(&find("--family nonsense"), PHRASE, 10, "family_unknown");
    check(&find("--family evm-bip44"), PHRASE, 10, "search_invalid");
    for range in ["5", "5..5", "5..4", "0..2147483649", "-1..4", "a..b"] {
        check(&find(&format!("--indices={range}")), PHRASE, 10, "range_invalid");
    }
    check(&find("--passphrases-file -"), PHRASE, 2, "passphrase_from_stdin");
    check(&find("--passphrases-file /nowhere"), PHRASE, 5, "file_unreadable");
    check(&find(""), "abandon about", 10, "phrase_word_count");
}
