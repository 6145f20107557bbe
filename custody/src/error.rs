//! The errors of the custody boundary. Each says its cause (`Display`) and what to do about it (`remedy`).
//!
//! None of them ever carries a secret, and none quotes what a person typed as a password or phrase.

use std::error::Error as StdError;
use std::sync::Arc;

use keyward_core::account::AccountAddress;
use keyward_core::address::{Address, Signature};
use keyward_core::evm::transaction::TransactionError;
use keyward_core::evm::typed_data::TypedDataError;
use keyward_core::policy::Refusal;
use keyward_core::siws::SignInError;
use keyward_core::solana::{DecodeError, ResolveError};

use crate::password::PasswordError;
use crate::settings::SettingKey;

/// Why a custody operation did not happen. Nothing of it was stored unless its text says so.
///
/// It can be copied, since one failed commit is told to everyone whose changes were in it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CustodyError {
    /// The database holds no vault yet.
    #[error("there is no vault here yet")]
    NotInitialised,
    /// The database holds a vault already.
    #[error("there is a vault here already")]
    AlreadyInitialised,
    /// The operation needs the vault unlocked.
    #[error("the vault is locked")]
    Locked,
    /// Wrong password, wrong second factor, or a damaged vault: these read alike on purpose.
    #[error("the vault did not open: wrong password or second factor, or damaged data")]
    WrongPassword,
    /// The vault asks for a second factor and none was given.
    #[error("this vault also needs its second factor")]
    SecondFactorMissing,
    /// Too many wrong passwords.
    #[error("too many wrong passwords: locked for another {} s", retry_after_ms.div_ceil(1000))]
    LockedOut {
        /// How long to wait, in milliseconds.
        retry_after_ms: u64,
    },
    /// The wallet has a password of its own, and none was given.
    #[error("wallet {} has a password of its own", wallet.abbreviated())]
    WalletPasswordNeeded {
        /// The wallet.
        wallet: AccountAddress,
    },
    /// The wallet's own password is wrong.
    #[error("that is not the password of wallet {}", wallet.abbreviated())]
    WrongWalletPassword {
        /// The wallet.
        wallet: AccountAddress,
    },
    /// Too many wrong passwords of a wallet.
    #[error(
        "too many wrong passwords for wallet {}: locked for another {} s",
        wallet.abbreviated(),
        retry_after_ms.div_ceil(1000)
    )]
    WalletLockedOut {
        /// The wallet.
        wallet: AccountAddress,
        /// How long to wait, in milliseconds.
        retry_after_ms: u64,
    },
    /// The wallet's key was replaced already.
    #[error("wallet {} was rotated already: its key is now {replacement}", wallet.abbreviated())]
    AlreadyRotated {
        /// The wallet.
        wallet: AccountAddress,
        /// The key that came in its place.
        replacement: AccountAddress,
    },
    /// The wallet's schedule does not ask for a rotation now.
    #[error("wallet {} is not due for rotation", wallet.abbreviated())]
    NotDue {
        /// The wallet.
        wallet: AccountAddress,
    },
    /// The wallet was deleted.
    #[error("wallet {} was deleted", wallet.abbreviated())]
    WalletDeleted {
        /// The wallet.
        wallet: AccountAddress,
    },
    /// The wallet was replaced by a newer key, and its grace period is over.
    #[error("wallet {} is retired", wallet.abbreviated())]
    WalletRetired {
        /// The wallet.
        wallet: AccountAddress,
    },
    /// The wallet's key was destroyed.
    #[error("the key of wallet {} was destroyed", wallet.abbreviated())]
    WalletPurged {
        /// The wallet.
        wallet: AccountAddress,
    },
    /// Policy does not let the key leave.
    #[error("refused by policy: {}", join(reasons))]
    ExportRefused {
        /// Every reason, each with its own remedy.
        reasons: Vec<Refusal>,
    },
    /// Another process rotated the vault key since this one unlocked.
    #[error("the vault key was rotated by another process, so this one is locked now")]
    KeyRotated,
    /// The password cannot be changed while the next vault key waits behind the present one.
    #[error("a rotation of the vault key is under way, and would be left behind with the present password")]
    RotationUnderWay,
    /// The rotation was stopped before its end; what was done is kept.
    #[error(
        "the rotation of the vault key was stopped with {done} of {total} records; the old key is in force"
    )]
    RotationStopped {
        /// Records that are sealed under the next key.
        done: u64,
        /// Records of the vault.
        total: u64,
    },
    /// Another process threw the rotation away.
    #[error("the rotation of the vault key was thrown away by another process; the old key is in force")]
    RotationAbandoned,
    /// The next key's header does not open with what opens the vault, or records staged under it were changed.
    #[error("the rotation of the vault key cannot go on: {reason}")]
    RotationUnfit {
        /// What is wrong with what is staged.
        reason: String,
    },
    /// The vault has no recovery key, or this is not it.
    #[error("the recovery key does not open this vault")]
    WrongRecoveryKey,
    /// The new password is too weak.
    #[error(transparent)]
    WeakPassword(#[from] PasswordError),
    /// Nothing by this name.
    #[error("no such {what}")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// No owner of this name.
    #[error("no such owner: {name}")]
    OwnerNotFound {
        /// The name.
        name: String,
    },
    /// Another owner has this name.
    #[error("there is an owner {name:?} already")]
    OwnerExists {
        /// The name.
        name: String,
    },
    /// The address book has this label for another address, or this address under another label.
    #[error("the address book has {label:?} for {address} already")]
    ContactExists {
        /// The label that is there.
        label: String,
        /// The address that is there.
        address: Address,
    },
    /// The owner still has wallets.
    #[error("owner {name:?} still has {wallets} active wallets and {others} others")]
    OwnerHasWallets {
        /// The name.
        name: String,
        /// Its active wallets.
        wallets: u64,
        /// Those that were replaced, retired or deleted.
        others: u64,
    },
    /// The owner has as many wallets as it may have.
    #[error(
        "owner {owner:?} has no room for this: {wallets} wallets with it already or just now, and the limit is {limit}"
    )]
    OwnerFull {
        /// The owner's name.
        owner: String,
        /// How many it would have before the one that is too many.
        wallets: u64,
        /// How many it may have.
        limit: u64,
    },
    /// A transfer of the wallet is not resolved yet.
    #[error("a transfer of wallet {} is under way", wallet.abbreviated())]
    TransferUnderWay {
        /// The wallet.
        wallet: AccountAddress,
    },
    /// Another process took up items of the job, or the job does not go on.
    #[error("the job is not as it was: another process took up its items, or it was paused")]
    JobMoved,
    /// Several wallets carry this label.
    #[error("{count} wallets are called {what:?}")]
    Ambiguous {
        /// The label.
        what: String,
        /// How many carry it.
        count: u64,
    },
    /// The database file is not a database, is cut short, or fails its integrity check.
    #[error("the database is damaged: {detail}")]
    Damaged {
        /// What was found.
        detail: String,
    },
    /// The file or its disk cannot be written.
    #[error("the database cannot be written: the file, its folder or the disk is read-only")]
    ReadOnly,
    /// The disk is full.
    #[error("the disk is full; nothing was changed")]
    DiskFull,
    /// Another process held the database for longer than the wait.
    #[error("the database is held by another process")]
    Busy,
    /// A newer version of the program wrote this database.
    #[error(
        "the database was written by a newer version of keyward (schema {found}, this version knows {known})"
    )]
    NewerSchema {
        /// The newest schema version in the file.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// The location names a store that this version does not open.
    #[error("this version opens SQLite and PostgreSQL vaults, not {scheme}")]
    UnsupportedStore {
        /// The URL's scheme.
        scheme: String,
    },
    /// The database server cannot be reached, or the connection broke. What was under way was not stored.
    #[error("the database server cannot be reached: {detail}")]
    Unreachable {
        /// What the network or the server said.
        detail: String,
    },
    /// The database server does not let this user in, or not do this.
    #[error("the database server refuses: {detail}")]
    AccessDenied {
        /// What the server said.
        detail: String,
    },
    /// The connection broke while a change was being committed, and what became of it could not be found out.
    #[error(
        "the connection to the database broke at the last moment: it is not known whether the change was stored"
    )]
    OutcomeUnknown,
    /// The audit entry could not be written, so the operation did not happen.
    #[error("the audit entry could not be written, so nothing was done: {0}")]
    AuditUnwritable(#[source] Box<CustodyError>),
    /// The audit log does not verify.
    #[error("the audit log is broken at entry {sequence}: {reason}")]
    AuditBroken {
        /// The first bad entry.
        sequence: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// Too many looks at the locked vault's audit log wait for a signature.
    #[error("the audit log of the locked vault was looked at too often: its entries wait for a signature")]
    UnsignedReads,
    /// The clock reads earlier than the last audit entry.
    #[error("the clock is {behind_ms} ms behind the last audit entry")]
    ClockBehind {
        /// By how much, in milliseconds.
        behind_ms: u64,
    },
    /// An argument out of its range.
    #[error("invalid {what}: {reason}")]
    Invalid {
        /// Which argument.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The vault has another setting than this program was told to expect.
    #[error("the vault's setting {setting} is {found}, and this program expects {wanted}")]
    SettingDiffers {
        /// Which setting.
        setting: SettingKey,
        /// What the program expects.
        wanted: u64,
        /// What the vault has.
        found: u64,
    },
    /// An unresolved transfer makes the same payment.
    #[error("the same payment is under way already: {signature}")]
    SamePayment {
        /// The signature of the unresolved one.
        signature: Signature,
    },
    /// The caller cancelled the job; nothing was stored.
    #[error("cancelled; nothing was stored")]
    Cancelled,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Randomness,
    /// Anything else the database or the file system said.
    #[error("storage failed: {0}")]
    Storage(#[source] StorageError),
}

impl CustodyError {
    /// What a person can do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NotInitialised => "create one with `keyward init`, or name another file with --vault",
            Self::AlreadyInitialised => "unlock it, or name another file with --vault",
            Self::Locked => "unlock the vault first",
            Self::WrongPassword => {
                "try again; if the password is right, restore the file from a backup or the vault from its phrase"
            }
            Self::SecondFactorMissing => {
                "set KEYWARD_ENCRYPTION_KEY to the 32 bytes this vault was made with"
            }
            Self::LockedOut { .. } => {
                "wait, then try again; the delay grows with every wrong password and survives a restart"
            }
            Self::WalletPasswordNeeded { .. } => "give the wallet's own password besides the vault's",
            Self::WrongWalletPassword { .. } => {
                "try again; a key whose password is lost can be had again from its phrase or its file"
            }
            Self::WalletLockedOut { .. } => {
                "wait, then try again; the delay grows with every wrong password and survives a restart"
            }
            Self::AlreadyRotated { .. } => {
                "use the new key; `keyward rotate chain` lists every key of the wallet"
            }
            Self::NotDue { .. } => "rotate it by hand with `keyward rotate now`, or wait until it is due",
            Self::WalletDeleted { .. } => "restore it first; until it is purged it can be",
            Self::WalletRetired { .. } => {
                "use the wallet that came in its place; `keyward rotate extend` lets an old one sign again for a while"
            }
            Self::WalletPurged { .. } => {
                "derive it again from its phrase, or import its key again from where you keep it, into another vault"
            }
            Self::ExportRefused { .. } => "change the policy if this key is to leave",
            Self::KeyRotated => "unlock again",
            Self::RotationUnderWay => {
                "bring it to its end with `keyward vault rotate`, or throw it away with `keyward vault rotate --abandon`"
            }
            Self::RotationStopped { .. } => {
                "go on with `keyward vault rotate`, or throw it away with `keyward vault rotate --abandon`"
            }
            Self::RotationAbandoned => "begin again with `keyward vault rotate`",
            Self::RotationUnfit { .. } => {
                "throw it away with `keyward vault rotate --abandon`, then begin again; no wallet was touched"
            }
            Self::WrongRecoveryKey => {
                "compare it with your copy, group by group; rotating the vault key makes a new one"
            }
            Self::WeakPassword(_) => "take a longer one: four or five random words make a good password",
            Self::NotFound { what } if what == "phrase" => {
                "see `keyward phrases list`; a vault that holds none gets one with `keyward import`"
            }
            Self::NotFound { .. } => "look at the list of wallets and check the spelling",
            Self::OwnerNotFound { .. } => {
                "look at the list of owners (`keyward owners list`) and check the spelling"
            }
            Self::ContactExists { .. } => {
                "rename or remove the one that is there (`keyward book`), or take another label"
            }
            Self::OwnerExists { .. } => "take another name, or use the owner that is there",
            Self::OwnerHasWallets { .. } => {
                "take them away or give them to another owner first (`keyward wallets assign`), or purge those deleted"
            }
            Self::OwnerFull { .. } => {
                "take a wallet away from this owner first, name fewer, or raise the vault's setting max_wallets_per_owner"
            }
            Self::TransferUnderWay { .. } => "follow it to its end first (`keyward transfers resume`)",
            Self::JobMoved => "run the job again; nothing was sent",
            Self::Ambiguous { .. } => "name the wallet by its address or its #index",
            Self::Damaged { .. } => {
                "leave the file as it is and restore a copy; keys can be had again from the phrase"
            }
            Self::ReadOnly => {
                "check the permissions of the file and its folder, and whether the disk is mounted read-only"
            }
            Self::DiskFull => "free some space and try again",
            Self::Busy => "close the other keyward, or try again in a moment",
            Self::NewerSchema { .. } => "use the newer keyward; this one leaves the file untouched",
            Self::UnsupportedStore { .. } => "name a file path, or a sqlite:// or postgres:// URL",
            Self::Unreachable { .. } => {
                "check that the server runs, its address, the network and its certificate (sslrootcert=FILE names the \
                 authority of a server of your own), then try again"
            }
            Self::AccessDenied { .. } => {
                "check the user, the password and the database in DATABASE_URL, and what the user may do there"
            }
            Self::OutcomeUnknown => "look at the audit log once the database is back, before doing it again",
            Self::UnsignedReads => "unlock the vault, which signs them, then look again",
            Self::AuditUnwritable(_) => "mend what stops the audit log, then try again",
            Self::AuditBroken { .. } => {
                "stop signing, keep the file, compare with a backup and with kept checkpoints"
            }
            Self::ClockBehind { .. } => "set the clock right, then try again",
            Self::Invalid { .. } => "correct it and try again",
            Self::SettingDiffers { .. } => {
                "change the vault's setting with `keyward vault settings set`, or what this program expects"
            }
            Self::SamePayment { .. } => {
                "follow it to its end first; if this is a separate payment, say so and send it again"
            }
            Self::Cancelled => "start again when you want it done",
            Self::Randomness => "check the operating system's random device",
            Self::Storage(_) => "check the disk and the file's permissions, then try again",
        }
    }

    /// A short stable word for scripts and audit entries.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotInitialised => "not-initialised",
            Self::AlreadyInitialised => "already-initialised",
            Self::Locked => "locked",
            Self::WrongPassword => "wrong-password",
            Self::SecondFactorMissing => "second-factor-missing",
            Self::LockedOut { .. } => "locked-out",
            Self::WalletPasswordNeeded { .. } => "wallet-password-needed",
            Self::WrongWalletPassword { .. } => "wrong-wallet-password",
            Self::WalletLockedOut { .. } => "wallet-locked-out",
            Self::AlreadyRotated { .. } => "already-rotated",
            Self::NotDue { .. } => "not-due",
            Self::WalletDeleted { .. } => "wallet-deleted",
            Self::WalletRetired { .. } => "wallet-retired",
            Self::WalletPurged { .. } => "wallet-purged",
            Self::ExportRefused { .. } => "export-refused",
            Self::KeyRotated => "key-rotated",
            Self::RotationUnderWay => "rotation-under-way",
            Self::RotationStopped { .. } => "rotation-stopped",
            Self::RotationAbandoned => "rotation-abandoned",
            Self::RotationUnfit { .. } => "rotation-unfit",
            Self::WrongRecoveryKey => "wrong-recovery-key",
            Self::WeakPassword(_) => "weak-password",
            Self::NotFound { .. } => "not-found",
            Self::OwnerNotFound { .. } => "owner-not-found",
            Self::ContactExists { .. } => "contact-exists",
            Self::OwnerExists { .. } => "owner-exists",
            Self::OwnerHasWallets { .. } => "owner-has-wallets",
            Self::OwnerFull { .. } => "owner-full",
            Self::TransferUnderWay { .. } => "transfer-under-way",
            Self::JobMoved => "job-moved",
            Self::Ambiguous { .. } => "ambiguous",
            Self::Damaged { .. } => "damaged",
            Self::ReadOnly => "read-only",
            Self::DiskFull => "disk-full",
            Self::Busy => "busy",
            Self::NewerSchema { .. } => "newer-schema",
            Self::UnsupportedStore { .. } => "unsupported-store",
            Self::Unreachable { .. } => "database-unreachable",
            Self::AccessDenied { .. } => "database-access-denied",
            Self::OutcomeUnknown => "outcome-unknown",
            Self::UnsignedReads => "unsigned-reads",
            Self::AuditUnwritable(_) => "audit-unwritable",
            Self::AuditBroken { .. } => "audit-broken",
            Self::ClockBehind { .. } => "clock-behind",
            Self::Invalid { .. } => "invalid",
            Self::SettingDiffers { .. } => "setting-differs",
            Self::SamePayment { .. } => "same-payment",
            Self::Cancelled => "cancelled",
            Self::Randomness => "randomness",
            Self::Storage(_) => "storage",
        }
    }

    pub(crate) fn damaged(detail: impl Into<String>) -> Self {
        Self::Damaged {
            detail: detail.into(),
        }
    }

    pub(crate) fn invalid(what: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid {
            what,
            reason: reason.into(),
        }
    }
}

/// What the database or file system said, with no type of theirs in it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{detail}")]
pub struct StorageError {
    detail: String,
    #[source]
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl StorageError {
    pub(crate) fn new(detail: impl Into<String>, source: Option<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            detail: detail.into(),
            source: source.map(Arc::from),
        }
    }
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// Policy refuses it.
    #[error("refused by policy: {}", join(reasons))]
    Refused {
        /// Every reason, each with its own remedy.
        reasons: Vec<Refusal>,
    },
    /// The bytes are not one canonical transaction.
    #[error("the transaction does not decode: {0}")]
    Undecodable(#[source] DecodeError),
    /// The bytes are no EVM transaction that is yet to be signed.
    #[error("the EVM transaction does not decode: {0}")]
    Evm(#[source] TransactionError),
    /// The EVM transaction is for another chain than the caller means.
    #[error("the transaction is for chain {found}, and was to be signed for chain {asked}")]
    WrongChain {
        /// The chain that was asked for.
        asked: u64,
        /// The chain in the bytes.
        found: u64,
    },
    /// The document is no typed data.
    #[error("the typed data does not decode: {0}")]
    TypedData(#[source] TypedDataError),
    /// The lookup tables that were handed in do not fit the message.
    #[error("the lookup tables do not resolve: {0}")]
    LookupTables(#[source] ResolveError),
    /// Somebody else's signature is there already, and is none over this message.
    #[error("the signature of {} in it is not valid, so the network would refuse it", signer.abbreviated())]
    InvalidSignature {
        /// Whose it should be.
        signer: AccountAddress,
    },
    /// The off-chain message names other signers.
    #[error("the off-chain message does not name wallet {} among its signers", wallet.abbreviated())]
    NotInvited {
        /// The wallet that was asked to sign.
        wallet: Address,
    },
    /// The sign-in is for another page or another time.
    #[error("the sign-in is refused: {0}")]
    SignIn(#[source] SignInError),
    /// A sign-in that was handed in as a plain text, without the page that asks.
    #[error("the text is a sign-in, and the page that asks for it is not known")]
    SignInUnchecked,
    /// No wallet of this vault is asked to sign.
    #[error("no wallet of this vault is among the transaction's signers")]
    NoSigner,
    /// The wallet signed too often in the last minute.
    #[error("wallet {} has signed {limit} times within a minute", wallet.abbreviated())]
    RateLimited {
        /// The wallet.
        wallet: AccountAddress,
        /// The limit, per 60 seconds.
        limit: u64,
        /// When the next signature may be asked for, in milliseconds from now.
        retry_after_ms: u64,
    },
    /// The wallet signed only just now, and the vault's settings ask for a pause.
    #[error(
        "wallet {} signed less than {} s ago",
        wallet.abbreviated(),
        interval_ms.div_ceil(1000)
    )]
    TooSoon {
        /// The wallet.
        wallet: AccountAddress,
        /// The least time between two authorisations, in milliseconds.
        interval_ms: u64,
        /// When the next signature may be asked for, in milliseconds from now.
        retry_after_ms: u64,
    },
    /// A text message that would be a valid transaction.
    #[error("the message reads as a transaction, and is not signed as a text")]
    LooksLikeTransaction,
    /// The key was opened and did not produce a valid signature.
    #[error("signing failed: {reason}")]
    Failed {
        /// What failed.
        reason: String,
    },
    /// The vault or its store.
    #[error(transparent)]
    Custody(#[from] CustodyError),
}

impl SignError {
    /// A short stable word, the same as the audit entry's.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused { reasons } => reasons.first().map_or("refused", Refusal::code),
            Self::Undecodable(_) => "undecodable",
            Self::Evm(_) | Self::TypedData(_) => "undecodable",
            Self::WrongChain { .. } => "wrong-chain",
            Self::LookupTables(_) => "lookup-tables",
            Self::InvalidSignature { .. } => "invalid-signature",
            Self::NotInvited { .. } => "not-invited",
            Self::SignIn(_) => "sign-in-refused",
            Self::SignInUnchecked => "sign-in-unchecked",
            Self::NoSigner => "no-signer",
            Self::RateLimited { .. } => "rate-limited",
            Self::TooSoon { .. } => "too-soon",
            Self::LooksLikeTransaction => "looks-like-transaction",
            Self::Failed { .. } => "signing-failed",
            Self::Custody(error) => error.code(),
        }
    }

    pub(crate) fn other_curve() -> Self {
        Self::Failed {
            reason: "the signature is of another curve than the wallet".to_owned(),
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Refused { .. } => {
                "each reason says what would have to change: the transaction, or the policy"
            }
            Self::Undecodable(_) => {
                "have the transaction made again by a current wallet or library; nothing was signed"
            }
            Self::Evm(_) | Self::TypedData(_) => "have it made again as its reason says; nothing was signed",
            Self::WrongChain { .. } => "check which network the application is connected to, and ask again",
            Self::LookupTables(_) => "fetch the tables again, or have the transaction built without them",
            Self::InvalidSignature { .. } => {
                "have its other signers sign exactly this transaction, or ask for one without their signatures"
            }
            Self::NotInvited { .. } => "sign with a wallet that it names, or have it made for this one",
            Self::SignIn(_) => "sign in only on the page that the text names, while it holds",
            Self::SignInUnchecked => "sign it as a sign-in, which is told the page that asks",
            Self::NoSigner => {
                "derive or import the wallet that is to sign, or check the transaction's fee payer"
            }
            Self::RateLimited { .. } | Self::TooSoon { .. } => "wait a little, then try again",
            Self::LooksLikeTransaction => "sign it as a transaction, so that policy can see what it does",
            Self::Failed { .. } => "verify the audit log and the vault file; the reservation stays spent",
            Self::Custody(error) => error.remedy(),
        }
    }
}

fn join(reasons: &[Refusal]) -> String {
    let texts: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    texts.join("; ")
}
