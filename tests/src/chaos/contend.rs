//! Several processes on one vault, each doing what only one may do at a time: taking indices, signing under a rate and
//! under windows of spending, asking for one and the same intent, giving owners their few places, switching primary wallets.
//!
//! [`run`] starts them, moves their clock on with each operation that they tell of, and then holds the database and the
//! audit log against what each was told (`check`). The processes are [`worker`]s.

mod check;
pub mod log;
mod replay;
pub mod worker;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use keyward_core::policy::WindowLimit;
use keyward_custody::SettingKey;

use super::clock::FileClock;
use super::place::Place;
use super::process::{Process, Said};
use super::scene::{self, START_MS};
pub use check::Findings;
use worker::{Task, Telling};

/// Wallets that sign.
pub const HOT_WALLETS: u32 = 4;

/// Wallets that go from owner to owner.
pub const POOL: u32 = 16;

/// Owners, who have room for fewer wallets than there are.
pub const OWNERS: u64 = 4;

/// How far the clock moves on with each operation: 400 of them fall into a minute.
const STEP_MS: u64 = 150;

/// How often each of them may sign within a minute: a quarter of what is asked of it.
const SIGNATURES_PER_MINUTE: u64 = 20;

/// A minute has room for what the rate limits let through, two minutes for less than two such minutes: so the rates are
/// reached in the first minute, and the second window in the next.
const WINDOWS: [WindowLimit; 2] = [scene::window(60_000, 45_000), scene::window(120_000, 55_000)];

/// The most lamports of one payment.
pub(super) const MAX_LAMPORTS: u64 = 1_000;

/// How long all processes may say nothing.
const SILENCE: Duration = Duration::from_secs(180);

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The program whose role `contender` is [`worker::run`].
    pub program: PathBuf,
    /// How many processes.
    pub processes: usize,
    /// How many operations each of them has under way at once.
    pub tasks: u32,
    /// How many operations in all.
    pub operations: u64,
    /// What their choices come from.
    pub seed: u64,
}

/// What it came to.
#[derive(Debug)]
pub struct Outcome {
    /// What was done, refused and retried, by name.
    pub findings: Findings,
    /// From the word to begin until the last process was done.
    pub took: Duration,
}

/// Runs all of it in an empty place.
///
/// # Errors
/// When a process fails, or anything is not as it must be: every violation is named.
pub async fn run(place: &Place, plan: &Plan) -> anyhow::Result<Outcome> {
    let clock_file = place.folder().join("clock");
    let clock = Arc::new(FileClock::create(&clock_file, START_MS)?);
    let custody = scene::vault(
        place,
        scene::options(clock.clone(), "driver"),
        &WINDOWS,
        HOT_WALLETS + POOL,
    )
    .await?;
    custody
        .change_settings(
            &[(SettingKey::SignaturesPerMinute, SIGNATURES_PER_MINUTE)],
            &scene::password(),
            None,
        )
        .await?;
    for number in 0..OWNERS {
        custody.create_owner(&owner(number)).await?;
    }
    let mut hot = scene::wallets(&custody, HOT_WALLETS + POOL).await?;
    let pool = hot.split_off(HOT_WALLETS as usize); // four
    let before = scene::intact(&custody).await?;
    let share = plan.operations.div_ceil(plan.processes as u64);
    let logs: Vec<PathBuf> = (0..plan.processes)
        .map(|number| place.folder().join(format!("log-{number}")))
        .collect();
    let tasks = logs.iter().enumerate().map(|(number, log)| Task {
        address: place.address(),
        clock: clock_file.clone(),
        log: log.clone(),
        number: number as u64,
        seed: plan.seed,
        tasks: plan.tasks,
        operations: share,
        hot: hot.iter().map(ToString::to_string).collect(),
        pool: pool.iter().map(ToString::to_string).collect(),
    });
    let took = {
        let (tasks, clock): (Vec<Task>, _) = (tasks.collect(), clock.clone());
        let program = plan.program.clone();
        // Off the async threads: it waits for pipes.
        tokio::task::spawn_blocking(move || drive(&program, &tasks, &clock)).await??
    };
    let judge = check::Judge {
        place,
        custody: &custody,
        windows: &WINDOWS,
        first_entry: before,
        first_index: HOT_WALLETS + POOL,
    };
    let findings = judge.judge(&logs).await?;
    custody.close().await?;
    Ok(Outcome { findings, took })
}

/// The name of the owner with a number.
pub(super) fn owner(number: u64) -> String {
    format!("desk {number}")
}

/// Starts the processes, lets them go at once, and moves the clock on until the last is done.
fn drive(program: &Path, tasks: &[Task], clock: &FileClock) -> anyhow::Result<Duration> {
    let (said, hear) = sync_channel(4_096);
    let mut processes = Vec::with_capacity(tasks.len());
    for (number, task) in tasks.iter().enumerate() {
        processes.push(Process::start(program, "contender", number, task, said.clone())?);
        // One after the other: more unlocking at once than wrong passwords are allowed look like somebody who guesses.
        let (_, answer) = next(&hear)?;
        ensure!(
            matches!(answer, Said::Line(Telling::Ready)),
            "process {number} is not ready: {answer:?}"
        );
    }
    drop(said);
    let started = Instant::now();
    for process in &mut processes {
        process.tell("go")?;
    }
    let (mut now_ms, mut gone) = (START_MS, 0);
    while gone < tasks.len() {
        match next(&hear)? {
            (_, Said::Line(Telling::Step)) => {
                now_ms += STEP_MS;
                clock.set(now_ms)?;
            }
            (_, Said::Gone) => gone += 1,
            (number, other) => bail!("process {number} said {other:?}"),
        }
    }
    let took = started.elapsed();
    for process in processes {
        process.wait()?;
    }
    Ok(took)
}

fn next(hear: &Receiver<(usize, Said<Telling>)>) -> anyhow::Result<(usize, Said<Telling>)> {
    match hear.recv_timeout(SILENCE) {
        Ok(said) => Ok(said),
        Err(RecvTimeoutError::Timeout) => {
            bail!("no process said anything for {SILENCE:?}: they hold each other up")
        }
        Err(RecvTimeoutError::Disconnected) => None.context("every process is gone"),
    }
}
