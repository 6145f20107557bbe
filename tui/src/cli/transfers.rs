//! `keyward transfers`: what was signed and sent, and finishing what a crash or a cancelled wait left open.

use keyward_core::amount::Lamports;
use keyward_custody::transfer::{self, TransferProgress};
use keyward_custody::{Attempt, AttemptQuery};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::context::Context;
use super::send::{follow, outcome_exit, outcome_json, outcome_text};
use super::wallets::solana;
use crate::exit::{Exit, Failure};
use crate::output::{Align, Report, Table, time};

/// List transfers and finish unresolved ones
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List transfers, the newest first
    #[command(
        after_help = "Examples:\n  keyward transfers list --unresolved\n  keyward transfers list --wallet treasury --limit 20 --json"
    )]
    List {
        /// Only those that have not ended
        #[arg(long)]
        unresolved: bool,
        /// Only this wallet's: address, label or #index
        #[arg(long, value_name = "WALLET")]
        wallet: Option<String>,
        /// How many, 1 to 1000
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Follow every unresolved transfer to its end; needs a node, signs nothing
    #[command(after_help = "Example:\n  keyward transfers resume")]
    Resume,
}

pub(crate) async fn run(context: &mut Context, command: Command) -> Result<Report, Failure> {
    match command {
        Command::List {
            unresolved,
            wallet,
            limit,
        } => list(context, unresolved, wallet, limit).await,
        Command::Resume => resume(context).await,
    }
}

async fn list(
    context: &Context,
    unresolved: bool,
    wallet: Option<String>,
    limit: u32,
) -> Result<Report, Failure> {
    let (custody, _) = context.open().await?;
    let wallet = match wallet {
        Some(name) => Some(solana(&custody.wallet(&name).await?)?),
        None => None,
    };
    let query = AttemptQuery {
        unresolved_only: unresolved,
        wallet,
        limit,
    };
    let attempts = custody.attempts(&query).await?;
    let mut table = Table::new(&[
        ("when", Align::Left),
        ("state", Align::Left),
        ("amount", Align::Right),
        ("to", Align::Left),
        ("signature", Align::Left),
    ]);
    for attempt in &attempts {
        let new = &attempt.new;
        table.row([
            time(attempt.created_ms),
            attempt.state.as_str().to_owned(),
            new.amount.to_string(),
            new.recipient.to_string(),
            new.signature.to_string(),
        ]);
    }
    Ok(Report::new(
        table.render(),
        json!({ "transfers": attempts.iter().map(attempt_json).collect::<Vec<_>>() }),
    ))
}

fn attempt_json(attempt: &Attempt) -> Value {
    let new = &attempt.new;
    json!({
        "id": attempt.id.to_string(),
        "signature": new.signature.to_string(),
        "from": new.wallet.to_string(),
        "to": new.recipient.to_string(),
        "lamports": new.amount.lamports().map(Lamports::get),
        "units": new.amount.base_units().to_string(),
        "mint": new.amount.mint().map(|mint| mint.to_string()),
        "network": new.network,
        "last_valid_block_height": new.last_valid_block_height,
        "status": attempt.state.as_str(),
        "slot": attempt.slot,
        "error": attempt.error,
        "created_ms": attempt.created_ms,
        "updated_ms": attempt.updated_ms,
    })
}

async fn resume(context: &mut Context) -> Result<Report, Failure> {
    let node = context.node()?;
    let (custody, _) = context.open().await?;
    let (sender, states) = watch::channel(TransferProgress::default());
    let outcomes = follow(context, transfer::resume(&custody, &node, sender), states).await?;
    let exit = outcomes
        .iter()
        .map(outcome_exit)
        .find(|exit| *exit != Exit::Ok)
        .unwrap_or(Exit::Ok);
    let text = if outcomes.is_empty() {
        "nothing is unresolved\n".to_owned()
    } else {
        outcomes.iter().map(outcome_text).collect()
    };
    let json = json!({ "transfers": outcomes.iter().map(outcome_json).collect::<Vec<_>>() });
    Ok(Report::new(text, json).with_exit(exit))
}
