//! A sweep's plan and its end, for people and for scripts.

use keyward_core::amount::{Lamports, format_units_short};
use keyward_custody::jobs::{ItemAction, Job, JobKind};
use keyward_custody::sweep::{Skipped, SweepLeft, SweepPlan};
use serde_json::{Value, json};

use crate::output::{Align, Table, fields, printable, sol};

/// Rows of what is left out that a person is shown; scripts are told all.
const MAX_SHOWN: usize = 50;

pub(super) fn plan_text(plan: &SweepPlan) -> String {
    let estimate = &plan.estimate;
    let to = match (plan.job.kind, plan.job.items.first()) {
        (JobKind::Consolidation, Some(item)) => item.recipient.to_string(),
        _ => "where each account's rent goes is in SOL released".to_owned(),
    };
    let mut pairs = vec![
        ("to", to),
        ("fee payer", plan.job.fee_payer.to_string()),
        ("items", plan.job.items.len().to_string()),
        (
            "transactions",
            format!(
                "{} with {} signatures",
                estimate.transactions, estimate.signatures
            ),
        ),
        (
            "wallets drained",
            format!("{} to exactly zero", estimate.wallets_drained),
        ),
        ("SOL drained", sol(Some(estimate.drained))),
        ("accounts closed", estimate.accounts_closed.to_string()),
        ("SOL released", released(plan)),
        (
            "cost at most",
            format!(
                "{}: fees {}, priority {}, rent of {} new accounts {}",
                sol(Some(estimate.cost())),
                sol(Some(estimate.base_fees)),
                sol(Some(estimate.priority_fees)),
                estimate.accounts_created,
                sol(Some(estimate.rent)),
            ),
        ),
    ];
    for token in &estimate.tokens {
        let amount = units(token.amount, token.decimals);
        let fee = units(token.fee, token.decimals);
        pairs.push((
            "token",
            format!(
                "{amount} of {} from {} accounts, its own fee {fee}",
                token.mint, token.accounts
            ),
        ));
    }
    let mut text = fields(&pairs);
    if !plan.skipped.is_empty() {
        text.push_str(&format!("\nleft where they are: {}\n", plan.skipped.len()));
        text.push_str(&skipped_text(&plan.skipped));
    }
    for reason in &plan.refusals {
        text.push_str(&format!("\nrefused: {}\n", printable(&reason.text)));
    }
    for failure in &plan.failures {
        text.push_str(&format!("\nwould fail: {}\n", printable(failure)));
    }
    if plan.job.items.is_empty() {
        text.push_str("\nthere is nothing to do\n");
    }
    text
}

fn released(plan: &SweepPlan) -> String {
    let amount = sol(Some(plan.estimate.released));
    match plan.estimate.released_to {
        Some(address) => format!("{amount} to {address}"),
        None => format!("{amount} to each account's owner"),
    }
}

fn units(amount: u128, decimals: u8) -> String {
    match u64::try_from(amount) {
        Ok(amount) => format_units_short(amount, decimals),
        Err(_) => format!("{amount} smallest units"),
    }
}

fn skipped_text(skipped: &[Skipped]) -> String {
    let mut table = Table::new(&[
        ("wallet", Align::Left),
        ("account", Align::Left),
        ("SOL", Align::Right),
        ("why", Align::Left),
    ]);
    for one in skipped.iter().take(MAX_SHOWN) {
        table.row([
            one.wallet.abbreviated(),
            one.account
                .map_or_else(String::new, |account| account.to_string()),
            sol(Some(one.lamports)),
            one.reason.to_string(),
        ]);
    }
    let mut text = table.render();
    if skipped.len() > MAX_SHOWN {
        text.push_str(&format!(
            "and {} more; --json tells all\n",
            skipped.len() - MAX_SHOWN
        ));
    }
    text
}

pub(super) fn plan_json(plan: &SweepPlan) -> Value {
    let estimate = &plan.estimate;
    let items: Vec<Value> = plan
        .job
        .items
        .iter()
        .zip(&plan.expected)
        .map(|(item, expected)| {
            let (what, account, mint) = match &item.action {
                ItemAction::DrainSol => ("drain-sol", None, None),
                ItemAction::DrainToken {
                    source_account, mint, ..
                } => ("drain-token", Some(source_account), Some(mint)),
                ItemAction::CloseAccount { account, .. } => ("close-account", Some(account), None),
                ItemAction::WithdrawExcess { account, .. } => ("withdraw-excess", Some(account), None),
                _ => ("payment", None, None),
            };
            json!({
                "number": item.number,
                "do": what,
                "wallet": item.source.to_string(),
                "account": account.map(ToString::to_string),
                "mint": mint.map(ToString::to_string),
                "recipient": item.recipient.to_string(),
                "expected": expected,
            })
        })
        .collect();
    json!({
        "fee_payer": plan.job.fee_payer.to_string(),
        "format": plan.job.format.as_str(),
        "items": items,
        "groups": plan.job.groups,
        "skipped": plan.skipped.iter().map(skipped_json).collect::<Vec<_>>(),
        "refusals": plan.refusals.iter().map(|one| json!({ "code": one.code, "text": one.text })).collect::<Vec<_>>(),
        "failures": plan.failures,
        "estimate": {
            "transactions": estimate.transactions,
            "signatures": estimate.signatures,
            "base_fees_lamports": estimate.base_fees.get(),
            "priority_fees_lamports": estimate.priority_fees.get(),
            "accounts_created": estimate.accounts_created,
            "rent_lamports": estimate.rent.get(),
            "cost_lamports": estimate.cost().get(),
            "accounts_closed": estimate.accounts_closed,
            "wallets_drained": estimate.wallets_drained,
            "drained_lamports": estimate.drained.get(),
            "released_lamports": estimate.released.get(),
            "released_to": estimate.released_to.map(|to| to.to_string()),
            "tokens": estimate.tokens.iter().map(|token| json!({
                "mint": token.mint.to_string(),
                "decimals": token.decimals,
                "accounts": token.accounts,
                "amount": token.amount.to_string(),
                "fee": token.fee.to_string(),
            })).collect::<Vec<_>>(),
        },
    })
}

fn skipped_json(one: &Skipped) -> Value {
    json!({
        "wallet": one.wallet.to_string(),
        "account": one.account.map(|account| account.to_string()),
        "mint": one.mint.map(|mint| mint.to_string()),
        "amount": one.amount,
        "lamports": one.lamports.get(),
        "code": one.reason.code(),
        "reason": one.reason.to_string(),
    })
}

pub(super) fn job_text(job: &Job) -> String {
    let counts = &job.counts;
    fields(&[
        ("job", job.id.to_string()),
        (
            "items",
            format!(
                "{}: {} done, {} in flight, {} to do, {} failed, {} cancelled, {} skipped",
                counts.total,
                counts.done,
                counts.in_flight,
                counts.planned,
                counts.failed,
                counts.cancelled,
                counts.skipped
            ),
        ),
        ("transactions", counts.batches.to_string()),
    ])
}

pub(super) fn job_json(job: &Job) -> Value {
    let counts = &job.counts;
    json!({
        "id": job.id.to_string(),
        "kind": job.kind.as_str(),
        "state": job.state.as_str(),
        "total": counts.total,
        "done": counts.done,
        "in_flight": counts.in_flight,
        "planned": counts.planned,
        "failed": counts.failed,
        "cancelled": counts.cancelled,
        "skipped": counts.skipped,
        "transactions": counts.batches,
    })
}

pub(super) fn left_text(left: &SweepLeft) -> String {
    let mut text = fields(&[
        ("at zero", left.zero.to_string()),
        ("closed", left.closed.to_string()),
    ]);
    for (address, lamports) in left.remaining.iter().take(MAX_SHOWN) {
        text.push_str(&format!("{address} holds {} again\n", sol(Some(*lamports))));
    }
    for address in left.open.iter().take(MAX_SHOWN) {
        text.push_str(&format!("{address} is still there\n"));
    }
    text
}

pub(super) fn left_json(left: &SweepLeft) -> Value {
    let remaining = |(address, lamports): &(_, Lamports)| {
        let address: &keyward_core::address::Address = address;
        json!({ "wallet": address.to_string(), "lamports": lamports.get() })
    };
    json!({
        "zero": left.zero,
        "closed": left.closed,
        "remaining": left.remaining.iter().map(remaining).collect::<Vec<_>>(),
        "open": left.open.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

/// Adds fields to an object.
pub(super) fn with_fields(mut json: Value, fields: &[(&str, Value)]) -> Value {
    if let Some(object) = json.as_object_mut() {
        for (name, value) in fields {
            object.insert((*name).to_owned(), value.clone());
        }
    }
    json
}
