#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::string::ToString;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

#[test]
fn ids_go_both_ways() {
    let id = VaultId::from_bytes([0xab; 16]);
    assert_eq!(id.to_string(), "ab".repeat(16));
    assert_eq!(id.to_string().parse(), Ok(id));
    assert_eq!("AB".repeat(16).parse(), Ok(RecordId::from_bytes([0xab; 16])));
    for text in [
        "",
        "ab",
        &"ab".repeat(15),
        &"ab".repeat(17),
        &"ag".repeat(16),
        &"é".repeat(16),
    ] {
        assert_eq!(text.parse::<VaultId>(), Err(IdError), "{text}");
    }
}

#[test]
fn subkeys_differ_by_label_and_vault_key() {
    let key = VaultKey::from_bytes([1; 32]);
    let subkey = |label| *key.derive_subkey(label);
    assert_eq!(subkey("audit"), subkey("audit"));
    assert_ne!(subkey("audit"), subkey("audit "));
    assert_ne!(subkey(""), *key.expose_bytes());
    assert_ne!(
        subkey("audit"),
        *VaultKey::from_bytes([2; 32]).derive_subkey("audit")
    );
    insta::assert_snapshot!(hex::encode(subkey("audit")), @"e1ae77d907f588a6baa7641f73b768c9008e72183c5ee5790c97759f10214d1d");
}

#[test]
fn debug_shows_nothing() {
    assert_eq!(
        format!("{:?}", VaultKey::from_bytes([0x5a; 32])),
        "VaultKey(<redacted>)"
    );
}
