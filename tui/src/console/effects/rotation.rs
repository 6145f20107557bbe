//! Work on keys that are replaced by schedule or on demand.

use std::fmt;

use keyward_core::account::AccountAddress;
use keyward_custody::keyrotation::MAX_DUE;
use keyward_custody::{DuePage, DueQuery, KeyRotation, Password, Progress, Schedule, Wallet};
use zeroize::Zeroizing;

use super::wallets::CancelOnDrop;
use super::{Reporter, Services};
use crate::console::effect::Failure;
use crate::console::text::count;

/// How many due wallets are listed.
pub const LISTED: u32 = 500;

/// What to do.
pub enum RotationWork {
    /// List what is due within so many milliseconds.
    Due {
        /// How far ahead.
        within_ms: u64,
    },
    /// Every key that a wallet has had.
    Chain(AccountAddress),
    /// Give a wallet a new key.
    Rotate {
        /// Which.
        address: AccountAddress,
        /// Its own password, if it has one.
        password: Option<Zeroizing<String>>,
    },
    /// Change when a wallet's key is rotated.
    Schedule {
        /// Which.
        address: AccountAddress,
        /// When.
        schedule: Schedule,
    },
    /// Rotate everything that is due, and retire what is past its grace period.
    RunDue,
}

impl fmt::Debug for RotationWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A wallet's own password may be in it.
        f.write_str("RotationWork(<redacted>)")
    }
}

/// What came of it.
#[derive(Debug)]
pub enum RotationAnswer {
    /// What is due.
    Due(Result<DueList, Failure>),
    /// The keys, the newest first.
    Chain(Result<Vec<Wallet>, Failure>),
    /// The new key.
    Rotated(Result<Box<KeyRotation>, Failure>),
    /// When it is rotated next; never if none.
    Scheduled(Result<Option<u64>, Failure>),
    /// What the run did, in words.
    Ran(Result<String, Failure>),
}

/// What is due.
#[derive(Debug)]
pub struct DueList {
    /// Wallets to be rotated, the longest due first.
    pub page: DuePage,
    /// How many old keys are past their grace period.
    pub retirements: u64,
}

pub(super) async fn perform(services: &Services, work: RotationWork, reporter: &Reporter) -> RotationAnswer {
    match work {
        RotationWork::Due { within_ms } => RotationAnswer::Due(due(services, within_ms).await),
        RotationWork::Chain(address) => {
            RotationAnswer::Chain(async { Ok(services.custody()?.rotation_chain(address).await?) }.await)
        }
        RotationWork::Rotate { address, password } => {
            let password = password.map(|text| Password::new(text.as_str().to_owned()));
            RotationAnswer::Rotated(rotate(services, address, password.as_ref()).await)
        }
        RotationWork::Schedule { address, schedule } => {
            RotationAnswer::Scheduled(set_schedule(services, address, schedule).await)
        }
        RotationWork::RunDue => RotationAnswer::Ran(run_due(services, reporter).await),
    }
}

async fn due(services: &Services, within_ms: u64) -> Result<DueList, Failure> {
    let custody = services.custody()?;
    let query = DueQuery {
        within_ms,
        limit: LISTED,
        ..DueQuery::default()
    };
    Ok(DueList {
        page: custody.due_rotations(query).await?,
        retirements: custody.due_retirements(0).await?.total,
    })
}

async fn rotate(
    services: &Services,
    address: AccountAddress,
    password: Option<&Password>,
) -> Result<Box<KeyRotation>, Failure> {
    Ok(Box::new(
        services.custody()?.rotate_wallet(address, password).await?,
    ))
}

async fn set_schedule(
    services: &Services,
    address: AccountAddress,
    schedule: Schedule,
) -> Result<Option<u64>, Failure> {
    let times = services
        .custody()?
        .schedule_rotation(&[address], schedule)
        .await?;
    Ok(times.first().copied().flatten())
}

async fn run_due(services: &Services, reporter: &Reporter) -> Result<String, Failure> {
    let custody = services.custody()?;
    let progress = Progress::new();
    let _stop = CancelOnDrop(progress.clone());
    let report = reporter
        .count(progress.subscribe(), custody.rotate_due(MAX_DUE, &progress))
        .await?;
    let mut parts = vec![format!(
        "{} rotated",
        count(report.rotated.len() as u64, "wallet", "wallets")
    )];
    if !report.retired.is_empty() {
        parts.push(format!(
            "{} retired",
            count(report.retired.len() as u64, "old key", "old keys")
        ));
    }
    if !report.skipped.is_empty() {
        parts.push(format!(
            "{} left for you, by their own passwords or done elsewhere",
            report.skipped.len()
        ));
    }
    let text = parts.join(", ");
    match report.first_error() {
        None => Ok(text),
        Some(error) => Err(Failure::new(
            format!("{text}; {} failed: {error}", report.failed.len().max(1)),
            error.remedy(),
        )),
    }
}
