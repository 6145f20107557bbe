//! A policy that is accepted reads back from its own JSON, and decides on every kind of request.
#![no_main]

use keyward_core::account::AccountAddress;
use keyward_core::address::{Address, Blockhash};
use keyward_core::amount::Lamports;
use keyward_core::evm::intent::EvmIntent;
use keyward_core::evm::transaction::{Transaction, TransactionKind};
use keyward_core::evm::{EvmAddress, U256};
use keyward_core::intent::Intent;
use keyward_core::policy::{Decision, Effect, Facts, Policy, Request, WindowSpend, evaluate};
use keyward_core::solana::{MessageVersion, compile_message, instructions};
use libfuzzer_sys::fuzz_target;

/// Of everybody: the seeds' policies name it.
const SOLANA: Address = Address::new([4; 32]);
const EVM: EvmAddress = EvmAddress::new([4; 20]);

fuzz_target!(|text: &str| {
    let Ok(policy) = Policy::from_json(text) else {
        return;
    };
    assert_eq!(policy.check(), Ok(()));
    let json = policy.to_json().expect("an accepted policy can be written");
    assert_eq!(Policy::from_json(&json).as_ref(), Ok(&policy));
    judge(&policy);
});

fn judge(policy: &Policy) {
    let pay = instructions::sol_transfer(SOLANA, Address::new([5; 32]), Lamports::new(1_000));
    let message = compile_message(MessageVersion::Legacy, SOLANA, &[pay], Blockhash::new([9; 32]))
        .expect("one instruction");
    let intent = Intent::from_message(&message);
    let transaction = Transaction {
        chain_id: 56,
        nonce: 1,
        gas_limit: 21_000,
        to: Some(EvmAddress::new([5; 20])),
        value: U256::from(1_000_u64),
        data: Vec::new(),
        kind: TransactionKind::Legacy {
            gas_price: U256::from(1_u64),
        },
    };
    let evm_intent = EvmIntent::from_transaction(&transaction, EVM);
    let spent = |amount| {
        let windows = policy.windows().into_iter();
        windows.map(|window| WindowSpend { window, amount }).collect()
    };
    let requests = [
        Request::Transaction {
            wallet: &SOLANA,
            intent: &intent,
        },
        Request::Message {
            wallet: &SOLANA,
            message: b"hello",
        },
        Request::EvmTransaction {
            wallet: &EVM,
            intent: &evm_intent,
        },
        Request::EvmMessage {
            wallet: &EVM,
            message: b"hello",
        },
        Request::ExportKey {
            wallet: &AccountAddress::Evm(EVM),
        },
    ];
    let allows = policy.rules.iter().any(|rule| rule.effect == Effect::Allow);
    for request in requests {
        let [fresh, full, unknown] = [spent(0), spent(u128::MAX), Vec::new()].map(|spent| {
            let facts = Facts {
                now_ms: 1,
                spent,
                own_wallets: Vec::new(),
            };
            match evaluate(policy, &request, &facts) {
                Decision::Allowed(_) => true,
                Decision::Refused(refusals) => {
                    assert!(!refusals.is_empty());
                    false
                }
            }
        });
        // Nothing is allowed without a rule, and having spent more allows nothing more.
        assert!(allows || !fresh);
        assert!(fresh || !full && !unknown);
    }
}
