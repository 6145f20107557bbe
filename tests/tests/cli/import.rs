//! Importing other programs' files from the command line, and taking keys out for them again.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use keyward_core::ed25519::SecretKey;
use keyward_core::secp256k1;
use keyward_tests::sandbox::Sandbox;

use crate::fixture::{FIRST_ADDRESS, PASSWORD, PHRASE, Vault, fails, keyward};

/// RFC 8032 section 7.1, test 1: the key that the fixtures of other programs hold.
const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const FILE_PASSWORD: &str = "correct horse battery staple";

const WALLET_FILE: &str = include_str!("../../../core/src/keyfile/fixtures/hex.wallet");
const KEYSTORE: &str = include_str!("../../../core/src/keyfile/fixtures/ethers-cheap.keystore.json");

fn pair() -> Vec<u8> {
    hex::decode(format!("{SEED}{PUBLIC}")).unwrap()
}

fn solana_address() -> String {
    bs58::encode(hex::decode(PUBLIC).unwrap()).into_string()
}

fn evm_address() -> String {
    let seed: [u8; 32] = hex::decode(SEED).unwrap().try_into().unwrap();
    secp256k1::SecretKey::from_bytes(&seed)
        .unwrap()
        .address()
        .to_string()
}

/// Every file that holds the key, with what the command line needs to be told.
fn files(sandbox: &Sandbox) -> Vec<(PathBuf, String, String)> {
    let password = sandbox.write("file-password", FILE_PASSWORD).unwrap();
    let password = format!("--file-password-file {}", password.display());
    let numbers: Vec<String> = pair().iter().map(ToString::to_string).collect();
    let solana = solana_address();
    let write = |name: &str, content: &[u8]| sandbox.write(name, content).unwrap();
    vec![
        (
            write("id.json", format!("[{}]", numbers.join(", ")).as_bytes()),
            String::new(),
            solana.clone(),
        ),
        (
            write("base58.txt", bs58::encode(pair()).into_string().as_bytes()),
            String::new(),
            solana.clone(),
        ),
        (
            write("hex.txt", hex::encode(pair()).as_bytes()),
            String::new(),
            solana.clone(),
        ),
        (write("raw.bin", &pair()), String::new(), solana.clone()),
        (
            write("seed.hex", SEED.as_bytes()),
            "--chain solana".to_owned(),
            solana.clone(),
        ),
        (
            write("evm.hex", format!("0x{SEED}").as_bytes()),
            "--chain evm".to_owned(),
            evm_address(),
        ),
        (write("hex.wallet", WALLET_FILE.as_bytes()), password, solana),
    ]
}

#[test]
fn every_format_gives_its_key() {
    let sandbox = Sandbox::new().unwrap();
    for (path, options, address) in files(&sandbox) {
        let run = keyward(&sandbox, &format!("import --dry-run --json {options}")).arg(&path);
        let answer = run.success().unwrap().json().unwrap();
        assert_eq!(answer["keys"][0]["address"], address.as_str(), "{path:?}");
        assert_eq!(answer["dry_run"], true);
        assert_eq!(answer["added"], 0);
        // No vault was there to look into, and none is there now.
        assert!(answer["keys"][0]["known"].is_null(), "{answer}");
    }
    assert!(!sandbox.vault().exists());
}

#[test]
fn keys_are_stored_with_label_and_tags_and_sign() {
    let vault = Vault::new(1);
    let key = vault
        .sandbox
        .write("id.txt", bs58::encode(pair()).into_string())
        .unwrap();
    let answer = vault
        .run("import --label cold --tag safe --tag old --json")
        .arg(&key)
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(answer["added"], 1);
    assert_eq!(answer["keys"][0]["known"], false);
    let shown = vault.json("wallets show cold");
    assert_eq!(shown["wallet"]["address"], solana_address().as_str());
    assert_eq!(shown["wallet"]["tags"], serde_json::json!(["old", "safe"]));
    assert!(shown["wallet"]["index"].is_null());
    assert_eq!(shown["wallet"]["chain"], "solana");
    vault.run("sign-message cold --message hello").success().unwrap();
    // Again, it is there already and stays as it is.
    let again = vault.run("import --label other --json").arg(&key);
    let again = again.success().unwrap().json().unwrap();
    assert_eq!(
        (&again["added"], &again["keys"][0]["known"]),
        (&0.into(), &true.into())
    );
    assert_eq!(
        vault.json("wallets show cold")["wallet"]["address"],
        solana_address().as_str()
    );
    // Standard input holds the password, then the file.
    let evm = keyward(&vault.sandbox, "import - --password-file - --chain evm --json")
        .stdin(format!("{PASSWORD}\n0x{SEED}\n"))
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(evm["keys"][0]["address"], evm_address().as_str());
    let evm_only = vault.json("wallets list --chain evm");
    assert_eq!(evm_only["total"], 1);
    assert_eq!(evm_only["wallets"][0]["address"], evm_address().as_str());
    assert_eq!(vault.json("wallets list --chain solana")["total"], 2);
}

#[test]
fn many_files_are_stored_together_or_not_at_all() {
    let vault = Vault::new(1);
    let key = |number: u8| {
        let text = keyward_core::keyfile::to_solana_keygen(&SecretKey::from_seed(&[number; 32]));
        vault
            .sandbox
            .write(&format!("key{number}.json"), text.as_bytes())
            .unwrap()
    };
    let (one, two) = (key(1), key(2));
    let broken = vault.sandbox.write("broken.json", "[1,2,3]").unwrap();
    let phrase = vault.sandbox.write("phrase.txt", PHRASE).unwrap();
    let import =
        |files: &[&PathBuf], options: &str| vault.run("import").args(options.split_whitespace()).args(files);
    fails(import(&[&one, &broken], "--labels-from-names"), 10, "key_length");
    fails(import(&[&one, &phrase], ""), 2, "phrase_not_alone");
    fails(import(&[&one, &two], "--label same"), 2, "label_for_several");
    fails(
        import(&[&one, &two], &format!("--tag {}", "x".repeat(33))),
        10,
        "invalid",
    );
    assert_eq!(vault.json("wallets list")["total"], 1);
    assert_eq!(vault.json("phrases list")["phrases"].as_array().unwrap().len(), 1);
    let answer = import(&[&one, &two, &one], "--labels-from-names --json")
        .success()
        .unwrap();
    let answer = answer.json().unwrap();
    assert_eq!(answer["added"], 2, "{answer}");
    let known: Vec<_> = answer["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["known"].clone())
        .collect();
    assert_eq!(known, [false, false, true]);
    assert_eq!(
        vault.json("wallets show key2")["wallet"]["address"],
        SecretKey::from_seed(&[2; 32]).address().to_string()
    );
}

#[test]
fn a_wallet_with_its_own_password_needs_it() {
    let vault = Vault::new(1);
    let own = vault.sandbox.write("own", "hazel-orbit-candle-57").unwrap();
    let key = vault.sandbox.write("key.hex", SEED).unwrap();
    let import = format!(
        "import --chain solana --label guarded --wallet-password-file {}",
        own.display()
    );
    vault.run(&import).arg(&key).success().unwrap();
    assert_eq!(vault.json("wallets show guarded")["wallet"]["own_password"], true);
    let out = vault.sandbox.path("out.json");
    let export = |options: &str| {
        vault.run(&format!(
            "export guarded --format hex --out {} {options}",
            out.display()
        ))
    };
    fails(export(""), 4, "wallet_password_needed");
    fails(
        export(&format!(
            "--wallet-password-file {}",
            vault.password_file.display()
        )),
        4,
        "wrong_wallet_password",
    );
    assert!(!out.exists(), "what failed left a file");
    export(&format!("--wallet-password-file {}", own.display()))
        .success()
        .unwrap();
    assert_eq!(fs::read_to_string(&out).unwrap(), format!("{SEED}{PUBLIC}"));
    let weak = vault.sandbox.write("weak", "short").unwrap();
    let other = vault.sandbox.write("other.hex", "11".repeat(32)).unwrap();
    let run = vault
        .run(&format!(
            "import --chain evm --wallet-password-file {}",
            weak.display()
        ))
        .arg(&other);
    fails(run, 10, "weak_password");
}

#[test]
fn a_phrase_becomes_a_further_one_and_derives() {
    let vault = Vault::new(1);
    // BIP-39's vector for 7f7f…7f.
    let words = "legal winner thank year wave sausage worth useful legal winner thank yellow";
    let import = |options: &str, words: &str| {
        vault
            .run(&format!(
                "import - --family evm-bip44 --label second --json {options}"
            ))
            .stdin(words)
            .success()
            .unwrap()
            .json()
            .unwrap()
    };
    let dry = import("--dry-run", words);
    assert!(dry["phrase"]["id"].is_null(), "{dry}");
    let stored = import("", words);
    assert_eq!(stored["phrase"]["id"], 2);
    assert_eq!(stored["phrase"]["known"], false);
    assert_eq!(stored["phrase"]["language"], "english");
    assert_eq!(stored["phrase"]["first_address"], dry["phrase"]["first_address"]);
    assert_eq!(import("", words)["phrase"]["known"], true);
    let derived = vault.json("wallets derive --phrase 2 --count 2");
    assert_eq!((&derived["first"], &derived["added"]), (&0.into(), &2.into()));
    let shown = vault.json("wallets show 2/evm-bip44#0");
    assert_eq!(shown["wallet"]["address"], stored["phrase"]["first_address"]);
    assert_eq!(shown["wallet"]["phrase"], 2);
    let phrases = vault.json("phrases list");
    assert_eq!(phrases["phrases"][1]["label"], "second");
    assert_eq!(phrases["phrases"][1]["wallets"], 2);
    // The other chain from the first phrase, by its usual family.
    vault.json("wallets derive --chain evm --count 1");
    let evm = vault.json("wallets show evm-bip44#0");
    assert_eq!(
        evm["wallet"]["address"],
        "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"
    );
}

#[test]
fn what_cannot_be_imported_says_why_and_never_what_it_holds() {
    let vault = Vault::new(1);
    let mut mismatched = pair();
    mismatched[63] ^= 1;
    let check = |content: &[u8], options: &str, exit: i32, code: &str| {
        let path = vault.sandbox.write("file", content).unwrap();
        let error = fails(vault.run(&format!("import {options}")).arg(&path), exit, code);
        assert!(!error.to_string().contains(&SEED[..8]), "{error}");
        fs::remove_file(path).unwrap();
    };
    check(b"", "", 10, "key_empty");
    check(b"hello there", "", 10, "phrase_word_count");
    check(SEED.as_bytes(), "", 10, "chain_ambiguous");
    check(&pair()[..32], "", 10, "chain_ambiguous");
    check(
        bs58::encode(&pair()[..32]).into_string().as_bytes(),
        "",
        10,
        "seed_or_address",
    );
    check(hex::encode(&mismatched).as_bytes(), "", 10, "public_key_mismatch");
    check(hex::encode(pair()).as_bytes(), "--chain evm", 10, "wrong_chain");
    check(SEED.as_bytes(), "--format solana-keygen", 10, "key_not_bytes");
    check(WALLET_FILE.as_bytes(), "", 4, "file_password_missing");
    let wrong = format!("--file-password-file {}", vault.password_file.display());
    check(WALLET_FILE.as_bytes(), &wrong, 4, "file_not_opened");
    check(&[b'a'; 70_000], "", 10, "too_long");
    fails(vault.run("import missing-file"), 5, "file_unreadable");
    fails(vault.run("import - -"), 2, "stdin_twice");
    fails(vault.run("import - --format nonsense"), 2, "usage");
    fails(vault.run("import - --family nonsense"), 10, "family_unknown");
    assert_eq!(vault.json("wallets list")["total"], 1);
}

#[test]
fn an_export_is_a_new_file_for_the_owner_alone_and_is_audited() {
    let vault = Vault::new(1);
    let out = vault.sandbox.path("id.json");
    let export = format!("export #0 --format solana-keygen --out {}", out.display());
    let answer = vault.json(&export);
    assert_eq!(answer["address"], FIRST_ADDRESS);
    assert!(answer.get("key").is_none(), "{answer}");
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    let entry = &vault.audit("authorised")[0];
    assert_eq!(entry["operation"], "export");
    assert_eq!(entry["wallet"], FIRST_ADDRESS);
    let written = fs::read(&out).unwrap();
    // None is written over.
    fails(vault.run(&export), 8, "file_exists");
    assert_eq!(fs::read(&out).unwrap(), written);
    // A wrong password takes nothing out and leaves no file.
    let other = vault.sandbox.path("other.json");
    let wrong = vault.sandbox.write("wrong", "not-the-password-at-all").unwrap();
    let run = keyward(
        &vault.sandbox,
        &format!("export #0 --format hex --out {}", other.display()),
    )
    .arg("--password-file")
    .arg(&wrong);
    fails(run, 4, "wrong_password");
    assert!(!other.exists());
    fails(vault.run("export #0 --format hex"), 2, "usage");
    let out = other.display();
    fails(
        vault.run(&format!("export #0 --format keystore-v3 --out {out}")),
        10,
        "wrong_chain",
    );
    fails(
        vault.run(&format!("export #9 --format hex --out {out}")),
        5,
        "not_found",
    );
    assert!(!other.exists());
    // What was written is the wallet's key.
    let looked = vault.json(&format!(
        "import --dry-run {}",
        vault.sandbox.path("id.json").display()
    ));
    assert_eq!(looked["keys"][0]["address"], FIRST_ADDRESS);
    assert_eq!(looked["keys"][0]["known"], true);
    let printed = vault.run("export #0 --format base58 --stdout").success().unwrap();
    let pair: Vec<u8> = serde_json::from_slice(&written).unwrap();
    assert_eq!(printed.stdout.trim(), bs58::encode(pair).into_string());
}

#[test]
fn a_keystore_goes_out_and_comes_in_again() {
    let vault = Vault::new(0);
    let password = vault.sandbox.write("file-password", FILE_PASSWORD).unwrap();
    let keystore = vault.sandbox.write("ethers.json", KEYSTORE).unwrap();
    let options = format!("--file-password-file {}", password.display());
    let imported = vault
        .run(&format!("import --label evm --json {options}"))
        .arg(&keystore)
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(imported["keys"][0]["format"], "keystore-v3");
    let out = vault.sandbox.path("out.json");
    let export = format!("export evm --format keystore-v3 --out {}", out.display());
    fails(vault.run(&export), 4, "password_missing");
    assert!(!out.exists());
    vault.json(&format!("{export} {options}"));
    let again = vault.json(&format!("import --dry-run {options} {}", out.display()));
    assert_eq!(again["keys"][0]["address"], imported["keys"][0]["address"]);
    assert_eq!(again["keys"][0]["known"], true);
}

#[test]
fn the_language_of_a_phrase_in_an_encrypted_file_can_be_said() {
    let file = include_str!("../../../core/src/keyfile/fixtures/two_languages.encrypted.json");
    let sandbox = Sandbox::new().unwrap();
    let password = sandbox.write("file-password", FILE_PASSWORD).unwrap();
    let words = format!(
        "import --dry-run {} --file-password-file {}",
        sandbox.write("phrase.json", file).unwrap().display(),
        password.display()
    );
    let error = fails(keyward(&sandbox, &words), 10, "phrase_ambiguous");
    assert_eq!(error["remedy"], "give --language english or --language french");
    assert!(!error.to_string().contains("volume"), "{error}");
    for language in ["english", "french"] {
        let run = keyward(&sandbox, &format!("{words} --language {language} --json"))
            .run()
            .unwrap();
        assert_eq!(run.code(), Some(0), "{run}");
        assert_eq!(run.json().unwrap()["phrase"]["language"], language, "{run}");
    }
    fails(
        keyward(&sandbox, &format!("{words} --language czech")),
        10,
        "phrase_unknown_word",
    );
}
