//! The keys that a rotation chooses among: derived and sealed before the transaction, since that takes long.

use std::fmt;

use keyward_core::account::AccountAddress;
use keyward_core::path::PathFamily;
use keyward_core::vault::{RecordContext, RecordId, RecordKind, RecordPublicKey};

use crate::error::CustodyError;
use crate::password::Password;
use crate::store::{MasterAsk, MasterRow, NewWallet};
use crate::vault::{Session, random};
use crate::wallets::derive::{Derived, Deriver, stored_public_key};
use crate::wallets::import::seal_key;
use crate::wallets::masters::open_master;

/// A phrase and a family of it, opened for deriving. Holds secrets: wiped when dropped, never printed.
pub(super) struct Line {
    pub(super) master: i64,
    pub(super) family: PathFamily,
    deriver: Deriver,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("master", &self.master)
            .field("family", &self.family)
            .finish_non_exhaustive()
    }
}

impl Line {
    /// # Errors
    /// [`CustodyError::Damaged`].
    pub(super) fn open(session: &Session, row: &MasterRow, wanted: MasterAsk) -> Result<Self, CustodyError> {
        let family = match wanted.family {
            Some(family) => family,
            None => PathFamily::from_id(&row.family)
                .map_err(|_| CustodyError::damaged("the path family is unknown"))?,
        };
        let deriver = Deriver::new(&open_master(session, row)?.to_seed(), family, 1)?;
        Ok(Self {
            master: row.id,
            family,
            deriver,
        })
    }

    fn derive(&self, first: u32, count: u32) -> Result<Vec<Derived>, CustodyError> {
        self.deriver.chunk(first, count)
    }
}

/// Keys for indices that follow each other, from the one that was free when they were made.
pub(super) struct Candidates {
    first: u32,
    keys: Vec<Candidate>,
}

struct Candidate {
    address: AccountAddress,
    /// None for one that is not to be taken, or not yet.
    row: Option<NewWallet>,
}

impl Candidates {
    /// Derives so many keys, and seals them unless a password is to protect them.
    pub(super) fn make(
        session: &Session,
        line: &Line,
        first: u32,
        count: u32,
        protected: bool,
    ) -> Result<Self, CustodyError> {
        let keys = line.derive(first, count)?.into_iter().map(|derived| {
            Ok(Candidate {
                address: derived.key.address(),
                row: if protected {
                    None
                } else {
                    Some(seal(session, derived, None)?)
                },
            })
        });
        Ok(Self {
            first,
            keys: keys.collect::<Result<_, CustodyError>>()?,
        })
    }

    /// Seals the first key that is no wallet yet, under a password of its own. As slow as unlocking.
    pub(super) fn sealed_first(
        mut self,
        session: &Session,
        line: &Line,
        known: &[AccountAddress],
        password: &Password,
    ) -> Result<Self, CustodyError> {
        let free = (self.first..).zip(&mut self.keys);
        let mut free = free.filter(|(_, key)| !known.contains(&key.address));
        if let Some((index, key)) = free.next()
            && let Some(derived) = line.derive(index, 1)?.into_iter().next()
        {
            key.row = Some(seal(session, derived, Some(password))?);
        }
        Ok(self)
    }

    pub(super) fn addresses(&self) -> Vec<AccountAddress> {
        self.keys.iter().map(|key| key.address).collect()
    }

    /// The key of the lowest index, from `next_index` on, that is no wallet yet; `None` where it was not made.
    pub(super) fn take(mut self, next_index: u32, known: &[AccountAddress]) -> Option<(u32, NewWallet)> {
        let mut at = next_index.checked_sub(self.first)?;
        loop {
            let key = self.keys.get_mut(usize::try_from(at).ok()?)?;
            if !known.contains(&key.address) {
                return Some((self.first.checked_add(at)?, key.row.take()?));
            }
            at += 1; // At most as many as were made.
        }
    }
}

fn seal(session: &Session, derived: Derived, password: Option<&Password>) -> Result<NewWallet, CustodyError> {
    let record: [u8; 16] = random()?;
    let public_key = RecordPublicKey::of(&derived.key);
    let context = RecordContext {
        vault: session.vault(),
        record: RecordId::from_bytes(record),
        kind: RecordKind::of(&derived.key),
        epoch: session.epoch(),
        public_key,
    };
    let sealed = seal_key(session, &context, &derived.key, password, session.kdf())?;
    Ok(NewWallet {
        index: Some(derived.index.get()),
        path: derived.path,
        address: derived.key.address(),
        public_key: stored_public_key(&public_key),
        label: String::new(),
        own_password: password.is_some(),
        record,
        epoch: session.epoch(),
        sealed,
    })
}
