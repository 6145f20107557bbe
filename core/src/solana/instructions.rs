//! The few instructions that Keyward builds itself.
//!
//! Each is held against its program's own interface crate (`tests/tests/builders.rs`). Nothing here says whether an
//! instruction is allowed, or will succeed.

mod nonce;
mod token;

use alloc::vec::Vec;

use super::build::{AccountMeta, Instruction};
use crate::address::Address;
use crate::amount::Lamports;
use crate::intent::programs;

pub use nonce::{
    NONCE_ACCOUNT_BYTES, advance_nonce, authorize_nonce, create_account, create_account_with_seed,
    initialize_nonce, withdraw_nonce,
};
pub use token::{
    TokenPayment, close_token_account, create_associated_account, harvest_withheld_tokens, sync_native,
    token_transfer, token_transfer_with_fee, withdraw_excess_lamports,
};

/// Moves lamports from one account to another; `from` must sign.
#[must_use]
pub fn sol_transfer(from: Address, to: Address, amount: Lamports) -> Instruction {
    let mut data = Vec::with_capacity(12);
    data.extend_from_slice(&2_u32.to_le_bytes());
    data.extend_from_slice(&amount.get().to_le_bytes());
    Instruction {
        program: programs::SYSTEM,
        accounts: [(from, true), (to, false)]
            .map(|(address, is_signer)| AccountMeta {
                address,
                is_signer,
                is_writable: true,
            })
            .to_vec(),
        data,
    }
}

/// Limits the transaction's compute units.
#[must_use]
pub fn compute_unit_limit(units: u32) -> Instruction {
    compute_budget(2, &units.to_le_bytes())
}

/// Sets the priority fee per compute unit, in millionths of a lamport.
#[must_use]
pub fn compute_unit_price(micro_lamports: u64) -> Instruction {
    compute_budget(3, &micro_lamports.to_le_bytes())
}

/// Writes a text into the transaction's log; every address of `signers` must sign.
#[must_use]
pub fn memo(text: &str, signers: &[Address]) -> Instruction {
    Instruction {
        program: programs::MEMO,
        accounts: signers
            .iter()
            .map(|address| AccountMeta {
                address: *address,
                is_signer: true,
                is_writable: false,
            })
            .collect(),
        data: text.as_bytes().to_vec(),
    }
}

fn compute_budget(tag: u8, value: &[u8]) -> Instruction {
    let mut data = Vec::with_capacity(1 + value.len());
    data.push(tag);
    data.extend_from_slice(value);
    Instruction {
        program: programs::COMPUTE_BUDGET,
        accounts: Vec::new(),
        data,
    }
}

fn instruction(program: Address, accounts: Vec<AccountMeta>, data: &[&[u8]]) -> Instruction {
    Instruction {
        program,
        accounts,
        data: data.concat(),
    }
}

/// An account that signs and is debited.
const fn payer(address: Address) -> AccountMeta {
    meta(address, true, true)
}

/// An account that signs and stays as it is.
const fn signer(address: Address) -> AccountMeta {
    meta(address, true, false)
}

/// An account that changes.
const fn writable(address: Address) -> AccountMeta {
    meta(address, false, true)
}

/// An account that is only read.
const fn readable(address: Address) -> AccountMeta {
    meta(address, false, false)
}

const fn meta(address: Address, is_signer: bool, is_writable: bool) -> AccountMeta {
    AccountMeta {
        address,
        is_signer,
        is_writable,
    }
}
