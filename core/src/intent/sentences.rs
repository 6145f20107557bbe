//! An intent in plain sentences.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::decoded::{Danger, Field, FieldValue, field};
use super::{Action, BudgetSettings, ComputeBudgetSetting, Intent, programs};
use crate::address::Address;
use crate::amount::{Lamports, format_units};
use crate::solana::MessageVersion;

/// The most characters of a memo that a sentence shows.
const MEMO_SHOWN: usize = 200;
/// The most bytes of undecoded data that a sentence shows.
const BYTES_SHOWN: usize = 32;

pub(super) fn describe(intent: &Intent) -> Vec<String> {
    let marked = |action: &Action| match action {
        // A memo's text is shown as it is.
        Action::Memo { .. } => sentence(action),
        _ => mark_looked_up(intent, &sentence(action)),
    };
    let mut lines: Vec<String> = intent.actions.iter().map(marked).collect();
    if intent.actions.is_empty() {
        lines.push("Do nothing but pay the fee".to_string());
    }
    if let MessageVersion::V1(config) = intent.version {
        let settings = [
            config.compute_unit_limit.map(ComputeBudgetSetting::UnitLimit),
            config
                .loaded_accounts_data_size_limit
                .map(ComputeBudgetSetting::LoadedAccountsDataSize),
            config.heap_size.map(ComputeBudgetSetting::HeapFrame),
        ];
        lines.extend(settings.into_iter().flatten().map(budget_sentence));
    }
    let fee = intent.max_priority_fee();
    if fee > Lamports::ZERO {
        lines.push(format!("Pay a priority fee of at most {fee} SOL"));
    }
    if intent.budget_settings == BudgetSettings::Duplicate {
        lines.push("Set the compute budget twice, which the network refuses".to_string());
    }
    if let Some(nonce) = &intent.durable_nonce {
        let account = nonce
            .account
            .map_or_else(|| "that is not known".to_string(), |account| account.to_string());
        lines.push(format!(
            "Never expire: once signed, it can be sent at any time until nonce account {account} is advanced"
        ));
    }
    if !intent.lookups.is_empty() {
        let tables: BTreeSet<_> = intent.lookups.iter().map(|own| own.table).collect();
        lines.push(format!(
            "Rely on what {} held when asked ({})",
            counted(tables.len(), "lookup table"),
            joined(tables.iter())
        ));
    }
    if intent.unresolved_lookups > 0 {
        lines.push(format!(
            "Use accounts of {} that cannot be read from the transaction",
            counted(intent.unresolved_lookups, "lookup table")
        ));
    }
    lines
}

fn sentence(action: &Action) -> String {
    match action {
        Action::SolTransfer { from, to, lamports } => {
            format!("Transfer {lamports} SOL from {from} to {to}")
        }
        Action::TokenTransfer { .. } => token_sentence(action),
        Action::Memo { text, bytes_len, .. } => match text {
            Some(text) => format!("Write the memo \"{}\"", escape(text, MEMO_SHOWN)),
            None => format!("Write a memo of {} without text", counted(*bytes_len, "byte")),
        },
        Action::ComputeBudget { setting } => budget_sentence(*setting),
        Action::Unknown {
            program,
            program_name,
            accounts,
            data_len,
            data_start,
            reason,
        } => {
            let name = program_name.map_or_else(String::new, |name| format!(" ({name})"));
            let mut line = format!(
                "Call program {program}{name} with {} and {} of data: {reason}",
                counted(accounts.len(), "account"),
                counted(*data_len, "byte")
            );
            if !accounts.is_empty() {
                line.push_str(&format!("; accounts {}", joined(accounts.iter())));
            }
            if !data_start.is_empty() {
                let more = if *data_len > data_start.len() { "…" } else { "" };
                line.push_str(&format!("; data {}{more}", hex::encode(data_start)));
            }
            line
        }
        Action::Decoded {
            program_name,
            instruction,
            fields,
            dangers,
            ..
        } => decoded_sentence(program_name, instruction, fields, dangers),
    }
}

fn decoded_sentence(program: &str, instruction: &str, fields: &[Field], dangers: &[Danger]) -> String {
    let decimals = match field(fields, "decimals") {
        Some(FieldValue::Number(decimals)) => u8::try_from(*decimals).ok(),
        _ => None,
    };
    let shown: Vec<String> = fields
        .iter()
        .filter(|own| match &own.value {
            FieldValue::Account(account) => !programs::is_expected(own.label, account),
            _ => true,
        })
        .map(|own| match (&own.value, decimals) {
            (FieldValue::Number(amount), Some(decimals)) if own.label == "amount" => {
                format!("amount {}", format_units(*amount, decimals))
            }
            (value, _) => format!("{} {}", own.label, value_text(value)),
        })
        .collect();
    let mut line = format!("{program} {instruction}");
    if !shown.is_empty() {
        line.push_str(&format!(": {}", shown.join(", ")));
    }
    for danger in dangers {
        line.push_str(&format!(" — DANGER: {danger}"));
    }
    line
}

fn value_text(value: &FieldValue) -> String {
    match value {
        FieldValue::Account(address) | FieldValue::Address(address) => address.to_string(),
        FieldValue::Accounts(list) | FieldValue::Addresses(list) => match list.as_slice() {
            [] => "none".to_string(),
            list => joined(list.iter()),
        },
        FieldValue::Nothing => "none".to_string(),
        FieldValue::Lamports(lamports) => format!("{lamports} SOL"),
        FieldValue::Number(number) => number.to_string(),
        FieldValue::Signed(number) => number.to_string(),
        FieldValue::Word(word) => (*word).to_string(),
        FieldValue::Text(text) => format!("\"{}\"", escape(text, MEMO_SHOWN)),
        FieldValue::Bytes(bytes) => match bytes.split_at_checked(BYTES_SHOWN) {
            Some((start, rest)) if !rest.is_empty() => {
                format!("{}… ({})", hex::encode(start), counted(bytes.len(), "byte"))
            }
            _ if bytes.is_empty() => "none".to_string(),
            _ => hex::encode(bytes),
        },
    }
}

fn joined<'a>(addresses: impl Iterator<Item = &'a Address>) -> String {
    addresses.map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Says of every address in a line that comes from a lookup table which one.
fn mark_looked_up(intent: &Intent, line: &str) -> String {
    if intent.lookups.is_empty() {
        return line.to_string();
    }
    let marks: BTreeMap<String, String> = intent
        .lookups
        .iter()
        .map(|own| {
            let table = own.table.abbreviated();
            (own.address.to_string(), format!(" [from lookup table {table}]"))
        })
        .collect();
    let mut marked = String::with_capacity(line.len());
    for word in line.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let end = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        marked.push_str(end);
        if let Some(mark) = marks.get(end) {
            marked.push_str(mark);
        }
        marked.push_str(word.get(end.len()..).unwrap_or_default());
    }
    marked
}

fn token_sentence(action: &Action) -> String {
    let Action::TokenTransfer {
        program,
        source,
        destination,
        authority,
        mint,
        amount,
        decimals,
        fee,
        extra_accounts,
    } = action
    else {
        return String::new();
    };
    let what = match (mint, decimals) {
        (Some(mint), Some(decimals)) => {
            format!("{} of token {mint}", format_units(*amount, *decimals))
        }
        _ => format!("{amount} smallest units of a token that is not named"),
    };
    let mut line =
        format!("Transfer {what} from account {source} to account {destination}, allowed by {authority}");
    if let Some(fee) = fee {
        let shown = format_units(*fee, decimals.unwrap_or(0));
        line.push_str(&format!(", with a transfer fee of {shown}"));
    }
    if !extra_accounts.is_empty() {
        line.push_str(&format!(
            ", with {}",
            counted(extra_accounts.len(), "further account")
        ));
    }
    if *program == programs::TOKEN_2022 {
        line.push_str(" (Token-2022)");
    }
    line
}

fn budget_sentence(setting: ComputeBudgetSetting) -> String {
    match setting {
        ComputeBudgetSetting::HeapFrame(bytes) => format!("Ask for {bytes} bytes of heap"),
        ComputeBudgetSetting::UnitLimit(units) => format!("Use at most {units} compute units"),
        ComputeBudgetSetting::UnitPrice(price) => {
            format!("Offer {price} millionths of a lamport per compute unit")
        }
        ComputeBudgetSetting::LoadedAccountsDataSize(bytes) => {
            format!("Load at most {bytes} bytes of accounts")
        }
        ComputeBudgetSetting::PriorityFee(fee) => format!("Offer a priority fee of {fee} SOL"),
    }
}

fn counted(count: usize, thing: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {thing}{ending}")
}

/// Shows text from the message so that it can neither steer a terminal nor pose as another sentence.
fn escape(text: &str, limit: usize) -> String {
    let mut shown = String::new();
    for (at, c) in text.chars().enumerate() {
        if at == limit {
            shown.push('…');
            break;
        }
        if c == '"' || c == '\\' {
            shown.push('\\');
            shown.push(c);
        } else if crate::policy::text::is_printable(c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_unicode());
        }
    }
    shown
}
