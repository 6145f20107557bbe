//! `keyward tokens`: token accounts of both token programs, kept in the vault's store.

use keyward_core::address::Address;
use keyward_core::amount::format_units;
use keyward_core::solana::token::{AccountExtension, MintExtension};
use keyward_custody::portfolio::TokenHolding;
use serde_json::{Value, json};

use super::context::Context;
use super::holdings::{Holder, Looked, Selection, age, look};
use crate::exit::Failure;
use crate::output::{Align, Report, Table};

/// Read and keep token accounts of SPL Token and Token-2022; needs a node
///
/// Two requests for each wallet. A symbol is what a mint says of itself: anybody can mint a token of any name.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  keyward tokens treasury\n  keyward tokens --tag trading --max-age 1h --json\n  keyward tokens --cached --empty"
)]
pub(crate) struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Show accounts that hold nothing, too
    #[arg(long)]
    empty: bool,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<Report, Failure> {
    let looked = look(context, &args.selection, true).await?;
    let addresses = looked.addresses();
    let holdings = looked.custody.holdings(&looked.network, &addresses).await?;
    let of_one = match addresses.as_slice() {
        [one] => Some(one),
        _ => None,
    };
    let tokens = looked.custody.token_holdings(&looked.network, of_one).await?;
    let mut table = Table::new(&[
        ("wallet", Align::Left),
        ("mint", Align::Left),
        ("symbol", Align::Left),
        ("amount", Align::Right),
        ("state", Align::Left),
        ("account", Align::Left),
        ("age", Align::Right),
    ]);
    let mut rows = Vec::new();
    let mut unknown = 0;
    for (holder, holding) in looked.holders.iter().zip(&holdings) {
        let Some(read) = holding.and_then(|holding| holding.tokens) else {
            unknown += 1;
            continue;
        };
        let own = tokens.iter().filter(|token| token.owner == holder.address);
        for token in own.filter(|token| args.empty || !is_empty(token)) {
            table.row([
                name(holder),
                token
                    .mint_address()
                    .map_or_else(|| "?".to_owned(), Address::to_string),
                token.symbol().unwrap_or_default(),
                amount(token),
                state(token).to_owned(),
                token.account.to_string(),
                age(looked.now_ms, read.read_ms),
            ]);
            rows.push(json_of(&looked, holder, token, read.slot, read.read_ms));
        }
    }
    if unknown > 0 {
        context.warn(&format!("the tokens of {unknown} wallets were never read"));
    }
    let exit = looked.warn(context, unknown);
    let count = rows.len();
    let text = format!(
        "{}{count} token accounts\n{}",
        table.render(),
        looked.traffic_text()
    );
    let mut fields = looked.json();
    fields.insert("tokens".to_owned(), Value::Array(rows));
    fields.insert("unknown".to_owned(), json!(unknown));
    Ok(Report::new(text, Value::Object(fields)).with_exit(exit))
}

fn is_empty(token: &TokenHolding) -> bool {
    token
        .state
        .as_ref()
        .is_ok_and(|state| state.amount == 0 && state.withheld() == 0 && !state.has_confidential_amounts())
}

fn name(holder: &Holder) -> String {
    match (holder.index, holder.label.is_empty()) {
        (_, false) => holder.label.clone(),
        (Some(index), true) => format!("#{index}"),
        (None, true) => holder.address.abbreviated(),
    }
}

/// Exact, with the mint's decimals; base units where they are not known.
fn amount(token: &TokenHolding) -> String {
    match (&token.state, token.decimals()) {
        (Ok(state), Some(decimals)) => format_units(state.amount, decimals),
        (Ok(state), None) => format!("{} base units", state.amount),
        (Err(_), _) => "?".to_owned(),
    }
}

fn state(token: &TokenHolding) -> &'static str {
    match &token.state {
        Ok(state) if state.is_frozen() => "frozen",
        Ok(_) => "",
        Err(_) => "unreadable",
    }
}

fn json_of(looked: &Looked, holder: &Holder, token: &TokenHolding, slot: u64, read_ms: u64) -> Value {
    let text = |address: Option<&Address>| address.map(Address::to_string);
    let state = token.state.as_ref().ok();
    let mint = token.mint.as_ref();
    json!({
        "wallet": holder.address.to_string(),
        "index": holder.index,
        "label": holder.label,
        "account": token.account.to_string(),
        "program": token.program.name(),
        "mint": text(token.mint_address()),
        "symbol": token.symbol(),
        "amount": state.map(|state| state.amount.to_string()),
        "decimals": token.decimals(),
        "frozen": state.map(|state| state.is_frozen()),
        "rent_lamports": token.lamports.get(),
        "native": state.map(|state| state.native_reserve.is_some()),
        "delegate": text(state.and_then(|state| state.delegate.as_ref())),
        "delegated_amount": state.map(|state| state.delegated_amount.to_string()),
        "close_authority": text(state.and_then(|state| state.close_authority.as_ref())),
        "withheld": state.map(|state| state.withheld().to_string()),
        "extensions": state.map(|state| {
            state.extensions.iter().map(AccountExtension::name).collect::<Vec<_>>()
        }),
        "mint_extensions": mint.map(|mint| {
            mint.extensions.iter().map(MintExtension::name).collect::<Vec<_>>()
        }),
        "error": token.state.as_ref().err().map(ToString::to_string),
        "slot": slot,
        "age_ms": looked.now_ms.saturating_sub(read_ms),
    })
}
