//! The exports as a page calls them: in a real browser, with real typed arrays and real errors.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "tests")]

use js_sys::{Error, Reflect, Uint8Array};
use keyward_wasm::{solana_address, version};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// BIP-39's test phrase for 16 zero bytes of entropy.
const ABANDON: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

fn bytes(text: &str) -> Uint8Array {
    Uint8Array::from(text.as_bytes())
}

fn code(error: &Error) -> String {
    let code = Reflect::get(error, &JsValue::from_str("code")).unwrap();
    code.as_string().unwrap()
}

#[wasm_bindgen_test]
fn it_runs_in_a_page() {
    let window = Reflect::get(&js_sys::global(), &JsValue::from_str("document")).unwrap();
    assert!(window.is_object());
}

#[wasm_bindgen_test]
fn the_version_is_that_of_the_package() {
    assert_eq!(version(), env!("CARGO_PKG_VERSION"));
}

#[wasm_bindgen_test]
fn the_published_address_comes_out() {
    let address = solana_address(&bytes(ABANDON), &bytes(""), "bip44-change", 0.0).unwrap();
    assert_eq!(address, "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk");
}

#[wasm_bindgen_test]
fn a_passphrase_and_an_index_matter() {
    let plain = solana_address(&bytes(ABANDON), &bytes(""), "bip44-change", 0.0).unwrap();
    let with_passphrase = solana_address(&bytes(ABANDON), &bytes("TREZOR"), "bip44-change", 0.0).unwrap();
    let second = solana_address(&bytes(ABANDON), &bytes(""), "bip44-change", 1.0).unwrap();
    assert!(plain != with_passphrase && plain != second && with_passphrase != second);
}

#[wasm_bindgen_test]
fn the_pages_own_array_is_left_alone() {
    let phrase = bytes(ABANDON);
    solana_address(&phrase, &bytes(""), "bip44-change", 0.0).unwrap();
    assert_eq!(phrase.to_vec(), ABANDON.as_bytes());
}

#[wasm_bindgen_test]
fn mistakes_are_real_errors_with_a_code() {
    let error = solana_address(&bytes("abandon about"), &bytes(""), "bip44-change", 0.0).unwrap_err();
    assert!(error.is_instance_of::<Error>());
    assert_eq!(code(&error), "phrase-word-count");
    assert!(String::from(error.message()).contains("words"));

    let unknown = ABANDON.replace("about", "canarysecret");
    let error = solana_address(&bytes(&unknown), &bytes(""), "bip44-change", 0.0).unwrap_err();
    assert_eq!(code(&error), "phrase-unknown-word");
    assert!(!String::from(error.message()).contains("canarysecret"));

    for index in [-1.0, 0.5, 4_294_967_296.0, f64::NAN] {
        let error = solana_address(&bytes(ABANDON), &bytes(""), "bip44-change", index).unwrap_err();
        assert_eq!(code(&error), "path-index", "{index}");
    }
    let error = solana_address(&bytes(ABANDON), &bytes(""), "bip99", 0.0).unwrap_err();
    assert_eq!(code(&error), "path-family");
    let error = solana_address(&Uint8Array::new_with_length(1025), &bytes(""), "raw", 0.0).unwrap_err();
    assert_eq!(code(&error), "phrase-too-long");
    let error = solana_address(&Uint8Array::from(&[0xff_u8][..]), &bytes(""), "raw", 0.0).unwrap_err();
    assert_eq!(code(&error), "phrase-encoding");
}
