//! A staged rotation of the vault key that somebody else reaches into: with a statement of their own, or from another process.

use keyward_custody::{Custody, CustodyError, OpenOptions, Progress};

use crate::fixture::{Fixture, PASSWORD, password, transfer};
use crate::staged_rotation::{
    ActAt, READINGS_BEFORE_STAGING, in_chunks_of, resume, stopped_after, vault, works,
};

#[tokio::test]
async fn what_is_staged_and_changed_from_outside_never_comes_into_force() {
    for change in [
        "UPDATE staged_records SET sealed = zeroblob(120) WHERE row_id = 3 AND kind = 'wallet'",
        "UPDATE staged_records SET sealed = (SELECT o.sealed FROM staged_records o WHERE o.row_id = 4 AND o.kind = 'wallet') \
         WHERE row_id = 3 AND kind = 'wallet'",
        "UPDATE staged_records SET row_id = 999 WHERE row_id = 3 AND kind = 'wallet'",
        "UPDATE staged_records SET epoch = 3 WHERE row_id = 3 AND kind = 'wallet'",
        "UPDATE staged_records SET mac = zeroblob(32) WHERE row_id = 3 AND kind = 'wallet'",
        "UPDATE staged_records SET source = (SELECT o.source FROM staged_records o WHERE o.row_id = 4 AND o.kind = 'wallet') \
         WHERE row_id = 3 AND kind = 'wallet'",
        "UPDATE vault_key_rotations SET header = (SELECT header FROM vaults)",
        "UPDATE vault_key_rotations SET header = zeroblob(10)",
    ] {
        let fixture = Fixture::new();
        let custody = vault(&fixture).await;
        stopped_after(&fixture, 3, 5).await;
        assert_eq!(fixture.sql(change).await, 1, "{change}");
        let outcome = custody.rotate_vault_key(&password(), None).await;
        match outcome {
            // A record that seems to be of something older is sealed again, from the one in force.
            Ok(_) => assert!(change.contains("SET source"), "{change}"),
            Err(error) => {
                assert!(
                    matches!(error, CustodyError::RotationUnfit { .. }),
                    "{change}: {error}"
                );
                custody.sign_transaction(transfer(5, 1)).await.unwrap();
                assert!(custody.abandon_rotation(&password(), None).await.unwrap());
                custody.rotate_vault_key(&password(), None).await.unwrap();
            }
        }
        works(&fixture, &custody, 2, 24).await;
    }
}

#[tokio::test]
async fn a_staged_header_of_somebody_elses_password_is_not_used() {
    let fixture = Fixture::new();
    let custody = vault(&fixture).await;
    stopped_after(&fixture, 1, 5).await;
    // Another vault's header of the next epoch, with the same password: made by its owner as well, and not for this vault.
    let stranger = Fixture::new();
    vault(&stranger).await;
    stopped_after(&stranger, 0, 5).await;
    let header = stranger.blob("SELECT header FROM vault_key_rotations").await;
    fixture
        .sql(&format!(
            "UPDATE vault_key_rotations SET header = x'{}'",
            hex::encode(header)
        ))
        .await;
    let error = custody.rotate_vault_key(&password(), None).await.unwrap_err();
    assert!(matches!(error, CustodyError::RotationUnfit { .. }), "{error}");
    assert!(!error.to_string().contains(PASSWORD));
}

#[tokio::test]
async fn thrown_away_by_another_process_it_stops() {
    for is_begun_anew in [false, true] {
        let fixture = Fixture::new();
        let custody = vault(&fixture).await;
        let (location, other_options) = (fixture.location(), fixture.options());
        // With everything staged, before the switch: another process, with a runtime of its own.
        let act = move || {
            let other = async move {
                let other = Custody::open(&location, other_options).await.unwrap();
                assert!(other.abandon_rotation(&password(), None).await.unwrap());
                if is_begun_anew {
                    let progress = Progress::new();
                    progress.cancel();
                    let options = in_chunks_of(5, progress);
                    let stopped = other.rotate_vault_key_with(&password(), None, &options).await;
                    assert_eq!(stopped.unwrap_err().code(), "rotation-stopped");
                }
            };
            let thread = std::thread::spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(other);
            });
            thread.join().unwrap();
        };
        let options = OpenOptions {
            clock: ActAt::new(READINGS_BEFORE_STAGING + 2, act),
            ..fixture.options()
        };
        let rotating = Custody::open(&fixture.location(), options).await.unwrap();
        let error = rotating.rotate_vault_key(&password(), None).await.unwrap_err();
        assert!(matches!(error, CustodyError::RotationAbandoned), "{error}");
        assert_eq!(custody.rotation_status().await.unwrap().is_some(), is_begun_anew);
        custody.sign_transaction(transfer(5, 1)).await.unwrap();
        let rotation = custody.rotate_vault_key(&password(), None).await.unwrap();
        assert_eq!(rotation.resumed, is_begun_anew);
        works(&fixture, &custody, 2, 24).await;
    }
}

#[tokio::test]
async fn stopped_in_the_switch_itself_nothing_of_it_is_there() {
    let fixture = Fixture::new();
    let custody = vault(&fixture).await;
    stopped_after(&fixture, 1, 100).await;
    // The last of its writes fails.
    fixture.place.refuse_inserts("audit_keys").await;
    assert!(custody.rotate_vault_key(&password(), None).await.is_err());
    fixture.place.allow_inserts("audit_keys").await;
    assert_eq!(
        fixture
            .number("SELECT COUNT(*) FROM wallets WHERE epoch = 1")
            .await,
        24
    );
    custody.sign_transaction(transfer(5, 1)).await.unwrap();
    resume(&custody).await;
    works(&fixture, &custody, 2, 24).await;
}
