//! From a phrase to an address, without JavaScript: what the exports do once the bytes are on this side.

use keyward_core::address::Address;
use keyward_core::derive::SolanaDeriver;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::{ChildIndex, PathFamily};

use crate::failure::Failure;

/// The longest phrase or passphrase accepted, in bytes: the longest phrase of any official wordlist has less than half.
pub(crate) const MAX_SECRET_BYTES: usize = 1024;

/// A phrase and its passphrase, borrowed from buffers that wipe themselves.
pub(crate) struct Phrase<'a> {
    pub(crate) phrase: &'a [u8],
    pub(crate) passphrase: &'a [u8],
}

impl Phrase<'_> {
    /// The address at `index`, which is a JavaScript number and so may be anything.
    pub(crate) fn address(&self, family: &str, index: f64) -> Result<Address, Failure> {
        let family = PathFamily::from_id(family).map_err(|_| Failure::Family)?;
        let index = child_index(index)?;
        let text = |bytes| str::from_utf8(bytes).map_err(|_| Failure::Encoding);
        let mnemonic = Mnemonic::parse(text(self.phrase)?).map_err(Failure::Phrase)?;
        let seed = mnemonic.to_seed(text(self.passphrase)?);
        let deriver = SolanaDeriver::new(&seed, family).map_err(Failure::Derivation)?;
        let key = deriver.derive(index).map_err(Failure::Derivation)?;
        Ok(key.address)
    }
}

/// wasm-bindgen turns 4294967296, 0.5 and NaN into a `u32` without a word, so the number is looked at here: a wrong
/// index would silently be another wallet.
fn child_index(number: f64) -> Result<ChildIndex, Failure> {
    let is_index = number >= 0.0 && number <= f64::from(ChildIndex::MAX.get()) && number.fract() == 0.0;
    if !is_index {
        return Err(Failure::Index);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an integer from 0 to 2^31-1, checked above"
    )]
    let number = number as u32;
    ChildIndex::new(number).map_err(|_| Failure::Index)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// BIP-39's test phrase for 16 zero bytes of entropy.
    const ABANDON: &str =
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

    fn address(phrase: &str, family: &str, index: f64) -> Result<String, &'static str> {
        let phrase = Phrase {
            phrase: phrase.as_bytes(),
            passphrase: b"",
        };
        match phrase.address(family, index) {
            Ok(address) => Ok(address.to_string()),
            Err(failure) => Err(failure.code()),
        }
    }

    #[test]
    fn the_published_address_comes_out() {
        assert_eq!(
            address(ABANDON, "bip44-change", 0.0),
            Ok("HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk".into())
        );
    }

    #[test]
    fn only_integers_in_range_are_indices() {
        for good in [0.0, -0.0, 1.0, 2_147_483_647.0] {
            assert!(child_index(good).is_ok(), "{good}");
        }
        for bad in [
            -1.0,
            0.5,
            2_147_483_648.0,
            4_294_967_296.0,
            1e300,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ] {
            assert!(child_index(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn each_mistake_has_its_code_and_shows_no_word() {
        let unknown = ABANDON.replace("about", "canarysecret");
        let checksum = ABANDON.replace("about", "abandon");
        for (phrase, family, index, code) in [
            ("abandon abandon", "bip44-change", 0.0, "phrase-word-count"),
            (unknown.as_str(), "bip44-change", 0.0, "phrase-unknown-word"),
            (checksum.as_str(), "bip44-change", 0.0, "phrase-checksum"),
            (ABANDON, "bip99", 0.0, "path-family"),
            (ABANDON, "bip44-change", -1.0, "path-index"),
            (ABANDON, "bip44-root", 1.0, "derivation"),
        ] {
            assert_eq!(address(phrase, family, index), Err(code));
        }
        let phrase = Phrase {
            phrase: unknown.as_bytes(),
            passphrase: b"",
        };
        let failure = phrase.address("bip44-change", 0.0).unwrap_err();
        assert!(!format!("{failure} {failure:?}").contains("canarysecret"));
        let phrase = Phrase {
            phrase: b"\xff",
            passphrase: b"",
        };
        assert_eq!(phrase.address("raw", 0.0).unwrap_err().code(), "phrase-encoding");
    }
}
