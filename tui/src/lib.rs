//! The `keyward` binary as a library: the terminal console and its scriptable subcommands.
//!
//! [`run`] is the whole program. Without a subcommand it opens the [`console`]; with one it does that one thing, prints
//! lines or one JSON object, and ends with a documented [`exit`] code. Decisions about keys, policy and the audit are all
//! made in `keyward-custody` and `keyward-core`: nothing here signs, evaluates or stores by itself.
#![forbid(unsafe_code)]

mod audit_lines;
pub mod cli;
mod client;
pub mod config;
pub mod console;
mod durable;
mod duration;
pub mod exit;
pub mod hardening;
mod output;
mod secret_input;
mod spelling;

pub use cli::run;
