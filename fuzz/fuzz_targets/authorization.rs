//! An authorisation that is accepted encodes to the same bytes and is never taken for a message.
#![no_main]

use keyward_core::evm::authorization::Authorization;
use keyward_core::evm::personal;
use keyward_core::evm::transaction::{Transaction, parses_as_transaction};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(authorization) = Authorization::decode(bytes) {
        assert_eq!(authorization.encode(), bytes);
        assert!(!authorization.sentence("0x").contains(char::is_control));
        assert!(parses_as_transaction(bytes) && personal::check(bytes).is_err());
        assert!(Transaction::decode_any(bytes).is_err());
    }
});
