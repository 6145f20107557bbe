//! The same bytes read by Keyward and by Solana's crates, and held against each other.

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::solana::{
    self, DecodeError, MAX_TRANSACTION_BYTES, MAX_V1_TRANSACTION_BYTES, MessageVersion,
};
use solana_message::{VersionedMessage, v1};
use solana_pubkey::Pubkey;
use solana_transaction::versioned::VersionedTransaction;

/// What Solana's crates make of a whole message: read to the last byte, and sound.
pub(crate) fn solana_message(bytes: &[u8]) -> Option<VersionedMessage> {
    let message: VersionedMessage = wincode::deserialize_exact(bytes).ok()?;
    message.sanitize().ok()?;
    Some(message)
}

/// What Solana's crates make of a whole transaction: read to the last byte, and sound.
pub(crate) fn solana_transaction(bytes: &[u8]) -> Option<VersionedTransaction> {
    let transaction: VersionedTransaction = wincode::deserialize_exact(bytes).ok()?;
    transaction.sanitize().ok()?;
    Some(transaction)
}

/// Why Keyward refuses what Solana's crates accept, if it has to.
pub(crate) fn stricter(bytes: &[u8], message: &VersionedMessage) -> Option<DecodeError> {
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

pub(crate) fn check_message(bytes: &[u8]) {
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

pub(crate) fn check_transaction(bytes: &[u8]) {
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

pub(crate) fn config(theirs: &v1::TransactionConfig) -> solana::TransactionConfig {
    solana::TransactionConfig {
        priority_fee: theirs.priority_fee.map(Lamports::new),
        compute_unit_limit: theirs.compute_unit_limit,
        loaded_accounts_data_size_limit: theirs.loaded_accounts_data_size_limit,
        heap_size: theirs.heap_size,
    }
}

/// Every field of both is the same.
pub(crate) fn same_message(ours: &solana::Message, theirs: &VersionedMessage) {
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

pub(crate) fn address(key: &Pubkey) -> Address {
    Address::new(key.to_bytes())
}
