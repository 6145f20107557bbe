//! Judging what EVM wallets sign: transactions, personal messages and typed data.

mod limits;

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::asset::{Asset, Place};
use super::evaluate::{Subject, decide_plain, judge, note, note_unless_text};
use super::rule::{OperationKind, Rule};
use super::{Approval, Decision, Facts, Policy, Refusal, Spend};
use crate::account::AccountAddress;
use crate::evm::intent::{AllowanceChange, EvmAction, EvmIntent, Grant, decodes};
use crate::evm::personal;
use crate::evm::typed_data::TypedData;
use crate::evm::{EvmAddress, U256};
use limits::{Case, spends};

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
    /// Somebody may take it later: held against the limit of a transaction, and each time against what a
    /// window has left.
    Exposed(Asset, U256),
    /// As exposed, if the contract counts units: of a collection it is one token by its number.
    ExposedOrOne(Asset, U256),
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
    if let EvmAction::Call {
        contract,
        selector: Some(selector),
        ..
    } = intent.action
        && decodes(selector)
    {
        refusals.push(Refusal::MalformedCall { contract, selector });
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
    let chain_id = domain.chain_id;
    let subject = Subject {
        program: domain.verifying_contract.map(AccountAddress::Evm),
        // The contract may be a token's, as with EIP-2612.
        asset: domain
            .verifying_contract
            .map(|contract| Asset::Erc20 { chain_id, contract }),
        ..Subject::plain(operation, Place::Evm(chain_id))
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
    items.extend(perhaps_nft(intent));
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

/// That an own token of a collection may leave: `transferFrom` is the same call in EIP-20 and EIP-721.
fn perhaps_nft(intent: &EvmIntent) -> Option<Item> {
    let EvmAction::TransferFrom { token, from, to, .. } = intent.action else {
        return None;
    };
    let chain_id = intent.chain_id;
    let subject = Subject {
        asset: Some(Asset::Erc20 {
            chain_id,
            contract: token,
        }),
        destination: Some(to.into()),
        program: Some(token.into()),
        ..Subject::plain(OperationKind::EvmNftTransfer, Place::Evm(chain_id))
    };
    (from == intent.from).then(|| Item::new(subject, Amount::None))
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
            change: AllowanceChange::Set,
        } => Item::new(
            approval(*token, *spender),
            Amount::ExposedOrOne(erc20(*token), *amount),
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

#[cfg(test)]
mod tests;
