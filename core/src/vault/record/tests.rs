#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::ed25519::SecretKey;
use crate::vault::open_solana_key;

const SEED: [u8; 32] = [0x42; 32];
const SALT: [u8; 32] = [0x33; 32];

fn key() -> VaultKey {
    VaultKey::from_bytes([0x77; 32])
}

fn context() -> RecordContext {
    RecordContext {
        vault: VaultId::from_bytes([0x11; 16]),
        record: RecordId::from_bytes([0x22; 16]),
        kind: RecordKind::SolanaKey,
        epoch: 1,
        public_key: RecordPublicKey::Ed25519(SecretKey::from_seed(&SEED).address().to_bytes()),
    }
}

fn sealed() -> Vec<u8> {
    seal_record(&key(), &context(), &SEED, SALT).unwrap()
}

fn own_password(text: &str) -> WalletPassword {
    WalletPassword::new(text.as_bytes()).unwrap()
}

fn protected() -> Vec<u8> {
    let new = NewWalletPassword {
        password: &own_password("the wallet's own"),
        kdf: KdfParams::MINIMUM,
        kdf_salt: [0x55; 32],
        inner_salt: [0x66; 32],
    };
    seal_protected_record(&key(), &context(), &SEED, SALT, &new).unwrap()
}

/// The bytes were computed by a separate program, from the documented layout and Python's own scrypt, HMAC
/// and AES-GCM.
#[test]
fn its_bytes_are_pinned() {
    insta::assert_snapshot!(hex::encode(context().to_bytes(None)), @"4b575243000111111111111111111111111111111111222222222222222222222222222222220200000001012152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db1200");
    insta::assert_snapshot!(hex::encode(sealed()), @"4b57524300010033333333333333333333333333333333333333333333333333333333333333338cb6253f70a642e790631f75f8dc2aedb646150b3be0517b37fd73c139dbea179fbbfc4b6e6addcd5b87fd1c2ce236ab42260eb4b93a4be4918daad455fb094b034af48e4a63968a198b8b376b644f47");
}

#[test]
fn the_bytes_of_a_protected_record_are_pinned() {
    insta::assert_snapshot!(hex::encode(protected()), @"4b575243000101010e0000000800000001555555555555555555555555555555555555555555555555555555555555555533333333333333333333333333333333333333333333333333333333333333338cb6253f70a642e790631f75f8dc2aedb646150b3be0517b37fd73c139dbea17bb9fd86f4a4ef9e97fa3d93808c6128f66022a909d1e6fc0b5a98ef071df2d6f168011e7262a2cbbec9fa9dda6adae91b9661d75682a7d4f2545f323d7037361a9ed01cce9fc482a3d0ea5aee09721017d7470b2c728fbb765fa28fd4227bd03b4d6ef49c912c6d793a907f7310f794a863bdc8cbb3a1c52d4b3c6b0de3b98d4");
}

#[test]
fn opens_what_was_sealed() {
    assert_eq!(*open_record(&key(), &context(), &sealed()).unwrap(), SEED);
    let secret = open_solana_key(&key(), &context(), &sealed()).unwrap();
    assert_eq!(secret.expose_seed(), &SEED);
}

#[test]
fn bounds_the_secret() {
    for found in [0, MAX_SECRET_LEN + 1] {
        let refused = seal_record(&key(), &context(), &alloc::vec![0; found], SALT);
        assert_eq!(refused, Err(VaultError::SecretLength { found }));
    }
    for len in [1, MAX_SECRET_LEN] {
        let secret = alloc::vec![5; len];
        let sealed = seal_record(&key(), &context(), &secret, SALT).unwrap();
        assert_eq!(*open_record(&key(), &context(), &sealed).unwrap(), secret);
    }
}

#[test]
fn opens_in_no_other_place() {
    let sealed = sealed();
    let here = context();
    let elsewhere = [
        RecordContext {
            vault: VaultId::from_bytes([0x12; 16]),
            ..here
        },
        RecordContext {
            record: RecordId::from_bytes([0x23; 16]),
            ..here
        },
        RecordContext {
            kind: RecordKind::Master,
            ..here
        },
        RecordContext { epoch: 2, ..here },
        RecordContext {
            public_key: RecordPublicKey::None,
            ..here
        },
        RecordContext {
            public_key: RecordPublicKey::Ed25519([0; 32]),
            ..here
        },
        RecordContext {
            public_key: RecordPublicKey::Secp256k1([2; 33]),
            ..here
        },
    ];
    for place in elsewhere {
        assert_eq!(
            open_record(&key(), &place, &sealed),
            Err(OpenError::Refused),
            "{place:?}"
        );
        assert!(open_solana_key(&key(), &place, &sealed).is_err(), "{place:?}");
    }
    let other = VaultKey::from_bytes([0x78; 32]);
    assert_eq!(open_record(&other, &here, &sealed), Err(OpenError::Refused));
}

#[test]
fn a_key_must_belong_to_its_address() {
    let wrong = RecordContext {
        public_key: RecordPublicKey::Ed25519([9; 32]),
        ..context()
    };
    let sealed = seal_record(&key(), &wrong, &SEED, SALT).unwrap();
    assert!(open_record(&key(), &wrong, &sealed).is_ok());
    assert_eq!(
        open_solana_key(&key(), &wrong, &sealed).unwrap_err(),
        OpenError::Refused
    );

    // Nor is anything but 32 bytes a key, even where all else is right.
    for len in [1, 31, 33, 64] {
        let sealed = seal_record(&key(), &context(), &alloc::vec![0x42; len], SALT).unwrap();
        assert_eq!(
            open_solana_key(&key(), &context(), &sealed).unwrap_err(),
            OpenError::Refused
        );
    }

    let master = RecordContext {
        kind: RecordKind::Master,
        ..context()
    };
    let sealed = seal_record(&key(), &master, &SEED, SALT).unwrap();
    assert_eq!(
        open_solana_key(&key(), &master, &sealed).unwrap_err(),
        OpenError::Refused
    );
}

#[test]
fn every_flipped_bit_and_every_truncation_is_refused() {
    let good = sealed();
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            open_record(&key(), &context(), &bad),
            Err(OpenError::Refused),
            "bit {bit}"
        );
    }
    for len in 0..good.len() {
        assert_eq!(
            open_record(&key(), &context(), &good[..len]),
            Err(OpenError::Refused),
            "{len} bytes"
        );
    }
    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(open_record(&key(), &context(), &longer), Err(OpenError::Refused));
}

#[test]
fn another_salt_changes_everything_after_the_version() {
    let (one, two) = (
        sealed(),
        seal_record(&key(), &context(), &SEED, [0x34; 32]).unwrap(),
    );
    assert_eq!(one[..7], two[..7]);
    let same = one[7..].iter().zip(&two[7..]).filter(|(a, b)| a == b).count();
    assert!(same < 10, "{same} of {} bytes are equal", one.len());
}

#[test]
fn codes_go_both_ways() {
    for code in 0..=255 {
        assert_eq!(
            RecordKind::try_from(code).map_or(0, RecordKind::code),
            if (1..=3).contains(&code) { code } else { 0 }
        );
        assert_eq!(Curve::try_from(code).is_ok(), code <= 2);
        assert_eq!(Curve::try_from(code).map_or(code, Curve::code), code);
    }
}

proptest! {
    #[test]
    fn round_trips_and_refuses_damage(
        vault_key: [u8; 32], vault: [u8; 16], record: [u8; 16], salt: [u8; 32], epoch: u32,
        secret in prop::collection::vec(any::<u8>(), 1..300),
        at: prop::sample::Index, change in 1_u8..=255, cut: prop::sample::Index,
    ) {
        let key = VaultKey::from_bytes(vault_key);
        let place = RecordContext {
            vault: VaultId::from_bytes(vault),
            record: RecordId::from_bytes(record),
            kind: RecordKind::Master,
            epoch,
            public_key: RecordPublicKey::None,
        };
        let good = seal_record(&key, &place, &secret, salt).unwrap();
        prop_assert_eq!(&*open_record(&key, &place, &good).unwrap(), &secret);

        let mut bad = good.clone();
        bad[at.index(good.len())] ^= change;
        prop_assert_eq!(open_record(&key, &place, &bad), Err(OpenError::Refused));
        prop_assert_eq!(open_record(&key, &place, &good[..cut.index(good.len())]), Err(OpenError::Refused));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(open_record(&key(), &context(), &bytes).is_err());
        let mut framed = [b"KWRC".as_slice(), &[0, 1, 0]].concat();
        framed.extend_from_slice(&bytes);
        prop_assert_eq!(open_record(&key(), &context(), &framed), Err(OpenError::Refused));
    }
}
