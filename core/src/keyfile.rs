//! Other programs' key files: what they are, what is in them, and keys written for other programs to read.
//!
//! [`detect`] says what bytes look like, [`import`] reads them, and [`to_solana_keygen`], [`to_base58`], [`to_hex`]
//! and [`to_keystore`] write. It opens no files and asks nobody: what is ambiguous is an error that names the
//! choices. Keyward's own vault file is recognised and left to [`crate::vault`].
//!
//! | Format | Holds | Password |
//! |---|---|---|
//! | [`Format::SolanaKeygen`] | JSON array of 64 numbers (seed, public key) or 32 (seed) | no |
//! | [`Format::Base58`] | 64 bytes (seed, public key); 32 bytes are a seed or a mere address | no |
//! | [`Format::Hex`] | 64 bytes, or 32 of either curve; `0x` may precede | no |
//! | [`Format::Raw`] | 64 bytes, or 32 of either curve | no |
//! | [`Format::Phrase`] | a BIP-39 phrase | no |
//! | [`Format::WalletJson`] | a `.wallet` file: PBKDF2-HMAC-SHA256 with 100,000 iterations, AES-256-GCM | yes |
//! | [`Format::EncryptedJson`] | `encryptedData`, `iv`, `salt`, `authTag`, `iterations`: the same with its own count | yes |
//! | [`Format::KeystoreV3`] | [Web3 Secret Storage](https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage/), version 3 | yes |
//!
//! # Security
//! JSON is read in place and keys are decoded into wiped buffers, so that nothing secret is left behind but what the
//! cryptographic crates leave on the stack and scrypt in its working memory; the caller wipes the file's bytes.
//! Decoding base58 and hex takes time that depends on the key, once, when a person brings it in.
//!
//! # Passwords
//! Passwords are bytes and used as they are. Programs differ in how they write what lies outside ASCII: where a
//! keystore v3 does not open, the password's NFC and NFKC forms are tried as well (ethers uses NFKC).
//!
//! # Examples
//! ```
//! use keyward_core::keyfile::{Detected, Format, ImportOptions, Imported, detect, import, to_base58};
//! use keyward_core::ed25519::SecretKey;
//! use keyward_core::key::WalletKey;
//!
//! let key = SecretKey::from_seed(&[7; 32]);
//! let text = to_base58(&key);
//! assert_eq!(detect(text.as_bytes())?, Detected::Certain(Format::Base58));
//! let Imported::Key(WalletKey::Ed25519(read)) = import(text.as_bytes(), &ImportOptions::default())? else {
//!     panic!("a Solana key");
//! };
//! assert!(read.is_same_as(&key));
//! # Ok::<(), keyward_core::keyfile::KeyfileError>(())
//! ```

use core::fmt;

use crate::account::Chain;
use crate::key::WalletKey;
use crate::mnemonic::{Mnemonic, Wordlist};

mod error;
mod export;
mod json;
mod kdf;
mod keystore;
mod plain;
mod sealed;

pub use error::KeyfileError;
pub use export::{to_base58, to_hex, to_solana_keygen};
pub use keystore::{KeystoreRandom, to_keystore};

/// Most bytes of a file that are looked at.
pub const MAX_FILE_BYTES: usize = 64 * 1024;

/// How a key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// A JSON array of numbers, as solana-keygen writes it.
    SolanaKeygen,
    /// Base58, as Solana's wallets export it.
    Base58,
    /// Hexadecimal digits, with or without `0x`.
    Hex,
    /// The bytes themselves.
    Raw,
    /// A BIP-39 phrase.
    Phrase,
    /// A `.wallet` file.
    WalletJson,
    /// A JSON object with `encryptedData`.
    EncryptedJson,
    /// An Ethereum keystore, version 3.
    KeystoreV3,
    /// Keyward's own vault file, which [`import`] refuses.
    KeywardVault,
}

impl Format {
    /// Every format, in no order of merit.
    pub const ALL: [Self; 9] = [
        Self::SolanaKeygen,
        Self::Base58,
        Self::Hex,
        Self::Raw,
        Self::Phrase,
        Self::WalletJson,
        Self::EncryptedJson,
        Self::KeystoreV3,
        Self::KeywardVault,
    ];

    /// A stable name for options and logs.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::SolanaKeygen => "solana-keygen",
            Self::Base58 => "base58",
            Self::Hex => "hex",
            Self::Raw => "raw",
            Self::Phrase => "phrase",
            Self::WalletJson => "wallet",
            Self::EncryptedJson => "encrypted-json",
            Self::KeystoreV3 => "keystore-v3",
            Self::KeywardVault => "keyward",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.id() == id)
    }

    /// Whether a password is needed to read it.
    #[must_use]
    pub const fn is_encrypted(self) -> bool {
        matches!(
            self,
            Self::WalletJson | Self::EncryptedJson | Self::KeystoreV3 | Self::KeywardVault
        )
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SolanaKeygen => "a solana-keygen array",
            Self::Base58 => "base58",
            Self::Hex => "hexadecimal",
            Self::Raw => "raw bytes",
            Self::Phrase => "a phrase",
            Self::WalletJson => "a .wallet file",
            Self::EncryptedJson => "an encryptedData file",
            Self::KeystoreV3 => "an Ethereum keystore",
            Self::KeywardVault => "a Keyward vault file",
        })
    }
}

/// What [`detect`] found, without opening anything encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Detected {
    /// [`import`] needs no more than, if the format is encrypted, the password. What is in an
    /// [`Format::EncryptedJson`] shows only then, and may still be ambiguous.
    Certain(Format),
    /// 32 bytes that may be a key of either curve: the caller says which.
    EitherCurve(Format),
    /// Base58 of 32 bytes: a seed, or a mere Solana address, with which nothing can be signed. A caller who knows
    /// that it is a seed says [`Chain::Solana`].
    SeedOrAddress,
}

impl Detected {
    /// How the key is written.
    #[must_use]
    pub const fn format(self) -> Format {
        match self {
            Self::Certain(format) | Self::EitherCurve(format) => format,
            Self::SeedOrAddress => Format::Base58,
        }
    }

    /// What the caller has to choose from; empty if nothing.
    #[must_use]
    pub const fn choices(self) -> &'static [Chain] {
        match self {
            Self::Certain(_) => &[],
            Self::EitherCurve(_) => &[Chain::Solana, Chain::Evm],
            Self::SeedOrAddress => &[Chain::Solana],
        }
    }
}

/// What the caller knows of the bytes.
#[derive(Clone, Copy, Default)]
pub struct ImportOptions<'a> {
    /// The format, where it is not to be detected.
    pub format: Option<Format>,
    /// The chains that the key is for, where the bytes do not tell.
    pub chain: Option<Chain>,
    /// The password of an encrypted file.
    pub password: Option<&'a [u8]>,
    /// The wordlist of a phrase, sealed or not. Without it a phrase that is valid in several is refused
    /// ([`MnemonicError::Ambiguous`](crate::mnemonic::MnemonicError::Ambiguous)): which one it is shows nowhere.
    pub wordlist: Option<Wordlist>,
}

impl fmt::Debug for ImportOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportOptions")
            .field("format", &self.format)
            .field("chain", &self.chain)
            .field("wordlist", &self.wordlist)
            .finish_non_exhaustive()
    }
}

/// What was in the file.
#[derive(Debug)]
pub enum Imported {
    /// One wallet's key.
    Key(WalletKey),
    /// A phrase, from which keys are derived.
    Phrase(Mnemonic),
}

/// Says what the bytes of a file look like. Opens nothing that is encrypted.
///
/// # Errors
/// [`KeyfileError::Empty`], [`KeyfileError::TooLarge`], [`KeyfileError::Unknown`], what is wrong with the JSON, or that
/// a key has no length or characters that the format has.
pub fn detect(bytes: &[u8]) -> Result<Detected, KeyfileError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(KeyfileError::TooLarge {
            found: bytes.len(),
            limit: MAX_FILE_BYTES,
        });
    }
    if plain::is_keyward(bytes) {
        return Ok(Detected::Certain(Format::KeywardVault));
    }
    let Some(text) = plain::as_text(bytes) else {
        return plain::detect_raw(bytes);
    };
    match text.as_bytes().first() {
        None => Err(KeyfileError::Empty),
        Some(b'[') => Ok(Detected::Certain(Format::SolanaKeygen)),
        Some(b'{') => detect_object(&json::Fields::parse(text)?),
        Some(_) => plain::detect_text(text),
    }
}

fn detect_object(fields: &json::Fields<'_>) -> Result<Detected, KeyfileError> {
    let keystore = keystore::looks_like(fields);
    let wallet = fields.has("encrypted_keypair");
    let encrypted = fields.has("encryptedData");
    match (keystore, wallet, encrypted) {
        (true, false, false) => Ok(Detected::Certain(Format::KeystoreV3)),
        (false, true, false) => Ok(Detected::Certain(Format::WalletJson)),
        (false, false, true) => Ok(Detected::Certain(Format::EncryptedJson)),
        _ => Err(KeyfileError::Unknown),
    }
}

/// Reads a key or a phrase. A format that the options do not name is detected.
///
/// A 64-byte secret is taken only if its public half is the secret half's own; an all-zero key never. The key
/// stretching of encrypted files is bounded before any work: PBKDF2 to 10 million iterations, scrypt to 1 GiB of
/// memory and eight times the work of geth's standard.
///
/// # Errors
/// Each cause its own [`KeyfileError`]; [`KeyfileError::Refused`] for a wrong password and for damaged data alike.
pub fn import(bytes: &[u8], options: &ImportOptions<'_>) -> Result<Imported, KeyfileError> {
    let format = match options.format {
        None => detect(bytes)?.format(),
        Some(_) if bytes.len() > MAX_FILE_BYTES => {
            return Err(KeyfileError::TooLarge {
                found: bytes.len(),
                limit: MAX_FILE_BYTES,
            });
        }
        Some(format) => format,
    };
    let text = || plain::as_text(bytes).ok_or(KeyfileError::NotThisFormat(format));
    let object = || match json::Fields::parse(text()?) {
        Ok(fields) if detect_object(&fields).is_ok_and(|found| found.format() == format) => Ok(fields),
        Ok(_) => Err(KeyfileError::NotThisFormat(format)),
        Err(error) => Err(error),
    };
    let password = || options.password.ok_or(KeyfileError::PasswordNeeded(format));
    let key = match format {
        Format::SolanaKeygen => plain::read_array(text()?, options.chain),
        Format::Base58 => plain::read_base58(text()?, options.chain),
        Format::Hex => plain::read_hex(text()?, options.chain),
        Format::Raw => plain::read_secret(Format::Raw, bytes, options.chain),
        Format::Phrase => {
            let phrase = match options.wordlist {
                Some(wordlist) => Mnemonic::parse_in(wordlist, text()?),
                None => Mnemonic::parse(text()?),
            };
            return Ok(Imported::Phrase(phrase?));
        }
        Format::WalletJson => {
            let content = sealed::open_wallet(&object()?, kdf::Iterations::WALLET, password()?)?;
            return import_content(format, &content, options);
        }
        Format::EncryptedJson => {
            let content = sealed::open_encrypted(&object()?, password()?)?;
            return import_content(format, &content, options);
        }
        Format::KeystoreV3 => {
            let fields = object()?;
            plain::only(format, Chain::Evm, options.chain)?;
            keystore::open(&fields, password()?)
        }
        Format::KeywardVault => Err(KeyfileError::KeywardVault),
    };
    key.map(Imported::Key)
}

/// Reads what was decrypted: bytes, or a key or phrase as text, as programs differ in what they seal.
fn import_content(
    format: Format,
    content: &[u8],
    options: &ImportOptions<'_>,
) -> Result<Imported, KeyfileError> {
    let inner = detect(content)?;
    if inner.format().is_encrypted() {
        return Err(KeyfileError::Unknown);
    }
    let chain = match (inner, format) {
        // What somebody took care to encrypt is no mere address; and a `.wallet` file is Solana's.
        (Detected::SeedOrAddress, _) | (_, Format::WalletJson) => options.chain.or(Some(Chain::Solana)),
        _ => options.chain,
    };
    import(
        content,
        &ImportOptions {
            format: Some(inner.format()),
            chain,
            password: None,
            wordlist: options.wordlist,
        },
    )
}

#[cfg(test)]
mod tests;
