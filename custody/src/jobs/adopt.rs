//! Transactions found on chain that a lost database had recorded.

use keyward_core::address::Signature;
use keyward_core::amount::Lamports;

use super::{BatchItem, BatchState, JobId, Lifetime};
use crate::store::jobs::{JobWrite, NewBatch};

/// A finalized transaction of a job.
#[derive(Clone, Debug)]
pub(crate) struct Adopted {
    pub(crate) signature: Signature,
    pub(crate) transaction: Vec<u8>,
    pub(crate) slot: u64,
    pub(crate) fee: Lamports,
    pub(crate) items: Vec<BatchItem>,
}

impl Adopted {
    /// What stores it, as the transaction of this number.
    pub(super) fn writes(self, job: JobId, number: u32) -> impl Iterator<Item = JobWrite> {
        let batch = NewBatch {
            job,
            number,
            signature: self.signature,
            transaction: self.transaction,
            lifetime: Lifetime::Blockhash {
                last_valid_block_height: 0,
            },
            fee: self.fee,
            items: self.items,
        };
        let state = JobWrite::BatchState {
            job,
            batch: number,
            state: BatchState::Finalized,
            slot: Some(self.slot),
            error: None,
            culprit: None,
        };
        [JobWrite::Batch(Box::new(batch)), state].into_iter()
    }
}
