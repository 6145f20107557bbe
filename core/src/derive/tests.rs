#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::string::ToString;

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::mnemonic::Mnemonic;
use crate::path::PathError;

const ABOUT: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

/// Addresses of [`ABOUT`] without a passphrase. The first of each SLIP-0010 family is published widely
/// (bip_utils' and Trust Wallet's tests have them); all were computed by a separate Python program from
/// the specifications too.
const ADDRESSES: [(PathFamily, u32, &str); 9] = [
    (
        PathFamily::Bip44Change,
        0,
        "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk",
    ),
    (
        PathFamily::Bip44Change,
        1,
        "Hh8QwFUA6MtVu1qAoq12ucvFHNwCcVTV7hpWjeY1Hztb",
    ),
    (
        PathFamily::Bip44Change,
        2_147_483_647,
        "4js3iYAPReCCbyjcQi6hnmfy6gM4idGBRpTLtTJbkFRc",
    ),
    (
        PathFamily::Bip44,
        0,
        "GjJyeC1r2RgkuoCWMyPYkCWSGSGLcz266EaAkLA27AhL",
    ),
    (
        PathFamily::Bip44,
        1,
        "ANf3TEKFL6jPWjzkndo4CbnNdUNkBk4KHPggJs2nu8Xi",
    ),
    (
        PathFamily::Bip44Root,
        0,
        "D2PPQSYFe83nDzk96FqGumVU8JA7J8vj2Rhjc2oXzEi5",
    ),
    (
        PathFamily::Sollet,
        0,
        "FTt72dUEL1X9pPs9V9q4Eh5ejKXEbPD6snaHSQAmnJGU",
    ),
    (
        PathFamily::Sollet,
        1,
        "F1QLGD7iJPG7Lb9kzxd9JZ9QT3wtqkS6b7b5oXxpue99",
    ),
    (PathFamily::Raw, 0, "EHqmfkN89RJ7Y33CXM6uCzhVeuywHoJXZZLszBHHZy7o"),
];

fn about() -> Seed {
    Mnemonic::parse(ABOUT).unwrap().to_seed("")
}

#[test]
fn gives_the_published_addresses() {
    let seed = about();
    for (family, number, address) in ADDRESSES {
        let index = ChildIndex::new(number).unwrap();
        let derived = SolanaDeriver::new(&seed, family).unwrap().derive(index).unwrap();
        assert_eq!(derived.address.to_string(), address, "{family} {number}");
        assert_eq!(derived.secret.address(), derived.address);
        assert_eq!(derived.index, index);
        match family.path(index) {
            Some(path) => {
                assert_eq!(derived.path, path.to_string());
                assert_eq!(derive_path(&seed, &path).unwrap().address(), derived.address);
            }
            None => assert_eq!(derived.path, ""),
        }
    }
}

#[test]
fn a_chunk_is_what_single_derivations_give() {
    let seed = about();
    for family in PathFamily::SOLANA {
        let deriver = SolanaDeriver::new(&seed, family).unwrap();
        assert_eq!(deriver.family(), family);
        let count = if family.is_single() { 1 } else { 5 };
        let start = if family.is_single() { 0 } else { 7 };
        let chunk = deriver.derive_chunk(start, count).unwrap();
        assert_eq!(chunk.len(), count as usize);
        for (key, number) in chunk.iter().zip(start..) {
            let single = deriver.derive(ChildIndex::new(number).unwrap()).unwrap();
            assert_eq!(
                (key.index, key.address, &key.path),
                (single.index, single.address, &single.path)
            );
            assert!(key.secret.is_same_as(&single.secret));
            // The batch's address is the one that signatures verify under.
            let signature = key.secret.sign(b"message");
            assert_eq!(
                crate::ed25519::verify(&key.address, b"message", &signature),
                Ok(())
            );
        }
    }
}

#[test]
fn a_chunk_by_table_is_what_single_derivations_give() {
    let seed = about();
    let table = BatchTable::new();
    for family in PathFamily::SOLANA
        .into_iter()
        .filter(|family| !family.is_single())
    {
        let deriver = SolanaDeriver::new(&seed, family).unwrap();
        // Three groups of blinding, the last not full.
        let count = u32::try_from(2 * BLINDING_GROUP + 5).unwrap();
        let blinding = Blinding::new([9; 32]);
        let chunk = deriver.derive_chunk_with(&table, &blinding, 3, count).unwrap();
        assert_eq!(chunk.len(), count as usize);
        for (key, number) in chunk.iter().zip(3..) {
            let single = deriver.derive(ChildIndex::new(number).unwrap()).unwrap();
            assert_eq!(
                (key.index, key.address, &key.path),
                (single.index, single.address, &single.path)
            );
            assert!(key.secret.is_same_as(&single.secret));
        }
        let refused = deriver.derive_chunk_with(&table, &blinding, 0, 1025).unwrap_err();
        assert_eq!(refused, DeriveError::ChunkTooLarge { count: 1025 });
    }
}

#[test]
fn chunks_are_bounded() {
    let deriver = SolanaDeriver::new(&about(), PathFamily::Bip44Change).unwrap();
    let refused = |start, count| deriver.derive_chunk(start, count).unwrap_err();
    assert_eq!(refused(0, 1025), DeriveError::ChunkTooLarge { count: 1025 });
    assert_eq!(
        refused(0, u32::MAX),
        DeriveError::ChunkTooLarge { count: u32::MAX }
    );
    assert_eq!(refused(2_147_483_647, 2), DeriveError::RangeEnd);
    assert_eq!(refused(2_147_483_648, 1), DeriveError::RangeEnd);
    assert_eq!(refused(u32::MAX, 1), DeriveError::RangeEnd);
    assert_eq!(deriver.derive_chunk(2_147_483_646, 2).unwrap().len(), 2);
    assert_eq!(deriver.derive_chunk(5, 0).unwrap().len(), 0);
    assert_eq!(deriver.derive_chunk(0, 1024).unwrap().len(), 1024);
}

#[test]
fn a_single_address_is_single() {
    let one = ChildIndex::new(1).unwrap();
    for family in [PathFamily::Bip44Root, PathFamily::Raw] {
        let deriver = SolanaDeriver::new(&about(), family).unwrap();
        assert_eq!(deriver.derive(one).unwrap_err(), DeriveError::SingleAddress);
        assert_eq!(
            deriver.derive_chunk(0, 2).unwrap_err(),
            DeriveError::SingleAddress
        );
        assert_eq!(
            deriver.derive_chunk(1, 1).unwrap_err(),
            DeriveError::SingleAddress
        );
    }
}

#[test]
fn a_key_without_a_path_needs_32_bytes() {
    for len in 16..=64 {
        let seed = Seed::from_bytes(&alloc::vec![9; len]).unwrap();
        match SolanaDeriver::new(&seed, PathFamily::Raw) {
            Ok(_) => assert!(len >= 32),
            Err(error) => assert_eq!(error, DeriveError::SeedTooShort { found: len }),
        }
    }
}

#[test]
fn refuses_steps_that_ed25519_cannot_take() {
    let seed = about();
    for (path, step) in [
        ("m/0", 1),
        ("m/44'/501'/0'/0", 4),
        ("m/44'/501/0'/0'", 2),
        ("m/501'/0'/0/1", 3),
        ("m/501'/0'/1/0", 3),
        ("m/501'/0/0/0", 2),
        ("m/501'/0'/0/0/0", 3),
        ("m/502'/0'/0/0", 3),
    ] {
        let refused = derive_path(&seed, &path.parse().unwrap()).unwrap_err();
        assert_eq!(refused, DeriveError::NotHardened { step }, "{path}");
    }
    assert!(derive_path(&seed, &"m".parse().unwrap()).is_ok());
}

#[test]
fn constant_indexes_are_what_they_say() {
    assert_eq!((PURPOSE.get(), SOLANA.get()), (44, 501));
    assert!(matches!(
        ChildIndex::new(u32::MAX),
        Err(PathError::IndexOutOfRange { .. })
    ));
}

#[test]
fn threads_may_share_a_deriver() {
    fn shared<T: Send + Sync>() {}
    shared::<SolanaDeriver>();
    shared::<DerivedKey>();
}

#[test]
fn debug_shows_no_secret() {
    let deriver = SolanaDeriver::new(&about(), PathFamily::Raw).unwrap();
    let key = deriver.derive(ChildIndex::ZERO).unwrap();
    let shown = alloc::format!("{deriver:?} {key:?}");
    assert!(shown.contains("Raw") && shown.contains("EHqmfkN8"));
    assert!(!shown.contains(&hex::encode(&key.secret.expose_seed()[..4])));
    assert!(!shown.contains("seed"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn agrees_with_another_implementation(seed in prop::collection::vec(any::<u8>(), 32..=64), start in 0_u32..0x7fff_ff00, count in 1_u32..20) {
        let ours = SolanaDeriver::new(&Seed::from_bytes(&seed).unwrap(), PathFamily::Bip44Change).unwrap();
        for (key, number) in ours.derive_chunk(start, count).unwrap().into_iter().zip(start..) {
            let other = slip10_ed25519::derive_ed25519_private_key(&seed, &[44, 501, number, 0]);
            prop_assert_eq!(key.secret.expose_seed(), &other);
            let public = ed25519_dalek::SigningKey::from_bytes(&other).verifying_key().to_bytes();
            prop_assert_eq!(key.address.as_bytes(), &public);
        }
    }
}
