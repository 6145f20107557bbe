//! Turns of wallets with a password of their own.
//!
//! A try of such a password is counted before it is made, and forgiven once it was right (`wallets/secrets.rs`). Several at once
//! of one wallet would be several wrong ones until then, and might lock it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use keyward_core::account::AccountAddress;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// Whose turn it is, wallet by wallet.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<AccountAddress, Weak<Turn<()>>>>);

impl Turns {
    /// Waits until it is the caller's turn with all of these wallets; it lasts as long as what is returned.
    pub(super) async fn take(&self, mut wallets: Vec<AccountAddress>) -> Vec<OwnedMutexGuard<()>> {
        // In one order, so that nobody waits in a circle.
        wallets.sort_unstable();
        wallets.dedup();
        let mut taken = Vec::with_capacity(wallets.len());
        for wallet in wallets {
            taken.push(self.of(wallet).lock_owned().await);
        }
        taken
    }

    fn of(&self, wallet: AccountAddress) -> Arc<Turn<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = turns.get(&wallet).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::default();
        turns.insert(wallet, Arc::downgrade(&turn));
        turn
    }
}
