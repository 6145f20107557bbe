//! Black-box tests of the subcommands: arguments, files and environment in; exit codes, JSON, text and files out.
//!
//! They look only at what a script can see. The console has its own binary (`e2e.rs`).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "cli/audit.rs"]
mod audit;
#[path = "cli/book.rs"]
mod book;
#[path = "cli/both_chains.rs"]
mod both_chains;
#[path = "cli/canary.rs"]
mod canary;
#[path = "cli/derive.rs"]
mod derive;
#[path = "cli/distribute.rs"]
mod distribute;
#[path = "cli/find_path.rs"]
mod find_path;
#[path = "cli/fixture.rs"]
mod fixture;
#[path = "cli/holdings.rs"]
mod holdings;
#[path = "cli/import.rs"]
mod import;
#[path = "cli/init.rs"]
mod init;
#[path = "cli/inspect.rs"]
mod inspect;
#[path = "cli/node.rs"]
mod node;
#[path = "cli/nonce.rs"]
mod nonce;
#[path = "cli/offline.rs"]
mod offline;
#[path = "cli/owners.rs"]
mod owners;
#[path = "cli/postgres.rs"]
mod postgres;
#[path = "cli/rotate.rs"]
mod rotate;
#[path = "../../custody/tests/postgres/server.rs"]
#[expect(dead_code, reason = "no copies of databases here")]
mod server;
#[path = "cli/settings.rs"]
mod settings;
#[path = "cli/signing.rs"]
mod signing;
#[path = "cli/sweep.rs"]
mod sweep;
#[path = "cli/terminal.rs"]
mod terminal;
#[path = "cli/tokens.rs"]
mod tokens;
#[path = "cli/trouble.rs"]
mod trouble;
#[path = "cli/vault.rs"]
mod vault;
#[path = "cli/vault_merge.rs"]
mod vault_merge;
#[path = "cli/wallets.rs"]
mod wallets;
