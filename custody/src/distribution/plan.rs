//! From a request to a plan: judged, packed, priced, tried out. Nothing is stored, signed or sent.

mod draft;
mod packing;

use std::collections::{BTreeMap, BTreeSet};

use keyward_core::address::Address;

use super::edit::difference;
use super::estimate::Estimate;
use super::finding::{Finding, FindingCode, Gravity};
use super::request::{Amounts, Asset, DistributionRequest};
use super::split::Division;
use super::survey::{self, Survey};
use super::{DistributionError, MAX_MEMO_BYTES, MAX_RECIPIENTS, MAX_SOURCES};
use crate::Custody;
use crate::chain::SolanaNode;
use crate::jobs::{JobId, MAX_JOB_LABEL_CHARS, NewJob};
use draft::Draft;

/// How many of a plan's transactions are simulated before it is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trial {
    /// The first of each paying wallet.
    #[default]
    Sample,
    /// Every one.
    All,
}

/// A distribution ready to be agreed to.
#[derive(Clone, Debug)]
pub struct DistributionPlan {
    /// What was asked for.
    pub request: DistributionRequest,
    /// What will be stored once it is agreed to.
    pub job: NewJob,
    /// What is wrong or odd, at most a thousand findings.
    pub findings: Vec<Finding>,
    /// How many findings there are of each kind, those beyond the list included.
    pub counts: BTreeMap<FindingCode, u64>,
    /// What it costs.
    pub estimate: Estimate,
    /// How many transactions were simulated.
    pub simulated: u64,
}

impl DistributionPlan {
    /// The kinds of findings that keep it from being carried out.
    #[must_use]
    pub fn refused(&self) -> Vec<FindingCode> {
        self.kinds(Gravity::Refused)
    }

    /// The kinds of findings that a person is asked about and has not agreed to.
    #[must_use]
    pub fn asked(&self) -> Vec<FindingCode> {
        let mut kinds = self.kinds(Gravity::Asked);
        kinds.retain(|code| !self.request.accepted.contains(code));
        kinds
    }

    /// Whether it can be stored and carried out.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.refused().is_empty() && self.asked().is_empty() && !self.job.items.is_empty()
    }

    fn kinds(&self, gravity: Gravity) -> Vec<FindingCode> {
        let all = self.counts.keys().copied();
        all.filter(|code| code.gravity() == gravity).collect()
    }
}

/// What a plan is beside a plan of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin {
    /// The id that it has, where that does not follow from the payments.
    pub(super) id: Option<JobId>,
    /// The distributions that it comes in place of, the first one first.
    pub(super) edits: Vec<JobId>,
    /// What those have paid, by recipient.
    pub(super) paid: BTreeMap<Address, u64>,
    /// Whether it is only to be stored again: what was paid already cannot be judged any more.
    pub(super) is_rebuild: bool,
}

pub(super) async fn prepare(
    custody: &Custody,
    node: &SolanaNode,
    request: &DistributionRequest,
    trial: Trial,
    origin: &Origin,
) -> Result<DistributionPlan, DistributionError> {
    check(request)?;
    let survey = survey::read(custody, node, request).await?;
    let request = &settled(request, &survey);
    let (rest, over) = left(request, origin);
    if rest.recipients.is_empty() {
        let mut draft = Draft::empty(&rest, &survey, origin);
        draft.note(&over);
        return Ok(draft.into_plan(request, 0));
    }
    let mut draft = Draft::new(&rest, &survey, origin, 0);
    if origin.is_rebuild {
        return Ok(draft.into_plan(request, 0));
    }
    draft.price(node).await?;
    // What the fee payer needs for fees is known only now; where it pays SOL itself, others may have to pay more.
    let reserve = draft.estimate.cost().get();
    if rest.asset == Asset::Sol && rest.sources.contains(&rest.fee_payer) {
        draft = Draft::new(&rest, &survey, origin, reserve);
        draft.price(node).await?;
    }
    draft.note(&over);
    draft.fund();
    draft.ask_policy(custody).await?;
    let simulated = draft.simulate(node, trial).await?;
    Ok(draft.into_plan(request, simulated))
}

/// The request with what the chain decided put into it, so that the same amounts come of it whenever it is made again: a
/// random part of SOL is never below the rent of an account, whether or not the recipient has one by then.
fn settled(request: &DistributionRequest, survey: &Survey) -> DistributionRequest {
    let mut settled = request.clone();
    let rent = survey.wallet_rent.get();
    if let (
        Asset::Sol,
        Amounts::Divided {
            division: Division::Random { min, .. },
            ..
        },
    ) = (request.asset, &mut settled.amounts)
    {
        *min = rent.max(*min);
    }
    settled
}

/// What is left to pay, and who was paid too much.
fn left(
    request: &DistributionRequest,
    origin: &Origin,
) -> (DistributionRequest, Vec<(FindingCode, Address, u64)>) {
    if origin.edits.is_empty() {
        return (request.clone(), Vec::new());
    }
    // An impossible division is told by the judge.
    match request.amounts.resolve(&vec![1; request.recipients.len()]) {
        Ok(amounts) => difference(request, &amounts, &origin.paid),
        Err(_) => (request.clone(), Vec::new()),
    }
}

fn check(request: &DistributionRequest) -> Result<(), DistributionError> {
    match request.recipients.len() {
        0 => return Err(DistributionError::NoRecipients),
        1..=MAX_RECIPIENTS => {}
        _ => return Err(DistributionError::TooManyRecipients),
    }
    if request.sources.is_empty() || request.sources.len() > MAX_SOURCES {
        return Err(DistributionError::Sources {
            found: request.sources.len(),
        });
    }
    let distinct: BTreeSet<&Address> = request.sources.iter().collect();
    if distinct.len() != request.sources.len() {
        return Err(DistributionError::SourceTwice);
    }
    let label = request.label.chars().count();
    if label == 0 || label > MAX_JOB_LABEL_CHARS || request.label.chars().any(char::is_control) {
        return Err(DistributionError::Label);
    }
    let mut memos = request
        .recipients
        .iter()
        .filter_map(|recipient| recipient.memo.as_ref());
    if let Some(memo) = memos.find(|memo| memo.is_empty() || memo.len() > MAX_MEMO_BYTES) {
        return Err(DistributionError::Memo { found: memo.len() });
    }
    Ok(())
}
