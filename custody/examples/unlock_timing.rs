//! Whether a wrong password takes as long as the right one: of the vault, and of a wallet that has its own.
//!
//! `cargo run --release -p keyward-custody --example unlock_timing [TRIES]`, on a quiet machine; a minute with the 150 tries of
//! each kind that are the default.
//!
//! Both are tried in an order drawn at random, against a vault in a temporary folder at the lowest cost of a guess, where
//! everything besides the stretching weighs most. The lower quartiles are compared, beside Welch's t of the quicker
//! nine tenths; on Linux the work of processors decides, which a busy machine disturbs less than the time on the wall. The answer itself tells right from wrong, so a small difference helps nobody; what must not be is a wrong one
//! answered without the stretching, which would make guessing cheap. The control adds a fifth to the wrong ones, and must be
//! caught, or nothing was measured.
#![expect(clippy::print_stdout, reason = "it prints its figures")]
#![allow(clippy::unwrap_used, reason = "inputs are made here")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use keyward_core::address::{Address, Blockhash};
use keyward_core::amount::Lamports;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::policy::PolicyLimits;
use keyward_core::solana::{MessageVersion, Transaction, compile_message, instructions};
use keyward_core::vault::KdfParams;
use keyward_custody::{
    Clock, Custody, DeriveRequest, NewVault, Password, Progress, SignRequest, StoreLocation, WalletPasswords,
};
use zeroize::Zeroizing;

/// They may differ by so much of the whole.
const BOUND: f64 = 0.05;
/// Or with a smaller |t|, which is none found.
const NONE_FOUND: f64 = 4.5;
/// What the control adds.
const CONTROL: f64 = 0.20;
/// Tries thrown away at the beginning.
const WARM_UP: usize = 10;
/// The part of the tries that Welch's t is taken of, the quickest ones.
const KEPT: f64 = 0.9;

const VAULTS: &str = "tidal wicker omen 9041";
const WALLETS: &str = "harrow plinth 3317 oboe";
const WRONG: &str = "tidal wicker omen 9042";

/// A second passes with every look at it, so that no limit of the rate is met.
struct Ticking(AtomicU64);

impl Clock for Ticking {
    fn now_ms(&self) -> u64 {
        self.0.fetch_add(1_000, Ordering::Relaxed)
    }
}

#[tokio::main]
async fn main() {
    let tries = std::env::args().nth(1).map_or(150, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let custody = vault(folder.path()).await;
    let wallet = custody.wallet("#0").await.unwrap().solana().copied().unwrap();
    println!("{tries} tries of each kind, scrypt with N = 2^14\n");

    let mut drawn = Xorshift(0x9e37_79b9_7f4a_7c15);
    let mut times = [Vec::new(), Vec::new()];
    while times.iter().any(|times| times.len() < tries + WARM_UP) {
        let right = drawn.next_bit();
        custody.lock().await;
        let password = Password::new(if right { VAULTS } else { WRONG }.to_owned());
        let began = Spent::so_far();
        let opened = custody.unlock(&password, None).await;
        times[usize::from(right)].push(began.since());
        assert_eq!(opened.is_ok(), right, "{opened:?}");
    }
    compare("unlocking the vault", times, tries);

    custody
        .unlock(&Password::new(VAULTS.to_owned()), None)
        .await
        .unwrap();
    let own = Password::new(WALLETS.to_owned());
    custody.set_wallet_password(wallet, None, &own).await.unwrap();
    let mut times = [Vec::new(), Vec::new()];
    let mut number = 0_u64;
    while times.iter().any(|times| times.len() < tries + WARM_UP) {
        let right = drawn.next_bit();
        number += 1;
        let password = Password::new(if right { WALLETS } else { WRONG }.to_owned());
        let (request, passwords) = (
            transfer(wallet, number),
            WalletPasswords::of_one(wallet, password),
        );
        let began = Spent::so_far();
        let signed = custody.sign_transaction_with(request, &passwords).await;
        times[usize::from(right)].push(began.since());
        assert_eq!(signed.is_ok(), right, "{signed:?}");
    }
    compare("signing with a wallet's own password", times, tries);
}

async fn vault(folder: &std::path::Path) -> Custody {
    let custody = Custody::builder()
        .storage(StoreLocation::from_path(folder.join("vault.db")))
        .clock(Arc::new(Ticking(AtomicU64::new(1_800_000_000_000))))
        // A right one comes at the latest after so many wrong ones, for all that chance may do.
        .max_failed_attempts(100)
        .open()
        .await
        .unwrap();
    let new = NewVault {
        password: Password::new(VAULTS.to_owned()),
        second_factor: None,
        kdf: KdfParams::MINIMUM,
        limits: PolicyLimits {
            sol_per_transaction: Lamports::ONE_SOL,
            tokens_per_transaction: 0,
            max_priority_fee: Lamports::new(0),
            evm: None,
        },
        mnemonic: Mnemonic::from_entropy(&[7; 32]).unwrap(),
        passphrase: Zeroizing::new(String::new()),
        family: PathFamily::default(),
    };
    custody.create_vault(new).await.unwrap();
    let request = DeriveRequest {
        count: 1,
        ..DeriveRequest::default()
    };
    custody.derive_wallets(request, &Progress::new()).await.unwrap();
    custody
}

fn transfer(from: Address, number: u64) -> SignRequest {
    let mut blockhash = [1; 32];
    blockhash[..8].copy_from_slice(&number.to_be_bytes());
    let to = Address::new([7; 32]);
    let instruction = instructions::sol_transfer(from, to, Lamports::new(1));
    let hash = Blockhash::new(blockhash);
    let message = compile_message(MessageVersion::Legacy, from, &[instruction], hash).unwrap();
    SignRequest::new(Transaction::unsigned(message).encode(), "nowhere")
}

/// What an operation took.
#[derive(Clone, Copy)]
struct Spent {
    began: Instant,
    /// By the clock on the wall.
    wall: Duration,
    /// Of processors, by all threads of this process; `None` where the system does not tell.
    work: Option<Duration>,
}

impl Spent {
    fn so_far() -> Self {
        Self {
            began: Instant::now(),
            wall: Duration::ZERO,
            work: work(),
        }
    }

    fn since(self) -> Self {
        Self {
            wall: self.began.elapsed(),
            work: work().zip(self.work).map(|(now, then)| now.saturating_sub(then)),
            ..self
        }
    }
}

/// The time that threads have run, which other programs on the machine do not add to (Linux).
fn work() -> Option<Duration> {
    let mut total = 0_u64;
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        // A thread that ended meanwhile is not there any more.
        let Ok(text) = std::fs::read_to_string(task.ok()?.path().join("schedstat")) else {
            continue;
        };
        total += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(total))
}

/// Prints both, by the wall and by the work, and holds the work against each other where it is known, since another program
/// on the machine does not disturb it; of `spent`, the first are wrong, the second right.
fn compare(name: &str, spent: [Vec<Spent>; 2], tries: usize) {
    println!("{name} (lower quartiles)");
    let wall = Sample::of(&spent, tries, |spent| Some(spent.wall)).unwrap();
    wall.print("by the wall");
    let work = Sample::of(&spent, tries, |spent| spent.work);
    if let Some(work) = &work {
        work.print("of processors");
    }
    println!();
    let judged = work.unwrap_or(wall);
    assert!(
        judged.with_control().differs(),
        "the control was not caught: nothing was measured"
    );
    assert!(!judged.differs(), "wrong and right take different time");
}

/// Times in milliseconds, sorted.
struct Sample {
    wrong: Vec<f64>,
    right: Vec<f64>,
}

impl Sample {
    fn of(spent: &[Vec<Spent>; 2], tries: usize, which: impl Fn(&Spent) -> Option<Duration>) -> Option<Self> {
        let sorted = |spent: &[Spent]| -> Option<Vec<f64>> {
            let kept = spent.iter().skip(WARM_UP).take(tries);
            let mut millis: Vec<f64> = kept
                .map(|one| which(one).map(|took| took.as_secs_f64() * 1e3))
                .collect::<Option<_>>()?;
            millis.sort_unstable_by(f64::total_cmp);
            Some(millis)
        };
        Some(Self {
            wrong: sorted(&spent[0])?,
            right: sorted(&spent[1])?,
        })
    }

    /// The lower quartiles of wrong and right, which what goes on beside them disturbs least.
    fn quartiles(&self) -> (f64, f64) {
        (self.wrong[self.wrong.len() / 4], self.right[self.right.len() / 4])
    }

    fn print(&self, what: &str) {
        let (wrong, right) = self.quartiles();
        println!(
            "  {what}: right {right:.2} ms, wrong {wrong:.2} ms, difference {:+.2} ms ({:+.2} %), t {:+.1}",
            wrong - right,
            (wrong / right - 1.0) * 100.0,
            welch(&self.wrong, &self.right)
        );
    }

    fn differs(&self) -> bool {
        let (wrong, right) = self.quartiles();
        (wrong / right - 1.0).abs() > BOUND && welch(&self.wrong, &self.right).abs() > NONE_FOUND
    }

    fn with_control(&self) -> Self {
        Self {
            wrong: self.wrong.iter().map(|took| took * (1.0 + CONTROL)).collect(),
            right: self.right.clone(),
        }
    }
}

/// Welch's t of the quicker part of both.
fn welch(a: &[f64], b: &[f64]) -> f64 {
    let moments = |sorted: &[f64]| {
        // A count of measurements: exact as a float, and not above the length.
        let kept = &sorted[..(sorted.len() as f64 * KEPT) as usize];
        let count = kept.len() as f64;
        let mean = kept.iter().sum::<f64>() / count;
        let variance = kept.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    };
    let ((mean_a, error_a), (mean_b, error_b)) = (moments(a), moments(b));
    (mean_a - mean_b) / (error_a + error_b).sqrt()
}

/// A generator good enough to draw an order.
struct Xorshift(u64);

impl Xorshift {
    fn next_bit(&mut self) -> bool {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 63 == 1
    }
}
