//! Every format: fixtures that other programs wrote, round trips, and many ways to be wrong.
#![expect(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::ed25519::SecretKey;
use crate::secp256k1;

mod damage;

const PASSWORD: &[u8] = b"correct horse battery staple";
/// RFC 8032 section 7.1, test 1: the key that the fixtures hold.
const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const PHRASE: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

const WALLETS: [&str; 3] = [
    include_str!("fixtures/base64.wallet"),
    include_str!("fixtures/hex.wallet"),
    include_str!("fixtures/numbers.wallet"),
];
const ENCRYPTED: [&str; 3] = [
    include_str!("fixtures/bytes.encrypted.json"),
    include_str!("fixtures/base58.encrypted.json"),
    include_str!("fixtures/numbers.encrypted.json"),
];

fn key() -> SecretKey {
    SecretKey::from_seed(&hex::decode(SEED).unwrap().try_into().unwrap())
}

fn pair() -> Vec<u8> {
    hex::decode(format!("{SEED}{PUBLIC}")).unwrap()
}

fn plain_options() -> ImportOptions<'static> {
    ImportOptions::default()
}

fn with_chain(chain: Chain) -> ImportOptions<'static> {
    ImportOptions {
        chain: Some(chain),
        ..ImportOptions::default()
    }
}

fn with_password(password: &[u8]) -> ImportOptions<'_> {
    ImportOptions {
        password: Some(password),
        ..ImportOptions::default()
    }
}

fn solana(bytes: &[u8], options: &ImportOptions<'_>) -> SecretKey {
    match import(bytes, options) {
        Ok(Imported::Key(WalletKey::Ed25519(key))) => key,
        other => panic!("{other:?}"),
    }
}

fn refusal(bytes: &[u8], options: &ImportOptions<'_>) -> KeyfileError {
    match import(bytes, options) {
        Err(error) => error,
        Ok(found) => panic!("accepted: {found:?}"),
    }
}

#[test]
fn plain_secrets_are_read() {
    let array = format!("{:?}", pair());
    let spaced = array.replace(',', " ,\r\n");
    let base58 = bs58::encode(pair()).into_string();
    let hex = hex::encode(pair());
    for text in [
        array.clone(),
        spaced,
        format!("\u{feff}{array}\n"),
        format!("{:?}", &pair()[..32]),
        base58.clone(),
        format!("  {base58}\r\n"),
        hex.clone(),
        format!("0x{}\n", hex.to_uppercase()),
    ] {
        assert!(
            solana(text.as_bytes(), &plain_options()).is_same_as(&key()),
            "{text}"
        );
        assert!(solana(text.as_bytes(), &with_chain(Chain::Solana)).is_same_as(&key()));
        assert!(matches!(
            refusal(text.as_bytes(), &with_chain(Chain::Evm)),
            KeyfileError::WrongChain {
                chain: Chain::Evm,
                ..
            }
        ));
    }
    assert!(solana(&pair(), &plain_options()).is_same_as(&key()));
    assert_eq!(detect(&pair()).unwrap(), Detected::Certain(Format::Raw));
}

#[test]
fn ambiguous_keys_are_asked_about() {
    let seed = hex::decode(SEED).unwrap();
    let prefixed = format!("0x{SEED}");
    for (bytes, format) in [
        (SEED.as_bytes(), Format::Hex),
        (prefixed.as_bytes(), Format::Hex),
        (&seed, Format::Raw),
    ] {
        let found = detect(bytes).unwrap();
        assert_eq!(found, Detected::EitherCurve(format));
        assert_eq!(found.choices(), Chain::ALL);
        assert!(matches!(
            refusal(bytes, &plain_options()),
            KeyfileError::EitherCurve { .. }
        ));
        assert!(solana(bytes, &with_chain(Chain::Solana)).is_same_as(&key()));
        let Imported::Key(WalletKey::Secp256k1(evm)) = import(bytes, &with_chain(Chain::Evm)).unwrap() else {
            panic!("an EVM key");
        };
        assert_eq!(evm.expose_bytes().as_slice(), seed);
    }
    let base58 = bs58::encode(&seed).into_string();
    assert_eq!(detect(base58.as_bytes()).unwrap(), Detected::SeedOrAddress);
    assert!(matches!(
        refusal(base58.as_bytes(), &plain_options()),
        KeyfileError::SeedOrAddress
    ));
    assert!(matches!(
        refusal(base58.as_bytes(), &with_chain(Chain::Evm)),
        KeyfileError::WrongChain { .. }
    ));
    assert!(solana(base58.as_bytes(), &with_chain(Chain::Solana)).is_same_as(&key()));
}

#[test]
fn phrases_are_read() {
    let Imported::Phrase(phrase) = import(PHRASE.as_bytes(), &plain_options()).unwrap() else {
        panic!("a phrase");
    };
    assert_eq!(phrase.expose_phrase().as_str(), PHRASE);
    assert_eq!(
        detect(PHRASE.as_bytes()).unwrap(),
        Detected::Certain(Format::Phrase)
    );
    assert!(matches!(
        refusal(PHRASE.replace("about", "above").as_bytes(), &plain_options()),
        KeyfileError::Phrase(_)
    ));
}

#[cfg(feature = "all-wordlists")]
#[test]
fn a_phrase_of_several_languages_is_read_in_the_one_that_is_named() {
    use crate::mnemonic::MnemonicError;

    // Its words are in the English list and in the French, and the checksum holds in both.
    let phrase = "volume innocent science phrase figure lecture intact concert guide fatigue sentence wagon";
    let lists = [Wordlist::English, Wordlist::French];
    for bytes in [phrase, include_str!("fixtures/two_languages.encrypted.json")] {
        let error = refusal(bytes.as_bytes(), &with_password(PASSWORD));
        assert!(
            matches!(&error, KeyfileError::Phrase(MnemonicError::Ambiguous { wordlists }) if *wordlists == lists),
            "{error}"
        );
        for wordlist in lists {
            let options = ImportOptions {
                wordlist: Some(wordlist),
                ..with_password(PASSWORD)
            };
            let Imported::Phrase(found) = import(bytes.as_bytes(), &options).unwrap() else {
                panic!("a phrase");
            };
            assert_eq!(found.wordlist(), wordlist);
            assert_eq!(found.expose_phrase().as_str(), phrase);
        }
        let options = ImportOptions {
            wordlist: Some(Wordlist::Spanish),
            ..with_password(PASSWORD)
        };
        assert!(matches!(
            refusal(bytes.as_bytes(), &options),
            KeyfileError::Phrase(_)
        ));
    }
}

#[test]
fn encrypted_files_of_another_program_open() {
    for text in WALLETS.into_iter().chain(ENCRYPTED) {
        assert!(
            solana(text.as_bytes(), &with_password(PASSWORD)).is_same_as(&key()),
            "{text}"
        );
        assert!(matches!(
            refusal(text.as_bytes(), &with_password(b"wrong")),
            KeyfileError::Refused
        ));
        assert!(matches!(
            refusal(text.as_bytes(), &plain_options()),
            KeyfileError::PasswordNeeded(_)
        ));
    }
    for text in WALLETS {
        assert_eq!(
            detect(text.as_bytes()).unwrap(),
            Detected::Certain(Format::WalletJson)
        );
    }
    for text in ENCRYPTED {
        assert_eq!(
            detect(text.as_bytes()).unwrap(),
            Detected::Certain(Format::EncryptedJson)
        );
    }
}

#[test]
fn a_public_half_that_does_not_match_is_refused() {
    for at in 0..64 {
        let mut wrong = pair();
        wrong[at] ^= 1;
        for bytes in [
            wrong.clone(),
            format!("{wrong:?}").into_bytes(),
            hex::encode(&wrong).into_bytes(),
            bs58::encode(&wrong).into_vec(),
        ] {
            assert!(matches!(
                refusal(&bytes, &plain_options()),
                KeyfileError::PublicKeyMismatch
            ));
        }
    }
}

#[test]
fn zero_keys_and_keys_beyond_the_order_are_refused() {
    let zeros = [0_u8; 32];
    for bytes in [
        zeros.to_vec(),
        format!("{zeros:?}").into_bytes(),
        hex::encode(zeros).into_bytes(),
        hex::encode([0; 64]).into_bytes(),
        [0; 64].to_vec(),
        bs58::encode(zeros).into_vec(),
    ] {
        let options = ImportOptions {
            chain: Some(Chain::Solana),
            format: (bytes.len() == 32 || bytes.len() == 64).then_some(match bytes.first() {
                Some(0) => Format::Raw,
                Some(b'1') => Format::Base58,
                _ => Format::Hex,
            }),
            ..plain_options()
        };
        assert!(
            matches!(refusal(&bytes, &options), KeyfileError::ZeroKey),
            "{bytes:?}"
        );
    }
    // SEC 2 section 2.4.1: the order of secp256k1.
    let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    for text in [
        order,
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ] {
        assert!(matches!(
            refusal(text.as_bytes(), &with_chain(Chain::Evm)),
            KeyfileError::NotASecp256k1Key
        ));
    }
}

#[test]
fn a_named_format_is_held_to() {
    let named = |format| ImportOptions {
        format: Some(format),
        ..with_password(PASSWORD)
    };
    let [wallet, ..] = WALLETS;
    for format in [Format::EncryptedJson, Format::KeystoreV3] {
        assert!(matches!(
            refusal(wallet.as_bytes(), &named(format)),
            KeyfileError::NotThisFormat(found) if found == format
        ));
    }
    for format in Format::ALL.into_iter().filter(|format| *format != Format::Raw) {
        // Bytes that are no text.
        assert!(import(&[0xff; 64], &named(format)).is_err(), "{format}");
        assert!(
            import(&[b'x'; MAX_FILE_BYTES + 1], &named(format)).is_err(),
            "{format}"
        );
        assert_eq!(Format::from_id(format.id()), Some(format));
    }
    assert!(matches!(
        refusal(SEED.replacen('9', "g", 1).as_bytes(), &named(Format::Hex)),
        KeyfileError::Character {
            format: Format::Hex,
            position: 1
        }
    ));
    assert!(matches!(
        refusal(b"KEYWARD\0\0\x01 and so on", &plain_options()),
        KeyfileError::KeywardVault
    ));
}

#[test]
fn nothing_secret_is_shown() {
    let base58 = bs58::encode(pair()).into_string();
    let canaries = [SEED, &SEED[..16], &base58[..16], "horse", "157, 97", "abandon"];
    let imported = import(base58.as_bytes(), &plain_options()).unwrap();
    let mut shown = format!(
        "{imported:?} {:?}",
        import(PHRASE.as_bytes(), &plain_options()).unwrap()
    );
    shown.push_str(&format!("{:?}", with_password(PASSWORD)));
    let broken = [
        base58.replacen(&base58[20..21], "0", 1),
        base58[1..].into(),
        SEED[1..].into(),
        format!("0x{SEED}ff"),
        SEED.into(),
        bs58::encode(hex::decode(SEED).unwrap()).into_string(),
        format!("{:?}", pair()).replacen("157", "1570", 1),
        format!("{:?}", pair()) + "x",
        format!("{{\"{SEED}\":1,\"{SEED}\":2}}"),
        format!("{{\"crypto\":\"{SEED}\",\"version\":3}}"),
        format!("{PHRASE} abandon"),
        PHRASE.replace("about", "abandonx"),
    ];
    for text in &broken {
        let error = refusal(text.as_bytes(), &with_password(PASSWORD));
        shown.push_str(&format!("{error} {error:?}\n"));
    }
    for canary in canaries {
        assert!(!shown.contains(canary), "{canary} in {shown}");
    }
}

proptest! {
    #[test]
    fn solana_keys_round_trip(seed in any::<[u8; 32]>().prop_filter("not zero", |seed| *seed != [0; 32])) {
        let key = SecretKey::from_seed(&seed);
        for text in [to_solana_keygen(&key), to_base58(&key), to_hex(&WalletKey::Ed25519(SecretKey::from_seed(&seed)))] {
            prop_assert!(solana(text.as_bytes(), &plain_options()).is_same_as(&key));
        }
        let pair = [seed, *key.address().as_bytes()].concat();
        let array = to_solana_keygen(&key);
        prop_assert_eq!(array.as_str(), serde_json::to_string(&pair).unwrap());
        let base58 = to_base58(&key);
        prop_assert_eq!(base58.as_str(), bs58::encode(&pair).into_string());
    }

    #[test]
    fn evm_keys_round_trip(bytes in any::<[u8; 32]>()) {
        let Ok(key) = secp256k1::SecretKey::from_bytes(&bytes) else { return Ok(()) };
        let key = WalletKey::Secp256k1(key);
        let text = to_hex(&key);
        prop_assert_eq!(text.as_str(), format!("0x{}", hex::encode(bytes)));
        let Imported::Key(found) = import(text.as_bytes(), &with_chain(Chain::Evm)).unwrap() else { panic!("a key") };
        prop_assert!(found.is_same_as(&key));
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), pick in 0..9_usize) {
        let options = ImportOptions { format: Some(Format::ALL[pick]), ..with_password(PASSWORD) };
        let _ = detect(&bytes);
        let _ = import(&bytes, &options);
        let _ = import(&bytes, &with_password(PASSWORD));
    }

    #[test]
    fn any_text_is_read_without_panic(text in "[\\[{\"0-9a-fA-Zx:,\\]} \\\\]{0,140}") {
        let _ = import(text.as_bytes(), &with_password(PASSWORD));
    }
}
