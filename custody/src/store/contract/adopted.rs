//! A job that is stored again with what the chain knows of it: whole, or not at all.

use std::time::Duration;

use keyward_core::address::Signature;
use keyward_core::amount::Lamports;
use keyward_core::audit::{Operation, Outcome};

use super::jobs::new_job;
use super::scene::{Place, Scene, open};
use crate::jobs::{Adopted, BatchItem, BatchState, JobId};
use crate::{AuditQuery, AuditReport, Custody, CustodyError, Password};

contract!(
    a_rebuilt_job_has_all_that_the_chain_knows,
    a_rebuild_that_fails_at_its_end_leaves_nothing,
    a_rebuild_that_is_dropped_at_any_moment_is_whole_or_not_there,
    an_item_that_was_paid_twice_is_refused,
);

/// A finalized transaction with these items.
fn adopted(signature: u8, items: &[u32]) -> Adopted {
    Adopted {
        signature: Signature::new([signature; 64]),
        transaction: vec![signature; 200],
        slot: 70 + u64::from(signature),
        fee: Lamports::new(5_000),
        items: items
            .iter()
            .map(|item| BatchItem {
                item: *item,
                amount: u64::from(*item) + 1,
                instructions: 1,
            })
            .collect(),
    }
}

/// What the log tells of jobs and what they sent.
async fn entries(custody: &Custody) -> u64 {
    let mut total = 0;
    for operation in [Operation::CreateJob, Operation::Send] {
        let query = AuditQuery {
            operation: Some(operation),
            ..AuditQuery::default()
        };
        total += custody.audit_entries(&query).await.unwrap().total;
    }
    total
}

async fn is_intact(custody: &Custody) {
    match custody.audit_verify(None).await.unwrap() {
        AuditReport::Intact { .. } => {}
        AuditReport::Broken { sequence, reason } => panic!("{sequence}: {reason}"),
    }
}

/// What a look at the job says: nothing of it, or all.
async fn expect_whole_or_nothing(custody: &Custody, id: JobId, items: u64, transactions: u64) -> bool {
    match custody.job(id).await {
        Err(CustodyError::NotFound { .. }) => false,
        Err(error) => panic!("{error}"),
        Ok(job) => {
            assert_eq!((job.counts.total, job.counts.done), (items, items));
            assert_eq!(job.counts.batches, transactions);
            true
        }
    }
}

async fn a_rebuilt_job_has_all_that_the_chain_knows(scene: Scene) {
    let id = JobId::new([1; 16]);
    let found = vec![adopted(1, &[3, 0]), adopted(2, &[4])];
    scene
        .custody
        .create_job_with(new_job(&scene, 1, 5, 2), found)
        .await
        .unwrap();
    let again = open(&scene.place, &scene.clock).await;
    let job = again.job(id).await.unwrap();
    assert_eq!((job.counts.done, job.counts.planned), (3, 2));
    assert_eq!((job.counts.batches, job.counts.fees), (2, 10_000));
    assert_eq!((job.counts.in_flight, job.counts.settling), (0, 0));
    let batches = again.job_batches(id, 0, 10).await.unwrap();
    let told: Vec<_> = batches
        .iter()
        .map(|batch| (batch.state, batch.slot, batch.signature))
        .collect();
    let expected = [1_u8, 2].map(|one| {
        let slot = Some(70 + u64::from(one));
        (BatchState::Finalized, slot, Signature::new([one; 64]))
    });
    assert_eq!(told, expected);
    // The log tells each of them.
    let query = AuditQuery {
        operation: Some(Operation::Send),
        outcome: Some(Outcome::Done),
        ..AuditQuery::default()
    };
    assert_eq!(scene.custody.audit_entries(&query).await.unwrap().total, 2);
    is_intact(&scene.custody).await;
}

async fn a_rebuild_that_fails_at_its_end_leaves_nothing(scene: Scene) {
    let custody = &scene.custody;
    let before = entries(custody).await;
    // The store itself refuses the last of many writes: its signature is there already.
    let mut found: Vec<Adopted> = (0..20).map(|item| adopted(item as u8 + 1, &[item])).collect();
    found.push(adopted(1, &[20]));
    let error = custody.create_job_with(new_job(&scene, 1, 30, 5), found).await;
    assert!(error.is_err(), "{error:?}");
    let job = custody.job(JobId::new([1; 16])).await;
    assert!(matches!(job, Err(CustodyError::NotFound { .. })), "{job:?}");
    assert_eq!(entries(custody).await, before, "nor does the log tell of it");
    is_intact(custody).await;
    // Nothing of it is in the way of the right one.
    let found = (0..20).map(|item| adopted(item as u8 + 1, &[item])).collect();
    custody
        .create_job_with(new_job(&scene, 1, 20, 5), found)
        .await
        .unwrap();
    assert!(expect_whole_or_nothing(custody, JobId::new([1; 16]), 20, 20).await);
    is_intact(custody).await;
}

/// However far the call had come: what another process sees then is all of it, or none.
async fn a_rebuild_that_is_dropped_at_any_moment_is_whole_or_not_there(scene: Scene) {
    let other = open(&scene.place, &scene.clock).await;
    for attempt in 1..=24_u8 {
        let id = JobId::new([attempt; 16]);
        let found = (0..4)
            .map(|at| adopted(attempt * 8 + at, &[u32::from(at)]))
            .collect();
        let rebuilding = scene
            .custody
            .create_job_with(new_job(&scene, attempt, 4, 1), found);
        // Whatever the moment is, what follows holds.
        let bound = Duration::from_micros(u64::from(attempt - 1) * 300);
        let ended = tokio::time::timeout(bound, rebuilding).await;
        let is_there = expect_whole_or_nothing(&other, id, 4, 4).await;
        if let Ok(result) = ended {
            result.unwrap();
            assert!(is_there, "what was answered is stored");
        }
    }
    // Whole or not, the same call once more ends with all of it, or says that it is there.
    for attempt in 1..=24_u8 {
        let found = (0..4)
            .map(|at| adopted(attempt * 8 + at, &[u32::from(at)]))
            .collect();
        let job = new_job(&scene, attempt, 4, 1);
        let id = job.id;
        match scene.custody.create_job_with(job, found).await {
            Ok(_) | Err(CustodyError::Invalid { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        assert!(expect_whole_or_nothing(&scene.custody, id, 4, 4).await);
    }
    is_intact(&scene.custody).await;
}

async fn an_item_that_was_paid_twice_is_refused(scene: Scene) {
    let custody = &scene.custody;
    let before = entries(custody).await;
    for found in [
        vec![adopted(1, &[0]), adopted(2, &[1, 0])],
        vec![adopted(1, &[1, 1])],
        vec![adopted(1, &[0]), adopted(2, &[5])],
    ] {
        let refused = custody.create_job_with(new_job(&scene, 1, 5, 2), found).await;
        assert!(
            matches!(refused, Err(CustodyError::Invalid { .. })),
            "{refused:?}"
        );
    }
    let job = custody.job(JobId::new([1; 16])).await;
    assert!(matches!(job, Err(CustodyError::NotFound { .. })), "{job:?}");
    // A locked vault stores nothing at all, and one that is there is not written over.
    custody.lock().await;
    let refused = custody
        .create_job_with(new_job(&scene, 1, 5, 2), Vec::new())
        .await;
    assert!(matches!(refused, Err(CustodyError::Locked)), "{refused:?}");
    let password = Password::new("tidal wicker omen 9041".to_owned());
    custody.unlock(&password, None).await.unwrap();
    custody
        .create_job_with(new_job(&scene, 1, 5, 2), vec![adopted(1, &[0])])
        .await
        .unwrap();
    let refused = custody
        .create_job_with(new_job(&scene, 1, 5, 2), vec![adopted(3, &[0, 1])])
        .await;
    assert!(
        matches!(refused, Err(CustodyError::Invalid { .. })),
        "{refused:?}"
    );
    assert_eq!(custody.job(JobId::new([1; 16])).await.unwrap().counts.done, 1);
    assert_eq!(entries(custody).await, before + 2);
}
