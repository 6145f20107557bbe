//! `keyward derive`: published addresses, every family, and what is refused.

use keyward_tests::sandbox::Sandbox;

use crate::fixture::{FIRST_ADDRESS, PASSWORD, PHRASE, SECOND_ADDRESS, fails, keyward};

#[test]
fn the_published_address_comes_out() {
    let sandbox = Sandbox::new().unwrap();
    let answer = keyward(&sandbox, "derive --json")
        .stdin(PHRASE)
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(answer["chain"], "solana");
    assert_eq!(answer["family"], "bip44-change");
    assert_eq!(
        answer["addresses"],
        serde_json::json!([{ "index": 0, "path": "m/44'/501'/0'/0'", "address": FIRST_ADDRESS }])
    );
    let path = keyward(&sandbox, "derive --path m/44'/501'/0'/0' --json")
        .stdin(PHRASE)
        .success()
        .unwrap();
    assert_eq!(path.json().unwrap()["addresses"][0]["address"], FIRST_ADDRESS);
    let many = keyward(&sandbox, "derive --path m/44'/501'/{i}'/0' --count 2 --json")
        .stdin(PHRASE)
        .success()
        .unwrap();
    let family = keyward(&sandbox, "derive --count 2 --json")
        .stdin(PHRASE)
        .success()
        .unwrap();
    assert_eq!(
        many.json().unwrap()["addresses"],
        family.json().unwrap()["addresses"]
    );
    // White space and letter case are the writer's.
    let spaced = PHRASE.to_uppercase().replace(' ', "\n");
    let spaced = keyward(&sandbox, "derive").stdin(spaced).success().unwrap();
    assert!(spaced.stdout.contains(FIRST_ADDRESS), "{spaced}");
    assert!(!sandbox.vault().exists(), "no vault is made");
}

#[test]
fn a_range_begins_where_it_is_told_to() {
    let sandbox = Sandbox::new().unwrap();
    let answer = keyward(&sandbox, "derive --start 1 --count 1500 --json")
        .stdin(PHRASE)
        .success()
        .unwrap()
        .json()
        .unwrap();
    let addresses = answer["addresses"].as_array().unwrap();
    assert_eq!(addresses.len(), 1500);
    assert_eq!(addresses[0]["address"], SECOND_ADDRESS);
    assert_eq!(addresses[1499]["index"], 1500);
    let alone = keyward(&sandbox, "derive --start 1500 --json")
        .stdin(PHRASE)
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(
        addresses[1499], alone["addresses"][0],
        "chunks join without a seam"
    );
}

#[test]
fn families_differ_and_a_passphrase_changes_everything() {
    let sandbox = Sandbox::new().unwrap();
    let mut seen = Vec::new();
    for family in ["bip44-change", "bip44", "bip44-root", "sollet", "raw"] {
        let run = keyward(&sandbox, "derive --json --family")
            .arg(family)
            .stdin(PHRASE)
            .success()
            .unwrap();
        seen.push(
            run.json().unwrap()["addresses"][0]["address"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    let file = sandbox.write("passphrase", "TREZOR\n").unwrap();
    let run = keyward(&sandbox, "derive --json --passphrase-file")
        .arg(file)
        .stdin(PHRASE)
        .success()
        .unwrap();
    seen.push(
        run.json().unwrap()["addresses"][0]["address"]
            .as_str()
            .unwrap()
            .to_owned(),
    );
    assert_eq!(seen[0], FIRST_ADDRESS);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 6);
}

#[test]
fn ethereum_addresses_are_the_published_ones() {
    // As every Ethereum tool shows them for these words (see core's evm/derive/tests.rs).
    const FIRST: &str = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94";
    let sandbox = Sandbox::new().unwrap();
    let derive = |words: &str| {
        let run = keyward(&sandbox, words).stdin(PHRASE).success().unwrap();
        run.json().unwrap()
    };
    let answer = derive("derive --chain evm --json");
    assert_eq!(answer["chain"], "evm");
    assert_eq!(answer["family"], "evm-bip44");
    assert_eq!(
        answer["addresses"],
        serde_json::json!([{ "index": 0, "path": "m/44'/60'/0'/0/0", "address": FIRST }])
    );
    for (family, template) in [
        ("evm-bip44", "m/44'/60'/0'/0/{i}"),
        ("evm-ledger-live", "m/44'/60'/{i}'/0/0"),
        ("evm-legacy", "m/44'/60'/0'/{i}"),
    ] {
        let named = derive(&format!("derive --chain evm --count 3 --json --family {family}"));
        let spelled = derive(&format!("derive --chain evm --count 3 --json --path {template}"));
        assert_eq!(named["addresses"].as_array().unwrap().len(), 3);
        assert_eq!(named["addresses"], spelled["addresses"], "{family}");
    }
}

#[test]
fn what_is_wrong_is_named_and_never_repeated() {
    let sandbox = Sandbox::new().unwrap();
    let check = |words: &str, phrase: &str, exit: i32, code: &str| {
        let run = keyward(&sandbox, words).stdin(phrase);
        let error = fails(run, exit, code);
        assert!(!error.to_string().contains("abandon"), "{error}");
        error
    };
    check("derive", "abandon abandon", 10, "phrase_word_count");
    check("derive", "", 10, "phrase_word_count");
    check(
        "derive",
        &PHRASE.replace("about", "abandon"),
        10,
        "phrase_checksum",
    );
    let error = check(
        "derive",
        &PHRASE.replacen("abandon", "abandonn", 3),
        10,
        "phrase_unknown_word",
    );
    assert!(error["message"].as_str().unwrap().contains("word 1"), "{error}");
    check("derive", &"abandon ".repeat(1000), 10, "too_long");
    check("derive --path m/44'/501'/x'", PHRASE, 10, "path_invalid");
    check("derive --path m/44'/501'/2147483648'", PHRASE, 10, "path_invalid");
    check("derive --path m/44'/501'/0'/0", PHRASE, 10, "derivation");
    check("derive --family raw --count 2", PHRASE, 10, "derivation");
    check("derive --start 4294967295", PHRASE, 10, "derivation");
    check("derive --family nonsense", PHRASE, 10, "family_unknown");
    check("derive --passphrase-file -", PHRASE, 2, "passphrase_from_stdin");
    check("derive --passphrase-file missing", PHRASE, 5, "file_unreadable");
    check("derive --chain evm --family bip44", PHRASE, 10, "family_unknown");
    check("derive --family evm-bip44", PHRASE, 10, "family_unknown");
    check("derive --count 0", PHRASE, 2, "usage");
    check("derive --count 10001", PHRASE, 2, "usage");
    check("derive --path m --family raw", PHRASE, 2, "usage");
    check(
        "derive --path m/44'/501'/0' --count 2",
        PHRASE,
        2,
        "path_has_no_index",
    );
    check(
        "derive --path m/44'/501'/{i}' --start 4294967295",
        PHRASE,
        10,
        "derivation",
    );
}

#[test]
fn a_phrase_of_two_languages_is_asked_about() {
    // Words of both lists, with a checksum that holds in both; found by trying.
    const BOTH: &str =
        "volume innocent science phrase figure lecture intact concert guide fatigue sentence wagon";
    let sandbox = Sandbox::new().unwrap();
    let password = sandbox.write("password", PASSWORD).unwrap();
    let phrase = sandbox.write("phrase", BOTH).unwrap();
    let init = format!(
        "init --kdf scrypt-16384 --import {} --password-file {}",
        phrase.display(),
        password.display()
    );
    for words in ["derive", &init, &format!("import --dry-run {}", phrase.display())] {
        let error = fails(keyward(&sandbox, words).stdin(BOTH), 10, "phrase_ambiguous");
        assert_eq!(
            error["remedy"], "give --language english or --language french",
            "{words}"
        );
        assert!(!error.to_string().contains("volume"), "{error}");
        for language in ["english", "french"] {
            let run = keyward(&sandbox, &format!("{words} --language {language}"));
            // One vault is enough; the other words make none.
            let run = run.stdin(BOTH).run().unwrap();
            let expected = if words == init && language == "french" {
                10
            } else {
                0
            };
            assert_eq!(run.code(), Some(expected), "{run}");
        }
        let run = keyward(&sandbox, &format!("{words} --language czech")).stdin(BOTH);
        let code = if words == init {
            "already_initialised"
        } else {
            "phrase_unknown_word"
        };
        fails(run, 10, code);
    }
    // The same words are the same seed in every language.
    let first = |language: &str| {
        let run = keyward(&sandbox, &format!("derive --language {language}")).stdin(BOTH);
        run.success().unwrap().stdout
    };
    assert_eq!(first("english"), first("french"));
}
