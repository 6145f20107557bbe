//! The node of the tests, started for the demo on a loopback port of its own choosing.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use crate::process::{Background, program};
use crate::workspace;

const START_BOUND: Duration = Duration::from_secs(60);
const ANSWER_BOUND: Duration = Duration::from_secs(30);

/// A running node; it ends when dropped, and by itself when this program ends.
pub(super) struct Node {
    rpc_url: String,
    ws_url: String,
    _process: Background,
}

impl Node {
    /// Starts it and waits until it says where it listens.
    pub(super) fn start(folder: &Path) -> anyhow::Result<Self> {
        let ready_file = folder.join("ready.json");
        let log = std::fs::File::create(folder.join("node.log"))?;
        let child = program("node", &["start.cjs", "--ready-file"])
            .arg(&ready_file)
            .current_dir(workspace::path("tests/node"))
            // Its end of this pipe tells it when we are gone.
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("could not start the node")?;
        let mut process = Background::new(child);
        let deadline = Instant::now() + START_BOUND;
        let ready = loop {
            if let Ok(ready) = std::fs::read(&ready_file) {
                break ready;
            }
            if let Some(status) = process.child().try_wait()? {
                let log = std::fs::read_to_string(folder.join("node.log")).unwrap_or_default();
                bail!("the node ended with {status}: {log}");
            }
            ensure!(Instant::now() < deadline, "the node did not start in time");
            thread::sleep(Duration::from_millis(20));
        };
        let ready: Value = serde_json::from_slice(&ready)?;
        let url = |key: &str| {
            let url = ready[key].as_str();
            url.map(str::to_owned)
                .with_context(|| format!("the node names no {key}"))
        };
        Ok(Self {
            rpc_url: url("rpcUrl")?,
            ws_url: url("wsUrl")?,
            _process: process,
        })
    }

    pub(super) fn rpc_url(&self) -> &str {
        &self.rpc_url
    }

    pub(super) fn ws_url(&self) -> &str {
        &self.ws_url
    }

    /// Asks its faucet for lamports.
    pub(super) fn fund(&self, address: &str, lamports: u64) -> anyhow::Result<()> {
        let request = json!({
            "jsonrpc": "2.0",
            "id": 1,
            "method": "requestAirdrop",
            "params": [address, lamports],
        });
        let answer = post(&self.rpc_url, &request)?;
        ensure!(
            answer["result"].is_string(),
            "the faucet refused: {}",
            answer["error"]
        );
        Ok(())
    }
}

/// One request over plain HTTP on loopback: not worth a library.
fn post(url: &str, request: &Value) -> anyhow::Result<Value> {
    let host = url
        .strip_prefix("http://")
        .map(|rest| rest.trim_end_matches('/'))
        .with_context(|| format!("{url} is not plain HTTP"))?;
    let mut stream = TcpStream::connect(host).with_context(|| format!("could not reach {host}"))?;
    stream.set_read_timeout(Some(ANSWER_BOUND))?;
    let body = request.to_string();
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    // From the first brace to the last, which also skips the sizes of a chunked answer.
    let json = answer
        .find('{')
        .zip(answer.rfind('}'))
        .and_then(|(first, last)| answer.get(first..=last))
        .context("the node's answer holds no JSON")?;
    Ok(serde_json::from_str(json)?)
}
