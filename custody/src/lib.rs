//! Custody over the Keyward core: stores, the vault, wallets, signing under policy, audit, chain access.
//!
//! A library for a terminal, a script or a server to call: it has no terminal and no prompt of its own, and
//! it never asks a person anything. The entry is [`Custody::builder`]; everything else hangs on that handle,
//! which is cheap to clone and safe to share between tasks.
//!
//! # Embedding it
//!
//! A service describes what it wants with [`Custody::builder`], opens, unlocks once, and signs from as many tasks as it likes.
//! `examples/trading_bot.rs` is a whole program of that kind.
//!
//! ```
//! use std::sync::Arc;
//!
//! use keyward_core::amount::Lamports;
//! use keyward_core::mnemonic::Mnemonic;
//! use keyward_core::path::PathFamily;
//! use keyward_core::policy::PolicyLimits;
//! use keyward_custody::{
//!     AuditReport, Custody, DeriveRequest, NewVault, Password, Progress, PrometheusMetrics, StoreLocation,
//! };
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("vault.db");
//! let metrics = Arc::new(PrometheusMetrics::new());
//! let custody = Custody::builder()
//!     .storage(StoreLocation::from_path(path)) // or StoreLocation::parse("postgres://…")
//!     .actor("settlement")
//!     .max_failed_attempts(3)
//!     .metrics(metrics.clone())
//!     .open()
//!     .await?;
//!
//! // Once, by whoever sets the service up: a vault and its wallets.
//! let limits = PolicyLimits {
//!     sol_per_transaction: Lamports::ONE_SOL,
//!     tokens_per_transaction: 0,
//!     max_priority_fee: Lamports::new(1_000_000),
//!     evm: None,
//! };
//! let new = NewVault {
//!     password: Password::new("tidal wicker omen 9041".to_owned()),
//!     second_factor: None,
//!     kdf: "scrypt-16384".parse()?, // the default costs a guess eight times as much
//!     limits,
//!     mnemonic: Mnemonic::from_entropy(&[7; 16])?, // 16 to 32 random bytes
//!     passphrase: String::new().into(),
//!     family: PathFamily::default(),
//! };
//! custody.create_vault(new).await?;
//! let two = DeriveRequest { count: 2, ..DeriveRequest::default() };
//! custody.derive_wallets(two, &Progress::new()).await?;
//! custody.lock().await;
//!
//! // At every start.
//! custody.unlock(&Password::new("tidal wicker omen 9041".to_owned()), None).await?;
//!
//! // From every task: handles are cheap, and each may act under a name of its own.
//! let mut tasks = tokio::task::JoinSet::new();
//! for desk in ["asia", "europe"] {
//!     let custody = custody.acting_as(desk)?;
//!     tasks.spawn(async move {
//!         let wallet = custody.wallet("#0").await?;
//!         custody.sign_message(wallet.address, desk.as_bytes()).await
//!     });
//! }
//! while let Some(signed) = tasks.join_next().await {
//!     signed??;
//! }
//! assert!(metrics.render().contains("keyward_signatures_total{kind=\"message\"} 2"));
//! assert!(matches!(custody.audit_verify(None).await?, AuditReport::Intact { .. }));
//! custody.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! - **Handles.** [`Custody`] is `Send`, `Sync` and `Clone`. Clones and [`Custody::acting_as`] share one store and one session:
//!   unlocking, locking and closing one does it for all. A second [`CustodyBuilder::open`] is as another process.
//! - **Many processes** may have one vault open. What a wallet or the vault may do is counted in the database, so processes
//!   together do no more than one could.
//! - **Cancelling.** Dropping a call's future is safe at any point; whether the change was committed by then, the log tells.
//!   A request for signatures may simply be made again: the same bytes give the same signature, and spend once.
//! - **Errors.** [`CustodyError`] and [`SignError`] say their cause (`Display`), what to do about it (`remedy`) and a stable word
//!   (`code`). [`CustodyError::is_fault`] tells trouble with the store from a refusal; [`CustodyError::Busy`] and
//!   [`CustodyError::Unreachable`] are worth another try.
//! - **Settings of the vault** that the builder names begin with a vault made through it; a vault that is there must have them,
//!   else opening is refused ([`CustodyError::SettingDiffers`]).
//! - **Metrics** go to [`Metrics`]; [`PrometheusMetrics`] renders them as text for whatever HTTP server the service has.
//! - **The audit log** is in the database. An [`AuditSink`] is told of each entry after its commit, from a bounded queue, and
//!   holds nothing up; see [`sink`].
//! - **A limit of the library**: it does not lock by itself. A service that should forget its key calls [`Custody::lock`].
//!
//! Three boundaries hold inside it. Only `store` names the database library. Only `chain` knows JSON-RPC.
//! Signatures come only from `keyward_core::policy::ApprovedMessage`, which policy alone can construct; there
//! is no other road from a wallet's key to a signature.

pub mod attempts;
pub mod audit;
pub mod book;
mod builder;
pub mod chain;
pub mod changes;
pub mod client;
pub mod clock;
pub mod distribution;
pub mod error;
pub mod fees;
pub mod jobs;
pub mod keyrotation;
pub mod location;
pub mod lookalike;
pub mod memory;
pub mod metrics;
pub mod owners;
pub mod password;
pub mod portfolio;
pub mod progress;
pub mod relocate;
pub mod settings;
pub mod signing;
pub mod sink;
mod store;
pub mod sweep;
pub mod transfer;
pub mod vault;
pub mod wallets;
mod witness;

pub use attempts::{Attempt, AttemptId, AttemptQuery, AttemptState, NewAttempt};
pub use audit::{
    AuditCount, AuditExport, AuditPage, AuditQuery, AuditReader, AuditReport, AuditRow, AuditRows,
    RedactReport, RetentionClass,
};
pub use book::{Contact, ContactPage, ContactQuery, ContactsAdded, NewContact};
pub use builder::CustodyBuilder;
pub use client::ClientIdentity;
pub use clock::{Clock, SystemClock};
pub use error::{CustodyError, SignError, StorageError};
pub use fees::{FeePolicy, FeePolicyError, FeePrice, Percent};
pub use keyrotation::{
    DueCursor, DuePage, DueQuery, DueReport, FailedRotation, KeyRotation, RotationInterval, Schedule,
    SkipReason, SkippedRotation,
};
pub use location::StoreLocation;
pub use metrics::{EntryFate, Metrics, NoMetrics, PrometheusMetrics, SigningOutcome};
pub use owners::{Assigned, Owner, OwnerPage, OwnerQuery};
pub use password::{Password, PasswordError};
pub use progress::{Progress, ProgressState};
pub use relocate::{CopyReport, SchemaState, SchemaStep};
pub use settings::{SettingKey, SettingKind, VaultSettings};
pub use signing::{
    EvmPreview, EvmSignRequest, MessagePreview, PreviewDecision, RefusalText, SignRequest,
    SignedEvmTransaction, SignedTransaction, SignedTypedData, SigningObserver, SigningPreview, SigningStep,
    WalletPasswords,
};
pub use sink::{AuditSink, CommittedEntry, MissedEntries, SinkError};
pub use vault::{
    Custody, ImportedVault, Lockout, MergeConflict, MergeDifference, MergeField, MergeReport, NewVault,
    OpenOptions, PolicySource, RotateOptions, Rotation, RotationStatus, VaultStatus, VaultSummary,
};
pub use wallets::{
    DeriveRequest, DerivedRange, ImportReport, ImportedPhrase, KeyImport, MasterId, MasterSummary, Purged,
    Restored, StatusFilter, Wallet, WalletCursor, WalletPage, WalletQuery, WalletSort, WalletStatus,
};
