//! JSON without ambiguity: no key twice, no number that a float would round, bounded depth.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::listing::escaped;
use super::{MAX_DEPTH, TypedDataError};

/// Levels of JSON beyond those of the values: the document, `types` or `message`.
const EXTRA_DEPTH: usize = 4;

/// A JSON value. Objects keep their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Integer(i128),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(super) fn parse(text: &str) -> Result<Self, TypedDataError> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let json = Level(MAX_DEPTH + EXTRA_DEPTH)
            .deserialize(&mut deserializer)
            .and_then(|json| deserializer.end().map(|()| json));
        json.map_err(|error| TypedDataError::Json(escaped(&error.to_string())))
    }

    /// The values of exactly these keys.
    pub(super) fn members<const N: usize>(
        &self,
        at: &str,
        keys: [&'static str; N],
    ) -> Result<[&Self; N], TypedDataError> {
        let members = self.object(at)?;
        if members.iter().any(|(key, _)| !keys.contains(&key.as_str())) {
            return Err(shape(at, "it has a key that does not belong there"));
        }
        let mut values = [self; N];
        for (slot, key) in values.iter_mut().zip(keys) {
            let member = members.iter().find(|(own, _)| own == key);
            *slot = member
                .map(|(_, value)| value)
                .ok_or_else(|| shape(at, "a key is missing"))?;
        }
        Ok(values)
    }

    pub(super) fn object(&self, at: &str) -> Result<&[(String, Self)], TypedDataError> {
        match self {
            Self::Object(members) => Ok(members),
            _ => Err(shape(at, "an object belongs there")),
        }
    }

    pub(super) fn array(&self, at: &str) -> Result<&[Self], TypedDataError> {
        match self {
            Self::Array(entries) => Ok(entries),
            _ => Err(shape(at, "an array belongs there")),
        }
    }

    pub(super) fn text(&self, at: &str) -> Result<&str, TypedDataError> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(shape(at, "a text belongs there")),
        }
    }
}

pub(super) fn shape(at: &str, problem: &'static str) -> TypedDataError {
    TypedDataError::Shape {
        at: at.into(),
        problem,
    }
}

/// How many levels may still open.
#[derive(Clone, Copy)]
struct Level(usize);

impl Level {
    fn inner<E: Error>(self) -> Result<Self, E> {
        self.0
            .checked_sub(1)
            .map(Self)
            .ok_or_else(|| E::custom("it is nested too deeply"))
    }
}

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value without fractions")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Integer(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value.into()))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Json, E> {
        Err(E::custom(
            "a number has a fraction or more than 64 bits; write it as a text of digits",
        ))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.into()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let inner = self.inner()?;
        let mut entries = Vec::new();
        while let Some(entry) = seq.next_element_seed(inner)? {
            entries.push(entry);
        }
        Ok(Json::Array(entries))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let inner = self.inner()?;
        let mut members = alloc::collections::BTreeMap::<String, usize>::new();
        let mut ordered = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if members.insert(key.clone(), ordered.len()).is_some() {
                return Err(A::Error::custom("a key is given twice"));
            }
            ordered.push((key, map.next_value_seed(inner)?));
        }
        Ok(Json::Object(ordered))
    }
}
