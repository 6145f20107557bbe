//! What counts as moved away from an account, and what does not.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::programs::{STAKE, SYSTEM};
use super::*;

const AMOUNT: u64 = 1_234;

fn outflow(program: Address, accounts: &[Address], parts: &[&[u8]], of: Address) -> u128 {
    intent(&single(program, accounts, &data(parts))).outflow(&of)
}

#[test]
fn what_the_system_program_moves_to_others_counts() {
    let amount = &AMOUNT.to_le_bytes()[..];
    let transfer: &[&[u8]] = &[&[2, 0, 0, 0], amount];
    let create: &[&[u8]] = &[&[0, 0, 0, 0], amount, &[0; 8], &[0xe1; 32]];
    let with_seed: &[&[u8]] = &[
        &[11, 0, 0, 0],
        amount,
        &[1, 0, 0, 0, 0, 0, 0, 0],
        b"s",
        &[0xe1; 32],
    ];
    let prefund: &[&[u8]] = &[&[13, 0, 0, 0], amount, &[0; 8], &[0xe1; 32]];
    for (accounts, parts, of, expected) in [
        (&[A, B][..], transfer, A, AMOUNT),
        (&[A, B], transfer, B, 0),
        (&[A, A], transfer, A, 0),
        (&[A, B], create, A, AMOUNT),
        (&[A, B], create, B, 0),
        (&[A, B, C], with_seed, A, AMOUNT),
        (&[A, B, C], with_seed, B, 0),
        (&[B, A], prefund, A, AMOUNT),
        (&[B, A], prefund, B, 0),
    ] {
        assert_eq!(
            outflow(SYSTEM, accounts, parts, of),
            u128::from(expected),
            "{accounts:?} {parts:?}"
        );
    }
}

#[test]
fn fees_and_other_programs_do_not_count() {
    let payment = payment(MessageVersion::V0);
    assert_eq!(intent(&payment).outflow(&PAYER), 1_500_000_000);
    assert_eq!(intent(&payment).outflow(&RECIPIENT), 0);
    let withdraw = data(&[&[4, 0, 0, 0], &AMOUNT.to_le_bytes()]);
    let withdraw = single(STAKE, &[A, B, C, D, E], &withdraw);
    for of in [A, B, E] {
        assert_eq!(intent(&withdraw).outflow(&of), 0);
    }
}

#[test]
fn amounts_beyond_64_bits_add_up() {
    let pay = || instructions::sol_transfer(A, B, Lamports::new(u64::MAX));
    let message = compile_message(MessageVersion::V0, A, &[pay(), pay(), pay()], BLOCKHASH).unwrap();
    assert_eq!(intent(&message).outflow(&A), 3 * u128::from(u64::MAX));
}
