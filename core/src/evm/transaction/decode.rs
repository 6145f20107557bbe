//! Reading a transaction, strictly.

use alloc::vec::Vec;

use super::super::authorization::SignedAuthorization;
use super::super::rlp::{Fields, Item, RlpError};
use super::super::u256::U256;
use super::signed::{Decoded, SignedTransaction};
use super::{AccessListEntry, MAX_TRANSACTION_BYTES, Transaction, TransactionError, TransactionKind};
use crate::evm::EvmAddress;

/// Fields of a legacy transaction without chain id, and with chain id or signature.
const LEGACY_WITHOUT_CHAIN: usize = 6;

/// The parity and the two halves of a signature, as written.
pub(super) struct RawSignature {
    pub(super) y_odd: bool,
    pub(super) r: U256,
    pub(super) s: U256,
}

pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, TransactionError> {
    if bytes.len() > MAX_TRANSACTION_BYTES {
        return Err(TransactionError::TooLong { found: bytes.len() });
    }
    let (transaction, signature) = match bytes {
        [] => return Err(TransactionError::Empty),
        [kind @ (1 | 2 | 4), payload @ ..] => typed(*kind, Item::decode(payload)?.list()?)?,
        [3, ..] => return Err(TransactionError::Blob),
        [kind @ 0..=0xbf, ..] => return Err(TransactionError::UnknownType(*kind)),
        [0xc0..=0xff, ..] => legacy(Item::decode(bytes)?.list()?)?,
    };
    transaction.check()?;
    Ok(match signature {
        None => Decoded::Unsigned(transaction),
        Some(raw) => Decoded::Signed(SignedTransaction::from_raw(transaction, &raw)?),
    })
}

fn legacy(mut fields: Fields<'_>) -> Result<(Transaction, Option<RawSignature>), TransactionError> {
    if fields.count()? == LEGACY_WITHOUT_CHAIN {
        return Err(TransactionError::NoChainId);
    }
    let nonce = fields.u64()?;
    let gas_price = fields.u256()?;
    let gas_limit = fields.u64()?;
    let to = recipient(&mut fields)?;
    let value = fields.u256()?;
    let data = fields.bytes()?.to_vec();
    let v = fields.u256()?.to_u64().ok_or(TransactionError::ChainId)?;
    let (r, s) = (fields.u256()?, fields.u256()?);
    fields.finish()?;
    let (chain_id, signature) = if r.is_zero() && s.is_zero() {
        (v, None)
    } else {
        match v {
            27 | 28 => return Err(TransactionError::NoChainId),
            0..35 => return Err(TransactionError::Parity),
            _ => {}
        }
        let y_odd = (v - 35) % 2 == 1;
        ((v - 35) / 2, Some(RawSignature { y_odd, r, s }))
    };
    let transaction = Transaction {
        chain_id,
        nonce,
        gas_limit,
        to,
        value,
        data,
        kind: TransactionKind::Legacy { gas_price },
    };
    Ok((transaction, signature))
}

fn typed(kind: u8, mut fields: Fields<'_>) -> Result<(Transaction, Option<RawSignature>), TransactionError> {
    let chain_id = fields.u256()?.to_u64().ok_or(TransactionError::ChainId)?;
    let nonce = fields.u64()?;
    // The only price of type 1; the priority fee of the others.
    let first_price = fields.u256()?;
    let max_fee_per_gas = if kind == 1 { first_price } else { fields.u256()? };
    let gas_limit = fields.u64()?;
    let to = recipient(&mut fields)?;
    let value = fields.u256()?;
    let data = fields.bytes()?.to_vec();
    let access_list = access_list(fields.list()?)?;
    let kind = match kind {
        1 => TransactionKind::AccessList {
            gas_price: first_price,
            access_list,
        },
        2 => TransactionKind::DynamicFee {
            max_priority_fee_per_gas: first_price,
            max_fee_per_gas,
            access_list,
        },
        _ => TransactionKind::SetCode {
            max_priority_fee_per_gas: first_price,
            max_fee_per_gas,
            access_list,
            authorizations: authorizations(fields.list()?)?,
        },
    };
    let signature = if fields.is_empty() {
        None
    } else {
        let y_odd = match fields.u64()? {
            0 => false,
            1 => true,
            _ => return Err(TransactionError::Parity),
        };
        let (r, s) = (fields.u256()?, fields.u256()?);
        fields.finish()?;
        Some(RawSignature { y_odd, r, s })
    };
    let transaction = Transaction {
        chain_id,
        nonce,
        gas_limit,
        to,
        value,
        data,
        kind,
    };
    Ok((transaction, signature))
}

/// Twenty bytes, or none for the creation of a contract.
fn recipient(fields: &mut Fields<'_>) -> Result<Option<EvmAddress>, RlpError> {
    let mut ahead = *fields;
    if ahead.bytes()?.is_empty() {
        *fields = ahead;
        return Ok(None);
    }
    fields.address().map(Some)
}

fn access_list(mut entries: Fields<'_>) -> Result<Vec<AccessListEntry>, RlpError> {
    let mut list = Vec::new();
    while !entries.is_empty() {
        let mut fields = entries.list()?;
        let address = fields.address()?;
        let mut keys = fields.list()?;
        fields.finish()?;
        let mut storage_keys = Vec::new();
        while !keys.is_empty() {
            storage_keys.push(keys.array()?);
        }
        list.push(AccessListEntry {
            address,
            storage_keys,
        });
    }
    Ok(list)
}

fn authorizations(mut entries: Fields<'_>) -> Result<Vec<SignedAuthorization>, RlpError> {
    let mut list = Vec::new();
    while !entries.is_empty() {
        list.push(SignedAuthorization::from_fields(entries.list()?)?);
    }
    Ok(list)
}
