//! From a request to a job: read the chain, decide, pack, ask policy, estimate.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use keyward_core::address::{Address, Blockhash};
use keyward_core::amount::Lamports;
use serde::{Deserialize, Serialize};

use super::build::{Piece, Seen, TargetState, pieces};
use super::collect::{Decided, Planned, signers, skipped};
use super::recipient::expect_wallet;
use super::skip::{SkipReason, Skipped};
use super::survey::{Survey, basics, distinct, excess, expect_ours, is_ours, targets, tokens};
use super::{CloseRequest, Collect, ConsolidateRequest, Emptied, MAX_SWEPT, RentTo, SweepError, WrappedSol};
use super::{close, collect};
use crate::chain::SolanaNode;
use crate::distribution::pack::{Assembled, PackError, pack};
use crate::fees::{FeePolicy, priority_fee};
use crate::jobs::assemble::{self, Budget, GENEROUS_UNITS};
use crate::jobs::compose::Built;
use crate::jobs::{ItemAction, Job, JobCounts, JobFormat, JobId, JobKind, JobState, MAX_BATCH_ITEMS, NewJob};
use crate::{Custody, PreviewDecision, Progress, RefusalText};

/// How many transactions of a plan are tried on the node.
const MAX_TRIALS: usize = 8;

/// A sweep, ready to be shown.
#[derive(Clone, Debug)]
pub struct SweepPlan {
    /// What would be done; without items there is nothing to do.
    pub job: NewJob,
    /// How much each item is expected to bring, in base units of its token, or in lamports, in the order of the items.
    pub expected: Vec<u64>,
    /// What stays where it is.
    pub skipped: Vec<Skipped>,
    /// What it comes to.
    pub estimate: SweepEstimate,
    /// Why it cannot be carried out: policy, or too little SOL to pay for it. Empty if it can.
    pub refusals: Vec<RefusalText>,
    /// Transactions that would fail if they were sent now, as far as they were tried.
    pub failures: Vec<String>,
}

/// What a sweep comes to, before it is carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SweepEstimate {
    /// Transactions.
    pub transactions: u64,
    /// Signatures of all of them.
    pub signatures: u64,
    /// What the cluster charges for them.
    pub base_fees: Lamports,
    /// The most that is offered for priority.
    pub priority_fees: Lamports,
    /// Token accounts made at the recipient.
    pub accounts_created: u64,
    /// Their rent, which the fee payer pays.
    pub rent: Lamports,
    /// Token accounts closed.
    pub accounts_closed: u64,
    /// Wallets drained to exactly zero.
    pub wallets_drained: u64,
    /// The SOL drained from wallets.
    pub drained: Lamports,
    /// The SOL that comes out of token accounts: rent, wrapped SOL, and excess rent.
    pub released: Lamports,
    /// Who gets what comes out of token accounts; none where it is each owner.
    pub released_to: Option<Address>,
    /// The tokens, by mint.
    pub tokens: Vec<TokenTotal>,
    /// What the fee payer has now.
    pub payer_before: Lamports,
}

impl SweepEstimate {
    /// All that the fee payer pays at most.
    #[must_use]
    pub fn cost(&self) -> Lamports {
        let parts = [self.base_fees, self.priority_fees, self.rent];
        Lamports::new(parts.iter().fold(0, |sum, part| part.get().saturating_add(sum)))
    }
}

/// How much of a token is collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenTotal {
    /// The token.
    pub mint: Address,
    /// Its decimals.
    pub decimals: u8,
    /// From how many accounts.
    pub accounts: u64,
    /// Base units that leave them.
    pub amount: u128,
    /// Base units that the token's own fee withholds of that.
    pub fee: u128,
}

/// What a job remembers of its plan, as its options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SweepOptions {
    /// Who gets the rent of accounts that are drained and closed.
    pub(crate) rent_to: Address,
    /// Whether wrapped SOL is unwrapped.
    pub(crate) unwraps: bool,
    /// How it was asked for, in words.
    pub(crate) asked: String,
}

impl Custody {
    /// Plans to collect everything of many wallets in one. Reads the chain, and signs nothing.
    ///
    /// # Errors
    /// [`SweepError`]. What cannot be moved is no error: see [`SweepPlan::skipped`].
    pub async fn plan_consolidation(
        &self,
        node: &SolanaNode,
        request: &ConsolidateRequest,
        progress: &Progress,
    ) -> Result<SweepPlan, SweepError> {
        let sources = distinct(&request.sources)?;
        expect_ours(self, sources.iter().copied(), "it would have to sign").await?;
        let to_ours = is_ours(self, &request.to).await?;
        let fee_payer = match request.sponsor {
            Some(sponsor) => sponsor,
            None if to_ours => request.to,
            None => return Err(SweepError::NoSponsor),
        };
        expect_ours(self, [fee_payer], "it would have to pay the fees").await?;
        if !to_ours {
            expect_wallet(self, node, request.to).await?;
        }
        // Policies let the rent of closed accounts go to wallets of the vault alone.
        let rent_to = if to_ours { request.to } else { fee_payer };
        let mut survey = basics(node, fee_payer, &sources).await?;
        if request.collect.takes_tokens() {
            tokens(&mut survey, node, &sources, progress).await?;
            targets(&mut survey, node, &request.to).await?;
        }
        let decided = collect::decide(request, &sources, (fee_payer, rent_to), &survey);
        let asked = asked_consolidation(request);
        let draft = Draft {
            kind: JobKind::Consolidation,
            label: &request.label,
            fee_payer,
            rent_to: Some(rent_to),
            format: request.format,
            fee: request.fee,
            wrapped: WrappedSol::Unwrap,
            asked,
        };
        draft.finish(self, node, survey, decided).await
    }

    /// Plans to close the empty token accounts of wallets. Reads the chain, and signs nothing.
    ///
    /// # Errors
    /// [`SweepError`]. What cannot be closed is no error: see [`SweepPlan::skipped`].
    pub async fn plan_closing(
        &self,
        node: &SolanaNode,
        request: &CloseRequest,
        progress: &Progress,
    ) -> Result<SweepPlan, SweepError> {
        let wallets = distinct(&request.wallets)?;
        expect_ours(self, wallets.iter().copied(), "it would have to sign").await?;
        let fee_payer = match (request.sponsor, request.rent_to, wallets.as_slice()) {
            (Some(sponsor), ..) => sponsor,
            (None, RentTo::Wallet(address), _) => address,
            (None, RentTo::Owner, [only]) => *only,
            (None, RentTo::Owner, _) => return Err(SweepError::NoSponsor),
        };
        expect_ours(self, [fee_payer], "it would have to pay the fees").await?;
        let rent_to = match request.rent_to {
            RentTo::Owner => None,
            RentTo::Wallet(address) => Some(address),
        };
        expect_ours(self, rent_to, "only own wallets may get the rent").await?;
        let mut survey = basics(node, fee_payer, &wallets).await?;
        tokens(&mut survey, node, &wallets, progress).await?;
        let staying = close::staying(request, &survey);
        excess(&mut survey, node, &staying).await?;
        let decided = close::decide(request, &wallets, fee_payer, &survey);
        let draft = Draft {
            kind: JobKind::Closing,
            label: &request.label,
            fee_payer,
            rent_to,
            format: request.format,
            fee: request.fee,
            wrapped: request.wrapped,
            asked: asked_closing(request),
        };
        draft.finish(self, node, survey, decided).await
    }
}

fn asked_consolidation(request: &ConsolidateRequest) -> String {
    let what = match &request.collect {
        Collect::Everything => "everything",
        Collect::Sol => "SOL",
        Collect::Tokens => "tokens",
        Collect::Mints(_) => "named tokens",
    };
    let then = match request.emptied {
        Emptied::Close => "emptied accounts closed",
        Emptied::Keep => "emptied accounts kept",
    };
    format!("{what} to {}, {then}", request.to)
}

fn asked_closing(request: &CloseRequest) -> String {
    let wrapped = match request.wrapped {
        WrappedSol::Keep => "kept",
        WrappedSol::Unwrap => "unwrapped",
    };
    match request.rent_to {
        RentTo::Owner => format!("rent to each owner, wrapped SOL {wrapped}"),
        RentTo::Wallet(address) => format!("rent to {address}, wrapped SOL {wrapped}"),
    }
}

/// What a plan is made of beside its items.
struct Draft<'a> {
    kind: JobKind,
    label: &'a str,
    fee_payer: Address,
    rent_to: Option<Address>,
    format: JobFormat,
    fee: FeePolicy,
    wrapped: WrappedSol,
    asked: String,
}

/// A group of items by their places, with what policy says of it.
struct Judged {
    group: Vec<usize>,
    reasons: Vec<RefusalText>,
}

impl Draft<'_> {
    async fn finish(
        self,
        custody: &Custody,
        node: &SolanaNode,
        survey: Survey,
        decided: Decided,
    ) -> Result<SweepPlan, SweepError> {
        let Decided {
            items,
            skipped: mut left,
        } = decided;
        if items.len() > MAX_SWEPT {
            return Err(SweepError::TooManyAccounts { found: items.len() });
        }
        let id = JobId::random()?;
        let groups = self.pack(id, &items)?;
        let mut refusals = Vec::<RefusalText>::new();
        let mut kept = Vec::<Vec<usize>>::new();
        for judged in self.judge(custody, id, &survey, &items, groups).await? {
            match self.alone_over_limit(&judged) {
                Some(text) => left.extend(
                    judged
                        .group
                        .iter()
                        .filter_map(|at| items.get(*at))
                        .map(|planned| skipped(planned, SkipReason::Policy { text: text.clone() })),
                ),
                None => {
                    kept.push(judged.group);
                    for reason in judged.reasons {
                        if !refusals.contains(&reason) {
                            refusals.push(reason);
                        }
                    }
                }
            }
        }
        let (items, groups) = renumbered(items, kept);
        let mut estimate = self.estimate(&survey, &items, &groups);
        let failures = self.try_out(node, id, &items, &groups, &mut estimate).await?;
        let cost = estimate.cost();
        if !items.is_empty() && estimate.payer_before < cost {
            refusals.push(RefusalText {
                code: "payer-short".to_owned(),
                text: format!(
                    "the wallet that pays, {}, has {} SOL and needs up to {cost} SOL; send it SOL or name another with --sponsor",
                    self.fee_payer, estimate.payer_before
                ),
            });
        }
        let options = SweepOptions {
            rent_to: self.rent_to.unwrap_or(self.fee_payer),
            unwraps: self.wrapped == WrappedSol::Unwrap,
            asked: self.asked.clone(),
        };
        let options_json = serde_json::to_string(&options).map_err(|error| SweepError::Pack {
            cause: error.to_string(),
        })?;
        Ok(SweepPlan {
            expected: items.iter().map(expected).collect(),
            job: NewJob {
                id,
                kind: self.kind,
                label: self.label.to_owned(),
                network: survey.network,
                fee_payer: self.fee_payer,
                format: self.format,
                fee: self.fee,
                options_json,
                items: items.into_iter().map(|planned| planned.item).collect(),
                groups,
            },
            skipped: left,
            estimate,
            refusals,
            failures,
        })
    }

    fn built(&self, items: &[&Planned]) -> Vec<Built> {
        let rent_to = self.rent_to.unwrap_or(self.fee_payer);
        let all = items.iter().map(|planned| Piece {
            item: &planned.item,
            seen: planned.seen,
        });
        pieces(self.fee_payer, rent_to, all)
    }

    /// The dearest budget, which takes the most bytes.
    fn budget(&self) -> Budget {
        Budget {
            units: GENEROUS_UNITS,
            micro_lamports: self.fee.ceiling_micro_lamports(),
        }
    }

    fn pack(&self, id: JobId, items: &[Planned]) -> Result<Vec<Vec<usize>>, SweepError> {
        let (job, budget) = (self.job(id), self.budget());
        let assembled = |range: Range<usize>| {
            let own: Vec<&Planned> = items.get(range).unwrap_or_default().iter().collect();
            let inner = own
                .iter()
                .map(|planned| assemble::inner_instructions(&planned.item.action));
            Assembled {
                inner: inner.sum(),
                message: assemble::message(&job, &self.built(&own), budget, Blockhash::new([0; 32])),
            }
        };
        let groups = pack(items.len(), MAX_BATCH_ITEMS, &assembled);
        let groups = groups.map_err(|error| {
            let (PackError::TooLarge { item } | PackError::Unsound { item, .. }) = error;
            let wallet = items.get(item).map(|planned| planned.item.source.to_string());
            SweepError::Pack {
                cause: format!("{error} (of wallet {})", wallet.unwrap_or_default()),
            }
        })?;
        Ok(groups.into_iter().map(Range::collect).collect())
    }

    /// The job as it will be stored, as far as building asks for it.
    fn job(&self, id: JobId) -> Job {
        Job {
            id,
            kind: self.kind,
            label: self.label.to_owned(),
            network: String::new(),
            fee_payer: self.fee_payer,
            format: self.format,
            fee: self.fee,
            options_json: String::new(),
            state: JobState::Open,
            counts: JobCounts::default(),
            created_ms: 0,
        }
    }

    /// The unsigned bytes of a group's transaction, with all the compute there is and nothing offered for it.
    fn message(
        &self,
        id: JobId,
        items: &[Planned],
        group: &[usize],
        blockhash: Blockhash,
    ) -> Result<Vec<u8>, SweepError> {
        let own: Vec<&Planned> = group.iter().filter_map(|at| items.get(*at)).collect();
        let budget = Budget {
            units: GENEROUS_UNITS,
            micro_lamports: 0,
        };
        let message = assemble::message(&self.job(id), &self.built(&own), budget, blockhash);
        let message = message.map_err(|error| SweepError::Pack {
            cause: error.to_string(),
        })?;
        Ok(assemble::unsigned(message))
    }

    /// Asks policy about every transaction. From one that is over a limit the largest item is taken out if it is over the
    /// limit by itself; else it is halved, until it is within, or has one item.
    async fn judge(
        &self,
        custody: &Custody,
        id: JobId,
        survey: &Survey,
        items: &[Planned],
        groups: Vec<Vec<usize>>,
    ) -> Result<Vec<Judged>, SweepError> {
        let ask = async |group: &[usize]| -> Result<Vec<RefusalText>, SweepError> {
            let bytes = self.message(id, items, group, Blockhash::new([0; 32]))?;
            let preview = custody.preview(&bytes, &survey.network).await?;
            Ok(match preview.decision {
                PreviewDecision::Allowed { .. } => Vec::new(),
                PreviewDecision::Refused { reasons } => reasons,
            })
        };
        let is_over = |reasons: &[RefusalText]| reasons.iter().any(|reason| reason.code == OVER_LIMIT);
        let size = |at: &usize| items.get(*at).map_or(0, expected);
        let mut judged = Vec::with_capacity(groups.len());
        // The last is judged first, so that halves come in their order.
        let mut open: Vec<Vec<usize>> = groups.into_iter().rev().collect();
        while let Some(mut group) = open.pop() {
            let reasons = ask(&group).await?;
            let largest = group.iter().copied().max_by_key(size);
            let (Some(largest), true) = (largest, group.len() > 1 && is_over(&reasons)) else {
                judged.push(Judged { group, reasons });
                continue;
            };
            let alone = ask(&[largest]).await?;
            if is_over(&alone) {
                judged.push(Judged {
                    group: vec![largest],
                    reasons: alone,
                });
                group.retain(|at| *at != largest);
            } else {
                let second = group.split_off(group.len() / 2);
                open.push(second);
            }
            open.push(group);
        }
        Ok(judged)
    }

    /// That policy's limit for one transaction is less than one item by itself, which then stays where it is.
    fn alone_over_limit(&self, judged: &Judged) -> Option<String> {
        let [only] = judged.reasons.as_slice() else {
            return None;
        };
        (judged.group.len() == 1 && only.code == OVER_LIMIT).then(|| only.text.clone())
    }

    fn estimate(&self, survey: &Survey, items: &[Planned], groups: &[Vec<u32>]) -> SweepEstimate {
        let member = |number: &u32| items.get(usize::try_from(*number).ok()?);
        let signatures: u64 = groups
            .iter()
            .map(|group| {
                let mut all = signers(group.iter().filter_map(member));
                all.insert(self.fee_payer);
                all.len() as u64
            })
            .sum();
        let mut estimate = SweepEstimate {
            transactions: groups.len() as u64,
            signatures,
            base_fees: Lamports::new(signatures.saturating_mul(survey.signature_fee)),
            released_to: self.rent_to,
            payer_before: survey
                .wallets
                .get(&self.fee_payer)
                .map_or(Lamports::ZERO, |info| info.lamports),
            ..SweepEstimate::default()
        };
        let mut tokens = BTreeMap::<Address, TokenTotal>::new();
        let mut made = BTreeSet::new();
        let add =
            |sum: &mut Lamports, lamports: u64| *sum = Lamports::new(sum.get().saturating_add(lamports));
        for planned in items {
            match (&planned.item.action, planned.seen) {
                (ItemAction::DrainSol, _) => {
                    estimate.wallets_drained += 1;
                    add(&mut estimate.drained, planned.lamports);
                }
                (
                    ItemAction::DrainToken {
                        mint,
                        decimals,
                        close,
                        ..
                    },
                    Seen::Token {
                        amount, fee, target, ..
                    },
                ) => {
                    let total = tokens.entry(*mint).or_insert(TokenTotal {
                        mint: *mint,
                        decimals: *decimals,
                        accounts: 0,
                        amount: 0,
                        fee: 0,
                    });
                    total.accounts += 1;
                    total.amount += u128::from(amount);
                    total.fee += u128::from(fee.unwrap_or(0));
                    if target == TargetState::Missing && made.insert(*mint) {
                        estimate.accounts_created += 1;
                        add(&mut estimate.rent, survey.rents.get(mint).copied().unwrap_or(0));
                    }
                    estimate.accounts_closed += u64::from(*close);
                    add(&mut estimate.released, planned.lamports);
                }
                (ItemAction::CloseAccount { .. }, _) => {
                    estimate.accounts_closed += 1;
                    add(&mut estimate.released, planned.lamports);
                }
                _ => add(&mut estimate.released, planned.lamports),
            }
        }
        estimate.tokens = tokens.into_values().collect();
        estimate
    }

    /// Tries some transactions on the node without effect: what would fail, and what priority may cost.
    async fn try_out(
        &self,
        node: &SolanaNode,
        id: JobId,
        items: &[Planned],
        groups: &[Vec<u32>],
        estimate: &mut SweepEstimate,
    ) -> Result<Vec<String>, SweepError> {
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let blockhash = node.latest_blockhash().await?.blockhash;
        let (mut failures, mut most) = (Vec::new(), 0);
        for (at, group) in groups.iter().take(MAX_TRIALS).enumerate() {
            let places: Vec<usize> = group
                .iter()
                .filter_map(|number| usize::try_from(*number).ok())
                .collect();
            let bytes = self.message(id, items, &places, blockhash)?;
            let simulation = node.simulate(&bytes, &[]).await?;
            most = most.max(simulation.units.unwrap_or(u64::from(GENEROUS_UNITS)));
            if let Some(error) = simulation.error {
                failures.push(format!("transaction {}: {error}", at + 1));
            }
        }
        let ceiling = self.fee.ceiling_micro_lamports();
        let each = priority_fee(ceiling, assemble::limit_for(most)).map_or(u64::MAX, Lamports::get);
        estimate.priority_fees = Lamports::new(each.saturating_mul(groups.len() as u64));
        Ok(failures)
    }
}

/// The code of a refusal for an amount in one transaction.
const OVER_LIMIT: &str = "over-limit";

/// Those items that are in a group, numbered by their place, and the groups by these numbers.
fn renumbered(items: Vec<Planned>, groups: Vec<Vec<usize>>) -> (Vec<Planned>, Vec<Vec<u32>>) {
    let mut items: Vec<Option<Planned>> = items.into_iter().map(Some).collect();
    let (mut kept, mut numbered) = (Vec::new(), Vec::with_capacity(groups.len()));
    for group in groups {
        let mut numbers = Vec::with_capacity(group.len());
        for at in group {
            let Some(mut planned) = items.get_mut(at).and_then(Option::take) else {
                continue;
            };
            // Within the bound of a job's items.
            let number = u32::try_from(kept.len()).unwrap_or(u32::MAX);
            planned.item.number = number;
            numbers.push(number);
            kept.push(planned);
        }
        numbered.push(numbers);
    }
    (kept, numbered)
}

fn expected(planned: &Planned) -> u64 {
    match planned.seen {
        Seen::Sol(amount) | Seen::Lamports(amount) | Seen::Token { amount, .. } => amount,
    }
}

#[cfg(test)]
mod tests;
