#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::string::ToString;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn key() -> RecoveryKey {
    RecoveryKey::from_bytes(core::array::from_fn(|i| i as u8))
}

/// The text was computed by a separate program from the documented layout.
const TEXT: &str = "000G-40R4-0M30-E209-185G-R38E-1W81-24GK-2GAH-C5RR-34D1-P70X-3RFG-Z2WQ";

#[test]
fn goes_both_ways() {
    assert_eq!(*key().expose_text(), TEXT);
    let sloppy = TEXT
        .to_lowercase()
        .replace('-', " ")
        .replace('0', "o")
        .replace('1', "l");
    for text in [TEXT, &TEXT.replace('-', ""), &sloppy, &format!("  {}\n", TEXT)] {
        assert_eq!(
            RecoveryKey::parse(text).unwrap().expose_bytes(),
            key().expose_bytes()
        );
    }
    for byte in [0, 0xff, 0x99] {
        let key = RecoveryKey::from_bytes([byte; 32]);
        let text = key.expose_text();
        assert_eq!(RecoveryKey::parse(&text).unwrap().expose_bytes(), &[byte; 32]);
    }
}

#[test]
fn every_changed_character_is_refused() {
    for (at, old) in TEXT.char_indices().filter(|(_, c)| *c != '-') {
        for new in ALPHABET
            .iter()
            .map(|byte| char::from(*byte))
            .filter(|new| *new != old)
        {
            let mut text = TEXT.to_string();
            text.replace_range(at..=at, &new.to_string());
            assert_eq!(
                RecoveryKey::parse(&text).unwrap_err(),
                RecoveryKeyError::Checksum,
                "{text}"
            );
        }
    }
}

#[test]
fn names_what_is_wrong() {
    let check = |text: &str, expected| assert_eq!(RecoveryKey::parse(text).unwrap_err(), expected, "{text}");
    for len in (0..TEXT.len()).filter(|len| !TEXT[*len..].is_empty()) {
        check(&TEXT[..len], RecoveryKeyError::Length);
    }
    check(&format!("{TEXT}0"), RecoveryKeyError::Length);
    check(&" ".repeat(257), RecoveryKeyError::Length);
    for wrong in ["U", "u", "!", "\u{e9}", "\0", "_"] {
        check(&TEXT.replacen('0', wrong, 1), RecoveryKeyError::Character);
    }
    check("abandon abandon ability", RecoveryKeyError::Length);
}

#[test]
fn debug_shows_nothing() {
    assert_eq!(format!("{:?}", key()), "RecoveryKey(<redacted>)");
}
