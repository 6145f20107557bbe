//! Paying SOL.

use async_trait::async_trait;
use keyward_core::amount::Lamports;
use keyward_core::solana::instructions::{memo, sol_transfer};

use super::{Built, Compose, ComposeError};
use crate::chain::SolanaNode;
use crate::jobs::{Job, JobItem};

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
        let built = items.iter().map(|item| {
            let new = &item.new;
            let mut instructions = vec![sol_transfer(new.source, new.recipient, Lamports::new(new.amount))];
            instructions.extend(new.memo.iter().map(|text| memo(text, &[new.source])));
            Built {
                instructions,
                amount: new.amount,
                referable: Some(0),
            }
        });
        Ok(built.collect())
    }
}
