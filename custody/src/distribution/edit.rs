//! An edited plan: what was paid already is taken off it, and only the difference is paid.
//!
//! The first distribution is cancelled for good, and everything of it that was sent has its end, before the second one is
//! stored. The second one's id follows from the first one's, so that of two people who edit the same distribution at once
//! only one stores an edit.

use std::collections::BTreeMap;

use keyward_core::address::Address;
use serde_json::Value;

use super::finding::FindingCode;
use super::plan::{self, DistributionPlan, Origin, Trial};
use super::request::{Amounts, Asset, DistributionRequest, FeeBearer};
use super::{DistributionError, Items, successor};
use crate::chain::SolanaNode;
use crate::jobs::{ItemAction, ItemState, Job, JobId, JobKind};
use crate::{Custody, CustodyError};

/// How many edits of edits there may be.
pub(super) const MAX_EDITS: usize = 100;

/// An edit ready to be agreed to.
#[derive(Clone, Debug)]
pub struct EditPlan {
    /// The distribution that it takes the place of.
    pub of: JobId,
    /// What is paid yet: the difference. Its job is empty where nothing is left to pay.
    pub plan: DistributionPlan,
    /// What was paid already, by recipient, in base units as asked for.
    pub paid: BTreeMap<Address, u64>,
}

pub(super) async fn prepare(
    custody: &Custody,
    node: &SolanaNode,
    of: JobId,
    request: &DistributionRequest,
    trial: Trial,
) -> Result<EditPlan, DistributionError> {
    let (job, lineage) = editable(custody, of).await?;
    super::same_network(node, &job.network).await?;
    let paid = paid_by(custody, request, &lineage).await?;
    let origin = Origin {
        id: Some(successor(of)),
        edits: lineage,
        paid: paid.clone(),
        ..Origin::default()
    };
    let plan = plan::prepare(custody, node, request, trial, &origin).await?;
    Ok(EditPlan { of, plan, paid })
}

pub(super) async fn apply(custody: &Custody, edit: &EditPlan) -> Result<Option<JobId>, DistributionError> {
    let open = edit.plan.refused();
    let asked = edit.plan.asked();
    if !open.is_empty() || !asked.is_empty() {
        return Err(DistributionError::NotReady([open, asked].concat()));
    }
    custody.cancel_job(edit.of).await?;
    // From here on nothing new is signed of it. What was sent before must have its end.
    let (_, lineage) = editable(custody, edit.of).await?;
    let paid = paid_by(custody, &edit.plan.request, &lineage).await?;
    if paid != edit.paid {
        return Err(DistributionError::Moved);
    }
    if edit.plan.job.items.is_empty() {
        return Ok(None);
    }
    super::store(custody, edit.plan.job.clone(), Vec::new())
        .await
        .map(Some)
}

/// The job and those that it came in place of, if it is one that can be edited now.
async fn editable(custody: &Custody, of: JobId) -> Result<(Job, Vec<JobId>), DistributionError> {
    let job = custody.job(of).await?;
    if job.kind != JobKind::Distribution {
        return Err(DistributionError::OtherKind(of));
    }
    match custody.job(successor(of)).await {
        Ok(_) => return Err(DistributionError::EditedInto(successor(of))),
        Err(CustodyError::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let open = job.counts.in_flight + job.counts.settling;
    if open > 0 {
        return Err(DistributionError::UnderWay { in_flight: open });
    }
    let mut lineage = edits_of(&job);
    lineage.push(of);
    if lineage.len() > MAX_EDITS {
        return Err(DistributionError::TooManyEdits(MAX_EDITS));
    }
    Ok((job, lineage))
}

/// The distributions that a job came in place of, the first one first.
pub(super) fn edits_of(job: &Job) -> Vec<JobId> {
    let options: Value = serde_json::from_str(&job.options_json).unwrap_or(Value::Null);
    let edits = options
        .get("edits")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    edits.filter_map(|id| id.as_str()?.parse().ok()).collect()
}

/// What these distributions have paid to each recipient, as asked for: without the fees that the sender bore.
async fn paid_by(
    custody: &Custody,
    request: &DistributionRequest,
    jobs: &[JobId],
) -> Result<BTreeMap<Address, u64>, DistributionError> {
    let mut paid = BTreeMap::<Address, u64>::new();
    for job in jobs {
        // One that is not there, as after a rebuild, has paid nobody knows what.
        custody.job(*job).await?;
        for item in Items::read(custody, *job).await?.0 {
            let fee = match (&item.new.action, request.asset) {
                (ItemAction::PaySol, Asset::Sol) => 0,
                (ItemAction::PayToken { mint, fee, .. }, Asset::Token { mint: wanted })
                    if *mint == wanted =>
                {
                    match request.transfer_fee {
                        FeeBearer::Recipient => 0,
                        FeeBearer::Sender => *fee,
                    }
                }
                _ => return Err(DistributionError::OtherAsset),
            };
            if item.state == ItemState::Confirmed {
                let sum = paid.entry(item.new.recipient).or_default();
                *sum = sum.saturating_add(item.new.amount.saturating_sub(fee));
            }
        }
    }
    Ok(paid)
}

/// A request for what is left of another after so much was paid, and who was paid more than it says.
pub(super) fn difference(
    request: &DistributionRequest,
    amounts: &[u64],
    paid: &BTreeMap<Address, u64>,
) -> (DistributionRequest, Vec<(FindingCode, Address, u64)>) {
    let mut left = paid.clone();
    let mut rest = request.clone();
    rest.recipients.clear();
    let mut explicit = Vec::new();
    for (recipient, amount) in request.recipients.iter().zip(amounts) {
        let credit = left.entry(recipient.address).or_default();
        let covered = (*credit).min(*amount);
        *credit -= covered;
        // A payment of nothing is for the judge to refuse, unless it is nothing because it was made already.
        if *amount == 0 || *amount > covered {
            rest.recipients.push(recipient.clone());
            explicit.push(amount - covered);
        }
    }
    rest.amounts = Amounts::Explicit(explicit);
    let over = left.into_iter().filter(|(_, over)| *over > 0);
    let over = over
        .map(|(address, over)| (FindingCode::PaidMore, address, over))
        .collect();
    (rest, over)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;
    use crate::distribution::Recipient;
    use crate::fees::FeePolicy;
    use crate::jobs::JobFormat;

    fn request(to: &[u8]) -> DistributionRequest {
        let wallet = |byte| Address::new([byte; 32]);
        DistributionRequest {
            label: "edit".into(),
            sources: vec![wallet(255)],
            fee_payer: wallet(255),
            asset: Asset::Sol,
            recipients: to
                .iter()
                .map(|byte| Recipient {
                    address: wallet(*byte),
                    name: String::new(),
                    line: None,
                    memo: None,
                })
                .collect(),
            amounts: Amounts::Explicit(Vec::new()),
            transfer_fee: FeeBearer::Recipient,
            format: JobFormat::Legacy,
            fee: FeePolicy::None,
            accepted: Vec::new(),
        }
    }

    #[test]
    fn only_the_difference_is_left() {
        let wallet = |byte| Address::new([byte; 32]);
        let paid = BTreeMap::from([(wallet(1), 10), (wallet(2), 10), (wallet(3), 10), (wallet(4), 10)]);
        let (rest, over) = difference(&request(&[1, 2, 3, 5, 1]), &[10, 15, 4, 7, 2], &paid);
        let left: Vec<_> = rest.recipients.iter().map(|one| one.address).collect();
        assert_eq!(left, [wallet(2), wallet(5), wallet(1)]);
        assert_eq!(rest.amounts, Amounts::Explicit(vec![5, 7, 2]));
        let more = FindingCode::PaidMore;
        assert_eq!(over, [(more, wallet(3), 6), (more, wallet(4), 10)]);
    }

    proptest! {
        #[test]
        fn paid_and_difference_come_to_what_is_asked(
            asked in prop::collection::vec((0..6_u8, 1..100_u64), 1..20),
            paid in prop::collection::btree_map(0..6_u8, 1..200_u64, 0..6),
        ) {
            let (to, amounts): (Vec<u8>, Vec<u64>) = asked.into_iter().unzip();
            let paid: BTreeMap<Address, u64> =
                paid.into_iter().map(|(byte, amount)| (Address::new([byte; 32]), amount)).collect();
            let (rest, over) = difference(&request(&to), &amounts, &paid);
            let Amounts::Explicit(left) = &rest.amounts else { panic!() };
            for byte in 0..6 {
                let wallet = Address::new([byte; 32]);
                let wanted: u64 = to.iter().zip(&amounts).filter(|(one, _)| **one == byte).map(|(_, amount)| amount).sum();
                let more: u64 = rest.recipients.iter().zip(left).filter(|(one, _)| one.address == wallet).map(|(_, amount)| amount).sum();
                let over: u64 = over.iter().filter(|(_, one, _)| *one == wallet).map(|(_, _, over)| over).sum();
                prop_assert_eq!(paid.get(&wallet).copied().unwrap_or(0) + more, wanted + over);
                prop_assert!(more == 0 || over == 0);
            }
            prop_assert!(left.iter().all(|amount| *amount > 0));
        }
    }
}
