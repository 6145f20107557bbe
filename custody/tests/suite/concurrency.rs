//! Several processes on one file: what one may not exceed, they may not together.

use std::collections::BTreeSet;

use keyward_core::audit::{Operation, Outcome};
use keyward_custody::{AuditQuery, AuditReport, Custody, SignError, SignRequest};

use crate::fixture::{Fixture, transfer};

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
