//! `.wallet` files, whose 100,000 rounds of PBKDF2 make this the slowest target: no changed ciphertext opens.
#![no_main]

use keyward_core::keyfile::{Detected, Format, ImportOptions, Imported, detect, import};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if !matches!(detect(bytes), Ok(Detected::Certain(Format::WalletJson))) {
        return;
    }
    let options = ImportOptions {
        password: Some(b"correct horse battery staple"),
        ..ImportOptions::default()
    };
    match import(bytes, &options) {
        // Nobody makes another sealed key: it is the seeds' own.
        Ok(Imported::Key(key)) => assert_eq!(
            key.address().to_string(),
            "FVen3X669xLzsi6N2V91DoiyzHzg1uAgqiT8jZ9nS96Z"
        ),
        Ok(Imported::Phrase(_)) => panic!("no seed holds a phrase"),
        Err(error) => assert!(!error.to_string().contains(char::is_control)),
    }
});
