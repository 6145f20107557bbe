//! Addresses, amounts and derivation paths: one reading, and never a panic.
#![no_main]

use keyward_core::address::{Address, Signature};
use keyward_core::amount::{Lamports, parse_units};
use keyward_core::path::DerivationPath;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(address) = text.parse::<Address>() {
        assert_eq!(address.to_string(), text);
    }
    if let Ok(signature) = text.parse::<Signature>() {
        assert_eq!(signature.to_string(), text);
    }
    if let Ok(lamports) = Lamports::parse(text) {
        let shown = lamports.to_string().replace(',', "");
        assert_eq!(Lamports::parse(&shown), Ok(lamports));
    }
    for decimals in [0, 6, 255] {
        let _ = parse_units(text, decimals);
    }
    if let Ok(path) = text.parse::<DerivationPath>() {
        let shown = path.to_string();
        assert_eq!(shown.parse::<DerivationPath>().map(|p| p.to_string()), Ok(shown));
    }
});
