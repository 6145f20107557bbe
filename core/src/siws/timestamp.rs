//! Points in time as texts write them: RFC 3339, kept as written.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

/// Why a text is no point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimestampError {
    /// The shape is not RFC 3339's.
    #[error("the time is not written like 2024-01-31T12:00:00Z; write it so")]
    Shape,
    /// A part is out of its range, or the day does not exist.
    #[error("there is no such day or time; correct it")]
    Range,
}

/// A point in time with its text. Equal only if written alike: compare [`Timestamp::unix_ms`] for the time.
///
/// RFC 3339 section 5.6, with the letters `T` and `Z` in upper case, at most nine digits of a fraction, years
/// from 1970 on, and no leap seconds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Timestamp {
    text: String,
    unix_ms: i64,
}

impl Timestamp {
    /// Milliseconds since 1970 in UTC; smaller parts are cut off.
    #[must_use]
    pub const fn unix_ms(&self) -> i64 {
        self.unix_ms
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let mut parts = Parts(text.as_bytes());
        let year = parts.number(4)?;
        parts.literal(b'-')?;
        let month = parts.number(2)?;
        parts.literal(b'-')?;
        let day = parts.number(2)?;
        parts.literal(b'T')?;
        let hour = parts.number(2)?;
        parts.literal(b':')?;
        let minute = parts.number(2)?;
        parts.literal(b':')?;
        let second = parts.number(2)?;
        let millisecond = parts.fraction()?;
        let offset_minutes = parts.offset()?;
        if !parts.0.is_empty() {
            return Err(TimestampError::Shape);
        }
        let in_range = year >= 1970
            && (1..=12).contains(&month)
            && (1..=days_of(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        if !in_range {
            return Err(TimestampError::Range);
        }
        let minutes = (days_since_1970(year, month, day) * 24 + hour) * 60 + minute - offset_minutes;
        Ok(Self {
            text: text.into(),
            unix_ms: (minutes * 60 + second) * 1000 + millisecond,
        })
    }
}

/// What is left of the text.
struct Parts<'a>(&'a [u8]);

impl Parts<'_> {
    fn literal(&mut self, expected: u8) -> Result<(), TimestampError> {
        match self.0.split_first() {
            Some((found, rest)) if *found == expected => {
                self.0 = rest;
                Ok(())
            }
            _ => Err(TimestampError::Shape),
        }
    }

    fn digit(&mut self) -> Option<i64> {
        let (digit, rest) = self.0.split_first()?;
        if !digit.is_ascii_digit() {
            return None;
        }
        self.0 = rest;
        Some(i64::from(digit - b'0'))
    }

    fn number(&mut self, digits: usize) -> Result<i64, TimestampError> {
        (0..digits).try_fold(0, |number, _| {
            self.digit()
                .map(|digit| number * 10 + digit)
                .ok_or(TimestampError::Shape)
        })
    }

    /// Milliseconds of an optional fraction of one to nine digits.
    fn fraction(&mut self) -> Result<i64, TimestampError> {
        if self.literal(b'.').is_err() {
            return Ok(0);
        }
        let mut milliseconds = 0;
        let mut digits = 0;
        while let Some(digit) = self.digit() {
            digits += 1;
            if digits <= 3 {
                milliseconds = milliseconds * 10 + digit;
            }
        }
        match digits {
            1 => Ok(milliseconds * 100),
            2 => Ok(milliseconds * 10),
            3..=9 => Ok(milliseconds),
            _ => Err(TimestampError::Shape),
        }
    }

    /// Minutes east of UTC.
    fn offset(&mut self) -> Result<i64, TimestampError> {
        if self.literal(b'Z').is_ok() {
            return Ok(0);
        }
        let sign = if self.literal(b'-').is_ok() {
            -1
        } else {
            self.literal(b'+')?;
            1
        };
        let hours = self.number(2)?;
        self.literal(b':')?;
        let minutes = self.number(2)?;
        if hours > 23 || minutes > 59 {
            return Err(TimestampError::Range);
        }
        Ok(sign * (hours * 60 + minutes))
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1 January 1970 to a day of the Gregorian calendar, from that day on.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let leap_days = |year: i64| year / 4 - year / 100 + year / 400;
    let years = (year - 1970) * 365 + leap_days(before) - leap_days(1969);
    let months: i64 = (1..month).map(|month| days_of(year, month)).sum();
    years + months + day - 1
}
