//! Keys that come from elsewhere: one, or a file full of them, stored all together or not at all.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use keyward_core::account::AccountAddress;
use keyward_core::audit::{Operation, Outcome};
use keyward_core::key::WalletKey;
use keyward_core::vault::{
    KdfParams, NewWalletPassword, RecordContext, RecordId, RecordKind, RecordPublicKey, WalletPassword,
    seal_protected_record, seal_record,
};

use super::derive::stored_public_key;
use super::{check_label, check_tags};
use crate::audit::ledger::Draft;
use crate::error::CustodyError;
use crate::password::Password;
use crate::store::{Ask, NewWallet, Write, transact};
use crate::vault::{Custody, Session, blocking, random};

/// The most keys of one import.
pub const MAX_IMPORT: usize = 10_000;

/// The most keys of one import that get a password of their own: each takes as long as unlocking does.
const MAX_PROTECTED_IMPORT: usize = 100;

/// A key to keep. Holds secrets: wiped when dropped, never printed.
pub struct KeyImport {
    /// The key.
    pub key: WalletKey,
    /// The wallet's label, empty for none.
    pub label: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// A password of its own, to sign with it; judged for strength.
    pub password: Option<Password>,
}

impl fmt::Debug for KeyImport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyImport")
            .field("address", &self.key.address())
            .finish_non_exhaustive()
    }
}

/// What an import came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// The new wallets, in the order given.
    pub added: Vec<AccountAddress>,
    /// Keys that were there already, or came twice: nothing of theirs was changed.
    pub known: Vec<AccountAddress>,
}

impl Custody {
    /// Keeps one key.
    ///
    /// # Errors
    /// As for [`Self::import_keys`].
    pub async fn import_key(
        &self,
        key: WalletKey,
        label: &str,
        tags: &[String],
        password: Option<Password>,
    ) -> Result<ImportReport, CustodyError> {
        let import = KeyImport {
            key,
            label: label.to_owned(),
            tags: tags.to_vec(),
            password,
        };
        self.import_keys(vec![import]).await
    }

    /// Keeps many keys in one database transaction, with an audit entry for each new one up to a hundred, and one for
    /// all beyond that.
    ///
    /// # Errors
    /// [`CustodyError::Locked`], [`CustodyError::Invalid`] for a bad label or tag or over [`MAX_IMPORT`] keys,
    /// [`CustodyError::WeakPassword`], or the store's. Nothing is kept then.
    pub async fn import_keys(&self, keys: Vec<KeyImport>) -> Result<ImportReport, CustodyError> {
        let session = self.current_session().await?;
        if keys.is_empty() || keys.len() > MAX_IMPORT {
            return Err(CustodyError::invalid(
                "keys",
                format!("1 to {MAX_IMPORT} at a time"),
            ));
        }
        let mut labels = Vec::with_capacity(keys.len());
        for import in &keys {
            if let Some(password) = &import.password {
                password.check_strength()?;
            }
            let tags = if import.tags.is_empty() {
                Vec::new()
            } else {
                check_tags(&import.tags)?
            };
            labels.push((check_label(&import.label)?.to_owned(), tags));
        }
        if keys.iter().filter(|import| import.password.is_some()).count() > MAX_PROTECTED_IMPORT {
            return Err(CustodyError::invalid(
                "keys",
                format!("at most {MAX_PROTECTED_IMPORT} with a password of their own at a time"),
            ));
        }
        let addresses: Vec<AccountAddress> = keys.iter().map(|import| import.key.address()).collect();
        let kdf = session.kdf();
        let sealed = {
            let session = Arc::clone(&session);
            blocking(move || {
                keys.iter()
                    .map(|import| seal(&session, import, kdf))
                    .collect::<Result<Vec<_>, _>>()
            })
            .await??
        };
        let ask = Ask {
            known: addresses,
            unsigned_tail: true,
            ..Ask::default()
        };
        let (report, _) = transact(self.store(), ask, |ledger, facts| {
            if !session.is_open() {
                return Err(CustodyError::Locked);
            }
            let mut seen: BTreeSet<AccountAddress> = facts.known.into_iter().collect();
            let (mut report, mut rows, mut tagged) = (ImportReport::default(), Vec::new(), Vec::new());
            for (mut row, (label, tags)) in sealed.into_iter().zip(labels) {
                let address = row.address;
                if !seen.insert(address) {
                    report.known.push(address);
                    continue;
                }
                row.label = label;
                tagged.extend(tags.into_iter().map(|tag| Write::TagAddress { address, tag }));
                report.added.push(address);
                rows.push(row);
            }
            let draft = |details: String| Draft::new(Operation::ImportKey, Outcome::Done).details(details);
            if report.added.len() <= MAX_PROTECTED_IMPORT {
                for row in &rows {
                    let own = if row.own_password {
                        ", with a password of its own"
                    } else {
                        ""
                    };
                    let draft = draft(format!("label {:?}{own}", row.label)).wallet(row.address);
                    ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
                }
            } else {
                let draft = draft(format!("{} keys", report.added.len()));
                ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            }
            if rows.is_empty() {
                return Ok((Vec::new(), report));
            }
            let mut writes = vec![Write::Wallets { from: None, rows }];
            writes.append(&mut tagged);
            Ok((writes, report))
        })
        .await?;
        Ok(report)
    }
}

fn seal(session: &Session, import: &KeyImport, kdf: KdfParams) -> Result<NewWallet, CustodyError> {
    let record: [u8; 16] = random()?;
    let public_key = RecordPublicKey::of(&import.key);
    let context = RecordContext {
        vault: session.vault(),
        record: RecordId::from_bytes(record),
        kind: RecordKind::of(&import.key),
        epoch: session.epoch(),
        public_key,
    };
    let password = import.password.as_ref();
    let sealed = seal_key(session, &context, &import.key, password, kdf)?;
    Ok(NewWallet {
        index: None,
        path: String::new(),
        address: import.key.address(),
        public_key: stored_public_key(&public_key),
        label: String::new(),
        own_password: password.is_some(),
        record,
        epoch: session.epoch(),
        sealed,
    })
}

/// A key's record, with a password of its own or without.
pub(crate) fn seal_key(
    session: &Session,
    context: &RecordContext,
    key: &WalletKey,
    password: Option<&Password>,
    kdf: KdfParams,
) -> Result<Vec<u8>, CustodyError> {
    let invalid = |error: keyward_core::vault::VaultError| CustodyError::invalid("key", error.to_string());
    let Some(password) = password else {
        return seal_record(session.expose_key(), context, key.expose_secret(), random()?).map_err(invalid);
    };
    let password = WalletPassword::new(password.expose_bytes()).map_err(invalid)?;
    let new = NewWalletPassword {
        password: &password,
        kdf,
        kdf_salt: random()?,
        inner_salt: random()?,
    };
    seal_protected_record(
        session.expose_key(),
        context,
        key.expose_secret(),
        random()?,
        &new,
    )
    .map_err(invalid)
}
