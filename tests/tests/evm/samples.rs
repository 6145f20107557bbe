//! Random transactions and authorisations, often at the ends of what their fields hold.

use keyward_core::evm::authorization::{Authorization, SignedAuthorization};
use keyward_core::evm::transaction::{AccessListEntry, MAX_CHAIN_ID, Transaction, TransactionKind};
use keyward_core::evm::{EvmAddress, U256};
use proptest::collection::vec as some;
use proptest::prelude::*;

fn any_u64() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0_u64..1000,
        4 => any::<u64>(),
        1 => Just(0),
        1 => Just(u64::MAX),
        1 => Just(MAX_CHAIN_ID),
        1 => (0_u32..64).prop_map(|bits| 1 << bits),
    ]
}

fn any_u256() -> impl Strategy<Value = U256> {
    prop_oneof![
        4 => any_u64().prop_map(U256::from),
        4 => any::<u128>().prop_map(U256::from),
        1 => any::<[u8; 32]>().prop_map(U256::from_be_bytes),
        1 => Just(U256::MAX),
    ]
}

fn any_address() -> impl Strategy<Value = EvmAddress> {
    prop_oneof![9 => any::<[u8; 20]>(), 1 => Just([0; 20])].prop_map(EvmAddress::new)
}

fn any_access_list() -> impl Strategy<Value = Vec<AccessListEntry>> {
    let entry =
        (any_address(), some(any::<[u8; 32]>(), 0..3)).prop_map(|(address, storage_keys)| AccessListEntry {
            address,
            storage_keys,
        });
    some(entry, 0..3)
}

pub(crate) fn any_authorization() -> impl Strategy<Value = Authorization> {
    (any_u256(), any_address(), any_u64()).prop_map(|(chain_id, delegate, nonce)| Authorization {
        chain_id,
        delegate,
        nonce,
    })
}

fn any_signed_authorization() -> impl Strategy<Value = SignedAuthorization> {
    (any_authorization(), 0_u8..3, any_u256(), any_u256()).prop_map(|(authorization, y_parity, r, s)| {
        SignedAuthorization {
            authorization,
            y_parity,
            r,
            s,
        }
    })
}

fn any_kind() -> impl Strategy<Value = TransactionKind> {
    // Prices that alloy holds.
    let price =
        || prop_oneof![3 => any::<u64>().prop_map(u128::from), 1 => any::<u128>()].prop_map(U256::from);
    prop_oneof![
        price().prop_map(|gas_price| TransactionKind::Legacy { gas_price }),
        (price(), any_access_list()).prop_map(|(gas_price, access_list)| TransactionKind::AccessList {
            gas_price,
            access_list,
        }),
        (price(), price(), any_access_list()).prop_map(|(one, other, access_list)| {
            TransactionKind::DynamicFee {
                max_priority_fee_per_gas: one.min(other),
                max_fee_per_gas: one.max(other),
                access_list,
            }
        }),
        (
            price(),
            price(),
            any_access_list(),
            some(any_signed_authorization(), 0..3)
        )
            .prop_map(
                |(one, other, access_list, authorizations)| TransactionKind::SetCode {
                    max_priority_fee_per_gas: one.min(other),
                    max_fee_per_gas: one.max(other),
                    access_list,
                    authorizations,
                }
            ),
    ]
}

pub(crate) fn any_transaction() -> impl Strategy<Value = Transaction> {
    let data = prop_oneof![
        some(any::<u8>(), 0..4),
        some(any::<u8>(), 50..70),
        some(any::<u8>(), 250..260)
    ];
    let to = prop_oneof![9 => any_address().prop_map(Some), 1 => Just(None)];
    let chain_id = prop_oneof![4 => 1_u64..200_000, 1 => any_u64()];
    (chain_id, any_u64(), any_u64(), to, any_u256(), data, any_kind()).prop_map(
        |(chain_id, nonce, gas_limit, to, value, data, kind)| Transaction {
            chain_id,
            nonce,
            gas_limit,
            to: to.or_else(|| {
                let delegates = matches!(kind, TransactionKind::SetCode { .. });
                delegates.then(|| EvmAddress::new([7; 20]))
            }),
            value,
            data,
            kind,
        },
    )
}
