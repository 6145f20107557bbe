//! `keyward audit`: read, verify, checkpoint, prove, export, redact.

mod listing;
mod proof;

use std::path::PathBuf;

use keyward_core::audit::SignedCheckpoint;
use keyward_custody::{AuditReport, CustodyError};
use serde_json::json;

use super::context::{Context, create_failure};
use crate::exit::{Exit, Failure};
use crate::output::{Report, fields, printable};
use crate::secret_input::Source;

/// A checkpoint is a few lines.
const MAX_CHECKPOINT_BYTES: usize = 16 * 1024;

/// Read, verify, checkpoint, prove, export and redact the audit log
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List entries, the newest first; the log has an entry for it
    #[command(
        after_help = "Examples:\n  keyward audit list --failures --from 24h\n  keyward audit list --wallet treasury --limit 20 --json"
    )]
    List(listing::ListArgs),
    /// Count entries by operation and outcome
    #[command(after_help = "Example:\n  keyward audit counts --from 30d --owner acme")]
    Counts(listing::FilterArgs),
    /// Write entries as JSON Lines, the oldest first, a signed checkpoint last
    #[command(after_help = "Example:\n  keyward audit export --out audit.jsonl")]
    Export(listing::ExportArgs),
    /// Recompute the whole log; name the first bad entry and end with 7 if there is one
    ///
    /// With --rows, every other row is counted too and held against the vault's seal, which takes its key: a counter, a limit or a
    /// wallet that somebody changed in the database is noticed so.
    #[command(
        after_help = "Examples:\n  keyward audit verify\n  keyward audit verify --rows\n  keyward audit verify --against checkpoint.txt"
    )]
    Verify {
        /// Count the vault's rows as well; the password is asked for
        #[arg(long)]
        rows: bool,
        /// A checkpoint kept from earlier, or standard input for `-`
        #[arg(long, value_name = "FILE|-")]
        against: Option<Source>,
    },
    /// Sign the log as it stands: keep the result where this machine cannot change it
    #[command(after_help = "Example:\n  keyward audit checkpoint --out checkpoint.txt")]
    Checkpoint {
        /// Write it into this file, which must not exist, instead of printing it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Print the public keys that checkpoints of this vault verify with
    #[command(after_help = "Example:\n  keyward audit keys --json")]
    Keys,
    /// Prove that the log only grew between two checkpoints, or that an entry is in one
    #[command(
        after_help = "Examples:\n  keyward audit prove --from may.txt --to june.txt --out proof.txt\n  keyward audit prove --entry 42 --to june.txt"
    )]
    Prove(proof::ProveArgs),
    /// Check a proof without any vault; end with 7 if it does not hold
    #[command(
        after_help = "Example:\n  keyward audit check-proof --proof proof.txt --from may.txt --to june.txt --key keyward/…"
    )]
    CheckProof(proof::CheckArgs),
    /// Redact entries whose retention is over to their hashes; the tree stays what it is
    #[command(after_help = "Example:\n  keyward audit redact")]
    Redact,
}

pub(crate) async fn run(context: &mut Context, command: Command) -> Result<Report, Failure> {
    match command {
        Command::List(args) => listing::list(context, args).await,
        Command::Counts(args) => listing::counts(context, args).await,
        Command::Export(args) => listing::export(context, args).await,
        Command::Verify { rows, against } => {
            let scope = if rows { Scope::Rows } else { Scope::Log };
            verify(context, scope, against.as_ref()).await
        }
        Command::Checkpoint { out } => checkpoint(context, out).await,
        Command::Keys => proof::keys(context).await,
        Command::Prove(args) => proof::prove(context, args).await,
        Command::CheckProof(args) => proof::check(&args),
        Command::Redact => redact(context).await,
    }
}

async fn redact(context: &Context) -> Result<Report, Failure> {
    let custody = context.unlocked().await?;
    let report = custody.audit_redact().await?;
    let text = format!("{} entries redacted\n", report.redacted);
    Ok(Report::new(
        text,
        json!({ "redacted": report.redacted, "steps": report.steps }),
    ))
}

/// What is verified.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The log alone.
    Log,
    /// Every row besides, which takes the vault's key.
    Rows,
}

async fn verify(context: &Context, scope: Scope, against: Option<&Source>) -> Result<Report, Failure> {
    let kept = against.map(read_checkpoint).transpose()?;
    let custody = match scope {
        Scope::Log => context.open().await?.0,
        Scope::Rows => context.unlocked().await?,
    };
    // A checkpoint of another log proves nothing about this one: whatever the reason, it does not verify.
    let foreign = |error| match error {
        CustodyError::Invalid { reason, .. } if kept.is_some() => Failure::new(
            Exit::Unverified,
            "checkpoint_mismatch",
            format!("the log does not verify against the checkpoint: {reason}"),
            "check that both are this vault's; if they are, stop signing and compare with a backup",
        ),
        error => Failure::from(error),
    };
    match custody.audit_verify(kept.as_ref()).await.map_err(foreign)? {
        AuditReport::Intact {
            entries,
            root,
            checkpoints,
            redacted,
        } => {
            let root = hex::encode(root);
            let text = fields(&[
                ("audit", "intact".to_owned()),
                ("entries", entries.to_string()),
                ("redacted", redacted.to_string()),
                ("checkpoints", checkpoints.to_string()),
                ("root", root.clone()),
                (
                    "rows",
                    match scope {
                        Scope::Log => "not counted; --rows does",
                        Scope::Rows => "counted, and as they were sealed",
                    }
                    .to_owned(),
                ),
            ]);
            let json = json!({
                "intact": true,
                "rows_counted": scope == Scope::Rows,
                "entries": entries,
                "redacted": redacted,
                "checkpoints": checkpoints,
                "root": root,
                "against_checkpoint": kept.is_some(),
            });
            Ok(Report::new(text, json))
        }
        AuditReport::Broken { sequence, reason } => {
            let text = format!("broken at entry {sequence}: {}\n", printable(&reason));
            let json = json!({ "intact": false, "sequence": sequence, "reason": reason });
            Ok(Report::new(text, json).with_exit(Exit::Unverified))
        }
    }
}

fn read_checkpoint(source: &Source) -> Result<SignedCheckpoint, Failure> {
    let bytes = source.read_all("checkpoint", MAX_CHECKPOINT_BYTES)?;
    let invalid = |reason: String| {
        let message = format!("this is no checkpoint: {reason}");
        Failure::invalid(
            "checkpoint_invalid",
            message,
            "give the file as `keyward audit checkpoint` wrote it",
        )
    };
    let text = std::str::from_utf8(&bytes).map_err(|error| invalid(error.to_string()))?;
    text.parse::<SignedCheckpoint>()
        .map_err(|error| invalid(error.to_string()))
}

async fn checkpoint(context: &Context, out: Option<PathBuf>) -> Result<Report, Failure> {
    let custody = context.unlocked().await?;
    let note = custody.audit_checkpoint().await?.to_string();
    let json = json!({ "checkpoint": note, "file": out.as_ref().map(|path| path.display().to_string()) });
    match out {
        None => Ok(Report::new(note, json)),
        Some(path) => {
            super::context::create_private(&path, note.as_bytes())
                .map_err(|error| create_failure("checkpoint", &path, &error))?;
            Ok(Report::new(format!("written to {}\n", path.display()), json))
        }
    }
}
