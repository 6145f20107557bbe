//! Whose policy a vault has that came of a file, and vaults of web pages with nothing in them.

#![allow(clippy::unwrap_used, reason = "tests")]

use keyward_core::amount::Lamports;
use keyward_core::evm::U256;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::policy::{EvmLimits, Policy};
use keyward_core::vault::KdfParams;
use tempfile::TempDir;

use super::*;
use crate::audit::sealing::SEALED_FROM_THE_START;
use crate::{AuditQuery, AuditReport, DeriveRequest, OpenOptions, Progress, StoreLocation, VaultStatus};

const PASSWORD: &str = "tidal wicker omen 9041";

fn password() -> Password {
    Password::new(PASSWORD.to_owned())
}

fn limits() -> PolicyLimits {
    PolicyLimits {
        sol_per_transaction: Lamports::new(7),
        tokens_per_transaction: 8,
        max_priority_fee: Lamports::new(9),
        evm: Some(EvmLimits {
            wei_per_transaction: U256::from(10_u64),
            max_fee_wei: U256::from(11_u64),
        }),
    }
}

/// A vault file with this policy and nothing else, as the browser package makes it.
fn file(policy: Option<&str>) -> Vec<u8> {
    let (header, key) = VaultHeader::create(CreateVault {
        vault: VaultId::from_bytes([1; 16]),
        kdf: KdfParams::MINIMUM,
        password: PASSWORD.as_bytes(),
        second_factor: None,
        key: [2; 32],
        slot_salt: [3; 32],
        wrap_salt: [4; 32],
    })
    .unwrap();
    let contents = FileContents {
        policy: policy.map(|json| FilePolicy {
            json: json.to_owned(),
            signature: vec![0; 64],
        }),
        ..FileContents::default()
    };
    VaultFile::seal(&header, &key, &contents, [5; 32]).unwrap()
}

async fn empty_store() -> (TempDir, Custody) {
    let folder = tempfile::tempdir().unwrap();
    let location = StoreLocation::from_path(folder.path().join("vault.db"));
    let custody = Custody::open(&location, OpenOptions::default()).await.unwrap();
    (folder, custody)
}

async fn restored_as(custody: &Custody) -> String {
    let query = AuditQuery {
        operation: Some(Operation::Restore),
        ..AuditQuery::default()
    };
    let page = custody.audit_entries(&query).await.unwrap();
    assert_eq!(page.total, 1);
    let details = &page.rows.first().unwrap().details;
    details.strip_suffix(SEALED_FROM_THE_START).unwrap().to_owned()
}

#[tokio::test]
async fn a_file_without_a_policy_gets_the_one_of_a_new_vault() {
    let (_folder, custody) = empty_store().await;
    let error = custody
        .import_vault_file(file(None), &password(), None)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("it holds no policy"), "{error}");
    assert!(matches!(custody.status().await.unwrap(), VaultStatus::Empty));

    let imported = custody
        .import_vault_file_with_limits(file(None), &password(), None, limits())
        .await
        .unwrap();
    assert_eq!(imported.policy, PolicySource::Default);
    assert_eq!(
        restored_as(&custody).await,
        "0 wallets from a vault file, which had no policy and got the default one"
    );
    // Unlocked, and unlocked anew: its signature is verified both times.
    for _ in 0..2 {
        assert_eq!(custody.policy().await.unwrap(), Policy::default_for(limits()));
        custody.lock().await;
        custody.unlock(&password(), None).await.unwrap();
    }
}

#[tokio::test]
async fn a_policy_in_the_file_stays_as_it_is() {
    let own = Policy {
        version: 3,
        ..Policy::default_for(PolicyLimits {
            evm: None,
            ..limits()
        })
    };
    let bytes = file(Some(&own.to_json().unwrap()));
    let (_folder, custody) = empty_store().await;
    let imported = custody
        .import_vault_file_with_limits(bytes, &password(), None, limits())
        .await
        .unwrap();
    assert_eq!(imported.policy, PolicySource::File);
    assert_eq!(custody.policy().await.unwrap(), own);
    assert_eq!(
        restored_as(&custody).await,
        "0 wallets from a vault file, with its policy"
    );
}

#[tokio::test]
async fn a_policy_that_does_not_read_is_not_replaced() {
    let (_folder, custody) = empty_store().await;
    for bad in ["", "{}", "null", r#"{"version":0,"rules":[]}"#] {
        let error = custody
            .import_vault_file_with_limits(file(Some(bad)), &password(), None, limits())
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains("its policy does not read"),
            "{bad}: {error}"
        );
        assert!(
            matches!(custody.status().await.unwrap(), VaultStatus::Empty),
            "{bad}"
        );
    }
}

/// A page may make a vault without a phrase and put nothing into it.
#[tokio::test]
async fn a_vault_with_nothing_in_it_can_be_used() {
    let (_folder, custody) = empty_store().await;
    let imported = custody
        .import_vault_file_with_limits(file(None), &password(), None, limits())
        .await
        .unwrap();
    let VaultStatus::Unlocked(summary) = custody.status().await.unwrap() else {
        panic!("not unlocked");
    };
    for summary in [summary, imported.vault] {
        assert_eq!((summary.wallet_count, summary.family), (0, PathFamily::default()));
    }
    let derive = || {
        let request = DeriveRequest {
            count: 2,
            ..DeriveRequest::default()
        };
        let custody = custody.clone();
        async move { custody.derive_wallets(request, &Progress::new()).await }
    };
    let error = derive().await.unwrap_err();
    assert!(matches!(error, CustodyError::NotFound { .. }), "{error}");
    custody.rotate_vault_key(&password(), None).await.unwrap();
    let again = custody.export_vault_file(&password(), None, None).await.unwrap();
    let phrase = Mnemonic::from_entropy(&[7; 16]).unwrap();
    custody
        .import_phrase(&phrase, "", "", PathFamily::Bip44Change)
        .await
        .unwrap();
    derive().await.unwrap();
    assert_eq!(custody.wallets(&WalletQuery::default()).await.unwrap().total, 2);
    let report = custody.audit_verify(None).await.unwrap();
    assert!(matches!(report, AuditReport::Intact { .. }), "{report:?}");

    // It has a policy now, and is as empty as it was.
    let (_elsewhere, other) = empty_store().await;
    let summary = other.import_vault_file(again, &password(), None).await.unwrap();
    assert_eq!(summary.wallet_count, 0);
}
