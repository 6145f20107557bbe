//! What is due by its schedule: listing it, rotating it, and retiring what is past its grace period.

use keyward_core::account::AccountAddress;
use keyward_core::audit::{Operation, Outcome};

use super::KeyRotation;
use super::plan::Trigger;
use crate::audit::ledger::Draft;
use crate::error::CustodyError;
use crate::progress::Progress;
use crate::store::key_chain::{KeyChange, KeyList};
use crate::store::{Ask, Write, transact};
use crate::vault::Custody;
use crate::wallets::{MAX_PAGE, Wallet, WalletPage, WalletStatus};

/// The most wallets that one run rotates, and the most that it retires.
pub const MAX_DUE: u32 = 10_000;

/// Wallets that are read at a time, and retired in one transaction.
const BATCH: u32 = 100;

/// Which wallets are to be rotated.
#[derive(Clone, Copy, Debug)]
pub struct DueQuery {
    /// How far ahead, in milliseconds from now; 0 gives what is due already.
    pub within_ms: u64,
    /// The end of the page before this one.
    pub after: Option<DueCursor>,
    /// How many rows, at most [`MAX_PAGE`].
    pub limit: u32,
}

impl Default for DueQuery {
    fn default() -> Self {
        Self {
            within_ms: 0,
            after: None,
            limit: 100,
        }
    }
}

/// Where a page of due wallets ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueCursor {
    at_ms: u64,
    wallet: AccountAddress,
}

/// Wallets to be rotated, the longest due first.
#[derive(Clone, Debug)]
pub struct DuePage {
    /// How many there are in all.
    pub total: u64,
    /// The page's rows; each says when in `rotate_at_ms`.
    pub rows: Vec<Wallet>,
    /// What the next page comes after, unless this is the last.
    pub next: Option<DueCursor>,
}

/// What a run did.
#[derive(Debug, Default)]
pub struct DueReport {
    /// What was rotated, in order.
    pub rotated: Vec<KeyRotation>,
    /// Old keys that were retired since their grace period is over. Those retired by a rotation are told with it.
    pub retired: Vec<AccountAddress>,
    /// What was left for a reason that is no failure.
    pub skipped: Vec<SkippedRotation>,
    /// What failed, each for itself; the others were gone on with.
    pub failed: Vec<FailedRotation>,
    /// What ended the run before it was through.
    pub stopped: Option<CustodyError>,
    /// How many wallets are still due, the skipped and failed ones among them.
    pub still_due: u64,
}

impl DueReport {
    /// What a script has to know of: what ended the run, else the first failure.
    #[must_use]
    pub fn first_error(&self) -> Option<&CustodyError> {
        self.stopped
            .as_ref()
            .or(self.failed.first().map(|failed| &failed.error))
    }
}

/// A wallet that was due and was left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkippedRotation {
    /// The wallet.
    pub wallet: AccountAddress,
    /// Why.
    pub reason: SkipReason,
}

/// Why a due wallet was left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// It has a password of its own, so a person has to rotate it.
    OwnPassword,
    /// Somebody else rotated it, or changed its schedule, at the same moment.
    DoneByAnother,
}

impl SkipReason {
    /// A short stable word for scripts.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::OwnPassword => "own-password",
            Self::DoneByAnother => "done-by-another",
        }
    }
}

/// A wallet whose rotation failed.
#[derive(Debug)]
pub struct FailedRotation {
    /// The wallet.
    pub wallet: AccountAddress,
    /// What went wrong; nothing of its rotation was stored unless the error says so.
    pub error: CustodyError,
}

impl Custody {
    /// A page of wallets that are to be rotated. Readable while the vault is locked.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for a page over [`MAX_PAGE`], or the store's.
    pub async fn due_rotations(&self, query: DueQuery) -> Result<DuePage, CustodyError> {
        if query.limit > MAX_PAGE {
            let reason = format!("at most {MAX_PAGE} wallets");
            return Err(CustodyError::invalid("page", reason));
        }
        let list = KeyList::Due {
            until_ms: self.now_ms().saturating_add(query.within_ms).min(LAST_MS),
            after: query.after.map(|cursor| (cursor.at_ms, cursor.wallet)),
            limit: query.limit,
        };
        let WalletPage { total, rows, .. } = self.store().key_list(list).await?;
        let is_full = u32::try_from(rows.len()).is_ok_and(|length| length >= query.limit);
        let last = rows.last().filter(|_| is_full);
        let next = last.and_then(|wallet| {
            Some(DueCursor {
                at_ms: wallet.rotate_at_ms?,
                wallet: wallet.address,
            })
        });
        Ok(DuePage { total, rows, next })
    }

    /// Old keys whose grace period is over and that are yet to be retired: the first of them, at most [`MAX_PAGE`], and
    /// how many there are. Readable while the vault is locked.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for a page over [`MAX_PAGE`], or the store's.
    pub async fn due_retirements(&self, limit: u32) -> Result<WalletPage, CustodyError> {
        if limit > MAX_PAGE {
            let reason = format!("at most {MAX_PAGE} wallets");
            return Err(CustodyError::invalid("page", reason));
        }
        self.past_grace(None, limit).await
    }

    /// Rotates what is due, the longest due first and at most [`MAX_DUE`] wallets, each in a transaction of its own, then
    /// retires what is past its grace period. A wallet that fails does not keep the others from their turn; what would
    /// fail for each of them (the vault locked, the disk full) ends the run. Cancelled, it ends after the wallet under way.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for a limit of 0 or over [`MAX_DUE`], [`CustodyError::Locked`], or the store's, before
    /// anything was done; later ones are in the report.
    pub async fn rotate_due(&self, limit: u32, progress: &Progress) -> Result<DueReport, CustodyError> {
        if limit == 0 || limit > MAX_DUE {
            let reason = format!("1 to {MAX_DUE} wallets at a time");
            return Err(CustodyError::invalid("limit", reason));
        }
        self.current_session().await?;
        let mut report = DueReport::default();
        if let Err(error) = self.rotate_all(limit, progress, &mut report).await {
            report.stopped = Some(error);
        } else {
            match self.retire_due().await {
                Ok(retired) => report.retired = retired,
                Err(error) => report.stopped = Some(error),
            }
        }
        let none = DueQuery {
            limit: 0,
            ..DueQuery::default()
        };
        match self.due_rotations(none).await {
            Ok(page) => report.still_due = page.total,
            Err(error) => report.stopped = report.stopped.or(Some(error)),
        }
        Ok(report)
    }

    async fn rotate_all(
        &self,
        limit: u32,
        progress: &Progress,
        report: &mut DueReport,
    ) -> Result<(), CustodyError> {
        let (mut after, mut left) = (None, limit);
        while left > 0 {
            let query = DueQuery {
                limit: BATCH.min(left),
                after,
                ..DueQuery::default()
            };
            let page = self.due_rotations(query).await?;
            if after.is_none() {
                progress.report(0, page.total.min(limit.into()));
            }
            left = left.saturating_sub(u32::try_from(page.rows.len()).unwrap_or(u32::MAX));
            for wallet in &page.rows {
                if progress.is_cancelled() {
                    return Err(CustodyError::Cancelled);
                }
                self.rotate_one(wallet, report).await?;
                progress.advance(1);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// One wallet of a run. Its own failure is written down; the error is one that ends the run.
    async fn rotate_one(&self, wallet: &Wallet, report: &mut DueReport) -> Result<(), CustodyError> {
        let address = wallet.address;
        let skipped = |reason| SkippedRotation {
            wallet: address,
            reason,
        };
        if wallet.own_password {
            report.skipped.push(skipped(SkipReason::OwnPassword));
            return Ok(());
        }
        match self.rotate(address, None, Trigger::Due).await {
            Ok(rotation) => report.rotated.push(rotation),
            Err(CustodyError::WalletPasswordNeeded { .. }) => {
                report.skipped.push(skipped(SkipReason::OwnPassword));
            }
            Err(CustodyError::AlreadyRotated { .. } | CustodyError::NotDue { .. }) => {
                report.skipped.push(skipped(SkipReason::DoneByAnother));
            }
            Err(error) if ends_the_run(&error) => return Err(error),
            Err(error) => report.failed.push(FailedRotation {
                wallet: address,
                error,
            }),
        }
        Ok(())
    }

    /// Retires old keys whose grace period is over, at most [`MAX_DUE`], a hundred in a transaction. Gives their
    /// addresses.
    ///
    /// # Errors
    /// [`CustodyError::Locked`], or the store's; what was retired before it stays so, and is in the audit log.
    pub async fn retire_due(&self) -> Result<Vec<AccountAddress>, CustodyError> {
        let session = self.current_session().await?;
        let mut retired: Vec<AccountAddress> = Vec::new();
        let mut after = None;
        for _ in 0..MAX_DUE / BATCH {
            let page = self.past_grace(after, BATCH).await?;
            let addresses: Vec<AccountAddress> = page.rows.iter().map(|wallet| wallet.address).collect();
            after = addresses.last().copied();
            if addresses.is_empty() {
                break;
            }
            let ask = Ask {
                wallets: addresses,
                unsigned_tail: true,
                ..Ask::default()
            };
            let (done, _) = transact(self.store(), ask, |ledger, facts| {
                if !session.is_open() {
                    return Err(CustodyError::Locked);
                }
                let (mut writes, mut done) = (Vec::new(), Vec::new());
                for wallet in &facts.wallets {
                    let state = &wallet.state;
                    let over = state.grace_until_ms.is_some_and(|until| until <= facts.now_ms);
                    // Somebody may have given it more time in between.
                    if state.status != WalletStatus::Rotated || !over {
                        continue;
                    }
                    let draft = Draft::new(Operation::RetireWallet, Outcome::Done)
                        .wallet(wallet.address)
                        .details("its grace period is over");
                    ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
                    writes.push(Write::Key(KeyChange::Retire { wallet: wallet.id }));
                    done.push(wallet.address);
                }
                Ok((writes, done))
            })
            .await?;
            retired.extend(done);
        }
        Ok(retired)
    }

    async fn past_grace(
        &self,
        after: Option<AccountAddress>,
        limit: u32,
    ) -> Result<WalletPage, CustodyError> {
        let list = KeyList::PastGrace {
            until_ms: self.now_ms(),
            after,
            limit,
        };
        self.store().key_list(list).await
    }

    fn now_ms(&self) -> u64 {
        self.options().clock.now_ms()
    }
}

/// The last moment that both stores have: the end of the year 9999.
const LAST_MS: u64 = 253_402_300_799_999;

/// Whether the next wallet would fail alike.
const fn ends_the_run(error: &CustodyError) -> bool {
    use CustodyError as E;
    matches!(
        error,
        E::NotInitialised
            | E::Locked
            | E::LockedOut { .. }
            | E::KeyRotated
            | E::ReadOnly
            | E::DiskFull
            | E::Unreachable { .. }
            | E::AccessDenied { .. }
            | E::OutcomeUnknown
            | E::AuditUnwritable(_)
            | E::AuditBroken { .. }
            | E::ClockBehind { .. }
            | E::Randomness
            | E::Cancelled
            | E::Storage(_)
    )
}
