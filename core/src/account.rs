//! An account on either family of chains: a Solana or an Ethereum address, told apart by their text.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::address::{Address, AddressError};
use crate::evm::{EvmAddress, EvmAddressError};

/// A family of chains that share keys and addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Chain {
    /// Solana: ed25519 keys.
    #[default]
    Solana,
    /// Ethereum, BSC, Polygon and their like: secp256k1 keys.
    Evm,
}

/// A name that is no chain's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such chain; use solana or evm")]
pub struct UnknownChain;

impl Chain {
    /// Every chain, the default first.
    pub const ALL: [Self; 2] = [Self::Solana, Self::Evm];

    /// The name used in storage and on the command line.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Solana => "solana",
            Self::Evm => "evm",
        }
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl FromStr for Chain {
    type Err = UnknownChain;

    fn from_str(text: &str) -> Result<Self, UnknownChain> {
        Self::ALL
            .into_iter()
            .find(|chain| chain.id() == text)
            .ok_or(UnknownChain)
    }
}

/// Why a text is no account's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccountAddressError {
    /// It begins with `0x` and is no Ethereum address.
    #[error(transparent)]
    Evm(#[from] EvmAddressError),
    /// It is no Solana address.
    #[error(transparent)]
    Solana(#[from] AddressError),
}

/// The address of an account on either family of chains.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountAddress {
    /// A Solana address, shown in base58.
    Solana(Address),
    /// An Ethereum address, shown as EIP-55 has it.
    Evm(EvmAddress),
}

impl AccountAddress {
    /// The family it belongs to.
    #[must_use]
    pub const fn chain(&self) -> Chain {
        match self {
            Self::Solana(_) => Chain::Solana,
            Self::Evm(_) => Chain::Evm,
        }
    }

    /// The Solana address, if it is one.
    #[must_use]
    pub const fn as_solana(&self) -> Option<&Address> {
        match self {
            Self::Solana(address) => Some(address),
            Self::Evm(_) => None,
        }
    }

    /// The Ethereum address, if it is one.
    #[must_use]
    pub const fn as_evm(&self) -> Option<&EvmAddress> {
        match self {
            Self::Evm(address) => Some(address),
            Self::Solana(_) => None,
        }
    }

    /// Both ends with an ellipsis between, for narrow columns.
    ///
    /// # Security
    /// As for [`Address::abbreviated`]: show the whole text wherever somebody decides on it.
    #[must_use]
    pub fn abbreviated(&self) -> String {
        match self {
            Self::Solana(address) => address.abbreviated(),
            Self::Evm(address) => address.abbreviated(),
        }
    }
}

impl fmt::Display for AccountAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Solana(address) => address.fmt(f),
            Self::Evm(address) => address.fmt(f),
        }
    }
}

impl fmt::Debug for AccountAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Solana(address) => address.fmt(f),
            Self::Evm(address) => address.fmt(f),
        }
    }
}

impl FromStr for AccountAddress {
    type Err = AccountAddressError;

    /// With `0x` in front an Ethereum address, else a Solana one.
    fn from_str(text: &str) -> Result<Self, AccountAddressError> {
        // No base58 text begins so: its alphabet has no zero.
        Ok(if text.starts_with("0x") {
            Self::Evm(text.parse()?)
        } else {
            Self::Solana(text.parse()?)
        })
    }
}

impl From<Address> for AccountAddress {
    fn from(address: Address) -> Self {
        Self::Solana(address)
    }
}

impl From<&Address> for AccountAddress {
    fn from(address: &Address) -> Self {
        Self::Solana(*address)
    }
}

impl From<&Self> for AccountAddress {
    fn from(address: &Self) -> Self {
        *address
    }
}

impl From<EvmAddress> for AccountAddress {
    fn from(address: EvmAddress) -> Self {
        Self::Evm(address)
    }
}

impl PartialEq<Address> for AccountAddress {
    fn eq(&self, other: &Address) -> bool {
        self.as_solana() == Some(other)
    }
}

impl PartialEq<AccountAddress> for Address {
    fn eq(&self, other: &AccountAddress) -> bool {
        other == self
    }
}

impl PartialEq<EvmAddress> for AccountAddress {
    fn eq(&self, other: &EvmAddress) -> bool {
        self.as_evm() == Some(other)
    }
}

impl Serialize for AccountAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AccountAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
