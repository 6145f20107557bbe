//! An intent in plain sentences.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Action, BudgetSettings, ComputeBudgetSetting, Intent, programs};
use crate::amount::{Lamports, format_units};
use crate::solana::MessageVersion;

/// The most characters of a memo that a sentence shows.
const MEMO_SHOWN: usize = 200;

pub(super) fn describe(intent: &Intent) -> Vec<String> {
    let mut lines: Vec<String> = intent.actions.iter().map(sentence).collect();
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
            reason,
        } => {
            let name = program_name.map_or_else(String::new, |name| format!(" ({name})"));
            format!(
                "Call program {program}{name} with {} and {} of data: {reason}",
                counted(accounts.len(), "account"),
                counted(*data_len, "byte")
            )
        }
    }
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
