//! The custody layer on a real PostgreSQL server: the same tests as on files, and some of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

/// Tests of what only a file has are left out here.
macro_rules! on_files {
    ($($item:item)*) => {};
}

#[path = "suite/attempts.rs"]
mod attempts;
#[path = "suite/audit.rs"]
mod audit;
#[path = "suite/audit_log.rs"]
mod audit_log;
#[path = "suite/book.rs"]
mod book;
#[path = "suite/bot.rs"]
mod bot;
#[path = "suite/canary.rs"]
mod canary;
#[path = "suite/concurrency.rs"]
mod concurrency;
#[path = "suite/crash.rs"]
mod crash;
#[path = "suite/embedding.rs"]
mod embedding;
#[path = "suite/evm_signing.rs"]
mod evm_signing;
#[path = "suite/exposition.rs"]
mod exposition;
#[path = "suite/fixture.rs"]
mod fixture;
#[path = "suite/imports.rs"]
mod imports;
#[path = "suite/key_rotation.rs"]
mod key_rotation;
#[path = "suite/limits.rs"]
mod limits;
#[path = "suite/lists.rs"]
mod lists;
#[path = "postgres/lost.rs"]
mod lost;
#[path = "suite/merge.rs"]
mod merge;
#[path = "suite/metrics.rs"]
mod metrics;
#[path = "suite/own_accounts.rs"]
mod own_accounts;
#[path = "suite/owner.rs"]
mod owner;
#[path = "suite/owners.rs"]
mod owners;
#[path = "postgres/place.rs"]
mod place;
#[path = "suite/removal.rs"]
mod removal;
#[path = "suite/rotation.rs"]
mod rotation;
#[path = "postgres/schema.rs"]
mod schema;
#[path = "postgres/server.rs"]
mod server;
#[path = "suite/settings.rs"]
mod settings;
#[path = "suite/signing.rs"]
mod signing;
#[path = "suite/sink.rs"]
mod sink;
#[path = "suite/solana_signing.rs"]
mod solana_signing;
#[path = "suite/staged_rotation.rs"]
mod staged_rotation;
#[path = "suite/staged_trouble.rs"]
mod staged_trouble;
#[path = "suite/stretching.rs"]
mod stretching;
#[path = "suite/tampering.rs"]
mod tampering;
#[path = "../examples/trading_bot.rs"]
#[allow(dead_code, reason = "the example's main is the program's")]
mod trading_bot;
#[path = "suite/vault.rs"]
mod vault;
#[path = "suite/vault_file.rs"]
mod vault_file;
#[path = "suite/wallets.rs"]
mod wallets;
