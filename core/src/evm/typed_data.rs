//! Typed structured data, EIP-712: read strictly, hashed, and shown.
//!
//! Everything that is signed is shown and everything that is given is signed: unknown, missing and repeated
//! fields are refused, numbers must fit their type, and the domain must name its chain. The aliases `int`
//! and `uint`, which the EIP excludes, and absent structures (`null`), of which it says nothing, are refused.
//!
//! Source: <https://eips.ethereum.org/EIPS/eip-712>, "Definition of typed structured data",
//! "Definition of hashStruct", "Definition of domainSeparator".

mod domain;
mod json;
mod listing;
mod risk;
mod schema;
mod value;

use alloc::string::String;
use alloc::vec::Vec;

use super::keccak256;

pub use domain::Domain;
pub use risk::Risk;

/// The most bytes of a document.
pub const MAX_DOCUMENT_BYTES: usize = 65_536;

/// The deepest nesting of structures and arrays, and of JSON.
pub const MAX_DEPTH: usize = 16;

/// The most types that a document may define.
pub const MAX_TYPES: usize = 128;

/// Typed data whose document was read completely. Only [`TypedData::from_json`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedData {
    domain: Domain,
    primary_type: String,
    domain_separator: [u8; 32],
    struct_hash: [u8; 32],
    lines: Vec<String>,
    risks: Vec<Risk>,
}

/// Why a document is no typed data. `at` is where: `message.to.wallet`, escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TypedDataError {
    /// Too long.
    #[error("the document has {found} bytes and 65536 are the most; shorten it")]
    TooLong {
        /// How many there are.
        found: usize,
    },
    /// Not JSON, or a key is given twice, or nested too deeply.
    #[error("the document is no strict JSON: {0}; correct it there")]
    Json(String),
    /// A key is missing, unknown, or of another shape.
    #[error("{at}: {problem}; correct the document")]
    Shape {
        /// Where.
        at: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A type is not known, malformed, or defined wrongly.
    #[error("type '{name}': {problem}; correct the document's types")]
    Type {
        /// The type as written, escaped and shortened.
        name: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A value does not fit its type.
    #[error("{at} is no {wanted}: {problem}; correct the value")]
    Value {
        /// Where.
        at: String,
        /// The type.
        wanted: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// The domain names no chain.
    #[error("the domain names no chain, so the signature would count on every one; ask for one with chainId")]
    NoChainId,
}

impl TypedData {
    /// Reads a document as `eth_signTypedData_v4` takes it: the keys `types`, `primaryType`, `domain`,
    /// `message` and no others. Integers are JSON numbers, decimal digits, or hexadecimal digits after
    /// `0x`; byte strings and addresses are hexadecimal digits after `0x`.
    ///
    /// # Errors
    /// See [`TypedDataError`].
    pub fn from_json(document: &str) -> Result<Self, TypedDataError> {
        if document.len() > MAX_DOCUMENT_BYTES {
            return Err(TypedDataError::TooLong {
                found: document.len(),
            });
        }
        let document = json::Json::parse(document)?;
        let [types, primary_type, domain, message] =
            document.members("the document", ["types", "primaryType", "domain", "message"])?;
        let schema = schema::Schema::read(types)?;
        let primary_type = primary_type.text("primaryType")?;
        if primary_type == domain::TYPE_NAME {
            return Err(TypedDataError::Shape {
                at: "primaryType".into(),
                problem: "it is the domain itself, which is never signed alone",
            });
        }
        let domain_value = value::read_struct(&schema, domain::TYPE_NAME, domain, "domain")?;
        let own_domain = Domain::from_value(&schema, &domain_value)?;
        let message_value = value::read_struct(&schema, primary_type, message, "message")?;
        Ok(Self {
            domain_separator: domain_value.hash_struct(&schema)?,
            struct_hash: message_value.hash_struct(&schema)?,
            lines: listing::lines(&message_value),
            risks: risk::of(primary_type, &message_value),
            domain: own_domain,
            primary_type: primary_type.into(),
        })
    }

    /// Whom it is for.
    #[must_use]
    pub const fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The name of the message's type.
    #[must_use]
    pub fn primary_type(&self) -> &str {
        &self.primary_type
    }

    /// `hashStruct` of the domain.
    #[must_use]
    pub const fn domain_separator(&self) -> &[u8; 32] {
        &self.domain_separator
    }

    /// `hashStruct` of the message.
    #[must_use]
    pub const fn struct_hash(&self) -> &[u8; 32] {
        &self.struct_hash
    }

    /// The 66 bytes whose Keccak-256 is signed: `0x19 0x01 domainSeparator hashStruct(message)`.
    #[must_use]
    pub fn signing_payload(&self) -> Vec<u8> {
        [&[0x19, 0x01][..], &self.domain_separator, &self.struct_hash].concat()
    }

    /// Keccak-256 of [`TypedData::signing_payload`].
    #[must_use]
    pub fn signing_hash(&self) -> [u8; 32] {
        keccak256(&self.signing_payload())
    }

    /// What makes signing it as grave as a transaction; empty when nothing is known.
    #[must_use]
    pub fn risks(&self) -> &[Risk] {
        &self.risks
    }

    /// Everything that would be signed: risks, domain, then one line for each value. Text from the document
    /// is escaped.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .risks
            .iter()
            .map(|risk| alloc::format!("DANGER: {risk}"))
            .collect();
        lines.extend(self.domain.sentences(&self.primary_type));
        lines.extend(self.lines.iter().cloned());
        lines
    }
}

#[cfg(test)]
mod tests;
