//! The Keyward signer for web pages.
//!
//! Bytes in, bytes out: secrets come as `Uint8Array`, are copied once into a buffer that is wiped, and never become
//! strings of JavaScript or of wasm-bindgen. Whatever fails throws a real `Error` with a `code`. The page keeps the
//! array it passed and should wipe it (`array.fill(0)`); this side cannot be sure that nothing else reads it.
//!
//! For now it tells its version and derives addresses. It holds no vault, signs nothing, keeps nothing between
//! calls, reaches no network and draws nothing.
#![forbid(unsafe_code)]

mod address;
mod failure;

use js_sys::{Error, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use zeroize::Zeroizing;

use crate::address::Phrase;
use crate::failure::Failure;

/// The version of this package.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// The Solana address, in base58, that a BIP-39 phrase has at an index of a path family.
///
/// `phrase` and `passphrase` are UTF-8, the latter empty for none; `family` is one of `bip44-change` (the usual one),
/// `bip44`, `bip44-root`, `sollet` and `raw`; `index` is an integer from 0 to 2147483647.
///
/// # Errors
/// An `Error` whose `code` is `phrase-too-long`, `phrase-encoding`, `phrase-word-count`, `phrase-unknown-word`,
/// `phrase-checksum`, `path-family`, `path-index` or `derivation`. Its message never contains a word of the phrase.
#[wasm_bindgen(js_name = solanaAddress)]
pub fn solana_address(
    phrase: &Uint8Array,
    passphrase: &Uint8Array,
    family: &str,
    index: f64,
) -> Result<String, Error> {
    derive(phrase, passphrase, family, index).map_err(|failure| failure.into_error())
}

fn derive(phrase: &Uint8Array, passphrase: &Uint8Array, family: &str, index: f64) -> Result<String, Failure> {
    let phrase = Phrase {
        phrase: &secret_bytes(phrase)?,
        passphrase: &secret_bytes(passphrase)?,
    };
    Ok(phrase.address(family, index)?.to_string())
}

/// Copies a secret out of the page's memory. The length is looked at first, so that no page can make this side
/// allocate without bounds.
fn secret_bytes(array: &Uint8Array) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let length = usize::try_from(array.length()).map_err(|_| Failure::TooLong)?;
    if length > address::MAX_SECRET_BYTES {
        return Err(Failure::TooLong);
    }
    let mut bytes = Zeroizing::new(vec![0; length]);
    array.copy_to(&mut bytes);
    Ok(bytes)
}
