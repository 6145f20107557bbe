//! The decision: a request, a policy and facts in; an approval or reasons out.

use alloc::string::String;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::rule::{Asset, Effect, OperationKind, Rule};
use super::{Approval, Decision, Facts, Policy, Refusal, Request, text, transaction};
use crate::address::Address;
use crate::solana::parses_as_transaction;

/// Decides whether a request may be signed. Nothing but the arguments is looked at.
///
/// Every reason against it is collected, so that a person can mend all of them at once.
pub fn evaluate(policy: &Policy, request: &Request<'_>, facts: &Facts) -> Decision {
    if let Err(error) = policy.check() {
        return Decision::Refused(alloc::vec![Refusal::UnsoundPolicy(error)]);
    }
    match request {
        Request::Transaction { wallet, intent } => transaction::evaluate(policy, wallet, intent, facts),
        Request::Message { wallet, message } => evaluate_message(policy, wallet, message),
    }
}

fn evaluate_message(policy: &Policy, wallet: &Address, message: &[u8]) -> Decision {
    let mut refusals = Vec::new();
    if parses_as_transaction(message) {
        refusals.push(Refusal::LooksLikeTransaction);
    }
    if let Err(error) = text::plain_text(message) {
        refusals.push(Refusal::NotText(error));
    }
    let subject = Subject {
        operation: OperationKind::TextMessage,
        asset: None,
        destination: None,
        program: None,
    };
    let verdict = judge(policy, wallet, &subject, &mut refusals);
    if verdict.is_empty() && refusals.is_empty() {
        refusals.push(Refusal::NotAllowed {
            operation: OperationKind::TextMessage.as_str(),
        });
    }
    if !refusals.is_empty() {
        return Decision::Refused(refusals);
    }
    let rules = verdict.iter().map(|rule| rule.name.clone()).collect();
    Decision::Allowed(Approval::new(
        *wallet,
        Sha256::digest(message).into(),
        policy.version,
        rules,
        Vec::new(),
    ))
}

/// What rules are matched against: one action of a transaction, or a message.
pub(super) struct Subject {
    pub(super) operation: OperationKind,
    pub(super) asset: Option<Asset>,
    pub(super) destination: Option<Address>,
    pub(super) program: Option<Address>,
}

/// Notes deny and require rules that match, and gives the allow rules that do.
pub(super) fn judge<'p>(
    policy: &'p Policy,
    wallet: &Address,
    subject: &Subject,
    refusals: &mut Vec<Refusal>,
) -> Vec<&'p Rule> {
    let mut allowing = Vec::new();
    for rule in policy.rules.iter().filter(|rule| matches(rule, wallet, subject)) {
        let named = || -> String { rule.name.clone() };
        match rule.effect {
            Effect::Deny => note(refusals, Refusal::Denied { rule: named() }),
            Effect::Require => note(refusals, Refusal::ApprovalRequired { rule: named() }),
            Effect::Allow => allowing.push(rule),
        }
    }
    allowing
}

/// Adds a reason unless it is there already.
pub(super) fn note(refusals: &mut Vec<Refusal>, refusal: Refusal) {
    if !refusals.contains(&refusal) {
        refusals.push(refusal);
    }
}

fn matches(rule: &Rule, wallet: &Address, subject: &Subject) -> bool {
    let wanted = &rule.matches;
    // A rule without conditions allows everything that is understood, never a call that is not.
    if rule.effect == Effect::Allow
        && subject.operation == OperationKind::ProgramCall
        && wanted.programs.is_empty()
    {
        return false;
    }
    one_of(&wanted.wallets, Some(wallet))
        && one_of(&wanted.operations, Some(&subject.operation))
        && one_of(&wanted.destinations, subject.destination.as_ref())
        && one_of(&wanted.programs, subject.program.as_ref())
        && (wanted.assets.is_empty()
            || subject
                .asset
                .is_some_and(|asset| wanted.assets.iter().any(|own| own.covers(&asset))))
}

/// A list without entries is no condition.
fn one_of<T: PartialEq>(list: &[T], value: Option<&T>) -> bool {
    list.is_empty() || value.is_some_and(|value| list.contains(value))
}
