//! `keyward init`: a new vault, from new words or from a phrase that exists.
//!
//! New words leave the program in one of two ways, chosen before anything is made: into a file that did not exist, or onto
//! a terminal's alternate screen, where three of them are asked back. The vault is made after that, so that no vault exists
//! whose phrase nobody has.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use keyward_core::mnemonic::{Mnemonic, WordCount};
use keyward_core::path::PathFamily;
use keyward_core::policy::PolicyLimits;
use keyward_core::vault::KdfParams;
use keyward_custody::{Custody, CustodyError, DeriveRequest, NewVault, Progress, VaultStatus, VaultSummary};
use serde_json::json;
use zeroize::Zeroizing;

use super::context::{Context, create_failure, create_private, given_second_factor};
use super::derive::parse_family;
use super::limits::LimitArgs;
use super::phrase::{LanguageArgs, parse_phrase, read_passphrase, read_phrase};
use super::wallets::{page_of, wallet_json};
use crate::exit::{Exit, Failure};
use crate::output::{Align, Report, Table, fields};
use crate::secret_input::{self, Source};

mod reveal;

/// Create a vault, with new words or from a phrase
///
/// The password comes from --password-file, KEYWARD_MASTER_PASSWORD or the terminal. With both `--password-file -` and
/// `--import -`, standard input holds the password on its first line and the phrase after it. When KEYWARD_ENCRYPTION_KEY
/// is set, the vault is made to need it at every unlock.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keyward init
  keyward init --words 24 --phrase-out phrase.txt --password-file password.txt
  keyward init --import - < phrase.txt")]
pub(crate) struct Args {
    /// How many words the new phrase has: 12, 15, 18, 21 or 24
    #[arg(long, value_name = "N", default_value_t = 12, conflicts_with = "import")]
    words: usize,
    /// Use the phrase in this file, or on standard input for `-`, instead of new words
    #[arg(long, value_name = "FILE|-", conflicts_with = "phrase_out")]
    import: Option<Source>,
    #[command(flatten)]
    language: LanguageArgs,
    /// Read the phrase's BIP-39 passphrase from this file's only line
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<Source>,
    /// Write the new words into this file, which must not exist (mode 0600); without it they are shown on the terminal
    #[arg(long, value_name = "FILE")]
    phrase_out: Option<PathBuf>,
    /// The cost of guessing the password: scrypt-131072, or scrypt-16384 for small machines
    #[arg(long, value_name = "KDF", default_value = "scrypt-131072")]
    kdf: String,
    /// The derivation path's family: bip44-change, bip44, bip44-root, sollet or raw
    #[arg(long, value_name = "FAMILY", default_value = "bip44-change")]
    family: String,
    #[command(flatten)]
    limits: LimitArgs,
    /// How many wallets to derive at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    wallets: u32,
}

/// What was asked for, checked before anything is read or made.
struct Wanted {
    words: WordCount,
    kdf: KdfParams,
    family: PathFamily,
    limits: PolicyLimits,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<Report, Failure> {
    let wanted = check(&args)?;
    let passphrase = read_passphrase(args.passphrase_file.as_ref())?;
    let custody = context.open_or_create().await?;
    if !matches!(custody.status().await?, VaultStatus::Empty) {
        return Err(CustodyError::AlreadyInitialised.into());
    }
    let password = context.new_password()?;
    password.check_strength().map_err(CustodyError::from)?;
    let second_factor = given_second_factor()?;
    let (mnemonic, written_to) = phrase(&args, &wanted)?;
    let words = mnemonic.word_count().words();
    let new = NewVault {
        password,
        second_factor,
        kdf: wanted.kdf,
        limits: wanted.limits,
        mnemonic,
        passphrase,
        family: wanted.family,
    };
    let summary = match custody.create_vault(new).await {
        Ok(summary) => summary,
        Err(error) => {
            discard_phrase(&custody, written_to.as_deref()).await;
            return Err(error.into());
        }
    };
    derive_first(&custody, wanted.family, args.wallets).await?;
    report(context, &custody, &summary, words, written_to.as_deref()).await
}

fn check(args: &Args) -> Result<Wanted, Failure> {
    if args.import.is_none() && args.phrase_out.is_none() && !can_show_words() {
        return Err(Failure::new(
            Exit::Usage,
            "phrase_out_missing",
            "new words are shown on a terminal only, and there is none",
            "give --phrase-out FILE, or import a phrase with --import -",
        ));
    }
    Ok(Wanted {
        words: WordCount::try_from(args.words).map_err(|_| {
            let remedy = "choose 12, 15, 18, 21 or 24";
            Failure::invalid(
                "word_count",
                format!("no phrase has {} words", args.words),
                remedy,
            )
        })?,
        kdf: args.kdf.parse().map_err(|error| {
            Failure::invalid(
                "kdf_invalid",
                format!("--kdf: {error}"),
                "choose scrypt-131072 or scrypt-16384",
            )
        })?,
        family: parse_family(&args.family)?,
        limits: args.limits.limits()?,
    })
}

fn can_show_words() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// The phrase, and where new words were written.
fn phrase(args: &Args, wanted: &Wanted) -> Result<(Mnemonic, Option<PathBuf>), Failure> {
    if let Some(source) = &args.import {
        let typed = if source.is_stdin() {
            secret_input::prompt("Recovery phrase: ")?
        } else {
            None
        };
        let text = match typed {
            Some(text) => text,
            None => read_phrase(source)?,
        };
        return Ok((parse_phrase(&text, args.language.language)?, None));
    }
    let mnemonic = new_words(wanted.words)?;
    match &args.phrase_out {
        Some(path) => {
            create_private(path, mnemonic.expose_phrase().as_bytes())
                .map_err(|error| create_failure("phrase", path, &error))?;
            Ok((mnemonic, Some(path.clone())))
        }
        None => {
            reveal::show_and_ask_back(&mnemonic)?;
            Ok((mnemonic, None))
        }
    }
}

fn new_words(count: WordCount) -> Result<Mnemonic, Failure> {
    let mut entropy = Zeroizing::new(vec![0_u8; count.entropy_len()]);
    getrandom::fill(&mut entropy).map_err(|_| Failure::from(CustodyError::Randomness))?;
    Mnemonic::from_entropy(&entropy)
        .map_err(|error| Failure::new(Exit::Unexpected, "entropy", error.to_string(), "report this"))
}

/// Takes away the words of a vault that was not made; words whose vault may exist are kept.
async fn discard_phrase(custody: &Custody, written_to: Option<&Path>) {
    if let (Some(path), Ok(VaultStatus::Empty)) = (written_to, custody.status().await) {
        // Nothing depends on them; that they stay is a nuisance, not a loss.
        let _ = std::fs::remove_file(path);
    }
}

async fn derive_first(custody: &Custody, family: PathFamily, count: u32) -> Result<(), Failure> {
    let count = if family.is_single() { count.min(1) } else { count };
    if count == 0 {
        return Ok(());
    }
    let request = DeriveRequest {
        start: Some(0),
        count,
        ..DeriveRequest::default()
    };
    custody
        .derive_wallets(request, &Progress::new())
        .await
        .map(|_| ())
        .map_err(|error| {
            let failure = Failure::from(error);
            let message = format!(
                "the vault is made, but its first wallets are not: {}",
                failure.message()
            );
            Failure::new(
                failure.exit(),
                failure.code(),
                message,
                "derive them with `keyward wallets derive`",
            )
        })
}

async fn report(
    context: &Context,
    custody: &Custody,
    summary: &VaultSummary,
    words: usize,
    written_to: Option<&Path>,
) -> Result<Report, Failure> {
    /// Enough to compare with another wallet's addresses; `wallets list` shows all.
    const SHOWN: u32 = 10;
    let location = context.location()?;
    let page = custody.wallets(&page_of(0, SHOWN)).await?;
    let mut text = fields(&[
        ("vault", location.to_string()),
        ("id", summary.id.to_string()),
        ("words", words.to_string()),
        ("path", summary.family.template().to_owned()),
        ("password", summary.kdf.to_string()),
        (
            "second factor",
            if summary.needs_second_factor {
                "needed"
            } else {
                "none"
            }
            .to_owned(),
        ),
    ]);
    if let Some(path) = written_to {
        text.push_str(&format!(
            "\nthe words are in {}: whoever reads them has the money\n",
            path.display()
        ));
    }
    if !page.rows.is_empty() {
        let mut table = Table::new(&[("#", Align::Right), ("address", Align::Left)]);
        page.rows
            .iter()
            .for_each(|wallet| table.row([wallet.number(), wallet.address.to_string()]));
        text.push('\n');
        text.push_str(&table.render());
    }
    let json = json!({
        "vault": location.to_string(),
        "vault_id": summary.id.to_string(),
        "created_ms": summary.created_ms,
        "words": words,
        "family": summary.family.id(),
        "kdf": summary.kdf.to_string(),
        "second_factor": summary.needs_second_factor,
        "phrase_file": written_to.map(|path| path.display().to_string()),
        "wallet_count": page.total,
        "wallets": page.rows.iter().map(wallet_json).collect::<Vec<_>>(),
    });
    Ok(Report::new(text, json))
}
