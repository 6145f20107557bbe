//! `keyward history`: what happened to a wallet, with the real outcome of each transaction.

use keyward_core::address::Signature;
use keyward_core::amount::{Lamports, format_units};
use keyward_custody::chain::{Commitment, HistoryQuery};
use keyward_custody::portfolio::{HistoryEntry, TokenFlow, wallet_history};
use serde_json::{Value, json};

use super::context::Context;
use super::holdings::{Holder, named};
use crate::exit::{Exit, Failure};
use crate::output::{Report, fields, sol, time};

/// List past transactions of a wallet with their outcome and what they changed; needs a node
///
/// Each transaction is read by itself, so the outcome is the transaction's own. Nothing listed proves nothing: nodes forget.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  keyward history treasury\n  keyward history '#7' --limit 50 --before 5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnbJLgp8uirBgmQpjKhoR4tjF3ZpRzrFmBV6UjKdiSZkQUW --json"
)]
pub(crate) struct Args {
    /// The wallet by address, label or #index, or any address
    wallet: String,
    /// How many, at most
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=200))]
    limit: u16,
    /// Only those older than this one: the last signature of the page before
    #[arg(long, value_name = "SIGNATURE")]
    before: Option<Signature>,
    /// Only those newer than this one
    #[arg(long, value_name = "SIGNATURE")]
    until: Option<Signature>,
    /// Only those that can no longer be taken back
    #[arg(long)]
    finalized: bool,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<Report, Failure> {
    let node = context.node()?;
    let holder = holder(context, &args.wallet).await?;
    let limit = usize::from(args.limit);
    let query = HistoryQuery {
        before: args.before,
        until: args.until,
        commitment: if args.finalized {
            Commitment::Finalized
        } else {
            Commitment::Confirmed
        },
        ..HistoryQuery::newest(limit)
    };
    let entries = wallet_history(&node, &holder.address, &query).await?;
    let unknown = entries.iter().filter(|entry| entry.detail.is_err()).count();
    if unknown > 0 {
        context.warn(&format!(
            "{unknown} transactions could not be read: see their entries"
        ));
    }
    let next = entries
        .last()
        .filter(|_| entries.len() == limit)
        .map(|last| last.item.signature.to_string());
    let mut text = String::new();
    for entry in &entries {
        text.push_str(&entry_text(entry));
        text.push('\n');
    }
    match &next {
        Some(next) => text.push_str(&format!("more: --before {next}\n")),
        None if entries.is_empty() => text.push_str("the node knows of none\n"),
        None => {}
    }
    let json = json!({
        "address": holder.address.to_string(),
        "label": holder.label,
        "transactions": entries.iter().map(entry_json).collect::<Vec<_>>(),
        "unknown": unknown,
        "next_before": next,
    });
    let exit = if unknown == 0 { Exit::Ok } else { Exit::Unreachable };
    Ok(Report::new(text, json).with_exit(exit))
}

/// An address alone needs no vault.
async fn holder(context: &Context, name: &str) -> Result<Holder, Failure> {
    match (context.open().await, name.parse()) {
        (Ok((custody, _)), _) => named(&custody, name).await,
        (Err(_), Ok(address)) => Ok(Holder {
            index: None,
            label: String::new(),
            address,
        }),
        (Err(failure), Err(_)) => Err(failure),
    }
}

/// Whether it is known how it ended, and how.
const fn outcome(entry: &HistoryEntry) -> &'static str {
    match &entry.detail {
        Ok(detail) if detail.error.is_none() => "done",
        Ok(_) => "failed",
        Err(_) => "unknown",
    }
}

fn entry_text(entry: &HistoryEntry) -> String {
    let item = &entry.item;
    let when = item.time_ms.map_or_else(|| "?".to_owned(), time);
    let mut pairs = vec![
        ("transaction", item.signature.to_string()),
        ("when", format!("{when}, slot {}", item.slot)),
        ("outcome", outcome(entry).to_owned()),
    ];
    match &entry.detail {
        Err(error) => pairs.push(("why", error.to_string())),
        Ok(detail) => {
            if let Some(error) = &detail.error {
                pairs.push(("why", error.clone()));
            }
            pairs.push(("balance", signed(detail.sol, 9, "SOL")));
            for flow in &detail.tokens {
                pairs.push((
                    "token",
                    signed(flow.amount, flow.decimals, &flow.mint.to_string()),
                ));
            }
            if detail.paid_fee {
                pairs.push(("fee", sol(Some(detail.fee))));
            }
            for action in &detail.actions {
                pairs.push(("", action.clone()));
            }
        }
    }
    if let Some(memo) = &item.memo {
        pairs.push(("memo", memo.clone()));
    }
    fields(&pairs)
}

/// A change with its sign, exact.
fn signed(change: i128, decimals: u8, unit: &str) -> String {
    let sign = if change < 0 { '-' } else { '+' };
    match u64::try_from(change.unsigned_abs()) {
        Ok(amount) => format!("{sign}{} {unit}", format_units(amount, decimals)),
        Err(_) => format!("{change} base units of {unit}"),
    }
}

fn entry_json(entry: &HistoryEntry) -> Value {
    let item = &entry.item;
    let detail = entry.detail.as_ref().ok();
    let flow = |flow: &TokenFlow| {
        json!({
            "mint": flow.mint.to_string(),
            "decimals": flow.decimals,
            "change": flow.amount.to_string(),
        })
    };
    json!({
        "signature": item.signature.to_string(),
        "slot": item.slot,
        "time_ms": item.time_ms,
        "outcome": outcome(entry),
        "error": match &entry.detail {
            Ok(detail) => detail.error.clone(),
            Err(error) => Some(error.to_string()),
        },
        "fee_lamports": detail.map(|detail| Lamports::get(detail.fee)),
        "paid_fee": detail.map(|detail| detail.paid_fee),
        "change_lamports": detail.map(|detail| detail.sol.to_string()),
        "tokens": detail.map(|detail| detail.tokens.iter().map(flow).collect::<Vec<_>>()),
        "actions": detail.map(|detail| detail.actions.clone()),
        "memo": item.memo,
    })
}
