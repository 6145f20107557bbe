#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

#[test]
fn malformed_files_have_their_own_errors() {
    type Expected = fn(&KeyfileError) -> bool;
    let array = |numbers: usize| format!("[{}1]", "1,".repeat(numbers - 1));
    let cases: [(String, Expected); 26] = [
        (String::new(), |e| matches!(e, KeyfileError::Empty)),
        (" \n\t\u{feff}".replace('\u{feff}', ""), |e| {
            matches!(e, KeyfileError::Empty)
        }),
        ("x".repeat(MAX_FILE_BYTES + 1), |e| {
            matches!(e, KeyfileError::TooLarge { .. })
        }),
        (array(63), |e| matches!(e, KeyfileError::Length { found: 63, .. })),
        (array(65), |e| matches!(e, KeyfileError::Length { found: 65, .. })),
        (array(10_000), |e| {
            matches!(e, KeyfileError::Length { found: 65, .. })
        }),
        (array(31), |e| matches!(e, KeyfileError::Length { found: 31, .. })),
        ("[]".into(), |e| {
            matches!(e, KeyfileError::Length { found: 0, .. })
        }),
        (array(64).replacen('1', "256", 1), |e| {
            matches!(e, KeyfileError::NumberTooLarge { position: 1 })
        }),
        (array(64).replacen('1', "-1", 1), |e| {
            matches!(e, KeyfileError::NotNumbers)
        }),
        (array(64) + "]", |e| matches!(e, KeyfileError::NotNumbers)),
        (array(64) + "\n[1]", |e| matches!(e, KeyfileError::NotNumbers)),
        (array(64).replace(']', ""), |e| {
            matches!(e, KeyfileError::NotNumbers)
        }),
        ("0x".into(), |e| {
            matches!(e, KeyfileError::Length { found: 0, .. })
        }),
        (format!("0x{}", &SEED[1..]), |e| {
            matches!(e, KeyfileError::Length { found: 32, .. })
        }),
        (format!("0x{SEED}00"), |e| {
            matches!(e, KeyfileError::Length { found: 33, .. })
        }),
        (SEED.replacen('9', "g", 1), |e| {
            matches!(
                e,
                KeyfileError::Character {
                    format: Format::Base58,
                    ..
                }
            )
        }),
        (format!("0x{}", SEED.replacen('9', "g", 1)), |e| {
            matches!(
                e,
                KeyfileError::EitherCurve { .. } | KeyfileError::Character { position: 3, .. }
            )
        }),
        (bs58::encode([7; 63]).into_string(), |e| {
            matches!(e, KeyfileError::Length { found: 63, .. })
        }),
        (bs58::encode([7; 65]).into_string(), |e| {
            matches!(e, KeyfileError::Length { found: 65, .. })
        }),
        (bs58::encode([7; 300]).into_string(), |e| {
            matches!(
                e,
                KeyfileError::Length {
                    format: Format::Base58,
                    ..
                }
            )
        }),
        ("1".repeat(50), |e| {
            matches!(e, KeyfileError::Length { found: 50, .. })
        }),
        ("{}".into(), |e| matches!(e, KeyfileError::Unknown)),
        ("{\"crypto\":{},\"encryptedData\":\"\"}".into(), |e| {
            matches!(e, KeyfileError::Unknown)
        }),
        ("key-with-punctuation!".into(), |e| {
            matches!(e, KeyfileError::Unknown)
        }),
        ("two words".into(), |e| matches!(e, KeyfileError::Phrase(_))),
    ];
    for (text, expected) in cases {
        let error = refusal(text.as_bytes(), &plain_options());
        assert!(expected(&error), "{error:?} for {} bytes", text.len());
    }
    for bytes in [
        [0xff; 31].as_slice(),
        &[0xff; 33],
        &[0xff; 63],
        &[0xff; 65],
        &[0xff; 1],
    ] {
        assert!(matches!(refusal(bytes, &plain_options()), KeyfileError::Unknown));
    }
}

#[test]
fn malformed_encrypted_files_have_their_own_errors() {
    type Expected = fn(&KeyfileError) -> bool;
    let [wallet, ..] = WALLETS;
    let [encrypted, ..] = ENCRYPTED;
    let missing: Expected = |e| matches!(e, KeyfileError::MissingField { .. });
    let kind: Expected = |e| matches!(e, KeyfileError::FieldType { .. });
    let length: Expected = |e| matches!(e, KeyfileError::FieldLength { .. });
    let kdf: Expected = |e| matches!(e, KeyfileError::Kdf { .. });
    let cases: [(&str, &str, &str, Expected); 17] = [
        (wallet, "\"salt\"", "\"pepper\"", missing),
        (wallet, "\"nonce\"", "\"once\"", missing),
        (wallet, "\"salt\": \"", "\"salt\": \"*", kind),
        (wallet, "\"nonce\": \"", "\"nonce\": \"AAAA", length),
        (
            wallet,
            "\"encrypted_keypair\": \"",
            "\"encrypted_keypair\": \"",
            |e| matches!(e, KeyfileError::PasswordNeeded(_)),
        ),
        (wallet, "\"nonce\": ", "\"nonce\": [256], \"x\": ", |e| {
            matches!(e, KeyfileError::NumberTooLarge { position: 1 })
        }),
        (wallet, "\"nonce\": ", "\"nonce\": [1,2], \"x\": ", length),
        (
            wallet,
            "\"nonce\": ",
            "\"nonce\": [1,2,3,4,5,6,7,8,9,10,11,12,13], \"x\": ",
            length,
        ),
        (wallet, "\"nonce\": ", "\"nonce\": [true], \"x\": ", |e| {
            matches!(e, KeyfileError::NotNumbers)
        }),
        (wallet, "\"nonce\": ", "\"salt\": ", |e| {
            matches!(e, KeyfileError::DuplicateField { .. })
        }),
        (encrypted, "\"iterations\":100000", "\"iterations\":0", kdf),
        (encrypted, "\"iterations\":100000", "\"iterations\":10000001", kdf),
        (
            encrypted,
            "\"iterations\":100000",
            "\"iterations\":4294967296",
            kdf,
        ),
        (
            encrypted,
            "\"iterations\":100000",
            "\"iterations\":\"100000\"",
            kind,
        ),
        (encrypted, ",\"iterations\":100000", "", missing),
        (encrypted, "\"iv\":\"", "\"iv\":\"AAAA", length),
        (encrypted, "\"authTag\":\"", "\"authTag\":\"AAAA", length),
    ];
    for (file, from, to, expected) in cases {
        let text = file.replacen(from, to, 1);
        let options = if text == file {
            plain_options()
        } else {
            with_password(PASSWORD)
        };
        let error = refusal(text.as_bytes(), &options);
        assert!(expected(&error), "{from} as {to}: {error:?}");
    }
}

/// Identifier, date and count are not authenticated, and white space and unread names mean nothing; the rest is
/// refused.
#[test]
fn every_byte_flipped_is_refused_or_gives_the_same_key() {
    let [.., encrypted] = ENCRYPTED;
    all_flipped(encrypted, |bytes| import(bytes, &with_password(PASSWORD)));
    // One iteration instead of 100,000: the wallet's fields are read through the same functions.
    all_flipped(include_str!("../fixtures/cheap.wallet"), |bytes| {
        let text = plain::as_text(bytes).ok_or(KeyfileError::Unknown)?;
        let fields = json::Fields::parse(text)?;
        let content = sealed::open_wallet(&fields, kdf::Iterations::new(1)?, PASSWORD)?;
        import_content(Format::WalletJson, &content, &plain_options())
    });
}

fn all_flipped(file: &str, open: impl Fn(&[u8]) -> Result<Imported, KeyfileError>) {
    assert!(open(file.as_bytes()).is_ok());
    let mut same = 0;
    for at in 0..file.len() {
        let mut bytes = file.as_bytes().to_vec();
        bytes[at] ^= 1;
        if let Ok(found) = open(&bytes) {
            let Imported::Key(WalletKey::Ed25519(found)) = found else {
                panic!("{found:?}");
            };
            assert!(found.is_same_as(&key()), "byte {at}");
            same += 1;
        }
    }
    assert!(same < file.len() / 3, "{same}");
}

#[test]
fn every_truncation_is_refused() {
    let array = to_solana_keygen(&key());
    let base58 = to_base58(&key());
    let hex = to_hex(&WalletKey::Ed25519(key()));
    let texts = [array.as_str(), base58.as_str(), hex.as_str()];
    for text in WALLETS.into_iter().chain(ENCRYPTED).chain(texts) {
        let text = text.trim_end();
        for len in 0..text.len() {
            assert!(
                import(&text.as_bytes()[..len], &with_password(PASSWORD)).is_err(),
                "{len}"
            );
        }
    }
    for len in 0..64 {
        assert!(import(&pair()[..len], &plain_options()).is_err(), "{len}");
    }
}
