//! An EVM transaction that is accepted encodes to the same bytes, signed or not, and can be described and judged.
#![no_main]

use keyward_core::amount::Lamports;
use keyward_core::evm::intent::EvmIntent;
use keyward_core::evm::transaction::{Decoded, SignedTransaction, Transaction, parses_as_transaction};
use keyward_core::evm::{EvmAddress, U256};
use keyward_core::policy::{Decision, EvmLimits, Facts, Policy, PolicyLimits, Request, evaluate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(decoded) = Transaction::decode_any(bytes) else {
        return;
    };
    assert!(parses_as_transaction(bytes));
    match decoded {
        Decoded::Unsigned(transaction) => {
            assert_eq!(transaction.encode_unsigned(), bytes);
            assert!(SignedTransaction::decode(bytes).is_err());
            judge(&transaction, EvmAddress::new([5; 20]));
        }
        Decoded::Signed(signed) => {
            assert_eq!(signed.encode(), bytes);
            assert!(Transaction::decode_unsigned(bytes).is_err());
            let unsigned = signed.transaction().encode_unsigned();
            assert_eq!(
                Transaction::decode_unsigned(&unsigned).as_ref(),
                Ok(signed.transaction())
            );
            let again = signed
                .transaction()
                .clone()
                .into_signed(*signed.signature(), signed.sender());
            assert_eq!(again.map(|again| again.encode()).as_deref(), Ok(bytes));
            judge(signed.transaction(), *signed.sender());
        }
    }
});

fn judge(transaction: &Transaction, from: EvmAddress) {
    assert_eq!(transaction.check(), Ok(()));
    let intent = EvmIntent::from_transaction(transaction, from);
    let sentences = intent.sentences();
    assert!(!sentences.is_empty());
    assert!(!sentences.iter().any(|line| line.contains(char::is_control)));
    let limits = EvmLimits {
        wei_per_transaction: U256::from(1_000_u64),
        max_fee_wei: U256::from(1_000_u64),
    };
    let policy = Policy::default_for(PolicyLimits {
        sol_per_transaction: Lamports::ZERO,
        tokens_per_transaction: 0,
        max_priority_fee: Lamports::ZERO,
        evm: Some(limits),
    });
    let request = Request::EvmTransaction {
        wallet: &from,
        intent: &intent,
    };
    match evaluate(&policy, &request, &Facts::default()) {
        Decision::Allowed(approval) => {
            assert_eq!(approval.message_sha256(), &intent.payload_sha256);
            assert!(intent.value <= limits.wei_per_transaction && intent.max_fee <= limits.max_fee_wei);
            assert!(intent.authorizations.is_empty());
        }
        Decision::Refused(refusals) => assert!(!refusals.is_empty()),
    }
}
