//! Owners: places, primary wallets, roles; alone and at the same moment.

use std::collections::BTreeSet;

use keyward_core::account::AccountAddress;
use keyward_custody::{
    Custody, CustodyError, DeriveRequest, OwnerQuery, Progress, Wallet, WalletQuery, WalletStatus,
};

use crate::fixture::{Fixture, transfer};

async fn addresses(custody: &Custody) -> Vec<AccountAddress> {
    let page = custody.wallets(&WalletQuery::default()).await.unwrap();
    page.rows.iter().map(|wallet| wallet.address).collect()
}

async fn of_owner(custody: &Custody, owner: &str) -> Vec<Wallet> {
    let query = WalletQuery {
        owner: Some(owner.to_owned()),
        ..WalletQuery::default()
    };
    custody.wallets(&query).await.unwrap().rows
}

async fn primary(custody: &Custody, owner: &str) -> Option<AccountAddress> {
    let wallets = of_owner(custody, owner).await;
    let primary: Vec<_> = wallets.iter().filter(|wallet| wallet.is_primary).collect();
    assert!(primary.len() <= 1, "{primary:?}");
    let told = custody.owner(owner).await.unwrap().primary;
    assert_eq!(told, primary.first().map(|wallet| wallet.address));
    told
}

#[tokio::test]
async fn an_owner_has_three_wallets_and_no_more() {
    let fixture = Fixture::new();
    let custody = fixture.vault(6).await;
    let all = addresses(&custody).await;
    custody.create_owner("  Ada Lovelace ").await.unwrap();
    custody.create_owner("bob").await.unwrap();
    let assigned = custody.assign_wallets("Ada Lovelace", &all[..2]).await.unwrap();
    assert_eq!((assigned.changed, assigned.wallets, assigned.limit), (2, 2, 3));
    // The same again is no error, and changes nothing.
    let again = custody.assign_wallets("Ada Lovelace", &all[..2]).await.unwrap();
    assert_eq!((again.changed, again.wallets), (0, 2));
    // All or none.
    let error = custody
        .assign_wallets("Ada Lovelace", &all[2..4])
        .await
        .unwrap_err();
    let CustodyError::OwnerFull {
        ref owner,
        wallets,
        limit,
    } = error
    else {
        panic!("{error:?}");
    };
    assert_eq!((owner.as_str(), wallets, limit), ("Ada Lovelace", 3, 3));
    assert_eq!(error.code(), "owner-full");
    assert!(error.remedy().contains("max_wallets_per_owner"));
    assert_eq!(custody.owner("Ada Lovelace").await.unwrap().wallets, 2);
    custody.assign_wallets("Ada Lovelace", &all[2..3]).await.unwrap();
    assert!(custody.assign_wallets("Ada Lovelace", &all[3..4]).await.is_err());
    // One that moves to another owner makes room.
    custody.assign_wallets("bob", &all[1..2]).await.unwrap();
    custody.assign_wallets("Ada Lovelace", &all[3..4]).await.unwrap();
    assert_eq!(custody.unassign_wallets(&all).await.unwrap(), 4);
    assert_eq!(custody.owner("Ada Lovelace").await.unwrap().wallets, 0);
    assert_eq!(custody.unassign_wallets(&all).await.unwrap(), 0);
    let done = fixture
        .number("SELECT COUNT(*) FROM audit_entries WHERE operation = 'assign-owner'")
        .await;
    assert_eq!(done, 7, "refusals that change nothing are errors and no entries");
}

#[tokio::test]
async fn owners_with_places_have_one_primary_wallet() {
    let fixture = Fixture::new();
    let custody = fixture.vault(6).await;
    let all = addresses(&custody).await;
    custody.create_owner("ada").await.unwrap();
    custody.create_owner("bob").await.unwrap();
    assert_eq!(primary(&custody, "ada").await, None);
    // The first given, not the first by address.
    let given = [all[2], all[0], all[1]];
    custody.assign_wallets("ada", &given).await.unwrap();
    assert_eq!(primary(&custody, "ada").await, Some(all[2]));
    custody.set_primary(all[1]).await.unwrap();
    assert_eq!(primary(&custody, "ada").await, Some(all[1]));
    let entries = fixture
        .number("SELECT COUNT(*) FROM audit_entries WHERE operation = 'set-primary'")
        .await;
    assert_eq!(entries, 1);
    // Taken away, deleted, given to another: the lowest place becomes it.
    custody.unassign_wallets(&[all[1]]).await.unwrap();
    assert_eq!(primary(&custody, "ada").await, Some(all[2]));
    custody.delete_wallet(all[2]).await.unwrap();
    assert_eq!(primary(&custody, "ada").await, Some(all[0]));
    custody.assign_wallets("bob", &[all[0]]).await.unwrap();
    assert_eq!(primary(&custody, "ada").await, None);
    assert_eq!(primary(&custody, "bob").await, Some(all[0]));
    let error = custody.set_primary(all[5]).await.unwrap_err();
    assert!(matches!(error, CustodyError::Invalid { .. }), "{error}");
    let error = custody.set_primary(all[2]).await.unwrap_err();
    assert!(matches!(error, CustodyError::WalletDeleted { .. }), "{error}");
}

#[tokio::test]
async fn owners_are_named_found_and_removed() {
    let fixture = Fixture::new();
    let custody = fixture.vault(2).await;
    let all = addresses(&custody).await;
    for name in ["carol", "ada", "bob_1", "bob%2"] {
        custody.create_owner(name).await.unwrap();
    }
    let error = custody.create_owner("ada").await.unwrap_err();
    assert!(matches!(error, CustodyError::OwnerExists { .. }), "{error}");
    for bad in ["", "  ", "a\u{202e}b", &"x".repeat(65)] {
        let error = custody.create_owner(bad).await.unwrap_err();
        assert!(matches!(error, CustodyError::Invalid { .. }), "{bad:?}: {error}");
    }
    let names = async |text: &str, after: Option<&str>, limit| {
        let query = OwnerQuery {
            text: text.to_owned(),
            after: after.map(str::to_owned),
            limit,
        };
        let page = custody.owners(&query).await.unwrap();
        let names: Vec<String> = page.rows.into_iter().map(|owner| owner.name).collect();
        (page.total, names.join(" "))
    };
    assert_eq!(names("", None, 2).await.0, 4);
    assert_eq!(names("BOB", None, 10).await.0, 2);
    assert_eq!(names("b_", None, 10).await, (1, "bob_1".to_owned()));
    assert_eq!(
        names("", Some("bob_1"), 10).await.1.split(' ').next_back(),
        Some("carol")
    );
    assert_eq!(names("", None, 1).await.1, "ada");
    let error = custody.rename_owner("ada", "carol").await.unwrap_err();
    assert!(matches!(error, CustodyError::OwnerExists { .. }), "{error}");
    custody.rename_owner("ada", "ada").await.unwrap();
    custody.assign_wallets("ada", &all[..1]).await.unwrap();
    custody.rename_owner("ada", "Ada").await.unwrap();
    assert_eq!(of_owner(&custody, "Ada").await.len(), 1);
    let gone = custody.owner("ada").await.unwrap_err();
    assert!(matches!(gone, CustodyError::OwnerNotFound { .. }), "{gone}");
    // Not while it has any wallet, deleted or not.
    custody.delete_wallet(all[0]).await.unwrap();
    let error = custody.remove_owner("Ada").await.unwrap_err();
    assert!(
        matches!(
            error,
            CustodyError::OwnerHasWallets {
                wallets: 0,
                others: 1,
                ..
            }
        ),
        "{error:?}"
    );
    custody.unassign_wallets(&all[..1]).await.unwrap();
    custody.remove_owner("Ada").await.unwrap();
    assert_eq!(names("", None, 10).await.0, 3);
    for error in [
        custody.remove_owner("nobody").await.unwrap_err(),
        custody.rename_owner("nobody", "x").await.unwrap_err(),
        custody.assign_wallets("nobody", &all[1..]).await.unwrap_err(),
    ] {
        assert!(matches!(error, CustodyError::OwnerNotFound { .. }), "{error}");
    }
    custody.lock().await;
    for error in [
        custody.create_owner("dora").await.unwrap_err(),
        custody.assign_wallets("carol", &all[1..]).await.unwrap_err(),
        custody.set_primary(all[1]).await.unwrap_err(),
        custody.set_role(&all, "x").await.unwrap_err(),
        custody.delete_wallet(all[1]).await.unwrap_err(),
    ] {
        assert!(matches!(error, CustodyError::Locked), "{error}");
    }
}

#[tokio::test]
async fn roles_are_set_and_found() {
    let fixture = Fixture::new();
    let custody = fixture.vault(4).await;
    let all = addresses(&custody).await;
    custody.set_role(&all[..2], " trading ").await.unwrap();
    custody.set_role(&all[2..3], "treasury").await.unwrap();
    let find = async |role: &str| {
        let query = WalletQuery {
            role: Some(role.to_owned()),
            ..WalletQuery::default()
        };
        custody.wallets(&query).await.unwrap().total
    };
    assert_eq!(find("trading").await, 2);
    assert_eq!(find("treasury").await, 1);
    assert_eq!(find("trad").await, 0);
    assert_eq!(find("").await, 1);
    custody.set_role(&all[..1], "").await.unwrap();
    assert_eq!(find("").await, 2);
    let error = custody.set_role(&all, &"x".repeat(33)).await.unwrap_err();
    assert!(matches!(error, CustodyError::Invalid { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_never_give_an_owner_too_many() {
    const HANDLES: usize = 4;
    let fixture = Fixture::new();
    let custody = fixture.vault(16).await;
    let all = addresses(&custody).await;
    for name in ["ada", "bob"] {
        custody.create_owner(name).await.unwrap();
    }
    let mut handles = Vec::new();
    for _ in 0..HANDLES {
        handles.push(fixture.unlocked().await);
    }
    let tasks: Vec<_> = (0..2 * HANDLES)
        .map(|task| {
            let custody = handles[task % HANDLES].clone();
            let mine = [all[2 * task], all[2 * task + 1]];
            tokio::spawn(async move {
                let mut refused = 0_u32;
                for round in 0..6 {
                    let owner = if (task + round) % 3 == 0 { "bob" } else { "ada" };
                    for wallet in mine {
                        match custody.assign_wallets(owner, &[wallet]).await {
                            Ok(assigned) => assert!(assigned.wallets <= 3),
                            Err(CustodyError::OwnerFull { limit: 3, .. }) => refused += 1,
                            Err(error) => panic!("{error:?}"),
                        }
                        let owner = custody.owner(owner).await.unwrap();
                        assert!(owner.wallets <= 3, "{owner:?}");
                        assert_eq!(owner.primary.is_some(), owner.wallets > 0, "{owner:?}");
                    }
                    if let Err(error) = custody.set_primary(mine[0]).await {
                        assert!(matches!(error, CustodyError::Invalid { .. }), "{error}");
                    }
                    if round % 2 == 1 {
                        custody.unassign_wallets(&mine).await.unwrap();
                    }
                }
                refused
            })
        })
        .collect();
    let mut refused = 0;
    for task in tasks {
        refused += task.await.unwrap();
    }
    assert!(refused > 0, "eight tasks cannot all have found room");
    for name in ["ada", "bob"] {
        let wallets = of_owner(&custody, name).await;
        assert!(wallets.len() <= 3);
        assert_eq!(
            wallets.iter().filter(|wallet| wallet.is_primary).count(),
            usize::from(!wallets.is_empty())
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_deriving_at_once_all_get_indices_of_their_own() {
    const HANDLES: usize = 4;
    const TASKS: usize = 12;
    const ROUNDS: usize = 3;
    let fixture = Fixture::new();
    let custody = fixture.vault(0).await;
    let mut handles = Vec::new();
    for _ in 0..HANDLES {
        handles.push(fixture.unlocked().await);
    }
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let custody = handles[task % HANDLES].clone();
            tokio::spawn(async move {
                let mut ranges = Vec::new();
                for _ in 0..ROUNDS {
                    let request = DeriveRequest {
                        count: 2,
                        ..DeriveRequest::default()
                    };
                    let range = custody.derive_wallets(request, &Progress::new()).await.unwrap();
                    assert_eq!(range.added, 2);
                    ranges.push(range.first);
                }
                ranges
            })
        })
        .collect();
    let mut first = BTreeSet::new();
    for task in tasks {
        for one in task.await.unwrap() {
            assert!(first.insert(one), "{one} was given out twice");
        }
    }
    // Nobody ended in between, so there is no gap.
    let expected: BTreeSet<u32> = (0..u32::try_from(TASKS * ROUNDS).unwrap())
        .map(|at| 2 * at)
        .collect();
    assert_eq!(first, expected);
    let page = custody.wallets(&WalletQuery::default()).await.unwrap();
    assert_eq!(page.total, 2 * (TASKS * ROUNDS) as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reserved_indices_come_back_from_a_derivation_that_is_cancelled() {
    const MANY: u32 = 6_000;
    let fixture = Fixture::new();
    let custody = fixture.vault(0).await;
    let other = fixture.unlocked().await;
    let progress = Progress::new();
    let job = {
        let (custody, progress) = (custody.clone(), progress.clone());
        let request = DeriveRequest {
            count: MANY,
            ..DeriveRequest::default()
        };
        tokio::spawn(async move { custody.derive_wallets(request, &progress).await })
    };
    let mut watch = progress.subscribe();
    watch.wait_for(|state| state.done > 0).await.unwrap();
    // Somebody else takes the first of those indices meanwhile: the next ones are reserved, and derived anew.
    let one = DeriveRequest {
        count: 1,
        ..DeriveRequest::default()
    };
    let range = other.derive_wallets(one, &Progress::new()).await.unwrap();
    assert_eq!((range.first, range.added), (0, 1));
    let next = async || fixture.number("SELECT next_index FROM derivations").await;
    let reserved = i64::from(1 + MANY);
    let waited = async {
        while next().await != reserved {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(120), waited)
        .await
        .unwrap();
    progress.cancel();
    let outcome = job.await.unwrap();
    assert!(matches!(outcome, Err(CustodyError::Cancelled)), "{outcome:?}");
    assert_eq!(next().await, 1);
    assert_eq!(fixture.number("SELECT COUNT(*) FROM wallets").await, 1);
    let range = other.derive_wallets(one, &Progress::new()).await.unwrap();
    assert_eq!(range.first, 1, "no gap is left");
}

#[tokio::test]
async fn what_is_signed_counts_once() {
    let fixture = Fixture::new();
    let custody = fixture.vault(2).await;
    let usage = async || {
        let wallet = custody.wallet("#0").await.unwrap();
        (wallet.total_trades, wallet.total_volume)
    };
    assert_eq!(usage().await, (0, 0));
    custody.sign_transaction(transfer(5_000, 1)).await.unwrap();
    assert_eq!(usage().await, (1, 5_000));
    // The same again.
    custody.sign_transaction(transfer(5_000, 1)).await.unwrap();
    assert_eq!(usage().await, (1, 5_000));
    custody.sign_transaction(transfer(70, 2)).await.unwrap();
    assert_eq!(usage().await, (2, 5_070));
    // A refused one, and a message.
    assert!(custody.sign_transaction(transfer(u64::MAX / 2, 3)).await.is_err());
    assert_eq!(usage().await, (2, 5_070));
    let other = custody.wallet("#1").await.unwrap();
    assert_eq!((other.total_trades, other.total_volume), (0, 0));
    assert_eq!(other.status, WalletStatus::Active);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn usage_loses_nothing_when_many_sign() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let other = fixture.unlocked().await;
    let tasks: Vec<_> = (1..=24_u8)
        .map(|nonce| {
            let custody = if nonce % 2 == 0 {
                custody.clone()
            } else {
                other.clone()
            };
            tokio::spawn(async move { custody.sign_transaction(transfer(u64::from(nonce), nonce)).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let wallet = custody.wallet("#0").await.unwrap();
    assert_eq!((wallet.total_trades, wallet.total_volume), (24, 300));
}
