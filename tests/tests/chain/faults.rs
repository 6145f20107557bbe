//! A small HTTP server on loopback that answers as a test tells it to: wrongly, late, or by handing the question on to a
//! real node. One request a connection; only what these tests need of HTTP.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What to do with one question.
pub(crate) enum Reply {
    /// Answer with this result.
    Result(Value),
    /// Answer with HTTP 200 and this body.
    Body(String),
    /// Send exactly this, headers included, and close.
    Raw(Vec<u8>),
    /// Send this, then zeros without end.
    Endless(Vec<u8>),
    /// Send this, then a byte every tenth of a second.
    Drip(Vec<u8>),
    /// Close without a word.
    Close,
    /// Never answer.
    Hang,
    /// Ask the real node.
    Forward,
}

type Script = dyn Fn(&Value) -> Reply + Send + Sync;

/// The server. Dropping it closes it.
pub(crate) struct FaultServer {
    pub(crate) url: String,
    /// Every question so far.
    asked: Arc<Mutex<Vec<Value>>>,
    task: JoinHandle<()>,
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FaultServer {
    /// Answers every question by the script; [`Reply::Forward`] goes to `upstream`.
    pub(crate) async fn start(
        upstream: Option<&str>,
        script: impl Fn(&Value) -> Reply + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Script> = Arc::new(script);
        let upstream = upstream.map(str::to_string);
        let seen = asked.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, seen, upstream) = (script.clone(), seen.clone(), upstream.clone());
                tokio::spawn(async move {
                    // A client that goes away mid-answer is no concern of the test.
                    let _ = serve(stream, &*script, &seen, upstream.as_deref()).await;
                });
            }
        });
        Ok(Self { url, asked, task })
    }

    /// Gives the same reply to everything.
    pub(crate) async fn always(reply: fn() -> Reply) -> anyhow::Result<Self> {
        Self::start(None, move |_| reply()).await
    }

    /// The parameters of every question with this method so far.
    pub(crate) fn params_of(&self, method: &str) -> Vec<Value> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|question| question["method"] == method)
            .map(|question| question["params"].clone())
            .collect()
    }
}

async fn serve(
    mut stream: TcpStream,
    script: &Script,
    seen: &Mutex<Vec<Value>>,
    upstream: Option<&str>,
) -> anyhow::Result<()> {
    let body = read_request(&mut stream).await?;
    let question: Value = serde_json::from_slice(&body)?;
    seen.lock().unwrap().push(question.clone());
    match script(&question) {
        Reply::Result(result) => {
            let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": result });
            stream.write_all(&ok(&answer.to_string())).await?;
        }
        Reply::Body(body) => stream.write_all(&ok(&body)).await?,
        Reply::Raw(bytes) => stream.write_all(&bytes).await?,
        Reply::Endless(head) => {
            stream.write_all(&head).await?;
            loop {
                stream.write_all(&[b' '; 8192]).await?;
            }
        }
        Reply::Drip(head) => {
            stream.write_all(&head).await?;
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                stream.write_all(b" ").await?;
            }
        }
        Reply::Close => {}
        Reply::Hang => {
            // Until the client gives up.
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await?;
        }
        Reply::Forward => {
            let upstream = upstream.context("nothing to forward to")?;
            let answer = forward(upstream, &body).await?;
            stream.write_all(&answer).await?;
        }
    }
    stream.shutdown().await?;
    Ok(())
}

fn ok(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

async fn read_request(stream: &mut TcpStream) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0_u8; 4096];
        let count = stream.read(&mut chunk).await?;
        anyhow::ensure!(count > 0, "the request ended early");
        bytes.extend_from_slice(&chunk[..count]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length: usize = length.context("a request without a length")?.trim().parse()?;
        if bytes.len() >= end + 4 + length {
            return Ok(bytes[end + 4..end + 4 + length].to_vec());
        }
    }
}

async fn forward(upstream: &str, body: &[u8]) -> anyhow::Result<Vec<u8>> {
    let host = upstream.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).await?;
    let length = body.len();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}
