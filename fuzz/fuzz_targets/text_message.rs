//! No message is allowed that could be a transaction or that is not a text to be read.
#![no_main]

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::offchain::{self, MessageKind};
use keyward_core::policy::{Decision, Facts, Policy, PolicyLimits, Request, evaluate};
use keyward_core::solana::{Message, Transaction};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let policy = Policy::default_for(PolicyLimits {
        sol_per_transaction: Lamports::ZERO,
        tokens_per_transaction: 0,
        max_priority_fee: Lamports::ZERO,
        evm: None,
    });
    let request = Request::Message {
        wallet: &Address::new([1; 32]),
        message: bytes,
    };
    if let Decision::Allowed(_) = evaluate(&policy, &request, &Facts::default()) {
        assert!(Message::decode(bytes).is_err() && Transaction::decode(bytes).is_err());
        match offchain::classify(bytes) {
            MessageKind::OffChain => {}
            MessageKind::SignIn | MessageKind::Text => assert!(core::str::from_utf8(bytes).is_ok()),
            kind => panic!("{kind:?} was allowed"),
        }
    }
});
