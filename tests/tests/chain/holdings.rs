//! What many wallets hold: read in batches, kept as it comes, gone on with, summed; tokens of both programs; history.
#![allow(clippy::print_stdout, reason = "docs/benchmarks.md quotes the figures")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::ed25519::SecretKey;
use keyward_core::intent::programs;
use keyward_core::solana::instructions::sol_transfer;
use keyward_core::solana::token::TokenProgram;
use keyward_core::solana::{MessageVersion, Transaction, compile_message};
use keyward_custody::WalletQuery;
use keyward_custody::chain::{Commitment, HistoryQuery, NodeConfig, SolanaNode};
use keyward_custody::portfolio::{Grouping, RefreshProgress, RefreshReport, RefreshRequest, wallet_history};
use keyward_tests::node::TestNode;
use keyward_tests::wait;
use tokio::sync::watch;

use crate::faults::{FaultServer, Reply};
use crate::scene::{SOL, Scene, fresh_address};

const LIMIT: Duration = Duration::from_secs(60);

async fn refresh(scene: &Scene, node: &SolanaNode, request: RefreshRequest) -> RefreshReport {
    let (sender, _) = watch::channel(RefreshProgress::default());
    scene
        .custody
        .refresh_holdings(node, request, &sender)
        .await
        .unwrap()
}

/// Figures are printed; `--nocapture` shows them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_balances_are_read_once_and_then_known() {
    let scene = Scene::new().await;
    let counting = FaultServer::start(Some(&scene.test_node.rpc_url), |_| Reply::Forward)
        .await
        .unwrap();
    let addresses: Vec<Address> = (0..10_000).map(|_| fresh_address()).collect();
    let funded = [0, 5_050, 9_999];
    for index in funded {
        scene.fund(&addresses[index], 2 * SOL).await;
    }
    let node = SolanaNode::connect(&NodeConfig::new(&counting.url)).unwrap();
    let request = RefreshRequest {
        addresses: addresses.clone(),
        max_age_ms: 3_600_000,
        tokens: false,
    };
    let began = Instant::now();
    let cold = refresh(&scene, &node, request.clone()).await;
    let cold_time = began.elapsed();
    assert_eq!((cold.read, cold.fresh, cold.unknown), (10_000, 0, 0));
    assert_eq!(counting.params_of("getMultipleAccounts").len(), 100);
    let asked = node.traffic()[0].requests;
    // And once for the network.
    assert_eq!(asked, 101);
    let began = Instant::now();
    let warm = refresh(&scene, &node, request).await;
    let warm_time = began.elapsed();
    assert_eq!((warm.read, warm.fresh), (0, 10_000));
    assert_eq!(node.traffic()[0].requests, asked);
    println!("10,000 balances: cold {cold_time:?}, {asked} requests; warm {warm_time:?}, 0 requests");
    let holdings = scene.custody.holdings(&cold.network, &addresses).await.unwrap();
    for (index, holding) in holdings.iter().enumerate() {
        let expected = if funded.contains(&index) { 2 * SOL } else { 0 };
        let holding = holding.unwrap();
        assert_eq!(holding.lamports.get(), expected);
        assert!(holding.slot > 0 && holding.tokens.is_none());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_broke_off_goes_on_where_it_was() {
    let scene = Scene::new().await;
    let left = Arc::new(AtomicU32::new(7));
    let counter = left.clone();
    let server = FaultServer::start(Some(&scene.test_node.rpc_url), move |question| {
        let is_batch = question["method"] == "getMultipleAccounts";
        let take = |left: u32| left.checked_sub(1);
        if is_batch
            && counter
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
                .is_err()
        {
            return Reply::Raw(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_vec());
        }
        Reply::Forward
    });
    let server = server.await.unwrap();
    let node = SolanaNode::connect(&NodeConfig::new(&server.url)).unwrap();
    let mut addresses: Vec<Address> = (0..2_000).map(|_| fresh_address()).collect();
    let request = RefreshRequest {
        addresses: addresses.clone(),
        max_age_ms: 3_600_000,
        tokens: false,
    };
    let first = refresh(&scene, &node, request.clone()).await;
    assert_eq!(first.read + first.unknown, 2_000);
    // What was under way when the first one failed may be lost, and no more is asked for.
    assert!((400..=700).contains(&first.read), "{first:?}");
    assert_eq!(first.failure.as_ref().unwrap().code(), "node-http-status");
    let kept = scene.custody.holdings(&first.network, &addresses).await.unwrap();
    let known = kept.iter().flatten().count();
    assert_eq!(known as u64, first.read);
    left.store(u32::MAX, Ordering::SeqCst);
    let asked = server.params_of("getMultipleAccounts").len();
    let second = refresh(&scene, &node, request).await;
    assert_eq!(
        (second.fresh, second.read, second.unknown),
        (first.read, first.unknown, 0)
    );
    let batches = server.params_of("getMultipleAccounts").len() - asked;
    assert_eq!(batches as u64, first.unknown.div_ceil(100));
    // Without an age everything is read again; an address that is named twice, once.
    addresses.truncate(50);
    addresses.extend_from_within(..);
    let all = RefreshRequest {
        addresses,
        ..RefreshRequest::default()
    };
    assert_eq!(refresh(&scene, &node, all).await.read, 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_is_busy_for_a_moment_is_waited_for() {
    let scene = Scene::new().await;
    let count = AtomicU32::new(0);
    let server = FaultServer::start(Some(&scene.test_node.rpc_url), move |question| {
        let status =
            |line: &str| Reply::Raw(format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n").into_bytes());
        if question["method"] != "getMultipleAccounts" {
            return Reply::Forward;
        }
        match count.fetch_add(1, Ordering::SeqCst) {
            0 => status("429 Too Many Requests\r\nRetry-After: 1"),
            1 | 5 => status("429 Too Many Requests"),
            2 => status("503 Service Unavailable"),
            3 => Reply::Hang,
            4 => Reply::Close,
            _ => Reply::Forward,
        }
    });
    let server = server.await.unwrap();
    let config = NodeConfig {
        timeout_ms: 4_000,
        ..NodeConfig::new(&server.url)
    };
    let node = SolanaNode::connect(&config).unwrap();
    let request = RefreshRequest {
        addresses: (0..900).map(|_| fresh_address()).collect(),
        ..RefreshRequest::default()
    };
    let report = refresh(&scene, &node, request).await;
    assert_eq!((report.read, report.unknown, report.failure), (900, 0, None));
    assert_eq!(node.traffic()[0].rate_limited, 3);
}

fn mint_data(program: TokenProgram, decimals: u8) -> Vec<u8> {
    let mut data = vec![0; 36];
    data.extend(1_000_000_u64.to_le_bytes());
    data.extend([decimals, 1]);
    data.extend([0; 36]);
    if program == TokenProgram::Token2022 {
        data.resize(165, 0);
        data.push(1);
        // A transfer fee of one percent.
        data.extend([1, 0, 108, 0]);
        data.extend([7; 64]);
        data.extend([0; 8]);
        for _ in 0..2 {
            data.extend(0_u64.to_le_bytes());
            data.extend(5_000_u64.to_le_bytes());
            data.extend(100_u16.to_le_bytes());
        }
    }
    data
}

fn account_data(program: TokenProgram, mint: &Address, owner: &Address, amount: u64, state: u8) -> Vec<u8> {
    let mut data = [*mint.as_bytes(), *owner.as_bytes()].concat();
    data.extend(amount.to_le_bytes());
    data.extend([0; 36]);
    data.push(state);
    data.extend([0; 20]);
    data.extend([0; 36]);
    if program == TokenProgram::Token2022 {
        data.push(2);
        data.extend([7, 0, 0, 0]);
        data.extend([2, 0, 8, 0]);
        data.extend(33_u64.to_le_bytes());
    }
    data
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_both_programs_are_found_kept_and_summed() {
    let scene = Scene::new().await;
    let [first, second] = scene.wallets;
    scene.fund(&first, 2 * SOL).await;
    let wallets = [first, second];
    scene
        .custody
        .add_tags(&wallets, &["hot".to_owned()])
        .await
        .unwrap();
    scene
        .custody
        .add_tags(&wallets[..1], &["main".to_owned()])
        .await
        .unwrap();
    let mut mints = Vec::new();
    for program in TokenProgram::ALL {
        let mint = fresh_address();
        let set = async |address: Address, data: Vec<u8>| {
            let owner = program.address();
            scene
                .test_node
                .set_account(&address, &owner, 9_000_000, &data)
                .await
                .unwrap();
        };
        set(mint, mint_data(program, 2)).await;
        set(fresh_address(), account_data(program, &mint, &first, 500, 1)).await;
        set(fresh_address(), account_data(program, &mint, &first, 40, 2)).await;
        set(fresh_address(), account_data(program, &mint, &second, 7, 1)).await;
        mints.push(mint);
    }
    let found = scene
        .node
        .token_accounts_of(&first, TokenProgram::Token2022)
        .await
        .unwrap();
    assert_eq!((found.accounts.len(), found.unreadable.len()), (2, 0));
    assert!(found.slot > 0 && found.accounts.iter().all(|one| one.account.withheld() == 33));
    let (_, read) = scene.node.mints(&[mints[1], first]).await.unwrap();
    let fees = read[0].as_ref().unwrap().mint.transfer_fee().copied().unwrap();
    let epoch = scene.node.epoch().await.unwrap();
    assert_eq!(fees.at(epoch).of(10_000), Some(100));
    assert_eq!(read[1], None);

    let request = RefreshRequest {
        addresses: scene.wallets.to_vec(),
        max_age_ms: 0,
        tokens: true,
    };
    let report = refresh(&scene, &scene.node, request).await;
    assert_eq!((report.read, report.unknown), (4, 0), "{report:?}");
    let tokens = scene
        .custody
        .token_holdings(&report.network, Some(&first))
        .await
        .unwrap();
    assert_eq!(tokens.len(), 4);
    assert!(
        tokens
            .iter()
            .all(|token| token.decimals() == Some(2) && token.owner == first)
    );
    assert_eq!(
        scene
            .custody
            .token_holdings(&report.network, None)
            .await
            .unwrap()
            .len(),
        6
    );
    let query = WalletQuery::default();
    let by_tag = scene
        .custody
        .portfolio(&report.network, &query, Grouping::Tag)
        .await
        .unwrap();
    let names: Vec<_> = by_tag.groups.iter().map(|group| group.name.as_deref()).collect();
    assert_eq!(names, [Some("hot"), Some("main")]);
    let [hot, main] = by_tag.groups.as_slice() else {
        panic!()
    };
    assert_eq!(
        (hot.wallets, hot.unknown, hot.lamports),
        (2, 0, u128::from(2 * SOL))
    );
    let amounts = |group: &keyward_custody::portfolio::PortfolioGroup| {
        let sums = group.tokens.iter();
        sums.map(|sum| (sum.amount, sum.frozen, sum.accounts))
            .collect::<Vec<_>>()
    };
    assert_eq!(amounts(hot), [(547, 40, 3), (547, 40, 3)]);
    assert_eq!(amounts(main), [(540, 40, 2), (540, 40, 2)]);
    assert_eq!(amounts(&by_tag.total), amounts(hot));
    let by_owner = scene
        .custody
        .portfolio(&report.network, &query, Grouping::Owner)
        .await
        .unwrap();
    assert_eq!(by_owner.groups.len(), 1);
    assert_eq!(by_owner.groups[0].name, None);
}

#[tokio::test]
async fn history_tells_how_each_transaction_really_ended() {
    let test_node = TestNode::start().unwrap();
    let node = test_node.client().unwrap();
    let key = SecretKey::from_seed(fresh_address().as_bytes());
    let (own, other) = (key.address(), fresh_address());
    test_node.fund(&own, Lamports::new(SOL)).await.unwrap();
    let send = async |lamports: u64| {
        let blockhash = node.latest_blockhash().await.unwrap().blockhash;
        let pay = [sol_transfer(own, other, Lamports::new(lamports))];
        let message = compile_message(MessageVersion::Legacy, own, &pay, blockhash).unwrap();
        let signature = key.sign(&message.encode());
        let signed = Transaction::unsigned(message)
            .with_signature(&own, signature)
            .unwrap();
        node.send_raw(&signed.encode()).await.unwrap()
    };
    let good = send(SOL / 10).await;
    let bad = send(5 * SOL).await;
    let query = HistoryQuery::newest(10);
    let entries = wait::until("three transactions", LIMIT, async || {
        let entries = wallet_history(&node, &own, &query).await.unwrap();
        (entries.len() == 3 && entries.iter().all(|entry| entry.detail.is_ok())).then_some(entries)
    });
    let entries = entries.await.unwrap();
    let find = |signature| {
        let entry = entries.iter().find(|entry| entry.item.signature == signature);
        entry.unwrap().detail.clone().unwrap()
    };
    let paid = find(good);
    assert_eq!((&paid.error, paid.paid_fee), (&None, true));
    let fee = i128::from(paid.fee.get());
    assert_eq!(paid.sol, -i128::from(SOL / 10) - fee);
    assert!(paid.actions[0].contains("0.1"), "{:?}", paid.actions);
    let failed = find(bad);
    assert!(failed.error.unwrap().contains("insufficient funds"));
    assert_eq!(failed.sol, -fee);
    // As the other side sees it, and in pages.
    let others = wallet_history(&node, &other, &query).await.unwrap();
    let received = others.iter().find(|entry| entry.item.signature == good).unwrap();
    let received = received.detail.clone().unwrap();
    assert_eq!((received.sol, received.paid_fee), (i128::from(SOL / 10), false));
    let mut pages = Vec::new();
    let mut before = None;
    loop {
        let page = HistoryQuery {
            before,
            ..HistoryQuery::newest(1)
        };
        let page = node.history_page(&own, &page).await.unwrap();
        let Some(item) = page.into_iter().next() else {
            break;
        };
        before = Some(item.signature);
        pages.push(item.signature);
    }
    let listed: Vec<_> = entries.iter().map(|entry| entry.item.signature).collect();
    assert_eq!(pages, listed);
    let landed = node
        .transaction(&good, Commitment::Confirmed)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(landed.sol[0].address, own);
    assert!(landed.slot > 0 && landed.sol.iter().any(|change| change.address == programs::SYSTEM));
    let nothing = keyward_core::address::Signature::new([9; 64]);
    assert_eq!(node.transaction(&nothing, Commitment::Confirmed).await, Ok(None));
    assert!(node.recent_fees(&[own]).await.is_ok());
}

#[tokio::test]
async fn what_is_on_screen_is_followed_with_and_without_websocket() {
    let test_node = TestNode::start().unwrap();
    let nobody = NodeConfig {
        ws_url: Some("ws://127.0.0.1:9".to_owned()),
        ..test_node.config()
    };
    for config in [test_node.config(), nobody] {
        let node = SolanaNode::connect(&config).unwrap();
        let addresses: Vec<Address> = (0..5).map(|_| fresh_address()).collect();
        let mut watch = node.subscribe_accounts(&addresses).unwrap();
        let first = tokio::time::timeout(LIMIT, watch.next()).await.unwrap();
        assert_eq!(first.len(), 5);
        test_node.fund(&addresses[3], Lamports::new(SOL)).await.unwrap();
        let news = tokio::time::timeout(LIMIT, watch.next()).await.unwrap();
        assert_eq!(news.len(), 1);
        assert_eq!(
            (news[0].0, news[0].1.lamports),
            (addresses[3], Lamports::new(SOL))
        );
        assert!(node.subscribe_accounts(&vec![addresses[0]; 101]).is_err());
    }
}
