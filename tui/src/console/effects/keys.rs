//! Work on keys that come in and go out: looking at what was given, importing it, exporting one into a file.

use std::fmt;

use futures_util::FutureExt;
use keyward_core::account::{AccountAddress, Chain};
use keyward_core::derive::SolanaDeriver;
use keyward_core::evm::EvmDeriver;
use keyward_core::key::WalletKey;
use keyward_core::keyfile::{
    self, Format, ImportOptions, Imported, KeyfileError, KeystoreRandom, MAX_FILE_BYTES,
};
use keyward_core::mnemonic::{Mnemonic, MnemonicError, WordCount, Wordlist};
use keyward_core::path::PathFamily;
use keyward_core::vault::KdfParams;
use keyward_custody::{CustodyError, ImportReport, ImportedPhrase, Password, Wallet};
use zeroize::Zeroizing;

use super::vault::{blocking, random_bytes};
use super::{Services, files};
use crate::console::effect::Failure;

/// What to do.
pub enum KeysWork {
    /// Complete the name of a file.
    Complete(String),
    /// See what was given, without keeping anything.
    Look {
        /// What was given.
        given: Box<Given>,
        /// A phrase's passphrase.
        passphrase: Zeroizing<String>,
    },
    /// Keep it.
    Import(Box<ImportRequest>),
    /// Write a wallet's key into a new file.
    Export(Box<ExportRequest>),
}

/// Where a key is.
pub enum Source {
    /// In a file.
    File(String),
    /// In a text.
    Text(Zeroizing<String>),
}

/// A key from elsewhere with what the person said of it.
pub struct Given {
    /// Where it is.
    pub source: Source,
    /// Its chain, where the bytes do not tell.
    pub chain: Option<Chain>,
    /// Its language, where the words do not tell.
    pub language: Option<Wordlist>,
    /// The file's own password.
    pub password: Option<Zeroizing<String>>,
}

/// What is kept, and how.
pub struct ImportRequest {
    /// The key or phrase.
    pub given: Given,
    /// Its label.
    pub label: String,
    /// A key's tags.
    pub tags: Vec<String>,
    /// A key's own password.
    pub password: Option<Zeroizing<String>>,
    /// A phrase's passphrase.
    pub passphrase: Zeroizing<String>,
    /// The path meant where later none is named.
    pub family: PathFamily,
}

/// How a key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// solana-keygen's array.
    SolanaKeygen,
    /// Base58 of 64 bytes.
    Base58,
    /// Hexadecimal digits.
    Hex,
    /// An encrypted Ethereum keystore.
    Keystore,
}

impl ExportFormat {
    /// The formats of a chain, the safest first.
    #[must_use]
    pub const fn of(chain: Chain) -> &'static [Self] {
        match chain {
            Chain::Solana => &[Self::SolanaKeygen, Self::Base58, Self::Hex],
            Chain::Evm => &[Self::Keystore, Self::Hex],
        }
    }

    /// What it is, for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SolanaKeygen => "solana-keygen file",
            Self::Base58 => "base58 text",
            Self::Hex => "hexadecimal text",
            Self::Keystore => "Ethereum keystore v3, encrypted",
        }
    }

    /// Whether whoever reads the file has the key.
    #[must_use]
    pub const fn is_plain(self) -> bool {
        !matches!(self, Self::Keystore)
    }
}

/// What is exported, and how.
pub struct ExportRequest {
    /// Whose key.
    pub address: AccountAddress,
    /// How it is written.
    pub format: ExportFormat,
    /// The new file.
    pub path: String,
    /// The vault's password.
    pub password: Zeroizing<String>,
    /// The wallet's own password.
    pub wallet_password: Option<Zeroizing<String>>,
    /// The password of the file, where it is encrypted.
    pub file_password: Zeroizing<String>,
}

impl fmt::Debug for KeysWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeysWork(<redacted>)")
    }
}

/// What came of it. It holds no secret.
#[derive(Debug)]
pub enum KeysAnswer {
    /// The longest completion, if there is any.
    Completed(Option<String>),
    /// What was given, or what must be said first.
    Looked(Result<Looked, Failure>),
    /// It is kept.
    Imported(Result<Kept, Failure>),
    /// The file is written; its path.
    Exported(Result<String, Failure>),
}

/// What was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// The person has to say something first.
    Ask(Question),
    /// One key.
    Key {
        /// How it was written.
        format: Format,
        /// Its address.
        address: AccountAddress,
        /// The wallet that it is already.
        known: Option<Box<Wallet>>,
    },
    /// A phrase.
    Phrase {
        /// Its length.
        words: WordCount,
        /// Its language.
        language: Wordlist,
        /// The first address of every path family.
        addresses: Vec<(PathFamily, AccountAddress)>,
    },
}

/// What the bytes do not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Which chain the key is for.
    Chain {
        /// How it is written.
        format: Format,
        /// The chains it may be for.
        choices: Vec<Chain>,
    },
    /// Which language the phrase is in.
    Language(Vec<Wordlist>),
    /// The file's own password.
    Password(Format),
}

/// What was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Keys.
    Keys(ImportReport),
    /// A phrase.
    Phrase(ImportedPhrase),
}

pub(super) async fn perform(services: &Services, work: KeysWork) -> KeysAnswer {
    match work {
        KeysWork::Complete(text) => {
            let found = tokio::task::spawn_blocking(move || files::complete(&text)).await;
            KeysAnswer::Completed(found.unwrap_or_default())
        }
        KeysWork::Look { given, passphrase } => {
            KeysAnswer::Looked(look(services, *given, passphrase).boxed().await)
        }
        KeysWork::Import(request) => KeysAnswer::Imported(import(services, *request).boxed().await),
        KeysWork::Export(request) => KeysAnswer::Exported(export(services, *request).boxed().await),
    }
}

/// What was read, still secret.
enum Found {
    Ask(Question),
    Key(Format, WalletKey),
    Phrase(Mnemonic),
}

fn find(given: &Given) -> Result<Found, Failure> {
    let read;
    let bytes: &[u8] = match &given.source {
        Source::File(path) => {
            read = files::read(path, MAX_FILE_BYTES)?;
            &read
        }
        Source::Text(text) => text.as_bytes(),
    };
    let detected = keyfile::detect(bytes).map_err(|error| refused(&error))?;
    let format = detected.format();
    if format == Format::KeywardVault {
        return Err(refused(&KeyfileError::KeywardVault));
    }
    if given.chain.is_none() && !detected.choices().is_empty() {
        let choices = detected.choices().to_vec();
        return Ok(Found::Ask(Question::Chain { format, choices }));
    }
    if format.is_encrypted() && given.password.is_none() {
        return Ok(Found::Ask(Question::Password(format)));
    }
    let options = ImportOptions {
        format: Some(format),
        chain: given.chain,
        password: given.password.as_ref().map(|password| password.as_bytes()),
        wordlist: given.language,
    };
    match keyfile::import(bytes, &options) {
        Ok(Imported::Key(key)) => Ok(Found::Key(format, key)),
        Ok(Imported::Phrase(mnemonic)) => Ok(Found::Phrase(mnemonic)),
        // What is encrypted shows only now what it is.
        Err(KeyfileError::EitherCurve { format }) => Ok(Found::Ask(Question::Chain {
            format,
            choices: Chain::ALL.to_vec(),
        })),
        Err(KeyfileError::SeedOrAddress) => Ok(Found::Ask(Question::Chain {
            format: Format::Base58,
            choices: vec![Chain::Solana],
        })),
        Err(KeyfileError::Phrase(MnemonicError::Ambiguous { wordlists })) => {
            Ok(Found::Ask(Question::Language(wordlists)))
        }
        Err(error) => Err(refused(&error)),
    }
}

/// The errors name cause and remedy in one line.
fn refused(error: &dyn fmt::Display) -> Failure {
    let text = error.to_string();
    let (cause, remedy) = text.split_once("; ").unwrap_or((&text, "check what was given"));
    Failure::new(cause, remedy)
}

async fn look(services: &Services, given: Given, passphrase: Zeroizing<String>) -> Result<Looked, Failure> {
    let found = blocking(move || match find(&given)? {
        Found::Ask(question) => Ok(Looked::Ask(question)),
        Found::Key(format, key) => Ok(Looked::Key {
            format,
            address: key.address(),
            known: None,
        }),
        Found::Phrase(mnemonic) => Ok(Looked::Phrase {
            words: mnemonic.word_count(),
            language: mnemonic.wordlist(),
            addresses: first_addresses(&mnemonic, &passphrase)?,
        }),
    })
    .await?;
    Ok(match found {
        Looked::Key { format, address, .. } => Looked::Key {
            format,
            address,
            known: services
                .custody()?
                .wallet_by_address(address)
                .await?
                .map(Box::new),
        },
        other => other,
    })
}

fn first_addresses(
    mnemonic: &Mnemonic,
    passphrase: &str,
) -> Result<Vec<(PathFamily, AccountAddress)>, Failure> {
    let seed = mnemonic.to_seed(passphrase);
    let broken = |error: &dyn fmt::Display| Failure::new(error.to_string(), "choose another path");
    PathFamily::ALL
        .into_iter()
        .map(|family| {
            let address = match family.chain() {
                Chain::Solana => SolanaDeriver::new(&seed, family)
                    .and_then(|deriver| deriver.derive_chunk(0, 1))
                    .map_err(|error| broken(&error))?
                    .first()
                    .map(|key| AccountAddress::from(key.address)),
                Chain::Evm => EvmDeriver::new(&seed, family)
                    .and_then(|deriver| deriver.derive_chunk(0, 1))
                    .map_err(|error| broken(&error))?
                    .first()
                    .map(|key| AccountAddress::from(key.address)),
            };
            let address = address.ok_or_else(|| broken(&"this path gives no address"))?;
            Ok((family, address))
        })
        .collect()
}

async fn import(services: &Services, request: ImportRequest) -> Result<Kept, Failure> {
    let custody = services.custody()?;
    let ImportRequest {
        given,
        label,
        tags,
        password,
        passphrase,
        family,
    } = request;
    match blocking(move || find(&given)).await? {
        // It was answered when it was looked at; the file has changed since.
        Found::Ask(_) => Err(Failure::new(
            "the file has changed",
            "go back and look at it again",
        )),
        Found::Key(_, key) => {
            let password = password.map(|password| Password::new(password.to_string()));
            Ok(Kept::Keys(
                custody.import_key(key, &label, &tags, password).await?,
            ))
        }
        Found::Phrase(mnemonic) => Ok(Kept::Phrase(
            custody
                .import_phrase(&mnemonic, &passphrase, &label, family)
                .await?,
        )),
    }
}

async fn export(services: &Services, request: ExportRequest) -> Result<String, Failure> {
    let custody = services.custody()?;
    let factor = services.second_factor()?;
    // Before the audit says that a key left.
    if !request.format.is_plain() {
        Password::new(request.file_password.to_string())
            .check_strength()
            .map_err(CustodyError::from)?;
    }
    let path = files::check_free(&request.path)?;
    let own = request
        .wallet_password
        .as_ref()
        .map(|password| Password::new(password.to_string()));
    let password = Password::new(request.password.to_string());
    let key = custody
        .export_key(request.address, &password, factor.as_ref(), own.as_ref())
        .await?;
    blocking(move || {
        let text = encode(&key, request.format, &request.file_password)?;
        files::write_new(&path, text.as_bytes())?;
        Ok(path.display().to_string())
    })
    .await
}

fn encode(key: &WalletKey, format: ExportFormat, password: &str) -> Result<Zeroizing<String>, Failure> {
    match (format, key) {
        (ExportFormat::SolanaKeygen, WalletKey::Ed25519(key)) => Ok(keyfile::to_solana_keygen(key)),
        (ExportFormat::Base58, WalletKey::Ed25519(key)) => Ok(keyfile::to_base58(key)),
        (ExportFormat::Hex, key) => Ok(keyfile::to_hex(key)),
        (ExportFormat::Keystore, WalletKey::Secp256k1(key)) => {
            let mut random = KeystoreRandom {
                salt: [0; 32],
                iv: [0; 16],
                id: [0; 16],
            };
            random_bytes(&mut random.salt)?;
            random_bytes(&mut random.iv)?;
            random_bytes(&mut random.id)?;
            keyfile::to_keystore(key, password.as_bytes(), KdfParams::DEFAULT, &random)
                .map(Zeroizing::new)
                .map_err(|error| refused(&error))
        }
        _ => Err(Failure::new(
            "this format is not for the wallet's chain",
            "choose another format",
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// BIP-39's first test vector.
    const PHRASE: &str =
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

    fn given(text: &str) -> Given {
        Given {
            source: Source::Text(Zeroizing::new(text.to_owned())),
            chain: None,
            language: None,
            password: None,
        }
    }

    #[test]
    fn what_the_bytes_do_not_tell_is_asked() {
        let hex = "07".repeat(32);
        let Ok(Found::Ask(Question::Chain { choices, .. })) = find(&given(&hex)) else {
            panic!("32 bytes are of either curve");
        };
        assert_eq!(choices, Chain::ALL);
        let mut answered = given(&hex);
        answered.chain = Some(Chain::Evm);
        assert!(matches!(
            find(&answered),
            Ok(Found::Key(Format::Hex, WalletKey::Secp256k1(_)))
        ));
        answered.chain = Some(Chain::Solana);
        assert!(matches!(
            find(&answered),
            Ok(Found::Key(Format::Hex, WalletKey::Ed25519(_)))
        ));
    }

    #[test]
    fn the_language_of_a_phrase_is_asked_within_an_encrypted_file_too() {
        let file = include_str!("../../../../core/src/keyfile/fixtures/two_languages.encrypted.json");
        let mut given = given(file);
        given.password = Some(Zeroizing::new("correct horse battery staple".into()));
        let Ok(Found::Ask(Question::Language(choices))) = find(&given) else {
            panic!("it is valid in two languages");
        };
        assert_eq!(choices, [Wordlist::English, Wordlist::French]);
        for language in choices {
            given.language = Some(language);
            let Ok(Found::Phrase(mnemonic)) = find(&given) else {
                panic!("the language was said");
            };
            assert_eq!(mnemonic.wordlist(), language);
        }
    }

    #[test]
    fn a_phrase_gives_an_address_of_every_family() {
        let Ok(Found::Phrase(mnemonic)) = find(&given(PHRASE)) else {
            panic!("a phrase");
        };
        let addresses = first_addresses(&mnemonic, "").unwrap();
        assert_eq!(addresses.len(), PathFamily::ALL.len());
        let (_, evm) = addresses
            .iter()
            .find(|(family, _)| *family == PathFamily::EvmBip44)
            .unwrap();
        assert_eq!(evm.to_string(), "0x9858EfFD232B4033E47d90003D41EC34EcaEda94");
    }

    #[test]
    fn what_is_exported_comes_in_again() {
        for chain in Chain::ALL {
            let mut source = given(&"07".repeat(32));
            source.chain = Some(chain);
            let Ok(Found::Key(_, key)) = find(&source) else {
                panic!("a key");
            };
            for format in ExportFormat::of(chain).iter().filter(|format| format.is_plain()) {
                let text = encode(&key, *format, "").unwrap();
                let mut again = given(&text);
                if *format == ExportFormat::Hex && chain == Chain::Evm {
                    again.chain = Some(chain);
                }
                let Ok(Found::Key(_, read)) = find(&again) else {
                    panic!("{format:?}");
                };
                assert_eq!(read.address(), key.address(), "{format:?}");
            }
        }
    }

    #[test]
    fn a_format_of_the_other_chain_is_refused() {
        let mut source = given(&"07".repeat(32));
        source.chain = Some(Chain::Evm);
        let Ok(Found::Key(_, key)) = find(&source) else {
            panic!("a key");
        };
        encode(&key, ExportFormat::Base58, "").unwrap_err();
        encode(&key, ExportFormat::Keystore, "").unwrap_err();
    }

    #[test]
    fn nonsense_names_cause_and_remedy() {
        for text in ["", "hello world", "0x12", "[1,2,3]", "{}"] {
            let Err(failure) = find(&given(text)) else {
                panic!("{text:?} is no key");
            };
            assert!(!failure.cause.is_empty() && !failure.remedy.is_empty());
        }
    }

    #[test]
    fn nothing_secret_is_printed() {
        let work = KeysWork::Look {
            given: Box::new(given("canary")),
            passphrase: Zeroizing::new("canary".into()),
        };
        assert!(!format!("{work:?}").contains("canary"));
    }
}
