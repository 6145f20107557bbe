//! Deriving, listing, finding, labels and tags.

use std::time::Duration;

use keyward_core::path::PathFamily;
use keyward_custody::{CustodyError, DeriveRequest, Progress, VaultStatus, WalletQuery, WalletSort};

use crate::fixture::{FIRST, Fixture, first, new_vault};

#[tokio::test]
async fn derived_addresses_are_the_published_ones_and_stay() {
    let fixture = Fixture::new();
    let custody = fixture.vault(300).await;
    let page = custody
        .wallets(&WalletQuery {
            limit: 1000,
            ..WalletQuery::default()
        })
        .await
        .unwrap();
    assert_eq!(page.total, 300);
    assert!(
        page.rows
            .iter()
            .enumerate()
            .all(|(at, wallet)| wallet.index.map(|index| index as usize) == Some(at))
    );
    assert_eq!(page.rows[0].address.to_string(), FIRST);
    assert_eq!(page.rows[299].path, "m/44'/501'/299'/0'");

    let progress = Progress::new();
    let more = custody
        .derive_wallets(
            DeriveRequest {
                start: None,
                count: 5,
                ..DeriveRequest::default()
            },
            &progress,
        )
        .await
        .unwrap();
    assert_eq!((more.first, more.count, more.added), (300, 5, 5));
    assert_eq!((progress.state().done, progress.state().total), (5, 5));
    // Over what is there, and beyond it.
    let request = DeriveRequest {
        start: Some(303),
        count: 10,
        ..DeriveRequest::default()
    };
    let overlap = custody.derive_wallets(request, &progress).await.unwrap();
    assert_eq!((overlap.first, overlap.count, overlap.added), (303, 10, 8));
    let far = DeriveRequest {
        start: Some(2_147_483_647),
        count: 1,
        ..DeriveRequest::default()
    };
    assert_eq!(custody.derive_wallets(far, &progress).await.unwrap().added, 1);
    let after = custody
        .derive_wallets(
            DeriveRequest {
                start: None,
                count: 1,
                ..DeriveRequest::default()
            },
            &progress,
        )
        .await
        .unwrap_err();
    assert!(matches!(after, CustodyError::Invalid { .. }), "{after}");
}

#[tokio::test]
async fn bad_ranges_are_refused() {
    let fixture = Fixture::new();
    let custody = fixture.vault(0).await;
    for (start, count) in [
        (None, 0),
        (None, 100_001),
        (Some(2_147_483_647), 2),
        (Some(u32::MAX), 1),
    ] {
        let error = custody
            .derive_wallets(
                DeriveRequest {
                    start,
                    count,
                    ..DeriveRequest::default()
                },
                &Progress::new(),
            )
            .await
            .unwrap_err();
        assert!(
            matches!(error, CustodyError::Invalid { .. }),
            "{start:?} {count}: {error}"
        );
    }
    custody.lock().await;
    let error = custody
        .derive_wallets(
            DeriveRequest {
                start: None,
                count: 1,
                ..DeriveRequest::default()
            },
            &Progress::new(),
        )
        .await
        .unwrap_err();
    assert!(matches!(error, CustodyError::Locked));
}

#[tokio::test]
async fn families_with_one_address_have_one() {
    for family in [PathFamily::Raw, PathFamily::Bip44Root] {
        let fixture = Fixture::new();
        let custody = fixture.open().await;
        let mut new = new_vault();
        new.family = family;
        custody.create_vault(new).await.unwrap();
        let two = custody
            .derive_wallets(
                DeriveRequest {
                    start: None,
                    count: 2,
                    ..DeriveRequest::default()
                },
                &Progress::new(),
            )
            .await;
        assert!(matches!(two, Err(CustodyError::Invalid { .. })));
        custody
            .derive_wallets(
                DeriveRequest {
                    start: None,
                    count: 1,
                    ..DeriveRequest::default()
                },
                &Progress::new(),
            )
            .await
            .unwrap();
        assert_eq!(custody.wallet("#0").await.unwrap().index, Some(0));
    }
}

#[tokio::test]
async fn a_cancelled_derivation_stores_nothing() {
    let fixture = Fixture::new();
    let custody = fixture.vault(0).await;
    let progress = Progress::new();
    let job = {
        let (custody, progress) = (custody.clone(), progress.clone());
        tokio::spawn(async move {
            custody
                .derive_wallets(
                    DeriveRequest {
                        start: None,
                        count: 20_000,
                        ..DeriveRequest::default()
                    },
                    &progress,
                )
                .await
        })
    };
    let mut watch = progress.subscribe();
    tokio::time::timeout(Duration::from_secs(60), watch.wait_for(|state| state.done > 0))
        .await
        .unwrap()
        .unwrap();
    progress.cancel();
    assert!(matches!(job.await.unwrap(), Err(CustodyError::Cancelled)));
    assert_eq!(fixture.number("SELECT COUNT(*) FROM wallets").await, 0);
    assert_eq!(fixture.number("SELECT next_index FROM derivations").await, 0);
}

#[tokio::test]
async fn locking_stops_a_derivation() {
    let fixture = Fixture::new();
    let custody = fixture.vault(0).await;
    let progress = Progress::new();
    let job = {
        let (custody, progress) = (custody.clone(), progress.clone());
        tokio::spawn(async move {
            custody
                .derive_wallets(
                    DeriveRequest {
                        start: None,
                        count: 20_000,
                        ..DeriveRequest::default()
                    },
                    &progress,
                )
                .await
        })
    };
    let mut watch = progress.subscribe();
    tokio::time::timeout(Duration::from_secs(60), watch.wait_for(|state| state.done > 0))
        .await
        .unwrap()
        .unwrap();
    custody.lock().await;
    assert!(matches!(job.await.unwrap(), Err(CustodyError::Locked)));
    assert_eq!(fixture.number("SELECT COUNT(*) FROM wallets").await, 0);
}

#[tokio::test]
async fn pages_filters_and_order() {
    let fixture = Fixture::new();
    let custody = fixture.vault(50).await;
    let rows = custody.wallets(&WalletQuery::default()).await.unwrap().rows;
    for (at, label) in [(3, "Treasury"), (7, "alpha 100%"), (9, "beta_2")] {
        custody.set_label(&rows[at].address, label).await.unwrap();
    }
    let tags = ["Hot".to_owned(), "eu".to_owned()];
    custody
        .add_tags(&[rows[7].address, rows[8].address], &tags)
        .await
        .unwrap();

    let find = async |query: WalletQuery| {
        let page = custody.wallets(&query).await.unwrap();
        (
            page.total,
            page.rows
                .iter()
                .filter_map(|wallet| wallet.index)
                .collect::<Vec<_>>(),
        )
    };
    let text = |text: &str| WalletQuery {
        text: text.to_owned(),
        ..WalletQuery::default()
    };
    assert_eq!(find(text("treas")).await, (1, vec![3]));
    assert_eq!(find(text("hot")).await, (2, vec![7, 8]));
    assert_eq!(find(text("HAgk14")).await, (1, vec![0]));
    assert_eq!(find(text("hagk14")).await, (1, vec![0]));
    assert_eq!(find(text("#17")).await, (1, vec![17]));
    // Signs that LIKE would read otherwise.
    assert_eq!(find(text("0%")).await, (1, vec![7]));
    assert_eq!(find(text("a_2")).await, (1, vec![9]));
    assert_eq!(find(text("\\")).await, (0, vec![]));
    assert_eq!(find(text("' OR 1=1 --")).await, (0, vec![]));
    let tagged = WalletQuery {
        tag: Some("eu".to_owned()),
        ..text("alpha")
    };
    assert_eq!(find(tagged).await, (1, vec![7]));
    assert_eq!(
        find(WalletQuery {
            tag: Some("e".to_owned()),
            ..WalletQuery::default()
        })
        .await
        .0,
        0
    );

    let page = |offset, limit| WalletQuery {
        offset,
        limit,
        ..WalletQuery::default()
    };
    assert_eq!(find(page(48, 10)).await, (50, vec![48, 49]));
    assert_eq!(find(page(50, 10)).await, (50, vec![]));
    let last = WalletQuery {
        descending: true,
        limit: 2,
        ..WalletQuery::default()
    };
    assert_eq!(find(last).await, (50, vec![49, 48]));
    let by_label = |descending| WalletQuery {
        sort: WalletSort::Label,
        descending,
        limit: 4,
        ..WalletQuery::default()
    };
    assert_eq!(find(by_label(false)).await.1, [7, 9, 3, 0]);
    assert_eq!(find(by_label(true)).await.1, [3, 9, 7, 0]);
    for bad in [page(0, 1001), text(&"x".repeat(201))] {
        assert!(matches!(
            custody.wallets(&bad).await,
            Err(CustodyError::Invalid { .. })
        ));
    }
    assert_eq!(
        custody.tags().await.unwrap(),
        [("Hot".to_owned(), 2), ("eu".to_owned(), 2)]
    );
    custody.remove_tags(&[rows[7].address], &tags).await.unwrap();
    assert_eq!(custody.wallet("#7").await.unwrap().tags, Vec::<String>::new());
    assert_eq!(custody.wallet("#8").await.unwrap().tags, ["Hot", "eu"]);
}

#[tokio::test]
async fn wallets_are_found_by_address_label_and_index() {
    let fixture = Fixture::new();
    let custody = fixture.vault(4).await;
    let rows = custody.wallets(&WalletQuery::default()).await.unwrap().rows;
    custody.set_label(&first(), "  cold  ").await.unwrap();
    for name in [FIRST, "cold", "#0"] {
        assert_eq!(custody.wallet(name).await.unwrap().address, first(), "{name}");
    }
    for name in [
        "",
        "#",
        "#9",
        "#x",
        "warm",
        "Cold",
        "11111111111111111111111111111111",
        "#4294967296",
    ] {
        let error = custody.wallet(name).await.unwrap_err();
        assert!(matches!(error, CustodyError::NotFound { .. }), "{name}: {error}");
    }
    for wallet in &rows[1..] {
        custody.set_label(&wallet.address, "twin").await.unwrap();
    }
    let error = custody.wallet("twin").await.unwrap_err();
    assert!(
        matches!(error, CustodyError::Ambiguous { count: 3, .. }),
        "{error}"
    );
    custody.set_label(&first(), "").await.unwrap();
    assert!(custody.wallet("cold").await.is_err());
}

#[tokio::test]
async fn labels_and_tags_that_would_mislead_are_refused() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let long = "x".repeat(65);
    for label in [
        "#3",
        FIRST,
        "two\nlines",
        "bell\u{7}",
        "turned\u{202e}round",
        long.as_str(),
    ] {
        let error = custody.set_label(&first(), label).await.unwrap_err();
        assert!(
            matches!(error, CustodyError::Invalid { .. }),
            "{label:?}: {error}"
        );
    }
    for tags in [
        vec![],
        vec![String::new()],
        vec!["x".repeat(33)],
        vec!["t".to_owned(); 33],
    ] {
        let error = custody.add_tags(&[first()], &tags).await.unwrap_err();
        assert!(matches!(error, CustodyError::Invalid { .. }), "{tags:?}: {error}");
    }
    // All or none: a stranger among them changes nobody.
    let stranger = crate::fixture::recipient();
    let error = custody
        .add_tags(&[first(), stranger], &["t".to_owned()])
        .await
        .unwrap_err();
    assert!(matches!(error, CustodyError::NotFound { .. }), "{error}");
    assert!(custody.tags().await.unwrap().is_empty());
}

#[tokio::test]
async fn two_processes_deriving_at_once_share_no_index() {
    let fixture = Fixture::new();
    let one = fixture.vault(0).await;
    let two = fixture.unlocked().await;
    let derive = |custody: keyward_custody::Custody| {
        tokio::spawn(async move {
            custody
                .derive_wallets(
                    DeriveRequest {
                        start: None,
                        count: 40,
                        ..DeriveRequest::default()
                    },
                    &Progress::new(),
                )
                .await
                .unwrap()
        })
    };
    let (a, b) = (derive(one.clone()), derive(two));
    let mut firsts = [a.await.unwrap().first, b.await.unwrap().first];
    firsts.sort_unstable();
    assert_eq!(firsts, [0, 40]);
    let VaultStatus::Unlocked(summary) = one.status().await.unwrap() else {
        panic!("locked")
    };
    assert_eq!(summary.wallet_count, 80);
}
