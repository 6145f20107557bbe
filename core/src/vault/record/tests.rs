#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

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
        curve: Curve::Ed25519,
        public_key: SecretKey::from_seed(&SEED).address().to_bytes(),
    }
}

fn sealed() -> Vec<u8> {
    seal_record(&key(), &context(), &SEED, SALT).unwrap()
}

/// The bytes were computed by a separate program, from the documented layout and Node's own scrypt, HKDF
/// and AES-GCM.
#[test]
fn its_bytes_are_pinned() {
    insta::assert_snapshot!(hex::encode(context().to_bytes()), @"4b575243000111111111111111111111111111111111222222222222222222222222222222220200000001012152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12");
    insta::assert_snapshot!(hex::encode(sealed()), @"4b575243000133333333333333333333333333333333333333333333333333333333333333338cb6253f70a642e790631f75f8dc2aedb646150b3be0517b37fd73c139dbea179fbbfc4b6e6addcd5b87fd1c2ce236ab42260eb4b93a4be4918daad455fb094bea1a3989e862af9ea05c9babbdb52538");
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
            curve: Curve::None,
            ..here
        },
        RecordContext {
            public_key: [0; 32],
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
        public_key: [9; 32],
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
    assert_eq!(one[..6], two[..6]);
    let same = one[6..].iter().zip(&two[6..]).filter(|(a, b)| a == b).count();
    assert!(same < 10, "{same} of {} bytes are equal", one.len());
}

#[test]
fn codes_go_both_ways() {
    for code in 0..=255 {
        assert_eq!(
            RecordKind::try_from(code).map_or(0, RecordKind::code),
            if (1..=2).contains(&code) { code } else { 0 }
        );
        assert_eq!(Curve::try_from(code).is_ok(), code <= 1);
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
            curve: Curve::None,
            public_key: [0; 32],
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
        let mut framed = [b"KWRC".as_slice(), &[0, 1]].concat();
        framed.extend_from_slice(&bytes);
        prop_assert_eq!(open_record(&key(), &context(), &framed), Err(OpenError::Refused));
    }
}
