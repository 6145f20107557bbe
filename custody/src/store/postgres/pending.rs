//! What signing writes, kept until the transaction ends and then written for all its callers together.
//!
//! A signature's rows depend on nothing that another caller of the same transaction might still change: its intent is new, its
//! wallet is there, the log goes on from the caller before. So a caller leaves them here, and those who come after it are
//! shown them beside what the database says ([`Pending::overlay`]). Whatever could fail for a reason of its own, or is
//! asked about in another way, is written at once, behind a savepoint: [`Grounds::keep`] takes only what was read under the
//! lock in this very turn. See `docs/decisions/0028-a-group-writes-once.md`.

mod rows;

use keyward_core::policy::WalletSignature;

use super::audit_log::Evidence;
use super::types::Millis;
use crate::audit::ledger::{Ledger, LedgerState};
use crate::error::CustodyError;
use crate::store::columns::since;
use crate::store::rows::INTENTS;
use crate::store::seal::Changes;
use crate::store::seal::effect::{Effect, effect, ending};
use crate::store::{Ask, Facts, NewIntent, Trade, VaultRow, Write, stored_integer};

/// The longest texts that the tables take, in bytes; each byte is a character at most.
const MAX_NETWORK: usize = 128;
const MAX_ASSET: usize = 96;

/// The vault and the log's edge as they stand under the lock, what is not written yet included.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) vault: VaultRow,
    pub(super) policy_version: u32,
    epoch: u32,
    state: LedgerState,
}

impl Known {
    /// From what a caller read or left. None before there is a vault, and while entries wait for a signature: those are read
    /// anew each time.
    pub(super) fn of(
        vault: Option<VaultRow>,
        policy_version: u32,
        ledger: &Ledger,
    ) -> Result<Option<Self>, CustodyError> {
        let (Some(vault), Some(state)) = (vault, ledger.edge()) else {
            return Ok(None);
        };
        if ledger.unsigned() > 0 {
            return Ok(None);
        }
        let epoch = vault.read_header()?.epoch();
        Ok(Some(Self {
            vault,
            policy_version,
            epoch,
            state: state.clone(),
        }))
    }

    /// The log as the next caller finds it.
    pub(super) fn ledger(&self) -> Result<Ledger, CustodyError> {
        let size = stored_integer("audit size", self.state.size)?;
        let newest = size.checked_sub(1).filter(|newest| *newest >= 0);
        Ok(Ledger::resume(self.state.clone(), newest, Vec::new(), self.epoch))
    }

    fn moved_to(&mut self, state: &LedgerState) {
        self.state = state.clone();
    }
}

/// What was read for one caller under the lock, by which it can be told that what it writes goes in.
#[derive(Debug, Default)]
pub(super) struct Grounds {
    /// Wallets that are there.
    pub(super) wallets: Vec<i64>,
    /// Intents that are not there.
    pub(super) free: Vec<[u8; 32]>,
    /// The policy in force.
    pub(super) policy_version: u32,
    /// Intents that were authorised and have not ended, and when.
    pub(super) open: Vec<([u8; 32], u64)>,
}

/// An intent, its spending, or its end, and when.
#[derive(Debug)]
enum Kept {
    Intent(NewIntent),
    Reservation {
        intent: [u8; 32],
        wallet: i64,
        asset: String,
        amount: u128,
    },
    Ending {
        hash: [u8; 32],
        wallet: i64,
        signature: WalletSignature,
        finished_ms: u64,
        trade: Option<Trade>,
    },
}

/// What waits to be written.
#[derive(Debug, Default)]
pub(super) struct Pending {
    rows: Vec<(Kept, u64)>,
    /// How many of the entries noted last belong to it.
    pub(super) entries: usize,
    edge: Option<LedgerState>,
}

impl Grounds {
    /// Takes a caller's changes to be written at the end, with its entries and the edge after them; gives the changes back
    /// where some of them have to be made at once, and nothing has happened then.
    ///
    /// # Errors
    /// Of the seal, which is closed over the changes here; nothing is kept then.
    pub(super) fn keep(
        &self,
        writes: Vec<Write>,
        ledger: &mut Ledger,
        now_ms: u64,
        pending: &mut Pending,
        known: &mut Known,
    ) -> Result<Option<Vec<Write>>, CustodyError> {
        let is_sound = ledger.seal().follows()
            && ledger.unsigned() == 0
            && Millis::new("time", now_ms).is_ok()
            && Evidence::of(ledger).is_ok()
            && self.allow(&writes);
        if !is_sound {
            return Ok(Some(writes));
        }
        let mut changes = Changes::default();
        let mut rows = Vec::with_capacity(writes.len());
        for write in writes {
            if let Effect::Adds(table, row) = effect(&write, now_ms)? {
                changes.add(table, row);
            }
            let Some(kept) = self.kept(write, now_ms) else {
                return Err(CustodyError::damaged("a change was kept that cannot be"));
            };
            if let Kept::Ending {
                hash,
                signature,
                finished_ms,
                ..
            } = &kept
            {
                let finished = stored_integer("time", *finished_ms)?;
                changes.add(
                    &INTENTS,
                    ending(*hash, "signed", Some(signature.to_string()), finished),
                );
            }
            rows.push((kept, now_ms));
        }
        ledger.close_seal(&changes)?;
        if let Some(edge) = ledger.edge_to_store()? {
            known.moved_to(edge);
            pending.edge = Some(edge.clone());
        }
        pending.rows.extend(rows);
        pending.entries += ledger.appended().len();
        Ok(None)
    }

    /// Whether all of it goes in for certain: each row once, and nothing that refers to what is not there.
    fn allow(&self, writes: &[Write]) -> bool {
        let new = |hash: &[u8; 32]| {
            let is_it = |write: &&Write| matches!(write, Write::Intent(new) if new.hash == *hash);
            writes.iter().filter(is_it).count() == 1
        };
        writes.iter().all(|write| match write {
            Write::Intent(intent) => {
                self.free.contains(&intent.hash)
                    && new(&intent.hash)
                    && self.wallets.contains(&intent.wallet)
                    && intent.policy_version == self.policy_version
                    && intent.network.len() <= MAX_NETWORK
            }
            Write::Reservation {
                intent,
                wallet,
                asset,
                amount: _,
                earlier,
            } => {
                let same = |other: &&Write| {
                    matches!(other, Write::Reservation { intent: of, asset: what, .. } if of == intent && what == asset)
                };
                earlier.is_empty()
                    && new(intent)
                    && self.wallets.contains(wallet)
                    && (1..=MAX_ASSET).contains(&asset.len())
                    && writes.iter().filter(same).count() == 1
            }
            Write::IntentSigned { hash, .. } => {
                let same = |other: &&Write| matches!(other, Write::IntentSigned { hash: of, .. } if of == hash);
                self.open.iter().any(|(open, _)| open == hash) && writes.iter().filter(same).count() == 1
            }
            _ => false,
        })
    }

    fn kept(&self, write: Write, now_ms: u64) -> Option<Kept> {
        match write {
            Write::Intent(new) => Some(Kept::Intent(new)),
            Write::Reservation {
                intent,
                wallet,
                asset,
                amount,
                ..
            } => Some(Kept::Reservation {
                intent,
                wallet,
                asset,
                amount,
            }),
            Write::IntentSigned {
                hash,
                wallet,
                signature,
                trade,
            } => {
                let (_, authorised_ms) = self.open.iter().find(|(open, _)| *open == hash)?;
                Some(Kept::Ending {
                    hash,
                    wallet,
                    signature,
                    finished_ms: now_ms.max(*authorised_ms),
                    trade,
                })
            }
            _ => None,
        }
    }
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.entries == 0 && self.edge.is_none()
    }

    /// Whether a question is about the very rows that wait here.
    pub(super) fn is_in_the_way(&self, ask: &Ask) -> bool {
        let asked = |hash: &[u8; 32]| ask.intents.contains(hash) || ask.ending.contains(hash);
        self.rows.iter().any(|(kept, _)| match kept {
            Kept::Intent(new) => asked(&new.hash),
            Kept::Reservation { intent, .. } => asked(intent),
            Kept::Ending { hash, .. } => asked(hash),
        })
    }

    /// Counts what waits here with what the database has, as it would be counted there.
    pub(super) fn overlay(&self, facts: &mut Facts, ask: &Ask) {
        let later = |at_ms: u64, since: i64| i64::try_from(at_ms).is_ok_and(|at| at > since);
        let rate_since = since(facts.now_ms, ask.rate_window_ms);
        for (kept, at_ms) in &self.rows {
            match kept {
                Kept::Intent(new) => {
                    let its = facts.wallets.iter_mut().filter(|wallet| wallet.id == new.wallet);
                    for wallet in its {
                        if later(*at_ms, rate_since) {
                            wallet.oldest_recent_ms = match wallet.recent {
                                0 => *at_ms,
                                _ => wallet.oldest_recent_ms.min(*at_ms),
                            };
                            wallet.recent = wallet.recent.saturating_add(1);
                        }
                        wallet.last_authorised_ms = wallet.last_authorised_ms.max(Some(*at_ms));
                    }
                }
                Kept::Reservation {
                    intent,
                    asset,
                    amount,
                    ..
                } => {
                    for (window, spent) in ask.windows.iter().zip(&mut facts.spent) {
                        let counts = window.asset == *asset
                            && later(*at_ms, since(facts.now_ms, window.duration_ms))
                            && !ask.intents.contains(intent);
                        if counts {
                            *spent = spent.saturating_add(*amount);
                        }
                    }
                }
                // What is counted of a wallet's use decides nothing.
                Kept::Ending { .. } => {}
            }
        }
    }
}
