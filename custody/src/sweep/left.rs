//! What is left after a sweep: the proof that it did what it says.

use keyward_core::address::Address;
use keyward_core::amount::Lamports;

use super::SweepError;
use super::survey::in_batches;
use crate::chain::SolanaNode;
use crate::jobs::{ItemAction, JobItem};

/// What is there, after a sweep, of what it moved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SweepLeft {
    /// Wallets that were drained and hold exactly zero.
    pub zero: u64,
    /// Wallets that were drained and hold something, as when it came in after the drain was built.
    pub remaining: Vec<(Address, Lamports)>,
    /// Accounts that were closed and are gone.
    pub closed: u64,
    /// Accounts that were to be closed and are there.
    pub open: Vec<Address>,
}

impl SweepLeft {
    /// Whether nothing is left.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.remaining.is_empty() && self.open.is_empty()
    }
}

/// Reads what is left of what these items moved; items that are not done are passed over by the caller.
///
/// # Errors
/// [`SweepError::Unknown`] when some balances could not be read: nothing is known then.
pub async fn left(node: &SolanaNode, done: &[JobItem]) -> Result<SweepLeft, SweepError> {
    let (mut drained, mut closed) = (Vec::new(), Vec::new());
    for item in done {
        match &item.new.action {
            ItemAction::DrainSol => drained.push(item.new.source),
            ItemAction::DrainToken {
                source_account,
                close: true,
                ..
            } => closed.push(*source_account),
            ItemAction::CloseAccount { account, .. } => closed.push(*account),
            _ => {}
        }
    }
    let mut left = SweepLeft::default();
    for (address, lamports) in balances(node, &drained).await? {
        match lamports {
            Lamports::ZERO => left.zero += 1,
            lamports => left.remaining.push((address, lamports)),
        }
    }
    for (address, lamports) in balances(node, &closed).await? {
        match lamports {
            Lamports::ZERO => left.closed += 1,
            _ => left.open.push(address),
        }
    }
    Ok(left)
}

async fn balances(node: &SolanaNode, addresses: &[Address]) -> Result<Vec<(Address, Lamports)>, SweepError> {
    use futures_util::FutureExt;
    let infos = in_batches(addresses, |batch| {
        async move { Ok(node.accounts(batch).await?.1) }.boxed()
    })
    .await?;
    Ok(addresses
        .iter()
        .zip(infos)
        .map(|(address, info)| (*address, info.map_or(Lamports::ZERO, |info| info.lamports)))
        .collect())
}
