#![allow(clippy::unwrap_used, reason = "tests")]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

/// RFC 5869, appendix A.1 to A.3.
#[test]
fn hkdf_holds_the_vectors_of_rfc_5869() {
    let range = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
    let check = |ikm: &[u8], salt: &[u8], info: &[u8], expected: &str| {
        let mut okm = alloc::vec![0; expected.len() / 2];
        hkdf(ikm, salt, &[info], &mut okm);
        assert_eq!(hex::encode(&okm), expected);
        // Its parts may be cut anywhere.
        let (left, right) = info.split_at(info.len() / 2);
        hkdf(ikm, salt, &[left, &[], right], &mut okm);
        assert_eq!(hex::encode(&okm), expected);
    };
    check(
        &[0x0b; 22],
        &range(0x00, 0x0c),
        &range(0xf0, 0xf9),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    );
    check(
        &range(0x00, 0x4f),
        &range(0x60, 0xaf),
        &range(0xb0, 0xff),
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
    );
    check(
        &[0x0b; 22],
        &[],
        &[],
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    );
}

/// McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, test cases 14 and 16, which
/// NIST took over.
#[test]
fn aes_256_gcm_holds_published_vectors() {
    let check = |key: &str, nonce: &str, associated: &str, plaintext: &str, expected: &str| {
        let decode = |text: &str| hex::decode(text).unwrap();
        let key: [u8; 32] = decode(key).try_into().unwrap();
        let nonce: [u8; 12] = decode(nonce).try_into().unwrap();
        let mut body = decode(plaintext);
        let tag = Aes256Gcm::new(&Key::<Aes256Gcm>::from(key))
            .encrypt_inout_detached(&nonce.into(), &decode(associated), body.as_mut_slice().into())
            .unwrap();
        body.extend_from_slice(&tag);
        assert_eq!(hex::encode(body), expected);
    };
    check(
        "0000000000000000000000000000000000000000000000000000000000000000",
        "000000000000000000000000",
        "",
        "00000000000000000000000000000000",
        "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
    );
    check(
        "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
        "cafebabefacedbaddecaf888",
        "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
    );
}

/// Salt, ciphertext and tag stay good; the commitment alone refuses.
#[test]
fn opens_nothing_whose_commitment_is_anothers() {
    let (ikm, salt) = ([1; 32], [2; SALT_LEN]);
    let mut sealed = Vec::new();
    seal(&ikm, &salt, &[b"info"], b"associated", b"secret", &mut sealed);
    assert_eq!(sealed.len(), OVERHEAD + 6);
    assert_eq!(
        *open(&ikm, &[b"info"], b"associated", &sealed).unwrap(),
        b"secret"
    );

    let mut other = Vec::new();
    seal(&[9; 32], &salt, &[b"info"], b"associated", b"secret", &mut other);
    let mut swapped = sealed.clone();
    swapped[SALT_LEN..SALT_LEN + COMMITMENT_LEN].copy_from_slice(&other[SALT_LEN..SALT_LEN + COMMITMENT_LEN]);
    assert_eq!(
        open(&ikm, &[b"info"], b"associated", &swapped),
        Err(OpenError::Refused)
    );
}

#[test]
fn a_place_is_bound_by_info_and_by_associated_data() {
    let (ikm, salt) = ([1; 32], [2; SALT_LEN]);
    let mut sealed = Vec::new();
    seal(&ikm, &salt, &[b"info"], b"associated", b"secret", &mut sealed);
    assert!(open(&ikm, &[b"infp"], b"associated", &sealed).is_err());
    assert!(open(&ikm, &[b"info"], b"associatee", &sealed).is_err());
    assert!(open(&[3; 32], &[b"info"], b"associated", &sealed).is_err());
}

#[test]
fn what_is_sealed_is_never_moved_while_it_is_plain() {
    let mut out = Vec::with_capacity(4);
    out.extend_from_slice(b"head");
    seal(&[1; 32], &[2; SALT_LEN], &[], &[], &[5; 100], &mut out);
    // Room for all of it was made before the secret came in.
    assert_eq!(out.capacity(), out.len());
}
