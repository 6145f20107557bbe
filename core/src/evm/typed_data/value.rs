//! Values of a document, read by their types, and `hashStruct`.

use alloc::string::String;
use alloc::vec::Vec;

use super::json::{Json, shape};
use super::schema::{Field, Schema, Type};
use super::{MAX_DEPTH, TypedDataError};
use crate::evm::EvmAddress;
use crate::evm::keccak256;
use crate::evm::u256::U256;

/// A value that fits its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    FixedBytes(Vec<u8>),
    Uint(U256),
    Int(Integer),
    Bool(bool),
    Address(EvmAddress),
    Text(String),
    Bytes(Vec<u8>),
    Array(Vec<Value>),
    Struct(Struct),
}

/// A structure with all its fields, in the order of its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Struct {
    pub(super) name: String,
    pub(super) fields: Vec<(String, Value)>,
}

/// A number with sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Integer {
    pub(super) negative: bool,
    pub(super) magnitude: U256,
}

pub(super) fn read_struct(
    schema: &Schema,
    name: &str,
    json: &Json,
    at: &str,
) -> Result<Struct, TypedDataError> {
    Reader { schema }.structure(name, json, at, MAX_DEPTH)
}

struct Reader<'a> {
    schema: &'a Schema,
}

impl Reader<'_> {
    fn structure(&self, name: &str, json: &Json, at: &str, depth: usize) -> Result<Struct, TypedDataError> {
        let depth = depth
            .checked_sub(1)
            .ok_or_else(|| shape(at, "it is nested too deeply"))?;
        let fields = self.schema.fields(name)?;
        let members = json.object(at)?;
        let known = |key: &str| fields.iter().any(|field| field.name == key);
        if members.iter().any(|(key, _)| !known(key)) {
            return Err(shape(at, "it has a field that its type does not have"));
        }
        let read = |field: &Field| {
            let member = members.iter().find(|(key, _)| *key == field.name);
            let at = alloc::format!("{at}.{}", field.name);
            let (_, json) = member.ok_or_else(|| shape(&at, "it is missing"))?;
            let value = self.value(&field.kind, &field.written, json, &at, depth)?;
            Ok((field.name.clone(), value))
        };
        Ok(Struct {
            name: name.into(),
            fields: fields.iter().map(read).collect::<Result<_, _>>()?,
        })
    }

    fn value(
        &self,
        kind: &Type,
        written: &str,
        json: &Json,
        at: &str,
        depth: usize,
    ) -> Result<Value, TypedDataError> {
        let wrong = |problem| TypedDataError::Value {
            at: at.into(),
            wanted: written.into(),
            problem,
        };
        match kind {
            Type::Struct(name) => self.structure(name, json, at, depth).map(Value::Struct),
            Type::Array(inner, len) => {
                let depth = depth
                    .checked_sub(1)
                    .ok_or_else(|| wrong("it is nested too deeply"))?;
                let entries = json.array(at)?;
                if len.is_some_and(|len| len != entries.len()) {
                    return Err(wrong("it has another number of entries"));
                }
                let read = |(position, json)| {
                    self.value(inner, written, json, &alloc::format!("{at}[{position}]"), depth)
                };
                let entries = entries.iter().enumerate().map(read);
                entries.collect::<Result<_, _>>().map(Value::Array)
            }
            atomic => read_atomic(atomic, json).map_err(wrong),
        }
    }
}

fn read_atomic(kind: &Type, json: &Json) -> Result<Value, &'static str> {
    match (kind, json) {
        (Type::Bool, Json::Bool(value)) => Ok(Value::Bool(*value)),
        (Type::Text, Json::Text(text)) => Ok(Value::Text(text.clone())),
        (Type::Bytes, Json::Text(text)) => hex_bytes(text).map(Value::Bytes),
        (Type::FixedBytes(len), Json::Text(text)) => {
            let bytes = hex_bytes(text)?;
            if bytes.len() == *len {
                Ok(Value::FixedBytes(bytes))
            } else {
                Err("it has another number of bytes")
            }
        }
        (Type::Address, Json::Text(text)) => text
            .parse()
            .map(Value::Address)
            .map_err(|_| "this is no address, or its checksum is wrong"),
        (Type::Uint(bits), json) => {
            let number = integer(json)?;
            if number.negative || bit_length(&number.magnitude) > u32::from(*bits) {
                return Err("the number is out of range");
            }
            Ok(Value::Uint(number.magnitude))
        }
        (Type::Int(bits), json) => {
            let number = integer(json)?;
            if !fits_signed(&number, u32::from(*bits)) {
                return Err("the number is out of range");
            }
            Ok(Value::Int(number))
        }
        _ => Err("the value has another kind"),
    }
}

fn hex_bytes(text: &str) -> Result<Vec<u8>, &'static str> {
    let digits = text
        .strip_prefix("0x")
        .ok_or("hexadecimal digits begin with 0x")?;
    hex::decode(digits).map_err(|_| "these are not pairs of hexadecimal digits")
}

fn integer(json: &Json) -> Result<Integer, &'static str> {
    match json {
        Json::Integer(number) => Ok(Integer {
            negative: *number < 0,
            magnitude: U256::from(number.unsigned_abs()),
        }),
        Json::Text(text) => integer_text(text),
        _ => Err("a number belongs there"),
    }
}

fn integer_text(text: &str) -> Result<Integer, &'static str> {
    if let Some(digits) = text.strip_prefix("0x") {
        return Ok(Integer {
            negative: false,
            magnitude: hex_number(digits)?,
        });
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let magnitude: U256 = digits
        .parse()
        .map_err(|_| "this is no whole number of at most 256 bits")?;
    if negative && magnitude.is_zero() {
        return Err("zero has no sign");
    }
    Ok(Integer { negative, magnitude })
}

fn hex_number(digits: &str) -> Result<U256, &'static str> {
    if digits.is_empty() || digits.len() > 64 {
        return Err("these are not 1 to 64 hexadecimal digits");
    }
    let even = alloc::format!("{digits:0>64}");
    let bytes = hex::decode(even).map_err(|_| "these are not hexadecimal digits")?;
    U256::from_be_slice(&bytes).ok_or("the number is out of range")
}

/// How many bits a number needs; none for zero.
fn bit_length(number: &U256) -> u32 {
    let bytes = number.minimal_be_bytes();
    match bytes.split_first() {
        None => 0,
        // At most 31 further bytes.
        Some((first, rest)) => 8 - first.leading_zeros() + 8 * u32::try_from(rest.len()).unwrap_or(31),
    }
}

/// Whether a number lies from -2^(bits-1) to 2^(bits-1) - 1.
fn fits_signed(number: &Integer, bits: u32) -> bool {
    let needed = bit_length(&number.magnitude);
    if needed < bits {
        return true;
    }
    // The one number of all the bits: the lowest.
    let bytes = number.magnitude.minimal_be_bytes();
    let ones: u32 = bytes.iter().map(|byte| byte.count_ones()).sum();
    number.negative && needed == bits && ones == 1
}

impl Struct {
    /// `hashStruct`: Keccak-256 of the type's hash and each field's 32 bytes.
    pub(super) fn hash_struct(&self, schema: &Schema) -> Result<[u8; 32], TypedDataError> {
        let mut encoded = schema.type_hash(&self.name)?.to_vec();
        for (_, value) in &self.fields {
            encoded.extend_from_slice(&value.encode(schema)?);
        }
        Ok(keccak256(&encoded))
    }

    pub(super) fn field(&self, name: &str) -> Option<&Value> {
        self.fields
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value)
    }
}

impl Value {
    /// The 32 bytes that a value is in `encodeData`.
    fn encode(&self, schema: &Schema) -> Result<[u8; 32], TypedDataError> {
        Ok(match self {
            Self::FixedBytes(bytes) => {
                let mut word = [0; 32];
                word.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
                word
            }
            Self::Uint(number) => *number.as_be_bytes(),
            Self::Int(number) => number.twos_complement(),
            Self::Bool(value) => *U256::from(u64::from(*value)).as_be_bytes(),
            Self::Address(address) => {
                let mut word = [0; 32];
                if let Some(end) = word.last_chunk_mut() {
                    *end = *address.as_bytes();
                }
                word
            }
            Self::Text(text) => keccak256(text.as_bytes()),
            Self::Bytes(bytes) => keccak256(bytes),
            Self::Array(entries) => {
                let encoded = entries
                    .iter()
                    .map(|entry| entry.encode(schema))
                    .collect::<Result<Vec<[u8; 32]>, TypedDataError>>()?;
                keccak256(encoded.as_flattened())
            }
            Self::Struct(own) => own.hash_struct(schema)?,
        })
    }
}

impl Integer {
    fn twos_complement(&self) -> [u8; 32] {
        let bytes = self.magnitude.as_be_bytes();
        if !self.negative {
            return *bytes;
        }
        let inverted = U256::from_be_bytes(bytes.map(|byte| !byte));
        // Of zero alone the sum is too large by one, and what is left of it is zero, its own complement.
        *inverted
            .checked_add(U256::from(1_u64))
            .unwrap_or_default()
            .as_be_bytes()
    }
}
