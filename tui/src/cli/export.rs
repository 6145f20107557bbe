//! `keyward export`: a wallet's key, written for another program.
//!
//! The key goes into a file that did not exist, mode 0600; onto standard output only when that is asked for. The file is
//! made before the key is taken out, so that nothing is exported that cannot be kept, and it is removed when the export
//! fails. Policy and the audit log are custody's: the entry is durable before the key is opened.

use std::path::{Path, PathBuf};

use keyward_core::key::WalletKey;
use keyward_core::keyfile::{self, Format, KeystoreRandom};
use keyward_core::vault::KdfParams;
use keyward_custody::memory::clearing_stack;
use keyward_custody::{CustodyError, Password};
use serde_json::json;
use zeroize::Zeroizing;

use super::context::{
    Context, NewFile, ask_new_password, ask_password, read_password, second_factor_for, wallet_password,
};
use crate::exit::{Exit, Failure};
use crate::output::Report;
use crate::secret_input::Source;

/// Take a wallet's key out, for another program
///
/// The vault's password is asked for, policy must allow it, and the audit log says so before the key is opened. Whoever
/// reads the file can spend what the wallet holds.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keyward export treasury --format solana-keygen --out id.json
  keyward export 'evm-bip44#0' --format keystore-v3 --out keystore.json
  keyward export 0x9858EfFD232B4033E47d90003D41EC34EcaEda94 --format hex --stdout | other-program")]
pub(crate) struct Args {
    /// The wallet
    wallet: String,
    /// How the key is written
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Written,
    /// Write it into this file, which must not exist (mode 0600)
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "stdout",
        conflicts_with = "stdout"
    )]
    out: Option<PathBuf>,
    /// Print it on standard output
    #[arg(long)]
    stdout: bool,
    /// Read the password of the keystore from this file's only line, or from standard input for `-`
    #[arg(long, value_name = "FILE|-")]
    file_password_file: Option<Source>,
    /// Read the wallet's own password, where it has one, from this file's only line, or from standard input for `-`
    #[arg(long, value_name = "FILE|-")]
    wallet_password_file: Option<Source>,
}

/// The formats that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Written {
    SolanaKeygen,
    Base58,
    Hex,
    #[value(name = "keystore-v3")]
    KeystoreV3,
}

impl Written {
    const fn format(self) -> Format {
        match self {
            Self::SolanaKeygen => Format::SolanaKeygen,
            Self::Base58 => Format::Base58,
            Self::Hex => Format::Hex,
            Self::KeystoreV3 => Format::KeystoreV3,
        }
    }
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<Report, Failure> {
    let (custody, summary) = context.open().await?;
    let wallet = custody.wallet(&args.wallet).await?;
    let fits = match args.format {
        Written::SolanaKeygen | Written::Base58 => wallet.address.as_solana().is_some(),
        Written::KeystoreV3 => wallet.address.as_evm().is_some(),
        Written::Hex => true,
    };
    if !fits {
        return Err(Failure::invalid(
            "wrong_chain",
            format!(
                "{} does not hold keys of {}",
                args.format.format(),
                wallet.address.chain()
            ),
            "choose solana-keygen, base58 or hex for Solana, keystore-v3 or hex for EVM chains",
        ));
    }
    let file = args
        .out
        .as_deref()
        .map(|path| NewFile::create("key", path))
        .transpose()?;
    let factor = second_factor_for(&summary)?;
    let password = match context.given_password()? {
        Some(password) => password,
        None => ask_password("Password: ")?,
    };
    custody.unlock(&password, factor.as_ref()).await?;
    let own = wallet_password(&wallet, args.wallet_password_file.as_ref())?;
    let file_password = file_password(&args)?;
    let key = custody
        .export_key(wallet.address, &password, factor.as_ref(), own.as_ref())
        .await?;
    let text = clearing_stack(|| write(&key, args.format, file_password.as_ref(), summary.kdf))?;
    if let Some(file) = file {
        file.keep(text.as_bytes())?;
    }
    Ok(report(&args, &wallet.address, &text))
}

fn report(args: &Args, address: &keyward_core::account::AccountAddress, text: &Zeroizing<String>) -> Report {
    let mut json = json!({
        "address": address.to_string(),
        "chain": address.chain().id(),
        "format": args.format.format().id(),
        "file": args.out.as_deref().map(|path| path.display().to_string()),
    });
    let shown = match args.out.as_deref() {
        Some(path) => written_to(path, args.format),
        None => {
            if let Some(fields) = json.as_object_mut() {
                fields.insert("key".to_owned(), text.as_str().into());
            }
            format!("{}\n", text.as_str())
        }
    };
    Report::new(shown, json)
}

fn written_to(path: &Path, format: Written) -> String {
    let opens = if format == Written::KeystoreV3 {
        "whoever has it and its password has the money"
    } else {
        "whoever reads it has the money"
    };
    format!("the key is in {}: {opens}\n", path.display())
}

/// The password of the file to be written, where the format has one.
fn file_password(args: &Args) -> Result<Option<Password>, Failure> {
    if args.format != Written::KeystoreV3 {
        return if args.file_password_file.is_some() {
            Err(Failure::new(
                Exit::Usage,
                "format_has_no_password",
                "this format is not encrypted",
                "choose keystore-v3, or leave --file-password-file out",
            ))
        } else {
            Ok(None)
        };
    }
    let password = match &args.file_password_file {
        Some(source) => read_password(source, "keystore's password")?,
        None => ask_new_password("New password of the keystore: ")?,
    };
    password.check_strength().map_err(CustodyError::from)?;
    Ok(Some(password))
}

fn write(
    key: &WalletKey,
    format: Written,
    password: Option<&Password>,
    cost: KdfParams,
) -> Result<Zeroizing<String>, Failure> {
    let unexpected = |message: String| Failure::new(Exit::Unexpected, "export", message, "report this");
    match (format, key, password) {
        (Written::SolanaKeygen, WalletKey::Ed25519(key), _) => Ok(keyfile::to_solana_keygen(key)),
        (Written::Base58, WalletKey::Ed25519(key), _) => Ok(keyfile::to_base58(key)),
        (Written::Hex, key, _) => Ok(keyfile::to_hex(key)),
        (Written::KeystoreV3, WalletKey::Secp256k1(key), Some(password)) => {
            let mut random = KeystoreRandom {
                salt: [0; 32],
                iv: [0; 16],
                id: [0; 16],
            };
            for bytes in [&mut random.salt[..], &mut random.iv[..], &mut random.id[..]] {
                getrandom::fill(bytes).map_err(|_| Failure::from(CustodyError::Randomness))?;
            }
            keyfile::to_keystore(key, password.expose_bytes(), cost, &random)
                .map(Zeroizing::new)
                .map_err(|error| unexpected(error.to_string()))
        }
        _ => Err(unexpected(
            "the key is of another curve than its address".to_owned(),
        )),
    }
}
