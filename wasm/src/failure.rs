//! What can go wrong, as a code for programs and a sentence for people. Neither ever holds a word of a phrase.

use js_sys::{Error, Reflect};
use keyward_core::derive::DeriveError;
use keyward_core::mnemonic::MnemonicError;
use wasm_bindgen::JsValue;

/// Why a call was refused.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Longer than any phrase or passphrase that is accepted.
    TooLong,
    /// Not UTF-8.
    Encoding,
    /// Not a phrase of BIP-39.
    Phrase(MnemonicError),
    /// No family of that name.
    Family,
    /// Not an integer from 0 to 2^31-1.
    Index,
    /// The family has no key there.
    Derivation(DeriveError),
}

impl Failure {
    /// Stable, for programs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "phrase-too-long",
            Self::Encoding => "phrase-encoding",
            Self::Phrase(MnemonicError::WordCount { .. }) => "phrase-word-count",
            Self::Phrase(MnemonicError::UnknownWord { .. }) => "phrase-unknown-word",
            Self::Phrase(MnemonicError::Checksum) => "phrase-checksum",
            Self::Phrase(_) => "phrase",
            Self::Family => "path-family",
            Self::Index => "path-index",
            Self::Derivation(_) => "derivation",
        }
    }

    /// A JavaScript `Error` with the sentence as its message and `code` beside it.
    pub(crate) fn into_error(self) -> Error {
        let error = Error::new(&self.to_string());
        let code = JsValue::from_str(self.code());
        // Only a frozen object refuses a property, and this one is new.
        Reflect::set(&error, &JsValue::from_str("code"), &code).ok();
        error
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLong => {
                f.write_str("the phrase or passphrase is too long; at most 1024 bytes are accepted")
            }
            Self::Encoding => {
                f.write_str("the phrase or passphrase is not UTF-8; encode it with TextEncoder")
            }
            Self::Phrase(error) => error.fmt(f),
            Self::Family => f.write_str(
                "there is no such path family; use one of bip44-change, bip44, bip44-root, sollet and raw",
            ),
            Self::Index => f.write_str("an index is an integer from 0 to 2147483647"),
            Self::Derivation(error) => error.fmt(f),
        }
    }
}
