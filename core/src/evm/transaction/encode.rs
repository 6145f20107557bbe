//! Writing a transaction.

use alloc::vec::Vec;

use super::super::rlp::Encoder;
use super::super::u256::U256;
use super::{AccessListEntry, Transaction, TransactionKind};
use crate::secp256k1::RecoverableSignature;

impl Transaction {
    /// The bytes whose Keccak-256 is signed: for a legacy one `[…, chain id, 0, 0]` (EIP-155), else the
    /// type and the list of fields.
    #[must_use]
    pub fn encode_unsigned(&self) -> Vec<u8> {
        self.encode(None)
    }

    pub(super) fn encode(&self, signature: Option<&RecoverableSignature>) -> Vec<u8> {
        let mut encoder = Encoder::default();
        encoder.list(|fields| match &self.kind {
            TransactionKind::Legacy { gas_price } => self.legacy_fields(gas_price, signature, fields),
            _ => self.typed_fields(signature, fields),
        });
        let list = encoder.finish();
        match self.type_byte() {
            None => list,
            Some(kind) => [&[kind], list.as_slice()].concat(),
        }
    }

    fn legacy_fields(
        &self,
        gas_price: &U256,
        signature: Option<&RecoverableSignature>,
        fields: &mut Encoder,
    ) {
        fields.u64(self.nonce);
        fields.u256(gas_price);
        self.gas_to_data(fields);
        match signature {
            None => {
                fields.u64(self.chain_id);
                fields.u64(0);
                fields.u64(0);
            }
            Some(signature) => {
                // In 256 bits, since nobody is kept from writing a chain id beyond 63.
                let twice = U256::from(u128::from(self.chain_id) * 2 + 35 + u128::from(signature.y_odd));
                fields.u256(&twice);
                write_halves(signature, fields);
            }
        }
    }

    fn typed_fields(&self, signature: Option<&RecoverableSignature>, fields: &mut Encoder) {
        fields.u64(self.chain_id);
        fields.u64(self.nonce);
        match &self.kind {
            TransactionKind::Legacy { gas_price } | TransactionKind::AccessList { gas_price, .. } => {
                fields.u256(gas_price);
            }
            TransactionKind::DynamicFee {
                max_priority_fee_per_gas,
                max_fee_per_gas,
                ..
            }
            | TransactionKind::SetCode {
                max_priority_fee_per_gas,
                max_fee_per_gas,
                ..
            } => {
                fields.u256(max_priority_fee_per_gas);
                fields.u256(max_fee_per_gas);
            }
        }
        self.gas_to_data(fields);
        fields.list(|list| self.access_list().iter().for_each(|entry| entry.write(list)));
        if let TransactionKind::SetCode { authorizations, .. } = &self.kind {
            fields.list(|list| authorizations.iter().for_each(|one| one.write(list)));
        }
        if let Some(signature) = signature {
            fields.u64(u64::from(signature.y_odd));
            write_halves(signature, fields);
        }
    }

    /// The fields that all types have in this order: gas limit, recipient, value, data.
    fn gas_to_data(&self, fields: &mut Encoder) {
        fields.u64(self.gas_limit);
        match &self.to {
            Some(to) => fields.bytes(to.as_bytes()),
            None => fields.bytes(&[]),
        }
        fields.u256(&self.value);
        fields.bytes(&self.data);
    }
}

impl AccessListEntry {
    fn write(&self, list: &mut Encoder) {
        list.list(|fields| {
            fields.bytes(self.address.as_bytes());
            fields.list(|keys| self.storage_keys.iter().for_each(|key| keys.bytes(key)));
        });
    }
}

fn write_halves(signature: &RecoverableSignature, fields: &mut Encoder) {
    fields.u256(&U256::from_be_bytes(signature.r));
    fields.u256(&U256::from_be_bytes(signature.s));
}
