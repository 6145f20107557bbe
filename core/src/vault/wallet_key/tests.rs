#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::vec::Vec;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::vault::{
    KdfParams, NewWalletPassword, RecordId, VaultError, VaultId, reseal_record, seal_protected_record,
    seal_record, wallet_password_kdf,
};

fn key() -> VaultKey {
    VaultKey::from_bytes([0x77; 32])
}

fn keys() -> [WalletKey; 2] {
    [
        ed25519::SecretKey::from_seed(&[0x42; 32]).into(),
        secp256k1::SecretKey::from_bytes(&[0x42; 32]).unwrap().into(),
    ]
}

fn context(key: &WalletKey) -> RecordContext {
    RecordContext {
        vault: VaultId::from_bytes([0x11; 16]),
        record: RecordId::from_bytes([0x22; 16]),
        kind: RecordKind::of(key),
        epoch: 1,
        public_key: RecordPublicKey::of(key),
    }
}

fn password(text: &str) -> WalletPassword {
    WalletPassword::new(text.as_bytes()).unwrap()
}

fn protected(wallet: &WalletKey, own: &str) -> Vec<u8> {
    let new = NewWalletPassword {
        password: &password(own),
        kdf: KdfParams::MINIMUM,
        kdf_salt: [0x55; 32],
        inner_salt: [0x66; 32],
    };
    seal_protected_record(&key(), &context(wallet), wallet.expose_secret(), [0x33; 32], &new).unwrap()
}

#[test]
fn keys_of_both_curves_open() {
    for wallet in keys() {
        let context = context(&wallet);
        let sealed = seal_record(&key(), &context, wallet.expose_secret(), [3; 32]).unwrap();
        assert_eq!(wallet_password_kdf(&sealed), Ok(None));
        for own in [None, Some(&password("not asked for"))] {
            let opened = open_wallet_key(&key(), &context, &sealed, own).unwrap();
            assert!(opened.is_same_as(&wallet));
        }
    }
}

#[test]
fn both_the_vault_key_and_the_wallets_password_are_needed() {
    for wallet in keys() {
        let context = context(&wallet);
        let sealed = protected(&wallet, "the wallet's own");
        assert_eq!(wallet_password_kdf(&sealed), Ok(Some(KdfParams::MINIMUM)));
        let open = |key: &VaultKey, own: Option<&str>| {
            let own = own.map(password);
            open_wallet_key(key, &context, &sealed, own.as_ref())
        };
        assert!(
            open(&key(), Some("the wallet's own"))
                .unwrap()
                .is_same_as(&wallet)
        );
        assert_eq!(open(&key(), None).unwrap_err(), OpenError::WalletPasswordMissing);
        // A wrong password and a wrong vault key read alike.
        let other = VaultKey::from_bytes([0x78; 32]);
        for (key, own) in [
            (&key(), "the wallet's ow"),
            (&key(), "The wallet's own"),
            (&other, "the wallet's own"),
            (&other, "wrong"),
        ] {
            assert_eq!(open(key, Some(own)).unwrap_err(), OpenError::Refused);
        }
    }
}

#[test]
fn a_password_is_changed_and_removed_by_sealing_again() {
    let [wallet, _] = keys();
    let context = context(&wallet);
    let changed = protected(&wallet, "another");
    assert!(open_wallet_key(&key(), &context, &changed, Some(&password("another"))).is_ok());
    assert!(open_wallet_key(&key(), &context, &changed, Some(&password("the wallet's own"))).is_err());
    let removed = seal_record(&key(), &context, wallet.expose_secret(), [4; 32]).unwrap();
    assert!(open_wallet_key(&key(), &context, &removed, None).is_ok());
}

/// A rotation, or an export under a key of its own, knows no wallet's password and needs none.
#[test]
fn a_protected_record_moves_without_its_password() {
    let [wallet, other] = keys();
    let (from, sealed) = (context(&wallet), protected(&wallet, "own"));
    let new = VaultKey::from_bytes([0x88; 32]);
    let to = RecordContext {
        vault: VaultId::from_bytes([0x12; 16]),
        epoch: 2,
        ..from
    };
    let moved = reseal_record((&key(), &from), (&new, &to), &sealed, [9; 32]).unwrap();
    let own = password("own");
    assert!(
        open_wallet_key(&new, &to, &moved, Some(&own))
            .unwrap()
            .is_same_as(&wallet)
    );
    assert_eq!(
        open_wallet_key(&new, &to, &moved, None).unwrap_err(),
        OpenError::WalletPasswordMissing
    );
    for (key, place) in [(&key(), &to), (&new, &from), (&key(), &from)] {
        assert_eq!(
            open_wallet_key(key, place, &moved, Some(&own)).unwrap_err(),
            OpenError::Refused
        );
    }

    // It does not become another wallet's.
    let another = context(&other);
    let refused = reseal_record((&key(), &from), (&new, &another), &sealed, [9; 32]);
    assert_eq!(refused, Err(OpenError::Refused));
    let master = RecordContext {
        kind: RecordKind::Master,
        ..to
    };
    let refused = reseal_record((&key(), &from), (&new, &master), &sealed, [9; 32]);
    assert_eq!(refused, Err(OpenError::Refused));
}

/// Refused before any stretching, so that none of it takes time.
#[test]
fn every_changed_byte_and_every_length_is_refused() {
    for wallet in keys() {
        let context = context(&wallet);
        let own = password("own");
        for sealed in [
            protected(&wallet, "own"),
            seal_record(&key(), &context, wallet.expose_secret(), [3; 32]).unwrap(),
        ] {
            let check = |bytes: &[u8], what: &str, at: usize| {
                let opened = open_wallet_key(&key(), &context, bytes, Some(&own));
                assert_eq!(opened.unwrap_err(), OpenError::Refused, "{what} {at}");
            };
            for at in 0..sealed.len() {
                for mask in [1, 0x80, 0xff] {
                    let mut bad = sealed.clone();
                    bad[at] ^= mask;
                    check(&bad, "byte", at);
                }
                check(&sealed[..at], "cut to", at);
            }
            for more in [1, 16, 80, 5000] {
                let mut longer = sealed.clone();
                longer.resize(sealed.len() + more, 0);
                check(&longer, "longer by", more);
            }
        }
    }
}

#[test]
fn a_record_of_another_wallet_does_not_open_here() {
    let [solana, evm] = keys();
    let sealed = seal_record(&key(), &context(&solana), solana.expose_secret(), [3; 32]).unwrap();
    let opened = open_wallet_key(&key(), &context(&evm), &sealed, None);
    assert_eq!(opened.unwrap_err(), OpenError::Refused);
    // Nor does one whose kind and curve do not go together, even if it was sealed so.
    let crossed = RecordContext {
        kind: RecordKind::EvmKey,
        ..context(&solana)
    };
    let sealed = seal_record(&key(), &crossed, solana.expose_secret(), [3; 32]).unwrap();
    let opened = open_wallet_key(&key(), &crossed, &sealed, None);
    assert_eq!(opened.unwrap_err(), OpenError::Refused);
    // A secp256k1 secret that is no key: zero.
    let sealed = seal_record(&key(), &context(&evm), &[0; 32], [3; 32]).unwrap();
    let opened = open_wallet_key(&key(), &context(&evm), &sealed, None);
    assert_eq!(opened.unwrap_err(), OpenError::Refused);
}

#[test]
fn passwords_are_bounded_and_never_shown() {
    for len in [0, 1025] {
        let refused = WalletPassword::new(&alloc::vec![b'x'; len]).unwrap_err();
        assert_eq!(refused, VaultError::WalletPasswordLength { found: len });
    }
    assert!(WalletPassword::new(&[b'x'; 1024]).is_ok());
    let own = password("canary");
    let new = NewWalletPassword {
        password: &own,
        kdf: KdfParams::MINIMUM,
        kdf_salt: [0xca; 32],
        inner_salt: [0xca; 32],
    };
    let shown = alloc::format!("{own:?} {new:?}");
    assert!(!shown.contains("canary") && !shown.contains("202"), "{shown}");
}
