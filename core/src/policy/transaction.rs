//! Judging a transaction: every action against the rules, and what the actions do together.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::asset::{Asset, Place};
use super::evaluate::{Subject, judge, note};
use super::party::special;
use super::rule::{Effect, OperationKind, Rule};
use super::{Approval, Decision, Facts, Policy, Refusal, Spend};
use crate::account::AccountAddress;
use crate::address::Address;
use crate::amount::Lamports;
use crate::evm::U256;
use crate::intent::{Action, BudgetSettings, Field, FieldValue, Intent, UnknownReason, field, programs};

/// Decimals of SOL, for showing amounts.
const SOL_DECIMALS: u8 = 9;

/// What the creation of an associated account counts as, whoever ends up with its rent. The instruction does not say how
/// much it is; this is above what any cluster ever asked for the largest such account (263 bytes, and 128 of overhead, at
/// 6,960 lamports a byte). Only limits go by it: what is paid is asked of the cluster.
const COUNTED_RENT: Lamports = Lamports::new(3_000_000);

pub(super) fn evaluate(policy: &Policy, wallet: &Address, intent: &Intent, facts: &Facts) -> Decision {
    let mut refusals = unsound(wallet, intent);
    let mut judged: Vec<Vec<&Rule>> = intent
        .actions
        .iter()
        .enumerate()
        .map(|(at, action)| judge_action(policy, wallet, (at + 1, action), facts, &mut refusals))
        .collect();
    // A version 1 message sets its fee and limits without an instruction; the same rules hold for them,
    // the fee cap above all.
    if let Some(setting) = intent.inline_setting() {
        let action = Action::ComputeBudget { setting };
        let number = intent.actions.len() + 1;
        judged.push(judge_action(
            policy,
            wallet,
            (number, &action),
            facts,
            &mut refusals,
        ));
    }

    let mut rules = BTreeSet::<String>::new();
    match totals(intent.actions.iter()) {
        Err(asset) => note(&mut refusals, Refusal::SumOverflow { asset }),
        Ok(everything) => {
            let limits = RuleLimits {
                intent,
                judged: &judged,
                everything: &everything,
                facts,
            };
            for allowing in &judged {
                match first_within(&limits, allowing) {
                    Ok(rule) => rules.extend(rule.map(|rule| rule.name.clone())),
                    Err(reasons) => reasons.into_iter().for_each(|reason| note(&mut refusals, reason)),
                }
            }
            if refusals.is_empty() {
                return Decision::Allowed(Approval::to_sign(
                    (*wallet).into(),
                    intent.message_sha256,
                    policy.version,
                    rules.into_iter().collect(),
                    everything
                        .into_iter()
                        .map(|(asset, sum)| Spend {
                            asset,
                            amount: sum.amount.into(),
                        })
                        .collect(),
                ));
            }
        }
    }
    Decision::Refused(refusals)
}

/// Reasons that no rule can overcome.
fn unsound(wallet: &Address, intent: &Intent) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    if !intent.signers.contains(wallet) {
        refusals.push(Refusal::NotASigner {
            wallet: (*wallet).into(),
        });
    }
    if intent.unresolved_lookups > 0 {
        refusals.push(Refusal::UnresolvedLookup {
            tables: intent.unresolved_lookups,
        });
    }
    if intent.budget_settings == BudgetSettings::Duplicate {
        refusals.push(Refusal::DuplicateComputeBudget);
    }
    if intent.actions.is_empty() {
        refusals.push(Refusal::NothingToDo);
    }
    refusals
}

/// The allow rules that match an action; notes a refusal when there is none.
fn judge_action<'p>(
    policy: &'p Policy,
    wallet: &Address,
    (instruction, action): (usize, &Action),
    facts: &Facts,
    refusals: &mut Vec<Refusal>,
) -> Vec<&'p Rule> {
    let before = refusals.len();
    match action {
        Action::Unknown {
            program,
            program_name,
            reason,
            ..
        } if is_decoded(program) && !awaits_lookup(*reason, refusals) => {
            note(
                refusals,
                Refusal::UndecodedCall {
                    instruction,
                    program: *program,
                    name: program_name.unwrap_or("a program that is decoded"),
                    reason: *reason,
                },
            );
        }
        Action::TokenTransfer { mint: None, .. } => {
            note(refusals, Refusal::UnnamedMint { instruction });
        }
        Action::TokenTransfer {
            program,
            extra_accounts,
            ..
        } if *program == programs::TOKEN_2022 && !extra_accounts.is_empty() => {
            note(
                refusals,
                Refusal::TransferHook {
                    instruction,
                    accounts: extra_accounts.len(),
                },
            );
        }
        _ => {}
    }
    let subject = subject(action, facts);
    let signer = (*wallet).into();
    let mut allowing = judge(policy, &signer, &subject, refusals);
    let special = special(action);
    if let Some(special) = &special {
        let named = judge(policy, &signer, &special.subject(&facts.own_wallets), refusals);
        let named = named
            .into_iter()
            .filter(|rule| !allowing.iter().any(|other| other.name == rule.name));
        let named: Vec<&Rule> = named.collect();
        allowing.extend(named);
    }
    if allowing.is_empty() && refusals.len() == before {
        let refusal = match action {
            Action::Decoded {
                instruction: call, ..
            } if special.is_some() => {
                let operation = special.map_or(subject.operation, |special| special.operation);
                unruled(policy, instruction, call, operation)
            }
            Action::Unknown {
                program,
                program_name,
                reason,
                ..
            } => Refusal::UnknownProgram {
                instruction,
                program: *program,
                name: *program_name,
                reason: *reason,
            },
            Action::Decoded {
                program,
                program_name,
                instruction: call,
                ..
            } => Refusal::UnnamedCall {
                instruction,
                program: *program,
                name: program_name,
                call,
            },
            _ => Refusal::NotAllowed {
                operation: subject.operation.as_str(),
            },
        };
        note(refusals, refusal);
    }
    allowing
}

/// Why an operation with a name of its own is not allowed: no rule names it, or those that do allow less.
fn unruled(policy: &Policy, instruction: usize, call: &'static str, operation: OperationKind) -> Refusal {
    let naming = policy
        .rules
        .iter()
        .find(|rule| rule.effect == Effect::Allow && rule.matches.operations.contains(&operation));
    match naming {
        Some(rule) => Refusal::OutsideRule {
            instruction,
            operation: operation.as_str(),
            call,
            rule: rule.name.clone(),
        },
        None => Refusal::Unruled {
            instruction,
            operation: operation.as_str(),
            call,
        },
    }
}

/// Programs whose every call that moves or risks money is told apart, so that a call in a form that is not
/// understood would pass the limits by.
fn is_decoded(program: &Address) -> bool {
    [
        programs::SYSTEM,
        programs::TOKEN,
        programs::TOKEN_2022,
        programs::COMPUTE_BUDGET,
    ]
    .contains(program)
}

/// Whether it is the lookup tables alone that keep a call from being understood, which is refused already.
fn awaits_lookup(reason: UnknownReason, refusals: &[Refusal]) -> bool {
    reason == UnknownReason::LookupAccount
        && refusals
            .iter()
            .any(|refusal| matches!(refusal, Refusal::UnresolvedLookup { .. }))
}

/// Lamports that a call of the System program moves beside its Transfer: new accounts, transfers with a seed,
/// withdrawals from nonce accounts; and what the rent of a new associated account counts as.
fn moved_lamports(action: &Action) -> Option<Lamports> {
    match action {
        Action::Decoded { program, fields, .. } if *program == programs::SYSTEM => {
            fields.iter().find_map(|field| match field.value {
                FieldValue::Lamports(lamports) => Some(lamports),
                _ => None,
            })
        }
        _ => special(action)
            .filter(|special| special.operation == OperationKind::CreateTokenAccount)
            .map(|_| COUNTED_RENT),
    }
}

fn subject(action: &Action, facts: &Facts) -> Subject {
    let (operation, asset, destination, program) = match action {
        Action::SolTransfer { to, .. } => (
            OperationKind::SolTransfer,
            Some(Asset::Sol),
            Some(*to),
            Some(programs::SYSTEM),
        ),
        Action::TokenTransfer {
            program,
            destination,
            mint,
            ..
        } => (
            OperationKind::TokenTransfer,
            mint.map(Asset::Token),
            Some(*destination),
            Some(*program),
        ),
        Action::Memo { program, .. } => (OperationKind::Memo, None, None, Some(*program)),
        Action::ComputeBudget { .. } => (
            OperationKind::ComputeBudget,
            None,
            None,
            Some(programs::COMPUTE_BUDGET),
        ),
        // Told field by field or not: a call must be named to be allowed.
        Action::Decoded { program, fields, .. } => {
            let moved = moved_lamports(action).filter(|_| *program == programs::SYSTEM);
            (
                OperationKind::ProgramCall,
                moved.map(|_| Asset::Sol),
                moved.and_then(|_| recipient(fields)),
                Some(*program),
            )
        }
        Action::Unknown { program, .. } => (OperationKind::ProgramCall, None, None, Some(*program)),
    };
    Subject {
        operation,
        place: Place::Solana,
        asset,
        destination: destination.map(AccountAddress::Solana),
        program: program.map(AccountAddress::Solana),
        stays: matches!(action, Action::SolTransfer { to, .. } if facts.own_wallets.contains(to)),
    }
}

/// Who gets the lamports of a System call.
fn recipient(fields: &[Field]) -> Option<Address> {
    let found = field(fields, "recipient").or_else(|| field(fields, "new account"));
    match found? {
        FieldValue::Account(address) => Some(*address),
        _ => None,
    }
}

/// What is transferred of one asset, and the fewest decimals it is said to have.
#[derive(Clone, Copy)]
struct Sum {
    amount: u64,
    decimals: u8,
}

/// Adds up the transfers of each asset; the error names one whose sum cannot exist.
fn totals<'a>(actions: impl Iterator<Item = &'a Action>) -> Result<BTreeMap<Asset, Sum>, Asset> {
    let mut sums = BTreeMap::<Asset, Sum>::new();
    for action in actions {
        let (asset, amount, decimals) = match action {
            Action::SolTransfer { lamports, .. } => (Asset::Sol, lamports.get(), SOL_DECIMALS),
            Action::TokenTransfer {
                mint: Some(mint),
                amount,
                decimals,
                ..
            } => (Asset::Token(*mint), *amount, decimals.unwrap_or(0)),
            _ => match moved_lamports(action) {
                Some(lamports) => (Asset::Sol, lamports.get(), SOL_DECIMALS),
                None => continue,
            },
        };
        let sum = sums.entry(asset).or_insert(Sum { amount: 0, decimals });
        sum.amount = sum.amount.checked_add(amount).ok_or(asset)?;
        sum.decimals = sum.decimals.min(decimals);
    }
    Ok(sums)
}

/// What a rule's limits are held against.
struct RuleLimits<'a> {
    intent: &'a Intent,
    /// For each action, the allow rules that match it.
    judged: &'a [Vec<&'a Rule>],
    /// What the whole transaction transfers.
    everything: &'a BTreeMap<Asset, Sum>,
    facts: &'a Facts,
}

/// The first rule whose limits hold, or why none does. No rule is no reason: that is noted elsewhere.
fn first_within<'p>(
    limits: &RuleLimits<'_>,
    allowing: &[&'p Rule],
) -> Result<Option<&'p Rule>, Vec<Refusal>> {
    let mut reasons = Vec::new();
    for rule in allowing {
        let exceeded = limits.exceeded(rule);
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

impl RuleLimits<'_> {
    /// Every limit of a rule that the transaction exceeds.
    fn exceeded(&self, rule: &Rule) -> Vec<Refusal> {
        let mut reasons = Vec::new();
        let named = || rule.name.clone();
        if let Some(limit) = rule.limits.max_priority_fee {
            let fee = self.intent.max_priority_fee();
            if fee > limit {
                reasons.push(Refusal::FeeCap {
                    rule: named(),
                    fee,
                    limit,
                });
            }
        }
        let covered = self
            .intent
            .actions
            .iter()
            .zip(self.judged)
            .filter(|(_, rules)| rules.iter().any(|other| other.name == rule.name))
            .map(|(action, _)| action);
        match totals(covered) {
            Err(asset) => reasons.push(Refusal::SumOverflow { asset }),
            Ok(sums) => reasons.extend(sums.iter().filter_map(|(asset, sum)| {
                let limit = per_transaction(rule, asset, sum.decimals)?;
                (u128::from(sum.amount) > limit).then(|| Refusal::OverLimit {
                    rule: named(),
                    asset: *asset,
                    amount: sum.amount.into(),
                    limit: limit.into(),
                    decimals: sum.decimals,
                })
            })),
        }
        reasons.extend(self.exceeded_windows(rule));
        reasons
    }

    fn exceeded_windows(&self, rule: &Rule) -> Vec<Refusal> {
        let sum = |asset: &Asset| {
            let sum = self.everything.get(asset)?;
            Some((u128::from(sum.amount), sum.decimals))
        };
        exceeded_windows(rule, self.facts, sum)
    }
}

/// The windows of a rule that have no room for what `moved` says of each asset: amount and decimals.
pub(super) fn exceeded_windows(
    rule: &Rule,
    facts: &Facts,
    moved: impl Fn(&Asset) -> Option<(u128, u8)>,
) -> Vec<Refusal> {
    let held = |limit: &super::WindowLimit| {
        let (amount, decimals) = moved(&limit.asset)?;
        let window = limit.window();
        let counted = facts.spent.iter().filter(|own| own.window == window);
        // Were one handed over twice, the larger counts.
        let Some(spent) = counted.map(|own| own.amount).max() else {
            return Some(Refusal::MissingCounter {
                rule: rule.name.clone(),
                asset: limit.asset,
                duration_ms: limit.duration_ms,
            });
        };
        let within = spent
            .checked_add(amount)
            .is_some_and(|total| total <= limit.maximum);
        (!within).then(|| Refusal::OverWindow {
            rule: rule.name.clone(),
            asset: limit.asset,
            amount: U256::from(amount),
            spent: U256::from(spent),
            limit: U256::from(limit.maximum),
            duration_ms: limit.duration_ms,
            decimals,
        })
    };
    rule.limits.windows.iter().filter_map(held).collect()
}

/// A rule's limit for one asset in one transaction, in smallest units.
fn per_transaction(rule: &Rule, asset: &Asset, decimals: u8) -> Option<u128> {
    match asset {
        Asset::Sol => rule.limits.sol_per_transaction.map(Lamports::get).map(u128::from),
        Asset::Token(_) => rule.limits.tokens_per_transaction.map(|whole| {
            // From 39 decimals on, the smallest unit of one token is beyond any amount that exists.
            let unit = 10_u128.checked_pow(u32::from(decimals)).unwrap_or(u128::MAX);
            u128::from(whole).saturating_mul(unit)
        }),
        // No Solana transaction moves them.
        Asset::EvmNative { .. } | Asset::Erc20 { .. } => Some(0),
    }
}
