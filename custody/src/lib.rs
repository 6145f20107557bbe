//! Custody over the Keyward core: stores, the vault, wallets, signing under policy, audit, chain access.
//!
//! A library for a terminal, a script or a server to call: it has no terminal and no prompt of its own, and
//! it never asks a person anything. The entry is [`Custody::builder`]; everything else hangs on that handle,
//! which is cheap to clone and safe to share between tasks.
//!
//! Three boundaries hold inside it. Only `store` names the database library. Only `chain` knows JSON-RPC.
//! Signatures come only from `keyward_core::policy::ApprovedMessage`, which policy alone can construct; there
//! is no other road from a wallet's key to a signature.

pub mod attempts;
pub mod audit;
mod builder;
pub mod chain;
pub mod clock;
pub mod error;
pub mod location;
pub mod memory;
pub mod metrics;
pub mod password;
pub mod progress;
pub mod relocate;
pub mod settings;
pub mod signing;
pub mod sink;
mod store;
pub mod transfer;
pub mod vault;
pub mod wallets;
mod witness;

pub use attempts::{Attempt, AttemptId, AttemptQuery, AttemptState, NewAttempt};
pub use audit::{AuditPage, AuditQuery, AuditReport};
pub use builder::CustodyBuilder;
pub use clock::{Clock, SystemClock};
pub use error::{CustodyError, SignError, StorageError};
pub use location::StoreLocation;
pub use metrics::{EntryFate, Metrics, NoMetrics, PrometheusMetrics, SigningOutcome};
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
    Custody, ImportedVault, NewVault, OpenOptions, PolicySource, RotateOptions, Rotation, RotationStatus,
    VaultStatus, VaultSummary,
};
pub use wallets::{
    DeriveRequest, DerivedRange, ImportReport, ImportedPhrase, KeyImport, MasterId, MasterSummary, Wallet,
    WalletPage, WalletQuery, WalletSort, WalletStatus,
};
