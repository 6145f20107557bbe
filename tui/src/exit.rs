//! How the program ends: documented exit codes, and a failure with its cause and its remedy.
//!
//! The codes and the shape of the JSON error are part of the scripting interface (`docs/cli.md`). No failure carries a
//! secret: its texts come from error types that hold none.

use std::process::ExitCode;

use keyward_core::solana::DecodeError;
use keyward_custody::chain::ChainError;
use keyward_custody::distribution::DistributionError;
use keyward_custody::jobs::JobError;
use keyward_custody::portfolio::PortfolioError;
use keyward_custody::sweep::SweepError;
use keyward_custody::transfer::TransferError;
use keyward_custody::{CustodyError, SignError};
use serde_json::{Value, json};

use crate::config::ConfigError;

/// What the exit code of the process says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// Something that should not happen, or that has no code of its own.
    Unexpected = 1,
    /// The command line is wrong, or asks for a confirmation that nobody can give.
    Usage = 2,
    /// Policy, a rate limit or the signing service refused.
    Refused = 3,
    /// The vault is locked: wrong or missing password or second factor, or too many tries.
    Locked = 4,
    /// No such vault, wallet, file or setting.
    NotFound = 5,
    /// No endpoint, the node or the database server does not answer, or its answer is not known for sure.
    Unreachable = 6,
    /// The audit log or a message's signature does not verify.
    Unverified = 7,
    /// The database or a file: damaged, read-only, full, busy.
    Storage = 8,
    /// The transaction failed on chain, would fail, or expired.
    TransferFailed = 9,
    /// An argument or input that is not what it should be.
    InvalidInput = 10,
    /// Cancelled by the person: Ctrl-C, or "no" at a confirmation.
    Cancelled = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        // The enum is `repr(u8)`: the cast is its value.
        Self::from(exit as u8)
    }
}

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    code: String,
    message: String,
    remedy: String,
    reasons: Vec<Value>,
}

impl Failure {
    /// A failure with a stable `snake_case` code, its cause and what to do about it.
    pub fn new(exit: Exit, code: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        // Chain errors spell their codes with hyphens; scripts see one spelling.
        Self {
            exit,
            code: code.replace('-', "_"),
            message: message.into(),
            remedy: remedy.into(),
            reasons: Vec::new(),
        }
    }

    /// An argument or input that is not what it should be.
    pub fn invalid(code: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(Exit::InvalidInput, code, message, remedy)
    }

    /// The exit code to end with.
    pub const fn exit(&self) -> Exit {
        self.exit
    }

    /// The stable word for scripts.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The cause, in words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Adds one reason of a refusal, with its own code.
    pub(crate) fn with_reason(mut self, code: &str, message: String) -> Self {
        self.reasons.push(json!({ "code": code, "message": message }));
        self
    }

    /// The JSON object that `--json` writes to standard error.
    pub fn to_json(&self) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message, "remedy": self.remedy });
        if let (false, Some(fields)) = (self.reasons.is_empty(), error.as_object_mut()) {
            fields.insert("reasons".to_owned(), Value::Array(self.reasons.clone()));
        }
        json!({ "error": error })
    }

    /// The lines for a person.
    pub fn to_text(&self) -> String {
        let mut text = format!("error: {}\n", crate::output::printable(&self.message));
        for reason in &self.reasons {
            if let Some(message) = reason.get("message").and_then(Value::as_str) {
                text.push_str(&format!("  - {}\n", crate::output::printable(message)));
            }
        }
        if !self.remedy.is_empty() {
            text.push_str(&format!("  try: {}\n", self.remedy));
        }
        text
    }
}

impl From<CustodyError> for Failure {
    fn from(error: CustodyError) -> Self {
        if let CustodyError::ExportRefused { reasons } = &error {
            let failure = Self::new(
                Exit::Refused,
                "refused",
                "refused by policy; the key stays where it is",
                error.remedy(),
            );
            return reasons.iter().fold(failure, |failure, reason| {
                failure.with_reason(reason.code(), reason.to_string())
            });
        }
        Self::new(
            custody_exit(&error),
            error.code(),
            error.to_string(),
            error.remedy(),
        )
    }
}

fn custody_exit(error: &CustodyError) -> Exit {
    use CustodyError as E;
    match error {
        E::Locked
        | E::WrongPassword
        | E::SecondFactorMissing
        | E::LockedOut { .. }
        | E::WalletPasswordNeeded { .. }
        | E::WrongWalletPassword { .. }
        | E::WalletLockedOut { .. }
        | E::WrongRecoveryKey
        | E::KeyRotated => Exit::Locked,
        E::NotInitialised | E::NotFound { .. } | E::OwnerNotFound { .. } => Exit::NotFound,
        E::AlreadyInitialised
        | E::WeakPassword(_)
        | E::Ambiguous { .. }
        | E::AlreadyRotated { .. }
        | E::NotDue { .. }
        | E::OwnerExists { .. }
        | E::ContactExists { .. }
        | E::OwnerHasWallets { .. }
        | E::Invalid { .. }
        | E::UnsupportedStore { .. } => Exit::InvalidInput,
        E::Damaged { .. }
        | E::ReadOnly
        | E::DiskFull
        | E::Busy
        | E::NewerSchema { .. }
        | E::AccessDenied { .. }
        | E::Storage(_) => Exit::Storage,
        E::Unreachable { .. } | E::OutcomeUnknown => Exit::Unreachable,
        E::UnsignedReads => Exit::Locked,
        E::AuditUnwritable(inner) => match custody_exit(inner) {
            Exit::Unexpected => Exit::Storage,
            exit => exit,
        },
        E::AuditBroken { .. } => Exit::Unverified,
        E::ClockBehind { .. }
        | E::ExportRefused { .. }
        | E::OwnerFull { .. }
        | E::TransferUnderWay { .. }
        | E::JobMoved
        | E::WalletDeleted { .. }
        | E::WalletRetired { .. }
        | E::WalletPurged { .. } => Exit::Refused,
        E::Cancelled | E::RotationStopped { .. } => Exit::Cancelled,
        E::RotationUnderWay | E::RotationAbandoned | E::RotationUnfit { .. } => Exit::InvalidInput,
        _ => Exit::Unexpected,
    }
}

impl From<SignError> for Failure {
    fn from(error: SignError) -> Self {
        let (code, remedy) = (error.code(), error.remedy());
        let exit = match error {
            SignError::Refused { ref reasons } => {
                let failure = Self::new(
                    Exit::Refused,
                    "refused",
                    "refused by policy; nothing was signed",
                    remedy,
                );
                return reasons.iter().fold(failure, |failure, reason| {
                    failure.with_reason(reason.code(), reason.to_string())
                });
            }
            SignError::Custody(error) => return error.into(),
            SignError::RateLimited { .. }
            | SignError::TooSoon { .. }
            | SignError::LooksLikeTransaction
            | SignError::InvalidSignature { .. }
            | SignError::NotInvited { .. }
            | SignError::SignIn(_)
            | SignError::SignInUnchecked => Exit::Refused,
            SignError::Evm(_)
            | SignError::TypedData(_)
            | SignError::LookupTables(_)
            | SignError::WrongChain { .. } => Exit::InvalidInput,
            SignError::Undecodable(ref reason) => {
                let failure = Self::new(
                    Exit::InvalidInput,
                    code,
                    "this is no transaction that can be signed",
                    remedy,
                );
                return failure.with_reason(decode_code(reason), reason.to_string());
            }
            SignError::NoSigner => Exit::NotFound,
            _ => Exit::Unexpected,
        };
        Self::new(exit, code, error.to_string(), remedy)
    }
}

impl From<ChainError> for Failure {
    fn from(error: ChainError) -> Self {
        let exit = match error {
            ChainError::InvalidUrl { .. }
            | ChainError::OutOfBounds { .. }
            | ChainError::LookupTable { .. } => Exit::InvalidInput,
            _ => Exit::Unreachable,
        };
        Self::new(exit, error.code(), error.to_string(), error.remedy())
    }
}

impl From<PortfolioError> for Failure {
    fn from(error: PortfolioError) -> Self {
        match error {
            PortfolioError::Chain(error) => error.into(),
            PortfolioError::Custody(error) => error.into(),
            other => Self::new(Exit::Unexpected, "portfolio", other.to_string(), "try again"),
        }
    }
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        use TransferError as E;
        let (exit, code) = match error {
            E::Chain(error) => return error.into(),
            E::Sign(error) => return error.into(),
            E::Custody(error) => return error.into(),
            E::Token { .. } => (Exit::InvalidInput, "token_unfit"),
            E::InsufficientTokens { .. } => (Exit::TransferFailed, "insufficient_tokens"),
            E::Nonce { .. } => (Exit::InvalidInput, "nonce_unfit"),
            E::Signed { .. } => (Exit::InvalidInput, "signed_unfit"),
            E::SameAccount => (Exit::InvalidInput, "same_account"),
            E::ZeroAmount => (Exit::InvalidInput, "zero_amount"),
            E::MemoTooLong { .. } => (Exit::InvalidInput, "memo_too_long"),
            E::Build { .. } => (Exit::InvalidInput, "transfer_not_buildable"),
            E::InsufficientFunds { .. } => (Exit::TransferFailed, "insufficient_funds"),
            E::RecipientBelowRent { .. } => (Exit::TransferFailed, "recipient_below_rent"),
            E::SenderBelowRent { .. } => (Exit::TransferFailed, "sender_below_rent"),
            E::WouldFail { .. } => (Exit::TransferFailed, "would_fail"),
            E::PlanExpired => (Exit::TransferFailed, "plan_expired"),
            E::Unresolved { .. } => (Exit::TransferFailed, "unresolved_equal_transfer"),
            E::OtherNetwork { .. } => (Exit::TransferFailed, "other_network"),
            E::Unknown { .. } => (Exit::Unreachable, "outcome_unknown"),
            _ => (Exit::Unexpected, "transfer"),
        };
        let remedy = match error {
            E::Unresolved { .. } => {
                "finish it with `keyward transfers resume`; if this is a separate payment, give --separate"
                    .to_owned()
            }
            E::Unknown { .. } => {
                "`keyward transfers resume` goes on with the same bytes; nothing is signed anew".to_owned()
            }
            ref other => other.remedy(),
        };
        Self::new(exit, code, error.to_string(), remedy)
    }
}

/// The stable word for why bytes are no transaction.
const fn decode_code(error: &DecodeError) -> &'static str {
    match error {
        DecodeError::Empty => "empty",
        DecodeError::Truncated { .. } => "truncated",
        DecodeError::TrailingBytes { .. } => "trailing_bytes",
        DecodeError::NonCanonical { .. } => "non_canonical",
        DecodeError::UnsupportedVersion(_) => "unsupported_version",
        DecodeError::OffChainMessage => "off_chain_message",
        DecodeError::TooLong { .. } => "too_long",
        DecodeError::BadIndex { .. } => "bad_index",
        DecodeError::FeePayerAsProgram { .. } => "fee_payer_as_program",
        DecodeError::BadHeader => "bad_header",
        DecodeError::DuplicateAccount { .. } => "duplicate_account",
        DecodeError::EmptyLookup { .. } => "empty_lookup",
        DecodeError::TooManyAccounts { .. } => "too_many_accounts",
        DecodeError::SignatureCount { .. } => "signature_count",
        DecodeError::TooManySigners { .. } => "too_many_signers",
        DecodeError::TooManyInstructions { .. } => "too_many_instructions",
        DecodeError::BadConfigMask { .. } => "bad_config_mask",
        DecodeError::BadHeapSize { .. } => "bad_heap_size",
        _ => "undecodable",
    }
}

impl From<DistributionError> for Failure {
    fn from(error: DistributionError) -> Self {
        use DistributionError as E;
        let (code, remedy) = (error.code(), error.remedy());
        let exit = match error {
            E::Chain(error) => return error.into(),
            E::Sign(error) => return error.into(),
            E::Custody(error) => return error.into(),
            E::Names(ref names) => {
                let failure = Self::new(Exit::NotFound, code, error.to_string(), remedy);
                return names.iter().fold(failure, |failure, name| {
                    failure.with_reason("line", name.to_string())
                });
            }
            E::OtherNetwork { .. } | E::UnderWay { .. } | E::Moved => Exit::TransferFailed,
            E::Withheld(_) | E::Pruned { .. } => Exit::Unreachable,
            _ => Exit::InvalidInput,
        };
        Self::new(exit, code, error.to_string(), remedy)
    }
}

impl From<JobError> for Failure {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Chain(error) => error.into(),
            JobError::Custody(error) => error.into(),
            error => Self::new(
                Exit::TransferFailed,
                error.code(),
                error.to_string(),
                error.remedy(),
            ),
        }
    }
}

impl From<SweepError> for Failure {
    fn from(error: SweepError) -> Self {
        let exit = match error {
            SweepError::Chain(error) => return error.into(),
            SweepError::Custody(error) => return error.into(),
            SweepError::Policy(error) => return (*error).into(),
            SweepError::NoWallets | SweepError::NoSponsor => Exit::Usage,
            SweepError::Unknown { .. } => Exit::Unreachable,
            SweepError::Pack { .. } => Exit::Unexpected,
            _ => Exit::InvalidInput,
        };
        Self::new(exit, error.code(), error.to_string(), error.remedy())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let (exit, code) = match error {
            ConfigError::NoHome => (Exit::NotFound, "config_no_home"),
            ConfigError::Read { .. } => (Exit::Storage, "config_unreadable"),
            ConfigError::Write { .. } => (Exit::Storage, "config_unwritable"),
            ConfigError::Syntax { .. } => (Exit::InvalidInput, "config_invalid"),
            ConfigError::UnknownKey => (Exit::NotFound, "config_unknown_key"),
            ConfigError::Value { .. } => (Exit::InvalidInput, "config_invalid_value"),
        };
        let cause = std::error::Error::source(&error)
            .map(|source| format!(": {source}"))
            .unwrap_or_default();
        Self::new(exit, code, format!("{error}{cause}"), error.remedy())
    }
}
