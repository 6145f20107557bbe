//! Version 1: longer, without lookup tables, with the fee and the limits in the message itself.
//!
//! Byte 0x81, the header's three counts, a mask of the settings given (four bytes, little-endian), the
//! blockhash, the counts of instructions and of accounts (a byte each), the accounts, the settings, four
//! bytes for each instruction (program, number of accounts, length of data in two bytes, little-endian),
//! and then each instruction's accounts and data. In a transaction the signatures follow the message,
//! without a count.
//!
//! Specification: SIMD-0385, <https://github.com/solana-foundation/solana-improvement-documents>.

use alloc::vec::Vec;

use super::super::error::DecodeError;
use super::super::reader::Reader;
use super::{CompiledInstruction, Message, MessageHeader, MessageVersion};
use crate::address::{Address, Blockhash};
use crate::amount::Lamports;

/// The first byte of a version 1 message.
pub(in super::super) const V1_PREFIX: u8 = 0x81;
/// The most signatures.
const MAX_SIGNATURES: u8 = 12;
/// The most accounts.
const MAX_ACCOUNTS: usize = 64;
/// The most instructions.
const MAX_INSTRUCTIONS: usize = 64;

/// Bits of the mask. The fee has two, one for each four bytes, and they come together.
const PRIORITY_FEE: u32 = 0b11;
const COMPUTE_UNIT_LIMIT: u32 = 0b100;
const LOADED_ACCOUNTS_DATA_SIZE: u32 = 0b1000;
const HEAP_SIZE: u32 = 0b1_0000;
const KNOWN: u32 = PRIORITY_FEE | COMPUTE_UNIT_LIMIT | LOADED_ACCOUNTS_DATA_SIZE | HEAP_SIZE;

/// What a version 1 message says about its fee and limits; older versions use instructions for that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct TransactionConfig {
    /// The whole priority fee, not a price per compute unit.
    pub priority_fee: Option<Lamports>,
    /// The most compute units.
    pub compute_unit_limit: Option<u32>,
    /// The most bytes of loaded accounts.
    pub loaded_accounts_data_size_limit: Option<u32>,
    /// Bytes of heap for each program: a multiple of 1024 from 32,768 to 262,144.
    pub heap_size: Option<u32>,
}

impl TransactionConfig {
    fn mask(&self) -> u32 {
        let bit = |given: bool, bit: u32| if given { bit } else { 0 };
        bit(self.priority_fee.is_some(), PRIORITY_FEE)
            | bit(self.compute_unit_limit.is_some(), COMPUTE_UNIT_LIMIT)
            | bit(
                self.loaded_accounts_data_size_limit.is_some(),
                LOADED_ACCOUNTS_DATA_SIZE,
            )
            | bit(self.heap_size.is_some(), HEAP_SIZE)
    }

    fn read(reader: &mut Reader<'_>, mask: u32) -> Result<Self, DecodeError> {
        let mut config = Self::default();
        if mask & PRIORITY_FEE != 0 {
            config.priority_fee = Some(Lamports::new(u64::from_le_bytes(reader.array()?)));
        }
        if mask & COMPUTE_UNIT_LIMIT != 0 {
            config.compute_unit_limit = Some(u32::from_le_bytes(reader.array()?));
        }
        if mask & LOADED_ACCOUNTS_DATA_SIZE != 0 {
            config.loaded_accounts_data_size_limit = Some(u32::from_le_bytes(reader.array()?));
        }
        if mask & HEAP_SIZE != 0 {
            config.heap_size = Some(u32::from_le_bytes(reader.array()?));
        }
        Ok(config)
    }

    fn write(&self, out: &mut Vec<u8>) {
        if let Some(fee) = self.priority_fee {
            out.extend_from_slice(&fee.get().to_le_bytes());
        }
        let settings = [
            self.compute_unit_limit,
            self.loaded_accounts_data_size_limit,
            self.heap_size,
        ];
        for value in settings.into_iter().flatten() {
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}

/// Reads the fields after the version byte without judging them.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<Message, DecodeError> {
    let [
        num_required_signatures,
        num_readonly_signed,
        num_readonly_unsigned,
    ] = reader.array()?;
    let mask = u32::from_le_bytes(reader.array()?);
    // A setting that is not understood could not be written back, and might cost anything.
    if mask & !KNOWN != 0 || !matches!(mask & PRIORITY_FEE, 0 | PRIORITY_FEE) {
        return Err(DecodeError::BadConfigMask { mask });
    }
    let recent_blockhash = Blockhash::new(reader.array()?);
    let [instructions, accounts] = reader.array::<2>()?.map(usize::from);
    let account_keys = reader.items(accounts, Address::LEN, |r| r.array().map(Address::new))?;
    let config = TransactionConfig::read(reader, mask)?;
    let heads = reader.items(instructions, 4, |r| {
        let [program_index, accounts, low, high] = r.array()?;
        Ok((program_index, accounts, u16::from_le_bytes([low, high])))
    })?;
    let mut instructions = Vec::with_capacity(heads.len());
    for (program_index, accounts, data) in heads {
        instructions.push(CompiledInstruction {
            program_index,
            accounts: reader.take(usize::from(accounts))?.to_vec(),
            data: reader.take(usize::from(data))?.to_vec(),
        });
    }
    Ok(Message {
        version: MessageVersion::V1(config),
        header: MessageHeader {
            num_required_signatures,
            num_readonly_signed,
            num_readonly_unsigned,
        },
        account_keys,
        recent_blockhash,
        instructions,
        lookups: Vec::new(),
    })
}

/// Appends the message, version byte included. Counts that do not fit are cut; [`check`] refuses them.
pub(super) fn write(message: &Message, config: &TransactionConfig, out: &mut Vec<u8>) {
    let byte = |count: usize| u8::try_from(count).unwrap_or(u8::MAX);
    out.extend_from_slice(&[
        V1_PREFIX,
        message.header.num_required_signatures,
        message.header.num_readonly_signed,
        message.header.num_readonly_unsigned,
    ]);
    out.extend_from_slice(&config.mask().to_le_bytes());
    out.extend_from_slice(message.recent_blockhash.as_bytes());
    let (instructions, accounts) = (byte(message.instructions.len()), byte(message.account_keys.len()));
    out.extend_from_slice(&[instructions, accounts]);
    for key in message.account_keys.iter().take(usize::from(accounts)) {
        out.extend_from_slice(key.as_bytes());
    }
    config.write(out);
    let written = || message.instructions.iter().take(usize::from(instructions));
    let data_len = |data: &[u8]| u16::try_from(data.len()).unwrap_or(u16::MAX);
    for instruction in written() {
        out.extend_from_slice(&[instruction.program_index, byte(instruction.accounts.len())]);
        out.extend_from_slice(&data_len(&instruction.data).to_le_bytes());
    }
    for instruction in written() {
        let accounts = usize::from(byte(instruction.accounts.len()));
        out.extend(instruction.accounts.iter().take(accounts));
        let data = usize::from(data_len(&instruction.data));
        out.extend(instruction.data.iter().take(data));
    }
}

/// The rules that only version 1 has.
pub(super) fn check(message: &Message, config: &TransactionConfig) -> Result<(), DecodeError> {
    let signatures = message.header.num_required_signatures;
    if signatures > MAX_SIGNATURES {
        return Err(DecodeError::TooManySigners {
            found: usize::from(signatures),
            limit: usize::from(MAX_SIGNATURES),
        });
    }
    if message.instructions.len() > MAX_INSTRUCTIONS {
        return Err(DecodeError::TooManyInstructions {
            found: message.instructions.len(),
            limit: MAX_INSTRUCTIONS,
        });
    }
    if message.account_keys.len() > MAX_ACCOUNTS {
        return Err(DecodeError::TooManyAccounts {
            found: message.account_keys.len(),
            limit: MAX_ACCOUNTS,
        });
    }
    // Neither can come from bytes; a message put together by hand could not be written.
    if !message.lookups.is_empty() {
        return Err(DecodeError::LookupsNotAllowed);
    }
    let unwritable = |own: &CompiledInstruction| own.accounts.len() > 255 || own.data.len() > 65_535;
    if let Some(at) = message.instructions.iter().position(unwritable) {
        return Err(DecodeError::LongInstruction { instruction: at + 1 });
    }
    match config.heap_size {
        Some(bytes) if !(32_768..=262_144).contains(&bytes) || bytes % 1024 != 0 => {
            Err(DecodeError::BadHeapSize { bytes })
        }
        _ => Ok(()),
    }
}
