//! What a transaction offers above the cluster's own fee, as a policy that a person can state once.
//!
//! A policy is asked for a price in micro-lamports (millionths of a lamport) per compute unit, given what recent blocks
//! charged. It never goes above what the person allowed: a percentile without a cap cannot be written down, since a market
//! that someone else drives would otherwise decide how much is spent. It does not talk to a node: the caller reads what
//! recent blocks charged.
//!
//! Recent fees: <https://solana.com/docs/rpc/http/getrecentprioritizationfees>.

use std::fmt;
use std::str::FromStr;

use keyward_core::amount::Lamports;

/// How much to offer for a compute unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FeePolicy {
    /// Nothing above the cluster's own fee.
    #[default]
    None,
    /// Always the same price.
    Fixed {
        /// The price of a compute unit in micro-lamports.
        micro_lamports: u64,
    },
    /// What a share of recent blocks was content with, but never more than the cap.
    Percentile {
        /// Which share, in percent.
        percent: Percent,
        /// The most to offer for a compute unit, in micro-lamports.
        cap_micro_lamports: u64,
    },
}

/// A percentage of 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Percent(u8);

impl Percent {
    /// Takes 1 to 100.
    #[must_use]
    pub fn new(percent: u8) -> Option<Self> {
        (1..=100).contains(&percent).then_some(Self(percent))
    }

    /// Returns it, 1 to 100.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }
}

/// A price that a policy came to, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeePrice {
    /// The price of a compute unit in micro-lamports.
    pub micro_lamports: u64,
    /// Whether the market asks for more than the cap allows: the transaction may wait.
    pub capped: bool,
}

impl FeePolicy {
    /// Returns the price for one transaction, given what recent blocks charged per compute unit, in any order.
    ///
    /// The percentile is the nearest rank: the smallest of the recent prices that at least `percent` of them do not exceed.
    /// Without any recent block it is zero.
    #[must_use]
    pub fn price(&self, recent_micro_lamports: &[u64]) -> FeePrice {
        match *self {
            Self::None => FeePrice {
                micro_lamports: 0,
                capped: false,
            },
            Self::Fixed { micro_lamports } => FeePrice {
                micro_lamports,
                capped: false,
            },
            Self::Percentile {
                percent,
                cap_micro_lamports,
            } => {
                let asked = nearest_rank(percent, recent_micro_lamports);
                FeePrice {
                    micro_lamports: asked.min(cap_micro_lamports),
                    capped: asked > cap_micro_lamports,
                }
            }
        }
    }

    /// Whether [`FeePolicy::price`] depends on what recent blocks charged.
    #[must_use]
    pub fn asks_the_market(&self) -> bool {
        matches!(self, Self::Percentile { .. })
    }

    /// Whether it may come to more than nothing.
    #[must_use]
    pub fn offers(&self) -> bool {
        self.ceiling_micro_lamports() > 0
    }

    /// Returns the most that it can come to, in micro-lamports per compute unit: what a cost estimate counts with.
    #[must_use]
    pub fn ceiling_micro_lamports(&self) -> u64 {
        match *self {
            Self::None => 0,
            Self::Fixed { micro_lamports } => micro_lamports,
            Self::Percentile {
                cap_micro_lamports, ..
            } => cap_micro_lamports,
        }
    }
}

/// Returns the priority fee that a price and a compute-unit limit come to, rounded up to whole lamports as the runtime
/// charges it. `None` beyond 2^64 lamports.
#[must_use]
pub fn priority_fee(micro_lamports: u64, compute_unit_limit: u32) -> Option<Lamports> {
    let micro = u128::from(micro_lamports) * u128::from(compute_unit_limit);
    u64::try_from(micro.div_ceil(1_000_000)).ok().map(Lamports::new)
}

fn nearest_rank(percent: Percent, values: &[u64]) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * usize::from(percent.get())).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

/// A text that names no fee policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeePolicyError {
    /// It is neither `none`, nor a number, nor a percentile.
    #[error("a fee policy is none, a price such as 5000, or a percentile with a cap such as p75:20000")]
    Unknown,
    /// The price is no whole number of micro-lamports up to 2^64-1.
    #[error("a price is a whole number of micro-lamports per compute unit")]
    Price,
    /// The percentage is not within 1 to 100.
    #[error("a percentile is p1 to p100")]
    Percent,
    /// A percentile has no cap.
    #[error("a percentile needs a cap, such as p75:20000: without one others decide what is spent")]
    NoCap,
}

impl FromStr for FeePolicy {
    type Err = FeePolicyError;

    /// Reads what [`fmt::Display`] writes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Self::None);
        }
        let Some(rest) = text.strip_prefix('p') else {
            if !text.starts_with(|first: char| first.is_ascii_digit()) {
                return Err(FeePolicyError::Unknown);
            }
            return number(text)
                .map(|micro_lamports| Self::Fixed { micro_lamports })
                .ok_or(FeePolicyError::Price);
        };
        let (percent, cap) = match rest.split_once(':') {
            Some((percent, cap)) => (percent, Some(cap)),
            None => (rest, None),
        };
        let percent = number(percent)
            .and_then(|percent| u8::try_from(percent).ok())
            .and_then(Percent::new)
            .ok_or(FeePolicyError::Percent)?;
        let cap = cap.ok_or(FeePolicyError::NoCap)?;
        Ok(Self::Percentile {
            percent,
            cap_micro_lamports: number(cap).ok_or(FeePolicyError::Price)?,
        })
    }
}

/// Digits alone: no sign, no space.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for FeePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Fixed { micro_lamports } => write!(f, "{micro_lamports}"),
            Self::Percentile {
                percent,
                cap_micro_lamports,
            } => write!(f, "p{}:{cap_micro_lamports}", percent.get()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn percentile(percent: u8, cap_micro_lamports: u64) -> FeePolicy {
        FeePolicy::Percentile {
            percent: Percent::new(percent).unwrap(),
            cap_micro_lamports,
        }
    }

    #[test]
    fn a_policy_reads_what_it_writes_and_nothing_else() {
        for (text, policy) in [
            ("none", FeePolicy::None),
            ("0", FeePolicy::Fixed { micro_lamports: 0 }),
            (
                "18446744073709551615",
                FeePolicy::Fixed {
                    micro_lamports: u64::MAX,
                },
            ),
            ("p1:0", percentile(1, 0)),
            ("p100:20000", percentile(100, 20_000)),
        ] {
            assert_eq!(text.parse(), Ok(policy));
            assert_eq!(policy.to_string(), text);
        }
        for (text, error) in [
            ("", FeePolicyError::Unknown),
            ("None", FeePolicyError::Unknown),
            ("-1", FeePolicyError::Unknown),
            ("+1", FeePolicyError::Unknown),
            (" 1", FeePolicyError::Unknown),
            ("1.5", FeePolicyError::Price),
            ("18446744073709551616", FeePolicyError::Price),
            ("p75", FeePolicyError::NoCap),
            ("p0:1", FeePolicyError::Percent),
            ("p101:1", FeePolicyError::Percent),
            ("p357:1", FeePolicyError::Percent),
            ("p:1", FeePolicyError::Percent),
            ("p+5:1", FeePolicyError::Percent),
            ("p75:", FeePolicyError::Price),
            ("p75:-1", FeePolicyError::Price),
            ("p75:1:2", FeePolicyError::Price),
        ] {
            assert_eq!(text.parse::<FeePolicy>(), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a_percentile_is_the_nearest_rank_and_stays_under_its_cap() {
        let recent = [50, 10, 40, 20, 30];
        for (percent, price) in [
            (1, 10),
            (20, 10),
            (21, 20),
            (50, 30),
            (80, 40),
            (81, 50),
            (100, 50),
        ] {
            let got = percentile(percent, u64::MAX).price(&recent);
            assert_eq!((got.micro_lamports, got.capped), (price, false), "p{percent}");
        }
        let got = percentile(100, 49).price(&recent);
        assert_eq!((got.micro_lamports, got.capped), (49, true));
        assert!(!percentile(100, 50).price(&recent).capped);
        assert_eq!(percentile(50, 10).price(&[]).micro_lamports, 0);
        assert_eq!(percentile(50, 10).price(&[7]).micro_lamports, 7);
    }

    #[test]
    fn what_is_no_percentile_does_not_look_at_the_market() {
        assert_eq!(FeePolicy::None.price(&[9, 9]).micro_lamports, 0);
        let fixed = FeePolicy::Fixed { micro_lamports: 3 };
        assert_eq!(fixed.price(&[9, 9]).micro_lamports, 3);
        assert!(!fixed.asks_the_market() && percentile(1, 1).asks_the_market());
        assert_eq!(percentile(1, 8).ceiling_micro_lamports(), 8);
    }

    #[test]
    fn a_priority_fee_rounds_up_and_does_not_overflow() {
        assert_eq!(priority_fee(0, 1_400_000), Some(Lamports::new(0)));
        assert_eq!(priority_fee(1, 1), Some(Lamports::new(1)));
        assert_eq!(priority_fee(1_000_000, 200_000), Some(Lamports::new(200_000)));
        assert_eq!(priority_fee(5_001, 200), Some(Lamports::new(2)));
        assert_eq!(priority_fee(u64::MAX, u32::MAX), None);
    }
}
