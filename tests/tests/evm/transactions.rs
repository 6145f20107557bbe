//! Transactions beside alloy's.
//!
//! Keyward is stricter than alloy in what [`refusals`] lists: what no network accepts, and what would be
//! valid on every chain. Alloy holds prices in 128 bits and refuses larger ones; Keyward holds 256.

use alloy_consensus::transaction::{RlpEcdsaDecodableTx, SignerRecoverable};
use alloy_consensus::{
    SignableTransaction, Transaction as _, TxEip1559, TxEip2930, TxEip7702, TxEnvelope, TxLegacy,
    TypedTransaction,
};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::{Authorization as TheirAuthorization, SignedAuthorization as TheirSigned};
use alloy_primitives::{Address, B256, Signature, TxKind, U256 as TheirU256};
use alloy_rlp::Decodable as _;
use keyward_core::evm::U256;
use keyward_core::evm::authorization::SignedAuthorization;
use keyward_core::evm::transaction::{
    Decoded, MAX_CHAIN_ID, SignedTransaction, Transaction, TransactionError, TransactionKind,
};
use keyward_core::secp256k1::{RecoverableSignature, SecretKey};
use proptest::collection::vec as some;
use proptest::prelude::*;

use crate::damage::{Damage, any_damage};
use crate::samples::any_transaction;

pub(crate) fn their_u256(number: &U256) -> TheirU256 {
    TheirU256::from_be_bytes(*number.as_be_bytes())
}

fn their_signature(ours: &RecoverableSignature) -> Signature {
    Signature::from_scalars_and_parity(B256::from(ours.r), B256::from(ours.s), ours.y_odd)
}

fn their_authorization(ours: &SignedAuthorization) -> TheirSigned {
    let inner = TheirAuthorization {
        chain_id: their_u256(&ours.authorization.chain_id),
        address: Address::from(ours.authorization.delegate.to_bytes()),
        nonce: ours.authorization.nonce,
    };
    TheirSigned::new_unchecked(inner, ours.y_parity, their_u256(&ours.r), their_u256(&ours.s))
}

/// The same transaction; `None` when alloy's prices cannot hold it.
fn theirs(ours: &Transaction) -> Option<TypedTransaction> {
    let (chain_id, nonce, gas_limit) = (ours.chain_id, ours.nonce, ours.gas_limit);
    let to = ours.to.map(|to| Address::from(to.to_bytes()));
    let kind = to.map_or(TxKind::Create, TxKind::Call);
    let value = their_u256(&ours.value);
    let input = ours.data.clone().into();
    let access_list = AccessList(
        ours.access_list()
            .iter()
            .map(|entry| AccessListItem {
                address: Address::from(entry.address.to_bytes()),
                storage_keys: entry.storage_keys.iter().copied().map(B256::from).collect(),
            })
            .collect(),
    );
    let max_fee_per_gas = ours.max_fee_per_gas().to_u128()?;
    Some(match &ours.kind {
        TransactionKind::Legacy { .. } => TypedTransaction::Legacy(TxLegacy {
            chain_id: Some(chain_id),
            nonce,
            gas_price: max_fee_per_gas,
            gas_limit,
            to: kind,
            value,
            input,
        }),
        TransactionKind::AccessList { .. } => TypedTransaction::Eip2930(TxEip2930 {
            chain_id,
            nonce,
            gas_price: max_fee_per_gas,
            gas_limit,
            to: kind,
            value,
            access_list,
            input,
        }),
        TransactionKind::DynamicFee {
            max_priority_fee_per_gas,
            ..
        } => TypedTransaction::Eip1559(TxEip1559 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas: max_priority_fee_per_gas.to_u128()?,
            to: kind,
            value,
            access_list,
            input,
        }),
        TransactionKind::SetCode {
            max_priority_fee_per_gas,
            authorizations,
            ..
        } => TypedTransaction::Eip7702(TxEip7702 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas: max_priority_fee_per_gas.to_u128()?,
            to: to?,
            value,
            access_list,
            authorization_list: authorizations.iter().map(their_authorization).collect(),
            input,
        }),
        other => panic!("{other:?}"),
    })
}

/// Why Keyward refuses what alloy takes: any of these, or nothing.
fn refusals(theirs: &TypedTransaction) -> Vec<TransactionError> {
    let mut found = Vec::new();
    match theirs.chain_id() {
        None => found.push(TransactionError::NoChainId),
        Some(id) if id == 0 || id > MAX_CHAIN_ID => found.push(TransactionError::ChainId),
        Some(_) => {}
    }
    if theirs.nonce() == u64::MAX {
        found.push(TransactionError::Nonce);
    }
    let fee = TheirU256::from(theirs.gas_limit()).checked_mul(TheirU256::from(theirs.max_fee_per_gas()));
    if fee.and_then(|fee| fee.checked_add(theirs.value())).is_none() {
        found.push(TransactionError::Overflow);
    }
    if theirs.max_priority_fee_per_gas() > Some(theirs.max_fee_per_gas()) {
        found.push(TransactionError::PriorityFee);
    }
    match theirs {
        TypedTransaction::Eip7702(own) if own.authorization_list.is_empty() => {
            found.push(TransactionError::Delegation("an authorisation"));
        }
        TypedTransaction::Eip4844(_) => found.push(TransactionError::Blob),
        _ => {}
    }
    found
}

/// Checks the reading of a signed transaction, whatever the bytes are.
fn check_signed(bytes: &[u8]) {
    let ours = SignedTransaction::decode(bytes);
    let canonical = |own: &TxEnvelope| own.encoded_2718() == bytes;
    let Some(envelope) = TxEnvelope::decode_2718_exact(bytes).ok().filter(canonical) else {
        if let Ok(ours) = ours {
            assert!(
                ours.transaction().max_fee_per_gas().to_u128().is_none(),
                "{ours:?}"
            );
            assert_eq!(ours.encode(), bytes);
        }
        return;
    };
    let typed = TypedTransaction::from(envelope.clone());
    let mut reasons = refusals(&typed);
    let sender = envelope.recover_signer();
    if sender.is_err() {
        reasons.push(TransactionError::Signature);
    }
    // What EIP-155 signs looks like a transaction whose signature is zeros.
    let signature = envelope.signature();
    let unsigned = envelope.is_legacy() && signature.r().is_zero() && signature.s().is_zero();
    match ours {
        Ok(ours) => {
            assert!(reasons.is_empty() && !unsigned, "{reasons:?}");
            assert_eq!(ours.encode(), bytes);
            assert_eq!(ours.hash(), envelope.tx_hash().0);
            assert_eq!(ours.sender().as_bytes(), sender.unwrap().as_slice());
            assert_eq!(theirs(ours.transaction()), Some(typed));
        }
        Err(error) => assert!(
            unsigned || reasons.contains(&error),
            "{error:?} and not {reasons:?}"
        ),
    }
}

/// What alloy makes of bytes that are yet to be signed, if it writes the same.
fn their_unsigned(bytes: &[u8]) -> Option<TypedTransaction> {
    let (kind, mut payload) = match bytes.split_first()? {
        (kind @ (1 | 2 | 4), payload) => (*kind, payload),
        _ => (0, bytes),
    };
    let typed: TypedTransaction = match kind {
        1 => TxEip2930::rlp_decode(&mut payload).ok()?.into(),
        2 => TxEip1559::rlp_decode(&mut payload).ok()?.into(),
        4 => TxEip7702::rlp_decode(&mut payload).ok()?.into(),
        _ => TxLegacy::decode(&mut payload).ok()?.into(),
    };
    (typed.encoded_for_signing() == bytes).then_some(typed)
}

/// Checks the reading of a transaction that is yet to be signed, whatever the bytes are.
fn check_unsigned(bytes: &[u8]) {
    let ours = Transaction::decode_unsigned(bytes);
    let Some(typed) = their_unsigned(bytes) else {
        if let Ok(ours) = ours {
            assert!(ours.max_fee_per_gas().to_u128().is_none(), "{ours:?}");
            assert_eq!(ours.encode_unsigned(), bytes);
        }
        return;
    };
    let reasons = refusals(&typed);
    match ours {
        Ok(ours) => {
            assert!(reasons.is_empty(), "{reasons:?}");
            assert_eq!(ours.encode_unsigned(), bytes);
            assert_eq!(ours.signing_hash(), typed.signature_hash().0);
            assert_eq!(theirs(&ours), Some(typed));
        }
        Err(error) => assert!(reasons.contains(&error), "{error:?} and not {reasons:?}"),
    }
}

fn any_key() -> impl Strategy<Value = SecretKey> {
    any::<[u8; 32]>().prop_filter_map("a key", |bytes| SecretKey::from_bytes(&bytes).ok())
}

fn signed(transaction: Transaction, key: &SecretKey) -> Result<SignedTransaction, TransactionError> {
    let signature = key.sign_prehash(&transaction.signing_hash()).unwrap();
    transaction.into_signed(signature, &key.address())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn unsigned_ones_are_written_and_read_alike(transaction in any_transaction()) {
        let typed = theirs(&transaction).unwrap();
        let bytes = transaction.encode_unsigned();
        prop_assert_eq!(&bytes, &typed.encoded_for_signing());
        prop_assert_eq!(transaction.signing_hash(), typed.signature_hash().0);
        let reasons = refusals(&typed);
        match transaction.check() {
            Ok(()) => prop_assert!(reasons.is_empty(), "{:?}", reasons),
            Err(error) => prop_assert!(reasons.contains(&error), "{:?}", error),
        }
        check_unsigned(&bytes);
    }

    #[test]
    fn damaged_unsigned_ones_are_read_alike(
        transaction in any_transaction(),
        damages in some(some(any_damage(), 1..3), 4),
    ) {
        for damage in damages {
            check_unsigned(&damaged(&transaction.encode_unsigned(), &damage));
        }
    }

    #[test]
    fn other_bytes_are_read_alike(kind in 0_u8..6, bytes in some(any::<u8>(), 0..200)) {
        check_signed(&bytes);
        check_unsigned(&bytes);
        let typed = [&[kind], bytes.as_slice()].concat();
        check_signed(&typed);
        check_unsigned(&typed);
    }
}

proptest! {
    // Fewer: each is signed, which takes milliseconds in a debug build.
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn signed_ones_are_alike(transaction in any_transaction(), key in any_key()) {
        let typed = theirs(&transaction).unwrap();
        let Ok(ours) = signed(transaction, &key) else {
            prop_assert!(!refusals(&typed).is_empty());
            return Ok(());
        };
        let envelope = TxEnvelope::from(typed.into_signed(their_signature(ours.signature())));
        let bytes = envelope.encoded_2718();
        prop_assert_eq!(&ours.encode(), &bytes);
        prop_assert_eq!(ours.hash(), envelope.tx_hash().0);
        prop_assert_eq!(envelope.recover_signer().unwrap().into_array(), ours.sender().to_bytes());
        prop_assert_eq!(*ours.sender(), key.address());
        check_signed(&bytes);
    }

    #[test]
    fn damaged_signed_ones_are_read_alike(
        transaction in any_transaction(),
        key in any_key(),
        damages in some(some(any_damage(), 1..3), 4),
    ) {
        if let Ok(ours) = signed(transaction, &key) {
            for damage in damages {
                check_signed(&damaged(&ours.encode(), &damage));
            }
        }
    }
}

fn damaged(bytes: &[u8], damages: &[Damage]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    // A legacy transaction is its list alone.
    let head = usize::from(bytes[0] < 0xc0);
    damages.iter().for_each(|damage| damage.apply(&mut bytes, head));
    bytes
}

/// Prices beyond 128 bits, which alloy cannot hold, are read and written again.
#[test]
fn prices_of_256_bits_are_kept() {
    let transaction = Transaction {
        chain_id: 1,
        nonce: 0,
        gas_limit: 1,
        to: None,
        value: U256::ZERO,
        data: Vec::new(),
        kind: TransactionKind::Legacy { gas_price: U256::MAX },
    };
    let bytes = transaction.encode_unsigned();
    assert!(their_unsigned(&bytes).is_none());
    assert_eq!(
        Transaction::decode_any(&bytes),
        Ok(Decoded::Unsigned(transaction))
    );
}
