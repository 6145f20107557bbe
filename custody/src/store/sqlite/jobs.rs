//! Jobs, their items and their transactions.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::errors::ResultExt;
use crate::error::CustodyError;
use crate::jobs::{Batch, ItemFilter, JobId, JobItem, JobQuery, Lifetime, NewJob};
use crate::store::columns::{fixed, unsigned};
use crate::store::jobs::{
    self, BatchCount, BatchFacts, ItemsAsk, JobAsk, JobFacts, JobRow, JobRun, JobWrite, NewBatch, StateCount,
};
use crate::store::stored_integer;

fn key(job: JobId) -> Vec<u8> {
    job.0.to_vec()
}

/// What a decision is to know about a job.
pub(super) async fn facts(
    connection: &mut SqliteConnection,
    ask: &JobAsk,
) -> Result<Option<JobFacts>, CustodyError> {
    let Some(row) = row(connection, ask.id).await? else {
        return Ok(None);
    };
    let mut items = Vec::new();
    match &ask.items {
        ItemsAsk::None => {}
        ItemsAsk::These(numbers) => {
            for number in numbers {
                let found = sqlx::query(jobs::ITEM_FACTS)
                    .bind(key(ask.id))
                    .bind(number)
                    .fetch_optional(&mut *connection)
                    .await
                    .storage()?;
                items.extend(found.map(|row| raw_facts(&row)?.read()).transpose()?);
            }
        }
        ItemsAsk::All => items = all_facts(connection, ask.id).await?,
    }
    let mut batches = Vec::with_capacity(ask.batches.len());
    for number in &ask.batches {
        if let Some(batch) = batch(connection, ask.id, *number).await? {
            batches.push(BatchFacts {
                number: batch.number,
                signature: batch.signature,
                state: batch.state,
                slot: batch.slot,
                items: batch.items.len(),
            });
        }
    }
    let has_signature = match &ask.signature {
        None => false,
        Some(signature) => {
            let found: i64 = sqlx::query_scalar(jobs::HAS_SIGNATURE)
                .bind(signature.to_string())
                .fetch_one(&mut *connection)
                .await
                .storage()?;
            found > 0
        }
    };
    Ok(Some(JobFacts {
        row,
        items,
        last_batch: last_batch(connection, ask.id).await?,
        batches,
        has_signature,
    }))
}

pub(super) async fn all_facts(
    connection: &mut SqliteConnection,
    job: JobId,
) -> Result<Vec<jobs::ItemFacts>, CustodyError> {
    let rows = sqlx::query(jobs::ALL_FACTS)
        .bind(key(job))
        .fetch_all(connection)
        .await
        .storage()?;
    rows.iter().map(|row| raw_facts(row)?.read()).collect()
}

async fn last_batch(connection: &mut SqliteConnection, job: JobId) -> Result<u32, CustodyError> {
    let last: i64 = sqlx::query_scalar(jobs::LAST_BATCH)
        .bind(key(job))
        .fetch_one(connection)
        .await
        .storage()?;
    unsigned("batches.batch", last)
}

pub(super) async fn row(
    connection: &mut SqliteConnection,
    job: JobId,
) -> Result<Option<JobRow>, CustodyError> {
    let row = sqlx::query(jobs::JOB)
        .bind(key(job))
        .fetch_optional(connection)
        .await
        .storage()?;
    row.as_ref().map(job_row).transpose()
}

/// A job as a run begins with it.
pub(super) async fn run(
    connection: &mut SqliteConnection,
    job: JobId,
) -> Result<Option<JobRun>, CustodyError> {
    let Some(row) = row(connection, job).await? else {
        return Ok(None);
    };
    let facts = all_facts(connection, job).await?;
    let mut batches = Vec::new();
    for number in JobRun::wanted(&facts) {
        batches.extend(batch(connection, job, number).await?);
    }
    Ok(Some(JobRun {
        row,
        items: items(connection, job, ItemFilter::All, -1, u32::MAX).await?,
        facts,
        batches,
        last_batch: last_batch(connection, job).await?,
    }))
}

pub(super) async fn list(
    connection: &mut SqliteConnection,
    query: &JobQuery,
) -> Result<Vec<JobRow>, CustodyError> {
    let rows = sqlx::query(jobs::JOBS)
        .bind(query.kind.map_or("", |kind| kind.as_str()))
        .bind(i64::from(query.before.is_some()))
        .bind(key(query.before.unwrap_or(JobId([0; 16]))))
        .bind(query.limit)
        .fetch_all(connection)
        .await
        .storage()?;
    rows.iter().map(job_row).collect()
}

pub(super) async fn counts(
    connection: &mut SqliteConnection,
    job: JobId,
) -> Result<(Vec<StateCount>, BatchCount), CustodyError> {
    let rows = sqlx::query(jobs::COUNTS)
        .bind(key(job))
        .fetch_all(&mut *connection)
        .await
        .storage()?;
    let states = rows
        .iter()
        .map(|row| {
            Ok(StateCount {
                state: row.try_get(0).storage()?,
                settling: row.try_get::<i64, _>(1).storage()? != 0,
                count: unsigned("transfers", row.try_get(2).storage()?)?,
                lamports: jobs::sum("transfers.amount", row.try_get(3).storage()?)?,
            })
        })
        .collect::<Result<_, CustodyError>>()?;
    let row = sqlx::query(jobs::BATCH_COUNT)
        .bind(key(job))
        .fetch_one(connection)
        .await
        .storage()?;
    let batches = BatchCount {
        all: unsigned("batches", row.try_get(0).storage()?)?,
        fees: jobs::sum("batches.fee", row.try_get(1).storage()?)?,
    };
    Ok((states, batches))
}

pub(super) async fn items(
    connection: &mut SqliteConnection,
    job: JobId,
    filter: ItemFilter,
    after: i64,
    limit: u32,
) -> Result<Vec<JobItem>, CustodyError> {
    let rows = sqlx::query(jobs::ITEMS)
        .bind(key(job))
        .bind(after)
        .bind(jobs::filter_word(filter))
        .bind(limit)
        .fetch_all(connection)
        .await
        .storage()?;
    rows.iter().map(|row| raw_item(row)?.read()).collect()
}

pub(super) async fn batches(
    connection: &mut SqliteConnection,
    job: JobId,
    after: u32,
    limit: u32,
) -> Result<Vec<Batch>, CustodyError> {
    let rows = sqlx::query(jobs::BATCHES)
        .bind(key(job))
        .bind(after)
        .bind(limit)
        .fetch_all(&mut *connection)
        .await
        .storage()?;
    let mut batches = Vec::with_capacity(rows.len());
    for row in &rows {
        batches.push(with_items(connection, job, row).await?);
    }
    Ok(batches)
}

pub(super) async fn batch(
    connection: &mut SqliteConnection,
    job: JobId,
    number: u32,
) -> Result<Option<Batch>, CustodyError> {
    let row = sqlx::query(jobs::BATCH)
        .bind(key(job))
        .bind(number)
        .fetch_optional(&mut *connection)
        .await
        .storage()?;
    match row {
        None => Ok(None),
        Some(row) => with_items(connection, job, &row).await.map(Some),
    }
}

async fn with_items(
    connection: &mut SqliteConnection,
    job: JobId,
    row: &SqliteRow,
) -> Result<Batch, CustodyError> {
    let raw = raw_batch(row)?;
    let rows = sqlx::query(jobs::BATCH_ITEMS)
        .bind(key(job))
        .bind(raw.number)
        .fetch_all(connection)
        .await
        .storage()?;
    let items = rows
        .iter()
        .map(|row| {
            Ok((
                row.try_get(0).storage()?,
                row.try_get(1).storage()?,
                row.try_get(2).storage()?,
            ))
        })
        .collect::<Result<_, CustodyError>>()?;
    raw.read(items)
}

fn job_row(row: &SqliteRow) -> Result<JobRow, CustodyError> {
    let mut texts: [String; 8] = Default::default();
    for (at, text) in texts.iter_mut().enumerate() {
        *text = row.try_get(at + 1).storage()?;
    }
    let raw = jobs::RawJob {
        id: fixed("distributions.job_id", row.try_get(0).storage()?)?,
        texts,
        created_ms: unsigned("distributions.created_at", row.try_get(9).storage()?)?,
    };
    raw.read()
}

fn raw_facts(row: &SqliteRow) -> Result<jobs::RawFacts, CustodyError> {
    Ok(jobs::RawFacts {
        item: row.try_get(0).storage()?,
        decision: row.try_get(1).storage()?,
        reason: row.try_get(2).storage()?,
        released: row.try_get(3).storage()?,
        batch: row.try_get(4).storage()?,
        signature: row.try_get(5).storage()?,
        state: row.try_get(6).storage()?,
        slot: row.try_get(7).storage()?,
        error: row.try_get(8).storage()?,
        culprit: row.try_get(9).storage()?,
        size: row.try_get(10).storage()?,
    })
}

fn raw_item(row: &SqliteRow) -> Result<jobs::RawItem, CustodyError> {
    let mut texts: [String; 4] = Default::default();
    for (at, text) in texts.iter_mut().enumerate() {
        *text = row.try_get(at + 11).storage()?;
    }
    Ok(jobs::RawItem {
        facts: raw_facts(row)?,
        texts,
        memo: row.try_get(15).storage()?,
        group: row.try_get(16).storage()?,
    })
}

fn raw_batch(row: &SqliteRow) -> Result<jobs::RawBatch, CustodyError> {
    Ok(jobs::RawBatch {
        number: row.try_get(0).storage()?,
        signature: row.try_get(1).storage()?,
        transaction: row.try_get(2).storage()?,
        last_valid: row.try_get(3).storage()?,
        nonce_account: row.try_get(4).storage()?,
        nonce: row.try_get(5).storage()?,
        fee: row.try_get(6).storage()?,
        state: row.try_get(7).storage()?,
        slot: row.try_get(8).storage()?,
        error: row.try_get(9).storage()?,
        culprit: row.try_get(10).storage()?,
        created_ms: unsigned("batches.created_at", row.try_get(11).storage()?)?,
    })
}

/// Makes one change.
pub(super) async fn apply(
    connection: &mut SqliteConnection,
    change: JobWrite,
    now: i64,
) -> Result<(), CustodyError> {
    let query = match change {
        JobWrite::New(job) => return insert(connection, &job, now).await,
        JobWrite::Batch(batch) => return insert_batch(connection, *batch, now).await,
        JobWrite::Decide {
            job,
            items,
            decision,
        } => {
            for (item, reason) in items {
                sqlx::query(jobs::DECIDE)
                    .bind(key(job))
                    .bind(item)
                    .bind(decision.as_str())
                    .bind(reason)
                    .execute(&mut *connection)
                    .await
                    .storage()?;
            }
            return Ok(());
        }
        JobWrite::Release { job, items, through } => {
            for item in items {
                sqlx::query(jobs::RELEASE)
                    .bind(key(job))
                    .bind(item)
                    .bind(through)
                    .execute(&mut *connection)
                    .await
                    .storage()?;
            }
            return Ok(());
        }
        JobWrite::State { job, state } => sqlx::query(
            "UPDATE distributions SET state = $2, updated_at = MAX(created_at, $3) WHERE job_id = $1",
        )
        .bind(key(job))
        .bind(state.as_str())
        .bind(now),
        JobWrite::BatchState {
            job,
            batch,
            state,
            slot,
            error,
            culprit,
        } => sqlx::query(
            "UPDATE batches SET state = $3, slot = $4, error = $5, culprit = $6, updated_at = MAX(created_at, $7) \
             WHERE job_id = $1 AND batch = $2",
        )
        .bind(key(job))
        .bind(batch)
        .bind(state.as_str())
        .bind(slot.map(|slot| stored_integer("slot", slot)).transpose()?)
        .bind(error)
        .bind(culprit)
        .bind(now),
    };
    query.execute(connection).await.storage()?;
    Ok(())
}

async fn insert(connection: &mut SqliteConnection, job: &NewJob, now: i64) -> Result<(), CustodyError> {
    let count = stored_integer("items", u64::try_from(job.items.len()).unwrap_or(u64::MAX))?;
    sqlx::query(jobs::INSERT_JOB)
        .bind(key(job.id))
        .bind(job.kind.as_str())
        .bind(job.label.clone())
        .bind(job.network.clone())
        .bind(job.fee_payer.to_string())
        .bind(job.format.as_str())
        .bind(job.fee.to_string())
        .bind(job.options_json.clone())
        .bind(count)
        .bind(now)
        .execute(&mut *connection)
        .await
        .storage()?;
    let groups = jobs::group_of(job);
    for item in &job.items {
        sqlx::query(jobs::INSERT_ITEM)
            .bind(key(job.id))
            .bind(item.number)
            .bind(item.source.to_string())
            .bind(item.recipient.to_string())
            .bind(item.amount.to_string())
            .bind(jobs::action_text(item)?)
            .bind(item.memo.clone())
            .bind(groups.get(&item.number).copied().unwrap_or(u32::MAX))
            .execute(&mut *connection)
            .await
            .storage()?;
    }
    Ok(())
}

async fn insert_batch(
    connection: &mut SqliteConnection,
    batch: NewBatch,
    now: i64,
) -> Result<(), CustodyError> {
    let (last_valid, nonce) = match batch.lifetime {
        Lifetime::Blockhash {
            last_valid_block_height,
        } => (
            Some(stored_integer(
                "last valid block height",
                last_valid_block_height,
            )?),
            None,
        ),
        Lifetime::Nonce { account, nonce } => (None, Some((account.to_string(), nonce.to_string()))),
    };
    let (account, nonce) = nonce.unzip();
    sqlx::query(jobs::INSERT_BATCH)
        .bind(key(batch.job))
        .bind(batch.number)
        .bind(batch.signature.to_string())
        .bind(batch.transaction)
        .bind(last_valid)
        .bind(account)
        .bind(nonce)
        .bind(stored_integer("fee", batch.fee.get())?)
        .bind(now)
        .execute(&mut *connection)
        .await
        .storage()?;
    for item in batch.items {
        sqlx::query(jobs::INSERT_BATCH_ITEM)
            .bind(key(batch.job))
            .bind(batch.number)
            .bind(item.item)
            .bind(item.amount.to_string())
            .bind(item.instructions)
            .execute(&mut *connection)
            .await
            .storage()?;
    }
    Ok(())
}
