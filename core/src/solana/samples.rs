//! Sound messages for tests, fixed and random.

#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::vec as some;
use proptest::prelude::*;

use super::*;
use crate::address::{Address, Blockhash};
use crate::amount::Lamports;

pub(crate) const PAYER: Address = Address::new([1; 32]);
pub(crate) const RECIPIENT: Address = Address::new([2; 32]);
pub(crate) const BLOCKHASH: Blockhash = Blockhash::new([9; 32]);

/// Version 1 with a fee of 5000 lamports and a limit.
pub(crate) fn v1() -> MessageVersion {
    MessageVersion::V1(TransactionConfig {
        priority_fee: Some(Lamports::new(5_000)),
        compute_unit_limit: Some(200_000),
        ..TransactionConfig::default()
    })
}

/// Pays 1.5 SOL from `PAYER` to `RECIPIENT` with a memo and a priority fee.
pub(crate) fn payment(version: MessageVersion) -> Message {
    let instructions = [
        instructions::compute_unit_limit(200_000),
        instructions::compute_unit_price(1_000),
        instructions::sol_transfer(PAYER, RECIPIENT, Lamports::new(1_500_000_000)),
        instructions::memo("rent, July", &[PAYER]),
    ];
    compile_message(version, PAYER, &instructions, BLOCKHASH).unwrap()
}

/// A message of one instruction, with the accounts in the given order after the payer.
pub(crate) fn single(program: Address, accounts: &[Address], data: &[u8]) -> Message {
    let accounts = accounts
        .iter()
        .map(|address| AccountMeta {
            address: *address,
            is_signer: false,
            is_writable: true,
        })
        .collect();
    let instruction = Instruction {
        program,
        accounts,
        data: data.to_vec(),
    };
    compile_message(MessageVersion::Legacy, PAYER, &[instruction], BLOCKHASH).unwrap()
}

/// A payment that also refers to a lookup table.
pub(crate) fn with_lookup() -> Message {
    let mut message = payment(MessageVersion::V0);
    message.lookups = vec![AddressTableLookup {
        table: Address::new([3; 32]),
        writable: vec![0, 7],
        readonly: vec![255],
    }];
    message
}

/// Any sound message that fits a transaction.
pub(crate) fn any_message() -> impl Strategy<Value = Message> {
    let header = (1_u8..5).prop_flat_map(|signers| (Just(signers), 0..signers, 0_u8..4));
    let keys = (header, 1_usize..5).prop_flat_map(|(header, further)| {
        let count = usize::from(header.0) + usize::from(header.2) + further;
        (Just(header), some(any::<[u8; 32]>(), count))
    });
    let lookups = prop_oneof![
        Just((MessageVersion::Legacy, Vec::new())),
        some(any_lookup(), 0..3).prop_map(|lookups| (MessageVersion::V0, lookups)),
        any_config().prop_map(|config| (MessageVersion::V1(config), Vec::new())),
    ];
    (keys, any::<[u8; 32]>(), lookups)
        .prop_flat_map(|((header, keys), blockhash, lookups)| {
            let listed = keys.len();
            let looked_up: usize = lookups
                .1
                .iter()
                .map(|lookup: &AddressTableLookup| lookup.writable.len() + lookup.readonly.len())
                .sum();
            let instruction = any_instruction(listed, listed + looked_up);
            (Just((header, keys, blockhash, lookups)), some(instruction, 0..4))
        })
        .prop_map(|((header, keys, blockhash, lookups), instructions)| Message {
            version: lookups.0,
            header: MessageHeader {
                num_required_signatures: header.0,
                num_readonly_signed: header.1,
                num_readonly_unsigned: header.2,
            },
            account_keys: keys.into_iter().map(Address::new).collect(),
            recent_blockhash: Blockhash::new(blockhash),
            instructions,
            lookups: lookups.1,
        })
        .prop_filter("fits", |message| {
            Transaction::unsigned(message.clone()).encode().len() <= MAX_TRANSACTION_BYTES
        })
}

fn any_config() -> impl Strategy<Value = TransactionConfig> {
    let value = || proptest::option::of(any::<u32>());
    let heap = proptest::option::of((32_u32..=256).prop_map(|kib| kib * 1024));
    (proptest::option::of(any::<u64>()), value(), value(), heap).prop_map(
        |(fee, compute_unit_limit, loaded_accounts_data_size_limit, heap_size)| TransactionConfig {
            priority_fee: fee.map(Lamports::new),
            compute_unit_limit,
            loaded_accounts_data_size_limit,
            heap_size,
        },
    )
}

fn any_lookup() -> impl Strategy<Value = AddressTableLookup> {
    let indexes = || some(any::<u8>(), 0..4);
    (any::<[u8; 32]>(), some(any::<u8>(), 1..4), indexes()).prop_map(|(table, writable, readonly)| {
        AddressTableLookup {
            table: Address::new(table),
            writable,
            readonly,
        }
    })
}

fn any_instruction(listed: usize, accounts: usize) -> impl Strategy<Value = CompiledInstruction> {
    let program = 1..u8::try_from(listed).unwrap();
    let account = 0..u8::try_from(accounts).unwrap();
    // Around 128 bytes, lengths take a second byte.
    let data = prop_oneof![some(any::<u8>(), 0..20), some(any::<u8>(), 126..132)];
    (program, some(account, 0..6), data).prop_map(|(program_index, accounts, data)| CompiledInstruction {
        program_index,
        accounts,
        data,
    })
}

/// Signatures for a message, none of them valid.
pub(crate) fn with_signatures(message: Message) -> Transaction {
    let mut transaction = Transaction::unsigned(message);
    let filled: Vec<_> = (1..=transaction.signatures.len())
        .map(|at| crate::address::Signature::new([u8::try_from(at).unwrap(); 64]))
        .collect();
    transaction.signatures = filled;
    transaction
}
