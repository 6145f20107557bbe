//! Ethereum keystores: published vectors, ethers' files, our own, and damaged ones.
#![expect(clippy::unwrap_used, reason = "tests")]

use alloc::vec::Vec;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::{ImportOptions, Imported, import};
use super::*;

const PASSWORD: &[u8] = b"correct horse battery staple";
/// Hardhat's first account, the key that the fixtures hold.
const KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const CHEAP: &str = include_str!("../fixtures/ethers-cheap.keystore.json");

fn read(text: &str, password: &[u8]) -> Result<SecretKey, KeyfileError> {
    let options = ImportOptions {
        password: Some(password),
        ..ImportOptions::default()
    };
    match import(text.as_bytes(), &options)? {
        Imported::Key(WalletKey::Secp256k1(key)) => Ok(key),
        other => panic!("{other:?}"),
    }
}

fn is_refused(text: &str, expected: fn(&KeyfileError) -> bool) {
    match read(text, PASSWORD) {
        Err(error) => assert!(expected(&error), "{error:?}"),
        Ok(_) => panic!("accepted: {text}"),
    }
}

/// The two test vectors of the Web3 Secret Storage Definition
/// (<https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage/>).
#[test]
fn the_published_vectors_open() {
    const PBKDF2: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2",
        "kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256",
        "salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
        "mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},
        "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;
    const SCRYPT: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"83dbcc02d8ccb40e466191a123791e0e"},
        "ciphertext":"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c","kdf":"scrypt",
        "kdfparams":{"dklen":32,"n":262144,"p":8,"r":1,
        "salt":"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},
        "mac":"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"},
        "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;
    for text in [PBKDF2, SCRYPT] {
        let key = read(text, b"testpassword").unwrap();
        assert_eq!(
            hex::encode(key.expose_bytes()),
            "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"
        );
        assert_eq!(
            hex::encode(key.address().as_bytes()),
            "008aeeda4d805471df9b2a5b0f38a0c3bcba786b"
        );
    }
}

#[test]
fn keystores_of_ethers_open() {
    let standard = include_str!("../fixtures/ethers.keystore.json");
    let ligature = include_str!("../fixtures/ethers-ligature.keystore.json");
    for (text, password) in [
        (standard, PASSWORD),
        (CHEAP, PASSWORD),
        // As typed, and as ethers reads it.
        (ligature, "\u{fb01}ve of them".as_bytes()),
        (ligature, b"five of them"),
    ] {
        assert_eq!(hex::encode(read(text, password).unwrap().expose_bytes()), KEY);
    }
    assert!(matches!(read(standard, b"wrong"), Err(KeyfileError::Refused)));
    assert!(matches!(read(standard, b"\xff\xfe"), Err(KeyfileError::Refused)));
}

#[test]
fn what_is_written_is_read_again() {
    let key = SecretKey::from_bytes(&hex::decode(KEY).unwrap().try_into().unwrap()).unwrap();
    let random = KeystoreRandom {
        salt: [1; 32],
        iv: [2; 16],
        id: [0xff; 16],
    };
    let text = to_keystore(&key, PASSWORD, KdfParams::MINIMUM, &random).unwrap();
    assert!(
        text.contains("\"id\":\"ffffffff-ffff-4fff-bfff-ffffffffffff\""),
        "{text}"
    );
    assert!(
        text.contains("\"address\":\"f39fd6e51aad88f6f4ce6ab8827279cfffb92266\""),
        "{text}"
    );
    assert!(
        text.contains("\"n\":16384,\"p\":1,\"r\":8") && !text.contains(KEY),
        "{text}"
    );
    assert!(read(&text, PASSWORD).unwrap().is_same_as(&key));
    assert!(matches!(
        to_keystore(&key, b"", KdfParams::MINIMUM, &random),
        Err(KeyfileError::PasswordNeeded(Format::KeystoreV3))
    ));
}

#[test]
fn a_wrong_address_is_refused_and_an_absent_one_is_not() {
    const ADDRESS: &str = "\"address\":\"f39fd6e51aad88f6f4ce6ab8827279cfffb92266\",";
    for instead in [
        "",
        "\"address\":\"\",",
        "\"address\":null,",
        "\"address\":\"0xF39fd6e51aad88f6f4ce6ab8827279cfffb92266\",",
    ] {
        let text = CHEAP.replace(ADDRESS, instead);
        assert_ne!(text, CHEAP);
        assert!(read(&text, PASSWORD).is_ok(), "{instead}");
    }
    let other = CHEAP.replace("f39fd6", "f39fd7");
    is_refused(&other, |error| {
        matches!(error, KeyfileError::AddressMismatch { .. })
    });
    let shown = alloc::format!("{}", read(&other, PASSWORD).unwrap_err());
    assert!(
        shown.contains("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
        "{shown}"
    );
    is_refused(&CHEAP.replace("f39fd6", "39fd6"), |error| {
        matches!(error, KeyfileError::FieldLength { field: "address", .. })
    });
}

#[test]
fn unknown_and_costly_parameters_are_refused_before_any_work() {
    let kdf = |error: &KeyfileError| matches!(error, KeyfileError::Kdf { .. });
    let unsupported = |error: &KeyfileError| matches!(error, KeyfileError::Unsupported { .. });
    let missing = |error: &KeyfileError| matches!(error, KeyfileError::MissingField { .. });
    let length = |error: &KeyfileError| matches!(error, KeyfileError::FieldLength { .. });
    let kind = |error: &KeyfileError| matches!(error, KeyfileError::FieldType { .. });
    type Expected = fn(&KeyfileError) -> bool;
    let cases: [(&str, &str, Expected); 32] = [
        ("\"version\":3", "\"version\":1", |e| {
            matches!(e, KeyfileError::Version { found: 1 })
        }),
        ("\"version\":3", "\"version\":4", |e| {
            matches!(e, KeyfileError::Version { found: 4 })
        }),
        ("\"version\":3", "\"version\":\"3\"", kind),
        ("\"version\":3,", "", missing),
        ("\"Crypto\"", "\"crypto\":{},\"Crypto\"", |e| {
            matches!(e, KeyfileError::Unknown)
        }),
        ("\"version\":3", "\"version\":3,\"version\":3", |e| {
            matches!(e, KeyfileError::DuplicateField { .. })
        }),
        ("aes-128-ctr", "aes-128-cbc", unsupported),
        ("\"kdf\":\"scrypt\"", "\"kdf\":\"argon2id\"", unsupported),
        ("\"kdf\":\"scrypt\"", "\"kdf\":\"pbkdf2\"", missing),
        ("\"kdf\":\"scrypt\"", "\"kdf\":\"pbkdf2\",\"prf\":\"x\"", missing),
        ("\"n\":2", "\"n\":0", kdf),
        ("\"n\":2", "\"n\":1", kdf),
        ("\"n\":2", "\"n\":3", kdf),
        ("\"n\":2", "\"n\":16777216", kdf),
        ("\"n\":2", "\"n\":9223372036854775808", kdf),
        ("\"n\":2", "\"n\":2.0", kind),
        ("\"n\":2", "\"n\":-2", kind),
        ("\"n\":2", "\"n\":\"2\"", kind),
        ("\"r\":1", "\"r\":0", kdf),
        ("\"r\":1", "\"r\":18446744073709551615", kdf),
        ("\"p\":1", "\"p\":0", kdf),
        ("\"p\":1", "\"p\":4294967296", kdf),
        ("\"p\":1", "\"p\":16777216", kdf),
        ("\"dklen\":32", "\"dklen\":64", kdf),
        ("\"dklen\":32", "\"dklen\":16", kdf),
        ("\"dklen\":32,", "", missing),
        ("\"iv\":\"", "\"iv\":\"00", length),
        ("\"ciphertext\":\"", "\"ciphertext\":\"00", length),
        ("\"mac\":\"", "\"mac\":\"zz", length),
        ("\"salt\":\"", "\"salt\":\"z", kind),
        ("\"salt\":\"", "\"salt\":\"\",\"x\":\"", length),
        ("\"cipherparams\":{", "\"cipherparams\":7,\"x\":{", kind),
    ];
    for (from, to, expected) in cases {
        let text = CHEAP.replacen(from, to, 1);
        assert_ne!(text, CHEAP, "{from}");
        is_refused(&text, expected);
    }
    let long = CHEAP.replace(
        "\"salt\":\"",
        &alloc::format!("\"salt\":\"{}", "0".repeat(2 * MAX_SALT)),
    );
    is_refused(&long, length);
    for iterations in ["0", "10000001", "4294967297"] {
        let to = alloc::format!("\"kdfparams\":{{\"prf\":\"hmac-sha256\",\"c\":{iterations},");
        let text = CHEAP
            .replace("\"kdfparams\":{", &to)
            .replace("\"kdf\":\"scrypt\"", "\"kdf\":\"pbkdf2\"");
        is_refused(&text, kdf);
    }
    let text = CHEAP
        .replace(
            "\"kdfparams\":{",
            "\"kdfparams\":{\"prf\":\"hmac-sha512\",\"c\":1,",
        )
        .replace("\"kdf\":\"scrypt\"", "\"kdf\":\"pbkdf2\"");
    is_refused(&text, unsupported);
}

/// Neither the identifier, an upper-case digit nor the name of an unread field changes the key; the rest is refused.
#[test]
fn every_byte_flipped_is_refused_or_gives_the_same_key() {
    let original = read(CHEAP, PASSWORD).unwrap();
    let mut same = 0;
    for (at, bit) in (0..CHEAP.len()).flat_map(|at| [(at, 1), (at, 0x20)]) {
        let mut bytes = CHEAP.as_bytes().to_vec();
        bytes[at] ^= bit;
        let options = ImportOptions {
            password: Some(PASSWORD),
            ..ImportOptions::default()
        };
        if let Ok(Imported::Key(key)) = import(&bytes, &options) {
            assert_eq!(key.expose_secret(), original.expose_bytes(), "byte {at}");
            same += 1;
        }
    }
    assert!(same > 0 && same < CHEAP.len(), "{same}");
}

#[test]
fn every_truncation_is_refused() {
    for len in 0..CHEAP.len() {
        let cut: Vec<u8> = CHEAP.as_bytes()[..len].to_vec();
        assert!(
            read(core::str::from_utf8(&cut).unwrap(), PASSWORD).is_err(),
            "{len}"
        );
    }
}
