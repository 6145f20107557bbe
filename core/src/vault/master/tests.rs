#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::string::{String, ToString};

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn master(entropy: &[u8], passphrase: &str) -> MasterSecret {
    MasterSecret::new(&Mnemonic::from_entropy(entropy).unwrap(), passphrase).unwrap()
}

#[test]
fn its_encoding_is_pinned() {
    let encoded = master(&[0x11; 16], "caf\u{e9}").encode();
    assert_eq!(encoded.len(), 256);
    insta::assert_snapshot!(hex::encode(encoded.as_slice()), @"01001000061111111111111111111111111111111163616665cc8100000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000");
}

#[test]
fn its_length_tells_nothing_below_a_block() {
    for (entropy, passphrase) in [(16, 0), (32, 0), (16, 100), (32, 219)] {
        let encoded = master(&alloc::vec![1; entropy], &"x".repeat(passphrase)).encode();
        assert_eq!(encoded.len(), 256, "{entropy} {passphrase}");
        assert_eq!(encoded.capacity(), 256, "grown, and so copied");
    }
    assert_eq!(master(&[1; 32], &"x".repeat(220)).encode().len(), 512);
    // The longest still fits in a record.
    assert!(master(&[1; 32], &"x".repeat(MAX_PASSPHRASE_LEN)).encode().len() <= super::super::MAX_SECRET_LEN);
}

#[test]
fn refuses_a_passphrase_that_is_too_long() {
    let phrase = Mnemonic::from_entropy(&[1; 16]).unwrap();
    for (text, found) in [
        ("x".repeat(1025), 1025),
        ("\u{e9}".repeat(400), 1200),
        ("x".repeat(1 << 20), 1 << 20),
    ] {
        assert_eq!(
            MasterSecret::new(&phrase, &text).unwrap_err(),
            VaultError::PassphraseTooLong { found }
        );
    }
}

#[test]
fn refuses_what_it_did_not_write() {
    let good = master(&[1; 16], "passphrase").encode();
    let refused = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.to_vec();
        change(&mut bytes);
        assert_eq!(MasterSecret::decode(&bytes).unwrap_err(), OpenError::Refused);
    };
    assert!(MasterSecret::decode(&good).is_ok());
    refused(&|bytes| bytes.clear());
    refused(&|bytes| bytes[0] = 2); // version
    refused(&|bytes| bytes[1] = 10); // wordlist
    refused(&|bytes| bytes[2] = 15); // entropy of no phrase
    refused(&|bytes| bytes[2] = 255);
    refused(&|bytes| bytes[3] = 255); // passphrase beyond the end
    refused(&|bytes| bytes[255] = 1); // padding
    refused(&|bytes| bytes[21] = 0xff); // not UTF-8
    refused(&|bytes| bytes.push(0));
    refused(&|bytes| bytes.truncate(255));
    refused(&|bytes| bytes.extend_from_slice(&[0; 256])); // more padding than needed
    // "e" with an acute accent in one character is not NFKD.
    refused(&|bytes| bytes[21..23].copy_from_slice("\u{e9}".as_bytes()));
}

#[test]
fn debug_shows_nothing() {
    let shown = format!("{:?}", master(&[1; 16], "canary"));
    assert_eq!(shown, "MasterSecret(<redacted>)");
}

/// Some of the cases where a page would wait for all of them.
fn some_or_all() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if cfg!(target_arch = "wasm32") {
        config.cases = 16;
    }
    config
}

proptest! {
    #![proptest_config(some_or_all())]

    #[test]
    fn round_trips(entropy in prop::collection::vec(any::<u8>(), 16..=16), passphrase in "\\PC{0,40}") {
        let phrase = Mnemonic::from_entropy(&entropy).unwrap();
        let made = MasterSecret::new(&phrase, &passphrase).unwrap();
        let read = MasterSecret::decode(&made.encode()).unwrap();
        prop_assert_eq!(read.expose_mnemonic().expose_entropy(), entropy);
        prop_assert_eq!(read.expose_passphrase(), made.expose_passphrase());
        let (from_read, from_phrase) = (read.to_seed(), phrase.to_seed(&passphrase));
        prop_assert_eq!(from_read.expose_bytes(), from_phrase.expose_bytes());
    }

    #[test]
    fn no_bytes_panic_and_what_is_read_is_canonical(bytes in prop::collection::vec(any::<u8>(), 0..600), len in 0_u8..40) {
        let mut bytes = bytes;
        if let [version, list, entropy, high, low, ..] = &mut bytes[..] {
            (*version, *list, *entropy, *high, *low) = (1, 0, 16, 0, len);
            let end = 5 + 16 + usize::from(len);
            if bytes.len() > end {
                bytes.truncate(256);
                bytes[end.min(256)..].fill(0);
                bytes.resize(256, 0);
            }
        }
        if let Ok(read) = MasterSecret::decode(&bytes) {
            prop_assert_eq!(&*read.encode(), &bytes);
        }
    }
}

#[test]
fn languages_are_kept() {
    let Some(list) = Wordlist::from_code(Wordlist::Spanish.code()) else {
        return; // compiled without the other lists
    };
    let phrase = Mnemonic::from_entropy_in(list, &[3; 20]).unwrap();
    let read = MasterSecret::decode(&MasterSecret::new(&phrase, "").unwrap().encode()).unwrap();
    let (kept, given): (String, String) = (
        read.expose_mnemonic().expose_phrase().to_string(),
        phrase.expose_phrase().to_string(),
    );
    assert_eq!(kept, given);
}
