//! Amounts of 128 bits in JSON: numbers as long as they are exact everywhere, else decimal digits as text.

use core::fmt;

use serde::de::{Deserializer, Error, Visitor};
use serde::ser::Serializer;

pub(super) fn serialize<S: Serializer>(amount: &u128, serializer: S) -> Result<S::Ok, S::Error> {
    match u64::try_from(*amount) {
        Ok(small) => serializer.serialize_u64(small),
        Err(_) => serializer.collect_str(amount),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
    deserializer.deserialize_any(Units)
}

struct Units;

impl Visitor<'_> for Units {
    type Value = u128;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number of at most 128 bits, or its decimal digits as text")
    }

    fn visit_u64<E: Error>(self, amount: u64) -> Result<u128, E> {
        Ok(amount.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<u128, E> {
        let number: crate::evm::U256 = text.parse().map_err(E::custom)?;
        number
            .to_u128()
            .ok_or_else(|| E::custom("the number is above 2^128 - 1, the most that is counted"))
    }
}
