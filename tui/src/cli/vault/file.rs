//! `keyward vault export` and `vault import`: the whole vault as one sealed `.keyward` file, and back.

use std::path::PathBuf;

use keyward_core::vault::{MAX_FILE_LEN, OpenError, SecondFactor, VaultFile};
use keyward_custody::memory::clearing_stack;
use keyward_custody::password::MAX_PASSWORD_BYTES;
use keyward_custody::{CustodyError, Password, PolicySource};
use serde_json::json;

use super::recovery::credentials;
use crate::cli::context::{Context, NewFile, ask_password, given_second_factor, read_password};
use crate::cli::limits::{LimitArgs, limit_fields};
use crate::exit::{Exit, Failure};
use crate::output::{Report, fields};
use crate::secret_input::Source;

mod merge;

/// Write the whole vault into one sealed file
///
/// Phrases, keys, labels, tags and policy. It opens with the vault's own password and second factor, or, with
/// --new-password-file, with that password alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keyward vault export --out backup.keyward
  keyward vault export --out for-browser.keyward --new-password-file other.txt")]
pub(crate) struct ExportArgs {
    /// The file, which must not exist (mode 0600)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Give the file a password of its own: this file's only line, or standard input for `-`
    #[arg(long, value_name = "FILE|-")]
    new_password_file: Option<Source>,
}

/// Make a vault of a .keyward file
///
/// There must be none yet: name a place for it with --vault. Its password is the file's, and so is its policy. A file
/// without a policy, as web pages make them, gets the one that `keyward init` writes, with the limits given here.
///
/// With --merge there is one already, which keeps its password, policy and settings, and gets the file's phrases and wallets.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keyward vault import backup.keyward --vault restored.db
  keyward vault import from-browser.keyward --max-sol 0.5
  keyward vault import --merge --dry-run colleague.keyward --file-password-file theirs.txt")]
pub(crate) struct ImportArgs {
    /// The file
    #[arg(value_name = "FILE")]
    file: Source,
    /// Bring the file into the vault that is there: what is new is added, what differs is told and left as it is here
    #[arg(long)]
    merge: bool,
    /// Say what a merge would do, and change nothing
    #[arg(long, requires = "merge")]
    dry_run: bool,
    /// Read the file's password from this file's only line, or from standard input for `-`; with --merge, where
    /// --password-file is the vault's
    #[arg(long, value_name = "FILE|-", requires = "merge")]
    file_password_file: Option<Source>,
    #[command(flatten)]
    limits: LimitArgs,
}

pub(super) async fn export(context: &Context, args: &ExportArgs) -> Result<Report, Failure> {
    let (custody, summary) = context.open().await?;
    let file = NewFile::create("vault file", &args.out)?;
    let (password, factor) = credentials(context, &summary)?;
    let new = args
        .new_password_file
        .as_ref()
        .map(|source| read_password(source, "file's password"))
        .transpose()?;
    let bytes = custody
        .export_vault_file(&password, factor.as_ref(), new.as_ref())
        .await?;
    let len = bytes.len();
    file.keep(&bytes)?;
    let path = args.out.display().to_string();
    let text = format!("the vault is in {path}: keep it where this machine is not\n");
    let json = json!({
        "vault_id": summary.id.to_string(),
        "file": path,
        "length": len,
        "own_password": new.is_some(),
    });
    Ok(Report::new(text, json))
}

pub(super) async fn import(context: &Context, args: &ImportArgs) -> Result<Report, Failure> {
    if args.merge {
        return merge::run(context, args).await;
    }
    let limits = args.limits.limits()?;
    let location = context.location()?;
    // Early, so that nobody types a password in vain; what counts is that the import looks again.
    if context.open().await.is_ok() {
        return Err(CustodyError::AlreadyInitialised.into());
    }
    // Standard input holds the password first, where both are there.
    let given = context.given_password()?;
    let bytes = args.file.read_all("vault file", MAX_FILE_LEN)?;
    let factor = factor_of(&bytes)?;
    let password = match given {
        Some(password) => password,
        None => ask_password("Password of the file: ")?,
    };
    // Before any database is made. One that stays behind empty is harmless; one taken away may be somebody's vault.
    let policy = clearing_stack(|| policy_of(&bytes, &password, factor.as_ref()))?;
    let given = args.limits.given();
    if policy == PolicySource::File && !given.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            "policy_in_file",
            "the file holds a policy, which stays in force: limits given here would not",
            format!("leave out {}", given.join(", ")),
        ));
    }
    let custody = context.open_or_create().await?;
    let imported = custody
        .import_vault_file_with_limits(bytes.to_vec(), &password, factor.as_ref(), limits)
        .await?;
    let summary = imported.vault;
    let mut rows = vec![
        ("vault", location.to_string()),
        ("id", summary.id.to_string()),
        ("wallets", summary.wallet_count.to_string()),
    ];
    match imported.policy {
        PolicySource::File => rows.push(("policy", "the file's".to_owned())),
        PolicySource::Default => {
            rows.push(("policy", "a new one, the file had none; its limits:".to_owned()));
            rows.extend(limit_fields(&limits));
        }
    }
    let json = json!({
        "vault": location.to_string(),
        "vault_id": summary.id.to_string(),
        "wallet_count": summary.wallet_count,
        "policy": imported.policy.id(),
    });
    Ok(Report::new(fields(&rows), json))
}

/// The second factor, if the file asks for it.
fn factor_of(bytes: &[u8]) -> Result<Option<SecondFactor>, Failure> {
    let header = VaultFile::inspect(bytes).map_err(|error| {
        let text = error.to_string();
        let (cause, remedy) = text.split_once("; ").unwrap_or((&text, "choose another backup"));
        Failure::invalid("vault_file_invalid", cause, remedy)
    })?;
    if header.needs_second_factor() {
        given_second_factor()
    } else {
        Ok(None)
    }
}

/// Whether the password and the second factor open the file, and whose policy a vault of it has.
fn policy_of(
    bytes: &[u8],
    password: &Password,
    factor: Option<&SecondFactor>,
) -> Result<PolicySource, CustodyError> {
    if password.expose_bytes().len() > MAX_PASSWORD_BYTES {
        return Err(CustodyError::WrongPassword);
    }
    match VaultFile::open(bytes, password.expose_bytes(), factor) {
        Ok(file) if file.contents.policy.is_some() => Ok(PolicySource::File),
        Ok(_) => Ok(PolicySource::Default),
        Err(OpenError::SecondFactorMissing) => Err(CustodyError::SecondFactorMissing),
        Err(_) => Err(CustodyError::WrongPassword),
    }
}
