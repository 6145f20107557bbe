//! A transaction that is accepted encodes to the same bytes, and its message is accepted alone.
#![no_main]

use keyward_core::solana::{Message, Transaction, parses_as_transaction};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(transaction) = Transaction::decode(bytes) {
        assert_eq!(transaction.encode(), bytes);
        assert!(parses_as_transaction(bytes));
        let message = transaction.message_bytes();
        assert_eq!(Message::decode(&message), Ok(transaction.message));
    }
});
