//! Where a request came from, as the log keeps it: keyed hashes.
//!
//! A bare hash of an address hides nothing: all of IPv4 is tried in minutes. HMAC-SHA-256 under a key that only the
//! unlocked vault has (RFC 2104) tells whether two entries came from the same client, and no more, to whoever lacks it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What is hashed. Each has a domain of its own, so that equal texts have different hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientField {
    /// The client's network address.
    Address,
    /// What else tells one client from another: machine, user, terminal.
    Fingerprint,
}

impl ClientField {
    const fn domain(self) -> &'static [u8] {
        match self {
            Self::Address => b"keyward/client-address/v1\0",
            Self::Fingerprint => b"keyward/client-fingerprint/v1\0",
        }
    }
}

/// HMAC-SHA-256 of the field's domain and the text. `key` is derived from the vault key by a label of its own.
#[must_use]
pub fn client_hash(key: &[u8; 32], field: ClientField, text: &str) -> [u8; 32] {
    // Its key schedule is wiped when it is dropped, by `hmac`'s feature `zeroize`.
    #[expect(clippy::expect_used, reason = "the proof is in the message")]
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length (RFC 2104)");
    mac.chain_update(field.domain())
        .chain_update(text.as_bytes())
        .finalize()
        .into_bytes()
        .into()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// Made by Python's `hmac.new(key, domain + text, "sha256")`.
    #[test]
    fn the_hashes_are_pinned() {
        let of = |key: u8, field, text| hex::encode(client_hash(&[key; 32], field, text));
        insta::assert_snapshot!(of(7, ClientField::Address, "192.0.2.7"), @"1ea391fb6df1e2dbdb0259a45445f3d093b8588cad539208ff30a67146434314");
        insta::assert_snapshot!(of(7, ClientField::Fingerprint, "192.0.2.7"), @"d5300fe3bbab80c81d3911d0e921d278646330670b23514f14d00ef9b193e1d5");
        assert_ne!(
            of(7, ClientField::Address, "192.0.2.7"),
            of(8, ClientField::Address, "192.0.2.7")
        );
        assert_ne!(
            of(7, ClientField::Address, "192.0.2.7"),
            of(7, ClientField::Address, "192.0.2.8")
        );
    }
}
