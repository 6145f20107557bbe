//! From a decision to a signature: only what was judged is signed.
//!
//! `Decision::Allowed(Approval)` + the bytes → [`ApprovedMessage`] + the key → signature. Each step
//! consumes the one before, and none can be made by hand.

use alloc::string::String;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::signature::WalletSignature;
use super::window::Spend;
use crate::account::AccountAddress;
use crate::address::Signature;
use crate::ed25519;
use crate::evm::keccak256;
use crate::key::WalletKey;
use crate::secp256k1::{self, RecoverableSignature};

/// That the policy allows one wallet to sign one message, or its key to be exported. Only
/// [`super::evaluate`] makes one.
///
/// # Security
/// An approval must be made durable (reservation and audit) before it is used: it cannot do so itself.
#[derive(Debug)]
pub struct Approval {
    wallet: AccountAddress,
    purpose: Purpose,
    message_sha256: [u8; 32],
    policy_version: u32,
    rules: Vec<String>,
    spends: Vec<Spend>,
}

/// What an approval is for: one for the other is useless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Sign,
    Export,
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
        approved: AccountAddress,
        /// The key's address.
        key: AccountAddress,
    },
    /// The signature did not verify, so it is not handed out.
    #[error("the signature did not verify; this machine miscalculates, do not sign on it")]
    Miscalculated,
}

impl Approval {
    pub(super) const fn to_sign(
        wallet: AccountAddress,
        message_sha256: [u8; 32],
        policy_version: u32,
        rules: Vec<String>,
        spends: Vec<Spend>,
    ) -> Self {
        Self {
            wallet,
            purpose: Purpose::Sign,
            message_sha256,
            policy_version,
            rules,
            spends,
        }
    }

    pub(super) fn to_export(wallet: AccountAddress, policy_version: u32, rules: Vec<String>) -> Self {
        let subject = alloc::format!("keyward/export-key/v1 {wallet}");
        Self {
            wallet,
            purpose: Purpose::Export,
            message_sha256: Sha256::digest(subject).into(),
            policy_version,
            rules,
            spends: Vec::new(),
        }
    }

    /// The wallet that may sign, or whose key may leave.
    #[must_use]
    pub const fn wallet(&self) -> &AccountAddress {
        &self.wallet
    }

    /// SHA-256 of the exact bytes that may be signed: a Solana message, or an EVM payload before it is hashed.
    /// Of an export, SHA-256 of `keyward/export-key/v1 ` and the address.
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
    wallet: AccountAddress,
    bytes: Vec<u8>,
}

impl ApprovedMessage {
    /// Joins an approval with the bytes that it is for: a Solana message, or the payload of an EVM request
    /// ([`crate::evm::transaction::Transaction::encode_unsigned`],
    /// [`crate::evm::personal::signing_payload`],
    /// [`crate::evm::typed_data::TypedData::signing_payload`]).
    ///
    /// # Errors
    /// [`ApprovalMismatch`] when the bytes are others, or the approval is not for signing.
    pub fn new(approval: Approval, bytes: Vec<u8>) -> Result<Self, ApprovalMismatch> {
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        if approval.purpose != Purpose::Sign || digest != approval.message_sha256 {
            return Err(ApprovalMismatch);
        }
        Ok(Self {
            wallet: approval.wallet,
            bytes,
        })
    }

    /// Signs with a key that was made ready, whose own checks stand for the verification: for pages, where it would take
    /// three times as long as the signature (decision 0021).
    ///
    /// # Errors
    /// See [`SignError`].
    pub fn sign_prepared(self, key: &ed25519::PreparedKey) -> Result<Signature, SignError> {
        self.check_wallet(key.address().into())?;
        key.sign(&self.bytes).map_err(|_| SignError::Miscalculated)
    }

    /// Signs, and verifies the signature before handing it out. EVM payloads are hashed with Keccak-256 here,
    /// so that no hash from elsewhere is ever signed.
    ///
    /// # Errors
    /// See [`SignError`].
    pub fn sign(self, key: &WalletKey) -> Result<WalletSignature, SignError> {
        self.check_wallet(key.address())?;
        match key {
            WalletKey::Ed25519(key) => {
                let signature = key.sign(&self.bytes);
                ed25519::verify(&key.address(), &self.bytes, &signature)
                    .map_err(|_| SignError::Miscalculated)?;
                Ok(WalletSignature::Ed25519(signature))
            }
            WalletKey::Secp256k1(key) => self.sign_evm(key).map(WalletSignature::Secp256k1),
        }
    }

    /// As [`ApprovedMessage::sign`], with a key of the Ethereum family.
    ///
    /// # Errors
    /// See [`SignError`].
    pub fn sign_evm(self, key: &secp256k1::SecretKey) -> Result<RecoverableSignature, SignError> {
        self.check_wallet(key.address().into())?;
        let hash = keccak256(&self.bytes);
        let signature = key.sign_prehash(&hash).map_err(|_| SignError::Miscalculated)?;
        let signer = secp256k1::recover(&hash, &signature).map_err(|_| SignError::Miscalculated)?;
        if AccountAddress::Evm(signer.address()) == self.wallet {
            Ok(signature)
        } else {
            Err(SignError::Miscalculated)
        }
    }

    fn check_wallet(&self, key: AccountAddress) -> Result<(), SignError> {
        if key == self.wallet {
            return Ok(());
        }
        Err(SignError::WrongKey {
            approved: self.wallet,
            key,
        })
    }
}

/// That the policy allows one wallet's key to leave in plain text. It opens nothing by itself.
#[derive(Debug)]
pub struct ApprovedExport {
    wallet: AccountAddress,
}

impl ApprovedExport {
    /// Takes an approval of [`super::Request::ExportKey`].
    ///
    /// # Errors
    /// [`ApprovalMismatch`] when it is for something else.
    pub fn new(approval: &Approval) -> Result<Self, ApprovalMismatch> {
        match approval.purpose {
            Purpose::Export => Ok(Self {
                wallet: approval.wallet,
            }),
            Purpose::Sign => Err(ApprovalMismatch),
        }
    }

    /// The wallet whose key may leave.
    #[must_use]
    pub const fn wallet(&self) -> &AccountAddress {
        &self.wallet
    }
}
