//! Which payments are in one transaction.

use std::ops::Range;

use keyward_core::address::Blockhash;

use crate::distribution::pack::{Assembled, PackError, pack};
use crate::distribution::request::DistributionRequest;
use crate::jobs::assemble::{self, Budget, GENEROUS_UNITS};
use crate::jobs::compose::{Built, payment};
use crate::jobs::{Job, JobCounts, JobId, JobKind, JobState, MAX_BATCH_ITEMS, NewItem};

/// The job as its transactions are built from it; the rest of it is not looked at there.
pub(super) fn job(request: &DistributionRequest, id: JobId) -> Job {
    Job {
        id,
        kind: JobKind::Distribution,
        label: String::new(),
        network: String::new(),
        fee_payer: request.fee_payer,
        format: request.format,
        fee: request.fee,
        options_json: String::new(),
        state: JobState::Open,
        counts: JobCounts::default(),
        created_ms: 0,
    }
}

pub(super) fn built(request: &DistributionRequest, items: &[&NewItem]) -> Vec<Built> {
    let all = items.iter().filter_map(|item| payment(item, request.fee_payer));
    all.collect()
}

/// Packs payments, those of one source together: a source that runs dry then holds up no other.
pub(super) fn groups(
    request: &DistributionRequest,
    id: JobId,
    items: &[NewItem],
) -> Result<Vec<Vec<u32>>, (u32, String)> {
    let mut groups = Vec::new();
    // The dearest budget takes the most bytes.
    let budget = Budget {
        units: GENEROUS_UNITS,
        micro_lamports: request.fee.ceiling_micro_lamports(),
    };
    let job = job(request, id);
    for source in &request.sources {
        let own: Vec<&NewItem> = items.iter().filter(|item| item.source == *source).collect();
        let assembled = |range: Range<usize>| {
            let own = own.get(range).unwrap_or_default();
            let inner = own
                .iter()
                .map(|item| assemble::inner_instructions(&item.action))
                .sum();
            let built = built(request, own);
            Assembled {
                message: assemble::message(&job, &built, budget, Blockhash::new([0; 32])),
                inner,
            }
        };
        let packed = pack(own.len(), MAX_BATCH_ITEMS, &assembled);
        let packed = packed.map_err(|error| {
            let (PackError::TooLarge { item } | PackError::Unsound { item, .. }) = error;
            (own.get(item).map_or(0, |item| item.number), error.to_string())
        })?;
        groups.extend(packed.into_iter().map(|range| {
            let own = own.get(range).unwrap_or_default();
            own.iter().map(|item| item.number).collect()
        }));
    }
    Ok(groups)
}
