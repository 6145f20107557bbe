#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::format;

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::vault::SlotKind;

mod rotation;
mod slots;

const PASSWORD: &[u8] = b"correct horse battery staple";
const KEY: [u8; 32] = [0x77; 32];

fn factor(byte: u8) -> SecondFactor {
    SecondFactor::parse(&hex::encode([byte; 32])).unwrap()
}

fn create(second_factor: Option<&SecondFactor>) -> VaultHeader {
    let (header, key) = VaultHeader::create(CreateVault {
        vault: VaultId::from_bytes([0x11; 16]),
        kdf: KdfParams::MINIMUM,
        password: PASSWORD,
        second_factor,
        key: KEY,
        slot_salt: [0x22; 32],
        wrap_salt: [0x33; 32],
    })
    .unwrap();
    assert_eq!(key.expose_bytes(), &KEY);
    header
}

/// A password whose scrypt salt is `salt` throughout.
fn password<'a>(password: &'a [u8], salt: u8, second_factor: Option<&'a SecondFactor>) -> NewPassword<'a> {
    NewPassword {
        kdf: KdfParams::MINIMUM,
        password,
        second_factor,
        slot_salt: [salt; 32],
        wrap_salt: [salt + 0x11; 32],
    }
}

fn recovery() -> RecoveryKey {
    RecoveryKey::from_bytes([0x99; 32])
}

fn recovery_slot(key: &RecoveryKey) -> NewRecovery<'_> {
    NewRecovery {
        key,
        slot_salt: [0x55; 32],
        wrap_salt: [0x66; 32],
    }
}

fn read(header: &VaultHeader) -> VaultHeader {
    VaultHeader::from_bytes(&header.to_bytes()).unwrap()
}

/// Stretching dominates; tests that open many headers with the same salt do it once.
struct Stretched {
    known: Zeroizing<[u8; 32]>,
    password: &'static [u8],
}

impl Stretched {
    fn new() -> Self {
        Self {
            known: KdfParams::MINIMUM.stretch(PASSWORD, &[0x22; 32]).unwrap(),
            password: PASSWORD,
        }
    }

    fn open(&self, header: &VaultHeader, factor: Option<&SecondFactor>) -> Result<VaultKey, OpenError> {
        header
            .open_by(factor, |kdf, salt| {
                if kdf == KdfParams::MINIMUM && *salt == [0x22; 32] {
                    Ok(self.known.clone())
                } else if kdf == KdfParams::MINIMUM {
                    kdf.stretch(self.password, salt)
                } else {
                    // Damaged parameters within the bounds: whatever comes out is not the key.
                    Ok(Zeroizing::new([kdf.log_n(); 32]))
                }
            })
            .map(|(_, key)| key)
    }
}

/// The bytes were computed by a separate program, from the documented layout and Python's own scrypt, HMAC
/// and AES-GCM.
#[test]
fn its_bytes_are_pinned() {
    insta::assert_snapshot!(hex::encode(create(None).to_bytes()), @"4b5756480001111111111111111111111111111111110000000101000100010e000000080000000122222222222222222222222222222222222222222222222222222222222222223333333333333333333333333333333333333333333333333333333333333333ad820c64c8f21766c51b6a1e30667f15bfce3b494f7d16bd4bbbceed93c016817c84bda4f3b4d5589069fe6b94d908d8dfc971b55706d0522f2a82ac98ef5cd8ec6bb48083f142c2cd248ea108df83576164e713d771f9083e0b446e5f921ee2c20d54140d1b17e7d9c1e69124fd55e0");
    insta::assert_snapshot!(hex::encode(create(Some(&factor(0x44))).to_bytes()), @"4b5756480001111111111111111111111111111111110000000101000101010e000000080000000122222222222222222222222222222222222222222222222222222222222222223333333333333333333333333333333333333333333333333333333333333333115d1c9c06928d314668814562dcf7bb9ba3681d37100471e0d67aac06788987a6fb7346a161e68357855f298deaff0fb4fa2268b81123d02f808d5468e4a50649b12ef5df8a9e7315d7435fa85200bda6cd0939712f675dd9b57f089d98394acabf9f25de5799739f7fa05ddad864cd");
}

#[test]
fn opens_with_the_password_alone() {
    let header = VaultHeader::from_bytes(&create(None).to_bytes()).unwrap();
    assert!(!header.needs_second_factor());
    assert_eq!(
        (header.vault_id(), header.epoch()),
        (VaultId::from_bytes([0x11; 16]), 1)
    );
    let [slot] = header.slots()[..] else {
        panic!("one slot")
    };
    assert_eq!(
        (slot.kind, slot.kdf, slot.needs_second_factor),
        (SlotKind::Password, Some(KdfParams::MINIMUM), false)
    );

    assert_eq!(header.open(PASSWORD, None).unwrap().expose_bytes(), &KEY);
    // A second factor that is not asked for does no harm.
    assert_eq!(
        header.open(PASSWORD, Some(&factor(1))).unwrap().expose_bytes(),
        &KEY
    );
    for wrong in [
        b"".as_slice(),
        b"correct horse battery stapl",
        b"correct horse battery staple\n",
    ] {
        assert_eq!(header.open(wrong, None).unwrap_err(), OpenError::Refused);
    }
}

#[test]
fn opens_with_both_where_both_are_needed() {
    let header = create(Some(&factor(0x44)));
    assert!(header.needs_second_factor());
    assert_eq!(
        header.open(PASSWORD, Some(&factor(0x44))).unwrap().expose_bytes(),
        &KEY
    );
    assert_eq!(
        header.open(PASSWORD, Some(&factor(0x45))).unwrap_err(),
        OpenError::Refused
    );
    assert_eq!(
        header.open(b"wrong", Some(&factor(0x44))).unwrap_err(),
        OpenError::Refused
    );
    // Said before any work: the stretching is never asked for.
    let missing = header.open_by(None, |_, _| panic!("stretched without the second factor"));
    assert_eq!(missing.unwrap_err(), OpenError::SecondFactorMissing);
}

#[test]
fn a_changed_password_keeps_the_vault_key() {
    let header = create(None);
    let key = VaultKey::from_bytes(KEY);
    let new = |second_factor| NewPassword {
        kdf: KdfParams::MINIMUM,
        password: b"another password",
        second_factor,
        slot_salt: [0x55; 32],
        wrap_salt: [0x66; 32],
    };
    let changed = header.with_password_changed(&key, new(None)).unwrap();
    assert_eq!(
        changed.open(b"another password", None).unwrap().expose_bytes(),
        &KEY
    );
    assert_eq!(changed.open(PASSWORD, None).unwrap_err(), OpenError::Refused);
    assert_eq!(changed.to_bytes().len(), header.to_bytes().len());

    let factor = factor(1);
    let changed = header.with_password_changed(&key, new(Some(&factor))).unwrap();
    assert!(changed.needs_second_factor());
    assert_eq!(
        changed
            .open(b"another password", Some(&factor))
            .unwrap()
            .expose_bytes(),
        &KEY
    );

    let other = VaultKey::from_bytes([0x78; 32]);
    assert_eq!(header.verify(&key), Ok(()));
    assert_eq!(header.verify(&other), Err(VaultError::KeyMismatch));
    assert_eq!(
        header.with_password_changed(&other, new(None)).unwrap_err(),
        VaultError::KeyMismatch
    );
}

#[test]
fn every_flipped_bit_is_refused() {
    let stretched = Stretched::new();
    let factor = factor(0x44);
    for with_factor in [None, Some(&factor)] {
        let good = create(with_factor).to_bytes();
        // scrypt's salt, which no short cut stands for: one bit of each eighth byte.
        let salt = PREFIX_LEN + 12..PREFIX_LEN + 44;
        for bit in 0..good.len() * 8 {
            if salt.contains(&(bit / 8)) && bit % 64 != 0 {
                continue;
            }
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let Ok(header) = VaultHeader::from_bytes(&bad) else {
                continue;
            };
            assert_eq!(
                stretched.open(&header, Some(&factor)).unwrap_err(),
                OpenError::Refused,
                "bit {bit}"
            );
        }
    }
}

#[test]
fn every_truncation_and_extension_is_refused() {
    let good = create(None).to_bytes();
    for len in 0..good.len() {
        let expected = if len < 4 {
            HeaderError::NotAHeader
        } else {
            HeaderError::Length
        };
        assert_eq!(
            VaultHeader::from_bytes(&good[..len]).unwrap_err(),
            expected,
            "{len} bytes"
        );
    }
    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(VaultHeader::from_bytes(&longer).unwrap_err(), HeaderError::Length);
    longer.resize(good.len() + SLOT_LEN, 0);
    assert_eq!(VaultHeader::from_bytes(&longer).unwrap_err(), HeaderError::Length);
}

#[test]
fn damage_is_named_without_any_work() {
    const SLOT: usize = PREFIX_LEN;
    let check = |at: usize, bytes: &[u8], expected: HeaderError| {
        let mut bad = create(None).to_bytes();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        assert_eq!(
            VaultHeader::from_bytes(&bad).unwrap_err(),
            expected,
            "{at}: {bytes:?}"
        );
    };
    check(0, b"KWRC", HeaderError::NotAHeader);
    check(4, &[0, 0], HeaderError::UnsupportedVersion(0));
    check(4, &[0, 2], HeaderError::UnsupportedVersion(2));
    check(4, &[1, 1], HeaderError::UnsupportedVersion(257));
    check(26, &[0], HeaderError::Length);
    check(26, &[2], HeaderError::Length);
    check(26, &[255], HeaderError::Length);
    check(SLOT, &[0], HeaderError::UnknownSlot);
    check(27, &[1], HeaderError::Length);
    check(27, &[2], HeaderError::Length);
    // A recovery slot has no flags and no scrypt.
    check(SLOT, &[2], HeaderError::UnknownSlot);
    check(
        SLOT,
        &[2, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        HeaderError::UnknownSlot,
    );
    check(
        SLOT,
        &[2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        HeaderError::UnknownSlot,
    );
    check(SLOT, &[3], HeaderError::UnknownSlot);
    check(SLOT + 1, &[2], HeaderError::UnknownSlot);
    check(SLOT + 1, &[0x81], HeaderError::UnknownSlot);
    check(SLOT + 2, &[0], HeaderError::UnknownSlot);
    check(SLOT + 3, &[13], HeaderError::Kdf(KdfError::TooWeak));
    check(SLOT + 3, &[21], HeaderError::Kdf(KdfError::TooCostly));
    check(SLOT + 3, &[255], HeaderError::Kdf(KdfError::TooCostly));
    check(SLOT + 4, &[0, 0, 0, 7], HeaderError::Kdf(KdfError::TooWeak));
    check(SLOT + 4, &[0xff; 4], HeaderError::Kdf(KdfError::TooCostly));
    check(SLOT + 8, &[0; 4], HeaderError::Kdf(KdfError::TooWeak));
    check(SLOT + 8, &[0, 1, 0, 0], HeaderError::Kdf(KdfError::TooCostly));
}

#[test]
fn the_number_of_slots_is_bounded() {
    for count in [9_u8, 10, 200] {
        let one = create(None).to_bytes();
        let mut many = one[..PREFIX_LEN].to_vec();
        many[26] = count;
        for _ in 0..count {
            many.extend_from_slice(&one[PREFIX_LEN..PREFIX_LEN + SLOT_LEN]);
        }
        many.extend_from_slice(&[0; MAC_LEN]);
        assert_eq!(VaultHeader::from_bytes(&many).unwrap_err(), HeaderError::Length);
    }
}

/// Slots that each open, put together by somebody without the vault key.
#[test]
fn slots_cannot_be_added_or_swapped() {
    let header = create(None);
    let one = header.to_bytes();
    let mut two = one[..PREFIX_LEN + SLOT_LEN].to_vec();
    two[26] = 2;
    two.extend_from_slice(&one[PREFIX_LEN..]);
    let two = VaultHeader::from_bytes(&two).unwrap();
    assert_eq!(two.slots().len(), 2);
    assert_eq!(Stretched::new().open(&two, None).unwrap_err(), OpenError::Refused);

    // The slot of an old password, put back.
    let new = NewPassword {
        kdf: KdfParams::MINIMUM,
        password: b"another password",
        second_factor: None,
        slot_salt: [0x55; 32],
        wrap_salt: [0x66; 32],
    };
    let mut changed = header
        .with_password_changed(&VaultKey::from_bytes(KEY), new)
        .unwrap()
        .to_bytes();
    changed[PREFIX_LEN..PREFIX_LEN + SLOT_LEN].copy_from_slice(&one[PREFIX_LEN..PREFIX_LEN + SLOT_LEN]);
    let changed = VaultHeader::from_bytes(&changed).unwrap();
    assert_eq!(
        Stretched::new().open(&changed, None).unwrap_err(),
        OpenError::Refused
    );
}

#[test]
fn debug_shows_no_secret() {
    let factor = factor(0x44);
    let new = CreateVault {
        vault: VaultId::from_bytes([0x11; 16]),
        kdf: KdfParams::MINIMUM,
        password: b"canary",
        second_factor: Some(&factor),
        key: [0xca; 32],
        slot_salt: [0xca; 32],
        wrap_salt: [0xca; 32],
    };
    let change = NewPassword {
        kdf: KdfParams::MINIMUM,
        password: b"canary",
        second_factor: Some(&factor),
        slot_salt: [0xca; 32],
        wrap_salt: [0xca; 32],
    };
    let shown = format!("{new:?} {change:?} {:?}", create(None));
    for canary in ["canary", "202", "ca, ", "cacaca", "99, 97", "68", "119"] {
        assert!(!shown.contains(canary), "{canary} in {shown}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), slots in 1_usize..6) {
        prop_assert!(VaultHeader::from_bytes(&bytes).is_err());
        let mut framed = [b"KWVH".as_slice(), &[0, 1]].concat();
        framed.extend_from_slice(&bytes);
        framed.resize(PREFIX_LEN + slots * SLOT_LEN + MAC_LEN, 0);
        framed[26] = slots as u8;
        framed[27] = 0;
        let _ = VaultHeader::from_bytes(&framed);
    }

    #[test]
    fn what_is_read_is_written_back(vault: [u8; 16], epoch: u32, tail: [u8; 32], log_n in 14_u8..=20, flags in 0_u8..=1) {
        let mut bytes = create_once().to_vec();
        bytes[6..22].copy_from_slice(&vault);
        bytes[22..26].copy_from_slice(&epoch.to_be_bytes());
        bytes[PREFIX_LEN + 1] = flags;
        bytes[PREFIX_LEN + 3] = log_n;
        let end = bytes.len();
        bytes[end - 32..].copy_from_slice(&tail);
        prop_assert_eq!(VaultHeader::from_bytes(&bytes).unwrap().to_bytes(), bytes);
    }
}

/// A header's bytes without the cost of a real one.
fn create_once() -> [u8; PREFIX_LEN + SLOT_LEN + MAC_LEN] {
    let mut bytes = [0; PREFIX_LEN + SLOT_LEN + MAC_LEN];
    bytes[..6].copy_from_slice(b"KWVH\0\x01");
    bytes[26..32].copy_from_slice(&[1, 0, 1, 0, 1, 14]);
    bytes[PREFIX_LEN + 7] = 8;
    bytes[PREFIX_LEN + 11] = 1;
    bytes
}
