//! What nodes said: kept by slot, replaced by owner, read in pages.

use keyward_core::address::Address;
use keyward_core::amount::Lamports;

use super::scene::{Place, Scene};
use crate::store::Write;
use crate::store::holdings::{BalanceRow, HoldingsPage, HoldingsWrite, TokenRow};

contract!(
    a_later_slot_counts_whoever_comes_last,
    token_accounts_of_an_owner_are_replaced_together,
    a_token_account_that_changed_hands_is_there_once,
    pages_follow_each_other_and_networks_are_apart,
);

const NETWORK: &str = "one";

fn address(byte: u8) -> Address {
    Address::new([byte; 32])
}

fn balances(slot: u64, rows: &[(u8, u64)]) -> Write {
    Write::Holdings(HoldingsWrite::Balances {
        network: NETWORK.to_owned(),
        slot,
        rows: rows
            .iter()
            .map(|(byte, amount)| (address(*byte), Lamports::new(*amount)))
            .collect(),
    })
}

fn token(owner: u8, account: u8, data: &[u8]) -> TokenRow {
    TokenRow {
        account: address(account),
        owner: address(owner),
        program: address(200),
        lamports: Lamports::new(u64::MAX),
        data: data.to_vec(),
    }
}

fn tokens(owner: u8, slot: u64, rows: Vec<TokenRow>) -> Write {
    Write::Holdings(HoldingsWrite::Tokens {
        network: NETWORK.to_owned(),
        owner: address(owner),
        slot,
        rows,
    })
}

/// Something in every table and every column.
pub(super) fn everything() -> Vec<Write> {
    vec![
        balances(7, &[(1, u64::MAX), (2, 0)]),
        tokens(1, 8, vec![token(1, 50, &[0, 255, 92, 10])]),
        Write::Holdings(HoldingsWrite::Mints {
            network: NETWORK.to_owned(),
            slot: 9,
            rows: vec![(address(90), address(200), vec![1, 2, 3])],
        }),
    ]
}

fn page(of: Option<u8>, after: Option<Address>, limit: u32) -> HoldingsPage {
    HoldingsPage {
        network: NETWORK.to_owned(),
        of: of.map(address),
        after,
        limit,
    }
}

async fn kept(scene: &Scene, byte: u8) -> Option<BalanceRow> {
    let page = page(Some(byte), None, 10);
    scene.store().cached_balances(&page).await.unwrap().pop()
}

async fn a_later_slot_counts_whoever_comes_last(scene: Scene) {
    scene.set_clock(2_000_000);
    scene.write(everything()).await.unwrap();
    let first = kept(&scene, 1).await.unwrap();
    assert_eq!((first.lamports.get(), first.slot), (u64::MAX, 7));
    assert_eq!((first.read_ms, first.tokens), (2_000_000, Some((8, 2_000_000))));
    scene.set_clock(3_000_000);
    scene.write(vec![balances(6, &[(1, 5), (3, 6)])]).await.unwrap();
    assert_eq!(kept(&scene, 1).await, Some(first));
    assert_eq!(kept(&scene, 3).await.unwrap().slot, 6);
    // The same slot once more is a newer look; the tokens stay.
    scene.write(vec![balances(7, &[(1, 5)])]).await.unwrap();
    let now = kept(&scene, 1).await.unwrap();
    assert_eq!((now.lamports.get(), now.read_ms), (5, 3_000_000));
    assert_eq!(now.tokens, first.tokens);
    assert_eq!(kept(&scene, 4).await, None);
    let mints = scene
        .store()
        .cached_mints(&page(Some(90), None, 9))
        .await
        .unwrap();
    assert_eq!((mints[0].slot, mints[0].data.as_slice()), (9, &[1, 2, 3][..]));
}

async fn accounts(scene: &Scene, owner: u8) -> Vec<TokenRow> {
    scene
        .store()
        .cached_tokens(&page(Some(owner), None, 10))
        .await
        .unwrap()
}

async fn token_accounts_of_an_owner_are_replaced_together(scene: Scene) {
    scene.write(everything()).await.unwrap();
    assert_eq!(accounts(&scene, 1).await, [token(1, 50, &[0, 255, 92, 10])]);
    let next = vec![token(1, 51, &[]), token(1, 52, &[7; 300])];
    scene.write(vec![tokens(1, 9, next.clone())]).await.unwrap();
    assert_eq!(accounts(&scene, 1).await, next);
    // Read earlier, and of somebody whose balance was never read.
    let late = vec![tokens(1, 8, Vec::new()), tokens(9, 9, vec![token(9, 60, &[])])];
    scene.write(late).await.unwrap();
    assert_eq!(accounts(&scene, 1).await, next);
    assert!(accounts(&scene, 9).await.is_empty());
    scene.write(vec![tokens(1, 10, Vec::new())]).await.unwrap();
    assert!(accounts(&scene, 1).await.is_empty());
    assert_eq!(kept(&scene, 1).await.unwrap().tokens.unwrap().0, 10);
}

async fn a_token_account_that_changed_hands_is_there_once(scene: Scene) {
    scene.write(everything()).await.unwrap();
    scene
        .write(vec![tokens(2, 9, vec![token(2, 50, &[4])])])
        .await
        .unwrap();
    assert_eq!(accounts(&scene, 2).await, [token(2, 50, &[4])]);
    assert!(accounts(&scene, 1).await.is_empty());
}

async fn pages_follow_each_other_and_networks_are_apart(scene: Scene) {
    let rows: Vec<(u8, u64)> = (1..=23).map(|byte| (byte, u64::from(byte))).collect();
    scene.write(vec![balances(5, &rows)]).await.unwrap();
    let mut after = None;
    let mut found = Vec::new();
    loop {
        let page = scene
            .store()
            .cached_balances(&page(None, after, 5))
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.address);
        found.extend(page.into_iter().map(|row| row.address.to_string()));
    }
    let mut expected: Vec<String> = rows.iter().map(|(byte, _)| address(*byte).to_string()).collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let elsewhere = HoldingsPage {
        network: "two".to_owned(),
        ..page(None, None, 5)
    };
    assert!(
        scene
            .store()
            .cached_balances(&elsewhere)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(scene.custody.holdings("", &[]).await.is_err());
    let asked = [address(3), address(77)];
    let holdings = scene.custody.holdings(NETWORK, &asked).await.unwrap();
    assert_eq!(holdings[0].unwrap().lamports, Lamports::new(3));
    assert_eq!(holdings[1], None);
}
