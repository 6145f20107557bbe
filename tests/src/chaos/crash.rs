//! A process that does one kind of work, killed with signal 9 at a random moment, again and again; after each kill the
//! vault is opened and held against what the process said it had done.
//!
//! What it said was done must be there, once. What it had begun may be there, whole, or not at all. [`model`] says what
//! that means for each kind of work; the processes are [`worker`]s.

pub mod model;
pub mod worker;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use keyward_custody::{Custody, SettingKey, SystemClock};

use super::place::Place;
use super::process::{Process, Said};
use super::random::Random;
use super::scene;
use model::Model;
use worker::{Kind, Task, Telling};

/// Wallets of a scene before its first kill.
const WALLETS: u32 = 12;

/// How long a process may say nothing.
const SILENCE: Duration = Duration::from_secs(120);

/// The most operations that a process comes to the end of before its moment comes.
const MOST_DONE: u64 = 4;

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The program whose role `worker` is [`worker::run`].
    pub program: PathBuf,
    /// Kills of this scene.
    pub kills: u32,
    /// What each moment comes from.
    pub seed: u64,
}

/// How often what was found, by name.
pub type Findings = BTreeMap<&'static str, u64>;

/// Adds up.
pub fn count(findings: &mut Findings, what: &'static str, times: u64) {
    *findings.entry(what).or_default() += times;
}

/// Makes a vault and kills so many processes that work on it.
///
/// # Errors
/// When anything is not as it must be; the seed is named.
pub async fn run(place: &Place, kind: Kind, plan: &Plan) -> anyhow::Result<Findings> {
    let mut findings = Findings::new();
    let seed = plan.seed;
    let mut random = Random::new(seed);
    let mut model = begin(place, kind).await?;
    // How long one operation takes, as far as is known.
    let mut typical = Duration::from_millis(20);
    for round in 0..plan.kills {
        let task = Task {
            address: place.address(),
            kind,
            password: model.password(),
            next: model.next(),
            hot: model.hot(),
        };
        let told = {
            let program = plan.program.clone();
            let done = random.below(MOST_DONE);
            // Somewhere in the next operation, or in the one after it.
            let moment = typical.mul_f64(random.below(1_500) as f64 / 1_000.0); // below 1.5
            tokio::task::spawn_blocking(move || work_and_die(&program, &task, done, moment)).await??
        };
        typical = (typical * 3 + told.each) / 4;
        count(&mut findings, "kills", 1);
        count(
            &mut findings,
            "operations told to be done",
            told.done.len() as u64,
        );
        let checked = check(place, &mut model, told, &mut findings).await;
        checked
            .with_context(|| format!("{kind:?} on {}, kill {round}, seed {seed}", place.store().name()))?;
    }
    Ok(findings)
}

async fn begin(place: &Place, kind: Kind) -> anyhow::Result<Model> {
    let options = scene::options(Arc::new(SystemClock), "driver");
    let custody = scene::vault(place, options, &[], WALLETS).await?;
    custody
        .change_settings(
            &[(SettingKey::SignaturesPerMinute, 1_000_000)],
            &scene::password(),
            None,
        )
        .await?;
    let model = Model::begin(kind, &custody, WALLETS).await?;
    custody.close().await?;
    Ok(model)
}

/// What a process said before it was killed.
#[derive(Debug, Default)]
pub struct Told {
    /// What was done, in its order.
    pub done: Vec<worker::Work>,
    /// What was begun after that.
    pub begun: Option<worker::Work>,
    /// How long one operation took.
    each: Duration,
}

fn work_and_die(program: &Path, task: &Task, done: u64, moment: Duration) -> anyhow::Result<Told> {
    let (said, hear) = sync_channel(4_096);
    let mut process = Process::start(program, "worker", 0, task, said)?;
    match hear.recv_timeout(SILENCE) {
        Ok((_, Said::Line(Telling::Ready))) => {}
        other => bail!("it is not ready: {other:?}"),
    }
    process.tell("go")?;
    let mut told = Told::default();
    let started = Instant::now();
    while (told.done.len() as u64) < done {
        let said = hear.recv_timeout(SILENCE).context("it says nothing")?;
        hear_one(said.1, &mut told)?;
    }
    told.each = started.elapsed() / u32::try_from(told.done.len().max(1))?;
    if told.done.is_empty() {
        told.each = moment;
    }
    wait(&hear, moment, &mut told)?;
    ensure!(process.kill()?, "it had ended before it was killed");
    // What it said before it was killed is in the pipe still.
    loop {
        match hear.recv_timeout(SILENCE).context("its pipe does not close")? {
            (_, Said::Gone) => return Ok(told),
            (_, said) => hear_one(said, &mut told)?,
        }
    }
}

/// Lets a random time pass, and listens.
fn wait(hear: &Receiver<(usize, Said<Telling>)>, moment: Duration, told: &mut Told) -> anyhow::Result<()> {
    let end = Instant::now() + moment;
    loop {
        match hear.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok((_, said)) => hear_one(said, told)?,
            Err(RecvTimeoutError::Timeout) => return Ok(()),
            Err(RecvTimeoutError::Disconnected) => bail!("nobody speaks any more"),
        }
    }
}

fn hear_one(said: Said<Telling>, told: &mut Told) -> anyhow::Result<()> {
    match said {
        Said::Line(Telling::Begun(work)) => {
            ensure!(told.begun.is_none(), "two operations at once");
            told.begun = Some(work);
        }
        Said::Line(Telling::Done(work)) => {
            told.begun = None;
            told.done.push(work);
        }
        Said::Line(Telling::Failed(error)) => bail!("it failed: {error}"),
        // Killed within a line; what it was about to say is not said.
        Said::Unreadable(line) => ensure!(!line.ends_with('}'), "it said {line:?}"),
        Said::Line(Telling::Ready) | Said::Gone => bail!("it ended or began anew by itself"),
    }
    Ok(())
}

/// Opens the vault again, and looks.
async fn check(place: &Place, model: &mut Model, told: Told, findings: &mut Findings) -> anyhow::Result<()> {
    let options = scene::options(Arc::new(SystemClock), "looker");
    let custody = Custody::open(&place.location()?, options)
        .await
        .context("opening it again")?;
    model
        .unlock(&custody, &told)
        .await
        .context("unlocking it again")?;
    model.check(place, &custody, told, findings).await?;
    scene::intact(&custody).await?;
    custody.close().await?;
    Ok(())
}
