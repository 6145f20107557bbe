//! Attempts: the same bytes count once, however often they are recorded.

use keyward_core::address::{Address, Signature};
use keyward_core::amount::Lamports;

use super::scene::{Place, Scene, open};
use crate::transfer::Repeat;
use crate::{AttemptQuery, Custody, CustodyError, NewAttempt, Password};

contract!(
    equal_bytes_that_are_signed_twice_are_one_payment,
    of_two_processes_that_sign_the_same_bytes_one_is_refused,
);

fn attempt(scene: &Scene, signature: u8) -> NewAttempt {
    NewAttempt {
        wallet: super::jobs::wallet(scene),
        recipient: Address::new([7; 32]),
        amount: Lamports::new(5).into(),
        signature: Signature::new([signature; 64]),
        transaction: vec![signature; 200],
        last_valid_block_height: 77,
        network: "test".to_owned(),
        nonce: None,
    }
}

async fn count(custody: &Custody) -> usize {
    custody.attempts(&AttemptQuery::default()).await.unwrap().len()
}

fn is_same_payment<T: std::fmt::Debug>(result: Result<T, CustodyError>, signature: u8) {
    assert!(
        matches!(&result, Err(CustodyError::SamePayment { signature: found }) if *found == Signature::new([signature; 64])),
        "{result:?}"
    );
}

/// Two payments that are meant would be one transaction on the chain: the second must not count as paid with it.
async fn equal_bytes_that_are_signed_twice_are_one_payment(scene: Scene) {
    let custody = &scene.custody;
    let id = custody
        .record_new_attempt(attempt(&scene, 1), Repeat::Refuse)
        .await
        .unwrap();
    // Also where the person says that it is a separate payment.
    for repeat in [Repeat::Refuse, Repeat::Separate] {
        is_same_payment(custody.record_new_attempt(attempt(&scene, 1), repeat).await, 1);
    }
    assert_eq!(count(custody).await, 1);
    // What came back from elsewhere is the attempt that it is: a file may be sent again.
    let again = custody.record_attempt(attempt(&scene, 1), Repeat::Refuse).await;
    assert_eq!(again.unwrap(), id);
    assert_eq!(count(custody).await, 1);
    // Other bytes are another payment, once that is said.
    is_same_payment(
        custody
            .record_new_attempt(attempt(&scene, 2), Repeat::Refuse)
            .await,
        1,
    );
    custody
        .record_new_attempt(attempt(&scene, 2), Repeat::Separate)
        .await
        .unwrap();
    assert_eq!(count(custody).await, 2);
}

async fn of_two_processes_that_sign_the_same_bytes_one_is_refused(scene: Scene) {
    let other = open(&scene.place, &scene.clock).await;
    let password = Password::new("tidal wicker omen 9041".to_owned());
    other.unlock(&password, None).await.unwrap();
    let both = [&scene.custody, &other].map(|custody| {
        let attempt = attempt(&scene, 3);
        custody.record_new_attempt(attempt, Repeat::Separate)
    });
    let results = futures_util::future::join_all(both).await;
    assert_eq!(
        results.iter().filter(|result| result.is_ok()).count(),
        1,
        "{results:?}"
    );
    for refused in results.into_iter().filter(Result::is_err) {
        is_same_payment(refused, 3);
    }
    assert_eq!(count(&scene.custody).await, 1);
}
