//! What the custody layer takes, on a real file with durable commits.
//!
//! `cargo bench -p keyward-custody`. A harness of its own, since percentiles of single operations are asked for and
//! each derivation needs a fresh vault. `KEYWARD_BENCH_DIR` chooses the disk; the default is in the target folder,
//! since the system's temporary folder may be no disk at all. What the disk itself takes stands beside what is durable,
//! measured in turns with it. Lines that begin with `figure;` are for `cargo xtask bench`: what, nanoseconds taken,
//! nanoseconds aimed at or `-`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and ends at the first error"
)]

use std::fs::{File, OpenOptions as FileOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use keyward_core::address::{Address, Blockhash};
use keyward_core::amount::Lamports;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::policy::PolicyLimits;
use keyward_core::solana::{MessageVersion, Transaction, compile_message, instructions};
use keyward_core::vault::{CreateVault, KdfParams, VaultHeader, VaultId};
use keyward_custody::{
    AuditReport, Clock, Custody, DeriveRequest, NewVault, OpenOptions, Password, Progress, SignRequest,
    SigningObserver, SigningStep, StoreLocation, WalletQuery,
};
use tempfile::TempDir;
use zeroize::Zeroizing;

const PHRASE: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
const PASSWORD: &str = "tidal wicker omen 9041";
const WALLETS: u32 = 10_000;
const SIGNATURES: usize = 5_000;
const ROUNDS: usize = 11;
const UNLOCKS: usize = 31;
/// The lightest that a vault may have; what is measured with it is measured beside or without it.
const LIGHT_KDF: &str = "scrypt-16384";
/// About what one commit of a signature appends to the journal: six pages of 4 KiB.
const COMMIT_BYTES: usize = 24 * 1024;

const DERIVE_AIM: Duration = Duration::from_millis(500);
const SIGN_MEDIAN_AIM: Duration = Duration::from_millis(2);
const SIGN_P99_AIM: Duration = Duration::from_millis(5);
/// Beyond the key derivation itself.
const UNLOCK_AIM: Duration = Duration::from_millis(5);

/// Moves on with every reading, so that no wallet meets its rate limit.
struct FastClock;

static NOW_MS: AtomicU64 = AtomicU64::new(1_800_000_000_000);

impl Clock for FastClock {
    fn now_ms(&self) -> u64 {
        NOW_MS.fetch_add(1_000, Ordering::Relaxed)
    }
}

/// When each step of the signature under way was complete.
struct Steps(Mutex<Vec<Instant>>);

static STEPS: Steps = Steps(Mutex::new(Vec::new()));

/// Hands the steps on to [`STEPS`].
struct Watch;

impl SigningObserver for Watch {
    fn step(&self, _step: SigningStep) {
        STEPS.0.lock().unwrap().push(Instant::now());
    }
}

impl Steps {
    fn take(&self) -> Vec<Instant> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// The disk beneath the vault: what making a small append durable takes, without a database.
struct Disk(File);

impl Disk {
    fn beside(folder: &Path) -> Self {
        let mut options = FileOptions::new();
        Self(
            options
                .append(true)
                .create_new(true)
                .open(folder.join("disk"))
                .unwrap(),
        )
    }

    fn commit(&mut self) -> Duration {
        let start = Instant::now();
        self.0.write_all(&[0x5a; COMMIT_BYTES]).unwrap();
        self.0.sync_data().unwrap();
        start.elapsed()
    }
}

fn main() {
    // `cargo test --benches` only wants to see it start.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        derive().await;
        rotate().await;
        let light: KdfParams = LIGHT_KDF.parse().unwrap();
        let (folder, custody) = vault(light).await;
        sign(&folder, &custody).await;
        read(&custody).await;
        custody.close().await.unwrap();
        unlock(&folder, light).await;
    });
}

async fn open(folder: &TempDir) -> Custody {
    let options = OpenOptions {
        clock: Arc::new(FastClock),
        observer: Arc::new(Watch),
        ..OpenOptions::default()
    };
    Custody::open(&StoreLocation::from_path(folder.path().join("vault.db")), options)
        .await
        .unwrap()
}

fn folder() -> TempDir {
    match std::env::var_os("KEYWARD_BENCH_DIR") {
        Some(place) => TempDir::new_in(place).unwrap(),
        None => TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
    }
}

async fn empty_vault(kdf: KdfParams) -> (TempDir, Custody) {
    let folder = folder();
    let custody = open(&folder).await;
    let new = NewVault {
        password: Password::new(PASSWORD.to_owned()),
        second_factor: None,
        kdf,
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
    (folder, custody)
}

async fn vault(kdf: KdfParams) -> (TempDir, Custody) {
    let (folder, custody) = empty_vault(kdf).await;
    custody
        .derive_wallets(
            DeriveRequest {
                start: None,
                count: WALLETS,
                ..DeriveRequest::default()
            },
            &Progress::new(),
        )
        .await
        .unwrap();
    (folder, custody)
}

async fn derive() {
    let (mut times, mut working) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (_folder, custody) = empty_vault(LIGHT_KDF.parse().unwrap()).await;
        let progress = Progress::new();
        let mut states = progress.subscribe();
        let start = Instant::now();
        let sealed = tokio::spawn(async move {
            let all = states.wait_for(|state| state.done == u64::from(WALLETS));
            all.await.map(|_| start.elapsed()).unwrap()
        });
        let request = DeriveRequest {
            start: None,
            count: WALLETS,
            ..DeriveRequest::default()
        };
        let range = custody.derive_wallets(request, &progress).await.unwrap();
        times.push(start.elapsed());
        working.push(sealed.await.unwrap());
        assert_eq!(range.added, WALLETS);
    }
    report("derive, seal and durably store 10,000 wallets", &mut times);
    report("  of that deriving and sealing, on every core", &mut working);
    figure(
        "derive, seal and durably store 10,000 wallets (median)",
        at(&times, 500),
        Some(DERIVE_AIM),
    );
}

/// A new vault key for 10,000 wallets, half of them of each chain.
async fn rotate() {
    let (mut times, mut deriving) = (Vec::new(), Vec::new());
    let light: KdfParams = LIGHT_KDF.parse().unwrap();
    let (_folder, custody) = empty_vault(light).await;
    for family in [PathFamily::Bip44Change, PathFamily::EvmBip44] {
        let request = DeriveRequest {
            family: Some(family),
            count: WALLETS / 2,
            ..DeriveRequest::default()
        };
        let start = Instant::now();
        custody.derive_wallets(request, &Progress::new()).await.unwrap();
        deriving.push((family, start.elapsed()));
    }
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let password = Password::new(PASSWORD.to_owned());
        let rotation = custody.rotate_vault_key(&password, None).await.unwrap();
        times.push(start.elapsed());
        assert_eq!(rotation.records, WALLETS as usize + 1);
    }
    for (family, taken) in deriving {
        println!("derive and store 5,000 wallets ({family}) {taken:>40.2?}");
    }
    report("rotate the vault key of 10,000 wallets", &mut times);
    figure(
        "rotate the vault key of 10,000 wallets (median)",
        at(&times, 500),
        None,
    );
}

async fn sign(folder: &TempDir, custody: &Custody) {
    let query = WalletQuery {
        limit: 1_000,
        ..WalletQuery::default()
    };
    let rows = custody.wallets(&query).await.unwrap().rows;
    let requests: Vec<SignRequest> = (0..SIGNATURES)
        .map(|at| transfer(solana(rows[at % rows.len()].address), at))
        .collect();
    let mut disk = Disk::beside(folder.path());
    let (mut times, mut disks) = (Vec::new(), Vec::new());
    let mut steps: [Vec<Duration>; 4] = Default::default();
    STEPS.take();
    for request in requests {
        let start = Instant::now();
        custody.sign_transaction(request).await.unwrap();
        times.push(start.elapsed());
        let [_, evaluated, authorised, used, recorded] = STEPS.take()[..] else {
            panic!("not five steps")
        };
        steps[0].push(evaluated - start);
        steps[1].push(authorised - evaluated);
        steps[2].push(used - authorised);
        steps[3].push(recorded - used);
        // In turns with the signatures, so that both meet the same load.
        disks.push(disk.commit());
    }
    report("one policy-checked, durably audited signature", &mut times);
    let names = [
        "  decode, read the facts, check, evaluate",
        "  reserve and authorise, committed",
        "  open the key, sign, verify",
        "  record, committed",
    ];
    for (name, times) in names.into_iter().zip(&mut steps) {
        report(name, times);
    }
    report("the disk alone: one durable append of 24 KiB", &mut disks);
    let ratio = |per_mille| at(&times, per_mille).as_secs_f64() / at(&disks, per_mille).as_secs_f64();
    println!(
        "one signature in durable appends: {:.1} at the median, {:.1} at p99",
        ratio(500),
        ratio(990)
    );
    figure(
        "one audited signature, p50",
        at(&times, 500),
        Some(SIGN_MEDIAN_AIM),
    );
    figure("one audited signature, p99", at(&times, 990), Some(SIGN_P99_AIM));
    figure("  the disk alone, one durable append, p50", at(&disks, 500), None);
    figure("  the disk alone, one durable append, p99", at(&disks, 990), None);
}

async fn read(custody: &Custody) {
    let ask = async |name: &str, query: WalletQuery| {
        let mut times = Vec::new();
        for _ in 0..50 {
            let start = Instant::now();
            custody.wallets(&query).await.unwrap();
            times.push(start.elapsed());
        }
        report(name, &mut times);
    };
    ask(
        "first page of 10,000 wallets",
        WalletQuery {
            limit: 50,
            ..WalletQuery::default()
        },
    )
    .await;
    ask(
        "last page",
        WalletQuery {
            limit: 50,
            offset: 9_950,
            ..WalletQuery::default()
        },
    )
    .await;
    ask(
        "page filtered by a piece of text",
        WalletQuery {
            text: "abc".to_owned(),
            limit: 50,
            ..WalletQuery::default()
        },
    )
    .await;
    let start = Instant::now();
    let report = custody.audit_verify(None).await.unwrap();
    let AuditReport::Intact { entries, .. } = report else {
        panic!("{report:?}")
    };
    println!(
        "{:<58} {:>9.2?}",
        format!("verify an audit log of {entries} entries"),
        start.elapsed()
    );
}

/// What unlocking takes beside its key derivation. With a light derivation: all but that is the same, and the
/// difference does not drown in what other programs take from a heavy one.
async fn unlock(folder: &TempDir, kdf: KdfParams) {
    let header = Arc::new(header(kdf));
    let (mut opens, mut scrypts, mut unlocks, mut signs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let password = Password::new(PASSWORD.to_owned());
    for nonce in 0..UNLOCKS {
        scrypts.push(scrypt(&header).await);

        let start = Instant::now();
        let custody = open(folder).await;
        opens.push(start.elapsed());
        let start = Instant::now();
        custody.unlock(&password, None).await.unwrap();
        unlocks.push(start.elapsed());
        let wallet = custody.wallet("#7777").await.unwrap().address;
        let request = transfer(solana(wallet), 100_000 + nonce);
        let start = Instant::now();
        custody.sign_transaction(request).await.unwrap();
        signs.push(start.elapsed());
        custody.close().await.unwrap();
    }
    report("open the database with 10,000 wallets", &mut opens);
    report(&format!("one key derivation ({kdf})"), &mut scrypts);
    report(&format!("unlock ({kdf})"), &mut unlocks);
    report("open one of 10,000 keys and sign, first after unlock", &mut signs);
    // The least of each, for the same reason.
    let beyond = (at(&unlocks, 0) + at(&signs, 0)).checked_sub(at(&scrypts, 0));
    figure(
        "unlock, open one of 10,000 keys and sign, beyond the scrypt (least)",
        beyond.expect("a machine so uneven that unlocking was quicker than its scrypt alone"),
        Some(UNLOCK_AIM),
    );
    let heavy = Arc::new(self::header(KdfParams::DEFAULT));
    let mut scrypts = Vec::new();
    for _ in 0..ROUNDS {
        scrypts.push(scrypt(&heavy).await);
    }
    report(
        &format!("one key derivation ({})", KdfParams::DEFAULT),
        &mut scrypts,
    );
    figure("  the scrypt of a new vault (least)", at(&scrypts, 0), None);
}

/// On a thread such as the vault itself uses: whether its megabytes are fresh ones makes a difference.
async fn scrypt(header: &Arc<VaultHeader>) -> Duration {
    let header = Arc::clone(header);
    let start = Instant::now();
    let open = move || header.open(PASSWORD.as_bytes(), None).map(drop);
    tokio::task::spawn_blocking(open).await.unwrap().unwrap();
    start.elapsed()
}

/// A header to derive keys by, without a store.
fn header(kdf: KdfParams) -> VaultHeader {
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
fn solana(wallet: keyward_core::account::AccountAddress) -> Address {
    *wallet.as_solana().expect("a wallet of Solana")
}

fn transfer(from: Address, nonce: usize) -> SignRequest {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&u64::try_from(nonce).unwrap().to_be_bytes());
    let transfer = instructions::sol_transfer(from, Address::new([7; 32]), Lamports::new(1_000));
    let message = compile_message(MessageVersion::Legacy, from, &[transfer], Blockhash::new(hash)).unwrap();
    SignRequest::new(Transaction::unsigned(message).encode(), "bench")
}

/// Prints the spread of these times, and leaves them sorted.
fn report(name: &str, times: &mut [Duration]) {
    times.sort_unstable();
    println!(
        "{name:<58} min {:>9.2?}  p50 {:>9.2?}  p99 {:>9.2?}  max {:>9.2?}  ({} times)",
        at(times, 0),
        at(times, 500),
        at(times, 990),
        at(times, 1000),
        times.len()
    );
}

/// The time at this place of sorted ones.
fn at(times: &[Duration], per_mille: usize) -> Duration {
    times[(times.len() - 1) * per_mille / 1000]
}

fn figure(what: &str, taken: Duration, aim: Option<Duration>) {
    let aim = aim.map_or_else(|| "-".to_owned(), |aim| aim.as_nanos().to_string());
    println!("figure; {what}; {}; {aim}", taken.as_nanos());
}
