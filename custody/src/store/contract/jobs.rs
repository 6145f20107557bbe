//! Jobs: what is stored comes back, what follows from it is the same in SQL and in Rust, and of two who pay one is refused.

use keyward_core::address::{Address, Blockhash, Signature};
use keyward_core::amount::Lamports;
use keyward_core::audit::Operation;

use super::scene::{Place, Scene, open};
use crate::jobs::machine::{Change, Verdict};
use crate::jobs::{
    BatchItem, BatchState, ItemAction, ItemCursor, ItemFilter, ItemState, JobFormat, JobId, JobItem, JobKind,
    JobQuery, JobState, Lifetime, NewItem, NewJob,
};
use crate::store::Ask;
use crate::store::jobs::{ItemsAsk, JobAsk, NewBatch};
use crate::{AuditQuery, AuditReport, Custody, CustodyError, Password};

contract!(
    a_job_comes_back_as_it_was_stored,
    what_an_item_has_come_to_is_the_same_in_sql,
    a_transaction_is_recorded_only_for_what_is_to_be_done,
    of_many_who_record_the_same_item_one_does,
    an_end_stays_and_a_landing_wins,
    a_job_is_paused_resumed_cancelled_and_tried_again,
    a_locked_vault_follows_and_does_nothing_else,
    strange_jobs_are_refused,
);

/// More than 32 bits, and sums of it fewer than 63.
const LARGE: u64 = 1 << 50;

pub(super) fn wallet(scene: &Scene) -> Address {
    scene.wallet.to_string().parse().unwrap()
}

/// A job of so many items of one lamport more each, in groups of so many.
pub(super) fn new_job(scene: &Scene, id: u8, count: u32, together: usize) -> NewJob {
    let numbers: Vec<u32> = (0..count).collect();
    NewJob {
        id: JobId::new([id; 16]),
        kind: JobKind::Distribution,
        label: "März".to_owned(),
        network: "test".to_owned(),
        fee_payer: wallet(scene),
        format: JobFormat::Legacy,
        fee: "p75:20000".parse().unwrap(),
        options_json: r#"{"mode":"even"}"#.to_owned(),
        items: numbers
            .iter()
            .map(|number| NewItem {
                number: *number,
                source: wallet(scene),
                recipient: Address::new([(number % 251) as u8; 32]),
                amount: u64::from(*number) + 1,
                action: ItemAction::PaySol,
                memo: (number % 2 == 1).then(|| "für dich".to_owned()),
            })
            .collect(),
        groups: numbers.chunks(together).map(<[u32]>::to_vec).collect(),
    }
}

pub(super) fn batch(id: u8, signature: u8, items: &[u32]) -> NewBatch {
    NewBatch {
        job: JobId::new([id; 16]),
        number: 0,
        signature: Signature::new([signature; 64]),
        transaction: vec![signature; 200],
        lifetime: Lifetime::Blockhash {
            last_valid_block_height: 77,
        },
        fee: Lamports::new(5_000),
        items: items
            .iter()
            .map(|item| BatchItem {
                item: *item,
                amount: LARGE - u64::from(*item),
                instructions: 2,
            })
            .collect(),
    }
}

pub(super) fn change(batch: u32, state: BatchState) -> Change {
    let has_landed = matches!(
        state,
        BatchState::Confirmed | BatchState::Finalized | BatchState::Failed
    );
    Change {
        batch,
        state,
        slot: has_landed.then_some(9),
        error: (state == BatchState::Failed).then(|| "no funds".to_owned()),
        culprit: None,
    }
}

/// Something in every column of every table of jobs.
pub(super) async fn fill(scene: &Scene) {
    let custody = &scene.custody;
    let id = JobId::new([1; 16]);
    let mut job = new_job(scene, 1, 5, 2);
    job.items[4].action = ItemAction::PayToken {
        mint: Address::new([4; 32]),
        program: Address::new([5; 32]),
        decimals: 18,
        source_account: Address::new([6; 32]),
        destination_account: Address::new([7; 32]),
        create: true,
        fee: 3,
    };
    job.items[4].amount = u64::MAX;
    custody.create_job(job).await.unwrap();
    let with_nonce = NewBatch {
        lifetime: Lifetime::Nonce {
            account: Address::new([8; 32]),
            nonce: Blockhash::new([9; 32]),
        },
        ..batch(1, 2, &[2, 3])
    };
    custody.record_batch(batch(1, 1, &[0, 1])).await.unwrap();
    custody.record_batch(with_nonce).await.unwrap();
    let failed = Change {
        culprit: Some(1),
        ..change(1, BatchState::Failed)
    };
    custody.update_batches(id, vec![failed]).await.unwrap();
    let decided = vec![(4, "frozen".to_owned())];
    custody.decide_items(id, Verdict::Skipped, decided).await.unwrap();
    custody.retry_job(id).await.unwrap();
}

async fn all(custody: &Custody, id: JobId) -> Vec<JobItem> {
    custody
        .job_items(id, ItemFilter::All, ItemCursor::default(), 1_000)
        .await
        .unwrap()
}

async fn states(custody: &Custody, id: JobId) -> Vec<&'static str> {
    let items = all(custody, id).await;
    items.iter().map(|item| item.state.as_str()).collect()
}

async fn assert_sealed(scene: &Scene) {
    match scene.custody.audit_verify(None).await.unwrap() {
        AuditReport::Intact { .. } => {}
        AuditReport::Broken { sequence, reason } => panic!("{sequence}: {reason}"),
    }
}

async fn a_job_comes_back_as_it_was_stored(scene: Scene) {
    fill(&scene).await;
    assert_sealed(&scene).await;
    let again = open(&scene.place, &scene.clock).await;
    let id = JobId::new([1; 16]);
    let job = again.job(id).await.unwrap();
    let asked = new_job(&scene, 1, 5, 2);
    assert_eq!(
        (job.kind, job.format, job.fee),
        (asked.kind, asked.format, asked.fee)
    );
    assert_eq!((job.label, job.network), (asked.label, asked.network));
    assert_eq!(
        (job.fee_payer, job.options_json),
        (asked.fee_payer, asked.options_json)
    );
    assert_eq!((job.state, job.created_ms), (JobState::Open, 1_000_000));
    assert_eq!((job.counts.total, job.counts.batches), (5, 2));
    assert_eq!((job.counts.planned, job.counts.in_flight), (2, 2));
    assert_eq!((job.counts.skipped, job.counts.fees), (1, 5_000));
    let items = all(&again, id).await;
    assert_eq!(
        items.iter().map(|item| item.group).collect::<Vec<_>>(),
        [0, 0, 1, 1, 2]
    );
    // Of an item in a transaction the amount is the one decided there.
    assert_eq!(items[2].new.amount, LARGE - 2);
    assert_eq!((items[4].new.amount, &items[4].new.memo), (u64::MAX, &None));
    assert_eq!(items[3].new.memo.as_deref(), Some("für dich"));
    assert!(matches!(
        items[4].new.action,
        ItemAction::PayToken {
            decimals: 18,
            fee: 3,
            create: true,
            ..
        }
    ));
    assert_eq!(items[2].batch, Some((2, Signature::new([2; 64]))));
    assert_eq!(
        items[4].state,
        ItemState::Skipped {
            reason: "frozen".to_owned()
        }
    );
    let batches = again.job_batches(id, 0, 10).await.unwrap();
    assert_eq!(batches.len(), 2);
    assert_eq!(batches[0].items, batch(1, 1, &[0, 1]).items);
    assert_eq!((batches[0].slot, batches[0].culprit), (Some(9), Some(1)));
    assert_eq!(batches[0].error.as_deref(), Some("no funds"));
    assert_eq!(batches[1].transaction, vec![2; 200]);
    assert_eq!(
        batches[1].lifetime,
        Lifetime::Nonce {
            account: Address::new([8; 32]),
            nonce: Blockhash::new([9; 32]),
        }
    );
    assert_eq!(again.job_batches(id, 1, 10).await.unwrap(), batches[1..]);
    let before = JobQuery {
        before: Some(id),
        ..JobQuery::default()
    };
    assert_eq!(again.jobs(&before).await.unwrap().len(), 0);
    scene.set_clock(2_000_000);
    scene.custody.create_job(new_job(&scene, 2, 1, 1)).await.unwrap();
    let ids = |jobs: Vec<crate::jobs::Job>| jobs.iter().map(|job| job.id.as_bytes()[0]).collect::<Vec<_>>();
    assert_eq!(ids(again.jobs(&JobQuery::default()).await.unwrap()), [2, 1]);
    let before = JobQuery {
        before: Some(JobId::new([2; 16])),
        kind: Some(JobKind::Distribution),
        ..JobQuery::default()
    };
    assert_eq!(ids(again.jobs(&before).await.unwrap()), [1]);
    let closings = JobQuery {
        kind: Some(JobKind::Closing),
        ..JobQuery::default()
    };
    assert_eq!(again.jobs(&closings).await.unwrap().len(), 0);
}

/// Every state of a transaction, of one and of two items, with every culprit, released and not, and every decision.
async fn what_an_item_has_come_to_is_the_same_in_sql(scene: Scene) {
    let custody = &scene.custody;
    let id = JobId::new([1; 16]);
    custody.create_job(new_job(&scene, 1, 60, 1)).await.unwrap();
    let mut next = 0;
    let mut signature = 0;
    for released in [false, true] {
        for state in [
            BatchState::Signed,
            BatchState::Sent,
            BatchState::Confirmed,
            BatchState::Finalized,
            BatchState::Failed,
            BatchState::Expired,
        ] {
            for culprit in [None, Some(0), Some(1)] {
                let size = if culprit == Some(1) || next % 3 == 0 { 2 } else { 1 };
                let items: Vec<u32> = (next..next + size).collect();
                next += size;
                signature += 1;
                let number = custody.record_batch(batch(1, signature, &items)).await.unwrap();
                let change = Change {
                    culprit: culprit.map(|at| items[at % items.len()]),
                    ..change(number, state)
                };
                custody.update_batches(id, vec![change]).await.unwrap();
            }
        }
        if !released {
            custody.retry_job(id).await.unwrap();
        }
    }
    custody
        .decide_items(id, Verdict::Failed, vec![(next, "x".to_owned())])
        .await
        .unwrap();
    custody
        .decide_items(id, Verdict::Skipped, vec![(next + 1, "y".to_owned())])
        .await
        .unwrap();
    let items = all(custody, id).await;
    for (filter, wanted) in [
        (ItemFilter::Planned, &["planned"][..]),
        (ItemFilter::UnderWay, &["signed", "sent"]),
        (ItemFilter::Done, &["confirmed"]),
        (ItemFilter::Failed, &["failed"]),
        (ItemFilter::LeftOut, &["cancelled", "skipped"]),
    ] {
        let found = custody
            .job_items(id, filter, ItemCursor::default(), 1_000)
            .await
            .unwrap();
        let expected: Vec<_> = items
            .iter()
            .filter(|item| wanted.contains(&item.state.as_str()))
            .cloned()
            .collect();
        assert_eq!(found, expected, "{filter:?}");
        assert!(!found.is_empty(), "{filter:?}");
        // A page begins after its cursor.
        let after = ItemCursor {
            after: Some(found[0].new.number),
        };
        let rest = custody.job_items(id, filter, after, 1).await.unwrap();
        assert_eq!(rest.first(), found.get(1), "{filter:?}");
    }
    let counts = custody.job(id).await.unwrap().counts;
    let of = |words: &[&str]| {
        items
            .iter()
            .filter(|item| words.contains(&item.state.as_str()))
            .count() as u64
    };
    assert_eq!(counts.planned, of(&["planned"]));
    assert_eq!(counts.in_flight, of(&["signed", "sent"]));
    assert_eq!(counts.done, of(&["confirmed"]));
    assert_eq!(counts.failed, of(&["failed"]));
    assert_eq!((counts.skipped, counts.cancelled, counts.total), (1, 0, 60));
    assert!(counts.settling > 0 && counts.settling < counts.done);
    let paid = items.iter().filter(|item| item.state == ItemState::Confirmed);
    let lamports: u128 = paid.map(|item| u128::from(item.new.amount)).sum();
    assert_eq!(counts.lamports_done, lamports);
    assert_sealed(&scene).await;
}

async fn a_transaction_is_recorded_only_for_what_is_to_be_done(scene: Scene) {
    let custody = &scene.custody;
    let id = JobId::new([1; 16]);
    custody.create_job(new_job(&scene, 1, 4, 2)).await.unwrap();
    custody.create_job(new_job(&scene, 2, 4, 2)).await.unwrap();
    assert_eq!(custody.record_batch(batch(1, 1, &[0, 1])).await.unwrap(), 1);
    for state in [BatchState::Signed, BatchState::Sent, BatchState::Confirmed] {
        if state != BatchState::Signed {
            custody.update_batches(id, vec![change(1, state)]).await.unwrap();
        }
        let error = custody.record_batch(batch(1, 2, &[1, 2])).await.unwrap_err();
        assert!(matches!(error, CustodyError::JobMoved), "{state:?}: {error:?}");
    }
    // Nothing of a refused one is there, and what is free is free still.
    assert_eq!(
        states(custody, id).await,
        ["confirmed", "confirmed", "planned", "planned"]
    );
    // The same bytes for other items would be one payment on chain.
    let error = custody.record_batch(batch(2, 1, &[0])).await.unwrap_err();
    assert!(matches!(error, CustodyError::SamePayment { .. }), "{error:?}");
    for strange in [vec![9], vec![2, 9]] {
        let error = custody.record_batch(batch(1, 3, &strange)).await.unwrap_err();
        assert!(matches!(error, CustodyError::JobMoved), "{error:?}");
    }
    custody
        .update_batches(id, vec![change(1, BatchState::Expired)])
        .await
        .unwrap();
    assert_eq!(custody.record_batch(batch(1, 3, &[0, 2])).await.unwrap(), 2);
    assert_eq!(
        states(custody, id).await,
        ["signed", "planned", "signed", "planned"]
    );
    custody.pause_job(id, "wait").await.unwrap();
    let error = custody.record_batch(batch(1, 4, &[1])).await.unwrap_err();
    assert!(matches!(error, CustodyError::JobMoved), "{error:?}");
    assert_sealed(&scene).await;
}

async fn of_many_who_record_the_same_item_one_does(scene: Scene) {
    scene.custody.create_job(new_job(&scene, 1, 8, 2)).await.unwrap();
    let mut handles = Vec::new();
    for _ in 0..3 {
        let handle = open(&scene.place, &scene.clock).await;
        handle
            .unlock(&Password::new("tidal wicker omen 9041".to_owned()), None)
            .await
            .unwrap();
        handles.push(handle);
    }
    let mut tasks = tokio::task::JoinSet::new();
    for (at, handle) in (0_u8..).zip(&handles) {
        for item in 0..7 {
            let handle = handle.clone();
            tasks.spawn(async move {
                let new = batch(1, 10 * (at + 1) + item, &[u32::from(item), u32::from(item) + 1]);
                handle.record_batch(new).await
            });
        }
    }
    let mut recorded = Vec::new();
    while let Some(done) = tasks.join_next().await {
        match done.unwrap() {
            Ok(number) => recorded.push(number),
            Err(error) => assert!(matches!(error, CustodyError::JobMoved), "{error:?}"),
        }
    }
    recorded.sort_unstable();
    let batches = scene
        .custody
        .job_batches(JobId::new([1; 16]), 0, 100)
        .await
        .unwrap();
    assert_eq!(
        batches.iter().map(|batch| batch.number).collect::<Vec<_>>(),
        recorded
    );
    let mut items: Vec<u32> = batches
        .iter()
        .flat_map(|batch| &batch.items)
        .map(|item| item.item)
        .collect();
    let count = items.len();
    items.sort_unstable();
    items.dedup();
    assert_eq!(items.len(), count, "an item is in two transactions");
    assert!(recorded.len() >= 3, "{recorded:?}");
    assert_sealed(&scene).await;
}

async fn an_end_stays_and_a_landing_wins(scene: Scene) {
    let custody = &scene.custody;
    let id = JobId::new([1; 16]);
    custody.create_job(new_job(&scene, 1, 2, 1)).await.unwrap();
    custody.record_batch(batch(1, 1, &[0])).await.unwrap();
    custody.record_batch(batch(1, 2, &[1])).await.unwrap();
    let expired = change(1, BatchState::Expired);
    assert_eq!(
        custody.update_batches(id, vec![expired.clone()]).await.unwrap(),
        std::slice::from_ref(&expired)
    );
    let told = custody
        .update_batches(
            id,
            vec![change(1, BatchState::Failed), change(2, BatchState::Finalized)],
        )
        .await
        .unwrap();
    assert_eq!(
        (told[0].state, told[1].state),
        (BatchState::Expired, BatchState::Finalized)
    );
    let told = custody
        .update_batches(
            id,
            vec![change(1, BatchState::Finalized), change(2, BatchState::Expired)],
        )
        .await
        .unwrap();
    assert_eq!(
        (told[0].state, told[1].state),
        (BatchState::Finalized, BatchState::Finalized)
    );
    assert_eq!(states(custody, id).await, ["confirmed", "confirmed"]);
    assert!(
        custody
            .update_batches(id, vec![change(3, BatchState::Sent)])
            .await
            .is_err()
    );
    let query = AuditQuery {
        operation: Some(Operation::Send),
        ..AuditQuery::default()
    };
    let page = custody.audit_entries(&query).await.unwrap();
    // Two recorded, and three ends.
    assert_eq!(page.total, 5);
}

async fn a_job_is_paused_resumed_cancelled_and_tried_again(scene: Scene) {
    let custody = &scene.custody;
    let id = JobId::new([1; 16]);
    custody.create_job(new_job(&scene, 1, 5, 1)).await.unwrap();
    for _ in 0..2 {
        custody.pause_job(id, "lunch").await.unwrap();
    }
    assert_eq!(custody.job(id).await.unwrap().state, JobState::Paused);
    custody.resume_job(id).await.unwrap();
    custody.record_batch(batch(1, 1, &[0])).await.unwrap();
    custody.record_batch(batch(1, 2, &[1])).await.unwrap();
    custody
        .update_batches(id, vec![change(2, BatchState::Failed)])
        .await
        .unwrap();
    custody
        .decide_items(id, Verdict::Failed, vec![(2, "bad".to_owned())])
        .await
        .unwrap();
    assert_eq!(
        states(custody, id).await,
        ["signed", "failed", "failed", "planned", "planned"]
    );
    assert_eq!(custody.retry_job(id).await.unwrap(), 2);
    assert_eq!(
        states(custody, id).await,
        ["signed", "planned", "planned", "planned", "planned"]
    );
    // It fails again: what was forgiven is only what was before.
    custody.record_batch(batch(1, 3, &[1])).await.unwrap();
    custody
        .update_batches(id, vec![change(3, BatchState::Failed)])
        .await
        .unwrap();
    assert_eq!(custody.cancel_job(id).await.unwrap(), 3);
    assert_eq!(
        states(custody, id).await,
        ["signed", "failed", "cancelled", "cancelled", "cancelled"]
    );
    for refused in [
        custody.resume_job(id).await,
        custody.pause_job(id, "").await,
        custody.retry_job(id).await.map(|_| ()),
    ] {
        assert!(
            matches!(refused, Err(CustodyError::Invalid { .. })),
            "{refused:?}"
        );
    }
    // What was under way and did not land is given up by asking once more.
    custody
        .update_batches(id, vec![change(1, BatchState::Expired)])
        .await
        .unwrap();
    assert_eq!(custody.cancel_job(id).await.unwrap(), 1);
    assert!(matches!(
        custody.cancel_job(JobId::new([9; 16])).await,
        Err(CustodyError::NotFound { .. })
    ));
    assert_sealed(&scene).await;
}

async fn a_locked_vault_follows_and_does_nothing_else(scene: Scene) {
    let custody = &scene.custody;
    let id = JobId::new([1; 16]);
    custody.create_job(new_job(&scene, 1, 3, 1)).await.unwrap();
    custody.record_batch(batch(1, 1, &[0])).await.unwrap();
    custody.lock().await;
    custody
        .update_batches(id, vec![change(1, BatchState::Finalized)])
        .await
        .unwrap();
    let refused = [
        custody.pause_job(id, "locked").await,
        custody.create_job(new_job(&scene, 2, 1, 1)).await.map(|_| ()),
        custody.record_batch(batch(1, 2, &[1])).await.map(|_| ()),
        custody
            .decide_items(id, Verdict::Failed, vec![(1, String::new())])
            .await
            .map(|_| ()),
        custody.resume_job(id).await,
        custody.cancel_job(id).await.map(|_| ()),
        custody.retry_job(id).await.map(|_| ()),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(CustodyError::Locked)), "{refused:?}");
    }
    assert_eq!(states(custody, id).await, ["confirmed", "planned", "planned"]);
    custody
        .unlock(&Password::new("tidal wicker omen 9041".to_owned()), None)
        .await
        .unwrap();
    assert_sealed(&scene).await;
}

async fn strange_jobs_are_refused(scene: Scene) {
    let custody = &scene.custody;
    let good = || new_job(&scene, 1, 3, 2);
    let mut strange: Vec<(&str, NewJob)> = Vec::new();
    let mut add = |what, change: fn(&mut NewJob)| {
        let mut job = good();
        change(&mut job);
        strange.push((what, job));
    };
    add("items", |job| job.items.clear());
    add("items", |job| job.items[1].number = 2);
    add("packing", |job| job.groups[0] = vec![0, 1, 2]);
    add("packing", |job| job.groups[0] = vec![0]);
    add("packing", |job| job.groups.push(Vec::new()));
    add("label", |job| job.label = "x".repeat(101));
    add("label", |job| job.label = "a\nb".to_owned());
    add("network", |job| job.network.clear());
    add("options", |job| job.options_json = "{".to_owned());
    add("memo", |job| job.items[0].memo = Some(String::new()));
    add("memo", |job| job.items[0].memo = Some("x".repeat(567)));
    add("amount", |job| job.items[0].amount = u64::MAX);
    add("amount", |job| {
        job.items[0].amount = 1 << 62;
        job.items[1].amount = 1 << 62;
    });
    for (expected, job) in strange {
        match custody.create_job(job).await {
            Err(CustodyError::Invalid { what, .. }) => assert_eq!(what, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
    let mut job = good();
    job.items[0].source = Address::new([7; 32]);
    assert!(matches!(
        custody.create_job(job).await,
        Err(CustodyError::NotFound { .. })
    ));
    custody.create_job(good()).await.unwrap();
    assert!(matches!(
        custody.create_job(good()).await,
        Err(CustodyError::Invalid { what: "job", .. })
    ));
}

/// Past the program, a row of a job is changed: the seal notices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_job_is_to_do_is_under_the_seal() {
    let scene = Scene::new(Place::file()).await;
    fill(&scene).await;
    assert_sealed(&scene).await;
    // A change that the seal does not follow, as one made past the program.
    let ask = Ask {
        job: Some(JobAsk {
            id: JobId::new([1; 16]),
            items: ItemsAsk::All,
            batches: Vec::new(),
            signature: None,
        }),
        ..Ask::default()
    };
    let items = scene.look(ask).await.job.unwrap().items;
    assert_eq!(items.len(), 5);
    let Place::File(folder) = &scene.place else {
        unreachable!()
    };
    for change in [
        "UPDATE transfers SET amount = '9' WHERE item = 0",
        "UPDATE transfers SET amount = '1' WHERE item = 0; DELETE FROM batch_items WHERE item = 2",
    ] {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("vault.db"));
        let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
        sqlx::raw_sql(change).execute(&mut connection).await.unwrap();
        let report = scene.custody.audit_verify(None).await.unwrap();
        assert!(matches!(report, AuditReport::Broken { .. }), "{change}");
    }
}
