//! The decision: a request, a policy and facts in; an approval or reasons out.

use alloc::string::String;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::asset::{Asset, ChainMatch, Place};
use super::rule::{Beneficiary, Effect, OperationKind, Rule};
use super::{Approval, Decision, Facts, Policy, Refusal, Request, evm, text, transaction};
use crate::account::AccountAddress;
use crate::address::Address;
use crate::offchain::{self, MessageRefusal, SignableMessage};
use crate::siws;

/// Decides whether a request may be signed. Nothing but the arguments is looked at.
///
/// Every reason against it is collected, so that a person can mend all of them at once.
pub fn evaluate(policy: &Policy, request: &Request<'_>, facts: &Facts) -> Decision {
    if let Err(error) = policy.check() {
        return Decision::Refused(alloc::vec![Refusal::UnsoundPolicy(error)]);
    }
    match request {
        // Whoever builds without the Ethereum family signs nothing of it.
        Request::EvmTransaction { .. } | Request::EvmMessage { .. } | Request::TypedData { .. }
            if !cfg!(feature = "evm") =>
        {
            Decision::Refused(alloc::vec![Refusal::NotAllowed {
                operation: OperationKind::EvmCall.as_str(),
            }])
        }
        Request::Transaction { wallet, intent } => transaction::evaluate(policy, wallet, intent, facts),
        Request::Message { wallet, message } => evaluate_message(policy, wallet, message),
        Request::EvmTransaction { wallet, intent } => evm::transaction(policy, wallet, intent, facts),
        Request::EvmMessage { wallet, message } => evm::message(policy, wallet, message),
        Request::TypedData { wallet, typed_data } => evm::typed_data(policy, wallet, typed_data),
        Request::ExportKey { wallet } => evaluate_export(policy, wallet),
    }
}

/// A Solana message: plain text, a sign-in, or an off-chain message around a text.
fn evaluate_message(policy: &Policy, wallet: &Address, message: &[u8]) -> Decision {
    let mut refusals = Vec::new();
    let operation = match offchain::read(message) {
        Ok(SignableMessage::OffChain(inner)) => {
            note_unless_text(inner.text().as_bytes(), &mut refusals);
            // Some sites take a sign-in in this envelope as well, and whoever holds sign-ins to the page that asks
            // sees none here.
            if siws::resembles(inner.text()) {
                refusals.push(Refusal::WrappedSignIn);
            }
            OperationKind::OffChainMessage
        }
        Ok(read) => {
            note_unless_text(message, &mut refusals);
            match read {
                SignableMessage::SignIn(_) => OperationKind::SignIn,
                _ => OperationKind::TextMessage,
            }
        }
        Err(MessageRefusal::Transaction) => {
            refusals.push(Refusal::LooksLikeTransaction);
            note_unless_text(message, &mut refusals);
            OperationKind::TextMessage
        }
        Err(MessageRefusal::Empty) => {
            note_unless_text(message, &mut refusals);
            OperationKind::TextMessage
        }
        Err(error) => {
            refusals.push(Refusal::NotMessage(error));
            OperationKind::TextMessage
        }
    };
    let subject = Subject::plain(operation, Place::Solana);
    decide_plain(policy, &(*wallet).into(), &subject, refusals, |rules| {
        Approval::to_sign(
            (*wallet).into(),
            Sha256::digest(message).into(),
            policy.version,
            rules,
            Vec::new(),
        )
    })
}

pub(super) fn note_unless_text(message: &[u8], refusals: &mut Vec<Refusal>) {
    if let Err(error) = text::plain_text(message) {
        refusals.push(Refusal::NotText(error));
    }
}

fn evaluate_export(policy: &Policy, wallet: &AccountAddress) -> Decision {
    let subject = Subject::plain(OperationKind::ExportKey, Place::of(wallet.chain()));
    decide_plain(policy, wallet, &subject, Vec::new(), |rules| {
        Approval::to_export(*wallet, policy.version, rules)
    })
}

/// Decides on what moves no amount: every rule that allows it is enough. Typed data may move any amount, so
/// rules that limit amounts are not.
pub(super) fn decide_plain(
    policy: &Policy,
    wallet: &AccountAddress,
    subject: &Subject,
    mut refusals: Vec<Refusal>,
    approve: impl FnOnce(Vec<String>) -> Approval,
) -> Decision {
    let mut verdict = judge(policy, wallet, subject, &mut refusals);
    if subject.operation.is_typed_data() {
        let (limited, free): (Vec<&Rule>, Vec<&Rule>) =
            verdict.into_iter().partition(|rule| rule.limits.limit_amounts());
        if free.is_empty() {
            refusals.extend(limited.iter().map(|rule| Refusal::UnlimitableTypedData {
                rule: rule.name.clone(),
            }));
        }
        verdict = free;
    }
    if verdict.is_empty() && refusals.is_empty() {
        refusals.push(Refusal::NotAllowed {
            operation: subject.operation.as_str(),
        });
    }
    if refusals.is_empty() {
        Decision::Allowed(approve(verdict.iter().map(|rule| rule.name.clone()).collect()))
    } else {
        Decision::Refused(refusals)
    }
}

/// What rules are matched against: one action of a transaction, or a message.
pub(super) struct Subject {
    pub(super) operation: OperationKind,
    pub(super) place: Place,
    pub(super) asset: Option<Asset>,
    pub(super) destination: Option<AccountAddress>,
    pub(super) program: Option<AccountAddress>,
    /// Whether whoever is the better off for it is a wallet of this vault.
    pub(super) stays: bool,
}

impl Subject {
    /// An operation that moves nothing and calls nobody.
    pub(super) const fn plain(operation: OperationKind, place: Place) -> Self {
        Self {
            operation,
            place,
            asset: None,
            destination: None,
            program: None,
            stays: false,
        }
    }
}

/// Notes deny and require rules that match, and gives the allow rules that do.
pub(super) fn judge<'p>(
    policy: &'p Policy,
    wallet: &AccountAddress,
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

fn matches(rule: &Rule, wallet: &AccountAddress, subject: &Subject) -> bool {
    let wanted = &rule.matches;
    if rule.effect == Effect::Allow && !may_allow(rule, subject) {
        return false;
    }
    let operation = subject.operation;
    let place = |chain: &ChainMatch| match rule.effect {
        Effect::Allow => chain.covers(subject.place),
        Effect::Deny | Effect::Require => chain.touches(subject.place),
    };
    one_of(&wanted.wallets, Some(wallet))
        && (wanted.operations.is_empty()
            || wanted.operations.iter().any(|named| operation.is_kind_of(*named)))
        && (wanted.chains.is_empty() || wanted.chains.iter().any(place))
        && one_of(&wanted.destinations, subject.destination.as_ref())
        && one_of(&wanted.programs, subject.program.as_ref())
        && match wanted.beneficiary {
            None => true,
            Some(Beneficiary::OwnWallet) => subject.stays,
        }
        && (wanted.assets.is_empty()
            || subject
                .asset
                .is_some_and(|asset| wanted.assets.iter().any(|own| own.covers(&asset))))
}

/// Whether an allow rule is explicit enough. One without conditions allows everything on Solana that is
/// understood, never a call that is not, nothing grave, and nothing on chains that its author may not have
/// thought of.
fn may_allow(rule: &Rule, subject: &Subject) -> bool {
    let wanted = &rule.matches;
    let operation = subject.operation;
    let elsewhere = subject.place != Place::Solana;
    let named = wanted.operations.iter().any(|named| operation.is_kind_of(*named));
    let placed = !wanted.chains.is_empty() || !wanted.assets.is_empty();
    !(operation.needs_programs() && wanted.programs.is_empty()
        || operation.must_be_named() && !named
        || elsewhere && !named && !placed)
}

/// A list without entries is no condition.
fn one_of<T: PartialEq>(list: &[T], value: Option<&T>) -> bool {
    list.is_empty() || value.is_some_and(|value| list.contains(value))
}
