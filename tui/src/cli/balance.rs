//! `keyward balance`: SOL balances from a node.

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_custody::{Custody, CustodyError};
use serde_json::json;

use super::context::Context;
use super::wallets::{page_of, solana};
use crate::exit::{Exit, Failure};
use crate::output::{Align, Report, Table, sol};

/// Rows of one page when every wallet is asked for.
const PAGE: u32 = 1000;
/// The most wallets of one run.
const MAX_WALLETS: u64 = 100_000;

/// Print SOL balances; needs a node
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  keyward balance\n  keyward balance treasury '#7' HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk --json"
)]
pub(crate) struct Args {
    /// Wallets by address, label or #index, or any address; without one, all wallets
    #[arg(num_args = 0..=1000)]
    wallets: Vec<String>,
}

/// Whose balance is asked for.
struct Holder {
    index: Option<u32>,
    label: String,
    address: Address,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<Report, Failure> {
    let node = context.node()?;
    let holders = holders(context, &args.wallets).await?;
    let addresses: Vec<Address> = holders.iter().map(|holder| holder.address).collect();
    let balances = node.balances(&addresses).await?;
    let values: Vec<Option<Lamports>> = balances.values;
    let unknown = holders.len() - values.iter().flatten().count().min(holders.len());
    if let Some(failure) = &balances.failure {
        context.warn(&format!("some balances are unknown: {failure}"));
    }
    let total = if unknown == 0 { sum(&values) } else { None };
    let mut table = Table::new(&[
        ("#", Align::Right),
        ("label", Align::Left),
        ("address", Align::Left),
        ("balance", Align::Right),
    ]);
    let mut rows = Vec::with_capacity(holders.len());
    for (holder, value) in holders.iter().zip(&values) {
        let index = holder.index.map(|index| index.to_string()).unwrap_or_default();
        table.row([
            index,
            holder.label.clone(),
            holder.address.to_string(),
            sol(*value),
        ]);
        rows.push(json!({
            "index": holder.index,
            "label": holder.label,
            "address": holder.address.to_string(),
            "lamports": value.map(Lamports::get),
        }));
    }
    let text = format!(
        "{}total {}, at slot {}\n",
        table.render(),
        sol(total),
        balances.slot
    );
    let json = json!({
        "slot": balances.slot,
        "balances": rows,
        "unknown": unknown,
        "total_lamports": total.map(Lamports::get),
    });
    let exit = if unknown == 0 { Exit::Ok } else { Exit::Unreachable };
    Ok(Report::new(text, json).with_exit(exit))
}

fn sum(values: &[Option<Lamports>]) -> Option<Lamports> {
    values
        .iter()
        .try_fold(Lamports::ZERO, |sum, value| sum.checked_add((*value)?))
}

async fn holders(context: &Context, names: &[String]) -> Result<Vec<Holder>, Failure> {
    let all_are_addresses = !names.is_empty() && names.iter().all(|name| name.parse::<Address>().is_ok());
    let custody = match context.open().await {
        Ok((custody, _)) => Some(custody),
        // Addresses alone need no vault.
        Err(_) if all_are_addresses => None,
        Err(failure) => return Err(failure),
    };
    match custody {
        None => Ok(names
            .iter()
            .filter_map(|name| name.parse().ok())
            .map(stranger)
            .collect()),
        Some(custody) if names.is_empty() => every_wallet(&custody).await,
        Some(custody) => {
            let mut holders = Vec::with_capacity(names.len());
            for name in names {
                holders.push(named(&custody, name).await?);
            }
            Ok(holders)
        }
    }
}

const fn stranger(address: Address) -> Holder {
    Holder {
        index: None,
        label: String::new(),
        address,
    }
}

async fn named(custody: &Custody, name: &str) -> Result<Holder, Failure> {
    match custody.wallet(name).await {
        Ok(wallet) => Ok(Holder {
            index: wallet.index,
            address: solana(&wallet)?,
            label: wallet.label,
        }),
        Err(error @ CustodyError::NotFound { .. }) => name.parse().map(stranger).map_err(|_| error.into()),
        Err(error) => Err(error.into()),
    }
}

async fn every_wallet(custody: &Custody) -> Result<Vec<Holder>, Failure> {
    let mut holders = Vec::new();
    let mut offset = 0;
    while offset < MAX_WALLETS {
        let page = custody.wallets(&page_of(offset, PAGE)).await?;
        if page.rows.is_empty() {
            break;
        }
        // A node of Solana knows nothing of the others.
        holders.extend(page.rows.into_iter().filter_map(|wallet| {
            Some(Holder {
                index: wallet.index,
                address: *wallet.solana()?,
                label: wallet.label,
            })
        }));
        offset += u64::from(PAGE);
    }
    Ok(holders)
}
