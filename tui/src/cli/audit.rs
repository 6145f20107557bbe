//! `keyward audit`: list, verify, checkpoint.

use std::path::PathBuf;

use keyward_core::audit::{AuditEntry, Operation, Outcome, SignedCheckpoint};
use keyward_custody::{AuditQuery, AuditReport, CustodyError};
use serde_json::{Value, json};

use super::context::{Context, create_failure};
use crate::exit::{Exit, Failure};
use crate::output::{Align, Report, Table, fields, printable, time};
use crate::secret_input::Source;

/// A checkpoint is a few lines.
const MAX_CHECKPOINT_BYTES: usize = 16 * 1024;

/// List, verify and checkpoint the audit log
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List entries, the newest first
    #[command(
        after_help = "Examples:\n  keyward audit list --outcome refused\n  keyward audit list --wallet treasury --limit 20 --json"
    )]
    List(ListArgs),
    /// Recompute the whole log; name the first bad entry and end with 7 if there is one
    #[command(
        after_help = "Examples:\n  keyward audit verify\n  keyward audit verify --against checkpoint.txt"
    )]
    Verify {
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
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// A piece of the actor, the reason or the details
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// Only this operation
    #[arg(long, value_name = "OPERATION")]
    operation: Option<String>,
    /// Only this outcome: authorised, signed, refused, failed or done
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<String>,
    /// Only this wallet's: address, label or #index
    #[arg(long, value_name = "WALLET")]
    wallet: Option<String>,
    /// Only entries after this one
    #[arg(long, value_name = "SEQUENCE")]
    after: Option<u64>,
    /// Only entries before this one
    #[arg(long, value_name = "SEQUENCE")]
    before: Option<u64>,
    /// How many, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// The oldest first
    #[arg(long)]
    oldest_first: bool,
}

pub(crate) async fn run(context: &mut Context, command: Command) -> Result<Report, Failure> {
    match command {
        Command::List(args) => list(context, args).await,
        Command::Verify { against } => verify(context, against.as_ref()).await,
        Command::Checkpoint { out } => checkpoint(context, out).await,
    }
}

async fn list(context: &Context, args: ListArgs) -> Result<Report, Failure> {
    let (custody, _) = context.open().await?;
    let wallet = match &args.wallet {
        Some(name) => Some(custody.wallet(name).await?.address),
        None => None,
    };
    let unknown = |what: &str| {
        Failure::invalid(
            "filter_unknown",
            format!("there is no such {what}"),
            "see `keyward audit list`",
        )
    };
    let operation = args
        .operation
        .as_deref()
        .map(|name| name.parse::<Operation>().map_err(|_| unknown("operation")));
    let outcome = args
        .outcome
        .as_deref()
        .map(|name| name.parse::<Outcome>().map_err(|_| unknown("outcome")));
    let query = AuditQuery {
        text: args.filter,
        operation: operation.transpose()?,
        outcome: outcome.transpose()?,
        wallet,
        after_sequence: args.after,
        before_sequence: args.before,
        limit: args.limit,
        newest_first: !args.oldest_first,
    };
    let page = custody.audit_entries(&query).await?;
    let mut table = Table::new(&[
        ("#", Align::Right),
        ("time", Align::Left),
        ("actor", Align::Left),
        ("operation", Align::Left),
        ("outcome", Align::Left),
        ("reason", Align::Left),
        ("details", Align::Left),
    ]);
    for entry in &page.rows {
        table.row([
            entry.sequence.to_string(),
            time(entry.time_ms),
            entry.actor.clone(),
            entry.operation.as_str().to_owned(),
            entry.outcome.as_str().to_owned(),
            entry.reason.clone(),
            entry.details.clone(),
        ]);
    }
    let text = format!("{}{} of {}\n", table.render(), page.rows.len(), page.total);
    let entries: Vec<Value> = page.rows.iter().map(entry_json).collect();
    Ok(Report::new(
        text,
        json!({ "total": page.total, "entries": entries }),
    ))
}

fn entry_json(entry: &AuditEntry) -> Value {
    json!({
        "sequence": entry.sequence,
        "time_ms": entry.time_ms,
        "actor": entry.actor,
        "operation": entry.operation.as_str(),
        "wallet": entry.wallet.map(|wallet| wallet.to_string()),
        "outcome": entry.outcome.as_str(),
        "reason": entry.reason,
        "subject": entry.subject.map(hex::encode),
        "details": entry.details,
    })
}

async fn verify(context: &Context, against: Option<&Source>) -> Result<Report, Failure> {
    let kept = against.map(read_checkpoint).transpose()?;
    let (custody, _) = context.open().await?;
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
        } => {
            let root = hex::encode(root);
            let text = fields(&[
                ("audit", "intact".to_owned()),
                ("entries", entries.to_string()),
                ("checkpoints", checkpoints.to_string()),
                ("root", root.clone()),
            ]);
            let json = json!({
                "intact": true,
                "entries": entries,
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
