//! What many tasks at once are given, on SQLite and on PostgreSQL: signatures with the full path (decode, policy, reservation,
//! audit, key, verification, record) across 1,000 wallets, and what 100,000 wallets cost.
//!
//! `cargo bench -p keyward-custody --bench throughput`; `-- signing` or `-- wallets` for a part, `sqlite` or `postgres` for one
//! store. `KEYWARD_BENCH_DIR` chooses SQLite's disk. The PostgreSQL server is one of this process's own, on loopback, with
//! `fsync` on, or the one that `KEYWARD_TEST_DATABASE_URL` names. Lines that begin with `figure;` are for `cargo xtask bench`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and ends at the first error"
)]

#[path = "../tests/postgres/server.rs"]
#[allow(dead_code, reason = "only a server is wanted")]
mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use keyward_core::account::{AccountAddress, Chain};
use keyward_core::address::{Address, Blockhash};
use keyward_core::amount::Lamports;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::policy::PolicyLimits;
use keyward_core::solana::{MessageVersion, Transaction, compile_message, instructions};
use keyward_core::vault::{CreateVault, KdfParams, VaultHeader, VaultId};
use keyward_custody::{
    AuditReport, Clock, Custody, DeriveRequest, NewVault, OpenOptions, Password, Progress, SignRequest,
    StatusFilter, StoreLocation, WalletQuery, WalletSort, WalletStatus,
};
use server::{Durability, Server};
use tempfile::TempDir;
use zeroize::Zeroizing;

const PHRASE: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
const PASSWORD: &str = "tidal wicker omen 9041";
/// The lightest that a vault may have: what is measured is measured beyond it.
const LIGHT_KDF: &str = "scrypt-16384";

const SIGNERS: u32 = 1_000;
const TASKS: [usize; 4] = [1, 16, 64, 256];
/// Signatures in a round; a lone task makes a tenth.
const SIGNATURES: usize = 10_000;
/// A thousand in a second.
const PER_SIGNATURE_AIM: Duration = Duration::from_millis(1);

const MANY: u32 = 100_000;
const STORE_AIM: Duration = Duration::from_secs(5);
const PAGE_AIM: Duration = Duration::from_millis(20);
const UNLOCK_AIM: Duration = Duration::from_millis(50);
const READS: usize = 21;
const UNLOCKS: usize = 11;

/// Moves on with every reading, so that no wallet meets its rate limit.
struct FastClock;

static NOW_MS: AtomicU64 = AtomicU64::new(1_800_000_000_000);

impl Clock for FastClock {
    fn now_ms(&self) -> u64 {
        NOW_MS.fetch_add(1_000, Ordering::Relaxed)
    }
}

/// A place for vaults, gone with this value.
enum Place {
    File(TempDir),
    Database(String),
}

impl Place {
    fn name(&self) -> &'static str {
        match self {
            Self::File(_) => "SQLite",
            Self::Database(_) => "PostgreSQL",
        }
    }

    fn location(&self) -> StoreLocation {
        match self {
            Self::File(folder) => StoreLocation::from_path(folder.path().join("vault.db")),
            Self::Database(url) => StoreLocation::parse(url).unwrap(),
        }
    }
}

fn main() {
    // `cargo test --benches` only wants to see it start.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--test") {
        return;
    }
    let named = |group: [&str; 2]| arguments.iter().any(|one| group.contains(&one.as_str()));
    let wanted = |what: &str, group| !named(group) || arguments.iter().any(|one| one == what);
    let (parts, stores) = (["signing", "wallets"], ["sqlite", "postgres"]);
    let own_server = match std::env::var("KEYWARD_TEST_DATABASE_URL") {
        Ok(url) if !url.is_empty() => Err(url),
        _ if wanted("postgres", stores) => Ok(Server::start(Durability::On).unwrap()),
        _ => Err(String::new()),
    };
    let url = own_server
        .as_ref()
        .map_or_else(Clone::clone, |server| server.url.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    for store in stores.into_iter().filter(|store| wanted(store, stores)) {
        let place = || match store {
            "sqlite" => Place::File(folder()),
            _ => Place::Database(server::database_on(&url)),
        };
        if wanted("signing", parts) {
            runtime.block_on(signing(place()));
        }
        if wanted("wallets", parts) {
            runtime.block_on(wallets(place()));
        }
    }
}

fn folder() -> TempDir {
    match std::env::var_os("KEYWARD_BENCH_DIR") {
        Some(place) => TempDir::new_in(place).unwrap(),
        None => TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
    }
}

async fn open(place: &Place) -> Custody {
    let options = OpenOptions {
        clock: Arc::new(FastClock),
        busy_timeout_ms: 60_000,
        ..OpenOptions::default()
    };
    Custody::open(&place.location(), options).await.unwrap()
}

async fn empty_vault(place: &Place) -> Custody {
    let custody = open(place).await;
    let new = NewVault {
        password: Password::new(PASSWORD.to_owned()),
        second_factor: None,
        kdf: LIGHT_KDF.parse().unwrap(),
        limits: PolicyLimits {
            sol_per_transaction: Lamports::ONE_SOL,
            tokens_per_transaction: 100,
            max_priority_fee: Lamports::new(1_000_000),
            evm: None,
        },
        mnemonic: Mnemonic::parse(PHRASE).unwrap(),
        passphrase: Zeroizing::new(String::new()),
        family: PathFamily::Bip44Change,
    };
    custody.create_vault(new).await.unwrap();
    custody
}

async fn derive(custody: &Custody, count: u32) {
    let request = DeriveRequest {
        start: None,
        count,
        ..DeriveRequest::default()
    };
    let range = custody.derive_wallets(request, &Progress::new()).await.unwrap();
    assert_eq!(range.added, count);
}

async fn signing(place: Place) {
    let custody = empty_vault(&place).await;
    derive(&custody, SIGNERS).await;
    let query = WalletQuery {
        limit: SIGNERS,
        ..WalletQuery::default()
    };
    let wallets: Arc<[Address]> = custody
        .wallets(&query)
        .await
        .unwrap()
        .rows
        .iter()
        .map(|row| solana(row.address))
        .collect();
    let nonce = Arc::new(AtomicUsize::new(0));
    for tasks in TASKS {
        let count = if tasks == 1 { SIGNATURES / 10 } else { SIGNATURES };
        let (all, mut times) = sign_with(&custody, &wallets, &nonce, tasks, count).await;
        times.sort_unstable();
        let each = all / u32::try_from(count).unwrap();
        println!(
            "{}, {tasks:>3} tasks: {:>6.0} signatures/s   p50 {:>9.2?}  p90 {:>9.2?}  p99 {:>9.2?}  max {:>9.2?}",
            place.name(),
            1.0 / each.as_secs_f64(),
            at(&times, 500),
            at(&times, 900),
            at(&times, 990),
            at(&times, 1000),
        );
        if tasks >= 64 {
            let what = format!("a signature among {tasks} tasks, {}", place.name());
            figure(
                &format!("{what}: the time there is for each"),
                each,
                Some(PER_SIGNATURE_AIM),
            );
            figure(
                &format!("  its latency, {tasks} tasks, p50"),
                at(&times, 500),
                None,
            );
            figure(
                &format!("  its latency, {tasks} tasks, p99"),
                at(&times, 990),
                None,
            );
        }
    }
    // What all of them left verifies.
    let report = custody.audit_verify(None).await.unwrap();
    assert!(matches!(report, AuditReport::Intact { .. }), "{report:?}");
    custody.close().await.unwrap();
}

async fn sign_with(
    custody: &Custody,
    wallets: &Arc<[Address]>,
    nonce: &Arc<AtomicUsize>,
    tasks: usize,
    count: usize,
) -> (Duration, Vec<Duration>) {
    let end = nonce.load(Ordering::SeqCst) + count;
    let start = Instant::now();
    let running: Vec<_> = (0..tasks)
        .map(|_| {
            let (custody, wallets, nonce) = (custody.clone(), Arc::clone(wallets), Arc::clone(nonce));
            tokio::spawn(async move {
                let mut times = Vec::new();
                loop {
                    let next = nonce.fetch_add(1, Ordering::SeqCst);
                    if next >= end {
                        return times;
                    }
                    let start = Instant::now();
                    let request = transfer(wallets[next % wallets.len()], next);
                    custody.sign_transaction(request).await.unwrap();
                    times.push(start.elapsed());
                }
            })
        })
        .collect();
    let mut times = Vec::with_capacity(count);
    for task in running {
        times.extend(task.await.unwrap());
    }
    let all = start.elapsed();
    nonce.store(end, Ordering::SeqCst);
    assert_eq!(times.len(), count);
    (all, times)
}

async fn wallets(place: Place) {
    let custody = empty_vault(&place).await;
    let start = Instant::now();
    derive(&custody, MANY).await;
    let name = place.name();
    figure(
        &format!("derive, seal and durably store 100,000 wallets, {name}"),
        start.elapsed(),
        Some(STORE_AIM),
    );
    // Some to find: by label, by tag, by use.
    for index in (0..MANY).step_by(1_000) {
        let wallet = custody.wallet(&format!("#{index}")).await.unwrap().address;
        custody.set_label(wallet, &format!("desk {index}")).await.unwrap();
        custody.add_tags(&[wallet], &["hot".to_owned()]).await.unwrap();
        custody
            .sign_transaction(transfer(solana(wallet), index as usize))
            .await
            .unwrap();
    }
    let mut slowest = (Duration::ZERO, String::new());
    for (what, query) in queries() {
        let mut times = Vec::new();
        for _ in 0..READS {
            let start = Instant::now();
            custody.wallets(&query).await.unwrap();
            times.push(start.elapsed());
        }
        times.sort_unstable();
        println!(
            "{name}: {what:<44} min {:>9.2?}  p50 {:>9.2?}  max {:>9.2?}",
            at(&times, 0),
            at(&times, 500),
            at(&times, 1000)
        );
        slowest = slowest.max((at(&times, 500), what));
    }
    figure(
        &format!(
            "a page of 100,000 wallets, {name}, the slowest (median): {}",
            slowest.1
        ),
        slowest.0,
        Some(PAGE_AIM),
    );
    custody.close().await.unwrap();
    unlock(&place).await;
}

fn queries() -> Vec<(String, WalletQuery)> {
    let page = WalletQuery {
        limit: 50,
        ..WalletQuery::default()
    };
    let mut queries = Vec::new();
    for sort in [
        WalletSort::Index,
        WalletSort::Label,
        WalletSort::LastUsed,
        WalletSort::Created,
        WalletSort::Trades,
        WalletSort::Volume,
        WalletSort::Owner,
    ] {
        for descending in [false, true] {
            let query = WalletQuery {
                sort,
                descending,
                ..page.clone()
            };
            let order = if descending { "descending" } else { "ascending" };
            queries.push((format!("first page by {sort:?}, {order}"), query.clone()));
            let tag = Some("hot".to_owned());
            queries.push((
                format!("  of a tag, by {sort:?}, {order}"),
                WalletQuery { tag, ..query },
            ));
        }
    }
    for text in ["abc", "desk 7", "#77777", "Zzzzzzz"] {
        let query = WalletQuery {
            text: text.to_owned(),
            ..page.clone()
        };
        queries.push((format!("text {text:?}"), query));
    }
    for chain in [Chain::Solana, Chain::Evm] {
        let query = WalletQuery {
            chain: Some(chain),
            ..page.clone()
        };
        queries.push((format!("chain {chain:?}"), query));
    }
    for status in [StatusFilter::All, StatusFilter::Only(WalletStatus::Rotated)] {
        let query = WalletQuery {
            status,
            ..page.clone()
        };
        queries.push((format!("status {status:?}"), query));
    }
    for (owner, role) in [(Some("nobody"), None), (None, Some("trading"))] {
        let query = WalletQuery {
            owner: owner.map(str::to_owned),
            role: role.map(str::to_owned),
            ..page.clone()
        };
        queries.push((format!("owner {owner:?}, role {role:?}"), query));
    }
    let last = WalletQuery {
        offset: u64::from(MANY) - 50,
        ..page
    };
    queries.push(("last page by Index".to_owned(), last));
    queries
}

/// From the password to a first signature, beyond the key derivation alone; the least of each, which other programs
/// disturb least.
async fn unlock(place: &Place) {
    let header = Arc::new(header());
    let (mut scrypts, mut opens, mut signed) = (Vec::new(), Vec::new(), Vec::new());
    let password = Password::new(PASSWORD.to_owned());
    for nonce in 0..UNLOCKS {
        let own = Arc::clone(&header);
        let start = Instant::now();
        let derive = move || own.open(PASSWORD.as_bytes(), None).map(drop);
        tokio::task::spawn_blocking(derive).await.unwrap().unwrap();
        scrypts.push(start.elapsed());
        let start = Instant::now();
        let custody = open(place).await;
        opens.push(start.elapsed());
        let start = Instant::now();
        custody.unlock(&password, None).await.unwrap();
        let wallet = custody.wallet("#77777").await.unwrap().address;
        let request = transfer(solana(wallet), 1_000_000 + nonce);
        custody.sign_transaction(request).await.unwrap();
        signed.push(start.elapsed());
        custody.close().await.unwrap();
    }
    let least = |times: &[Duration]| times.iter().min().copied().unwrap();
    let name = place.name();
    println!("{name}: open the store of 100,000 wallets: {:.2?}", least(&opens));
    figure(
        &format!("unlock to the first signature, 100,000 wallets, {name}, beyond the scrypt (least)"),
        least(&signed).saturating_sub(least(&scrypts)),
        Some(UNLOCK_AIM),
    );
}

/// A header to derive keys by, without a store.
fn header() -> VaultHeader {
    let kdf: KdfParams = LIGHT_KDF.parse().unwrap();
    let new = CreateVault {
        vault: VaultId::from_bytes([1; 16]),
        kdf,
        password: PASSWORD.as_bytes(),
        second_factor: None,
        key: [2; 32],
        slot_salt: [3; 32],
        wrap_salt: [4; 32],
    };
    VaultHeader::create(new).unwrap().0
}

/// The benchmark's wallets are all of Solana.
fn solana(wallet: AccountAddress) -> Address {
    *wallet.as_solana().expect("a wallet of Solana")
}

fn transfer(from: Address, nonce: usize) -> SignRequest {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&u64::try_from(nonce).unwrap().to_be_bytes());
    let transfer = instructions::sol_transfer(from, Address::new([7; 32]), Lamports::new(1_000));
    let message = compile_message(MessageVersion::Legacy, from, &[transfer], Blockhash::new(hash)).unwrap();
    SignRequest::new(Transaction::unsigned(message).encode(), "bench")
}

/// The time at this place of sorted ones.
fn at(times: &[Duration], per_mille: usize) -> Duration {
    times[(times.len() - 1) * per_mille / 1000]
}

fn figure(what: &str, taken: Duration, aim: Option<Duration>) {
    let aim = aim.map_or_else(|| "-".to_owned(), |aim| aim.as_nanos().to_string());
    println!("figure; {what}; {}; {aim}", taken.as_nanos());
}
