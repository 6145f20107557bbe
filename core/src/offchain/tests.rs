#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use alloc::format;
use alloc::string::{String, ToString};

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::ed25519::SecretKey;
use crate::siws::{SignIn, SignInFields};
use crate::solana::{Message, Transaction};

/// Signers of the tests of `@solana/offchain-messages`
/// (<https://github.com/anza-xyz/kit/tree/main/packages/offchain-messages/src/__tests__>).
const SIGNER_A: &str = "signerAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const SIGNER_A_HEX: &str = "0cfe2cc952550e94c725639a4bd11d4ea5a6383651c308b718c3aef286bca1af";
const SIGNER_B: &str = "signerBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";
const SIGNER_B_HEX: &str = "0cfe2cc9525c95efb972c0c5b7ae0fd520d97e948fd8bb2c10a10102ce98b3a6";
const DOMAIN: &str = "testdomain111111111111111111111111111111111";
const DOMAIN_HEX: &str = "0d3b730b9e889b4b661ed2a3ce191f68d37da7443206a182b946891e00000000";
const PREFIX_HEX: &str = "ff736f6c616e61206f6666636861696e";

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn bytes(parts: &[&str]) -> Vec<u8> {
    hex::decode(parts.concat()).unwrap()
}

fn key(byte: u8) -> SecretKey {
    SecretKey::from_seed(&[byte; 32])
}

#[test]
fn the_solana_crate_and_command_lines_vectors_hold() {
    // The tests of the crate solana-offchain-message 4.0.0.
    let ascii = bytes(&[PREFIX_HEX, "00000c0054657374204d657373616765"]);
    let message = OffChainMessage::decode(&ascii).unwrap();
    assert_eq!(message, OffChainMessage::short("Test Message").unwrap());
    assert_eq!(message.encode(), ascii);
    assert_eq!(message.format(), Some(MessageFormat::RestrictedAscii));
    assert_eq!((message.layout(), message.signers()), (Layout::Short, &[][..]));
    let russian = "Тестовое сообщение";
    let utf8 = bytes(&[PREFIX_HEX, "00012300", &hex::encode(russian)]);
    let message = OffChainMessage::decode(&utf8).unwrap();
    assert_eq!(message.format(), Some(MessageFormat::LimitedUtf8));
    assert_eq!((message.text(), message.encode()), (russian, utf8));
}

#[test]
fn the_kits_version_0_vector_holds() {
    // "decodes a well-formed 1232-byte-max UTF-8 message according to spec".
    let text = "✌🏿cool";
    let encoded = bytes(&[
        PREFIX_HEX,
        "00",
        DOMAIN_HEX,
        "0102",
        SIGNER_A_HEX,
        SIGNER_B_HEX,
        "0b00",
        &hex::encode(text),
    ]);
    let message = OffChainMessage::decode(&encoded).unwrap();
    assert_eq!(message.text(), text);
    assert_eq!(message.application_domain(), Some(address(DOMAIN)));
    assert_eq!(message.signers(), [address(SIGNER_A), address(SIGNER_B)]);
    assert_eq!(message.encode(), encoded);
    let made = OffChainMessage::v0(
        address(DOMAIN).to_bytes(),
        [address(SIGNER_A), address(SIGNER_B)],
        text,
    );
    assert_eq!(made.unwrap(), message);
}

#[test]
fn version_1_sorts_its_signers() {
    let encoded = bytes(&[
        PREFIX_HEX,
        "0102",
        SIGNER_A_HEX,
        SIGNER_B_HEX,
        &hex::encode("Hello\nworld"),
    ]);
    let message = OffChainMessage::v1([address(SIGNER_B), address(SIGNER_A)], "Hello\nworld").unwrap();
    assert_eq!(message.encode(), encoded);
    assert_eq!(OffChainMessage::decode(&encoded).unwrap(), message);
    assert_eq!((message.layout(), message.format()), (Layout::V1, None));
    let swapped = bytes(&[PREFIX_HEX, "0102", SIGNER_B_HEX, SIGNER_A_HEX, "41"]);
    assert_eq!(
        OffChainMessage::decode(&swapped),
        Err(OffChainError::UnsortedSigners { position: 2 })
    );
}

#[test]
fn malformed_messages_are_refused_with_the_reason() {
    use OffChainError as E;
    let signed = |tail: &str| bytes(&[PREFIX_HEX, "00", DOMAIN_HEX, tail]);
    let one = |format: &str, tail: &str| signed(&[format, "01", SIGNER_A_HEX, tail].concat());
    let cases: Vec<(Vec<u8>, OffChainError)> = alloc::vec![
        (Vec::new(), E::SigningDomain),
        (b"solana offchain".to_vec(), E::SigningDomain),
        (bytes(&["fe736f6c616e61206f6666636861696e00"]), E::SigningDomain),
        (bytes(&[PREFIX_HEX]), E::Truncated),
        (bytes(&[PREFIX_HEX, "00"]), E::Truncated),
        (bytes(&[PREFIX_HEX, "01"]), E::Truncated),
        (
            bytes(&[PREFIX_HEX, "02000100", "41"]),
            E::UnknownVersion { found: 2 }
        ),
        (bytes(&[PREFIX_HEX, "ff"]), E::UnknownVersion { found: 255 }),
        // Short layout.
        (bytes(&[PREFIX_HEX, "00000000"]), E::Empty),
        (bytes(&[PREFIX_HEX, "0000010009"]), E::NotPrintable { offset: 0 }),
        (
            bytes(&[PREFIX_HEX, "000002004109"]),
            E::NotPrintable { offset: 1 }
        ),
        (bytes(&[PREFIX_HEX, "00000100ff"]), E::NotUtf8),
        (bytes(&[PREFIX_HEX, "00010200ed9f"]), E::NotUtf8),
        // The proposal's layout.
        (one("00", "0000"), E::Empty),
        (one("00", "010009"), E::NotPrintable { offset: 0 }),
        (one("00", "01000a"), E::NotPrintable { offset: 0 }),
        (one("01", "0100ff"), E::NotUtf8),
        (one("03", "010041"), E::UnknownFormat { found: 3 }),
        (one("00", "020041"), E::Truncated),
        (one("00", "01004141"), E::TrailingBytes),
        (signed("0000010041"), E::SignerCount { found: 0 }),
        (
            signed(&["0002", SIGNER_A_HEX, SIGNER_A_HEX, "010041"].concat()),
            E::DuplicateSigner { position: 2 }
        ),
        (signed(&["0002", SIGNER_A_HEX, "010041"].concat()), E::Truncated),
        // Version 1.
        (bytes(&[PREFIX_HEX, "0100", "41"]), E::SignerCount { found: 0 }),
        (bytes(&[PREFIX_HEX, "0101", SIGNER_A_HEX]), E::Empty),
        (bytes(&[PREFIX_HEX, "0101", SIGNER_A_HEX, "ff"]), E::NotUtf8),
        (
            bytes(&[PREFIX_HEX, "0102", SIGNER_A_HEX, SIGNER_A_HEX, "41"]),
            E::DuplicateSigner { position: 2 }
        ),
        (alloc::vec![0xff; MAX_LEN + 1], E::TooLong { max: MAX_LEN }),
    ];
    for (encoded, expected) in cases {
        assert_eq!(
            OffChainMessage::decode(&encoded),
            Err(expected),
            "{}",
            hex::encode(&encoded[..encoded.len().min(100)])
        );
    }
}

#[test]
fn lengths_count_the_preamble() {
    let fits = "a".repeat(MAX_LIMITED_LEN - 20);
    let longer = format!("{fits}a");
    let format = |text: &str| OffChainMessage::short(text).unwrap().format();
    assert_eq!(format(&fits), Some(MessageFormat::RestrictedAscii));
    assert_eq!(format(&longer), Some(MessageFormat::ExtendedUtf8));
    let v0 = |text: &str| OffChainMessage::v0([9; 32], [address(SIGNER_A)], text);
    assert_eq!(
        v0(&"a".repeat(1232 - 85)).unwrap().format(),
        Some(MessageFormat::RestrictedAscii)
    );
    assert_eq!(
        v0(&"a".repeat(1232 - 84)).unwrap().format(),
        Some(MessageFormat::ExtendedUtf8)
    );
    // The same, but claiming the narrow format.
    let mut narrow = v0(&"a".repeat(1232 - 84)).unwrap().encode();
    narrow[49] = 0;
    assert_eq!(
        OffChainMessage::decode(&narrow),
        Err(OffChainError::TooLong { max: MAX_LIMITED_LEN })
    );
    let too_long = "a".repeat(MAX_LEN - 19);
    assert_eq!(
        OffChainMessage::short(&too_long),
        Err(OffChainError::TooLong { max: MAX_LEN })
    );
    let many = (0..=255_u8).map(|byte| Address::new([byte; 32]));
    assert_eq!(
        OffChainMessage::v1(many, "a"),
        Err(OffChainError::SignerCount { found: 256 })
    );
}

#[test]
fn bytes_with_two_meanings_are_refused() {
    // A short message whose text is at the same time domain, signer, length and text of the other layout.
    let mut text = alloc::vec![b'a'; 30 + 1 + 32 + 2 + 5];
    // After version and short header (4 bytes), the domain's rest takes 29 bytes; then format, count, signer.
    text[29] = 1;
    text[30] = 1;
    let tail = text.len() - 29 - 2 - 32 - 2;
    text[63] = u8::try_from(tail).unwrap();
    text[64] = 0;
    let mut encoded = bytes(&[PREFIX_HEX, "0001"]);
    encoded.extend_from_slice(&u16::try_from(text.len()).unwrap().to_le_bytes());
    encoded.extend_from_slice(&text);
    assert_eq!(OffChainMessage::decode(&encoded), Err(OffChainError::Ambiguous));
}

/// A small transaction's message in bytes below 0x80, so that it is also UTF-8.
fn transaction_text() -> String {
    let mut message = alloc::vec![1, 0, 1, 2];
    message.extend_from_slice(&[0x11; 32]);
    message.extend_from_slice(&[0x22; 32]);
    message.extend_from_slice(&[0x33; 32]);
    message.extend_from_slice(&[1, 1, 1, 0, 0]);
    assert!(Message::decode(&message).is_ok());
    String::from_utf8(message).unwrap()
}

#[test]
fn a_transaction_is_refused_in_every_wrapper() {
    let text = transaction_text();
    let signer = address(SIGNER_A);
    for refused in [
        OffChainMessage::short(&text),
        OffChainMessage::v0([0; 32], [signer], &text),
        OffChainMessage::v1([signer], &text),
    ] {
        assert_eq!(refused, Err(OffChainError::LooksLikeTransaction));
    }
    let message = Message::decode(text.as_bytes()).unwrap();
    let transaction = Transaction::unsigned(message).encode();
    let mut short = bytes(&[PREFIX_HEX, "0001"]);
    short.extend_from_slice(&u16::try_from(text.len()).unwrap().to_le_bytes());
    short.extend_from_slice(text.as_bytes());
    let mut v0_message = alloc::vec![0x80];
    v0_message.extend_from_slice(text.as_bytes());
    v0_message.push(0);
    for bytes in [text.as_bytes(), &transaction, &short, &v0_message] {
        assert_eq!(classify(bytes), MessageKind::Transaction);
        assert_eq!(read(bytes), Err(MessageRefusal::Transaction));
    }
}

#[test]
fn kinds_are_told_apart() {
    let me = key(1).address();
    let sign_in = SignIn::new(SignInFields::new("example.com", me))
        .unwrap()
        .to_text();
    let off_chain = OffChainMessage::v1([me], "hello").unwrap().encode();
    for (bytes, kind) in [
        (off_chain.as_slice(), MessageKind::OffChain),
        (sign_in.as_bytes(), MessageKind::SignIn),
        (b"hello", MessageKind::Text),
        ("grüezi\n\tmitenand\r\n".as_bytes(), MessageKind::Text),
        (b"", MessageKind::Binary),
        (b"bell\x07", MessageKind::Binary),
        (b"esc\x1b[2J", MessageKind::Binary),
        (&off_chain[..20], MessageKind::Binary),
        (b"\xff\xfe", MessageKind::Binary),
        (b"\x7f\xff", MessageKind::Binary),
    ] {
        assert_eq!(classify(bytes), kind, "{}", hex::encode(bytes));
    }
    assert!(matches!(read(&off_chain[..20]), Err(MessageRefusal::OffChain(_))));
    let broken = format!("{sign_in}\n");
    assert_eq!(classify(broken.as_bytes()), MessageKind::Text);
    assert!(matches!(read(broken.as_bytes()), Err(MessageRefusal::SignIn(_))));
    assert_eq!(read(b""), Err(MessageRefusal::Empty));
}

#[test]
fn only_named_signers_verify() {
    let (me, other) = (key(1), key(2));
    for message in [
        OffChainMessage::v0([0; 32], [me.address()], "hello").unwrap(),
        OffChainMessage::v1([me.address()], "hello").unwrap(),
    ] {
        let bytes = message.encode();
        assert!(message.verify(&me.address(), &me.sign(&bytes)).is_ok());
        assert!(message.verify(&other.address(), &other.sign(&bytes)).is_err());
        assert!(message.verify(&me.address(), &me.sign(b"hello")).is_err());
    }
    let short = OffChainMessage::short("hello").unwrap();
    assert!(
        short
            .verify(&other.address(), &other.sign(&short.encode()))
            .is_ok()
    );
}

#[test]
fn an_envelope_carries_signatures_in_the_signers_order() {
    let (a, b) = (key(1), key(2));
    let message = OffChainMessage::v0([7; 32], [b.address(), a.address()], "both of us").unwrap();
    let bytes = message.encode();
    let empty = Envelope::unsigned(message).unwrap();
    assert_eq!(
        empty.check_complete(),
        Err(EnvelopeError::Missing { position: 1 })
    );
    let half = empty.with_signature(&a.address(), a.sign(&bytes)).unwrap();
    let encoded = half.encode();
    assert_eq!((encoded[0], &encoded[1..65]), (2, &[0_u8; 64][..]));
    assert_eq!(Envelope::decode(&encoded).unwrap(), half);
    assert_eq!(
        half.clone().with_signature(&b.address(), a.sign(&bytes)),
        Err(EnvelopeError::BadSignature { position: 1 })
    );
    assert_eq!(
        half.clone()
            .with_signature(&key(3).address(), key(3).sign(&bytes)),
        Err(EnvelopeError::NotASigner)
    );
    let full = half.with_signature(&b.address(), b.sign(&bytes)).unwrap();
    assert_eq!(full.check_complete(), Ok(()));
    let encoded = full.encode();
    assert_eq!(Envelope::decode(&encoded).unwrap(), full);
    for at in 0..encoded.len() {
        assert!(Envelope::decode(&encoded[..at]).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut changed = encoded.clone();
            changed[at] ^= 1 << bit;
            assert!(Envelope::decode(&changed).is_err(), "bit {bit} of {at}");
        }
    }
    let short = OffChainMessage::short("hello").unwrap();
    assert_eq!(Envelope::unsigned(short), Err(EnvelopeError::NoSigners));
    let one_too_few = [&[1_u8][..], &[0; 64], &bytes].concat();
    assert_eq!(
        Envelope::decode(&one_too_few),
        Err(EnvelopeError::SignatureCount { found: 1, signers: 2 })
    );
}

fn any_message() -> impl Strategy<Value = OffChainMessage> {
    let text = "[a-zäöü✌ \n]{1,40}";
    let signers = prop::collection::btree_set(any::<[u8; 32]>(), 1..5);
    (text, signers, any::<[u8; 32]>(), 0..3).prop_filter_map(
        "well-formed",
        |(text, signers, domain, kind)| {
            let signers = signers.into_iter().map(Address::new);
            match kind {
                0 => OffChainMessage::short(&text),
                1 => OffChainMessage::v0(domain, signers, &text),
                _ => OffChainMessage::v1(signers, &text),
            }
            .ok()
        },
    )
}

proptest! {
    #[test]
    fn what_is_encoded_decodes(message in any_message()) {
        prop_assert_eq!(OffChainMessage::decode(&message.encode()), Ok(message));
    }

    #[test]
    fn what_decodes_encodes_to_the_same_bytes(message in any_message(), at in any::<usize>(), mask in 1..=255_u8, cut in any::<usize>()) {
        let mut bytes = message.encode();
        let at = at % bytes.len();
        bytes[at] ^= mask;
        if let Ok(decoded) = OffChainMessage::decode(&bytes) {
            prop_assert_eq!(decoded.encode(), bytes.clone());
            prop_assert_ne!(&decoded, &message);
        }
        bytes.truncate(cut % bytes.len());
        if let Ok(decoded) = OffChainMessage::decode(&bytes) {
            prop_assert_eq!(decoded.encode(), bytes);
        }
    }

    #[test]
    fn no_bytes_panic(tail in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = SIGNING_DOMAIN.to_vec();
        bytes.extend_from_slice(&tail);
        let _ = (classify(&bytes), classify(&tail), Envelope::decode(&tail));
        let _ = read(&bytes).map_err(|error| error.to_string());
    }
}
