//! The types that a document defines, and their encoding.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::json::{Json, shape};
use super::listing::escaped;
use super::{MAX_DEPTH, MAX_TYPES, TypedDataError};
use crate::evm::keccak256;

/// The most characters of a name.
const MAX_NAME: usize = 256;

/// A type of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    /// `bytes1` to `bytes32`: how many.
    FixedBytes(usize),
    /// `uint8` to `uint256`: how many bits.
    Uint(u16),
    /// `int8` to `int256`: how many bits.
    Int(u16),
    Bool,
    Address,
    Text,
    Bytes,
    /// Entries of a type; how many, if that is fixed.
    Array(Box<Type>, Option<usize>),
    /// By its name; it is defined.
    Struct(String),
}

/// A field of a structure, with its type as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) written: String,
    pub(super) kind: Type,
}

/// All types of a document; every name in it is defined.
#[derive(Debug)]
pub(super) struct Schema {
    structs: BTreeMap<String, Vec<Field>>,
    type_hashes: BTreeMap<String, [u8; 32]>,
}

impl Schema {
    pub(super) fn read(types: &Json) -> Result<Self, TypedDataError> {
        let types = types.object("types")?;
        if types.len() > MAX_TYPES {
            return Err(shape("types", "it defines more than 128 types"));
        }
        let mut structs = BTreeMap::new();
        for (name, fields) in types {
            if !is_identifier(name) || matches!(atomic(name), Atomic::Is(_) | Atomic::Reserved) {
                return Err(wrong_type(name, "this is no name for a structure"));
            }
            structs.insert(name.clone(), read_fields(name, fields)?);
        }
        let mut schema = Self {
            structs,
            type_hashes: BTreeMap::new(),
        };
        for field in schema.structs.values().flatten() {
            schema.check_defined(&field.kind)?;
        }
        let names: Vec<String> = schema.structs.keys().cloned().collect();
        for name in names {
            let hash = keccak256(schema.encode_type(&name).as_bytes());
            schema.type_hashes.insert(name, hash);
        }
        Ok(schema)
    }

    pub(super) fn fields(&self, name: &str) -> Result<&[Field], TypedDataError> {
        self.structs
            .get(name)
            .map(Vec::as_slice)
            .ok_or_else(|| wrong_type(name, "it is not defined"))
    }

    /// Keccak-256 of `encodeType`. A structure that is not defined has none, and nothing stands in for it.
    pub(super) fn type_hash(&self, name: &str) -> Result<[u8; 32], TypedDataError> {
        self.type_hashes
            .get(name)
            .copied()
            .ok_or_else(|| wrong_type(name, "it is not defined"))
    }

    fn check_defined(&self, kind: &Type) -> Result<(), TypedDataError> {
        match kind {
            Type::Struct(name) => self.fields(name).map(|_| ()),
            Type::Array(inner, _) => self.check_defined(inner),
            _ => Ok(()),
        }
    }

    /// `encodeType`: the structure, then all that it refers to, sorted by name.
    pub(super) fn encode_type(&self, name: &str) -> String {
        let mut found = BTreeSet::new();
        let mut open = alloc::vec![name];
        while let Some(next) = open.pop() {
            if !found.insert(next) {
                continue;
            }
            let fields = self.structs.get(next).into_iter().flatten();
            open.extend(fields.filter_map(|field| field.kind.struct_name()));
        }
        found.remove(name);
        core::iter::once(name)
            .chain(found)
            .map(|name| self.encode_one(name))
            .collect()
    }

    fn encode_one(&self, name: &str) -> String {
        let fields = self.structs.get(name).into_iter().flatten();
        let members: Vec<String> = fields
            .map(|field| alloc::format!("{} {}", field.written, field.name))
            .collect();
        alloc::format!("{name}({})", members.join(","))
    }
}

impl Type {
    /// The structure that it is, or is an array of.
    fn struct_name(&self) -> Option<&str> {
        match self {
            Self::Struct(name) => Some(name),
            Self::Array(inner, _) => inner.struct_name(),
            _ => None,
        }
    }

    fn parse(written: &str) -> Result<Self, TypedDataError> {
        let bracket = written.find('[').unwrap_or(written.len());
        let (base, mut brackets) = written.split_at(bracket);
        let mut kind = match atomic(base) {
            Atomic::Is(kind) => kind,
            Atomic::Reserved => return Err(wrong_type(written, "no such type exists")),
            Atomic::No if is_identifier(base) => Self::Struct(base.into()),
            Atomic::No => return Err(wrong_type(written, "this is no type")),
        };
        let mut depth = 0;
        while !brackets.is_empty() {
            let (size, rest) = brackets
                .strip_prefix('[')
                .and_then(|inner| inner.split_once(']'))
                .ok_or_else(|| wrong_type(written, "its brackets do not match"))?;
            let len = match size {
                "" => None,
                digits => Some(array_len(digits).ok_or_else(|| wrong_type(written, "its length is wrong"))?),
            };
            depth += 1;
            if depth > MAX_DEPTH {
                return Err(wrong_type(written, "it is nested too deeply"));
            }
            kind = Self::Array(Box::new(kind), len);
            brackets = rest;
        }
        Ok(kind)
    }
}

fn read_fields(of: &str, fields: &Json) -> Result<Vec<Field>, TypedDataError> {
    let at = "types";
    let mut names = BTreeSet::new();
    let mut read = Vec::new();
    for field in fields.array(at)? {
        let [name, kind] = field.members(at, ["name", "type"])?;
        let (name, written) = (name.text(at)?, kind.text(at)?);
        if !is_identifier(name) {
            return Err(wrong_type(of, "a field's name is none"));
        }
        if !names.insert(name) {
            return Err(wrong_type(of, "two of its fields have the same name"));
        }
        read.push(Field {
            name: name.into(),
            written: written.into(),
            kind: Type::parse(written)?,
        });
    }
    Ok(read)
}

enum Atomic {
    Is(Type),
    /// Looks like a built-in type and is none, such as `uint7`, `uint` or `bytes33`.
    Reserved,
    No,
}

fn atomic(name: &str) -> Atomic {
    let sized = |digits: &str, make: fn(u16) -> Type, valid: fn(u16) -> bool| match number(digits) {
        Some(size) if valid(size) => Atomic::Is(make(size)),
        _ => Atomic::Reserved,
    };
    let bits = |size| (8..=256).contains(&size) && size % 8 == 0;
    let all_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    match name {
        "bool" => return Atomic::Is(Type::Bool),
        "address" => return Atomic::Is(Type::Address),
        "string" => return Atomic::Is(Type::Text),
        "bytes" => return Atomic::Is(Type::Bytes),
        _ => {}
    }
    if let Some(digits) = name.strip_prefix("uint").filter(|rest| all_digits(rest)) {
        return sized(digits, Type::Uint, bits);
    }
    if let Some(digits) = name.strip_prefix("int").filter(|rest| all_digits(rest)) {
        return sized(digits, Type::Int, bits);
    }
    if let Some(digits) = name.strip_prefix("bytes").filter(|rest| all_digits(rest)) {
        let make = |size| Type::FixedBytes(usize::from(size));
        return sized(digits, make, |size| (1..=32).contains(&size));
    }
    Atomic::No
}

/// A number without leading zeros.
fn number(digits: &str) -> Option<u16> {
    digits
        .parse()
        .ok()
        .filter(|number: &u16| number.to_string() == digits)
}

fn array_len(digits: &str) -> Option<usize> {
    digits
        .parse()
        .ok()
        .filter(|len: &usize| *len > 0 && len.to_string() == digits)
}

fn is_identifier(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    let all = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$';
    first && name.len() <= MAX_NAME && name.bytes().all(all)
}

fn wrong_type(name: &str, problem: &'static str) -> TypedDataError {
    TypedDataError::Type {
        name: escaped(name),
        problem,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_structure_that_is_not_defined_has_no_hash() {
        let types = Json::parse(r#"{"Person": [{"name": "name", "type": "string"}]}"#).unwrap();
        let schema = Schema::read(&types).unwrap();
        assert_eq!(
            schema.type_hash("Person").unwrap(),
            keccak256(b"Person(string name)")
        );
        let refused = schema.type_hash("Mail").unwrap_err();
        assert!(
            matches!(&refused, TypedDataError::Type { name, .. } if name == "Mail"),
            "{refused}"
        );
    }
}
