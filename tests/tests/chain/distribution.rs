//! Distributions on a real node: paid exactly once, at the announced cost, edited, and rebuilt from the chain.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Instant;

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::solana::instructions::sol_transfer;
use keyward_core::solana::token::TokenProgram;
use keyward_custody::chain::SolanaNode;
use keyward_custody::distribution::{
    self, Amounts, Asset, DistributionError, DistributionPlan, DistributionRequest, Division, FeeBearer,
    FindingCode, RebuildOptions, Recipient, SplitSeed, Strangers, Trial, Verdict,
};
use keyward_custody::jobs::{JobFormat, JobId, JobOutcome, JobProgress, JobState, reference};
use keyward_custody::{Custody, FeePolicy, WalletPasswords};
use tokio::sync::watch;

use crate::minting::{Maker, Token};
use crate::scene::{SOL, Scene, database, fresh_address, open, unlock};

fn request(source: Address, asset: Asset, to: &[Address], amounts: Amounts) -> DistributionRequest {
    DistributionRequest {
        label: "test".into(),
        sources: vec![source],
        fee_payer: source,
        asset,
        recipients: to.iter().map(|address| recipient(*address)).collect(),
        amounts,
        transfer_fee: FeeBearer::Recipient,
        format: JobFormat::Legacy,
        fee: FeePolicy::None,
        // Of a thousand addresses by chance one or another looks like one of the vault's thousand.
        accepted: vec![FindingCode::Lookalike],
    }
}

fn recipient(address: Address) -> Recipient {
    Recipient {
        address,
        name: String::new(),
        line: None,
        memo: None,
    }
}

fn addresses(count: usize) -> Vec<Address> {
    (0..count).map(|_| fresh_address()).collect()
}

async fn plan(scene: &Scene, request: &DistributionRequest) -> DistributionPlan {
    let plan = distribution::prepare(&scene.custody, &scene.node, request, Trial::Sample)
        .await
        .unwrap();
    assert!(plan.is_ready(), "{:?}", plan.findings);
    plan
}

async fn run(custody: &Custody, node: &SolanaNode, job: JobId) -> JobOutcome {
    let (progress, _) = watch::channel(JobProgress::default());
    custody
        .run_job(node, job, WalletPasswords::none(), &progress)
        .await
        .unwrap()
}

async fn distribute(scene: &Scene, request: &DistributionRequest) -> DistributionPlan {
    let plan = plan(scene, request).await;
    let job = distribution::create(&scene.custody, &plan).await.unwrap();
    assert_eq!(run(&scene.custody, &scene.node, job).await, JobOutcome::Done);
    plan
}

async fn lamports(node: &SolanaNode, of: &[Address]) -> Vec<u64> {
    let balances = node.balances(of).await.unwrap();
    balances
        .values
        .into_iter()
        .map(|value| value.unwrap().get())
        .collect()
}

async fn tokens(node: &SolanaNode, token: &Token, of: &[Address]) -> Vec<u64> {
    let accounts: Vec<Address> = of.iter().map(|owner| token.account(owner)).collect();
    let mut amounts = Vec::new();
    for batch in accounts.chunks(100) {
        let (_, found) = node.token_accounts(batch).await.unwrap();
        amounts.extend(found.into_iter().map(|at| at.map_or(0, |at| at.account.amount)));
    }
    amounts
}

fn planned(plan: &DistributionPlan) -> Vec<u64> {
    plan.job.items.iter().map(|item| item.amount).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_get_sol_and_five_hundred_a_token() {
    let scene = Scene::new().await;
    let [first, second] = scene.wallets;
    scene.fund(&first, 20 * SOL).await;
    scene.fund(&second, 20 * SOL).await;
    let mut told = std::io::stderr();

    let to = addresses(1_000);
    let division = Division::Random {
        seed: SplitSeed::new([3; 16]),
        min: 2_000_000,
        max: 8_000_000,
    };
    let total = 5 * SOL;
    let request_sol = request(first, Asset::Sol, &to, Amounts::Divided { total, division });
    let began = Instant::now();
    let plan = distribute(&scene, &request_sol).await;
    let took = began.elapsed();
    assert_eq!(plan.estimate.transactions, 50);
    let paid = planned(&plan);
    assert_eq!(paid.iter().sum::<u64>(), total);
    assert!(paid.iter().all(|amount| (2_000_000..=8_000_000).contains(amount)));
    assert_eq!(lamports(&scene.node, &to).await, paid);
    // To the lamport: what the plan said, fees included.
    assert_eq!(
        lamports(&scene.node, &[first]).await,
        [20 * SOL - total - plan.estimate.cost().get()]
    );
    let report = distribution::report(&scene.custody, &scene.node, plan.job.id)
        .await
        .unwrap();
    assert!(report.agrees(), "{:?}", report.totals);
    assert!(
        report
            .lines
            .iter()
            .all(|line| line.verdict == Verdict::Paid && line.transactions.len() == 1)
    );
    assert_eq!(
        (
            report.totals.paid,
            report.totals.received,
            report.totals.transactions
        ),
        (total, total, 50)
    );
    assert_eq!(report.totals.fees, plan.estimate.base_fees);
    assert_eq!(report.totals.spent.get(), total + plan.estimate.cost().get());
    writeln!(
        told,
        "SOL to 1,000: {} transactions, {took:?}",
        report.totals.transactions
    )
    .unwrap();

    let maker = Maker::new(&scene).await;
    let token = maker.mint(TokenProgram::Token, 6, None).await;
    maker.give(&token, &[second], 1_000_000_000).await;
    let to = addresses(500);
    let amounts = Amounts::Divided {
        total: 900_000_007,
        division: Division::Even,
    };
    let request_token = request(second, Asset::Token { mint: token.mint }, &to, amounts);
    let before = lamports(&scene.node, &[second]).await[0];
    let began = Instant::now();
    let plan = distribute(&scene, &request_token).await;
    let took = began.elapsed();
    assert_eq!(plan.estimate.accounts_created, 500);
    assert_eq!(tokens(&scene.node, &token, &to).await, planned(&plan));
    assert_eq!(tokens(&scene.node, &token, &[second]).await, [100_000_000 - 7]);
    assert_eq!(
        lamports(&scene.node, &[second]).await,
        [before - plan.estimate.cost().get()]
    );
    let report = distribution::report(&scene.custody, &scene.node, plan.job.id)
        .await
        .unwrap();
    assert!(report.agrees(), "{:?}", report.totals);
    assert_eq!(
        (report.totals.rent, report.totals.accounts_created),
        (plan.estimate.rent, 500)
    );
    writeln!(
        told,
        "a token to 500: {} transactions, {took:?}",
        report.totals.transactions
    )
    .unwrap();

    // The accounts are there now: nothing is created, and more fit a transaction.
    let again = DistributionRequest {
        label: "again".into(),
        amounts: Amounts::Explicit(vec![1; 500]),
        ..request_token
    };
    let plan = self::plan(&scene, &again).await;
    assert_eq!((plan.estimate.accounts_created, plan.estimate.rent.get()), (0, 0));
    writeln!(
        told,
        "a token to 500 with accounts: {} transactions",
        plan.estimate.transactions
    )
    .unwrap();
}

/// Half of a distribution is paid: the second wallet has lost its money since it was planned.
struct Half {
    scene: Scene,
    to: Vec<Address>,
    request: DistributionRequest,
    job: JobId,
}

async fn half_paid() -> Half {
    let scene = Scene::with_quick_slots().await;
    let [first, second] = scene.wallets;
    scene.fund(&first, 2 * SOL).await;
    scene.fund(&second, 2 * SOL).await;
    let to = addresses(55);
    let amounts = Amounts::Explicit(vec![SOL / 20; 55]);
    let request = DistributionRequest {
        sources: vec![first, second],
        ..request(first, Asset::Sol, &to, amounts)
    };
    let plan = plan(&scene, &request).await;
    let from_first = plan.job.items.iter().filter(|item| item.source == first).count();
    assert_eq!(from_first, 39, "the fees are kept back");
    std::fs::copy(
        database(scene.folder.path()),
        scene.folder.path().join("before.db"),
    )
    .unwrap();
    let wal = |name: &str| scene.folder.path().join(format!("{name}.db-wal"));
    if wal("keyward").exists() {
        std::fs::copy(wal("keyward"), wal("before")).unwrap();
    }
    let job = distribution::create(&scene.custody, &plan).await.unwrap();
    let away = request_of(second, fresh_address(), 2 * SOL - 5_000, "away");
    distribute(&scene, &away).await;
    assert_eq!(run(&scene.custody, &scene.node, job).await, JobOutcome::Done);
    let counts = scene.custody.job(job).await.unwrap().counts;
    assert_eq!((counts.done, counts.failed), (39, 16));
    Half {
        scene,
        to,
        request,
        job,
    }
}

fn request_of(from: Address, to: Address, amount: u64, label: &str) -> DistributionRequest {
    DistributionRequest {
        label: label.into(),
        ..request(from, Asset::Sol, &[to], Amounts::Explicit(vec![amount]))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_plan_pays_the_difference_alone() {
    let Half {
        scene,
        mut to,
        request,
        job,
    } = half_paid().await;
    scene.fund(&scene.wallets[1], 5 * SOL).await;
    let twice = distribution::create(&scene.custody, &plan_again(&scene, &request).await).await;
    assert!(
        matches!(twice, Err(DistributionError::Exists(id)) if id == job),
        "{twice:?}"
    );

    // The first ten get double, ten who were not paid get nothing, one who was paid is left out, ten new ones come.
    let mut wanted: BTreeMap<Address, u64> = to.iter().map(|address| (*address, SOL / 20)).collect();
    let unpaid = to.split_off(50);
    let left_out = to.remove(38);
    to.extend(addresses(10));
    let amounts: Vec<u64> = (0..to.len())
        .map(|at| if at < 10 { SOL / 10 } else { SOL / 20 })
        .collect();
    for (address, amount) in to.iter().zip(&amounts) {
        wanted.insert(*address, *amount);
    }
    unpaid.iter().for_each(|address| {
        wanted.insert(*address, 0);
    });
    let mut edited = DistributionRequest {
        recipients: to.iter().map(|address| recipient(*address)).collect(),
        amounts: Amounts::Explicit(amounts),
        ..request.clone()
    };
    edited.sources.reverse();
    let edit = distribution::prepare_edit(&scene.custody, &scene.node, job, &edited, Trial::All)
        .await
        .unwrap();
    assert_eq!(
        edit.plan.asked(),
        [FindingCode::PaidMore],
        "{:?}",
        edit.plan.findings
    );
    assert_eq!(edit.plan.findings[0].address, Some(left_out));
    assert!(distribution::apply_edit(&scene.custody, &edit).await.is_err());
    edited.accepted.push(FindingCode::PaidMore);
    let edit = distribution::prepare_edit(&scene.custody, &scene.node, job, &edited, Trial::All)
        .await
        .unwrap();
    // Ten who get more, eleven who failed and are still there (39 to 49), ten new ones.
    assert_eq!(edit.plan.job.items.len(), 31);
    let second = distribution::apply_edit(&scene.custody, &edit)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(second, distribution::successor(job));
    assert_eq!(scene.custody.job(job).await.unwrap().state, JobState::Cancelled);
    for refused in [
        scene.custody.resume_job(job).await.err(),
        scene.custody.retry_job(job).await.err(),
    ] {
        assert!(
            refused.is_some(),
            "a cancelled distribution pays nothing any more"
        );
    }
    let again = distribution::apply_edit(&scene.custody, &edit).await;
    assert!(
        matches!(again, Err(DistributionError::EditedInto(id)) if id == second),
        "{again:?}"
    );
    assert_eq!(run(&scene.custody, &scene.node, second).await, JobOutcome::Done);
    let (of, expected): (Vec<Address>, Vec<u64>) = wanted.into_iter().unzip();
    assert_eq!(lamports(&scene.node, &of).await, expected);
    assert!(
        distribution::report(&scene.custody, &scene.node, second)
            .await
            .unwrap()
            .agrees()
    );
    let first = distribution::report(&scene.custody, &scene.node, job)
        .await
        .unwrap();
    assert!(first.agrees());
    assert_eq!(
        first
            .lines
            .iter()
            .filter(|line| line.verdict == Verdict::Open)
            .count(),
        16
    );
}

async fn plan_again(scene: &Scene, request: &DistributionRequest) -> DistributionPlan {
    let mut plan = distribution::prepare(&scene.custody, &scene.node, request, Trial::Sample)
        .await
        .unwrap();
    // What was paid is gone, so the whole cannot be paid again; it is the same distribution all the same.
    plan.counts.clear();
    plan.findings.clear();
    plan
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_database_is_rebuilt_from_the_chain_and_pays_nothing_twice() {
    let Half {
        scene,
        to,
        request,
        job,
    } = half_paid().await;
    let lost = open(&scene.folder.path().join("before.db")).await;
    unlock(&lost).await;
    assert!(lost.job(job).await.is_err());
    // The reference is public: a stranger pays one of those left just what the list says.
    let stranger = Maker::new(&scene).await;
    let mut gift = sol_transfer(stranger.address(), to[54], Lamports::new(SOL / 20));
    gift.accounts.push(reference::meta(job));
    stranger.land(&[gift], &[]).await;
    let (progress, _) = watch::channel(distribution::RebuildProgress::default());
    let rebuild = async |request: &DistributionRequest, strangers| {
        let options = RebuildOptions {
            first: None,
            strangers,
        };
        distribution::rebuild(&lost, &scene.node, request, options, &progress).await
    };
    // Whether the payer was once a wallet of this vault is for a person to say.
    let refused = rebuild(&request, Strangers::Refuse).await;
    assert!(
        matches!(&refused, Err(DistributionError::StrangePayers(payers)) if *payers == [stranger.address()]),
        "{refused:?}"
    );
    let rebuilt = rebuild(&request, Strangers::LeaveOut).await.unwrap();
    assert_eq!(rebuilt.job, Some(job));
    assert_eq!(
        (rebuilt.payments_found, rebuilt.paid, rebuilt.left),
        (39, 39 * SOL / 20, 16)
    );
    let report = distribution::report(&lost, &scene.node, job).await.unwrap();
    assert!(report.agrees());
    assert_eq!(report.totals.recorded, 39 * SOL / 20);
    assert_eq!(report.totals.strange_transactions, 1);
    let again = rebuild(&request, Strangers::LeaveOut).await;
    assert!(
        matches!(again, Err(DistributionError::Exists(id)) if id == job),
        "{again:?}"
    );

    // Neither wallet could pay what was left when it was rebuilt, so that it is the first one's to pay.
    scene.fund(&scene.wallets[0], 2 * SOL).await;
    assert_eq!(run(&lost, &scene.node, job).await, JobOutcome::Done);
    let mut arrived = vec![SOL / 20; 55];
    arrived[54] += SOL / 20;
    assert_eq!(lamports(&scene.node, &to).await, arrived);
    let report = distribution::report(&lost, &scene.node, job).await.unwrap();
    assert!(report.agrees() && report.lines.iter().all(|line| line.verdict == Verdict::Paid));
    lost.audit_verify(None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_all_decimals_cost_and_deliver_what_the_plan_says() {
    let scene = Scene::with_quick_slots().await;
    let [source, _] = scene.wallets;
    scene.fund(&source, 20 * SOL).await;
    let maker = Maker::new(&scene).await;
    for decimals in 0..=18_u8 {
        let (program, fee) = match decimals % 3 {
            0 => (TokenProgram::Token, None),
            1 => (TokenProgram::Token2022, None),
            _ => (TokenProgram::Token2022, Some((250, 40))),
        };
        let bearer = if decimals % 2 == 0 {
            FeeBearer::Recipient
        } else {
            FeeBearer::Sender
        };
        let token = maker.mint(program, decimals, fee).await;
        maker.give(&token, &[source], 10_000).await;
        let to = addresses(3);
        let asked = [1, 333, 100];
        let request = DistributionRequest {
            transfer_fee: bearer,
            fee: FeePolicy::Fixed {
                micro_lamports: 5_000,
            },
            accepted: vec![FindingCode::TransferFee],
            ..request(
                source,
                Asset::Token { mint: token.mint },
                &to,
                Amounts::Explicit(asked.to_vec()),
            )
        };
        let before = lamports(&scene.node, &[source]).await[0];
        let plan = distribute(&scene, &request).await;
        let sent = planned(&plan);
        let withheld = |amount: u64| match fee {
            Some((points, most)) => (amount * u64::from(points)).div_ceil(10_000).min(most),
            None => 0,
        };
        let arrive: Vec<u64> = sent.iter().map(|amount| amount - withheld(*amount)).collect();
        match bearer {
            FeeBearer::Recipient => assert_eq!(sent, asked, "{decimals}"),
            FeeBearer::Sender => assert_eq!(arrive, asked, "{decimals}"),
        }
        assert_eq!(tokens(&scene.node, &token, &to).await, arrive, "{decimals}");
        assert_eq!(
            tokens(&scene.node, &token, &[source]).await,
            [10_000 - sent.iter().sum::<u64>()]
        );
        let report = distribution::report(&scene.custody, &scene.node, plan.job.id)
            .await
            .unwrap();
        assert!(report.agrees(), "{:?}", report.totals);
        assert_eq!(report.totals.rent, plan.estimate.rent, "{decimals}");
        assert_eq!(report.totals.received, arrive.iter().sum::<u64>());
        assert_eq!(
            plan.estimate.withheld,
            sent.iter().sum::<u64>() - report.totals.received
        );
        // The estimate is the most that it can come to; the report is what it was.
        let spent = before - lamports(&scene.node, &[source]).await[0];
        assert_eq!(spent, report.totals.fees.get() + report.totals.rent.get());
        let most = plan.estimate.base_fees.get() + plan.estimate.priority_fees.get();
        assert!(
            (1..=most).contains(&report.totals.fees.get()),
            "{decimals}: {:?}",
            report.totals
        );
        assert!(
            report.totals.fees > plan.estimate.base_fees,
            "the priority fee was charged"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn version_1_is_packed_to_its_accounts() {
    let scene = Scene::new().await;
    let [source, _] = scene.wallets;
    scene.fund(&source, 20 * SOL).await;
    let to = addresses(130);
    let request = DistributionRequest {
        format: JobFormat::V1,
        ..request(source, Asset::Sol, &to, Amounts::Explicit(vec![SOL / 100; 130]))
    };
    let plan = distribution::prepare(&scene.custody, &scene.node, &request, Trial::Sample).await;
    let plan = plan.unwrap();
    let sizes: Vec<usize> = plan.job.groups.iter().map(Vec::len).collect();
    assert_eq!(sizes, [61, 61, 8]);
}
