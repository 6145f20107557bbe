#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::samples::{self, any_message, payment, with_signatures};
use super::super::{MessageVersion, compile_message, instructions};
use super::*;

#[test]
fn decodes_what_it_encodes() {
    for message in [
        payment(MessageVersion::Legacy),
        payment(MessageVersion::V0),
        samples::with_lookup(),
    ] {
        let transaction = with_signatures(message);
        let bytes = transaction.encode();
        assert!(bytes.ends_with(&transaction.message_bytes()));
        assert_eq!(Transaction::decode(&bytes), Ok(transaction));
    }
}

#[test]
fn puts_signatures_into_their_places() {
    let transaction = Transaction::unsigned(payment(MessageVersion::V0));
    assert!(!transaction.is_fully_signed());
    let signature = Signature::new([5; 64]);
    assert_eq!(
        transaction.clone().with_signature(&samples::RECIPIENT, signature),
        Err(TransactionError::NotASigner(samples::RECIPIENT))
    );
    let signed = transaction.with_signature(&samples::PAYER, signature).unwrap();
    assert!(signed.is_fully_signed());
    assert_eq!(signed.signatures, [signature]);
}

#[test]
fn refuses_bytes_that_are_not_exactly_a_transaction() {
    let bytes = with_signatures(payment(MessageVersion::V0)).encode();
    assert_eq!(Transaction::decode(&[]), Err(DecodeError::Empty));
    for len in 1..bytes.len() {
        assert_eq!(
            Transaction::decode(&bytes[..len]),
            Err(DecodeError::Truncated { offset: len })
        );
    }
    assert_eq!(
        Transaction::decode(&[bytes.as_slice(), &[0]].concat()),
        Err(DecodeError::TrailingBytes {
            offset: bytes.len(),
            count: 1
        })
    );
    let respelled = [&[0x81, 0x00], &bytes[1..]].concat();
    assert_eq!(
        Transaction::decode(&respelled),
        Err(DecodeError::BadConfigMask { mask: 0x0101_0101 }),
        "a transaction that begins with 0x81 has version 1"
    );
}

#[test]
fn signatures_and_signers_must_match() {
    let message = payment(MessageVersion::Legacy);
    for found in [0, 2, 3] {
        let transaction = Transaction {
            signatures: alloc::vec![Signature::default(); found],
            message: message.clone(),
        };
        assert_eq!(
            Transaction::decode(&transaction.encode()),
            Err(DecodeError::SignatureCount { found, required: 1 })
        );
    }
}

#[test]
fn the_limit_is_the_networks() {
    let of_length = |text_len: usize| {
        let text = "m".repeat(text_len);
        let memo = instructions::memo(&text, &[]);
        let message = compile_message(
            MessageVersion::Legacy,
            samples::PAYER,
            &[memo],
            samples::BLOCKHASH,
        );
        message.map(|message| Transaction::unsigned(message).encode())
    };
    let longest = (1..1232).rev().find_map(|len| of_length(len).ok()).unwrap();
    assert_eq!(longest.len(), MAX_TRANSACTION_BYTES);
    assert!(Transaction::decode(&longest).is_ok());
    let mut over = longest;
    over.push(0);
    assert_eq!(
        Transaction::decode(&over),
        Err(DecodeError::TooLong {
            found: 1233,
            limit: 1232
        })
    );
}

#[test]
fn version_1_has_its_message_first() {
    let transaction = with_signatures(payment(samples::v1()));
    let bytes = transaction.encode();
    assert_eq!(bytes.first(), Some(&0x81));
    assert!(bytes.starts_with(&transaction.message_bytes()));
    assert!(bytes.ends_with(transaction.signatures[0].as_bytes()));
    assert_eq!(Transaction::decode(&bytes), Ok(transaction));
    for len in 1..bytes.len() {
        assert_eq!(
            Transaction::decode(&bytes[..len]),
            Err(DecodeError::Truncated { offset: len })
        );
        assert!(parses_as_transaction(&bytes[..len]));
    }
    assert_eq!(
        Transaction::decode(&[bytes.as_slice(), &[0]].concat()),
        Err(DecodeError::TrailingBytes {
            offset: bytes.len(),
            count: 1
        })
    );
    // With the signatures in front, as the older versions have them, it is refused.
    let message = payment(samples::v1()).encode();
    let front = [&[1][..], &[5; 64], &message].concat();
    assert_eq!(
        Transaction::decode(&front),
        Err(DecodeError::UnsupportedVersion(1))
    );
}

#[test]
fn version_1_may_be_longer() {
    let of_length = |text_len: usize| {
        let memo = instructions::memo(&"m".repeat(text_len), &[]);
        compile_message(samples::v1(), samples::PAYER, &[memo], samples::BLOCKHASH)
            .map(|message| Transaction::unsigned(message).encode())
    };
    let longest = (1..4096).rev().find_map(|len| of_length(len).ok()).unwrap();
    assert_eq!(longest.len(), super::super::MAX_V1_TRANSACTION_BYTES);
    assert!(Transaction::decode(&longest).is_ok());
    let over = [longest.as_slice(), &[0]].concat();
    let too_long = Err(DecodeError::TooLong {
        found: 4097,
        limit: 4096,
    });
    assert_eq!(Transaction::decode(&over), too_long);
}

#[test]
fn signatures_of_others_are_kept_and_told_apart() {
    use crate::ed25519::SecretKey;
    let keys = [1, 2, 3].map(|byte| SecretKey::from_seed(&[byte; 32]));
    let [first, second, third] = keys.each_ref().map(SecretKey::address);
    for version in [MessageVersion::Legacy, MessageVersion::V0, samples::v1()] {
        let memo = instructions::memo("joint", &[second, third]);
        let message = compile_message(version, first, &[memo], samples::BLOCKHASH).unwrap();
        let bytes = message.encode();
        let place = |signer: &Address| {
            let found = message.required_signers().iter().position(|own| own == signer);
            found.unwrap()
        };
        let (at_second, at_third) = (place(&second), place(&third));
        let others = Transaction::unsigned(message.clone())
            .with_signature(&second, keys[1].sign(&bytes))
            .unwrap();
        // It arrives from somebody else, with one signature given and another that is wrong.
        let wrong = keys[2].sign(b"another message");
        let others = others.with_signature(&third, wrong).unwrap();
        let received = Transaction::decode(&others.encode()).unwrap();
        let signed = received.with_signature(&first, keys[0].sign(&bytes)).unwrap();
        assert_eq!(signed.signatures[at_second], keys[1].sign(&bytes));
        assert_eq!(signed.signatures[at_third], wrong);
        let mut expected = alloc::vec![(first, SignatureState::Valid); 3];
        expected[at_second] = (second, SignatureState::Valid);
        expected[at_third] = (third, SignatureState::Invalid);
        assert_eq!(signed.verify_signatures(), expected);
        // Somebody's valid signature in another's place is none.
        let swapped = signed.with_signature(&third, keys[1].sign(&bytes)).unwrap();
        assert_eq!(
            swapped.verify_signatures()[at_third],
            (third, SignatureState::Invalid)
        );
        let missing = Transaction::unsigned(message.clone()).verify_signatures();
        assert!(missing.iter().all(|(_, state)| *state == SignatureState::Missing));
    }
}

#[test]
fn transactions_are_told_from_text() {
    let message = samples::with_lookup();
    let bytes = message.encode();
    assert!(parses_as_transaction(&bytes));
    assert!(parses_as_transaction(&with_signatures(message.clone()).encode()));
    // Neither trailing bytes nor an unsound header make it harmless.
    assert!(parses_as_transaction(&[bytes.as_slice(), b"hello"].concat()));
    let mut unsound = message;
    unsound.header.num_readonly_signed = 200;
    assert!(parses_as_transaction(&unsound.encode()));
    for text in [
        &b""[..],
        b"hello",
        b"Sign in to example.com\nNonce: 8371",
        b"\xffsolana offchain\x00",
        &[b'a'; 4096],
        &[b'\n'; 2000],
    ] {
        let expected = text.first() == Some(&b'\n');
        assert_eq!(parses_as_transaction(text), expected, "{text:?}");
    }
}

#[test]
fn text_of_every_script_is_no_transaction() {
    let letters = [
        "Привет, подпишите вход",
        "你好，请签名",
        "é",
        "שלום",
        "👋 hello",
        "\u{10ffff}",
        "€\n\t\r",
    ];
    for text in letters {
        assert!(!parses_as_transaction(text.as_bytes()), "{text:?}");
        assert!(!parses_as_transaction(text.repeat(2_000).as_bytes()), "{text:?}");
    }
    // A first byte of every length of character; 0xc0, 0xc1 and 0xf5..0xfe begin none.
    for c in [
        '\u{a0}',
        '\u{7ff}',
        '\u{800}',
        '\u{ffff}',
        '\u{10000}',
        '\u{100000}',
    ] {
        assert!(
            !parses_as_transaction(c.encode_utf8(&mut [0; 4]).as_bytes()),
            "{c:?}"
        );
    }
    // Longer than any network takes, so what its beginning announces does not matter; shorter, it does.
    assert!(!parses_as_transaction(&[b'a'; 65_536]));
    assert!(!parses_as_transaction(&[b'\n'; 4_097]));
    assert!(parses_as_transaction(&[b'\n'; 4_096]));
}

#[test]
fn unknown_versions_are_transactions_unless_they_are_text() {
    for first in 0x81..=0xfe_u8 {
        for rest in [&b""[..], b"\x01\x00\x01", b"\x80\x00", b"\xff\xff", b"plain"] {
            // No single byte of these, and none before ASCII, is UTF-8.
            let bytes = [&[first], rest].concat();
            assert!(parses_as_transaction(&bytes), "{bytes:?}");
        }
    }
    for version in ["é", "я", "世", "👋"] {
        // Counts as small as a message's are control characters.
        for counts in ["\u{1}\0\u{1}", "\0", "\u{1f}", "\u{7f}", "\u{80}"] {
            let bytes = [version, counts, "and words"].concat();
            assert!(parses_as_transaction(bytes.as_bytes()), "{bytes:?}");
        }
    }
    // Long, and not text: nothing excuses it.
    let message = payment(MessageVersion::V0).encode();
    assert!(parses_as_transaction(
        &[message.as_slice(), &[b'a'; 5_000]].concat()
    ));
    assert!(parses_as_transaction(&[&[0x82][..], &[b'a'; 5_000]].concat()));
}

proptest! {
    #[test]
    fn round_trips(message in any_message()) {
        let transaction = with_signatures(message);
        let bytes = transaction.encode();
        prop_assert!(parses_as_transaction(&bytes));
        prop_assert!(parses_as_transaction(&transaction.message_bytes()));
        prop_assert_eq!(Transaction::decode(&bytes), Ok(transaction));
    }

    #[test]
    fn what_is_accepted_encodes_to_the_same_bytes(
        message in any_message(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = with_signatures(message).encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(decoded) = Transaction::decode(&bytes) {
            prop_assert_eq!(decoded.encode(), bytes);
        }
    }

    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parses_as_transaction(&bytes);
        if let Ok(decoded) = Transaction::decode(&bytes) {
            prop_assert!(parses_as_transaction(&bytes));
            prop_assert_eq!(decoded.encode(), bytes);
        }
    }

    #[test]
    fn ordinary_text_is_no_transaction(text in "[ -~]{0,1300}") {
        prop_assert!(!parses_as_transaction(text.as_bytes()));
    }

    #[test]
    fn text_that_does_not_begin_in_ascii_is_no_transaction(text in "[^\\x00-\\x7f\\p{Cc}]\\PC{0,1300}") {
        prop_assert!(!parses_as_transaction(text.as_bytes()));
    }
}
