//! The process ends after each of the five steps: nothing is signed without its authorisation, nothing is free.

use keyward_core::audit::{Operation, Outcome};
use keyward_custody::{AuditQuery, AuditReport, Custody, SigningStep};

use crate::fixture::{Fixture, transfer};

struct Found {
    intents: i64,
    reservations: i64,
    signatures: i64,
    authorised: u64,
    signed: u64,
}

async fn look(fixture: &Fixture, custody: &Custody) -> Found {
    let count = async |outcome| {
        let query = AuditQuery {
            operation: Some(Operation::SignTransaction),
            outcome: Some(outcome),
            ..AuditQuery::default()
        };
        custody.audit_entries(&query).await.unwrap().total
    };
    let found = Found {
        intents: fixture.number("SELECT COUNT(*) FROM intents").await,
        reservations: fixture.number("SELECT COUNT(*) FROM spend_reservations").await,
        signatures: fixture
            .number("SELECT COUNT(*) FROM intents WHERE signature IS NOT NULL")
            .await,
        authorised: count(Outcome::Authorised).await,
        signed: count(Outcome::Signed).await,
    };
    let report = custody.audit_verify(None).await.unwrap();
    assert!(matches!(report, AuditReport::Intact { .. }), "{report:?}");
    found
}

/// Ends after the step, starts again, asks again.
async fn end_after(step: SigningStep, authorised: bool, signed: bool) {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    *fixture.steps.end_after.lock().unwrap() = Some(step);
    let task = tokio::spawn(async move { custody.sign_transaction(transfer(7, 1)).await.map(|_| ()) });
    assert!(task.await.unwrap_err().is_panic());
    *fixture.steps.end_after.lock().unwrap() = None;

    let custody = fixture.unlocked().await;
    let after = look(&fixture, &custody).await;
    let (one, done) = (i64::from(authorised), i64::from(signed));
    assert_eq!(
        (after.intents, after.reservations, after.signatures),
        (one, one, done),
        "{step:?}"
    );
    assert_eq!(
        (after.authorised, after.signed),
        (u64::from(authorised), u64::from(signed)),
        "{step:?}"
    );

    let first = custody.sign_transaction(transfer(7, 1)).await.unwrap();
    let again = custody.sign_transaction(transfer(7, 1)).await.unwrap();
    assert_eq!(first.bytes, again.bytes);
    let last = look(&fixture, &custody).await;
    assert_eq!(
        (last.intents, last.reservations, last.signatures),
        (1, 1, 1),
        "{step:?}"
    );
    // What was authorised and not signed is authorised anew, before the key is used again.
    let renewed = u64::from(authorised && !signed);
    assert_eq!((last.authorised, last.signed), (1 + renewed, 1), "{step:?}");
}

#[tokio::test]
async fn ended_after_the_checks() {
    end_after(SigningStep::Checked, false, false).await;
}

#[tokio::test]
async fn ended_after_the_evaluation() {
    end_after(SigningStep::Evaluated, false, false).await;
}

#[tokio::test]
async fn ended_after_the_authorisation() {
    end_after(SigningStep::Authorised, true, false).await;
}

#[tokio::test]
async fn ended_after_the_key_was_used() {
    end_after(SigningStep::KeyUsed, true, false).await;
}

#[tokio::test]
async fn ended_after_the_record() {
    end_after(SigningStep::Recorded, true, true).await;
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_the_store_in_order() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    for nonce in 0..40 {
        let sign = custody.sign_transaction(transfer(7, nonce));
        // Polled a few times and dropped, each time a little later.
        let mut sign = Box::pin(sign);
        let waker = std::task::Waker::noop();
        let mut context = std::task::Context::from_waker(waker);
        for _ in 0..nonce {
            if sign.as_mut().poll(&mut context).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(sign);
    }
    custody.sign_transaction(transfer(7, 200)).await.unwrap();
    let found = look(&fixture, &custody).await;
    assert_eq!(found.intents, found.reservations);
    assert_eq!(u64::try_from(found.intents), Ok(found.authorised));
    assert_eq!(u64::try_from(found.signatures), Ok(found.signed));
}
