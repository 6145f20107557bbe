//! Solana's wire format: transactions and messages, legacy and version 0.
//!
//! Decoding is strict, because what is shown and judged must be what is signed: every accepted input
//! encodes again to the very same bytes, every index points somewhere, no account is named twice and
//! nothing trails. It does not judge what the instructions mean (see [`crate::intent`]), does not
//! resolve address lookup tables (that needs the chain) and does not verify signatures.
//!
//! Version 1 messages are recognised by their prefix and reported as unsupported.
//!
//! Specification: <https://solana.com/docs/core/transactions>, and for version 0
//! <https://docs.solanalabs.com/proposals/versioned-transactions>.

mod build;
mod compact;
mod error;
mod message;
mod reader;
#[cfg(test)]
pub(crate) mod samples;
mod transaction;

pub mod instructions;

pub use build::{AccountMeta, BuildError, Instruction, compile_message};
pub use error::DecodeError;
pub use message::{AddressTableLookup, CompiledInstruction, Message, MessageHeader, MessageVersion};
pub use transaction::{Transaction, TransactionError, parses_as_transaction};

/// The most bytes that a legacy or version 0 transaction may have, signatures included: what fits a
/// UDP packet over IPv6's smallest MTU.
pub const MAX_TRANSACTION_BYTES: usize = 1232;
