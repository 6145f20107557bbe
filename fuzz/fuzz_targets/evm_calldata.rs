//! Calls of the decoded kinds with arguments of any kind: what is decoded is all that the call says.
#![no_main]

use keyward_core::evm::intent::{EvmAction, EvmIntent};
use keyward_core::evm::transaction::{Transaction, TransactionKind};
use keyward_core::evm::{EvmAddress, U256};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

/// As in `core/src/evm/intent/calldata.rs`.
const SELECTORS: [[u8; 4]; 12] = [
    [0xa9, 0x05, 0x9c, 0xbb],
    [0x23, 0xb8, 0x72, 0xdd],
    [0x09, 0x5e, 0xa7, 0xb3],
    [0x39, 0x50, 0x93, 0x51],
    [0xa4, 0x57, 0xc2, 0xd7],
    [0xd5, 0x05, 0xac, 0xcf],
    [0x8f, 0xcb, 0xaf, 0x0c],
    [0x42, 0x84, 0x2e, 0x0e],
    [0xb8, 0x8d, 0x4f, 0xde],
    [0xf2, 0x42, 0x43, 0x2a],
    [0x2e, 0xb2, 0xc2, 0xd6],
    [0xa2, 0x2c, 0xb4, 0x65],
];

fuzz_target!(|bytes: &[u8]| {
    let _ = check(&mut Unstructured::new(bytes));
});

fn check(input: &mut Unstructured<'_>) -> Result<()> {
    let mut data = input.choose(&SELECTORS)?.to_vec();
    // Words: small numbers, which are lengths, offsets and flags; addresses; anything.
    for _ in 0..input.int_in_range(0..=24)? {
        let mut word = [0_u8; 32];
        match input.int_in_range(0..=2)? {
            0 => word[31] = input.arbitrary()?,
            1 => word[12..].copy_from_slice(&input.arbitrary::<[u8; 20]>()?),
            _ => word = input.arbitrary()?,
        }
        data.extend_from_slice(&word);
    }
    // Data that is cut short or goes on.
    match input.int_in_range(0..=7_u8)? {
        0 => data.truncate(data.len().saturating_sub(input.int_in_range(1..=40)?)),
        1 => data.extend_from_slice(input.bytes(input.len().min(40))?),
        _ => {}
    }
    let to = EvmAddress::new([2; 20]);
    let transaction = Transaction {
        chain_id: 1,
        nonce: 0,
        gas_limit: 100_000,
        to: Some(to),
        value: U256::from(u64::from(input.arbitrary::<bool>()?)),
        data,
        kind: TransactionKind::Legacy {
            gas_price: U256::from(1_u64),
        },
    };
    let encoded = transaction.encode_unsigned();
    assert_eq!(Transaction::decode_unsigned(&encoded).as_ref(), Ok(&transaction));
    let intent = EvmIntent::from_transaction(&transaction, EvmAddress::new([1; 20]));
    assert_eq!(intent.contract(), Some(&to));
    let sentences = intent.sentences();
    assert!(!sentences.is_empty());
    assert!(!sentences.iter().any(|line| line.contains(char::is_control)));
    let data = &transaction.data;
    let words = |at: usize| data.get(4 + at * 32..36 + at * 32);
    match &intent.action {
        EvmAction::Erc20Transfer { to, amount, .. } => {
            // Written again, it is the same call.
            assert_eq!(data.len(), 4 + 2 * 32);
            assert_eq!(words(0), Some([&[0; 12][..], to.as_bytes()].concat().as_slice()));
            assert_eq!(words(1), Some(amount.as_be_bytes().as_slice()));
        }
        EvmAction::TransferFrom { from, to, .. } => {
            assert_eq!(data.len(), 4 + 3 * 32);
            assert_eq!(
                words(0),
                Some([&[0; 12][..], from.as_bytes()].concat().as_slice())
            );
            assert_eq!(words(1), Some([&[0; 12][..], to.as_bytes()].concat().as_slice()));
        }
        EvmAction::Approve { spender, amount, .. } => {
            assert_eq!(data.len(), 4 + 2 * 32);
            assert_eq!(
                words(0),
                Some([&[0; 12][..], spender.as_bytes()].concat().as_slice())
            );
            assert_eq!(words(1), Some(amount.as_be_bytes().as_slice()));
        }
        EvmAction::NftTransfer { items, data_len, .. } => {
            // Two words a token at most, and the data in whole words.
            assert!(items.len() * 32 + data_len <= data.len());
        }
        EvmAction::Call {
            selector, data_len, ..
        } => {
            assert_eq!(*data_len, data.len());
            assert_eq!(selector.as_ref().map(<[u8; 4]>::as_slice), data.get(..4));
        }
        EvmAction::NativeTransfer { .. } => assert!(data.is_empty()),
        _ => assert!(data.len() >= 4 && data.len() % 32 == 4),
    }
    Ok(())
}
