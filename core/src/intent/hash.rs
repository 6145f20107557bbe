//! The hash by which an intent is audited and approved.

use alloc::vec::Vec;
use core::fmt;

use sha2::{Digest, Sha256};

use super::Intent;
use crate::account::AccountAddress;
use crate::address::Address;
use crate::vault::VaultId;

const DOMAIN: &[u8] = b"keyward/intent/v1";

/// Hash of what is to be signed, and under which circumstances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntentHash([u8; 32]);

impl IntentHash {
    /// Wraps the bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for IntentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::encode(self.0))
    }
}

/// SHA-256 over the domain, the vault, the wallet (32 bytes of Solana, 20 of an EVM chain), the network, the
/// policy's version and the SHA-256 of the exact bytes. Each part is preceded by its length as eight big-endian bytes, so that no two
/// circumstances share a hash.
///
/// It does not cover what lookup tables hold: for a resolved message take [`Intent::hash`].
#[must_use]
pub fn intent_hash(
    vault: &VaultId,
    wallet: impl Into<AccountAddress>,
    network: &str,
    policy_version: u32,
    message_sha256: &[u8; 32],
) -> IntentHash {
    let version = policy_version.to_be_bytes();
    let wallet: AccountAddress = wallet.into();
    over(&[
        DOMAIN,
        vault.as_bytes(),
        match &wallet {
            AccountAddress::Solana(wallet) => wallet.as_bytes(),
            AccountAddress::Evm(wallet) => wallet.as_bytes(),
        },
        network.as_bytes(),
        &version,
        message_sha256,
    ])
}

impl Intent {
    /// The hash of this intent: as [`intent_hash`], and over what its lookup tables were said to hold if
    /// it relies on any (for each account the table, the place, the account and whether it is writable).
    #[must_use]
    pub fn hash(&self, vault: &VaultId, wallet: &Address, network: &str, policy_version: u32) -> IntentHash {
        if self.lookups.is_empty() {
            return intent_hash(vault, wallet, network, policy_version, &self.message_sha256);
        }
        let mut lookups = Vec::with_capacity(self.lookups.len() * 66);
        for own in &self.lookups {
            lookups.extend_from_slice(own.table.as_bytes());
            lookups.push(own.index);
            lookups.extend_from_slice(own.address.as_bytes());
            lookups.push(u8::from(own.is_writable));
        }
        let version = policy_version.to_be_bytes();
        over(&[
            DOMAIN,
            vault.as_bytes(),
            wallet.as_bytes(),
            network.as_bytes(),
            &version,
            &self.message_sha256,
            &lookups,
        ])
    }
}

fn over(parts: &[&[u8]]) -> IntentHash {
    let mut hasher = Sha256::new();
    for part in parts {
        let len = u64::try_from(part.len()).unwrap_or(u64::MAX);
        hasher.update(len.to_be_bytes());
        hasher.update(part);
    }
    IntentHash(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::evm::EvmAddress;

    #[test]
    fn every_part_counts() {
        let (vault, wallet) = (VaultId::from_bytes([1; 16]), Address::new([2; 32]));
        let base = intent_hash(&vault, wallet, "net", 1, &[3; 32]);
        let others = [
            intent_hash(&VaultId::from_bytes([9; 16]), wallet, "net", 1, &[3; 32]),
            intent_hash(&vault, Address::new([9; 32]), "net", 1, &[3; 32]),
            intent_hash(&vault, wallet, "nett", 1, &[3; 32]),
            intent_hash(&vault, wallet, "", 1, &[3; 32]),
            intent_hash(&vault, wallet, "net", 2, &[3; 32]),
            intent_hash(&vault, wallet, "net", 1, &[4; 32]),
            intent_hash(&vault, EvmAddress::new([2; 20]), "net", 1, &[3; 32]),
        ];
        assert!(others.iter().all(|other| *other != base));
        // Pinned: stored approvals and audit entries depend on it.
        insta::assert_snapshot!(base.to_string(), @"aaeb2e8e33e08490cad9ddb4b19a0a63c1d9095c259da25f5b41115e97dca2ea");
    }
}
