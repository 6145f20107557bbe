//! Work on stored jobs that pay, collect or close in bulk: looking at them, running them, steering them.

use std::fmt;

use keyward_custody::jobs::{
    ItemCursor, ItemFilter, Job, JobError, JobId, JobItem, JobOutcome, JobProgress, JobQuery,
};
use keyward_custody::{Wallet, WalletPasswords};
use tokio::sync::watch;

use self::report::ReportPage;
use super::{Reporter, Services};
use crate::console::effect::{Failure, Progress};

pub mod report;

/// What is done to a job as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steer {
    /// Sign nothing new; follow what was sent.
    Pause,
    /// Go on.
    Resume,
    /// Give up what was not signed.
    Cancel,
    /// Try what failed again.
    Retry,
}

/// What to do.
pub enum BulkWork {
    /// Read a page of jobs.
    Jobs(JobQuery),
    /// Read one job and a page of its items.
    Job {
        /// Which.
        id: JobId,
        /// Which items.
        filter: ItemFilter,
        /// After which item.
        cursor: ItemCursor,
        /// How many.
        limit: u32,
    },
    /// Hold it against the chain.
    Report(JobId),
    /// Run it until every item has its end, or nothing more can be done now. Without passwords only if nobody who still signs
    /// has one of his own.
    Run(JobId, Option<WalletPasswords>),
    /// Steer it.
    Steer {
        /// Which.
        id: JobId,
        /// How.
        steer: Steer,
    },
}

impl fmt::Debug for BulkWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jobs(_) => "BulkWork::Jobs",
            Self::Job { .. } => "BulkWork::Job",
            Self::Report(_) => "BulkWork::Report",
            Self::Run(..) => "BulkWork::Run",
            Self::Steer { .. } => "BulkWork::Steer",
        })
    }
}

/// A job with a page of its items.
#[derive(Debug)]
pub struct JobPage {
    /// The job.
    pub job: Job,
    /// The items that the filter lets through, from the cursor on.
    pub items: Vec<JobItem>,
}

/// What came of it.
#[derive(Debug)]
pub enum BulkAnswer {
    /// A page of jobs.
    Jobs(Result<Vec<Job>, Failure>),
    /// One job.
    Job(Result<Box<JobPage>, Failure>),
    /// A job held against the chain.
    Reported(Result<Box<ReportPage>, Failure>),
    /// It was not run: these wallets sign, each with a password of its own.
    Locked(Vec<Wallet>),
    /// How a run ended.
    Ran(Result<JobOutcome, Failure>),
    /// It was steered.
    Steered(Result<Steer, Failure>),
}

impl From<JobError> for Failure {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Chain(error) => error.into(),
            JobError::Custody(error) => error.into(),
            other => {
                let remedy = other.remedy();
                Self::new(other.to_string(), remedy)
            }
        }
    }
}

pub(super) async fn perform(services: &Services, work: BulkWork, reporter: &Reporter) -> BulkAnswer {
    match work {
        BulkWork::Jobs(query) => {
            BulkAnswer::Jobs(async { Ok(services.custody()?.jobs(&query).await?) }.await)
        }
        BulkWork::Job {
            id,
            filter,
            cursor,
            limit,
        } => BulkAnswer::Job(one(services, id, filter, cursor, limit).await),
        BulkWork::Report(id) => BulkAnswer::Reported(report::read(services, id).await),
        BulkWork::Run(id, Some(passwords)) => BulkAnswer::Ran(run(services, id, passwords, reporter).await),
        BulkWork::Run(id, None) => match locked(services, id).await {
            Ok(wallets) if wallets.is_empty() => {
                BulkAnswer::Ran(run(services, id, WalletPasswords::none(), reporter).await)
            }
            Ok(wallets) => BulkAnswer::Locked(wallets),
            Err(failure) => BulkAnswer::Ran(Err(failure)),
        },
        BulkWork::Steer { id, steer } => BulkAnswer::Steered(steered(services, id, steer).await),
    }
}

async fn one(
    services: &Services,
    id: JobId,
    filter: ItemFilter,
    cursor: ItemCursor,
    limit: u32,
) -> Result<Box<JobPage>, Failure> {
    let custody = services.custody()?;
    let job = custody.job(id).await?;
    let items = custody.job_items(id, filter, cursor, limit).await?;
    Ok(Box::new(JobPage { job, items }))
}

async fn locked(services: &Services, id: JobId) -> Result<Vec<Wallet>, Failure> {
    let custody = services.custody()?;
    let signers = custody.job_signers(id).await?;
    Ok(custody.with_own_passwords(&signers.left).await?)
}

async fn run(
    services: &Services,
    id: JobId,
    passwords: WalletPasswords,
    reporter: &Reporter,
) -> Result<JobOutcome, Failure> {
    let (custody, node) = (services.custody()?, services.node()?);
    let progress = watch::Sender::new(JobProgress::default());
    let states = progress.subscribe();
    let running = custody.run_job(&node, id, passwords, &progress);
    Ok(reporter.follow(states, Progress::Bulk, running).await?)
}

async fn steered(services: &Services, id: JobId, steer: Steer) -> Result<Steer, Failure> {
    let custody = services.custody()?;
    match steer {
        Steer::Pause => custody.pause_job(id, "paused by hand").await?,
        Steer::Resume => custody.resume_job(id).await?,
        Steer::Cancel => custody.cancel_job(id).await.map(|_| ())?,
        Steer::Retry => custody.retry_job(id).await.map(|_| ())?,
    }
    Ok(steer)
}
