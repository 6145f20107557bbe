//! The harness of the end-to-end tests.
//!
//! [`sandbox`] gives each test a home of its own, [`cli`] runs the `keyward` binary in it, [`pty`] runs the console in
//! a terminal that the test can read, [`new_vault`] says what vault to make, [`node`] starts a Solana node on loopback,
//! [`mint`] makes tokens on it, [`memory`] reads a process's memory, [`wait`] waits, [`postgres`] starts a database server that can be taken away, and
//! [`chaos`] sets many processes on one vault and kills them.
//! It asserts nothing about Keyward itself: the scenarios under `tests/tests/` do.
#![forbid(unsafe_code)]

pub mod chaos;
pub mod cli;
pub mod memory;
pub mod mint;
pub mod new_vault;
pub mod node;
pub mod postgres;
pub mod pty;
pub mod sandbox;
pub mod wait;
