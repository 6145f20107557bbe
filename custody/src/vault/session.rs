//! An unlocked vault: its key, and what is derived from it for the time being.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use keyward_core::address::Signature;
use keyward_core::ed25519::{SecretKey, verify};
use keyward_core::policy::Policy;
use keyward_core::vault::{KdfParams, VaultHeader, VaultId, VaultKey};

use crate::audit::ledger::HeadSigner;
use crate::error::CustodyError;
use crate::memory::{LockedKey, Protection, clearing_stack};
use crate::store::{PolicyRow, VaultRow};

/// Label of the policy key's seed below the vault key, and domain of what it signs.
const POLICY_LABEL: &str = "policy";
const POLICY_DOMAIN: &[u8] = b"keyward/policy/v1\0";

/// The vault key and what hangs on it. Dropping the last share wipes it.
pub(crate) struct Session {
    vault: VaultId,
    epoch: u32,
    /// How passwords are stretched, as the header says that this key vouched for.
    kdf: KdfParams,
    key: VaultKey,
    signer: Arc<HeadSigner>,
    closed: AtomicBool,
    /// The policy in force when it was last read, its signature verified.
    policy: Mutex<Option<Arc<Policy>>>,
    /// The wallets whose keys were opened, in order.
    #[cfg(test)]
    pub(crate) opened: Mutex<Vec<keyward_core::account::AccountAddress>>,
}

impl Session {
    /// Takes the vault key over into memory protected at most as `best` says.
    pub(super) fn new(key: VaultKey, header: &VaultHeader, best: Protection) -> Self {
        clearing_stack(|| Self::relocating(key, header, best))
    }

    fn relocating(key: VaultKey, header: &VaultHeader, best: Protection) -> Self {
        let key = key.relocated(|bytes| Box::new(LockedKey::new(bytes, best)));
        Self {
            vault: header.vault_id(),
            epoch: header.epoch(),
            kdf: header
                .slots()
                .iter()
                .find_map(|slot| slot.kdf)
                .unwrap_or_default(),
            signer: Arc::new(HeadSigner::new(&key, header, best)),
            key,
            closed: AtomicBool::new(false),
            policy: Mutex::new(None),
            #[cfg(test)]
            opened: Mutex::default(),
        }
    }

    pub(crate) fn vault(&self) -> VaultId {
        self.vault
    }

    pub(crate) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// How passwords are stretched in this vault. Not the database's word: whoever writes there could make it cheap.
    pub(crate) fn kdf(&self) -> KdfParams {
        self.kdf
    }

    /// Whether the other is of the same vault key. Its own name and epoch prove nothing: anyone can write a header
    /// with these and a password of their own.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.vault == other.vault && self.signer.address() == other.signer.address()
    }

    pub(crate) fn expose_key(&self) -> &VaultKey {
        &self.key
    }

    pub(crate) fn signer(&self) -> &HeadSigner {
        &self.signer
    }

    pub(super) fn share_signer(&self) -> Arc<HeadSigner> {
        Arc::clone(&self.signer)
    }

    /// Tells whoever still holds this session that the vault was locked.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Whether the vault is still unlocked.
    pub(crate) fn is_open(&self) -> bool {
        !self.closed.load(Ordering::Acquire)
    }

    /// Whether this key is still the vault's.
    ///
    /// # Errors
    /// [`CustodyError::KeyRotated`]; the session is of no use any more then. [`CustodyError::Damaged`] where the
    /// header does not read: the key in force is not known then.
    pub(crate) fn expect_current(&self, vault: &VaultRow) -> Result<(), CustodyError> {
        if vault.read_header()?.epoch() > self.epoch {
            self.signer.retire();
            return Err(CustodyError::KeyRotated);
        }
        Ok(())
    }

    /// Whether this key is still the vault's, and signs its audit log.
    ///
    /// # Errors
    /// [`CustodyError::KeyRotated`], which comes first since the audit key changes with the vault key;
    /// [`CustodyError::AuditBroken`].
    pub(crate) fn expect_signing(&self, vault: &VaultRow) -> Result<(), CustodyError> {
        self.expect_current(vault)?;
        if self.signer.address().as_bytes() != &vault.audit_key {
            let reason = "the vault's audit key was changed".to_owned();
            return Err(CustodyError::AuditBroken { sequence: 0, reason });
        }
        Ok(())
    }

    pub(crate) fn cached_policy(&self) -> Option<Arc<Policy>> {
        self.policy.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn cache_policy(&self, policy: Option<Arc<Policy>>) {
        *self.policy.lock().unwrap_or_else(PoisonError::into_inner) = policy;
    }

    /// A policy as it is stored.
    pub(super) fn sign_policy(&self, policy: &Policy) -> Result<PolicyRow, CustodyError> {
        let body = policy
            .to_json()
            .map_err(|error| CustodyError::invalid("policy", error.to_string()))?;
        let message = self.policy_message(policy.version, &body);
        let signature = clearing_stack(|| self.policy_key().sign(&message));
        Ok(PolicyRow {
            version: policy.version,
            body,
            signature,
        })
    }

    /// A policy signed anew, its text untouched.
    pub(super) fn resign_policy(&self, row: &PolicyRow) -> Signature {
        self.policy_key()
            .sign(&self.policy_message(row.version, &row.body))
    }

    /// The policy of a stored row that this vault's key signed.
    pub(crate) fn verified_policy(&self, row: &PolicyRow) -> Result<Policy, CustodyError> {
        verify(
            &clearing_stack(|| self.policy_key().address()),
            &self.policy_message(row.version, &row.body),
            &row.signature,
        )
        .map_err(|_| CustodyError::damaged("the policy was changed: its signature does not verify"))?;
        read_policy(row)
    }

    fn policy_key(&self) -> SecretKey {
        SecretKey::from_seed(&self.key.derive_subkey(POLICY_LABEL))
    }

    /// Domain, vault (16 bytes), version (4, big-endian), then the body to the end.
    fn policy_message(&self, version: u32, body: &str) -> Vec<u8> {
        [
            POLICY_DOMAIN,
            self.vault.as_bytes(),
            &version.to_be_bytes(),
            body.as_bytes(),
        ]
        .concat()
    }
}

/// The policy of a stored row, not verified: all that a locked vault can show.
pub(crate) fn read_policy(row: &PolicyRow) -> Result<Policy, CustodyError> {
    let policy = Policy::from_json(&row.body)
        .map_err(|error| CustodyError::damaged(format!("the policy in force does not read: {error}")))?;
    if policy.version != row.version {
        return Err(CustodyError::damaged(
            "the policy in force has another version than its row",
        ));
    }
    Ok(policy)
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("vault", &self.vault)
            .finish_non_exhaustive()
    }
}
