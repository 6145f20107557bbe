//! From a seed to Ethereum wallets, one at a time or by the thousand.
//!
//! Uses no threads: [`EvmDeriver`] is `Sync` and gives chunks, so that callers may use theirs.
//!
//! The path's shared part is derived once, and for the families whose last step is not hardened the parent's public
//! point as well. Scalar multiplications are constant-time, `k256`'s.
//!
//! Specification: BIP-32 <https://github.com/bitcoin/bips/blob/master/bip-0032.mediawiki>, coin type 60 of SLIP-0044.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::EvmAddress;
use crate::bip32;
use crate::derive::{DeriveError, MAX_CHUNK};
use crate::mnemonic::Seed;
use crate::path::{ChildIndex, DerivationPath, PathComponent, PathFamily};
use crate::secp256k1::SecretKey;

const ZERO: PathComponent = PathComponent::Normal(ChildIndex::ZERO);

/// A wallet with its place in the family.
pub struct DerivedEvmKey {
    /// Its index in the family.
    pub index: ChildIndex,
    /// Its path, like `m/44'/60'/0'/0/0`.
    pub path: String,
    /// Its address.
    pub address: EvmAddress,
    /// Its secret key.
    pub secret: SecretKey,
}

impl fmt::Debug for DerivedEvmKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DerivedEvmKey")
            .field("index", &self.index)
            .field("path", &self.path)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Derives the wallets of one of Ethereum's path families from one seed.
///
/// ```
/// use keyward_core::evm::EvmDeriver;
/// use keyward_core::mnemonic::Mnemonic;
/// use keyward_core::path::{ChildIndex, PathFamily};
///
/// let words = "test test test test test test test test test test test junk";
/// let seed = Mnemonic::parse(words)?.to_seed("");
/// let wallet = EvmDeriver::new(&seed, PathFamily::EvmBip44)?.derive(ChildIndex::ZERO)?;
/// assert_eq!(wallet.address.to_string(), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EvmDeriver {
    family: PathFamily,
    /// The node above the index.
    parent: bip32::Parent,
}

impl fmt::Debug for EvmDeriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvmDeriver")
            .field("family", &self.family)
            .finish_non_exhaustive()
    }
}

impl EvmDeriver {
    /// Derives what the family's wallets share, once.
    ///
    /// # Errors
    /// [`DeriveError::OtherChain`] for a family that is not Ethereum's; [`DeriveError::NoKey`].
    pub fn new(seed: &Seed, family: PathFamily) -> Result<Self, DeriveError> {
        let first = family.path(ChildIndex::ZERO);
        let (Some(path), true) = (first, PathFamily::EVM.contains(&family)) else {
            return Err(DeriveError::OtherChain { family });
        };
        // Where the index is, counted from the front: what is before it is shared.
        let shared = match family {
            PathFamily::EvmBip44 => 4,
            PathFamily::EvmLegacy => 3,
            _ => 2,
        };
        let mut node = bip32::ExtendedKey::from_seed(seed)?;
        for component in path.components().iter().take(shared) {
            node = node.child(*component)?;
        }
        Ok(Self {
            family,
            parent: bip32::Parent::new(node)?,
        })
    }

    /// The family whose wallets this derives.
    #[must_use]
    pub const fn family(&self) -> PathFamily {
        self.family
    }

    /// The wallet at `index`.
    ///
    /// # Errors
    /// [`DeriveError::NoKey`].
    pub fn derive(&self, index: ChildIndex) -> Result<DerivedEvmKey, DeriveError> {
        let node = match self.family {
            PathFamily::EvmLedgerLive => self
                .parent
                .child(PathComponent::Hardened(index))?
                .child(ZERO)?
                .child(ZERO)?,
            _ => self.parent.child(PathComponent::Normal(index))?,
        };
        let secret = secret_key(&node)?;
        Ok(DerivedEvmKey {
            index,
            path: self
                .family
                .path(index)
                .map(|path| path.to_string())
                .ok_or(DeriveError::OtherChain { family: self.family })?,
            address: secret.address(),
            secret,
        })
    }

    /// The `count` wallets from index `start` on, in order. At most [`MAX_CHUNK`].
    ///
    /// # Errors
    /// [`DeriveError::ChunkTooLarge`], [`DeriveError::RangeEnd`] or [`DeriveError::NoKey`].
    pub fn derive_chunk(&self, start: u32, count: u32) -> Result<Vec<DerivedEvmKey>, DeriveError> {
        if count > MAX_CHUNK {
            return Err(DeriveError::ChunkTooLarge { count });
        }
        let end = start.checked_add(count).ok_or(DeriveError::RangeEnd)?;
        if end > ChildIndex::MAX.get() + 1 {
            return Err(DeriveError::RangeEnd);
        }
        (start..end)
            .map(|number| {
                let index = ChildIndex::new(number).map_err(|_| DeriveError::RangeEnd)?;
                self.derive(index)
            })
            .collect()
    }
}

/// The key at any path, hardened or not.
///
/// # Errors
/// [`DeriveError::NoKey`].
pub fn derive_path(seed: &Seed, path: &DerivationPath) -> Result<SecretKey, DeriveError> {
    let mut node = bip32::ExtendedKey::from_seed(seed)?;
    for component in path.components() {
        node = node.child(*component)?;
    }
    secret_key(&node)
}

fn secret_key(node: &bip32::ExtendedKey) -> Result<SecretKey, DeriveError> {
    SecretKey::from_bytes(node.expose_secret()).map_err(|_| DeriveError::NoKey)
}

#[cfg(test)]
mod tests;
