//! Looking up the accounts that a version 0 message takes from tables on the chain.
//!
//! What the tables hold is handed in; this module does not ask the chain and cannot know whether it was
//! told the truth. What it relied on is therefore kept beside the message, see
//! [`ResolvedMessage::looked_up`], and enters the intent and its hash.

use alloc::vec::Vec;

use super::error::DecodeError;
use super::message::Message;
use crate::address::Address;

/// An account that comes from a lookup table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LookedUpAccount {
    /// The table's address.
    pub table: Address,
    /// Place within the table, counted from 0.
    pub index: u8,
    /// What the table holds there.
    pub address: Address,
    /// Whether the message asks for it as writable. It never signs.
    pub is_writable: bool,
}

/// A sound message with every account known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedMessage {
    message: Message,
    looked_up: Vec<LookedUpAccount>,
}

/// Why a message's lookup tables were not resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The message itself is unsound.
    #[error("the message is unsound: {0}")]
    Unsound(#[from] DecodeError),
    /// What a table holds was not handed in.
    #[error("what lookup table {table} holds is not known; fetch it from the network, or build without it")]
    MissingTable {
        /// The table.
        table: Address,
    },
    /// The message asks for a place that the table does not have.
    #[error("lookup table {table} has {len} entries and entry {index} is asked for; fetch the table again")]
    OutOfRange {
        /// The table.
        table: Address,
        /// The place asked for, counted from 0.
        index: u8,
        /// How many entries the table has.
        len: usize,
    },
    /// An account is loaded twice, which the network refuses.
    #[error("account {address} is loaded twice; build the transaction again")]
    DuplicateAccount {
        /// The account.
        address: Address,
    },
}

impl Message {
    /// Resolves the message's lookup tables; `contents` gives what a table holds, `None` if unknown. A
    /// message without lookups asks for none.
    ///
    /// # Errors
    /// See [`ResolveError`].
    pub fn resolve<'t>(
        &self,
        contents: impl Fn(&Address) -> Option<&'t [Address]>,
    ) -> Result<ResolvedMessage, ResolveError> {
        self.check()?;
        let mut looked_up: Vec<LookedUpAccount> = Vec::new();
        // The writable accounts of all tables come first, then the read-only ones of all.
        for is_writable in [true, false] {
            for lookup in &self.lookups {
                let table = lookup.table;
                let held = contents(&table).ok_or(ResolveError::MissingTable { table })?;
                let indexes = if is_writable {
                    &lookup.writable
                } else {
                    &lookup.readonly
                };
                for index in indexes {
                    let address = *held.get(usize::from(*index)).ok_or(ResolveError::OutOfRange {
                        table,
                        index: *index,
                        len: held.len(),
                    })?;
                    let again = looked_up.iter().any(|other| other.address == address);
                    if again || self.account_keys.contains(&address) {
                        return Err(ResolveError::DuplicateAccount { address });
                    }
                    looked_up.push(LookedUpAccount {
                        table,
                        index: *index,
                        address,
                        is_writable,
                    });
                }
            }
        }
        Ok(ResolvedMessage {
            message: self.clone(),
            looked_up,
        })
    }
}

impl ResolvedMessage {
    /// The message as it is signed.
    #[must_use]
    pub const fn message(&self) -> &Message {
        &self.message
    }

    /// The accounts from tables, in the order of their indexes: after the listed ones, writable first.
    #[must_use]
    pub fn looked_up(&self) -> &[LookedUpAccount] {
        &self.looked_up
    }

    /// The account at `index`, counted from 0, lookups after the listed accounts.
    #[must_use]
    pub fn account(&self, index: usize) -> Option<Address> {
        let listed = self.message.account_keys.len();
        match index.checked_sub(listed) {
            None => self.message.account_keys.get(index).copied(),
            Some(at) => self.looked_up.get(at).map(|own| own.address),
        }
    }

    /// Whether the account at `index` is asked for as writable.
    #[must_use]
    pub fn is_writable(&self, index: usize) -> bool {
        self.message.is_writable(index)
    }

    /// Whether the account at `index` must sign; looked-up accounts never do.
    #[must_use]
    pub fn is_signer(&self, index: usize) -> bool {
        self.message.is_signer(index)
    }
}

#[cfg(test)]
mod tests;
