//! The vault's settings: limits and intervals that hold for every process on it.
//!
//! They are one JSON document in the database, under the signature of the key that signs the audit log: who edits it
//! there is refused at the next operation, also while the vault is locked, when lockout goes by it. It does not hold what
//! may be signed (that is policy) nor how a console looks (that is its own file).

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use keyward_core::address::{Address, Signature};
use keyward_core::audit::{Operation, Outcome};
use keyward_core::ed25519::verify;
use keyward_core::vault::{SecondFactor, VaultId};
use serde::{Deserialize, Serialize};

use crate::audit::ledger::{Draft, HeadSigner};
use crate::error::CustodyError;
use crate::password::Password;
use crate::store::{Ask, VaultRow, Write, transact};
use crate::vault::Custody;

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
const YEAR_MS: u64 = 365 * DAY_MS;

/// The longest document that is read, in bytes.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// What a setting counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    /// A number of things.
    Count,
    /// A time in milliseconds.
    DurationMs,
}

macro_rules! settings {
    ($($(#[$doc:meta])* $key:ident, $field:ident: $kind:ident = $default:expr, $range:expr;)*) => {
        /// The settings in force. Each is in the range that its [`SettingKey`] tells.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        #[non_exhaustive]
        pub struct VaultSettings {
            $($(#[$doc])* pub $field: u64,)*
        }

        impl Default for VaultSettings {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        /// Names one setting.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum SettingKey {
            $($(#[$doc])* $key,)*
        }

        impl SettingKey {
            /// Every setting, in the order in which they are shown.
            pub const ALL: &'static [Self] = &[$(Self::$key,)*];

            /// Its name, in commands and in the document.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$key => stringify!($field),)* }
            }

            /// What it counts.
            #[must_use]
            pub const fn kind(self) -> SettingKind {
                match self { $(Self::$key => SettingKind::$kind,)* }
            }

            /// Its least and its greatest value.
            #[must_use]
            pub const fn range(self) -> (u64, u64) {
                match self { $(Self::$key => $range,)* }
            }

            /// Its value.
            #[must_use]
            pub const fn get(self, settings: &VaultSettings) -> u64 {
                match self { $(Self::$key => settings.$field,)* }
            }

            fn set(self, settings: &mut VaultSettings, value: u64) {
                match self { $(Self::$key => settings.$field = value,)* }
            }
        }
    };
}

settings! {
    /// The most active wallets of one owner.
    MaxWalletsPerOwner, max_wallets_per_owner: Count = 3, (1, 1_000_000);
    /// Wrong passwords in a row that cost nothing but key derivation; the last of them begins the delays. Of the vault's
    /// password and of wallets' own.
    MaxFailedAttempts, max_failed_attempts: Count = 5, (1, 100);
    /// The first delay after too many wrong passwords, in milliseconds; it doubles with every further one.
    LockoutFirst, lockout_first_ms: DurationMs = 30 * SECOND_MS, (SECOND_MS, DAY_MS);
    /// The longest such delay, in milliseconds.
    LockoutMax, lockout_max_ms: DurationMs = HOUR_MS, (SECOND_MS, 30 * DAY_MS);
    /// Signatures that one wallet may be authorised for within any 60 seconds.
    SignaturesPerMinute, signatures_per_minute: Count = 100, (1, 1_000_000);
    /// The least time between two authorisations of one wallet, in milliseconds; 0 for none.
    MinSignatureInterval, min_signature_interval_ms: DurationMs = 0, (0, DAY_MS);
    /// How long a deleted wallet can be restored, in milliseconds.
    PurgeGrace, purge_grace_ms: DurationMs = 30 * DAY_MS, (0, 10 * YEAR_MS);
    /// How often keys of wallets with the role `trading` are rotated by default, in milliseconds.
    TradingRotation, trading_rotation_ms: DurationMs = DAY_MS, (MINUTE_MS, 10 * YEAR_MS);
    /// How often keys of other wallets are rotated by default, in milliseconds.
    OtherRotation, other_rotation_ms: DurationMs = 90 * DAY_MS, (MINUTE_MS, 10 * YEAR_MS);
    /// How many replaced keys of a wallet may still sign.
    KeptKeys, kept_keys: Count = 3, (0, 100);
    /// How long a replaced wallet's address is still looked after, in milliseconds.
    DepositGrace, deposit_grace_ms: DurationMs = 30 * DAY_MS, (0, 10 * YEAR_MS);
    /// How long audit entries of unlocking and locking are kept, in milliseconds.
    AuditLoginRetention, audit_login_retention_ms: DurationMs = 90 * DAY_MS, (DAY_MS, 100 * YEAR_MS);
    /// How long audit entries about wallets are kept, in milliseconds; at least two years. Those of transactions are
    /// kept for ever.
    AuditWalletRetention, audit_wallet_retention_ms: DurationMs = 2 * YEAR_MS, (2 * YEAR_MS, 100 * YEAR_MS);
}

impl fmt::Display for SettingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

impl FromStr for SettingKey {
    type Err = CustodyError;

    fn from_str(text: &str) -> Result<Self, CustodyError> {
        let found = Self::ALL.iter().find(|key| key.id() == text);
        found.copied().ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|key| key.id()).collect();
            CustodyError::invalid("setting", format!("there are {}", known.join(", ")))
        })
    }
}

impl VaultSettings {
    /// How long wrong passwords keep shut after so many in a row, in milliseconds.
    pub(crate) fn lockout_ms(&self, failures: u32) -> u64 {
        let Some(beyond) = u64::from(failures).checked_sub(self.max_failed_attempts) else {
            return 0;
        };
        let doublings = u32::try_from(beyond).unwrap_or(u32::MAX);
        let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
        self.lockout_first_ms
            .saturating_mul(factor)
            .min(self.lockout_max_ms)
    }

    /// These settings with some of them changed.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for a value out of its range.
    pub(crate) fn with(&self, changes: &[(SettingKey, u64)]) -> Result<Self, CustodyError> {
        let mut settings = self.clone();
        for (key, value) in changes {
            key.set(&mut settings, *value);
        }
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), CustodyError> {
        for key in SettingKey::ALL {
            let (least, most) = key.range();
            let value = key.get(self);
            if !(least..=most).contains(&value) {
                let unit = match key.kind() {
                    SettingKind::Count => "",
                    SettingKind::DurationMs => " ms",
                };
                let reason = format!("{key} is {least} to {most}{unit}, and {value} is not");
                return Err(CustodyError::invalid("setting", reason));
            }
        }
        if self.lockout_first_ms > self.lockout_max_ms {
            let reason = "lockout_first_ms is at most lockout_max_ms";
            return Err(CustodyError::invalid("setting", reason));
        }
        Ok(())
    }
}

/// A row of `vault_settings`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SettingsRow {
    pub(crate) version: u32,
    pub(crate) body: String,
    pub(crate) signature: Signature,
}

impl SettingsRow {
    pub(crate) fn sign(
        signer: &HeadSigner,
        vault: &VaultId,
        version: u32,
        settings: &VaultSettings,
    ) -> Result<Self, CustodyError> {
        settings.check()?;
        let body = serde_json::to_string(settings)
            .map_err(|error| CustodyError::invalid("setting", error.to_string()))?;
        let signature = signer.sign_settings(&message(vault, version, &body));
        Ok(Self {
            version,
            body,
            signature,
        })
    }

    /// Under another key, its text untouched.
    pub(crate) fn resigned(&self, signer: &HeadSigner, vault: &VaultId) -> Self {
        Self {
            signature: signer.sign_settings(&message(vault, self.version, &self.body)),
            ..self.clone()
        }
    }

    fn verified(&self, vault: &VaultId, key: &Address) -> Result<VaultSettings, CustodyError> {
        let changed =
            || CustodyError::damaged("the vault's settings were changed: their signature does not verify");
        if self.body.len() > MAX_BODY_BYTES {
            return Err(changed());
        }
        verify(key, &message(vault, self.version, &self.body), &self.signature).map_err(|_| changed())?;
        let settings: VaultSettings = serde_json::from_str(&self.body).map_err(|_| {
            CustodyError::damaged(
                "the vault's settings do not read; a newer version of keyward may have written them",
            )
        })?;
        settings.check()?;
        Ok(settings)
    }
}

/// Separates settings from everything else that the key signs: other domains end differently before their NUL.
const DOMAIN: &[u8] = b"keyward/settings/v1\0";

/// Domain, vault (16 bytes), version (4, big-endian), then the body to the end.
fn message(vault: &VaultId, version: u32, body: &str) -> Vec<u8> {
    [DOMAIN, vault.as_bytes(), &version.to_be_bytes(), body.as_bytes()].concat()
}

/// What was verified last: nearly every operation asks for the same row.
static VERIFIED: Mutex<Option<Verified>> = Mutex::new(None);

struct Verified {
    vault: [u8; 16],
    key: [u8; 32],
    row: SettingsRow,
    settings: Arc<VaultSettings>,
}

impl VaultRow {
    /// The settings in force: the signed ones, or the defaults where none were ever set.
    ///
    /// # Errors
    /// [`CustodyError::Damaged`] for a document that the vault's key did not sign.
    pub(crate) fn settings(&self) -> Result<Arc<VaultSettings>, CustodyError> {
        let Some(row) = &self.settings else {
            return Ok(Arc::default());
        };
        let mut last = VERIFIED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = last
            .as_ref()
            .filter(|last| last.vault == self.id && last.key == self.audit_key && last.row == *row)
        {
            return Ok(Arc::clone(&last.settings));
        }
        let settings = Arc::new(row.verified(&VaultId::from_bytes(self.id), &Address::new(self.audit_key))?);
        *last = Some(Verified {
            vault: self.id,
            key: self.audit_key,
            row: row.clone(),
            settings: Arc::clone(&settings),
        });
        Ok(settings)
    }
}

impl Custody {
    /// The vault's settings, their signature verified; also while it is locked.
    ///
    /// # Errors
    /// [`CustodyError::NotInitialised`], [`CustodyError::Damaged`], or the store's.
    pub async fn settings(&self) -> Result<VaultSettings, CustodyError> {
        let facts = self.store().look(Ask::default()).await?;
        let vault = facts.vault.ok_or(CustodyError::NotInitialised)?;
        Ok(vault.settings()?.as_ref().clone())
    }

    /// Changes settings, all of them or none; the others stay as they are. Since they guard money, the password is asked
    /// for again, and a wrong one counts towards the lockout.
    ///
    /// # Errors
    /// [`CustodyError::Locked`], [`CustodyError::Invalid`] for a value out of its range, those of [`Self::unlock`] for
    /// the password, or the store's.
    pub async fn change_settings(
        &self,
        changes: &[(SettingKey, u64)],
        password: &Password,
        factor: Option<&SecondFactor>,
    ) -> Result<VaultSettings, CustodyError> {
        let session = self.current_session().await?;
        // A value that cannot be is no reason to stretch a password.
        changed(&self.settings().await?, changes)?;
        self.confirm_password(&session, password, factor, "when changing settings")
            .await?;
        let ask = Ask {
            unsigned_tail: true,
            ..Ask::default()
        };
        let (settings, _) = transact(self.store(), ask, |ledger, facts| {
            let vault = facts.vault.ok_or(CustodyError::NotInitialised)?;
            session.expect_signing(&vault)?;
            let before = vault.settings()?;
            let settings = changed(&before, changes)?;
            if settings == *before {
                return Ok((Vec::new(), settings));
            }
            let version = vault.settings.as_ref().map_or(0, |row| row.version);
            let version = version
                .checked_add(1)
                .ok_or_else(|| CustodyError::invalid("setting", "they were changed too often"))?;
            let row = SettingsRow::sign(session.signer(), &session.vault(), version, &settings)?;
            let draft =
                Draft::new(Operation::Settings, Outcome::Done).details(difference(&before, &settings));
            ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            Ok((vec![Write::Settings(row)], settings))
        })
        .await?;
        Ok(settings)
    }
}

fn changed(before: &VaultSettings, changes: &[(SettingKey, u64)]) -> Result<VaultSettings, CustodyError> {
    if changes.is_empty() {
        return Err(CustodyError::invalid("setting", "none is named"));
    }
    before.with(changes)
}

/// What the audit log says of a change: each setting that differs, before and after.
fn difference(before: &VaultSettings, after: &VaultSettings) -> String {
    let differing = SettingKey::ALL
        .iter()
        .filter(|key| key.get(before) != key.get(after));
    let parts: Vec<String> = differing
        .map(|key| format!("{key} {} to {}", key.get(before), key.get(after)))
        .collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_delay_starts_at_the_fifth_failure_and_doubles_up_to_an_hour() {
        let settings = VaultSettings::default();
        let seconds: Vec<u64> = (0..14)
            .map(|failures| settings.lockout_ms(failures) / 1000)
            .collect();
        assert_eq!(
            seconds,
            [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
        );
        assert_eq!(settings.lockout_ms(u32::MAX), 3_600_000);
    }

    #[test]
    fn every_default_is_in_its_range_and_every_name_reads_back() {
        VaultSettings::default().check().unwrap();
        for key in SettingKey::ALL {
            assert_eq!(key.id().parse::<SettingKey>().unwrap(), *key);
        }
        assert!("colour".parse::<SettingKey>().is_err());
    }

    #[test]
    fn values_outside_their_range_are_refused() {
        let settings = VaultSettings::default();
        for key in SettingKey::ALL {
            let (least, most) = key.range();
            assert!(
                changed(&settings, &[(*key, most.saturating_add(1))]).is_err(),
                "{key}"
            );
            if let Some(below) = least.checked_sub(1) {
                assert!(changed(&settings, &[(*key, below)]).is_err(), "{key}");
            }
        }
        let crossed = [
            (SettingKey::LockoutFirst, HOUR_MS),
            (SettingKey::LockoutMax, MINUTE_MS),
        ];
        assert!(changed(&settings, &crossed).is_err());
        assert!(changed(&settings, &[]).is_err());
    }

    #[test]
    fn a_document_with_an_unknown_setting_is_not_read_as_the_defaults() {
        assert!(serde_json::from_str::<VaultSettings>(r#"{"max_wallets_per_owner":7}"#).is_ok());
        assert!(serde_json::from_str::<VaultSettings>(r#"{"max_wallet_per_owner":7}"#).is_err());
    }
}
