//! Whether the comparisons of secrets take the same time wherever the first difference is (dudect).
//!
//! `cargo run --release --example dudect -p keyward-core`, on a quiet machine; some seconds.
//!
//! Each probe does the same work on inputs of two classes, in an order that is drawn at random, and compares the two
//! distributions of times by Welch's t. Slow outliers are cut off at several percentiles, and the largest |t| counts.
//! Below 4.5 no difference was found; above 10 there is one. The last probe is a comparison that stops at the first
//! difference: it must be caught, or nothing was measured. A pass proves nothing; a failure does.
//!
//! Method: Reparaz, Balasch, Verbauwhede, "Dude, is my code constant time?", <https://eprint.iacr.org/2016/1123>.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it prints its figures")]
#![allow(clippy::unwrap_used, reason = "inputs are made here")]

use std::hint::black_box;
use std::time::Instant;

use keyward_core::vault::{
    CreateVault, KdfParams, NewRecovery, RecordContext, RecordId, RecordKind, RecordPublicKey, RecoveryKey,
    VaultHeader, VaultId, VaultKey, open_record, seal_record,
};

/// Measurements of each probe, both classes together.
const MEASUREMENTS: usize = 400_000;
/// Measurements thrown away at the beginning.
const WARM_UP: usize = 20_000;
/// The part of the measurements that each cut leaves, the fastest ones.
const KEPT: [f64; 6] = [1.0, 0.99, 0.95, 0.9, 0.7, 0.5];
/// Above this there is a difference for certain.
const CERTAIN: f64 = 10.0;
/// Below this none was found.
const NONE_FOUND: f64 = 4.5;

fn main() {
    println!("{MEASUREMENTS} measurements a probe; |t| below {NONE_FOUND} is no difference found\n");
    let record = record_commitment();
    let slot = slot_commitment();
    let naive = stops_at_the_first_difference();
    assert!(
        naive > CERTAIN,
        "the control was not caught: nothing was measured"
    );
    assert!(record < CERTAIN && slot < CERTAIN, "a comparison leaks its time");
}

/// Opening a record whose commitment differs in its first byte, beside its last.
fn record_commitment() -> f64 {
    let key = VaultKey::from_bytes([7; 32]);
    let context = RecordContext {
        vault: VaultId::from_bytes([1; 16]),
        record: RecordId::from_bytes([2; 16]),
        kind: RecordKind::Master,
        epoch: 1,
        public_key: RecordPublicKey::None,
    };
    let salt = [3; 32];
    let sealed = seal_record(&key, &context, &[9; 64], salt).unwrap();
    let classes = differing(&sealed, &salt);
    probe(
        "commitment of a record",
        |class| classes[class].clone(),
        |sealed| open_record(&key, &context, sealed).is_err(),
    )
}

/// Opening a key slot whose commitment differs in its first byte, beside its last: what tells a right password from a wrong
/// one. A recovery slot, which does not stretch; a password's slot is compared by the same code after 50 ms of scrypt.
fn slot_commitment() -> f64 {
    let (header, key) = VaultHeader::create(CreateVault {
        vault: VaultId::from_bytes([1; 16]),
        kdf: KdfParams::MINIMUM,
        password: b"tidal wicker omen 9041",
        second_factor: None,
        key: [7; 32],
        slot_salt: [4; 32],
        wrap_salt: [5; 32],
    })
    .unwrap();
    let recovery = RecoveryKey::from_bytes([6; 32]);
    let salt = [8; 32];
    let header = header
        .with_recovery_slot(
            &key,
            NewRecovery {
                key: &recovery,
                slot_salt: [9; 32],
                wrap_salt: salt,
            },
        )
        .unwrap();
    let classes = differing(&header.to_bytes(), &salt);
    probe(
        "commitment of a key slot",
        |class| VaultHeader::from_bytes(&classes[class]).unwrap(),
        |header| header.open_with_recovery(&recovery).is_err(),
    )
}

/// The control.
fn stops_at_the_first_difference() -> f64 {
    let right = [5_u8; 32];
    let mut first = right;
    first[0] ^= 1;
    let mut last = right;
    last[31] ^= 1;
    probe(
        "control: stops at the first difference",
        |class| [first, last][class],
        |guess| {
            guess
                .iter()
                .zip(&right)
                .any(|(a, b)| black_box(a) != black_box(b))
        },
    )
}

/// Two copies of an envelope, the commitment of one changed in its first byte and of the other in its last. The
/// commitment follows the envelope's salt.
fn differing(envelope: &[u8], salt: &[u8; 32]) -> [Vec<u8>; 2] {
    let at = envelope.windows(32).position(|window| window == salt).unwrap() + 32;
    [at, at + 31].map(|at| {
        let mut changed = envelope.to_vec();
        changed[at] ^= 1;
        changed
    })
}

/// Measures and prints; the largest |t|. The input of each measurement is made anew, so that no class has a place in memory
/// of its own: that alone would tell them apart.
fn probe<T>(name: &str, input: impl Fn(usize) -> T, work: impl Fn(&T) -> bool) -> f64 {
    let mut order = Xorshift(0x9e37_79b9_7f4a_7c15);
    let mut times: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for round in 0..WARM_UP + MEASUREMENTS {
        let class = usize::from(order.next_bit());
        let input = black_box(input(class));
        let start = Instant::now();
        let refused = black_box(work(&input));
        let took = start.elapsed();
        assert!(refused, "a changed input was accepted");
        if round >= WARM_UP {
            // Nanoseconds of a call fit a float exactly.
            times[class].push(took.as_nanos() as f64);
        }
    }
    let t = largest_t(&times);
    let median = {
        let mut all = times.concat();
        all.sort_unstable_by(f64::total_cmp);
        all[all.len() / 2]
    };
    println!("{name:<42} |t| {t:>8.2}   median {median:.0} ns");
    t
}

fn largest_t(times: &[Vec<f64>; 2]) -> f64 {
    let mut all = times.concat();
    all.sort_unstable_by(f64::total_cmp);
    KEPT.iter()
        .map(|kept| {
            // A count of measurements: exact as a float, and not above the length.
            let bound = all[((all.len() as f64 * kept) as usize).clamp(1, all.len()) - 1];
            let [a, b] =
                [&times[0], &times[1]].map(|class| Moments::of(class.iter().filter(|t| **t <= bound)));
            let error = (a.variance / a.count + b.variance / b.count).sqrt();
            if error > 0.0 {
                ((a.mean - b.mean) / error).abs()
            } else {
                0.0
            }
        })
        .fold(0.0, f64::max)
}

struct Moments {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    /// Welford's method.
    fn of<'a>(values: impl Iterator<Item = &'a f64>) -> Self {
        let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
        for value in values {
            count += 1.0;
            let delta = value - mean;
            mean += delta / count;
            squares += delta * (value - mean);
        }
        let variance = if count > 1.0 { squares / (count - 1.0) } else { 0.0 };
        Self {
            count,
            mean,
            variance,
        }
    }
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
