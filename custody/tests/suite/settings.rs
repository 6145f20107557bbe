//! The vault's settings: signed, for every handle at once, and what goes by them.

use keyward_custody::{
    AuditQuery, AuditReport, CustodyError, Password, SettingKey, SignError, VaultSettings,
};

use crate::fixture::{Fixture, first, password, transfer};

fn wrong() -> Password {
    Password::new("not the password 77".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn defaults_hold_until_they_are_changed_for_all_handles() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let other = fixture.open().await;
    assert_eq!(other.settings().await.unwrap(), VaultSettings::default());
    let changes = [(SettingKey::MaxWalletsPerOwner, 7), (SettingKey::KeptKeys, 1)];
    let settings = custody
        .change_settings(&changes, &password(), None)
        .await
        .unwrap();
    assert_eq!((settings.max_wallets_per_owner, settings.kept_keys), (7, 1));
    assert_eq!(other.settings().await.unwrap(), settings);
    // Changed to what they are, they are not changed, and the log does not grow by it.
    let settings_entries = || AuditQuery {
        operation: Some(keyward_core::audit::Operation::Settings),
        ..AuditQuery::default()
    };
    custody
        .change_settings(&changes, &password(), None)
        .await
        .unwrap();
    let page = custody.audit_entries(&settings_entries()).await.unwrap();
    assert_eq!(page.total, 1);
    assert_eq!(
        page.rows[0].details,
        "max_wallets_per_owner 3 to 7, kept_keys 3 to 1"
    );
    assert!(matches!(
        custody.audit_verify(None).await.unwrap(),
        AuditReport::Intact { .. }
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn they_need_the_password_and_a_value_in_its_range() {
    let fixture = Fixture::new();
    let custody = fixture.vault(0).await;
    let changes = [(SettingKey::MaxFailedAttempts, 2)];
    assert!(matches!(
        custody.change_settings(&changes, &wrong(), None).await,
        Err(CustodyError::WrongPassword)
    ));
    assert!(matches!(
        custody
            .change_settings(&[(SettingKey::MaxFailedAttempts, 0)], &password(), None)
            .await,
        Err(CustodyError::Invalid { what: "setting", .. })
    ));
    custody.lock().await;
    assert!(matches!(
        custody.change_settings(&changes, &password(), None).await,
        Err(CustodyError::Locked)
    ));
    assert_eq!(custody.settings().await.unwrap(), VaultSettings::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn edited_past_the_program_they_stop_everything() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let changes = [(SettingKey::SignaturesPerMinute, 5)];
    custody
        .change_settings(&changes, &password(), None)
        .await
        .unwrap();
    fixture
        .sql("UPDATE vault_settings SET body = REPLACE(body, '\"signatures_per_minute\":5', '\"signatures_per_minute\":9')")
        .await;
    assert!(matches!(
        custody.settings().await,
        Err(CustodyError::Damaged { .. })
    ));
    let error = custody.sign_transaction(transfer(1, 1)).await.unwrap_err();
    assert_eq!(error.code(), "damaged", "{error}");
    let locked = fixture.open().await;
    assert!(matches!(
        locked.unlock(&password(), None).await,
        Err(CustodyError::Damaged { .. })
    ));
    fixture
        .sql("UPDATE vault_settings SET body = REPLACE(body, '\"signatures_per_minute\":9', '\"signatures_per_minute\":5')")
        .await;
    custody.sign_transaction(transfer(1, 1)).await.unwrap();
    // As it was under another number, it is not what was signed either.
    fixture
        .sql("UPDATE vault_settings SET version = version + 1")
        .await;
    assert!(matches!(
        custody.settings().await,
        Err(CustodyError::Damaged { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn lockout_and_rate_go_by_them() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let changes = [
        (SettingKey::MaxFailedAttempts, 2),
        (SettingKey::LockoutFirst, 60_000),
        (SettingKey::SignaturesPerMinute, 3),
    ];
    custody
        .change_settings(&changes, &password(), None)
        .await
        .unwrap();
    for nonce in 1..=3 {
        custody.sign_transaction(transfer(1, nonce)).await.unwrap();
        fixture.clock.advance(1_000);
    }
    let error = custody.sign_transaction(transfer(1, 4)).await.unwrap_err();
    assert!(
        matches!(
            error,
            SignError::RateLimited {
                limit: 3,
                retry_after_ms: 57_000,
                ..
            }
        ),
        "{error}"
    );
    // What was signed is given again, whatever the rate.
    custody.sign_transaction(transfer(1, 1)).await.unwrap();
    fixture.clock.advance(57_000);
    custody.sign_transaction(transfer(1, 4)).await.unwrap();
    let guesser = fixture.open().await;
    for _ in 0..2 {
        assert!(matches!(
            guesser.unlock(&wrong(), None).await,
            Err(CustodyError::WrongPassword)
        ));
    }
    assert!(matches!(
        guesser.unlock(&password(), None).await,
        Err(CustodyError::LockedOut {
            retry_after_ms: 60_000
        })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_between_signatures_is_kept_per_wallet() {
    let fixture = Fixture::new();
    let custody = fixture.vault(2).await;
    let changes = [(SettingKey::MinSignatureInterval, 90_000)];
    custody
        .change_settings(&changes, &password(), None)
        .await
        .unwrap();
    custody.sign_transaction(transfer(1, 1)).await.unwrap();
    fixture.clock.advance(89_999);
    let error = custody.sign_transaction(transfer(1, 2)).await.unwrap_err();
    assert!(
        matches!(&error, SignError::TooSoon { wallet, interval_ms: 90_000, retry_after_ms: 1 } if *wallet == first()),
        "{error}"
    );
    let second = custody.wallet("#1").await.unwrap();
    let other = crate::fixture::transfer_from(*second.solana().unwrap(), 1, 3);
    custody.sign_transaction(other).await.unwrap();
    fixture.clock.advance(1);
    custody.sign_transaction(transfer(1, 2)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn they_outlive_a_rotation_of_the_vault_key() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let changes = [(SettingKey::SignaturesPerMinute, 5)];
    let settings = custody
        .change_settings(&changes, &password(), None)
        .await
        .unwrap();
    custody.rotate_vault_key(&password(), None).await.unwrap();
    assert_eq!(custody.settings().await.unwrap(), settings);
    assert_eq!(fixture.open().await.settings().await.unwrap(), settings);
}
