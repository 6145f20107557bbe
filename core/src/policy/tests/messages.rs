#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::offchain::OffChainMessage;
use crate::siws::{SignIn, SignInFields};

#[test]
fn only_plain_text_is_signed_as_a_message() {
    let approval = allowed(decide_message(&default(), "Sign in\n\tto example.com".as_bytes()));
    assert_eq!(approval.rules(), ["text-messages"]);
    assert_eq!(approval.spends(), []);
    for (message, expected) in [
        (&b""[..], vec!["not-text"]),
        (b"\x00\x01", vec!["not-text"]),
        (b"\xffsolana offchain\x00", vec!["malformed-message"]),
        (b"a\x1b[0m", vec!["not-text"]),
        (b"\x81", vec!["looks-like-transaction", "not-text"]),
        (
            &samples::payment(MessageVersion::Legacy).encode(),
            vec!["looks-like-transaction", "not-text"],
        ),
        (
            &samples::payment(MessageVersion::V0).encode(),
            vec!["looks-like-transaction", "not-text"],
        ),
        // Text that can be read as a message: ten accounts, nine instructions.
        (&text_that_parses(), vec!["looks-like-transaction"]),
    ] {
        assert_eq!(
            codes(&decide_message(&default(), message)),
            expected,
            "{message:?}"
        );
    }
}

#[test]
fn a_sign_in_is_not_signed_in_an_off_chain_message() {
    let sign_in = SignIn::new(SignInFields::new("bank.test", PAYER))
        .unwrap()
        .to_text();
    let malformed = sign_in.replace("account:\n", "account: \n");
    let after_a_line = format!("Hello\n{sign_in}");
    for (text, expected) in [
        ("I own this wallet", vec![]),
        (&sign_in, vec!["sign-in-unchecked"]),
        (&malformed, vec!["sign-in-unchecked"]),
        (&after_a_line, vec!["sign-in-unchecked"]),
    ] {
        for message in [
            OffChainMessage::short(text),
            OffChainMessage::v0([7; 32], [PAYER], text),
            OffChainMessage::v1([PAYER], text),
        ] {
            let message = message.unwrap().encode();
            assert_eq!(codes(&decide_message(&default(), &message)), expected, "{text}");
        }
    }
    // By itself it is one, and whoever asks the policy has checked the page.
    assert_eq!(codes(&decide_message(&default(), sign_in.as_bytes())), [""; 0]);
}

/// Printable, and yet a message in form: header, ten accounts, blockhash, nine instructions without
/// sense, each with 32 accounts and 32 bytes.
fn text_that_parses() -> Vec<u8> {
    let mut text = b"abc\n".to_vec();
    text.extend_from_slice(&[b'x'; 320 + 32]);
    text.push(b'\t');
    let instruction = [&b"p"[..], &[b' '; 33], &[b' '; 33]].concat();
    text.extend_from_slice(&instruction.repeat(9));
    text
}

#[test]
fn only_the_approved_bytes_are_signed_by_the_approved_wallet() {
    let key = SecretKey::from_seed(&[42; 32]);
    let wallet = key.address();
    let approve = || {
        let request = Request::Message {
            wallet: &wallet,
            message: b"hello",
        };
        allowed(evaluate(&default(), &request, &Facts::default()))
    };
    assert_eq!(
        ApprovedMessage::new(approve(), b"hellO".to_vec()).err(),
        Some(ApprovalMismatch)
    );
    let approved = ApprovedMessage::new(approve(), b"hello".to_vec()).unwrap();
    let signature = approved.sign(&SecretKey::from_seed(&[42; 32]).into()).unwrap();
    crate::ed25519::verify(&wallet, b"hello", signature.as_ed25519().unwrap()).unwrap();
    assert_eq!(signature.to_string().parse(), Ok(signature));

    let other = SecretKey::from_seed(&[43; 32]);
    let approved = ApprovedMessage::new(approve(), b"hello".to_vec()).unwrap();
    assert_eq!(
        approved.sign(&SecretKey::from_seed(&[43; 32]).into()),
        Err(SignError::WrongKey {
            approved: wallet.into(),
            key: other.address().into()
        })
    );
    assert_eq!(
        approve().message_sha256(),
        &<[u8; 32]>::from(Sha256::digest(b"hello"))
    );
}
