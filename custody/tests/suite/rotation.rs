//! The vault key rotated, and the recovery key.

use keyward_core::key::WalletKey;
use keyward_core::secp256k1;
use keyward_core::vault::RecoveryKey;
use keyward_custody::{AuditReport, CustodyError, Password, SignError, VaultStatus};

use crate::fixture::{Fixture, first, password, transfer};

async fn intact(custody: &keyward_custody::Custody) {
    let report = custody.audit_verify(None).await.unwrap();
    assert!(matches!(report, AuditReport::Intact { .. }), "{report:?}");
}

fn next() -> Password {
    Password::new("other tidal wicker 5521".to_owned())
}

#[tokio::test]
async fn everything_works_under_the_new_key_and_old_checkpoints_hold() {
    let fixture = Fixture::new();
    let custody = fixture.vault(20).await;
    let key = || -> WalletKey { secp256k1::SecretKey::from_bytes(&[5; 32]).unwrap().into() };
    custody.import_key(key(), "evm", &[], Some(next())).await.unwrap();
    let signed = custody.sign_transaction(transfer(5, 1)).await.unwrap();
    let checkpoint = custody.audit_checkpoint().await.unwrap();
    for epoch in 2..5 {
        let rotation = custody.rotate_vault_key(&password(), None).await.unwrap();
        assert_eq!((rotation.epoch, rotation.records), (epoch, 22));
        assert!(rotation.recovery.is_none());
        intact(&custody).await;
        let report = custody.audit_verify(Some(&checkpoint)).await.unwrap();
        assert!(
            matches!(report, AuditReport::Intact { checkpoints: 2, .. }),
            "{report:?}"
        );
    }
    assert_eq!(
        fixture
            .number("SELECT COUNT(*) FROM wallets WHERE epoch <> 4")
            .await,
        0
    );
    custody.lock().await;
    intact(&custody).await;
    let custody = fixture.unlocked().await;
    // The same request, the same signature; another one under the policy signed anew.
    assert_eq!(
        custody.sign_transaction(transfer(5, 1)).await.unwrap().bytes,
        signed.bytes
    );
    custody.sign_transaction(transfer(5, 2)).await.unwrap();
    custody.policy().await.unwrap();
    let out = custody
        .export_key(key().address(), &password(), None, Some(&next()))
        .await
        .unwrap();
    assert!(out.is_same_as(&key()));
    intact(&custody).await;
}

#[tokio::test]
async fn nothing_is_done_under_a_header_that_does_not_read() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    custody.sign_transaction(transfer(5, 1)).await.unwrap();
    fixture.sql("UPDATE vaults SET header = x'00'").await;
    // Whether the key was rotated shows in the header alone.
    let error = custody.sign_transaction(transfer(5, 2)).await.unwrap_err();
    assert!(
        matches!(error, SignError::Custody(CustodyError::Damaged { .. })),
        "{error}"
    );
    let error = custody.set_label(first(), "x").await.unwrap_err();
    assert!(matches!(error, CustodyError::Damaged { .. }), "{error}");
    let error = custody.audit_verify(None).await.unwrap_err();
    assert!(matches!(error, CustodyError::Damaged { .. }), "{error}");
    assert_eq!(fixture.number("SELECT COUNT(*) FROM intents").await, 1);
    assert_eq!(
        fixture
            .number("SELECT COUNT(*) FROM wallets WHERE label = 'x'")
            .await,
        0
    );
}

#[tokio::test]
async fn other_handles_lock_themselves_with_a_reason() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let other = fixture.unlocked().await;
    custody.rotate_vault_key(&password(), None).await.unwrap();
    let error = other.sign_transaction(transfer(5, 1)).await.unwrap_err();
    assert!(
        matches!(error, SignError::Custody(CustodyError::KeyRotated)),
        "{error}"
    );
    assert!(!other.is_unlocked());
    let error = other.set_label(first(), "x").await.unwrap_err();
    assert!(matches!(error, CustodyError::Locked), "{error}");
    other.unlock(&password(), None).await.unwrap();
    other.set_label(first(), "x").await.unwrap();
    custody.sign_transaction(transfer(5, 1)).await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_or_a_damaged_record_rotates_nothing() {
    let fixture = Fixture::new();
    let custody = fixture.vault(3).await;
    let error = custody.rotate_vault_key(&next(), None).await.unwrap_err();
    assert!(matches!(error, CustodyError::WrongPassword), "{error}");
    fixture
        .sql("UPDATE wallets SET record_id = zeroblob(16) WHERE derivation_index = 2")
        .await;
    let error = custody.rotate_vault_key(&password(), None).await.unwrap_err();
    assert!(matches!(error, CustodyError::Damaged { .. }), "{error}");
    assert_eq!(
        fixture
            .number("SELECT COUNT(*) FROM wallets WHERE epoch = 1")
            .await,
        3
    );
    custody.sign_transaction(transfer(5, 1)).await.unwrap();
}

#[tokio::test]
async fn a_rotation_that_ends_in_the_middle_leaves_the_vault_as_it_was() {
    let fixture = Fixture::new();
    let custody = fixture.vault(5).await;
    // The last of its writes fails: whatever came before it in the transaction is taken back.
    fixture.place.refuse_inserts("audit_state").await;
    assert!(custody.rotate_vault_key(&password(), None).await.is_err());
    fixture.place.allow_inserts("audit_state").await;
    drop(custody);
    assert_eq!(
        fixture
            .number("SELECT COUNT(*) FROM wallets WHERE epoch = 1")
            .await,
        5
    );
    assert_eq!(fixture.number("SELECT COUNT(*) FROM audit_keys").await, 0);
    let custody = fixture.unlocked().await;
    custody.sign_transaction(transfer(5, 1)).await.unwrap();
    intact(&custody).await;
}

#[tokio::test]
async fn retired_keys_and_policies_that_were_changed_are_noticed() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    custody.rotate_vault_key(&password(), None).await.unwrap();
    for change in [
        "UPDATE audit_keys SET until_sequence = until_sequence + 1",
        "UPDATE audit_keys SET audit_key = zeroblob(32)",
        "UPDATE audit_keys SET signature = zeroblob(64)",
        "DELETE FROM audit_keys",
    ] {
        fixture.sql("CREATE TABLE kept AS SELECT * FROM audit_keys").await;
        assert_eq!(fixture.sql(change).await, 1, "{change}");
        let report = custody.audit_verify(None).await.unwrap();
        assert!(
            matches!(report, AuditReport::Broken { .. }),
            "{change}: {report:?}"
        );
        fixture.sql("DELETE FROM audit_keys").await;
        fixture.sql("INSERT INTO audit_keys SELECT * FROM kept").await;
        fixture.sql("DROP TABLE kept").await;
    }
    intact(&custody).await;
    fixture
        .sql("UPDATE policies SET body = replace(body, 'sol', 'Sol')")
        .await;
    let error = custody.rotate_vault_key(&password(), None).await.unwrap_err();
    assert!(matches!(error, CustodyError::Damaged { .. }), "{error}");
}

#[tokio::test]
async fn the_recovery_key_opens_until_it_is_taken_away() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let error = custody.remove_recovery(&password(), None).await.unwrap_err();
    assert!(matches!(error, CustodyError::Invalid { .. }), "{error}");
    let recovery = custody.add_recovery(&password(), None).await.unwrap();
    let VaultStatus::Unlocked(summary) = custody.status().await.unwrap() else {
        panic!("locked")
    };
    assert!(summary.has_recovery);
    custody.lock().await;
    let typed = RecoveryKey::parse(&recovery.expose_text()).unwrap();
    custody.unlock_with_recovery(&typed).await.unwrap();
    custody.sign_transaction(transfer(5, 1)).await.unwrap();
    let stranger = RecoveryKey::from_bytes([7; 32]);
    let error = custody.unlock_with_recovery(&stranger).await.unwrap_err();
    assert!(matches!(error, CustodyError::WrongRecoveryKey), "{error}");
    // A changed password keeps it, and it sets a lost one.
    custody.change_password(&password(), &next(), None).await.unwrap();
    custody.unlock_with_recovery(&typed).await.unwrap();
    custody
        .set_password_with_recovery(&typed, &password(), None)
        .await
        .unwrap();
    custody.unlock(&password(), None).await.unwrap();
    // Rotating replaces it.
    let rotation = custody.rotate_vault_key(&password(), None).await.unwrap();
    let replaced = rotation.recovery.unwrap();
    assert!(custody.unlock_with_recovery(&typed).await.is_err());
    custody.unlock_with_recovery(&replaced).await.unwrap();
    custody.remove_recovery(&password(), None).await.unwrap();
    assert!(custody.unlock_with_recovery(&replaced).await.is_err());
    intact(&custody).await;
}

#[tokio::test]
async fn whatever_a_handle_of_the_old_key_is_asked_for_it_says_why_not() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    for asked in 0..6 {
        let other = fixture.unlocked().await;
        custody.rotate_vault_key(&password(), None).await.unwrap();
        let error = match asked {
            0 => other.policy().await.unwrap_err(),
            1 => other.audit_verify(None).await.unwrap_err(),
            2 => other
                .set_wallet_password(first(), None, &next())
                .await
                .unwrap_err(),
            3 => other
                .export_key(first(), &password(), None, None)
                .await
                .map(|_| ())
                .unwrap_err(),
            4 => other.set_label(first(), "y").await.unwrap_err(),
            _ => {
                let request = keyward_custody::DeriveRequest {
                    count: 1,
                    ..keyward_custody::DeriveRequest::default()
                };
                let progress = keyward_custody::Progress::new();
                other.derive_wallets(request, &progress).await.unwrap_err()
            }
        };
        assert!(matches!(error, CustodyError::KeyRotated), "{asked}: {error}");
        assert!(!other.is_unlocked(), "{asked}");
    }
}
