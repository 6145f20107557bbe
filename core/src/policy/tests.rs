#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::string::ToString;
use alloc::vec;

use sha2::{Digest, Sha256};

use super::*;
use crate::ed25519::SecretKey;
use crate::intent::programs;
use crate::solana::instructions::{compute_unit_limit, compute_unit_price, memo, sol_transfer};
use crate::solana::samples::{self, BLOCKHASH, PAYER, RECIPIENT};
use crate::solana::{AccountMeta, Instruction, MessageVersion, compile_message};

mod decisions;
mod messages;
mod own;
mod texts;
mod windows;

const SOL: u64 = 1_000_000_000;
const MINT: Address = Address::new([0x77; 32]);
const HOUR_MS: u64 = 3_600_000;

fn limits() -> PolicyLimits {
    PolicyLimits {
        sol_per_transaction: Lamports::new(2 * SOL),
        tokens_per_transaction: 100,
        max_priority_fee: Lamports::new(1_000_000),
        evm: None,
    }
}

fn default() -> Policy {
    Policy::default_for(limits())
}

fn pay(lamports: u64) -> Instruction {
    sol_transfer(PAYER, RECIPIENT, Lamports::new(lamports))
}

fn pay_to(to: Address, lamports: u64) -> Instruction {
    sol_transfer(PAYER, to, Lamports::new(lamports))
}

fn call(program: Address, accounts: &[Address], data: &[u8]) -> Instruction {
    Instruction {
        program,
        accounts: accounts
            .iter()
            .map(|address| AccountMeta {
                address: *address,
                is_signer: false,
                is_writable: true,
            })
            .collect(),
        data: data.to_vec(),
    }
}

fn tokens(mint: Address, amount: u64, decimals: u8) -> Instruction {
    let data = [&[12][..], &amount.to_le_bytes(), &[decimals]].concat();
    let [from, to] = [Address::new([0x66; 32]), Address::new([0x67; 32])];
    call(programs::TOKEN, &[from, mint, to, PAYER], &data)
}

fn intent(instructions: &[Instruction]) -> Intent {
    let message = compile_message(MessageVersion::V0, PAYER, instructions, BLOCKHASH).unwrap();
    Intent::from_message(&message)
}

fn decide(policy: &Policy, instructions: &[Instruction]) -> Decision {
    let intent = intent(instructions);
    let request = Request::Transaction {
        wallet: &PAYER,
        intent: &intent,
    };
    evaluate(policy, &request, &Facts::default())
}

fn decide_message(policy: &Policy, message: &[u8]) -> Decision {
    let request = Request::Message {
        wallet: &PAYER,
        message,
    };
    evaluate(policy, &request, &Facts::default())
}

fn codes(decision: &Decision) -> Vec<&'static str> {
    match decision {
        Decision::Allowed(_) => vec![],
        Decision::Refused(refusals) => {
            assert!(!refusals.is_empty());
            refusals.iter().map(Refusal::code).collect()
        }
    }
}

fn allowed(decision: Decision) -> Approval {
    match decision {
        Decision::Allowed(approval) => approval,
        Decision::Refused(refusals) => panic!("refused: {refusals:?}"),
    }
}

fn rule(name: &str, effect: Effect, operations: &[OperationKind]) -> Rule {
    Rule {
        name: name.into(),
        effect,
        matches: RuleMatch {
            operations: operations.to_vec(),
            ..RuleMatch::default()
        },
        limits: Limits::default(),
    }
}

fn spend(amount: impl Into<u128>) -> Spend {
    Spend {
        asset: Asset::Sol,
        amount: amount.into(),
    }
}

fn windowed(limits: &[(u64, u128)]) -> Policy {
    let mut sol = rule("hourly", Effect::Allow, &[OperationKind::SolTransfer]);
    sol.limits.windows = limits
        .iter()
        .map(|(duration_ms, maximum)| WindowLimit {
            asset: Asset::Sol,
            duration_ms: *duration_ms,
            maximum: *maximum,
        })
        .collect();
    Policy {
        version: 1,
        rules: vec![sol],
    }
}
