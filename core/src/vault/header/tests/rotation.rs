//! A new vault key, and what an old header still does.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::vault::{
    RecordContext, RecordId, RecordKind, RecordPublicKey, open_record, reseal_record, seal_record,
};

const NEXT: [u8; 32] = [0x88; 32];

fn rotate(header: &VaultHeader, to: [u8; 32]) -> Result<(VaultHeader, VaultKey), VaultError> {
    let recovery = recovery();
    header.rotated(
        &VaultKey::from_bytes(KEY),
        RotateVault {
            key: to,
            password: password(PASSWORD, 0x22, None),
            recovery: Some(recovery_slot(&recovery)),
            previous_salt: [0xaa; 32],
        },
    )
}

fn rotated() -> (VaultHeader, VaultKey) {
    rotate(&create(None), NEXT).unwrap()
}

fn place(epoch: u32) -> RecordContext {
    RecordContext {
        vault: VaultId::from_bytes([0x11; 16]),
        record: RecordId::from_bytes([1; 16]),
        kind: RecordKind::Master,
        epoch,
        public_key: RecordPublicKey::None,
    }
}

/// Computed by a separate program from the documented layout.
#[test]
fn its_bytes_are_pinned() {
    insta::assert_snapshot!(hex::encode(rotated().0.to_bytes()), @"4b5756480001111111111111111111111111111111110000000202010100010e000000080000000122222222222222222222222222222222222222222222222222222222222222223333333333333333333333333333333333333333333333333333333333333333d2c81f555840b026ffcc60e50ff9859b2254bec7c0288c73c9ef518716172969e6f57e290f65df56df7fd835eb1b5cc71540ca7e3948ccf9461f77bd03fd8dbad8515dbf8ef28d712a3d371e07219d9202000200000000000000000055555555555555555555555555555555555555555555555555555555555555556666666666666666666666666666666666666666666666666666666666666666837b11de33e0d4a6eaed2a8231b0af195c7e47b7fec77f2cd64834f855ab0152342d99a8862410d180fb660e41231762b87c1ca194247e64098d80de159aaae649a4e7a9912577dab5bfcae2c4fe6595aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1d477d05cb1dd949ecd877ce527ebb8ca3423a86b829d244d10168e830225d047688155b8dc74276923b0d935df7326269d1333914d5ae63f70f661a579e679bfa5a7738c7dfe8deb632fdaf7d5669c1bec1b609b8b23effd2e19d34a40cdfa47d5c6cc675ecb27c9517afd82ea047da");
}

#[test]
fn both_keys_are_at_hand_until_it_is_finished() {
    let (header, key) = rotated();
    let header = read(&header);
    assert_eq!((header.epoch(), header.is_rotating()), (2, true));
    assert_eq!(key.expose_bytes(), &NEXT);
    assert_eq!(header.open(PASSWORD, None).unwrap().expose_bytes(), &NEXT);
    assert_eq!(
        header.open_with_recovery(&recovery()).unwrap().expose_bytes(),
        &NEXT
    );
    let previous = header.previous_key(&key).unwrap().unwrap();
    assert_eq!(previous.expose_bytes(), &KEY);
    assert_eq!(header.previous_key(&previous).unwrap_err(), OpenError::Refused);

    // A change of slots in the middle keeps both.
    let changed = header
        .with_password_changed(&key, password(b"another", 0x40, None))
        .unwrap();
    assert_eq!(
        read(&changed).previous_key(&key).unwrap().unwrap().expose_bytes(),
        &KEY
    );

    let finished = read(&header.rotation_finished(&key).unwrap());
    assert_eq!((finished.epoch(), finished.is_rotating()), (2, false));
    assert!(finished.previous_key(&key).unwrap().is_none());
    assert_eq!(finished.open(PASSWORD, None).unwrap().expose_bytes(), &NEXT);
    // Done twice, after a crash, it is the same.
    assert_eq!(
        finished.rotation_finished(&key).unwrap().to_bytes(),
        finished.to_bytes()
    );
}

/// The process ends between any two records: what is left is read by the epoch it names.
#[test]
fn records_of_both_epochs_are_read_and_moved_in_any_order() {
    let old = VaultKey::from_bytes(KEY);
    let sealed: Vec<_> = (0_u8..4)
        .map(|i| seal_record(&old, &place(1), &[i], [i; 32]).unwrap())
        .collect();
    let (header, new) = rotated();
    let header = read(&header);
    let key = header.open(PASSWORD, None).unwrap();
    let previous = header.previous_key(&key).unwrap().unwrap();
    for (i, record) in (0_u8..4).zip(&sealed) {
        let moved = reseal_record((&previous, &place(1)), (&key, &place(2)), record, [i + 9; 32]).unwrap();
        assert_eq!(*open_record(&new, &place(2), &moved).unwrap(), [i]);
        // The record left behind is still read, by its own epoch and key alone.
        assert_eq!(*open_record(&previous, &place(1), record).unwrap(), [i]);
        for (key, epoch, bytes) in [
            (&key, 1, record),
            (&key, 2, record),
            (&previous, 2, &moved),
            (&key, 1, &moved),
        ] {
            assert_eq!(open_record(key, &place(epoch), bytes), Err(OpenError::Refused));
        }
        // Moved again after a crash that lost the note of it: refused, not sealed twice.
        let again = reseal_record((&previous, &place(1)), (&key, &place(2)), &moved, [7; 32]);
        assert_eq!(again, Err(OpenError::Refused));
    }
}

/// What is noticed of a header of the epoch before: its key opens no record written since.
#[test]
fn an_old_header_opens_old_records_alone() {
    let old = create(None).open(PASSWORD, None).unwrap();
    let (header, new) = rotated();
    assert_eq!(header.verify(&old), Err(VaultError::KeyMismatch));
    let record = seal_record(&new, &place(2), b"secret", [3; 32]).unwrap();
    for epoch in [1, 2] {
        assert_eq!(open_record(&old, &place(epoch), &record), Err(OpenError::Refused));
    }
}

#[test]
fn refuses_what_is_no_rotation() {
    let (header, key) = rotated();
    assert_eq!(rotate(&create(None), KEY).unwrap_err(), VaultError::NotRotated);
    assert_eq!(rotate(&header, [5; 32]).unwrap_err(), VaultError::KeyMismatch);
    let again = RotateVault {
        key: [5; 32],
        password: password(PASSWORD, 0x22, None),
        recovery: None,
        previous_salt: [0xaa; 32],
    };
    assert!(format!("{again:?}") == "RotateVault { .. }");
    assert_eq!(
        header.rotated(&key, again).unwrap_err(),
        VaultError::RotationUnfinished
    );
}

#[test]
fn every_changed_byte_is_refused() {
    let good = rotated().0.to_bytes();
    let stretched = Stretched::new();
    let salt = PREFIX_LEN + 12..PREFIX_LEN + 44;
    for at in (0..good.len()).filter(|at| !salt.contains(at)) {
        let mut bad = good.clone();
        bad[at] ^= 0xff;
        let opened = VaultHeader::from_bytes(&bad)
            .map_err(OpenError::from)
            .and_then(|header| stretched.open(&header, Some(&factor(1))));
        assert_eq!(opened.unwrap_err(), OpenError::Refused, "byte {at}");
    }
}
