//! Judging what EVM wallets sign: transactions, personal messages and typed data.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::asset::{Asset, Place};
use super::evaluate::{Subject, decide_plain, judge, note, note_unless_text};
use super::rule::{OperationKind, Rule};
use super::transaction::exceeded_windows;
use super::{Approval, Decision, Facts, Policy, Refusal, Spend};
use crate::account::AccountAddress;
use crate::evm::intent::{EvmAction, EvmIntent, Grant};
use crate::evm::personal;
use crate::evm::typed_data::TypedData;
use crate::evm::{EvmAddress, U256};

/// Decimals of the coin of every EVM chain, for showing amounts.
const COIN_DECIMALS: u8 = 18;

/// One thing that a transaction does.
struct Item {
    subject: Subject,
    amount: Amount,
    /// The refusal when no rule allows it.
    otherwise: Refusal,
}

/// How an item counts.
#[derive(Clone, Copy)]
enum Amount {
    /// Not at all.
    None,
    /// It leaves the wallet: counted against every limit.
    Spent(Asset, U256),
    /// Somebody may take it later: held against the limit of a transaction.
    Exposed(Asset, U256),
}

pub(super) fn transaction(
    policy: &Policy,
    wallet: &EvmAddress,
    intent: &EvmIntent,
    facts: &Facts,
) -> Decision {
    let mut refusals = Vec::new();
    if intent.from != *wallet {
        refusals.push(Refusal::NotASigner {
            wallet: (*wallet).into(),
        });
    }
    let items = items(intent);
    let judged: Vec<Vec<&Rule>> = items
        .iter()
        .map(|item| judge_item(policy, wallet, item, &mut refusals))
        .collect();
    let spends = spends(&items, &mut refusals);
    let case = Case {
        intent,
        items: &items,
        judged: &judged,
        spends: &spends,
        facts,
    };
    let mut rules = BTreeSet::<String>::new();
    for allowing in &judged {
        match case.first_within(allowing) {
            Ok(rule) => rules.extend(rule.map(|rule| rule.name.clone())),
            Err(reasons) => reasons.into_iter().for_each(|reason| note(&mut refusals, reason)),
        }
    }
    if !refusals.is_empty() {
        return Decision::Refused(refusals);
    }
    Decision::Allowed(Approval::to_sign(
        (*wallet).into(),
        intent.payload_sha256,
        policy.version,
        rules.into_iter().collect(),
        spends
            .into_iter()
            .map(|(asset, amount)| Spend { asset, amount })
            .collect(),
    ))
}

pub(super) fn message(policy: &Policy, wallet: &EvmAddress, message: &[u8]) -> Decision {
    let mut refusals = Vec::new();
    if let Err(error) = personal::check(message) {
        refusals.push(Refusal::Trap(error));
    }
    note_unless_text(message, &mut refusals);
    let subject = Subject::plain(OperationKind::TextMessage, Place::EveryEvm);
    approve_payload(
        policy,
        wallet,
        &subject,
        refusals,
        &personal::signing_payload(message),
    )
}

pub(super) fn typed_data(policy: &Policy, wallet: &EvmAddress, typed_data: &TypedData) -> Decision {
    let operation = if typed_data.risks().is_empty() {
        OperationKind::TypedData
    } else {
        OperationKind::TypedDataApproval
    };
    let domain = typed_data.domain();
    let subject = Subject {
        program: domain.verifying_contract.map(AccountAddress::Evm),
        ..Subject::plain(operation, Place::Evm(domain.chain_id))
    };
    approve_payload(
        policy,
        wallet,
        &subject,
        Vec::new(),
        &typed_data.signing_payload(),
    )
}

fn approve_payload(
    policy: &Policy,
    wallet: &EvmAddress,
    subject: &Subject,
    refusals: Vec<Refusal>,
    payload: &[u8],
) -> Decision {
    let wallet = AccountAddress::Evm(*wallet);
    decide_plain(policy, &wallet, subject, refusals, |rules| {
        let sha256 = Sha256::digest(payload).into();
        Approval::to_sign(wallet, sha256, policy.version, rules, Vec::new())
    })
}

/// Everything that a transaction does, each thing to be allowed for itself.
fn items(intent: &EvmIntent) -> Vec<Item> {
    let native = Asset::EvmNative {
        chain_id: intent.chain_id,
    };
    let mut items = Vec::new();
    if !matches!(intent.action, EvmAction::NativeTransfer { .. }) {
        items.push(called(intent));
    }
    if items.is_empty() || !intent.value.is_zero() {
        let subject = Subject {
            asset: Some(native),
            destination: intent.contract().copied().map(AccountAddress::Evm),
            ..Subject::plain(OperationKind::EvmTransfer, Place::Evm(intent.chain_id))
        };
        items.push(Item::new(subject, Amount::Spent(native, intent.value)));
    }
    items.extend(intent.authorizations.iter().map(|signed| {
        let own = &signed.authorization;
        // For every chain when it says zero; beyond 64 bits no chain is, and no rule for one chain matches.
        let place = match own.chain_id.to_u64() {
            Some(chain_id) if chain_id > 0 => Place::Evm(chain_id),
            _ => Place::EveryEvm,
        };
        Item {
            subject: Subject {
                program: Some(own.delegate.into()),
                destination: signed.authority().map(AccountAddress::Evm),
                ..Subject::plain(OperationKind::EvmDelegation, place)
            },
            amount: Amount::None,
            otherwise: Refusal::Delegation {
                delegate: own.delegate,
            },
        }
    }));
    items
}

/// The call or creation itself, its value aside.
fn called(intent: &EvmIntent) -> Item {
    let place = Place::Evm(intent.chain_id);
    let plain = |operation| Subject {
        program: intent.contract().copied().map(AccountAddress::Evm),
        ..Subject::plain(operation, place)
    };
    let erc20 = |contract: EvmAddress| Asset::Erc20 {
        chain_id: intent.chain_id,
        contract,
    };
    let about = |operation, asset, destination: EvmAddress| Subject {
        asset,
        destination: Some(destination.into()),
        ..plain(operation)
    };
    let approval = |contract, spender| about(OperationKind::EvmApproval, Some(erc20(contract)), spender);
    match &intent.action {
        EvmAction::NativeTransfer { to } => {
            Item::new(about(OperationKind::EvmTransfer, None, *to), Amount::None)
        }
        EvmAction::Create { .. } => Item::new(plain(OperationKind::EvmCreate), Amount::None),
        EvmAction::Erc20Transfer { token, to, amount }
        | EvmAction::TransferFrom {
            token,
            to,
            amount_or_id: amount,
            ..
        } => Item::new(
            about(OperationKind::EvmTokenTransfer, Some(erc20(*token)), *to),
            Amount::Spent(erc20(*token), *amount),
        ),
        EvmAction::Approve {
            token,
            spender,
            amount,
            ..
        }
        | EvmAction::Permit {
            token,
            spender,
            amount,
            ..
        } => Item::new(
            approval(*token, *spender),
            Amount::Exposed(erc20(*token), *amount),
        ),
        EvmAction::ApprovalForAll {
            collection,
            operator,
            grant,
        } => {
            let exposed = match grant {
                Grant::Given => U256::MAX,
                Grant::Revoked => U256::ZERO,
            };
            Item::new(
                approval(*collection, *operator),
                Amount::Exposed(erc20(*collection), exposed),
            )
        }
        EvmAction::NftTransfer { to, .. } => {
            Item::new(about(OperationKind::EvmNftTransfer, None, *to), Amount::None)
        }
        EvmAction::Call {
            contract, selector, ..
        } => Item {
            subject: plain(OperationKind::EvmCall),
            amount: Amount::None,
            otherwise: Refusal::UnknownContract {
                contract: *contract,
                selector: *selector,
            },
        },
    }
}

impl Item {
    fn new(subject: Subject, amount: Amount) -> Self {
        Self {
            otherwise: Refusal::NotAllowed {
                operation: subject.operation.as_str(),
            },
            subject,
            amount,
        }
    }
}

/// The allow rules that match an item; notes a refusal when there is none.
fn judge_item<'p>(
    policy: &'p Policy,
    wallet: &EvmAddress,
    item: &Item,
    refusals: &mut Vec<Refusal>,
) -> Vec<&'p Rule> {
    let mut own = Vec::new();
    let allowing = judge(policy, &(*wallet).into(), &item.subject, &mut own);
    if allowing.is_empty() && own.is_empty() {
        own.push(item.otherwise.clone());
    }
    own.into_iter().for_each(|refusal| note(refusals, refusal));
    allowing
}

/// What the transaction spends of each asset.
fn spends(items: &[Item], refusals: &mut Vec<Refusal>) -> BTreeMap<Asset, u128> {
    let mut sums = BTreeMap::new();
    for item in items {
        let Amount::Spent(asset, amount) = item.amount else {
            continue;
        };
        let sum = sums.entry(asset).or_insert(0_u128);
        match amount.to_u128().and_then(|amount| sum.checked_add(amount)) {
            Some(total) => *sum = total,
            None => note(refusals, Refusal::Uncountable { asset }),
        }
    }
    sums
}

/// What a rule's limits are held against.
struct Case<'a> {
    intent: &'a EvmIntent,
    items: &'a [Item],
    /// For each item, the allow rules that match it.
    judged: &'a [Vec<&'a Rule>],
    spends: &'a BTreeMap<Asset, u128>,
    facts: &'a Facts,
}

impl Case<'_> {
    /// The first rule whose limits hold, or why none does. No rule is no reason: that is noted elsewhere.
    fn first_within<'p>(&self, allowing: &[&'p Rule]) -> Result<Option<&'p Rule>, Vec<Refusal>> {
        let mut reasons = Vec::new();
        for rule in allowing {
            let exceeded = self.exceeded(rule);
            if exceeded.is_empty() {
                return Ok(Some(rule));
            }
            reasons.extend(exceeded);
        }
        if reasons.is_empty() {
            Ok(None)
        } else {
            Err(reasons)
        }
    }

    /// Every limit of a rule that the transaction exceeds.
    fn exceeded(&self, rule: &Rule) -> Vec<Refusal> {
        let mut reasons = Vec::new();
        if let Some(limit) = rule.limits.max_fee_wei
            && self.intent.max_fee > limit
        {
            reasons.push(Refusal::EvmFeeCap {
                rule: rule.name.clone(),
                chain_id: self.intent.chain_id,
                fee: self.intent.max_fee,
                limit,
            });
        }
        for (asset, amount) in self.covered(rule) {
            let limit = rule.limits.evm_units_per_transaction;
            match (amount, limit) {
                (None, _) => reasons.push(Refusal::SumOverflow { asset }),
                (Some(amount), Some(limit)) if amount > limit => reasons.push(Refusal::OverLimit {
                    rule: rule.name.clone(),
                    asset,
                    amount,
                    limit,
                    decimals: decimals(&asset),
                }),
                (Some(_), None)
                    if rule.limits.tokens_per_transaction.is_some()
                        && matches!(asset, Asset::Erc20 { .. }) =>
                {
                    reasons.push(Refusal::UnknownDecimals {
                        rule: rule.name.clone(),
                        asset,
                    });
                }
                _ => {}
            }
        }
        let moved = |asset: &Asset| {
            let amount = self.spends.get(asset)?;
            Some((*amount, decimals(asset)))
        };
        reasons.extend(exceeded_windows(rule, self.facts, moved));
        reasons
    }

    /// What the items that a rule matches move or expose of each asset; `None` for a sum beyond 256 bits.
    fn covered(&self, rule: &Rule) -> BTreeMap<Asset, Option<U256>> {
        let mut sums = BTreeMap::new();
        for (item, rules) in self.items.iter().zip(self.judged) {
            if !rules.iter().any(|other| other.name == rule.name) {
                continue;
            }
            if let Amount::Spent(asset, amount) | Amount::Exposed(asset, amount) = item.amount {
                let sum = sums.entry(asset).or_insert(Some(U256::ZERO));
                *sum = sum.and_then(|sum: U256| sum.checked_add(amount));
            }
        }
        sums
    }
}

fn decimals(asset: &Asset) -> u8 {
    match asset {
        Asset::EvmNative { .. } => COIN_DECIMALS,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
