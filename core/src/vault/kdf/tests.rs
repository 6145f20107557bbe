#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::string::ToString;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

/// RFC 7914, section 12, the first three; the fourth takes 1 GiB.
#[test]
fn scrypt_holds_the_vectors_of_rfc_7914() {
    let check = |password: &str, salt: &str, (log_n, r, p), expected: &str| {
        let mut out = [0; 64];
        let params = scrypt::Params::new(log_n, r, p).unwrap();
        scrypt::scrypt(password.as_bytes(), salt.as_bytes(), &params, &mut out).unwrap();
        assert_eq!(hex::encode(out), expected);
    };
    check(
        "",
        "",
        (4, 1, 1),
        "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906",
    );
    check(
        "password",
        "NaCl",
        (10, 8, 16),
        "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
    );
    check(
        "pleaseletmein",
        "SodiumChloride",
        (14, 8, 1),
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
    );
}

#[test]
fn stretches_with_its_own_parameters() {
    let (password, salt) = (b"password".as_slice(), [7; 32]);
    let ours = KdfParams::MINIMUM.stretch(password, &salt).unwrap();
    let mut plain = [0; 32];
    scrypt::scrypt(
        password,
        &salt,
        &scrypt::Params::new(14, 8, 1).unwrap(),
        &mut plain,
    )
    .unwrap();
    assert_eq!(*ours, plain);
}

#[test]
fn bounds_are_checked() {
    assert_eq!(KdfParams::DEFAULT.memory_bytes(), 128 << 20);
    assert_eq!(KdfParams::new(20, 8, 1).unwrap().memory_bytes(), 1 << 30);
    for log_n in 0..=255 {
        let expected = match log_n {
            0..=13 => Err(KdfError::TooWeak),
            14..=20 => Ok(log_n),
            21..=255 => Err(KdfError::TooCostly),
        };
        assert_eq!(KdfParams::new(log_n, 8, 1).map(KdfParams::log_n), expected);
    }
    for (r, p, expected) in [
        (7, 1, KdfError::TooWeak),
        (8, 0, KdfError::TooWeak),
        (0, 1, KdfError::TooWeak),
        (9, 1, KdfError::TooCostly),
        (8, 2, KdfError::TooCostly),
        (u32::MAX, u32::MAX, KdfError::TooCostly),
    ] {
        assert_eq!(KdfParams::new(17, r, p), Err(expected), "{r} {p}");
    }
}

#[test]
fn names_go_both_ways() {
    for log_n in 14..=20 {
        let params = KdfParams::new(log_n, 8, 1).unwrap();
        assert_eq!(params.to_string().parse(), Ok(params));
    }
    assert_eq!(KdfParams::DEFAULT.to_string(), "scrypt-131072");
    assert_eq!("scrypt-16384".parse(), Ok(KdfParams::MINIMUM));
    for (name, expected) in [
        ("", KdfError::UnknownName),
        ("scrypt", KdfError::UnknownName),
        ("scrypt-", KdfError::UnknownName),
        ("scrypt-0", KdfError::UnknownName),
        ("scrypt-016384", KdfError::UnknownName),
        ("scrypt-+16384", KdfError::UnknownName),
        ("scrypt-16385", KdfError::UnknownName),
        ("scrypt-99999999999999999999999", KdfError::UnknownName),
        ("Scrypt-16384", KdfError::UnknownName),
        ("argon2-16384", KdfError::UnknownName),
        (" scrypt-16384", KdfError::UnknownName),
        ("scrypt-1", KdfError::TooWeak),
        ("scrypt-8192", KdfError::TooWeak),
        ("scrypt-2097152", KdfError::TooCostly),
        ("scrypt-9223372036854775808", KdfError::TooCostly),
    ] {
        assert_eq!(name.parse::<KdfParams>(), Err(expected), "{name}");
    }
}
