//! A plan in the making: packed, priced and tried out.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{FutureExt, StreamExt};
use keyward_core::address::{Address, Blockhash};
use keyward_core::amount::Lamports;
use keyward_core::solana::{Message, Transaction};
use serde_json::{Value, json};

use super::packing::{built, groups, job};
use super::{DistributionPlan, Origin, Trial};
use crate::chain::SolanaNode;
use crate::distribution::DistributionError;
use crate::distribution::estimate::{Estimate, PayerEstimate};
use crate::distribution::finding::{FindingCode, Gravity};
use crate::distribution::identity::{self, Payment};
use crate::distribution::judge::{Judged, judge};
use crate::distribution::request::{Amounts, Asset, DistributionRequest, FeeBearer};
use crate::distribution::split::Division;
use crate::distribution::survey::Survey;
use crate::fees::priority_fee;
use crate::jobs::assemble::{self, Budget, GENEROUS_UNITS};
use crate::jobs::{JobId, JobKind, NewItem, NewJob};
use crate::{Custody, PreviewDecision};

/// How many transactions are tried out at once.
const PARALLEL: usize = 4;
/// How many transactions policy is asked about: one of each paying wallet.
const MAX_PREVIEWS: usize = 20;

/// A plan in the making.
pub(super) struct Draft<'a> {
    request: &'a DistributionRequest,
    survey: &'a Survey,
    origin: &'a Origin,
    judged: Judged,
    id: JobId,
    /// Which items are in one transaction, by their numbers.
    groups: Vec<Vec<u32>>,
    pub(super) estimate: Estimate,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        request: &'a DistributionRequest,
        survey: &'a Survey,
        origin: &'a Origin,
        reserve: u64,
    ) -> Self {
        let mut judged = judge(request, survey, reserve);
        let id = origin.id.unwrap_or_else(|| job_id(request, survey, &judged));
        let groups = match groups(request, id, &judged.items) {
            Ok(groups) => groups,
            Err((number, text)) => {
                let at = number as usize;
                if let Some(recipient) = request.recipients.get(at) {
                    judged.findings.item(FindingCode::TooLarge, at, recipient, text);
                }
                Vec::new()
            }
        };
        Self {
            request,
            survey,
            origin,
            judged,
            id,
            groups,
            estimate: Estimate::default(),
        }
    }

    /// A plan that pays nobody any more.
    pub(super) fn empty(request: &'a DistributionRequest, survey: &'a Survey, origin: &'a Origin) -> Self {
        Self {
            request,
            survey,
            origin,
            id: origin.id.unwrap_or(JobId::new([0; 16])),
            judged: Judged::default(),
            groups: Vec::new(),
            estimate: Estimate::default(),
        }
    }

    /// Tells who was paid too much.
    pub(super) fn note(&mut self, over: &[(FindingCode, Address, u64)]) {
        for (code, address, amount) in over {
            let text = format!("it was paid {amount} base units more than the edited plan gives it");
            self.judged.findings.plan(*code, Some(*address), text);
        }
    }

    fn items(&self, group: &[u32]) -> Vec<&NewItem> {
        let all = &self.judged.items;
        group
            .iter()
            .filter_map(|number| all.get(*number as usize))
            .collect()
    }

    fn message(
        &self,
        group: &[u32],
        budget: Budget,
        blockhash: Blockhash,
    ) -> Result<Message, DistributionError> {
        let built = built(self.request, &self.items(group));
        assemble::message(&job(self.request, self.id), &built, budget, blockhash)
            .map_err(|error| DistributionError::Build(error.to_string()))
    }

    /// How many sign a group's transaction: the payer of the fee, and the source where that is another.
    fn signers(&self, group: &[u32]) -> u64 {
        let others: BTreeSet<Address> = self.items(group).iter().map(|item| item.source).collect();
        1 + others
            .iter()
            .filter(|source| **source != self.request.fee_payer)
            .count() as u64
    }

    /// Asks the cluster what the transactions cost.
    pub(super) async fn price(&mut self, node: &SolanaNode) -> Result<(), DistributionError> {
        let blockhash = node.latest_blockhash().await?.blockhash;
        let mut fees = BTreeMap::<u64, Lamports>::new();
        let (mut base, mut signatures, mut dearest) = (0_u64, 0_u64, Lamports::ZERO);
        for group in &self.groups {
            let signers = self.signers(group);
            let fee = match fees.get(&signers) {
                Some(fee) => *fee,
                None => {
                    let message = self.message(group, FREE, blockhash)?;
                    let fee = node.fee_for_message(&message.encode()).await?;
                    fees.insert(signers, fee);
                    fee
                }
            };
            base = base.saturating_add(fee.get());
            signatures += signers;
            dearest = dearest.max(fee);
        }
        let priority = self.priority(node, blockhash).await?;
        let transactions = self.groups.len() as u64;
        let account_rent = self
            .survey
            .token
            .as_ref()
            .map_or(0, |token| token.account_rent.get());
        let paid = self.judged.items.iter().map(|item| item.amount);
        self.estimate = Estimate {
            paid: paid.fold(0, u64::saturating_add),
            withheld: self.judged.withheld,
            transactions,
            signatures,
            base_fees: Lamports::new(base),
            priority_fees: Lamports::new(priority.get().saturating_mul(transactions)),
            accounts_created: self.judged.accounts_created,
            rent: Lamports::new(account_rent.saturating_mul(self.judged.accounts_created)),
            failed_transaction: Lamports::new(dearest.get().saturating_add(priority.get())),
            payers: Vec::new(),
        };
        Ok(())
    }

    /// The most that one transaction offers for priority, by what the largest one uses.
    async fn priority(&self, node: &SolanaNode, blockhash: Blockhash) -> Result<Lamports, DistributionError> {
        let ceiling = self.request.fee.ceiling_micro_lamports();
        let largest = self.groups.iter().max_by_key(|group| group.len());
        let (Some(largest), 1..) = (largest, ceiling) else {
            return Ok(Lamports::ZERO);
        };
        let message = self.message(largest, FREE, blockhash)?;
        let simulation = node
            .simulate(&Transaction::unsigned(message).encode(), &[])
            .await?;
        let used = simulation.units.filter(|_| simulation.error.is_none());
        let units = used.map_or(GENEROUS_UNITS, assemble::limit_for);
        Ok(priority_fee(ceiling, units).unwrap_or(Lamports::new(u64::MAX)))
    }

    /// What each payer is left with, and whether the fee payer can pay.
    pub(super) fn fund(&mut self) {
        let request = self.request;
        let rent = self.survey.wallet_rent.get();
        let mut paid = BTreeMap::<Address, u64>::new();
        for item in &self.judged.items {
            let sum = paid.entry(item.source).or_default();
            *sum = sum.saturating_add(item.amount);
        }
        let cost = self.estimate.cost().get();
        let mut payers: Vec<Address> = request.sources.clone();
        if !payers.contains(&request.fee_payer) {
            payers.push(request.fee_payer);
        }
        for address in payers {
            let sum = paid.get(&address).copied().unwrap_or(0);
            let sol = if request.asset == Asset::Sol { sum } else { 0 };
            let fees = if address == request.fee_payer { cost } else { 0 };
            let before = self.survey.balance(&address);
            let after = sol.checked_add(fees).and_then(|all| before.checked_sub(all));
            let token = self
                .survey
                .token
                .as_ref()
                .and_then(|token| token.sources.get(&address));
            let tokens_before = token.map(|at| at.account.amount);
            self.estimate.payers.push(PayerEstimate {
                address,
                lamports_before: Lamports::new(before),
                lamports_after: after.map(Lamports::new),
                tokens_before,
                tokens_after: tokens_before.and_then(|tokens| tokens.checked_sub(sum)),
            });
            if address != request.fee_payer || self.judged.items.is_empty() {
                continue;
            }
            let short_of_rent = after.is_some_and(|rest| rest > 0 && rest < rent);
            if after.is_none() || short_of_rent {
                let needed =
                    u128::from(sol) + u128::from(fees) + if short_of_rent { u128::from(rent) } else { 0 };
                let needed = Lamports::new(u64::try_from(needed).unwrap_or(u64::MAX));
                let text = format!(
                    "it has {} SOL, and {needed} SOL is needed, {} SOL of it for fees and the rent of new accounts",
                    Lamports::new(before),
                    Lamports::new(fees),
                );
                self.judged
                    .findings
                    .plan(FindingCode::FeePayerShort, Some(address), text);
            }
        }
    }

    /// Whether everything that was looked at so far can be carried out.
    fn is_sound(&self) -> bool {
        let mut kinds = self.judged.findings.counts.keys();
        !kinds.any(|code| code.gravity() == Gravity::Refused)
    }

    /// The first group of each source.
    fn samples(&self) -> Vec<&Vec<u32>> {
        let mut seen = BTreeSet::new();
        let source = |group: &Vec<u32>| self.items(group).first().map(|item| item.source);
        let firsts = self.groups.iter().filter(|group| seen.insert(source(group)));
        firsts.take(MAX_PREVIEWS).collect()
    }

    pub(super) async fn ask_policy(&mut self, custody: &Custody) -> Result<(), DistributionError> {
        if !self.is_sound() {
            return Ok(());
        }
        let mut refusals = Vec::new();
        // The one that moves most of each source tells whether a limit is in the way.
        let mut dearest = BTreeMap::<Option<Address>, (u64, &Vec<u32>)>::new();
        for group in &self.groups {
            let items = self.items(group);
            let moved = items.iter().map(|item| item.amount).fold(0, u64::saturating_add);
            let most = dearest
                .entry(items.first().map(|item| item.source))
                .or_insert((moved, group));
            if moved > most.0 {
                *most = (moved, group);
            }
        }
        for (_, group) in dearest.into_values().take(MAX_PREVIEWS) {
            let message = self.message(group, FREE, Blockhash::new([0; 32]))?;
            let bytes = Transaction::unsigned(message).encode();
            let preview = custody.preview(&bytes, &self.survey.network).await?;
            if let PreviewDecision::Refused { reasons } = preview.decision {
                refusals.extend(reasons.into_iter().map(|reason| reason.text));
            }
        }
        refusals.dedup();
        for text in refusals {
            self.judged.findings.plan(FindingCode::PolicyRefuses, None, text);
        }
        Ok(())
    }

    /// Runs transactions on the node without effect.
    pub(super) async fn simulate(
        &mut self,
        node: &SolanaNode,
        trial: Trial,
    ) -> Result<u64, DistributionError> {
        if !self.is_sound() {
            return Ok(0);
        }
        let groups: Vec<Vec<u32>> = match trial {
            Trial::All => self.groups.clone(),
            Trial::Sample => self.samples().into_iter().cloned().collect(),
        };
        let blockhash = node.latest_blockhash().await?.blockhash;
        let mut requests = Vec::with_capacity(groups.len());
        for group in &groups {
            let bytes = Transaction::unsigned(self.message(group, FREE, blockhash)?).encode();
            requests.push(async move { node.simulate(&bytes, &[]).await }.boxed());
        }
        let mut answers = futures_util::stream::iter(requests).buffered(PARALLEL);
        let mut failed = Vec::new();
        let mut at = 0;
        while let Some(answer) = answers.next().await {
            if let Some(error) = answer?.error {
                failed.push((at, error));
            }
            at += 1;
        }
        drop(answers);
        for (at, error) in failed {
            let group = groups.get(at).map(Vec::as_slice).unwrap_or_default();
            let text = format!(
                "the transaction that pays {} would fail: {error}",
                self.told(group)
            );
            self.judged.findings.plan(FindingCode::WouldFail, None, text);
        }
        Ok(at as u64)
    }

    /// A group in words.
    fn told(&self, group: &[u32]) -> String {
        match group {
            [] => "nobody".to_owned(),
            [one] => format!("payment {}", one + 1),
            [first, .., last] => format!("payments {} to {}", first + 1, last + 1),
        }
    }

    pub(super) fn into_plan(self, asked: &DistributionRequest, simulated: u64) -> DistributionPlan {
        let Judged { items, findings, .. } = self.judged;
        DistributionPlan {
            job: NewJob {
                id: self.id,
                kind: JobKind::Distribution,
                label: self.request.label.clone(),
                network: self.survey.network.clone(),
                fee_payer: self.request.fee_payer,
                format: self.request.format,
                fee: self.request.fee,
                options_json: options(asked, self.origin).to_string(),
                items,
                groups: self.groups,
            },
            request: asked.clone(),
            findings: findings.list,
            counts: findings.counts,
            estimate: self.estimate,
            simulated,
        }
    }
}

/// The budget of a trial: all the compute there is, and nothing offered for it.
const FREE: Budget = Budget {
    units: GENEROUS_UNITS,
    micro_lamports: 0,
};

fn job_id(request: &DistributionRequest, survey: &Survey, judged: &Judged) -> JobId {
    let payments: Vec<Payment<'_>> = request
        .recipients
        .iter()
        .zip(&judged.asked)
        .map(|(recipient, amount)| Payment {
            recipient: &recipient.address,
            amount: *amount,
            memo: recipient.memo.as_deref(),
        })
        .collect();
    identity::id(
        &survey.network,
        &request.label,
        request.asset,
        payments.into_iter(),
    )
}

/// How the plan came about, so that it can be told and made again.
fn options(request: &DistributionRequest, origin: &Origin) -> Value {
    let amounts = match &request.amounts {
        Amounts::Explicit(_) => json!({ "mode": "explicit" }),
        Amounts::Divided { total, division } => {
            let total = total.to_string();
            match division {
                Division::Even => json!({ "mode": "even", "total": total }),
                Division::Weighted(_) => json!({ "mode": "weighted", "total": total }),
                Division::Random { seed, min, max } => json!({
                    "mode": "random", "total": total, "seed": seed.to_string(),
                    "min": min.to_string(), "max": max.to_string(),
                }),
            }
        }
    };
    let accepted: Vec<&str> = request.accepted.iter().map(|code| code.as_str()).collect();
    let mint = match request.asset {
        Asset::Sol => None,
        Asset::Token { mint } => Some(mint.to_string()),
    };
    let bearer = match request.transfer_fee {
        FeeBearer::Recipient => "recipient",
        FeeBearer::Sender => "sender",
    };
    let edits: Vec<String> = origin.edits.iter().map(ToString::to_string).collect();
    json!({ "amounts": amounts, "mint": mint, "transfer_fee": bearer, "accepted": accepted, "edits": edits })
}
