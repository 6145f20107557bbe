//! Stretching a wallet's own password takes long: other tasks of the same thread go on meanwhile, and nobody waits for
//! the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use keyward_custody::{Custody, Password, SigningStep, WalletPasswords};

use crate::fixture::{Fixture, Steps, first, transfer};

fn own() -> Password {
    Password::new("other tidal wicker 5521".to_owned())
}

/// Counts how often it is its turn between the authorisation and the use of the key.
struct Ticker {
    turns: Arc<AtomicU64>,
    ended: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

impl Ticker {
    fn start(steps: &Arc<Steps>) -> Self {
        let (turns, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (counted, ending, steps) = (Arc::clone(&turns), Arc::clone(&ended), Arc::clone(steps));
        let task = tokio::spawn(async move {
            while !ending.load(Ordering::SeqCst) {
                if steps.seen.lock().unwrap().last() == Some(&SigningStep::Authorised) {
                    counted.fetch_add(1, Ordering::SeqCst);
                }
                tokio::task::yield_now().await;
            }
        });
        Self { turns, ended, task }
    }

    async fn stop(self) -> u64 {
        self.ended.store(true, Ordering::SeqCst);
        self.task.await.unwrap();
        self.turns.load(Ordering::SeqCst)
    }
}

async fn sign(custody: &Custody, nonce: u8) {
    let passwords = WalletPasswords::of_one(first(), own());
    custody
        .sign_transaction_with(transfer(5, nonce), &passwords)
        .await
        .unwrap();
}

/// One thread for all tasks, so that a task that computes lets no other one run.
#[tokio::test(flavor = "current_thread")]
async fn other_tasks_run_while_a_wallets_password_is_stretched() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let ticker = Ticker::start(&fixture.steps);
    sign(&custody, 1).await;
    // A key without a password is opened in microseconds, on the spot.
    assert_eq!(ticker.stop().await, 0);

    custody.set_wallet_password(first(), None, &own()).await.unwrap();
    let ticker = Ticker::start(&fixture.steps);
    sign(&custody, 2).await;
    assert!(ticker.stop().await > 0, "nothing else ran on the thread");
}

/// The try is counted, and only then made: a handle that waits for the write lock gets it in between.
#[tokio::test(flavor = "current_thread")]
async fn the_try_of_a_wallets_password_is_in_the_database_before_the_password_is_stretched() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    custody.set_wallet_password(first(), None, &own()).await.unwrap();
    *fixture.steps.end_after.lock().unwrap() = Some(SigningStep::Authorised);
    let task = tokio::spawn(async move { sign(&custody, 1).await });
    assert!(task.await.unwrap_err().is_panic());
    *fixture.steps.end_after.lock().unwrap() = None;
    let counted = "SELECT failed_passwords FROM wallets WHERE own_password = 1";
    assert_eq!(fixture.number(counted).await, 1);
    sign(&fixture.unlocked().await, 1).await;
    assert_eq!(fixture.number(counted).await, 0);
}
