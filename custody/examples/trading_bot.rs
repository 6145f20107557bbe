//! A trading bot: how a service embeds Keyward as a library.
//!
//! `cargo run --release -p keyward-custody --example trading_bot [LOCATION]`
//!
//! It makes a vault in a temporary folder (or at LOCATION: a path that does not exist yet, or an empty database's
//! `postgres://…`), derives 16 wallets, and signs 1,000 transfers with them from 32 tasks at once, under a policy that
//! allows transfers to one exchange and nothing else. One transfer to somebody else is refused. Meanwhile its metrics are
//! served to Prometheus on loopback, and a sink follows the audit log. Nothing is sent and no network is contacted.
//!
//! What a service does otherwise: it takes the password from its secret store, opens a vault that is there, and asks its node
//! (`custody.node()`) for the blockhash, which is made up here.
#![expect(clippy::print_stdout, reason = "it prints its figures")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use keyward_core::address::{Address, Blockhash};
use keyward_core::amount::Lamports;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::policy::{Asset, OperationKind, Policy, PolicyLimits, WindowLimit};
use keyward_core::solana::{MessageVersion, Transaction, compile_message, instructions};
use keyward_core::vault::KdfParams;
use keyward_custody::{
    AuditReport, AuditSink, CommittedEntry, Custody, DeriveRequest, MissedEntries, NewVault, Password,
    Progress, PrometheusMetrics, SignRequest, SinkError, StoreLocation, WalletQuery,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use zeroize::Zeroizing;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const DAY_MS: u64 = 86_400_000;

/// The network the transfers are for, as its genesis hash names it (mainnet).
const NETWORK: &str = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d";

/// Where the bot may send to: the exchange's deposit address, made up.
const EXCHANGE: Address = Address::new([7; 32]);

/// How much the bot does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    /// How many transactions it signs.
    pub(crate) transactions: usize,
    /// How many tasks share them.
    pub(crate) tasks: usize,
    /// How many wallets sign them.
    pub(crate) wallets: u32,
}

/// What it did.
#[derive(Debug)]
pub(crate) struct Figures {
    /// From the first request to the last answer.
    pub(crate) took: Duration,
    /// Of each request, the quickest first.
    pub(crate) latencies: Vec<Duration>,
    /// How many audit entries the sink was given.
    pub(crate) followed: u64,
    /// How many entries the log has.
    pub(crate) entries: u64,
    /// The metrics, as Prometheus fetched them.
    pub(crate) metrics: String,
}

#[tokio::main]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let location = match std::env::args().nth(1) {
        Some(text) => StoreLocation::parse(&text)?,
        None => StoreLocation::from_path(folder.path().join("bot.db")),
    };
    let workload = Workload {
        transactions: 1_000,
        tasks: 32,
        wallets: 16,
    };
    let figures = run(location, workload).await?;

    println!("{}", figures.metrics);
    let rate = figures.latencies.len() as f64 / figures.took.as_secs_f64(); // a small count: exact
    println!("{workload:?} in {:.2?}: {rate:.0} per second", figures.took);
    for percent in [50, 90, 99, 100] {
        println!(
            "{percent:>4} % within {:.2?}",
            percentile(&figures.latencies, percent)
        );
    }
    println!("{} audit entries, the log is intact", figures.entries);
    println!("{} of them were told to the sink", figures.followed);
    Ok(())
}

/// Opens, derives, signs, verifies.
///
/// # Errors
/// Whatever goes wrong first.
pub(crate) async fn run(location: StoreLocation, workload: Workload) -> Result<Figures> {
    let metrics = Arc::new(PrometheusMetrics::new());
    let follower = Arc::new(Follower::default());
    let custody = Custody::builder()
        .storage(location)
        .actor("trading-bot")
        .policy(policy())
        .max_failed_attempts(3)
        .rotation_interval_ms(DAY_MS)
        .metrics(metrics.clone())
        .audit_sink(follower.clone())
        .open()
        .await?;
    custody.create_vault(new_vault()?).await?;
    let wallets = wallets(&custody, workload.wallets).await?;

    // Prometheus scrapes this; the library itself opens no port.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let scraped = listener.local_addr()?;
    let server = tokio::spawn(serve(listener, metrics));

    let began = Instant::now();
    let latencies = trade(&custody, &wallets, workload).await?;
    let took = began.elapsed();

    // What policy does not allow is not signed, whoever asks: here a stranger is to be paid.
    let stranger = transfer(&wallets[0], &Address::new([9; 32]), 1, 0)?;
    let refused = custody.sign_transaction(stranger).await;
    assert_eq!(refused.map_err(|error| error.code()).err(), Some("not-allowed"));

    let AuditReport::Intact { entries, .. } = custody.audit_verify(None).await? else {
        return Err("the audit log was changed".into());
    };
    // Closing lets the sink take what is still queued; it also locks, which is the last entry, after that of having
    // verified.
    custody.close().await?;
    let metrics = scrape(scraped).await?;
    server.abort();
    Ok(Figures {
        took,
        latencies,
        followed: follower.seen.load(Ordering::Relaxed),
        entries: entries + 2,
        metrics,
    })
}

/// Transfers of SOL to the exchange: at most 0.1 SOL each and 50 SOL within any 24 hours; no tokens, no messages, and no
/// export of a key.
fn policy() -> Policy {
    let mut policy = Policy::default_for(limits());
    policy.rules.retain_mut(|rule| {
        let transfers = rule.matches.operations.contains(&OperationKind::SolTransfer);
        if transfers {
            // Transfers alone: new vaults' rule also covers accounts that are created.
            rule.matches.operations = vec![OperationKind::SolTransfer];
            rule.matches.destinations = vec![EXCHANGE.into()];
            rule.limits.windows = vec![WindowLimit {
                asset: Asset::Sol,
                duration_ms: DAY_MS,
                maximum: 50_000_000_000,
            }];
        }
        transfers || rule.matches.operations == [OperationKind::ComputeBudget]
    });
    policy
}

fn limits() -> PolicyLimits {
    PolicyLimits {
        sol_per_transaction: Lamports::new(100_000_000),
        tokens_per_transaction: 0,
        max_priority_fee: Lamports::new(1_000_000),
        evm: None,
    }
}

/// A vault with a new phrase. The phrase and the password of a real one are written down and kept apart from it.
fn new_vault() -> Result<NewVault> {
    let mut entropy = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *entropy)?;
    let mut word = Zeroizing::new([0; 16]);
    getrandom::fill(&mut *word)?;
    Ok(NewVault {
        password: Password::new(hex::encode(*word)),
        second_factor: None,
        // The password has 128 random bits; one that a person thinks of wants the default's cost.
        kdf: "scrypt-16384".parse::<KdfParams>()?,
        limits: limits(),
        mnemonic: Mnemonic::from_entropy(&*entropy)?,
        passphrase: Zeroizing::new(String::new()),
        family: PathFamily::default(),
    })
}

/// Derives the wallets and gives back their addresses.
async fn wallets(custody: &Custody, count: u32) -> Result<Vec<Address>> {
    let request = DeriveRequest {
        count,
        ..DeriveRequest::default()
    };
    custody.derive_wallets(request, &Progress::new()).await?;
    let query = WalletQuery {
        limit: count,
        ..WalletQuery::default()
    };
    let page = custody.wallets(&query).await?;
    let addresses = page
        .rows
        .iter()
        .filter_map(|wallet| wallet.address.as_solana().copied());
    Ok(addresses.collect())
}

/// Signs from many tasks at once, each under its own name in the audit log; gives back the latencies, sorted.
async fn trade(custody: &Custody, wallets: &[Address], workload: Workload) -> Result<Vec<Duration>> {
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..workload.tasks {
        let trader = custody.acting_as(&format!("trading-bot/{task}"))?;
        let (wallets, step) = (wallets.to_vec(), workload.tasks);
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            for number in (task..workload.transactions).step_by(step) {
                let wallet = &wallets[number % wallets.len()];
                let request = transfer(wallet, &EXCHANGE, 1_000, number)?;
                let began = Instant::now();
                let signed = trader.sign_transaction(request).await?;
                latencies.push(began.elapsed());
                assert_eq!(signed.wallets, [*wallet]);
                // Here it would be sent: `node.send_raw(&signed.bytes)`.
            }
            Result::Ok(latencies)
        });
    }
    let mut latencies = Vec::with_capacity(workload.transactions);
    while let Some(done) = tasks.join_next().await {
        latencies.extend(done??);
    }
    latencies.sort_unstable();
    Ok(latencies)
}

/// An unsigned transfer. The blockhash, made of the number, is the only thing in it that a node would be asked for.
fn transfer(from: &Address, to: &Address, lamports: u64, number: usize) -> Result<SignRequest> {
    let mut blockhash = [1; 32];
    blockhash[..8].copy_from_slice(&u64::try_from(number)?.to_be_bytes());
    let instruction = instructions::sol_transfer(*from, *to, Lamports::new(lamports));
    let hash = Blockhash::new(blockhash);
    let message = compile_message(MessageVersion::Legacy, *from, &[instruction], hash)?;
    Ok(SignRequest::new(Transaction::unsigned(message).encode(), NETWORK))
}

/// Follows the audit log. A real one ships the entries somewhere, and reads what it missed from the database.
#[derive(Default)]
struct Follower {
    seen: AtomicU64,
}

impl AuditSink for Follower {
    fn write(&self, entries: &[CommittedEntry]) -> std::result::Result<(), SinkError> {
        self.seen.fetch_add(entries.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn missed(&self, missed: MissedEntries) -> std::result::Result<(), SinkError> {
        println!("the sink missed {missed:?}: to be read from the database");
        Ok(())
    }
}

/// Answers every request with the metrics: all of HTTP that a scraper on this machine needs.
async fn serve(listener: TcpListener, metrics: Arc<PrometheusMetrics>) -> std::io::Result<()> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        let mut request = [0; 4_096];
        let _ = stream.read(&mut request).await?;
        let (body, kind) = (metrics.render(), PrometheusMetrics::CONTENT_TYPE);
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n",
            body.len()
        );
        let answer = format!("{head}Connection: close\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await?;
    }
}

/// Fetches the metrics as Prometheus does.
async fn scrape(at: std::net::SocketAddr) -> Result<String> {
    let mut stream = TcpStream::connect(at).await?;
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
    Ok(body.to_owned())
}

/// The latency within which so many of a hundred were answered.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied().unwrap_or_default()
}
