//! Amounts of SOL and of tokens, as integers of the smallest unit.
//!
//! No floats, no rounding, no guessing: a text that could be read in two ways (a comma, say) is
//! refused. It does not know a token's decimals; the caller passes them.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// Decimals of SOL.
const SOL_DECIMALS: u8 = 9;

/// Why a text is no amount. Positions count characters from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AmountError {
    /// There is no number.
    #[error("no amount was given; write a number such as 1.5")]
    Empty,
    /// The number is negative.
    #[error("an amount cannot be negative; leave the minus out")]
    Negative,
    /// A comma, which some read as a decimal point and others as a separator of thousands.
    #[error(
        "the comma at position {position} could mean two things; use a point for decimals and do not separate thousands"
    )]
    Comma {
        /// Where it stands.
        position: usize,
    },
    /// Another character that does not belong there.
    #[error("the character at position {position} does not belong there; write a number such as 1.5")]
    Character {
        /// Where it stands.
        position: usize,
    },
    /// More decimals than the smallest unit has.
    #[error("there are {found} decimals and at most {max} are possible; shorten it")]
    Decimals {
        /// How many were written.
        found: usize,
        /// How many there may be.
        max: u8,
    },
    /// More than can exist.
    #[error("the amount is too large to exist; check it")]
    Overflow,
    /// The unit after the number is not known.
    #[error("the unit at position {position} is not known; write SOL or lamports")]
    UnknownUnit {
        /// Where it begins.
        position: usize,
    },
}

/// An amount of SOL in lamports, of which a thousand million make one SOL.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lamports(u64);

impl Lamports {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One SOL.
    pub const ONE_SOL: Self = Self(1_000_000_000);

    /// Wraps a number of lamports.
    #[must_use]
    pub const fn new(lamports: u64) -> Self {
        Self(lamports)
    }

    /// The number of lamports.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The sum, if it can exist.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, if it is not negative.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(rest) => Some(Self(rest)),
            None => None,
        }
    }

    /// Reads "1.5", "1.5 SOL" or "1500000000 lamports"; a number alone means SOL.
    ///
    /// # Errors
    /// See [`AmountError`]; positions count characters of `text` from 1.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        let (number, unit, unit_position) = split_unit(text);
        let decimals = if unit.is_empty() || unit.eq_ignore_ascii_case("sol") {
            SOL_DECIMALS
        } else if unit.eq_ignore_ascii_case("lamports") || unit.eq_ignore_ascii_case("lamport") {
            0
        } else {
            return Err(AmountError::UnknownUnit {
                position: unit_position,
            });
        };
        parse_units(number, decimals).map(Self)
    }
}

impl fmt::Display for Lamports {
    /// SOL with all nine decimals and grouped thousands: `1,000.000000000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format_units(self.0, SOL_DECIMALS))
    }
}

impl FromStr for Lamports {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        Self::parse(text)
    }
}

/// An amount of some token in its smallest unit, with the decimals to show it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenUnits {
    /// Number of smallest units.
    pub amount: u64,
    /// Decimals of the token's mint.
    pub decimals: u8,
}

impl fmt::Display for TokenUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format_units(self.amount, self.decimals))
    }
}

/// Shows `amount` smallest units with all `decimals` decimals and grouped thousands.
#[must_use]
pub fn format_units(amount: u64, decimals: u8) -> String {
    format_digits(&amount.to_string(), decimals)
}

/// Shows a number of smallest units, given by its decimal digits.
pub(crate) fn format_digits(digits: &str, decimals: u8) -> String {
    let width = usize::from(decimals) + 1;
    let digits = alloc::format!("{digits:0>width$}");
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(decimals));
    let mut shown = String::with_capacity(digits.len() + whole.len() / 3 + 1);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    if decimals > 0 {
        shown.push('.');
        shown.push_str(fraction);
    }
    shown
}

/// Reads a decimal number such as "1.5" into smallest units. Blanks around it are ignored.
///
/// # Errors
/// See [`AmountError`]; positions count characters of `text` from 1.
pub fn parse_units(text: &str, decimals: u8) -> Result<u64, AmountError> {
    let skipped = text.len() - text.trim_start().len();
    let number = text.trim();
    if number.is_empty() {
        return Err(AmountError::Empty);
    }
    if number.starts_with(['-', '−']) {
        return Err(AmountError::Negative);
    }
    let blanks = text.get(..skipped).unwrap_or_default().chars().count();
    let mut point = None;
    for (at, c) in number.chars().enumerate() {
        let position = blanks + at + 1;
        match c {
            '0'..='9' => {}
            '.' if point.is_none() && at > 0 => point = Some(position),
            ',' => return Err(AmountError::Comma { position }),
            _ => return Err(AmountError::Character { position }),
        }
    }
    let (whole, fraction) = match number.split_once('.') {
        Some((_, "")) => {
            return Err(AmountError::Character {
                position: point.unwrap_or(1),
            });
        }
        Some(parts) => parts,
        None => (number, ""),
    };
    let missing = usize::from(decimals)
        .checked_sub(fraction.len())
        .ok_or(AmountError::Decimals {
            found: fraction.len(),
            max: decimals,
        })?;
    let digits = whole.bytes().chain(fraction.bytes());
    let mut amount = 0_u64;
    for digit in digits.chain(core::iter::repeat_n(b'0', missing)) {
        amount = amount
            .checked_mul(10)
            .and_then(|tens| tens.checked_add(u64::from(digit - b'0')))
            .ok_or(AmountError::Overflow)?;
    }
    Ok(amount)
}

/// Splits "1.5 SOL" into the number, the unit and the unit's position.
fn split_unit(text: &str) -> (&str, &str, usize) {
    let letters = |c: char| c.is_alphabetic() || c == '◎';
    match text.char_indices().find(|(_, c)| letters(*c)) {
        Some((at, _)) => {
            let (number, unit) = text.split_at(at);
            (number, unit.trim_end(), number.chars().count() + 1)
        }
        None => (text, "", 0),
    }
}

/// Shows an amount without the zeros that say nothing: `1.5`, `1,000`.
#[must_use]
pub fn format_units_short(amount: u64, decimals: u8) -> String {
    let full = format_units(amount, decimals);
    if decimals == 0 {
        return full;
    }
    full.trim_end_matches('0').trim_end_matches('.').to_string()
}

#[cfg(test)]
mod tests;
