//! The vault as one `.keyward` file, and back into an empty store.
//!
//! Records stay sealed on the way. When they were last used, the log and the transfers stay behind: they are this
//! store's history; and so do owners, roles, statuses and schedules, which the format has no place for. A wallet that was
//! purged has no key and is left out; one that is deleted is in it, since its key can still be had here. Bringing a file
//! into a vault that is there is [`super::merge`]'s.

use std::collections::BTreeMap;
use std::sync::Arc;

use keyward_core::account::AccountAddress;
use keyward_core::audit::{Operation, Outcome};
use keyward_core::path::{DerivationPath, PathFamily};
use keyward_core::policy::PolicyLimits;
use keyward_core::vault::{
    CreateVault, FileContents, FileMaster, FilePolicy, FileWallet, OpenError, RecordId, SecondFactor,
    VaultFile, VaultHeader, VaultId, VaultKey,
};

use super::unlock::Credentials;
use super::{Custody, Session, VaultSummary, blocking, header_summary, random};
use crate::audit::ledger::Draft;
use crate::audit::sealing::SEALED_FROM_THE_START;
use crate::error::CustodyError;
use crate::memory::Protection;
use crate::password::{MAX_PASSWORD_BYTES, Password};
use crate::store::{Ask, Everything, PolicyRow, Write, transact};
use crate::wallets::{MAX_PAGE, StatusFilter, Wallet, WalletQuery, WalletStatus};

pub(super) mod rows;
#[cfg(test)]
mod tests;

/// What came of a vault file.
#[derive(Clone, Debug)]
pub struct ImportedVault {
    /// The vault that was made.
    pub vault: VaultSummary,
    /// Whose policy is in force in it.
    pub policy: PolicySource,
}

/// Where the policy of an imported vault is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// The file: its policy is in force as it stands there.
    File,
    /// The file had none, as those that are made in a web page; it is that of a new vault with the limits given.
    Default,
}

impl PolicySource {
    /// Its stable name, for scripts.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Default => "default",
        }
    }
}

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
            status: StatusFilter::All,
            limit: MAX_PAGE,
            ..WalletQuery::default()
        };
        loop {
            let page = self.wallets(&query).await?;
            shown.extend(page.rows.into_iter().map(|wallet| (wallet.address, wallet)));
            // Each cursor lies after the one before it, so this ends.
            let Some(next) = page.next else {
                return Ok(shown);
            };
            query.after = Some(next);
        }
    }

    /// Makes a vault of a file in an empty store and leaves it unlocked. Its password, recovery key and vault key are
    /// the file's; its log begins anew. A file without a policy is refused: see [`Self::import_vault_file_with_limits`].
    ///
    /// # Errors
    /// [`CustodyError::AlreadyInitialised`], [`CustodyError::Invalid`] for what is no vault file or has no policy,
    /// [`CustodyError::WrongPassword`], [`CustodyError::SecondFactorMissing`], or the store's.
    pub async fn import_vault_file(
        &self,
        bytes: Vec<u8>,
        password: &Password,
        factor: Option<&SecondFactor>,
    ) -> Result<VaultSummary, CustodyError> {
        let imported = self.import_file(bytes, password, factor, None).await?;
        Ok(imported.vault)
    }

    /// As [`Self::import_vault_file`], and a vault whose file has no policy gets the one that [`Self::create_vault`] gives
    /// to a new vault with these limits. A policy in the file stays in force as it is, whatever the limits; what the limits
    /// are of no use for is the caller's to say before, with [`VaultFile::open`]. The log says which of both it was.
    ///
    /// # Errors
    /// As [`Self::import_vault_file`]; a policy that does not read is refused, never replaced.
    pub async fn import_vault_file_with_limits(
        &self,
        bytes: Vec<u8>,
        password: &Password,
        factor: Option<&SecondFactor>,
        limits: PolicyLimits,
    ) -> Result<ImportedVault, CustodyError> {
        self.import_file(bytes, password, factor, Some(limits)).await
    }

    async fn import_file(
        &self,
        bytes: Vec<u8>,
        password: &Password,
        factor: Option<&SecondFactor>,
        limits: Option<PolicyLimits>,
    ) -> Result<ImportedVault, CustodyError> {
        if self.store().overview().await?.is_some() {
            return Err(CustodyError::AlreadyInitialised);
        }
        VaultFile::inspect(&bytes).map_err(|error| CustodyError::invalid("vault file", error.to_string()))?;
        let credentials = Credentials::copy(password, factor)?;
        let best = self.key_protection();
        let (session, opened) = blocking(move || open(&bytes, &credentials, best, limits)).await??;
        let session = Arc::new(session);
        let Opened {
            header,
            mut writes,
            family,
            wallets,
            policy,
        } = opened;
        writes.extend(self.first_settings(&session)?);
        let (now_ms, _) = transact(self.store(), Ask::default(), |ledger, facts| {
            if facts.vault.is_some() {
                return Err(CustodyError::AlreadyInitialised);
            }
            let whose = match policy {
                PolicySource::File => "with its policy",
                PolicySource::Default => "which had no policy and got the default one",
            };
            let draft = Draft::new(Operation::Restore, Outcome::Done).details(format!(
                "{wallets} wallets from a vault file, {whose}{SEALED_FROM_THE_START}"
            ));
            ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            Ok((writes, facts.now_ms))
        })
        .await?;
        if let Some(previous) = self.set_session(Some(session)) {
            previous.close();
        }
        // usize has at most 64 bits
        let vault = header_summary(&header, now_ms, family.id(), wallets as u64)?;
        Ok(ImportedVault { vault, policy })
    }
}

/// A file that was opened, as what it becomes in the store.
struct Opened {
    header: VaultHeader,
    writes: Vec<Write>,
    family: PathFamily,
    wallets: usize,
    policy: PolicySource,
}

/// Opens a file: the slow and the secret part.
fn open(
    bytes: &[u8],
    credentials: &Credentials,
    best: Protection,
    limits: Option<PolicyLimits>,
) -> Result<(Session, Opened), CustodyError> {
    let file = opened(bytes, credentials)?;
    let session = Session::new(file.key, &file.header, best);
    let wallets = file.contents.wallets.len();
    let (row, policy) = rows::policy_row(&session, file.contents.policy.as_ref(), limits)?;
    let (writes, family) = rows::rows(&file.header, &session, row, file.contents)?;
    let opened = Opened {
        header: file.header,
        writes,
        family,
        wallets,
        policy,
    };
    Ok((session, opened))
}

/// The file as its password and second factor open it.
pub(super) fn opened(bytes: &[u8], credentials: &Credentials) -> Result<VaultFile, CustodyError> {
    let typed = &credentials.password;
    let opened = if typed.len() > MAX_PASSWORD_BYTES {
        Err(OpenError::Refused)
    } else {
        VaultFile::open(bytes, typed, credentials.second_factor.as_ref())
    };
    opened.map_err(|error| match error {
        OpenError::SecondFactorMissing => CustodyError::SecondFactorMissing,
        _ => CustodyError::WrongPassword,
    })
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
    // What was purged has no key to give; what was deleted has, and is there again where the file is brought in.
    let kept = found
        .wallets
        .iter()
        .filter(|row| row.state.status != WalletStatus::Purged);
    for row in kept {
        // Added or taken away between two looks.
        let wallet = shown.remove(&row.address).ok_or(CustodyError::Busy)?;
        if wallet.status == WalletStatus::Purged {
            continue;
        }
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
