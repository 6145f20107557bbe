//! Plans and reports, for people and for scripts.

use keyward_core::amount::format_units_short;
use keyward_custody::distribution::{
    DistributionPlan, DistributionReport, Finding, Gravity, ReportLine, Verdict,
};
use keyward_custody::jobs::ItemAction;
use serde_json::{Value, json};

use super::options::Shown;
use crate::output::{self, Align, Table, fields};

/// How many findings, payments or lines people are shown.
const SHOWN: usize = 20;

fn amount(base_units: u64, decimals: Option<u8>) -> String {
    match decimals {
        Some(decimals) => format_units_short(base_units, decimals),
        None => format!("{} SOL", format_units_short(base_units, 9)),
    }
}

pub(super) fn plan_text(plan: &DistributionPlan, shown: &Shown) -> String {
    let estimate = &plan.estimate;
    let options: Value = serde_json::from_str(&plan.job.options_json).unwrap_or(Value::Null);
    let mut pairs = vec![
        ("job", plan.job.id.to_string()),
        ("label", plan.job.label.clone()),
        ("payments", plan.job.items.len().to_string()),
        ("paid in all", amount(estimate.paid, shown.decimals)),
        (
            "transactions",
            format!("{} ({})", estimate.transactions, plan.job.format.as_str()),
        ),
        ("fees", format!("{} SOL", estimate.base_fees)),
        ("priority fees", format!("at most {} SOL", estimate.priority_fees)),
    ];
    if shown.decimals.is_some() {
        pairs.push(("withheld", amount(estimate.withheld, shown.decimals)));
        pairs.push((
            "new accounts",
            format!("{}, rent {} SOL", estimate.accounts_created, estimate.rent),
        ));
    }
    pairs.push((
        "a failed one",
        format!("costs {} SOL", estimate.failed_transaction),
    ));
    if let Some(seed) = options.pointer("/amounts/seed").and_then(Value::as_str) {
        pairs.push(("seed", seed.to_owned()));
    }
    pairs.push(("tried out", format!("{} transactions", plan.simulated)));
    let mut text = fields(&pairs);
    text.push('\n');
    text.push_str(&payers(plan, shown));
    text.push('\n');
    text.push_str(&payments(plan, shown));
    text.push_str(&findings(plan));
    text
}

fn payers(plan: &DistributionPlan, shown: &Shown) -> String {
    let mut table = Table::new(&[
        ("paying wallet", Align::Left),
        ("SOL before", Align::Right),
        ("SOL after", Align::Right),
        ("tokens before", Align::Right),
        ("tokens after", Align::Right),
    ]);
    let tokens =
        |units: Option<u64>| units.map_or_else(|| "-".to_owned(), |units| amount(units, shown.decimals));
    for payer in &plan.estimate.payers {
        table.row([
            payer.address.to_string(),
            payer.lamports_before.to_string(),
            payer
                .lamports_after
                .map_or_else(|| "too little".to_owned(), |after| after.to_string()),
            tokens(payer.tokens_before),
            tokens(payer.tokens_after),
        ]);
    }
    table.render()
}

fn payments(plan: &DistributionPlan, shown: &Shown) -> String {
    let mut table = Table::new(&[
        ("recipient", Align::Left),
        ("name", Align::Left),
        ("amount", Align::Right),
    ]);
    for item in plan.job.items.iter().take(SHOWN) {
        let mut recipients = plan.request.recipients.iter();
        let name = recipients
            .find(|one| one.address == item.recipient)
            .map(|one| one.name.clone());
        table.row([
            item.recipient.to_string(),
            name.unwrap_or_default(),
            amount(item.amount, shown.decimals),
        ]);
    }
    let mut text = table.render();
    if plan.job.items.len() > SHOWN {
        text.push_str(&format!(
            "and {} more; --json shows them all\n",
            plan.job.items.len() - SHOWN
        ));
    }
    text
}

fn findings(plan: &DistributionPlan) -> String {
    let mut text = String::new();
    for finding in plan.findings.iter().take(SHOWN) {
        let place = match (finding.line, finding.address) {
            (Some(line), Some(address)) => format!("line {line}, {address}: "),
            (None, Some(address)) => format!("{address}: "),
            (Some(line), None) => format!("line {line}: "),
            (None, None) => String::new(),
        };
        let word = match finding.code.gravity() {
            Gravity::Refused => "refused",
            Gravity::Asked if plan.request.accepted.contains(&finding.code) => "accepted",
            Gravity::Asked => "asked",
        };
        text.push_str(&format!(
            "\n{word} [{}] {place}{}\n  {}\n",
            finding.code,
            output::printable(&finding.text),
            finding.remedy()
        ));
    }
    if plan.findings.len() > SHOWN {
        text.push_str("\nin all:");
        for (code, count) in &plan.counts {
            text.push_str(&format!(" {count} {code}"));
        }
        text.push('\n');
    }
    for code in plan.asked() {
        text.push_str(&format!("\nagree to it with --accept {code}"));
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

pub(super) fn plan_json(plan: &DistributionPlan, shown: &Shown) -> Value {
    let estimate = &plan.estimate;
    let options: Value = serde_json::from_str(&plan.job.options_json).unwrap_or(Value::Null);
    let payers: Vec<Value> = estimate
        .payers
        .iter()
        .map(|payer| {
            json!({
                "address": payer.address.to_string(),
                "before_lamports": payer.lamports_before.get(),
                "after_lamports": payer.lamports_after.map(|after| after.get()),
                "tokens_before": payer.tokens_before,
                "tokens_after": payer.tokens_after,
            })
        })
        .collect();
    let payments: Vec<Value> = plan
        .job
        .items
        .iter()
        .map(|item| {
            json!({
                "number": item.number,
                "source": item.source.to_string(),
                "recipient": item.recipient.to_string(),
                "amount": item.amount,
                "creates_account": matches!(item.action, ItemAction::PayToken { create: true, .. }),
                "memo": item.memo,
            })
        })
        .collect();
    let counts: serde_json::Map<String, Value> = plan
        .counts
        .iter()
        .map(|(code, count)| (code.to_string(), (*count).into()))
        .collect();
    json!({
        "job": plan.job.id.to_string(),
        "label": plan.job.label,
        "network": plan.job.network,
        "format": plan.job.format.as_str(),
        "decimals": shown.decimals,
        "options": options,
        "ready": plan.is_ready(),
        "paid": estimate.paid,
        "withheld": estimate.withheld,
        "transactions": estimate.transactions,
        "signatures": estimate.signatures,
        "base_fees_lamports": estimate.base_fees.get(),
        "priority_fees_lamports": estimate.priority_fees.get(),
        "accounts_created": estimate.accounts_created,
        "rent_lamports": estimate.rent.get(),
        "cost_lamports": estimate.cost().get(),
        "failed_transaction_lamports": estimate.failed_transaction.get(),
        "simulated": plan.simulated,
        "payers": payers,
        "payments": payments,
        "finding_counts": counts,
        "findings": plan.findings.iter().map(|finding| finding_json(plan, finding)).collect::<Vec<_>>(),
    })
}

fn finding_json(plan: &DistributionPlan, finding: &Finding) -> Value {
    json!({
        "code": finding.code.as_str(),
        "refused": finding.code.gravity() == Gravity::Refused,
        "accepted": plan.request.accepted.contains(&finding.code),
        "payment": finding.item,
        "line": finding.line,
        "address": finding.address.map(|address| address.to_string()),
        "message": finding.text,
        "remedy": finding.remedy(),
    })
}

pub(super) fn report_text(report: &DistributionReport, decimals: Option<u8>) -> String {
    let totals = &report.totals;
    let count = |verdict| report.lines.iter().filter(|line| line.verdict == verdict).count();
    let mut text = fields(&[
        ("job", report.job.to_string()),
        ("planned", amount(totals.planned, decimals)),
        ("recorded as paid", amount(totals.recorded, decimals)),
        ("paid on chain", amount(totals.paid, decimals)),
        ("received on chain", amount(totals.received, decimals)),
        (
            "transactions",
            format!(
                "{}, {} of them failed",
                totals.transactions, totals.failed_transactions
            ),
        ),
        ("fees", format!("{} SOL", totals.fees)),
        (
            "new accounts",
            format!("{}, rent {} SOL", totals.accounts_created, totals.rent),
        ),
        ("spent by signers", format!("{} SOL", totals.spent)),
        ("unexplained", format!("{} SOL", totals.unexplained)),
        (
            "of strangers",
            format!(
                "{} transactions under its reference that none of its wallets signed, in no sum",
                totals.strange_transactions
            ),
        ),
        (
            "recipients",
            format!(
                "{} paid, {} open, {} unrecorded, {} missing, {} paid too much",
                count(Verdict::Paid),
                count(Verdict::Open),
                count(Verdict::Unrecorded),
                count(Verdict::Missing),
                count(Verdict::Over)
            ),
        ),
    ]);
    let odd: Vec<&ReportLine> = report
        .lines
        .iter()
        .filter(|line| line.verdict != Verdict::Paid)
        .collect();
    if odd.is_empty() {
        return text;
    }
    let mut table = Table::new(&[
        ("recipient", Align::Left),
        ("planned", Align::Right),
        ("recorded", Align::Right),
        ("on chain", Align::Right),
        ("verdict", Align::Left),
    ]);
    for line in odd.iter().take(SHOWN) {
        table.row([
            line.recipient.to_string(),
            amount(line.planned, decimals),
            amount(line.recorded, decimals),
            amount(line.paid, decimals),
            line.verdict.as_str().to_owned(),
        ]);
    }
    text.push('\n');
    text.push_str(&table.render());
    if odd.len() > SHOWN {
        text.push_str(&format!(
            "and {} more; --json shows them all\n",
            odd.len() - SHOWN
        ));
    }
    text
}

pub(super) fn report_json(report: &DistributionReport) -> Value {
    let totals = &report.totals;
    let lines: Vec<Value> = report
        .lines
        .iter()
        .map(|line| {
            json!({
                "recipient": line.recipient.to_string(),
                "account": line.account.map(|account| account.to_string()),
                "planned": line.planned,
                "recorded": line.recorded,
                "paid": line.paid,
                "received": line.received,
                "transactions": line.transactions.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "verdict": line.verdict.as_str(),
            })
        })
        .collect();
    json!({
        "job": report.job.to_string(),
        "agrees": report.agrees(),
        "planned": totals.planned,
        "recorded": totals.recorded,
        "paid": totals.paid,
        "received": totals.received,
        "transactions": totals.transactions,
        "failed_transactions": totals.failed_transactions,
        "fees_lamports": totals.fees.get(),
        "accounts_created": totals.accounts_created,
        "rent_lamports": totals.rent.get(),
        "spent_lamports": totals.spent.get(),
        "unexplained_lamports": totals.unexplained.get(),
        "strange_transactions": totals.strange_transactions,
        "recipients": lines,
    })
}
