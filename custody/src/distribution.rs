//! Distributions: SOL or a token from few wallets to many recipients, planned as one job.
//!
//! A plan is made from a request and from what the chain says ([`prepare`]), shown, and agreed to; only then is it stored as a
//! job ([`create`]), which [`crate::jobs`] carries out. Nothing here signs or sends.
//!
//! See `docs/decisions/0024-a-distribution-is-what-it-pays.md`.

pub mod csv;
mod edit;
mod error;
mod estimate;
mod finding;
mod identity;
mod judge;
mod ledger;
pub mod pack;
mod plan;
mod rebuild;
mod recipients;
mod report;
mod request;
pub mod split;
mod survey;

pub use edit::EditPlan;
pub use error::DistributionError;
pub use estimate::{Estimate, PayerEstimate};
pub use finding::{Finding, FindingCode, Gravity};
pub use identity::successor;
pub use plan::{DistributionPlan, Trial};
pub use rebuild::{RebuildOptions, RebuildProgress, Rebuilt, Strangers};
pub use recipients::{NameError, Named, resolve};
pub use report::{DistributionReport, ReportLine, ReportTotals, Verdict};
pub use request::{Amounts, Asset, DistributionRequest, FeeBearer, Recipient};
pub use split::{Division, SplitError, SplitSeed};

use tokio::sync::watch;

use crate::chain::{ChainError, SolanaNode};
use crate::jobs::{Adopted, ItemCursor, ItemFilter, JobId, JobItem, MAX_JOB_PAGE, NewJob};
use crate::{Custody, CustodyError};

/// The most payments of one distribution.
pub const MAX_RECIPIENTS: usize = 50_000;

/// The most wallets that pay in one distribution.
pub const MAX_SOURCES: usize = 100;

/// The longest memo of a payment, in bytes.
pub const MAX_MEMO_BYTES: usize = crate::transfer::MAX_MEMO_BYTES;

/// Plans a distribution: judges it, packs it, prices it and tries it out. Stores, signs and sends nothing.
///
/// # Errors
/// [`DistributionError`]. What is wrong with the payments themselves is no error but a [`Finding`] of the plan.
pub async fn prepare(
    custody: &Custody,
    node: &SolanaNode,
    request: &DistributionRequest,
    trial: Trial,
) -> Result<DistributionPlan, DistributionError> {
    plan::prepare(custody, node, request, trial, &plan::Origin::default()).await
}

/// Stores a plan that was agreed to, to be run as a job. Signs and sends nothing.
///
/// # Errors
/// [`DistributionError::NotReady`] while it has findings that keep it from being carried out;
/// [`DistributionError::Exists`] where the same list was stored under the same label before; the store's.
pub async fn create(custody: &Custody, plan: &DistributionPlan) -> Result<JobId, DistributionError> {
    if !plan.is_ready() {
        return Err(DistributionError::NotReady(
            [plan.refused(), plan.asked()].concat(),
        ));
    }
    store(custody, plan.job.clone(), Vec::new()).await
}

/// Plans what an edited list pays beyond what a distribution has paid already. Stores, signs and sends nothing.
///
/// # Errors
/// [`DistributionError::UnderWay`] while transactions of the distribution may still land;
/// [`DistributionError::EditedInto`] where it was edited before; others.
pub async fn prepare_edit(
    custody: &Custody,
    node: &SolanaNode,
    of: JobId,
    request: &DistributionRequest,
    trial: Trial,
) -> Result<EditPlan, DistributionError> {
    edit::prepare(custody, node, of, request, trial).await
}

/// Cancels the distribution that was edited, for good, and stores the difference in its place; none where nothing is left.
///
/// # Errors
/// [`DistributionError::Moved`] where something was paid since the edit was planned; others. After an error the distribution
/// may be cancelled already: plan the edit again.
pub async fn apply_edit(custody: &Custody, edit: &EditPlan) -> Result<Option<JobId>, DistributionError> {
    edit::apply(custody, edit).await
}

/// Holds a distribution against the chain.
///
/// # Errors
/// [`DistributionError`].
pub async fn report(
    custody: &Custody,
    node: &SolanaNode,
    job: JobId,
) -> Result<DistributionReport, DistributionError> {
    report::report(custody, node, job).await
}

/// Stores a lost distribution again, with what the chain says it has paid. Signs and sends nothing.
///
/// # Errors
/// [`DistributionError`]. Nothing is stored where payments on chain and the list do not fit.
pub async fn rebuild(
    custody: &Custody,
    node: &SolanaNode,
    request: &DistributionRequest,
    options: RebuildOptions,
    progress: &watch::Sender<RebuildProgress>,
) -> Result<Rebuilt, DistributionError> {
    rebuild::rebuild(custody, node, request, options, progress).await
}

async fn store(custody: &Custody, job: NewJob, adopted: Vec<Adopted>) -> Result<JobId, DistributionError> {
    let id = job.id;
    match custody.job(id).await {
        Ok(_) => return Err(DistributionError::Exists(id)),
        Err(CustodyError::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    // Two at once: the store takes the first one, and refuses the other.
    Ok(custody.create_job_with(job, adopted).await?)
}

async fn same_network(node: &SolanaNode, expected: &str) -> Result<(), DistributionError> {
    let found = match node.verify_network().await {
        Err(ChainError::WrongNetwork { found, .. }) => found,
        other => other?,
    };
    match found == expected {
        true => Ok(()),
        false => Err(DistributionError::OtherNetwork {
            expected: expected.to_owned(),
            found,
        }),
    }
}

/// All items of a job.
struct Items(Vec<JobItem>);

impl Items {
    async fn read(custody: &Custody, job: JobId) -> Result<Self, CustodyError> {
        let mut all: Vec<JobItem> = Vec::new();
        loop {
            let cursor = ItemCursor {
                after: all.last().map(|item| item.new.number),
            };
            let page = custody
                .job_items(job, ItemFilter::All, cursor, MAX_JOB_PAGE)
                .await?;
            let full = page.len() == MAX_JOB_PAGE as usize;
            all.extend(page);
            if !full {
                return Ok(Self(all));
            }
        }
    }
}
