//! What every store does alike, asked of each: one list of cases, each run on a file and on a server.
//!
//! What can be asked through the services is in `custody/tests/suite`, whose modules run on both stores as well.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../../tests/postgres/server.rs"]
#[expect(dead_code, reason = "no copies of databases here")]
mod server;

mod copied;
mod scene;

use keyward_core::address::Signature;
use keyward_core::evm::EvmAddress;
use keyward_core::path::PathFamily;
use keyward_core::policy::WalletSignature;
use scene::{Place, Scene, derive, intent, new_wallet, of_wallets, open, reservation};

use super::{Ask, Commit, Facts, MasterAsk, NewIntent, NewWallet, Write, transact, transact_as};
use crate::audit::ledger::Ledger;
use crate::{AuditReport, CustodyError, Password, VaultStatus, WalletQuery};

macro_rules! contract {
    ($($case:ident),* $(,)?) => {
        mod on_a_file {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(super::Scene::new(super::Place::file()).await).await;
            })*
        }
        mod on_a_server {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(super::Scene::new(super::Place::database()).await).await;
            })*
        }
    };
}

mod adopted;
mod attempts;
mod group;
mod holdings;
mod jobs;
mod together;

contract!(
    windows_slide,
    sums_are_exact_beyond_64_bits,
    a_sum_beyond_128_bits_is_too_much_and_no_error,
    an_amount_that_is_moved_counts_once,
    a_closed_handle_says_so,
    a_decision_that_fails_changes_nothing,
    a_write_that_fails_takes_back_those_before_it,
    wallets_that_are_there_are_left_as_they_are,
    new_wallets_are_sealed_as_they_are_read,
    writers_of_many_handles_lose_no_update,
    facts_come_in_the_order_asked_without_what_is_unknown,
    the_rate_window_ends_where_it_says,
    an_intent_that_is_signed_stays_so,
    times_and_counts_come_back_exactly,
    too_much_at_once_is_refused,
    an_ordered_commit_is_seen_at_once,
    tags_are_a_set,
    the_structure_is_checked,
);

async fn windows_slide(scene: Scene) {
    let reserved = [
        (5_000, "sol", 1),
        (5_400, "token:x", 64),
        (5_500, "sol", 10),
        (5_999, "sol", 100),
    ];
    for (at, (time, asset, amount)) in (0_u8..).zip(reserved) {
        scene.set_clock(time);
        scene.reserve([at; 32], asset, amount).await;
    }
    for (now, expected) in [
        (5_999, 111),
        (6_000, 110),
        (6_499, 110),
        (6_500, 100),
        (6_998, 100),
        (6_999, 0),
        (100, 111),
    ] {
        scene.set_clock(now);
        assert_eq!(scene.spent(Vec::new()).await, expected, "at {now}");
    }
    // An intent's own reservation does not stand in its way.
    scene.set_clock(5_999);
    assert_eq!(scene.spent(vec![[0; 32]]).await, 110);
    assert_eq!(scene.spent(vec![[0; 32], [3; 32], [9; 32]]).await, 10);
}

async fn sums_are_exact_beyond_64_bits(scene: Scene) {
    let largest = u128::from(u64::MAX);
    scene.set_clock(5_000_000);
    for (at, amount) in (1_u8..).zip([largest, largest, largest - 10, 10, 1 << 100, (1 << 127) + 3]) {
        scene.reserve([at; 32], "sol", amount).await;
    }
    let all = 3 * largest + (1 << 100) + (1 << 127) + 3;
    assert_eq!(scene.spent(Vec::new()).await, all);
    assert_eq!(scene.spent(vec![[1; 32], [2; 32]]).await, all - 2 * largest);
    assert_eq!(scene.spent((1..=6).map(|at| [at; 32]).collect()).await, 0);
}

async fn a_sum_beyond_128_bits_is_too_much_and_no_error(scene: Scene) {
    for at in 1..=3 {
        scene.reserve([at; 32], "sol", u128::MAX).await;
    }
    assert_eq!(scene.spent(Vec::new()).await, u128::MAX);
    assert_eq!(scene.spent(vec![[1; 32], [2; 32]]).await, u128::MAX);
}

async fn an_amount_that_is_moved_counts_once(scene: Scene) {
    scene.set_clock(5_000);
    scene.reserve([1; 32], "sol", 7).await;
    scene.set_clock(5_900);
    let wallet = scene.id().await;
    let writes = vec![
        Write::Intent(intent([2; 32], wallet)),
        reservation(
            [2; 32],
            wallet,
            "sol",
            9,
            vec![([1; 32], 5_000), ([5; 32], 4_000)],
        ),
    ];
    scene.write(writes).await.unwrap();
    assert_eq!(scene.spent(Vec::new()).await, 9);
    assert_eq!(scene.spent(vec![[2; 32]]).await, 0);
    // What was reserved then is reserved now.
    scene.set_clock(6_500);
    assert_eq!(scene.spent(Vec::new()).await, 9);
}

async fn a_closed_handle_says_so(scene: Scene) {
    let custody = &scene.custody;
    custody.close().await.unwrap();
    assert!(matches!(derive(custody).await, Err(CustodyError::Locked)));
    assert!(matches!(custody.status().await, Err(CustodyError::Storage(_))));
    let error = custody
        .unlock(&Password::new(String::new()), None)
        .await
        .unwrap_err();
    assert!(matches!(error, CustodyError::Storage(_)), "{error:?}");
    let error = scene.write(Vec::new()).await.unwrap_err();
    assert!(matches!(error, CustodyError::Storage(_)), "{error:?}");
    custody.close().await.unwrap();
    // The place itself is as it was.
    let again = open(&scene.place, &scene.clock).await;
    assert!(matches!(again.status().await.unwrap(), VaultStatus::Locked(_)));
}

async fn a_decision_that_fails_changes_nothing(scene: Scene) {
    let before = scene.store().audit_head().await.unwrap().rows;
    for _ in 0..20 {
        let decided = transact(scene.store(), Ask::default(), |_, _| -> Result<(_, ()), _> {
            Err(CustodyError::Cancelled)
        });
        assert!(matches!(decided.await, Err(CustodyError::Cancelled)));
    }
    assert_eq!(scene.store().audit_head().await.unwrap().rows, before);
    assert_eq!(derive(&scene.custody).await.unwrap(), 1);
}

async fn a_write_that_fails_takes_back_those_before_it(scene: Scene) {
    let wallet = scene.id().await;
    scene.reserve([1; 32], "sol", 1).await;
    let label = || Write::Label {
        wallet,
        label: "x".to_owned(),
    };
    let long = Write::Label {
        wallet,
        label: "x".repeat(65),
    };
    for bad in [
        // There already, of no wallet, of no policy, beyond its bounds.
        Write::Intent(intent([1; 32], wallet)),
        Write::Intent(intent([2; 32], 99)),
        Write::Intent(NewIntent {
            policy_version: 9,
            ..intent([2; 32], wallet)
        }),
        reservation([3; 32], wallet, "sol", 1, Vec::new()),
        reservation([1; 32], wallet, "", 1, Vec::new()),
        long,
        Write::TagAddress {
            address: scene.wallet,
            tag: String::new(),
        },
        Write::Header(Vec::new()),
        Write::NextIndex {
            master: 99,
            family: PathFamily::Bip44,
            next_index: 1,
        },
        Write::NextIndex {
            master: 1,
            family: PathFamily::Bip44,
            next_index: u32::MAX,
        },
    ] {
        let said = format!("{bad:?}");
        assert!(scene.write(vec![label(), bad]).await.is_err(), "{said}");
        assert_eq!(scene.custody.wallet("#0").await.unwrap().label, "", "{said}");
    }
    scene.write(vec![label()]).await.unwrap();
    assert_eq!(scene.custody.wallet("#0").await.unwrap().label, "x");
}

async fn wallets_that_are_there_are_left_as_they_are(scene: Scene) {
    // Few and many, which PostgreSQL stores by different ways.
    for (byte, count) in [(1_u8, 9_u8), (2, 250)] {
        let rows = |label: &str, count: u8| (0..count).map(|at| new_wallet(byte, at, label)).collect();
        let insert = async |label: &str, count: u8| {
            let write = Write::Wallets {
                from: None,
                rows: rows(label, count),
            };
            let (_, applied) = transact(scene.store(), Ask::default(), |ledger, _| {
                ledger.verify_edge(scene.session().signer())?;
                Ok((vec![write], ()))
            })
            .await
            .unwrap();
            applied.wallets_added
        };
        assert_eq!(insert("first", count).await, u64::from(count));
        assert_eq!(insert("second", count).await, 0);
        assert_eq!(insert("third", count + 3).await, 3);
        let addresses: Vec<_> = (0..count + 3)
            .map(|at| new_wallet(byte, at, "").address)
            .collect();
        let found = scene.look(of_wallets(&addresses, 0)).await.wallets;
        assert_eq!(found.len(), addresses.len());
        for (at, wallet) in (0_u8..).zip(found) {
            assert_eq!(wallet.address, addresses[usize::from(at)]);
            assert_eq!((wallet.record, wallet.epoch), ([at; 16], 1));
            assert_eq!((wallet.sealed, wallet.own_password), (vec![at; 100], at % 2 == 1));
        }
        let labelled = scene.store().wallets_by_label("first").await.unwrap();
        assert!(labelled.total >= u64::from(count));
        assert_eq!(scene.store().wallets_by_label("second").await.unwrap().total, 0);
    }
}

/// The seal counts new wallets from what is written; a verification counts what is read.
async fn new_wallets_are_sealed_as_they_are_read(scene: Scene) {
    let insert = async |from, rows: Vec<NewWallet>| {
        let ask = Ask {
            unsigned_tail: true,
            ..Ask::default()
        };
        let (_, applied) = transact(scene.store(), ask, |ledger, _| {
            ledger.verify_edge(scene.session().signer())?;
            Ok((vec![Write::Wallets { from, rows }], ()))
        })
        .await
        .unwrap();
        let report = scene.custody.audit_verify(None).await.unwrap();
        assert!(matches!(report, AuditReport::Intact { .. }), "{report:?}");
        applied.wallets_added
    };
    let evm = |at: u8| NewWallet {
        address: EvmAddress::new([at; 20]).into(),
        public_key: Some([3; 33]),
        ..new_wallet(9, at, "")
    };
    let derived = |at: u8| NewWallet {
        index: Some(u32::from(at) + 7),
        path: format!("m/44'/501'/{at}'/0'"),
        ..new_wallet(8, at, "desk")
    };
    let from = Some((1, PathFamily::Bip44Change));
    // Few and many, which PostgreSQL stores by different ways; then some that are there.
    assert_eq!(insert(None, (0..9).map(evm).collect()).await, 9);
    assert_eq!(insert(from, (0..5).map(derived).collect()).await, 5);
    assert_eq!(insert(from, (5..250).map(derived).collect()).await, 245);
    assert_eq!(insert(from, (3..255).map(derived).collect()).await, 5);
    assert_eq!(insert(None, (0..240).map(evm).collect()).await, 231);
}

async fn writers_of_many_handles_lose_no_update(scene: Scene) {
    const HANDLES: usize = 4;
    const ROUNDS: usize = 15;
    let mut handles = Vec::new();
    for _ in 0..HANDLES {
        handles.push(open(&scene.place, &scene.clock).await);
    }
    let tasks: Vec<_> = handles
        .into_iter()
        .map(|custody| {
            let session = scene.session();
            tokio::spawn(async move {
                for _ in 0..ROUNDS {
                    let ask = Ask {
                        master: Some(MasterAsk::default()),
                        ..Ask::default()
                    };
                    let decide = |ledger: &mut Ledger, facts: Facts| {
                        ledger.verify_edge(session.signer())?;
                        let master = facts.master.unwrap();
                        let write = Write::NextIndex {
                            master: master.id,
                            family: PathFamily::Bip44Change,
                            next_index: master.next_index + 1,
                        };
                        Ok((vec![write], ()))
                    };
                    transact(custody.store(), ask, decide).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let ask = Ask {
        master: Some(MasterAsk::default()),
        ..Ask::default()
    };
    let next = scene.look(ask).await.master.unwrap().next_index;
    assert_eq!(next as usize, 1 + HANDLES * ROUNDS);
}

async fn facts_come_in_the_order_asked_without_what_is_unknown(scene: Scene) {
    let rows = (0..5).map(|at| new_wallet(1, at, "")).collect();
    scene
        .write(vec![Write::Wallets { from: None, rows }])
        .await
        .unwrap();
    let of = |at: u8| new_wallet(1, at, "").address;
    let asked = [of(4), of(77), of(1), scene.wallet, of(3)];
    let known = [of(4), of(1), scene.wallet, of(3)];
    scene.reserve([8; 32], "sol", 1).await;
    scene.reserve([3; 32], "sol", 1).await;
    let facts = scene
        .look(Ask {
            wallets: asked.to_vec(),
            known: asked.to_vec(),
            intents: vec![[8; 32], [5; 32], [3; 32]],
            ..Ask::default()
        })
        .await;
    let found: Vec<_> = facts.wallets.iter().map(|wallet| wallet.address).collect();
    assert_eq!(found, known);
    assert_eq!(facts.known, known);
    let hashes: Vec<_> = facts.intents.iter().map(|intent| intent.hash[0]).collect();
    assert_eq!(hashes, [8, 3]);
}

async fn the_rate_window_ends_where_it_says(scene: Scene) {
    for (at, time) in (1_u8..).zip([10_000, 10_500, 11_000]) {
        scene.set_clock(time);
        scene.reserve([at; 32], "sol", 1).await;
    }
    for (now, recent, oldest) in [
        (11_000, 2, 10_500),
        (10_999, 3, 10_000),
        (11_499, 2, 10_500),
        (11_500, 1, 11_000),
        (12_000, 0, 0),
    ] {
        scene.set_clock(now);
        let facts = scene.look(of_wallets(&[scene.wallet], 1_000)).await;
        let wallet = &facts.wallets[0];
        assert_eq!(
            (wallet.recent, wallet.oldest_recent_ms),
            (recent, oldest),
            "at {now}"
        );
    }
    // A window longer than time holds everything.
    let facts = scene.look(of_wallets(&[scene.wallet], u64::MAX)).await;
    assert_eq!(facts.wallets[0].recent, 3);
}

async fn an_intent_that_is_signed_stays_so(scene: Scene) {
    let hash = [1; 32];
    scene.set_clock(5_000);
    scene.reserve(hash, "sol", 1).await;
    let wallet = scene.id().await;
    let look = async || {
        let ask = Ask {
            intents: vec![hash],
            ..Ask::default()
        };
        let intent = scene.look(ask).await.intents[0].clone();
        (intent.signature, intent.authorised_ms)
    };
    let signed = |byte: u8| Write::IntentSigned {
        hash,
        wallet,
        signature: WalletSignature::Ed25519(Signature::new([byte; 64])),
        trade: None,
    };
    scene.set_clock(6_000);
    scene.write(vec![Write::IntentFailed { hash }]).await.unwrap();
    assert_eq!(look().await, (None, 5_000));
    scene.write(vec![Write::IntentRenewed { hash }]).await.unwrap();
    assert_eq!(look().await, (None, 6_000));
    // The clock was set back: nothing moves into the past.
    scene.set_clock(4_000);
    scene.write(vec![Write::IntentRenewed { hash }]).await.unwrap();
    assert_eq!(look().await, (None, 6_000));
    scene.write(vec![signed(7)]).await.unwrap();
    let (first, _) = look().await;
    assert!(first.is_some());
    for later in [
        signed(8),
        Write::IntentFailed { hash },
        Write::IntentRenewed { hash },
    ] {
        scene.write(vec![later]).await.unwrap();
        assert_eq!(look().await, (first, 6_000));
    }
    assert_eq!(
        scene.custody.wallet("#0").await.unwrap().last_used_ms,
        Some(4_000)
    );
}

async fn times_and_counts_come_back_exactly(scene: Scene) {
    let wallet = scene.id().await;
    // The last one is in the year 9999.
    for (count, ms) in [
        (0, 0),
        (1, 1),
        (7, 1_795_266_361_601),
        (u32::MAX >> 1, 253_402_300_799_999),
    ] {
        let writes = vec![
            Write::Lockout {
                failed_unlocks: count,
                locked_until_ms: ms,
            },
            Write::WalletLockout {
                wallet,
                failed_passwords: count,
                locked_until_ms: ms,
            },
        ];
        scene.write(writes).await.unwrap();
        let facts = scene.look(of_wallets(&[scene.wallet], 0)).await;
        let vault = facts.vault.unwrap();
        assert_eq!((vault.failed_unlocks, vault.locked_until_ms), (count, ms));
        let wallet = &facts.wallets[0];
        assert_eq!((wallet.failed_passwords, wallet.locked_until_ms), (count, ms));
    }
    let created = scene.custody.wallet("#0").await.unwrap().created_ms;
    assert_eq!(created, 1_000_000);
    let over = Write::Lockout {
        failed_unlocks: 1,
        locked_until_ms: u64::MAX,
    };
    let error = scene.write(vec![over]).await.unwrap_err();
    assert!(matches!(error, CustodyError::Invalid { .. }), "{error:?}");
}

async fn too_much_at_once_is_refused(scene: Scene) {
    let ask = Ask {
        intents: vec![[0; 32]; 1_001],
        ..Ask::default()
    };
    let error = scene.store().look(ask).await.unwrap_err();
    assert!(matches!(error, CustodyError::Invalid { .. }), "{error:?}");
}

async fn an_ordered_commit_is_seen_at_once(scene: Scene) {
    let wallet = scene.id().await;
    let other = open(&scene.place, &scene.clock).await;
    for round in 0..10 {
        let commit = if round % 2 == 0 {
            Commit::Ordered
        } else {
            Commit::Durable
        };
        let label = format!("round {round}");
        let write = Write::Label {
            wallet,
            label: label.clone(),
        };
        transact_as(scene.store(), commit, Ask::default(), |ledger, _| {
            ledger.verify_edge(scene.session().signer())?;
            Ok((vec![write], ()))
        })
        .await
        .unwrap();
        assert_eq!(other.wallet("#0").await.unwrap().label, label);
    }
}

async fn tags_are_a_set(scene: Scene) {
    let wallet = scene.id().await;
    let tag = |tag: &str| Write::Tag {
        wallet,
        tag: tag.to_owned(),
    };
    let untag = |tag: &str| Write::Untag {
        wallet,
        tag: tag.to_owned(),
    };
    let writes = vec![tag("b"), tag("a"), tag("b"), tag("Z"), tag("é"), untag("none")];
    scene.write(writes).await.unwrap();
    let tags = async || scene.custody.wallet("#0").await.unwrap().tags;
    assert_eq!(tags().await, ["Z", "a", "b", "é"]);
    let counted: Vec<_> = scene.store().tags().await.unwrap();
    assert_eq!(counted[0], ("Z".to_owned(), 1));
    assert_eq!(counted.len(), 4);
    scene.write(vec![untag("b"), untag("b")]).await.unwrap();
    assert_eq!(tags().await, ["Z", "a", "é"]);
    let query = WalletQuery {
        tag: Some("a".to_owned()),
        ..WalletQuery::default()
    };
    assert_eq!(scene.custody.wallets(&query).await.unwrap().total, 1);
    let query = WalletQuery {
        tag: Some("b".to_owned()),
        ..WalletQuery::default()
    };
    assert_eq!(scene.custody.wallets(&query).await.unwrap().total, 0);
}

async fn the_structure_is_checked(scene: Scene) {
    scene.store().check_integrity().await.unwrap();
    scene.reserve([1; 32], "sol", 1).await;
    scene.store().check_integrity().await.unwrap();
    let report = scene.custody.audit_verify(None).await.unwrap();
    assert!(matches!(report, AuditReport::Intact { .. }), "{report:?}");
}

mod key_chain;
