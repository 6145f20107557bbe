//! BIP-32 over secp256k1: private derivation here, public derivation and the `xprv…` and `xpub…` texts in
//! [`PrivateNode`] and [`PublicNode`].
//!
//! No signatures: those are [`crate::secp256k1`]'s.
//!
//! Specification: <https://github.com/bitcoin/bips/blob/master/bip-0032.mediawiki>.

mod serialized;

use core::fmt;

use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::sec1::ToSec1Point;
use k256::{ProjectivePoint, Scalar};
use zeroize::{Zeroize, Zeroizing};

use crate::mnemonic::Seed;
use crate::path::PathComponent;
use crate::slip10::{HmacSha512, halves, hmac_sha512, keyed};

pub use serialized::{ChildError, ExtendedKeyError, Place, PrivateNode, PublicNode};

/// An index or a seed that leads to no key. It happens once in 2^127 times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this index has no key in the BIP-32 tree; use the next one")]
pub struct NoKey;

/// A node of the tree: a private key and the chain code that its children depend on.
pub struct ExtendedKey {
    /// A number from 1 to n-1, big-endian.
    secret: Zeroizing<[u8; 32]>,
    chain_code: Zeroizing<[u8; 32]>,
}

impl ExtendedKey {
    /// The root of the tree that grows from `seed`.
    ///
    /// # Errors
    /// [`NoKey`] if the seed is one of the few that have none.
    pub fn from_seed(seed: &Seed) -> Result<Self, NoKey> {
        let node = hmac_sha512(keyed(b"Bitcoin seed"), &[seed.expose_bytes()]);
        let (secret, chain_code) = halves(&node);
        drop(to_private(secret)?);
        Ok(Self {
            secret: Zeroizing::new(*secret),
            chain_code: Zeroizing::new(*chain_code),
        })
    }

    /// The child at `component`, hardened or not.
    ///
    /// # Errors
    /// [`NoKey`] if the index is one of the few that have none.
    pub fn child(&self, component: PathComponent) -> Result<Self, NoKey> {
        let private = to_private(&self.secret)?;
        self.child_with(keyed(&*self.chain_code), || public_bytes(&private), component)
    }

    /// The child, with the HMAC ready for its data and the compressed public point to be had when it is needed.
    fn child_with(
        &self,
        keyed: HmacSha512,
        public: impl FnOnce() -> [u8; 33],
        component: PathComponent,
    ) -> Result<Self, NoKey> {
        let index = component.to_bits().to_be_bytes();
        let parent = to_private(&self.secret)?;
        let node = match component {
            PathComponent::Hardened(_) => hmac_sha512(keyed, &[&[0], &*self.secret, &index]),
            PathComponent::Normal(_) => hmac_sha512(keyed, &[&public(), &index]),
        };
        let (tweak, chain_code) = halves(&node);
        let sum = WipedScalar(to_scalar(tweak)?.0 + parent.0);
        if sum.0.is_zero().into() {
            return Err(NoKey);
        }
        Ok(Self {
            secret: Zeroizing::new(sum.0.to_bytes().into()),
            chain_code: Zeroizing::new(*chain_code),
        })
    }

    /// The private key, big-endian.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// The chain code. With it and the private key all children can be derived.
    #[must_use]
    pub fn expose_chain_code(&self) -> &[u8; 32] {
        &self.chain_code
    }
}

/// A parent of many children: its public point and its chain code's HMAC key schedule are computed once.
pub(crate) struct Parent {
    key: ExtendedKey,
    public: [u8; 33],
    /// Wiped on drop by `hmac`'s feature `zeroize`.
    schedule: HmacSha512,
}

impl Parent {
    pub(crate) fn new(key: ExtendedKey) -> Result<Self, NoKey> {
        let public = public_bytes(&*to_private(&key.secret)?);
        let schedule = keyed(&*key.chain_code);
        Ok(Self {
            key,
            public,
            schedule,
        })
    }

    pub(crate) fn child(&self, component: PathComponent) -> Result<ExtendedKey, NoKey> {
        self.key
            .child_with(self.schedule.clone(), || self.public, component)
    }
}

impl fmt::Debug for ExtendedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExtendedKey(<redacted>)")
    }
}

/// A scalar that is overwritten when it goes.
struct WipedScalar(Scalar);

impl core::ops::Deref for WipedScalar {
    type Target = Scalar;

    fn deref(&self) -> &Scalar {
        &self.0
    }
}

impl Drop for WipedScalar {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The compressed public point.
fn public_bytes(private: &Scalar) -> [u8; 33] {
    let point = ProjectivePoint::mul_by_generator(private).to_affine();
    let mut bytes = [0; 33];
    for (to, from) in bytes.iter_mut().zip(point.to_sec1_point(true).as_bytes()) {
        *to = *from;
    }
    bytes
}

/// The private key these bytes stand for: a number from 1 to n-1.
fn to_private(bytes: &[u8; 32]) -> Result<WipedScalar, NoKey> {
    to_scalar(bytes).and_then(|scalar| {
        if scalar.is_zero().into() {
            Err(NoKey)
        } else {
            Ok(scalar)
        }
    })
}

/// The number these bytes stand for, if it is below n.
fn to_scalar(bytes: &[u8; 32]) -> Result<WipedScalar, NoKey> {
    let scalar: Option<Scalar> = Scalar::from_repr((*bytes).into()).into();
    scalar.map(WipedScalar).ok_or(NoKey)
}

#[cfg(test)]
mod tests;
