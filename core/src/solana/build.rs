//! Compiling instructions into a message, with the accounts in the order that the network demands.
//!
//! It does not know what the instructions do, and never puts an account into a lookup table.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::Transaction;
use super::error::DecodeError;
use super::message::{CompiledInstruction, Message, MessageHeader, MessageVersion};
use crate::address::{Address, Blockhash};

/// An account that an instruction refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccountMeta {
    /// The account.
    pub address: Address,
    /// Whether it must sign.
    pub is_signer: bool,
    /// Whether the instruction may change it.
    pub is_writable: bool,
}

/// An instruction before compilation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Instruction {
    /// The program that executes it.
    pub program: Address,
    /// Accounts in the program's own order.
    pub accounts: Vec<AccountMeta>,
    /// The program's own data.
    pub data: Vec<u8>,
}

/// Why instructions do not make a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There are no instructions.
    #[error("there are no instructions; add at least one")]
    NoInstructions,
    /// More accounts than an index can name.
    #[error("{found} accounts are more than a message can list; split the instructions")]
    TooManyAccounts {
        /// How many accounts there are.
        found: usize,
    },
    /// The transaction would be longer than the network takes.
    #[error("it would have {found} bytes and the network takes at most {limit}; split it")]
    TooLong {
        /// How many bytes the transaction would have, signatures included.
        found: usize,
        /// The most bytes allowed.
        limit: usize,
    },
    /// The instructions make an unsound message.
    #[error("the instructions make an unsound message: {0}")]
    Unsound(DecodeError),
}

#[derive(Default, Clone, Copy)]
struct Demand {
    signer: bool,
    writable: bool,
}

/// Compiles instructions into a message whose transaction fits the network.
///
/// Within each of the four groups (signing or not, writable or read-only) accounts are in the order of
/// their bytes, as Solana's own libraries put them, so that the same instructions give the same bytes.
///
/// # Errors
/// See [`BuildError`].
pub fn compile_message(
    version: MessageVersion,
    fee_payer: Address,
    instructions: &[Instruction],
    blockhash: Blockhash,
) -> Result<Message, BuildError> {
    if instructions.is_empty() {
        return Err(BuildError::NoInstructions);
    }
    let (header, account_keys) = arrange(fee_payer, instructions)?;
    let index_of = |address: &Address| {
        let position = account_keys.iter().position(|key| key == address);
        // `arrange` listed every address of every instruction, 256 at most; no other account stands in for one.
        position
            .and_then(|at| u8::try_from(at).ok())
            .ok_or(BuildError::TooManyAccounts {
                found: account_keys.len(),
            })
    };
    let compiled = instructions
        .iter()
        .map(|instruction| {
            Ok(CompiledInstruction {
                program_index: index_of(&instruction.program)?,
                accounts: instruction
                    .accounts
                    .iter()
                    .map(|account| index_of(&account.address))
                    .collect::<Result<_, BuildError>>()?,
                data: instruction.data.clone(),
            })
        })
        .collect::<Result<_, BuildError>>()?;
    let message = Message {
        version,
        header,
        account_keys,
        recent_blockhash: blockhash,
        instructions: compiled,
        lookups: Vec::new(),
    };
    // In version 1 more accounts or longer data than allowed cannot even be written.
    if let MessageVersion::V1(_) = version {
        message.check().map_err(BuildError::Unsound)?;
    }
    let limit = version.max_transaction_bytes();
    let found = Transaction::unsigned(message.clone()).encode().len();
    if found > limit {
        return Err(BuildError::TooLong { found, limit });
    }
    message.check().map_err(BuildError::Unsound)?;
    Ok(message)
}

fn arrange(
    fee_payer: Address,
    instructions: &[Instruction],
) -> Result<(MessageHeader, Vec<Address>), BuildError> {
    let mut demands = BTreeMap::<Address, Demand>::new();
    for instruction in instructions {
        demands.entry(instruction.program).or_default();
        for account in &instruction.accounts {
            let demand = demands.entry(account.address).or_default();
            demand.signer |= account.is_signer;
            demand.writable |= account.is_writable;
        }
    }
    demands.remove(&fee_payer);
    let found = demands.len() + 1;
    if found > 256 {
        return Err(BuildError::TooManyAccounts { found });
    }
    let group = |signer, writable| {
        demands
            .iter()
            .filter(move |(_, demand)| demand.signer == signer && demand.writable == writable)
            .map(|(address, _)| *address)
            .collect::<Vec<_>>()
    };
    let (writable_signers, readonly_signers) = (group(true, true), group(true, false));
    let (writable, readonly) = (group(false, true), group(false, false));
    let count = |found: usize| u8::try_from(found).map_err(|_| BuildError::TooManyAccounts { found });
    let header = MessageHeader {
        num_required_signatures: count(1 + writable_signers.len() + readonly_signers.len())?,
        num_readonly_signed: count(readonly_signers.len())?,
        num_readonly_unsigned: count(readonly.len())?,
    };
    let mut keys = Vec::with_capacity(found);
    keys.push(fee_payer);
    for part in [writable_signers, readonly_signers, writable, readonly] {
        keys.extend(part);
    }
    Ok((header, keys))
}

#[cfg(test)]
mod tests;
