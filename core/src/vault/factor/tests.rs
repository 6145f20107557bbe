#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::string::String;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

const BYTES: [u8; 32] = [0xfb; 32];

#[test]
fn reads_hexadecimal_and_base64() {
    let hex = hex::encode(BYTES);
    let base64 = BASE64.encode(BYTES);
    assert_eq!(base64.len(), 44);
    for text in [
        hex.clone(),
        hex.to_uppercase(),
        format!(" {hex}\n"),
        base64.clone(),
        format!("{base64}\n"),
        String::from(base64.trim_end_matches('=')),
    ] {
        assert_eq!(
            SecondFactor::parse(&text).unwrap().expose_bytes(),
            &BYTES,
            "{text}"
        );
    }
}

#[test]
fn refuses_everything_else() {
    for text in [
        String::new(),
        String::from("secret"),
        hex::encode([1; 31]),
        hex::encode([1; 33]),
        format!("{}g", &hex::encode(BYTES)[1..]),
        format!("0x{}", hex::encode(BYTES)),
        BASE64.encode([1; 31]),
        BASE64.encode([1; 33]),
        BASE64.encode([1; 48]),
        // The URL-safe alphabet, and a last character with bits beyond the 32 bytes.
        BASE64.encode([0xff; 32]).replace('/', "_"),
        format!("{}B=", &BASE64.encode([0; 32])[..42]),
        "A".repeat(100_000),
    ] {
        assert_eq!(
            SecondFactor::parse(&text).unwrap_err(),
            SecondFactorError,
            "{text:.80}"
        );
    }
}

#[test]
fn debug_shows_nothing() {
    let factor = SecondFactor::parse(&hex::encode(BYTES)).unwrap();
    assert_eq!(format!("{factor:?}"), "SecondFactor(<redacted>)");
}
