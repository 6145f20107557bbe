//! Work that keeps a vault in order: its next key, other vaults and databases, keys to be destroyed, wrong passwords.

use std::fmt;

use futures_util::FutureExt;
use keyward_core::account::AccountAddress;
use keyward_core::vault::{MAX_FILE_LEN, SecondFactor, VaultFile};
use keyward_custody::relocate::CopyReport;
use keyward_custody::{
    CustodyError, Lockout, MergeReport, Password, Progress, Purged, RotationStatus, StoreLocation, Wallet,
};
use zeroize::Zeroizing;

use super::vault::blocking;
use super::wallets::CancelOnDrop;
use super::{Reporter, Services, files};
use crate::console::effect::{Failure, FailureKind};

/// Whether anything is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trial {
    /// Only what would be is found out.
    Dry,
    /// It is done.
    Real,
}

/// What to do.
pub enum UpkeepWork {
    /// Look whether the vault's next key is being made, here or elsewhere.
    RotationStatus,
    /// Stop the making of it here; it can be gone on with.
    StopRotation,
    /// Throw an unfinished one away.
    AbandonRotation(Zeroizing<String>),
    /// Bring a vault file in.
    Merge {
        /// The file as typed.
        path: String,
        /// The file's password.
        password: Zeroizing<String>,
        /// Whether anything is changed.
        trial: Trial,
    },
    /// Copy the vault into an empty database.
    CopyStore(StoreLocation),
    /// The deleted wallets whose time is over.
    DueToPurge,
    /// Destroy the key of one.
    Purge {
        /// Which.
        address: AccountAddress,
        /// Its address as somebody typed it.
        typed: String,
        /// The vault's password.
        password: Zeroizing<String>,
    },
    /// Destroy the keys of all.
    PurgeDue {
        /// How many there are, as somebody typed it.
        expected: usize,
        /// The vault's password.
        password: Zeroizing<String>,
    },
    /// How it stands with wrong passwords of the vault.
    Lockout,
    /// How it stands with wrong passwords of a wallet's own.
    WalletLockout(AccountAddress),
}

impl fmt::Debug for UpkeepWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Passwords, and a location with a password in it perhaps.
        f.write_str("UpkeepWork(<redacted>)")
    }
}

/// What came of it.
#[derive(Debug)]
pub enum UpkeepAnswer {
    /// The rotation under way or left behind.
    RotationStatus(Result<Option<RotationStatus>, Failure>),
    /// The rotation here was asked to stop.
    Stopping,
    /// The unfinished one is gone; whether there was one.
    Abandoned(Result<bool, Failure>),
    /// What the merge did, or would.
    Merged(Result<Box<MergeReport>, Failure>),
    /// The vault was copied.
    Copied(Result<Box<CopyReport>, Failure>),
    /// The deleted wallets whose time is over.
    DueToPurge(Result<Vec<Wallet>, Failure>),
    /// Keys were destroyed.
    Purged(Result<Purged, Failure>),
    /// How it stands with wrong passwords of the vault.
    Lockout(Result<Lockout, Failure>),
    /// The same of a wallet; none where it has no password of its own.
    WalletLockout(Result<Option<Lockout>, Failure>),
}

pub(super) async fn perform(services: &Services, work: UpkeepWork, reporter: &Reporter) -> UpkeepAnswer {
    match work {
        UpkeepWork::RotationStatus => {
            UpkeepAnswer::RotationStatus(async { Ok(services.custody()?.rotation_status().await?) }.await)
        }
        UpkeepWork::StopRotation => {
            services.stop_rotation();
            UpkeepAnswer::Stopping
        }
        UpkeepWork::AbandonRotation(password) => {
            UpkeepAnswer::Abandoned(abandon(services, &password).boxed().await)
        }
        UpkeepWork::Merge {
            path,
            password,
            trial,
        } => UpkeepAnswer::Merged(merge(services, path, &password, trial).boxed().await),
        UpkeepWork::CopyStore(to) => UpkeepAnswer::Copied(copy(services, to, reporter).boxed().await),
        UpkeepWork::DueToPurge => {
            UpkeepAnswer::DueToPurge(async { Ok(services.custody()?.due_to_purge().await?) }.await)
        }
        UpkeepWork::Purge {
            address,
            typed,
            password,
        } => UpkeepAnswer::Purged(purge(services, address, &typed, &password).boxed().await),
        UpkeepWork::PurgeDue { expected, password } => {
            UpkeepAnswer::Purged(purge_due(services, expected, &password).boxed().await)
        }
        UpkeepWork::Lockout => {
            UpkeepAnswer::Lockout(async { Ok(services.custody()?.lockout().await?) }.await)
        }
        UpkeepWork::WalletLockout(address) => UpkeepAnswer::WalletLockout(
            async { Ok(services.custody()?.wallet_lockout(address).await?) }.await,
        ),
    }
}

async fn abandon(services: &Services, password: &str) -> Result<bool, Failure> {
    let (custody, factor) = (services.custody()?, services.second_factor()?);
    let password = Password::new(password.to_owned());
    Ok(custody.abandon_rotation(&password, factor.as_ref()).await?)
}

async fn merge(
    services: &Services,
    path: String,
    password: &str,
    trial: Trial,
) -> Result<Box<MergeReport>, Failure> {
    let custody = services.custody()?;
    let bytes = blocking(move || files::read(&path, MAX_FILE_LEN)).await?;
    let factor = factor_of(&bytes, services)?;
    let password = Password::new(password.to_owned());
    let report = custody
        .merge_vault_file(bytes.to_vec(), &password, factor.as_ref(), trial == Trial::Dry)
        .await
        .map_err(of_the_file)?;
    Ok(Box::new(report))
}

/// A file's password is not the vault's.
fn of_the_file(error: CustodyError) -> Failure {
    match error {
        CustodyError::WrongPassword => Failure::new(
            "the file did not open: wrong password or second factor, or damaged data",
            "type the file's password again; if it is right, choose another copy of the file",
        ),
        other => other.into(),
    }
}

/// The second factor, if the file asks for it.
fn factor_of(bytes: &[u8], services: &Services) -> Result<Option<SecondFactor>, Failure> {
    let header = VaultFile::inspect(bytes).map_err(|error| {
        let text = error.to_string();
        let (cause, remedy) = text.split_once("; ").unwrap_or((&text, "choose another file"));
        Failure::new(cause, remedy)
    })?;
    if header.needs_second_factor() {
        services.second_factor()
    } else {
        Ok(None)
    }
}

async fn copy(
    services: &Services,
    to: StoreLocation,
    reporter: &Reporter,
) -> Result<Box<CopyReport>, Failure> {
    let custody = services.custody()?;
    let progress = Progress::new();
    let _stop = CancelOnDrop(progress.clone());
    let states = progress.subscribe();
    // As in `Services::open`: what opens a database is not `Send` in the eyes of the compiler.
    let runtime = tokio::runtime::Handle::current();
    let copying = tokio::task::spawn_blocking(move || runtime.block_on(custody.copy_store(&to, &progress)));
    let copied = reporter
        .count(states, copying)
        .await
        .map_err(|_| Failure::new("copying broke off", "look at the target, then try again"))?;
    Ok(Box::new(copied?))
}

async fn purge(
    services: &Services,
    address: AccountAddress,
    typed: &str,
    password: &str,
) -> Result<Purged, Failure> {
    let (custody, factor) = (services.custody()?, services.second_factor()?);
    let password = Password::new(password.to_owned());
    Ok(custody
        .purge_wallet(address, typed, &password, factor.as_ref())
        .await?)
}

async fn purge_due(services: &Services, expected: usize, password: &str) -> Result<Purged, Failure> {
    let (custody, factor) = (services.custody()?, services.second_factor()?);
    let password = Password::new(password.to_owned());
    Ok(custody.purge_due(expected, &password, factor.as_ref()).await?)
}

/// What is said of a rotation that did not come to its end, in the console's words.
pub(super) fn of_the_rotation(error: CustodyError) -> Failure {
    let cause = error.to_string();
    match error {
        CustodyError::RotationStopped { .. } => Failure {
            cause,
            remedy: "go on with it here, or throw it away; the old key is in force until then".into(),
            kind: FailureKind::Other,
        },
        CustodyError::RotationAbandoned => Failure::new(cause, "begin again"),
        CustodyError::RotationUnfit { .. } => {
            Failure::new(cause, "throw it away, then begin again; no wallet was touched")
        }
        other => other.into(),
    }
}
