//! SLIP-0010 derivation for ed25519: hardened children only.
//!
//! Gives private keys and chain codes; the public side is [`crate::ed25519`]'s. The crate `slip10`
//! would bring ed25519-dalek 1.0 (RUSTSEC-2022-0093), so these few lines are ours; the tests hold them
//! to the official vectors and to another crate.
//!
//! Specification: <https://github.com/satoshilabs/slips/blob/master/slip-0010.md>.

use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;
use zeroize::Zeroizing;

use crate::mnemonic::Seed;
use crate::path::{ChildIndex, PathComponent};

pub(crate) type HmacSha512 = Hmac<Sha512>;

/// A node of the tree: a private key and the chain code that its children depend on.
pub struct ExtendedKey {
    /// The private key, then the chain code.
    node: Zeroizing<[u8; 64]>,
}

impl ExtendedKey {
    /// The root of the tree that grows from `seed`.
    #[must_use]
    pub fn from_seed(seed: &Seed) -> Self {
        Self {
            node: hmac_sha512(keyed(b"ed25519 seed"), &[seed.expose_bytes()]),
        }
    }

    /// The hardened child at `index`.
    #[must_use]
    pub fn child(&self, index: ChildIndex) -> Self {
        Self {
            node: child_node(keyed(self.expose_chain_code()), self.expose_secret(), index),
        }
    }

    /// The private key: an ed25519 seed.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8; 32] {
        halves(&self.node).0
    }

    /// The chain code. With it and the private key all children can be derived.
    #[must_use]
    pub fn expose_chain_code(&self) -> &[u8; 32] {
        halves(&self.node).1
    }
}

impl fmt::Debug for ExtendedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExtendedKey(<redacted>)")
    }
}

/// A parent of many children: its chain code's HMAC key schedule is computed once, which saves two of
/// four SHA-512 blocks for each child.
pub(crate) struct Parent {
    key: ExtendedKey,
    /// Wiped on drop by `hmac`'s feature `zeroize`.
    schedule: HmacSha512,
}

impl Parent {
    pub(crate) fn new(key: ExtendedKey) -> Self {
        let schedule = keyed(key.expose_chain_code());
        Self { key, schedule }
    }

    pub(crate) fn child(&self, index: ChildIndex) -> ExtendedKey {
        ExtendedKey {
            node: child_node(self.schedule.clone(), self.key.expose_secret(), index),
        }
    }
}

/// `HMAC-SHA512(chain code, 0x00 || private key || index with its top bit set)`.
fn child_node(chain: HmacSha512, secret: &[u8; 32], index: ChildIndex) -> Zeroizing<[u8; 64]> {
    let bits = PathComponent::Hardened(index).to_bits();
    hmac_sha512(chain, &[&[0], secret, &bits.to_be_bytes()])
}

/// An HMAC ready for its data.
pub(crate) fn keyed(key: &[u8]) -> HmacSha512 {
    #[expect(clippy::expect_used, reason = "the proof is in the message")]
    HmacSha512::new_from_slice(key).expect("HMAC takes a key of any length (RFC 2104)")
}

pub(crate) fn hmac_sha512(mut keyed: HmacSha512, parts: &[&[u8]]) -> Zeroizing<[u8; 64]> {
    for part in parts {
        keyed.update(part);
    }
    Zeroizing::new(keyed.finalize().into_bytes().into())
}

/// The left and right half of a 64-byte HMAC.
pub(crate) fn halves(node: &[u8; 64]) -> (&[u8; 32], &[u8; 32]) {
    #[expect(clippy::expect_used, reason = "the proof is in the message")]
    node.split_first_chunk::<32>()
        .and_then(|(left, right)| Some((left, right.first_chunk::<32>()?)))
        .expect("64 bytes are twice 32")
}

#[cfg(test)]
mod tests;
