//! From an instruction's bytes to an action, for the few programs that are decoded.

use alloc::string::String;
use alloc::vec::Vec;

use super::table::{self, Call, Fields};
use super::{Action, BudgetSettings, ComputeBudgetSetting, DurableNonce, UnknownReason, programs, tables};
use crate::address::Address;
use crate::amount::Lamports;
use crate::solana::{CompiledInstruction, Message};

/// The most bytes of an unknown instruction's data that are kept for showing.
const DATA_SHOWN: usize = 32;

/// What stands at an index: after the listed accounts those of lookup tables, if they are known.
pub(super) type Accounts<'a> = &'a dyn Fn(usize) -> Option<Address>;

/// Decodes one instruction of a message.
pub(super) fn action(message: &Message, known: Accounts<'_>, instruction: &CompiledInstruction) -> Action {
    let program = message
        .account_keys
        .get(usize::from(instruction.program_index))
        .copied()
        // A sound message has no such instruction; an address of no program is not decoded.
        .unwrap_or(Address::new([0xff; 32]));
    let accounts: Vec<Address> = instruction
        .accounts
        .iter()
        .filter_map(|index| known(usize::from(*index)))
        .collect();
    let decoded = if accounts.len() < instruction.accounts.len() {
        Err(UnknownReason::LookupAccount)
    } else {
        let call = Call {
            program,
            program_name: programs::name(&program).unwrap_or_default(),
            accounts: &accounts,
            data: &instruction.data,
            signers: message.required_signers(),
        };
        decode(&call)
    };
    decoded.unwrap_or_else(|reason| Action::Unknown {
        program,
        program_name: programs::name(&program),
        accounts,
        data_len: instruction.data.len(),
        data_start: instruction.data.iter().copied().take(DATA_SHOWN).collect(),
        reason,
    })
}

/// That the transaction's lifetime is a nonce: its first instruction advances one.
pub(super) fn durable_nonce(message: &Message, known: Accounts<'_>) -> Option<DurableNonce> {
    let first = message.instructions.first()?;
    let program = message.account_keys.get(usize::from(first.program_index))?;
    // The network looks at the tag alone, so trailing bytes make no difference.
    if *program != programs::SYSTEM || !first.data.starts_with(&[4, 0, 0, 0]) {
        return None;
    }
    let account = |at: usize| known(usize::from(*first.accounts.get(at)?));
    Some(DurableNonce {
        account: account(0),
        authority: account(2),
    })
}

fn decode(call: &Call<'_>) -> Result<Action, UnknownReason> {
    let (program, accounts, data) = (&call.program, call.accounts, call.data);
    if *program == programs::SYSTEM {
        match data.first_chunk::<4>() {
            Some([2, 0, 0, 0]) => system(accounts, data),
            None => Err(UnknownReason::DataLength),
            _ => table::read(&[tables::system::ROWS], call),
        }
    } else if *program == programs::COMPUTE_BUDGET {
        compute_budget(data)
    } else if *program == programs::MEMO || *program == programs::MEMO_V1 {
        Ok(Action::Memo {
            program: *program,
            text: core::str::from_utf8(data).ok().map(String::from),
            bytes_len: data.len(),
            signers: accounts.to_vec(),
        })
    } else if *program == programs::TOKEN {
        match data {
            [3 | 12, ..] => token(*program, accounts, data),
            _ => table::read(&[tables::token::ROWS, tables::token::ONLY_FIRST], call),
        }
    } else if *program == programs::TOKEN_2022 {
        match data {
            [3 | 12, ..] | [26, 1, ..] => token(*program, accounts, data),
            [26] => Err(UnknownReason::DataLength),
            _ => {
                use tables::token_2022::{CONFIDENTIAL, INTERFACES, ROWS};
                // A hash may begin with the number of an instruction, so that the hashes come first.
                table::read(&[INTERFACES, tables::token::ROWS, ROWS, CONFIDENTIAL], call)
            }
        }
    } else if *program == programs::ASSOCIATED_TOKEN {
        match data {
            [_, _, ..] => Err(UnknownReason::DataLength),
            [tag] if *tag > 2 => Err(UnknownReason::Instruction),
            _ => table::read(&[tables::lookup_table::ASSOCIATED_TOKEN], call),
        }
    } else if *program == programs::STAKE {
        table::read(&[tables::stake::ROWS], call)
    } else if *program == programs::LOOKUP_TABLE {
        table::read(&[tables::lookup_table::ROWS], call)
    } else if *program == programs::UPGRADEABLE_LOADER {
        table::read(&[tables::loader::UPGRADEABLE], call)
    } else if *program == programs::LOADER_V4 {
        table::read(&[tables::loader::V4], call)
    } else {
        Err(UnknownReason::Program)
    }
}

/// System instruction 2, Transfer. The program ignores further accounts, such as the references that
/// Solana Pay adds.
fn system(accounts: &[Address], data: &[u8]) -> Result<Action, UnknownReason> {
    let mut fields = Fields(data);
    if fields.u32()? != 2 {
        return Err(UnknownReason::Instruction);
    }
    let lamports = Lamports::new(fields.u64()?);
    fields.end()?;
    match accounts {
        [from, to, ..] => Ok(Action::SolTransfer {
            from: *from,
            to: *to,
            lamports,
        }),
        _ => Err(UnknownReason::TooFewAccounts),
    }
}

fn compute_budget(data: &[u8]) -> Result<Action, UnknownReason> {
    let mut fields = Fields(data);
    let setting = match fields.u8()? {
        1 => ComputeBudgetSetting::HeapFrame(fields.u32()?),
        2 => ComputeBudgetSetting::UnitLimit(fields.u32()?),
        3 => ComputeBudgetSetting::UnitPrice(fields.u64()?),
        4 => ComputeBudgetSetting::LoadedAccountsDataSize(fields.u32()?),
        _ => return Err(UnknownReason::Instruction),
    };
    fields.end()?;
    Ok(Action::ComputeBudget { setting })
}

/// Token instructions 3 (Transfer), 12 (TransferChecked) and, for Token-2022, 26.1
/// (TransferCheckedWithFee).
fn token(program: Address, accounts: &[Address], data: &[u8]) -> Result<Action, UnknownReason> {
    let mut fields = Fields(data);
    let checked = match fields.u8()? {
        3 => false,
        12 => true,
        26 if program == programs::TOKEN_2022 => {
            if fields.u8()? != 1 {
                return Err(UnknownReason::Instruction);
            }
            let (amount, decimals, fee) = (fields.u64()?, fields.u8()?, fields.u64()?);
            fields.end()?;
            return checked_transfer(program, accounts, amount, decimals, Some(fee));
        }
        _ => return Err(UnknownReason::Instruction),
    };
    let amount = fields.u64()?;
    if checked {
        let decimals = fields.u8()?;
        fields.end()?;
        return checked_transfer(program, accounts, amount, decimals, None);
    }
    fields.end()?;
    match accounts {
        [source, destination, authority, extra @ ..] => Ok(Action::TokenTransfer {
            program,
            source: *source,
            destination: *destination,
            authority: *authority,
            mint: None,
            amount,
            decimals: None,
            fee: None,
            extra_accounts: extra.to_vec(),
        }),
        _ => Err(UnknownReason::TooFewAccounts),
    }
}

fn checked_transfer(
    program: Address,
    accounts: &[Address],
    amount: u64,
    decimals: u8,
    fee: Option<u64>,
) -> Result<Action, UnknownReason> {
    match accounts {
        [source, mint, destination, authority, extra @ ..] => Ok(Action::TokenTransfer {
            program,
            source: *source,
            destination: *destination,
            authority: *authority,
            mint: Some(*mint),
            amount,
            decimals: Some(decimals),
            fee,
            extra_accounts: extra.to_vec(),
        }),
        _ => Err(UnknownReason::TooFewAccounts),
    }
}

/// What the compute-budget instructions of a message say together.
pub(super) struct Budget {
    pub(super) unit_limit: Option<u32>,
    pub(super) unit_price: Option<u64>,
    pub(super) settings: BudgetSettings,
}

pub(super) fn budget(actions: &[Action]) -> Budget {
    let mut budget = Budget {
        unit_limit: None,
        unit_price: None,
        settings: BudgetSettings::Distinct,
    };
    let mut seen = Vec::new();
    for action in actions {
        let Action::ComputeBudget { setting } = action else {
            continue;
        };
        let kind = core::mem::discriminant(setting);
        if seen.contains(&kind) {
            budget.settings = BudgetSettings::Duplicate;
        }
        seen.push(kind);
        match *setting {
            ComputeBudgetSetting::UnitLimit(units) => {
                budget.unit_limit = budget.unit_limit.max(Some(units));
            }
            ComputeBudgetSetting::UnitPrice(price) => {
                budget.unit_price = budget.unit_price.max(Some(price));
            }
            ComputeBudgetSetting::HeapFrame(_)
            | ComputeBudgetSetting::LoadedAccountsDataSize(_)
            | ComputeBudgetSetting::PriorityFee(_) => {}
        }
    }
    budget
}
