//! The exports as their TypeScript half calls them: with real typed arrays and real errors.

use js_sys::{Error, Reflect, Uint8Array};
use keyward_wasm::{RawVault, check_mnemonic, generate_mnemonic, version};
use serde_json::Value;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

const NATIVE: &[u8] = include_bytes!("../fixtures/native.keyward");
const POLICY: &[u8] = include_bytes!("../fixtures/policy.keyward");
const MAIL: &str = include_str!("../fixtures/mail.json");
/// The least key stretching, so that the tests do not take minutes.
const KDF: &str = "scrypt-16384";

fn expected() -> Value {
    serde_json::from_str(include_str!("../fixtures/native.json")).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn bytes(from: impl AsRef<[u8]>) -> Uint8Array {
    Uint8Array::from(from.as_ref())
}

fn unhex(digits: &Value) -> Uint8Array {
    bytes(hex::decode(digits.as_str().unwrap().trim_start_matches("0x")).unwrap())
}

fn in_hex(array: &Uint8Array) -> String {
    hex::encode(array.to_vec())
}

fn code(error: &Error) -> String {
    assert!(error.is_instance_of::<Error>());
    let code = Reflect::get(error, &JsValue::from_str("code")).unwrap();
    code.as_string().unwrap()
}

fn opened(file: &[u8]) -> RawVault {
    RawVault::open(&bytes(file), &bytes(text(&expected()["password"])), None).unwrap()
}

fn refused<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => "nothing".to_owned(),
        Err(error) => code(&error),
    }
}

#[wasm_bindgen_test]
fn the_version_is_that_of_the_package() {
    assert_eq!(version(), env!("CARGO_PKG_VERSION"));
}

#[wasm_bindgen_test]
fn phrases_are_made_and_checked() {
    for words in [12.0, 15.0, 18.0, 21.0, 24.0] {
        let phrase = generate_mnemonic(words).unwrap();
        assert_eq!(f64::from(check_mnemonic(&phrase).unwrap()), words);
        assert_ne!(phrase.to_vec(), generate_mnemonic(words).unwrap().to_vec());
    }
    for words in [0.0, 13.0, 23.0] {
        assert_eq!(refused(generate_mnemonic(words)), "phrase-word-count");
    }
    for words in [-1.0, 12.5, 25.0, f64::NAN, 4_294_967_308.0] {
        assert_eq!(refused(generate_mnemonic(words)), "number");
    }
}

#[wasm_bindgen_test]
fn each_fault_of_a_phrase_has_its_code_and_shows_no_word() {
    let phrase = text(&expected()["phrase"]);
    for (given, expected) in [
        (phrase.replace("junk", ""), "phrase-word-count"),
        (phrase.replace("junk", "canarysecret"), "phrase-unknown-word"),
        (phrase.replace("junk", "test"), "phrase-checksum"),
        (String::new(), "phrase-word-count"),
        ("a".repeat(1025), "too-long"),
    ] {
        let error = check_mnemonic(&bytes(&given)).unwrap_err();
        assert_eq!(code(&error), expected);
        assert!(!String::from(error.message()).contains("canary"));
    }
    assert_eq!(refused(check_mnemonic(&bytes([0xff]))), "not-utf8");
    let unknown = check_mnemonic(&bytes(phrase.replace("junk", "canarysecret"))).unwrap_err();
    let position = Reflect::get(&unknown, &JsValue::from_str("position")).unwrap();
    assert_eq!(position.as_f64(), Some(12.0));
}

#[wasm_bindgen_test]
fn a_vault_made_natively_opens_and_signs_alike() {
    let expected = expected();
    let mut vault = opened(NATIVE);
    assert_eq!(vault.id().unwrap(), text(&expected["vault"]));
    assert_eq!(vault.authority().unwrap(), "page");
    let wallets: Value = serde_json::from_str(&vault.wallets().unwrap()).unwrap();
    assert_eq!(wallets.as_array().unwrap().len(), 3);
    assert_eq!(wallets[0]["label"], "wallet 11");

    let own = &expected["solana"];
    for which in [String::new(), text(&own["path"]), text(&own["address"])] {
        let signer = vault.solana(&which, None).unwrap();
        assert_eq!(signer.address(), text(&own["address"]));
        let signature = signer.sign_message(&bytes(text(&expected["text"]))).unwrap();
        assert_eq!(in_hex(&signature), text(&own["signature"]));
        let transactions = own["transactions"].as_array().unwrap();
        for transaction in transactions.iter().chain([&own["version1"]]) {
            let signature = signer
                .sign_transaction(&unhex(&transaction["message"]), "")
                .unwrap();
            assert_eq!(in_hex(&signature), text(&transaction["signature"]));
            let signed = signer
                .sign_transaction_bytes(&unhex(&transaction["unsigned"]), "")
                .unwrap();
            assert_eq!(in_hex(&signed), text(&transaction["signed"]));
        }
    }
    let imported = vault.solana(&text(&expected["imported"]), None).unwrap();
    assert_eq!(imported.address(), text(&expected["imported"]));

    let own = &expected["evm"];
    let signer = vault.evm("", None).unwrap();
    assert_eq!(signer.address(), text(&own["address"]));
    let prefixed = |array: &Uint8Array| format!("0x{}", in_hex(array));
    let signature = signer.sign_message(&bytes(text(&expected["text"]))).unwrap();
    assert_eq!(prefixed(&signature), text(&own["signature"]));
    assert_eq!(
        prefixed(&signer.sign_typed_data(MAIL).unwrap()),
        text(&own["typedData"])
    );
    let signed = signer.sign_transaction(&unhex(&own["unsigned"])).unwrap();
    assert_eq!(prefixed(&signed), text(&own["signed"]));
}

#[wasm_bindgen_test]
fn the_policy_of_the_file_is_held() {
    let expected = expected();
    let mut vault = opened(POLICY);
    assert_eq!(vault.authority().unwrap(), "vault");
    let signer = vault.solana("", None).unwrap();
    for (transaction, reason) in expected["solana"]["transactions"]
        .as_array()
        .unwrap()
        .iter()
        .zip([None, None, Some("over-limit")])
    {
        let result = signer.sign_transaction(&unhex(&transaction["message"]), "");
        let review: Value =
            serde_json::from_str(&signer.inspect(&unhex(&transaction["unsigned"]), "").unwrap()).unwrap();
        assert_eq!(review["verdict"]["authority"], "vault");
        assert_eq!(review["verdict"]["allowed"], reason.is_none());
        match reason {
            None => assert!(result.is_ok()),
            Some(reason) => {
                let error = result.unwrap_err();
                assert_eq!(code(&error), "refused");
                let reasons = Reflect::get(&error, &JsValue::from_str("reasons")).unwrap();
                let first = Reflect::get(&reasons, &JsValue::from_f64(0.0)).unwrap();
                let first = Reflect::get(&first, &JsValue::from_str("code")).unwrap();
                assert_eq!(first.as_string().as_deref(), Some(reason));
            }
        }
    }
    let evm = vault.evm("", None).unwrap();
    assert_eq!(
        refused(evm.sign_transaction(&unhex(&expected["evm"]["unsigned"]))),
        "refused"
    );
    assert_eq!(refused(evm.sign_typed_data(MAIL)), "refused");
    assert!(evm.sign_message(&bytes("hello")).is_ok());
}

#[wasm_bindgen_test]
fn no_message_is_a_transaction_whoever_decides() {
    let expected = expected();
    let transaction = &expected["solana"]["transactions"][1];
    for file in [NATIVE, POLICY] {
        let mut vault = opened(file);
        let signer = vault.solana("", None).unwrap();
        for bytes in [&transaction["message"], &transaction["unsigned"]] {
            assert_eq!(refused(signer.sign_message(&unhex(bytes))), "refused");
        }
        assert_eq!(refused(signer.sign_message(&bytes([]))), "refused");
        let evm = vault.evm("", None).unwrap();
        assert_eq!(
            refused(evm.sign_message(&unhex(&expected["evm"]["unsigned"]))),
            "refused"
        );
        assert_eq!(refused(evm.sign_message(&bytes([0xab; 32]))), "refused");
    }
}

#[wasm_bindgen_test]
fn a_vault_goes_out_and_comes_back() {
    let expected = expected();
    let phrase = bytes(text(&expected["phrase"]));
    let password = bytes("a password of its own");
    let mut vault = RawVault::create(&password, Some(phrase.clone()), None, None, KDF).unwrap();
    assert_eq!(phrase.to_vec(), text(&expected["phrase"]).as_bytes());
    let imported = vault.import_key(&bytes(format!("{:?}", [5_u8; 32])), "", "solana", None, "mine");
    let imported: Value = serde_json::from_str(&imported.unwrap()).unwrap();
    let again = vault.import_key(&bytes(format!("{:?}", [5_u8; 32])), "", "solana", None, "mine");
    assert_eq!(refused(again), "wallet-exists");

    let file = vault.export_vault().unwrap();
    vault
        .change_password(&password, &bytes("another password"), None, KDF)
        .unwrap();
    let changed = vault.export_vault().unwrap();
    assert!(RawVault::open(&file, &password, None).is_ok());
    assert_eq!(
        refused(RawVault::open(&changed, &password, None)),
        "refused-to-open"
    );
    let mut back = RawVault::open(&changed, &bytes("another password"), None).unwrap();
    assert_eq!(back.id().unwrap(), vault.id().unwrap());
    let address = text(&imported[0]["address"]);
    assert_eq!(back.solana(&address, None).unwrap().address(), address);
    assert_eq!(
        back.solana("", None).unwrap().address(),
        text(&expected["solana"]["address"])
    );
}

#[wasm_bindgen_test]
fn mistakes_have_their_codes() {
    let password = bytes(text(&expected()["password"]));
    assert_eq!(
        refused(RawVault::create(&bytes("short"), None, None, None, KDF)),
        "password-too-short"
    );
    assert_eq!(
        refused(RawVault::create(&bytes([0; 20]), None, None, None, KDF)),
        "password-character"
    );
    // An address, although it begins as paths do.
    let address = "mvines9iiHiQTysrwkJjGf2gb9Ex9jXJX8ns3qwf2kN";
    assert_eq!(refused(opened(NATIVE).solana(address, None)), "no-wallet");
    assert_eq!(refused(opened(NATIVE).solana("m/1'/x", None)), "path");
    assert_eq!(
        refused(RawVault::create(&password, None, None, None, "scrypt-2")),
        "kdf"
    );
    assert_eq!(
        refused(RawVault::open(&bytes("no vault"), &password, None)),
        "not-a-vault-file"
    );
    assert_eq!(
        refused(RawVault::open(&bytes(NATIVE), &bytes("wrong"), None)),
        "refused-to-open"
    );
    let mut damaged = NATIVE.to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(
        refused(RawVault::open(&bytes(&damaged), &password, None)),
        "refused-to-open"
    );
    assert_eq!(
        refused(RawVault::open(&bytes(&NATIVE[..40]), &password, None)),
        "vault-file"
    );

    let mut vault = opened(NATIVE);
    for (which, expected) in [
        ("m/44'/501'/0", "derivation"),
        ("m/44'/501'/x'", "path"),
        ("not base58!", "address"),
        ("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "other-chain"),
        ("11111111111111111111111111111111", "no-wallet"),
    ] {
        assert_eq!(refused(vault.solana(which, None)), expected, "{which}");
    }
    for (family, start, count, expected) in [
        ("bip99", 0.0, 1.0, "name"),
        ("bip44", -1.0, 1.0, "number"),
        ("bip44", 0.0, 0.5, "number"),
        ("bip44", 0.0, 1025.0, "derivation"),
        ("bip44", 2_147_483_647.0, 2.0, "derivation"),
        ("bip44", 4_294_967_296.0, 1.0, "number"),
    ] {
        assert_eq!(
            refused(vault.accounts(family, start, count)),
            expected,
            "{family} {start} {count}"
        );
    }
    let signer = vault.solana("", None).unwrap();
    assert_eq!(
        refused(signer.sign_transaction(&bytes([1, 2, 3]), "")),
        "transaction"
    );
    assert_eq!(
        refused(vault.import_key(&bytes("?"), "", "", None, "")),
        "key-file"
    );
    assert_eq!(
        refused(vault.import_key(&bytes([5_u8; 32]), "", "", None, "")),
        "key-ambiguous"
    );
}

#[wasm_bindgen_test]
fn a_locked_vault_takes_its_signers_along() {
    let mut vault = opened(NATIVE);
    let solana = vault.solana("", None).unwrap();
    let evm = vault.evm("", None).unwrap();
    vault.lock();
    assert!(vault.is_locked());
    for code in [
        refused(solana.sign_message(&bytes("hello"))),
        refused(evm.sign_message(&bytes("hello"))),
        refused(vault.export_vault()),
        refused(vault.wallets()),
        refused(vault.solana("", None)),
    ] {
        assert_eq!(code, "locked");
    }
}
