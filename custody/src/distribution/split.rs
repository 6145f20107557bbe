//! Dividing a total among recipients: evenly, at random from a recorded seed, or by weights.
//!
//! Pure integers: every division sums to its total exactly, no part is below its minimum, and nothing overflows. The same
//! input gives the same parts for ever, so that a plan can be made again from what was recorded of it. It does not know what
//! is divided: lamports and a token's base units are alike here.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// The most parts of one division.
pub const MAX_PARTS: usize = 100_000;

/// What the stream of a seed begins with. Another algorithm gets another one.
const SEED_DOMAIN: &[u8] = b"keyward split v1";

/// Where the chances of a random division come from: 16 bytes, shown as 32 hex digits. It is recorded with the plan and is no
/// secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SplitSeed([u8; 16]);

impl SplitSeed {
    /// Wraps the bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Draws one from the operating system.
    ///
    /// # Errors
    /// [`SplitError::NoRandomness`] when the system gives none.
    pub fn draw() -> Result<Self, SplitError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|_| SplitError::NoRandomness)?;
        Ok(Self(bytes))
    }

    /// Weights of 1 to 2^32, one for each part: SHA-256 over domain, seed and a counter, four of them a block.
    fn weights(self, count: usize) -> Vec<u64> {
        let mut weights = Vec::with_capacity(count);
        let mut block = 0_u64;
        while weights.len() < count {
            let digest = Sha256::new()
                .chain_update(SEED_DOMAIN)
                .chain_update(self.0)
                .chain_update(block.to_le_bytes())
                .finalize();
            for chunk in digest.as_slice().chunks_exact(8).take(count - weights.len()) {
                let word = chunk
                    .iter()
                    .take(4)
                    .fold(0_u64, |word, byte| (word << 8) | u64::from(*byte));
                weights.push(word + 1);
            }
            block += 1;
        }
        weights
    }
}

impl fmt::Display for SplitSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for SplitSeed {
    type Err = SplitError;

    fn from_str(text: &str) -> Result<Self, SplitError> {
        let mut bytes = [0; 16];
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) => Ok(Self(bytes)),
            Err(_) => Err(SplitError::Seed),
        }
    }
}

/// How a total is divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Division {
    /// Equal parts; where it does not come out even, the first ones get one base unit more.
    Even,
    /// Parts by chance, none below `min` nor above `max`, in base units.
    Random {
        /// The chances.
        seed: SplitSeed,
        /// The least that a part may be.
        min: u64,
        /// The most that a part may be; `u64::MAX` for no bound.
        max: u64,
    },
    /// Parts in proportion to these weights, one for each part; what rounding leaves goes to the largest remainders.
    Weighted(Vec<u64>),
}

/// Why a total cannot be divided so. Positions count parts from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// There is nobody to divide among, or too many.
    #[error("{found} recipients; 1 to {MAX_PARTS} are possible")]
    Parts {
        /// How many there are.
        found: usize,
    },
    /// The numbers of weights and of recipients differ.
    #[error("{found} weights for {expected} recipients")]
    WeightCount {
        /// How many weights there are.
        found: usize,
        /// How many parts there are.
        expected: usize,
    },
    /// A weight is zero, so that its part would be nothing.
    #[error("the weight of recipient {position} is zero")]
    ZeroWeight {
        /// Which, from 0.
        position: usize,
    },
    /// The lower bound is above the upper one.
    #[error("the lower bound {min} is above the upper bound {max}")]
    Bounds {
        /// The lower bound, in base units.
        min: u64,
        /// The upper bound, in base units.
        max: u64,
    },
    /// The total is less than the least parts together.
    #[error(
        "the total of {total} base units is less than the {needed} that the smallest allowed amounts come to"
    )]
    TooLittle {
        /// What is to be divided.
        total: u64,
        /// What the least parts come to.
        needed: u128,
    },
    /// The total is more than the largest parts together.
    #[error(
        "the total of {total} base units is more than the {possible} that the largest allowed amounts come to"
    )]
    TooMuch {
        /// What is to be divided.
        total: u64,
        /// What the largest parts come to.
        possible: u128,
    },
    /// A part comes out below its minimum, and the division leaves no freedom to raise it.
    #[error("recipient {position} would get {part} base units and must get at least {least}")]
    PartTooSmall {
        /// Which, from 0.
        position: usize,
        /// What it would get.
        part: u64,
        /// What it must get.
        least: u64,
    },
    /// A seed is not 32 hexadecimal digits.
    #[error("a seed is 32 hexadecimal digits")]
    Seed,
    /// The operating system gives no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
}

impl SplitError {
    /// Returns what a person can do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Parts { .. } => "name recipients, and divide a longer list into several",
            Self::WeightCount { .. } => "give each recipient one weight",
            Self::ZeroWeight { .. } => "give a weight above zero, or leave the recipient out",
            Self::Bounds { .. } => "swap the bounds",
            Self::TooLittle { .. } => "raise the total, lower the lower bound, or name fewer recipients",
            Self::TooMuch { .. } => "lower the total, raise the upper bound, or name more recipients",
            Self::PartTooSmall { .. } => "raise the total, or leave the recipient out",
            Self::Seed => "give the seed as it was shown, or none to have one drawn",
            Self::NoRandomness => "give a seed of 32 hexadecimal digits",
        }
    }
}

/// Divides a total into as many parts as there are minimums; the parts come in their order and sum to the total exactly.
///
/// `least` is what each part must at least be, in base units: the rent of an account that comes into being, else 1. Chance
/// heeds it; even and weighted parts are what they are, and are refused when one comes out below.
///
/// # Errors
/// See [`SplitError`].
pub fn divide(total: u64, division: &Division, least: &[u64]) -> Result<Vec<u64>, SplitError> {
    if least.is_empty() || least.len() > MAX_PARTS {
        return Err(SplitError::Parts { found: least.len() });
    }
    let parts = match division {
        Division::Even => even(total, least.len()),
        Division::Random { seed, min, max } => random(total, *seed, (*min, *max), least)?,
        Division::Weighted(weights) => weighted(total, weights, least.len())?,
    };
    for (position, (part, least)) in parts.iter().zip(least).enumerate() {
        if part < least {
            return Err(SplitError::PartTooSmall {
                position,
                part: *part,
                least: *least,
            });
        }
    }
    Ok(parts)
}

fn even(total: u64, count: usize) -> Vec<u64> {
    // At most MAX_PARTS, and not zero.
    let count_u64 = count as u64;
    let (part, more) = (total / count_u64, total % count_u64);
    (0..count_u64).map(|at| part + u64::from(at < more)).collect()
}

fn weighted(total: u64, weights: &[u64], count: usize) -> Result<Vec<u64>, SplitError> {
    if weights.len() != count {
        return Err(SplitError::WeightCount {
            found: weights.len(),
            expected: count,
        });
    }
    match weights.iter().position(|weight| *weight == 0) {
        Some(position) => Err(SplitError::ZeroWeight { position }),
        None => Ok(apportion(total, weights)),
    }
}

/// Every part gets its minimum; the rest is divided by drawn weights, and what a part's maximum does not take goes to the
/// others in the same proportion.
fn random(
    total: u64,
    seed: SplitSeed,
    (min, max): (u64, u64),
    least: &[u64],
) -> Result<Vec<u64>, SplitError> {
    if min > max {
        return Err(SplitError::Bounds { min, max });
    }
    let lows: Vec<u64> = least.iter().map(|least| min.max(*least)).collect();
    if let Some(position) = lows.iter().position(|low| *low > max) {
        return Err(SplitError::PartTooSmall {
            position,
            part: max,
            least: lows.get(position).copied().unwrap_or(max),
        });
    }
    let needed: u128 = lows.iter().map(|low| u128::from(*low)).sum();
    let possible = u128::from(max) * lows.len() as u128;
    let Some(free) = u128::from(total).checked_sub(needed) else {
        return Err(SplitError::TooLittle { total, needed });
    };
    if u128::from(total) > possible {
        return Err(SplitError::TooMuch { total, possible });
    }
    // It is at most the total, so it has 64 bits.
    let free = u64::try_from(free).unwrap_or(u64::MAX);
    let room: Vec<u64> = lows.iter().map(|low| max - low).collect();
    let extra = apportion_within(free, &seed.weights(lows.len()), &room);
    Ok(lows.iter().zip(extra).map(|(low, extra)| low + extra).collect())
}

/// Divides in proportion to weights, none of them zero, by the method of largest remainders; equal ones in their order.
fn apportion(total: u64, weights: &[u64]) -> Vec<u64> {
    // 2^17 weights of 64 bits, times 64 bits for a product: all below 2^128.
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    let mut given = 0_u64;
    for (position, weight) in weights.iter().enumerate() {
        let product = u128::from(total) * u128::from(*weight);
        // A weight is at most the sum, so a part is at most the total, and all parts together are, too.
        let part = u64::try_from(product / sum.max(1)).unwrap_or(u64::MAX);
        given += part;
        parts.push(part);
        remainders.push((product % sum.max(1), position));
    }
    // Fewer units are left than there are remainders above zero.
    let left = usize::try_from(total - given).unwrap_or(usize::MAX);
    remainders.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, position) in remainders.into_iter().take(left) {
        if let Some(part) = parts.get_mut(position) {
            *part += 1;
        }
    }
    parts
}

/// Divides in proportion to weights of at most 2^32 with room for so much each; the room must suffice for the total.
fn apportion_within(total: u64, weights: &[u64], room: &[u64]) -> Vec<u64> {
    let mut order: Vec<usize> = (0..weights.len()).collect();
    let of = |list: &[u64], at: usize| u128::from(list.get(at).copied().unwrap_or(0));
    // Those whose room is least for their weight are full first. Products of 64 and 33 bits.
    order.sort_unstable_by(|a, b| {
        let (left, right) = (of(room, *a) * of(weights, *b), of(room, *b) * of(weights, *a));
        left.cmp(&right).then(a.cmp(b))
    });
    let mut parts = vec![0_u64; weights.len()];
    let mut left = total;
    let mut weight_left: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let mut open = order.as_slice();
    // Of those in this order, once one is not filled by its share, none after it is.
    while let [at, rest @ ..] = open {
        // 64 bits times 33, and 64 bits times 2^17 weights of 33 bits.
        if u128::from(left) * of(weights, *at) < of(room, *at) * weight_left {
            break;
        }
        let full = room.get(*at).copied().unwrap_or(0);
        if let Some(part) = parts.get_mut(*at) {
            *part = full;
        }
        left = left.saturating_sub(full);
        weight_left -= of(weights, *at);
        open = rest;
    }
    if !open.is_empty() {
        let mut open = open.to_vec();
        open.sort_unstable();
        let weights: Vec<u64> = open.iter().filter_map(|at| weights.get(*at).copied()).collect();
        for (at, share) in open.iter().zip(apportion(left, &weights)) {
            if let Some(part) = parts.get_mut(*at) {
                *part = share;
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests;
