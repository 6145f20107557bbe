//! Whether a wrong password takes as long as the right one: of the vault, and of a wallet that has its own.
//!
//! `cargo run --release -p keyward-custody --example unlock_timing [TRIES]`, on a quiet machine; a minute with the 150 tries of
//! each kind that are the default.
//!
//! Both are tried in an order drawn at random, against a vault in a temporary folder at the lowest cost of a guess, where
//! everything besides the stretching weighs most. The lower quartiles are compared, beside Welch's t of the quicker
//! nine tenths. The answer itself tells right from wrong, so a small difference helps nobody; what must not be is a wrong one
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
        let began = Instant::now();
        let opened = custody.unlock(&password, None).await;
        times[usize::from(right)].push(began.elapsed());
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
        let began = Instant::now();
        let signed = custody.sign_transaction_with(request, &passwords).await;
        times[usize::from(right)].push(began.elapsed());
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

/// Prints the lower quartiles, which work beside this disturbs least, and holds them against each other; of `times`, the first
/// are wrong, the second right.
fn compare(name: &str, times: [Vec<Duration>; 2], tries: usize) {
    let [wrong, right] = times.map(|times| {
        let kept = times.iter().skip(WARM_UP).take(tries);
        let mut millis: Vec<f64> = kept.map(|took| took.as_secs_f64() * 1e3).collect();
        millis.sort_unstable_by(f64::total_cmp);
        millis
    });
    let [took_wrong, took_right] = [&wrong, &right].map(|sorted| sorted[sorted.len() / 4]);
    let (found, t) = (took_wrong / took_right - 1.0, welch(&wrong, &right));
    println!("{name} (lower quartiles)");
    println!("  right {took_right:.2} ms, wrong {took_wrong:.2} ms");
    println!(
        "  difference {:+.2} ms, {:+.2} %; t {t:+.1}\n",
        took_wrong - took_right,
        found * 100.0
    );
    let differ = |found: f64, t: f64| found.abs() > BOUND && t.abs() > NONE_FOUND;
    let control: Vec<f64> = wrong.iter().map(|took| took * (1.0 + CONTROL)).collect();
    let caught = differ((1.0 + found) * (1.0 + CONTROL) - 1.0, welch(&control, &right));
    assert!(
        caught,
        "the control was not caught: the machine is too busy to measure anything"
    );
    assert!(!differ(found, t), "wrong and right take different time");
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
