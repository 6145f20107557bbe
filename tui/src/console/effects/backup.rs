//! Work on what opens the vault beside its password, and on copies of it: the recovery key, a new vault key, a file.

use std::fmt;

use futures_util::FutureExt;
use keyward_core::vault::RecoveryKey;
use keyward_custody::memory::clearing_stack;
use keyward_custody::{CustodyError, Password, RotateOptions, Rotation, VaultStatus, VaultSummary};
use zeroize::Zeroizing;

use super::vault::blocking;
use super::{Reporter, Services, files, upkeep};
use crate::console::effect::Failure;

/// What to do; each with the vault's password.
pub enum BackupWork {
    /// Make a recovery key.
    AddRecovery(Zeroizing<String>),
    /// Take it away.
    RemoveRecovery(Zeroizing<String>),
    /// Give the vault a new key.
    Rotate(Zeroizing<String>),
    /// Write the whole vault into a new `.keyward` file.
    Save {
        /// The vault's password.
        password: Zeroizing<String>,
        /// The new file.
        path: String,
        /// The file's own password; without it the vault's opens it.
        own: Option<Zeroizing<String>>,
    },
    /// Set a new password by the recovery key, and unlock with it.
    Recover {
        /// The recovery key as written down.
        recovery: Zeroizing<String>,
        /// The new password.
        new: Zeroizing<String>,
    },
}

impl fmt::Debug for BackupWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BackupWork(<redacted>)")
    }
}

/// What came of it.
pub enum BackupAnswer {
    /// The recovery key, to be shown once.
    Added(Result<RecoveryKey, Failure>),
    /// It is gone.
    Removed(Result<(), Failure>),
    /// The vault has a new key, and with it a new recovery key if it had one.
    Rotated(Result<Rotation, Failure>),
    /// The vault is in a file; its path.
    Saved(Result<String, Failure>),
    /// The vault is open.
    Recovered(Result<VaultSummary, Failure>),
}

impl fmt::Debug for BackupAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BackupAnswer(<redacted>)")
    }
}

pub(super) async fn perform(services: &Services, work: BackupWork, reporter: &Reporter) -> BackupAnswer {
    match work {
        BackupWork::AddRecovery(password) => BackupAnswer::Added(add(services, &password).boxed().await),
        BackupWork::RemoveRecovery(password) => {
            BackupAnswer::Removed(remove(services, &password).boxed().await)
        }
        BackupWork::Rotate(password) => {
            BackupAnswer::Rotated(rotate(services, &password, reporter).boxed().await)
        }
        BackupWork::Save { password, path, own } => {
            let own = own.map(|own| Password::new(own.to_string()));
            BackupAnswer::Saved(save(services, &password, &path, own).boxed().await)
        }
        BackupWork::Recover { recovery, new } => {
            BackupAnswer::Recovered(recover(services, &recovery, &new).boxed().await)
        }
    }
}

async fn add(services: &Services, password: &str) -> Result<RecoveryKey, Failure> {
    let (custody, factor) = (services.custody()?, services.second_factor()?);
    let password = Password::new(password.to_owned());
    Ok(custody.add_recovery(&password, factor.as_ref()).await?)
}

async fn remove(services: &Services, password: &str) -> Result<(), Failure> {
    let (custody, factor) = (services.custody()?, services.second_factor()?);
    let password = Password::new(password.to_owned());
    Ok(custody.remove_recovery(&password, factor.as_ref()).await?)
}

/// Goes on with one that was begun before. It is never dropped in the middle: a new recovery key would be lost.
async fn rotate(services: &Services, password: &str, reporter: &Reporter) -> Result<Rotation, Failure> {
    let (custody, factor) = (services.custody()?, services.second_factor()?);
    let password = Password::new(password.to_owned());
    let options = RotateOptions::default();
    let states = options.progress.subscribe();
    services.rotating(Some(options.progress.clone()));
    let rotated = reporter
        .count(
            states,
            custody.rotate_vault_key_with(&password, factor.as_ref(), &options),
        )
        .await;
    services.rotating(None);
    rotated.map_err(upkeep::of_the_rotation)
}

async fn save(
    services: &Services,
    password: &str,
    path: &str,
    own: Option<Password>,
) -> Result<String, Failure> {
    let (custody, factor) = (services.custody()?, services.second_factor()?);
    let path = files::check_free(path)?;
    let password = Password::new(password.to_owned());
    let bytes = custody
        .export_vault_file(&password, factor.as_ref(), own.as_ref())
        .await?;
    blocking(move || {
        files::write_new(&path, &bytes)?;
        Ok(path.display().to_string())
    })
    .await
}

async fn recover(services: &Services, recovery: &str, new: &str) -> Result<VaultSummary, Failure> {
    let (custody, factor) = (services.custody()?, services.second_factor()?);
    let recovery = clearing_stack(|| RecoveryKey::parse(recovery))
        .map_err(|error| Failure::new(error.to_string(), "compare it with what was written down"))?;
    let new = Password::new(new.to_owned());
    custody
        .set_password_with_recovery(&recovery, &new, factor.as_ref())
        .await?;
    custody.unlock(&new, factor.as_ref()).await?;
    match custody.status().await? {
        VaultStatus::Unlocked(summary) => Ok(summary),
        // Locked again in the meantime, by Ctrl-L.
        _ => Err(CustodyError::Locked.into()),
    }
}
