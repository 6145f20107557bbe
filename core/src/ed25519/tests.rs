#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::format;

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

#[test]
fn holds_the_vectors_of_rfc_8032() {
    let mut count = 0;
    for line in include_str!("vectors.txt")
        .lines()
        .filter(|l| !l.starts_with('#'))
    {
        let mut fields = line.split('|').map(|field| hex::decode(field.trim()).unwrap());
        let mut next = || fields.next().unwrap();
        let (seed, public, message, signature) = (next(), next(), next(), next());
        let key = SecretKey::from_seed(&seed.try_into().unwrap());
        assert_eq!(key.address().as_bytes().as_slice(), public);
        let signed = key.sign(&message);
        assert_eq!(signed.as_bytes().as_slice(), signature);
        assert_eq!(PreparedKey::new(&key).unwrap().sign(&message), Ok(signed));
        assert_eq!(verify(&key.address(), &message, &signed), Ok(()));
        count += 1;
    }
    assert_eq!(count, 5);
}

#[test]
fn debug_shows_the_address_alone() {
    let key = SecretKey::from_seed(&[0xa7; 32]);
    let shown = format!("{key:?}");
    assert!(shown.contains(&format!("{}", key.address())) && shown.contains("<redacted>"));
    assert!(!shown.contains("a7a7") && !shown.contains("167"));
}

#[test]
fn seeds_are_compared_by_value() {
    let key = SecretKey::from_seed(&[1; 32]);
    assert!(key.is_same_as(&SecretKey::from_seed(&[1; 32])));
    assert!(!key.is_same_as(&SecretKey::from_seed(&[2; 32])));
}

#[test]
fn refuses_what_lax_verifiers_accept() {
    let key = SecretKey::from_seed(&[3; 32]);
    let message = b"message";
    let signature = *key.sign(message).as_bytes();

    // s + L: the same equation, a second encoding (RFC 8032 section 5.1.7 asks for s < L).
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let mut malleated = signature;
    let mut carry = 0;
    for (byte, add) in malleated[32..].iter_mut().zip(&order) {
        carry += u16::from(*byte) + u16::from(*add);
        *byte = carry as u8;
        carry >>= 8;
    }
    assert_eq!(
        verify(&key.address(), message, &Signature::new(malleated)),
        Err(VerifyError)
    );

    // The neutral element as key and R, s = 0: "valid" for every message without strict verification.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut forged = [0; 64];
    forged[0] = 1;
    assert_eq!(
        verify(&Address::new(neutral), message, &Signature::new(forged)),
        Err(VerifyError)
    );

    // Not a point at all.
    let mut off_curve = [0; 32];
    off_curve[0] = 2;
    assert_eq!(
        verify(&Address::new(off_curve), message, &Signature::new(signature)),
        Err(VerifyError)
    );
}

proptest! {
    #[test]
    fn any_flipped_bit_is_refused(
        seed: [u8; 32],
        message in prop::collection::vec(any::<u8>(), 1..80),
        at in 0_usize..1000,
        bit in 0_u8..8,
    ) {
        let key = SecretKey::from_seed(&seed);
        let signature = key.sign(&message);
        prop_assert_eq!(verify(&key.address(), &message, &signature), Ok(()));

        let mut bad = *signature.as_bytes();
        bad[at % 64] ^= 1 << bit;
        prop_assert_eq!(verify(&key.address(), &message, &Signature::new(bad)), Err(VerifyError));
        let mut bad = message.clone();
        bad[at % message.len()] ^= 1 << bit;
        prop_assert_eq!(verify(&key.address(), &bad, &signature), Err(VerifyError));
        let mut bad = *key.address().as_bytes();
        bad[at % 32] ^= 1 << bit;
        prop_assert_eq!(verify(&Address::new(bad), &message, &signature), Err(VerifyError));
    }
}
