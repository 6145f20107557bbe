//! A Solana node for tests, on loopback.
//!
//! Starts the embedded engine under `tests/node` with Node.js, offline, and ends it when dropped. With
//! `KEYWARD_TEST_RPC_URL` (and `KEYWARD_TEST_WS_URL`) set, the node named there is used instead and left running. It
//! installs nothing: `cargo xtask test` does, or `npm ci --ignore-scripts` in `tests/node`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_custody::chain::{NodeConfig, SearchScope, SolanaNode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::wait;

/// How long the engine may take to listen. It takes 0.1 s on a quiet machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long an airdrop may take to be confirmed.
const FUND_LIMIT: Duration = Duration::from_secs(60);

/// How the engine makes blocks. Ignored by a node named in the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeOptions {
    /// How long a slot takes, in milliseconds. A blockhash lives 150 blocks, so a small one makes expiry quick.
    pub slot_ms: u32,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self { slot_ms: 400 }
    }
}

/// A running node. Dropping it ends the engine.
#[derive(Debug)]
pub struct TestNode {
    /// The JSON-RPC endpoint.
    pub rpc_url: String,
    /// The WebSocket endpoint, if known.
    pub ws_url: Option<String>,
    engine: Option<Engine>,
}

#[derive(Debug)]
struct Engine {
    child: Child,
    _folder: tempfile::TempDir,
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Its own child, by the handle it was started with. Waiting leaves no zombie.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ready {
    rpc_url: String,
    ws_url: String,
}

impl TestNode {
    /// Starts a node with slots of the usual length.
    ///
    /// # Errors
    /// When Node.js or the engine is missing, or the engine does not listen in time.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(NodeOptions::default())
    }

    /// Starts a node.
    ///
    /// # Errors
    /// When Node.js or the engine is missing, or the engine does not listen in time.
    pub fn start_with(options: NodeOptions) -> anyhow::Result<Self> {
        if let Ok(rpc_url) = std::env::var("KEYWARD_TEST_RPC_URL") {
            let ws_url = std::env::var("KEYWARD_TEST_WS_URL").ok();
            return Ok(Self {
                rpc_url,
                ws_url,
                engine: None,
            });
        }
        Self::start_engine(options)
    }

    /// Starts the engine whatever the environment says: for tests that need its quick slots.
    ///
    /// # Errors
    /// When Node.js or the engine is missing, or the engine does not listen in time.
    pub fn start_engine(options: NodeOptions) -> anyhow::Result<Self> {
        let home = folder();
        ensure!(
            home.join("node_modules").is_dir(),
            "the test node is not installed: run `cargo xtask test`, or `npm ci --ignore-scripts` in {}",
            home.display()
        );
        // Once in a few hundred starts it never listens.
        Self::start_once(&home, &options).or_else(|_| Self::start_once(&home, &options))
    }

    fn start_once(home: &Path, options: &NodeOptions) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("keyward-node-").tempdir()?;
        let ready_file = folder.path().join("ready.json");
        let log = fs::File::create(folder.path().join("log"))?;
        let child = Command::new("node")
            .arg(home.join("start.cjs"))
            .arg("--ready-file")
            .arg(&ready_file)
            .args(["--slot-ms", &options.slot_ms.to_string()])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("could not start `node`: Node.js 18 or newer is needed for the chain tests")?;
        let mut engine = Engine {
            child,
            _folder: folder,
        };
        let ready = wait_until_ready(&mut engine, &ready_file)?;
        Ok(Self {
            rpc_url: ready.rpc_url,
            ws_url: Some(ready.ws_url),
            engine: Some(engine),
        })
    }

    /// Returns how to reach it.
    #[must_use]
    pub fn config(&self) -> NodeConfig {
        NodeConfig {
            ws_url: self.ws_url.clone(),
            ..NodeConfig::new(&self.rpc_url)
        }
    }

    /// Returns a client for it.
    ///
    /// # Errors
    /// When an address in the environment cannot be used.
    pub fn client(&self) -> anyhow::Result<SolanaNode> {
        Ok(SolanaNode::connect(&self.config())?)
    }

    /// Asks the node anything, the engine's own methods (`surfnet_…`) included.
    ///
    /// # Errors
    /// When it does not answer, or answers with an error.
    pub async fn ask(&self, method: &str, params: Value) -> anyhow::Result<Value> {
        let host = self.rpc_url.trim_start_matches("http://").trim_end_matches('/');
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(host).await?;
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let text = String::from_utf8(answer)?;
        let (Some(begin), Some(end)) = (text.find('{'), text.rfind('}')) else {
            bail!("{method}: no JSON in {text:?}");
        };
        let answer: Value = serde_json::from_str(text.get(begin..=end).unwrap_or_default())?;
        ensure!(answer.get("error").is_none(), "{method}: {answer}");
        Ok(answer.get("result").cloned().unwrap_or_default())
    }

    /// Puts an account on the engine as it is given.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn set_account(
        &self,
        address: &Address,
        owner: &Address,
        lamports: u64,
        data: &[u8],
    ) -> anyhow::Result<()> {
        let account = json!({
            "lamports": lamports,
            "owner": owner.to_string(),
            "executable": false,
            "rentEpoch": 0,
            "data": hex::encode(data),
        });
        let params = json!([address.to_string(), account]);
        self.ask("surfnet_setAccount", params).await.map(|_| ())
    }

    /// Ends the engine now, as if the machine that it runs on had gone away.
    pub fn stop(&mut self) {
        self.engine = None;
    }

    /// Gives an address SOL from the faucet and waits until the balance shows it.
    ///
    /// # Errors
    /// When the faucet refuses, or the balance does not show it in time.
    pub async fn fund(&self, address: &Address, amount: Lamports) -> anyhow::Result<()> {
        let client = self.client()?;
        let signature = client.request_airdrop(address, amount).await?;
        let has_come = async || -> anyhow::Result<bool> {
            let search = client.signature_status(&signature, SearchScope::History).await?;
            let balance = client
                .balances(&[*address])
                .await?
                .values
                .first()
                .copied()
                .flatten();
            Ok(search.status.is_some() && balance.is_some_and(|balance| balance >= amount))
        };
        wait::until(
            "the airdrop's confirmation",
            FUND_LIMIT,
            async || match has_come().await {
                Ok(false) => None,
                Ok(true) => Some(Ok(())),
                Err(error) => Some(Err(error)),
            },
        )
        .await?
    }

    /// [`TestNode::fund`] for tests that have no async runtime.
    ///
    /// # Errors
    /// As [`TestNode::fund`].
    pub fn fund_blocking(&self, address: &Address, amount: Lamports) -> anyhow::Result<()> {
        runtime()?.block_on(self.fund(address, amount))
    }

    /// Reads a balance, for tests that have no async runtime.
    ///
    /// # Errors
    /// When the node does not answer.
    pub fn balance_blocking(&self, address: &Address) -> anyhow::Result<Lamports> {
        let balances = runtime()?.block_on(self.client()?.balances(&[*address]))?;
        balances
            .values
            .first()
            .copied()
            .flatten()
            .context("the balance is unknown")
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("node")
}

fn wait_until_ready(engine: &mut Engine, ready_file: &Path) -> anyhow::Result<Ready> {
    let mut look = || -> anyhow::Result<Option<Ready>> {
        if let Ok(text) = fs::read_to_string(ready_file) {
            return serde_json::from_str(&text).context("the node's ready file does not parse");
        }
        if let Some(status) = engine.child.try_wait()? {
            let log = fs::read_to_string(ready_file.with_file_name("log")).unwrap_or_default();
            bail!("the node ended while starting ({status}): {log}");
        }
        Ok(None)
    };
    wait::until_blocking("the node listens", START_LIMIT, || look().transpose())?
}
