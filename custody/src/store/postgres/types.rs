//! Times and ids as PostgreSQL has them, exact: TIMESTAMPTZ for whole milliseconds, UUID for 16 bytes.
//!
//! Both are written out here, in a few lines each, since a calendar library has no use in this program: on the wire a
//! time is the microseconds since 2000 in 64 bits, and an id its 16 bytes.
//! <https://www.postgresql.org/docs/current/datatype-datetime.html>

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};

use crate::error::CustodyError;

/// The types' numbers, which are fixed: no look-up in a catalogue.
const TIMESTAMPTZ: Oid = Oid(1184);
const TIMESTAMPTZ_ARRAY: Oid = Oid(1185);
const UUID: Oid = Oid(2950);
const UUID_ARRAY: Oid = Oid(2951);

/// The start of 2000 in milliseconds since the Unix epoch.
const POSTGRES_EPOCH_MS: i64 = 946_684_800_000;

/// Microseconds of `-infinity` on the wire.
const BEFORE_EVERYTHING: i64 = i64::MIN;

/// The last millisecond that PostgreSQL has: the end of the year 294276.
const LAST_MS: i64 = 9_224_318_015_999_999;

/// A moment in milliseconds since the Unix epoch, stored as TIMESTAMPTZ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Millis(i64);

impl Millis {
    /// A moment to store.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] after the year 294276, which TIMESTAMPTZ does not reach.
    pub(super) fn new(what: &'static str, ms: u64) -> Result<Self, CustodyError> {
        i64::try_from(ms)
            .ok()
            .filter(|ms| *ms <= LAST_MS)
            .map(Self)
            .ok_or_else(|| {
                CustodyError::invalid(what, "it is after the year 294276, the last one of the store")
            })
    }

    /// A bound to compare with: before 1970 everything is later, and so it is before the calendar.
    pub(super) fn bound(ms: i64) -> Self {
        Self(ms.min(LAST_MS))
    }

    /// The moment as it was stored.
    ///
    /// # Errors
    /// [`CustodyError::Damaged`] before 1970.
    pub(super) fn get(self, column: &'static str) -> Result<u64, CustodyError> {
        u64::try_from(self.0).map_err(|_| CustodyError::damaged(format!("{column} is out of its range")))
    }

    /// As on the wire.
    pub(super) fn to_wire(self) -> [u8; 8] {
        let micros = self
            .0
            .checked_sub(POSTGRES_EPOCH_MS)
            .filter(|_| self.0 >= 0)
            .and_then(|ms| ms.checked_mul(1_000))
            .unwrap_or(BEFORE_EVERYTHING);
        micros.to_be_bytes()
    }
}

impl Type<Postgres> for Millis {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TIMESTAMPTZ)
    }
}

impl PgHasArrayType for Millis {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(TIMESTAMPTZ_ARRAY)
    }
}

impl Encode<'_, Postgres> for Millis {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&self.to_wire());
        Ok(IsNull::No)
    }
}

impl Decode<'_, Postgres> for Millis {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        if value.format() != PgValueFormat::Binary {
            return Err("a time came as text".into());
        }
        let micros = i64::from_be_bytes(value.as_bytes()?.try_into()?);
        // A part of a millisecond, or a time that is none, was not written by this program.
        if micros % 1_000 != 0 {
            return Err("a time is no whole millisecond".into());
        }
        (micros / 1_000)
            .checked_add(POSTGRES_EPOCH_MS)
            .filter(|ms| *ms <= LAST_MS)
            .map(Self)
            .ok_or_else(|| "a time is out of range".into())
    }
}

/// An id of 16 bytes, stored as UUID. Its version bits are as random as the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(pub(super) [u8; 16]);

impl Type<Postgres> for Id {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(UUID)
    }
}

impl PgHasArrayType for Id {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(UUID_ARRAY)
    }
}

impl Encode<'_, Postgres> for Id {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }
}

impl Decode<'_, Postgres> for Id {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        if value.format() != PgValueFormat::Binary {
            return Err("an id came as text".into());
        }
        Ok(Self(value.as_bytes()?.try_into()?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn times_are_microseconds_since_2000() {
        let wire = |ms| i64::from_be_bytes(Millis::new("time", ms).unwrap().to_wire());
        assert_eq!(wire(946_684_800_000), 0);
        assert_eq!(wire(946_684_800_001), 1_000);
        assert_eq!(wire(0), -946_684_800_000_000);
        assert_eq!(wire(9_224_318_015_999_999), 9_223_371_331_199_999_000);
        assert!(Millis::new("time", 9_224_318_016_000_000).is_err());
        assert!(Millis::new("time", u64::MAX).is_err());
    }

    #[test]
    fn a_bound_before_time_is_before_everything() {
        for ms in [-1, i64::MIN] {
            assert_eq!(Millis::bound(ms).to_wire(), i64::MIN.to_be_bytes());
        }
        assert_eq!(
            Millis::bound(5).to_wire(),
            Millis::new("time", 5).unwrap().to_wire()
        );
    }
}
