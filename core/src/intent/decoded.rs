//! An instruction told field by field.
//!
//! It is for reading only: policy treats a decoded instruction like any other call of its program, which
//! must be named to be allowed; lamports that the System program moves count against limits.

use alloc::string::String;
use alloc::vec::Vec;

use crate::address::Address;
use crate::amount::Lamports;

/// A named part of an instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// What it is, in the words of the program's interface.
    pub label: &'static str,
    /// Its value.
    pub value: FieldValue,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldValue {
    /// An account of the instruction.
    Account(Address),
    /// Further accounts, in order: signers of a multisig, or whatever a program chose to pass.
    Accounts(Vec<Address>),
    /// Addresses within the data.
    Addresses(Vec<Address>),
    /// An address within the data.
    Address(Address),
    /// No value where one is optional.
    Nothing,
    /// An amount of SOL.
    Lamports(Lamports),
    /// A count, an amount in smallest units, a slot or an epoch.
    Number(u64),
    /// A number that may be negative.
    Signed(i64),
    /// One of the values that the interface names.
    Word(&'static str),
    /// Text taken from the data; it may hold anything, escape it before showing it.
    Text(String),
    /// Bytes that are not decoded further.
    Bytes(Vec<u8>),
}

/// Why an instruction deserves a second look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum Danger {
    /// A program takes an account over.
    #[error("a program takes the account over")]
    AccountAssigned,
    /// A token account gets another owner.
    #[error("another owner takes the account with everything in it")]
    OwnerChange,
    /// Somebody else gets an authority, or it is given up for ever.
    #[error("control passes to another, or is given up for ever")]
    AuthorityChange,
    /// Somebody else may spend from the account.
    #[error("another may spend from the account")]
    DelegateApproval,
    /// Somebody else may spend everything, now and later.
    #[error("the approval has no limit")]
    UnlimitedApproval,
    /// Somebody may move or burn every holder's tokens.
    #[error("one authority may move or burn the tokens of every holder")]
    PermanentDelegate,
    /// What is left or withdrawn goes to an account that does not sign.
    #[error("the money goes to an account that does not sign")]
    PaysStranger,
    /// A program's code changes.
    #[error("the program's code changes")]
    ProgramChange,
    /// A program or its buffer ends, or can never change again.
    #[error("this cannot be undone")]
    Irrevocable,
}

/// The value of a field, if an instruction has it.
#[must_use]
pub fn field<'f>(fields: &'f [Field], label: &str) -> Option<&'f FieldValue> {
    fields.iter().find(|own| own.label == label).map(|own| &own.value)
}
