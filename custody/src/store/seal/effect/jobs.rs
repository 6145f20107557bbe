//! Which rows a change of a job touches.

use super::{Condition, Effect, Place, of};
use crate::error::CustodyError;
use crate::jobs::JobId;
use crate::store::jobs::JobWrite;
use crate::store::rows::{self, Table, Value};

/// What this change will do.
pub(super) fn effect(change: &JobWrite) -> Result<Effect, CustodyError> {
    let places = match change {
        // Followed while the vault is locked.
        JobWrite::BatchState { .. } => return Ok(Effect::Outside),
        JobWrite::State { job, .. } => vec![of(&rows::DISTRIBUTIONS, "job_id", key(*job))],
        JobWrite::New(job) => vec![
            of(&rows::DISTRIBUTIONS, "job_id", key(job.id)),
            of(&rows::TRANSFERS, "job_id", key(job.id)),
        ],
        JobWrite::Batch(batch) => vec![
            numbered(&rows::BATCHES, batch.job, "batch", batch.number),
            numbered(&rows::BATCH_ITEMS, batch.job, "batch", batch.number),
        ],
        JobWrite::Decide { job, items, .. } => items.iter().map(|(item, _)| the_item(*job, *item)).collect(),
        JobWrite::Release { job, items, .. } => items.iter().map(|item| the_item(*job, *item)).collect(),
    };
    Ok(Effect::Changes(places))
}

fn key(job: JobId) -> Value {
    Value::Bytes(job.0.to_vec())
}

fn the_item(job: JobId, item: u32) -> Place {
    numbered(&rows::TRANSFERS, job, "item", item)
}

fn numbered(table: &'static Table, job: JobId, column: &'static str, number: u32) -> Place {
    Place {
        table,
        conditions: vec![
            Condition::Is("job_id", key(job)),
            Condition::Is(column, Value::Integer(i64::from(number))),
        ],
    }
}
