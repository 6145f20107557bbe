//! `keyward import`: keys and phrases from other programs' files.
//!
//! All files are read and understood before anything is stored, and all their keys are stored in one database
//! transaction. A phrase is stored alone, so that a run that fails has stored nothing.

use keyward_core::account::{AccountAddress, Chain};
use keyward_core::derive::{DeriveError, SolanaDeriver};
use keyward_core::evm::EvmDeriver;
use keyward_core::key::WalletKey;
use keyward_core::keyfile::{self, Format, ImportOptions, Imported, KeyfileError, MAX_FILE_BYTES};
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_custody::memory::clearing_stack;
use keyward_custody::{Custody, CustodyError, KeyImport, Password};

use super::arguments::{chain_parser, family_among};
use super::context::{Context, read_password};
use super::phrase::{LanguageArgs, parse_phrase, read_passphrase};
use crate::exit::{Exit, Failure};
use crate::output::Report;
use crate::secret_input::{self, Source};

mod report;

use report::{Row, key_failure, keys_report, phrase_report};

/// The most files of one run.
const MAX_FILES: usize = 1000;

/// Import keys, or a further phrase, from other programs' files
///
/// Reads solana-keygen files, base58, hex, raw bytes, .wallet files, {encryptedData} files, Ethereum keystores and
/// phrases in every language of BIP-39. What a file is, is found by looking. Keys are stored all together or not at all;
/// a phrase is imported alone. `-` is standard input, after the lines that passwords take from it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keyward import id.json --label treasury --tag cold
  keyward import keys/*.json --labels-from-names
  keyward import UTC--2024-01-01--abc.json --file-password-file keystore-password.txt
  keyward import key.hex --chain evm --dry-run
  keyward import phrase.txt --label second --family evm-bip44")]
pub(crate) struct Args {
    /// The files, or standard input for `-`
    #[arg(required = true, num_args = 1..=MAX_FILES, value_name = "FILE|-")]
    files: Vec<Source>,
    /// What the files are, where that is not to be found by looking
    #[arg(long, value_name = "FORMAT", value_parser = format_parser())]
    format: Option<Format>,
    /// The chain of keys that may be of either
    #[arg(long, value_name = "CHAIN", value_parser = chain_parser())]
    chain: Option<Chain>,
    /// Read the password of encrypted files from this file's only line, or from standard input for `-`
    #[arg(long, value_name = "FILE|-")]
    file_password_file: Option<Source>,
    /// The label of the key or the phrase
    #[arg(
        long,
        value_name = "LABEL",
        default_value = "",
        conflicts_with = "labels_from_names"
    )]
    label: String,
    /// Label each key with its file's name
    #[arg(long)]
    labels_from_names: bool,
    /// A tag for every key
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Give the keys a password of their own, without which they sign nothing: this file's only line
    #[arg(long, value_name = "FILE|-")]
    wallet_password_file: Option<Source>,
    #[command(flatten)]
    language: LanguageArgs,
    /// Read a phrase's BIP-39 passphrase from this file's only line
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<Source>,
    /// The path family that a phrase's wallets are derived by where none is named
    #[arg(long, value_name = "FAMILY", default_value = "bip44-change")]
    family: String,
    /// Show what would be imported and store nothing
    #[arg(long)]
    dry_run: bool,
}

fn format_parser() -> impl clap::builder::TypedValueParser<Value = Format> {
    use clap::builder::{PossibleValuesParser, TypedValueParser as _};
    let formats = Format::ALL
        .into_iter()
        .filter(|format| *format != Format::KeywardVault)
        .map(Format::id);
    // The parser lets no other name through.
    PossibleValuesParser::new(formats).map(|id| Format::from_id(&id).unwrap_or(Format::Raw))
}

/// What a file held.
struct Found {
    name: String,
    label: String,
    format: Format,
}

/// What is stored: keys, or one phrase.
enum Haul {
    Keys(Vec<(Found, WalletKey)>),
    Phrase(Found, Mnemonic),
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<Report, Failure> {
    let family = family_among(&PathFamily::ALL, &args.family)?;
    if args.files.iter().filter(|file| file.is_stdin()).count() > 1 {
        return Err(usage(
            "stdin_twice",
            "standard input can be read as one file only",
            "name it once",
        ));
    }
    let custody = if args.dry_run {
        match context.open().await {
            Ok((custody, _)) => Some(custody),
            // Looking into files needs no vault.
            Err(failure) if failure.code() == CustodyError::NotInitialised.code().replace('-', "_") => None,
            Err(failure) => return Err(failure),
        }
    } else {
        let (custody, summary) = context.open().await?;
        // The password comes first where more is on standard input.
        context.unlock(&custody, &summary).await?;
        Some(custody)
    };
    let haul = sort(read_files(&args)?, &args)?;
    match (haul, custody) {
        (Haul::Keys(keys), custody) if args.dry_run => look_at_keys(custody.as_ref(), keys).await,
        (Haul::Phrase(found, mnemonic), _) if args.dry_run => {
            look_at_phrase(&args, &found, &mnemonic, family)
        }
        (Haul::Keys(keys), Some(custody)) => store_keys(&custody, &args, keys).await,
        (Haul::Phrase(found, mnemonic), Some(custody)) => {
            store_phrase(&custody, &args, &found, &mnemonic, family).await
        }
        (_, None) => Err(CustodyError::NotInitialised.into()),
    }
}

fn usage(code: &str, message: &str, remedy: &str) -> Failure {
    Failure::new(Exit::Usage, code, message, remedy)
}

fn read_files(args: &Args) -> Result<Vec<(Found, Imported)>, Failure> {
    let password = FilePassword {
        given: args
            .file_password_file
            .as_ref()
            .map(|source| read_password(source, "file's password"))
            .transpose()?,
    };
    args.files
        .iter()
        .map(|source| read_file(args, source, &password))
        .collect()
}

/// The password of encrypted files: one for all, or asked for each.
struct FilePassword {
    given: Option<Password>,
}

impl FilePassword {
    /// Runs `open` with the password for the file of this name.
    fn with<T>(&self, name: &str, open: impl FnOnce(&[u8]) -> Result<T, Failure>) -> Result<T, Failure> {
        if let Some(password) = &self.given {
            return open(password.expose_bytes());
        }
        match secret_input::prompt(&format!("Password of {}: ", crate::output::printable(name)))? {
            Some(typed) => open(typed.as_bytes()),
            None => Err(Failure::new(
                Exit::Locked,
                "file_password_missing",
                format!("{name} is encrypted, and its password is not given"),
                "give --file-password-file FILE",
            )),
        }
    }
}

fn read_file(args: &Args, source: &Source, password: &FilePassword) -> Result<(Found, Imported), Failure> {
    let name = source.name();
    // One byte more than is read, so that the reader says that it is too much.
    let bytes = source.read_all("key file", MAX_FILE_BYTES + 1)?;
    let failed = |error: KeyfileError| key_failure(&name, &error);
    // Of any length, and by its right name.
    if bytes.starts_with(b"KEYWARD\0") {
        return Err(failed(KeyfileError::KeywardVault));
    }
    let format = match args.format {
        Some(format) => format,
        None => keyfile::detect(&bytes).map_err(failed)?.format(),
    };
    let open = |password: Option<&[u8]>| {
        let options = ImportOptions {
            format: Some(format),
            chain: args.chain,
            password,
            wordlist: args.language.language,
        };
        clearing_stack(|| keyfile::import(&bytes, &options)).map_err(failed)
    };
    let content = match format {
        Format::Phrase => {
            let text = secret_input::text_of(&bytes, "phrase")?;
            Imported::Phrase(parse_phrase(&text, args.language.language)?)
        }
        format if format.is_encrypted() && format != Format::KeywardVault => {
            password.with(&name, |password| open(Some(password)))?
        }
        _ => open(None)?,
    };
    let label = if args.labels_from_names {
        source.stem()
    } else {
        args.label.clone()
    };
    let found = Found { name, label, format };
    Ok((found, content))
}

fn sort(found: Vec<(Found, Imported)>, args: &Args) -> Result<Haul, Failure> {
    let count = found.len();
    let mut keys = Vec::with_capacity(count);
    for (found, content) in found {
        match content {
            Imported::Key(key) => keys.push((found, key)),
            Imported::Phrase(mnemonic) if count == 1 => {
                if !args.tag.is_empty() || args.wallet_password_file.is_some() {
                    return Err(usage(
                        "phrase_options",
                        "a phrase has neither tags nor a password of its own",
                        "leave --tag and --wallet-password-file out",
                    ));
                }
                return Ok(Haul::Phrase(found, mnemonic));
            }
            Imported::Phrase(_) => {
                return Err(usage(
                    "phrase_not_alone",
                    "a phrase is imported alone, and several files were named",
                    "import it in a run of its own; nothing was stored",
                ));
            }
        }
    }
    if count > 1 && !args.label.is_empty() {
        return Err(usage(
            "label_for_several",
            "one label cannot name several keys",
            "give --labels-from-names, or tags",
        ));
    }
    Ok(Haul::Keys(keys))
}

async fn look_at_keys(custody: Option<&Custody>, keys: Vec<(Found, WalletKey)>) -> Result<Report, Failure> {
    let mut rows = Vec::with_capacity(keys.len());
    for (found, key) in keys {
        let address = key.address();
        let known = match custody {
            Some(custody) => Some(custody.wallet_by_address(address).await?.is_some()),
            None => None,
        };
        rows.push(row(found, address, known));
    }
    Ok(keys_report(true, &rows))
}

async fn store_keys(
    custody: &Custody,
    args: &Args,
    keys: Vec<(Found, WalletKey)>,
) -> Result<Report, Failure> {
    let own = match &args.wallet_password_file {
        Some(source) => Some(read_password(source, "wallet's password")?),
        None => None,
    };
    let mut rows = Vec::with_capacity(keys.len());
    let mut imports = Vec::with_capacity(keys.len());
    for (found, key) in keys {
        let label = found.label.clone();
        rows.push(row(found, key.address(), None));
        imports.push(KeyImport {
            key,
            label,
            tags: args.tag.clone(),
            password: own.as_ref().map(copy_of).transpose()?,
        });
    }
    let done = custody.import_keys(imports).await?;
    let mut added = done.added;
    for row in &mut rows {
        // The first of two equal ones is the new one.
        let position = added.iter().position(|address| *address == row.address);
        row.known = Some(position.map(|position| added.swap_remove(position)).is_none());
    }
    Ok(keys_report(false, &rows))
}

/// A password once more, for another key.
fn copy_of(password: &Password) -> Result<Password, Failure> {
    let mut text = secret_input::text_of(password.expose_bytes(), "wallet's password")?;
    Ok(Password::new(std::mem::take(&mut *text)))
}

fn row(found: Found, address: AccountAddress, known: Option<bool>) -> Row {
    Row {
        file: found.name,
        format: found.format,
        label: found.label,
        address,
        known,
    }
}

fn look_at_phrase(
    args: &Args,
    found: &Found,
    mnemonic: &Mnemonic,
    family: PathFamily,
) -> Result<Report, Failure> {
    let passphrase = read_passphrase(args.passphrase_file.as_ref())?;
    let first = clearing_stack(|| first_address(mnemonic, &passphrase, family))
        .map_err(|error| Failure::invalid("derivation", error.to_string(), "choose another --family"))?;
    Ok(phrase_report(true, found, mnemonic, family, &first, None))
}

async fn store_phrase(
    custody: &Custody,
    args: &Args,
    found: &Found,
    mnemonic: &Mnemonic,
    family: PathFamily,
) -> Result<Report, Failure> {
    let passphrase = read_passphrase(args.passphrase_file.as_ref())?;
    let first = clearing_stack(|| first_address(mnemonic, &passphrase, family))
        .map_err(|error| Failure::invalid("derivation", error.to_string(), "choose another --family"))?;
    let done = custody
        .import_phrase(mnemonic, &passphrase, &found.label, family)
        .await?;
    Ok(phrase_report(false, found, mnemonic, family, &first, Some(done)))
}

/// What tells the right phrase and passphrase from wrong ones.
fn first_address(
    mnemonic: &Mnemonic,
    passphrase: &str,
    family: PathFamily,
) -> Result<AccountAddress, DeriveError> {
    let seed = mnemonic.to_seed(passphrase);
    let first = match family.chain() {
        Chain::Solana => SolanaDeriver::new(&seed, family)?
            .derive_chunk(0, 1)?
            .first()
            .map(|key| key.address.into()),
        Chain::Evm => EvmDeriver::new(&seed, family)?
            .derive_chunk(0, 1)?
            .first()
            .map(|key| key.address.into()),
    };
    first.ok_or(DeriveError::NoKey)
}
