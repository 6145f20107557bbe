//! From an instruction's bytes to an action, for the few programs that are decoded.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Action, BudgetSettings, ComputeBudgetSetting, UnknownReason, programs};
use crate::address::Address;
use crate::amount::Lamports;
use crate::solana::{CompiledInstruction, Message};

/// Decodes one instruction of a message.
pub(super) fn action(message: &Message, instruction: &CompiledInstruction) -> Action {
    let program = message
        .account_keys
        .get(usize::from(instruction.program_index))
        .copied()
        // A sound message has no such instruction; an address of no program is not decoded.
        .unwrap_or(Address::new([0xff; 32]));
    let accounts: Vec<Address> = instruction
        .accounts
        .iter()
        .filter_map(|index| message.account_keys.get(usize::from(*index)).copied())
        .collect();
    let known = if accounts.len() < instruction.accounts.len() {
        Err(UnknownReason::LookupAccount)
    } else {
        decode(&program, &accounts, &instruction.data)
    };
    known.unwrap_or_else(|reason| Action::Unknown {
        program,
        program_name: programs::name(&program),
        accounts,
        data_len: instruction.data.len(),
        reason,
    })
}

fn decode(program: &Address, accounts: &[Address], data: &[u8]) -> Result<Action, UnknownReason> {
    if *program == programs::SYSTEM {
        system(accounts, data)
    } else if *program == programs::COMPUTE_BUDGET {
        compute_budget(data)
    } else if *program == programs::MEMO || *program == programs::MEMO_V1 {
        Ok(Action::Memo {
            program: *program,
            text: core::str::from_utf8(data).ok().map(String::from),
            bytes_len: data.len(),
            signers: accounts.to_vec(),
        })
    } else if *program == programs::TOKEN || *program == programs::TOKEN_2022 {
        token(*program, accounts, data)
    } else {
        Err(UnknownReason::Program)
    }
}

/// Little-endian fields of exact data: a program may ignore trailing bytes, Keyward does not.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], UnknownReason> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(UnknownReason::DataLength)?;
        self.0 = rest;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8, UnknownReason> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Result<u32, UnknownReason> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, UnknownReason> {
        self.array().map(u64::from_le_bytes)
    }

    fn end(&self) -> Result<(), UnknownReason> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(UnknownReason::DataLength)
        }
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
