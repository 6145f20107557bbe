//! Many callers in one transaction: each has its own outcome, and nothing that anybody was told is undone.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use keyward_core::path::PathFamily;

use super::scene::{Place, Scene, intent, open, reservation};
use crate::audit::ledger::Ledger;
use crate::store::{Ask, Commit, Facts, MasterAsk, Write, transact_as};
use crate::{Custody, CustodyError, OpenOptions, Password};

contract!(
    many_at_once_have_each_their_own_outcome,
    a_later_caller_sees_what_an_earlier_one_changed,
    cancelled_callers_leave_no_half,
    ordered_and_durable_changes_mix,
    more_than_one_commit_holds_are_committed_all_the_same,
    those_who_came_before_closing_are_stored,
    a_runtime_of_one_thread_is_enough,
);

/// As long as a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until so many callers wait for their turn.
async fn until_waiting(custody: &Custody, callers: usize) {
    let deadline = Instant::now() + PATIENCE;
    while custody.opened().waiting() < callers {
        assert!(Instant::now() < deadline, "they do not come");
        tokio::task::yield_now().await;
    }
}

fn hash(at: u32) -> [u8; 32] {
    let mut hash = [0; 32];
    hash[..4].copy_from_slice(&at.to_be_bytes());
    hash
}

/// Two rows that belong together.
fn rows(at: u32, wallet: i64) -> Vec<Write> {
    vec![
        Write::Intent(intent(hash(at), wallet)),
        reservation(hash(at), wallet, "sol", 1, Vec::new()),
    ]
}

async fn write(custody: &Custody, commit: Commit, writes: Vec<Write>) -> Result<(), CustodyError> {
    let session = custody.session();
    transact_as(custody.store(), commit, Ask::default(), |ledger, _| {
        // Whoever writes what is sealed has the key to seal it anew.
        if let Some(session) = &session {
            ledger.verify_edge(session.signer())?;
        }
        Ok((writes, ()))
    })
    .await
    .map(|_| ())
}

/// Which of the first so many rows are there, and how much they reserved.
async fn stored(scene: &Scene, all: u32) -> (Vec<u32>, u128) {
    let mut found = Vec::new();
    for at in 0..all {
        let ask = Ask {
            intents: vec![hash(at)],
            ..Ask::default()
        };
        if !scene.look(ask).await.intents.is_empty() {
            found.push(at);
        }
    }
    (found, scene.spent(Vec::new()).await)
}

fn both(mut some: Vec<Write>, more: Vec<Write>) -> Vec<Write> {
    some.extend(more);
    some
}

async fn many_at_once_have_each_their_own_outcome(scene: Scene) {
    const ALL: u32 = 40;
    let wallet = scene.id().await;
    let custody = &scene.custody;
    let held = custody.opened().hold().await;
    let mut tasks = Vec::new();
    for at in 0..ALL {
        let custody = custody.clone();
        tasks.push(tokio::spawn(async move {
            let session = custody.session().unwrap();
            let decide = |ledger: &mut Ledger, _: Facts| {
                ledger.verify_edge(session.signer())?;
                match at % 5 {
                    // Decided against; refused by the database, after a row that it took.
                    1 => Err(CustodyError::Cancelled),
                    2 => Ok((both(rows(at, wallet), rows(at, 99)), at)),
                    3 => Ok((both(rows(at, wallet), rows(at, wallet)), at)),
                    _ => Ok((rows(at, wallet), at)),
                }
            };
            transact_as(custody.store(), Commit::Durable, Ask::default(), decide).await
        }));
        until_waiting(&scene.custody, tasks.len()).await;
    }
    drop(held);
    for (at, task) in (0..).zip(tasks) {
        let told = task.await.unwrap();
        match at % 5 {
            1 => assert!(matches!(told, Err(CustodyError::Cancelled)), "{at}"),
            2 | 3 => assert!(matches!(told, Err(CustodyError::Storage(_))), "{at}: {told:?}"),
            _ => assert_eq!(told.unwrap().0, at),
        }
    }
    let expected: Vec<_> = (0..ALL).filter(|at| matches!(at % 5, 0 | 4)).collect();
    let reserved = expected.len() as u128;
    assert_eq!(stored(&scene, ALL).await, (expected, reserved));
    // Fewer than one each, or nothing was shared.
    assert!(custody.opened().commits() < 20, "{}", custody.opened().commits());
}

async fn a_later_caller_sees_what_an_earlier_one_changed(scene: Scene) {
    const ALL: u32 = 30;
    let held = scene.custody.opened().hold().await;
    let mut tasks = Vec::new();
    for _ in 0..ALL {
        let custody = scene.custody.clone();
        tasks.push(tokio::spawn(async move {
            let ask = Ask {
                master: Some(MasterAsk::default()),
                ..Ask::default()
            };
            let session = custody.session().unwrap();
            let decide = |ledger: &mut Ledger, facts: Facts| {
                ledger.verify_edge(session.signer())?;
                let master = facts.master.unwrap();
                let write = Write::NextIndex {
                    master: master.id,
                    family: PathFamily::Bip44Change,
                    next_index: master.next_index + 1,
                };
                Ok((vec![write], master.next_index))
            };
            transact_as(custody.store(), Commit::Durable, ask, decide).await
        }));
        until_waiting(&scene.custody, tasks.len()).await;
    }
    drop(held);
    for (at, task) in (1..).zip(tasks) {
        assert_eq!(task.await.unwrap().unwrap().0, at);
    }
}

async fn cancelled_callers_leave_no_half(scene: Scene) {
    const ALL: u32 = 120;
    let wallet = scene.id().await;
    let mut tasks = Vec::new();
    for at in 0..ALL {
        let custody = scene.custody.clone();
        tasks.push(tokio::spawn(async move {
            let mut write = pin!(write(&custody, Commit::Durable, rows(at, wallet)));
            // Most are dropped after so many polls, wherever they are then.
            for _ in 0..at * 7 % 23 {
                if let Poll::Ready(told) = futures_util::poll!(write.as_mut()) {
                    return Some(told);
                }
                tokio::task::yield_now().await;
            }
            match at % 4 {
                0 => Some(write.await),
                _ => None,
            }
        }));
    }
    let mut told = Vec::new();
    for (at, task) in (0..).zip(tasks) {
        if let Some(outcome) = task.await.unwrap() {
            outcome.unwrap();
            told.push(at);
        }
    }
    write(&scene.custody, Commit::Durable, Vec::new()).await.unwrap();
    let (found, reserved) = stored(&scene, ALL).await;
    assert_eq!(reserved, found.len() as u128, "an intent without its reservation");
    assert!(told.iter().all(|at| found.contains(at)), "{told:?} of {found:?}");
    assert!(told.len() >= 30);
}

async fn ordered_and_durable_changes_mix(scene: Scene) {
    const ALL: u32 = 60;
    let wallet = scene.id().await;
    let writes = (0..ALL).map(|at| {
        let commit = if at % 3 == 0 {
            Commit::Durable
        } else {
            Commit::Ordered
        };
        write(&scene.custody, commit, rows(at, wallet))
    });
    for told in join_all(writes).await {
        told.unwrap();
    }
    assert_eq!(stored(&scene, ALL).await, ((0..ALL).collect(), u128::from(ALL)));
}

async fn more_than_one_commit_holds_are_committed_all_the_same(scene: Scene) {
    const ALL: u32 = 600;
    let writes = (0..ALL).map(|_| write(&scene.custody, Commit::Durable, Vec::new()));
    for told in join_all(writes).await {
        told.unwrap();
    }
    assert!(scene.custody.opened().commits() >= 2);
}

async fn those_who_came_before_closing_are_stored(scene: Scene) {
    const ALL: u32 = 12;
    let wallet = scene.id().await;
    let held = scene.custody.opened().hold().await;
    let mut tasks = Vec::new();
    for at in 0..ALL {
        let custody = scene.custody.clone();
        tasks.push(tokio::spawn(async move {
            write(&custody, Commit::Durable, rows(at, wallet)).await
        }));
        until_waiting(&scene.custody, tasks.len()).await;
    }
    let mut close = pin!(scene.custody.close());
    assert!(futures_util::poll!(close.as_mut()).is_pending());
    drop(held);
    close.await.unwrap();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let error = write(&scene.custody, Commit::Durable, rows(ALL, wallet))
        .await
        .unwrap_err();
    assert!(matches!(error, CustodyError::Storage(_)), "{error:?}");
    let again = open(&scene.place, &scene.clock).await;
    for at in 0..ALL {
        let ask = Ask {
            intents: vec![hash(at)],
            ..Ask::default()
        };
        assert_eq!(again.store().look(ask).await.unwrap().intents.len(), 1, "{at}");
    }
}

async fn a_runtime_of_one_thread_is_enough(scene: Scene) {
    const ALL: u32 = 50;
    scene.custody.close().await.unwrap();
    let (place, clock) = (scene.place.location(), Arc::clone(&scene.clock));
    let alone = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let options = OpenOptions {
                clock,
                ..OpenOptions::default()
            };
            let custody = Custody::open(&place, options).await.unwrap();
            let password = Password::new("tidal wicker omen 9041".to_owned());
            custody.unlock(&password, None).await.unwrap();
            let told = join_all((0..ALL).map(|at| write(&custody, Commit::Durable, rows(at, 1)))).await;
            assert!(told.iter().all(Result::is_ok));
            let commits = custody.opened().commits();
            custody.close().await.unwrap();
            commits
        })
    });
    assert!(alone.join().unwrap() < ALL as usize / 2);
}

/// The server ends the connection under the second caller: nothing of the first is stored, and the third, who had not
/// decided yet, has its way on another connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_lost_between_two_callers_is_told_to_both() {
    let scene = Scene::new(Place::database()).await;
    let Place::Database(url) = &scene.place else {
        unreachable!()
    };
    let wallet = scene.id().await;
    let held = scene.custody.opened().hold().await;
    let mut tasks = Vec::new();
    for at in 0..3 {
        let (custody, url) = (scene.custody.clone(), url.clone());
        tasks.push(tokio::spawn(async move {
            let session = custody.session().unwrap();
            let decide = |ledger: &mut Ledger, _: Facts| {
                ledger.verify_edge(session.signer())?;
                if at == 1 {
                    super::server::administer(
                        &url,
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                         WHERE datname = current_database() AND state = 'idle in transaction'",
                    );
                }
                Ok((rows(at, wallet), ()))
            };
            transact_as(custody.store(), Commit::Durable, Ask::default(), decide).await
        }));
        until_waiting(&scene.custody, tasks.len()).await;
    }
    drop(held);
    let mut told = Vec::new();
    for task in tasks {
        told.push(task.await.unwrap().map(|_| ()).map_err(|error| error.code()));
    }
    let lost = Err("database-unreachable");
    assert_eq!(told, [lost, lost, Ok(())]);
    assert_eq!(stored(&scene, 3).await, (vec![2], 1));
}
