//! Transactions found on chain that a lost database had recorded.

use keyward_core::address::Signature;
use keyward_core::amount::Lamports;

use super::machine::Change;
use super::{BatchItem, BatchState, JobId, Lifetime};
use crate::Custody;
use crate::error::CustodyError;
use crate::store::jobs::NewBatch;

/// A finalized transaction of a job.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) signature: Signature,
    pub(crate) transaction: Vec<u8>,
    pub(crate) slot: u64,
    pub(crate) fee: Lamports,
    pub(crate) items: Vec<BatchItem>,
}

impl Custody {
    /// Records a finalized transaction of a job that the store does not know, with what it paid.
    ///
    /// Dying between the two steps leaves a transaction whose time is over; running the job looks it up and finds it.
    ///
    /// # Errors
    /// [`CustodyError::JobMoved`] where one of its items is not to be done any more; [`CustodyError::Locked`]; the store's.
    pub(crate) async fn adopt_batch(&self, job: JobId, found: Found) -> Result<(), CustodyError> {
        let batch = NewBatch {
            job,
            number: 0,
            signature: found.signature,
            transaction: found.transaction,
            lifetime: Lifetime::Blockhash {
                last_valid_block_height: 0,
            },
            fee: found.fee,
            items: found.items,
        };
        let number = self.record_batch(batch).await?;
        let change = Change {
            batch: number,
            state: BatchState::Finalized,
            slot: Some(found.slot),
            error: None,
            culprit: None,
        };
        self.update_batches(job, vec![change]).await.map(|_| ())
    }
}
