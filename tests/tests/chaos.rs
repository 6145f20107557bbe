//! Many processes on one vault, on both stores; small versions of what the program `chaos` does in full.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "chaos/contend.rs"]
mod contend;
