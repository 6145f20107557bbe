//! Entries in lists, counts and exports, and the filter that these have in common.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use keyward_core::audit::{Operation, Outcome};
use keyward_custody::{AuditExport, AuditQuery, AuditRow, Custody};
use serde_json::{Value, json};

use crate::audit_lines::row_json;
use crate::cli::context::{Context, create_failure};
use crate::durable::sync_folder;
use crate::duration;
use crate::exit::Failure;
use crate::output::{Align, Report, Table, time};

#[derive(Debug, clap::Args)]
pub(crate) struct FilterArgs {
    /// A piece of the actor, the reason or the details
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// Only this operation
    #[arg(long, value_name = "OPERATION")]
    operation: Option<String>,
    /// Only this outcome: authorised, signed, refused, failed or done
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<String>,
    /// Only what was refused or failed
    #[arg(long)]
    failures: bool,
    /// Only this wallet's: address, label or #index
    #[arg(long, value_name = "WALLET")]
    wallet: Option<String>,
    /// Only those of the wallets that belong to this owner
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Only from this time on: so long ago (24h, 30d), or milliseconds since 1970
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only up to this time, written alike
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
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

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// The file, which must not exist, or standard output for `-`
    #[arg(long, value_name = "FILE|-")]
    out: PathBuf,
}

impl FilterArgs {
    async fn query(self, custody: &Custody) -> Result<AuditQuery, Failure> {
        let unknown = |what: &str| {
            Failure::invalid(
                "filter_unknown",
                format!("there is no such {what}"),
                "see `keyward audit list`",
            )
        };
        let operation = self
            .operation
            .map(|name| name.parse::<Operation>().map_err(|_| unknown("operation")));
        let outcome = self
            .outcome
            .map(|name| name.parse::<Outcome>().map_err(|_| unknown("outcome")));
        let (from, until) = (
            self.from.as_deref().map(moment),
            self.until.as_deref().map(moment),
        );
        Ok(AuditQuery {
            operation: operation.transpose()?,
            outcome: outcome.transpose()?,
            from_ms: from.transpose()?,
            until_ms: until.transpose()?,
            wallet: match &self.wallet {
                Some(name) => Some(custody.wallet(name).await?.address),
                None => None,
            },
            owner: self.owner,
            failures: self.failures,
            text: self.filter,
            ..AuditQuery::default()
        })
    }
}

/// A moment, in milliseconds since the Unix epoch: so long ago, or that number itself.
fn moment(text: &str) -> Result<u64, Failure> {
    if let Ok(ms) = text.parse::<u64>() {
        return Ok(ms);
    }
    let ago_ms = duration::parse(text).map_err(|form| {
        Failure::invalid(
            "time_invalid",
            format!("{text:?} is no time"),
            format!("give how long ago, {form}; or milliseconds since 1970"),
        )
    })?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    Ok(now_ms.saturating_sub(ago_ms))
}

pub(super) async fn list(context: &Context, args: ListArgs) -> Result<Report, Failure> {
    let (custody, _) = context.open().await?;
    let query = AuditQuery {
        redacted: true,
        after_sequence: args.after,
        before_sequence: args.before,
        limit: args.limit,
        newest_first: !args.oldest_first,
        ..args.filter.query(&custody).await?
    };
    let page = custody.audit_reader(&query).await?.rows_then(&query).await?;
    let mut table = Table::new(&[
        ("#", Align::Right),
        ("time", Align::Left),
        ("actor", Align::Left),
        ("operation", Align::Left),
        ("outcome", Align::Left),
        ("reason", Align::Left),
        ("details", Align::Left),
    ]);
    for row in &page.rows {
        table.row(cells(row));
    }
    let text = format!("{}{} of {}\n", table.render(), page.rows.len(), page.total);
    let entries: Vec<Value> = page.rows.iter().map(row_json).collect();
    Ok(Report::new(
        text,
        json!({ "total": page.total, "entries": entries }),
    ))
}

fn cells(row: &AuditRow) -> [String; 7] {
    match row {
        AuditRow::Entry(entry) => [
            entry.sequence.to_string(),
            time(entry.time_ms),
            entry.actor.clone(),
            entry.operation.as_str().to_owned(),
            entry.outcome.as_str().to_owned(),
            entry.reason.clone(),
            entry.details.clone(),
        ],
        AuditRow::Redacted {
            sequence,
            redacted_by,
            ..
        } => [
            sequence.to_string(),
            String::new(),
            String::new(),
            "redacted".to_owned(),
            String::new(),
            String::new(),
            format!("its retention was over; entry {redacted_by} says so"),
        ],
    }
}

pub(super) async fn counts(context: &Context, args: FilterArgs) -> Result<Report, Failure> {
    let (custody, _) = context.open().await?;
    let query = args.query(&custody).await?;
    let counts = custody.audit_counts(&query).await?;
    let mut table = Table::new(&[
        ("operation", Align::Left),
        ("outcome", Align::Left),
        ("entries", Align::Right),
    ]);
    for count in &counts {
        table.row([
            count.operation.as_str().to_owned(),
            count.outcome.as_str().to_owned(),
            count.count.to_string(),
        ]);
    }
    let total: u64 = counts.iter().map(|count| count.count).sum();
    let json: Vec<Value> = counts
        .iter()
        .map(|count| {
            json!({
                "operation": count.operation.as_str(),
                "outcome": count.outcome.as_str(),
                "count": count.count,
            })
        })
        .collect();
    Ok(Report::new(
        format!("{}{total} in all\n", table.render()),
        json!({ "total": total, "counts": json }),
    ))
}

pub(super) async fn export(context: &Context, args: ExportArgs) -> Result<Report, Failure> {
    let custody = context.unlocked().await?;
    let query = args.filter.query(&custody).await?;
    if args.out == Path::new("-") {
        let export = custody.audit_export(&query).await?;
        let (entries, size) = write_lines(export, io::stdout(), &args.out).await?;
        let json = json!({ "entries": entries, "size": size, "file": null });
        return Ok(Report::new("", json));
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let failed = |error| create_failure("export", &args.out, &error);
    let file = options.open(&args.out).map_err(failed)?;
    let written = match custody.audit_export(&query).await {
        Ok(export) => write_lines(export, &file, &args.out).await,
        Err(error) => Err(error.into()),
    };
    let (entries, size) = match written {
        Ok(written) => written,
        Err(failure) => {
            // Half an export is none. It is our own file: it did not exist a moment ago.
            let _ = std::fs::remove_file(&args.out);
            return Err(failure);
        }
    };
    file.sync_all().map_err(failed)?;
    sync_folder(&args.out);
    let path = args.out.display().to_string();
    Ok(Report::new(
        format!("{entries} entries written to {path}\n"),
        json!({ "entries": entries, "size": size, "file": path }),
    ))
}

/// Writes page by page; gives the number of entries, and the checkpoint's size.
async fn write_lines(mut export: AuditExport, out: impl Write, path: &Path) -> Result<(u64, u64), Failure> {
    let failed = |error| create_failure("export", path, &error);
    let mut out = BufWriter::new(out);
    let mut entries = 0;
    while let Some(rows) = export.next_rows().await? {
        for row in &rows {
            writeln!(out, "{}", row_json(row)).map_err(failed)?;
            entries += 1;
        }
    }
    let last = json!({ "checkpoint": export.checkpoint().to_string() });
    writeln!(out, "{last}")
        .and_then(|()| out.flush())
        .map_err(failed)?;
    Ok((entries, export.checkpoint().unverified().size))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn moments_are_numbers_or_how_long_ago() {
        assert_eq!(moment("1800000000000").unwrap(), 1_800_000_000_000);
        assert_eq!(moment("0").unwrap(), 0);
        assert!(moment("24h").unwrap() > moment("2d").unwrap());
        for bad in ["", "yesterday", "24x", "-1", "1.5h"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }
}
