#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::string::ToString;
use alloc::vec;

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::vault::{
    CreateVault, KdfParams, NewRecovery, NewWalletPassword, VaultId, WalletPassword, open_record,
    open_wallet_key, seal_protected_record, seal_record,
};

const PASSWORD: &[u8] = b"correct horse battery staple";
const KEY: [u8; 32] = [0x77; 32];

fn key() -> VaultKey {
    VaultKey::from_bytes(KEY)
}

fn created(vault: u8, key: [u8; 32], password: &[u8]) -> (VaultHeader, VaultKey) {
    VaultHeader::create(CreateVault {
        vault: VaultId::from_bytes([vault; 16]),
        kdf: KdfParams::MINIMUM,
        password,
        second_factor: None,
        key,
        slot_salt: [0x22; 32],
        wrap_salt: [0x33; 32],
    })
    .unwrap()
}

fn header() -> VaultHeader {
    created(0x11, KEY, PASSWORD).0
}

fn recovery() -> RecoveryKey {
    RecoveryKey::from_bytes([0x99; 32])
}

fn wallet(record: u8, public_key: RecordPublicKey) -> FileWallet {
    FileWallet {
        record: RecordId::from_bytes([record; 16]),
        created_at_ms: u64::from(record),
        master: None,
        path: None,
        family: String::new(),
        public_key,
        label: String::new(),
        tags: Vec::new(),
        sealed: Vec::new(),
    }
}

fn ed25519() -> RecordPublicKey {
    RecordPublicKey::Ed25519(
        crate::ed25519::SecretKey::from_seed(&[0x42; 32])
            .address()
            .to_bytes(),
    )
}

fn secp256k1() -> RecordPublicKey {
    let key = crate::secp256k1::SecretKey::from_bytes(&[0x42; 32]).unwrap();
    RecordPublicKey::Secp256k1(*key.public_key().as_bytes())
}

/// A phrase, a wallet derived from it, an imported one, and a policy.
fn contents(header: &VaultHeader) -> FileContents {
    let record = RecordId::from_bytes([1; 16]);
    let mut master = FileMaster {
        record,
        created_at_ms: 1,
        label: "Hauptü".to_string(),
        family: "sollet".to_string(),
        sealed: Vec::new(),
    };
    master.sealed = seal_record(&key(), &master.context(header), b"master secret", [0x10; 32]).unwrap();
    let mut derived = FileWallet {
        master: Some(record),
        path: Some("m/44'/501'/0'/0'".parse().unwrap()),
        family: "bip44-change".to_string(),
        tags: vec!["hot".to_string(), "eu".to_string()],
        ..wallet(2, ed25519())
    };
    derived.sealed = seal_record(&key(), &derived.context(header), &[0x42; 32], [0x11; 32]).unwrap();
    let mut imported = FileWallet {
        label: "bridge".to_string(),
        ..wallet(3, secp256k1())
    };
    imported.sealed = seal_record(&key(), &imported.context(header), &[0x42; 32], [0x12; 32]).unwrap();
    FileContents {
        created_at_ms: 1_700_000_000_000,
        masters: vec![master],
        wallets: vec![derived, imported],
        policy: Some(FilePolicy {
            json: "{\"version\":1".to_string(),
            signature: vec![0x77; 64],
        }),
    }
}

fn sealed() -> Vec<u8> {
    let header = header();
    VaultFile::seal(&header, &key(), &contents(&header), [0x13; 32]).unwrap()
}

/// The bytes were computed by a separate program, from the documented layout and Python's own scrypt,
/// HMAC and AES-GCM.
#[test]
fn its_bytes_are_pinned() {
    insta::assert_snapshot!(hex::encode(sealed()), @"4b45595741524400000100d84b5756480001111111111111111111111111111111110000000101000100010e000000080000000122222222222222222222222222222222222222222222222222222222222222223333333333333333333333333333333333333333333333333333333333333333ad820c64c8f21766c51b6a1e30667f15bfce3b494f7d16bd4bbbceed93c016817c84bda4f3b4d5589069fe6b94d908d8dfc971b55706d0522f2a82ac98ef5cd8ec6bb48083f142c2cd248ea108df83576164e713d771f9083e0b446e5f921ee2c20d54140d1b17e7d9c1e69124fd55e013131313131313131313131313131313131313131313131313131313131313131a4ce90a2a9d791f255a4cfe0e7b773205c93cf8a6485c4664e5b3b9feacbfd97742c16a2b0bd1926ef2914e89a758f68e132bca43cea6d64bec9b957cfe68c548b3705bcb12a1b2257e4f29fa86b49eb3454670ebe6ce697dbfb28f5a7d1f35520e4048463fc08011b1ddd8e9c58511e3f5a27b20fc403eef8be49047cf013fdbd4b2ab72b9030e81ae5ddfe5c1491e74c45fcbf88713b741ce833b2e7b33af503005754d1f9f62249fd51e9f4b11b581c2af7de88463e57e72b03b3970e86f6e6d48af557f9e2fc248cb58fe6bea52ec4ba171d0284cc63bbc6be575c7fa01be19ae45f44a847ddf7af2c5d8f41daa836a5b0c547069301831592a49e72f6e911ce8b35c72259c507a5a9b10da242acbd89ba38eb0b81d7f676ba80450a66b0c8c00339bce9221997da1036506ff2a73072df039e4ad94c268abb87dc67c1c0e6f37d92278a255e785bcbfac9451fad9d124a4819beb2b747e5dbc7a4b61e55bb9f0f8586c109ba932355489dc114e662fba36efa59f9007fc8a70c743d0cfb714414915e26d124b783de3133e27dd1cde0ee27045f13a3f96f8cc95a4d79fcc5ce8e51894a563356339a32d02f3b419d9e5ac3e1a126ef339560f49201d6dd1f6eec7606acb116e0b1c211a1f6ea7b0885e84e017956bf310f29648dcf143b817e3ea7a1ca5f7889f9b1e47d808a67160711c6fc31ff8bda6b7f5e6bf947087ae1df3f8de30cbac9b6968a948c5e73c6e30ed938d09dbd90a3d6eff123e0c60f37fcd6faa1deee55ce120beadf334bc12d62d5b9856a01a3eb61f41f19008adcca03963b9b93f775a438e5abbdac4db90781cb027a2f3d06bdd0b36c7aca32a7f14c23501473fdb069f0523e543037ad0b3199ab1228e22e42c2508ada35294b16cab07394e2538a36c65cc422d9b30756f0336fb1a2e6137898ecce5c01c81a3b87f547e8bfbdd16edaf907ccb4f831a3e861434d7e2859d12cd9f62c819ac6b3470569dee3f29e3decccb4e01a839ad");
}

#[test]
fn opens_what_was_sealed() {
    let bytes = sealed();
    let file = VaultFile::open(&bytes, PASSWORD, None).unwrap();
    assert_eq!(file.key.expose_bytes(), &KEY);
    assert_eq!(file.header.to_bytes(), header().to_bytes());
    let [master] = &file.contents.masters[..] else {
        panic!("one phrase")
    };
    assert_eq!(master.label, "Hauptü");
    assert_eq!(
        *open_record(&file.key, &master.context(&file.header), &master.sealed).unwrap(),
        b"master secret"
    );
    let [derived, imported] = &file.contents.wallets[..] else {
        panic!("two wallets")
    };
    assert_eq!(derived.master, Some(master.record));
    assert_eq!(derived.path.as_ref().unwrap().to_string(), "m/44'/501'/0'/0'");
    assert_eq!(derived.tags, ["hot", "eu"]);
    assert_eq!((&*master.family, &*derived.family), ("sollet", "bip44-change"));
    assert_eq!((imported.path.is_none(), &*imported.label), (true, "bridge"));
    assert_eq!(imported.family, "");
    for wallet in &file.contents.wallets {
        let opened = open_wallet_key(&file.key, &wallet.context(&file.header), &wallet.sealed, None).unwrap();
        assert_eq!(opened.expose_secret(), &[0x42; 32]);
    }
    let policy = file.contents.policy.as_ref().unwrap();
    assert_eq!((policy.json.len(), policy.signature.len()), (12, 64));
    // Sealed again with the same salt, it is the same file.
    let again = VaultFile::seal(&file.header, &file.key, &file.contents, [0x13; 32]).unwrap();
    assert_eq!(again, bytes);

    assert_eq!(
        VaultFile::open(&bytes, b"wrong", None).unwrap_err(),
        OpenError::Refused
    );
    let other = VaultKey::from_bytes([0x78; 32]);
    assert_eq!(
        VaultFile::open_with_key(&bytes, other).unwrap_err(),
        OpenError::Refused
    );
    assert_eq!(
        VaultFile::open_with_recovery(&bytes, &recovery()).unwrap_err(),
        OpenError::Refused
    );
    assert_eq!(
        VaultFile::inspect(&bytes).unwrap().vault_id(),
        header().vault_id()
    );
}

#[test]
fn every_changed_byte_and_every_length_is_refused() {
    let good = sealed();
    assert!(VaultFile::open_with_key(&good, key()).is_ok());
    let check = |bytes: &[u8], what: &str, at: usize| {
        let opened = VaultFile::open_with_key(bytes, key());
        assert_eq!(opened.unwrap_err(), OpenError::Refused, "{what} {at}");
    };
    for at in 0..good.len() {
        for mask in [1, 0x80, 0xff] {
            let mut bad = good.clone();
            bad[at] ^= mask;
            check(&bad, "byte", at);
        }
        check(&good[..at], "cut to", at);
    }
    for more in 1..300 {
        let mut longer = good.clone();
        longer.resize(good.len() + more, 0);
        check(&longer, "longer by", more);
    }
}

/// The same through the password, with real scrypt: one byte of each part.
#[test]
fn damage_and_a_wrong_password_read_alike() {
    let good = sealed();
    for at in [0, 9, 11, 12, 20, 50, 60, 150, 200, 250, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 0x40;
        assert_eq!(
            VaultFile::open(&bad, PASSWORD, None).unwrap_err(),
            OpenError::Refused,
            "byte {at}"
        );
    }
    for bytes in [b"".as_slice(), b"KEYWARD\0", &good[..100]] {
        assert_eq!(
            VaultFile::open(bytes, PASSWORD, None).unwrap_err(),
            OpenError::Refused
        );
    }
}

#[test]
fn inspection_names_the_damage() {
    let check = |bytes: &[u8], expected| assert_eq!(VaultFile::inspect(bytes).unwrap_err(), expected);
    let good = sealed();
    check(b"", FileError::NotAVaultFile);
    check(b"KWVH", FileError::NotAVaultFile);
    check(&good[..9], FileError::Length);
    check(&good[..100], FileError::Length);
    let with = |at: usize, byte: u8| {
        let mut bad = good.clone();
        bad[at] = byte;
        bad
    };
    check(&with(9, 2), FileError::UnsupportedVersion(2));
    check(&with(10, 0xff), FileError::Length);
    check(&with(12, b'X'), FileError::Header(HeaderError::NotAHeader));
    check(&vec![0; MAX_FILE_LEN + 1], FileError::NotAVaultFile);
    let mut huge = good;
    huge.resize(MAX_FILE_LEN + 1, 0);
    check(&huge, FileError::Length);
}

/// Put together by somebody who has both files and neither key.
#[test]
fn header_and_body_of_two_files_do_not_mix() {
    let one = sealed();
    let (other, other_key) = created(0x12, [0x78; 32], PASSWORD);
    let none = FileContents::default();
    let two = VaultFile::seal(&other, &other_key, &none, [0x14; 32]).unwrap();
    let at = 12 + other.to_bytes().len();
    let mixed = [&one[..at], &two[at..]].concat();
    assert_eq!(
        VaultFile::open(&mixed, PASSWORD, None).unwrap_err(),
        OpenError::Refused
    );
    // Nor an older body of the same vault under its newer header.
    let renewed = header()
        .with_recovery_slot(
            &key(),
            NewRecovery {
                key: &recovery(),
                slot_salt: [1; 32],
                wrap_salt: [2; 32],
            },
        )
        .unwrap();
    let file = VaultFile::seal(&renewed, &key(), &none, [0x15; 32]).unwrap();
    assert!(VaultFile::open_with_recovery(&file, &recovery()).is_ok());
    let mixed = [&file[..12 + renewed.to_bytes().len()], &one[at..]].concat();
    assert_eq!(
        VaultFile::open_with_key(&mixed, key()).unwrap_err(),
        OpenError::Refused
    );
}

#[test]
fn exports_under_a_password_of_its_own() {
    let header = header();
    let (own, own_key) = created(0x12, [0x88; 32], b"the export's password");
    let mut original = contents(&header);
    let protection = WalletPassword::new(b"own").unwrap();
    let new = NewWalletPassword {
        password: &protection,
        kdf: KdfParams::MINIMUM,
        kdf_salt: [5; 32],
        inner_salt: [6; 32],
    };
    let context = original.wallets[0].context(&header);
    original.wallets[0].sealed = seal_protected_record(&key(), &context, &[0x42; 32], [7; 32], &new).unwrap();
    let mut next = 0;
    let resealed = original
        .resealed((&header, &key()), (&own, &own_key), || {
            next += 1;
            Ok::<_, OpenError>([next; 32])
        })
        .unwrap();
    assert_eq!(next, 3);
    let bytes = VaultFile::seal(&own, &own_key, &resealed, [9; 32]).unwrap();
    assert_eq!(
        VaultFile::open(&bytes, PASSWORD, None).unwrap_err(),
        OpenError::Refused
    );
    let file = VaultFile::open(&bytes, b"the export's password", None).unwrap();
    let wallet = &file.contents.wallets[0];
    let context = wallet.context(&file.header);
    let opened = open_wallet_key(&file.key, &context, &wallet.sealed, Some(&protection)).unwrap();
    assert_eq!(opened.expose_secret(), &[0x42; 32]);
    assert_eq!(
        open_wallet_key(&file.key, &context, &wallet.sealed, None).unwrap_err(),
        OpenError::WalletPasswordMissing
    );
    assert!(open_wallet_key(&key(), &context, &wallet.sealed, Some(&protection)).is_err());
}

#[test]
fn refuses_contents_that_no_file_holds() {
    let header = header();
    let check = |change: fn(&mut FileContents), expected: FileError| {
        let mut contents = contents(&header);
        change(&mut contents);
        let refused = VaultFile::seal(&header, &key(), &contents, [0x13; 32]);
        assert_eq!(refused.unwrap_err(), expected);
    };
    let what = FileError::Contents;
    let damaged = |record: u8| FileError::Record(RecordId::from_bytes([record; 16]));
    check(
        |c| c.wallets[0].record = c.masters[0].record,
        what("two records of one name"),
    );
    check(
        |c| c.wallets[1].record = c.wallets[0].record,
        what("two records of one name"),
    );
    check(
        |c| c.wallets[1].public_key = c.wallets[0].public_key,
        what("two wallets of one key"),
    );
    check(
        |c| c.wallets[1].public_key = RecordPublicKey::None,
        what("a wallet without a public key"),
    );
    check(
        |c| c.masters.clear(),
        what("a wallet of a phrase that is not in it"),
    );
    check(|c| c.wallets[0].master = None, what("a path without a phrase"));
    check(
        |c| c.masters[0].family.clear(),
        what("a phrase without the name of a path family"),
    );
    let families: [fn(&mut FileContents); 5] = [
        |c| c.wallets[0].family.clear(),
        |c| c.wallets[0].family = "x".repeat(33),
        |c| c.wallets[0].family = "Sollet".to_string(),
        |c| c.wallets[0].family = "sol\u{1b}let".to_string(),
        |c| c.wallets[1].family = "raw".to_string(),
    ];
    for change in families {
        check(
            change,
            what("a wallet of a phrase without the name of a path family, or another with one"),
        );
    }
    check(
        |c| c.wallets[0].label = "x".repeat(257),
        what("a label or tag over 256 bytes"),
    );
    check(
        |c| c.wallets[0].tags[1] = "x".repeat(257),
        what("a label or tag over 256 bytes"),
    );
    check(
        |c| c.masters[0].label = "x".repeat(257),
        what("a label over 256 bytes"),
    );
    check(
        |c| c.wallets[0].tags = vec![String::new(); 33],
        what("more than 32 tags of one wallet"),
    );
    check(
        |c| c.wallets[0].sealed = vec![0; 5000],
        what("a record that is too long"),
    );
    check(
        |c| c.policy.as_mut().unwrap().json = "x".repeat((1 << 20) + 1),
        what("a policy over 1 MiB"),
    );
    check(
        |c| c.policy.as_mut().unwrap().signature = vec![0; 129],
        what("a policy's signature over 128 bytes"),
    );
    check(|c| c.wallets[1].sealed.clear(), damaged(3));
    check(|c| *c.wallets[0].sealed.last_mut().unwrap() ^= 1, damaged(2));
    // Two wallets' records exchanged.
    check(
        |c| {
            let (one, two) = c.wallets.split_at_mut(1);
            core::mem::swap(&mut one[0].sealed, &mut two[0].sealed);
        },
        damaged(2),
    );
}

#[test]
fn many_wallets_are_bounded() {
    let mut many = FileContents::default();
    for i in 0..=MAX_FILE_WALLETS {
        let mut name = [0; 32];
        name[..4].copy_from_slice(&(i as u32).to_be_bytes());
        let mut one = wallet(0, RecordPublicKey::Ed25519(name));
        one.record = RecordId::from_bytes(core::array::from_fn(|at| name[at]));
        many.wallets.push(one);
    }
    assert_eq!(
        body::check(&many),
        Err(FileError::Contents("more than 100,000 wallets"))
    );
    assert!(body::decode(&body::encode(&many)).is_none());
    many.wallets.pop();
    assert_eq!(body::check(&many), Ok(()));
    assert_eq!(
        body::decode(&body::encode(&many)).unwrap().wallets.len(),
        MAX_FILE_WALLETS
    );
}

#[test]
fn a_key_of_another_header_or_a_rotation_writes_no_file() {
    let header = header();
    let other = VaultKey::from_bytes([0x78; 32]);
    let refused = VaultFile::seal(&header, &other, &contents(&header), [0x13; 32]);
    assert_eq!(refused.unwrap_err(), FileError::KeyMismatch);
}

/// Not even one who may write authentic files gets another spelling of a body accepted.
#[test]
fn bodies_have_one_spelling() {
    let good = body::encode(&contents(&header()));
    assert!(body::decode(&good).is_some());
    for len in 0..good.len() {
        assert!(body::decode(&good[..len]).is_none(), "{len} bytes");
    }
    let mut longer = good.to_vec();
    longer.push(0);
    assert!(body::decode(&longer).is_none());
    for at in 0..good.len() {
        let mut bad = good.to_vec();
        bad[at] ^= 0x41;
        if let Some(other) = body::decode(&bad) {
            assert_eq!(*body::encode(&other), bad, "byte {at}");
        }
    }
}

#[test]
fn debug_shows_how_many_and_nothing_else() {
    let file = VaultFile::open_with_key(&sealed(), key()).unwrap();
    let shown = format!("{file:?} {:?}", file.contents);
    assert!(shown.contains("wallets: 2"), "{shown}");
    for canary in ["bridge", "hot", "Haupt", "119, 119", "66, 66", "501"] {
        assert!(!shown.contains(canary), "{canary} in {shown}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), len in 0_u16..400) {
        prop_assert!(VaultFile::inspect(&bytes).is_err());
        let mut framed = b"KEYWARD\0\0\x01".to_vec();
        framed.extend_from_slice(&len.to_be_bytes());
        framed.extend_from_slice(&bytes);
        prop_assert!(VaultFile::open_with_key(&framed, key()).is_err());
        if let Some(read) = body::decode(&bytes) {
            prop_assert_eq!(&*body::encode(&read), &bytes);
        }
    }
}
