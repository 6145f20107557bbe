//! The Ethereum family: addresses, and what is signed for Ethereum, BSC, Polygon and their like.
//!
//! Keys and signatures are [`crate::secp256k1`]'s.

mod address;

pub use address::{EvmAddress, EvmAddressError};

use sha3::{Digest, Keccak256};

/// Keccak-256 with the padding that Ethereum kept from before FIPS 202 (Yellow Paper, section 3).
#[must_use]
pub fn keccak256(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}
