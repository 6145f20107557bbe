#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::vec;

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::samples::{self, any_message, payment};
use super::*;

#[test]
fn decodes_what_it_encodes() {
    for message in [
        payment(MessageVersion::Legacy),
        payment(MessageVersion::V0),
        payment(samples::v1()),
        samples::with_lookup(),
    ] {
        assert_eq!(Message::decode(&message.encode()), Ok(message));
    }
}

#[test]
fn says_who_signs_and_who_may_change() {
    let message = samples::with_lookup();
    assert_eq!(message.fee_payer(), &samples::PAYER);
    assert_eq!(message.required_signers(), [samples::PAYER]);
    assert!(message.is_signer(0) && !message.is_signer(1));
    // Payer and recipient, then the three programs; then two writable and one read-only looked up.
    let writable: Vec<bool> = (0..9).map(|at| message.is_writable(at)).collect();
    assert_eq!(
        writable,
        [true, true, false, false, false, true, true, false, false]
    );
}

/// Changes a sound message and expects the bytes to be refused.
fn refused(change: impl FnOnce(&mut Message), error: DecodeError) {
    let mut message = samples::with_lookup();
    change(&mut message);
    assert_eq!(Message::decode(&message.encode()), Err(error));
}

#[test]
fn refuses_unsound_headers() {
    refused(|m| m.header.num_required_signatures = 0, DecodeError::BadHeader);
    refused(|m| m.header.num_readonly_signed = 1, DecodeError::BadHeader);
    refused(|m| m.header.num_readonly_unsigned = 5, DecodeError::BadHeader);
    refused(|m| m.header.num_required_signatures = 6, DecodeError::BadHeader);
    refused(|m| m.account_keys.clear(), DecodeError::BadHeader);
}

#[test]
fn refuses_unsound_references() {
    refused(
        |m| m.account_keys[1] = m.account_keys[0],
        DecodeError::DuplicateAccount { first: 0, second: 1 },
    );
    refused(
        |m| m.account_keys[4] = m.account_keys[2],
        DecodeError::DuplicateAccount { first: 2, second: 4 },
    );
    refused(
        |m| m.instructions[2].program_index = 5,
        DecodeError::BadIndex {
            instruction: 3,
            index: 5,
            count: 5,
        },
    );
    refused(
        |m| m.instructions[0].program_index = 0,
        DecodeError::FeePayerAsProgram { instruction: 1 },
    );
    refused(
        |m| m.instructions[2].accounts[1] = 8,
        DecodeError::BadIndex {
            instruction: 3,
            index: 8,
            count: 8,
        },
    );
    refused(
        |m| {
            m.lookups.push(AddressTableLookup {
                table: Address::new([4; 32]),
                writable: vec![],
                readonly: vec![],
            });
        },
        DecodeError::EmptyLookup { table: 2 },
    );
    refused(
        |m| m.lookups[0].readonly = vec![0; 250],
        DecodeError::TooManyAccounts {
            found: 257,
            limit: 256,
        },
    );
    // The last index that a lookup gives is accepted.
    let mut message = samples::with_lookup();
    message.instructions[2].accounts[1] = 7;
    assert_eq!(Message::decode(&message.encode()), Ok(message));
}

#[test]
fn refuses_bytes_that_are_not_exactly_a_message() {
    let bytes = payment(MessageVersion::V0).encode();
    assert_eq!(Message::decode(&[]), Err(DecodeError::Empty));
    for len in 1..bytes.len() {
        assert_eq!(
            Message::decode(&bytes[..len]),
            Err(DecodeError::Truncated { offset: len })
        );
    }
    let surplus = [bytes.as_slice(), &[0, 0]].concat();
    assert_eq!(
        Message::decode(&surplus),
        Err(DecodeError::TrailingBytes {
            offset: bytes.len(),
            count: 2
        })
    );
    let long = [bytes.as_slice(), &[0; 1232]].concat();
    assert_eq!(
        Message::decode(&long),
        Err(DecodeError::TooLong {
            found: long.len(),
            limit: 1232
        })
    );
}

#[test]
fn refuses_other_spellings_of_a_length() {
    let bytes = payment(MessageVersion::Legacy).encode();
    // The number of accounts, five, stands at offset 3.
    for (spelling, offset) in [(&[0x85, 0x00][..], 3), (&[0x85, 0x80, 0x00], 3)] {
        let longer = [&bytes[..3], spelling, &bytes[4..]].concat();
        assert_eq!(
            Message::decode(&longer),
            Err(DecodeError::NonCanonical { offset })
        );
    }
}

#[test]
fn reports_other_versions() {
    let mut bytes = payment(MessageVersion::V0).encode();
    for version in 2..=126 {
        bytes[0] = VERSION_PREFIX | version;
        assert_eq!(
            Message::decode(&bytes),
            Err(DecodeError::UnsupportedVersion(version))
        );
    }
    assert_eq!(
        Message::decode(b"\xffsolana offchain"),
        Err(DecodeError::OffChainMessage)
    );
}

/// Changes a sound version 1 message and expects the bytes to be refused.
fn refused_v1(change: impl FnOnce(&mut Message), error: DecodeError) {
    let mut message = payment(samples::v1());
    change(&mut message);
    assert_eq!(message.check(), Err(error));
    assert_eq!(Message::decode(&message.encode()), Err(error));
}

#[test]
fn version_1_has_limits_of_its_own() {
    let key = |at: u8| Address::new([at; 32]);
    refused_v1(
        |m| {
            m.account_keys = (1..=65).map(key).collect();
        },
        DecodeError::TooManyAccounts { found: 65, limit: 64 },
    );
    refused_v1(
        |m| {
            m.account_keys = (1..=20).map(key).collect();
            m.header.num_required_signatures = 13;
        },
        DecodeError::TooManySigners { found: 13, limit: 12 },
    );
    refused_v1(
        |m| m.instructions = vec![m.instructions[0].clone(); 65],
        DecodeError::TooManyInstructions { found: 65, limit: 64 },
    );
    refused_v1(|m| m.account_keys.clear(), DecodeError::BadHeader);
    refused_v1(
        |m| m.account_keys[1] = m.account_keys[0],
        DecodeError::DuplicateAccount { first: 0, second: 1 },
    );
    let heap = |bytes| {
        MessageVersion::V1(TransactionConfig {
            heap_size: Some(bytes),
            ..TransactionConfig::default()
        })
    };
    for bytes in [0, 1024, 32_767, 32_769, 262_145, 263_168, u32::MAX] {
        refused_v1(|m| m.version = heap(bytes), DecodeError::BadHeapSize { bytes });
    }
    for bytes in [32_768, 33_792, 262_144] {
        let message = payment(heap(bytes));
        assert_eq!(Message::decode(&message.encode()), Ok(message));
    }
    let mut message = payment(samples::v1());
    message.lookups = samples::with_lookup().lookups;
    assert_eq!(message.check(), Err(DecodeError::LookupsNotAllowed));
    message.version = MessageVersion::Legacy;
    assert_eq!(message.check(), Err(DecodeError::LookupsNotAllowed));
    let mut message = payment(samples::v1());
    message.instructions[1].data = vec![0; 65_536];
    assert_eq!(
        message.check(),
        Err(DecodeError::LongInstruction { instruction: 2 })
    );
}

#[test]
fn version_1_settings_are_understood_or_refused() {
    let bytes = payment(samples::v1()).encode();
    for mask in [1_u32, 2, 0b10_0000, 0x8000_0000, 0xffff_ffff] {
        let mut changed = bytes.clone();
        changed[4..8].copy_from_slice(&mask.to_le_bytes());
        assert_eq!(
            Message::decode(&changed),
            Err(DecodeError::BadConfigMask { mask })
        );
    }
    for given in 0..16_u32 {
        let own = |bit: u32, value: u32| (given & bit != 0).then_some(value);
        let config = TransactionConfig {
            priority_fee: own(1, 7).map(|fee| crate::amount::Lamports::new(fee.into())),
            compute_unit_limit: own(2, 8),
            loaded_accounts_data_size_limit: own(4, 9),
            heap_size: own(8, 32_768),
        };
        let message = payment(MessageVersion::V1(config));
        assert_eq!(Message::decode(&message.encode()), Ok(message));
    }
}

#[test]
fn a_hostile_length_reserves_nothing() {
    // Announces 65,535 accounts and has none.
    assert_eq!(
        Message::decode(&[1, 0, 0, 0xff, 0xff, 0x03]),
        Err(DecodeError::Truncated { offset: 6 })
    );
}

proptest! {
    #[test]
    fn round_trips(message in any_message()) {
        let bytes = message.encode();
        prop_assert_eq!(Message::decode(&bytes), Ok(message));
    }

    #[test]
    fn what_is_accepted_encodes_to_the_same_bytes(
        message in any_message(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = message.encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(decoded) = Message::decode(&bytes) {
            prop_assert_eq!(decoded.encode(), bytes);
        }
    }

    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(decoded) = Message::decode(&bytes) {
            prop_assert_eq!(decoded.encode(), bytes);
        }
    }
}
