//! Off-chain messages beside the crate `solana-offchain-message`, on random and damaged bytes.
//!
//! The crate knows the short layout of version 0 alone. Of that, Keyward takes what the crate takes, except for
//! texts that can be read as a transaction, bytes that are a message in both layouts of version 0, and another
//! signing domain, which the crate looks at from its version 4 on. That version needs a newer `solana-hash`
//! than the RPC client, so this is version 3.

#![allow(clippy::unwrap_used, reason = "tests")]

use keyward_core::address::{Address, Signature};
use keyward_core::ed25519::SecretKey;
use keyward_core::offchain::{Layout, MessageFormat, OffChainError, OffChainMessage, SIGNING_DOMAIN};
use proptest::collection::vec as some;
use proptest::prelude::*;
use proptest::sample::Index;
use solana_keypair::Keypair;
use solana_offchain_message::{MessageFormat as TheirFormat, OffchainMessage as Theirs};
use solana_signer::Signer as _;

const HEADER: usize = SIGNING_DOMAIN.len() + 1;

fn their_format(format: MessageFormat) -> TheirFormat {
    TheirFormat::try_from(format as u8).unwrap()
}

/// The text that can be read as a transaction, and no other refusal.
fn looks_like_transaction(error: OffChainError) -> bool {
    error == OffChainError::LooksLikeTransaction
}

fn check_text(text: &str) {
    match (OffChainMessage::short(text), Theirs::new(0, text.as_bytes())) {
        (Ok(ours), Ok(theirs)) => {
            let bytes = theirs.serialize().unwrap();
            assert_eq!(ours.encode(), bytes);
            assert_eq!(ours.format().map(their_format), Some(theirs.get_format()));
            check_bytes(&bytes);
        }
        (Err(_), Err(_)) => {}
        (Err(error), Ok(_)) => assert!(looks_like_transaction(error), "{error:?}"),
        (Ok(ours), Err(error)) => panic!("accepted alone: {ours:?}, {error:?}"),
    }
}

fn check_bytes(bytes: &[u8]) {
    let ours = OffChainMessage::decode(bytes);
    let theirs = Theirs::deserialize(bytes)
        .ok()
        .filter(|_| bytes.starts_with(SIGNING_DOMAIN));
    match (ours, theirs) {
        (Ok(ours), Some(theirs)) => {
            assert_eq!(ours.layout(), Layout::Short);
            assert_eq!(ours.text().as_bytes(), theirs.get_message());
            assert_eq!(ours.format().map(their_format), Some(theirs.get_format()));
            assert_eq!(ours.encode(), bytes);
            assert_eq!(theirs.serialize().unwrap(), bytes);
        }
        (Err(error), Some(_)) => {
            assert!(
                looks_like_transaction(error) || error == OffChainError::Ambiguous,
                "{error:?}"
            );
        }
        (Ok(ours), None) => {
            assert_ne!(ours.layout(), Layout::Short, "accepted alone");
            assert_eq!(ours.encode(), bytes);
        }
        (Err(_), None) => {}
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ -~]{0,40}",
        4 => "\\PC{0,40}",
        1 => any::<String>(),
        // Lengths at the formats' ends.
        1 => (1205_usize..1220, any::<char>()).prop_map(|(len, letter)| letter.to_string().repeat(len)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn texts_are_written_alike(text in any_text()) {
        check_text(&text);
    }

    #[test]
    fn damaged_messages_are_read_alike(
        text in any_text(),
        changes in some((any::<Index>(), any::<u8>(), 0_u8..3), 1..4),
    ) {
        let Ok(message) = OffChainMessage::short(&text) else {
            return Ok(());
        };
        let mut bytes = message.encode();
        for (at, byte, how) in changes {
            // Mostly behind the signing domain, where it matters.
            let from = if byte % 8 == 0 { 0 } else { HEADER - 1 };
            let at = from + at.index(bytes.len() - from);
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
            if bytes.len() <= HEADER {
                return Ok(());
            }
            check_bytes(&bytes);
        }
    }

    #[test]
    fn other_bytes_are_read_alike(
        version in 0_u8..3,
        format in 0_u8..4,
        text in some(prop_oneof![9 => 0x20_u8..0x7f, 1 => any::<u8>()], 0..60),
        off_by in -1_i16..2,
        raw in some(any::<u8>(), 0..80),
    ) {
        check_bytes(&[&SIGNING_DOMAIN[..], &[version], &raw].concat());
        let length = i16::try_from(text.len()).unwrap().saturating_add(if format == 3 { off_by } else { 0 });
        let length = length.to_le_bytes();
        check_bytes(&[&SIGNING_DOMAIN[..], &[version, format], &length, &text].concat());
    }
}

proptest! {
    #[test]
    fn signatures_are_the_same(seed in any::<[u8; 32]>(), text in "[ -~]{1,60}") {
        let theirs = Theirs::new(0, text.as_bytes()).unwrap();
        let Ok(ours) = OffChainMessage::short(&text) else {
            return Ok(());
        };
        let keypair = Keypair::new_from_array(seed);
        let signature = theirs.sign(&keypair).unwrap();
        let key = SecretKey::from_seed(&seed);
        let own = key.sign(&ours.encode());
        prop_assert_eq!(own.as_bytes(), signature.as_array());
        let address = Address::new(keypair.pubkey().to_bytes());
        let signature = Signature::new(*signature.as_array());
        prop_assert!(ours.verify(&address, &signature).is_ok());
    }
}

/// The longest texts of each format, and one byte more.
#[test]
fn limits_are_the_same() {
    for len in [1, 1211, 1212, 1213, 65_514, 65_515, 65_516] {
        check_text(&"a".repeat(len));
        check_text(&format!("{}é", "a".repeat(len.saturating_sub(2))));
    }
    check_text("");
}
