//! `keyward store copy` and `keyward migrate`: a vault from one database to another, and a database to this version.

use keyward_custody::{Progress, SchemaState, StoreLocation, relocate};
use serde_json::json;

use super::context::Context;
use crate::exit::Failure;
use crate::output::{Align, Report, Table, fields};

/// Move vaults between databases
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Copy a whole vault into an empty database, and compare every row
    ///
    /// Nobody can change the vault meanwhile. What was copied is read back, row by row, and the audit log's root computed
    /// anew, before anything is kept: if any of it differs the target stays empty. The copy opens with the same password and
    /// has the same limits once more, so only one of the two should go on signing. The password is asked for, and the copy
    /// is in the audit log of both.
    ///
    /// A password in a URL can be seen by others on this machine: set PGPASSWORD, or keep it in ~/.pgpass.
    #[command(
        after_help = "Examples:\n  keyward store copy --to postgres://keyward@db.example/vault\n  keyward store copy --from postgres://keyward@db.example/vault --to vault.db"
    )]
    Copy(CopyArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct CopyArgs {
    /// Where the vault is, if not where --vault or the environment says
    #[arg(long, value_name = "LOCATION")]
    from: Option<String>,
    /// An empty PostgreSQL database, or a file that is not there yet
    #[arg(long, value_name = "LOCATION")]
    to: String,
}

/// Bring a vault's database to this version's schema
///
/// Any command that opens a vault does so by itself. This one does nothing else, for where it is done at a time of its own,
/// or by a user who may change tables; --check only says what would be done.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  keyward migrate --check\n  keyward migrate --vault postgres://owner@db.example/vault"
)]
pub(crate) struct MigrateArgs {
    /// Change nothing, only say what is missing
    #[arg(long)]
    check: bool,
}

pub(crate) async fn run(context: &mut Context, command: Command) -> Result<Report, Failure> {
    match command {
        Command::Copy(args) => copy(context, args).await,
    }
}

async fn copy(context: &mut Context, args: CopyArgs) -> Result<Report, Failure> {
    let to = StoreLocation::parse(&args.to)?;
    if let Some(from) = args.from {
        context.name_vault(from);
    }
    let from = context.location()?;
    let custody = context.unlocked().await?;
    let report = custody.copy_store(&to, &Progress::new()).await?;
    let mut table = Table::new(&[("table", Align::Left), ("rows", Align::Right)]);
    for (name, rows) in &report.tables {
        table.row([(*name).to_owned(), rows.to_string()]);
    }
    let root = hex::encode(report.audit_root);
    let (from, to) = (from.to_string(), to.to_string());
    let text = format!(
        "{}{}",
        table.render(),
        fields(&[
            ("from", from.clone()),
            ("to", to.clone()),
            ("compared", format!("{} rows, all equal", report.rows())),
            (
                "audit log",
                format!("{} entries, the same root", report.audit_entries)
            ),
            ("root", root.clone()),
        ])
    );
    let tables: serde_json::Map<String, serde_json::Value> = report
        .tables
        .iter()
        .map(|(name, rows)| ((*name).to_owned(), (*rows).into()))
        .collect();
    let json = json!({
        "from": from,
        "to": to,
        "rows": report.rows(),
        "tables": tables,
        "audit_entries": report.audit_entries,
        "audit_root": root,
    });
    Ok(Report::new(text, json))
}

pub(crate) async fn migrate(context: &Context, args: &MigrateArgs) -> Result<Report, Failure> {
    let location = context.location()?;
    let before = if args.check {
        relocate::schema_state(&location).await?
    } else {
        relocate::migrate(&location).await?
    };
    Ok(migrated(&location, &before, args.check))
}

fn migrated(location: &StoreLocation, before: &SchemaState, only_checked: bool) -> Report {
    let place = location.to_string();
    let state = match (before.missing.is_empty(), only_checked) {
        (true, _) => "up to date",
        (false, true) => "to be brought up to date",
        (false, false) => "brought up to date",
    };
    let mut lines = vec![
        ("vault", place.clone()),
        ("schema", state.to_owned()),
        ("version", before.version.to_string()),
        ("newest", before.newest.to_string()),
    ];
    let step = if only_checked { "missing" } else { "applied" };
    lines.extend(
        before
            .missing
            .iter()
            .map(|one| (step, format!("{} {}", one.version, one.name))),
    );
    let steps: Vec<_> = before
        .missing
        .iter()
        .map(|one| json!({ "version": one.version, "name": one.name }))
        .collect();
    let json = json!({
        "vault": place,
        "from": before.version,
        "to": if only_checked { before.version } else { before.newest },
        "newest": before.newest,
        step: steps,
    });
    Report::new(fields(&lines), json)
}
