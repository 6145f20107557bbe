//! Durable nonces: accounts of the System program whose value stands in a blockhash's place.
//!
//! Interface: <https://docs.rs/solana-system-interface>; how they work: <https://solana.com/docs/core/transactions>.

use alloc::vec;

use super::{instruction, payer, readable, signer, writable};
use crate::address::Address;
use crate::amount::Lamports;
use crate::intent::programs;
use crate::solana::build::Instruction;
use crate::solana::derived::seeded_address;

/// Bytes of a nonce account's data.
pub const NONCE_ACCOUNT_BYTES: u64 = 80;

/// Creates an account at an address of its own, whose key signs too.
#[must_use]
pub fn create_account(
    funder: Address,
    account: Address,
    lamports: Lamports,
    space: u64,
    owner: Address,
) -> Instruction {
    let data = [
        &0_u32.to_le_bytes()[..],
        &lamports.get().to_le_bytes(),
        &space.to_le_bytes(),
        owner.as_bytes(),
    ];
    instruction(programs::SYSTEM, vec![payer(funder), payer(account)], &data)
}

/// Creates an account at [`seeded_address`] of `base`, which signs in its place. `None` where there is no such address.
#[must_use]
pub fn create_account_with_seed(
    funder: Address,
    (base, seed): (Address, &str),
    lamports: Lamports,
    space: u64,
    owner: Address,
) -> Option<Instruction> {
    let account = seeded_address(&base, seed, &owner)?;
    let seed_len = u64::try_from(seed.len()).ok()?;
    let data = [
        &3_u32.to_le_bytes()[..],
        base.as_bytes(),
        &seed_len.to_le_bytes(),
        seed.as_bytes(),
        &lamports.get().to_le_bytes(),
        &space.to_le_bytes(),
        owner.as_bytes(),
    ];
    let mut accounts = vec![payer(funder), writable(account)];
    if base != funder {
        accounts.push(signer(base));
    }
    Some(instruction(programs::SYSTEM, accounts, &data))
}

/// Makes an account of [`NONCE_ACCOUNT_BYTES`] a nonce that `authority` may advance, close and hand over.
#[must_use]
pub fn initialize_nonce(nonce: Address, authority: Address) -> Instruction {
    let accounts = vec![
        writable(nonce),
        readable(programs::RECENT_BLOCKHASHES_SYSVAR),
        readable(programs::RENT_SYSVAR),
    ];
    let data = [&6_u32.to_le_bytes()[..], authority.as_bytes()];
    instruction(programs::SYSTEM, accounts, &data)
}

/// Gives a nonce its next value. As a transaction's first instruction it makes the nonce the transaction's lifetime.
#[must_use]
pub fn advance_nonce(nonce: Address, authority: Address) -> Instruction {
    let accounts = vec![
        writable(nonce),
        readable(programs::RECENT_BLOCKHASHES_SYSVAR),
        signer(authority),
    ];
    instruction(programs::SYSTEM, accounts, &[&4_u32.to_le_bytes()])
}

/// Takes lamports out of a nonce account; all of them close it.
#[must_use]
pub fn withdraw_nonce(
    nonce: Address,
    recipient: Address,
    authority: Address,
    lamports: Lamports,
) -> Instruction {
    let accounts = vec![
        writable(nonce),
        writable(recipient),
        readable(programs::RECENT_BLOCKHASHES_SYSVAR),
        readable(programs::RENT_SYSVAR),
        signer(authority),
    ];
    let data = [&5_u32.to_le_bytes()[..], &lamports.get().to_le_bytes()];
    instruction(programs::SYSTEM, accounts, &data)
}

/// Hands a nonce to another authority.
#[must_use]
pub fn authorize_nonce(nonce: Address, authority: Address, new_authority: Address) -> Instruction {
    let data = [&7_u32.to_le_bytes()[..], new_authority.as_bytes()];
    instruction(programs::SYSTEM, vec![writable(nonce), signer(authority)], &data)
}
