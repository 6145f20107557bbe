//! What an EVM transaction moves, held against the limits of rules.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::super::asset::{Asset, AssetMatch};
use super::super::evaluate::note;
use super::super::rule::Rule;
use super::super::transaction::exceeded_windows;
use super::super::{Facts, Refusal};
use super::{Amount, Item};
use crate::account::AccountAddress;
use crate::evm::U256;
use crate::evm::intent::EvmIntent;

/// Decimals of the coin of every EVM chain, for showing amounts.
const COIN_DECIMALS: u8 = 18;

/// What the transaction spends of each asset.
pub(super) fn spends(items: &[Item], refusals: &mut Vec<Refusal>) -> BTreeMap<Asset, u128> {
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
pub(super) struct Case<'a> {
    pub(super) intent: &'a EvmIntent,
    pub(super) items: &'a [Item],
    /// For each item, the allow rules that match it.
    pub(super) judged: &'a [Vec<&'a Rule>],
    pub(super) spends: &'a BTreeMap<Asset, u128>,
    pub(super) facts: &'a Facts,
}

impl Case<'_> {
    /// The first rule whose limits hold, or why none does. No rule is no reason: that is noted elsewhere.
    pub(super) fn first_within<'p>(&self, allowing: &[&'p Rule]) -> Result<Option<&'p Rule>, Vec<Refusal>> {
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
                (Some(_), None) if limits_only_solana(rule, &asset) => {
                    reasons.push(Refusal::NoEvmLimit {
                        rule: rule.name.clone(),
                        asset,
                    });
                }
                _ => {}
            }
        }
        reasons.extend(self.unlisted(rule));
        let exposed = self.exposed();
        let moved = |asset: &Asset| {
            let (spent, exposed) = (self.spends.get(asset), exposed.get(asset));
            let moves = spent.or(exposed).is_some();
            let amount = spent
                .copied()
                .unwrap_or(0)
                .saturating_add(exposed.copied().unwrap_or(0));
            moves.then(|| (amount, decimals(asset)))
        };
        reasons.extend(exceeded_windows(rule, self.facts, moved));
        reasons
    }

    /// What allowances give others to take of each asset. Beyond 128 bits it is the largest number.
    fn exposed(&self) -> BTreeMap<Asset, u128> {
        let mut sums = BTreeMap::new();
        for item in self.items {
            if let Amount::Exposed(asset, amount) | Amount::ExposedOrOne(asset, amount) = item.amount {
                let sum = sums.entry(asset).or_insert(0_u128);
                *sum = sum.saturating_add(amount.to_u128().unwrap_or(u128::MAX));
            }
        }
        sums
    }

    /// Allowances whose units a rule limits without naming the token, so that nobody said they are units.
    fn unlisted(&self, rule: &Rule) -> Option<Refusal> {
        rule.limits.evm_units_per_transaction?;
        self.items
            .iter()
            .zip(self.judged)
            .find_map(|(item, rules)| match item.amount {
                Amount::ExposedOrOne(asset, _) if has(rules, rule) && !lists(rule, &asset) => {
                    Some(Refusal::UnlistedToken {
                        rule: rule.name.clone(),
                        asset,
                    })
                }
                _ => None,
            })
    }

    /// What the items that a rule matches move or expose of each asset; `None` for a sum beyond 256 bits.
    fn covered(&self, rule: &Rule) -> BTreeMap<Asset, Option<U256>> {
        let mut sums = BTreeMap::new();
        for (item, rules) in self.items.iter().zip(self.judged) {
            if !has(rules, rule) {
                continue;
            }
            if let Amount::Spent(asset, amount)
            | Amount::Exposed(asset, amount)
            | Amount::ExposedOrOne(asset, amount) = item.amount
            {
                let sum = sums.entry(asset).or_insert(Some(U256::ZERO));
                *sum = sum.and_then(|sum: U256| sum.checked_add(amount));
            }
        }
        sums
    }
}

fn has(rules: &[&Rule], rule: &Rule) -> bool {
    rules.iter().any(|other| other.name == rule.name)
}

/// Whether a rule limits amounts and none of this EVM asset.
fn limits_only_solana(rule: &Rule, asset: &Asset) -> bool {
    let own = &rule.limits;
    (own.sol_per_transaction.is_some() || own.tokens_per_transaction.is_some())
        && !own.windows.iter().any(|window| window.asset == *asset)
}

/// Whether a rule names this very token, by its assets or by its contracts.
fn lists(rule: &Rule, asset: &Asset) -> bool {
    let Asset::Erc20 { contract, .. } = asset else {
        return false;
    };
    rule.matches.assets.contains(&AssetMatch::Asset(*asset))
        || rule.matches.programs.contains(&AccountAddress::Evm(*contract))
}

fn decimals(asset: &Asset) -> u8 {
    match asset {
        Asset::EvmNative { .. } => COIN_DECIMALS,
        _ => 0,
    }
}
