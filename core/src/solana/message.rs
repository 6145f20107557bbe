//! The message: what the signers sign.

mod v1;

use alloc::vec::Vec;

use super::compact::encode_len;
use super::error::DecodeError;
use super::reader::Reader;
use super::{MAX_TRANSACTION_BYTES, MAX_V1_TRANSACTION_BYTES};
use crate::address::{Address, Blockhash};

pub use v1::TransactionConfig;
pub(super) use v1::V1_PREFIX;

/// Set in the first byte of a versioned message; the other seven bits are the version.
pub(super) const VERSION_PREFIX: u8 = 0x80;

/// The first byte of off-chain messages, which no transaction may begin with.
pub(super) const OFF_CHAIN_PREFIX: u8 = 0xff;

/// Which of the message formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageVersion {
    /// Without a version byte and without lookup tables.
    Legacy,
    /// Version 0, which may refer to address lookup tables.
    V0,
    /// Version 1, with its fee and limits.
    V1(TransactionConfig),
}

impl MessageVersion {
    /// The most bytes that a transaction of this version may have, signatures included.
    #[must_use]
    pub const fn max_transaction_bytes(&self) -> usize {
        match self {
            Self::Legacy | Self::V0 => MAX_TRANSACTION_BYTES,
            Self::V1(_) => MAX_V1_TRANSACTION_BYTES,
        }
    }
}

/// How many of the listed accounts sign, and how many of them are read-only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageHeader {
    /// The first so many accounts must sign; the first of all pays the fee.
    pub num_required_signatures: u8,
    /// The last so many of the signing accounts are read-only.
    pub num_readonly_signed: u8,
    /// The last so many of the other listed accounts are read-only.
    pub num_readonly_unsigned: u8,
}

/// An instruction whose accounts are indexes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CompiledInstruction {
    /// Index of the program among the listed accounts.
    pub program_index: u8,
    /// Indexes among the listed accounts, then the writable, then the read-only looked-up ones.
    pub accounts: Vec<u8>,
    /// The program's own data.
    pub data: Vec<u8>,
}

/// Accounts taken from an address lookup table on the chain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AddressTableLookup {
    /// The table's address.
    pub table: Address,
    /// Entries of the table loaded as writable.
    pub writable: Vec<u8>,
    /// Entries of the table loaded as read-only.
    pub readonly: Vec<u8>,
}

/// A decoded message. What [`Message::decode`] gives is sound: see its errors.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Message {
    /// Legacy, version 0 or version 1 with its settings.
    pub version: MessageVersion,
    /// Counts of signers and read-only accounts.
    pub header: MessageHeader,
    /// The listed accounts, fee payer first.
    pub account_keys: Vec<Address>,
    /// A recent blockhash, or a durable nonce.
    pub recent_blockhash: Blockhash,
    /// The instructions in the order of execution.
    pub instructions: Vec<CompiledInstruction>,
    /// Lookups; always empty but in version 0.
    pub lookups: Vec<AddressTableLookup>,
}

impl Message {
    /// Decodes the bytes that signers sign.
    ///
    /// # Errors
    /// Everything in [`DecodeError`] but `SignatureCount`.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let limit = match bytes.first() {
            Some(&V1_PREFIX) => MAX_V1_TRANSACTION_BYTES,
            _ => MAX_TRANSACTION_BYTES,
        };
        if bytes.len() > limit {
            return Err(DecodeError::TooLong {
                found: bytes.len(),
                limit,
            });
        }
        let mut reader = Reader::new(bytes);
        let message = Self::read(&mut reader)?;
        reader.finish()?;
        message.check()?;
        // The reader admits one spelling only; this holds it to that, whatever changes there.
        if message.encode() != bytes {
            return Err(DecodeError::NonCanonical { offset: 0 });
        }
        Ok(message)
    }

    /// Reads the fields without judging them, leaving the reader behind the message.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let first = *reader.rest().first().ok_or(match reader.offset() {
            0 => DecodeError::Empty,
            offset => DecodeError::Truncated { offset },
        })?;
        let version = match first {
            OFF_CHAIN_PREFIX => return Err(DecodeError::OffChainMessage),
            VERSION_PREFIX => {
                reader.byte()?;
                MessageVersion::V0
            }
            V1_PREFIX => {
                reader.byte()?;
                return v1::read(reader);
            }
            versioned if versioned & VERSION_PREFIX != 0 => {
                return Err(DecodeError::UnsupportedVersion(versioned & !VERSION_PREFIX));
            }
            _ => MessageVersion::Legacy,
        };
        let [
            num_required_signatures,
            num_readonly_signed,
            num_readonly_unsigned,
        ] = reader.array()?;
        Ok(Self {
            version,
            header: MessageHeader {
                num_required_signatures,
                num_readonly_signed,
                num_readonly_unsigned,
            },
            account_keys: reader.compact_items(Address::LEN, |r| r.array().map(Address::new))?,
            recent_blockhash: Blockhash::new(reader.array()?),
            instructions: reader.compact_items(3, read_instruction)?,
            lookups: match version {
                MessageVersion::Legacy | MessageVersion::V1(_) => Vec::new(),
                MessageVersion::V0 => reader.compact_items(Address::LEN + 2, read_lookup)?,
            },
        })
    }

    /// Holds the message to the rules that the network applies before it executes anything, and to
    /// that no account is listed twice.
    ///
    /// # Errors
    /// `BadHeader`, `DuplicateAccount`, `EmptyLookup`, `LookupsNotAllowed`, `TooManyAccounts`, `BadIndex`
    /// and `FeePayerAsProgram`; in version 1 also `TooManySigners`, `TooManyInstructions`,
    /// `LongInstruction` and `BadHeapSize`.
    pub fn check(&self) -> Result<(), DecodeError> {
        match &self.version {
            MessageVersion::V1(config) => v1::check(self, config)?,
            MessageVersion::Legacy if !self.lookups.is_empty() => {
                return Err(DecodeError::LookupsNotAllowed);
            }
            MessageVersion::Legacy | MessageVersion::V0 => {}
        }
        let listed = self.account_keys.len();
        let signers = usize::from(self.header.num_required_signatures);
        // A first byte of 0x80 and above would read as a version.
        if self.header.num_readonly_signed >= self.header.num_required_signatures
            || signers + usize::from(self.header.num_readonly_unsigned) > listed
            || (self.version == MessageVersion::Legacy && signers >= usize::from(VERSION_PREFIX))
        {
            return Err(DecodeError::BadHeader);
        }
        for (second, key) in self.account_keys.iter().enumerate() {
            let earlier = self.account_keys.iter().take(second);
            if let Some(first) = earlier.into_iter().position(|other| other == key) {
                return Err(DecodeError::DuplicateAccount { first, second });
            }
        }
        let mut looked_up = 0_usize;
        for (at, lookup) in self.lookups.iter().enumerate() {
            match lookup.writable.len() + lookup.readonly.len() {
                0 => return Err(DecodeError::EmptyLookup { table: at + 1 }),
                count => looked_up += count,
            }
        }
        let accounts = listed + looked_up;
        if accounts > 256 {
            return Err(DecodeError::TooManyAccounts {
                found: accounts,
                limit: 256,
            });
        }
        for (at, instruction) in self.instructions.iter().enumerate() {
            check_instruction(at + 1, instruction, listed, accounts)?;
        }
        Ok(())
    }

    /// Encodes the bytes that signers sign.
    ///
    /// Lists longer than 65,535 cannot be written and are cut there; no decoded or compiled message
    /// comes near that.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.version.max_transaction_bytes());
        match &self.version {
            MessageVersion::Legacy => {}
            MessageVersion::V0 => out.push(VERSION_PREFIX),
            MessageVersion::V1(config) => {
                v1::write(self, config, &mut out);
                return out;
            }
        }
        out.extend_from_slice(&[
            self.header.num_required_signatures,
            self.header.num_readonly_signed,
            self.header.num_readonly_unsigned,
        ]);
        push_items(&mut out, &self.account_keys, |out, key| {
            out.extend_from_slice(key.as_bytes());
        });
        out.extend_from_slice(self.recent_blockhash.as_bytes());
        push_items(&mut out, &self.instructions, |out, instruction| {
            out.push(instruction.program_index);
            push_bytes(out, &instruction.accounts);
            push_bytes(out, &instruction.data);
        });
        if self.version == MessageVersion::V0 {
            push_items(&mut out, &self.lookups, |out, lookup| {
                out.extend_from_slice(lookup.table.as_bytes());
                push_bytes(out, &lookup.writable);
                push_bytes(out, &lookup.readonly);
            });
        }
        out
    }

    /// The accounts that must sign, fee payer first.
    #[must_use]
    pub fn required_signers(&self) -> &[Address] {
        let count = usize::from(self.header.num_required_signatures);
        self.account_keys.get(..count).unwrap_or(&self.account_keys)
    }

    /// The account that pays the fee.
    ///
    /// # Panics
    /// When the message lists no account, which no decoded or compiled message does.
    #[must_use]
    pub fn fee_payer(&self) -> &Address {
        self.account_keys
            .first()
            .expect("a checked header has at least one signer among the accounts")
    }

    /// Whether the account at `index` (counted from 0, lookups after the listed accounts) is asked for
    /// as writable. The runtime may still load it read-only: programs and sysvars always are.
    #[must_use]
    pub fn is_writable(&self, index: usize) -> bool {
        let listed = self.account_keys.len();
        let signers = usize::from(self.header.num_required_signatures);
        if index >= listed {
            let writable: usize = self.lookups.iter().map(|lookup| lookup.writable.len()).sum();
            index - listed < writable
        } else if index < signers {
            index < signers.saturating_sub(usize::from(self.header.num_readonly_signed))
        } else {
            index < listed.saturating_sub(usize::from(self.header.num_readonly_unsigned))
        }
    }

    /// Whether the account at `index` must sign.
    #[must_use]
    pub fn is_signer(&self, index: usize) -> bool {
        index < usize::from(self.header.num_required_signatures)
    }
}

fn read_instruction(reader: &mut Reader<'_>) -> Result<CompiledInstruction, DecodeError> {
    Ok(CompiledInstruction {
        program_index: reader.byte()?,
        accounts: reader.compact_bytes()?,
        data: reader.compact_bytes()?,
    })
}

fn read_lookup(reader: &mut Reader<'_>) -> Result<AddressTableLookup, DecodeError> {
    Ok(AddressTableLookup {
        table: Address::new(reader.array()?),
        writable: reader.compact_bytes()?,
        readonly: reader.compact_bytes()?,
    })
}

fn check_instruction(
    number: usize,
    instruction: &CompiledInstruction,
    listed: usize,
    accounts: usize,
) -> Result<(), DecodeError> {
    let bad = |index, count| DecodeError::BadIndex {
        instruction: number,
        index,
        count,
    };
    // Programs are never looked up: what a message calls can be read off it.
    if usize::from(instruction.program_index) >= listed {
        return Err(bad(instruction.program_index, listed));
    }
    if instruction.program_index == 0 {
        return Err(DecodeError::FeePayerAsProgram { instruction: number });
    }
    let outside = |index: &&u8| usize::from(**index) >= accounts;
    match instruction.accounts.iter().find(outside) {
        Some(index) => Err(bad(*index, accounts)),
        None => Ok(()),
    }
}

pub(super) fn push_items<T>(out: &mut Vec<u8>, items: &[T], mut push: impl FnMut(&mut Vec<u8>, &T)) {
    let len = u16::try_from(items.len()).unwrap_or(u16::MAX);
    encode_len(out, len);
    for item in items.iter().take(usize::from(len)) {
        push(out, item);
    }
}

fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    push_items(out, bytes, |out, byte| out.push(*byte));
}

#[cfg(test)]
mod tests;
