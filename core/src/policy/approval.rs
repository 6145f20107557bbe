//! From a decision to a signature: only what was judged is signed.
//!
//! `Decision::Allowed(Approval)` + the bytes → [`ApprovedMessage`] + the key → signature. Each step
//! consumes the one before, and none can be made by hand.

use alloc::string::String;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::window::Spend;
use crate::address::{Address, Signature};
use crate::ed25519::{self, SecretKey};

/// That the policy allows one wallet to sign one message. Only [`super::evaluate`] makes one.
///
/// # Security
/// An approval must be made durable (reservation and audit) before it is used: it cannot do so itself.
#[derive(Debug)]
pub struct Approval {
    wallet: Address,
    message_sha256: [u8; 32],
    policy_version: u32,
    rules: Vec<String>,
    spends: Vec<Spend>,
}

/// The bytes are not those that were approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes differ from those that the policy approved; have them judged again")]
pub struct ApprovalMismatch;

/// Why an approved message was not signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The key belongs to another wallet.
    #[error("the approval is for wallet {approved} and the key belongs to {key}; open the right key")]
    WrongKey {
        /// The wallet approved.
        approved: Address,
        /// The key's address.
        key: Address,
    },
    /// The signature did not verify, so it is not handed out.
    #[error("the signature did not verify; this machine miscalculates, do not sign on it")]
    Miscalculated,
}

impl Approval {
    pub(super) fn new(
        wallet: Address,
        message_sha256: [u8; 32],
        policy_version: u32,
        rules: Vec<String>,
        spends: Vec<Spend>,
    ) -> Self {
        Self {
            wallet,
            message_sha256,
            policy_version,
            rules,
            spends,
        }
    }

    /// The wallet that may sign.
    #[must_use]
    pub const fn wallet(&self) -> &Address {
        &self.wallet
    }

    /// SHA-256 of the exact bytes that may be signed.
    #[must_use]
    pub const fn message_sha256(&self) -> &[u8; 32] {
        &self.message_sha256
    }

    /// The version of the policy that allowed it.
    #[must_use]
    pub const fn policy_version(&self) -> u32 {
        self.policy_version
    }

    /// Names of the rules that allowed it, each once.
    #[must_use]
    pub fn rules(&self) -> &[String] {
        &self.rules
    }

    /// What to reserve, each asset once; nothing for what moves nothing.
    #[must_use]
    pub fn spends(&self) -> &[Spend] {
        &self.spends
    }
}

/// Bytes that the policy approved for one wallet.
#[derive(Debug)]
pub struct ApprovedMessage {
    wallet: Address,
    bytes: Vec<u8>,
}

impl ApprovedMessage {
    /// Joins an approval with the bytes that it is for.
    ///
    /// # Errors
    /// [`ApprovalMismatch`] when the bytes are others.
    pub fn new(approval: Approval, bytes: Vec<u8>) -> Result<Self, ApprovalMismatch> {
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        if digest != approval.message_sha256 {
            return Err(ApprovalMismatch);
        }
        Ok(Self {
            wallet: approval.wallet,
            bytes,
        })
    }

    /// Signs, and verifies the signature before handing it out.
    ///
    /// # Errors
    /// See [`SignError`].
    pub fn sign(self, key: &SecretKey) -> Result<Signature, SignError> {
        let address = key.address();
        if address != self.wallet {
            return Err(SignError::WrongKey {
                approved: self.wallet,
                key: address,
            });
        }
        let signature = key.sign(&self.bytes);
        ed25519::verify(&self.wallet, &self.bytes, &signature).map_err(|_| SignError::Miscalculated)?;
        Ok(signature)
    }
}
