//! From a seed to Solana wallets, one at a time or by the thousand.
//!
//! Uses no threads: [`SolanaDeriver`] is `Sync` and gives chunks, so that callers may use theirs.
//!
//! # Speed
//! The path's shared part is derived once, the HMAC key schedule of the last shared node is kept, and
//! the points of a chunk are compressed together with one field inversion. With a [`BatchTable`] the
//! multiplications themselves take a third of the time.
//!
//! # Security
//! HMAC-SHA512 and SHA-512 do not branch on data, and the shared inversion (Montgomery's trick) multiplies
//! public-key coordinates and inverts by a fixed addition chain. Without a table the multiplication scans
//! all of each row and so takes the same time whatever the key; with one, what is looked up is blinded,
//! as [`BatchTable`]'s module argues.

mod batch;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use curve25519_dalek::edwards::EdwardsPoint;
use zeroize::Zeroizing;

use crate::address::Address;
use crate::bip32;
use crate::ed25519::{SecretKey, public_point, secret_scalar};
use crate::mnemonic::Seed;
use crate::path::{ChildIndex, DerivationPath, PathComponent, PathFamily};
use crate::slip10;

pub use batch::{BatchTable, Blinding, GROUP as BLINDING_GROUP};

/// Most wallets that one call of [`SolanaDeriver::derive_chunk`] gives.
pub const MAX_CHUNK: u32 = 1024;

const PURPOSE: ChildIndex = index(44);
const SOLANA: ChildIndex = index(501);

/// Why a wallet cannot be derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeriveError {
    /// The family has one address and an index other than 0 was asked for.
    #[error("this path family has one address only; use index 0 or another family")]
    SingleAddress,
    /// The range runs past the last index.
    #[error("the range runs past the last index, 2147483647; use a lower start or a smaller count")]
    RangeEnd,
    /// More wallets at once than [`MAX_CHUNK`].
    #[error("{count} wallets are too many for one chunk; ask for at most 1024 at a time")]
    ChunkTooLarge {
        /// How many were asked for.
        count: u32,
    },
    /// Without a path, a seed gives a key only if it has 32 bytes.
    #[error("the seed has {found} bytes and a key without a path needs 32; use a longer seed")]
    SeedTooShort {
        /// How many bytes the seed has.
        found: usize,
    },
    /// The path has a step that is not hardened, which ed25519 cannot take.
    #[error(
        "step {step} of the path is not hardened, which ed25519 cannot derive; write ' after every number (only m/501'/i'/0/0 is excepted)"
    )]
    NotHardened {
        /// Which step, counted from 1.
        step: usize,
    },
    /// The family belongs to the other chain.
    #[error("the path family {family} belongs to another chain; use a family of this one")]
    OtherChain {
        /// The family asked for.
        family: PathFamily,
    },
    /// The BIP-32 tree has no key there, which happens once in 2^127 times.
    #[error("there is no key at this index; use the next one")]
    NoKey,
}

impl From<bip32::NoKey> for DeriveError {
    fn from(_: bip32::NoKey) -> Self {
        Self::NoKey
    }
}

/// A wallet with its place in the family.
pub struct DerivedKey {
    /// Its index in the family.
    pub index: ChildIndex,
    /// Its path, like `m/44'/501'/0'/0'`; empty for [`PathFamily::Raw`].
    pub path: String,
    /// Its address.
    pub address: Address,
    /// Its secret key.
    pub secret: SecretKey,
}

impl fmt::Debug for DerivedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DerivedKey")
            .field("index", &self.index)
            .field("path", &self.path)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Derives the wallets of one of Solana's path families from one seed.
///
/// ```
/// use keyward_core::derive::SolanaDeriver;
/// use keyward_core::mnemonic::Mnemonic;
/// use keyward_core::path::{ChildIndex, PathFamily};
///
/// let words = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
/// let seed = Mnemonic::parse(words)?.to_seed("");
/// let deriver = SolanaDeriver::new(&seed, PathFamily::Bip44Change)?;
/// let wallet = deriver.derive(ChildIndex::ZERO)?;
/// assert_eq!(wallet.address.to_string(), "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SolanaDeriver {
    family: PathFamily,
    root: Root,
}

/// What all wallets of a family share.
enum Root {
    /// The node above the index.
    Slip10(Box<slip10::Parent>),
    /// The node above the index, in the secp256k1 tree.
    Bip32(bip32::ExtendedKey),
    /// The family's only key.
    Single(SecretKey),
}

impl fmt::Debug for SolanaDeriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SolanaDeriver")
            .field("family", &self.family)
            .finish_non_exhaustive()
    }
}

impl SolanaDeriver {
    /// Derives what the family's wallets share, once.
    ///
    /// # Errors
    /// [`DeriveError::SeedTooShort`] for [`PathFamily::Raw`] with a seed under 32 bytes;
    /// [`DeriveError::OtherChain`] for a family that is not Solana's; [`DeriveError::NoKey`].
    pub fn new(seed: &Seed, family: PathFamily) -> Result<Self, DeriveError> {
        let solana = || slip10::ExtendedKey::from_seed(seed).child(PURPOSE).child(SOLANA);
        let root = match family {
            PathFamily::Bip44Change | PathFamily::Bip44 => {
                Root::Slip10(Box::new(slip10::Parent::new(solana())))
            }
            PathFamily::Bip44Root => Root::Single(SecretKey::from_seed(solana().expose_secret())),
            PathFamily::Sollet => {
                Root::Bip32(bip32::ExtendedKey::from_seed(seed)?.child(PathComponent::Hardened(SOLANA))?)
            }
            PathFamily::Raw => Root::Single(raw_key(seed)?),
            PathFamily::EvmBip44 | PathFamily::EvmLedgerLive | PathFamily::EvmLegacy => {
                return Err(DeriveError::OtherChain { family });
            }
        };
        Ok(Self { family, root })
    }

    /// The family whose wallets this derives.
    #[must_use]
    pub const fn family(&self) -> PathFamily {
        self.family
    }

    /// The wallet at `index`.
    ///
    /// # Errors
    /// [`DeriveError::SingleAddress`] beyond index 0 of a family with one address;
    /// [`DeriveError::NoKey`].
    pub fn derive(&self, index: ChildIndex) -> Result<DerivedKey, DeriveError> {
        let seed = self.key_seed(index)?;
        let address = Address::new(public_point(&seed).compress().to_bytes());
        Ok(self.derived(index, &seed, address))
    }

    /// The `count` wallets from index `start` on, in order. At most [`MAX_CHUNK`].
    ///
    /// # Errors
    /// [`DeriveError::ChunkTooLarge`], [`DeriveError::RangeEnd`], [`DeriveError::SingleAddress`] if a
    /// family with one address is asked for another, or [`DeriveError::NoKey`].
    pub fn derive_chunk(&self, start: u32, count: u32) -> Result<Vec<DerivedKey>, DeriveError> {
        self.chunk(start, count, |seeds| {
            Zeroizing::new(seeds.iter().map(|(_, seed)| public_point(seed)).collect())
        })
    }

    /// As [`SolanaDeriver::derive_chunk`], in half the time.
    ///
    /// # Errors
    /// As for [`SolanaDeriver::derive_chunk`].
    ///
    /// # Security
    /// `blinding` must be random and new for each call.
    pub fn derive_chunk_with(
        &self,
        table: &BatchTable,
        blinding: &Blinding,
        start: u32,
        count: u32,
    ) -> Result<Vec<DerivedKey>, DeriveError> {
        self.chunk(start, count, |seeds| {
            let hashed: Vec<_> = seeds.iter().map(|(_, seed)| secret_scalar(seed)).collect();
            table.public_points(&hashed, blinding)
        })
    }

    fn chunk(
        &self,
        start: u32,
        count: u32,
        points: impl FnOnce(&[(ChildIndex, Zeroizing<[u8; 32]>)]) -> Zeroizing<Vec<EdwardsPoint>>,
    ) -> Result<Vec<DerivedKey>, DeriveError> {
        if count > MAX_CHUNK {
            return Err(DeriveError::ChunkTooLarge { count });
        }
        let end = start.checked_add(count).ok_or(DeriveError::RangeEnd)?;
        if end > ChildIndex::MAX.get() + 1 {
            return Err(DeriveError::RangeEnd);
        }
        let mut seeds = Vec::with_capacity(count as usize); // at most 1024
        for number in start..end {
            let index = ChildIndex::new(number).map_err(|_| DeriveError::RangeEnd)?;
            let seed = self.key_seed(index)?;
            seeds.push((index, seed));
        }
        // Wiped: an uncompressed point still tells about the multiplication that made it.
        let points = points(&seeds);
        // Compressing nothing is not defined for a shared inversion.
        if points.is_empty() {
            return Ok(Vec::new());
        }
        Ok(EdwardsPoint::compress_batch_alloc(&points)
            .into_iter()
            .zip(&seeds)
            .map(|(point, (index, seed))| self.derived(*index, seed, Address::new(point.to_bytes())))
            .collect())
    }

    /// The ed25519 seed of the wallet at `index`.
    fn key_seed(&self, index: ChildIndex) -> Result<Zeroizing<[u8; 32]>, DeriveError> {
        if self.family.is_single() && index != ChildIndex::ZERO {
            return Err(DeriveError::SingleAddress);
        }
        Ok(match &self.root {
            Root::Slip10(parent) => {
                let account = parent.child(index);
                Zeroizing::new(match self.family {
                    PathFamily::Bip44Change => *account.child(ChildIndex::ZERO).expose_secret(),
                    _ => *account.expose_secret(),
                })
            }
            Root::Bip32(parent) => sollet_seed(parent, index)?,
            Root::Single(key) => Zeroizing::new(*key.expose_seed()),
        })
    }

    fn derived(&self, index: ChildIndex, seed: &[u8; 32], address: Address) -> DerivedKey {
        DerivedKey {
            index,
            path: path_text(self.family, index),
            address,
            secret: SecretKey::from_parts(seed, address),
        }
    }
}

/// The key at any path: by SLIP-0010 where every step is hardened, by BIP-32 for Sollet's
/// `m/501'/{i}'/0/0`.
///
/// # Errors
/// [`DeriveError::NotHardened`] for any other path with a step that is not hardened;
/// [`DeriveError::NoKey`].
pub fn derive_path(seed: &Seed, path: &DerivationPath) -> Result<SecretKey, DeriveError> {
    use PathComponent::{Hardened, Normal};
    if let [
        Hardened(SOLANA),
        Hardened(index),
        Normal(ChildIndex::ZERO),
        Normal(ChildIndex::ZERO),
    ] = path.components()
    {
        let parent = bip32::ExtendedKey::from_seed(seed)?.child(Hardened(SOLANA))?;
        return Ok(SecretKey::from_seed(&*sollet_seed(&parent, *index)?));
    }
    let mut node = slip10::ExtendedKey::from_seed(seed);
    for (before, component) in path.components().iter().enumerate() {
        match component {
            Hardened(index) => node = node.child(*index),
            Normal(_) => return Err(DeriveError::NotHardened { step: before + 1 }),
        }
    }
    Ok(SecretKey::from_seed(node.expose_secret()))
}

/// The BIP-32 key at `{i}'/0/0` below `m/501'`, which Sollet took for an ed25519 seed.
fn sollet_seed(parent: &bip32::ExtendedKey, index: ChildIndex) -> Result<Zeroizing<[u8; 32]>, DeriveError> {
    const FIRST: PathComponent = PathComponent::Normal(ChildIndex::ZERO);
    let node = parent
        .child(PathComponent::Hardened(index))?
        .child(FIRST)?
        .child(FIRST)?;
    Ok(Zeroizing::new(*node.expose_secret()))
}

fn raw_key(seed: &Seed) -> Result<SecretKey, DeriveError> {
    let bytes = seed.expose_bytes();
    let key = bytes
        .first_chunk::<32>()
        .ok_or(DeriveError::SeedTooShort { found: bytes.len() })?;
    Ok(SecretKey::from_seed(key))
}

fn path_text(family: PathFamily, index: ChildIndex) -> String {
    match family {
        // The two that are derived by the thousand, without a parsed path in between.
        PathFamily::Bip44Change => format!("m/44'/501'/{index}'/0'"),
        PathFamily::Bip44 => format!("m/44'/501'/{index}'"),
        _ => family
            .path(index)
            .map(|path| path.to_string())
            .unwrap_or_default(),
    }
}

/// A constant index.
const fn index(number: u32) -> ChildIndex {
    match ChildIndex::new(number) {
        Ok(index) => index,
        Err(_) => ChildIndex::MAX,
    }
}

#[cfg(test)]
mod tests;
