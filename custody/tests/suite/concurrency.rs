//! Several processes on one file: what one may not exceed, they may not together.

use std::collections::BTreeSet;

use keyward_core::audit::{Operation, Outcome};
use keyward_custody::{
    AuditQuery, AuditReport, Custody, CustodyError, DeriveRequest, Progress, SignError, SignRequest,
};

use crate::fixture::{Fixture, new_vault, transfer};

async fn together(handles: &[Custody], requests: Vec<SignRequest>) -> Vec<Result<Vec<u8>, SignError>> {
    let tasks: Vec<_> = requests
        .into_iter()
        .enumerate()
        .map(|(at, request)| {
            let custody = handles[at % handles.len()].clone();
            tokio::spawn(async move { custody.sign_transaction(request).await.map(|signed| signed.bytes) })
        })
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rate_limit_holds_for_all_handles_together() {
    let fixture = Fixture::new();
    let handles = [
        fixture.vault(1).await,
        fixture.unlocked().await,
        fixture.unlocked().await,
    ];
    let requests = (1..=130).map(|lamports| transfer(lamports, 1)).collect();
    let results = together(&handles, requests).await;
    let signed = results.iter().filter(|result| result.is_ok()).count();
    let limited = results
        .iter()
        .filter(|result| matches!(result, Err(SignError::RateLimited { .. })))
        .count();
    assert_eq!((signed, limited), (100, 30));
    assert_eq!(
        fixture.number("SELECT COUNT(*) FROM spend_reservations").await,
        100
    );
    let report = handles[2].audit_verify(None).await.unwrap();
    assert!(matches!(report, AuditReport::Intact { .. }), "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_intent_asked_for_by_many_is_reserved_once() {
    let fixture = Fixture::new();
    let handles = [fixture.vault(1).await, fixture.unlocked().await];
    let results = together(&handles, (0..20).map(|_| transfer(7, 1)).collect()).await;
    let distinct: BTreeSet<Vec<u8>> = results.into_iter().map(Result::unwrap).collect();
    assert_eq!(distinct.len(), 1);
    assert_eq!(fixture.number("SELECT COUNT(*) FROM spend_reservations").await, 1);
    // Whoever asks before the first signature is recorded is authorised anew, and uses the key once more.
    let count = async |outcome| {
        let query = AuditQuery {
            operation: Some(Operation::SignTransaction),
            outcome: Some(outcome),
            ..AuditQuery::default()
        };
        handles[0].audit_entries(&query).await.unwrap().total
    };
    let authorised = count(Outcome::Authorised).await;
    assert!((1..=20).contains(&authorised), "{authorised}");
    assert_eq!(authorised, count(Outcome::Signed).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_handles_may_open_a_new_file_at_once() {
    let fixture = std::sync::Arc::new(Fixture::new());
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let fixture = fixture.clone();
            tokio::spawn(async move { Custody::open(&fixture.location(), fixture.options()).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(fixture.number("SELECT COUNT(*) FROM vaults").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn indices_are_handed_out_once_among_all_handles() {
    let fixture = Fixture::new();
    let mut handles = vec![fixture.vault(0).await];
    for _ in 0..3 {
        handles.push(fixture.unlocked().await);
    }
    let tasks: Vec<_> = (0..24)
        .map(|task| {
            let custody = handles[task % handles.len()].clone();
            let request = DeriveRequest {
                count: 3,
                ..DeriveRequest::default()
            };
            tokio::spawn(async move {
                // Whoever was overtaken several times is told so, and asks again.
                for _ in 0..1_000 {
                    match custody.derive_wallets(request, &Progress::new()).await {
                        Err(CustodyError::Busy) => {}
                        other => return other,
                    }
                }
                Err(CustodyError::Busy)
            })
        })
        .collect();
    let mut indices = BTreeSet::new();
    for task in tasks {
        let range = task.await.unwrap().unwrap();
        assert_eq!(range.added, 3);
        indices.extend(range.first..range.first + 3);
    }
    assert!(indices.into_iter().eq(0..72));
    assert_eq!(fixture.number("SELECT COUNT(*) FROM wallets").await, 72);
    assert_eq!(fixture.number("SELECT next_index FROM derivations").await, 72);
    let report = handles[0].audit_verify(None).await.unwrap();
    assert!(matches!(report, AuditReport::Intact { .. }), "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_vaults_made_at_once_there_is_one() {
    let fixture = Fixture::new();
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let custody = fixture.open().await;
        tasks.push(tokio::spawn(
            async move { custody.create_vault(new_vault()).await },
        ));
    }
    let mut made = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => made += 1,
            Err(error) => assert!(matches!(error, CustodyError::AlreadyInitialised), "{error:?}"),
        }
    }
    assert_eq!(made, 1);
    let custody = fixture.unlocked().await;
    let report = custody.audit_verify(None).await.unwrap();
    assert!(matches!(report, AuditReport::Intact { .. }), "{report:?}");
}
