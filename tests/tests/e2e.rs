//! The end-to-end tests of the console: a real pseudo-terminal, a real vault file and, where money moves, a real node.
//!
//! One binary, one module a story. They drive the built `keyward` as a person would and look only at what a person
//! can see: the screen, the exit code and the files.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "e2e/console.rs"]
mod console;
#[path = "e2e/console_canary.rs"]
mod console_canary;
#[path = "e2e/console_keys.rs"]
mod console_keys;
#[path = "e2e/console_plans.rs"]
mod console_plans;
#[path = "e2e/console_trouble.rs"]
mod console_trouble;
#[path = "e2e/killed.rs"]
mod killed;
#[path = "e2e/killed_rotation.rs"]
mod killed_rotation;
#[path = "e2e/memory.rs"]
mod memory;
#[path = "e2e/sending.rs"]
mod sending;
#[path = "../../custody/tests/postgres/server.rs"]
#[expect(dead_code, reason = "no copies of databases here")]
mod server;
#[path = "e2e/spine.rs"]
mod spine;
#[path = "e2e/trouble.rs"]
mod trouble;
#[path = "e2e/vault.rs"]
mod vault;
