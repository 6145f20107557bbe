//! The Ethereum family: addresses, and what is signed for Ethereum, BSC, Polygon and their like.
//!
//! Keys and signatures are [`crate::secp256k1`]'s.

mod address;
pub mod authorization;
mod derive;
pub mod intent;
pub mod personal;
pub mod rlp;
pub mod transaction;
pub mod typed_data;
mod u256;

pub use address::{EvmAddress, EvmAddressError};
pub use derive::{DerivedEvmKey, EvmDeriver, derive_path};
pub use u256::{U256, U256Error};

use sha3::{Digest, Keccak256};

/// Keccak-256 with the padding that Ethereum kept from before FIPS 202 (Yellow Paper, section 3).
#[must_use]
pub fn keccak256(bytes: &[u8]) -> [u8; 32] {
    Keccak256::digest(bytes).into()
}
