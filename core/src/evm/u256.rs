//! Unsigned numbers of 256 bits, as the EVM counts wei, fees and token units.
//!
//! Only what signing needs: comparison, sums and products that notice overflow, and decimal text. It is
//! no arithmetic library and nothing here is secret, so nothing is constant-time.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use serde::de::{Deserializer, Error as _};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::amount::format_digits;

/// The largest power of ten in 64 bits, and its exponent: decimal digits are taken in such groups.
const GROUP: u64 = 10_000_000_000_000_000_000;
const GROUP_DIGITS: usize = 19;

/// Decimal digits of the largest number.
const MAX_DIGITS: usize = 78;

/// A number from 0 to 2^256 - 1, kept as 32 big-endian bytes, so that it orders by value.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct U256([u8; 32]);

/// Why a text is no such number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum U256Error {
    /// Not digits alone, or a zero in front.
    #[error("this is no whole number; write decimal digits without sign, point or leading zeros")]
    Digits,
    /// More than 256 bits.
    #[error("the number is above 2^256 - 1, the most that exists; check it")]
    Overflow,
}

impl U256 {
    /// Nothing.
    pub const ZERO: Self = Self([0; 32]);
    /// 2^256 - 1.
    pub const MAX: Self = Self([0xff; 32]);

    /// Wraps 32 big-endian bytes.
    #[must_use]
    pub const fn from_be_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads up to 32 big-endian bytes; `None` for more.
    #[must_use]
    pub fn from_be_slice(bytes: &[u8]) -> Option<Self> {
        let mut number = [0; 32];
        let at = number.len().checked_sub(bytes.len())?;
        number.get_mut(at..)?.copy_from_slice(bytes);
        Some(Self(number))
    }

    /// The 32 big-endian bytes.
    #[must_use]
    pub const fn as_be_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The big-endian bytes without leading zeros; none for zero.
    #[must_use]
    pub fn minimal_be_bytes(&self) -> &[u8] {
        let zeros = self.0.iter().take_while(|byte| **byte == 0).count();
        self.0.get(zeros..).unwrap_or_default()
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// The number in 128 bits, if it fits.
    #[must_use]
    pub fn to_u128(&self) -> Option<u128> {
        let (high, low) = self.0.split_first_chunk::<16>()?;
        let low = <[u8; 16]>::try_from(low).ok()?;
        (*high == [0; 16]).then(|| u128::from_be_bytes(low))
    }

    /// The number in 64 bits, if it fits.
    #[must_use]
    pub fn to_u64(&self) -> Option<u64> {
        self.to_u128().and_then(|number| u64::try_from(number).ok())
    }

    /// The sum, if it fits in 256 bits.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let mut sum = [0; 4];
        let mut carry = false;
        for ((out, a), b) in sum.iter_mut().zip(self.limbs()).zip(other.limbs()) {
            let (partial, first) = a.overflowing_add(b);
            let (limb, second) = partial.overflowing_add(u64::from(carry));
            *out = limb;
            carry = first || second;
        }
        (!carry).then(|| Self::from_limbs(sum))
    }

    /// The product, if it fits in 256 bits.
    #[must_use]
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        let mut product = Self::ZERO;
        for (at, limb) in other.limbs().into_iter().enumerate() {
            let shifted = self.mul_limb(limb)?.shl_limbs(at)?;
            product = product.checked_add(shifted)?;
        }
        Some(product)
    }

    /// Shows it with a point before the last `decimals` digits and grouped thousands, as
    /// [`crate::amount::format_units`] does.
    #[must_use]
    pub fn format_units(&self, decimals: u8) -> String {
        format_digits(&self.digits(), decimals)
    }

    /// [`Self::format_units`] without the zeros that say nothing: `1.5`, `1,000`.
    #[must_use]
    pub fn format_units_short(&self, decimals: u8) -> String {
        let full = self.format_units(decimals);
        if decimals == 0 {
            return full;
        }
        full.trim_end_matches('0').trim_end_matches('.').into()
    }

    /// Least significant limb first.
    fn limbs(&self) -> [u64; 4] {
        let mut limbs = [0; 4];
        for (limb, bytes) in limbs.iter_mut().rev().zip(self.0.as_chunks::<8>().0) {
            *limb = u64::from_be_bytes(*bytes);
        }
        limbs
    }

    fn from_limbs(limbs: [u64; 4]) -> Self {
        let mut bytes = [0; 32];
        for (chunk, limb) in bytes.as_chunks_mut::<8>().0.iter_mut().rev().zip(limbs) {
            *chunk = limb.to_be_bytes();
        }
        Self(bytes)
    }

    fn mul_limb(self, by: u64) -> Option<Self> {
        let mut product = [0; 4];
        let mut carry = 0_u128;
        for (out, limb) in product.iter_mut().zip(self.limbs()) {
            // (2^64 - 1)^2 + 2^64 - 1 is below 2^128.
            let wide = u128::from(limb) * u128::from(by) + carry;
            *out = low_half(wide);
            carry = wide >> 64;
        }
        (carry == 0).then(|| Self::from_limbs(product))
    }

    /// Times 2^64 to the power of `count`.
    fn shl_limbs(self, count: usize) -> Option<Self> {
        let mut number = self.limbs();
        for _ in 0..count {
            let [a, b, c, top] = number;
            if top != 0 {
                return None;
            }
            number = [0, a, b, c];
        }
        Some(Self::from_limbs(number))
    }

    /// Decimal digits without leading zeros; "0" for zero.
    fn digits(&self) -> String {
        let mut limbs = self.limbs();
        let mut groups = Vec::with_capacity(MAX_DIGITS / GROUP_DIGITS + 1);
        while limbs != [0; 4] {
            let mut rest = 0_u128;
            for limb in limbs.iter_mut().rev() {
                let wide = (rest << 64) | u128::from(*limb);
                *limb = low_half(wide / u128::from(GROUP));
                rest = wide % u128::from(GROUP);
            }
            groups.push(rest);
        }
        let mut digits = String::with_capacity(MAX_DIGITS);
        for group in groups.iter().rev() {
            if digits.is_empty() {
                digits = alloc::format!("{group}");
            } else {
                digits.push_str(&alloc::format!("{group:0>GROUP_DIGITS$}"));
            }
        }
        if digits.is_empty() {
            digits.push('0');
        }
        digits
    }
}

/// The lower 64 of 128 bits.
const fn low_half(wide: u128) -> u64 {
    // Truncation is the point.
    wide as u64
}

impl From<u64> for U256 {
    fn from(number: u64) -> Self {
        Self::from(u128::from(number))
    }
}

impl From<u128> for U256 {
    fn from(number: u128) -> Self {
        Self::from_be_slice(&number.to_be_bytes()).unwrap_or(Self::MAX)
    }
}

impl fmt::Display for U256 {
    /// Decimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.digits())
    }
}

impl fmt::Debug for U256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for U256 {
    type Err = U256Error;

    fn from_str(text: &str) -> Result<Self, U256Error> {
        let padded = text.len() > 1 && text.starts_with('0');
        if text.is_empty() || padded || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(U256Error::Digits);
        }
        if text.len() > MAX_DIGITS {
            return Err(U256Error::Overflow);
        }
        text.bytes()
            .try_fold(Self::ZERO, |number, digit| {
                number
                    .mul_limb(10)?
                    .checked_add(Self::from(u64::from(digit - b'0')))
            })
            .ok_or(U256Error::Overflow)
    }
}

impl Serialize for U256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for U256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// 2^256 - 1.
    const LARGEST: &str = "115792089237316195423570985008687907853269984665640564039457584007913129639935";

    fn number(text: &str) -> U256 {
        text.parse().unwrap()
    }

    #[test]
    fn texts_are_read_strictly() {
        assert_eq!(number(LARGEST), U256::MAX);
        assert_eq!(U256::MAX.to_string(), LARGEST);
        assert_eq!(number("0"), U256::ZERO);
        for (text, error) in [
            ("", U256Error::Digits),
            ("00", U256Error::Digits),
            ("01", U256Error::Digits),
            ("+1", U256Error::Digits),
            ("-1", U256Error::Digits),
            ("1.0", U256Error::Digits),
            ("1e3", U256Error::Digits),
            ("0x10", U256Error::Digits),
            (" 1", U256Error::Digits),
            ("1_000", U256Error::Digits),
            ("١", U256Error::Digits),
            (
                "115792089237316195423570985008687907853269984665640564039457584007913129639936",
                U256Error::Overflow,
            ),
            (&"9".repeat(79), U256Error::Overflow),
            (&"9".repeat(500), U256Error::Overflow),
        ] {
            assert_eq!(text.parse::<U256>(), Err(error), "{text}");
        }
    }

    #[test]
    fn sums_and_products_notice_overflow() {
        let one = U256::from(1_u64);
        let half = U256::from_be_bytes(core::array::from_fn(|at| if at == 0 { 0x80 } else { 0 }));
        assert_eq!(U256::MAX.checked_add(one), None);
        assert_eq!(half.checked_add(half), None);
        assert_eq!(half.checked_mul(U256::from(2_u64)), None);
        assert_eq!(U256::MAX.checked_mul(one), Some(U256::MAX));
        assert_eq!(U256::MAX.checked_mul(U256::MAX), None);
        assert_eq!(U256::MAX.checked_mul(U256::ZERO), Some(U256::ZERO));
        let wide = U256::from(u128::MAX);
        // (2^128 - 1)^2, computed with another program.
        assert_eq!(
            wide.checked_mul(wide).unwrap().to_string(),
            "115792089237316195423570985008687907852589419931798687112530834793049593217025"
        );
        assert_eq!(wide.checked_add(one).unwrap().to_u128(), None);
        assert_eq!(wide.to_u64(), None);
    }

    #[test]
    fn units_are_shown_in_full() {
        let wei = number("1234567000000000000000");
        assert_eq!(wei.format_units(18), "1,234.567000000000000000");
        assert_eq!(wei.format_units_short(18), "1,234.567");
        assert_eq!(U256::ZERO.format_units_short(18), "0");
        assert_eq!(U256::from(1000_u64).format_units_short(0), "1,000");
    }

    proptest! {
        #[test]
        fn it_agrees_with_128_bits(a in any::<u128>(), b in any::<u128>(), c in any::<u64>(), d in any::<u64>()) {
            let (x, y) = (U256::from(a), U256::from(b));
            prop_assert_eq!(x.to_u128(), Some(a));
            prop_assert_eq!(x.to_string(), a.to_string());
            prop_assert_eq!(number(&a.to_string()), x);
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
            if let Some(sum) = a.checked_add(b) {
                prop_assert_eq!(x.checked_add(y), Some(U256::from(sum)));
            }
            let product = u128::from(c) * u128::from(d);
            prop_assert_eq!(U256::from(c).checked_mul(U256::from(d)), Some(U256::from(product)));
        }

        #[test]
        fn every_number_reads_back(bytes in any::<[u8; 32]>()) {
            let x = U256::from_be_bytes(bytes);
            prop_assert_eq!(number(&x.to_string()), x);
            prop_assert_eq!(U256::from_be_slice(x.minimal_be_bytes()), Some(x));
            prop_assert_eq!(U256::from_be_slice(&[0; 33]), None);
        }
    }
}
