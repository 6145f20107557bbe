//! A transfer to try in a minute: a Solana node on loopback, a vault with a funded wallet, and the console.
//!
//! Everything lies in a temporary folder and is gone at the end. The phrase is a published one: nothing of value may
//! ever be kept under it, which is what makes it fit for a demo.

mod node;

use std::io::BufRead as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use self::node::Node;
use crate::process::{self, program};
use crate::release;
use crate::setup;

/// BIP-39's test phrase for 16 zero bytes of entropy.
const PHRASE: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
const PASSWORD: &str = "three quiet herons";
const WALLETS: &str = "10";
const FUNDS_SOL: u64 = 1000;
const LAMPORTS_PER_SOL: u64 = 1_000_000_000;
const MOST_SOL_PER_TRANSFER: &str = "100";

/// `cargo xtask demo`.
pub(crate) fn run() -> anyhow::Result<()> {
    let binary = release::build()?;
    setup::install_node_packages("tests/node")?;
    let demo = Demo::new(binary)?;
    let node = Node::start(&demo.folder.path)?;
    let address = demo.make_vault()?;
    node.fund(&address, FUNDS_SOL * LAMPORTS_PER_SOL)?;
    println!(
        "\nA Solana node listens on {} and has given {FUNDS_SOL} SOL to {address}.\n\n\
         Phrase    {PHRASE}\n\
         Password  {PASSWORD}\n\n\
         Unlock with the password, choose wallet #0, and send to #1. A transfer may carry up to \
         {MOST_SOL_PER_TRANSFER} SOL.\nAll of it is gone when you quit.\n\nPress Enter to open the console.",
        node.rpc_url()
    );
    std::io::stdin().lock().read_line(&mut String::new())?;
    let mut console = demo.keyward(&["--rpc", node.rpc_url(), "--ws", node.ws_url()]);
    let status = console.status().context("could not start the console")?;
    ensure!(status.success(), "the console ended with {status}");
    println!("The node is stopped, the vault deleted.");
    Ok(())
}

/// A folder that is removed when dropped.
struct TemporaryFolder {
    path: PathBuf,
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.path).ok();
    }
}

struct Demo {
    folder: TemporaryFolder,
    binary: PathBuf,
}

impl Demo {
    fn new(binary: PathBuf) -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("keyward-demo-{}", std::process::id()));
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("could not make {}", path.display()))?;
        Ok(Self {
            folder: TemporaryFolder { path },
            binary,
        })
    }

    /// Makes the vault with its wallets; returns the first address.
    fn make_vault(&self) -> anyhow::Result<String> {
        for (name, text) in [("phrase", PHRASE), ("password", PASSWORD)] {
            std::fs::write(self.folder.path.join(name), text)?;
        }
        let file = |name: &str| self.folder.path.join(name).display().to_string();
        process::output(&mut self.keyward(&[
            "init",
            "--import",
            &file("phrase"),
            "--password-file",
            &file("password"),
            "--wallets",
            WALLETS,
            "--max-sol",
            MOST_SOL_PER_TRANSFER,
            "--json",
        ]))?;
        let wallets = process::output(&mut self.keyward(&[
            "wallets",
            "list",
            "--limit",
            "1",
            "--password-file",
            &file("password"),
            "--json",
        ]))?;
        let wallets: Value = serde_json::from_str(&wallets)?;
        first_address(&wallets).context("the new vault shows no wallet")
    }

    /// The binary with everything of the person's own out of its sight.
    fn keyward(&self, arguments: &[&str]) -> Command {
        let mut command = program(&self.binary, arguments);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("KEYWARD_") || name == "DATABASE_URL" {
                command.env_remove(name);
            }
        }
        for (name, folder) in [
            ("HOME", "home"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
        ] {
            command.env(name, self.folder.path.join(folder));
        }
        command.env("KEYWARD_VAULT", self.folder.path.join("demo.db"));
        command
    }
}

/// The first text under the key `address`, wherever it stands.
fn first_address(value: &Value) -> Option<String> {
    match value {
        Value::Object(fields) => fields
            .get("address")
            .and_then(Value::as_str)
            .map(str::to_owned)
            .or_else(|| fields.values().find_map(first_address)),
        Value::Array(values) => values.iter().find_map(first_address),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_address_is_found_in_a_list() {
        let list = json!({ "total": 2, "rows": [{ "index": 0, "address": "a" }, { "address": "b" }] });
        assert_eq!(first_address(&list).as_deref(), Some("a"));
        assert_eq!(first_address(&json!({ "rows": [] })), None);
    }
}
