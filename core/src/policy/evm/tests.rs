#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::string::ToString;
use alloc::vec;

use super::super::*;
use crate::amount::Lamports;
use crate::ed25519;
use crate::evm::authorization::{Authorization, SignedAuthorization};
use crate::evm::transaction::{Transaction, TransactionKind};
use crate::evm::{EvmAddress, U256, personal};
use crate::key::WalletKey;
use crate::secp256k1::{self, SecretKey};

mod rules;
mod signing;
mod tokens;
mod windows;

const CONTRACT: EvmAddress = EvmAddress::new([0x22; 20]);
const OTHER: EvmAddress = EvmAddress::new([0x33; 20]);
const ETHER: u64 = 1_000_000_000_000_000_000;
const HOUR_MS: u64 = 3_600_000;

fn key() -> WalletKey {
    SecretKey::from_bytes(&[0x46; 32]).unwrap().into()
}

fn wallet() -> EvmAddress {
    *key().address().as_evm().unwrap()
}

fn transaction(data: Vec<u8>, value: u64) -> Transaction {
    Transaction {
        chain_id: 56,
        nonce: 0,
        gas_limit: 100_000,
        to: Some(CONTRACT),
        value: U256::from(value),
        data,
        kind: TransactionKind::Legacy {
            gas_price: U256::from(1_000_000_000_u64),
        },
    }
}

fn call(selector: u32, words: &[[u8; 32]]) -> Vec<u8> {
    [&selector.to_be_bytes()[..], words.as_flattened()].concat()
}

fn number(number: u128) -> [u8; 32] {
    *U256::from(number).as_be_bytes()
}

fn address(address: EvmAddress) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(address.as_bytes());
    word
}

fn token_transfer(amount: u128) -> Vec<u8> {
    call(0xa905_9cbb, &[address(OTHER), number(amount)])
}

fn approve(amount: [u8; 32]) -> Vec<u8> {
    call(0x095e_a7b3, &[address(OTHER), amount])
}

fn decide_with(policy: &Policy, transaction: &Transaction, facts: &Facts) -> Decision {
    let wallet = wallet();
    let intent = EvmIntent::from_transaction(transaction, wallet);
    let request = Request::EvmTransaction {
        wallet: &wallet,
        intent: &intent,
    };
    assert_eq!(request.wallet(), wallet);
    evaluate(policy, &request, facts)
}

fn decide(policy: &Policy, transaction: &Transaction) -> Decision {
    decide_with(policy, transaction, &Facts::default())
}

fn codes(decision: &Decision) -> Vec<&'static str> {
    match decision {
        Decision::Allowed(_) => vec![],
        Decision::Refused(refusals) => refusals.iter().map(Refusal::code).collect(),
    }
}

fn allowed(decision: Decision) -> Approval {
    match decision {
        Decision::Allowed(approval) => approval,
        Decision::Refused(refusals) => panic!("refused: {refusals:?}"),
    }
}

fn solana_only() -> PolicyLimits {
    PolicyLimits {
        sol_per_transaction: Lamports::ONE_SOL,
        tokens_per_transaction: 1,
        max_priority_fee: Lamports::ONE_SOL,
        evm: None,
    }
}

fn default() -> Policy {
    Policy::default_for(PolicyLimits {
        evm: Some(EvmLimits {
            wei_per_transaction: U256::from(2 * ETHER),
            max_fee_wei: U256::from(ETHER / 1000),
        }),
        ..solana_only()
    })
}

/// The rules of a text, as owners write them.
fn rules(json: &str) -> Policy {
    Policy::from_json(&format!(r#"{{"version":1,"rules":[{json}]}}"#)).unwrap()
}

fn message(policy: &Policy, message: &[u8]) -> Decision {
    let wallet = wallet();
    let request = Request::EvmMessage {
        wallet: &wallet,
        message,
    };
    evaluate(policy, &request, &Facts::default())
}
