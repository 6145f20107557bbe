//! The vault as a file, and back.

use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::secp256k1;
use keyward_core::vault::{FileContents, VaultFile};
use keyward_custody::{
    AuditReport, Custody, CustodyError, DeriveRequest, Password, Progress, Wallet, WalletQuery,
};

use crate::fixture::{Fixture, first, password, transfer};

fn other() -> Password {
    Password::new("other tidal wicker 5521".to_owned())
}

async fn all(custody: &Custody) -> Vec<Wallet> {
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
            // What it did here is this store's history.
            after.last_used_ms = before.last_used_ms;
            after.total_trades = before.total_trades;
            after.total_volume = before.total_volume;
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

/// What a vault's file makes of it in an empty store.
async fn restored(custody: &Custody) -> (Fixture, Custody) {
    let file = custody.export_vault_file(&password(), None, None).await.unwrap();
    let elsewhere = Fixture::new();
    let restored = elsewhere.open().await;
    let summary = restored.import_vault_file(file, &password(), None).await.unwrap();
    let first = &custody.masters().await.unwrap()[0];
    assert_eq!(summary.family, first.family);
    (elsewhere, restored)
}

async fn families(custody: &Custody) -> Vec<PathFamily> {
    let masters = custody.masters().await.unwrap();
    masters.iter().map(|master| master.family).collect()
}

#[tokio::test]
async fn a_phrase_keeps_its_own_family_with_wallets_of_others_or_none() {
    let fixture = Fixture::new();
    let custody = fixture.open().await;
    let mut new = crate::fixture::new_vault();
    new.family = PathFamily::Sollet;
    custody.create_vault(new).await.unwrap();
    let second =
        Mnemonic::parse("legal winner thank year wave sausage worth useful legal winner thank yellow")
            .unwrap();
    custody
        .import_phrase(&second, "", "second", PathFamily::EvmLegacy)
        .await
        .unwrap();
    let own = [PathFamily::Sollet, PathFamily::EvmLegacy];
    let (_elsewhere, back) = restored(&custody).await;
    assert_eq!(families(&back).await, own);
    assert_eq!(all(&back).await, []);

    for family in [PathFamily::EvmBip44, PathFamily::Bip44] {
        let request = DeriveRequest {
            family: Some(family),
            count: 2,
            ..DeriveRequest::default()
        };
        custody.derive_wallets(request, &Progress::new()).await.unwrap();
    }
    let (_elsewhere, back) = restored(&custody).await;
    assert_eq!(families(&back).await, own);
    assert_eq!(all(&back).await, all(&custody).await);
}

/// Both begin at m/44'/60'/0'/0/0, and every family comes back as the one it was.
#[tokio::test]
async fn a_wallet_at_a_path_of_two_families_stays_in_its_own() {
    let fixture = Fixture::new();
    let custody = fixture.vault(0).await;
    let families = PathFamily::ALL
        .into_iter()
        .filter(|family| *family != PathFamily::EvmBip44);
    for family in families {
        let request = DeriveRequest {
            family: Some(family),
            start: None,
            count: if family.is_single() { 1 } else { 2 },
            ..DeriveRequest::default()
        };
        custody.derive_wallets(request, &Progress::new()).await.unwrap();
    }
    let (_elsewhere, back) = restored(&custody).await;
    let wallets = all(&back).await;
    assert_eq!(wallets, all(&custody).await);
    let shared = wallets.iter().find(|wallet| wallet.path == "m/44'/60'/0'/0/0");
    let place = shared.unwrap().place(PathFamily::Bip44Change);
    assert_eq!(place, "evm-ledger-live#0");
}

/// Authentic files, whose writer knew the password and no families, or others.
#[tokio::test]
async fn a_family_that_is_unknown_or_makes_another_path_is_refused() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let file = custody.export_vault_file(&password(), None, None).await.unwrap();
    let check = async |change: fn(&mut FileContents), expected: Option<&str>| {
        let mut opened = VaultFile::open(&file, password().expose_bytes(), None).unwrap();
        change(&mut opened.contents);
        let changed = VaultFile::seal(&opened.header, &opened.key, &opened.contents, [1; 32]).unwrap();
        let elsewhere = Fixture::new();
        let back = elsewhere.open().await;
        let result = back.import_vault_file(changed, &password(), None).await;
        match (result, expected) {
            (Ok(_), None) => {}
            (Err(error), Some(expected)) => {
                assert!(error.to_string().contains(expected), "{error}");
                assert_eq!(elsewhere.number("SELECT COUNT(*) FROM vaults").await, 0);
            }
            (result, expected) => panic!("{result:?}, not {expected:?}"),
        }
    };
    check(|_| (), None).await;
    check(|c| c.masters[0].family = "sollet".to_owned(), None).await;
    check(|c| c.masters[0].family = "none".to_owned(), Some("unknown")).await;
    check(|c| c.wallets[0].family = "none".to_owned(), Some("unknown")).await;
    let elsewhere = Some("not of its family");
    check(|c| c.wallets[0].family = "sollet".to_owned(), elsewhere).await;
    check(|c| c.wallets[0].family = "raw".to_owned(), elsewhere).await;
    check(|c| c.wallets[0].path = None, elsewhere).await;
    check(
        |c| c.wallets[0].family = "evm-bip44".to_owned(),
        Some("another chain"),
    )
    .await;
}
