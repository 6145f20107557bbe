//! The audit filter as typed: free text and `outcome:`, `op:`, `wallet:`, `owner:`, `since:`, `until:`, `failures`. Pure.

use keyward_core::account::AccountAddress;
use keyward_core::audit::{Operation, Outcome};
use keyward_custody::AuditQuery;

use crate::duration;

/// What finds what was refused or failed in the last 24 hours.
pub(super) const FAILURES: &str = "failures since:24h";

/// What a filter means, and what of it is not understood.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    pub(super) query: AuditQuery,
    pub(super) problem: Option<String>,
}

/// Reads a filter. A beginning of a name will do: `outcome:ref` finds what was refused.
/// Times are so long ago: `since:24h`. A name with spaces is written with `_` in their place.
pub(super) fn parse(text: &str, now_ms: u64) -> Filter {
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
            Some(("owner", value)) => {
                query.owner = (!value.is_empty()).then(|| value.replace('_', " "));
            }
            Some((bound @ ("since" | "until"), value)) => {
                let time_ms = duration::parse(value).map(|ago_ms| now_ms.saturating_sub(ago_ms));
                match time_ms {
                    Ok(time_ms) if bound == "since" => query.from_ms = Some(time_ms),
                    Ok(time_ms) => query.until_ms = Some(time_ms),
                    Err(_) if value.is_empty() => {}
                    Err(form) => problem = Some(format!("{bound}: takes how long ago, {form}")),
                }
            }
            None if word == "failures" => query.failures = true,
            _ => match word.parse::<AccountAddress>() {
                Ok(address) => query.wallet = Some(address),
                Err(_) => words.push(word),
            },
        }
    }
    query.text = words.join(" ");
    Filter { query, problem }
}

/// The words of a filter that say nothing of operation and outcome.
pub(super) fn without_operation(text: &str) -> String {
    let keeps = |word: &&str| !word.starts_with("op:") && !word.starts_with("outcome:");
    text.split_whitespace()
        .filter(keeps)
        .collect::<Vec<_>>()
        .join(" ")
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
        let found = parse(&format!("over the outcome:ref limit op:sign-t {known}"), 0).query;
        assert_eq!(found.text, "over the limit");
        assert_eq!(found.outcome, Some(Outcome::Refused));
        assert_eq!(found.operation, Some(Operation::SignTransaction));
        assert_eq!(found.wallet, Some(known.parse().unwrap()));
        assert_eq!(parse("op:lock", 0).query.operation, Some(Operation::Lock));
        assert_eq!(parse("op:", 0).query.operation, None);
        assert_eq!(parse("12:30", 0).query.text, "12:30");
    }

    #[test]
    fn owners_times_and_failures_are_read() {
        let now_ms = 10 * 86_400_000;
        let found = parse("owner:north_desk since:2d until:12h failures", now_ms).query;
        assert_eq!(found.owner.as_deref(), Some("north desk"));
        assert_eq!(found.from_ms, Some(8 * 86_400_000));
        assert_eq!(found.until_ms, Some(now_ms - 43_200_000));
        assert!(found.failures && found.text.is_empty());
        let day = AuditQuery::failures_of_the_last_day(now_ms);
        let filter = parse(FAILURES, now_ms).query;
        assert_eq!((filter.failures, filter.from_ms), (day.failures, day.from_ms));
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for wrong in [
            "outcome:xyz",
            "op:xyz",
            "wallet:abc",
            "since:yesterday",
            "until:24",
        ] {
            assert!(parse(wrong, 0).problem.is_some(), "{wrong}");
        }
        assert_eq!(
            parse("outcome: op: wallet: owner: since: until:", 0).problem,
            None
        );
    }
}
