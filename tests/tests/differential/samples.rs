//! Random messages and transactions, most of them sound, and what damages them.

use proptest::collection::vec as some;
use proptest::prelude::*;
use solana_hash::Hash;
use solana_message::compiled_instruction::CompiledInstruction;
use solana_message::v0::MessageAddressTableLookup;
use solana_message::{Message as LegacyMessage, MessageHeader, VersionedMessage, v0, v1};
use solana_pubkey::Pubkey;
use solana_transaction::versioned::VersionedTransaction;

/// Keys of which a few repeat.
pub(crate) fn any_key() -> impl Strategy<Value = Pubkey> {
    prop_oneof![
        9 => any::<[u8; 32]>().prop_map(Pubkey::new_from_array),
        1 => (0_u8..3).prop_map(|byte| Pubkey::new_from_array([byte; 32])),
    ]
}

pub(crate) fn any_header() -> impl Strategy<Value = MessageHeader> {
    (0_u8..5, 0_u8..3, 0_u8..4).prop_map(|(signers, readonly_signed, readonly)| MessageHeader {
        num_required_signatures: signers,
        num_readonly_signed_accounts: readonly_signed,
        num_readonly_unsigned_accounts: readonly,
    })
}

pub(crate) fn any_instruction() -> impl Strategy<Value = CompiledInstruction> {
    let data = prop_oneof![some(any::<u8>(), 0..24), some(any::<u8>(), 126..131)];
    (0_u8..9, some(0_u8..10, 0..6), data).prop_map(|(program_id_index, accounts, data)| CompiledInstruction {
        program_id_index,
        accounts,
        data,
    })
}

pub(crate) fn any_lookup() -> impl Strategy<Value = MessageAddressTableLookup> {
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
pub(crate) fn any_message() -> impl Strategy<Value = VersionedMessage> {
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
pub(crate) fn any_config() -> impl Strategy<Value = v1::TransactionConfig> {
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

pub(crate) type Parts = (
    MessageHeader,
    Vec<Pubkey>,
    Hash,
    Vec<CompiledInstruction>,
    Vec<MessageAddressTableLookup>,
);

/// Makes the header fit the accounts and every index point at one of them.
pub(crate) fn mended((mut header, mut keys, blockhash, mut instructions, mut lookups): Parts) -> Parts {
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
pub(crate) fn any_transaction() -> impl Strategy<Value = VersionedTransaction> {
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
pub(crate) enum Damage {
    Set(prop::sample::Index, u8),
    Flip(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Cut(prop::sample::Index),
    Append(Vec<u8>),
    Respell(prop::sample::Index, u8),
}

pub(crate) fn any_damage() -> impl Strategy<Value = Damage> {
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

pub(crate) fn damaged(mut bytes: Vec<u8>, damage: &Damage) -> Vec<u8> {
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
