//! The class behind `Vault`.

use js_sys::{Date, Error, Uint8Array};
use keyward_core::account::Chain;
use keyward_core::keyfile::{Format, ImportOptions};
use keyward_core::path::PathFamily;
use keyward_core::vault::{KdfParams, RecoveryKey, SecondFactor, VaultFile, WalletPassword};
use wasm_bindgen::prelude::wasm_bindgen;
use zeroize::Zeroizing;

use crate::bytes::{bounded, exposed, optional_secret, secret, text};
use crate::evm::RawEvmSigner;
use crate::failure::{Failure, needs, thrown};
use crate::json::{Object, list};
use crate::random::integer;
use crate::review;
use crate::session::{Account, NewVault, Session};
use crate::solana::RawSolanaSigner;

/// The longest vault file taken, 16 MiB: enough for tens of thousands of wallets.
const MAX_VAULT_BYTES: usize = 16 << 20;
/// The longest key file taken.
const MAX_KEYFILE_BYTES: usize = 65_536;

/// An open vault. All numbers are JavaScript's, all structures JSON.
#[wasm_bindgen]
pub struct RawVault {
    session: Session,
}

impl std::fmt::Debug for RawVault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawVault").finish_non_exhaustive()
    }
}

impl Drop for RawVault {
    fn drop(&mut self) {
        self.session.lock();
    }
}

#[wasm_bindgen]
impl RawVault {
    /// Makes a vault, with a phrase or empty; `kdf` is a name such as `scrypt-131072`, empty for that one.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    pub fn create(
        password: &Uint8Array,
        phrase: Option<Uint8Array>,
        passphrase: Option<Uint8Array>,
        second_factor: Option<Uint8Array>,
        kdf: &str,
    ) -> Result<Self, Error> {
        thrown(|| {
            needs!("edit");
            let password = secret(password)?;
            let phrase = optional_secret(phrase)?;
            let passphrase = optional_secret(passphrase)?.unwrap_or_default();
            let second_factor = second(second_factor)?;
            let session = Session::create(&NewVault {
                password: &password,
                second_factor: second_factor.as_ref(),
                kdf: kdf_named(kdf)?,
                phrase: phrase
                    .as_ref()
                    .map(|phrase| (phrase.as_slice(), passphrase.as_slice())),
                now_ms: now_ms(),
            })?;
            Ok(Self { session })
        })
    }

    /// Opens a vault file with its password.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    pub fn open(
        bytes: &Uint8Array,
        password: &Uint8Array,
        second_factor: Option<Uint8Array>,
    ) -> Result<Self, Error> {
        thrown(|| {
            let bytes = bounded(bytes, MAX_VAULT_BYTES)?;
            let session = Session::open(&bytes, &secret(password)?, second(second_factor)?.as_ref())?;
            Ok(Self { session })
        })
    }

    /// Opens a vault file with its recovery key, as its owner wrote it down, in UTF-8.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    pub fn recover(bytes: &Uint8Array, recovery_key: &Uint8Array) -> Result<Self, Error> {
        thrown(|| {
            let bytes = bounded(bytes, MAX_VAULT_BYTES)?;
            let recovery = RecoveryKey::parse(text(&secret(recovery_key)?)?)?;
            Ok(Self {
                session: Session::recover(&bytes, &recovery)?,
            })
        })
    }

    /// Reads what a vault file shows without its password, as JSON.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    pub fn describe(bytes: &Uint8Array) -> Result<String, Error> {
        thrown(|| {
            let header = VaultFile::inspect(&bounded(bytes, MAX_VAULT_BYTES)?)?;
            let shown = Object::new()
                .shown("id", &header.vault_id())
                .flag("needsSecondFactor", header.needs_second_factor())
                .end();
            Ok(shown)
        })
    }

    /// The vault's name, 32 hexadecimal digits.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    pub fn id(&self) -> Result<String, Error> {
        thrown(|| Ok(self.session.id()?.to_string()))
    }

    /// Who says what is signed: `vault`, `page` or `unsound`.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    pub fn authority(&self) -> Result<String, Error> {
        thrown(|| Ok(self.session.authority()?.id().to_owned()))
    }

    /// Whether [`RawVault::lock`] was called.
    #[wasm_bindgen(js_name = isLocked)]
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.session.is_locked()
    }

    /// The wallets that the vault holds, as JSON.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    pub fn wallets(&self) -> Result<String, Error> {
        thrown(|| Ok(listed(&self.session.wallets()?)))
    }

    /// The accounts of the vault's first phrase from index `start` on, as JSON.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    pub fn accounts(&self, family: &str, start: f64, count: f64) -> Result<String, Error> {
        thrown(|| {
            needs!("phrases");
            let family = PathFamily::from_id(family).map_err(|_| Failure::Name)?;
            let start = integer(start, u32::MAX).ok_or(Failure::Number)?;
            let count = integer(count, u32::MAX).ok_or(Failure::Number)?;
            Ok(listed(&self.session.accounts(family, start, count)?))
        })
    }

    /// Opens a Solana wallet: `which` is a path, an address that the vault holds, or empty for the first.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    pub fn solana(&mut self, which: &str, password: Option<Uint8Array>) -> Result<RawSolanaSigner, Error> {
        thrown(|| {
            let password = wallet_password(password)?;
            let signing = self.session.signer(Chain::Solana, which, password.as_ref())?;
            RawSolanaSigner::new(signing)
        })
    }

    /// Opens an EVM wallet: `which` is a path, an address that the vault holds, or empty for the first.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    pub fn evm(&mut self, which: &str, password: Option<Uint8Array>) -> Result<RawEvmSigner, Error> {
        thrown(|| {
            needs!("evm");
            let password = wallet_password(password)?;
            let signing = self.session.signer(Chain::Evm, which, password.as_ref())?;
            RawEvmSigner::new(signing)
        })
    }

    /// Imports a key or phrase in any format that core reads; `format` and `chain` may be empty. Gives the accounts
    /// that came with it, as JSON.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    #[wasm_bindgen(js_name = importKey)]
    pub fn import_key(
        &mut self,
        bytes: &Uint8Array,
        format: &str,
        chain: &str,
        password: Option<Uint8Array>,
        label: &str,
    ) -> Result<String, Error> {
        thrown(|| {
            needs!("import");
            let bytes = bounded(bytes, MAX_KEYFILE_BYTES)?;
            let password = optional_secret(password)?;
            let options = ImportOptions {
                format: named(format, Format::from_id)?,
                chain: named(chain, |name| name.parse().ok())?,
                password: password.as_deref().map(Vec::as_slice),
                ..ImportOptions::default()
            };
            let imported = self.session.import(&bytes, &options, label, now_ms())?;
            let accounts = imported
                .iter()
                .map(|address| review::account(address, None, label));
            Ok(list(&accounts.collect::<Vec<_>>()))
        })
    }

    /// The vault as a file, encrypted.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    #[wasm_bindgen(js_name = exportVault)]
    pub fn export_vault(&self) -> Result<Uint8Array, Error> {
        thrown(|| {
            needs!("edit");
            Ok(exposed(&self.session.export()?))
        })
    }

    /// Replaces the password; what was exported before still opens with the old one.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    #[wasm_bindgen(js_name = changePassword)]
    pub fn change_password(
        &mut self,
        current: &Uint8Array,
        new: &Uint8Array,
        second_factor: Option<Uint8Array>,
        kdf: &str,
    ) -> Result<(), Error> {
        thrown(|| {
            needs!("edit");
            let current = secret(current)?;
            let new = secret(new)?;
            let second_factor = second(second_factor)?;
            let kdf = kdf_named(kdf)?;
            self.session
                .change_password(&current, &new, kdf, second_factor.as_ref())
        })
    }

    /// Wipes the vault's key and those of every signer that came from it.
    pub fn lock(&mut self) {
        self.session.lock();
    }
}

fn listed(accounts: &[Account]) -> String {
    let accounts = accounts
        .iter()
        .map(|own| review::account(&own.address, own.path.as_deref(), &own.label));
    list(&accounts.collect::<Vec<_>>())
}

fn named<T>(name: &str, find: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Failure> {
    match name {
        "" => Ok(None),
        name => find(name).map(Some).ok_or(Failure::Name),
    }
}

fn kdf_named(name: &str) -> Result<KdfParams, Failure> {
    match name {
        "" => Ok(KdfParams::DEFAULT),
        name => Ok(name.parse()?),
    }
}

fn second(text_bytes: Option<Uint8Array>) -> Result<Option<SecondFactor>, Failure> {
    let given: Option<Zeroizing<Vec<u8>>> = optional_secret(text_bytes)?;
    given
        .map(|given| Ok(SecondFactor::parse(text(&given)?)?))
        .transpose()
}

fn wallet_password(password: Option<Uint8Array>) -> Result<Option<WalletPassword>, Failure> {
    let given = optional_secret(password)?;
    given.map(|given| Ok(WalletPassword::new(&given)?)).transpose()
}

fn now_ms() -> u64 {
    // Whole milliseconds since 1970, which both types hold until long after every clock has ended.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and the clock is no part of any key"
    )]
    let now = Date::now() as u64;
    now
}
