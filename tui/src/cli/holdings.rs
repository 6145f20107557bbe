//! What `balances`, `tokens` and `portfolio` have in common: which wallets, how old a reading may be, and the reading.

use keyward_core::address::Address;
use keyward_custody::chain::{Comparison, EndpointTraffic, SolanaNode};
use keyward_custody::portfolio::{RefreshProgress, RefreshReport, RefreshRequest};
use keyward_custody::{Custody, CustodyError, Wallet, WalletCursor, WalletQuery};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::context::Context;
use super::wallets::ProgressLine;
use crate::duration;
use crate::exit::{Exit, Failure};

/// Rows of one page of wallets.
const PAGE: u32 = 1_000;
/// The most wallets of one run.
const MAX_WALLETS: usize = 100_000;

/// Which wallets, and how old what is shown may be
#[derive(Debug, clap::Args)]
pub(crate) struct Selection {
    /// Wallets by address, label or #index, or any address; without one, all wallets
    #[arg(num_args = 0..=1000)]
    pub(crate) wallets: Vec<String>,
    /// Only wallets with this tag
    #[arg(long, value_name = "TAG", conflicts_with = "wallets")]
    pub(crate) tag: Option<String>,
    /// Only wallets of this owner
    #[arg(long, value_name = "NAME", conflicts_with = "wallets")]
    pub(crate) owner: Option<String>,
    /// Leave what was read at most so long ago as it is: 30s, 10m, 1d; 0 reads everything again
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = duration::parse)]
    pub(crate) max_age: u64,
    /// Ask no node: show what is kept of earlier readings, with its age
    #[arg(long, conflicts_with = "max_age")]
    pub(crate) cached: bool,
}

/// A wallet or an address that was named.
#[derive(Clone)]
pub(crate) struct Holder {
    pub(crate) index: Option<u32>,
    pub(crate) label: String,
    pub(crate) address: Address,
}

/// What came of looking.
pub(crate) struct Looked {
    pub(crate) custody: Custody,
    pub(crate) network: String,
    pub(crate) holders: Vec<Holder>,
    /// None when no node was asked.
    pub(crate) report: Option<RefreshReport>,
    pub(crate) traffic: Vec<EndpointTraffic>,
    pub(crate) comparison: Option<Comparison>,
    /// When the run ended, to tell ages by.
    pub(crate) now_ms: u64,
}

impl Looked {
    pub(crate) fn addresses(&self) -> Vec<Address> {
        self.holders.iter().map(|holder| holder.address).collect()
    }

    /// Warns of what is not known and of what endpoints disagree about; how the command ends.
    pub(crate) fn warn(&self, context: &mut Context, unknown: usize) -> Exit {
        if let Some(failure) = self.report.as_ref().and_then(|report| report.failure.as_ref()) {
            let missed = self.report.as_ref().map_or(0, |report| report.unknown);
            context.warn(&format!(
                "{missed} readings could not be made ({failure}): what is shown of these is older, or unknown; the same \
                 command with --max-age goes on with them"
            ));
        }
        if let Some(comparison) = &self.comparison {
            for (endpoint, error) in &comparison.failures {
                context.warn(&format!("{endpoint} was not compared: {error}"));
            }
            let count = comparison.disagreements.len();
            if count > 0 {
                context.warn(&format!(
                    "the endpoints disagree about {count} balances: trust none of these before you know why"
                ));
            }
        }
        let failed = self.report.as_ref().is_some_and(|report| report.unknown > 0);
        if failed || unknown > 0 {
            Exit::Unreachable
        } else {
            Exit::Ok
        }
    }

    /// The fields that every answer has.
    pub(crate) fn json(&self) -> serde_json::Map<String, Value> {
        let mut fields = serde_json::Map::new();
        fields.insert("network".to_owned(), json!(self.network));
        let report = self.report.as_ref();
        fields.insert(
            "readings".to_owned(),
            json!({
                "fresh": report.map(|report| report.fresh),
                "read": report.map(|report| report.read),
                "unknown": report.map(|report| report.unknown),
            }),
        );
        let endpoints = self.traffic.iter().map(|one| {
            json!({
                "endpoint": one.endpoint,
                "requests": one.requests,
                "rate_limited": one.rate_limited,
                "failures": one.failures,
            })
        });
        fields.insert("endpoints".to_owned(), endpoints.collect());
        fields.insert("disagreements".to_owned(), self.disagreements_json());
        fields
    }

    fn disagreements_json(&self) -> Value {
        let Some(comparison) = &self.comparison else {
            return Value::Array(Vec::new());
        };
        let one = |disagreement: &keyward_custody::chain::BalanceDisagreement| {
            let answers = comparison.endpoints.iter().zip(&disagreement.answers);
            let answers: Vec<Value> = answers
                .map(|(endpoint, answer)| {
                    json!({
                        "endpoint": endpoint,
                        "slot": answer.map(|(slot, _)| slot),
                        "lamports": answer.map(|(_, lamports)| lamports.get()),
                    })
                })
                .collect();
            json!({ "address": disagreement.address.to_string(), "answers": answers })
        };
        comparison.disagreements.iter().map(one).collect()
    }

    /// What was asked, for a person; empty when no node was.
    pub(crate) fn traffic_text(&self) -> String {
        let Some(report) = &self.report else {
            return "no node was asked\n".to_owned();
        };
        let requests: u64 = self.traffic.iter().map(|one| one.requests).sum();
        let limited: u64 = self.traffic.iter().map(|one| one.rate_limited).sum();
        let mut text = format!(
            "{} read, {} new enough, {} unknown; {requests} requests",
            report.read, report.fresh, report.unknown
        );
        if limited > 0 {
            text.push_str(&format!(", {limited} of them too fast for the endpoint"));
        }
        text.push('\n');
        if let Some(comparison) = &self.comparison {
            for disagreement in &comparison.disagreements {
                text.push_str(&format!("{}:\n", disagreement.address));
                for (endpoint, answer) in comparison.endpoints.iter().zip(&disagreement.answers) {
                    let said = match answer {
                        Some((slot, lamports)) => format!("{lamports} SOL at slot {slot}"),
                        None => "no answer".to_owned(),
                    };
                    text.push_str(&format!("  {endpoint} says {said}\n"));
                }
            }
        }
        text
    }
}

/// Reads what the selection asks for, or takes what is kept.
pub(crate) async fn look(
    context: &mut Context,
    selection: &Selection,
    tokens: bool,
) -> Result<Looked, Failure> {
    let node = if selection.cached {
        None
    } else {
        Some(context.node()?)
    };
    let (custody, _) = context.open().await?;
    let holders = holders(&custody, selection).await?;
    let mut looked = Looked {
        custody,
        network: String::new(),
        holders,
        report: None,
        traffic: Vec::new(),
        comparison: None,
        now_ms: 0,
    };
    match node {
        Some(node) => read(context, &mut looked, &node, selection, tokens).await?,
        None => looked.network = kept_network(context, &looked.custody).await?,
    }
    looked.now_ms = now_ms();
    Ok(looked)
}

async fn read(
    context: &Context,
    looked: &mut Looked,
    node: &SolanaNode,
    selection: &Selection,
    tokens: bool,
) -> Result<(), Failure> {
    let request = RefreshRequest {
        addresses: looked.addresses(),
        max_age_ms: selection.max_age,
        tokens,
    };
    let (sender, mut states) = watch::channel(RefreshProgress::default());
    let mut line = ProgressLine::new(context.shows_progress());
    let report = {
        let mut job = std::pin::pin!(looked.custody.refresh_holdings(node, request, &sender));
        loop {
            tokio::select! {
                outcome = &mut job => break outcome,
                Ok(()) = states.changed() => {
                    let state = states.borrow_and_update().clone();
                    line.show(&format!("{} of {} readings", state.done, state.total));
                }
                // What was read is kept.
                Ok(()) = tokio::signal::ctrl_c() => {
                    line.clear();
                    return Err(Failure::new(
                        Exit::Cancelled,
                        "cancelled",
                        "the reading was stopped; what was read is kept",
                        "the same command with --max-age 1h goes on where it was",
                    ));
                }
            }
        }
    };
    line.clear();
    let report = report?;
    let several = node.traffic().len() > 1;
    if several && report.read > 0 {
        looked.comparison = Some(node.compare_balances(&looked.addresses()).await?);
    }
    looked.network.clone_from(&report.network);
    looked.report = Some(report);
    looked.traffic = node.traffic();
    Ok(())
}

/// The network of which something is kept; with several, the one of the chosen node.
pub(crate) async fn kept_network(context: &mut Context, custody: &Custody) -> Result<String, Failure> {
    let networks = custody.kept_networks().await?;
    match networks.as_slice() {
        [] => Err(Failure::new(
            Exit::NotFound,
            "nothing_kept",
            "no balance was ever read",
            "read them with `keyward balances --rpc URL`",
        )),
        [network] => Ok(network.clone()),
        _ => Ok(context.node()?.network().await?),
    }
}

pub(crate) fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// How long ago, as short as it can be said.
pub(crate) fn age(now_ms: u64, read_ms: u64) -> String {
    let seconds = now_ms.saturating_sub(read_ms) / 1_000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

async fn holders(custody: &Custody, selection: &Selection) -> Result<Vec<Holder>, Failure> {
    if selection.wallets.is_empty() {
        return every(custody, selection).await;
    }
    let mut holders = Vec::with_capacity(selection.wallets.len());
    for name in &selection.wallets {
        holders.push(named(custody, name).await?);
    }
    Ok(holders)
}

/// A wallet by any of its names, or any address.
pub(crate) async fn named(custody: &Custody, name: &str) -> Result<Holder, Failure> {
    match custody.wallet(name).await {
        Ok(wallet) => Ok(Holder {
            index: wallet.index,
            address: super::wallets::solana(&wallet)?,
            label: wallet.label,
        }),
        Err(error @ CustodyError::NotFound { .. }) => match name.parse() {
            Ok(address) => Ok(Holder {
                index: None,
                label: String::new(),
                address,
            }),
            Err(_) => Err(error.into()),
        },
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn query(selection: &Selection) -> WalletQuery {
    WalletQuery {
        tag: selection.tag.clone(),
        owner: selection.owner.clone(),
        limit: PAGE,
        ..WalletQuery::default()
    }
}

async fn every(custody: &Custody, selection: &Selection) -> Result<Vec<Holder>, Failure> {
    let mut holders = Vec::new();
    let mut after: Option<WalletCursor> = None;
    loop {
        let page = WalletQuery {
            after: after.take(),
            ..query(selection)
        };
        let page = custody.wallets(&page).await?;
        // A node of Solana knows nothing of the others.
        holders.extend(page.rows.into_iter().filter_map(holder));
        after = page.next;
        if after.is_none() {
            return Ok(holders);
        }
        if holders.len() > MAX_WALLETS {
            return Err(Failure::invalid(
                "too_many_wallets",
                format!("there are more than {MAX_WALLETS} wallets"),
                "choose some with --tag or --owner",
            ));
        }
    }
}

fn holder(wallet: Wallet) -> Option<Holder> {
    Some(Holder {
        index: wallet.index,
        address: *wallet.solana()?,
        label: wallet.label,
    })
}

#[cfg(test)]
mod tests {
    use super::age;

    #[test]
    fn ages_are_short() {
        for (ms, text) in [
            (0, "0s"),
            (59_999, "59s"),
            (60_000, "1m"),
            (3_600_000, "1h"),
            (172_799_999, "47h"),
            (172_800_000, "2d"),
        ] {
            assert_eq!(age(1_000_000_000 + ms, 1_000_000_000), text);
        }
        assert_eq!(age(5, 9), "0s");
    }
}
