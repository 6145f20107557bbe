//! Jobs on a real node: what is paid, what is found to be wrong before it costs anything, and what a run waits for.

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_custody::jobs::machine::Pace;
use keyward_custody::jobs::{
    ItemAction, ItemCursor, ItemFilter, ItemState, JobError, JobFormat, JobId, JobItem, JobKind, JobOutcome,
    JobProgress, JobState, NewItem, NewJob, reference::reference,
};
use keyward_custody::{FeePolicy, WalletPasswords};
use tokio::sync::watch;

use crate::scene::{SOL, Scene, fresh_address, unlock};

/// Enough for an account.
const ENOUGH: u64 = 2_000_000;

/// Quick, as the node's slots are.
const PACE: Pace = Pace {
    poll_ms: 200,
    resend_ms: 600,
    tip_ms: 400,
    check_ms: 600,
    again_ms: 200,
    patience_ms: 60_000,
    stall_ms: 120_000,
    parallel: 4,
    in_flight: 8,
    followed: 64,
    failures: 20,
};

/// A job that pays these amounts, each to somebody new, two in a transaction.
async fn job(scene: &Scene, amounts: &[u64], format: JobFormat) -> NewJob {
    let numbers: Vec<u32> = (0..u32::try_from(amounts.len()).unwrap()).collect();
    NewJob {
        id: JobId::random().unwrap(),
        kind: JobKind::Distribution,
        label: "salaries".to_owned(),
        network: scene.node.network().await.unwrap(),
        fee_payer: scene.wallets[1],
        format,
        fee: FeePolicy::Fixed {
            micro_lamports: 10_000,
        },
        options_json: "{}".to_owned(),
        items: numbers
            .iter()
            .zip(amounts)
            .map(|(number, amount)| NewItem {
                number: *number,
                source: scene.wallets[0],
                recipient: fresh_address(),
                amount: *amount,
                action: ItemAction::PaySol,
                memo: (number % 3 == 1).then(|| format!("item {number}")),
            })
            .collect(),
        groups: numbers.chunks(2).map(<[u32]>::to_vec).collect(),
    }
}

async fn run(scene: &Scene, id: JobId) -> JobOutcome {
    let progress = watch::Sender::new(JobProgress::default());
    let run = scene
        .custody
        .run_job_at(&scene.node, id, WalletPasswords::none(), &progress, PACE);
    run.await.unwrap()
}

async fn items(scene: &Scene, id: JobId) -> Vec<JobItem> {
    let page = scene
        .custody
        .job_items(id, ItemFilter::All, ItemCursor::default(), 1_000);
    page.await.unwrap()
}

async fn paid(scene: &Scene, job: &NewJob) -> Vec<u64> {
    let recipients: Vec<Address> = job.items.iter().map(|item| item.recipient).collect();
    let balances = scene.node.balances(&recipients).await.unwrap();
    balances
        .values
        .into_iter()
        .map(|balance| balance.unwrap().get())
        .collect()
}

#[tokio::test]
async fn a_job_pays_each_and_the_fees_are_those_it_recorded() {
    let scene = Scene::with_quick_slots().await;
    scene.fund(&scene.wallets[0], SOL).await;
    scene.fund(&scene.wallets[1], SOL).await;
    for format in [JobFormat::Legacy, JobFormat::V1] {
        let before = [
            scene.balance(&scene.wallets[0]).await,
            scene.balance(&scene.wallets[1]).await,
        ];
        let amounts: Vec<u64> = (0..7).map(|at| ENOUGH + at).collect();
        let job = job(&scene, &amounts, format).await;
        scene.custody.create_job(job.clone()).await.unwrap();
        assert_eq!(run(&scene, job.id).await, JobOutcome::Done);
        assert_eq!(paid(&scene, &job).await, amounts);
        let counts = scene.custody.job(job.id).await.unwrap().counts;
        assert_eq!(
            (counts.done, counts.total, counts.batches, counts.settling),
            (7, 7, 4, 0)
        );
        assert_eq!(counts.lamports_done, u128::from(amounts.iter().sum::<u64>()));
        // To the lamport: what left is what was paid, and what the cluster charged is what was recorded.
        let after = [
            scene.balance(&scene.wallets[0]).await,
            scene.balance(&scene.wallets[1]).await,
        ];
        assert_eq!(before[0] - after[0], amounts.iter().sum::<u64>());
        let charged = u128::from(before[1] - after[1]);
        match format {
            JobFormat::Legacy => assert_eq!(charged, counts.fees),
            // This engine does not charge what version 1 offers beyond its signatures.
            JobFormat::V1 => assert!((40_000..=counts.fees).contains(&charged), "{charged}"),
        }
        // Two signatures each, and a price above them.
        assert!(counts.fees > 4 * 10_000, "{}", counts.fees);
        let marked = scene.node.history(&reference(job.id), 100, None).await.unwrap();
        assert_eq!(marked.len(), 4);
        // Run again, there is nothing to do.
        assert_eq!(run(&scene, job.id).await, JobOutcome::Done);
        assert_eq!(paid(&scene, &job).await, amounts);
    }
}

#[tokio::test]
async fn one_bad_item_is_found_before_it_costs_anything_and_the_others_are_paid() {
    let scene = Scene::with_quick_slots().await;
    scene.fund(&scene.wallets[0], SOL).await;
    scene.fund(&scene.wallets[1], SOL).await;
    // Too little for an account, and more than the source has.
    let amounts = [ENOUGH, 1, ENOUGH, 9 * SOL, ENOUGH];
    let job = job(&scene, &amounts, JobFormat::Legacy).await;
    scene.custody.create_job(job.clone()).await.unwrap();
    assert_eq!(run(&scene, job.id).await, JobOutcome::Done);
    assert_eq!(paid(&scene, &job).await, [ENOUGH, 0, ENOUGH, 0, ENOUGH]);
    let items = items(&scene, job.id).await;
    for (at, part) in [(1, "minimum balance"), (3, "insufficient funds")] {
        match &items[at].state {
            ItemState::Failed { reason } => assert!(reason.contains(part), "{reason}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(items[at].batch, None, "it cost a fee");
    }
    // Tried again with enough, the one is paid and the other is not.
    scene.fund(&scene.wallets[0], 10 * SOL).await;
    assert_eq!(scene.custody.retry_job(job.id).await.unwrap(), 2);
    assert_eq!(run(&scene, job.id).await, JobOutcome::Done);
    assert_eq!(paid(&scene, &job).await, [ENOUGH, 0, ENOUGH, 9 * SOL, ENOUGH]);
}

#[tokio::test]
async fn what_policy_refuses_pauses_the_job() {
    let scene = Scene::with_quick_slots().await;
    scene.fund(&scene.wallets[0], 100 * SOL).await;
    scene.fund(&scene.wallets[1], SOL).await;
    let job = job(&scene, &[11 * SOL], JobFormat::Legacy).await;
    scene.custody.create_job(job.clone()).await.unwrap();
    match run(&scene, job.id).await {
        JobOutcome::Held { reason } => assert!(reason.contains("refused by policy"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(paid(&scene, &job).await, [0]);
    let stored = scene.custody.job(job.id).await.unwrap();
    assert_eq!((stored.state, stored.counts.failed), (JobState::Paused, 1));
    // Paused, it does nothing.
    assert_eq!(run(&scene, job.id).await, JobOutcome::Done);
}

#[tokio::test]
async fn a_locked_vault_holds_a_job_and_another_network_refuses_it() {
    let scene = Scene::with_quick_slots().await;
    scene.fund(&scene.wallets[0], SOL).await;
    scene.fund(&scene.wallets[1], SOL).await;
    let job = job(&scene, &[ENOUGH; 3], JobFormat::Legacy).await;
    scene.custody.create_job(job.clone()).await.unwrap();
    scene.custody.lock().await;
    match run(&scene, job.id).await {
        JobOutcome::Held { reason } => assert!(reason.contains("locked"), "{reason}"),
        other => panic!("{other:?}"),
    }
    unlock(&scene.custody).await;
    let elsewhere = NewJob {
        id: JobId::random().unwrap(),
        network: "another".to_owned(),
        ..job.clone()
    };
    scene.custody.create_job(elsewhere.clone()).await.unwrap();
    let progress = watch::Sender::new(JobProgress::default());
    let refused = scene
        .custody
        .run_job(&scene.node, elsewhere.id, WalletPasswords::none(), &progress)
        .await;
    assert!(
        matches!(refused, Err(JobError::OtherNetwork { .. })),
        "{refused:?}"
    );
    scene.custody.pause_job(job.id, "not yet").await.unwrap();
    assert_eq!(run(&scene, job.id).await, JobOutcome::Stopped);
    assert_eq!(paid(&scene, &job).await, [0; 3]);
    scene.custody.resume_job(job.id).await.unwrap();
    assert_eq!(run(&scene, job.id).await, JobOutcome::Done);
    assert_eq!(paid(&scene, &job).await, [ENOUGH; 3]);
}

#[tokio::test]
async fn a_payer_without_funds_holds_the_job_and_fails_nothing() {
    let scene = Scene::with_quick_slots().await;
    scene.fund(&scene.wallets[0], SOL).await;
    let job = job(&scene, &[ENOUGH; 4], JobFormat::Legacy).await;
    scene.custody.create_job(job.clone()).await.unwrap();
    match run(&scene, job.id).await {
        JobOutcome::Held { reason } => assert!(reason.contains("fee payer"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(scene.custody.job(job.id).await.unwrap().counts.planned, 4);
    scene
        .test_node
        .fund(&scene.wallets[1], Lamports::new(SOL))
        .await
        .unwrap();
    assert_eq!(run(&scene, job.id).await, JobOutcome::Done);
    assert_eq!(paid(&scene, &job).await, [ENOUGH; 4]);
}
