#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::string::String;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::secp256k1::{SecretKey, recover};

/// web3.js 1.x documentation, `web3.eth.accounts.sign`.
#[test]
fn the_example_of_web3() {
    let key = hex::decode("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318").unwrap();
    let key = SecretKey::from_bytes(&key.try_into().unwrap()).unwrap();
    let hash = signing_hash(b"Some data");
    assert_eq!(
        hex::encode(hash),
        "1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655"
    );
    let signature = key.sign_prehash(&hash).unwrap();
    assert_eq!(
        hex::encode(signature.r),
        "b91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd"
    );
    assert_eq!(
        hex::encode(signature.s),
        "6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a029"
    );
    assert!(signature.y_odd);
    let address = recover(&hash, &signature).unwrap().address();
    assert_eq!(format!("{address}"), "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23");
}

/// ethers v5 and v6 documentation, `hashMessage("Hello World")`.
#[test]
fn the_example_of_ethers() {
    assert_eq!(
        hex::encode(signing_hash(b"Hello World")),
        "a1de988600a42c4b4ab089b619297c17d53cffae5d5120d82d8a92d0bb3b78f2"
    );
}

#[test]
fn the_length_counts_bytes() {
    let payload = signing_payload("größe".as_bytes());
    assert_eq!(payload, "\u{19}Ethereum Signed Message:\n7größe".as_bytes());
}

#[test]
fn traps_are_refused() {
    let transaction = hex::decode(
        "ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080",
    )
    .unwrap();
    let as_hex = hex::encode(&transaction);
    let digits = "ab".repeat(32);
    for (message, expected) in [
        (transaction.as_slice(), PersonalError::LooksLikeTransaction),
        (as_hex.as_bytes(), PersonalError::LooksLikeTransaction),
        (
            format!("0x{as_hex}").as_bytes(),
            PersonalError::LooksLikeTransaction,
        ),
        (&[2, 0xc0], PersonalError::LooksLikeTransaction),
        (&[1, 0xc1, 0x80], PersonalError::LooksLikeTransaction),
        (&[3, 0xc0], PersonalError::LooksLikeTransaction),
        (&[4, 0xc0], PersonalError::LooksLikeTransaction),
        (&[5, 0xc0], PersonalError::LooksLikeTransaction),
        (b"0x02c0", PersonalError::LooksLikeTransaction),
        (&[0xab; 32], PersonalError::LooksLikeHash),
        (&[0; 32], PersonalError::LooksLikeHash),
        (digits.as_bytes(), PersonalError::LooksLikeHash),
        (digits.to_uppercase().as_bytes(), PersonalError::LooksLikeHash),
        (format!("0x{digits}").as_bytes(), PersonalError::LooksLikeHash),
        // 32 printable characters, as the hex digits of their bytes: still a hash as far as anybody sees.
        (hex::encode([b'a'; 32]).as_bytes(), PersonalError::LooksLikeHash),
    ] {
        assert_eq!(check(message), Err(expected), "{message:02x?}");
    }
    let sentence = String::from("exactly thirty-two letters long.");
    assert_eq!(sentence.len(), 32);
    for message in ["", "hello", "0x", "0xhello", "decade", "0xdecade", &sentence] {
        assert_eq!(check(message.as_bytes()), Ok(()), "{message}");
    }
}
