//! Other programs' key files: never a panic, what is read can be written and read again, and what was detected is
//! what is read.
//!
//! `.wallet` files have a target of their own, for their key stretching cannot be made cheap; files that ask for more
//! than a little of it are left out.
#![no_main]

use keyward_core::account::Chain;
use keyward_core::key::WalletKey;
use keyward_core::keyfile::{
    Detected, Format, ImportOptions, Imported, KeyfileError, detect, import, to_base58, to_hex,
    to_solana_keygen,
};
use keyward_core::mnemonic::Mnemonic;
use keyward_fuzz::json::dearest;
use libfuzzer_sys::fuzz_target;

/// The password of the seeds.
const PASSWORD: &[u8] = b"correct horse battery staple";

/// Rounds: with `version`, the lengths and scrypt's three numbers multiplied.
const DEAREST: u64 = 1_000_000;

fuzz_target!(|bytes: &[u8]| {
    let detected = detect(bytes);
    for format in Format::ALL {
        let as_format = options(Some(format), None, None);
        match import(bytes, &as_format) {
            Ok(_) => assert!(!format.is_encrypted()),
            Err(KeyfileError::PasswordNeeded(needed)) => {
                assert!(needed == format && format.is_encrypted());
                assert!(matches!(detected, Ok(Detected::Certain(found)) if found == format));
            }
            Err(error) => assert!(!error.to_string().contains(char::is_control)),
        }
    }
    let Ok(detected) = detected else {
        assert!(import(bytes, &ImportOptions::default()).is_err());
        return;
    };
    assert!(bytes.len() <= keyward_core::keyfile::MAX_FILE_BYTES);
    let encrypted = detected.format().is_encrypted();
    if encrypted && !is_cheap(bytes, detected.format()) {
        return;
    }
    for chain in [None, Some(Chain::Solana), Some(Chain::Evm)] {
        let read = import(bytes, &options(None, chain, Some(PASSWORD)));
        if chain.is_none() && !detected.choices().is_empty() {
            assert!(read.is_err(), "what is ambiguous is asked about");
        }
        match read {
            Ok(Imported::Key(key)) => {
                assert!(chain.is_none_or(|chain| chain == key.address().chain()));
                write(&key);
            }
            Ok(Imported::Phrase(mnemonic)) => {
                let phrase = mnemonic.expose_phrase();
                let again = Mnemonic::parse(&phrase).expect("an accepted phrase is accepted again");
                assert_eq!(again.expose_entropy(), mnemonic.expose_entropy());
            }
            Err(error) => assert!(!error.to_string().contains(char::is_control)),
        }
    }
});

fn options(format: Option<Format>, chain: Option<Chain>, password: Option<&[u8]>) -> ImportOptions<'_> {
    ImportOptions {
        format,
        chain,
        password,
        ..ImportOptions::default()
    }
}

fn is_cheap(bytes: &[u8], format: Format) -> bool {
    format != Format::WalletJson && core::str::from_utf8(bytes).is_ok_and(|text| dearest(text) <= DEAREST)
}

fn write(key: &WalletKey) {
    let mut texts = vec![to_hex(key)];
    if let WalletKey::Ed25519(key) = key {
        texts.extend([to_base58(key), to_solana_keygen(key)]);
    }
    for text in texts {
        let chain = Some(key.address().chain());
        match import(text.as_bytes(), &options(None, chain, None)) {
            Ok(Imported::Key(again)) => assert!(again.is_same_as(key)),
            _ => panic!("a key that was written is no key"),
        }
    }
}
