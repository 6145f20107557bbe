//! `keyward portfolio`: what wallets hold together, by tag or by owner.

use keyward_core::amount::format_units;
use keyward_custody::portfolio::{Grouping, PortfolioGroup, TokenSum};
use serde_json::{Value, json};

use super::context::Context;
use super::holdings::{Selection, age, look, query};
use crate::exit::Failure;
use crate::output::{Align, Report, Table};

/// Sum what wallets hold, by tag or by owner
///
/// Shows what is kept of earlier readings, with the age of the oldest; --refresh reads what is older than --max-age before.
/// A wallet with several tags counts in each of them and once in the total.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  keyward portfolio\n  keyward portfolio --by owner --json\n  keyward portfolio --tag trading --refresh --max-age 10m"
)]
pub(crate) struct Args {
    /// What makes a group
    #[arg(long, value_enum, default_value_t = By::Tag)]
    by: By,
    /// Only wallets with this tag
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// Only wallets of this owner
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Read balances and tokens from the node before
    #[arg(long)]
    refresh: bool,
    /// With --refresh: leave what was read at most so long ago as it is
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = crate::duration::parse, requires = "refresh")]
    max_age: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum By {
    Tag,
    Owner,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<Report, Failure> {
    let selection = Selection {
        wallets: Vec::new(),
        tag: args.tag,
        owner: args.owner,
        max_age: args.max_age,
        cached: !args.refresh,
    };
    let looked = look(context, &selection, true).await?;
    let (grouping, title, without) = match args.by {
        By::Tag => (Grouping::Tag, "tag", "(no tag)"),
        By::Owner => (Grouping::Owner, "owner", "(no owner)"),
    };
    let portfolio = looked
        .custody
        .portfolio(&looked.network, &query(&selection), grouping)
        .await?;
    let mut table = Table::new(&[
        (title, Align::Left),
        ("wallets", Align::Right),
        ("unknown", Align::Right),
        ("holding", Align::Right),
        ("of", Align::Left),
        ("oldest", Align::Right),
    ]);
    for group in &portfolio.groups {
        let name = group.name.as_deref().unwrap_or(without);
        rows(&mut table, name, group, looked.now_ms);
    }
    rows(&mut table, "total", &portfolio.total, looked.now_ms);
    if portfolio.total.unknown > 0 {
        context.warn(&format!(
            "{} wallets were never read: the sums are without them",
            portfolio.total.unknown
        ));
    }
    if portfolio.total.tokens_unknown > 0 {
        context.warn(&format!(
            "the tokens of {} wallets were never read: read them with `keyward tokens`",
            portfolio.total.tokens_unknown
        ));
    }
    let exit = looked.warn(context, 0);
    let text = format!("{}{}", table.render(), looked.traffic_text());
    let mut fields = looked.json();
    fields.insert("by".to_owned(), json!(title));
    let groups = portfolio.groups.iter().map(|group| json_of(group, looked.now_ms));
    fields.insert("groups".to_owned(), groups.collect());
    fields.insert("total".to_owned(), json_of(&portfolio.total, looked.now_ms));
    Ok(Report::new(text, Value::Object(fields)).with_exit(exit))
}

fn rows(table: &mut Table, name: &str, group: &PortfolioGroup, now_ms: u64) {
    table.row([
        name.to_owned(),
        group.wallets.to_string(),
        group.unknown.to_string(),
        units(group.lamports, Some(9)),
        "SOL".to_owned(),
        group
            .oldest_ms
            .map_or_else(|| "-".to_owned(), |oldest| age(now_ms, oldest)),
    ]);
    for token in group.tokens.iter().filter(|token| token.amount > 0) {
        let of = match &token.symbol {
            Some(symbol) => format!("{} \"{symbol}\"", token.mint),
            None => token.mint.to_string(),
        };
        table.row([
            String::new(),
            String::new(),
            String::new(),
            units(token.amount, token.decimals),
            of,
            String::new(),
        ]);
    }
}

/// Exact; base units where the decimals are not known or the amount is beyond 64 bits.
fn units(amount: u128, decimals: Option<u8>) -> String {
    match (u64::try_from(amount), decimals) {
        (Ok(amount), Some(decimals)) => format_units(amount, decimals),
        _ => format!("{amount} base units"),
    }
}

fn json_of(group: &PortfolioGroup, now_ms: u64) -> Value {
    let token = |token: &TokenSum| {
        json!({
            "mint": token.mint.to_string(),
            "symbol": token.symbol,
            "decimals": token.decimals,
            "amount": token.amount.to_string(),
            "frozen": token.frozen.to_string(),
            "accounts": token.accounts,
        })
    };
    json!({
        "name": group.name,
        "wallets": group.wallets,
        "unknown": group.unknown,
        "tokens_unknown": group.tokens_unknown,
        "lamports": group.lamports.to_string(),
        "tokens": group.tokens.iter().map(token).collect::<Vec<_>>(),
        "oldest_age_ms": group.oldest_ms.map(|oldest| now_ms.saturating_sub(oldest)),
        "lowest_slot": group.lowest_slot,
    })
}
