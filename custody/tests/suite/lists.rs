//! Lists: every order and every filter, page by page, with wallets coming in between.

use std::collections::BTreeSet;

use keyward_core::account::{AccountAddress, Chain};
use keyward_core::path::PathFamily;
use keyward_custody::{
    Custody, CustodyError, DeriveRequest, Progress, StatusFilter, Wallet, WalletCursor, WalletQuery,
    WalletSort, WalletStatus,
};

use crate::fixture::{Fixture, transfer_from};

const SORTS: [WalletSort; 7] = [
    WalletSort::Index,
    WalletSort::Label,
    WalletSort::LastUsed,
    WalletSort::Created,
    WalletSort::Trades,
    WalletSort::Volume,
    WalletSort::Owner,
];

/// Twelve of Solana, three of Ethereum: labelled, tagged, owned, used, some of each.
async fn vault(fixture: &Fixture) -> (Custody, Vec<AccountAddress>) {
    let custody = fixture.vault(12).await;
    let evm = DeriveRequest {
        family: Some(PathFamily::EvmBip44),
        count: 3,
        ..DeriveRequest::default()
    };
    custody.derive_wallets(evm, &Progress::new()).await.unwrap();
    let all: Vec<AccountAddress> = custody
        .wallets(&WalletQuery::default())
        .await
        .unwrap()
        .rows
        .iter()
        .map(|wallet| wallet.address)
        .collect();
    for (at, label) in [(3, "Bees"), (5, "ants"), (7, "bees"), (9, "cats"), (13, "Zebra")] {
        custody.set_label(all[at], label).await.unwrap();
    }
    custody.add_tags(&all[4..8], &["hot".to_owned()]).await.unwrap();
    for (name, wallets) in [("zoe", &all[1..3]), ("ada", &all[4..6]), ("bob", &all[12..14])] {
        custody.create_owner(name).await.unwrap();
        custody.assign_wallets(name, wallets).await.unwrap();
    }
    custody.set_role(&all[2..6], "trading").await.unwrap();
    for (at, lamports) in [(6, 500), (2, 70_000), (8, 500)] {
        fixture.clock.advance(1_000);
        let wallet = *all[at].as_solana().unwrap();
        custody
            .sign_transaction(transfer_from(wallet, lamports, 1))
            .await
            .unwrap();
        custody
            .sign_transaction(transfer_from(wallet, lamports, 2))
            .await
            .unwrap();
    }
    (custody, all)
}

async fn everything(custody: &Custody, mut query: WalletQuery, limit: u32) -> (Vec<Wallet>, u64) {
    query.limit = limit;
    let mut rows = Vec::new();
    for _ in 0..100 {
        let page = custody.wallets(&query).await.unwrap();
        rows.extend(page.rows);
        match page.next {
            // As a script hands it on.
            Some(next) => query.after = Some(next.to_string().parse::<WalletCursor>().unwrap()),
            None => return (rows, page.total),
        }
    }
    panic!("the pages do not end");
}

fn names(rows: &[Wallet]) -> Vec<AccountAddress> {
    rows.iter().map(|wallet| wallet.address).collect()
}

#[tokio::test]
async fn pages_by_cursor_are_the_whole_list_in_every_order() {
    let fixture = Fixture::new();
    let (custody, all) = vault(&fixture).await;
    let filters: [fn(&mut WalletQuery); 8] = [
        |_| {},
        |query| query.owner = Some("ada".to_owned()),
        |query| query.role = Some("trading".to_owned()),
        |query| query.tag = Some("hot".to_owned()),
        |query| query.chain = Some(Chain::Evm),
        |query| query.text = "bees".to_owned(),
        |query| query.text = "HOT".to_owned(),
        |query| query.status = StatusFilter::All,
    ];
    let sizes = [15, 2, 4, 4, 3, 2, 4, 15];
    for (filter, size) in filters.iter().zip(sizes) {
        for sort in SORTS {
            for descending in [false, true] {
                let mut query = WalletQuery {
                    sort,
                    descending,
                    ..WalletQuery::default()
                };
                filter(&mut query);
                let (whole, total) = everything(&custody, query.clone(), 1_000).await;
                assert_eq!((whole.len(), total), (size, size as u64), "{query:?}");
                for limit in [2, 7] {
                    let (pieces, _) = everything(&custody, query.clone(), limit).await;
                    assert_eq!(names(&pieces), names(&whole), "{limit} {query:?}");
                }
                for offset in (0..=size).step_by(3) {
                    let query = WalletQuery {
                        offset: offset as u64,
                        limit: 4,
                        ..query.clone()
                    };
                    let rows = custody.wallets(&query).await.unwrap().rows;
                    let expected = &whole[offset..whole.len().min(offset + 4)];
                    assert_eq!(names(&rows), names(expected), "{query:?}");
                }
            }
        }
    }
    assert_eq!(all.len(), 15);
}

#[tokio::test]
async fn orders_are_what_they_say() {
    let fixture = Fixture::new();
    let (custody, all) = vault(&fixture).await;
    let first = async |sort, descending, count: usize| {
        let query = WalletQuery {
            sort,
            descending,
            ..WalletQuery::default()
        };
        let rows = custody.wallets(&query).await.unwrap().rows;
        let at = |address: &AccountAddress| all.iter().position(|other| other == address).unwrap();
        names(&rows).iter().map(at).take(count).collect::<Vec<_>>()
    };
    assert_eq!(first(WalletSort::Index, false, 3).await, [0, 1, 2]);
    // By family, then index: evm-bip44 comes after bip44-change.
    assert_eq!(first(WalletSort::Index, true, 4).await, [14, 13, 12, 11]);
    assert_eq!(first(WalletSort::Label, false, 6).await, [5, 3, 7, 9, 13, 0]);
    assert_eq!(first(WalletSort::Label, true, 6).await, [13, 9, 7, 3, 5, 0]);
    assert_eq!(first(WalletSort::LastUsed, true, 4).await, [8, 2, 6, 0]);
    assert_eq!(first(WalletSort::LastUsed, false, 4).await, [6, 2, 8, 0]);
    assert_eq!(first(WalletSort::Created, true, 2).await, [14, 13]);
    assert_eq!(first(WalletSort::Volume, true, 4).await, [2, 8, 6, 14]);
    assert_eq!(first(WalletSort::Trades, true, 3).await, [8, 6, 2]);
    assert_eq!(first(WalletSort::Owner, false, 7).await, [4, 5, 12, 13, 1, 2, 0]);
    assert_eq!(first(WalletSort::Owner, true, 7).await, [2, 1, 13, 12, 5, 4, 0]);
}

#[tokio::test]
async fn a_cursor_neither_skips_nor_repeats_when_wallets_come_and_go() {
    let fixture = Fixture::new();
    let (custody, all) = vault(&fixture).await;
    let mut query = WalletQuery {
        sort: WalletSort::Label,
        limit: 2,
        ..WalletQuery::default()
    };
    let page = custody.wallets(&query).await.unwrap();
    assert_eq!(names(&page.rows), [all[5], all[3]]);
    query.after = page.next;
    // Before the cursor, the cursor's own row, and after it.
    custody.set_label(all[0], "aardvark").await.unwrap();
    custody.set_label(all[3], "yak").await.unwrap();
    custody.delete_wallet(all[5]).await.unwrap();
    let page = custody.wallets(&query).await.unwrap();
    assert_eq!(names(&page.rows), [all[7], all[9]]);
    query.after = page.next;
    let page = custody.wallets(&query).await.unwrap();
    assert_eq!(names(&page.rows), [all[3], all[13]]);
    query.after = page.next;
    let rest = custody
        .wallets(&WalletQuery {
            limit: 100,
            ..query.clone()
        })
        .await
        .unwrap();
    let seen: BTreeSet<_> = names(&rest.rows).into_iter().collect();
    assert_eq!(seen.len(), 9);
    assert!(rest.next.is_none());
    // Of this order alone.
    for (sort, descending) in [(WalletSort::Index, false), (WalletSort::Label, true)] {
        let query = WalletQuery {
            sort,
            descending,
            ..query.clone()
        };
        let error = custody.wallets(&query).await.unwrap_err();
        assert!(
            matches!(error, CustodyError::Invalid { what: "cursor", .. }),
            "{error}"
        );
    }
}

#[tokio::test]
async fn filters_hold_together() {
    let fixture = Fixture::new();
    let (custody, all) = vault(&fixture).await;
    custody.delete_wallet(all[4]).await.unwrap();
    let count = async |query: WalletQuery| custody.wallets(&query).await.unwrap().total;
    let tagged = WalletQuery {
        tag: Some("hot".to_owned()),
        role: Some("trading".to_owned()),
        ..WalletQuery::default()
    };
    assert_eq!(count(tagged.clone()).await, 1);
    let whatever = WalletQuery {
        status: StatusFilter::All,
        ..tagged.clone()
    };
    assert_eq!(count(whatever).await, 2);
    let deleted = WalletQuery {
        status: StatusFilter::Only(WalletStatus::Deleted),
        owner: Some("ada".to_owned()),
        ..tagged
    };
    assert_eq!(count(deleted).await, 1);
    let nobody = WalletQuery {
        owner: Some("nobody' OR 1=1 --".to_owned()),
        ..WalletQuery::default()
    };
    assert_eq!(count(nobody).await, 0);
    let long = WalletQuery {
        role: Some("x".repeat(201)),
        ..WalletQuery::default()
    };
    assert!(custody.wallets(&long).await.is_err());
}

/// A handle carries its counts and the addresses it has seen on from list to list.
#[tokio::test]
async fn lists_go_on_with_what_came_since() {
    let fixture = Fixture::new();
    let (custody, all) = vault(&fixture).await;
    let other = fixture.unlocked().await;
    let found = async |query: WalletQuery| custody.wallets(&query).await.unwrap();
    let every = |chain| WalletQuery {
        chain,
        ..WalletQuery::default()
    };
    let piece = |address: &AccountAddress| {
        let text = address.to_string();
        WalletQuery {
            text: text[3..text.len() - 2].to_ascii_uppercase(),
            ..WalletQuery::default()
        }
    };
    for address in &all {
        let page = found(piece(address)).await;
        assert_eq!((page.total, names(&page.rows)), (1, vec![*address]));
    }
    assert_eq!(found(every(None)).await.total, 15);
    assert_eq!(found(every(Some(Chain::Solana))).await.total, 12);
    // Through another handle, which this one does not hear of.
    for (family, count) in [(PathFamily::Bip44Change, 5), (PathFamily::EvmBip44, 2)] {
        let more = DeriveRequest {
            family: Some(family),
            count,
            ..DeriveRequest::default()
        };
        other.derive_wallets(more, &Progress::new()).await.unwrap();
    }
    assert_eq!(found(every(None)).await.total, 22);
    assert_eq!(found(every(Some(Chain::Solana))).await.total, 17);
    assert_eq!(found(every(Some(Chain::Evm))).await.total, 5);
    let new = found(WalletQuery {
        sort: WalletSort::Created,
        descending: true,
        limit: 7,
        ..WalletQuery::default()
    });
    for wallet in new.await.rows {
        assert!(!all.contains(&wallet.address));
        assert_eq!(found(piece(&wallet.address)).await.total, 1);
    }
    // One that is out of use is left out of all of them, and is still there.
    other.delete_wallet(all[0]).await.unwrap();
    assert_eq!(found(piece(&all[0])).await.total, 0);
    assert_eq!(found(every(None)).await.total, 21);
    assert_eq!(found(every(Some(Chain::Solana))).await.total, 16);
    let only = |status| WalletQuery {
        status,
        ..WalletQuery::default()
    };
    assert_eq!(found(only(StatusFilter::All)).await.total, 22);
    assert_eq!(
        found(only(StatusFilter::Only(WalletStatus::Active))).await.total,
        21
    );
    assert_eq!(
        found(only(StatusFilter::Only(WalletStatus::Deleted))).await.total,
        1
    );
    let whatever = WalletQuery {
        status: StatusFilter::All,
        ..piece(&all[0])
    };
    assert_eq!(found(whatever).await.total, 1);
}
