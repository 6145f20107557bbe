//! A phrase that is accepted is accepted again as it is written.
#![no_main]

use keyward_core::mnemonic::Mnemonic;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(mnemonic) = Mnemonic::parse(text) {
        let phrase = mnemonic.expose_phrase();
        let again = Mnemonic::parse(&phrase).expect("an accepted phrase is accepted again");
        assert_eq!(again.expose_phrase().as_str(), phrase.as_str());
    }
});
