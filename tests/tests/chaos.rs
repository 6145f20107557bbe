//! Many processes on one vault, and processes, servers and networks that end at any moment: small versions of what
//! `cargo xtask contend`, `crash`, `pay` and `round` do in full.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "chaos/contend.rs"]
mod contend;
#[path = "chaos/crash.rs"]
mod crash;
#[path = "chaos/gone.rs"]
mod gone;
#[path = "chaos/pay.rs"]
mod pay;
#[path = "chaos/round.rs"]
mod round;
