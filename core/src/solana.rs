//! Solana's wire format: transactions and messages, legacy, version 0 and version 1.
//!
//! Decoding is strict, because what is shown and judged must be what is signed: every accepted input
//! encodes again to the very same bytes, every index points somewhere, no account is named twice and
//! nothing trails. It does not judge what the instructions mean (see [`crate::intent`]), and it does
//! not ask the chain: what lookup tables hold is handed in, see [`Message::resolve`].
//!
//! Specification: <https://solana.com/docs/core/transactions>, for version 0
//! <https://docs.solanalabs.com/proposals/versioned-transactions>, and for version 1 SIMD-0385 under
//! <https://github.com/solana-foundation/solana-improvement-documents>.

mod build;
mod compact;
mod derived;
mod error;
mod message;
mod reader;
mod resolve;
#[cfg(test)]
pub(crate) mod samples;
mod transaction;

pub mod instructions;
pub mod token;

pub use build::{AccountMeta, BuildError, Instruction, compile_message};
pub use derived::{associated_token_account, program_address, seeded_address};
pub use error::DecodeError;
pub use message::{
    AddressTableLookup, CompiledInstruction, Message, MessageHeader, MessageVersion, TransactionConfig,
};
pub use resolve::{LookedUpAccount, ResolveError, ResolvedMessage};
pub use transaction::{SignatureState, Transaction, TransactionError, parses_as_transaction};

/// The most bytes that a legacy or version 0 transaction may have, signatures included: what fits a
/// UDP packet over IPv6's smallest MTU.
pub const MAX_TRANSACTION_BYTES: usize = 1232;

/// The most bytes that a version 1 transaction may have, signatures included.
pub const MAX_V1_TRANSACTION_BYTES: usize = 4096;
