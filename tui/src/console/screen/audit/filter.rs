//! The audit filter as typed: free text and `outcome:`, `op:`, `wallet:`. Pure.

use keyward_core::account::AccountAddress;
use keyward_core::audit::{Operation, Outcome};
use keyward_custody::AuditQuery;

/// What a filter means, and what of it is not understood.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    pub(super) query: AuditQuery,
    pub(super) problem: Option<String>,
}

/// Reads a filter. A beginning of a name will do: `outcome:ref` finds what was refused.
pub(super) fn parse(text: &str) -> Filter {
    let mut query = AuditQuery::default();
    let mut problem = None;
    let mut words = Vec::new();
    for word in text.split_whitespace() {
        match word.split_once(':') {
            Some(("outcome", value)) => {
                query.outcome = begins(Outcome::ALL, value, |one| one.as_str());
                if query.outcome.is_none() && !value.is_empty() {
                    problem = Some(names("outcome", Outcome::ALL, |one| one.as_str()));
                }
            }
            Some(("op", value)) => {
                query.operation = begins(Operation::ALL, value, |one| one.as_str());
                if query.operation.is_none() && !value.is_empty() {
                    problem = Some(format!("no operation begins with {value:?}"));
                }
            }
            Some(("wallet", value)) => {
                query.wallet = value.parse().ok();
                if query.wallet.is_none() && !value.is_empty() {
                    problem = Some("wallet: takes a whole address".into());
                }
            }
            _ => match word.parse::<AccountAddress>() {
                Ok(address) => query.wallet = Some(address),
                Err(_) => words.push(word),
            },
        }
    }
    query.text = words.join(" ");
    Filter { query, problem }
}

fn begins<T: Copy>(all: &[T], value: &str, name: fn(T) -> &'static str) -> Option<T> {
    if value.is_empty() {
        return None;
    }
    // The whole name wins: "lock" is not "lockout".
    let whole = all.iter().copied().find(|one| name(*one) == value);
    whole.or_else(|| all.iter().copied().find(|one| name(*one).starts_with(value)))
}

fn names<T: Copy>(what: &str, all: &[T], name: fn(T) -> &'static str) -> String {
    let names: Vec<&str> = all.iter().map(|one| name(*one)).collect();
    format!("{what}: takes {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn filters_are_read() {
        let known = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk";
        let found = parse(&format!("over the outcome:ref limit op:sign-t {known}")).query;
        assert_eq!(found.text, "over the limit");
        assert_eq!(found.outcome, Some(Outcome::Refused));
        assert_eq!(found.operation, Some(Operation::SignTransaction));
        assert_eq!(found.wallet, Some(known.parse().unwrap()));
        assert_eq!(parse("op:lock").query.operation, Some(Operation::Lock));
        assert_eq!(parse("op:").query.operation, None);
        assert_eq!(parse("12:30").query.text, "12:30");
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for wrong in ["outcome:xyz", "op:xyz", "wallet:abc"] {
            assert!(parse(wrong).problem.is_some(), "{wrong}");
        }
        assert_eq!(parse("outcome: op: wallet:").problem, None);
    }
}
