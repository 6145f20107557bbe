#![allow(clippy::unwrap_used, reason = "tests")]

use keyward_core::address::Blockhash;
use keyward_core::amount::{Lamports, TokenUnits};
use keyward_core::solana::AccountMeta;
use keyward_core::solana::instructions::{
    authorize_nonce, close_token_account, create_account, initialize_nonce, sync_native, withdraw_nonce,
};

use super::*;

const FROM: Address = Address::new([1; 32]);
const TO: Address = Address::new([2; 32]);
const THIEF: Address = Address::new([66; 32]);
const MINT: Address = Address::new([3; 32]);
const SOURCE: Address = Address::new([4; 32]);
const NONCE: Address = Address::new([5; 32]);

fn compiled(version: MessageVersion, payer: Address, instructions: &[Instruction]) -> Message {
    compile_message(version, payer, instructions, Blockhash::new([9; 32])).unwrap()
}

fn legacy(instructions: &[Instruction]) -> Message {
    compiled(MessageVersion::Legacy, FROM, instructions)
}

fn sol() -> TransferRequest {
    TransferRequest::new(FROM, TO, Lamports::new(7))
}

fn token() -> TransferRequest {
    let units = TokenUnits {
        amount: 700,
        decimals: 2,
    };
    TransferRequest::new(FROM, TO, TransferAmount::Token { mint: MINT, units })
}

fn payment(program: TokenProgram) -> TokenPayment {
    TokenPayment {
        program: program.address(),
        source: SOURCE,
        mint: MINT,
        destination: associated_token_account(&TO, &program.address(), &MINT),
        authority: FROM,
        amount: 700,
        decimals: 2,
    }
}

fn plain_sol() -> Vec<Instruction> {
    vec![
        compute_unit_limit(600),
        compute_unit_price(9),
        sol_transfer(FROM, TO, Lamports::new(7)),
    ]
}

fn plain_token(program: TokenProgram) -> Vec<Instruction> {
    vec![
        compute_unit_limit(600),
        compute_unit_price(9),
        create_associated_account(FROM, TO, program.address(), MINT),
        token_transfer(&payment(program)),
    ]
}

fn meta(address: Address, is_signer: bool, is_writable: bool) -> AccountMeta {
    AccountMeta {
        address,
        is_signer,
        is_writable,
    }
}

fn of_token(data: Vec<u8>, accounts: Vec<AccountMeta>) -> Instruction {
    Instruction {
        program: programs::TOKEN,
        accounts,
        data,
    }
}

/// Everything that a thief might slip in, by name.
fn slipped_in() -> Vec<(&'static str, Instruction)> {
    let mut approve = vec![4];
    approve.extend_from_slice(&u64::MAX.to_le_bytes());
    let mut set_owner = vec![6, 2, 1];
    set_owner.extend_from_slice(THIEF.as_bytes());
    let mut burn = vec![8];
    burn.extend_from_slice(&5_u64.to_le_bytes());
    let mut assign = vec![1, 0, 0, 0];
    assign.extend_from_slice(THIEF.as_bytes());
    let source = || meta(SOURCE, false, true);
    let signs = || meta(FROM, true, false);
    let strange = Instruction {
        program: THIEF,
        accounts: vec![meta(FROM, true, true)],
        data: vec![1],
    };
    let heap = Instruction {
        program: programs::COMPUTE_BUDGET,
        accounts: Vec::new(),
        data: vec![1, 0, 0, 4, 0],
    };
    vec![
        ("a second payment", sol_transfer(FROM, THIEF, Lamports::new(1))),
        ("the same payment", sol_transfer(FROM, TO, Lamports::new(7))),
        (
            "a payment of tokens",
            token_transfer(&TokenPayment {
                destination: THIEF,
                ..payment(TokenProgram::Token)
            }),
        ),
        (
            "CreateAccount",
            create_account(FROM, NONCE, Lamports::new(5), 80, programs::SYSTEM),
        ),
        (
            "Assign",
            Instruction {
                program: programs::SYSTEM,
                accounts: vec![meta(FROM, true, true)],
                data: assign,
            },
        ),
        (
            "Approve",
            of_token(approve, vec![source(), meta(THIEF, false, false), signs()]),
        ),
        ("SetAuthority", of_token(set_owner, vec![source(), signs()])),
        (
            "Burn",
            of_token(burn, vec![source(), meta(MINT, false, true), signs()]),
        ),
        (
            "CloseAccount",
            close_token_account(programs::TOKEN, SOURCE, THIEF, FROM),
        ),
        ("SyncNative", sync_native(programs::TOKEN, SOURCE)),
        (
            "an account for a thief",
            create_associated_account(FROM, THIEF, programs::TOKEN, MINT),
        ),
        ("AdvanceNonce", advance_nonce(NONCE, FROM)),
        ("AuthorizeNonce", authorize_nonce(NONCE, FROM, THIEF)),
        ("InitializeNonce", initialize_nonce(NONCE, THIEF)),
        (
            "WithdrawNonce",
            withdraw_nonce(NONCE, THIEF, FROM, Lamports::new(5)),
        ),
        ("a second memo", memo("more", &[FROM])),
        ("a strange program", strange),
        ("another limit", compute_unit_limit(1_400_000)),
        ("another price", compute_unit_price(u64::MAX)),
        ("more heap", heap),
    ]
}

#[test]
fn a_transfer_as_it_is_built_here_makes_its_payment() {
    let noted = |mut instructions: Vec<Instruction>| {
        instructions.push(memo("rent", &[FROM]));
        instructions
    };
    let durable = |mut instructions: Vec<Instruction>| {
        instructions.insert(0, advance_nonce(NONCE, FROM));
        instructions
    };
    let mut unpriced = plain_sol();
    unpriced.remove(1);
    for message in [
        plain_sol(),
        unpriced,
        noted(plain_sol()),
        durable(noted(plain_sol())),
    ] {
        assert!(makes(&legacy(&message), &sol()), "{message:?}");
    }
    for program in TokenProgram::ALL {
        let with_fee = vec![
            compute_unit_limit(600),
            token_transfer_with_fee(&payment(program), 3),
        ];
        let there = vec![compute_unit_limit(600), token_transfer(&payment(program))];
        for message in [plain_token(program), durable(noted(plain_token(program))), there] {
            assert!(makes(&legacy(&message), &token()), "{message:?}");
            assert!(!makes(&legacy(&message), &sol()), "{message:?}");
        }
        // Only one of the programs knows transfer fees.
        let knows_fees = program == TokenProgram::Token2022;
        assert_eq!(makes(&legacy(&with_fee), &token()), knows_fees, "{program:?}");
    }
}

#[test]
fn nothing_else_may_be_beside_the_payment_wherever_it_stands() {
    let mut noted = plain_sol();
    noted.push(memo("rent", &[FROM]));
    let mut noted_token = plain_token(TokenProgram::Token);
    noted_token.push(memo("rent", &[FROM]));
    for (name, strange) in slipped_in() {
        for (request, plain) in [(sol(), &noted), (token(), &noted_token)] {
            assert!(makes(&legacy(plain), &request));
            for at in 0..=plain.len() {
                // Advancing the own nonce first is how a durable transfer begins.
                if at == 0 && name == "AdvanceNonce" {
                    continue;
                }
                let mut changed = plain.clone();
                changed.insert(at, strange.clone());
                assert!(!makes(&legacy(&changed), &request), "{name} at {at}");
            }
        }
    }
}

#[test]
fn another_payment_is_another_payment() {
    let message = legacy(&plain_sol());
    for other in [
        TransferRequest::new(FROM, TO, Lamports::new(8)),
        TransferRequest::new(FROM, THIEF, Lamports::new(7)),
        TransferRequest::new(TO, TO, Lamports::new(7)),
        token(),
    ] {
        assert!(!makes(&message, &other), "{other:?}");
    }
    let message = legacy(&plain_token(TokenProgram::Token));
    let with = |mint: Address, amount: u64, decimals: u8| {
        let units = TokenUnits { amount, decimals };
        TransferRequest::new(FROM, TO, TransferAmount::Token { mint, units })
    };
    assert!(makes(&message, &with(MINT, 700, 2)));
    for other in [
        with(MINT, 701, 2),
        with(MINT, 700, 3),
        with(THIEF, 700, 2),
        TransferRequest::new(FROM, THIEF, token().amount),
        TransferRequest::new(THIEF, TO, token().amount),
    ] {
        assert!(!makes(&message, &other), "{other:?}");
    }
}

/// The same words with somebody else's rights.
#[test]
fn who_pays_and_signs_is_the_sender_alone() {
    // Somebody else pays the fee.
    let sponsored = compiled(MessageVersion::Legacy, THIEF, &plain_sol());
    assert!(!makes(&sponsored, &sol()));
    // A second signer.
    let mut instructions = plain_sol();
    instructions.push(memo("rent", &[FROM, THIEF]));
    assert!(!makes(&legacy(&instructions), &sol()));
    // Another version: what it may say besides is not built here.
    assert!(!makes(&compiled(MessageVersion::V0, FROM, &plain_sol()), &sol()));
    // An account that nothing uses.
    let mut message = legacy(&plain_sol());
    message.account_keys.push(THIEF);
    assert!(!makes(&message, &sol()));
    // The nonce of somebody else.
    let mut instructions = plain_sol();
    instructions.insert(0, advance_nonce(NONCE, THIEF));
    assert!(!makes(&legacy(&instructions), &sol()));
    // The old transfer, which names neither mint nor decimals.
    let mut data = vec![3];
    data.extend_from_slice(&700_u64.to_le_bytes());
    let destination = payment(TokenProgram::Token).destination;
    let old = of_token(
        data,
        vec![
            meta(SOURCE, false, true),
            meta(destination, false, true),
            meta(FROM, true, false),
        ],
    );
    assert!(!makes(&legacy(&[compute_unit_limit(600), old]), &token()));
}
