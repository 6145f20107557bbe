//! A prepared transfer as text and as JSON: what goes where, what it costs, what changes, what policy says.

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_custody::transfer::TransferPlan;
use keyward_custody::{PreviewDecision, SigningPreview};
use serde_json::{Value, json};

use crate::cli::book::resembled;
use crate::output::{Align, Table, fields, printable, sol};

/// The labels of both sides, empty for none, and what a payment request adds.
pub(super) struct Parties {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) notes: Vec<String>,
}

pub(super) fn plan_text(plan: &TransferPlan, parties: &Parties) -> String {
    let request = &plan.request;
    let named = |address: &Address, label: &str| match label {
        "" => address.to_string(),
        label => format!("{address}  {label}"),
    };
    let mut pairs = vec![
        ("send", request.amount.to_string()),
        ("from", named(&request.from, &parties.from)),
        ("to", named(&request.to, &parties.to)),
        (
            "fee",
            format!(
                "{} + priority {}",
                sol(Some(plan.fee)),
                sol(Some(plan.priority_fee))
            ),
        ),
    ];
    if let Some(memo) = &request.memo {
        pairs.push(("memo", memo.clone()));
    }
    pairs.push(("network", plan.network.clone()));
    let mut text = fields(&pairs);
    text.push_str("\nafter it (an estimate, from a simulation)\n");
    text.push_str(&changes_text(plan));
    text.push_str(&lookalikes_text(plan));
    text.push_str("\nwhat the bytes do\n");
    for sentence in plan.intent.sentences() {
        text.push_str(&format!("  {}\n", printable(&sentence)));
    }
    text.push_str(&decision_text(&plan.decision));
    for note in notes(plan, parties) {
        text.push_str(&format!("note: {}\n", printable(note)));
    }
    text
}

fn notes<'a>(plan: &'a TransferPlan, parties: &'a Parties) -> impl Iterator<Item = &'a String> {
    plan.warnings.iter().chain(&parties.notes)
}

fn changes_text(plan: &TransferPlan) -> String {
    if let Some(error) = &plan.simulation_error {
        return format!("  it would fail: {}\n", printable(error));
    }
    if plan.changes.is_empty() {
        return "  ?\n".to_owned();
    }
    let mut table = Table::new(&[
        ("account", Align::Left),
        ("before", Align::Right),
        ("after", Align::Right),
        ("change", Align::Right),
    ]);
    for change in &plan.changes {
        let moved = signed_difference(change.before, change.after);
        table.row([
            change.address.to_string(),
            sol(Some(change.before)),
            sol(Some(change.after)),
            moved,
        ]);
    }
    let mut text = table.render();
    for change in &plan.details.changes.tokens {
        text.push_str(&format!(
            "  token {}: account {} of {}: {} -> {} units\n",
            change.mint, change.account, change.owner, change.before, change.after
        ));
    }
    for change in &plan.details.changes.control {
        text.push_str(&format!("  {}\n", printable(&change.to_string())));
    }
    text
}

/// The recipient above what it resembles, so that they can be compared.
fn lookalikes_text(plan: &TransferPlan) -> String {
    let mut text = String::new();
    for found in &plan.details.lookalikes {
        text.push_str(&format!(
            "\nCAREFUL: the recipient looks like an address that is known here, and is another one\n  recipient {}\n  known     {}\n",
            plan.request.to,
            resembled(found)
        ));
    }
    text
}

fn signed_difference(before: Lamports, after: Lamports) -> String {
    match (after.checked_sub(before), before.checked_sub(after)) {
        (Some(more), _) => format!("+{more} SOL"),
        (None, Some(less)) => format!("-{less} SOL"),
        (None, None) => "? SOL".to_owned(),
    }
}

/// What policy says, in lines.
pub(crate) fn decision_text(preview: &SigningPreview) -> String {
    match &preview.decision {
        PreviewDecision::Allowed { rules } => {
            format!("\npolicy  allowed by {}\n", printable(&rules.join(", ")))
        }
        PreviewDecision::Refused { reasons } => {
            let mut text = "\npolicy  refused\n".to_owned();
            for reason in reasons {
                text.push_str(&format!("  - {}\n", printable(&reason.text)));
            }
            text
        }
    }
}

pub(super) fn plan_json(plan: &TransferPlan, parties: &Parties) -> Value {
    let request = &plan.request;
    let changes: Vec<Value> = plan
        .changes
        .iter()
        .map(|change| {
            json!({
                "address": change.address.to_string(),
                "before_lamports": change.before.get(),
                "after_lamports": change.after.get(),
            })
        })
        .collect();
    let token_changes: Vec<Value> = plan
        .details
        .changes
        .tokens
        .iter()
        .map(|change| {
            json!({
                "account": change.account.to_string(),
                "owner": change.owner.to_string(),
                "mint": change.mint.to_string(),
                "before_units": change.before.to_string(),
                "after_units": change.after.to_string(),
            })
        })
        .collect();
    let control_changes: Vec<Value> = plan
        .details
        .changes
        .control
        .iter()
        .map(|change| {
            json!({
                "account": change.account.to_string(),
                "what": change.control.as_str(),
                "before": change.before,
                "after": change.after,
            })
        })
        .collect();
    json!({
        "from": request.from.to_string(),
        "from_label": parties.from,
        "to": request.to.to_string(),
        "to_label": parties.to,
        "lamports": request.amount.lamports().map(Lamports::get),
        "units": request.amount.base_units().to_string(),
        "mint": request.amount.mint().map(|mint| mint.to_string()),
        "memo": request.memo,
        "fee_lamports": plan.fee.get(),
        "priority_fee_lamports": plan.priority_fee.get(),
        "compute_unit_limit": plan.compute_unit_limit,
        "network": plan.network,
        "last_valid_block_height": plan.last_valid_block_height,
        "actions": plan.intent.sentences(),
        "changes": changes,
        "token_changes": token_changes,
        "control_changes": control_changes,
        "estimate": true,
        "lookalikes": lookalikes_json(plan),
        "nonce": plan.details.nonce.map(|nonce| nonce.account.to_string()),
        "creates_account": plan.details.creates_account,
        "price_micro_lamports": plan.details.price.map(|price| price.micro_lamports),
        "simulation_error": plan.simulation_error,
        "notes": notes(plan, parties).collect::<Vec<_>>(),
        "policy": decision_json(&plan.decision),
    })
}

/// What policy says, for scripts.
pub(crate) fn decision_json(preview: &SigningPreview) -> Value {
    match &preview.decision {
        PreviewDecision::Allowed { rules } => json!({ "allowed": true, "rules": rules, "reasons": [] }),
        PreviewDecision::Refused { reasons } => {
            let reasons: Vec<Value> = reasons
                .iter()
                .map(|reason| json!({ "code": reason.code, "message": reason.text }))
                .collect();
            json!({ "allowed": false, "rules": [], "reasons": reasons })
        }
    }
}

fn lookalikes_json(plan: &TransferPlan) -> Vec<Value> {
    let told = plan.details.lookalikes.iter().map(|found| {
        json!({
            "address": found.known.address.to_string(),
            "label": found.known.label,
            "known_as": found.known.known_as.as_str(),
            "uses": found.known.uses,
            "head": found.head,
            "tail": found.tail,
        })
    });
    told.collect()
}
