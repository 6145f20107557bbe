//! Instructions of SPL Token and Token-2022, and of the program that creates associated accounts.
//!
//! `program` is one of the two token programs; nothing here asks which of them knows an instruction.
//!
//! Interfaces: <https://docs.rs/spl-token-interface>, <https://docs.rs/spl-token-2022-interface> and
//! <https://docs.rs/spl-associated-token-account-interface>.

use alloc::vec;
use alloc::vec::Vec;

use super::{instruction, payer, readable, signer, writable};
use crate::address::Address;
use crate::intent::programs;
use crate::solana::build::{AccountMeta, Instruction};
use crate::solana::derived::associated_token_account;

/// What a transfer of tokens names; amounts are in smallest units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenPayment {
    /// The token program of the mint.
    pub program: Address,
    /// The token account debited.
    pub source: Address,
    /// The token.
    pub mint: Address,
    /// The token account credited.
    pub destination: Address,
    /// The owner or delegate of the source, who signs.
    pub authority: Address,
    /// Smallest units.
    pub amount: u64,
    /// Decimals of the mint; the program refuses others.
    pub decimals: u8,
}

impl TokenPayment {
    fn accounts(&self) -> Vec<AccountMeta> {
        vec![
            writable(self.source),
            readable(self.mint),
            writable(self.destination),
            signer(self.authority),
        ]
    }
}

/// Moves tokens (`TransferChecked`).
#[must_use]
pub fn token_transfer(payment: &TokenPayment) -> Instruction {
    let data = [&[12][..], &payment.amount.to_le_bytes(), &[payment.decimals]];
    instruction(payment.program, payment.accounts(), &data)
}

/// Moves tokens of a Token-2022 mint with a transfer fee (`TransferCheckedWithFee`), and fails if the fee is not `fee`.
#[must_use]
pub fn token_transfer_with_fee(payment: &TokenPayment, fee: u64) -> Instruction {
    let data = [
        &[26, 1][..],
        &payment.amount.to_le_bytes(),
        &[payment.decimals],
        &fee.to_le_bytes(),
    ];
    instruction(payment.program, payment.accounts(), &data)
}

/// Closes an empty token account, or one of wrapped SOL; its lamports go to `destination`, and `owner` (or its close
/// authority) signs.
#[must_use]
pub fn close_token_account(
    program: Address,
    account: Address,
    destination: Address,
    owner: Address,
) -> Instruction {
    let accounts = vec![writable(account), writable(destination), signer(owner)];
    instruction(program, accounts, &[&[9]])
}

/// Takes what an account, mint or multisig of the program holds above its rent (`WithdrawExcessLamports`).
#[must_use]
pub fn withdraw_excess_lamports(
    program: Address,
    account: Address,
    destination: Address,
    authority: Address,
) -> Instruction {
    let accounts = vec![writable(account), writable(destination), signer(authority)];
    instruction(program, accounts, &[&[38]])
}

/// Moves the transfer fees that Token-2022 accounts withhold to their mint, so that they can be closed. Nobody signs.
#[must_use]
pub fn harvest_withheld_tokens(mint: Address, accounts: &[Address]) -> Instruction {
    let mut metas = vec![writable(mint)];
    metas.extend(accounts.iter().copied().map(writable));
    instruction(programs::TOKEN_2022, metas, &[&[26, 4]])
}

/// Counts the lamports that came to an account of wrapped SOL (`SyncNative`).
#[must_use]
pub fn sync_native(program: Address, account: Address) -> Instruction {
    instruction(program, vec![writable(account)], &[&[17]])
}

/// Creates a wallet's associated account for a token unless it is there already (`CreateIdempotent`); `funder` signs and
/// pays its rent.
#[must_use]
pub fn create_associated_account(
    funder: Address,
    wallet: Address,
    token_program: Address,
    mint: Address,
) -> Instruction {
    let accounts = vec![
        payer(funder),
        writable(associated_token_account(&wallet, &token_program, &mint)),
        readable(wallet),
        readable(mint),
        readable(programs::SYSTEM),
        readable(token_program),
    ];
    instruction(programs::ASSOCIATED_TOKEN, accounts, &[&[1]])
}
