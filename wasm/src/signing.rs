//! What a signer holds: its key, until it is freed or its vault is locked, and who says what it signs.

use std::cell::{Ref, RefCell};
use std::rc::{Rc, Weak};

use keyward_core::account::AccountAddress;
use keyward_core::address::Signature;
use keyward_core::ed25519::PreparedKey;
use keyward_core::key::WalletKey;
use keyward_core::policy::{ApprovedMessage, Request, SignError};
use keyward_core::secp256k1::{RecoverableSignature, SecretKey};

use crate::authority::Authority;
use crate::failure::{Failure, needs};

/// A key, made ready to sign.
enum Key {
    Solana(PreparedKey),
    Evm(SecretKey),
}

type Slot = RefCell<Option<Key>>;

/// By which a vault takes a signer's key back.
pub(crate) struct Recall(Weak<Slot>);

impl Recall {
    /// Whether the signer still exists.
    pub(crate) fn is_live(&self) -> bool {
        self.0.strong_count() > 0
    }

    /// Wipes the signer's key.
    pub(crate) fn wipe(&self) {
        if let Some(slot) = self.0.upgrade() {
            wipe(&slot);
        }
    }
}

/// What a signer is made of. Dropping it wipes the key.
pub(crate) struct Signing {
    slot: Rc<Slot>,
    pub(crate) address: AccountAddress,
    pub(crate) path: Option<String>,
    pub(crate) authority: Rc<Authority>,
}

impl Signing {
    pub(crate) fn new(
        key: WalletKey,
        path: Option<String>,
        authority: Rc<Authority>,
    ) -> Result<Self, Failure> {
        let address = key.address();
        let key = match key {
            WalletKey::Ed25519(key) => {
                Key::Solana(PreparedKey::new(&key).map_err(|_| SignError::Miscalculated)?)
            }
            WalletKey::Secp256k1(key) => {
                needs!("evm");
                Key::Evm(key)
            }
        };
        Ok(Self {
            slot: Rc::new(RefCell::new(Some(key))),
            address,
            path,
            authority,
        })
    }

    pub(crate) fn recall(&self) -> Recall {
        Recall(Rc::downgrade(&self.slot))
    }

    /// An EVM wallet's public key, compressed.
    pub(crate) fn evm_public_key(&self) -> Result<[u8; 33], Failure> {
        match &*self.key()? {
            Key::Evm(key) => Ok(*key.public_key().as_bytes()),
            Key::Solana(_) => Err(Failure::OtherChain),
        }
    }

    /// Signs `bytes` if they are what `request` asks for and the authority allows it.
    pub(crate) fn solana(&self, request: &Request<'_>, bytes: Vec<u8>) -> Result<Signature, Failure> {
        let key = self.key()?;
        let Key::Solana(key) = &*key else {
            return Err(Failure::OtherChain);
        };
        let approval = self.authority.approve(request)?;
        Ok(ApprovedMessage::new(approval, bytes)?.sign_prepared(key)?)
    }

    /// As [`Signing::solana`], of the payload that is hashed.
    pub(crate) fn evm(
        &self,
        request: &Request<'_>,
        payload: Vec<u8>,
    ) -> Result<RecoverableSignature, Failure> {
        let key = self.key()?;
        let Key::Evm(key) = &*key else {
            return Err(Failure::OtherChain);
        };
        let approval = self.authority.approve(request)?;
        Ok(ApprovedMessage::new(approval, payload)?.sign_evm(key)?)
    }

    fn key(&self) -> Result<Ref<'_, Key>, Failure> {
        Ref::filter_map(self.slot.borrow(), Option::as_ref).map_err(|_| Failure::Locked)
    }
}

impl Drop for Signing {
    fn drop(&mut self) {
        wipe(&self.slot);
    }
}

/// A signer that is at work cannot come here: there is one thread and no callback.
fn wipe(slot: &Slot) {
    if let Ok(mut key) = slot.try_borrow_mut() {
        *key = None;
    }
}
