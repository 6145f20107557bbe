//! Recovery keys and second factors: what is read is written and read again the same.
#![no_main]

use keyward_core::vault::{RecoveryKey, SecondFactor, WalletPassword};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(key) = bytes.first_chunk::<32>() {
        let key = RecoveryKey::from_bytes(*key);
        let text = key.expose_text();
        let lax = text
            .to_lowercase()
            .replace('-', " ")
            .replace('0', "o")
            .replace('1', "l");
        for text in [text.as_str(), &lax] {
            let read = RecoveryKey::parse(text).expect("it was just written");
            assert_eq!(read.expose_bytes(), key.expose_bytes());
        }
    }
    if let Ok(password) = WalletPassword::new(bytes) {
        assert!(!password.expose_bytes().is_empty());
    }
    let Ok(text) = core::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(key) = RecoveryKey::parse(text) {
        let again = RecoveryKey::parse(&key.expose_text()).expect("it was just written");
        assert_eq!(again.expose_bytes(), key.expose_bytes());
    }
    if let Ok(factor) = SecondFactor::parse(text) {
        let hex: String = factor
            .expose_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let again = SecondFactor::parse(&hex).expect("64 hexadecimal digits");
        assert_eq!(again.expose_bytes(), factor.expose_bytes());
    }
});
