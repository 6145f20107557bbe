//! Work on the settings: writing them, trying an endpoint, changing the vault's password.

use std::fmt;
use std::path::Path;

use keyward_custody::chain::{NodeStatus, SolanaNode};
use keyward_custody::{Password, SettingKey, VaultSettings};
use zeroize::Zeroizing;

use super::Services;
use crate::config::{Config, Key};
use crate::console::effect::Failure;

/// What to do.
pub enum SettingsWork {
    /// Change one setting in the file. The others stay as the file has them, whatever the command line overrides.
    Save {
        /// Which setting.
        key: Key,
        /// Its new value; empty puts it back to its default.
        value: String,
    },
    /// Ask the endpoint of these settings how it is, once.
    Try(Box<Config>),
    /// Read the limits that hold for the whole vault.
    LoadLimits,
    /// Change some of them.
    ChangeLimits {
        /// Which, to what.
        changes: Vec<(SettingKey, u64)>,
        /// The vault's password.
        password: Zeroizing<String>,
    },
    /// Change the vault's password.
    ChangePassword {
        /// The one in force.
        old: Zeroizing<String>,
        /// The next one.
        new: Zeroizing<String>,
    },
}

impl fmt::Debug for SettingsWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Endpoints hold access tokens, and passwords are passwords.
        f.write_str("SettingsWork(<redacted>)")
    }
}

/// What came of it.
#[derive(Debug)]
pub enum SettingsAnswer {
    /// The setting is in the file, or not.
    Saved {
        /// Which.
        key: Key,
        /// Why not.
        result: Result<(), Failure>,
    },
    /// How the endpoint is.
    Tried(Result<NodeStatus, Failure>),
    /// The limits as they are now.
    Limits(Result<Box<VaultSettings>, Failure>),
    /// The password was changed.
    PasswordChanged(Result<(), Failure>),
}

pub(super) async fn perform(services: &Services, work: SettingsWork) -> SettingsAnswer {
    match work {
        SettingsWork::Save { key, value } => {
            let path = services.config_path().to_owned();
            let saved = tokio::task::spawn_blocking(move || save(&path, key, &value)).await;
            let result =
                saved.unwrap_or_else(|_| Err(Failure::new("the settings were not written", "try again")));
            SettingsAnswer::Saved { key, result }
        }
        SettingsWork::Try(config) => SettingsAnswer::Tried(attempt(&config).await),
        SettingsWork::LoadLimits => SettingsAnswer::Limits(load_limits(services).await),
        SettingsWork::ChangeLimits { changes, password } => {
            SettingsAnswer::Limits(change_limits(services, &changes, &password).await)
        }
        SettingsWork::ChangePassword { old, new } => {
            SettingsAnswer::PasswordChanged(change_password(services, &old, &new).await)
        }
    }
}

fn save(path: &Path, key: Key, value: &str) -> Result<(), Failure> {
    let change = || {
        let mut config = Config::load(path)?;
        config.set(key, value)?;
        config.save(path)
    };
    change().map_err(|error: crate::config::ConfigError| Failure::new(error.to_string(), error.remedy()))
}

async fn attempt(config: &Config) -> Result<NodeStatus, Failure> {
    let node = config.node().ok_or_else(|| {
        Failure::new(
            "no RPC endpoint is set",
            "enter one first, http://127.0.0.1:8899 for a node on this machine",
        )
    })?;
    Ok(SolanaNode::connect(&node)?.status().await?)
}

async fn load_limits(services: &Services) -> Result<Box<VaultSettings>, Failure> {
    Ok(Box::new(services.custody()?.settings().await?))
}

async fn change_limits(
    services: &Services,
    changes: &[(SettingKey, u64)],
    password: &str,
) -> Result<Box<VaultSettings>, Failure> {
    let custody = services.custody()?;
    let factor = services.second_factor()?;
    let password = Password::new(password.to_owned());
    let settings = custody
        .change_settings(changes, &password, factor.as_ref())
        .await?;
    Ok(Box::new(settings))
}

async fn change_password(services: &Services, old: &str, new: &str) -> Result<(), Failure> {
    let custody = services.custody()?;
    let factor = services.second_factor()?;
    let (old, new) = (Password::new(old.to_owned()), Password::new(new.to_owned()));
    Ok(custody.change_password(&old, &new, factor.as_ref()).await?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn saving_one_setting_leaves_the_others_as_the_file_has_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        save(&path, Key::LockAfterMinutes, "3").unwrap();
        save(&path, Key::Theme, "light").unwrap();
        let config = Config::load(&path).unwrap();
        assert_eq!(
            (config.lock_after_minutes, config.theme),
            (3, crate::config::Theme::Light)
        );
        save(&path, Key::LockAfterMinutes, "0").unwrap_err();
        assert_eq!(Config::load(&path).unwrap().lock_after_minutes, 3);
    }
}
