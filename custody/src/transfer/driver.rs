//! Performs what the [`tracker`](super::tracker) asks for. Decides nothing itself but the checks before signing.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use keyward_core::address::Signature;
use keyward_core::solana::Transaction;
use tokio::sync::{Mutex, MutexGuard, watch};
use tokio::time::Instant;

use super::exactly::makes;
use super::lifetime::read_nonce;
use super::offline::durable_nonce;
use super::plan::refuse_repeat;
use super::tracker::{Effect, Event, Pace, Tracker};
use super::{
    NonceUse, TransferError, TransferOutcome, TransferPlan, TransferProgress, TransferRequest, TransferResult,
};
use crate::chain::{ChainError, Commitment, SearchScope, SignatureWatch, SolanaNode};
use crate::changes::Nonce;
use crate::signing::WalletPasswords;
use crate::{Attempt, AttemptId, AttemptQuery, AttemptState, Custody, CustodyError, NewAttempt, SignRequest};

/// How often the tracker is told the time.
const TICK: Duration = Duration::from_millis(200);
/// A plan with fewer blocks left than this is not signed any more.
const MIN_BLOCKS_LEFT: u64 = 5;
/// How many unresolved attempts are followed at once, and how many are picked up in one go.
const PARALLEL: usize = 8;
const MAX_RESUMED: u32 = 1_000;

/// Held from looking for an equal unresolved transfer until the new one is recorded, so that two tasks of this process
/// do not both sign. Between processes the record itself decides: see [`Run::record`].
static RECORDING: Mutex<()> = Mutex::const_new(());

pub(super) async fn submit(
    custody: &Custody,
    node: &SolanaNode,
    plan: TransferPlan,
    passwords: WalletPasswords,
    progress: &watch::Sender<TransferProgress>,
) -> Result<TransferOutcome, TransferError> {
    check_plan(&plan)?;
    check_chain(node, &plan).await?;
    let guard = RECORDING.lock().await;
    refuse_repeat(custody, &plan.request, &plan.network).await?;
    let tracker = Tracker::new(plan.last_valid_block_height, Pace::default());
    let nonce = plan.details.nonce;
    let tracker = if nonce.is_some() {
        tracker.durable()
    } else {
        tracker
    };
    let request = plan.request.clone();
    let run = Run {
        passwords,
        custody,
        node,
        progress,
        plan: Some((plan, guard)),
        attempt: None,
        bytes: Vec::new(),
        nonce,
        nonce_gone_at: None,
        request,
    };
    run.follow(tracker).await
}

/// The fields of a plan are open, so what is recorded as recipient and amount is compared with what the bytes do.
fn check_plan(plan: &TransferPlan) -> Result<(), TransferError> {
    if let (Some(reason), false) = (&plan.simulation_error, plan.details.despite_failure) {
        return Err(TransferError::WouldFail {
            reason: reason.clone(),
        });
    }
    let build = |reason: String| TransferError::Build { reason };
    let transaction = Transaction::decode(&plan.transaction).map_err(|error| build(error.to_string()))?;
    if !makes(&transaction.message, &plan.request)
        || durable_nonce(&transaction.message) != plan.details.nonce
    {
        return Err(build(
            "the prepared bytes do something else than was asked for".into(),
        ));
    }
    Ok(())
}

/// Since the bytes are sent without the node's own check, this is the last look before a signature exists.
async fn check_chain(node: &SolanaNode, plan: &TransferPlan) -> Result<(), TransferError> {
    let found = match node.verify_network().await {
        Err(ChainError::WrongNetwork { found, .. }) => found,
        other => other?,
    };
    if found != plan.network {
        return Err(TransferError::OtherNetwork {
            expected: plan.network.clone(),
            found,
        });
    }
    match plan.details.nonce {
        Some(nonce) => {
            if read_nonce(node, nonce.account).await?.value != nonce.value {
                return Err(TransferError::PlanExpired);
            }
        }
        None => check_height(node, plan).await?,
    }
    match node.simulate(&plan.transaction, &[]).await {
        Ok(simulation) => match simulation.error {
            Some(reason) if !plan.details.despite_failure => Err(TransferError::WouldFail { reason }),
            _ => Ok(()),
        },
        Err(ChainError::BlockhashUnknown) => Err(TransferError::PlanExpired),
        Err(other) => Err(other.into()),
    }
}

async fn check_height(node: &SolanaNode, plan: &TransferPlan) -> Result<(), TransferError> {
    let height = node.block_height(Commitment::Confirmed).await?;
    if height.saturating_add(MIN_BLOCKS_LEFT) > plan.last_valid_block_height {
        return Err(TransferError::PlanExpired);
    }
    Ok(())
}

pub(super) async fn resume(
    custody: &Custody,
    node: &SolanaNode,
    progress: &watch::Sender<TransferProgress>,
) -> Result<Vec<TransferOutcome>, TransferError> {
    let network = node.verify_network().await?;
    let query = AttemptQuery {
        unresolved_only: true,
        wallet: None,
        limit: MAX_RESUMED,
    };
    let attempts = custody.attempts(&query).await?;
    let mut runs = Vec::new();
    for attempt in attempts {
        let unresolved = matches!(attempt.state, AttemptState::Signed | AttemptState::Sent);
        if unresolved && attempt.new.network == network {
            runs.push(resume_one(custody, node, progress, attempt).boxed());
        }
    }
    let results: Vec<_> = futures_util::stream::iter(runs)
        .buffered(PARALLEL)
        .collect()
        .await;
    results.into_iter().collect()
}

async fn resume_one(
    custody: &Custody,
    node: &SolanaNode,
    progress: &watch::Sender<TransferProgress>,
    attempt: Attempt,
) -> Result<TransferOutcome, TransferError> {
    let NewAttempt {
        wallet,
        recipient,
        amount,
        signature,
        transaction,
        last_valid_block_height,
        nonce,
        ..
    } = attempt.new;
    let tracker = Tracker::resume(signature, attempt.state, last_valid_block_height, Pace::default());
    let tracker = if nonce.is_some() {
        tracker.durable()
    } else {
        tracker
    };
    let run = Run {
        // A resumed transfer is never signed.
        passwords: WalletPasswords::none(),
        custody,
        node,
        progress,
        plan: None,
        attempt: Some((Some(attempt.id), signature)),
        bytes: transaction,
        nonce,
        nonce_gone_at: None,
        request: TransferRequest::new(wallet, recipient, amount),
    };
    run.follow(tracker).await
}

pub(super) struct Run<'a> {
    /// Those of wallets that have one of their own.
    passwords: WalletPasswords,
    custody: &'a Custody,
    node: &'a SolanaNode,
    progress: &'a watch::Sender<TransferProgress>,
    /// Until the signed bytes are recorded.
    plan: Option<(TransferPlan, MutexGuard<'static, ()>)>,
    /// None recorded: what a wallet outside this vault signed is kept in the file that it came in.
    attempt: Option<(Option<AttemptId>, Signature)>,
    /// The signed bytes.
    bytes: Vec<u8>,
    /// The durable nonce that they live by.
    nonce: Option<NonceUse>,
    /// How high the chain was, confirmed, when the nonce was first seen to hold another value.
    nonce_gone_at: Option<u64>,
    request: TransferRequest,
}

/// What an effect led to.
enum Step {
    Event(Event),
    Nothing,
    End(TransferResult),
}

impl<'a> Run<'a> {
    /// What was signed elsewhere and is not yet sent, or perhaps is.
    pub(super) fn of_signed(
        (custody, node): (&'a Custody, &'a SolanaNode),
        progress: &'a watch::Sender<TransferProgress>,
        request: TransferRequest,
        (id, signature): (Option<AttemptId>, Signature),
        (bytes, nonce): (Vec<u8>, Option<NonceUse>),
    ) -> Self {
        Self {
            passwords: WalletPasswords::none(),
            custody,
            node,
            progress,
            plan: None,
            attempt: Some((id, signature)),
            bytes,
            nonce,
            nonce_gone_at: None,
            request,
        }
    }

    pub(super) async fn follow(mut self, mut tracker: Tracker) -> Result<TransferOutcome, TransferError> {
        let started = Instant::now();
        let mut hints = Hints::default();
        let mut event = Event::Start { now_ms: 0 };
        loop {
            let mut effects = std::collections::VecDeque::from(tracker.handle(event));
            while let Some(effect) = effects.pop_front() {
                match self.perform(effect).await? {
                    Step::Event(event) => effects.extend(tracker.handle(event)),
                    Step::Nothing => {}
                    Step::End(result) => return self.outcome(result),
                }
            }
            if let Some((_, signature)) = self.attempt {
                hints.begin(self.node, &signature);
            }
            let now_ms = |started: Instant| u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            event = tokio::select! {
                () = tokio::time::sleep(TICK) => Event::Tick { now_ms: now_ms(started) },
                () = hints.next() => Event::Hint,
            };
        }
    }

    async fn perform(&mut self, effect: Effect) -> Result<Step, TransferError> {
        match effect {
            Effect::Sign => self.sign().await.map(Step::Event),
            Effect::Record => self.record().await.map(Step::Event),
            Effect::Send => Ok(Step::Event(match self.node.send_raw(&self.bytes).await {
                Ok(_) => Event::Accepted,
                Err(error) => Event::NotAccepted {
                    cause: error.to_string(),
                },
            })),
            Effect::Search(scope) => Ok(Step::Event(self.search(scope).await)),
            Effect::AskTip => Ok(Step::Event(match self.nonce {
                None => self.tip().await,
                Some(nonce) => self.look_at_nonce(nonce).await,
            })),
            Effect::AskHistoryStart => Ok(Step::Event(match self.node.history_start().await {
                Ok(block_height) => Event::HistoryStart { block_height },
                Err(error) => Event::Unknown {
                    cause: error.to_string(),
                },
            })),
            Effect::Store { state, slot, error } => self.store(state, slot, error).await,
            Effect::Report(progress) => {
                self.progress.send_replace(progress);
                Ok(Step::Nothing)
            }
            Effect::Finish(result) => Ok(Step::End(result)),
            Effect::GiveUp { cause } => {
                let Some((_, signature)) = self.attempt else {
                    return Err(lost("what was not recorded has no end to look for"));
                };
                Err(TransferError::Unknown { signature, cause })
            }
        }
    }

    async fn sign(&mut self) -> Result<Event, TransferError> {
        let Some((plan, _)) = &self.plan else {
            return Err(lost("a resumed transfer is never signed"));
        };
        let request = SignRequest::new(plan.transaction.clone(), plan.network.clone());
        // Signed once: they are not kept for as long as it is followed.
        let passwords = std::mem::take(&mut self.passwords);
        let signed = self.custody.sign_transaction_with(request, &passwords).await?;
        drop(passwords);
        let message = |bytes: &[u8]| {
            Transaction::decode(bytes)
                .ok()
                .map(|transaction| transaction.message_bytes())
        };
        if message(&signed.bytes).is_none() || message(&signed.bytes) != message(&plan.transaction) {
            return Err(lost("the signed bytes are not the prepared ones"));
        }
        self.bytes = signed.bytes;
        Ok(Event::Signed {
            signature: signed.signature,
        })
    }

    /// Records the signed bytes. The store looks for the same payment and records this one under one lock, so of two
    /// processes that make it at the same time one is refused, and its bytes have never left it: they are no payment.
    async fn record(&mut self) -> Result<Event, TransferError> {
        let Some((plan, guard)) = self.plan.take() else {
            return Err(lost("a resumed transfer is recorded already"));
        };
        let signature = Transaction::decode(&self.bytes)
            .ok()
            .and_then(|signed| signed.signatures.first().copied());
        let Some(signature) = signature else {
            return Err(lost("the signed bytes do not decode"));
        };
        let attempt = NewAttempt {
            wallet: self.request.from,
            recipient: self.request.to,
            amount: self.request.amount,
            signature,
            transaction: self.bytes.clone(),
            last_valid_block_height: plan.last_valid_block_height,
            network: plan.network.clone(),
            nonce: plan.details.nonce,
        };
        let id = match self
            .custody
            .record_new_attempt(attempt, self.request.repeat)
            .await
        {
            Err(CustodyError::SamePayment { signature }) => {
                return Err(TransferError::Unresolved { signature });
            }
            other => other?,
        };
        drop(guard);
        self.attempt = Some((Some(id), signature));
        Ok(Event::Recorded)
    }

    async fn search(&self, scope: SearchScope) -> Event {
        let Some((_, signature)) = self.attempt else {
            return Event::Unknown {
                cause: "nothing is recorded".into(),
            };
        };
        match self.node.signature_status(&signature, scope).await {
            // "Nothing found" on another network would prove nothing, so the network is asked for after the search.
            Ok(search) if scope == SearchScope::History && search.status.is_none() => {
                match self.node.verify_network().await {
                    Ok(_) => Event::Found { scope, search },
                    Err(error) => Event::Unknown {
                        cause: error.to_string(),
                    },
                }
            }
            Ok(search) => Event::Found { scope, search },
            Err(error) => Event::Unknown {
                cause: error.to_string(),
            },
        }
    }

    async fn tip(&self) -> Event {
        let tip = match self.node.tip(Commitment::Finalized).await {
            Ok(tip) => tip,
            Err(error) => {
                return Event::Unknown {
                    cause: error.to_string(),
                };
            }
        };
        match self.node.verify_network().await {
            Ok(_) => Event::Tip(tip),
            Err(error) => Event::Unknown {
                cause: error.to_string(),
            },
        }
    }

    async fn look_at_nonce(&mut self, nonce: NonceUse) -> Event {
        let unknown = |cause: String| Event::Unknown { cause };
        // Asked first, so that whatever is read at its slot or later is at least as high.
        let tip = match self.node.tip(Commitment::Finalized).await {
            Ok(tip) => tip,
            Err(error) => return unknown(error.to_string()),
        };
        let (slot, found) = match self
            .node
            .account_data(&[nonce.account], Commitment::Finalized)
            .await
        {
            Ok(found) => found,
            Err(error) => return unknown(error.to_string()),
        };
        // "Another value" on another network would prove nothing.
        if let Err(error) = self.node.verify_network().await {
            return unknown(error.to_string());
        }
        let held = found.first().and_then(Option::as_ref).and_then(Nonce::of);
        if held.is_some_and(|held| held.value == nonce.value) {
            self.nonce_gone_at = None;
            return Event::NonceHeld;
        }
        // An older value looks like a newer one: how far the node had come says which it is.
        if slot < tip.slot {
            return unknown("the node that was asked for the nonce lags behind its own tip".into());
        }
        // A node may show what landed just now before it lists it, and call it finalized. So the finalized height has to pass
        // where the chain was when the nonce was gone, before anything is searched for.
        let gone_at = match self.nonce_gone_at {
            Some(height) => height,
            None => match self.node.block_height(Commitment::Confirmed).await {
                Ok(height) => *self.nonce_gone_at.insert(height),
                Err(error) => return unknown(error.to_string()),
            },
        };
        match tip.block_height > gone_at {
            true => Event::NonceGone {
                slot,
                block_height: tip.block_height,
            },
            false => unknown("the nonce holds another value, which is not final yet".into()),
        }
    }

    async fn store(
        &self,
        state: AttemptState,
        slot: Option<u64>,
        error: Option<String>,
    ) -> Result<Step, TransferError> {
        let Some((id, _)) = self.attempt else {
            return Err(lost("nothing is recorded"));
        };
        let Some(id) = id else {
            return Ok(Step::Nothing);
        };
        match self.custody.update_attempt(id, state, slot, error).await {
            // Signed and sent are followed alike, so a store that is busy for a moment must not end the following.
            Err(error) if state == AttemptState::Sent => {
                tracing::warn!(%error, "that the transaction was sent could not be stored");
                Ok(Step::Nothing)
            }
            other => other.map(|()| Step::Nothing).map_err(Into::into),
        }
    }

    fn outcome(&self, result: TransferResult) -> Result<TransferOutcome, TransferError> {
        let Some((attempt, signature)) = self.attempt else {
            return Err(lost("nothing is recorded"));
        };
        let TransferRequest { from, to, amount, .. } = self.request;
        Ok(TransferOutcome {
            attempt,
            signature,
            from,
            to,
            amount,
            result,
        })
    }
}

/// The subscription to a signature. It gives at most one hint, since asking goes on anyway.
#[derive(Default)]
enum Hints {
    #[default]
    None,
    Waiting(SignatureWatch),
    Given,
}

impl Hints {
    fn begin(&mut self, node: &SolanaNode, signature: &Signature) {
        if matches!(self, Self::None) {
            *self = Self::Waiting(node.subscribe_signature(signature));
        }
    }

    async fn next(&mut self) {
        match self {
            Self::Waiting(watch) => watch.confirmed().await,
            Self::None | Self::Given => std::future::pending().await,
        }
        *self = Self::Given;
    }
}

fn lost(reason: &str) -> TransferError {
    TransferError::Build {
        reason: reason.to_string(),
    }
}
