//! `keyward policy`: the rules in force.

use keyward_core::policy::{Effect, Limits, Rule, RuleMatch};
use serde_json::json;

use super::context::Context;
use crate::exit::{Exit, Failure};
use crate::output::{Align, Report, Table, sol};

/// Show what may be signed
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show the rules in force
    ///
    /// Deny wins over allow whatever the order; what no rule allows is refused.
    #[command(after_help = "Example:\n  keyward policy show --json")]
    Show,
}

pub(crate) async fn run(context: &mut Context, command: Command) -> Result<Report, Failure> {
    let Command::Show = command;
    let (custody, _) = context.open().await?;
    let policy = custody.policy().await?;
    let mut table = Table::new(&[
        ("rule", Align::Left),
        ("effect", Align::Left),
        ("what", Align::Left),
        ("limits", Align::Left),
    ]);
    for rule in &policy.rules {
        table.row(row(rule));
    }
    let text = format!(
        "policy version {}; what no rule allows is refused\n\n{}",
        policy.version,
        table.render()
    );
    let json = serde_json::to_value(&policy).map_err(|error| {
        Failure::new(
            Exit::Unexpected,
            "policy",
            format!("the policy cannot be shown: {error}"),
            "report this",
        )
    })?;
    Ok(Report::new(text, json!({ "policy": json })))
}

fn row(rule: &Rule) -> [String; 4] {
    let effect = match rule.effect {
        Effect::Deny => "deny",
        Effect::Allow => "allow",
        Effect::Require => "require",
    };
    [
        rule.name.clone(),
        effect.to_owned(),
        conditions(&rule.matches),
        limits(&rule.limits),
    ]
}

fn conditions(matches: &RuleMatch) -> String {
    fn list<T: ToString>(name: &str, items: &[T]) -> Option<String> {
        let items: Vec<String> = items.iter().map(ToString::to_string).collect();
        (!items.is_empty()).then(|| format!("{name} {}", items.join(" or ")))
    }
    let operations: Vec<&str> = matches.operations.iter().map(|kind| kind.as_str()).collect();
    let parts = [
        (!operations.is_empty()).then(|| operations.join(" or ")),
        list("of", &matches.assets),
        list("from", &matches.wallets),
        list("to", &matches.destinations),
        list("program", &matches.programs),
        matches
            .beneficiary
            .map(|beneficiary| format!("staying with {}", beneficiary.as_str())),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "everything".to_owned()
    } else {
        parts.join(", ")
    }
}

fn limits(limits: &Limits) -> String {
    let mut parts = Vec::new();
    if let Some(amount) = limits.sol_per_transaction {
        parts.push(format!("{} a transaction", sol(Some(amount))));
    }
    if let Some(amount) = limits.tokens_per_transaction {
        parts.push(format!("{amount} tokens a transaction"));
    }
    if let Some(fee) = limits.max_priority_fee {
        parts.push(format!("priority fee {}", sol(Some(fee))));
    }
    if let Some(units) = &limits.evm_units_per_transaction {
        parts.push(format!("{units} smallest units (wei of a coin) a transaction"));
    }
    if let Some(fee) = &limits.max_fee_wei {
        parts.push(format!("fee {fee} wei"));
    }
    for window in &limits.windows {
        parts.push(format!(
            "{} of {} in {} s",
            window.maximum,
            window.asset,
            window.duration_ms / 1000
        ));
    }
    if parts.is_empty() {
        "none".to_owned()
    } else {
        parts.join(", ")
    }
}
