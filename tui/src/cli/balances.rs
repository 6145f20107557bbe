//! `keyward balances`: SOL balances of many wallets, kept in the vault's store.

use keyward_core::amount::Lamports;
use keyward_custody::portfolio::Holding;
use serde_json::{Value, json};

use super::context::Context;
use super::holdings::{Selection, age, look};
use crate::exit::Failure;
use crate::output::{Align, Report, Table, sol};

/// Read and keep SOL balances, with their slot and age; needs a node
///
/// Every answer is kept as it comes: a run that was stopped goes on where it was when it is started again with --max-age.
/// With several --rpc the first that answers is taken, the others stand in for it, and what they disagree about is shown.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  keyward balances --max-age 10m\n  keyward balances --tag trading --rpc https://one.example --rpc https://two.example --json\n  keyward balances --cached"
)]
pub(crate) struct Args {
    #[command(flatten)]
    selection: Selection,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<Report, Failure> {
    let looked = look(context, &args.selection, false).await?;
    let holdings = looked
        .custody
        .holdings(&looked.network, &looked.addresses())
        .await?;
    let mut table = Table::new(&[
        ("#", Align::Right),
        ("label", Align::Left),
        ("address", Align::Left),
        ("balance", Align::Right),
        ("slot", Align::Right),
        ("age", Align::Right),
    ]);
    let mut rows = Vec::with_capacity(holdings.len());
    let mut total = Some(Lamports::ZERO);
    let mut unknown = 0;
    for (holder, holding) in looked.holders.iter().zip(&holdings) {
        let lamports = holding.map(|holding| holding.lamports);
        total = total.and_then(|total| total.checked_add(lamports?));
        unknown += usize::from(holding.is_none());
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        table.row([
            holder.index.map(|index| index.to_string()).unwrap_or_default(),
            holder.label.clone(),
            holder.address.to_string(),
            sol(lamports),
            or_dash(holding.map(|holding| holding.slot.to_string())),
            or_dash(holding.map(|holding| age(looked.now_ms, holding.read_ms))),
        ]);
        rows.push(json!({
            "index": holder.index,
            "label": holder.label,
            "address": holder.address.to_string(),
            "lamports": lamports.map(Lamports::get),
            "slot": holding.map(|holding| holding.slot),
            "age_ms": holding.map(|holding: Holding| looked.now_ms.saturating_sub(holding.read_ms)),
        }));
    }
    let exit = looked.warn(context, unknown);
    let text = format!(
        "{}total {}\n{}",
        table.render(),
        sol(total),
        looked.traffic_text()
    );
    let mut fields = looked.json();
    fields.insert("balances".to_owned(), Value::Array(rows));
    fields.insert("unknown".to_owned(), json!(unknown));
    fields.insert("total_lamports".to_owned(), json!(total.map(Lamports::get)));
    Ok(Report::new(text, Value::Object(fields)).with_exit(exit))
}
