//! Several passwords and the recovery key.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn with_recovery(second_factor: Option<&SecondFactor>) -> VaultHeader {
    let key = VaultKey::from_bytes(KEY);
    create(second_factor)
        .with_recovery_slot(&key, recovery_slot(&recovery()))
        .unwrap()
}

/// Computed by a separate program from the documented layout.
#[test]
fn a_recovery_slot_is_pinned() {
    insta::assert_snapshot!(hex::encode(with_recovery(None).to_bytes()), @"4b5756480001111111111111111111111111111111110000000102000100010e000000080000000122222222222222222222222222222222222222222222222222222222222222223333333333333333333333333333333333333333333333333333333333333333ad820c64c8f21766c51b6a1e30667f15bfce3b494f7d16bd4bbbceed93c016817c84bda4f3b4d5589069fe6b94d908d8dfc971b55706d0522f2a82ac98ef5cd8ec6bb48083f142c2cd248ea108df83570200020000000000000000005555555555555555555555555555555555555555555555555555555555555555666666666666666666666666666666666666666666666666666666666666666615a9aace4c7279378e6bcee8802f794a1edadbc0bdb670741f35d6fcbb96bb131a8db200999e9b9f2deafefd30391adcaeef838251389a89a20cc137df8682069b4be8a3ade362ffb05bf75d3e10ec67cb22e61e8a9561d77ad5d34ac2bc4fb7732a9d6ff22f1198b21bb207dcf144a4");
}

#[test]
fn the_recovery_key_replaces_password_and_second_factor() {
    let factor = factor(0x44);
    for second_factor in [None, Some(&factor)] {
        let header = read(&with_recovery(second_factor));
        assert_eq!(header.needs_second_factor(), second_factor.is_some());
        let key = header.open_with_recovery(&recovery()).unwrap();
        assert_eq!(key.expose_bytes(), &KEY);
        assert_eq!(header.open(PASSWORD, second_factor).unwrap().expose_bytes(), &KEY);
        // The recovery key is no password, nor a password a recovery key.
        assert_eq!(
            header.open(recovery().expose_bytes(), Some(&factor)).unwrap_err(),
            OpenError::Refused
        );
        for wrong in [[0; 32], [0x98; 32], KEY] {
            let wrong = RecoveryKey::from_bytes(wrong);
            assert_eq!(header.open_with_recovery(&wrong).unwrap_err(), OpenError::Refused);
        }

        // What was lost is set anew, and the recovery key goes on to open.
        let renewed = header
            .with_password_changed(&key, password(b"a password anew", 0x40, None))
            .unwrap();
        let renewed = read(&renewed);
        assert!(!renewed.needs_second_factor());
        assert_eq!(
            renewed.open(b"a password anew", None).unwrap().expose_bytes(),
            &KEY
        );
        assert_eq!(
            renewed.open(PASSWORD, second_factor).unwrap_err(),
            OpenError::Refused
        );
        assert!(renewed.open_with_recovery(&recovery()).is_ok());
    }
    assert_eq!(
        create(None).open_with_recovery(&recovery()).unwrap_err(),
        OpenError::Refused
    );
}

#[test]
fn a_new_recovery_key_ends_the_old_one() {
    let key = VaultKey::from_bytes(KEY);
    let new = RecoveryKey::from_bytes([0x9a; 32]);
    let header = with_recovery(None)
        .with_recovery_slot(&key, recovery_slot(&new))
        .unwrap();
    assert_eq!(header.slots().len(), 2);
    assert!(header.open_with_recovery(&new).is_ok());
    assert_eq!(
        header.open_with_recovery(&recovery()).unwrap_err(),
        OpenError::Refused
    );

    let header = header.without_slot(&key, 1).unwrap();
    assert_eq!(header.open_with_recovery(&new).unwrap_err(), OpenError::Refused);
    assert_eq!(header.to_bytes(), create(None).to_bytes());
}

#[test]
fn several_passwords_open_and_each_is_changed_alone() {
    let key = VaultKey::from_bytes(KEY);
    let factor = factor(0x44);
    let header = with_recovery(None)
        .with_password_added(&key, password(b"the second", 0x40, Some(&factor)))
        .unwrap();
    let header = read(&header);
    // One of them needs no second factor, so the vault as a whole does not.
    assert!(!header.needs_second_factor());
    assert_eq!(header.open_slot(PASSWORD, None).unwrap().0, 0);
    assert_eq!(header.open_slot(b"the second", Some(&factor)).unwrap().0, 2);
    assert_eq!(header.open(b"the second", None).unwrap_err(), OpenError::Refused);

    let again = || password(b"the third", 0x60, None);
    assert_eq!(
        header.with_password_changed(&key, again()).unwrap_err(),
        VaultError::WhichSlot
    );
    for index in [1, 3, usize::MAX] {
        let refused = header.with_password_changed_in(&key, index, again());
        assert_eq!(refused.unwrap_err(), VaultError::NoSuchSlot, "{index}");
    }
    let changed = header.with_password_changed_in(&key, 2, again()).unwrap();
    assert_eq!(changed.open_slot(b"the third", None).unwrap().0, 2);
    assert_eq!(changed.open_slot(PASSWORD, None).unwrap().0, 0);
    assert!(changed.open(b"the second", Some(&factor)).is_err());
    assert!(changed.open_with_recovery(&recovery()).is_ok());

    let alone = changed.without_slot(&key, 0).unwrap();
    assert_eq!(alone.open(PASSWORD, None).unwrap_err(), OpenError::Refused);
    assert_eq!(alone.open_slot(b"the third", None).unwrap().0, 1);
    assert_eq!(alone.without_slot(&key, 1).unwrap_err(), VaultError::LastPassword);
    assert_eq!(alone.without_slot(&key, 2).unwrap_err(), VaultError::NoSuchSlot);
}

#[test]
fn nothing_is_changed_without_the_vault_key() {
    let header = with_recovery(None);
    let other = VaultKey::from_bytes([0x78; 32]);
    let mismatch = |changed: Result<VaultHeader, VaultError>| {
        assert_eq!(changed.unwrap_err(), VaultError::KeyMismatch);
    };
    mismatch(header.with_password_changed_in(&other, 0, password(b"x", 0x40, None)));
    mismatch(header.with_password_added(&other, password(b"x", 0x40, None)));
    mismatch(header.with_recovery_slot(&other, recovery_slot(&recovery())));
    mismatch(header.without_slot(&other, 1));
    mismatch(header.rotation_finished(&other));
}

/// Slots are put together by hand: real ones of this cost would take a minute.
#[test]
fn the_work_of_all_slots_is_bounded() {
    let read = |costs: &[u8]| {
        let one = create_once();
        let mut bytes = one[..PREFIX_LEN].to_vec();
        bytes[26] = costs.len() as u8;
        for log_n in costs {
            bytes.extend_from_slice(&one[PREFIX_LEN..PREFIX_LEN + SLOT_LEN]);
            let at = bytes.len() - SLOT_LEN + 3;
            bytes[at] = *log_n;
        }
        bytes.extend_from_slice(&[0; MAC_LEN]);
        VaultHeader::from_bytes(&bytes)
    };
    assert_eq!(read(&[17; 8]).unwrap().slots().len(), 8);
    assert!(read(&[20, 20]).is_ok());
    assert!(read(&[20, 19, 18, 18]).is_ok());
    for costs in [[20, 20, 14].as_slice(), &[20, 19, 19, 14], &[20; 8], &[19; 5]] {
        assert_eq!(
            read(costs).unwrap_err(),
            HeaderError::TooMuchStretching,
            "{costs:?}"
        );
    }
}

#[test]
fn no_more_slots_are_added_than_are_read() {
    let key = VaultKey::from_bytes(KEY);
    let mut header = create(None);
    let slot = header.slots[0].clone();
    header.slots.resize(MAX_SLOTS, slot);
    let header = VaultHeader::sealed(header.place(), header.slots, None, &key).unwrap();
    assert_eq!(read(&header).slots().len(), MAX_SLOTS);
    assert_eq!(
        header
            .with_recovery_slot(&key, recovery_slot(&recovery()))
            .unwrap_err(),
        VaultError::TooManySlots
    );
}

#[test]
fn every_changed_byte_is_refused_to_the_recovery_key() {
    let good = with_recovery(None).to_bytes();
    for at in 0..good.len() {
        for mask in [1, 0x80, 0xff] {
            let mut bad = good.clone();
            bad[at] ^= mask;
            let opened = VaultHeader::from_bytes(&bad)
                .map_err(OpenError::from)
                .and_then(|header| header.open_with_recovery(&recovery()));
            assert_eq!(opened.unwrap_err(), OpenError::Refused, "byte {at}, mask {mask}");
        }
    }
    for len in 0..good.len() {
        assert!(VaultHeader::from_bytes(&good[..len]).is_err(), "{len} bytes");
    }
}
