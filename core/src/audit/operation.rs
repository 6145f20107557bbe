//! What was done, as audit entries name it.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

/// The text names no operation that this release knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no operation that this release knows; read the entry with a newer one")]
pub struct UnknownOperation(pub String);

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// An audited operation. Names are part of the entry format: they are added, never changed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Operation {
            $($(#[$doc])* $name,)*
        }

        impl Operation {
            /// Every operation, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in entries and filters.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

operations! {
    /// A vault was created.
    CreateVault = "create-vault",
    /// A phrase was imported.
    ImportPhrase = "import-phrase",
    /// A wallet's key was imported.
    ImportKey = "import-key",
    /// The vault was opened.
    Unlock = "unlock",
    /// Opening the vault failed.
    UnlockFailed = "unlock-failed",
    /// Opening was refused for a while after too many failures.
    Lockout = "lockout",
    /// The vault was closed.
    Lock = "lock",
    /// The vault's password was changed.
    ChangePassword = "change-password",
    /// A recovery key was made or taken away.
    ChangeRecovery = "change-recovery",
    /// The vault key was rotated: every record was sealed again.
    RotateKey = "rotate-key",
    /// A rotation of the vault key was begun: records are sealed under the next key beside the old ones.
    BeginRotation = "begin-rotation",
    /// A rotation of the vault key that was under way was thrown away.
    AbandonRotation = "abandon-rotation",
    /// A wallet's own password was set, changed or taken away.
    SetWalletPassword = "set-wallet-password",
    /// Wallets were derived.
    DeriveWallets = "derive-wallets",
    /// A wallet was labelled.
    SetLabel = "set-label",
    /// Tags were added or removed.
    SetTags = "set-tags",
    /// A transaction was to be signed.
    SignTransaction = "sign-transaction",
    /// A text message was to be signed.
    SignMessage = "sign-message",
    /// A transfer was sent, confirmed, failed or expired.
    Send = "send",
    /// A signed checkpoint was handed out.
    Checkpoint = "checkpoint",
    /// The log was verified.
    Verify = "verify",
    /// A setting was changed.
    Settings = "settings",
    /// The policy was changed.
    ChangePolicy = "change-policy",
    /// A secret left the vault.
    Export = "export",
    /// The phrase was shown.
    RevealPhrase = "reveal-phrase",
    /// The vault was backed up.
    Backup = "backup",
    /// The vault was restored from a backup.
    Restore = "restore",
    /// Stored formats were brought up to date.
    Migrate = "migrate",
    /// An owner was added, renamed or removed.
    ChangeOwner = "change-owner",
    /// A wallet was given to an owner, or taken from one.
    AssignOwner = "assign-owner",
    /// Another wallet became its owner's primary one.
    SetPrimary = "set-primary",
    /// A wallet's role was changed.
    SetRole = "set-role",
    /// A wallet was deleted; it can be restored until it is purged.
    DeleteWallet = "delete-wallet",
    /// A deleted wallet was restored.
    RestoreWallet = "restore-wallet",
    /// A deleted wallet's key was destroyed.
    PurgeWallet = "purge-wallet",
    /// A wallet's key was replaced by a new one.
    RotateWallet = "rotate-wallet",
    /// A replaced wallet's grace period ended.
    RetireWallet = "retire-wallet",
    /// A replaced wallet was given more time, also one that was retired.
    ExtendGrace = "extend-grace",
    /// A wallet's rotation schedule was changed.
    ScheduleRotation = "schedule-rotation",
    /// The audit log was read.
    ReadAudit = "read-audit",
    /// Entries past their retention were redacted to their hashes.
    RedactAudit = "redact-audit",
    /// Another vault's file was merged into this one.
    MergeVault = "merge-vault",
    /// The vault was copied to another store.
    CopyStore = "copy-store",
    /// A job of many payments, sweeps or closings was stored.
    CreateJob = "create-job",
    /// A job was paused, resumed, cancelled or tried again.
    ChangeJob = "change-job",
    /// Items of a job ended without a transaction.
    EndItems = "end-items",
    /// The address book was changed.
    ChangeBook = "change-book",
    /// What is stored was put under the seal that notices changes.
    SealState = "seal-state",
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(text: &str) -> Result<Self, UnknownOperation> {
        let same = |operation: &&Self| operation.as_str() == text;
        match Self::ALL.iter().find(same) {
            Some(operation) => Ok(*operation),
            // The text may come from a damaged database: keep the error short.
            None => Err(UnknownOperation(text.chars().take(64).collect())),
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn names_read_back() {
        for operation in Operation::ALL {
            assert_eq!(operation.as_str().parse(), Ok(*operation));
        }
        for text in ["", "Unlock", "unlock ", "unknown"] {
            assert_eq!(text.parse::<Operation>(), Err(UnknownOperation(text.into())));
        }
    }
}
