//! Deleting, restoring and purging wallets.

use keyward_core::account::AccountAddress;
use keyward_custody::{
    Custody, CustodyError, Password, SignError, StatusFilter, WalletPasswords, WalletQuery, WalletStatus,
};

use crate::fixture::{Fixture, password, transfer};

const DAY_MS: u64 = 86_400_000;

async fn first(custody: &Custody) -> AccountAddress {
    custody.wallet("#0").await.unwrap().address
}

async fn shown(custody: &Custody, status: StatusFilter) -> Vec<Option<u32>> {
    let query = WalletQuery {
        status,
        ..WalletQuery::default()
    };
    let page = custody.wallets(&query).await.unwrap();
    assert_eq!(page.total, page.rows.len() as u64);
    page.rows.iter().map(|wallet| wallet.index).collect()
}

#[tokio::test]
async fn a_deleted_wallet_does_nothing_and_comes_back() {
    let fixture = Fixture::new();
    let custody = fixture.vault(3).await;
    let address = first(&custody).await;
    let until = custody.delete_wallet(address).await.unwrap();
    let wallet = custody.wallet("#0").await.unwrap();
    assert_eq!(wallet.status, WalletStatus::Deleted);
    assert_eq!(wallet.purge_after_ms, Some(until));
    assert_eq!(until - wallet.status_ms, 30 * DAY_MS);
    let in_use = shown(&custody, StatusFilter::InUse).await;
    assert_eq!(in_use, [Some(1), Some(2)], "lists leave it out unless asked");
    let deleted = shown(&custody, StatusFilter::Only(WalletStatus::Deleted)).await;
    assert_eq!(deleted, [Some(0)]);
    assert_eq!(shown(&custody, StatusFilter::All).await.len(), 3);

    let refused = custody.sign_transaction(transfer(1, 1)).await.unwrap_err();
    assert_eq!(refused.code(), "wallet-deleted");
    assert!(matches!(
        refused,
        SignError::Custody(CustodyError::WalletDeleted { .. })
    ));
    for error in [
        custody
            .export_key(address, &password(), None, None)
            .await
            .unwrap_err(),
        custody
            .set_wallet_password(address, None, &Password::new("maple-copper-lagoon-17".to_owned()))
            .await
            .unwrap_err(),
        custody.delete_wallet(address).await.unwrap_err(),
    ] {
        assert_eq!(error.code(), "wallet-deleted", "{error}");
    }
    let restored = custody.restore_wallet(address).await.unwrap();
    assert_eq!(restored.status, WalletStatus::Active);
    assert_eq!(custody.wallet("#0").await.unwrap().purge_after_ms, None);
    custody
        .sign_transaction_with(transfer(1, 1), &WalletPasswords::none())
        .await
        .unwrap();
    let error = custody.restore_wallet(address).await.unwrap_err();
    assert!(matches!(error, CustodyError::Invalid { .. }), "{error}");
}

#[tokio::test]
async fn a_restored_wallet_takes_a_place_if_there_is_one() {
    let fixture = Fixture::new();
    let custody = fixture.vault(4).await;
    let mut all = Vec::new();
    for at in 0..4 {
        all.push(custody.wallet(&format!("#{at}")).await.unwrap().address);
    }
    custody.create_owner("ada").await.unwrap();
    custody.assign_wallets("ada", &all[..3]).await.unwrap();
    custody.delete_wallet(all[0]).await.unwrap();
    let owner = custody.owner("ada").await.unwrap();
    assert_eq!((owner.wallets, owner.others), (2, 1));
    let restored = custody.restore_wallet(all[0]).await.unwrap();
    assert_eq!(restored.owner.as_deref(), Some("ada"));
    assert_eq!(custody.owner("ada").await.unwrap().wallets, 3);
    // The primary one is who it became in the meantime.
    assert_eq!(custody.owner("ada").await.unwrap().primary, Some(all[1]));
    custody.delete_wallet(all[0]).await.unwrap();
    custody.assign_wallets("ada", &all[3..]).await.unwrap();
    let restored = custody.restore_wallet(all[0]).await.unwrap();
    assert_eq!(restored.owner, None);
    assert_eq!(restored.owner_without_room.as_deref(), Some("ada"));
    assert_eq!(custody.wallet("#0").await.unwrap().owner, None);
    let owner = custody.owner("ada").await.unwrap();
    assert_eq!((owner.wallets, owner.others), (3, 0));
}

#[tokio::test]
async fn a_key_is_purged_after_its_grace_by_address_and_password() {
    let fixture = Fixture::new();
    let custody = fixture.vault(2).await;
    let address = first(&custody).await;
    let typed = address.to_string();
    let sealed = fixture
        .blob("SELECT sealed FROM wallets WHERE derivation_index = 0")
        .await;
    let purge =
        async |typed: &str, secret: Password| custody.purge_wallet(address, typed, &secret, None).await;
    let refused = async |typed: &str| purge(typed, password()).await.unwrap_err().to_string();
    assert!(refused(&typed).await.contains("is not deleted"));
    custody.delete_wallet(address).await.unwrap();
    assert!(refused(&typed).await.contains("can be restored"));
    fixture.clock.advance(30 * DAY_MS - 1);
    assert!(refused(&typed).await.contains("another 1 s"));
    assert!(custody.due_to_purge().await.unwrap().is_empty());
    fixture.clock.advance(1);
    assert_eq!(custody.due_to_purge().await.unwrap().len(), 1);
    assert!(refused(&typed[1..]).await.contains("not the whole address"));
    let wrong = purge(&typed, Password::new("cobalt willow 9".to_owned())).await;
    assert!(matches!(wrong, Err(CustodyError::WrongPassword)), "{wrong:?}");
    assert_eq!(custody.wallet("#0").await.unwrap().status, WalletStatus::Deleted);

    let purged = purge(&typed, password()).await.unwrap();
    assert_eq!(purged.wallets, [address]);
    let is_file = gone(&fixture, &sealed).await;
    assert_eq!(
        purged.scrubbed, is_file,
        "a server keeps old rows until it vacuums"
    );
    let wallet = custody.wallet("#0").await.unwrap();
    assert_eq!(wallet.status, WalletStatus::Purged);
    let left = fixture
        .blob("SELECT sealed FROM wallets WHERE derivation_index = 0")
        .await;
    assert_eq!(left, [0]);
    assert_eq!(
        custody.sign_transaction(transfer(1, 1)).await.unwrap_err().code(),
        "wallet-purged"
    );
    for error in [
        custody.restore_wallet(address).await.unwrap_err(),
        custody.delete_wallet(address).await.unwrap_err(),
    ] {
        assert_eq!(error.code(), "wallet-purged", "{error}");
    }
    assert!(custody.sign_transaction(transfer(1, 1)).await.is_err());
    // What the vault key seals is there as before: it can be rotated, and the vault exported.
    custody.rotate_vault_key(&password(), None).await.unwrap();
    custody.export_vault_file(&password(), None, None).await.unwrap();
}

/// Nothing of the key is left in the file or its journal; the other wallet's is there, so the search finds what is.
async fn gone(fixture: &Fixture, sealed: &[u8]) -> bool {
    let other = fixture
        .blob("SELECT sealed FROM wallets WHERE derivation_index = 1")
        .await;
    let contents = fixture.place.contents().await;
    let holds = |piece: &[u8]| {
        contents
            .iter()
            .any(|(_, bytes)| bytes.windows(piece.len()).any(|window| window == piece))
    };
    assert!(holds(&other));
    for piece in [sealed, &sealed[..40], &sealed[sealed.len() - 40..]] {
        assert!(
            !holds(piece),
            "of the sealed key {} bytes are still there",
            piece.len()
        );
    }
    contents.iter().any(|(name, _)| name.ends_with("vault.db"))
}

#[tokio::test]
async fn all_that_are_due_are_purged_at_once() {
    let fixture = Fixture::new();
    let custody = fixture.vault(5).await;
    for at in 0..3 {
        let address = custody.wallet(&format!("#{at}")).await.unwrap().address;
        custody.delete_wallet(address).await.unwrap();
    }
    fixture.clock.advance(30 * DAY_MS);
    let late = custody.wallet("#3").await.unwrap().address;
    custody.unlock(&password(), None).await.unwrap();
    custody.delete_wallet(late).await.unwrap();
    let wrong = custody.purge_due(4, &password(), None).await.unwrap_err();
    assert!(wrong.to_string().contains("3 wallets are due"), "{wrong}");
    let purged = custody.purge_due(3, &password(), None).await.unwrap();
    assert_eq!(purged.wallets.len(), 3);
    assert_eq!(
        shown(&custody, StatusFilter::Only(WalletStatus::Purged))
            .await
            .len(),
        3
    );
    assert_eq!(
        shown(&custody, StatusFilter::Only(WalletStatus::Deleted)).await,
        [Some(3)]
    );
    assert_eq!(shown(&custody, StatusFilter::InUse).await, [Some(4)]);
    let entries = fixture
        .number("SELECT COUNT(*) FROM audit_entries WHERE operation = 'purge-wallet' AND wallet IS NOT NULL")
        .await;
    assert_eq!(entries, 3);
}
