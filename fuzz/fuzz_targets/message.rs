//! A message that is accepted encodes to the same bytes, counts as a transaction, and resolves or says why not.
#![no_main]

use keyward_core::address::Address;
use keyward_core::solana::{DecodeError, Message, MessageVersion, Transaction, parses_as_transaction};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = Message::decode(bytes) else {
        return;
    };
    assert_eq!(message.encode(), bytes);
    assert!(parses_as_transaction(bytes));
    assert_eq!(message.check(), Ok(()));
    match message.version {
        MessageVersion::Legacy => assert!(bytes[0] < 0x80 && message.lookups.is_empty()),
        MessageVersion::V0 => assert_eq!(bytes[0], 0x80),
        MessageVersion::V1(_) => assert!(bytes[0] == 0x81 && message.lookups.is_empty()),
    }
    assert!(message.is_signer(0) && message.is_writable(0), "the fee payer");

    // With its signatures it is a transaction, unless it is too long for one then.
    let unsigned = Transaction::unsigned(message.clone());
    match Transaction::decode(&unsigned.encode()) {
        Ok(decoded) => assert_eq!(decoded, unsigned),
        Err(error) => assert!(matches!(error, DecodeError::TooLong { .. }), "{error}"),
    }

    // A table of as many entries as the input's last byte says.
    let held = usize::from(bytes.last().copied().unwrap_or_default()) + 1;
    let table: Vec<Address> = (0..held).map(|at| Address::new([at as u8; 32])).collect(); // at most 256
    let wanted: usize = message
        .lookups
        .iter()
        .map(|lookup| lookup.writable.len() + lookup.readonly.len())
        .sum();
    if let Ok(resolved) = message.resolve(|_| Some(&table)) {
        assert_eq!(resolved.looked_up().len(), wanted);
        let all = message.account_keys.len() + wanted;
        assert!(resolved.account(all - 1).is_some() && resolved.account(all).is_none());
        for (at, own) in resolved.looked_up().iter().enumerate() {
            let index = message.account_keys.len() + at;
            assert_eq!(resolved.account(index), Some(own.address));
            assert_eq!(resolved.is_writable(index), own.is_writable);
            assert!(!resolved.is_signer(index));
            assert_eq!(table.get(usize::from(own.index)), Some(&own.address));
        }
    }
    assert_eq!(message.resolve(|_| None).is_ok(), message.lookups.is_empty());
});
