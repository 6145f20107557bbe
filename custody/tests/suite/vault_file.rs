//! The vault as a file, and back.

use keyward_core::path::PathFamily;
use keyward_core::secp256k1;
use keyward_custody::{AuditReport, CustodyError, DeriveRequest, Password, Progress, Wallet, WalletQuery};

use crate::fixture::{Fixture, first, password, transfer};

fn other() -> Password {
    Password::new("other tidal wicker 5521".to_owned())
}

async fn all(custody: &keyward_custody::Custody) -> Vec<Wallet> {
    let query = WalletQuery {
        limit: 1000,
        ..WalletQuery::default()
    };
    let mut rows = custody.wallets(&query).await.unwrap().rows;
    rows.iter_mut().for_each(|wallet| wallet.created_ms = 0);
    rows
}

#[tokio::test]
async fn everything_comes_back() {
    let fixture = Fixture::new();
    let custody = fixture.vault(300).await;
    let evm = DeriveRequest {
        family: Some(PathFamily::EvmBip44),
        count: 5,
        ..DeriveRequest::default()
    };
    custody.derive_wallets(evm, &Progress::new()).await.unwrap();
    let key =
        || -> keyward_core::key::WalletKey { secp256k1::SecretKey::from_bytes(&[5; 32]).unwrap().into() };
    custody
        .import_key(key(), "evm", &[], Some(other()))
        .await
        .unwrap();
    custody.set_label(first(), "treasury").await.unwrap();
    custody.add_tags(&[first()], &["cold".to_owned()]).await.unwrap();
    let signed = custody.sign_transaction(transfer(5, 1)).await.unwrap();
    custody.rotate_vault_key(&password(), None).await.unwrap();
    let before = all(&custody).await;
    let policy = custody.policy().await.unwrap();
    for new in [None, Some(other())] {
        let file = custody
            .export_vault_file(&password(), None, new.as_ref())
            .await
            .unwrap();
        let opens = new.unwrap_or_else(password);
        let elsewhere = Fixture::new();
        let restored = elsewhere.open().await;
        let wrong = Password::new("wrong wicker omen 4410".to_owned());
        let error = restored
            .import_vault_file(file.clone(), &wrong, None)
            .await
            .unwrap_err();
        assert!(matches!(error, CustodyError::WrongPassword), "{error}");
        let summary = restored
            .import_vault_file(file.clone(), &opens, None)
            .await
            .unwrap();
        assert_eq!(
            (summary.wallet_count, summary.family),
            (306, PathFamily::Bip44Change)
        );
        let mut after = all(&restored).await;
        for (after, before) in after.iter_mut().zip(&before) {
            after.last_used_ms = before.last_used_ms;
        }
        assert_eq!(after, before);
        assert_eq!(restored.policy().await.unwrap(), policy);
        assert_eq!(
            restored.sign_transaction(transfer(5, 1)).await.unwrap().signature,
            signed.signature
        );
        let out = restored
            .export_key(key().address(), &opens, None, Some(&other()))
            .await
            .unwrap();
        assert!(out.is_same_as(&key()));
        let more = DeriveRequest {
            count: 1,
            ..DeriveRequest::default()
        };
        assert_eq!(
            restored
                .derive_wallets(more, &Progress::new())
                .await
                .unwrap()
                .first,
            300
        );
        let report = restored.audit_verify(None).await.unwrap();
        assert!(matches!(report, AuditReport::Intact { .. }), "{report:?}");
        // There is a vault now.
        let error = restored.import_vault_file(file, &opens, None).await.unwrap_err();
        assert!(matches!(error, CustodyError::AlreadyInitialised), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_vault_file_changes_nothing() {
    let fixture = Fixture::new();
    let custody = fixture.vault(2).await;
    let file = custody.export_vault_file(&password(), None, None).await.unwrap();
    let error = custody.export_vault_file(&other(), None, None).await.unwrap_err();
    assert!(matches!(error, CustodyError::WrongPassword), "{error}");
    let elsewhere = Fixture::new();
    let restored = elsewhere.open().await;
    for at in [0, 9, 30, file.len() / 2, file.len() - 1] {
        let mut bad = file.clone();
        bad[at] ^= 1;
        assert!(
            restored.import_vault_file(bad, &password(), None).await.is_err(),
            "{at}"
        );
    }
    for bad in [Vec::new(), b"KEYWARD\0".to_vec(), file[..file.len() - 1].to_vec()] {
        assert!(restored.import_vault_file(bad, &password(), None).await.is_err());
    }
    assert_eq!(elsewhere.number("SELECT COUNT(*) FROM vaults").await, 0);
}

#[tokio::test]
async fn a_phrases_own_family_is_that_of_its_first_wallet_whatever_came_later() {
    let fixture = Fixture::new();
    let custody = fixture.open().await;
    let mut new = crate::fixture::new_vault();
    new.family = PathFamily::Sollet;
    custody.create_vault(new).await.unwrap();
    for family in [None, Some(PathFamily::Bip44), Some(PathFamily::EvmBip44)] {
        let request = DeriveRequest {
            family,
            count: 2,
            ..DeriveRequest::default()
        };
        custody.derive_wallets(request, &Progress::new()).await.unwrap();
    }
    let file = custody.export_vault_file(&password(), None, None).await.unwrap();
    let elsewhere = Fixture::new();
    let restored = elsewhere.open().await;
    let summary = restored.import_vault_file(file, &password(), None).await.unwrap();
    assert_eq!(summary.family, PathFamily::Sollet);
    assert_eq!(restored.masters().await.unwrap()[0].family, PathFamily::Sollet);
    assert_eq!(all(&restored).await, all(&custody).await);
}
