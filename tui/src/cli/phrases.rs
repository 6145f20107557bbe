//! `keyward phrases`: the phrases that a vault derives wallets from, without their words.

use keyward_custody::MasterSummary;
use serde_json::{Value, json};

use super::context::Context;
use crate::exit::Failure;
use crate::output::{Align, Report, Table, time};

/// List the vault's phrases
///
/// The first is the one that the vault was made with; `keyward import` adds further ones. Their words are never shown.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the phrases: number, label, path family, wallets
    #[command(after_help = "Example:\n  keyward phrases list --json")]
    List,
}

pub(crate) async fn run(context: &mut Context, command: Command) -> Result<Report, Failure> {
    match command {
        Command::List => list(context).await,
    }
}

async fn list(context: &Context) -> Result<Report, Failure> {
    let (custody, _) = context.open().await?;
    let masters = custody.masters().await?;
    let mut table = Table::new(&[
        ("#", Align::Right),
        ("label", Align::Left),
        ("family", Align::Left),
        ("wallets", Align::Right),
        ("next index", Align::Left),
        ("stored", Align::Left),
    ]);
    for master in &masters {
        let next: Vec<String> = master
            .derivations
            .iter()
            .map(|(family, next)| format!("{family} {next}"))
            .collect();
        table.row([
            master.id.to_string(),
            master.label.clone(),
            master.family.id().to_owned(),
            master.wallets.to_string(),
            next.join(", "),
            time(master.created_ms),
        ]);
    }
    let phrases: Vec<Value> = masters.iter().map(to_json).collect();
    Ok(Report::new(table.render(), json!({ "phrases": phrases })))
}

fn to_json(master: &MasterSummary) -> Value {
    let derivations: Vec<Value> = master
        .derivations
        .iter()
        .map(|(family, next)| json!({ "family": family.id(), "next_index": next }))
        .collect();
    json!({
        "id": master.id.get(),
        "label": master.label,
        "family": master.family.id(),
        "wallets": master.wallets,
        "created_ms": master.created_ms,
        "derivations": derivations,
    })
}
