//! Creating, unlocking, locking, lockout, passwords.

use keyward_core::audit::{Operation, Outcome};
use keyward_core::vault::SecondFactor;
use keyward_custody::{AuditQuery, AuditReport, CustodyError, Password, PasswordError, VaultStatus};

use crate::fixture::{Fixture, NETWORK, PASSWORD, new_vault, password, transfer};

fn wrong() -> Password {
    Password::new("not the password at all".to_owned())
}

#[tokio::test]
async fn a_new_store_is_empty_and_says_so() {
    let fixture = Fixture::new();
    let custody = fixture.open().await;
    assert!(matches!(custody.status().await.unwrap(), VaultStatus::Empty));
    assert!(matches!(
        custody.unlock(&password(), None).await,
        Err(CustodyError::NotInitialised)
    ));
    assert!(matches!(
        custody.policy().await,
        Err(CustodyError::NotInitialised)
    ));
    assert!(matches!(
        custody.audit_verify(None).await,
        Err(CustodyError::NotInitialised)
    ));
    let error = custody.sign_transaction(transfer(1, 1)).await.unwrap_err();
    assert_eq!(error.code(), "not-initialised");
    let error = custody
        .preview(&transfer(1, 1).transaction, NETWORK)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "not-initialised");
}

#[tokio::test]
async fn create_lock_unlock_across_handles() {
    let fixture = Fixture::new();
    let custody = fixture.vault(3).await;
    let VaultStatus::Unlocked(created) = custody.status().await.unwrap() else {
        panic!("locked")
    };
    assert_eq!((created.wallet_count, created.needs_second_factor), (3, false));
    assert_eq!(created.kdf.to_string(), "scrypt-16384");
    assert!(matches!(
        custody.create_vault(new_vault()).await,
        Err(CustodyError::AlreadyInitialised)
    ));
    custody.lock().await;
    custody.lock().await;
    assert!(!custody.is_unlocked());
    assert!(matches!(
        custody.set_label(&crate::fixture::first(), "x").await,
        Err(CustodyError::Locked)
    ));
    custody.close().await.unwrap();

    let again = fixture.open().await;
    let VaultStatus::Locked(summary) = again.status().await.unwrap() else {
        panic!("unlocked")
    };
    assert_eq!(summary.id, created.id);
    again.unlock(&password(), None).await.unwrap();
    assert!(again.clone().is_unlocked());
    assert!(matches!(
        again.audit_verify(None).await.unwrap(),
        AuditReport::Intact { entries: 4, .. }
    ));
}

#[tokio::test]
async fn weak_passwords_make_no_vault() {
    let fixture = Fixture::new();
    let custody = fixture.open().await;
    let mut new = new_vault();
    new.password = Password::new("password1234".to_owned());
    let error = custody.create_vault(new).await.unwrap_err();
    assert!(
        matches!(error, CustodyError::WeakPassword(PasswordError::Guessable { .. })),
        "{error}"
    );
    assert!(matches!(custody.status().await.unwrap(), VaultStatus::Empty));
}

#[tokio::test]
async fn the_second_factor_is_asked_for_and_needed() {
    let fixture = Fixture::new();
    let custody = fixture.open().await;
    let factor = SecondFactor::parse(&"5a".repeat(32)).unwrap();
    let other = SecondFactor::parse(&"5b".repeat(32)).unwrap();
    let mut new = new_vault();
    new.second_factor = Some(SecondFactor::parse(&"5a".repeat(32)).unwrap());
    assert!(custody.create_vault(new).await.unwrap().needs_second_factor);
    custody.lock().await;
    assert!(matches!(
        custody.unlock(&password(), None).await,
        Err(CustodyError::SecondFactorMissing)
    ));
    assert!(matches!(
        custody.unlock(&password(), Some(&other)).await,
        Err(CustodyError::WrongPassword)
    ));
    custody.unlock(&password(), Some(&factor)).await.unwrap();

    let next = Password::new("another wicker omen 77".to_owned());
    custody
        .change_password(&password(), &next, Some(&factor))
        .await
        .unwrap();
    custody.lock().await;
    assert!(matches!(
        custody.unlock(&next, None).await,
        Err(CustodyError::SecondFactorMissing)
    ));
    custody.unlock(&next, Some(&factor)).await.unwrap();
}

#[tokio::test]
async fn changing_the_password_keeps_the_wallets_and_their_keys() {
    let fixture = Fixture::new();
    let custody = fixture.vault(2).await;
    let next = Password::new("another wicker omen 77".to_owned());
    assert!(matches!(
        custody.change_password(&wrong(), &next, None).await,
        Err(CustodyError::WrongPassword)
    ));
    let weak = Password::new("short".to_owned());
    assert!(matches!(
        custody.change_password(&password(), &weak, None).await,
        Err(CustodyError::WeakPassword(_))
    ));
    custody.change_password(&password(), &next, None).await.unwrap();
    assert!(custody.is_unlocked());
    custody.lock().await;
    assert!(matches!(
        custody.unlock(&password(), None).await,
        Err(CustodyError::WrongPassword)
    ));
    // A locked vault can have its password changed too, and stays locked.
    let third = Password::new("a third wicker omen 55".to_owned());
    custody.change_password(&next, &third, None).await.unwrap();
    assert!(!custody.is_unlocked());
    custody.unlock(&third, None).await.unwrap();
    custody.sign_transaction(transfer(5, 1)).await.unwrap();
    assert!(matches!(
        custody.audit_verify(None).await.unwrap(),
        AuditReport::Intact { .. }
    ));
}

#[tokio::test]
async fn wrong_passwords_lock_out_for_longer_and_longer_across_restarts() {
    let fixture = Fixture::new();
    let custody = fixture.vault(0).await;
    custody.close().await.unwrap();
    let custody = fixture.open().await;
    for _ in 0..5 {
        assert!(matches!(
            custody.unlock(&wrong(), None).await,
            Err(CustodyError::WrongPassword)
        ));
    }
    // Now even the right password waits, in another process too.
    let other = fixture.open().await;
    for handle in [&custody, &other] {
        let error = handle.unlock(&password(), None).await.unwrap_err();
        assert!(
            matches!(
                error,
                CustodyError::LockedOut {
                    retry_after_ms: 30_000
                }
            ),
            "{error}"
        );
    }
    fixture.clock.advance(30_000);
    assert!(matches!(
        other.unlock(&wrong(), None).await,
        Err(CustodyError::WrongPassword)
    ));
    let error = custody.unlock(&password(), None).await.unwrap_err();
    assert!(
        matches!(
            error,
            CustodyError::LockedOut {
                retry_after_ms: 60_000
            }
        ),
        "{error}"
    );
    let shown = custody.lockout().await.unwrap();
    assert_eq!(shown.retry_after_ms, 60_000, "{shown:?}");
    assert_eq!(
        (shown.failures > shown.allowed, shown.left()),
        (true, 0),
        "{shown:?}"
    );
    // A clock set back does not shorten it.
    fixture.clock.set(crate::fixture::START_MS - 1_000);
    assert!(matches!(
        custody.unlock(&password(), None).await,
        Err(CustodyError::LockedOut { .. })
    ));
    fixture.clock.set(crate::fixture::START_MS + 30_000 + 60_000);
    custody.unlock(&password(), None).await.unwrap();
    assert_eq!(
        fixture
            .number("SELECT failed_unlocks + locked_until FROM vaults")
            .await,
        0
    );

    assert_eq!(custody.lockout().await.unwrap().failures, 0);

    let query = AuditQuery {
        outcome: Some(Outcome::Refused),
        limit: 1000,
        ..AuditQuery::default()
    };
    let refused = custody.audit_entries(&query).await.unwrap();
    let count = |operation| {
        refused
            .rows
            .iter()
            .filter(|row| row.operation == operation)
            .count()
    };
    assert_eq!(
        (count(Operation::UnlockFailed), count(Operation::Lockout)),
        (6, 4)
    );
    assert!(matches!(
        custody.audit_verify(None).await.unwrap(),
        AuditReport::Intact { .. }
    ));
}

#[tokio::test]
async fn while_locked_out_an_unlocked_console_does_not_sign() {
    let fixture = Fixture::new();
    let unlocked = fixture.vault(1).await;
    let guesser = fixture.open().await;
    for _ in 0..5 {
        guesser.unlock(&wrong(), None).await.unwrap_err();
    }
    let error = unlocked.sign_transaction(transfer(5, 1)).await.unwrap_err();
    assert_eq!(error.code(), "locked-out", "{error}");
    fixture.clock.advance(30_000);
    unlocked.sign_transaction(transfer(5, 1)).await.unwrap();
    assert!(matches!(
        unlocked.audit_verify(None).await.unwrap(),
        AuditReport::Intact { .. }
    ));
}

#[tokio::test]
async fn guessing_in_parallel_gains_nothing() {
    let fixture = Fixture::new();
    fixture.vault(0).await.close().await.unwrap();
    let (one, two) = (fixture.open().await, fixture.open().await);
    let guesses: Vec<_> = (0..12)
        .map(|at| {
            let custody = if at % 2 == 0 { one.clone() } else { two.clone() };
            tokio::spawn(async move { custody.unlock(&wrong(), None).await })
        })
        .collect();
    let mut tried = 0;
    for guess in guesses {
        match guess.await.unwrap() {
            Err(CustodyError::WrongPassword) => tried += 1,
            Err(CustodyError::LockedOut { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(tried, 5);
}

#[tokio::test]
async fn a_header_of_another_vault_or_a_changed_one_does_not_open() {
    let fixture = Fixture::new();
    fixture.vault(0).await.close().await.unwrap();
    let other = Fixture::new();
    other.vault(0).await.close().await.unwrap();

    let header = hex::encode(other.blob("SELECT header FROM vaults").await);
    fixture
        .sql(&format!("UPDATE vaults SET header = x'{header}'"))
        .await;
    // The password is right for that header; what the key then meets is not its own.
    let custody = fixture.open().await;
    let error = custody.unlock(&password(), None).await.unwrap_err();
    assert!(matches!(error, CustodyError::AuditBroken { .. }), "{error}");

    other
        .sql("UPDATE vaults SET header = CAST(substr(header, 1, 40) || CASE substr(header, 41, 1) WHEN x'00' THEN x'01' ELSE x'00' END || substr(header, 42) AS BLOB)")
        .await;
    let custody = other.open().await;
    let error = custody.unlock(&password(), None).await.unwrap_err();
    assert!(
        matches!(error, CustodyError::WrongPassword | CustodyError::Damaged { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn debug_output_holds_no_secret() {
    let new = new_vault();
    let text = format!("{new:?} {:?}", new.password);
    assert!(!text.contains(PASSWORD) && !text.contains("abandon"), "{text}");
    let fixture = Fixture::new();
    let custody = fixture.vault(0).await;
    assert_eq!(format!("{custody:?}"), "Custody { unlocked: true, .. }");
}
