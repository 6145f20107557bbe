//! Whom typed data is for.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::TypedDataError;
use super::listing::escaped;
use super::schema::{Schema, Type};
use super::value::{Struct, Value};
use crate::evm::EvmAddress;
use crate::evm::intent::shown_chain;
use crate::evm::transaction::MAX_CHAIN_ID;

/// The name of the domain's type.
pub(super) const TYPE_NAME: &str = "EIP712Domain";

/// The fields that a domain may have, in their order. EIP-712, "Definition of domainSeparator".
const FIELDS: [(&str, Type); 5] = [
    ("name", Type::Text),
    ("version", Type::Text),
    ("chainId", Type::Uint(256)),
    ("verifyingContract", Type::Address),
    ("salt", Type::FixedBytes(32)),
];

/// The domain of typed data: the application and the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Domain {
    /// The application's name, as it gives it.
    pub name: Option<String>,
    /// The version of the signing domain.
    pub version: Option<String>,
    /// The chain.
    pub chain_id: u64,
    /// The contract that will check the signature.
    pub verifying_contract: Option<EvmAddress>,
    /// Whatever else tells it apart.
    pub salt: Option<[u8; 32]>,
}

impl Domain {
    pub(super) fn from_value(schema: &Schema, value: &Struct) -> Result<Self, TypedDataError> {
        let mut allowed = FIELDS.iter();
        for field in schema.fields(TYPE_NAME)? {
            let fits = |(name, kind): &&(&str, Type)| *name == field.name && *kind == field.kind;
            if !allowed.any(|own| fits(&own)) {
                return Err(TypedDataError::Type {
                    name: TYPE_NAME.into(),
                    problem: "it has a field that is not EIP-712's, or not in its order",
                });
            }
        }
        let text = |name| match value.field(name) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let chain_id = match value.field("chainId") {
            Some(Value::Uint(id)) => id
                .to_u64()
                .filter(|id| (1..=MAX_CHAIN_ID).contains(id))
                .ok_or_else(|| TypedDataError::Value {
                    at: "domain.chainId".into(),
                    wanted: "chain id".into(),
                    problem: "no such chain can exist",
                })?,
            _ => return Err(TypedDataError::NoChainId),
        };
        Ok(Self {
            name: text("name"),
            version: text("version"),
            chain_id,
            verifying_contract: match value.field("verifyingContract") {
                Some(Value::Address(address)) => Some(*address),
                _ => None,
            },
            salt: match value.field("salt") {
                Some(Value::FixedBytes(salt)) => salt.as_slice().try_into().ok(),
                _ => None,
            },
        })
    }

    pub(super) fn sentences(&self, primary_type: &str) -> Vec<String> {
        let name = match (&self.name, &self.version) {
            (Some(name), Some(version)) => {
                format!("\"{}\" version \"{}\"", escaped(name), escaped(version))
            }
            (Some(name), None) => format!("\"{}\"", escaped(name)),
            (None, Some(version)) => format!("an unnamed application, version \"{}\"", escaped(version)),
            (None, None) => String::from("an unnamed application"),
        };
        let contract = match &self.verifying_contract {
            Some(contract) => format!("contract {contract}"),
            None => String::from("no contract that is named"),
        };
        let mut lines = alloc::vec![
            format!("Sign a \"{}\" for {name}", escaped(primary_type)),
            format!("To be checked by {contract} on {}", shown_chain(self.chain_id)),
        ];
        if let Some(salt) = &self.salt {
            lines.push(format!("Domain salt 0x{}", hex::encode(salt)));
        }
        lines
    }
}
