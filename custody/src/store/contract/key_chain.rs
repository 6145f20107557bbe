//! Chains of keys: rotating, retiring, giving more time, and what is due.

use keyward_core::account::AccountAddress;
use keyward_core::address::{Address, Blockhash};
use keyward_core::amount::Lamports;
use keyward_core::audit::{Operation, Outcome};
use keyward_core::derive::SolanaDeriver;
use keyward_core::evm::transaction::{Transaction as EvmTransaction, TransactionKind};
use keyward_core::evm::{EvmAddress, U256};
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::secp256k1;
use keyward_core::solana::{MessageVersion, Transaction, compile_message, instructions};

use super::scene::{self, Place, Scene, new_wallet, of_wallets};
use crate::store::key_chain::{KeyChainAsk, KeyChange, NextRotation, Replacement};
use crate::store::{Ask, Write};
use crate::wallets::WalletStatus;
use crate::{
    AuditQuery, AuditReport, Custody, CustodyError, DeriveRequest, DueQuery, EvmSignRequest, Password,
    Progress, RotationInterval, Schedule, SignRequest, SkipReason, Wallet, WalletPasswords,
};

mod due;
mod grace;
mod next;
mod places;
mod signing;

contract!(
    five_rotations_are_one_chain,
    what_names_a_wallet_is_its_new_keys,
    one_of_many_rotations_of_a_wallet_wins,
    many_wallets_rotated_at_once_leave_no_gap,
    a_rotation_that_fails_half_way_leaves_nothing,
    a_change_of_what_was_not_decided_on_is_refused,
);

const DAY: u64 = 86_400_000;

const START: u64 = 1_000_000;

/// One day later, and again.
fn on_day(scene: &Scene, day: u64) {
    scene.set_clock(START + day * DAY);
}

async fn rotate(scene: &Scene, wallet: AccountAddress) -> AccountAddress {
    scene.custody.rotate_wallet(wallet, None).await.unwrap().to
}

async fn wallet(scene: &Scene, address: AccountAddress) -> Wallet {
    scene.custody.wallet_by_address(address).await.unwrap().unwrap()
}

async fn status(scene: &Scene, address: AccountAddress) -> WalletStatus {
    wallet(scene, address).await.status
}

async fn statuses(scene: &Scene, address: AccountAddress) -> Vec<&'static str> {
    let chain = scene.custody.rotation_chain(address).await.unwrap();
    chain.iter().map(|wallet| wallet.status.as_str()).collect()
}

async fn entries(scene: &Scene, operation: Operation, wallet: Option<AccountAddress>) -> u64 {
    let query = AuditQuery {
        operation: Some(operation),
        outcome: Some(Outcome::Done),
        wallet,
        ..AuditQuery::default()
    };
    scene.custody.audit_entries(&query).await.unwrap().total
}

async fn intact(scene: &Scene) {
    let report = scene.custody.audit_verify(None).await.unwrap();
    assert!(matches!(report, AuditReport::Intact { .. }), "{report:?}");
    scene.store().check_integrity().await.unwrap();
}

async fn derive(scene: &Scene, family: PathFamily, count: u32) -> Vec<AccountAddress> {
    let request = DeriveRequest {
        family: Some(family),
        count,
        ..DeriveRequest::default()
    };
    let range = scene
        .custody
        .derive_wallets(request, &Progress::new())
        .await
        .unwrap();
    let mut addresses = Vec::new();
    for index in range.first..range.first + count {
        let place = format!("{family}#{index}");
        addresses.push(scene.custody.wallet(&place).await.unwrap().address);
    }
    addresses
}

fn days(count: u64) -> RotationInterval {
    RotationInterval::from_ms(count * DAY).unwrap()
}

fn own() -> Password {
    Password::new("wicker omen tidal 7733".to_owned())
}

fn vault_password() -> Password {
    Password::new("tidal wicker omen 9041".to_owned())
}

async fn five_rotations_are_one_chain(scene: Scene) {
    scene.custody.set_label(scene.wallet, "hot").await.unwrap();
    scene
        .custody
        .schedule_rotation(&[scene.wallet], Schedule::Every(days(1)))
        .await
        .unwrap();
    let mut keys = vec![scene.wallet];
    for day in 1..=5 {
        on_day(&scene, day);
        let newest = *keys.last().unwrap();
        let rotation = scene.custody.rotate_wallet(newest, None).await.unwrap();
        assert_eq!(rotation.from, newest);
        assert_eq!(
            (rotation.index, rotation.master.get()),
            (u32::try_from(day).unwrap(), 1)
        );
        assert_eq!(rotation.grace_until_ms, START + (day + 30) * DAY);
        assert_eq!(rotation.rotate_at_ms, Some(START + (day + 1) * DAY));
        // Three predecessors may sign; what came before them may not.
        let expected: Vec<_> = usize::try_from(day)
            .unwrap()
            .checked_sub(4)
            .map(|at| keys[at])
            .into_iter()
            .collect();
        assert_eq!(rotation.retired, expected, "day {day}");
        keys.push(rotation.to);
    }
    keys.reverse();
    let expected = ["active", "rotated", "rotated", "rotated", "retired", "retired"];
    for member in &keys {
        let chain = scene.custody.rotation_chain(*member).await.unwrap();
        let addresses: Vec<_> = chain.iter().map(|wallet| wallet.address).collect();
        assert_eq!(addresses, keys, "by any of its keys");
        assert_eq!(statuses(&scene, *member).await, expected);
    }
    let chain = scene.custody.rotation_chain(scene.wallet).await.unwrap();
    for (at, wallet) in chain.iter().enumerate() {
        let number = 5 - u32::try_from(at).unwrap();
        assert_eq!(wallet.index, Some(number));
        assert_eq!(wallet.rotation_count, number);
        assert_eq!(wallet.previous, keys.get(at + 1).copied());
        let label = if at == 0 {
            "hot".to_owned()
        } else {
            format!("hot (old key {})", number + 1)
        };
        assert_eq!(wallet.label, label);
        let is_newest = at == 0;
        assert_eq!(wallet.rotate_every_ms, is_newest.then_some(DAY));
        assert_eq!(wallet.rotate_at_ms, is_newest.then_some(START + 6 * DAY));
        assert_eq!(wallet.grace_until_ms.is_none(), is_newest);
    }
    // Both addresses of each rotation are in the log, and each retirement.
    assert_eq!(entries(&scene, Operation::RotateWallet, None).await, 10);
    assert_eq!(entries(&scene, Operation::RotateWallet, Some(keys[2])).await, 2);
    assert_eq!(
        entries(&scene, Operation::RotateWallet, Some(scene.wallet)).await,
        1
    );
    assert_eq!(
        entries(&scene, Operation::RetireWallet, Some(scene.wallet)).await,
        1
    );
    assert_eq!(entries(&scene, Operation::RetireWallet, None).await, 2);
    // The next one is derived right after.
    assert_eq!(derive(&scene, PathFamily::Bip44Change, 1).await.len(), 1);
    assert_eq!(
        scene.custody.wallet("#6").await.unwrap().status,
        WalletStatus::Active
    );
    let stranger: AccountAddress = Address::new([9; 32]).into();
    let error = scene.custody.rotation_chain(stranger).await.unwrap_err();
    assert!(matches!(error, CustodyError::NotFound { .. }), "{error:?}");
    let error = scene.custody.rotate_wallet(stranger, None).await.unwrap_err();
    assert!(matches!(error, CustodyError::NotFound { .. }), "{error:?}");
    intact(&scene).await;
}

async fn what_names_a_wallet_is_its_new_keys(scene: Scene) {
    let tags = ["eu".to_owned(), "bots".to_owned()];
    scene.custody.add_tags(&[scene.wallet], &tags).await.unwrap();
    let long = "x".repeat(64);
    scene.custody.set_label(scene.wallet, &long).await.unwrap();
    let to = rotate(&scene, scene.wallet).await;
    let (old, new) = (wallet(&scene, scene.wallet).await, wallet(&scene, to).await);
    assert_eq!(new.tags, ["bots", "eu"]);
    assert_eq!(old.tags, [""; 0]);
    assert_eq!(scene.custody.wallet(&long).await.unwrap().address, to);
    assert_eq!(old.label, format!("{} (old key 1)", "x".repeat(52)));
    assert_eq!(new.created_ms, START);
    assert_eq!(old.status_ms, START);
    assert_eq!((new.total_trades, new.last_used_ms), (0, None));
    // Not scheduled, so its new key is not either.
    assert_eq!((new.rotate_every_ms, new.rotate_at_ms), (None, None));
    assert_eq!(new.path, "m/44'/501'/1'/0'");
    let by_tag = scene.custody.tags().await.unwrap();
    assert_eq!(by_tag, [("bots".to_owned(), 1), ("eu".to_owned(), 1)]);
}

async fn one_of_many_rotations_of_a_wallet_wins(scene: Scene) {
    const TASKS: usize = 8;
    let password = vault_password();
    let mut tasks = Vec::new();
    for at in 0..TASKS {
        // Half of them are processes of their own.
        let custody = if at % 2 == 0 {
            scene.custody.clone()
        } else {
            let other = scene::open(&scene.place, &scene.clock).await;
            other.unlock(&password, None).await.unwrap();
            other
        };
        let wallet = scene.wallet;
        tasks.push(tokio::spawn(
            async move { custody.rotate_wallet(wallet, None).await },
        ));
    }
    let (mut won, mut told) = (Vec::new(), Vec::new());
    for task in tasks {
        match task.await.unwrap() {
            Ok(rotation) => won.push(rotation.to),
            Err(CustodyError::AlreadyRotated { wallet, replacement }) => {
                assert_eq!(wallet, scene.wallet);
                told.push(replacement);
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(won.len(), 1);
    assert_eq!(told, vec![won[0]; TASKS - 1]);
    assert_eq!(statuses(&scene, scene.wallet).await, ["active", "rotated"]);
    assert_eq!(scene.custody.wallet("#1").await.unwrap().address, won[0]);
    assert!(scene.custody.wallet("#2").await.is_err());
    assert_eq!(entries(&scene, Operation::RotateWallet, None).await, 2);
    intact(&scene).await;
}

async fn many_wallets_rotated_at_once_leave_no_gap(scene: Scene) {
    let mut wallets = derive(&scene, PathFamily::Bip44Change, 7).await;
    wallets.push(scene.wallet);
    let mut tasks = Vec::new();
    for wallet in &wallets {
        let (custody, wallet) = (scene.custody.clone(), *wallet);
        tasks.push(tokio::spawn(
            async move { custody.rotate_wallet(wallet, None).await },
        ));
    }
    let mut indices = Vec::new();
    for task in tasks {
        indices.push(task.await.unwrap().unwrap().index);
    }
    indices.sort_unstable();
    assert_eq!(indices, (8..16).collect::<Vec<u32>>());
    intact(&scene).await;
}

fn replacement(old: i64, byte: u8) -> Replacement {
    Replacement {
        old,
        old_label: "old".to_owned(),
        grace_until_ms: START + DAY,
        from: (1, PathFamily::Bip44Change),
        new: crate::store::NewWallet {
            index: Some(1),
            ..new_wallet(byte, 2, "new")
        },
        owner: None,
        slot: None,
        is_primary: false,
        role: "trading".to_owned(),
        next: Some(NextRotation {
            every_ms: DAY,
            at_ms: START + DAY,
        }),
        rotation_count: 1,
    }
}

async fn a_rotation_that_fails_half_way_leaves_nothing(scene: Scene) {
    let id = scene.id().await;
    let tags = ["eu".to_owned()];
    scene.custody.add_tags(&[scene.wallet], &tags).await.unwrap();
    let before = wallet(&scene, scene.wallet).await;
    let replace = |change: Replacement| Write::Key(KeyChange::Replace(Box::new(change)));
    let whole = || replacement(id, 9);
    let bad_role = Replacement {
        role: "r".repeat(33),
        ..whole()
    };
    let no_phrase = Replacement {
        from: (99, PathFamily::Bip44Change),
        ..whole()
    };
    let there_already = Replacement {
        new: crate::store::NewWallet {
            address: scene.wallet,
            ..whole().new
        },
        ..whole()
    };
    let index_taken = Replacement {
        new: crate::store::NewWallet {
            index: Some(0),
            ..whole().new
        },
        ..whole()
    };
    let after = Write::NextIndex {
        master: 99,
        family: PathFamily::Bip44Change,
        next_index: 2,
    };
    for writes in [
        vec![replace(bad_role)],
        vec![replace(no_phrase)],
        vec![replace(there_already)],
        vec![replace(index_taken)],
        vec![replace(whole()), after],
        vec![replace(whole()), replace(whole())],
    ] {
        let said = format!("{writes:?}");
        assert!(scene.write(writes).await.is_err(), "{said}");
        assert_eq!(wallet(&scene, scene.wallet).await, before, "{said}");
        assert_eq!(statuses(&scene, scene.wallet).await, ["active"], "{said}");
        assert!(scene.custody.wallet("#1").await.is_err(), "{said}");
    }
    scene.write(vec![replace(whole())]).await.unwrap();
    assert_eq!(statuses(&scene, scene.wallet).await, ["active", "rotated"]);
}

async fn a_change_of_what_was_not_decided_on_is_refused(scene: Scene) {
    let wallet = scene.id().await;
    let next = Some(NextRotation {
        every_ms: DAY,
        at_ms: DAY,
    });
    let extend = |wallet| KeyChange::Extend {
        wallet,
        since_ms: START,
        grace_until_ms: START,
    };
    // An active wallet is not retired and given no more time; one that is not there is not changed.
    for change in [
        KeyChange::Retire { wallet },
        extend(wallet),
        KeyChange::Retire { wallet: 99 },
        extend(99),
        KeyChange::Schedule { wallet: 99, next },
    ] {
        let said = format!("{change:?}");
        let error = scene.write(vec![Write::Key(change)]).await.unwrap_err();
        assert!(matches!(error, CustodyError::Damaged { .. }), "{said}: {error:?}");
    }
    rotate(&scene, scene.wallet).await;
    let schedule = KeyChange::Schedule { wallet, next };
    assert!(scene.write(vec![Write::Key(schedule)]).await.is_err());
    scene
        .write(vec![Write::Key(KeyChange::Retire { wallet })])
        .await
        .unwrap();
    let again = scene.write(vec![Write::Key(KeyChange::Retire { wallet })]).await;
    assert!(again.is_err());
    scene.write(vec![Write::Key(extend(wallet))]).await.unwrap();
    let ask = Ask {
        key_chain: Some(KeyChainAsk {
            wallet: scene.wallet,
            depth: 5,
        }),
        ..of_wallets(&[scene.wallet], 0)
    };
    let facts = scene.look(ask).await;
    assert_eq!(facts.wallets[0].state.status, WalletStatus::Rotated);
    let chain = facts.key_chain.unwrap();
    assert_eq!((chain.master, chain.predecessors.len()), (Some(1), 0));
    assert_eq!(chain.successor.unwrap().created_ms, START);
}
