//! Keyward's decoder beside Solana's own crates, on random and damaged bytes.
//!
//! The claim: Keyward accepts exactly the bytes that Solana's crates read to the last byte, find sound
//! and write back unchanged, and reads the same into them. It is stricter in what follows, each asserted
//! here: bytes that trail, accounts listed twice (which the runtime refuses only later), and more bytes
//! than the network takes: 1232, and 4096 in version 1.

#![allow(clippy::unwrap_used, reason = "tests")]

use keyward_core::address::{Address, Blockhash};
use keyward_core::amount::Lamports;
use keyward_core::ed25519::SecretKey;
use keyward_core::solana::{
    self, BuildError, DecodeError, MAX_TRANSACTION_BYTES, MAX_V1_TRANSACTION_BYTES, MessageVersion,
};
use proptest::collection::vec as some;
use proptest::prelude::*;
use solana_hash::Hash;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::compiled_instruction::CompiledInstruction;
use solana_message::v0::MessageAddressTableLookup;
use solana_message::{Message as LegacyMessage, MessageHeader, VersionedMessage, v0, v1};
use solana_pubkey::Pubkey;
use solana_transaction::Transaction;
use solana_transaction::versioned::VersionedTransaction;

/// What Solana's crates make of a whole message: read to the last byte, and sound.
fn solana_message(bytes: &[u8]) -> Option<VersionedMessage> {
    let message: VersionedMessage = wincode::deserialize_exact(bytes).ok()?;
    message.sanitize().ok()?;
    Some(message)
}

/// What Solana's crates make of a whole transaction: read to the last byte, and sound.
fn solana_transaction(bytes: &[u8]) -> Option<VersionedTransaction> {
    let transaction: VersionedTransaction = wincode::deserialize_exact(bytes).ok()?;
    transaction.sanitize().ok()?;
    Some(transaction)
}

/// Why Keyward refuses what Solana's crates accept, if it has to.
fn stricter(bytes: &[u8], message: &VersionedMessage) -> Option<DecodeError> {
    let limit = match message {
        VersionedMessage::V1(_) => MAX_V1_TRANSACTION_BYTES,
        _ => MAX_TRANSACTION_BYTES,
    };
    if bytes.len() > limit {
        return Some(DecodeError::TooLong {
            found: bytes.len(),
            limit,
        });
    }
    let keys = message.static_account_keys();
    (0..keys.len()).find_map(|second| {
        let first = keys[..second].iter().position(|key| *key == keys[second])?;
        Some(DecodeError::DuplicateAccount { first, second })
    })
}

fn check_message(bytes: &[u8]) {
    let ours = solana::Message::decode(bytes);
    let Some(theirs) = solana_message(bytes) else {
        assert!(ours.is_err(), "accepted alone: {ours:?}");
        return;
    };
    assert_eq!(theirs.serialize(), bytes, "Solana's crates write what they read");
    assert!(solana::parses_as_transaction(bytes));
    if let Some(reason) = stricter(bytes, &theirs) {
        assert_eq!(ours, Err(reason));
        return;
    }
    let ours = ours.expect("both accept");
    assert_eq!(ours.encode(), bytes);
    same_message(&ours, &theirs);
}

fn check_transaction(bytes: &[u8]) {
    let ours = solana::Transaction::decode(bytes);
    let Some(theirs) = solana_transaction(bytes) else {
        assert!(ours.is_err(), "accepted alone: {ours:?}");
        return;
    };
    assert_eq!(wincode::serialize(&theirs).unwrap(), bytes);
    assert!(solana::parses_as_transaction(bytes));
    if let Some(reason) = stricter(bytes, &theirs.message) {
        assert_eq!(ours, Err(reason));
        return;
    }
    let ours = ours.expect("both accept");
    assert_eq!(ours.encode(), bytes);
    assert_eq!(ours.message_bytes(), theirs.message.serialize());
    same_message(&ours.message, &theirs.message);
    let signatures = |own: &[u8]| own.to_vec();
    assert_eq!(
        ours.signatures
            .iter()
            .map(|s| signatures(s.as_bytes()))
            .collect::<Vec<_>>(),
        theirs
            .signatures
            .iter()
            .map(|s| signatures(s.as_ref()))
            .collect::<Vec<_>>()
    );
}

fn config(theirs: &v1::TransactionConfig) -> solana::TransactionConfig {
    solana::TransactionConfig {
        priority_fee: theirs.priority_fee.map(Lamports::new),
        compute_unit_limit: theirs.compute_unit_limit,
        loaded_accounts_data_size_limit: theirs.loaded_accounts_data_size_limit,
        heap_size: theirs.heap_size,
    }
}

/// Every field of both is the same.
fn same_message(ours: &solana::Message, theirs: &VersionedMessage) {
    let expected = match theirs {
        VersionedMessage::Legacy(_) => MessageVersion::Legacy,
        VersionedMessage::V0(_) => MessageVersion::V0,
        VersionedMessage::V1(message) => MessageVersion::V1(config(&message.config)),
    };
    assert_eq!(ours.version, expected);
    let header = theirs.header();
    assert_eq!(
        (
            ours.header.num_required_signatures,
            ours.header.num_readonly_signed,
            ours.header.num_readonly_unsigned
        ),
        (
            header.num_required_signatures,
            header.num_readonly_signed_accounts,
            header.num_readonly_unsigned_accounts
        )
    );
    let keys: Vec<Address> = theirs.static_account_keys().iter().map(address).collect();
    assert_eq!(ours.account_keys, keys);
    assert_eq!(
        ours.recent_blockhash.as_bytes(),
        theirs.recent_blockhash().as_ref()
    );
    let instructions = theirs
        .instructions()
        .iter()
        .map(|own| solana::CompiledInstruction {
            program_index: own.program_id_index,
            accounts: own.accounts.clone(),
            data: own.data.clone(),
        });
    assert!(ours.instructions.iter().cloned().eq(instructions));
    let lookups = theirs.address_table_lookups().unwrap_or_default();
    let lookups = lookups.iter().map(|own| solana::AddressTableLookup {
        table: address(&own.account_key),
        writable: own.writable_indexes.clone(),
        readonly: own.readonly_indexes.clone(),
    });
    assert!(ours.lookups.iter().cloned().eq(lookups));
    for at in 0..keys.len() {
        assert_eq!(ours.is_signer(at), theirs.is_signer(at));
    }
}

fn address(key: &Pubkey) -> Address {
    Address::new(key.to_bytes())
}

/// Keys of which a few repeat.
fn any_key() -> impl Strategy<Value = Pubkey> {
    prop_oneof![
        9 => any::<[u8; 32]>().prop_map(Pubkey::new_from_array),
        1 => (0_u8..3).prop_map(|byte| Pubkey::new_from_array([byte; 32])),
    ]
}

fn any_header() -> impl Strategy<Value = MessageHeader> {
    (0_u8..5, 0_u8..3, 0_u8..4).prop_map(|(signers, readonly_signed, readonly)| MessageHeader {
        num_required_signatures: signers,
        num_readonly_signed_accounts: readonly_signed,
        num_readonly_unsigned_accounts: readonly,
    })
}

fn any_instruction() -> impl Strategy<Value = CompiledInstruction> {
    let data = prop_oneof![some(any::<u8>(), 0..24), some(any::<u8>(), 126..131)];
    (0_u8..9, some(0_u8..10, 0..6), data).prop_map(|(program_id_index, accounts, data)| CompiledInstruction {
        program_id_index,
        accounts,
        data,
    })
}

fn any_lookup() -> impl Strategy<Value = MessageAddressTableLookup> {
    let indexes = || some(any::<u8>(), 0..4);
    (any_key(), indexes(), indexes()).prop_map(|(account_key, writable_indexes, readonly_indexes)| {
        MessageAddressTableLookup {
            account_key,
            writable_indexes,
            readonly_indexes,
        }
    })
}

/// Messages of every version, most of them sound.
fn any_message() -> impl Strategy<Value = VersionedMessage> {
    let parts = (
        any_header(),
        some(any_key(), 0..9),
        any::<[u8; 32]>().prop_map(Hash::new_from_array),
        some(any_instruction(), 0..4),
        some(any_lookup(), 0..3),
    );
    (parts, any_config(), 0_u8..8, 0_u8..3).prop_map(|(parts, config, version, unsound)| {
        let (header, account_keys, blockhash, instructions, lookups) = match unsound {
            0 => parts,
            _ => mended(parts),
        };
        match version {
            0..4 => VersionedMessage::Legacy(LegacyMessage {
                header,
                account_keys,
                recent_blockhash: blockhash,
                instructions,
            }),
            4..6 => VersionedMessage::V0(v0::Message {
                header,
                account_keys,
                recent_blockhash: blockhash,
                instructions,
                address_table_lookups: lookups,
            }),
            _ => VersionedMessage::V1(v1::Message {
                header,
                config,
                lifetime_specifier: blockhash,
                account_keys,
                instructions,
            }),
        }
    })
}

/// Settings of a version 1 message; the heap is now and then one that the network does not give.
fn any_config() -> impl Strategy<Value = v1::TransactionConfig> {
    use proptest::option::of;
    let heap = prop_oneof![
        8 => (32_u32..=256).prop_map(|kib| kib * 1024),
        1 => any::<u32>(),
    ];
    (of(any::<u64>()), of(any::<u32>()), of(any::<u32>()), of(heap)).prop_map(
        |(priority_fee, compute_unit_limit, loaded_accounts_data_size_limit, heap_size)| {
            v1::TransactionConfig {
                priority_fee,
                compute_unit_limit,
                loaded_accounts_data_size_limit,
                heap_size,
            }
        },
    )
}

type Parts = (
    MessageHeader,
    Vec<Pubkey>,
    Hash,
    Vec<CompiledInstruction>,
    Vec<MessageAddressTableLookup>,
);

/// Makes the header fit the accounts and every index point at one of them.
fn mended((mut header, mut keys, blockhash, mut instructions, mut lookups): Parts) -> Parts {
    header.num_required_signatures = header.num_required_signatures.max(1);
    header.num_readonly_signed_accounts %= header.num_required_signatures;
    let signers = header.num_required_signatures;
    let fewest = signers + header.num_readonly_unsigned_accounts.max(1);
    while keys.len() < usize::from(fewest) {
        let byte = 100 + u8::try_from(keys.len()).unwrap();
        keys.push(Pubkey::new_from_array([byte; 32]));
    }
    let listed = u8::try_from(keys.len()).unwrap();
    for instruction in &mut instructions {
        instruction.program_id_index = 1 + instruction.program_id_index % (listed - 1);
        for index in &mut instruction.accounts {
            *index %= listed;
        }
    }
    lookups.retain(|own| !own.writable_indexes.is_empty() || !own.readonly_indexes.is_empty());
    (header, keys, blockhash, instructions, lookups)
}

/// Signatures as many as required, or now and then one more or less.
fn any_transaction() -> impl Strategy<Value = VersionedTransaction> {
    (any_message(), 0_u8..12, any::<u8>()).prop_map(|(message, odd, byte)| {
        let required = usize::from(message.header().num_required_signatures);
        let count = match odd {
            0 if !matches!(message, VersionedMessage::V1(_)) => required + 1,
            1 if !matches!(message, VersionedMessage::V1(_)) => required.saturating_sub(1),
            _ => required,
        };
        VersionedTransaction {
            signatures: vec![[byte; 64].into(); count],
            message,
        }
    })
}

/// Damage: a byte changed, put in or taken out, an end cut off or added, a length spelled otherwise.
#[derive(Debug, Clone)]
enum Damage {
    Set(prop::sample::Index, u8),
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Cut(prop::sample::Index),
    Append(Vec<u8>),
    Respell(prop::sample::Index, u8),
}

fn any_damage() -> impl Strategy<Value = Damage> {
    let place = any::<prop::sample::Index>;
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (place(), 0_u8..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        (place(), any::<u8>()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        place().prop_map(Damage::Remove),
        place().prop_map(Damage::Cut),
        some(any::<u8>(), 1..70).prop_map(Damage::Append),
        (place(), 0_u8..3).prop_map(|(at, longer)| Damage::Respell(at, longer)),
    ]
}

fn damaged(mut bytes: Vec<u8>, damage: &Damage) -> Vec<u8> {
    if bytes.is_empty() {
        return bytes;
    }
    match damage {
        Damage::Set(at, byte) => {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        Damage::Flip(at, bit) => {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        Damage::Insert(at, byte) => bytes.insert(at.index(bytes.len()), *byte),
        Damage::Remove(at) => {
            bytes.remove(at.index(bytes.len()));
        }
        Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
        Damage::Append(more) => bytes.extend(more),
        Damage::Respell(at, longer) => {
            // 5 becomes 0x85 0x00, 0x85 0x80 0x00 or 0x85 0x80 0x80 0x00.
            let at = at.index(bytes.len());
            bytes[at] |= 0x80;
            let tail = [0x80_u8, 0x80, 0x00];
            bytes.splice(at + 1..at + 1, tail[2 - usize::from(*longer)..].iter().copied());
        }
    }
    bytes
}

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

    #[test]
    fn instructions_compile_to_the_same_bytes(
        payer in (8_u8..22).prop_map(|byte| Pubkey::new_from_array([byte; 32])),
        blockhash in any::<[u8; 32]>(),
        instructions in some(any_whole_instruction(), 1..5),
        settings in any_config(),
    ) {
        let own: Vec<solana::Instruction> = instructions.iter().map(ours).collect();
        let compile = |version| {
            solana::compile_message(version, address(&payer), &own, Blockhash::new(blockhash))
        };
        let hash = Hash::new_from_array(blockhash);
        let legacy = LegacyMessage::new_with_blockhash(&instructions, Some(&payer), &hash);
        match compile(MessageVersion::Legacy) {
            Ok(message) => prop_assert_eq!(message.encode(), legacy.serialize()),
            Err(BuildError::TooLong { found, .. }) => {
                let unsigned = Transaction::new_unsigned(legacy);
                prop_assert_eq!(wincode::serialize(&unsigned).unwrap().len(), found);
                prop_assert!(found > MAX_TRANSACTION_BYTES);
            }
            Err(error) => {
                let payer_called = DecodeError::FeePayerAsProgram { instruction: 1 };
                prop_assert_eq!(
                    core::mem::discriminant(&error),
                    core::mem::discriminant(&BuildError::Unsound(payer_called))
                );
                prop_assert!(instructions.iter().any(|own| own.program_id == payer));
            }
        }
        let versioned = v0::Message::try_compile(&payer, &instructions, &[], hash).unwrap();
        if let Ok(message) = compile(MessageVersion::V0) {
            prop_assert_eq!(message.encode(), VersionedMessage::V0(versioned).serialize());
        }
        let versioned = v1::Message::try_compile_with_config(&payer, &instructions, hash, settings).unwrap();
        match compile(MessageVersion::V1(config(&settings))) {
            Ok(message) => prop_assert_eq!(message.encode(), VersionedMessage::V1(versioned).serialize()),
            // What is refused here Solana's crates refuse when they look at it.
            Err(_) => prop_assert!(versioned.validate().is_err()),
        }
    }

    #[test]
    fn payments_are_built_and_signed_alike(
        seed in any::<[u8; 32]>(),
        to in any::<[u8; 32]>(),
        blockhash in any::<[u8; 32]>(),
        (lamports, units, price) in any::<(u64, u32, u64)>(),
    ) {
        let keypair = Keypair::new_from_array(seed);
        let secret = SecretKey::from_seed(&seed);
        let payer = solana_signer::Signer::pubkey(&keypair);
        prop_assert_eq!(secret.address(), address(&payer));
        prop_assume!(payer.to_bytes() != to);

        use solana_compute_budget_interface::ComputeBudgetInstruction as Budget;
        let theirs = [
            Budget::set_compute_unit_limit(units),
            Budget::set_compute_unit_price(price),
            solana_system_interface::instruction::transfer(&payer, &Pubkey::new_from_array(to), lamports),
        ];
        let own = [
            solana::instructions::compute_unit_limit(units),
            solana::instructions::compute_unit_price(price),
            solana::instructions::sol_transfer(secret.address(), Address::new(to), Lamports::new(lamports)),
        ];
        prop_assert!(theirs.iter().map(ours).eq(own.iter().cloned()));

        let hash = Hash::new_from_array(blockhash);
        let message = v0::Message::try_compile(&payer, &theirs, &[], hash).unwrap();
        let expected = VersionedTransaction::try_new(VersionedMessage::V0(message), &[&keypair]).unwrap();
        let message = solana::compile_message(
            MessageVersion::V0,
            secret.address(),
            &own,
            Blockhash::new(blockhash),
        ).unwrap();
        let signature = secret.sign(&message.encode());
        let signed = solana::Transaction::unsigned(message)
            .with_signature(&secret.address(), signature)
            .unwrap();
        prop_assert_eq!(signed.encode(), wincode::serialize(&expected).unwrap());
    }
}

/// Instructions over a small set of accounts, so that some are shared.
fn any_whole_instruction() -> impl Strategy<Value = Instruction> {
    let key = || (10_u8..22).prop_map(|byte| Pubkey::new_from_array([byte; 32]));
    let meta =
        (key(), any::<bool>(), any::<bool>()).prop_map(|(pubkey, is_signer, is_writable)| AccountMeta {
            pubkey,
            is_signer,
            is_writable,
        });
    (key(), some(meta, 0..6), some(any::<u8>(), 0..40)).prop_map(|(program_id, accounts, data)| Instruction {
        program_id,
        accounts,
        data,
    })
}

fn ours(instruction: &Instruction) -> solana::Instruction {
    solana::Instruction {
        program: address(&instruction.program_id),
        accounts: instruction
            .accounts
            .iter()
            .map(|own| solana::AccountMeta {
                address: address(&own.pubkey),
                is_signer: own.is_signer,
                is_writable: own.is_writable,
            })
            .collect(),
        data: instruction.data.clone(),
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
