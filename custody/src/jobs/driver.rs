//! Performs what the [`machine`](super::machine) asks for, many at once. Decides nothing itself.

mod build;
pub(super) mod load;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use keyward_core::address::Signature;
use keyward_core::amount::Lamports;
use keyward_core::solana::Transaction;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use super::machine::{
    Change, Effect, Event, Landing, Machine, NotRecorded, NotSigned, Pace, Status, Verdict,
};
use super::{Batch, BatchItem, Job, JobError, JobId, JobItem, JobOutcome, JobProgress, Lifetime};
use crate::chain::{ChainError, Commitment, SearchScope, SolanaNode};
use crate::error::{CustodyError, SignError};
use crate::signing::{SignRequest, WalletPasswords};
use crate::store::jobs::NewBatch;
use crate::vault::Custody;

/// How often the machine is told the time.
const TICK: Duration = Duration::from_millis(200);
/// How long to wait before a signature is asked for again that the store could not give just now, in milliseconds.
const BUSY_MS: u64 = 1_000;

impl Custody {
    /// Runs a job until every item has its end, it is paused or cancelled, or something has to be seen to first.
    ///
    /// Dropping the future is safe at any point: running the job again goes on where it stood. So may two processes run it
    /// at once. What was sent is followed also while the vault is locked.
    ///
    /// # Errors
    /// [`JobError::OtherNetwork`] where the node is not of the job's network; [`CustodyError::NotFound`]; the node's or the
    /// store's before the run has begun. Afterwards trouble is waited for, and [`JobOutcome`] says what stood in the way.
    pub async fn run_job(
        &self,
        node: &SolanaNode,
        id: JobId,
        passwords: WalletPasswords,
        progress: &watch::Sender<JobProgress>,
    ) -> Result<JobOutcome, JobError> {
        self.run_job_at(node, id, passwords, progress, Pace::default())
            .await
    }

    /// As [`Self::run_job`], asking as often as told.
    ///
    /// # Errors
    /// As for [`Self::run_job`].
    pub async fn run_job_at(
        &self,
        node: &SolanaNode,
        id: JobId,
        passwords: WalletPasswords,
        progress: &watch::Sender<JobProgress>,
        pace: Pace,
    ) -> Result<JobOutcome, JobError> {
        let stored = self.job_run(id).await?;
        let expected = stored.row.network.clone();
        let found = match node.verify_network().await {
            Err(ChainError::WrongNetwork { found, .. }) => found,
            other => other?,
        };
        if found != expected {
            return Err(JobError::OtherNetwork { expected, found });
        }
        let (loaded, known) = load::read(stored)?;
        let run = Run {
            custody: self,
            node,
            passwords,
            job: known.job,
            items: Mutex::new(known.items),
            batches: Mutex::new(known.batches),
            tasks: Mutex::new(HashMap::new()),
            fees: build::Fees::default(),
        };
        Ok(run.go(Machine::new(&loaded, pace), progress).await)
    }
}

/// Waits for `first`, and lets the work go on meanwhile: some of it may hold what `first` waits for.
async fn beside<T, E>(
    first: impl Future<Output = T>,
    work: &mut FuturesUnordered<BoxFuture<'_, Option<E>>>,
    ready: &mut VecDeque<E>,
) -> T {
    let mut first = std::pin::pin!(first);
    loop {
        tokio::select! {
            outcome = &mut first => return outcome,
            Some(done) = work.next(), if !work.is_empty() => ready.extend(done),
        }
    }
}

/// What a task has come to.
struct Prepared {
    unsigned: Vec<u8>,
    items: Vec<BatchItem>,
    lifetime: Lifetime,
    fee: Lamports,
    signed: Option<(Signature, Vec<u8>)>,
}

struct Run<'a> {
    custody: &'a Custody,
    node: &'a SolanaNode,
    /// Those of wallets that have one of their own.
    passwords: WalletPasswords,
    job: Job,
    items: Mutex<HashMap<u32, JobItem>>,
    /// The recorded transactions that are followed.
    batches: Mutex<HashMap<u32, Arc<Batch>>>,
    tasks: Mutex<HashMap<u64, Prepared>>,
    fees: build::Fees,
}

impl Run<'_> {
    async fn go(&self, mut machine: Machine, progress: &watch::Sender<JobProgress>) -> JobOutcome {
        let started = Instant::now();
        let mut work: FuturesUnordered<BoxFuture<'_, Option<Event>>> = FuturesUnordered::new();
        let mut ready = VecDeque::new();
        let mut event = Event::Start { now_ms: 0 };
        loop {
            for effect in machine.handle(event) {
                match effect {
                    Effect::Report(state) => {
                        progress.send_replace(state);
                    }
                    Effect::Finish(outcome) => return outcome,
                    // Stored before the run's end, which comes after it, so that the next run is refused too.
                    Effect::Pause { reason } => beside(self.pause(&reason), &mut work, &mut ready).await,
                    effect => work.push(Box::pin(self.perform(effect))),
                }
            }
            event = loop {
                if let Some(event) = ready.pop_front() {
                    break event;
                }
                tokio::select! {
                    // Events first, so that a busy machine is not asked the time instead of being told what happened.
                    biased;
                    Some(done) = work.next(), if !work.is_empty() => if let Some(event) = done { break event },
                    () = tokio::time::sleep(TICK) => {
                        let now_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                        break Event::Tick { now_ms };
                    }
                }
            };
        }
    }

    async fn perform(&self, effect: Effect) -> Option<Event> {
        Some(match effect {
            Effect::Build { task, items } => self.build(task, &items).await,
            Effect::Sign { task } => self.sign(task).await,
            Effect::Record { task } => self.record(task).await,
            Effect::Forget { task } => {
                self.tasks.lock().await.remove(&task);
                return None;
            }
            Effect::Send { batch } => self.send(batch).await,
            Effect::Search { scope, batches } => self.search(scope, &batches).await,
            Effect::Look { batch } => self.look(batch).await,
            Effect::AskTip => match self.on_network(self.node.tip(Commitment::Finalized).await).await {
                Ok(tip) => Event::Tip(tip),
                Err(cause) => Event::NoTip { cause },
            },
            Effect::AskHistoryStart => match self.node.history_start().await {
                Ok(block_height) => Event::HistoryStart { block_height },
                Err(error) => Event::NoTip {
                    cause: error.to_string(),
                },
            },
            Effect::Store(changes) => self.store(changes).await,
            Effect::Decide { verdict, items } => self.decide(verdict, items).await,
            Effect::Check => match self.custody.job_standing(self.job.id).await {
                Ok((state, last_batch)) => Event::Checked { state, last_batch },
                Err(error) => Event::NotChecked {
                    cause: error.to_string(),
                },
            },
            Effect::Reload => self.reload().await,
            Effect::Pause { .. } | Effect::Report(_) | Effect::Finish(_) => return None,
        })
    }

    /// An answer, if the node is still of the same network: "nothing found" on another one would prove nothing.
    async fn on_network<T>(&self, answer: Result<T, ChainError>) -> Result<T, String> {
        let answer = answer.map_err(|error| error.to_string())?;
        match self.node.verify_network().await {
            Ok(_) => Ok(answer),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn pause(&self, reason: &str) {
        // The run ends all the same; who runs the job again is told the same reason.
        if let Err(error) = self.custody.pause_job(self.job.id, reason).await {
            tracing::warn!(%error, "the job could not be paused");
        }
    }

    async fn sign(&self, task: u64) -> Event {
        let Some(unsigned) = self
            .tasks
            .lock()
            .await
            .get(&task)
            .map(|task| task.unsigned.clone())
        else {
            return not_signed(task, "nothing was built");
        };
        let request = SignRequest::new(unsigned.clone(), self.job.network.clone());
        let signed = match self.custody.sign_transaction_with(request, &self.passwords).await {
            Ok(signed) => signed,
            Err(error) => {
                return Event::NotSigned {
                    task,
                    why: why_not_signed(&error),
                };
            }
        };
        let is_same = match (Transaction::decode(&signed.bytes), Transaction::decode(&unsigned)) {
            (Ok(signed), Ok(unsigned)) => {
                signed.is_fully_signed() && signed.message_bytes() == unsigned.message_bytes()
            }
            _ => false,
        };
        if !is_same {
            return not_signed(
                task,
                "a signer is not of this vault, or the signed bytes are others",
            );
        }
        if let Some(prepared) = self.tasks.lock().await.get_mut(&task) {
            prepared.signed = Some((signed.signature, signed.bytes));
        }
        Event::Signed { task }
    }

    async fn record(&self, task: u64) -> Event {
        let prepared = self.tasks.lock().await.remove(&task);
        let Some((prepared, (signature, bytes))) =
            prepared.and_then(|mut prepared| prepared.signed.take().map(|signed| (prepared, signed)))
        else {
            let cause = "nothing was signed".to_owned();
            return Event::NotRecorded {
                task,
                why: NotRecorded::Trouble { cause },
            };
        };
        let new = NewBatch {
            job: self.job.id,
            number: 0,
            signature,
            transaction: bytes.clone(),
            lifetime: prepared.lifetime,
            fee: prepared.fee,
            items: prepared.items.clone(),
        };
        match self.custody.record_batch(new).await {
            Ok(number) => {
                let batch = Batch {
                    number,
                    signature,
                    transaction: bytes,
                    lifetime: prepared.lifetime,
                    fee: prepared.fee,
                    items: prepared.items,
                    state: super::BatchState::Signed,
                    slot: None,
                    error: None,
                    culprit: None,
                    created_ms: 0,
                };
                let lifetime = batch.lifetime;
                self.batches.lock().await.insert(number, Arc::new(batch));
                Event::Recorded {
                    task,
                    batch: number,
                    lifetime,
                }
            }
            Err(CustodyError::JobMoved) => Event::NotRecorded {
                task,
                why: NotRecorded::Moved,
            },
            // Whether it was recorded is not known: what stands in the store is asked before anything else is built.
            Err(CustodyError::OutcomeUnknown) => Event::NotRecorded {
                task,
                why: NotRecorded::Moved,
            },
            Err(error) => Event::NotRecorded {
                task,
                why: NotRecorded::Trouble {
                    cause: error.to_string(),
                },
            },
        }
    }

    async fn batch(&self, number: u32) -> Option<Arc<Batch>> {
        self.batches.lock().await.get(&number).cloned()
    }

    async fn send(&self, batch: u32) -> Event {
        let sent = match self.batch(batch).await {
            Some(found) => self
                .node
                .send_raw(&found.transaction)
                .await
                .map_err(|error| error.to_string()),
            None => Err("nothing is recorded".to_owned()),
        };
        match sent {
            Ok(_) => Event::Accepted { batch },
            Err(cause) => Event::NotAccepted { batch, cause },
        }
    }

    async fn search(&self, scope: SearchScope, numbers: &[u32]) -> Event {
        let batches = self.batches.lock().await;
        let known: Vec<(u32, Signature)> = numbers
            .iter()
            .filter_map(|number| Some((*number, batches.get(number)?.signature)))
            .collect();
        drop(batches);
        let signatures: Vec<Signature> = known.iter().map(|(_, signature)| *signature).collect();
        let answer = self.node.signature_statuses(&signatures, scope).await;
        let has_gap = |found: &[crate::chain::SignatureSearch]| found.iter().any(|one| one.status.is_none());
        let answer = match answer {
            Ok(found) if scope == SearchScope::History && has_gap(&found) => self.on_network(Ok(found)).await,
            other => other.map_err(|error| error.to_string()),
        };
        match answer {
            Err(cause) => Event::NotFound { cause },
            Ok(found) => Event::Found {
                scope,
                context_slot: found.iter().map(|one| one.context_slot).min().unwrap_or(0),
                found: known
                    .iter()
                    .zip(found)
                    .map(|((number, _), one)| {
                        let status = one.status.map(|status| Status {
                            slot: status.slot,
                            commitment: status.commitment,
                            has_failed: status.error.is_some(),
                        });
                        (*number, status)
                    })
                    .collect(),
            },
        }
    }

    async fn look(&self, number: u32) -> Event {
        let Some(batch) = self.batch(number).await else {
            let cause = "nothing is recorded".to_owned();
            return Event::NotLooked { batch: number, cause };
        };
        let shown = self
            .node
            .transaction(&batch.signature, Commitment::Finalized)
            .await;
        let shown = match shown {
            Ok(None) => self.on_network(Ok(None)).await,
            other => other.map_err(|error| error.to_string()),
        };
        match shown {
            Err(cause) => Event::NotLooked { batch: number, cause },
            Ok(landed) => Event::Looked {
                batch: number,
                landing: landed.map(|landed| Landing {
                    slot: landed.slot,
                    culprit: landed
                        .fault
                        .as_ref()
                        .and_then(|fault| batch.item_of(fault.instruction?)),
                    error: landed.error,
                }),
            },
        }
    }

    async fn store(&self, changes: Vec<Change>) -> Event {
        let batches = changes.iter().map(|change| change.batch).collect();
        match self.custody.update_batches(self.job.id, changes).await {
            Ok(stored) => {
                let mut known = self.batches.lock().await;
                for change in stored.iter().filter(|change| change.state.is_final()) {
                    known.remove(&change.batch);
                }
                Event::Stored(stored)
            }
            Err(error) => Event::NotStored {
                batches,
                cause: error.to_string(),
            },
        }
    }

    async fn decide(&self, verdict: Verdict, items: Vec<(u32, String)>) -> Event {
        let numbers: Vec<u32> = items.iter().map(|(item, _)| *item).collect();
        match self.custody.decide_items(self.job.id, verdict, items).await {
            Ok(decided) => Event::Decided {
                moved: numbers
                    .into_iter()
                    .filter(|item| !decided.contains(item))
                    .collect(),
                items: decided,
            },
            Err(error) => Event::NotDecided {
                items: numbers,
                cause: error.to_string(),
            },
        }
    }

    async fn reload(&self) -> Event {
        let read = match self.custody.job_run(self.job.id).await {
            Ok(stored) => load::read(stored),
            Err(error) => Err(error),
        };
        match read {
            Ok((loaded, known)) => {
                *self.items.lock().await = known.items;
                self.batches.lock().await.extend(known.batches);
                Event::Reloaded(Box::new(loaded))
            }
            Err(error) => Event::NotChecked {
                cause: error.to_string(),
            },
        }
    }
}

fn not_signed(task: u64, reason: &str) -> Event {
    Event::NotSigned {
        task,
        why: NotSigned::Hold {
            reason: reason.to_owned(),
        },
    }
}

fn why_not_signed(error: &SignError) -> NotSigned {
    match error {
        SignError::Refused { .. } => NotSigned::Refused {
            reason: error.to_string(),
        },
        SignError::RateLimited { retry_after_ms, .. } | SignError::TooSoon { retry_after_ms, .. } => {
            NotSigned::Later {
                after_ms: *retry_after_ms,
                cause: error.to_string(),
            }
        }
        SignError::Custody(
            CustodyError::Busy | CustodyError::Unreachable { .. } | CustodyError::OutcomeUnknown,
        ) => NotSigned::Later {
            after_ms: BUSY_MS,
            cause: error.to_string(),
        },
        _ => NotSigned::Hold {
            reason: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_waited_for_lets_the_work_go_on_that_holds_it() {
        let lock = Arc::new(Mutex::new(()));
        let held = Arc::clone(&lock).lock_owned().await;
        let mut work: FuturesUnordered<BoxFuture<'_, Option<u32>>> = FuturesUnordered::new();
        work.push(Box::pin(async move {
            tokio::task::yield_now().await;
            drop(held);
            Some(7)
        }));
        work.push(Box::pin(async { None }));
        let mut ready = VecDeque::new();
        let first = beside(lock.lock(), &mut work, &mut ready);
        let waited = tokio::time::timeout(Duration::from_secs(30), first).await;
        assert!(waited.is_ok(), "they wait for each other");
        assert!(ready.iter().all(|event| *event == 7));
    }
}
