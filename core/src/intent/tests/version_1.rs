//! Version 1 sets its fee without an instruction: it is shown and capped all the same.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::policy::{Decision, Facts, Policy, PolicyLimits, Request, evaluate};
use crate::solana::TransactionConfig;

fn paying(config: TransactionConfig) -> Intent {
    intent(&payment(MessageVersion::V1(config)))
}

fn plain(config: TransactionConfig) -> Intent {
    let transfer = instructions::sol_transfer(PAYER, RECIPIENT, Lamports::new(1));
    let version = MessageVersion::V1(config);
    intent(&compile_message(version, PAYER, &[transfer], BLOCKHASH).unwrap())
}

fn fee(lamports: u64) -> TransactionConfig {
    TransactionConfig {
        priority_fee: Some(Lamports::new(lamports)),
        ..TransactionConfig::default()
    }
}

fn codes(policy: &Policy, intent: &Intent) -> Vec<&'static str> {
    let request = Request::Transaction {
        wallet: &PAYER,
        intent,
    };
    match evaluate(policy, &request, &Facts::default()) {
        Decision::Allowed(_) => Vec::new(),
        Decision::Refused(refusals) => refusals.iter().map(|own| own.code()).collect(),
    }
}

fn default_policy() -> Policy {
    Policy::default_for(PolicyLimits {
        sol_per_transaction: Lamports::ONE_SOL,
        tokens_per_transaction: 1,
        max_priority_fee: Lamports::new(1_000),
        evm: None,
    })
}

#[test]
fn the_fee_is_the_whole_fee() {
    assert_eq!(plain(fee(5_000)).max_priority_fee(), Lamports::new(5_000));
    assert_eq!(plain(fee(0)).max_priority_fee(), Lamports::ZERO);
    // The payment offers 200 lamports by instructions besides.
    assert_eq!(paying(fee(5_000)).max_priority_fee(), Lamports::new(5_200));
    assert_eq!(paying(fee(u64::MAX)).max_priority_fee(), Lamports::new(u64::MAX));
    let limit = TransactionConfig {
        compute_unit_limit: Some(300_000),
        ..TransactionConfig::default()
    };
    assert_eq!(paying(limit).compute_unit_limit, Some(300_000));
}

#[test]
fn the_fee_cap_holds_without_an_instruction() {
    let policy = default_policy();
    assert!(codes(&policy, &plain(TransactionConfig::default())).is_empty());
    assert!(codes(&policy, &plain(fee(1_000))).is_empty());
    assert_eq!(codes(&policy, &plain(fee(1_001))), ["fee-cap"]);
    assert_eq!(codes(&policy, &plain(fee(u64::MAX))), ["fee-cap"]);
}

#[test]
fn settings_that_no_rule_allows_are_refused() {
    let mut policy = default_policy();
    policy.rules.retain(|rule| rule.name == "sol-transfers");
    assert!(codes(&policy, &plain(TransactionConfig::default())).is_empty());
    assert_eq!(codes(&policy, &plain(fee(1))), ["not-allowed"]);
    let heap = TransactionConfig {
        heap_size: Some(32_768),
        ..TransactionConfig::default()
    };
    assert_eq!(codes(&policy, &plain(heap)), ["not-allowed"]);
}

#[test]
fn every_setting_is_said() {
    let intent = plain(TransactionConfig {
        priority_fee: Some(Lamports::new(5_000)),
        compute_unit_limit: Some(300_000),
        loaded_accounts_data_size_limit: Some(65_536),
        heap_size: Some(32_768),
    });
    insta::assert_snapshot!(intent.sentences().join("\n"), @r"
    Transfer 0.000000001 SOL from 4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi to 8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeR
    Use at most 300000 compute units
    Load at most 65536 bytes of accounts
    Ask for 32768 bytes of heap
    Pay a priority fee of at most 0.000005000 SOL
    ");
}
