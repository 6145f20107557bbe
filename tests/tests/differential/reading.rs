//! What Solana's crates read, Keyward reads alike; what they refuse, it refuses.

use keyward_core::solana::{self, DecodeError, MAX_TRANSACTION_BYTES, MessageVersion};
use proptest::collection::vec as some;
use proptest::prelude::*;
use solana_hash::Hash;
use solana_message::compiled_instruction::CompiledInstruction;
use solana_message::{Message as LegacyMessage, MessageHeader, VersionedMessage, v1};
use solana_pubkey::Pubkey;
use solana_transaction::versioned::VersionedTransaction;

use crate::alike::{check_message, check_transaction, solana_message, solana_transaction};
use crate::samples::{any_damage, any_message, any_transaction, damaged};

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        max_global_rejects: 20_000,
        // Failing cases are to be turned into tests by name.
        failure_persistence: None,
        ..ProptestConfig::default()
    })]
    #[test]
    fn messages_are_read_alike(message in any_message()) {
        check_message(&message.serialize());
    }

    #[test]
    fn damaged_messages_are_read_alike(
        message in any_message(),
        damage in some(any_damage(), 1..4),
    ) {
        check_message(&damage.iter().fold(message.serialize(), damaged));
    }

    #[test]
    fn transactions_are_read_alike(transaction in any_transaction()) {
        check_transaction(&wincode::serialize(&transaction).unwrap());
    }

    #[test]
    fn damaged_transactions_are_read_alike(
        transaction in any_transaction(),
        damage in some(any_damage(), 1..4),
    ) {
        let bytes = wincode::serialize(&transaction).unwrap();
        check_transaction(&damage.iter().fold(bytes, damaged));
    }

    #[test]
    fn noise_is_read_alike(bytes in some(any::<u8>(), 0..300)) {
        check_message(&bytes);
        check_transaction(&bytes);
    }

    /// Solana's crates can be told to ignore what trails; Keyward never does.
    #[test]
    fn what_trails_is_refused(
        transaction in any_transaction(),
        surplus in some(any::<u8>(), 1..40),
    ) {
        let whole = wincode::serialize(&transaction).unwrap();
        prop_assume!(solana::Transaction::decode(&whole).is_ok());
        let longer = [whole.as_slice(), &surplus].concat();
        prop_assume!(longer.len() <= MAX_TRANSACTION_BYTES);
        prop_assert!(wincode::deserialize::<VersionedTransaction>(&longer).is_ok());
        let trailing = Err(DecodeError::TrailingBytes { offset: whole.len(), count: surplus.len() });
        prop_assert_eq!(solana::Transaction::decode(&longer), trailing);
        let message = transaction.message.serialize();
        let longer = [message.as_slice(), &surplus].concat();
        prop_assert!(wincode::deserialize::<VersionedMessage>(&longer).is_ok());
        let trailing = Err(DecodeError::TrailingBytes { offset: message.len(), count: surplus.len() });
        prop_assert_eq!(solana::Message::decode(&longer), trailing);
        prop_assert!(solana::parses_as_transaction(&longer));
    }
}

/// The random messages must reach both sides of every comparison, or the tests above show nothing.
#[test]
fn random_messages_are_accepted_and_refused() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let strategy = any_transaction();
    let (mut accepted, mut duplicate, mut version_1, mut unsound) = (0, 0, 0, 0);
    for _ in 0..2_000 {
        let transaction = strategy.new_tree(&mut runner).unwrap().current();
        let bytes = wincode::serialize(&transaction).unwrap();
        match solana::Transaction::decode(&bytes) {
            Ok(own) if matches!(own.message.version, MessageVersion::V1(_)) => version_1 += 1,
            Ok(_) => accepted += 1,
            Err(DecodeError::DuplicateAccount { .. }) => duplicate += 1,
            Err(_) => unsound += 1,
        }
    }
    let counts = (accepted, duplicate, version_1, unsound);
    assert!(
        accepted > 600 && duplicate > 20 && version_1 > 200 && unsound > 100,
        "{counts:?}"
    );
}

/// A version 1 message of so many signers, accounts and instructions, and so much data.
fn version_1(signers: u8, accounts: u8, instructions: usize, data: usize) -> VersionedTransaction {
    let message = v1::Message {
        header: MessageHeader {
            num_required_signatures: signers,
            num_readonly_signed_accounts: 0,
            num_readonly_unsigned_accounts: 0,
        },
        config: v1::TransactionConfig::default(),
        lifetime_specifier: Hash::new_from_array([3; 32]),
        account_keys: (0..accounts)
            .map(|at| Pubkey::new_from_array([at + 1; 32]))
            .collect(),
        instructions: vec![
            CompiledInstruction {
                program_id_index: 1,
                accounts: vec![0],
                data: vec![7; data],
            };
            instructions
        ],
    };
    VersionedTransaction {
        signatures: vec![[5; 64].into(); usize::from(signers)],
        message: VersionedMessage::V1(message),
    }
}

/// The limits of version 1 lie at the same places, and the length is Keyward's own to check.
#[test]
fn version_1_ends_where_theirs_ends() {
    for (sound, signers, accounts, instructions, data) in [
        (true, 1, 2, 1, 0),
        (true, 12, 12, 1, 0),
        (false, 13, 13, 1, 0),
        (true, 1, 64, 1, 0),
        (false, 1, 65, 1, 0),
        (true, 1, 2, 64, 0),
        (false, 1, 2, 65, 0),
        (false, 0, 2, 1, 0),
        (false, 3, 2, 1, 0),
        (true, 1, 2, 0, 0),
        (true, 1, 1, 0, 0),
        (false, 1, 1, 1, 0),
        (true, 1, 2, 1, 3_800),
    ] {
        let transaction = version_1(signers, accounts, instructions, data);
        let bytes = wincode::serialize(&transaction).unwrap();
        let case = (signers, accounts, instructions, data);
        assert_eq!(solana_transaction(&bytes).is_some(), sound, "{case:?}");
        assert_eq!(solana::Transaction::decode(&bytes).is_ok(), sound, "{case:?}");
        check_transaction(&bytes);
        check_message(&transaction.message.serialize());
    }
    let shortest = wincode::serialize(&version_1(1, 2, 1, 0)).unwrap().len();
    for (len, accepted) in [(4096, true), (4097, false)] {
        let bytes = wincode::serialize(&version_1(1, 2, 1, len - shortest)).unwrap();
        assert_eq!(bytes.len(), len);
        assert!(solana_transaction(&bytes).is_some());
        assert_eq!(solana::Transaction::decode(&bytes).is_ok(), accepted);
        check_transaction(&bytes);
    }
}

/// Both sides refuse a length that is not in its shortest form.
#[test]
fn other_spellings_of_a_length_are_refused_by_both() {
    let message = LegacyMessage {
        header: MessageHeader {
            num_required_signatures: 1,
            num_readonly_signed_accounts: 0,
            num_readonly_unsigned_accounts: 1,
        },
        account_keys: vec![Pubkey::new_from_array([1; 32]), Pubkey::new_from_array([2; 32])],
        recent_blockhash: Hash::new_from_array([3; 32]),
        instructions: vec![],
    };
    let bytes = VersionedMessage::Legacy(message).serialize();
    assert!(solana_message(&bytes).is_some() && solana::Message::decode(&bytes).is_ok());
    for spelling in [&[0x82, 0x00][..], &[0x82, 0x80, 0x00]] {
        let longer = [&bytes[..3], spelling, &bytes[4..]].concat();
        assert!(solana_message(&longer).is_none());
        assert_eq!(
            solana::Message::decode(&longer),
            Err(DecodeError::NonCanonical { offset: 3 })
        );
    }
}
