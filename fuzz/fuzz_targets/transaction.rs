//! A transaction that is accepted encodes to the same bytes, and its signatures hold or not as they verify.
#![no_main]

use keyward_core::ed25519;
use keyward_core::solana::{Message, SignatureState, Transaction, parses_as_transaction};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(transaction) = Transaction::decode(bytes) else {
        return;
    };
    assert_eq!(transaction.encode(), bytes);
    assert!(parses_as_transaction(bytes));
    let message = transaction.message_bytes();
    assert_eq!(Message::decode(&message).as_ref(), Ok(&transaction.message));
    let states = transaction.verify_signatures();
    assert_eq!(states.len(), transaction.signatures.len());
    for ((signer, state), signature) in states.iter().zip(&transaction.signatures) {
        let verifies = ed25519::verify(signer, &message, signature).is_ok();
        match state {
            SignatureState::Missing => assert!(signature.is_default()),
            SignatureState::Valid => assert!(verifies && !signature.is_default()),
            SignatureState::Invalid => assert!(!verifies && !signature.is_default()),
        }
    }
});
