//! A histogram of fixed buckets in atomics.
//!
//! Each value is in one bucket; they are summed up when the text is made, from one reading, so that `_count` is always the
//! last bucket even while others count. `_sum` is read after them and may be a value ahead.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What the numbers are, and where the buckets end, upper bounds included: as a number and as Prometheus writes it.
pub(super) struct Scale {
    pub(super) unit: Unit,
    pub(super) bounds: &'static [(u64, &'static str)],
}

/// How a sum is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Kept in nanoseconds, written in seconds.
    Seconds,
    /// A count of something.
    Whole,
}

/// From a tenth of a millisecond to ten seconds.
pub(super) const LATENCY: Scale = Scale {
    unit: Unit::Seconds,
    bounds: &[
        (100_000, "0.0001"),
        (250_000, "0.00025"),
        (500_000, "0.0005"),
        (1_000_000, "0.001"),
        (2_500_000, "0.0025"),
        (5_000_000, "0.005"),
        (10_000_000, "0.01"),
        (25_000_000, "0.025"),
        (50_000_000, "0.05"),
        (100_000_000, "0.1"),
        (250_000_000, "0.25"),
        (500_000_000, "0.5"),
        (1_000_000_000, "1"),
        (2_500_000_000, "2.5"),
        (5_000_000_000, "5"),
        (10_000_000_000, "10"),
    ],
};

/// How many transactions share one commit.
pub(super) const BATCH: Scale = Scale {
    unit: Unit::Whole,
    bounds: &[
        (1, "1"),
        (2, "2"),
        (4, "4"),
        (8, "8"),
        (16, "16"),
        (32, "32"),
        (64, "64"),
        (128, "128"),
        (256, "256"),
    ],
};

pub(super) struct Histogram {
    scale: &'static Scale,
    /// One more than there are bounds: the last holds what is beyond them.
    buckets: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    pub(super) fn new(scale: &'static Scale) -> Self {
        Self {
            scale,
            buckets: std::iter::repeat_with(AtomicU64::default)
                .take(scale.bounds.len() + 1)
                .collect(),
            sum: AtomicU64::new(0),
        }
    }

    /// Counts a time.
    pub(super) fn observe(&self, took: Duration) {
        // More than 584 years are not observed.
        self.count(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Counts a number.
    pub(super) fn count(&self, value: u64) {
        let bucket = self.scale.bounds.partition_point(|(bound, _)| *bound < value);
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        // As every counter of Prometheus, it may start again from the beginning.
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// The lines of one series; `labels` is empty or ends with a comma.
    pub(super) fn render(&self, out: &mut String, name: &str, labels: &str) {
        let bounds = self.scale.bounds.iter().map(|(_, text)| *text);
        let mut total = 0_u64;
        for (bucket, le) in self.buckets.iter().zip(bounds.chain(["+Inf"])) {
            total = total.wrapping_add(bucket.load(Ordering::Relaxed));
            line(out, format_args!("{name}_bucket{{{labels}le=\"{le}\"}} {total}"));
        }
        let sum = self.sum.load(Ordering::Relaxed);
        let labels = match labels.strip_suffix(',') {
            Some(labels) => format!("{{{labels}}}"),
            None => String::new(),
        };
        match self.scale.unit {
            Unit::Seconds => {
                let (whole, rest) = (sum / 1_000_000_000, sum % 1_000_000_000);
                line(out, format_args!("{name}_sum{labels} {whole}.{rest:09}"));
            }
            Unit::Whole => line(out, format_args!("{name}_sum{labels} {sum}")),
        }
        line(out, format_args!("{name}_count{labels} {total}"));
    }
}

/// One line. Writing to a string does not fail.
pub(super) fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = writeln!(out, "{text}");
}
