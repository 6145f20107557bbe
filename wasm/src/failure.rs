//! What can go wrong, as a code for programs and a sentence for people. Neither ever holds a secret.

use js_sys::{Array, Error, Object, Reflect};
use keyward_core::account::AccountAddressError;
use keyward_core::derive::DeriveError;
use keyward_core::evm::transaction::TransactionError as EvmTransactionError;
use keyward_core::evm::typed_data::TypedDataError;
use keyward_core::keyfile::KeyfileError;
use keyward_core::mnemonic::MnemonicError;
use keyward_core::path::PathError;
use keyward_core::policy::{ApprovalMismatch, Refusal, SignError};
use keyward_core::solana::{DecodeError, ResolveError, TransactionError};
use keyward_core::vault::{FileError, KdfError, OpenError, RecoveryKeyError, SecondFactorError, VaultError};
use wasm_bindgen::JsValue;

use crate::bytes::clearing_stack;

/// Why a call was refused.
#[derive(Debug)]
pub(crate) enum Failure {
    /// More bytes than anything of its kind has.
    TooLong { limit: usize },
    /// Not UTF-8.
    Encoding,
    /// Not an integer in the range that the call takes.
    Number,
    /// The platform gives no randomness.
    Randomness,
    /// Not a phrase of BIP-39.
    Phrase(MnemonicError),
    /// No family or chain of that name.
    Name,
    /// Neither an address nor a path.
    Address(AccountAddressError),
    /// No derivation path, or none of the family.
    Path(PathError),
    /// There is no key there.
    Derivation(DeriveError),
    /// A new password is too short.
    PasswordTooShort,
    /// A new password has a character that nobody can type.
    PasswordCharacter,
    /// The name of a key stretching.
    Kdf(KdfError),
    /// Not a second factor.
    SecondFactor(SecondFactorError),
    /// Not a recovery key.
    RecoveryKey(RecoveryKeyError),
    /// The vault did not do it.
    Vault(VaultError),
    /// Something did not open.
    Open(OpenError),
    /// Not a vault file, or one that cannot be written.
    File(FileError),
    /// Not a key file.
    Keyfile(KeyfileError),
    /// This module was built without it.
    NotBuiltIn,
    /// The vault was locked.
    Locked,
    /// The vault has no phrase to derive from.
    NoPhrase,
    /// The vault has no such wallet.
    NoWallet,
    /// The wallet is on the other chain.
    OtherChain,
    /// The key is in the vault already.
    WalletExists,
    /// Not a Solana transaction.
    Transaction(DecodeError),
    /// The wallet does not sign this transaction.
    Signer(TransactionError),
    /// Lookup tables that do not fit.
    Lookup(ResolveError),
    /// Lookup tables that are not written as the call wants them.
    LookupTables,
    /// Not an EVM transaction.
    EvmTransaction(EvmTransactionError),
    /// Not typed data.
    TypedData(TypedDataError),
    /// The policy refuses.
    Refused(Vec<Refusal>),
    /// What was judged is not what would be signed: a fault of this program.
    Mismatch(ApprovalMismatch),
    /// The signature was not made: a fault of this program or of the machine.
    Sign(SignError),
}

impl Failure {
    /// Stable, for programs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "too-long",
            Self::Encoding => "not-utf8",
            Self::Number => "number",
            Self::Randomness => "randomness",
            Self::Phrase(error) | Self::Keyfile(KeyfileError::Phrase(error)) => phrase_code(error),
            Self::Name => "name",
            Self::Address(_) => "address",
            Self::Path(_) => "path",
            Self::Derivation(_) => "derivation",
            Self::PasswordTooShort => "password-too-short",
            Self::PasswordCharacter => "password-character",
            Self::Kdf(_) | Self::Vault(VaultError::Kdf(_)) => "kdf",
            Self::SecondFactor(_) => "second-factor",
            Self::RecoveryKey(_) => "recovery-key",
            Self::Vault(VaultError::WhichSlot) => "several-passwords",
            Self::Vault(VaultError::PassphraseTooLong { .. }) => "too-long",
            Self::Vault(_) => "vault",
            Self::Open(OpenError::SecondFactorMissing) => "second-factor-missing",
            Self::Open(OpenError::WalletPasswordMissing) => "wallet-password-missing",
            Self::Open(_) => "refused-to-open",
            Self::File(FileError::NotAVaultFile) => "not-a-vault-file",
            Self::File(FileError::UnsupportedVersion(_)) => "unsupported-version",
            Self::File(_) => "vault-file",
            Self::Keyfile(error) => keyfile_code(error),
            Self::NotBuiltIn => "not-built-in",
            Self::Locked => "locked",
            Self::NoPhrase => "no-phrase",
            Self::NoWallet => "no-wallet",
            Self::OtherChain => "other-chain",
            Self::WalletExists => "wallet-exists",
            Self::Transaction(_) | Self::EvmTransaction(_) => "transaction",
            Self::Signer(_) => "not-a-signer",
            Self::Lookup(_) | Self::LookupTables => "lookup-table",
            Self::TypedData(_) => "typed-data",
            Self::Refused(_) => "refused",
            Self::Mismatch(_) | Self::Sign(_) => "internal",
        }
    }

    /// A JavaScript `Error` with the sentence as its message, `code`, and what else a program may want beside it.
    pub(crate) fn into_error(self) -> Error {
        let error = Error::new(&self.to_string());
        put(&error, "code", &JsValue::from_str(self.code()));
        match &self {
            Self::Refused(refusals) => {
                let reasons = Array::new();
                for refusal in refusals {
                    let reason = Object::new();
                    put(&reason, "code", &JsValue::from_str(refusal.code()));
                    put(&reason, "message", &JsValue::from_str(&refusal.to_string()));
                    reasons.push(&reason);
                }
                put(&error, "reasons", &reasons);
            }
            // Words near to the unknown one stay here: they would be a secret in a string.
            Self::Phrase(MnemonicError::UnknownWord { position, .. }) => {
                let position = u32::try_from(*position).map_or(0.0, f64::from);
                put(&error, "position", &JsValue::from_f64(position));
            }
            _ => {}
        }
        error
    }
}

/// Runs a piece of work, clears the stack after it, and turns what failed into what JavaScript throws.
pub(crate) fn thrown<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Error> {
    clearing_stack(work).map_err(Failure::into_error)
}

fn put(target: &JsValue, name: &str, value: &JsValue) {
    // Only a frozen object refuses a property, and these are new.
    Reflect::set(target, &JsValue::from_str(name), value).ok();
}

fn phrase_code(error: &MnemonicError) -> &'static str {
    match error {
        MnemonicError::WordCount { .. } => "phrase-word-count",
        MnemonicError::UnknownWord { .. } => "phrase-unknown-word",
        MnemonicError::Checksum => "phrase-checksum",
        MnemonicError::Ambiguous { .. } => "phrase-ambiguous",
        MnemonicError::NotCompiledIn { .. } => "phrase-language",
        _ => "phrase",
    }
}

fn keyfile_code(error: &KeyfileError) -> &'static str {
    match error {
        KeyfileError::EitherCurve { .. } | KeyfileError::SeedOrAddress => "key-ambiguous",
        KeyfileError::WrongChain { .. } => "other-chain",
        KeyfileError::PasswordNeeded(_) => "key-password-missing",
        KeyfileError::Refused => "key-password",
        _ => "key-file",
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLong { limit } => write!(f, "there are too many bytes; at most {limit} are accepted"),
            Self::Encoding => f.write_str("the bytes are not UTF-8; encode text with TextEncoder"),
            Self::Number => {
                f.write_str("a number is not an integer in the range that is accepted; give one that is")
            }
            Self::Randomness => {
                f.write_str("the platform gives no randomness; use a browser with crypto.getRandomValues")
            }
            Self::Phrase(error) => error.fmt(f),
            Self::Name => f.write_str(
                "there is no such chain, format or path family; the package's types list those that are",
            ),
            Self::Address(error) => error.fmt(f),
            Self::Path(error) => error.fmt(f),
            Self::Derivation(error) => error.fmt(f),
            Self::PasswordTooShort => {
                f.write_str("the password has fewer than 12 characters; choose a longer one")
            }
            Self::PasswordCharacter => f.write_str(
                "the password has a NUL character, which nobody can type; choose another, or wipe it later",
            ),
            Self::Kdf(error) => error.fmt(f),
            Self::SecondFactor(error) => error.fmt(f),
            Self::RecoveryKey(error) => error.fmt(f),
            Self::Vault(error) => error.fmt(f),
            Self::Open(OpenError::SecondFactorMissing) => {
                f.write_str("this vault needs its second factor as well; give it as secondFactor")
            }
            Self::Open(error) => error.fmt(f),
            Self::File(error) => error.fmt(f),
            Self::Keyfile(error) => error.fmt(f),
            Self::NotBuiltIn => f.write_str(
                "this module only opens vaults and signs on Solana; load keyward.wasm instead of signer.wasm",
            ),
            Self::Locked => f.write_str("the vault is locked; open it again"),
            Self::NoPhrase => f.write_str(
                "the vault has no phrase to derive from; name a wallet that it holds by its address",
            ),
            Self::NoWallet => f.write_str("the vault has no such wallet; list its wallets"),
            Self::OtherChain => {
                f.write_str("that is a wallet or path of the other chain; name one of this chain")
            }
            Self::WalletExists => f.write_str("the vault has this key already; there is nothing to import"),
            Self::Transaction(error) => error.fmt(f),
            Self::Signer(error) => error.fmt(f),
            Self::Lookup(error) => error.fmt(f),
            Self::LookupTables => f.write_str(
                "the lookup tables are not an object of addresses with lists of addresses; correct it",
            ),
            Self::EvmTransaction(error) => error.fmt(f),
            Self::TypedData(error) => error.fmt(f),
            Self::Refused(refusals) => {
                f.write_str("the policy refuses it")?;
                for (before, refusal) in refusals.iter().enumerate() {
                    write!(f, "{}{refusal}", if before == 0 { ": " } else { "; and " })?;
                }
                Ok(())
            }
            Self::Mismatch(error) => error.fmt(f),
            Self::Sign(error) => error.fmt(f),
        }
    }
}

/// Ends a function in a module that was built without this feature. What follows is not compiled in.
macro_rules! needs {
    ($feature:literal) => {
        if !cfg!(feature = $feature) {
            return Err(crate::failure::Failure::NotBuiltIn);
        }
    };
}
pub(crate) use needs;

macro_rules! from {
    ($($error:ty => $variant:ident),* $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })*
    };
}

from! {
    MnemonicError => Phrase,
    AccountAddressError => Address,
    PathError => Path,
    DeriveError => Derivation,
    KdfError => Kdf,
    SecondFactorError => SecondFactor,
    RecoveryKeyError => RecoveryKey,
    VaultError => Vault,
    OpenError => Open,
    FileError => File,
    KeyfileError => Keyfile,
    DecodeError => Transaction,
    TransactionError => Signer,
    ResolveError => Lookup,
    EvmTransactionError => EvmTransaction,
    TypedDataError => TypedData,
    ApprovalMismatch => Mismatch,
    SignError => Sign,
}
