//! No personal message is allowed that is a transaction or a hash, in bytes or in hex.
#![no_main]

use keyward_core::amount::Lamports;
use keyward_core::evm::transaction::{Transaction, parses_as_transaction};
use keyward_core::evm::{EvmAddress, U256, keccak256, personal};
use keyward_core::policy::{Decision, EvmLimits, Facts, Policy, PolicyLimits, Request, evaluate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let payload = personal::signing_payload(bytes);
    assert!(payload.ends_with(bytes) && !parses_as_transaction(&payload));
    assert_eq!(personal::signing_hash(bytes), keccak256(&payload));
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if Transaction::decode_any(bytes).is_ok() {
        assert!(parses_as_transaction(bytes));
    }
    if parses_as_transaction(bytes) {
        for message in [bytes, hex.as_bytes(), format!("0x{hex}").as_bytes()] {
            assert!(personal::check(message).is_err());
        }
    }
    let policy = Policy::default_for(PolicyLimits {
        sol_per_transaction: Lamports::ZERO,
        tokens_per_transaction: 0,
        max_priority_fee: Lamports::ZERO,
        evm: Some(EvmLimits {
            wei_per_transaction: U256::ZERO,
            max_fee_wei: U256::ZERO,
        }),
    });
    let request = Request::EvmMessage {
        wallet: &EvmAddress::new([1; 20]),
        message: bytes,
    };
    if let Decision::Allowed(_) = evaluate(&policy, &request, &Facts::default()) {
        assert_eq!(personal::check(bytes), Ok(()));
        assert!(core::str::from_utf8(bytes).is_ok());
    }
});
