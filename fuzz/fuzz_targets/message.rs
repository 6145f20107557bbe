//! A message that is accepted encodes to the same bytes, and counts as a transaction.
#![no_main]

use keyward_core::solana::{Message, parses_as_transaction};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(message) = Message::decode(bytes) {
        assert_eq!(message.encode(), bytes);
        assert!(parses_as_transaction(bytes));
    }
});
