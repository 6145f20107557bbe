//! Attempts: durable before sending, followed to one end.

use keyward_core::address::Signature;
use keyward_core::amount::Lamports;
use keyward_core::audit::{Operation, Outcome};
use keyward_custody::AttemptState::{Confirmed, Expired, Failed, Finalized, Sent, Signed};
use keyward_custody::transfer::Repeat;
use keyward_custody::{AttemptId, AttemptQuery, AuditQuery, Custody, CustodyError, NewAttempt, Password};

use crate::fixture::{Fixture, NETWORK, PASSWORD, first, recipient};

fn attempt(nonce: u8) -> NewAttempt {
    NewAttempt {
        wallet: first(),
        recipient: recipient(),
        amount: Lamports::new(5).into(),
        signature: Signature::new([nonce; 64]),
        transaction: vec![nonce; 300],
        last_valid_block_height: 77,
        network: NETWORK.to_owned(),
        nonce: None,
    }
}

/// What an attempt is moved to.
type Move = (keyward_custody::AttemptState, Option<u64>, Option<String>);

async fn only(custody: &Custody, id: AttemptId) -> keyward_custody::Attempt {
    let all = custody
        .attempts(&AttemptQuery {
            limit: 1000,
            ..AttemptQuery::default()
        })
        .await
        .unwrap();
    all.into_iter().find(|attempt| attempt.id == id).unwrap()
}

#[tokio::test]
async fn recorded_once_and_found_after_a_restart() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let id = custody
        .record_attempt(attempt(1), Repeat::Separate)
        .await
        .unwrap();
    assert_eq!(
        custody
            .record_attempt(attempt(1), Repeat::Separate)
            .await
            .unwrap(),
        id
    );
    let other = NewAttempt {
        transaction: vec![9],
        ..attempt(1)
    };
    assert!(matches!(
        custody.record_attempt(other, Repeat::Separate).await,
        Err(CustodyError::Invalid { .. })
    ));
    let second = custody
        .record_attempt(attempt(2), Repeat::Separate)
        .await
        .unwrap();
    custody
        .update_attempt(second, Finalized, Some(9), None)
        .await
        .unwrap();
    custody.close().await.unwrap();

    let custody = fixture.open().await;
    let open = AttemptQuery {
        unresolved_only: true,
        wallet: Some(first()),
        ..AttemptQuery::default()
    };
    let unresolved = custody.attempts(&open).await.unwrap();
    assert_eq!(unresolved.len(), 1);
    assert_eq!((unresolved[0].id, unresolved[0].state), (id, Signed));
    assert_eq!(unresolved[0].new.transaction, attempt(1).transaction);
    assert_eq!(unresolved[0].new.last_valid_block_height, 77);
    let strangers = AttemptQuery {
        wallet: Some(recipient()),
        ..AttemptQuery::default()
    };
    assert!(custody.attempts(&strangers).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_attempt_ends_once() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let error = || Some("custom program error".to_owned());
    let ways: [&[Move]; 4] = [
        &[
            (Sent, None, None),
            (Sent, None, None),
            (Confirmed, Some(5), None),
            (Finalized, Some(5), None),
        ],
        // A fork takes the landing back, and it lands again.
        &[
            (Sent, None, None),
            (Confirmed, Some(5), None),
            (Sent, None, None),
            (Finalized, Some(6), None),
        ],
        &[(Sent, None, None), (Failed, Some(5), error())],
        &[(Sent, None, None), (Expired, None, None)],
    ];
    for (nonce, way) in (1..).zip(ways) {
        let id = custody
            .record_attempt(attempt(nonce), Repeat::Separate)
            .await
            .unwrap();
        for (state, slot, error) in way {
            custody
                .update_attempt(id, *state, *slot, error.clone())
                .await
                .unwrap();
        }
        let (end, slot, error) = way.last().unwrap();
        let found = only(&custody, id).await;
        assert_eq!((found.state, found.slot, &found.error), (*end, *slot, error));
        for state in [Signed, Sent, Confirmed, Finalized, Failed, Expired] {
            let moved = custody.update_attempt(id, state, Some(8), None).await;
            assert_eq!(moved.is_ok(), state == *end, "{end:?} to {state:?}");
        }
        assert_eq!(only(&custody, id).await.slot, *slot);
    }
    let ends = AuditQuery {
        operation: Some(Operation::Send),
        newest_first: false,
        ..AuditQuery::default()
    };
    let outcomes: Vec<_> = custody
        .audit_entries(&ends)
        .await
        .unwrap()
        .rows
        .iter()
        .map(|row| row.outcome)
        .collect();
    use Outcome::{Authorised, Done};
    assert_eq!(
        outcomes,
        [
            Authorised,
            Done,
            Authorised,
            // Confirmed, taken back by a fork, and confirmed anew.
            Done,
            Done,
            Authorised,
            Outcome::Failed,
            Authorised,
            Outcome::Failed
        ]
    );
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let id = custody
        .record_attempt(attempt(1), Repeat::Separate)
        .await
        .unwrap();
    assert!(matches!(
        custody.update_attempt(id, Confirmed, None, None).await,
        Err(CustodyError::Invalid { .. })
    ));
    let foreign = NewAttempt {
        wallet: recipient(),
        ..attempt(3)
    };
    assert!(matches!(
        custody.record_attempt(foreign, Repeat::Separate).await,
        Err(CustodyError::NotFound { .. })
    ));
    for bad in [
        NewAttempt {
            transaction: Vec::new(),
            ..attempt(3)
        },
        NewAttempt {
            transaction: vec![1; 4097],
            ..attempt(3)
        },
        NewAttempt {
            network: "x".repeat(129),
            ..attempt(3)
        },
        NewAttempt {
            amount: Lamports::new(u64::MAX).into(),
            ..attempt(3)
        },
        NewAttempt {
            last_valid_block_height: u64::MAX,
            ..attempt(3)
        },
    ] {
        assert!(matches!(
            custody.record_attempt(bad, Repeat::Separate).await,
            Err(CustodyError::Invalid { .. })
        ));
    }
    let too_many = AttemptQuery {
        limit: 1001,
        ..AttemptQuery::default()
    };
    assert!(matches!(
        custody.attempts(&too_many).await,
        Err(CustodyError::Invalid { .. })
    ));
    custody.lock().await;
    assert!(matches!(
        custody.record_attempt(attempt(4), Repeat::Separate).await,
        Err(CustodyError::Locked)
    ));
    // Following one needs no key.
    custody
        .update_attempt(id, Finalized, Some(3), None)
        .await
        .unwrap();
    assert_eq!(only(&custody, id).await.state, Finalized);
}

#[tokio::test]
async fn the_same_payment_is_refused_until_the_first_has_ended() {
    let fixture = Fixture::new();
    let (one, two) = (fixture.vault(1).await, fixture.open().await);
    two.unlock(&Password::new(PASSWORD.to_owned()), None)
        .await
        .unwrap();
    let first = one.record_attempt(attempt(1), Repeat::Refuse).await.unwrap();
    // Another process, whose own look found nothing a moment ago.
    let refused = two.record_attempt(attempt(2), Repeat::Refuse).await;
    assert!(
        matches!(&refused, Err(CustodyError::SamePayment { signature }) if *signature == attempt(1).signature),
        "{refused:?}"
    );
    let other = NewAttempt {
        amount: Lamports::new(6).into(),
        ..attempt(3)
    };
    two.record_attempt(other, Repeat::Refuse).await.unwrap();
    two.record_attempt(attempt(4), Repeat::Separate).await.unwrap();
    one.update_attempt(first, Expired, None, None).await.unwrap();
    let refused = two.record_attempt(attempt(5), Repeat::Refuse).await;
    assert!(
        matches!(refused, Err(CustodyError::SamePayment { .. })),
        "the separate one is still under way"
    );
}

#[tokio::test]
async fn a_confirmed_transfer_ends_in_the_log_once() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let id = custody.record_attempt(attempt(1), Repeat::Refuse).await.unwrap();
    custody.update_attempt(id, Sent, None, None).await.unwrap();
    custody
        .update_attempt(id, Confirmed, Some(5), None)
        .await
        .unwrap();
    custody
        .update_attempt(id, Finalized, Some(5), None)
        .await
        .unwrap();
    let query = AuditQuery {
        operation: Some(Operation::Send),
        outcome: Some(Outcome::Done),
        ..AuditQuery::default()
    };
    assert_eq!(custody.audit_entries(&query).await.unwrap().total, 1);
}
