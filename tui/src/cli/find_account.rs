//! `keyward find-account`: which of a phrase's addresses were ever used, in every path family of Solana.
//!
//! The node learns the addresses, and no more. An answer that is not certain counts neither as used nor as unused: the
//! family is reported as undetermined then. EVM chains are not searched, having no node here.

use keyward_core::account::Chain;
use keyward_core::amount::Lamports;
use keyward_core::discovery::{AccountScan, Activity, FamilyStatus, Query, ScanError, ScanReport};
use keyward_core::path::PathFamily;
use keyward_custody::chain::SolanaNode;
use keyward_custody::memory::clearing_stack;
use serde_json::{Value, json};

use super::arguments::family_among;
use super::context::Context;
use super::phrase::{LanguageArgs, ask_phrase, parse_phrase, read_passphrase};
use super::wallets::ProgressLine;
use crate::exit::{Exit, Failure};
use crate::output::{Align, Report, Table, sol};
use crate::secret_input::Source;

/// Find the used addresses of the phrase on standard input; needs a node, which learns the addresses
///
/// Every path family of Solana is searched until so many addresses in a row were never used.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keyward find-account --rpc http://127.0.0.1:8899 < phrase.txt
  keyward find-account --family bip44 --gap 50 --passphrase-file passphrase.txt < phrase.txt")]
pub(crate) struct Args {
    /// A path family; may be repeated [default: all of Solana]
    #[arg(long = "family", value_name = "FAMILY")]
    families: Vec<String>,
    /// How many unused addresses in a row end a family, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    gap: u32,
    /// Read the phrase's BIP-39 passphrase from this file's only line
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<Source>,
    #[command(flatten)]
    language: LanguageArgs,
}

/// An address that was used, and what it holds now.
struct Used {
    query: Query,
    balance: Option<Lamports>,
}

pub(crate) async fn run(context: &mut Context, args: &Args) -> Result<Report, Failure> {
    let families = families(&args.families)?;
    let node = context.node()?;
    let passphrase = read_passphrase(args.passphrase_file.as_ref())?;
    let phrase = ask_phrase()?;
    let mut scan = {
        let mnemonic = parse_phrase(&phrase, args.language.language)?;
        clearing_stack(|| AccountScan::new(&mnemonic.to_seed(&passphrase), &families, args.gap))
            .map_err(|error| failure(&error))?
    };
    drop(phrase);
    let mut line = ProgressLine::new(context.shows_progress());
    let mut used = Vec::new();
    let mut asked = 0_usize;
    loop {
        let queries = clearing_stack(|| scan.queries()).map_err(|error| failure(&error))?;
        if queries.is_empty() {
            break;
        }
        asked += queries.len();
        line.show(&format!("asked about {asked} addresses"));
        for (query, activity, balance) in look_up(&node, queries).await {
            scan.answer(query.family, query.index, activity)
                .map_err(|error| failure(&error))?;
            if activity == Activity::Used {
                used.push(Used { query, balance });
            }
        }
    }
    line.clear();
    Ok(report(&scan.report(), &used))
}

fn families(names: &[String]) -> Result<Vec<PathFamily>, Failure> {
    let all = PathFamily::of(Chain::Solana);
    if names.is_empty() {
        return Ok(all.to_vec());
    }
    names.iter().map(|name| family_among(all, name)).collect()
}

/// What the node knows of each address. A balance says "used" at once; without one, only an empty history says "unused".
async fn look_up(node: &SolanaNode, queries: Vec<Query>) -> Vec<(Query, Activity, Option<Lamports>)> {
    let addresses: Vec<_> = queries
        .iter()
        .filter_map(|query| query.address.as_solana().copied())
        .collect();
    let balances = match node.balances(&addresses).await {
        Ok(balances) => balances.values,
        Err(_) => vec![None; addresses.len()],
    };
    let mut answers = Vec::with_capacity(queries.len());
    for ((query, address), balance) in queries.into_iter().zip(addresses).zip(balances) {
        let activity = match balance {
            None => Activity::Unknown,
            Some(Lamports::ZERO) => match node.history(&address, 1, None).await {
                Ok(history) if history.is_empty() => Activity::Unused,
                Ok(_) => Activity::Used,
                Err(_) => Activity::Unknown,
            },
            Some(_) => Activity::Used,
        };
        answers.push((query, activity, balance));
    }
    answers
}

fn failure(error: &ScanError) -> Failure {
    Failure::invalid(
        "search_invalid",
        error.to_string(),
        "see `keyward find-account --help`",
    )
}

const fn status_id(status: FamilyStatus) -> &'static str {
    match status {
        FamilyStatus::Complete => "complete",
        FamilyStatus::Undetermined => "undetermined",
        FamilyStatus::Pending => "pending",
        FamilyStatus::CutOff => "cut-off",
    }
}

fn report(found: &ScanReport, used: &[Used]) -> Report {
    let mut text = String::new();
    if !used.is_empty() {
        let mut table = Table::new(&[
            ("family", Align::Left),
            ("path", Align::Left),
            ("address", Align::Left),
            ("balance", Align::Right),
        ]);
        for one in used {
            let family = one.query.family.id().to_owned();
            let address = one.query.address.to_string();
            table.row([family, one.query.path.clone(), address, sol(one.balance)]);
        }
        text.push_str(&table.render());
        text.push('\n');
    }
    text.push_str(&format!("{} used addresses; searched:\n", used.len()));
    for one in &found.families {
        let (id, template, status) = (one.family.id(), one.family.template(), status_id(one.status));
        text.push_str(&format!(
            "  {id}  {template}  {} addresses, {status}\n",
            one.answered
        ));
    }
    let exit = if !found.is_certain() {
        Exit::Unreachable
    } else if used.is_empty() {
        Exit::NotFound
    } else {
        Exit::Ok
    };
    let families: Vec<Value> = found
        .families
        .iter()
        .map(|one| {
            json!({
                "family": one.family.id(),
                "template": one.family.template(),
                "status": status_id(one.status),
                "answered": one.answered,
                "unknown": one.unknown.len(),
            })
        })
        .collect();
    let used: Vec<Value> = used.iter().map(used_json).collect();
    let json = json!({
        "gap": found.gap,
        "certain": found.is_certain(),
        "used": used,
        "searched": families,
    });
    Report::new(text, json).with_exit(exit)
}

fn used_json(used: &Used) -> Value {
    json!({
        "family": used.query.family.id(),
        "index": used.query.index.get(),
        "path": used.query.path,
        "address": used.query.address.to_string(),
        "lamports": used.balance.map(Lamports::get),
    })
}
