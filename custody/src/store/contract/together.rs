//! Signatures that share a transaction: each is decided on what those before it did, whatever of that is written already.

use futures_util::future::join_all;
use keyward_core::address::Signature;
use keyward_core::audit::{Operation, Outcome};
use keyward_core::policy::WalletSignature;

use super::scene::{Place, Scene, intent, reservation};
use crate::audit::ledger::{Draft, Ledger};
use crate::store::{Ask, Commit, Facts, SpendWindow, Trade, Write, transact_as};
use crate::{AuditReport, Custody, CustodyError, WalletQuery};

contract!(
    each_counts_those_before_it,
    the_same_intent_is_seen_by_the_next,
    what_waits_is_there_for_who_asks_otherwise,
    one_that_fails_takes_nothing_of_the_others,
    what_ended_together_is_counted_for_each,
    what_was_cancelled_in_between_leaves_the_others,
);

const ALL: u8 = 24;

fn ask(scene_wallet: keyward_core::account::AccountAddress, hash: [u8; 32]) -> Ask {
    Ask {
        wallets: vec![scene_wallet],
        rate_window_ms: 60_000,
        intents: vec![hash],
        windows: vec![SpendWindow {
            asset: "sol".to_owned(),
            duration_ms: 1_000,
        }],
        unsigned_tail: true,
        ..Ask::default()
    }
}

/// What a caller was shown: signatures of the wallet, what was spent, intents that were there.
type Seen = (u32, u128, usize);

/// Authorises a spending of this amount, as signing does; `extra` comes after it.
async fn authorise(
    scene: &Scene,
    hash: [u8; 32],
    amount: u128,
    extra: Vec<Write>,
) -> Result<Seen, CustodyError> {
    let session = scene.session();
    let decide = |ledger: &mut Ledger, facts: Facts| {
        let wallet = &facts.wallets[0];
        let seen = (wallet.recent, facts.spent[0], facts.intents.len());
        let draft = Draft::new(Operation::SignTransaction, Outcome::Authorised).wallet(wallet.address);
        ledger.append(facts.now_ms, scene.custody.scribe(Some(&session)), draft)?;
        let mut writes = Vec::new();
        if facts.intents.is_empty() {
            writes.push(Write::Intent(intent(hash, wallet.id)));
            writes.push(reservation(hash, wallet.id, "sol", amount, Vec::new()));
        }
        writes.extend(extra);
        Ok((writes, seen))
    };
    let asked = transact_as(scene.store(), Commit::Durable, ask(scene.wallet, hash), decide);
    asked.await.map(|(seen, _)| seen)
}

/// Records a signature, as signing does.
async fn record(scene: &Scene, wallet: i64, hash: [u8; 32], volume: u128) -> Result<(), CustodyError> {
    let session = scene.session();
    let ask = Ask {
        unsigned_tail: true,
        ending: vec![hash],
        ..Ask::default()
    };
    let decide = |ledger: &mut Ledger, facts: Facts| {
        let draft = Draft::new(Operation::SignTransaction, Outcome::Signed).wallet(scene.wallet);
        ledger.append(facts.now_ms, scene.custody.scribe(Some(&session)), draft)?;
        let write = Write::IntentSigned {
            hash,
            wallet,
            signature: WalletSignature::Ed25519(Signature::new([hash[0]; 64])),
            trade: Some(Trade { volume, before: 0 }),
        };
        Ok((vec![write], ()))
    };
    transact_as(scene.store(), Commit::Ordered, ask, decide)
        .await
        .map(|_| ())
}

async fn intact(custody: &Custody) {
    let report = custody.audit_verify(None).await.unwrap();
    assert!(matches!(report, AuditReport::Intact { .. }), "{report:?}");
}

async fn each_counts_those_before_it(scene: Scene) {
    let before = scene.custody.opened().commits();
    let seen = join_all((0..ALL).map(|at| authorise(&scene, [at; 32], 5, Vec::new()))).await;
    for (at, seen) in (0_u32..).zip(seen) {
        assert_eq!(seen.unwrap(), (at, u128::from(at) * 5, 0), "{at}");
    }
    assert!(scene.custody.opened().commits() - before < usize::from(ALL) / 2);
    assert_eq!(scene.spent(Vec::new()).await, u128::from(ALL) * 5);
    // And by the windows' ends.
    scene.set_clock(1_000_999);
    let seen = authorise(&scene, [200; 32], 1, Vec::new()).await.unwrap();
    assert_eq!(seen, (ALL.into(), u128::from(ALL) * 5, 0));
    scene.set_clock(1_001_000);
    let seen = join_all((201..=204).map(|at| authorise(&scene, [at; 32], 1, Vec::new()))).await;
    for (at, seen) in (0_u32..).zip(seen) {
        assert_eq!(seen.unwrap(), (u32::from(ALL) + 1 + at, 1 + u128::from(at), 0));
    }
    scene.set_clock(1_060_000);
    let seen = join_all((210..=212).map(|at| authorise(&scene, [at; 32], 1, Vec::new()))).await;
    for (at, seen) in (0_u32..).zip(seen) {
        assert_eq!(seen.unwrap(), (5 + at, u128::from(at), 0));
    }
    intact(&scene.custody).await;
}

async fn the_same_intent_is_seen_by_the_next(scene: Scene) {
    let seen = join_all((0..ALL).map(|at| authorise(&scene, [at / 2; 32], 5, Vec::new()))).await;
    for (at, seen) in (0_usize..).zip(seen) {
        let (_, spent, there) = seen.unwrap();
        assert_eq!(there, at % 2, "{at}");
        // Its own is no reason against it.
        assert_eq!(spent, at as u128 / 2 * 5, "{at}");
    }
    assert_eq!(scene.spent(Vec::new()).await, u128::from(ALL) / 2 * 5);
    intact(&scene.custody).await;
}

async fn what_waits_is_there_for_who_asks_otherwise(scene: Scene) {
    let label = async |at: u8| {
        let session = scene.session();
        let ask = Ask {
            // Whatever makes it no question of signing.
            masters: true,
            windows: ask(scene.wallet, [0; 32]).windows,
            unsigned_tail: true,
            ..Ask::default()
        };
        let decide = |ledger: &mut Ledger, facts: Facts| {
            let draft = Draft::new(Operation::SetLabel, Outcome::Done).wallet(scene.wallet);
            ledger.append(facts.now_ms, scene.custody.scribe(Some(&session)), draft)?;
            let write = Write::Label {
                wallet: 1,
                label: format!("desk {at}"),
            };
            Ok((vec![write], (0, facts.spent[0], 0)))
        };
        let told = transact_as(scene.store(), Commit::Durable, ask, decide).await;
        told.map(|(seen, _)| seen)
    };
    let all = (0..ALL).map(|at| {
        let (scene, label) = (&scene, &label);
        async move {
            match at % 4 {
                3 => label(at).await,
                _ => authorise(scene, [at; 32], 5, Vec::new()).await,
            }
        }
    });
    for (at, seen) in (0_u128..).zip(join_all(all).await) {
        let (_, spent, _) = seen.unwrap();
        assert_eq!(spent, (at - at / 4) * 5, "{at}");
    }
    intact(&scene.custody).await;
}

async fn one_that_fails_takes_nothing_of_the_others(scene: Scene) {
    let all = (0..ALL).map(|at| {
        let extra = match at % 4 {
            // Refused by the database: there already, of no wallet, too long.
            1 => vec![reservation([at; 32], 1, "sol", 1, Vec::new())],
            2 => vec![Write::Intent(intent([100 + at; 32], 99))],
            3 => vec![Write::Label {
                wallet: 1,
                label: "x".repeat(65),
            }],
            _ => Vec::new(),
        };
        authorise(&scene, [at; 32], 5, extra)
    });
    let mut done = 0;
    for (at, seen) in (0..).zip(join_all(all).await) {
        match at % 4 {
            0 => {
                assert_eq!(seen.unwrap(), (done, u128::from(done) * 5, 0), "{at}");
                done += 1;
            }
            _ => assert!(seen.is_err(), "{at}: {seen:?}"),
        }
    }
    assert_eq!(scene.spent(Vec::new()).await, u128::from(done) * 5);
    intact(&scene.custody).await;
}

async fn what_ended_together_is_counted_for_each(scene: Scene) {
    let wallet = scene.id().await;
    for at in 0..ALL {
        authorise(&scene, [at; 32], 5, Vec::new()).await.unwrap();
    }
    scene.set_clock(1_000_500);
    // Each twice: the first signature stands, and counts once.
    let all = (0..ALL * 2).map(|at| record(&scene, wallet, [at % ALL; 32], 1 << 70));
    for told in join_all(all).await {
        told.unwrap();
    }
    let page = scene.custody.wallets(&WalletQuery::default()).await.unwrap();
    let row = &page.rows[0];
    assert_eq!((row.total_trades, row.total_volume), (24, 24 << 70));
    assert_eq!(row.last_used_ms, Some(1_000_500));
    for at in 0..ALL {
        let facts = scene.look(ask(scene.wallet, [at; 32])).await;
        let made = WalletSignature::Ed25519(Signature::new([at; 64]));
        assert_eq!(facts.intents[0].signature, Some(made), "{at}");
    }
    intact(&scene.custody).await;
}

async fn what_was_cancelled_in_between_leaves_the_others(scene: Scene) {
    let mut told = 0;
    for round in 0..8_u8 {
        let all = (0..ALL).map(|at| {
            let scene = &scene;
            async move {
                let extra = match at % 5 {
                    4 => vec![Write::Label {
                        wallet: 1,
                        label: format!("desk {at}"),
                    }],
                    _ => Vec::new(),
                };
                let mut hash = [round; 32];
                hash[0] = at;
                let mut one = std::pin::pin!(authorise(scene, hash, 5, extra));
                if at % 3 > 0 {
                    return one.await.is_ok();
                }
                // Dropped after so many polls, wherever it is then.
                for _ in 0..(at + round) % 17 {
                    if futures_util::poll!(one.as_mut()).is_ready() {
                        return true;
                    }
                    tokio::task::yield_now().await;
                }
                false
            }
        });
        let outcomes = join_all(all).await;
        let whole = (0_u8..).zip(&outcomes).filter(|(at, _)| at % 3 > 0);
        assert!(whole.into_iter().all(|(_, told)| *told), "{round}");
        told += outcomes.into_iter().filter(|told| *told).count();
    }
    // Whoever was told is there; of the others each as a whole or not at all.
    let spent = scene.spent(Vec::new()).await;
    assert!(spent % 5 == 0 && spent >= 5 * told as u128, "{spent} of {told}");
    let (mut found, mut at) = (0, 0_u16);
    while at < 8 * u16::from(ALL) {
        let mut hash = [(at / u16::from(ALL)) as u8; 32];
        hash[0] = (at % u16::from(ALL)) as u8;
        found += scene.look(ask(scene.wallet, hash)).await.intents.len();
        at += 1;
    }
    assert_eq!(found as u128 * 5, spent);
    intact(&scene.custody).await;
}
