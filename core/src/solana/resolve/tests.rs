#![allow(clippy::unwrap_used, reason = "tests")]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::samples::{self, PAYER};
use super::*;

const TABLE: Address = Address::new([3; 32]);

/// A table whose entry `i` is an address of its own.
fn table() -> Vec<Address> {
    (0..=255_u8).map(entry).collect()
}

fn entry(index: u8) -> Address {
    let mut bytes = [0xee; 32];
    bytes[0] = index;
    Address::new(bytes)
}

#[test]
fn accounts_follow_in_their_order() {
    let held = table();
    let message = samples::with_lookup();
    let resolved = message
        .resolve(|table| (*table == TABLE).then_some(held.as_slice()))
        .unwrap();
    assert_eq!(resolved.message(), &message);
    let looked_up = |index, is_writable| LookedUpAccount {
        table: TABLE,
        index,
        address: entry(index),
        is_writable,
    };
    assert_eq!(
        resolved.looked_up(),
        [looked_up(0, true), looked_up(7, true), looked_up(255, false)]
    );
    assert_eq!(resolved.account(0), Some(PAYER));
    // Five accounts are listed.
    assert_eq!(resolved.account(4), message.account_keys.get(4).copied());
    assert_eq!(resolved.account(5), Some(entry(0)));
    assert_eq!(resolved.account(7), Some(entry(255)));
    assert_eq!(resolved.account(8), None);
    for index in 5..8 {
        assert!(!resolved.is_signer(index));
        assert_eq!(resolved.is_writable(index), index < 7);
    }
}

#[test]
fn writable_accounts_of_every_table_come_first() {
    let held = table();
    let mut message = samples::with_lookup();
    let mut second = message.lookups[0].clone();
    second.table = Address::new([4; 32]);
    (second.writable, second.readonly) = (alloc::vec![9], alloc::vec![10]);
    message.lookups.push(second);
    let resolved = message.resolve(|_| Some(held.as_slice())).unwrap();
    let order: Vec<u8> = resolved.looked_up().iter().map(|own| own.index).collect();
    assert_eq!(order, [0, 7, 9, 255, 10]);
}

#[test]
fn what_cannot_be_looked_up_is_named() {
    let held = table();
    let message = samples::with_lookup();
    assert_eq!(
        message.resolve(|_| None),
        Err(ResolveError::MissingTable { table: TABLE })
    );
    for (len, index) in [(0, 0), (7, 7), (255, 255)] {
        assert_eq!(
            message.resolve(|_| held.get(..len)),
            Err(ResolveError::OutOfRange {
                table: TABLE,
                index,
                len
            })
        );
    }
    // An account listed in the message and one that another entry gives already.
    for (place, address) in [(7, PAYER), (255, entry(0))] {
        let mut held = table();
        held[place] = address;
        assert_eq!(
            message.resolve(|_| Some(held.as_slice())),
            Err(ResolveError::DuplicateAccount { address })
        );
    }
    let mut unsound = message;
    unsound.header.num_required_signatures = 0;
    assert_eq!(
        unsound.resolve(|_| Some(held.as_slice())),
        Err(ResolveError::Unsound(DecodeError::BadHeader))
    );
}

#[test]
fn a_message_without_lookups_asks_for_nothing() {
    let message = samples::payment(super::super::MessageVersion::V0);
    let resolved = message.resolve(|_| panic!("asked")).unwrap();
    assert!(resolved.looked_up().is_empty());
}
