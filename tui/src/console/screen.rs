//! The screens.

use keyward_custody::{VaultSummary, Wallet};

use super::effect::{Failure, RequestId};
use super::page::Page;

pub mod audit;
pub mod audit_counts;
pub mod backup;
pub mod book;
pub mod bulk;
pub mod bulk_job;
pub mod contact;
pub mod copy_store;
pub mod derive;
pub mod distribute;
pub mod export;
pub mod find;
pub mod first_run;
pub mod history;
pub mod import;
pub mod inspect;
pub mod jobs;
pub mod limits;
pub mod merge;
pub mod nonces;
pub mod opening;
pub mod own_passwords;
pub mod owners;
pub mod password;
pub mod plan;
pub mod portfolio;
pub mod proof;
pub mod purge;
pub mod recover;
pub mod report;
pub mod review;
pub mod rotate;
pub mod rotations;
pub mod send;
pub mod settings;
pub mod sweep;
pub mod tokens;
pub mod transfer;
pub mod unlock;
pub mod wallet;
pub mod wallets;

/// Every screen there is.
#[derive(Debug)]
pub enum Screen {
    /// The store is being opened.
    Starting(opening::Starting),
    /// The store did not open.
    Trouble(Failure),
    /// No vault yet.
    FirstRun(Box<first_run::FirstRun>),
    /// The vault is locked.
    Unlock(Box<unlock::Unlock>),
    /// The list of wallets.
    Wallets(Box<wallets::Wallets>),
    /// Deriving more wallets.
    Derive(Box<derive::DeriveScreen>),
    /// Bringing in a key or a phrase.
    Import(Box<import::ImportScreen>),
    /// Taking a key out.
    Export(Box<export::ExportScreen>),
    /// Backup and recovery.
    Backup(Box<backup::BackupScreen>),
    /// Opening the vault by its recovery key.
    Recover(Box<recover::RecoverScreen>),
    /// What a transaction or message does.
    Inspect(Box<inspect::InspectScreen>),
    /// The search for a path.
    Find(Box<find::FindScreen>),
    /// One wallet.
    Wallet(Box<wallet::WalletScreen>),
    /// The jobs.
    Jobs(Box<jobs::JobsScreen>),
    /// The form of a transfer.
    Send(Box<send::SendForm>),
    /// What is read before a transfer is signed.
    Review(Box<review::Review>),
    /// A transfer under way or done.
    Transfer(Box<transfer::TransferScreen>),
    /// The audit log.
    Audit(Box<audit::AuditScreen>),
    /// Its entries by operation and outcome.
    AuditCounts(Box<audit_counts::AuditCountsScreen>),
    /// Proofs of it.
    Proof(Box<proof::ProofScreen>),
    /// Bringing a vault file in.
    Merge(Box<merge::MergeScreen>),
    /// Copying the vault.
    CopyStore(Box<copy_store::CopyStoreScreen>),
    /// Destroying keys.
    Purge(Box<purge::PurgeScreen>),
    /// The token accounts of a wallet.
    Tokens(Box<tokens::TokensScreen>),
    /// A wallet's durable nonces.
    Nonces(Box<nonces::NoncesScreen>),
    /// What happened to a wallet.
    History(Box<history::HistoryScreen>),
    /// What wallets hold together.
    Portfolio(Box<portfolio::PortfolioScreen>),
    /// The stored jobs.
    Bulk(Box<bulk::BulkScreen>),
    /// One of them.
    BulkJob(Box<bulk_job::BulkJobScreen>),
    /// One of them held against the chain.
    Report(Box<report::ReportScreen>),
    /// The form of a distribution.
    Distribute(Box<distribute::DistributeScreen>),
    /// The form of a consolidation or a closing.
    Sweep(Box<sweep::SweepScreen>),
    /// The passwords that wallets sign with.
    OwnPasswords(Box<own_passwords::OwnPasswordsScreen>),
    /// A plan, to be read.
    Plan(Box<plan::PlanScreen>),
    /// The address book.
    Book(Box<book::BookScreen>),
    /// Adding somebody to it.
    Contact(Box<contact::ContactScreen>),
    /// The owners.
    Owners(Box<owners::OwnersScreen>),
    /// The keys that are to be replaced.
    Rotations(Box<rotations::RotationsScreen>),
    /// One wallet's key.
    Rotate(Box<rotate::RotateScreen>),
    /// The settings.
    Settings(Box<settings::SettingsScreen>),
    /// The limits that hold for the whole vault.
    Limits(Box<limits::LimitsScreen>),
    /// Changing the vault's password.
    Password(Box<password::PasswordScreen>),
}

impl Screen {
    /// The wizard for a new vault.
    #[must_use]
    pub fn first_run() -> Self {
        Self::FirstRun(Box::default())
    }

    /// The locked vault; `reason` says why it was locked.
    #[must_use]
    pub fn unlock(summary: Option<VaultSummary>, reason: Option<String>) -> Self {
        Self::Unlock(Box::new(unlock::Unlock::new(summary, reason)))
    }

    /// The list of wallets.
    #[must_use]
    pub fn wallets() -> Self {
        Self::Wallets(Box::default())
    }

    /// The form of a transfer from this wallet.
    #[must_use]
    pub fn send(from: Wallet) -> Self {
        Self::Send(Box::new(send::SendForm::new(from)))
    }

    /// The transfer with this job.
    #[must_use]
    pub fn transfer(id: RequestId) -> Self {
        Self::Transfer(Box::new(transfer::TransferScreen::new(id)))
    }

    /// Whether it is one of those that are gone to from everywhere, or above one of them.
    #[must_use]
    pub fn is_side_screen(&self) -> bool {
        matches!(
            self,
            Self::Jobs(_)
                | Self::Audit(_)
                | Self::AuditCounts(_)
                | Self::Proof(_)
                | Self::Merge(_)
                | Self::CopyStore(_)
                | Self::Portfolio(_)
                | Self::Bulk(_)
                | Self::BulkJob(_)
                | Self::Report(_)
                | Self::Book(_)
                | Self::Owners(_)
                | Self::Rotations(_)
                | Self::Settings(_)
                | Self::Backup(_)
                | Self::Inspect(_)
                | Self::Find(_)
                | Self::Transfer(_)
                | Self::Limits(_)
                | Self::Password(_)
        )
    }

    /// The screen's behaviour.
    #[must_use]
    pub fn page(&self) -> &dyn Page {
        match self {
            Self::Starting(page) => page,
            Self::Trouble(failure) => failure,
            Self::FirstRun(page) => &**page,
            Self::Unlock(page) => &**page,
            Self::Wallets(page) => &**page,
            Self::Derive(page) => &**page,
            Self::Import(page) => &**page,
            Self::Export(page) => &**page,
            Self::Backup(page) => &**page,
            Self::Recover(page) => &**page,
            Self::Inspect(page) => &**page,
            Self::Find(page) => &**page,
            Self::Wallet(page) => &**page,
            Self::Jobs(page) => &**page,
            Self::Send(page) => &**page,
            Self::Review(page) => &**page,
            Self::Transfer(page) => &**page,
            Self::Audit(page) => &**page,
            Self::AuditCounts(page) => &**page,
            Self::Proof(page) => &**page,
            Self::Merge(page) => &**page,
            Self::CopyStore(page) => &**page,
            Self::Purge(page) => &**page,
            Self::Tokens(page) => &**page,
            Self::History(page) => &**page,
            Self::Nonces(page) => &**page,
            Self::Portfolio(page) => &**page,
            Self::Bulk(page) => &**page,
            Self::BulkJob(page) => &**page,
            Self::Report(page) => &**page,
            Self::Distribute(page) => &**page,
            Self::Sweep(page) => &**page,
            Self::OwnPasswords(page) => &**page,
            Self::Plan(page) => &**page,
            Self::Book(page) => &**page,
            Self::Contact(page) => &**page,
            Self::Owners(page) => &**page,
            Self::Rotations(page) => &**page,
            Self::Rotate(page) => &**page,
            Self::Settings(page) => &**page,
            Self::Limits(page) => &**page,
            Self::Password(page) => &**page,
        }
    }

    /// The screen's behaviour, to change it.
    pub fn page_mut(&mut self) -> &mut dyn Page {
        match self {
            Self::Starting(page) => page,
            Self::Trouble(failure) => failure,
            Self::FirstRun(page) => &mut **page,
            Self::Unlock(page) => &mut **page,
            Self::Wallets(page) => &mut **page,
            Self::Derive(page) => &mut **page,
            Self::Import(page) => &mut **page,
            Self::Export(page) => &mut **page,
            Self::Backup(page) => &mut **page,
            Self::Recover(page) => &mut **page,
            Self::Inspect(page) => &mut **page,
            Self::Find(page) => &mut **page,
            Self::Wallet(page) => &mut **page,
            Self::Jobs(page) => &mut **page,
            Self::Send(page) => &mut **page,
            Self::Review(page) => &mut **page,
            Self::Transfer(page) => &mut **page,
            Self::Audit(page) => &mut **page,
            Self::AuditCounts(page) => &mut **page,
            Self::Proof(page) => &mut **page,
            Self::Merge(page) => &mut **page,
            Self::CopyStore(page) => &mut **page,
            Self::Purge(page) => &mut **page,
            Self::Tokens(page) => &mut **page,
            Self::History(page) => &mut **page,
            Self::Nonces(page) => &mut **page,
            Self::Portfolio(page) => &mut **page,
            Self::Bulk(page) => &mut **page,
            Self::BulkJob(page) => &mut **page,
            Self::Report(page) => &mut **page,
            Self::Distribute(page) => &mut **page,
            Self::Sweep(page) => &mut **page,
            Self::OwnPasswords(page) => &mut **page,
            Self::Plan(page) => &mut **page,
            Self::Book(page) => &mut **page,
            Self::Contact(page) => &mut **page,
            Self::Owners(page) => &mut **page,
            Self::Rotations(page) => &mut **page,
            Self::Rotate(page) => &mut **page,
            Self::Settings(page) => &mut **page,
            Self::Limits(page) => &mut **page,
            Self::Password(page) => &mut **page,
        }
    }
}
