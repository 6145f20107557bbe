//! Finding keys again: which path and passphrase give a known address, and which accounts of a phrase are in use.
//!
//! [`PathSearch`] goes through every path scheme of both chains with a list of candidate passphrases, in small
//! steps that can be spread over threads and resumed. [`AccountScan`] asks its caller about addresses, family by
//! family, until a gap of unused ones. Neither does any I/O: no node is asked from here. The reports name
//! everything that was searched, also when nothing is found.
//!
//! Besides the [`PathFamily`]s, two grids of two indices are searched, which people have from other tools:
//!
//! - `m/44'/501'/{account}'/{i}'`, the `?key=ACCOUNT/CHANGE` of the Solana command line
//!   (<https://docs.anza.xyz/cli/wallets/paper#hierarchical-derivation>), of which `m/44'/501'/0'/{i}'` is the
//!   best known row;
//! - `m/44'/60'/{account}'/0/{i}`, BIP-44 with all of its accounts
//!   (<https://github.com/bitcoin/bips/blob/master/bip-0044.mediawiki>).

mod scan;
mod search;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use zeroize::Zeroizing;

use crate::account::{AccountAddress, Chain};
use crate::bip32;
use crate::derive::DeriveError;
use crate::ed25519;
use crate::mnemonic::Seed;
use crate::path::{ChildIndex, PathComponent, PathFamily};
use crate::secp256k1;
use crate::slip10;

pub use scan::{AccountScan, Activity, FamilyFindings, FamilyStatus, Query, ScanError, ScanReport};
pub use search::{
    IndexRange, Match, PathSearch, SEARCH_CHUNK, SearchError, SearchPlan, SearchReport, Searched, Step,
};

/// A way in which a phrase turns into addresses: a family, or a grid of two indices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// A family with one index.
    Family(PathFamily),
    /// `m/44'/501'/{account}'/{i}'`.
    SolanaGrid,
    /// `m/44'/60'/{account}'/0/{i}`.
    EvmGrid,
}

/// Why a name is no scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such path scheme; use a path family, solana-grid or evm-grid")]
pub struct UnknownScheme;

impl Scheme {
    /// Every scheme of a chain, families first.
    #[must_use]
    pub fn of(chain: Chain) -> Vec<Self> {
        let grid = match chain {
            Chain::Solana => Self::SolanaGrid,
            Chain::Evm => Self::EvmGrid,
        };
        PathFamily::of(chain)
            .iter()
            .copied()
            .map(Self::Family)
            .chain([grid])
            .collect()
    }

    /// The name used on the command line.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Family(family) => family.id(),
            Self::SolanaGrid => "solana-grid",
            Self::EvmGrid => "evm-grid",
        }
    }

    /// The path with `{account}` and `{i}` where the indices go; `none` for no path.
    #[must_use]
    pub const fn template(self) -> &'static str {
        match self {
            Self::Family(family) => family.template(),
            Self::SolanaGrid => "m/44'/501'/{account}'/{i}'",
            Self::EvmGrid => "m/44'/60'/{account}'/0/{i}",
        }
    }

    /// The chain whose addresses the scheme gives.
    #[must_use]
    pub const fn chain(self) -> Chain {
        match self {
            Self::Family(family) => family.chain(),
            Self::SolanaGrid => Chain::Solana,
            Self::EvmGrid => Chain::Evm,
        }
    }

    /// Whether the scheme has a second index, the account.
    #[must_use]
    pub const fn is_grid(self) -> bool {
        matches!(self, Self::SolanaGrid | Self::EvmGrid)
    }

    /// Whether the scheme has one address only.
    #[must_use]
    pub const fn is_single(self) -> bool {
        matches!(self, Self::Family(family) if family.is_single())
    }

    /// The path at these indices; `none` for no path. `account` counts in grids only.
    #[must_use]
    pub fn path_text(self, account: ChildIndex, index: ChildIndex) -> String {
        self.template()
            .replace("{account}", &account.to_string())
            .replace("{i}", &index.to_string())
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Scheme {
    type Err = UnknownScheme;

    fn from_str(id: &str) -> Result<Self, UnknownScheme> {
        Chain::ALL
            .into_iter()
            .flat_map(Self::of)
            .find(|scheme| scheme.id() == id)
            .ok_or(UnknownScheme)
    }
}

/// Addresses of one scheme and account, without paths and keys kept.
struct Addresses {
    root: Root,
    chain: Chain,
    /// Steps below the index.
    below: &'static [PathComponent],
    hardened: bool,
}

/// What an address is made from.
enum Root {
    /// The node above the index.
    Slip10(slip10::ExtendedKey),
    /// The node above the index, in the secp256k1 tree.
    Bip32(bip32::ExtendedKey),
    /// The scheme's only key.
    Single(Zeroizing<[u8; 32]>),
}

const ZERO: ChildIndex = ChildIndex::ZERO;
const BELOW_SOLLET: &[PathComponent] = &[PathComponent::Normal(ZERO), PathComponent::Normal(ZERO)];

impl Addresses {
    fn new(seed: &Seed, scheme: Scheme, account: ChildIndex) -> Result<Self, DeriveError> {
        use PathComponent::{Hardened, Normal};
        let number = |number| Hardened(ChildIndex::new(number).unwrap_or(ChildIndex::MAX));
        let slip10 = |above: &[PathComponent]| {
            let root = slip10::ExtendedKey::from_seed(seed);
            above.iter().fold(root, |node, step| node.child(step.index()))
        };
        let bip32 = |above: &[PathComponent]| {
            above
                .iter()
                .try_fold(bip32::ExtendedKey::from_seed(seed)?, |node, step| {
                    node.child(*step)
                })
                .map(Root::Bip32)
        };
        let (solana, evm) = ([number(44), number(501)], [number(44), number(60)]);
        let (root, hardened, below): (Root, bool, &'static [PathComponent]) = match scheme {
            Scheme::Family(PathFamily::Bip44Change) => {
                (Root::Slip10(slip10(&solana)), true, &[Hardened(ZERO)])
            }
            Scheme::Family(PathFamily::Bip44) => (Root::Slip10(slip10(&solana)), true, &[]),
            Scheme::Family(PathFamily::Bip44Root) => {
                let key = Zeroizing::new(*slip10(&solana).expose_secret());
                (Root::Single(key), true, &[])
            }
            Scheme::Family(PathFamily::Sollet) => (bip32(&solana[1..])?, true, BELOW_SOLLET),
            Scheme::Family(PathFamily::Raw) => (raw(seed)?, true, &[]),
            Scheme::SolanaGrid => {
                let [purpose, coin] = solana;
                (
                    Root::Slip10(slip10(&[purpose, coin, Hardened(account)])),
                    true,
                    &[],
                )
            }
            Scheme::Family(PathFamily::EvmBip44) => {
                let [purpose, coin] = evm;
                (bip32(&[purpose, coin, Hardened(ZERO), Normal(ZERO)])?, false, &[])
            }
            Scheme::Family(PathFamily::EvmLedgerLive) => (bip32(&evm)?, true, BELOW_SOLLET),
            Scheme::Family(PathFamily::EvmLegacy) => {
                let [purpose, coin] = evm;
                (bip32(&[purpose, coin, Hardened(ZERO)])?, false, &[])
            }
            Scheme::EvmGrid => {
                let [purpose, coin] = evm;
                (
                    bip32(&[purpose, coin, Hardened(account), Normal(ZERO)])?,
                    false,
                    &[],
                )
            }
        };
        Ok(Self {
            root,
            chain: scheme.chain(),
            below,
            hardened,
        })
    }

    /// The address at `index`.
    fn at(&self, index: ChildIndex) -> Result<AccountAddress, DeriveError> {
        match &self.root {
            Root::Single(key) => self.address_of(key),
            Root::Slip10(node) => {
                let node = self
                    .below
                    .iter()
                    .fold(node.child(index), |node, step| node.child(step.index()));
                self.address_of(node.expose_secret())
            }
            Root::Bip32(node) => {
                let step = if self.hardened {
                    PathComponent::Hardened(index)
                } else {
                    PathComponent::Normal(index)
                };
                let node = self
                    .below
                    .iter()
                    .try_fold(node.child(step)?, |node, step| node.child(*step))?;
                self.address_of(node.expose_secret())
            }
        }
    }

    fn address_of(&self, key: &[u8; 32]) -> Result<AccountAddress, DeriveError> {
        Ok(match self.chain {
            Chain::Solana => ed25519::SecretKey::from_seed(key).address().into(),
            Chain::Evm => secp256k1::SecretKey::from_bytes(key)
                .map_err(|_| DeriveError::NoKey)?
                .address()
                .into(),
        })
    }
}

fn raw(seed: &Seed) -> Result<Root, DeriveError> {
    let bytes = seed.expose_bytes();
    let key = bytes
        .first_chunk::<32>()
        .ok_or(DeriveError::SeedTooShort { found: bytes.len() })?;
    Ok(Root::Single(Zeroizing::new(*key)))
}

#[cfg(test)]
mod tests;
