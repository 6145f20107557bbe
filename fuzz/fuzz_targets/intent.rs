//! Every accepted message has an intent, can be described and can be judged.
#![no_main]

use keyward_core::amount::Lamports;
use keyward_core::intent::Intent;
use keyward_core::policy::{Facts, Policy, PolicyLimits, Request, evaluate};
use keyward_core::solana::Message;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = Message::decode(bytes) else {
        return;
    };
    let intent = Intent::from_message(&message);
    assert_eq!(intent.actions.len(), message.instructions.len());
    let sentences = intent.sentences();
    assert!(!sentences.iter().any(|line| line.contains(char::is_control)));
    let policy = Policy::default_for(PolicyLimits {
        sol_per_transaction: Lamports::ONE_SOL,
        tokens_per_transaction: 1_000,
        max_priority_fee: Lamports::new(1_000_000),
        evm: None,
    });
    let request = Request::Transaction {
        wallet: message.fee_payer(),
        intent: &intent,
    };
    let _ = evaluate(&policy, &request, &Facts::default());
});
