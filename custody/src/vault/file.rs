//! The vault as one `.keyward` file, and back into an empty store.
//!
//! Records stay sealed on the way. When they were last used, the log and the transfers stay behind: they are this
//! store's history. Bringing a file into a vault that is there is refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use keyward_core::account::AccountAddress;
use keyward_core::address::Address;
use keyward_core::audit::{Operation, Outcome};
use keyward_core::path::{ChildIndex, DerivationPath, PathComponent, PathFamily};
use keyward_core::secp256k1::PublicKey;
use keyward_core::vault::{
    CreateVault, FileContents, FileMaster, FilePolicy, FileWallet, OpenError, RecordId, RecordPublicKey,
    SecondFactor, VaultFile, VaultHeader, VaultId, VaultKey, wallet_password_kdf,
};

use super::unlock::Credentials;
use super::{Custody, Session, VaultSummary, blocking, header_summary, random, read_policy};
use crate::audit::ledger::Draft;
use crate::error::CustodyError;
use crate::password::{MAX_PASSWORD_BYTES, Password};
use crate::store::{Ask, Everything, NewMaster, NewVaultRow, NewWallet, PolicyRow, Write, transact};
use crate::wallets::{MAX_PAGE, Wallet, WalletQuery};

impl Custody {
    /// The whole vault as one sealed file: phrases, keys, labels, tags, the policy in force. It opens with the vault's
    /// own password and second factor, or with `new` alone, and is then a vault of its own.
    ///
    /// # Errors
    /// As [`Self::unlock`]; [`CustodyError::WeakPassword`] for the new one; [`CustodyError::Damaged`] for a record that
    /// does not open; [`CustodyError::Busy`] if the vault was changed meanwhile.
    pub async fn export_vault_file(
        &self,
        password: &Password,
        factor: Option<&SecondFactor>,
        new: Option<&Password>,
    ) -> Result<Vec<u8>, CustodyError> {
        if let Some(new) = new {
            new.check_strength()?;
        }
        let credentials = Credentials::copy(password, factor)?;
        let (header, session) = self.try_owner(credentials, "when exporting the vault").await?;
        let ask = Ask {
            everything: true,
            ..Ask::default()
        };
        let facts = self.store().look(ask).await?;
        let found = facts.everything.ok_or(CustodyError::NotInitialised)?;
        let shown = self.every_wallet().await?;
        // Before anything is written: where the log cannot say so, no copy is made.
        let details = format!("{} wallets as a vault file", found.wallets.len());
        self.admit(
            &session,
            Draft::new(Operation::Backup, Outcome::Done).details(details),
            None,
        )
        .await?;
        let new = new.map(Password::copy);
        blocking(move || {
            let policy = found.policies.iter().max_by_key(|row| row.version);
            if let Some(row) = policy {
                session.verified_policy(row)?;
            }
            let contents = contents(&found, shown, policy, facts.now_ms)?;
            write(&header, session.expose_key(), contents, new.as_ref())
        })
        .await?
    }

    async fn every_wallet(&self) -> Result<BTreeMap<AccountAddress, Wallet>, CustodyError> {
        let mut shown = BTreeMap::new();
        let mut query = WalletQuery {
            limit: MAX_PAGE,
            ..WalletQuery::default()
        };
        loop {
            let page = self.wallets(&query).await?;
            let full = !page.rows.is_empty();
            shown.extend(page.rows.into_iter().map(|wallet| (wallet.address, wallet)));
            query.offset += u64::from(MAX_PAGE);
            if !full || query.offset >= page.total {
                return Ok(shown);
            }
        }
    }

    /// Makes a vault of a file in an empty store and leaves it unlocked. Its password, recovery key and vault key are
    /// the file's; its log begins anew.
    ///
    /// # Errors
    /// [`CustodyError::AlreadyInitialised`], [`CustodyError::Invalid`] for what is no vault file,
    /// [`CustodyError::WrongPassword`], [`CustodyError::SecondFactorMissing`], or the store's.
    pub async fn import_vault_file(
        &self,
        bytes: Vec<u8>,
        password: &Password,
        factor: Option<&SecondFactor>,
    ) -> Result<VaultSummary, CustodyError> {
        if self.store().overview().await?.is_some() {
            return Err(CustodyError::AlreadyInitialised);
        }
        VaultFile::inspect(&bytes).map_err(|error| CustodyError::invalid("vault file", error.to_string()))?;
        let credentials = Credentials::copy(password, factor)?;
        let best = self.key_protection();
        let (header, session, writes, wallets) = blocking(move || -> Result<_, CustodyError> {
            let typed = &credentials.password;
            let opened = if typed.len() > MAX_PASSWORD_BYTES {
                Err(OpenError::Refused)
            } else {
                VaultFile::open(&bytes, typed, credentials.second_factor.as_ref())
            };
            let file = opened.map_err(|error| match error {
                OpenError::SecondFactorMissing => CustodyError::SecondFactorMissing,
                _ => CustodyError::WrongPassword,
            })?;
            let session = Session::new(file.key, &file.header, best);
            let wallets = file.contents.wallets.len();
            let writes = rows(&file.header, &session, file.contents)?;
            Ok((file.header, session, writes, wallets))
        })
        .await??;
        let session = Arc::new(session);
        let ((now_ms, family), _) = transact(self.store(), Ask::default(), |ledger, facts| {
            if facts.vault.is_some() {
                return Err(CustodyError::AlreadyInitialised);
            }
            let draft = Draft::new(Operation::Restore, Outcome::Done)
                .details(format!("{wallets} wallets from a vault file"));
            ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            let (writes, family) = writes;
            Ok((writes, (facts.now_ms, family)))
        })
        .await?;
        if let Some(previous) = self.set_session(Some(session)) {
            previous.close();
        }
        header_summary(&header, now_ms, family.id(), wallets as u64) // usize has at most 64 bits
    }
}

/// What goes into the file.
fn contents(
    found: &Everything,
    mut shown: BTreeMap<AccountAddress, Wallet>,
    policy: Option<&PolicyRow>,
    now_ms: u64,
) -> Result<FileContents, CustodyError> {
    let mut contents = FileContents {
        created_at_ms: now_ms,
        policy: policy.map(|row| FilePolicy {
            json: row.body.clone(),
            signature: row.signature.as_bytes().to_vec(),
        }),
        ..FileContents::default()
    };
    let mut phrases = BTreeMap::new();
    for row in &found.masters {
        let record = RecordId::from_bytes(row.record);
        phrases.insert(row.id, record);
        contents.masters.push(FileMaster {
            record,
            created_at_ms: now_ms,
            label: row.label.clone(),
            family: row.family.clone(),
            sealed: row.sealed.clone(),
        });
    }
    for row in &found.wallets {
        // Added or taken away between two looks.
        let wallet = shown.remove(&row.address).ok_or(CustodyError::Busy)?;
        let path = Some(&wallet.path)
            .filter(|path| !path.is_empty())
            .map(|path| path.parse::<DerivationPath>())
            .transpose()
            .map_err(|_| CustodyError::damaged("wallets.path is not a path"))?;
        contents.wallets.push(FileWallet {
            record: RecordId::from_bytes(row.record),
            created_at_ms: wallet.created_ms,
            master: wallet
                .master
                .and_then(|master| phrases.get(&master.get()).copied()),
            path,
            family: wallet
                .family
                .filter(|_| wallet.master.is_some())
                .map_or_else(String::new, |family| family.id().to_owned()),
            public_key: row.public_key,
            label: wallet.label,
            tags: wallet.tags,
            sealed: row.sealed.clone(),
        });
    }
    Ok(contents)
}

fn write(
    header: &VaultHeader,
    key: &VaultKey,
    contents: FileContents,
    new: Option<&Password>,
) -> Result<Vec<u8>, CustodyError> {
    let bad = |error: keyward_core::vault::FileError| CustodyError::damaged(error.to_string());
    let Some(new) = new else {
        return VaultFile::seal(header, key, &contents, random()?).map_err(bad);
    };
    let (next, next_key) = VaultHeader::create(CreateVault {
        vault: VaultId::from_bytes(random()?),
        kdf: header
            .slots()
            .iter()
            .find_map(|slot| slot.kdf)
            .unwrap_or_default(),
        password: new.expose_bytes(),
        second_factor: None,
        key: random()?,
        slot_salt: random()?,
        wrap_salt: random()?,
    })
    .map_err(|error| CustodyError::invalid("vault file", error.to_string()))?;
    let contents = contents
        .resealed((header, key), (&next, &next_key), || {
            random().map_err(|_| OpenError::Refused)
        })
        .map_err(|_| CustodyError::damaged("a record does not open"))?;
    VaultFile::seal(&next, &next_key, &contents, random()?).map_err(bad)
}

/// What a file becomes in the store, and the first phrase's family.
fn rows(
    header: &VaultHeader,
    session: &Session,
    contents: FileContents,
) -> Result<(Vec<Write>, PathFamily), CustodyError> {
    let damaged = |what: &str| CustodyError::invalid("vault file", what.to_owned());
    let policy = contents.policy.ok_or_else(|| damaged("it holds no policy"))?;
    let version = keyward_core::policy::Policy::from_json(&policy.json)
        .map_err(|error| damaged(&format!("its policy does not read: {error}")))?
        .version;
    let mut row = PolicyRow {
        version,
        body: policy.json,
        signature: keyward_core::address::Signature::default(),
    };
    read_policy(&row)?;
    // The file's envelope vouches for it: only who knows its password could have written it.
    row.signature = session.resign_policy(&row);
    // Phrases are numbered from 1 on in an empty store, in the order they are written.
    let ids: BTreeMap<RecordId, i64> = contents
        .masters
        .iter()
        .map(|master| master.record)
        .zip(1..)
        .collect();
    let mut groups: BTreeMap<Option<(i64, &'static str)>, Vec<NewWallet>> = BTreeMap::new();
    let mut tags = Vec::new();
    for wallet in contents.wallets {
        let (address, public_key) = match wallet.public_key {
            RecordPublicKey::Ed25519(bytes) => (AccountAddress::from(Address::new(bytes)), None),
            RecordPublicKey::Secp256k1(bytes) => {
                let key = PublicKey::from_bytes(&bytes).map_err(|_| damaged("a public key is none"))?;
                (key.address().into(), Some(bytes))
            }
            RecordPublicKey::None => return Err(damaged("a wallet has no public key")),
        };
        let path = wallet.path.as_ref().map(ToString::to_string).unwrap_or_default();
        let place = match wallet.master {
            None => None,
            Some(master) => {
                let id = *ids.get(&master).ok_or_else(|| damaged("a phrase is missing"))?;
                let family = known(&wallet.family)?;
                if family.chain() != address.chain() {
                    return Err(damaged("a path family is of another chain"));
                }
                let index = index_of(family, wallet.path.as_ref())
                    .ok_or_else(|| damaged("a path is not of its family"))?;
                Some((id, family, index))
            }
        };
        tags.extend(
            wallet
                .tags
                .into_iter()
                .map(|tag| Write::TagAddress { address, tag }),
        );
        let own_password = wallet_password_kdf(&wallet.sealed)
            .map_err(|_| damaged("a record does not read"))?
            .is_some();
        let group = place.map(|(id, family, _)| (id, family.id()));
        groups.entry(group).or_default().push(NewWallet {
            index: place.map(|(_, _, index)| index),
            path,
            address,
            public_key,
            label: wallet.label,
            own_password,
            record: *wallet.record.as_bytes(),
            epoch: header.epoch(),
            sealed: wallet.sealed,
        });
    }
    let masters: Vec<NewMaster> = contents
        .masters
        .into_iter()
        .map(|master| {
            Ok(NewMaster {
                record: *master.record.as_bytes(),
                epoch: header.epoch(),
                family: known(&master.family)?,
                label: master.label,
                sealed: master.sealed,
            })
        })
        .collect::<Result<_, CustodyError>>()?;
    let first = masters.first().map(|master| master.family).unwrap_or_default();
    let mut writes = vec![Write::Vault(Box::new(NewVaultRow {
        id: *header.vault_id().as_bytes(),
        header: header.to_bytes(),
        audit_key: session.signer().address().to_bytes(),
        masters,
        policies: vec![row],
    }))];
    for (group, rows) in groups {
        let from = group
            .map(|(id, family)| Ok::<_, CustodyError>((id, known(family)?)))
            .transpose()?;
        if let Some((master, family)) = from {
            let last = rows.iter().filter_map(|row| row.index).max().unwrap_or(0);
            writes.push(Write::NextIndex {
                master,
                family,
                next_index: last.saturating_add(1),
            });
        }
        writes.push(Write::Wallets { from, rows });
    }
    writes.append(&mut tags);
    Ok((writes, first))
}

/// The family of this name in a file.
fn known(name: &str) -> Result<PathFamily, CustodyError> {
    let unknown = |_| format!("the path family {name:?} is unknown; install a newer Keyward");
    PathFamily::from_id(name).map_err(|error| CustodyError::invalid("vault file", unknown(error)))
}

/// The index at which the family makes this path, if at any.
fn index_of(family: PathFamily, path: Option<&DerivationPath>) -> Option<u32> {
    let Some(path) = path else {
        return (family == PathFamily::Raw).then_some(0);
    };
    let numbers = path.components().iter().map(|component| match component {
        PathComponent::Hardened(index) | PathComponent::Normal(index) => *index,
    });
    numbers
        .chain([ChildIndex::ZERO])
        .find(|index| family.path(*index).as_ref() == Some(path))
        .map(ChildIndex::get)
}
