//! Keyward's decoder beside Solana's own crates, on random and damaged bytes.
//!
//! The claim: Keyward accepts exactly the bytes that Solana's crates read to the last byte, find sound
//! and write back unchanged, and reads the same into them. It is stricter in what follows, each asserted
//! here: bytes that trail, accounts listed twice (which the runtime refuses only later), and more bytes
//! than the network takes: 1232, and 4096 in version 1.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "differential/alike.rs"]
mod alike;
#[path = "differential/building.rs"]
mod building;
#[path = "differential/reading.rs"]
mod reading;
#[path = "differential/samples.rs"]
mod samples;
#[path = "differential/tokens.rs"]
mod tokens;
