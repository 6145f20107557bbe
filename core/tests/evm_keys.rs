//! Keys of the Ethereum family beside two other implementations: the crate `bip32`, and Bitcoin Core's C library through
//! the crate `secp256k1`.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "tests")]

use bip32::{ChildNumber, Prefix, XPrv};
use keyward_core::bip32::{PrivateNode, PublicNode};
use keyward_core::mnemonic::Seed;
use keyward_core::path::PathComponent;
use keyward_core::secp256k1::{RecoverableSignature, SecretKey, recover, verify_prehash};
use proptest::prelude::*;
use secp256k1::ecdsa::{RecoverableSignature as TheirRecoverable, RecoveryId, Signature};
use secp256k1::{Message, PublicKey as TheirPublic, SecretKey as TheirSecret};

#[test]
fn derivation_agrees_with_the_crate_bip32() {
    let steps = prop::collection::vec(any::<u32>(), 0..6);
    proptest!(ProptestConfig::with_cases(128), |(seed: [u8; 64], steps in steps)| {
        let mut ours = PrivateNode::from_seed(&Seed::from_bytes(&seed).unwrap()).unwrap();
        let mut theirs = XPrv::new(&seed).unwrap();
        for step in steps {
            ours = ours.child(PathComponent::from_bits(step)).unwrap();
            theirs = theirs.derive_child(ChildNumber(step)).unwrap();
        }
        let text = ours.expose_text();
        prop_assert_eq!(&*text, &*theirs.to_string(Prefix::XPRV));
        let public = ours.to_public().unwrap();
        prop_assert_eq!(public.to_string(), theirs.public_key().to_string(Prefix::XPUB));
        // Each reads the other's text.
        prop_assert_eq!(text.parse::<XPrv>().unwrap().to_bytes(), *ours.key().expose_secret());
        prop_assert_eq!(PublicNode::parse(&theirs.public_key().to_string(Prefix::XPUB)).unwrap(), public);
    });
}

#[test]
fn public_derivation_agrees_with_the_crate_bip32() {
    let steps = prop::collection::vec(0_u32..0x8000_0000, 1..5);
    proptest!(ProptestConfig::with_cases(64), |(seed: [u8; 32], steps in steps)| {
        let mut ours = PrivateNode::from_seed(&Seed::from_bytes(&seed).unwrap()).unwrap().to_public().unwrap();
        let mut theirs = XPrv::new(&seed).unwrap().public_key();
        for step in steps {
            ours = ours.child(PathComponent::from_bits(step)).unwrap();
            theirs = theirs.derive_child(ChildNumber(step)).unwrap();
        }
        prop_assert_eq!(ours.to_string(), theirs.to_string(Prefix::XPUB));
    });
}

#[test]
fn signatures_agree_with_bitcoin_cores_library() {
    proptest!(ProptestConfig::with_cases(128), |(secret: [u8; 32], hash: [u8; 32])| {
        let Ok(ours) = SecretKey::from_bytes(&secret) else {
            prop_assert!(TheirSecret::from_secret_bytes(secret).is_err());
            return Ok(());
        };
        let theirs = TheirSecret::from_secret_bytes(secret).unwrap();
        let public = TheirPublic::from_secret_key(&theirs);
        prop_assert_eq!(*ours.public_key().as_bytes(), public.serialize());
        // RFC 6979 and the lower s on both sides: the same bytes.
        let signature = ours.sign_prehash(&hash).unwrap();
        let message = Message::from_digest(hash);
        let (recovery, compact) = TheirRecoverable::sign_ecdsa_recoverable(message, &theirs).serialize_compact();
        prop_assert_eq!(&signature.to_bytes()[..64], &compact[..]);
        prop_assert_eq!(recovery == RecoveryId::One, signature.y_odd);
        // Recovery and verification.
        prop_assert_eq!(recover(&hash, &signature), Ok(*ours.public_key()));
        let parsed = Signature::from_compact(&compact).unwrap();
        prop_assert!(secp256k1::ecdsa::verify(&parsed, message, &public).is_ok());
    });
}

#[test]
fn the_higher_s_is_refused() {
    let key = SecretKey::from_bytes(&[0x42; 32]).unwrap();
    let hash = [0x17; 32];
    let signature = key.sign_prehash(&hash).unwrap();
    // n - s, by the other library.
    let theirs = TheirSecret::from_secret_bytes(signature.s).unwrap().negate();
    let higher = RecoverableSignature {
        s: theirs.to_secret_bytes(),
        y_odd: !signature.y_odd,
        ..signature
    };
    assert!(verify_prehash(key.public_key(), &hash, &signature).is_ok());
    assert!(verify_prehash(key.public_key(), &hash, &higher).is_err());
    assert!(recover(&hash, &higher).is_err());
}
