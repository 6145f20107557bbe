//! The record of what was paid, made again from the chain after the database was lost.
//!
//! The list alone leads to the distribution's id, the id to its reference, and the reference to its transactions. A
//! transaction that the lost database knew may still be on its way: nothing is concluded before every blockhash that was
//! valid when the rebuild began has expired at a finalized height. (A durable nonce has no such end; distributions use none.)

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use keyward_core::address::Address;
use tokio::sync::watch;

use super::edit::MAX_EDITS;
use super::ledger::{self, Entry, Target};
use super::plan::{self, DistributionPlan, Origin, Trial};
use super::request::{DistributionRequest, FeeBearer};
use super::{DistributionError, successor};
use crate::Custody;
use crate::chain::{Commitment, FIRST_BLOCKS, SolanaNode};
use crate::jobs::{Adopted, BatchItem, JobId};

/// How often the finalized height is asked for while waiting.
const PAUSE: Duration = Duration::from_millis(500);
/// How far ahead of this node another one may have been that gave the lost process its last blockhash.
const AHEAD_BLOCKS: u64 = 64;

/// What is done with transactions under a distribution's reference that no wallet of this vault signed.
///
/// The reference is public, so anybody can make one. But they may also be of a wallet that this vault has lost, and then what
/// they paid is paid: only a person knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strangers {
    /// Nothing is rebuilt while there are any.
    #[default]
    Refuse,
    /// They are left out: a person said that no wallet of theirs was ever among the payers named.
    LeaveOut,
}

/// How a rebuild is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RebuildOptions {
    /// The first distribution's id, where the list is an edit of one.
    pub first: Option<JobId>,
    /// What is done with other people's transactions.
    pub strangers: Strangers,
}

/// How far a rebuild has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RebuildProgress {
    /// The finalized block height.
    pub height: u64,
    /// The height that it waits for.
    pub needed: u64,
}

/// What a rebuild found and stored.
#[derive(Clone, Debug)]
pub struct Rebuilt {
    /// The distribution as it is stored again; none where nothing is left of an edited one.
    pub job: Option<JobId>,
    /// How many transactions were found on chain.
    pub transactions: u64,
    /// How many payments they made.
    pub payments_found: u64,
    /// What those come to, in base units.
    pub paid: u64,
    /// How many payments of the list are left to make.
    pub left: u64,
}

pub(super) async fn rebuild(
    custody: &Custody,
    node: &SolanaNode,
    request: &DistributionRequest,
    options: RebuildOptions,
    progress: &watch::Sender<RebuildProgress>,
) -> Result<Rebuilt, DistributionError> {
    let origin = Origin {
        is_rebuild: true,
        ..Origin::default()
    };
    let plan = plan::prepare(custody, node, request, Trial::Sample, &origin).await?;
    if plan.job.items.is_empty() {
        return Err(DistributionError::NotReady(plan.refused()));
    }
    // Of several endpoints one may lag, or forget, and another one may answer in its place unseen.
    if node.traffic().len() > 1 {
        return Err(DistributionError::SeveralEndpoints);
    }
    let history = node.history_start().await?;
    wait(node, progress).await?;
    let source = Source {
        custody,
        node,
        history,
        strangers: options.strangers,
    };
    match options.first {
        None => source.whole(plan).await,
        Some(first) => source.edited(request, &plan, first).await,
    }
}

/// Where it is rebuilt from.
struct Source<'a> {
    custody: &'a Custody,
    node: &'a SolanaNode,
    /// The node's first block when the rebuild began.
    history: u64,
    strangers: Strangers,
}

impl Source<'_> {
    /// What wallets of this vault did under a distribution's reference.
    async fn read(
        &self,
        id: JobId,
        own: &mut BTreeMap<Address, bool>,
    ) -> Result<Vec<Entry>, DistributionError> {
        let mut entries = ledger::read(self.node, id, Commitment::Finalized).await?;
        for entry in &entries {
            for signer in entry.required_signers() {
                if !own.contains_key(signer) {
                    let found = self.custody.wallet_by_address(*signer).await?;
                    own.insert(*signer, found.is_some());
                }
            }
        }
        let mine: BTreeSet<Address> = own
            .iter()
            .filter(|(_, mine)| **mine)
            .map(|(signer, _)| *signer)
            .collect();
        if self.strangers == Strangers::Refuse {
            let strange = entries.iter().filter(|entry| !entry.is_signed_by(&mine));
            let payers: BTreeSet<Address> = strange.map(|entry| *entry.fee_payer()).collect();
            if !payers.is_empty() {
                return Err(DistributionError::StrangePayers(payers.into_iter().collect()));
            }
        }
        entries.retain(|entry| entry.is_signed_by(&mine));
        Ok(entries)
    }

    /// A distribution as it was, with its transactions.
    async fn whole(&self, plan: DistributionPlan) -> Result<Rebuilt, DistributionError> {
        let id = plan.job.id;
        let mut own = BTreeMap::new();
        let entries = self.read(id, &mut own).await?;
        let mut edit = id;
        for _ in 0..MAX_EDITS {
            edit = successor(edit);
            if !self.read(edit, &mut own).await?.is_empty() {
                return Err(DistributionError::EditedOnChain(edit));
            }
        }
        check_history(self.node, self.history).await?;
        // Another label or list leads to another place on chain, where nothing is.
        if entries.is_empty() {
            return Err(DistributionError::NothingOnChain(id));
        }
        let (matched, strange) = matched(&plan, &entries);
        if strange > 0 {
            return Err(DistributionError::Strange { payments: strange });
        }
        let mut rebuilt = Rebuilt {
            job: Some(id),
            transactions: entries.len() as u64,
            payments_found: 0,
            paid: 0,
            left: 0,
        };
        let mut adopted = Vec::new();
        for (entry, items) in entries.iter().zip(matched) {
            rebuilt.payments_found += items.len() as u64;
            rebuilt.paid = items
                .iter()
                .map(|item| item.amount)
                .fold(rebuilt.paid, u64::saturating_add);
            if !items.is_empty() {
                adopted.push(found(entry, items));
            }
        }
        super::store(self.custody, plan.job, adopted).await?;
        rebuilt.left = self.custody.job(id).await?.counts.planned;
        Ok(rebuilt)
    }

    /// What an edited list has left to pay after everything that it and the distributions before it have paid.
    async fn edited(
        &self,
        request: &DistributionRequest,
        plan: &DistributionPlan,
        first: JobId,
    ) -> Result<Rebuilt, DistributionError> {
        let (mut lineage, mut entries) = (vec![first], Vec::new());
        let (mut id, mut known, mut own) = (first, 0, BTreeMap::new());
        // An edit may have paid nothing, and its own edit something: so all that there can be are asked about.
        for _ in 0..=MAX_EDITS {
            let found = self.read(id, &mut own).await?;
            if !found.is_empty() {
                known = lineage.len();
            }
            entries.extend(found);
            id = successor(id);
            lineage.push(id);
        }
        check_history(self.node, self.history).await?;
        if known == 0 {
            return Err(DistributionError::NothingOnChain(first));
        }
        lineage.truncate(known);
        let owners: HashMap<Target, Address> = plan
            .job
            .items
            .iter()
            .filter_map(|item| Some((Target::of(item)?, item.recipient)))
            .collect();
        let mut rebuilt = Rebuilt {
            job: None,
            transactions: entries.len() as u64,
            payments_found: 0,
            paid: 0,
            left: 0,
        };
        let mut paid = BTreeMap::<Address, u64>::new();
        for entry in &entries {
            rebuilt.payments_found += entry.payments.len() as u64;
            for (target, sum) in ledger::paid(std::slice::from_ref(entry)) {
                rebuilt.paid = rebuilt.paid.saturating_add(sum);
                let credited = match request.transfer_fee {
                    FeeBearer::Recipient => sum,
                    FeeBearer::Sender => entry.received(&target),
                };
                let (Target::Sol(account) | Target::Token { account, .. }) = target;
                // Whoever is not in the list any more is told of as paid too much.
                let owner = owners.get(&target).copied().unwrap_or(account);
                let credit = paid.entry(owner).or_default();
                *credit = credit.saturating_add(credited);
            }
        }
        let id = lineage.last().map_or(first, |last| successor(*last));
        let origin = Origin {
            id: Some(id),
            edits: lineage,
            paid,
            is_rebuild: true,
        };
        let plan = plan::prepare(self.custody, self.node, request, Trial::Sample, &origin).await?;
        rebuilt.left = plan.job.items.len() as u64;
        if rebuilt.left > 0 {
            rebuilt.job = Some(super::store(self.custody, plan.job, Vec::new()).await?);
        }
        Ok(rebuilt)
    }
}

/// What is not found may lie before what the node remembers, at the beginning or by now.
async fn check_history(node: &SolanaNode, before: u64) -> Result<(), DistributionError> {
    let from = before.max(node.history_start().await?);
    match from > FIRST_BLOCKS {
        true => Err(DistributionError::Pruned { from }),
        false => Ok(()),
    }
}

/// Waits until nothing can land any more that was signed before now.
async fn wait(node: &SolanaNode, progress: &watch::Sender<RebuildProgress>) -> Result<(), DistributionError> {
    let latest = node.latest_blockhash().await?.last_valid_block_height;
    let needed = latest.saturating_add(AHEAD_BLOCKS);
    loop {
        let height = node.tip(Commitment::Finalized).await?.block_height;
        progress.send_replace(RebuildProgress { height, needed });
        if height > needed {
            node.verify_network().await?;
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn found(entry: &Entry, items: Vec<BatchItem>) -> Adopted {
    Adopted {
        signature: entry.transaction.signature,
        transaction: entry.transaction.bytes.clone(),
        slot: entry.transaction.slot,
        fee: entry.fee(),
        items,
    }
}

/// Which items each transaction paid, and how many payments are none of theirs. Each item is paid once.
fn matched(plan: &DistributionPlan, entries: &[Entry]) -> (Vec<Vec<BatchItem>>, u64) {
    let mut open = HashMap::<(Target, u64), Vec<u32>>::new();
    for item in plan.job.items.iter().rev() {
        if let Some(target) = Target::of(item) {
            open.entry((target, item.amount)).or_default().push(item.number);
        }
    }
    let mut strange = 0;
    let mut one = |entry: &Entry| {
        let mut items = BTreeMap::new();
        for payment in &entry.payments {
            match open.get_mut(&(payment.to, payment.amount)).and_then(Vec::pop) {
                Some(number) => {
                    items.insert(number, payment.amount);
                }
                None => strange += 1,
            }
        }
        let item = |(item, amount)| BatchItem {
            item,
            amount,
            instructions: 0,
        };
        items.into_iter().map(item).collect()
    };
    let all = entries.iter().map(&mut one).collect();
    (all, strange)
}
