//! Jobs in the store: making and changing them, and recording what a run does. Every change is decided under the store's
//! write lock, by what stands there at that moment.

use std::collections::BTreeSet;

use keyward_core::audit::{Operation, Outcome};

use super::machine::{Change, Verdict};
use super::{
    Adopted, Batch, BatchState, ItemAction, ItemCursor, ItemFilter, ItemState, Job, JobCounts, JobId,
    JobItem, JobQuery, JobState, MAX_BATCH_ITEMS, MAX_ITEMS, MAX_JOB_LABEL_CHARS, MAX_JOB_OPTIONS_BYTES,
    MAX_JOB_PAGE, NewJob,
};
use crate::attempts::MAX_NETWORK_BYTES;
use crate::audit::ledger::Draft;
use crate::error::CustodyError;
use crate::store::jobs::{
    CountedJob, Decision, ItemsAsk, JobAsk, JobFacts, JobRow, JobRun, JobWrite, NewBatch,
};
use crate::store::{Ask, Commit, Facts, Write, transact, transact_as};
use crate::transfer::MAX_MEMO_BYTES;
use crate::vault::Custody;

/// The longest reason that is kept with an item or a transaction, in characters.
const MAX_REASON_CHARS: usize = 1_000;

impl Custody {
    /// Stores a job. Nothing is signed by that.
    ///
    /// # Errors
    /// [`CustodyError::Locked`]; [`CustodyError::Invalid`] for items that are not numbered from 0 on, groups that do not
    /// hold each of them once, or what is over its bound; [`CustodyError::NotFound`] for wallets that are not of this
    /// vault; or the store's.
    pub async fn create_job(&self, job: NewJob) -> Result<JobId, CustodyError> {
        self.create_job_with(job, Vec::new()).await
    }

    /// As [`Self::create_job`], with finalized transactions of it that the chain knows and the store does not: all of it, or
    /// nothing. A job that was there with a part of them alone would pay the others again.
    ///
    /// # Errors
    /// As [`Self::create_job`]; [`CustodyError::Invalid`] where an item is in two of them, or in none of the job's.
    pub(crate) async fn create_job_with(
        &self,
        job: NewJob,
        adopted: Vec<Adopted>,
    ) -> Result<JobId, CustodyError> {
        let session = self.session().ok_or(CustodyError::Locked)?;
        check(&job)?;
        check_adopted(&job, &adopted)?;
        let wallets: BTreeSet<_> = job
            .items
            .iter()
            .map(|item| item.source)
            .chain([job.fee_payer])
            .collect();
        let id = job.id;
        let ask = Ask {
            known: wallets.iter().map(Into::into).collect(),
            job: Some(of(id, ItemsAsk::None)),
            unsigned_tail: true,
            ..Ask::default()
        };
        transact(self.store(), ask, |ledger, facts| {
            if facts.job.is_some() {
                return Err(CustodyError::invalid("job", "there is one of this id already"));
            }
            if let Some(strange) = wallets.iter().find(|one| !facts.known.contains(&(*one).into())) {
                return Err(CustodyError::NotFound {
                    what: format!("wallet: {strange}"),
                });
            }
            let details = format!(
                "{} {id}, {} items in {} transactions, network {}: {}",
                job.kind.as_str(),
                job.items.len(),
                job.groups.len(),
                job.network,
                job.label
            );
            let draft = Draft::new(Operation::CreateJob, Outcome::Done)
                .wallet(job.fee_payer)
                .details(details);
            ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            let (kind, payer) = (job.kind, job.fee_payer);
            let mut writes = vec![Write::Job(JobWrite::New(Box::new(job)))];
            for (number, one) in (1_u32..).zip(adopted) {
                let details = format!(
                    "{} {id}, transaction {number} with {} items, found on chain in slot {}: {}",
                    kind.as_str(),
                    one.items.len(),
                    one.slot,
                    one.signature
                );
                let draft = Draft::new(Operation::Send, Outcome::Done)
                    .wallet(payer)
                    .details(details);
                ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
                writes.extend(one.writes(id, number).map(Write::Job));
            }
            Ok((writes, ()))
        })
        .await?;
        Ok(id)
    }

    /// Jobs, the newest first.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for a limit over [`MAX_JOB_PAGE`], or the store's.
    pub async fn jobs(&self, query: &JobQuery) -> Result<Vec<Job>, CustodyError> {
        check_page(query.limit)?;
        let rows = self.store().jobs(query).await?;
        let mut jobs = Vec::with_capacity(rows.len());
        for row in rows {
            jobs.push(self.job(row.id).await?);
        }
        Ok(jobs)
    }

    /// A job with its counts.
    ///
    /// # Errors
    /// [`CustodyError::NotFound`], or the store's.
    pub async fn job(&self, id: JobId) -> Result<Job, CustodyError> {
        self.store()
            .job(id)
            .await?
            .map(counted)
            .transpose()?
            .ok_or_else(|| not_found(id))
    }

    /// Items of a job, in the order of their numbers.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for a limit over [`MAX_JOB_PAGE`], or the store's.
    pub async fn job_items(
        &self,
        id: JobId,
        filter: ItemFilter,
        cursor: ItemCursor,
        limit: u32,
    ) -> Result<Vec<JobItem>, CustodyError> {
        check_page(limit)?;
        self.store().job_items(id, filter, cursor.after, limit).await
    }

    /// Recorded transactions of a job, in their order, after the one of this number; 0 begins with the first.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for a limit over [`MAX_JOB_PAGE`], or the store's.
    pub async fn job_batches(&self, id: JobId, after: u32, limit: u32) -> Result<Vec<Batch>, CustodyError> {
        check_page(limit)?;
        self.store().job_batches(id, after, limit).await
    }

    /// Signs nothing new of a job until it is resumed; what was sent is followed. A locked vault signs nothing anyway.
    ///
    /// # Errors
    /// [`CustodyError::Locked`]; [`CustodyError::NotFound`]; [`CustodyError::Invalid`] for a cancelled job; or the store's.
    pub async fn pause_job(&self, id: JobId, reason: &str) -> Result<(), CustodyError> {
        let session = self.session().ok_or(CustodyError::Locked)?;
        transact(self.store(), ask(of(id, ItemsAsk::None)), |ledger, facts| {
            let job = found(&facts, id)?;
            match job.row.state {
                JobState::Paused => return Ok((Vec::new(), ())),
                JobState::Cancelled => return Err(CustodyError::invalid("job", "it was cancelled")),
                JobState::Open => {}
            }
            let draft = changed(job, "paused").reason(bounded(reason));
            ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            Ok((vec![state(id, JobState::Paused)], ()))
        })
        .await
        .map(|_| ())
    }

    /// Lets a paused job go on when it is run again.
    ///
    /// # Errors
    /// [`CustodyError::Locked`]; [`CustodyError::NotFound`]; [`CustodyError::Invalid`] for a cancelled job; or the store's.
    pub async fn resume_job(&self, id: JobId) -> Result<(), CustodyError> {
        let session = self.session().ok_or(CustodyError::Locked)?;
        transact(self.store(), ask(of(id, ItemsAsk::None)), |ledger, facts| {
            let job = found(&facts, id)?;
            match job.row.state {
                JobState::Open => return Ok((Vec::new(), ())),
                JobState::Cancelled => return Err(CustodyError::invalid("job", "it was cancelled")),
                JobState::Paused => {}
            }
            ledger.append(facts.now_ms, self.scribe(Some(&session)), changed(job, "resumed"))?;
            Ok((vec![state(id, JobState::Open)], ()))
        })
        .await
        .map(|_| ())
    }

    /// Gives up every item of a job that is not under way, and says how many. What was sent is followed.
    ///
    /// # Errors
    /// [`CustodyError::Locked`]; [`CustodyError::NotFound`]; or the store's.
    pub async fn cancel_job(&self, id: JobId) -> Result<u64, CustodyError> {
        let session = self.session().ok_or(CustodyError::Locked)?;
        let (count, _) = transact(self.store(), ask(of(id, ItemsAsk::All)), |ledger, facts| {
            let job = found(&facts, id)?;
            let planned = job.items.iter().filter(|item| item.state() == ItemState::Planned);
            let items: Vec<_> = planned.map(|item| (item.number, None)).collect();
            let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
            let draft = changed(job, &format!("cancelled, {count} items given up"));
            ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            let decide = JobWrite::Decide {
                job: id,
                items,
                decision: Decision::Cancelled,
            };
            Ok((vec![Write::Job(decide), state(id, JobState::Cancelled)], count))
        })
        .await?;
        Ok(count)
    }

    /// Plans every failed item of a job again, and says how many; the job is open then.
    ///
    /// # Errors
    /// [`CustodyError::Locked`]; [`CustodyError::NotFound`]; [`CustodyError::Invalid`] for a cancelled job; or the store's.
    pub async fn retry_job(&self, id: JobId) -> Result<u64, CustodyError> {
        let session = self.session().ok_or(CustodyError::Locked)?;
        let (count, _) = transact(self.store(), ask(of(id, ItemsAsk::All)), |ledger, facts| {
            let job = found(&facts, id)?;
            if job.row.state == JobState::Cancelled {
                return Err(CustodyError::invalid("job", "it was cancelled"));
            }
            let has_failed = |state: ItemState| matches!(state, ItemState::Failed { .. });
            let failed = job.items.iter().filter(|item| has_failed(item.state()));
            let items: Vec<u32> = failed.map(|item| item.number).collect();
            let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
            let draft = changed(job, &format!("{count} failed items planned again"));
            ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            let release = JobWrite::Release {
                job: id,
                items,
                through: job.last_batch,
            };
            Ok((vec![Write::Job(release), state(id, JobState::Open)], count))
        })
        .await?;
        Ok(count)
    }

    /// A job as a run begins with it.
    pub(super) async fn job_run(&self, id: JobId) -> Result<JobRun, CustodyError> {
        self.store().job_run(id).await?.ok_or_else(|| not_found(id))
    }

    /// Whether a job goes on, and the number of its last transaction.
    pub(super) async fn job_standing(&self, id: JobId) -> Result<(JobState, u32), CustodyError> {
        let facts = self.store().look(ask(of(id, ItemsAsk::None))).await?;
        let job = found(&facts, id)?;
        Ok((job.row.state, job.last_batch))
    }

    /// Records signed bytes durably, before anything of them is sent, and gives them their number: only if the job goes on
    /// and every one of their items is still to be done. Of two processes that pay the same item one is refused, and its
    /// bytes have never left it: they are no payment.
    ///
    /// # Errors
    /// [`CustodyError::JobMoved`] where an item is not to be done any more; [`CustodyError::SamePayment`] where the very same
    /// bytes are recorded already; [`CustodyError::Locked`]; or the store's.
    pub(crate) async fn record_batch(&self, mut batch: NewBatch) -> Result<u32, CustodyError> {
        let session = self.session().ok_or(CustodyError::Locked)?;
        let job_id = batch.job;
        let numbers: Vec<u32> = batch.items.iter().map(|item| item.item).collect();
        let question = JobAsk {
            signature: Some(batch.signature),
            ..of(job_id, ItemsAsk::These(numbers.clone()))
        };
        let (number, _) = transact(self.store(), ask(question), |ledger, facts| {
            let job = found(&facts, job_id)?;
            let is_planned = |number: &u32| {
                let mut items = job.items.iter();
                items.any(|item| item.number == *number && item.state() == ItemState::Planned)
            };
            if job.row.state != JobState::Open || !numbers.iter().all(is_planned) {
                return Err(CustodyError::JobMoved);
            }
            if job.has_signature {
                return Err(CustodyError::SamePayment {
                    signature: batch.signature,
                });
            }
            let number = job
                .last_batch
                .checked_add(1)
                .ok_or_else(|| CustodyError::invalid("job", "it has too many transactions"))?;
            batch.number = number;
            let details = format!(
                "{} {job_id}, transaction {number} with {} items: {}",
                job.row.kind.as_str(),
                numbers.len(),
                batch.signature
            );
            let draft = Draft::new(Operation::Send, Outcome::Authorised)
                .wallet(job.row.fee_payer)
                .details(details);
            ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            Ok((vec![Write::Job(JobWrite::Batch(Box::new(batch)))], number))
        })
        .await?;
        Ok(number)
    }

    /// Records a transaction that nobody is going to send: for tests of what is stored, which have no node.
    ///
    /// # Errors
    /// As a run's own: [`CustodyError::JobMoved`], [`CustodyError::SamePayment`], [`CustodyError::Locked`], or the store's.
    #[doc(hidden)]
    pub async fn record_job_batch(&self, job: JobId, batch: Batch) -> Result<u32, CustodyError> {
        self.record_batch(NewBatch {
            job,
            number: batch.number,
            signature: batch.signature,
            transaction: batch.transaction,
            lifetime: batch.lifetime,
            fee: batch.fee,
            items: batch.items,
        })
        .await
    }

    /// Stores how far transactions of a job have come, and gives each as it stands then: what has ended stays as it is,
    /// unless it turns out to have landed after all. The ends are in the audit log when the vault is unlocked; following
    /// does not need the key.
    pub(crate) async fn update_batches(
        &self,
        job_id: JobId,
        changes: Vec<Change>,
    ) -> Result<Vec<Change>, CustodyError> {
        let session = self.session();
        let question = JobAsk {
            batches: changes.iter().map(|change| change.batch).collect(),
            ..of(job_id, ItemsAsk::None)
        };
        // A commit that a power cut takes back leaves a transaction that is followed once more.
        let (stored, _) = transact_as(self.store(), Commit::Ordered, ask(question), |ledger, facts| {
            let job = found(&facts, job_id)?;
            let mut writes = Vec::new();
            let mut stored = Vec::new();
            for mut change in changes {
                let batch = job.batches.iter().find(|batch| batch.number == change.batch);
                let batch = batch.ok_or_else(|| CustodyError::NotFound {
                    what: format!("transaction {} of job {job_id}", change.batch),
                })?;
                if !follows(batch.state, change.state) {
                    change.state = batch.state;
                    change.slot = batch.slot;
                    stored.push(change);
                    continue;
                }
                change.error = change.error.as_deref().map(bounded);
                if let Some(session) = session.as_deref().filter(|_| change.state.is_final()) {
                    let draft = ending(job, &change, batch.items);
                    ledger.append(facts.now_ms, self.scribe(Some(session)), draft)?;
                }
                stored.push(change.clone());
                writes.push(Write::Job(JobWrite::BatchState {
                    job: job_id,
                    batch: change.batch,
                    state: change.state,
                    slot: change.slot,
                    error: change.error,
                    culprit: change.culprit,
                }));
            }
            Ok((writes, stored))
        })
        .await?;
        Ok(stored)
    }

    /// Ends items without a transaction; gives those that were still to be done.
    pub(crate) async fn decide_items(
        &self,
        job_id: JobId,
        verdict: Verdict,
        items: Vec<(u32, String)>,
    ) -> Result<Vec<u32>, CustodyError> {
        let session = self.session().ok_or(CustodyError::Locked)?;
        let numbers: Vec<u32> = items.iter().map(|(item, _)| *item).collect();
        let (decided, _) = transact(
            self.store(),
            ask(of(job_id, ItemsAsk::These(numbers))),
            |ledger, facts| {
                let job = found(&facts, job_id)?;
                let planned: BTreeSet<u32> = job
                    .items
                    .iter()
                    .filter(|item| item.state() == ItemState::Planned)
                    .map(|item| item.number)
                    .collect();
                let items: Vec<_> = items
                    .into_iter()
                    .filter(|(item, _)| planned.contains(item))
                    .map(|(item, reason)| (item, Some(bounded(&reason))))
                    .collect();
                let Some((_, reason)) = items.first() else {
                    return Ok((Vec::new(), Vec::new()));
                };
                let (decision, outcome) = match verdict {
                    Verdict::Failed => (Decision::Failed, Outcome::Failed),
                    Verdict::Skipped => (Decision::Skipped, Outcome::Done),
                };
                let numbers: Vec<u32> = items.iter().map(|(item, _)| *item).collect();
                let details = format!(
                    "{} {job_id}, {} items {}: {numbers:?}: {}",
                    job.row.kind.as_str(),
                    items.len(),
                    decision.as_str(),
                    reason.clone().unwrap_or_default()
                );
                let draft = Draft::new(Operation::EndItems, outcome)
                    .wallet(job.row.fee_payer)
                    .reason(decision.as_str())
                    .details(details);
                ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
                let decide = JobWrite::Decide {
                    job: job_id,
                    items,
                    decision,
                };
                Ok((vec![Write::Job(decide)], numbers))
            },
        )
        .await?;
        Ok(decided)
    }
}

fn of(id: JobId, items: ItemsAsk) -> JobAsk {
    JobAsk {
        id,
        items,
        batches: Vec::new(),
        signature: None,
    }
}

fn ask(job: JobAsk) -> Ask {
    Ask {
        job: Some(job),
        unsigned_tail: true,
        ..Ask::default()
    }
}

fn state(job: JobId, state: JobState) -> Write {
    Write::Job(JobWrite::State { job, state })
}

fn found(facts: &Facts, id: JobId) -> Result<&JobFacts, CustodyError> {
    facts.job.as_ref().ok_or_else(|| not_found(id))
}

fn not_found(id: JobId) -> CustodyError {
    CustodyError::NotFound {
        what: format!("job: {id}"),
    }
}

fn changed(job: &JobFacts, what: &str) -> Draft {
    let row = &job.row;
    Draft::new(Operation::ChangeJob, Outcome::Done)
        .wallet(row.fee_payer)
        .details(format!("{} {}: {what}", row.kind.as_str(), row.id))
}

/// Whether a transaction in this state may come to be in that one.
pub(super) fn follows(before: BatchState, after: BatchState) -> bool {
    match (before, after) {
        (before, after) if before == after => false,
        // It landed after all: whatever was proven, nothing may be paid for it again.
        (BatchState::Expired | BatchState::Failed, BatchState::Finalized) => true,
        (before, _) if before.is_final() => false,
        (_, BatchState::Signed) => false,
        // That it was sent may be told late.
        (before, BatchState::Sent) => before == BatchState::Signed,
        _ => true,
    }
}

fn ending(job: &JobFacts, change: &Change, items: usize) -> Draft {
    let row = &job.row;
    let outcome = match change.state {
        BatchState::Finalized => Outcome::Done,
        _ => Outcome::Failed,
    };
    let slot = change
        .slot
        .map_or_else(String::new, |slot| format!(" in slot {slot}"));
    let error = change
        .error
        .as_ref()
        .map_or_else(String::new, |error| format!(": {error}"));
    let draft = Draft::new(Operation::Send, outcome)
        .wallet(row.fee_payer)
        .details(format!(
            "{} {}, transaction {} with {items} items {}{slot}{error}",
            row.kind.as_str(),
            row.id,
            change.batch,
            change.state.as_str()
        ));
    match outcome {
        Outcome::Done => draft,
        _ => draft.reason(change.state.as_str()),
    }
}

fn bounded(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(MAX_REASON_CHARS)
        .collect()
}

/// Each item of a job in one of these at most.
fn check_adopted(job: &NewJob, adopted: &[Adopted]) -> Result<(), CustodyError> {
    let mut open: BTreeSet<u32> = job.items.iter().map(|item| item.number).collect();
    for item in adopted.iter().flat_map(|one| &one.items) {
        if !open.remove(&item.item) {
            return Err(CustodyError::invalid(
                "job",
                "a payment found on chain is not one of its items, or one twice",
            ));
        }
    }
    Ok(())
}

fn check_page(limit: u32) -> Result<(), CustodyError> {
    match limit {
        0..=MAX_JOB_PAGE => Ok(()),
        _ => Err(CustodyError::invalid(
            "page",
            format!("at most {MAX_JOB_PAGE} rows"),
        )),
    }
}

fn counted(counted: CountedJob) -> Result<Job, CustodyError> {
    let CountedJob { row, states, batches } = counted;
    let mut counts = JobCounts {
        batches: batches.all,
        fees: batches.fees,
        ..JobCounts::default()
    };
    for group in states {
        counts.total += group.count;
        let place = match group.state.as_str() {
            "planned" => &mut counts.planned,
            "signed" | "sent" => &mut counts.in_flight,
            "confirmed" => {
                counts.lamports_done += group.lamports;
                if group.settling {
                    counts.settling += group.count;
                }
                &mut counts.done
            }
            "failed" => &mut counts.failed,
            "cancelled" => &mut counts.cancelled,
            "skipped" => &mut counts.skipped,
            _ => return Err(CustodyError::damaged("an item of a job is in no known state")),
        };
        *place += group.count;
    }
    let JobRow {
        id,
        kind,
        label,
        network,
        fee_payer,
        format,
        fee,
        options,
        state,
        created_ms,
    } = row;
    Ok(Job {
        id,
        kind,
        label,
        network,
        fee_payer,
        format,
        fee,
        options_json: options,
        state,
        counts,
        created_ms,
    })
}

/// A job for those who build its transactions: without its counts.
pub(super) fn uncounted(row: JobRow) -> Result<Job, CustodyError> {
    counted(CountedJob {
        row,
        states: Vec::new(),
        batches: crate::store::jobs::BatchCount::default(),
    })
}

fn check(job: &NewJob) -> Result<(), CustodyError> {
    let invalid = |what, reason: String| Err(CustodyError::invalid(what, reason));
    if job.items.is_empty() || job.items.len() > MAX_ITEMS {
        return invalid("items", format!("1 to {MAX_ITEMS}"));
    }
    let is_numbered = (0_u32..)
        .zip(&job.items)
        .all(|(number, item)| item.number == number);
    if !is_numbered {
        return invalid("items", "they are numbered from 0 on, in their order".to_owned());
    }
    let mut grouped: Vec<u32> = job.groups.iter().flatten().copied().collect();
    grouped.sort_unstable();
    let numbers = job.items.iter().map(|item| item.number);
    if !grouped.iter().copied().eq(numbers) {
        return invalid("packing", "every item is in exactly one transaction".to_owned());
    }
    if job
        .groups
        .iter()
        .any(|group| group.is_empty() || group.len() > MAX_BATCH_ITEMS)
    {
        return invalid(
            "packing",
            format!("1 to {MAX_BATCH_ITEMS} items in a transaction"),
        );
    }
    if job.label.chars().count() > MAX_JOB_LABEL_CHARS || job.label.chars().any(char::is_control) {
        return invalid(
            "label",
            format!("at most {MAX_JOB_LABEL_CHARS} characters, and no control characters"),
        );
    }
    if job.network.is_empty() || job.network.len() > MAX_NETWORK_BYTES {
        return invalid("network", format!("1 to {MAX_NETWORK_BYTES} bytes"));
    }
    let is_json = serde_json::from_str::<serde_json::Value>(&job.options_json).is_ok();
    if job.options_json.len() > MAX_JOB_OPTIONS_BYTES || !is_json {
        return invalid(
            "options",
            format!("JSON of at most {MAX_JOB_OPTIONS_BYTES} bytes"),
        );
    }
    let is_long = |memo: &String| memo.is_empty() || memo.len() > MAX_MEMO_BYTES;
    if job
        .items
        .iter()
        .filter_map(|item| item.memo.as_ref())
        .any(is_long)
    {
        return invalid("memo", format!("1 to {MAX_MEMO_BYTES} bytes"));
    }
    let sol = job.items.iter().filter(|item| item.action == ItemAction::PaySol);
    let total = sol
        .map(|item| i64::try_from(item.amount))
        .try_fold(0_i64, |total, amount| total.checked_add(amount.ok()?));
    match total {
        Some(_) => Ok(()),
        None => invalid("amount", "together more than 2^63-1 lamports".to_owned()),
    }
}

impl Batch {
    /// The item that is paid to this account, where it is one alone.
    pub(crate) fn item_to(items: &[JobItem], account: &keyward_core::address::Address) -> Option<u32> {
        let mut found = items.iter().filter(|item| item.new.recipient == *account);
        match (found.next(), found.next()) {
            (Some(only), None) => Some(only.new.number),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::jobs::BatchItem;
    use crate::jobs::job::item_of;

    #[test]
    fn instructions_belong_to_items_from_the_end() {
        let item = |item, instructions| BatchItem {
            item,
            amount: 0,
            instructions,
        };
        let items = [item(7, 1), item(9, 0), item(11, 2)];
        let found: Vec<_> = (0..6).map(|at| item_of(&items, 5, at)).collect();
        assert_eq!(found, [None, None, Some(7), Some(11), Some(11), None]);
        assert_eq!(item_of(&items, 2, 0), None);
    }

    #[test]
    fn an_end_stays_but_for_a_landing() {
        use BatchState::{Confirmed, Expired, Failed, Finalized, Sent, Signed};
        let all = [Signed, Sent, Confirmed, Finalized, Failed, Expired];
        let allowed = |before| {
            all.into_iter()
                .filter(|after| follows(before, *after))
                .collect::<Vec<_>>()
        };
        assert_eq!(allowed(Signed), [Sent, Confirmed, Finalized, Failed, Expired]);
        assert_eq!(allowed(Sent), [Confirmed, Finalized, Failed, Expired]);
        assert_eq!(allowed(Confirmed), [Finalized, Failed, Expired]);
        assert_eq!(allowed(Finalized), []);
        assert_eq!(allowed(Failed), [Finalized]);
        assert_eq!(allowed(Expired), [Finalized]);
    }
}
