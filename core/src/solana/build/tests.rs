#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::vec;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::instructions::{memo, sol_transfer};
use super::super::samples::{BLOCKHASH, PAYER, RECIPIENT};
use super::*;
use crate::amount::Lamports;

fn compile(instructions: &[Instruction]) -> Result<Message, BuildError> {
    compile_message(MessageVersion::V0, PAYER, instructions, BLOCKHASH)
}

#[test]
fn groups_accounts_as_the_network_demands() {
    let account = |byte, is_signer, is_writable| AccountMeta {
        address: Address::new([byte; 32]),
        is_signer,
        is_writable,
    };
    let instruction = Instruction {
        program: Address::new([50; 32]),
        accounts: vec![
            account(9, false, false),
            account(8, false, true),
            account(7, true, false),
            account(6, true, true),
            // Asked for twice: the stronger demand counts.
            account(9, true, false),
        ],
        data: vec![1],
    };
    let message = compile(&[instruction]).unwrap();
    let order: Vec<u8> = message.account_keys.iter().map(|key| key.as_bytes()[0]).collect();
    assert_eq!(order, [1, 6, 7, 9, 8, 50]);
    assert_eq!(
        message.header,
        MessageHeader {
            num_required_signatures: 4,
            num_readonly_signed: 2,
            num_readonly_unsigned: 1
        }
    );
    assert_eq!(message.instructions[0].accounts, [3, 4, 2, 1, 3]);
    assert_eq!(message.instructions[0].program_index, 5);
}

#[test]
fn compiled_messages_decode() {
    let message = compile(&[sol_transfer(PAYER, RECIPIENT, Lamports::new(1))]).unwrap();
    assert_eq!(Message::decode(&message.encode()), Ok(message));
    // Paying oneself names one account twice, and lists it once.
    let message = compile(&[sol_transfer(PAYER, PAYER, Lamports::new(1))]).unwrap();
    assert_eq!(message.account_keys.len(), 2);
    assert_eq!(Message::decode(&message.encode()), Ok(message));
}

#[test]
fn refuses_what_makes_no_transaction() {
    assert_eq!(compile(&[]), Err(BuildError::NoInstructions));
    assert!(matches!(
        compile(&[memo(&"m".repeat(1300), &[])]),
        Err(BuildError::TooLong { limit: 1232, .. })
    ));
    let accounts = (0..300_u16)
        .map(|at| {
            let mut bytes = [3; 32];
            bytes[..2].copy_from_slice(&at.to_le_bytes());
            AccountMeta {
                address: Address::new(bytes),
                is_signer: false,
                is_writable: false,
            }
        })
        .collect();
    let many = Instruction {
        program: RECIPIENT,
        accounts,
        data: vec![],
    };
    assert_eq!(compile(&[many]), Err(BuildError::TooManyAccounts { found: 302 }));
    let payer_as_program = Instruction {
        program: PAYER,
        accounts: vec![],
        data: vec![],
    };
    assert_eq!(
        compile(&[payer_as_program]),
        Err(BuildError::Unsound(DecodeError::FeePayerAsProgram {
            instruction: 1
        }))
    );
}
