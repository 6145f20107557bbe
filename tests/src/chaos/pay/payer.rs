//! The process that pays: opens the vault, runs the job, says how that ended.

use std::sync::Arc;

use keyward_custody::chain::{NodeConfig, SolanaNode};
use keyward_custody::jobs::machine::Pace;
use keyward_custody::jobs::{JobId, JobOutcome, JobProgress};
use keyward_custody::{Custody, StoreLocation, SystemClock, WalletPasswords};
use serde::{Deserialize, Serialize};

use crate::chaos::{process, scene};

/// What it is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    /// Where the vault is.
    pub address: String,
    /// The node, or the road to it.
    pub rpc_url: String,
    /// The job's id.
    pub job: String,
}

/// What it says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Telling {
    /// The vault is open, and the job begins.
    Paying,
    /// The run came to this end.
    Ended(String),
    /// It could not.
    Failed(String),
}

/// Quick, since the node's slots are short.
const PACE: Pace = Pace {
    poll_ms: 200,
    resend_ms: 600,
    tip_ms: 400,
    check_ms: 1_000,
    again_ms: 200,
    patience_ms: 30_000,
    stall_ms: 120_000,
    parallel: 4,
    in_flight: 12,
    followed: 64,
    failures: 20,
};

/// The role.
///
/// # Errors
/// When nobody listens.
pub async fn run() -> anyhow::Result<()> {
    let task: Task = process::task()?;
    process::wait_for_go()?;
    match pay(&task).await {
        Ok(outcome) => process::say(&Telling::Ended(outcome)),
        Err(error) => process::say(&Telling::Failed(format!("{error:#}"))),
    }
}

async fn pay(task: &Task) -> anyhow::Result<String> {
    let options = scene::options(Arc::new(SystemClock), "payer");
    let custody = Custody::open(&StoreLocation::parse(&task.address)?, options).await?;
    custody.unlock(&scene::password(), None).await?;
    let node = SolanaNode::connect(&NodeConfig {
        timeout_ms: 5_000,
        ..NodeConfig::new(&task.rpc_url)
    })?;
    let job: JobId = task.job.parse()?;
    process::say(&Telling::Paying)?;
    let progress = tokio::sync::watch::Sender::new(JobProgress::default());
    let run = custody.run_job_at(&node, job, WalletPasswords::none(), &progress, PACE);
    let outcome = match run.await {
        Ok(JobOutcome::Done) => "done".to_owned(),
        Ok(other) => format!("{other:?}"),
        // The road to the node may be lost before anything has begun.
        Err(keyward_custody::jobs::JobError::Chain(error)) => format!("not begun: {error}"),
        Err(other) => return Err(other.into()),
    };
    custody.close().await?;
    Ok(outcome)
}
