//! Extended keys with their place in the tree, and their texts: `xprv…` and `xpub…`.
//!
//! Reads and writes the main network's versions only; a text of the test network is refused by name. Public
//! derivation is here as well. Not on the way of deriving wallets, which needs no fingerprints.
//!
//! Specification: BIP-32, "Serialization format" and "Public parent key to public child key".

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use k256::elliptic_curve::sec1::{FromSec1Point, ToSec1Point};
use k256::{AffinePoint, ProjectivePoint, Sec1Point};
use ripemd::Ripemd160;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{ExtendedKey, NoKey, public_bytes, to_private, to_scalar};
use crate::mnemonic::Seed;
use crate::path::{ChildIndex, PathComponent};
use crate::slip10::{halves, hmac_sha512, keyed};

/// Version bytes of the main network.
const PRIVATE: [u8; 4] = 0x0488_ade4_u32.to_be_bytes();
const PUBLIC: [u8; 4] = 0x0488_b21e_u32.to_be_bytes();
/// Version bytes of the test network.
const TEST_PRIVATE: [u8; 4] = 0x0435_8394_u32.to_be_bytes();
const TEST_PUBLIC: [u8; 4] = 0x0435_87cf_u32.to_be_bytes();
/// Version, depth, fingerprint, child number, chain code, key.
const LEN: usize = 4 + 1 + 4 + 4 + 32 + 33;
/// Bytes of the checksum after it.
const CHECKSUM: usize = 4;
/// The longest text read; every valid one has 111 characters.
const MAX_TEXT: usize = 128;

/// Why a text is no extended key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExtendedKeyError {
    /// It is not base58 of the right length.
    #[error("an extended key is 111 characters of base58; copy the whole text")]
    Shape,
    /// Its checksum does not fit.
    #[error("the extended key's checksum does not fit, so it was mistyped; copy it again")]
    Checksum,
    /// It belongs to the test network.
    #[error("this extended key is of Bitcoin's test network; use one that begins with xprv or xpub")]
    TestNetwork,
    /// Its version is neither of the two known.
    #[error("the extended key has an unknown version; use one that begins with xprv or xpub")]
    Version,
    /// A private key was asked for and this is a public one, or the other way round.
    #[error(
        "this is the other kind of extended key; xprv texts hold private keys and xpub texts public ones"
    )]
    Kind,
    /// A private text's key does not begin with 0, or a public one's not with 2 or 3.
    #[error("the extended key's kind and its content do not agree; copy it again")]
    Prefix,
    /// The depth is 0 and yet there is a parent or a child number.
    #[error("the extended key claims to be a root and to have a parent; copy it again")]
    Root,
    /// The private key is 0 or too large, or the public one is no point of the curve.
    #[error("the extended key holds no key; copy it again")]
    Key,
}

/// Why there is no child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChildError {
    /// The index has no key.
    #[error(transparent)]
    NoKey(#[from] NoKey),
    /// The node is as deep as the format can say, 255.
    #[error("the path is longer than 255 steps; use a shorter one")]
    TooDeep,
    /// A public key has no hardened children.
    #[error("a public key has no hardened children; derive them from the private key")]
    Hardened,
}

/// Where a node is in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Steps from the root.
    pub depth: u8,
    /// The first four bytes of the parent key's identifier; zeros at the root.
    pub parent_fingerprint: [u8; 4],
    /// Which child of its parent; 0 at the root.
    pub child: PathComponent,
}

impl Place {
    const ROOT: Self = Self {
        depth: 0,
        parent_fingerprint: [0; 4],
        child: PathComponent::Normal(ChildIndex::ZERO),
    };

    fn below(self, fingerprint: [u8; 4], child: PathComponent) -> Result<Self, ChildError> {
        Ok(Self {
            depth: self.depth.checked_add(1).ok_or(ChildError::TooDeep)?,
            parent_fingerprint: fingerprint,
            child,
        })
    }
}

/// A private key with its place in the tree.
pub struct PrivateNode {
    place: Place,
    key: ExtendedKey,
}

impl fmt::Debug for PrivateNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateNode")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl PrivateNode {
    /// The root of the tree that grows from `seed`.
    ///
    /// # Errors
    /// [`NoKey`] if the seed is one of the few that have none.
    pub fn from_seed(seed: &Seed) -> Result<Self, NoKey> {
        Ok(Self {
            place: Place::ROOT,
            key: ExtendedKey::from_seed(seed)?,
        })
    }

    /// Reads an `xprv…` text.
    ///
    /// # Errors
    /// [`ExtendedKeyError`].
    pub fn parse(text: &str) -> Result<Self, ExtendedKeyError> {
        let read = read(text, PRIVATE)?;
        let ([0], secret) = read.key.split_first_chunk().ok_or(ExtendedKeyError::Shape)? else {
            return Err(ExtendedKeyError::Prefix);
        };
        let secret: &[u8; 32] = secret.try_into().map_err(|_| ExtendedKeyError::Shape)?;
        to_private(secret).map_err(|_| ExtendedKeyError::Key)?;
        Ok(Self {
            place: read.place,
            key: ExtendedKey {
                secret: Zeroizing::new(*secret),
                chain_code: read.chain_code,
            },
        })
    }

    /// The child at `component`, hardened or not.
    ///
    /// # Errors
    /// [`ChildError::NoKey`] or [`ChildError::TooDeep`].
    pub fn child(&self, component: PathComponent) -> Result<Self, ChildError> {
        Ok(Self {
            place: self.place.below(fingerprint(&self.public_bytes()?), component)?,
            key: self.key.child(component)?,
        })
    }

    /// The public half, which has all children that are not hardened.
    ///
    /// # Errors
    /// [`NoKey`] never for a node that this module made.
    pub fn to_public(&self) -> Result<PublicNode, NoKey> {
        Ok(PublicNode {
            place: self.place,
            key: self.public_bytes()?,
            chain_code: *self.key.expose_chain_code(),
        })
    }

    /// Where the node is.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.place
    }

    /// The key itself.
    #[must_use]
    pub const fn key(&self) -> &ExtendedKey {
        &self.key
    }

    /// The `xprv…` text, 111 characters: whoever has it has every key below this node.
    #[must_use]
    pub fn expose_text(&self) -> Zeroizing<String> {
        let mut key = Zeroizing::new([0; 33]);
        for (to, from) in key.iter_mut().skip(1).zip(self.key.expose_secret()) {
            *to = *from;
        }
        write(PRIVATE, self.place, self.key.expose_chain_code(), &key)
    }

    fn public_bytes(&self) -> Result<[u8; 33], NoKey> {
        Ok(public_bytes(&*to_private(self.key.expose_secret())?))
    }
}

/// A public key with its place in the tree.
///
/// # Security
/// Together with any one private key among its children that are not hardened, it gives away its own private key
/// (BIP-32, "Implications").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicNode {
    place: Place,
    key: [u8; 33],
    chain_code: [u8; 32],
}

impl PublicNode {
    /// Reads an `xpub…` text.
    ///
    /// # Errors
    /// [`ExtendedKeyError`].
    pub fn parse(text: &str) -> Result<Self, ExtendedKeyError> {
        let read = read(text, PUBLIC)?;
        if !matches!(*read.key, [2 | 3, ..]) {
            return Err(ExtendedKeyError::Prefix);
        }
        point(&read.key).ok_or(ExtendedKeyError::Key)?;
        Ok(Self {
            place: read.place,
            key: *read.key,
            chain_code: *read.chain_code,
        })
    }

    /// The child at `component`.
    ///
    /// # Errors
    /// [`ChildError`]; [`ChildError::Hardened`] for every hardened one.
    pub fn child(&self, component: PathComponent) -> Result<Self, ChildError> {
        let PathComponent::Normal(_) = component else {
            return Err(ChildError::Hardened);
        };
        let index = component.to_bits().to_be_bytes();
        let node = hmac_sha512(keyed(&self.chain_code), &[&self.key, &index]);
        let (tweak, chain_code) = halves(&node);
        let tweak = to_scalar(tweak)?;
        let parent = point(&self.key).ok_or(NoKey)?;
        let sum = ProjectivePoint::mul_by_generator(&tweak) + parent;
        if sum == ProjectivePoint::IDENTITY {
            return Err(NoKey.into());
        }
        let mut key = [0; 33];
        for (to, from) in key.iter_mut().zip(sum.to_affine().to_sec1_point(true).as_bytes()) {
            *to = *from;
        }
        Ok(Self {
            place: self.place.below(fingerprint(&self.key), component)?,
            key,
            chain_code: *chain_code,
        })
    }

    /// Where the node is.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.place
    }

    /// The compressed public key.
    #[must_use]
    pub const fn public_key(&self) -> &[u8; 33] {
        &self.key
    }
}

impl fmt::Display for PublicNode {
    /// The `xpub…` text, 111 characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&write(PUBLIC, self.place, &self.chain_code, &self.key))
    }
}

/// What a text holds.
struct Read {
    place: Place,
    chain_code: Zeroizing<[u8; 32]>,
    key: Zeroizing<[u8; 33]>,
}

fn read(text: &str, wanted: [u8; 4]) -> Result<Read, ExtendedKeyError> {
    use ExtendedKeyError::{Checksum, Kind, Root, Shape, TestNetwork, Version};
    if text.len() > MAX_TEXT {
        return Err(Shape);
    }
    let mut bytes = Zeroizing::new([0; LEN + CHECKSUM]);
    match bs58::decode(text).onto(&mut *bytes) {
        Ok(len) if len == LEN + CHECKSUM => {}
        _ => return Err(Shape),
    }
    let (payload, checksum) = bytes.split_last_chunk::<CHECKSUM>().ok_or(Shape)?;
    if *checksum != self::checksum(payload) {
        return Err(Checksum);
    }
    let (version, rest) = payload.split_first_chunk::<4>().ok_or(Shape)?;
    match *version {
        found if found == wanted => {}
        PRIVATE | PUBLIC => return Err(Kind),
        TEST_PRIVATE | TEST_PUBLIC => return Err(TestNetwork),
        _ => return Err(Version),
    }
    let ([depth], rest) = rest.split_first_chunk().ok_or(Shape)?;
    let (parent_fingerprint, rest) = rest.split_first_chunk::<4>().ok_or(Shape)?;
    let (child, rest) = rest.split_first_chunk::<4>().ok_or(Shape)?;
    let (chain_code, rest) = rest.split_first_chunk::<32>().ok_or(Shape)?;
    let key: &[u8; 33] = rest.try_into().map_err(|_| Shape)?;
    let place = Place {
        depth: *depth,
        parent_fingerprint: *parent_fingerprint,
        child: PathComponent::from_bits(u32::from_be_bytes(*child)),
    };
    if place.depth == 0 && place != Place::ROOT {
        return Err(Root);
    }
    Ok(Read {
        place,
        chain_code: Zeroizing::new(*chain_code),
        key: Zeroizing::new(*key),
    })
}

fn write(version: [u8; 4], place: Place, chain_code: &[u8; 32], key: &[u8; 33]) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LEN + CHECKSUM));
    bytes.extend_from_slice(&version);
    bytes.push(place.depth);
    bytes.extend_from_slice(&place.parent_fingerprint);
    bytes.extend_from_slice(&place.child.to_bits().to_be_bytes());
    bytes.extend_from_slice(chain_code);
    bytes.extend_from_slice(key);
    let checksum = checksum(&bytes);
    bytes.extend_from_slice(&checksum);
    Zeroizing::new(bs58::encode(&*bytes).into_string())
}

/// The first four bytes of the double SHA-256.
fn checksum(payload: &[u8]) -> [u8; CHECKSUM] {
    let hash: [u8; 32] = Sha256::digest(Sha256::digest(payload)).into();
    let [a, b, c, d, ..] = hash;
    [a, b, c, d]
}

/// The first four bytes of the key's identifier, RIPEMD-160 of SHA-256.
fn fingerprint(public: &[u8; 33]) -> [u8; 4] {
    let hash: [u8; 20] = Ripemd160::digest(Sha256::digest(public)).into();
    let [a, b, c, d, ..] = hash;
    [a, b, c, d]
}

fn point(bytes: &[u8; 33]) -> Option<AffinePoint> {
    let encoded = Sec1Point::from_bytes(bytes).ok()?;
    AffinePoint::from_sec1_point(&encoded).into_option()
}

#[cfg(test)]
mod tests;
