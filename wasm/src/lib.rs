//! The Keyward signer for web pages.
//!
//! Bytes in, bytes out: secrets come as `Uint8Array`, are copied once into a buffer that is wiped, and never become
//! strings of JavaScript or of wasm-bindgen. Whatever fails throws a real `Error` with a `code`. The page keeps the
//! array it passed and should wipe it (`array.fill(0)`); this side cannot be sure that nothing else reads it.
//!
//! The classes exported here are the lower half of the package `keyward`: its TypeScript half (`wasm/js`) turns them
//! into what pages use and is the only caller. Nothing here reaches a network, keeps anything between page loads, or
//! draws anything. Memory that is freed is wiped, and the stack is cleared after each piece of work with a secret.
#![forbid(unsafe_code)]

mod authority;
mod bytes;
mod evm;
mod failure;
mod json;
mod random;
mod review;
mod session;
mod signing;
mod solana;
mod vault;

use js_sys::{Error, Uint8Array};
use keyward_core::mnemonic::{Mnemonic, WordCount};
use wasm_bindgen::prelude::wasm_bindgen;

pub use crate::evm::RawEvmSigner;
pub use crate::solana::RawSolanaSigner;
pub use crate::vault::RawVault;

use crate::bytes::{exposed, secret, text};
use crate::failure::{Failure, needs, thrown};

/// Wipes what is freed: copies that a library left in its buffers do not outlive them.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// The version of this package.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// A new English phrase of 12, 15, 18, 21 or 24 words, as UTF-8, from the platform's randomness.
///
/// # Errors
/// An `Error` whose `code` is `phrase-word-count` or `randomness`.
#[wasm_bindgen(js_name = generateMnemonic)]
pub fn generate_mnemonic(words: f64) -> Result<Uint8Array, Error> {
    thrown(|| {
        needs!("phrases");
        let words = random::integer(words, 24).ok_or(Failure::Number)?;
        let count = WordCount::try_from(words as usize).map_err(Failure::Phrase)?;
        let entropy = random::secret_bytes(count.entropy_len())?;
        let mnemonic = Mnemonic::from_entropy(&entropy).map_err(Failure::Phrase)?;
        Ok(exposed(mnemonic.expose_phrase().as_bytes()))
    })
}

/// Returns when the bytes are a phrase that can be used; throws the reason when not.
///
/// # Errors
/// An `Error` whose `code` begins with `phrase-`. Of an unknown word it has the `position`, counted from 1.
#[wasm_bindgen(js_name = checkMnemonic)]
pub fn check_mnemonic(phrase: &Uint8Array) -> Result<u32, Error> {
    thrown(|| {
        needs!("phrases");
        let phrase = secret(phrase)?;
        let mnemonic = Mnemonic::parse(text(&phrase)?).map_err(Failure::Phrase)?;
        // At most 24.
        Ok(mnemonic.word_count().words() as u32)
    })
}
