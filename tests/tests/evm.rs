//! What Keyward signs for EVM chains beside alloy, on random and damaged input, and published vectors.
//!
//! The claim: both write the same bytes, find the same hashes and senders, and accept the same encodings.
//! Where Keyward is stricter, or alloy cannot hold what Keyward can, the test that meets it says so.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "evm/damage.rs"]
mod damage;
#[path = "evm/documents.rs"]
mod documents;
#[path = "evm/encoding.rs"]
mod encoding;
#[path = "evm/published.rs"]
mod published;
#[path = "evm/samples.rs"]
mod samples;
#[path = "evm/transactions.rs"]
mod transactions;
#[path = "evm/typed_data.rs"]
mod typed_data;
