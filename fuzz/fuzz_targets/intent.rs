//! Every accepted message has an intent, can be described and can be judged, resolved or not.
#![no_main]

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::intent::Intent;
use keyward_core::policy::{Decision, Facts, Policy, PolicyLimits, Request, evaluate};
use keyward_core::solana::Message;
use keyward_core::vault::VaultId;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(message) = Message::decode(bytes) else {
        return;
    };
    let intent = Intent::from_message(&message);
    assert_eq!(intent.unresolved_lookups, message.lookups.len());
    judge(&message, &intent);

    let table: Vec<Address> = (0..=u8::MAX).map(|at| Address::new([at; 32])).collect();
    if let Ok(resolved) = message.resolve(|_| Some(&table)) {
        let known = Intent::from_resolved(&resolved);
        assert_eq!(known.unresolved_lookups, 0);
        assert_eq!(known.lookups, resolved.looked_up());
        judge(&message, &known);
        let hash =
            |intent: &Intent| intent.hash(&VaultId::from_bytes([1; 16]), message.fee_payer(), "devnet", 1);
        assert_eq!(hash(&known) == hash(&intent), known.lookups.is_empty());
        if message.lookups.is_empty() {
            assert_eq!(known, intent);
        }
    }
});

fn judge(message: &Message, intent: &Intent) {
    assert_eq!(intent.actions.len(), message.instructions.len());
    let sentences = intent.sentences();
    assert!(!sentences.is_empty());
    assert!(!sentences.iter().any(|line| line.contains(char::is_control)));
    let most = Lamports::ONE_SOL;
    let policy = Policy::default_for(PolicyLimits {
        sol_per_transaction: most,
        tokens_per_transaction: 1_000,
        max_priority_fee: Lamports::new(1_000_000),
        evm: None,
    });
    let request = Request::Transaction {
        wallet: message.fee_payer(),
        intent,
    };
    match evaluate(&policy, &request, &Facts::default()) {
        Decision::Allowed(approval) => {
            assert_eq!(approval.message_sha256(), &intent.message_sha256);
            assert!(intent.sol_total().is_some_and(|total| total <= most));
            assert!(intent.max_priority_fee() <= Lamports::new(1_000_000));
            assert_eq!(intent.unresolved_lookups, 0);
        }
        Decision::Refused(refusals) => assert!(!refusals.is_empty()),
    }
}
