#![expect(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::string::ToString;

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn key(last: u8) -> SecretKey {
    let mut bytes = [0; 32];
    bytes[31] = last;
    SecretKey::from_bytes(&bytes).unwrap()
}

#[test]
fn addresses_of_small_keys_are_the_known_ones() {
    // Known to every Ethereum tool: the accounts of the private keys 1 and 2.
    assert_eq!(
        key(1).address().to_string(),
        "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
    );
    assert_eq!(
        key(2).address().to_string(),
        "0x2B5AD5c4795c026514f8317c7a215E218DcCD6cF"
    );
}

#[test]
fn numbers_out_of_range_are_no_keys() {
    let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    let mut bytes = [0; 32];
    assert_eq!(SecretKey::from_bytes(&bytes).unwrap_err(), KeyError);
    hex::decode_to_slice(order, &mut bytes).unwrap();
    assert_eq!(SecretKey::from_bytes(&bytes).unwrap_err(), KeyError);
    bytes[31] -= 1;
    assert!(SecretKey::from_bytes(&bytes).is_ok());
    assert_eq!(SecretKey::from_bytes(&[0xff; 32]).unwrap_err(), KeyError);
}

#[test]
fn a_signature_recovers_its_key_and_changed_ones_do_not_verify() {
    proptest!(ProptestConfig::with_cases(32), |(secret: [u8; 32], hash: [u8; 32], at in 0_usize..64, bit in 0_u8..8)| {
        prop_assume!(SecretKey::from_bytes(&secret).is_ok());
        let key = SecretKey::from_bytes(&secret).unwrap();
        let signature = key.sign_prehash(&hash).unwrap();
        prop_assert_eq!(signature, key.sign_prehash(&hash).unwrap());
        prop_assert_eq!(recover(&hash, &signature), Ok(*key.public_key()));
        prop_assert_eq!(verify_prehash(key.public_key(), &hash, &signature), Ok(()));
        prop_assert_eq!(RecoverableSignature::from_bytes(&signature.to_bytes()), Ok(signature));
        let mut changed = signature.to_bytes();
        changed[at] ^= 1 << bit;
        let changed = RecoverableSignature::from_bytes(&changed).unwrap();
        prop_assert_eq!(verify_prehash(key.public_key(), &hash, &changed), Err(VerifyError));
        let other = RecoverableSignature { y_odd: !signature.y_odd, ..signature };
        prop_assert_eq!(verify_prehash(key.public_key(), &hash, &other), Err(VerifyError));
    });
}

#[test]
fn debug_shows_no_key() {
    let key = SecretKey::from_bytes(&[0x5c; 32]).unwrap();
    let shown = format!("{key:?}");
    assert!(
        shown.contains("PublicKey(") && !shown.contains("5c5c5c"),
        "{shown}"
    );
}

#[test]
fn signatures_are_those_of_rfc_6979_and_the_higher_s_is_refused() {
    use k256::Scalar;
    use k256::elliptic_curve::PrimeField;
    use sha2::{Digest, Sha256};

    // Widely published for secp256k1 with SHA-256, as RFC 6979 itself has no vectors for this curve: private key 1.
    let hash: [u8; 32] = Sha256::digest(b"Satoshi Nakamoto").into();
    let signature = key(1).sign_prehash(&hash).unwrap();
    assert_eq!(
        hex::encode(signature.r),
        "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
    );
    assert_eq!(
        hex::encode(signature.s),
        "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5"
    );
    // The same signature with n - s and the other point is valid ECDSA, but not canonical.
    let higher = -Scalar::from_repr(signature.s.into()).unwrap();
    let higher = RecoverableSignature {
        s: higher.to_bytes().into(),
        y_odd: !signature.y_odd,
        ..signature
    };
    assert_eq!(recover(&hash, &higher), Err(VerifyError));
    assert_eq!(
        verify_prehash(key(1).public_key(), &hash, &higher),
        Err(VerifyError)
    );
}
