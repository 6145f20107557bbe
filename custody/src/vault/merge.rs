//! Bringing a vault file into a vault that is there: what is new comes in, what is here stays as it is, and every difference
//! is told.
//!
//! Phrases are the same if they open to the same words and passphrase. Records are sealed again under this vault's key, each
//! under a new name; a wallet's own password stays and is not needed. The file's policy is left where it is. All of it is one
//! database transaction, and the same file once more changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use keyward_core::account::AccountAddress;
use keyward_core::audit::{Operation, Outcome};
use keyward_core::path::PathFamily;
use keyward_core::vault::{SecondFactor, VaultFile};

use super::unlock::Credentials;
use super::{Custody, blocking};
use crate::audit::ledger::Draft;
use crate::error::CustodyError;
use crate::password::Password;
use crate::store::{Ask, MasterRow, WalletPlace, Write, transact};
use crate::wallets::Wallet;

mod plan;

use plan::{Here, Plan, address_of};

/// How often a merge is taken anew when the vault was changed at the same moment.
const TRIES: u32 = 5;

/// What a merge came to, or would.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeReport {
    /// Phrases of the file that were new.
    pub phrases_added: u64,
    /// Phrases of the file that were here already; their labels were left as they are here.
    pub phrases_known: u64,
    /// The new wallets, in the file's order.
    pub added: Vec<AccountAddress>,
    /// Wallets that are here and there alike.
    pub same: Vec<AccountAddress>,
    /// Wallets that differ. Nothing of theirs was changed here.
    pub conflicts: Vec<MergeConflict>,
    /// Whether the file has a policy, which was left where it is.
    pub has_policy: bool,
}

/// A wallet that is here otherwise than in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeConflict {
    /// Its address.
    pub address: AccountAddress,
    /// What differs; one at least.
    pub differences: Vec<MergeDifference>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeDifference {
    /// What differs.
    pub what: MergeField,
    /// How it is here, and stays.
    pub here: String,
    /// How it is in the file.
    pub file: String,
}

/// What may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MergeField {
    /// The label.
    Label,
    /// The tags.
    Tags,
    /// Whether it has a password of its own.
    OwnPassword,
    /// Where its key came from: phrase and path, or an import.
    Path,
    /// It is not in use here any more, and a file does not say so.
    Status,
    /// Another wallet has its place here, so it was left out.
    Place,
}

impl MergeField {
    /// Its stable name, for scripts.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Tags => "tags",
            Self::OwnPassword => "own-password",
            Self::Path => "path",
            Self::Status => "status",
            Self::Place => "place",
        }
    }
}

impl Custody {
    /// Brings a vault file into this vault, which must be unlocked; `password` and `factor` are the file's. What is here
    /// already is left as it is. The highest index that the file used of a phrase counts as used here too. With `dry_run`
    /// nothing is changed, and nothing is written to the log.
    ///
    /// # Errors
    /// [`CustodyError::Locked`]; [`CustodyError::WrongPassword`] and [`CustodyError::SecondFactorMissing`] for the file;
    /// [`CustodyError::Invalid`] for what is no vault file or has what a vault does not keep; [`CustodyError::Busy`] if
    /// the vault keeps being changed meanwhile; or the store's. Nothing is changed then.
    pub async fn merge_vault_file(
        &self,
        bytes: Vec<u8>,
        password: &Password,
        factor: Option<&SecondFactor>,
        dry_run: bool,
    ) -> Result<MergeReport, CustodyError> {
        let session = self.current_session().await?;
        VaultFile::inspect(&bytes).map_err(|error| CustodyError::invalid("vault file", error.to_string()))?;
        let credentials = Credentials::copy(password, factor)?;
        let file = Arc::new(blocking(move || super::file::opened(&bytes, &credentials)).await??);
        for _ in 0..TRIES {
            let ask = Ask {
                masters: true,
                ..Ask::default()
            };
            let masters = self.store().look(ask).await?.masters;
            let (shared, opened, known) = (Arc::clone(&session), Arc::clone(&file), masters.clone());
            let phrases = blocking(move || plan::phrases(&shared, &opened, &known)).await??;
            let here = self.here(&file, &phrases.places).await?;
            let (shared, opened) = (Arc::clone(&session), Arc::clone(&file));
            let plan = blocking(move || Plan::new(&shared, &opened, phrases, &here)).await??;
            if dry_run {
                return Ok(plan.report);
            }
            if let Some(report) = self.merge(&session, &masters, plan).await? {
                return Ok(report);
            }
        }
        Err(CustodyError::Busy)
    }

    /// What is here of the file's wallets, and at their places.
    async fn here(
        &self,
        file: &VaultFile,
        places: &BTreeMap<AccountAddress, (i64, PathFamily, u32)>,
    ) -> Result<Here, CustodyError> {
        let mut here = Here::default();
        for wallet in &file.contents.wallets {
            let address = address_of(&wallet.public_key)?;
            if let Some(found) = self.store().wallet_by_address(&address).await? {
                here.wallets.insert(address, found);
                continue;
            }
            let Some((master, family, index)) = places.get(&address) else {
                continue;
            };
            let at = WalletPlace {
                master: Some(*master),
                family: Some(*family),
                index: *index,
            };
            let taken = self.store().wallets_by_index(at).await?;
            if let Some(other) = taken.rows.into_iter().next() {
                here.taken.insert(address, other.address);
            }
        }
        for master in self.store().masters().await? {
            here.next.extend(
                master
                    .derivations
                    .into_iter()
                    .map(|(family, next)| ((master.id, family), next)),
            );
        }
        Ok(here)
    }

    /// The one transaction; nothing if the vault is not what was planned for.
    async fn merge(
        &self,
        session: &super::Session,
        masters: &[MasterRow],
        plan: Plan,
    ) -> Result<Option<MergeReport>, CustodyError> {
        let ask = Ask {
            masters: true,
            known: plan.report.added.clone(),
            unsigned_tail: true,
            ..Ask::default()
        };
        let (report, _) = transact(self.store(), ask, |ledger, facts| {
            if !session.is_open() {
                return Err(CustodyError::Locked);
            }
            session.expect_current(&facts.vault.ok_or(CustodyError::NotInitialised)?)?;
            // A phrase or a wallet came from elsewhere in between.
            if facts.masters != masters || !facts.known.is_empty() {
                return Ok((Vec::new(), None));
            }
            let report = plan.report;
            let draft = Draft::new(Operation::MergeVault, Outcome::Done).details(format!(
                "{} phrases and {} wallets added from a vault file; {} wallets here alike, {} otherwise",
                report.phrases_added,
                report.added.len(),
                report.same.len(),
                report.conflicts.len()
            ));
            ledger.append(facts.now_ms, self.scribe(Some(session)), draft)?;
            Ok((plan.writes, Some(report)))
        })
        .await?;
        Ok(report)
    }
}
