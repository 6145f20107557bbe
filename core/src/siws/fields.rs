//! What a sign-in says: its fields, their labels and the networks that it may name.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use super::{SignInError, Timestamp};
use crate::address::Address;

/// The lines that may follow address and statement, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Field {
    /// Who asks.
    Domain,
    /// Who signs in.
    Address,
    /// What the person agrees to.
    Statement,
    /// The page that asks.
    Uri,
    /// The format's version.
    Version,
    /// The network.
    ChainId,
    /// The random text against replay.
    Nonce,
    /// When it was asked.
    IssuedAt,
    /// When it stops to hold.
    ExpirationTime,
    /// When it begins to hold.
    NotBefore,
    /// The asker's own reference.
    RequestId,
    /// What else the person agrees to.
    Resources,
}

impl Field {
    /// The fields with a label and a value on one line, in the order that the format prescribes.
    pub(super) const LABELLED: [Self; 8] = [
        Self::Uri,
        Self::Version,
        Self::ChainId,
        Self::Nonce,
        Self::IssuedAt,
        Self::ExpirationTime,
        Self::NotBefore,
        Self::RequestId,
    ];

    /// The label in the text.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Domain => "Domain",
            Self::Address => "Address",
            Self::Statement => "Statement",
            Self::Uri => "URI",
            Self::Version => "Version",
            Self::ChainId => "Chain ID",
            Self::Nonce => "Nonce",
            Self::IssuedAt => "Issued At",
            Self::ExpirationTime => "Expiration Time",
            Self::NotBefore => "Not Before",
            Self::RequestId => "Request ID",
            Self::Resources => "Resources",
        }
    }

    /// The value, if the line is this field's.
    pub(super) fn value(self, line: &str) -> Option<&str> {
        line.strip_prefix(self.label())?.strip_prefix(": ")
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// The network that a sign-in is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChainId {
    /// `mainnet`.
    Mainnet,
    /// `testnet`.
    Testnet,
    /// `devnet`.
    Devnet,
    /// `localnet`.
    Localnet,
    /// `solana:mainnet`.
    SolanaMainnet,
    /// `solana:testnet`.
    SolanaTestnet,
    /// `solana:devnet`.
    SolanaDevnet,
}

impl ChainId {
    /// Every name that the format allows.
    pub const ALL: [Self; 7] = [
        Self::Mainnet,
        Self::Testnet,
        Self::Devnet,
        Self::Localnet,
        Self::SolanaMainnet,
        Self::SolanaTestnet,
        Self::SolanaDevnet,
    ];

    /// The name in the text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mainnet => "mainnet",
            Self::Testnet => "testnet",
            Self::Devnet => "devnet",
            Self::Localnet => "localnet",
            Self::SolanaMainnet => "solana:mainnet",
            Self::SolanaTestnet => "solana:testnet",
            Self::SolanaDevnet => "solana:devnet",
        }
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ChainId {
    type Err = SignInError;

    fn from_str(text: &str) -> Result<Self, SignInError> {
        Self::ALL
            .into_iter()
            .find(|chain| chain.as_str() == text)
            .ok_or(SignInError::Invalid {
                field: Field::ChainId,
            })
    }
}

/// The fields of a sign-in, not yet checked: see [`SignIn::new`](super::SignIn::new).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInFields {
    /// Host and optional port of the page that asks, like `example.com` or `localhost:3000`.
    pub domain: String,
    /// Who signs in.
    pub address: Address,
    /// One line in ASCII letters, digits, spaces and URI punctuation.
    pub statement: Option<String>,
    /// The page that asks, an absolute URI.
    pub uri: Option<String>,
    /// `1`; there is no other.
    pub version: Option<String>,
    /// The network.
    pub chain_id: Option<ChainId>,
    /// At least 8 letters and digits, random.
    pub nonce: Option<String>,
    /// When it was asked.
    pub issued_at: Option<Timestamp>,
    /// From when on it does not hold any more.
    pub expiration_time: Option<Timestamp>,
    /// Before when it does not hold.
    pub not_before: Option<Timestamp>,
    /// The asker's own reference, any characters of a URI's path segment.
    pub request_id: Option<String>,
    /// URIs, at most [`MAX_RESOURCES`](super::MAX_RESOURCES). An empty list is written as its label alone.
    pub resources: Option<Vec<String>>,
}

impl SignInFields {
    /// The smallest sign-in: domain and address.
    #[must_use]
    pub fn new(domain: &str, address: Address) -> Self {
        Self {
            domain: domain.into(),
            address,
            statement: None,
            uri: None,
            version: None,
            chain_id: None,
            nonce: None,
            issued_at: None,
            expiration_time: None,
            not_before: None,
            request_id: None,
            resources: None,
        }
    }

    /// The value of a field that takes one line.
    pub(super) fn text_of(&self, field: Field) -> Option<String> {
        match field {
            Field::Uri => self.uri.clone(),
            Field::Version => self.version.clone(),
            Field::ChainId => self.chain_id.map(|chain| chain.to_string()),
            Field::Nonce => self.nonce.clone(),
            Field::IssuedAt => self.issued_at.as_ref().map(ToString::to_string),
            Field::ExpirationTime => self.expiration_time.as_ref().map(ToString::to_string),
            Field::NotBefore => self.not_before.as_ref().map(ToString::to_string),
            Field::RequestId => self.request_id.clone(),
            _ => None,
        }
    }

    pub(super) fn set(&mut self, field: Field, value: &str) -> Result<(), SignInError> {
        let time = || {
            value
                .parse::<Timestamp>()
                .map(Some)
                .map_err(|error| SignInError::Timestamp { field, error })
        };
        match field {
            Field::Uri => self.uri = Some(value.into()),
            Field::Version => self.version = Some(value.into()),
            Field::ChainId => self.chain_id = Some(value.parse()?),
            Field::Nonce => self.nonce = Some(value.into()),
            Field::IssuedAt => self.issued_at = time()?,
            Field::ExpirationTime => self.expiration_time = time()?,
            Field::NotBefore => self.not_before = time()?,
            Field::RequestId => self.request_id = Some(value.into()),
            _ => {}
        }
        Ok(())
    }
}
