#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::string::ToString;
use alloc::vec;

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::solana::samples::{self, BLOCKHASH, PAYER, RECIPIENT, any_message, payment, single};
use crate::solana::{compile_message, instructions};

mod decoded;
mod outflow;
mod version_1;

const A: Address = Address::new([0xa1; 32]);
const B: Address = Address::new([0xb1; 32]);
const C: Address = Address::new([0xc1; 32]);
const D: Address = Address::new([0xd1; 32]);
const E: Address = Address::new([0xe1; 32]);

fn intent(message: &Message) -> Intent {
    Intent::from_message(message)
}

fn only_action(program: Address, accounts: &[Address], data: &[u8]) -> Action {
    let mut actions = intent(&single(program, accounts, data)).actions;
    assert_eq!(actions.len(), 1);
    actions.remove(0)
}

fn data(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn reads_a_payment() {
    let message = payment(MessageVersion::V0);
    let intent = intent(&message);
    assert_eq!(
        intent.message_sha256,
        <[u8; 32]>::from(Sha256::digest(message.encode()))
    );
    assert_eq!(intent.fee_payer, PAYER);
    assert_eq!(intent.signers, [PAYER]);
    assert_eq!(intent.unresolved_lookups, 0);
    assert_eq!(intent.compute_unit_limit, Some(200_000));
    assert_eq!(intent.compute_unit_price_micro_lamports, Some(1_000));
    assert_eq!(intent.max_priority_fee(), Lamports::new(200));
    assert_eq!(intent.sol_total(), Some(Lamports::new(1_500_000_000)));
    assert_eq!(
        intent.actions[2],
        Action::SolTransfer {
            from: PAYER,
            to: RECIPIENT,
            lamports: Lamports::new(1_500_000_000)
        }
    );
    insta::assert_snapshot!(intent.sentences().join("\n"), @r#"
    Use at most 200000 compute units
    Offer 1000 millionths of a lamport per compute unit
    Transfer 1.500000000 SOL from 4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi to 8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeR
    Write the memo "rent, July"
    Pay a priority fee of at most 0.000000200 SOL
    "#);
}

#[test]
fn reads_token_transfers() {
    let amount = 1_234_567_u64.to_le_bytes();
    let fee = 99_u64.to_le_bytes();
    for program in [programs::TOKEN, programs::TOKEN_2022] {
        assert_eq!(
            only_action(program, &[A, B, C], &data(&[&[3], &amount])),
            Action::TokenTransfer {
                program,
                source: A,
                destination: B,
                authority: C,
                mint: None,
                amount: 1_234_567,
                decimals: None,
                fee: None,
                extra_accounts: vec![],
            }
        );
        assert_eq!(
            only_action(program, &[A, B, C, D, E], &data(&[&[12], &amount, &[6]])),
            Action::TokenTransfer {
                program,
                source: A,
                destination: C,
                authority: D,
                mint: Some(B),
                amount: 1_234_567,
                decimals: Some(6),
                fee: None,
                extra_accounts: vec![E],
            }
        );
    }
    let with_fee = data(&[&[26, 1], &amount, &[6], &fee]);
    let action = only_action(programs::TOKEN_2022, &[A, B, C, D], &with_fee);
    assert!(matches!(
        action,
        Action::TokenTransfer { fee: Some(99), decimals: Some(6), mint: Some(mint), .. } if mint == B
    ));
    // SPL Token has no such instruction.
    assert_eq!(
        reason(only_action(programs::TOKEN, &[A, B, C, D], &with_fee)),
        UnknownReason::Instruction
    );
}

fn reason(action: Action) -> UnknownReason {
    match action {
        Action::Unknown { reason, .. } => reason,
        other => panic!("understood as {other:?}"),
    }
}

#[test]
fn whatever_is_not_exact_is_unknown() {
    use UnknownReason as R;
    let amount = 5_u64.to_le_bytes();
    let transfer = data(&[&2_u32.to_le_bytes(), &amount]);
    let system = programs::SYSTEM;
    let (token, token_2022) = (programs::TOKEN, programs::TOKEN_2022);
    let budget = programs::COMPUTE_BUDGET;
    let two: &[Address] = &[A, B];
    let four: &[Address] = &[A, B, C, D];
    let surplus = |bytes: &[u8]| data(&[bytes, &[0]]);
    let short = |bytes: &[u8]| bytes[..bytes.len() - 1].to_vec();
    let checked = data(&[&[12], &amount, &[9]]);
    let unchecked = data(&[&[3], &amount]);
    let with_fee = data(&[&[26, 1], &amount, &[9], &amount]);
    let cases: Vec<(Address, &[Address], Vec<u8>, R)> = vec![
        (system, two, vec![], R::DataLength),
        (system, two, vec![2, 0, 0], R::DataLength),
        (system, two, short(&transfer), R::DataLength),
        (system, two, surplus(&transfer), R::DataLength),
        (system, &[A], transfer.clone(), R::TooFewAccounts),
        (system, &[], transfer, R::TooFewAccounts),
        // CreateAccount too short, one that does not exist.
        (system, two, vec![0; 51], R::DataLength),
        (system, two, vec![14, 0, 0, 0], R::Instruction),
        // The tag has four bytes: 0x01000002 is no transfer.
        (system, two, data(&[&[2, 0, 0, 1], &amount]), R::Instruction),
        (token, four, vec![], R::DataLength),
        (token, four, short(&checked), R::DataLength),
        (token, four, surplus(&checked), R::DataLength),
        (token, &[A, B, C], checked, R::TooFewAccounts),
        (token, four, short(&unchecked), R::DataLength),
        (token, four, surplus(&unchecked), R::DataLength),
        (token, two, unchecked, R::TooFewAccounts),
        // Approve, SetAuthority, CloseAccount and Batch.
        (token, four, data(&[&[4], &amount, &[0]]), R::DataLength),
        (token, two, data(&[&[4], &amount]), R::TooFewAccounts),
        (token, four, data(&[&[6, 18, 1], &[7; 32]]), R::Instruction),
        (token, four, data(&[&[6, 2, 2], &[7; 32]]), R::Instruction),
        (token, four, vec![9, 0], R::DataLength),
        (token, four, vec![255, 3, 1, 9], R::Instruction),
        (token_2022, four, vec![255, 3, 1, 9], R::Instruction),
        // Extensions that SPL Token does not have.
        (token, four, vec![34, 0], R::Instruction),
        (token_2022, four, vec![34, 2], R::Instruction),
        (token_2022, four, vec![26], R::DataLength),
        (token_2022, four, vec![26, 0], R::DataLength),
        (token_2022, four, vec![26, 6], R::Instruction),
        (token_2022, four, short(&with_fee), R::DataLength),
        (token_2022, four, surplus(&with_fee), R::DataLength),
        (token_2022, &[A, B, C], with_fee, R::TooFewAccounts),
        (budget, &[], vec![], R::DataLength),
        (budget, &[], vec![0; 9], R::Instruction),
        (budget, &[], vec![2, 1, 1], R::DataLength),
        (budget, &[], vec![2, 1, 1, 1, 1, 1], R::DataLength),
        (budget, &[], vec![3, 1, 1, 1, 1], R::DataLength),
        (budget, &[], vec![5, 1, 1, 1, 1], R::Instruction),
        (E, two, vec![2, 0, 0, 0], R::Program),
    ];
    for (program, accounts, bytes, expected) in cases {
        let action = only_action(program, accounts, &bytes);
        assert_eq!(reason(action), expected, "{program} {bytes:?}");
    }
}

#[test]
fn known_programs_are_named_even_when_unknown() {
    let stake: Address = "Stake11111111111111111111111111111111111111".parse().unwrap();
    assert_eq!(
        only_action(stake, &[A], &[1, 2]),
        Action::Unknown {
            program: stake,
            program_name: Some("Stake"),
            accounts: vec![A],
            data_len: 2,
            data_start: vec![1, 2],
            reason: UnknownReason::Instruction
        }
    );
}

#[test]
fn accounts_from_lookup_tables_are_not_guessed() {
    let mut message = samples::with_lookup();
    // The recipient now comes from the table.
    message.instructions[2].accounts[1] = 5;
    let intent = intent(&message);
    assert_eq!(intent.unresolved_lookups, 1);
    assert_eq!(reason(intent.actions[2].clone()), UnknownReason::LookupAccount);
}

#[test]
fn memos_are_text_or_not() {
    for program in [programs::MEMO, programs::MEMO_V1] {
        assert_eq!(
            only_action(program, &[A], "für €5".as_bytes()),
            Action::Memo {
                program,
                text: Some("für €5".to_string()),
                bytes_len: 9,
                signers: vec![A]
            }
        );
        assert_eq!(
            only_action(program, &[], &[0xff, 0xfe]),
            Action::Memo {
                program,
                text: None,
                bytes_len: 2,
                signers: vec![]
            }
        );
    }
}

fn with(instructions: &[crate::solana::Instruction]) -> Intent {
    intent(&compile_message(MessageVersion::Legacy, PAYER, instructions, BLOCKHASH).unwrap())
}

#[test]
fn the_priority_fee_is_bounded_from_above() {
    use instructions::{compute_unit_limit as limit, compute_unit_price as price};
    for (instructions, fee) in [
        (vec![limit(200_000)], 0),
        (vec![price(1)], 2),
        (vec![price(1_000_000)], 1_400_000),
        (vec![price(1), limit(1)], 1),
        (vec![price(1), limit(1_000_000)], 1),
        (vec![price(1), limit(1_000_001)], 2),
        (vec![price(u64::MAX), limit(1_000_000)], u64::MAX),
        (vec![price(u64::MAX), limit(u32::MAX)], u64::MAX),
        (vec![price(u64::MAX), limit(0)], 0),
    ] {
        let intent = with(&instructions);
        assert_eq!(intent.max_priority_fee(), Lamports::new(fee));
        assert_eq!(intent.budget_settings, BudgetSettings::Distinct);
    }
    let twice = with(&[price(9), limit(5), price(8)]);
    assert_eq!(twice.budget_settings, BudgetSettings::Duplicate);
    assert_eq!(twice.compute_unit_price_micro_lamports, Some(9));
}

#[test]
fn totals_do_not_wrap() {
    let transfer = |lamports| instructions::sol_transfer(PAYER, RECIPIENT, Lamports::new(lamports));
    assert_eq!(
        with(&[transfer(3), transfer(4)]).sol_total(),
        Some(Lamports::new(7))
    );
    assert_eq!(with(&[transfer(u64::MAX), transfer(1)]).sol_total(), None);
}

#[test]
fn sentences_cannot_steer_a_terminal() {
    let memo = "\u{1b}[2Jok\"\nTransfer 0.000000001 SOL\u{202e}";
    let long = "x".repeat(300);
    let intent = with(&[instructions::memo(memo, &[]), instructions::memo(&long, &[])]);
    let lines = intent.sentences();
    assert_eq!(
        lines[0],
        "Write the memo \"\\u{1b}[2Jok\\\"\\u{a}Transfer 0.000000001 SOL\\u{202e}\""
    );
    assert_eq!(lines[1].chars().filter(|c| *c == 'x').count(), 200);
    assert!(lines.iter().all(|line| !line.contains(char::is_control)));
}

#[test]
fn sentences_say_everything() {
    let amount = 1_234_567_u64.to_le_bytes();
    let checked = data(&[&[12], &amount, &[6]]);
    let with_fee = data(&[&[26, 1], &amount, &[6], &amount]);
    let messages = [
        single(programs::TOKEN, &[A, B, C, D], &checked),
        single(programs::TOKEN, &[A, B, C], &data(&[&[3], &amount])),
        single(programs::TOKEN_2022, &[A, B, C, D, E], &with_fee),
        single(programs::MEMO, &[], &[0xff]),
        single(programs::COMPUTE_BUDGET, &[], &[1, 0, 0, 4, 0]),
        single(programs::COMPUTE_BUDGET, &[], &[4, 0, 0, 4, 0]),
        single(E, &[A], &[1]),
        single(programs::SYSTEM, &[A, B], &[0; 52]),
        samples::with_lookup(),
    ];
    let lines: Vec<_> = messages
        .iter()
        .map(|m| intent(m).sentences().join("\n"))
        .collect();
    // insta reads its files, which a page cannot.
    if cfg!(not(target_arch = "wasm32")) {
        insta::assert_snapshot!(lines.join("\n\n"));
    }
    let twice = with(&[
        instructions::compute_unit_limit(1),
        instructions::compute_unit_limit(1),
    ]);
    assert!(twice.sentences().join("\n").contains("twice"));
}

proptest! {
    #[test]
    fn every_instruction_is_accounted_for(message in any_message()) {
        let intent = intent(&message);
        prop_assert_eq!(intent.actions.len(), message.instructions.len());
        prop_assert_eq!(intent.unresolved_lookups, message.lookups.len());
        prop_assert!(!intent.sentences().iter().any(|line| line.contains(char::is_control)));
    }
}
