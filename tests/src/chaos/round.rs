//! There and back: SOL to many wallets and a token to half of them, all of it collected again to exactly zero with a sponsor,
//! and every empty account closed; held against the chain to the lamport, and timed.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::solana::token::TokenProgram;
use keyward_custody::chain::SolanaNode;
use keyward_custody::distribution::{
    self, Amounts, Asset, DistributionRequest, Division, FeeBearer, FindingCode, Recipient, SplitSeed, Trial,
};
use keyward_custody::fees::FeePolicy;
use keyward_custody::jobs::{JobFormat, JobId, JobOutcome, JobProgress};
use keyward_custody::sweep::{
    CloseRequest, Collect, ConsolidateRequest, Emptied, RentTo, SweepPlan, WrappedSol, left,
};
use keyward_custody::{Custody, Progress, SettingKey, SystemClock, WalletPasswords};
use tokio::sync::watch;

use super::place::Place;
use super::scene;
use crate::mint::{MintOptions, TestMint};
use crate::node::TestNode;

/// What the treasury and the sponsor begin with.
const FUNDS: Lamports = Lamports::new(20_000_000_000);
/// What the treasury has of the token.
const UNITS: u64 = 1_000_000;
/// Balances asked for at a time.
const PAGE: u32 = 1_000;

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Wallets that get SOL.
    pub wallets: u32,
    /// Of those, how many get the token; the account of each is made.
    pub tokens: u32,
    /// The version of the transactions.
    pub format: JobFormat,
    /// What the division comes from.
    pub seed: u64,
}

/// One of its parts.
#[derive(Clone, Debug)]
pub struct Leg {
    /// What was done.
    pub what: &'static str,
    /// Payments, drains or closings.
    pub items: u64,
    /// Transactions that landed.
    pub transactions: u64,
    /// What they cost in fees.
    pub fees: Lamports,
    /// From the plan's first question to the last item's end.
    pub took: Duration,
}

struct Scene<'a> {
    custody: Custody,
    node: SolanaNode,
    plan: &'a Plan,
    treasury: Address,
    sponsor: Address,
    wallets: Vec<Address>,
    mint: TestMint,
    legs: Vec<Leg>,
}

/// Goes there and back with a new vault at a place.
///
/// # Errors
/// When a lamport or a unit is not where it must be.
pub async fn run(place: &Place, node: &TestNode, plan: &Plan) -> anyhow::Result<Vec<Leg>> {
    ensure!(
        plan.tokens <= plan.wallets,
        "no more wallets get the token than get SOL"
    );
    let mut scene = Scene::begin(place, node, plan).await?;
    let before = scene.all_lamports().await?;
    scene.pay_sol().await?;
    scene.pay_token().await?;
    scene.collect().await?;
    scene.close().await?;
    let after = scene.all_lamports().await?;
    let fees: u64 = scene.legs.iter().map(|leg| leg.fees.get()).sum();
    ensure!(
        before == after + fees,
        "{before} lamports were there, {after} are, and {fees} went into fees"
    );
    scene::intact(&scene.custody).await?;
    scene.custody.close().await?;
    Ok(scene.legs)
}

impl<'a> Scene<'a> {
    async fn begin(place: &Place, node: &TestNode, plan: &'a Plan) -> anyhow::Result<Self> {
        let options = scene::options(std::sync::Arc::new(SystemClock), "round");
        let count = plan.wallets + 2;
        let custody = scene::vault(place, options, &[], count).await?;
        let change = [(SettingKey::SignaturesPerMinute, 1_000_000)];
        custody.change_settings(&change, &scene::password(), None).await?;
        let mut wallets = Vec::new();
        while u64::try_from(wallets.len())? < u64::from(count) {
            let query = keyward_custody::WalletQuery {
                sort: keyward_custody::WalletSort::Index,
                offset: u64::try_from(wallets.len())?,
                limit: PAGE,
                ..keyward_custody::WalletQuery::default()
            };
            let rows = custody.wallets(&query).await?.rows;
            ensure!(!rows.is_empty(), "there are too few wallets");
            wallets.extend(rows.iter().filter_map(|wallet| wallet.solana().copied()));
        }
        let (treasury, sponsor) = match wallets.as_slice() {
            [treasury, sponsor, ..] => (*treasury, *sponsor),
            _ => anyhow::bail!("there are too few wallets"),
        };
        node.fund(&treasury, FUNDS).await?;
        node.fund(&sponsor, FUNDS).await?;
        let mut random = super::random::Random::new(plan.seed);
        let options = MintOptions {
            decimals: 6,
            ..MintOptions::default()
        };
        let mint = TestMint::new(node, TokenProgram::Token, options, scene::bytes(&mut random)).await?;
        mint.give(&treasury, UNITS).await?;
        Ok(Self {
            custody,
            node: node.client()?,
            plan,
            treasury,
            sponsor,
            wallets: wallets.into_iter().skip(2).collect(),
            mint,
            legs: Vec::new(),
        })
    }

    fn holders(&self) -> &[Address] {
        let count = self.plan.tokens as usize;
        self.wallets.get(..count).unwrap_or(&self.wallets)
    }

    /// What the vault's wallets and their accounts of the token have together.
    async fn all_lamports(&self) -> anyhow::Result<u64> {
        let mut all = vec![self.treasury, self.sponsor];
        all.extend(&self.wallets);
        let accounts: Vec<Address> = all.iter().map(|wallet| self.mint.account_of(wallet)).collect();
        all.extend(accounts);
        let mut sum = 0_u64;
        for balance in self.lamports(&all).await? {
            sum = sum.checked_add(balance).context("more SOL than there is")?;
        }
        Ok(sum)
    }

    async fn lamports(&self, of: &[Address]) -> anyhow::Result<Vec<u64>> {
        let balances = self.node.balances(of).await?;
        balances
            .values
            .into_iter()
            .map(|balance| Ok(balance.context("a balance is unknown")?.get()))
            .collect()
    }

    /// What the accounts of the token hold; 0 where there is none.
    async fn units(&self, of: &[Address]) -> anyhow::Result<Vec<u64>> {
        let mut units = Vec::new();
        for wallets in of.chunks(100) {
            let accounts: Vec<Address> = wallets
                .iter()
                .map(|wallet| self.mint.account_of(wallet))
                .collect();
            let (_, found) = self.node.token_accounts(&accounts).await?;
            units.extend(
                found
                    .into_iter()
                    .map(|held| held.map_or(0, |held| held.account.amount)),
            );
        }
        Ok(units)
    }

    fn request(&self, label: &str, asset: Asset, to: &[Address], amounts: Amounts) -> DistributionRequest {
        let recipient = |address: &Address| Recipient {
            address: *address,
            name: String::new(),
            line: None,
            memo: None,
        };
        DistributionRequest {
            label: label.to_owned(),
            sources: vec![self.treasury],
            fee_payer: self.treasury,
            asset,
            recipients: to.iter().map(recipient).collect(),
            amounts,
            transfer_fee: FeeBearer::Recipient,
            format: self.plan.format,
            fee: FeePolicy::None,
            // Of a thousand addresses one or another looks like one of the others.
            accepted: vec![FindingCode::Lookalike],
        }
    }

    /// Runs a job to its end and tells what it took.
    async fn carry_out(&mut self, what: &'static str, id: JobId, began: Instant) -> anyhow::Result<()> {
        let (progress, _) = watch::channel(JobProgress::default());
        let run = self
            .custody
            .run_job(&self.node, id, WalletPasswords::none(), &progress);
        let outcome = run.await?;
        let took = began.elapsed();
        let job = self.custody.job(id).await?;
        ensure!(
            outcome == JobOutcome::Done && job.counts.done == job.counts.total,
            "{what}: {outcome:?}, {:?}",
            job.counts
        );
        let (mut fees, mut after) = (0_u64, 0);
        loop {
            let page = self.custody.job_batches(id, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.number;
            fees += page.iter().map(|batch| batch.fee.get()).sum::<u64>();
        }
        self.legs.push(Leg {
            what,
            items: job.counts.total,
            transactions: job.counts.batches,
            fees: Lamports::new(fees),
            took,
        });
        Ok(())
    }

    async fn distribute(
        &mut self,
        what: &'static str,
        request: &DistributionRequest,
    ) -> anyhow::Result<Vec<u64>> {
        let began = Instant::now();
        let plan = distribution::prepare(&self.custody, &self.node, request, Trial::Sample).await?;
        ensure!(plan.is_ready(), "{what}: {:?}", plan.findings);
        let id = distribution::create(&self.custody, &plan).await?;
        self.carry_out(what, id, began).await?;
        let report = distribution::report(&self.custody, &self.node, id).await?;
        let (transactions, fees) = (report.totals.transactions, report.totals.fees);
        ensure!(report.agrees(), "{what}: {:?}", report.totals);
        let leg = self.legs.last().context("no leg")?;
        ensure!(
            (transactions, fees) == (leg.transactions, leg.fees),
            "{what}: the chain has {transactions} transactions that cost {fees}, the vault {} and {}",
            leg.transactions,
            leg.fees
        );
        Ok(plan.job.items.iter().map(|item| item.amount).collect())
    }

    async fn pay_sol(&mut self) -> anyhow::Result<()> {
        let mut random = super::random::Random::new(self.plan.seed);
        let seed = scene::bytes(&mut random);
        let (half, _) = seed.split_at(16);
        let amounts = Amounts::Divided {
            total: u64::from(self.plan.wallets) * 4_000_003,
            division: Division::Random {
                seed: SplitSeed::new(half.try_into()?),
                min: 2_000_000,
                max: 6_500_000,
            },
        };
        let request = self.request("there: SOL", Asset::Sol, &self.wallets, amounts);
        let paid = self.distribute("SOL to wallets", &request).await?;
        ensure!(
            self.lamports(&self.wallets).await? == paid,
            "other amounts arrived"
        );
        Ok(())
    }

    async fn pay_token(&mut self) -> anyhow::Result<()> {
        let amounts = Amounts::Explicit((0..u64::from(self.plan.tokens)).map(|at| 1 + at % 20).collect());
        let asset = Asset::Token {
            mint: self.mint.address,
        };
        let request = self.request("there: a token", asset, self.holders(), amounts);
        let paid = self
            .distribute("a token to wallets, accounts made", &request)
            .await?;
        ensure!(
            self.units(self.holders()).await? == paid,
            "other amounts of the token arrived"
        );
        Ok(())
    }

    async fn sweep(&mut self, what: &'static str, plan: SweepPlan, began: Instant) -> anyhow::Result<()> {
        ensure!(
            plan.refusals.is_empty() && plan.failures.is_empty() && plan.skipped.is_empty(),
            "{what}: {:?} {:?} {:?}",
            plan.refusals,
            plan.failures,
            plan.skipped
        );
        let id = self.custody.create_job(plan.job).await?;
        self.carry_out(what, id, began).await?;
        let (mut done, mut cursor) = (Vec::new(), keyward_custody::jobs::ItemCursor::default());
        loop {
            let filter = keyward_custody::jobs::ItemFilter::Done;
            let page = self.custody.job_items(id, filter, cursor, PAGE).await?;
            let Some(last) = page.last() else { break };
            cursor.after = Some(last.new.number);
            done.extend(page);
        }
        let left = left(&self.node, &done).await?;
        ensure!(left.is_nothing(), "{what}: {left:?}");
        Ok(())
    }

    /// Everything back, each wallet to exactly zero; the emptied accounts stay.
    async fn collect(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        let request = ConsolidateRequest {
            label: "back".to_owned(),
            sources: self.wallets.clone(),
            to: self.treasury,
            sponsor: Some(self.sponsor),
            collect: Collect::Everything,
            emptied: Emptied::Keep,
            format: self.plan.format,
            fee: FeePolicy::None,
        };
        let progress = Progress::default();
        let plan = self
            .custody
            .plan_consolidation(&self.node, &request, &progress)
            .await?;
        self.sweep("all of it back, with a sponsor", plan, began).await?;
        ensure!(
            self.lamports(&self.wallets)
                .await?
                .iter()
                .all(|lamports| *lamports == 0),
            "a wallet is not at zero"
        );
        ensure!(
            self.units(&[self.treasury]).await? == [UNITS],
            "some of the token is missing"
        );
        Ok(())
    }

    async fn close(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        let request = CloseRequest {
            label: "rent".to_owned(),
            wallets: self.wallets.clone(),
            rent_to: RentTo::Wallet(self.treasury),
            sponsor: Some(self.sponsor),
            wrapped: WrappedSol::Keep,
            format: self.plan.format,
            fee: FeePolicy::None,
        };
        let progress = Progress::default();
        let plan = self.custody.plan_closing(&self.node, &request, &progress).await?;
        self.sweep("every empty account closed", plan, began).await?;
        let accounts: Vec<Address> = self
            .holders()
            .iter()
            .map(|wallet| self.mint.account_of(wallet))
            .collect();
        ensure!(
            self.lamports(&accounts)
                .await?
                .iter()
                .all(|lamports| *lamports == 0),
            "an account is still there"
        );
        Ok(())
    }
}
