//! What can be transferred, and where: assets and chains as policies write them.
//!
//! EVM assets and chains are written after CAIP-2 and CAIP-19, with decimal chain ids:
//! `eip155:56`, `eip155:56/native`, `eip155:56/erc20:0x…`.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use serde::de::{Deserializer, Error as _};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::account::Chain;
use crate::address::{Address, AddressError};
use crate::evm::{EvmAddress, EvmAddressError};

/// Something that can be transferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asset {
    /// SOL, in lamports.
    Sol,
    /// The token of a mint, in smallest units.
    Token(Address),
    /// The coin of an EVM chain, in wei.
    EvmNative {
        /// The chain.
        chain_id: u64,
    },
    /// A token on an EVM chain, in smallest units.
    Erc20 {
        /// The chain.
        chain_id: u64,
        /// The token's contract.
        contract: EvmAddress,
    },
}

/// Which assets a rule matches: one, `token:*`, `eip155:*/native` or `eip155:56/erc20:*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AssetMatch {
    /// This one.
    Asset(Asset),
    /// Any token of Solana, but not SOL.
    AnyToken,
    /// The coin of any EVM chain.
    AnyEvmNative,
    /// Any token of an EVM chain, but not its coin.
    AnyErc20 {
        /// The chain.
        chain_id: u64,
    },
}

/// Which chains a rule matches: `solana:*`, `eip155:*` or `eip155:56`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChainMatch {
    /// Every network of Solana.
    Solana,
    /// Every EVM chain, and what is valid on all of them.
    AnyEvm,
    /// One EVM chain. An allow rule does not cover what is valid on all of them; deny and require rules do.
    Evm(u64),
}

/// Where something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Solana,
    /// On one EVM chain.
    Evm(u64),
    /// On every EVM chain, such as a personal message.
    EveryEvm,
}

impl Place {
    /// For what belongs to a wallet and to no chain of its family in particular.
    pub(super) const fn of(chain: Chain) -> Self {
        match chain {
            Chain::Solana => Self::Solana,
            Chain::Evm => Self::EveryEvm,
        }
    }
}

impl ChainMatch {
    /// Whether something there happens on this chain among others.
    pub(super) fn touches(self, place: Place) -> bool {
        self.covers(place) || matches!(self, Self::Evm(_)) && place == Place::EveryEvm
    }

    /// Whether everything there happens on this chain.
    pub(super) fn covers(self, place: Place) -> bool {
        match self {
            Self::Solana => place == Place::Solana,
            Self::AnyEvm => place != Place::Solana,
            Self::Evm(own) => place == Place::Evm(own),
        }
    }
}

impl AssetMatch {
    pub(super) fn covers(&self, asset: &Asset) -> bool {
        match self {
            Self::Asset(own) => own == asset,
            Self::AnyToken => matches!(asset, Asset::Token(_)),
            Self::AnyEvmNative => matches!(asset, Asset::EvmNative { .. }),
            Self::AnyErc20 { chain_id: own } => {
                matches!(asset, Asset::Erc20 { chain_id, .. } if chain_id == own)
            }
        }
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sol => f.write_str("sol"),
            Self::Token(mint) => write!(f, "token:{mint}"),
            Self::EvmNative { chain_id } => write!(f, "eip155:{chain_id}/native"),
            Self::Erc20 { chain_id, contract } => write!(f, "eip155:{chain_id}/erc20:{contract}"),
        }
    }
}

impl fmt::Display for AssetMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asset(asset) => asset.fmt(f),
            Self::AnyToken => f.write_str("token:*"),
            Self::AnyEvmNative => f.write_str("eip155:*/native"),
            Self::AnyErc20 { chain_id } => write!(f, "eip155:{chain_id}/erc20:*"),
        }
    }
}

impl fmt::Display for ChainMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Solana => f.write_str("solana:*"),
            Self::AnyEvm => f.write_str("eip155:*"),
            Self::Evm(chain_id) => write!(f, "eip155:{chain_id}"),
        }
    }
}

/// Why a text names no asset or chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AssetError {
    /// No kind of asset.
    #[error(
        "an asset is written 'sol', 'token:' and the mint's address, 'eip155:<chain id>/native' or 'eip155:<chain id>/erc20:' and the contract's address"
    )]
    Kind,
    /// No kind of chain.
    #[error("a chain is written 'solana:*', 'eip155:*' or 'eip155:<chain id>' with the id in decimal digits")]
    Chain,
    /// The mint's address is wrong.
    #[error("the mint's address is wrong: {0}")]
    Mint(#[from] AddressError),
    /// The contract's address is wrong.
    #[error("the contract's address is wrong: {0}")]
    Contract(#[from] EvmAddressError),
}

impl FromStr for Asset {
    type Err = AssetError;

    fn from_str(text: &str) -> Result<Self, AssetError> {
        if let Some((chain_id, asset)) = evm_parts(text) {
            let chain_id = parse_chain_id(chain_id)?;
            return match asset.split_once(':') {
                None if asset == "native" => Ok(Self::EvmNative { chain_id }),
                Some(("erc20", contract)) => Ok(Self::Erc20 {
                    chain_id,
                    contract: contract.parse()?,
                }),
                _ => Err(AssetError::Kind),
            };
        }
        match text.split_once(':') {
            None if text == "sol" => Ok(Self::Sol),
            Some(("token", mint)) => Ok(Self::Token(mint.parse()?)),
            _ => Err(AssetError::Kind),
        }
    }
}

impl FromStr for AssetMatch {
    type Err = AssetError;

    fn from_str(text: &str) -> Result<Self, AssetError> {
        match (text, evm_parts(text)) {
            ("token:*", _) => Ok(Self::AnyToken),
            (_, Some(("*", "native"))) => Ok(Self::AnyEvmNative),
            (_, Some((chain_id, "erc20:*"))) => Ok(Self::AnyErc20 {
                chain_id: parse_chain_id(chain_id)?,
            }),
            _ => text.parse().map(Self::Asset),
        }
    }
}

impl FromStr for ChainMatch {
    type Err = AssetError;

    fn from_str(text: &str) -> Result<Self, AssetError> {
        match text.split_once(':') {
            Some(("solana", "*")) => Ok(Self::Solana),
            Some(("eip155", "*")) => Ok(Self::AnyEvm),
            Some(("eip155", chain_id)) => parse_chain_id(chain_id).map(Self::Evm),
            _ => Err(AssetError::Chain),
        }
    }
}

/// Chain id and asset of an EVM asset's text.
fn evm_parts(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("eip155:")?.split_once('/')
}

/// A chain id other than zero, in its one form.
fn parse_chain_id(text: &str) -> Result<u64, AssetError> {
    text.parse()
        .ok()
        .filter(|id: &u64| *id > 0 && id.to_string() == text)
        .ok_or(AssetError::Chain)
}

macro_rules! serde_as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    };
}

serde_as_text!(Asset);
serde_as_text!(AssetMatch);
serde_as_text!(ChainMatch);

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn texts_read_back() {
        let contract = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        for text in [
            "sol",
            "eip155:56/native",
            &alloc::format!("eip155:1/erc20:{contract}"),
        ] {
            assert_eq!(text.parse::<Asset>().unwrap().to_string(), text);
            assert_eq!(text.parse::<AssetMatch>().unwrap().to_string(), text);
        }
        for text in ["token:*", "eip155:*/native", "eip155:137/erc20:*"] {
            assert_eq!(text.parse::<AssetMatch>().unwrap().to_string(), text);
        }
        for text in ["solana:*", "eip155:*", "eip155:56", "eip155:18446744073709551615"] {
            assert_eq!(text.parse::<ChainMatch>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "SOL",
            "eip155:56",
            "eip155:056/native",
            "eip155:0/native",
            "eip155:+1/native",
            "eip155:x/native",
            "eip155:56/Native",
            "eip155:56/native/",
            "eip155:*/erc20:*",
            "eip155:56/erc20:",
            "eip155:56/erc20:0x00",
            "eip155:56/erc721:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "eip155:18446744073709551616/native",
        ] {
            assert!(text.parse::<AssetMatch>().is_err(), "{text}");
        }
        for text in [
            "",
            "eip155",
            "eip155:",
            "eip155:0",
            "eip155:01",
            "eip155:-1",
            "solana",
            "solana:x",
            "evm:1",
        ] {
            assert!(text.parse::<ChainMatch>().is_err(), "{text}");
        }
    }
}
