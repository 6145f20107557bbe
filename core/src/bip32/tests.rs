#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::path::DerivationPath;

/// The chain code and the private key in an `xprv…` text, its checksum verified.
fn decode_xprv(text: &str) -> (Vec<u8>, Vec<u8>) {
    let bytes = bs58::decode(text).into_vec().unwrap();
    assert_eq!(bytes.len(), 82);
    let (payload, checksum) = bytes.split_at(78);
    assert_eq!(&Sha256::digest(Sha256::digest(payload))[..4], checksum);
    (payload[13..45].to_vec(), payload[46..].to_vec())
}

#[test]
fn holds_the_official_vectors() {
    let mut count = 0;
    for line in include_str!("vectors.txt")
        .lines()
        .filter(|l| !l.starts_with('#'))
    {
        let fields: Vec<&str> = line.split(" | ").collect();
        let [seed, path, xprv, _] = fields[..] else {
            panic!("four fields: {line}");
        };
        let seed = Seed::from_bytes(&hex::decode(seed).unwrap()).unwrap();
        let path: DerivationPath = path.parse().unwrap();
        let node = path
            .components()
            .iter()
            .fold(ExtendedKey::from_seed(&seed).unwrap(), |node, step| {
                node.child(*step).unwrap()
            });
        let (chain_code, secret) = decode_xprv(xprv);
        assert_eq!(node.expose_chain_code().as_slice(), chain_code, "{path}");
        assert_eq!(node.expose_secret().as_slice(), secret, "{path}");
        count += 1;
    }
    assert_eq!(count, 17);
}

#[test]
fn refuses_numbers_that_are_no_keys() {
    const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    let order: [u8; 32] = hex::decode(ORDER).unwrap().try_into().unwrap();
    let mut last = order;
    last[31] -= 1;
    assert!(to_private(&last).is_ok());
    assert!(to_private(&order).is_err());
    assert!(to_private(&[0xff; 32]).is_err());
    assert!(to_private(&[0; 32]).is_err());
    // As a tweak, zero is a number like any other.
    assert!(to_scalar(&[0; 32]).is_ok());
}

#[test]
fn debug_shows_nothing() {
    let node = ExtendedKey::from_seed(&Seed::from_bytes(&[7; 16]).unwrap()).unwrap();
    assert_eq!(format!("{node:?}"), "ExtendedKey(<redacted>)");
}
