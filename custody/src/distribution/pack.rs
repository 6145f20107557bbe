//! Packing payments into as few transactions as the network's limits allow.
//!
//! Nothing is estimated: each candidate is assembled and compiled by the very code that builds the transaction later, so a
//! group that was packed always fits. Items stay in their order. The limits are bytes, accounts and instructions, those that
//! programs call among themselves included; compute is the simulation's to find.

use std::ops::Range;

use keyward_core::solana::{BuildError, DecodeError, Message};

/// The most accounts that one transaction may lock.
pub const MAX_ACCOUNTS: usize = 64;
/// The most instructions of one transaction, those that programs call included.
pub const MAX_INSTRUCTIONS: usize = 64;

/// A stretch of items as one transaction.
#[derive(Clone, Debug)]
pub struct Assembled {
    /// Its message, or why it is none.
    pub message: Result<Message, BuildError>,
    /// How many instructions the programs call among themselves, at most.
    pub inner: usize,
}

/// Why items cannot be packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// One item alone is more than a transaction holds.
    #[error("item {item} does not fit a transaction of its own; shorten its memo")]
    TooLarge {
        /// Which, from 0.
        item: usize,
    },
    /// The instructions make no message.
    #[error("item {item} makes no transaction: {cause}")]
    Unsound {
        /// Which, from 0.
        item: usize,
        /// Why not.
        cause: BuildError,
    },
}

/// Divides `count` items into stretches of at most `most` that each fit one transaction. `assemble` compiles a stretch; more
/// items must never take less room.
///
/// # Errors
/// See [`PackError`].
pub fn pack(
    count: usize,
    most: usize,
    assemble: &dyn Fn(Range<usize>) -> Assembled,
) -> Result<Vec<Range<usize>>, PackError> {
    let mut groups = Vec::new();
    let mut start = 0;
    // Neighbours are mostly alike, so that the last group's size is the best guess.
    let mut guess = 1;
    while start < count {
        let longest = (count - start).min(most.max(1));
        let fits = |length: usize| fits(&assemble(start..start + length));
        let mut length = guess.clamp(1, longest);
        let first = fits(length).map_err(|cause| PackError::Unsound { item: start, cause })?;
        if first {
            while length < longest
                && fits(length + 1).map_err(|cause| PackError::Unsound {
                    item: start + length,
                    cause,
                })?
            {
                length += 1;
            }
        } else {
            loop {
                length -= 1;
                if length == 0 {
                    return Err(PackError::TooLarge { item: start });
                }
                if fits(length).map_err(|cause| PackError::Unsound { item: start, cause })? {
                    break;
                }
            }
        }
        groups.push(start..start + length);
        start += length;
        guess = length;
    }
    Ok(groups)
}

/// Whether the network would take this as one transaction, as far as its size decides.
///
/// # Errors
/// [`BuildError`] for what no splitting mends.
pub fn fits(assembled: &Assembled) -> Result<bool, BuildError> {
    match &assembled.message {
        Ok(message) => Ok(message.account_keys.len() <= MAX_ACCOUNTS
            && message.instructions.len() + assembled.inner <= MAX_INSTRUCTIONS),
        Err(BuildError::TooLong { .. } | BuildError::TooManyAccounts { .. }) => Ok(false),
        Err(BuildError::Unsound(
            DecodeError::TooManyAccounts { .. }
            | DecodeError::TooManyInstructions { .. }
            | DecodeError::TooManySigners { .. }
            | DecodeError::LongInstruction { .. },
        )) => Ok(false),
        Err(cause) => Err(*cause),
    }
}

#[cfg(test)]
mod tests;
