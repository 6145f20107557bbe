//! A process that pays many from one wallet on a real node, killed with signal 9 at random moments and started again until
//! everybody is paid; sometimes two of them at once, and over a road to the node that loses, repeats, delays and lies.
//!
//! What is held against the chain when a job is done: every recipient, whom nobody else pays, has exactly its amount; the
//! transactions that carry the job's reference are those that the vault recorded as landed; and the vault's log verifies.

pub mod payer;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use keyward_core::address::{Address, Signature};
use keyward_core::amount::Lamports;
use keyward_custody::chain::SolanaNode;
use keyward_custody::jobs::{
    BatchState, ItemAction, JobFormat, JobId, JobKind, NewItem, NewJob, reference::reference,
};
use keyward_custody::{Custody, SettingKey, SystemClock};

use super::place::Place;
use super::process::{Process, Said};
use super::random::Random;
use super::rpc::{BadRoad, Mischief};
use super::scene;
use crate::node::TestNode;
use payer::{Task, Telling};

/// How long a process may say nothing, and how long a job may take in all.
const SILENCE: Duration = Duration::from_secs(180);
/// The longest life before a kill, in milliseconds from when the process has begun to pay.
const LONGEST_LIFE_MS: u64 = 1_500;
/// What each recipient gets at least: enough for an account, by far.
const LEAST_LAMPORTS: u64 = 2_000_000;
const PAGE: usize = 1_000;

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The program whose role `payer` is [`payer::run`].
    pub program: PathBuf,
    /// Kills in all; the job that is under way then is brought to its end.
    pub kills: u32,
    /// Recipients of one job.
    pub recipients: u32,
    /// Recipients of one transaction.
    pub together: usize,
    /// Whether the road to the node is a bad one.
    pub bad_road: bool,
    /// What each moment comes from.
    pub seed: u64,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Processes that were killed while they paid.
    pub kills: u64,
    /// Of those, how many were one of two at once.
    pub kills_of_two: u64,
    /// Processes that came to the end of their job.
    pub ends: u64,
    /// Jobs that were brought to their end.
    pub jobs: u64,
    /// Recipients that were paid, each exactly once.
    pub paid: u64,
    /// Transactions that landed.
    pub landed: u64,
    /// Transactions that were recorded and proven to have expired.
    pub expired: u64,
    /// What was done to questions on the way to the node.
    pub mischief: Mischief,
}

impl Findings {
    /// Adds another run's.
    pub fn add(&mut self, other: Self) {
        self.kills += other.kills;
        self.kills_of_two += other.kills_of_two;
        self.ends += other.ends;
        self.jobs += other.jobs;
        self.paid += other.paid;
        self.landed += other.landed;
        self.expired += other.expired;
        for (what, count) in other.mischief {
            *self.mischief.entry(what).or_default() += count;
        }
    }

    /// For people.
    #[must_use]
    pub fn table(&self) -> Vec<(&'static str, u64)> {
        let mut table = vec![
            ("processes killed while they paid", self.kills),
            ("of those, one of two at once", self.kills_of_two),
            ("processes that came to an end by themselves", self.ends),
            ("jobs done", self.jobs),
            ("recipients paid, each exactly once", self.paid),
            ("transactions landed", self.landed),
            ("transactions recorded and proven expired", self.expired),
        ];
        let mischief = self.mischief.iter();
        table.extend(mischief.map(|(what, count)| (*what, *count)));
        table
    }
}

struct Scene<'a> {
    place: &'a Place,
    node: &'a TestNode,
    client: SolanaNode,
    plan: &'a Plan,
    random: Random,
    road: Option<BadRoad>,
    findings: Findings,
}

/// Kills so many processes that pay from a new vault at a place.
///
/// # Errors
/// When anything is not as it must be; the seed is named.
pub async fn run(place: &Place, node: &TestNode, plan: &Plan) -> anyhow::Result<Findings> {
    let road = match plan.bad_road {
        true => Some(BadRoad::start(&node.rpc_url, plan.seed).await?),
        false => None,
    };
    let mut scene = Scene {
        place,
        node,
        client: node.client()?,
        plan,
        random: Random::new(plan.seed),
        road,
        findings: Findings::default(),
    };
    let from = scene.begin().await?;
    while scene.findings.kills < u64::from(plan.kills) {
        let job = scene.new_job(from).await?;
        let done = scene.pay(job.id).await;
        let (jobs, seed) = (scene.findings.jobs, plan.seed);
        done.with_context(|| format!("job {jobs}, {} kills, seed {seed}", scene.findings.kills))?;
        let checked = scene.check(&job).await;
        checked.with_context(|| format!("job {jobs} is done, seed {seed}"))?;
    }
    if let Some(road) = &scene.road {
        scene.findings.mischief = road.mischief();
    }
    Ok(scene.findings)
}

impl Scene<'_> {
    async fn open(&self) -> anyhow::Result<Custody> {
        let options = scene::options(Arc::new(SystemClock), "driver");
        let custody = Custody::open(&self.place.location()?, options).await?;
        custody.unlock(&scene::password(), None).await?;
        Ok(custody)
    }

    /// A vault with a wallet that has enough for all.
    async fn begin(&self) -> anyhow::Result<Address> {
        let options = scene::options(Arc::new(SystemClock), "driver");
        let custody = scene::vault(self.place, options, &[], 1).await?;
        custody
            .change_settings(
                &[(SettingKey::SignaturesPerMinute, 1_000_000)],
                &scene::password(),
                None,
            )
            .await?;
        let wallets = scene::wallets(&custody, 1).await?;
        let from = *wallets.first().context("no wallet")?;
        custody.close().await?;
        self.node.fund(&from, Lamports::new(500_000_000_000)).await?;
        Ok(from)
    }

    /// A job that pays so many whom nobody has paid before.
    async fn new_job(&mut self, from: Address) -> anyhow::Result<NewJob> {
        let custody = self.open().await?;
        let numbers: Vec<u32> = (0..self.plan.recipients).collect();
        let mut items = Vec::new();
        for number in &numbers {
            let secret = keyward_core::ed25519::SecretKey::from_seed(&scene::bytes(&mut self.random));
            items.push(NewItem {
                number: *number,
                source: from,
                recipient: secret.address(),
                amount: LEAST_LAMPORTS + u64::from(*number),
                action: ItemAction::PaySol,
                memo: None,
            });
        }
        let job = NewJob {
            id: JobId::random()?,
            kind: JobKind::Distribution,
            label: "chaos".to_owned(),
            network: self.client.network().await?,
            fee_payer: from,
            format: JobFormat::Legacy,
            fee: keyward_custody::fees::FeePolicy::None,
            options_json: "{}".to_owned(),
            items,
            groups: numbers.chunks(self.plan.together).map(<[u32]>::to_vec).collect(),
        };
        custody.create_job(job.clone()).await?;
        custody.close().await?;
        Ok(job)
    }

    /// Starts and kills processes until the job is done.
    async fn pay(&mut self, job: JobId) -> anyhow::Result<()> {
        let deadline = Instant::now() + SILENCE * 4;
        loop {
            ensure!(Instant::now() < deadline, "the job does not come to its end");
            let kills = self.findings.kills < u64::from(self.plan.kills);
            let count = if kills && self.random.below(6) == 0 { 2 } else { 1 };
            let moment = kills.then(|| Duration::from_millis(self.random.below(LONGEST_LIFE_MS)));
            let task = Task {
                address: self.place.address(),
                rpc_url: self
                    .road
                    .as_ref()
                    .map_or(&self.node.rpc_url, |road| &road.url)
                    .clone(),
                job: job.to_string(),
            };
            let program = self.plan.program.clone();
            let ends =
                tokio::task::spawn_blocking(move || pay_and_die(&program, &task, count, moment)).await??;
            for end in ends {
                match end {
                    End::Killed => {
                        self.findings.kills += 1;
                        self.findings.kills_of_two += u64::from(count == 2);
                    }
                    End::Ended(outcome) => {
                        self.findings.ends += 1;
                        if outcome == "done" {
                            return Ok(());
                        }
                    }
                }
            }
        }
    }

    /// Holds a job that is done against the chain and the vault.
    async fn check(&mut self, job: &NewJob) -> anyhow::Result<()> {
        let custody = self.open().await?;
        let counts = custody.job(job.id).await?.counts;
        ensure!(counts.done == counts.total && counts.settling == 0, "{counts:?}");
        let recipients: Vec<Address> = job.items.iter().map(|item| item.recipient).collect();
        let balances = self.client.balances(&recipients).await?;
        for (item, balance) in job.items.iter().zip(balances.values) {
            let balance = balance.context("a balance is unknown")?.get();
            ensure!(
                balance == item.amount,
                "item {} is to have {} and has {balance}",
                item.number,
                item.amount
            );
        }
        let on_chain = self.on_chain(job.id).await?;
        let (mut landed, mut after) = (BTreeSet::new(), 0);
        loop {
            let page = custody.job_batches(job.id, after, 1_000).await?;
            let Some(last) = page.last() else { break };
            after = last.number;
            for batch in page {
                match batch.state {
                    BatchState::Finalized => drop(landed.insert(batch.signature.to_string())),
                    BatchState::Expired => self.findings.expired += 1,
                    other => bail!("transaction {} is {other:?}", batch.number),
                }
            }
        }
        ensure!(
            landed == on_chain,
            "recorded as landed: {landed:?}, on chain: {on_chain:?}"
        );
        scene::intact(&custody).await?;
        custody.close().await?;
        self.findings.jobs += 1;
        self.findings.paid += counts.done;
        self.findings.landed += landed.len() as u64;
        Ok(())
    }

    /// The job's transactions by its reference, as the chain lists them.
    async fn on_chain(&self, job: JobId) -> anyhow::Result<BTreeSet<String>> {
        let address = reference(job);
        let mut found = BTreeSet::new();
        let mut before: Option<Signature> = None;
        loop {
            let page = self.client.history(&address, PAGE, before.as_ref()).await?;
            // The test node lists what it only simulated, unsigned, when it is asked twice for the same at once.
            let signed = page.iter().filter(|item| !item.signature.is_default());
            found.extend(signed.map(|item| item.signature.to_string()));
            match page.last() {
                Some(last) if page.len() == PAGE => before = Some(last.signature),
                _ => return Ok(found),
            }
        }
    }
}

enum End {
    Killed,
    Ended(String),
}

/// Starts processes on one job and kills them after their moment, or lets them come to their end.
fn pay_and_die(
    program: &std::path::Path,
    task: &Task,
    count: usize,
    moment: Option<Duration>,
) -> anyhow::Result<Vec<End>> {
    let (said, hear) = sync_channel(4_096);
    let mut processes: BTreeMap<usize, Process> = BTreeMap::new();
    for number in 0..count {
        let mut process = Process::start(program, "payer", number, task, said.clone())?;
        process.tell("go")?;
        processes.insert(number, process);
    }
    drop(said);
    let mut ends = Vec::new();
    let mut begun = 0;
    let mut until = Instant::now() + SILENCE;
    while !processes.is_empty() {
        match hear.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok((_, Said::Line(Telling::Paying))) => {
                begun += 1;
                if begun == count
                    && let Some(moment) = moment
                {
                    until = Instant::now() + moment;
                }
            }
            Ok((number, Said::Line(Telling::Ended(outcome)))) => {
                if let Some(process) = processes.remove(&number) {
                    process.wait()?;
                }
                ends.push(End::Ended(outcome));
                // The other one of two is killed, whatever it does.
                until = Instant::now();
            }
            Ok((_, Said::Line(Telling::Failed(error)))) => bail!("it failed: {error}"),
            Ok((_, Said::Unreadable(line))) => bail!("it said {line:?}"),
            Ok((number, Said::Gone)) => {
                ensure!(!processes.contains_key(&number), "a process ended by itself")
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                ensure!(
                    moment.is_some() || !ends.is_empty(),
                    "it does not come to its end"
                );
                ensure!(begun == count || !ends.is_empty(), "it does not begin");
                for (_, process) in std::mem::take(&mut processes) {
                    if process.kill()? {
                        ends.push(End::Killed);
                    }
                }
            }
        }
    }
    Ok(ends)
}
