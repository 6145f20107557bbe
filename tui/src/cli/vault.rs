//! `keyward vault`: status, password, recovery, rotation and the vault file.

use keyward_custody::{RotationStatus, VaultStatus, VaultSummary};
use serde_json::json;

use super::context::{Context, ask_new_password, ask_password, read_password, second_factor_for};
use crate::exit::Failure;
use crate::output::{Report, fields, time};
use crate::secret_input::Source;

mod file;
mod recovery;
mod settings;

/// Show the vault's state, change what opens it, rotate its key, carry it in one file
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show what is known without the password
    #[command(after_help = "Example:\n  keyward vault status --json")]
    Status,
    /// Change the password
    ///
    /// The old password comes from where it always does; with `-` for both, it is the first line of standard input and the
    /// new one the second.
    #[command(
        after_help = "Examples:\n  keyward vault password\n  keyward vault password --password-file old.txt --new-password-file new.txt"
    )]
    Password {
        /// Read the new password from a file's only line, or from standard input for `-`
        #[arg(long, value_name = "FILE|-")]
        new_password_file: Option<Source>,
    },
    Recover(recovery::RecoverArgs),
    #[command(subcommand)]
    Recovery(recovery::Command),
    Rotate(recovery::RotateArgs),
    Export(file::ExportArgs),
    Import(file::ImportArgs),
    #[command(subcommand)]
    Settings(settings::Command),
}

pub(crate) async fn run(context: &mut Context, command: Command) -> Result<Report, Failure> {
    match command {
        Command::Status => status(context).await,
        Command::Password { new_password_file } => password(context, new_password_file.as_ref()).await,
        Command::Recover(args) => recovery::recover(context, &args).await,
        Command::Recovery(command) => recovery::run(context, command).await,
        Command::Rotate(args) => recovery::rotate(context, &args).await,
        Command::Export(args) => file::export(context, &args).await,
        Command::Import(args) => file::import(context, &args).await,
        Command::Settings(command) => settings::run(context, command).await,
    }
}

async fn status(context: &Context) -> Result<Report, Failure> {
    let location = context.location()?;
    let path = location.to_string();
    let empty = || {
        let text = fields(&[("vault", path.clone()), ("state", "none yet".to_owned())]);
        Report::new(text, json!({ "vault": path, "state": "empty" }))
    };
    if !Context::is_there(&location).await? {
        return Ok(empty());
    }
    let custody = context.open_or_create().await?;
    let summary = match custody.status().await? {
        VaultStatus::Empty => return Ok(empty()),
        // A command's own handle is never left unlocked.
        VaultStatus::Locked(summary) | VaultStatus::Unlocked(summary) => summary,
    };
    let rotation = custody.rotation_status().await?;
    let rows = [
        ("vault", path.clone()),
        ("state", "locked".to_owned()),
        ("id", summary.id.to_string()),
        ("created", time(summary.created_ms)),
        ("wallets", summary.wallet_count.to_string()),
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
        (
            "recovery key",
            if summary.has_recovery {
                "opens it too"
            } else {
                "none"
            }
            .to_owned(),
        ),
        ("vault key", vault_key(&summary, rotation.as_ref())),
    ];
    let text = fields(&rows);
    let json = json!({
        "vault": path,
        "state": "locked",
        "vault_id": summary.id.to_string(),
        "created_ms": summary.created_ms,
        "wallet_count": summary.wallet_count,
        "family": summary.family.id(),
        "kdf": summary.kdf.to_string(),
        "second_factor": summary.needs_second_factor,
        "recovery": summary.has_recovery,
        "epoch": summary.epoch,
        "rotation": rotation.map(|rotation| json!({
            "epoch": rotation.epoch,
            "started_ms": rotation.started_ms,
            "done": rotation.done,
            "total": rotation.total,
        })),
    });
    Ok(Report::new(text, json))
}

/// Which key is in force, and how far the next one is.
fn vault_key(summary: &VaultSummary, rotation: Option<&RotationStatus>) -> String {
    let epoch = summary.epoch;
    match rotation {
        None => format!("number {epoch}"),
        Some(rotation) => format!(
            "number {epoch}; a rotation is under way since {}, with {} of {} records",
            time(rotation.started_ms),
            rotation.done,
            rotation.total
        ),
    }
}

async fn password(context: &Context, new_file: Option<&Source>) -> Result<Report, Failure> {
    let (custody, summary) = context.open().await?;
    let factor = second_factor_for(&summary)?;
    let old = match context.given_password()? {
        Some(password) => password,
        None => ask_password("Password: ")?,
    };
    let new = match new_file {
        Some(source) => read_password(source, "new password")?,
        None => ask_new_password("New password: ")?,
    };
    custody.change_password(&old, &new, factor.as_ref()).await?;
    let id = summary.id.to_string();
    Ok(Report::new(
        "the password is changed\n",
        json!({ "vault_id": id, "changed": true }),
    ))
}
