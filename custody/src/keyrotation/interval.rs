//! How long until a key is rotated, or an old one is retired.

use std::fmt;

use crate::error::CustodyError;

/// The shortest interval, in milliseconds: one minute.
pub const MIN_INTERVAL_MS: u64 = MINUTE_MS;

/// The longest interval, in milliseconds: ten years of 365 days.
pub const MAX_INTERVAL_MS: u64 = 3_650 * DAY_MS;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// One minute to ten years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RotationInterval(u64);

impl RotationInterval {
    /// # Errors
    /// [`CustodyError::Invalid`] below [`MIN_INTERVAL_MS`] and above [`MAX_INTERVAL_MS`].
    pub fn from_ms(ms: u64) -> Result<Self, CustodyError> {
        if (MIN_INTERVAL_MS..=MAX_INTERVAL_MS).contains(&ms) {
            Ok(Self(ms))
        } else {
            Err(CustodyError::invalid(
                "interval",
                "one minute to ten years (3650d)",
            ))
        }
    }

    /// In milliseconds.
    #[must_use]
    pub const fn ms(self) -> u64 {
        self.0
    }
}

impl fmt::Display for RotationInterval {
    /// `90d`, `12h`, `30m`, in the largest unit that says it exactly; else in milliseconds, as `60001ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(self.0))
    }
}

/// Any length of time, as an interval is shown.
pub(super) fn shown(ms: u64) -> String {
    for (unit, name) in [(DAY_MS, "d"), (HOUR_MS, "h"), (MINUTE_MS, "m"), (1_000, "s")] {
        if ms >= unit && ms.is_multiple_of(unit) {
            return format!("{}{name}", ms / unit);
        }
    }
    format!("{ms}ms")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn intervals_are_shown_in_their_largest_unit() {
        for (ms, text) in [
            (60_000, "1m"),
            (5_400_000, "90m"),
            (43_200_000, "12h"),
            (86_400_000, "1d"),
            (7_776_000_000, "90d"),
            (315_360_000_000, "3650d"),
            (60_001, "60001ms"),
            (61_000, "61s"),
        ] {
            assert_eq!(RotationInterval::from_ms(ms).unwrap().to_string(), text);
        }
        assert_eq!(shown(0), "0ms");
    }

    #[test]
    fn what_is_too_short_or_too_long_is_refused() {
        for ms in [0, 59_999, 315_360_000_001, u64::MAX] {
            let error = RotationInterval::from_ms(ms).unwrap_err();
            assert_eq!(error.code(), "invalid", "{ms}");
        }
    }
}
