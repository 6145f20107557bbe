//! Reading an instruction by a row that says which accounts and data it has.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::decoded::{Danger, Field, FieldValue, field};
use super::{Action, UnknownReason};
use crate::address::Address;
use crate::amount::Lamports;

/// One instruction of a program.
pub(super) struct Row {
    /// The bytes that its data begins with.
    pub(super) tag: &'static [u8],
    /// Its name in the program's interface.
    pub(super) name: &'static str,
    /// Its accounts in order; those that end in `?` may be left out.
    pub(super) accounts: &'static [&'static str],
    /// What follows the tag.
    pub(super) data: &'static [(&'static str, Kind)],
    /// When to warn.
    pub(super) dangers: &'static [When],
}

/// When an instruction is dangerous.
pub(super) enum When {
    Always(Danger),
    /// When this number is the largest there is.
    Largest(&'static str, Danger),
    /// When this account is not among the transaction's signers.
    NotSigner(&'static str, Danger),
    /// When this field is this word.
    Is(&'static str, &'static str, Danger),
}

/// How a field of the data is written; numbers are little-endian.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    U8,
    Bool,
    U16,
    U32,
    U64,
    /// Eight bytes that count lamports.
    Lamports,
    I16,
    I64,
    F64,
    Address,
    /// A byte 0, or 1 and an address.
    TaggedAddress,
    /// An address whose zeros mean none.
    ZeroableAddress,
    /// A byte 0, or 1 and eight bytes.
    TaggedU64,
    TaggedI64,
    /// A byte for one of the words.
    Word(&'static [&'static str]),
    /// Four bytes for one of the words.
    Word32(&'static [&'static str]),
    /// Eight bytes of length and a text.
    Text,
    /// Four bytes of length and a text.
    Text32,
    /// Eight bytes of length and bytes.
    Sized,
    /// Eight bytes of length and addresses.
    Addresses,
    /// Numbers of two bytes up to the end, named by the words.
    Words16(&'static [&'static str]),
    /// Text up to the end.
    RestText,
    /// Whatever is left.
    Rest,
}

/// A row that never warns.
pub(super) const fn row(
    tag: &'static [u8],
    name: &'static str,
    accounts: &'static [&'static str],
    data: &'static [(&'static str, Kind)],
) -> Row {
    risky(tag, name, accounts, data, &[])
}

/// A row that may warn.
pub(super) const fn risky(
    tag: &'static [u8],
    name: &'static str,
    accounts: &'static [&'static str],
    data: &'static [(&'static str, Kind)],
    dangers: &'static [When],
) -> Row {
    Row {
        tag,
        name,
        accounts,
        data,
        dangers,
    }
}

/// An instruction as it was given.
pub(super) struct Call<'a> {
    pub(super) program: Address,
    pub(super) program_name: &'static str,
    pub(super) accounts: &'a [Address],
    pub(super) data: &'a [u8],
    /// Who signs the transaction.
    pub(super) signers: &'a [Address],
}

/// Reads an instruction by the row whose tag it begins with.
pub(super) fn read(rows: &[&[Row]], call: &Call<'_>) -> Result<Action, UnknownReason> {
    let found = rows
        .iter()
        .copied()
        .flatten()
        .find_map(|row| Some((row, call.data.strip_prefix(row.tag)?)));
    let (row, data) = found.ok_or(if call.data.is_empty() {
        UnknownReason::DataLength
    } else {
        UnknownReason::Instruction
    })?;
    let mut fields = accounts(row, call.accounts)?;
    let mut reader = Fields(data);
    for (label, kind) in row.data {
        let value = reader.value(*kind)?;
        fields.push(Field { label, value });
    }
    reader.end()?;
    let holds = |when: &When| match when {
        When::Always(danger) => Some(*danger),
        When::Largest(label, danger) => {
            (field(&fields, label) == Some(&FieldValue::Number(u64::MAX))).then_some(*danger)
        }
        When::NotSigner(label, danger) => match field(&fields, label) {
            Some(FieldValue::Account(address)) if !call.signers.contains(address) => Some(*danger),
            _ => None,
        },
        When::Is(label, word, danger) => {
            (field(&fields, label) == Some(&FieldValue::Word(word))).then_some(*danger)
        }
    };
    let dangers = row.dangers.iter().filter_map(holds).collect();
    Ok(Action::Decoded {
        program: call.program,
        program_name: call.program_name,
        instruction: row.name,
        fields,
        dangers,
    })
}

fn accounts(row: &Row, given: &[Address]) -> Result<Vec<Field>, UnknownReason> {
    let mut fields = Vec::with_capacity(row.accounts.len() + row.data.len() + 1);
    let mut left = given.iter();
    for label in row.accounts {
        let optional = label.strip_suffix('?');
        match left.next() {
            Some(address) => fields.push(Field {
                label: optional.unwrap_or(label),
                value: FieldValue::Account(*address),
            }),
            None if optional.is_some() => {}
            None => return Err(UnknownReason::TooFewAccounts),
        }
    }
    let further: Vec<Address> = left.copied().collect();
    if !further.is_empty() {
        fields.push(Field {
            label: "further accounts",
            value: FieldValue::Accounts(further),
        });
    }
    Ok(fields)
}

/// Little-endian fields of exact data: a program may ignore trailing bytes, Keyward does not.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], UnknownReason> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(UnknownReason::DataLength)?;
        self.0 = rest;
        Ok(*head)
    }

    pub(super) fn u8(&mut self) -> Result<u8, UnknownReason> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self) -> Result<u32, UnknownReason> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, UnknownReason> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn end(&self) -> Result<(), UnknownReason> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(UnknownReason::DataLength)
        }
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], UnknownReason> {
        let len = usize::try_from(len).map_err(|_| UnknownReason::DataLength)?;
        let (head, rest) = self.0.split_at_checked(len).ok_or(UnknownReason::DataLength)?;
        self.0 = rest;
        Ok(head)
    }

    fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.0)
    }

    fn address(&mut self) -> Result<Address, UnknownReason> {
        self.array().map(Address::new)
    }

    /// Whether a value follows; any byte but 0 and 1 is refused.
    fn tagged(&mut self) -> Result<bool, UnknownReason> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(UnknownReason::Instruction),
        }
    }

    fn value(&mut self, kind: Kind) -> Result<FieldValue, UnknownReason> {
        Ok(match kind {
            Kind::U8 => FieldValue::Number(self.u8()?.into()),
            Kind::U16 => FieldValue::Number(u16::from_le_bytes(self.array()?).into()),
            Kind::U32 => FieldValue::Number(self.u32()?.into()),
            Kind::U64 => FieldValue::Number(self.u64()?),
            Kind::Lamports => FieldValue::Lamports(Lamports::new(self.u64()?)),
            Kind::I16 => FieldValue::Signed(i16::from_le_bytes(self.array()?).into()),
            Kind::I64 => FieldValue::Signed(i64::from_le_bytes(self.array()?)),
            Kind::F64 => FieldValue::Text(format!("{}", f64::from_le_bytes(self.array()?))),
            Kind::Bool => FieldValue::Word(if self.tagged()? { "yes" } else { "no" }),
            Kind::Address => FieldValue::Address(self.address()?),
            Kind::ZeroableAddress => match self.address()? {
                address if *address.as_bytes() == [0; 32] => FieldValue::Nothing,
                address => FieldValue::Address(address),
            },
            Kind::TaggedAddress if self.tagged()? => FieldValue::Address(self.address()?),
            Kind::TaggedU64 if self.tagged()? => FieldValue::Number(self.u64()?),
            Kind::TaggedI64 if self.tagged()? => FieldValue::Signed(i64::from_le_bytes(self.array()?)),
            Kind::TaggedAddress | Kind::TaggedU64 | Kind::TaggedI64 => FieldValue::Nothing,
            Kind::Word(words) => word(words, self.u8()?.into())?,
            Kind::Word32(words) => word(words, self.u32()?)?,
            Kind::Text => {
                let len = self.u64()?;
                text(self.take(len)?)?
            }
            Kind::Text32 => {
                let len = self.u32()?;
                text(self.take(len.into())?)?
            }
            Kind::RestText => text(self.rest())?,
            Kind::Sized => {
                let len = self.u64()?;
                FieldValue::Bytes(self.take(len)?.to_vec())
            }
            Kind::Rest => FieldValue::Bytes(self.rest().to_vec()),
            Kind::Addresses => {
                let len = self.u64()?.checked_mul(32).ok_or(UnknownReason::DataLength)?;
                let (chunks, _) = self.take(len)?.as_chunks::<32>();
                FieldValue::Addresses(chunks.iter().map(|bytes| Address::new(*bytes)).collect())
            }
            Kind::Words16(words) => {
                let mut named = Vec::new();
                while !self.0.is_empty() {
                    let number = u16::from_le_bytes(self.array()?);
                    let name = words.get(usize::from(number)).ok_or(UnknownReason::Instruction)?;
                    named.push(*name);
                }
                FieldValue::Text(named.join(", "))
            }
        })
    }
}

fn word(words: &[&'static str], number: u32) -> Result<FieldValue, UnknownReason> {
    let at = usize::try_from(number).map_err(|_| UnknownReason::Instruction)?;
    let word = words.get(at).ok_or(UnknownReason::Instruction)?;
    Ok(FieldValue::Word(word))
}

fn text(bytes: &[u8]) -> Result<FieldValue, UnknownReason> {
    let text = core::str::from_utf8(bytes).map_err(|_| UnknownReason::Instruction)?;
    Ok(FieldValue::Text(String::from(text)))
}
