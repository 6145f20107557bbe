//! Paying SOL.

use async_trait::async_trait;
use keyward_core::amount::Lamports;
use keyward_core::solana::instructions::{memo, sol_transfer};

use super::{Built, Compose, ComposeError};
use crate::chain::SolanaNode;
use crate::jobs::{Job, JobItem, NewItem};

/// A transfer for each item, and a memo where it has one.
#[derive(Clone, Copy, Debug)]
pub(super) struct PaySol;

#[async_trait]
impl Compose for PaySol {
    async fn build(
        &self,
        _node: &SolanaNode,
        _job: &Job,
        items: &[&JobItem],
    ) -> Result<Vec<Built>, ComposeError> {
        Ok(items.iter().map(|item| pay(&item.new)).collect())
    }
}

/// What one payment comes to.
pub(super) fn pay(item: &NewItem) -> Built {
    let mut instructions = vec![sol_transfer(
        item.source,
        item.recipient,
        Lamports::new(item.amount),
    )];
    instructions.extend(item.memo.iter().map(|text| memo(text, &[item.source])));
    Built {
        instructions,
        amount: item.amount,
        referable: Some(0),
    }
}
