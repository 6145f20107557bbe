//! A bad road to a node: an HTTP server on loopback that hands questions on to the real one, but drops, delays, repeats and
//! reorders them, answers with 429 or an error after having handed the transaction on, takes transactions and loses them
//! until their blockhashes expire, answers with what was true a while ago, and lies about what became of signatures.
//!
//! What it never does is to lie twice alike: a transaction that landed is shown when it is asked for by itself. Against a
//! node that hides a payment from every question nobody could be safe who asks that node alone.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::random::Random;

/// The longest delay of one answer, in milliseconds.
const LONGEST_DELAY_MS: u64 = 900;
/// For so long of each period no transaction is handed on.
const PERIOD: Duration = Duration::from_secs(30);
const SWALLOWS: Duration = Duration::from_secs(14);
/// Questions that may be answered with what was true before.
const AGEING: [&str; 4] = [
    "getSignatureStatuses",
    "getEpochInfo",
    "getBlockHeight",
    "getSlot",
];

/// What was done to questions, by name.
pub type Mischief = BTreeMap<&'static str, u64>;

/// The server. Dropping it closes it.
#[derive(Debug)]
pub struct BadRoad {
    /// Where it listens.
    pub url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    upstream: String,
    started: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    random: Random,
    mischief: Mischief,
    /// Answers to questions with their parameters, for answering late with them.
    old: HashMap<String, Value>,
}

/// What happens to one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Fair,
    Lost,
    AnswerLost,
    Late,
    Twice,
    TooMany,
    ErrorAfter,
    Swallowed,
    Old,
    Hidden,
    Downgraded,
    Invented,
}

impl Fate {
    const fn name(self) -> &'static str {
        match self {
            Self::Fair => "handed on fairly",
            Self::Lost => "lost on the way there",
            Self::AnswerLost => "lost on the way back",
            Self::Late => "delayed",
            Self::Twice => "handed on twice",
            Self::TooMany => "answered with 429",
            Self::ErrorAfter => "answered with an error after it was handed on",
            Self::Swallowed => "taken and never handed on",
            Self::Old => "answered with what was true before",
            Self::Hidden => "statuses hidden",
            Self::Downgraded => "statuses called unconfirmed",
            Self::Invented => "statuses invented as final",
        }
    }
}

impl Drop for BadRoad {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl BadRoad {
    /// Listens, and hands on to `upstream`, an `http://` address.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start(upstream: &str, seed: u64) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            started: Instant::now(),
            state: Mutex::new(State {
                random: Random::new(seed),
                mischief: Mischief::new(),
                old: HashMap::new(),
            }),
        });
        let of_task = shared.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = of_task.clone();
                tokio::spawn(async move {
                    // A client that is killed in the middle is what this is for.
                    let _ = shared.serve(stream).await;
                });
            }
        });
        Ok(Self { url, shared, task })
    }

    /// What it has done so far.
    #[must_use]
    pub fn mischief(&self) -> Mischief {
        self.shared.state().mischief.clone()
    }
}

impl Shared {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fate(&self, method: &str, key: &str) -> (Fate, Duration) {
        let is_swallowing = self.started.elapsed().as_millis() % PERIOD.as_millis() < SWALLOWS.as_millis();
        let mut state = self.state();
        let delay = Duration::from_millis(state.random.below(LONGEST_DELAY_MS));
        let fate = match (state.random.below(100), method) {
            (0..3, _) => Fate::Lost,
            (3..6, _) => Fate::AnswerLost,
            (6..14, _) => Fate::Late,
            (14..18, _) => Fate::Twice,
            (18..20, _) => Fate::TooMany,
            (20..24, _) => Fate::ErrorAfter,
            (_, "sendTransaction") if is_swallowing => Fate::Swallowed,
            (24..34, _) if AGEING.contains(&method) && state.old.contains_key(key) => Fate::Old,
            (34..54, "getSignatureStatuses") => Fate::Hidden,
            (54..60, "getSignatureStatuses") => Fate::Downgraded,
            (60..68, "getSignatureStatuses") => Fate::Invented,
            _ => Fate::Fair,
        };
        *state.mischief.entry(fate.name()).or_default() += 1;
        (fate, delay)
    }

    async fn serve(&self, mut stream: TcpStream) -> anyhow::Result<()> {
        let body = read_request(&mut stream).await?;
        let question: Value = serde_json::from_slice(&body)?;
        let method = question["method"].as_str().unwrap_or_default().to_owned();
        let key = format!("{method} {}", question["params"]);
        let (fate, delay) = self.fate(&method, &key);
        match fate {
            Fate::Lost => return Ok(()),
            Fate::TooMany => {
                let refusal =
                    "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                stream.write_all(refusal.as_bytes()).await?;
                return Ok(());
            }
            Fate::Swallowed => {
                let signature = first_signature(&question).unwrap_or_default();
                return answer(&mut stream, &question, &json!({ "result": signature })).await;
            }
            Fate::Old => {
                let old = self.state().old.get(&key).cloned().unwrap_or_default();
                return answer(&mut stream, &question, &old).await;
            }
            Fate::Late => tokio::time::sleep(delay).await,
            Fate::Twice => drop(forward(&self.upstream, &body).await?),
            _ => {}
        }
        let mut told = forward(&self.upstream, &body).await?;
        match fate {
            Fate::AnswerLost => return Ok(()),
            Fate::ErrorAfter => {
                let error = json!({ "error": { "code": -32005, "message": "the node is behind" } });
                return answer(&mut stream, &question, &error).await;
            }
            Fate::Hidden | Fate::Downgraded | Fate::Invented => self.lie(fate, &mut told),
            _ if AGEING.contains(&method.as_str()) => {
                // The first answer of every few is kept, so that it is old when it is used.
                let mut state = self.state();
                if state.random.below(4) == 0 || !state.old.contains_key(&key) {
                    state.old.insert(key, told.clone());
                }
            }
            _ => {}
        }
        answer(&mut stream, &question, &told).await
    }

    fn lie(&self, fate: Fate, told: &mut Value) {
        let slot = told["result"]["context"]["slot"].clone();
        let Some(statuses) = told["result"]["value"].as_array_mut() else {
            return;
        };
        let mut state = self.state();
        for status in statuses {
            if state.random.below(2) == 0 {
                continue;
            }
            match fate {
                Fate::Hidden => *status = Value::Null,
                Fate::Downgraded if status.is_object() => {
                    status["confirmationStatus"] = json!("processed");
                    status["confirmations"] = json!(0);
                }
                Fate::Invented if status.is_null() => {
                    *status = json!({
                        "slot": slot, "confirmations": null, "err": null, "status": { "Ok": null },
                        "confirmationStatus": "finalized",
                    });
                }
                _ => {}
            }
        }
    }
}

/// The signature of a transaction about to be sent, in base58, as a node would answer.
fn first_signature(question: &Value) -> Option<String> {
    use base64::Engine as _;
    let text = question["params"][0].as_str()?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
    let transaction = keyward_core::solana::Transaction::decode(&bytes).ok()?;
    transaction.signatures.first().map(ToString::to_string)
}

async fn answer(stream: &mut TcpStream, question: &Value, told: &Value) -> anyhow::Result<()> {
    let mut told = told.clone();
    told["jsonrpc"] = json!("2.0");
    told["id"] = question["id"].clone();
    let body = told.to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(())
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

async fn forward(upstream: &str, body: &[u8]) -> anyhow::Result<Value> {
    let host = upstream.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).await?;
    let head = format!(
        "POST / HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let start = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .context("no answer")?
        + 4;
    Ok(serde_json::from_slice(&answer[start..])?)
}
